// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam/converse.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"

int converse_ask(const struct converse *c, const char *prompt, struct secret **ret)
{
	struct secret *answer;
	char *text = NULL;
	int r;

	if (c->mute)
		return -ENODATA;
	r = pam_prompt(c->pamh, PAM_PROMPT_ECHO_OFF, &text, "%s", prompt);
	if (!text) /* also with PAM_SUCCESS (CVE-2021-31924) */
		return -ENODATA;
	answer = r == PAM_SUCCESS ? secret_new(text, strlen(text)) : NULL;
	explicit_bzero(text, strlen(text));
	free(text);
	if (!answer)
		return r == PAM_SUCCESS ? -ENOMEM : -ENODATA;
	*ret = answer;
	return 0;
}

void converse_say(const struct converse *c, int style, const char *text)
{
	if (!c->mute && !c->quiet)
		(void)pam_prompt(c->pamh, style, NULL, "%s", text);
}

int converse_question(void *converse, enum key_question question, const char *label,
		      struct secret **ret_answer)
{
	static const struct {
		const char *before, *after;
		bool answered;
	} table[] = {
		[KEY_ASK_PIN] = { "PIN for ", ": ", true },
		[KEY_ASK_PASSPHRASE] = { "passphrase for ", ": ", true },
		[KEY_ASK_TOUCH] = { "touch ", "", false },
		[KEY_ASK_CHOICE] = { "number of the key to use, ", ": ", true },
		[KEY_ASK_INFO] = { "", "", false },
	};
	char text[LIMIT_HELPER_LABEL + 64];

	(void)snprintf(text, sizeof(text), "certlogin: %s%s%s", table[question].before, label,
		       table[question].after);
	if (table[question].answered)
		return converse_ask(converse, text, ret_answer);
	converse_say(converse, PAM_TEXT_INFO, text);
	return 0;
}
