/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_TRUST_USER_H
#define CLI_TRUST_USER_H

#include "cli/file.h"
#include "cli/trust.h"
#include "cli/verb.h"

/* The caller's own trust file; an exit code, and says what is wrong. */
int trust_user_load(struct cli *cli, char ret_path[PATH_SIZE], struct trust_file *ret);
/* Loads it; what it says of the host, or a refusal with the line that would trust the host. */
int trust_user_find(struct cli *cli, const char *host, struct trust_file *ret, const struct trust_entry **ret_entry);

/* HOST, HOST:PORT, [ADDRESS]:PORT, or an IPv6 address alone; no port: 4715.  An exit code likewise. */
#define HOST_TEXT 256
#define PORT_TEXT 16
int trust_host_split(struct cli *cli, const char *s, char host[HOST_TEXT], char port[PORT_TEXT]);

#endif
