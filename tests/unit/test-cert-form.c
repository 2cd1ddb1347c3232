// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates that no library writes: put together here out of DER, one part of them at a time
 * other than it should be.  Nothing is signed; reading is not believing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/pki/cert.h"
#include "lib/pki/der.h"

struct part {
	const char *p;
	size_t n;
};
#define P(s)                                                                                       \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}
#define PART(s) ((struct part)P(s))

/* Each part is all the elements of its place; EXTENSIONS stand in [3] SEQUENCE, or not at all. */
enum {
	BEFORE_TBS,
	TBS_VERSION,
	SERIAL,
	TBS_ALGORITHM,
	ISSUER,
	VALIDITY,
	SUBJECT,
	SPKI,
	UNIQUE_IDS,
	EXTENSIONS,
	AFTER_EXTENSIONS,
	ALGORITHM,
	SIGNATURE,
	AFTER_ALL,
	N_PARTS,
};

#define NAME "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x"
#define TIME                                                                                       \
	"\x17\x0d"                                                                                 \
	"700101000000Z"
#define ED25519 "\x30\x05\x06\x03\x2b\x65\x70"
#define X8 "xxxxxxxx"
#define KEY_USAGE "\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80"

static const struct part usual[N_PARTS] = {
	[TBS_VERSION] = P("\xa0\x03\x02\x01\x02"),
	[SERIAL] = P("\x02\x01\x05"),
	[TBS_ALGORITHM] = P(ED25519),
	[ISSUER] = P(NAME),
	[VALIDITY] = P("\x30\x1e" TIME TIME),
	[SUBJECT] = P(NAME),
	[SPKI] = P("\x30\x2a" ED25519 "\x03\x21\x00" X8 X8 X8 X8),
	[EXTENSIONS] = P(KEY_USAGE),
	[ALGORITHM] = P(ED25519),
	[SIGNATURE] = P("\x03\x02\x00s"),
};

static void put_element(struct buf *b, uint8_t tag, const struct buf *content)
{
	buf_put_u8(b, tag);
	if (content->n >= 0x80)
		buf_put_u8(b, content->n < 0x100 ? 0x81 : 0x82);
	if (content->n < 0x100)
		buf_put_u8(b, (uint8_t)content->n);
	else
		buf_put_u16(b, (uint16_t)content->n);
	buf_put(b, content->p, content->n);
}

static void put_wrapped(struct buf *b, uint8_t outer, uint8_t inner, const struct part *p)
{
	_cleanup_(buf_deinitp) struct buf list = { 0 }, whole = { 0 };

	buf_put(&list, p->p, p->n);
	put_element(&whole, inner, &list);
	put_element(b, outer, &whole);
}

static int parse(const struct part parts[N_PARTS], struct cert **ret)
{
	_cleanup_(buf_deinitp) struct buf tbs = { 0 }, body = { 0 }, der = { 0 };

	for (unsigned i = TBS_VERSION; i <= AFTER_EXTENSIONS; i++)
		if (i != EXTENSIONS)
			buf_put(&tbs, parts[i].p, parts[i].n);
		else if (parts[i].p)
			put_wrapped(&tbs, DER_CONTEXT_CONS(3), DER_SEQUENCE, &parts[i]);
	buf_put(&body, parts[BEFORE_TBS].p, parts[BEFORE_TBS].n);
	put_element(&body, DER_SEQUENCE, &tbs);
	for (unsigned i = ALGORITHM; i <= AFTER_ALL; i++)
		buf_put(&body, parts[i].p, parts[i].n);
	put_element(&der, DER_SEQUENCE, &body);
	assert_int_equal(der.error, 0);
	return cert_parse(der.p, der.n, ret);
}

/* The usual certificate with this part instead. */
static int parse_with(unsigned which, struct part part, struct cert **ret)
{
	struct part parts[N_PARTS];

	memcpy(parts, usual, sizeof(parts));
	parts[which] = part;
	return parse(parts, ret);
}

static struct cert *read_with(unsigned which, struct part part)
{
	struct cert *c = NULL;

	assert_int_equal(parse_with(which, part, &c), 0);
	assert_non_null(c);
	return c;
}

static void refuse(unsigned which, struct part part)
{
	struct cert *c = NULL;
	int r = parse_with(which, part, &c);

	if (r != -EBADMSG)
		print_message("# taken: part %u, %zu octets\n", which, part.n);
	assert_int_equal(r, -EBADMSG);
	assert_null(c);
}
#define REFUSE(which, s) refuse(which, PART(s))

