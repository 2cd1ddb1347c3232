// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "daemon/authority/sessions.h"
#include "tests/harness/authority-lab.h"

/* Open sessions are rows, and each is tied to one process: this one, not its number. */
struct test {
	struct world *w;
	struct login login;
	struct evidence evidence;
	pid_t child;
};

static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

static void end_child(struct test *t)
{
	siginfo_t si;

	if (t->child <= 0)
		return;
	(void)kill(t->child, SIGKILL);
	/* not reaped yet: its number is its own while we look */
	assert_int_equal(waitid(P_PID, (id_t)t->child, &si, WEXITED | WNOWAIT), 0);
}

static void reap_child(struct test *t)
{
	end_child(t);
	if (t->child > 0)
		assert_int_equal(waitpid(t->child, NULL, 0), t->child);
	t->child = 0;
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = world_new(&(struct world_options){ 0 });
	t->evidence = (struct evidence){ .refs = 1, .chain = { t->w->alice.cert }, .n = 1 };
	t->login = (struct login){ .id_text = "7KQ2-M4XD-ABCD-E",
				   .account = "alice",
				   .service = "sudo",
				   .tty = "pts/3",
				   .evidence = &t->evidence };
	t->child = start_child();
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	disk_mend();
	reap_child(t);
	world_free(t->w);
	free(t);
	return 0;
}

