// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"
#include "lib/pki/cert.h"
#include "lib/pki/dn.h"

#define BLOB(v) (const void *)((v)->n > 0 ? (v)->p : (const uint8_t *)""), (v)->n

/* --- issuers --- */

int store_crl_issuer(struct store *s, int64_t anchor, const struct view *name, int64_t *ret)
{
	uint8_t hash[SHA256_BYTES];
	char text[512];
	int r;

	dn_hash(name, hash);
	{
		_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_CRL_ISSUER_GET, "ib", anchor,
							       (const void *)hash, sizeof(hash));

		r = query_row(s, q);
		if (r > 0)
			*ret = sqlite3_column_int64(q, 0);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	name_text(name, text, sizeof(text));
	r = store_write(s, NULL, STMT_CRL_ISSUER_ADD, "ibbt", anchor, (const void *)hash,
			sizeof(hash), BLOB(name), text);
	if (r == 0)
		*ret = sqlite3_last_insert_rowid(s->db);
	return r;
}

int store_crl_forget(struct store *s, const char *anchor, const char *issuer_text)
{
	return store_policy(s, STMT_CRL_ISSUER_DROP, "tt", anchor, issuer_text);
}

static int find_dropped(struct store *s, int64_t *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_CRL_ISSUER_DROPPED, "");
	int r = query_row(s, q);

	if (r > 0)
		*ret = sqlite3_column_int64(q, 0);
	return r;
}

int store_crl_clean(struct store *s, size_t limit, bool *ret_more)
{
	int64_t issuer;
	int changes = 0, r = find_dropped(s, &issuer);

	*ret_more = r > 0;
	if (r <= 0)
		return r;
	r = store_write(s, &changes, STMT_REVOKED_CLEAN, "ii", issuer, (int64_t)limit);
	if (r == 0 && changes == 0)
		r = store_write(s, NULL, STMT_CRL_ISSUER_REMOVE, "i", issuer);
	return r;
}

/* --- lists --- */

void crl_rows_free(struct crl_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].name);
		free(rows[i].scope);
		free(rows[i].keys);
	}
	free(rows);
}

static int read_number(sqlite3_stmt *q, int column, struct crl_row *ret)
{
	const void *p = sqlite3_column_blob(q, column);
	size_t n = (size_t)sqlite3_column_bytes(q, column);

	if (!p || n > sizeof(ret->number))
		return -EUCLEAN;
	memcpy(ret->number, p, n);
	ret->number_n = n;
	return 0;
}

static int read_crl(sqlite3_stmt *q, struct crl_row *ret)
{
	ret->id = sqlite3_column_int64(q, 0);
	ret->issuer = sqlite3_column_int64(q, 1);
	ret->anchor = sqlite3_column_int64(q, 2);
	ret->this_update = sqlite3_column_int64(q, 9);
	ret->next_update = sqlite3_column_int64(q, 10);
	ret->imported = sqlite3_column_int64(q, 11);
	ret->entries = sqlite3_column_int64(q, 12);
	ret->stale = sqlite3_column_int(q, 14) != 0;
	return column_text(q, 3, ret->anchor_name, sizeof(ret->anchor_name)) < 0 ||
			       column_text(q, 5, ret->issuer_text, sizeof(ret->issuer_text)) < 0 ||
			       column_hash(q, 6, ret->signer) < 0 || read_number(q, 8, ret) < 0 ||
			       column_text(q, 13, ret->source, sizeof(ret->source)) < 0
		       ? -EUCLEAN
		       : 0;
}

static int read_keys(struct store *s, struct crl_row *row)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_CRL_KEYS, "i", row->id);
	void *keys = NULL;
	int r;

	while ((r = query_row(s, q)) > 0) {
		uint8_t *key = rows_next(&keys, &row->n_keys, SHA256_BYTES);

		row->keys = keys;
		r = key ? column_hash(q, 0, key) : -ENOMEM;
		if (r < 0)
			break;
	}
	return r;
}

static int read_crls(struct store *s, void **rows, size_t *n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_CRL_LIST, "");
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct crl_row *row = rows_next(rows, n, sizeof(*row));

		r = row ? read_crl(q, row) : -ENOMEM;
		if (r == 0 && (column_blob(q, 4, &row->name, &row->name_n) < 0 ||
			       column_blob(q, 7, &row->scope, &row->scope_n) < 0))
			r = -ENOMEM;
		if (r < 0)
			return r;
	}
	return r;
}

int store_crl_list(struct store *s, struct crl_row **ret, size_t *ret_n)
{
	void *rows = NULL;
	size_t n = 0;
	int r = read_crls(s, &rows, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_keys(s, (struct crl_row *)rows + i);
	if (r < 0) {
		crl_rows_free(rows, n);
		return r;
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}

int store_crl_get(struct store *s, int64_t issuer, const uint8_t signer[SHA256_BYTES],
		  const struct view *scope, struct crl_row *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_CRL_GET, "ibb", issuer, (const void *)signer, (size_t)SHA256_BYTES,
		      BLOB(scope));
	int r = query_row(s, q);

	*ret = (struct crl_row){ 0 };
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return read_crl(q, ret);
}

int store_crl_next_id(struct store *s, int64_t *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_CRL_NEXT_ID, "");
	int r = query_row(s, q);

	if (r > 0)
		*ret = sqlite3_column_int64(q, 0);
	return r > 0 ? 0 : r < 0 ? r : -EIO;
}

int store_crl_put(struct store *s, const struct crl_row *row, int64_t seen)
{
	const struct view scope = { row->scope, row->scope_n };
	int r;

	if (!text_fits(row->source, sizeof(row->source)))
		return -EINVAL;
	r = store_policy(s, STMT_CRL_PUT, "iibbbiiiiti", row->id, row->issuer,
			 (const void *)row->signer, (size_t)SHA256_BYTES, BLOB(&scope),
			 (const void *)row->number, row->number_n, row->this_update,
			 row->next_update, clock_realtime(s->clock), row->entries, row->source,
			 (int64_t)s->revision + 1);
	if (r == 0)
		r = store_write(s, NULL, STMT_CRL_KEYS_CLEAR, "i", row->id);
	for (size_t i = 0; r == 0 && i < row->n_keys; i++)
		r = store_write(s, NULL, STMT_CRL_KEY_ADD, "ib", row->id,
				(const void *)row->keys[i], (size_t)SHA256_BYTES);
	return r < 0 ? r : store_write(s, NULL, STMT_REVOKED_RELEASE, "ii", row->id, seen);
}

/* --- certificates --- */

int store_revoked_put(struct store *s, int64_t issuer, const struct view *serial, unsigned reason,
		      int64_t since, int64_t crl, int64_t seen)
{
	return store_write(s, NULL, STMT_REVOKED_PUT, "ibiiii", issuer, BLOB(serial),
			   (int64_t)reason, since, crl, seen);
}

int store_revoked_get(struct store *s, int64_t issuer, const struct view *serial,
		      unsigned *ret_reason, int64_t *ret_since)
{
	_cleanup_(query_donep) sqlite3_stmt *q =
		query(s, STMT_REVOKED_GET, "ib", issuer, BLOB(serial));
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	*ret_reason = (unsigned)sqlite3_column_int64(q, 0);
	*ret_since = sqlite3_column_int64(q, 1);
	return 0;
}
