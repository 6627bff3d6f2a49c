-- Removing history goes over the ids once, and remembers where it is: what was looked at and stays is not looked at
-- again. And runs that did not succeed, which is what people look for, are found by their result.

CREATE INDEX run_result ON run (result, id) WHERE result NOT IN ('', 'success');

DROP FUNCTION history_trim(bigint, bigint, text[], bigint[], bigint[], integer);
DROP FUNCTION history_rows(interval, bigint, text[], interval[], bigint[], integer);
DROP FUNCTION history_partition(interval, text[], interval[]);

-- The partition of runs that this id is in, or the next that there is; null after the last.
CREATE FUNCTION history_part(at_id bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT min(substr(c.relname, 5)::bigint) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'run'::regclass AND c.relname ~ '^run_\d+$' AND substr(c.relname, 5)::bigint >= at_id / 1000000
$$;
COMMENT ON FUNCTION history_part IS 'The number of the first partition of runs that has this id or greater ones';

-- All of it, or nothing: null. go is the condition of those that may go, in terms of r, with $1 an age, $2 and $3 tasks
-- and their ages, and $4 an id. Writers of a partition that no id is given from any more are done with it; the lock makes
-- sure. What is not done has its indexes, which nearly always settles it.
CREATE FUNCTION history_drop(k bigint, go text, max_age interval, tasks text[], ages interval[], newest bigint)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    stays boolean;
    n bigint;
BEGIN
    IF k >= (SELECT last_value FROM run_id) / 1000000 THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM run_%1$s WHERE state = ''waiting'')
        OR EXISTS (SELECT FROM run_%1$s WHERE state = ''queued'')
        OR EXISTS (SELECT FROM run_%1$s WHERE (state IN (''starting'', ''running'', ''stopping'')) IS TRUE)
        OR NOT (SELECT %2$s FROM run_%1$s r ORDER BY id DESC LIMIT 1)', k, go)
        INTO stays USING max_age, tasks, ages, newest;
    IF stays THEN
        RETURN NULL;
    END IF;
    EXECUTE format('LOCK TABLE run_%s IN SHARE MODE', k);
    EXECUTE format('SELECT count(*), coalesce(bool_or(NOT (%2$s)), false) FROM run_%1$s r', k, go)
        INTO n, stays USING max_age, tasks, ages, newest;
    IF stays THEN
        RETURN NULL;
    END IF;
    EXECUTE format('DROP TABLE run_%s', k);
    EXECUTE format('DROP TABLE IF EXISTS attempt_%s', k);
    DELETE FROM ask WHERE run >= k * 1000000 AND run < (k + 1) * 1000000;
    RETURN n;
END $$;
COMMENT ON FUNCTION history_drop IS 'Drops a partition of runs, with their attempts and tokens, if all of it may go, and tells how many runs it had';

-- One step over the ids: a partition as a whole, or so many rows of one from at_id on. Partitions without a run as
-- old as that are passed over; a clock that was set back may leave a few runs to a later time.
CREATE FUNCTION history_walk(go text, max_age interval, tasks text[], ages interval[], newest bigint, batch integer,
    INOUT at_id bigint, OUT removed bigint) LANGUAGE plpgsql AS $$
DECLARE
    k bigint := history_part(at_id);
    ids bigint[];
    n bigint;
    last bigint;
    old boolean;
BEGIN
    removed := 0;
    LOOP
        IF k IS NULL OR k * 1000000 > newest THEN
            at_id := NULL;
            RETURN;
        END IF;
        IF at_id <= k * 1000000 THEN
            at_id := k * 1000000;
            EXECUTE format('SELECT $1 IS NULL OR EXISTS (SELECT FROM run_%s WHERE asked < now() - $1)', k)
                INTO old USING max_age;
            IF old THEN
                removed := history_drop(k, go, max_age, tasks, ages, newest);
                IF removed IS NOT NULL THEN
                    at_id := (k + 1) * 1000000;
                    RETURN;
                END IF;
                removed := 0;
            END IF;
        ELSE
            old := true;
        END IF;
        EXIT WHEN old;
        at_id := (k + 1) * 1000000;
        k := history_part(at_id);
    END LOOP;
    EXECUTE format('SELECT array_agg(id) FILTER (WHERE %2$s), count(*), max(id), $1 IS NULL OR bool_or(asked < now() - $1)
        FROM (SELECT * FROM run_%1$s WHERE id >= $5 ORDER BY id LIMIT $6) r', k, go)
        INTO ids, n, last, old USING max_age, tasks, ages, newest, at_id, batch;
    removed := CASE WHEN ids IS NULL THEN 0 ELSE history_delete(ids) END;
    at_id := CASE WHEN n < batch OR old IS NOT TRUE THEN (k + 1) * 1000000 ELSE last + 1 END;
END $$;
COMMENT ON FUNCTION history_walk IS 'Removes what may go of a part of the runs, and tells where the next part begins; null: nowhere';

-- Of one task, likewise, by its own limits.
CREATE FUNCTION history_task(name text, max_age interval, newest bigint, batch integer,
    INOUT at_id bigint, OUT removed bigint) LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    n bigint;
    last bigint;
BEGIN
    SELECT array_agg(id) FILTER (WHERE state = 'done' AND (id <= newest OR coalesce(finished, asked) < now() - max_age)),
            count(*), max(id) INTO ids, n, last
        FROM (SELECT * FROM run WHERE task = name AND id >= at_id ORDER BY id LIMIT batch) r;
    removed := CASE WHEN ids IS NULL THEN 0 ELSE history_delete(ids) END;
    at_id := CASE WHEN n = batch THEN last + 1 END;
END $$;
COMMENT ON FUNCTION history_task IS 'Removes what may go of a part of one task''s runs, and tells where the next part begins; null: nowhere';

-- One step. phase, at_id and newest, the greatest id that is too many, are what the step before answered, at first all
-- 0. Phase 0 is age, then come the tasks with limits of their own, the number in all, and the ledger and the audit; null: it
-- was the last step. Tasks with limits of their own are named in tasks, each with its age and number; max_age is
-- that of all others, max_runs the number of runs in all. An age or a number that is null is no limit; ages are in
-- microseconds. lock_timeout: whoever wants the table meanwhile waits behind us.
CREATE FUNCTION history_trim(max_age_usec bigint, max_runs bigint, tasks text[], ages_usec bigint[], numbers bigint[],
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
        END IF;
        phase := NULL;
    END IF;
END $$;
COMMENT ON FUNCTION history_trim IS 'Removes a part of what is beyond the limits, and tells how many runs that was and where to go on';
