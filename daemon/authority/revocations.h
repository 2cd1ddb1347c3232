/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_REVOCATIONS_H
#define AUTHORITY_REVOCATIONS_H

#include "daemon/authority/authority.h"
#include "lib/pki/ocsp.h"

/*
 * What is known of revocation: the rows of `crl` are held in memory, the millions of `revoked` are
 * looked up one by one.  Without a CRL of an anchor a login pays nothing.
 */
struct revocations;

/* Reads the rows again; on an error nothing is known, which denies wherever something was asked for. */
int revocations_load(struct authority *a);
struct revocations *revocations_free(struct revocations *r);

/* The lists that are known, until the next load; 0: none, or they could not be read. */
size_t revocations_lists(const struct authority *a, const struct crl_row **ret);
bool revocations_any_ocsp(const struct authority *a);

/*
 * Of a path from `leaf` to its anchor: the first certificate, from the top, that is not good, or the
 * leaf's evidence.  0; -ENOENT: a CA of the path is neither in the chain nor an anchor; -errno.
 */
int revocations_look(struct authority *a, const struct cert *const *chain, size_t n, const struct path *path,
		     int64_t now, struct revocation_facts *ret);

/* The row of an answer that holds, about a certificate whose serial number fits it; no source. */
void revocations_row(struct ocsp_row *ret, int64_t anchor, const struct cert *cert, const struct cert *issuer,
		     const struct ocsp_answer *answer);

/*
 * What a client sent along about its leaf (RFC 8446 4.4.2.1), worth a look when the leaf is denied
 * for want of evidence: held to all that an imported answer is, and stored like one, in this turn's
 * transaction.  1: look again; 0: of no use, which is no fault of the client's; -errno.
 */
int revocations_staple(struct authority *a, const struct cert *const *chain, size_t n, const struct path *path,
		       const struct view *staple, int64_t now);

#endif
