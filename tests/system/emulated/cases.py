"""What is tried in the emulated machine. Each case begins where it was put away: the daemon runs, nothing was asked for yet."""

import collections
import pathlib
import time

from emulated.image import Trouble
from emulated.machine import copy, go_on, incoming, over, resume

GUEST = (pathlib.Path(__file__).parent / "guest.py").read_text(encoding="utf-8")
HOUR = 3600
MIB = 1 << 20
ENDS = {0: "success", 1: "exit-code", 3: "exit-code", 9: "signal"}
PATIENCE = 300  # for what has no bound of its own; it fails the test
IN_FLIGHT = 20
MORE = IN_FLIGHT + 4  # some end between the look and the power's failure
CAP = 40  # so many are asked for and not over
NEAR_LOSS = 10  # seconds before the power fails in which an end may not have been recorded
LIMIT = 30  # seconds: the time-out in guest.py
KEEPS_SINCE = 257  # the systemd that keeps a unit's memory peak, and its I/O as it was at the end


def taken_up(folder, name):
    machine = resume(folder, name)
    machine.call("define", GUEST)
    return machine


def begins_of(*truths):
    """token -> how often it began"""
    return collections.Counter(line[1] for truth in truths for line in truth if len(line) == 5 and line[0] == "begin")


# --- memory and what else is counted on cgroup v2 -----------------------------------------------------------------------

EATERS = {
    # The main process takes too much itself; or a child of it does, while it waits.
    "eater": "ExecStart=/usr/bin/tail /dev/zero",
    "parent": "ExecStart=/bin/sh -c 'tail /dev/zero; sleep 60'",
}


def memory(tap, folder):
    """The kernel ends what takes more than MemoryMax=, and the run says that it was that."""
    machine = taken_up(folder, "memory")
    version = machine.call("systemd_version")
    for name, line in EATERS.items():
        machine.call("apply", name, f"[Task]\n[Service]\nMemoryMax=48M\nMemorySwapMax=0\n{line}\n")
        run = machine.call("ask", name, name, 0, 0, None, True)
        machine.call("wait_states", [run], ["done"], PATIENCE)
        shown = machine.call("show", run)
        tap.same((shown["State"], shown["Result"]), ("done", "oom-kill"), f"memory: the {name} of more than MemoryMax= ends by oom-kill")
        peak = shown.get("MemoryPeak")
        if version < KEEPS_SINCE:
            tap.same(peak, None, f"memory: the {name}'s peak, which systemd {version} does not keep, is absent")
        else:
            tap.ok(peak and 40 * MIB <= peak <= 49 * MIB, f"memory: the {name}'s peak is what it was allowed", peak)
    tap.same(machine.call("units"), {}, "memory: no unit is left")
    machine.kill()


BUSY = """#!/usr/bin/python3
import os, socket, time
block = bytearray(os.urandom(4096) * 8192)
with open("/var/lib/busy", "wb", buffering=0) as f:
    f.write(block[:8 << 20])
    os.fsync(f.fileno())
    os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
with open("/var/lib/busy", "rb") as f:
    f.read()
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "ab")
a.bind(("127.0.0.1", 0))
for _ in range(100):
    b.sendto(bytes(1000), a.getsockname())
    a.recv(2000)
while time.process_time() < 1.5:
    pass
"""


