/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_MAPFILE_H
#define CLI_IMPORT_MAPFILE_H

#include "cli/import/plan.h"

/*
 * A map of pam_pkcs11: "key -> login" lines, the first that fits wins.  Refused here: a line without
 * an arrow; a second line of a key; a regular expression (^...$), and all lines behind one, for it
 * might have won over them.
 */
typedef void (*map_func)(void *userdata, struct place at, const char *key, const char *login);
void mapfile_read(struct plan *p, const char *file, const char *text, size_t n, bool icase,
		  map_func take, void *userdata);

#endif
