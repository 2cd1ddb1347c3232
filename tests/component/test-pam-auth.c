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
#include "lib/base/ticket.h"
#include "lib/varlink/client.h"
#include "tests/component/pam-lab.h"

/* The module's own code; PAM_IGNORE shows as PAM_CRED_EXPIRED. */
#define EXACT(options)                                                                             \
	"auth [success=done ignore=ignore default=die] @M " options "\n"                           \
	"auth required pam_debug.so auth=cred_expired\n"
#define IGNORED PAM_CRED_EXPIRED

static struct lab lab;

/* One attempt with these options; `user` may be NULL: nobody there. */
static int try_as(const char *service, const char *account, const char *options,
		  struct lab_user *user)
{
	struct lab_user nobody = { .deaf = true };
	char text[512];

	(void)snprintf(text, sizeof(text), EXACT("%s"), options);
	lab_stack(&lab, service, text);
	memset(lab.heard, 0, sizeof(*lab.heard));
	return lab_auth(&lab, service, account, user ? user : &nobody);
}

static int try(const char *account, const char *options, struct lab_user *user)
{
	return try_as("elevate", account, options, user);
}

static void helper_ticket_logs_in(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("alice", "", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts + user.messages, 0);
	assert_int_equal(lab.heard->redeems, 1);
	assert_int_equal(lab.heard->abandons, 0);
}

