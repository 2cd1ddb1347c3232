// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/pki/key.h"
#include "lib/pki/path.h"
#include "lib/pki/proof.h"
#include "tests/harness/pki-make.h"

/*
 * Each test makes the certificates it is about: root, what is between, a leaf.  What a certificate
 * is called in a test is its index here.
 */
enum { ROOT, SUB, LEAF, OTHER, MORE, N_CERTS };

struct lab {
	struct pki p[N_CERTS];
};

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

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

static void make(struct lab *lab, int what, int issuer, const struct pki_spec *spec)
{
	pki_make(spec, issuer < 0 ? NULL : &lab->p[issuer], &lab->p[what]);
}

static void make_root(struct lab *lab)
{
	make(lab, ROOT, -1, &(struct pki_spec){ .cn = "Root", .ca = true });
}

static void make_leaf(struct lab *lab, int issuer)
{
	make(lab, LEAF, issuer, &(struct pki_spec){ .cn = "alice" });
}

/* The usual three, the middle one by this specification. */
static void make_three(struct lab *lab, const struct pki_spec *sub)
{
	make_root(lab);
	make(lab, SUB, ROOT, sub);
	make_leaf(lab, SUB);
}

/* Anchored at ROOT; the peer sends LEAF and then these, up to a negative one. */
static struct path path_of(struct lab *lab, const int *others)
{
	const struct anchor anchor = { .id = 7, .name = "root", .cert = lab->p[ROOT].cert };
	const struct cert *chain[N_CERTS] = { lab->p[LEAF].cert };
	struct path p;
	size_t n = 1;

	memset(&p, 0xff, sizeof(p));
	for (; *others >= 0; others++)
		chain[n++] = lab->p[*others].cert;
	assert_int_equal(path_build(chain, n, &anchor, 1, PKI_NOW, NULL, &p), 0);
	assert_int_equal(p.anchor, p.fault == PATH_GOOD ? 7 : 0);
	return p;
}
#define PATH(lab, ...) path_of(lab, (const int[]){ __VA_ARGS__, -1 })

/* --- good ones --- */

static void leaf_under_the_anchor(void **state)
{
	struct lab *lab = *state;
	struct path p;

	make_root(lab);
	make_leaf(lab, ROOT);
	p = path_of(lab, (const int[]){ -1 });
	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.leaf_fault, LEAF_GOOD);
	assert_int_equal(p.n_issuers, 1);
	assert_memory_equal(p.issuers[0], lab->p[ROOT].cert->sha256, SHA256_BYTES);
}

static void intermediates_in_any_order(void **state)
{
	struct lab *lab = *state;
	struct path p;

	make_root(lab);
	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true });
	make(lab, MORE, SUB, &(struct pki_spec){ .cn = "More", .ca = true });
	make_leaf(lab, MORE);
	p = PATH(lab, SUB, MORE);
	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.n_issuers, 3);
	assert_memory_equal(p.issuers[0], lab->p[MORE].cert->sha256, SHA256_BYTES);
	assert_memory_equal(p.issuers[2], lab->p[ROOT].cert->sha256, SHA256_BYTES);
	assert_int_equal(PATH(lab, MORE, SUB).fault, PATH_GOOD);
	assert_int_equal(PATH(lab, MORE, ROOT, SUB).fault, PATH_GOOD);
	assert_int_equal(PATH(lab, MORE).fault, PATH_NO_ANCHOR);
}

static void every_kind_of_issuer_key(void **state)
{
	struct lab *lab = *state;
	static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_ED25519, KEY_RSA };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		make(lab, ROOT, -1,
		     &(struct pki_spec){ .cn = "Root", .ca = true, .type = types[i] });
		make_leaf(lab, ROOT);
		assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_GOOD);
		pki_deinit(&lab->p[ROOT]);
		pki_deinit(&lab->p[LEAF]);
	}
}

static void every_good_digest(void **state)
{
	struct lab *lab = *state;
	static const gnutls_digest_algorithm_t digests[] = { GNUTLS_DIG_SHA256, GNUTLS_DIG_SHA384,
							     GNUTLS_DIG_SHA512 };
	static const enum key_type types[] = { KEY_P256, KEY_RSA };

	for (size_t i = 0; i < ARRAY_SIZE(digests) * ARRAY_SIZE(types); i++) {
		make(lab, ROOT, -1,
		     &(struct pki_spec){ .cn = "Root", .ca = true, .type = types[i / 3] });
		make(lab, LEAF, ROOT,
		     &(struct pki_spec){ .cn = "alice", .digest = digests[i % 3] });
		assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_GOOD);
		pki_deinit(&lab->p[ROOT]);
		pki_deinit(&lab->p[LEAF]);
	}
}

