// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/prove/external.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "lib/base/cleanup.h"

/* TLS 1.3 alone: RSA would need PSS, which no agent makes. */
static const struct {
	gnutls_pk_algorithm_t algorithm;
	gnutls_ecc_curve_t curve;
	gnutls_sign_algorithm_t signs;
	gnutls_sign_algorithm_t alias; /* GnuTLS asks for TLS 1.2's name as well */
} kinds[] = {
	{ GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP256R1, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256,
	  GNUTLS_SIGN_ECDSA_SHA256 },
	{ GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP384R1, GNUTLS_SIGN_ECDSA_SECP384R1_SHA384,
	  GNUTLS_SIGN_ECDSA_SHA384 },
	{ GNUTLS_PK_EDDSA_ED25519, GNUTLS_ECC_CURVE_ED25519, GNUTLS_SIGN_EDDSA_ED25519,
	  GNUTLS_SIGN_EDDSA_ED25519 },
};

static int info(_unused_ gnutls_privkey_t handle, unsigned flags, void *userdata)
{
	const struct external_key *e = userdata;
	gnutls_sign_algorithm_t asked = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);

	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return e->algorithm;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return e->bits;
	if (!(flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((int)kinds[i].algorithm == e->algorithm && kinds[i].curve == e->curve)
			return asked == kinds[i].signs || asked == kinds[i].alias;
	return 0;
}

static int rebuild(const struct external_key *e, uint8_t ret[PROOF_TBS_MAX], size_t *ret_n)
{
	unsigned hash_len = gnutls_hash_get_len(gnutls_prf_hash_get(e->session));

	if (gnutls_protocol_get_version(e->session) != GNUTLS_TLS1_3)
		return -EPROTO;
	return transcript_client_tbs(e->transcript, (int)hash_len, ret, ret_n);
}

static int give(struct external_key *e, const uint8_t *tbs, size_t n, gnutls_datum_t *ret)
{
	const gnutls_datum_t d = { (uint8_t *)(uintptr_t)tbs, (unsigned)n };
	gnutls_sign_algorithm_t algorithm =
		(gnutls_sign_algorithm_t)gnutls_sign_algorithm_get_client(e->session);

	e->why = NULL;
	return e->key->sign(e->key->sign_userdata, algorithm, &d, ret, &e->why) < 0
		       ? GNUTLS_E_PK_SIGN_FAILED
		       : 0;
}

static int sign_data(_unused_ gnutls_privkey_t handle, _unused_ gnutls_sign_algorithm_t algorithm,
		     void *userdata, _unused_ unsigned flags, const gnutls_datum_t *data,
		     gnutls_datum_t *ret)
{
	struct external_key *e = userdata;
	uint8_t tbs[PROOF_TBS_MAX];
	size_t n;

	if (rebuild(e, tbs, &n) < 0 || data->size != n || memcmp(data->data, tbs, n) != 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	return give(e, tbs, n, ret);
}

static int sign_hash(_unused_ gnutls_privkey_t handle, _unused_ gnutls_sign_algorithm_t algorithm,
		     void *userdata, _unused_ unsigned flags, const gnutls_datum_t *hash,
		     gnutls_datum_t *ret)
{
	struct external_key *e = userdata;
	gnutls_digest_algorithm_t digest = gnutls_sign_get_hash_algorithm(
		(gnutls_sign_algorithm_t)gnutls_sign_algorithm_get_client(e->session));
	uint8_t tbs[PROOF_TBS_MAX], ours[64];
	size_t n;

	if (rebuild(e, tbs, &n) < 0 || hash->size > sizeof(ours) ||
	    hash->size != gnutls_hash_get_len(digest) ||
	    gnutls_hash_fast(digest, tbs, n, ours) < 0 || memcmp(ours, hash->data, hash->size) != 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	return give(e, tbs, n, ret);
}

int external_key_init(struct external_key *e, const struct prove_key *key, gnutls_session_t session,
		      const struct transcript *transcript)
{
	gnutls_pubkey_t pubkey = key->chain[0].pubkey;
	unsigned bits = 0;
	int r;

	e->key = key;
	e->session = session;
	e->transcript = transcript;
	e->algorithm = gnutls_pubkey_get_pk_algorithm(pubkey, &bits);
	e->bits = (int)bits;
	if (gnutls_pubkey_export_ecc_raw2(pubkey, &e->curve, NULL, NULL, 0) < 0)
		return -EOPNOTSUPP;
	r = gnutls_privkey_init(&e->handle);
	if (r < 0)
		return -ENOMEM;
	/* sign_hash must not be NULL: GnuTLS 3.7 jumps through it without looking */
	r = gnutls_privkey_import_ext4(e->handle, e, sign_data, sign_hash, NULL, NULL, info, 0);
	return r < 0 ? -EOPNOTSUPP : 0;
}

void external_key_deinit(struct external_key *e)
{
	if (e->handle)
		gnutls_privkey_deinit(e->handle);
	e->handle = NULL;
}
