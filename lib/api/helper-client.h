/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef API_HELPER_CLIENT_H
#define API_HELPER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/api/helper.h"
#include "lib/base/limits.h"
#include "lib/base/secret.h"
#include "lib/base/ticket.h"

/*
 * The helper `prove` as pam_certlogin sees it: a child that is believed nothing (lib/api/helper.h).
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
	const char *pkcs11;	  /* lib/base/p11name.h, or NULL */
	const char *agent_socket; /* opaque, or NULL */
	/* question: a kind that there is, with its flags; label: checked, printable.  0 with
	 * *ret_answer, NULL where there is nothing to type; -ENODATA: nobody answers, which ends
	 * the helper. */
	int (*ask)(void *userdata, enum key_question question, const char *label,
		   struct secret **ret_answer);
	/* One of n labels (2 to LIMIT_HELPER_CHOICES), *ret from 0; -ENODATA as above. */
	int (*choose)(void *userdata, const char *const *labels, unsigned n, unsigned *ret);
	void *userdata;
};

struct helper_answer {
	bool has_ticket;
	uint8_t ticket[TICKET_BYTES];
	uint64_t event; /* the authority has denied */
	char why[LIMIT_REASON + 1];
};

/* Starts it, and answers its questions until its last message.  No ticket: `event` or at least
 * `why` is set.  helper_end() is due in any case. */
void helper_run(struct helper *h, const struct helper_request *request, uint64_t timeout_usec,
		struct helper_answer *ret);
/* Ends it, with whatever it has started, and reaps it unless the host has; never waits long. */
void helper_end(struct helper *h);

#endif