/* --- whose CA it is --- */

static void foreign_ca(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, OTHER, -1, &(struct pki_spec){ .cn = "Other", .ca = true });
	make_leaf(lab, OTHER);
	assert_int_equal(PATH(lab, OTHER).fault, PATH_NO_ANCHOR);
}

static void foreign_ca_of_the_same_name(void **state)
{
	struct lab *lab = *state;

	make(lab, ROOT, -1,
	     &(struct pki_spec){ .cn = "Root", .ca = true, .flags = PKI_NO_KEY_IDS });
	make(lab, OTHER, -1,
	     &(struct pki_spec){ .cn = "Root", .ca = true, .flags = PKI_NO_KEY_IDS });
	make_leaf(lab, OTHER);
	assert_int_equal(PATH(lab, OTHER).fault, PATH_BAD_SIGNATURE);
}

/* Key identifiers tell the two apart before any signature; but never make a path. */
static void key_identifiers_choose(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, OTHER, -1, &(struct pki_spec){ .cn = "Root", .ca = true });
	make_leaf(lab, OTHER);
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_NO_ANCHOR);
}

static void self_signed_leaf(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, LEAF, -1, &(struct pki_spec){ .cn = "Root" });
	assert_int_not_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_GOOD);
}

static void leaf_that_is_the_anchor(void **state)
{
	struct lab *lab = *state;
	struct pki_spec root = { .cn = "Root", .ca = true };
	struct path p;

	make_root(lab);
	root.key = lab->p[ROOT].key;
	make(lab, LEAF, ROOT, &root); /* same key, same name: no person's certificate */
	p = path_of(lab, (const int[]){ -1 });
	assert_int_equal(p.leaf_fault, LEAF_IS_CA);
}

static void altered_leaf(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *bad = NULL;
	_cleanup_(freep) uint8_t *der = NULL;
	const struct cert *good;

	make_root(lab);
	make_leaf(lab, ROOT);
	good = lab->p[LEAF].cert;
	der = malloc(good->der.n);
	memcpy(der, good->der.p, good->der.n);
	der[good->serial.p - good->der.p + 3] ^= 1;
	assert_int_equal(cert_parse(der, good->der.n, &bad), 0);
	cert_free(lab->p[LEAF].cert);
	lab->p[LEAF].cert = STEAL(bad);
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_BAD_SIGNATURE);
}

/* --- what an issuer must be --- */

static void issuer_that_is_no_ca(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "bob", .usage = GNUTLS_KEY_KEY_CERT_SIGN });
	assert_int_equal(PATH(*state, SUB).fault, PATH_NOT_CA);
}

static void issuer_without_basic_constraints(void **state)
{
	make_three(*state, &(struct pki_spec){
				   .cn = "Sub", .ca = true, .flags = PKI_NO_BASIC_CONSTRAINTS });
	assert_int_equal(PATH(*state, SUB).fault, PATH_NOT_CA);
}

static void issuer_of_version_1(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "Sub", .ca = true, .flags = PKI_VERSION_1 });
	assert_int_equal(PATH(*state, SUB).fault, PATH_NOT_CA);
}

static void anchor_of_version_1(void **state)
{
	struct lab *lab = *state;

	make(lab, ROOT, -1, &(struct pki_spec){ .cn = "Root", .ca = true, .flags = PKI_VERSION_1 });
	make_leaf(lab, ROOT);
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_NOT_CA);
}

static void issuer_that_may_not_sign_certificates(void **state)
{
	make_three(*state,
		   &(struct pki_spec){ .cn = "Sub", .ca = true, .usage = GNUTLS_KEY_CRL_SIGN });
	assert_int_equal(PATH(*state, SUB).fault, PATH_CA_KEY_USAGE);
}

static void issuer_without_key_usage_is_taken(void **state)
{
	make_three(*state,
		   &(struct pki_spec){ .cn = "Sub", .ca = true, .flags = PKI_NO_KEY_USAGE });
	assert_int_equal(PATH(*state, SUB).fault, PATH_GOOD);
}

static void issuer_for_servers_alone(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "Sub", .ca = true, .eku = PKI_SERVER_AUTH });
	assert_int_equal(PATH(*state, SUB).fault, PATH_CA_EKU);
}

static void issuer_for_any_purpose(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "Sub", .ca = true, .eku = PKI_ANY_EKU });
	assert_int_equal(PATH(*state, SUB).fault, PATH_GOOD);
}

static void issuer_for_clients(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "Sub",
					       .ca = true,
					       .eku = PKI_SERVER_AUTH,
					       .eku2 = PKI_CLIENT_AUTH });
	assert_int_equal(PATH(*state, SUB).fault, PATH_GOOD);
}

