"""One emulated machine: booted, asked, put away as a snapshot, taken from there again, cut from power.

Software does all of it (TCG), so it is the same where the host has no virtualisation; and the clock in there can be set, which
must never be done to the host's."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from emulated.disk import Disk
from emulated.image import Trouble, first_files, kernel, make_disk

STEM = "taskschedd-emulated."
PR_SET_PDEATHSIG = 1
PROGRAM = "qemu-system-x86_64"


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def sweep(place):
    """What a test that was killed outright has left."""
    for folder in place.glob(f"{STEM}*"):
        pid = folder.name.split(".")[1]
        if not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(folder, ignore_errors=True)


class Folder:
    """Where all of a test's machines have their files; it goes with the block."""

    def __init__(self, root, build):
        self.root, self.build = pathlib.Path(root or "/"), pathlib.Path(build)

    def __enter__(self):
        place = pathlib.Path("/var/tmp")
        sweep(place)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"{STEM}{os.getpid()}.", dir=place))
        self.machines = []
        return self

    def prepare(self):
        if not shutil.which(PROGRAM):
            raise Trouble(f"there is no {PROGRAM}: Debian's package qemu-system-x86 has it")
        first_files(kernel(), self.path)
        make_disk(self.root, self.build, self.path)

    def __exit__(self, *what):
        for machine in self.machines:
            machine.kill()
        shutil.rmtree(self.path)


class Emulated:
    """A machine that runs."""

    def __init__(self, folder, name, words, disk=None):
        self.folder, self.name, self.disk = folder, name, disk
        self.path = folder.path / f"machine-{name}"
        self.path.mkdir()
        self.events, self.buffer = [], b""
        self.listener = self.listen("agent")
        self.control_listener = self.listen("control")
        argv = [PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-accel", "tcg,thread=multi",
                "-cpu", "max", "-smp", "2", "-m", "768", "-no-reboot", "-kernel", folder.path / "vmlinuz", "-initrd", folder.path / "initrd",
                "-append", "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable nowatchdog rcupdate.rcu_cpu_stall_suppress=1 mitigations=off nokaslr audit=0 apparmor=0 selinux=0 cryptomgr.notests systemd.unit=taskschedd-test.target systemd.show_status=no",
                "-chardev", f"file,id=console,path={self.path}/console", "-serial", "chardev:console",
                "-chardev", f"file,id=truth,path={self.path}/truth", "-serial", "chardev:truth",
                "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={self.path}/agent",
                "-device", "virtserialport,chardev=agent,nr=1,name=agent",
                "-qmp", f"unix:{self.path}/control",
                "-device", "virtio-blk-pci,drive=disk,discard=off,write-zeroes=off", *words]
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=open(self.path / "log", "w"),
                                        stderr=subprocess.STDOUT, cwd=self.path, preexec_fn=die_with_parent,
                                        env={**os.environ, "TMPDIR": str(self.path)})
        folder.machines.append(self)
        try:
            self.control = self.accept(self.control_listener, 60).makefile("rw", encoding="utf-8")
            self.control.readline()
            self.command("qmp_capabilities")
            self.port = self.accept(self.listener, 60)
        except OSError as e:
            raise Trouble(f"{PROGRAM} does not start: {e}: {(self.path / 'log').read_text()}") from None

    def listen(self, name):
        s = socket.socket(socket.AF_UNIX)
        s.bind(str(self.path / name))
        s.listen(1)
        return s

    @staticmethod
    def accept(listener, seconds):
        listener.settimeout(seconds)
        with listener:
            peer, _ = listener.accept()
        peer.settimeout(None)
        return peer

    # --- its monitor

    def command(self, name, **arguments):
        self.control.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.control.flush()
        while True:
            answer = json.loads(self.control.readline() or '{"error": "the emulator is gone"}')
            if "error" in answer:
                raise Trouble(f"{name}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    # --- its agent

    def receive(self, seconds):
        """One line of the agent's."""
        end = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            self.port.settimeout(max(end - time.monotonic(), 0.01))
            more = self.port.recv(1 << 16)
            if not more:
                raise Trouble(f"{self.name}: the machine is gone: {self.console()}")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def event_within(self, seconds):
        """The next event, or nothing."""
        if self.events:
            return self.events.pop(0)
        try:
            return self.receive(seconds)["event"]
        except TimeoutError:
            return None

    def wait_event(self, seconds):
        event = self.event_within(seconds)
        if event is None:
            raise Trouble(f"{self.name}: no word for {seconds} s: {self.console()}")
        return event

    def last_events(self):
        """What was said before the power failed and not heard yet."""
        while True:
            try:
                event = self.event_within(10)
            except Trouble:
                return  # that was all
            if event is None:
                return
            yield event

    def call(self, name, *arguments, seconds=900):
        self.port.sendall(json.dumps([name, arguments]).encode() + b"\n")
        try:
            while True:
                message = self.receive(seconds)
                if "event" in message:
                    self.events.append(message["event"])
                elif "error" in message:
                    raise Trouble(f"{self.name}: {name}{arguments}: {message['error']}")
                else:
                    return message["value"]
        except TimeoutError:
            raise Trouble(f"{self.name}: {name}{arguments}: no answer in {seconds} s: {self.console()}") from None

    def console(self):
        path = self.path / "console"
        return "\n" + path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def truth(self):
        """What the tasks wrote to a line that leads out of the machine, as lists of words."""
        text = (self.path / "truth").read_text(errors="replace")
        return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]

    # --- its end

    def kill(self):
        """Power loss."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def put_away(self):
        """Its memory in a file; its disk is as it was at that moment. It ends."""
        self.command("stop")
        self.command("migrate", uri=f"exec:cat >{self.folder.path}/memory")
        end = time.monotonic() + 120
        while (status := self.command("query-migrate").get("status")) != "completed":
            if status == "failed" or time.monotonic() > end:
                raise Trouble(f"the machine could not be put away: {status}")
            time.sleep(0.05)
        self.command("quit")
        self.process.wait(60)


def copy(folder, name):
    subprocess.run(["cp", "--sparse=always", folder.path / "disk", folder.path / name], check=True)
    return folder.path / name


def plain(path, *more):
    return ["-drive", f"if=none,id=disk,format=raw,file={path},cache=unsafe", *more]


def boot(folder, name="boot"):
    """Cold, on the disk itself."""
    return Emulated(folder, name, plain(folder.path / "disk"))


def resume(folder, name):
    """From where it was put away; what it writes goes with it."""
    drive = f"if=none,id=disk,format=raw,file={folder.path}/disk,cache=unsafe,snapshot=on"
    return go_on(Emulated(folder, name, ["-drive", drive, *incoming(folder)]))


def incoming(folder):
    return ["-incoming", f"exec:cat {folder.path}/memory"]


def go_on(machine):
    """It was halted when it was put away."""
    end = time.monotonic() + 120
    while (status := machine.command("query-status")["status"]) == "inmigrate":
        if time.monotonic() > end:
            raise Trouble("the machine does not come back from where it was put away")
        time.sleep(0.05)
    if status != "running":
        machine.command("cont")
    return machine


def over(folder, name, image, chance, *words):
    """On a disk that forgets what it was not told to keep."""
    disk = Disk(image, str(folder.path / f"{name}.disk"), chance)
    drive = ["-blockdev", f"driver=nbd,node-name=disk,server.type=unix,server.path={folder.path}/{name}.disk"]
    return Emulated(folder, name, [*drive, *words], disk)
