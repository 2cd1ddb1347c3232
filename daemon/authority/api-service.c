// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/api-service.h"
#include "daemon/authority/limits.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/sessions.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"

#define INVALID_LOGIN "org.certlogin.Service.InvalidLogin"
#define TOO_MANY "org.certlogin.Service.TooMany"

enum { ROLE_ANYBODY, ROLE_ROOT };

bool api_service_authorize(struct vl_call *call, const struct vl_method *method,
			   _unused_ void *userdata)
{
	return method->roles != ROLE_ROOT || vl_conn_peer(vl_call_conn(call))->uid == 0;
}

static const char *text_of(json_t *p, const char *name)
{
	return json_string_value(json_object_get(p, name));
}

static int invalid(struct vl_call *call, const char *parameter)
{
	return vl_call_error(call, "org.varlink.service.InvalidParameter",
			     json_pack("{s:s}", "parameter", parameter));
}

/* The connection remembers its login by id: the login may end on its own. */
struct conn_login {
	uint8_t id[LOGIN_ID_BYTES];
};

static struct login *login_of_conn(struct authority *a, struct vl_conn *conn)
{
	struct conn_login *c = vl_conn_userdata(conn);

	return c ? login_find(a->logins, c->id) : NULL;
}

void api_service_disconnected(struct vl_conn *conn, void *userdata)
{
	struct authority *a = userdata;
	struct login *login = login_of_conn(a, conn);

	if (login && login->state == LOGIN_BEGUN)
		login_end(a->logins, login);
	free(vl_conn_userdata(conn));
	vl_conn_set_userdata(conn, NULL);
}

/* The login of this very connection, still to be redeemed. */
static struct login *begun(struct authority *a, struct vl_call *call, json_t *p)
{
	struct login *login = login_of_conn(a, vl_call_conn(call));
	const char *id = text_of(p, "loginId");

	return login && login->state == LOGIN_BEGUN && strcmp(login->id_text, id) == 0 ? login
										       : NULL;
}

/* A redeemed login, named by the uid that redeemed it; wherever the call comes from. */
static struct login *redeemed(struct authority *a, struct vl_call *call, json_t *p)
{
	uint8_t id[LOGIN_ID_BYTES];
	struct login *login;

	if (login_id_parse(text_of(p, "loginId"), id) < 0)
		return NULL;
	login = login_find(a->logins, id);
	return login && login->state == LOGIN_REDEEMED &&
			       login->uid == vl_conn_peer(vl_call_conn(call))->uid
		       ? login
		       : NULL;
}

/*
 * SO_PEERCRED tells sudo's effective uid.  The kernel also says who started it; the peer is alive,
 * since it waits for this answer.  For people and budgets alone: no right follows from it.
 */
static uid_t real_uid(const struct vl_peer *peer)
{
	char path[32], line[128];
	unsigned uid = peer->uid;
	FILE *f;

	if (peer->uid != 0)
		return peer->uid;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)peer->pid);
	f = fopen(path, "re");
	if (!f)
		return peer->uid;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %u", &uid) == 1)
			break;
	(void)fclose(f);
	return (uid_t)uid;
}

static int begin(struct vl_call *call, json_t *p, void *userdata)
{
	struct vl_conn *conn = vl_call_conn(call);
	const struct vl_peer *peer = vl_conn_peer(conn);
	struct login_request q = { .account = text_of(p, "account"),
				   .service = text_of(p, "service"),
				   .tty = text_of(p, "tty"),
				   .rhost = text_of(p, "rhost"),
				   .uid = peer->uid,
				   .real_uid = real_uid(peer),
				   .pid = peer->pid };
	struct authority *a = userdata;
	struct service_row row = { .class = CLASS_ELEVATE };
	struct conn_login *c = vl_conn_userdata(conn);
	struct login *login;
	int r;

	if (!account_name_ok(q.account))
		return invalid(call, "account");
	if (!service_name_ok(q.service))
		return invalid(call, "service");
	if ((q.tty && !text_ok(q.tty, LIMIT_TTY)) || (q.rhost && !text_ok(q.rhost, LIMIT_RHOST)))
		return invalid(call, q.tty && !text_ok(q.tty, LIMIT_TTY) ? "tty" : "rhost");
	r = store_service_get(a->store, q.service, &row);
	if (r < 0 && r != -ENOENT)
		return r;
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return -ENOMEM;
		vl_conn_set_userdata(conn, c);
	}
	/* one login a connection: a second begin ends the first */
	login = login_find(a->logins, c->id);
	if (login && login->state == LOGIN_BEGUN)
		login_end(a->logins, login);
	r = login_begin(a, &q, &login);
	if (r < 0)
		return r == -EAGAIN ? vl_call_error(call, TOO_MANY, NULL) : r;
	memcpy(c->id, login->id, sizeof(c->id));
	return vl_call_reply(call,
			     json_pack("{s:s, s:s, s:b}", "loginId", login->id_text, "class",
				       service_class_text(row.class), "console", row.console));
}

