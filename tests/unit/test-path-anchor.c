// SPDX-License-Identifier: GPL-2.0-or-later
/* What an anchor's kind and its policy make of a path; and the path that a command may take. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/pki/path.h"
#include "tests/harness/pki-make.h"

#define SMARTCARD_LOGON "1.3.6.1.4.1.311.20.2.2"

enum { ROOT, SUB, LEAF, N_CERTS };

struct lab {
	struct pki p[N_CERTS];
};

static void make(struct lab *lab, int what, int issuer, const struct pki_spec *spec)
{
	pki_deinit(&lab->p[what]);
	pki_make(spec, issuer < 0 ? NULL : &lab->p[issuer], &lab->p[what]);
}

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	make(lab, ROOT, -1, &(struct pki_spec){ .cn = "Root", .ca = true });
	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true });
	make(lab, LEAF, SUB, &(struct pki_spec){ .cn = "alice" });
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < N_CERTS; i++)
		pki_deinit(&lab->p[i]);
	free(lab);
	return 0;
}

static struct anchor root_anchor(const struct lab *lab)
{
	return (struct anchor){ .id = 7, .name = "root", .cert = lab->p[ROOT].cert };
}

static struct anchor key_anchor(const struct lab *lab, int what)
{
	struct anchor a = { .id = 9, .name = "key", .kind = ANCHOR_KEY };

	memcpy(a.spki_sha256, lab->p[what].cert->spki_sha256, SHA256_BYTES);
	return a;
}

/* LEAF and, unless `alone`, SUB are sent. */
static struct path build(const struct lab *lab, const struct anchor *anchors, size_t n, bool alone)
{
	const struct cert *chain[] = { lab->p[LEAF].cert, lab->p[SUB].cert };
	struct path p;

	memset(&p, 0xff, sizeof(p));
	assert_int_equal(path_build(chain, alone ? 1 : 2, anchors, n, PKI_NOW, NULL, &p), 0);
	return p;
}

/* --- the policy --- */

/* A leaf of this specification under SUB and ROOT, whose policy is this one. */
static enum leaf_fault leaf_under(struct lab *lab, struct anchor_policy policy,
				  const struct pki_spec *spec)
{
	struct anchor anchor = root_anchor(lab);
	struct path p;

	anchor.policy = policy;
	make(lab, LEAF, SUB, spec);
	p = build(lab, &anchor, 1, false);
	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.leaf_fault, leaf_check(lab->p[LEAF].cert, &policy));
	return p.leaf_fault;
}
#define POLICY(...) ((struct anchor_policy){ __VA_ARGS__ })
#define STRICT POLICY(.form = false)
#define LEAF_UNDER(policy, ...)                                                                    \
	leaf_under(*state, policy, &(struct pki_spec){ .cn = "alice", __VA_ARGS__ })

static void eku_that_is_missing(void **state)
{
	const struct anchor_policy missing = { .eku_missing = true };

	assert_int_equal(LEAF_UNDER(STRICT, .eku = ""), LEAF_EKU_MISSING);
	assert_int_equal(LEAF_UNDER(missing, .eku = ""), LEAF_GOOD);
	/* what is there has to say it */
	assert_int_equal(LEAF_UNDER(missing, .eku = PKI_SERVER_AUTH), LEAF_EKU);
	assert_int_equal(LEAF_UNDER(missing, .eku = PKI_ANY_EKU), LEAF_EKU_ANY);
	assert_int_equal(LEAF_UNDER(POLICY(.eku_any = true), .eku = ""), LEAF_EKU_MISSING);
}

static void eku_for_any_purpose(void **state)
{
	const struct anchor_policy any = { .eku_any = true };

	assert_int_equal(LEAF_UNDER(STRICT, .eku = PKI_ANY_EKU), LEAF_EKU_ANY);
	assert_int_equal(LEAF_UNDER(STRICT, .eku = PKI_CLIENT_AUTH, .eku2 = PKI_ANY_EKU),
			 LEAF_EKU_ANY);
	assert_int_equal(LEAF_UNDER(any, .eku = PKI_ANY_EKU), LEAF_GOOD);
	assert_int_equal(LEAF_UNDER(any, .eku = PKI_CLIENT_AUTH, .eku2 = PKI_ANY_EKU), LEAF_GOOD);
	assert_int_equal(LEAF_UNDER(any, .eku = PKI_SERVER_AUTH), LEAF_EKU);
	assert_int_equal(LEAF_UNDER(any, .eku = PKI_CLIENT_AUTH), LEAF_GOOD);
}

