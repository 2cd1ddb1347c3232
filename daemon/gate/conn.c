// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define OUT_BYTES (64 * 1024)		       /* more than we ever say */
#define CALL_WIRE_BYTES (4 * LIMIT_CALL_BYTES) /* the call in records */

/* In what follows a negative return means: the connection is over, the caller frees it. */

/* --- bytes --- */

static int watch(struct conn *c, uint32_t events)
{
	return sd_event_source_set_io_events(c->io, events | (c->out.n > 0 ? EPOLLOUT : 0u));
}

/* Reads the socket once, as far as the budget goes; 0 with rx.n == 0: the client has ended. */
static int conn_fill(struct conn *c)
{
	size_t room = c->budget < GATE_READ_BYTES ? c->budget : GATE_READ_BYTES;
	ssize_t n;

	if (c->ended)
		return 0;
	if (c->drained)
		return -EAGAIN;
	if (room == 0)
		return -EMSGSIZE;
	n = recv(c->fd, c->gate->in, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->drained = true;
		return -EAGAIN;
	}
	if (n < 0)
		return -errno;
	c->budget -= (size_t)n;
	c->ended = n == 0;
	c->drained = (size_t)n < room; /* level-triggered: if there is more, we are told */
	c->rx = (struct view){ c->gate->in, (size_t)n };
	return 0;
}

static ssize_t pull(void *userdata, void *p, size_t n)
{
	struct conn *c = userdata;

	if (c->rx.n == 0) {
		int r = conn_fill(c);

		if (r < 0) {
			errno = -r;
			return -1;
		}
	}
	if (n > c->rx.n)
		n = c->rx.n;
	memcpy(p, c->rx.p, n);
	c->rx.p += n;
	c->rx.n -= n;
	c->consumed += n;
	return (ssize_t)n;
}

static ssize_t push(void *userdata, const giovec_t *v, int n)
{
	struct conn *c = userdata;
	struct buf *out = &c->gate->out;
	size_t before = out->n;

	for (int i = 0; i < n; i++)
		buf_put(out, v[i].iov_base, v[i].iov_len);
	if (out->error || c->out.n + out->n > OUT_BYTES) {
		errno = ENOBUFS;
		return -1;
	}
	return (ssize_t)(out->n - before);
}

/* Sends what this step has written, in one piece.  The beginning of our flight waits for its end.
 */
static int conn_flush(struct conn *c)
{
	struct buf *step = &c->gate->out, *out = c->out.n > 0 ? &c->out : step;
	int r = step->error;
	ssize_t n;

	if (out == &c->out || c->phase == CONN_SIGNING) {
		buf_put(&c->out, step->p, step->n);
		r = c->out.error;
	}
	if (r == 0 && out->n > 0 && c->phase != CONN_SIGNING) {
		/* the end goes out with the last bytes: one packet less */
		n = send(c->fd, out->p, out->n,
			 MSG_DONTWAIT | MSG_NOSIGNAL | (c->shut_when_sent ? MSG_MORE : 0));
		if (n < 0 && errno != EAGAIN)
			r = -errno;
		buf_consume(out, n > 0 ? (size_t)n : 0);
		if (r == 0 && out == step && out->n > 0) {
			buf_put(&c->out, out->p, out->n);
			r = c->out.error;
		}
	}
	if (c->out.n == 0)
		buf_deinit(&c->out);
	if (r == 0 && c->out.n == 0 && c->shut_when_sent) {
		c->shut_when_sent = false;
		(void)shutdown(c->fd, SHUT_WR);
	}
	return r;
}

/* gate->in goes to the next connection: keeps what this one has not consumed. */
static int conn_keep_input(struct conn *c)
{
	if (c->rx.n == 0) {
		buf_deinit(&c->in);
	} else if (c->in.p <= c->rx.p && c->rx.p < c->in.p + c->in.n) {
		buf_consume(&c->in, (size_t)(c->rx.p - c->in.p));
	} else {
		c->in.n = 0;
		buf_put(&c->in, c->rx.p, c->rx.n);
	}
	c->rx = (struct view){ c->in.p, c->in.n };
	return c->in.error;
}

/* --- the end --- */

/* Everything is said.  Closing now, with bytes of the client unread, would reset the connection and
 * eat our alert or answer. */
static int conn_linger(struct conn *c)
{
	link_drop(c->gate->link, &c->slot);
	tls_session_end(&c->tls);
	free(c->request);
	c->request = NULL;
	c->rx.n = 0;
	budget_rest(&c->gate->budget, &c->charge);
	c->phase = CONN_LINGER;
	c->shut_when_sent = true;
	c->budget = LIMIT_HANDSHAKE_BYTES;
	gate_set_deadline(c->gate, c, DEADLINE_LINGER);
	return 0;
}

