/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_REVOCATIONS_H
#define AUTHORITY_REVOCATIONS_H

#include "daemon/authority/authority.h"

/*
 * What is known of revocation: the rows of `crl` are held in memory, the millions of `revoked` are
 * looked up one by one.  Without a CRL of an anchor a login pays nothing.
 */
struct revocations;

/* Reads the rows again; on an error nothing is known, which denies wherever something was asked for. */
int revocations_load(struct authority *a);
struct revocations *revocations_free(struct revocations *r);

/*
 * Of a path from `leaf` to its anchor: the first certificate, from the top, that is not good, or the
 * leaf's evidence.  0; -ENOENT: a CA of the path is neither in the chain nor an anchor; -errno.
 */
int revocations_look(struct authority *a, const struct cert *const *chain, size_t n, const struct path *path,
		     int64_t now, struct revocation_facts *ret);

#endif
