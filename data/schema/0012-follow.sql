-- What a schedule has no time for until something happens stands in its row: the end of a run, and that it is to be followed, are one
-- transaction, whoever records it.
ALTER TABLE schedule ADD COLUMN follows text, ADD COLUMN ended timestamptz, ADD COLUMN under_way timestamptz,
    ADD CHECK (follows IS NOT NULL OR (ended IS NULL AND under_way IS NULL));
COMMENT ON COLUMN schedule.follows IS 'The task whose runs its slots follow (EveryFrom=finish: its own); null: they have times of their own';
COMMENT ON COLUMN schedule.ended IS 'When the last run of that task ended; null: none has since the schedule is so';
COMMENT ON COLUMN schedule.under_way IS 'The slot that fired last, while its run is not over: only that run''s end counts then';
CREATE INDEX schedule_follows ON schedule (follows) WHERE follows IS NOT NULL;

CREATE FUNCTION run_followed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE schedule SET under_way = NULL,
            ended = CASE WHEN under_way IS NULL THEN greatest(ended, coalesce(NEW.finished, now()))
                ELSE coalesce(NEW.finished, now()) END
        WHERE follows = NEW.task AND CASE WHEN under_way IS NULL THEN NEW.attempt > 0
            ELSE name = NEW.schedule AND under_way = NEW.nominal END;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION run_followed IS 'Tells the schedules that follow a task that a run of it is over';
CREATE TRIGGER run_followed AFTER UPDATE OF state ON run FOR EACH ROW
    WHEN (OLD.state <> 'done' AND NEW.state = 'done') EXECUTE FUNCTION run_followed();
