// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/revocations.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/log.h"
#include "lib/pki/dn.h"

struct revocations {
	struct crl_row *rows;
	struct revocation_list *lists; /* one a row, in the same order: by anchor, issuer */
	size_t n;
	bool ocsp; /* there are answers of responders at all */
};

struct revocations *revocations_free(struct revocations *r)
{
	if (r) {
		crl_rows_free(r->rows, r->n);
		free(r->lists);
		free(r);
	}
	return NULL;
}

/* The look-up by serial number was made before, for all lists of the issuer at once. */
static int not_listed(const struct revocation_list *l, const struct view *issuer,
		      const struct view *serial, struct revoked *ret)
{
	(void)l;
	(void)issuer;
	(void)serial;
	(void)ret;
	return 0;
}

static int list_of(const struct crl_row *row, struct revocation_list *ret)
{
	*ret = (struct revocation_list){
		.issuer = { row->name, row->name_n },
		.this_update = row->this_update,
		.next_update = row->next_update,
		.number = { row->number, row->number_n },
		.keys = row->keys,
		.n_keys = row->n_keys,
		.stale = row->stale,
		.find = not_listed,
		.data = row,
	};
	return crl_scope_read((struct view){ row->scope, row->scope_n }, &ret->scope);
}

int revocations_load(struct authority *a)
{
	struct revocations *new = calloc(1, sizeof(*new));
	int r = new ? store_crl_list(a->store, &new->rows, &new->n) : -ENOMEM;

	if (r == 0)
		r = store_ocsp_any(a->store, &new->ocsp);
	if (r == 0) {
		new->lists = calloc(new->n ? new->n : 1, sizeof(*new->lists));
		r = new->lists ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < new->n; i++)
		r = list_of(&new->rows[i], &new->lists[i]) < 0 ? -EUCLEAN : 0;
	revocations_free(a->revocations);
	a->revocations = r < 0 ? revocations_free(new) : new;
	return r;
}

size_t revocations_lists(const struct authority *a, const struct crl_row **ret)
{
	*ret = a->revocations ? a->revocations->rows : NULL;
	return a->revocations ? a->revocations->n : 0;
}

bool revocations_any_ocsp(const struct authority *a)
{
	return a->revocations && a->revocations->ocsp;
}

/* --- one certificate --- */

struct look {
	struct authority *a;
	const struct anchor *anchor;
	const struct revocation_list *lists; /* of the anchor */
	size_t n;
	int64_t now;
	struct revocation_facts *ret;
};

/* Is it revoked, by whichever list of its issuer's name (DESIGN section 3)?  1, 0, -errno. */
static int known_revoked(const struct look *l, const struct cert *cert, struct revoked *ret)
{
	int64_t last = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct crl_row *row = l->lists[i].data;
		int r;

		if (row->issuer == last || !dn_equal(&l->lists[i].issuer, &cert->issuer))
			continue;
		last = row->issuer;
		r = store_revoked_get(l->a->store, row->issuer, &cert->serial, &ret->reason,
				      &ret->since);
		if (r != -ENOENT)
			return r < 0 ? r : 1;
	}
	return 0;
}

static void name_list(const struct revocation *rev, struct revocation_facts *ret)
{
	const struct crl_row *row = rev->by ? rev->by->data : NULL;
	char hex[HEX_SIZE(sizeof(row->number))];

	if (!row)
		return;
	hex_encode(row->number, row->number_n, hex);
	(void)snprintf(ret->list, sizeof(ret->list), "CRL %.40s of %.100s", hex, row->issuer_text);
	ret->this_update = row->this_update;
	ret->next_update = row->next_update;
}

/* What a responder said of it: 1 with ret->status when that decides; 0; -errno. */
static int look_ocsp(const struct look *l, const struct cert *cert, const struct cert *issuer,
		     int64_t grace, bool *ret_any)
{
	struct revocation_facts *ret = l->ret;
	struct ocsp_row row;
	int r;

	*ret_any = false;
	if (!l->a->revocations->ocsp)
		return 0;
	r = store_ocsp_get(l->a->store, l->anchor->id, issuer->spki_sha256, cert->serial.p,
			   cert->serial.n, &row);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	*ret_any = true;
	ret->ocsp = true;
	(void)snprintf(ret->list, sizeof(ret->list), "the OCSP answer of %.100s", row.source);
	ret->this_update = row.this_update;
	ret->next_update = row.next_update;
	ret->status = REVOCATION_UNKNOWN;
	if (row.status == OCSP_STATUS_REVOKED) {
		ret->status = REVOCATION_REVOKED;
		ret->revoked = (struct revoked){ row.reason, row.since };
		return 1;
	}
	if (row.status != OCSP_STATUS_GOOD)
		return 0;
	ret->status =
		row.stale || l->now - grace > row.next_update ? REVOCATION_STALE : REVOCATION_GOOD;
	return ret->status == REVOCATION_GOOD;
}

