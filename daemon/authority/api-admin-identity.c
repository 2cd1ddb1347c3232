// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"

json_t *identity_json(const struct identity *i)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I}", "name", i->name, "fullName",
			 i->full_name, "enabled", i->enabled, "reason", i->reason, "notBefore",
			 (json_int_t)i->not_before, "notAfter", (json_int_t)i->not_after, "created",
			 (json_int_t)i->created, "certificates", (json_int_t)i->certificates);
}

json_t *certificate_json(const struct certificate *c)
{
	char sha256[HEX_SIZE(SHA256_BYTES)], spki[HEX_SIZE(SHA256_BYTES)];

	hex_encode(c->sha256, SHA256_BYTES, sha256);
	hex_encode(c->spki_sha256, SHA256_BYTES, spki);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "sha256", sha256,
			 "spkiSha256", spki, "identity", c->identity_name, "subject", c->subject,
			 "issuer", c->issuer_text, "serial", c->serial_text, "notBefore",
			 (json_int_t)c->not_before, "notAfter", (json_int_t)c->not_after,
			 "enrolled", (json_int_t)c->enrolled);
}

int reaches_root(struct authority *a, const char *identity, bool *ret)
{
	struct identity i;
	int r = store_identity_get(a->store, identity, &i);

	return r < 0 ? r : store_access_any(a->store, i.id, "root", ret);
}

/* 1: answered; 0: go on.  What widens towards uid 0 is root's alone. */
static int guard_root(struct authority *a, struct vl_call *call, const char *identity)
{
	bool reaches = false;
	int r;

	if (admin_is_root(call))
		return 0;
	r = reaches_root(a, identity, &reaches);
	if (r < 0 && r != -ENOENT)
		return r;
	if (!reaches)
		return 0;
	r = vl_call_error(call, "org.varlink.service.PermissionDenied", NULL);
	return r < 0 ? r : 1;
}

int admin_identity_add(struct vl_call *call, json_t *p, void *userdata)
{
	const char *name = arg_text(p, "name"), *full = arg_text(p, "fullName");
	int64_t from = arg_int(p, "notBefore", 0), until = arg_int(p, "notAfter", STORE_FOREVER);
	struct authority *a = userdata;
	struct identity i;
	int r;

	if (!identity_name_ok(name))
		return admin_invalid(call, "name",
				     "not a name: no spaces, ':', '/', ',' or control characters");
	if (full && !text_ok(full, LIMIT_REASON))
		return admin_invalid(call, "fullName", "it must be printable");
	if (from > until)
		return admin_invalid(call, "notAfter", "it is before notBefore");
	r = store_identity_add(a->store, name, full, from, until, &i);
	if (r < 0)
		return admin_error(call, r, "identity");
	return admin_done(a, call, "admin.identity.add", name, identity_json(&i),
			  json_pack("{s:o}", "identity", identity_json(&i)));
}

static json_t *certificates_json(const struct certificate *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, certificate_json(&rows[i]));
	return list;
}

int admin_identity_get(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(freep) struct certificate *certificates = NULL;
	_cleanup_(freep) struct access_row *access = NULL;
	const char *name = arg_text(p, "name");
	struct authority *a = userdata;
	size_t n_certificates, n_access;
	struct identity identity;
	json_t *list;
	int r;

	r = store_identity_get(a->store, name, &identity);
	if (r < 0)
		return admin_error(call, r, "identity");
	r = store_certificate_list(a->store, name, NULL, LIMIT_LIST_ROWS, &certificates,
				   &n_certificates);
	if (r == 0)
		r = store_access_list(a->store, name, &access, &n_access);
	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n_access; i++)
		(void)json_array_append_new(list, access_json(&access[i]));
	return vl_call_reply(call, json_pack("{s:o, s:o, s:o}", "identity",
					     identity_json(&identity), "certificates",
					     certificates_json(certificates, n_certificates),
					     "access", list));
}

int admin_identity_list(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(freep) struct identity *rows = NULL;
	struct authority *a = userdata;
	size_t limit = arg_limit(p), n;
	json_t *list;
	int r;

	r = store_identity_list(a->store, arg_text(p, "after"), limit, &rows, &n);
	if (r < 0)
		return r;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, identity_json(&rows[i]));
	return vl_call_reply(call, json_pack("{s:o, s:b}", "identities", list, "more", n == limit));
}

