/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

#include "cli/verb.h"
#include "lib/api/helper.h"
#include "lib/base/secret.h"

/* Questions on /dev/tty: stdin and stdout may be pipes. */

/* A line, as it was typed.  echo: shown.  0, -errno. */
int ask_line(const char *prompt, bool echo, struct secret **ret);
/* y or yes; without a terminal: no. */
bool ask_yes(const char *question);
/* struct key_context's `ask` and `choose`; userdata is the cli.  Echo is off for PIN and passphrase. */
int ask_key_question(void *userdata, enum key_question question, const char *label, struct secret **ret_answer);
int ask_key_choice(void *userdata, const char *const *labels, unsigned n, unsigned *ret);

#endif
