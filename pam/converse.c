// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam/converse.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <string.h>

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
