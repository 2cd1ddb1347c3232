/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_WARNINGS_H
#define AUTHORITY_WARNINGS_H

#include <jansson.h>

#include "daemon/authority/authority.h"

/*
 * What an administrator should see to before people are denied, or what denies them already: in
 * Status, and in the journal when it changes.
 */

/* Is a list that is good from one moment to another about to end?  In its last quarter, and its last
 * day: a CA that follows its own habit has published the next one by then. */
bool warning_ends_soon(int64_t this_update, int64_t next_update, int64_t now);

/*
 * [{"level": "error" (it denies people, or loses records, now) or "warning", "about": TEXT,
 * "text": what is so, "time": that this is about, 0: none, "todo": what to do}], the worst first.  NULL: -ENOMEM, or the store failed.
 */
json_t *warnings_list(struct authority *a);

/* Those that are there, to the journal, unless they are what was last told. */
void warnings_tell(struct authority *a);

#endif
