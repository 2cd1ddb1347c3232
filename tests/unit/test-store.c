// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "daemon/store/internal.h"

struct fixture {
	char dir[64];
	char path[96], generation[96];
	struct store *store;
	int64_t now;
};

static int64_t fake_real(void *userdata)
{
	return ((struct fixture *)userdata)->now += 1000;
}

static uint64_t fake_boot(_unused_ void *userdata)
{
	return 1;
}

static struct clock clock_of(struct fixture *f)
{
	return (struct clock){ fake_boot, fake_real, f };
}

static int open_store(struct fixture *f, struct store **ret, const char **why)
{
	static struct clock clock; /* outlives the store; one test at a time */

	clock = clock_of(f);
	return store_open(&(struct store_options){ .path = f->path,
						   .generation = f->generation,
						   .clock = &clock },
			  ret, why);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 1700000000000000;
	strcpy(f->dir, "/tmp/test-store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	(void)snprintf(f->generation, sizeof(f->generation), "%s/generation", f->dir);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[512];

	store_close(f->store);
	(void)snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	f->store = store_close(f->store);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
}

static void add_identity(struct fixture *f, const char *name)
{
	struct identity identity;

	assert_int_equal(store_identity_add(f->store, name, "", 0, STORE_FOREVER, &identity), 0);
}

static struct certificate_new certificate_of(const char *identity, uint8_t n)
{
	static const uint8_t name[] = { 0x30, 0x00 };
	static uint8_t serial[1];
	struct certificate_new c = { .identity = identity,
				     .der = name,
				     .der_n = 2,
				     .issuer = name,
				     .issuer_n = 2,
				     .serial = serial,
				     .serial_n = 1,
				     .subject = "CN=x",
				     .not_after = 9 };

	memset(c.sha256, n, SHA256_BYTES);
	memset(c.spki_sha256, n, SHA256_BYTES);
	return c;
}

static void identity_life(void **state)
{
	struct fixture *f = *state;
	struct identity identity, *rows;
	size_t n;

	add_identity(f, "alice");
	assert_int_equal(store_identity_add(f->store, "alice", "", 0, 1, &identity), -EEXIST);
	assert_int_equal(store_identity_get(f->store, "bob", &identity), -ENOENT);
	assert_int_equal(store_identity_set_enabled(f->store, "alice", false, "left", &identity),
			 0);
	assert_false(identity.enabled);
	assert_string_equal(identity.reason, "left");
	assert_int_equal(store_identity_set_enabled(f->store, "bob", false, "", &identity),
			 -ENOENT);
	add_identity(f, "bob");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_identity_list(f->store, "alice", 10, &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].name, "bob");
	free(rows);
	assert_int_equal(store_identity_remove(f->store, "alice"), 0);
	assert_int_equal(store_identity_remove(f->store, "alice"), -ENOENT);
}

