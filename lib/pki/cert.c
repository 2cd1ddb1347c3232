// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/cert.h"

#include <errno.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/pki/constraints.h"
#include "lib/pki/der.h"
#include "lib/pki/dn.h"
#include "lib/pki/form.h"
#include "lib/pki/pem.h"
#include "lib/pki/policy.h"

/* contents of an OBJECT IDENTIFIER */
#define OID(octets)                                                                                \
	{                                                                                          \
		(const uint8_t *)(octets), sizeof(octets) - 1                                      \
	}

/* --- SubjectPublicKeyInfo --- */

static const struct {
	struct view oid;
	enum key_type key;
	unsigned bits;
} curves[] = {
	{ OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), KEY_P256, 256 },
	{ OID("\x2b\x81\x04\x00\x22"), KEY_P384, 384 },
	{ OID("\x2b\x81\x04\x00\x23"), KEY_P521, 521 },
};

static unsigned bit_length(struct view v)
{
	unsigned bits;

	while (v.n > 0 && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	if (v.n == 0)
		return 0;
	bits = (unsigned)(v.n - 1) * 8;
	for (uint8_t top = v.p[0]; top; top >>= 1)
		bits++;
	return bits;
}

/* RSAPublicKey, RFC 8017 A.1.1. */
static int read_rsa(struct view bits, struct cert *c)
{
	struct view seq, n, e;

	if (der_expect(&bits, DER_SEQUENCE, &seq) < 0 || bits.n > 0 ||
	    der_expect(&seq, DER_INTEGER, &n) < 0 || der_expect(&seq, DER_INTEGER, &e) < 0 ||
	    seq.n > 0 || n.n < 1 || e.n < 1 || n.p[0] & 0x80 || e.p[0] & 0x80)
		return -EBADMSG;
	c->key = KEY_RSA;
	c->key_bits = bit_length(n);
	c->rsa_e_bits = bit_length(e);
	/* an even exponent or 1 is no RSA key; told by a size that no floor accepts */
	if (!(e.p[e.n - 1] & 1) || c->rsa_e_bits < 2)
		c->rsa_e_bits = 0;
	return 0;
}

static int read_ec(struct view parameters, struct view point, struct cert *c)
{
	struct view oid;

	/* RFC 5480 2.1.1: named curves alone */
	if (der_expect(&parameters, DER_OID, &oid) < 0 || parameters.n > 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		if (!view_is(&oid, curves[i].oid.p, curves[i].oid.n))
			continue;
		if (point.n != 1 + 2 * ((curves[i].bits + 7) / 8) || point.p[0] != 4)
			return -EBADMSG;
		c->key = curves[i].key;
		c->key_bits = curves[i].bits;
	}
	return 0;
}

static int read_spki(struct view spki, struct cert *c)
{
	static const struct view rsa = OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
	static const struct view ec = OID("\x2a\x86\x48\xce\x3d\x02\x01");
	static const struct view ed25519 = OID("\x2b\x65\x70");
	struct view seq, algorithm, oid, bits;
	unsigned unused;

	if (der_expect(&spki, DER_SEQUENCE, &seq) < 0 ||
	    der_expect(&seq, DER_SEQUENCE, &algorithm) < 0 ||
	    der_expect(&algorithm, DER_OID, &oid) < 0 || der_bits(&seq, &bits, &unused) < 0 ||
	    unused || seq.n > 0)
		return -EBADMSG;
	if (view_is(&oid, rsa.p, rsa.n))
		return read_rsa(bits, c);
	if (view_is(&oid, ec.p, ec.n))
		return read_ec(algorithm, bits, c);
	if (view_is(&oid, ed25519.p, ed25519.n) && algorithm.n == 0 && bits.n == 32) {
		c->key = KEY_ED25519;
		c->key_bits = 255;
	}
	return 0;
}

/* --- extensions, RFC 5280 4.2 --- */

static int read_basic_constraints(struct view v, struct cert *c)
{
	struct view seq;
	uint32_t len;

	c->has_basic_constraints = true;
	c->path_len = -1;
	if (der_expect(&v, DER_SEQUENCE, &seq) < 0 || v.n > 0)
		return -EBADMSG;
	if (seq.n > 0 && seq.p[0] == DER_BOOLEAN && der_bool(&seq, &c->is_ca) < 0)
		return -EBADMSG;
	if (seq.n > 0) {
		if (der_small_uint(&seq, &len) < 0 || seq.n > 0)
			return -EBADMSG;
		c->path_len = (int)len;
	}
	return 0;
}

static int read_key_usage(struct view v, struct cert *c)
{
	struct view bits;
	unsigned unused;

	c->has_key_usage = true;
	if (der_bits(&v, &bits, &unused) < 0 || v.n > 0 || bits.n > 2)
		return -EBADMSG;
	for (size_t i = 0; i < bits.n * 8; i++)
		if (bits.p[i / 8] & (0x80 >> i % 8))
			c->key_usage |= 1u << i;
	return 0;
}

static int read_eku(struct view v, struct cert *c)
{
	static const struct {
		struct view oid;
		unsigned eku;
	} known[] = {
		{ OID("\x2b\x06\x01\x05\x05\x07\x03\x01"), EKU_SERVER_AUTH },
		{ OID("\x2b\x06\x01\x05\x05\x07\x03\x02"), EKU_CLIENT_AUTH },
		{ OID("\x2b\x06\x01\x05\x05\x07\x03\x09"), EKU_OCSP_SIGNING },
		{ OID("\x55\x1d\x25\x00"), EKU_ANY },
		{ OID("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x02"), EKU_SMARTCARD_LOGON },
	};
	struct view seq, oid;

	c->has_eku = true;
	if (der_expect(&v, DER_SEQUENCE, &seq) < 0 || v.n > 0)
		return -EBADMSG;
	while (seq.n > 0) {
		unsigned eku = EKU_OTHER;

		if (der_expect(&seq, DER_OID, &oid) < 0)
			return -EBADMSG;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (view_is(&oid, known[i].oid.p, known[i].oid.n))
				eku = known[i].eku;
		c->eku |= eku;
	}
	return 0;
}

static int read_san(struct view v, struct cert *c)
{
	if (der_expect(&v, DER_SEQUENCE, &c->san) < 0 || v.n > 0 || c->san.n == 0)
		return -EBADMSG;
	c->bad_form |= !form_general_names(c->san);
	return 0;
}

/* Nothing of a list that is malformed is used. */
static void read_list(struct view v, bool (*ok)(struct view), struct view *ret, struct cert *c)
{
	struct view list;

	if (der_expect(&v, DER_SEQUENCE, &list) < 0 || v.n > 0 || !ok(list))
		c->bad_form = true;
	else
		*ret = list;
}

static int read_aia(struct view v, struct cert *c)
{
	read_list(v, form_access_descriptions, &c->aia, c);
	return 0;
}

static int read_crl_dps(struct view v, struct cert *c)
{
	read_list(v, form_distribution_points, &c->crl_dps, c);
	return 0;
}

static int read_aki(struct view v, struct cert *c)
{
	struct view seq;
	bool found;

	if (der_expect(&v, DER_SEQUENCE, &seq) < 0 || v.n > 0)
		return -EBADMSG;
	return der_optional(&seq, DER_CONTEXT(0), &c->aki, &found);
}

static int read_ski(struct view v, struct cert *c)
{
	return der_expect(&v, DER_OCTET_STRING, &c->ski) < 0 || v.n > 0 ? -EBADMSG : 0;
}

static int read_name_constraints(struct view v, struct cert *c)
{
	return constraints_read(v, &c->permitted, &c->excluded);
}

static int read_ignored(struct view v, struct cert *c)
{
	(void)v;
	(void)c;
	return 0;
}

enum {
	PROCESSED = 1 << 0,   /* it may be critical */
	BINDING = 1 << 1,     /* it must be */
	PLAIN = 1 << 2,	      /* it must not be, and harms nobody if it is */
	OF_A_CA = 1 << 3,     /* BINDING_NOW in a CA's certificate */
	BINDING_NOW = 1 << 4, /* it must be, but not for RFC 3280 */
};

/* Extensions that we read: below id-ce 2.5.29 by their last arc, but for the one below id-pe. */
#define ARC_AIA 0 /* 1.3.6.1.5.5.7.1.1; there is no 2.5.29.0 */
static const struct {
	uint8_t arc;
	unsigned flags;
	int (*read)(struct view v, struct cert *c);
} extensions[] = {
	{ ARC_AIA, PROCESSED | PLAIN, read_aia },
	{ 14, PROCESSED | PLAIN, read_ski },
	{ 15, PROCESSED, read_key_usage },
	{ 17, PROCESSED, read_san },
	{ 18, 0, read_ignored }, /* issuerAltName */
	{ 19, PROCESSED | OF_A_CA, read_basic_constraints },
	{ 30, PROCESSED | BINDING, read_name_constraints },
	{ 31, 0, read_crl_dps },
	{ 32, PROCESSED, policy_read_policies },
	{ 33, PROCESSED, policy_read_mappings },
	{ 35, PROCESSED | PLAIN, read_aki },
	{ 36, PROCESSED | BINDING_NOW, policy_read_constraints },
	{ 37, PROCESSED, read_eku },
	{ 54, PROCESSED | BINDING_NOW, policy_read_inhibit_any },
};

static bool is_extension(const struct view *oid, uint8_t arc)
{
	static const struct view aia = OID("\x2b\x06\x01\x05\x05\x07\x01\x01");

	if (arc == ARC_AIA)
		return view_is(oid, aia.p, aia.n);
	return oid->n == 3 && oid->p[0] == 0x55 && oid->p[1] == 0x1d && oid->p[2] == arc;
}

static int read_extension(struct view oid, bool critical, struct view value, struct cert *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		unsigned flags = extensions[i].flags;
		int r;

		if (!is_extension(&oid, extensions[i].arc))
			continue;
		r = extensions[i].read(value, c);
		c->unknown_critical |= critical && !(flags & PROCESSED);
		c->bad_form |= flags & (critical ? PLAIN : BINDING);
		c->lax_form |= !critical && (flags & BINDING_NOW || (flags & OF_A_CA && c->is_ca));
		c->lax_form |= !critical && (flags & BINDING_NOW || (flags & OF_A_CA && c->is_ca));
		c->san_critical |= critical && extensions[i].arc == 17;
		return r;
	}
	c->unknown_critical |= critical;
	return 0;
}

