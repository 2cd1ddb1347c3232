/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_SCCONF_H
#define CLI_IMPORT_SCCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"

/*
 * The configuration format of OpenSC and pam_pkcs11: blocks of "key = value, value;" and of other
 * blocks.  Words end at white space, a comma or a semicolon, and at nothing else: "a=b" is one word,
 * and no assignment, to the original as well.  A semicolon that is missing between two assignments is
 * forgiven; an unbalanced brace or quote is not.
 */
struct sc_item {
	char *key;
	char **values;
	size_t n;
	unsigned line;
};

struct sc_block {
	char *kind, *name;          /* "mapper", "subject"; the root has neither; name may be NULL */
	unsigned line;
	struct sc_item *items;
	size_t n_items;
	struct sc_block *blocks;
	size_t n_blocks;
};

/* 0 with *ret (sc_free).  -EBADMSG: *ret_line and *ret_why (static); -ENOMEM. */
int sc_parse(const char *text, size_t n, struct sc_block **ret, unsigned *ret_line, const char **ret_why);
struct sc_block *sc_free(struct sc_block *b);
DEFINE_FREEP(struct sc_block, sc_free);

/* Names compare without regard to case. */
const struct sc_block *sc_find(const struct sc_block *b, const char *kind, const char *name);
size_t sc_count(const struct sc_block *b, const char *kind, const char *name);
const struct sc_item *sc_item(const struct sc_block *b, const char *key);
/* The first value; `otherwise` when there is none, or no block (NULL). */
const char *sc_text(const struct sc_block *b, const char *key, const char *otherwise);
/* True: begins with t or y, of either case. */
bool sc_bool(const struct sc_block *b, const char *key, bool otherwise);

#endif
