/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/limits.h"
#include "lib/base/ticket.h"
#include "lib/base/buf.h"
#include "lib/pki/anchor.h"
#include "lib/pki/digest.h"
#include "lib/pki/ocsp.h"

/*
 * The database behind typed verbs: the only code that knows SQLite.  schema/db is the contract,
 * schema/db/statements.def every statement, prepared at open (a typo fails at start).
 *
 * Errors: -ENOENT no such row, -EEXIST unique, -EBUSY in use, -ENOSPC disk full, -EROFS read-only,
 * -EUCLEAN corrupt or foreign, -ESTALE older than the generation file, -EINVAL what the table
 * refuses or a field cannot hold, -EIO otherwise.
 *
 * Turns.  Every write joins the open transaction, beginning one if there is none.  Nothing is
 * durable until store_commit(); a caller that tells anybody before that is wrong.  When a commit
 * fails, all writes since the last one are undone and every one of them must be answered as failed.
 * A verb that fails leaves the others of its turn in place (it runs in a savepoint where it must).
 *
 * Ballast: BALLAST_BYTES are kept beside the database, and released once, before a commit that
 * finds the disk nearly full; store_ballast_released() turns true.  Where only the write itself
 * finds out (a quota), its turn fails with -ENOSPC, and the next one has the room.
 */
struct store;

struct store_options {
	const char *path;	/* database file; ":memory:" in unit tests */
	const char *ballast;	/* NULL: none */
	const char *generation; /* NULL: not checked */
	const struct clock *clock;
	int64_t anchor_time_floor; /* build date: the clock floor is at least this */
};

/* -EUCLEAN: foreign, newer or corrupt.  *ret_why (may be NULL) gives text for people, static. */
int store_open(const struct store_options *options, struct store **ret, const char **ret_why);
struct store *store_close(struct store *s);
DEFINE_FREEP(struct store, store_close);

int store_commit(struct store *s); /* durable when it returns 0; nothing open: 0 */
void store_rollback(struct store *s);
bool store_dirty(const struct store *s); /* writes wait for a commit */
/*
 * A change of policy and its event: both or neither, also when the event cannot be appended; other
 * writes of the turn stay.  Ends what begin began; result < 0 undoes it, and is returned.  Not
 * nested.
 */
int store_change_begin(struct store *s);
int store_change_end(struct store *s, int result);
bool store_ballast_released(const struct store *s);
int store_checkpoint(struct store *s); /* when idle; never inside a turn */
int store_backup(struct store *s, const char *path,
		 int64_t *ret_bytes);		/* consistent copy, online */
uint64_t store_revision(const struct store *s); /* grows with every policy change */

int store_setting_get(struct store *s, const char *name, char **ret);
int store_setting_set(struct store *s, const char *name, const char *value);
/* max(realtime, floor); the floor moves up only while `synchronised`. */
int64_t store_now(struct store *s, bool synchronised);

#define STORE_FOREVER INT64_MAX

/* --- identity --- */
struct identity {
	int64_t id;
	char name[LIMIT_IDENTITY + 1];
	char full_name[LIMIT_REASON + 1];
	bool enabled;
	char reason[LIMIT_REASON + 1];
	int64_t not_before, not_after, created;
	int64_t certificates; /* how many are enrolled */
};

int store_identity_add(struct store *s, const char *name, const char *full_name, int64_t not_before,
		       int64_t not_after, struct identity *ret);
int store_identity_get(struct store *s, const char *name, struct identity *ret);
int store_identity_get_id(struct store *s, int64_t id, struct identity *ret);
int store_identity_set_enabled(struct store *s, const char *name, bool enabled, const char *reason,
			       struct identity *ret);
int store_identity_remove(struct store *s, const char *name);
/* Rows after `after` (NULL: from the start) by name; *ret is an array that the caller frees. */
int store_identity_list(struct store *s, const char *after, size_t limit, struct identity **ret,
			size_t *ret_n);

/* --- certificate --- */
struct certificate {
	uint8_t sha256[SHA256_BYTES];
	uint8_t spki_sha256[SHA256_BYTES];
	int64_t identity;
	char identity_name[LIMIT_IDENTITY + 1];
	char subject[512];
	char issuer_text[512];
	char serial_text[64]; /* lower-case hex */
	int64_t not_before, not_after, enrolled;
	uint8_t *der; /* NULL in lists */
	size_t der_n;
};
void certificate_deinit(struct certificate *c);

struct certificate_new {
	const char *identity;
	const uint8_t *der;
	size_t der_n;
	uint8_t sha256[SHA256_BYTES];
	uint8_t spki_sha256[SHA256_BYTES];
	const uint8_t *issuer, *serial;
	size_t issuer_n, serial_n;
	const char *subject;
	int64_t not_before, not_after;
};
int store_certificate_add(struct store *s, const struct certificate_new *c);
int store_certificate_get(struct store *s, const uint8_t sha256[SHA256_BYTES],
			  struct certificate *ret);
