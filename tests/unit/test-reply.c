// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/prove/reply.h"

#define DONE "{\"parameters\":{\"allowed\":true,\"event\":4711}}"
#define DESCRIBED "{\"parameters\":{\"account\":\"root\",\"service\":\"su\",\"caller\":\"bob\"}}"

static struct prove_answer commit(const char *text, size_t n)
{
	struct prove_answer a = { .result = PROVE_SERVER, .event = 99, .why = "old" };

	assert_int_equal(reply_read_commit(text, n, &a), 0);
	return a;
}

static struct prove_answer describe(const char *text, size_t n, struct prove_description *ret)
{
	struct prove_answer a = { .result = PROVE_SERVER, .event = 99, .why = "old" };

	*ret = (struct prove_description){ .account = "old" };
	assert_int_equal(reply_read_describe(text, n, &a, ret), 0);
	return a;
}

static void senseless(const struct prove_answer *a)
{
	assert_int_equal(a->result, PROVE_NO_SERVER);
	assert_string_equal(a->why, "the server's answer makes no sense");
	assert_int_equal(a->event, 0);
}

/* Each beginning of a reply, and the reply with an octet after it, is none; so is the NUL. */
static void replies_of_another_length(_unused_ void **state)
{
	struct prove_description d;
	struct prove_answer a;

	for (size_t n = 0; n < strlen(DONE); n++) {
		a = commit(DONE, n);
		senseless(&a);
	}
	a = commit(DONE, sizeof(DONE));
	senseless(&a);
	a = commit(DONE "}", strlen(DONE) + 1);
	senseless(&a);
	a = commit(DONE, strlen(DONE));
	assert_int_equal(a.result, PROVE_DONE);
	assert_int_equal(a.event, 4711);
	assert_string_equal(a.why, "");
	for (size_t n = 0; n < strlen(DESCRIBED); n++) {
		a = describe(DESCRIBED, n, &d);
		senseless(&a);
		assert_string_equal(d.account, "old");
	}
	a = describe(DESCRIBED, strlen(DESCRIBED), &d);
	assert_int_equal(a.result, PROVE_DONE);
	assert_int_equal(a.event, 0);
	assert_string_equal(d.account, "root");
	assert_string_equal(d.service, "su");
	assert_string_equal(d.caller, "bob");
}

static void reply_to_another_call(_unused_ void **state)
{
	struct prove_description d;
	struct prove_answer a = commit(DESCRIBED, strlen(DESCRIBED));

	senseless(&a);
	a = describe(DONE, strlen(DONE), &d);
	senseless(&a);
	assert_string_equal(d.account, "old");
}

