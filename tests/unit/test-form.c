// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/pki/der.h"
#include "lib/pki/form.h"

#define VIEW(s) ((struct view){ (const uint8_t *)(s), sizeof(s) - 1 })

static bool name_ok(uint8_t tag, struct view value)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	buf_put_u8(&b, tag);
	if (value.n >= 0x80)
		buf_put_u8(&b, value.n < 0x100 ? 0x81 : 0x82);
	if (value.n < 0x100)
		buf_put_u8(&b, (uint8_t)value.n);
	else
		buf_put_u16(&b, (uint16_t)value.n);
	buf_put(&b, value.p, value.n);
	assert_int_equal(b.error, 0);
	return form_general_names((struct view){ b.p, b.n });
}

struct row {
	const char *text;
	bool good;
};

static void rows_are(uint8_t tag, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct view text = { (const uint8_t *)rows[i].text, strlen(rows[i].text) };

		if (name_ok(tag, text) != rows[i].good)
			print_message("# %s\n", rows[i].text);
		assert_int_equal(name_ok(tag, text), rows[i].good);
	}
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L61 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void hosts(void **state)
{
	static const struct row rows[] = {
		{ "example.org", true },
		{ "localhost", true },
		{ "EXAMPLE.Org", true },
		{ "a-b.1c.x", true },
		{ "1.2.3.example", true },
		{ "xn--bcher-kva.example", true },
		{ "*.example.org", true },
		{ "*.example", true },
		{ "", false },
		{ ".", false },
		{ ".example.org", false },
		{ "example.org.", false },
		{ "a..b", false },
		{ "a_b.example", false },
		{ "a b.example", false },
		{ "b\xc3\xbc"
		  "cher.example",
		  false },
		{ "-a.example", false },
		{ "a-.example", false },
		{ "192.0.2.1", false },
		{ "1", false },
		{ "example.123", false },
		{ "*", false },
		{ "*.", false },
		{ "**.example", false },
		{ "a*.example", false },
		{ "*a.example", false },
		{ "a.*.example", false },
		{ "*.*.example", false },
		{ "*example", false },
		{ L63 ".example", true },
		{ "a" L63 ".example", false },
		{ L63 "." L63 "." L63 "." L61, true },
		{ L63 "." L63 "." L63 "." L61 "a", false },
		{ "*." L63 "." L63 "." L63 "." L61, false },
		{ "*." L63 "." L63 "." L61 "." L61, true },
	};

	(void)state;
	rows_are(DER_CONTEXT(2), rows, ARRAY_SIZE(rows));
	assert_false(name_ok(DER_CONTEXT(2), VIEW("a\0b.example")));
	assert_false(name_ok(DER_CONTEXT(2), VIEW("example\0")));
}

static void mail_addresses(void **state)
{
	static const struct row rows[] = {
		{ "x@example.org", true },
		{ "x.y+z@host", true },
		{ "x", false },
		{ "x@", false },
		{ "@y", false },
		{ "x@y@z", false },
		{ "x y@z", false },
		{ "x@*.z", false },
		{ "x@.z", false },
		{ "x@[192.0.2.1]", false },
		{ "x@192.0.2.1", false },
		{ "\xc3\xbc@z", false },
		{ "x\x7f@z", false },
		{ "", false },
		{ "mailto:x@example.org", true },
	};

	(void)state;
	rows_are(DER_CONTEXT(1), rows, ARRAY_SIZE(rows));
	assert_false(name_ok(DER_CONTEXT(1), VIEW("x\0@example.org")));
	assert_false(name_ok(DER_CONTEXT(1), VIEW("x@example.org\0")));
}

