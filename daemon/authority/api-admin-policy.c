// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/base/name.h"

json_t *access_json(const struct access_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "identity", row->identity, "account",
			 row->account, "service", row->service, "notBefore",
			 (json_int_t)row->not_before, "notAfter", (json_int_t)row->not_after,
			 "created", (json_int_t)row->created);
}

int admin_access_allow(struct vl_call *call, json_t *p, void *userdata)
{
	const char *account = arg_text(p, "account"), *service = arg_text(p, "service");
	struct access_row row = { .not_before = arg_int(p, "notBefore", 0),
				  .not_after = arg_int(p, "notAfter", STORE_FOREVER) };
	struct authority *a = userdata;
	int r;

	if (!account_name_ok(account))
		return admin_invalid(call, "account", "not the name of an account");
	if (!service_or_class_ok(service))
		return admin_invalid(call, "service",
				     "not a service, nor a class (@login, @elevate, @app)");
	if (row.not_before > row.not_after)
		return admin_invalid(call, "notAfter", "it is before notBefore");
	if (strcmp(account, "root") == 0 && !admin_is_root(call))
		return vl_call_error(call, "org.varlink.service.PermissionDenied", NULL);
	(void)snprintf(row.identity, sizeof(row.identity), "%s", arg_text(p, "identity"));
	(void)snprintf(row.account, sizeof(row.account), "%s", account);
	(void)snprintf(row.service, sizeof(row.service), "%s", service);
	row.created = clock_realtime(a->clock);
	r = store_access_allow(a->store, &row);
	if (r < 0)
		return admin_error(call, r, "identity");
	return admin_done(a, call, "admin.access.allow", row.identity, access_json(&row),
			  json_pack("{s:o}", "access", access_json(&row)));
}

int admin_access_deny(struct vl_call *call, json_t *p, void *userdata)
{
	const char *identity = arg_text(p, "identity"), *account = arg_text(p, "account"),
		   *service = arg_text(p, "service");
	struct authority *a = userdata;
	int r = store_access_deny(a->store, identity, account, service);

	if (r < 0)
		return admin_error(call, r, "access");
	return admin_done(a, call, "admin.access.deny", identity,
			  json_pack("{s:s, s:s}", "account", account, "service", service),
			  json_object());
}

int admin_access_list(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(freep) struct access_row *rows = NULL;
	struct authority *a = userdata;
	json_t *list;
	size_t n;
	int r = store_access_list(a->store, arg_text(p, "identity"), &rows, &n);

	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, access_json(&rows[i]));
	return vl_call_reply(call, json_pack("{s:o}", "access", list));
}

/* --- service --- */

static json_t *service_json(const struct service_row *row)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "name", row->name, "class",
			 service_class_text(row->class), "redeemUids", row->redeem_uids, "via",
			 service_via_text(row->via), "loose", row->loose, "console", row->console);
}

int admin_service_set(struct vl_call *call, json_t *p, void *userdata)
{
	const char *name = arg_text(p, "name"), *uids = arg_text(p, "redeemUids"),
		   *via = arg_text(p, "via");
	struct service_row row = { .loose = arg_bool(p, "loose", false),
				   .console = arg_bool(p, "console", false) };
	struct authority *a = userdata;
	int r;

	if (!service_name_ok(name))
		return admin_invalid(call, "name", "not the name of a PAM service");
	if (service_class_parse(arg_text(p, "class"), &row.class) < 0)
		return admin_invalid(call, "class", "one of login, elevate, app");
	if (uids && !service_uids_ok(uids))
		return admin_invalid(call, "redeemUids",
				     "numbers with commas between them, or any");
	row.via = row.class == CLASS_ELEVATE || row.console ? VIA_LOCAL : VIA_ANY;
	if (via && service_via_parse(via, &row.via) < 0)
		return admin_invalid(call, "via", "one of local, network, any");
	if (row.loose && row.class == CLASS_ELEVATE)
		return admin_invalid(call, "loose",
				     "an elevating service never takes a loose ticket");
	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)snprintf(row.redeem_uids, sizeof(row.redeem_uids), "%s", uids ? uids : "0");
	r = store_service_set(a->store, &row);
	if (r < 0)
		return r;
	return admin_done(a, call, "admin.service.set", "", service_json(&row),
			  json_pack("{s:o}", "service", service_json(&row)));
}

