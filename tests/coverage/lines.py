#!/usr/bin/python3
"""tests/coverage/lines.py [add [FUNCTION...]] - which lines of src/model, core, store and exec no test reaches.

Of what the last `./quickstart test coverage` counted it prints each folder's part, and each line that was not reached
and is not in uncovered.tsv. There each line is marked: one that no test reaches, or one that hangs on the moment (a lost
connection, who comes first) and is reached in some runs of the tests and not in others. A line is known by its file, its
function and its text, so that it may move.

With add, what was not reached joins the list as never reached, a line of the list that was never reached and now was is
marked as one that sometimes is, and what the source no longer has is taken out. So two runs tell what hangs on the moment.
A function that no test calls at all lacks a test: it joins only where it is named.
"""

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SRC / "tests/checks"))
import tap  # noqa: E402, F401

BUILD = SRC / (os.environ.get("BUILD") or "build-cov")
COUNTED = BUILD / "counted"
LIST = SRC / "tests/coverage/uncovered.tsv"
FOLDERS = ["model", "core", "store", "exec"]
PERCENT = 90
# How often the tests reach a line of the list.
NEVER, SOMETIMES = "never", "sometimes"
HEAD = """# Lines that the tests never reach, or only sometimes: which of these, file, function, text. Written by tests/coverage/lines.py.
"""

Line = collections.namedtuple("Line", "file number function text")


def gcov():
    """What gcov says: a document for each file that was compiled. It wants its notes beside the counts."""
    names = []
    for folder in FOLDERS:
        for notes in sorted(BUILD.glob(f"src/{folder}/lib{folder}.a.p/*.gcno")):
            copy = COUNTED / str(notes.resolve()).lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(notes, copy)
            names.append(copy.with_suffix(".gcda"))
    assert names, f"{BUILD} was not built"
    # Where there is no count it says so on stderr, and counts 0.
    done = subprocess.run(["gcov", "--json-format", "--stdout", *names], cwd=BUILD, check=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def counts():
    """(file, line) → function, times it was reached."""
    assert COUNTED.is_dir(), f"there is no {COUNTED}: nothing was counted"
    found = {}
    for file in [file for document in gcov() for file in document["files"]]:
        path = (BUILD / file["file"]).resolve()
        if path.suffix != ".c" or not path.is_relative_to(SRC / "src"):
            continue
        for line in file["lines"]:
            where = str(path.relative_to(SRC)), line["line_number"]
            found[where] = line.get("function_name", ""), found.get(where, ("", 0))[1] + line["count"]
    return found


def lines(found):
    """Of each folder: those that were not reached, and how many there are. And of all: how many there are of each."""
    texts, missing, total, there = {}, {folder: [] for folder in FOLDERS}, collections.Counter(), collections.Counter()
    for (name, number), (function, count) in sorted(found.items()):
        if name not in texts:
            texts[name] = (SRC / name).read_text().split("\n")
        line = Line(name, number, function, texts[name][number - 1].strip())
        folder = name.split("/")[1]
        total[folder] += 1
        there[key(line)] += 1
        if count == 0:
            missing[folder].append(line)
    return missing, total, there


def key(line):
    return line.file, line.function, line.text


def listed():
    """Mark → (file, function, text) → how often it stands in the list."""
    found = {NEVER: collections.Counter(), SOMETIMES: collections.Counter()}
    for row in LIST.read_text().splitlines() if LIST.exists() else []:
        if not row.startswith("#"):
            mark, *of = row.split("\t", 3)
            found[mark][tuple(of)] += 1
    return found


def unlisted(folder, missing, known):
    """Those of a folder that are not in the list; and how many are marked as never reached and were."""
    left = known[NEVER] + known[SOMETIMES]
    new = []
    for line in missing[folder]:
        if left[key(line)] > 0:
            left[key(line)] -= 1
        else:
            new.append(line)
    now = collections.Counter(key(line) for line in missing[folder])
    never = collections.Counter({row: often for row, often in known[NEVER].items() if row[0].startswith(f"src/{folder}/")})
    return new, (never - now).total()


def uncalled(missing, there):
    """(file, function) of which no line was reached."""
    total, without = collections.Counter(), collections.Counter()
    for (file, function, _), often in there.items():
        total[file, function] += often
    for line in [line for found in missing.values() for line in found]:
        without[line.file, line.function] += 1
    return {row for row, often in without.items() if often == total[row]}


def parts(missing, total):
    """Folder → how much of it was reached, in percent."""
    return {folder: 100 * (1 - len(missing[folder]) / total[folder]) for folder in FOLDERS}


def add(missing, there, named):
    """What was not reached joins the list; what the source has no more leaves it."""
    now = collections.Counter(key(line) for found in missing.values() for line in found)
    known = listed()
    new = now - known[NEVER] - known[SOMETIMES]
    for file, function in sorted({row[:2] for row in new} & uncalled(missing, there)):
        if function not in named:
            print(f"{file}: no test calls {function}: it does not join the list")
            new = collections.Counter({row: often for row, often in new.items() if row[:2] != (file, function)})
    # Of those that are alike nobody knows which was reached.
    sometimes = (known[SOMETIMES] + (known[NEVER] - now)) & there
    never = ((known[NEVER] & now) + new) & (there - sometimes)
    rows = sorted((*row, mark) for mark, found in ((NEVER, never), (SOMETIMES, sometimes)) for row in found.elements())
    LIST.write_text(HEAD + "".join("\t".join((row[3], *row[:3])) + "\n" for row in rows))


def main():
    missing, total, there = lines(counts())
    known = listed()
    for folder, part in parts(missing, total).items():
        print(f"{folder}: {part:.1f} % of {total[folder]} lines")
        for line in unlisted(folder, missing, known)[0]:
            print(f"    {line.file}:{line.number}: {line.function}: {line.text}")
    if sys.argv[1:2] == ["add"]:
        add(missing, there, sys.argv[2:])


if __name__ == "__main__":
    main()
