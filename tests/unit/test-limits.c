// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/authority/limits.h"
#include "lib/base/limits.h"

#define MINUTE (60 * USEC_PER_SEC)
#define START (1000 * USEC_PER_SEC)

static int setup(void **state)
{
	struct limits *l = NULL;

	assert_int_equal(limits_new(&l), 0);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	limits_free(*state);
	return 0;
}

static bool take(struct limits *l, const char *source, uint64_t now)
{
	return limits_take_row(l, LIMIT_POOL_LOCAL, source, now);
}

static void use_up(struct limits *l, const char *source, uint64_t now)
{
	for (size_t i = 0; i < LIMIT_DENY_ROWS; i++)
		assert_true(take(l, source, now));
	assert_false(take(l, source, now));
}

static void rows_of_a_minute(void **state)
{
	struct limits *l = *state;

	use_up(l, "uid 1001", START);
	assert_false(take(l, "uid 1001", START + MINUTE - 1));
	use_up(l, "uid 1001", START + MINUTE);
}

/* A minute begins with its first row, not with the last one of the minute before. */
static void refusals_do_not_prolong_it(void **state)
{
	struct limits *l = *state;

	use_up(l, "uid 1001", START);
	for (uint64_t t = START; t < START + MINUTE; t += USEC_PER_SEC)
		assert_false(take(l, "uid 1001", t));
	assert_true(take(l, "uid 1001", START + MINUTE));
}

static void sources_are_apart(void **state)
{
	struct limits *l = *state;

	use_up(l, "uid 1001", START);
	use_up(l, "uid 100", START);
	use_up(l, "uid 10011", START);
	use_up(l, "192.0.2.1", START);
	use_up(l, "", START);
}

/* Longer than there is room for: told apart by what there is room for. */
static void long_names(void **state)
{
	struct limits *l = *state;
	char name[512];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	use_up(l, name, START);
	name[100] = 'y';
	use_up(l, name, START);
	name[LIMIT_SOURCE_SIZE] = 'z';
	assert_false(take(l, name, START));
}

static size_t rows_of_strangers(struct limits *l, enum limit_pool pool, uint64_t now)
{
	size_t rows = 0;
	char name[32];

	for (unsigned i = 0; i < 20 * LIMIT_SOURCES; i++) {
		(void)snprintf(name, sizeof(name), "2001:db8::%x", i);
		rows += limits_take_row(l, pool, name, now + i);
	}
	return rows;
}

/* Addresses are free: however many there are, a pool has its rows, and the next minute as well. */
static void all_sources_of_a_pool_together(void **state)
{
	struct limits *l = *state;

	assert_int_equal(rows_of_strangers(l, LIMIT_POOL_REMOTE, START), LIMIT_POOL_ROWS);
	assert_false(limits_take_row(l, LIMIT_POOL_REMOTE, "192.0.2.1", START + MINUTE - 1));
	assert_true(limits_take_row(l, LIMIT_POOL_REMOTE, "192.0.2.1", START + MINUTE));
}

static void pools_are_apart(void **state)
{
	struct limits *l = *state;

	(void)rows_of_strangers(l, LIMIT_POOL_REMOTE, START);
	(void)rows_of_strangers(l, LIMIT_POOL_IDENTITY, START);
	use_up(l, "uid 1001", START);
	/* nor does the same name in another pool count */
	assert_false(take(l, "uid 1001", START));
	assert_true(limits_take_row(l, LIMIT_POOL_IDENTITY, "uid 1001", START + MINUTE));
}

/* --- the summary --- */

static void nothing_to_tell(void **state)
{
	struct limits *l = *state;
	struct limits_summary m;

	assert_false(limits_summary(l, &m));
	assert_true(take(l, "a", START));
	assert_false(limits_summary(l, &m));
}

static void what_had_no_row_is_told_once(void **state)
{
	struct limits *l = *state;
	struct limits_summary m;

	use_up(l, "a", START);
	use_up(l, "b", START);
	assert_false(take(l, "b", START));
	assert_true(limits_summary(l, &m));
	assert_int_equal(m.denials, 3);
	assert_int_equal(m.n, 2);
	assert_string_equal(m.top[0].source, "b");
	assert_int_equal(m.top[0].denials, 2);
	assert_string_equal(m.top[1].source, "a");
	assert_int_equal(m.top[1].denials, 1);
	assert_int_equal(m.top[1].pool, LIMIT_POOL_LOCAL);
	assert_false(limits_summary(l, &m));
}

static void the_most_are_named(void **state)
{
	struct limits *l = *state;
	struct limits_summary m;
	char name[32];

	for (unsigned i = 0; i < 2 * LIMIT_SUMMARY_SOURCES; i++) {
		/* in no order: 7 is coprime to 16 */
		unsigned over = i * 7 % (2 * LIMIT_SUMMARY_SOURCES) + 1;

		(void)snprintf(name, sizeof(name), "source %u", over);
		for (unsigned j = 0; j < LIMIT_DENY_ROWS + over; j++)
			(void)take(l, name, START);
	}
	assert_true(limits_summary(l, &m));
	assert_int_equal(m.denials, LIMIT_SUMMARY_SOURCES * (2 * LIMIT_SUMMARY_SOURCES + 1));
	assert_int_equal(m.n, LIMIT_SUMMARY_SOURCES);
	for (unsigned i = 0; i < LIMIT_SUMMARY_SOURCES; i++) {
		(void)snprintf(name, sizeof(name), "source %u", 2 * LIMIT_SUMMARY_SOURCES - i);
		assert_string_equal(m.top[i].source, name);
		assert_int_equal(m.top[i].denials, 2 * LIMIT_SUMMARY_SOURCES - i);
	}
}

static void no_denial_is_lost_with_its_source(void **state)
{
	struct limits *l = *state;
	struct limits_summary m;
	size_t rows = rows_of_strangers(l, LIMIT_POOL_REMOTE, START);

	assert_true(limits_summary(l, &m));
	assert_int_equal(m.denials, 20 * LIMIT_SOURCES - rows);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(rows_of_a_minute),
		T(refusals_do_not_prolong_it),
		T(sources_are_apart),
		T(long_names),
		T(all_sources_of_a_pool_together),
		T(pools_are_apart),
		T(nothing_to_tell),
		T(what_had_no_row_is_told_once),
		T(the_most_are_named),
		T(no_denial_is_lost_with_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
