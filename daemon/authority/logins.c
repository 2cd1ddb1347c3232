// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/logins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/limits.h"
#include "lib/base/secret.h"
#include "lib/pki/commitment.h"

#define BUCKETS 4096
#define SOURCE_SIZE 128

enum ticket_state { TICKET_GOOD, TICKET_SPENT };

struct ticket {
	uint8_t hash[SHA256_BYTES];
	enum ticket_state state;
	bool loose;
	uint8_t login_id[LOGIN_ID_BYTES];
	char account[LIMIT_ACCOUNT + 1];
	char service[LIMIT_SERVICE + 1];
	uint64_t made;
	int64_t identity;
	struct evidence *evidence;
	struct ticket *next;  /* of the bucket */
	struct ticket *newer; /* oldest first */
};

/* Both tables hash by bytes that are random or under SHA-256: no stranger chooses a bucket. */
struct logins {
	struct authority *a;
	size_t n, n_tickets;
	struct login *buckets[BUCKETS];
	struct login *oldest, *newest;
	struct ticket *tickets[BUCKETS];
	struct ticket *oldest_ticket, *newest_ticket;
};

struct evidence *evidence_ref(struct evidence *e)
{
	e->refs++;
	return e;
}

struct evidence *evidence_unref(struct evidence *e)
{
	if (e && --e->refs == 0) {
		for (size_t i = 0; i < e->n; i++)
			cert_free(e->chain[i]);
		free(e);
	}
	return NULL;
}

static size_t bucket(const uint8_t *p)
{
	return (size_t)(p[0] << 8 | p[1]) % BUCKETS;
}

int logins_new(struct authority *a, struct logins **ret)
{
	struct logins *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->a = a;
	*ret = l;
	return 0;
}

size_t logins_count(const struct logins *l)
{
	return l->n;
}

/* --- tickets --- */

static struct ticket *ticket_find(struct logins *l, const uint8_t hash[SHA256_BYTES])
{
	struct ticket *t = l->tickets[bucket(hash)];

	while (t && !bytes_equal(t->hash, SHA256_BYTES, hash, SHA256_BYTES))
		t = t->next;
	return t;
}

static void ticket_add(struct logins *l, struct ticket *t)
{
	size_t b = bucket(t->hash);

	t->next = l->tickets[b];
	l->tickets[b] = t;
	if (l->newest_ticket)
		l->newest_ticket->newer = t;
	else
		l->oldest_ticket = t;
	l->newest_ticket = t;
	l->n_tickets++;
}

static void ticket_drop_oldest(struct logins *l)
{
	struct ticket *t = l->oldest_ticket, **at = &l->tickets[bucket(t->hash)];

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	l->oldest_ticket = t->newer;
	if (!l->oldest_ticket)
		l->newest_ticket = NULL;
	evidence_unref(t->evidence);
	free(t);
	l->n_tickets--;
}

void ticket_forget(struct logins *l, const uint8_t hash[SHA256_BYTES])
{
	struct ticket *t = ticket_find(l, hash);

	if (t)
		t->state = TICKET_SPENT;
}

static size_t loose_outstanding(const struct logins *l, int64_t identity, uint64_t now)
{
	size_t n = 0;

	for (const struct ticket *t = l->oldest_ticket; t; t = t->newer)
		n += t->loose && t->state == TICKET_GOOD && t->identity == identity &&
		     now - t->made <= LIMIT_TICKET_USEC;
	return n;
}

/* --- logins --- */

static void login_unlink(struct logins *l, struct login *login)
{
	struct login **at = &l->buckets[bucket(login->id)];

	while (*at != login)
		at = &(*at)->next;
	*at = login->next;
	*(login->older ? &login->older->newer : &l->oldest) = login->newer;
	*(login->newer ? &login->newer->older : &l->newest) = login->older;
	l->n--;
}

static void login_link(struct logins *l, struct login *login)
{
	size_t b = bucket(login->id);

	login->next = l->buckets[b];
	l->buckets[b] = login;
	login->newer = NULL;
	login->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = login;
	l->newest = login;
	l->n++;
}

void login_end(struct logins *l, struct login *login)
{
	login_unlink(l, login);
	evidence_unref(login->evidence);
	free(login);
}

struct logins *logins_free(struct logins *l)
{
	if (l) {
		while (l->oldest)
			login_end(l, l->oldest);
		while (l->oldest_ticket)
			ticket_drop_oldest(l);
		free(l);
	}
	return NULL;
}

