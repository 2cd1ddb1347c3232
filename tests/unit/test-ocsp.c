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
#include "lib/base/limits.h"
#include "lib/pki/der.h"
#include "tests/harness/ocsp-make.h"

/* One CA, what it issued, and those who would like to speak for it. */
enum {
	ROOT,
	TWIN,	 /* another CA of the same name */
	RENEWED, /* the CA's key in another certificate, by another name */
	LEAF,
	PEER, /* another leaf of the CA */
	DELEGATE,
	STRANGER, /* self-signed */
	OF_TWIN,  /* delegates that are none */
	NO_EKU,
	ANY_EKU,
	NO_USAGE,
	IS_CA,
	SIGNS_CERTS,
	CRITICAL,
	EXPIRED,
	EARLY,
	UNCHECKED,
	WEAK,
	LONG_SERIAL,
	OF_RENEWED, /* the CA's key, another name */
	N_PKI
};

static struct pki pki[N_PKI];

static void make_delegate(int which, int issuer, struct pki_spec spec)
{
	spec.cn = "Responder";
	if (!spec.eku)
		spec.eku = PKI_OCSP_SIGNING;
	pki_make(&spec, issuer < 0 ? NULL : &pki[issuer], &pki[which]);
}

static int setup(_unused_ void **state)
{
	const unsigned nocheck = PKI_OCSP_NOCHECK;

	pki_make_ca("Root", &pki[ROOT]);
	pki_make_ca("Root", &pki[TWIN]);
	pki_make(&(struct pki_spec){ .cn = "Renewed", .ca = true, .key = pki[ROOT].key },
		 &pki[TWIN], &pki[RENEWED]);
	pki_make_person("alice", KEY_P256, &pki[ROOT], &pki[LEAF]);
	pki_make_person("bob", KEY_P256, &pki[ROOT], &pki[PEER]);
	make_delegate(DELEGATE, ROOT, (struct pki_spec){ .flags = nocheck });
	make_delegate(STRANGER, -1, (struct pki_spec){ .flags = nocheck });
	make_delegate(OF_TWIN, TWIN, (struct pki_spec){ .flags = nocheck });
	make_delegate(NO_EKU, ROOT, (struct pki_spec){ .flags = nocheck, .eku = "" });
	make_delegate(ANY_EKU, ROOT, (struct pki_spec){ .flags = nocheck, .eku = PKI_ANY_EKU });
	make_delegate(NO_USAGE, ROOT,
		      (struct pki_spec){ .flags = nocheck, .usage = GNUTLS_KEY_KEY_AGREEMENT });
	make_delegate(IS_CA, ROOT,
		      (struct pki_spec){ .flags = nocheck,
					 .ca = true,
					 .usage = GNUTLS_KEY_DIGITAL_SIGNATURE });
	make_delegate(SIGNS_CERTS, ROOT,
		      (struct pki_spec){ .flags = nocheck,
					 .usage = GNUTLS_KEY_DIGITAL_SIGNATURE |
						  GNUTLS_KEY_KEY_CERT_SIGN });
	make_delegate(CRITICAL, ROOT, (struct pki_spec){ .flags = nocheck | PKI_UNKNOWN_CRITICAL });
	make_delegate(LONG_SERIAL, ROOT, (struct pki_spec){ .flags = nocheck | PKI_LONG_SERIAL });
	make_delegate(OF_RENEWED, RENEWED, (struct pki_spec){ .flags = nocheck });
	make_delegate(EXPIRED, ROOT,
		      (struct pki_spec){ .flags = nocheck,
					 .not_before = PKI_NOW - 9 * PKI_DAY,
					 .not_after = PKI_NOW - PKI_SEC });
	make_delegate(EARLY, ROOT,
		      (struct pki_spec){ .flags = nocheck, .not_before = PKI_NOW + PKI_SEC });
	make_delegate(UNCHECKED, ROOT, (struct pki_spec){ .flags = 0 });
	make_delegate(WEAK, ROOT, (struct pki_spec){ .flags = nocheck, .digest = GNUTLS_DIG_SHA1 });
	return 0;
}

static int teardown(_unused_ void **state)
{
	for (size_t i = 0; i < N_PKI; i++)
		pki_deinit(&pki[i]);
	return 0;
}

