/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_HARNESS_AUTHORITY_LAB_H
#define TESTS_HARNESS_AUTHORITY_LAB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/authority/authority.h"
#include "daemon/wire/wire.h"
#include "lib/base/ticket.h"
#include "tests/harness/pki-make.h"
#include "tests/harness/transcript.h"

/*
 * The authority with all its objects but its sockets: a real database in a directory of its own, a
 * host key, links and service connections over socket pairs, a clock that the test sets, and the
 * test as the gate, which may send whatever it likes.  Nothing waits: pump() runs the event loop
 * until there is nothing left to do.
 *
 * People: alice may use the accounts alice and root by @elevate, alice by @login and @app; mallory
 * may use mallory by the same.  Services: sudo, su (elevate), sshd (login), imap (app).
 */
struct world {
	char dir[64], database[96], key_file[96], cert_file[96];
	struct clock clock;
	uint64_t now; /* of both clocks */
	struct authority a;
	struct pki ca, host, alice, mallory;
};

struct world_options {
	enum key_type host, alice; /* KEY_UNKNOWN: P-256 */
};
struct world *world_new(const struct world_options *options);
void world_free(struct world *w);
void pump(struct world *w);
void world_identity(struct world *w, const char *name, const struct pki *p);
void world_allow(struct world *w, const char *name, const char *account, const char *service);

/* No file may grow: the log of the next commit cannot be written. */
void disk_break(struct world *w);
void disk_mend(void);

/* --- a gate --- */

struct gate {
	struct world *w;
	int fd;
	enum service_via via;
	const struct view *staple; /* of those who log in through it; NULL: none */
	uint8_t packet[LIMIT_WIRE_BYTES];
};
/* A link, already greeted. */
void gate_open(struct world *w, enum service_via via, struct gate *ret);
void gate_open_silent(struct world *w, enum service_via via, struct gate *ret);
void gate_close(struct gate *g);
void gate_send(struct gate *g, struct buf *b); /* and clears the buffer */
void gate_send_raw(struct gate *g, const void *p, size_t n);
/* Next answer; its body lives until the next call.  0, -EAGAIN: none, -EPIPE: the link is closed.
 */
int gate_receive(struct gate *g, struct wire_header *ret, struct view *ret_body);
bool gate_is_closed(struct gate *g); /* drops the answers that wait */
void gate_want(struct gate *g, uint16_t n, struct wire_nonces *ret);

/* --- a client's handshake through it --- */

struct shake {
	struct gate *gate;
	uint32_t slot;
	uint8_t nonce[32];
	struct tls_record r;
	struct buf signature; /* the authority's */
};
void shake_deinit(struct shake *s);

/* What somebody wants; a ticket is made when `ticket` is NULL. */
struct wish {
	const struct pki *who;
	const uint8_t *login_id; /* NULL: loose */
	const char *account, *service;
	uint8_t ticket[TICKET_BYTES];
	struct commitment c;
	char name[COMMITMENT_NAME_SIZE];
};
struct wish wish_for(const struct pki *who, const uint8_t *login_id, const char *account,
		     const char *service);

/* NONCES, handshake with SIGN in it.  `name`: the commitment in the ClientHello, or NULL. */
void shake_make(struct gate *g, const struct pki *who, const char *name, struct shake *ret);
/* Its pieces, for gates that lie. */
int shake_sign(void *shake, const struct view *prefix, struct buf *ret_signature);
void gate_sign(struct gate *g, uint32_t slot, const struct buf *prefix);
void gate_prove(struct gate *g, uint32_t slot, const struct buf *rest);
void gate_commit(struct gate *g, uint32_t slot, const struct commitment *c);
void gate_describe(struct gate *g, uint32_t slot, const uint8_t id[LOGIN_ID_BYTES]);

struct committed {
	bool allowed;
	int64_t event;
};
struct committed gate_committed(struct gate *g, uint32_t slot);
/* All of it, by an honest gate. */
struct committed gate_login(struct gate *g, const struct wish *wish);

/* --- a PAM module --- */

struct service {
	struct world *w;
	int fd;
	uint8_t login_id[LOGIN_ID_BYTES];
	char login_text[LOGIN_ID_TEXT_SIZE];
};
void service_begin(struct world *w, const char *account, const char *service, struct service *ret);
void service_close(struct service *s);
/* Gives the parameters of the answer; *ret_error: "" or the error's name. */
json_t *service_call(struct service *s, const char *method, json_t *parameters,
		     char ret_error[128]);
struct redeemed {
	bool invalid;  /* InvalidLogin: not a login of this connection */
	bool too_many; /* LIMIT_REDEEM_TRIES */
	bool allowed;
	int64_t event;
	char identity[64];
};
struct redeemed service_redeem(struct service *s, const char *login_text,
			       const uint8_t ticket[TICKET_BYTES]);

/* --- the record --- */

size_t count_events(struct world *w, const char *kind, const char *verdict);
/* The newest event of a kind: durable, and with this verdict and reason. */
void expect_event(struct world *w, const char *kind, const char *verdict, const char *reason);

#endif