static void eku_of_smart_cards(void **state)
{
	const struct anchor_policy card = { .smartcard_logon = true };
	const struct anchor_policy lax = { .smartcard_logon = true,
					   .eku_missing = true,
					   .eku_any = true };

	assert_int_equal(LEAF_UNDER(card, .eku = PKI_CLIENT_AUTH), LEAF_SMARTCARD_LOGON);
	assert_int_equal(LEAF_UNDER(card, .eku = PKI_CLIENT_AUTH, .eku2 = SMARTCARD_LOGON),
			 LEAF_GOOD);
	/* beside clientAuth, not instead of it */
	assert_int_equal(LEAF_UNDER(card, .eku = SMARTCARD_LOGON), LEAF_EKU);
	assert_int_equal(LEAF_UNDER(STRICT, .eku = SMARTCARD_LOGON), LEAF_EKU);
	/* it is asked for by name */
	assert_int_equal(LEAF_UNDER(lax, .eku = ""), LEAF_SMARTCARD_LOGON);
	assert_int_equal(LEAF_UNDER(lax, .eku = PKI_ANY_EKU), LEAF_SMARTCARD_LOGON);
}

static void empty_eku_is_not_a_missing_one(void **state)
{
	struct lab *lab = *state;
	const struct anchor_policy policy = { .eku_missing = true, .eku_any = true };

	lab->p[LEAF].cert->eku = 0;
	assert_true(lab->p[LEAF].cert->has_eku);
	assert_int_equal(leaf_check(lab->p[LEAF].cert, &policy), LEAF_EKU);
}

static void form_of_the_leaf(void **state)
{
	struct lab *lab = *state;
	struct anchor anchor = root_anchor(lab);
	struct cert *leaf = lab->p[LEAF].cert;

	leaf->bad_form = true;
	assert_int_equal(build(lab, &anchor, 1, false).leaf_fault, LEAF_FORM);
	anchor.policy.form = true;
	assert_int_equal(build(lab, &anchor, 1, false).leaf_fault, LEAF_GOOD);
	/* a CA's constraints are no matter of form */
	leaf->permitted = leaf->serial;
	assert_int_equal(build(lab, &anchor, 1, false).leaf_fault, LEAF_FORM);
}

static void form_of_issuers(void **state)
{
	struct lab *lab = *state;

	for (int i = ROOT; i <= SUB; i++) {
		struct anchor anchor = root_anchor(lab);

		lab->p[i].cert->bad_form = true;
		assert_int_equal(build(lab, &anchor, 1, false).fault, PATH_FORM);
		anchor.policy.form = true;
		assert_int_equal(build(lab, &anchor, 1, false).fault, PATH_GOOD);
		lab->p[i].cert->bad_form = false;
	}
}

/* The one that takes the leaf, whatever the order and however long the other lasts. */
static void strict_anchor_does_not_hide_a_lax_one(void **state)
{
	struct lab *lab = *state;
	struct anchor anchors[2];

	make(lab, SUB, ROOT,
	     &(struct pki_spec){ .cn = "Sub", .ca = true, .not_after = PKI_NOW + PKI_DAY });
	make(lab, LEAF, SUB, &(struct pki_spec){ .cn = "alice", .eku = "" });
	for (int lax = 0; lax < 2; lax++) {
		struct path p;

		/* the strict one is SUB's, with a path that lasts as long or longer */
		anchors[lax] = root_anchor(lab);
		anchors[lax].policy.eku_missing = true;
		anchors[!lax] = (struct anchor){ .id = 8, .name = "sub", .cert = lab->p[SUB].cert };
		p = build(lab, anchors, 2, false);
		assert_int_equal(p.anchor, 7);
		assert_int_equal(p.leaf_fault, LEAF_GOOD);
	}
}