int store_certificate_get_spki(struct store *s, const uint8_t spki_sha256[SHA256_BYTES],
			       struct certificate *ret);
int store_certificate_remove(struct store *s, const uint8_t sha256[SHA256_BYTES]);
int store_certificate_list(struct store *s, const char *identity, const uint8_t *after,
			   size_t limit, struct certificate **ret, size_t *ret_n);

/* The look-up of every login: whose is this certificate?  One B-tree descent; no DER is read. */
struct certificate_owner {
	int64_t identity;
	char identity_name[LIMIT_IDENTITY + 1];
	bool enabled;
	int64_t not_before, not_after; /* of the identity */
};
int store_certificate_owner(struct store *s, const uint8_t sha256[SHA256_BYTES],
			    struct certificate_owner *ret);

/* --- access --- */
struct access_row {
	char identity[LIMIT_IDENTITY + 1];
	char account[LIMIT_ACCOUNT + 1];
	char service[LIMIT_SERVICE + 1];
	int64_t not_before, not_after, created;
};
int store_access_allow(struct store *s, const struct access_row *row); /* replaces the row */
int store_access_deny(struct store *s, const char *identity, const char *account,
		      const char *service);
int store_access_list(struct store *s, const char *identity, struct access_row **ret,
		      size_t *ret_n);
/* Rows of this identity and account for this service or its class ("@login"...), any window. */
int store_access_find(struct store *s, int64_t identity, const char *account, const char *service,
		      const char *class, struct access_row **ret, size_t *ret_n);
/* Has it any row for this account?  (For Describe.) */
int store_access_any(struct store *s, int64_t identity, const char *account, bool *ret);

/* --- service --- */
enum service_class { CLASS_LOGIN, CLASS_ELEVATE, CLASS_APP };
enum service_via { VIA_LOCAL = 1, VIA_NETWORK = 2, VIA_ANY = 3 };
struct service_row {
	char name[LIMIT_SERVICE + 1];
	enum service_class class;
	char redeem_uids[256]; /* "0", "0,113", "any" */
	enum service_via via;
	bool loose;
	bool console;
};
const char *service_class_text(enum service_class c);
const char *service_via_text(enum service_via v);
int service_class_parse(const char *s, enum service_class *ret);
int service_via_parse(const char *s, enum service_via *ret);
bool service_uid_allowed(const struct service_row *row, uid_t uid);
bool service_uids_ok(const char *uids); /* is this a valid redeem_uids? */
int store_service_set(struct store *s, const struct service_row *row);
int store_service_get(struct store *s, const char *name, struct service_row *ret);
int store_service_remove(struct store *s, const char *name);
int store_service_list(struct store *s, struct service_row **ret, size_t *ret_n);

/* --- anchor --- */
struct anchor_row {
	int64_t id;
	char name[LIMIT_IDENTITY + 1];
	enum anchor_kind kind;
	uint8_t sha256[SHA256_BYTES]; /* of der */
	uint8_t *der;		      /* ANCHOR_KEY: SubjectPublicKeyInfo */
	size_t der_n;
	char *policy; /* JSON, daemon/authority/anchor-policy.h */
	int64_t created;
};
struct anchor_new {
	const char *name;
	enum anchor_kind kind;
	const uint8_t *der;
	size_t der_n;
	const char *policy; /* NULL: the strict profile */
};
const char *anchor_kind_text(enum anchor_kind k);
int anchor_kind_parse(const char *s, enum anchor_kind *ret); /* -EINVAL */
int store_anchor_add(struct store *s, const struct anchor_new *anchor, int64_t *ret_id);
int store_anchor_set_policy(struct store *s, const char *name, const char *policy);
int store_anchor_remove(struct store *s, const char *name);
int store_anchor_list(struct store *s, struct anchor_row **ret, size_t *ret_n);
void anchor_rows_free(struct anchor_row *rows, size_t n);

/* --- revocation --- */
struct crl_row {
	int64_t id, issuer, anchor;
	char anchor_name[LIMIT_IDENTITY + 1];
	char issuer_text[512];
	uint8_t signer[SHA256_BYTES]; /* of its SPKI */
	uint8_t number[20];
	size_t number_n;
	int64_t this_update, next_update, imported, entries;
	char source[LIMIT_URL + 1];
	bool stale; /* of a restored backup: whatever next_update says */

