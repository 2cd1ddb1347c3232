// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/fetch.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/base/name.h"
#include "lib/base/url.h"
#include "lib/pki/ocsp.h"

/* Where revocation is fetched from: for administrators, and for certlogin-fetch. */

/* --- sources --- */

static json_t *source_json(const void *row)
{
	const struct source *s = row;

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "url", s->url, "kind",
			 source_kind_text(s->kind), "anchor", s->anchor_name, "origin",
			 s->configured ? "configured" : "certificate", "tried",
			 (json_int_t)s->tried, "succeeded", (json_int_t)s->succeeded, "due",
			 (json_int_t)s->due, "error", s->error);
}

static int finish_source(struct authority *a, struct vl_call *call, int r, const char *url,
			 const char *anchor, bool add)
{
	struct source row = { 0 };

	if (r == 0 && add)
		r = store_source_get(a->store, url, SOURCE_CRL, &row);
	return admin_finish(
		a, call, r,
		&(struct admin_change){
			.kind = add ? "admin.source.add" : "admin.source.remove",
			.what = "source",
			.detail = json_pack("{s:s, s:s?}", "url", url, "anchor", anchor),
			.reply = add ? json_pack("{s:o}", "source", source_json(&row))
				     : json_object() });
}

int admin_add_source(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *url = admin_text(p, "url"), *anchor = admin_text(p, "anchor"), *why;
	bool known = false;
	int r;

	if (!url_ok(url, &why))
		return admin_invalid(call, "url", why);
	for (size_t i = 0; i < a->n_anchors; i++)
		known |= a->anchors[i].kind == ANCHOR_CA && strcmp(a->anchors[i].name, anchor) == 0;
	if (!known)
		return admin_fail(call, -ENOENT, "anchor");
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_source_add(a->store, url, anchor);
	if (r == -EDQUOT) {
		(void)store_change_end(a->store, r);
		return admin_invalid(call, "url", "there are too many sources");
	}
	return finish_source(a, call, r, url, anchor, true);
}

int admin_remove_source(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *url = admin_text(p, "url");
	int r = store_change_begin(a->store);

	if (r < 0)
		return r;
	return finish_source(a, call, store_source_remove(a->store, url), url, NULL, false);
}

int admin_list_sources(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(freep) struct source *rows = NULL;
	struct admin_list list = { .name = "sources",
				   .size = sizeof(*rows),
				   .to_json = source_json };
	bool on, more = false;
	json_t *all;
	int r = fetch_from_certificates(a, &on);

	if (r == 0)
		r = store_source_list(a->store, &rows, &list.n);
	if (r < 0)
		return r;
	list.rows = rows;
	all = admin_rows(&list, &more);
	if (more) { /* cannot be: LIMIT_FETCH_SOURCES of them fit */
		json_decref(all);
		return -EMSGSIZE;
	}
	return admin_reply(a, call,
			   json_pack("{s:o, s:b}", "sources", all, "fromCertificates", on));
}

int admin_set_fetch(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	bool on = admin_bool(p, "fromCertificates", false);
	int r = store_change_begin(a->store);

	if (r < 0)
		return r;
	return admin_finish(
		a, call, fetch_set_from_certificates(a, on),
		&(struct admin_change){ .kind = "admin.fetch.set",
					.what = "setting",
					.detail = json_pack("{s:b}", "fromCertificates", on),
					.reply = json_object() });
}

/* --- jobs --- */

/* Is it a job at all? */
static bool is_job(const struct source *s, bool from_certificates, int64_t now)
{
	return s->kind == SOURCE_CRL &&
	       (s->configured ||
		(from_certificates && s->seen >= now - (int64_t)LIMIT_FETCH_SEEN_USEC));
}

static int add_crl_jobs(struct authority *a, bool from_certificates, json_t *jobs)
{
	_cleanup_(freep) struct source *rows = NULL;
	int64_t now = authority_now(a);
	size_t n = 0;
	int r = store_source_list(a->store, &rows, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_job(&rows[i], from_certificates, now) &&
		    json_array_append_new(jobs,
					  json_pack("{s:s, s:s, s:s, s:b}", "kind", "crl", "url",
						    rows[i].url, "anchor", rows[i].anchor_name,
						    "due", fetch_due(&rows[i], now))) < 0)
			r = -ENOMEM;
	return r;
}

