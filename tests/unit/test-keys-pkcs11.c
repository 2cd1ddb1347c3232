// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/pkcs11.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/keys/pkcs11-pin.h"
#include "lib/base/name.h"

/*
 * The dialogue for a PIN, without a token, and what is told before one is looked at.  Tokens:
 * tests/component/pkcs11.sh.
 */

struct person {
	const char *answers[8]; /* NULL: nobody answers */
	size_t n;		/* were asked */
	size_t bytes;		/* of each answer; 0: its text */
	unsigned questions[8];
	char label[LIMIT_HELPER_LABEL + 1];
};

static int ask(void *userdata, enum key_question question, const char *label,
	       struct secret **ret_answer)
{
	struct person *p = userdata;
	const char *answer = p->answers[p->n];

	assert_true(text_ok(label, LIMIT_HELPER_LABEL));
	(void)strcpy(p->label, label);
	p->questions[p->n++] = question;
	if (!answer)
		return -ENODATA;
	if (ret_answer)
		*ret_answer = secret_new(answer, p->bytes ? p->bytes : strlen(answer));
	return 0;
}

static unsigned token_flags;
int __wrap_gnutls_pkcs11_token_get_flags(const char *url, unsigned *flags); // NOLINT
int __wrap_gnutls_pkcs11_token_get_flags(_unused_ const char *url, unsigned *flags)
{
	*flags = token_flags;
	return 0;
}

struct dialogue {
	struct person person;
	struct token_pin pin;
	char text[64]; /* what the token gets */
};

static struct dialogue *begin(struct dialogue *d)
{
	token_flags = 0;
	d->pin = (struct token_pin){ .ask = ask, .ask_userdata = &d->person };
	return d;
}

static int call(struct dialogue *d, const char *token, unsigned flags)
{
	memset(d->text, 'z', sizeof(d->text));
	return token_pin_callback(&d->pin, 0, token, "Card", GNUTLS_PIN_USER | flags, d->text,
				  sizeof(d->text));
}

static void flags_make_the_question(_unused_ void **state)
{
	assert_int_equal(token_pin_question(GNUTLS_PIN_USER), KEY_ASK_PIN);
	assert_int_equal(token_pin_question(GNUTLS_PIN_USER | GNUTLS_PIN_WRONG),
			 KEY_ASK_PIN | KEY_ASK_WRONG);
	assert_int_equal(token_pin_question(GNUTLS_PIN_USER | GNUTLS_PIN_COUNT_LOW),
			 KEY_ASK_PIN | KEY_ASK_FEW_LEFT);
	assert_int_equal(token_pin_question(GNUTLS_PIN_USER | GNUTLS_PIN_FINAL_TRY),
			 KEY_ASK_PIN | KEY_ASK_LAST);
	assert_int_equal(token_pin_question(GNUTLS_PIN_CONTEXT_SPECIFIC | GNUTLS_PIN_WRONG |
					    GNUTLS_PIN_COUNT_LOW | GNUTLS_PIN_FINAL_TRY),
			 KEY_ASK_PIN | KEY_ASK_WRONG | KEY_ASK_FEW_LEFT | KEY_ASK_LAST);
}

static void each_wrong_one_is_told(_unused_ void **state)
{
	struct dialogue d = { .person.answers = { "1", "2", "3", "4" } };

	(void)begin(&d);
	assert_int_equal(call(&d, "pkcs11:token=a", 0), 0);
	assert_string_equal(d.text, "1");
	assert_int_equal(call(&d, "pkcs11:token=a", GNUTLS_PIN_WRONG | GNUTLS_PIN_COUNT_LOW), 0);
	assert_string_equal(d.text, "2");
	assert_int_equal(d.person.questions[1], KEY_ASK_PIN | KEY_ASK_WRONG | KEY_ASK_FEW_LEFT);
	d.pin.wrong = true; /* as we know it, GnuTLS does not */
	assert_int_equal(call(&d, "pkcs11:token=a", GNUTLS_PIN_FINAL_TRY), 0);
	assert_int_equal(d.person.questions[2], KEY_ASK_PIN | KEY_ASK_WRONG | KEY_ASK_LAST);
	assert_true(call(&d, "pkcs11:token=a", GNUTLS_PIN_WRONG) < 0);
	assert_int_equal(d.person.n, LIMIT_PASSPHRASE_TRIES);
	assert_int_equal(d.pin.end, PIN_TOO_OFTEN);
	assert_true(call(&d, "pkcs11:token=a", 0) < 0); /* that is final */
	assert_null(d.pin.pin);
	token_pin_deinit(&d.pin);
}

static void a_blocked_token_gets_none(_unused_ void **state)
{
	struct dialogue d = { .person.answers = { "1", "2" } };

	(void)begin(&d);
	assert_int_equal(call(&d, "pkcs11:token=a", 0), 0);
	token_flags = GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED;
	assert_true(call(&d, "pkcs11:token=a", GNUTLS_PIN_WRONG) < 0);
	assert_int_equal(d.person.n, 1);
	assert_int_equal(d.pin.end, PIN_BLOCKED);
	token_pin_deinit(&d.pin);
}

