/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_LIMITS_H
#define AUTHORITY_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/cleanup.h"

/*
 * Budgets of audit rows for denials.  A source has LIMIT_DENY_ROWS a minute; all sources of a pool
 * together LIMIT_POOL_ROWS, so that strangers who have as many addresses as they like fill no disk,
 * and cost other pools nothing.  What is over is counted, and told in one row a minute.
 *
 * The source is what the kernel or a gate says of the caller (a uid, an address); an identity is
 * one only after its key was proved.  Nobody uses up alice's budget by typing her name.
 */
enum limit_pool {
	LIMIT_POOL_LOCAL,    /* "uid 1001": callers on this host, and gates */
	LIMIT_POOL_REMOTE,   /* "192.0.2.7": strangers elsewhere */
	LIMIT_POOL_IDENTITY, /* "alice": who has proved a key of hers */
	LIMIT_POOL_MAX_,
};
const char *limit_pool_name(enum limit_pool p);

struct limits;
#define LIMIT_SOURCE_SIZE 128 /* longer names are cut */

int limits_new(struct limits **ret);
struct limits *limits_free(struct limits *l);
DEFINE_FREEP(struct limits, limits_free);
/* May this denial have a row?  Otherwise it was counted. */
bool limits_take_row(struct limits *l, enum limit_pool pool, const char *source, uint64_t now);

/* Denials that had no row since the last call, and whose most of them were. */
#define LIMIT_SUMMARY_SOURCES 8
struct limits_summary {
	uint64_t denials;
	size_t n;
	struct {
		enum limit_pool pool;
		char source[LIMIT_SOURCE_SIZE];
		uint64_t denials;
	} top[LIMIT_SUMMARY_SOURCES];
};
/* False: there were none. */
bool limits_summary(struct limits *l, struct limits_summary *ret);

#endif
