// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NIST PKITS with its CRLs (tests/data/pkits.txt), each test judged as `certlogin verify` does: a
 * path to the anchor, every certificate of it known as not revoked, the time within the path's
 * window. The suite has no extended key usages, so a leaf without one is taken.  Where PKITS
 * expects something else, the test stands in pkits-exceptions.h with the reason; an exception that
 * is none any more fails as well.  Another corpus of the same form may be named: test-pkits FILE.
 */
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
#include "lib/pki/policy.h"
#include "tests/unit/pkits-exceptions.h"

#define NOW (INT64_C(1302825600) * 1000000) /* 2011-04-15, when the suite was published */
#define ITEMS_MAX 1024
#define NAME_SIZE 96

struct item {
	char name[NAME_SIZE];
	uint8_t *der;
	size_t n;
};

static struct {
	struct item certs[ITEMS_MAX], crls[ITEMS_MAX];
	size_t n_certs, n_crls;
	size_t accepted, rejected, stricter, looser, wrong;
	bool seen[ARRAY_SIZE(pkits_exceptions)];
} corpus;

static const char *corpus_name;

#define TEST_MAX 16
struct pkits {
	char number[16];
	bool accept;
	struct cert *certs[TEST_MAX];
	size_t n_certs;
	struct crl crls[TEST_MAX];
	size_t n_crls;
	bool unread; /* an anchor or the end entity */
	struct view policies[8];
	struct policy_settings settings;
};

static const struct item *find(const struct item *items, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(items[i].name, name) == 0)
			return &items[i];
	print_message("# %s is not in the corpus\n", name);
	abort();
}

static const char *judge(struct pkits *t)
{
	const struct cert *chain[TEST_MAX];
	struct anchor anchor = { .id = 1, .name = "pkits", .cert = t->certs[0] };
	struct offline in = { .anchor = &anchor, .crls = t->crls, .n_crls = t->n_crls, .now = NOW };
	struct offline_result result;
	struct path p;
	size_t n = 0;

	if (t->unread)
		return "a certificate cannot be read";
	anchor.policy.policies = &t->settings;
	anchor.policy.any_purpose = true;
	for (size_t i = t->n_certs; i-- > 1;)
		if (t->certs[i])
			chain[n++] = t->certs[i];
	in.certs = chain;
	in.n_certs = n;
	assert_int_equal(path_build_offline(chain, n, &anchor, 1, NOW, &p), 0);
	if (p.fault != PATH_GOOD)
		return path_fault_text(p.fault);
	if (p.leaf_fault != LEAF_GOOD)
		return leaf_fault_text(p.leaf_fault);
	if (NOW < p.not_before || NOW > p.not_after)
		return "outside its time";
	assert_int_equal(offline_check(&in, chain[0], &p, &result), 0);
	for (size_t i = 0; i < t->n_crls && result.revocation.status == REVOCATION_UNKNOWN; i++)
		if (result.faults[i] != CRL_GOOD)
			return crl_fault_text(result.faults[i]);
	switch (result.revocation.status) {
	case REVOCATION_GOOD:
		return NULL;
	case REVOCATION_REVOKED:
		return "revoked";
	case REVOCATION_STALE:
		return "stale CRLs";
	case REVOCATION_UNKNOWN:
		return "no CRLs";
	}
	return "?";
}

static void count(struct pkits *t)
{
	const char *why = judge(t);
	bool got = why == NULL, excepted = false;

	for (size_t i = 0; i < ARRAY_SIZE(pkits_exceptions); i++)
		if (strcmp(pkits_exceptions[i].number, t->number) == 0)
			excepted = corpus.seen[i] = true;
	*(t->accept ? &corpus.accepted : &corpus.rejected) += got == t->accept;
	if (got != t->accept)
		*(got ? &corpus.looser : &corpus.stricter) += 1;
	if ((got != t->accept) == excepted)
		return;
	corpus.wrong++;
	print_message("# %s: PKITS %s, we %s (%s)%s\n", t->number,
		      t->accept ? "accepts" : "rejects", got ? "accept" : "reject", why ? why : "",
		      excepted ? ": no exception any more" : "");
}

static void add_cert(struct pkits *t, const char *name)
{
	const struct item *i = find(corpus.certs, corpus.n_certs, name);

	assert_true(t->n_certs < TEST_MAX);
	if (cert_parse(i->der, i->n, &t->certs[t->n_certs]) < 0)
		t->certs[t->n_certs] = NULL;
	t->n_certs++;
}