	/* owned in lists, borrowed in put, NULL from get */
	uint8_t *name; /* of the issuer, DER */
	size_t name_n;
	uint8_t *scope; /* IssuingDistributionPoint, contents; 0 octets: none */
	size_t scope_n;
	uint8_t (*keys)[SHA256_BYTES]; /* that it speaks for */
	size_t n_keys;
};
void crl_rows_free(struct crl_row *rows, size_t n);
int store_crl_list(struct store *s, struct crl_row **ret, size_t *ret_n);
/* The row of an issuer's name below an anchor; added when there is none. */
int store_crl_issuer(struct store *s, int64_t anchor, const struct view *name, int64_t *ret);
/* The CRL at hand of this signer and scope. */
int store_crl_get(struct store *s, int64_t issuer, const uint8_t signer[SHA256_BYTES],
		  const struct view *scope, struct crl_row *ret);
/* The id that a new CRL gets, as long as nobody else puts one. */
int store_crl_next_id(struct store *s, int64_t *ret);
/* Adds or replaces it with its keys, and ends the holds that its import has not `seen`. */
int store_crl_put(struct store *s, const struct crl_row *row, int64_t seen);
/* What is known of this anchor's issuers (of one: by its text) is forgotten; cleaned up in slices. */
int store_crl_forget(struct store *s, const char *anchor, const char *issuer_text);
/* At most `limit` rows of what was forgotten; *ret_more: call again. */
int store_crl_clean(struct store *s, size_t limit, bool *ret_more);

/* crl, seen: of holds: who said so, and in which import. */
int store_revoked_put(struct store *s, int64_t issuer, const struct view *serial, unsigned reason,
		      int64_t since, int64_t crl, int64_t seen);
/* One B-tree descent, however many there are.  -ENOENT: not revoked. */
int store_revoked_get(struct store *s, int64_t issuer, const struct view *serial, unsigned *ret_reason,
		      int64_t *ret_since);

/* --- ocsp: what responders said; ocsp_check() has been asked before --- */
#define OCSP_SERIAL_MAX 64
struct ocsp_row {
	int64_t id;
	int64_t anchor;			      /* under which the issuer's key was found */
	char anchor_name[LIMIT_IDENTITY + 1]; /* read alone */
	uint8_t issuer_key[SHA256_BYTES];     /* of its SubjectPublicKeyInfo */
	uint8_t serial[OCSP_SERIAL_MAX];      /* content octets */
	size_t serial_n;
	enum ocsp_status status;
	unsigned reason; /* revoked; 6 is a hold */
	int64_t since;	 /* revoked */
	int64_t this_update, next_update;
	int64_t imported; /* set by put */
	char source[LIMIT_OCSP_SOURCE + 1];
	bool stale; /* of a restored backup; put makes it false */
};
/* Revoked for good: a hold can end. */
bool ocsp_row_is_final(const struct ocsp_row *row);
/*
 * Keeps the newest answer, and of two of one moment the worse; but a final revocation, of whatever
 * time, stays until another one.  -EALREADY: what is there stays.  The very same answer again: 0
 * with *ret_new false, nothing is written.  -ENOENT: no such anchor.
 */
int store_ocsp_put(struct store *s, const struct ocsp_row *row, bool *ret_new);
int store_ocsp_get(struct store *s, int64_t anchor, const uint8_t issuer_key[SHA256_BYTES],
		   const uint8_t *serial, size_t serial_n, struct ocsp_row *ret);
int store_ocsp_any(struct store *s, bool *ret); /* is there one? */
/* rows with id > after */
int store_ocsp_list(struct store *s, int64_t after, size_t limit, struct ocsp_row **ret,
		    size_t *ret_n);

/* --- rule --- */
struct rule_row {
	char name[LIMIT_IDENTITY + 1];
	char anchor_name[LIMIT_IDENTITY + 1];
	int64_t anchor;
	int64_t position; /* from 1 on, without gaps */
	char match[LIMIT_RULE_BYTES + 1];
	char yield[LIMIT_YIELD_BYTES + 1];
	char domains[LIMIT_RULE_DOMAINS_BYTES + 1]; /* spaces between */
	bool goes_on, creates;
	int64_t created;
};
/* Of the anchor `anchor_name`; position 0: at the end.  -ENOENT: no such anchor. */
int store_rule_add(struct store *s, const struct rule_row *row);
int store_rule_remove(struct store *s, const char *name);
/* Before the rule that has this position among the others; a larger one: to the end. */
int store_rule_move(struct store *s, const char *name, int64_t position);
int store_rule_list(struct store *s, struct rule_row **ret, size_t *ret_n); /* in their order */
/* --- source --- */
enum source_kind { SOURCE_CRL, SOURCE_OCSP };
struct source {
	char url[LIMIT_URL + 1];
	enum source_kind kind;
	int64_t anchor;
	char anchor_name[LIMIT_IDENTITY + 1];
	bool configured; /* else it stands in certificates; `seen`: when last, to the day */
	int64_t seen, tried, succeeded, due;
	char error[LIMIT_REASON + 1]; /* of the last try */
	bool lost;		      /* CRL: what it gave is not at hand any more */
};
const char *source_kind_text(enum source_kind k);
int source_kind_parse(const char *s, enum source_kind *ret);
/* A CRL's, by an administrator: -EEXIST; -ENOENT: no such anchor; -EDQUOT: LIMIT_FETCH_SOURCES. */
int store_source_add(struct store *s, const char *url, const char *anchor);
int store_source_remove(struct store *s, const char *url);
int store_source_get(struct store *s, const char *url, enum source_kind kind, struct source *ret);
/* What was tried longest ago is first. */
int store_source_list(struct store *s, struct source **ret, size_t *ret_n);
/* It stands in a certificate; beyond LIMIT_FETCH_SOURCES it is passed over. */
int store_source_seen(struct store *s, const char *url, enum source_kind kind, int64_t anchor,
		      int64_t now);
