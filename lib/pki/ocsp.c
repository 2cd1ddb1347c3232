// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/ocsp.h"

#include <errno.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/pki/der.h"
#include "lib/pki/dn.h"
#include "lib/pki/proof.h"

static const char *const fault_texts[] = {
	[OCSP_GOOD] = "good",
	[OCSP_TOO_LARGE] = "the OCSP response is too large",
	[OCSP_MALFORMED] = "the OCSP response cannot be read",
	[OCSP_MALFORMED_REQUEST] = "the OCSP responder could not read the request",
	[OCSP_INTERNAL_ERROR] = "the OCSP responder had an internal error",
	[OCSP_TRY_LATER] = "the OCSP responder asks to try later",
	[OCSP_SIGNATURE_REQUIRED] = "the OCSP responder wants signed requests",
	[OCSP_UNAUTHORIZED] = "the OCSP responder does not answer about this certificate",
	[OCSP_TYPE] = "the OCSP response is of an unknown type",
	[OCSP_CRITICAL_EXTENSION] =
		"the OCSP response has a critical extension that this version does not process",
	[OCSP_OTHER_CERTIFICATE] = "the OCSP response is about another certificate",
	[OCSP_NONCE] = "the OCSP response does not have the nonce of the request",
	[OCSP_RESPONDER] = "the OCSP responder is neither the issuer nor a delegate that is known",
	[OCSP_DELEGATE_ISSUER] = "the OCSP responder's certificate is not of the issuer's key",
	[OCSP_DELEGATE_EKU] =
		"the OCSP responder's certificate may not sign OCSP responses (OCSPSigning)",
	[OCSP_DELEGATE_CA] = "the OCSP responder's certificate is a CA's",
	[OCSP_DELEGATE_FORM] = "the OCSP responder's certificate has a form that is not accepted",
	[OCSP_DELEGATE_TIME] = "the OCSP responder's certificate has expired, or is not valid yet",
	[OCSP_DELEGATE_CHECK] =
		"the OCSP responder's certificate may be revoked itself (no ocsp-nocheck)",
	[OCSP_ALGORITHM] = "the OCSP response's signature algorithm or key is too weak or unknown",
	[OCSP_BAD_SIGNATURE] = "the OCSP response's signature does not verify",
	[OCSP_FUTURE] = "the OCSP response is of the future",
	[OCSP_STALE] = "the OCSP response is out of date",
};

const char *ocsp_fault_text(enum ocsp_fault f)
{
	return (size_t)f < ARRAY_SIZE(fault_texts) ? fault_texts[f] : "unknown";
}

const char *ocsp_status_text(enum ocsp_status s)
{
	static const char *const texts[] = { [OCSP_STATUS_GOOD] = "good",
					     [OCSP_STATUS_UNKNOWN] = "unknown",
					     [OCSP_STATUS_REVOKED] = "revoked" };

	return (size_t)s < ARRAY_SIZE(texts) ? texts[s] : "unknown";
}

/* contents of an OBJECT IDENTIFIER */
#define OID(octets)                                                                                \
	{                                                                                          \
		(const uint8_t *)(octets), sizeof(octets) - 1                                      \
	}
#define PKIX_OCSP "\x2b\x06\x01\x05\x05\x07\x30\x01"
static const struct view oid_basic = OID(PKIX_OCSP "\x01");
static const struct view oid_nonce = OID(PKIX_OCSP "\x02");
static const struct view oid_nocheck = OID(PKIX_OCSP "\x05");
static const struct view oid_sha1 = OID("\x2b\x0e\x03\x02\x1a");
static const struct view oid_sha256 = OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01");

static int whole(struct view *in, uint8_t tag, struct view *ret_whole)
{
	struct view content;
	uint8_t got;

	return der_next(in, &got, &content, ret_whole) < 0 || got != tag ? -EBADMSG : 0;
}

/* One element of this tag and nothing after it. */
static int only(struct view in, uint8_t tag, struct view *ret)
{
	return der_expect(&in, tag, ret) < 0 || in.n > 0 ? -EBADMSG : 0;
}

static int read_time(struct view *in, int64_t *ret)
{
	return in->n > 0 && in->p[0] == DER_GENTIME ? der_time(in, ret) : -EBADMSG;
}

