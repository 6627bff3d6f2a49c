#!/usr/bin/python3
"""tests/fuzz/harness.py NAME PROGRAM REPLAY - a harness over its corpus, and on from there.

PROGRAM is the libFuzzer program, REPLAY the same harness in a build that counts lines. Over the corpus nothing is left to
chance: nothing may be wrong with any of its files, and together they reach 90 of 100 lines of each file of the parser. From
there the search goes on for some seconds. With TASKSCHEDD_LONG=1 it goes on for five million executions, by two programs
at once, and tests/results/fuzz.tsv gets a row. What is not done within the time of one test is added to by the next.
"""

import base64
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

SRC = pathlib.Path(os.environ.get("SRC") or pathlib.Path(__file__).resolve().parent.parent.parent)
sys.path.insert(0, str(SRC / "tests/system"))
from world import LONG, SEED, Tap  # noqa: E402

RESULTS = SRC / "tests/results/fuzz.tsv"
SECONDS = 5
EXECUTIONS, PROGRAMS, LONG_SECONDS = 5_000_000, 2, 25 * 60
# What goes on without end is found, by the clock; but a program that gets no processor for a while is not that.
STUCK_SECONDS = 300 if LONG else 60
PERCENT = 90
# What reads the bytes of each harness.
PARSERS = {
    "almanac": "model/almanac.c model/almanac-ics.c model/almanac-parse.c",
    "calendar": "model/calendar-expression.c model/calendar-parse.c",
    "cron": "model/cron.c",
    "import": "ctl/import-anacron.c ctl/import-at.c ctl/import-command.c ctl/import-crontab.c ctl/import-fields.c"
              " ctl/import-list.c ctl/import-timer.c ctl/import-write.c",
    "input": "model/input.c model/input-convert.c model/input-spec.c model/timespec.c model/timespec-span.c model/words.c",
    "json": "model/json.c",
    "message": "api/ask-message.c api/audit-methods.c api/backfill-methods.c api/calendar-methods.c api/list-methods.c"
               " api/memory-file.c api/message.c api/next-methods.c api/node-methods.c api/property.c api/run-files.c"
               " api/run-message.c api/run-methods.c api/slot-methods.c api/task-message.c api/task-methods.c",
    "output": "model/input-output.c",
    "recurrence": "model/recurrence.c model/recurrence-parse.c",
    "properties": "exec/properties.c exec/property-encode.c exec/property-files.c exec/property-lists.c"
                  " exec/property-names.c exec/property-parse.c",
    "zone": "base/zone-file.c base/zone-rule.c",
    "task": "model/command.c model/schedule-dates.c model/schedule-keys.c model/task-file.c model/task-keys.c"
            " model/task-parse.c",
}
COLUMNS = ["harness", "executions", "searches", "seconds", "executions/s", "failures", "edges", "corpus files", "corpus bytes",
           "lines %", "peak RSS MiB", "programs", "commit", "date", "seed", "load average"]


def last_of(text):
    """What a program said when it came to its end; what is told of a failure are 120 lines, and of two programs."""
    return "\n".join(text.splitlines()[-60:])


# --- the search -------------------------------------------------------------------------------------------------------


class Search:
    """One libFuzzer program on its way; what it finds stays in a folder of its own."""

    def __init__(self, program, folder, number, *options):
        self.new = folder / f"new{number}"
        self.new.mkdir()
        self.out = folder / f"out{number}"
        with self.out.open("wb") as out:
            # Weighing the corpus by how rare its features are took up to four times as long as what is searched.
            words = [program, f"-seed={SEED + number}", f"-timeout={STUCK_SECONDS}", "-rss_limit_mb=2048", "-print_final_stats=1",
                     "-entropic=0", *options]
            # What was freed is kept for a while, so that its use is found out; as much as is usual would be most of the memory.
            # Who allocated it is told in two calls: what is found can be replayed to see more, and more costs a sixth of the time.
            env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:quarantine_size_mb=32:malloc_context_size=2",
                   "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
            self.process = subprocess.Popen([*words, self.new, corpus()], cwd=self.new, env=env, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT)

    def wait(self):
        self.status = self.process.wait()
        self.text = self.out.read_text(errors="replace") + "".join(f"\n{line}" for line in self.found())
        return self

    def found(self):
        """The input that a failure is of goes with the folder; libFuzzer prints none of more than 256 bytes."""
        if self.status:
            yield f"exit status {self.status}"
            for path in sorted(self.new.glob("*-*")):
                yield f"{path.name}, Base64: {base64.b64encode(path.read_bytes()).decode()}"

    def stat(self, name):
        match = re.search(rf"^stat::{name}:\s*(\d+)", self.text, re.MULTILINE)
        return int(match[1]) if match else 0

    def edges(self):
        return max((int(n) for n in re.findall(r"\bcov: (\d+)", self.text)), default=0)


def search(tap, program, folder):
    searches = [Search(program, folder, 0, f"-max_total_time={SECONDS}").wait()]
    tap.ok(searches[0].status == 0, f"search: {searches[0].stat('number_of_executed_units')} executions", last_of(searches[0].text))


