/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_CONN_H
#define GATE_CONN_H

#include <systemd/sd-event.h>

#include "daemon/gate/budget.h"
#include "daemon/gate/call.h"
#include "daemon/gate/gate.h"
#include "daemon/gate/link.h"
#include "daemon/gate/peek.h"
#include "daemon/gate/tls.h"

/*
 * One connection:
 *
 *	HELLO -> WAITING -> SIGNING -> CLIENT -> CALL -> ANSWER -> LINGER
 *
 * and from anywhere to its end.  There is a TLS session from WAITING's end to LINGER's beginning.
 */
enum conn_phase {
	CONN_HELLO,   /* until the ClientHello is whole */
	CONN_WAITING, /* for its source's turn, and a nonce */
	CONN_SIGNING, /* parked: the authority signs */
	CONN_CLIENT,  /* our flight is out */
	CONN_CALL,    /* established */
	CONN_ANSWER,  /* the authority decides */
	CONN_LINGER,  /* everything said; the client closes first, so that it reads everything */
};

struct conn {
	struct gate *gate;
	int fd;
	sd_event_source *io;
	enum conn_phase phase;

	struct charge charge;
	TAILQ_ENTRY(conn) by_deadline;
	enum deadline deadline;
	uint64_t since; /* in the list */

	struct view rx; /* read and not consumed, in gate->in or in .in */
	struct buf in;	/* what has to be kept of it between two events */
	bool drained;	/* the socket has no more now */
	bool ended;	/* the client has shut down its side */
	uint64_t consumed;
	size_t budget;	/* bytes that we still take in this phase */
	struct buf out; /* what the socket did not take */
	bool shut_when_sent;
	struct peek peek;

	struct link_slot slot;
	struct tls_transport transport;
	struct tls_session tls;
	char *request; /* LIMIT_CALL_BYTES + 1, from CALL on */
	size_t request_n;
};

extern const struct link_ops conn_link_ops; /* userdata: the gate */

/* Takes the fd, whatever happens. */
int conn_new(struct gate *g, int fd, const struct source_key *source);
void conn_free(struct conn *c);
/* In WAITING, when its turn has come. */
void conn_begin(struct conn *c);
/* Too late, or made way for another one. */
void conn_expire(struct conn *c);

static inline struct conn *conn_of_charge(struct charge *charge)
{
	return (struct conn *)((uint8_t *)charge - offsetof(struct conn, charge));
}

#endif
