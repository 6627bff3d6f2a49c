-- Who asked for what, kept apart from runs: it also tells what was refused.
CREATE TABLE audit (
    at timestamptz NOT NULL,
    uid bigint,
    unit text NOT NULL DEFAULT '',
    method text NOT NULL,
    object text NOT NULL DEFAULT '',
    granted boolean NOT NULL
) PARTITION BY RANGE (at);
COMMENT ON TABLE audit IS 'What was asked of the daemon, by whom, and whether it was granted; by month (UTC)';
COMMENT ON COLUMN audit.uid IS 'Of the caller; null where the bus could not tell';
COMMENT ON COLUMN audit.unit IS 'Of the caller, empty if unknown';
COMMENT ON COLUMN audit.object IS 'The object''s path or the name that the method was called with';
CREATE INDEX audit_at ON audit USING brin (at);
CREATE TABLE audit_default PARTITION OF audit DEFAULT;

-- Everything that has to stand ready; called when a daemon comes up and from time to time. Advisory lock: two
-- nodes would otherwise make the same table.
CREATE FUNCTION partitions_ahead() RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1953719140, 2);
    PERFORM runs_ahead();
    PERFORM months_ahead('slot');
    PERFORM months_ahead('audit');
END $$;
COMMENT ON FUNCTION partitions_ahead IS 'Makes all partitions that will be needed next';
