// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/links.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "daemon/authority/limits.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "daemon/wire/wire.h"
#include "lib/base/log.h"
#include "lib/base/name.h"
#include "lib/pki/proof.h"

#define PACKETS_PER_WAKE 64

struct slot {
	uint32_t id;
	unsigned state; /* SLOT_FRESH, SLOT_SIGNED, SLOT_PROVEN */
	uint8_t nonce[32];
	uint64_t signed_at;
	struct hello hello;	      /* server_cert is not kept */
	struct buf prefix, signature; /* from SIGN to PROVE */
	char source[64];
	struct evidence *evidence; /* NULL when PROVEN: a key below the floor */
	struct slot *next;
};

#define SLOT_BUCKETS 1024

struct link {
	struct links *links;
	int fd;
	enum service_via via;
	sd_event_source *io;
	bool greeted;
	uint32_t next_slot;
	size_t n_slots, n_fresh;
	struct slot *slots[SLOT_BUCKETS];
	unsigned refs; /* answers that wait for a commit */
	struct link *next;
};

struct links {
	struct authority *a;
	sd_event_source *listen;
	int listen_fd;
	size_t n;
	struct link *first;
	uint8_t packet[LIMIT_WIRE_BYTES];
};

/* --- slots --- */

static struct slot *slot_find(struct link *l, uint32_t id)
{
	struct slot *s = l->slots[id % SLOT_BUCKETS];

	while (s && s->id != id)
		s = s->next;
	return s;
}

static void slot_drop(struct link *l, struct slot *slot)
{
	struct slot **at = &l->slots[slot->id % SLOT_BUCKETS];

	while (*at != slot)
		at = &(*at)->next;
	*at = slot->next;
	l->n_slots--;
	l->n_fresh -= slot->state == SLOT_FRESH;
	buf_deinit(&slot->prefix);
	buf_deinit(&slot->signature);
	evidence_unref(slot->evidence);
	free(slot);
}

static int slot_new(struct link *l, struct slot **ret)
{
	struct slot *s;

	if (l->n_fresh >= LIMIT_NONCES_AHEAD || l->n_slots >= LIMIT_SLOTS)
		return -EDQUOT;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	if (random_bytes(s->nonce, sizeof(s->nonce)) < 0) {
		free(s);
		return -EIO;
	}
	do
		s->id = ++l->next_slot;
	while (s->id == 0 || slot_find(l, s->id));
	s->state = SLOT_FRESH;
	s->next = l->slots[s->id % SLOT_BUCKETS];
	l->slots[s->id % SLOT_BUCKETS] = s;
	l->n_slots++;
	l->n_fresh++;
	*ret = s;
	return 0;
}

static void slot_enter(struct link *l, struct slot *slot, unsigned state)
{
	l->n_fresh -= slot->state == SLOT_FRESH;
	slot->state = state;
}

/* --- links --- */

static struct link *link_unref(struct link *l)
{
	if (l && --l->refs == 0) {
		free(l);
	}
	return NULL;
}

static void link_close(struct link *l)
{
	struct link **at = &l->links->first;

	if (l->fd < 0)
		return;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->links->n--;
	for (size_t i = 0; i < SLOT_BUCKETS; i++)
		while (l->slots[i])
			slot_drop(l, l->slots[i]);
	l->io = sd_event_source_disable_unref(l->io);
	(void)close(l->fd);
	l->fd = -1;
	link_unref(l);
}

static int violation(struct link *l, const char *what)
{
	struct authority *a = l->links->a;
	char source[64];

	(void)snprintf(source, sizeof(source), "%s gate", service_via_text(l->via));
	log_warning("the %s is not honest, its link is closed: %s", source, what);
	a->link_violations++;
	if (limits_take_row(a->limits, LIMIT_POOL_LOCAL, source, clock_boottime(a->clock))) {
		(void)store_event_append(a->store,
					 &(struct event){ .kind = "link.violation",
							  .verdict = "deny",
							  .reason = what,
							  .source = source },
					 NULL);
		(void)turn_kick(a->turn);
	}
	return -EPROTO;
}

