// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

static const char *const kinds[] = { [SOURCE_CRL] = "crl", [SOURCE_OCSP] = "ocsp" };

const char *source_kind_text(enum source_kind k)
{
	return (size_t)k < ARRAY_SIZE(kinds) ? kinds[k] : "";
}

int source_kind_parse(const char *s, enum source_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], s) == 0) {
			*ret = (enum source_kind)i;
			return 0;
		}
	return -EINVAL;
}

static int read_source(sqlite3_stmt *q, struct source *ret)
{
	const char *kind = (const char *)sqlite3_column_text(q, 1);
	const char *origin = (const char *)sqlite3_column_text(q, 4);

	if (!kind || source_kind_parse(kind, &ret->kind) < 0 || !origin)
		return -EUCLEAN;
	ret->anchor = sqlite3_column_int64(q, 2);
	ret->configured = strcmp(origin, "configured") == 0;
	ret->seen = sqlite3_column_int64(q, 5);
	ret->tried = sqlite3_column_int64(q, 6);
	ret->succeeded = sqlite3_column_int64(q, 7);
	ret->due = sqlite3_column_int64(q, 8);
	ret->lost = sqlite3_column_int(q, 10) != 0;
	return column_text(q, 0, ret->url, sizeof(ret->url)) < 0 ||
			       column_text(q, 3, ret->anchor_name, sizeof(ret->anchor_name)) < 0 ||
			       column_text(q, 9, ret->error, sizeof(ret->error)) < 0
		       ? -EUCLEAN
		       : 0;
}

/* Is there room for one more row? */
static int room(struct store *s, bool *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SOURCE_COUNT, "");
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	*ret = sqlite3_column_int64(q, 0) < LIMIT_FETCH_SOURCES;
	return 0;
}

int store_source_add(struct store *s, const char *url, const char *anchor)
{
	struct source known;
	bool has_room = true;
	int r = store_source_get(s, url, SOURCE_CRL, &known);

	if (r == 0 && known.configured)
		return -EEXIST;
	if (r == -ENOENT)
		r = room(s, &has_room);
	if (r < 0)
		return r;
	if (!has_room)
		return -EDQUOT;
	if (!text_fits(url, sizeof(known.url)))
		return -EINVAL;
	return store_policy(s, STMT_SOURCE_ADD, "tti", url, anchor, (int64_t)s->revision + 1);
}

int store_source_remove(struct store *s, const char *url)
{
	return store_policy(s, STMT_SOURCE_REMOVE, "t", url);
}

int store_source_get(struct store *s, const char *url, enum source_kind kind, struct source *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_SOURCE_GET, "tt", url, source_kind_text(kind));
	struct source row = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_source(q, &row);
	if (r == 0)
		*ret = row;
	return r;
}

int store_source_list(struct store *s, struct source **ret, size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SOURCE_LIST, "");
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct source *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_source(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

#define DAY ((int64_t)(86400 * USEC_PER_SEC))

int store_source_seen(struct store *s, const char *url, enum source_kind kind, int64_t anchor,
		      int64_t now)
{
	struct source known;
	bool has_room = true;
	int r = store_source_get(s, url, kind, &known);

	if (r == 0 && (known.configured || (known.anchor == anchor && known.seen >= now - DAY)))
		return 0;
	if (r == -ENOENT)
		r = room(s, &has_room);
	if (r < 0 || !has_room)
		return r;
	if (!text_fits(url, sizeof(known.url)))
		return -EINVAL;
	return store_write(s, NULL, STMT_SOURCE_SEEN, "ttiii", url, source_kind_text(kind), anchor,
			   now, now - DAY);
}

int store_source_good(struct store *s, const char *url, enum source_kind kind, int64_t now,
		      int64_t due)
{
	int changes = 0, r = store_write(s, &changes, STMT_SOURCE_GOOD, "ttii", url,
					 source_kind_text(kind), now, due);

	return r == 0 && changes == 0 ? -ENOENT : r;
}

int store_source_bad(struct store *s, const char *url, enum source_kind kind, int64_t now,
		     const char *error)
{
	int changes = 0, r;

	if (!text_fits(error, sizeof(((struct source *)0)->error)))
		return -EINVAL;
	r = store_write(s, &changes, STMT_SOURCE_BAD, "ttit", url, source_kind_text(kind), now,
			error);
	return r == 0 && changes == 0 ? -ENOENT : r;
}

int store_source_clean(struct store *s, int64_t before)
{
	return store_write(s, NULL, STMT_SOURCE_CLEAN, "i", before);
}

int store_source_windows(struct store *s, const char *url, struct source_window **ret,
			 size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SOURCE_WINDOWS, "t", url);
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct source_window *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		row->this_update = sqlite3_column_int64(q, 0);
		row->next_update = sqlite3_column_int64(q, 1);
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}
