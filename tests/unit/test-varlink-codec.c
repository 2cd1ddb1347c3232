// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/varlink/codec.h"

static int parse(const char *text)
{
	json_t *json = NULL;
	int r = vl_json_parse(text, strlen(text), &json);

	json_decref(json);
	return r;
}

static void nested(char *ret, unsigned objects)
{
	*ret = '\0';
	for (unsigned i = 0; i < objects; i++)
		strcat(ret, "{\"a\":");
	strcat(ret, "1");
	for (unsigned i = 0; i < objects; i++)
		strcat(ret, "}");
}

static void depth_limit(_unused_ void **state)
{
	char text[1024];

	nested(text, LIMIT_JSON_DEPTH);
	assert_int_equal(parse(text), 0);
	nested(text, LIMIT_JSON_DEPTH + 1);
	assert_int_equal(parse(text), -EBADMSG);
	assert_int_equal(parse("{\"a\":[[[[[[[1]]]]]]]}"), 0);
	assert_int_equal(parse("{\"a\":[[[[[[[[1]]]]]]]]}"), -EBADMSG);
}

static void depth_ignores_strings(_unused_ void **state)
{
	assert_int_equal(parse("{\"a\":\"[[[[[[[[[[[[\"}"), 0);
	assert_int_equal(parse("{\"a\":\"\\\"[[[[[[[[[[[[\"}"), 0);
	assert_int_equal(parse("{\"a\":\"\\\\\",\"b\":[[[[[[[[1]]]]]]]]}"), -EBADMSG);
}

static void bottomless_does_not_recurse(_unused_ void **state)
{
	static char text[LIMIT_VARLINK_BYTES];
	json_t *json;

	memset(text, '[', sizeof(text));
	assert_int_equal(vl_json_parse(text, sizeof(text), &json), -EBADMSG);
}

static void strict_json(_unused_ void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"null",
		"[]",
		"1",
		"{}x",
		"{} {}",
		"{\"a\":1,\"a\":1}",
		"{\"a\":{\"b\":1,\"b\":2}}",
		"{\"a\":1.0}",
		"{\"a\":[1e3]}",
		"{\"a\":{\"b\":-0.5}}",
		"{\"a\":9223372036854775808}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\\u0000b\":1}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xc0\xaf\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\x01\"}",
		"{\"a\":1",
		"{a:1}",
		"{\"a\":1,}",
		"\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i]) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse(" {\"a\":9223372036854775807,\"b\":\"\xc3\xa4\"} \n"), 0);
}

static void raw_nul_is_refused(_unused_ void **state)
{
	json_t *json;

	assert_int_equal(vl_json_parse("{}\0", 3, &json), -EBADMSG);
	assert_int_equal(vl_json_parse("{\"a\":\"b\0c\"}", 11, &json), -EBADMSG);
}

static int parse_call(const char *text)
{
	json_t *message = NULL, *parameters = NULL;
	const char *method = NULL;
	int r = vl_call_parse(text, strlen(text), &message, &method, &parameters);

	json_decref(message);
	return r;
}

static void call_shape(_unused_ void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"method\":1}",
		"{\"method\":null}",
		"{\"parameters\":{}}",
		"{\"method\":\"a.B\",\"parameters\":[]}",
		"{\"method\":\"a.B\",\"parameters\":null}",
		"{\"method\":\"a.B\",\"more\":1}",
		"{\"method\":\"a.B\",\"error\":\"a.C\"}",
		"{\"method\":\"a.B\",\"Oneway\":true}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_call(bad[i]) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse_call("{\"method\":\"a.B\"}"), 0);
	assert_int_equal(
		parse_call("{\"method\":\"a.B\",\"parameters\":{},\"more\":true,\"oneway\":false,"
			   "\"upgrade\":false}"),
		0);
}

static int parse_reply(const char *text)
{
	json_t *parameters = NULL;
	char *error = NULL;
	int r = vl_reply_parse(text, strlen(text), &parameters, &error);

	json_decref(parameters);
	free(error);
	return r;
}

