/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROVE_PROVE_H
#define PROVE_PROVE_H

#include <gnutls/abstract.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/secret.h"
#include "lib/base/ticket.h"
#include "lib/pki/path.h"

/*
 * The key holder's side: one TLS handshake with a gate that commits to a request, and one call.
 * Used by the helper `prove` and by `certlogin ticket`.  The server is verified inside the handshake,
 * before our certificate goes out; there is no way to go on without that.
 */

/* A private key and its certificate chain, wherever the key is (cli/keys/).  Owned by its maker. */
struct prove_key {
	gnutls_pcert_st *chain;             /* leaf first */
	unsigned n_chain;
	gnutls_privkey_t key;               /* NULL with `sign` */
	bool tls12_only;                    /* RSA behind an agent: cannot make RSA-PSS */
	/* For keys that hash for themselves (ssh-agent): called with the bytes to be signed, rebuilt
	 * from the transcript.  0 or -errno; *ret_signature is gnutls_malloc()ed, *ret_why a static
	 * text for people after a failure.  NULL: `key` signs by itself. */
	int (*sign)(void *userdata, gnutls_sign_algorithm_t algorithm, const gnutls_datum_t *tbs,
		    gnutls_datum_t *ret_signature, const char **ret_why);
	void *sign_userdata;
	void (*sign_userdata_free)(void *userdata);
	char label[65];                     /* printable: where the key is */
};

/* What the server must be.  Exactly one of pin and anchors. */
struct prove_trust {
	const uint8_t *pin;                 /* SHA-256 of its SPKI */
	const struct anchor *anchors;
	size_t n_anchors;
	const char *host;                   /* name to match, with anchors */
};

struct prove_request {
	int fd;                             /* connected; borrowed.  Blocking or not: we poll */
	const struct prove_trust *trust;
	const struct prove_key *key;
	const char *login_id;               /* text, or "" : loose */
	const char *account;
	const char *service;
	uint64_t timeout_usec;
};

enum prove_result {
	PROVE_DONE,             /* the ticket was accepted */
	PROVE_DENIED,           /* the authority said no: event */
	PROVE_SERVER,           /* the server cannot be authenticated */
	PROVE_NO_SERVER,        /* connection refused, cut, or timed out */
	PROVE_KEY_FAILED,       /* our key would not sign */
	PROVE_REJECTED,         /* the server ended the handshake (alert) */
};

struct prove_answer {
	enum prove_result result;
	uint64_t event;
	char why[256];          /* for people; printable */
};

/* Makes a ticket, proves, commits.  0 with *ret_answer (and, when PROVE_DONE, *ret_ticket); -errno. */
int prove_commit(const struct prove_request *request, struct prove_answer *ret_answer,
		 struct secret **ret_ticket);

struct prove_description {
	char account[256];
	char service[65];
	char caller[512];
};

/* What is this login for?  A proof without commitment. */
int prove_describe(const struct prove_request *request, struct prove_answer *ret_answer,
		   struct prove_description *ret);

#endif
