// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "pam/options.h"

static void defaults(_unused_ void **state)
{
	struct options o;
	const char *bad;

	assert_int_equal(options_parse(0, NULL, &o, &bad), 0);
	assert_false(o.strict || o.observe || o.quiet || o.debug || o.try_first_pass);
	assert_false(o.use_first_pass || o.stacked || o.no_helper);
	assert_int_equal(o.timeout_usec, LIMIT_HELPER_USEC);
	assert_string_equal(o.runtime_dir, RUNTIMEDIR);
	assert_null(o.pkcs11);
}

static void each_flag_sets_its_own(_unused_ void **state)
{
	static const struct {
		const char *name;
		size_t offset;
	} t[] = {
		{ "strict", offsetof(struct options, strict) },
		{ "observe", offsetof(struct options, observe) },
		{ "quiet", offsetof(struct options, quiet) },
		{ "debug", offsetof(struct options, debug) },
		{ "try_first_pass", offsetof(struct options, try_first_pass) },
		{ "use_first_pass", offsetof(struct options, use_first_pass) },
		{ "stacked", offsetof(struct options, stacked) },
		{ "no_helper", offsetof(struct options, no_helper) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *argv[] = { t[i].name };
		struct options o;
		const char *bad;

		assert_int_equal(options_parse(1, argv, &o, &bad), 0);
		for (size_t j = 0; j < ARRAY_SIZE(t); j++)
			assert_int_equal(*(bool *)((char *)&o + t[j].offset), i == j);
	}
}

static void values(_unused_ void **state)
{
	const char *argv[] = { "timeout=7", "runtime_dir=/run/other", "pkcs11=pkcs11:token=x" };
	struct options o;
	const char *bad;

	assert_int_equal(options_parse(3, argv, &o, &bad), 0);
	assert_string_equal(o.pkcs11, "pkcs11:token=x");
	assert_int_equal(o.timeout_usec, 7 * USEC_PER_SEC);
	assert_string_equal(o.runtime_dir, "/run/other");
	argv[0] = "timeout=90";
	assert_int_equal(options_parse(2, argv, &o, &bad), 0);
}

static void refuses(_unused_ void **state)
{
	static const char *const wrong[] = {
		"strct",
		"Strict",
		"strict=1",
		"",
		"timeout",
		"timeout=",
		"timeout=0",
		"timeout=91",
		"timeout=-1",
		"timeout=1s",
		"timeout= 1",
		"timeout=001",
		"timeout=4294967297",
		"runtime_dir=",
		"runtime_dir=run",
		"runtime_dir=/a\nb",
		"observe ",
		"pkcs11",
		"pkcs11=",
		"pkcs11=card.so",
		"pkcs11=pkcs11:token=x?pin-value=1234",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *argv[] = { "strict", wrong[i], "quiet" };
		struct options o = { .debug = true };
		const char *bad = NULL;

		if (options_parse(3, argv, &o, &bad) != -EINVAL)
			fail_msg("accepted: %s", wrong[i]);
		assert_ptr_equal(bad, wrong[i]);
		assert_true(o.debug && !o.strict); /* untouched */
	}
}

static void runtime_dir_fits_a_socket_address(_unused_ void **state)
{
	char text[128] = "runtime_dir=/";
	const char *argv[] = { text }, *bad;
	struct options o;

	memset(text + 13, 'x', 89);
	assert_int_equal(options_parse(1, argv, &o, &bad), 0);
	text[13 + 89] = 'x';
	assert_int_equal(options_parse(1, argv, &o, &bad), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(each_flag_sets_its_own),
		cmocka_unit_test(values),
		cmocka_unit_test(refuses),
		cmocka_unit_test(runtime_dir_fits_a_socket_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
