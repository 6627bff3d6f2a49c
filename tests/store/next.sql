-- A made-up next version, for tests alone: a column that every row gets, a table that is rewritten, an index. gate() is
-- the test's: there it waits, to be killed.
SELECT gate(1);
ALTER TABLE run ADD COLUMN made_up text;
SELECT gate(2);
UPDATE run SET made_up = task || '/' || id;
SELECT gate(3);
ALTER TABLE attempt ALTER COLUMN unit TYPE varchar(200);
SELECT gate(4);
CREATE INDEX run_made_up ON run (made_up);
SELECT gate(5);
CREATE TABLE made_up (run bigint PRIMARY KEY, word text NOT NULL);
COMMENT ON TABLE made_up IS 'Made up';
SELECT gate(6);
INSERT INTO made_up SELECT id, made_up FROM run;
SELECT gate(7);
