#!/usr/bin/python3
"""upgrading.py STEP [ARG...] - what upgrade.test does inside its machine. Prints lines of TAP without numbers."""

import glob
import hashlib
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, "/src/tests/system")
from world import (ENDS, apply, ask, chance, command, ctl, drop_in, manager, parse_time, script, show, sql, truth,  # noqa: E402
                   truth_task, wait_running, wait_until)

STATE = "/var/lib/taskschedd/postgresql"
KEPT = "/var/lib/upgrading"  # what one step leaves for the next
DATABASE = "taskschedd-postgresql.service"
UPGRADE = "taskschedd-postgresql-upgrade.service"
SHIM = "/usr/local/lib/upgrading"


def ok(good, what, detail=""):
    print(f"{'ok' if good else 'not ok'} - {what}", flush=True)
    if not good:
        for line in str(detail).splitlines()[-40:]:
            print(f"#   {line}", flush=True)
    return good


def same(got, want, what):
    ok(got == want, what, f"got  {got!r}\nwant {want!r}")


def note(text):
    print(f"# {text}", flush=True)


def keep(name, value=None):
    path = f"{KEPT}/{name}.json"
    if value is None:
        return json.load(open(path, encoding="utf-8"))
    os.makedirs(KEPT, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f)
        f.flush()
        os.fsync(f.fileno())
    return value


def version():
    return open(f"{STATE}/data/PG_VERSION", encoding="utf-8").read().strip()


def served():
    return sql("show server_version")[0][0].split(".")[0]


def journal(unit):
    return command("journalctl", "-q", "--no-pager", "-o", "cat", "-u", unit)


def upgrade_state():
    return command("systemctl", "show", "-P", "ActiveState", UPGRADE).strip()


# --- every row --------------------------------------------------------------------------------------------------------