#define MAX_EXTENSIONS 64

static int read_extensions(struct view in, struct cert *c)
{
	struct view seen[MAX_EXTENSIONS];
	size_t n = 0;

	c->extensions = in;
	while (in.n > 0) {
		struct view seq, oid, value;
		bool critical = false;

		if (n == MAX_EXTENSIONS || der_expect(&in, DER_SEQUENCE, &seq) < 0 ||
		    der_expect(&seq, DER_OID, &oid) < 0)
			return -EBADMSG;
		if (seq.n > 0 && seq.p[0] == DER_BOOLEAN && der_bool(&seq, &critical) < 0)
			return -EBADMSG;
		if (der_expect(&seq, DER_OCTET_STRING, &value) < 0 || seq.n > 0)
			return -EBADMSG;
		for (size_t i = 0; i < n; i++) /* RFC 5280 4.2: no extension twice */
			if (view_is(&seen[i], oid.p, oid.n))
				return -EBADMSG;
		seen[n++] = oid;
		if (read_extension(oid, critical, value, c) < 0)
			return -EBADMSG;
	}
	return 0;
}

bool cert_extension(const struct cert *c, const struct view *oid, struct view *ret)
{
	struct view in = c->extensions, seq, id;

	while (in.n > 0 && der_expect(&in, DER_SEQUENCE, &seq) == 0 &&
	       der_expect(&seq, DER_OID, &id) == 0) {
		bool critical;

		if (!view_is(&id, oid->p, oid->n))
			continue;
		if (seq.n > 0 && seq.p[0] == DER_BOOLEAN && der_bool(&seq, &critical) < 0)
			return false;
		return der_expect(&seq, DER_OCTET_STRING, ret) == 0;
	}
	return false;
}