void logins_sweep(struct logins *l)
{
	uint64_t now = clock_boottime(l->a->clock);
	struct login *login = l->oldest, *newer;

	/* spent and expired tickets stay a while, so that `explain` can say what they were */
	while (l->oldest_ticket && now - l->oldest_ticket->made > 2 * LIMIT_TICKET_USEC)
		ticket_drop_oldest(l);
	for (; login; login = newer) {
		newer = login->newer;
		if (login->state != LOGIN_BEGUN && now - login->since > LIMIT_REDEEMED_USEC)
			login_end(l, login);
	}
}

struct login *login_find(struct logins *l, const uint8_t id[LOGIN_ID_BYTES])
{
	struct login *login = l->buckets[bucket(id)];

	while (login && memcmp(login->id, id, LOGIN_ID_BYTES) != 0)
		login = login->next;
	return login;
}

/* Known, begun, and not too old to be proved for or redeemed. */
static bool login_waits(const struct login *login, uint64_t now)
{
	return login && login->state == LOGIN_BEGUN && now - login->since <= LIMIT_LOGIN_USEC;
}

static void copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

int login_begin(struct authority *a, const struct login_request *request, struct login **ret)
{
	_cleanup_(freep) struct login *login = NULL;

	if (a->logins->n >= LIMIT_LOGINS)
		return -EAGAIN;
	login = calloc(1, sizeof(*login));
	if (!login)
		return -ENOMEM;
	if (random_bytes(login->id, sizeof(login->id)) < 0)
		return -EIO;
	login_id_format(login->id, login->id_text);
	copy_text(login->account, sizeof(login->account), request->account);
	copy_text(login->service, sizeof(login->service), request->service);
	copy_text(login->tty, sizeof(login->tty), request->tty);
	copy_text(login->rhost, sizeof(login->rhost), request->rhost);
	login->uid = request->uid;
	login->real_uid = request->real_uid;
	login->pid = request->pid;
	login->since = clock_boottime(a->clock);
	login_link(a->logins, login);
	*ret = STEAL(login);
	return 0;
}

/* --- the record of a decision --- */

int audit_decision(struct authority *a, const char *kind, const struct verdict *v,
		   const struct event *fields, json_t *extra, int64_t *ret_event)
{
	_cleanup_(freep) char *text = NULL;
	struct event e = *fields;
	json_t *detail;
	int64_t id = 0;
	int r;

	*(v->allowed ? &a->logins_allowed : &a->logins_denied) += 1;
	if (!v->allowed && !limits_take_row(a->limits, e.source, clock_boottime(a->clock))) {
		json_decref(extra);
		*ret_event = 0;
		return 0;
	}
	detail = verdict_json(v);
	if (detail && extra)
		(void)json_object_update_new(detail, extra);
	else
		json_decref(extra);
	text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	json_decref(detail);
	if (!text)
		return -ENOMEM;
	e.kind = kind;
	e.verdict = v->allowed ? "allow" : "deny";
	e.reason = reason_name(v->reason);
	e.detail = text;
	r = store_event_append(a->store, &e, &id);
	if (r < 0)
		return r;
	*ret_event = id;
	return 0;
}

/* What a root service states is a fact; what others state is what they claim. */
static json_t *where(const struct login *l)
{
	return json_pack("{s:s, s:s, s:b, s:i, s:i}", "tty", l->tty, "rhost", l->rhost, "claimed",
			 l->uid != 0, "uid", (int)l->real_uid, "pid", (int)l->pid);
}

static void source_of(const struct login *l, char ret[SOURCE_SIZE])
{
	/* sudo's callers all come as uid 0: who started it, and where, keeps their budgets apart */
	(void)snprintf(ret, SOURCE_SIZE, "uid %u %s%s%.20s", (unsigned)l->real_uid, l->service,
		       *l->tty ? " " : "", l->tty);
}

static struct event event_of(const struct gather *g, const struct evidence *evidence,
			     const char *account, const char *service, const char *login_id,
			     const char *source)
{
	struct event e = {
		.account = account, .service = service, .login_id = login_id, .source = source
	};

	if (g->has_owner)
		e.identity = g->owner.identity_name;
	if (evidence && evidence->n > 0) {
		memcpy(e.certificate, evidence->chain[0]->sha256, SHA256_BYTES);
		e.has_certificate = true;
	}
	return e;
}

