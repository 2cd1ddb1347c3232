/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_OFFLINE_H
#define PKI_OFFLINE_H

#include "lib/pki/revocation.h"

/*
 * Revocation of a whole path from CRLs at hand, without a database: `certlogin verify`, and the
 * public corpora of the tests.  The path is what path_build() found.
 */
#define OFFLINE_CRLS_MAX 64

struct offline {
	const struct cert *const *certs; /* where the path's certificates are, and signers of CRLs */
	size_t n_certs;
	const struct anchor *anchor;     /* of the path */
	const struct crl *crls;          /* read and scanned: nothing of crl_read() is asked again */
	size_t n_crls;
	const struct cert *const *vouched; /* known as good by other means: they need no list */
	size_t n_vouched;
	int64_t now;
};

struct offline_result {
	enum crl_fault faults[OFFLINE_CRLS_MAX]; /* of each list: why it was not used */
	const struct cert *cert;                 /* the first, from the anchor down, that is not good */
	const struct crl *by;                    /* that says so, or the leaf's */
	struct revocation revocation;            /* of it, or the leaf's when all are good */
};

/*
 * Each certificate below the anchor has to be known as not revoked; and so has a signer of CRLs that
 * is not on the path, by the lists of those who are.  0, -E2BIG, -ENOMEM, -EINVAL: not such a path.
 */
int offline_check(const struct offline *in, const struct cert *leaf, const struct path *path,
		  struct offline_result *ret);

#endif
