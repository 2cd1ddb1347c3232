// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/pki/der.h"
#include "lib/pki/uris.h"

/* --- extensions, made by hand --- */

static void put(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	assert_true(n < 65536);
	buf_put_u8(b, tag);
	if (n < 128) {
		buf_put_u8(b, (uint8_t)n);
	} else if (n < 256) {
		buf_put_u8(b, 0x81);
		buf_put_u8(b, (uint8_t)n);
	} else {
		buf_put_u8(b, 0x82);
		buf_put_u16(b, (uint16_t)n);
	}
	buf_put(b, p, n);
}

/* What b holds becomes the contents of an element. */
static void wrap(struct buf *b, uint8_t tag)
{
	struct buf out = { 0 };

	put(&out, tag, b->p, b->n);
	buf_deinit(b);
	*b = out;
}

static void put_buf(struct buf *b, struct buf *from)
{
	buf_put(b, from->p, from->n);
	buf_deinit(from);
	*from = (struct buf){ 0 };
}

#define CRL_OID "\x55\x1d\x1f"
#define AIA_OID "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define OCSP_METHOD "\x2b\x06\x01\x05\x05\x07\x30\x01"
#define ISSUERS_METHOD "\x2b\x06\x01\x05\x05\x07\x30\x02"

/* The value of an extension -> the extension. */
static void extension(struct buf *value, const char *oid, bool critical)
{
	struct buf out = { 0 };

	put(&out, DER_OID, oid, strlen(oid));
	if (critical)
		put(&out, DER_BOOLEAN, "\xff", 1);
	put(&out, DER_OCTET_STRING, value->p, value->n);
	wrap(&out, DER_SEQUENCE);
	buf_deinit(value);
	*value = out;
}

enum { REASONS = 1, CRL_ISSUER = 2, DIRECTORY = 4, TRAILING = 8 };

static void put_point(struct buf *list, const char *const *uris, size_t n, unsigned flags)
{
	struct buf names = { 0 }, point = { 0 };

	if (flags & DIRECTORY)
		put(&names, DER_CONTEXT_CONS(4), "\x30\x00", 2);
	for (size_t i = 0; i < n; i++)
		put(&names, DER_CONTEXT(6), uris[i], strlen(uris[i]));
	wrap(&names, DER_CONTEXT_CONS(0));
	if (flags & TRAILING)
		put(&names, DER_NULL, NULL, 0);
	put(&point, DER_CONTEXT_CONS(0), names.p, names.n);
	buf_deinit(&names);
	if (flags & REASONS)
		put(&point, DER_CONTEXT(1), "\x01\x60", 2);
	if (flags & CRL_ISSUER)
		put(&point, DER_CONTEXT_CONS(2), "\xa4\x02\x30\x00", 4);
	wrap(&point, DER_SEQUENCE);
	put_buf(list, &point);
}

static void put_access(struct buf *list, const char *method, uint8_t tag, const char *uri)
{
	struct buf b = { 0 };

	put(&b, DER_OID, method, strlen(method));
	put(&b, tag, uri, strlen(uri));
	wrap(&b, DER_SEQUENCE);
	put_buf(list, &b);
}

/* Reads them; "a b c".  Takes b. */
static void expect(struct buf *b, enum cert_uris which, int result, const char *wanted)
{
	const struct cert c = { .extensions = { b->p, b->n } };
	struct view uris[CERT_URIS_MAX];
	struct buf text = { 0 };
	size_t n = 0;

	assert_int_equal(cert_uris(&c, which, uris, &n), result);
	for (size_t i = 0; result == 0 && i < n; i++) {
		buf_put_text(&text, i ? " " : "");
		buf_put(&text, uris[i].p, uris[i].n);
	}
	buf_put_u8(&text, 0);
	if (result == 0)
		assert_string_equal((const char *)text.p, wanted);
	buf_deinit(&text);
	buf_deinit(b);
	*b = (struct buf){ 0 };
}

static void points_expect(struct buf *list, int result, const char *wanted)
{
	wrap(list, DER_SEQUENCE);
	extension(list, CRL_OID, false);
	expect(list, CERT_URIS_CRL, result, wanted);
}

