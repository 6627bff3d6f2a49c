-- A history of as many runs as are wanted, made in the database itself: rows as the daemon leaves them, in partitions of
-- ids. Indexes are built when what they are for is filled. With wal_level = minimal that writes next to no WAL.
CREATE SCHEMA bench;
SET search_path = bench, taskschedd, pg_catalog;

-- Run number n of total, over 180 days up to now. Three of a hundred do not succeed; two thirds have an input, a third an
-- output; a fifth is asked for by one of 20 users, half of these with metadata, the rest comes by time.
CREATE FUNCTION runs(first bigint, n_first bigint, n_last bigint, total bigint) RETURNS SETOF taskschedd.run LANGUAGE sql AS $$
    SELECT id, 'task-' || to_char(h / 100000 % 50, 'FM00'), 1 + n * 3 / total, 'done', result, '', NULL::timestamptz, false,
        CASE result WHEN 'success' THEN '' WHEN 'exit-code' THEN 'The main process exited with status 1'
            ELSE 'It did not end within 1h (Timeout=)' END,
        'default', 0, t, 1, 'host', 1 + n / 100000, gen_random_uuid(), id, '5f0c1d2e3b4a59687786a5b4c3d2e1f0', 1234567,
        'tsched-run-' || id || '-1.service', md5(id::text), CASE WHEN person IS NULL THEN 'hourly' ELSE '' END,
        CASE WHEN person IS NULL THEN date_trunc('minute', t) END, t, t + interval '2 ms', t + interval '9 ms',
        t + (20 + h % 977) * interval '1 ms', CASE result WHEN 'timeout' THEN 2 ELSE 1 END::smallint,
        CASE result WHEN 'success' THEN 0 WHEN 'timeout' THEN 15 ELSE 1 END, 90000000, NULL::bigint,
        coalesce('user-' || person, 'root'), coalesce(1000 + person, 0),
        CASE WHEN h % 3 > 0 THEN format('{"database":"shop-%s","level":%s,"path":"/srv/backup/%s"}', h % 40, h % 9, h % 1000) END::json,
        NULL::json, NULL::bytea, CASE WHEN h % 3 = 1 THEN format('{"bytes":%s,"files":%s}', h, h % 321) END::json,
        CASE WHEN person % 2 = 0 THEN jsonb_build_object('ticket', 'OPS-' || n / 100, 'team', 'team-' || h % 7) END,
        2000000 + h % 900000, 3000000 + h % 4000000, 4096 * (h % 50), 4096 * (h % 90), NULL::bigint, NULL::bigint, 1000000 * n,
        NULL::timestamptz, NULL::integer, 'allow', '', NULL::timestamptz, NULL::bigint
    FROM (SELECT first + n - n_first AS id, n, h, CASE WHEN h % 5 = 3 THEN h / 5 % 20 END AS person,
            CASE WHEN h / 100 % 1000 < 970 THEN 'success' WHEN h / 100 % 1000 < 995 THEN 'exit-code' ELSE 'timeout' END AS result,
            now() - interval '180 days' * (1 - n::float8 / total) AS t
        FROM generate_series(n_first, n_last) n, LATERAL (SELECT hashint8(n)::bigint + 2147483648 AS h) hash) r
$$;

-- The indexes of a partitioned table on a partition to be: what is attached with them is attached at once, so that two can
-- be filled side by side.
CREATE PROCEDURE build_indexes(parent text, part text) LANGUAGE plpgsql AS $$
DECLARE
    definition text;
BEGIN
    FOR definition IN SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \S+ ON ONLY \S+ ', format('INDEX ON %I ', part))
        FROM pg_index WHERE indrelid = parent::regclass AND NOT indisprimary
    LOOP
        EXECUTE definition;
    END LOOP;
    EXECUTE format('ALTER TABLE %I ADD %s', part, (SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = parent::regclass AND contype = 'p'));
END $$;

-- Partition k with the runs n_first to n_last, from its first id on.
CREATE PROCEDURE fill(k bigint, n_first bigint, n_last bigint, total bigint) LANGUAGE plpgsql AS $$
DECLARE
    size CONSTANT bigint := 1000000;
BEGIN
    EXECUTE format('CREATE TABLE taskschedd.run_%s (LIKE run INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 70)', k);
    EXECUTE format('INSERT INTO run_%s SELECT * FROM runs($1, $2, $3, $4)', k)
        USING greatest(k * size, 1), n_first, n_last, total;
    CALL build_indexes('run', 'run_' || k);
    EXECUTE format('CREATE TABLE taskschedd.attempt_%s (LIKE attempt INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 80)', k);
    EXECUTE format('INSERT INTO attempt_%1$s (run, attempt, node, epoch, token, fence, boot_id, manager_stamp, unit, invocation_id,
            claimed, started, finished, result, reason, exit_code, exit_status, cpu_nsec, memory_peak, io_read, io_write)
        SELECT id, attempt, node, epoch, token, fence, boot_id, manager_stamp, unit, invocation_id, claimed, started, finished,
            result, reason, exit_code, exit_status, cpu_nsec, memory_peak, io_read, io_write FROM run_%1$s', k);
    CALL build_indexes('attempt', 'attempt_' || k);
    EXECUTE format('INSERT INTO ask SELECT requester, gen_random_uuid()::text, id, asked FROM run_%s', k);
    EXECUTE format('ALTER TABLE run ATTACH PARTITION run_%1$s FOR VALUES FROM (%2$s) TO (%3$s)', k, k * size, (k + 1) * size);
    EXECUTE format('ALTER TABLE attempt ATTACH PARTITION attempt_%1$s FOR VALUES FROM (%2$s) TO (%3$s)', k, k * size, (k + 1) * size);
END $$;

-- Tokens are random: one by one into an index that is larger than the memory they would take for ever.
CREATE PROCEDURE "begin"() LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE run_0, run_1, attempt_0, attempt_1;
    ALTER TABLE ask DROP CONSTRAINT ask_pkey;
    DROP INDEX ask_run;
END $$;

CREATE PROCEDURE finish() LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE ask ADD PRIMARY KEY (requester, token);
    CREATE INDEX ask_run ON ask USING brin (run) WITH (pages_per_range = 16);
    PERFORM setval('run_id', (SELECT max(id) FROM run));
END $$;
