// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/log.h"

#define RETRY_MIN_USEC 50000
#define RETRY_MAX_USEC 2000000
#define QUEUE_BYTES (16 * 1024 * 1024) /* an authority that reads nothing: enough for any burst */
#define READ_BYTES (LIMIT_CERT_BYTES + 4096)
#define READ_PACKETS 64 /* in one go, then others have their turn */
#define BUCKETS 1024

struct packet {
	TAILQ_ENTRY(packet) queue;
	size_t n;
	uint8_t bytes[];
};

struct link {
	sd_event *event;
	const char *path;
	const struct link_ops *ops;
	void *userdata;

	int fd;
	sd_event_source *io, *retry;
	uint64_t retry_usec, retry_at; /* CLOCK_MONOTONIC */
	bool welcome;		       /* WELCOME came: the link is up */
	int broken;		       /* to be ended when nobody is in the middle of using it */

	struct wire_nonce nonces[LIMIT_NONCES_AHEAD];
	size_t n_nonces;
	size_t n_taken;	 /* FRESH, in the hands of connections */
	size_t n_wanted; /* asked for; one request at a time */

	LIST_HEAD(, link_slot) slots[BUCKETS];
	TAILQ_HEAD(, packet) queue;
	size_t queued;
	struct buf out; /* the packet that is being made; keeps its room */
	uint8_t in[READ_BYTES];
};

static int on_io(sd_event_source *s, int fd, uint32_t events, void *userdata);
static int on_retry(sd_event_source *s, uint64_t usec, void *userdata);

static struct link_slot *slot_find(struct link *l, uint32_t id)
{
	struct link_slot *slot;

	LIST_FOREACH(slot, &l->slots[id % BUCKETS], hash)
	if (slot->id == id)
		return slot;
	return NULL;
}

static void slot_forget(struct link_slot *slot)
{
	LIST_REMOVE(slot, hash);
	*slot = (struct link_slot){ 0 };
}

/* --- life of the connection --- */

static void queue_clear(struct link *l)
{
	struct packet *p;

	while ((p = TAILQ_FIRST(&l->queue))) {
		TAILQ_REMOVE(&l->queue, p, queue);
		free(p);
	}
	l->queued = 0;
}

static void link_close(struct link *l)
{
	l->io = sd_event_source_disable_unref(l->io);
	closep(&l->fd);
	l->fd = -1;
	queue_clear(l);
	l->n_nonces = l->n_taken = l->n_wanted = 0;
	l->welcome = false;
	l->broken = 0;
}

/* Not before its time, and not at all unless somebody wants it: see link_wake(). */
static void link_rest(struct link *l)
{
	uint64_t now = 0;

	(void)sd_event_now(l->event, CLOCK_MONOTONIC, &now);
	l->retry_at = now + l->retry_usec;
	l->retry_usec = l->retry_usec * 2 > RETRY_MAX_USEC ? RETRY_MAX_USEC : l->retry_usec * 2;
}

void link_wake(struct link *l)
{
	int enabled = SD_EVENT_OFF;

	if (l->fd >= 0 || sd_event_source_get_enabled(l->retry, &enabled) != 0)
		return;
	(void)sd_event_source_set_time(l->retry, l->retry_at);
	(void)sd_event_source_set_enabled(l->retry, SD_EVENT_ONESHOT);
}

/* From the event loop alone: every slot's owner hears of it. */
static void link_end(struct link *l, int error)
{
	bool was_up = l->welcome;

	if (error == -ECONNRESET)
		log_info("the authority has closed the link"); /* it exits when idle */
	else
		log_warning("link to the authority ended: %s", strerror(-error));
	link_close(l);
	link_rest(l);
	for (size_t i = 0; i < BUCKETS; i++) {
		struct link_slot *slot;

		while ((slot = LIST_FIRST(&l->slots[i]))) {
			slot_forget(slot);
			l->ops->lost(slot);
		}
	}
	if (was_up)
		l->ops->down(l->userdata);
}