static void issuer_with_an_unknown_critical_extension(void **state)
{
	make_three(*state,
		   &(struct pki_spec){ .cn = "Sub", .ca = true, .flags = PKI_UNKNOWN_CRITICAL });
	assert_int_equal(PATH(*state, SUB).fault, PATH_CRITICAL_EXTENSION);
}

static void issuer_with_an_unknown_extension(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "Sub", .ca = true, .flags = PKI_UNKNOWN });
	assert_int_equal(PATH(*state, SUB).fault, PATH_GOOD);
}

/* Our reader gives no such certificates; the rules do not lean on it. */
static void issuer_is_asked_for_each(void **state)
{
	struct lab *lab = *state;
	struct cert *root;

	make_root(lab);
	make_leaf(lab, ROOT);
	root = lab->p[ROOT].cert;
	root->version = 2;
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_NOT_CA);
	root->version = 3;
	root->has_basic_constraints = false;
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_NOT_CA);
	root->has_basic_constraints = true;
	root->is_ca = false;
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_NOT_CA);
	root->is_ca = true;
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_GOOD);
}

/* --- how long --- */

/* ROOT (with this pathLen) - SUB - MORE - LEAF */
static enum path_fault with_path_len(struct lab *lab, int len, const char *more_cn)
{
	make(lab, ROOT, -1,
	     &(struct pki_spec){ .cn = "Root", .ca = true, .has_path_len = true, .path_len = len });
	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true });
	make(lab, MORE, SUB,
	     &(struct pki_spec){ .cn = more_cn,
				 .ca = true,
				 .key = strcmp(more_cn, "Sub") == 0 ? lab->p[SUB].key : NULL });
	make_leaf(lab, MORE);
	return PATH(lab, SUB, MORE).fault;
}

static void path_len_too_short(void **state)
{
	assert_int_equal(with_path_len(*state, 1, "More"), PATH_TOO_LONG);
}

static void path_len_just_enough(void **state)
{
	assert_int_equal(with_path_len(*state, 2, "More"), PATH_GOOD);
}

static void path_len_of_an_intermediate(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true, .has_path_len = true });
	make(lab, MORE, SUB, &(struct pki_spec){ .cn = "More", .ca = true });
	make_leaf(lab, MORE);
	assert_int_equal(PATH(lab, SUB, MORE).fault, PATH_TOO_LONG);
	pki_deinit(&lab->p[LEAF]);
	make_leaf(lab, SUB);
	assert_int_equal(PATH(lab, SUB).fault, PATH_GOOD);
}

/* RFC 5280 4.2.1.9: self-issued ones do not count. */
static void self_issued_do_not_count(void **state)
{
	assert_int_equal(with_path_len(*state, 1, "Sub"), PATH_GOOD);
}

static void longest_chain(void **state)
{
	struct pki p[LIMIT_CHAIN_CERTS + 2] = { 0 };
	const struct cert *chain[LIMIT_CHAIN_CERTS + 2];
	struct anchor anchor = { .id = 1 };
	struct path path;
	char cn[8] = "CA 0";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		cn[3] = (char)('0' + i);
		pki_make(&(struct pki_spec){ .cn = cn, .ca = i + 1 < ARRAY_SIZE(p) },
			 i ? &p[i - 1] : NULL, &p[i]);
		chain[ARRAY_SIZE(p) - 1 - i] = p[i].cert;
	}
	/* LIMIT_CHAIN_CERTS are sent, and the anchor above them */
	anchor.cert = p[1].cert;
	assert_int_equal(path_build(chain, LIMIT_CHAIN_CERTS, &anchor, 1, PKI_NOW, NULL, &path), 0);
	assert_int_equal(path.fault, PATH_GOOD);
	assert_int_equal(path.n_issuers, LIMIT_CHAIN_CERTS);
	/* one more is too many, and without an anchor in reach there is none */
	anchor.cert = p[0].cert;
	assert_int_equal(path_build(chain, LIMIT_CHAIN_CERTS + 1, &anchor, 1, PKI_NOW, NULL, &path),
			 0);
	assert_int_equal(path.fault, PATH_MALFORMED);
	assert_int_equal(path_build(chain, LIMIT_CHAIN_CERTS, &anchor, 1, PKI_NOW, NULL, &path), 0);
	assert_int_equal(path.fault, PATH_NO_ANCHOR);
	assert_int_equal(path_build(NULL, 0, &anchor, 1, PKI_NOW, NULL, &path), 0);
	assert_int_equal(path.fault, PATH_MALFORMED);
	assert_int_equal(path.leaf_fault, LEAF_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		pki_deinit(&p[i]);
}

/* --- several ways --- */

