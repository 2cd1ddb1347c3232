// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/authority/anchor-policy.h"
#include "daemon/authority/api-admin.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"
#include "lib/pki/key.h"

/* Access, services, anchors. */

json_t *access_row_json(const void *row)
{
	const struct access_row *r = row;

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "identity", r->identity, "account",
			 r->account, "service", r->service, "notBefore", (json_int_t)r->not_before,
			 "notAfter", (json_int_t)r->not_after, "created", (json_int_t)r->created);
}

/* Answers what is wrong with the three names: 1; else 0. */
static int refuse_access_names(struct vl_call *call, const json_t *p)
{
	if (!identity_name_ok(admin_text(p, "identity")))
		(void)admin_invalid(call, "identity", "this cannot be the name of an identity");
	else if (!account_name_ok(admin_text(p, "account")))
		(void)admin_invalid(call, "account", "this cannot be the name of an account");
	else if (!service_or_class_ok(admin_text(p, "service")))
		(void)admin_invalid(call, "service",
				    "it is neither a service's name nor @login, @elevate, @app");
	else
		return 0;
	return 1;
}

static void row_of(const json_t *p, struct access_row *ret)
{
	const char *identity = admin_text(p, "identity"), *account = admin_text(p, "account");
	const char *service = admin_text(p, "service");

	/* their lengths were checked with the names */
	memcpy(ret->identity, identity, strlen(identity) + 1);
	memcpy(ret->account, account, strlen(account) + 1);
	memcpy(ret->service, service, strlen(service) + 1);
}

/* The row as the store has it; -ENOENT. */
static int find_row(struct authority *a, struct access_row *row)
{
	_cleanup_(freep) struct access_row *rows = NULL;
	size_t n;
	int r = store_access_list(a->store, row->identity, &rows, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (strcmp(rows[i].account, row->account) == 0 &&
		    strcmp(rows[i].service, row->service) == 0) {
			*row = rows[i];
			return 0;
		}
	return r < 0 ? r : -ENOENT;
}

static int finish_access(struct authority *a, struct vl_call *call, int r,
			 const struct access_row *row, bool allow)
{
	return admin_finish(
		a, call, r,
		&(struct admin_change){
			.kind = allow ? "admin.access.allow" : "admin.access.deny",
			.what = allow ? "identity" : "access",
			.identity = row->identity,
			.account = row->account,
			.service = row->service,
			.detail = json_pack("{s:I, s:I}", "notBefore", (json_int_t)row->not_before,
					    "notAfter", (json_int_t)row->not_after),
			.reply = allow ? json_pack("{s:o}", "access", access_row_json(row))
				       : json_object() });
}

int admin_allow_access(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct access_row row = { 0 };
	int r;

	/* uid 0 is root's to give, before anything else is said about the call */
	if (strcmp(admin_text(p, "account"), ACCOUNT_ROOT) == 0 && !admin_is_root(call))
		return admin_denied(call);
	if (refuse_access_names(call, p))
		return 0;
	if (!admin_window(p, &row.not_before, &row.not_after))
		return admin_invalid(call, "notAfter", "it is before notBefore, or before 1970");
	row_of(p, &row);
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_access_allow(a->store, &row);
	if (r == 0)
		r = find_row(a, &row);
	return finish_access(a, call, r, &row, true);
}

int admin_deny_access(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct access_row row = { 0 };
	int r;

	if (refuse_access_names(call, p))
		return 0;
	row_of(p, &row);
	r = find_row(a, &row);
	if (r == 0)
		r = store_change_begin(a->store);
	if (r < 0)
		return admin_fail(call, r, "access");
	r = store_access_deny(a->store, row.identity, row.account, row.service);
	return finish_access(a, call, r, &row, false);
}

int admin_list_access(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *identity = admin_text(p, "identity");
	_cleanup_(freep) struct access_row *rows = NULL;
	struct admin_list list = { .name = "access",
				   .size = sizeof(*rows),
				   .to_json = access_row_json };
	struct identity known;
	int r = identity ? store_identity_get(a->store, identity, &known) : 0;

	if (r == 0)
		r = store_access_list(a->store, identity, &rows, &list.n);
	if (r < 0)
		return admin_fail(call, r, "identity");
	list.rows = rows;
	r = admin_reply_list(a, call, &list);
	return r == -EMSGSIZE && !identity
		       ? admin_invalid(call, "identity",
				       "there are too many rows: name an identity")
		       : r;
}

/* --- services --- */

static json_t *service_json(const void *row)
{
	const struct service_row *s = row;

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "name", s->name, "class",
			 service_class_text(s->class), "redeemUids", s->redeem_uids, "via",
			 service_via_text(s->via), "loose", s->loose, "console", s->console);
}

