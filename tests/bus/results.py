"""Rows of the long form, kept as those of suite bench are, without a container."""

import subprocess
import sys

import world


class Here:
    """What Results asks of a machine."""

    def run(self, *words):
        return subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def sql(self, text):
        return [line.split("|") for line in world.sql(text).splitlines()]


def write(name, columns, rows):
    """tests/results/NAME.tsv, in the long form; while the database answers."""
    own = sys.modules.pop("world")  # that of the machines has this name too
    sys.path.insert(0, str(world.SRC / "tests/bench"))
    from machine import Results  # noqa: PLC0415
    sys.modules["world"] = own
    results = Results(name, columns)
    for row in rows:
        results.add(*row)
    results.write(Here(), "off")
