// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/pki/constraints.h"
#include "lib/pki/der.h"
#include "lib/pki/dn.h"

/* Names and constraints by hand: certificates here are only what is looked at of them. */

#define TEXT(s)                                                                                    \
	(struct view)                                                                              \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}
#define EMPTY_NAME TEXT("\x30\x00")

static void put_tlv(struct buf *b, uint8_t tag, const struct view *v)
{
	buf_put_u8(b, tag);
	assert_true(v->n < 65536);
	if (v->n >= 256) {
		buf_put_u8(b, 0x82);
		buf_put_u16(b, (uint16_t)v->n);
	} else {
		if (v->n >= 128)
			buf_put_u8(b, 0x81);
		buf_put_u8(b, (uint8_t)v->n);
	}
	buf_put(b, v->p, v->n);
}

static struct view view_of(const struct buf *b)
{
	return (struct view){ b->p, b->n };
}

static void put_subtree(struct buf *b, uint8_t tag, const struct view *base)
{
	_cleanup_(buf_deinitp) struct buf name = { 0 };
	struct view v;

	put_tlv(&name, tag, base);
	v = view_of(&name);
	put_tlv(b, DER_SEQUENCE, &v);
}

/* One name under one constraint. */
static int judge(uint8_t tag, struct view base, bool excluded, struct view name)
{
	_cleanup_(buf_deinitp) struct buf subtrees = { 0 }, san = { 0 };
	struct cert leaf = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	struct cert anchor = leaf;
	const struct cert *path[] = { &leaf };

	put_subtree(&subtrees, tag, &base);
	put_tlv(&san, tag, &name);
	*(excluded ? &anchor.excluded : &anchor.permitted) = view_of(&subtrees);
	leaf.san = view_of(&san);
	return constraints_check(path, 1, &anchor);
}

#define A8 "aaaaaaaa"
#define A60 A8 A8 A8 A8 A8 A8 A8 "aaaa"
#define A63 A60 "aaa" /* a label, and with three more of them a name, at their longest */

enum { NO, YES, BAD }; /* the name is under the base; BAD: it cannot be told, so it is refused */