static void expired_cross_certificate_does_not_win(void **state)
{
	struct lab *lab = *state;
	const int64_t late = PKI_NOW + 50 * PKI_DAY, over = PKI_NOW - PKI_DAY;
	struct path p;

	/* SUB and MORE: one CA, certified twice by ROOT */
	make_root(lab);
	make(lab, SUB, ROOT,
	     &(struct pki_spec){ .cn = "Sub",
				 .ca = true,
				 .not_before = PKI_NOW - 9 * PKI_DAY,
				 .not_after = over });
	make(lab, MORE, ROOT,
	     &(struct pki_spec){
		     .cn = "Sub", .ca = true, .key = lab->p[SUB].key, .not_after = late });
	make_leaf(lab, SUB);
	p = PATH(lab, SUB, MORE);
	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.not_after, late);
	assert_int_equal(PATH(lab, MORE, SUB).not_after, late);
	/* with the expired one alone its end is the path's */
	assert_int_equal(PATH(lab, SUB).fault, PATH_GOOD);
	assert_int_equal(PATH(lab, SUB).not_after, over);
}

/* Added ahead of its time, and lasting longer. */
static void renewed_anchor_waits_for_its_time(void **state)
{
	const int64_t from = PKI_NOW + 9 * PKI_DAY;
	struct pki old = { 0 }, renewed = { 0 }, leaf = { 0 };
	struct anchor anchors[2] = { { .id = 1 }, { .id = 2 } };
	struct path p;

	(void)state;
	pki_make(&(struct pki_spec){ .cn = "Root", .ca = true, .not_after = from + PKI_DAY }, NULL,
		 &old);
	pki_make(&(struct pki_spec){ .cn = "Root",
				     .ca = true,
				     .key = old.key,
				     .not_before = from,
				     .not_after = from + 99 * PKI_DAY },
		 NULL, &renewed);
	pki_make(&(struct pki_spec){ .cn = "alice", .not_after = from + 99 * PKI_DAY }, &old,
		 &leaf);
	for (int turned = 0; turned < 2; turned++) {
		const struct cert *chain = leaf.cert;

		anchors[turned].cert = old.cert;
		anchors[!turned].cert = renewed.cert;
		assert_int_equal(path_build(&chain, 1, anchors, 2, PKI_NOW, NULL, &p), 0);
		assert_int_equal(p.anchor, 1 + turned);
		/* both are within their time: the one that lasts longer */
		assert_int_equal(path_build(&chain, 1, anchors, 2, from, NULL, &p), 0);
		assert_int_equal(p.anchor, 2 - turned);
		assert_int_equal(path_build(&chain, 1, anchors, 2, from + 2 * PKI_DAY, NULL, &p),
				 0);
		assert_int_equal(p.anchor, 2 - turned);
	}
	pki_deinit(&old);
	pki_deinit(&renewed);
	pki_deinit(&leaf);
}

static void bad_way_does_not_hide_the_good_one(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, SUB, ROOT, &(struct pki_spec){ .cn = "Sub", .ca = true });
	make(lab, MORE, ROOT,
	     &(struct pki_spec){ .cn = "Sub",
				 .ca = true,
				 .key = lab->p[SUB].key,
				 .usage = GNUTLS_KEY_CRL_SIGN });
	make_leaf(lab, SUB);
	assert_int_equal(PATH(lab, MORE, SUB).fault, PATH_GOOD);
	assert_int_equal(PATH(lab, SUB, MORE).fault, PATH_GOOD);
	assert_int_equal(PATH(lab, MORE).fault, PATH_CA_KEY_USAGE);
}

static void window_is_the_narrowest(void **state)
{
	struct lab *lab = *state;
	struct path p;

	make(lab, ROOT, -1,
	     &(struct pki_spec){ .cn = "Root", .ca = true, .not_before = PKI_NOW - PKI_SEC });
	make(lab, SUB, ROOT,
	     &(struct pki_spec){ .cn = "Sub", .ca = true, .not_after = PKI_NOW + PKI_SEC });
	make_leaf(lab, SUB);
	p = PATH(lab, SUB);
	assert_int_equal(p.not_before, PKI_NOW - PKI_SEC);
	assert_int_equal(p.not_after, PKI_NOW + PKI_SEC);
}

static void window_begins_with_the_latest(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, SUB, ROOT,
	     &(struct pki_spec){ .cn = "Sub", .ca = true, .not_before = PKI_NOW + PKI_SEC });
	make_leaf(lab, SUB);
	assert_int_equal(PATH(lab, SUB).not_before, PKI_NOW + PKI_SEC);
	pki_deinit(&lab->p[LEAF]);
	make(lab, LEAF, SUB,
	     &(struct pki_spec){ .cn = "alice", .not_before = PKI_NOW + 2 * PKI_SEC });
	assert_int_equal(PATH(lab, SUB).not_before, PKI_NOW + 2 * PKI_SEC);
}