static void time_goes_before_the_leaf(void **state)
{
	struct lab *lab = *state;
	struct anchor anchors[2];

	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true });
	make(lab, LEAF, SUB, &(struct pki_spec){ .cn = "alice", .eku = "" });
	lab->p[ROOT].cert->not_after = PKI_NOW - PKI_SEC;
	anchors[0] = root_anchor(lab);
	anchors[0].policy.eku_missing = true;
	anchors[1] = (struct anchor){ .id = 8, .name = "sub", .cert = lab->p[SUB].cert };
	assert_int_equal(build(lab, anchors, 2, false).leaf_fault, LEAF_EKU_MISSING);
	assert_int_equal(build(lab, anchors, 1, false).leaf_fault, LEAF_GOOD);
}

/* --- intermediates that are held here --- */

static void intermediate_of_our_own(void **state)
{
	struct lab *lab = *state;
	struct anchor anchors[] = {
		{ .id = 8, .name = "sub", .kind = ANCHOR_INTERMEDIATE, .cert = lab->p[SUB].cert },
		root_anchor(lab),
	};
	struct path p;

	assert_int_equal(build(lab, anchors + 1, 1, true).fault, PATH_NO_ANCHOR);
	for (int alone = 0; alone < 2; alone++) {
		p = build(lab, anchors, 2, alone);
		assert_int_equal(p.fault, PATH_GOOD);
		assert_int_equal(p.anchor, 7);
		assert_int_equal(p.n_issuers, 2);
		assert_memory_equal(p.issuers[0], lab->p[SUB].cert->sha256, SHA256_BYTES);
		assert_memory_equal(p.issuers[1], lab->p[ROOT].cert->sha256, SHA256_BYTES);
	}
	/* it vouches for nobody by itself */
	p = build(lab, anchors, 1, true);
	assert_int_equal(p.fault, PATH_NO_ANCHOR);
	assert_int_equal(p.anchor, 0);
}

/* It is an issuer as any other. */
static void intermediate_of_our_own_is_checked(void **state)
{
	struct lab *lab = *state;
	struct anchor anchors[] = {
		root_anchor(lab),
		{ .id = 8, .name = "sub", .kind = ANCHOR_INTERMEDIATE },
	};

	make(lab, SUB, ROOT,
	     &(struct pki_spec){ .cn = "Sub", .ca = true, .usage = GNUTLS_KEY_CRL_SIGN });
	make(lab, LEAF, SUB, &(struct pki_spec){ .cn = "alice" });
	anchors[1].cert = lab->p[SUB].cert;
	assert_int_equal(build(lab, anchors, 2, true).fault, PATH_CA_KEY_USAGE);
	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true });
	make(lab, LEAF, SUB, &(struct pki_spec){ .cn = "alice" });
	anchors[1].cert = lab->p[SUB].cert;
	assert_int_equal(build(lab, anchors, 2, true).fault, PATH_GOOD);
	lab->p[SUB].cert->bad_form = true;
	/* its own policy is nobody's */
	anchors[1].policy.form = true;
	assert_int_equal(build(lab, anchors, 2, true).fault, PATH_FORM);
}

/* --- a pinned key --- */

static void key_that_is_pinned(void **state)
{
	struct lab *lab = *state;
	struct anchor anchor = key_anchor(lab, LEAF);
	const struct cert *leaf = lab->p[LEAF].cert;
	struct path p = build(lab, &anchor, 1, true);

	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.leaf_fault, LEAF_GOOD);
	assert_int_equal(p.anchor, 9);
	assert_int_equal(p.n_issuers, 0);
	assert_int_equal(p.not_before, leaf->not_before);
	assert_int_equal(p.not_after, leaf->not_after);
	/* every octet counts */
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		anchor.spki_sha256[i] ^= 1;
		assert_int_equal(build(lab, &anchor, 1, true).fault, PATH_NO_ANCHOR);
		anchor.spki_sha256[i] ^= 1;
	}
}