static int64_t open_one(struct test *t)
{
	const struct session_request q = {
		.login = &t->login, .identity = "alice", .account_now = "root", .pid = t->child
	};
	int64_t id, event;

	assert_int_equal(session_open(t->w->a.sessions, &q, &id, &event), 0);
	assert_true(event > 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	session_watch(t->w->a.sessions, id);
	return id;
}

static struct session row_of(struct test *t, int64_t id)
{
	struct session row;

	assert_int_equal(store_session_get(t->w->a.store, id, &row), 0);
	return row;
}

static void expect_ended(struct test *t, int64_t id, const char *how)
{
	struct session row = row_of(t, id);

	assert_string_equal(row.ended, how);
	assert_int_equal(row.closed != 0, *how != '\0');
	assert_int_equal(count_events(t->w, "session.close", NULL), *how != '\0');
}

static void restart(struct test *t)
{
	t->w->a.sessions = sessions_free(t->w->a.sessions);
	assert_int_equal(sessions_new(&t->w->a, &t->w->a.sessions), 0);
	assert_int_equal(sessions_settle(t->w->a.sessions), 0);
	pump(t->w);
}

static void row_says_whose_it_is(void **state)
{
	struct test *t = *state;
	struct session row = row_of(t, open_one(t));

	assert_string_equal(row.identity, "alice");
	assert_string_equal(row.account_auth, "alice");
	assert_string_equal(row.account_now, "root");
	assert_string_equal(row.login_id, t->login.id_text);
	assert_string_equal(row.tty, "pts/3");
	assert_memory_equal(row.certificate, t->w->alice.cert->sha256, SHA256_BYTES);
	assert_int_equal(row.pid, t->child);
	assert_true(row.start_time > 0);
	assert_int_equal(strlen(row.boot_id), 36);
	assert_int_equal(count_events(t->w, "session.open", "allow"), 1);
}

static void of_no_process(void **state)
{
	struct test *t = *state;
	struct session_request q = { .login = &t->login, .identity = "alice" };
	int64_t id, event;

	q.account_now = "alice";
	q.pid = t->child;
	reap_child(t);
	assert_int_equal(session_open(t->w->a.sessions, &q, &id, &event), -ESRCH);
	assert_false(store_dirty(t->w->a.store));
}

static void close_ends_it_once(void **state)
{
	struct test *t = *state;
	int64_t id = open_one(t);

	assert_int_equal(session_close(t->w->a.sessions, id, "closed"), 0);
	assert_int_equal(session_close(t->w->a.sessions, id, "closed"), -ENOENT);
	assert_int_equal(session_close(t->w->a.sessions, id + 1, "closed"), -ENOENT);
	pump(t->w);
	end_child(t); /* nobody looks at it any more */
	pump(t->w);
	expect_ended(t, id, "closed");
}

static void process_ends_it(void **state)
{
	struct test *t = *state;
	int64_t id = open_one(t);

	pump(t->w);
	expect_ended(t, id, "");
	end_child(t);
	pump(t->w);
	expect_ended(t, id, "unclosed");
	assert_false(store_dirty(t->w->a.store));
}

static void process_that_was_gone_before_it_was_watched(void **state)
{
	struct test *t = *state;
	const struct session_request q = {
		.login = &t->login, .identity = "alice", .account_now = "alice", .pid = t->child
	};
	int64_t id, event;

	assert_int_equal(session_open(t->w->a.sessions, &q, &id, &event), 0);
	reap_child(t);
	session_watch(t->w->a.sessions, id);
	pump(t->w);
	expect_ended(t, id, "unclosed");
}

static void restart_goes_on_watching(void **state)
{
	struct test *t = *state;
	int64_t id = open_one(t);

	restart(t);
	expect_ended(t, id, "");
	end_child(t);
	pump(t->w);
	expect_ended(t, id, "unclosed");
}

static void restart_finds_it_gone(void **state)
{
	struct test *t = *state;
	int64_t id = open_one(t);

	t->w->a.sessions = sessions_free(t->w->a.sessions);
	reap_child(t);
	assert_int_equal(sessions_new(&t->w->a, &t->w->a.sessions), 0);
	assert_int_equal(sessions_settle(t->w->a.sessions), 0);
	pump(t->w);
	expect_ended(t, id, "unclosed");
}

/* Rows as they would be after a reboot, or when the number has been given to somebody else. */
static int64_t write_row(struct test *t, int64_t later, const char *boot_id)
{
	struct session row = row_of(t, open_one(t));
	int64_t id;

	assert_int_equal(session_close(t->w->a.sessions, row.id, "closed"), 0);
	row.start_time += later;
	if (boot_id)
		(void)snprintf(row.boot_id, sizeof(row.boot_id), "%s", boot_id);
	assert_int_equal(store_session_open(t->w->a.store, &row, &id), 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	return id;
}

static void number_of_another_process(void **state)
{
	struct test *t = *state;
	int64_t id = write_row(t, -1, NULL);

	restart(t);
	assert_string_equal(row_of(t, id).ended, "unclosed");
}

static void another_boot(void **state)
{
	struct test *t = *state;
	int64_t id = write_row(t, 0, "00000000-0000-0000-0000-000000000000");

	restart(t);
	assert_string_equal(row_of(t, id).ended, "reboot");
}

static void many_are_settled(void **state)
{
	struct test *t = *state;
	struct session *rows;
	size_t n;

	for (size_t i = 0; i < LIMIT_LIST_ROWS + 10; i++) {
		struct session row = { .pid = 1, .boot_id = "another" };
		int64_t id;

		(void)strcpy(row.identity, "alice");
		assert_int_equal(store_session_open(t->w->a.store, &row, &id), 0);
	}
	restart(t);
	assert_int_equal(store_session_list(t->w->a.store, false, 0, 10, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

/* --- the disk is full just then --- */

static void end_that_cannot_be_written_is_written_later(void **state)
{
	struct test *t = *state;
	int64_t id = open_one(t);

	pump(t->w);
	disk_break(t->w);
	end_child(t);
	pump(t->w);
	assert_true(t->w->a.unsettled);
	expect_ended(t, id, "");
	/* and again it cannot */
	assert_int_equal(sessions_settle(t->w->a.sessions), 0);
	pump(t->w);
	assert_true(t->w->a.unsettled);
	disk_mend();
	assert_int_equal(sessions_settle(t->w->a.sessions), 0);
	pump(t->w);
	assert_false(t->w->a.unsettled);
	expect_ended(t, id, "unclosed");
}

static void settling_keeps_those_that_are_watched(void **state)
{
	struct test *t = *state;
	int64_t id = open_one(t);

	assert_int_equal(sessions_settle(t->w->a.sessions), 0);
	pump(t->w);
	end_child(t);
	pump(t->w);
	expect_ended(t, id, "unclosed"); /* by one event */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(row_says_whose_it_is),
		T(of_no_process),
		T(close_ends_it_once),
		T(process_ends_it),
		T(process_that_was_gone_before_it_was_watched),
		T(restart_goes_on_watching),
		T(restart_finds_it_gone),
		T(number_of_another_process),
		T(another_boot),
		T(many_are_settled),
		T(end_that_cannot_be_written_is_written_later),
		T(settling_keeps_those_that_are_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
