// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/policy.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/pki/der.h"
#include "lib/pki/dn.h"

/* anyPolicy, 2.5.29.32.0 */
static const struct view any_policy = { (const uint8_t *)"\x55\x1d\x20\x00", 4 };

static bool same(const struct view *a, const struct view *b)
{
	return view_is(a, b->p, b->n);
}

static bool is_any(const struct view *policy)
{
	return same(policy, &any_policy);
}

/* A policy that is valid up to here, and what it may be called in the next certificate. */
struct node {
	struct view policy;
	uint64_t roots; /* bits of the policies of the anchor's domain that it comes from */
	struct view expected[POLICY_MAX_EXPECTED];
	size_t n_expected;
};

struct level {
	struct node nodes[POLICY_MAX_NODES];
	size_t n; /* 0: the tree is NULL */
};

static struct node *level_find(struct level *l, const struct view *policy)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(&l->nodes[i].policy, policy))
			return &l->nodes[i];
	return NULL;
}

static int level_add(struct level *l, const struct view *policy, uint64_t roots)
{
	struct node *node = level_find(l, policy);

	if (node) {
		node->roots |= roots;
		return 0;
	}
	if (l->n == POLICY_MAX_NODES)
		return -E2BIG;
	l->nodes[l->n++] = (struct node){
		.policy = *policy, .roots = roots, .expected = { *policy }, .n_expected = 1
	};
	return 0;
}

/* Roots of the nodes that expect it; *ret_found: there is one. */
static uint64_t level_expects(const struct level *l, const struct view *policy, bool *ret_found)
{
	uint64_t roots = 0;

	*ret_found = false;
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->nodes[i].n_expected; j++)
			if (same(&l->nodes[i].expected[j], policy)) {
				*ret_found = true;
				roots |= l->nodes[i].roots;
			}
	return roots;
}
/* PolicyInformation: its identifier; qualifiers are for people. */
static int policy_next(struct view *in, struct view *ret)
{
	struct view seq;

	return der_expect(in, DER_SEQUENCE, &seq) < 0 || der_expect(&seq, DER_OID, ret) < 0
		       ? -EBADMSG
		       : 0;
}

static int mapping_next(struct view *in, struct view *ret_from, struct view *ret_to)
{
	struct view seq;

	return der_expect(in, DER_SEQUENCE, &seq) < 0 || der_expect(&seq, DER_OID, ret_from) < 0 ||
			       der_expect(&seq, DER_OID, ret_to) < 0 || seq.n > 0
		       ? -EBADMSG
		       : 0;
}

/* 6.1.2 (d)-(f): how many more certificates until it holds; 0: it does */
struct state {
	struct level now, next;
	unsigned explicit_policy, inhibit_any, inhibit_mapping;
	const struct policy_settings *settings; /* NULL: any policy will do */
};

/* A policy below anyPolicy is of the anchor's own domain: the bit that the settings give it. */
static uint64_t root_of(const struct state *s, const struct view *policy)
{
	for (size_t i = 0; s->settings && i < s->settings->n_accepted; i++)
		if (same(&s->settings->accepted[i], policy))
			return UINT64_C(1) << i;
	return 0;
}

/* 6.1.3 (d): the policies of c that those above let it have. */
static int process_policies(struct state *s, const struct cert *c, bool any_counts)
{
	struct view in = c->policies, policy;
	bool had_any, has_any = false, expected;
	int r = 0;

	(void)level_expects(&s->now, &any_policy, &had_any);
	s->next.n = 0;
	while (r == 0 && in.n > 0 && policy_next(&in, &policy) == 0) {
		uint64_t roots = level_expects(&s->now, &policy, &expected);

		if (is_any(&policy))
			has_any = true;
		else if (expected) /* (d) (1) (i) */
			r = level_add(&s->next, &policy, roots);
		else if (had_any)
			r = level_add(&s->next, &policy, root_of(s, &policy));
	}
	for (size_t i = 0; r == 0 && has_any && any_counts && i < s->now.n; i++)
		for (size_t j = 0; r == 0 && j < s->now.nodes[i].n_expected; j++)
			r = level_add(&s->next, &s->now.nodes[i].expected[j],
				      s->now.nodes[i].roots);
	s->now = s->next;
	return r;
}

static void level_remove(struct level *l, const struct view *policy)
{
	struct node *node = level_find(l, policy);

	if (node)
		*node = l->nodes[--l->n];
}

/* The policies that `from` is mapped to, in place of itself. */
static int map_one(struct state *s, const struct cert *c, const struct view *from)
{
	struct view in = c->policy_mappings, other, to;
	struct node *node = level_find(&s->now, from);
	int r;

	if (!node) {
		if (!level_find(&s->now, &any_policy))
			return 0;
		r = level_add(&s->now, from, root_of(s, from));
		if (r < 0)
			return r;
		node = level_find(&s->now, from);
	}
	node->n_expected = 0;
	while (in.n > 0 && mapping_next(&in, &other, &to) == 0) {
		if (!same(&other, from))
			continue;
		if (node->n_expected == POLICY_MAX_EXPECTED)
			return -E2BIG;
		node->expected[node->n_expected++] = to;
	}
	return 0;
}

/* 6.1.4 (a), (b) */
static int process_mappings(struct state *s, const struct cert *c)
{
	struct view in = c->policy_mappings, from, to;
	int r = 0;

	while (r == 0 && in.n > 0 && mapping_next(&in, &from, &to) == 0) {
		if (is_any(&from) || is_any(&to))
			return -EPERM;
		if (s->inhibit_mapping == 0)
			level_remove(&s->now, &from);
		else
			r = map_one(s, c, &from);
	}
	return r;
}

