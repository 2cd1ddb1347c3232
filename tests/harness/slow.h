/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_SLOW_H
#define TESTS_SLOW_H

#include <stdlib.h>

/* How many times as long everything may take: 1, or what CERTLOGIN_TEST_SLOW says, which is set
 * where the tests run in valgrind. */
static inline unsigned test_slow(void)
{
	const char *text = getenv("CERTLOGIN_TEST_SLOW");
	int n = text ? atoi(text) : 1;

	return n > 1 ? (unsigned)n : 1;
}

#endif
