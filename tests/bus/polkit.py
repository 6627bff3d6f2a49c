#!/usr/bin/python3
"""A polkit for tests: polkit.py ADDRESS FILE. Each question is answered as the file says, which is read anew each time,
and written to FILE.asked as a line of JSON. The file holds a list of [ACTION, TASK, ANSWER], the first that fits decides;
"*" fits all; ANSWER is yes, no, challenge, error, or hang (no answer ever)."""

import contextlib
import ctypes
import json
import pathlib
import sys

import sdbus
from sdbus import P, check, lib

INTERACTION = 1


def decide(rules, action, task):
    for rule_action, rule_task, answer in rules:
        if rule_action in ("*", action) and rule_task in ("*", task):
            return answer
    return "no"


def reply(bus, m, signature, *values):
    back = P()
    check(lib.sd_bus_message_new_method_return(m, ctypes.byref(back)), "return")
    for kind, value in zip(sdbus.split(signature), values, strict=True):
        sdbus.append(back, kind, value)
    check(lib.sd_bus_send(bus.bus, back, None), "send")
    lib.sd_bus_message_unref(back)


def check_authorization(bus, m, file):
    (kind, subject), action, details, flags, cancellation = sdbus.read_all(m)
    assert kind == "system-bus-name", kind
    answer = decide(json.loads(file.read_text()), action, details["task"])
    say(file, {"Action": action, **details, "Interactive": flags == INTERACTION, "Id": cancellation, "Answer": answer,
               "Sender": subject["name"]})
    if answer == "error":
        lib.sd_bus_reply_method_errorf(m, b"org.freedesktop.DBus.Error.Failed", b"%s", b"it is out of order")
    elif answer != "hang":
        reply(bus, m, "(bba{ss})", (answer == "yes", answer == "challenge", {}))


def say(file, what):
    with open(f"{file}.asked", "a", encoding="utf-8") as log:
        log.write(json.dumps(what) + "\n")


def main(address, file):
    bus = sdbus.Bus(address, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    assert bus.call("RequestName", "su", "org.freedesktop.PolicyKit1", 4) == 1
    lib.sd_bus_message_get_member.restype = ctypes.c_char_p
    say(file, {"Ready": True})
    while True:
        m = P()
        if check(lib.sd_bus_process(bus.bus, ctypes.byref(m)), "process") == 0:
            lib.sd_bus_wait(bus.bus, ctypes.c_uint64(2**64 - 1))
        if not m:
            continue
        if lib.sd_bus_message_is_method_call(m, None, b"CheckAuthorization") > 0:
            check_authorization(bus, m, file)
        elif lib.sd_bus_message_is_method_call(m, None, b"CancelCheckAuthorization") > 0:
            say(file, {"Cancelled": sdbus.read_all(m)[0]})
        lib.sd_bus_message_unref(m)


if __name__ == "__main__":
    with contextlib.suppress(ConnectionResetError):  # the bus is gone
        main(sys.argv[1], pathlib.Path(sys.argv[2]))
