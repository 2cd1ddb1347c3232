// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"

static int read_session(sqlite3_stmt *q, struct session *ret)
{
	const struct {
		int column;
		char *text;
		size_t size;
	} texts[] = {
		{ 1, ret->login_id, sizeof(ret->login_id) },
		{ 2, ret->identity, sizeof(ret->identity) },
		{ 4, ret->account_auth, sizeof(ret->account_auth) },
		{ 5, ret->account_now, sizeof(ret->account_now) },
		{ 6, ret->service, sizeof(ret->service) },
		{ 7, ret->tty, sizeof(ret->tty) },
		{ 8, ret->rhost, sizeof(ret->rhost) },
		{ 11, ret->boot_id, sizeof(ret->boot_id) },
		{ 14, ret->ended, sizeof(ret->ended) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (column_text(q, texts[i].column, texts[i].text, texts[i].size) < 0)
			return -EUCLEAN;
	ret->id = sqlite3_column_int64(q, 0);
	ret->pid = sqlite3_column_int64(q, 9);
	ret->start_time = sqlite3_column_int64(q, 10);
	ret->opened = sqlite3_column_int64(q, 12);
	ret->closed = sqlite3_column_int64(q, 13); /* NULL reads as 0: open */
	return column_hash(q, 3, ret->certificate);
}

int store_session_open(struct store *s, const struct session *n, int64_t *ret_id)
{
	int r = store_write(s, NULL, STMT_SESSION_OPEN, "ttbtttttiiti", n->login_id, n->identity,
			    (const void *)n->certificate, (size_t)SHA256_BYTES, n->account_auth,
			    n->account_now, n->service, n->tty, n->rhost, n->pid, n->start_time,
			    n->boot_id, clock_realtime(s->clock));

	if (r == 0)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return r;
}

int store_session_close(struct store *s, int64_t id, const char *ended)
{
	int changes = 0;
	int r = store_write(s, &changes, STMT_SESSION_CLOSE, "iit", id, clock_realtime(s->clock),
			    ended);

	return r < 0 ? r : changes ? 0 : -ENOENT;
}

int store_session_get(struct store *s, int64_t id, struct session *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SESSION_GET, "i", id);
	struct session session = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_session(q, &session);
	if (r == 0)
		*ret = session;
	return r;
}

int store_session_list(struct store *s, bool all, int64_t after, size_t limit, struct session **ret,
		       size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(
		s, all ? STMT_SESSION_LIST : STMT_SESSION_LIST_OPEN, "ii", after, (int64_t)limit);
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct session *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_session(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}
