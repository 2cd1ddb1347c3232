// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/authority/api-admin.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"

/* Identities and their certificates. */

json_t *identity_json(const struct identity *i)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:I}", "name", i->name, "fullName",
			 i->full_name, "enabled", i->enabled, "reason", i->reason, "notBefore",
			 (json_int_t)i->not_before, "notAfter", (json_int_t)i->not_after, "created",
			 (json_int_t)i->created, "certificates", (json_int_t)i->certificates);
}

static json_t *identity_row_json(const void *row)
{
	return identity_json(row);
}

json_t *certificate_row_json(const void *row)
{
	const struct certificate *c = row;
	char sha256[HEX_SIZE(SHA256_BYTES)], spki[HEX_SIZE(SHA256_BYTES)];

	hex_encode(c->sha256, SHA256_BYTES, sha256);
	hex_encode(c->spki_sha256, SHA256_BYTES, spki);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "sha256", sha256,
			 "spkiSha256", spki, "identity", c->identity_name, "subject", c->subject,
			 "issuer", c->issuer_text, "serial", c->serial_text, "notBefore",
			 (json_int_t)c->not_before, "notAfter", (json_int_t)c->not_after,
			 "enrolled", (json_int_t)c->enrolled);
}

/* An identity that may use root's account: what gives it a certificate, or its life back, is root's
 * alone. */
static int reaches_root(struct authority *a, const struct identity *identity, bool *ret)
{
	return store_access_any(a->store, identity->id, ACCOUNT_ROOT, ret);
}

int admin_add_identity(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "name"), *full_name = admin_text(p, "fullName");
	struct identity identity = { 0 };
	int64_t from, until;
	int r;

	if (!identity_name_ok(name))
		return admin_invalid(call, "name", "this cannot be the name of an identity");
	if (full_name && !text_ok(full_name, LIMIT_REASON))
		return admin_invalid(call, "fullName", "it has characters that cannot be shown");
	if (!admin_window(p, &from, &until))
		return admin_invalid(call, "notAfter", "it is before notBefore, or before 1970");
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_identity_add(a->store, name, full_name, from, until, &identity);
	return admin_finish(a, call, r,
			    &(struct admin_change){ .kind = "admin.identity.add",
						    .what = "identity",
						    .identity = name,
						    .detail = identity_json(&identity),
						    .reply = json_pack("{s:o}", "identity",
								       identity_json(&identity)) });
}

int admin_get_identity(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "name");
	_cleanup_(freep) struct certificate *certificates = NULL;
	_cleanup_(freep) struct access_row *access = NULL;
	struct admin_list c = { .size = sizeof(*certificates),
				.limit = LIMIT_LIST_ROWS,
				.to_json = certificate_row_json };
	struct admin_list g = { .size = sizeof(*access), .to_json = access_row_json };
	bool more_certificates = true, more_access = true;
	struct identity identity;
	json_t *reply;
	int r;

	r = store_identity_get(a->store, name, &identity);
	if (r == 0)
		r = store_certificate_list(a->store, name, NULL, c.limit + 1, &certificates, &c.n);
	if (r == 0)
		r = store_access_list(a->store, name, &access, &g.n);
	if (r < 0)
		return admin_fail(call, r, "identity");
	c.rows = certificates;
	g.rows = access;
	reply = json_pack("{s:o, s:o, s:o}", "identity", identity_json(&identity), "certificates",
			  admin_rows(&c, &more_certificates), "access",
			  admin_rows(&g, &more_access));
	if (reply && (more_certificates || more_access)) { /* a part must not look like the whole */
		json_decref(reply);
		return -EMSGSIZE;
	}
	return admin_reply(a, call, reply);
}

int admin_list_identities(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(freep) struct identity *rows = NULL;
	struct admin_list list = { .name = "identities",
				   .size = sizeof(*rows),
				   .to_json = identity_row_json };
	int r;

	if (!admin_limit(p, &list.limit))
		return admin_invalid(call, "limit", "it is less than 1");
	r = store_identity_list(a->store, admin_text(p, "after"), list.limit + 1, &rows, &list.n);
	if (r < 0)
		return r;
	list.rows = rows;
	return admin_reply_list(a, call, &list);
}

