/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_CALL_H
#define GATE_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/wire/wire.h"
#include "lib/pki/commitment.h"

/*
 * The one call of a connection, schema/api/org.certlogin.Login.varlink.  Read strictly here, so
 * that the authority gets typed fields and no JSON of strangers.
 */
enum call_kind { CALL_NONE, CALL_COMMIT, CALL_DESCRIBE };

struct call {
	enum call_kind kind;
	uint8_t ticket_hash[SHA256_BYTES];
	bool loose; /* no login id */
	uint8_t login_id[LOGIN_ID_BYTES];
	const char *account, *service; /* in message */
	json_t *message;
};

/*
 * -EBADMSG: no Varlink call at all: close.  -EINVAL: one that gets an answer at once, *ret_reply
 * (given; *ret_reply_n counts its NUL): unknown method, wrong parameters, a name that cannot be.
 */
int call_parse(const char *text, size_t n, struct call *ret, char **ret_reply, size_t *ret_reply_n);
void call_deinit(struct call *call);

/* Has the client's key signed for exactly this?  commitment: the name in its ClientHello. */
bool call_is_committed(const struct call *call, const char *commitment);

/* Answers; give NUL-terminated text, NULL when out of memory. */
char *call_reply_committed(bool allowed, uint64_t event, size_t *ret_n);
char *call_reply_described(const struct wire_described *m, size_t *ret_n);
char *call_reply_unavailable(size_t *ret_n);

#endif
