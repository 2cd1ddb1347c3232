/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_BUILTIN_CA_H
#define CLI_BUILTIN_CA_H

#include "cli/file.h"
#include "cli/verb.h"

/* The built-in CA of this host (CONFDIR/ca), for `ca` and `setup --ca`; exit codes. */
int builtin_ca_paths(struct cli *cli, char ret_key[PATH_SIZE], char ret_cert[PATH_SIZE]);
/* Makes it and, where the daemon is there, its anchor "builtin". */
int builtin_ca_create(struct cli *cli, const char *cn, int64_t days);

#endif
