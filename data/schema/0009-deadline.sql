-- A run may have to be started by a certain time. One that waits longer is over, as expired; the ledger keeps that its slot
-- fired, since there is a run, and says that nothing was executed.
ALTER TABLE run ADD COLUMN deadline timestamptz;
COMMENT ON COLUMN run.deadline IS 'Not claimed after it; null: at any time, as from the second attempt on';
CREATE INDEX run_deadline ON run (deadline) WHERE deadline IS NOT NULL AND state IN ('waiting', 'queued');

ALTER TABLE slot DROP CONSTRAINT slot_check2,
    ADD CONSTRAINT slot_cause CHECK (outcome = 'skipped' OR (first IS NULL AND cause IN ('', 'overlap', 'deadline-passed')));
COMMENT ON COLUMN slot.cause IS 'Why it was skipped, or why its run was not executed, in one word; else empty, as before version 7';
COMMENT ON COLUMN slot.reason IS 'The same in a sentence';
DROP INDEX slot_skipped;
CREATE INDEX slot_unfired ON slot (nominal, task, schedule) WHERE outcome = 'skipped' OR cause <> '';

CREATE FUNCTION run_unfired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE slot SET cause = 'deadline-passed', reason = NEW.reason
        WHERE task = NEW.task AND schedule = NEW.schedule AND nominal = NEW.nominal AND run = NEW.id;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION run_unfired IS 'Notes in the ledger that the run of a slot was not executed';
CREATE TRIGGER run_unfired AFTER UPDATE OF state ON run FOR EACH ROW
    WHEN (NEW.schedule <> '' AND NEW.result = 'expired' AND OLD.state <> 'done') EXECUTE FUNCTION run_unfired();
