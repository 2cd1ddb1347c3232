// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains made from a seed, judged by path_build() as `certlogin verify` does and by OpenSSL's
 * verifier.  Every difference must stand in differences.h.
 *	test-differential [COUNT [SEED]]
 * Chain I is the first one of SEED + I; with a COUNT of 1 it is printed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "tests/differential/differences.h"

#define COUNT 2000 /* ./check has five times as many */
#define SEED 5280
#define SHOWN 50 /* differences without a reason */

static uint64_t count = COUNT, seed = SEED;

struct tally {
	uint64_t accepted, rejected, stricter, looser, searched, wrong;
	uint64_t rows[ARRAY_SIZE(differences)];
	uint64_t mutations[N_MUTATIONS];
};

/* One chain, made. */
struct sample {
	struct plan plan;
	struct der der[CHAIN_CERTS];
	struct cert *certs[CHAIN_CERTS]; /* NULL: not to be read */
	const struct der *sent[2 * CHAIN_CERTS], *anchors[3];
};

static void sample_init(struct sample *s, struct maker *maker, uint64_t of)
{
	memset(s, 0, sizeof(*s));
	plan_make(&s->plan, of);
	maker_make(maker, &s->plan, s->der);
	for (size_t i = 0; i < s->plan.n; i++)
		(void)cert_parse(s->der[i].p, s->der[i].n, &s->certs[i]);
	for (size_t i = 0; i < s->plan.n_sent; i++)
		s->sent[i] = &s->der[s->plan.sent[i]];
	for (size_t i = 0; i < s->plan.n_anchors; i++)
		s->anchors[i] = &s->der[s->plan.anchors[i]];
}

static void sample_deinit(struct sample *s)
{
	for (size_t i = 0; i < s->plan.n; i++) {
		cert_free(s->certs[i]);
		free(s->der[i].p);
	}
}

/* As cli/verb-verify.c: unread is not sent; path, then its time, then the leaf. */
static int judge_ours(const struct sample *s, struct path *ret)
{
	const struct plan *p = &s->plan;
	const struct cert *chain[2 * CHAIN_CERTS];
	struct anchor anchors[3];
	size_t n = 0, n_anchors = 0;

	if (!s->certs[p->leaf])
		return OURS_UNREAD;
	for (size_t i = 0; i < p->n_sent; i++)
		if (s->certs[p->sent[i]])
			chain[n++] = s->certs[p->sent[i]];
	for (size_t i = 0; i < p->n_anchors; i++)
		if (s->certs[p->anchors[i]]) {
			anchors[n_anchors] = (struct anchor){ .id = (int64_t)n_anchors + 1,
							      .name = "",
							      .cert = s->certs[p->anchors[i]] };
			n_anchors++;
		}
	assert_int_equal(path_build(chain, n, anchors, n_anchors, CHAIN_NOW * (int64_t)USEC_PER_SEC,
				    NULL, ret),
			 0);
	if (ret->fault != PATH_GOOD)
		return (int)ret->fault;
	if (!path_within(ret, CHAIN_NOW * (int64_t)USEC_PER_SEC))
		return OURS_TIME;
	return ret->leaf_fault == LEAF_GOOD ? PATH_GOOD : OURS_LEAF + (int)ret->leaf_fault;
}

/* OpenSSL tries one path, we all of them: what does it say to the one that we found? */
static void judge_our_path(const struct sample *s, const struct path *path,
			   struct openssl_verdict *ret)
{
	const struct der *chain[LIMIT_CHAIN_CERTS + 1] = { s->sent[0] };

	for (size_t i = 0; i < path->n_issuers; i++)
		for (size_t j = 0; j < s->plan.n; j++)
			if (s->certs[j] &&
			    memcmp(s->certs[j]->sha256, path->issuers[i], SHA256_BYTES) == 0)
				chain[i + 1] = &s->der[j];
	openssl_verify(chain, path->n_issuers, &chain[path->n_issuers], 1, ret);
}

static bool was_done(const struct sample *s, enum mutation m)
{
	return m == ANY || s->plan.mutations >> m & 1;
}

/* Of several paths that fail we tell one fault, not always that of the path which OpenSSL took. */
static bool is_fault(const struct sample *s, const struct difference *d, int ours)
{
	bool several = was_done(s, M_CROSS) || was_done(s, M_SUPERFLUOUS);
	bool own = d->needs != ANY && d->needs != M_CROSS && d->needs != M_SUPERFLUOUS;

	return d->ours == ours || (several && own && d->ours != PATH_GOOD && ours != PATH_GOOD);
}

static bool defended(struct tally *t, const struct sample *s, int ours, int openssl)
{
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		const struct difference *d = &differences[i];

		if (d->openssl != openssl || !was_done(s, d->needs) || !is_fault(s, d, ours))
			continue;
		t->rows[i]++;
		return true;
	}
	return false;
}