/* --- Certificate, RFC 5280 4.1 --- */

static int read_version(struct view *tbs, struct cert *c)
{
	struct view v;
	uint32_t version;
	bool found;

	c->version = 1;
	if (der_optional(tbs, DER_CONTEXT_CONS(0), &v, &found) < 0)
		return -EBADMSG;
	if (!found)
		return 0;
	if (der_small_uint(&v, &version) < 0 || v.n > 0 || version < 1 || version > 2)
		return -EBADMSG;
	c->version = (int)version + 1;
	return 0;
}

static int whole(struct view *in, uint8_t tag, struct view *ret_whole)
{
	struct view content;
	uint8_t got;

	return der_next(in, &got, &content, ret_whole) < 0 || got != tag ? -EBADMSG : 0;
}

static int read_tbs(struct view tbs, struct cert *c)
{
	struct view validity, ext, list;
	bool found;

	if (read_version(&tbs, c) < 0 || der_expect(&tbs, DER_INTEGER, &c->serial) < 0 ||
	    c->serial.n < 1 || whole(&tbs, DER_SEQUENCE, &c->sig_alg_tbs) < 0 ||
	    whole(&tbs, DER_SEQUENCE, &c->issuer) < 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &validity) < 0 ||
	    der_time(&validity, &c->not_before) < 0 || der_time(&validity, &c->not_after) < 0 ||
	    validity.n > 0 || whole(&tbs, DER_SEQUENCE, &c->subject) < 0 ||
	    whole(&tbs, DER_SEQUENCE, &c->spki) < 0 || read_spki(c->spki, c) < 0)
		return -EBADMSG;
	/* issuerUniqueID, subjectUniqueID */
	for (unsigned i = 1; i <= 2; i++)
		if (der_optional(&tbs, (uint8_t)DER_CONTEXT(i), &ext, &found) < 0)
			return -EBADMSG;
	if (der_optional(&tbs, DER_CONTEXT_CONS(3), &ext, &found) < 0 || tbs.n > 0)
		return -EBADMSG;
	if (!found)
		return 0;
	if (c->version != 3 || der_expect(&ext, DER_SEQUENCE, &list) < 0 || ext.n > 0 ||
	    list.n == 0)
		return -EBADMSG;
	return read_extensions(list, c);
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets. */
static bool serial_ok(const struct view *serial)
{
	return serial->n <= 20 && !(serial->p[0] & 0x80) && (serial->n > 1 || serial->p[0] != 0);
}

