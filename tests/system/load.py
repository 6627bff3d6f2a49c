"""A steady load of runs whose ends are known beforehand, who watches from outside while it goes on, and the judgement.

The truth is what the tasks write down themselves, in a file that the daemon never opens (see truth_task in world.py). What
was asked for lies beside it: it survives the loss of the machine's power as the memory of whoever asked would."""

import collections
import dataclasses
import threading
import time

import dbus
import dbus.bus
import dbus.lowlevel

from world import ENDS, TRUTH, chance, sql

ASKED = f"{TRUTH}.asked"
IN_FLIGHT = 20  # so many are to execute at once
DURATIONS = (0, 0.05, 0.5, 2, 3, 4)  # seconds, at most
STRETCH = 1.01, 10  # and longer where all is slow and too few execute: by so much from one to the next, and at most
CAP = 60  # so many are asked for and not over, by the truth
# Seconds from what the service manager says of a moment to what the task says of it, at least and at most, where all wait for a
# processor: a process may begin before its parent has looked at the clock, but none ends after it was waited for.
BEGIN, END = (-5, 60), (-60, 0.1)
CODES = {"exited": "1", "killed": "2"}
NAME, ROOT, MANAGER, PEER = "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager", "org.freedesktop.DBus.Peer"


class Client:
    """A connection of its own to the bus, made again when it is gone; asking starts no daemon."""

    def __init__(self):
        self.bus = None

    def call(self, method, signature="", *args, interface=MANAGER, timeout=30):
        try:
            if not self.bus:
                self.bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
                self.bus.set_exit_on_disconnect(False)
            message = dbus.lowlevel.MethodCallMessage(NAME, ROOT, interface, method)
            message.set_auto_start(False)
            message.append(*args, signature=signature)
            return self.bus.send_message_with_reply_and_block(message, timeout).get_args_list()
        except dbus.DBusException:
            if self.bus and not self.bus.get_is_connected():
                self.bus = None
            raise


class Truth:
    """What the tasks have written down so far."""

    def __init__(self):
        self.offset, self.lock = 0, threading.Lock()
        self.begins, self.ends = collections.defaultdict(list), collections.defaultdict(list)
        self.runs, self.full = {}, set()

    def look(self):
        with self.lock, open(TRUTH, encoding="utf-8") as f:
            f.seek(self.offset)
            text = f.read()
            text = text[:text.rfind("\n") + 1]
            self.offset += len(text)
            for line in text.splitlines():
                self.take(*line.split())
        return self

    def take(self, kind, token, run, _, at):
        if kind == "full":
            self.full.add(token)
        else:
            (self.begins if kind == "begin" else self.ends)[token].append(float(at))
            self.runs[token] = run


@dataclasses.dataclass
class Asked:
    """One run: how it is to end, and when its asking was answered. What was done to it on purpose may make it end otherwise."""
    token: str
    end: str
    seconds: str
    answered: float = 0
    may: list = dataclasses.field(default_factory=list)

    def expected(self):
        return [ENDS[self.end], *self.may]


class Load:
    """Asks for one run after the other, as many as are not too many at once, each until it is answered."""

    def __init__(self, name, task="timed", cap=CAP, durations=DURATIONS):
        self.name, self.task, self.cap, self.durations = name, task, cap, durations
        self.asked, self.truth, self.client = {}, Truth(), Client()
        self.stopping = self.given_up = False
        # Tokens of what is over though the truth has no end of it: it went with its machine, or never began. And of what was
        # asked for before the machine went down, and had not begun.
        self.over, self.recalled, self.looked = set(), set(), 0.0
        self.stretch = 1.0
        self.trouble = collections.Counter()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.recall()
        self.numbered = len(self.asked)

    def recall(self):
        """What this load asked for before the machine went down."""
        try:
            lines = [line.split() for line in open(ASKED, encoding="utf-8")]
        except FileNotFoundError:
            return
        for kind, token, *more in lines:
            if token.startswith(f"{self.name}-") and kind == "try":
                self.asked[token] = Asked(token, *more)
            elif token in self.asked:
                self.asked[token].answered = float(more[0])
        truth = self.truth.look()
        self.over = {t for t in self.asked if t in truth.begins and t not in truth.ends}
        self.recalled = {t for t in self.asked if t not in truth.begins}

    def look_again(self):
        """Some of what had not begun when the machine went down was just about to, and will not any more."""
        if not self.recalled or time.monotonic() < self.looked + 1:
            return
        self.looked = time.monotonic()
        try:
            done = {row[0] for row in sql(f"select k.token from ask k join run r on r.id = k.run where r.state = 'done' and "
                                          f"k.token in ({quoted(self.recalled)})")}
        except RuntimeError:
            return
        self.over |= done
        self.recalled -= done

    def is_over(self, one):
        """What was ended on purpose says nothing itself."""
        return bool(one.may) or one.token in self.truth.ends or one.token in self.over

    def note(self, *words):
        with open(ASKED, "a", encoding="utf-8") as f:
            f.write(" ".join(words) + "\n")

    def ask(self, one):
        options = {"token": dbus.String(one.token, variant_level=1),
                   "texts": dbus.Dictionary({"token": one.token, "end": one.end, "seconds": one.seconds}, signature="ss", variant_level=1)}
        self.client.call("RunTask", "sa{sv}a{sv}", self.task, {}, options)
        one.answered = time.time()
        self.note("answered", one.token, f"{one.answered:.6f}")

    def ask_until_answered(self, one):
        while not one.answered and not self.given_up:
            try:
                self.ask(one)
            except dbus.DBusException as e:
                self.trouble[(e.get_dbus_name() or "").rsplit(".", 1)[-1]] += 1
                time.sleep(0.05)

    def new(self):
        # What ends at once is seldom, or nothing would be in flight.
        if len(self.asked) > self.cap:
            step, most = STRETCH
            self.stretch = min(self.stretch * step, most) if len(self.flying()) < IN_FLIGHT else max(self.stretch / step, 1)
        seconds = chance.choice(self.durations) * chance.uniform(0.5, 1) * self.stretch
        self.numbered += 1
        one = Asked(f"{self.name}-{self.numbered - 1}", chance.choice(list(ENDS)), f"{seconds:.2f}")
        self.note("try", one.token, one.end, one.seconds)
        with self.lock:
            self.asked[one.token] = one
        return one

    def run(self):
        for one in [a for a in self.asked.values() if not a.answered]:
            self.ask_until_answered(one)
        while not self.stopping:
            self.truth.look()
            if sum(not self.is_over(one) for one in self.asked.values()) >= self.cap:
                self.look_again()
                time.sleep(0.01)
            else:
                self.ask_until_answered(self.new())

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """What was asked last is asked to its answer."""
        self.stopping = True
        self.thread.join(120)
        self.given_up = True
        self.thread.join(60)

    def snapshot(self):
        with self.lock:
            return list(self.asked.values())

    def flying(self):
        """Tokens of the runs that have begun and are not over, by the truth."""
        truth = self.truth.look()
        return [a.token for a in self.snapshot() if a.token in truth.begins and not self.is_over(a)]

    def ended_by(self, moment):
        truth = self.truth.look()
        return [a.token for a in self.snapshot() if truth.ends.get(a.token, [moment + 1])[0] <= moment]