static const char *ours_text(int ours)
{
	return ours == OURS_UNREAD ? "cannot be read"
	       : ours == OURS_TIME ? "time"
	       : ours >= OURS_LEAF ? leaf_fault_text((enum leaf_fault)(ours - OURS_LEAF))
				   : path_fault_text((enum path_fault)ours);
}

static void show(const struct sample *s, uint64_t of, int ours, const struct openssl_verdict *v)
{
	print_message("# chain of seed %" PRIu64 " (", of);
	for (unsigned m = 0; m < N_MUTATIONS; m++)
		if (s->plan.mutations >> m & 1)
			print_message(" %s;", mutation_text(m));
	print_message(" ): we %d (%s), OpenSSL", ours, ours_text(ours));
	for (size_t i = 0; i < v->n; i++)
		print_message(" %d (%s)", v->errors[i],
			      X509_verify_cert_error_string(v->errors[i]));
	print_message("%s\n", v->n == 0 ? " accepts" : "");
}

static void dump_one(const char *what, const struct der *d)
{
	_cleanup_(freep) char *text = malloc(BASE64_SIZE(d->n));

	assert_non_null(text);
	base64_encode(d->p, d->n, text);
	printf("%s\n-----BEGIN CERTIFICATE-----\n", what);
	for (size_t i = 0; i < strlen(text); i += 64)
		printf("%.64s\n", text + i);
	printf("-----END CERTIFICATE-----\n");
}

static void dump(const struct sample *s)
{
	for (size_t i = 0; i < s->plan.n_anchors; i++)
		dump_one("anchor", s->anchors[i]);
	for (size_t i = 0; i < s->plan.n_sent; i++)
		dump_one("sent", s->sent[i]);
}

static void judge(struct tally *t, const struct sample *s, uint64_t of)
{
	struct openssl_verdict v;
	struct path path = { 0 };
	int ours = judge_ours(s, &path);
	bool good = true;

	openssl_verify(s->sent, s->plan.n_sent, s->anchors, s->plan.n_anchors, &v);
	if (count == 1) {
		show(s, of, ours, &v);
		dump(s);
	}
	if ((ours == PATH_GOOD) == (v.n == 0)) {
		*(v.n == 0 ? &t->accepted : &t->rejected) += 1;
		return;
	}
	if (ours == PATH_GOOD) {
		judge_our_path(s, &path, &v);
		if (v.n == 0) {
			t->searched++;
			return;
		}
		t->looser++;
		for (size_t i = 0; i < v.n; i++)
			good &= defended(t, s, PATH_GOOD, v.errors[i]);
	} else {
		t->stricter++;
		good = defended(t, s, ours, X509_V_OK);
	}
	if (!good && t->wrong++ < SHOWN)
		show(s, of, ours, &v);
}

static void summary(const struct tally *t)
{
	print_message("# %" PRIu64 " chains of seed %" PRIu64 ": agreed accept %" PRIu64
		      ", agreed reject %" PRIu64 ", stricter %" PRIu64 ", looser %" PRIu64
		      ", by a path that OpenSSL does not try %" PRIu64 ", without reason %" PRIu64
		      "\n",
		      count, seed, t->accepted, t->rejected, t->stricter, t->looser, t->searched,
		      t->wrong);
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		const struct difference *d = &differences[i];

		if (t->rows[i] > 0)
			print_message("# %7" PRIu64 " %s: %s%s%s: %s\n", t->rows[i],
				      d->ours == PATH_GOOD ? "looser" : "stricter",
				      d->ours == PATH_GOOD
					      ? X509_verify_cert_error_string(d->openssl)
					      : ours_text(d->ours),
				      d->needs == ANY ? "" : "; ",
				      d->needs == ANY ? "" : mutation_text(d->needs), d->reason);
	}
}

static void every_difference_has_a_reason(void **state)
{
	struct maker *maker = maker_new();
	struct tally t = { 0 };

	(void)state;
	for (uint64_t i = 0; i < count; i++) {
		struct sample s;

		sample_init(&s, maker, seed + i);
		for (unsigned m = 0; m < N_MUTATIONS; m++)
			t.mutations[m] += s.plan.mutations >> m & 1;
		judge(&t, &s, seed + i);
		sample_deinit(&s);
	}
	maker_free(maker);
	summary(&t);
	assert_int_equal(t.wrong, 0);
	/* the generator makes what it is for */
	for (unsigned m = 0; m < N_MUTATIONS && count >= COUNT; m++)
		assert_true(t.mutations[m] > 0);
	if (count >= COUNT)
		assert_true(t.accepted > count / 10 && t.rejected > count / 10);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_difference_has_a_reason),
	};

	if (argc > 1)
		count = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