static struct ocsp_answer check_bytes(const struct buf *b, int64_t now, const struct view *nonce)
{
	const struct view der = { b->p, b->n };
	struct ocsp_answer a;

	memset(&a, 0xff, sizeof(a));
	assert_int_equal(ocsp_check(&der, pki[LEAF].cert, pki[ROOT].cert, now, nonce, &a), 0);
	return a;
}

static struct ocsp_answer check_at(const struct ocsp_spec *spec, int64_t now)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	ocsp_make(spec, &b);
	return check_bytes(&b, now, NULL);
}

static struct ocsp_answer check(const struct ocsp_spec *spec)
{
	return check_at(spec, PKI_NOW);
}

/* A delegate's response about the leaf. */
static struct ocsp_answer check_by(int delegate, unsigned flags)
{
	return check(&(struct ocsp_spec){
		.signer = &pki[delegate],
		.flags = flags,
		.certs = { pki[delegate].cert },
		.say = { { .cert = pki[LEAF].cert, .issuer = pki[ROOT].cert } } });
}

#define LEAF_OF_ROOT .cert = pki[LEAF].cert, .issuer = pki[ROOT].cert
/* A response of the CA itself about the leaf; arguments: of the statement. */
#define SAY(...)                                                                                   \
	(&(struct ocsp_spec){ .signer = &pki[ROOT], .say = { { LEAF_OF_ROOT, __VA_ARGS__ } } })
/* Another's, arguments: of the response. */
#define MAKE(who, ...)                                                                             \
	(&(struct ocsp_spec){ .signer = &pki[who], .say = { { LEAF_OF_ROOT } }, __VA_ARGS__ })

/* --- answers --- */

static void good(_unused_ void **state)
{
	struct ocsp_answer a = check(SAY(.status = OCSP_STATUS_GOOD));

	assert_int_equal(a.fault, OCSP_GOOD);
	assert_int_equal(a.status, OCSP_STATUS_GOOD);
	assert_int_equal(a.this_update, PKI_NOW - 3600 * PKI_SEC);
	assert_int_equal(a.next_update, PKI_NOW + PKI_DAY);
	assert_int_equal(a.produced, PKI_NOW - 3600 * PKI_SEC);
	assert_false(a.delegated);
}

static void revoked(_unused_ void **state)
{
	struct ocsp_answer a = check(SAY(.status = OCSP_STATUS_REVOKED, .reason = 6));

	assert_int_equal(a.fault, OCSP_GOOD);
	assert_int_equal(a.status, OCSP_STATUS_REVOKED);
	assert_int_equal(a.reason, 6);
	assert_int_equal(a.revoked, PKI_NOW - PKI_DAY);
	a = check(SAY(.status = OCSP_STATUS_REVOKED, .flags = OCSP_SAY_NO_REASON));
	assert_int_equal(a.fault, OCSP_GOOD);
	assert_int_equal(a.status, OCSP_STATUS_REVOKED);
	assert_int_equal(a.reason, 0);
}

static void unknown(_unused_ void **state)
{
	struct ocsp_answer a = check(SAY(.status = OCSP_STATUS_UNKNOWN));

	assert_int_equal(a.fault, OCSP_GOOD);
	assert_int_equal(a.status, OCSP_STATUS_UNKNOWN);
}

static void texts(_unused_ void **state)
{
	assert_string_equal(ocsp_status_text(OCSP_STATUS_REVOKED), "revoked");
	for (int f = OCSP_GOOD; f <= OCSP_STALE; f++)
		for (int g = OCSP_GOOD; g < f; g++)
			assert_string_not_equal(ocsp_fault_text((enum ocsp_fault)f),
						ocsp_fault_text((enum ocsp_fault)g));
	assert_string_equal(ocsp_fault_text((enum ocsp_fault)(OCSP_STALE + 1)), "unknown");
}

