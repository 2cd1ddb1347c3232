// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/pki/constraints.h"
#include "lib/pki/dn.h"
#include "lib/pki/key.h"
#include "lib/pki/policy.h"
#include "lib/pki/proof.h"

static const char *const path_texts[] = {
	[PATH_GOOD] = "good",
	[PATH_MALFORMED] = "the chain cannot be read, or is too long or too large",
	[PATH_NO_ANCHOR] = "no path to an anchor of this host",
	[PATH_BAD_SIGNATURE] = "a signature on the path does not verify",
	[PATH_NOT_CA] = "an issuer on the path is not a CA",
	[PATH_TOO_LONG] = "the path is longer than a pathLenConstraint allows",
	[PATH_CA_KEY_USAGE] = "an issuer on the path may not sign certificates (keyCertSign)",
	[PATH_ALGORITHM] = "a signature algorithm or issuer key on the path is too weak or unknown",
	[PATH_CRITICAL_EXTENSION] =
		"a critical extension on the path is not processed by this version",
	[PATH_CA_EKU] = "an issuer's extended key usage excludes client authentication",
	[PATH_NAME_CONSTRAINTS] = "a name on the path is outside an issuer's name constraints",
	[PATH_FORM] = "a CA's certificate on the path breaks a rule of RFC 5280 for issuers",
	[PATH_POLICY] = "the path has no certificate policy where one is required",
};

static const char *const leaf_texts[] = {
	[LEAF_GOOD] = "good",
	[LEAF_KEY] = "the key is too weak, too large or of an unknown type",
	[LEAF_IS_CA] = "it is a CA's certificate",
	[LEAF_VERSION] = "it is not an X.509 version 3 certificate",
	[LEAF_KEY_USAGE] = "its key usage does not allow signatures (digitalSignature)",
	[LEAF_EKU_MISSING] = "it has no extended key usage",
	[LEAF_EKU] = "its extended key usage does not name client authentication",
	[LEAF_CRITICAL_EXTENSION] =
		"it has a critical extension that this version does not process",
	[LEAF_FORM] =
		"it breaks a rule of RFC 5280 for issuers (serial number, names, constraints)",
	[LEAF_EKU_ANY] = "its extended key usage is anyExtendedKeyUsage",
	[LEAF_SMARTCARD_LOGON] = "its extended key usage does not name smart card logon",
};

const char *path_fault_text(enum path_fault f)
{
	return (size_t)f < ARRAY_SIZE(path_texts) ? path_texts[f] : "unknown";
}

const char *leaf_fault_text(enum leaf_fault f)
{
	return (size_t)f < ARRAY_SIZE(leaf_texts) ? leaf_texts[f] : "unknown";
}

static bool self_issued(const struct cert *c)
{
	return dn_equal(&c->issuer, &c->subject);
}

static bool form_good(const struct cert *c, const struct anchor_policy *policy)
{
	return policy->form || (!c->bad_form && (!c->lax_form || policy->any_purpose));
}

/* What an issuer numbers: anchors number themselves, and some that everybody trusts took 0. */
static bool issued_form_good(const struct cert *c, const struct anchor_policy *policy)
{
	return form_good(c, policy) && (!c->bad_serial || policy->form);
}

static enum leaf_fault check_eku(const struct cert *leaf, const struct anchor_policy *policy)
{
	unsigned wanted = EKU_CLIENT_AUTH | (policy->eku_any ? EKU_ANY : 0);

	if (!leaf->has_eku && !policy->eku_missing && !policy->any_purpose)
		return LEAF_EKU_MISSING;
	if (leaf->eku & EKU_ANY && !policy->eku_any)
		return LEAF_EKU_ANY;
	if (leaf->has_eku && !(leaf->eku & wanted))
		return LEAF_EKU;
	if (policy->smartcard_logon && !(leaf->eku & EKU_SMARTCARD_LOGON))
		return LEAF_SMARTCARD_LOGON;
	return LEAF_GOOD;
}

enum leaf_fault leaf_check(const struct cert *leaf, const struct anchor_policy *policy)
{
	static const struct anchor_policy strict;

