/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CRLFILE_H
#define CLI_CRLFILE_H

#include "cli/verb.h"
#include "lib/base/buf.h"

/* Revocation lists in files that the user named: DER, or any number of PEM blocks. */

/* The whole file; an exit code, and says what is wrong. */
int crlfile_read(struct cli *cli, const char *path, struct buf *ret);
/* Next list of it, which `in` begins as; *ret is the caller's.  1; 0: no more; -EBADMSG, -ENOMEM. */
int crlfile_next(struct view *in, uint8_t **ret, size_t *ret_n);

/* Sends every list of the file to the daemon, with --anchor and --signer of args; what became of
 * each is appended to `all`.  An exit code. */
int crlfile_import(struct cli *cli, const struct args *args, const char *path, json_t *all);

#endif
