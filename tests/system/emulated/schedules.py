"""Schedules in the emulated machine: its clock is set, it sleeps, the clock of its zone changes, its zone becomes another."""

import calendar
import time

from emulated.cases import PATIENCE, taken_up

STEP, SHORT, HOUR = 600, 5, 3600
ASLEEP = 14
QUICK = 20  # seconds; it is one or two, but the machine is slow; who looks at the clock now and then would need more
KINDS = ("none", "last", "all")


class Slots:
    """A machine and the ledgers of its schedules. Moments are seconds since 1970."""

    def __init__(self, tap, folder, name, step=STEP):
        self.tap, self.name, self.machine, self.step = tap, name, taken_up(folder, name), step
        self.call = self.machine.call

    def define(self, task, *keys):
        self.call("apply", task, "[Service]\nExecStart=/bin/true\n[Schedule s]\n" + "\n".join(keys) + "\n")

    def define_kinds(self):
        """An interval with each CatchUp=; on its own it would catch up nothing."""
        for kind in KINDS:
            window = [] if kind == "none" else ["CatchUpWindow=1d"]
            self.define(kind, f"Every={self.step}s", f"CatchUp={kind}", *window)

    def set_to(self, moment):
        self.call("set_clock", moment)

    def soon(self, what, seconds):
        self.tap.ok(seconds < QUICK, f"{self.name}: {what} is not left to a look at the clock now and then ({seconds:.1f} s)")

    def fires(self, task, *moments):
        """Waits for these, and says that nothing else fired."""
        got = self.call("wait_fired", task, moments, PATIENCE)
        self.tap.same(got, list(moments), f"{self.name}: {task} fires when it should, and only then")

    def fires_late(self, task, moment, since):
        """It fired when the clock had become `since`, or soon after."""
        late = [entry["late"] for entry in self.call("ledger", task) if entry["last"] == moment and entry["outcome"] == "fired"]
        self.tap.ok(len(late) == 1, f"{self.name}: {task} fires what it should", late)
        self.soon(f"a slot of {task}", moment + late[0] - since)

    def ledgers(self):
        """The entries of each task of KINDS; each is whole."""
        found = {task: self.call("ledger", task) for task in KINDS}
        for task, entries in found.items():
            wrong = [e for e in entries if e["count"] != self.within(e, e["first"], e["last"])]
            wrong += [pair for pair in zip(entries, entries[1:]) if pair[1]["first"] - pair[0]["last"] != self.step]
            self.tap.same(wrong, [], f"{self.name}: CatchUp={task}: neither gap nor second outcome in its ledger")
        return found

    def within(self, entry, first, last):
        """How many of its slots are in that span."""
        return max(int(min(last, entry["last"]) - max(first, entry["first"])) // self.step + 1, 0)

    def outcomes(self, ledgers, task, first, last):
        """Of the slots in that span, how many fired and how many were skipped."""
        return [sum(self.within(e, first, last) for e in ledgers[task] if e["outcome"] == outcome) for outcome in ("fired", "skipped")]

    def settle(self):
        undone, left = self.call("all_done", PATIENCE)
        self.tap.same((undone, left), ([], []), f"{self.name}: every run is done, no unit is left")
        twice = [(row, n) for row, n in self.call("asked_twice")]
        self.tap.same(twice, [], f"{self.name}: no slot was asked for twice")
        self.machine.kill()


def judge_passed(slots, ledgers, first, last, n):
    """What CatchUp= makes of n slots that passed."""
    tap, name = slots.tap, slots.name
    tap.same(slots.outcomes(ledgers, "none", first, last), [0, n], f"{name}: CatchUp=none: those that passed are skipped")
    tap.same(slots.outcomes(ledgers, "last", first, last), [1, n - 1], f"{name}: CatchUp=last: one of them fires")
    tap.same(slots.outcomes(ledgers, "all", first, last), [n, 0], f"{name}: CatchUp=all: each of them fires")


def clock_set(tap, folder):
    """An hour forward: what passed is caught up as it says. An hour back: nothing fires again, until the time is there anew."""
    slots = Slots(tap, folder, "clock-set")
    begin = (int(slots.call("now")[0]) // STEP + 2) * STEP
    slots.set_to(begin - STEP // 2)
    slots.define_kinds()
    slots.set_to(begin - 2)
    for kind in KINDS:
        slots.fires(kind, begin)
    slots.set_to(begin + HOUR + STEP // 2)
    tap.ok(slots.call("wait_settled", KINDS, begin + HOUR, PATIENCE), "clock-set: an hour forward, and each slot of it has an outcome")
    slots.fires_late("last", begin + HOUR, begin + HOUR + STEP // 2)
    slots.fires_late("all", begin + STEP, begin + HOUR + STEP // 2)
    ledgers = slots.ledgers()
    judge_passed(slots, ledgers, begin + STEP, begin + HOUR, HOUR // STEP)
    slots.call("all_done", PATIENCE)
    slots.set_to(begin + STEP - 2)
    time.sleep(5)
    tap.same({kind: slots.call("ledger", kind) for kind in KINDS}, ledgers, "clock-set: an hour back, and no slot fires again")
    slots.set_to(begin + HOUR + STEP - 2)
    tap.ok(slots.call("wait_settled", KINDS, begin + HOUR + STEP, PATIENCE), "clock-set: the next one fires when its time is there")
    for kind in KINDS:
        slots.fires_late(kind, begin + HOUR + STEP, begin + HOUR + STEP)
    ledgers = slots.ledgers()
    tap.same([slots.outcomes(ledgers, kind, begin + HOUR + STEP, begin + HOUR + STEP) for kind in KINDS], [[1, 0]] * 3,
             "clock-set: whatever is caught up")
    slots.settle()


def asleep(tap, folder):
    """The machine is suspended to memory, and its clock has gone on when it wakes."""
    slots = Slots(tap, folder, "asleep", SHORT)
    slots.define_kinds()
    tap.ok(slots.call("wait_settled", KINDS, slots.call("now")[0] + SHORT, PATIENCE), "asleep: three schedules fire")
    fell, woke = slots.call("sleep", ASLEEP)
    tap.ok(woke - fell >= ASLEEP - 2, "asleep: it slept", woke - fell)
    tap.ok(slots.call("wait_settled", KINDS, woke + SHORT, PATIENCE), "asleep: they go on when it wakes")
    for kind in KINDS:
        slots.call("ctl", "disable", kind)
    ledgers = slots.ledgers()
    # The one just before may have been asked for ahead of its time; the one just after may come late for another reason.
    first = (int(fell) // SHORT + 1) * SHORT + SHORT
    last = int(woke) // SHORT * SHORT - SHORT
    n = (last - first) // SHORT + 1
    tap.ok(n >= 1, "asleep: slots passed meanwhile", (fell, woke))
    tap.same(slots.outcomes(ledgers, "none", first, last), [0, n], "asleep: CatchUp=none: they are skipped")
    tap.same(slots.outcomes(ledgers, "all", first, last), [n, 0], "asleep: CatchUp=all: each of them fires")
    newest = next(entry for entry in ledgers["last"] if entry["outcome"] == "fired" and entry["last"] >= first)
    tap.ok(newest["last"] >= last and newest["late"] < SHORT + 2, "asleep: CatchUp=last: what fires first is the newest then", (newest, last))
    tap.same(slots.outcomes(ledgers, "last", first, newest["last"]), [1, (newest["last"] - first) // SHORT],
             "asleep: and of those that passed it is the only one")
    slots.soon("who wakes", newest["last"] + newest["late"] - woke)
    slots.settle()


def at(*words):
    return calendar.timegm((*words, 0, 0, 0))


def daylight_saving(tap, folder):
    """02:30 in Berlin on the night that has none, and on the night that has two."""
    slots = Slots(tap, folder, "daylight-saving")
    gap, fold = at(2027, 3, 28, 1, 0, 0), at(2027, 10, 31, 0, 30, 0)
    slots.set_to(gap - HOUR)
    for word in ("next", "skip"):
        slots.define(word, "OnCalendar=*-*-* 02:30", "TimeZone=Europe/Berlin", f"DST={word}", "CatchUp=none")
    slots.set_to(gap - 3)
    slots.fires("next", gap)
    slots.set_to(gap + HOUR)
    time.sleep(2)
    slots.fires("skip")
    slots.set_to(fold - HOUR)
    for word in ("first", "last", "both"):
        slots.define(word, "OnCalendar=*-*-* 02:30", "TimeZone=Europe/Berlin", f"DST={word}", "CatchUp=none")
    slots.set_to(fold - 3)
    slots.fires("first", fold)
    slots.fires("both", fold)
    slots.set_to(fold + HOUR - 3)
    slots.fires("last", fold + HOUR)
    slots.fires("both", fold, fold + HOUR)
    slots.fires("first", fold)
    slots.settle()


def zone_changed(tap, folder):
    """A schedule that names no zone follows the machine's, at once."""
    slots = Slots(tap, folder, "zone-changed")
    day = int(slots.call("now")[0]) // 86400 * 86400 + 2 * 86400
    slots.call("set_zone", "Etc/UTC")
    slots.set_to(day)
    slots.define("noon", "OnCalendar=*-*-* 12:00", "CatchUp=none")
    tap.ok(slots.call("wait_next", "noon", day + 12 * HOUR, PATIENCE), "zone-changed: noon is that of the machine's zone")
    slots.call("set_zone", "Asia/Kolkata")
    begin = time.monotonic()
    tap.ok(slots.call("wait_next", "noon", day + 6.5 * HOUR, PATIENCE), "zone-changed: and of another one when that is the machine's")
    slots.soon("another zone", time.monotonic() - begin)
    slots.set_to(day + 6.5 * HOUR - 3)
    slots.fires("noon", day + 6.5 * HOUR)
    slots.settle()


CASES = [clock_set, asleep, daylight_saving, zone_changed]
