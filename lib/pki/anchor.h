/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_ANCHOR_H
#define PKI_ANCHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/pki/cert.h"

/*
 * What an administrator trusts, and how far.  All zeros is the strict profile; each member that is
 * set relaxes one rule, or asks for more, for what this anchor vouches for.
 */

enum anchor_kind {
	ANCHOR_CA,           /* issues what is accepted: a root, or an intermediate trusted by itself */
	ANCHOR_INTERMEDIATE, /* helps to build paths; trusted for nothing */
	ANCHOR_KEY,          /* one leaf key, without a CA: cert is NULL, spki_sha256 says which */
};

/* Of a certificate whose issuer has no fresh evidence.  A known revocation always denies. */
enum revocation_mode {
	REVOCATION_AUTO,     /* denied once there was any of this issuer's name; else let pass */
	REVOCATION_HARD,     /* denied */
	REVOCATION_GRACE,    /* denied, but stale evidence counts for `grace` longer */
	REVOCATION_SOFT,     /* let pass; the check says so */
};

struct policy_settings;
struct anchor_policy {
	bool eku_missing;    /* a leaf without extended key usage is taken */
	bool eku_any;        /* anyExtendedKeyUsage counts as clientAuth in a leaf */
	bool smartcard_logon; /* asks for smartcardLogon beside it */
	bool form;           /* breaches of form (cert.bad_form) are let pass */
	bool any_purpose;    /* no setting of an anchor: path validation alone, where what RFC 5280 does not
	                      * ask of a person's certificate is not asked: a missing EKU, a CA's, and
	                      * cert.lax_form are taken */
	enum revocation_mode revocation;
	int64_t grace;       /* microseconds; REVOCATION_GRACE */
	const struct policy_settings *policies; /* NULL: any certificate policy will do */
};

struct anchor {
	int64_t id;          /* of the row */
	const char *name;
	enum anchor_kind kind;
	const struct cert *cert;
	uint8_t spki_sha256[SHA256_BYTES];
	struct anchor_policy policy;
};

#endif