/*
 * What a call does not say stays as it is, as long as the class does; else it is what a new row
 * gets: root alone redeems, and where a stranger elsewhere must not reach, the local gate.
 */
static int service_defaults(struct authority *a, const json_t *p, struct service_row *ret)
{
	const char *name = admin_text(p, "name");
	struct service_row old;
	int r = store_service_get(a->store, name, &old);

	if (r == 0 && old.class == ret->class) {
		*ret = old;
		return 0;
	}
	memcpy(ret->name, name, strlen(name) + 1);
	strcpy(ret->redeem_uids, "0");
	ret->via = ret->class == CLASS_ELEVATE || admin_bool(p, "console", false) ? VIA_LOCAL
										  : VIA_ANY;
	return r == -ENOENT ? 0 : r;
}

/* Answers what cannot be so: 1; else 0 with *ret filled, or -errno. */
static int service_of(struct authority *a, struct vl_call *call, const json_t *p,
		      struct service_row *ret)
{
	const char *uids = admin_text(p, "redeemUids"), *via = admin_text(p, "via"), *why = NULL,
		   *field = NULL;
	int r;

	if (!service_name_ok(admin_text(p, "name")))
		field = "name", why = "this cannot be the name of a service";
	else if (service_class_parse(admin_text(p, "class"), &ret->class) < 0)
		field = "class", why = "it is none of login, elevate, app";
	else if (uids && !service_uids_ok(uids))
		field = "redeemUids",
		why = "it is neither \"any\" nor uids like \"0\" or \"0,113\"";
	if (field)
		return admin_invalid(call, field, why) < 0 ? -EIO : 1;
	r = service_defaults(a, p, ret);
	if (r < 0)
		return r;
	if (via && service_via_parse(via, &ret->via) < 0)
		return admin_invalid(call, "via", "it is none of local, network, any") < 0 ? -EIO
											   : 1;
	if (uids)
		memcpy(ret->redeem_uids, uids, strlen(uids) + 1);
	ret->loose = admin_bool(p, "loose", ret->loose);
	ret->console = admin_bool(p, "console", ret->console);
	if (ret->loose && ret->class == CLASS_ELEVATE)
		field = "loose", why = "what elevates takes no ticket that was made for no login";
	else if (ret->console && ret->class != CLASS_LOGIN)
		field = "console", why = "only a service of class login can be one";
	if (field)
		return admin_invalid(call, field, why) < 0 ? -EIO : 1;
	return 0;
}

static int finish_service(struct authority *a, struct vl_call *call, int r,
			  const struct service_row *row, bool set)
{
	return admin_finish(a, call, r,
			    &(struct admin_change){
				    .kind = set ? "admin.service.set" : "admin.service.remove",
				    .what = "service",
				    .service = row->name,
				    .detail = service_json(row),
				    .reply = set ? json_pack("{s:o}", "service", service_json(row))
						 : json_object() });
}

int admin_set_service(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct service_row row = { 0 };
	int r;

	r = service_of(a, call, p, &row);
	if (r != 0)
		return r < 0 ? r : 0;
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	return finish_service(a, call, store_service_set(a->store, &row), &row, true);
}

int admin_remove_service(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct service_row row;
	int r;

	r = store_service_get(a->store, admin_text(p, "name"), &row);
	if (r == 0)
		r = store_change_begin(a->store);
	if (r < 0)
		return admin_fail(call, r, "service");
	return finish_service(a, call, store_service_remove(a->store, row.name), &row, false);
}

int admin_list_services(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(freep) struct service_row *rows = NULL;
	struct admin_list list = { .name = "services",
				   .size = sizeof(*rows),
				   .to_json = service_json };
	int r = store_service_list(a->store, &rows, &list.n);

	if (r < 0)
		return r;
	list.rows = rows;
	return admin_reply_list(a, call, &list);
}

/* --- anchors --- */

static json_t *anchor_json(const void *row)
{
	const struct anchor_row *r = row;
	_cleanup_(cert_freep) struct cert *cert = NULL;
	char sha256[HEX_SIZE(SHA256_BYTES)], subject[512] = "";
	struct anchor_policy policy;
	bool known = anchor_policy_parse(r->policy, &policy) == 0;

	hex_encode(r->sha256, SHA256_BYTES, sha256);
	if (r->kind != ANCHOR_KEY && cert_parse(r->der, r->der_n, &cert) == 0)
		name_text(&cert->subject, subject, sizeof(subject));
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "name", r->name, "kind",
			 anchor_kind_text(r->kind), "sha256", sha256, "subject", subject,
			 "notBefore", (json_int_t)(cert ? cert->not_before : 0), "notAfter",
			 (json_int_t)(cert ? cert->not_after : 0), "created",
			 (json_int_t)r->created, "policy",
			 known ? anchor_policy_json(&policy) : json_null());
}