/* Answers that many responders give. */
static void usual_variations(_unused_ void **state)
{
	static const unsigned make[] = { OCSP_MAKE_BY_KEY, OCSP_MAKE_VERSION, OCSP_MAKE_UNKNOWN,
					 OCSP_MAKE_JUNK_CERT };
	static const unsigned say[] = { OCSP_SAY_SHA256, OCSP_SAY_UNKNOWN, OCSP_SAY_NO_NULL };

	for (size_t i = 0; i < ARRAY_SIZE(make); i++)
		assert_int_equal(check(MAKE(ROOT, .flags = make[i])).fault, OCSP_GOOD);
	for (size_t i = 0; i < ARRAY_SIZE(say); i++)
		assert_int_equal(check(SAY(.flags = say[i])).fault, OCSP_GOOD);
	/* the issuer's certificate sent along */
	assert_int_equal(check(MAKE(ROOT, .certs = { pki[ROOT].cert })).fault, OCSP_GOOD);
}

/* --- about whom --- */

static void about_another(_unused_ void **state)
{
	const struct ocsp_say others[] = {
		{ .cert = pki[PEER].cert, .issuer = pki[ROOT].cert },
		{ .cert = pki[LEAF].cert, .issuer = pki[TWIN].cert },
		{ LEAF_OF_ROOT, .flags = OCSP_SAY_OTHER_NAME },
		{ LEAF_OF_ROOT, .flags = OCSP_SAY_OTHER_NAME | OCSP_SAY_SHA256 },
		{ LEAF_OF_ROOT, .flags = OCSP_SAY_SHA384 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct ocsp_answer a =
			check(&(struct ocsp_spec){ .signer = &pki[ROOT], .say = { others[i] } });

		assert_int_equal(a.fault, OCSP_OTHER_CERTIFICATE);
	}
}

/* The caller's issuer has another name: whatever its key says is about others. */
static void issuer_of_another_name(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct ocsp_answer a;

	ocsp_make_simple(&pki[RENEWED], pki[LEAF].cert, OCSP_STATUS_GOOD, 0, &b);
	assert_int_equal(ocsp_check(&(struct view){ b.p, b.n }, pki[LEAF].cert, pki[RENEWED].cert,
				    PKI_NOW, NULL, &a),
			 0);
	assert_int_equal(a.fault, OCSP_OTHER_CERTIFICATE);
}

static struct ocsp_answer check_two(struct ocsp_say first, struct ocsp_say second)
{
	return check(&(struct ocsp_spec){ .signer = &pki[ROOT], .say = { first, second } });
}

static void ours_among_others(_unused_ void **state)
{
	const struct ocsp_say other = { .cert = pki[PEER].cert,
					.issuer = pki[ROOT].cert,
					.status = OCSP_STATUS_REVOKED };
	const struct ocsp_say ours = { LEAF_OF_ROOT };

	assert_int_equal(check_two(other, ours).fault, OCSP_GOOD);
	assert_int_equal(check_two(other, ours).status, OCSP_STATUS_GOOD);
	assert_int_equal(check_two(ours, other).status, OCSP_STATUS_GOOD);
}

static void the_worst_counts(_unused_ void **state)
{
	const struct ocsp_say by_status[] = {
		{ LEAF_OF_ROOT, .status = OCSP_STATUS_GOOD },
		{ LEAF_OF_ROOT, .status = OCSP_STATUS_UNKNOWN, .flags = OCSP_SAY_SHA256 },
		{ LEAF_OF_ROOT, .status = OCSP_STATUS_REVOKED, .reason = 1 },
	};
	const struct ocsp_say old = { LEAF_OF_ROOT, .this_update = PKI_NOW - 9 * PKI_DAY,
				      .next_update = PKI_NOW - PKI_DAY };
	const struct ocsp_say critical = { LEAF_OF_ROOT, .flags = OCSP_SAY_CRITICAL };

	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(check_two(by_status[i], by_status[j]).status,
					 i > j ? i : j);
	for (size_t i = 0; i < 2; i++) {
		const struct ocsp_say hold = { LEAF_OF_ROOT, .status = OCSP_STATUS_REVOKED,
					       .reason = 6,
					       .next_update = PKI_NOW + (i ? 2 : 9) * PKI_DAY / 4 };

		assert_int_equal(check_two(hold, by_status[2]).reason, 1);
		assert_int_equal(check_two(by_status[2], hold).reason, 1);
	}
	assert_int_equal(check_two(old, by_status[0]).fault, OCSP_STALE);
	assert_int_equal(check_two(by_status[0], old).fault, OCSP_STALE);
	assert_int_equal(check_two(critical, by_status[2]).fault, OCSP_CRITICAL_EXTENSION);
	assert_int_equal(check_two(by_status[2], critical).fault, OCSP_CRITICAL_EXTENSION);
}

/* --- by whom --- */

static void delegates(_unused_ void **state)
{
	struct ocsp_answer a = check_by(DELEGATE, 0);

	assert_int_equal(a.fault, OCSP_GOOD);
	assert_true(a.delegated);
	assert_int_equal(check_by(DELEGATE, OCSP_MAKE_BY_KEY).fault, OCSP_GOOD);
	/* not the first of those sent along, and of the name of one that is none */
	assert_int_equal(check(MAKE(DELEGATE, .certs = { pki[ROOT].cert, pki[EXPIRED].cert,
							 pki[DELEGATE].cert }))
				 .fault,
			 OCSP_GOOD);
	assert_int_equal(
		check(MAKE(DELEGATE, .flags = OCSP_MAKE_JUNK_CERT, .certs = { pki[DELEGATE].cert }))
			.fault,
		OCSP_GOOD);
}

static void delegates_that_are_none(_unused_ void **state)
{
	static const struct {
		int who;
		enum ocsp_fault fault;
	} rows[] = {
		{ STRANGER, OCSP_DELEGATE_ISSUER },   { OF_TWIN, OCSP_DELEGATE_ISSUER },
		{ NO_EKU, OCSP_DELEGATE_EKU },	      { ANY_EKU, OCSP_DELEGATE_EKU },
		{ NO_USAGE, OCSP_DELEGATE_EKU },      { IS_CA, OCSP_DELEGATE_CA },
		{ SIGNS_CERTS, OCSP_DELEGATE_CA },    { CRITICAL, OCSP_DELEGATE_FORM },
		{ EXPIRED, OCSP_DELEGATE_TIME },      { EARLY, OCSP_DELEGATE_TIME },
		{ UNCHECKED, OCSP_DELEGATE_CHECK },   { WEAK, OCSP_ALGORITHM },
		{ PEER, OCSP_DELEGATE_EKU },	      { LONG_SERIAL, OCSP_DELEGATE_FORM },
		{ OF_RENEWED, OCSP_DELEGATE_ISSUER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (unsigned by_key = 0; by_key <= OCSP_MAKE_BY_KEY; by_key += OCSP_MAKE_BY_KEY)
			if (check_by(rows[i].who, by_key).fault != rows[i].fault)
				fail_msg("row %zu: %s", i,
					 ocsp_fault_text(check_by(rows[i].who, by_key).fault));
}

/* RFC 5280 4.1.1.2: what is signed and what is beside it name one algorithm. */
static void two_algorithms(_unused_ void **state)
{
	static const uint8_t sha256[] = "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
	const struct view *der = &pki[DELEGATE].cert->der;
	_cleanup_(cert_freep) struct cert *c = NULL;
	_cleanup_(freep) uint8_t *copy = malloc(der->n);
	uint8_t *at = NULL;

	assert_non_null(copy);
	memcpy(copy, der->p, der->n);
	for (uint8_t *p = copy; (p = memmem(p, (size_t)(copy + der->n - p), sha256, 10)); p++)
		at = p;
	assert_non_null(at);
	at[9] = 3; /* SHA-384 */
	assert_int_equal(cert_parse(copy, der->n, &c), 0);
	assert_int_equal(check(MAKE(DELEGATE, .certs = { c })).fault, OCSP_ALGORITHM);
}

static void responders_that_are_none(_unused_ void **state)
{
	/* a CA of the same name; its own certificate does not help */
	assert_int_equal(check(MAKE(TWIN, .flags = 0)).fault, OCSP_BAD_SIGNATURE);
	assert_int_equal(check(MAKE(TWIN, .certs = { pki[TWIN].cert })).fault, OCSP_BAD_SIGNATURE);
	assert_int_equal(
		check(MAKE(TWIN, .flags = OCSP_MAKE_BY_KEY, .certs = { pki[TWIN].cert })).fault,
		OCSP_DELEGATE_CA);
	assert_int_equal(check(MAKE(TWIN, .flags = OCSP_MAKE_BY_KEY)).fault, OCSP_RESPONDER);
	/* the issuer's name or key, and the signature of another */
	assert_int_equal(check(MAKE(PEER, .responder = pki[ROOT].cert)).fault, OCSP_BAD_SIGNATURE);
	/* a delegate's name, with or without its certificate */
	assert_int_equal(check(MAKE(DELEGATE, .flags = 0)).fault, OCSP_RESPONDER);
	assert_int_equal(
		check(MAKE(PEER, .responder = pki[DELEGATE].cert, .certs = { pki[DELEGATE].cert }))
			.fault,
		OCSP_BAD_SIGNATURE);
	/* a delegate's certificate that is not the responder's */
	assert_int_equal(
		check(MAKE(DELEGATE, .responder = pki[PEER].cert, .certs = { pki[DELEGATE].cert }))
			.fault,
		OCSP_RESPONDER);
	/* the issuer's key by a name that it does not have in this path */
	assert_int_equal(
		check(MAKE(ROOT, .responder = pki[RENEWED].cert, .certs = { pki[RENEWED].cert }))
			.fault,
		OCSP_RESPONDER);
}

static void weak_signature(_unused_ void **state)
{
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_SHA1)).fault, OCSP_ALGORITHM);
}