static void usual_one_is_read(void **state)
{
	_cleanup_(cert_freep) struct cert *c = read_with(SERIAL, usual[SERIAL]);

	(void)state;
	assert_int_equal(c->version, 3);
	assert_int_equal(c->key, KEY_ED25519);
	assert_int_equal(c->key_usage, KU_DIGITAL_SIGNATURE);
	assert_true(view_is(&c->serial, "\x05", 1));
	assert_true(view_is(&c->signature, "s", 1));
}

/* --- the frame --- */

static void parts_of_the_certificate(void **state)
{
	(void)state;
	REFUSE(BEFORE_TBS, "\x31\x00");
	REFUSE(ALGORITHM, "\x31\x05\x06\x03\x2b\x65\x70");
	REFUSE(ALGORITHM, "");
	REFUSE(SIGNATURE, "\x04\x02\x00s");
	REFUSE(SIGNATURE, "\x03\x02\x01\x40"); /* seven bits */
	REFUSE(AFTER_ALL, "\x05\x00");
}

static void parts_of_the_tbs(void **state)
{
	(void)state;
	REFUSE(SERIAL, "\x04\x01\x05");
	REFUSE(SERIAL, "\x02\x00");
	REFUSE(TBS_ALGORITHM, "\x31\x05\x06\x03\x2b\x65\x70");
	REFUSE(ISSUER, "\x31\x00");
	REFUSE(SUBJECT, "\x31\x00");
	REFUSE(VALIDITY, "\x31\x1e" TIME TIME);
	REFUSE(VALIDITY, "\x30\x1e" TIME "\x17\x0d"
			 "701301000000Z");
	REFUSE(VALIDITY, "\x30\x1e"
			 "\x17\x0d"
			 "701301000000Z" TIME);
	REFUSE(VALIDITY, "\x30\x20" TIME TIME "\x05\x00");
	REFUSE(VALIDITY, "\x30\x0f" TIME);
	REFUSE(AFTER_EXTENSIONS, "\x05\x00");
}

static void versions(void **state)
{
	_cleanup_(cert_freep) struct cert *v1 = NULL, *v2 = NULL;
	struct part parts[N_PARTS];

	(void)state;
	memcpy(parts, usual, sizeof(parts));
	parts[EXTENSIONS] = (struct part){ 0 };
	parts[TBS_VERSION] = PART("");
	assert_int_equal(parse(parts, &v1), 0);
	assert_int_equal(v1->version, 1);
	parts[TBS_VERSION] = PART("\xa0\x03\x02\x01\x01");
	assert_int_equal(parse(parts, &v2), 0);
	assert_int_equal(v2->version, 2);
	v2 = cert_free(v2);
	/* DER leaves a default out; there is no version 4; and nothing stands beside the number */
	parts[TBS_VERSION] = PART("\xa0\x03\x02\x01\x00");
	assert_int_equal(parse(parts, &v2), -EBADMSG);
	parts[TBS_VERSION] = PART("\xa0\x03\x02\x01\x03");
	assert_int_equal(parse(parts, &v2), -EBADMSG);
	REFUSE(TBS_VERSION, "\xa0\x03\x02\x01\x03");
	REFUSE(TBS_VERSION, "\xa0\x03\x04\x01\x02");
	REFUSE(TBS_VERSION, "\xa0\x05\x02\x01\x02\x05\x00");
	REFUSE(TBS_VERSION, "\xa0\x7f\x02\x01\x02");
	/* extensions are version 3's */
	REFUSE(TBS_VERSION, "");
	REFUSE(TBS_VERSION, "\xa0\x03\x02\x01\x01");
}

static void unique_identifiers(void **state)
{
	struct cert *c = read_with(UNIQUE_IDS, PART("\x81\x02\x00x\x82\x02\x00y"));

	(void)state;
	assert_true(c->has_key_usage);
	cert_free(c);
	REFUSE(UNIQUE_IDS, "\x82\x02\x00y\x81\x02\x00x");
	REFUSE(UNIQUE_IDS, "\x81\x80");
	REFUSE(UNIQUE_IDS, "\x82\x80");
}

