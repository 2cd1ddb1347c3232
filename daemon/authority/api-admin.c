// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/api-admin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"

#define INTERFACE "org.certlogin.Admin"

/* --- who --- */

unsigned admin_roles(const struct roles *roles, uid_t uid, const gid_t *groups, size_t n)
{
	unsigned mask = uid == 0 ? ROLE_ROOT : 0;

	/* it reads what strangers send, and is in the group audit to reach the socket, no more */
	if (uid == roles->fetch && uid != 0 && uid != (uid_t)-1)
		return ROLE_FETCH;
	for (size_t i = 0; i < n; i++) {
		if (groups[i] == (gid_t)-1) /* what a group that does not exist was resolved to */
			continue;
		mask |= groups[i] == roles->admin ? ROLE_ADMIN : 0;
		mask |= groups[i] == roles->audit ? ROLE_AUDIT : 0;
	}
	return mask;
}

/* The peer's groups when it connected, its own first; an array that the caller frees. */
static int peer_groups(const struct vl_conn *conn, gid_t **ret, size_t *ret_n)
{
	_cleanup_(freep) gid_t *groups = malloc(sizeof(*groups));
	socklen_t bytes = 0;

	for (;;) {
		if (!groups)
			return -ENOMEM;
		if (getsockopt(vl_conn_fd(conn), SOL_SOCKET, SO_PEERGROUPS, groups + 1, &bytes) ==
		    0)
			break;
		if (errno != ERANGE)
			return -errno;
		free(STEAL(groups));
		groups = malloc(sizeof(*groups) + bytes);
	}
	groups[0] = vl_conn_peer(conn)->gid;
	*ret = STEAL(groups);
	*ret_n = 1 + bytes / sizeof(**ret);
	return 0;
}

bool api_admin_authorize(struct vl_call *call, const struct vl_method *method, void *userdata)
{
	const struct authority *a = userdata;
	const struct vl_conn *conn = vl_call_conn(call);
	_cleanup_(freep) gid_t *groups = NULL;
	size_t n = 0;

	if (peer_groups(conn, &groups, &n) < 0)
		return false;
	return method->roles & admin_roles(&a->roles, vl_conn_peer(conn)->uid, groups, n);
}

bool admin_is_root(struct vl_call *call)
{
	return vl_conn_peer(vl_call_conn(call))->uid == 0;
}

/* --- parameters --- */

const char *admin_text(const json_t *parameters, const char *name)
{
	return json_string_value(json_object_get(parameters, name));
}

