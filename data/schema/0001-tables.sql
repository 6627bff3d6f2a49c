-- The first schema: tasks with their history, schedules and their slots, runs with their attempts, nodes.
-- Names are found by the search_path that the migration runs under: the schema taskschedd.

-- Instants cross the wire as microseconds since the epoch, exactly: hours and a rest keep the multiplications
-- with an interval (which go through double precision) far below 2^53. STABLE and not STRICT, so that they are inlined.
CREATE FUNCTION usec_to_time(usec bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN timestamptz '1970-01-01 00:00:00+00' + (usec / 3600000000) * interval '1 hour'
        + (usec % 3600000000) * interval '1 microsecond';
COMMENT ON FUNCTION usec_to_time IS 'The instant that many microseconds after the epoch';
CREATE FUNCTION time_to_usec(t timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (extract(epoch FROM t) * 1000000)::bigint;
COMMENT ON FUNCTION time_to_usec IS 'Microseconds since the epoch, exact';

CREATE SEQUENCE run_id;
COMMENT ON SEQUENCE run_id IS 'Ids of runs';
CREATE SEQUENCE fence;
COMMENT ON SEQUENCE fence IS 'Fencing numbers: each claim gets a greater one than all before it';

CREATE TABLE node (
    name text PRIMARY KEY,
    epoch bigint NOT NULL CHECK (epoch > 0),
    boot_id text NOT NULL,
    manager_stamp bigint,
    last_seen timestamptz NOT NULL
);
COMMENT ON TABLE node IS 'Hosts that run taskschedd against this database';
COMMENT ON COLUMN node.epoch IS 'One more with every life of its daemon and every connection: what an earlier one still says is refused';
COMMENT ON COLUMN node.boot_id IS 'Of the kernel that the daemon last ran on';
COMMENT ON COLUMN node.manager_stamp IS 'UserspaceTimestampMonotonic of its service manager: tells one life of it from another';
COMMENT ON COLUMN node.last_seen IS 'When the daemon last took the node';

CREATE TABLE task (
    name text PRIMARY KEY,
    origin text NOT NULL CHECK (origin IN ('file', 'api')),
    path text NOT NULL DEFAULT '',
    revision bigint NOT NULL CHECK (revision > 0),
    enabled boolean NOT NULL DEFAULT true,
    deleted boolean NOT NULL DEFAULT false,
    changed timestamptz NOT NULL
);
COMMENT ON TABLE task IS 'Tasks by name; what they are stands in task_revision';
COMMENT ON COLUMN task.origin IS 'Who defines it: a file, or the API';
COMMENT ON COLUMN task.path IS 'Of the file, else empty';
COMMENT ON COLUMN task.revision IS 'The one in force';
COMMENT ON COLUMN task.enabled IS 'Whether its schedules fire at all';
COMMENT ON COLUMN task.deleted IS 'Only its history is left';
COMMENT ON COLUMN task.changed IS 'When revision, origin or path last changed';

CREATE TABLE task_revision (
    task text NOT NULL,
    revision bigint NOT NULL,
    description text NOT NULL DEFAULT '',
    definition jsonb NOT NULL,
    created timestamptz NOT NULL,
    PRIMARY KEY (task, revision)
);
COMMENT ON TABLE task_revision IS 'Every definition a task has ever had; a run keeps the number it was made from';
COMMENT ON COLUMN task_revision.definition IS 'The sources in their order: an array of objects with Path and Text';

CREATE TABLE schedule (
    task text NOT NULL,
    name text NOT NULL,
    enabled boolean,
    last_nominal timestamptz,
    since timestamptz NOT NULL,
    PRIMARY KEY (task, name)
) WITH (fillfactor = 50);
COMMENT ON TABLE schedule IS 'Schedules of tasks that are not deleted; the guard against firing a slot twice';
COMMENT ON COLUMN schedule.enabled IS 'As somebody said; null where the definition decides';
COMMENT ON COLUMN schedule.last_nominal IS 'The latest slot that has its outcome. It only grows, in the transaction that makes the run';
COMMENT ON COLUMN schedule.since IS 'No slot before this instant is due: when it was added, enabled or changed';

CREATE TABLE ask (
    requester text NOT NULL,
    token text NOT NULL CHECK (octet_length(token) BETWEEN 1 AND 128),
    run bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (requester, token)
);
COMMENT ON TABLE ask IS 'What was asked for by which token: asking again finds the first run. Not partitioned, so that the guard outlives the runs';

CREATE TABLE run (
    id bigint NOT NULL DEFAULT nextval('run_id'),
    task text NOT NULL,
    revision bigint NOT NULL,
    state text NOT NULL
        CHECK (state IN ('waiting', 'queued', 'starting', 'running', 'stopping', 'paused', 'done')),
    result text NOT NULL DEFAULT ''
        CHECK (result IN ('', 'success', 'exit-code', 'signal', 'core-dump', 'oom-kill', 'timeout', 'watchdog',
                          'resources', 'condition', 'cancelled', 'skipped', 'expired', 'lost', 'not-found',
                          'dependency')),
    cause text NOT NULL DEFAULT ''
        CHECK (cause IN ('', 'success', 'exit-code', 'signal', 'core-dump', 'oom-kill', 'timeout', 'watchdog',
                         'resources', 'condition', 'cancelled', 'skipped', 'expired', 'lost', 'not-found',
                         'dependency')),
    cause_at timestamptz,
    no_more boolean NOT NULL DEFAULT false,
    reason text NOT NULL DEFAULT '',
    queue text NOT NULL,
    priority integer NOT NULL DEFAULT 0,
    due timestamptz,
    attempt integer NOT NULL DEFAULT 0,
    node text NOT NULL DEFAULT '',
    epoch bigint,
    token uuid,
    fence bigint,
    boot_id text NOT NULL DEFAULT '',
    manager_stamp bigint,
    unit text NOT NULL DEFAULT '',
    invocation_id text NOT NULL DEFAULT '',
    schedule text NOT NULL DEFAULT '',
    nominal timestamptz,
    asked timestamptz NOT NULL,
    claimed timestamptz,
    started timestamptz,
    finished timestamptz,
    exit_code smallint NOT NULL DEFAULT 0,
    exit_status integer,
    grace_usec bigint,
    retry_of bigint,
    requester text NOT NULL,
    requester_uid bigint,
    input json,
    secrets json,
    raw bytea,
    output json,
    meta jsonb,
    cpu_nsec bigint,
    memory_peak bigint,
    io_read bigint,
    io_write bigint,
    ip_in bigint,
    ip_out bigint,
    PRIMARY KEY (id),
    CHECK ((state = 'done') = (result <> '')),
    CHECK (state NOT IN ('starting', 'running', 'stopping') OR (epoch IS NOT NULL AND token IS NOT NULL))
) PARTITION BY RANGE (id);
COMMENT ON TABLE run IS 'Executions asked for, in partitions of 1,000,000 ids';
COMMENT ON COLUMN run.input IS 'json, not jsonb: that would write 1e300 as 301 digits, which is no number of ours any more; so with secrets and output';
COMMENT ON COLUMN run.revision IS 'Of the task, as it was when the run was asked for';
COMMENT ON COLUMN run.result IS 'How it ended; empty until it is done';
COMMENT ON COLUMN run.cause IS 'The first recorded cause of an end that was asked for (cancelled, timeout); empty if none. It stays through whatever kills follow';
COMMENT ON COLUMN run.cause_at IS 'When the cause was recorded: a process that ended before has its own result';
COMMENT ON COLUMN run.no_more IS 'Somebody cancelled it: whatever the cause is, no other attempt follows';
COMMENT ON COLUMN run.reason IS 'Why it waits, or why it ended as it did';
COMMENT ON COLUMN run.due IS 'Not claimed before; null is never';
COMMENT ON COLUMN run.attempt IS 'Number of the latest attempt; 0 before the first';
COMMENT ON COLUMN run.node IS 'Of the latest claim, as are epoch, token, fence, boot_id, manager_stamp, unit';
COMMENT ON COLUMN run.token IS 'Fresh with each claim; only who knows it can say anything about the attempt';
COMMENT ON COLUMN run.fence IS 'Grows with each claim, for the target to check';
COMMENT ON COLUMN run.schedule IS 'That fired it, with the slot''s time in nominal; else empty';
COMMENT ON COLUMN run.exit_code IS 'Of the main process: 0 unknown, 1 exited, 2 killed, 3 dumped core';
COMMENT ON COLUMN run.exit_status IS 'The exit status or the signal''s number';
COMMENT ON COLUMN run.grace_usec IS 'Between the first signal and SIGKILL';
COMMENT ON COLUMN run.retry_of IS 'The run that somebody repeated by this one';
COMMENT ON COLUMN run.secrets IS 'The part of the input that is never shown';
COMMENT ON COLUMN run.raw IS 'The input as bytes, for tasks without typed input';
COMMENT ON COLUMN run.meta IS 'Free keys and values of whoever asked';

-- Only what can be claimed, in the order of claiming; and what is to be queued when it is due. Apart, so that a claim
-- reads neither those that wait for tomorrow nor sorts all that are due.
CREATE INDEX run_claim ON run (priority DESC, due, id) WHERE state = 'queued';
CREATE INDEX run_due ON run (due) WHERE state = 'waiting';
-- Only what a node has in its hands. IS TRUE, so that only a query that says the same uses it: an update of one run
-- finds that by its id, whatever the planner thinks of how few these are.
CREATE INDEX run_node ON run (node) WHERE (state IN ('starting', 'running', 'stopping')) IS TRUE;
CREATE INDEX run_task ON run (task, id);
CREATE INDEX run_requester ON run (requester, id);
CREATE INDEX run_meta ON run USING gin (meta jsonb_path_ops) WHERE meta IS NOT NULL;

CREATE TABLE attempt (
    run bigint NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    node text NOT NULL,
    epoch bigint NOT NULL,
    token uuid NOT NULL,
    fence bigint NOT NULL,
    boot_id text NOT NULL,
    manager_stamp bigint,
    unit text NOT NULL,
    invocation_id text NOT NULL DEFAULT '',
    claimed timestamptz NOT NULL,
    started timestamptz,
    finished timestamptz,
    result text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    exit_code smallint NOT NULL DEFAULT 0,
    exit_status integer,
    output json,
    late text NOT NULL DEFAULT '',
    cpu_nsec bigint,
    memory_peak bigint,
    io_read bigint,
    io_write bigint,
    ip_in bigint,
    ip_out bigint,
    PRIMARY KEY (run, attempt)
) PARTITION BY RANGE (run);
COMMENT ON TABLE attempt IS 'Every unit that was started, or was to be, for a run; in partitions like run''s';
COMMENT ON COLUMN attempt.finished IS 'Null while it is the live one';
COMMENT ON COLUMN attempt.result IS 'Empty with finished set: given back before it started';
COMMENT ON COLUMN attempt.output IS 'Of an attempt that another followed; the last one''s stands in run';
COMMENT ON COLUMN attempt.late IS 'An end that was reported after the run had left this attempt';

CREATE TABLE slot (
    task text NOT NULL,
    schedule text NOT NULL,
    nominal timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('fired', 'skipped')),
    run bigint,
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    PRIMARY KEY (task, schedule, nominal),
    CHECK ((outcome = 'fired') = (run IS NOT NULL))
) PARTITION BY RANGE (nominal);
COMMENT ON TABLE slot IS 'The ledger: one outcome for every slot of every schedule, by month (UTC) of its nominal time';
COMMENT ON COLUMN slot.reason IS 'Why it was skipped';
CREATE TABLE slot_default PARTITION OF slot DEFAULT;

-- The partitions of one table by month: this one and the two that follow. A month whose rows lie in the default
-- partition already is left there.
CREATE FUNCTION months_ahead(parent text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamp;
    part text;
BEGIN
    FOR i IN 0..2 LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i);
        part := parent || to_char(month, '_YYYY_MM');
        CONTINUE WHEN to_regclass(quote_ident(part)) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part,
                month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        EXCEPTION WHEN check_violation THEN
            NULL;
        END;
    END LOOP;
END $$;
COMMENT ON FUNCTION months_ahead IS 'Makes the monthly partitions that will be needed next';

-- Runs and attempts: the range that ids are given from, and the next.
CREATE FUNCTION runs_ahead() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    size CONSTANT bigint := 1000000;
    first bigint;
    part text;
BEGIN
    FOR i IN 0..1 LOOP
        first := ((SELECT last_value FROM run_id) / size + i) * size;
        part := 'run_' || first / size;
        CONTINUE WHEN to_regclass(quote_ident(part)) IS NOT NULL;
        -- A run is rewritten about four times in its life: leave room for it on its page, and clean up after a
        -- fixed number of rows, not after a share of a table that only grows.
        EXECUTE format('CREATE TABLE %I (LIKE run INCLUDING ALL) WITH (fillfactor = 70,
            autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
            autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05)', part);
        EXECUTE format('ALTER TABLE run ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, first, first + size);
        part := 'attempt_' || first / size;
        EXECUTE format('CREATE TABLE %I (LIKE attempt INCLUDING ALL) WITH (fillfactor = 80,
            autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000)', part);
        EXECUTE format('ALTER TABLE attempt ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            part, first, first + size);
    END LOOP;
END $$;
COMMENT ON FUNCTION runs_ahead IS 'Makes the partitions of run and attempt that will be needed next';
