// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/crl-import.h"
#include "daemon/authority/revocations.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"

/* Revocation lists. */

static json_t *crl_json(const void *row)
{
	const struct crl_row *c = row;
	char number[HEX_SIZE(sizeof(c->number))], signer[HEX_SIZE(SHA256_BYTES)];

	hex_encode(c->number, c->number_n, number);
	hex_encode(c->signer, SHA256_BYTES, signer);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:b}", "anchor",
			 c->anchor_name, "issuer", c->issuer_text, "signer", signer, "number",
			 number, "thisUpdate", (json_int_t)c->this_update, "nextUpdate",
			 (json_int_t)c->next_update, "imported", (json_int_t)c->imported, "entries",
			 (json_int_t)c->entries, "source", c->source, "stale", c->stale);
}

int admin_list_crls(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct crl_row *rows;
	struct admin_list list = { .name = "crls", .size = sizeof(*rows), .to_json = crl_json };
	int r = store_crl_list(a->store, &rows, &list.n);

	if (r < 0)
		return r;
	list.rows = rows;
	r = admin_reply_list(a, call, &list);
	crl_rows_free(rows, list.n);
	return r;
}

/* --- import --- */

static void free_certs(struct cert **certs, size_t n)
{
	while (n-- > 0)
		cert_free(certs[n]);
}

/* Answers what cannot be read: 1. */
static int read_signers(struct vl_call *call, const json_t *list, struct cert **ret, size_t *ret_n)
{
	const json_t *text;
	const char *why;
	size_t i;

	*ret_n = 0;
	json_array_foreach(list, i, text) {
		if (i < LIMIT_CRL_SIGNERS &&
		    admin_certificate(json_string_value(text), &ret[i], &why) == 0) {
			++*ret_n;
			continue;
		}
		free_certs(ret, *ret_n);
		(void)admin_invalid(call, "signers",
				    i < LIMIT_CRL_SIGNERS ? why : "they are too many");
		return 1;
	}
	return 0;
}

int admin_begin_crl(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct cert *signers[LIMIT_CRL_SIGNERS];
	struct crl_import *i;
	int64_t bytes = admin_int(p, "bytes", 0);
	size_t n;
	int r;

	if (bytes < 1 || bytes > LIMIT_CRL_BYTES)
		return admin_invalid(call, "bytes", "a CRL has 1 byte to 128 MiB");
	if (vl_conn_userdata(vl_call_conn(call)))
		return admin_invalid(call, "bytes", "an import is under way on this connection");
	if (read_signers(call, json_object_get(p, "signers"), signers, &n) > 0)
		return 0;
	r = crl_import_new(a, vl_call_conn(call), admin_text(p, "anchor"), admin_text(p, "source"),
			   (size_t)bytes, signers, n, &i);
	if (r < 0)
		return admin_fail(call, r, r == -EBUSY ? "import" : "anchor");
	vl_conn_set_userdata(vl_call_conn(call), i);
	return vl_call_reply(call, json_pack("{s:I}", "import", (json_int_t)i->id));
}

/* The import of this connection; answers when there is none. */
static struct crl_import *find_import(struct vl_call *call, const json_t *p,
				      enum crl_import_state state)
{
	struct crl_import *i = vl_conn_userdata(vl_call_conn(call));

	if (i && i->id == admin_int(p, "import", 0) && i->state <= state)
		return i;
	(void)admin_fail(call, -ENOENT, "import");
	return NULL;
}

static void end_import(struct crl_import *i)
{
	if (i->conn)
		vl_conn_set_userdata(i->conn, NULL);
	crl_import_free(i);
}

int admin_put_crl(struct vl_call *call, json_t *p, _unused_ void *userdata)
{
	struct crl_import *i = find_import(call, p, CRL_RECEIVING);
	const char *text = admin_text(p, "data");
	_cleanup_(freep) uint8_t *data = NULL;
	size_t n;
	int r;

	if (!i)
		return 0;
	r = base64_decode_new(text, strlen(text), &data, &n);
	if (r == 0)
		r = crl_import_put(i, data, n);
	if (r == 0)
		return vl_call_reply(call, NULL);
	end_import(i);
	if (r == -EBADMSG || r == -EMSGSIZE)
		return admin_invalid(call, "data",
				     r == -EBADMSG ? "it is not base64"
						   : "it is more than was said");
	return r;
}

