// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/keys/pkcs11-pin.h"

#include <errno.h>
#include <gnutls/pkcs11.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/name.h"

static void forget(struct token_pin *p)
{
	p->pin = secret_free(p->pin);
	free(p->token);
	p->token = NULL;
	p->accepted = false;
}

void token_pin_deinit(struct token_pin *p)
{
	forget(p);
}

enum key_question token_pin_question(unsigned flags)
{
	unsigned question = KEY_ASK_PIN;

	if (flags & GNUTLS_PIN_WRONG)
		question |= KEY_ASK_WRONG;
	if (flags & GNUTLS_PIN_COUNT_LOW)
		question |= KEY_ASK_FEW_LEFT;
	if (flags & GNUTLS_PIN_FINAL_TRY)
		question |= KEY_ASK_LAST;
	return (enum key_question)question;
}

const char *token_pin_end_text(enum pin_end end)
{
	switch (end) {
	case PIN_NOT_GIVEN:
		return "no PIN was given";
	case PIN_TOO_OFTEN:
		return "the PIN is wrong";
	case PIN_BLOCKED:
		return "its PIN is blocked; unblock it with its PUK, or ask who gave it to you";
	case PIN_GOING_ON:
		break;
	}
	return "it takes no PIN";
}

static int stop(struct token_pin *p, enum pin_end end)
{
	forget(p);
	p->end = end;
	return -1;
}

/* GnuTLS does not tell of this one. */
static bool is_blocked(const char *token)
{
	unsigned flags = 0;

	return gnutls_pkcs11_token_get_flags(token, &flags) >= 0 &&
	       flags & GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED;
}

/* NUL ends it for GnuTLS: what is behind one would be dropped without a word. */
static bool can_be_given(const struct secret *pin, size_t size)
{
	return pin && pin->len > 0 && pin->len < size && !memchr(pin->bytes, '\0', pin->len);
}

static int give(struct token_pin *p, char *pin)
{
	memcpy(pin, p->pin->bytes, p->pin->len + 1);
	return 0;
}

int token_pin_callback(void *userdata, _unused_ int attempt, const char *token, const char *label,
		       unsigned flags, char *pin, size_t size)
{
	struct token_pin *p = userdata;

	if (p->accepted && !(flags & GNUTLS_PIN_WRONG) && strcmp(p->token, token) == 0)
		return give(p, pin);
	forget(p);
	if (p->wrong)
		flags |= GNUTLS_PIN_WRONG;
	p->wrong = false;
	if (p->end != PIN_GOING_ON)
		return -1;
	if (is_blocked(token))
		return stop(p, PIN_BLOCKED);
	if (p->tries++ >= LIMIT_PASSPHRASE_TRIES)
		return stop(p, PIN_TOO_OFTEN);
	text_clean(label, strlen(label), p->label, sizeof(p->label));
	if (!p->ask || p->ask(p->ask_userdata, token_pin_question(flags), p->label, &p->pin) < 0 ||
	    !can_be_given(p->pin, size))
		return stop(p, PIN_NOT_GIVEN);
	p->token = strdup(token);
	return p->token ? give(p, pin) : stop(p, PIN_NOT_GIVEN);
}

int token_pin_pad(struct token_pin *p, unsigned token_flags)
{
	unsigned flags = p->wrong ? GNUTLS_PIN_WRONG : 0;
	int question;

	if (token_flags & GNUTLS_PKCS11_TOKEN_USER_PIN_COUNT_LOW)
		flags |= GNUTLS_PIN_COUNT_LOW;
	if (token_flags & GNUTLS_PKCS11_TOKEN_USER_PIN_FINAL_TRY)
		flags |= GNUTLS_PIN_FINAL_TRY;
	question = (int)(token_pin_question(flags) & ~(unsigned)KEY_ASK_KIND) | KEY_ASK_PIN_PAD;
	p->wrong = false;
	if (p->tries++ >= LIMIT_PASSPHRASE_TRIES)
		(void)stop(p, PIN_TOO_OFTEN);
	else if (!p->ask ||
		 p->ask(p->ask_userdata, (enum key_question)question, p->label, NULL) < 0)
		(void)stop(p, PIN_NOT_GIVEN);
	return p->end == PIN_GOING_ON ? 0 : -EKEYREJECTED;
}
