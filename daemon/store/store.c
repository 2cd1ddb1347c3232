// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "daemon/store/files.h"
#include "daemon/store/internal.h"

#define ROOM_BYTES (1024 * 1024) /* less than this is free: the ballast goes */
#define WAL_PAGES_MAX 4096	 /* a checkpoint is due even when never idle */
#define FLOOR_STEP_USEC 60000000

static int exec(struct store *s, const char *sql)
{
	return store_errno(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

static int first_row_is_ok(void *ret, int n, char **values, char **names)
{
	(void)names;
	*(bool *)ret = n == 1 && values[0] && strcmp(values[0], "ok") == 0;
	return 0;
}

static int quick_check(struct store *s)
{
	bool good = false;
	int r = store_errno(
		sqlite3_exec(s->db, "PRAGMA quick_check(1)", first_row_is_ok, &good, NULL));

	return r < 0 ? r : good ? 0 : -EUCLEAN;
}

static int configure(struct store *s)
{
	int r;

	(void)sqlite3_extended_result_codes(s->db, 1);
	(void)sqlite3_busy_timeout(s->db, 500);
	r = store_errno(sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL));
	if (r == 0)
		r = store_errno(sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL));
	/* one process owns the file; without shared memory a reader elsewhere could not see it
	 * either */
	return r < 0 ? r
		     : exec(s, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			       "PRAGMA cache_size = -16384; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
			       "PRAGMA wal_autocheckpoint = 0; PRAGMA cell_size_check = ON;"
			       "PRAGMA journal_size_limit = 67108864");
}

static int count_wal(void *userdata, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct store *)userdata)->wal_pages = pages;
	return SQLITE_OK;
}

static int setting_u64(struct store *s, const char *name, uint64_t *ret)
{
	_cleanup_(freep) char *value = NULL;
	char *end;
	int r = store_setting_get(s, name, &value);

	if (r < 0)
		return r == -ENOENT ? -EUCLEAN : r;
	errno = 0;
	*ret = strtoull(value, &end, 10);
	return errno || *end || end == value ? -EUCLEAN : 0;
}

static int load_counters(struct store *s, const struct store_options *options)
{
	uint64_t floor;
	int r;

	r = setting_u64(s, "revision", &s->revision);
	if (r == 0)
		r = setting_u64(s, "generation", &s->generation);
	if (r == 0)
		r = setting_u64(s, "clock_floor", &floor);
	if (r < 0)
		return r;
	s->floor = s->floor_saved = (int64_t)floor;
	if (s->floor < options->anchor_time_floor)
		s->floor = options->anchor_time_floor;
	return 0;
}

/* An older database must not come back unseen: what it knows less of may be a revocation. */
static int check_generation(struct store *s, const char **ret_why)
{
	uint64_t seen = 0;
	int r;

	if (!s->generation_file)
		return 0;
	r = file_read_u64(s->generation_file, &seen);
	if (r < 0 && r != -ENOENT) {
		*ret_why = "the file 'generation' beside the database cannot be read; remove it "
			   "if this is the newest database";
		return r;
	}
	if (s->generation < seen) {
		*ret_why =
			"an older database was put in place of the newest: put that one back, or "
			"remove the file 'generation' beside it to forget what was changed since";
		return -ESTALE;
	}
	if (s->generation == seen)
		return 0;
	/* a file that stays behind is allowed, as after a crash; none at all is not */
	return file_write_u64(s->generation_file, s->generation) < 0 && r < 0 ? -EIO : 0;
}

static int open_file(struct store *s, const char **ret_why)
{
	bool memory = strcmp(s->path, ":memory:") == 0;
	int r;

	if (!memory && access(s->path, F_OK) < 0 && s->generation_file &&
	    access(s->generation_file, F_OK) == 0) {
		*ret_why = "the database is gone, but this host had one: restore a backup, or "
			   "remove the file "
			   "'generation' beside it to begin anew";
		return -EUCLEAN;
	}
	if (!memory) {
		r = file_create(s->path);
		if (r < 0)
			return r;
	}
	return store_errno(sqlite3_open_v2(s->path, &s->db,
					   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
						   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
					   NULL));
}

