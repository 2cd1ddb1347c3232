// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam/converse.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>

#include "lib/api/question.h"
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

#define OUR_NAME "certlogin: "
#define WHOLE_SIZE (QUESTION_TEXT_SIZE + sizeof(OUR_NAME))

static void with_our_name(const char *text, char ret[WHOLE_SIZE])
{
	(void)snprintf(ret, WHOLE_SIZE, OUR_NAME "%s", text);
}

int converse_question(void *converse, enum key_question question, const char *label,
		      struct secret **ret_answer)
{
	char text[QUESTION_TEXT_SIZE], whole[WHOLE_SIZE];

	question_text(question, label, text);
	with_our_name(text, whole);
	if (question_answered(question))
		return converse_ask(converse, whole, ret_answer);
	converse_say(converse, PAM_TEXT_INFO, whole);
	return 0;
}

int converse_choice(void *converse, const char *const *labels, unsigned n, unsigned *ret)
{
	char text[QUESTION_TEXT_SIZE], whole[WHOLE_SIZE];

	choice_text(labels, n, text);
	with_our_name(text, whole);
	for (unsigned i = 0; i < LIMIT_CHOICE_TRIES; i++) {
		_cleanup_(secret_freep) struct secret *answer = NULL;
		int r = converse_ask(converse, whole, &answer);

		if (r < 0)
			return r;
		if (choice_parse((const char *)answer->bytes, n, ret) == 0)
			return 0;
	}
	return -ENODATA;
}