int admin_identity_set_enabled(struct vl_call *call, json_t *p, void *userdata)
{
	const char *name = arg_text(p, "name"), *reason = arg_text(p, "reason");
	bool enabled = arg_bool(p, "enabled", false);
	struct authority *a = userdata;
	struct identity i;
	int r;

	if (reason && !text_ok(reason, LIMIT_REASON))
		return admin_invalid(call, "reason", "it must be printable");
	r = enabled ? guard_root(a, call, name) : 0; /* to disable is never to widen */
	if (r != 0)
		return r < 0 ? r : 0;
	r = store_identity_set_enabled(a->store, name, enabled, reason, &i);
	if (r < 0)
		return admin_error(call, r, "identity");
	return admin_done(a, call, enabled ? "admin.identity.enable" : "admin.identity.disable",
			  name, json_pack("{s:s}", "reason", reason ? reason : ""),
			  json_pack("{s:o}", "identity", identity_json(&i)));
}

int admin_identity_remove(struct vl_call *call, json_t *p, void *userdata)
{
	const char *name = arg_text(p, "name");
	struct authority *a = userdata;
	int r = store_identity_remove(a->store, name);

	if (r < 0)
		return admin_error(call, r, "identity");
	return admin_done(a, call, "admin.identity.remove", name, json_object(), json_object());
}

/* --- enrolment --- */

static int check_enrollable(struct authority *a, struct vl_call *call, const struct cert *c)
{
	enum leaf_fault fault = leaf_check(c);
	int r = 0;

	if (fault != LEAF_GOOD)
		r = admin_invalid(call, "certificate", leaf_fault_text(fault));
	else if (authority_now(a) > c->not_after)
		r = admin_invalid(call, "certificate", "it has expired");
	else
		return 0;
	return r < 0 ? r : 1;
}

static int enroll(struct authority *a, const char *identity, const struct cert *c,
		  struct certificate *ret)
{
	char subject[sizeof(ret->subject)];
	struct certificate_new n = { .identity = identity,
				     .der = c->der.p,
				     .der_n = c->der.n,
				     .issuer = c->issuer.p,
				     .issuer_n = c->issuer.n,
				     .serial = c->serial.p,
				     .serial_n = c->serial.n,
				     .subject = subject,
				     .not_before = c->not_before,
				     .not_after = c->not_after };
	int r;

	name_text(&c->subject, subject, sizeof(subject));
	memcpy(n.sha256, c->sha256, SHA256_BYTES);
	memcpy(n.spki_sha256, c->spki_sha256, SHA256_BYTES);
	r = store_certificate_add(a->store, &n);
	return r < 0 ? r : store_certificate_get(a->store, c->sha256, ret);
}

int admin_enroll(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(certificate_deinit) struct certificate row = { 0 };
	_cleanup_(cert_freep) struct cert *c = NULL;
	const char *identity = arg_text(p, "identity");
	struct authority *a = userdata;
	int r;

	r = admin_certificate(call, "certificate", arg_text(p, "certificate"), &c);
	if (r == 0)
		r = check_enrollable(a, call, c);
	if (r == 0)
		r = guard_root(a, call, identity);
	if (r != 0)
		return r < 0 ? r : 0;
	r = enroll(a, identity, c, &row);
	if (r == -EEXIST)
		return admin_exists(call,
				    store_certificate_get_spki(a->store, c->spki_sha256, &row) == 0
					    ? row.identity_name
					    : "certificate");
	if (r < 0)
		return admin_error(call, r, "identity");
	return admin_done(a, call, "admin.enroll", identity, certificate_json(&row),
			  json_pack("{s:o}", "certificate", certificate_json(&row)));
}

int admin_unenroll(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(certificate_deinit) struct certificate row = { 0 };
	struct authority *a = userdata;
	uint8_t sha256[SHA256_BYTES];
	int r;

	if (hex_decode(arg_text(p, "sha256"), sha256, sizeof(sha256)) != SHA256_BYTES)
		return admin_invalid(call, "sha256", "64 hexadecimal digits are needed");
	r = store_certificate_get(a->store, sha256, &row);
	if (r == 0)
		r = store_certificate_remove(a->store, sha256);
	if (r < 0)
		return admin_error(call, r, "certificate");
	return admin_done(a, call, "admin.unenroll", row.identity_name, certificate_json(&row),
			  json_pack("{s:o}", "certificate", certificate_json(&row)));
}

int admin_certificate_list(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(freep) struct certificate *rows = NULL;
	const char *after = arg_text(p, "after");
	struct authority *a = userdata;
	size_t limit = arg_limit(p), n;
	uint8_t hash[SHA256_BYTES];
	int r;

	if (after && hex_decode(after, hash, sizeof(hash)) != SHA256_BYTES)
		return admin_invalid(call, "after", "64 hexadecimal digits are needed");
	r = store_certificate_list(a->store, arg_text(p, "identity"), after ? hash : NULL, limit,
				   &rows, &n);
	if (r < 0)
		return r;
	return vl_call_reply(call, json_pack("{s:o, s:b}", "certificates",
					     certificates_json(rows, n), "more", n == limit));
}