static int open_all(struct store *s, const struct store_options *options, const char **ret_why)
{
	int r = open_file(s, ret_why);

	if (r == 0)
		r = configure(s);
	if (r == 0)
		r = quick_check(s);
	if (r == 0)
		r = store_migrate(s->db, ret_why);
	if (r == 0)
		r = store_guard(s);
	if (r == 0)
		r = store_prepare_all(s);
	if (r == 0)
		r = load_counters(s, options);
	if (r == 0)
		r = store_event_load_head(s);
	if (r == 0)
		r = check_generation(s, ret_why);
	if (r == 0)
		(void)sqlite3_wal_hook(s->db, count_wal, s);
	return r;
}

static void close_database(struct store *s)
{
	for (size_t i = 0; i < STMT_MAX_; i++)
		sqlite3_finalize(STEAL(s->stmts[i]));
	if (s->db)
		(void)sqlite3_close_v2(STEAL(s->db));
}

/* Never repaired silently, never overwritten: it stays as it was found, with its WAL. */
static const char *set_aside(struct store *s)
{
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	close_database(s);
	return file_set_aside(s->path, clock_realtime(s->clock)) < 0
		       ? "the database is corrupt; move it away and restore a backup"
		       : "the database is corrupt and was set aside as *.corrupt-*; restore a "
			 "backup";
}

static const char *why_not(int r)
{
	switch (r) {
	case -EBUSY:
		return "the database is in use by another process";
	case -EROFS:
	case -EACCES:
		return "the database cannot be written";
	case -ENOSPC:
		return "the disk is full";
	default:
		return "the database cannot be opened";
	}
}

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

int store_open(const struct store_options *options, struct store **ret, const char **ret_why)
{
	_cleanup_(store_closep) struct store *s = calloc(1, sizeof(*s));
	const char *why = NULL;
	int r;

	if (!s)
		return -ENOMEM;
	s->clock = options->clock;
	s->path = copy(options->path);
	s->ballast = copy(options->ballast);
	s->generation_file = copy(options->generation);
	if (!s->path || (options->ballast && !s->ballast) ||
	    (options->generation && !s->generation_file))
		return -ENOMEM;
	r = open_all(s, options, &why);
	if (r == -EUCLEAN && !why && s->db)
		why = set_aside(s);
	if (r < 0) {
		if (ret_why)
			*ret_why = why ? why : why_not(r);
		return r;
	}
	if (s->ballast)
		(void)file_fill(s->ballast, BALLAST_BYTES); /* a full disk has none, and goes on */
	*ret = STEAL(s);
	return 0;
}

struct store *store_close(struct store *s)
{
	if (!s)
		return NULL;
	if (s->open)
		store_rollback(s);
	close_database(s);
	free(s->path);
	free(s->ballast);
	free(s->generation_file);
	free(s);
	return NULL;
}

/* --- turns --- */

int store_begin(struct store *s)
{
	int r;

	if (s->lost)
		return -EIO;
	if (s->open)
		return 0;
	r = store_step(s->stmts[STMT_BEGIN]);
	s->open = r == 0;
	return r;
}

int store_change_begin(struct store *s)
{
	int r = store_begin(s);

	s->before_change = s->head;
	return r < 0 ? r : store_write(s, NULL, STMT_CHANGE, "");
}

int store_change_end(struct store *s, int result)
{
	int r;

	if (s->lost) /* there is nothing left to end */
		return result < 0 ? result : -EIO;
	if (result < 0) {
		s->head = s->before_change;
		r = store_write(s, NULL, STMT_CHANGE_UNDO, "");
		if (r < 0)
			s->lost = true; /* half of it may stand: the turn must not commit */
	}
	r = store_write(s, NULL, STMT_CHANGE_KEEP, "");
	return result < 0 ? result : r;
}

bool store_dirty(const struct store *s)
{
	return s->open;
}

bool store_ballast_released(const struct store *s)
{
	return s->ballast_released;
}

static bool release_ballast(struct store *s)
{
	if (!s->ballast || s->ballast_released || unlink(s->ballast) < 0)
		return false;
	s->ballast_released = true;
	return true;
}

static void release_ballast_if_full(struct store *s)
{
	struct statvfs v;

	if (s->ballast && !s->ballast_released && statvfs(s->ballast, &v) == 0 &&
	    (uint64_t)v.f_bavail * v.f_frsize < ROOM_BYTES)
		(void)release_ballast(s);
}

static void end_turn(struct store *s)
{
	s->open = s->full = s->lost = s->policy_changed = false;
}

