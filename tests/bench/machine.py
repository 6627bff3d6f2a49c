"""What the measurements share: a machine in a container, the meters read from outside of it, TAP, and the results' files."""

import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import time

SRC = pathlib.Path(os.environ.get("SRC") or pathlib.Path(__file__).resolve().parent.parent.parent)
sys.path.insert(0, str(SRC / "tests/system"))
from world import LONG, SEED, Tap  # noqa: E402, F401

CONTAINER = os.environ.get("CONTAINER") or str(SRC / "tests/system/container")
PROGRAMS = "/usr/lib/taskschedd-tests"
WRITES = 200
# Programs whose CPU time is told apart; whatever else ran is a child of PID 1, the runs' own processes among them.
PROGRAM_NAMES = ["systemd", "dbus-daemon", "dbus-broker", "systemd-journal", "systemd-logind", "taskschedd", "postgres",
                 "bench-ask", "bench-bare"]


class Machine:
    """One booted container with the daemon running. It is put away when the with statement is left, however that is."""

    def __init__(self):
        self.name = f"bench-{os.getpid()}"

    def __enter__(self):
        # What tests/run ends politely leaves the with statement.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            self.container("up", CONTAINER_OWNER=str(os.getpid()))
            self.container("ready")
            self.pid = int(self.container("pid"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([CONTAINER, "down", self.name], stdin=subprocess.DEVNULL, timeout=60)

    def container(self, *words, timeout=120, input=None, **env):
        p = subprocess.run([CONTAINER, words[0], self.name, *words[1:]], env={**os.environ, **env}, timeout=timeout,
                           capture_output=True, text=True, input=input or "")
        if p.returncode != 0:
            raise RuntimeError(f"{words}: exit status {p.returncode}: {p.stdout[-2000:]}{p.stderr[-2000:]}")
        return p.stdout

    def run(self, *words, **more):
        return self.container("run", *words, **more)

    def psql(self, *words):
        return self.run("psql", "-h", "/run/taskschedd/postgresql", "-U", "taskschedd", "-d", "taskschedd", "-X", "-A", "-t", "-F",
                        "\t", "-q", "-v", "ON_ERROR_STOP=1", *words)

    def sql(self, text):
        """Rows of a query, each a list of strings."""
        out = self.psql("-c", f"set search_path = taskschedd; {text}")
        return [line.split("\t") for line in out.splitlines() if line]

    def apply_true(self):
        self.run("tschedctl", "apply", "--name", "true", "-", input="[Service]\nExecStart=/bin/true\n")

    def daemon(self, on):
        """The bare loop has the machine for itself: a daemon that hears its units' signals would slow it down."""
        self.run("systemctl", "start" if on else "stop", "taskschedd.service")
        if on:
            self.container("ready")

    def main_pid(self):
        """The daemon's process id as it is outside."""
        inside = self.run("systemctl", "show", "--value", "-p", "MainPID", "taskschedd.service").strip()
        return next(p for p in self.processes() if status_field(p, "NSpid").split()[-1] == inside)

    def processes(self):
        """All of its processes, PID 1 first, by their ids outside."""
        children = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(stat.parts[2]))
        found = [self.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def cpu(self):
        """CPU seconds so far by program, "runs" being all that PID 1 has reaped."""
        total = dict.fromkeys([*PROGRAM_NAMES, "others", "runs"], 0.0)
        for pid in self.processes():
            try:
                words = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            name = words[words.index("(") + 1:words.rindex(")")]
            ticks = [int(word) for word in words[words.rindex(")") + 2:].split()[11:15]]
            total[name if name in total else "others"] += (ticks[0] + ticks[1]) / os.sysconf("SC_CLK_TCK")
            if pid == self.pid:
                total["runs"] += (ticks[2] + ticks[3]) / os.sysconf("SC_CLK_TCK")
        return total


def status_field(pid, name):
    """"" where the process is gone or does not tell."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    match = re.search(rf"^{name}:\s*(.*)$", text, re.MULTILINE)
    return match[1] if match else ""


def cpu_between(before, after, runs):
    """Milliseconds for each run, by program, those that took any."""
    return {name: round((after[name] - before[name]) * 1000 / runs, 2) for name in after
            if after[name] - before[name] > 0.005 * runs / 1000}


def read_times(out):
    """What bench-bare and bench-ask print: elapsed seconds, and for each run the two numbers."""
    lines = [line.split() for line in out.splitlines()]
    elapsed = next(int(words[1]) for words in lines if words[0] == "elapsed")
    return elapsed / 1e6, [(int(words[1]), int(words[2])) for words in lines if words[0] == "run"]


def bare(machine, runs, in_flight, gap=0):
    return read_times(machine.run(f"{PROGRAMS}/bench-bare", str(runs), str(in_flight), str(gap), timeout=600))


def ask(machine, runs, in_flight, gap=0, unanswered=None):
    """unanswered: only ask, for tomorrow, with so many calls under way."""
    more = [] if unanswered is None else [str(unanswered)]
    return read_times(machine.run(f"{PROGRAMS}/bench-ask", str(runs), str(in_flight), str(gap), "true", *more, timeout=600))


def check_durable(tap, machine):
    names = "fsync synchronous_commit full_page_writes".split()
    got = machine.sql("select " + ", ".join(f"current_setting('{name}')" for name in names))
    tap.ok(got == [["on"] * 3], "fsync, synchronous_commit and full_page_writes are on", got)
    for name in names:
        rows = machine.sql(f"select setting, source from pg_settings where name = '{name}' and setting <> 'on'")
        tap.ok(not rows, f"{name} is on in the settings too", rows)
    kind = machine.run("stat", "-f", "-c", "%T", "/var/lib/taskschedd/postgresql").strip()
    tap.ok(kind not in ("tmpfs", "ramfs", "overlayfs"), f"the database lies on a disk ({kind})", kind)


def check_recorded(tap, machine, first, runs):
    """first: the id from which on the runs are this measurement's."""
    rows = machine.sql(f"select count(*), count(*) filter (where r.state = 'done' and r.result = 'success' and r.exit_code = 1"
                       f" and r.exit_status = 0 and r.attempt = 1 and r.started is not null and a.result = 'success')"
                       f" from run r left join attempt a on a.run = r.id where r.id >= {first}")
    tap.ok(rows == [[str(runs)] * 2], f"all {runs} runs are recorded, each with one attempt and success", rows)
    left = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "tsched-run-*", "bench-bare-*")
    tap.ok(not left, "no unit is left", left)


def next_id(machine):
    return int(machine.sql("select coalesce(max(id), 0) + 1 from run")[0][0])


def fsync_usec(machine):
    """Median of writes of a page, each made durable, where the database lies."""
    code = (f"import os, statistics, time\n"
            f"f = os.open('/var/lib/taskschedd/postgresql/bench-fsync', os.O_RDWR | os.O_CREAT, 0o600)\n"
            f"os.pwrite(f, bytes(8192 * {WRITES}), 0); os.fsync(f); took = []\n"
            f"for i in range({WRITES}):\n"
            f"    begin = time.monotonic(); os.pwrite(f, b'x' * 8192, 8192 * i); os.fdatasync(f)\n"
            f"    took.append(time.monotonic() - begin)\n"
            f"os.unlink('/var/lib/taskschedd/postgresql/bench-fsync'); print(round(statistics.median(took) * 1e6))")
    return int(machine.run("/usr/bin/python3", "-c", code))


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) * percent // 100, len(values) - 1)]


