/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_COMMITMENT_H
#define PKI_COMMITMENT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/ticket.h"
#include "lib/pki/digest.h"

/*
 * What the key's holder signs besides the handshake (DESIGN: begin, prove, redeem):
 *
 *	c = SHA-256("certlogin ticket 1" 00 s)
 *	m = SHA-256("certlogin request 1" 00 lp(c) lp(login id) lp(account) lp(service))
 *
 * lp(x) = u16 big-endian length + x.  The ClientHello offers the ALPN names ALPN_PROTOCOL and
 * "cl1-" + the first 27 characters of base64url(m).
 */
#define ALPN_PROTOCOL "certlogin/1"
#define COMMITMENT_NAME_SIZE (4 + 27 + 1)

struct commitment {
	uint8_t ticket_hash[SHA256_BYTES];   /* c */
	const uint8_t *login_id;             /* LOGIN_ID_BYTES, or NULL: loose */
	const char *account;
	const char *service;
};

void commitment_ticket_hash(const uint8_t ticket[TICKET_BYTES], uint8_t ret[SHA256_BYTES]);
/* The ALPN name that stands for it. */
int commitment_name(const struct commitment *commitment, char ret[COMMITMENT_NAME_SIZE]);

#endif