void store_rollback(struct store *s)
{
	if (s->open && !sqlite3_get_autocommit(s->db))
		(void)store_step(s->stmts[STMT_ROLLBACK]);
	s->head = s->committed;
	end_turn(s);
}

static int save_number(struct store *s, const char *name, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return store_write(s, NULL, STMT_SETTING_SET, "tt", name, text);
}

static int write_counters(struct store *s)
{
	int r = 0;

	if (s->policy_changed) {
		r = save_number(s, "revision", s->revision + 1);
		if (r == 0)
			r = save_number(s, "generation", s->generation + 1);
	}
	if (r == 0 && s->floor - s->floor_saved > FLOOR_STEP_USEC)
		r = save_number(s, "clock_floor", (uint64_t)s->floor);
	return r;
}

static int commit(struct store *s)
{
	int r;

	if (s->lost)
		return s->full ? -ENOSPC : -EIO;
	r = write_counters(s);
	return r < 0 ? r : store_step(s->stmts[STMT_COMMIT]);
}

int store_commit(struct store *s)
{
	int r;

	if (!s->open)
		return 0;
	release_ballast_if_full(s);
	r = commit(s);
	if (r < 0) {
		/* a quota does not show beforehand, and SQLite undoes what it cannot commit: this
		 * turn is refused, the next one has the room */
		if (r == -ENOSPC)
			(void)release_ballast(s);
		store_rollback(s);
		return r;
	}
	s->committed = s->head;
	s->floor_saved = s->floor - s->floor_saved > FLOOR_STEP_USEC ? s->floor : s->floor_saved;
	if (s->policy_changed) {
		s->revision++;
		s->generation++;
		/* after the commit: a crash between the two leaves the file behind, which is
		 * allowed */
		if (s->generation_file)
			(void)file_write_u64(s->generation_file, s->generation);
	}
	end_turn(s);
	if (s->wal_pages > WAL_PAGES_MAX)
		(void)store_checkpoint(s);
	return 0;
}

int store_checkpoint(struct store *s)
{
	if (s->open)
		return -EBUSY;
	return store_errno(
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
}

int store_backup(struct store *s, const char *path, int64_t *ret_bytes)
{
	sqlite3 *to = NULL;
	sqlite3_backup *backup;
	struct stat st;
	int rc, r;

	r = store_commit(s);
	if (r == 0)
		r = file_create_new(path);
	if (r < 0)
		return r;
	rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL);
	backup = rc == SQLITE_OK ? sqlite3_backup_init(to, "main", s->db, "main") : NULL;
	if (backup) {
		(void)sqlite3_backup_step(backup, -1);
		rc = sqlite3_backup_finish(backup);
	} else if (rc == SQLITE_OK) {
		rc = sqlite3_errcode(to);
	}
	/* a file that any tool can open: not in WAL mode */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	(void)sqlite3_close_v2(to);
	if (rc != SQLITE_OK || stat(path, &st) < 0) {
		(void)unlink(path);
		return rc != SQLITE_OK ? store_errno(rc) : -errno;
	}
	*ret_bytes = st.st_size;
	return file_sync(path);
}

/* --- settings, clock, counts --- */

uint64_t store_revision(const struct store *s)
{
	return s->revision;
}

int store_setting_get(struct store *s, const char *name, char **ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SETTING_GET, "t", name);
	int r = query_row(s, q);
	char *value;

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	value = strdup((const char *)sqlite3_column_text(q, 0));
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

int store_setting_set(struct store *s, const char *name, const char *value)
{
	return store_policy(s, STMT_SETTING_SET, "tt", name, value);
}

int64_t store_now(struct store *s, bool synchronised)
{
	int64_t now = clock_realtime(s->clock);

	if (now <= s->floor)
		return s->floor;
	if (synchronised)
		s->floor = now;
	return now;
}

int store_counts(struct store *s, struct store_counts *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_COUNTS, "");
	struct stat st = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -EUCLEAN;
	(void)stat(s->path, &st);
	*ret = (struct store_counts){
		.identities = sqlite3_column_int64(q, 0),
		.certificates = sqlite3_column_int64(q, 1),
		.anchors = sqlite3_column_int64(q, 2),
		.sessions_open = sqlite3_column_int64(q, 3),
		.events = sqlite3_column_int64(q, 4),
		.bytes = st.st_size,
	};
	return 0;
}