/* Expired since before 1970: still a path, and its end is told. */
static void window_that_ended_long_ago(void **state)
{
	struct lab *lab = *state;
	struct path p;

	make_root(lab);
	make_leaf(lab, ROOT);
	lab->p[LEAF].cert->not_after = -1;
	p = path_of(lab, (const int[]){ -1 });
	assert_int_equal(p.fault, PATH_GOOD);
	assert_int_equal(p.not_after, -1);
}

static void first_of_equal_anchors(void **state)
{
	struct lab *lab = *state;
	const struct cert *leaf;
	struct path p;

	make_root(lab);
	make_leaf(lab, ROOT);
	leaf = lab->p[LEAF].cert;
	{
		const struct anchor anchors[] = {
			{ .id = 3, .name = "a", .cert = lab->p[ROOT].cert },
			{ .id = 4, .name = "b", .cert = lab->p[ROOT].cert }
		};

		assert_int_equal(path_build(&leaf, 1, anchors, 2, PKI_NOW, NULL, &p), 0);
	}
	assert_int_equal(p.anchor, 3);
}

/* Of several faults the first that was met is told, in the order that the peer sent. */
static void first_fault_is_told(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, SUB, ROOT,
	     &(struct pki_spec){ .cn = "Sub", .ca = true, .usage = GNUTLS_KEY_CRL_SIGN });
	make(lab, MORE, ROOT,
	     &(struct pki_spec){
		     .cn = "Sub", .ca = true, .key = lab->p[SUB].key, .eku = PKI_SERVER_AUTH });
	make_leaf(lab, SUB);
	assert_int_equal(PATH(lab, SUB, MORE).fault, PATH_CA_KEY_USAGE);
	assert_int_equal(PATH(lab, MORE, SUB).fault, PATH_CA_EKU);
}

/* Two CAs that certify each other, under names of ours: the search ends. */
static void loops_end(void **state)
{
	struct lab *lab = *state;

	make_root(lab);
	make(lab, SUB, -1, &(struct pki_spec){ .cn = "A", .ca = true });
	make(lab, MORE, SUB, &(struct pki_spec){ .cn = "B", .ca = true });
	pki_make(&(struct pki_spec){ .cn = "A", .ca = true, .key = lab->p[SUB].key }, &lab->p[MORE],
		 &lab->p[OTHER]);
	make_leaf(lab, SUB);
	assert_int_equal(PATH(lab, SUB, MORE, OTHER).fault, PATH_NO_ANCHOR);
}

/* Only what stood on a good path is remembered, and never the leaf's own signature. */
static void memo_of_good_paths(void **state)
{
	struct lab *lab = *state;
	const struct cert *chain[2];
	struct path_memo memo = { 0 };
	struct anchor anchor = { .id = 7 };
	struct pki foreign = { 0 };
	struct path path;

	make_three(lab, &(struct pki_spec){ .cn = "Sub", .ca = true });
	pki_make(&(struct pki_spec){ .cn = "Root", .ca = true, .flags = PKI_NO_KEY_IDS }, NULL,
		 &foreign);
	chain[0] = lab->p[LEAF].cert;
	chain[1] = lab->p[SUB].cert;
	anchor.cert = foreign.cert;
	assert_int_equal(path_build(chain, 2, &anchor, 1, PKI_NOW, &memo, &path), 0);
	assert_int_equal(path.fault, PATH_BAD_SIGNATURE);
	assert_int_equal(memo.next, 0);
	anchor.cert = lab->p[ROOT].cert;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(path_build(chain, 2, &anchor, 1, PKI_NOW, &memo, &path), 0);
		assert_int_equal(path.fault, PATH_GOOD);
		assert_int_equal(memo.next, 1);
	}
	assert_memory_equal(memo.pairs[0][0], chain[1]->sha256, SHA256_BYTES);
	assert_memory_equal(memo.pairs[0][1], anchor.cert->sha256, SHA256_BYTES);
	/* it is what spares the check: the same of the foreign one would be believed */
	memcpy(memo.pairs[0][1], foreign.cert->sha256, SHA256_BYTES);
	anchor.cert = foreign.cert;
	assert_int_equal(path_build(chain, 2, &anchor, 1, PKI_NOW, &memo, &path), 0);
	assert_int_equal(path.fault, PATH_GOOD);
	/* the last place, and then the first again */
	memo.next = PATH_MEMO_PAIRS - 1;
	anchor.cert = lab->p[ROOT].cert;
	assert_int_equal(path_build(chain, 2, &anchor, 1, PKI_NOW, &memo, &path), 0);
	assert_int_equal(memo.next, 0);
	pki_deinit(&foreign);
}