static const struct {
	uint8_t tag;
	struct view base, name;
	int under;
} form_rows[] = {
#define DNS(b, n, u)                                                                               \
	{                                                                                          \
		0x82, TEXT(b), TEXT(n), u                                                          \
	}
	DNS("example.com", "example.com", YES),
	DNS("example.com", "EXAMPLE.Com", YES),
	DNS("example.com", "a.b.example.com", YES),
	DNS("example.com", "badexample.com", NO),
	DNS("a.example.com", "example.com", NO),
	DNS("", "anything.org", YES),
	DNS("example.com", "*.example.com", YES),
	DNS("example.com", "*.org", NO),
	DNS(".example.com", "a.example.com", BAD),
	DNS("example.com", "", BAD),
	DNS("example.com", "a..example.com", BAD),
	DNS("example.com", "example.com.", BAD),
	DNS("example.com", "ex ample.com", BAD),
	DNS("example.com", "a.example.com\0", BAD),
	DNS("", A63 ".org", YES),
	DNS("", A63 "a.org", BAD),
	DNS("", A63 "." A63 "." A63 "." A60 "a", YES),
	DNS("", A63 "." A63 "." A63 "." A60 "aa", BAD),
	DNS("example.com", "*a.example.com", BAD),
#define MAIL(b, n, u)                                                                              \
	{                                                                                          \
		0x81, TEXT(b), TEXT(n), u                                                          \
	}
	MAIL("alice@example.com", "alice@example.com", YES),
	MAIL("alice@example.com", "alice@EXAMPLE.com", YES),
	MAIL("alice@example.com", "Alice@example.com", NO),
	MAIL("alice@example.com", "alice@a.example.com", NO),
	MAIL("example.com", "bob@example.com", YES),
	MAIL("example.com", "bob@a.example.com", NO),
	MAIL(".example.com", "bob@a.example.com", YES),
	MAIL(".example.com", "bob@example.com", NO),
	MAIL(".example.com", "bob@xexample.com", NO),
	MAIL("example.com", "example.com", BAD),
	MAIL("example.com", "a@b@example.com", BAD),
	MAIL("example.com", "@example.com", BAD),
	MAIL("example.com", "bob@", BAD),
	MAIL("a@b@c", "bob@c", BAD),
	MAIL("", "bob@example.com", BAD),
#define URI(b, n, u)                                                                               \
	{                                                                                          \
		0x86, TEXT(b), TEXT(n), u                                                          \
	}
	URI("example.com", "https://example.com/x", YES),
	URI("example.com", "https://me@Example.com:8443?q#f", YES),
	URI("example.com", "https://a.example.com/", NO),
	URI(".example.com", "https://a.example.com", YES),
	URI(".example.com", "https://example.com", NO),
	URI("example.com", "https://evil.org/@example.com", NO),
	URI("example.com", "https://example.com@evil.org/", NO),
	URI("example.com", "urn:example.com", BAD),
	URI("example.com", "https://192.0.2.1/", BAD),
	URI("example.com", "https://[2001:db8::1]/", BAD),
	URI("example.com", "://example.com", BAD),
#define IP(b, n, u)                                                                                \
	{                                                                                          \
		0x87, TEXT(b), TEXT(n), u                                                          \
	}
	IP("\xc0\x00\x02\x00\xff\xff\xff\x00", "\xc0\x00\x02\x07", YES),
	IP("\xc0\x00\x02\x00\xff\xff\xff\x00", "\xc0\x00\x03\x07", NO),
	IP("\xc0\x00\x02\x07\xff\xff\xff\x00", "\xc0\x00\x02\x09", YES),
	IP("\xc0\x00\x02\x00\xff\x00\xff\x00", "\xc0\x00\x02\x07", BAD),
	IP("\xc0\x00\x02\x00\xff\xff\xff\x00", "\xc0\x00\x02", BAD),
	IP("\xc0\x00\x02\x00\xff\xff\xff", "\xc0\x00\x02\x07", BAD),
	IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0"
	   "\0",
	   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", YES),
	IP("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0"
	   "\0",
	   "\xc0\x00\x02\x07", NO),
	/* forms that nobody reads here */
	{ 0xa0, TEXT("x"), TEXT("y"), BAD },
	{ 0x88, TEXT("\x2a\x03"), TEXT("\x2a\x03"), BAD },
};

static void forms(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(form_rows); i++) {
		int permitted =
			judge(form_rows[i].tag, form_rows[i].base, false, form_rows[i].name);
		int excluded = judge(form_rows[i].tag, form_rows[i].base, true, form_rows[i].name);

		if (permitted != (form_rows[i].under == YES ? 0 : -EPERM) ||
		    excluded != (form_rows[i].under == NO ? 0 : -EPERM))
			fail_msg("row %zu, '%.*s' under '%.*s': permitted %d, excluded %d", i,
				 (int)form_rows[i].name.n, (const char *)form_rows[i].name.p,
				 (int)form_rows[i].base.n, (const char *)form_rows[i].base.p,
				 permitted, excluded);
	}
}

/* "*.example.com" can be the excluded a.example.com, but is not all of it. */
static void wildcards_overlap(_unused_ void **state)
{
	assert_int_equal(judge(0x82, TEXT("a.example.com"), true, TEXT("*.example.com")), -EPERM);
	assert_int_equal(judge(0x82, TEXT("a.example.com"), false, TEXT("*.example.com")), -EPERM);
	assert_int_equal(judge(0x82, TEXT("a.example.com"), true, TEXT("*.b.example.com")), 0);
}

/* C=DE and below it O=<o>, as UTF8String or PrintableString */
#define DN_DE                                                                                      \
	"\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"                                             \
	"DE"
