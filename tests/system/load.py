"""A steady load of runs whose ends are known beforehand, who watches from outside while it goes on, and the judgement.

The truth is what the tasks write down themselves, in a file that the daemon never opens (see truth_task in world.py). What
was asked for lies beside it: it survives the loss of the machine's power as the memory of whoever asked would."""

import collections
import dataclasses
import re
import subprocess
import threading
import time

import dbus
import dbus.bus
import dbus.lowlevel

from world import ENDS, TRUTH, chance, command, sql, wait_until

ASKED, HELD = f"{TRUTH}.asked", f"{TRUTH}.held"
IN_FLIGHT = 20  # so many are to execute at once
ENOUGH = IN_FLIGHT + 5  # and so many are aimed at, since some end before something comes
DURATIONS = (0, 0.05, 0.5, 2, 3, 4)  # seconds, at most
STRETCH = 1.01, 10  # and longer where all is slow and too few execute: by so much from one to the next, and at most
CAP = 60  # so many are asked for and not over, by the truth
# Seconds from what the kernel or the task says of a moment to what the service manager says of it, at least and at most: it looks
# at the clock when it makes a process, and when it has the time to reap it. For as long as it answers nobody it may be later.
BEGIN, END = (-2, 2), (-0.1, 2)
NOTED = 0.3  # seconds: what it takes at most for an answer most of the time
CODES = {"exited": "1", "killed": "2"}
CHANGED = re.compile(rb'uint64 (\d+)\s+string "done"\s')
NAME, ROOT, MANAGER, PEER = "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager", "org.freedesktop.DBus.Peer"
# Who else is asked for a sign of life: the service manager, and a service that has nothing to do.
PID_1, IDLE = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1"), ("org.freedesktop.login1", "/org/freedesktop/login1")


class Client:
    """A connection of its own to the bus, made again when it is gone; asking starts no daemon."""

    def __init__(self):
        self.bus = None

    def call(self, method, signature="", *args, interface=MANAGER, timeout=30, whom=(NAME, ROOT)):
        try:
            if not self.bus:
                self.bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
                self.bus.set_exit_on_disconnect(False)
            message = dbus.lowlevel.MethodCallMessage(*whom, interface, method)
            message.set_auto_start(False)
            message.append(*args, signature=signature)
            return self.bus.send_message_with_reply_and_block(message, timeout).get_args_list()
        except dbus.DBusException:
            if self.bus and not self.bus.get_is_connected():
                self.bus = None
            raise

    def ping(self, whom=(NAME, ROOT)):
        """Whether it gave a sign of life."""
        try:
            self.call("Ping", interface=PEER, timeout=10, whom=whom)
            return True
        except dbus.DBusException:
            return False


def have_idle():
    """Who has nothing to do ends with its bus; when that was killed a few times it is given up, or hangs when it starts again."""
    client = Client()
    if client.ping(IDLE):
        return
    # It is stopped as well: while it hangs there is a job to start it, which fails when it is killed.
    command("systemctl", "kill", "--signal=SIGKILL", "systemd-logind.service", check=False)
    command("systemctl", "stop", "systemd-logind.service")
    command("systemctl", "reset-failed", "systemd-logind.service", check=False)
    command("systemctl", "start", "systemd-logind.service")
    if not wait_until(lambda: client.ping(IDLE), 30):
        raise RuntimeError("logind gives no sign of life")


class Truth:
    """What the tasks have written down so far."""

    def __init__(self):
        self.offset, self.lock = 0, threading.Lock()
        self.begins, self.ends = collections.defaultdict(list), collections.defaultdict(list)
        self.made = {}  # when the kernel made its process
        self.runs, self.full = {}, set()
        self.ended = []  # (when, token), one after the other

    def look(self):
        with self.lock, open(TRUTH, encoding="utf-8") as f:
            f.seek(self.offset)
            text = f.read()
            text = text[:text.rfind("\n") + 1]
            self.offset += len(text)
            for line in text.splitlines():
                self.take(*line.split())
        return self

    def take(self, kind, token, run, _, at, made=None):
        if kind == "full":
            self.full.add(token)
            return
        self.runs[token] = run
        if kind == "begin":
            self.begins[token].append(float(at))
            self.made[token] = float(made)
        else:
            self.ends[token].append(float(at))
            self.ended.append((float(at), token))

    def executing(self, moment):
        """Tokens of what executed then and came to its end, or to none."""
        return [t for t, at in list(self.begins.items()) if at[0] <= moment < self.ends.get(t, [float("inf")])[0]]


@dataclasses.dataclass
class Asked:
    """One run: how it is to end, and when its asking was answered. What was done to it on purpose may make it end otherwise."""
    token: str
    end: str
    seconds: str
    answered: float = 0
    may: list = dataclasses.field(default_factory=list)

    def expected(self, ended):
        """What is not said to have ended did not end as it was to."""
        return [ENDS[self.end], *self.may] if ended else self.may


def note(path, *words):
    with open(path, "a", encoding="utf-8") as f:
        f.write(" ".join(words) + "\n")