class Prober:
    """Asks ten times a second for a sign of life, and as often how a run stands whose task has ended: one run after the other
    until it is told to be done."""

    def __init__(self, load):
        self.load, self.stopping = load, False
        self.took, self.silence, self.overdue = [], 0.0, 0.0
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.ping, self.follow)]
        for thread in self.threads:
            thread.start()

    def ping(self):
        client, last = Client(), time.monotonic()
        while not self.stopping:
            begin = time.monotonic()
            try:
                client.call("Ping", interface=PEER, timeout=10)
                now = time.monotonic()
                self.took.append(now - begin)
                self.silence, last = max(self.silence, now - last), now
            except dbus.DBusException:
                pass
            time.sleep(0.1)
        self.silence = max(self.silence, time.monotonic() - last)

    def follow(self):
        client, seen, run, token = Client(), 0.0, None, None
        while not self.stopping:
            time.sleep(0.1)
            truth = self.load.truth
            if not run:
                ended = [(at[0], t) for t, at in list(truth.ends.items()) if at[0] > seen and t.startswith(f"{self.load.name}-")]
                if not ended:
                    continue
                at, token = max(ended)
                run, seen = truth.runs[token], at
            try:
                done = client.call("GetRun", "t", int(run), timeout=10)[0]["State"] == "done"
            except dbus.DBusException:
                done = False
            forgotten = token not in self.load.asked  # an older copy of the database has never heard of it
            if not forgotten:
                self.overdue = max(self.overdue, time.time() - seen)
            if done or forgotten:
                run = None

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(30)


# --- the judgement -----------------------------------------------------------------------------------------------------


def quoted(tokens):
    return ", ".join(f"'{t}'" for t in tokens) or "''"


ROW = """select k.token, r.id, r.state, r.result, r.exit_code, coalesce(r.exit_status, -1), coalesce(r.output->>'token', ''),
    coalesce(extract(epoch from r.started), 0), coalesce(extract(epoch from r.finished), 0),
    coalesce(extract(epoch from r.claimed), 0), r.reason from ask k join run r on r.id = k.run"""
Row = collections.namedtuple("Row", "token run state result code status output started finished claimed reason")


def rows_of(name, sql=sql):
    """token -> the rows that there are of it."""
    found = collections.defaultdict(list)
    for words in sql(f"{ROW} where k.token like '{name}-%'"):
        row = Row(*words[:10], " ".join(words[10:]))
        found[row.token].append(row._replace(**{k: float(getattr(row, k)) for k in ("started", "finished", "claimed")}))
    return found


def right(row, one, truth):
    """Result, exit status, output and times are what the task says."""
    ends = [(result, CODES[code], str(status)) for result, code, status in one.expected()]
    if (row.result, row.code, row.status) not in ends:
        return False
    begin, end = truth.begins.get(one.token), truth.ends.get(one.token)
    if begin and not BEGIN[0] <= begin[0] - row.started <= BEGIN[1] or end and not END[0] <= end[0] - row.finished <= END[1]:
        return False
    return not end or row.output == ("" if one.token in truth.full else one.token)


def judge(load, may_be_lost=lambda row, truth: False, sql=sql):
    """Lists of what is missing, wrong, twice; of what is recorded as lost and may be."""
    truth, rows = load.truth.look(), rows_of(load.name, sql)
    found = {"missing": [], "wrong": [], "twice": [], "unknown": []}
    for one in load.snapshot():
        there = rows.get(one.token, [])
        # Whether it never ran, or ran and was not recorded, nobody would know of it.
        if len(there) != 1 or there[0].state != "done":
            found["missing"].append((one, there))
            continue
        row, begins, ends = there[0], truth.begins.get(one.token, []), truth.ends.get(one.token, [])
        if len(begins) > 1 or len(ends) > 1:
            found["twice"].append((one, begins, ends, row))
        if row.result == "lost" and may_be_lost(row, truth):
            found["unknown"].append((one, row))
        elif not right(row, one, truth) or not one.may and (not begins or not ends):
            found["wrong"].append((one, row, begins, ends))
    return found
