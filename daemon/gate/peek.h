/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_PEEK_H
#define GATE_PEEK_H

#include <stdint.h>

#include "lib/base/buf.h"

/*
 * Is the ClientHello here yet?  Looked for in the records as they came (RFC 8446 5.1), before there
 * is a TLS session: who says nothing, or speaks byte by byte, costs us the bytes and no more, and
 * takes no nonce.
 */
enum peek_result {
	PEEK_MORE,  /* so far so good */
	PEEK_HELLO, /* a whole ClientHello */
	PEEK_ODD,   /* no ClientHello, or one above LIMIT_HELLO_BYTES: whatever comes after it */
};

struct peek {
	size_t at;	 /* start of the first record that was not read yet */
	uint32_t have;	 /* handshake bytes seen in the records before it */
	uint8_t head[4]; /* the first of them */
};

/* `in`: all bytes since the connection began.  Each record is read once, however often this is
 * called. */
enum peek_result peek_hello(struct peek *peek, const struct view *in);

#endif