def accounting(tap, folder):
    """CPU, memory, I/O and IP, as the kernel counts them for a control group."""
    machine = taken_up(folder, "accounting")
    version = machine.call("systemd_version")
    machine.call("script", "/usr/local/lib/busy", BUSY)
    machine.call("apply", "busy", "[Task]\n[Service]\nIPAccounting=yes\nExecStart=/usr/local/lib/busy\n")
    run = machine.call("ask", "busy", "busy", 0, 0, None, True)
    machine.call("wait_states", [run], ["done"], PATIENCE)
    shown = machine.call("show", run)
    tap.same(shown["Result"], "success", "accounting: the run is done")
    least = {"CPUUsageNSec": 1_400_000_000, "IPIngressBytes": 100_000, "IPEgressBytes": 100_000}
    kept = {"IOReadBytes": 8 * MIB, "IOWriteBytes": 8 * MIB, "MemoryPeak": 32 * MIB}
    if version >= KEEPS_SINCE:
        least |= kept
    else:
        tap.same([name for name in kept if name in shown], [], f"accounting: what systemd {version} does not keep is absent")
    most = {"CPUUsageNSec": 600_000_000_000, "IPIngressBytes": 200_000, "IPEgressBytes": 200_000, "MemoryPeak": 256 * MIB}
    for name, low in least.items():
        got, high = shown.get(name), most.get(name, 64 * MIB)
        tap.ok(got is not None and low <= got <= high, f"accounting: {name} is what it took", f"{got}, not {low} to {high}")
    machine.kill()


# --- the clock ------------------------------------------------------------------------------------------------------

TICK = "[Task]\n[Service]\nExecStart=/bin/true\n[Schedule tick]\nEvery=10min\n"


class Clock:
    """A machine with runs that execute, runs that are due later and a schedule, whose clock is set."""

    def __init__(self, tap, folder, name):
        self.tap, self.name, self.machine = tap, name, taken_up(folder, name)
        self.call = self.machine.call
        self.call("apply", "tick", TICK)
        self.runs = {}

    def ask(self, prefix, n, *more):
        got = self.call("ask_many", prefix, n, *more)
        self.runs.update(got)
        return list(got.values())

    def are(self, runs, wanted, what, seconds=PATIENCE):
        got = self.call("wait_states", runs, wanted, seconds)
        self.tap.ok(all(s[0] in wanted for s in got.values()), f"{self.name}: {what}", got)

    def results(self, runs, result, what):
        got = self.call("wait_states", runs, ["done"], PATIENCE)
        self.tap.ok(all(s[:2] == ["done", result] for s in got.values()), f"{self.name}: {what}", got)

    def settle(self):
        """Nothing lost, nothing twice."""
        undone, left = self.call("all_done", PATIENCE)
        self.tap.same((undone, left), ([], []), f"{self.name}: every run is done, no unit is left")
        rows = {row[0]: int(row[1]) for row in self.call("all_runs") if row[0] in self.runs}
        self.tap.same(rows, self.runs, f"{self.name}: every run that was asked for is there")
        begins = begins_of(self.machine.truth())
        self.tap.same({t: begins[t] for t in self.runs if begins[t] != 1}, {}, f"{self.name}: each ran, and none twice")
        twice = [slot for slot in self.call("slots", "tick") if slot[1] != 1]
        self.tap.same(twice, [], f"{self.name}: no slot fired twice")
        self.machine.kill()


def limited(clock):
    """Runs that their time-out ends: the clock is set meanwhile, and nobody's limit is a second shorter or longer for it."""
    timed = clock.ask("timed", 2, "short", 0, "60")
    clock.are(timed, ["running"], "runs with a time-out execute when the clock is set")
    return timed


def judge_limited(clock, timed):
    clock.results(timed, "timeout", "the time-out ends them all the same")
    told = clock.call("now")[1]
    begins = [float(line[4]) for line in clock.machine.truth() if line[0] == "begin" and line[1].startswith("timed")]
    clock.tap.ok(begins and told - max(begins) >= LIMIT - 1, f"{clock.name}: not before it was time, by the clock that nobody sets",
                 f"began at {begins}, all over at {told}")


def forward(tap, folder):
    """An hour forward, with runs that execute, that are due within that hour, and that are due after it."""
    clock = Clock(tap, folder, "forward")
    now = clock.call("now")[0]
    flying = clock.ask("fly", 6, "truth", 3, "hold")
    soon = clock.ask("soon", 5, "truth", 0, "0", now + HOUR / 2)
    later = clock.ask("later", 3, "truth", 0, "0", now + 2 * HOUR)
    clock.are(flying, ["running"], "runs execute when the clock is set")
    timed = limited(clock)
    clock.call("step_clock", HOUR)
    clock.results(soon, "success", "what was due meanwhile runs at once")
    clock.are(later, ["waiting", "queued"], "what is not due yet waits on", 0)
    clock.are(flying, ["running"], "what executed goes on", 0)
    clock.call("let_go")
    clock.results(flying, "exit-code", "and ends as it was to end")
    judge_limited(clock, timed)
    clock.call("step_clock", HOUR)
    clock.results(later, "success", "the rest runs when its time has come")
    clock.settle()


