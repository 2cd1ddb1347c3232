/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_TRUST_USER_H
#define CLI_TRUST_USER_H

#include "cli/file.h"
#include "cli/trust.h"
#include "cli/verb.h"

/* The caller's own trust file; an exit code, and says what is wrong. */
int trust_user_load(struct cli *cli, char ret_path[PATH_SIZE], struct trust_file *ret);

#endif