/* Many certificates of one name and key: the number of signatures stays bounded. */
static void signatures_are_counted(void **state)
{
	struct pki root = { 0 }, same[LIMIT_CHAIN_CERTS] = { 0 };
	const struct cert *chain[LIMIT_CHAIN_CERTS];
	struct anchor anchor = { .id = 1 };
	struct path path;

	(void)state;
	pki_make_ca("Root", &root);
	anchor.cert = root.cert;
	pki_make(&(struct pki_spec){ .cn = "Same", .ca = true }, NULL, &same[0]);
	for (size_t i = 1; i < ARRAY_SIZE(same); i++)
		pki_make(&(struct pki_spec){ .cn = "Same", .ca = true, .key = same[0].key },
			 &same[0], &same[i]);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		chain[i] = same[i].cert;
	/* 5! ways without the bound */
	assert_int_equal(path_build(chain, LIMIT_CHAIN_CERTS, &anchor, 1, PKI_NOW, NULL, &path), 0);
	assert_int_equal(path.fault, PATH_MALFORMED);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		pki_deinit(&same[i]);
	pki_deinit(&root);
}

/* --- algorithms and keys --- */

static void sha1_is_weak(void **state)
{
	struct lab *lab = *state;
	static const enum key_type types[] = { KEY_P256, KEY_RSA };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		make(lab, ROOT, -1,
		     &(struct pki_spec){ .cn = "Root", .ca = true, .type = types[i] });
		make(lab, LEAF, ROOT,
		     &(struct pki_spec){ .cn = "alice", .digest = GNUTLS_DIG_SHA1 });
		assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_ALGORITHM);
		pki_deinit(&lab->p[ROOT]);
		pki_deinit(&lab->p[LEAF]);
	}
}

static void sha1_of_an_anchor_does_not_matter(void **state)
{
	struct lab *lab = *state;

	make(lab, ROOT, -1,
	     &(struct pki_spec){ .cn = "Root", .ca = true, .digest = GNUTLS_DIG_SHA1 });
	make_leaf(lab, ROOT);
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_GOOD);
}

static void issuer_key_below_the_floor(void **state)
{
	make_three(*state,
		   &(struct pki_spec){ .cn = "Sub", .ca = true, .type = KEY_RSA, .bits = 1024 });
	assert_int_equal(PATH(*state, SUB).fault, PATH_ALGORITHM);
}

static void issuer_key_of_p521(void **state)
{
	make_three(*state, &(struct pki_spec){ .cn = "Sub", .ca = true, .type = KEY_P521 });
	assert_int_equal(PATH(*state, SUB).fault, PATH_ALGORITHM);
}

/* RFC 5280 4.1.1.2: outside and inside are the same. */
static void two_algorithms_in_one_certificate(void **state)
{
	struct lab *lab = *state;
	struct cert *leaf;

	make_root(lab);
	make_leaf(lab, ROOT);
	leaf = lab->p[LEAF].cert;
	leaf->sig_alg_tbs.n--;
	assert_int_equal(path_of(lab, (const int[]){ -1 }).fault, PATH_ALGORITHM);
}

static void signature_of_another_kind_of_key(void **state)
{
	struct lab *lab = *state;
	_cleanup_(pki_deinit) struct pki rsa = { 0 };
	const struct view data = { (const uint8_t *)"x", 1 };

	make_root(lab);
	make_leaf(lab, ROOT);
	pki_make(&(struct pki_spec){ .cn = "Root", .ca = true, .type = KEY_RSA }, NULL, &rsa);
	assert_int_equal(signature_verify_x509(lab->p[ROOT].cert, &rsa.cert->sig_alg, &data, &data),
			 -EKEYREJECTED);
	assert_int_equal(signature_verify_x509(rsa.cert, &lab->p[ROOT].cert->sig_alg, &data, &data),
			 -EKEYREJECTED);
}

/* --- the leaf --- */

static enum leaf_fault leaf_of(const struct pki_spec *spec)
{
	_cleanup_(pki_deinit) struct pki p = { 0 };

	pki_make(spec, NULL, &p);
	return leaf_check(p.cert, NULL);
}
#define LEAF_OF(...) leaf_of(&(struct pki_spec){ .cn = "alice", __VA_ARGS__ })