static void fill_outcome(const struct verdict *v, const struct gather *g, int64_t event,
			 struct outcome *ret)
{
	*ret = (struct outcome){ .allowed = v->allowed, .reason = v->reason, .event = event };
	if (g->has_owner && v->allowed)
		memcpy(ret->identity, g->owner.identity_name, sizeof(ret->identity));
}

static int gather_evidence(struct authority *a, const struct evidence *e, const char *account,
			   const char *service, struct gather *ret)
{
	int r = gather_facts(a, e ? (const struct cert *const *)e->chain : NULL, e ? e->n : 0,
			     account, service, authority_now(a), ret);

	ret->facts.proven = e != NULL;
	ret->facts.via = e ? e->via : 0;
	return r;
}

/* --- commit --- */

static enum reason commit_reason(const struct login *login, const struct commit_request *q,
				 uint64_t now)
{
	if (!q->login_id)
		return REASON_NONE;
	if (!login_waits(login, now))
		return REASON_LOGIN_UNKNOWN;
	if (strcmp(login->account, q->account) != 0)
		return REASON_TICKET_OTHER_ACCOUNT;
	if (strcmp(login->service, q->service) != 0)
		return REASON_TICKET_OTHER_SERVICE;
	return REASON_NONE;
}

static int keep_ticket(struct authority *a, struct login *login, const struct commit_request *q,
		       int64_t identity)
{
	struct ticket *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	memcpy(t->hash, q->ticket_hash, SHA256_BYTES);
	t->loose = !q->login_id;
	if (q->login_id)
		memcpy(t->login_id, q->login_id, LOGIN_ID_BYTES);
	copy_text(t->account, sizeof(t->account), q->account);
	copy_text(t->service, sizeof(t->service), q->service);
	t->made = clock_boottime(a->clock);
	t->identity = identity;
	t->evidence = evidence_ref(q->evidence);
	ticket_add(a->logins, t);
	if (login)
		login->tickets++;
	return 0;
}

static bool within_limits(struct authority *a, const struct login *login,
			  const struct commit_request *q, const struct gather *g)
{
	if (a->logins->n_tickets >= LIMIT_LOGINS)
		return false;
	if (login)
		return login->tickets < LIMIT_TICKETS_PER_LOGIN;
	return q->login_id || !g->has_owner ||
	       loose_outstanding(a->logins, g->owner.identity, clock_boottime(a->clock)) <
		       LIMIT_LOOSE_PER_IDENTITY;
}

int login_commit(struct authority *a, const struct commit_request *q, struct outcome *ret)
{
	struct login *login = q->login_id ? login_find(a->logins, q->login_id) : NULL;
	uint64_t now = clock_boottime(a->clock);
	char id_text[LOGIN_ID_TEXT_SIZE] = "";
	struct verdict v;
	struct event e;
	struct gather g;
	int64_t event;
	int r;

	if (!login_waits(login, now))
		login = NULL;
	if (q->login_id)
		login_id_format(q->login_id, id_text);
	r = gather_evidence(a, q->evidence, q->account, q->service, &g);
	if (r == 0) {
		g.facts.loose = !q->login_id;
		g.facts.hand_carried = q->login_id != NULL;
		g.facts.ticket = ticket_find(a->logins, q->ticket_hash)
					 ? REASON_TICKET_USED
					 : commit_reason(login, q, now);
		g.facts.limits_ok = within_limits(a, login, q, &g);
		decide(&g.facts, &v);
		e = event_of(&g, q->evidence, q->account, q->service, id_text, q->evidence->source);
		r = audit_decision(a, "login.commit", &v, &e,
				   json_pack("{s:s}", "via", service_via_text(q->evidence->via)),
				   &event);
	}
	if (r == 0 && v.allowed)
		r = keep_ticket(a, login, q, g.owner.identity);
	if (r == 0) {
		if (login && !v.allowed)
			login->denied_event = event;
		fill_outcome(&v, &g, event, ret);
	}
	gather_deinit(&g);
	return r;
}

/* --- redeem --- */

