/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROVE_REPLY_H
#define PROVE_REPLY_H

#include <stddef.h>

#include "lib/prove/prove.h"

/*
 * Replies of org.certlogin.Login, as text without the NUL.  Strict: what is not exactly such a
 * reply is PROVE_NO_SERVER, never PROVE_DONE.  -ENOMEM.
 */
int reply_read_commit(const char *text, size_t n, struct prove_answer *ret);
/* *ret_description is written only with PROVE_DONE; its texts can go to a terminal. */
int reply_read_describe(const char *text, size_t n, struct prove_answer *ret,
			struct prove_description *ret_description);

#endif
