/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_SSH_PROMPT_H
#define CLI_SSH_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/limits.h"
#include "lib/base/ticket.h"

/*
 * What certlogin ssh reads of ssh(1): its configuration, and the prompts that it hands to an askpass
 * program.  A prompt may come from whoever answers on the other side: of pam_certlogin's only the
 * login id is taken, and it is good for nothing but the host, account and service that the user named.
 */

/* The environment of ssh-askpass: the words of the certlogin command that gets a ticket, without
 * --login, as a JSON array. */
#define SSH_PROMPT_ENV "CERTLOGIN_SSH"

/* "... ticket (login 7KQ2-M4XD-ABCD-E): ", at its end.  0, or -ENOENT: it is none of ours. */
int ssh_prompt_login(const char *prompt, char ret[LOGIN_ID_TEXT_SIZE]);

/* Is the answer shown while it is typed?  ssh's own yes-or-no question alone. */
bool ssh_prompt_echo(const char *prompt);

/* From the output of `ssh -G`: its hostname and user.  0, or -EBADMSG: either is missing or too long. */
int ssh_config_read(const char *text, char host[256], char account[LIMIT_ACCOUNT + 1]);

#endif
