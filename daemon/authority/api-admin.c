// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/api-admin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/authority/turn.h"
#include "lib/base/encode.h"

/* --- who may --- */

static bool has_group(const gid_t *groups, size_t n, gid_t gid)
{
	for (size_t i = 0; i < n; i++)
		if (gid != (gid_t)-1 && groups[i] == gid)
			return true;
	return false;
}

bool admin_role_allows(const struct roles *roles, uid_t uid, const gid_t *groups, size_t n,
		       enum admin_role role)
{
	if (uid == 0)
		return true;
	switch (role) {
	case ADMIN_ROOT:
		return false;
	case ADMIN_WRITE:
		return has_group(groups, n, roles->admin);
	case ADMIN_READ:
		return has_group(groups, n, roles->admin) || has_group(groups, n, roles->audit);
	}
	return false;
}

#define MAX_GROUPS 1024

bool api_admin_authorize(struct vl_call *call, const struct vl_method *method, void *userdata)
{
	const struct vl_conn *conn = vl_call_conn(call);
	const struct vl_peer *peer = vl_conn_peer(conn);
	const struct authority *a = userdata;
	gid_t groups[MAX_GROUPS + 1];
	socklen_t n = MAX_GROUPS * sizeof(*groups);

	/* the kernel's own list of the peer: no NSS */
	if (getsockopt(vl_conn_fd(conn), SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
		n = 0;
	n /= sizeof(*groups);
	groups[n++] = peer->gid;
	return admin_role_allows(&a->roles, peer->uid, groups, n, (enum admin_role)method->roles);
}

bool admin_is_root(struct vl_call *call)
{
	return vl_conn_peer(vl_call_conn(call))->uid == 0;
}

/* --- parameters, errors, answers --- */

const char *arg_text(json_t *p, const char *name)
{
	return json_string_value(json_object_get(p, name));
}

int64_t arg_int(json_t *p, const char *name, int64_t otherwise)
{
	const json_t *v = json_object_get(p, name);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool arg_bool(json_t *p, const char *name, bool otherwise)
{
	const json_t *v = json_object_get(p, name);

	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

size_t arg_limit(json_t *p)
{
	int64_t n = arg_int(p, "limit", LIMIT_LIST_ROWS);

	return n < 1 ? 1 : n > LIMIT_LIST_ROWS ? LIMIT_LIST_ROWS : (size_t)n;
}

int admin_not_found(struct vl_call *call, const char *what)
{
	return vl_call_error(call, "org.certlogin.Admin.NotFound",
			     json_pack("{s:s}", "what", what));
}

int admin_exists(struct vl_call *call, const char *what)
{
	return vl_call_error(call, "org.certlogin.Admin.Exists", json_pack("{s:s}", "what", what));
}

int admin_invalid(struct vl_call *call, const char *field, const char *why)
{
	return vl_call_error(call, "org.certlogin.Admin.InvalidValue",
			     json_pack("{s:s, s:s}", "field", field, "why", why));
}

int admin_error(struct vl_call *call, int r, const char *what)
{
	if (r == -ENOENT)
		return admin_not_found(call, what);
	if (r == -EEXIST)
		return admin_exists(call, what);
	return r;
}

int admin_audit(struct authority *a, struct vl_call *call, const char *kind, const char *identity,
		json_t *detail)
{
	_cleanup_(freep) char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	char source[32];

	json_decref(detail);
	if (!text)
		return -ENOMEM;
	(void)snprintf(source, sizeof(source), "uid %u",
		       (unsigned)vl_conn_peer(vl_call_conn(call))->uid);
	return store_event_append(
		a->store,
		&(struct event){
			.kind = kind, .identity = identity, .source = source, .detail = text },
		NULL);
}

int admin_done(struct authority *a, struct vl_call *call, const char *kind, const char *identity,
	       json_t *detail, json_t *reply)
{
	int r = admin_audit(a, call, kind, identity, detail);

	if (r < 0) {
		/* a change without its record must not stand: the whole turn goes */
		store_rollback(a->store);
		json_decref(reply);
		return r;
	}
	return turn_reply(a->turn, call, reply);
}

int admin_certificate(struct vl_call *call, const char *field, const char *text, struct cert **ret)
{
	_cleanup_(freep) uint8_t *der = NULL;
	size_t n;
	int r = base64_decode_new(text, strlen(text), &der, &n);

	if (r == 0)
		r = cert_parse(der, n, ret);
	if (r != -EBADMSG)
		return r;
	r = admin_invalid(call, field, "it is not an X.509 certificate");
	return r < 0 ? r : 1;
}

/* --- the interface --- */

#define NAME                                                                                       \
	{                                                                                          \
		"name", VL_STRING, false, LIMIT_IDENTITY                                           \
	}
#define SERVICE_NAME                                                                               \
	{                                                                                          \
		"name", VL_STRING, false, LIMIT_SERVICE                                            \
	}
#define IDENTITY                                                                                   \
	{                                                                                          \
		"identity", VL_STRING, false, LIMIT_IDENTITY                                       \
	}
#define ACCOUNT                                                                                    \
	{                                                                                          \
		"account", VL_STRING, false, LIMIT_ACCOUNT                                         \
	}
#define SERVICE                                                                                    \
	{                                                                                          \
		"service", VL_STRING, false, LIMIT_SERVICE                                         \
	}
#define CERTIFICATE                                                                                \
	{                                                                                          \
		"certificate", VL_STRING, false, 2 * LIMIT_CERT_BYTES                              \
	}
#define OPT_INT(name)                                                                              \
	{                                                                                          \
		name, VL_INT, true, 0                                                              \
	}
#define OPT_BOOL(name)                                                                             \
	{                                                                                          \
		name, VL_BOOL, true, 0                                                             \
	}
#define OPT_TEXT(name, max)                                                                        \
	{                                                                                          \
		name, VL_STRING, true, max                                                         \
	}
#define FIELDS(...)                                                                                \
	(const struct vl_field[])                                                                  \
	{                                                                                          \
		__VA_ARGS__ __VA_OPT__(, )                                                         \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static const struct vl_method methods[] = {
	{ "Status", admin_status, FIELDS(), ADMIN_READ },

	{ "AddIdentity", admin_identity_add,
	  FIELDS(NAME, OPT_TEXT("fullName", LIMIT_REASON), OPT_INT("notBefore"),
		 OPT_INT("notAfter")),
	  ADMIN_WRITE },
	{ "GetIdentity", admin_identity_get, FIELDS(NAME), ADMIN_READ },
	{ "ListIdentities", admin_identity_list,
	  FIELDS(OPT_TEXT("after", LIMIT_IDENTITY), OPT_INT("limit")), ADMIN_READ },
	{ "SetIdentityEnabled", admin_identity_set_enabled,
	  FIELDS(NAME, { "enabled", VL_BOOL, false, 0 }, OPT_TEXT("reason", LIMIT_REASON)),
	  ADMIN_WRITE },
	{ "RemoveIdentity", admin_identity_remove, FIELDS(NAME), ADMIN_WRITE },

	{ "Enroll", admin_enroll, FIELDS(IDENTITY, CERTIFICATE), ADMIN_WRITE },
	{ "Unenroll", admin_unenroll, FIELDS({ "sha256", VL_STRING, false, 64 }), ADMIN_WRITE },
	{ "ListCertificates", admin_certificate_list,
	  FIELDS(OPT_TEXT("identity", LIMIT_IDENTITY), OPT_TEXT("after", 64), OPT_INT("limit")),
	  ADMIN_READ },

	{ "AllowAccess", admin_access_allow,
	  FIELDS(IDENTITY, ACCOUNT, SERVICE, OPT_INT("notBefore"), OPT_INT("notAfter")),
	  ADMIN_WRITE },
	{ "DenyAccess", admin_access_deny, FIELDS(IDENTITY, ACCOUNT, SERVICE), ADMIN_WRITE },
	{ "ListAccess", admin_access_list, FIELDS(OPT_TEXT("identity", LIMIT_IDENTITY)),
	  ADMIN_READ },

	{ "SetService", admin_service_set,
	  FIELDS(SERVICE_NAME, { "class", VL_STRING, false, 16 }, OPT_TEXT("redeemUids", 255),
		 OPT_TEXT("via", 16), OPT_BOOL("loose"), OPT_BOOL("console")),
	  ADMIN_ROOT },
	{ "RemoveService", admin_service_remove, FIELDS(SERVICE_NAME), ADMIN_ROOT },
	{ "ListServices", admin_service_list, FIELDS(), ADMIN_READ },

	{ "AddAnchor", admin_anchor_add, FIELDS(NAME, CERTIFICATE), ADMIN_ROOT },
	{ "RemoveAnchor", admin_anchor_remove, FIELDS(NAME), ADMIN_ROOT },
	{ "ListAnchors", admin_anchor_list, FIELDS(), ADMIN_READ },

	{ "ListSessions", admin_session_list,
	  FIELDS(OPT_BOOL("all"), OPT_INT("after"), OPT_INT("limit")), ADMIN_READ },
	{ "GetSession", admin_session_get, FIELDS({ "id", VL_INT, false, 0 }), ADMIN_READ },

	{ "ListEvents", admin_event_list,
	  FIELDS(OPT_INT("after"), OPT_INT("limit"), OPT_INT("last"), OPT_TEXT("kind", 64),
		 OPT_TEXT("identity", LIMIT_IDENTITY), OPT_TEXT("account", LIMIT_ACCOUNT),
		 OPT_TEXT("verdict", 8)),
	  ADMIN_READ },
	{ "GetEvent", admin_event_get, FIELDS({ "id", VL_INT, false, 0 }), ADMIN_READ },
	{ "VerifyAudit", admin_audit_verify, FIELDS(OPT_INT("after"), OPT_TEXT("head", 64)),
	  ADMIN_READ },

	{ "TestLogin", admin_test_login,
	  FIELDS({ "chain", VL_STRINGS, false, LIMIT_CHAIN_CERTS }, ACCOUNT, SERVICE, OPT_INT("at"),
		 OPT_TEXT("via", 16)),
	  ADMIN_READ },

	{ "Backup", admin_backup, FIELDS(), ADMIN_ROOT },
	{ 0 },
};

const struct vl_interface api_admin = {
	.name = "org.certlogin.Admin",
	.description =
#include "schema/api/org.certlogin.Admin.varlink.inc"
		,
	.methods = methods,
};
