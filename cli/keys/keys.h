/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "lib/api/helper.h"
#include "lib/base/secret.h"
#include "lib/prove/prove.h"

/*
 * Key sources, one file each behind one interface.  A source lists the keys that it can use with a
 * certificate; opening one may ask (PIN, passphrase, touch) through `ask`.
 */
struct key_context {
	/* label: <= LIMIT_HELPER_LABEL printable bytes.  PIN and passphrase give *ret_answer; the
	 * others do not.  Negative errno: nobody answered. */
	int (*ask)(void *userdata, enum key_question question, const char *label, struct secret **ret_answer);
	void *ask_userdata;
	/* Certificates for public keys (DER SPKIs in, certificates out): the authority's, or none. */
	int (*find_certificates)(void *userdata, const struct view *spkis, size_t n, struct cert **ret,
				 size_t max, size_t *ret_n);
	void *find_userdata;
	const char *agent_socket;           /* or NULL */
	uint64_t agent_usec;                /* for a person at the agent; 0: LIMIT_AGENT_USEC */
	const char *key_file;               /* PEM/PKCS#8 private key, or NULL */
	/* Certificate chain of the key (of the file, or of one of the agent's), PEM; NULL:
	 * find_certificates. */
	const char *cert_file;
	char why[256];                      /* after a failure: for people */
};

/* 0 and a list (maybe empty: ctx->why says why); the caller tries them in order. */
int keys_file_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
int keys_agent_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
/* All sources in their order: the file when one is named and can be used, else the agent.  After a
 * failure of both, ctx->why tells of both. */
int keys_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
/* find_certificates by org.certlogin.Service of this host; userdata: the path of its socket. */
int keys_find_at_service(void *userdata, const struct view *spkis, size_t n, struct cert **ret, size_t max,
			 size_t *ret_n);
struct prove_key *prove_key_free(struct prove_key *key);
DEFINE_FREEP(struct prove_key, prove_key_free);

#endif
