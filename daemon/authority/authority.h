/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_AUTHORITY_H
#define AUTHORITY_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/authority/decide.h"
#include "daemon/authority/rules.h"
#include "daemon/store/store.h"
#include "lib/base/clock.h"
#include "lib/pki/trust-cache.h"
#include "lib/varlink/server.h"

/* The one object of certlogind.  Members are open to daemon/authority alone. */

struct signer;	 /* holds the server key */
struct logins;	 /* logins and tickets, in memory */
struct links;	 /* connected gates */
struct limits;	 /* budgets per source */
struct turn;	 /* answers that wait for the commit */
struct sessions; /* pidfds of open sessions */
struct revocations;
struct crl_import;

struct roles { /* resolved once, at start: no NSS call after it */
	uid_t gate_local, gate_network;
	gid_t admin, audit; /* (gid_t)-1: no such group */
	uid_t prove, fetch;
};

struct authority {
	sd_event *event;
	const struct clock *clock;
	struct store *store;
	struct signer *signer;
	struct trust_cache *cache;
	struct path_memo memo;
	struct logins *logins;
	struct links *links;
	struct limits *limits;
	struct turn *turn;
	struct sessions *sessions;
	struct vl_server *service_api;
	struct vl_server *admin_api;
	struct roles roles;

	struct anchor *anchors; /* parsed; reloaded by authority_trust_changed() */
	size_t n_anchors;
	struct revocations *revocations; /* the same */
	struct crl_import *crl_import;	 /* one at a time, or NULL */
	struct rules *rules; /* the same */

	const char *backup_dir;
	int64_t started; /* realtime */
	uint64_t logins_allowed, logins_denied, proofs, link_violations;
	bool commit_failed, ballast_logged; /* said once */
	bool synchronised; /* the kernel said so at synchronised_at (boottime) */
	uint64_t synchronised_at;
	bool unsettled;			    /* what is written of sessions may not be so */
	uint64_t last_activity;		    /* boottime */
	uint64_t idle_exit;		    /* microseconds; 0: never */
	int64_t head_told;		    /* newest event whose hash the journal has */
	uint8_t warned[SHA256_BYTES];	    /* of the warnings that it has */
};

/* Anchors, their settings, rules or revocations changed: read them again, forget remembered paths. */
int authority_trust_changed(struct authority *a);
const struct anchor *authority_anchor(const struct authority *a, int64_t id); /* or NULL */
void authority_trust_clear(struct authority *a); /* nobody is trusted */

/* Now, for decisions: max(clock, floor). */
int64_t authority_now(struct authority *a);

/*
 * The turn.  Calls answered with an allow, or with anything that tells of a write, go through here:
 * they leave after the commit that covers them; when it fails `failed` is called instead.
 * At most LIMIT_TURN_REPLIES wait, and none longer than LIMIT_TURN_USEC: whoever makes it so many
 * or so late has `func` called before turn_defer() returns.
 */
typedef void (*turn_func)(void *userdata, int commit_result);
int turn_defer(struct turn *t, turn_func func, void *userdata);
/* Varlink shorthand: keeps the call, answers after the commit; SystemError when that fails. */
int turn_reply(struct turn *t, struct vl_call *call, json_t *parameters);
/* The same for a denial, which stands also without its record: "event" is 0 then. */
int turn_reply_denial(struct turn *t, struct vl_call *call, json_t *parameters);

/* api-admin.c, api-service.c */
extern const struct vl_interface api_admin;
extern const struct vl_interface api_service;
/* An import of a CRL ends with its connection. */
void api_admin_disconnected(struct vl_conn *conn, void *userdata);
bool api_admin_authorize(struct vl_call *call, const struct vl_method *method, void *userdata);

/* Facts about a chain and a request from the store: used by login.c and by TestLogin. */
struct gather {
	struct path path;
	bool path_remembered;
	struct revocation_facts revocation;
	struct certificate_owner owner;
	bool has_owner;
	struct mapping mapping; /* of a certificate that is not enrolled */
	struct service_row service;
	bool has_service;
	struct access_row *access;
	struct facts facts; /* points into this struct: do not copy or move it */
};
int gather_facts(struct authority *a, const struct cert *const *chain, size_t n,
		 const char *account, const char *service, int64_t now, struct gather *ret);
void gather_deinit(struct gather *g);

#endif
