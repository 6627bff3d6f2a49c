-- What fires once in each boot of a node follows "@boot", which no task is named. That the node is another boot's by now, and that it is to be
-- followed, are one transaction; a daemon that comes back in the same boot changes nothing. A boot that was not followed before the
-- next has its outcome then.
COMMENT ON COLUMN schedule.follows IS 'The task whose runs its slots follow (EveryFrom=finish: its own), or @boot; null: they have times of their own';
COMMENT ON COLUMN schedule.ended IS 'When the last run of that task ended, or the node was first taken in its boot; null: not since the schedule is so';

CREATE FUNCTION node_booted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH was AS MATERIALIZED (
        SELECT task, name, ended, last_nominal, coalesce(ended > coalesce(last_nominal, '-infinity') AND ended >= since, false) AS missed
            FROM schedule WHERE follows = '@boot' ORDER BY task, name FOR UPDATE),
    new AS (
        UPDATE schedule s SET ended = greatest(now(), was.ended + interval '1 microsecond', was.last_nominal + interval '1 microsecond'),
                last_nominal = CASE WHEN was.missed THEN was.ended ELSE was.last_nominal END
            FROM was WHERE s.task = was.task AND s.name = was.name)
    INSERT INTO slot (task, schedule, nominal, count, outcome, cause, reason, at)
        SELECT task, name, ended, 1, 'skipped', 'host-down', 'the host was booted again before it fired', now() FROM was WHERE missed
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION node_booted IS 'Tells the schedules that follow boots that there was one';
CREATE TRIGGER node_booted AFTER UPDATE OF boot_id ON node FOR EACH ROW
    WHEN (OLD.boot_id <> NEW.boot_id) EXECUTE FUNCTION node_booted();