/* --- apply --- */

/* A signer that is revoked itself speaks for nobody.  An anchor is trusted by itself: nothing above
 * it could say so, and where evidence is asked for the first list there is has to be its own. */
static int check_signer(const struct crl_import *i, const char **ret_why)
{
	const struct crl_reader *reader = &i->reader;
	const struct anchor *anchor = authority_anchor(i->a, reader->signer.path.anchor);
	const struct cert *chain[64] = { reader->signer.cert };
	struct revocation_facts facts;
	size_t n = 1;
	int r;

	if (anchor &&
	    memcmp(anchor->spki_sha256, reader->signer.cert->spki_sha256, SHA256_BYTES) == 0)
		return 0;
	for (size_t k = 0; k < reader->n_certs && n < ARRAY_SIZE(chain); k++)
		chain[n++] = reader->certs[k];
	r = revocations_look(i->a, chain, n, &reader->signer.path, reader->now, &facts);
	if (r == 0 && !revocation_lets_pass(&facts))
		*ret_why =
			facts.status == REVOCATION_REVOKED
				? "the certificate of its signer is revoked"
				: "nothing current says whether its signer is revoked: import the "
				  "CRL of the CA above it first";
	return r;
}

/* Neither its number nor its date may fall: an old list would hide what is known since. */
static int prepare(struct crl_import *i, const char **ret_why)
{
	const struct crl_reader *reader = &i->reader;
	struct store *s = i->a->store;
	struct crl_row row;
	int r = check_signer(i, ret_why);

	if (r < 0 || *ret_why)
		return r;
	r = store_crl_issuer(s, reader->anchors[reader->anchor].id, &reader->crl.issuer,
			     &i->issuer);
	if (r == 0)
		r = store_crl_get(s, i->issuer, reader->signer.cert->spki_sha256,
				  &reader->crl.scope.whole, &row);
	i->seen = clock_realtime(i->a->clock);
	if (r == -ENOENT)
		return store_crl_next_id(s, &i->crl);
	if (r < 0)
		return r;
	i->crl = row.id;
	if (crl_number_compare(&reader->crl.number, &(struct view){ row.number, row.number_n }) <
		    0 ||
	    reader->crl.this_update < row.this_update)
		*ret_why =
			"it is older than the one at hand (its number, or thisUpdate, falls); if "
			"that one is wrong: 'certlogin crl forget'";
	return 0;
}

static int on_read(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t revents,
		   void *userdata)
{
	struct crl_import *i = userdata;
	struct vl_call *call = STEAL(i->waiting);
	const char *why = NULL;
	int r = 0;

	(void)pthread_join(i->thread, NULL);
	i->joinable = false;
	i->watch = sd_event_source_disable_unref(i->watch);
	if (!i->conn)
		r = -ECANCELED;
	else if (i->reader.no_memory)
		r = -ENOMEM;
	else if (i->reader.fault != CRL_GOOD)
		why = crl_fault_text(i->reader.fault);
	else
		r = prepare(i, &why);
	if (r == 0 && !why) {
		i->state = CRL_APPLYING;
		(void)turn_reply(i->a->turn, call,
				 json_pack("{s:b, s:i, s:I}", "done", 0, "rows", 0, "total",
					   (json_int_t)i->reader.n));
		vl_call_drop(call); /* the turn has a reference of its own */
		return 0;
	}
	end_import(i);
	if (why)
		(void)admin_refused(call, "CRL", why);
	else
		(void)vl_call_error_errno(call, r);
	return 0;
}

static int apply_slice(struct crl_import *i)
{
	const struct crl *crl = &i->reader.crl;
	size_t end =
		i->next + LIMIT_CRL_SLICE < i->reader.n ? i->next + LIMIT_CRL_SLICE : i->reader.n;
	int r = 0;

	for (; r == 0 && i->next < end; i->next++) {
		struct view in = { crl->entries.p + i->reader.order[i->next],
				   crl->entries.n - i->reader.order[i->next] };
		struct crl_entry e;

		r = crl_next(&in, &e);
		if (r == 0)
			r = store_revoked_put(i->a->store, i->issuer, &e.serial, e.reason, e.since,
					      i->crl, i->seen);
	}
	return r;
}