static int read_enumerated(struct view *in, unsigned *ret)
{
	struct view v;

	if (der_expect(in, DER_ENUMERATED, &v) < 0 || v.n != 1 || v.p[0] & 0x80)
		return -EBADMSG;
	*ret = v.p[0];
	return 0;
}

/* --- extensions, RFC 6960 4.4 --- */

#define MAX_EXTENSIONS 16

struct extension {
	struct view oid, value;
	bool critical;
};

static int next_extension(struct view *in, struct extension *ret)
{
	struct view seq;

	ret->critical = false;
	if (der_expect(in, DER_SEQUENCE, &seq) < 0 || der_expect(&seq, DER_OID, &ret->oid) < 0)
		return -EBADMSG;
	if (seq.n > 0 && seq.p[0] == DER_BOOLEAN && der_bool(&seq, &ret->critical) < 0)
		return -EBADMSG;
	return der_expect(&seq, DER_OCTET_STRING, &ret->value) < 0 || seq.n > 0 ? -EBADMSG : 0;
}

/* Contents of the tag around Extensions.  The nonce is the one that is processed: *ret_nonce, or
 * NULL where none belongs. */
static int read_extensions(struct view explicit, struct view *ret_nonce, bool *ret_unknown_critical)
{
	struct view in, seen[MAX_EXTENSIONS];
	size_t n = 0;

	if (only(explicit, DER_SEQUENCE, &in) < 0 || in.n == 0)
		return -EBADMSG;
	while (in.n > 0) {
		struct extension e;

		if (n == MAX_EXTENSIONS || next_extension(&in, &e) < 0)
			return -EBADMSG;
		for (size_t i = 0; i < n; i++)
			if (view_is(&seen[i], e.oid.p, e.oid.n))
				return -EBADMSG;
		seen[n++] = e.oid;
		if (ret_nonce && view_is(&e.oid, oid_nonce.p, oid_nonce.n))
			*ret_nonce = e.value;
		else
			*ret_unknown_critical |= e.critical;
	}
	return 0;
}

/* --- SingleResponse, RFC 6960 4.2.1 --- */

struct single {
	struct view hash, name_hash, key_hash, serial; /* CertID; hash: the OID */
	enum ocsp_status status;
	unsigned reason;
	int64_t revoked, this_update, next_update; /* next_update: 0 without one */
	bool unknown_critical;
};

static int read_cert_id(struct view in, struct single *s)
{
	struct view algorithm, null;
	bool found;

	if (der_expect(&in, DER_SEQUENCE, &algorithm) < 0 ||
	    der_expect(&algorithm, DER_OID, &s->hash) < 0 ||
	    der_optional(&algorithm, DER_NULL, &null, &found) < 0 || (found && null.n > 0) ||
	    algorithm.n > 0)
		return -EBADMSG;
	return der_expect(&in, DER_OCTET_STRING, &s->name_hash) < 0 ||
			       der_expect(&in, DER_OCTET_STRING, &s->key_hash) < 0 ||
			       der_expect(&in, DER_INTEGER, &s->serial) < 0 || s->serial.n < 1 ||
			       in.n > 0
		       ? -EBADMSG
		       : 0;
}

static int read_revoked(struct view in, struct single *s)
{
	struct view v;
	bool found;

	if (read_time(&in, &s->revoked) < 0 ||
	    der_optional(&in, DER_CONTEXT_CONS(0), &v, &found) < 0 || in.n > 0)
		return -EBADMSG;
	return found && (read_enumerated(&v, &s->reason) < 0 || v.n > 0) ? -EBADMSG : 0;
}

