/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FUZZ_IMPORT_H
#define TESTS_FUZZ_IMPORT_H

#include <stdlib.h>
#include <string.h>

#include "cli/import/plan.h"
#include "lib/base/name.h"

/* What every reader of cli/import owes, whatever it was given. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const fuzz_domains[] = { "example.org" };
static const struct plan_options fuzz_options = {
	.anchor = "corp",
	.domains = fuzz_domains,
	.n_domains = 1,
	.service = "sshd",
	.allow_weak = true,
	.certs = &(const struct certset){ 0 },
};

/* Nobody is root, names are names, matches end where they should, and there is JSON for all of it. */
static inline void fuzz_check(struct plan *p)
{
	json_t *j;

	if (plan_finish(p, NULL) < 0)
		abort();
	for (size_t i = 0; i < p->n_ops; i++) {
		const struct plan_op *op = &p->ops[i];

		if (op->identity && (!identity_name_ok(op->identity) || strcmp(op->identity, "root") == 0))
			abort();
		if (op->kind == PLAN_RULE && (!*op->match || strlen(op->match) > PLAN_MATCH_MAX))
			abort();
	}
	j = plan_json(p, false);
	if (!j)
		abort();
	json_decref(j);
	plan_deinit(p);
}

#endif