static int read_cert(struct cert *c)
{
	struct view in = c->der, seq, at, tbs;
	unsigned unused;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0 || in.n > 0)
		return -EBADMSG;
	at = seq;
	if (whole(&seq, DER_SEQUENCE, &c->tbs) < 0 || der_expect(&at, DER_SEQUENCE, &tbs) < 0 ||
	    whole(&seq, DER_SEQUENCE, &c->sig_alg) < 0 ||
	    der_bits(&seq, &c->signature, &unused) < 0 || unused || seq.n > 0)
		return -EBADMSG;
	if (read_tbs(tbs, c) < 0)
		return -EBADMSG;
	/* 4.1.2.6: without a subject its names must not be ignored */
	c->bad_serial = !serial_ok(&c->serial);
	c->bad_form |= (dn_empty(&c->subject) && !c->san_critical) ||
		       !form_name(c->issuer) || !form_name(c->subject) ||
		       (c->key == KEY_RSA && c->key_bits % 8);
	return 0;
}

int cert_parse(const uint8_t *der, size_t n, struct cert **ret)
{
	_cleanup_(cert_freep) struct cert *c = NULL;
	uint8_t *copy;

	if (n == 0 || n > LIMIT_CERT_BYTES)
		return -EBADMSG;
	/* one allocation: the struct, then the bytes that its views point to */
	c = calloc(1, sizeof(*c) + n);
	if (!c)
		return -ENOMEM;
	copy = (uint8_t *)(c + 1);
	memcpy(copy, der, n);
	c->der = (struct view){ copy, n };
	c->path_len = -1;
	c->require_explicit_policy = c->inhibit_mapping = c->inhibit_any_policy = -1;
	if (read_cert(c) < 0)
		return -EBADMSG;
	sha256(copy, n, c->sha256);
	sha256(c->spki.p, c->spki.n, c->spki_sha256);
	*ret = STEAL(c);
	return 0;
}

