// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/sshkey.h"

#include <errno.h>
#include <string.h>

#include "lib/pki/der.h"

static const struct {
	enum key_type key;
	const char *name; /* of the blob */
	const char *curve;
	const char *spki; /* SEQUENCE contents up to the point or key */
	size_t spki_n;
	size_t point_n;
} kinds[] = {
#define SPKI(s) s, sizeof(s) - 1
	{ KEY_P256, "ecdsa-sha2-nistp256", "nistp256",
	  SPKI("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
	       "\x07"),
	  65 },
	{ KEY_P384, "ecdsa-sha2-nistp384", "nistp384",
	  SPKI("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"), 97 },
	{ KEY_P521, "ecdsa-sha2-nistp521", "nistp521",
	  SPKI("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"), 133 },
	{ KEY_ED25519, "ssh-ed25519", NULL, SPKI("\x30\x05\x06\x03\x2b\x65\x70"), 32 },
	{ KEY_RSA, "ssh-rsa", NULL,
	  SPKI("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"), 0 },
};

/* RFC 4251 section 5: a positive mpint without needless leading zeros. */
static bool mpint_ok(const struct view *v)
{
	if (v->n == 0 || v->p[0] & 0x80)
		return false;
	return v->p[0] != 0 || (v->n > 1 && v->p[1] & 0x80);
}

static void put_header(struct buf *b, uint8_t tag, size_t n)
{
	buf_put_u8(b, tag);
	if (n < 0x80) {
		buf_put_u8(b, (uint8_t)n);
	} else if (n < 0x100) {
		buf_put_u8(b, 0x81);
		buf_put_u8(b, (uint8_t)n);
	} else {
		buf_put_u8(b, 0x82);
		buf_put_u16(b, (uint16_t)n);
	}
}

static void put_element(struct buf *b, uint8_t tag, const uint8_t *p, size_t n)
{
	put_header(b, tag, n);
	buf_put(b, p, n);
}

/* SEQUENCE { algorithm, BIT STRING { key } } */
static int put_spki(struct buf *ret, size_t kind, const uint8_t *key, size_t key_n)
{
	_cleanup_(buf_deinitp) struct buf bits = { 0 }, body = { 0 };

	buf_put_u8(&bits, 0);
	buf_put(&bits, key, key_n);
	buf_put(&body, kinds[kind].spki, kinds[kind].spki_n);
	put_element(&body, DER_BIT_STRING, bits.p, bits.n);
	put_element(ret, DER_SEQUENCE, body.p, body.n);
	return bits.error || body.error ? -ENOMEM : ret->error;
}

static int rsa_to_spki(struct view in, size_t kind, struct buf *ret)
{
	_cleanup_(buf_deinitp) struct buf numbers = { 0 }, key = { 0 };
	struct view e, n;

	if (view_vec32(&in, &e) < 0 || view_vec32(&in, &n) < 0 || in.n > 0 || !mpint_ok(&e) ||
	    !mpint_ok(&n))
		return -EBADMSG;
	put_element(&numbers, DER_INTEGER, n.p, n.n);
	put_element(&numbers, DER_INTEGER, e.p, e.n);
	put_element(&key, DER_SEQUENCE, numbers.p, numbers.n);
	if (numbers.error || key.error)
		return -ENOMEM;
	return put_spki(ret, kind, key.p, key.n);
}

int ssh_blob_to_spki(const uint8_t *blob, size_t n, struct buf *ret, enum key_type *ret_type)
{
	struct view in = { blob, n }, name, curve, point;
	int r = -EOPNOTSUPP;

	if (n > 8192 || view_vec32(&in, &name) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!view_is(&name, kinds[i].name, strlen(kinds[i].name)))
			continue;
		if (kinds[i].key == KEY_RSA) {
			r = rsa_to_spki(in, i, ret);
		} else if ((kinds[i].curve &&
			    (view_vec32(&in, &curve) < 0 ||
			     !view_is(&curve, kinds[i].curve, strlen(kinds[i].curve)))) ||
			   view_vec32(&in, &point) < 0 || in.n > 0 || point.n != kinds[i].point_n ||
			   (kinds[i].curve && point.p[0] != 4)) {
			r = -EBADMSG;
		} else {
			r = put_spki(ret, i, point.p, point.n);
		}
		if (r == 0)
			*ret_type = kinds[i].key;
	}
	return r;
}

static void put_string(struct buf *b, const void *p, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, p, n);
}

int ssh_blob_from_cert(const struct cert *cert, struct buf *ret)
{
	struct view spki = cert->spki, seq, algorithm, bits, numbers, n, e;
	unsigned unused;

	/* the bytes were checked by cert_parse() */
	if (der_expect(&spki, DER_SEQUENCE, &seq) < 0 ||
	    der_expect(&seq, DER_SEQUENCE, &algorithm) < 0 || der_bits(&seq, &bits, &unused) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].key != cert->key)
			continue;
		put_string(ret, kinds[i].name, strlen(kinds[i].name));
		if (kinds[i].curve)
			put_string(ret, kinds[i].curve, strlen(kinds[i].curve));
		if (cert->key != KEY_RSA) {
			put_string(ret, bits.p, bits.n);
			return ret->error;
		}
		if (der_expect(&bits, DER_SEQUENCE, &numbers) < 0 ||
		    der_expect(&numbers, DER_INTEGER, &n) < 0 ||
		    der_expect(&numbers, DER_INTEGER, &e) < 0)
			return -EBADMSG;
		put_string(ret, e.p, e.n);
		put_string(ret, n.p, n.n);
		return ret->error;
	}
	return -EOPNOTSUPP;
}