def rows():
    """Everything in the schema, in an order of its own: table -> (rows, digest of all of them), and how each is made."""
    tables = [t for t, in sql("select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                              " where n.nspname = 'taskschedd' and c.relkind in ('r', 'p') and not c.relispartition order by 1")]
    found = {}
    for table in tables:
        text = command("psql", "-h", "/run/taskschedd/postgresql", "-U", "taskschedd", "-d", "taskschedd", "-X", "-q", "-c",
                       f"copy (select tableoid::regclass, t::text from taskschedd.{table} t order by t::text collate \"C\")"
                       " to stdout")
        found[table] = [text.count("\n"), hashlib.sha256(text.encode()).hexdigest()]
    for what, query in {
            "sequences": "select sequencename, last_value from pg_sequences where schemaname = 'taskschedd' order by 1",
            "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'taskschedd' order by 1",
            "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
                           " where connamespace = 'taskschedd'::regnamespace and contype <> 'n' order by 1, 2",
            "functions": "select proname, md5(pg_get_functiondef(oid)) from pg_proc where pronamespace = 'taskschedd'::regnamespace order by 1",
            "columns": "select table_name, column_name, data_type, column_default, is_nullable from information_schema.columns"
                       " where table_schema = 'taskschedd' order by 1, 2"}.items():
        found[what] = sql(query)
    return json.loads(json.dumps(found))


def settings():
    return {name: open(f"{STATE}/data/{name}", encoding="utf-8").read()
            for name in ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")}


def compare(what):
    now, then = rows(), keep("rows")
    n = then["run"][0]
    ok(now == then, f"{what}: {n} runs and all else are what they were, row by row",
       "\n".join(f"{t}: {str(then.get(t))[:300]} is {str(now.get(t))[:300]}" for t in {**now, **then} if now.get(t) != then.get(t)))


# --- making them ------------------------------------------------------------------------------------------------------


def ask_real(n):
    """Runs that are executed: each end, retries, secrets, files, metadata; some are cancelled, some wait for long."""
    truth_task()
    apply("rich", """[Task]
Retries=2
RetryDelay=10ms
[Input]
text=string required
number=integer default=7
real=number default=1.5
secret=string secret
[Output]
said=string
[Service]
ExecStart=/bin/sh -c 'echo "said=$$0" >"$$TASKSCHEDD_OUTPUT"; exit $$1' ${text} ${number}
[Schedule often]
Every=1h
Input.text=slot
[Schedule once]
At=2099-01-01 00:00
Input.text=late
""")
    os.makedirs(KEPT, exist_ok=True)
    with open(f"{KEPT}/secret", "w", encoding="utf-8") as f:
        f.write("hush")
    apply("raw", "[Service]\nExecStart=/bin/cat\nStandardInput=null\n")
    apply("gone", "[Service]\nExecStart=/bin/true\n")
    apply("gone", "[Service]\nExecStart=/bin/false\n")
    ctl("delete", "gone")
    ctl("disable", "rich/often")
    apply("ticking", "[Service]\nExecStart=/bin/true\n[Schedule fast]\nEvery=1s\n")
    work = [["timed", f"token=t{i}", f"end={chance.choice(list(ENDS))}", "seconds=0"] if i % 2 else
            ["rich", f"text=word {i} \u00fc\u20ac \\ \" '", f"number={i % 3}", f"secret=@{KEPT}/secret", "--meta", f"i={i}"] for i in range(n)]
    waiting, trouble = iter(enumerate(work)), []

    def client():
        for i, words in waiting_locked():
            p = subprocess.run(["tschedctl", "run", *words, "--token", f"real{i}"], capture_output=True, text=True, timeout=60)
            if p.returncode:
                trouble.append((words, p.stderr))

    lock = threading.Lock()

    def waiting_locked():
        while True:
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            yield item

    threads = [threading.Thread(target=client) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    ok(not trouble, f"{n} runs are asked for", trouble[:3])
    ask("raw")
    # It ticks for as long as more than one slot takes, however fast the rest was.
    ok(wait_until(lambda: int(sql("select count(*) from slot")[0][0]) > 1, 60), "a schedule fires more than once", sql("select * from slot"))
    ctl("disable", "ticking")
    for _ in range(20):
        ask("rich", "text=later", "--at", "2099-01-01 00:00:00")
    ctl("cancel", str(ask("rich", "text=never", "--at", "2098-01-01 00:00:00")))
    done = wait_until(lambda: not sql("select 1 from run where state not in ('done', 'waiting') limit 1"), 120 + n / 20, 0.3)
    ok(done, "and executed", sql("select id, state, reason from run where state not in ('done', 'waiting')"))


# Copies of what was executed, each with numbers, times and texts of its own.
MANY = """
select setval('run_id', (select max(id) from run));
create temp table copies as
    select r as run, nextval('run_id') as id, row_number() over () as i
    from generate_series(1, {rounds}) round, (select r from run r where state = 'done') all_runs order by round, (r).id limit {n};
select partitions_ahead();
insert into run select x.* from copies, lateral json_populate_record(run, json_build_object('id', id, 'token', null,
    'due', (run).due - i * interval '1 s', 'asked', (run).asked - i * interval '1 s',
    'claimed', (run).claimed - i * interval '1 s', 'started', (run).started - i * interval '1 s',
    'finished', (run).finished - i * interval '1 s',
    'input', json_build_object('text', md5(i::text), 'number', i, 'list', json_build_array(i, null, i / 7.0)),
    'output', case when i % 3 = 0 then json_build_object('said', repeat(md5(i::text), (i % 50)::int)) end,
    'raw', case when i % 11 = 0 then decode(md5(i::text), 'hex') end,
    'meta', jsonb_build_object('i', i::text, 'even', (i % 2)::text), 'cpu_nsec', i * 1000003, 'memory_peak', i * 4096)) x;
insert into attempt select x.* from copies c join attempt a on a.run = (c.run).id,
    lateral json_populate_record(a, json_build_object('run', c.id, 'token', gen_random_uuid(), 'fence', c.i + 1000000,
    'unit', format('tsched-run-%s-%s.service', c.id, a.attempt), 'claimed', a.claimed - c.i * interval '1 s',
    'started', a.started - c.i * interval '1 s', 'finished', a.finished - c.i * interval '1 s')) x;
insert into audit select now() - i * interval '1 s', i % 3, 'session-' || i || '.scope', 'RunTask', 'timed', i % 5 > 0 from copies;
"""


def step_fill(n, real):
    """At least n runs, real of which were executed."""
    n, real = int(n), int(real)
    ok(wait_running(60), "the daemon runs", manager("Reason"))
    same(served(), "15", "on PostgreSQL 15")
    ask_real(real)
    have = int(sql("select count(*) from run")[0][0])
    if have < n:
        sql(MANY.format(n=n - have, rounds=n // real + 2))
    with open(f"{STATE}/data/postgresql.conf", "a", encoding="utf-8") as f:
        f.write("# of the administrator's\nwork_mem = 5MB\n")
    command("psql", "-h", "/run/taskschedd/postgresql", "-U", "taskschedd", "-d", "taskschedd", "-X", "-q", "-c",
            "alter system set maintenance_work_mem = '33MB'")
    for name in ("pg_hba.conf", "pg_ident.conf"):
        with open(f"{STATE}/data/{name}", "a", encoding="utf-8") as f:
            f.write("# of the administrator's too\n")
    command("systemctl", "stop", "taskschedd.service")
    command("systemctl", "restart", DATABASE)
    keep("settings", settings())
    found = keep("rows", rows())
    counts = {table: found[table][0] for table in found if isinstance(found[table][0], int)}
    ok(counts["run"] >= n and counts["attempt"] >= n and counts["audit"] >= n and counts["slot"] > 1, f"there are {n} runs, and more of all else", counts)
    note(" ".join(f"{table} {count}" for table, count in sorted(counts.items())))


# --- upgrades ---------------------------------------------------------------------------------------------------------


def database_is_up(seconds=60):
    return wait_until(lambda: command("systemctl", "is-active", DATABASE, check=False).strip() == "active", seconds)


def begin_upgrade():
    command("systemctl", "reset-failed", UPGRADE, check=False)
    command("systemctl", "start", "--no-block", UPGRADE)
    wait_until(lambda: upgrade_state() == "activating", 10, 0.01)


def kill_upgrade():
    command("systemctl", "kill", "--signal=SIGKILL", UPGRADE, check=False)
    wait_until(lambda: upgrade_state() != "activating", 10, 0.01)


def judge_killed(what, want=None):
    """The database is up, as one or the other, and is what it was."""
    ok(database_is_up(), f"{what}: the database is served again", journal(DATABASE)[-2000:])
    now = version()
    same(served(), now, f"{what}: by its own version")
    if want:
        same(now, want, f"{what}: which is the one that counts")
    compare(what)
    return now


def step_killed(count):
    """Killed at moments of chance, from its beginning to where it ends; then it may be started again."""
    took = keep("took")
    for i in range(int(count)):
        begin_upgrade()
        seconds = took * (i + chance.random()) / int(count)
        time.sleep(seconds)
        was = upgrade_state()
        kill_upgrade()
        note(f"killed after {seconds:.2f} of {took:.2f} s, {was}: {sorted(os.listdir(STATE))}")
        if judge_killed(f"killed after {seconds:.2f} s") == "17":
            step_back("killed when it was done")


def step_refused():
    """What the new server does not take is said, and the old one serves on."""
    conf = settings()["postgresql.conf"]
    with open(f"{STATE}/data/postgresql.conf", "a", encoding="utf-8") as f:
        f.write("old_snapshot_threshold = 1h\n")
    begin = time.monotonic()
    p = subprocess.run(["systemctl", "start", UPGRADE], capture_output=True, text=True, timeout=120)
    said = journal(UPGRADE)
    ok(p.returncode != 0 and "does not take the settings" in said and "old_snapshot_threshold" in said,
       "a setting that PostgreSQL 17 does not know ends the upgrade, and is named", said[-1500:])
    note(f"that took {time.monotonic() - begin:.1f} s")
    judge_killed("refused", "15")
    with open(f"{STATE}/data/postgresql.conf", "w", encoding="utf-8") as f:
        f.write(conf)


def step_upgrade():
    """With nobody else at work: the whole of it, and every row."""
    command("systemctl", "reset-failed", UPGRADE, check=False)
    begin = time.monotonic()
    p = subprocess.run(["systemctl", "start", UPGRADE], capture_output=True, text=True, timeout=300)
    took = keep("took", time.monotonic() - begin)
    note(f"the upgrade took {took:.1f} s, the database has {sql('select pg_database_size(current_database()) / 1048576')[0][0]} MiB"
         if database_is_up() else "no database")
    ok(p.returncode == 0, "the upgrade succeeds", journal(UPGRADE)[-3000:])
    judge_killed("upgraded", "17")
    same(settings(), keep("settings"), "upgraded: the settings are taken over as they are")
    same([sql(f"show {name}")[0][0] for name in ("work_mem", "maintenance_work_mem", "data_checksums")], ["5MB", "33MB", "on"],
         "upgraded: and in force, and so are the checksums")
    same(sql("select count(*) > 0 from pg_stats where schemaname = 'taskschedd' and tablename = 'run_0' and attname = 'task'"),
         [["t"]], "upgraded: the planner knows the tables")
    same(sorted(os.path.basename(p) for p in glob.glob(f"{STATE}/*")), ["data", "data.15", "dumps"],
         "upgraded: the old cluster is kept, and nothing else is left")
    same(sorted(os.listdir("/run/taskschedd/postgresql")), [".s.PGSQL.5432", ".s.PGSQL.5432.lock"], "upgraded: nor in /run")
    dumps = sorted(glob.glob(f"{STATE}/dumps/*"))
    lines = subprocess.run(["zcat", dumps[-1]], capture_output=True, text=True, check=True).stdout.splitlines() if dumps else []
    copied = counted = 0
    for line in lines:
        if line.startswith("COPY taskschedd.run_"):
            counted = 1
        elif line == "\\.":
            counted = 0
        else:
            copied += counted
    same((copied, "-- PostgreSQL database cluster dump complete" in lines), (keep("rows")["run"][0], True),
         "upgraded: the dump has every run, and its last line")
    same(command("pg_lsclusters", "--no-header").strip(), "", "Debian's own tools know of no cluster")


def step_back(what="back"):
    """The way back to the old cluster, as the manual has it."""
    command("systemctl", "stop", DATABASE)
    command("sh", "-euc", f"cd {STATE} && rm -r data && mv data.15 data")
    command("systemctl", "start", DATABASE)
    judge_killed(what, "15")


# --- stopped at a moment of choice ------------------------------------------------------------------------------------


def stop_at(n):
    """The upgrade stands still after its n-th mv of a cluster; 0 puts that away."""
    if not n:
        command("rm", "-rf", f"/etc/systemd/system/{UPGRADE}.d/shim.conf")
        command("systemctl", "daemon-reload")
        return
    script(f"{SHIM}/mv", f"""#!/bin/sh
/usr/bin/mv "$@" || exit
case "$*" in *"{STATE}/data"*) ;; *) exit 0 ;; esac
echo x >>"$RUNTIME_DIRECTORY/moved"
[ "$(wc -l <"$RUNTIME_DIRECTORY/moved")" -lt {n} ] || exec sleep 600
""")
    drop_in(UPGRADE, "shim", f"[Service]\nEnvironment=PATH={SHIM}:/usr/sbin:/usr/bin:/sbin:/bin\n")
    command("rm", "-f", "/run/taskschedd/postgresql/moved")


def run_to(n, there):
    stop_at(n)
    begin_upgrade()
    moved = "/run/taskschedd/postgresql/moved"
    ok(wait_until(lambda: os.path.exists(moved) and open(moved).read().count("x") >= n, 200),
       f"the upgrade stands after {n} of its renames", journal(UPGRADE)[-1500:])
    same(sorted(d for d in os.listdir(STATE) if d != "dumps"), there, "with what is there then")


MOMENTS = {1: (["data", "data.next"], "15"), 2: (["data.15", "data.next"], "17"), 3: (["data", "data.15"], "17")}


def step_stand(n):
    # It would write to the database as soon as the machine is up again.
    command("systemctl", "mask", "taskschedd.service")
    run_to(int(n), MOMENTS[int(n)][0])


def step_stood(n, what):
    """After whatever befell it there."""
    stop_at(0)
    command("systemctl", "unmask", "taskschedd.service")
    command("systemctl", "start", DATABASE)
    if judge_killed(what, MOMENTS[int(n)][1]) == "17":
        step_back(f"{what}, and back")


def step_kill_at(n):
    run_to(int(n), MOMENTS[int(n)][0])
    kill_upgrade()
    step_stood(n, f"killed after {n} renames")


# --- the daemon at work -----------------------------------------------------------------------------------------------


def start_real(names):
    runs = {}
    for i, token in enumerate(names):
        end, seconds = chance.choice(list(ENDS)), chance.uniform(2, 4 + keep("took") * 1.5)
        runs[token] = ask("timed", f"token={token}", f"end={end}", f"seconds={seconds:.2f}"), end
    if not wait_until(lambda: all(t in truth("begin") for t in names), 30):
        raise RuntimeError("not all of them began")
    return runs


def watch(reasons, stop):
    while not stop.is_set():
        text = f"{manager('State')}: {manager('Reason')}"
        if not reasons or reasons[-1] != text:
            reasons.append(text)
        time.sleep(0.05)


def step_daemon():
    """Asked for through the daemon, while runs execute."""
    command("systemctl", "start", "taskschedd.service", timeout=60)
    ok(wait_running(60), "the daemon runs on what was 15 again", manager("Reason"))
    runs = start_real([f"during{i}" for i in range(24)])
    reasons, stop = [], threading.Event()
    watcher = threading.Thread(target=watch, args=(reasons, stop))
    watcher.start()
    since = time.time()
    p = subprocess.run(["busctl", "call", "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager", "UpgradeDatabase",
                        "a{sv}", "0"], capture_output=True, text=True, timeout=30)
    ok(p.returncode == 0, "the daemon takes it on", p.stderr)
    wait_until(lambda: manager("State") == "waiting-for-database", 20, 0.02)
    asked = subprocess.Popen(["tschedctl", "run", "timed", "token=asked", "seconds=0.1"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    ok(wait_until(lambda: upgrade_state() == "inactive" and manager("State") == "running", 200),
       "it is done, and the daemon has found the new one by itself", f"{upgrade_state()} {manager('Reason')}\n{journal(UPGRADE)[-2000:]}")
    back = time.time()
    stop.set()
    watcher.join()
    same(served(), "17", "which is PostgreSQL 17")
    ok(any("is being upgraded from PostgreSQL 15 to 17" in r for r in reasons), "Reason said so meanwhile", reasons)
    note(f"the database was away for {back - since:.1f} s")
    out, err = asked.communicate(timeout=90)
    ok(asked.returncode == 0, "who asked for a run meanwhile was answered in the end", err)
    runs["asked"] = (int(out or 0), "0")
    ids = ",".join(str(run) for run, _ in runs.values())
    ok(wait_until(lambda: not sql(f"select 1 from run where id in ({ids}) and state <> 'done' limit 1"), 60, 0.2),
       "every run that executed is done", sql(f"select id, state, reason from run where id in ({ids}) and state <> 'done'"))
    begins, ends, wrong, meanwhile = truth("begin"), truth("end"), [], 0
    for token, (run, end) in runs.items():
        s = show(run)
        got = (s.get("Result"), s.get("ExitCode"), s.get("ExitStatus"), (s.get("Output") or {}).get("token"), s["Attempt"])
        late = abs(parse_time(s["Finished"]) - ends[token][0]) > 1
        if got != (*ENDS[end], token, 1) or late or len(begins[token]) != 1:
            wrong.append((run, got, ENDS[end], s["Finished"], ends[token]))
        meanwhile += since < ends[token][0] < back
    ok(not wrong, "each once, as it ended, when it ended", wrong)
    ok(meanwhile >= 3, "some of them ended while there was no database", meanwhile)
    listed = json.loads(ctl("--json=short", "list-runs", "--limit", "0", timeout=120))
    same(len(listed), keep("rows")["run"][0] + len(runs), "list-runs has them all")
    same(sql("select count(*) from audit where method = 'UpgradeDatabase' and granted")[0][0], "1", "the audit has it")
    code = subprocess.run(["busctl", "call", "org.taskschedd1", "/org/taskschedd1", "org.taskschedd1.Manager", "UpgradeDatabase",
                           "a{sv}", "0"], capture_output=True, text=True, timeout=30)
    ok("no newer server is installed" in code.stderr, "asked for again, there is nothing to do", code.stderr)
    ok(len(glob.glob(f"{STATE}/dumps/*")) <= 3, "no more than three dumps are kept", os.listdir(f"{STATE}/dumps"))


if __name__ == "__main__":
    globals()[f"step_{sys.argv[1].replace('-', '_')}"](*sys.argv[2:])