def back(tap, folder):
    """An hour back: what ran does not run again, what waits goes on waiting, and a cancelled run is cancelled."""
    clock = Clock(tap, folder, "back")
    past = clock.ask("past", 4, "truth", 0, "0")
    clock.results(past, "success", "some runs are over before")
    now = clock.call("now")[0]
    flying = clock.ask("fly", 6, "truth", 1, "hold")
    later = clock.ask("later", 5, "truth", 0, "0", now + HOUR / 2)
    stubborn = clock.ask("stubborn", 2, "stubborn", 0, "stubborn")
    clock.are(flying + stubborn, ["running"], "runs execute when the clock is set")
    timed = limited(clock)
    got = clock.call("cancel_and_step", stubborn, -HOUR)
    tap.ok("done" not in got, "back: runs that were cancelled have not ended of it when the clock is set", got)
    clock.results(stubborn, "cancelled", "and are recorded as cancelled, though they ended before that by the clock")
    clock.are(later, ["waiting", "queued"], "what is not due yet waits on", 0)
    clock.are(flying, ["running"], "what executed goes on", 0)
    clock.call("let_go")
    clock.results(flying, "exit-code", "and ends as it was to end")
    judge_limited(clock, timed)
    fresh = clock.ask("fresh", 3, "truth", 0, "0")
    clock.results(fresh, "success", "what is asked for now runs now")
    clock.call("step_clock", 2 * HOUR)
    clock.results(later, "success", "the rest runs when its time has come")
    clock.settle()


# --- power loss -----------------------------------------------------------------------------------------------------


POWER_FAULT = "power-lost-emulated"


class Witness:
    """What was heard from a machine until its power failed."""

    def __init__(self, machine):
        self.machine, self.tried, self.answered, self.done = machine, {}, {}, {}

    def take(self, event):
        if "trying" in event:
            self.tried[event["trying"]] = event["end"]
        elif "answered" in event:
            self.answered[event["answered"]] = event["run"]
        elif "done" in event:
            self.done[event["done"]] = event["result"]

    def in_flight(self):
        truth = self.machine.truth()
        return len({l[1] for l in truth if l[0] == "begin"} - {l[1] for l in truth if l[0] == "end"})

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if (event := self.machine.event_within(left)) is not None:
                self.take(event)

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition(self):
            if time.monotonic() > end:
                raise Trouble(f"{self.machine.name}: {len(self.answered)} asked for, {len(self.done)} done, {self.in_flight()} in flight")
            self.listen(0.2)

    def rest(self):
        for event in self.machine.last_events():
            self.take(event)