static void certificate_life(void **state)
{
	struct fixture *f = *state;
	struct certificate_new c = certificate_of("alice", 1);
	struct certificate_owner owner;
	struct certificate found, *rows;
	size_t n;

	assert_int_equal(store_certificate_add(f->store, &c), -ENOENT);
	add_identity(f, "alice");
	assert_int_equal(store_certificate_add(f->store, &c), 0);
	assert_int_equal(store_certificate_add(f->store, &c), -EEXIST);
	add_identity(f, "bob");
	c = certificate_of("bob", 2);
	memset(c.spki_sha256, 1, SHA256_BYTES); /* alice's key */
	assert_int_equal(store_certificate_add(f->store, &c), -EEXIST);
	assert_int_equal(store_certificate_owner(f->store, c.sha256, &owner), -ENOENT);
	c = certificate_of("alice", 1);
	assert_int_equal(store_certificate_owner(f->store, c.sha256, &owner), 0);
	assert_string_equal(owner.identity_name, "alice");
	assert_true(owner.enabled);
	assert_int_equal(store_certificate_get_spki(f->store, c.spki_sha256, &found), 0);
	assert_int_equal(found.der_n, 2);
	certificate_deinit(&found);
	assert_int_equal(store_certificate_list(f->store, "alice", NULL, 5, &rows, &n), 0);
	assert_int_equal(n, 1);
	free(rows);
	assert_int_equal(store_certificate_list(f->store, NULL, c.sha256, 5, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
	/* the identity goes, and its certificates with it */
	assert_int_equal(store_identity_remove(f->store, "alice"), 0);
	assert_int_equal(store_certificate_owner(f->store, c.sha256, &owner), -ENOENT);
}

static void access_rows(void **state)
{
	struct fixture *f = *state;
	struct access_row row = { .identity = "alice",
				  .account = "root",
				  .service = "sudo",
				  .not_after = 9 },
			  *rows;
	struct identity identity;
	size_t n;
	bool any;

	assert_int_equal(store_access_allow(f->store, &row), -ENOENT);
	add_identity(f, "alice");
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
	assert_int_equal(store_access_allow(f->store, &row), 0);
	row.not_after = 10;
	assert_int_equal(store_access_allow(f->store, &row), 0); /* replaces */
	strcpy(row.service, "@login");
	assert_int_equal(store_access_allow(f->store, &row), 0);
	assert_int_equal(
		store_access_find(f->store, identity.id, "root", "sudo", "@elevate", &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].not_after, 10);
	free(rows);
	assert_int_equal(
		store_access_find(f->store, identity.id, "roo", "sudo", "@elevate", &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
	assert_int_equal(store_access_any(f->store, identity.id, "root", &any), 0);
	assert_true(any);
	assert_int_equal(store_access_any(f->store, identity.id, "alice", &any), 0);
	assert_false(any);
	assert_int_equal(store_access_deny(f->store, "alice", "root", "sudo"), 0);
	assert_int_equal(store_access_deny(f->store, "alice", "root", "sudo"), -ENOENT);
}

static void service_rows(void **state)
{
	struct fixture *f = *state;
	struct service_row row, sshd = { .name = "x",
					 .class = CLASS_ELEVATE,
					 .via = VIA_LOCAL,
					 .loose = true,
					 .redeem_uids = "0" };

	assert_int_equal(store_service_get(f->store, "sudo", &row), 0);
	assert_int_equal(row.class, CLASS_ELEVATE);
	assert_true(service_uid_allowed(&row, 0));
	assert_false(service_uid_allowed(&row, 1));
	/* a loose ticket for an elevating service cannot even be written down */
	assert_int_not_equal(store_service_set(f->store, &sshd), 0);
	sshd.class = CLASS_APP;
	assert_int_equal(store_service_set(f->store, &sshd), 0);
	assert_int_equal(store_service_remove(f->store, "x"), 0);
	assert_int_equal(store_service_get(f->store, "x", &row), -ENOENT);
}

static void uid_lists(_unused_ void **state)
{
	static const char *const bad[] = { "",	 ",",  "0,",	     ",0",   "a",  "-1",
					   "0 ", "00", "4294967295", "0,,1", "Any" };
	struct service_row row = { .redeem_uids = "0,113" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(service_uids_ok(bad[i]));
	assert_true(service_uids_ok("0,113"));
	assert_true(service_uids_ok("any"));
	assert_true(service_uid_allowed(&row, 113));
	assert_false(service_uid_allowed(&row, 13));
	row.redeem_uids[0] = '\0';
	assert_false(service_uid_allowed(&row, 0)); /* an empty list is nobody */
}

static void anchor_rows(void **state)
{
	struct fixture *f = *state;
	struct anchor_row *rows;
	int64_t id;
	size_t n;

	assert_int_equal(store_anchor_add(f->store, "corp", (const uint8_t *)"x", 1, &id), 0);
	assert_int_equal(store_anchor_add(f->store, "corp2", (const uint8_t *)"x", 1, &id),
			 -EEXIST);
	assert_int_equal(store_anchor_list(f->store, &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].policy, "{}");
	anchor_rows_free(rows, n);
	assert_int_equal(store_anchor_remove(f->store, "corp"), 0);
	assert_int_equal(store_anchor_remove(f->store, "corp"), -ENOENT);
}

static void session_life(void **state)
{
	struct fixture *f = *state;
	struct session s = { .login_id = "A",
			     .identity = "alice",
			     .account_auth = "alice",
			     .account_now = "root",
			     .service = "sudo",
			     .pid = 7,
			     .boot_id = "b" },
		       *rows, back;
	int64_t id;
	size_t n;

	assert_int_equal(store_session_open(f->store, &s, &id), 0);
	assert_int_equal(store_session_list(f->store, false, 0, 10, &rows, &n), 0);
	assert_int_equal(n, 1);
	free(rows);
	assert_int_equal(store_session_close(f->store, id, "closed"), 0);
	assert_int_equal(store_session_close(f->store, id, "closed"), -ENOENT);
	assert_int_equal(store_session_get(f->store, id, &back), 0);
	assert_string_equal(back.ended, "closed");
	assert_true(back.closed >= back.opened);
	assert_int_equal(store_session_list(f->store, false, 0, 10, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

static int64_t append(struct fixture *f, const char *kind)
{
	int64_t id;

	assert_int_equal(store_event_append(
				 f->store, &(struct event){ .kind = kind, .verdict = "deny" }, &id),
			 0);
	return id;
}

static struct event_check verified(struct fixture *f, size_t slice)
{
	struct event_check c = { 0 };
	const uint8_t *head = NULL;
	uint8_t kept[SHA256_BYTES];

	do {
		assert_int_equal(store_event_verify(f->store, c.checked, head, slice, &c), 0);
		memcpy(kept, c.head, sizeof(kept));
		head = kept;
	} while (!c.done);
	return c;
}

static void chain_verifies_in_slices(void **state)
{
	struct fixture *f = *state;
	struct event *rows;
	size_t n;

	for (int i = 0; i < 10; i++)
		append(f, i % 2 ? "login.redeem" : "admin.identity.add");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 3).good);
	assert_true(verified(f, 10).good);
	reopen(f);
	append(f, "login.redeem");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 100).good);
	assert_int_equal(verified(f, 100).checked, 11);
	assert_int_equal(
		store_event_list(f->store,
				 &(struct event_filter){ .limit = 99, .last = 2, .kind = "login" },
				 &rows, &n),
		0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[1].id, 11);
	events_free(rows, n);
	assert_int_equal(store_event_list(f->store,
					  &(struct event_filter){ .limit = 99, .kind = "log" },
					  &rows, &n),
			 0);
	assert_int_equal(n, 0);
	events_free(rows, n);
}

static void raw(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void tampering_shows(void **state)
{
	static const char *const sql[] = {
		"UPDATE event SET verdict = 'allow' WHERE id = 3",
		"DELETE FROM event WHERE id = 3",
		"UPDATE event SET time = time + 1 WHERE id = 4",
		"UPDATE event SET id = 77 WHERE id = 5",
	};
	struct fixture *f = *state;

	for (int i = 0; i < 6; i++)
		append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sql); i++) {
		char command[512];

		f->store = store_close(f->store);
		(void)snprintf(command, sizeof(command), "cp %s %s.keep", f->path, f->path);
		assert_int_equal(system(command), 0);
		raw(f, sql[i]);
		assert_int_equal(open_store(f, &f->store, NULL), 0);
		assert_false(verified(f, 2).good);
		f->store = store_close(f->store);
		(void)snprintf(command, sizeof(command), "rm -f %s-wal; mv %s.keep %s", f->path,
			       f->path, f->path);
		assert_int_equal(system(command), 0);
		assert_int_equal(open_store(f, &f->store, NULL), 0);
		assert_true(verified(f, 2).good);
	}
}

static void rollback_keeps_the_chain(void **state)
{
	struct fixture *f = *state;
	uint64_t revision = store_revision(f->store);
	struct identity identity;

	append(f, "a");
	assert_int_equal(store_commit(f->store), 0);
	append(f, "b");
	add_identity(f, "alice");
	assert_true(store_dirty(f->store));
	store_rollback(f->store);
	assert_false(store_dirty(f->store));
	assert_int_equal(store_identity_get(f->store, "alice", &identity), -ENOENT);
	assert_int_equal(store_revision(f->store), revision);
	assert_int_equal(append(f, "c"), 2);
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 9).good);
}

static void undone_change_leaves_its_turn(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	append(f, "a");
	assert_int_equal(store_change_begin(f->store), 0);
	add_identity(f, "alice");
	append(f, "b");
	assert_int_equal(store_change_end(f->store, -ENOMEM), -ENOMEM);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), -ENOENT);
	assert_int_equal(store_change_begin(f->store), 0);
	add_identity(f, "bob");
	assert_int_equal(append(f, "c"), 2);
	assert_int_equal(store_change_end(f->store, 0), 0);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_identity_get(f->store, "bob", &identity), 0);
	assert_true(verified(f, 9).good);
}

