// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/link.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "lib/base/log.h"
#include "lib/base/name.h"
#include "lib/pki/proof.h"

/* What a gate asks, and what it is told.  links.c has seen that the slot is in a state for it. */

int link_answer_hello(struct link *l, _unused_ struct slot *none, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_hello m;

	if (wire_get_hello(body, &m) < 0 || m.version != WIRE_VERSION || l->greeted)
		return link_violation(l, "malformed or repeated hello");
	l->greeted = true;
	wire_put_welcome(&b, &(struct wire_welcome){ signer_cert(l->links->a->signer)->der });
	return link_send(l, &b);
}

int link_answer_want_nonces(struct link *l, _unused_ struct slot *none, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_nonces answer = { 0 };
	struct wire_want_nonces m;

	if (wire_get_want_nonces(body, &m) < 0 || m.count == 0 || m.count > LIMIT_NONCES_AHEAD)
		return link_violation(l, "malformed request for nonces");
	while (answer.n < m.count) {
		struct wire_nonce *item = &answer.items[answer.n];
		struct slot *slot;
		int r = slot_new(l, &slot);

		if (r == -EDQUOT)
			return link_violation(l, l->n_slots >= LIMIT_SLOTS
							 ? "too many slots"
							 : "too many nonces ahead");
		if (r < 0)
			return r;
		item->slot = slot->id;
		memcpy(item->nonce, slot->nonce, sizeof(slot->nonce));
		answer.n++;
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

static int make_signature(struct link *l, struct slot *slot, const struct hello *hello)
{
	struct authority *a = l->links->a;
	int r = signer_sign(a->signer, &(struct view){ slot->prefix.p, slot->prefix.n },
			    hello->hash_len, &slot->signature);

	if (r < 0)
		return r;
	slot->hash_len = hello->hash_len;
	memcpy(slot->commitment, hello->commitment, sizeof(slot->commitment));
	slot->signed_at = clock_boottime(a->clock);
	slot_enter(l, slot, SLOT_SIGNED);
	return 0;
}

int link_answer_sign(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct authority *a = l->links->a;
	struct hello hello;
	struct wire_sign m;
	int r;

	if (wire_get_sign(body, &m) < 0 || m.source.n == 0 || m.source.n >= sizeof(slot->source))
		return link_violation(l, "malformed request to sign");
	r = hello_parse(m.prefix.p, m.prefix.n, slot->nonce, &signer_cert(a->signer)->der, &hello);
	if (r == -EPROTO) /* a client may have wanted it so */
		return refuse(l, slot);
	if (r == -ESTALE)
		return link_violation(l, "a handshake that is not this slot's");
	if (r < 0)
		return link_violation(l, "not a handshake");
	text_clean((const char *)m.source.p, m.source.n, slot->source, sizeof(slot->source));
	if (slot_charge(l, slot, m.prefix.n) < 0) /* many long hellos: no fault of the gate */
		return refuse(l, slot);
	buf_put(&slot->prefix, m.prefix.p, m.prefix.n);
	r = slot->prefix.error ? slot->prefix.error : make_signature(l, slot, &hello);
	if (r < 0)
		return r;
	wire_put_signed(&b, slot->id,
			&(struct wire_signed){ { slot->signature.p, slot->signature.n } });
	return link_send(l, &b);
}

/* Intermediates that cannot be read are as if they had not been sent. */
static void read_chain(const struct proof *proof, struct cert **leaf, struct evidence *e)
{
	e->chain[e->n++] = STEAL(*leaf);
	for (size_t i = 1; i < proof->n_certs; i++)
		if (cert_parse(proof->certs[i].p, proof->certs[i].n, &e->chain[e->n]) == 0)
			e->n++;
}

static int keep_evidence(struct link *l, struct slot *slot, const struct proof *proof,
			 struct cert **leaf)
{
	_cleanup_(evidence_unrefp) struct evidence *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->refs = 1;
	e->via = l->via;
	memcpy(e->source, slot->source, sizeof(e->source));
	e->fault = *leaf ? REASON_NONE : REASON_KEY;
	if (*leaf) {
		read_chain(proof, leaf, e);
		/* one too large to be looked at is as if it had not been sent */
		if (proof->staple.n <= LIMIT_OCSP_BYTES)
			buf_put(&e->staple, proof->staple.p, proof->staple.n);
		if (e->staple.error)
			return -ENOMEM;
	}
	if (slot_charge(l, slot, evidence_bytes(e)) < 0)
		evidence_forget(e, REASON_LIMIT);
	slot->evidence = STEAL(e);
	return 0;
}

static const char *const proof_violations[] = {
	[PROOF_MALFORMED] = "a proof that is none",
	[PROOF_NOT_OURS] = "a proof with a server signature that is not ours",
	[PROOF_ALGORITHM] = "a proof by an algorithm that is not taken",
	[PROOF_BAD_SIGNATURE] = "a proof that does not verify",
};

int link_answer_prove(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	struct authority *a = l->links->a;
	const struct view signature = { slot->signature.p, slot->signature.n };
	enum proof_verdict verdict;
	struct proof proof;
	struct wire_prove m;
	int r;

	if (wire_get_prove(body, &m) < 0)
		return link_violation(l, "malformed proof");
	if (clock_boottime(a->clock) - slot->signed_at > LIMIT_PROOF_USEC)
		return link_violation(l, "a proof after its time");
	a->proofs++;
	r = proof_verify(slot->prefix.p, slot->prefix.n, m.rest.p, m.rest.n, slot->hash_len,
			 signer_scheme(a->signer), &signature, &proof, &leaf, &verdict);
	if (r < 0)
		return r;
	/* the gate's own TLS has checked the rest before it came here */
	if (verdict != PROOF_GOOD && verdict != PROOF_KEY)
		return link_violation(l, proof_violations[verdict]);
	r = keep_evidence(l, slot, &proof, &leaf);
	if (r < 0)
		return r;
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
	uint8_t login_id[LOGIN_ID_BYTES]; /* zeros: a loose ticket */
	bool allowed;
	int64_t event;
};

static int send_committed(struct link *l, uint32_t slot, bool allowed, int64_t event)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_committed(&b, slot, &(struct wire_committed){ allowed, (uint64_t)event });
	return link_send(l, &b);
}

/* Nothing of it has happened: no ticket, and a number that will be another event's. */
static void undo_commit(struct logins *logins, const struct waiting_commit *w)
{
	if (w->allowed)
		ticket_forget(logins, w->ticket_hash);
	else
		login_forget_denial(logins, w->login_id);
}

static void committed(void *userdata, int r)
{
	struct waiting_commit *w = userdata;

	if (r < 0)
		undo_commit(w->link->links->a->logins, w);
	if (send_committed(w->link, w->slot, r == 0 && w->allowed, r == 0 ? w->event : 0) < 0)
		link_close(w->link);
	link_unref(w->link);
	free(w);
}

static int answer_after_commit(struct link *l, uint32_t slot, const struct commit_request *q,
			       const struct outcome *outcome)
{
	struct authority *a = l->links->a;
	struct waiting_commit *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		if (outcome->allowed)
			ticket_forget(a->logins, q->ticket_hash);
		return -ENOMEM;
	}
	*w = (struct waiting_commit){ .link = link_ref(l),
				      .slot = slot,
				      .allowed = outcome->allowed,
				      .event = outcome->event };
	memcpy(w->ticket_hash, q->ticket_hash, SHA256_BYTES);
	if (q->login_id)
		memcpy(w->login_id, q->login_id, LOGIN_ID_BYTES);
	r = turn_defer(a->turn, committed, w);
	if (r < 0) {
		undo_commit(a->logins, w);
		link_unref(w->link);
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

static int decide_commit(struct link *l, uint32_t slot, const struct commit_request *q)
{
	struct authority *a = l->links->a;
	struct outcome outcome;
	int r = login_commit(a, q, &outcome);

	if (r < 0) {
		log_error("a commit could not be decided: %s", strerror(-r));
		return send_committed(l, slot, false, 0);
	}
	return answer_after_commit(l, slot, q, &outcome);
}

int link_answer_commit(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(evidence_unrefp) struct evidence *evidence = evidence_ref(slot->evidence);
	char account[LIMIT_ACCOUNT + 1], service[LIMIT_SERVICE + 1], name[COMMITMENT_NAME_SIZE];
	struct commit_request q = { .evidence = evidence, .account = account, .service = service };
	struct commitment c = { .account = account, .service = service };
	uint32_t id = slot->id;
	struct wire_commit m;
	int r;

	if (wire_get_commit(body, &m) < 0 ||
	    (m.login_id.n != 0 && m.login_id.n != LOGIN_ID_BYTES) ||
	    !text_field(&m.account, account, sizeof(account), account_name_ok) ||
	    !text_field(&m.service, service, sizeof(service), service_name_ok))
		return link_violation(l, "malformed commit");
	memcpy(c.ticket_hash, m.ticket_hash, SHA256_BYTES);
	memcpy(q.ticket_hash, m.ticket_hash, SHA256_BYTES);
	c.login_id = q.login_id = m.login_id.n ? m.login_id.p : NULL;
	r = commitment_name(&c, name);
	if (r < 0)
		return r;
	if (strcmp(name, slot->commitment) != 0)
		return link_violation(l, "a request other than the one that was signed");
	slot_drop(l, slot);
	return decide_commit(l, id, &q);
}

static struct view text_view(const char *s)
{
	return (struct view){ (const uint8_t *)s, strlen(s) };
}

/* For the eyes of who decides whether to sign: what other programs than root's say is said so. */
static void caller_text(const struct login *login, char *ret, size_t size)
{
	bool says = *login->tty || *login->rhost;

	(void)snprintf(ret, size, "uid %u%s%s%s%s%s", (unsigned)login->real_uid,
		       *login->tty ? " on " : "", login->tty, *login->rhost ? " from " : "",
		       login->rhost, says && login->uid != 0 ? " (as it says)" : "");
}

int link_answer_describe(struct link *l, struct slot *slot, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_described answer = { 0 };
	const struct login *login;
	struct wire_describe m;
	char caller[LIMIT_TTY + LIMIT_RHOST + 64];

	if (wire_get_describe(body, &m) < 0 || m.login_id.n != LOGIN_ID_BYTES)
		return link_violation(l, "malformed describe");
	login = login_shown(l->links->a, slot->evidence, m.login_id.p);
	if (login) {
		caller_text(login, caller, sizeof(caller));
		answer = (struct wire_described){ .found = 1,
						  .account = text_view(login->account),
						  .service = text_view(login->service),
						  .caller = text_view(caller) };
	}
	wire_put_described(&b, slot->id, &answer);
	slot_drop(l, slot);
	return link_send(l, &b);
}

int link_answer_close(struct link *l, struct slot *slot, const struct view *body)
{
	if (wire_get_close(body) < 0)
		return link_violation(l, "malformed close");
	slot_drop(l, slot);
	return 0;
}