	if (!policy)
		policy = &strict;
	if (!key_acceptable(leaf))
		return LEAF_KEY;
	if (leaf->version != 3)
		return LEAF_VERSION;
	if (!policy->any_purpose &&
	    (leaf->is_ca || (leaf->has_key_usage && leaf->key_usage & KU_KEY_CERT_SIGN)))
		return LEAF_IS_CA;
	if (leaf->unknown_critical)
		return LEAF_CRITICAL_EXTENSION;
	if (!issued_form_good(leaf, policy) ||
	    (!leaf->is_ca && (leaf->permitted.n > 0 || leaf->excluded.n > 0)))
		return LEAF_FORM;
	if (!leaf->is_ca && leaf->has_key_usage && !(leaf->key_usage & KU_DIGITAL_SIGNATURE))
		return LEAF_KEY_USAGE;
	return check_eku(leaf, policy);
}

/* A search from the leaf towards the anchors. */
struct search {
	const struct cert *const *chain;
	size_t n_chain;
	const struct anchor *anchors;
	size_t n_anchors;
	struct path_memo *memo;
	int64_t now;
	bool offline;
	unsigned eku;	     /* what an issuer's EKU must allow */
	unsigned signatures; /* checks still allowed */
	unsigned steps;	     /* likewise */
	const struct cert *at[PATH_MAX_ISSUERS];
	struct path best;
	bool found;
};

/* RFC 5280 6.1.4 (k)-(n): may `issuer` issue, with `below` non-self-issued CA certificates under
 * it? */
static enum path_fault check_issuer(const struct search *s, const struct cert *issuer, int below)
{
	if (issuer->version != 3 || !issuer->has_basic_constraints || !issuer->is_ca)
		return PATH_NOT_CA;
	if (issuer->subject.n <= 2) /* RFC 5280 4.1.2.6: a CA has a name */
		return PATH_NOT_CA;
	if (issuer->path_len >= 0 && below > issuer->path_len)
		return PATH_TOO_LONG;
	if (issuer->has_key_usage && !(issuer->key_usage & KU_KEY_CERT_SIGN))
		return PATH_CA_KEY_USAGE;
	if (issuer->unknown_critical)
		return PATH_CRITICAL_EXTENSION;
	if (issuer->has_eku && !(issuer->eku & (s->eku | EKU_ANY)))
		return PATH_CA_EKU;
	return PATH_GOOD;
}

static bool memo_has(const struct path_memo *m, const struct cert *subject,
		     const struct cert *issuer)
{
	for (size_t i = 0; m && i < PATH_MEMO_PAIRS; i++)
		if (memcmp(m->pairs[i][0], subject->sha256, SHA256_BYTES) == 0 &&
		    memcmp(m->pairs[i][1], issuer->sha256, SHA256_BYTES) == 0)
			return true;
	return false;
}

static void memo_add(struct path_memo *m, const struct cert *subject, const struct cert *issuer)
{
	if (!m || memo_has(m, subject, issuer))
		return;
	memcpy(m->pairs[m->next][0], subject->sha256, SHA256_BYTES);
	memcpy(m->pairs[m->next][1], issuer->sha256, SHA256_BYTES);
	m->next = (m->next + 1) % PATH_MEMO_PAIRS;
}

static enum path_fault check_signature(struct search *s, const struct cert *subject,
				       const struct cert *issuer)
{
	int r;

	/* RFC 5280 4.1.1.2: the two identifiers are the same */
	if (!view_is(&subject->sig_alg, subject->sig_alg_tbs.p, subject->sig_alg_tbs.n))
		return PATH_ALGORITHM;
	if (memo_has(s->memo, subject, issuer))
		return PATH_GOOD;
	if (s->signatures == 0)
		return PATH_MALFORMED;
	s->signatures--;
	r = signature_verify_x509(issuer, &subject->sig_alg, &subject->tbs, &subject->signature);
	if (r == -EOPNOTSUPP)
		return PATH_ALGORITHM;
	return r < 0 ? PATH_BAD_SIGNATURE : PATH_GOOD;
}

/* Key identifiers choose among keys of one name; they never make a path. */
static bool may_have_issued(const struct cert *issuer, const struct cert *subject)
{
	return dn_equal(&issuer->subject, &subject->issuer) &&
	       (issuer->ski.n == 0 || subject->aki.n == 0 ||
		view_is(&issuer->ski, subject->aki.p, subject->aki.n));
}