int64_t admin_int(const json_t *parameters, const char *name, int64_t fallback)
{
	const json_t *v = json_object_get(parameters, name);

	return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool admin_bool(const json_t *parameters, const char *name, bool fallback)
{
	const json_t *v = json_object_get(parameters, name);

	return json_is_boolean(v) ? json_is_true(v) : fallback;
}

bool admin_window(const json_t *parameters, int64_t *ret_from, int64_t *ret_until)
{
	int64_t from = admin_int(parameters, "notBefore", 0);
	int64_t until = admin_int(parameters, "notAfter", STORE_FOREVER);

	if (from < 0 || until < from)
		return false;
	*ret_from = from;
	*ret_until = until;
	return true;
}

bool admin_limit(const json_t *parameters, size_t *ret)
{
	int64_t limit = admin_int(parameters, "limit", LIMIT_LIST_ROWS);

	if (limit < 1)
		return false;
	*ret = limit < LIMIT_LIST_ROWS ? (size_t)limit : LIMIT_LIST_ROWS;
	return true;
}

int admin_hash(const char *hex, uint8_t ret[SHA256_BYTES])
{
	return hex_decode(hex, ret, SHA256_BYTES) == SHA256_BYTES ? 0 : -EBADMSG;
}

int admin_certificate(const char *base64, struct cert **ret, const char **ret_why)
{
	_cleanup_(freep) uint8_t *der = NULL;
	size_t n;
	int r = base64_decode_new(base64, strlen(base64), &der, &n);

	if (r < 0) {
		*ret_why = "it is not base64";
		return r;
	}
	r = cert_parse(der, n, ret);
	if (r == -EBADMSG)
		*ret_why = "it is not an X.509 certificate in DER";
	return r;
}

/* --- answers --- */

int admin_denied(struct vl_call *call)
{
	return vl_call_error(call, "org.varlink.service.PermissionDenied", NULL);
}

int admin_exists(struct vl_call *call, const char *what)
{
	return vl_call_error(call, INTERFACE ".Exists", json_pack("{s:s}", "what", what));
}

int admin_invalid(struct vl_call *call, const char *field, const char *why)
{
	return vl_call_error(call, INTERFACE ".InvalidValue",
			     json_pack("{s:s, s:s}", "field", field, "why", why));
}

int admin_refused(struct vl_call *call, const char *what, const char *why)
{
	return vl_call_error(call, INTERFACE ".Refused",
			     json_pack("{s:s, s:s}", "what", what, "why", why));
}

int admin_fail(struct vl_call *call, int error, const char *what)
{
	switch (error) {
	case -ENOENT:
		return vl_call_error(call, INTERFACE ".NotFound", json_pack("{s:s}", "what", what));
	case -EEXIST:
		return admin_exists(call, what);
	case -EBUSY:
		return vl_call_error(
			call, INTERFACE ".InUse",
			json_pack("{s:s, s:s}", "what", what, "why", "something still needs it"));
	default:
		return error;
	}
}

int admin_reply(struct authority *a, struct vl_call *call, json_t *reply)
{
	if (!reply)
		return -ENOMEM;
	return store_dirty(a->store) ? turn_reply(a->turn, call, reply)
				     : vl_call_reply(call, reply);
}

/* --- changes --- */

static int append_event(struct authority *a, struct vl_call *call, const struct admin_change *c)
{
	_cleanup_(freep) char *detail = json_dumps(c->detail, JSON_COMPACT);
	struct event e = { .kind = c->kind,
			   .identity = c->identity,
			   .account = c->account,
			   .service = c->service,
			   .detail = detail };
	char source[32];

	if (!detail || !c->reply)
		return -ENOMEM;
	(void)snprintf(source, sizeof(source), "uid %" PRIu32,
		       vl_conn_peer(vl_call_conn(call))->uid);
	e.source = source;
	if (c->certificate) {
		memcpy(e.certificate, c->certificate, SHA256_BYTES);
		e.has_certificate = true;
	}
	return store_event_append(a->store, &e, NULL);
}

struct trust_reply {
	struct authority *a;
	int (*changed)(struct authority *a);
	struct vl_call *call;
	json_t *reply;
};

static void trust_after(void *userdata, int r)
{
	struct trust_reply *t = userdata;

	if (r == 0) {
		r = t->changed(t->a);
		if (r < 0)
			log_error("what is trusted cannot be read, nobody is until it can: %s",
				  strerror(-r));
	}
	if (r < 0) {
		json_decref(t->reply);
		(void)vl_call_error_errno(t->call, r);
	} else {
		(void)vl_call_reply(t->call, t->reply);
	}
	free(t);
}

static int reply_trust(struct authority *a, struct vl_call *call, json_t *reply,
		       int (*changed)(struct authority *a))
{
	struct trust_reply *t = malloc(sizeof(*t));
	int r = -ENOMEM;

	if (t) {
		*t = (struct trust_reply){ a, changed, vl_call_ref(call), reply };
		r = turn_defer(a->turn, trust_after, t);
		if (r < 0)
			vl_call_drop(call);
	}
	if (r < 0) {
		json_decref(reply);
		free(t);
	}
	return r;
}

int admin_finish(struct authority *a, struct vl_call *call, int result,
		 const struct admin_change *change)
{
	int r = result;

	if (r == 0)
		r = append_event(a, call, change);
	r = store_change_end(a->store, r);
	json_decref(change->detail);
	if (r < 0) {
		json_decref(change->reply);
		(void)turn_kick(a->turn); /* the transaction is open, and nobody waits for it */
		return admin_fail(call, r, change->what);
	}
	return change->changed ? reply_trust(a, call, change->reply, change->changed)
			       : turn_reply(a->turn, call, change->reply);
}

/* --- rows --- */

#define ROWS_BYTES (LIMIT_VARLINK_BYTES - 4096) /* in one answer, beside what is around them */

json_t *admin_rows(const struct admin_list *l, bool *ret_more)
{
	size_t n = l->limit && l->limit < l->n ? l->limit : l->n, bytes = 0, i;
	json_t *rows = json_array();

	for (i = 0; i < n; i++) {
		size_t at = l->newest ? l->n - 1 - i : i;
		json_t *row = l->to_json((const uint8_t *)l->rows + at * l->size);

		bytes += row ? json_dumpb(row, NULL, 0, JSON_COMPACT) + 1 : 0;
		if (row && bytes > ROWS_BYTES && i > 0) {
			json_decref(row);
			break;
		}
		/* takes row also when it fails, as it does without one */
		if (json_array_insert_new(rows, l->newest ? 0 : i, row) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	*ret_more = i < l->n;
	return rows;
}

int admin_reply_list(struct authority *a, struct vl_call *call, const struct admin_list *list)
{
	bool more;
	json_t *rows = admin_rows(list, &more);

	if (!rows)
		return -ENOMEM;
	if (list->limit)
		return admin_reply(a, call,
				   json_pack("{s:o, s:b}", list->name, rows, "more", more));
	if (more) { /* a part must not look like the whole */
		json_decref(rows);
		return -EMSGSIZE;
	}
	return admin_reply(a, call, json_pack("{s:o}", list->name, rows));
}

/* --- the interface --- */

#define READS (ROLE_ROOT | ROLE_ADMIN | ROLE_AUDIT)
#define CHANGES (ROLE_ROOT | ROLE_ADMIN)
#define WIDENS ROLE_ROOT
#define FETCHES (ROLE_ROOT | ROLE_FETCH)
#define UPLOADS (CHANGES | ROLE_FETCH)

#define FIELDS(...) ((const struct vl_field[]){ __VA_ARGS__, { NULL, VL_STRING, false, 0 } })
#define NO_FIELDS ((const struct vl_field[]){ { NULL, VL_STRING, false, 0 } })
#define NEED(name, type, max)                                                                      \
	{                                                                                          \
		name, type, false, max                                                             \
	}
#define MAY(name, type, max)                                                                       \
	{                                                                                          \
		name, type, true, max                                                              \
	}
#define CERTIFICATE_TEXT (BASE64_SIZE(LIMIT_CERT_BYTES) - 1)
#define OCSP_TEXT (BASE64_SIZE(LIMIT_OCSP_BYTES) - 1)
#define HASH_TEXT (HEX_SIZE(SHA256_BYTES) - 1)
#define UIDS_TEXT (sizeof(((struct service_row *)NULL)->redeem_uids) - 1)
/* clang-format off */
static const struct vl_method methods[] = {
	{ "Status", admin_status, NO_FIELDS, READS },

	{ "AddIdentity", admin_add_identity, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY), MAY("fullName", VL_STRING, LIMIT_REASON),
		MAY("notBefore", VL_INT, 0), MAY("notAfter", VL_INT, 0)), CHANGES },
	{ "GetIdentity", admin_get_identity, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY)), READS },
	{ "ListIdentities", admin_list_identities, FIELDS(
		MAY("after", VL_STRING, LIMIT_IDENTITY), MAY("limit", VL_INT, 0)), READS },
	{ "SetIdentityEnabled", admin_set_identity_enabled, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY), NEED("enabled", VL_BOOL, 0),
		MAY("reason", VL_STRING, LIMIT_REASON)), CHANGES },
	{ "RemoveIdentity", admin_remove_identity, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY)), CHANGES },

	{ "Enroll", admin_enroll, FIELDS(
		NEED("identity", VL_STRING, LIMIT_IDENTITY),
		NEED("certificate", VL_STRING, CERTIFICATE_TEXT)), CHANGES },
	{ "Unenroll", admin_unenroll, FIELDS(
		NEED("sha256", VL_STRING, HASH_TEXT)), CHANGES },
	{ "ListCertificates", admin_list_certificates, FIELDS(
		MAY("identity", VL_STRING, LIMIT_IDENTITY), MAY("after", VL_STRING, HASH_TEXT),
		MAY("limit", VL_INT, 0)), READS },

	{ "AllowAccess", admin_allow_access, FIELDS(
		NEED("identity", VL_STRING, LIMIT_IDENTITY), NEED("account", VL_STRING, LIMIT_ACCOUNT),
		NEED("service", VL_STRING, LIMIT_SERVICE), MAY("notBefore", VL_INT, 0),
		MAY("notAfter", VL_INT, 0)), CHANGES },
	{ "DenyAccess", admin_deny_access, FIELDS(
		NEED("identity", VL_STRING, LIMIT_IDENTITY), NEED("account", VL_STRING, LIMIT_ACCOUNT),
		NEED("service", VL_STRING, LIMIT_SERVICE)), CHANGES },
	{ "ListAccess", admin_list_access, FIELDS(
		MAY("identity", VL_STRING, LIMIT_IDENTITY)), READS },

	{ "SetService", admin_set_service, FIELDS(
		NEED("name", VL_STRING, LIMIT_SERVICE), NEED("class", VL_STRING, LIMIT_SERVICE),
		MAY("redeemUids", VL_STRING, UIDS_TEXT), MAY("via", VL_STRING, LIMIT_SERVICE),
		MAY("loose", VL_BOOL, 0), MAY("console", VL_BOOL, 0)), WIDENS },
	{ "RemoveService", admin_remove_service, FIELDS(
		NEED("name", VL_STRING, LIMIT_SERVICE)), WIDENS },
	{ "ListServices", admin_list_services, NO_FIELDS, READS },

	{ "AddAnchor", admin_add_anchor, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY),
		MAY("certificate", VL_STRING, CERTIFICATE_TEXT), MAY("kind", VL_STRING, LIMIT_SERVICE),
		MAY("key", VL_STRING, CERTIFICATE_TEXT)), WIDENS },
	{ "SetAnchor", admin_set_anchor, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY), NEED("policy", VL_OBJECT, 0)), WIDENS },
	{ "RemoveAnchor", admin_remove_anchor, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY)), WIDENS },
	{ "ListAnchors", admin_list_anchors, NO_FIELDS, READS },

	{ "ListCrls", admin_list_crls, NO_FIELDS, READS },
	{ "BeginCrl", admin_begin_crl, FIELDS(
		NEED("bytes", VL_INT, 0), MAY("anchor", VL_STRING, LIMIT_IDENTITY),
		MAY("source", VL_STRING, LIMIT_URL), MAY("signers", VL_STRINGS, LIMIT_CRL_SIGNERS)),
		UPLOADS },
	{ "PutCrl", admin_put_crl, FIELDS(
		NEED("import", VL_INT, 0), NEED("data", VL_STRING, BASE64_SIZE(LIMIT_CRL_PIECE) - 1)),
		UPLOADS },
	{ "ApplyCrl", admin_apply_crl, FIELDS(NEED("import", VL_INT, 0)), UPLOADS },
	{ "ForgetCrl", admin_forget_crl, FIELDS(
		NEED("anchor", VL_STRING, LIMIT_IDENTITY), MAY("issuer", VL_STRING, 511)), WIDENS },
	{ "ImportOcsp", admin_import_ocsp, FIELDS(
		NEED("response", VL_STRING, OCSP_TEXT), NEED("certificate", VL_STRING, CERTIFICATE_TEXT),
		NEED("issuer", VL_STRING, CERTIFICATE_TEXT), MAY("source", VL_STRING, LIMIT_OCSP_SOURCE)),
		UPLOADS },
	{ "ListOcsp", admin_list_ocsp, FIELDS(
		MAY("after", VL_INT, 0), MAY("limit", VL_INT, 0)), READS },
	{ "AddRule", admin_add_rule, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY), NEED("anchor", VL_STRING, LIMIT_IDENTITY),
		NEED("match", VL_STRING, LIMIT_RULE_BYTES), NEED("yield", VL_STRING, LIMIT_YIELD_BYTES),
		MAY("domains", VL_STRINGS, LIMIT_RULE_DOMAINS), MAY("continue", VL_BOOL, 0),
		MAY("createIdentities", VL_BOOL, 0), MAY("position", VL_INT, 0)), WIDENS },
	{ "RemoveRule", admin_remove_rule, FIELDS(
		NEED("name", VL_STRING, LIMIT_IDENTITY)), WIDENS },
	{ "ListRules", admin_list_rules, NO_FIELDS, READS },
	{ "TestRule", admin_test_rule, FIELDS(
		NEED("chain", VL_STRINGS, LIMIT_CHAIN_CERTS)), READS },
	{ "AddSource", admin_add_source, FIELDS(
		NEED("url", VL_STRING, LIMIT_URL), NEED("anchor", VL_STRING, LIMIT_IDENTITY)), CHANGES },
	{ "RemoveSource", admin_remove_source, FIELDS(NEED("url", VL_STRING, LIMIT_URL)), CHANGES },
	{ "ListSources", admin_list_sources, NO_FIELDS, READS },
	{ "SetFetch", admin_set_fetch, FIELDS(NEED("fromCertificates", VL_BOOL, 0)), CHANGES },
	{ "ListFetchJobs", admin_list_fetch_jobs, FIELDS(MAY("after", VL_STRING, HASH_TEXT)), FETCHES },
	{ "ReportFetch", admin_report_fetch, FIELDS(
		NEED("kind", VL_STRING, LIMIT_SERVICE), NEED("url", VL_STRING, LIMIT_URL),
		MAY("error", VL_STRING, LIMIT_REASON)), FETCHES },

	{ "ListSessions", admin_list_sessions, FIELDS(
		MAY("all", VL_BOOL, 0), MAY("after", VL_INT, 0), MAY("limit", VL_INT, 0)), READS },
	{ "GetSession", admin_get_session, FIELDS(NEED("id", VL_INT, 0)), READS },

	{ "ListEvents", admin_list_events, FIELDS(
		MAY("after", VL_INT, 0), MAY("limit", VL_INT, 0), MAY("last", VL_INT, 0),
		MAY("kind", VL_STRING, LIMIT_SERVICE), MAY("identity", VL_STRING, LIMIT_IDENTITY),
		MAY("account", VL_STRING, LIMIT_ACCOUNT), MAY("verdict", VL_STRING, LIMIT_SERVICE)),
		READS },
	{ "GetEvent", admin_get_event, FIELDS(NEED("id", VL_INT, 0)), READS },
	{ "VerifyAudit", admin_verify_audit, FIELDS(
		MAY("after", VL_INT, 0), MAY("head", VL_STRING, HASH_TEXT)), READS },

	{ "TestLogin", admin_test_login, FIELDS(
		NEED("chain", VL_STRINGS, LIMIT_CHAIN_CERTS), NEED("account", VL_STRING, LIMIT_ACCOUNT),
		NEED("service", VL_STRING, LIMIT_SERVICE), MAY("at", VL_INT, 0),
		MAY("via", VL_STRING, LIMIT_SERVICE)), READS },
	{ "Backup", admin_backup, NO_FIELDS, WIDENS },
	{ NULL, NULL, NULL, 0 },
};
/* clang-format on */

const struct vl_interface api_admin = {
	.name = INTERFACE,
	.description =
#include "schema/api/org.certlogin.Admin.varlink.inc"
		,
	.methods = methods,
};
