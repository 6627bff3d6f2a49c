-- Schedules by the thousand, made in the database itself: rows as the daemon leaves them.
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS bench;
SET search_path = bench, taskschedd, pg_catalog;

-- The keys of schedule n: most kinds of expression, hardly one like another, in all zones; none is due within two months.
CREATE OR REPLACE FUNCTION keys(n bigint, zones text[]) RETURNS text LANGUAGE sql AS $$
    SELECT CASE n % 5
        WHEN 0 THEN format(E'OnCalendar=*-%s-%s %s', month, day, moment)
        WHEN 1 THEN format(E'OnCalendar=Mon..Fri *-%s-%s..28 %s', month, day, moment)
        WHEN 2 THEN format(E'Cron=%s %s %s %s *', n / 5 % 60, n / 300 % 24, n / 7200 % 28 + 1, month::int)
        WHEN 3 THEN format(E'Every=%sh\nFrom=%s-%s-%s %s', n % 1000 + 1, year, month, day, moment)
        ELSE format(E'RRule=FREQ=WEEKLY;INTERVAL=%s;BYDAY=MO,WE\nFrom=%s-%s-%s %s', n % 9 + 1, year, month, day, moment)
        END || format(E'\nTimeZone=%s\n', zones[1 + n % array_length(zones, 1)])
    FROM (SELECT to_char(later, 'MM') AS month, to_char(later, 'YYYY') AS year, to_char(n % 28 + 1, 'FM00') AS day,
            to_char(time '00:00' + n * interval '7 s', 'HH24:MI:SS') AS moment
        FROM (SELECT now() + interval '1 month' * (2 + n % 8) AS later) l) at
$$;

-- Tasks of a thousand schedules or fewer, in the names' order that of n.
CREATE OR REPLACE PROCEDURE fill(task text, total bigint, zones text[], fixed text) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO taskschedd.task (name, origin, revision, changed)
        SELECT task || to_char(t, 'FM0000'), 'api', 1, now() FROM generate_series(0, (total - 1) / 1000) t;
    INSERT INTO task_revision (task, revision, definition, created)
        SELECT task || to_char(n / 1000, 'FM0000'), 1, jsonb_build_array(jsonb_build_object('Path', '', 'Text',
            E'[Service]\nExecStart=/bin/true\n' ||
            string_agg(format(E'[Schedule s%s]\n', to_char(n % 1000, 'FM000')) || coalesce(fixed || E'\n', keys(n, zones)), '' ORDER BY n))), now()
        FROM generate_series(0, total - 1) n GROUP BY n / 1000;
    INSERT INTO schedule (task, name, since, revision)
        SELECT task || to_char(n / 1000, 'FM0000'), 's' || to_char(n % 1000, 'FM000'), now(), 1 FROM generate_series(0, total - 1) n;
END $$;
