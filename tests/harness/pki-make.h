/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_HARNESS_PKI_MAKE_H
#define TESTS_HARNESS_PKI_MAKE_H

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/pki/cert.h"

/*
 * Keys and certificates of every kind, good and bad, made in this process.  Whatever fails here
 * ends the program: a test that has no certificate says nothing.
 */
#define PKI_SEC INT64_C(1000000)
#define PKI_DAY (24 * 3600 * PKI_SEC)
#define PKI_NOW (INT64_C(1800000000) * PKI_SEC)
#define PKI_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define PKI_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define PKI_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define PKI_ANY_EKU "2.5.29.37.0"

struct pki {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	struct cert *cert; /* as our own reader sees it */
};
void pki_deinit(struct pki *p);

enum { /* what a specification leaves out or puts in */
       PKI_NO_BASIC_CONSTRAINTS = 1 << 0,
       PKI_NO_KEY_USAGE = 1 << 1,
       PKI_NO_KEY_IDS = 1 << 2,
       PKI_NAME_CONSTRAINTS = 1 << 3,
       PKI_UNKNOWN_CRITICAL = 1 << 4,
       PKI_UNKNOWN = 1 << 5, /* not critical */
       PKI_VERSION_1 = 1 << 6,
       PKI_OCSP_NOCHECK = 1 << 7,
       PKI_LONG_SERIAL = 1 << 8, /* too long */
};

struct pki_spec {
	const char *cn;
	enum key_type type;	   /* KEY_UNKNOWN: P-256 */
	unsigned bits;		   /* RSA; 0: 2048 */
	gnutls_x509_privkey_t key; /* instead of a new one; borrowed, copied */
	bool ca;
	bool has_path_len;
	int path_len;
	unsigned usage;			  /* 0: what befits */
	const char *eku, *eku2;		  /* NULL: clientAuth of people, none of CAs; "": none */
	const char *dns;		  /* subjectAltName, or NULL; these, too: */
	const char *mail, *upn, *krb;	  /* UPN: Microsoft's; krb: "alice@REALM" */
	const char *sid;		  /* Microsoft's extension, shorter than 80 bytes */
	gnutls_digest_algorithm_t digest; /* 0: SHA-256 */
	int64_t not_before, not_after;	  /* 0: PKI_NOW -/+ a few days */
	unsigned flags;
};

/* Issued by `issuer`, or self-signed. */
void pki_make(const struct pki_spec *spec, const struct pki *issuer, struct pki *ret);
/* The usual: a CA, and a person of it. */
void pki_make_ca(const char *cn, struct pki *ret);
void pki_make_person(const char *cn, enum key_type type, const struct pki *ca, struct pki *ret);
/* PEM, gives; the caller frees with gnutls_free(). */
void pki_pem(const struct pki *p, gnutls_datum_t *ret_key, gnutls_datum_t *ret_cert);

#endif
