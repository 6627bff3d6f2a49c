"""Real faults under a steady load: a fault is an entry of a table, and what is done with each is the same. It comes when at least
20 runs execute, as often as its round has it, it ends, all that was asked for is waited for, and each run is compared with the
truth."""

import collections
import contextlib
import dataclasses
import json
import os
import signal
import sys
import time
import typing

from load import CAP, DURATIONS, ENOUGH, IN_FLIGHT, Load, Prober, have_idle, judge
from steps import SRC, Machine
from world import LONG, Tap, chance, command, drop_in, manager, sql, truth_task, units, wait_running, wait_until

AWAY = 20 if LONG else 5  # seconds for which something is away
RUNS = 3000 if LONG else 60
PATIENCE = 300  # for what has no bound of its own; it fails the test
COLUMNS = ["fault", "promise", "rounds", "injections", "runs", "in flight", "missing", "wrong", "twice", "unknown", "silence s", "overdue s",
           "recovery s"]
LEFT = ["/run/taskschedd/input", "/run/tsched-output"]


@dataclasses.dataclass
class Fault:
    """inject and undo get what plays it; each of the injections of a round is a strike of that. may_be_lost says of a row and
    the truth whether that run's end can be unknown."""
    name: str
    promise: str  # which of those in the README it attacks
    inject: typing.Callable
    undo: typing.Callable = lambda play: None
    rounds: tuple = (2, 10)  # short and long
    pause: tuple = (0.1, 0.6)  # seconds from one round's end to the next
    prepare: typing.Callable = lambda play: None  # before there is any load, and after all of it
    tidy: typing.Callable = lambda play: None
    task: str = "timed"
    cap: int = CAP
    durations: tuple = DURATIONS
    enough: int = ENOUGH  # so many are to execute
    hits: tuple = ()  # names of what has to have been hit
    settle: bool = True  # each round is recovered from before the next
    answers: bool = False  # the daemon has to answer within 100 ms throughout
    may_be_lost: typing.Callable = lambda row, truth: False


def once(act):
    """What is injected once a round; act says False where it hit nobody."""
    return lambda play: play.strike(act)


def wait_flying(load, enough=IN_FLIGHT):
    """How many they are when they are enough: a moment later some of them are over."""
    seen = []

    def there():
        seen.append(len(load.flying()))
        return seen[-1] >= enough
    if not wait_until(there, PATIENCE, 0.02):
        raise RuntimeError(f"{load.name}: {seen[-1]} runs in flight, {dict(load.trouble)}")
    return seen[-1]


@dataclasses.dataclass
class Score:
    """What came of one fault."""
    rounds: int = 0
    injections: int = 0  # those that hit
    vain: int = 0  # rounds in which none did
    flying: list = dataclasses.field(default_factory=list)  # runs that executed at each
    recovery: list = dataclasses.field(default_factory=list)  # seconds
    hits: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # what else is told of it


class Play:
    """One fault, as often as it has rounds."""

    def __init__(self, tap, fault):
        self.tap, self.fault, self.n, self.score = tap, fault, 0, Score()
        self.rounds, self.hits = fault.rounds[LONG], self.score.hits

    def strike(self, act, wait=True):
        """One injection, when enough runs execute; where nobody is to wait for that it is none. Whether it hit."""
        flying = wait_flying(self.load) if wait else len(self.load.flying())
        if flying < IN_FLIGHT or act() is False:
            return False
        self.score.flying.append(flying)
        self.score.injections += 1
        return True

    def round(self):
        share = RUNS * self.n // self.rounds
        wait_until(lambda: len(self.load.asked) >= share, PATIENCE, 0.02)
        time.sleep(chance.uniform(*self.fault.pause))
        before = self.score.injections
        self.fault.inject(self)
        self.fault.undo(self)
        self.n += 1
        self.score.rounds, self.score.vain = self.n, self.score.vain + (self.score.injections == before)
        if self.fault.settle or self.n == self.rounds:
            self.score.recovery.append(recovered(self.load, time.time()))

    def all_rounds(self):
        self.fault.prepare(self)
        if self.fault.answers:
            have_idle()
        self.load = Load(self.fault.name, self.fault.task, self.fault.cap, self.fault.durations, self.fault.enough)
        prober = Prober(self.load.start(), compare=self.fault.answers)
        try:
            while self.n < self.rounds:
                self.round()
            wait_until(lambda: len(self.load.asked) >= RUNS, PATIENCE, 0.1)
        finally:
            self.load.stop()
            drained = drain(self.tap, self.fault.name)
            prober.stop()
        self.fault.tidy(self)
        return conclude(self.tap, self.fault, self.load, prober, self.score, drained)