#define RDN_O(tag, o) "\x31\x0d\x30\x0b\x06\x03\x55\x04\x0a" tag "\x04" o
#define DN_2(rdns) TEXT("\x30\x1c" rdns)

static void directory_names(_unused_ void **state)
{
	const struct view de = TEXT("\x30\x0d" DN_DE), acme = DN_2(DN_DE RDN_O("\x0c", "Acme"));
	const struct view same = DN_2(DN_DE RDN_O("\x13", "aCmE")),
			  other = DN_2(DN_DE RDN_O("\x0c", "Ecma"));

	assert_int_equal(judge(0xa4, de, false, acme), 0);
	assert_int_equal(judge(0xa4, de, true, acme), -EPERM);
	assert_int_equal(judge(0xa4, acme, false, same), 0);
	assert_int_equal(judge(0xa4, acme, true, same), -EPERM);
	assert_int_equal(judge(0xa4, acme, false, other), -EPERM);
	assert_int_equal(judge(0xa4, acme, true, other), 0);
	assert_int_equal(judge(0xa4, acme, false, de), -EPERM);
	assert_int_equal(judge(0xa4, EMPTY_NAME, false, acme), 0);
	assert_int_equal(judge(0xa4, TEXT("\x31\x00"), true, acme), -EPERM);
	assert_int_equal(judge(0xa4, acme, true, TEXT("\x30\x03\x31\x01\x30")), -EPERM);
}

