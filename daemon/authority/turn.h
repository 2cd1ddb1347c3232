/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_TURN_H
#define AUTHORITY_TURN_H

#include "daemon/authority/authority.h"

/*
 * Group commit.  The first deferred answer of a turn arms a source of the same priority as all
 * others, so that it runs after what was pending already and before what comes later: one fsync for
 * all requests of a turn, and nobody starves it.
 */
int turn_new(struct authority *a, struct turn **ret);
struct turn *turn_free(struct turn *t); /* commits and answers what still waits */
DEFINE_FREEP(struct turn, turn_free);
void turn_commit(struct turn *t); /* now */
/* Something was written that nobody waits for: it is committed with this turn. */
int turn_kick(struct turn *t);
size_t turn_waiting(const struct turn *t);

#endif
