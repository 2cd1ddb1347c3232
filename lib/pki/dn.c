// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/dn.h"

#include <errno.h>
#include <string.h>

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

/* type, kind of string, characters: each with its length, so that no two run into each other */
static void put_attribute(struct buf *b, const struct attribute *a)
{
	struct folded f = { a->value, false };
	size_t at;
	uint32_t n = 0;

	buf_put_u32(b, (uint32_t)a->type.n);
	buf_put(b, a->type.p, a->type.n);
	buf_put_u8(b, is_text(a->tag) ? DER_UTF8 : a->tag);
	if (!is_text(a->tag)) {
		buf_put_u32(b, (uint32_t)a->value.n);
		buf_put(b, a->value.p, a->value.n);
		return;
	}
	at = b->n;
	buf_put_u32(b, 0);
	for (int c = folded_next(&f); c >= 0; c = folded_next(&f), n++)
		buf_put_u8(b, (uint8_t)c);
	for (size_t i = 0; i < 4 && b->error == 0; i++)
		b->p[at + i] = (uint8_t)(n >> (24 - 8 * i));
}

static int compare_bufs(const struct buf *a, const struct buf *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int r = n > 0 ? memcmp(a->p, b->p, n) : 0;

	return r ? r : (a->n > b->n) - (a->n < b->n);
}

int dn_canonical_rdn(const struct view *rdn, struct buf *ret)
{
	struct attribute x[RDN_ATTRIBUTES];
	struct buf each[RDN_ATTRIBUTES] = { 0 };
	size_t n;

	if (rdn_read(*rdn, x, &n) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		struct buf b = { 0 };
		size_t at = i;

		put_attribute(&b, &x[i]);
		for (; at > 0 && compare_bufs(&b, &each[at - 1]) < 0; at--)
			each[at] = each[at - 1];
		each[at] = b;
	}
	buf_put_u8(ret, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		ret->error = each[i].error ? each[i].error : ret->error;
		buf_put(ret, each[i].p, each[i].n);
		buf_deinit(&each[i]);
	}
	return ret->error;
}

int dn_canonical(const struct view *name, struct buf *ret)
{
	struct view rdns, rdn;
	int r = open_name(name, &rdns);

	while (r == 0 && rdns.n > 0) {
		r = der_expect(&rdns, DER_SET, &rdn);
		if (r == 0)
			r = dn_canonical_rdn(&rdn, ret);
	}
	return r;
}

void dn_hash(const struct view *name, uint8_t ret[SHA256_BYTES])
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	if (dn_canonical(name, &b) == 0)
		sha256(b.p, b.n, ret);
	else
		sha256(name->p, name->n, ret);
}
