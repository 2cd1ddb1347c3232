// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "daemon/authority/warnings.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"
#include "lib/varlink/codec.h"

/* Sessions, events, and what the daemon says of itself. */

#define VERIFY_ROWS 5000 /* a slice: milliseconds, so that no login waits for an audit */

static json_t *session_json(const void *row)
{
	const struct session *s = row;
	char certificate[HEX_SIZE(SHA256_BYTES)];
	json_t *json;

	hex_encode(s->certificate, SHA256_BYTES, certificate);
	json = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id",
			 (json_int_t)s->id, "loginId", s->login_id, "identity", s->identity,
			 "certificate", certificate, "accountAuth", s->account_auth, "accountNow",
			 s->account_now, "service", s->service, "tty", s->tty, "rhost", s->rhost,
			 "pid", (json_int_t)s->pid, "opened", (json_int_t)s->opened);
	if (json && s->closed &&
	    (json_object_set_new(json, "closed", json_integer(s->closed)) < 0 ||
	     json_object_set_new(json, "ended", json_string(s->ended)) < 0)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

int admin_list_sessions(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(freep) struct session *rows = NULL;
	struct admin_list list = { .name = "sessions",
				   .size = sizeof(*rows),
				   .to_json = session_json };
	int r;

	if (!admin_limit(p, &list.limit))
		return admin_invalid(call, "limit", "it is less than 1");
	r = store_session_list(a->store, admin_bool(p, "all", false), admin_int(p, "after", 0),
			       list.limit + 1, &rows, &list.n);
	if (r < 0)
		return r;
	list.rows = rows;
	return admin_reply_list(a, call, &list);
}

int admin_get_session(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct session session;
	int r = store_session_get(a->store, admin_int(p, "id", 0), &session);

	if (r < 0)
		return admin_fail(call, r, "session");
	return admin_reply(a, call, json_pack("{s:o}", "session", session_json(&session)));
}

/* --- events --- */

static void uuid_text(const uint8_t uuid[16], char ret[37])
{
	char hex[HEX_SIZE(16)];

	hex_encode(uuid, 16, hex);
	(void)snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
}

/* What cannot be read is shown as text: a row of the audit is never left out. */
static json_t *detail_json(const char *text)
{
	json_t *json;

	if (vl_json_parse(text, strlen(text), &json) == 0)
		return json;
	return json_pack("{s:s}", "text", text);
}

static json_t *event_json(const void *row)
{
	const struct event *e = row;
	char certificate[HEX_SIZE(SHA256_BYTES)] = "", uuid[37];

	if (e->has_certificate)
		hex_encode(e->certificate, SHA256_BYTES, certificate);
	uuid_text(e->uuid, uuid);
	return json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "id",
			 (json_int_t)e->id, "uuid", uuid, "time", (json_int_t)e->time, "kind",
			 e->kind, "verdict", e->verdict, "reason", e->reason, "identity",
			 e->identity, "certificate", certificate, "account", e->account, "service",
			 e->service, "loginId", e->login_id, "source", e->source, "detail",
			 detail_json(e->detail));
}

int admin_list_events(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct event_filter filter = { .after = admin_int(p, "after", 0),
				       .kind = admin_text(p, "kind"),
				       .identity = admin_text(p, "identity"),
				       .account = admin_text(p, "account"),
				       .verdict = admin_text(p, "verdict") };
	struct admin_list list = { .name = "events",
				   .size = sizeof(struct event),
				   .to_json = event_json };
	int64_t last = admin_int(p, "last", 0);
	struct event *rows;
	int r;

	if (!admin_limit(p, &list.limit))
		return admin_invalid(call, "limit", "it is less than 1");
	if (last < 0)
		return admin_invalid(call, "last", "it is less than 0");
	list.newest = last > 0;
	if (list.newest && last < (int64_t)list.limit)
		list.limit = (size_t)last;
	/* one more than asked for tells whether there is more; of the last there is none */
	filter.limit = list.limit + !list.newest;
	filter.last = list.newest ? list.limit : 0;
	r = store_event_list(a->store, &filter, &rows, &list.n);
	if (r < 0)
		return r;
	list.rows = rows;
	r = admin_reply_list(a, call, &list);
	events_free(rows, list.n);
	return r;
}

int admin_get_event(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct event event;
	json_t *reply;
	int r = store_event_get(a->store, admin_int(p, "id", 0), &event);

	if (r < 0)
		return admin_fail(call, r, "event");
	reply = json_pack("{s:o}", "event", event_json(&event));
	event_deinit(&event);
	return admin_reply(a, call, reply);
}