int admin_set_identity_enabled(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "name"), *reason = admin_text(p, "reason");
	bool enabled = admin_bool(p, "enabled", false), root = true;
	struct identity identity;
	int r;

	if (reason && !text_ok(reason, LIMIT_REASON))
		return admin_invalid(call, "reason", "it has characters that cannot be shown");
	r = store_identity_get(a->store, name, &identity);
	if (r == 0 && enabled)
		r = reaches_root(a, &identity, &root);
	if (r < 0)
		return admin_fail(call, r, "identity");
	if (enabled && root && !admin_is_root(call))
		return admin_denied(call);
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_identity_set_enabled(a->store, name, enabled, reason, &identity);
	return admin_finish(
		a, call, r,
		&(struct admin_change){
			.kind = enabled ? "admin.identity.enable" : "admin.identity.disable",
			.what = "identity",
			.identity = name,
			.detail = json_pack("{s:b, s:s}", "enabled", enabled, "reason",
					    identity.reason),
			.reply = json_pack("{s:o}", "identity", identity_json(&identity)) });
}

int admin_remove_identity(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "name");
	struct identity identity;
	int r;

	r = store_identity_get(a->store, name, &identity);
	if (r == 0)
		r = store_change_begin(a->store);
	if (r < 0)
		return admin_fail(call, r, "identity");
	r = store_identity_remove(a->store, name);
	return admin_finish(a, call, r,
			    &(struct admin_change){ .kind = "admin.identity.remove",
						    .what = "identity",
						    .identity = name,
						    .detail = identity_json(&identity),
						    .reply = json_object() });
}

/* --- certificates --- */

/* By the strict profile, or by what the policy of an anchor lets pass: whether its path leads to
 * that anchor is seen at each login. */
static enum leaf_fault check_leaf(const struct authority *a, const struct cert *cert)
{
	enum leaf_fault fault = leaf_check(cert, NULL);

	for (size_t i = 0; fault != LEAF_GOOD && i < a->n_anchors; i++) {
		const struct anchor *anchor = &a->anchors[i];

		if (anchor->kind == ANCHOR_INTERMEDIATE ||
		    (anchor->kind == ANCHOR_KEY &&
		     memcmp(anchor->spki_sha256, cert->spki_sha256, SHA256_BYTES) != 0))
			continue;
		if (leaf_check(cert, &anchor->policy) == LEAF_GOOD)
			return LEAF_GOOD;
	}
	return fault;
}

/* Answers why this certificate can be nobody's: 1; else 0 or -errno. */
static int refuse_certificate(struct authority *a, struct vl_call *call, const struct cert *cert)
{
	enum leaf_fault fault = check_leaf(a, cert);
	char why[96] = "it has expired", date[32];
	time_t t = (time_t)(cert->not_after / (int64_t)USEC_PER_SEC);
	struct tm tm;

	if (fault != LEAF_GOOD) {
		(void)admin_invalid(call, "certificate", leaf_fault_text(fault));
		return 1;
	}
	if (authority_now(a) <= cert->not_after)
		return 0;
	if (gmtime_r(&t, &tm) && strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm) > 0)
		(void)snprintf(why, sizeof(why), "it expired at %s", date);
	(void)admin_invalid(call, "certificate", why);
	return 1;
}

/* Answers when certificate or key are somebody's already: 1; else 0 or -errno. */
static int refuse_enrolled(struct authority *a, struct vl_call *call, const struct cert *cert)
{
	_cleanup_(certificate_deinit) struct certificate other = { 0 };
	char what[LIMIT_IDENTITY + 64];
	int r = store_certificate_get_spki(a->store, cert->spki_sha256, &other);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	(void)snprintf(what, sizeof(what), "%s (enrolled for %s)",
		       memcmp(other.sha256, cert->sha256, SHA256_BYTES) == 0 ? "certificate"
									     : "key",
		       other.identity_name);
	(void)admin_exists(call, what);
	return 1;
}