/* A revocation counts whoever tells of it; and either kind of evidence that is fresh will do. */
static int look_at(const struct look *l, const struct cert *cert, const struct cert *issuer)
{
	const struct anchor_policy *p = &l->anchor->policy;
	int64_t grace = p->revocation == REVOCATION_GRACE ? p->grace : 0;
	struct revocation_facts *ret = l->ret;
	struct revocation rev;
	bool asked;
	int r = known_revoked(l, cert, &ret->revoked);

	ret->list[0] = '\0';
	ret->ocsp = false;
	if (r > 0)
		ret->status = REVOCATION_REVOKED;
	if (r != 0)
		return r < 0 ? r : 0;
	r = look_ocsp(l, cert, issuer, grace, &asked);
	ret->any |= asked;
	if (r != 0)
		return r < 0 ? r : 0;
	r = revocation_check(cert, issuer, l->lists, l->n, l->now, grace, &rev);
	if (r < 0)
		return r;
	ret->any = asked || rev.any;
	if (asked && rev.status != REVOCATION_GOOD)
		return 0;
	ret->status = rev.status;
	ret->ocsp = false;
	name_list(&rev, ret);
	return 0;
}

/* --- a path --- */

static const struct cert *find_cert(struct authority *a, const struct cert *const *chain, size_t n,
				    const uint8_t sha256[SHA256_BYTES])
{
	for (size_t i = 1; i < n; i++)
		if (memcmp(chain[i]->sha256, sha256, SHA256_BYTES) == 0)
			return chain[i];
	for (size_t i = 0; i < a->n_anchors; i++)
		if (a->anchors[i].cert &&
		    memcmp(a->anchors[i].cert->sha256, sha256, SHA256_BYTES) == 0)
			return a->anchors[i].cert;
	return NULL;
}

static void lists_of(struct look *l)
{
	const struct revocations *all = l->a->revocations;
	size_t i = 0;

	while (i < all->n && all->rows[i].anchor != l->anchor->id)
		i++;
	l->lists = all->lists + i;
	while (i + l->n < all->n && all->rows[i + l->n].anchor == l->anchor->id)
		l->n++;
}

int revocations_look(struct authority *a, const struct cert *const *chain, size_t n,
		     const struct path *path, int64_t now, struct revocation_facts *ret)
{
	struct look l = { .a = a, .anchor = authority_anchor(a, path->anchor), .now = now, .ret = ret };
	int r = 0;

	*ret = (struct revocation_facts){ .status = REVOCATION_UNKNOWN, .is_leaf = true };
	if (!l.anchor || !a->revocations)
		return l.anchor ? -EIO : -ENOENT;
	ret->mode = l.anchor->policy.revocation;
	lists_of(&l);
	if (l.n == 0 && !a->revocations->ocsp)
		return 0;
	for (size_t i = path->n_issuers; r == 0 && i-- > 0;) {
		const struct cert *issuer = find_cert(a, chain, n, path->issuers[i]);
		const struct cert *cert =
			i > 0 ? find_cert(a, chain, n, path->issuers[i - 1]) : chain[0];

		if (!issuer || !cert)
			return -ENOENT;
		ret->is_leaf = i == 0;
		ret->any = false;
		r = look_at(&l, cert, issuer);
		if (!revocation_lets_pass(ret))
			break;
	}
	return r;
}

void revocations_row(struct ocsp_row *ret, int64_t anchor, const struct cert *cert,
		     const struct cert *issuer, const struct ocsp_answer *answer)
{
	*ret = (struct ocsp_row){ .anchor = anchor,
				  .serial_n = cert->serial.n,
				  .status = answer->status,
				  .reason = answer->reason,
				  .since = answer->revoked,
				  .this_update = answer->this_update,
				  .next_update = answer->next_update };
	memcpy(ret->issuer_key, issuer->spki_sha256, SHA256_BYTES);
	memcpy(ret->serial, cert->serial.p, cert->serial.n);
}

int revocations_staple(struct authority *a, const struct cert *const *chain, size_t n,
		       const struct path *path, const struct view *staple, int64_t now)
{
	const struct cert *issuer =
		path->n_issuers > 0 ? find_cert(a, chain, n, path->issuers[0]) : NULL;
	struct ocsp_answer answer;
	struct ocsp_row row;
	bool is_new;
	int r;

	if (!issuer || !a->revocations || chain[0]->serial.n > OCSP_SERIAL_MAX)
		return 0;
	r = ocsp_check(staple, chain[0], issuer, now, NULL, &answer);
	if (r < 0 || answer.fault != OCSP_GOOD)
		return r;
	revocations_row(&row, path->anchor, chain[0], issuer, &answer);
	(void)snprintf(row.source, sizeof(row.source), "the client, stapled");
	r = store_ocsp_put(a->store, &row, &is_new);
	if (r < 0)
		return r == -EALREADY ? 0 : r;
	a->revocations->ocsp = true;
	return is_new;
}