/* The whole of [3] by hand, after no extensions of our own. */
static void refuse_extensions(struct part p)
{
	struct part parts[N_PARTS];
	struct cert *c = NULL;

	memcpy(parts, usual, sizeof(parts));
	parts[EXTENSIONS] = (struct part){ 0 };
	parts[AFTER_EXTENSIONS] = p;
	assert_int_equal(parse(parts, &c), -EBADMSG);
}

static void frame_of_the_extensions(void **state)
{
	(void)state;
	refuse_extensions(PART("\xa3\x0f\x31\x0d" KEY_USAGE));
	refuse_extensions(PART("\xa3\x11\x30\x0d" KEY_USAGE "\x05\x00"));
	refuse_extensions(PART("\xa3\x02\x30\x00")); /* SIZE (1..MAX) */
	refuse_extensions(PART("\xa3\x7f\x30\x00"));
}

/* --- keys --- */

#define RSA_ID "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define EC_ID "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
#define P256_ID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"

static struct cert *spki(struct part algorithm, struct part key, int expected)
{
	_cleanup_(buf_deinitp) struct buf bits = { 0 }, body = { 0 }, whole = { 0 };
	struct cert *c = NULL;

	buf_put_u8(&bits, 0);
	buf_put(&bits, key.p, key.n);
	buf_put(&body, algorithm.p, algorithm.n);
	put_element(&body, DER_BIT_STRING, &bits);
	put_element(&whole, DER_SEQUENCE, &body);
	assert_int_equal(parse_with(SPKI, (struct part){ (const char *)whole.p, whole.n }, &c),
			 expected);
	return c;
}

static void refuse_rsa(struct part key)
{
	assert_null(spki(PART(RSA_ID), key, -EBADMSG));
}

static void frame_of_the_key(void **state)
{
	(void)state;
	REFUSE(SPKI, "\x31\x2a" ED25519 "\x03\x21\x00" X8 X8 X8 X8);
	REFUSE(SPKI, "\x30\x2a\x31\x05\x06\x03\x2b\x65\x70\x03\x21\x00" X8 X8 X8 X8);
	REFUSE(SPKI, "\x30\x2a\x30\x05\x04\x03\x2b\x65\x70\x03\x21\x00" X8 X8 X8 X8);
	REFUSE(SPKI, "\x30\x2a" ED25519 "\x04\x21\x00" X8 X8 X8 X8);
	REFUSE(SPKI, "\x30\x2a" ED25519 "\x03\x21\x03" X8 X8 X8 X8);
	REFUSE(SPKI, "\x30\x2c" ED25519 "\x03\x21\x00" X8 X8 X8 X8 "\x05\x00");
}

