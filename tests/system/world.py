"""What the system tests share: the real programs inside the booted machine, and TAP."""

import datetime
import json
import os
import random
import subprocess
import sys
import time

SEED = int(os.environ.get("TASKSCHEDD_SEED") or random.randrange(1 << 30))
LONG = os.environ.get("TASKSCHEDD_LONG") == "1"
chance = random.Random(SEED)


class Tap:
    """Counts and prints; ends with the plan."""

    def __init__(self):
        self.n = self.failed = 0
        print(f"# seed {SEED}", flush=True)

    def ok(self, good, what, detail=""):
        self.n += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.n} - {what}", flush=True)
        if not good and detail != "":
            for line in str(detail).splitlines()[:120]:
                print(f"#   {line}", flush=True)
        return good

    def same(self, got, want, what):
        return self.ok(got == want, what, f"got  {got!r}\nwant {want!r}")

    def note(self, text):
        print(f"# {text}", flush=True)

    def end(self):
        print(f"1..{self.n}", flush=True)
        sys.exit(1 if self.failed else 0)


def command(*argv, input=None, timeout=60, check=True):
    """Standard output of a program that must succeed."""
    p = subprocess.run(argv, input=input, capture_output=True, text=True, timeout=timeout)
    if check and p.returncode != 0:
        raise RuntimeError(f"{argv}: exit {p.returncode}: {p.stderr.strip()}")
    return p.stdout


def ctl(*argv, **more):
    return command("tschedctl", *argv, **more)


def ctl_json(*argv, **more):
    return json.loads(ctl("--json=short", *argv, **more))


def sql(text):
    """Rows of a query, each a list of strings."""
    out = command("psql", "-h", "/run/taskschedd/postgresql", "-U", "taskschedd", "-d", "taskschedd", "-X", "-A", "-t",
                  "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", f"set search_path = taskschedd; {text}")
    return [line.split("\t") for line in out.splitlines() if line and line != "SET"]


def units():
    """Our units that are loaded: name -> (active, sub)."""
    out = command("systemctl", "list-units", "--all", "--plain", "--no-legend", "tsched-run-*.service")
    return {w[0]: (w[2], w[3]) for w in (line.split() for line in out.splitlines()) if len(w) >= 4}


def wait_until(condition, seconds, step=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step)
    return bool(condition())


def apply(name, text):
    ctl("apply", "--name", name, "-", input=text)


def drop_in(unit, name, text):
    """A setting of the administrator's for a unit, in force at once."""
    path = f"/etc/systemd/system/{unit}.d"
    os.makedirs(path, exist_ok=True)
    with open(f"{path}/{name}.conf", "w", encoding="utf-8") as f:
        f.write(text)
    command("systemctl", "daemon-reload")


def script(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o755)


def ask(task, *words, **more):
    """Asks for a run; its id."""
    return int(ctl("run", task, *words, **more))


def show(run):
    return ctl_json("show", str(run))


def wait_state(runs, *states, seconds=60):
    """Until each of the runs stands in one of these states."""
    ids, wanted = ",".join(str(r) for r in runs), ",".join(f"'{s}'" for s in states)
    return wait_until(lambda: not sql(f"select 1 from run where id in ({ids}) and state not in ({wanted}) limit 1"), seconds)


def manager(name):
    """A property of the daemon; nothing while it does not answer."""
    p = subprocess.run(["busctl", "--json=short", "--timeout=5", "--auto-start=no", "get-property", "org.taskschedd1",
                        "/org/taskschedd1", "org.taskschedd1.Manager", name], capture_output=True, text=True, timeout=30)
    return json.loads(p.stdout)["data"] if p.returncode == 0 else None


def wait_running(seconds=60):
    return wait_until(lambda: manager("State") == "running", seconds)


def kill_daemon():
    """By SIGKILL, where its unit has Restart=no; it is gone when this returns."""
    command("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "taskschedd.service", check=False)
    wait_until(lambda: command("systemctl", "is-active", "taskschedd.service", check=False).strip() == "failed", 10, 0.01)


def start_daemon():
    command("systemctl", "start", "taskschedd.service", timeout=60)
    if not wait_running():
        raise RuntimeError(f"the daemon is {manager('State')}: {manager('Reason')}")


TRUTH = "/var/lib/truth"
NEVER = f"{TRUTH}.never"
TRUTH_TASK = "/usr/local/lib/timed-task"
# How a task is told to end, and what is to be recorded of that: result, code, status.
ENDS = {"0": ("success", "exited", 0), "1": ("exit-code", "exited", 1), "2": ("exit-code", "exited", 2),
        "3": ("exit-code", "exited", 3), "9": ("signal", "killed", 9), "15": ("signal", "killed", 15)}


def truth_task(name="timed", keys="", service="", apply=apply, program=TRUTH_TASK):
    """A task that writes down when it begins and when it ends, each with the time, and when its process was made, where the daemon
    never looks. It makes no process but its own, so that nothing of it can fail for want of one: what waits is the reading of a
    pipe that nobody writes to. While there is a file hold(WORD), none ends whose token is WORD and a number. program: what
    executes it."""
    held = hold("${1%%[0-9]*}")
    script(TRUTH_TASK, f"""#!/bin/bash
# A token, how to end, and how long to take; what follows a lost attempt is short.
say() {{ printf '%s %s %s %s %s\\n' "$1" "$2" "$TASKSCHEDD_RUN" "$TASKSCHEDD_ATTEMPT" "$EPOCHREALTIME${{3:+ $3}}" >>{TRUTH}; }}
# When the kernel made this process, however long it waited for a processor since: in hundredths of a second since the boot.
now=${{EPOCHREALTIME/[.,]/}}
read -r up _ </proc/uptime
read -r stat </proc/$$/stat
stat=(${{stat##*) }})
made=$((now - (10#${{up/./}} - ${{stat[19]}}) * 10000))
say begin "$1" "${{made:0:-6}}.${{made: -6}}"
wait() {{ read -rt "$1" -u 9 9<>{NEVER}; }}
seconds=$3
[ "$TASKSCHEDD_ATTEMPT" = 1 ] || seconds=1
[[ $seconds =~ ^0*[.]?0*$ ]] || wait "$seconds"
while [ -e "{held}" ]; do wait 0.1; done
# A file of the length 0 is no output: there was no room for it.
echo "token=$1" >"$TASKSCHEDD_OUTPUT" || say full "$1"
say end "$1"
case $2 in
9 | 15) kill -"$2" $$ ;;
*) exit "$2" ;;
esac
""")
    if not os.path.exists(NEVER):
        os.mkfifo(NEVER)
    open(TRUTH, "a", encoding="utf-8").close()
    for path in (TRUTH, NEVER):
        os.chmod(path, 0o666)
    apply(name, f"""[Task]
{keys}
[Input]
token=string required
end=integer default=0
seconds=number required
[Service]
ExecStart={program} ${{token}} ${{end}} ${{seconds}}
{service}
""")


def hold(word):
    return f"/run/hold-{word}"


def truth(kind):
    """What the tasks wrote: token -> times."""
    times = {}
    for line in open(TRUTH, encoding="utf-8"):
        word, token, _, _, at, *_ = line.split()
        if word == kind:
            times.setdefault(token, []).append(float(at))
    return times


def parse_time(text):
    """Of what --json says: seconds since the epoch."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
