/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_LINK_H
#define GATE_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "daemon/wire/wire.h"
#include "lib/base/cleanup.h"

/*
 * The gate's end of the link (schema/wire/wire.def).  link_req_x() here is link_answer_x() in the
 * authority.  Nothing blocks: what the socket does not take waits in a bounded queue.  A link that
 * breaks, or an authority that speaks nonsense, ends every slot (ops->lost) and is tried again
 * after 50 ms .. 2 s.
 *
 * Nonces are fetched ahead; a slot exists for the gate from link_take_nonce() on, and is its
 * owner's to give up.
 */
struct link;

struct link_slot { /* embedded in a connection; zeroed: holds no slot */
	LIST_ENTRY(link_slot) hash;
	uint32_t id;
	uint8_t nonce[32];
	enum {
		LINK_SLOT_NONE,
		LINK_SLOT_FRESH,
		LINK_SLOT_SIGNING, /* waits for SIGNED */
		LINK_SLOT_SIGNED,
		LINK_SLOT_PROVEN,
		LINK_SLOT_ASKED, /* waits for COMMITTED or DESCRIBED */
	} state;
};

/* All may give up their slot, and others; none may free the link. */
struct link_ops {
	int (*welcome)(void *userdata, const struct view *server_cert); /* < 0 ends the link */
	void (*nonces)(void *userdata);					/* there are some */
	void (*down)(void *userdata);
	void (*signed_)(struct link_slot *slot, const struct view *signature);
	void (*refused)(struct link_slot *slot); /* holds no slot any more */
	void (*committed)(struct link_slot *slot, const struct wire_committed *m);
	void (*described)(struct link_slot *slot, const struct wire_described *m);
	void (*lost)(struct link_slot *slot); /* likewise */
};

/* Borrows path and ops; begins to connect at once. */
int link_new(sd_event *event, const char *path, const struct link_ops *ops, void *userdata,
	     struct link **ret);
struct link *link_free(struct link *l); /* calls nothing back; slots are forgotten */
DEFINE_FREEP(struct link, link_free);

/* Somebody needs the link.  A lost one is not made again before: an authority that ended because
 * nothing was to be done must not be started by its own gates. */
void link_wake(struct link *l);
bool link_is_up(const struct link *l);
bool link_has_nonce(const struct link *l);

/* -EAGAIN: none here now, or no link. */
int link_take_nonce(struct link *l, struct link_slot *slot);
/* Ends the slot, whatever its state; idempotent. */
void link_drop(struct link *l, struct link_slot *slot);
/* A nonce that nobody outside has seen is as good as new. */
void link_return_nonce(struct link *l, struct link_slot *slot);

/* -ENOTCONN when the link is gone (ops->lost was, or will be called for the slot). */
int link_req_sign(struct link *l, struct link_slot *slot, const char *source,
		  const struct view *prefix);
int link_req_prove(struct link *l, struct link_slot *slot, const struct view *rest);
int link_req_commit(struct link *l, struct link_slot *slot, const struct wire_commit *m);
int link_req_describe(struct link *l, struct link_slot *slot, const struct wire_describe *m);

#endif