/* SQLite has undone the turn by itself: no end of a change makes it whole again. */
static void change_of_a_lost_turn_fails(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	assert_int_equal(store_change_begin(f->store), 0);
	add_identity(f, "alice");
	assert_int_equal(sqlite3_exec(f->store->db, "ROLLBACK", NULL, NULL, NULL), 0);
	f->store->lost = true;
	assert_int_equal(store_change_end(f->store, 0), -EIO);
	assert_int_equal(store_commit(f->store), -EIO);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), -ENOENT);
	assert_int_equal(store_commit(f->store), 0);
}

static void failing_verb_leaves_its_turn(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	add_identity(f, "alice");
	assert_int_equal(store_identity_add(f->store, "alice", "", 0, 1, &identity), -EEXIST);
	append(f, "a");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
	assert_true(verified(f, 9).good);
}

static void authorizer_refuses(void **state)
{
	static const char *const sql[] = {
		"UPDATE event SET verdict = 'allow'",
		"DELETE FROM event",
		"ATTACH '/tmp/x' AS x",
		"DROP TABLE event",
		"CREATE TABLE x (y)",
		"PRAGMA synchronous = OFF",
		"ALTER TABLE identity ADD x",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sql); i++)
		assert_int_not_equal(sqlite3_exec(f->store->db, sql[i], NULL, NULL, NULL),
				     SQLITE_OK);
}

