/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>

#include "cli/verb.h"

/* What several verbs show in the same way.  Functions that give int give an exit code. */

void show_text(struct cli *cli, const char *name, const char *value);
void show_when(struct cli *cli, const char *name, int64_t usec);    /* with "in 3 days" behind it */
void show_when_cell(struct cli *cli, struct table *t, int64_t usec);
/* `none`: what to say, on stderr, when there are no rows. */
int show_table(struct cli *cli, struct table *t, const char *none);
int show_certificates(struct cli *cli, const json_t *rows, const char *none);
int show_access(struct cli *cli, const json_t *rows, const char *none);
/* {"checks": [...]} in their order, one line each. */
void show_checks(struct cli *cli, const json_t *checks);

/* Fingerprints are cut to this many hex digits in tables; unenroll takes them. */
#define FINGERPRINT_SHORT 16

/* Progress on stderr, overwritten in place; only on a terminal.  `done`: wipes the line. */
void show_progress(struct cli *cli, const char *what, int64_t n, bool done);

/* What a reason means, and what to do about it; "" when there is nothing to say. */
const char *reason_meaning(const char *reason);
const char *reason_advice(const char *reason);

#endif
