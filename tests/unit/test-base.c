// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/base/secret.h"

static void buf_is_big_endian(_unused_ void **state)
{
	static const uint8_t expected[] = { 1,	2,  3,	4,  5,	6,  7,	 8,  9,
					    10, 11, 12, 13, 14, 15, 'h', 'i' };
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	buf_put_u8(&b, 0x01);
	buf_put_u16(&b, 0x0203);
	buf_put_u32(&b, 0x04050607);
	buf_put_u64(&b, 0x08090a0b0c0d0e0f);
	buf_put_text(&b, "hi");
	assert_int_equal(b.error, 0);
	assert_int_equal(b.n, sizeof(expected));
	assert_memory_equal(b.p, expected, sizeof(expected));
}

static void buf_grows_and_consumes(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		buf_put_u16(&b, (uint16_t)i);
	assert_int_equal(b.n, 2000);
	buf_consume(&b, 2 * 999);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.p[0] << 8 | b.p[1], 999);
	buf_consume(&b, 3);
	assert_int_equal(b.n, 0);
}

static void buf_error_sticks(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	buf_put_u8(&b, 1);
	b.error = -ENOMEM;
	buf_put_u8(&b, 2);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.error, -ENOMEM);
}

static void view_reads_to_the_end(_unused_ void **state)
{
	static const uint8_t bytes[] = { 1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5 };
	struct view v = { bytes, sizeof(bytes) };
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	assert_true(view_u8(&v, &u8) == 0 && u8 == 1);
	assert_true(view_u16(&v, &u16) == 0 && u16 == 2);
	assert_true(view_u24(&v, &u32) == 0 && u32 == 3);
	assert_true(view_u32(&v, &u32) == 0 && u32 == 4);
	assert_true(view_u64(&v, &u64) == 0 && u64 == 5);
	assert_int_equal(v.n, 0);
	assert_int_equal(view_u8(&v, &u8), -EBADMSG);
}

static void view_failure_changes_nothing(_unused_ void **state)
{
	static const uint8_t bytes[] = { 0, 0, 0, 9, 'x' };
	struct view v = { bytes, sizeof(bytes) }, out = { NULL, 77 };
	uint64_t u64 = 1;

	assert_int_equal(view_u64(&v, &u64), -EBADMSG);
	assert_int_equal(view_vec32(&v, &out), -EBADMSG);
	assert_int_equal(view_bytes(&v, 6, &out), -EBADMSG);
	assert_int_equal(u64, 1);
	assert_int_equal(out.n, 77);
	assert_ptr_equal(v.p, bytes);
	assert_int_equal(v.n, sizeof(bytes));
}

static void view_vectors(_unused_ void **state)
{
	static const uint8_t bytes[] = { 1, 'a', 0, 2, 'b', 'c', 0, 0, 0, 0, 0, 0, 1, 'd' };
	struct view v = { bytes, sizeof(bytes) }, out;

	assert_true(view_vec8(&v, &out) == 0 && view_is(&out, "a", 1));
	assert_true(view_vec16(&v, &out) == 0 && view_is(&out, "bc", 2));
	assert_true(view_vec24(&v, &out) == 0 && view_is(&out, NULL, 0));
	assert_true(view_vec32(&v, &out) == 0 && view_is(&out, "d", 1));
	assert_int_equal(v.n, 0);
	assert_false(view_is(&out, "e", 1));
	assert_false(view_is(&out, "d", 0));
}

