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
	HELPER_START = 1,   /* module: u16+login id text, u16+account, u16+service, u16+runtime directory */
	HELPER_ASK = 2,     /* helper: u8 enum key_question, u16+label (<= LIMIT_HELPER_LABEL) */
	HELPER_ANSWER = 3,  /* module: the answer, up to LIMIT_SECRET bytes (empty for touch, info) */
	HELPER_TICKET = 4,  /* helper: TICKET_BYTES; the last message */
	HELPER_FAILED = 5,  /* helper: u64 event (0: none), u16+why; the last message */
};
#define HELPER_PACKET_MAX 1024

/* The questions: what is asked for decides the text that the module shows. */
enum key_question {
	KEY_ASK_PIN = 1,
	KEY_ASK_PASSPHRASE = 2,
	KEY_ASK_TOUCH = 3,
	KEY_ASK_CHOICE = 4,
	KEY_ASK_INFO = 5,
};

#endif
