// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"

#define VERIFY_ROWS 5000 /* a slice between two turns of the loop */

/* --- sessions --- */

static json_t *session_json(const struct session *s)
{
	char certificate[HEX_SIZE(SHA256_BYTES)];

	hex_encode(s->certificate, SHA256_BYTES, certificate);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:s?}", "id",
			 (json_int_t)s->id, "loginId", s->login_id, "identity", s->identity,
			 "certificate", certificate, "accountAuth", s->account_auth, "accountNow",
			 s->account_now, "service", s->service, "tty", s->tty, "rhost", s->rhost,
			 "pid", (json_int_t)s->pid, "opened", (json_int_t)s->opened, "closed",
			 s->closed ? json_integer(s->closed) : json_null(), "ended",
			 *s->ended ? s->ended : NULL);
}

int admin_session_list(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(freep) struct session *rows = NULL;
	struct authority *a = userdata;
	size_t limit = arg_limit(p), n;
	json_t *list;
	int r;

	r = store_session_list(a->store, arg_bool(p, "all", false), arg_int(p, "after", 0), limit,
			       &rows, &n);
	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, session_json(&rows[i]));
	return vl_call_reply(call, json_pack("{s:o, s:b}", "sessions", list, "more", n == limit));
}

int admin_session_get(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct session s;
	int r = store_session_get(a->store, arg_int(p, "id", 0), &s);

	if (r < 0)
		return admin_error(call, r, "session");
	return vl_call_reply(call, json_pack("{s:o}", "session", session_json(&s)));
}

/* --- events --- */

static void uuid_text(const uint8_t uuid[16], char ret[37])
{
	static const size_t dash_before[] = { 4, 6, 8, 10 };

	for (size_t i = 0, d = 0; i < 16; i++) {
		if (d < ARRAY_SIZE(dash_before) && dash_before[d] == i) {
			*ret++ = '-';
			d++;
		}
		hex_encode(&uuid[i], 1, ret);
		ret += 2;
	}
}

static json_t *event_json(const struct event *e)
{
	char certificate[HEX_SIZE(SHA256_BYTES)] = "", uuid[37];
	json_t *detail = json_loads(e->detail, 0, NULL);

	if (e->has_certificate)
		hex_encode(e->certificate, SHA256_BYTES, certificate);
	uuid_text(e->uuid, uuid);
	return json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "id",
			 (json_int_t)e->id, "uuid", uuid, "time", (json_int_t)e->time, "kind",
			 e->kind, "verdict", e->verdict, "reason", e->reason, "identity",
			 e->identity, "certificate", certificate, "account", e->account, "service",
			 e->service, "loginId", e->login_id, "source", e->source, "detail",
			 detail ? detail : json_object());
}

int admin_event_list(struct vl_call *call, json_t *p, void *userdata)
{
	struct event_filter f = { .after = arg_int(p, "after", 0),
				  .limit = arg_limit(p),
				  .kind = arg_text(p, "kind"),
				  .identity = arg_text(p, "identity"),
				  .account = arg_text(p, "account"),
				  .verdict = arg_text(p, "verdict") };
	int64_t last = arg_int(p, "last", 0);
	struct authority *a = userdata;
	struct event *rows;
	json_t *list;
	size_t n;
	int r;

	if (last < 0 || last > LIMIT_LIST_ROWS)
		return admin_invalid(call, "last", "between 1 and 1000");
	f.last = (size_t)last;
	r = store_event_list(a->store, &f, &rows, &n);
	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, event_json(&rows[i]));
	events_free(rows, n);
	return vl_call_reply(
		call, json_pack("{s:o, s:b}", "events", list, "more", !f.last && n == f.limit));
}

int admin_event_get(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(event_deinit) struct event e = { 0 };
	struct authority *a = userdata;
	int r = store_event_get(a->store, arg_int(p, "id", 0), &e);

	if (r < 0)
		return admin_error(call, r, "event");
	return vl_call_reply(call, json_pack("{s:o}", "event", event_json(&e)));
}

int admin_audit_verify(struct vl_call *call, json_t *p, void *userdata)
{
	const char *head = arg_text(p, "head");
	struct authority *a = userdata;
	uint8_t hash[SHA256_BYTES];
	char hex[HEX_SIZE(SHA256_BYTES)];
	struct event_check c;
	int r;

	if (head && hex_decode(head, hash, sizeof(hash)) != SHA256_BYTES)
		return admin_invalid(call, "head", "64 hexadecimal digits are needed");
	r = store_event_verify(a->store, arg_int(p, "after", 0), head ? hash : NULL, VERIFY_ROWS,
			       &c);
	if (r < 0)
		return r;
	hex_encode(c.head, sizeof(c.head), hex);
	return vl_call_reply(call, json_pack("{s:I, s:b, s:b, s:o, s:s}", "checked",
					     (json_int_t)c.checked, "done", c.done, "good", c.good,
					     "firstBad",
					     c.first_bad ? json_integer(c.first_bad) : json_null(),
					     "head", hex));
}