class Load:
    """Asks for one run after the other, as many as are not too many at once, each until it is answered."""

    def __init__(self, name, task="timed", cap=CAP, durations=DURATIONS, enough=ENOUGH):
        self.name, self.task, self.cap, self.durations, self.enough = name, task, cap, durations, enough
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

    def ask(self, one):
        options = {"token": dbus.String(one.token, variant_level=1),
                   "texts": dbus.Dictionary({"token": one.token, "end": one.end, "seconds": one.seconds}, signature="ss", variant_level=1)}
        self.client.call("RunTask", "sa{sv}a{sv}", self.task, {}, options)
        one.answered = time.time()
        note(ASKED, "answered", one.token, f"{one.answered:.6f}")

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
            self.stretch = min(self.stretch * step, most) if len(self.flying()) < self.enough else max(self.stretch / step, 1)
        seconds = chance.choice(self.durations) * chance.uniform(0.5, 1) * self.stretch
        self.numbered += 1
        one = Asked(f"{self.name}-{self.numbered - 1}", chance.choice(list(ENDS)), f"{seconds:.2f}")
        note(ASKED, "try", one.token, one.end, one.seconds)
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
    """Asks ten times a second for a sign of life, and as often how that run stands whose task ended first of all that are not
    known to be done. What ended before since is nobody's concern. Watches the service manager likewise, and where it is wanted
    a service that has nothing to do, for what is the machine's fault."""

    def __init__(self, load, since=0.0, compare=False):
        self.load, self.since, self.stopping = load, since, False
        self.took, self.idle, self.silence, self.overdue = [], [], 0.0, 0.0
        self.told, self.monitor = set(), None
        work = [self.ping, self.listen, self.follow, self.watch] + [self.compare] * compare
        self.threads = [threading.Thread(target=f, daemon=True) for f in work]
        for thread in self.threads:
            thread.start()

    def ping(self):
        client, last = Client(), time.monotonic()
        while not self.stopping:
            begin = time.monotonic()
            if client.ping():
                now = time.monotonic()
                self.took.append((begin, now))
                self.silence, last = max(self.silence, now - last), now
            time.sleep(0.1)
        self.silence = max(self.silence, time.monotonic() - last)

    def compare(self):
        """More often than the daemon; what keeps this thread from asking counts as well."""
        client = Client()
        while not self.stopping:
            due = time.monotonic() + 0.02
            time.sleep(0.02)
            if client.ping(IDLE):
                self.idle.append((due, time.monotonic()))

    def slower(self):
        """Of each sign of life, by how many seconds it was later than one of who has nothing to do at that time."""
        return [end - begin - max((to - due for due, to in self.idle if due < end and to > begin), default=0) for begin, end in self.took]

    def watch(self):
        """Writes down when the service manager answered nobody."""
        client, last = Client(), time.time()
        while not self.stopping:
            begin = time.time()
            if client.ping(PID_1):
                if time.time() > last + NOTED:
                    note(HELD, f"{last:.6f}", f"{time.time():.6f}")
                last = begin
            time.sleep(0.1)
        note(HELD, f"{last:.6f}", f"{time.time():.6f}")

    def listen(self):
        """Ends that are told on the bus are recorded: nobody has to ask."""
        rule = "type='signal',interface='org.taskschedd1.Manager',member='RunChanged'"
        while not self.stopping:
            with subprocess.Popen(["dbus-monitor", "--system", rule], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as self.monitor:
                text = b""
                while more := self.monitor.stdout.read1(65536):
                    text += more
                    while match := CHANGED.search(text):
                        self.told.add(match[1].decode())
                        text = text[match.end():]
            time.sleep(0.1)

    def follow(self):
        client, n, waited = Client(), 0, False
        while not self.stopping:
            if n == len(self.load.truth.ended):
                time.sleep(0.1)
                self.load.truth.look()
                continue
            at, token = self.load.truth.ended[n]
            # An older copy of the database has never heard of some.
            if at <= self.since or token not in self.load.asked:
                n, waited = n + 1, False
                continue
            done = self.load.truth.runs[token] in self.told or self.is_done(client, token)
            if waited or not done:
                self.overdue = max(self.overdue, time.time() - at)
            if done:
                n, waited = n + 1, False
            else:
                waited = True
                time.sleep(0.1)

    def is_done(self, client, token):
        try:
            return client.call("GetRun", "t", int(self.load.truth.runs[token]), timeout=10)[0]["State"] == "done"
        except dbus.DBusException:
            return False

    def stop(self):
        self.stopping = True
        self.monitor.terminate()
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


class Held:
    """When the service manager answered nobody."""

    def __init__(self):
        try:
            self.spans = [tuple(map(float, line.split())) for line in open(HELD, encoding="utf-8")]
        except FileNotFoundError:
            self.spans = []

    def between(self, begin, end):
        """Seconds for which it did so, of what lies in that time or reaches into it."""
        return max((to - since for since, to in self.spans if since < end and to > begin), default=0)


def times_are_right(row, one, truth, held):
    """Those that the daemon records are the service manager's, not those at which it heard of them."""
    def fits(recorded, at, least, most):
        return at is None or least <= recorded - at <= most + held.between(at, recorded)
    return fits(row.started, truth.made.get(one.token), *BEGIN) and fits(row.finished, truth.ends.get(one.token, [None])[0], *END)


def right(row, one, truth, held):
    """Result, exit status, output and times are what the task says."""
    ends = [(result, CODES[code], str(status)) for result, code, status in one.expected(one.token in truth.ends)]
    if (row.result, row.code, row.status) not in ends or not times_are_right(row, one, truth, held):
        return False
    return one.token not in truth.ends or row.output == ("" if one.token in truth.full else one.token)


def judge(load, may_be_lost=lambda row, truth: False, sql=sql):
    """Lists of what is missing, wrong, twice; of what is recorded as lost and may be."""
    truth, rows, held = load.truth.look(), rows_of(load.name, sql), Held()
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
        elif not right(row, one, truth, held) or not one.may and (not begins or not ends):
            found["wrong"].append((one, row, truth.made.get(one.token), begins, ends))
    return found