/* Why no path could ever end in it (RFC 5280 6.1.4), or NULL. */
static const char *not_an_anchor(const struct cert *c, int64_t now)
{
	if (c->version != 3 || !c->has_basic_constraints || !c->is_ca)
		return "it is not a CA's certificate (basicConstraints)";
	if (c->has_key_usage && !(c->key_usage & KU_KEY_CERT_SIGN))
		return "its key usage does not allow it to issue certificates (keyCertSign)";
	if (c->unknown_critical)
		return "it has a critical extension that this version does not process";
	if (c->has_eku && !(c->eku & (EKU_CLIENT_AUTH | EKU_ANY)))
		return "its extended key usage excludes client authentication";
	return now > c->not_after ? "it has expired" : NULL;
}

/* *ret: one of the rows, which the caller frees; -ENOENT. */
static int find_anchor(struct authority *a, const char *name, struct anchor_row **ret_rows,
		       size_t *ret_n, const struct anchor_row **ret)
{
	struct anchor_row *rows;
	size_t n;
	int r = store_anchor_list(a->store, &rows, &n);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0) {
			*ret_rows = rows;
			*ret_n = n;
			*ret = &rows[i];
			return 0;
		}
	anchor_rows_free(rows, n);
	return -ENOENT;
}

static int finish_anchor(struct authority *a, struct vl_call *call, int r,
			 const struct anchor_row *row, bool add)
{
	return admin_finish(a, call, r,
			    &(struct admin_change){
				    .kind = add ? "admin.anchor.add" : "admin.anchor.remove",
				    .what = "anchor",
				    .certificate = row->sha256,
				    .detail = anchor_json(row),
				    .reply = add ? json_pack("{s:o}", "anchor", anchor_json(row))
						 : json_object(),
				    .changed = authority_trust_changed });
}

/* A certificate that may issue: 1 answered, 0, -errno. */
static int read_issuer(struct authority *a, struct vl_call *call, const char *text,
		       struct cert **ret)
{
	const char *why = "a CA or an intermediate is a certificate";
	int r = text ? admin_certificate(text, ret, &why) : -EBADMSG;

	if (r == 0)
		why = not_an_anchor(*ret, authority_now(a));
	if ((r < 0 && r != -EBADMSG) || !why)
		return r;
	(void)admin_invalid(call, "certificate", why);
	return 1;
}

/* A leaf's key, of its certificate or alone; its SubjectPublicKeyInfo in *ret; likewise. */
static int read_pinned_key(struct vl_call *call, const char *text, uint8_t **ret, size_t *ret_n)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	_cleanup_(freep) uint8_t *der = NULL;
	struct cert key = { 0 };
	const char *why = NULL;
	size_t n = 0;
	int r = text ? base64_decode_new(text, strlen(text), &der, &n) : -EBADMSG;

	if (r == 0)
		r = cert_parse(der, n, &cert);
	if (r == -EBADMSG && der)
		r = cert_parse_key(der, n, &key);
	if (r < 0 && r != -EBADMSG)
		return r;
	if (r < 0)
		why = "it is neither a public key nor a certificate, in DER and base64";
	else if (cert && cert->is_ca)
		why = "it is of a CA's certificate, and a CA is no leaf";
	else if (!key_acceptable(cert ? cert : &key))
		why = leaf_fault_text(LEAF_KEY);
	if (why) {
		(void)admin_invalid(call, "key", why);
		return 1;
	}
	*ret_n = cert ? cert->spki.n : key.spki.n;
	*ret = malloc(*ret_n);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, cert ? cert->spki.p : key.spki.p, *ret_n);
	return 0;
}

/* The row's kind and bytes, which are the caller's to free; likewise. */
static int read_new_anchor(struct authority *a, struct vl_call *call, const json_t *p,
			   struct anchor_row *row)
{
	const char *kind = admin_text(p, "kind"), *certificate = admin_text(p, "certificate"),
		   *key = admin_text(p, "key");
	_cleanup_(cert_freep) struct cert *cert = NULL;
	int r;

