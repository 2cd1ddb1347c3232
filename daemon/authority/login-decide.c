// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/audit.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/revocations.h"
#include "lib/base/name.h"
#include "lib/pki/commitment.h"

/* Every decision about a login: facts are gathered anew, decide() judges, a row says so. */

/* 1 when the client's staple told something that the login lacks. */
static int try_staple(struct authority *a, const struct evidence *e, const struct gather *g)
{
	const struct revocation_facts *r = g->facts.revocation;

	if (!e || e->staple.n == 0 || !r || !r->is_leaf || r->status == REVOCATION_REVOKED ||
	    revocation_lets_pass(r))
		return 0;
	return revocations_staple(a, (const struct cert *const *)e->chain, e->n, &g->path,
				  &(struct view){ e->staple.p, e->staple.n }, g->facts.now);
}

static int gather(struct authority *a, const struct evidence *e, const char *account,
		  const char *service, struct gather *ret)
{
	const struct cert *const *chain = e ? (const struct cert *const *)e->chain : NULL;
	size_t n = e ? e->n : 0;
	int64_t now = authority_now(a);
	int r = gather_facts(a, chain, n, account, service, now, ret);

	if (r == 0)
		r = try_staple(a, e, ret);
	if (r > 0) {
		gather_deinit(ret);
		r = gather_facts(a, chain, n, account, service, now, ret);
	}
	ret->facts.proven = e && e->n > 0;
	ret->facts.via = e ? e->via : 0;
	return r;
}

/* What a root service states is a fact; what others state is what they claim. */
static void put_where(struct buf *b, const struct login *l)
{
	char rest[96];

	buf_put_text(b, ",\"tty\":");
	text_put_json(b, l->tty);
	buf_put_text(b, ",\"rhost\":");
	text_put_json(b, l->rhost);
	(void)snprintf(rest, sizeof(rest), ",\"claimed\":%s,\"uid\":%u,\"pid\":%d",
		       l->uid != 0 ? "true" : "false", (unsigned)l->real_uid, (int)l->pid);
	buf_put_text(b, rest);
}

/* For the record: sudo's callers all come as uid 0, so who started it, for what, and where. */
#define SOURCE_SIZE 128
static void source_of(const struct login *l, char ret[SOURCE_SIZE])
{
	(void)snprintf(ret, SOURCE_SIZE, "uid %u %s%s%.20s", (unsigned)l->real_uid, l->service,
		       *l->tty ? " " : "", l->tty);
}

/* A failed redeem is charged to who made it: uid and service, or the address that root states.  A
 * service that there is not gives no budget of its own, nor does anything else that a caller can
 * make up. */
static void charge_caller(struct decision *d, const struct login *l, const struct gather *g)
{
	char who[LIMIT_RHOST + 1];

	d->pool = l->uid == 0 && *l->rhost ? LIMIT_POOL_REMOTE : LIMIT_POOL_LOCAL;
	if (d->pool == LIMIT_POOL_REMOTE)
		(void)snprintf(who, sizeof(who), "%s", l->rhost);
	else
		(void)snprintf(who, sizeof(who), "uid %u", (unsigned)l->real_uid);
	(void)snprintf(d->charged, sizeof(d->charged), "%.60s%s%s", who, g->has_service ? " " : "",
		       g->has_service ? l->service : "");
}

/* A failed commit is charged to the identity whose key was proved; else to who sent it. */
static void charge_holder(struct decision *d, const struct evidence *e, const struct gather *g)
{
	if (g->facts.proven && g->has_owner) {
		d->pool = LIMIT_POOL_IDENTITY;
		(void)snprintf(d->charged, sizeof(d->charged), "%.127s", g->owner.identity_name);
		return;
	}
	d->pool = e->via == VIA_LOCAL ? LIMIT_POOL_LOCAL : LIMIT_POOL_REMOTE;
	(void)snprintf(d->charged, sizeof(d->charged), "%s", e->source);
}

static void name_holder(struct event *e, const struct evidence *evidence, const struct gather *g)
{
	if (g->has_owner)
		e->identity = g->owner.identity_name;
	e->has_certificate = evidence && evidence->n > 0;
	if (e->has_certificate)
		memcpy(e->certificate, evidence->chain[0]->sha256, SHA256_BYTES);
}

