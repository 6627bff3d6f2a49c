"""The daemon is killed again and again while runs are asked for and executed. The truth is a file that the tasks append to and
the daemon never opens. Every run has exactly one final record, right in result and output, and none ran twice."""

import collections
import concurrent.futures
import pwd
import subprocess
import time

from load import CODES, Truth
from world import ENDS, chance, command, truth_task, wait_until

MOMENTS = ["asked", "claimed", "starting", "running", "ended", "recorded"]
# How long the runs take; the others where all is slow, and a run seldom seen to run.
SECONDS, MORE_SECONDS = ["0", "0", "0.01", "0.05", "0.2", "0.5"], ["0.5", "1", "2"]


class Scope:
    """The system's daemon, or that of a user."""

    def __init__(self, user=None):
        self.flag, self.prefix, self.run = [], [], "/run"
        if user:
            self.run = f"/run/user/{pwd.getpwnam(user).pw_uid}"
            self.flag = ["--user"]
            self.prefix = ["runuser", "-u", user, "--", "env", f"XDG_RUNTIME_DIR={self.run}"]

    def ctl(self, *argv, **more):
        return command(*self.prefix, "tschedctl", *self.flag, *argv, **more)

    def systemctl(self, *argv, **more):
        return command(*self.prefix, "systemctl", *self.flag, *argv, **more)

    def sql(self, text):
        out = command(*self.prefix, "psql", "-h", f"{self.run}/taskschedd/postgresql", "-U", "taskschedd", "-d", "taskschedd",
                      "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", f"set search_path = taskschedd; {text}")
        return [line.split("\t") for line in out.splitlines() if line and line != "SET"]

    def units(self):
        out = self.systemctl("list-units", "--all", "--plain", "--no-legend", "tsched-run-*.service")
        return {w[0]: (w[2], w[3]) for w in (line.split() for line in out.splitlines()) if len(w) >= 4}

    def die(self):
        """At once; it stays dead until it is started."""
        self.systemctl("kill", "--signal=SIGKILL", "--kill-whom=main", "taskschedd.service", check=False)
        wait_until(lambda: self.systemctl("is-active", "taskschedd.service", check=False).strip() == "failed", 10, 0.005)

    def start(self):
        self.systemctl("start", "taskschedd.service")

    def no_restart(self):
        """It is started by the test alone, so that what stood there at the moment of the kill can be counted."""
        folder = f"{self.run}/systemd/{'user' if self.flag else 'system'}/taskschedd.service.d"
        command(*self.prefix, "mkdir", "-p", folder)
        command(*self.prefix, "tee", f"{folder}/kills.conf", input="[Service]\nRestart=no\n")
        self.systemctl("daemon-reload")


def prepare(scope):
    truth_task("truth", apply=lambda name, text: scope.ctl("apply", "--name", name, "-", input=text))
    scope.no_restart()


def ask(scope, i, seconds):
    """Asks until it is answered: the same token every time."""
    end = chance.choice(list(ENDS))
    seconds = chance.choice(seconds)
    later = chance.choice([[], [], ["--at", f"@{time.time() + chance.uniform(0.05, 0.6):.3f}"]])
    for _ in range(1000):
        p = subprocess.run([*scope.prefix, "tschedctl", *scope.flag, "run", "truth", f"token=t{i}", f"end={end}",
                            f"seconds={seconds}", "--token", f"t{i}", *later], capture_output=True, text=True, timeout=120)
        if p.returncode == 0:
            return f"t{i}", end, int(p.stdout)
        time.sleep(0.05)
    raise RuntimeError(f"run t{i} was never answered: {p.stderr}")


def moments_now(scope):
    """How many runs stand at each moment, while nobody moves them."""
    there = scope.units()
    n = collections.Counter()
    for run, attempt, state in scope.sql(
            "select id, attempt, state from run where state <> 'done' or finished > now() - interval '1 min'"):
        unit = there.get(f"tsched-run-{run}-{attempt}.service")
        if state in ("waiting", "queued"):
            n["asked"] += 1
        elif state == "done":
            n["recorded"] += unit is not None
        elif unit and unit[1] in ("exited", "failed"):
            n["ended"] += 1
        elif unit is None:
            n["claimed"] += state == "starting"
        else:
            n["starting" if state == "starting" else "running"] += 1
    return n


def kill_all_along(scope, kills, runs, at_least):
    """What was asked for, as (token, end, run), and how often each moment was hit in how many kills."""
    hits, n, asking = collections.Counter(), 0, []
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        while n < kills or (any(hits[m] < at_least for m in MOMENTS) and n < 2 * kills):
            # Each life of the daemon gets its share of what is asked for, and dies at some moment after that.
            share = max(runs * (n + 1) // kills - len(asking), 0) if n < kills else runs // kills
            asking += [pool.submit(ask, scope, len(asking) + i, SECONDS if n < kills else MORE_SECONDS) for i in range(share)]
            # Where all is slow the daemon has to live longer too.
            time.sleep(chance.uniform(0.3, 2) if n >= kills else chance.uniform(0.02, 0.6) if n % 2 else chance.uniform(0, 0.12))
            scope.die()
            for moment, there in moments_now(scope).items():
                hits[moment] += there > 0
            n += 1
            scope.start()
        return [f.result() for f in asking], hits, n


def check(tap, scope, asked):
    settled = wait_until(lambda: not scope.sql("select 1 from run where state <> 'done' limit 1"), 120, 0.2)
    tap.ok(settled, "every run is done", scope.sql("select id, state, reason from run where state <> 'done' limit 10"))
    tap.ok(wait_until(lambda: not scope.units(), 30), "no unit is left", scope.units())
    truth = Truth().look()
    tap.same([t for t, _, _ in asked if len(truth.begins[t]) > 1 or len(truth.ends[t]) > 1], [], "none ran twice")
    tap.same([t for t, _, _ in asked if not truth.begins[t] or not truth.ends[t]], [], "each ran once, to its end")
    tap.same(len({run for _, _, run in asked}), len(asked), "each token has a run of its own")
    tap.same(int(scope.sql("select count(*) from run")[0][0]), len(asked), "there are as many runs as were asked for")
    rows = {r[0]: r[1:] for r in scope.sql(
        "select id, result, exit_code, exit_status, coalesce(output->>'token', ''), reason from run")}
    expected = {end: [result, CODES[code], str(status)] for end, (result, code, status) in ENDS.items()}
    wrong = [f"run {run}: {rows.get(str(run))}, expected {[*expected[end], token]}" for token, end, run in asked
             if (rows.get(str(run)) or [])[:4] != [*expected[end], token]]
    tap.ok(not wrong, "each result, exit status and output is right", "\n".join(wrong))
    tap.same(scope.sql("select run, count(*) from attempt group by 1 having count(*) <> 1"), [], "each run had one attempt")
    left = command("find", f"{scope.run}/taskschedd/input", f"{scope.run}/tsched-output", "-mindepth", "1", check=False)
    tap.same(left, "", "no file of an input or output is left")


def play(tap, scope, kills, runs, at_least):
    prepare(scope)
    started = time.monotonic()
    asked, hits, n = kill_all_along(scope, kills, runs, at_least)
    tap.note(f"{len(asked)} runs, {n} kills in {time.monotonic() - started:.1f} s; at the moment of a kill there were runs " +
             ", ".join(f"{m} {hits[m]} times" for m in MOMENTS))
    for m in MOMENTS if at_least else []:
        tap.ok(hits[m] >= at_least, f"the daemon was killed at least {at_least} times with runs {m}", f"{hits[m]} times")
    check(tap, scope, asked)