static void leaf_faults(void **state)
{
	(void)state;
	assert_int_equal(LEAF_OF(.bits = 0), LEAF_GOOD);
	assert_int_equal(LEAF_OF(.flags = PKI_NO_BASIC_CONSTRAINTS), LEAF_GOOD);
	assert_int_equal(LEAF_OF(.flags = PKI_NO_KEY_USAGE), LEAF_GOOD);
	assert_int_equal(LEAF_OF(.flags = PKI_UNKNOWN), LEAF_GOOD);
	assert_int_equal(LEAF_OF(.eku = PKI_SERVER_AUTH, .eku2 = PKI_CLIENT_AUTH), LEAF_GOOD);
	assert_int_equal(LEAF_OF(.type = KEY_RSA, .bits = 1024), LEAF_KEY);
	assert_int_equal(LEAF_OF(.type = KEY_P521), LEAF_KEY);
	assert_int_equal(LEAF_OF(.ca = true, .eku = PKI_CLIENT_AUTH), LEAF_IS_CA);
	assert_int_equal(LEAF_OF(.usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE),
			 LEAF_IS_CA);
	assert_int_equal(LEAF_OF(.flags = PKI_VERSION_1), LEAF_VERSION);
	assert_int_equal(LEAF_OF(.usage = GNUTLS_KEY_KEY_AGREEMENT), LEAF_KEY_USAGE);
	assert_int_equal(LEAF_OF(.usage = GNUTLS_KEY_NON_REPUDIATION), LEAF_KEY_USAGE);
	assert_int_equal(LEAF_OF(.eku = ""), LEAF_EKU_MISSING);
	assert_int_equal(LEAF_OF(.eku = PKI_SERVER_AUTH), LEAF_EKU);
	assert_int_equal(LEAF_OF(.eku = PKI_ANY_EKU), LEAF_EKU_ANY);
	assert_int_equal(LEAF_OF(.flags = PKI_UNKNOWN_CRITICAL), LEAF_CRITICAL_EXTENSION);
	assert_int_equal(LEAF_OF(.flags = PKI_NAME_CONSTRAINTS), LEAF_FORM);
}

static void key_floor(void **state)
{
	struct cert c = { .key = KEY_RSA, .rsa_e_bits = 17 };
	static const struct {
		unsigned bits, e;
		bool good;
	} rsa[] = {
		{ LIMIT_RSA_MIN_BITS, 17, true },
		{ LIMIT_RSA_MAX_BITS, 17, true },
		{ LIMIT_RSA_MIN_BITS - 1, 17, false },
		{ LIMIT_RSA_MAX_BITS + 1, 17, false },
		{ 2048, 2, true },
		{ 2048, LIMIT_RSA_E_BITS, true },
		{ 2048, LIMIT_RSA_E_BITS + 1, false },
		{ 2048, 1, false },
		{ 2048, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rsa); i++) {
		c.key_bits = rsa[i].bits;
		c.rsa_e_bits = rsa[i].e;
		assert_int_equal(key_acceptable(&c), rsa[i].good);
	}
	c.key = KEY_UNKNOWN;
	assert_false(key_acceptable(&c));
}

static void texts_are_distinct(void **state)
{
	(void)state;
	for (int i = PATH_GOOD; i <= PATH_POLICY; i++)
		for (int j = PATH_GOOD; j < i; j++)
			assert_string_not_equal(path_fault_text((enum path_fault)i),
						path_fault_text((enum path_fault)j));
	for (int i = LEAF_GOOD; i <= LEAF_SMARTCARD_LOGON; i++)
		for (int j = LEAF_GOOD; j < i; j++)
			assert_string_not_equal(leaf_fault_text((enum leaf_fault)i),
						leaf_fault_text((enum leaf_fault)j));
	assert_string_equal(path_fault_text((enum path_fault)(PATH_POLICY + 1)), "unknown");
	assert_string_equal(leaf_fault_text((enum leaf_fault)(LEAF_SMARTCARD_LOGON + 1)), "unknown");
	assert_string_equal(path_fault_text((enum path_fault)99), "unknown");
	assert_string_equal(leaf_fault_text((enum leaf_fault)99), "unknown");
}

/* --- servers --- */

static int server_of(struct lab *lab, const struct pki_spec *spec, int64_t now)
{
	const struct anchor anchor = { .id = 1, .name = "root", .cert = lab->p[ROOT].cert };
	const struct cert *leaf;
	int r;

	make(lab, LEAF, ROOT, spec);
	leaf = lab->p[LEAF].cert;
	r = path_check_server(&leaf, 1, &anchor, 1, now);
	pki_deinit(&lab->p[LEAF]);
	return r;
}

