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
	 * others do not.  Negative errno: nobody answered.  A token may ask again when its key signs:
	 * both functions and their userdata must live as long as the keys. */
	int (*ask)(void *userdata, enum key_question question, const char *label, struct secret **ret_answer);
	/* One of n labels, 2 to LIMIT_HELPER_CHOICES of them; *ret from 0.  NULL: the first is taken. */
	int (*choose)(void *userdata, const char *const *labels, unsigned n, unsigned *ret);
	void *ask_userdata;
	/* Certificates for public keys (DER SPKIs in, certificates out): the authority's, or none. */
	int (*find_certificates)(void *userdata, const struct view *spkis, size_t n, struct cert **ret,
				 size_t max, size_t *ret_n);
	void *find_userdata;
	const char *agent_socket;           /* or NULL */
	uint64_t agent_usec;                /* for a person at the agent; 0: LIMIT_AGENT_USEC */
	const char *key_file;               /* PEM/PKCS#8 private key, PKCS#12, or NULL */
	const char *pkcs11;                 /* lib/base/p11name.h, or NULL */
	/* Certificate chain of the key (of the file, the token, or of one of the agent's), PEM; NULL:
	 * what PKCS#12 file or token have with the key, else find_certificates. */
	const char *cert_file;
	char why[256];                      /* after a failure: for people */
};

/* 0 and a list (maybe empty: ctx->why says why); the caller tries them in order. */
int keys_file_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
int keys_agent_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
/* One key: has the certificate chosen where there are several, and its token's PIN asked for. */
int keys_pkcs11_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
/* All sources in their order: the file and the token when they are named and can be used, else the
 * agent.  After a failure of all, ctx->why tells of all. */
int keys_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n);
/* find_certificates by org.certlogin.Service of this host; userdata: the path of its socket. */
int keys_find_at_service(void *userdata, const struct view *spkis, size_t n, struct cert **ret, size_t max,
			 size_t *ret_n);
struct prove_key *prove_key_free(struct prove_key *key);
DEFINE_FREEP(struct prove_key, prove_key_free);

#endif
