/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_AUDIT_H
#define AUTHORITY_AUDIT_H

#include "daemon/authority/authority.h"
#include "daemon/authority/limits.h"

/* The row of a decision: an allow always has one, a denial when who is charged has rows left. */
struct decision {
	const char *kind; /* "login.commit" */
	const struct verdict *verdict;
	struct event fields; /* kind, verdict, reason and detail are set here */
	enum limit_pool pool;
	char charged[LIMIT_SOURCE_SIZE];
	const char *extra; /* members beside the checks in detail: ,"via":"local"; NULL: none */
};

/* *ret_event 0: a denial without a row.  Not durable until the turn's commit. */
int audit_decision(struct authority *a, struct decision *d, int64_t *ret_event);

#endif
