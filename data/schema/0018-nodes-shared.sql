-- Several nodes use one database at the same time, and each knows much of what stands in it. What one changes it tells the others of, in
-- the transaction that changes it, in words: "tNAME" is a task of which something is another, "rID,STATE,RESULT" a run that is over,
-- or that its node is to end, "dUSEC" when the next run is due that nobody has claimed, "b" a node that was booted. They are collected, so that
-- a transaction notifies once. Where the database has one node its session is not named, and nothing is told.
ALTER TABLE task ADD COLUMN node text NOT NULL DEFAULT '';
COMMENT ON COLUMN task.node IS 'Whose file it is, and who alone finds that it is gone; empty: it is of none, or of any';
-- So far whoever used the database had all of its tasks' files.
UPDATE task SET node = coalesce((SELECT name FROM node ORDER BY last_seen DESC LIMIT 1), '') WHERE origin = 'file';

CREATE FUNCTION tell(word text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    words text := coalesce(current_setting('taskschedd.words', true), '');
BEGIN
    -- A notification has at most 7999 bytes.
    IF octet_length(words) + octet_length(word) > 7900 THEN
        PERFORM pg_notify('taskschedd', words);
        words := '';
    END IF;
    PERFORM set_config('taskschedd.words', words || word || ' ', true);
END $$;
COMMENT ON FUNCTION tell IS 'Collects what the other nodes are to be told';

CREATE FUNCTION told(tasks text[], dues boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
    words text;
    next timestamptz;
BEGIN
    FOREACH name IN ARRAY tasks LOOP
        PERFORM tell('t' || name);
    END LOOP;
    IF dues THEN
        next := least((SELECT min(due) FROM run WHERE state = 'waiting'),
            (SELECT due FROM run WHERE state = 'queued' ORDER BY priority DESC, due, id LIMIT 1));
        -- What is due now, and is left, is for whoever has room for it.
        IF next <= now() OR coalesce(time_to_usec(next)::text, '') <> coalesce(current_setting('taskschedd.due', true), '') THEN
            PERFORM set_config('taskschedd.due', coalesce(time_to_usec(next)::text, ''), false);
            IF next IS NOT NULL THEN
                PERFORM tell('d' || time_to_usec(next));
            END IF;
        END IF;
    END IF;
    words := coalesce(current_setting('taskschedd.words', true), '');
    IF words <> '' THEN
        PERFORM pg_notify('taskschedd', words);
        PERFORM set_config('taskschedd.words', '', true);
    END IF;
END $$;
COMMENT ON FUNCTION told IS 'Ends a transaction: the other nodes are told of these tasks, of what was collected, and, where dues says so, of the next run that is due, once';

CREATE FUNCTION run_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell(format('r%s,%s,%s', NEW.id, NEW.state, NEW.result));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION run_told IS 'Others wait for a run that is over; one that is to be ended is ended by its own node';
CREATE TRIGGER run_told AFTER UPDATE OF state ON run FOR EACH ROW
    WHEN (((OLD.state <> 'done' AND NEW.state = 'done')
            OR (OLD.cause = '' AND NEW.cause <> '' AND NEW.state IN ('starting', 'running', 'stopping')
                AND NEW.node <> current_setting('taskschedd.node', true)))
        AND current_setting('taskschedd.node', true) <> '')
    EXECUTE FUNCTION run_told();

CREATE FUNCTION expectation_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell('t' || NEW.task);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION expectation_told IS 'A task is overdue, or is no more';
CREATE TRIGGER expectation_told AFTER UPDATE ON expectation FOR EACH ROW
    WHEN (NEW.missed IS NOT NULL AND (OLD.missed IS DISTINCT FROM NEW.missed OR OLD.run IS DISTINCT FROM NEW.run
            OR (OLD.success IS DISTINCT FROM NEW.success AND coalesce(OLD.success < NEW.missed, true)))
        AND current_setting('taskschedd.node', true) <> '')
    EXECUTE FUNCTION expectation_told();
