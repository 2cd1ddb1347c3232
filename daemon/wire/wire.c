// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/wire/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SOURCE_MAX 64
#define CALLER_MAX 512

/* Whether a message speaks of the link itself (slot 0) or of one connection. */
static const struct {
	bool known;
	bool link;
} messages[256] = {
#define WIRE_REQ(id, number, states, name) [number] = { true, (states) == SLOT_NONE },
#define WIRE_ANS(id, number, name)                                                                 \
	[number] = { true, WIRE_##id == WIRE_WELCOME || WIRE_##id == WIRE_NONCES },
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

int wire_get_header(const uint8_t *p, size_t n, struct wire_header *ret, struct view *ret_body)
{
	struct view in = { p, n };
	struct wire_header h;

	if (n > LIMIT_WIRE_BYTES || view_u8(&in, &h.id) < 0 || view_u32(&in, &h.slot) < 0)
		return -EBADMSG;
	if (!messages[h.id].known || (messages[h.id].link && h.slot != 0))
		return -EBADMSG;
	*ret = h;
	*ret_body = in;
	return 0;
}

static void put_header(struct buf *b, uint8_t id, uint32_t slot)
{
	buf_put_u8(b, id);
	buf_put_u32(b, slot);
}

/* A message that the other side would refuse is our own mistake: it must not leave. */
static void put_done(struct buf *b)
{
	if (!b->error && b->n > LIMIT_WIRE_BYTES)
		b->error = -EMSGSIZE;
}

static void put_s(struct buf *b, const struct view *v)
{
	if (v->n > UINT16_MAX && !b->error)
		b->error = -EMSGSIZE;
	buf_put_u16(b, (uint16_t)v->n);
	buf_put(b, v->p, v->n);
}

static void put_b(struct buf *b, const struct view *v)
{
	if (v->n > LIMIT_WIRE_BYTES && !b->error)
		b->error = -EMSGSIZE;
	buf_put_u32(b, (uint32_t)v->n);
	buf_put(b, v->p, v->n);
}

/* Bytes that will be text: within their limit, and no NUL that would cut them short later. */
static int get_text(struct view *in, size_t min, size_t max, struct view *ret)
{
	struct view v;
	int r;

	r = view_vec16(in, &v);
	if (r < 0)
		return r;
	if (v.n < min || v.n > max || (v.n > 0 && memchr(v.p, '\0', v.n)))
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int get_login_id(struct view *in, bool optional, struct view *ret)
{
	struct view v;
	int r;

	r = view_vec16(in, &v);
	if (r < 0)
		return r;
	if (v.n != LOGIN_ID_BYTES && !(optional && v.n == 0))
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int get_bytes(struct view *in, struct view *ret)
{
	struct view v;
	int r;

	r = view_vec32(in, &v);
	if (r < 0)
		return r;
	if (v.n == 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int get_bool(struct view *in, uint8_t *ret)
{
	uint8_t v;
	int r;

	r = view_u8(in, &v);
	if (r < 0)
		return r;
	if (v > 1)
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int get_end(const struct view *in)
{
	return in->n == 0 ? 0 : -EBADMSG;
}

void wire_put_hello(struct buf *b, const struct wire_hello *m)
{
	put_header(b, WIRE_HELLO, 0);
	buf_put_u16(b, m->version);
}

int wire_get_hello(const struct view *body, struct wire_hello *ret)
{
	struct view in = *body;
	struct wire_hello m;

	if (view_u16(&in, &m.version) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_want_nonces(struct buf *b, const struct wire_want_nonces *m)
{
	put_header(b, WIRE_WANT_NONCES, 0);
	buf_put_u16(b, m->count);
}

int wire_get_want_nonces(const struct view *body, struct wire_want_nonces *ret)
{
	struct view in = *body;
	struct wire_want_nonces m;

	if (view_u16(&in, &m.count) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	if (m.count == 0 || m.count > LIMIT_NONCES_AHEAD)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_sign(struct buf *b, uint32_t slot, const struct wire_sign *m)
{
	put_header(b, WIRE_SIGN, slot);
	put_s(b, &m->source);
	put_b(b, &m->prefix);
	put_done(b);
}

int wire_get_sign(const struct view *body, struct wire_sign *ret)
{
	struct view in = *body;
	struct wire_sign m;

	if (get_text(&in, 1, SOURCE_MAX, &m.source) < 0 || get_bytes(&in, &m.prefix) < 0 ||
	    get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_prove(struct buf *b, uint32_t slot, const struct wire_prove *m)
{
	put_header(b, WIRE_PROVE, slot);
	put_b(b, &m->rest);
	put_done(b);
}

int wire_get_prove(const struct view *body, struct wire_prove *ret)
{
	struct view in = *body;
	struct wire_prove m;

	if (get_bytes(&in, &m.rest) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_commit(struct buf *b, uint32_t slot, const struct wire_commit *m)
{
	put_header(b, WIRE_COMMIT, slot);
	buf_put(b, m->ticket_hash, sizeof(m->ticket_hash));
	put_s(b, &m->login_id);
	put_s(b, &m->account);
	put_s(b, &m->service);
}

int wire_get_commit(const struct view *body, struct wire_commit *ret)
{
	struct view in = *body, hash;
	struct wire_commit m;

	if (view_bytes(&in, sizeof(m.ticket_hash), &hash) < 0 ||
	    get_login_id(&in, true, &m.login_id) < 0 ||
	    get_text(&in, 1, LIMIT_ACCOUNT, &m.account) < 0 ||
	    get_text(&in, 1, LIMIT_SERVICE, &m.service) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	memcpy(m.ticket_hash, hash.p, sizeof(m.ticket_hash));
	*ret = m;
	return 0;
}

void wire_put_describe(struct buf *b, uint32_t slot, const struct wire_describe *m)
{
	put_header(b, WIRE_DESCRIBE, slot);
	put_s(b, &m->login_id);
}

int wire_get_describe(const struct view *body, struct wire_describe *ret)
{
	struct view in = *body;
	struct wire_describe m;

	if (get_login_id(&in, false, &m.login_id) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_close(struct buf *b, uint32_t slot)
{
	put_header(b, WIRE_CLOSE, slot);
}

int wire_get_close(const struct view *body)
{
	return get_end(body);
}

void wire_put_welcome(struct buf *b, const struct wire_welcome *m)
{
	put_header(b, WIRE_WELCOME, 0);
	put_b(b, &m->server_cert);
	put_done(b);
}

int wire_get_welcome(const struct view *body, struct wire_welcome *ret)
{
	struct view in = *body;
	struct wire_welcome m;

	if (get_bytes(&in, &m.server_cert) < 0 || get_end(&in) < 0 ||
	    m.server_cert.n > LIMIT_CERT_BYTES)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_nonces(struct buf *b, const struct wire_nonces *m)
{
	put_header(b, WIRE_NONCES, 0);
	buf_put_u16(b, m->n);
	for (size_t i = 0; i < m->n && i < ARRAY_SIZE(m->items); i++) {
		buf_put_u32(b, m->items[i].slot);
		buf_put(b, m->items[i].nonce, sizeof(m->items[i].nonce));
	}
}

int wire_get_nonces(const struct view *body, struct wire_nonces *ret)
{
	struct view in = *body, nonce;
	struct wire_nonces m = { 0 };

	if (view_u16(&in, &m.n) < 0 || m.n > ARRAY_SIZE(m.items))
		return -EBADMSG;
	for (size_t i = 0; i < m.n; i++) {
		if (view_u32(&in, &m.items[i].slot) < 0 ||
		    view_bytes(&in, sizeof(m.items[i].nonce), &nonce) < 0)
			return -EBADMSG;
		memcpy(m.items[i].nonce, nonce.p, sizeof(m.items[i].nonce));
	}
	if (get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_signed(struct buf *b, uint32_t slot, const struct wire_signed *m)
{
	put_header(b, WIRE_SIGNED, slot);
	put_b(b, &m->signature);
	put_done(b);
}

int wire_get_signed(const struct view *body, struct wire_signed *ret)
{
	struct view in = *body;
	struct wire_signed m;

	if (get_bytes(&in, &m.signature) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_refused(struct buf *b, uint32_t slot)
{
	put_header(b, WIRE_REFUSED, slot);
}

int wire_get_refused(const struct view *body)
{
	return get_end(body);
}

void wire_put_committed(struct buf *b, uint32_t slot, const struct wire_committed *m)
{
	put_header(b, WIRE_COMMITTED, slot);
	buf_put_u8(b, m->allowed);
	buf_put_u64(b, m->event);
}

int wire_get_committed(const struct view *body, struct wire_committed *ret)
{
	struct view in = *body;
	struct wire_committed m;

	if (get_bool(&in, &m.allowed) < 0 || view_u64(&in, &m.event) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}

void wire_put_described(struct buf *b, uint32_t slot, const struct wire_described *m)
{
	put_header(b, WIRE_DESCRIBED, slot);
	buf_put_u8(b, m->found);
	put_s(b, &m->account);
	put_s(b, &m->service);
	put_s(b, &m->caller);
}

int wire_get_described(const struct view *body, struct wire_described *ret)
{
	struct view in = *body;
	struct wire_described m;

	if (get_bool(&in, &m.found) < 0 || get_text(&in, 0, LIMIT_ACCOUNT, &m.account) < 0 ||
	    get_text(&in, 0, LIMIT_SERVICE, &m.service) < 0 ||
	    get_text(&in, 0, CALLER_MAX, &m.caller) < 0 || get_end(&in) < 0)
		return -EBADMSG;
	*ret = m;
	return 0;
}
