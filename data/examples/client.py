#!/usr/bin/python3
"""client.py FILE [NAME=VALUE...]: applies a task file, runs it, tells what it does.
^C cancels the run. Needs python3-dbus."""
import os
import pathlib
import sys
import time

import dbus

NAME, RUN = "org.taskschedd1", "org.taskschedd1.Run"
file, words = pathlib.Path(sys.argv[1]), dict(w.split("=", 1) for w in sys.argv[2:])
bus, none = dbus.SystemBus(), dbus.Dictionary({}, signature="sv")
manager = dbus.Interface(bus.get_object(NAME, "/org/taskschedd1"), f"{NAME}.Manager")
# The same token again makes no second run; texts are converted to the declared types.
options = {"token": os.urandom(16).hex(), "texts": dbus.Dictionary(words, signature="ss")}
try:
    manager.ApplyTask(file.stem, file.read_text(encoding="utf-8"), none)
    number, path = manager.RunTask(file.stem, none, options)
except dbus.DBusException as error:  # org.taskschedd1.Error.InvalidTask and so on
    sys.exit(f"{error.get_dbus_name()}: {error.get_dbus_message()}")
run, known = bus.get_object(NAME, path), {}
while known.get("State") != "done":
    try:
        known = run.GetAll(RUN, dbus_interface=dbus.PROPERTIES_IFACE)
        print(f"Run {number}: {known['State']} {known['StatusText']}", flush=True)
        time.sleep(0.5)
    except KeyboardInterrupt:
        run.Cancel(dbus_interface=RUN)
with os.fdopen(run.OpenOutput(dbus_interface=RUN).take(), encoding="utf-8") as output:
    print(f"Run {number}: {known['Result']} {known['Reason']}\n{output.read()}")
