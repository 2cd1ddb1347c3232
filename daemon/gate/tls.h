/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_TLS_H
#define GATE_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/cert.h"
#include "lib/pki/commitment.h"

/*
 * GnuTLS as the gate uses it: TLS 1.3 with a client certificate and somebody else's private key.
 *
 * gnutls_handshake() is stopped after our Certificate (the hook answers E_AGAIN: facts found by
 * trying, held by a test) until the authority has signed.  Hooks record the transcript and hold the
 * handshake to one fixed order of messages: what is not in it (HelloRetryRequest, a second
 * ClientHello, end of early data, compressed certificates) ends it.
 */

struct server_key;

/* Per thread. */
struct tls {
	gnutls_priority_t priority;
	gnutls_certificate_credentials_t credentials;
	gnutls_pcert_st chain;
	gnutls_privkey_t key; /* answers through the callbacks below; holds no key */
	struct cert *cert;    /* of the server; NULL before tls_set_cert() */
	const struct server_key *server_key;
	struct tls_session *current; /* whose gnutls_handshake() runs */
};

int tls_new(struct tls **ret);
struct tls *tls_free(struct tls *t); /* after its last session */
DEFINE_FREEP(struct tls, tls_free);

/* -EKEYREJECTED: a key that TLS 1.3 servers of ours do not have.  No session may exist. */
int tls_set_cert(struct tls *t, const struct view *der);

enum tls_result {
	TLS_MORE,    /* give it more bytes */
	TLS_SIGN,    /* prefix() is to be signed, then tls_sign() */
	TLS_DONE,    /* established; rest() proves who the client is */
	TLS_REFUSED, /* before our flight: a hello that the authority would not sign */
	TLS_FAILED,  /* the alert is in the output, if there was one to send */
};

/* Both as read(2) and write(2); errno EAGAIN; the writer takes everything. */
struct tls_transport {
	ssize_t (*pull)(void *userdata, void *p, size_t n);
	ssize_t (*push)(void *userdata, const giovec_t *v, int n);
	void *userdata;
};

struct tls_session { /* embedded in a connection; zeroed: none */
	struct tls *tls;
	gnutls_session_t session;
	const struct tls_transport *transport;
	uint8_t nonce[32];
	bool has_nonce;
	unsigned step; /* next message in the fixed order */
	bool parked;   /* after our Certificate */
	unsigned key_updates;
	struct buf transcript;
	size_t prefix_n, rest_n;
	int hash_len;
	char commitment[COMMITMENT_NAME_SIZE];
	struct cert *leaf; /* from the client's Certificate to its CertificateVerify */
	uint8_t *signature;
	size_t signature_n;
};

/* Borrows t and transport while the session lives.  nonce NULL: only to say what is wrong with a
 * hello that we do not take. */
int tls_session_start(struct tls_session *s, struct tls *t, const struct tls_transport *transport,
		      const uint8_t *nonce);
/* TLS_SIGN comes once, when the hello is one that the authority will sign. */
enum tls_result tls_handshake(struct tls_session *s);
int tls_sign(struct tls_session *s, const struct view *signature);
struct view tls_prefix(const struct tls_session *s);
struct view tls_rest(const struct tls_session *s);
void tls_forget_transcript(struct tls_session *s);

/* > 0 bytes; 0 close_notify; -EAGAIN; -EPROTO anything else that ends it. */
ssize_t tls_receive(struct tls_session *s, void *p, size_t n);
bool tls_has_more(const struct tls_session *s); /* decrypted and not yet received */
int tls_send(struct tls_session *s, const void *p, size_t n);
void tls_bye(struct tls_session *s);
void tls_alert(struct tls_session *s, gnutls_alert_description_t alert);
void tls_session_end(struct tls_session *s); /* idempotent */

#endif
