// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "daemon/store/internal.h"

static const char *const catalogue[] = {
#define STATEMENT(id, sql) [STMT_##id] = sql,
#include "schema/db/statements.def"
#undef STATEMENT
};

static int constraint_errno(int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_NOTNULL: /* the identity that a row belongs to */
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return -ENOENT;
	case SQLITE_CONSTRAINT_CHECK:
	case SQLITE_CONSTRAINT_DATATYPE:
		return -EINVAL;
	default:
		return -EEXIST;
	}
}

int store_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CONSTRAINT:
		return constraint_errno(rc);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
		return -EUCLEAN;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
		return -EINVAL;
	default:
		return -EIO;
	}
}

int store_prepare_all(struct store *s)
{
	for (size_t i = 0; i < STMT_MAX_; i++) {
		int rc = sqlite3_prepare_v3(s->db, catalogue[i], -1, SQLITE_PREPARE_PERSISTENT,
					    &s->stmts[i], NULL);

		if (rc != SQLITE_OK)
			return store_errno(rc);
	}
	return 0;
}

static int bind_all(sqlite3_stmt *stmt, const char *format, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; *format && rc == SQLITE_OK; format++, i++) {
		if (*format == 'i') {
			rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
		} else if (*format == 't') {
			rc = sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1,
					       SQLITE_STATIC);
		} else {
			const void *p = va_arg(ap, const void *);

			rc = sqlite3_bind_blob64(stmt, i, p ? p : "", va_arg(ap, size_t),
						 SQLITE_STATIC);
		}
	}
	return store_errno(rc);
}

sqlite3_stmt *query(struct store *s, enum statement id, const char *format, ...)
{
	sqlite3_stmt *stmt = s->stmts[id];
	va_list ap;
	int r;

	va_start(ap, format);
	r = bind_all(stmt, format, ap);
	va_end(ap);
	return r < 0 ? NULL : stmt;
}

int query_row(struct store *s, sqlite3_stmt *stmt)
{
	int rc;

	(void)s;
	if (!stmt)
		return -EINVAL;
	rc = sqlite3_step(stmt);
	return rc == SQLITE_ROW ? 1 : store_errno(rc);
}

void query_donep(sqlite3_stmt **stmt)
{
	if (!*stmt)
		return;
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
}

/* A quota or a file system that turned read-only is "I/O error" to SQLite: errno tells. */
static int io_errno(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case EROFS:
		return -EROFS;
	default:
		return -EIO;
	}
}

int store_step(sqlite3_stmt *stmt)
{
	int rc, r;

	errno = 0;
	rc = sqlite3_step(stmt);
	r = (rc & 0xff) == SQLITE_IOERR ? io_errno(errno) : store_errno(rc);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return r;
}

static int step_write(struct store *s, sqlite3_stmt *stmt)
{
	int r = store_step(stmt);

	/* an error of the disk may have undone the whole transaction */
	if (s->open && sqlite3_get_autocommit(s->db))
		s->lost = true;
	s->full |= r == -ENOSPC;
	return r;
}

static int write_va(struct store *s, int *ret_changes, enum statement id, const char *format,
		    va_list ap)
{
	int r = store_begin(s);

	if (r == 0)
		r = bind_all(s->stmts[id], format, ap);
	if (r == 0)
		r = step_write(s, s->stmts[id]);
	if (r == 0 && ret_changes)
		*ret_changes = sqlite3_changes(s->db);
	return r;
}

int store_write(struct store *s, int *ret_changes, enum statement id, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = write_va(s, ret_changes, id, format, ap);
	va_end(ap);
	return r;
}

int store_policy(struct store *s, enum statement id, const char *format, ...)
{
	int changes = 0, r;
	va_list ap;

	va_start(ap, format);
	r = write_va(s, &changes, id, format, ap);
	va_end(ap);
	if (r < 0)
		return r;
	if (changes == 0)
		return -ENOENT;
	s->policy_changed = true;
	return 0;
}

int column_text(sqlite3_stmt *stmt, int column, char *ret, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	size_t n = text ? (size_t)sqlite3_column_bytes(stmt, column) : 0;

	if (n >= size || (n > 0 && memchr(text, '\0', n)))
		return -EUCLEAN;
	if (n > 0)
		memcpy(ret, text, n);
	ret[n] = '\0';
	return 0;
}

int column_hash(sqlite3_stmt *stmt, int column, uint8_t ret[SHA256_BYTES])
{
	const void *p = sqlite3_column_blob(stmt, column);

	if (!p || sqlite3_column_bytes(stmt, column) != SHA256_BYTES)
		return -EUCLEAN;
	memcpy(ret, p, SHA256_BYTES);
	return 0;
}

int column_blob(sqlite3_stmt *stmt, int column, uint8_t **ret, size_t *ret_n)
{
	const void *p = sqlite3_column_blob(stmt, column);
	size_t n = (size_t)sqlite3_column_bytes(stmt, column);
	uint8_t *copy = malloc(n + 1);

	if (!copy)
		return -ENOMEM;
	if (n > 0)
		memcpy(copy, p, n);
	*ret = copy;
	*ret_n = n;
	return 0;
}

bool text_fits(const char *s, size_t size)
{
	return !s || strlen(s) < size;
}

void *rows_next(void **rows, size_t *n, size_t size)
{
	if ((*n & (*n - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
		void *p = reallocarray(*rows, *n ? 2 * *n : 1, size);

		if (!p)
			return NULL;
		*rows = p;
	}
	return memset((uint8_t *)*rows + size * (*n)++, 0, size);
}
