"""What is done inside the emulated machine, function by function, as the test asks. Its clock is its own: it may be set."""

import os
import re
import subprocess
import threading
import time

import dbus
import dbus.bus
import dbus.lowlevel
from world import apply, command, ctl, ctl_json, manager, parse_time, script, sql, units, wait_until

TRUTH_LINE = "/dev/ttyS1"  # leads out of the machine: it survives the loss of its power
GO = "/run/go"
SLOW = "/run/slow"  # does not outlast the power
CHANGED = re.compile(rb'uint64 (\d+)\s+string "done"\s+string "([a-z-]+)"')
NAME, ROOT, MANAGER = "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager"
connection = []


def event(**what):
    """Told to the test at once; the agent puts its own in place of this."""


def daemon_runs(seconds=300):
    return wait_until(lambda: manager("State") == "running", seconds, 0.2)


TASKS = {"truth": "", "short": "Timeout=30s", "stubborn": ""}


def prepare():
    """A task that says when it begins and ends, where the daemon never looks; times are of the clock that nobody can set."""
    os.mkfifo(GO)
    script("/usr/local/lib/truth-task", f"""#!/bin/sh
# A token, how to end, and how long to take: some seconds, until it is let go (hold), until it is killed
# (stubborn), or until the power fails (long).
say() {{ read -r up rest </proc/uptime; echo "$1 $2 $TASKSCHEDD_RUN $TASKSCHEDD_ATTEMPT $up" >{TRUTH_LINE}; }}
[ "$3" != stubborn ] || trap '' TERM
say begin "$1"
case $3 in
hold) read -r line <{GO} ;;
stubborn) while :; do sleep 1; done ;;
long) [ ! -e {SLOW} ] || sleep 3600 ;;
*) sleep "$3" ;;
esac
echo "token=$1" >"$TASKSCHEDD_OUTPUT"
say end "$1"
[ "$2" != 9 ] || kill -9 $$
exit "$2"
""")
    for name, keys in TASKS.items():
        apply(name, f"""[Task]
{keys}
[Input]
token=string required
end=integer default=0
seconds=string required
[Service]
TimeoutStopSec=40s
ExecStart=/usr/local/lib/truth-task ${{token}} ${{end}} ${{seconds}}
""")


def let_go():
    """Those that hold go on, and who comes to hold later: a line for each. It stays open, or what is not read yet would be gone."""
    held = os.open(GO, os.O_RDWR)
    os.write(held, b"\n" * 1000)


def systemd_version():
    return int(command("systemctl", "--version").split()[1])


def ask(token, task="truth", end=0, seconds=0, at=None, bare=False):
    """The run's id, when its asking is answered."""
    if not connection:
        connection.append(dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM))
    options = {"token": dbus.String(token, variant_level=1)}
    if not bare:
        texts = {"token": token, "end": str(end), "seconds": str(seconds)}
        options["texts"] = dbus.Dictionary(texts, signature="ss", variant_level=1)
    if at is not None:
        options["at"] = dbus.UInt64(int(at * 1e6), variant_level=1)
    message = dbus.lowlevel.MethodCallMessage(NAME, ROOT, MANAGER, "RunTask")
    message.append(task, {}, options, signature="sa{sv}a{sv}")
    return int(connection[0].send_message_with_reply_and_block(message, 60).get_args_list()[0])


def ask_many(prefix, n, task="truth", end=0, seconds=0, at=None):
    """token -> run"""
    return {f"{prefix}{i}": ask(f"{prefix}{i}", task, end, seconds, at) for i in range(n)}


def states(runs):
    """run -> [state, result, attempts, token that it put out]"""
    ids = ",".join(str(r) for r in runs)
    rows = sql(f"select id, state, coalesce(result, ''), attempt, coalesce(output->>'token', '') from run where id in ({ids})")
    return {row[0]: row[1:] for row in rows}


def wait_states(runs, wanted, seconds):
    """Until each is in one of these states; what they are then."""
    wait_until(lambda: all(s[0] in wanted for s in states(runs).values()), seconds, 0.3)
    return states(runs)


def all_runs():
    """Of all there are: [token, run, state, result, attempts, output's token, whether it was claimed before this boot]"""
    return sql("select coalesce(input->>'token', ''), id, state, coalesce(result, ''), attempt, coalesce(output->>'token', ''), "
               "coalesce(claimed < pg_postmaster_start_time(), false) from run order by id")


