// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/fetch.h"

#include <errno.h>
#include <string.h>

#include "lib/base/url.h"
#include "lib/pki/dn.h"
#include "lib/pki/uris.h"

#define SETTING "fetch.from-certificates"

/* --- when --- */

bool fetch_due(const struct source *s, int64_t now)
{
	/* a failure that lies ahead is of a clock that was wrong */
	if (*s->error && s->tried <= now && now - s->tried < (int64_t)LIMIT_FETCH_RETRY_USEC)
		return false;
	return s->succeeded == 0 || s->lost || s->due <= now;
}

int64_t fetch_again(int64_t this_update, int64_t next_update, int64_t now)
{
	int64_t soonest = now + (int64_t)LIMIT_FETCH_RETRY_USEC, due;

	if (next_update <= this_update)
		return now + (int64_t)LIMIT_FETCH_AGAIN_USEC;
	due = next_update - (next_update - this_update) / 3;
	return due > soonest ? due : soonest;
}

/* --- the setting --- */

int fetch_from_certificates(struct authority *a, bool *ret)
{
	_cleanup_(freep) char *text = NULL;
	int r = store_setting_get(a->store, SETTING, &text);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret = !text || strcmp(text, "yes") == 0;
	return 0;
}

int fetch_set_from_certificates(struct authority *a, bool on)
{
	return store_setting_set(a->store, SETTING, on ? "yes" : "no");
}

/* --- what stands in certificates --- */

/* The path to an anchor; its id is 0: none, and nothing in the certificate counts. */
static int find_path(struct authority *a, const struct cert *c, struct path *ret)
{
	int64_t now = authority_now(a);
	int r = path_build(&c, 1, a->anchors, a->n_anchors, now, &a->memo, ret);

	if (r == 0 && (ret->fault != PATH_GOOD || now > ret->not_after))
		ret->anchor = 0;
	return r;
}

/* One that may be asked for; ldap is common, and passed over. */
static bool read_url(const struct view *uri, char ret[LIMIT_URL + 1])
{
	const char *why;

	if (uri->n > LIMIT_URL || memchr(uri->p, '\0', uri->n))
		return false;
	memcpy(ret, uri->p, uri->n);
	ret[uri->n] = '\0';
	return url_ok(ret, &why);
}

static int note(struct authority *a, const struct cert *c, int64_t anchor)
{
	struct view uris[CERT_URIS_MAX];
	char url[LIMIT_URL + 1];
	size_t n = 0;
	int r = 0;

	if (cert_uris(c, CERT_URIS_CRL, uris, &n) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		if (read_url(&uris[i], url))
			r = store_source_seen(a->store, url, SOURCE_CRL, anchor, authority_now(a));
	return r;
}

/* --- OCSP --- */

static bool ocsp_due(const struct source *s, const struct ocsp_row *row, int64_t now)
{
	struct source asked = *s;

	/* the responder has many: only its failures count here, not when it was asked last */
	asked.succeeded = row ? 1 : 0;
	asked.lost = row && row->stale;
	asked.due = row ? fetch_again(row->this_update, row->next_update, row->imported) : 0;
	return !(row && ocsp_row_is_final(row) && !row->stale) && fetch_due(&asked, now);
}

static const struct anchor *anchor_by_cert(const struct authority *a, const uint8_t *sha256)
{
	for (size_t i = 0; i < a->n_anchors; i++)
		if (a->anchors[i].cert &&
		    memcmp(a->anchors[i].cert->sha256, sha256, SHA256_BYTES) == 0)
			return &a->anchors[i];
	return NULL;
}

/* The first responder that may be asked, about a certificate whose issuer is at hand. */
static int look_for_ocsp(struct authority *a, const struct cert *c, const struct path *path,
			 fetch_ocsp_func found, void *userdata)
{
	const struct anchor *issuer =
		path->n_issuers > 0 ? anchor_by_cert(a, path->issuers[0]) : NULL;
	int64_t now = authority_now(a);
	struct view uris[CERT_URIS_MAX];
	char url[LIMIT_URL + 1];
	struct ocsp_row row;
	struct source s;
	size_t n = 0, i = 0;
	int r, has_row;

	if (!issuer || cert_uris(c, CERT_URIS_OCSP, uris, &n) < 0)
		return 0;
	while (i < n && !read_url(&uris[i], url))
		i++;
	if (i == n)
		return 0;
	r = store_source_seen(a->store, url, SOURCE_OCSP, path->anchor, now);
	if (r == 0)
		r = store_source_get(a->store, url, SOURCE_OCSP, &s);
	if (r < 0) /* there are too many */
		return r == -ENOENT ? 0 : r;
	has_row = store_ocsp_get(a->store, path->anchor, issuer->cert->spki_sha256, c->serial.p,
				 c->serial.n, &row);
	if (has_row < 0 && has_row != -ENOENT)
		return has_row;
	return found(userdata,
		     &(struct fetch_ocsp){ .url = url,
					   .anchor = s.anchor_name,
					   .cert = c,
					   .issuer = issuer->cert,
					   .due = ocsp_due(&s, has_row == 0 ? &row : NULL, now) });
}

/* A root speaks for itself; what helps to build paths is looked up like everybody else. */
static int look_at_anchors(struct authority *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_anchors; i++) {
		const struct cert *c = a->anchors[i].cert;
		struct path path = { 0 };

		if (!c)
			continue;
		if (a->anchors[i].kind == ANCHOR_CA && dn_equal(&c->issuer, &c->subject))
			path.anchor = a->anchors[i].id;
		else
			r = find_path(a, c, &path);
		if (r == 0 && path.anchor != 0)
			r = note(a, c, path.anchor);
	}
	return r;
}

static int look_at(struct authority *a, const uint8_t sha256[SHA256_BYTES], fetch_ocsp_func found,
		   void *userdata)
{
	_cleanup_(cert_freep) struct cert *c = NULL;
	struct certificate row;
	struct path path = { 0 };
	int r = store_certificate_get(a->store, sha256, &row);

	if (r < 0)
		return r;
	r = cert_parse(row.der, row.der_n, &c);
	certificate_deinit(&row);
	if (r == -EBADMSG) /* of a version that took more: it is nobody's in this one */
		return 0;
	if (r == 0)
		r = find_path(a, c, &path);
	if (r < 0 || path.anchor == 0)
		return r;
	r = note(a, c, path.anchor);
	return r < 0 ? r : look_for_ocsp(a, c, &path, found, userdata);
}

int fetch_look(struct authority *a, const uint8_t *after, fetch_ocsp_func found, void *userdata,
	       bool *ret_more, uint8_t ret_next[SHA256_BYTES])
{
	_cleanup_(freep) struct certificate *rows = NULL;
	size_t n = 0;
	int r = after ? 0 : look_at_anchors(a);

	if (r == 0)
		r = store_certificate_list(a->store, NULL, after, LIMIT_FETCH_CERTIFICATES, &rows,
					   &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = look_at(a, rows[i].sha256, found, userdata);
	if (r < 0)
		return r;
	*ret_more = n == LIMIT_FETCH_CERTIFICATES;
	if (*ret_more)
		memcpy(ret_next, rows[n - 1].sha256, SHA256_BYTES);
	return 0;
}
