/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_HOUSEKEEPING_H
#define AUTHORITY_HOUSEKEEPING_H

#include <systemd/sd-daemon.h>

#include "daemon/authority/authority.h"

/* What time brings: old logins forgotten, the chain head told to the journal (each minute with news
 * and each 1000 rows), denials without a row summed up, the WAL checkpointed, and the exit when
 * idle. */
struct housekeeping;

int housekeeping_new(struct authority *a, struct housekeeping **ret);
struct housekeeping *housekeeping_free(struct housekeeping *h);
DEFINE_FREEP(struct housekeeping, housekeeping_free);

void authority_trust_clear(struct authority *a);

#endif