/* A gate that does not read its answers is of no use either. */
static int link_send(struct link *l, const struct buf *b)
{
	if (b->error)
		return b->error;
	if (l->fd < 0)
		return 0;
	return send(l->fd, b->p, b->n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- answers: twins of link_req_* in the gate --- */

static int link_answer_hello(struct link *l, _unused_ struct slot *none, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_hello m;

	if (wire_get_hello(body, &m) < 0 || m.version != WIRE_VERSION || l->greeted)
		return violation(l, "malformed or repeated hello");
	l->greeted = true;
	wire_put_welcome(&b, &(struct wire_welcome){ signer_cert(l->links->a->signer)->der });
	return link_send(l, &b);
}

static int link_answer_want_nonces(struct link *l, _unused_ struct slot *none,
				   const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_nonces answer = { 0 };
	struct wire_want_nonces m;

	if (wire_get_want_nonces(body, &m) < 0 || m.count == 0 || m.count > LIMIT_NONCES_AHEAD)
		return violation(l, "malformed request for nonces");
	if (l->n_slots >= LIMIT_SLOTS)
		return violation(l, "too many slots");
	while (answer.n < m.count) {
		struct slot *slot;
		int r = slot_new(l, &slot);

		if (r == -EDQUOT)
			return violation(l, "too many nonces ahead");
		if (r < 0)
			return r;
		answer.items[answer.n].slot = slot->id;
		memcpy(answer.items[answer.n++].nonce, slot->nonce, sizeof(slot->nonce));
	}
	wire_put_nonces(&b, &answer);
	return link_send(l, &b);
}

static int refuse(struct link *l, struct slot *slot)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_refused(&b, slot->id);
	slot_drop(l, slot);
	return link_send(l, &b);
}

static int link_answer_sign(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct authority *a = l->links->a;
	struct wire_sign m;
	int r;

	if (wire_get_sign(body, &m) < 0 || m.source.n == 0 || m.source.n >= sizeof(slot->source))
		return violation(l, "malformed request to sign");
	r = hello_parse(m.prefix.p, m.prefix.n, slot->nonce, &signer_cert(a->signer)->der,
			&slot->hello);
	if (r == -EPROTO) /* a client may have wanted it so */
		return refuse(l, slot);
	if (r == -ESTALE)
		return violation(l, "a handshake that is not this slot's");
	if (r < 0)
		return violation(l, "not a handshake");
	text_clean((const char *)m.source.p, m.source.n, slot->source, sizeof(slot->source));
	buf_put(&slot->prefix, m.prefix.p, m.prefix.n);
	if (slot->prefix.error)
		return slot->prefix.error;
	r = signer_sign(a->signer, &(struct view){ slot->prefix.p, slot->prefix.n },
			slot->hello.hash_len, &slot->signature);
	if (r < 0)
		return r;
	slot->signed_at = clock_boottime(a->clock);
	slot_enter(l, slot, SLOT_SIGNED);
	wire_put_signed(&b, slot->id,
			&(struct wire_signed){ { slot->signature.p, slot->signature.n } });
	return link_send(l, &b);
}

static const char *const proof_violations[] = {
	[PROOF_MALFORMED] = "a proof that is none",
	[PROOF_NOT_OURS] = "a proof with a server signature that is not ours",
	[PROOF_ALGORITHM] = "a proof by an algorithm that is not taken",
	[PROOF_BAD_SIGNATURE] = "a proof that does not verify",
};

static int keep_evidence(struct link *l, struct slot *slot, const struct proof *proof,
			 struct cert **leaf)
{
	_cleanup_(evidence_unrefp) struct evidence *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->refs = 1;
	e->via = l->via;
	memcpy(e->source, slot->source, sizeof(e->source));
	e->chain[e->n++] = STEAL(*leaf);
	/* intermediates that cannot be read are as if they had not been sent */
	for (size_t i = 1; i < proof->n_certs; i++)
		if (cert_parse(proof->certs[i].p, proof->certs[i].n, &e->chain[e->n]) == 0)
			e->n++;
	slot->evidence = STEAL(e);
	return 0;
}

static int link_answer_prove(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	struct authority *a = l->links->a;
	const struct view signature = { slot->signature.p, slot->signature.n };
	enum proof_verdict verdict;
	struct wire_prove m;
	struct proof proof;
	int r;

	if (wire_get_prove(body, &m) < 0)
		return violation(l, "malformed proof");
	if (clock_boottime(a->clock) - slot->signed_at > LIMIT_PROOF_USEC)
		return violation(l, "a proof after its time");
	a->proofs++;
	r = proof_verify(slot->prefix.p, slot->prefix.n, m.rest.p, m.rest.n, slot->hello.hash_len,
			 signer_scheme(a->signer), &signature, &proof, &leaf, &verdict);
	if (r < 0)
		return r;
	if (verdict != PROOF_GOOD && verdict != PROOF_KEY)
		return violation(l, proof_violations[verdict]);
	if (verdict == PROOF_GOOD) {
		r = keep_evidence(l, slot, &proof, &leaf);
		if (r < 0)
			return r;
	}
	buf_deinit(&slot->prefix);
	buf_deinit(&slot->signature);
	slot_enter(l, slot, SLOT_PROVEN);
	return 0;
}

/* An answer that waits for its record. */
struct waiting_commit {
	struct link *link;
	uint32_t slot;
	uint8_t ticket_hash[SHA256_BYTES];
	int64_t event;
};

static int send_committed(struct link *l, uint32_t slot, bool allowed, int64_t event)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_committed(&b, slot, &(struct wire_committed){ allowed, (uint64_t)event });
	return link_send(l, &b);
}