static void pinned_key_of_a_self_signed_leaf(void **state)
{
	struct lab *lab = *state;
	struct anchor anchor;

	make(lab, LEAF, -1, &(struct pki_spec){ .cn = "alice" });
	anchor = key_anchor(lab, LEAF);
	assert_int_equal(build(lab, &anchor, 1, true).fault, PATH_GOOD);
	anchor.kind = ANCHOR_CA;
	anchor.cert = lab->p[ROOT].cert;
	assert_int_equal(build(lab, &anchor, 1, true).fault, PATH_NO_ANCHOR);
}

/* Not of the CA above the leaf, and not of a leaf that is none. */
static void pinned_key_is_a_leafs(void **state)
{
	struct lab *lab = *state;
	struct anchor anchor = key_anchor(lab, SUB);

	assert_int_equal(build(lab, &anchor, 1, false).fault, PATH_NO_ANCHOR);
	make(lab, LEAF, -1, &(struct pki_spec){ .cn = "Root", .ca = true });
	anchor = key_anchor(lab, LEAF);
	assert_int_equal(build(lab, &anchor, 1, true).leaf_fault, LEAF_IS_CA);
	make(lab, LEAF, SUB, &(struct pki_spec){ .cn = "alice", .eku = "" });
	anchor = key_anchor(lab, LEAF);
	assert_int_equal(build(lab, &anchor, 1, true).leaf_fault, LEAF_EKU_MISSING);
	anchor.policy.eku_missing = true;
	assert_int_equal(build(lab, &anchor, 1, true).leaf_fault, LEAF_GOOD);
}

static void only_cas_vouch_for_servers(void **state)
{
	struct lab *lab = *state;
	const struct cert *leaf;
	struct anchor anchor;

	make(lab, LEAF, ROOT, &(struct pki_spec){ .cn = "host", .eku = PKI_SERVER_AUTH });
	leaf = lab->p[LEAF].cert;
	anchor = key_anchor(lab, LEAF);
	assert_int_equal(path_check_server(&leaf, 1, &anchor, 1, PKI_NOW), -EKEYREJECTED);
	anchor = root_anchor(lab);
	assert_int_equal(path_check_server(&leaf, 1, &anchor, 1, PKI_NOW), 0);
	anchor.kind = ANCHOR_INTERMEDIATE;
	assert_int_equal(path_check_server(&leaf, 1, &anchor, 1, PKI_NOW), -EKEYREJECTED);
}

/* --- bounds --- */

struct tower {
	struct pki p[PATH_MAX_ISSUERS + 2]; /* from the top */
	const struct cert *chain[PATH_OFFLINE_CERTS + 1];
};

/* The leaf, what is above it, and then the leaf's issuer again and again. */
static void tower_make(struct tower *t)
{
	const size_t n = ARRAY_SIZE(t->p);
	char cn[8];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(cn, sizeof(cn), "CA %zu", i);
		pki_make(&(struct pki_spec){ .cn = cn, .ca = i + 1 < n }, i ? &t->p[i - 1] : NULL,
			 &t->p[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(t->chain); i++)
		t->chain[i] = t->p[i < n ? n - 1 - i : n - 2].cert;
}

static void tower_deinit(struct tower *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->p); i++)
		pki_deinit(&t->p[i]);
}

static void longer_paths_of_a_command(void **state)
{
	_cleanup_(tower_deinit) struct tower t = { 0 };
	struct anchor anchor = { .id = 1 };
	struct path p;

	(void)state;
	tower_make(&t);
	/* PATH_MAX_ISSUERS above the leaf, and one more */
	anchor.cert = t.p[1].cert;
	assert_int_equal(path_build_offline(t.chain, PATH_OFFLINE_CERTS, &anchor, 1, PKI_NOW, &p),
			 0);
	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.n_issuers, PATH_MAX_ISSUERS);
	assert_memory_equal(p.issuers[PATH_MAX_ISSUERS - 1], anchor.cert->sha256, SHA256_BYTES);
	anchor.cert = t.p[0].cert;
	assert_int_equal(path_build_offline(t.chain, PATH_OFFLINE_CERTS, &anchor, 1, PKI_NOW, &p),
			 0);
	assert_int_equal(p.fault, PATH_NO_ANCHOR);
	anchor.cert = t.p[1].cert;
	assert_int_equal(
		path_build_offline(t.chain, PATH_OFFLINE_CERTS + 1, &anchor, 1, PKI_NOW, &p), 0);
	assert_int_equal(p.fault, PATH_MALFORMED);
}

