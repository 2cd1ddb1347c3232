// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/dn.h"

#include <errno.h>

#include "lib/base/cleanup.h"
#include "lib/pki/der.h"

/* The characters of a string as they are compared (RFC 4518 2.2, 2.6, in its simplest form). */
struct folded {
	struct view in;
	bool started;
};

static int folded_next(struct folded *f)
{
	bool space = false;
	uint8_t c;

	while (f->in.n > 0 && *f->in.p == ' ') {
		f->in.p++;
		f->in.n--;
		space = true;
	}
	if (f->in.n == 0)
		return -1;
	if (space && f->started)
		return ' ';
	f->started = true;
	c = *f->in.p++;
	f->in.n--;
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool is_text(uint8_t tag)
{
	return tag == DER_PRINTABLE || tag == DER_UTF8 || tag == DER_IA5;
}

static bool text_equal(const struct view *a, const struct view *b)
{
	struct folded x = { *a, false }, y = { *b, false };
	int c;

	do {
		c = folded_next(&x);
		if (c != folded_next(&y))
			return false;
	} while (c >= 0);
	return true;
}

struct attribute {
	struct view type, value;
	uint8_t tag;
};

static int attribute_next(struct view *rdn, struct attribute *ret)
{
	struct view pair;

	return der_expect(rdn, DER_SEQUENCE, &pair) < 0 ||
			       der_expect(&pair, DER_OID, &ret->type) < 0 ||
			       der_next(&pair, &ret->tag, &ret->value, NULL) < 0 || pair.n > 0
		       ? -EBADMSG
		       : 0;
}

static bool attribute_equal(const struct attribute *a, const struct attribute *b)
{
	if (!view_is(&a->type, b->type.p, b->type.n))
		return false;
	if (is_text(a->tag) && is_text(b->tag))
		return text_equal(&a->value, &b->value);
	return a->tag == b->tag && view_is(&a->value, b->value.p, b->value.n);
}

#define RDN_ATTRIBUTES 8 /* of one RDN; more are compared by octets */

static int rdn_read(struct view rdn, struct attribute ret[RDN_ATTRIBUTES], size_t *ret_n)
{
	size_t n = 0;

	while (rdn.n > 0) {
		if (n == RDN_ATTRIBUTES || attribute_next(&rdn, &ret[n]) < 0)
			return -EBADMSG;
		n++;
	}
	*ret_n = n;
	return n > 0 ? 0 : -EBADMSG;
}

/* Sets of attributes: each of a has its own in b. */
static int rdn_equal(const struct view *a, const struct view *b)
{
	struct attribute x[RDN_ATTRIBUTES], y[RDN_ATTRIBUTES];
	bool taken[RDN_ATTRIBUTES] = { false };
	size_t n, m;

	if (view_is(a, b->p, b->n))
		return 1;
	if (rdn_read(*a, x, &n) < 0 || rdn_read(*b, y, &m) < 0)
		return -EBADMSG;
	if (n != m)
		return 0;
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < m && (taken[j] || !attribute_equal(&x[i], &y[j])))
			j++;
		if (j == m)
			return 0;
		taken[j] = true;
	}
	return 1;
}

static int open_name(const struct view *name, struct view *ret)
{
	struct view in = *name;

	return der_expect(&in, DER_SEQUENCE, ret) < 0 || in.n > 0 ? -EBADMSG : 0;
}

int dn_within(const struct view *name, const struct view *base, unsigned *budget)
{
	struct view a, b, rdn_a, rdn_b;

	if (open_name(name, &a) < 0 || open_name(base, &b) < 0)
		return -EBADMSG;
	while (b.n > 0) {
		int r;

		if (der_expect(&b, DER_SET, &rdn_b) < 0)
			return -EBADMSG;
		if (a.n == 0)
			return 0;
		if (*budget == 0)
			return -E2BIG;
		--*budget;
		r = der_expect(&a, DER_SET, &rdn_a) < 0 ? -EBADMSG : rdn_equal(&rdn_a, &rdn_b);
		if (r <= 0)
			return r;
	}
	return 1;
}

bool dn_equal(const struct view *a, const struct view *b)
{
	struct view x, y, rdn_x, rdn_y;

	if (view_is(a, b->p, b->n))
		return true;
	if (open_name(a, &x) < 0 || open_name(b, &y) < 0)
		return false;
	while (x.n > 0 && y.n > 0)
		if (der_expect(&x, DER_SET, &rdn_x) < 0 || der_expect(&y, DER_SET, &rdn_y) < 0 ||
		    rdn_equal(&rdn_x, &rdn_y) <= 0)
			return false;
	return x.n == 0 && y.n == 0;
}

bool dn_empty(const struct view *name)
{
	struct view rdns;

	return open_name(name, &rdns) == 0 && rdns.n == 0;
}
