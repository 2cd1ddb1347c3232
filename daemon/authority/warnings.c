// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/revocations.h"
#include "lib/base/log.h"
#include "lib/pki/digest.h"

#define DAY_USEC (24 * 3600 * (int64_t)USEC_PER_SEC)
#define WARNINGS_MAX 50 /* of each kind: whoever has more sees these first */
#define ANCHOR_DAYS 30	/* a CA certificate takes longer to replace than a list */

/* The two lists become one: what denies comes first. */
struct warnings {
	struct authority *a;
	json_t *errors, *others;
	int64_t now;
};

/* time: of the thing, 0: none */
static _printf_(6, 7) void put(struct warnings *w, bool error, const char *about, int64_t time,
			       const char *todo, const char *format, ...)
{
	char text[512 + LIMIT_URL + LIMIT_REASON + 128]; /* an issuer's name, a URL, its error */
	json_t *list = error ? w->errors : w->others;
	va_list ap;

	if (json_array_size(list) >= WARNINGS_MAX)
		return;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* one that finds no memory is missing from the list, and the next call has it */
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s, s:s, s:I, s:s}", "level",
					      error ? "error" : "warning", "about", about, "text",
					      text, "time", (json_int_t)time, "todo", todo));
}

bool warning_ends_soon(int64_t this_update, int64_t next_update, int64_t now)
{
	int64_t quarter = (next_update - this_update) / 4;

	return now > next_update - (quarter < DAY_USEC ? quarter : DAY_USEC);
}

/* --- anchors --- */

/* Does an anchor deny whoever lacks evidence, were there never any? */
static bool asks(const struct anchor *anchor)
{
	return anchor->kind == ANCHOR_CA && (anchor->policy.revocation == REVOCATION_HARD ||
					     anchor->policy.revocation == REVOCATION_GRACE);
}

static void look_at_anchor(struct warnings *w, const struct anchor *anchor, bool any_evidence)
{
	bool over = anchor->cert && w->now > anchor->cert->not_after;

	if (anchor->cert && w->now > anchor->cert->not_after - ANCHOR_DAYS * DAY_USEC)
		put(w, over, anchor->name, anchor->cert->not_after,
		    "add the CA's new certificate by 'certlogin anchor add'",
		    over ? "the anchor's certificate has expired: nobody under it gets in"
			 : "the anchor's certificate expires");
	if (asks(anchor) && !any_evidence)
		put(w, true, anchor->name, 0,
		    "import a list ('certlogin crl import'), or say where it is ('certlogin source "
		    "add')",
		    "the anchor asks for revocation evidence and there is none: nobody under it "
		    "gets in");
}

/* --- lists --- */

static bool has_key(const struct crl_row *row, const uint8_t key[SHA256_BYTES])
{
	for (size_t i = 0; i < row->n_keys; i++)
		if (memcmp(row->keys[i], key, SHA256_BYTES) == 0)
			return true;
	return false;
}

/* Does a fresh list say all that this one did?  Another signer may have taken over. */
static bool is_covered(const struct warnings *w, const struct crl_row *rows, size_t n,
		       const struct crl_row *row)
{
	for (size_t i = 0; i < n; i++) {
		const struct crl_row *r = &rows[i];
		bool all = r != row && r->issuer == row->issuer && r->anchor == row->anchor &&
			   !r->stale && w->now <= r->next_update && r->scope_n == row->scope_n &&
			   (r->scope_n == 0 || memcmp(r->scope, row->scope, r->scope_n) == 0);

		for (size_t k = 0; all && k < row->n_keys; k++)
			all = has_key(r, row->keys[k]);
		if (all)
			return true;
	}
	return false;
}

