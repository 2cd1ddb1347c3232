// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/harness/ocsp-make.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/pki/der.h"

#define HOUR (3600 * PKI_SEC)

/* contents of OBJECT IDENTIFIERs */
#define OID_BASIC "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"
#define OID_NONCE "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"
#define OID_UNKNOWN "\x2b\x06\x01\x04\x01\x86\x8d\x1f\x01"

/* Everything so far becomes the contents of one element. */
static void wrap(struct buf *b, uint8_t tag)
{
	struct buf outer = { 0 };

	der_put(&outer, tag, b->p, b->n);
	buf_deinit(b);
	*b = outer;
	if (b->error)
		abort();
}

static void put_buf(struct buf *b, uint8_t tag, const struct buf *content)
{
	der_put(b, tag, content->p, content->n);
}

static void put_time(struct buf *b, bool utc, int64_t usec)
{
	time_t t = (time_t)(usec / PKI_SEC);
	struct tm tm;
	char text[32];

	size_t century = utc ? 2 : 0;

	if (!gmtime_r(&t, &tm) || strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm) == 0)
		abort();
	der_put(b, utc ? DER_UTCTIME : DER_GENTIME, text + century, strlen(text) - century);
}

static void put_extension(struct buf *b, const char *oid, bool critical, const struct view *value)
{
	_cleanup_(buf_deinitp) struct buf e = { 0 };

	der_put(&e, DER_OID, oid, strlen(oid));
	if (critical)
		der_put(&e, DER_BOOLEAN, "\xff", 1);
	der_put(&e, DER_OCTET_STRING, value->p, value->n);
	put_buf(b, DER_SEQUENCE, &e);
}

static const struct view null_value = { (const uint8_t *)"\x05\x00", 2 };

/* [1] EXPLICIT Extensions, if there are any. */
static void put_extensions(struct buf *b, struct buf *list, bool even_none)
{
	if (list->n == 0 && !even_none)
		return;
	wrap(list, DER_SEQUENCE);
	put_buf(b, DER_CONTEXT_CONS(1), list);
}

static struct view key_octets(const struct cert *c)
{
	struct view in = c->spki, seq, algorithm, bits;
	unsigned unused;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0 ||
	    der_expect(&seq, DER_SEQUENCE, &algorithm) < 0 || der_bits(&seq, &bits, &unused) < 0)
		abort();
	return bits;
}

static void put_hash(struct buf *b, gnutls_digest_algorithm_t digest, const struct view *what)
{
	uint8_t hash[64];

	if (gnutls_hash_fast(digest, what->p, what->n, hash) < 0)
		abort();
	der_put(b, DER_OCTET_STRING, hash, gnutls_hash_get_len(digest));
}

static void put_cert_id(struct buf *b, const struct ocsp_say *say)
{
	_cleanup_(buf_deinitp) struct buf id = { 0 };
	gnutls_digest_algorithm_t digest = say->flags & OCSP_SAY_SHA256	  ? GNUTLS_DIG_SHA256
					   : say->flags & OCSP_SAY_SHA384 ? GNUTLS_DIG_SHA384
									  : GNUTLS_DIG_SHA1;
	const char *oid = say->flags & OCSP_SAY_SHA256	 ? "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
			  : say->flags & OCSP_SAY_SHA384 ? "\x60\x86\x48\x01\x65\x03\x04\x02\x02"
							 : "\x2b\x0e\x03\x02\x1a";
	struct view key = key_octets(say->issuer);

	der_put(&id, DER_OID, oid, strlen(oid));
	if (!(say->flags & OCSP_SAY_NO_NULL))
		der_put(&id, DER_NULL, NULL, 0);
	wrap(&id, DER_SEQUENCE);
	put_hash(&id, digest, say->flags & OCSP_SAY_OTHER_NAME ? &null_value : &say->cert->issuer);
	put_hash(&id, digest, &key);
	der_put(&id, DER_INTEGER, say->cert->serial.p, say->cert->serial.n);
	put_buf(b, DER_SEQUENCE, &id);
}

