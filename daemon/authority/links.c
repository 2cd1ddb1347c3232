// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/links.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "daemon/authority/limits.h"
#include "daemon/authority/link.h"
#include "daemon/authority/turn.h"
#include "lib/base/log.h"

#define PACKETS_PER_WAKE 64
#define ACCEPT_PAUSE_USEC (100 * 1000) /* when accept() fails for want of something */

/* --- slots --- */

static struct slot *slot_find(struct link *l, uint32_t id)
{
	struct slot *s;

	LIST_FOREACH(s, &l->slots[id % SLOT_BUCKETS], bucket)
	if (s->id == id)
		return s;
	return NULL;
}

int slot_charge(struct link *l, struct slot *slot, size_t bytes)
{
	size_t *held = &l->links->held[l->via - 1];
	size_t others = *held - slot->charged;

	if (bytes > LIMIT_HELD_BYTES - others)
		return -EDQUOT;
	*held = others + bytes;
	slot->charged = bytes;
	return 0;
}

void slot_drop(struct link *l, struct slot *slot)
{
	LIST_REMOVE(slot, bucket);
	l->n_slots--;
	l->n_fresh -= slot->state == SLOT_FRESH;
	(void)slot_charge(l, slot, 0);
	buf_deinit(&slot->prefix);
	buf_deinit(&slot->signature);
	evidence_unref(slot->evidence);
	free(slot);
}

int slot_new(struct link *l, struct slot **ret)
{
	_cleanup_(freep) struct slot *s = NULL;

	if (l->n_fresh >= LIMIT_NONCES_AHEAD || l->n_slots >= LIMIT_SLOTS)
		return -EDQUOT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	if (random_bytes(s->nonce, sizeof(s->nonce)) < 0)
		return -EIO;
	do
		s->id = ++l->next_slot;
	while (s->id == 0 || slot_find(l, s->id));
	s->state = SLOT_FRESH;
	LIST_INSERT_HEAD(&l->slots[s->id % SLOT_BUCKETS], s, bucket);
	l->n_slots++;
	l->n_fresh++;
	*ret = STEAL(s);
	return 0;
}

void slot_enter(struct link *l, struct slot *slot, unsigned state)
{
	l->n_fresh -= slot->state == SLOT_FRESH;
	slot->state = state;
}

/* --- links --- */

struct packet {
	STAILQ_ENTRY(packet) next;
	size_t n;
	uint8_t bytes[];
};

struct link *link_ref(struct link *l)
{
	l->refs++;
	return l;
}

struct link *link_unref(struct link *l)
{
	if (l && --l->refs == 0)
		free(l);
	return NULL;
}

static void packet_drop(struct link *l)
{
	struct packet *p = STAILQ_FIRST(&l->out);

	STAILQ_REMOVE_HEAD(&l->out, next);
	free(p);
}

void link_close(struct link *l)
{
	struct slot *slot;

	if (l->fd < 0)
		return;
	for (size_t i = 0; i < SLOT_BUCKETS; i++)
		while ((slot = LIST_FIRST(&l->slots[i])))
			slot_drop(l, slot);
	while (!STAILQ_EMPTY(&l->out))
		packet_drop(l);
	l->io = sd_event_source_disable_unref(l->io);
	(void)close(l->fd);
	l->fd = -1;
	LIST_REMOVE(l, link);
	link_unref(l);
}

