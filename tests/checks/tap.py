"""What the checks share: the list of the project's files, and one TAP line for each rule."""

import pathlib
import re
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent.parent


def files(*patterns):
    """The files that are, or are about to be, in the project, relative to its root; all of them without a pattern."""
    if not (SRC / ".git").exists():
        paths = [path.relative_to(SRC) for path in sorted(SRC.rglob("*")) if path.is_file()]
        paths = [path for path in paths if not path.parts[0].startswith("build") and "__pycache__" not in path.parts]
        return [path for path in paths if not patterns or any(path.match(pattern) for pattern in patterns)]
    words = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(words, cwd=SRC).decode().split("\0")
    paths = [pathlib.PurePath(name) for name in sorted(set(names)) if name and (SRC / name).is_file()]
    return [path for path in paths if not patterns or any(path.match(pattern) for pattern in patterns)]


def text(path):
    return (SRC / path).read_text(encoding="utf-8", errors="replace")


def scripts(shell):
    """Files without a telling name, by their first line: those of the shells, or those of Python."""
    first = re.compile(r"#!.*\b(ba)?sh\b" if shell else r"#!.*\bpython3?\b")
    return [path for path in files() if first.match(text(path).split("\n", 1)[0])]


def code(path):
    """A C file without what is in comments, strings and characters; lines stay where they are."""
    def blank(match):
        found = match[0]
        kept = "\n" * found.count("\n")
        return '""' + kept if found[0] == '"' else " " + kept
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text(path), flags=re.DOTALL)


def finish(*rules):
    """Each rule yields the faults that it finds."""
    bad = 0
    print(f"1..{len(rules)}")
    for number, rule in enumerate(rules, 1):
        faults = list(rule())
        bad += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {rule.__doc__}")
        for fault in faults:
            print(f"# {fault}")
    sys.exit(1 if bad else 0)
