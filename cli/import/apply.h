/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_APPLY_H
#define CLI_IMPORT_APPLY_H

#include "cli/import/known.h"
#include "cli/verb.h"

/* The part of an import that talks to certlogind.  Both give an exit code and say what is wrong. */

/* Reads what it has; the anchor, if the plan has rules, must be there. */
int import_known(struct cli *cli, const struct plan *p, struct known *ret);

/* Does what is new, in order, up to the first that fails: a later run goes on from there. */
int import_apply(struct cli *cli, const struct plan *p);

#endif
