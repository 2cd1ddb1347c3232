/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/verb.h"

/*
 * Calls of org.certlogin.Admin.  Everything that goes wrong is said here, in words that tell what to
 * do next, and becomes an exit code: a verb only passes on what is not CLI_YES.
 */

/* Takes parameters (NULL: out of memory, said).  CLI_YES with *ret (give it back by json_decref; may
 * be NULL when nobody wants it).  json_decrefp is jansson's own. */
int admin_call(struct cli *cli, const char *method, json_t *parameters, json_t **ret);

/* Is somebody there?  Says nothing. */
bool admin_reachable(struct cli *cli);

/*
 * All pages of a list: calls again while the answer says "more", with `after` taken from the last
 * row's `key`.  *ret: {"name": [rows]}.  Takes parameters.
 */
int admin_list(struct cli *cli, const char *method, json_t *parameters, const char *name, const char *key,
	       json_t **ret);

/* Members of a reply, "" or 0 when they are not there: what is shown is never what is decided on. */
const char *reply_text(const json_t *object, const char *name);
int64_t reply_int(const json_t *object, const char *name);
bool reply_bool(const json_t *object, const char *name);

#endif
