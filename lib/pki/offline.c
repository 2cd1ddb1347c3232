// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/offline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pki/dn.h"

/* A list whose signature was verified. */
struct used {
	struct crl_signer signer;
	const struct crl *crl;
};

struct work {
	const struct offline *in;
	struct offline_result *ret;
	struct used used[OFFLINE_CRLS_MAX];
	struct revocation_list lists[OFFLINE_CRLS_MAX];
	size_t n;
};

static int find_in_crl(const struct revocation_list *l, const struct view *issuer,
		       const struct view *serial, struct revoked *ret)
{
	const struct used *u = l->data;
	struct crl_entry e;
	int r = crl_find(u->crl, issuer, serial, &e);

	if (r > 0)
		*ret = (struct revoked){ e.reason, e.since };
	return r;
}

static void add_list(struct work *w, const struct used *u)
{
	const struct crl *c = u->crl;
	struct used *own = &w->used[w->n];

	*own = *u;
	w->lists[w->n++] = (struct revocation_list){
		.issuer = c->issuer,
		.this_update = c->this_update,
		.next_update = c->next_update,
		.number = c->number,
		.base = c->base,
		.scope = c->scope,
		.keys = own->signer.keys,
		.n_keys = own->signer.n_keys,
		.find = find_in_crl,
		.data = own,
	};
}

/* Of the same list only the newest counts: what it says no more, a hold, is released. */
static bool is_superseded(const struct work *w, const struct used *u)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct crl *a = u->crl, *b = w->used[i].crl;

		if (dn_equal(&a->issuer, &b->issuer) && (a->base.n > 0) == (b->base.n > 0) &&
		    view_is(&a->scope.whole, b->scope.whole.p, b->scope.whole.n) &&
		    memcmp(u->signer.cert->spki_sha256, w->used[i].signer.cert->spki_sha256,
			   SHA256_BYTES) == 0 &&
		    crl_number_compare(&a->number, &b->number) < 0)
			return true;
	}
	return false;
}

static const struct cert *by_hash(const struct offline *in, const uint8_t sha256[SHA256_BYTES])
{
	for (size_t i = 0; i < in->n_certs; i++)
		if (memcmp(in->certs[i]->sha256, sha256, SHA256_BYTES) == 0)
			return in->certs[i];
	return memcmp(in->anchor->cert->sha256, sha256, SHA256_BYTES) == 0 ? in->anchor->cert
									   : NULL;
}

static bool is_vouched(const struct offline *in, const struct cert *c)
{
	for (size_t i = 0; i < in->n_vouched; i++)
		if (in->vouched[i] == c)
			return true;
	return false;
}

/* Of the path from the anchor down to `leaf`: the first that is not good decides. */
static int check_path(const struct work *w, const struct cert *leaf, const struct path *path,
		      const struct cert **ret_cert, struct revocation *ret)
{
	for (size_t i = path->n_issuers; i-- > 0;) {
		const struct cert *issuer = by_hash(w->in, path->issuers[i]);
		const struct cert *cert = i > 0 ? by_hash(w->in, path->issuers[i - 1]) : leaf;
		int r;

		if (!issuer || !cert)
			return -EINVAL;
		r = revocation_check(cert, issuer, w->lists, w->n, w->in->now, 0, ret);
		*ret_cert = cert;
		if (r == 0 && ret->status != REVOCATION_REVOKED && is_vouched(w->in, cert))
			ret->status = REVOCATION_GOOD;
		if (r < 0 || ret->status != REVOCATION_GOOD)
			return r;
	}
	return 0;
}

static bool is_on(const struct path *path, const struct cert *c)
{
	for (size_t i = 0; i < path->n_issuers; i++)
		if (memcmp(path->issuers[i], c->sha256, SHA256_BYTES) == 0)
			return true;
	return false;
}

static int newest_first(const void *a, const void *b)
{
	const struct crl *const *x = a, *const *y = b;
	int c = crl_number_compare(&(*y)->number, &(*x)->number);

	return c ? c
		 : ((*y)->this_update > (*x)->this_update) -
			       ((*y)->this_update < (*x)->this_update);
}

/*
 * Is its signer good, by the lists that are used already?  1: no.  Who issued the certificate of a
 * signer of indirect CRLs may have named that very signer for its status (4.2.1.13, cRLIssuer).
 */
static int check_signer(struct work *w, const struct used *u)
{
	struct revocation rev = { .status = REVOCATION_GOOD };
	const struct cert *cert;
	size_t n = w->n;
	int r;

	if (u->crl->scope.indirect)
		add_list(w, u);
	r = check_path(w, u->signer.cert, &u->signer.path, &cert, &rev);
	w->n = n;
	return r < 0 ? r : rev.status != REVOCATION_GOOD;
}

/* Those whose signers are on the path first: by these the other signers are judged. */
static int add_lists(struct work *w, const struct path *path, bool on_path)
{
	const struct crl *order[OFFLINE_CRLS_MAX];
	const struct offline *in = w->in;

	for (size_t i = 0; i < in->n_crls; i++)
		order[i] = &in->crls[i];
	qsort(order, in->n_crls, sizeof(*order), newest_first);
	for (size_t i = 0; i < in->n_crls; i++) {
		struct used u = { .crl = order[i] };
		enum crl_fault *fault = &w->ret->faults[order[i] - in->crls];

		if (on_path) {
			*fault = order[i]->this_update > in->now
					 ? CRL_FUTURE
					 : crl_verify(order[i], in->certs, in->n_certs, in->anchor,
						      in->now, &u.signer);
		} else if (*fault == CRL_GOOD) {
			*fault = crl_verify(order[i], in->certs, in->n_certs, in->anchor, in->now,
					    &u.signer);
		}
		if (*fault != CRL_GOOD || is_on(path, u.signer.cert) != on_path)
			continue;
		if (!on_path) {
			int r = check_signer(w, &u);

			if (r < 0)
				return r;
			if (r > 0) {
				*fault = CRL_SIGNER_PATH;
				continue;
			}
		}
		if (!is_superseded(w, &u))
			add_list(w, &u);
	}
	return 0;
}

int offline_check(const struct offline *in, const struct cert *leaf, const struct path *path,
		  struct offline_result *ret)
{
	_cleanup_(freep) struct work *w = calloc(1, sizeof(*w));
	int r;

	*ret = (struct offline_result){ .revocation.status = REVOCATION_UNKNOWN };
	if (!w)
		return -ENOMEM;
	if (in->n_crls > OFFLINE_CRLS_MAX)
		return -E2BIG;
	w->in = in;
	w->ret = ret;
	r = add_lists(w, path, true);
	if (r == 0)
		r = add_lists(w, path, false);
	if (r == 0)
		r = check_path(w, leaf, path, &ret->cert, &ret->revocation);
	if (r == 0 && ret->revocation.by)
		ret->by = ((const struct used *)ret->revocation.by->data)->crl;
	ret->revocation.by = NULL; /* it ends here */
	return r;
}