/* --- test --- */

static void chain_free(struct cert *(*chain)[LIMIT_CHAIN_CERTS])
{
	for (size_t i = 0; i < LIMIT_CHAIN_CERTS; i++)
		cert_free((*chain)[i]);
}

static json_t *test_json(const struct verdict *v, const struct gather *g)
{
	json_t *detail = verdict_json(v);
	json_t *reply = json_pack("{s:b, s:s, s:s?, s:O}", "allowed", v->allowed, "reason",
				  reason_name(v->reason), "identity",
				  g->has_owner ? g->owner.identity_name : NULL, "checks",
				  json_object_get(detail, "checks"));

	json_decref(detail);
	return reply;
}

int admin_test_login(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(chain_free) struct cert *chain[LIMIT_CHAIN_CERTS] = { 0 };
	const char *account = arg_text(p, "account"), *service = arg_text(p, "service"),
		   *via = arg_text(p, "via");
	enum service_via through = VIA_LOCAL;
	struct authority *a = userdata;
	struct verdict v;
	struct gather g;
	json_t *text;
	size_t i;
	int r;

	if (!account_name_ok(account) || !service_name_ok(service))
		return admin_invalid(call, account_name_ok(account) ? "service" : "account",
				     "not a name");
	if (via && (service_via_parse(via, &through) < 0 || through == VIA_ANY))
		return admin_invalid(call, "via", "one of local, network");
	if (json_array_size(json_object_get(p, "chain")) == 0)
		return admin_invalid(call, "chain", "a certificate is needed");
	json_array_foreach(json_object_get(p, "chain"), i, text)
	{
		r = admin_certificate(call, "chain", json_string_value(text), &chain[i]);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	r = gather_facts(a, (const struct cert *const *)chain, i, account, service,
			 arg_int(p, "at", authority_now(a)), &g);
	if (r == 0) {
		g.facts.proven = true;
		g.facts.via = through;
		decide(&g.facts, &v);
		r = vl_call_reply(call, test_json(&v, &g));
	}
	gather_deinit(&g);
	return r;
}

/* --- status, backup --- */

int admin_status(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const struct cert *host = signer_cert(a->signer);
	char pin[BASE64_SIZE(SHA256_BYTES)];
	struct store_counts n;
	json_t *status;
	int r = store_counts(a->store, &n);

	if (r < 0)
		return r;
	base64_encode(host->spki_sha256, SHA256_BYTES, pin);
	status = json_pack("{s:s, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "version",
			   PACKAGE_VERSION, "started", (json_int_t)a->started, "pid", (int)getpid(),
			   "identities", (json_int_t)n.identities, "certificates",
			   (json_int_t)n.certificates, "anchors", (json_int_t)n.anchors, "sessions",
			   (json_int_t)n.sessions_open, "events", (json_int_t)n.events,
			   "databaseBytes", (json_int_t)n.bytes);
	(void)json_object_update_new(
		status,
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s, s:I, s:I}",
			  "allowed", (json_int_t)a->logins_allowed, "denied",
			  (json_int_t)a->logins_denied, "proofs", (json_int_t)a->proofs,
			  "violations", (json_int_t)a->link_violations, "logins",
			  (json_int_t)logins_count(a->logins), "localGates",
			  (json_int_t)links_count(a->links, VIA_LOCAL), "networkGates",
			  (json_int_t)links_count(a->links, VIA_NETWORK), "remembered",
			  (json_int_t)trust_cache_size(a->cache), "ballastReleased",
			  store_ballast_released(a->store), "writable", !a->commit_failed, "pin",
			  pin, "now", (json_int_t)authority_now(a), "revision",
			  (json_int_t)store_revision(a->store)));
	return vl_call_reply(call, json_pack("{s:o}", "status", status));
}

int admin_backup(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	time_t now = (time_t)(clock_realtime(a->clock) / 1000000);
	char path[512], when[32];
	int64_t bytes;
	struct tm tm;
	int r;

	(void)strftime(when, sizeof(when), "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
	if ((size_t)snprintf(path, sizeof(path), "%s/%s-%ld.db", a->backup_dir, when,
			     (long)(clock_realtime(a->clock) % 1000000)) >= sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(a->backup_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* what waits for a commit gets its answer from it, not from the backup's own */
	turn_commit(a->turn);
	r = store_backup(a->store, path, &bytes);
	if (r < 0)
		return r;
	return admin_done(a, call, "admin.backup", "",
			  json_pack("{s:s, s:I}", "path", path, "bytes", (json_int_t)bytes),
			  json_pack("{s:s, s:I}", "path", path, "bytes", (json_int_t)bytes));
}
