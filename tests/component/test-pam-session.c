// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "tests/component/pam-lab.h"

/* PAM_IGNORE shows as what pam_debug says after it. */
#define LINES(options)                                                                             \
	"auth required @M " options "\n"                                                           \
	"account [success=done ignore=ignore default=die] @M " options "\n"                        \
	"account required pam_debug.so acct=acct_expired\n"                                        \
	"session [success=done ignore=ignore default=die] @M " options "\n"                        \
	"session required pam_debug.so open_session=cred_unavail close_session=cred_unavail\n"
#define IGNORED_ACCOUNT PAM_ACCT_EXPIRED
#define IGNORED_SESSION PAM_CRED_UNAVAIL

static struct lab lab;
static struct lab_user user;

static pam_handle_t *start(const char *account, const char *options)
{
	char text[1024];
	pam_handle_t *pamh;

	(void)snprintf(text, sizeof(text), LINES("%s"), options, options, options);
	lab_stack(&lab, "elevate", text);
	memset(lab.heard, 0, sizeof(*lab.heard));
	user = (struct lab_user){ 0 };
	pamh = lab_pam(&lab, "elevate", account, &user);
	assert_non_null(pamh);
	return pamh;
}

static unsigned asked(void)
{
	return lab.heard->begins + lab.heard->accounts + lab.heard->opens + lab.heard->closes;
}

static void whole_login(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "");
	char expected[256];

	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_string_equal(pam_getenv(pamh, "CERTLOGIN_LOGIN"), LAB_LOGIN);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_USER, "root"), PAM_SUCCESS); /* as sudo */
	assert_int_equal(pam_set_item(pamh, PAM_TTY, "/dev/pts/3"), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	(void)snprintf(expected, sizeof(expected),
		       "{\"method\":\"org.certlogin.Service.OpenSession\",\"parameters\":{"
		       "\"loginId\":\"" LAB_LOGIN
		       "\",\"account\":\"root\",\"pid\":%d,\"tty\":\"pts/3\"}}",
		       (int)getpid());
	assert_string_equal(lab.heard->open, expected);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(lab.heard->closes, 1);
	assert_int_equal(pam_close_session(pamh, 0), IGNORED_SESSION); /* once */
	assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

static void not_ours_asks_nobody(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "");

	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED_ACCOUNT);
	assert_int_equal(pam_open_session(pamh, 0), IGNORED_SESSION);
	assert_int_equal(pam_close_session(pamh, 0), IGNORED_SESSION);
	assert_int_equal(asked(), 0);
	pam_end(pamh, 0);
	pamh = start("alice", "runtime_dir=/nonexistent"); /* nor needs anybody */
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED_ACCOUNT);
	assert_int_equal(pam_open_session(pamh, 0), IGNORED_SESSION);
	pam_end(pamh, 0);
	pamh = start("odd name", ""); /* cron may run for it */
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED_ACCOUNT);
	pam_end(pamh, 0);
	assert_null(strstr(user.text, "certlogin")); /* pam_debug talks, we do not */
}

static void strict_denies_what_is_not_ours(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "strict");

	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
	assert_int_equal(pam_open_session(pamh, 0), PAM_PERM_DENIED);
	assert_int_equal(asked(), 0);
	pam_end(pamh, 0);
}

/* sshd: what authenticated was another process; PAM's environment is all that came over. */
static void login_from_another_process(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "");

	assert_int_equal(pam_putenv(pamh, "CERTLOGIN_LOGIN=" LAB_LOGIN), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	assert_int_equal(lab.heard->accounts, 1);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	pam_end(pamh, 0);
}

static void environment_is_a_hint_alone(_unused_ void **state)
{
	pam_handle_t *pamh = start("account-denied", "");

	assert_int_equal(pam_putenv(pamh, "CERTLOGIN_LOGIN=" LAB_LOGIN), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
	assert_int_equal(pam_putenv(pamh, "CERTLOGIN_LOGIN=no login id"), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED_ACCOUNT);
	pam_end(pamh, 0);
}

static void failed_attempt_forgets_the_one_before(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "strict");

	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_USER, "helper-denied"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTH_ERR);
	assert_null(pam_getenv(pamh, "CERTLOGIN_LOGIN"));
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
	assert_int_equal(lab.heard->accounts, 0);
	pam_end(pamh, 0);
}

