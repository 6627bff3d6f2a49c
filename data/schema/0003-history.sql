-- Old history goes: a whole partition where all of it may go, else row by row. What is not done is never touched.
-- An age or a number that is null is no limit. history_trim() is called again and again, each time in a transaction.

CREATE INDEX run_asked ON run USING brin (asked) WITH (pages_per_range = 16);
CREATE INDEX ask_run ON ask USING brin (run) WITH (pages_per_range = 16);

-- A run goes with its attempts and its token: asking again with that makes another run from now on.
CREATE FUNCTION history_delete(ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM attempt WHERE run = ANY (ids);
    DELETE FROM ask WHERE run = ANY (ids)
        AND run BETWEEN (SELECT min(i) FROM unnest(ids) i) AND (SELECT max(i) FROM unnest(ids) i);
    DELETE FROM run WHERE id = ANY (ids) AND state = 'done';
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
COMMENT ON FUNCTION history_delete IS 'Removes these runs, which are done, and what belongs to them';

-- Tasks with limits of their own are named in tasks, each with its age and number; max_age is that of all others,
-- max_runs the number of runs in all.
CREATE FUNCTION history_rows(max_age interval, max_runs bigint, tasks text[], ages interval[], numbers bigint[],
    batch integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint := 0;
    newest_to_go bigint;
BEGIN
    n := history_delete(ARRAY(SELECT id FROM run WHERE state = 'done' AND asked < now() - max_age
        AND coalesce(finished, asked) < now() - max_age AND task <> ALL (tasks) LIMIT batch));
    IF n > 0 THEN RETURN n; END IF;
    FOR i IN 1..cardinality(tasks) LOOP
        n := history_delete(ARRAY(SELECT id FROM run WHERE task = tasks[i] AND state = 'done'
            AND coalesce(finished, asked) < now() - ages[i] LIMIT batch));
        IF n > 0 THEN RETURN n; END IF;
        IF numbers[i] IS NOT NULL THEN
            SELECT id INTO newest_to_go FROM run WHERE task = tasks[i] ORDER BY id DESC OFFSET numbers[i] LIMIT 1;
            n := history_delete(ARRAY(SELECT id FROM run WHERE task = tasks[i] AND id <= newest_to_go
                AND state = 'done' ORDER BY id LIMIT batch));
            IF n > 0 THEN RETURN n; END IF;
        END IF;
    END LOOP;
    IF max_runs IS NOT NULL THEN
        SELECT id INTO newest_to_go FROM run ORDER BY id DESC OFFSET max_runs LIMIT 1;
        n := history_delete(ARRAY(SELECT id FROM run WHERE id <= newest_to_go AND state = 'done'
            ORDER BY id LIMIT batch));
    END IF;
    RETURN n;
END $$;
COMMENT ON FUNCTION history_rows IS 'Removes at most batch runs beyond the limits, and tells how many';

-- The writers of a partition that no id is given from any more are done with it; the lock makes sure. The newest row is
-- looked at first, which nearly always settles it.
CREATE FUNCTION history_partition(max_age interval, tasks text[], ages interval[]) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    size CONSTANT bigint := 1000000;
    now_at bigint := (SELECT last_value FROM run_id) / size;
    k bigint;
    young boolean;
    n bigint;
    kept bigint;
BEGIN
    FOR k IN SELECT substr(c.relname, 5)::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'run'::regclass AND c.relname ~ '^run_\d+$' ORDER BY 1
    LOOP
        EXIT WHEN k >= now_at;
        EXECUTE format('SELECT asked >= now() - $1 FROM run_%s ORDER BY id DESC LIMIT 1', k) INTO young USING max_age;
        CONTINUE WHEN young OR (young IS NULL AND max_age IS NULL);
        EXECUTE format('LOCK TABLE run_%s IN SHARE MODE', k);
        EXECUTE format('SELECT count(*), count(*) FILTER (WHERE r.state <> ''done'' OR coalesce(
            coalesce(r.finished, r.asked) >= now() - CASE WHEN p.task IS NULL THEN $1 ELSE p.age END, true))
            FROM run_%s r LEFT JOIN unnest($2, $3) AS p(task, age) ON p.task = r.task', k)
            INTO n, kept USING max_age, tasks, ages;
        CONTINUE WHEN kept > 0;
        EXECUTE format('DROP TABLE run_%s', k);
        EXECUTE format('DROP TABLE IF EXISTS attempt_%s', k);
        DELETE FROM ask WHERE run >= k * size AND run < (k + 1) * size;
        RETURN n;
    END LOOP;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION history_partition IS 'Drops the oldest partition of runs that may go as a whole, and tells how many runs it had; null if there is none';

-- The ledger and the audit, by month; what lies in the default partition goes by itself.
CREATE FUNCTION history_months(parent text, key text, max_age interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text;
    young boolean;
BEGIN
    FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent::regclass AND c.relname ~ '_\d{4}_\d\d$'
            AND to_timestamp(right(c.relname, 7) || ' +00', 'YYYY_MM TZH') + interval '1 month' < now() - max_age
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE at >= now() - $1)', part) INTO young USING max_age;
        IF NOT young THEN
            EXECUTE format('DROP TABLE %I', part);
        END IF;
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE %I < now() - $1 AND at < now() - $1', parent || '_default', key)
        USING max_age;
END $$;
COMMENT ON FUNCTION history_months IS 'Removes what is older from a table that is partitioned by month';

-- Ages are in microseconds. lock_timeout: whoever wants the table meanwhile waits behind us.
CREATE FUNCTION history_trim(max_age_usec bigint, max_runs bigint, tasks text[], ages_usec bigint[], numbers bigint[],
    batch integer, OUT removed bigint, OUT more boolean) LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    max_age interval := max_age_usec / 1000000 * interval '1 second';
    ages interval[] := ARRAY(SELECT a / 1000000 * interval '1 second' FROM unnest(ages_usec) WITH ORDINALITY AS u(a, i)
        ORDER BY i);
BEGIN
    removed := 0;
    more := false;
    IF NOT pg_try_advisory_xact_lock(1953719140, 4) THEN
        RETURN; -- another node is at it
    END IF;
    removed := history_partition(max_age, tasks, ages);
    more := removed IS NOT NULL;
    IF NOT more THEN
        removed := history_rows(max_age, max_runs, tasks, ages, numbers, batch);
        more := removed > 0;
    END IF;
    IF NOT more AND max_age IS NOT NULL THEN
        PERFORM history_months('slot', 'nominal', max_age);
        PERFORM history_months('audit', 'at', max_age);
    END IF;
END $$;
COMMENT ON FUNCTION history_trim IS 'Removes a part of what is beyond the limits, and tells how many runs that was and whether there is more to remove';
