// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "daemon/gate/conn.h"
#include "lib/base/log.h"

#define ACCEPT_AT_ONCE 16
#define ACCEPT_PAUSE_USEC 100000 /* out of descriptors or memory */
#define ACCURACY_USEC 10000	 /* of timers: systemd's default is 250 ms */

/* --- deadlines: one timer; each list is in order, since all of a kind last equally long --- */

uint64_t gate_now(const struct gate *g)
{
	uint64_t now = 0;

	(void)sd_event_now(g->event, CLOCK_MONOTONIC, &now);
	return now;
}

static uint64_t deadline_duration(const struct gate *g, enum deadline deadline)
{
	switch (deadline) {
	case DEADLINE_OUR_FLIGHT:
		return link_is_up(g->link) ? g->limits.our_flight_usec : g->limits.no_link_usec;
	case DEADLINE_CLIENT:
		return g->limits.client_usec;
	case DEADLINE_CALL:
		return g->limits.call_usec;
	case DEADLINE_ANSWER:
		return g->limits.answer_usec;
	case DEADLINE_LINGER:
		return g->limits.linger_usec;
	case DEADLINE_MAX_:
		break;
	}
	return 0;
}

static void tick_at(struct gate *g, uint64_t usec)
{
	if (usec >= g->tick_usec)
		return;
	g->tick_usec = usec;
	(void)sd_event_source_set_time(g->tick, usec);
	(void)sd_event_source_set_enabled(g->tick, SD_EVENT_ONESHOT);
}

void gate_set_deadline(struct gate *g, struct conn *c, enum deadline deadline)
{
	gate_unset_deadline(g, c);
	c->deadline = deadline;
	c->since = gate_now(g);
	TAILQ_INSERT_TAIL(&g->deadlines[deadline], c, by_deadline);
	tick_at(g, c->since + deadline_duration(g, deadline));
}

void gate_unset_deadline(struct gate *g, struct conn *c)
{
	if (c->deadline == DEADLINE_MAX_)
		return;
	TAILQ_REMOVE(&g->deadlines[c->deadline], c, by_deadline);
	c->deadline = DEADLINE_MAX_;
}

void gate_rearm(struct gate *g)
{
	for (enum deadline d = 0; d < DEADLINE_MAX_; d++) {
		const struct conn *first = TAILQ_FIRST(&g->deadlines[d]);

		if (first)
			tick_at(g, first->since + deadline_duration(g, d));
	}
}

static int on_tick(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct gate *g = userdata;
	uint64_t now = gate_now(g);

	g->tick_usec = UINT64_MAX;
	for (enum deadline d = 0; d < DEADLINE_MAX_; d++) {
		uint64_t duration = deadline_duration(g, d);
		struct conn *c;

		while ((c = TAILQ_FIRST(&g->deadlines[d])) && c->since + duration <= now)
			conn_expire(c); /* leaves this list, whatever becomes of it */
	}
	gate_rearm(g);
	return 0;
}

/* --- turns --- */

void gate_pump(struct gate *g)
{
	struct charge *next;

	if (g->pumping) /* a connection that began has ended: the loop below goes on */
		return;
	g->pumping = true;
	while (link_has_nonce(g->link) && (next = budget_next(&g->budget)))
		conn_begin(conn_of_charge(next));
	g->pumping = false;
}

/* A source that is full of clients at their PIN: the oldest of them makes way for its newest. */
static void make_way(struct gate *g, const struct source *source)
{
	struct charge *charge;

	if (source->n_working < g->limits.per_source)
		return;
	TAILQ_FOREACH(charge, &source->charges, age)
	{
		struct conn *c = conn_of_charge(charge);

		if (c->phase == CONN_CLIENT && gate_now(g) - c->since >= g->limits.yield_usec) {
			conn_free(c);
			return;
		}
	}
}

void gate_line_up(struct gate *g, struct conn *c)
{
	budget_wait(&g->budget, &c->charge);
	make_way(g, c->charge.source);
	gate_pump(g);
}

/* --- accepting --- */

/* The oldest of whoever has most, so that no source can keep the others out. */
static void evict(struct gate *g)
{
	struct charge *charge = budget_greediest(&g->budget);

	if (charge)
		conn_free(conn_of_charge(charge));
}

static void pause_listener(struct gate *g)
{
	(void)sd_event_source_set_enabled(g->listener, SD_EVENT_OFF);
	(void)sd_event_source_set_time_relative(g->resume, ACCEPT_PAUSE_USEC);
	(void)sd_event_source_set_enabled(g->resume, SD_EVENT_ONESHOT);
}

static int on_resume(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct gate *g = userdata;

	return g->stopping ? 0 : sd_event_source_set_enabled(g->listener, SD_EVENT_ON);
}