int store_source_good(struct store *s, const char *url, enum source_kind kind, int64_t now,
		      int64_t due);
int store_source_bad(struct store *s, const char *url, enum source_kind kind, int64_t now,
		     const char *error);
/* Those that stand in no certificate since. */
int store_source_clean(struct store *s, int64_t before);
/* The CRLs at hand that came from there: thisUpdate and nextUpdate of each, the caller frees it. */
struct source_window {
	int64_t this_update, next_update;
};
int store_source_windows(struct store *s, const char *url, struct source_window **ret,
			 size_t *ret_n);

/* --- session --- */
struct session {
	int64_t id;
	char login_id[LOGIN_ID_TEXT_SIZE];
	char identity[LIMIT_IDENTITY + 1];
	uint8_t certificate[SHA256_BYTES];
	char account_auth[LIMIT_ACCOUNT + 1];
	char account_now[LIMIT_ACCOUNT + 1];
	char service[LIMIT_SERVICE + 1];
	char tty[LIMIT_TTY + 1];
	char rhost[LIMIT_RHOST + 1];
	int64_t pid;
	int64_t start_time;
	char boot_id[37];
	int64_t opened;
	int64_t closed; /* 0: open */
	char ended[16]; /* "", closed, unclosed, reboot, terminated */
};
int store_session_open(struct store *s, const struct session *session,
		       int64_t *ret_id);				 /* id, opened: set here */
int store_session_close(struct store *s, int64_t id, const char *ended); /* -ENOENT: not open */
int store_session_get(struct store *s, int64_t id, struct session *ret);
/* all: closed ones too; rows with id > after */
int store_session_list(struct store *s, bool all, int64_t after, size_t limit, struct session **ret,
		       size_t *ret_n);

/* --- event --- */
struct event {
	int64_t id; /* set by append, as uuid and time */
	uint8_t uuid[16];
	int64_t time;
	const char *kind;    /* "login.commit", "admin.identity.add", ...: static text in
			      * append; owned by `own` in rows that were read */
	const char *verdict; /* "", "allow", "deny" */
	const char *reason;
	const char *identity;
	uint8_t certificate[SHA256_BYTES];
	bool has_certificate;
	const char *account;
	const char *service;
	const char *login_id;
	const char *source;
	const char *detail; /* JSON text; NULL: "{}" */
	char *own;	    /* storage of a row that was read */
};
/* NULL strings count as "".  Joins the turn; *ret_id may be NULL. */
int store_event_append(struct store *s, const struct event *e, int64_t *ret_id);
int store_event_get(struct store *s, int64_t id, struct event *ret);
struct event_filter {
	int64_t after; /* id > after */
	size_t limit;
	size_t last; /* > 0: only the newest so many, still oldest first */
	const char *kind, *identity, *account,
		*verdict; /* NULL: any; kind "login" also takes login.* */
};
int store_event_list(struct store *s, const struct event_filter *filter, struct event **ret,
		     size_t *ret_n);
void event_deinit(struct event *e);
void events_free(struct event *e, size_t n);

struct event_check {
	int64_t checked; /* id of the last row looked at */
	bool done;
	bool good;
	int64_t first_bad;	    /* 0: none */
	uint8_t head[SHA256_BYTES]; /* hash of row `checked` */
};
/*
 * At most `limit` rows after row `after`, whose hash is `head`: from the slice before, or one that
 * was kept elsewhere.  NULL with `after` 0: from the first; else: that row is taken as it is.
 */
int store_event_verify(struct store *s, int64_t after, const uint8_t *head, size_t limit,
		       struct event_check *ret);
/* Chain head: id and hash of the newest row. */
void store_event_head(const struct store *s, int64_t *ret_id, uint8_t ret_hash[SHA256_BYTES]);

struct store_counts {
	int64_t identities, certificates, anchors, sessions_open, events, bytes;
};
int store_counts(struct store *s, struct store_counts *ret);

#endif