static void fill_outcome(const struct verdict *v, const struct gather *g, int64_t event,
			 struct outcome *ret)
{
	*ret = (struct outcome){ .allowed = v->allowed, .reason = v->reason, .event = event };
	if (g->has_owner && v->allowed)
		memcpy(ret->identity, g->owner.identity_name, sizeof(ret->identity));
}

/* --- commit --- */

static enum reason commit_reason(struct authority *a, const struct login *login,
				 const struct commit_request *q)
{
	if (q->evidence->fault != REASON_NONE)
		return q->evidence->fault;
	if (ticket_find(logins_tickets(a->logins), q->ticket_hash))
		return REASON_TICKET_USED;
	if (!q->login_id)
		return REASON_NONE;
	if (!login)
		return REASON_LOGIN_UNKNOWN;
	if (strcmp(login->account, q->account) != 0)
		return REASON_TICKET_OTHER_ACCOUNT;
	if (strcmp(login->service, q->service) != 0)
		return REASON_TICKET_OTHER_SERVICE;
	return REASON_NONE;
}

static bool within_limits(struct authority *a, const struct login *login,
			  const struct commit_request *q, const struct gather *g)
{
	if (login && login->tickets >= LIMIT_TICKETS_PER_LOGIN)
		return false;
	return !g->has_owner || tickets_room(logins_tickets(a->logins), g->owner.identity,
					     !q->login_id, clock_boottime(a->clock));
}

static int keep_ticket(struct authority *a, struct login *login, const struct commit_request *q,
		       const struct gather *g)
{
	struct ticket t = { .loose = !q->login_id,
			    .identity = g->owner.identity,
			    .evidence = q->evidence };
	int r;

	memcpy(t.hash, q->ticket_hash, SHA256_BYTES);
	if (q->login_id)
		memcpy(t.login_id, q->login_id, LOGIN_ID_BYTES);
	(void)snprintf(t.account, sizeof(t.account), "%s", q->account);
	(void)snprintf(t.service, sizeof(t.service), "%s", q->service);
	evidence_trim(q->evidence, &g->path);
	r = ticket_add(logins_tickets(a->logins), &t, clock_boottime(a->clock));
	if (r == 0 && login)
		login->tickets++;
	return r;
}

static int record_commit(struct authority *a, const struct commit_request *q,
			 const struct gather *g, const struct verdict *v, int64_t *ret_event)
{
	char id_text[LOGIN_ID_TEXT_SIZE] = "", extra[32];
	struct decision d = { .kind = "login.commit",
			      .verdict = v,
			      .fields = { .account = q->account,
					  .service = q->service,
					  .login_id = id_text,
					  .source = q->evidence->source },
			      .extra = extra };

	if (q->login_id)
		login_id_format(q->login_id, id_text);
	(void)snprintf(extra, sizeof(extra), ",\"via\":\"%s\"", service_via_text(q->evidence->via));
	name_holder(&d.fields, q->evidence, g);
	charge_holder(&d, q->evidence, g);
	return audit_decision(a, &d, ret_event);
}

static int judge_commit(struct authority *a, const struct login *login,
			const struct commit_request *q, struct gather *g, struct verdict *v)
{
	int r = gather(a, q->evidence, q->account, q->service, g);

	if (r < 0)
		return r;
	g->facts.loose = !q->login_id;
	g->facts.hand_carried = q->login_id != NULL;
	g->facts.ticket = commit_reason(a, login, q);
	g->facts.limits_ok = within_limits(a, login, q, g);
	decide(&g->facts, v);
	return 0;
}

/* An identity that a rule yields, without any access; with its event, or not at all. */
static int add_mapped(struct authority *a, const struct commit_request *q, const char *name,
		      const char *rule)
{
	_cleanup_(buf_deinitp) struct buf detail = { 0 };
	struct event e = { .kind = "rule.identity.add",
			   .identity = name,
			   .source = q->evidence->source,
			   .has_certificate = true };
	struct identity identity;
	int r;

	buf_put_text(&detail, "{\"rule\":");
	text_put_json(&detail, rule);
	buf_put(&detail, "}", sizeof("}"));
	if (detail.error)
		return detail.error;
	e.detail = (const char *)detail.p;
	memcpy(e.certificate, q->evidence->chain[0]->sha256, SHA256_BYTES);
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_identity_add(a->store, name, "", 0, STORE_FOREVER, &identity);
	if (r == 0)
		r = store_event_append(a->store, &e, NULL);
	return store_change_end(a->store, r);
}