def spread(values, form="{:.3f}"):
    """Median and range, as text."""
    return f"{form} ({form} to {form})".format(statistics.median(values), min(values), max(values))


def aim(tap, what, value, limit, at_least=False, unit=""):
    """An aim that is missed is said, and fails nothing."""
    missed = limit - value if at_least else value - limit
    wanted = f"{'at least' if at_least else 'at most'} {limit}{unit}"
    tap.note(f"aim {'missed by ' + format(missed, '.3g') + unit if missed > 0 else 'met'}: {what} is {value:.4g}{unit}, {wanted}")


class Results:
    """The long form's rows, as tests/results/NAME.tsv: what they were taken on, a heading, the rows."""

    def __init__(self, name, columns):
        self.path = SRC / "tests/results" / f"{name}.tsv"
        self.columns = [*columns, "load average"]
        self.rows, self.on = [], {}

    def taken_on(self, machine, fsync):
        """To be asked while the machine answers; what is done with it may keep it from that."""
        self.on = self.on or conditions(machine, fsync)

    def add(self, *values):
        self.rows.append([str(value) for value in (*values, f"{os.getloadavg()[0]:.1f}")])

    def write(self, machine, fsync):
        if not LONG:
            return
        self.taken_on(machine, fsync)
        lines = [f"# {key}\t{value}" for key, value in self.on.items()]
        lines += ["\t".join(row) for row in [self.columns, *self.rows]]
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text("\n".join(lines) + "\n")


def conditions(machine, fsync):
    git = subprocess.run(["git", "-C", SRC, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    kind = machine.run("stat", "-f", "-c", "%T", "/sys/fs/cgroup").strip()
    unified = machine.run("sh", "-c", "[ -d /sys/fs/cgroup/unified ] && echo hybrid || echo legacy").strip()
    version = machine.run("systemctl", "--version").splitlines()[0]
    return {"commit": git, "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "CPU": f"{os.cpu_count()} x {model[1] if model else platform.machine()}", "kernel": platform.release(),
            "systemd": version, "PostgreSQL": machine.sql("select current_setting('server_version')")[0][0],
            "cgroup": "unified" if kind == "cgroup2fs" else unified, "fsync µs": fsync, "seed": SEED}


def compact(values):
    return json.dumps(values, separators=(",", ":"))
