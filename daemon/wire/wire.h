/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/ticket.h"
#include "lib/pki/digest.h"

/*
 * The link between gate and authority; schema/wire/wire.def is the contract.  The only code that is
 * compiled into both.  Every get fails with -EBADMSG unless the packet holds exactly its message.
 */
#define WIRE_VERSION 1

enum { /* slot states; also allow-masks */
	SLOT_NONE = 1 << 0,
	SLOT_FRESH = 1 << 1,
	SLOT_SIGNED = 1 << 2,
	SLOT_PROVEN = 1 << 3,
};

enum wire_id {
#define WIRE_REQ(id, number, states, name) WIRE_##id = (number),
#define WIRE_ANS(id, number, name) WIRE_##id = (number),
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

struct wire_header {
	uint8_t id;
	uint32_t slot;
};

/* Reads the header; *ret_body is what follows. */
int wire_get_header(const uint8_t *p, size_t n, struct wire_header *ret, struct view *ret_body);

struct wire_hello { uint16_t version; };
struct wire_want_nonces { uint16_t count; };
struct wire_sign { struct view source; struct view prefix; };
struct wire_prove { struct view rest; };
struct wire_commit {
	uint8_t ticket_hash[SHA256_BYTES];
	struct view login_id;               /* LOGIN_ID_BYTES or empty */
	struct view account;
	struct view service;
};
struct wire_describe { struct view login_id; };
struct wire_welcome { struct view server_cert; };
struct wire_nonce { uint32_t slot; uint8_t nonce[32]; };
struct wire_nonces { uint16_t n; struct wire_nonce items[LIMIT_NONCES_AHEAD]; };
struct wire_signed { struct view signature; };
struct wire_committed { uint8_t allowed; uint64_t event; };
struct wire_described { uint8_t found; struct view account, service, caller; };

/* put: appends one whole packet to an empty buf (check buf.error).  get: body -> struct, views into it. */
void wire_put_hello(struct buf *b, const struct wire_hello *m);
int wire_get_hello(const struct view *body, struct wire_hello *ret);
void wire_put_want_nonces(struct buf *b, const struct wire_want_nonces *m);
int wire_get_want_nonces(const struct view *body, struct wire_want_nonces *ret);
void wire_put_sign(struct buf *b, uint32_t slot, const struct wire_sign *m);
int wire_get_sign(const struct view *body, struct wire_sign *ret);
void wire_put_prove(struct buf *b, uint32_t slot, const struct wire_prove *m);
int wire_get_prove(const struct view *body, struct wire_prove *ret);
void wire_put_commit(struct buf *b, uint32_t slot, const struct wire_commit *m);
int wire_get_commit(const struct view *body, struct wire_commit *ret);
void wire_put_describe(struct buf *b, uint32_t slot, const struct wire_describe *m);
int wire_get_describe(const struct view *body, struct wire_describe *ret);
void wire_put_close(struct buf *b, uint32_t slot);
int wire_get_close(const struct view *body);
void wire_put_welcome(struct buf *b, const struct wire_welcome *m);
int wire_get_welcome(const struct view *body, struct wire_welcome *ret);
void wire_put_nonces(struct buf *b, const struct wire_nonces *m);
int wire_get_nonces(const struct view *body, struct wire_nonces *ret);
void wire_put_signed(struct buf *b, uint32_t slot, const struct wire_signed *m);
int wire_get_signed(const struct view *body, struct wire_signed *ret);
void wire_put_refused(struct buf *b, uint32_t slot);
int wire_get_refused(const struct view *body);
void wire_put_committed(struct buf *b, uint32_t slot, const struct wire_committed *m);
int wire_get_committed(const struct view *body, struct wire_committed *ret);
void wire_put_described(struct buf *b, uint32_t slot, const struct wire_described *m);
int wire_get_described(const struct view *body, struct wire_described *ret);

#endif
