// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/revocation.h"

#include <errno.h>
#include <string.h>

#include "lib/pki/der.h"
#include "lib/pki/dn.h"

/* DistributionPoint of a certificate, RFC 5280 4.2.1.13. */
struct point {
	struct view name; /* contents of fullName, or of the RDN; empty: none */
	bool relative;
	unsigned reasons;
	struct view issuer; /* cRLIssuer, GeneralNames contents; empty: none */
};

static int point_next(struct view *in, struct point *ret)
{
	struct point p = { .reasons = CRL_REASONS_ALL };
	struct view seq, v, name;
	bool found;
	uint8_t tag;

	if (der_expect(in, DER_SEQUENCE, &seq) < 0 ||
	    der_optional(&seq, DER_CONTEXT_CONS(0), &name, &found) < 0)
		return -EBADMSG;
	if (found) {
		if (der_next(&name, &tag, &p.name, NULL) < 0 || name.n > 0 ||
		    (tag != DER_CONTEXT_CONS(0) && tag != DER_CONTEXT_CONS(1)))
			return -EBADMSG;
		p.relative = tag == DER_CONTEXT_CONS(1);
	}
	if (der_optional(&seq, DER_CONTEXT(1), &v, &found) < 0 ||
	    (found && crl_reasons_read(v, &p.reasons) < 0) ||
	    der_optional(&seq, DER_CONTEXT_CONS(2), &p.issuer, &found) < 0 || seq.n > 0)
		return -EBADMSG;
	*ret = p;
	return 0;
}

/* --- names of distribution points --- */

#define NAMES_MAX 16 /* compared of one point; what comes after them matches nothing */

struct names {
	struct view list; /* GeneralNames contents, or an RDN */
	bool relative;
	struct view base; /* Name that the RDN is below */
	size_t n;	  /* given so far */
};

/* Next name in a form that is the same for equal ones.  1, 0 at the end, -errno. */
static int names_next(struct names *names, struct buf *ret)
{
	struct view v, whole;
	uint8_t tag;

	if (names->list.n == 0 || names->n++ == NAMES_MAX)
		return 0;
	if (names->relative) {
		buf_put_u8(ret, DER_CONTEXT_CONS(4));
		if (dn_canonical(&names->base, ret) < 0 || dn_canonical_rdn(&names->list, ret) < 0)
			return -EBADMSG;
		names->list.n = 0;
		return 1;
	}
	if (der_next(&names->list, &tag, &v, &whole) < 0)
		return -EBADMSG;
	if (tag == DER_CONTEXT_CONS(4)) {
		buf_put_u8(ret, tag);
		return dn_canonical(&v, ret) < 0 ? -EBADMSG : 1;
	}
	buf_put(ret, whole.p, whole.n);
	return 1;
}

/* Have they a name in common?  What cannot be read is in nothing. */
static bool names_meet(struct names a, const struct names *b)
{
	for (;;) {
		_cleanup_(buf_deinitp) struct buf x = { 0 };
		struct names others = *b;

		if (names_next(&a, &x) <= 0)
			return false;
		for (;;) {
			_cleanup_(buf_deinitp) struct buf y = { 0 };

			if (names_next(&others, &y) <= 0)
				break;
			if (x.error == 0 && y.error == 0 && x.n == y.n &&
			    memcmp(x.p, y.p, x.n) == 0)
				return true;
		}
	}
}

static bool is_issuer_point(const struct cert *cert, const struct names *of)
{
	struct names in = *of;
	bool found = false;

	for (int r = 1; r > 0 && !found;) {
		_cleanup_(buf_deinitp) struct buf x = { 0 }, y = { 0 };

		r = names_next(&in, &x);
		buf_put_u8(&y, DER_CONTEXT_CONS(4));
		found = r > 0 && dn_canonical(&cert->issuer, &y) == 0 && x.error == 0 &&
			x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
	}
	return found;
}

/* 6.3.3 (b) (2) (i) */
static bool point_matches(const struct cert *cert, const struct point *p,
			  const struct revocation_list *l)
{
	struct names list = { .list = l->scope.point,
			      .relative = l->scope.relative,
			      .base = l->issuer };
	struct view issuers = p->issuer, base = cert->issuer;
	uint8_t tag;

	if (l->scope.point.n == 0)
		return true;
	if (p->name.n == 0 && p->issuer.n == 0)
		return is_issuer_point(cert, &list);
	if (p->name.n == 0)
		return names_meet(list, &(struct names){ .list = p->issuer });
	/* 4.2.1.13: an RDN is below the cRLIssuer, which has one name then */
	if (p->relative && p->issuer.n > 0 &&
	    (der_next(&issuers, &tag, &base, NULL) < 0 || tag != DER_CONTEXT_CONS(4)))
		return false;
	return names_meet(
		list, &(struct names){ .list = p->name, .relative = p->relative, .base = base });
}

