// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/authority/housekeeping.h"
#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/turn.h"
#include "daemon/authority/warnings.h"
#include "tests/harness/authority-lab.h"

/* What is done with time, by a clock that the test sets. */
struct test {
	struct world *w;
	struct housekeeping *h;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct vl_server_options options = { .interface = &api_admin,
					     .max_connections = LIMIT_ADMIN_CONNECTIONS };

	assert_non_null(t);
	t->w = world_new(&(struct world_options){ 0 });
	options.event = t->w->a.event;
	assert_int_equal(vl_server_new(&options, &t->w->a.admin_api), 0);
	assert_int_equal(housekeeping_new(&t->w->a, &t->h), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	disk_mend();
	housekeeping_free(t->h);
	vl_server_free(t->w->a.admin_api);
	world_free(t->w);
	free(t);
	return 0;
}

static bool tick_after(struct test *t, uint64_t usec)
{
	bool end;

	t->w->now += usec;
	end = housekeeping_tick(t->h);
	pump(t->w);
	return end;
}

static int64_t write_rows(struct test *t, size_t n)
{
	int64_t id = 0;

	while (n-- > 0)
		assert_int_equal(
			store_event_append(t->w->a.store, &(struct event){ .kind = "test" }, &id),
			0);
	return id;
}

/* --- the chain's head --- */

static void head_is_told_each_minute_with_news(void **state)
{
	struct test *t = *state;
	int64_t id = write_rows(t, 1);

	assert_int_equal(store_commit(t->w->a.store), 0);
	(void)tick_after(t, 59 * USEC_PER_SEC);
	assert_int_equal(t->w->a.head_told, 0);
	(void)tick_after(t, 1 * USEC_PER_SEC);
	assert_int_equal(t->w->a.head_told, id);
	id = write_rows(t, 1);
	(void)tick_after(t, 59 * USEC_PER_SEC);
	assert_int_equal(t->w->a.head_told, id - 1);
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_int_equal(t->w->a.head_told, id);
}

static void head_is_told_when_there_are_many(void **state)
{
	struct test *t = *state;

	(void)write_rows(t, HEAD_ROWS - 1);
	(void)tick_after(t, 1);
	assert_int_equal(t->w->a.head_told, 0);
	(void)write_rows(t, 1);
	(void)tick_after(t, 1);
	assert_int_equal(t->w->a.head_told, HEAD_ROWS);
}

/* A loop that is never idle has something uncommitted whenever one looks. */
static void head_that_is_told_is_durable(void **state)
{
	struct test *t = *state;

	(void)write_rows(t, HEAD_ROWS);
	assert_true(store_dirty(t->w->a.store));
	t->w->now += 1;
	(void)housekeeping_tick(t->h);
	assert_false(store_dirty(t->w->a.store));
	assert_int_equal(t->w->a.head_told, HEAD_ROWS);
	disk_break(t->w);
	(void)write_rows(t, HEAD_ROWS);
	(void)tick_after(t, 1);
	assert_int_equal(t->w->a.head_told, HEAD_ROWS); /* those are gone */
}

static void head_is_told_at_the_end(void **state)
{
	struct test *t = *state;
	int64_t id = write_rows(t, 3);

	t->h = housekeeping_free(t->h);
	assert_int_equal(t->w->a.head_told, id);
}

/* --- the summary --- */

static void denials_without_a_row_are_summed_up(void **state)
{
	struct test *t = *state;
	struct event *e;
	size_t n;

	for (size_t i = 0; i < LIMIT_DENY_ROWS + 7; i++)
		(void)limits_take_row(t->w->a.limits, LIMIT_POOL_LOCAL, "uid 1001", t->w->now);
	(void)tick_after(t, 59 * USEC_PER_SEC);
	assert_int_equal(count_events(t->w, "limit.summary", NULL), 0);
	(void)tick_after(t, USEC_PER_SEC);
	expect_event(t->w, "limit.summary", "deny", "limit");
	assert_int_equal(
		store_event_list(t->w->a.store,
				 &(struct event_filter){ .limit = 1, .kind = "limit.summary" }, &e,
				 &n),
		0);
	assert_string_equal(e->source, "uid 1001");
	assert_string_equal(e->detail, "{\"denials\":7,\"most\":[{\"source\":\"uid 1001\","
				       "\"pool\":\"local\",\"denials\":7}]}");
	events_free(e, n);
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_int_equal(count_events(t->w, "limit.summary", NULL), 1);
}

/* --- sessions --- */

/* --- warnings --- */

static bool warned(const struct test *t)
{
	static const uint8_t none[SHA256_BYTES];

	return memcmp(t->w->a.warned, none, sizeof(none)) != 0;
}

/* The only warning: its level and what it is about. */
static void expect_warning(struct test *t, const char *level, const char *about)
{
	json_t *all = warnings_list(&t->w->a), *one = json_array_get(all, 0);

	assert_int_equal(json_array_size(all), level ? 1 : 0);
	if (level) {
		assert_string_equal(json_string_value(json_object_get(one, "level")), level);
		assert_string_equal(json_string_value(json_object_get(one, "about")), about);
	}
	json_decref(all);
}

static void warnings_are_told_when_they_change(void **state)
{
	struct test *t = *state;
	struct anchor *anchor = &t->w->a.anchors[0];
	uint8_t first[SHA256_BYTES], second[SHA256_BYTES];

	(void)tick_after(t, 60 * USEC_PER_SEC);
	memcpy(first, t->w->a.warned, sizeof(first));
	anchor->policy.revocation = REVOCATION_HARD;
	expect_warning(t, "error", anchor->name);
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_true(warned(t));
	memcpy(second, t->w->a.warned, sizeof(second));
	assert_memory_not_equal(first, second, sizeof(first));
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_memory_equal(second, t->w->a.warned, sizeof(second));
	anchor->policy.revocation = REVOCATION_SOFT;
	expect_warning(t, NULL, NULL);
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_memory_equal(first, t->w->a.warned, sizeof(first));
}

static void anchors_that_end_are_warned_of(void **state)
{
	struct test *t = *state;
	const struct anchor *anchor = &t->w->a.anchors[0];

	expect_warning(t, NULL, NULL);
	t->w->now = (uint64_t)(anchor->cert->not_after - 30 * PKI_DAY);
	expect_warning(t, NULL, NULL);
	t->w->now++;
	expect_warning(t, "warning", anchor->name);
	t->w->now = (uint64_t)anchor->cert->not_after + 1;
	expect_warning(t, "error", anchor->name);
}

static void records_that_fail_are_warned_of(void **state)
{
	struct test *t = *state;

	t->w->a.commit_failed = true;
	expect_warning(t, "error", "database");
	t->w->a.commit_failed = false;
}

static void lists_end_soon_in_their_last_quarter(_unused_ void **state)
{
	const int64_t from = PKI_NOW, hour = PKI_DAY / 24;

	assert_false(warning_ends_soon(from, from + 4 * hour, from + 3 * hour));
	assert_true(warning_ends_soon(from, from + 4 * hour, from + 3 * hour + 1));
	/* ... or day */
	assert_false(warning_ends_soon(from, from + 40 * PKI_DAY, from + 39 * PKI_DAY));
	assert_true(warning_ends_soon(from, from + 40 * PKI_DAY, from + 39 * PKI_DAY + 1));
}

static void sessions_are_settled_after_a_lost_record(void **state)
{
	struct test *t = *state;
	struct session row = { .pid = 1, .boot_id = "another" };
	int64_t id;

	(void)strcpy(row.identity, "alice");
	assert_int_equal(store_session_open(t->w->a.store, &row, &id), 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_int_equal(count_events(t->w, "session.close", NULL), 0);
	t->w->a.unsettled = true;
	(void)tick_after(t, 60 * USEC_PER_SEC);
	assert_int_equal(count_events(t->w, "session.close", NULL), 1);
	assert_false(t->w->a.unsettled);
}

/* --- idle exit --- */

#define IDLE (10 * USEC_PER_SEC)

static void never_unless_asked(void **state)
{
	assert_false(tick_after(*state, 1000 * IDLE));
}

static void when_idle_for_so_long(void **state)
{
	struct test *t = *state;

	t->w->a.idle_exit = IDLE;
	assert_false(tick_after(t, IDLE - 1));
	assert_true(tick_after(t, 1));
}

/* Gates that are connected and have nonces in stock wait for nothing. */
static void idle_gates_do_not_hold_it(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;
	struct gate gate;

	t->w->a.idle_exit = IDLE;
	gate_open(t->w, VIA_LOCAL, &gate);
	t->w->now += IDLE / 2;
	gate_want(&gate, LIMIT_NONCES_AHEAD, &nonces);
	assert_false(tick_after(t, IDLE - 1)); /* since they spoke */
	assert_true(tick_after(t, 1));
	gate_close(&gate);
}

static void handshake_holds_it(void **state)
{
	struct test *t = *state;
	struct shake s;
	struct gate gate;

	t->w->a.idle_exit = IDLE;
	gate_open(t->w, VIA_LOCAL, &gate);
	shake_make(&gate, &t->w->alice, NULL, &s);
	assert_false(tick_after(t, 2 * IDLE));
	gate_close(&gate);
	assert_false(tick_after(t, IDLE - 1));
	assert_true(tick_after(t, 1));
	shake_deinit(&s);
}

static void login_holds_it(void **state)
{
	struct test *t = *state;
	struct service pam;

	t->w->a.idle_exit = IDLE;
	service_begin(t->w, "alice", "sudo", &pam);
	assert_false(tick_after(t, 2 * IDLE));
	service_close(&pam);
	assert_false(tick_after(t, IDLE - 1));
	assert_true(tick_after(t, 1));
}

/* Redeemed, and its connection gone: account and session are still to come. */
static void redeemed_login_holds_it(void **state)
{
	struct test *t = *state;
	struct service pam;
	struct gate gate;
	struct wish wish;

	t->w->a.idle_exit = IDLE;
	service_begin(t->w, "alice", "sudo", &pam);
	wish = wish_for(&t->w->alice, pam.login_id, "alice", "sudo");
	gate_open(t->w, VIA_LOCAL, &gate);
	assert_true(gate_login(&gate, &wish).allowed);
	assert_true(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
	service_close(&pam);
	gate_close(&gate);
	assert_false(tick_after(t, LIMIT_REDEEMED_USEC));
	assert_false(tick_after(t, 1));
	assert_int_equal(logins_count(t->w->a.logins), 0);
	assert_true(tick_after(t, LIMIT_TICKET_USEC + IDLE));
}

static void unwritten_record_holds_it(void **state)
{
	struct test *t = *state;

	t->w->a.idle_exit = IDLE;
	(void)write_rows(t, 1);
	t->w->now += IDLE;
	assert_false(housekeeping_tick(t->h));
	assert_int_equal(turn_kick(t->w->a.turn), 0);
	pump(t->w);
	assert_false(tick_after(t, IDLE - 1));
	assert_true(tick_after(t, 1));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(head_is_told_each_minute_with_news),
		T(head_is_told_when_there_are_many),
		T(head_that_is_told_is_durable),
		T(head_is_told_at_the_end),
		T(denials_without_a_row_are_summed_up),
		T(sessions_are_settled_after_a_lost_record),
		T(warnings_are_told_when_they_change),
		T(anchors_that_end_are_warned_of),
		T(records_that_fail_are_warned_of),
		T(lists_end_soon_in_their_last_quarter),
		T(never_unless_asked),
		T(when_idle_for_so_long),
		T(idle_gates_do_not_hold_it),
		T(handshake_holds_it),
		T(login_holds_it),
		T(redeemed_login_holds_it),
		T(unwritten_record_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
