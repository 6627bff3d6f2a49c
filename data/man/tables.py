#!/usr/bin/python3
"""tables.py RESULTS <PAGE.scd - the page, with a table in the place of each line that names one, as @figures@: made from what
the tests have measured, RESULTS/NAME.tsv. Such a file has lines "# KEY<tab>VALUE", what it was measured on, then a heading
and rows. What was not measured has no rows."""

import csv
import pathlib
import statistics
import sys

RESULTS = pathlib.Path(sys.argv[1])


class Measured:
    """One file of results; without rows where there is none."""

    def __init__(self, name):
        path = RESULTS / f"{name}.tsv"
        lines = path.read_text().splitlines() if path.exists() else []
        self.on = dict(line[2:].split("\t", 1) for line in lines if line.startswith("# "))
        self.rows = list(csv.DictReader((line for line in lines if not line.startswith("# ")), delimiter="\t", quoting=csv.QUOTE_NONE))

    def find(self, **cells):
        return [row for row in self.rows if all(row[key.replace("_", " ")] == value for key, value in cells.items())]


def table(heading, rows):
    """Of scdoc: the first column to the left, the others to the right."""
    text = lambda cell: str(cell).replace("_", "\\_").replace("*", "\\*")  # noqa: E731
    out = ["[[ *" + text(heading[0]) + "*"] + [f":] *{text(cell)}*" for cell in heading[1:]]
    for row in rows:
        out += [f"|  {text(row[0])}"] + [f":  {text(cell)}" for cell in row[1:]]
    return out


# --- figures: what taskschedd costs and how fast it is ----------------------------------------------------------------


def throughput():
    found = Measured("throughput")
    for row in found.find(what="ratio"):
        yield "Runs carried out, beside a bare loop of the same units", f"{float(row['runs/s']):.2f}", "at least 0.9"
    rates = [float(row["runs/s"]) for row in found.find(what="taskschedd")]
    if rates:
        yield "Runs carried out a second", f"{statistics.median(rates):.0f}", ""


def latency():
    found = Measured("latency")
    for in_flight in ("1", "8"):
        for what in ("p50", "p99"):
            for row in found.find(what=f"ratio of {what}", in_flight=in_flight):
                yield (f"From the call to the process, {what}, {in_flight} in flight, beside the same loop", f"{float(row['p50 µs']):.2f}",
                       "at most 1.2")


def asked():
    for row in Measured("asked").find(round="all"):
        what, number = row["what"], {name: float(value) for name, value in row.items() if name not in ("round", "what", "all CPU by program")}
        yield f"Runs {what.replace('run ', 'carried out ')}, a second", f"{number['runs/s']:.0f}", ""
        yield "- commits for each; bytes of WAL, full pages not counted", f"{number['commits/run']:.2f}; {number['WAL bytes/run']:.0f}", ""
        cpu = [f"{number[f'{name} CPU ms/run']:.2f}" for name in ("taskschedd", "dbus-daemon", "systemd", "postgres")]
        yield "- CPU of daemon, bus, PID 1 and PostgreSQL for each, ms", " ".join(cpu), ""


def idle():
    for row in Measured("idle").rows[:1]:
        yield f"Wake-ups in {row['seconds']} s with nothing due (the watchdog's)", row["wake-ups"], "at most " + row["the watchdog's"]
        yield "Database sessions asked anything meanwhile", row["sessions asked"], "0"


def memory():
    found = Measured("memory")
    for tasks, history in dict.fromkeys((row["tasks"], row["history"]) for row in found.rows):
        rows = found.find(tasks=tasks, history=history)
        for row in rows[:1] + rows[-1:]:
            world = f" with {int(tasks):,} tasks and {int(history):,} runs of history" if int(tasks) > 1 else ""
            yield f"Memory (PSS){world} after {int(row['runs']):,} runs, MiB", f"{int(row['Pss KiB']) / 1024:.1f}", "at most 10"


def many_files():
    for row in Measured("many-files").rows:
        what = f"{int(row['files']):,} task files, {row['what']} (fsync off, load {row['load average']})"
        used = f"{row['seconds']}; {row['daemon CPU s']}; " + row["its processes' CPU s"]
        yield f"{what}: seconds; CPU of the daemon; of its processes, s", used, "at most 60" if row["what"] == "loaded" else ""
        yield ("- memory then (PSS), MiB; an answer meanwhile, p99; the last, ms",
               f"{int(row['Pss KiB']) / 1024:.0f}; {row['p99 ms']}; {row['longest ms']}", "")


