// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "daemon/store/internal.h"

/*
 * A second lock against bugs of our own, not against an attacker with our uid: the schema does not
 * change, nothing is attached, and no row of the audit is altered or deleted, whatever is prepared;
 * but by INSERT OR REPLACE, which SQLite does not ask about: a test holds the catalogue to have
 * none.
 */
static int authorize(void *userdata, int action, const char *a, const char *b, const char *db,
		     const char *trigger)
{
	(void)userdata;
	(void)b;
	(void)db;
	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	case SQLITE_INSERT:
		return strncmp(a, "sqlite_schema", 13) == 0 || strncmp(a, "sqlite_master", 13) == 0
			       ? SQLITE_DENY
			       : SQLITE_OK;
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return strcmp(a, "event") == 0 || strncmp(a, "sqlite_", 7) == 0 ? SQLITE_DENY
										: SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

int store_guard(struct store *s)
{
	return store_errno(sqlite3_set_authorizer(s->db, authorize, NULL));
}