static enum reason redeem_reason(const struct ticket *t, const struct login *login, uint64_t now)
{
	if (!login_waits(login, now))
		return REASON_LOGIN_UNKNOWN;
	if (!t)
		return REASON_TICKET_UNKNOWN;
	if (t->state == TICKET_SPENT)
		return REASON_TICKET_USED;
	if (now - t->made > LIMIT_TICKET_USEC)
		return REASON_TICKET_EXPIRED;
	if (!t->loose && memcmp(t->login_id, login->id, LOGIN_ID_BYTES) != 0)
		return REASON_TICKET_OTHER_LOGIN;
	if (strcmp(t->service, login->service) != 0)
		return REASON_TICKET_OTHER_SERVICE;
	if (strcmp(t->account, login->account) != 0)
		return REASON_TICKET_OTHER_ACCOUNT;
	return REASON_NONE;
}

static void add_redeem_facts(struct gather *g, const struct login *login)
{
	g->facts.uid_checked = true;
	g->facts.uid_allowed = g->has_service && service_uid_allowed(&g->service, login->uid);
}

int login_redeem(struct authority *a, struct login *login, const uint8_t ticket[TICKET_BYTES],
		 struct outcome *ret)
{
	uint64_t now = clock_boottime(a->clock);
	uint8_t hash[SHA256_BYTES];
	struct ticket *t;
	struct verdict v;
	struct event e;
	struct gather g;
	char source[SOURCE_SIZE];
	int64_t event;
	int r;

	commitment_ticket_hash(ticket, hash);
	t = ticket_find(a->logins, hash);
	r = gather_evidence(a, t ? t->evidence : NULL, login->account, login->service, &g);
	if (r == 0) {
		add_redeem_facts(&g, login);
		g.facts.ticket = redeem_reason(t, login, now);
		g.facts.loose = t && t->loose;
		g.facts.hand_carried = t && !t->loose;
		g.facts.limits_ok = login->tries < LIMIT_REDEEM_TRIES;
		decide(&g.facts, &v);
		source_of(login, source);
		e = event_of(&g, t ? t->evidence : NULL, login->account, login->service,
			     login->id_text, source);
		r = audit_decision(a, "login.redeem", &v, &e, where(login), &event);
	}
	if (r == 0 && v.allowed) {
		t->state = TICKET_SPENT; /* also when the record is lost after all: one use */
		login->evidence = evidence_ref(t->evidence);
		login->loose = t->loose;
		login->hand_carried = !t->loose;
	}
	if (r == 0) {
		login->tries += !v.allowed;
		fill_outcome(&v, &g, event, ret);
	}
	gather_deinit(&g);
	return r;
}

void login_redeemed(struct authority *a, struct login *login)
{
	login->state = LOGIN_REDEEMED;
	login->since = clock_boottime(a->clock);
}

int login_abandon(struct authority *a, struct login *login, const char *claimed, int64_t *ret_event)
{
	struct facts facts = { .now = authority_now(a),
			       .account = login->account,
			       .limits_ok = true };
	struct service_row service;
	struct verdict v;
	struct event e;
	char source[SOURCE_SIZE];
	json_t *extra;
	int r;

	if (login->denied_event) {
		*ret_event = login->denied_event;
		return 0;
	}
	r = store_service_get(a->store, login->service, &service);
	if (r < 0 && r != -ENOENT)
		return r;
	facts.service = r == 0 ? &service : NULL;
	decide(&facts, &v);
	source_of(login, source);
	e = (struct event){ .account = login->account,
			    .service = login->service,
			    .login_id = login->id_text,
			    .source = source };
	extra = where(login);
	(void)json_object_set_new(extra, "helperSays", json_string(claimed));
	return audit_decision(a, "login.abandon", &v, &e, extra, ret_event);
}

/* --- account, session --- */

int login_recheck(struct authority *a, struct login *login, const char *kind, struct outcome *ret)
{
	struct verdict v;
	struct event e;
	struct gather g;
	char source[SOURCE_SIZE];
	int64_t event = 0;
	int r;

	r = gather_evidence(a, login->evidence, login->account, login->service, &g);
	if (r == 0) {
		add_redeem_facts(&g, login);
		g.facts.loose = login->loose;
		g.facts.hand_carried = login->hand_carried;
		if (clock_boottime(a->clock) - login->since > LIMIT_REDEEMED_USEC)
			g.facts.ticket = REASON_LOGIN_UNKNOWN;
		decide(&g.facts, &v);
		source_of(login, source);
		e = event_of(&g, login->evidence, login->account, login->service, login->id_text,
			     source);
		if (!v.allowed)
			r = audit_decision(a, kind, &v, &e, where(login), &event);
	}
	if (r == 0)
		fill_outcome(&v, &g, event, ret);
	gather_deinit(&g);
	return r;
}
