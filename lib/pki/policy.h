/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_POLICY_H
#define PKI_POLICY_H

#include "lib/pki/cert.h"

/*
 * Certificate policies along a path (RFC 5280 6.1.2-6.1.5 (a)-(f)), by the levels of RFC 9618: no
 * tree is built, so that mappings cannot make one that grows without bound.
 */
#define POLICY_MAX_NODES 64    /* of a level */
#define POLICY_MAX_EXPECTED 16 /* that one policy is mapped to */

/* 6.1.1 (c), (e)-(g): what a relying party asks for.  NULL, or zeros: any policy will do. */
#define POLICY_MAX_ACCEPTED 64
struct policy_settings {
	const struct view *accepted; /* user-initial-policy-set, contents of OIDs; none: any */
	size_t n_accepted;
	bool explicit_policy, inhibit_mapping, inhibit_any; /* from the first certificate on */
};

/*
 * path[0] is the leaf, path[n-1] issued by the anchor.
 * 0; -EPERM a policy is required and none (that is accepted) is left, or anyPolicy is mapped; -E2BIG
 * more than the bounds.
 */
int policy_check(const struct cert *const *path, size_t n, const struct policy_settings *settings);

/* The syntax of the extensions, from their contents; 0 or -EBADMSG. */
int policy_read_policies(struct view value, struct cert *c);
int policy_read_mappings(struct view value, struct cert *c);
int policy_read_constraints(struct view value, struct cert *c);
int policy_read_inhibit_any(struct view value, struct cert *c);

#endif
