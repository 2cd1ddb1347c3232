/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_TICKETS_H
#define AUTHORITY_TICKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/authority/decide.h"
#include "lib/base/limits.h"
#include "lib/base/ticket.h"
#include "lib/pki/cert.h"

/*
 * Tickets that were committed to, by their hash c, and what was proved for them.  In memory alone.
 * A ticket is good for LIMIT_TICKET_USEC, once; after that it is remembered as long again, so that
 * the record can say what it was.  Times are CLOCK_BOOTTIME.
 */

/* What a proof left behind.  Shared: by the slot, its ticket, and the login that redeems it. */
struct evidence {
	unsigned refs;
	enum reason fault;		       /* why nothing was proved; n is 0 then */
	struct cert *chain[LIMIT_CHAIN_CERTS]; /* leaf first */
	size_t n;
	struct buf staple;		       /* sent with the leaf: an OCSPResponse, or what claims to be one */
	enum service_via via;
	char source[64]; /* as the gate told it */
};
struct evidence *evidence_ref(struct evidence *e);
struct evidence *evidence_unref(struct evidence *e);
DEFINE_FREEP(struct evidence, evidence_unref);
size_t evidence_bytes(const struct evidence *e);
void evidence_forget(struct evidence *e, enum reason fault); /* as if nothing had been proved */
/* Forgets what is not part of this path, and the staple: a client may send along whatever it likes. */
void evidence_trim(struct evidence *e, const struct path *path);

struct ticket {
	uint8_t hash[SHA256_BYTES];
	bool loose;
	uint8_t login_id[LOGIN_ID_BYTES]; /* unless loose */
	char account[LIMIT_ACCOUNT + 1];
	char service[LIMIT_SERVICE + 1];
	int64_t identity;
	struct evidence *evidence;
	/* of tickets.c */
	struct holder *holder; /* NULL when it is done */
	bool spent;
	uint64_t made;
	LIST_ENTRY(ticket) bucket;
	TAILQ_ENTRY(ticket) order;
};

struct tickets;

int tickets_new(struct tickets **ret);
struct tickets *tickets_free(struct tickets *t);
DEFINE_FREEP(struct tickets, tickets_free);

/* May this identity have one more? */
bool tickets_room(struct tickets *t, int64_t identity, bool loose, uint64_t now);
/* Copies; takes a reference to the evidence.  The hash is not among them yet. */
int ticket_add(struct tickets *t, const struct ticket *new, uint64_t now);
struct ticket *ticket_find(struct tickets *t, const uint8_t hash[SHA256_BYTES]);
/* REASON_NONE, or used, or expired. */
enum reason ticket_state(const struct ticket *ticket, uint64_t now);
void ticket_spend(struct tickets *t, struct ticket *ticket);
void tickets_sweep(struct tickets *t, uint64_t now);

#endif