static void servers(void **state)
{
	struct lab *lab = *state;
	struct pki_spec spec = { .cn = "host", .eku = PKI_SERVER_AUTH };

	make_root(lab);
	assert_int_equal(server_of(lab, &spec, PKI_NOW), 0);
	assert_int_equal(server_of(lab, &spec, PKI_NOW - 2 * PKI_DAY), -EKEYREJECTED);
	assert_int_equal(server_of(lab, &spec, PKI_NOW + 200 * PKI_DAY), -EKEYREJECTED);
	spec.ca = true;
	assert_int_equal(server_of(lab, &spec, PKI_NOW), -EKEYREJECTED);
	spec.ca = false;
	spec.flags = PKI_UNKNOWN_CRITICAL;
	assert_int_equal(server_of(lab, &spec, PKI_NOW), -EKEYREJECTED);
	spec.flags = 0;
	spec.eku = NULL; /* a person's */
	assert_int_equal(server_of(lab, &spec, PKI_NOW), -EKEYREJECTED);
	spec.eku = "";
	assert_int_equal(server_of(lab, &spec, PKI_NOW), -EKEYREJECTED);
}

/* To the microsecond, ends included. */
static void server_within_its_window(void **state)
{
	struct lab *lab = *state;
	struct pki_spec spec = { .cn = "host",
				 .eku = PKI_SERVER_AUTH,
				 .not_before = PKI_NOW,
				 .not_after = PKI_NOW + PKI_SEC };

	make_root(lab);
	assert_int_equal(server_of(lab, &spec, PKI_NOW - 1), -EKEYREJECTED);
	assert_int_equal(server_of(lab, &spec, PKI_NOW), 0);
	assert_int_equal(server_of(lab, &spec, PKI_NOW + PKI_SEC), 0);
	assert_int_equal(server_of(lab, &spec, PKI_NOW + PKI_SEC + 1), -EKEYREJECTED);
}

static void server_with_a_weak_key(void **state)
{
	struct pki_spec spec = {
		.cn = "host", .eku = PKI_SERVER_AUTH, .type = KEY_RSA, .bits = 1024
	};

	make_root(*state);
	assert_int_equal(server_of(*state, &spec, PKI_NOW), -EKEYREJECTED);
	spec.bits = 2048;
	assert_int_equal(server_of(*state, &spec, PKI_NOW), 0);
}

static void server_of_version_2_or_of_nobody(void **state)
{
	struct lab *lab = *state;
	struct anchor root = { .id = 1, .name = "root" };
	const struct cert *leaf;

	make_root(lab);
	root.cert = lab->p[ROOT].cert;
	make(lab, LEAF, ROOT, &(struct pki_spec){ .cn = "host", .eku = PKI_SERVER_AUTH });
	leaf = lab->p[LEAF].cert;
	assert_int_equal(path_check_server(&leaf, 1, &root, 1, PKI_NOW), 0);
	lab->p[LEAF].cert->version = 2;
	assert_int_equal(path_check_server(&leaf, 1, &root, 1, PKI_NOW), -EKEYREJECTED);
	lab->p[LEAF].cert->version = 3;
	/* without a path there is no window, and no hour is within it: 1970 neither */
	assert_int_equal(path_check_server(&leaf, 1, &root, 0, 0), -EKEYREJECTED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(leaf_under_the_anchor),
		T(intermediates_in_any_order),
		T(every_kind_of_issuer_key),
		T(every_good_digest),
		T(foreign_ca),
		T(foreign_ca_of_the_same_name),
		T(key_identifiers_choose),
		T(self_signed_leaf),
		T(leaf_that_is_the_anchor),
		T(altered_leaf),
		T(issuer_that_is_no_ca),
		T(issuer_without_basic_constraints),
		T(issuer_of_version_1),
		T(anchor_of_version_1),
		T(issuer_that_may_not_sign_certificates),
		T(issuer_without_key_usage_is_taken),
		T(issuer_for_servers_alone),
		T(issuer_for_any_purpose),
		T(issuer_for_clients),
		T(issuer_with_an_unknown_critical_extension),
		T(issuer_with_an_unknown_extension),
		T(issuer_is_asked_for_each),
		T(path_len_too_short),
		T(path_len_just_enough),
		T(path_len_of_an_intermediate),
		T(self_issued_do_not_count),
		T(longest_chain),
		T(expired_cross_certificate_does_not_win),
		T(renewed_anchor_waits_for_its_time),
		T(bad_way_does_not_hide_the_good_one),
		T(window_is_the_narrowest),
		T(window_begins_with_the_latest),
		T(window_that_ended_long_ago),
		T(first_of_equal_anchors),
		T(first_fault_is_told),
		T(loops_end),
		T(memo_of_good_paths),
		T(signatures_are_counted),
		T(sha1_is_weak),
		T(sha1_of_an_anchor_does_not_matter),
		T(issuer_key_below_the_floor),
		T(issuer_key_of_p521),
		T(two_algorithms_in_one_certificate),
		T(signature_of_another_kind_of_key),
		T(leaf_faults),
		T(key_floor),
		T(texts_are_distinct),
		T(servers),
		T(server_within_its_window),
		T(server_with_a_weak_key),
		T(server_of_version_2_or_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