def slots(task):
    """The nominal times for which runs were asked for, in µs, and how often each was."""
    return [[int(n), int(c)] for n, c in sql(
        f"select (extract(epoch from nominal) * 1000000)::bigint, count(*) from run where task = '{task}' and nominal is not null "
        "group by 1 order by 1")]


def now():
    return [time.clock_gettime(time.CLOCK_REALTIME), time.clock_gettime(time.CLOCK_BOOTTIME)]


def step_clock(seconds):
    """Of this machine, which is emulated: the agent runs nowhere else."""
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME) + seconds)
    return now()


def set_clock(moment):
    time.clock_settime(time.CLOCK_REALTIME, moment)


def sleep(seconds):
    """Suspended to memory until the machine's own clock wakes it; by the clock that people set, when it fell asleep and woke."""
    fell = now()[0]
    command("rtcwake", "-m", "mem", "-s", str(seconds), timeout=300)
    return [fell, now()[0]]


def set_zone(name):
    os.symlink(f"/usr/share/zoneinfo/{name}", "/etc/localtime.new")
    os.rename("/etc/localtime.new", "/etc/localtime")


# --- slots


def ledger(task):
    """Its entries in order of time; moments and how late it came, in seconds."""
    found = [{"first": parse_time(entry["First"]), "last": parse_time(entry["Nominal"]), "count": entry["Count"],
              "outcome": entry["Outcome"], "late": entry["LateUSec"] / 1e6} for entry in ctl_json("list-slots", task, "--limit", "0")]
    return sorted(found, key=lambda entry: entry["last"])


def fired(task):
    return [entry["last"] for entry in ledger(task) if entry["outcome"] == "fired"]


def wait_fired(task, moments, seconds):
    """Those that fired, when these are among them."""
    wait_until(lambda: set(moments) <= set(fired(task)), seconds, 0.3)
    return fired(task)


def wait_settled(tasks, moment, seconds):
    """Until the last slot before that moment, or at it, has its outcome; those after it may."""
    def settled(task):
        entries = ledger(task)
        return entries and entries[-1]["last"] >= moment
    return bool(wait_until(lambda: all(settled(task) for task in tasks), seconds, 0.3))


def wait_next(task, moment, seconds):
    return bool(wait_until(lambda: parse_time(ctl_json("show", f"{task}/s")["Next"]) == moment, seconds, 0.3))


def asked_twice():
    return [list(row) for row in sql("select task || ' ' || nominal, count(*) from run where nominal is not null group by 1 having count(*) > 1")]


def cancel_and_step(runs, seconds):
    """Cancelled, and the clock set before they have ended of it; their states then."""
    for run in runs:
        ctl("cancel", str(run))
    step_clock(seconds)
    return [s[0] for s in states(runs).values()]


def all_done(seconds):
    """What is not over by then, and what is left of units."""
    wait_until(lambda: not sql("select 1 from run where state <> 'done' limit 1") and not units(), seconds, 0.5)
    return [sql("select id, state, reason from run where state <> 'done' limit 20"), list(units())]


# --- a load of which the test hears, whatever becomes of the machine


over = set()


def watch():
    """Each end that is told on the bus, which is after it was recorded."""
    rule = "type='signal',interface='org.taskschedd1.Manager',member='RunChanged'"
    p = subprocess.Popen(["dbus-monitor", "--system", rule], stdout=subprocess.PIPE)
    text = b""
    while more := p.stdout.read1(65536):
        text += more
        while match := CHANGED.search(text):
            over.add(int(match[1]))
            event(done=int(match[1]), result=match[2].decode())
            text = text[match.end():]


def keep_asking(prefix, seconds, cap):
    """One after the other until the power fails; so many are not over at a time."""
    asked = set()
    while True:
        if len(asked - over) >= cap:
            time.sleep(0.05)
            continue
        n = len(asked)
        token, end = f"{prefix}{n}", (0, 1, 3, 9)[n % 4]
        event(trying=token, end=end)
        run = ask(token, end=end, seconds=seconds[n % len(seconds)])
        asked.add(run)
        event(answered=token, run=run)


def start_load(prefix, seconds, cap):
    open(SLOW, "w", encoding="ascii").close()
    threading.Thread(target=watch, daemon=True).start()
    threading.Thread(target=keep_asking, args=(prefix, seconds, cap), daemon=True).start()