static void put_revoked(struct buf *b, const struct ocsp_say *say)
{
	_cleanup_(buf_deinitp) struct buf info = { 0 }, v = { 0 };
	uint8_t reason = (uint8_t)say->reason;

	put_time(&info, false, say->revoked ? say->revoked : PKI_NOW - PKI_DAY);
	if (!(say->flags & OCSP_SAY_NO_REASON)) {
		der_put(&v, DER_ENUMERATED, &reason, 1);
		put_buf(&info, DER_CONTEXT_CONS(0), &v);
	}
	put_buf(b, DER_CONTEXT_CONS(1), &info);
}

static void put_status(struct buf *b, const struct ocsp_say *say)
{
	switch (say->status) {
	case OCSP_STATUS_GOOD:
		der_put(b, DER_CONTEXT(0), NULL, 0);
		return;
	case OCSP_STATUS_UNKNOWN:
		der_put(b, DER_CONTEXT(2), NULL, 0);
		return;
	case OCSP_STATUS_REVOKED:
		put_revoked(b, say);
		return;
	}
}

static void put_single(struct buf *b, const struct ocsp_say *say)
{
	_cleanup_(buf_deinitp) struct buf s = { 0 }, next = { 0 }, extensions = { 0 };

	put_cert_id(&s, say);
	put_status(&s, say);
	put_time(&s, false, say->this_update ? say->this_update : PKI_NOW - HOUR);
	if (!(say->flags & OCSP_SAY_NO_NEXT)) {
		put_time(&next, false, say->next_update ? say->next_update : PKI_NOW + PKI_DAY);
		put_buf(&s, DER_CONTEXT_CONS(0), &next);
	}
	if (say->flags & (OCSP_SAY_UNKNOWN | OCSP_SAY_CRITICAL))
		put_extension(&extensions, OID_UNKNOWN, !!(say->flags & OCSP_SAY_CRITICAL),
			      &null_value);
	put_extensions(&s, &extensions, false);
	put_buf(b, DER_SEQUENCE, &s);
}

static void put_responder(struct buf *b, const struct ocsp_spec *spec)
{
	_cleanup_(buf_deinitp) struct buf id = { 0 };
	const struct cert *c = spec->responder ? spec->responder : spec->signer->cert;
	struct view key = key_octets(c);

	if (!(spec->flags & OCSP_MAKE_BY_KEY)) {
		der_put(b, DER_CONTEXT_CONS(1), c->subject.p, c->subject.n);
		return;
	}
	if (spec->flags & OCSP_MAKE_SHORT_KEY)
		der_put(&id, DER_OCTET_STRING, key.p, SHA1_BYTES - 1);
	else
		put_hash(&id, GNUTLS_DIG_SHA1, &key);
	put_buf(b, DER_CONTEXT_CONS(2), &id);
}

static void put_nonce(struct buf *b, const struct view *nonce)
{
	_cleanup_(buf_deinitp) struct buf value = { 0 };

	der_put(&value, DER_OCTET_STRING, nonce->p, nonce->n);
	put_extension(b, OID_NONCE, false, &(struct view){ value.p, value.n });
}

