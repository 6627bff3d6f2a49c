"""A machine in a container, driven from outside: a test is started in it again, as one step after the other."""

import json
import os
import subprocess

from world import LONG, chance

SRC = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


class Machine:
    def __init__(self, test, kind=""):
        stem = os.path.basename(test).partition(".")[0]
        self.name, self.test = f"{stem}{kind}-{os.getpid()}", f"/src/tests/system/{os.path.basename(test)}"
        self.script = os.environ.get("CONTAINER") or os.path.join(SRC, "tests/system/container")
        self.on_row = lambda row: None  # what was measured
        os.environ.setdefault("CONTAINER_SRC", SRC)
        os.environ["CONTAINER_OWNER"] = str(os.getpid())

    def call(self, *words, timeout=120, **env):
        return subprocess.run([self.script, words[0], self.name, *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, env={**os.environ, **env})

    def must(self, *words, **env):
        p = self.call(*words, **env)
        if p.returncode != 0:
            raise RuntimeError(f"container {words[0]}: {p.stdout}")
        return p.stdout

    def run(self, *words):
        return self.must("run", *words)

    def sql(self, text):
        out = self.run("psql", "-h", "/run/taskschedd/postgresql", "-U", "taskschedd", "-d", "taskschedd", "-X", "-A", "-t", "-q", "-c", text)
        return [line.split("|") for line in out.splitlines()]

    def start(self, *words):
        """The test, as another step, inside: its process."""
        settings = [f"TASKSCHEDD_SEED={chance.randrange(1 << 30)}", f"TASKSCHEDD_LONG={int(LONG)}"]
        return subprocess.Popen([self.script, "run", self.name, "env", *settings, self.test, *words], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def take(self, tap, line):
        """Its lines are counted with the others; what it measured is kept."""
        line = line.rstrip("\n")
        good, _, what = line.partition(" - ")
        if line.startswith("# row "):
            self.on_row(json.loads(line[6:]))
        if good.startswith(("ok ", "not ok ")) and what:
            tap.ok(good.startswith("ok"), what)
        elif not line.startswith("1.."):
            tap.note(line.removeprefix("# "))

    def step(self, tap, *words):
        with self.start(*words) as p:
            return self.follow(tap, p, *words)

    def follow(self, tap, p, *words):
        """To the end of what was started with these words."""
        planned = False
        for line in p.stdout:
            planned |= line.startswith("1..")
            self.take(tap, line)
        p.wait()
        if p.returncode not in (0, 1) or not planned:
            tap.ok(False, f"step {words[0]} ends", f"exit status {p.returncode}")
        if p.returncode != 0:
            tap.note(self.journal())
        return p.returncode == 0

    def journal(self):
        return self.call("run", "journalctl", "-q", "--no-pager", "-n", "60", "-o", "short-monotonic").stdout.replace("\n", "\n# ")
