/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_CERT_H
#define PKI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/digest.h"

/*
 * One X.509 certificate, read by our own walker (RFC 5280 section 4).  Reading is not believing:
 * nothing here has been verified.  Views point into `der`, which the struct owns.
 */

enum key_type { KEY_UNKNOWN, KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };

enum { /* keyUsage bits, RFC 5280 4.2.1.3 */
	KU_DIGITAL_SIGNATURE = 1 << 0,
	KU_NON_REPUDIATION = 1 << 1,
	KU_KEY_CERT_SIGN = 1 << 5,
	KU_CRL_SIGN = 1 << 6,
};

enum { /* extKeyUsage, RFC 5280 4.2.1.12 */
	EKU_SERVER_AUTH = 1 << 0,
	EKU_CLIENT_AUTH = 1 << 1,
	EKU_ANY = 1 << 2,
	EKU_OCSP_SIGNING = 1 << 3,
	EKU_SMARTCARD_LOGON = 1 << 4,
	EKU_OTHER = 1 << 5,
};

struct cert {
	struct view der;
	uint8_t sha256[SHA256_BYTES];        /* of the whole DER */
	uint8_t spki_sha256[SHA256_BYTES];

	struct view tbs;                     /* whole TBSCertificate: what the issuer signed */
	struct view serial;                  /* content octets */
	struct view sig_alg_tbs;             /* AlgorithmIdentifier, whole, inside and outside */
	struct view sig_alg;
	struct view signature;               /* octets of the BIT STRING */
	struct view issuer;                  /* Name, whole */
	struct view subject;
	struct view spki;                    /* SubjectPublicKeyInfo, whole */
	struct view extensions;              /* contents of the SEQUENCE; empty: none */

	int version;                         /* 1, 2, 3 */
	int64_t not_before;                  /* microseconds */
	int64_t not_after;

	enum key_type key;
	unsigned key_bits;                   /* RSA: modulus; EC: field */
	unsigned rsa_e_bits;

	bool has_basic_constraints;
	bool is_ca;
	int path_len;                        /* -1: none */
	bool has_key_usage;
	unsigned key_usage;
	bool has_eku;
	unsigned eku;                        /* 0 with has_eku: an empty one */
	bool bad_form;                       /* breaks a rule that RFC 5280 has for issuers: a name
	                                      * constraint that is not critical, no name but in a SAN
	                                      * that is not, names that are none (form.h), an RSA
	                                      * modulus that is not whole octets; AIA, AKI or SKI that
	                                      * is critical */
	bool bad_serial;                     /* the same: none, negative, or over 20 octets */
	bool lax_form;                       /* constraints of policies, or a CA's basicConstraints,
	                                      * that are not critical, as RFC 3280 allowed */
	bool unknown_critical;               /* a critical extension that path_build() does not process */
	struct view permitted, excluded;     /* name constraints: GeneralSubtrees contents; empty: none */
	struct view policies;                /* certificatePolicies, contents; empty: none */
	struct view policy_mappings;
	int64_t require_explicit_policy;     /* SkipCerts; -1: none, of these three */
	int64_t inhibit_mapping;
	int64_t inhibit_any_policy;
	struct view san;                     /* GeneralNames contents; empty: none */
	bool san_critical;
	struct view aki;                     /* keyIdentifier; empty: none */
	struct view ski;
	struct view aia;                     /* AccessDescriptions; empty: none, or bad_form */
	struct view crl_dps;                 /* DistributionPoints; likewise */
};

/* Copies the bytes.  -EBADMSG: not a certificate, more than LIMIT_CERT_BYTES, bytes after it, a
 * duplicate extension, ... */
int cert_parse(const uint8_t *der, size_t n, struct cert **ret);
struct cert *cert_free(struct cert *c);
/* A SubjectPublicKeyInfo alone: sets spki (a view of it), spki_sha256 and the key's members of a
 * zeroed struct.  -EBADMSG. */
int cert_parse_key(const uint8_t *spki, size_t n, struct cert *ret);
DEFINE_FREEP(struct cert, cert_free);

/* First PEM "CERTIFICATE" block of text, or DER as it is; for files that administrators name. */
int cert_load(const uint8_t *p, size_t n, struct cert **ret);
/* All PEM blocks, in order, at most `max`. */
int cert_load_all(const uint8_t *p, size_t n, struct cert **ret, size_t max, size_t *ret_n);

/* The same; NULL for each block that is no certificate: what a stranger sent. */
int cert_load_each(const uint8_t *p, size_t n, struct cert **ret, size_t max, size_t *ret_n);

/* RFC 4514 text of a Name, cleaned for terminals, cut to the room given. */
void name_text(const struct view *name, char *ret, size_t size);
/* The same whole, for rules that look at it: as it stands, not cleaned.  -EBADMSG: malformed, or it has
 * what cannot be told exactly; b is then of no use. */
int name_put(struct buf *b, const struct view *name);
/* "0a1b…" of a serial number. */
void serial_text(const struct view *serial, char *ret, size_t size);

/* The value of an extension; false: there is none. */
bool cert_extension(const struct cert *c, const struct view *oid, struct view *ret);

/* dNSName entries of SAN; case-insensitive, left-most wildcard label (RFC 9525). */
bool cert_matches_host(const struct cert *c, const char *host);

#endif
