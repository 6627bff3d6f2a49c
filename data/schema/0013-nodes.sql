-- Several nodes may use one database. What a schedule's row is the guard of is judged by that row alone, since it is what whoever fires a
-- slot waits for: the definition that the row is of, and until when the task is paused or disabled, stand there as well.
ALTER TABLE schedule ADD COLUMN revision bigint NOT NULL DEFAULT 0, ADD COLUMN task_until timestamptz;
UPDATE schedule s SET revision = t.revision, task_until = CASE WHEN t.enabled THEN t.paused_until ELSE 'infinity' END
    FROM task t WHERE t.name = s.task;
COMMENT ON COLUMN schedule.revision IS 'Of its task: the definition that it is a schedule of';
COMMENT ON COLUMN schedule.task_until IS 'Slots before this instant do not fire, as is said of the task: until when it is paused; infinity: it is disabled';
