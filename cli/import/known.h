/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_KNOWN_H
#define CLI_IMPORT_KNOWN_H

#include <jansson.h>

#include "cli/import/plan.h"

/*
 * What the daemon has already, as its lists said it (org.certlogin.Admin): rows by what they are
 * looked up with.  All members are objects, or NULL for "nothing".
 */
struct known {
	json_t *identities;         /* name -> Identity */
	json_t *keys;               /* spkiSha256 -> Certificate */
	json_t *access;             /* identity -> [Access] */
	json_t *rules;              /* name -> Rule */
};

void known_deinit(struct known *k);
static inline void known_deinitp(struct known *k)
{
	known_deinit(k);
}

/* Takes the rows of one list; 0 or -ENOMEM. */
int known_add(json_t **index, const json_t *rows, const char *key);
int known_add_access(struct known *k, const json_t *rows);

/*
 * Sets op->state.  *ret_why: why it is dropped.
 *   identity  present, or new
 *   enroll    present; dropped when the key is another's, or in another certificate, or when its end
 *             cannot hold because the identity may already do something for longer
 *   access    present; dropped when it is there with other bounds
 *   rule      present; dropped when one of this name says something else
 */
void known_check(const struct known *k, const struct plan_options *options, struct plan_op *op,
		 char *ret_why, size_t size);

#endif