def main_pid(unit):
    return int(command("systemctl", "show", "-P", "MainPID", unit))


def ended(unit, act):
    """Does what ends a unit's main process; whether that was there, and is no more."""
    pid = main_pid(unit)
    act()
    return pid > 0 and wait_until(lambda: main_pid(unit) != pid, 10, 0.02)


def kill_main(play, unit):
    """A unit's main process, as soon as it has one, by SIGKILL."""
    def kill(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return wait_until(lambda: main_pid(unit) != pid, 10, 0.02)
        return False
    wait_until(lambda: (pid := main_pid(unit)) and play.strike(lambda: kill(pid)), PATIENCE)


def recovered(load, end):
    """Seconds from the fault's end to the record of the last run that had ended by then."""
    tokens = load.ended_by(end) + [t for t in load.over if t in load.truth.runs]
    ids = ", ".join(load.truth.runs[t] for t in tokens) or "0"

    def done():
        try:
            return not sql(f"select 1 from run where id in ({ids}) and state <> 'done' limit 1")
        except RuntimeError:
            return False
    wait_until(done, PATIENCE, 0.05)
    return time.time() - end


def drain(tap, name):
    def done():
        try:
            return not sql("select 1 from run where state <> 'done' limit 1")
        except RuntimeError:
            return False
    good = wait_until(done, PATIENCE, 0.2)
    return tap.ok(good, f"{name}: every run is done", "" if good else sql("select id, state, reason from run where state <> 'done' limit 10"))


def leftovers(tap, name):
    tap.ok(wait_until(lambda: not units(), 60), f"{name}: no unit is left", units())
    left = command("find", *LEFT, "-mindepth", "1", check=False)
    tap.same(left, "", f"{name}: no file of an input or output is left")
    rows = sql("select run, attempt from attempt where finished is null union all (select run, count(*) from attempt "
               "where result <> '' group by run having count(*) > 1) limit 10")
    tap.same(rows, [], f"{name}: no attempt is left open, and none is recorded beside another")
    # A slice that had units goes with the last of them.
    n, known = sql(f"select count(*), count(k.run) from run r left join ask k on k.run = r.id where r.input->>'token' like '{name}-%'")[0]
    tap.same(n, known, f"{name}: there is no run that nobody asked for")


def judge_answers(tap, name, prober):
    """Who has nothing to do is given the processor at once; the daemon may have to wait for it, but seldom, and never for as long
    as what hangs takes."""
    slower, took = prober.slower(), sorted(end - begin for begin, end in prober.took)
    late = [f"{s:.3f}" for s in slower if s > 0.1]
    tap.ok(prober.idle and len(late) <= 1 + len(slower) // 100 and max(slower) < 0.5,
           f"{name}: the daemon answers within 100 ms, or as soon as who has nothing to do",
           f"{late}, and {len(prober.idle)} of who has nothing to do")
    tap.note(f"{name}: {len(took)} signs of life: " + ", ".join(f"p{p} {1000 * took[(len(took) - 1) * p // 100]:.1f}" for p in (50, 90, 99, 100)) +
             f" ms, {len(late)} of them 100 ms later than those of who has nothing to do, {1000 * max(slower):.1f} ms at most")


def conclude(tap, fault, load, prober, score, drained):
    """The lines of TAP for one fault, and its row."""
    name, asked, flying = fault.name, load.snapshot(), score.flying
    found = judge(load, fault.may_be_lost)
    tap.ok(flying and min(flying) >= IN_FLIGHT, f"{name}: at least {IN_FLIGHT} runs were in flight each time", flying)
    tap.ok(not score.vain, f"{name}: it hit in each round", f"not in {score.vain} of {score.rounds}")
    tap.ok(all(a.answered for a in asked), f"{name}: whoever asked was answered", [a for a in asked if not a.answered])
    for what in fault.hits:
        tap.ok(score.hits[what] > 0, f"{name}: {what}", dict(score.hits))
    for what, text in (("missing", "each run that was asked for has its one final record"), ("twice", "none ran twice"),
                       ("wrong", "result, status, output and times are right")):
        tap.ok(not found[what], f"{name}: {text}", "\n".join(str(f) for f in found[what][:10]))
    if fault.answers:
        judge_answers(tap, name, prober)
    if drained:
        leftovers(tap, name)
    values = [name, fault.promise, score.rounds, score.injections, len(asked), min(flying, default=0),
              *(len(found[k]) for k in ("missing", "wrong", "twice", "unknown")),
              f"{prober.silence:.2f}", f"{prober.overdue:.2f}", f"{max(score.recovery):.2f}"]
    tap.note("row " + json.dumps(dict(zip(COLUMNS, values))))
    more = {**load.trouble, **score.hits}
    tap.note(f"{name}: {len(asked)} runs, {score.rounds} rounds, {score.injections} injections with {min(flying, default=0)} to "
             f"{max(flying, default=0)} in flight" + (f"; {', '.join(f'{k} {n}' for k, n in sorted(more.items()))}" if more else ""))
    if found["unknown"]:
        over = sum(one.token in load.truth.ends for one, _ in found["unknown"])
        tap.note(f"{name}: of those that are lost {len(found['unknown']) - over} executed at that moment, or were about to, and {over} had "
                 f"ended before")


# --- inside ------------------------------------------------------------------------------------------------------------


def get_ready():
    if not wait_running(60):
        raise RuntimeError(f"the daemon is {manager('State')}: {manager('Reason')}")
    # The bus is killed more often than it would be; a user's question is not to be refused for that.
    for unit in ("dbus.service", "dbus.socket", "systemd-journald.service", "systemd-journald.socket"):
        drop_in(unit, "faults", "[Unit]\nStartLimitIntervalSec=0\n")
    truth_task()


def inside(faults, names):
    tap = Tap()
    get_ready()
    for fault in faults:
        if not names or fault.name in names:
            begin = time.monotonic()
            Play(tap, fault).all_rounds()
            tap.note(f"{fault.name}: {time.monotonic() - begin:.1f} s")
    tap.end()


# --- outside -----------------------------------------------------------------------------------------------------------


def keep_results(machine, test):
    """Each row as soon as it is there: what is done stays when the rest is stopped."""
    from machine import Results, fsync_usec
    results, fsync = Results(os.path.basename(test).partition(".")[0], COLUMNS), fsync_usec(machine)
    results.taken_on(machine, fsync)

    def keep(row):
        results.add(*row.values())
        results.write(machine, fsync)
    machine.on_row = keep


def outside(test, steps):
    """steps: what is done with the machine; each takes TAP, machine, and the names of the faults that are wanted."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    tap, machine = Tap(), Machine(test)
    try:
        machine.must("up")
        machine.must("ready")
        sys.path.append(os.path.join(SRC, "tests/bench"))
        from machine import check_durable
        check_durable(tap, machine)
        if LONG:
            keep_results(machine, test)
        steps(tap, machine)
    finally:
        machine.call("down")
    tap.end()