static int conn_reply(struct conn *c, char *text, size_t n)
{
	_cleanup_(freep) char *reply = text;

	if (!reply || tls_send(&c->tls, reply, n) < 0)
		return -EPIPE;
	tls_bye(&c->tls);
	return conn_linger(c);
}

static int conn_reply_denied(struct conn *c)
{
	size_t n = 0;
	char *text = call_reply_committed(false, 0, &n);

	return conn_reply(c, text, n);
}

static int conn_alert(struct conn *c, gnutls_alert_description_t alert)
{
	const uint8_t plain[] = { 21, 3, 3, 0, 2, GNUTLS_AL_FATAL, (uint8_t)alert };

	if (c->phase == CONN_CLIENT) {
		tls_alert(&c->tls, alert);
		return conn_linger(c);
	}
	/* our flight has not left, and shall not: without it the client has no keys */
	c->out.n = 0;
	c->gate->out.n = 0;
	buf_put(&c->gate->out, plain, sizeof(plain));
	return conn_linger(c);
}

/* We, not the client, are at fault: say so in the words of the phase. */
static int conn_unavailable(struct conn *c)
{
	size_t n = 0;
	char *text;

	switch (c->phase) {
	case CONN_WAITING:
	case CONN_SIGNING:
	case CONN_CLIENT:
		return conn_alert(c, GNUTLS_A_INTERNAL_ERROR);
	case CONN_CALL:
	case CONN_ANSWER:
		text = call_reply_unavailable(&n);
		return conn_reply(c, text, n);
	case CONN_HELLO:
	case CONN_LINGER:
		break;
	}
	return -ETIMEDOUT;
}

/* The end of every event of a connection: r is what its steps said. */
static void conn_settle(struct conn *c, int r)
{
	struct gate *g = c->gate;

	if (r >= 0)
		r = conn_flush(c);
	if (r >= 0)
		r = conn_keep_input(c);
	/* who waits for us is watched still: stopping it for the usual case costs two calls a login
	 */
	if (r >= 0 && c->phase != CONN_WAITING && c->phase != CONN_SIGNING)
		r = watch(c, EPOLLIN);
	if (r >= 0 && c->phase == CONN_LINGER && c->ended && c->out.n == 0)
		r = -ECONNRESET;
	g->out.n = 0;
	g->out.error = 0;
	if (r < 0)
		conn_free(c);
	else if (c->phase == CONN_LINGER)
		gate_pump(g); /* its place is free */
}

/* --- the call --- */

static int forward_commit(struct conn *c, const struct call *call)
{
	struct wire_commit m = {
		.login_id = { call->login_id, call->loose ? 0 : LOGIN_ID_BYTES },
		.account = { (const uint8_t *)call->account, strlen(call->account) },
		.service = { (const uint8_t *)call->service, strlen(call->service) },
	};

	/* the authority would take it for a lie of ours */
	if (!call_is_committed(call, c->tls.commitment))
		return conn_reply_denied(c);
	memcpy(m.ticket_hash, call->ticket_hash, sizeof(m.ticket_hash));
	c->phase = CONN_ANSWER;
	gate_set_deadline(c->gate, c, DEADLINE_ANSWER);
	return link_req_commit(c->gate->link, &c->slot, &m);
}

static int forward_describe(struct conn *c, const struct call *call)
{
	const struct wire_describe m = { { call->login_id, LOGIN_ID_BYTES } };

	c->phase = CONN_ANSWER;
	gate_set_deadline(c->gate, c, DEADLINE_ANSWER);
	return link_req_describe(c->gate->link, &c->slot, &m);
}

static int take_call(struct conn *c)
{
	_cleanup_(call_deinit) struct call call = { 0 };
	char *reply;
	size_t reply_n;
	int r;

	r = call_parse(c->request, c->request_n - 1, &call, &reply, &reply_n);
	if (r == -EINVAL)
		return conn_reply(c, reply, reply_n);
	if (r < 0)
		return r;
	return call.kind == CALL_COMMIT ? forward_commit(c, &call) : forward_describe(c, &call);
}

/* GnuTLS says E_AGAIN after a KeyUpdate and after a piece of a message, with more at hand. */
static bool stopped_early(const struct conn *c, uint64_t consumed_before)
{
	return c->rx.n > 0 && c->consumed != consumed_before;
}

