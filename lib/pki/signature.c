// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/pki/der.h"
#include "lib/pki/key.h"
#include "lib/pki/proof.h"

/* Huge exponents and moduli cost a verifier seconds: the size is looked at before any arithmetic.
 */
bool key_acceptable(const struct cert *c)
{
	switch (c->key) {
	case KEY_RSA:
		return c->key_bits >= LIMIT_RSA_MIN_BITS && c->key_bits <= LIMIT_RSA_MAX_BITS &&
		       c->rsa_e_bits >= 2 && c->rsa_e_bits <= LIMIT_RSA_E_BITS;
	case KEY_P256:
	case KEY_P384:
	case KEY_ED25519:
		return true;
	case KEY_UNKNOWN:
	case KEY_P521:
		return false;
	}
	return false;
}

/* The usual EC keys without ASN.1, which would cost a tenth of the verification; `head` is all that
 * comes before the coordinates (RFC 5480). */
static const struct {
	enum key_type key;
	gnutls_ecc_curve_t curve;
	unsigned size; /* of a coordinate */
	struct view head;
} curves[] = {
	{ KEY_P256,
	  GNUTLS_ECC_CURVE_SECP256R1,
	  32,
	  { (const uint8_t *)"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08"
			     "\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04",
	    27 } },
	{ KEY_P384,
	  GNUTLS_ECC_CURVE_SECP384R1,
	  48,
	  { (const uint8_t *)"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05"
			     "\x2b\x81\x04\x00\x22\x03\x62\x00\x04",
	    24 } },
};

static int import_key(gnutls_pubkey_t key, const struct cert *cert)
{
	const gnutls_datum_t spki = { (uint8_t *)(uintptr_t)cert->spki.p, (unsigned)cert->spki.n };

	for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
		const struct view *head = &curves[i].head;
		gnutls_datum_t x = { NULL, curves[i].size }, y = x;

		if (cert->key != curves[i].key || spki.size != head->n + x.size + y.size ||
		    memcmp(spki.data, head->p, head->n) != 0)
			continue;
		x.data = spki.data + head->n;
		y.data = x.data + x.size;
		return gnutls_pubkey_import_ecc_raw(key, curves[i].curve, &x, &y);
	}
	return gnutls_pubkey_import(key, &spki, GNUTLS_X509_FMT_DER);
}

static int verify(const struct cert *cert, gnutls_sign_algorithm_t algorithm, unsigned flags,
		  const struct view *data, const struct view *signature)
{
	const gnutls_datum_t d = { (uint8_t *)(uintptr_t)data->p, (unsigned)data->n };
	const gnutls_datum_t s = { (uint8_t *)(uintptr_t)signature->p, (unsigned)signature->n };
	gnutls_pubkey_t key;
	int r;

	if (!key_acceptable(cert))
		return -EOPNOTSUPP;
	if (gnutls_pubkey_init(&key) < 0)
		return -ENOMEM;
	r = import_key(key, cert);
	if (r >= 0)
		r = gnutls_pubkey_verify_data2(key, algorithm, flags, &d, &s);
	gnutls_pubkey_deinit(key);
	return r < 0 ? -EKEYREJECTED : 0;
}

/* SignatureScheme (RFC 8446 4.2.3), the key that it goes with */
static const struct {
	uint16_t scheme;
	enum key_type key;
	gnutls_sign_algorithm_t algorithm;
	unsigned flags;
} schemes[] = {
	{ 0x0403, KEY_P256, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 0 },
	{ 0x0503, KEY_P384, GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, 0 },
	{ 0x0807, KEY_ED25519, GNUTLS_SIGN_EDDSA_ED25519, 0 },
	{ 0x0804, KEY_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
	  GNUTLS_VERIFY_RSA_PSS_FIXED_SALT_LENGTH },
	{ 0x0805, KEY_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384,
	  GNUTLS_VERIFY_RSA_PSS_FIXED_SALT_LENGTH },
	{ 0x0806, KEY_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512,
	  GNUTLS_VERIFY_RSA_PSS_FIXED_SALT_LENGTH },
};

bool scheme_fits(const struct cert *cert, uint16_t scheme)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (schemes[i].scheme == scheme)
			return schemes[i].key == cert->key;
	return false;
}

int signature_verify_scheme(const struct cert *cert, uint16_t scheme, const struct view *data,
			    const struct view *signature)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (schemes[i].scheme == scheme && schemes[i].key == cert->key)
			return verify(cert, schemes[i].algorithm, schemes[i].flags, data,
				      signature);
	return -EOPNOTSUPP;
}

/*
 * AlgorithmIdentifiers as whole DER, so that the parameters are part of what is compared: RFC 4055
 * (RSA: NULL; PSS: the three usual sets), RFC 5758 and 8410 (absent).  SHA-1 and MD5 are not here.
 */
#define ALG(octets)                                                                                \
	{                                                                                          \
		(const uint8_t *)(octets), sizeof(octets) - 1                                      \
	}
#define RSA_PREFIX "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define PSS(hash, salt)                                                                            \
	ALG("\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34"                         \
	    "\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" hash "\x05\x00"             \
	    "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"                         \
	    "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" hash "\x05\x00"                     \
	    "\xa2\x03\x02\x01" salt)
static const struct {
	struct view id;
	gnutls_sign_algorithm_t algorithm;
	enum key_type key; /* KEY_UNKNOWN: any elliptic curve of ECDSA */
} algorithms[] = {
	{ ALG(RSA_PREFIX "\x0b\x05\x00"), GNUTLS_SIGN_RSA_SHA256, KEY_RSA },
	{ ALG(RSA_PREFIX "\x0c\x05\x00"), GNUTLS_SIGN_RSA_SHA384, KEY_RSA },
	{ ALG(RSA_PREFIX "\x0d\x05\x00"), GNUTLS_SIGN_RSA_SHA512, KEY_RSA },
	{ PSS("\x01", "\x20"), GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, KEY_RSA },
	{ PSS("\x02", "\x30"), GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, KEY_RSA },
	{ PSS("\x03", "\x40"), GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, KEY_RSA },
	{ ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"), GNUTLS_SIGN_ECDSA_SHA256,
	  KEY_UNKNOWN },
	{ ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), GNUTLS_SIGN_ECDSA_SHA384,
	  KEY_UNKNOWN },
	{ ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"), GNUTLS_SIGN_ECDSA_SHA512,
	  KEY_UNKNOWN },
	{ ALG("\x30\x05\x06\x03\x2b\x65\x70"), GNUTLS_SIGN_EDDSA_ED25519, KEY_ED25519 },
};

int signature_verify_x509(const struct cert *issuer, const struct view *sig_alg,
			  const struct view *data, const struct view *signature)
{
	bool ec = issuer->key == KEY_P256 || issuer->key == KEY_P384;

	if (!key_acceptable(issuer))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (!view_is(sig_alg, algorithms[i].id.p, algorithms[i].id.n))
			continue;
		if (algorithms[i].key == KEY_UNKNOWN ? !ec : algorithms[i].key != issuer->key)
			return -EKEYREJECTED;
		return verify(issuer, algorithms[i].algorithm, 0, data, signature);
	}
	return -EOPNOTSUPP;
}