static int accept_one(struct gate *g)
{
	struct sockaddr_storage address = { 0 };
	socklen_t n = sizeof(address);
	struct source_key source;
	int fd;

	fd = accept4(g->listen_fd, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (source_key_of(fd, &address, &source) < 0) {
		(void)close(fd);
		return 0;
	}
	if (g->budget.n >= g->limits.connections)
		evict(g);
	link_wake(g->link);
	(void)conn_new(g, fd, &source);
	return 0;
}

static int on_accept(_unused_ sd_event_source *s, _unused_ int fd, _unused_ uint32_t events,
		     void *userdata)
{
	struct gate *g = userdata;

	for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
		int r = accept_one(g);

		if (r == -EAGAIN)
			break;
		if (r == -EMFILE || r == -ENFILE || r == -ENOBUFS || r == -ENOMEM) {
			log_warning("cannot accept: %s", strerror(-r));
			evict(g);
			pause_listener(g);
			break;
		}
		/* else an error of the one connection (accept(2)): the next, please */
	}
	return 0;
}

static int listen_on(struct gate *g, int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t n = sizeof(address);
	const int one = 1;
	int r;

	if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		return -errno;
	/* accepted sockets inherit it; without it the two halves of a flight are 40 ms apart */
	if (address.ss_family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		return -errno;
	g->listen_fd = fd;
	r = sd_event_add_time_relative(g->event, &g->resume, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
				       on_resume, g);
	if (r >= 0)
		r = sd_event_source_set_enabled(g->resume, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(g->event, &g->listener, fd, EPOLLIN, on_accept, g);
	return r;
}

/* --- the end --- */

static struct conn *any_conn(struct gate *g)
{
	for (enum deadline d = 0; d < DEADLINE_MAX_; d++)
		if (!TAILQ_EMPTY(&g->deadlines[d]))
			return TAILQ_FIRST(&g->deadlines[d]);
	return NULL;
}

static int on_stop(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct gate *g = userdata;

	return sd_event_exit(g->event, 0);
}

void gate_conn_gone(struct gate *g)
{
	if (g->stopping && g->budget.n == 0)
		(void)sd_event_exit(g->event, 0);
	else
		gate_pump(g);
}

void gate_stop(struct gate *g)
{
	struct conn *c, *next;

	if (g->stopping)
		return;
	g->stopping = true;
	g->pumping = true; /* while we walk, nobody else's state changes */
	if (g->listener)
		(void)sd_event_source_set_enabled(g->listener, SD_EVENT_OFF);
	for (c = TAILQ_FIRST(&g->deadlines[DEADLINE_OUR_FLIGHT]); c; c = next) {
		next = TAILQ_NEXT(c, by_deadline);
		if (c->phase == CONN_HELLO) /* has said nothing that would be lost */
			conn_free(c);
	}
	g->pumping = false;
	gate_conn_gone(g); /* perhaps there is none */
	if (g->budget.n > 0)
		(void)sd_event_add_time_relative(g->event, &g->stop, CLOCK_MONOTONIC,
						 g->limits.stop_usec, ACCURACY_USEC, on_stop, g);
}

/* --- life --- */

static int on_heart(sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct gate *g = userdata;

	atomic_fetch_add_explicit(&g->heartbeats, 1, memory_order_relaxed);
	(void)sd_event_source_set_time_relative(s, g->heart_usec);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

int gate_set_heartbeat(struct gate *g, uint64_t usec)
{
	g->heart_usec = usec;
	return sd_event_add_time_relative(g->event, &g->heart, CLOCK_MONOTONIC, usec, ACCURACY_USEC,
					  on_heart, g);
}

unsigned gate_heartbeats(const struct gate *g)
{
	return atomic_load_explicit(&g->heartbeats, memory_order_relaxed);
}

int gate_new(const struct gate_options *options, struct gate **ret)
{
	_cleanup_(gate_freep) struct gate *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->event = sd_event_ref(options->event);
	g->limits = options->limits;
	g->listen_fd = -1;
	g->tick_usec = UINT64_MAX;
	for (enum deadline d = 0; d < DEADLINE_MAX_; d++)
		TAILQ_INIT(&g->deadlines[d]);
	budget_init(&g->budget, g->limits.per_source);
	g->in = malloc(GATE_READ_BYTES);
	if (!g->in)
		return -ENOMEM;
	r = tls_new(&g->tls);
	if (r == 0)
		r = link_new(g->event, options->link_path, &conn_link_ops, g, &g->link);
	if (r < 0)
		return r;
	r = sd_event_add_time(g->event, &g->tick, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_tick, g);
	if (r >= 0)
		r = sd_event_source_set_enabled(g->tick, SD_EVENT_OFF);
	if (r >= 0 && options->listen_fd >= 0)
		r = listen_on(g, options->listen_fd);
	if (r < 0)
		return r;
	*ret = STEAL(g);
	return 0;
}

struct gate *gate_free(struct gate *g)
{
	struct conn *c;

	if (!g)
		return NULL;
	g->pumping = true; /* nobody begins any more */
	while ((c = any_conn(g)))
		conn_free(c);
	link_free(g->link);
	tls_free(g->tls);
	sd_event_source_disable_unref(g->listener);
	sd_event_source_disable_unref(g->resume);
	sd_event_source_disable_unref(g->tick);
	sd_event_source_disable_unref(g->stop);
	sd_event_source_disable_unref(g->heart);
	sd_event_unref(g->event);
	buf_deinit(&g->out);
	free(g->in);
	free(g);
	return NULL;
}
