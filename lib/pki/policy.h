/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_POLICY_H
#define PKI_POLICY_H

#include "lib/pki/cert.h"

/*
 * Certificate policies along a path (RFC 5280 6.1.2-6.1.5 (a)-(f)), by the levels of RFC 9618: no
 * tree is built, so that mappings cannot make one that grows without bound.  What a relying party
 * accepts is any policy; that a path has one at all is asked for by its own policyConstraints.
 */
#define POLICY_MAX_NODES 64    /* of a level */
#define POLICY_MAX_EXPECTED 16 /* that one policy is mapped to */

/*
 * path[0] is the leaf, path[n-1] issued by the anchor.
 * 0; -EPERM an explicit policy is required and none is left, or anyPolicy is mapped; -E2BIG more
 * than the bounds.
 */
int policy_check(const struct cert *const *path, size_t n);

/* The syntax of the extensions, from their contents; 0 or -EBADMSG. */
int policy_read_policies(struct view value, struct cert *c);
int policy_read_mappings(struct view value, struct cert *c);
int policy_read_constraints(struct view value, struct cert *c);
int policy_read_inhibit_any(struct view value, struct cert *c);

#endif
