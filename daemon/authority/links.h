/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_LINKS_H
#define AUTHORITY_LINKS_H

#include "daemon/authority/authority.h"

/*
 * The gates.  A link is one SOCK_SEQPACKET connection whose peer uid is one of the two gates';
 * which of them tells `via`.  schema/wire/wire.def is the allow-table.  What an honest gate cannot
 * send is a violation: logged, recorded (within the source's budget), and the link is closed with
 * all its slots.
 */
int links_new(struct authority *a, struct links **ret);
struct links *links_free(struct links *l);
DEFINE_FREEP(struct links, links_free);
int links_listen(struct links *l, int fd);		      /* takes the fd */
int links_add(struct links *l, int fd, enum service_via via); /* takes the fd; peer was checked */
void links_sweep(struct links *l); /* closes those of gates that have stopped reading */
size_t links_count(const struct links *l, enum service_via via); /* VIA_ANY: of both */
size_t links_slots_busy(const struct links *l);			 /* slots past FRESH */

#endif
