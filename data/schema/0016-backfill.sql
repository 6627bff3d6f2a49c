-- Times of a schedule that have passed and have no run get theirs when somebody asks for it, be they slots that did not fire or from
-- before the schedule was made. The ledger keeps what became of the slot; that it was run after all stands here. One after the
-- other: the run of one that waits is due at no time, and the end of the one before it lets it go.
CREATE TABLE backfill (
    task text NOT NULL,
    schedule text NOT NULL,
    nominal timestamptz NOT NULL,
    run bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('waits', 'goes', 'over')),
    requester text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (task, schedule, nominal)
);
COMMENT ON TABLE backfill IS 'Times of schedules that somebody had run when they had passed; each once. Not partitioned, so that the guard outlives the runs';
COMMENT ON COLUMN backfill.run IS 'Its run; it has schedule and nominal like that of a slot, and a user who asked for it';
COMMENT ON COLUMN backfill.state IS 'Whether it waits for those before it, goes, or is over; of each schedule one goes, where any wait';
COMMENT ON COLUMN backfill.requester IS 'Who asked for it';
COMMENT ON COLUMN backfill.at IS 'When that was';
CREATE INDEX backfill_open ON backfill (task, schedule, state, nominal) WHERE state <> 'over';
CREATE INDEX backfill_at ON backfill (at) WHERE state = 'over';

