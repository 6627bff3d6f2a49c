"""What the tests of slots ask of the ledger."""

SECOND = 1000000
TEXT = """[Service]
ExecStart=/bin/true
[Schedule every]
Every=1s
[Schedule cron]
Cron=* * * * * *
AllowEverySecond=yes
TimeZone=UTC
"""


def listed(bus, limit=0, **filters):
    """The whole list, page by page."""
    types = {"since": "t", "until": "t"}
    found, cursor = [], ""
    while True:
        page, cursor = bus.call("ListSlots", "a{sv}su", {k: (types.get(k, "s"), v) for k, v in filters.items()}, cursor, limit)
        assert limit == 0 or len(page) <= limit
        found += page
        if not cursor:
            return found


def count(bus, schedule, **filters):
    return len(listed(bus, task="tick", schedule=schedule, **filters))


def causes(bus, schedule):
    """Cause -> how many slots."""
    found = {}
    for entry in listed(bus, task="tick", schedule=schedule, outcome="skipped"):
        found[entry["Cause"]] = found.get(entry["Cause"], 0) + entry["Count"]
    return found


def whole(bus, schedule, task="tick"):
    """Each second from the first to the last is in one entry, and in one alone."""
    entries = sorted(listed(bus, 7, task=task, schedule=schedule), key=lambda entry: entry["Nominal"])
    assert entries
    for entry in entries:
        assert entry["First"] % SECOND == 0 and entry["Nominal"] % SECOND == 0, entry
        assert entry["Count"] == (entry["Nominal"] - entry["First"]) // SECOND + 1, entry
        if entry["Outcome"] == "fired":
            assert entry["Count"] == 1 and entry["Run"] > 0 and not entry["Cause"] and not entry["Reason"], entry
        else:
            assert entry["Run"] == 2**64 - 1 and entry["Cause"] and entry["Reason"], entry
        assert entry["LateUSec"] == max(0, entry["At"] - entry["Nominal"]), entry
    for before, after in zip(entries, entries[1:]):
        assert before["Nominal"] + SECOND == after["First"], (before, after)
    return entries


def told(bus, wanted):
    """Signals have come of which wanted() says that they are enough."""
    found = bus.signals(wanted, 60)
    assert wanted(found), found
