-- A claim is stamped with the clock that nobody can set and that entries of the journal have: whether a run was started since
-- is not judged by the time of day.
ALTER TABLE run ADD COLUMN claimed_monotonic bigint;
COMMENT ON COLUMN run.claimed_monotonic IS 'CLOCK_MONOTONIC of the node, in microseconds and in the boot boot_id, when it asked for the latest claim; null: an earlier version made it';
