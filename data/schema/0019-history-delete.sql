-- Removing history: a round looks at the partitions its runs are in alone, and finds their tokens by one walk over the index.
-- That is one of block ranges (BRIN), which is read from one end to the other for each single value that is asked for:
-- the range is left to it, the ids are not.
CREATE OR REPLACE FUNCTION history_delete(ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    first bigint := (SELECT min(i) FROM unnest(ids) i);
    last bigint := (SELECT max(i) FROM unnest(ids) i);
    n bigint;
BEGIN
    DELETE FROM attempt WHERE run = ANY (ids) AND run BETWEEN first AND last;
    DELETE FROM ask WHERE run + 0 = ANY (ids) AND run BETWEEN first AND last;
    DELETE FROM run WHERE id = ANY (ids) AND id BETWEEN first AND last AND state = 'done';
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
