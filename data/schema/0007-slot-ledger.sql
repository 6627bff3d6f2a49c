-- The ledger tells of every slot: those in a row that were skipped for one cause are one row, which says how many they
-- are. A schedule's last_nominal is where its ledger has come to; what is written goes on from there, or is not written.
ALTER TABLE slot ADD COLUMN first timestamptz, ADD COLUMN count bigint CHECK (count > 0),
    ADD COLUMN cause text NOT NULL DEFAULT '' CHECK (cause IN ('', 'by-hand', 'overlap', 'calendar', 'paused', 'disabled',
        'host-down', 'window-passed', 'deadline-passed', 'not-existing', 'changed', 'refused'));
ALTER TABLE slot ADD CHECK (first <= nominal), ADD CHECK (outcome = 'skipped' OR (first IS NULL AND cause = ''));
COMMENT ON TABLE slot IS 'The ledger: one outcome for every slot of every schedule, by month (UTC) of its nominal time';
COMMENT ON COLUMN slot.nominal IS 'Its time; of several that were skipped, the last';
COMMENT ON COLUMN slot.first IS 'Of several that were skipped, the first; null: it is one';
COMMENT ON COLUMN slot.count IS 'How many slots this row is; null: they were not counted, as before version 7';
COMMENT ON COLUMN slot.cause IS 'Why it was skipped, in one word; empty where it was not, and before version 7';
COMMENT ON COLUMN slot.reason IS 'Why it was skipped, in a sentence';
COMMENT ON COLUMN slot.at IS 'When this was decided';

ALTER TABLE schedule ADD COLUMN off_until timestamptz;
COMMENT ON COLUMN schedule.since IS 'No time before this instant is a slot: when it was added or changed';
COMMENT ON COLUMN schedule.off_until IS 'Slots before this instant that have no outcome yet passed while it was disabled: when it was enabled again';

-- The newest slots, and the newest that did not fire, which are few.
CREATE INDEX slot_nominal ON slot (nominal, task, schedule);
CREATE INDEX slot_skipped ON slot (nominal, task, schedule) WHERE outcome = 'skipped';