	if (kind && anchor_kind_parse(kind, &row->kind) < 0) {
		(void)admin_invalid(call, "kind", "it is neither ca, intermediate nor key");
		return 1;
	}
	if (row->kind == ANCHOR_KEY ? certificate != NULL : key != NULL) {
		(void)admin_invalid(call, key ? "key" : "certificate",
				    "a key is for kind key, a certificate for the others");
		return 1;
	}
	if (row->kind == ANCHOR_KEY)
		return read_pinned_key(call, key, &row->der, &row->der_n);
	r = read_issuer(a, call, certificate, &cert);
	if (r != 0)
		return r;
	row->der = malloc(cert->der.n);
	if (!row->der)
		return -ENOMEM;
	memcpy(row->der, cert->der.p, cert->der.n);
	row->der_n = cert->der.n;
	return 0;
}

int admin_add_anchor(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "name");
	char strict[] = "{}";
	struct anchor_row row = { .policy = strict };
	_cleanup_(freep) uint8_t *der = NULL;
	struct anchor_new new;
	int r;

	if (!identity_name_ok(name))
		return admin_invalid(call, "name", "this cannot be the name of an anchor");
	r = read_new_anchor(a, call, p, &row);
	der = row.der;
	if (r != 0)
		return r < 0 ? r : 0;
	memcpy(row.name, name, strlen(name) + 1);
	sha256(der, row.der_n, row.sha256);
	row.created = clock_realtime(a->clock);
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	new = (struct anchor_new){ .name = name, .kind = row.kind, .der = der, .der_n = row.der_n };
	r = store_anchor_add(a->store, &new, &row.id);
	return finish_anchor(a, call, r, &row, true);
}

/* Takes nothing of `row` but what it is; its policy becomes `policy`. */
static int change_policy(struct authority *a, struct vl_call *call, const struct anchor_row *row,
			 const struct anchor_policy *policy)
{
	_cleanup_(json_decrefp) json_t *json = anchor_policy_json(policy);
	_cleanup_(freep) char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	struct anchor_row changed = *row;
	json_t *detail = anchor_json(row);
	int r;

	changed.policy = text;
	if (!text || !detail ||
	    json_object_set(detail, "old", json_object_get(detail, "policy")) < 0 ||
	    json_object_set(detail, "new", json) < 0 || json_object_del(detail, "policy") < 0) {
		json_decref(detail);
		return -ENOMEM;
	}
	r = store_change_begin(a->store);
	if (r < 0) {
		json_decref(detail);
		return r;
	}
	return admin_finish(a, call, store_anchor_set_policy(a->store, row->name, text),
			    &(struct admin_change){
				    .kind = "admin.anchor.set",
				    .what = "anchor",
				    .certificate = row->sha256,
				    .detail = detail,
				    .reply = json_pack("{s:o}", "anchor", anchor_json(&changed)),
				    .changed = authority_trust_changed });
}

int admin_set_anchor(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct anchor_policy policy;
	const struct anchor_row *row;
	struct anchor_row *rows;
	const char *bad;
	size_t n;
	int r = find_anchor(a, admin_text(p, "name"), &rows, &n, &row);

	if (r < 0)
		return admin_fail(call, r, "anchor");
	if (row->kind == ANCHOR_INTERMEDIATE)
		r = admin_invalid(call, "name",
				  "an intermediate vouches for nothing: the CA's "
				  "settings count");
	else if (anchor_policy_parse(row->policy, &policy) < 0)
		r = admin_invalid(call, "name",
				  "its settings cannot be read: remove it, and add "
				  "it again");
	else if (anchor_policy_read(json_object_get(p, "policy"), &policy, &bad) < 0)
		r = admin_invalid(call, bad, "it is no setting of an anchor, or not a value of it");
	else
		r = change_policy(a, call, row, &policy);
	anchor_rows_free(rows, n);
	return r;
}

int admin_remove_anchor(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "name");
	const struct anchor_row *row;
	struct anchor_row *rows;
	size_t n;
	int r;

	r = find_anchor(a, name, &rows, &n, &row);
	if (r < 0)
		return admin_fail(call, r, "anchor");
	r = store_change_begin(a->store);
	if (r == 0)
		r = finish_anchor(a, call, store_anchor_remove(a->store, name), row, false);
	anchor_rows_free(rows, n);
	return r;
}

int admin_list_anchors(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct anchor_row *rows;
	struct admin_list list = { .name = "anchors",
				   .size = sizeof(*rows),
				   .to_json = anchor_json };
	int r = store_anchor_list(a->store, &rows, &list.n);

	if (r < 0)
		return r;
	list.rows = rows;
	r = admin_reply_list(a, call, &list);
	anchor_rows_free(rows, list.n);
	return r;
}