static const char *const one[] = { "http://a/1" }, *const two[] = { "http://b/2", "ldap://c" };

/* --- tests --- */

static void no_extension(_unused_ void **state)
{
	struct buf b = { 0 };

	expect(&b, CERT_URIS_CRL, 0, "");
	put(&b, DER_NULL, NULL, 0);
	extension(&b, "\x55\x1d\x0f", true);
	expect(&b, CERT_URIS_CRL, 0, "");
}

static void crl_points(_unused_ void **state)
{
	struct buf b = { 0 };

	put_point(&b, one, 1, 0);
	put_point(&b, two, 2, DIRECTORY);
	points_expect(&b, 0, "http://a/1 http://b/2 ldap://c");
	/* critical, or not the first extension */
	put_point(&b, one, 1, 0);
	wrap(&b, DER_SEQUENCE);
	extension(&b, CRL_OID, true);
	expect(&b, CERT_URIS_CRL, 0, "http://a/1");
}

static void points_of_others(_unused_ void **state)
{
	struct buf b = { 0 };

	put_point(&b, one, 1, REASONS);
	put_point(&b, one, 1, CRL_ISSUER);
	put_point(&b, two, 1, 0);
	points_expect(&b, 0, "http://b/2");
	/* nameRelativeToCRLIssuer; nothing but cRLIssuer */
	put(&b, DER_SEQUENCE, "\xa0\x02\xa1\x00", 4);
	put(&b, DER_SEQUENCE, "\xa2\x04\xa4\x02\x30\x00", 6);
	points_expect(&b, 0, "");
}

static void ocsp_responders(_unused_ void **state)
{
	struct buf b = { 0 };

	put_access(&b, ISSUERS_METHOD, DER_CONTEXT(6), "http://ca/x.cer");
	put_access(&b, OCSP_METHOD, DER_CONTEXT(6), "http://o/1");
	put_access(&b, OCSP_METHOD, DER_CONTEXT(2), "dns");
	put_access(&b, OCSP_METHOD, DER_CONTEXT(6), "http://o/2");
	wrap(&b, DER_SEQUENCE);
	extension(&b, AIA_OID, false);
	expect(&b, CERT_URIS_OCSP, 0, "http://o/1 http://o/2");
}

static void many_are_cut(_unused_ void **state)
{
	struct buf b = { 0 };

	for (int i = 0; i < CERT_URIS_MAX + 3; i++)
		put_point(&b, one, 1, 0);
	points_expect(&b, 0,
		      "http://a/1 http://a/1 http://a/1 http://a/1 http://a/1 http://a/1 "
		      "http://a/1 http://a/1");
}

static void malformed(_unused_ void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} values[] = {
		{ "", 0 },
		{ "\x31\x00", 2 },				    /* not a SEQUENCE */
		{ "\x30\x00\x05\x00", 4 },			    /* bytes after it */
		{ "\x30\x02\x31\x00", 4 },			    /* a point that is none */
		{ "\x30\x04\x30\x02\x05\x00", 6 },		    /* bytes in a point */
		{ "\x30\x05\x30\x03\xa0\x01\x00", 7 },		    /* a name that is none */
		{ "\x30\x08\x30\x06\xa0\x04\xa0\x02\x86\x05", 10 }, /* longer than it is */
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		buf_put(&b, values[i].p, values[i].n);
		extension(&b, CRL_OID, false);
		expect(&b, CERT_URIS_CRL, -EBADMSG, NULL);
	}
	put_point(&b, one, 1, TRAILING);
	points_expect(&b, -EBADMSG, NULL);
	put_access(&b, OCSP_METHOD, DER_CONTEXT(6), "http://o/1");
	buf_put(&b, "\x30\x00", 2);
	wrap(&b, DER_SEQUENCE);
	extension(&b, AIA_OID, false);
	expect(&b, CERT_URIS_OCSP, -EBADMSG, NULL);
	put(&b, DER_NULL, NULL, 0); /* no extension at all */
	expect(&b, CERT_URIS_CRL, -EBADMSG, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_extension),	    cmocka_unit_test(crl_points),
		cmocka_unit_test(points_of_others), cmocka_unit_test(ocsp_responders),
		cmocka_unit_test(many_are_cut),	    cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
