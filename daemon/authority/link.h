/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_LINK_H
#define AUTHORITY_LINK_H

#include <sys/queue.h>

#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/wire/wire.h"
#include "lib/pki/commitment.h"

/* One link, shared by links.c (who may speak when) and link-answer.c (what is answered). */

struct slot {
	uint32_t id;
	unsigned state; /* SLOT_FRESH, SLOT_SIGNED, SLOT_PROVEN */
	uint8_t nonce[32];
	uint64_t signed_at;
	int hash_len;
	char commitment[COMMITMENT_NAME_SIZE]; /* "": the client committed to nothing */
	struct buf prefix, signature;	       /* from SIGN to PROVE */
	char source[64];
	struct evidence *evidence; /* from PROVE on */
	size_t charged;		   /* bytes of these */
	LIST_ENTRY(slot) bucket;
};
LIST_HEAD(slot_list, slot);

#define SLOT_BUCKETS 1024

struct packet; /* waits for room in the socket */

struct link {
	struct links *links;
	unsigned refs; /* the list's, and one for each answer that waits for a commit */
	int fd;	       /* -1: closed */
	enum service_via via;
	sd_event_source *io;
	bool greeted;
	struct wire_header now; /* being answered */
	uint32_t next_slot;
	size_t n_slots, n_fresh;
	struct slot_list slots[SLOT_BUCKETS];
	STAILQ_HEAD(, packet) out;
	uint64_t blocked; /* since when something waits there */
	LIST_ENTRY(link) link;
};

struct links {
	struct authority *a;
	sd_event_source *listen, *resume;
	int listen_fd;
	LIST_HEAD(, link) list;
	size_t held[VIA_ANY]; /* bytes that the slots of a gate are charged with */
	uint8_t packet[LIMIT_WIRE_BYTES];
};

struct link *link_ref(struct link *l);
struct link *link_unref(struct link *l);
DEFINE_FREEP(struct link, link_unref);
void link_close(struct link *l);

/* What an honest gate does not do.  The caller returns it, and the link is closed. */
int link_violation(struct link *l, const char *what);
/* Queues what the socket does not take: the gate is not heard again before it has read that.  On a
 * closed link nothing is sent, and that is no error. */
int link_send(struct link *l, const struct buf *packet);

/* -EDQUOT: more than a gate may have. */
int slot_new(struct link *l, struct slot **ret);
void slot_drop(struct link *l, struct slot *slot);
void slot_enter(struct link *l, struct slot *slot, unsigned state);
/* The slot holds so many bytes now.  -EDQUOT: its gate would hold more than LIMIT_HELD_BYTES. */
int slot_charge(struct link *l, struct slot *slot, size_t bytes);

/* Twins of link_req_* in the gate.  Negative: the link ends. */
#define WIRE_REQ(id, number, states, name)                                                         \
	int link_answer_##name(struct link *l, struct slot *slot, const struct view *body);
#define WIRE_ANS(id, number, name)
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS

#endif
