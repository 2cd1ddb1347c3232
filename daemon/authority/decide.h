/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_DECIDE_H
#define AUTHORITY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "lib/base/buf.h"
#include "lib/pki/path.h"
#include "lib/pki/revocation.h"

/*
 * One function decides: for real logins, at commit, redeem, account and session, and for
 * `certlogin test`.  Pure: facts in, verdict and the ordered checks out.  The first failing check
 * gives the reason; later checks that need what failed are skipped, the others still run, so that
 * `explain` shows everything that is wrong at once.  Absence denies.
 */

/* uid 0 is reached by an access row that names this account (DESIGN section 3). */
#define ACCOUNT_ROOT "root"

enum check {
	CHECK_PROOF,
	CHECK_CHAIN,
	CHECK_VALIDITY,
	CHECK_KEY,
	CHECK_USAGE,
	CHECK_REVOCATION,
	CHECK_IDENTITY,
	CHECK_IDENTITY_STATE,
	CHECK_SERVICE,
	CHECK_VIA,
	CHECK_TICKET,
	CHECK_ACCESS,
	CHECK_LIMITS,
	CHECK_MAX_,
};

enum reason {
	REASON_NONE,	 /* allowed */
	REASON_NO_PROOF, /* nobody proved possession of a key */
	REASON_FOREIGN_CA,
	REASON_CHAIN, /* another fault of the path: detail says which */
	REASON_EXPIRED,
	REASON_NOT_YET_VALID,
	REASON_KEY, /* key or algorithm below the floor */
	REASON_KEY_USAGE,
	REASON_EKU,
	REASON_REVOKED,
	REASON_REVOCATION, /* nothing current says that it is not revoked */
	REASON_NOT_ENROLLED,
	REASON_IDENTITY_DISABLED,
	REASON_IDENTITY_EXPIRED,
	REASON_SERVICE_UNKNOWN,
	REASON_SERVICE_UID, /* this uid may not redeem for this service */
	REASON_VIA,	    /* proved through a gate that the service does not take */
	REASON_TICKET_UNKNOWN,
	REASON_TICKET_USED,
	REASON_TICKET_EXPIRED,
	REASON_TICKET_OTHER_LOGIN,
	REASON_TICKET_OTHER_ACCOUNT,
	REASON_TICKET_OTHER_SERVICE,
	REASON_TICKET_LOOSE,  /* a loose ticket where none is taken */
	REASON_LOGIN_UNKNOWN, /* no such login (any more) */
	REASON_ACCOUNT_NOT_ALLOWED,
	REASON_SERVICE_NOT_ALLOWED, /* the account, but not through this service, or not now */
	REASON_ROOT_BY_RULE, /* a rule never leads to uid 0 */
	REASON_LIMIT,
	REASON_STORE, /* the record could not be written */
	REASON_MAX_,
};

const char *reason_name(enum reason r); /* "not-enrolled": stable, for audit and --json */
const char *reason_text(enum reason r); /* a sentence for the administrator */
const char *check_name(enum check c);

struct revocation_facts {
	enum revocation_status status; /* of the certificate that decides */
	enum revocation_mode mode;     /* of the anchor */
	bool any;		       /* there was a list of its issuer's name, or an answer */
	bool ocsp;		       /* `list` is an answer of an OCSP responder */
	bool is_leaf;		       /* or a CA above it */
	struct revoked revoked;
	char list[160]; /* "CRL 2a of CN=…"; empty: none */
	int64_t this_update, next_update;
};
bool revocation_lets_pass(const struct revocation_facts *r);

struct facts {
	int64_t now;
	bool proven;
	const struct cert *leaf; /* NULL: nothing was proved */
	const struct path *path;
	bool path_remembered;		       /* from the cache */
	const struct revocation_facts *revocation; /* NULL: was not looked at, which denies */
	const struct certificate_owner *owner; /* NULL: not enrolled, and not mapped */
	const char *rule;		       /* that mapped it to the owner; NULL: enrolled */
	const char *mapping_note;	       /* what rules said of it; NULL or "": nothing */
	const struct service_row *service;     /* NULL: no such row */
	bool uid_checked;		       /* at redeem: */
	bool uid_allowed;
	enum service_via via; /* the gate through which the proof came */
	bool hand_carried;    /* login id given by hand: lifts `via` for elevate and console */
	bool loose;
	enum reason ticket; /* REASON_NONE, or what is wrong with it */
	const char *account;
	const struct access_row *access; /* rows for this identity, account, service or class */
	size_t n_access;
	bool account_known_to_identity; /* some row names the account: tells ACCOUNT from SERVICE */
	bool limits_ok;
};

enum check_result { CHECK_SKIPPED, CHECK_PASSED, CHECK_FAILED };
struct checked {
	enum check_result result;
	enum reason reason;
	char detail[160]; /* "issued by CN=…; expires 2027-01-02" */
};

struct verdict {
	bool allowed; /* false until decide() has said otherwise */
	enum reason reason;
	struct checked checks[CHECK_MAX_];
};

void decide(const struct facts *facts, struct verdict *ret);

/*
 * Puts "checks":[{"check":"chain","result":"passed","detail":"…"},…], to go between braces.  Text,
 * because every login has one in its row: a tree of it costs as much as a signature does.
 */
void verdict_put(struct buf *b, const struct verdict *v);

#endif
