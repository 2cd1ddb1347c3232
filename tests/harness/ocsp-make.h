/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_HARNESS_OCSP_MAKE_H
#define TESTS_HARNESS_OCSP_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/pki/ocsp.h"
#include "tests/harness/pki-make.h"

/* OCSP responses of every kind, good and bad, made in this process; signed by P-256 keys. */

enum {				   /* of a response */
       OCSP_MAKE_BY_KEY = 1 << 0,  /* the responder's key instead of its name */
       OCSP_MAKE_SHA1 = 1 << 1,	   /* signed with it */
       OCSP_MAKE_VERSION = 1 << 2, /* writes the default */
       OCSP_MAKE_VERSION_2 = 1 << 3,
       OCSP_MAKE_TYPE = 1 << 4,	   /* not basic */
       OCSP_MAKE_UNKNOWN = 1 << 5, /* extensions */
       OCSP_MAKE_CRITICAL = 1 << 6,
       OCSP_MAKE_NONCE_TWICE = 1 << 7,
       OCSP_MAKE_UTCTIME = 1 << 8,    /* producedAt */
       OCSP_MAKE_EMPTY = 1 << 9,      /* an empty list of extensions */
       OCSP_MAKE_JUNK_CERT = 1 << 10, /* first of those sent along */
       OCSP_MAKE_SHORT_KEY = 1 << 11, /* with OCSP_MAKE_BY_KEY */
};

enum {				  /* of what is said about one certificate */
       OCSP_SAY_SHA256 = 1 << 0,  /* CertID */
       OCSP_SAY_SHA384 = 1 << 1,  /* ... by a hash that nobody reads here */
       OCSP_SAY_UNKNOWN = 1 << 2, /* extensions */
       OCSP_SAY_CRITICAL = 1 << 3,
       OCSP_SAY_NO_NEXT = 1 << 4, /* no nextUpdate */
       OCSP_SAY_NO_REASON = 1 << 5,
       OCSP_SAY_OTHER_NAME = 1 << 6, /* issuerNameHash of something else */
       OCSP_SAY_NO_NULL = 1 << 7,    /* AlgorithmIdentifier without parameters */
};

struct ocsp_say {
	const struct cert *cert, *issuer; /* issuer: whose key */
	enum ocsp_status status;
	unsigned reason;
	int64_t revoked;		  /* 0: a day before PKI_NOW */
	int64_t this_update, next_update; /* 0: an hour before and a day after PKI_NOW */
	unsigned flags;
};

#define OCSP_SAY_MAX 4

struct ocsp_spec {
	const struct pki *signer;
	const struct cert *responder;			 /* NULL: the signer */
	struct ocsp_say say[OCSP_SAY_MAX];		 /* up to the first without cert */
	const struct cert *certs[LIMIT_CHAIN_CERTS + 1]; /* up to NULL, or all */
	const struct view *nonce;
	int64_t produced; /* 0: an hour before PKI_NOW */
	unsigned flags;
};

void ocsp_make(const struct ocsp_spec *spec, struct buf *ret);
/* A response without an answer. */
void ocsp_make_status(uint8_t status, struct buf *ret);
/* The usual: `issuer` itself says this about `cert`. */
void ocsp_make_simple(const struct pki *issuer, const struct cert *cert, enum ocsp_status status,
		      unsigned reason, struct buf *ret);

#endif
