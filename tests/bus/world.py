"""The real daemon with a private message bus and a private PostgreSQL, and without a service manager: what is asked
for is kept and queued, nothing is executed."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import sdbus

SRC = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD") or SRC / "build")
NAME, OBJECT, INTERFACE = "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager"
ROOT = os.getuid() == 0
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


def need_postgres():
    """Runs this program again beside a private PostgreSQL, unless that is where it runs."""
    if "PRIVATE_POSTGRES_DIR" not in os.environ:
        os.execv(SRC / "tests/store/private-postgres", ["private-postgres", sys.executable, *sys.argv])


def wait_for(what, condition, timeout=15):
    end = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout} s")
        time.sleep(0.02)
    return value


def end(process, number=signal.SIGTERM, timeout=20):
    if process and process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("a process did not end when it was told to") from None
    return process.returncode if process else None


def postgres(word, *more):
    as_owner = os.environ["PRIVATE_POSTGRES_AS"].split()
    directory = os.environ["PRIVATE_POSTGRES_DIR"]
    subprocess.run([*as_owner, os.environ["PRIVATE_POSTGRES_BIN"] + "/pg_ctl", "-D", directory + "/data", "-s", "-w",
                    "-t", "60", "-l", directory + "/log", word, *more], check=True, stdin=subprocess.DEVNULL,
                   cwd=directory)


def sql(text):
    done = subprocess.run(["psql", "-X", "-q", "-t", "-A", "-c", text], check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


def backends():
    """The processes that serve connections of daemons to the database."""
    return [int(pid) for pid in sql("select pid from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'").split()]


def backend():
    """That of the only one."""
    pid, = backends()
    return pid


class World:
    def __init__(self, node="here"):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="taskschedd-bus."))
        self.dir.chmod(0o755)
        for name in ("tasks", "run", "state"):
            (self.dir / name).mkdir()
        self.address = f"unix:path={self.dir}/bus"
        (self.dir / "bus.conf").write_text(BUS_CONFIG.format(path=self.dir / "bus"))
        pg = os.environ["PRIVATE_POSTGRES_DIR"]
        self.configure(f"ConnInfo=host={pg} user=taskschedd dbname=taskschedd\nNodeName={node}\n")
        self.bus_daemon = self.daemon = self.polkit = self.notify = self.log = None
        self.told = []

    def start_polkit(self, *rules):
        """Answers by the first rule (ACTION, TASK, ANSWER) that fits; see polkit.py."""
        self.polkit_says(*rules)
        (self.dir / "polkit.asked").unlink(missing_ok=True)
        self.polkit = subprocess.Popen([sys.executable, SRC / "tests/bus/polkit.py", self.address, self.dir / "polkit"],
                                       stdin=subprocess.DEVNULL)
        wait_for("polkit", self.polkit_asked)

    def polkit_says(self, *rules):
        new = self.dir / "polkit.new"
        new.write_text(json.dumps([(f"org.taskschedd1.{action}" if action != "*" else "*", task, answer)
                                   for action, task, answer in rules]))
        new.rename(self.dir / "polkit")

    def polkit_asked(self):
        """What polkit was asked so far."""
        log = self.dir / "polkit.asked"
        lines = log.read_text().split("\n")[:-1] if log.exists() else []
        return [json.loads(line) for line in lines]

    def stop_polkit(self):
        if self.polkit:
            self.polkit.kill()
            self.polkit.wait()
        self.polkit = None

    def configure(self, text):
        (self.dir / "conf").write_text("[Daemon]\n" + text)

    def start_bus(self):
        (self.dir / "bus").unlink(missing_ok=True)
        self.bus_daemon = subprocess.Popen(["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={self.dir}/bus.conf"],
                                           stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the bus", self.bus_answers)

    def bus_answers(self):
        # Its socket is there before anybody listens.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            return s.connect_ex(str(self.dir / "bus")) == 0

    def start_daemon(self, *before):
        """before: words of a command that becomes the daemon."""
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.dir / "notify"
        path.unlink(missing_ok=True)
        self.notify.bind(str(path))
        self.notify.setblocking(False)
        self.told = []
        env = {**os.environ, "RUNTIME_DIRECTORY": str(self.dir / "run"), "STATE_DIRECTORY": str(self.dir / "state"),
               "TASKSCHEDD_TASK_PATH": str(self.dir / "tasks"),
               "TASKSCHEDD_CALENDAR_PATH": str(self.dir / "calendars"), "NOTIFY_SOCKET": str(path),
               "DBUS_SYSTEM_BUS_ADDRESS": self.address, "DBUS_SESSION_BUS_ADDRESS": self.address}
        env["G_SLICE"] = "always-malloc"  # as the unit has it
        for name in ("JOURNAL_STREAM", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE"):
            env.pop(name, None)
        # Only root may ask a system instance for anything.
        words = [*before, BUILD / "src/taskschedd", f"--config={self.dir}/conf"] + ([] if ROOT else ["--user"])
        self.log = open(self.dir / "log", "ab")  # noqa: SIM115
        self.daemon = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def notified(self):
        """All lines of sd_notify so far."""
        while True:
            try:
                self.told += self.notify.recv(65536).decode().split("\n")
            except BlockingIOError:
                return self.told

    def connect(self):
        return sdbus.Bus(self.address, NAME, OBJECT, INTERFACE)

    def answers(self, timeout=15):
        """A connection, once the daemon has its name."""
        def attempt():
            assert self.daemon.poll() is None, f"the daemon ended: {self.logged()}"
            try:
                bus = self.connect()
                bus.get("State")
                return bus
            except (OSError, sdbus.Refused):
                return None
        return wait_for("the daemon on the bus", attempt, timeout)

    def running(self):
        bus = self.answers()
        wait_for(f"State=running ({self.logged()[-500:]})", lambda: bus.get("State") == "running", 30)
        return bus

    def logged(self):
        return (self.dir / "log").read_text(errors="replace") if (self.dir / "log").exists() else ""

    def stop_daemon(self):
        status = end(self.daemon)
        self.daemon = None
        return status

    def as_other(self, function, uid=65534):
        """What function(bus) returns, called by a process of another user; JSON both ways."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
                os.write(write, json.dumps(function(self.connect())).encode())
                status = 0
            except BaseException:  # noqa: BLE001
                traceback.print_exc(file=sys.stdout)
            finally:
                sys.stdout.flush()
                os._exit(status)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            data = pipe.read()
        assert os.waitpid(child, 0)[1] == 0, "the other user's process failed"
        return json.loads(data)

    def close(self):
        # What it counted, or what a sanitizer has to say of it, is written when it ends in order.
        with contextlib.suppress(AssertionError):
            end(self.daemon)
        for process in (self.daemon, self.polkit, self.bus_daemon):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def run(world, tests):
    """Each test is a function of the world; its first line of documentation is its name."""
    bad = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        name = test.__doc__.split("\n")[0]
        before = len(world.logged())
        try:
            skip = test(world)
            print(f"ok {number} - {name}" + (f" # SKIP {skip}" if skip else ""), flush=True)
        except Exception as error:  # noqa: BLE001
            bad += 1
            print(f"not ok {number} - {name}")
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
            print(f"# line {lines[0] if lines else 0}: {type(error).__name__}: {error}")
            for line in world.logged()[before:].splitlines()[-40:]:
                print(f"# | {line}")
            sys.stdout.flush()
    return 1 if bad else 0


def main(world, tests):
    try:
        sys.exit(run(world, tests))
    finally:
        world.close()


def refused(name, function, *args, **more):
    """The message of the error that the call must end with."""
    full = name if "." in name else f"org.taskschedd1.Error.{name}"
    if name in ("InvalidArgs", "AccessDenied", "Failed", "UnknownMethod"):
        full = f"org.freedesktop.DBus.Error.{name}"
    try:
        value = function(*args, **more)
    except sdbus.Refused as error:
        assert error.name == full, f"{error.name} instead of {full}: {error.message}"
        assert error.message, "an error without a word"
        return error.message
    raise AssertionError(f"{value!r} instead of {full}")