/* Remembers the fault that went furthest, so that `explain` tells more than "foreign". */
static void note_fault(struct search *s, enum path_fault fault)
{
	if (!s->found && (s->best.fault == PATH_NO_ANCHOR || s->best.fault == PATH_GOOD))
		s->best.fault = fault;
}

bool path_within(const struct path *p, int64_t now)
{
	return now >= p->not_before && now <= p->not_after;
}

/* Neither an expired cross certificate, nor a renewed anchor before its time, nor an anchor that
 * asks more of the leaf may hide a path. */
static bool is_better(const struct search *s, const struct path *p)
{
	int rank = 2 * path_within(p, s->now) + (p->leaf_fault == LEAF_GOOD);
	int had = 2 * path_within(&s->best, s->now) + (s->best.leaf_fault == LEAF_GOOD);

	return !s->found || (rank != had ? rank > had : p->not_after > s->best.not_after);
}

/* s->at[0 .. depth-1] and, but for a pinned key, the anchor's certificate above it. */
static void keep(struct search *s, size_t depth, const struct anchor *anchor)
{
	const struct cert *top = anchor->cert ? anchor->cert : s->at[0];
	struct path p = { .anchor = anchor->id,
			  .not_before = top->not_before,
			  .not_after = top->not_after };

	if (s->eku == EKU_CLIENT_AUTH)
		p.leaf_fault = leaf_check(s->at[0], &anchor->policy);
	for (size_t i = 0; i < depth; i++) {
		if (s->at[i]->not_before > p.not_before)
			p.not_before = s->at[i]->not_before;
		if (s->at[i]->not_after < p.not_after)
			p.not_after = s->at[i]->not_after;
		if (i == 0)
			continue;
		memcpy(p.issuers[p.n_issuers++], s->at[i]->sha256, SHA256_BYTES);
		memo_add(s->memo, s->at[i], i + 1 < depth ? s->at[i + 1] : anchor->cert);
	}
	if (anchor->cert)
		memcpy(p.issuers[p.n_issuers++], anchor->cert->sha256, SHA256_BYTES);
	if (is_better(s, &p))
		s->best = p;
	s->found = true;
}

static enum path_fault try_issuer(struct search *s, size_t depth, const struct cert *issuer,
				  int below)
{
	enum path_fault fault = check_issuer(s, issuer, below);

	if (fault == PATH_GOOD)
		fault = check_signature(s, s->at[depth - 1], issuer);
	if (fault != PATH_GOOD)
		note_fault(s, fault);
	return fault;
}

/* What is asked of the path as a whole. */
static enum path_fault check_whole(const struct search *s, size_t depth,
				   const struct anchor *anchor)
{
	bool good = form_good(anchor->cert, &anchor->policy);

	for (size_t i = 1; i < depth; i++)
		good &= issued_form_good(s->at[i], &anchor->policy);
	if (!good)
		return PATH_FORM;
	if (constraints_check(s->at, depth, anchor->cert) < 0)
		return PATH_NAME_CONSTRAINTS;
	return policy_check(s->at, depth, anchor->policy.policies) < 0 ? PATH_POLICY : PATH_GOOD;
}

static void reach(struct search *s, size_t depth, const struct anchor *anchor, int below)
{
	enum path_fault fault;

	if (!may_have_issued(anchor->cert, s->at[depth - 1]))
		return;
	fault = try_issuer(s, depth, anchor->cert, below);
	if (fault != PATH_GOOD)
		return;
	fault = check_whole(s, depth, anchor);
	if (fault == PATH_GOOD)
		keep(s, depth, anchor);
	else
		note_fault(s, fault);
}

static bool is_among(const struct cert *c, const struct cert *const *certs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (view_is(&certs[i]->der, c->der.p, c->der.n))
			return true;
	return false;
}

static void extend(struct search *s, size_t depth, int below);

static void climb(struct search *s, size_t depth, const struct cert *issuer, int below)
{
	if (is_among(issuer, s->at, depth) || !may_have_issued(issuer, s->at[depth - 1]) ||
	    try_issuer(s, depth, issuer, below) != PATH_GOOD)
		return;
	s->at[depth] = issuer;
	extend(s, depth + 1, below + !self_issued(issuer));
}