/* A list that cannot be read, or that says what we do not understand, is no evidence. */
static void add_crl(struct pkits *t, const char *name)
{
	const struct item *i = find(corpus.crls, corpus.n_crls, name);
	struct crl *c = &t->crls[t->n_crls];

	assert_true(t->n_crls < TEST_MAX);
	if (crl_read((struct view){ i->der, i->n }, c) == CRL_GOOD && crl_scan(c) == CRL_GOOD)
		t->n_crls++;
}

/* 2.16.840.1.101.3.2.1.48.N */
static void add_policies(struct pkits *t, const char *list)
{
	static const uint8_t oids[][10] = {
#define POLICY(n) { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x02, 0x01, 0x30, n }
		POLICY(0), POLICY(1), POLICY(2), POLICY(3), POLICY(4),
		POLICY(5), POLICY(6), POLICY(7), POLICY(8), POLICY(9),
	};

	for (; *list; list += *list == ',') {
		char *end;
		unsigned long n = strtoul(list, &end, 10);

		assert_true(end != list && n < ARRAY_SIZE(oids));
		t->policies[t->settings.n_accepted++] = (struct view){ oids[n], sizeof(oids[n]) };
		list = end;
	}
	t->settings.accepted = t->policies;
}

static void run(char *line)
{
	struct pkits t = { 0 };
	char *save, *word = strtok_r(line, " \n", &save), *part;
	char *certs, *crls;

	(void)snprintf(t.number, sizeof(t.number), "%s", word);
	t.accept = strcmp(strtok_r(NULL, " \n", &save), "accept") == 0;
	certs = strtok_r(NULL, " \n", &save);
	crls = strtok_r(NULL, " \n", &save);
	while ((word = strtok_r(NULL, " \n", &save))) {
		t.settings.explicit_policy |= strcmp(word, "explicit") == 0;
		t.settings.inhibit_mapping |= strcmp(word, "no-mapping") == 0;
		t.settings.inhibit_any |= strcmp(word, "no-any") == 0;
		if (strncmp(word, "policies=", 9) == 0)
			add_policies(&t, word + 9);
	}
	for (; (part = strsep(&certs, ","));)
		add_cert(&t, part);
	t.unread = !t.certs[0] || !t.certs[t.n_certs - 1];
	for (; (part = strsep(&crls, ","));)
		if (strcmp(part, "-") != 0)
			add_crl(&t, part);
	count(&t);
	while (t.n_certs > 0)
		cert_free(t.certs[--t.n_certs]);
}

static void add_item(struct item *items, size_t *n, char *line)
{
	struct item *i = &items[*n];
	char *base64 = strchr(line, ' ');

	assert_true(base64 && *n < ITEMS_MAX && base64 - line < NAME_SIZE);
	*base64++ = '\0';
	memcpy(i->name, line, strlen(line) + 1);
	assert_int_equal(base64_decode_new(base64, strcspn(base64, "\n"), &i->der, &i->n), 0);
	++*n;
}

static void every_test_is_judged_as_pkits_does(_unused_ void **state)
{
	_cleanup_(freep) char *line = NULL;
	FILE *file = fopen(corpus_name, "re");
	size_t size = 0;

	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		if (strncmp(line, "cert ", 5) == 0)
			add_item(corpus.certs, &corpus.n_certs, line + 5);
		else if (strncmp(line, "crl ", 4) == 0)
			add_item(corpus.crls, &corpus.n_crls, line + 4);
		else if (strncmp(line, "test ", 5) == 0)
			run(line + 5);
		else
			assert_int_equal(line[0], '#');
	}
	(void)fclose(file);
	print_message(
		"# accepted %zu, rejected %zu as PKITS does; stricter in %zu, looser in %zu\n",
		corpus.accepted, corpus.rejected, corpus.stricter, corpus.looser);
	for (size_t i = 0; i < ARRAY_SIZE(pkits_exceptions); i++)
		assert_true(corpus.seen[i]);
	assert_int_equal(corpus.wrong, 0);
	assert_true(corpus.accepted + corpus.rejected > 0);
	while (corpus.n_certs > 0)
		free(corpus.certs[--corpus.n_certs].der);
	while (corpus.n_crls > 0)
		free(corpus.crls[--corpus.n_crls].der);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_test_is_judged_as_pkits_does),
	};
	static char path[4096];
	const char *top = getenv("top_srcdir");

	(void)snprintf(path, sizeof(path), "%s/tests/data/pkits.txt", top ? top : ".");
	corpus_name = argc > 1 ? argv[1] : path;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