static int read_call(struct conn *c)
{
	for (;;) {
		char *at = c->request + c->request_n, *end;
		uint64_t before = c->consumed;
		ssize_t n;

		/* room for one byte too many, to see that there is one */
		n = tls_receive(&c->tls, at, LIMIT_CALL_BYTES + 1 - c->request_n);
		if (n == -EAGAIN && stopped_early(c, before))
			continue;
		if (n == -EAGAIN)
			return 0;
		if (n <= 0)
			return -ECONNRESET;
		c->request_n += (size_t)n;
		end = memchr(at, '\0', (size_t)n);
		if (c->request_n > LIMIT_CALL_BYTES || (end && end != at + n - 1))
			return -EMSGSIZE;
		if (end) /* and nothing behind it */
			return c->rx.n > 0 || tls_has_more(&c->tls) ? -EMSGSIZE : take_call(c);
	}
}

/* --- the handshake --- */

/* Established: the proof goes out at once, and the call right after it if it is here already. */
static int conn_established(struct conn *c)
{
	const struct view rest = tls_rest(&c->tls);
	int r;

	r = link_req_prove(c->gate->link, &c->slot, &rest);
	if (r < 0)
		return r;
	tls_forget_transcript(&c->tls);
	c->request = malloc(LIMIT_CALL_BYTES + 1);
	if (!c->request)
		return -ENOMEM;
	c->budget = CALL_WIRE_BYTES;
	c->phase = CONN_CALL;
	gate_set_deadline(c->gate, c, DEADLINE_CALL);
	return read_call(c);
}

static int request_signature(struct conn *c)
{
	const struct view prefix = tls_prefix(&c->tls);

	c->phase = CONN_SIGNING;
	return link_req_sign(c->gate->link, &c->slot, c->charge.source->text, &prefix);
}

static int step_handshake(struct conn *c)
{
	enum tls_result result;
	uint64_t before;

	do {
		before = c->consumed;
		result = tls_handshake(&c->tls);
	} while (result == TLS_MORE && stopped_early(c, before));
	switch (result) {
	case TLS_SIGN:
		return request_signature(c);
	case TLS_DONE:
		return conn_established(c);
	case TLS_REFUSED:
		link_return_nonce(c->gate->link, &c->slot);
		return conn_alert(c, GNUTLS_A_HANDSHAKE_FAILURE);
	case TLS_FAILED:
		/* nobody has seen the nonce: our flight waits for the signature */
		link_return_nonce(c->gate->link, &c->slot);
		return conn_linger(c);
	case TLS_MORE:
		break;
	}
	if (c->ended || !c->tls.signature) /* a hello that is none */
		return -ECONNRESET;
	if (c->phase != CONN_CLIENT) {
		c->phase = CONN_CLIENT;
		gate_set_deadline(c->gate, c, DEADLINE_CLIENT);
	}
	return 0;
}

static int conn_start_tls(struct conn *c, const uint8_t *nonce)
{
	int r;

	r = tls_session_start(&c->tls, c->gate->tls, &c->transport, nonce);
	if (r < 0)
		return r;
	return step_handshake(c);
}

void conn_begin(struct conn *c)
{
	int r;

	r = link_take_nonce(c->gate->link, &c->slot);
	if (r == 0)
		r = conn_start_tls(c, c->slot.nonce);
	conn_settle(c, r);
}

/* All bytes until the hello is whole stay in c->in, and so does whatever came with its end. */
static int read_hello(struct conn *c)
{
	enum peek_result found = PEEK_MORE;
	int r;

	while (found == PEEK_MORE) {
		c->rx.n = 0;
		r = conn_fill(c);
		if (r == -EAGAIN)
			break;
		if (r < 0 || c->rx.n == 0)
			return -ECONNRESET;
		buf_put(&c->in, c->rx.p, c->rx.n);
		if (c->in.error)
			return c->in.error;
		found = peek_hello(&c->peek, &(struct view){ c->in.p, c->in.n });
	}
	c->rx = (struct view){ c->in.p, c->in.n };
	if (found == PEEK_ODD)
		return conn_start_tls(c, NULL);
	if (found == PEEK_HELLO)
		c->phase = CONN_WAITING;
	return 0;
}

/* --- events --- */

static int read_and_discard(struct conn *c)
{
	int r;

	do
		r = conn_fill(c);
	while (r == 0 && !c->ended);
	c->rx.n = 0;
	return r == -EAGAIN ? 0 : -ECONNRESET;
}

