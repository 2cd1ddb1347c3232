// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"

#define REASON_HOLD 6 /* certificateHold, RFC 5280 5.3.1 */

bool ocsp_row_is_final(const struct ocsp_row *row)
{
	return row->status == OCSP_STATUS_REVOKED && row->reason != REASON_HOLD;
}

static int status_parse(const char *text, enum ocsp_status *ret)
{
	static const enum ocsp_status all[] = { OCSP_STATUS_GOOD, OCSP_STATUS_UNKNOWN,
						OCSP_STATUS_REVOKED };

	for (size_t i = 0; text && i < ARRAY_SIZE(all); i++)
		if (strcmp(ocsp_status_text(all[i]), text) == 0) {
			*ret = all[i];
			return 0;
		}
	return -EUCLEAN;
}

static int read_ocsp(sqlite3_stmt *q, struct ocsp_row *ret)
{
	int n = sqlite3_column_bytes(q, 4);

	if (n < 1 || n > OCSP_SERIAL_MAX)
		return -EUCLEAN;
	memcpy(ret->serial, sqlite3_column_blob(q, 4), (size_t)n);
	ret->serial_n = (size_t)n;
	ret->id = sqlite3_column_int64(q, 0);
	ret->anchor = sqlite3_column_int64(q, 1);
	ret->reason = (unsigned)sqlite3_column_int(q, 6);
	ret->since = sqlite3_column_int64(q, 7);
	ret->this_update = sqlite3_column_int64(q, 8);
	ret->next_update = sqlite3_column_int64(q, 9);
	ret->imported = sqlite3_column_int64(q, 10);
	ret->stale = sqlite3_column_int(q, 12) == 1;
	return column_text(q, 2, ret->anchor_name, sizeof(ret->anchor_name)) < 0 ||
			       column_hash(q, 3, ret->issuer_key) < 0 ||
			       status_parse((const char *)sqlite3_column_text(q, 5), &ret->status) <
				       0 ||
			       column_text(q, 11, ret->source, sizeof(ret->source)) < 0
		       ? -EUCLEAN
		       : 0;
}

int store_ocsp_get(struct store *s, int64_t anchor, const uint8_t issuer_key[SHA256_BYTES],
		   const uint8_t *serial, size_t serial_n, struct ocsp_row *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_OCSP_GET, "ibb", anchor, (const void *)issuer_key,
		      (size_t)SHA256_BYTES, (const void *)serial, serial_n);
	struct ocsp_row row = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_ocsp(q, &row);
	if (r == 0)
		*ret = row;
	return r;
}

static bool is_same(const struct ocsp_row *a, const struct ocsp_row *b)
{
	return a->status == b->status && a->reason == b->reason && a->since == b->since &&
	       a->this_update == b->this_update && a->next_update == b->next_update;
}

/* What is final is so in whatever order it is heard; two answers of one moment count as the worse.
 */
static bool may_replace(const struct ocsp_row *old, const struct ocsp_row *new)
{
	if (ocsp_row_is_final(old) != ocsp_row_is_final(new))
		return ocsp_row_is_final(new);
	return new->this_update > old->this_update ||
	       (new->this_update == old->this_update &&new->status > old->status);
}

int store_ocsp_put(struct store *s, const struct ocsp_row *row, bool *ret_new)
{
	struct ocsp_row old;
	int r;

	if (row->serial_n < 1 || row->serial_n > OCSP_SERIAL_MAX ||
	    !text_fits(row->source, sizeof(row->source)))
		return -EINVAL;
	r = store_ocsp_get(s, row->anchor, row->issuer_key, row->serial, row->serial_n, &old);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_new = r == -ENOENT || !is_same(&old, row);
	if (!*ret_new)
		return 0;
	if (r == 0 && !may_replace(&old, row))
		return -EALREADY;
	return store_write(s, NULL, STMT_OCSP_PUT, "ibbtiiiiit", row->anchor,
			   (const void *)row->issuer_key, (size_t)SHA256_BYTES,
			   (const void *)row->serial, row->serial_n, ocsp_status_text(row->status),
			   (int64_t)row->reason, row->since, row->this_update, row->next_update,
			   clock_realtime(s->clock), row->source);
}

int store_ocsp_list(struct store *s, int64_t after, size_t limit, struct ocsp_row **ret,
		    size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_OCSP_LIST, "ii", after, (int64_t)limit);
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct ocsp_row *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_ocsp(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

int store_ocsp_any(struct store *s, bool *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_OCSP_ANY, "");
	int r = query_row(s, q);

	*ret = r > 0;
	return r < 0 ? r : 0;
}