def retention():
    found = Measured("retention")
    for runs in dict.fromkeys(row["runs"] for row in found.rows):
        of = {row["what"]: row for row in found.find(runs=runs)}
        size = sum(float(row["bytes"]) for what, row in of.items() if what.startswith("bytes of "))
        history = f"{int(runs) // 1000000} million runs of history"
        yield f"{history}: bytes for each, with indexes, attempt and token", f"{size / int(runs):.0f}", ""
        for what in ("first page", "deep page", "task", "result timeout, 0.5 %", "requester, 1 %"):
            if row := of.get(what):
                yield (f"- 100 of them, {what}: CPU of daemon; of its session; as the client sees it, ms",
                       f"{row['daemon CPU ms']}; {row['database CPU ms']}; {row['ms']}", "20")
        if row := of.get("vacuum by age"):
            yield (f"- removing {row['runs found']} that are old: seconds; MiB given back",
                   f"{float(row['ms']) / 1000:.0f}; {int(row['bytes']) >> 20}", "")


def lateness():
    for row in Measured("lateness").rows:
        yield f"Process after its time, {row['what']}: p50; p99; last, ms", "; ".join(
            f"{int(row[column]) / 1000:.1f}" for column in ("p50 µs", "p99 µs", "max µs")), ""


NEXT_SLOT = "next slot, "


def scale():
    found = Measured("scale")
    whats = {"start until work begins": "loaded, s", "start, CPU of the daemon": "- CPU of that, s",
             "memory of an idle one": "- bytes for each", "switching one, median": "- switching one, ms",
             "another definition of a task with one, median": "- another task with one, ms",
             "1,000 due each second, CPU of the daemon": "- 1,000 due each second, CPU, %"}
    for what, words in whats.items():
        if rows := found.find(what=what):
            sizes = ", ".join(f"{int(row['schedules']):,}" for row in rows)
            yield (words if words[0] == "-" else f"Schedules, {sizes}: {words}", "; ".join(row["value"] for row in rows),
                   f"at most {rows[0]['aim']}" if rows[0]["aim"] else "")
    for row in found.rows:
        if row["what"].startswith("due in one second"):
            yield f"{int(row['schedules']):,} {row['what']}, ms", row["value"], ""


def next_slots():
    """Set as they are, since a table's columns are too narrow for expressions; what follows a rule has a line of its own."""
    rows = [row for row in Measured("scale").rows if row["what"].startswith(NEXT_SLOT)]
    if not rows:
        return
    yield from ["", f"From one slot to the next, ns, of which at most {int(rows[0]['aim']):,} are aimed at:", "", "```"]
    for row in rows:
        first, *more = row["what"].removeprefix(NEXT_SLOT).replace(" From=", "\n From=").split("\n")
        yield f"{row['value']:>10}  {first}"
        yield from (f"{'':>12}{line}" for line in more)
    yield "```"


def figures():
    rows = [row for source in (throughput, latency, asked, idle, memory, many_files, retention, lateness, scale) for row in source()]
    on = Measured("throughput").on
    words = ", ".join(on[key] for key in ("CPU", "systemd", "PostgreSQL") if key in on)
    return table(["", "Measured", "Aim"], rows) + list(next_slots()) + ["", f"Measured on {words}; PostgreSQL on the same machine's disk, fsync on.".replace("_", "\\_")]


# --- faults: what was done to it, and what came of that ----------------------------------------------------------------

# Set as they are: a table's columns are too narrow for the names.
FAULTS = [["fault", "promise", "rounds", "injections", "runs", "in flight"],
          ["fault", "missing", "wrong", "twice", "unknown"],
          ["fault", "silence s", "overdue s", "recovery s"]]


def columns_of(rows):
    """Lines: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths))) for row in rows]


def faults():
    files = [Measured(path.stem) for path in [*sorted(RESULTS.glob("faults-*.tsv")), RESULTS / "machine.tsv"]]
    measured = [row for found in files for row in found.rows]
    if not measured:
        return ["Nothing of this has been measured yet."]
    words = {"date": "{}", "CPU": "{}", "systemd": "{}", "PostgreSQL": "PostgreSQL {}", "cgroup": "{} control groups"}
    on = [", ".join(form.format(found.on[key]) for key, form in words.items() if key in found.on) for found in files]
    out = []
    for columns in FAULTS:
        heads = [column.removesuffix(" s") for column in columns]
        out += ["```", *columns_of([heads, *([row.get(column, "-") for column in columns] for row in measured)]), "```", ""]
    return out + [f"Measured on {'; '.join(dict.fromkeys(on))}.".replace("_", "\\_")]


TABLES = {"figures": figures, "faults": faults}


def main():
    for line in sys.stdin.read().splitlines():
        name = line.strip("@")
        print("\n".join(TABLES[name]()) if line == f"@{name}@" and name in TABLES else line)


main()