/* Only for a certificate with which nothing is wrong. */
static bool adds_identities(const struct gather *g, const struct verdict *v)
{
	for (size_t i = CHECK_PROOF; i < CHECK_IDENTITY; i++)
		if (v->checks[i].result != CHECK_PASSED)
			return false;
	return g->mapping.n_missing > 0;
}

int login_commit(struct authority *a, const struct commit_request *q, struct outcome *ret)
{
	struct login *login = q->login_id ? login_find(a->logins, q->login_id) : NULL;
	_cleanup_(gather_deinit) struct gather g = { 0 };
	struct verdict v;
	int64_t event;
	int r;

	if (!login_waits(login, clock_boottime(a->clock)))
		login = NULL;
	r = judge_commit(a, login, q, &g, &v);
	if (r == 0 && adds_identities(&g, &v)) {
		for (size_t i = 0; r == 0 && i < g.mapping.n_missing; i++)
			r = add_mapped(a, q, g.mapping.missing[i].name, g.mapping.missing[i].rule);
		gather_deinit(&g);
		r = r < 0 ? r : judge_commit(a, login, q, &g, &v);
	}
	if (r < 0)
		return r;
	r = record_commit(a, q, &g, &v, &event);
	if (r == 0 && v.allowed)
		r = keep_ticket(a, login, q, &g);
	if (r < 0)
		return r;
	if (login && !v.allowed)
		login->denied_event = event;
	fill_outcome(&v, &g, event, ret);
	return 0;
}

void ticket_forget(struct logins *l, const uint8_t hash[SHA256_BYTES])
{
	struct ticket *t = ticket_find(logins_tickets(l), hash);

	if (t)
		ticket_spend(logins_tickets(l), t);
}

void login_forget_denial(struct logins *l, const uint8_t id[LOGIN_ID_BYTES])
{
	struct login *login = login_find(l, id);

	if (login)
		login->denied_event = 0;
}

/* --- redeem --- */

static enum reason redeem_reason(const struct ticket *t, const struct login *login, uint64_t now)
{
	if (!login_waits(login, now))
		return REASON_LOGIN_UNKNOWN;
	if (!t)
		return REASON_TICKET_UNKNOWN;
	if (ticket_state(t, now) != REASON_NONE)
		return ticket_state(t, now);
	if (!t->loose && memcmp(t->login_id, login->id, LOGIN_ID_BYTES) != 0)
		return REASON_TICKET_OTHER_LOGIN;
	if (strcmp(t->service, login->service) != 0)
		return REASON_TICKET_OTHER_SERVICE;
	if (strcmp(t->account, login->account) != 0)
		return REASON_TICKET_OTHER_ACCOUNT;
	return REASON_NONE;
}

static void add_caller(struct gather *g, const struct login *login)
{
	g->facts.uid_checked = true;
	g->facts.uid_allowed = g->has_service && service_uid_allowed(&g->service, login->uid);
}

/* `claimed`: what the helper says that went wrong; NULL: it says nothing. */
static int record_login(struct authority *a, const char *kind, const struct login *login,
			const struct evidence *e, const struct gather *g, const struct verdict *v,
			const char *claimed, int64_t *ret_event)
{
	_cleanup_(buf_deinitp) struct buf extra = { 0 };
	char source[SOURCE_SIZE];
	struct decision d = { .kind = kind,
			      .verdict = v,
			      .fields = { .account = login->account,
					  .service = login->service,
					  .login_id = login->id_text,
					  .source = source } };

	put_where(&extra, login);
	if (claimed) {
		buf_put_text(&extra, ",\"helperSays\":");
		text_put_json(&extra, claimed);
	}
	buf_put_u8(&extra, '\0');
	if (extra.error)
		return extra.error;
	d.extra = (const char *)extra.p;
	source_of(login, source);
	name_holder(&d.fields, e, g);
	charge_caller(&d, login, g);
	return audit_decision(a, &d, ret_event);
}

