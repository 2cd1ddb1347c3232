// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/authority.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>

#include "daemon/authority/revocations.h"
#include "daemon/authority/anchor-policy.h"
#include "lib/base/log.h"

static void anchors_free(struct anchor *anchors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)(uintptr_t)anchors[i].name);
		cert_free((struct cert *)(uintptr_t)anchors[i].cert);
	}
	free(anchors);
}

const struct anchor *authority_anchor(const struct authority *a, int64_t id)
{
	for (size_t i = 0; i < a->n_anchors; i++)
		if (a->anchors[i].id == id)
			return &a->anchors[i];
	return NULL;
}

void authority_trust_clear(struct authority *a)
{
	anchors_free(a->anchors, a->n_anchors);
	a->anchors = NULL;
	a->n_anchors = 0;
	a->revocations = revocations_free(a->revocations);
	a->rules = rules_free(a->rules);
}

/* A policy that we do not understand may have asked for more. */
static int read_anchor(const struct anchor_row *row, struct anchor *ret)
{
	struct anchor a = { .id = row->id, .kind = row->kind };
	_cleanup_(cert_freep) struct cert *cert = NULL;
	struct cert key = { 0 };
	int r = anchor_policy_parse(row->policy, &a.policy);

	if (r == 0 && row->kind == ANCHOR_KEY)
		r = cert_parse_key(row->der, row->der_n, &key);
	else if (r == 0)
		r = cert_parse(row->der, row->der_n, &cert);
	if (r < 0)
		return r;
	memcpy(a.spki_sha256, cert ? cert->spki_sha256 : key.spki_sha256, SHA256_BYTES);
	a.name = strdup(row->name);
	if (!a.name)
		return -ENOMEM;
	a.cert = STEAL(cert);
	*ret = a;
	return 0;
}

static int read_anchors(struct authority *a, const struct anchor_row *rows, size_t n)
{
	struct anchor *anchors = calloc(n ? n : 1, sizeof(*anchors));
	size_t have = 0;

	if (!anchors)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (read_anchor(&rows[i], &anchors[have]) == 0)
			have++;
		else
			log_warning("the anchor %s cannot be read and is not trusted",
				    rows[i].name);
	}
	authority_trust_clear(a);
	a->anchors = anchors;
	a->n_anchors = have;
	return 0;
}

int authority_trust_changed(struct authority *a)
{
	struct anchor_row *rows;
	size_t n;
	int r;

	/* first of all nothing is remembered: a failure below must not leave old trust in place */
	trust_cache_clear(a->cache);
	r = store_anchor_list(a->store, &rows, &n);
	if (r < 0) {
		authority_trust_clear(a);
		return r;
	}
	r = read_anchors(a, rows, n);
	anchor_rows_free(rows, n);
	if (r == 0)
		r = revocations_load(a);
	if (r == 0)
		r = rules_load(a->store, &a->rules);
	if (r < 0)
		authority_trust_clear(a);
	return r;
}

#define SYNCHRONISED_FOR_USEC (10 * USEC_PER_SEC) /* not asked at every decision */

static bool synchronised(struct authority *a)
{
	uint64_t now = clock_boottime(a->clock);
	struct timex t = { 0 };
	int state;

	if (now - a->synchronised_at >= SYNCHRONISED_FOR_USEC) {
		state = adjtimex(&t);
		a->synchronised = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
		a->synchronised_at = now;
	}
	return a->synchronised;
}

int64_t authority_now(struct authority *a)
{
	return store_now(a->store, synchronised(a));
}
