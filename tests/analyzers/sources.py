"""What the analyzers share: every C file of a folder, by the command that compiles it, looked at on all cores. What was
found clean is not looked at again while neither the file nor anything that it includes, nor the analyzer, has changed."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import platform
import re
import shlex
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = SRC / (os.environ.get("BUILD") or "build-test")
sys.path.insert(0, str(SRC / "tests/checks"))
import tap  # noqa: E402


def dependencies():
    """Object → the files that it was made from, as the compiler told ninja."""
    output = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = {}
    for block in output.split("\n\n"):
        head, *names = block.strip().split("\n")
        found[head.split(": #deps")[0]] = [name.strip() for name in names]
    return found


def need_debian_12():
    """The checks and the marks are for its versions; others find other things."""
    if (version := platform.freedesktop_os_release().get("VERSION_ID")) != "12":
        print(f"1..0 # SKIP what is found is judged by Debian 12's analyzer, and this is Debian {version}")
        sys.exit()


class Analyzer:
    """What a program makes of a source; it finds nothing when it says nothing. `words` makes its command."""

    def __init__(self, name, version, words, settings=()):
        said = subprocess.run([*version], check=True, stdout=subprocess.PIPE).stdout
        self.words, self.digests, self.used = words, {}, set()
        self.seed = said + b"".join((SRC / path).read_bytes() for path in settings)
        self.clean = BUILD / "analyzers" / name
        self.clean.mkdir(parents=True, exist_ok=True)
        self.dependencies = dependencies()
        self.entries = json.loads((BUILD / "compile_commands.json").read_text())

    def sources(self, folder):
        """One entry for each file below a folder, however many programs it is part of."""
        entries = {(BUILD / entry["file"]).resolve(): entry for entry in self.entries}
        return [(path.relative_to(SRC), entry) for path, entry in sorted(entries.items())
                if path.is_relative_to(SRC / folder)]

    def digest(self, name):
        if name not in self.digests:
            self.digests[name] = hashlib.sha256((BUILD / name).read_bytes()).digest()
        return self.digests[name]

    def key(self, entry, command):
        names = self.dependencies.get(entry["output"])
        assert names, f"{entry['output']} was not built"
        digest = hashlib.sha256(self.seed + "\0".join(command).encode())
        for name in names:
            digest.update(name.encode() + self.digest(name))
        return self.clean / digest.hexdigest()

    def look(self, path, entry):
        command = self.words(entry)
        key = self.key(entry, command)
        self.used.add(key.name)
        if key.exists():
            return []
        done = subprocess.run(command, cwd=BUILD, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        # How many warnings of other headers clang-tidy keeps to itself is no finding.
        lines = [line.replace(f"{BUILD}/../", "").replace("../", "") for line in done.stdout.splitlines()
                 if not re.fullmatch(r"\d+ warnings?( and \d+ errors?)? (generated|treated as error)s?\.?|", line)]
        if done.returncode == 0 and not lines:
            key.touch()
            return []
        return [f"{path}: exit status {done.returncode}", *lines]

    def find(self, folder):
        """What is found in the files of a folder."""
        sources = self.sources(folder)
        assert sources, f"{folder}: no source"
        with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for lines in pool.map(lambda source: self.look(*source), sources):
                yield from lines

    def forget(self):
        """What is no more."""
        for path in self.clean.iterdir():
            if path.name not in self.used:
                path.unlink()


def compiling(entry, *more):
    """The command of an entry, without what it would write, and without making an error of a warning: all are told."""
    words = iter(shlex.split(entry["command"]))
    kept = []
    for word in words:
        if word in ("-MF", "-MQ", "-o"):
            next(words)
        elif word not in ("-MD", "-Werror"):
            kept.append(word)
    return [*kept, *more]


def unjustified(marker, paths):
    """Marks that switch a check off, and do not say which and why, all on their line or in the comment before it."""
    for path in tap.files(*paths):
        for number, line in enumerate(tap.text(path).split("\n"), 1):
            if marker in line and not re.search(marker + r"[^:]*: \w", line):
                yield f"{path}:{number}: {line.strip()}"