int admin_service_remove(struct vl_call *call, json_t *p, void *userdata)
{
	const char *name = arg_text(p, "name");
	struct authority *a = userdata;
	int r = store_service_remove(a->store, name);

	if (r < 0)
		return admin_error(call, r, "service");
	return admin_done(a, call, "admin.service.remove", "", json_pack("{s:s}", "name", name),
			  json_object());
}

int admin_service_list(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	_cleanup_(freep) struct service_row *rows = NULL;
	struct authority *a = userdata;
	json_t *list;
	size_t n;
	int r = store_service_list(a->store, &rows, &n);

	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, service_json(&rows[i]));
	return vl_call_reply(call, json_pack("{s:o}", "services", list));
}

/* --- anchor --- */

static json_t *anchor_json(const char *name, const struct cert *c, int64_t created)
{
	char sha256[HEX_SIZE(SHA256_BYTES)], subject[512];

	hex_encode(c->sha256, SHA256_BYTES, sha256);
	name_text(&c->subject, subject, sizeof(subject));
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "name", name, "sha256", sha256,
			 "subject", subject, "notBefore", (json_int_t)c->not_before, "notAfter",
			 (json_int_t)c->not_after, "created", (json_int_t)created);
}

/* Trust changes when the change is on disk, and not before. */
struct waiting_trust {
	struct authority *a;
	struct vl_call *call;
	json_t *reply;
};

static void trust_after(void *userdata, int r)
{
	struct waiting_trust *w = userdata;

	/* read again in any case: after a failed commit the store tells what holds */
	if (authority_trust_changed(w->a) < 0)
		log_error("the anchors cannot be read: nobody is trusted until they can");
	if (r < 0) {
		json_decref(w->reply);
		(void)vl_call_error_errno(w->call, r);
	} else {
		(void)vl_call_reply(w->call, w->reply);
	}
	free(w);
}

static int trust_done(struct authority *a, struct vl_call *call, const char *kind, json_t *detail,
		      json_t *reply)
{
	struct waiting_trust *w = calloc(1, sizeof(*w));
	int r = w && reply ? admin_audit(a, call, kind, "", detail) : -ENOMEM;

	if (r == 0) {
		*w = (struct waiting_trust){ a, vl_call_ref(call), reply };
		r = turn_defer(a->turn, trust_after, w);
		if (r == 0)
			return 0;
		vl_call_drop(w->call);
	}
	store_rollback(a->store);
	json_decref(reply);
	free(w);
	return r;
}

int admin_anchor_add(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(cert_freep) struct cert *c = NULL;
	const char *name = arg_text(p, "name");
	struct authority *a = userdata;
	int64_t id, now;
	int r;

	if (!identity_name_ok(name))
		return admin_invalid(call, "name",
				     "not a name: no spaces, ':', '/', ',' or control characters");
	r = admin_certificate(call, "certificate", arg_text(p, "certificate"), &c);
	if (r != 0)
		return r < 0 ? r : 0;
	now = authority_now(a);
	if (!c->is_ca)
		return admin_invalid(call, "certificate",
				     "it is not a CA's certificate (basicConstraints)");
	if (now > c->not_after)
		return admin_invalid(call, "certificate", "it has expired");
	r = store_anchor_add(a->store, name, c->der.p, c->der.n, &id);
	if (r < 0)
		return admin_error(call, r, "anchor");
	return trust_done(a, call, "admin.anchor.add", anchor_json(name, c, now),
			  json_pack("{s:o}", "anchor", anchor_json(name, c, now)));
}

int admin_anchor_remove(struct vl_call *call, json_t *p, void *userdata)
{
	const char *name = arg_text(p, "name");
	struct authority *a = userdata;
	int r = store_anchor_remove(a->store, name);

	if (r < 0)
		return admin_error(call, r, "anchor");
	return trust_done(a, call, "admin.anchor.remove", json_pack("{s:s}", "name", name),
			  json_object());
}

int admin_anchor_list(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct anchor_row *rows;
	json_t *list;
	size_t n;
	int r = store_anchor_list(a->store, &rows, &n);

	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		_cleanup_(cert_freep) struct cert *c = NULL;

		if (cert_parse(rows[i].der, rows[i].der_n, &c) == 0)
			(void)json_array_append_new(list,
						    anchor_json(rows[i].name, c, rows[i].created));
	}
	anchor_rows_free(rows, n);
	return vl_call_reply(call, json_pack("{s:o}", "anchors", list));
}