static void misbehaving_authority_denies(_unused_ void **state)
{
	static const char *const how[] = { "garbage", "empty",	   "types",  "extra",
					   "denied",  "forbidden", "failed", "hang",
					   "half",    "duplicate", "close" };
	char account[64];
	bool refused;

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		pam_handle_t *pamh;

		(void)snprintf(account, sizeof(account), "account-%s", how[i]);
		pamh = start(account, "");
		assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
		assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_PERM_DENIED);
		assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
		pam_end(pamh, 0);

		(void)snprintf(account, sizeof(account), "open-%s", how[i]);
		pamh = start(account, "");
		assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
		assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
		refused = strcmp(how[i], "denied") == 0 || strcmp(how[i], "forbidden") == 0;
		assert_int_equal(pam_open_session(pamh, 0),
				 refused ? PAM_PERM_DENIED : PAM_SYSTEM_ERR);
		(void)pam_close_session(pamh, 0);
		assert_int_equal(lab.heard->closes, 0); /* of what was not opened */
		pam_end(pamh, 0);
	}
}

/* su-l includes su: the stack names us twice */
static void one_session_for_two_lines(_unused_ void **state)
{
	pam_handle_t *pamh;

	lab_stack(&lab, "elevate", "auth required @M\nsession required @M\nsession required @M\n");
	memset(lab.heard, 0, sizeof(*lab.heard));
	pamh = lab_pam(&lab, "elevate", "alice", &user);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(lab.heard->opens, 1);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(lab.heard->closes, 1);
	pam_end(pamh, 0);
}

static void required_lines_do_not_forgive(_unused_ void **state)
{
	pam_handle_t *pamh = start("account-denied", "");

	lab_stack(&lab, "elevate",
		  "auth required @M\naccount required @M\naccount required pam_permit.so\n"
		  "session required @M\nsession required pam_permit.so\n");
	pam_end(pamh, 0);
	pamh = lab_pam(&lab, "elevate", "account-denied", &user);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_not_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	pam_end(pamh, 0);
	pamh = lab_pam(&lab, "elevate", "open-denied", &user);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_not_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	pam_end(pamh, 0);
	/* and let others in whom they do not concern */
	pamh = lab_pam(&lab, "elevate", "bob", &user);
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	pam_end(pamh, 0);
}

static void observe_asks_and_ignores(_unused_ void **state)
{
	pam_handle_t *pamh = start("account-denied", "observe");

	assert_int_not_equal(pam_authenticate(pamh, 0), PAM_SUCCESS); /* nobody else in the stack */
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED_ACCOUNT);
	assert_int_equal(lab.heard->accounts, 1);
	assert_int_equal(pam_open_session(pamh, 0), IGNORED_SESSION);
	assert_int_equal(lab.heard->opens, 1);
	assert_int_equal(pam_close_session(pamh, 0), IGNORED_SESSION);
	assert_int_equal(lab.heard->closes, 1);
	assert_null(strstr(user.text, "certlogin")); /* pam_debug talks, we do not */
	pam_end(pamh, 0);
	pamh = start("alice", "observe strict");
	assert_int_equal(pam_acct_mgmt(pamh, 0), IGNORED_ACCOUNT);
	pam_end(pamh, 0);
}

static void wrong_options_deny(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "strct");

	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SERVICE_ERR);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SERVICE_ERR);
	pam_end(pamh, 0);
}

static void passwords_are_not_ours(_unused_ void **state)
{
	pam_handle_t *pamh = start("alice", "");

	lab_stack(&lab, "elevate",
		  "password [success=done ignore=ignore default=die] @M\n"
		  "password required pam_debug.so prechauthtok=success chauthtok=cred_unavail\n");
	pam_end(pamh, 0);
	pamh = lab_pam(&lab, "elevate", "alice", &user);
	assert_int_equal(pam_chauthtok(pamh, 0), PAM_CRED_UNAVAIL);
	assert_int_equal(asked(), 0);
	pam_end(pamh, 0);
}

static int setup(_unused_ void **state)
{
	lab_start(&lab);
	return geteuid() != 0 || lab_real_uid(65534) ? 0 : -1;
}

static int teardown(_unused_ void **state)
{
	lab_stop(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_login),
		cmocka_unit_test(not_ours_asks_nobody),
		cmocka_unit_test(strict_denies_what_is_not_ours),
		cmocka_unit_test(login_from_another_process),
		cmocka_unit_test(environment_is_a_hint_alone),
		cmocka_unit_test(failed_attempt_forgets_the_one_before),
		cmocka_unit_test(misbehaving_authority_denies),
		cmocka_unit_test(one_session_for_two_lines),
		cmocka_unit_test(required_lines_do_not_forgive),
		cmocka_unit_test(observe_asks_and_ignores),
		cmocka_unit_test(wrong_options_deny),
		cmocka_unit_test(passwords_are_not_ours),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