int admin_verify_audit(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *head = admin_text(p, "head");
	int64_t after = admin_int(p, "after", 0);
	char hex[HEX_SIZE(SHA256_BYTES)];
	uint8_t hash[SHA256_BYTES];
	struct event_check c;
	json_t *reply;
	int r;

	if (after < 0)
		return admin_invalid(call, "after", "it is less than 0");
	if (head && admin_hash(head, hash) < 0)
		return admin_invalid(call, "head", "it is not 64 hex digits");
	r = store_event_verify(a->store, after, head ? hash : NULL, VERIFY_ROWS, &c);
	if (r < 0)
		return r;
	hex_encode(c.head, SHA256_BYTES, hex);
	reply = json_pack("{s:I, s:b, s:b, s:s}", "checked", (json_int_t)c.checked, "done", c.done,
			  "good", c.good, "head", hex);
	if (reply && !c.good &&
	    json_object_set_new(reply, "firstBad", json_integer(c.first_bad)) < 0) {
		json_decref(reply);
		return -ENOMEM;
	}
	return admin_reply(a, call, reply);
}

/* --- a login that is none --- */

void admin_chain_deinit(struct admin_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		cert_free(c->certs[i]);
}

int admin_chain_read(const json_t *array, struct admin_chain *ret, const char **ret_why)
{
	const json_t *text;
	size_t i;

	*ret_why = "it is empty";
	json_array_foreach(array, i, text) {
		int r = admin_certificate(json_string_value(text), &ret->certs[i], ret_why);

		if (r < 0)
			return r;
		ret->n++;
	}
	return ret->n > 0 ? 0 : -EBADMSG;
}

static json_t *verdict_reply(const struct verdict *v, const struct gather *g)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	json_t *reply;

	buf_put_u8(&text, '{');
	verdict_put(&text, v);
	buf_put_u8(&text, '}');
	reply = text.error ? NULL : json_loadb((const char *)text.p, text.n, 0, NULL);
	if (!reply || json_object_set_new(reply, "allowed", json_boolean(v->allowed)) < 0 ||
	    json_object_set_new(reply, "reason", json_string(reason_name(v->reason))) < 0 ||
	    (g->has_owner &&
	     json_object_set_new(reply, "identity", json_string(g->owner.identity_name)) < 0)) {
		json_decref(reply);
		return NULL;
	}
	return reply;
}

/* The facts of a login whose key holder proves, and whose ticket is made for it, in time. */
static int test_login(struct authority *a, struct vl_call *call, const struct admin_chain *chain,
		      const json_t *p)
{
	enum service_via via = VIA_LOCAL;
	const char *via_text = admin_text(p, "via");
	json_t *reply = NULL;
	struct gather g;
	struct verdict v;
	int r;

	if (via_text && (service_via_parse(via_text, &via) < 0 || via == VIA_ANY))
		return admin_invalid(call, "via", "it is neither local nor network");
	r = gather_facts(a, (const struct cert *const *)chain->certs, chain->n,
			 admin_text(p, "account"), admin_text(p, "service"),
			 admin_int(p, "at", authority_now(a)), &g);
	if (r == 0) {
		g.facts.proven = true;
		g.facts.via = via;
		g.facts.hand_carried = true; /* the ticket has a login id */
		decide(&g.facts, &v);
		reply = verdict_reply(&v, &g);
	}
	gather_deinit(&g);
	return r < 0 ? r : admin_reply(a, call, reply);
}

int admin_test_login(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(admin_chain_deinit) struct admin_chain chain = { 0 };
	const char *why;
	int r;

	if (!account_name_ok(admin_text(p, "account")))
		return admin_invalid(call, "account", "this cannot be the name of an account");
	if (!service_name_ok(admin_text(p, "service")))
		return admin_invalid(call, "service", "this cannot be the name of a service");
	r = admin_chain_read(json_object_get(p, "chain"), &chain, &why);
	if (r < 0)
		return r == -EBADMSG ? admin_invalid(call, "chain", why) : r;
	return test_login(userdata, call, &chain, p);
}

/* --- status --- */

/* SHA-256 of the host key's SubjectPublicKeyInfo, as `certlogin trust --pin` takes it. */
static void pin_text(const struct cert *cert, char ret[7 + BASE64_SIZE(SHA256_BYTES)])
{
	memcpy(ret, "sha256:", 7);
	base64_encode(cert->spki_sha256, SHA256_BYTES, ret + 7);
}

