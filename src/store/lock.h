/* Our advisory locks. Each belongs to a session: it goes when the connection goes, with whatever ends the daemon. */
#pragma once

#define LOCK_CLASS    "1953719140"     /* the first number says they are ours */
#define LOCK_DATABASE LOCK_CLASS ", 1" /* of who uses the database alone, or, shared, of each that does */
#define LOCK_SCHEMA   LOCK_CLASS ", 3" /* held while a migration runs */
#define LOCK_COMING   LOCK_CLASS ", 5" /* of several nodes one at a time looks at the schema, and changes it */

/* Of a node beside others: a number of its name. */
#define LOCK_NODE(name) "hashtextextended(" name ", " LOCK_CLASS ")"

/* Of pg_locks l: one that is held in this database, and, where it has one number, which. */
#define LOCK_IS_HELD                                                                                         \
    "l.locktype = 'advisory' AND l.granted"                                                                  \
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
#define LOCK_IS_OF_NODE "l.objsubid = 1"
#define LOCK_NUMBER     "(l.classid::bigint << 32 | l.objid::bigint)"