static void events_are_whole_numbers(_unused_ void **state)
{
	static const struct {
		const char *event;
		enum prove_result result;
		uint64_t number;
	} t[] = {
		{ "0", PROVE_DENIED, 0 },
		{ "9223372036854775807", PROVE_DENIED, INT64_MAX },
		{ "9223372036854775808", PROVE_NO_SERVER, 0 },
		{ "-1", PROVE_NO_SERVER, 0 },
		{ "1.0", PROVE_NO_SERVER, 0 },
		{ "1e3", PROVE_NO_SERVER, 0 },
		{ "\"1\"", PROVE_NO_SERVER, 0 },
		{ "null", PROVE_NO_SERVER, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct prove_answer a;
		char text[128];

		(void)snprintf(text, sizeof(text),
			       "{\"parameters\":{\"allowed\":false,\"event\":%s}}", t[i].event);
		a = commit(text, strlen(text));
		assert_int_equal(a.result, t[i].result);
		assert_int_equal(a.event, t[i].number);
	}
}

/* Nothing but true is an allow. */
static void only_true_allows(_unused_ void **state)
{
	static const char *const values[] = { "false", "null",	 "1",  "\"true\"",
					      "[]",    "[true]", "{}", "\"\"" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct prove_answer a;
		char text[128];

		(void)snprintf(text, sizeof(text), "{\"parameters\":{\"allowed\":%s,\"event\":1}}",
			       values[i]);
		a = commit(text, strlen(text));
		assert_int_equal(a.result, i == 0 ? PROVE_DENIED : PROVE_NO_SERVER);
	}
}

/* An error is one, whatever comes with it. */
static void errors(_unused_ void **state)
{
	static const struct {
		const char *name;
		enum prove_result result;
		const char *why;
	} t[] = {
		{ "org.certlogin.Login.NotFound", PROVE_DENIED,
		  "no such login, or it is not yours" },
		{ "org.certlogin.Login.Unavailable", PROVE_NO_SERVER,
		  "the authority is not available: try again" },
		{ "org.certlogin.Login.Unavailabl", PROVE_NO_SERVER,
		  "the server does not know this call" },
		{ "", PROVE_NO_SERVER, "the server" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct prove_description d;
		struct prove_answer a;
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "{\"error\":\"%s\",\"parameters\":{\"allowed\":true,\"event\":1}}",
			       t[i].name);
		a = commit(text, strlen(text));
		assert_int_equal(a.result, t[i].result);
		assert_int_equal(strncmp(a.why, t[i].why, strlen(t[i].why)), 0);
		assert_int_equal(a.event, 0);
		a = describe(text, strlen(text), &d);
		assert_int_equal(a.result, t[i].result);
		assert_string_equal(d.account, "old");
	}
}

static enum prove_result describe_sized(size_t account, size_t service, size_t caller,
					struct prove_description *ret)
{
	static char a[1024], s[1024], c[1024], text[4096];

	memset(a, 'a', account);
	memset(s, 's', service);
	memset(c, 'c', caller);
	a[account] = s[service] = c[caller] = '\0';
	(void)snprintf(text, sizeof(text),
		       "{\"parameters\":{\"account\":\"%s\",\"service\":\"%s\",\"caller\":\"%s\"}}",
		       a, s, c);
	return describe(text, strlen(text), ret).result;
}

static void descriptions_of_the_largest_size(_unused_ void **state)
{
	const size_t caller = sizeof(((struct prove_description *)NULL)->caller) - 1;
	struct prove_description d;

	assert_int_equal(describe_sized(LIMIT_ACCOUNT, LIMIT_SERVICE, caller, &d), PROVE_DONE);
	assert_int_equal(strlen(d.account), LIMIT_ACCOUNT);
	assert_int_equal(strlen(d.service), LIMIT_SERVICE);
	assert_int_equal(strlen(d.caller), caller);
	assert_int_equal(describe_sized(LIMIT_ACCOUNT + 1, 1, 1, &d), PROVE_NO_SERVER);
	assert_int_equal(describe_sized(1, LIMIT_SERVICE + 1, 1, &d), PROVE_NO_SERVER);
	assert_int_equal(describe_sized(1, 1, caller + 1, &d), PROVE_NO_SERVER);
	assert_int_equal(describe_sized(0, 1, 1, &d), PROVE_NO_SERVER);
	assert_int_equal(describe_sized(1, 0, 1, &d), PROVE_NO_SERVER);
	assert_int_equal(describe_sized(1, 1, 0, &d), PROVE_DONE); /* nobody to name */
}

/* What a stranger called himself goes to the terminal of the one who is to allow it. */
static void callers_are_cleaned(_unused_ void **state)
{
	static const char text[] = "{\"parameters\":{\"account\":\"root\",\"service\":\"su\","
				   "\"caller\":\"a\\u001b[2J\\nb\\u007f\\u202e\\u009bc\"}}";
	struct prove_description d;

	assert_int_equal(describe(text, strlen(text), &d).result, PROVE_DONE);
	assert_null(strpbrk(d.caller, "\033\n\177"));
	assert_null(strstr(d.caller, "\u202e"));
	assert_null(strstr(d.caller, "\302\233"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_of_another_length),
		cmocka_unit_test(reply_to_another_call),
		cmocka_unit_test(events_are_whole_numbers),
		cmocka_unit_test(only_true_allows),
		cmocka_unit_test(errors),
		cmocka_unit_test(descriptions_of_the_largest_size),
		cmocka_unit_test(callers_are_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