/* --- when --- */

static void times(_unused_ void **state)
{
	const int64_t now = PKI_NOW, skew = LIMIT_OCSP_SKEW_USEC, fresh = LIMIT_OCSP_FRESH_USEC;
	struct ocsp_answer a;

	assert_int_equal(check(SAY(.this_update = now + skew)).fault, OCSP_GOOD);
	assert_int_equal(check(SAY(.this_update = now + skew + PKI_SEC)).fault, OCSP_FUTURE);
	assert_int_equal(check(MAKE(ROOT, .produced = now + skew)).fault, OCSP_GOOD);
	assert_int_equal(check(MAKE(ROOT, .produced = now + skew + PKI_SEC)).fault, OCSP_FUTURE);
	assert_int_equal(check_at(SAY(.next_update = now), now).fault, OCSP_GOOD);
	assert_int_equal(check_at(SAY(.next_update = now), now + 1).fault, OCSP_STALE);
	assert_int_equal(
		check_at(SAY(.this_update = now, .flags = OCSP_SAY_NO_NEXT), now + fresh).fault,
		OCSP_GOOD);
	a = check_at(SAY(.this_update = now, .flags = OCSP_SAY_NO_NEXT), now + fresh + 1);
	assert_int_equal(a.fault, OCSP_STALE);
	assert_int_equal(a.next_update, now + fresh);
	assert_int_equal(check(SAY(.this_update = now, .next_update = now - PKI_SEC)).fault,
			 OCSP_MALFORMED);
}