static void committed(void *userdata, int r)
{
	struct waiting_commit *w = userdata;

	if (r < 0)
		ticket_forget(w->link->links->a->logins, w->ticket_hash);
	if (send_committed(w->link, w->slot, r == 0, r == 0 ? w->event : 0) < 0)
		link_close(w->link);
	link_unref(w->link);
	free(w);
}

static int answer_after_commit(struct link *l, uint32_t slot, const uint8_t hash[SHA256_BYTES],
			       int64_t event)
{
	struct waiting_commit *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	*w = (struct waiting_commit){ .link = l, .slot = slot, .event = event };
	memcpy(w->ticket_hash, hash, SHA256_BYTES);
	l->refs++;
	r = turn_defer(l->links->a->turn, committed, w);
	if (r < 0) {
		l->refs--;
		free(w);
	}
	return r;
}

/* A field that becomes a C string: names without NUL, checked at the one choke point. */
static bool text_field(const struct view *v, char *ret, size_t size, bool (*ok)(const char *))
{
	if (v->n >= size || memchr(v->p, '\0', v->n))
		return false;
	memcpy(ret, v->p, v->n);
	ret[v->n] = '\0';
	return ok(ret);
}

static int link_answer_commit(struct link *l, struct slot *slot, const struct view *body)
{
	char account[LIMIT_ACCOUNT + 1], service[LIMIT_SERVICE + 1], name[COMMITMENT_NAME_SIZE];
	struct authority *a = l->links->a;
	struct commit_request q = { .evidence = slot->evidence,
				    .account = account,
				    .service = service };
	struct commitment c = { .account = account, .service = service };
	struct outcome outcome;
	struct wire_commit m;
	uint32_t id = slot->id;
	int r;

	if (wire_get_commit(body, &m) < 0 ||
	    (m.login_id.n != 0 && m.login_id.n != LOGIN_ID_BYTES) ||
	    !text_field(&m.account, account, sizeof(account), account_name_ok) ||
	    !text_field(&m.service, service, sizeof(service), service_name_ok))
		return violation(l, "malformed commit");
	memcpy(c.ticket_hash, m.ticket_hash, SHA256_BYTES);
	memcpy(q.ticket_hash, m.ticket_hash, SHA256_BYTES);
	c.login_id = q.login_id = m.login_id.n ? m.login_id.p : NULL;
	r = commitment_name(&c, name);
	if (r < 0)
		return r;
	if (strcmp(name, slot->hello.commitment) != 0)
		return violation(l, "a request other than the one that was signed");
	if (!slot->evidence) { /* a key below the floor: nothing is believed of it */
		a->logins_denied++;
		slot_drop(l, slot);
		return send_committed(l, id, false, 0);
	}
	r = login_commit(a, &q, &outcome);
	slot_drop(l, slot);
	if (r < 0) {
		log_error("a commit could not be decided: %s", strerror(-r));
		return send_committed(l, id, false, 0);
	}
	if (outcome.allowed)
		return answer_after_commit(l, id, m.ticket_hash, outcome.event);
	(void)turn_kick(a->turn);
	return send_committed(l, id, false, outcome.event);
}

/* Shown only to who may use the account, and never more than an account, a service and a caller. */
static bool may_see(struct authority *a, const struct evidence *e, const struct login *login)
{
	struct gather g;
	struct verdict v;
	bool sees = false;

	if (gather_facts(a, (const struct cert *const *)e->chain, e->n, login->account,
			 login->service, authority_now(a), &g) == 0) {
		g.facts.proven = true;
		decide(&g.facts, &v);
		sees = g.facts.account_known_to_identity;
		for (size_t i = CHECK_PROOF; i <= CHECK_IDENTITY_STATE; i++)
			sees &= v.checks[i].result == CHECK_PASSED;
	}
	gather_deinit(&g);
	return sees;
}

static int link_answer_describe(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct authority *a = l->links->a;
	struct wire_described answer = { 0 };
	struct wire_describe m;
	struct login *login;
	char caller[512];

	if (wire_get_describe(body, &m) < 0 || m.login_id.n != LOGIN_ID_BYTES)
		return violation(l, "malformed describe");
	login = login_find(a->logins, m.login_id.p);
	if (login && login->state == LOGIN_BEGUN && slot->evidence &&
	    may_see(a, slot->evidence, login)) {
		(void)snprintf(caller, sizeof(caller), "uid %u%s%s%s%s", (unsigned)login->real_uid,
			       *login->tty ? " on " : "", login->tty, *login->rhost ? " from " : "",
			       login->rhost);
		answer.found = 1;
		answer.account =
			(struct view){ (const uint8_t *)login->account, strlen(login->account) };
		answer.service =
			(struct view){ (const uint8_t *)login->service, strlen(login->service) };
		answer.caller = (struct view){ (const uint8_t *)caller, strlen(caller) };
	}
	wire_put_described(&b, slot->id, &answer);
	slot_drop(l, slot);
	return link_send(l, &b);
}

