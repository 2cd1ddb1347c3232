// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <security/pam_modules.h>

#include "lib/base/cleanup.h"
#include "pam/outcome.h"

static void only_allowed_succeeds(_unused_ void **state)
{
	for (enum outcome o = 0; o < OUTCOME_MAX_; o++)
		for (enum stage s = 0; s < STAGE_MAX_; s++)
			assert_int_equal(outcome_to_pam(o, s) == PAM_SUCCESS, o == OUTCOME_ALLOWED);
}

/* An error that is ignored lets the rest of a stack succeed without us. */
static void ignore_is_for_what_is_not_ours(_unused_ void **state)
{
	for (enum outcome o = 0; o < OUTCOME_MAX_; o++)
		for (enum stage s = 0; s < STAGE_MAX_; s++) {
			int expected = (o == OUTCOME_NOT_OURS && s != STAGE_AUTH) ||
				       (o == OUTCOME_STRANGER && s == STAGE_CLOSE);

			assert_int_equal(outcome_to_pam(o, s) == PAM_IGNORE, expected);
		}
}

static void zero_denies(_unused_ void **state)
{
	assert_int_equal(outcome_to_pam(0, STAGE_AUTH), PAM_SYSTEM_ERR);
}

/* sudo goes on after PAM_SESSION_ERR */
static void no_session_fails_as_a_warning(_unused_ void **state)
{
	for (enum outcome o = 0; o < OUTCOME_MAX_; o++)
		assert_int_not_equal(outcome_to_pam(o, STAGE_OPEN), PAM_SESSION_ERR);
}

static void everything_has_a_name(_unused_ void **state)
{
	for (enum outcome o = 0; o < OUTCOME_MAX_; o++)
		assert_non_null(outcome_name(o));
	for (enum stage s = 0; s < STAGE_MAX_; s++)
		assert_non_null(stage_name(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_allowed_succeeds),
		cmocka_unit_test(ignore_is_for_what_is_not_ours),
		cmocka_unit_test(zero_denies),
		cmocka_unit_test(no_session_fails_as_a_warning),
		cmocka_unit_test(everything_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