static void row_of(struct crl_import *i, struct crl_row *ret)
{
	struct crl_reader *r = &i->reader;
	const struct crl *crl = &r->crl;

	*ret = (struct crl_row){ .id = i->crl,
				 .issuer = i->issuer,
				 .anchor = r->anchors[r->anchor].id,
				 .this_update = crl->this_update,
				 .next_update = crl->next_update,
				 .imported = i->seen,
				 .entries = (int64_t)r->n,
				 .number_n = crl->number.n,
				 .scope = (uint8_t *)(uintptr_t)crl->scope.whole.p,
				 .scope_n = crl->scope.whole.n,
				 .keys = r->signer.keys,
				 .n_keys = r->signer.n_keys };
	memcpy(ret->signer, r->signer.cert->spki_sha256, SHA256_BYTES);
	memcpy(ret->number, crl->number.p, crl->number.n); /* <= 20: crl_read() */
	memcpy(ret->source, i->source, sizeof(ret->source));
	name_text(&crl->issuer, ret->issuer_text, sizeof(ret->issuer_text));
	for (size_t k = 0; k < i->a->n_anchors; k++)
		if (i->a->anchors[k].id == ret->anchor)
			(void)snprintf(ret->anchor_name, sizeof(ret->anchor_name), "%s",
				       i->a->anchors[k].name);
}

/* The list counts from here on. */
static int finish(struct crl_import *i, struct vl_call *call)
{
	struct authority *a = i->a;
	struct crl_row row;
	int r = store_change_begin(a->store);

	row_of(i, &row);
	if (r == 0)
		r = admin_finish(
			a, call, store_crl_put(a->store, &row, i->seen),
			&(struct admin_change){ .kind = "admin.crl.import",
						.what = "crl",
						.detail = crl_json(&row),
						.reply = json_pack("{s:b, s:I, s:I, s:o}", "done",
								   1, "rows", (json_int_t)i->next,
								   "total", (json_int_t)i->reader.n,
								   "crl", crl_json(&row)),
						.changed = revocations_load });
	end_import(i);
	return r;
}

int admin_apply_crl(struct vl_call *call, json_t *p, void *userdata)
{
	struct crl_import *i = find_import(call, p, CRL_APPLYING);
	struct authority *a = userdata;
	int r;

	if (!i)
		return 0;
	if (i->state == CRL_RECEIVING && i->have < i->size)
		return admin_invalid(call, "import", "not all of it has come");
	if (i->state == CRL_RECEIVING) {
		r = crl_import_read(i, on_read);
		if (r == 0)
			i->waiting = vl_call_ref(call);
		else
			end_import(i);
		return r;
	}
	r = apply_slice(i);
	if (r == 0 && i->next == i->reader.n)
		return finish(i, call);
	if (r < 0) {
		end_import(i);
		(void)turn_kick(a->turn); /* what is there of it is revoked all the same */
		return r;
	}
	return turn_reply(a->turn, call,
			  json_pack("{s:b, s:I, s:I}", "done", 0, "rows", (json_int_t)i->next,
				    "total", (json_int_t)i->reader.n));
}

void api_admin_disconnected(struct vl_conn *conn, _unused_ void *userdata)
{
	struct crl_import *i = vl_conn_userdata(conn);

	if (!i)
		return;
	i->conn = NULL;
	if (i->state != CRL_READING) /* else on_read() ends it: nobody waits for the thread */
		crl_import_free(i);
}

int admin_forget_crl(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *anchor = admin_text(p, "anchor"), *issuer = admin_text(p, "issuer");
	int r = store_change_begin(a->store);

	if (r < 0)
		return r;
	return admin_finish(a, call, store_crl_forget(a->store, anchor, issuer),
			    &(struct admin_change){ .kind = "admin.crl.forget",
						    .what = "crl",
						    .detail = json_pack("{s:s, s:s?}", "anchor",
									anchor, "issuer", issuer),
						    .reply = json_object(),
						    .changed = revocations_load });
}
