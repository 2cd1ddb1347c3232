/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_RULES_H
#define AUTHORITY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "lib/pki/certmap.h"

/*
 * Mapping rules, compiled: whose is a certificate that is not enrolled?  Rules of the anchor of its
 * path are tried in their order.  The first that matches decides, also when it then yields nothing,
 * or a name that nobody has; after one that goes on, later ones add to it.
 */

struct rule {
	char name[LIMIT_IDENTITY + 1];
	char anchor_name[LIMIT_IDENTITY + 1];
	int64_t anchor;
	struct certmap_match *match; /* NULL: the row cannot be compiled any more */
	struct certmap_yield *yield;
	bool goes_on, creates;
};

struct rules {
	size_t n;
	struct rule *items;
};
int rules_load(struct store *s, struct rules **ret);
struct rules *rules_free(struct rules *r);
DEFINE_FREEP(struct rules, rules_free);

/* What a rule says of a certificate. */
struct rule_result {
	bool matched;
	char missed[160];	       /* the first component that did not match; not matched */
	char name[LIMIT_IDENTITY + 1]; /* "": none, and why */
	char why[160];
};
/* -ENOMEM.  A rule that cannot be compiled matches everything and yields nothing: later rules must
 * not take what it would have taken. */
int rule_try(const struct rule *r, const struct cert *leaf, struct rule_result *ret);

struct mapping {
	size_t n; /* identities, each once, in the order of the rules */
	struct {
		char rule[LIMIT_IDENTITY + 1];
		struct certificate_owner owner;
	} found[LIMIT_RULE_IDENTITIES];
	size_t n_missing; /* names that nobody has, of rules that create; with the others at most as
			     many */
	struct {
		char rule[LIMIT_IDENTITY + 1];
		char name[LIMIT_IDENTITY + 1];
	} missing[LIMIT_RULE_IDENTITIES];
	char note[160]; /* what became of it where nothing was found; "": no rule matched */
};
int rules_map(const struct rules *r, struct store *s, int64_t anchor, const struct cert *leaf,
	      struct mapping *ret);

#endif
