-- How many runs of a task are under way at once may be limited. A run of such a task takes a place when it is due and there is
-- one, and has it until it is done, through its retries as well. What finds none ends, or is held: then it has no due time, and
-- the run that gives a place back lets one go on. Whoever gives and takes places holds the row of the task, and counts after that.
ALTER TABLE run ADD COLUMN places integer CHECK (places > 0),
    ADD COLUMN overlap text NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip', 'queue', 'queue-one', 'cancel-old')),
    ADD COLUMN place text NOT NULL DEFAULT '' CHECK (place IN ('', 'wanted', 'held', 'taken')),
    ADD COLUMN was_due timestamptz;
COMMENT ON COLUMN run.due IS 'Not claimed before; null is never: it is held until another run is over';
COMMENT ON COLUMN run.places IS 'So many runs of its task are under way at once, by the definition that it was asked for with; null: any number';
COMMENT ON COLUMN run.overlap IS 'What becomes of it where they all are';
COMMENT ON COLUMN run.place IS 'Whether it has one of these places, wants one when it is due, or is held until there is one; empty where it needs none';
COMMENT ON COLUMN run.was_due IS 'Since when it is held';
CREATE INDEX run_place ON run (task, place) WHERE place <> '' AND state <> 'done';
CREATE INDEX run_held ON run (task, priority DESC, was_due, id) WHERE place = 'held' AND state = 'waiting';
CREATE INDEX run_wanted ON run (task) WHERE place = 'wanted' AND state = 'queued';

CREATE FUNCTION place_reason(places integer, overlap text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN places = 1 THEN 'another run of the task is not over'
            ELSE format('%s runs of the task are not over, and no more may be under way', places) END
        || CASE WHEN overlap = 'allow' THEN ' (MaxConcurrent=)' ELSE format(' (Overlap=%s)', overlap) END
$$;
COMMENT ON FUNCTION place_reason IS 'Why a run of a task has no place, for people';

-- A run is over: what it had, or was to have just now, goes on to the next, and the ledger says of a slot that its run was not executed.
DROP TRIGGER run_unfired ON run;
DROP FUNCTION run_unfired();
CREATE FUNCTION run_over() RETURNS trigger LANGUAGE plpgsql AS $$
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
    RETURN NULL;
END $$;
COMMENT ON FUNCTION run_over IS 'Gives the place of a run that is over to one that is held, and notes in the ledger what was not executed';
CREATE TRIGGER run_over AFTER UPDATE OF state ON run FOR EACH ROW
    WHEN (OLD.state <> 'done' AND NEW.state = 'done'
        AND (NEW.place = 'taken' OR (NEW.place = 'wanted' AND OLD.state = 'queued') OR (NEW.schedule <> '' AND NEW.result IN ('expired', 'skipped'))))
    EXECUTE FUNCTION run_over();

-- A run that was to give way: over, where nothing of it is under way; else its node ends it.
CREATE FUNCTION run_give_way(of_run bigint, OUT run bigint, OUT state text, OUT result text, OUT cause_at timestamptz, OUT reason text)
    LANGUAGE sql AS $$
    UPDATE run r SET no_more = true,
        state = CASE WHEN r.state IN ('waiting', 'queued', 'paused') THEN 'done' ELSE r.state END,
        result = CASE WHEN r.state IN ('waiting', 'queued', 'paused') THEN 'cancelled' ELSE '' END,
        finished = CASE WHEN r.state IN ('waiting', 'queued', 'paused') THEN now() ELSE r.finished END,
        reason = CASE WHEN r.cause = '' THEN 'a newer run of the task took its place (Overlap=cancel-old)' ELSE r.reason END,
        cause_at = CASE WHEN r.cause = '' THEN now() ELSE r.cause_at END,
        cause = CASE WHEN r.cause = '' THEN 'cancelled' ELSE r.cause END
    WHERE r.id = of_run AND r.state <> 'done' AND NOT r.no_more
    RETURNING r.id, r.state, r.result, r.cause_at, r.reason
$$;
COMMENT ON FUNCTION run_give_way IS 'Cancels a run for the sake of a newer one';

-- Of one task: what is due and wants a place gets it, in order, is held, or is over. Each query sees what was committed before it,
-- and what holds the task's row before us was. Tells what became of those that have no place, and of those that gave theirs.
CREATE FUNCTION run_places(of_task text) RETURNS TABLE (run bigint, state text, result text, cause_at timestamptz, reason text)
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
        FOR r IN SELECT id FROM run WHERE task = of_task
            AND ((place = 'wanted' AND state = 'queued') OR (place = 'held' AND state = 'waiting'))
            ORDER BY coalesce(due, was_due) DESC, id DESC OFFSET keep
        LOOP
            RETURN QUERY SELECT w.* FROM run_give_way(r.id) w WHERE w.run IS NOT NULL;
        END LOOP;
        n := (SELECT count(*) FROM run WHERE task = of_task AND place = 'taken' AND state <> 'done')
            + (SELECT count(*) FROM run WHERE task = of_task
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
COMMENT ON FUNCTION run_places IS 'Decides who has the places of a task';

-- Before runs are claimed: what is too late ends, what will be due so soon is queued, and places are taken. After it, all that is queued
-- and has a place or needs none may be claimed.
CREATE FUNCTION runs_judge(ahead interval, late text)
    RETURNS TABLE (run bigint, state text, result text, cause_at timestamptz, reason text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    t record;
BEGIN
    RETURN QUERY UPDATE run SET state = 'done', result = 'expired', finished = now(),
            reason = late || CASE WHEN reason = '' THEN '' ELSE ': ' || reason END
        WHERE deadline IS NOT NULL AND state IN ('waiting', 'queued') AND deadline < now()
        RETURNING id, state, result, cause_at, reason;
    UPDATE run SET state = 'queued' WHERE state = 'waiting' AND due <= now() + ahead;
    FOR t IN SELECT DISTINCT task FROM run WHERE place = 'wanted' AND state = 'queued' ORDER BY task LOOP
        RETURN QUERY SELECT * FROM run_places(t.task);
    END LOOP;
END $$;
COMMENT ON FUNCTION runs_judge IS 'Decides what becomes of runs before they are claimed, and tells of those that are not';
