/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/gate/budget.h"
#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/limits.h"

/*
 * One thread's gate: an event loop, a share of the listening socket, a link of its own, and the
 * connections.  It owns no file, no key and no database, and believes nobody.
 */

struct conn;
struct gate;
struct link;
struct tls;
TAILQ_HEAD(conns, conn);

/* What a connection may take; the defaults are lib/base/limits.h, tests have their own. */
struct gate_limits {
	uint64_t our_flight_usec; /* accept to our flight sent */
	uint64_t no_link_usec;	  /* the same while there is no authority */
	uint64_t client_usec;	  /* to the client's flight */
	uint64_t call_usec;	  /* to the whole call */
	uint64_t answer_usec;	  /* to the authority's answer */
	uint64_t linger_usec;	  /* to the client's close */
	uint64_t yield_usec;	  /* a waiting client keeps its place when its source is full */
	uint64_t stop_usec;	  /* gate_stop() to the end */
	size_t connections;
	size_t per_source; /* at work at a time; more of them wait in line */
};

#define GATE_LIMITS_DEFAULT                                                                        \
	{                                                                                          \
		.our_flight_usec = LIMIT_OUR_FLIGHT_USEC, .no_link_usec = LIMIT_NO_LINK_USEC,      \
		.client_usec = LIMIT_CLIENT_LOCAL_USEC, .call_usec = LIMIT_CALL_USEC,              \
		.answer_usec = LIMIT_ANSWER_USEC, .linger_usec = LIMIT_LINGER_USEC,                \
		.yield_usec = LIMIT_YIELD_USEC, .stop_usec = LIMIT_STOP_USEC,                      \
		.connections = LIMIT_GATE_CONNECTIONS, .per_source = LIMIT_GATE_PER_SOURCE,        \
	}

struct gate_options {
	sd_event *event;
	int listen_fd;	       /* non-blocking, borrowed; -1: none */
	const char *link_path; /* borrowed */
	struct gate_limits limits;
};

int gate_new(const struct gate_options *options, struct gate **ret);
struct gate *gate_free(struct gate *g);
DEFINE_FREEP(struct gate, gate_free);

/* Takes no more connections; ends the event loop with 0 when those that speak are done, or soon. */
void gate_stop(struct gate *g);

/* Times that this loop has shown that it lives; any thread may ask. */
unsigned gate_heartbeats(const struct gate *g);
/* Asks the loop to show it every `usec`. */
int gate_set_heartbeat(struct gate *g, uint64_t usec);

/* --- for daemon/gate alone --- */

enum deadline { /* lists of connections, each in order of time */
		DEADLINE_OUR_FLIGHT,
		DEADLINE_CLIENT,
		DEADLINE_CALL,
		DEADLINE_ANSWER,
		DEADLINE_LINGER,
		DEADLINE_MAX_,
};

#define GATE_READ_BYTES (16 * 1024 + 512) /* a TLS record and a bit */

struct gate {
	sd_event *event;
	struct gate_limits limits;
	struct link *link;
	struct tls *tls;
	struct budget budget;

	int listen_fd;
	sd_event_source *listener, *resume, *tick, *stop, *heart;
	uint64_t tick_usec; /* when tick rings; UINT64_MAX: never */
	struct conns deadlines[DEADLINE_MAX_];

	bool pumping;
	bool stopping;
	uint64_t heart_usec;
	atomic_uint heartbeats;

	/* of the connection that is being served: what was read, what is to be written */
	uint8_t *in;
	struct buf out;
};

uint64_t gate_now(const struct gate *g);
/* Puts the connection at the end of a deadline's list. */
void gate_set_deadline(struct gate *g, struct conn *c, enum deadline deadline);
void gate_unset_deadline(struct gate *g, struct conn *c);
/* Deadlines have changed: looks at all of them soon. */
void gate_rearm(struct gate *g);
/* The ClientHello is here: c waits for its turn, or has it at once.  May free c. */
void gate_line_up(struct gate *g, struct conn *c);
/* Whoever waits and may work now begins. */
void gate_pump(struct gate *g);
/* The connection is gone; it may have been the last one. */
void gate_conn_gone(struct gate *g);

#endif
