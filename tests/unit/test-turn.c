// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/authority/turn.h"
#include "tests/harness/authority-lab.h"

/* Nothing leaves before its record is durable, and nothing leaves when it is not. */

static int setup(void **state)
{
	*state = world_new(&(struct world_options){ 0 });
	return 0;
}

static int teardown(void **state)
{
	disk_mend();
	world_free(*state);
	return 0;
}

static int64_t write_row(struct world *w)
{
	int64_t id;

	assert_int_equal(store_event_append(w->a.store, &(struct event){ .kind = "test" }, &id), 0);
	return id;
}

/* One who waits. */
struct waiter {
	struct world *w;
	unsigned called;
	int result;
	struct waiter *next; /* deferred by its answer */
};

static void told(void *userdata, int r)
{
	struct waiter *x = userdata;

	assert_false(store_dirty(x->w->a.store));
	x->called++;
	x->result = r;
	if (!x->next)
		return;
	write_row(x->w);
	assert_int_equal(turn_defer(x->w->a.turn, told, x->next), 0);
}

static void defer(struct waiter *x)
{
	write_row(x->w);
	assert_int_equal(turn_defer(x->w->a.turn, told, x), 0);
}

static void answers_wait_for_the_commit(void **state)
{
	struct world *w = *state;
	struct waiter one = { .w = w }, two = { .w = w };

	defer(&one);
	defer(&two);
	assert_int_equal(one.called + two.called, 0);
	assert_int_equal(turn_waiting(w->a.turn), 2);
	assert_true(sd_event_run(w->a.event, 0) > 0);
	/* one pass, one commit, both */
	assert_int_equal(one.called, 1);
	assert_int_equal(two.called, 1);
	assert_int_equal(one.result, 0);
	assert_int_equal(turn_waiting(w->a.turn), 0);
	pump(w);
	assert_int_equal(one.called, 1);
}

static void full_turn_ends_at_once(void **state)
{
	struct world *w = *state;
	struct waiter all[LIMIT_TURN_REPLIES];

	for (size_t i = 0; i < LIMIT_TURN_REPLIES; i++) {
		assert_true(i == 0 || all[i - 1].called == 0);
		all[i] = (struct waiter){ .w = w };
		defer(&all[i]);
	}
	for (size_t i = 0; i < LIMIT_TURN_REPLIES; i++)
		assert_true(all[i].called == 1 && all[i].result == 0);
}

/* The one who fills it has written in the same transaction: it is undone with the others'. */
static void full_turn_that_fails_fails_for_all(void **state)
{
	struct world *w = *state;
	struct waiter all[LIMIT_TURN_REPLIES];

	disk_break(w);
	for (size_t i = 0; i < LIMIT_TURN_REPLIES; i++) {
		all[i] = (struct waiter){ .w = w, .result = 1 };
		defer(&all[i]);
	}
	pump(w);
	for (size_t i = 0; i < LIMIT_TURN_REPLIES; i++)
		assert_true(all[i].called == 1 && all[i].result < 0);
	assert_int_equal(count_events(w, "test", NULL), 0);
}

static void old_turn_ends_at_once(void **state)
{
	struct world *w = *state;
	struct waiter one = { .w = w }, two = { .w = w }, three = { .w = w };

	defer(&one);
	w->now += LIMIT_TURN_USEC - 1;
	defer(&two);
	assert_int_equal(one.called, 0);
	w->now += 1;
	defer(&three);
	assert_int_equal(one.called + two.called + three.called, 3);
	/* and the next is young again */
	defer(&one);
	assert_int_equal(one.called, 1);
	pump(w);
	assert_int_equal(one.called, 2);
}

static void failed_commit_fails_everybody_and_is_over(void **state)
{
	struct world *w = *state;
	struct waiter one = { .w = w }, two = { .w = w };

	disk_break(w);
	defer(&one);
	defer(&two);
	pump(w);
	assert_true(one.called == 1 && one.result < 0);
	assert_true(two.called == 1 && two.result < 0);
	assert_true(w->a.commit_failed);
	assert_true(w->a.unsettled);
	disk_mend();
	defer(&one);
	pump(w);
	assert_true(one.called == 2 && one.result == 0);
	assert_false(w->a.commit_failed);
	assert_int_equal(count_events(w, "test", NULL), 1);
}

/* Whoever commits or rolls back behind the turn's back gets nobody a yes. */
static void write_that_went_elsewhere_is_lost(void **state)
{
	struct world *w = *state;
	struct waiter one = { .w = w };

	defer(&one);
	store_rollback(w->a.store);
	pump(w);
	assert_true(one.called == 1 && one.result < 0);
}

static void answer_may_wait_without_a_write(void **state)
{
	struct world *w = *state;
	struct waiter one = { .w = w };

	assert_int_equal(turn_defer(w->a.turn, told, &one), 0);
	assert_int_equal(one.called, 0);
	pump(w);
	assert_true(one.called == 1 && one.result == 0);
}

static void answers_may_write_again(void **state)
{
	struct world *w = *state;
	struct waiter second = { .w = w }, first = { .w = w, .next = &second };

	defer(&first);
	assert_true(sd_event_run(w->a.event, 0) > 0);
	assert_int_equal(second.called, 0);
	assert_int_equal(turn_waiting(w->a.turn), 1);
	pump(w);
	assert_true(second.called == 1 && second.result == 0);
	assert_int_equal(count_events(w, "test", NULL), 2);
}

static void write_for_nobody_is_committed_too(void **state)
{
	struct world *w = *state;

	write_row(w);
	assert_int_equal(turn_kick(w->a.turn), 0);
	assert_true(store_dirty(w->a.store));
	pump(w);
	assert_false(store_dirty(w->a.store));
	assert_int_equal(count_events(w, "test", NULL), 1);
}

static void end_of_the_daemon_answers_first(void **state)
{
	struct world *w = *state;
	struct waiter one = { .w = w };

	defer(&one);
	w->a.turn = turn_free(w->a.turn);
	assert_true(one.called == 1 && one.result == 0);
	assert_int_equal(count_events(w, "test", NULL), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers_wait_for_the_commit),
		T(full_turn_ends_at_once),
		T(full_turn_that_fails_fails_for_all),
		T(old_turn_ends_at_once),
		T(failed_commit_fails_everybody_and_is_over),
		T(write_that_went_elsewhere_is_lost),
		T(answer_may_wait_without_a_write),
		T(answers_may_write_again),
		T(write_for_nobody_is_committed_too),
		T(end_of_the_daemon_answers_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
