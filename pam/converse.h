/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAM_CONVERSE_H
#define PAM_CONVERSE_H

#include <security/pam_modules.h>
#include <stdbool.h>

#include "lib/api/helper.h"
#include "lib/base/secret.h"

/*
 * Talking through the host's conversation.  Some know PAM_PROMPT_ECHO_OFF alone (PostgreSQL): that
 * is the only prompt we use, and nothing depends on whether a message was shown.
 */
struct converse {
	pam_handle_t *pamh;
	bool mute;  /* observe: neither prompts nor messages */
	bool quiet; /* no messages */
};

/* 0 with what was typed, maybe empty; -ENODATA: nobody answers.  Wipes the host's copy. */
int converse_ask(const struct converse *c, const char *prompt, struct secret **ret);
/* style: PAM_TEXT_INFO or PAM_ERROR_MSG */
void converse_say(const struct converse *c, int style, const char *text);
/* The helper's questions, for helper_run(): by kind; what it says itself is no more than labels. */
int converse_question(void *converse, enum key_question question, const char *label,
		      struct secret **ret_answer);
int converse_choice(void *converse, const char *const *labels, unsigned n, unsigned *ret);

#endif
