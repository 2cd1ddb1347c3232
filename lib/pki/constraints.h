/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_CONSTRAINTS_H
#define PKI_CONSTRAINTS_H

#include "lib/pki/cert.h"

/*
 * Name constraints (RFC 5280 4.2.1.10, 6.1.3 (b) and (c)): dNSName, rfc822Name, iPAddress,
 * uniformResourceIdentifier and directoryName, permitted and excluded, on every certificate below
 * the one that states them, but for self-issued CAs.  Also of an anchor (RFC 5937).
 *
 * A name that cannot be read under a constraint of its form, and a constraint that cannot be read
 * or is of another form than these, count as violated by every name of that form.  A wildcard name
 * is excluded if it can stand for an excluded host, and permitted if it can stand for no other.
 * An emailAddress in the subject counts as rfc822Name where the certificate has none (RFC 5280).
 */
#define CONSTRAINTS_MAX_COMPARISONS 65536 /* of a path; more: refused */

/*
 * path[0] is the leaf, path[n-1] issued by the anchor.
 * 0; -EPERM a name that is not allowed; -E2BIG too much to compare.
 */
int constraints_check(const struct cert *const *path, size_t n, const struct cert *anchor);

/* NameConstraints, from the contents of the extension.  0 or -EBADMSG. */
int constraints_read(struct view value, struct view *ret_permitted, struct view *ret_excluded);

#endif
