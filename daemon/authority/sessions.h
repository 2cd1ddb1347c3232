/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_SESSIONS_H
#define AUTHORITY_SESSIONS_H

#include "daemon/authority/authority.h"
#include "daemon/authority/logins.h"

/*
 * Open sessions are rows; each is tied to the process that opened it by pid, start time and boot
 * id. While the daemon runs it holds a pidfd of each; at start, rows of an earlier boot and of
 * processes that are gone are settled ('reboot', 'unclosed').  A recycled pid is never taken for
 * the session.
 */
int sessions_new(struct authority *a, struct sessions **ret);
struct sessions *sessions_free(struct sessions *s);
DEFINE_FREEP(struct sessions, sessions_free);
/* At start, and whenever a->unsettled says that a record was lost or a process not watched. */
int sessions_settle(struct sessions *s);

struct session_request {
	const struct login *login;
	const char *identity;
	const char *account_now, *tty, *rhost;
	pid_t pid;
};
/* Row and event, not yet durable.  -ESRCH: no such process. */
int session_open(struct sessions *s, const struct session_request *request, int64_t *ret_id,
		 int64_t *ret_event);
/* The row is durable: watch its process. */
void session_watch(struct sessions *s, int64_t id);
int session_close(struct sessions *s, int64_t id, const char *ended);

#endif