static int read_status(struct view *in, struct single *s)
{
	struct view v;
	uint8_t tag;

	if (der_next(in, &tag, &v, NULL) < 0)
		return -EBADMSG;
	switch (tag) {
	case DER_CONTEXT(0):
		s->status = OCSP_STATUS_GOOD;
		return v.n == 0 ? 0 : -EBADMSG;
	case DER_CONTEXT_CONS(1):
		s->status = OCSP_STATUS_REVOKED;
		return read_revoked(v, s);
	case DER_CONTEXT(2):
		s->status = OCSP_STATUS_UNKNOWN;
		return v.n == 0 ? 0 : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

static int next_single(struct view *in, struct single *ret)
{
	struct single s = { 0 };
	struct view seq, v;
	bool found;

	if (der_expect(in, DER_SEQUENCE, &seq) < 0 || der_expect(&seq, DER_SEQUENCE, &v) < 0 ||
	    read_cert_id(v, &s) < 0 || read_status(&seq, &s) < 0 ||
	    read_time(&seq, &s.this_update) < 0 ||
	    der_optional(&seq, DER_CONTEXT_CONS(0), &v, &found) < 0)
		return -EBADMSG;
	if (found &&
	    (read_time(&v, &s.next_update) < 0 || v.n > 0 || s.next_update < s.this_update))
		return -EBADMSG;
	if (der_optional(&seq, DER_CONTEXT_CONS(1), &v, &found) < 0 || seq.n > 0)
		return -EBADMSG;
	if (found && read_extensions(v, NULL, &s.unknown_critical) < 0)
		return -EBADMSG;
	*ret = s;
	return 0;
}

/* --- BasicOCSPResponse --- */

static int read_responder(struct view *in, struct ocsp_response *r)
{
	struct view v;
	uint8_t tag;

	if (der_next(in, &tag, &v, NULL) < 0)
		return -EBADMSG;
	if (tag == DER_CONTEXT_CONS(1)) {
		r->by_name = v;
		return only(v, DER_SEQUENCE, &v);
	}
	if (tag != DER_CONTEXT_CONS(2) || only(v, DER_OCTET_STRING, &r->by_key) < 0)
		return -EBADMSG;
	return r->by_key.n == SHA1_BYTES ? 0 : -EBADMSG;
}

static int read_data(struct view in, struct ocsp_response *r)
{
	struct view v, singles;
	struct single s;
	uint32_t version;
	bool found;

	/* v1 is the default, and so not written in DER; some write it */
	if (der_optional(&in, DER_CONTEXT_CONS(0), &v, &found) < 0 ||
	    (found && (der_small_uint(&v, &version) < 0 || v.n > 0 || version != 0)) ||
	    read_responder(&in, r) < 0 || read_time(&in, &r->produced) < 0 ||
	    der_expect(&in, DER_SEQUENCE, &r->singles) < 0 || r->singles.n == 0 ||
	    der_optional(&in, DER_CONTEXT_CONS(1), &v, &found) < 0 || in.n > 0)
		return -EBADMSG;
	if (found && read_extensions(v, &r->nonce, &r->unknown_critical) < 0)
		return -EBADMSG;
	for (singles = r->singles; singles.n > 0;)
		if (next_single(&singles, &s) < 0)
			return -EBADMSG;
	return 0;
}

static int read_basic(struct view in, struct ocsp_response *r)
{
	struct view seq, at, data, v;
	unsigned unused;
	bool found;

	if (only(in, DER_SEQUENCE, &seq) < 0)
		return -EBADMSG;
	at = seq;
	if (whole(&seq, DER_SEQUENCE, &r->tbs) < 0 || der_expect(&at, DER_SEQUENCE, &data) < 0 ||
	    whole(&seq, DER_SEQUENCE, &r->sig_alg) < 0 ||
	    der_bits(&seq, &r->signature, &unused) < 0 || unused ||
	    der_optional(&seq, DER_CONTEXT_CONS(0), &v, &found) < 0 || seq.n > 0)
		return -EBADMSG;
	if (found && only(v, DER_SEQUENCE, &r->certs) < 0)
		return -EBADMSG;
	return read_data(data, r);
}

static enum ocsp_fault fault_of_status(unsigned status)
{
	switch (status) {
	case 1:
		return OCSP_MALFORMED_REQUEST;
	case 2:
		return OCSP_INTERNAL_ERROR;
	case 3:
		return OCSP_TRY_LATER;
	case 5:
		return OCSP_SIGNATURE_REQUIRED;
	case 6:
		return OCSP_UNAUTHORIZED;
	default:
		return OCSP_MALFORMED;
	}
}

enum ocsp_fault ocsp_response_read(const struct view *der, struct ocsp_response *ret)
{
	struct ocsp_response r = { 0 };
	struct view seq, bytes, type, basic;
	unsigned status;
	bool found;

	if (der->n > LIMIT_OCSP_BYTES)
		return OCSP_TOO_LARGE;
	if (only(*der, DER_SEQUENCE, &seq) < 0 || read_enumerated(&seq, &status) < 0 ||
	    der_optional(&seq, DER_CONTEXT_CONS(0), &bytes, &found) < 0 || seq.n > 0)
		return OCSP_MALFORMED;
	if (status != 0)
		return fault_of_status(status);
	if (!found || only(bytes, DER_SEQUENCE, &seq) < 0 || der_expect(&seq, DER_OID, &type) < 0 ||
	    der_expect(&seq, DER_OCTET_STRING, &basic) < 0 || seq.n > 0)
		return OCSP_MALFORMED;
	if (!view_is(&type, oid_basic.p, oid_basic.n))
		return OCSP_TYPE;
	if (read_basic(basic, &r) < 0)
		return OCSP_MALFORMED;
	*ret = r;
	return OCSP_GOOD;
}

/* --- CertID --- */

#define REASON_HOLD 6 /* certificateHold, RFC 5280 5.3.1 */

/* Contents of the BIT STRING, which are what CertID and KeyHash hash: the reader of certificates
 * has seen that they are there. */
static struct view key_octets(const struct cert *c)
{
	struct view in = c->spki, seq, algorithm, bits = { 0 };
	unsigned unused;

	if (der_expect(&in, DER_SEQUENCE, &seq) == 0 &&
	    der_expect(&seq, DER_SEQUENCE, &algorithm) == 0)
		(void)der_bits(&seq, &bits, &unused);
	return bits;
}

static bool is_hash_of(const struct view *hash, const struct view *oid, const struct view *what)
{
	uint8_t octets[SHA256_BYTES];

	if (view_is(oid, oid_sha1.p, oid_sha1.n)) {
		sha1(what->p, what->n, octets);
		return view_is(hash, octets, SHA1_BYTES);
	}
	if (!view_is(oid, oid_sha256.p, oid_sha256.n))
		return false;
	sha256(what->p, what->n, octets);
	return view_is(hash, octets, SHA256_BYTES);
}

/* The issuer's name is that which stands in the certificate (4.1.1); a responder that makes its
 * answers in advance (RFC 5019) may know but the other spelling, in the issuer's own. */
static bool single_is_about(const struct single *s, const struct cert *cert,
			    const struct cert *issuer)
{
	const struct view key = key_octets(issuer);

	return view_is(&s->serial, cert->serial.p, cert->serial.n) &&
	       dn_equal(&cert->issuer, &issuer->subject) &&
	       is_hash_of(&s->key_hash, &s->hash, &key) &&
	       (is_hash_of(&s->name_hash, &s->hash, &cert->issuer) ||
		is_hash_of(&s->name_hash, &s->hash, &issuer->subject));
}

/* A hold is not as bad as a revocation for good; of equals, the one that ends first is the worse.
 */
static bool is_worse(const struct single *a, const struct single *b)
{
	bool a_hold = a->reason == REASON_HOLD, b_hold = b->reason == REASON_HOLD;

	if (a->status != b->status)
		return a->status > b->status;
	if (a->status == OCSP_STATUS_REVOKED && a_hold != b_hold)
		return b_hold;
	return a->next_update < b->next_update;
}

/* The worst of what is said about the certificate. */
static bool find_single(const struct ocsp_response *r, const struct cert *cert,
			const struct cert *issuer, struct single *ret)
{
	struct view in = r->singles;
	bool found = false, critical = false;
	struct single s;

	while (in.n > 0 && next_single(&in, &s) == 0) {
		if (!single_is_about(&s, cert, issuer))
			continue;
		if (s.next_update == 0)
			s.next_update = s.this_update + (int64_t)LIMIT_OCSP_FRESH_USEC;
		critical |= s.unknown_critical;
		if (!found || is_worse(&s, ret))
			*ret = s;
		found = true;
	}
	ret->unknown_critical = critical;
	return found;
}

bool ocsp_is_about(const struct ocsp_response *r, const struct cert *cert,
		   const struct cert *issuer)
{
	struct single s;

	return find_single(r, cert, issuer, &s);
}

/* --- who signed it --- */

static bool is_responder(const struct ocsp_response *r, const struct cert *c)
{
	const struct view key = key_octets(c);

	if (r->by_key.n > 0)
		return is_hash_of(&r->by_key, &oid_sha1, &key);
	return dn_equal(&r->by_name, &c->subject);
}

static enum ocsp_fault check_signature(const struct cert *signer, const struct view *sig_alg,
				       const struct view *data, const struct view *signature)
{
	int r = signature_verify_x509(signer, sig_alg, data, signature);

	if (r == -EOPNOTSUPP)
		return OCSP_ALGORITHM;
	return r < 0 ? OCSP_BAD_SIGNATURE : OCSP_GOOD;
}

/* RFC 6960 4.2.2.2.1 */
static bool has_nocheck(const struct cert *c)
{
	struct view in = c->extensions;
	struct extension e;

	while (in.n > 0 && next_extension(&in, &e) == 0)
		if (view_is(&e.oid, oid_nocheck.p, oid_nocheck.n))
			return true;
	return false;
}

/* RFC 6960 4.2.2.2: anyExtendedKeyUsage is no delegation. */
static enum ocsp_fault check_delegate(const struct cert *c, const struct cert *issuer, int64_t now)
{
	enum ocsp_fault fault;

	if (!dn_equal(&c->issuer, &issuer->subject))
		return OCSP_DELEGATE_ISSUER;
	if (c->is_ca || (c->has_key_usage && c->key_usage & KU_KEY_CERT_SIGN))
		return OCSP_DELEGATE_CA;
	if (!(c->eku & EKU_OCSP_SIGNING) ||
	    (c->has_key_usage && !(c->key_usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))))
		return OCSP_DELEGATE_EKU;
	if (c->unknown_critical || c->bad_form || c->lax_form || c->bad_serial)
		return OCSP_DELEGATE_FORM;
	if (!view_is(&c->sig_alg, c->sig_alg_tbs.p, c->sig_alg_tbs.n))
		return OCSP_ALGORITHM;
	fault = check_signature(issuer, &c->sig_alg, &c->tbs, &c->signature);
	if (fault != OCSP_GOOD)
		return fault == OCSP_BAD_SIGNATURE ? OCSP_DELEGATE_ISSUER : fault;
	if (now < c->not_before || now > c->not_after)
		return OCSP_DELEGATE_TIME;
	return has_nocheck(c) ? OCSP_GOOD : OCSP_DELEGATE_CHECK;
}

/* Looks among the certificates sent along.  The first fault of a responder's is the one told. */
static int try_delegates(const struct ocsp_response *r, const struct cert *issuer, int64_t now,
			 enum ocsp_fault *fault)
{
	struct view in = r->certs, der;
	size_t n = 0;

	while (in.n > 0) {
		_cleanup_(cert_freep) struct cert *c = NULL;
		enum ocsp_fault f;
		int e;

		if (n++ == LIMIT_CHAIN_CERTS) {
			*fault = OCSP_TOO_LARGE;
			return 0;
		}
		if (whole(&in, DER_SEQUENCE, &der) < 0) {
			*fault = OCSP_MALFORMED;
			return 0;
		}
		e = cert_parse(der.p, der.n, &c);
		if (e == -ENOMEM)
			return e;
		/* what cannot be read is nobody's; the issuer's own key has been tried */
		if (e < 0 || !is_responder(r, c) ||
		    memcmp(c->spki_sha256, issuer->spki_sha256, SHA256_BYTES) == 0)
			continue;
		f = check_delegate(c, issuer, now);
		if (f == OCSP_GOOD)
			f = check_signature(c, &r->sig_alg, &r->tbs, &r->signature);
		if (f == OCSP_GOOD || *fault == OCSP_RESPONDER)
			*fault = f;
		if (f == OCSP_GOOD)
			return 0;
	}
	return 0;
}

static int check_responder(const struct ocsp_response *r, const struct cert *issuer, int64_t now,
			   struct ocsp_answer *a)
{
	a->fault = OCSP_RESPONDER;
	if (is_responder(r, issuer))
		a->fault = check_signature(issuer, &r->sig_alg, &r->tbs, &r->signature);
	if (a->fault == OCSP_GOOD)
		return 0;
	a->delegated = true;
	return try_delegates(r, issuer, now, &a->fault);
}

static enum ocsp_fault check_time(const struct ocsp_answer *a, int64_t now)
{
	int64_t latest = now + (int64_t)LIMIT_OCSP_SKEW_USEC;

	if (a->this_update > latest || a->produced > latest)
		return OCSP_FUTURE;
	return now > a->next_update ? OCSP_STALE : OCSP_GOOD;
}

/* RFC 8954 2.1: an OCTET STRING within that of the extension */
static bool nonce_is(const struct view *value, const struct view *nonce)
{
	struct view v;

	return only(*value, DER_OCTET_STRING, &v) == 0 && view_is(&v, nonce->p, nonce->n);
}

int ocsp_check(const struct view *der, const struct cert *cert, const struct cert *issuer,
	       int64_t now, const struct view *nonce, struct ocsp_answer *ret)
{
	struct ocsp_answer a = { .fault = OCSP_MALFORMED };
	struct ocsp_response r;
	struct single s;
	int e;

	*ret = a;
	ret->fault = ocsp_response_read(der, &r);
	if (ret->fault != OCSP_GOOD)
		return 0;
	ret->fault = OCSP_OTHER_CERTIFICATE;
	if (!find_single(&r, cert, issuer, &s))
		return 0;
	ret->fault = OCSP_CRITICAL_EXTENSION;
	if (r.unknown_critical || s.unknown_critical)
		return 0;
	ret->fault = OCSP_NONCE;
	if (nonce && !nonce_is(&r.nonce, nonce))
		return 0;
	e = check_responder(&r, issuer, now, &a);
	ret->fault = a.fault;
	if (e < 0 || a.fault != OCSP_GOOD)
		return e;
	a.status = s.status;
	a.reason = s.reason;
	a.revoked = s.revoked;
	a.this_update = s.this_update;
	a.next_update = s.next_update;
	a.produced = r.produced;
	a.fault = check_time(&a, now);
	*ret = a;
	return 0;
}

/* --- OCSPRequest, RFC 6960 4.1.1 --- */

/* Puts what was built so far into an element. */
static void wrap(struct buf *b, uint8_t tag)
{
	struct buf outer = { 0 };

	der_put(&outer, tag, b->p, b->n);
	if (b->error)
		outer.error = b->error;
	buf_deinit(b);
	*b = outer;
}

static void put_cert_id(struct buf *b, const struct cert *cert, const struct cert *issuer)
{
	_cleanup_(buf_deinitp) struct buf algorithm = { 0 };
	const struct view key = key_octets(issuer);
	uint8_t hash[SHA1_BYTES];

	der_put(&algorithm, DER_OID, oid_sha1.p, oid_sha1.n);
	der_put(&algorithm, DER_NULL, NULL, 0);
	der_put(b, DER_SEQUENCE, algorithm.p, algorithm.n);
	sha1(cert->issuer.p, cert->issuer.n, hash);
	der_put(b, DER_OCTET_STRING, hash, sizeof(hash));
	sha1(key.p, key.n, hash);
	der_put(b, DER_OCTET_STRING, hash, sizeof(hash));
	der_put(b, DER_INTEGER, cert->serial.p, cert->serial.n);
	if (algorithm.error)
		b->error = algorithm.error;
}

static void put_nonce(struct buf *b, const struct view *nonce)
{
	_cleanup_(buf_deinitp) struct buf value = { 0 }, e = { 0 };

	der_put(&value, DER_OCTET_STRING, nonce->p, nonce->n);
	der_put(&e, DER_OID, oid_nonce.p, oid_nonce.n);
	der_put(&e, DER_OCTET_STRING, value.p, value.n);
	wrap(&e, DER_SEQUENCE);
	wrap(&e, DER_SEQUENCE);
	der_put(b, DER_CONTEXT_CONS(2), e.p, e.n);
	if (value.error || e.error)
		b->error = -ENOMEM;
}

int ocsp_request_new(const struct cert *cert, const struct cert *issuer, const struct view *nonce,
		     struct buf *ret)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	if (nonce && (nonce->n < 1 || nonce->n > 128))
		return -EINVAL;
	put_cert_id(&b, cert, issuer);
	wrap(&b, DER_SEQUENCE); /* CertID */
	wrap(&b, DER_SEQUENCE); /* Request */
	wrap(&b, DER_SEQUENCE); /* requestList */
	if (nonce)
		put_nonce(&b, nonce);
	wrap(&b, DER_SEQUENCE); /* TBSRequest */
	wrap(&b, DER_SEQUENCE);
	if (b.error)
		return b.error;
	buf_put(ret, b.p, b.n);
	return ret->error;
}