/* What the daemon holds makes its paths no longer. */
static void intermediates_of_our_own_are_within_the_limit(void **state)
{
	_cleanup_(tower_deinit) struct tower t = { 0 };
	struct anchor anchors[PATH_MAX_ISSUERS];
	const size_t leaf = ARRAY_SIZE(t.p) - 1;
	struct path p;

	(void)state;
	tower_make(&t);
	for (size_t i = 0; i < ARRAY_SIZE(anchors); i++)
		anchors[i] = (struct anchor){ .id = (int64_t)i,
					      .kind = ANCHOR_INTERMEDIATE,
					      .cert = t.p[i + 1].cert };
	for (int more = 0; more < 2; more++) {
		size_t top = leaf - LIMIT_CHAIN_CERTS - (size_t)more;

		anchors[top - 1].kind = ANCHOR_CA;
		assert_int_equal(
			path_build(t.chain, 1, anchors, ARRAY_SIZE(anchors), PKI_NOW, NULL, &p), 0);
		assert_int_equal(p.fault, more ? PATH_NO_ANCHOR : PATH_GOOD);
		anchors[top - 1].kind = ANCHOR_INTERMEDIATE;
	}
}

/* Many of one name and key, all known to the memo: not the signatures bound the search. */
static void steps_are_counted(void **state)
{
	struct pki same[8] = { 0 }, leaf = { 0 };
	struct anchor anchors[ARRAY_SIZE(same)];
	struct path_memo memo = { 0 };
	const struct cert *chain;
	struct path p;

	(void)state;
	pki_make(&(struct pki_spec){ .cn = "Same", .ca = true }, NULL, &same[0]);
	for (size_t i = 1; i < ARRAY_SIZE(same); i++)
		pki_make(&(struct pki_spec){ .cn = "Same", .ca = true, .key = same[0].key },
			 &same[0], &same[i]);
	pki_make(&(struct pki_spec){ .cn = "alice" }, &same[0], &leaf);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		anchors[i] = (struct anchor){ .kind = ANCHOR_INTERMEDIATE, .cert = same[i].cert };
		for (size_t j = 0; j < ARRAY_SIZE(same); j++) {
			memcpy(memo.pairs[memo.next][0], same[i].cert->sha256, SHA256_BYTES);
			memcpy(memo.pairs[memo.next++][1], same[j].cert->sha256, SHA256_BYTES);
		}
	}
	chain = leaf.cert;
	/* 6720 ways of five of them */
	assert_int_equal(path_build(&chain, 1, anchors, ARRAY_SIZE(anchors), PKI_NOW, &memo, &p),
			 0);
	assert_int_equal(p.fault, PATH_MALFORMED);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		pki_deinit(&same[i]);
	pki_deinit(&leaf);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(eku_that_is_missing),
		T(eku_for_any_purpose),
		T(eku_of_smart_cards),
		T(empty_eku_is_not_a_missing_one),
		T(form_of_the_leaf),
		T(form_of_issuers),
		T(strict_anchor_does_not_hide_a_lax_one),
		T(time_goes_before_the_leaf),
		T(intermediate_of_our_own),
		T(intermediate_of_our_own_is_checked),
		T(key_that_is_pinned),
		T(pinned_key_of_a_self_signed_leaf),
		T(pinned_key_is_a_leafs),
		T(only_cas_vouch_for_servers),
		T(longer_paths_of_a_command),
		T(intermediates_of_our_own_are_within_the_limit),
		T(steps_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
