/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_DN_H
#define PKI_DN_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/pki/digest.h"

/*
 * Distinguished names, compared as RFC 5280 7.1 wants it: PrintableString, UTF8String and IA5String
 * by their characters, without regard to case (ASCII) and to spaces at the ends or repeated; values
 * of other types, and characters beyond ASCII, by their octets.  Names are whole DER elements; a
 * malformed one equals nothing but its own octets and is within nothing.
 */
bool dn_equal(const struct view *a, const struct view *b);

/*
 * Appends a form of the name, or of one RDN (the contents of its SET) with `rdn`, that is the same
 * octets for names that are equal.  -EBADMSG: malformed, or more than 8 attributes in an RDN.
 */
int dn_canonical(const struct view *name, struct buf *ret);
int dn_canonical_rdn(const struct view *rdn, struct buf *ret);
/* SHA-256 of it; of the name's own octets when it has none. */
void dn_hash(const struct view *name, uint8_t ret[SHA256_BYTES]);

/* A Name without RDNs.  False for what is no Name. */
bool dn_empty(const struct view *name);

/*
 * Do the RDNs of `base` begin those of `name` (4.2.1.10)?  *budget goes down with each pair of RDNs
 * that is compared.  1 yes, 0 no, -EBADMSG malformed, -E2BIG out of budget.
 */
int dn_within(const struct view *name, const struct view *base, unsigned *budget);

#endif