/* What is out of date is told all the same: a revocation is one for ever. */
static void stale_answers_are_told(_unused_ void **state)
{
	struct ocsp_answer a = check(SAY(.status = OCSP_STATUS_REVOKED, .reason = 1,
					 .this_update = PKI_NOW - 9 * PKI_DAY,
					 .next_update = PKI_NOW - 8 * PKI_DAY));

	assert_int_equal(a.fault, OCSP_STALE);
	assert_int_equal(a.status, OCSP_STATUS_REVOKED);
	assert_int_equal(a.reason, 1);
}

static void a_refused_answer_says_nothing(_unused_ void **state)
{
	struct ocsp_answer a = check(MAKE(TWIN, .flags = 0));

	assert_int_equal(a.fault, OCSP_BAD_SIGNATURE);
	assert_int_equal(a.next_update, 0);
	assert_int_equal(a.this_update, 0);
}

static void nonces(_unused_ void **state)
{
	const struct view sent = { (const uint8_t *)"0123456789abcdef", 16 };
	const struct view other = { (const uint8_t *)"0123456789abcdeF", 16 };
	const struct view half = { sent.p, 8 };
	_cleanup_(buf_deinitp) struct buf with = { 0 }, without = { 0 };

	ocsp_make(MAKE(ROOT, .nonce = &sent), &with);
	ocsp_make(MAKE(ROOT, .nonce = NULL), &without);
	assert_int_equal(check_bytes(&with, PKI_NOW, &sent).fault, OCSP_GOOD);
	assert_int_equal(check_bytes(&with, PKI_NOW, NULL).fault, OCSP_GOOD);
	assert_int_equal(check_bytes(&with, PKI_NOW, &other).fault, OCSP_NONCE);
	assert_int_equal(check_bytes(&with, PKI_NOW, &half).fault, OCSP_NONCE);
	assert_int_equal(check_bytes(&without, PKI_NOW, &sent).fault, OCSP_NONCE);
}