static int conn_input(struct conn *c)
{
	c->drained = false;
	switch (c->phase) {
	case CONN_HELLO:
		return read_hello(c);
	case CONN_WAITING:
	case CONN_SIGNING:
		return sd_event_source_set_io_events(c->io, 0); /* later */
	case CONN_CLIENT:
		return step_handshake(c);
	case CONN_CALL:
		return read_call(c);
	case CONN_ANSWER:
		return -EPROTO; /* nothing comes between call and answer */
	case CONN_LINGER:
		return read_and_discard(c);
	}
	return -EINVAL;
}

static int on_io(_unused_ sd_event_source *s, _unused_ int fd, uint32_t events, void *userdata)
{
	struct conn *c = userdata;
	bool silent = c->phase == CONN_WAITING || c->phase == CONN_SIGNING;
	enum conn_phase before = c->phase;
	int r = 0;

	if (events & EPOLLERR || (events & EPOLLHUP && silent))
		r = -ECONNRESET;
	else if (events & (EPOLLIN | EPOLLHUP))
		r = conn_input(c);
	if (r == 0 && before == CONN_HELLO && c->phase == CONN_WAITING)
		gate_line_up(c->gate, c);
	else
		conn_settle(c, r);
	return 0;
}

void conn_expire(struct conn *c)
{
	bool our_fault =
		c->phase == CONN_WAITING || c->phase == CONN_SIGNING || c->phase == CONN_ANSWER;

	conn_settle(c, our_fault ? conn_unavailable(c) : -ETIMEDOUT);
}

/* --- answers of the authority --- */

static struct conn *conn_of_slot(struct link_slot *slot)
{
	return (struct conn *)((uint8_t *)slot - offsetof(struct conn, slot));
}

static void conn_signed(struct link_slot *slot, const struct view *signature)
{
	struct conn *c = conn_of_slot(slot);
	int r;

	r = tls_sign(&c->tls, signature);
	if (r == 0)
		r = step_handshake(c);
	conn_settle(c, r);
}

static void conn_refused(struct link_slot *slot)
{
	struct conn *c = conn_of_slot(slot);

	conn_settle(c, conn_alert(c, GNUTLS_A_HANDSHAKE_FAILURE));
}

static void conn_committed(struct link_slot *slot, const struct wire_committed *m)
{
	struct conn *c = conn_of_slot(slot);
	size_t n = 0;
	char *text = call_reply_committed(m->allowed, m->event, &n);

	conn_settle(c, conn_reply(c, text, n));
}

static void conn_described(struct link_slot *slot, const struct wire_described *m)
{
	struct conn *c = conn_of_slot(slot);
	size_t n = 0;
	char *text = call_reply_described(m, &n);

	conn_settle(c, conn_reply(c, text, n));
}

static void conn_lost(struct link_slot *slot)
{
	struct conn *c = conn_of_slot(slot);

	conn_settle(c, conn_unavailable(c));
}

static int gate_welcome(void *userdata, const struct view *server_cert)
{
	struct gate *g = userdata;

	gate_rearm(g); /* the deadlines are other ones now */
	return tls_set_cert(g->tls, server_cert);
}

static void gate_nonces(void *userdata)
{
	gate_pump(userdata);
}

static void gate_down(void *userdata)
{
	struct gate *g = userdata;

	gate_rearm(g);
	if (g->budget.n > 0) /* who is here may still want to begin */
		link_wake(g->link);
}

const struct link_ops conn_link_ops = {
	.welcome = gate_welcome,
	.nonces = gate_nonces,
	.down = gate_down,
	.signed_ = conn_signed,
	.refused = conn_refused,
	.committed = conn_committed,
	.described = conn_described,
	.lost = conn_lost,
};

/* --- life --- */

int conn_new(struct gate *g, int fd, const struct source_key *source)
{
	struct conn *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		(void)close(fd);
		return -ENOMEM;
	}
	c->gate = g;
	c->fd = fd;
	c->budget = LIMIT_HANDSHAKE_BYTES;
	c->deadline = DEADLINE_MAX_;
	c->transport = (struct tls_transport){ pull, push, c };
	r = budget_enter(&g->budget, source, &c->charge);
	if (r == 0)
		r = sd_event_add_io(g->event, &c->io, fd, EPOLLIN, on_io, c);
	if (r < 0) {
		conn_free(c);
		return r;
	}
	gate_set_deadline(g, c, DEADLINE_OUR_FLIGHT);
	return 0;
}

void conn_free(struct conn *c)
{
	struct gate *g = c->gate;

	link_drop(g->link, &c->slot);
	tls_session_end(&c->tls);
	gate_unset_deadline(g, c);
	budget_leave(&g->budget, &c->charge);
	sd_event_source_disable_unref(c->io);
	(void)close(c->fd);
	free(c->request);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	free(c);
	gate_conn_gone(g);
}