static void reply_shape(_unused_ void **state)
{
	static const char *const bad[] = {
		"{\"error\":1}",	  "{\"error\":null}",
		"{\"parameters\":\"x\"}", "{\"parameters\":{},\"continues\":true}",
		"{\"method\":\"a.B\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_reply(bad[i]) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse_reply("{}"), 0);
	assert_int_equal(parse_reply("{\"error\":\"a.E\",\"parameters\":{\"x\":1}}"), 0);
}

static void reply_without_parameters_has_an_object(_unused_ void **state)
{
	json_t *parameters = NULL;
	char *error = (char *)1;

	assert_int_equal(vl_reply_parse("{}", 2, &parameters, &error), 0);
	assert_true(json_is_object(parameters));
	assert_null(error);
	json_decref(parameters);
}

static void format_roundtrip(_unused_ void **state)
{
	_cleanup_(freep) char *call = NULL, *reply = NULL, *error = NULL;
	json_t *message, *parameters;
	const char *method;
	size_t n;

	assert_int_equal(vl_call_format("a.B", json_pack("{s:i}", "x", 7), &call, &n), 0);
	assert_int_equal(n, strlen(call) + 1);
	assert_int_equal(vl_call_parse(call, n - 1, &message, &method, &parameters), 0);
	assert_string_equal(method, "a.B");
	assert_int_equal(json_integer_value(json_object_get(parameters, "x")), 7);
	json_decref(message);

	assert_int_equal(vl_reply_format("a.E", NULL, &reply, &n), 0);
	assert_int_equal(vl_reply_parse(reply, n - 1, &parameters, &error), 0);
	assert_string_equal(error, "a.E");
	json_decref(parameters);
}

static const struct vl_field fields[] = {
	{ "s", VL_STRING, false, 3 }, { "i", VL_INT, true, 0 },	   { "b", VL_BOOL, true, 0 },
	{ "l", VL_STRINGS, true, 2 }, { "o", VL_OBJECT, true, 0 }, { NULL, VL_STRING, false, 0 },
};

static void fields_types_and_limits(_unused_ void **state)
{
	static const struct {
		const char *text, *bad;
	} t[] = {
		{ "{\"s\":\"abc\"}", NULL },
		{ "{\"s\":\"abc\",\"i\":1,\"b\":false,\"l\":[\"x\",\"y\"]}", NULL },
		{ "{\"s\":\"abc\",\"i\":null,\"l\":[]}", NULL },
		{ "{}", "s" },
		{ "{\"s\":null}", "s" },
		{ "{\"s\":1}", "s" },
		{ "{\"s\":\"abcd\"}", "s" },
		{ "{\"s\":\"a\",\"i\":\"1\"}", "i" },
		{ "{\"s\":\"a\",\"i\":true}", "i" },
		{ "{\"s\":\"a\",\"b\":1}", "b" },
		{ "{\"s\":\"a\",\"l\":\"x\"}", "l" },
		{ "{\"s\":\"a\",\"l\":[1]}", "l" },
		{ "{\"s\":\"a\",\"l\":[\"x\",\"y\",\"z\"]}", "l" },
		{ "{\"s\":\"a\",\"o\":{\"x\":1}}", NULL },
		{ "{\"s\":\"a\",\"o\":null}", NULL },
		{ "{\"s\":\"a\",\"o\":[]}", "o" },
		{ "{\"s\":\"a\",\"o\":\"{}\"}", "o" },
		{ "{\"s\":\"a\",\"S\":\"a\"}", "S" },
		{ "{\"s\":\"a\",\"u\":null}", "u" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *bad = NULL;
		json_t *json = NULL;
		int r;

		assert_int_equal(vl_json_parse(t[i].text, strlen(t[i].text), &json), 0);
		r = vl_fields_check(json, fields, &bad);
		assert_int_equal(r, t[i].bad ? -EINVAL : 0);
		if (t[i].bad)
			assert_string_equal(bad, t[i].bad);
		json_decref(json);
	}
}

static void wipe_reaches_all_strings(_unused_ void **state)
{
	json_t *json = json_pack("{s:s, s:[s, {s:s}], s:i}", "a", "top", "b", "in list", "c",
				 "deep", "n", 7);
	const json_t *list = json_object_get(json, "b");

	vl_json_wipe(json);
	assert_memory_equal(json_string_value(json_object_get(json, "a")), "\0\0\0", 3);
	assert_memory_equal(json_string_value(json_array_get(list, 0)), "\0\0\0\0\0\0\0", 7);
	assert_memory_equal(json_string_value(json_object_get(json_array_get(list, 1), "c")),
			    "\0\0\0\0", 4);
	assert_int_equal(json_integer_value(json_object_get(json, "n")), 7);
	json_decref(json);
}

static unsigned allocations_left;

static void *scarce_malloc(size_t n)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(n);
}

/* Whichever allocation fails: an error, nothing leaked, nothing half done. */
static void out_of_memory(_unused_ void **state)
{
	static const char text[] =
		"{\"method\":\"a.B\",\"parameters\":{\"s\":\"abc\",\"l\":[\"x\"]}}";
	unsigned i;
	int r = -1;

	json_set_alloc_funcs(scarce_malloc, free);
	for (i = 0; r < 0; i++) {
		json_t *message = NULL, *parameters = NULL;
		const char *method = NULL;
		char *out = NULL;
		size_t n;

		assert_true(i < 1000);
		allocations_left = i;
		r = vl_call_parse(text, strlen(text), &message, &method, &parameters);
		if (r == 0)
			r = vl_call_format(method, json_incref(parameters), &out, &n);
		else
			assert_null(message);
		if (r == 0)
			assert_string_equal(out, text);
		else
			assert_true(r == -ENOMEM || r == -EBADMSG);
		free(out);
		json_decref(message);
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(i > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depth_limit),
		cmocka_unit_test(depth_ignores_strings),
		cmocka_unit_test(bottomless_does_not_recurse),
		cmocka_unit_test(strict_json),
		cmocka_unit_test(raw_nul_is_refused),
		cmocka_unit_test(call_shape),
		cmocka_unit_test(reply_shape),
		cmocka_unit_test(reply_without_parameters_has_an_object),
		cmocka_unit_test(format_roundtrip),
		cmocka_unit_test(fields_types_and_limits),
		cmocka_unit_test(wipe_reaches_all_strings),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
