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

/* The anchor that it leads to; 0: none, and nothing in it counts. */
static int find_anchor(struct authority *a, const struct cert *c, int64_t *ret)
{
	int64_t now = authority_now(a);
	struct path path;
	int r = path_build(&c, 1, a->anchors, a->n_anchors, now, &a->memo, &path);

	if (r < 0)
		return r;
	*ret = path.fault == PATH_GOOD && now <= path.not_after ? path.anchor : 0;
	return 0;
}

static int note(struct authority *a, const struct cert *c, int64_t anchor)
{
	struct view uris[CERT_URIS_MAX];
	size_t n = 0;
	int r = 0;

	if (cert_uris(c, CERT_URIS_CRL, uris, &n) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		char url[LIMIT_URL + 1];
		const char *why;

		if (uris[i].n > LIMIT_URL || memchr(uris[i].p, '\0', uris[i].n))
			continue;
		memcpy(url, uris[i].p, uris[i].n);
		url[uris[i].n] = '\0';
		if (url_ok(url, &why)) /* ldap is common, and passed over */
			r = store_source_seen(a->store, url, SOURCE_CRL, anchor, authority_now(a));
	}
	return r;
}

/* A root speaks for itself; what helps to build paths is looked up like everybody else. */
static int look_at_anchors(struct authority *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_anchors; i++) {
		const struct cert *c = a->anchors[i].cert;
		int64_t anchor = 0;

		if (!c)
			continue;
		if (a->anchors[i].kind == ANCHOR_CA && dn_equal(&c->issuer, &c->subject))
			anchor = a->anchors[i].id;
		else
			r = find_anchor(a, c, &anchor);
		if (r == 0 && anchor != 0)
			r = note(a, c, anchor);
	}
	return r;
}

static int look_at(struct authority *a, const uint8_t sha256[SHA256_BYTES])
{
	_cleanup_(cert_freep) struct cert *c = NULL;
	struct certificate row;
	int64_t anchor = 0;
	int r = store_certificate_get(a->store, sha256, &row);

	if (r < 0)
		return r;
	r = cert_parse(row.der, row.der_n, &c);
	certificate_deinit(&row);
	if (r == -EBADMSG) /* of a version that took more: it is nobody's in this one */
		return 0;
	if (r == 0)
		r = find_anchor(a, c, &anchor);
	return r == 0 && anchor != 0 ? note(a, c, anchor) : r;
}

int fetch_look(struct authority *a, const uint8_t *after, bool *ret_more,
	       uint8_t ret_next[SHA256_BYTES])
{
	_cleanup_(freep) struct certificate *rows = NULL;
	size_t n = 0;
	int r = after ? 0 : look_at_anchors(a);

	if (r == 0)
		r = store_certificate_list(a->store, NULL, after, LIMIT_FETCH_CERTIFICATES, &rows,
					   &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = look_at(a, rows[i].sha256);
	if (r < 0)
		return r;
	*ret_more = n == LIMIT_FETCH_CERTIFICATES;
	if (*ret_more)
		memcpy(ret_next, rows[n - 1].sha256, SHA256_BYTES);
	return 0;
}
