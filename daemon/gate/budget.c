// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/budget.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int source_key_of(int fd, const struct sockaddr_storage *address, struct source_key *ret)
{
	struct source_key key = { .kind = SOURCE_OTHER };

	if (address->ss_family == AF_UNIX) {
		struct ucred peer;
		socklen_t n = sizeof(peer);

		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
			return -errno;
		key.kind = SOURCE_UID;
		memcpy(key.bytes, &peer.uid, sizeof(peer.uid));
	} else if (address->ss_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		key.kind = SOURCE_IPV4;
		memcpy(key.bytes, &in.sin_addr, 4);
	} else if (address->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			key.kind = SOURCE_IPV4;
			memcpy(key.bytes, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			key.kind = SOURCE_IPV6; /* a customer gets a /64 at least */
			memcpy(key.bytes, in6.sin6_addr.s6_addr, 8);
		}
	}
	*ret = key;
	return 0;
}

void source_key_text(const struct source_key *key, char ret[SOURCE_TEXT_SIZE])
{
	char text[INET6_ADDRSTRLEN] = "?";
	uid_t uid;

	switch (key->kind) {
	case SOURCE_UID:
		memcpy(&uid, key->bytes, sizeof(uid));
		(void)snprintf(ret, SOURCE_TEXT_SIZE, "uid %u", uid);
		return;
	case SOURCE_IPV4:
		(void)inet_ntop(AF_INET, key->bytes, text, sizeof(text));
		(void)snprintf(ret, SOURCE_TEXT_SIZE, "%s", text);
		return;
	case SOURCE_IPV6:
		(void)inet_ntop(AF_INET6, key->bytes, text, sizeof(text));
		(void)snprintf(ret, SOURCE_TEXT_SIZE, "%s/64", text);
		return;
	default:
		(void)snprintf(ret, SOURCE_TEXT_SIZE, "unknown");
	}
}

static size_t source_bucket(const struct source_key *key)
{
	uint32_t h = 2166136261u ^ key->kind; /* FNV-1a; at most as many sources as connections */

	for (size_t i = 0; i < sizeof(key->bytes); i++)
		h = (h ^ key->bytes[i]) * 16777619u;
	return h % BUDGET_BUCKETS;
}

void budget_init(struct budget *b, size_t per_source)
{
	*b = (struct budget){ .per_source = per_source };
	TAILQ_INIT(&b->turns);
	for (size_t i = 0; i < BUDGET_BUCKETS; i++)
		LIST_INIT(&b->buckets[i]);
}

static struct source *source_find(struct budget *b, const struct source_key *key)
{
	struct source *s;

	LIST_FOREACH(s, &b->buckets[source_bucket(key)], hash)
	if (s->key.kind == key->kind && memcmp(s->key.bytes, key->bytes, sizeof(key->bytes)) == 0)
		return s;
	return NULL;
}

static struct source *source_new(struct budget *b, const struct source_key *key)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->key = *key;
	source_key_text(key, s->text);
	TAILQ_INIT(&s->charges);
	TAILQ_INIT(&s->line);
	LIST_INSERT_HEAD(&b->buckets[source_bucket(key)], s, hash);
	return s;
}

/* Keeps "is in the list of turns" true to "someone waits and there is room for him". */
static void source_update(struct budget *b, struct source *s)
{
	bool should = !TAILQ_EMPTY(&s->line) && s->n_working < b->per_source;

	if (should && !s->has_turn)
		TAILQ_INSERT_TAIL(&b->turns, s, turn);
	else if (!should && s->has_turn)
		TAILQ_REMOVE(&b->turns, s, turn);
	s->has_turn = should;
}

int budget_enter(struct budget *b, const struct source_key *key, struct charge *c)
{
	struct source *s = source_find(b, key);

	if (!s)
		s = source_new(b, key);
	if (!s)
		return -ENOMEM;
	*c = (struct charge){ .source = s, .state = CHARGE_FREE, .serial = b->serial++ };
	TAILQ_INSERT_TAIL(&s->charges, c, age);
	s->n++;
	b->n++;
	return 0;
}

void budget_rest(struct budget *b, struct charge *c)
{
	if (c->state != CHARGE_WORKING)
		return;
	c->state = CHARGE_FREE;
	c->source->n_working--;
	b->n_working--;
	source_update(b, c->source);
}

void budget_leave(struct budget *b, struct charge *c)
{
	struct source *s = c->source;

	if (!s)
		return;
	if (c->state == CHARGE_WAITING)
		TAILQ_REMOVE(&s->line, c, line);
	budget_rest(b, c);
	TAILQ_REMOVE(&s->charges, c, age);
	s->n--;
	b->n--;
	*c = (struct charge){ 0 };
	source_update(b, s);
	if (s->n == 0) {
		LIST_REMOVE(s, hash);
		free(s);
	}
}

void budget_wait(struct budget *b, struct charge *c)
{
	c->state = CHARGE_WAITING;
	TAILQ_INSERT_TAIL(&c->source->line, c, line);
	source_update(b, c->source);
}

bool budget_has_next(const struct budget *b)
{
	return !TAILQ_EMPTY(&b->turns);
}

struct charge *budget_next(struct budget *b)
{
	struct source *s = TAILQ_FIRST(&b->turns);
	struct charge *c;

	if (!s)
		return NULL;
	c = TAILQ_FIRST(&s->line);
	TAILQ_REMOVE(&s->line, c, line);
	c->state = CHARGE_WORKING;
	s->n_working++;
	b->n_working++;
	TAILQ_REMOVE(&b->turns, s, turn); /* to the end, if it has another one */
	s->has_turn = false;
	source_update(b, s);
	return c;
}

struct charge *budget_greediest(struct budget *b)
{
	struct source *greediest = NULL, *s;

	for (size_t i = 0; i < BUDGET_BUCKETS; i++)
		LIST_FOREACH(s, &b->buckets[i], hash)
	if (!greediest || s->n > greediest->n ||
	    (s->n == greediest->n &&
	     TAILQ_FIRST(&s->charges)->serial < TAILQ_FIRST(&greediest->charges)->serial))
		greediest = s;
	return greediest ? TAILQ_FIRST(&greediest->charges) : NULL;
}
