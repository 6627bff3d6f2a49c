#!/usr/bin/python3
"""planted.py PROGRAM - run test-sim-planted, which finds each fault of plants/, and pass on what it prints. The long form
writes what it found as tests/results/plants.tsv: each plant, with whose hand it is by where that is not the simulation's, how many seeds
were given to it, how many of them found it, the most runs and the median of those until then, and what told of it."""

import collections
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/bench"))
from machine import LONG, Results  # noqa: E402

SEED = re.compile(r"# ([\w-]+), seed \d+: (found|nothing) after (\d+) runs(?:: (.*))?$")
OTHER_HAND = "# by another hand"
COLUMNS = ["plant", "by", "seeds", "found", "most runs", "median runs", "how found"]


class Here:
    """What Results asks of a machine."""

    def run(self, *words):
        return subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def sql(self, text):
        return [["none: its twin"]]


def hand(name):
    path = ROOT / f"tests/sim/plants/{name}.plant"
    return OTHER_HAND.removeprefix("# by ") if path.exists() and OTHER_HAND in path.read_text().splitlines() else ""


def told(hows):
    """What told of it, the most frequent first; runs and times are no part of that."""
    kinds = collections.Counter(re.sub(r"\d+", "N", how) if not how.endswith("of CPU") else how for how in hows)
    return "; ".join(f"{how} ({number})" for how, number in kinds.most_common())


def main():
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    seeds = collections.defaultdict(list)
    for line in process.stdout:
        print(line, end="", flush=True)
        if match := SEED.match(line):
            seeds[match[1]].append((match[2] == "found", int(match[3]), match[4]))
    status = process.wait()
    results = Results("plants", COLUMNS)
    for name, all_of in seeds.items():
        found = [(runs, how) for is_found, runs, how in all_of if is_found]
        runs = [number for number, _ in found]
        results.add(name, hand(name), len(all_of), len(found), max(runs, default=""),
                    f"{statistics.median(runs):.0f}" if runs else "", told(how for _, how in found))
    if LONG and len(sys.argv) == 2:
        results.write(Here(), "none")
    sys.exit(status if status >= 0 else 128 - status)


main()
