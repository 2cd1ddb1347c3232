// SPDX-License-Identifier: GPL-2.0-or-later
/* A real full disk: a small tmpfs in a mount namespace of this process. */
#include <sched.h>
#include <sys/mount.h>

#include "tests/unit/store-lab.h"

#define DISK "10m" /* the ballast and a little */

static bool have_disk;

static bool write_text(const char *path, const char *text)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* As root, or as anybody where the kernel lets users have namespaces. */
static bool own_namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNS) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", map))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map);
}

static int enter(_unused_ void **state)
{
	have_disk = own_namespace() && mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) == 0 &&
		    mount("disk", "/mnt", "tmpfs", 0, "size=" DISK) == 0;
	return 0;
}

static int setup_disk(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	if (!have_disk)
		return 0;
	f->now = 1700000000000000;
	f->ballast = "/mnt/ballast";
	(void)strcpy(f->path, "/mnt/db");
	(void)strcpy(f->generation, "/mnt/generation");
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	return 0;
}

static int teardown_disk(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	free(f);
	if (have_disk)
		shell("rm -rf /mnt/*");
	return 0;
}

static void fill(void)
{
	shell("dd if=/dev/zero of=/mnt/filler.$$ bs=4k 2>/dev/null; true");
}

static void make_room(void)
{
	shell("rm -f /mnt/filler.*");
}

static bool ballast_is_whole(void)
{
	struct stat st;

	return stat("/mnt/ballast", &st) == 0 && st.st_size == BALLAST_BYTES &&
	       st.st_blocks * 512 >= BALLAST_BYTES;
}

#define NEED_DISK()                                                                                \
	do {                                                                                       \
		if (!have_disk)                                                                    \
			skip();                                                                    \
	} while (0)

static void full_disk_releases_the_ballast_once(void **state)
{
	struct fixture *f = *state;
	int64_t last, done = 0;
	int r = 0;

	NEED_DISK();
	assert_true(ballast_is_whole());
	fill();
	assert_false(store_ballast_released(f->store));
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(store_ballast_released(f->store));
	assert_int_equal(access("/mnt/ballast", F_OK), -1);

	fill(); /* again: now there is nothing left to give */
	last = f->store->head.id;
	for (int i = 0; i < 4096 && r == 0; i++) {
		done = f->store->head.id;
		append(f, "x");
		r = store_commit(f->store);
	}
	assert_int_equal(r, -ENOSPC);
	assert_true(done >= last);
	assert_false(store_dirty(f->store));
	assert_int_equal(verified(f, 100).checked, done); /* of the refused turn nothing stayed */
	assert_true(verified(f, 100).good);

	make_room();
	assert_int_equal(append(f, "x"), done + 1);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f); /* and the ballast is back */
	assert_true(ballast_is_whole());
	assert_false(store_ballast_released(f->store));
	assert_int_equal(verified(f, 100).checked, done + 1);
	assert_true(verified(f, 100).good);
}

/* A turn that is bigger than what is left, though that looked like enough. */
static void turn_bigger_than_the_room(void **state)
{
	enum { KIB = 1024, DETAIL = 64 * KIB };
	_cleanup_(freep) char *detail = malloc(DETAIL);
	struct fixture *f = *state;
	int r = 0;

	NEED_DISK();
	assert_non_null(detail);
	memset(detail, 'x', DETAIL - 1);
	detail[DETAIL - 1] = '\0';
	for (int i = 0; i < 64 && r == 0; i++) /* 4 MiB */
		r = store_event_append(f->store, &(struct event){ .kind = "x", .detail = detail },
				       NULL);
	if (r == 0)
		r = store_commit(f->store);
	else
		assert_int_equal(store_commit(f->store), -ENOSPC);
	assert_int_equal(r, -ENOSPC);
	assert_true(store_ballast_released(f->store));
	assert_int_equal(append(f, "x"), 1); /* the next turn has the room */
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 100).good);
}

static void starts_on_a_full_disk(void **state)
{
	struct fixture *f = *state;

	NEED_DISK();
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	fill();
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(store_ballast_released(f->store));
	fill();
	reopen(f); /* no ballast now, and no half of one */
	assert_int_equal(access("/mnt/ballast", F_OK), -1);
	assert_true(verified(f, 100).good);
}

static void backup_that_does_not_fit_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t bytes;

	NEED_DISK();
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	fill();
	assert_int_equal(store_backup(f->store, "/mnt/copy", &bytes), -ENOSPC);
	assert_int_equal(access("/mnt/copy", F_OK), -1);
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
}

static void read_only_file_system(void **state)
{
	struct fixture *f = *state;
	const char *why = "";

	NEED_DISK();
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	assert_int_equal(mount("disk", "/mnt", "tmpfs", MS_REMOUNT | MS_RDONLY, "size=" DISK), 0);
	assert_int_equal(open_store(f, &f->store, &why), -EROFS);
	assert_non_null(strstr(why, "cannot be written"));
	assert_int_equal(mount("disk", "/mnt", "tmpfs", MS_REMOUNT, "size=" DISK), 0);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_true(verified(f, 9).good);
}

#define D(name) cmocka_unit_test_setup_teardown(name, setup_disk, teardown_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		D(full_disk_releases_the_ballast_once),
		D(turn_bigger_than_the_room),
		D(starts_on_a_full_disk),
		D(backup_that_does_not_fit_leaves_nothing),
		D(read_only_file_system),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
