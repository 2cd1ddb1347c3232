// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/tickets.h"

#include <errno.h>
#include <string.h>

#include "lib/base/secret.h"

#define BUCKETS 4096

/* Who is charged: the good tickets of one identity. */
struct holder {
	int64_t identity;
	size_t all, loose;
	LIST_ENTRY(holder) bucket;
};

LIST_HEAD(ticket_bucket, ticket);
LIST_HEAD(holder_bucket, holder);
TAILQ_HEAD(ticket_order, ticket);

struct tickets {
	size_t n;
	struct ticket_order good; /* oldest first */
	struct ticket_order done; /* as they ended */
	struct ticket_bucket buckets[BUCKETS];
	struct holder_bucket holders[BUCKETS];
};

/* --- evidence --- */

struct evidence *evidence_ref(struct evidence *e)
{
	e->refs++;
	return e;
}

void evidence_forget(struct evidence *e, enum reason fault)
{
	buf_deinit(&e->staple);
	while (e->n > 0)
		cert_free(e->chain[--e->n]);
	e->fault = fault;
}

struct evidence *evidence_unref(struct evidence *e)
{
	if (e && --e->refs == 0) {
		evidence_forget(e, e->fault);
		free(e);
	}
	return NULL;
}

size_t evidence_bytes(const struct evidence *e)
{
	size_t bytes = e->staple.n;

	for (size_t i = 0; i < e->n; i++)
		bytes += e->chain[i]->der.n;
	return bytes;
}

static bool is_issuer(const struct path *p, const struct cert *c)
{
	for (size_t i = 0; i < p->n_issuers; i++)
		if (memcmp(p->issuers[i], c->sha256, SHA256_BYTES) == 0)
			return true;
	return false;
}

void evidence_trim(struct evidence *e, const struct path *path)
{
	size_t n = 1;

	for (size_t i = 1; i < e->n; i++)
		if (is_issuer(path, e->chain[i]))
			e->chain[n++] = e->chain[i];
		else
			cert_free(e->chain[i]);
	e->n = n;
	buf_deinit(&e->staple);
}

/* --- holders --- */

static struct holder *holder_find(struct tickets *t, int64_t identity)
{
	struct holder *h;

	LIST_FOREACH(h, &t->holders[(uint64_t)identity % BUCKETS], bucket)
	if (h->identity == identity)
		return h;
	return NULL;
}

static struct holder *holder_get(struct tickets *t, int64_t identity)
{
	struct holder *h = holder_find(t, identity);

	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (h) {
		h->identity = identity;
		LIST_INSERT_HEAD(&t->holders[(uint64_t)identity % BUCKETS], h, bucket);
	}
	return h;
}

static void holder_release(struct ticket *ticket)
{
	struct holder *h = STEAL(ticket->holder);

	h->loose -= ticket->loose;
	if (--h->all > 0)
		return;
	LIST_REMOVE(h, bucket);
	free(h);
}

/* --- tickets --- */

int tickets_new(struct tickets **ret)
{
	struct tickets *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	TAILQ_INIT(&t->good);
	TAILQ_INIT(&t->done);
	*ret = t;
	return 0;
}

static void end(struct tickets *t, struct ticket *ticket)
{
	holder_release(ticket);
	TAILQ_REMOVE(&t->good, ticket, order);
	TAILQ_INSERT_TAIL(&t->done, ticket, order);
}

static void forget(struct tickets *t, struct ticket *ticket)
{
	TAILQ_REMOVE(&t->done, ticket, order);
	LIST_REMOVE(ticket, bucket);
	t->n--;
	evidence_unref(ticket->evidence);
	free(ticket);
}

struct tickets *tickets_free(struct tickets *t)
{
	struct ticket *ticket;

	if (t) {
		while ((ticket = TAILQ_FIRST(&t->good)))
			end(t, ticket);
		while ((ticket = TAILQ_FIRST(&t->done)))
			forget(t, ticket);
		free(t);
	}
	return NULL;
}

void tickets_sweep(struct tickets *t, uint64_t now)
{
	struct ticket *ticket;

	while ((ticket = TAILQ_FIRST(&t->good)) && now - ticket->made > LIMIT_TICKET_USEC)
		end(t, ticket);
	while ((ticket = TAILQ_FIRST(&t->done)) && now - ticket->made > 2 * LIMIT_TICKET_USEC)
		forget(t, ticket);
}

bool tickets_room(struct tickets *t, int64_t identity, bool loose, uint64_t now)
{
	const struct holder *h;

	tickets_sweep(t, now);
	/* what is only remembered makes room for what is good */
	if (t->n >= LIMIT_LOGINS && !TAILQ_EMPTY(&t->done))
		forget(t, TAILQ_FIRST(&t->done));
	if (t->n >= LIMIT_LOGINS)
		return false;
	h = holder_find(t, identity);
	return !h || (h->all < LIMIT_TICKETS_PER_IDENTITY &&
		      (!loose || h->loose < LIMIT_LOOSE_PER_IDENTITY));
}

/* c is what a stranger says it is: one with many tickets can have them all in one bucket, and then
 * has long look-ups there. */
static struct ticket_bucket *bucket_of(struct tickets *t, const uint8_t hash[SHA256_BYTES])
{
	return &t->buckets[(size_t)(hash[0] << 8 | hash[1]) % BUCKETS];
}

int ticket_add(struct tickets *t, const struct ticket *new, uint64_t now)
{
	struct ticket *ticket = malloc(sizeof(*ticket));
	struct holder *h = ticket ? holder_get(t, new->identity) : NULL;

	if (!h) {
		free(ticket);
		return -ENOMEM;
	}
	*ticket = *new;
	ticket->spent = false;
	ticket->made = now;
	ticket->holder = h;
	ticket->evidence = evidence_ref(new->evidence);
	h->all++;
	h->loose += new->loose;
	LIST_INSERT_HEAD(bucket_of(t, new->hash), ticket, bucket);
	TAILQ_INSERT_TAIL(&t->good, ticket, order);
	t->n++;
	return 0;
}

struct ticket *ticket_find(struct tickets *t, const uint8_t hash[SHA256_BYTES])
{
	struct ticket *ticket;

	LIST_FOREACH(ticket, bucket_of(t, hash), bucket)
	if (bytes_equal(ticket->hash, SHA256_BYTES, hash, SHA256_BYTES))
		return ticket;
	return NULL;
}

enum reason ticket_state(const struct ticket *ticket, uint64_t now)
{
	if (ticket->spent)
		return REASON_TICKET_USED;
	return !ticket->holder || now - ticket->made > LIMIT_TICKET_USEC ? REASON_TICKET_EXPIRED
									 : REASON_NONE;
}

void ticket_spend(struct tickets *t, struct ticket *ticket)
{
	ticket->spent = true;
	if (ticket->holder)
		end(t, ticket);
}
