/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_ANCHOR_POLICY_H
#define AUTHORITY_ANCHOR_POLICY_H

#include <jansson.h>

#include "lib/pki/anchor.h"

/*
 * An anchor's policy as the JSON object of the interface and of the database:
 *
 *	ekuMissing, ekuAny, smartcardLogon, form    bool
 *	revocation                                  "auto", "hard", "grace" or "soft"
 *	graceHours                                  1 .. ANCHOR_GRACE_HOURS; needed by "grace"
 *
 * What is left out is strict.  An unknown member or a value of another type is refused: it may have
 * asked for more than we know of.
 */
#define ANCHOR_GRACE_HOURS 8760

/* Members that are there replace those of *policy.  -EINVAL with *ret_bad, a member's name, and
 * *policy as it was. */
int anchor_policy_read(json_t *object, struct anchor_policy *policy, const char **ret_bad);

/* Of the database.  -EINVAL: nothing that we understand; -ENOMEM. */
int anchor_policy_parse(const char *text, struct anchor_policy *ret);

/* Every member; graceHours where there is one.  NULL: no memory. */
json_t *anchor_policy_json(const struct anchor_policy *policy);

#endif
