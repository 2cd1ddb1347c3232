// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "daemon/store/internal.h"

#define APPLICATION_ID 0x636c6f67 /* "clog" */

static const char *const migrations[] = {
#include "schema/db/0001-init.sql.inc"
	,
#include "schema/db/0002-trust.sql.inc"
	,
};

static int pragma_int(sqlite3 *db, const char *sql, int *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : store_errno(rc == SQLITE_DONE ? SQLITE_CORRUPT : rc);
}

static int migrate_one(sqlite3 *db, size_t to, const char *sql)
{
	char stamp[128];
	int rc;

	(void)snprintf(stamp, sizeof(stamp),
		       "PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT",
		       APPLICATION_ID, to);
	rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, stamp, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return store_errno(rc);
}

int store_migrate(sqlite3 *db, const char **ret_why)
{
	int version = 0, application = 0, objects = 0, r;

	r = pragma_int(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = pragma_int(db, "PRAGMA application_id", &application);
	if (r == 0)
		r = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &objects);
	if (r < 0)
		return r;
	if (objects > 0 && application != APPLICATION_ID) {
		*ret_why = "this is not a certlogin database; move it away";
		return -EUCLEAN;
	}
	if (version < 0 || (size_t)version > ARRAY_SIZE(migrations)) {
		*ret_why = "the database was written by a newer certlogin; install that version or "
			   "restore a backup";
		return -EUCLEAN;
	}
	for (size_t i = (size_t)version; i < ARRAY_SIZE(migrations) && r == 0; i++)
		r = migrate_one(db, i + 1, migrations[i]);
	return r;
}
