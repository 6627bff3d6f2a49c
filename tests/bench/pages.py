#!/usr/bin/python3
"""pages.py DAEMON BACKEND TIMES [ADDRESS] - how long pages of ListRuns take, by the clock of whoever asks, and in CPU of the
daemon and of its database session, whose process ids are given. Standard input is JSON: for each case a filter, a cursor and
how many runs are wanted, where shorter pages are followed until there are as many. For each a line of JSON."""

import ctypes
import json
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bus"))
import sdbus  # noqa: E402

SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"
TYPES = {"since": "t", "until": "t", "meta": "a{ss}"}


def cpu_nsec(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])


class Page:
    """Its ids and its cursor alone; the clock stops before they are read."""

    def __init__(self, m):
        self.at = time.monotonic()
        lib, check, number, text = sdbus.lib, sdbus.check, ctypes.c_uint64(), ctypes.c_char_p()

        def enter(kind, contents):
            return check(lib.sd_bus_message_enter_container(m, ctypes.c_char(kind), contents), "enter")

        def leave():
            check(lib.sd_bus_message_exit_container(m), "exit")

        self.ids = []
        enter(b"a", b"a{sv}")
        while enter(b"a", b"{sv}") > 0:
            enter(b"e", b"sv")
            check(lib.sd_bus_message_read_basic(m, ctypes.c_char(b"s"), ctypes.byref(text)), "key")
            enter(b"v", b"t")
            check(lib.sd_bus_message_read_basic(m, ctypes.c_char(b"t"), ctypes.byref(number)), "id")
            leave()
            leave()
            self.ids.append(number.value)
            while check(lib.sd_bus_message_at_end(m, 0), "at end") == 0:
                check(lib.sd_bus_message_skip(m, b"{sv}"), "skip")
            leave()
        leave()
        check(lib.sd_bus_message_read_basic(m, ctypes.c_char(b"s"), ctypes.byref(text)), "cursor")
        self.cursor = text.value.decode()


def call(bus, method, signature, *args):
    begun = time.monotonic()
    page = bus.call_at(bus.to, method, signature, *args, timeout=60, reader=lambda m: [Page(m)])
    return (page.at - begun) * 1000, page


def pages(bus, names, cursor, wanted):
    """Until there are as many as wanted, or there is nothing more: milliseconds of each call, ids."""
    took, ids = [], []
    while True:
        ms, page = call(bus, "ListRuns", "a{sv}su", names, cursor, wanted - len(ids))
        took.append(ms)
        ids += page.ids
        cursor = page.cursor
        if not cursor or len(ids) >= wanted:
            return took, ids


def measure(bus, pids, times, case):
    names = {name: (TYPES.get(name, "s"), value) for name, value in case["filter"].items()}
    elapsed, first, cpu = [], [], []
    for _ in range(times):
        before = [cpu_nsec(pid) for pid in pids]
        took, ids = pages(bus, names, case.get("cursor", ""), case["wanted"])
        cpu.append([(cpu_nsec(pid) - start) / 1e6 for pid, start in zip(pids, before, strict=True)])
        elapsed.append(sum(took))
        first.append(max(took))
    return {"what": case["what"], "calls": len(took), "ids": ids, "median": statistics.median(elapsed), "max": max(elapsed),
            "longest": statistics.median(first), "cpu": [statistics.median(one) for one in zip(*cpu, strict=True)]}


def main():
    pids, times = [int(word) for word in sys.argv[1:3]], int(sys.argv[3])
    bus = sdbus.Bus(sys.argv[4] if len(sys.argv) > 4 else SYSTEM_BUS, "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager")
    for case in json.load(sys.stdin):
        print(json.dumps(measure(bus, pids, times, case)), flush=True)


main()