class Loss:
    """One loss of power, and the machine that boots after it on the same disk."""

    def __init__(self, tap, folder, chance, number):
        self.tap, self.folder, self.chance, self.name = tap, folder, chance, f"power{number}"
        self.image = copy(folder, f"{self.name}.image")

    def cut(self):
        machine = go_on(over(self.folder, f"{self.name}-before", self.image, self.chance, *incoming(self.folder)))
        machine.call("define", GUEST)
        self.witness = Witness(machine)
        machine.call("start_load", f"{self.name}-", ["0", "long", "1", "long", "2"], CAP)
        self.witness.until(lambda w: w.in_flight() >= IN_FLIGHT and len(w.done) >= 10)
        self.witness.listen(self.chance.uniform(0, 3))
        self.witness.until(lambda w: w.in_flight() >= MORE)
        machine.kill()
        self.flying = self.witness.in_flight()
        self.witness.rest()
        self.truth = machine.truth()
        self.dropped, self.kept = machine.disk.lose()

    def boot(self):
        begin = time.monotonic()
        self.machine = over(self.folder, f"{self.name}-after", self.image, self.chance)
        self.machine.wait_event(PATIENCE)
        self.machine.call("define", GUEST)
        if not self.machine.call("daemon_runs"):
            raise Trouble(f"the daemon does not come back: {self.machine.console()}")
        self.recovery = time.monotonic() - begin
        self.undone, self.left = self.machine.call("all_done", PATIENCE)
        self.rows = {row[0]: row[1:] for row in self.machine.call("all_runs")}
        self.again = self.machine.truth()
        self.machine.kill()
        self.machine.disk.lose()
        self.image.unlink()

    def near(self, token):
        """What it did when the power failed, or just before; nothing where that is long ago, or it began after that."""
        said = [line for line in self.truth if len(line) == 5]
        begun, ended = ({line[1]: float(line[4]) for line in said if line[0] == kind} for kind in ("begin", "end"))
        if token in ended:
            return "had just ended" if ended[token] > max(float(line[4]) for line in said) - NEAR_LOSS else None
        if token in begun:
            return "executed"
        return "were about to" if self.rows[token][5] == "t" and token not in begins_of(self.again) else None

    def judge(self):
        """Counts for the table: what there is of missing, wrong, twice, unknown."""
        w = self.witness
        missing = [t for t, run in w.answered.items() if t not in self.rows or int(self.rows[t][0]) != run]
        undone = [t for t, row in self.rows.items() if row[1] != "done"]
        wrong, unknown, unsaid = [], [], []
        for token, (run, state, result, _, output, _) in self.rows.items():
            told = w.done.get(int(run))
            if told and told != result:
                unsaid.append((token, told, result))
            elif result == "lost" and self.near(token):
                unknown.append(token)
            elif state == "done" and (result, output) != (ENDS[w.tried[token]], token):
                wrong.append((token, result, output))
        begins = begins_of(self.truth, self.again)
        twice = [t for t, n in begins.items() if n > 1]
        self.counts = {"missing": len(missing) + len(undone), "wrong": len(wrong) + len(unsaid), "twice": len(twice), "unknown": len(unknown)}
        tap = self.tap
        tap.note(f"{self.name}: {len(w.answered)} runs, {self.flying} in flight, {len(w.done)} recorded; of what was not flushed "
                 f"{self.dropped} writes gone and {self.kept} kept; {len(unknown)} lost, "
                 f"{', '.join(f'{n} {what}' for what, n in collections.Counter(map(self.near, unknown)).items())}; "
                 f"daemon back after {self.recovery:.1f} s")
        tap.ok(self.flying >= IN_FLIGHT, f"{self.name}: the power fails with at least {IN_FLIGHT} runs in flight", self.flying)
        tap.same(missing, [], f"{self.name}: every run whose asking was answered is there")
        tap.same((undone, self.undone, self.left), ([], [], []), f"{self.name}: each has its final record, no unit is left")
        tap.same(unsaid, [], f"{self.name}: what was told to be recorded is so still")
        tap.same(wrong, [], f"{self.name}: each result and output is right")
        tap.same(twice, [], f"{self.name}: none ran twice")
        tap.ok(all(r[2] != "lost" or t in unknown for t, r in self.rows.items()),
               f"{self.name}: lost is only what was being started or executed, or had just ended", wrong)
        return self


def power(tap, folder, chance, rounds):
    """Rounds of power loss; the row for the table of faults."""
    losses = []
    for number in range(rounds):
        loss = Loss(tap, folder, chance, number)
        loss.cut()
        loss.boot()
        losses.append(loss.judge())
    total = collections.Counter()
    for loss in losses:
        total.update(loss.counts)
    return [POWER_FAULT, "1", rounds, rounds, sum(len(loss.witness.answered) for loss in losses),
            min(loss.flying for loss in losses), *(total[k] for k in ("missing", "wrong", "twice", "unknown")), "-", "-",
            f"{max(loss.recovery for loss in losses):.2f}"]
