#!/usr/bin/python3
"""Defines a task, runs it, tells what it does, and cancels it on Ctrl-C; needs python3-dbus. client.py FILE [NAME=VALUE...]"""
import os
import pathlib
import sys
import time

import dbus

NAME, RUN = "org.taskschedd1", "org.taskschedd1.Run"
file, words = pathlib.Path(sys.argv[1]), dict(word.split("=", 1) for word in sys.argv[2:])
bus = dbus.SystemBus()
manager = dbus.Interface(bus.get_object(NAME, "/org/taskschedd1"), "org.taskschedd1.Manager")
# Errors have names: org.taskschedd1.Error.InvalidTask, InvalidInput and so on.
try:
    manager.ApplyTask(file.stem, file.read_text(encoding="utf-8"), dbus.Dictionary({}, signature="sv"))
    # Texts are converted to the types that the task declares. With the same token asking again makes no second run.
    options = {"token": os.urandom(16).hex(), "texts": dbus.Dictionary(words, signature="ss")}
    number, path = manager.RunTask(file.stem, dbus.Dictionary({}, signature="sv"), options)
except dbus.DBusException as error:
    sys.exit(f"{error.get_dbus_name()}: {error.get_dbus_message()}")
run = dbus.Interface(bus.get_object(NAME, path), RUN)
known = {}
while known.get("State") != "done":
    try:
        known = bus.get_object(NAME, path).GetAll(RUN, dbus_interface=dbus.PROPERTIES_IFACE)
        print(f"Run {number}: {known['State']} {known['StatusText']}", flush=True)
        time.sleep(0.5)
    except KeyboardInterrupt:
        run.Cancel()
with os.fdopen(run.OpenOutput().take(), encoding="utf-8") as output:
    print(f"Run {number}: {known['Result']} {known['Reason']}\n{output.read()}")
