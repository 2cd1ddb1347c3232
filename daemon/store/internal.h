/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

/* Shared by the files of daemon/store alone. */

#include <sqlite3.h>

#include "daemon/store/store.h"

enum statement {
#define STATEMENT(id, sql) STMT_##id,
#include "schema/db/statements.def"
#undef STATEMENT
	STMT_MAX_,
};

struct chain_head {
	int64_t id;
	uint8_t hash[SHA256_BYTES];
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmts[STMT_MAX_];
	const struct clock *clock;
	char *path, *ballast, *generation_file;

	bool open; /* a transaction is under way */
	bool full; /* a write of it found no room */
	bool lost; /* SQLite rolled it back by itself: nothing of it may be acknowledged */
	bool policy_changed; /* in this transaction */
	bool ballast_released;
	uint64_t revision; /* that the next policy change writes */
	uint64_t generation;
	int64_t floor, floor_saved;
	struct chain_head head, committed; /* of the audit chain */
	struct chain_head before_change;
	int wal_pages; /* since the last checkpoint */
	uint64_t uuid_ms;
	uint16_t uuid_count;
};

/* SQLite's codes end here. */
int store_errno(int rc);

/*
 * format: one letter an argument, bound to ?1, ?2, ...: t const char * (NULL: NULL), i int64_t,
 * b const void * and size_t.  The statement is borrowed until the next use; query_done() ends it.
 */
sqlite3_stmt *query(struct store *s, enum statement id, const char *format, ...);
int query_row(struct store *s, sqlite3_stmt *stmt); /* 1: a row, 0: no more, -errno */
void query_donep(sqlite3_stmt **stmt);
/* A write: joins the transaction.  ret_changes may be NULL.  -ENOENT is never returned. */
int store_write(struct store *s, int *ret_changes, enum statement id, const char *format, ...);
/* A write of policy: as above; 0 rows changed is -ENOENT. */
int store_policy(struct store *s, enum statement id, const char *format, ...);
/* Joins, or begins, the transaction. */
int store_begin(struct store *s);
/* A statement without rows, to its end. */
int store_step(sqlite3_stmt *stmt);

/* What is written must be readable again: s, or NULL, fits into a field of `size`. */
bool text_fits(const char *s, size_t size);
/* Text column into a fixed buffer; -EUCLEAN when it does not fit, or has a NUL in it. */
int column_text(sqlite3_stmt *stmt, int column, char *ret, size_t size);
int column_hash(sqlite3_stmt *stmt, int column, uint8_t ret[SHA256_BYTES]);
int column_blob(sqlite3_stmt *stmt, int column, uint8_t **ret, size_t *ret_n);

/* A growing array of rows: makes room for one more of `size` bytes, zeroed; NULL: no memory. */
void *rows_next(void **rows, size_t *n, size_t size);

/* statement.c */
int store_prepare_all(struct store *s);
/* guard.c */
int store_guard(struct store *s);
/* migrate.c */
int store_migrate(sqlite3 *db, const char **ret_why);
/* event.c */
int store_event_load_head(struct store *s);

#endif