static int enroll(struct authority *a, struct vl_call *call, const char *name,
		  const struct cert *cert)
{
	struct certificate_new new = { .identity = name,
				       .der = cert->der.p,
				       .der_n = cert->der.n,
				       .issuer = cert->issuer.p,
				       .issuer_n = cert->issuer.n,
				       .serial = cert->serial.p,
				       .serial_n = cert->serial.n,
				       .not_before = cert->not_before,
				       .not_after = cert->not_after };
	_cleanup_(certificate_deinit) struct certificate row = { 0 };
	char subject[sizeof(row.subject)];
	int r;

	memcpy(new.sha256, cert->sha256, SHA256_BYTES);
	memcpy(new.spki_sha256, cert->spki_sha256, SHA256_BYTES);
	name_text(&cert->subject, subject, sizeof(subject));
	new.subject = subject;
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_certificate_add(a->store, &new);
	if (r == 0)
		r = store_certificate_get(a->store, cert->sha256, &row);
	return admin_finish(
		a, call, r,
		&(struct admin_change){
			.kind = "admin.certificate.enroll",
			.what = "certificate",
			.identity = name,
			.certificate = cert->sha256,
			.detail = certificate_row_json(&row),
			.reply = json_pack("{s:o}", "certificate", certificate_row_json(&row)) });
}

int admin_enroll(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *name = admin_text(p, "identity"), *why;
	_cleanup_(cert_freep) struct cert *cert = NULL;
	struct identity identity;
	bool root = true;
	int r;

	r = store_identity_get(a->store, name, &identity);
	if (r == 0)
		r = reaches_root(a, &identity, &root);
	if (r < 0)
		return admin_fail(call, r, "identity");
	if (root && !admin_is_root(call))
		return admin_denied(call);
	r = admin_certificate(admin_text(p, "certificate"), &cert, &why);
	if (r < 0)
		return r == -EBADMSG ? admin_invalid(call, "certificate", why) : r;
	r = refuse_certificate(a, call, cert);
	if (r == 0)
		r = refuse_enrolled(a, call, cert);
	if (r != 0)
		return r < 0 ? r : 0;
	return enroll(a, call, name, cert);
}

int admin_unenroll(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(certificate_deinit) struct certificate row = { 0 };
	uint8_t sha256[SHA256_BYTES];
	int r;

	if (admin_hash(admin_text(p, "sha256"), sha256) < 0)
		return admin_invalid(call, "sha256", "it is not 64 hex digits");
	r = store_certificate_get(a->store, sha256, &row);
	if (r == 0)
		r = store_change_begin(a->store);
	if (r < 0)
		return admin_fail(call, r, "certificate");
	r = store_certificate_remove(a->store, sha256);
	return admin_finish(
		a, call, r,
		&(struct admin_change){
			.kind = "admin.certificate.unenroll",
			.what = "certificate",
			.identity = row.identity_name,
			.certificate = sha256,
			.detail = certificate_row_json(&row),
			.reply = json_pack("{s:o}", "certificate", certificate_row_json(&row)) });
}

int admin_list_certificates(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *identity = admin_text(p, "identity"), *after = admin_text(p, "after");
	_cleanup_(freep) struct certificate *rows = NULL;
	struct admin_list list = { .name = "certificates",
				   .size = sizeof(*rows),
				   .to_json = certificate_row_json };
	uint8_t hash[SHA256_BYTES];
	struct identity known;
	int r = 0;

	if (!admin_limit(p, &list.limit))
		return admin_invalid(call, "limit", "it is less than 1");
	if (after && admin_hash(after, hash) < 0)
		return admin_invalid(call, "after", "it is not 64 hex digits");
	if (identity)
		r = store_identity_get(a->store, identity, &known);
	if (r == 0)
		r = store_certificate_list(a->store, identity, after ? hash : NULL, list.limit + 1,
					   &rows, &list.n);
	if (r < 0)
		return admin_fail(call, r, "identity");
	list.rows = rows;
	return admin_reply_list(a, call, &list);
}