static int link_answer_close(struct link *l, struct slot *slot, const struct view *body)
{
	if (wire_get_close(body) < 0)
		return violation(l, "malformed close");
	slot_drop(l, slot);
	return 0;
}

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

static int link_dispatch(struct link *l, const uint8_t *p, size_t n)
{
	struct wire_header h;
	struct view body;
	struct slot *slot = NULL;

	if (wire_get_header(p, n, &h, &body) < 0 || h.id >= ARRAY_SIZE(requests) ||
	    !requests[h.id].answer)
		return violation(l, "unknown message");
	if (!l->greeted && h.id != WIRE_HELLO)
		return violation(l, "a message before hello");
	if (!(requests[h.id].states & SLOT_NONE)) {
		slot = slot_find(l, h.slot);
		if (!slot)
			return violation(l, "a slot that was not given out, or is gone");
		if (!(requests[h.id].states & slot->state))
			return violation(l, "a message out of order");
	} else if (h.slot != 0) {
		return violation(l, "a slot where none belongs");
	}
	return requests[h.id].answer(l, slot, &body);
}

/* One packet: 0, 1 when there is none, or what ends the link. */
static int take_packet(struct link *l)
{
	struct links *all = l->links;
	ssize_t n = recv(l->fd, all->packet, sizeof(all->packet), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	if (n == 0)
		return -ECONNRESET;
	all->a->last_activity = clock_boottime(all->a->clock);
	if ((size_t)n > sizeof(all->packet))
		return violation(l, "an oversized message");
	return link_dispatch(l, all->packet, (size_t)n);
}

static int on_packet(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
		     void *userdata)
{
	struct link *l = userdata;
	int r = 0;

	l->refs++; /* a full turn answers at once, and may close us on the way */
	for (int i = 0; i < PACKETS_PER_WAKE && r == 0 && l->fd >= 0; i++)
		r = take_packet(l);
	if (r < 0) {
		if (r != -EPROTO && r != -ECONNRESET)
			log_warning("the link to the %s gate is closed: %s",
				    service_via_text(l->via), strerror(-r));
		link_close(l);
	}
	link_unref(l);
	return 0;
}

int links_add(struct links *all, int fd, enum service_via via)
{
	struct link *l;
	int r;

	if (all->n >= LIMIT_LINKS) {
		(void)close(fd);
		return -EDQUOT;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		(void)close(fd);
		return -ENOMEM;
	}
	*l = (struct link){ .links = all, .fd = fd, .via = via, .refs = 1, .next = all->first };
	all->first = l;
	all->n++;
	r = sd_event_add_io(all->a->event, &l->io, fd, EPOLLIN, on_packet, l);
	if (r < 0)
		link_close(l);
	return r;
}

static int on_connect(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
		      void *userdata)
{
	struct links *all = userdata;
	const struct roles *roles = &all->a->roles;
	struct ucred peer;
	socklen_t n = sizeof(peer);
	enum service_via via;
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (c < 0)
		return 0;
	if (getsockopt(c, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0) {
		(void)close(c);
		return 0;
	}
	via = peer.uid == roles->gate_local	? VIA_LOCAL
	      : peer.uid == roles->gate_network ? VIA_NETWORK
						: 0;
	if (!via) {
		log_warning("uid %u is no gate: its link is refused", (unsigned)peer.uid);
		(void)close(c);
		return 0;
	}
	(void)links_add(all, c, via);
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
	l->listen_fd = fd;
	return sd_event_add_io(l->a->event, &l->listen, fd, EPOLLIN, on_connect, l);
}

struct links *links_free(struct links *l)
{
	if (l) {
		while (l->first)
			link_close(l->first);
		sd_event_source_disable_unref(l->listen);
		closep(&l->listen_fd);
		free(l);
	}
	return NULL;
}

size_t links_count(const struct links *l, enum service_via via)
{
	size_t n = 0;

	for (const struct link *i = l->first; i; i = i->next)
		n += i->via == via;
	return n;
}

size_t links_slots_busy(const struct links *l)
{
	size_t n = 0;

	for (const struct link *i = l->first; i; i = i->next)
		n += i->n_slots - i->n_fresh;
	return n;
}
