/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_BUDGET_H
#define GATE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

/*
 * Who holds how many of our connections.  Charged is the source (the uid that the kernel states, or
 * the address, IPv6 by /64), never a name, certificate or account: nobody can lock alice out.
 *
 * A connection is free until its ClientHello is whole.  Then it stands in its source's line;
 * sources take turns, one connection each, and none has more than `per_source` at work.
 */

struct source_key {
	uint8_t kind;
	uint8_t bytes[16];
};

enum { SOURCE_UID = 1, SOURCE_IPV4, SOURCE_IPV6, SOURCE_OTHER };

/* address: what accept() said. */
int source_key_of(int fd, const struct sockaddr_storage *address, struct source_key *ret);
#define SOURCE_TEXT_SIZE 64
void source_key_text(const struct source_key *key, char ret[SOURCE_TEXT_SIZE]);

enum charge_state { CHARGE_FREE, CHARGE_WAITING, CHARGE_WORKING };

struct charge { /* embedded in a connection */
	struct source *source;
	enum charge_state state;
	uint64_t serial;
	TAILQ_ENTRY(charge) age;  /* of all of its source */
	TAILQ_ENTRY(charge) line; /* of those that wait */
};
TAILQ_HEAD(charges, charge);

struct source {
	LIST_ENTRY(source) hash;
	TAILQ_ENTRY(source) turn;
	struct source_key key;
	struct charges charges; /* oldest first */
	struct charges line;
	size_t n, n_working;
	bool has_turn; /* is in budget.turns: someone waits and may work */
	char text[SOURCE_TEXT_SIZE];
};

#define BUDGET_BUCKETS 1024

struct budget {
	LIST_HEAD(, source) buckets[BUDGET_BUCKETS];
	TAILQ_HEAD(, source) turns;
	size_t per_source;
	size_t n, n_working;
	uint64_t serial;
};

void budget_init(struct budget *b, size_t per_source);
int budget_enter(struct budget *b, const struct source_key *key, struct charge *c); /* 0, -ENOMEM */
void budget_leave(struct budget *b, struct charge *c);				    /* idempotent */
void budget_wait(struct budget *b, struct charge *c); /* FREE -> WAITING */
struct charge *budget_next(struct budget *b);	      /* WAITING -> WORKING; NULL: nobody's turn */
void budget_rest(struct budget *b, struct charge *c); /* WORKING -> FREE; else nothing */
bool budget_has_next(const struct budget *b);

/* The oldest of the source that has most; between equals the oldest of all.  NULL: empty. */
struct charge *budget_greediest(struct budget *b);

#endif