static void look_at_list(struct warnings *w, const struct crl_row *rows, size_t n,
			 const struct crl_row *row)
{
	const struct anchor *anchor = authority_anchor(w->a, row->anchor);
	bool soft = anchor && anchor->policy.revocation == REVOCATION_SOFT;
	int64_t grace =
		anchor && anchor->policy.revocation == REVOCATION_GRACE ? anchor->policy.grace : 0;
	bool stale = row->stale || w->now > row->next_update;

	if (!stale && !warning_ends_soon(row->this_update, row->next_update, w->now))
		return;
	if (is_covered(w, rows, n, row))
		return;
	put(w, stale && !soft && (row->stale || w->now > row->next_update + grace),
	    row->anchor_name, row->next_update,
	    "get the CA's newest list ('certlogin fetch', 'certlogin crl import'); 'certlogin crl "
	    "forget' if the CA is no more",
	    row->stale ? "the revocation list of %s is that of a restored backup"
	    : stale    ? "the revocation list of %s should have been replaced"
		       : "the revocation list of %s ends soon",
	    row->issuer_text);
}

static void look_at_source(struct warnings *w, const struct source *s)
{
	if (s->error[0] == '\0' || (s->succeeded > 0 && w->now - s->succeeded < DAY_USEC))
		return;
	put(w, false, s->anchor_name, s->succeeded,
	    "see 'certlogin source list'; 'certlogin fetch' tries again at once",
	    s->succeeded > 0 ? "the %s source %s fails (%s) since it last gave something"
			     : "the %s source %s fails (%s), and never gave anything",
	    source_kind_text(s->kind), s->url, s->error);
}

static int look_at_revocation(struct warnings *w)
{
	_cleanup_(freep) struct source *sources = NULL;
	const struct crl_row *rows;
	size_t n = revocations_lists(w->a, &rows), n_sources;
	int r = store_source_list(w->a->store, &sources, &n_sources);

	for (size_t i = 0; i < w->a->n_anchors; i++) {
		bool any = revocations_any_ocsp(w->a);

		for (size_t k = 0; k < n; k++)
			any |= rows[k].anchor == w->a->anchors[i].id;
		look_at_anchor(w, &w->a->anchors[i], any);
	}
	for (size_t i = 0; i < n; i++)
		look_at_list(w, rows, n, &rows[i]);
	for (size_t i = 0; r == 0 && i < n_sources; i++)
		look_at_source(w, &sources[i]);
	return r;
}

/* --- this host --- */

static void look_at_host(struct warnings *w)
{
	if (w->a->commit_failed)
		put(w, true, "database", 0, "make room on its disk; the journal has the reason",
		    "records cannot be written: every login is denied");
	if (store_ballast_released(w->a->store))
		put(w, false, "database", 0,
		    "make room on its disk, then restart certlogind.service to set it aside anew",
		    "the disk was full, and what was set aside for that is used up");
}

json_t *warnings_list(struct authority *a)
{
	struct warnings w = { a, json_array(), json_array(), authority_now(a) };
	int r;

	look_at_host(&w);
	r = look_at_revocation(&w);
	if (r == 0 && (!w.errors || json_array_extend(w.errors, w.others) < 0))
		r = -1;
	json_decref(w.others);
	if (r < 0) {
		json_decref(w.errors);
		return NULL;
	}
	return w.errors;
}

static void tell(const json_t *one)
{
	int64_t time = json_integer_value(json_object_get(one, "time"));
	char text[CLOCK_TEXT];

	log_warning("%s: %s%s%s; %s", json_string_value(json_object_get(one, "about")),
		    json_string_value(json_object_get(one, "text")), time > 0 ? ": " : "",
		    time > 0 ? clock_text(time, text) : "",
		    json_string_value(json_object_get(one, "todo")));
}

void warnings_tell(struct authority *a)
{
	_cleanup_(freep) char *text = NULL;
	uint8_t hash[SHA256_BYTES];
	json_t *all = warnings_list(a), *one;
	size_t i;

	text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	if (text)
		sha256(text, strlen(text), hash);
	if (text && memcmp(hash, a->warned, sizeof(hash)) != 0) {
		memcpy(a->warned, hash, sizeof(hash));
		json_array_foreach(all, i, one)
			tell(one);
	}
	json_decref(all);
}
