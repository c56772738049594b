// What Swift cannot import from sqlite3.h by itself: destructor constants that are casts, and variadic functions.
#ifndef PCS_CSQLITE_SHIM_H
#define PCS_CSQLITE_SHIM_H

#include <sqlite3.h>

static inline int pcs_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}

static inline int pcs_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *blob, int bytes) {
    return sqlite3_bind_blob(statement, index, blob, bytes, SQLITE_TRANSIENT);
}

// Memory statistics cost a process-wide lock at every allocation. Has an effect only before the first connection.
static inline int pcs_sqlite_configure(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// No SQL may reach into the file format or the schema table of a connection.
static inline int pcs_sqlite_set_defensive(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

// No checkpoint, and no removal of the log, when the last connection closes.
static inline int pcs_sqlite_keep_log_on_close(sqlite3 *connection) {
    return sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

#endif
