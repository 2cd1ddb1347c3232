// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/api/question.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"

#define TRIES (KEY_ASK_WRONG | KEY_ASK_FEW_LEFT | KEY_ASK_LAST)

static const struct {
	const char *before, *after;
	bool answered;
	unsigned flags; /* that it may have */
} kinds[] = {
	[KEY_ASK_PIN] = { "PIN for ", ": ", true, TRIES },
	[KEY_ASK_PASSPHRASE] = { "passphrase for ", ": ", true, KEY_ASK_WRONG },
	[KEY_ASK_TOUCH] = { "touch ", "", false, 0 },
	[KEY_ASK_INFO] = { "", "", false, 0 },
	[KEY_ASK_PIN_PAD] = { "type the PIN at the reader of ", "", false, TRIES },
};

bool question_ok(unsigned question)
{
	unsigned kind = question & KEY_ASK_KIND;

	return kind < ARRAY_SIZE(kinds) && kinds[kind].before &&
	       (question & ~kind & ~kinds[kind].flags) == 0;
}

bool question_answered(enum key_question question)
{
	return kinds[question & KEY_ASK_KIND].answered;
}

void question_text(enum key_question question, const char *label, char ret[QUESTION_TEXT_SIZE])
{
	unsigned kind = question & KEY_ASK_KIND;

	(void)snprintf(ret, QUESTION_TEXT_SIZE, "%s%s%s%s%s",
		       question & KEY_ASK_WRONG ? "that was wrong; " : "",
		       question & KEY_ASK_LAST	     ? "LAST TRY before the token is blocked; "
		       : question & KEY_ASK_FEW_LEFT ? "only a few tries are left; "
						     : "",
		       kinds[kind].before, label, kinds[kind].after);
}

void choice_text(const char *const *labels, unsigned n, char ret[QUESTION_TEXT_SIZE])
{
	size_t at = (size_t)snprintf(ret, QUESTION_TEXT_SIZE, "which key?\n");

	for (unsigned i = 0; i < n && at < QUESTION_TEXT_SIZE; i++)
		at += (size_t)snprintf(ret + at, QUESTION_TEXT_SIZE - at, " %u  %s\n", i + 1,
				       labels[i]);
	if (at < QUESTION_TEXT_SIZE)
		(void)snprintf(ret + at, QUESTION_TEXT_SIZE - at, "number (1-%u): ", n);
}

int choice_parse(const char *text, unsigned n, unsigned *ret)
{
	if (*text < '1' || *text > '9' || text[1] || (unsigned)(*text - '0') > n)
		return -EINVAL;
	*ret = (unsigned)(*text - '1');
	return 0;
}