static void foreign_and_newer_files_are_refused(void **state)
{
	struct fixture *f = *state;
	const char *why = "";

	f->store = store_close(f->store);
	raw(f, "PRAGMA user_version = 99");
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "newer"));
	raw(f, "PRAGMA user_version = 1; PRAGMA application_id = 1");
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "not a certlogin"));
}

static void corrupt_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	const char *why = "";
	char command[512];

	append(f, "a");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	(void)snprintf(command, sizeof(command),
		       "dd if=/dev/urandom of=%s bs=1k seek=1 count=40 conv=notrunc 2>/dev/null",
		       f->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "set aside"));
	(void)snprintf(command, sizeof(command), "ls %s.corrupt-* >/dev/null", f->path);
	assert_int_equal(system(command), 0);
	/* and no empty database takes its place by itself */
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "gone"));
}

static void older_database_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *why = "";
	char command[512];

	add_identity(f, "alice");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	(void)snprintf(command, sizeof(command), "cp %s %s.old", f->path, f->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	add_identity(f, "bob");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	(void)snprintf(command, sizeof(command), "rm -f %s-wal; cp %s.old %s", f->path, f->path,
		       f->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(open_store(f, &f->store, &why), -ESTALE);
	assert_non_null(strstr(why, "older"));
}

static void backup_is_whole_and_new(void **state)
{
	struct fixture *f = *state;
	char path[128];
	int64_t bytes = 0;

	add_identity(f, "alice");
	(void)snprintf(path, sizeof(path), "%s/copy", f->dir);
	assert_int_equal(store_backup(f->store, path, &bytes), 0);
	assert_true(bytes > 4096);
	assert_int_equal(store_backup(f->store, path, &bytes), -EEXIST);
	assert_true(verified(f, 9).good);
}

static void clock_floor(void **state)
{
	struct fixture *f = *state;
	int64_t then = store_now(f->store, true);

	f->now -= 3600 * 1000000LL;
	assert_true(store_now(f->store, true) >= then); /* set back: nothing revives */
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_true(store_now(f->store, false) >= then - 60000000);
	f->now += 7200 * 1000000LL;
	then = store_now(f->store, false); /* not synchronised: believed, but not kept */
	f->now -= 3600 * 1000000LL;
	assert_true(store_now(f->store, false) < then);
}

static void killed_process_loses_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t last = 0, id;

	f->store = store_close(f->store);
	for (int round = 0; round < 30; round++) {
		int pipe_fd[2];
		pid_t pid;

		assert_int_equal(pipe(pipe_fd), 0);
		pid = fork();
		if (pid == 0) {
			struct store *s;

			if (open_store(f, &s, NULL) < 0)
				_exit(1);
			for (;;) {
				if (store_event_append(s, &(struct event){ .kind = "x" }, &id) <
					    0 ||
				    store_commit(s) < 0 ||
				    write(pipe_fd[1], &id, sizeof(id)) != sizeof(id))
					_exit(1);
			}
		}
		(void)close(pipe_fd[1]);
		for (int i = 0; i <= round; i++)
			assert_int_equal(read(pipe_fd[0], &last, sizeof(last)), sizeof(last));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while (read(pipe_fd[0], &id, sizeof(id)) == sizeof(id))
			last = id;
		(void)close(pipe_fd[0]);
		assert_int_equal(open_store(f, &f->store, NULL), 0);
		assert_true(verified(f, 1000).checked >= last);
		assert_true(verified(f, 1000).good);
		f->store = store_close(f->store);
	}
	assert_int_equal(open_store(f, &f->store, NULL), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(identity_life),
		T(certificate_life),
		T(access_rows),
		T(service_rows),
		cmocka_unit_test(uid_lists),
		T(anchor_rows),
		T(session_life),
		T(chain_verifies_in_slices),
		T(tampering_shows),
		T(rollback_keeps_the_chain),
		T(undone_change_leaves_its_turn),
		T(change_of_a_lost_turn_fails),
		T(failing_verb_leaves_its_turn),
		T(authorizer_refuses),
		T(foreign_and_newer_files_are_refused),
		T(corrupt_file_is_set_aside),
		T(older_database_is_refused),
		T(backup_is_whole_and_new),
		T(clock_floor),
		T(killed_process_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
