/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/cert.h"

/*
 * OCSP (RFC 6960; the lightweight profile, RFC 5019; nonces, RFC 8954 and 9654) over raw DER: bytes
 * in, facts out, no I/O and no clock.  GnuTLS for signatures alone: its own OCSP verification takes
 * a staple that an attacker signed.
 *
 * Whose answer counts is decided by the issuer of the certificate that is asked about, and by nothing
 * in the answer: it is signed by that issuer's key, or by a delegate that this very key has certified
 * with id-kp-OCSPSigning (RFC 6960 4.2.2.2).  A delegate needs id-pkix-ocsp-nocheck: without it, its
 * own revocation would have to be looked up first (4.2.2.2.1), which nothing here can.
 *
 * The issuer's certificate is the caller's, from a validated path, and so is that it issued the other.
 */

enum ocsp_status { /* in the order of how bad they are */
	OCSP_STATUS_GOOD,
	OCSP_STATUS_UNKNOWN,
	OCSP_STATUS_REVOKED,
};

enum ocsp_fault {
	OCSP_GOOD,                  /* the answer holds; what it says is another matter */
	OCSP_TOO_LARGE,             /* over LIMIT_OCSP_BYTES, or over LIMIT_CHAIN_CERTS certificates */
	OCSP_MALFORMED,             /* bytes after it, an extension twice, ... */
	OCSP_MALFORMED_REQUEST,     /* responseStatus, RFC 6960 4.2.1 */
	OCSP_INTERNAL_ERROR,
	OCSP_TRY_LATER,
	OCSP_SIGNATURE_REQUIRED,
	OCSP_UNAUTHORIZED,
	OCSP_TYPE,                  /* not id-pkix-ocsp-basic */
	OCSP_CRITICAL_EXTENSION,    /* one that we do not process: in the answer, or of our certificate */
	OCSP_OTHER_CERTIFICATE,     /* about another serial, or one of another issuer's name or key */
	OCSP_NONCE,                 /* not the one that was sent, or none */
	OCSP_RESPONDER,             /* the responder is neither the issuer nor in a certificate sent along */
	OCSP_DELEGATE_ISSUER,       /* its certificate is not of the issuer, or of another key of that name */
	OCSP_DELEGATE_EKU,          /* without id-kp-OCSPSigning by name, or no key usage for it */
	OCSP_DELEGATE_CA,
	OCSP_DELEGATE_FORM,         /* a critical extension, or cert.bad_form */
	OCSP_DELEGATE_TIME,         /* not within its validity at `now` */
	OCSP_DELEGATE_CHECK,        /* no id-pkix-ocsp-nocheck */
	OCSP_ALGORITHM,             /* weak or unknown: key or signature, of the answer or the delegate */
	OCSP_BAD_SIGNATURE,
	OCSP_FUTURE,                /* thisUpdate or producedAt, over LIMIT_OCSP_SKEW_USEC ahead */
	OCSP_STALE,                 /* nextUpdate is past, or thisUpdate + LIMIT_OCSP_FRESH_USEC without one */
};

const char *ocsp_fault_text(enum ocsp_fault f);
const char *ocsp_status_text(enum ocsp_status s); /* "good", "unknown", "revoked" */

struct ocsp_answer {
	enum ocsp_fault fault;
	/* The rest: with OCSP_GOOD, OCSP_FUTURE and OCSP_STALE, which are the last to be looked at. */
	enum ocsp_status status;
	unsigned reason;            /* revoked: RFC 5280 5.3.1; 6 is a hold; 0: none given */
	int64_t revoked;            /* revoked: since; microseconds as all times */
	int64_t this_update;
	int64_t next_update;        /* without one: thisUpdate + LIMIT_OCSP_FRESH_USEC */
	int64_t produced;
	bool delegated;             /* signed by a delegate */
};

/* A response that was read: views into the caller's bytes.  Reading is not believing. */
struct ocsp_response {
	struct view tbs;            /* ResponseData, whole: what is signed */
	struct view sig_alg;        /* AlgorithmIdentifier, whole */
	struct view signature;
	struct view by_name;        /* Name, whole; or ... */
	struct view by_key;         /* ... SHA-1 of the responder's key; the other is empty */
	int64_t produced;
	struct view singles;        /* SingleResponses, each well-formed */
	struct view nonce;          /* value of the extension as it stands; empty: none */
	bool unknown_critical;
	struct view certs;          /* Certificates, not read yet */
};

/* OCSP_GOOD, or a fault up to OCSP_TYPE. */
enum ocsp_fault ocsp_response_read(const struct view *der, struct ocsp_response *ret);

/* Does it say anything about this certificate of that issuer?  No signature is looked at. */
bool ocsp_is_about(const struct ocsp_response *r, const struct cert *cert, const struct cert *issuer);

/*
 * What the response says about `cert`, by its `issuer`, at `now`.  Of several statements about it the
 * worst counts.  nonce: what the request had, or NULL for an answer to nobody in particular (a file,
 * a staple), where any nonce is let pass.  0 with *ret filled, whatever the verdict; -ENOMEM.
 */
int ocsp_check(const struct view *der, const struct cert *cert, const struct cert *issuer, int64_t now,
	       const struct view *nonce, struct ocsp_answer *ret);

/*
 * Appends an OCSPRequest for one certificate, unsigned, CertID by SHA-1, which every responder knows
 * (RFC 5019 2.1.1).  nonce: 1 to 128 octets, or NULL.  0, -EINVAL, -ENOMEM.
 */
int ocsp_request_new(const struct cert *cert, const struct cert *issuer, const struct view *nonce,
		     struct buf *ret);

#endif