/* 6.3.3 (b) */
static bool in_scope(const struct cert *cert, const struct point *p,
		     const struct revocation_list *l)
{
	if (p->issuer.n > 0 ? !l->scope.indirect || crl_issuer_is(&p->issuer, &l->issuer) != 1
			    : !dn_equal(&l->issuer, &cert->issuer))
		return false;
	if (l->scope.only_attribute || (l->scope.only_user && cert->is_ca) ||
	    (l->scope.only_ca && !cert->is_ca))
		return false;
	return point_matches(cert, p, l);
}

/* --- lists --- */

struct check {
	const struct cert *cert, *issuer;
	const struct revocation_list *lists;
	size_t n;
	int64_t now, grace;
	unsigned good; /* reasons for which it is known not to be revoked */
	bool stale;
	struct revocation *ret;
};

static bool speaks_for(const struct revocation_list *l, const struct cert *issuer)
{
	for (size_t i = 0; i < l->n_keys; i++)
		if (memcmp(l->keys[i], issuer->spki_sha256, SHA256_BYTES) == 0)
			return true;
	/* whoever a cRLIssuer names was named by the certificate's own issuer */
	return l->scope.indirect;
}

static bool is_fresh(const struct check *c, const struct revocation_list *l)
{
	return !l->stale && c->now - c->grace <= l->next_update;
}

/* 5.2.4: the newest delta CRL that begins where the complete one ends, or before */
static const struct revocation_list *find_delta(const struct check *c,
						const struct revocation_list *l)
{
	const struct revocation_list *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		const struct revocation_list *d = &c->lists[i];

		if (d->base.n == 0 || !dn_equal(&d->issuer, &l->issuer) ||
		    !view_is(&d->scope.whole, l->scope.whole.p, l->scope.whole.n) ||
		    d->n_keys != l->n_keys ||
		    (l->n_keys > 0 && memcmp(d->keys, l->keys, l->n_keys * SHA256_BYTES) != 0) ||
		    crl_number_compare(&d->base, &l->number) > 0 ||
		    crl_number_compare(&d->number, &l->number) <= 0 || !is_fresh(c, d))
			continue;
		if (!best || crl_number_compare(&d->number, &best->number) > 0)
			best = d;
	}
	return best;
}

/* 1 revoked, with *ret; 0; -errno */
static int find(const struct check *c, const struct revocation_list *l,
		const struct revocation_list *delta, struct revoked *ret)
{
	struct revoked change;
	int r = l->find(l, &c->cert->issuer, &c->cert->serial, ret), changed;

	if (r < 0 || !delta)
		return r;
	changed = delta->find(delta, &c->cert->issuer, &c->cert->serial, &change);
	if (changed <= 0)
		return changed < 0 ? changed : r;
	if (change.reason == CRL_REMOVE)
		return 0;
	*ret = change;
	return 1;
}

static int check_point(struct check *c, const struct point *p)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct revocation_list *l = &c->lists[i], *delta;
		unsigned reasons = l->scope.reasons & p->reasons;
		int r;

		if (l->base.n > 0 || !in_scope(c->cert, p, l))
			continue;
		delta = find_delta(c, l);
		r = find(c, l, delta, &c->ret->revoked);
		if (r < 0)
			return r;
		if (r == 0 && !speaks_for(l, c->issuer))
			continue;
		c->ret->by = delta ? delta : l;
		if (r > 0) {
			c->ret->status = REVOCATION_REVOKED;
			return 0;
		}
		if (is_fresh(c, l) || delta)
			c->good |= reasons;
		else
			c->stale = true;
	}
	return 0;
}

int revocation_check(const struct cert *cert, const struct cert *issuer,
		     const struct revocation_list *lists, size_t n, int64_t now, int64_t grace,
		     struct revocation *ret)
{
	struct check c = { cert, issuer, lists, n, now, grace, .ret = ret };
	struct view points = cert->crl_dps;
	int r = 0;

	*ret = (struct revocation){ .status = REVOCATION_UNKNOWN };
	for (size_t i = 0; i < n; i++)
		ret->any |= dn_equal(&lists[i].issuer, &cert->issuer);
	while (r == 0 && points.n > 0 && ret->status != REVOCATION_REVOKED) {
		struct point p;

		r = point_next(&points, &p);
		if (r == 0)
			r = check_point(&c, &p);
	}
	/* and the lists of the issuer that no point names */
	if (r == 0 && ret->status != REVOCATION_REVOKED)
		r = check_point(&c, &(struct point){ .reasons = CRL_REASONS_ALL });
	if (r < 0 || ret->status == REVOCATION_REVOKED)
		return r;
	ret->status = c.good == CRL_REASONS_ALL ? REVOCATION_GOOD
		      : c.stale			? REVOCATION_STALE
						: REVOCATION_UNKNOWN;
	return 0;
}
