/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_HOUSEKEEPING_H
#define AUTHORITY_HOUSEKEEPING_H

#include "daemon/authority/authority.h"

/*
 * What time brings, looked at once a second: old logins and tickets forgotten, gates that do not
 * read cut off, sessions settled again after records were lost; the chain head told to the journal,
 * each minute with news and each HEAD_ROWS rows; each minute denials without a row summed up and
 * the WAL checkpointed; and the exit when idle.
 */
#define HEAD_ROWS 1000

struct housekeeping;

int housekeeping_new(struct authority *a, struct housekeeping **ret);
struct housekeeping *housekeeping_free(struct housekeeping *h); /* tells the head once more */
DEFINE_FREEP(struct housekeeping, housekeeping_free);
/* One second's work.  True: nothing has been in flight for idle_exit, the daemon may end. */
bool housekeeping_tick(struct housekeeping *h);

#endif
