// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/pki/commitment.h"
#include "lib/pki/der.h"
#include "tests/harness/pki-make.h"

/* DER, certificates and names, as GnuTLS writes them and as it does not. */

#define V(s) (&(struct view){ (const uint8_t *)(s), sizeof(s) - 1 })

/* --- DER --- */

static int next(const struct view *v, struct view *ret)
{
	struct view in = *v;
	uint8_t tag;
	int r = der_next(&in, &tag, ret, NULL);

	if (r < 0)
		assert_ptr_equal(in.p, v->p); /* left as it was */
	return r;
}

static void lengths_are_definite_and_minimal(_unused_ void **state)
{
	static uint8_t big[5 + 65536] = { 0x04, 0x83, 0x01, 0x00, 0x00 };
	static uint8_t mid[3 + 128] = { 0x04, 0x81, 0x80 };
	struct view v;

	assert_int_equal(next(V("\x04\x00"), &v), 0);
	assert_int_equal(v.n, 0);
	assert_int_equal(next(&(struct view){ mid, sizeof(mid) }, &v), 0);
	assert_int_equal(v.n, 128);
	assert_int_equal(next(&(struct view){ big, sizeof(big) }, &v), 0);
	assert_int_equal(v.n, 65536);
	assert_int_equal(next(&(struct view){ big, sizeof(big) - 1 }, &v), -EBADMSG);
	assert_int_equal(next(V(""), &v), -EBADMSG);
	assert_int_equal(next(V("\x04"), &v), -EBADMSG);
	assert_int_equal(next(V("\x04\x01"), &v), -EBADMSG);
	assert_int_equal(next(V("\x04\x80\x00\x00"), &v), -EBADMSG);  /* indefinite: BER */
	assert_int_equal(next(V("\x04\x81\x01x"), &v), -EBADMSG);     /* one octet would do */
	assert_int_equal(next(V("\x04\x82\x00\x01x"), &v), -EBADMSG); /* leading zero */
	assert_int_equal(next(V("\x04\x84\x00\x00\x00\x01x"), &v), -EBADMSG);
	assert_int_equal(next(V("\x1f\x01\x00"), &v), -EBADMSG); /* long tag */
}

static void booleans_and_integers(_unused_ void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		int64_t value; /* < 0: refused */
	} ints[] = {
		{ "\x02\x01\x00", 3, 0 },
		{ "\x02\x01\x7f", 3, 127 },
		{ "\x02\x02\x00\x80", 4, 128 },
		{ "\x02\x04\x7f\xff\xff\xff", 6, 0x7fffffff },
		{ "\x02\x00", 2, -1 },
		{ "\x02\x01\x80", 3, -1 },     /* negative */
		{ "\x02\x02\x00\x7f", 4, -1 }, /* not minimal */
		{ "\x02\x05\x00\x80\x00\x00\x00", 7, -1 },
		{ "\x04\x01\x00", 3, -1 },
	};
	struct view in = *V("\x01\x01\x01");
	uint32_t u;
	bool b;

	for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
		in = (struct view){ (const uint8_t *)ints[i].octets, ints[i].n };
		assert_int_equal(der_small_uint(&in, &u), ints[i].value < 0 ? -EBADMSG : 0);
		if (ints[i].value >= 0)
			assert_int_equal(u, ints[i].value);
	}
	in = *V("\x01\x01\x01"); /* BER's true */
	assert_int_equal(der_bool(&in, &b), -EBADMSG);
	in = *V("\x01\x01\xff");
	assert_int_equal(der_bool(&in, &b), 0);
	assert_true(b);
	in = *V("\x01\x02\xff\xff");
	assert_int_equal(der_bool(&in, &b), -EBADMSG);
}

static void bit_strings(_unused_ void **state)
{
	struct view in, v;
	unsigned unused;

	in = *V("\x03\x02\x05\xa0");
	assert_int_equal(der_bits(&in, &v, &unused), 0);
	assert_int_equal(unused, 5);
	in = *V("\x03\x02\x05\xa1"); /* unused bits are zero */
	assert_int_equal(der_bits(&in, &v, &unused), -EBADMSG);
	in = *V("\x03\x02\x08\x00");
	assert_int_equal(der_bits(&in, &v, &unused), -EBADMSG);
	in = *V("\x03\x01\x01");
	assert_int_equal(der_bits(&in, &v, &unused), -EBADMSG);
	in = *V("\x03\x00");
	assert_int_equal(der_bits(&in, &v, &unused), -EBADMSG);
}

