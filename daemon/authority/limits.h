/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_LIMITS_H
#define AUTHORITY_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/cleanup.h"

/*
 * Budgets of audit rows for denials: LIMIT_DENY_ROWS per source and minute, LIMIT_SOURCES sources.
 * The source is what the kernel says (a uid, an address), never an account or identity that was
 * merely named: nobody can use up alice's budget by typing her name.  What is over it is counted,
 * and told in one summary row a minute.
 */
struct limits;

int limits_new(struct limits **ret);
struct limits *limits_free(struct limits *l);
DEFINE_FREEP(struct limits, limits_free);
/* May this denial have a row?  Otherwise it was counted. */
bool limits_take_row(struct limits *l, const char *source, uint64_t now);
/* Denials without a row since the last call. */
uint64_t limits_suppressed(struct limits *l);

#endif
