/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_IMPORT_LAB_H
#define TESTS_UNIT_IMPORT_LAB_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/import/known.h"
#include "cli/import/plan.h"
#include "lib/base/encode.h"
#include "lib/pki/sshkey.h"
#include "tests/harness/pki-make.h"

/* A plan with people whose certificates are given, and what is asked of it. */
struct lab {
	struct pki ca, alice, bob;  /* bob: RSA */
	struct certset certs;
	struct plan_options options;
	struct plan plan;
	char keys[2][1024];         /* OpenSSH lines of the two, without a comment */
	const char *domains[4];
};

static inline bool lab_superuser(const char *login)
{
	return strcmp(login, "toor") == 0;
}

static inline void lab_give(struct lab *l, const struct pki *p)
{
	struct cert *copy = NULL;

	assert_int_equal(cert_parse(p->cert->der.p, p->cert->der.n, &copy), 0);
	assert_int_equal(certset_add(&l->certs, copy, NULL), 0);
}

static inline void lab_key(const struct pki *p, const char *type, char ret[1024])
{
	_cleanup_(buf_deinitp) struct buf blob = { 0 };
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(ssh_blob_from_cert(p->cert, &blob), 0);
	text = base64_encode_new(blob.p, blob.n);
	(void)snprintf(ret, 1024, "%s %s", type, text);
}

static inline int lab_setup(void **state)
{
	struct lab *l = calloc(1, sizeof(*l));

	pki_make_ca("Example CA", &l->ca);
	pki_make_person("alice", KEY_P256, &l->ca, &l->alice);
	pki_make_person("bob", KEY_RSA, &l->ca, &l->bob);
	lab_give(l, &l->alice);
	lab_give(l, &l->bob);
	lab_key(&l->alice, "ecdsa-sha2-nistp256", l->keys[0]);
	lab_key(&l->bob, "ssh-rsa", l->keys[1]);
	l->options = (struct plan_options){ .anchor = "corp",
					    .domains = l->domains,
					    .certs = &l->certs,
					    .now = PKI_NOW,
					    .superuser = lab_superuser };
	plan_init(&l->plan, &l->options);
	*state = l;
	return 0;
}

static inline int lab_teardown(void **state)
{
	struct lab *l = *state;

	plan_deinit(&l->plan);
	certset_deinit(&l->certs);
	pki_deinit(&l->ca);
	pki_deinit(&l->alice);
	pki_deinit(&l->bob);
	free(l);
	return 0;
}

/* A new plan with the same options. */
static inline void lab_again(struct lab *l)
{
	plan_deinit(&l->plan);
	plan_init(&l->plan, &l->options);
}

static inline size_t count_ops(const struct lab *l, enum plan_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < l->plan.n_ops; i++)
		n += l->plan.ops[i].kind == kind;
	return n;
}

/* Entries that are left out; settings do not count. */
static inline size_t count_refused(const struct lab *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->plan.n_refusals; i++)
		n += !l->plan.refusals[i].setting;
	return n;
}

static inline void show(const struct lab *l)
{
	for (size_t i = 0; i < l->plan.n_ops; i++) {
		char text[2048];

		plan_op_text(&l->plan.ops[i], &l->options, text, sizeof(text));
		print_message("# %s:%u %s\n", l->plan.ops[i].file, l->plan.ops[i].line, text);
	}
	for (size_t i = 0; i < l->plan.n_refusals; i++)
		print_message("# %s:%u: %s: %s\n", l->plan.refusals[i].file,
			      l->plan.refusals[i].line, l->plan.refusals[i].what,
			      l->plan.refusals[i].why);
}

/* Line `line` is left out, for a reason with this in it. */
static inline void refused(const struct lab *l, unsigned line, const char *why)
{
	for (size_t i = 0; i < l->plan.n_refusals; i++)
		if (l->plan.refusals[i].line == line && strstr(l->plan.refusals[i].why, why))
			return;
	show(l);
	fail_msg("line %u is not refused: %s", line, why);
}

static inline void enrolled(const struct lab *l, unsigned line, const char *login, const struct pki *who)
{
	for (size_t i = 0; i < l->plan.n_ops; i++) {
		const struct plan_op *op = &l->plan.ops[i];

		if (op->kind == PLAN_ENROLL && op->line == line && strcmp(op->identity, login) == 0 &&
		    memcmp(op->cert->sha256, who->cert->sha256, SHA256_BYTES) == 0)
			return;
	}
	show(l);
	fail_msg("line %u does not enroll %s", line, login);
}

static inline void rule(const struct lab *l, unsigned line, const char *match, const char *yield)
{
	for (size_t i = 0; i < l->plan.n_ops; i++) {
		const struct plan_op *op = &l->plan.ops[i];

		if (op->kind == PLAN_RULE && op->line == line && strcmp(op->match, match) == 0 &&
		    strcmp(op->yield, yield) == 0)
			return;
	}
	show(l);
	fail_msg("line %u makes no rule %s -> %s", line, match, yield);
}

#endif