int cert_parse_key(const uint8_t *spki, size_t n, struct cert *ret)
{
	struct view in = { spki, n };

	if (whole(&in, DER_SEQUENCE, &ret->spki) < 0 || in.n > 0 || read_spki(ret->spki, ret) < 0)
		return -EBADMSG;
	sha256(spki, n, ret->spki_sha256);
	return 0;
}

struct cert *cert_free(struct cert *c)
{
	free(c);
	return NULL;
}

/* --- files --- */

int cert_load_each(const uint8_t *p, size_t n, struct cert **ret, size_t max, size_t *ret_n)
{
	struct view in = { p, n };
	size_t have = 0;
	int r = 0;

	if (n > 0 && p[0] == DER_SEQUENCE) {
		if (max < 1)
			return -E2BIG;
		ret[0] = NULL;
		r = cert_parse(p, n, &ret[0]);
		*ret_n = 1;
		return r == -EBADMSG ? 0 : r;
	}
	while (r == 0) {
		_cleanup_(freep) uint8_t *der = NULL;
		size_t der_n;

		r = pem_next(&in, "CERTIFICATE", &der, &der_n);
		if (r < 0)
			break;
		if (have == max) {
			r = -E2BIG;
			break;
		}
		ret[have] = NULL;
		r = cert_parse(der, der_n, &ret[have++]);
		r = r == -EBADMSG ? 0 : r;
	}
	if (r == -ENOENT && have > 0) {
		*ret_n = have;
		return 0;
	}
	while (have-- > 0)
		ret[have] = cert_free(ret[have]);
	return r == -ENOENT ? -EBADMSG : r;
}

int cert_load_all(const uint8_t *p, size_t n, struct cert **ret, size_t max, size_t *ret_n)
{
	size_t have = 0;
	bool whole = true;
	int r = cert_load_each(p, n, ret, max, &have);

	if (r < 0)
		return r;
	for (size_t i = 0; i < have; i++)
		whole &= ret[i] != NULL;
	if (whole) {
		*ret_n = have;
		return 0;
	}
	while (have-- > 0)
		ret[have] = cert_free(ret[have]);
	return -EBADMSG;
}

int cert_load(const uint8_t *p, size_t n, struct cert **ret)
{
	_cleanup_(freep) uint8_t *der = NULL;
	struct view in = { p, n };
	size_t der_n;
	int r;

	if (n > 0 && p[0] == DER_SEQUENCE)
		return cert_parse(p, n, ret);
	r = pem_next(&in, "CERTIFICATE", &der, &der_n);
	if (r < 0)
		return r == -ENOENT ? -EBADMSG : r;
	return cert_parse(der, der_n, ret);
}
