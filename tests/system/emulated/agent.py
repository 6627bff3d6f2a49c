"""In the emulated machine: does what is asked through its port. A question is one line of JSON, [name, arguments], and so is
the answer; in between come events, {"event": ...}. The names are those of functions in guest.py, which the test sends as
["define", [its text]], and in world.py."""

import json
import os
import subprocess
import sys
import threading
import traceback

assert os.environ.get("TASKSCHEDD_EMULATED"), "this is for the emulated machine alone"

sys.path.insert(0, "/usr/lib/taskschedd-test")
import world  # noqa: E402

real_run = subprocess.run


def patient_run(*argv, timeout=None, **more):
    """What is a long time elsewhere is not in a machine that is emulated, on a host that has other work."""
    return real_run(*argv, timeout=timeout and 10 * timeout, **more)


world.subprocess.run = patient_run
port = os.open("/dev/vport0p1", os.O_RDWR)
lock = threading.Lock()
names = {}


def say(what):
    data = json.dumps(what).encode() + b"\n"
    with lock:
        while data:
            data = data[os.write(port, data):]


def answer(line):
    try:
        name, arguments = json.loads(line)
        if name == "define":
            exec(compile(arguments[0], "guest.py", "exec"), names)
            names["event"] = lambda **what: say({"event": what})
            say({"value": None})
        else:
            say({"value": (names.get(name) or getattr(world, name))(*arguments)})
    except Exception:  # whatever it was is for the other end
        say({"error": traceback.format_exc()})


say({"event": {"boot": open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()}})
buffer = b""
while True:
    buffer += os.read(port, 65536)
    while b"\n" in buffer:
        line, buffer = buffer.split(b"\n", 1)
        answer(line)