static void names_are_compared(_unused_ void **state)
{
	static const struct {
		struct view a, b;
		bool equal;
	} rows[] = {
#define O(tag, v) TEXT("\x30\x0f" RDN_O(tag, v))
		{ O("\x0c", "Acme"), O("\x0c", "Acme"), true },
		{ O("\x0c", "Acme"), O("\x13", "ACME"), true },
		{ O("\x0c", " A b"), O("\x0c", "A  B"), true },
		{ O("\x0c", "a b "), O("\x0c", "a  b"), true },
		{ O("\x0c", "a  b"), O("\x0c", "ab  "), false },
		{ O("\x0c", "    "), O("\x0c", "   a"), false },
		{ O("\x0c", "Acme"), O("\x14", "Acme"), false }, /* T61String: by octets and type */
		{ O("\x0c", "\xc3\x84"
			    "bc"),
		  O("\x0c", "\xc3\x84"
			    "BC"),
		  true },
		{ O("\x0c", "\xc3\x84"
			    "bc"),
		  O("\x0c", "\xc3\xa4"
			    "bc"),
		  false },
		{ EMPTY_NAME, EMPTY_NAME, true },
		{ EMPTY_NAME, O("\x0c", "Acme"), false },
		{ O("\x0c", "Acme"), DN_2(RDN_O("\x0c", "Acme") DN_DE), false },
		/* two attributes of one RDN, in either order */
		{ TEXT("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
		       "a\x30\x08\x06\x03\x55\x04\x0b\x0c\x01"
		       "b"),
		  TEXT("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x0b\x0c\x01"
		       "B\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
		       "A"),
		  true },
		{ TEXT("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
		       "a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
		       "a"),
		  TEXT("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
		       "a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01"
		       "b"),
		  false },
		{ TEXT("\x30\x02\x31\x00"), TEXT("\x30\x02\x31\x00"), true }, /* the same octets */
		{ TEXT("\x30\x02\x31\x00"), EMPTY_NAME, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (dn_equal(&rows[i].a, &rows[i].b) != rows[i].equal ||
		    dn_equal(&rows[i].b, &rows[i].a) != rows[i].equal)
			fail_msg("row %zu", i);
	}
	assert_true(dn_empty(&EMPTY_NAME));
	assert_false(dn_empty(&O("\x0c", "Acme")));
	assert_false(dn_empty(&TEXT("")));
}

/* --- which certificates, and what of them --- */

static void subjects_are_names(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf subtrees = { 0 };
	struct cert leaf = { .subject = DN_2(DN_DE RDN_O("\x0c", "Acme")), .issuer = EMPTY_NAME };
	struct cert anchor = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	const struct cert *path[] = { &leaf };

	put_subtree(&subtrees, 0xa4, &DN_2(DN_DE RDN_O("\x13", "ACME")));
	anchor.permitted = view_of(&subtrees);
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
	leaf.subject = DN_2(DN_DE RDN_O("\x0c", "Ecma"));
	assert_int_equal(constraints_check(path, 1, &anchor), -EPERM);
	leaf.subject = EMPTY_NAME; /* is none */
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
}

/* A constraint that nobody can read does not undo the one that permits. */
static void one_permitted_is_enough(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf subtrees = { 0 };
	struct cert leaf = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	struct cert anchor = leaf;
	const struct cert *path[] = { &leaf };

	put_subtree(&subtrees, 0x82, &TEXT("b.org"));
	put_subtree(&subtrees, 0x82, &TEXT("not a host"));
	leaf.san = TEXT("\x82\x05"
			"b.org");
	anchor.permitted = view_of(&subtrees);
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
	anchor.permitted = (struct view){ 0 };
	anchor.excluded = view_of(&subtrees);
	leaf.san = TEXT("\x82\x05"
			"c.org");
	assert_int_equal(constraints_check(path, 1, &anchor), -EPERM);
}

static void names_of_other_forms_pass(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf subtrees = { 0 };
	struct cert leaf = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	struct cert anchor = leaf;
	const struct cert *path[] = { &leaf };

	put_subtree(&subtrees, 0x82, &TEXT("example.com"));
	anchor.permitted = view_of(&subtrees);
	leaf.san = TEXT("\x81\x05"
			"a@b.c");
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
	leaf.san = TEXT("\x81\x05"
			"a@b.c\x82\x05"
			"b.org");
	assert_int_equal(constraints_check(path, 1, &anchor), -EPERM);
	leaf.san = TEXT("\x82\x07"
			"b.o"); /* cut off */
	assert_int_equal(constraints_check(path, 1, &anchor), -EPERM);
}

/* One of several permitted is enough; of several issuers each must agree. */
static void constraints_add_up(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf two = { 0 }, one = { 0 };
	struct cert leaf = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	struct cert sub = { .subject = TEXT("\x30\x0d" DN_DE), .issuer = EMPTY_NAME };
	struct cert anchor = leaf;
	const struct cert *path[] = { &leaf, &sub };

	put_subtree(&two, 0x82, &TEXT("example.org"));
	put_subtree(&two, 0x82, &TEXT("example.com"));
	put_subtree(&one, 0x82, &TEXT("example.org"));
	leaf.san = TEXT("\x82\x0b"
			"example.com");
	anchor.permitted = view_of(&two);
	assert_int_equal(constraints_check(path, 2, &anchor), 0);
	sub.permitted = view_of(&one);
	assert_int_equal(constraints_check(path, 2, &anchor), -EPERM);
	/* of a CA too, if it is not self-issued */
	leaf.san = TEXT("\x82\x0b"
			"example.org");
	assert_int_equal(constraints_check(path, 2, &anchor), 0);
	sub.san = TEXT("\x82\x05"
		       "b.org");
	assert_int_equal(constraints_check(path, 2, &anchor), -EPERM);
	sub.issuer = sub.subject;
	assert_int_equal(constraints_check(path, 2, &anchor), 0);
	/* and always of the leaf */
	leaf.san = TEXT("\x82\x05"
			"b.org");
	assert_int_equal(constraints_check(path, 2, &anchor), -EPERM);
}

#define EMAIL_DN "\x30\x1a\x31\x18\x30\x16\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x16\x09"

static void emails_in_subjects(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf subtrees = { 0 };
	struct cert leaf = { .subject = TEXT(EMAIL_DN "a@evil.xx"), .issuer = EMPTY_NAME };
	struct cert anchor = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	const struct cert *path[] = { &leaf };

	put_subtree(&subtrees, 0x81, &TEXT("good.xx"));
	anchor.permitted = view_of(&subtrees);
	assert_int_equal(constraints_check(path, 1, &anchor), -EPERM);
	leaf.subject = TEXT(EMAIL_DN "a@good.xx");
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
	/* a rfc822Name takes its place (RFC 5280 4.2.1.10) */
	leaf.subject = TEXT(EMAIL_DN "a@evil.xx");
	leaf.san = TEXT("\x81\x09"
			"a@good.xx");
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
}

/* A minimum or maximum is nobody's profile: it matches nothing good. */
static void distances_are_refused(_unused_ void **state)
{
	struct cert leaf = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	struct cert anchor = leaf;
	const struct cert *path[] = { &leaf };

	leaf.san = TEXT("\x82\x05"
			"b.org");
	anchor.permitted = TEXT("\x30\x0a\x82\x05"
				"b.org\x80\x01\x00");
	assert_int_equal(constraints_check(path, 1, &anchor), -EPERM);
	anchor.permitted = TEXT("\x30\x07\x82\x05"
				"b.org");
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
}

static void work_is_bounded(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf subtrees = { 0 }, san = { 0 };
	struct cert leaf = { .subject = EMPTY_NAME, .issuer = EMPTY_NAME };
	struct cert anchor = leaf;
	const struct cert *path[] = { &leaf };

	for (int i = 0; i < 256; i++)
		put_subtree(&subtrees, 0x82, &TEXT("b.org"));
	for (int i = 0; i < 256; i++)
		put_tlv(&san, 0x82, &TEXT("a.org"));
	anchor.excluded = view_of(&subtrees);
	leaf.san = view_of(&san);
	assert_int_equal(constraints_check(path, 1, &anchor), 0);
	put_tlv(&san, 0x82, &TEXT("a.org"));
	leaf.san = view_of(&san);
	assert_int_equal(constraints_check(path, 1, &anchor), -E2BIG);
}

static void syntax(_unused_ void **state)
{
	static const struct {
		struct view value;
		int r;
	} rows[] = {
		{ TEXT("\x30\x0b\xa0\x09\x30\x07\x82\x05"
		       "b.org"),
		  0 },
		{ TEXT("\x30\x0b\xa1\x09\x30\x07\x82\x05"
		       "b.org"),
		  0 },
		{ TEXT("\x30\x00"), -EBADMSG },
		{ TEXT("\x30\x02\xa0\x00"), -EBADMSG },
		{ TEXT("\x30\x04\xa0\x02\x30\x00"), -EBADMSG },
		{ TEXT("\x30\x0b\xa2\x09\x30\x07\x82\x05"
		       "b.org"),
		  -EBADMSG },
		{ TEXT("\x30\x0b\xa0\x09\x30\x07\x82\x05"
		       "b.org\x05"),
		  -EBADMSG },
		{ TEXT("\x31\x0b\xa0\x09\x30\x07\x82\x05"
		       "b.org"),
		  -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct view permitted = { 0 }, excluded = { 0 };

		assert_int_equal(constraints_read(rows[i].value, &permitted, &excluded), rows[i].r);
		assert_true(rows[i].r < 0 || permitted.n + excluded.n == 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(wildcards_overlap),
		cmocka_unit_test(directory_names),
		cmocka_unit_test(names_are_compared),
		cmocka_unit_test(subjects_are_names),
		cmocka_unit_test(one_permitted_is_enough),
		cmocka_unit_test(names_of_other_forms_pass),
		cmocka_unit_test(constraints_add_up),
		cmocka_unit_test(emails_in_subjects),
		cmocka_unit_test(distances_are_refused),
		cmocka_unit_test(work_is_bounded),
		cmocka_unit_test(syntax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
