/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_PATH_H
#define PKI_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/limits.h"
#include "lib/pki/anchor.h"
#include "lib/pki/cert.h"

/*
 * Path building and validation over raw DER (RFC 5280 section 6), GnuTLS for signatures alone.
 * Pure: certificates and anchors in, facts out.  Time is no check here: the path's validity
 * window is a fact, so that a verified path can be remembered and judged later at any time.
 *
 * Bounded: at most LIMIT_CHAIN_CERTS certificates of the peer, and as many on a path below its
 * anchor; PATH_MAX_SIGNATURES signature checks; PATH_MAX_STEPS certificates looked at as the end of
 * a path so far, which bounds what intermediates that are held here and the memo add.
 */
#define PATH_MAX_SIGNATURES 24
#define PATH_MAX_STEPS 128
#define PATH_MAX_ISSUERS 10      /* above the leaf, anchor included; in a daemon LIMIT_CHAIN_CERTS */
#define PATH_OFFLINE_CERTS 64    /* candidates of path_build_offline(), leaf included */

enum path_fault {
	PATH_GOOD,
	PATH_MALFORMED,             /* could not be read, too many or too large */
	PATH_NO_ANCHOR,             /* no path to an anchor: a foreign CA */
	PATH_BAD_SIGNATURE,         /* the right names, the wrong key */
	PATH_NOT_CA,                /* an issuer without basicConstraints CA, or a name */
	PATH_TOO_LONG,              /* pathLenConstraint, or our own limit */
	PATH_CA_KEY_USAGE,          /* an issuer without keyCertSign */
	PATH_ALGORITHM,             /* weak or unknown signature algorithm, or key below the floor */
	PATH_CRITICAL_EXTENSION,    /* a critical extension, or a constraint, that we do not process */
	PATH_CA_EKU,                /* an issuer's EKU excludes clientAuth */
	PATH_NAME_CONSTRAINTS,      /* a name that a CA above it may not vouch for */
	PATH_FORM,                  /* a CA on the path, anchor included, with cert.bad_form */
	PATH_POLICY,                /* an explicit policy is required, and there is none; or a bad mapping */
};

/* Sees the leaf and its anchor's policy alone; reported apart so that `explain` can name each. */
enum leaf_fault {
	LEAF_GOOD,
	LEAF_KEY,                   /* key or algorithm below the floor */
	LEAF_IS_CA,
	LEAF_VERSION,               /* not v3 */
	LEAF_KEY_USAGE,             /* no digitalSignature */
	LEAF_EKU_MISSING,
	LEAF_EKU,                   /* clientAuth is not among them, or empty */
	LEAF_CRITICAL_EXTENSION,
	LEAF_FORM,                  /* cert.bad_form, or a CA's constraints */
	LEAF_EKU_ANY,               /* anyExtendedKeyUsage, even beside clientAuth */
	LEAF_SMARTCARD_LOGON,       /* asked for, and not there */
};

const char *path_fault_text(enum path_fault f);
const char *leaf_fault_text(enum leaf_fault f);

struct path {
	enum path_fault fault;
	enum leaf_fault leaf_fault;
	int64_t anchor;             /* id; 0 unless fault is PATH_GOOD */
	int64_t not_before;         /* latest of the path, anchor included */
	int64_t not_after;          /* earliest */
	size_t n_issuers;           /* 0: the leaf's own key is the anchor (ANCHOR_KEY) */
	uint8_t issuers[PATH_MAX_ISSUERS][SHA256_BYTES]; /* path above the leaf, anchor last */
};

/*
 * Which CA's certificate is signed by which, as last seen on good paths: a fact that no time changes,
 * and that saves a new leaf under a known intermediate all signatures but its own.  Zeros: empty.
 */
#define PATH_MEMO_PAIRS 64
struct path_memo {
	size_t next; /* the oldest goes */
	uint8_t pairs[PATH_MEMO_PAIRS][2][SHA256_BYTES]; /* subject, issuer */
};

/*
 * chain[0] is the leaf, the rest the peer's intermediates in any order.  0 with *ret filled,
 * whatever the verdict; -ENOMEM.  An anchor that equals the leaf does not make it trusted, but for
 * ANCHOR_KEY, by the key: then no signature is looked at.  An ANCHOR_INTERMEDIATE stands beside what
 * the peer sent.  Of several good paths: one that is within its time at `now`, of these one whose
 * anchor's policy takes the leaf, and of these the one that lasts longest.
 * `memo` is used and added to; NULL: none.
 */
int path_build(const struct cert *const *chain, size_t n, const struct anchor *anchors, size_t n_anchors,
	       int64_t now, struct path_memo *memo, struct path *ret);

/* The same for a command, where more may be asked: PATH_OFFLINE_CERTS, PATH_MAX_ISSUERS. */
int path_build_offline(const struct cert *const *chain, size_t n, const struct anchor *anchors, size_t n_anchors,
		       int64_t now, struct path *ret);

/*
 * The same for the certificate of somebody who signs CRLs: one anchor, no extended key usage is asked
 * of the issuers, no memo; leaf_fault is nothing to go by.
 */
int path_build_signer(const struct cert *const *chain, size_t n, const struct anchor *anchor, int64_t now,
		      struct path *ret);

/* `policy`: of the anchor of the leaf's path; NULL: none, the strict profile. */
enum leaf_fault leaf_check(const struct cert *leaf, const struct anchor_policy *policy);

/* Is every certificate of the good path within its time? */
bool path_within(const struct path *p, int64_t now);

/* For the other direction: a server's certificate against a client's trust, CAs alone.  0 or
 * -EKEYREJECTED. */
int path_check_server(const struct cert *const *chain, size_t n, const struct anchor *anchors, size_t n_anchors,
		      int64_t now);

#endif
