/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CA_H
#define CLI_CA_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"

/*
 * Making keys and certificates (RFC 5280): the host's own, the built-in CA's, and people's.
 * Keys are P-256.  0 or negative errno; *why, when given, is static text for people.
 */

struct cert_spec {
	const char *cn;
	const char *const *dns;     /* subjectAltName dNSNames */
	size_t n_dns;
	bool ca;                    /* basicConstraints CA, pathLen 0; keyCertSign, cRLSign */
	const char *eku;            /* OID, or NULL: no extendedKeyUsage */
	int64_t not_before;         /* microseconds */
	int64_t not_after;
};
#define CN_MAX 64 /* ub-common-name, RFC 5280 appendix A */

/* An issuer: key and certificate; cert NULL: self-signed. */
struct issuer {
	gnutls_x509_crt_t cert;
	gnutls_x509_privkey_t key;
};
void issuer_deinit(struct issuer *i);
static inline void issuer_deinitp(struct issuer *i)
{
	issuer_deinit(i);
}

int key_make(gnutls_x509_privkey_t *ret);
/* PEM, PKCS#8, not encrypted; wipe it after use (key_pem_deinit). */
int key_pem(gnutls_x509_privkey_t key, gnutls_datum_t *ret);
void key_pem_deinit(gnutls_datum_t *pem);

/* Certifies `subject` (NULL: the issuer's own key, self-signed). */
int cert_make(const struct cert_spec *spec, gnutls_pubkey_t subject, const struct issuer *issuer,
	      gnutls_x509_crt_t *ret);
/* PEM and DER of a certificate, into growing buffers; either may be NULL. */
int cert_export(gnutls_x509_crt_t cert, struct buf *ret_pem, struct buf *ret_der);

/* Reads CA key and certificate; -EKEYREJECTED: they do not belong together, or it is no CA. */
int issuer_load(const char *key_path, const char *cert_path, struct issuer *ret, const char **why);

/* A public key from a PEM SubjectPublicKeyInfo, or an OpenSSH public key line. */
int pubkey_load(const char *path, gnutls_pubkey_t *ret, const char **why);
/* The public key of a PKCS#10 request whose own signature is good. */
int csr_load(const char *path, gnutls_pubkey_t *ret, const char **why);
int pubkey_of(gnutls_x509_privkey_t key, gnutls_pubkey_t *ret);

static inline void pubkey_deinitp(gnutls_pubkey_t *k)
{
	if (*k)
		gnutls_pubkey_deinit(*k);
}

static inline void privkey_deinitp(gnutls_x509_privkey_t *k)
{
	if (*k)
		gnutls_x509_privkey_deinit(*k);
}

static inline void crt_deinitp(gnutls_x509_crt_t *c)
{
	if (*c)
		gnutls_x509_crt_deinit(*c);
}

#endif