static void account_names(_unused_ void **state)
{
	static const char *const good[] = { "root",	   "alice@corp", "corp\\alice",
					    "j\xc3\xb6rg", "a",		 "svc-backup$",
					    "0",	   "...",	 ".hidden" };
	static const char *const bad[] = { "",
					   ".",
					   "..",
					   "-rf",
					   "a b",
					   "a:b",
					   "a/b",
					   "a,b",
					   "a\nb",
					   "a\tb",
					   "a\x7f",
					   "a\x1b[2J",
					   "\xff",
					   "\xc0\x80",
					   "a\xc2\x85",
					   "\xed\xa0\x80",
					   "a\xe2\x80\xae"
					   "b",
					   "\xf4\x90\x80\x80",
					   "a\xe2\x81\xa6"
					   "b" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!account_name_ok(good[i]) || !identity_name_ok(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (account_name_ok(bad[i]) || identity_name_ok(bad[i]))
			fail_msg("accepted: number %zu", i);
}

static void name_lengths(_unused_ void **state)
{
	char name[LIMIT_ACCOUNT + 2] = "";

	memset(name, 'a', LIMIT_ACCOUNT);
	assert_true(account_name_ok(name));
	name[LIMIT_ACCOUNT] = 'a';
	assert_false(account_name_ok(name));
	name[LIMIT_IDENTITY] = '\0';
	assert_true(identity_name_ok(name));
	name[LIMIT_IDENTITY] = 'a';
	name[LIMIT_IDENTITY + 1] = '\0';
	assert_false(identity_name_ok(name));
	name[LIMIT_SERVICE] = '\0';
	assert_true(service_name_ok(name));
	name[LIMIT_SERVICE] = 'a';
	name[LIMIT_SERVICE + 1] = '\0';
	assert_false(service_name_ok(name));
}

static void service_names(_unused_ void **state)
{
	static const char *const bad[] = { "",	   ".x",	"-x",	  "a b", "../su",
					   "su/l", "s\xc3\xbc", "@login", "su\n" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(service_name_ok(bad[i]));
	assert_true(service_name_ok("su-l"));
	assert_true(service_name_ok("polkit-1"));
	assert_true(service_or_class_ok("@login"));
	assert_true(service_or_class_ok("@elevate"));
	assert_true(service_or_class_ok("@app"));
	assert_false(service_or_class_ok("@root"));
	assert_false(service_or_class_ok("@"));
}

static void clean(const char *dirty, size_t len, const char *expected, size_t size)
{
	char out[32];

	memset(out, 'Z', sizeof(out));
	text_clean(dirty, len, out, size);
	assert_string_equal(out, expected);
	assert_true(strlen(out) < size);
	assert_true(text_ok(out, size));
}

static void text_is_cleaned(_unused_ void **state)
{
	clean("plain", 5, "plain", 32);
	clean("\x1b[2Jx", 5, "?[2Jx", 32);
	clean("a\0b", 3, "a?b", 32);
	clean("\xff\xfe", 2, "??", 32);
	clean("\xc3\xa4\xc3", 3, "\xc3\xa4?", 32);
	clean("\xe2\x80\xae!", 4, "?!", 32);
	clean("\xc3\xa4\xc3\xa4", 4, "\xc3\xa4", 4); /* never half a character */
	clean("12345", 5, "123", 4);
	clean("", 0, "", 1);
}

static void as_json(const char *s, const char *expected)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	text_put_json(&b, s);
	buf_put_u8(&b, '\0');
	assert_string_equal((const char *)b.p, expected);
}

static void text_as_json(_unused_ void **state)
{
	as_json("", "\"\"");
	as_json("plain, with {all}: of it/", "\"plain, with {all}: of it/\"");
	as_json("\"quoted\" \\ x", "\"\\\"quoted\\\" \\\\ x\"");
	as_json("a\x01\n\x7f"
		"b",
		"\"a???b\"");
	as_json("\xc3\xa4\xc3", "\"\xc3\xa4?\"");
	as_json("\xe2\x80\xa8\xff\xed\xa0\x80", "\"?????\"");
}

static void text_limit(_unused_ void **state)
{
	assert_true(text_ok("12345", 5));
	assert_false(text_ok("123456", 5));
	assert_true(text_ok("a b", 5));
	assert_false(text_ok("a\rb", 5));
}

static void secrets(_unused_ void **state)
{
	_cleanup_(secret_freep) struct secret *s = secret_new("pin\0x", 5),
					      *zeros = secret_new(NULL, 3);

	assert_int_equal(s->len, 5);
	assert_memory_equal(s->bytes, "pin\0x", 6);
	assert_memory_equal(zeros->bytes, "\0\0\0", 4);
	assert_null(secret_free(NULL));
}

static void bytes_compare(_unused_ void **state)
{
	assert_true(bytes_equal("abc", 3, "abc", 3));
	assert_true(bytes_equal("", 0, "x", 0));
	assert_false(bytes_equal("abc", 3, "abd", 3));
	assert_false(bytes_equal("\0bc", 3,
				 "\x01"
				 "bc",
				 3));
	assert_false(bytes_equal("abc", 3, "abc", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_is_big_endian),
		cmocka_unit_test(buf_grows_and_consumes),
		cmocka_unit_test(buf_error_sticks),
		cmocka_unit_test(view_reads_to_the_end),
		cmocka_unit_test(view_failure_changes_nothing),
		cmocka_unit_test(view_vectors),
		cmocka_unit_test(account_names),
		cmocka_unit_test(name_lengths),
		cmocka_unit_test(service_names),
		cmocka_unit_test(text_is_cleaned),
		cmocka_unit_test(text_as_json),
		cmocka_unit_test(text_limit),
		cmocka_unit_test(secrets),
		cmocka_unit_test(bytes_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
