// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cases of x509-limbo in tests/data/limbo.txt, each judged as the authority judges a chain that
 * it sees: read, a path to an anchor, a leaf that may log in, the time within the path's window.
 * Where limbo expects something else, the case stands in limbo-exceptions.h with the reason; an
 * exception that is none any more fails as well.  Another corpus of the same form may be named:
 * test-limbo FILE.
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
#include "lib/pki/offline.h"
#include "tests/unit/limbo-exceptions.h"

#define MAX_CRLS 4
#define MAX_CERTS 128 /* that a case may have, of each kind */

struct limbo_case {
	char id[128];
	bool accept;
	int64_t now;
	bool unread; /* the leaf or another certificate of the peer */
	struct cert *chain[MAX_CERTS], *anchors[MAX_CERTS];
	size_t n_chain, n_anchors;
	uint8_t *ders[MAX_CRLS];
	struct crl crls[MAX_CRLS];
	size_t n_crls, n_usable;
};

struct corpus {
	FILE *file;
	size_t accepted, rejected, stricter, looser, wrong;
	bool seen[ARRAY_SIZE(limbo_exceptions)];
};

static const char *corpus_name;

static void limbo_case_clear(struct limbo_case *c)
{
	while (c->n_chain > 0)
		cert_free(c->chain[--c->n_chain]);
	while (c->n_anchors > 0)
		cert_free(c->anchors[--c->n_anchors]);
	while (c->n_crls > 0)
		free(c->ders[--c->n_crls]);
	c->n_usable = 0;
}

/* A list that says what is not understood is none. */
static void add_crl(struct limbo_case *c, const char *base64)
{
	size_t n;

	assert_true(c->n_crls < MAX_CRLS);
	assert_int_equal(base64_decode_new(base64, strcspn(base64, "\n"), &c->ders[c->n_crls], &n),
			 0);
	if (crl_read((struct view){ c->ders[c->n_crls++], n }, &c->crls[c->n_usable]) == CRL_GOOD &&
	    crl_scan(&c->crls[c->n_usable]) == CRL_GOOD)
		c->n_usable++;
}

/* Every certificate of the path, where the case has lists at all. */
static bool not_revoked(const struct limbo_case *c, const struct cert *const *chain,
			const struct anchor *anchors, const struct path *p)
{
	const struct offline in = { .certs = chain,
				    .n_certs = c->n_chain,
				    .anchor = &anchors[p->anchor - 1],
				    .crls = c->crls,
				    .n_crls = c->n_usable,
				    .now = c->now };
	struct offline_result result;

	if (c->n_crls == 0)
		return true;
	assert_int_equal(offline_check(&in, chain[0], p, &result), 0);
	return result.revocation.status == REVOCATION_GOOD;
}

/* An anchor that cannot be read is none: the authority would not have taken it. */
static void add_cert(struct limbo_case *c, bool anchor, const char *base64)
{
	_cleanup_(freep) uint8_t *der = NULL;
	struct cert *cert = NULL;
	size_t n;

	assert_int_equal(base64_decode_new(base64, strcspn(base64, "\n"), &der, &n), 0);
	assert_true(c->n_chain < MAX_CERTS && c->n_anchors < MAX_CERTS);
	if (cert_parse(der, n, &cert) < 0)
		c->unread |= !anchor;
	else if (anchor)
		c->anchors[c->n_anchors++] = cert;
	else
		c->chain[c->n_chain++] = cert;
}

/* Offline: as `certlogin verify` does, which takes longer chains. */
static bool accepts(const struct limbo_case *c, bool offline, char *ret_why, size_t size)
{
	const struct cert *chain[MAX_CERTS];
	struct anchor anchors[MAX_CERTS];
	struct path p;

	(void)snprintf(ret_why, size, "a certificate cannot be read");
	if (c->unread)
		return false;
	for (size_t i = 0; i < c->n_chain; i++)
		chain[i] = c->chain[i];
	for (size_t i = 0; i < c->n_anchors; i++)
		anchors[i] = (struct anchor){ .id = (int64_t)i + 1,
					      .name = "limbo",
					      .cert = c->anchors[i] };
	assert_int_equal(
		offline ? path_build_offline(chain, c->n_chain, anchors, c->n_anchors, c->now, &p)
			: path_build(chain, c->n_chain, anchors, c->n_anchors, c->now, NULL, &p),
		0);
	(void)snprintf(ret_why, size, "path: %s; leaf: %s", path_fault_text(p.fault),
		       leaf_fault_text(p.leaf_fault));
	return p.fault == PATH_GOOD && p.leaf_fault == LEAF_GOOD && path_within(&p, c->now) &&
	       not_revoked(c, chain, anchors, &p);
}

