/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAM_HELPER_H
#define PAM_HELPER_H

#include <sys/types.h>

#include "lib/base/limits.h"
#include "lib/base/ticket.h"
#include "pam/converse.h"

/*
 * The helper `prove` as the module sees it: a child that is believed nothing (lib/api/helper.h).
 * The host program may have closed stdio, threads, a SIGCHLD handler of its own, or ignore SIGCHLD:
 * no code of ours runs between fork and exec, and the exit status is never looked at.
 */
struct helper {
	int fd; /* -1: not started */
	pid_t pid;
	bool finished; /* said its last word: it ends by itself */
};

struct helper_request {
	const char *mode; /* "invoker" or "console" */
	const char *login_id, *account, *service, *runtime_dir;
	const char *agent_socket; /* opaque, or NULL */
};

struct helper_answer {
	bool has_ticket;
	uint8_t ticket[TICKET_BYTES];
	uint64_t event; /* the authority has denied */
	char why[LIMIT_REASON + 1];
};

/* Starts it and tells it the request: 0 or negative errno. */
int helper_start(struct helper *h, const struct helper_request *request);
/* Answers its questions until its last message.  No ticket: `event` or at least `why` is set. */
void helper_run(struct helper *h, const struct converse *c, uint64_t timeout_usec,
		struct helper_answer *ret);
/* Ends it, with whatever it has started, and reaps it unless the host has; never waits long. */
void helper_end(struct helper *h);

#endif