static void typed_ticket_logs_in(_unused_ void **state)
{
	struct lab_user user = { .answers = { lab.ticket } };

	assert_int_equal(try("alice", "no_helper", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts, 1);
	assert_string_equal(user.text, "certlogin ticket (login " LAB_LOGIN "): \n");
}

static void typed_in_small_letters(_unused_ void **state)
{
	char small[64];
	struct lab_user user = { .answers = { small } };

	for (size_t i = 0; i < sizeof(small); i++)
		small[i] = (char)(lab.ticket[i] >= 'A' && lab.ticket[i] <= 'Z' ? lab.ticket[i] + 32
									       : lab.ticket[i]);
	assert_int_equal(try("alice", "no_helper", &user), PAM_SUCCESS);
}

static void stacked_prompt(_unused_ void **state)
{
	struct lab_user user = { .answers = { lab.ticket } };

	assert_int_equal(try("alice", "no_helper stacked", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "Password or certlogin ticket (login " LAB_LOGIN "): \n");
}

static void begin_tells_the_request(_unused_ void **state)
{
	pam_handle_t *pamh;
	struct lab_user user = { .answers = { lab.ticket } };

	lab_stack(&lab, "elevate", EXACT(""));
	pamh = lab_pam(&lab, "elevate", "alice", &user);
	assert_int_equal(pam_set_item(pamh, PAM_TTY, "/dev/pts/7"), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, "far\x1b[2J\xff.example"), PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_RUSER, "mallory"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_string_equal(
		lab.heard->begin,
		"{\"method\":\"org.certlogin.Service.Begin\",\"parameters\":{\"account\":\"alice\","
		"\"service\":\"elevate\",\"tty\":\"pts/7\",\"rhost\":\"far?[2J?.example\"}}");
	pam_end(pamh, 0);
}

static void other_text_is_the_next_modules(_unused_ void **state)
{
	struct lab_user user = { .answers = { "hunter2" } };

	lab_stack(&lab, "elevate",
		  "auth sufficient @M no_helper\nauth required @S/pam_authtok.so want=hunter2\n");
	memset(lab.heard, 0, sizeof(*lab.heard));
	assert_int_equal(lab_auth(&lab, "elevate", "alice", &user), PAM_SUCCESS);
	assert_false(lab.heard->saw_password);
	assert_int_equal(lab.heard->redeems, 0);
	assert_int_equal(user.prompts, 1);
	assert_int_equal(user.messages, 0);
	user = (struct lab_user){ .answers = { "hunter2" } };
	assert_int_equal(try("alice", "no_helper", &user), PAM_AUTHINFO_UNAVAIL);
}

static void empty_answer_is_nobodys(_unused_ void **state)
{
	struct lab_user user = { .answers = { "" } };

	lab_stack(&lab, "elevate",
		  "auth sufficient @M no_helper\nauth required @S/pam_authtok.so none\n");
	assert_int_equal(lab_auth(&lab, "elevate", "alice", &user), PAM_SUCCESS);
	user = (struct lab_user){ .answers = { "" } };
	assert_int_equal(try("alice", "no_helper", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(lab.heard->abandons, 1);
}

static void no_ticket_stays_in_authtok(_unused_ void **state)
{
	char text[512], wrong[TICKET_TEXT_SIZE];
	struct lab_user user = { 0 };

	(void)snprintf(text, sizeof(text),
		       "auth required @S/pam_authtok.so set=%s\nauth required @M no_helper "
		       "use_first_pass\n"
		       "auth required @S/pam_authtok.so none\n",
		       lab.ticket);
	lab_stack(&lab, "elevate", text);
	assert_int_equal(lab_auth(&lab, "elevate", "alice", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts, 0);
	/* also when it was refused */
	ticket_format((const uint8_t[TICKET_BYTES]){ 0 }, wrong);
	(void)snprintf(text, sizeof(text),
		       "auth required @S/pam_authtok.so set=%s\nauth optional @M no_helper "
		       "use_first_pass\n"
		       "auth required @S/pam_authtok.so none\n",
		       wrong);
	lab_stack(&lab, "elevate", text);
	memset(lab.heard, 0, sizeof(*lab.heard));
	assert_int_equal(lab_auth(&lab, "elevate", "alice", &user), PAM_SUCCESS);
	assert_int_equal(lab.heard->redeems, 1);
}

static int with_first_pass(const char *set, const char *options, struct lab_user *user)
{
	char text[512];

	(void)snprintf(
		text, sizeof(text),
		"auth required @S/pam_authtok.so set=%s\n"
		"auth [success=done ignore=ignore default=die] @M %s\nauth required pam_deny.so\n",
		set, options);
	lab_stack(&lab, "elevate", text);
	memset(lab.heard, 0, sizeof(*lab.heard));
	return lab_auth(&lab, "elevate", "alice", user);
}

static void first_pass(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(with_first_pass(lab.ticket, "try_first_pass", &user), PAM_SUCCESS);
	assert_int_equal(with_first_pass("hunter2", "no_helper use_first_pass", &user),
			 PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.prompts, 0);
	assert_false(lab.heard->saw_password);
	user.answers[0] = lab.ticket;
	assert_int_equal(with_first_pass("hunter2", "no_helper try_first_pass", &user),
			 PAM_SUCCESS);
	assert_int_equal(user.prompts, 1);
	/* without the options it is not looked at */
	user = (struct lab_user){ .answers = { "hunter3" } };
	assert_int_equal(with_first_pass(lab.ticket, "no_helper", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.prompts, 1);
	assert_int_equal(lab.heard->redeems, 0);
	user = (struct lab_user){ 0 };
	assert_int_equal(try("alice", "no_helper use_first_pass", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.prompts, 0);
}

static void mistyped_ticket_is_not_sent(_unused_ void **state)
{
	char typo[64];
	struct lab_user user = { .answers = { typo } };

	strcpy(typo, lab.ticket);
	typo[10] = typo[10] == 'A' ? 'B' : 'A';
	assert_int_equal(try("alice", "no_helper", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(lab.heard->redeems, 0);
	assert_non_null(strstr(user.text, "mistyped"));
}

static void another_ticket_is_denied(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("helper-wrong", "", &user), PAM_AUTH_ERR);
	assert_non_null(strstr(user.text, "certlogin: denied (event 8)"));
	assert_int_equal(user.prompts, 0);
}

static void denial_names_its_event(_unused_ void **state)
{
	struct lab_user user = { .answers = { lab.ticket } };

	assert_int_equal(try("helper-denied", "", &user), PAM_AUTH_ERR);
	assert_non_null(strstr(user.text, "certlogin: denied (event 4711)"));
	assert_int_equal(user.prompts, 0); /* no is no */
	assert_int_equal(lab.heard->abandons, 0);
}

static void no_key_then_typed_ticket(_unused_ void **state)
{
	struct lab_user user = { .answers = { lab.ticket } };

	assert_int_equal(try("helper-none", "", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts, 1);
}

static void no_key_and_no_ticket(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("helper-none", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(lab.heard->abandon, "\"reason\":\"the agent has no?[31m key\""));
	assert_non_null(
		strstr(user.text, "certlogin: no ticket (event 9): the agent has no?[31m key\n"));
}

static void questions_by_kind(_unused_ void **state)
{
	struct lab_user user = { .answers = { "1234" } };

	assert_int_equal(try("helper-pin", "", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "certlogin: PIN for the card: \n");
	user = (struct lab_user){ .answers = { "1234" } };
	assert_int_equal(try("helper-passphrase", "", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "certlogin: passphrase for the card: \n");
	user = (struct lab_user){ 0 };
	assert_int_equal(try("helper-touch", "", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "certlogin: touch the card\n");
	assert_int_equal(user.prompts, 0);
	user = (struct lab_user){ .answers = { "4321", NULL } };
	assert_int_equal(try("helper-pin", "", &user), PAM_AUTHINFO_UNAVAIL);
}

static void questions_have_flags(_unused_ void **state)
{
	struct lab_user user = { .answers = { "1234" } };

	assert_int_equal(try("helper-last", "", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "certlogin: that was wrong; LAST TRY before the token is "
				       "blocked; PIN for the card: \n");
	user = (struct lab_user){ 0 };
	assert_int_equal(try("helper-pad", "", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "certlogin: only a few tries are left; type the PIN at the "
				       "reader of the card\n");
	assert_int_equal(user.prompts, 0);
}

static void a_choice_is_one_prompt(_unused_ void **state)
{
	struct lab_user user = { .answers = { "2" }, .only_echo_off = true };

	assert_int_equal(try("helper-choice", "quiet", &user), PAM_SUCCESS);
	assert_string_equal(user.text, "certlogin: which key?\n 1  the card\n 2  another\n"
				       "number (1-2): \n");
	user = (struct lab_user){ .answers = { "1" } };
	assert_int_equal(try("helper-choice", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(lab.heard->abandon, "another one"));
	user = (struct lab_user){ .answers = { "2" } };
	assert_int_equal(try("helper-choices", "", &user), PAM_SUCCESS);
	assert_non_null(strstr(user.text, " 6  f\nnumber (1-6): "));
}

static void a_choice_is_one_of_them(_unused_ void **state)
{
	struct lab_user user = { .answers = { "3", "", "2" } };

	assert_int_equal(try("helper-choice", "", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts, 3);
	user = (struct lab_user){ .answers = { "0", "22", "x" } };
	assert_int_equal(try("helper-choice", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(lab.heard->abandon, "was not answered"));
	assert_int_equal(user.prompts, 4); /* and the ticket */
}

static void odd_questions_are_not_shown(_unused_ void **state)
{
	static const char *const accounts[] = { "choice-one",	    "choice-many", "choice-escape",
						"choice-longlabel", "helper-kind", "helper-flag" };

	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++) {
		struct lab_user user = { 0 };

		assert_int_equal(try(accounts[i], "", &user), PAM_AUTHINFO_UNAVAIL);
		if (!strstr(lab.heard->abandon, "the helper misbehaved"))
			fail_msg("%s: %s", accounts[i], lab.heard->abandon);
		assert_null(strstr(user.text, "which key"));
		assert_null(strstr(user.text, "touch"));
	}
}

static void the_helper_is_told_the_token(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("helper-pkcs11", "pkcs11=/lib/card.so", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(lab.heard->abandon, "\"reason\":\"/lib/card.so\""));
}

static void longest_answer(_unused_ void **state)
{
	char pin[514];
	struct lab_user user = { .answers = { pin } };

	memset(pin, '1', sizeof(pin));
	pin[513] = '\0';
	assert_int_equal(try("helper-pin", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(lab.heard->abandon, "misbehaved"));
	pin[512] = '\0';
	user = (struct lab_user){ .answers = { pin } };
	assert_int_equal(try("helper-pin", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(lab.heard->abandon, "wrong answer"));
}

static void first_pass_never_reaches_the_helper(_unused_ void **state)
{
	struct lab_user user = { 0 };
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "auth required @S/pam_authtok.so set=1234\nauth required @M %s\n",
		       "try_first_pass");
	lab_stack(&lab, "elevate", text);
	assert_int_not_equal(lab_auth(&lab, "elevate", "helper-pin", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts, 2); /* it was asked for, and so was a ticket */
}

static void remote_attempts_get_no_helper(_unused_ void **state)
{
	struct lab_user user = { 0 };
	pam_handle_t *pamh;

	lab_stack(&lab, "elevate", EXACT(""));
	pamh = lab_pam(&lab, "elevate", "alice", &user);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, "198.51.100.7"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.prompts, 1);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, "localhost"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	pam_end(pamh, 0);
}

static void apps_get_no_helper_and_no_messages(_unused_ void **state)
{
	struct lab_user user = { .only_echo_off = true, .answers = { lab.ticket } };

	assert_int_equal(try_as("app", "alice", "", &user), PAM_SUCCESS);
	assert_int_equal(user.prompts, 1);
	user = (struct lab_user){ .only_echo_off = true };
	assert_int_equal(try_as("app", "alice", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.messages, 0);
}

static void echo_off_is_all_that_is_needed(_unused_ void **state)
{
	struct lab_user user = { .only_echo_off = true, .answers = { "1234" } };

	assert_int_equal(try("helper-pin", "", &user), PAM_SUCCESS);
	user = (struct lab_user){ .only_echo_off = true };
	assert_int_equal(try("helper-touch", "", &user),
			 PAM_SUCCESS); /* the message fails: so be it */
	assert_int_equal(user.odd, 0);
	user = (struct lab_user){ .only_echo_off = true };
	assert_int_equal(try("helper-denied", "", &user), PAM_AUTH_ERR);
}

static void root_gets_a_helper_at_the_console_only(_unused_ void **state)
{
	struct lab_user user = { 0 };

	if (!lab_real_uid(0))
		skip();
	assert_int_equal(try("alice", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.prompts, 1);
	assert_int_equal(try_as("login", "alice", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(try_as("console", "alice", "", NULL), PAM_SUCCESS);
	assert_int_equal(try_as("console", "helper-world", "", NULL),
			 PAM_SUCCESS); /* without an agent */
	assert_true(lab_real_uid(65534));
}

static void quiet(_unused_ void **state)
{
	struct lab_user user = { 0 };
	pam_handle_t *pamh;

	assert_int_equal(try("helper-denied", "quiet", &user), PAM_AUTH_ERR);
	assert_int_equal(user.messages, 0);
	/* sudo sets PAM_SILENT: a denial is told all the same */
	lab_stack(&lab, "elevate", EXACT(""));
	pamh = lab_pam(&lab, "elevate", "helper-denied", &user);
	assert_int_equal(pam_authenticate(pamh, PAM_SILENT), PAM_AUTH_ERR);
	assert_int_equal(user.messages, 1);
	pam_end(pamh, 0);
}

static void observe_ignores_and_is_silent(_unused_ void **state)
{
	static const char *const accounts[] = { "alice",	"helper-denied", "helper-none",
						"helper-pin",	"helper-touch",	 "begin-garbage",
						"redeem-denied" };
	struct lab_user user = { .answers = { lab.ticket } };

	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		assert_int_equal(try(accounts[i], "observe", &user), IGNORED);
	assert_int_equal(user.prompts, 0);
	assert_null(strstr(user.text, "certlogin")); /* pam_debug talks, we do not */
	assert_int_equal(try("alice", "observe", &user), IGNORED);
	assert_int_equal(lab.heard->redeems, 1); /* it does what it would do */
}

/* One line for each outcome, and nothing in it that opens a door. */
static void logs_one_line(_unused_ void **state)
{
	static const struct {
		const char *account, *options, *line;
	} t[] = {
		{ "alice", "", "auth: allowed, account alice, login " LAB_LOGIN ", event 7" },
		{ "helper-denied", "",
		  "auth: denied, account helper-denied, login " LAB_LOGIN ", event 4711: denied" },
		{ "helper-none", "",
		  "auth: no ticket, account helper-none, login " LAB_LOGIN
		  ", event 9: the agent has no?[31m key" },
		{ "begin-garbage", "",
		  "auth: authority not reachable, account begin-garbage, login none, event 0: Bad "
		  "message" },
		{ "a\nb\x1b[2J", "", "auth: denied, account a?b?[2J, login none, event 0" },
		{ "alice", "observe",
		  "observed, would be auth: allowed, account alice, login " LAB_LOGIN ", event 7" },
		{ "alice", "observ",
		  "auth: misconfigured, account alice, login none, event 0: observ" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct lab_user user = { .answers = { "" } }; /* libpam logs one that fails */
		const char *line;

		lab_logs = 0;
		(void)try(t[i].account, t[i].options, &user);
		line = strstr(lab_log, "): ");
		assert_int_equal(lab_logs, 1);
		assert_non_null(line);
		assert_string_equal(line + 3, t[i].line);
	}
}

static void nothing_secret_was_logged(_unused_ void **state)
{
	assert_false(lab_log_leak);
}

static void wrong_options_are_refused(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("alice", "observ", &user), PAM_SERVICE_ERR);
	assert_int_equal(try("alice", "observe strict=1", &user), PAM_SERVICE_ERR);
	assert_int_equal(lab.heard->begins, 0);
}

static void odd_names_are_refused(_unused_ void **state)
{
	static const char *const accounts[] = { "", "-x", "a:b", "a b", "a\nb", ".." };
	struct lab_user user = { .answers = { lab.ticket, lab.ticket } };

	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		assert_int_not_equal(try(accounts[i], "no_helper", &user), PAM_SUCCESS);
	assert_int_equal(lab.heard->begins, 0);
}

static void user_is_never_changed(_unused_ void **state)
{
	struct lab_user user = { 0 };
	const void *name = NULL;
	pam_handle_t *pamh;

	lab_stack(&lab, "elevate", EXACT(""));
	pamh = lab_pam(&lab, "elevate", "alice", &user);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_get_item(pamh, PAM_USER, &name), PAM_SUCCESS);
	assert_string_equal(name, "alice");
	pam_end(pamh, 0);
}

/* Whatever goes wrong, in both kinds of stack, soon. */
static void never_lets_in(const char *account)
{
	static const char *const stacks[] = {
		"auth required @M\nauth required pam_permit.so\n",
		"auth sufficient @M\nauth required pam_deny.so\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
		struct lab_user user = { 0 };
		uint64_t start = vl_monotonic_usec();

		lab_stack(&lab, "elevate", stacks[i]);
		if (lab_auth(&lab, "elevate", account, &user) == PAM_SUCCESS)
			fail_msg("%s was let in", account);
		if (vl_monotonic_usec() - start > 4000000)
			fail_msg("%s took too long", account);
		assert_null(strchr(user.text, '\x1b'));
		assert_int_equal(lab_children(&lab), 0);
	}
}

static void misbehaving_authority(_unused_ void **state)
{
	static const char *const methods[] = { "begin", "redeem" };
	static const char *const how[] = { "garbage",	"empty",  "types",     "extra", "denied",
					   "forbidden", "failed", "duplicate", "hang",	"drip",
					   "huge",	"half",	  "close" };
	char account[64];

	for (size_t m = 0; m < ARRAY_SIZE(methods); m++)
		for (size_t h = 0; h < ARRAY_SIZE(how); h++) {
			(void)snprintf(account, sizeof(account), "%s-%s", methods[m], how[h]);
			never_lets_in(account);
		}
}

static void misbehaving_helper(_unused_ void **state)
{
	static const char *const accounts[] = {
		"helper-none",	   "helper-denied", "helper-hang",   "helper-crash",
		"helper-leave",	   "helper-flood",  "helper-escape", "helper-longlabel",
		"helper-kind",	   "helper-short",  "helper-long",   "helper-huge",
		"helper-nothing",  "helper-type",   "helper-wrong",  "helper-pin",
		"helper-flag",	   "choice-one",    "choice-many",   "choice-escape",
		"choice-longlabel"
	};

	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++)
		never_lets_in(accounts[i]);
}

static void flood_is_cut(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("helper-flood", "", &user), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(user.messages, 8 + 1); /* its questions, and our refusal */
}

static void conversations_that_fail(_unused_ void **state)
{
	struct lab_user deaf = { .deaf = true }, null = { .null_answers = true };

	assert_int_equal(try("alice", "no_helper", &deaf), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(lab.heard->abandons, 1);
	assert_int_equal(try("alice", "no_helper", &null), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(try("helper-pin", "", &null), PAM_AUTHINFO_UNAVAIL);
}

static void abandon_may_fail(_unused_ void **state)
{
	struct lab_user user = { 0 };

	assert_int_equal(try("abandon-garbage", "no_helper", &user), PAM_AUTHINFO_UNAVAIL);
	assert_non_null(strstr(user.text, "certlogin: no ticket"));
	assert_int_equal(try("abandon-hang", "no_helper", &user), PAM_AUTHINFO_UNAVAIL);
}

static void absent_authority(_unused_ void **state)
{
	struct lab_user user = { 0 };

	lab_stack(&lab, "elevate",
		  "auth [success=done ignore=ignore default=die] @M runtime_dir=/nonexistent\n"
		  "auth required pam_debug.so auth=cred_expired\n");
	assert_int_equal(lab_auth(&lab, "elevate", "alice", &user), PAM_AUTHINFO_UNAVAIL);
	assert_string_equal(user.text, "certlogin: authority not reachable\n");
}

static int setup(_unused_ void **state)
{
	lab_start(&lab);
	/* as sudo: what it runs for is the real uid, and root is not one */
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
		cmocka_unit_test(helper_ticket_logs_in),
		cmocka_unit_test(typed_ticket_logs_in),
		cmocka_unit_test(typed_in_small_letters),
		cmocka_unit_test(stacked_prompt),
		cmocka_unit_test(begin_tells_the_request),
		cmocka_unit_test(other_text_is_the_next_modules),
		cmocka_unit_test(empty_answer_is_nobodys),
		cmocka_unit_test(no_ticket_stays_in_authtok),
		cmocka_unit_test(first_pass),
		cmocka_unit_test(mistyped_ticket_is_not_sent),
		cmocka_unit_test(another_ticket_is_denied),
		cmocka_unit_test(denial_names_its_event),
		cmocka_unit_test(no_key_then_typed_ticket),
		cmocka_unit_test(no_key_and_no_ticket),
		cmocka_unit_test(questions_by_kind),
		cmocka_unit_test(questions_have_flags),
		cmocka_unit_test(a_choice_is_one_prompt),
		cmocka_unit_test(a_choice_is_one_of_them),
		cmocka_unit_test(odd_questions_are_not_shown),
		cmocka_unit_test(the_helper_is_told_the_token),
		cmocka_unit_test(longest_answer),
		cmocka_unit_test(first_pass_never_reaches_the_helper),
		cmocka_unit_test(remote_attempts_get_no_helper),
		cmocka_unit_test(apps_get_no_helper_and_no_messages),
		cmocka_unit_test(echo_off_is_all_that_is_needed),
		cmocka_unit_test(root_gets_a_helper_at_the_console_only),
		cmocka_unit_test(quiet),
		cmocka_unit_test(observe_ignores_and_is_silent),
		cmocka_unit_test(logs_one_line),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(odd_names_are_refused),
		cmocka_unit_test(user_is_never_changed),
		cmocka_unit_test(misbehaving_authority),
		cmocka_unit_test(misbehaving_helper),
		cmocka_unit_test(flood_is_cut),
		cmocka_unit_test(conversations_that_fail),
		cmocka_unit_test(abandon_may_fail),
		cmocka_unit_test(absent_authority),
		cmocka_unit_test(nothing_secret_was_logged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