-- The one that went is over: the next one that still waits goes, by its nominal time. One that was cancelled meanwhile is over too.
CREATE FUNCTION backfill_over(of_task text, of_schedule text, of_nominal timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    next backfill;
BEGIN
    -- One that waits does not take the lock: whoever lets it go has that, and waits for the run.
    IF NOT EXISTS (SELECT FROM backfill WHERE task = of_task AND schedule = of_schedule AND nominal = of_nominal AND state = 'goes') THEN
        RETURN;
    END IF;
    PERFORM FROM task WHERE name = of_task FOR NO KEY UPDATE;
    UPDATE backfill SET state = 'over' WHERE task = of_task AND schedule = of_schedule AND nominal = of_nominal AND state = 'goes';
    WHILE FOUND LOOP
        SELECT * INTO next FROM backfill WHERE task = of_task AND schedule = of_schedule AND state = 'waits' ORDER BY nominal LIMIT 1;
        EXIT WHEN NOT FOUND;
        UPDATE run SET state = 'queued', due = now(), reason = '' WHERE id = next.run AND state = 'waiting' AND due IS NULL;
        IF FOUND THEN
            UPDATE backfill SET state = 'goes' WHERE task = of_task AND schedule = of_schedule AND nominal = next.nominal;
            EXIT;
        END IF;
        UPDATE backfill SET state = 'over' WHERE task = of_task AND schedule = of_schedule AND nominal = next.nominal;
    END LOOP;
END $$;
COMMENT ON FUNCTION backfill_over IS 'Lets the next run of a backfill go, where this one was the one that went';

CREATE OR REPLACE FUNCTION run_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.schedule <> '' AND NEW.result IN ('expired', 'skipped') THEN
        UPDATE slot SET cause = CASE NEW.result WHEN 'expired' THEN 'deadline-passed' ELSE 'overlap' END, reason = NEW.reason
            WHERE task = NEW.task AND schedule = NEW.schedule AND nominal = NEW.nominal AND run = NEW.id;
    END IF;
    IF NEW.place = 'taken' OR (NEW.place = 'wanted' AND OLD.state = 'queued') THEN
        PERFORM FROM task WHERE name = NEW.task FOR NO KEY UPDATE;
        UPDATE run SET place = 'wanted', state = 'queued', due = was_due
            WHERE id = (SELECT id FROM run WHERE task = NEW.task AND place = 'held' AND state = 'waiting'
                ORDER BY priority DESC, was_due, id LIMIT 1);
    END IF;
    IF NEW.schedule <> '' AND NEW.requester_uid IS NOT NULL THEN
        PERFORM backfill_over(NEW.task, NEW.schedule, NEW.nominal);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER run_over ON run;
CREATE TRIGGER run_over AFTER UPDATE OF state ON run FOR EACH ROW
    WHEN (OLD.state <> 'done' AND NEW.state = 'done'
        AND (NEW.place = 'taken' OR (NEW.place = 'wanted' AND OLD.state = 'queued')
            OR (NEW.schedule <> '' AND (NEW.requester_uid IS NOT NULL OR NEW.result IN ('expired', 'skipped')))))
    EXECUTE FUNCTION run_over();

-- As it was, but that only runs which are to cancel others count as newer than these, and give way while they wait: one that is
-- backfilled waits for its place in any case, and ends nobody's run.
CREATE OR REPLACE FUNCTION run_places(of_task text) RETURNS TABLE (run bigint, state text, result text, cause_at timestamptz, reason text)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    r record;
    keep bigint;
    n bigint;
    waits boolean;
BEGIN
    PERFORM FROM task WHERE name = of_task FOR NO KEY UPDATE;
    -- The newest have the places: first those that wait and are older give way, then as many of those that have theirs.
    keep := (SELECT max(places) FROM run WHERE task = of_task AND place = 'wanted' AND state = 'queued' AND overlap = 'cancel-old');
    IF keep IS NOT NULL THEN
        FOR r IN SELECT id FROM run WHERE task = of_task AND overlap = 'cancel-old'
            AND ((place = 'wanted' AND state = 'queued') OR (place = 'held' AND state = 'waiting'))
            ORDER BY coalesce(due, was_due) DESC, id DESC OFFSET keep
        LOOP
            RETURN QUERY SELECT w.* FROM run_give_way(r.id) w WHERE w.run IS NOT NULL;
        END LOOP;
        n := (SELECT count(*) FROM run WHERE task = of_task AND place = 'taken' AND state <> 'done')
            + (SELECT count(*) FROM run WHERE task = of_task AND overlap = 'cancel-old'
                AND ((place = 'wanted' AND state = 'queued') OR (place = 'held' AND state = 'waiting')));
        FOR r IN SELECT id FROM run WHERE task = of_task AND place = 'taken' AND state <> 'done'
            ORDER BY id LIMIT greatest(n - keep, 0)
        LOOP
            RETURN QUERY SELECT w.* FROM run_give_way(r.id) w WHERE w.run IS NOT NULL;
        END LOOP;
    END IF;
    n := (SELECT count(*) FROM run WHERE task = of_task AND place = 'taken' AND state <> 'done');
    waits := EXISTS (SELECT FROM run WHERE task = of_task AND place = 'held' AND state = 'waiting');
    FOR r IN SELECT id, places, overlap FROM run WHERE task = of_task AND place = 'wanted' AND state = 'queued'
        ORDER BY priority DESC, due, id FOR UPDATE
    LOOP
        IF n < r.places THEN
            UPDATE run SET place = 'taken' WHERE id = r.id;
            n := n + 1;
        ELSIF r.overlap = 'skip' OR (r.overlap = 'queue-one' AND waits) THEN
            RETURN QUERY UPDATE run SET state = 'done', result = 'skipped', place = 'held', finished = now(),
                reason = place_reason(places, overlap)
                WHERE id = r.id RETURNING id, state, result, cause_at, reason;
        ELSE
            RETURN QUERY UPDATE run SET state = 'waiting', place = 'held', was_due = due, due = NULL,
                reason = place_reason(places, overlap) WHERE id = r.id RETURNING id, state, result, cause_at, reason;
            waits := true;
        END IF;
    END LOOP;
END $$;

-- Of these times, which are the schedule's: what has no run gets one. Outcome 0: it has one now (dry: it would); 1: it had one; 2: it
-- is still the schedule's to decide, but where unsettled says that the schedule decides nothing. A slot that fires takes the token
-- that is taken here, so no time has two runs, whichever comes first. No row: there is no such schedule.
CREATE FUNCTION backfill_ask(of_task text, of_schedule text, of_revision bigint, at_usec bigint[], unsettled boolean, dry boolean,
    by_whom text, by_uid bigint, with_queue text, with_priority integer, with_input json, with_secrets json, with_grace bigint,
    with_places integer, with_overlap text)
    RETURNS TABLE (nominal_usec bigint, outcome integer, run bigint, goes boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    s schedule;
    busy boolean;
BEGIN
    PERFORM FROM task WHERE name = of_task AND revision = of_revision AND NOT deleted FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT * INTO s FROM schedule WHERE task = of_task AND name = of_schedule FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    -- Each query sees what was committed before it, and what held these rows before us was.
    busy := EXISTS (SELECT FROM backfill WHERE task = of_task AND schedule = of_schedule AND state = 'goes');
    RETURN QUERY WITH q AS MATERIALIZED (
        SELECT u.usec, usec_to_time(u.usec) AS at, format('%s/%s@%s', of_task, of_schedule, u.usec) AS token FROM unnest(at_usec) u(usec)),
    known AS MATERIALIZED (
        SELECT q.*, coalesce(l.run, b.run, k.run) AS had,
            coalesce(unsettled OR q.at < s.since OR q.at <= s.last_nominal, false) AS passed
        FROM q
            LEFT JOIN slot l ON l.task = of_task AND l.schedule = of_schedule AND l.nominal = q.at
            LEFT JOIN backfill b ON b.task = of_task AND b.schedule = of_schedule AND b.nominal = q.at
            LEFT JOIN ask k ON k.requester = 'taskschedd' AND k.token = q.token),
    fresh AS MATERIALIZED (
        SELECT o.*, nextval('run_id') AS id, NOT busy AND o.n = 1 AS goes FROM (
            SELECT f.usec, f.at, f.token, row_number() OVER (ORDER BY f.usec) AS n FROM known f
            WHERE f.had IS NULL AND f.passed AND NOT dry ORDER BY f.usec) o),
    guard AS (
        INSERT INTO ask (requester, token, run, at) SELECT 'taskschedd', token, id, now() FROM fresh),
    kept AS (
        INSERT INTO backfill (task, schedule, nominal, run, state, requester, at)
        SELECT of_task, of_schedule, at, id, CASE WHEN goes THEN 'goes' ELSE 'waits' END, by_whom, now() FROM fresh),
    made AS (
        INSERT INTO run (id, task, revision, state, queue, priority, due, schedule, nominal, asked, grace_usec, requester,
            requester_uid, input, secrets, reason, places, overlap, place)
        SELECT id, of_task, of_revision, CASE WHEN goes THEN 'queued' ELSE 'waiting' END, with_queue, with_priority,
            CASE WHEN goes THEN now() END, of_schedule, at, now(), with_grace, by_whom, by_uid, with_input, with_secrets,
            CASE WHEN goes THEN '' ELSE 'it waits for the backfilled run before it' END, with_places, with_overlap,
            CASE WHEN with_places IS NULL THEN '' ELSE 'wanted' END FROM fresh)
    SELECT k.usec, CASE WHEN k.had IS NOT NULL THEN 1 WHEN k.passed THEN 0 ELSE 2 END, coalesce(k.had, f.id), coalesce(f.goes, false)
        FROM known k LEFT JOIN fresh f ON f.usec = k.usec ORDER BY k.usec;
END $$;
COMMENT ON FUNCTION backfill_ask IS 'Asks for the runs of times that have passed';

-- As it was, and what was backfilled so long ago is forgotten.
CREATE OR REPLACE FUNCTION history_trim(max_age_usec bigint, max_runs bigint, tasks text[], ages_usec bigint[], numbers bigint[],
    batch integer, INOUT phase integer, INOUT at_id bigint, INOUT newest bigint, OUT removed bigint)
    LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    max_age interval := max_age_usec / 1000000 * interval '1 second';
    ages interval[] := ARRAY(SELECT a / 1000000 * interval '1 second' FROM unnest(ages_usec) WITH ORDINALITY AS u(a, i)
        ORDER BY i);
BEGIN
    removed := 0;
    IF NOT pg_try_advisory_xact_lock(1953719140, 4) THEN
        phase := NULL; -- another node is at it
        RETURN;
    END IF;
    IF phase = 0 AND max_age IS NOT NULL THEN
        SELECT w.at_id, w.removed INTO at_id, removed FROM history_walk('r.state = ''done'' AND CASE WHEN r.task = ANY ($2)
            THEN coalesce(coalesce(r.finished, r.asked) < now() - ($3)[array_position($2, r.task)], false)
            ELSE coalesce(r.finished, r.asked) < now() - $1 END',
            max_age, tasks, ages, (SELECT last_value FROM run_id), batch, at_id) w;
    ELSIF phase BETWEEN 1 AND cardinality(tasks) THEN
        IF newest = 0 AND numbers[phase] IS NOT NULL THEN
            newest := (SELECT id FROM run WHERE task = tasks[phase] ORDER BY id DESC OFFSET numbers[phase] LIMIT 1);
        END IF;
        newest := coalesce(nullif(newest, 0), -1);
        SELECT w.at_id, w.removed INTO at_id, removed
            FROM history_task(tasks[phase], ages[phase], newest, batch, at_id) w;
    ELSIF phase = cardinality(tasks) + 1 AND max_runs IS NOT NULL THEN
        IF newest = 0 THEN
            newest := coalesce((SELECT id FROM run ORDER BY id DESC OFFSET max_runs LIMIT 1), -1);
        END IF;
        SELECT w.at_id, w.removed INTO at_id, removed
            FROM history_walk('r.state = ''done'' AND r.id <= $4', NULL, tasks, ages, newest, batch, at_id) w;
    ELSE
        at_id := NULL;
    END IF;
    IF at_id IS NULL THEN
        phase := phase + 1;
        at_id := 0;
        newest := 0;
    END IF;
    IF phase > cardinality(tasks) + 1 THEN
        IF max_age IS NOT NULL THEN
            PERFORM history_months('slot', 'nominal', max_age);
            PERFORM history_months('audit', 'at', max_age);
            DELETE FROM backfill WHERE state = 'over' AND at < now() - max_age;
        END IF;
        phase := NULL;
    END IF;
END $$;
