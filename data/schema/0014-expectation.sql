-- A task may be expected to succeed every so often. What that is counted from stands here, and is moved by the very statement that
-- records a success; so does the one alarm that a silence has, for whoever starts next to know of.
CREATE TABLE expectation (
    task text PRIMARY KEY,
    since timestamptz NOT NULL,
    success timestamptz,
    missed timestamptz,
    run bigint,
    CHECK (run IS NULL OR missed IS NOT NULL)
) WITH (fillfactor = 50);
COMMENT ON TABLE expectation IS 'Tasks that are expected to succeed every so often (ExpectEvery=, ExpectWithin=)';
COMMENT ON COLUMN expectation.since IS 'Nothing was expected before: when the task was added or enabled, or when it began to say so';
COMMENT ON COLUMN expectation.success IS 'The end of the latest run that succeeded since this row is there';
COMMENT ON COLUMN expectation.missed IS 'By when a success was expected that did not come, which was told; null: none was. It is over with the next success';
COMMENT ON COLUMN expectation.run IS 'The run of the task that OnMissed= names, for that; null: not asked for yet, or there is none';
