-- A schedule may follow the ends of another task's runs, each of them with a slot of its own. They stand in a queue in its row, written in the
-- transaction that records the end, until the transaction that gives the slot its outcome takes them out: so none is lost and none
-- fires twice, whoever is killed when, and however many end before somebody looks.
ALTER TABLE schedule ADD COLUMN ends timestamptz[] NOT NULL DEFAULT '{}', ADD COLUMN end_runs bigint[] NOT NULL DEFAULT '{}',
    ADD CHECK (cardinality(ends) = cardinality(end_runs));
COMMENT ON COLUMN schedule.follows IS 'The task whose runs its slots follow (EveryFrom=finish: its own), or @boot, or "TASK RESULT": each end of a run of that task with that result (AfterTask=); null: they have times of their own';
COMMENT ON COLUMN schedule.ends IS 'With "TASK RESULT": the slots that have no outcome yet, ascending. Each is the time of an end, or, where another was recorded before that came later, the next instant';
COMMENT ON COLUMN schedule.end_runs IS 'Of each of them the run that ended';
ALTER TABLE run ADD COLUMN after_run bigint;
COMMENT ON COLUMN run.after_run IS 'The run whose end it follows (AfterTask=)';

CREATE OR REPLACE FUNCTION run_followed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE schedule SET under_way = NULL,
            ended = CASE WHEN under_way IS NULL THEN greatest(ended, coalesce(NEW.finished, now()))
                ELSE coalesce(NEW.finished, now()) END
        WHERE follows = NEW.task AND CASE WHEN under_way IS NULL THEN NEW.attempt > 0
            ELSE name = NEW.schedule AND under_way = NEW.nominal END;
    -- What never began did not end; and nobody is to be alarmed by what somebody cancelled.
    UPDATE schedule SET end_runs = end_runs || NEW.id,
            ends = ends || greatest(coalesce(NEW.finished, now()), since, last_nominal + interval '1 microsecond',
                ends[cardinality(ends)] + interval '1 microsecond')
        WHERE NEW.attempt > 0 AND follows IN (NEW.task || ' any',
            NEW.task || CASE NEW.result WHEN 'success' THEN ' success' WHEN 'cancelled' THEN ' any' ELSE ' failure' END);
    RETURN NULL;
END $$;

-- What has its outcome leaves the queue. What is left where the definition becomes another, or goes, which nobody knew of who changed it, has
-- its own with that; what that statement has written of before the row goes is not left.
CREATE FUNCTION ends_passed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    passed timestamptz;
    n integer := 0;
    rest timestamptz[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        passed := NEW.last_nominal;
    ELSE
        passed := greatest(OLD.last_nominal, (SELECT max(nominal) FROM slot WHERE task = OLD.task AND schedule = OLD.name
            AND nominal BETWEEN OLD.ends[1] AND OLD.ends[cardinality(OLD.ends)] AND at = now()));
    END IF;
    IF passed IS NOT NULL THEN
        n := width_bucket(passed, OLD.ends);
    END IF;
    rest := OLD.ends[n + 1:];
    IF (TG_OP = 'DELETE' OR NEW.revision <> OLD.revision) AND rest <> '{}' THEN
        INSERT INTO slot (task, schedule, nominal, first, count, outcome, cause, reason, at)
            VALUES (OLD.task, OLD.name, rest[cardinality(rest)], nullif(rest[1], rest[cardinality(rest)]), cardinality(rest), 'skipped',
                'changed', 'the schedule was changed or deleted before it could be acted on', now())
            ON CONFLICT DO NOTHING;
        passed := rest[cardinality(rest)];
        n := cardinality(OLD.ends);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.last_nominal := passed;
    NEW.ends := OLD.ends[n + 1:];
    NEW.end_runs := OLD.end_runs[n + 1:];
    RETURN NEW;
END $$;
COMMENT ON FUNCTION ends_passed IS 'Takes ends out of a schedule''s queue that have their outcome';
CREATE TRIGGER ends_passed BEFORE UPDATE ON schedule FOR EACH ROW
    WHEN (OLD.ends <> '{}' AND (OLD.last_nominal IS DISTINCT FROM NEW.last_nominal OR OLD.revision <> NEW.revision))
    EXECUTE FUNCTION ends_passed();
CREATE TRIGGER ends_gone BEFORE DELETE ON schedule FOR EACH ROW WHEN (OLD.ends <> '{}') EXECUTE FUNCTION ends_passed();
