/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CERTFILE_H
#define CLI_CERTFILE_H

#include "cli/verb.h"
#include "lib/pki/cert.h"

/* Certificates in files that the user named.  All give an exit code and say what is wrong. */

/* The first of the file ("-": stdin). */
int certfile_read(struct cli *cli, const char *path, struct cert **ret);
/* All of it, leaf first, at most `max`. */
int certfile_read_all(struct cli *cli, const char *path, struct cert **ret, size_t max, size_t *ret_n);
/* The same, appended to an array of base64 DER: what the API calls a chain. */
int certfile_put_chain(struct cli *cli, const char *path, json_t *chain);
/* Enrolls it through the API.  part: of a bigger work that prints the JSON itself. */
int certfile_enroll(struct cli *cli, const char *identity, const struct cert *cert, bool part);
/* Adds it as an anchor; likewise. */
int certfile_anchor(struct cli *cli, const char *name, const struct cert *cert, bool part);
/* Adds it as an intermediate. */
int certfile_intermediate(struct cli *cli, const char *name, const struct cert *cert);

#endif