/* s->at[0 .. depth-1] is a path from the leaf, its last certificate not yet vouched for. */
static void extend(struct search *s, size_t depth, int below)
{
	if (s->steps == 0) {
		note_fault(s, PATH_MALFORMED);
		return;
	}
	s->steps--;
	for (size_t i = 0; i < s->n_anchors; i++)
		if (s->anchors[i].kind == ANCHOR_CA)
			reach(s, depth, &s->anchors[i], below);
	if (depth == (s->offline ? PATH_MAX_ISSUERS : LIMIT_CHAIN_CERTS))
		return;
	for (size_t i = 1; i < s->n_chain; i++)
		if (!is_among(s->chain[i], s->chain, i)) /* sent twice */
			climb(s, depth, s->chain[i], below);
	for (size_t i = 0; i < s->n_anchors; i++)
		if (s->anchors[i].kind == ANCHOR_INTERMEDIATE &&
		    !is_among(s->anchors[i].cert, s->chain, s->n_chain))
			climb(s, depth, s->anchors[i].cert, below);
}

/* The key is what is trusted and possession of it is proved: who signed does not matter. */
static void reach_by_key(struct search *s)
{
	for (size_t i = 0; i < s->n_anchors; i++)
		if (s->anchors[i].kind == ANCHOR_KEY &&
		    memcmp(s->anchors[i].spki_sha256, s->chain[0]->spki_sha256, SHA256_BYTES) == 0)
			keep(s, 1, &s->anchors[i]);
}

static void search_path(struct search *s)
{
	s->signatures = PATH_MAX_SIGNATURES;
	s->steps = PATH_MAX_STEPS;
	s->best.fault = PATH_NO_ANCHOR;
	if (s->n_chain < 1 || s->n_chain > (s->offline ? PATH_OFFLINE_CERTS : LIMIT_CHAIN_CERTS)) {
		s->best.fault = PATH_MALFORMED;
		return;
	}
	s->at[0] = s->chain[0];
	if (s->eku == EKU_CLIENT_AUTH)
		reach_by_key(s);
	extend(s, 1, 0);
}

static int build(struct search *s, struct path *ret)
{
	search_path(s);
	if (!s->found)
		s->best.leaf_fault = s->n_chain > 0 ? leaf_check(s->chain[0], NULL) : LEAF_VERSION;
	*ret = s->best;
	return 0;
}

int path_build(const struct cert *const *chain, size_t n, const struct anchor *anchors,
	       size_t n_anchors, int64_t now, struct path_memo *memo, struct path *ret)
{
	struct search s = { .chain = chain,
			    .n_chain = n,
			    .anchors = anchors,
			    .n_anchors = n_anchors,
			    .now = now,
			    .memo = memo,
			    .eku = EKU_CLIENT_AUTH };

	return build(&s, ret);
}

int path_build_offline(const struct cert *const *chain, size_t n, const struct anchor *anchors,
		       size_t n_anchors, int64_t now, struct path *ret)
{
	struct search s = { .chain = chain,
			    .n_chain = n,
			    .anchors = anchors,
			    .n_anchors = n_anchors,
			    .now = now,
			    .offline = true,
			    .eku = EKU_CLIENT_AUTH };

	return build(&s, ret);
}

int path_build_signer(const struct cert *const *chain, size_t n, const struct anchor *anchor,
		      int64_t now, struct path *ret)
{
	struct search s = { .chain = chain,
			    .n_chain = n,
			    .anchors = anchor,
			    .n_anchors = 1,
			    .now = now,
			    .offline = true,
			    .eku = UINT_MAX };

	search_path(&s);
	*ret = s.best;
	return 0;
}

int path_check_server(const struct cert *const *chain, size_t n, const struct anchor *anchors,
		      size_t n_anchors, int64_t now)
{
	struct search s = { .chain = chain,
			    .n_chain = n,
			    .anchors = anchors,
			    .n_anchors = n_anchors,
			    .now = now,
			    .eku = EKU_SERVER_AUTH };

	search_path(&s);
	if (!s.found || !path_within(&s.best, now))
		return -EKEYREJECTED;
	if (!key_acceptable(chain[0]) || chain[0]->version != 3 || chain[0]->is_ca ||
	    chain[0]->unknown_critical || !(chain[0]->eku & EKU_SERVER_AUTH))
		return -EKEYREJECTED;
	return 0;
}