static void put_data(struct buf *b, const struct ocsp_spec *spec)
{
	_cleanup_(buf_deinitp) struct buf data = { 0 }, singles = { 0 }, extensions = { 0 };

	if (spec->flags & OCSP_MAKE_VERSION)
		der_put(&data, DER_CONTEXT_CONS(0), "\x02\x01\x00", 3);
	if (spec->flags & OCSP_MAKE_VERSION_2)
		der_put(&data, DER_CONTEXT_CONS(0), "\x02\x01\x01", 3);
	put_responder(&data, spec);
	put_time(&data, !!(spec->flags & OCSP_MAKE_UTCTIME),
		 spec->produced ? spec->produced : PKI_NOW - HOUR);
	for (size_t i = 0; i < OCSP_SAY_MAX && spec->say[i].cert; i++)
		put_single(&singles, &spec->say[i]);
	put_buf(&data, DER_SEQUENCE, &singles);
	for (int i = 0; spec->nonce && i < (spec->flags & OCSP_MAKE_NONCE_TWICE ? 2 : 1); i++)
		put_nonce(&extensions, spec->nonce);
	if (spec->flags & (OCSP_MAKE_UNKNOWN | OCSP_MAKE_CRITICAL))
		put_extension(&extensions, OID_UNKNOWN, !!(spec->flags & OCSP_MAKE_CRITICAL),
			      &null_value);
	put_extensions(&data, &extensions, !!(spec->flags & OCSP_MAKE_EMPTY));
	put_buf(b, DER_SEQUENCE, &data);
}

static void put_signature(struct buf *b, const struct ocsp_spec *spec)
{
	_cleanup_(buf_deinitp) struct buf bits = { 0 };
	bool sha1 = spec->flags & OCSP_MAKE_SHA1;
	const gnutls_datum_t data = { b->p, (unsigned)b->n };
	gnutls_datum_t signature;
	gnutls_privkey_t key;

	if (gnutls_privkey_init(&key) < 0 ||
	    gnutls_privkey_import_x509(key, spec->signer->key, 0) < 0 ||
	    gnutls_privkey_sign_data2(key, sha1 ? GNUTLS_SIGN_ECDSA_SHA1 : GNUTLS_SIGN_ECDSA_SHA256,
				      0, &data, &signature) < 0)
		abort();
	gnutls_privkey_deinit(key);
	if (sha1)
		buf_put(b, "\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", 11);
	else
		buf_put(b, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);
	buf_put_u8(&bits, 0);
	buf_put(&bits, signature.data, signature.size);
	gnutls_free(signature.data);
	put_buf(b, DER_BIT_STRING, &bits);
}

static void put_certs(struct buf *b, const struct ocsp_spec *spec)
{
	_cleanup_(buf_deinitp) struct buf list = { 0 };

	if (spec->flags & OCSP_MAKE_JUNK_CERT)
		der_put(&list, DER_SEQUENCE, "junk", 4);
	for (size_t i = 0; i < ARRAY_SIZE(spec->certs) && spec->certs[i]; i++)
		buf_put(&list, spec->certs[i]->der.p, spec->certs[i]->der.n);
	if (list.n == 0)
		return;
	wrap(&list, DER_SEQUENCE);
	put_buf(b, DER_CONTEXT_CONS(0), &list);
}

void ocsp_make(const struct ocsp_spec *spec, struct buf *ret)
{
	_cleanup_(buf_deinitp) struct buf basic = { 0 }, bytes = { 0 };
	const char *type = spec->flags & OCSP_MAKE_TYPE ? OID_UNKNOWN : OID_BASIC;

	put_data(&basic, spec);
	put_signature(&basic, spec);
	put_certs(&basic, spec);
	wrap(&basic, DER_SEQUENCE);
	der_put(&bytes, DER_OID, type, strlen(type));
	put_buf(&bytes, DER_OCTET_STRING, &basic);
	wrap(&bytes, DER_SEQUENCE);
	der_put(ret, DER_ENUMERATED, "", 1);
	put_buf(ret, DER_CONTEXT_CONS(0), &bytes);
	wrap(ret, DER_SEQUENCE);
}

void ocsp_make_status(uint8_t status, struct buf *ret)
{
	der_put(ret, DER_ENUMERATED, &status, 1);
	wrap(ret, DER_SEQUENCE);
}

void ocsp_make_simple(const struct pki *issuer, const struct cert *cert, enum ocsp_status status,
		      unsigned reason, struct buf *ret)
{
	ocsp_make(&(struct ocsp_spec){ .signer = issuer,
				       .say = { { .cert = cert,
						  .issuer = issuer->cert,
						  .status = status,
						  .reason = reason } } },
		  ret);
}
