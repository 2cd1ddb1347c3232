// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"

static int read_identity(sqlite3_stmt *q, struct identity *ret)
{
	ret->id = sqlite3_column_int64(q, 0);
	ret->enabled = sqlite3_column_int(q, 3) == 1;
	ret->not_before = sqlite3_column_int64(q, 5);
	ret->not_after = sqlite3_column_int64(q, 6);
	ret->created = sqlite3_column_int64(q, 7);
	ret->certificates = sqlite3_column_int64(q, 8);
	return column_text(q, 1, ret->name, sizeof(ret->name)) < 0 ||
			       column_text(q, 2, ret->full_name, sizeof(ret->full_name)) < 0 ||
			       column_text(q, 4, ret->reason, sizeof(ret->reason)) < 0
		       ? -EUCLEAN
		       : 0;
}

static int get_one(struct store *s, sqlite3_stmt *stmt, struct identity *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = stmt;
	struct identity identity = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_identity(q, &identity);
	if (r == 0)
		*ret = identity;
	return r;
}

int store_identity_get(struct store *s, const char *name, struct identity *ret)
{
	return get_one(s, query(s, STMT_IDENTITY_GET, "t", name), ret);
}

int store_identity_get_id(struct store *s, int64_t id, struct identity *ret)
{
	return get_one(s, query(s, STMT_IDENTITY_GET_ID, "i", id), ret);
}

int store_identity_add(struct store *s, const char *name, const char *full_name, int64_t not_before,
		       int64_t not_after, struct identity *ret)
{
	int r;

	if (!text_fits(name, sizeof(ret->name)) || !text_fits(full_name, sizeof(ret->full_name)))
		return -EINVAL;
	r = store_policy(s, STMT_IDENTITY_ADD, "ttiiii", name, full_name ? full_name : "",
			 not_before, not_after, clock_realtime(s->clock), (int64_t)s->revision + 1);
	return r < 0 ? r : store_identity_get(s, name, ret);
}

int store_identity_set_enabled(struct store *s, const char *name, bool enabled, const char *reason,
			       struct identity *ret)
{
	int r;

	if (!text_fits(reason, sizeof(ret->reason)))
		return -EINVAL;
	r = store_policy(s, STMT_IDENTITY_SET_ENABLED, "titi", name, (int64_t)enabled,
			 reason ? reason : "", (int64_t)s->revision + 1);
	return r < 0 ? r : store_identity_get(s, name, ret);
}

int store_identity_remove(struct store *s, const char *name)
{
	return store_policy(s, STMT_IDENTITY_REMOVE, "t", name);
}

int store_identity_list(struct store *s, const char *after, size_t limit, struct identity **ret,
			size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_IDENTITY_LIST, "ti", after ? after : "", (int64_t)limit);
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct identity *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_identity(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}
