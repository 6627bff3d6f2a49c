-- Among several nodes each transaction takes the rows that it may change before all else, and in one order, which are those of others too: tasks
-- by name, schedules by task and name, expectations by task, runs by id. So no two of them wait for one another, and what a
-- statement behind that reads of a task, to write what follows from it, is as it is when it is written. Whoever has the database alone does
-- without.
CREATE FUNCTION rows_hold(put text[], tasks text[], slot_tasks text[], slot_schedules text[], expected text[], going bigint[],
    ending bigint[], judged boolean) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
    shared text[] := put || tasks;
    ended text[] := '{}';
    late text[];
BEGIN
    -- Of a name that is new to two of them the second one waits here: until it is put it is that of a task that was deleted.
    IF put <> '{}' THEN
        INSERT INTO task (name, origin, revision, deleted, changed)
            SELECT n, 'api', 1, true, now() FROM unnest(put) n ORDER BY n ON CONFLICT DO NOTHING;
    END IF;
    -- Whose places, and whose backfills, go on to others.
    IF going <> '{}' OR ending <> '{}' THEN
        shared := shared || ARRAY(SELECT DISTINCT r.task FROM unnest(going || ending) u(id) JOIN run r ON r.id = u.id
            WHERE r.place <> '' OR (r.schedule <> '' AND r.requester_uid IS NOT NULL));
        ended := ARRAY(SELECT DISTINCT r.task FROM unnest(ending) u(id) JOIN run r ON r.id = u.id);
    END IF;
    IF judged THEN
        late := ARRAY(SELECT task FROM run WHERE place = 'wanted' AND state = 'queued' UNION
            SELECT task FROM run WHERE deadline IS NOT NULL AND state IN ('waiting', 'queued') AND deadline < now());
        shared := shared || late;
        ended := ended || late;
    END IF;
    IF shared <> '{}' THEN
        PERFORM FROM task WHERE name = ANY (shared) ORDER BY name FOR NO KEY UPDATE;
    END IF;
    IF put <> '{}' OR tasks <> '{}' OR slot_tasks <> '{}' OR ended <> '{}' THEN
        PERFORM FROM (SELECT t.task, t.name FROM schedule t WHERE t.task = ANY (put || tasks)
                UNION SELECT * FROM unnest(slot_tasks, slot_schedules)
                UNION SELECT f.task, f.name FROM unnest(ended) e(task) JOIN schedule f
                    ON f.follows IN (e.task, e.task || ' any', e.task || ' success', e.task || ' failure')) x(task, name)
            JOIN schedule s ON s.task = x.task AND s.name = x.name ORDER BY s.task, s.name FOR NO KEY UPDATE OF s;
    END IF;
    IF put <> '{}' OR tasks <> '{}' OR expected <> '{}' OR ended <> '{}' THEN
        PERFORM FROM expectation e WHERE e.task = ANY (put || tasks || expected || ended) ORDER BY e.task FOR NO KEY UPDATE;
    END IF;
    IF going <> '{}' OR ending <> '{}' THEN
        PERFORM FROM unnest(going || ending) u(id) JOIN run r ON r.id = u.id ORDER BY r.id FOR NO KEY UPDATE OF r;
    END IF;
END $$;
COMMENT ON FUNCTION rows_hold IS 'Begins a transaction: takes the rows of what is put, changed, fired, expected, under way and ended by it, and of what is judged, in the order that all have';

-- As it was, but that among several nodes it waits for nobody: a task that another one holds has come to want a place since rows_hold(),
-- and is due for the next claim.
CREATE OR REPLACE FUNCTION runs_judge(ahead interval, late text)
    RETURNS TABLE (run bigint, state text, result text, cause_at timestamptz, reason text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    t record;
    beside boolean := coalesce(current_setting('taskschedd.node', true), '') <> '';
BEGIN
    RETURN QUERY UPDATE run SET state = 'done', result = 'expired', finished = now(),
            reason = late || CASE WHEN reason = '' THEN '' ELSE ': ' || reason END
        WHERE deadline IS NOT NULL AND state IN ('waiting', 'queued') AND deadline < now()
        RETURNING id, state, result, cause_at, reason;
    UPDATE run SET state = 'queued' WHERE state = 'waiting' AND due <= now() + ahead;
    FOR t IN SELECT DISTINCT task FROM run WHERE place = 'wanted' AND state = 'queued' ORDER BY task LOOP
        IF beside THEN
            PERFORM FROM task WHERE name = t.task FOR NO KEY UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
        END IF;
        RETURN QUERY SELECT * FROM run_places(t.task);
    END LOOP;
END $$;

-- As it was, but that a run began where an attempt of it was started, or ended in another way than by not being started: one that was claimed,
-- and cancelled or too late before its start, or given back, did not.
CREATE OR REPLACE FUNCTION run_followed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    began boolean := NEW.started IS NOT NULL;
BEGIN
    IF NOT began AND NEW.attempt > 0 THEN
        began := EXISTS (SELECT FROM attempt WHERE run = NEW.id
            AND (started IS NOT NULL OR result NOT IN ('', 'cancelled', 'skipped', 'expired')));
    END IF;
    UPDATE schedule SET under_way = NULL,
            ended = CASE WHEN under_way IS NULL THEN greatest(ended, coalesce(NEW.finished, now()))
                ELSE coalesce(NEW.finished, now()) END
        WHERE follows = NEW.task AND CASE WHEN under_way IS NULL THEN began
            ELSE name = NEW.schedule AND under_way = NEW.nominal END;
    -- What never began did not end; and nobody is to be alarmed by what somebody cancelled.
    UPDATE schedule SET end_runs = end_runs || NEW.id,
            ends = ends || greatest(coalesce(NEW.finished, now()), since, last_nominal + interval '1 microsecond',
                ends[cardinality(ends)] + interval '1 microsecond')
        WHERE began AND follows IN (NEW.task || ' any',
            NEW.task || CASE NEW.result WHEN 'success' THEN ' success' WHEN 'cancelled' THEN ' any' ELSE ' failure' END);
    RETURN NULL;
END $$;

-- What two nodes left that changed one task at the same moment.
UPDATE schedule s SET revision = t.revision FROM task t WHERE t.name = s.task AND s.revision <> t.revision AND NOT t.deleted;
DELETE FROM schedule s USING task t WHERE t.name = s.task AND t.deleted;
DELETE FROM expectation e USING task t WHERE t.name = e.task AND t.deleted;