static int64_t clock_floor(struct authority *a)
{
	_cleanup_(freep) char *text = NULL;
	int64_t floor = PACKAGE_DATE * (int64_t)USEC_PER_SEC, saved;

	if (store_setting_get(a->store, "clock_floor", &text) < 0)
		return floor;
	saved = strtoll(text, NULL, 10);
	return saved > floor ? saved : floor;
}

static json_t *status_data(struct authority *a)
{
	uint8_t hash[SHA256_BYTES];
	char head[HEX_SIZE(SHA256_BYTES)];
	struct store_counts c;
	int64_t newest;

	if (store_counts(a->store, &c) < 0)
		return NULL;
	store_event_head(a->store, &newest, hash);
	hex_encode(hash, sizeof(hash), head);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:b}", "identities",
			 (json_int_t)c.identities, "certificates", (json_int_t)c.certificates,
			 "anchors", (json_int_t)c.anchors, "sessionsOpen",
			 (json_int_t)c.sessions_open, "events", (json_int_t)c.events, "newestEvent",
			 (json_int_t)newest, "databaseBytes", (json_int_t)c.bytes, "auditHead",
			 head, "revision", (json_int_t)store_revision(a->store), "ballastReleased",
			 store_ballast_released(a->store));
}

static json_t *status_work(struct authority *a)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "loginsAllowed",
			 (json_int_t)a->logins_allowed, "loginsDenied",
			 (json_int_t)a->logins_denied, "loginsUnderWay",
			 (json_int_t)logins_count(a->logins), "proofs", (json_int_t)a->proofs,
			 "linkViolations", (json_int_t)a->link_violations, "gatesLocal",
			 (json_int_t)links_count(a->links, VIA_LOCAL), "gatesNetwork",
			 (json_int_t)links_count(a->links, VIA_NETWORK), "chainsRemembered",
			 (json_int_t)trust_cache_size(a->cache), "recordsFail", a->commit_failed);
}

static json_t *status_self(struct authority *a)
{
	int64_t now = clock_realtime(a->clock);
	char pin[7 + BASE64_SIZE(SHA256_BYTES)];

	pin_text(signer_cert(a->signer), pin);
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "version", PACKAGE_VERSION, "pid",
			 (json_int_t)getpid(), "started", (json_int_t)a->started, "uptimeSeconds",
			 (json_int_t)((now - a->started) / (int64_t)USEC_PER_SEC), "now",
			 (json_int_t)now, "clockFloor", (json_int_t)clock_floor(a), "hostPin", pin);
}

int admin_status(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	json_t *status = status_self(userdata), *data = status_data(userdata),
	       *work = status_work(userdata);
	int r = 0;

	if (!status || json_object_update(status, work) < 0 ||
	    json_object_update(status, data) < 0 ||
	    json_object_set_new(status, "warnings", warnings_list(userdata)) < 0)
		r = -ENOMEM;
	json_decref(data);
	json_decref(work);
	if (r < 0) {
		json_decref(status);
		return r;
	}
	return admin_reply(userdata, call, json_pack("{s:o}", "status", status));
}

/* --- backup --- */

static int backup_path(const struct authority *a, char ret[PATH_MAX])
{
	int64_t now = clock_realtime(a->clock);
	time_t t = (time_t)(now / (int64_t)USEC_PER_SEC);
	char date[32];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(date, sizeof(date), "%Y%m%dT%H%M%S", &tm) == 0)
		return -ERANGE;
	return snprintf(ret, PATH_MAX, "%s/certlogin-%s.%06" PRId64 "Z.db", a->backup_dir, date,
			now % (int64_t)USEC_PER_SEC) >= PATH_MAX
		       ? -ENAMETOOLONG
		       : 0;
}

int admin_backup(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	char path[PATH_MAX];
	int64_t bytes = 0;
	int r;

	if (mkdir(a->backup_dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* what others wait for is theirs: the store would commit it without telling them */
	turn_commit(a->turn);
	r = backup_path(a, path);
	if (r == 0)
		r = store_backup(a->store, path, &bytes);
	if (r == 0)
		r = store_change_begin(a->store);
	if (r < 0)
		return admin_fail(call, r, "backup");
	return admin_finish(
		a, call, 0,
		&(struct admin_change){
			.kind = "admin.backup",
			.what = "backup",
			.detail = json_pack("{s:s, s:I}", "path", path, "bytes", (json_int_t)bytes),
			.reply = json_pack("{s:s, s:I}", "path", path, "bytes",
					   (json_int_t)bytes) });
}
