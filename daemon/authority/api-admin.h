/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_API_ADMIN_H
#define AUTHORITY_API_ADMIN_H

#include "daemon/authority/authority.h"

/* org.certlogin.Admin: handlers are thin: fields were checked, then a verb of the store, its audit
 * row in the same transaction, and the answer after the commit. */

/* What a verb needs.  Each contains the next: root may all, an administrator reads too. */
enum admin_role { ADMIN_ROOT = 1, ADMIN_WRITE, ADMIN_READ };

/* Pure: may a peer with this uid and these groups call a method of this role? */
bool admin_role_allows(const struct roles *roles, uid_t uid, const gid_t *groups, size_t n,
		       enum admin_role role);

const char *arg_text(json_t *p, const char *name); /* NULL: not given */
int64_t arg_int(json_t *p, const char *name, int64_t otherwise);
bool arg_bool(json_t *p, const char *name, bool otherwise);
size_t arg_limit(json_t *p); /* 1 .. LIMIT_LIST_ROWS */

int admin_not_found(struct vl_call *call, const char *what);
int admin_exists(struct vl_call *call, const char *what);
int admin_invalid(struct vl_call *call, const char *field, const char *why);
/* A negative errno of the store as the interface's error about `what`. */
int admin_error(struct vl_call *call, int r, const char *what);
/* The audit row of a change; `detail` is taken. */
int admin_audit(struct authority *a, struct vl_call *call, const char *kind, const char *identity,
		json_t *detail);
/* Audit, then the answer after the commit.  Takes detail and reply. */
int admin_done(struct authority *a, struct vl_call *call, const char *kind, const char *identity,
	       json_t *detail, json_t *reply);
bool admin_is_root(struct vl_call *call);
/* base64 DER -> certificate; answers the error itself: 1 when it did. */
int admin_certificate(struct vl_call *call, const char *field, const char *text, struct cert **ret);

/* handlers */
#define HANDLER(name) int name(struct vl_call *call, json_t *p, void *userdata)
HANDLER(admin_status);
HANDLER(admin_identity_add);
HANDLER(admin_identity_get);
HANDLER(admin_identity_list);
HANDLER(admin_identity_set_enabled);
HANDLER(admin_identity_remove);
HANDLER(admin_enroll);
HANDLER(admin_unenroll);
HANDLER(admin_certificate_list);
HANDLER(admin_access_allow);
HANDLER(admin_access_deny);
HANDLER(admin_access_list);
HANDLER(admin_service_set);
HANDLER(admin_service_remove);
HANDLER(admin_service_list);
HANDLER(admin_anchor_add);
HANDLER(admin_anchor_remove);
HANDLER(admin_anchor_list);
HANDLER(admin_session_list);
HANDLER(admin_session_get);
HANDLER(admin_event_list);
HANDLER(admin_event_get);
HANDLER(admin_audit_verify);
HANDLER(admin_test_login);
HANDLER(admin_backup);

json_t *identity_json(const struct identity *i);
json_t *certificate_json(const struct certificate *c);
json_t *access_json(const struct access_row *row);
/* Has the identity access to root's account?  (What touches it then is root's alone.) */
int reaches_root(struct authority *a, const char *identity, bool *ret);

#endif