static const struct limbo_exception *exception_of(struct corpus *corpus, const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(limbo_exceptions); i++)
		if (strcmp(limbo_exceptions[i].id, id) == 0) {
			corpus->seen[i] = true;
			return &limbo_exceptions[i];
		}
	return NULL;
}

static void judge(struct corpus *corpus, const struct limbo_case *c)
{
	const struct limbo_exception *e = exception_of(corpus, c->id);
	char why[256];
	bool offline = accepts(c, true, why, sizeof(why));
	bool got = accepts(c, false, why, sizeof(why));

	if (offline != (e && strcmp(e->reason, LONG) == 0 ? c->accept : got)) {
		corpus->wrong++;
		print_message("# %s: offline we %s\n", c->id, offline ? "accept" : "reject");
	}

	*(c->accept ? &corpus->accepted : &corpus->rejected) += got == c->accept;
	if (got != c->accept)
		*(got ? &corpus->looser : &corpus->stricter) += 1;
	if ((got != c->accept) == (e != NULL))
		return;
	corpus->wrong++;
	print_message("# %s: limbo %s, we %s (%s)%s\n", c->id, c->accept ? "accepts" : "rejects",
		      got ? "accept" : "reject", why, e ? ": no exception any more" : "");
}

static void read_corpus(struct corpus *corpus)
{
	_cleanup_(freep) char *line = NULL;
	struct limbo_case c = { 0 };
	char verdict[8];
	size_t size = 0;

	while (getline(&line, &size, corpus->file) > 0) {
		if (line[0] == '#')
			continue;
		if (strncmp(line, "case ", 5) == 0) {
			if (c.id[0])
				judge(corpus, &c);
			limbo_case_clear(&c);
			c.unread = false;
			assert_int_equal(
				sscanf(line, "case %127s %7s %" SCNd64, c.id, verdict, &c.now), 3);
			c.accept = strcmp(verdict, "accept") == 0;
		} else if (strncmp(line, "crl ", 4) == 0) {
			add_crl(&c, line + 4);
		} else {
			bool anchor = strncmp(line, "anchor ", 7) == 0;

			assert_true(anchor || strncmp(line, "leaf ", 5) == 0 ||
				    strncmp(line, "cert ", 5) == 0);
			add_cert(&c, anchor, line + (anchor ? 7 : 5));
		}
	}
	judge(corpus, &c);
	limbo_case_clear(&c);
}

static void every_case_is_judged_as_limbo_does(void **state)
{
	struct corpus corpus = { .file = fopen(corpus_name, "re") };

	(void)state;
	assert_non_null(corpus.file);
	read_corpus(&corpus);
	(void)fclose(corpus.file);
	print_message(
		"# accepted %zu, rejected %zu as limbo does; stricter in %zu, looser in %zu\n",
		corpus.accepted, corpus.rejected, corpus.stricter, corpus.looser);
	for (size_t i = 0; i < ARRAY_SIZE(limbo_exceptions); i++)
		if (!corpus.seen[i]) {
			corpus.wrong++;
			print_message("# %s: no such case\n", limbo_exceptions[i].id);
		}
	assert_int_equal(corpus.wrong, 0);
	assert_true(corpus.accepted + corpus.rejected + corpus.stricter + corpus.looser >= 205);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_judged_as_limbo_does),
	};
	const char *src = getenv("top_srcdir");
	char name[4096];

	(void)snprintf(name, sizeof(name), "%s/tests/data/limbo.txt", src ? src : ".");
	corpus_name = argc > 1 ? argv[1] : name;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