static void times(_unused_ void **state)
{
	static const struct {
		const char *text;
		uint8_t tag;
		int64_t seconds; /* -1: refused */
	} rows[] = {
		{ "700101000000Z", DER_UTCTIME, 0 },
		{ "491231235959Z", DER_UTCTIME, 2524607999 },
		{ "19700101000000Z", DER_GENTIME, 0 },
		{ "20270115080000Z", DER_GENTIME, 1800000000 },
		{ "20240229000000Z", DER_GENTIME, 1709164800 },
		{ "20000229000000Z", DER_GENTIME, 951782400 },
		{ "99991231235959Z", DER_GENTIME, 253402300799 },
		{ "20230229000000Z", DER_GENTIME, -1 },
		{ "21000229000000Z", DER_GENTIME, -1 },
		{ "20230431000000Z", DER_GENTIME, -1 },
		{ "20231301000000Z", DER_GENTIME, -1 },
		{ "20230001000000Z", DER_GENTIME, -1 },
		{ "20230100000000Z", DER_GENTIME, -1 },
		{ "20230101240000Z", DER_GENTIME, -1 },
		{ "20230101006000Z", DER_GENTIME, -1 },
		{ "20230101000060Z", DER_GENTIME, -1 },
		{ "20230101000000", DER_GENTIME, -1 },
		{ "20230101000000.5Z", DER_GENTIME, -1 },
		{ "2023010100000+Z", DER_GENTIME, -1 },
		{ "20230101000000+0100", DER_GENTIME, -1 },
		{ "2301010000Z", DER_UTCTIME, -1 },
		{ "20230101000000Z", DER_UTCTIME, -1 },
		{ "230101000000Z", DER_OCTET_STRING, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t der[32] = { rows[i].tag, (uint8_t)strlen(rows[i].text) };
		struct view in = { der, 2u + der[1] };
		int64_t usec;
		int r;

		memcpy(der + 2, rows[i].text, der[1]);
		r = der_time(&in, &usec);
		if (r != (rows[i].seconds < 0 ? -EBADMSG : 0))
			fail_msg("%s: %d", rows[i].text, r);
		if (r == 0)
			assert_int_equal(usec, rows[i].seconds * PKI_SEC);
	}
}

/* --- certificates --- */

static int setup(void **state)
{
	struct pki *p = calloc(1, sizeof(*p));

	pki_make_person("alice", KEY_P256, NULL, p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	pki_deinit(*state);
	free(*state);
	return 0;
}

static int parse(const uint8_t *der, size_t n)
{
	_cleanup_(cert_freep) struct cert *c = NULL;

	return cert_parse(der, n, &c);
}

static void what_gnutls_says(void **state)
{
	const struct pki *p = *state;
	const struct cert *c = p->cert;
	uint8_t id[32];
	size_t n = sizeof(id);

	assert_int_equal(c->version, 3);
	assert_int_equal(c->key, KEY_P256);
	assert_int_equal(c->key_bits, 256);
	assert_int_equal(c->not_before,
			 (int64_t)gnutls_x509_crt_get_activation_time(p->crt) * PKI_SEC);
	assert_int_equal(c->not_after,
			 (int64_t)gnutls_x509_crt_get_expiration_time(p->crt) * PKI_SEC);
	assert_int_equal(gnutls_x509_crt_get_fingerprint(p->crt, GNUTLS_DIG_SHA256, id, &n), 0);
	assert_memory_equal(c->sha256, id, SHA256_BYTES);
	n = sizeof(id);
	assert_int_equal(gnutls_x509_crt_get_key_id(p->crt, GNUTLS_KEYID_USE_SHA256, id, &n), 0);
	assert_memory_equal(c->spki_sha256, id, SHA256_BYTES);
	n = sizeof(id);
	assert_int_equal(gnutls_x509_crt_get_serial(p->crt, id, &n), 0);
	assert_true(view_is(&c->serial, id, n));
	n = sizeof(id);
	assert_int_equal(gnutls_x509_crt_get_subject_key_id(p->crt, id, &n, NULL), 0);
	assert_true(view_is(&c->ski, id, n));
	assert_true(c->has_basic_constraints);
	assert_false(c->is_ca);
	assert_int_equal(c->path_len, -1);
	assert_true(c->has_key_usage);
	assert_int_equal(c->key_usage, KU_DIGITAL_SIGNATURE);
	assert_true(c->has_eku);
	assert_int_equal(c->eku, EKU_CLIENT_AUTH);
	assert_false(c->unknown_critical);
}

static void every_key_is_read(_unused_ void **state)
{
	static const struct {
		enum key_type type;
		unsigned bits;
	} keys[] = { { KEY_P256, 256 },
		     { KEY_P384, 384 },
		     { KEY_P521, 521 },
		     { KEY_ED25519, 255 },
		     { KEY_RSA, 2048 } };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_(pki_deinit) struct pki p = { 0 };

		pki_make_person("x", keys[i].type, NULL, &p);
		assert_int_equal(p.cert->key, keys[i].type);
		assert_int_equal(p.cert->key_bits, keys[i].bits);
		assert_int_equal(p.cert->rsa_e_bits, keys[i].type == KEY_RSA ? 17 : 0);
	}
}

static void usages_are_read(_unused_ void **state)
{
	_cleanup_(pki_deinit) struct pki ca = { 0 }, other = { 0 };

	pki_make(&(struct pki_spec){ .cn = "CA",
				     .ca = true,
				     .has_path_len = true,
				     .path_len = 3,
				     .flags = PKI_NAME_CONSTRAINTS },
		 NULL, &ca);
	assert_true(ca.cert->is_ca);
	assert_int_equal(ca.cert->path_len, 3);
	assert_int_equal(ca.cert->key_usage, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_false(ca.cert->has_eku);
	assert_true(ca.cert->permitted.n > 0 || ca.cert->excluded.n > 0);
	pki_make(&(struct pki_spec){ .cn = "x",
				     .eku = PKI_ANY_EKU,
				     .eku2 = "1.2.3.4",
				     .flags = PKI_UNKNOWN_CRITICAL },
		 &ca, &other);
	assert_int_equal(other.cert->eku, EKU_ANY | EKU_OTHER);
	assert_true(other.cert->unknown_critical);
	assert_true(view_is(&other.cert->aki, ca.cert->ski.p, ca.cert->ski.n));
	assert_true(view_is(&other.cert->issuer, ca.cert->subject.p, ca.cert->subject.n));
}

static void every_other_length_is_refused(void **state)
{
	const struct pki *p = *state;
	size_t n = p->cert->der.n;
	_cleanup_(freep) uint8_t *der = calloc(1, n + 1);

	memcpy(der, p->cert->der.p, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(parse(der, i), -EBADMSG);
	assert_int_equal(parse(der, n), 0);
	assert_int_equal(parse(der, n + 1), -EBADMSG);
}

/* Nothing is read past the end, whatever an octet says; the sanitizers look on. */
static void any_octet_may_be_anything(void **state)
{
	const struct pki *p = *state;
	size_t n = p->cert->der.n;

	for (size_t i = 0; i < n; i++) {
		static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };

		for (size_t m = 0; m < sizeof(masks); m++) {
			_cleanup_(cert_freep) struct cert *c = NULL;
			_cleanup_(freep) uint8_t *der = malloc(n);
			char text[64];

			memcpy(der, p->cert->der.p, n);
			der[i] ^= masks[m];
			if (cert_parse(der, n, &c) < 0)
				continue;
			assert_memory_not_equal(c->sha256, p->cert->sha256, SHA256_BYTES);
			name_text(&c->subject, text, sizeof(text));
			serial_text(&c->serial, text, sizeof(text));
		}
	}
}

static void size_is_limited(_unused_ void **state)
{
	_cleanup_(freep) uint8_t *der = calloc(1, LIMIT_CERT_BYTES + 1);

	assert_int_equal(parse(der, LIMIT_CERT_BYTES + 1), -EBADMSG);
	assert_int_equal(parse(der, 0), -EBADMSG);
}

/* RFC 5280 4.2: "A certificate MUST NOT include more than one instance of a particular extension".
 */
static void extension_twice_is_refused(void **state)
{
	const struct pki *p = *state;
	_cleanup_(freep) uint8_t *der = malloc(p->cert->der.n);
	size_t n = p->cert->der.n;
	uint8_t *usage, *eku;

	memcpy(der, p->cert->der.p, n);
	usage = memmem(der, n, "\x06\x03\x55\x1d\x0f", 5);
	eku = memmem(der, n, "\x06\x03\x55\x1d\x25", 5);
	assert_non_null(usage);
	assert_non_null(eku);
	usage[4] = 0x12; /* issuerAltName: whatever stands in it is not looked at */
	assert_int_equal(parse(der, n), 0);
	eku[4] = 0x12;
	assert_int_equal(parse(der, n), -EBADMSG);
	usage[4] = 0x0f;
	assert_int_equal(parse(der, n), 0);
}

static void version_1_has_no_extensions(void **state)
{
	const struct pki *p = *state;
	_cleanup_(freep) uint8_t *der = malloc(p->cert->der.n);
	_cleanup_(pki_deinit) struct pki v1 = { 0 };
	uint8_t *at;

	memcpy(der, p->cert->der.p, p->cert->der.n);
	at = memmem(der, 32, "\xa0\x03\x02\x01\x02", 5);
	assert_non_null(at);
	at[4] = 1;
	assert_int_equal(parse(der, p->cert->der.n), -EBADMSG);
	at[4] = 3;
	assert_int_equal(parse(der, p->cert->der.n), -EBADMSG);
	pki_make(&(struct pki_spec){ .cn = "v1", .flags = PKI_VERSION_1 }, NULL, &v1);
	assert_int_equal(v1.cert->version, 1);
	assert_false(v1.cert->has_basic_constraints);
}

/* --- files --- */

static void pem_and_der(void **state)
{
	const struct pki *p = *state;
	struct cert *all[3] = { 0 };
	struct cert *c = NULL;
	gnutls_datum_t key, pem;
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	size_t n = 0;

	pki_pem(p, &key, &pem);
	assert_int_equal(cert_load(p->cert->der.p, p->cert->der.n, &c), 0);
	c = cert_free(c);
	buf_put_text(&text, "Certificate of alice:\n");
	buf_put(&text, pem.data, pem.size);
	assert_int_equal(cert_load(text.p, text.n, &c), 0);
	assert_memory_equal(c->sha256, p->cert->sha256, SHA256_BYTES);
	c = cert_free(c);
	assert_int_equal(cert_load(key.data, key.size, &c), -EBADMSG); /* a key is none */
	buf_put(&text, pem.data, pem.size);
	assert_int_equal(cert_load_all(text.p, text.n, all, 3, &n), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		all[i] = cert_free(all[i]);
	assert_int_equal(cert_load_all(text.p, text.n, all, 1, &n), -E2BIG);
	assert_null(all[0]);
	/* one that is cut makes all of them worth nothing */
	assert_int_equal(cert_load_all(text.p, text.n - 40, all, 3, &n), -EBADMSG);
	assert_null(all[0]);
	assert_int_equal(cert_load_all((const uint8_t *)"", 0, all, 3, &n), -EBADMSG);
	gnutls_free(key.data);
	gnutls_free(pem.data);
}

static void loads(const struct pki *p, const struct buf *text, int expected)
{
	struct cert *all[2] = { 0 }, *c = NULL;
	size_t n = 99;

	assert_int_equal(cert_load(text->p, text->n, &c), expected);
	assert_int_equal(cert_load_all(text->p, text->n, all, 2, &n), expected);
	if (expected < 0) {
		assert_null(c);
		assert_null(all[0]);
		assert_int_equal(n, 99);
		return;
	}
	assert_int_equal(n, 1);
	assert_memory_equal(c->sha256, p->cert->sha256, SHA256_BYTES);
	assert_memory_equal(all[0]->sha256, p->cert->sha256, SHA256_BYTES);
	cert_free(c);
	cert_free(all[0]);
}

/* Editors and mail change the white space, and that alone. */
static void white_space_in_pem(void **state)
{
	static const char *const spaces[] = { "", "\n", "\r\n", " ", "\t", "\n \t\r" };
	const struct pki *p = *state;
	_cleanup_(freep) char *base64 = base64_encode_new(p->cert->der.p, p->cert->der.n);

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++) {
		_cleanup_(buf_deinitp) struct buf text = { 0 };

		buf_put_text(&text, "-----BEGIN CERTIFICATE-----");
		for (const char *c = base64; *c; c++) {
			buf_put(&text, c, 1);
			if ((c - base64) % 60 == 9)
				buf_put_text(&text, spaces[i]);
		}
		buf_put_text(&text, "-----END CERTIFICATE-----");
		loads(p, &text, 0);
		text.p[100] = '!';
		loads(p, &text, -EBADMSG);
	}
}

static void der_files(void **state)
{
	const struct pki *p = *state;
	_cleanup_(buf_deinitp) struct buf der = { 0 };
	struct cert *all[1] = { 0 };
	size_t n = 99;

	buf_put(&der, p->cert->der.p, p->cert->der.n);
	loads(p, &der, 0);
	assert_int_equal(cert_load_all(der.p, der.n, all, 0, &n), -E2BIG);
	assert_null(all[0]);
	assert_int_equal(n, 99);
	der.n--;
	loads(p, &der, -EBADMSG);
	der.n = 0; /* not even the octet that tells */
	loads(p, &der, -EBADMSG);
	der.n = p->cert->der.n;
	buf_put_text(&der, "-----BEGIN CERTIFICATE-----AAAA-----END CERTIFICATE-----");
	loads(p, &der, -EBADMSG);
}

/* --- names --- */

static void expect_name(const struct view *name, const char *expected)
{
	char text[128];

	name_text(name, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void names_are_text(_unused_ void **state)
{
	expect_name(V("\x30\x00"), "");
	expect_name(V(""), "");
	expect_name(V("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"), "CN=x");
	/* the last first */
	expect_name(V("\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01o"
		      "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"),
		    "CN=x,O=o");
	/* two in one */
	expect_name(V("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"
		      "\x30\x08\x06\x03\x55\x04\x05\x0c\x01\x39"),
		    "CN=x+serialNumber=9");
	/* what would end a value does not */
	expect_name(V("\x30\x11\x31\x0f\x30\x0d\x06\x03\x55\x04\x03\x0c\x06x,CN=y"), "CN=x\\,CN=y");
	expect_name(V("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02 x"), "CN=\\ x");
	expect_name(V("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02#x"), "CN=\\#x");
	/* an unknown type, and a value that is no text */
	expect_name(V("\x30\x0b\x31\x09\x30\x07\x06\x02\x2a\x03\x04\x01\xff"), "1.2.3=#ff");
	/* no escape sequence reaches a terminal */
	{
		char text[64];

		name_text(V("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04\x1b[2J"), text,
			  sizeof(text));
		assert_null(strchr(text, 0x1b));
		name_text(V("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"), text, 4);
		assert_true(strlen(text) < 4);
	}
}

static void serials_are_text(_unused_ void **state)
{
	char text[7];

	serial_text(V("\x0a\x1b"), text, sizeof(text));
	assert_string_equal(text, "0a1b");
	serial_text(V("\x01\x02\x03\x04"), text, sizeof(text)); /* cut to the room */
	assert_string_equal(text, "010203");
}

static bool host_is(const char *pattern, const char *host)
{
	uint8_t san[64] = { DER_CONTEXT(2), (uint8_t)strlen(pattern) };
	struct cert c = { .san = { san, 2 + strlen(pattern) } };

	memcpy(san + 2, pattern, strlen(pattern));
	return cert_matches_host(&c, host);
}

static void hosts(_unused_ void **state)
{
	const struct cert none = { 0 };

	assert_true(host_is("db1.example.org", "db1.example.org"));
	assert_true(host_is("DB1.example.ORG", "db1.Example.org"));
	assert_true(host_is("*.example.org", "db1.example.org"));
	assert_false(host_is("db1.example.org", "db1.example.or"));
	assert_false(host_is("db1.example.or", "db1.example.org"));
	assert_false(host_is("*.example.org", "example.org"));
	assert_false(host_is("*.example.org", ".example.org"));
	assert_false(host_is("*.example.org", "a.b.example.org"));
	assert_false(host_is("*.org", "example.org"));
	assert_false(host_is("*", "db1"));
	assert_false(host_is("d*.example.org", "db1.example.org"));
	assert_false(host_is("*.*.org", "a.b.org"));
	assert_false(host_is("", ""));
	assert_false(cert_matches_host(&none, "db1"));
	/* an address or an e-mail of the same octets is no dNSName */
	assert_false(cert_matches_host(&(const struct cert){ .san = { (const uint8_t *)"\x81\x03"
										       "db1",
								      5 } },
				       "db1"));
	assert_false(cert_matches_host(&(const struct cert){ .san = { (const uint8_t *)"\x82\x04"
										       "db1\0",
								      6 } },
				       "db1"));
}

/* --- commitments --- */

static void commitment_is_what_the_page_says(_unused_ void **state)
{
	/* computed apart from this code: sha256 and base64url of the octets in commitment.h */
	static const uint8_t ticket[TICKET_BYTES] = "0123456789abcdef";
	static const uint8_t id[LOGIN_ID_BYTES] = "ABCDEFGH";
	static const uint8_t expected[SHA256_BYTES] = { 0xd5, 0x09, 0x18, 0x01, 0xc9, 0x76, 0xf4,
							0x83, 0x8d, 0x63, 0x8d, 0x39, 0x35, 0x5e,
							0x15, 0x4c, 0xa4, 0xae, 0xb0, 0xca, 0x6c,
							0x85, 0x89, 0xd2, 0xe1, 0x03, 0x78, 0xf5,
							0xb7, 0x96, 0x6c, 0xdd };
	struct commitment c = { .login_id = id, .account = "alice", .service = "sudo" };
	char name[COMMITMENT_NAME_SIZE], loose[COMMITMENT_NAME_SIZE];

	commitment_ticket_hash(ticket, c.ticket_hash);
	assert_memory_equal(c.ticket_hash, expected, SHA256_BYTES);
	assert_int_equal(commitment_name(&c, name), 0);
	assert_string_equal(name, "cl1-V9A0mnjBVyPDgvcJ5xNBHq3CK76");
	c.login_id = NULL;
	assert_int_equal(commitment_name(&c, loose), 0);
	assert_string_equal(loose, "cl1-46qS_E1QfgM_0wpgkAwUmlf6s8w");
}

static void every_field_is_in_the_commitment(_unused_ void **state)
{
	static const uint8_t id[LOGIN_ID_BYTES] = "ABCDEFGH", other_id[LOGIN_ID_BYTES] = "ABCDEFGI";
	const struct commitment rows[] = {
		{ { 1 }, id, "alice", "sudo" },	      { { 2 }, id, "alice", "sudo" },
		{ { 1 }, other_id, "alice", "sudo" }, { { 1 }, NULL, "alice", "sudo" },
		{ { 1 }, id, "alices", "udo" },	      { { 1 }, id, "alic", "esudo" },
		{ { 1 }, id, "Alice", "sudo" },	      { { 1 }, id, "alice", "su" },
	};
	char names[ARRAY_SIZE(rows)][COMMITMENT_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(commitment_name(&rows[i], names[i]), 0);
		assert_int_equal(strlen(names[i]), COMMITMENT_NAME_SIZE - 1);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(names[i], names[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_definite_and_minimal),
		cmocka_unit_test(booleans_and_integers),
		cmocka_unit_test(bit_strings),
		cmocka_unit_test(times),
		cmocka_unit_test(what_gnutls_says),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(usages_are_read),
		cmocka_unit_test(every_other_length_is_refused),
		cmocka_unit_test(any_octet_may_be_anything),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(extension_twice_is_refused),
		cmocka_unit_test(version_1_has_no_extensions),
		cmocka_unit_test(pem_and_der),
		cmocka_unit_test(white_space_in_pem),
		cmocka_unit_test(der_files),
		cmocka_unit_test(names_are_text),
		cmocka_unit_test(serials_are_text),
		cmocka_unit_test(hosts),
		cmocka_unit_test(commitment_is_what_the_page_says),
		cmocka_unit_test(every_field_is_in_the_commitment),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
