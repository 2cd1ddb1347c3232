// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "lib/base/encode.h"
#include "lib/pki/cert.h"

static void blob_view(sqlite3_stmt *q, int column, struct view *ret)
{
	ret->p = sqlite3_column_blob(q, column);
	ret->n = (size_t)sqlite3_column_bytes(q, column);
}

static int read_certificate(sqlite3_stmt *q, bool with_der, struct certificate *ret)
{
	struct view issuer, serial;

	if (column_hash(q, 0, ret->sha256) < 0 || column_hash(q, 1, ret->spki_sha256) < 0 ||
	    column_text(q, 3, ret->identity_name, sizeof(ret->identity_name)) < 0 ||
	    column_text(q, 4, ret->subject, sizeof(ret->subject)) < 0)
		return -EUCLEAN;
	ret->identity = sqlite3_column_int64(q, 2);
	ret->not_before = sqlite3_column_int64(q, 6);
	ret->not_after = sqlite3_column_int64(q, 7);
	ret->enrolled = sqlite3_column_int64(q, 8);
	blob_view(q, 5, &serial);
	serial_text(&serial, ret->serial_text, sizeof(ret->serial_text));
	blob_view(q, 9, &issuer);
	name_text(&issuer, ret->issuer_text, sizeof(ret->issuer_text));
	return with_der ? column_blob(q, 10, &ret->der, &ret->der_n) : 0;
}

void certificate_deinit(struct certificate *c)
{
	free(c->der);
	c->der = NULL;
}

int store_certificate_add(struct store *s, const struct certificate_new *c)
{
	if (!text_fits(c->subject, sizeof(((struct certificate *)0)->subject)))
		return -EINVAL;
	return store_policy(s, STMT_CERTIFICATE_ADD, "bbtbbbtiiii", (const void *)c->sha256,
			    (size_t)SHA256_BYTES, (const void *)c->spki_sha256,
			    (size_t)SHA256_BYTES, c->identity, (const void *)c->der, c->der_n,
			    (const void *)c->issuer, c->issuer_n, (const void *)c->serial,
			    c->serial_n, c->subject, c->not_before, c->not_after,
			    clock_realtime(s->clock), (int64_t)s->revision + 1);
}

static int get_one(struct store *s, sqlite3_stmt *stmt, struct certificate *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = stmt;
	struct certificate c = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_certificate(q, true, &c);
	if (r == 0)
		*ret = c;
	return r;
}

int store_certificate_get(struct store *s, const uint8_t sha256[SHA256_BYTES],
			  struct certificate *ret)
{
	return get_one(
		s, query(s, STMT_CERTIFICATE_GET, "b", (const void *)sha256, (size_t)SHA256_BYTES),
		ret);
}

int store_certificate_get_spki(struct store *s, const uint8_t spki[SHA256_BYTES],
			       struct certificate *ret)
{
	return get_one(
		s,
		query(s, STMT_CERTIFICATE_GET_SPKI, "b", (const void *)spki, (size_t)SHA256_BYTES),
		ret);
}

int store_certificate_remove(struct store *s, const uint8_t sha256[SHA256_BYTES])
{
	return store_policy(s, STMT_CERTIFICATE_REMOVE, "b", (const void *)sha256,
			    (size_t)SHA256_BYTES);
}

int store_certificate_list(struct store *s, const char *identity, const uint8_t *after,
			   size_t limit, struct certificate **ret, size_t *ret_n)
{
	size_t after_n = after ? SHA256_BYTES : 0, n = 0;
	_cleanup_(query_donep) sqlite3_stmt *q =
		identity ? query(s, STMT_CERTIFICATE_LIST_OF, "bit", (const void *)after, after_n,
				 (int64_t)limit, identity)
			 : query(s, STMT_CERTIFICATE_LIST, "bi", (const void *)after, after_n,
				 (int64_t)limit);
	_cleanup_(freep) void *rows = NULL;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct certificate *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_certificate(q, false, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

int store_certificate_owner(struct store *s, const uint8_t sha256[SHA256_BYTES],
			    struct certificate_owner *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_CERTIFICATE_OWNER, "b", (const void *)sha256, (size_t)SHA256_BYTES);
	struct certificate_owner owner = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	owner.identity = sqlite3_column_int64(q, 0);
	owner.enabled = sqlite3_column_int(q, 2) == 1;
	owner.not_before = sqlite3_column_int64(q, 3);
	owner.not_after = sqlite3_column_int64(q, 4);
	r = column_text(q, 1, owner.identity_name, sizeof(owner.identity_name));
	if (r == 0)
		*ret = owner;
	return r;
}
