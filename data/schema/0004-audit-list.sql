-- The audit can be listed: each entry has a number, for the order of those of one moment, and the name that the caller
-- had then. The sequence instead of an identity column, which partitions of PostgreSQL 15 cannot have.
CREATE SEQUENCE audit_id;
ALTER TABLE audit ADD COLUMN id bigint NOT NULL DEFAULT nextval('audit_id'), ADD COLUMN user_name text NOT NULL DEFAULT '';
ALTER SEQUENCE audit_id OWNED BY audit.id;
COMMENT ON COLUMN audit.id IS 'Orders what has the same time';
COMMENT ON COLUMN audit.user_name IS 'Of the caller, as it was then; empty where only uid is known';

-- Almost all entries are of root and RunTask: the other indexes leave these out, so that a run costs the audit one entry
-- of an index, and what is rare is found all the same.
DROP INDEX audit_at;
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_uid ON audit (uid, at, id) WHERE uid <> 0;
CREATE INDEX audit_user ON audit (user_name, at, id) WHERE uid <> 0;
CREATE INDEX audit_method ON audit (method, at, id) WHERE method <> 'RunTask';
CREATE INDEX audit_refused ON audit (at, id) WHERE NOT granted;
