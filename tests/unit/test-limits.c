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

static void use_up(struct limits *l, const char *source, uint64_t now)
{
	for (size_t i = 0; i < LIMIT_DENY_ROWS; i++)
		assert_true(limits_take_row(l, source, now));
	assert_false(limits_take_row(l, source, now));
}

static void rows_of_a_minute(void **state)
{
	struct limits *l = *state;

	use_up(l, "uid 1001", START);
	assert_false(limits_take_row(l, "uid 1001", START + MINUTE - 1));
	use_up(l, "uid 1001", START + MINUTE);
}

/* A minute begins with its first row, not with the last one of the minute before. */
static void refusals_do_not_prolong_it(void **state)
{
	struct limits *l = *state;

	use_up(l, "uid 1001", START);
	for (uint64_t t = START; t < START + MINUTE; t += USEC_PER_SEC)
		assert_false(limits_take_row(l, "uid 1001", t));
	assert_true(limits_take_row(l, "uid 1001", START + MINUTE));
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

static void what_had_no_row_is_counted_once(void **state)
{
	struct limits *l = *state;

	assert_int_equal(limits_suppressed(l), 0);
	use_up(l, "a", START);
	use_up(l, "b", START);
	assert_false(limits_take_row(l, "b", START));
	assert_int_equal(limits_suppressed(l), 3);
	assert_int_equal(limits_suppressed(l), 0);
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
}

/* More sources than there are places: who comes new gets one, and the rows stay bounded per place.
 */
static void many_sources(void **state)
{
	struct limits *l = *state;
	char name[32];

	for (unsigned i = 0; i < 20 * LIMIT_SOURCES; i++) {
		(void)snprintf(name, sizeof(name), "2001:db8::%x", i);
		assert_true(limits_take_row(l, name, START + i));
	}
	/* a new one is counted as well as the first was */
	use_up(l, "uid 1001", START + MINUTE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(rows_of_a_minute),  T(refusals_do_not_prolong_it),
		T(sources_are_apart), T(what_had_no_row_is_counted_once),
		T(long_names),	      T(many_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