static void forms_of_rsa(void **state)
{
	static const struct {
		struct part key;
		unsigned bits, e_bits;
	} rows[] = {
		{ P("\x30\x07\x02\x02\x7f\x01\x02\x01\x03"), 15, 2 },
		{ P("\x30\x08\x02\x03\x00\x80\x01\x02\x01\x03"), 16, 2 },
		{ P("\x30\x07\x02\x02\x01\x01\x02\x01\x03"), 9, 2 },
		{ P("\x30\x06\x02\x01\x00\x02\x01\x03"), 0, 2 },
		/* an exponent that no floor accepts */
		{ P("\x30\x07\x02\x02\x7f\x01\x02\x01\x01"), 15, 0 },
		{ P("\x30\x07\x02\x02\x7f\x01\x02\x01\x00"), 15, 0 },
		{ P("\x30\x07\x02\x02\x7f\x01\x02\x01\x06"), 15, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(cert_freep) struct cert *c = spki(PART(RSA_ID), rows[i].key, 0);

		assert_int_equal(c->key, KEY_RSA);
		assert_int_equal(c->key_bits, rows[i].bits);
		assert_int_equal(c->rsa_e_bits, rows[i].e_bits);
		assert_int_equal(c->bad_form, rows[i].bits % 8 != 0); /* whole octets */
	}
	refuse_rsa(PART(""));
	refuse_rsa(PART("\x30\x00"));
	refuse_rsa(PART("\x30\x03\x02\x01\x7f"));
	refuse_rsa(PART("\x31\x07\x02\x02\x7f\x01\x02\x01\x03"));
	refuse_rsa(PART("\x30\x07\x02\x02\x7f\x01\x02\x01\x03\x05\x00"));
	refuse_rsa(PART("\x30\x07\x04\x02\x7f\x01\x02\x01\x03"));
	refuse_rsa(PART("\x30\x07\x02\x02\x7f\x01\x04\x01\x03"));
	refuse_rsa(PART("\x30\x0a\x02\x02\x7f\x01\x02\x01\x03\x02\x01\x03"));
	refuse_rsa(PART("\x30\x05\x02\x00\x02\x01\x03"));
	refuse_rsa(PART("\x30\x06\x02\x02\x7f\x01\x02\x00"));
	refuse_rsa(PART("\x30\x07\x02\x02\xff\x01\x02\x01\x03"));
	refuse_rsa(PART("\x30\x07\x02\x02\x7f\x01\x02\x01\x83"));
}

/* The octet after an empty exponent is another field's: it must not be looked at. */
static void exponent_without_octets(void **state)
{
	struct part parts[N_PARTS];
	struct cert *c = NULL;

	(void)state;
	memcpy(parts, usual, sizeof(parts));
	parts[EXTENSIONS] = (struct part){ 0 };
	parts[SPKI] = PART("\x30\x1a" RSA_ID "\x03\x09\x00\x30\x06\x02\x02\x7f\x01\x02\x00");
	assert_int_equal(parse(parts, &c), -EBADMSG);
}

static void key_is(struct part algorithm, struct part key, enum key_type expected)
{
	_cleanup_(cert_freep) struct cert *c = spki(algorithm, key, 0);

	assert_int_equal(c->key, expected);
	if (expected == KEY_UNKNOWN)
		assert_int_equal(c->key_bits, 0);
}

static void forms_of_other_keys(void **state)
{
	static const struct part p256 = P("\x30\x13" EC_ID P256_ID);
	static const struct part point = P("\x04" X8 X8 X8 X8 X8 X8 X8 X8);
	static const struct part key = P(X8 X8 X8 X8);

	(void)state;
	key_is(p256, point, KEY_P256);
	assert_null(spki(p256, PART("\x04" X8 X8 X8 X8 X8 X8 X8 "xxxxxxx"), -EBADMSG));
	assert_null(spki(p256, PART("\x04" X8 X8 X8 X8 X8 X8 X8 X8 "x"), -EBADMSG));
	assert_null(spki(p256, PART("\x02" X8 X8 X8 X8 X8 X8 X8 X8), -EBADMSG));
	assert_null(spki(p256, PART("\x02" X8 X8 X8 X8), -EBADMSG)); /* compressed */
	/* parameters that are none, explicit, or more than one; another curve */
	key_is(PART("\x30\x09" EC_ID), point, KEY_UNKNOWN);
	key_is(PART("\x30\x15" EC_ID "\x30\x0a" P256_ID), point, KEY_UNKNOWN);
	key_is(PART("\x30\x15" EC_ID P256_ID "\x05\x00"), point, KEY_UNKNOWN);
	key_is(PART("\x30\x10" EC_ID "\x06\x05\x2b\x81\x04\x00\x0a"), point, KEY_UNKNOWN);
	key_is(PART(ED25519), key, KEY_ED25519);
	key_is(PART("\x30\x05\x06\x03\x2b\x65\x6e"), key, KEY_UNKNOWN); /* X25519 */
	key_is(PART("\x30\x07\x06\x03\x2b\x65\x70\x05\x00"), key, KEY_UNKNOWN);
	key_is(PART(ED25519), PART(X8 X8 X8 "xxxxxxx"), KEY_UNKNOWN);
	key_is(PART(ED25519), PART(X8 X8 X8 X8 "x"), KEY_UNKNOWN);
}

/* --- extensions --- */

static void shape_of_an_extension(void **state)
{
	(void)state;
	REFUSE(EXTENSIONS, "\x31\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80");
	REFUSE(EXTENSIONS, "\x30\x0b\x04\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80");
	REFUSE(EXTENSIONS, "\x30\x0b\x06\x03\x55\x1d\x0f\x05\x04\x03\x02\x07\x80");
	REFUSE(EXTENSIONS, "\x30\x0d\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80\x05\x00");
	REFUSE(EXTENSIONS, "\x30\x05\x06\x03\x55\x1d\x0f");
	REFUSE(EXTENSIONS, "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\x01\x04\x04\x03\x02\x07\x80");
	REFUSE(EXTENSIONS, KEY_USAGE "\x30");
	REFUSE(EXTENSIONS, KEY_USAGE KEY_USAGE);
}

static void number_of_extensions_is_limited(void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct cert *c = NULL;

	(void)state;
	for (uint8_t i = 1; i <= 65; i++) {
		buf_put(&b, "\x30\x06\x06\x02\x2a", 5);
		buf_put_u8(&b, i);
		buf_put(&b, "\x04\x00", 2);
		c = NULL;
		assert_int_equal(
			parse_with(EXTENSIONS, (struct part){ (const char *)b.p, b.n }, &c),
			i <= 64 ? 0 : -EBADMSG);
		cert_free(c);
	}
}

/* An extension with this OID and value. */
static int extension(struct part oid, bool critical, struct part value, struct cert **ret)
{
	_cleanup_(buf_deinitp) struct buf id = { 0 }, in = { 0 }, body = { 0 }, whole = { 0 };

	buf_put(&id, oid.p, oid.n);
	buf_put(&in, value.p, value.n);
	put_element(&body, DER_OID, &id);
	if (critical)
		buf_put(&body, "\x01\x01\xff", 3);
	put_element(&body, DER_OCTET_STRING, &in);
	put_element(&whole, DER_SEQUENCE, &body);
	return parse_with(EXTENSIONS, (struct part){ (const char *)whole.p, whole.n }, ret);
}

static struct cert *ce(uint8_t arc, bool critical, struct part value)
{
	const char oid[] = { 0x55, 0x1d, (char)arc };
	struct cert *c = NULL;

	assert_int_equal(extension((struct part){ oid, 3 }, critical, value, &c), 0);
	return c;
}

static void refuse_ce(uint8_t arc, struct part value)
{
	const char oid[] = { 0x55, 0x1d, (char)arc };
	struct cert *c = NULL;
	int r = extension((struct part){ oid, 3 }, false, value, &c);

	if (r != -EBADMSG)
		print_message("# taken: extension %u, %zu octets\n", arc, value.n);
	assert_int_equal(r, -EBADMSG);
}
#define REFUSE_CE(arc, s) refuse_ce(arc, PART(s))

/* What may be critical, and what is denied even if it is not. */
static void critical_ones(void **state)
{
	static const struct {
		uint8_t arc;
		struct part value;
		bool known_critical, ill_critical;
	} rows[] = {
		{ 14, P("\x04\x01k"), true, true },
		{ 15, P("\x03\x02\x07\x80"), true },
		{ 17, P("\x30\x03\x82\x01x"), true },
		{ 18, P(""), false },
		{ 19, P("\x30\x00"), true },
		{ 30, P("\x30\x07\xa0\x05\x30\x03\x82\x01x"), true },
		{ 31, P("\x30\x02\x30\x00"), false },
		{ 32, P("\x30\x05\x30\x03\x06\x01\x2a"), true },
		{ 33, P("\x30\x08\x30\x06\x06\x01\x2a\x06\x01\x2b"), true },
		{ 35, P("\x30\x03\x80\x01k"), true, true },
		{ 36, P("\x30\x03\x80\x01\x00"), true },
		{ 37, P("\x30\x00"), true },
		{ 54, P("\x02\x01\x00"), true },
		{ 99, P(""), false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(cert_freep) struct cert *plain = ce(rows[i].arc, false, rows[i].value);
		_cleanup_(cert_freep) struct cert *critical = ce(rows[i].arc, true, rows[i].value);

		assert_false(plain->unknown_critical);
		assert_int_equal(critical->unknown_critical, !rows[i].known_critical);
		assert_int_equal(critical->bad_form, rows[i].ill_critical);
	}
}

#define AIA "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define ONE_URI                                                                                    \
	"\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x03"                                 \
	"a:b"

static struct cert *aia(bool critical, struct part value)
{
	struct cert *c = NULL;

	assert_int_equal(extension(PART(AIA), critical, value, &c), 0);
	assert_false(c->unknown_critical);
	return c;
}

/* What is malformed is ill-formed and not there; the certificate can still be read. */
static void lists_for_revocation(void **state)
{
	static const struct part bad[] = { P(""), P("\x30\x00"), P("\x31\x11" ONE_URI),
					   P("\x30\x11" ONE_URI "\x05\x00"),
					   P("\x30\x02\x30\x00") };
	struct cert *c = aia(false, PART("\x30\x11" ONE_URI));

	(void)state;
	assert_false(c->bad_form);
	assert_true(view_is(&c->aia, ONE_URI, sizeof(ONE_URI) - 1));
	cert_free(c);
	c = aia(true, PART("\x30\x11" ONE_URI));
	assert_true(c->bad_form);
	cert_free(c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = aia(false, bad[i]);
		assert_true(c->bad_form);
		assert_int_equal(c->aia.n, 0);
		cert_free(c);
	}
	c = ce(31, false, PART("\x30\x02\x30\x00"));
	assert_false(c->bad_form);
	assert_true(view_is(&c->crl_dps, "\x30\x00", 2));
	cert_free(c);
	c = ce(31, false, PART("\x30\x02\x31\x00"));
	assert_true(c->bad_form);
	assert_int_equal(c->crl_dps.n, 0);
	cert_free(c);
}

/* What is let pass by policy is still told; see test-form for the names themselves. */
static void ill_forms(void **state)
{
	static const struct {
		uint8_t arc;
		bool critical, bad;
		struct part value;
	} rows[] = {
		{ 17, false, false, P("\x30\x03\x82\x01x") },
		{ 17, false, true, P("\x30\x03\x82\x01_") },
		{ 17, true, true, P("\x30\x03\x82\x01_") },
		{ 19, false, false, P("\x30\x00") }, /* of people it need not be critical */
		{ 19, true, false, P("\x30\x00") },
		{ 19, true, false, P("\x30\x03\x01\x01\xff") },
		{ 19, false, true, P("\x30\x03\x01\x01\xff") },
		{ 30, false, true, P("\x30\x07\xa0\x05\x30\x03\x82\x01x") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_(cert_freep) struct cert *c =
			ce(rows[i].arc, rows[i].critical, rows[i].value);

		assert_int_equal(c->bad_form || c->lax_form, rows[i].bad);
	}
}

static void ill_names(void **state)
{
#define ILL_NAME "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x16\x01\x80"
	struct cert *c = read_with(ISSUER, PART(ILL_NAME));

	(void)state;
	assert_true(c->bad_form);
	cert_free(c);
	c = read_with(SUBJECT, PART(ILL_NAME));
	assert_true(c->bad_form);
	cert_free(c);
	c = read_with(SUBJECT, usual[SUBJECT]);
	assert_false(c->bad_form);
	cert_free(c);
}

/* basicConstraints' number is 2.5.29.19 and no other. */
static void similar_numbers_are_others(void **state)
{
	static const struct part oids[] = { P("\x55\x1d"),	   P("\x55\x1d\x13\x01"),
					    P("\x55\x1e\x13"),	   P("\x56\x1d\x13"),
					    P("\x2a\x1d\x13"),	   P("\x13"),
					    P("\x55\x1d\x93\x01"), P("\x55\x1d\x63") };

	(void)state;
	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		_cleanup_(cert_freep) struct cert *c = NULL;

		assert_int_equal(extension(oids[i], true, PART("\x30\x03\x01\x01\xff"), &c), 0);
		assert_false(c->has_basic_constraints);
		assert_false(c->is_ca);
		assert_true(c->unknown_critical);
	}
}

static void constraints_are(struct part value, bool ca, int len)
{
	_cleanup_(cert_freep) struct cert *c = ce(19, false, value);

	assert_true(c->has_basic_constraints);
	assert_int_equal(c->is_ca, ca);
	assert_int_equal(c->path_len, len);
}

static void basic_constraints(void **state)
{
	(void)state;
	constraints_are(PART("\x30\x00"), false, -1);
	constraints_are(PART("\x30\x03\x01\x01\xff"), true, -1);
	constraints_are(PART("\x30\x06\x01\x01\xff\x02\x01\x00"), true, 0);
	constraints_are(PART("\x30\x03\x02\x01\x03"), false, 3);
	constraints_are(PART("\x30\x06\x01\x01\xff\x02\x01\x07"), true, 7);
	constraints_are(PART("\x30\x09\x01\x01\xff\x02\x04\x7f\xff\xff\xff"), true, INT32_MAX);
	REFUSE_CE(19, "\x31\x03\x01\x01\xff");
	REFUSE_CE(19, "\x30\x03\x01\x01\xff\x05\x00");
	REFUSE_CE(19, "\x30\x03\x01\x01\x01");
	REFUSE_CE(19, "\x30\x06\x01\x01\xff\x02\x01\xff");
	REFUSE_CE(19, "\x30\x06\x01\x01\xff\x04\x01\x01");
	REFUSE_CE(19, "\x30\x09\x01\x01\xff\x02\x01\x01\x02\x01\x01");
	REFUSE_CE(19, "\x30\x06\x02\x01\x01\x01\x01\xff");
	REFUSE_CE(19, "");
}

static void usages(void **state)
{
	struct cert *c = ce(15, false, PART("\x03\x03\x07\x80\x80"));

	(void)state;
	assert_int_equal(c->key_usage, KU_DIGITAL_SIGNATURE | 1 << 8);
	cert_free(c);
	REFUSE_CE(15, "");
	REFUSE_CE(15, "\x04\x02\x07\x80");
	REFUSE_CE(15, "\x03\x02\x07\x80\x05\x00");
	REFUSE_CE(15, "\x03\x04\x07\x80\x00\x80");
	c = ce(37, false, PART("\x30\x00"));
	assert_true(c->has_eku);
	assert_int_equal(c->eku, 0);
	cert_free(c);
	c = ce(37, false, PART("\x30\x06\x06\x04\x55\x1d\x25\x00"));
	assert_int_equal(c->eku, EKU_ANY);
	cert_free(c);
	REFUSE_CE(37, "\x31\x00");
	REFUSE_CE(37, "\x30\x00\x05\x00");
	REFUSE_CE(37, "\x30\x06\x04\x04\x55\x1d\x25\x00");
	REFUSE_CE(37, "");
}

static void names_and_identifiers(void **state)
{
	struct cert *c = ce(17, false, PART("\x30\x03\x82\x01x"));

	(void)state;
	assert_true(view_is(&c->san, "\x82\x01x", 3));
	cert_free(c);
	REFUSE_CE(17, "\x31\x03\x82\x01x");
	REFUSE_CE(17, "\x30\x03\x82\x01x\x05\x00");
	REFUSE_CE(17, "\x30\x00");
	c = ce(35, false, PART("\x30\x03\x80\x01k"));
	assert_true(view_is(&c->aki, "k", 1));
	cert_free(c);
	c = ce(35, false, PART("\x30\x00"));
	assert_int_equal(c->aki.n, 0);
	cert_free(c);
	REFUSE_CE(35, "");
	REFUSE_CE(35, "\x31\x03\x80\x01k");
	REFUSE_CE(35, "\x30\x03\x80\x01k\x05\x00");
	REFUSE_CE(35, "\x30\x03\x80\x02k");
	c = ce(14, false, PART("\x04\x01k"));
	assert_true(view_is(&c->ski, "k", 1));
	cert_free(c);
	REFUSE_CE(14, "");
	REFUSE_CE(14, "\x05\x01k");
	REFUSE_CE(14, "\x04\x01k\x05\x00");
}

/* One that is whole, but for its size. */
static void size_is_limited(void **state)
{
	_cleanup_(buf_deinitp) struct buf value = { 0 };
	struct cert *c = ce(99, false, (struct part){ NULL, 0 });
	size_t small = 0;
	int r = 0;

	(void)state;
	cert_free(c);
	while (r == 0) {
		c = NULL;
		buf_put_u8(&value, 'x');
		if (value.n < LIMIT_CERT_BYTES - 400)
			continue;
		r = extension(PART("\x55\x1d\x63"), false,
			      (struct part){ (const char *)value.p, value.n }, &c);
		if (r == 0)
			small = c->der.n;
		cert_free(c);
	}
	assert_int_equal(r, -EBADMSG);
	assert_int_equal(small, LIMIT_CERT_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_one_is_read),
		cmocka_unit_test(parts_of_the_certificate),
		cmocka_unit_test(parts_of_the_tbs),
		cmocka_unit_test(versions),
		cmocka_unit_test(unique_identifiers),
		cmocka_unit_test(frame_of_the_extensions),
		cmocka_unit_test(frame_of_the_key),
		cmocka_unit_test(forms_of_rsa),
		cmocka_unit_test(exponent_without_octets),
		cmocka_unit_test(forms_of_other_keys),
		cmocka_unit_test(shape_of_an_extension),
		cmocka_unit_test(number_of_extensions_is_limited),
		cmocka_unit_test(critical_ones),
		cmocka_unit_test(lists_for_revocation),
		cmocka_unit_test(ill_forms),
		cmocka_unit_test(ill_names),
		cmocka_unit_test(similar_numbers_are_others),
		cmocka_unit_test(basic_constraints),
		cmocka_unit_test(usages),
		cmocka_unit_test(names_and_identifiers),
		cmocka_unit_test(size_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
