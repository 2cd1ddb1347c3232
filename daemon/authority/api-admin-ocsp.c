// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/revocations.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"
#include "lib/pki/ocsp.h"

/* org.certlogin.Admin: OCSP responses that somebody brings.  Whoever it is, the responder is
 * believed. */

static json_t *ocsp_json(const void *row)
{
	const struct ocsp_row *r = row;
	char key[HEX_SIZE(SHA256_BYTES)], serial[HEX_SIZE(OCSP_SERIAL_MAX)];

	hex_encode(r->issuer_key, SHA256_BYTES, key);
	hex_encode(r->serial, r->serial_n, serial);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:s, s:b}", "id",
			 (json_int_t)r->id, "anchor", r->anchor_name, "issuerSpkiSha256", key,
			 "serial", serial, "status", ocsp_status_text(r->status), "reason",
			 (int)r->reason, "since", (json_int_t)r->since, "thisUpdate",
			 (json_int_t)r->this_update, "nextUpdate", (json_int_t)r->next_update,
			 "imported", (json_int_t)r->imported, "source", r->source, "stale",
			 r->stale);
}

/* What a call brought. */
struct import {
	struct cert *cert, *issuer;
	uint8_t *der;
	size_t der_n;
	const char *source;
};

static void import_deinit(struct import *i)
{
	cert_free(i->cert);
	cert_free(i->issuer);
	free(i->der);
}

/* 0, or what was wrong with *ret_field. */
static int import_read(json_t *p, struct import *i, const char **ret_field, const char **ret_why)
{
	const char *response = admin_text(p, "response");
	int r;

	i->source = admin_text(p, "source") ? admin_text(p, "source") : "";
	*ret_field = "source";
	*ret_why = "it is no printable text";
	if (!text_ok(i->source, LIMIT_OCSP_SOURCE))
		return -EBADMSG;
	*ret_field = "certificate";
	r = admin_certificate(admin_text(p, "certificate"), &i->cert, ret_why);
	if (r < 0)
		return r;
	*ret_field = "issuer";
	r = admin_certificate(admin_text(p, "issuer"), &i->issuer, ret_why);
	if (r < 0)
		return r;
	*ret_field = "response";
	*ret_why = "it is not base64";
	return base64_decode_new(response, strlen(response), &i->der, &i->der_n);
}

/* Does the path go through the issuer's key, be it in another certificate, an anchor's? */
static bool path_is_by(const struct authority *a, const struct path *path,
		       const struct cert *issuer)
{
	const uint8_t *sha256 = path->issuers[0];

	if (memcmp(sha256, issuer->sha256, SHA256_BYTES) == 0)
		return true;
	for (size_t i = 0; i < a->n_anchors; i++) {
		const struct cert *c = a->anchors[i].cert;

		if (c && memcmp(c->sha256, sha256, SHA256_BYTES) == 0)
			return memcmp(c->spki_sha256, issuer->spki_sha256, SHA256_BYTES) == 0;
	}
	return false;
}

/* 0 with the row to store, or -EBADMSG and what was wrong. */
static int import_judge(struct authority *a, const struct import *i, struct ocsp_row *ret,
			const char **ret_field, const char **ret_why)
{
	const struct cert *const chain[] = { i->cert, i->issuer };
	const struct view der = { i->der, i->der_n };
	int64_t now = authority_now(a);
	struct ocsp_answer answer;
	struct path path;
	int r;

	r = path_build(chain, ARRAY_SIZE(chain), a->anchors, a->n_anchors, now, &a->memo, &path);
	if (r < 0)
		return r;
	*ret_field = "certificate";
	*ret_why = path_fault_text(path.fault);
	if (path.fault != PATH_GOOD)
		return -EBADMSG;
	*ret_why = "its serial number is too long";
	if (i->cert->serial.n > OCSP_SERIAL_MAX)
		return -EBADMSG;
	*ret_field = "issuer";
	*ret_why = "it did not issue the certificate";
	if (!path_is_by(a, &path, i->issuer))
		return -EBADMSG;
	r = ocsp_check(&der, i->cert, i->issuer, now, NULL, &answer);
	if (r < 0)
		return r;
	*ret_field = "response";
	*ret_why = ocsp_fault_text(answer.fault);
	if (answer.fault != OCSP_GOOD)
		return -EBADMSG;
	revocations_row(ret, path.anchor, i->cert, i->issuer, &answer);
	memcpy(ret->source, i->source, strlen(i->source) + 1);
	return 0;
}

/* Puts the row; *row is then what is stored. */
static int put(struct authority *a, struct ocsp_row *row, bool *ret_new)
{
	int r = store_ocsp_put(a->store, row, ret_new);

	return r < 0 ? r
		     : store_ocsp_get(a->store, row->anchor, row->issuer_key, row->serial,
				      row->serial_n, row);
}

int admin_import_ocsp(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(import_deinit) struct import i = { 0 };
	const char *field, *why;
	struct ocsp_row row;
	bool is_new = false;
	int r = import_read(p, &i, &field, &why);

	if (r == 0)
		r = import_judge(a, &i, &row, &field, &why);
	if (r < 0)
		return r == -EBADMSG ? admin_invalid(call, field, why) : r;
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = put(a, &row, &is_new);
	if (r == -EALREADY || (r == 0 && !is_new)) {
		r = store_change_end(a->store, r);
		(void)turn_kick(a->turn); /* the transaction is open, with nothing in it */
		return r < 0 ? admin_invalid(
				       call, "response",
				       "a newer answer is known, or a revocation that is for good")
			     : admin_reply(a, call, json_pack("{s:o}", "ocsp", ocsp_json(&row)));
	}
	return admin_finish(
		a, call, r,
		&(struct admin_change){ .kind = "admin.ocsp.import",
					.what = "anchor",
					.certificate = i.cert->sha256,
					.detail = ocsp_json(&row),
					.reply = json_pack("{s:o}", "ocsp", ocsp_json(&row)),
					.changed = revocations_load });
}

int admin_list_ocsp(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(freep) struct ocsp_row *rows = NULL;
	struct admin_list list = { .name = "ocsp", .size = sizeof(*rows), .to_json = ocsp_json };
	int r;

	if (!admin_limit(p, &list.limit))
		return admin_invalid(call, "limit", "it is less than 1");
	r = store_ocsp_list(a->store, admin_int(p, "after", 0), list.limit + 1, &rows, &list.n);
	if (r < 0)
		return r;
	list.rows = rows;
	return admin_reply_list(a, call, &list);
}