static json_t *outcome_json(const struct outcome *o)
{
	return json_pack("{s:b, s:I, s:s?}", "allowed", o->allowed, "event", (json_int_t)o->event,
			 "identity", o->allowed ? o->identity : NULL);
}

/* An allow that waits for its record. */
struct waiting_allow {
	struct authority *a;
	struct vl_call *call;
	uint8_t login_id[LOGIN_ID_BYTES];
	json_t *reply;
	int64_t session; /* 0: a redeem */
};

static void allow_after(void *userdata, int r)
{
	struct waiting_allow *w = userdata;
	struct login *login = login_find(w->a->logins, w->login_id);

	if (r == 0 && w->session)
		session_watch(w->a->sessions, w->session);
	else if (r == 0 && login)
		login_redeemed(w->a, login);
	else if (w->session && login)
		login->state = LOGIN_REDEEMED; /* the session was not opened after all */
	if (r < 0) {
		json_decref(w->reply);
		(void)vl_call_error_errno(w->call, r);
	} else {
		(void)vl_call_reply(w->call, w->reply);
	}
	free(w);
}

static int reply_allow(struct authority *a, struct vl_call *call, struct login *login,
		       json_t *reply, int64_t session)
{
	struct waiting_allow *w = calloc(1, sizeof(*w));
	int r;

	if (!w || !reply) {
		free(w);
		json_decref(reply);
		return -ENOMEM;
	}
	*w = (struct waiting_allow){
		.a = a, .call = vl_call_ref(call), .reply = reply, .session = session
	};
	memcpy(w->login_id, login->id, sizeof(w->login_id));
	r = turn_defer(a->turn, allow_after, w);
	if (r < 0) {
		json_decref(reply);
		vl_call_drop(w->call);
		free(w);
	}
	return r;
}

static int redeem(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct login *login = begun(a, call, p);
	const char *text = text_of(p, "ticket");
	uint8_t ticket[TICKET_BYTES];
	struct outcome o;
	int r;

	r = ticket_parse(text, strlen(text), ticket);
	vl_json_wipe(p); /* whatever becomes of it */
	if (!login)
		return vl_call_error(call, INVALID_LOGIN, NULL);
	if (login->tries >= LIMIT_REDEEM_TRIES)
		return vl_call_error(call, TOO_MANY, NULL);
	if (r < 0)
		return invalid(call, "ticket");
	r = login_redeem(a, login, ticket, &o);
	explicit_bzero(ticket, sizeof(ticket));
	if (r < 0)
		return r;
	if (o.allowed)
		return reply_allow(a, call, login, outcome_json(&o), 0);
	return turn_reply_denial(a->turn, call, outcome_json(&o));
}

static int abandon(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct login *login = begun(a, call, p);
	char claimed[LIMIT_REASON + 1];
	int64_t event;
	int r;

	if (!login)
		return vl_call_error(call, INVALID_LOGIN, NULL);
	text_clean(text_of(p, "reason"), strlen(text_of(p, "reason")), claimed, sizeof(claimed));
	r = login_abandon(a, login, claimed, &event);
	if (r < 0)
		return r;
	login_end(a->logins, login);
	return turn_reply_denial(a->turn, call, json_pack("{s:I}", "event", (json_int_t)event));
}

/* Of an account or session: who it is was told when it was redeemed. */
static json_t *still_json(const struct outcome *o)
{
	return json_pack("{s:b, s:I}", "allowed", o->allowed, "event", (json_int_t)o->event);
}

static int refuse_unknown(struct vl_call *call)
{
	return vl_call_reply(call, json_pack("{s:b, s:i}", "allowed", 0, "event", 0));
}

static int check_account(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct login *login = redeemed(a, call, p);
	struct outcome o;
	int r;

	if (!login || strcmp(login->account, text_of(p, "account")) != 0)
		return refuse_unknown(call);
	r = login_recheck(a, login, "login.account", &o);
	if (r < 0)
		return r;
	return o.allowed ? vl_call_reply(call, still_json(&o))
			 : turn_reply_denial(a->turn, call, still_json(&o));
}

/* sudo's account is the caller's at auth and the target's at session; who logs in stays who he was.
 */
static bool session_account_ok(struct authority *a, const struct login *login, const char *account)
{
	struct service_row row;

	if (strcmp(login->account, account) == 0)
		return true;
	return store_service_get(a->store, login->service, &row) == 0 && row.class == CLASS_ELEVATE;
}