static const char *const request_names[] = {
#define WIRE_REQ(id, number, states, name) [number] = #name,
#define WIRE_ANS(id, number, name)
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

static const char *request_name(uint8_t id)
{
	return id < ARRAY_SIZE(request_names) && request_names[id] ? request_names[id] : "none";
}

int link_violation(struct link *l, const char *what)
{
	struct authority *a = l->links->a;
	char source[32], detail[96];

	(void)snprintf(source, sizeof(source), "%s gate", service_via_text(l->via));
	(void)snprintf(detail, sizeof(detail), "{\"message\":\"%s\",\"slot\":%u}",
		       request_name(l->now.id), l->now.slot);
	a->link_violations++;
	/* a gate that links and lies in a circle fills neither the journal nor the database */
	if (!limits_take_row(a->limits, LIMIT_POOL_LOCAL, source, clock_boottime(a->clock)))
		return -EPROTO;
	log_warning("the %s is not honest, its link is closed: %s %s", source, what, detail);
	(void)store_event_append(a->store,
				 &(struct event){ .kind = "link.violation",
						  .verdict = "deny",
						  .reason = what,
						  .source = source,
						  .detail = detail },
				 NULL);
	(void)turn_kick(a->turn);
	return -EPROTO;
}

static int queue_add(struct link *l, const struct buf *b)
{
	struct packet *p = malloc(sizeof(*p) + b->n);

	if (!p)
		return -ENOMEM;
	p->n = b->n;
	memcpy(p->bytes, b->p, b->n);
	if (STAILQ_EMPTY(&l->out)) { /* and no more requests until it has read this */
		(void)sd_event_source_set_io_events(l->io, EPOLLOUT);
		l->blocked = clock_boottime(l->links->a->clock);
	}
	STAILQ_INSERT_TAIL(&l->out, p, next);
	return 0;
}

int link_send(struct link *l, const struct buf *b)
{
	if (l->fd < 0)
		return 0;
	if (b->error)
		return b->error;
	if (!STAILQ_EMPTY(&l->out))
		return queue_add(l, b);
	if (send(l->fd, b->p, b->n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? queue_add(l, b) : -errno;
	return 0;
}

static int flush(struct link *l)
{
	struct packet *p;

	while ((p = STAILQ_FIRST(&l->out))) {
		if (send(l->fd, p->bytes, p->n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return errno == EAGAIN ? 0 : -errno;
		packet_drop(l);
	}
	return sd_event_source_set_io_events(l->io, EPOLLIN);
}

/* --- requests --- */

static const struct {
	unsigned states;
	int (*answer)(struct link *l, struct slot *slot, const struct view *body);
} requests[] = {
#define WIRE_REQ(id, number, states, name) [number] = { states, link_answer_##name },
#define WIRE_ANS(id, number, name)
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

static int dispatch(struct link *l, const uint8_t *p, size_t n)
{
	const struct wire_header *h = &l->now;
	struct view body;
	struct slot *slot = NULL;

	l->now = (struct wire_header){ 0 };
	if (n > LIMIT_WIRE_BYTES)
		return link_violation(l, "an oversized message");
	if (wire_get_header(p, n, &l->now, &body) < 0 || h->id >= ARRAY_SIZE(requests) ||
	    !requests[h->id].answer)
		return link_violation(l, "unknown message");
	if (!l->greeted && h->id != WIRE_HELLO)
		return link_violation(l, "a message before hello");
	if (requests[h->id].states & SLOT_NONE)
		return requests[h->id].answer(l, NULL, &body);
	slot = slot_find(l, h->slot);
	/* the client may leave while our REFUSED is on its way */
	if (!slot && h->id == WIRE_CLOSE && h->slot != 0 && h->slot <= l->next_slot &&
	    wire_get_close(&body) == 0)
		return 0;
	if (!slot)
		return link_violation(l, "a slot that was not given out, or is gone");
	if (!(requests[h->id].states & slot->state))
		return link_violation(l, "a message out of order");
	return requests[h->id].answer(l, slot, &body);
}

/* As many as there are, while that takes no longer than a turn may: others wait too. */
static int drain(struct link *l)
{
	struct links *all = l->links;
	uint64_t since = clock_boottime(all->a->clock), now = since;
	int r = 0;

	for (int i = 0; i < PACKETS_PER_WAKE && r == 0 && now - since < LIMIT_TURN_USEC; i++) {
		ssize_t n;

		if (l->fd < 0 || !STAILQ_EMPTY(&l->out))
			return 0;
		n = recv(l->fd, all->packet, sizeof(all->packet), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0)
			return -ECONNRESET;
		r = dispatch(l, all->packet, (size_t)n);
		now = clock_boottime(all->a->clock);
		all->a->last_activity = now;
	}
	return r;
}

static int on_link(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
		   void *userdata)
{
	_cleanup_(link_unrefp) struct link *l = link_ref(userdata);
	int r = 0;

	if (!STAILQ_EMPTY(&l->out))
		r = events & EPOLLOUT ? flush(l) : -ECONNRESET;
	if (r == 0)
		r = drain(l);
	if (r == 0)
		return 0;
	if (r != -EPROTO && r != -ECONNRESET && r != -EPIPE) /* said; or it just went */
		log_warning("the link to the %s gate is closed: %s", service_via_text(l->via),
			    strerror(-r));
	link_close(l);
	return 0;
}

/* Each gate has its own: one that takes all it can get leaves the other what it needs. */
int links_add(struct links *all, int fd, enum service_via via)
{
	struct link *l = NULL;
	int r;

	if (links_count(all, via) < LIMIT_LINKS)
		l = calloc(1, sizeof(*l));
	if (!l) {
		(void)close(fd);
		return -EDQUOT;
	}
	l->links = all;
	l->refs = 1;
	l->fd = fd;
	l->via = via;
	STAILQ_INIT(&l->out);
	LIST_INSERT_HEAD(&all->list, l, link);
	r = sd_event_add_io(all->a->event, &l->io, fd, EPOLLIN, on_link, l);
	if (r < 0)
		link_close(l);
	return r < 0 ? r : 0;
}

static enum service_via via_of(const struct roles *roles, uid_t uid)
{
	return uid == roles->gate_local ? VIA_LOCAL : uid == roles->gate_network ? VIA_NETWORK : 0;
}

/* Out of descriptors: the listener would ring again at once, and for ever. */
static void pause_listening(struct links *all)
{
	log_warning("a gate cannot link now: %s", strerror(errno));
	(void)sd_event_source_set_enabled(all->listen, SD_EVENT_OFF);
	(void)sd_event_source_set_time_relative(all->resume, ACCEPT_PAUSE_USEC);
	(void)sd_event_source_set_enabled(all->resume, SD_EVENT_ONESHOT);
}

static int on_resume(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	struct links *all = userdata;

	return sd_event_source_set_enabled(all->listen, SD_EVENT_ON);
}

static int on_connect(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
		      void *userdata)
{
	_cleanup_(closep) int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct links *all = userdata;
	struct ucred peer;
	socklen_t n = sizeof(peer);
	enum service_via via;

	if (c < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_listening(all);
		return 0;
	}
	if (getsockopt(c, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return 0;
	via = via_of(&all->a->roles, peer.uid);
	if (!via)
		log_warning("uid %u is no gate: its link is refused", (unsigned)peer.uid);
	else if (links_add(all, STEAL_FD(c), via) < 0)
		log_warning("the %s gate has %d links; it gets no more", service_via_text(via),
			    LIMIT_LINKS);
	return 0;
}

int links_new(struct authority *a, struct links **ret)
{
	struct links *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->a = a;
	l->listen_fd = -1;
	*ret = l;
	return 0;
}

int links_listen(struct links *l, int fd)
{
	int r;

	l->listen_fd = fd;
	r = sd_event_add_io(l->a->event, &l->listen, fd, EPOLLIN, on_connect, l);
	if (r >= 0)
		r = sd_event_add_time_relative(l->a->event, &l->resume, CLOCK_MONOTONIC, 0, 1000,
					       on_resume, l);
	return r < 0 ? r : sd_event_source_set_enabled(l->resume, SD_EVENT_OFF);
}

struct links *links_free(struct links *l)
{
	struct link *link;

	if (l) {
		while ((link = LIST_FIRST(&l->list)))
			link_close(link);
		sd_event_source_disable_unref(l->listen);
		sd_event_source_disable_unref(l->resume);
		closep(&l->listen_fd);
		free(l);
	}
	return NULL;
}

size_t links_count(const struct links *l, enum service_via via)
{
	const struct link *link;
	size_t n = 0;

	LIST_FOREACH(link, &l->list, link)
	n += (link->via & via) != 0;
	return n;
}

void links_sweep(struct links *l)
{
	uint64_t now = clock_boottime(l->a->clock);
	struct link *link = LIST_FIRST(&l->list), *next;

	for (; link; link = next) {
		next = LIST_NEXT(link, link);
		if (STAILQ_EMPTY(&link->out) || now - link->blocked <= LIMIT_ANSWER_USEC)
			continue;
		log_warning("the %s gate does not read its answers, its link is closed",
			    service_via_text(link->via));
		link_close(link);
	}
}

size_t links_slots_busy(const struct links *l)
{
	const struct link *link;
	size_t n = 0;

	LIST_FOREACH(link, &l->list, link)
	n += link->n_slots - link->n_fresh;
	return n;
}