static void lower(unsigned *counter, int64_t to)
{
	if (to >= 0 && (uint64_t)to < *counter)
		*counter = (unsigned)to;
}

static void step(unsigned *counter)
{
	*counter -= *counter > 0;
}

/* 6.1.4 (h)-(j) */
static void next_certificate(struct state *s, const struct cert *c, bool self_issued)
{
	if (!self_issued) {
		step(&s->explicit_policy);
		step(&s->inhibit_mapping);
		step(&s->inhibit_any);
	}
	lower(&s->explicit_policy, c->require_explicit_policy);
	lower(&s->inhibit_mapping, c->inhibit_mapping);
	lower(&s->inhibit_any, c->inhibit_any_policy);
}

/* 6.1.5 (g): is one of those left accepted? */
static bool accepted(const struct state *s)
{
	for (size_t i = 0; i < s->now.n; i++)
		if (!s->settings || s->settings->n_accepted == 0 || s->now.nodes[i].roots ||
		    is_any(&s->now.nodes[i].policy))
			return true;
	return false;
}

static int check(struct state *s, const struct cert *const *path, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		const struct cert *c = path[i];
		bool self_issued = dn_equal(&c->subject, &c->issuer);
		int r = process_policies(s, c, s->inhibit_any > 0 || (i > 0 && self_issued));

		if (r < 0)
			return r;
		if (s->explicit_policy == 0 && s->now.n == 0)
			return -EPERM;
		if (i == 0)
			break;
		r = process_mappings(s, c);
		if (r < 0)
			return r;
		next_certificate(s, c, self_issued);
	}
	/* 6.1.5 (a), (b) */
	step(&s->explicit_policy);
	if (path[0]->require_explicit_policy == 0)
		s->explicit_policy = 0;
	return s->explicit_policy == 0 && !accepted(s) ? -EPERM : 0;
}

static bool asks_for_policies(const struct cert *c)
{
	return c->require_explicit_policy >= 0 || c->policy_mappings.n > 0;
}

int policy_check(const struct cert *const *path, size_t n, const struct policy_settings *settings)
{
	const unsigned none = (unsigned)n + 1;
	struct state *s;
	bool needed = settings && settings->explicit_policy;
	int r;

	if (settings && settings->n_accepted > POLICY_MAX_ACCEPTED)
		return -E2BIG;
	/* nothing else can refuse a path */
	for (size_t i = 0; i < n; i++)
		needed |= asks_for_policies(path[i]);
	if (!needed)
		return 0;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->settings = settings;
	s->explicit_policy = settings && settings->explicit_policy ? 0 : none;
	s->inhibit_any = settings && settings->inhibit_any ? 0 : none;
	s->inhibit_mapping = settings && settings->inhibit_mapping ? 0 : none;
	s->now.n = 0;
	(void)level_add(&s->now, &any_policy, 0);
	r = check(s, path, n);
	free(s);
	return r;
}

/* --- reading --- */

int policy_read_policies(struct view value, struct cert *c)
{
	struct view list, policy, rest;

	if (der_expect(&value, DER_SEQUENCE, &c->policies) < 0 || value.n > 0 || c->policies.n == 0)
		return -EBADMSG;
	/* 4.2.1.4: none twice */
	for (list = c->policies; list.n > 0;) {
		struct view other;

		if (policy_next(&list, &policy) < 0)
			return -EBADMSG;
		for (rest = list; rest.n > 0;)
			if (policy_next(&rest, &other) < 0 || same(&other, &policy))
				return -EBADMSG;
	}
	return 0;
}

int policy_read_mappings(struct view value, struct cert *c)
{
	struct view list, from, to;

	if (der_expect(&value, DER_SEQUENCE, &c->policy_mappings) < 0 || value.n > 0 ||
	    c->policy_mappings.n == 0)
		return -EBADMSG;
	for (list = c->policy_mappings; list.n > 0;)
		if (mapping_next(&list, &from, &to) < 0)
			return -EBADMSG;
	return 0;
}

/* SkipCerts; implicitly tagged, so that the contents are those of an INTEGER */
static int skip_certs(const struct view *v, int64_t *ret)
{
	int64_t n = 0;

	if (v->n == 0 || v->p[0] & 0x80 || (v->n > 1 && v->p[0] == 0 && !(v->p[1] & 0x80)))
		return -EBADMSG;
	for (size_t i = 0; i < v->n && n <= UINT16_MAX; i++)
		n = n << 8 | v->p[i];
	*ret = n;
	return 0;
}

static int read_skip(struct view *seq, uint8_t tag, int64_t *ret)
{
	struct view v;
	bool found;

	if (der_optional(seq, tag, &v, &found) < 0)
		return -EBADMSG;
	return found ? skip_certs(&v, ret) : 0;
}

int policy_read_constraints(struct view value, struct cert *c)
{
	struct view seq;

	/* 4.2.1.11: not an empty sequence */
	return der_expect(&value, DER_SEQUENCE, &seq) < 0 || value.n > 0 || seq.n == 0 ||
			       read_skip(&seq, DER_CONTEXT(0), &c->require_explicit_policy) < 0 ||
			       read_skip(&seq, DER_CONTEXT(1), &c->inhibit_mapping) < 0 || seq.n > 0
		       ? -EBADMSG
		       : 0;
}

int policy_read_inhibit_any(struct view value, struct cert *c)
{
	struct view v;

	return der_expect(&value, DER_INTEGER, &v) < 0 || value.n > 0 ||
			       skip_certs(&v, &c->inhibit_any_policy) < 0
		       ? -EBADMSG
		       : 0;
}