/* --- form --- */

static void not_successful(_unused_ void **state)
{
	static const struct {
		uint8_t status;
		enum ocsp_fault fault;
	} rows[] = {
		{ 0, OCSP_MALFORMED },	    { 1, OCSP_MALFORMED_REQUEST },
		{ 2, OCSP_INTERNAL_ERROR }, { 3, OCSP_TRY_LATER },
		{ 4, OCSP_MALFORMED },	    { 5, OCSP_SIGNATURE_REQUIRED },
		{ 6, OCSP_UNAUTHORIZED },   { 7, OCSP_MALFORMED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 };

		ocsp_make_status(rows[i].status, &b);
		assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, rows[i].fault);
	}
}

/* The status is the one octet that no signature covers. */
static void a_status_beside_an_answer(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct view in, seq;

	ocsp_make(MAKE(ROOT, .flags = 0), &b);
	in = (struct view){ b.p, b.n };
	assert_int_equal(der_expect(&in, DER_SEQUENCE, &seq), 0);
	b.p[(size_t)(seq.p - b.p) + 2] = 3;
	assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, OCSP_TRY_LATER);
}

static void forms(_unused_ void **state)
{
	const struct view nonce = { (const uint8_t *)"0123456789abcdef", 16 };

	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_TYPE)).fault, OCSP_TYPE);
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_VERSION_2)).fault, OCSP_MALFORMED);
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_BY_KEY | OCSP_MAKE_SHORT_KEY)).fault,
			 OCSP_MALFORMED);
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_UTCTIME)).fault, OCSP_MALFORMED);
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_EMPTY)).fault, OCSP_MALFORMED);
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_NONCE_TWICE, .nonce = &nonce)).fault,
			 OCSP_MALFORMED);
	assert_int_equal(check(MAKE(ROOT, .flags = OCSP_MAKE_CRITICAL)).fault,
			 OCSP_CRITICAL_EXTENSION);
	assert_int_equal(check(SAY(.flags = OCSP_SAY_CRITICAL)).fault, OCSP_CRITICAL_EXTENSION);
	assert_int_equal(check(&(struct ocsp_spec){ .signer = &pki[ROOT] }).fault, OCSP_MALFORMED);
}

static void bytes_after(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	ocsp_make(MAKE(ROOT, .flags = 0), &b);
	assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, OCSP_GOOD);
	buf_put_u8(&b, 0);
	assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, OCSP_MALFORMED);
}

static void too_large(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct ocsp_spec spec = *MAKE(DELEGATE, .flags = 0);

	for (size_t i = 0; i < LIMIT_CHAIN_CERTS; i++)
		spec.certs[i] = pki[PEER].cert;
	spec.certs[LIMIT_CHAIN_CERTS - 1] = pki[DELEGATE].cert;
	assert_int_equal(check(&spec).fault, OCSP_GOOD);
	spec.certs[LIMIT_CHAIN_CERTS - 1] = pki[PEER].cert;
	spec.certs[LIMIT_CHAIN_CERTS] = pki[DELEGATE].cert;
	assert_int_equal(check(&spec).fault, OCSP_TOO_LARGE);

	ocsp_make(MAKE(ROOT, .flags = 0), &b);
	while (b.n < LIMIT_OCSP_BYTES)
		buf_put_u8(&b, 0);
	assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, OCSP_MALFORMED);
	buf_put_u8(&b, 0);
	assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, OCSP_TOO_LARGE);
}