def search_long(tap, name, program, folder, percent):
    begin = time.monotonic()
    before = Before(name)
    options = [f"-runs={-(-(EXECUTIONS - before.executions) // PROGRAMS)}", f"-max_total_time={LONG_SECONDS}"]
    searches = [Search(program, folder, number, *options) for number in range(PROGRAMS)]
    for one in searches:
        one.wait()
    seconds = before.seconds + time.monotonic() - begin
    executions = before.executions + sum(one.stat("number_of_executed_units") for one in searches)
    failures = sum(one.status != 0 for one in searches)
    tap.ok(failures == 0, f"search: {executions} executions in {seconds:.0f} s",
           "\n".join(last_of(one.text) for one in searches if one.status != 0))
    if failures:
        return
    if executions < EXECUTIONS:
        tap.note(f"of {EXECUTIONS} executions {executions} are done: the next search goes on from there")
    files = list(corpus().iterdir())
    write_row([name, executions, before.searches + 1, round(seconds), round(executions / seconds), failures,
               max(one.edges() for one in searches), len(files), sum(path.stat().st_size for path in files), percent,
               max(one.stat("peak_rss_mb") for one in searches), PROGRAMS, commit(),
               time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), SEED, f"{os.getloadavg()[0]:.1f}"])


# --- results ----------------------------------------------------------------------------------------------------------


def commit():
    return subprocess.run(["git", "-C", SRC, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()


def read_rows():
    lines = [line.split("\t") for line in RESULTS.read_text().splitlines() if not line.startswith("#")] if RESULTS.exists() else []
    return {row[0]: row for row in lines[1:] if lines[0] == COLUMNS}


class Before:
    """What earlier searches did of a number that is not reached yet."""

    def __init__(self, name):
        row = dict(zip(COLUMNS, read_rows().get(name, [])))
        if int(row.get("executions", EXECUTIONS)) >= EXECUTIONS:
            row = {}
        self.executions, self.searches, self.seconds = (int(row.get(key, 0)) for key in ("executions", "searches", "seconds"))


def write_row(values):
    """The rows of the other harnesses stay."""
    rows = read_rows()
    rows[values[0]] = [str(value) for value in values]
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    clang = subprocess.run(["clang", "--version"], capture_output=True, text=True).stdout.splitlines()
    head = {"CPU": f"{os.cpu_count()} x {model[1] if model else platform.machine()}", "kernel": platform.release(),
            "clang": clang[0] if clang else "", "options": "-O1, AddressSanitizer and UndefinedBehaviorSanitizer"}
    lines = [f"# {key}\t{value}" for key, value in head.items()]
    lines += ["\t".join(row) for row in [COLUMNS, *(rows[name] for name in sorted(rows))]]
    RESULTS.write_text("\n".join(lines) + "\n")


# --- lines ------------------------------------------------------------------------------------------------------------


def corpus():
    return SRC / "tests/fuzz/corpus" / NAME


def count_lines(replay, folder, source):
    """How many lines of a source file have code, and the numbers of those that were not reached."""
    build = replay.parent.parent.parent
    notes = next((build / "src" / pathlib.Path(source).parent).glob(f"lib*.p/{pathlib.Path(source).name}.gcno"))
    data = folder / str(notes).lstrip("/")
    if not data.with_suffix(".gcda").exists():
        return 0, []
    shutil.copy(notes, data)
    done = subprocess.run(["gcov", "--json-format", "--stdout", data.with_suffix(".gcda")], cwd=build, capture_output=True,
                          text=True, check=True)
    counts = {}
    for line in done.stdout.splitlines():
        for file in json.loads(line)["files"]:
            if file["file"].endswith("src/" + source):
                for one in file["lines"]:
                    counts[one["line_number"]] = counts.get(one["line_number"], 0) + one["count"]
    return len(counts), sorted(number for number, count in counts.items() if count == 0)


def check_lines(tap, replay, folder):
    """Returns what part of all the parser's lines is reached, in percent."""
    files = sorted(corpus().iterdir())
    done = subprocess.run([replay, *files], env={**os.environ, "GCOV_PREFIX": str(folder)}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tap.ok(done.returncode == 0, "replay", last_of(done.stdout.decode(errors="replace")))
    reached = total = 0
    for source in PARSERS[NAME].split():
        n, missing = count_lines(replay, folder, source)
        part = 100 * (n - len(missing)) / n if n else 0
        reached, total = reached + n - len(missing), total + n
        tap.ok(part >= PERCENT, f"{source}: {part:.1f} % of {n} lines", f"not reached: {missing}")
    return round(100 * reached / max(total, 1), 1)


def main():
    program, replay = sys.argv[2], pathlib.Path(sys.argv[3])
    tap = Tap()
    # In memory: what is kept for a while is written and removed all the time.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as name:
        folder = pathlib.Path(name)
        found = Search(program, folder, 9, "-runs=0").wait()
        tap.ok(found.status == 0, f"corpus: {len(list(corpus().iterdir()))} files", last_of(found.text))
        percent = check_lines(tap, replay, folder)
        if LONG:
            search_long(tap, NAME, program, folder, percent)
        else:
            search(tap, program, folder)
    tap.end()


NAME = sys.argv[1]
main()
