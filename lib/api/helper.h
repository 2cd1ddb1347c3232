/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef API_HELPER_H
#define API_HELPER_H

/*
 * What pam_certlogin and its helper `prove` say to each other, over a SOCK_SEQPACKET socketpair that
 * is the helper's fd 0.  One packet is one message: u8 type, then the fields; u16 lengths are
 * big-endian.  Neither believes the other: the module takes at most LIMIT_HELPER_QUESTIONS questions
 * and composes the text itself; a ticket is good only when the authority says so.
 *
 * The helper is started as `prove invoker` (real uid != 0: it becomes that uid) or `prove console`
 * (real uid 0: it becomes USER_PROVE); any other combination ends it.
 */
enum helper_message {
	HELPER_START = 1,   /* module: u16+login id text, u16+account, u16+service, u16+runtime directory,
			     * u16+PKCS#11 name (lib/base/p11name.h; empty: none) */
	HELPER_ASK = 2,     /* helper: u8 enum key_question, u16+label (<= LIMIT_HELPER_LABEL).
			     * KEY_ASK_CHOICE: u8 kind, u8 n (2 to LIMIT_HELPER_CHOICES), n times u16+label */
	HELPER_ANSWER = 3,  /* module: the answer, up to LIMIT_SECRET bytes (empty for touch, PIN pad,
			     * info); of a choice: u8, from 0 */
	HELPER_TICKET = 4,  /* helper: TICKET_BYTES; the last message */
	HELPER_FAILED = 5,  /* helper: u64 event (0: none), u16+why; the last message */
};
#define HELPER_PACKET_MAX 1024

/* The questions: what is asked for decides the text that the module shows (lib/api/question.h). */
enum key_question {
	KEY_ASK_PIN = 1,
	KEY_ASK_PASSPHRASE = 2,
	KEY_ASK_TOUCH = 3,
	KEY_ASK_CHOICE = 4,
	KEY_ASK_INFO = 5,
	KEY_ASK_PIN_PAD = 6, /* to be typed at the reader, not here */

	/* Of a PIN or passphrase, in the same octet. */
	KEY_ASK_WRONG = 0x10,	 /* the last one was */
	KEY_ASK_FEW_LEFT = 0x20, /* the token takes only a few wrong ones more */
	KEY_ASK_LAST = 0x40,	 /* a wrong one blocks it */
	KEY_ASK_KIND = 0x0f,
};

#endif