/* Cut at every length, and with every octet changed: never an answer that holds. */
static void not_an_octet_can_change(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	ocsp_make(MAKE(ROOT, .flags = 0), &b);
	for (size_t i = 0; i < b.n; i++) {
		struct buf cut = { .p = b.p, .n = i };

		assert_int_equal(check_bytes(&cut, PKI_NOW, NULL).fault, OCSP_MALFORMED);
		b.p[i] ^= 1;
		if (check_bytes(&b, PKI_NOW, NULL).fault == OCSP_GOOD)
			fail_msg("octet %zu", i);
		b.p[i] ^= 1;
	}
	assert_int_equal(check_bytes(&b, PKI_NOW, NULL).fault, OCSP_GOOD);
}

/* --- what is asked, and which answer is whose --- */

static void is_about(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct ocsp_response r;

	ocsp_make(MAKE(TWIN, .flags = 0), &b); /* whoever signed it */
	assert_int_equal(ocsp_response_read(&(struct view){ b.p, b.n }, &r), OCSP_GOOD);
	assert_true(ocsp_is_about(&r, pki[LEAF].cert, pki[ROOT].cert));
	assert_false(ocsp_is_about(&r, pki[PEER].cert, pki[ROOT].cert));
	assert_false(ocsp_is_about(&r, pki[LEAF].cert, pki[TWIN].cert));
}

static void requests(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 }, with = { 0 };
	const struct view *spki = &pki[ROOT].cert->spki;
	uint8_t hash[SHA1_BYTES];
	const uint8_t octets[129] = "0123456789abcdef0123456789abcdef";
	struct view in, seq, id, v;

	assert_int_equal(ocsp_request_new(pki[LEAF].cert, pki[ROOT].cert, NULL, &b), 0);
	in = (struct view){ b.p, b.n };
	/* OCSPRequest, TBSRequest, requestList, Request, CertID */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(der_expect(&in, DER_SEQUENCE, &seq), 0);
		assert_int_equal(in.n, 0);
		in = seq;
	}
	assert_int_equal(der_expect(&in, DER_SEQUENCE, &id), 0);
	assert_true(view_is(&id, "\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00", 9));
	assert_int_equal(der_expect(&in, DER_OCTET_STRING, &v), 0);
	assert_int_equal(der_expect(&in, DER_OCTET_STRING, &v), 0);
	sha1(spki->p + spki->n - 65, 65, hash); /* a point of P-256 */
	assert_true(view_is(&v, hash, sizeof(hash)));
	assert_int_equal(der_expect(&in, DER_INTEGER, &v), 0);
	assert_true(view_is(&v, pki[LEAF].cert->serial.p, pki[LEAF].cert->serial.n));
	assert_int_equal(in.n, 0);

	v = (struct view){ octets, 32 };
	assert_int_equal(ocsp_request_new(pki[LEAF].cert, pki[ROOT].cert, &v, &with), 0);
	assert_true(memmem(with.p, with.n, octets, 32));
	assert_true(with.n > b.n);
	v.n = 0;
	assert_int_equal(ocsp_request_new(pki[LEAF].cert, pki[ROOT].cert, &v, &b), -EINVAL);
	v.n = 129;
	assert_int_equal(ocsp_request_new(pki[LEAF].cert, pki[ROOT].cert, &v, &b), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(revoked),
		cmocka_unit_test(unknown),
		cmocka_unit_test(texts),
		cmocka_unit_test(usual_variations),
		cmocka_unit_test(about_another),
		cmocka_unit_test(issuer_of_another_name),
		cmocka_unit_test(ours_among_others),
		cmocka_unit_test(the_worst_counts),
		cmocka_unit_test(delegates),
		cmocka_unit_test(delegates_that_are_none),
		cmocka_unit_test(two_algorithms),
		cmocka_unit_test(responders_that_are_none),
		cmocka_unit_test(weak_signature),
		cmocka_unit_test(times),
		cmocka_unit_test(stale_answers_are_told),
		cmocka_unit_test(a_refused_answer_says_nothing),
		cmocka_unit_test(nonces),
		cmocka_unit_test(not_successful),
		cmocka_unit_test(a_status_beside_an_answer),
		cmocka_unit_test(forms),
		cmocka_unit_test(bytes_after),
		cmocka_unit_test(too_large),
		cmocka_unit_test(not_an_octet_can_change),
		cmocka_unit_test(is_about),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
