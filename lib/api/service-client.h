/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef API_SERVICE_CLIENT_H
#define API_SERVICE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/secret.h"
#include "lib/base/ticket.h"
#include "lib/varlink/client.h"

/*
 * Typed calls of org.certlogin.Service: what pam_certlogin and prove say.  Each waits at most
 * LIMIT_PAM_CALL_USEC.  0 or negative errno; outputs are written only on success.
 *   -EACCES   PermissionDenied           -ESTALE  InvalidLogin       -EDQUOT  TooMany
 *   -EREMOTEIO  the authority failed     -EPROTO  an answer that does not fit its interface
 *   -EINVAL   an argument that is no UTF-8 text; others: no connection, see vl_client_call()
 */

struct service_begin {
	char login_id[LOGIN_ID_TEXT_SIZE];
	char service_class[8]; /* "login", "elevate", "app" */
	bool console;
};

struct service_answer {
	bool allowed;
	uint64_t event;	  /* 0: none */
	uint64_t session; /* open_session only */
};

int service_begin(struct vl_client *c, const char *account, const char *service, const char *tty,
		  const char *rhost, struct service_begin *ret);
int service_redeem(struct vl_client *c, const char *login_id, const uint8_t ticket[TICKET_BYTES],
		   struct service_answer *ret);
int service_abandon(struct vl_client *c, const char *login_id, const char *reason,
		    uint64_t *ret_event);
int service_check_account(struct vl_client *c, const char *login_id, const char *account,
			  struct service_answer *ret);
int service_open_session(struct vl_client *c, const char *login_id, const char *account, pid_t pid,
			 const char *tty, const char *rhost, struct service_answer *ret);
int service_close_session(struct vl_client *c, uint64_t session);

struct service_der {
	uint8_t *p;
	size_t n;
};

/* Certificates for these SubjectPublicKeyInfos; gives an array of at most LIMIT_FIND_SPKIS. */
int service_find_certificates(struct vl_client *c, const struct service_der *spkis, size_t n_spkis,
			      struct service_der **ret, size_t *ret_n);
void service_ders_free(struct service_der *ders, size_t n);

#endif