int login_redeem(struct authority *a, struct login *login, const uint8_t ticket[TICKET_BYTES],
		 struct outcome *ret)
{
	uint64_t now = clock_boottime(a->clock);
	_cleanup_(gather_deinit) struct gather g;
	struct evidence *evidence;
	uint8_t hash[SHA256_BYTES];
	struct ticket *t;
	struct verdict v;
	int64_t event;
	int r;

	commitment_ticket_hash(ticket, hash);
	t = ticket_find(logins_tickets(a->logins), hash);
	evidence = t ? t->evidence : NULL;
	r = gather(a, evidence, login->account, login->service, &g);
	if (r < 0)
		return r;
	add_caller(&g, login);
	g.facts.ticket = redeem_reason(t, login, now);
	g.facts.loose = t && t->loose;
	g.facts.hand_carried = t && !t->loose;
	g.facts.limits_ok = login->tries < LIMIT_REDEEM_TRIES;
	decide(&g.facts, &v);
	r = record_login(a, "login.redeem", login, evidence, &g, &v, NULL, &event);
	if (r < 0)
		return r;
	/* one use, also when the record is lost after all */
	if (t && g.facts.ticket == REASON_NONE)
		ticket_spend(logins_tickets(a->logins), t);
	if (v.allowed) {
		evidence_unref(login->evidence); /* of a redeem whose record was lost */
		login->evidence = evidence_ref(evidence);
		login->loose = t->loose;
		login->hand_carried = !t->loose;
	}
	login->tries += !v.allowed;
	fill_outcome(&v, &g, event, ret);
	return 0;
}

/* --- nobody proved anything --- */

int login_abandon(struct authority *a, struct login *login, const char *claimed, int64_t *ret_event)
{
	_cleanup_(gather_deinit) struct gather g = { 0 };
	struct verdict v;
	int r;

	if (login->denied_event) {
		*ret_event = login->denied_event;
		return 0;
	}
	r = gather(a, NULL, login->account, login->service, &g);
	if (r < 0)
		return r;
	g.facts.ticket = REASON_NO_PROOF;
	decide(&g.facts, &v);
	return record_login(a, "login.abandon", login, NULL, &g, &v, claimed, ret_event);
}

/* --- account, session --- */

int login_recheck(struct authority *a, struct login *login, const char *kind, struct outcome *ret)
{
	_cleanup_(gather_deinit) struct gather g;
	struct verdict v;
	int64_t event = 0;
	int r;

	r = gather(a, login->evidence, login->account, login->service, &g);
	if (r < 0)
		return r;
	add_caller(&g, login);
	g.facts.loose = login->loose;
	g.facts.hand_carried = login->hand_carried;
	if (clock_boottime(a->clock) - login->since > LIMIT_REDEEMED_USEC)
		g.facts.ticket = REASON_LOGIN_UNKNOWN;
	decide(&g.facts, &v);
	if (!v.allowed)
		r = record_login(a, kind, login, login->evidence, &g, &v, NULL, &event);
	if (r < 0)
		return r;
	fill_outcome(&v, &g, event, ret);
	return 0;
}

/* --- describe --- */

/* All that is about the key's holder, and a row that names the account. */
static bool may_see(const struct gather *g)
{
	struct verdict v;

	decide(&g->facts, &v);
	for (size_t i = CHECK_PROOF; i <= CHECK_IDENTITY_STATE; i++)
		if (v.checks[i].result != CHECK_PASSED)
			return false;
	return g->facts.account_known_to_identity;
}

const struct login *login_shown(struct authority *a, const struct evidence *e,
				const uint8_t id[LOGIN_ID_BYTES])
{
	const struct login *login = login_find(a->logins, id);
	_cleanup_(gather_deinit) struct gather g = { 0 };

	if (!login_waits(login, clock_boottime(a->clock)) ||
	    gather(a, e, login->account, login->service, &g) < 0)
		return NULL;
	return may_see(&g) ? login : NULL;
}
