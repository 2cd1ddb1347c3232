/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_INI_H
#define CLI_IMPORT_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"

/*
 * sssd.conf's format: [sections] of key = value; comments begin a line with # or ;.  A line that
 * begins with white space goes on with the value before it.  Sections of one name are one; of two
 * values of a key the last counts, and `twice` says so.
 */
struct ini_item {
	char *key, *value;
	unsigned line;
	bool twice;
};

struct ini_section {
	char *name;
	unsigned line;
	struct ini_item *items;
	size_t n;
};

struct ini {
	struct ini_section *sections;
	size_t n;
};

/* 0 with *ret (ini_free).  -EBADMSG: *ret_line is no line of such a file; -ENOMEM. */
int ini_parse(const char *text, size_t n, struct ini **ret, unsigned *ret_line);
struct ini *ini_free(struct ini *ini);
DEFINE_FREEP(struct ini, ini_free);

/* NULL: there is none.  Names compare without regard to case. */
const struct ini_section *ini_section(const struct ini *ini, const char *name);
const struct ini_item *ini_item(const struct ini_section *s, const char *key);

#endif
