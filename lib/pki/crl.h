/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "lib/pki/anchor.h"
#include "lib/pki/path.h"

/*
 * One certificate revocation list, read by our own walker (RFC 5280 section 5).  Reading is not
 * believing: crl_verify() does that.  Views point into the caller's bytes, which may be 100 MB and
 * mapped from a file; nothing is copied and nothing here grows with the number of entries.
 */

/* Reasons as bits, RFC 5280 4.2.1.13; 0, unused, is not among them. */
#define CRL_REASONS_ALL 0x1feu

enum { /* CRLReason, RFC 5280 5.3.1 */
	CRL_UNSPECIFIED = 0,
	CRL_HOLD = 6,
	CRL_REMOVE = 8,      /* in delta CRLs alone */
	CRL_REASON_MAX = 10,
};

struct crl_scope {           /* IssuingDistributionPoint, RFC 5280 5.2.5 */
	struct view whole;   /* its contents; empty: the extension is not there */
	struct view point;   /* DistributionPointName: the contents of fullName, or of an RDN */
	bool relative;       /* it is an RDN below the issuer's name */
	bool only_user, only_ca, only_attribute;
	bool indirect;
	unsigned reasons;    /* onlySomeReasons, CRL_REASONS_ALL when absent */
};

struct crl {
	struct view der, tbs, sig_alg, sig_alg_tbs, signature;
	struct view issuer;          /* Name, whole */
	int64_t this_update, next_update;
	struct view entries;         /* contents of revokedCertificates; empty: none */
	struct view aki;             /* keyIdentifier; empty: none */
	struct view number;          /* content octets of cRLNumber */
	struct view base;            /* of BaseCRLNumber; empty: a complete CRL */
	struct crl_scope scope;
	size_t n_entries;            /* set by crl_scan() */
};

struct crl_entry {
	struct view serial;
	int64_t since;
	unsigned reason;
	bool unknown_critical;
	struct view issuer;          /* GeneralNames contents of certificateIssuer; empty: none */
};

enum crl_fault {
	CRL_GOOD,
	CRL_MALFORMED,
	CRL_VERSION,                 /* not v2 */
	CRL_NUMBER,                  /* cRLNumber missing, critical, negative or over 20 octets */
	CRL_NO_NEXT_UPDATE,
	CRL_CRITICAL_EXTENSION,      /* of the list, or one that must be critical and is not */
	CRL_ENTRY_EXTENSION,         /* critical and unknown, of an entry */
	CRL_ALGORITHM,
	CRL_NO_SIGNER,               /* no certificate of that name at hand */
	CRL_SIGNER_USAGE,            /* cRLSign */
	CRL_SIGNATURE,
	CRL_SIGNER_PATH,             /* the signer has no good path to the anchor, now */
	CRL_NO_KEY,                  /* the signer speaks for no CA that is at hand */
	CRL_FUTURE,                  /* thisUpdate */
	CRL_INDIRECT,                /* the last two: where they are not taken */
	CRL_DELTA,
};
const char *crl_fault_text(enum crl_fault f);

/* Everything but the entries.  CRL_GOOD, or what is wrong. */
enum crl_fault crl_read(struct view der, struct crl *ret);
/* Next of crl->entries; -EBADMSG. */
int crl_next(struct view *entries, struct crl_entry *ret);
/* Reads all entries once; sets n_entries. */
enum crl_fault crl_scan(struct crl *crl);

/* IssuingDistributionPoint from its contents, whose views it keeps; 0 or -EBADMSG. */
int crl_scope_read(struct view value, struct crl_scope *ret);

/* ReasonFlags: the contents of an implicitly tagged BIT STRING; 0 or -EBADMSG. */
int crl_reasons_read(struct view value, unsigned *ret);

/* Is this Name among GeneralNames (contents)?  1, 0, -EBADMSG. */
int crl_issuer_is(const struct view *names, const struct view *issuer);

/* The entry for a certificate of this issuer, by a walk of all: 1, 0, -EBADMSG. */
int crl_find(const struct crl *crl, const struct view *issuer, const struct view *serial,
	     struct crl_entry *ret);

/* CRLNumbers, or any non-negative INTEGERs: <0, 0, >0. */
int crl_number_compare(const struct view *a, const struct view *b);

/*
 * Who signed it, and for whose certificates it speaks: its own key's; those of keys that are tied to
 * it by a self-issued certificate (a CA that changes its key, RFC 4210 4.4); or, when the signer issues
 * no certificates itself, those of the CA of its name that certified it or that its issuer certified,
 * too.  So of two CAs of one name neither vouches for the other's certificates, nor does somebody
 * below the same anchor who certifies a name that is not his.
 */
#define CRL_KEYS_MAX 8
struct crl_signer {
	const struct cert *cert;
	struct path path;            /* n_issuers 0: it is the anchor itself */
	size_t n_keys;               /* 0: for nobody, unless a certificate names it (cRLIssuer) */
	uint8_t keys[CRL_KEYS_MAX][SHA256_BYTES];
};

/*
 * RFC 5280 6.3.3 (f), (g): looks among the anchor's and these certificates for the signer.  At most
 * CRL_SIGNATURES_MAX are tried.
 */
#define CRL_SIGNATURES_MAX 8
enum crl_fault crl_verify(const struct crl *crl, const struct cert *const *certs, size_t n,
			  const struct anchor *anchor, int64_t now, struct crl_signer *ret);

#endif
