// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/signer.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "lib/pki/proof.h"

struct signer {
	gnutls_privkey_t key;
	struct cert *cert;
	gnutls_sign_algorithm_t algorithm;
	uint16_t scheme;
};

static void free_datump(gnutls_datum_t *d)
{
	if (d->data)
		explicit_bzero(d->data, d->size);
	gnutls_free(d->data);
}

static int load_key(const char *file, gnutls_privkey_t *ret)
{
	_cleanup_(free_datump) gnutls_datum_t pem = { 0 };
	gnutls_privkey_t key;
	int r;

	if (gnutls_load_file(file, &pem) < 0)
		return -ENOENT;
	if (gnutls_privkey_init(&key) < 0)
		return -ENOMEM;
	r = gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (r < 0) {
		gnutls_privkey_deinit(key);
		return -EBADMSG;
	}
	*ret = key;
	return 0;
}

static int load_cert(const char *file, struct cert **ret)
{
	_cleanup_(free_datump) gnutls_datum_t pem = { 0 };

	if (gnutls_load_file(file, &pem) < 0)
		return -ENOENT;
	return cert_load(pem.data, pem.size, ret);
}

static bool belongs_together(const struct signer *s)
{
	_cleanup_(free_datump) gnutls_datum_t spki = { 0 };
	gnutls_pubkey_t pub;
	bool same;

	if (gnutls_pubkey_init(&pub) < 0)
		return false;
	same = gnutls_pubkey_import_privkey(pub, s->key, 0, 0) >= 0 &&
	       gnutls_pubkey_export2(pub, GNUTLS_X509_FMT_DER, &spki) >= 0 &&
	       view_is(&s->cert->spki, spki.data, spki.size);
	gnutls_pubkey_deinit(pub);
	return same;
}

int signer_load(const char *key_file, const char *cert_file, struct signer **ret,
		const char **ret_why)
{
	_cleanup_(signer_freep) struct signer *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	*ret_why = "the host key cannot be read; run: certlogin setup";
	r = load_key(key_file, &s->key);
	if (r < 0)
		return r;
	*ret_why = "the host certificate cannot be read; run: certlogin setup";
	r = load_cert(cert_file, &s->cert);
	if (r < 0)
		return r;
	*ret_why = "the host key must be P-256 or Ed25519";
	switch (s->cert->key) {
	case KEY_P256:
		s->algorithm = GNUTLS_SIGN_ECDSA_SECP256R1_SHA256;
		s->scheme = 0x0403;
		break;
	case KEY_ED25519:
		s->algorithm = GNUTLS_SIGN_EDDSA_ED25519;
		s->scheme = 0x0807;
		break;
	case KEY_UNKNOWN:
	case KEY_RSA:
	case KEY_P384:
	case KEY_P521:
		return -EINVAL;
	}
	*ret_why = "host key and host certificate do not belong together";
	if (!belongs_together(s))
		return -EINVAL;
	*ret = STEAL(s);
	return 0;
}

struct signer *signer_free(struct signer *s)
{
	if (s) {
		if (s->key)
			gnutls_privkey_deinit(s->key);
		cert_free(s->cert);
		free(s);
	}
	return NULL;
}

const struct cert *signer_cert(const struct signer *s)
{
	return s->cert;
}

uint16_t signer_scheme(const struct signer *s)
{
	return s->scheme;
}

int signer_sign(struct signer *s, const struct view *prefix, int hash_len,
		struct buf *ret_signature)
{
	_cleanup_(free_datump) gnutls_datum_t signature = { 0 };
	uint8_t tbs[PROOF_TBS_MAX];
	size_t tbs_n;
	int r;

	r = proof_server_tbs(prefix->p, prefix->n, hash_len, tbs, &tbs_n);
	if (r < 0)
		return r;
	if (gnutls_privkey_sign_data2(s->key, s->algorithm, 0,
				      &(gnutls_datum_t){ tbs, (unsigned)tbs_n }, &signature) < 0)
		return -EIO;
	buf_put(ret_signature, signature.data, signature.size);
	return ret_signature->error;
}
