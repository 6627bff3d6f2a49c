-- Slots that somebody has skipped before their time stand in their schedule's row: that row is the guard of each slot, and
-- whoever has waited for it sees them as they are by then.
ALTER TABLE schedule ADD COLUMN by_hand timestamptz[] NOT NULL DEFAULT '{}', ADD COLUMN by_whom text[] NOT NULL DEFAULT '{}',
    ADD CHECK (cardinality(by_hand) = cardinality(by_whom));
COMMENT ON COLUMN schedule.by_hand IS 'Slots to come, ascending, that are not to fire, as somebody said';
COMMENT ON COLUMN schedule.by_whom IS 'Who said so of each';
