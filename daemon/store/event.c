// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "lib/base/buf.h"

/*
 * The chain: `prev` of a row is the SHA-256 of the row before it, over every column in table order,
 * each as u32 big-endian length and bytes, integers as 8 bytes big-endian.  The first row has
 * number 1 and zeros.  A change of the newest row, and a cut at the end that also resets SQLite's
 * own count of the numbers, show against a head that somebody else has kept, the journal.
 */
static void put_bytes(struct buf *b, const void *p, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, p, n);
}

static void put_number(struct buf *b, int64_t v)
{
	buf_put_u32(b, 8);
	buf_put_u64(b, (uint64_t)v);
}

static void put_string(struct buf *b, const char *s)
{
	put_bytes(b, s, strlen(s));
}

/* `e` has no NULL strings here. */
static int hash_row(const struct event *e, const uint8_t prev[SHA256_BYTES],
		    uint8_t ret[SHA256_BYTES])
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	put_number(&b, e->id);
	put_bytes(&b, e->uuid, sizeof(e->uuid));
	put_number(&b, e->time);
	put_string(&b, e->kind);
	put_string(&b, e->verdict);
	put_string(&b, e->reason);
	put_string(&b, e->identity);
	put_bytes(&b, e->certificate, e->has_certificate ? SHA256_BYTES : 0);
	put_string(&b, e->account);
	put_string(&b, e->service);
	put_string(&b, e->login_id);
	put_string(&b, e->source);
	put_string(&b, e->detail);
	put_bytes(&b, prev, SHA256_BYTES);
	if (b.error)
		return b.error;
	sha256(b.p, b.n, ret);
	return 0;
}

/* The same of a row as it lies in the file, whatever was done to it: nothing is parsed. */
static int hash_stored(sqlite3_stmt *q, uint8_t ret[SHA256_BYTES])
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	for (int i = 0; i < sqlite3_column_count(q); i++) {
		if (sqlite3_column_type(q, i) == SQLITE_INTEGER) {
			put_number(&b, sqlite3_column_int64(q, i));
		} else {
			const void *p = sqlite3_column_blob(q, i);

			put_bytes(&b, p, (size_t)sqlite3_column_bytes(q, i));
		}
	}
	if (b.error)
		return b.error;
	sha256(b.p, b.n, ret);
	return 0;
}

/* RFC 9562 5.7, method 1: milliseconds, a counter, random. */
static int make_uuid(struct store *s, int64_t now, uint8_t ret[16])
{
	uint64_t ms = (uint64_t)now / 1000;

	if (ms > s->uuid_ms) {
		s->uuid_ms = ms;
		s->uuid_count = 0;
	} else if (++s->uuid_count > 0xfff) {
		s->uuid_ms++;
		s->uuid_count = 0;
	}
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)(s->uuid_ms >> (40 - 8 * i));
	ret[6] = (uint8_t)(0x70 | s->uuid_count >> 8);
	ret[7] = (uint8_t)s->uuid_count;
	if (random_bytes(ret + 8, 8) < 0)
		return -EIO;
	ret[8] = (uint8_t)(0x80 | (ret[8] & 0x3f));
	return 0;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

int store_event_append(struct store *s, const struct event *event, int64_t *ret_id)
{
	uint8_t hash[SHA256_BYTES];
	struct event e = *event;
	int r;

	e.id = s->head.id + 1;
	e.time = clock_realtime(s->clock);
	e.verdict = text(e.verdict);
	e.reason = text(e.reason);
	e.identity = text(e.identity);
	e.account = text(e.account);
	e.service = text(e.service);
	e.login_id = text(e.login_id);
	e.source = text(e.source);
	e.detail = e.detail ? e.detail : "{}";
	r = make_uuid(s, e.time, e.uuid);
	if (r == 0)
		r = hash_row(&e, s->head.hash, hash);
	if (r == 0)
		r = store_write(s, NULL, STMT_EVENT_APPEND, "ibittttbtttttb", e.id,
				(const void *)e.uuid, sizeof(e.uuid), e.time, e.kind, e.verdict,
				e.reason, e.identity, (const void *)e.certificate,
				(size_t)(e.has_certificate ? SHA256_BYTES : 0), e.account,
				e.service, e.login_id, e.source, e.detail,
				(const void *)s->head.hash, (size_t)SHA256_BYTES);
	if (r < 0)
		return r;
	s->head.id = e.id;
	memcpy(s->head.hash, hash, sizeof(hash));
	if (ret_id)
		*ret_id = e.id;
	return 0;
}