static void uris(void **state)
{
	static const struct row rows[] = {
		{ "https://example.org/a?b#c", true },
		{ "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true },
		{ "tag:microsoft.com,2022-09-14:sid:S-1-5-21", true },
		{ "a+b-c.1:x", true },
		{ "example.org/path", false },
		{ "//example.org", false },
		{ ":x", false },
		{ "1a:x", false },
		{ "+a:x", false },
		{ "a_b:x", false },
		{ "http", false },
		{ "http:", false },
		{ "http://a b", false },
		{ "http://\xc3\xbc", false },
		{ "http://a\x7f", false },
		{ "", false },
	};

	(void)state;
	rows_are(DER_CONTEXT(6), rows, ARRAY_SIZE(rows));
	assert_false(name_ok(DER_CONTEXT(6), VIEW("ht\0tp://a")));
	assert_false(name_ok(DER_CONTEXT(6), VIEW("http://a\0")));
}

static void other_kinds(void **state)
{
	(void)state;
	assert_true(name_ok(DER_CONTEXT(7), VIEW("1234")));
	assert_true(name_ok(DER_CONTEXT(7), VIEW("0123456789abcdef")));
	assert_false(name_ok(DER_CONTEXT(7), VIEW("")));
	assert_false(name_ok(DER_CONTEXT(7), VIEW("123")));
	assert_false(name_ok(DER_CONTEXT(7), VIEW("12345678"))); /* address and mask */
	assert_false(name_ok(DER_CONTEXT(7), VIEW("0123456789abcdefg")));

	assert_true(name_ok(DER_CONTEXT_CONS(0), VIEW("\x06\x01\x2a\xa0\x03\x0c\x01x")));
	assert_false(name_ok(DER_CONTEXT_CONS(0), VIEW("\x06\x01\x2a")));
	assert_false(name_ok(DER_CONTEXT_CONS(0), VIEW("\xa0\x03\x0c\x01x")));
	assert_false(name_ok(DER_CONTEXT_CONS(0), VIEW("\x06\x01\x2a\x0c\x01x")));
	assert_false(name_ok(DER_CONTEXT_CONS(0), VIEW("\x06\x01\x2a\xa0\x03\x0c\x01x\x05\x00")));

	assert_true(name_ok(DER_CONTEXT_CONS(4), VIEW("\x30\x00")));
	assert_false(name_ok(DER_CONTEXT_CONS(4), VIEW("")));
	assert_false(name_ok(DER_CONTEXT_CONS(4), VIEW("\x31\x00")));
	assert_false(name_ok(DER_CONTEXT_CONS(4), VIEW("\x30\x00\x30\x00")));
	assert_false(name_ok(DER_CONTEXT_CONS(4), VIEW("\x30\x01\x31")));

	assert_true(name_ok(DER_CONTEXT(8), VIEW("\x2a")));
	assert_false(name_ok(DER_CONTEXT(8), VIEW("")));
	assert_true(name_ok(DER_CONTEXT_CONS(3), VIEW("")));
	assert_true(name_ok(DER_CONTEXT_CONS(5), VIEW("")));
}

static void names_that_are_none(void **state)
{
	(void)state;
	assert_false(form_general_names(VIEW("")));
	assert_false(name_ok(DER_CONTEXT(9), VIEW("x")));
	assert_false(name_ok(DER_CONTEXT_CONS(2), VIEW("x")));
	assert_false(name_ok(DER_UTF8, VIEW("x")));
	assert_true(form_general_names(VIEW("\x82\x01x\x82\x01y")));
	assert_false(form_general_names(VIEW("\x82\x01x\x82\x01_")));
	assert_false(form_general_names(VIEW("\x82\x01_\x82\x01x")));
	assert_false(form_general_names(VIEW("\x82\x01x\x82\x02y")));
}

/* One attribute of this type and these contents. */
#define DN(value) VIEW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03" value)

static void strings_of_a_dn(void **state)
{
	(void)state;
	assert_true(form_name(VIEW("\x30\x00")));
	assert_true(form_name(DN("\x16\x01x")));
	assert_true(form_name(DN("\x0c\x01\xff"))); /* of another type: not asked here */
	assert_false(form_name(DN("\x16\x01\x00")));
	assert_false(form_name(DN("\x16\x01\x80")));
	assert_false(form_name(DN("\x16\x02x")));
	assert_false(form_name(VIEW("\x31\x00")));
	assert_false(form_name(VIEW("\x30\x02\x30\x00")));
	assert_false(form_name(VIEW("\x30\x04\x31\x02\x31\x00")));
	assert_false(form_name(VIEW("\x30\x0a\x31\x08\x30\x06\x16\x01x\x0c\x01x")));
	assert_false(form_name(VIEW("\x30\x0c\x31\x0a\x30\x08\x06\x01\x2a\x16\x01x\x05\x00")));
}

#define OCSP "\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01"

static void access_descriptions(void **state)
{
	(void)state;
	assert_true(form_access_descriptions(VIEW("\x30\x0f" OCSP "\x86\x03"
						  "a:b")));
	assert_true(form_access_descriptions(VIEW("\x30\x0e" OCSP "\xa4\x02\x30\x00")));
	assert_false(form_access_descriptions(VIEW("")));
	assert_false(form_access_descriptions(VIEW("\x31\x0f" OCSP "\x86\x03"
						   "a:b")));
	assert_false(form_access_descriptions(VIEW("\x30\x0a" OCSP)));
	assert_false(form_access_descriptions(VIEW("\x30\x05\x86\x03"
						   "a:b")));
	assert_false(form_access_descriptions(VIEW("\x30\x0f" OCSP "\x86\x03"
						   "abc")));
	assert_false(form_access_descriptions(VIEW("\x30\x11" OCSP "\x86\x03"
						   "a:b\x05\x00")));
	assert_false(form_access_descriptions(VIEW("\x30\x0f" OCSP "\x86\x03"
						   "a:b\x05\x00")));
}

static void distribution_points(void **state)
{
	(void)state;
	assert_true(form_distribution_points(VIEW("\x30\x00")));
	assert_true(form_distribution_points(VIEW("\x30\x00\x30\x02\x05\x00")));
	assert_false(form_distribution_points(VIEW("")));
	assert_false(form_distribution_points(VIEW("\x31\x00")));
	assert_false(form_distribution_points(VIEW("\x30\x00\x05\x00")));
	assert_false(form_distribution_points(VIEW("\x30\x01")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(mail_addresses),
		cmocka_unit_test(uris),
		cmocka_unit_test(other_kinds),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(strings_of_a_dn),
		cmocka_unit_test(access_descriptions),
		cmocka_unit_test(distribution_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
