/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_API_ADMIN_H
#define AUTHORITY_API_ADMIN_H

#include "daemon/authority/authority.h"

/* Shared by the files of org.certlogin.Admin alone. */

/*
 * Who may call a method: root, group certlogin-admin, group certlogin-audit, user certlogin-fetch.  A method's mask names
 * all that may; root is asked like the others, so a method without roles is nobody's.
 */
enum {
	ROLE_ROOT = 1 << 0,
	ROLE_ADMIN = 1 << 1,
	ROLE_AUDIT = 1 << 2,
	ROLE_FETCH = 1 << 3, /* the user certlogin-fetch: this role alone, whatever groups it is in */
};

/* The roles of a peer; groups: its own and the supplementary ones (SO_PEERGROUPS: no NSS). */
unsigned admin_roles(const struct roles *roles, uid_t uid, const gid_t *groups, size_t n);
/* For what widens towards uid 0 by its parameters: the rest of such a method is group admin's. */
bool admin_is_root(struct vl_call *call);
/* --- parameters; the dispatch table has checked types already --- */
const char *admin_text(const json_t *parameters, const char *name); /* NULL: absent */
int64_t admin_int(const json_t *parameters, const char *name, int64_t fallback);
bool admin_bool(const json_t *parameters, const char *name, bool fallback);
/* notBefore, notAfter; false: they make no window. */
bool admin_window(const json_t *parameters, int64_t *ret_from, int64_t *ret_until);
bool admin_limit(const json_t *parameters, size_t *ret); /* 1 .. LIMIT_LIST_ROWS */
int admin_hash(const char *hex, uint8_t ret[SHA256_BYTES]);
/* base64 DER; -EBADMSG with *ret_why for people. */
int admin_certificate(const char *base64, struct cert **ret, const char **ret_why);

struct admin_chain {
	struct cert *certs[LIMIT_CHAIN_CERTS];
	size_t n;
};
/* Leaf first.  -EBADMSG with *ret_why; deinit also then.  `array` has at most LIMIT_CHAIN_CERTS
 * strings: the dispatch table. */
int admin_chain_read(const json_t *array, struct admin_chain *ret, const char **ret_why);
void admin_chain_deinit(struct admin_chain *c);

/* --- answers --- */
int admin_denied(struct vl_call *call);
int admin_exists(struct vl_call *call, const char *what);
int admin_invalid(struct vl_call *call, const char *field, const char *why);
int admin_refused(struct vl_call *call, const char *what, const char *why);
/* -ENOENT, -EEXIST and -EBUSY as errors of the interface about `what`; others are passed on. */
int admin_fail(struct vl_call *call, int error, const char *what);
/* What was read may be of a turn that is not durable yet: then it waits for it.  Takes reply. */
int admin_reply(struct authority *a, struct vl_call *call, json_t *reply);

/*
 * Ends a change begun with store_change_begin(): the event joins it, or the change is undone.
 * Nothing is answered before both are durable.  Takes detail and reply (NULL: no memory).
 */
struct admin_change {
	const char *kind; /* of the event */
	const char *what; /* in NotFound and Exists */
	const char *identity, *account, *service;
	const uint8_t *certificate; /* SHA-256, or NULL */
	json_t *detail, *reply;
	int (*changed)(struct authority *a); /* reads again what is in memory, after the commit; or NULL */
};
int admin_finish(struct authority *a, struct vl_call *call, int result,
		 const struct admin_change *change);

/* --- rows --- */
struct admin_list {
	const char *name; /* member of the reply */
	const void *rows;
	size_t n, size; /* `size` bytes a row */
	size_t limit;	/* 0: all in one answer, no "more" */
	bool newest;	/* when not all fit the last ones do */
	json_t *(*to_json)(const void *row);
};
/* An array of rows, as many as `limit` and an answer hold; *ret_more: there are others. */
json_t *admin_rows(const struct admin_list *list, bool *ret_more);
int admin_reply_list(struct authority *a, struct vl_call *call, const struct admin_list *list);

json_t *identity_json(const struct identity *identity);
json_t *certificate_row_json(const void *row); /* struct certificate */
json_t *access_row_json(const void *row);      /* struct access_row */

/* --- handlers --- */
#define ADMIN_HANDLER(name) int name(struct vl_call *call, json_t *parameters, void *userdata)
ADMIN_HANDLER(admin_add_identity);
ADMIN_HANDLER(admin_get_identity);
ADMIN_HANDLER(admin_list_identities);
ADMIN_HANDLER(admin_set_identity_enabled);
ADMIN_HANDLER(admin_remove_identity);
ADMIN_HANDLER(admin_enroll);
ADMIN_HANDLER(admin_unenroll);
ADMIN_HANDLER(admin_list_certificates);
ADMIN_HANDLER(admin_allow_access);
ADMIN_HANDLER(admin_deny_access);
ADMIN_HANDLER(admin_list_access);
ADMIN_HANDLER(admin_set_service);
ADMIN_HANDLER(admin_remove_service);
ADMIN_HANDLER(admin_list_services);
ADMIN_HANDLER(admin_add_anchor);
ADMIN_HANDLER(admin_set_anchor);
ADMIN_HANDLER(admin_remove_anchor);
ADMIN_HANDLER(admin_list_anchors);
ADMIN_HANDLER(admin_list_crls);
ADMIN_HANDLER(admin_begin_crl);
ADMIN_HANDLER(admin_put_crl);
ADMIN_HANDLER(admin_apply_crl);
ADMIN_HANDLER(admin_forget_crl);
ADMIN_HANDLER(admin_import_ocsp);
ADMIN_HANDLER(admin_list_ocsp);
ADMIN_HANDLER(admin_add_source);
ADMIN_HANDLER(admin_remove_source);
ADMIN_HANDLER(admin_list_sources);
ADMIN_HANDLER(admin_set_fetch);
ADMIN_HANDLER(admin_list_fetch_jobs);
ADMIN_HANDLER(admin_report_fetch);
ADMIN_HANDLER(admin_list_sessions);
ADMIN_HANDLER(admin_get_session);
ADMIN_HANDLER(admin_list_events);
ADMIN_HANDLER(admin_get_event);
ADMIN_HANDLER(admin_verify_audit);
ADMIN_HANDLER(admin_test_login);
ADMIN_HANDLER(admin_status);
ADMIN_HANDLER(admin_backup);
ADMIN_HANDLER(admin_add_rule);
ADMIN_HANDLER(admin_remove_rule);
ADMIN_HANDLER(admin_list_rules);
ADMIN_HANDLER(admin_test_rule);

#endif