/* A row that outlives its statement: one allocation for all its strings. */
static int read_event(sqlite3_stmt *q, struct event *ret)
{
	static const int columns[] = { 3, 4, 5, 6, 8, 9, 10, 11, 12 };
	const char **const fields[] = { &ret->kind,	&ret->verdict, &ret->reason,
					&ret->identity, &ret->account, &ret->service,
					&ret->login_id, &ret->source,  &ret->detail };
	const void *uuid = sqlite3_column_blob(q, 1);
	size_t n = 0;
	char *at;

	if (!uuid || sqlite3_column_bytes(q, 1) != sizeof(ret->uuid))
		return -EUCLEAN;
	memcpy(ret->uuid, uuid, sizeof(ret->uuid));
	ret->id = sqlite3_column_int64(q, 0);
	ret->time = sqlite3_column_int64(q, 2);
	ret->has_certificate = sqlite3_column_bytes(q, 7) > 0;
	if (ret->has_certificate && column_hash(q, 7, ret->certificate) < 0)
		return -EUCLEAN;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		n += (size_t)sqlite3_column_bytes(q, columns[i]) + 1;
	at = ret->own = malloc(n);
	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		size_t len = (size_t)sqlite3_column_bytes(q, columns[i]);
		const void *p = sqlite3_column_text(q, columns[i]);

		if (len > 0)
			memcpy(at, p, len);
		at[len] = '\0';
		*fields[i] = at;
		at += len + 1;
	}
	return 0;
}

void event_deinit(struct event *e)
{
	free(e->own);
	*e = (struct event){ 0 };
}

void events_free(struct event *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		event_deinit(&e[i]);
	free(e);
}

int store_event_get(struct store *s, int64_t id, struct event *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_EVENT_GET, "i", id);
	struct event e = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_event(q, &e);
	if (r == 0)
		*ret = e;
	return r;
}

int store_event_list(struct store *s, const struct event_filter *f, struct event **ret,
		     size_t *ret_n)
{
	size_t limit = f->last && f->last < f->limit ? f->last : f->limit, n = 0;
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, f->last ? STMT_EVENT_LIST_LAST : STMT_EVENT_LIST, "iitttt", f->after,
		      (int64_t)limit, f->kind, f->identity, f->account, f->verdict);
	void *rows = NULL;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct event *row = rows_next(&rows, &n, sizeof(*row));

		r = row ? read_event(q, row) : -ENOMEM;
		if (r < 0)
			break;
	}
	if (r < 0) {
		events_free(rows, n);
		return r;
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}

#define COLUMN_PREV 13

/* Does the row follow the one that `c` stands at?  `any`: what that one hashes to is not known. */
static bool row_follows(sqlite3_stmt *q, const struct event_check *c, bool any)
{
	const void *prev = sqlite3_column_blob(q, COLUMN_PREV);

	return sqlite3_column_int64(q, 0) == c->checked + 1 &&
	       sqlite3_column_bytes(q, COLUMN_PREV) == SHA256_BYTES &&
	       (any || memcmp(prev, c->head, SHA256_BYTES) == 0);
}

/* At the end: the head that we hold ourselves is that of the last row, none vanished after it. */
static void check_end(const struct store *s, bool known, struct event_check *c)
{
	bool whole = c->checked == s->head.id;

	c->done = true;
	c->good = whole && (!known || memcmp(c->head, s->head.hash, SHA256_BYTES) == 0);
	if (!c->good)
		c->first_bad = whole ? c->checked : c->checked + 1;
}

int store_event_verify(struct store *s, int64_t after, const uint8_t *head, size_t limit,
		       struct event_check *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_EVENT_LIST, "iitttt", after, (int64_t)limit, (const char *)NULL,
		      (const char *)NULL, (const char *)NULL, (const char *)NULL);
	struct event_check c = { .checked = after, .good = true };
	bool known = head || after == 0; /* before the first: zeros */
	size_t n = 0;
	int r;

	if (head)
		memcpy(c.head, head, SHA256_BYTES);
	for (; (r = query_row(s, q)) > 0; n++, known = true) {
		c.good = row_follows(q, &c, !known);
		c.checked = sqlite3_column_int64(q, 0);
		if (!c.good) {
			c.first_bad = c.checked;
			c.done = true;
			break;
		}
		r = hash_stored(q, c.head);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (c.good && n < limit)
		check_end(s, known, &c);
	*ret = c;
	return 0;
}

void store_event_head(const struct store *s, int64_t *ret_id, uint8_t ret_hash[SHA256_BYTES])
{
	*ret_id = s->head.id;
	memcpy(ret_hash, s->head.hash, SHA256_BYTES);
}

/* Numbers that SQLite has given out and that are gone: rows were cut, and none of them comes twice.
 */
static int numbers_used(struct store *s, int64_t *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_EVENT_SEQUENCE, "");
	int r = query_row(s, q);

	if (r >= 0)
		*ret = r > 0 ? sqlite3_column_int64(q, 0) : 0;
	return r < 0 ? r : 0;
}

int store_event_load_head(struct store *s)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_EVENT_NEWEST, "");
	struct chain_head head = { 0 };
	int64_t used = 0;
	int r = query_row(s, q);

	if (r > 0) { /* else an empty audit: zeros */
		head.id = sqlite3_column_int64(q, 0);
		r = hash_stored(q, head.hash);
	}
	if (r == 0)
		r = numbers_used(s, &used);
	if (r < 0)
		return r;
	if (head.id < used)
		head.id = used;
	s->head = s->committed = head;
	return 0;
}