static int open_session(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct login *login = redeemed(a, call, p);
	struct session_request q = { .login = login,
				     .account_now = text_of(p, "account"),
				     .tty = text_of(p, "tty"),
				     .rhost = text_of(p, "rhost"),
				     .pid = (pid_t)json_integer_value(json_object_get(p, "pid")) };
	int64_t id, event;
	struct outcome o;
	int r;

	if (!account_name_ok(q.account_now) || q.pid <= 0 ||
	    (q.tty && !text_ok(q.tty, LIMIT_TTY)) || (q.rhost && !text_ok(q.rhost, LIMIT_RHOST)))
		return invalid(call, "account");
	if (!login || !session_account_ok(a, login, q.account_now))
		return refuse_unknown(call);
	r = login_recheck(a, login, "session.open", &o);
	if (r < 0)
		return r;
	if (!o.allowed)
		return turn_reply_denial(a->turn, call, still_json(&o));
	q.identity = o.identity;
	r = session_open(a->sessions, &q, &id, &event);
	if (r < 0)
		return r;
	login->state = LOGIN_OPENED; /* once */
	return reply_allow(a, call, login,
			   json_pack("{s:b, s:I, s:I}", "allowed", 1, "event", (json_int_t)event,
				     "sessionId", (json_int_t)id),
			   id);
}

static int close_session(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	int r = session_close(a->sessions, json_integer_value(json_object_get(p, "sessionId")),
			      "closed");

	if (r < 0 && r != -ENOENT)
		return r;
	return turn_reply(a->turn, call, json_object());
}

static int find_one(struct authority *a, const char *text, json_t *found)
{
	_cleanup_(freep) uint8_t *spki = NULL;
	_cleanup_(certificate_deinit) struct certificate c = { 0 };
	_cleanup_(freep) char *der = NULL;
	uint8_t hash[SHA256_BYTES];
	size_t n;
	int r;

	r = base64_decode_new(text, strlen(text), &spki, &n);
	if (r < 0)
		return r;
	sha256(spki, n, hash);
	r = store_certificate_get_spki(a->store, hash, &c);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	der = base64_encode_new(c.der, c.der_n);
	return der && json_array_append_new(found, json_string(der)) == 0 ? 0 : -ENOMEM;
}

static int find_certificates(struct vl_call *call, json_t *p, void *userdata)
{
	json_t *found = json_array(), *spki;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(p, "spkis"), i, spki)
		if (r == 0)
			r = find_one(userdata, json_string_value(spki), found);
	if (r < 0) {
		json_decref(found);
		return r == -EBADMSG ? invalid(call, "spkis") : r;
	}
	return vl_call_reply(call, json_pack("{s:o}", "certificates", found));
}

#define LOGIN_ID                                                                                   \
	{                                                                                          \
		"loginId", VL_STRING, false, LOGIN_ID_TEXT_SIZE                                    \
	}
#define ACCOUNT                                                                                    \
	{                                                                                          \
		"account", VL_STRING, false, LIMIT_ACCOUNT                                         \
	}
#define TTY                                                                                        \
	{                                                                                          \
		"tty", VL_STRING, true, LIMIT_TTY                                                  \
	}
#define RHOST                                                                                      \
	{                                                                                          \
		"rhost", VL_STRING, true, LIMIT_RHOST                                              \
	}

const struct vl_interface api_service = {
	.name = "org.certlogin.Service",
	.description =
#include "schema/api/org.certlogin.Service.varlink.inc"
		,
	.methods =
		(const struct vl_method[]){
			{ "Begin", begin,
			  (const struct vl_field[]){ ACCOUNT,
						     { "service", VL_STRING, false, LIMIT_SERVICE },
						     TTY,
						     RHOST,
						     { 0 } },
			  ROLE_ANYBODY },
			{ "Redeem", redeem,
			  (const struct vl_field[]){
				  LOGIN_ID,
				  { "ticket", VL_STRING, false, TICKET_TEXT_SIZE },
				  { 0 } },
			  ROLE_ANYBODY },
			{ "Abandon", abandon,
			  (const struct vl_field[]){ LOGIN_ID,
						     { "reason", VL_STRING, false, LIMIT_REASON },
						     { 0 } },
			  ROLE_ANYBODY },
			{ "CheckAccount", check_account,
			  (const struct vl_field[]){ LOGIN_ID, ACCOUNT, { 0 } }, ROLE_ANYBODY },
			{ "OpenSession", open_session,
			  (const struct vl_field[]){ LOGIN_ID,
						     ACCOUNT,
						     { "pid", VL_INT, false, 0 },
						     TTY,
						     RHOST,
						     { 0 } },
			  ROLE_ROOT },
			{ "CloseSession", close_session,
			  (const struct vl_field[]){ { "sessionId", VL_INT, false, 0 }, { 0 } },
			  ROLE_ROOT },
			{ "FindCertificates", find_certificates,
			  (const struct vl_field[]){
				  { "spkis", VL_STRINGS, false, LIMIT_FIND_SPKIS },
				  { 0 } },
			  ROLE_ANYBODY },
			{ 0 },
		},
};
