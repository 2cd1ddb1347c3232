// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "daemon/authority/logins.h"
#include "daemon/authority/turn.h"
#include "lib/base/cleanup.h"
#include "tests/harness/authority-lab.h"

/* One commit for all that came in one turn; and no answer before it. */

static void set_file_limit(rlim_t n)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int setup(void **state)
{
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	*state = world_new(&(struct world_options){ 0 });
	return 0;
}

static int teardown(void **state)
{
	set_file_limit(RLIM_INFINITY);
	world_free(*state);
	return 0;
}

/* A full disk: the log of the database cannot grow. */
static void fill_disk(struct world *w)
{
	char wal[128];
	struct stat st;

	(void)snprintf(wal, sizeof(wal), "%s-wal", w->database);
	assert_int_equal(stat(wal, &st), 0);
	set_file_limit((rlim_t)st.st_size);
}

/* What was called, in which order, with which result. */
struct note {
	struct world *w;
	size_t n;
	int results[2 * LIMIT_TURN_REPLIES];
	bool dirty[2 * LIMIT_TURN_REPLIES];
	bool again;
};

static void note(void *userdata, int r)
{
	struct note *x = userdata;

	x->dirty[x->n] = store_dirty(x->w->a.store);
	x->results[x->n++] = r;
	if (x->again) {
		x->again = false;
		assert_int_equal(turn_defer(x->w->a.turn, note, x), 0);
	}
}

static void append(struct world *w)
{
	assert_int_equal(store_event_append(w->a.store,
					    &(struct event){ .kind = "test", .verdict = "" }, NULL),
			 0);
}

static void answers_come_after_the_commit(void **state)
{
	struct world *w = *state;
	struct note x = { .w = w };

	for (int i = 0; i < 3; i++) {
		append(w);
		assert_int_equal(turn_defer(w->a.turn, note, &x), 0);
	}
	assert_int_equal(x.n, 0);
	assert_int_equal(turn_waiting(w->a.turn), 3);
	pump(w);
	assert_int_equal(x.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(x.results[i], 0);
		assert_false(x.dirty[i]);
	}
	assert_int_equal(turn_waiting(w->a.turn), 0);
}

static void full_turn_commits_at_once(void **state)
{
	struct world *w = *state;
	struct note x = { .w = w };

	for (size_t i = 0; i < LIMIT_TURN_REPLIES; i++) {
		append(w);
		assert_int_equal(turn_defer(w->a.turn, note, &x), 0);
	}
	assert_int_equal(x.n, 0);
	append(w);
	assert_int_equal(turn_defer(w->a.turn, note, &x), 0);
	assert_int_equal(x.n, LIMIT_TURN_REPLIES);
	assert_int_equal(turn_waiting(w->a.turn), 1);
	pump(w);
	assert_int_equal(x.n, LIMIT_TURN_REPLIES + 1);
}

static void answer_may_defer_again(void **state)
{
	struct world *w = *state;
	struct note x = { .w = w, .again = true };

	append(w);
	assert_int_equal(turn_defer(w->a.turn, note, &x), 0);
	turn_commit(w->a.turn);
	assert_int_equal(x.n, 1);
	assert_int_equal(turn_waiting(w->a.turn), 1);
	pump(w);
	assert_int_equal(x.n, 2);
}

static void kick_commits_what_nobody_waits_for(void **state)
{
	struct world *w = *state;

	append(w);
	assert_true(store_dirty(w->a.store));
	assert_int_equal(turn_kick(w->a.turn), 0);
	pump(w);
	assert_false(store_dirty(w->a.store));
	assert_int_equal(count_events(w, "test", NULL), 1);
}

static void failed_commit_fails_every_answer(void **state)
{
	struct world *w = *state;
	struct note x = { .w = w };

	fill_disk(w);
	for (int i = 0; i < 2; i++) {
		append(w);
		assert_int_equal(turn_defer(w->a.turn, note, &x), 0);
	}
	pump(w);
	assert_int_equal(x.n, 2);
	assert_true(x.results[0] < 0 && x.results[1] < 0);
	assert_true(w->a.commit_failed);
	assert_int_equal(count_events(w, "test", NULL), 0);
	set_file_limit(RLIM_INFINITY);
	append(w);
	assert_int_equal(turn_defer(w->a.turn, note, &x), 0);
	pump(w);
	assert_int_equal(x.results[2], 0);
	assert_false(w->a.commit_failed);
	assert_int_equal(count_events(w, "test", NULL), 1);
}

/* --- no login without a record --- */

static void full_disk_commits_nobody(void **state)
{
	struct world *w = *state;
	struct gate *g = calloc(1, sizeof(*g));
	struct service pam;
	struct committed c;
	struct wish wish;

	gate_open(w, VIA_LOCAL, g);
	service_begin(w, "alice", "sudo", &pam);
	wish = wish_for(&w->alice, pam.login_id, "alice", "sudo");
	fill_disk(w);
	c = gate_login(g, &wish);
	assert_false(c.allowed);
	assert_int_equal(c.event, 0);
	set_file_limit(RLIM_INFINITY);
	/* and what was not recorded is worth nothing afterwards */
	assert_false(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
	assert_int_equal(count_events(w, "login", "allow"), 0);
	/* the next one is as good as ever */
	wish = wish_for(&w->alice, pam.login_id, "alice", "sudo");
	assert_true(gate_login(g, &wish).allowed);
	assert_true(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
	service_close(&pam);
	gate_close(g);
	free(g);
}

static void full_disk_redeems_nobody(void **state)
{
	struct world *w = *state;
	struct gate *g = calloc(1, sizeof(*g));
	struct service pam;
	struct wish wish;
	char ticket[TICKET_TEXT_SIZE], error[128];
	json_t *answer;

	gate_open(w, VIA_LOCAL, g);
	service_begin(w, "alice", "sudo", &pam);
	wish = wish_for(&w->alice, pam.login_id, "alice", "sudo");
	assert_true(gate_login(g, &wish).allowed);
	fill_disk(w);
	ticket_format(wish.ticket, ticket);
	answer = service_call(&pam, "Redeem",
			      json_pack("{s:s, s:s}", "loginId", pam.login_text, "ticket", ticket),
			      error);
	assert_string_equal(error, "org.varlink.service.SystemError");
	json_decref(answer);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(login_find(w->a.logins, pam.login_id)->state, LOGIN_BEGUN);
	assert_int_equal(count_events(w, "login.redeem", "allow"), 0);
	/* one use, also when its record is lost */
	assert_false(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
	service_close(&pam);
	gate_close(g);
	free(g);
}

/* The module has gone before its answer could leave: nothing is left behind but the record. */
static void caller_leaves_before_the_answer(void **state)
{
	struct world *w = *state;
	struct gate *g = calloc(1, sizeof(*g));
	struct service pam;
	struct wish wish;

	gate_open(w, VIA_LOCAL, g);
	service_begin(w, "alice", "sudo", &pam);
	wish = wish_for(&w->alice, pam.login_id, "alice", "sudo");
	assert_true(gate_login(g, &wish).allowed);
	service_close(&pam);
	assert_int_equal(logins_count(w->a.logins), 0);
	gate_close(g);
	free(g);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers_come_after_the_commit),    T(full_turn_commits_at_once),
		T(answer_may_defer_again),	     T(kick_commits_what_nobody_waits_for),
		T(failed_commit_fails_every_answer), T(full_disk_commits_nobody),
		T(full_disk_redeems_nobody),	     T(caller_leaves_before_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
