// SPDX-License-Identifier: GPL-2.0-or-later
/* Every write and every sync of a turn fails once: a layer between SQLite and the file says so. */
#include "tests/unit/store-lab.h"

enum operation { WRITE, SYNC };

/* One test at a time; SQLite's hooks carry no userdata of ours. */
static struct {
	sqlite3_vfs vfs, *below;
	enum operation operation;
	int left; /* this many pass; < 0: all */
	int rc, error;
	bool hit;
} layer = { .left = -1 };

struct file {
	sqlite3_file base;
	sqlite3_file *below; /* behind this struct */
};

static bool fails(enum operation operation)
{
	if (layer.left < 0 || operation != layer.operation || layer.left-- > 0)
		return false;
	layer.hit = true;
	errno = layer.error;
	return true;
}

#define BELOW(f, method, ...)                                                                      \
	(((struct file *)(f))->below->pMethods->method(((struct file *)(f))->below, ##__VA_ARGS__))

static int on_close(sqlite3_file *f)
{
	return BELOW(f, xClose);
}

static int on_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return BELOW(f, xRead, p, n, at);
}

static int on_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	return fails(WRITE) ? layer.rc : BELOW(f, xWrite, p, n, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return BELOW(f, xTruncate, size);
}

static int on_sync(sqlite3_file *f, int flags)
{
	return fails(SYNC) ? layer.rc : BELOW(f, xSync, flags);
}

static int on_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return BELOW(f, xFileSize, ret);
}

static int on_lock(sqlite3_file *f, int level)
{
	return BELOW(f, xLock, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	return BELOW(f, xUnlock, level);
}

static int on_check_lock(sqlite3_file *f, int *ret)
{
	return BELOW(f, xCheckReservedLock, ret);
}

static int on_control(sqlite3_file *f, int operation, void *arg)
{
	return BELOW(f, xFileControl, operation, arg);
}

static int on_sector(sqlite3_file *f)
{
	return BELOW(f, xSectorSize);
}

static int on_device(sqlite3_file *f)
{
	return BELOW(f, xDeviceCharacteristics);
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_device,
};

static int on_open(_unused_ sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
		   int *ret)
{
	struct file *f = (struct file *)base;
	int rc;

	f->below = (sqlite3_file *)(f + 1);
	rc = layer.below->xOpen(layer.below, name, f->below, flags, ret);
	f->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
	return rc;
}

static int install(_unused_ void **state)
{
	layer.below = sqlite3_vfs_find(NULL);
	layer.vfs = *layer.below;
	layer.vfs.zName = "faults";
	layer.vfs.szOsFile += (int)sizeof(struct file);
	layer.vfs.xOpen = on_open;
	return sqlite3_vfs_register(&layer.vfs, 1);
}

static int turn(struct fixture *f, const char *name)
{
	struct identity identity;
	int r = store_identity_add(f->store, name, "", 0, 1, &identity);

	if (r == 0)
		r = store_event_append(f->store, &(struct event){ .kind = "x" }, NULL);
	return r;
}

/* A turn in which the n-th operation fails.  False: it had no such operation. */
static bool turn_with_fault(struct fixture *f, int n, int error)
{
	struct chain_head head = f->store->head;
	uint64_t revision = store_revision(f->store);
	struct identity identity;
	char name[32];
	int r;

	(void)snprintf(name, sizeof(name), "fault-%d", n);
	layer.hit = false;
	layer.left = n;
	r = turn(f, name);
	r = r < 0 ? r : store_commit(f->store);
	layer.left = -1;
	if (!layer.hit) {
		assert_int_equal(r, 0);
		return false;
	}
	assert_int_equal(r, error);
	assert_false(store_dirty(f->store));
	assert_int_equal(store_identity_get(f->store, name, &identity), -ENOENT);
	assert_memory_equal(&f->store->head, &head, sizeof(head));
	assert_int_equal(store_revision(f->store), revision);
	(void)snprintf(name, sizeof(name), "after-%d", n);
	assert_int_equal(turn(f, name), 0); /* the next turn is as if nothing had been */
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 99).good);
	return true;
}

static void every_fault(struct fixture *f, enum operation operation, int rc, int error, int r)
{
	struct identity *rows;
	int n = 0;
	size_t found;

	layer.operation = operation;
	layer.rc = rc;
	layer.error = error;
	while (turn_with_fault(f, n, r))
		n++;
	assert_true(n > 0);
	reopen(f);
	assert_true(verified(f, 99).good);
	assert_int_equal(store_identity_list(f->store, "after", 999, &rows, &found), 0);
	assert_int_equal(found, n + 1); /* each turn after a fault, and the one that met none */
	free(rows);
}

static void write_finds_no_room(void **state)
{
	every_fault(*state, WRITE, SQLITE_FULL, ENOSPC, -ENOSPC);
}

static void write_meets_a_quota(void **state)
{
	every_fault(*state, WRITE, SQLITE_IOERR_WRITE, EDQUOT, -ENOSPC);
}

static void write_meets_a_bad_disk(void **state)
{
	every_fault(*state, WRITE, SQLITE_IOERR_WRITE, EIO, -EIO);
}

static void write_meets_read_only(void **state)
{
	every_fault(*state, WRITE, SQLITE_IOERR_WRITE, EROFS, -EROFS);
}

static void sync_fails(void **state)
{
	every_fault(*state, SYNC, SQLITE_IOERR_FSYNC, EIO, -EIO);
}

/* statvfs sees plenty of room; only the write finds out. */
static void quota_releases_the_ballast(void **state)
{
	struct fixture *f = *state;
	char ballast[96];

	(void)snprintf(ballast, sizeof(ballast), "%s/ballast", f->dir);
	f->ballast = ballast;
	reopen(f);
	assert_int_equal(access(ballast, F_OK), 0);
	layer.operation = WRITE;
	layer.rc = SQLITE_IOERR_WRITE;
	layer.error = EDQUOT;
	assert_true(turn_with_fault(f, 0, -ENOSPC));
	assert_true(store_ballast_released(f->store));
	assert_int_equal(access(ballast, F_OK), -1);
	f->store = store_close(f->store);
	f->ballast = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(write_finds_no_room),	  T(write_meets_a_quota), T(write_meets_a_bad_disk),
		T(write_meets_read_only), T(sync_fails),	  T(quota_releases_the_ballast),
	};

	return cmocka_run_group_tests(tests, install, NULL);
}
