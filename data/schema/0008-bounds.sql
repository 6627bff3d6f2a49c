-- How often a schedule has fired is counted where it fires, and until when a task or a schedule is paused stands beside whether
-- it is enabled.
ALTER TABLE schedule ADD COLUMN fired bigint NOT NULL DEFAULT 0 CHECK (fired >= 0), ADD COLUMN paused_until timestamptz;
ALTER TABLE task ADD COLUMN paused_until timestamptz;
COMMENT ON COLUMN schedule.fired IS 'How many of its slots have fired since it was made, or since version 8; grows with last_nominal';
COMMENT ON COLUMN schedule.paused_until IS 'Slots before this instant that have no outcome yet do not fire; in the past: it was paused';
COMMENT ON COLUMN task.paused_until IS 'Likewise those of all its schedules';