/* Out of a request, where no owner may be called back: the event loop ends the link. */
static void link_break(struct link *l, int error)
{
	if (l->broken)
		return;
	l->broken = error;
	(void)shutdown(l->fd, SHUT_RDWR); /* wakes on_io */
}

/* --- sending --- */

static void watch_output(struct link *l, bool on)
{
	(void)sd_event_source_set_io_events(l->io, on ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static int queue_add(struct link *l, const struct buf *b)
{
	struct packet *p;

	if (l->queued + b->n > QUEUE_BYTES)
		return -ENOBUFS;
	p = malloc(sizeof(*p) + b->n);
	if (!p)
		return -ENOMEM;
	p->n = b->n;
	memcpy(p->bytes, b->p, b->n);
	if (TAILQ_EMPTY(&l->queue))
		watch_output(l, true);
	TAILQ_INSERT_TAIL(&l->queue, p, queue);
	l->queued += b->n;
	return 0;
}

/* Sends what is in l->out. */
static int link_send(struct link *l)
{
	int r = l->out.error;

	if (l->fd < 0 || l->broken)
		return -ENOTCONN;
	if (r == 0 && !TAILQ_EMPTY(&l->queue))
		r = queue_add(l, &l->out);
	else if (r == 0 && send(l->fd, l->out.p, l->out.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		r = errno == EAGAIN ? queue_add(l, &l->out) : -errno;
	if (r < 0) {
		link_break(l, r);
		return -ENOTCONN;
	}
	return 0;
}

static struct buf *link_out(struct link *l)
{
	l->out.n = 0;
	l->out.error = 0;
	return &l->out;
}

static int queue_flush(struct link *l)
{
	struct packet *p;

	while ((p = TAILQ_FIRST(&l->queue))) {
		if (send(l->fd, p->bytes, p->n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return errno == EAGAIN ? 0 : -errno;
		TAILQ_REMOVE(&l->queue, p, queue);
		l->queued -= p->n;
		free(p);
	}
	watch_output(l, false);
	return 0;
}

static int want_nonces(struct link *l)
{
	size_t missing = LIMIT_NONCES_AHEAD - l->n_nonces - l->n_taken;

	if (l->n_wanted > 0 || missing <= LIMIT_NONCES_AHEAD / 2)
		return 0;
	l->n_wanted = missing;
	wire_put_want_nonces(link_out(l), &(struct wire_want_nonces){ (uint16_t)missing });
	return link_send(l);
}

int link_req_sign(struct link *l, struct link_slot *slot, const char *source,
		  const struct view *prefix)
{
	const struct wire_sign m = {
		.source = { (const uint8_t *)source, strlen(source) },
		.prefix = *prefix,
	};
	int r;

	slot->state = LINK_SLOT_SIGNING;
	l->n_taken--;
	wire_put_sign(link_out(l), slot->id, &m);
	r = link_send(l);
	return r < 0 ? r : want_nonces(l);
}

int link_req_prove(struct link *l, struct link_slot *slot, const struct view *rest)
{
	slot->state = LINK_SLOT_PROVEN;
	wire_put_prove(link_out(l), slot->id, &(struct wire_prove){ *rest });
	return link_send(l);
}

int link_req_commit(struct link *l, struct link_slot *slot, const struct wire_commit *m)
{
	slot->state = LINK_SLOT_ASKED;
	wire_put_commit(link_out(l), slot->id, m);
	return link_send(l);
}

int link_req_describe(struct link *l, struct link_slot *slot, const struct wire_describe *m)
{
	slot->state = LINK_SLOT_ASKED;
	wire_put_describe(link_out(l), slot->id, m);
	return link_send(l);
}

/* --- nonces and slots --- */

bool link_is_up(const struct link *l)
{
	return l->welcome && !l->broken;
}

bool link_has_nonce(const struct link *l)
{
	return link_is_up(l) && l->n_nonces > 0;
}

int link_take_nonce(struct link *l, struct link_slot *slot)
{
	const struct wire_nonce *nonce;

	if (!link_has_nonce(l))
		return -EAGAIN;
	nonce = &l->nonces[--l->n_nonces];
	slot->id = nonce->slot;
	memcpy(slot->nonce, nonce->nonce, sizeof(slot->nonce));
	slot->state = LINK_SLOT_FRESH;
	l->n_taken++;
	LIST_INSERT_HEAD(&l->slots[slot->id % BUCKETS], slot, hash);
	return 0;
}

void link_return_nonce(struct link *l, struct link_slot *slot)
{
	if (slot->state != LINK_SLOT_FRESH) {
		link_drop(l, slot);
		return;
	}
	l->n_taken--;
	l->nonces[l->n_nonces].slot = slot->id;
	memcpy(l->nonces[l->n_nonces].nonce, slot->nonce, sizeof(slot->nonce));
	l->n_nonces++;
	slot_forget(slot);
}

void link_drop(struct link *l, struct link_slot *slot)
{
	if (slot->state == LINK_SLOT_NONE)
		return;
	if (slot->state == LINK_SLOT_FRESH)
		l->n_taken--;
	/* once asked, the slot is gone on the other side; a link that broke tells so by itself */
	if (slot->state != LINK_SLOT_ASKED) {
		wire_put_close(link_out(l), slot->id);
		if (link_send(l) == 0)
			(void)want_nonces(l);
	}
	slot_forget(slot);
}

/* --- answers --- */

static int answer_welcome(struct link *l, _unused_ uint32_t id, const struct view *body)
{
	struct wire_welcome m;
	int r;

	if (l->welcome || wire_get_welcome(body, &m) < 0)
		return -EBADMSG;
	l->welcome = true;
	r = l->ops->welcome(l->userdata, &m.server_cert);
	if (r < 0)
		return r;
	log_info("linked to the authority");
	l->retry_usec = RETRY_MIN_USEC;
	return 0;
}

static int answer_nonces(struct link *l, _unused_ uint32_t id, const struct view *body)
{
	struct wire_nonces m;

	if (!l->welcome || wire_get_nonces(body, &m) < 0 || m.n > l->n_wanted ||
	    l->n_nonces + l->n_taken + m.n > LIMIT_NONCES_AHEAD)
		return -EBADMSG;
	for (size_t i = 0; i < m.n; i++) {
		if (slot_find(l, m.items[i].slot))
			return -EBADMSG; /* one slot for two connections */
		l->nonces[l->n_nonces++] = m.items[i];
	}
	l->n_wanted = 0; /* an authority that is full gives fewer, and is asked again later */
	l->ops->nonces(l->userdata);
	return 0;
}

/*
 * An answer for a slot that we have given up meanwhile is late, not wrong; one that comes in
 * another state than it can is wrong.
 */
static int answer_slot(struct link *l, uint32_t id, int state, struct link_slot **ret)
{
	struct link_slot *slot = slot_find(l, id);

	if (slot && (int)slot->state != state)
		return -EBADMSG;
	*ret = slot;
	return 0;
}

static int answer_signed(struct link *l, uint32_t id, const struct view *body)
{
	struct link_slot *slot;
	struct wire_signed m;

	if (wire_get_signed(body, &m) < 0 || answer_slot(l, id, LINK_SLOT_SIGNING, &slot) < 0)
		return -EBADMSG;
	if (slot) {
		slot->state = LINK_SLOT_SIGNED;
		l->ops->signed_(slot, &m.signature);
	}
	return 0;
}

static int answer_refused(struct link *l, uint32_t id, const struct view *body)
{
	struct link_slot *slot;

	if (wire_get_refused(body) < 0 || answer_slot(l, id, LINK_SLOT_SIGNING, &slot) < 0)
		return -EBADMSG;
	if (slot) {
		slot_forget(slot);
		l->ops->refused(slot);
	}
	return 0;
}

static int answer_committed(struct link *l, uint32_t id, const struct view *body)
{
	struct link_slot *slot;
	struct wire_committed m;

	if (wire_get_committed(body, &m) < 0 || answer_slot(l, id, LINK_SLOT_ASKED, &slot) < 0)
		return -EBADMSG;
	if (slot) {
		slot_forget(slot);
		l->ops->committed(slot, &m);
	}
	return 0;
}

static int answer_described(struct link *l, uint32_t id, const struct view *body)
{
	struct link_slot *slot;
	struct wire_described m;

	if (wire_get_described(body, &m) < 0 || answer_slot(l, id, LINK_SLOT_ASKED, &slot) < 0)
		return -EBADMSG;
	if (slot) {
		slot_forget(slot);
		l->ops->described(slot, &m);
	}
	return 0;
}

static int (*const answers[256])(struct link *l, uint32_t id, const struct view *body) = {
#define WIRE_REQ(id, number, states, name)
#define WIRE_ANS(id, number, name) [number] = answer_##name,
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

static int link_receive(struct link *l)
{
	for (unsigned i = 0; i < READ_PACKETS; i++) {
		struct wire_header h;
		struct view body;
		ssize_t n;
		int r;

		n = recv(l->fd, l->in, sizeof(l->in), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0)
			return -ECONNRESET;
		if ((size_t)n > sizeof(l->in) || wire_get_header(l->in, (size_t)n, &h, &body) < 0 ||
		    !answers[h.id])
			return -EBADMSG;
		r = answers[h.id](l, h.slot, &body);
		if (r < 0)
			return r;
		if (l->broken)
			return l->broken;
	}
	return 0;
}

static int on_io(_unused_ sd_event_source *s, _unused_ int fd, uint32_t events, void *userdata)
{
	struct link *l = userdata;
	int r = l->broken;

	if (r == 0 && events & EPOLLOUT)
		r = queue_flush(l);
	if (r == 0 && events & ~(uint32_t)EPOLLOUT)
		r = link_receive(l);
	if (r < 0)
		link_end(l, r);
	return 0;
}

/* --- connecting --- */

static int link_open(struct link *l)
{
	_cleanup_(closep) int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r;

	if (strlen(l->path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, l->path, strlen(l->path));
	/* the sandbox allows exactly this socket() */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	l->fd = STEAL_FD(fd);
	r = sd_event_add_io(l->event, &l->io, l->fd, EPOLLIN, on_io, l);
	/* what has begun ends before more begins, and the authority finds room for its answers */
	return r < 0 ? r : sd_event_source_set_priority(l->io, SD_EVENT_PRIORITY_IMPORTANT);
}

static int link_connect(struct link *l)
{
	int r;

	r = link_open(l);
	if (r < 0)
		return r;
	wire_put_hello(link_out(l), &(struct wire_hello){ WIRE_VERSION });
	r = link_send(l);
	return r < 0 ? r : want_nonces(l);
}

static int on_retry(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct link *l = userdata;
	int r;

	r = link_connect(l);
	if (r < 0) {
		if (l->retry_usec == RETRY_MIN_USEC)
			log_warning("cannot reach the authority at %s: %s", l->path, strerror(-r));
		link_close(l);
		link_rest(l);
		link_wake(l);
	}
	return 0;
}

int link_new(sd_event *event, const char *path, const struct link_ops *ops, void *userdata,
	     struct link **ret)
{
	_cleanup_(link_freep) struct link *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->fd = -1;
	TAILQ_INIT(&l->queue);
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_INIT(&l->slots[i]);
	l->event = sd_event_ref(event);
	l->path = path;
	l->ops = ops;
	l->userdata = userdata;
	l->retry_usec = RETRY_MIN_USEC;
	r = sd_event_add_time_relative(event, &l->retry, CLOCK_MONOTONIC, 0, 1000, on_retry, l);
	if (r < 0)
		return r;
	*ret = STEAL(l);
	return 0;
}

struct link *link_free(struct link *l)
{
	if (!l)
		return NULL;
	link_close(l);
	sd_event_source_disable_unref(l->retry);
	sd_event_unref(l->event);
	buf_deinit(&l->out);
	free(l);
	return NULL;
}
