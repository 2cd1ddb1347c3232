// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ssh-prompt.h"
#include "lib/base/cleanup.h"

/* The login id is that of the authority's: any 64 bits. */
static void id_make(char ret[LOGIN_ID_TEXT_SIZE])
{
	static const uint8_t id[LOGIN_ID_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	login_id_format(id, ret);
}

static int read_prompt(const char *before, const char *id, const char *after,
		       char ret[LOGIN_ID_TEXT_SIZE])
{
	char prompt[128];

	(void)snprintf(prompt, sizeof(prompt), "%s%s%s", before, id, after);
	return ssh_prompt_login(prompt, ret);
}

static void our_prompts(_unused_ void **state)
{
	static const char *const before[] = {
		"certlogin ticket (login ",
		"(alice@host.example) certlogin ticket (login ",
		"(alice@host) Password or certlogin ticket (login ",
	};
	char id[LOGIN_ID_TEXT_SIZE], found[LOGIN_ID_TEXT_SIZE];

	id_make(id);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		assert_int_equal(read_prompt(before[i], id, "): ", found), 0);
		assert_string_equal(found, id);
	}
}

static void other_prompts(_unused_ void **state)
{
	static const char *const others[][2] = {
		{ "certlogin ticket (login ", ") " },
		{ "certlogin ticket (login ", "):" },
		{ "certlogin ticket (login ", "): more" },
		{ "Password (login ", "): " },
		{ "(login ", "): " },
		{ "", "): " },
		{ "ticket (login -", "): " },
		{ "ticket (login ", "-): " },
	};
	char id[LOGIN_ID_TEXT_SIZE], found[LOGIN_ID_TEXT_SIZE];

	id_make(id);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(read_prompt(others[i][0], id, others[i][1], found), -ENOENT);
	id[10] = '\0'; /* one that was cut */
	assert_int_equal(read_prompt("ticket (login ", id, "): ", found), -ENOENT);
	assert_int_equal(ssh_prompt_login("", found), -ENOENT);
	assert_int_equal(ssh_prompt_login("Password: ", found), -ENOENT);
	/* the right length, and no login id */
	assert_int_equal(ssh_prompt_login("ticket (login 0000-0000-0000-0): ", found), -ENOENT);
}

static void what_is_shown(_unused_ void **state)
{
	assert_true(ssh_prompt_echo("Are you sure you want to continue connecting "
				    "(yes/no/[fingerprint])? "));
	assert_false(ssh_prompt_echo("alice@host's password: "));
	assert_false(ssh_prompt_echo("Enter PIN (yes/no/[fingerprint])? for you: "));
	assert_false(ssh_prompt_echo(""));
}

static void configuration(_unused_ void **state)
{
	static const char *const bad[] = {
		"",
		"user alice\n",
		"hostname h\n",
		"hostname \nuser alice\n",
		"hostname h\nuser \n",
		"xhostname h\nusername alice\n",
	};
	char host[256], account[LIMIT_ACCOUNT + 1], text[1024], name[300];

	assert_int_equal(
		ssh_config_read("host x\nuser alice\nhostname h.example\nport 22\n", host, account),
		0);
	assert_string_equal(host, "h.example");
	assert_string_equal(account, "alice");
	/* without an end of line, and the first that is given */
	assert_int_equal(ssh_config_read("hostname h\nuser alice\nuser bob", host, account), 0);
	assert_string_equal(account, "alice");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ssh_config_read(bad[i], host, account), -EBADMSG);
	for (size_t n = 255; n <= 256; n++) {
		memset(name, 'h', n);
		name[n] = '\0';
		(void)snprintf(text, sizeof(text), "hostname %s\nuser a\n", name);
		assert_int_equal(ssh_config_read(text, host, account), n == 255 ? 0 : -EBADMSG);
	}
	for (size_t n = LIMIT_ACCOUNT; n <= LIMIT_ACCOUNT + 1; n++) {
		memset(name, 'a', n);
		name[n] = '\0';
		(void)snprintf(text, sizeof(text), "hostname h\nuser %s\n", name);
		assert_int_equal(ssh_config_read(text, host, account),
				 n == LIMIT_ACCOUNT ? 0 : -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_prompts),
		cmocka_unit_test(other_prompts),
		cmocka_unit_test(what_is_shown),
		cmocka_unit_test(configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