static void what_is_no_pin_is_not_tried(_unused_ void **state)
{
	static const char whole[64 + 1] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	const struct person persons[] = {
		{ .answers = { NULL } },
		{ .answers = { "" } },
		{ .answers = { "12\0004" }, .bytes = 4 },
		{ .answers = { whole } }, /* with its NUL one too many */
	};

	for (size_t i = 0; i < ARRAY_SIZE(persons); i++) {
		struct dialogue d = { .person = persons[i] };

		(void)begin(&d);
		assert_true(call(&d, "pkcs11:token=a", 0) < 0);
		assert_int_equal(d.pin.end, PIN_NOT_GIVEN);
		assert_int_equal(d.text[0], 'z');
		assert_true(call(&d, "pkcs11:token=a", 0) < 0);
		assert_int_equal(d.person.n, 1);
		token_pin_deinit(&d.pin);
	}
}

static void a_good_one_is_asked_for_once(_unused_ void **state)
{
	struct dialogue d = { .person.answers = { "1234", "5678", "9" } };

	(void)begin(&d);
	assert_int_equal(call(&d, "pkcs11:token=a", 0), 0);
	d.pin.accepted = true;
	assert_int_equal(call(&d, "pkcs11:token=a", GNUTLS_PIN_CONTEXT_SPECIFIC), 0);
	assert_string_equal(d.text, "1234");
	assert_int_equal(d.person.n, 1);
	/* another token's business it is not */
	assert_int_equal(call(&d, "pkcs11:token=b", 0), 0);
	assert_string_equal(d.text, "5678");
	/* nor is it tried again when the token finds it wrong */
	d.pin.accepted = true;
	assert_int_equal(call(&d, "pkcs11:token=b", GNUTLS_PIN_WRONG), 0);
	assert_string_equal(d.text, "9");
	assert_false(d.pin.accepted);
	token_pin_deinit(&d.pin);
}

static void labels_are_made_printable(_unused_ void **state)
{
	struct dialogue d = { .person.answers = { "1" } };
	char longest[200];

	(void)begin(&d);
	assert_int_equal(token_pin_callback(&d.pin, 0, "pkcs11:token=a", "\x1b[2JCard\r\n\x9b", 0,
					    d.text, sizeof(d.text)),
			 0);
	assert_string_equal(d.person.label, "?[2JCard???");
	token_pin_deinit(&d.pin);
	d.person.n = 0;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	(void)begin(&d);
	assert_int_equal(
		token_pin_callback(&d.pin, 0, "pkcs11:token=a", longest, 0, d.text, sizeof(d.text)),
		0);
	assert_int_equal(strlen(d.person.label), LIMIT_HELPER_LABEL);
	token_pin_deinit(&d.pin);
}

static void a_pin_pad_is_told_of(_unused_ void **state)
{
	struct dialogue d = { .person.answers = { "", "", "", "" } };

	(void)begin(&d);
	assert_int_equal(token_pin_pad(&d.pin, 0), 0);
	assert_int_equal(d.person.questions[0], KEY_ASK_PIN_PAD);
	d.pin.wrong = true;
	assert_int_equal(token_pin_pad(&d.pin, GNUTLS_PKCS11_TOKEN_USER_PIN_COUNT_LOW), 0);
	assert_int_equal(d.person.questions[1], KEY_ASK_PIN_PAD | KEY_ASK_WRONG | KEY_ASK_FEW_LEFT);
	assert_int_equal(token_pin_pad(&d.pin, GNUTLS_PKCS11_TOKEN_USER_PIN_FINAL_TRY), 0);
	assert_int_equal(d.person.questions[2], KEY_ASK_PIN_PAD | KEY_ASK_LAST);
	assert_int_equal(token_pin_pad(&d.pin, 0), -EKEYREJECTED);
	assert_int_equal(d.pin.end, PIN_TOO_OFTEN);
	assert_int_equal(d.person.n, LIMIT_PASSPHRASE_TRIES);
}

static void cannot_be_used(const char *pkcs11, const char *why)
{
	struct key_context ctx = { .pkcs11 = pkcs11 };
	struct prove_key *key = NULL;
	size_t n = 7;

	assert_int_equal(keys_pkcs11_open(&ctx, &key, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_null(key);
	if (!strstr(ctx.why, why))
		fail_msg("%s: %s", pkcs11 ? pkcs11 : "NULL", ctx.why);
}

static void names_that_are_none(_unused_ void **state)
{
	cannot_be_used(NULL, "no PKCS#11 module or token is named");
	cannot_be_used("card.so", "neither the path of a PKCS#11 module nor a pkcs11: URI");
	cannot_be_used("pkcs11:?pin-value=1234", "a PIN has no place in a PKCS#11 URI");
	cannot_be_used("/nonexistent/card.so", "/nonexistent/card.so cannot be loaded");
	cannot_be_used("pkcs11:?module-name=no-such-card", "no-such-card.so cannot be loaded");
}

static void the_agent_is_next(_unused_ void **state)
{
	struct key_context ctx = { .pkcs11 = "/nonexistent/card.so",
				   .key_file = "/nonexistent/key" };
	struct prove_key *key = NULL;
	size_t n = 7;

	assert_int_equal(keys_open(&ctx, &key, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_string_equal(ctx.why, "/nonexistent/key: No such file or directory; the PKCS#11 "
				     "module /nonexistent/card.so cannot be loaded; there is no "
				     "ssh-agent (SSH_AUTH_SOCK is not set)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_make_the_question),
		cmocka_unit_test(each_wrong_one_is_told),
		cmocka_unit_test(a_blocked_token_gets_none),
		cmocka_unit_test(what_is_no_pin_is_not_tried),
		cmocka_unit_test(a_good_one_is_asked_for_once),
		cmocka_unit_test(labels_are_made_printable),
		cmocka_unit_test(a_pin_pad_is_told_of),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(the_agent_is_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
