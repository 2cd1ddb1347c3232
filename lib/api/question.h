/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef API_QUESTION_H
#define API_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/api/helper.h"
#include "lib/base/limits.h"

/*
 * What a person is shown.  Labels come from tokens, agents and file names, hence from strangers:
 * who asks has made them printable, and who shows them has checked that (text_ok()).
 */
#define QUESTION_TEXT_SIZE 500 /* with our name before it, PAM_MAX_MSG_SIZE */

/* A kind that there is, with flags that it may have; a choice goes by the other functions. */
bool question_ok(unsigned question);
/* Is there something to type? */
bool question_answered(enum key_question question);
void question_text(enum key_question question, const char *label, char ret[QUESTION_TEXT_SIZE]);

/* One prompt, of several lines: messages may be hidden from the person.  n: 2 to
 * LIMIT_HELPER_CHOICES, labels of at most LIMIT_HELPER_LABEL. */
void choice_text(const char *const *labels, unsigned n, char ret[QUESTION_TEXT_SIZE]);
/* What was typed: 0 with *ret from 0, or -EINVAL. */
int choice_parse(const char *text, unsigned n, unsigned *ret);

#endif
