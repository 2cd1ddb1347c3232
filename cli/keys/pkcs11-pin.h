/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_KEYS_PKCS11_PIN_H
#define CLI_KEYS_PKCS11_PIN_H

#include <stdbool.h>

#include "cli/keys/keys.h"

/*
 * The dialogue for one token's PIN, as GnuTLS's PIN function.  A wrong PIN costs a try of the
 * token's: it is asked for again only while the token takes one, the last try is called that before
 * it is made, and there are LIMIT_PASSPHRASE_TRIES at most.
 *
 * A PIN that the token has taken is kept, wiped in the end, for keys that want it with each
 * signature (CKA_ALWAYS_AUTHENTICATE): people are asked once, and only that very token gets it.
 * What GnuTLS and p11-kit copy for themselves they do not wipe; the helper cannot be looked into
 * and is short.
 */
enum pin_end {
	PIN_GOING_ON,
	PIN_NOT_GIVEN,
	PIN_TOO_OFTEN, /* wrong */
	PIN_BLOCKED,
};

struct token_pin {
	int (*ask)(void *userdata, enum key_question question, const char *label,
		   struct secret **ret_answer);
	void *ask_userdata;
	bool wrong;	    /* the last one was, as far as GnuTLS does not know it */
	unsigned tries;	    /* that were asked for */
	enum pin_end end;   /* why no more PINs are given */
	struct secret *pin; /* the last one given */
	char *token;	    /* to whom: GnuTLS's URI */
	bool accepted;	    /* by the token */
	char label[LIMIT_HELPER_LABEL + 1];
};

void token_pin_deinit(struct token_pin *p);

/* gnutls_pin_callback_t; userdata: struct token_pin. */
int token_pin_callback(void *userdata, int attempt, const char *token, const char *label,
		       unsigned flags, char *pin, size_t size);
/* For a token with keys or a reader of its own: who is to type does it there.  token_flags:
 * GNUTLS_PKCS11_TOKEN_*.  0, or -EKEYREJECTED with `end`. */
int token_pin_pad(struct token_pin *p, unsigned token_flags);

/* The question for these flags, GNUTLS_PIN_*. */
enum key_question token_pin_question(unsigned flags);
/* What happened, for people. */
const char *token_pin_end_text(enum pin_end end);

#endif