/* Without a nonce: the answer may be one that was made before (RFC 5019 4). */
static int add_ocsp_job(void *userdata, const struct fetch_ocsp *job)
{
	_cleanup_(freep) char *request = NULL, *cert = NULL, *issuer = NULL;
	_cleanup_(buf_deinitp) struct buf der = { 0 };
	json_t *jobs = userdata;
	int r = ocsp_request_new(job->cert, job->issuer, NULL, &der);

	if (r < 0)
		return r;
	request = base64_encode_new(der.p, der.n);
	cert = base64_encode_new(job->cert->der.p, job->cert->der.n);
	issuer = base64_encode_new(job->issuer->der.p, job->issuer->der.n);
	if (!request || !cert || !issuer)
		return -ENOMEM;
	return json_array_append_new(jobs, json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "kind",
						     "ocsp", "url", job->url, "anchor", job->anchor,
						     "due", job->due, "request", request,
						     "certificate", cert, "issuer", issuer)) < 0
		       ? -ENOMEM
		       : 0;
}

/* Page by page through the certificates; the CRLs come with the last one. */
int admin_list_fetch_jobs(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *after = admin_text(p, "after");
	_cleanup_(json_decrefp) json_t *jobs = json_array();
	uint8_t hash[SHA256_BYTES], next[SHA256_BYTES];
	char hex[HEX_SIZE(SHA256_BYTES)];
	bool on = false, more = false;
	int r;

	if (after && admin_hash(after, hash) < 0)
		return admin_invalid(call, "after", "it is not 64 hex digits");
	r = fetch_from_certificates(a, &on);
	if (r == 0 && on)
		r = fetch_look(a, after ? hash : NULL, add_ocsp_job, jobs, &more, next);
	if (r == 0 && !more)
		r = store_source_clean(a->store,
				       authority_now(a) - (int64_t)LIMIT_FETCH_FORGET_USEC);
	if (r == 0 && !more)
		r = add_crl_jobs(a, on, jobs);
	if (r < 0)
		return r;
	if (more)
		hex_encode(next, sizeof(next), hex);
	return admin_reply(a, call,
			   more ? json_pack("{s:O, s:s}", "jobs", jobs, "next", hex)
				: json_pack("{s:O}", "jobs", jobs));
}

/* --- results --- */

/* The earliest of what came from there is the next to be asked for. */
static int good(struct authority *a, const char *url, enum source_kind kind, int64_t now)
{
	_cleanup_(freep) struct source_window *rows = NULL;
	int64_t due = now + (int64_t)LIMIT_FETCH_AGAIN_USEC;
	size_t n = 0;
	int r = kind == SOURCE_CRL ? store_source_windows(a->store, url, &rows, &n) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		int64_t again = fetch_again(rows[i].this_update, rows[i].next_update, now);

		due = i == 0 || again < due ? again : due;
	}
	return store_source_good(a->store, url, kind, now, due);
}

int admin_report_fetch(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	const char *url = admin_text(p, "url"), *error = admin_text(p, "error");
	int64_t now = authority_now(a);
	char text[LIMIT_REASON + 1];
	enum source_kind kind;
	int r;

	if (source_kind_parse(admin_text(p, "kind"), &kind) < 0)
		return admin_invalid(call, "kind", "it is none of crl, ocsp");
	if (error) {
		text_clean(*error ? error : "no reason was given", *error ? strlen(error) : 19,
			   text, sizeof(text));
		r = store_source_bad(a->store, url, kind, now, text);
	} else {
		r = good(a, url, kind, now);
	}
	if (r < 0)
		return admin_fail(call, r, "source");
	/* the address is that of a row, hence one that url_ok() took */
	if (error)
		log_warning("fetch: %s: %s", url, text);
	else
		log_info("fetch: %s: good", url);
	return admin_reply(a, call, json_object());
}
