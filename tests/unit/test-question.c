// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/api/question.h"
#include "lib/base/cleanup.h"

static void texts(_unused_ void **state)
{
	static const struct {
		unsigned question;
		const char *text;
		bool answered;
	} t[] = {
		{ KEY_ASK_PIN, "PIN for it: ", true },
		{ KEY_ASK_PIN | KEY_ASK_WRONG, "that was wrong; PIN for it: ", true },
		{ KEY_ASK_PIN | KEY_ASK_FEW_LEFT, "only a few tries are left; PIN for it: ", true },
		{ KEY_ASK_PIN | KEY_ASK_LAST,
		  "LAST TRY before the token is blocked; PIN for it: ", true },
		{ KEY_ASK_PIN | KEY_ASK_WRONG | KEY_ASK_FEW_LEFT | KEY_ASK_LAST,
		  "that was wrong; LAST TRY before the token is blocked; PIN for it: ", true },
		{ KEY_ASK_PASSPHRASE, "passphrase for it: ", true },
		{ KEY_ASK_PASSPHRASE | KEY_ASK_WRONG, "that was wrong; passphrase for it: ", true },
		{ KEY_ASK_TOUCH, "touch it", false },
		{ KEY_ASK_INFO, "it", false },
		{ KEY_ASK_PIN_PAD, "type the PIN at the reader of it", false },
		{ KEY_ASK_PIN_PAD | KEY_ASK_LAST,
		  "LAST TRY before the token is blocked; type the PIN at the reader of it", false },
	};
	char text[QUESTION_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_true(question_ok(t[i].question));
		question_text((enum key_question)t[i].question, "it", text);
		assert_string_equal(text, t[i].text);
		assert_int_equal(question_answered((enum key_question)t[i].question),
				 t[i].answered);
	}
}

/* Of the 256 octets, these: one by one. */
static void other_octets_are_no_question(_unused_ void **state)
{
	unsigned good = 0;

	for (unsigned i = 0; i < 256; i++)
		good += question_ok(i);
	/* PIN and PIN pad with three flags, passphrase with one, touch, info */
	assert_int_equal(good, 8 + 8 + 2 + 1 + 1);
	assert_false(question_ok(0));
	assert_false(question_ok(KEY_ASK_CHOICE));
	assert_false(question_ok(KEY_ASK_WRONG));
	assert_false(question_ok(KEY_ASK_INFO | KEY_ASK_WRONG));
	assert_false(question_ok(KEY_ASK_PASSPHRASE | KEY_ASK_LAST));
	assert_false(question_ok(0x80 | KEY_ASK_PIN));
}

static void longest_choice_is_shown_whole(_unused_ void **state)
{
	char label[LIMIT_HELPER_LABEL + 1], text[QUESTION_TEXT_SIZE];
	const char *labels[LIMIT_HELPER_CHOICES];

	memset(label, 'x', LIMIT_HELPER_LABEL);
	label[LIMIT_HELPER_LABEL] = '\0';
	for (unsigned i = 0; i < LIMIT_HELPER_CHOICES; i++)
		labels[i] = label;
	choice_text(labels, LIMIT_HELPER_CHOICES, text);
	assert_non_null(strstr(text, "x\nnumber (1-6): "));
	assert_string_equal(text + strlen(text) - 2, ": ");
}

static void numbers(_unused_ void **state)
{
	static const char *const wrong[] = { "", "0", "4", "9", "11", "1 ", " 1", "-1", "x", "1x" };
	unsigned n = 77;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(choice_parse(wrong[i], 3, &n), -EINVAL);
	assert_int_equal(n, 77);
	assert_int_equal(choice_parse("1", 3, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(choice_parse("3", 3, &n), 0);
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(other_octets_are_no_question),
		cmocka_unit_test(longest_choice_is_shown_whole),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
