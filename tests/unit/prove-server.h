/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_PROVE_SERVER_H
#define TESTS_PROVE_SERVER_H

/*
 * The gate's side of a connection, in a thread: honest unless a test says otherwise.  It remembers
 * what it saw, above all whether a certificate of the client's ever arrived.
 */

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/base/buf.h"
#include "lib/pki/commitment.h"
#include "lib/pki/handshake.h"
#include "lib/pki/proof.h"
#include "tests/unit/prove-pki.h"

#define GATE_PRIORITY                                                                              \
	"NONE:+VERS-TLS1.3:+AEAD:+CTYPE-X509:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"         \
	":+GROUP-X25519:+GROUP-SECP256R1:+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256"         \
	":+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384"        \
	":+SIGN-RSA-PSS-RSAE-SHA512:%SERVER_PRECEDENCE:+SIGN-RSA-SHA256"

struct server {
	/* the test's part */
	const struct pki *ident;
	const struct pki *other_key; /* signs instead */
	const char *priority;	     /* NULL: the gate's */
	bool no_alpn, no_request, tickets;
	void (*raw)(struct server *);	/* instead of TLS */
	void (*after)(struct server *); /* instead of one call and `reply` */
	const char *reply;		/* NULL: allowed */
	bool first;			/* is done before the client begins */
	size_t drip;			/* bytes a write; 0: as they come */
	/* what happened */
	int handshake; /* GnuTLS's result */
	bool saw_certificate;
	char call[4096];
	struct buf prefix, rest; /* transcript, split before the server's CertificateVerify */
	uint8_t nonce[32];
	/* its own */
	int fd;
	int client_fd;
	gnutls_session_t session;
	pthread_t thread;
};

static inline int server_hook(gnutls_session_t session, unsigned type, _unused_ unsigned when,
			      unsigned incoming, const gnutls_datum_t *body)
{
	struct server *s = gnutls_session_get_ptr(session);
	struct view ders[LIMIT_CHAIN_CERTS];
	struct buf *b;
	size_t n = 0;

	if (type > UINT8_MAX)
		return 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && incoming)
		s->saw_certificate |= handshake_certificate((struct view){ body->data, body->size },
							    ders, ARRAY_SIZE(ders), &n) < 0 ||
				      n > 0;
	if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
		gnutls_handshake_set_random(session, &(gnutls_datum_t){ s->nonce, 32 });
	b = s->rest.n > 0 || type == GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY ? &s->rest : &s->prefix;
	buf_put_u32(b, type << 24 | body->size);
	buf_put(b, body->data, body->size);
	return 0;
}

static inline ssize_t server_push(gnutls_transport_ptr_t ptr, const void *p, size_t n)
{
	struct server *s = ptr;

	return send(s->fd, p, s->drip && s->drip < n ? s->drip : n, MSG_NOSIGNAL);
}

static inline ssize_t server_pull(gnutls_transport_ptr_t ptr, void *p, size_t n)
{
	return recv(((struct server *)ptr)->fd, p, n, 0);
}

static inline int server_sign(_unused_ gnutls_privkey_t key, _unused_ gnutls_sign_algorithm_t a,
			      void *userdata, _unused_ unsigned flags, const gnutls_datum_t *hash,
			      gnutls_datum_t *ret)
{
	struct server *s = userdata;
	gnutls_privkey_t other = copy_key(s->other_key);
	int r = gnutls_privkey_sign_hash(other, GNUTLS_DIG_SHA256, 0, hash, ret);

	gnutls_privkey_deinit(other);
	return r;
}

static inline int server_info(_unused_ gnutls_privkey_t key, unsigned flags,
			      _unused_ void *userdata)
{
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_ECDSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return 256;
	return GNUTLS_FLAGS_TO_SIGN_ALGO(flags) == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256;
}

/* Runs in the thread. */
static inline void server_answer(struct server *s)
{
	static const char yes[] = "{\"parameters\":{\"allowed\":true,\"event\":7}}";
	const char *reply = s->reply ? s->reply : yes;
	size_t n = 0;

	while (n < sizeof(s->call) && !memchr(s->call, '\0', n)) {
		ssize_t k = gnutls_record_recv(s->session, s->call + n, sizeof(s->call) - n);

		if (k <= 0)
			return;
		n += (size_t)k;
	}
	(void)gnutls_record_send(s->session, reply, strlen(reply) + 1);
	(void)gnutls_record_recv(s->session, s->call + n, sizeof(s->call) - n); /* its bye */
}

static inline void server_tls(struct server *s)
{
	const gnutls_datum_t alpn = { (uint8_t *)(uintptr_t)ALPN_PROTOCOL, strlen(ALPN_PROTOCOL) };
	gnutls_certificate_credentials_t credentials;
	gnutls_privkey_t key = NULL;
	gnutls_datum_t ticket_key = { 0 };

	MUST(gnutls_certificate_allocate_credentials(&credentials));
	gnutls_certificate_set_flags(credentials, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	if (s->other_key) {
		gnutls_pcert_st *pcert = gnutls_malloc(sizeof(*pcert));

		MUST(gnutls_pcert_import_x509(pcert, s->ident->crt, 0));
		MUST(gnutls_privkey_init(&key));
		MUST(gnutls_privkey_import_ext4(key, s, NULL, server_sign, NULL, NULL, server_info,
						0));
		MUST(gnutls_certificate_set_key(credentials, NULL, 0, pcert, 1, key));
		gnutls_free(pcert);
	} else {
		gnutls_x509_crt_t crt = s->ident->crt;

		MUST(gnutls_certificate_set_x509_key(credentials, &crt, 1, s->ident->key));
	}
	MUST(gnutls_init(&s->session,
			 GNUTLS_SERVER | GNUTLS_NO_SIGNAL | (s->tickets ? 0 : GNUTLS_NO_TICKETS)));
	MUST(gnutls_priority_set_direct(s->session, s->priority ? s->priority : GATE_PRIORITY,
					NULL));
	MUST(gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, credentials));
	if (s->tickets) {
		MUST(gnutls_session_ticket_key_generate(&ticket_key));
		MUST(gnutls_session_ticket_enable_server(s->session, &ticket_key));
	}
	if (!s->no_alpn)
		MUST(gnutls_alpn_set_protocols(s->session, &alpn, 1, 0));
	if (!s->no_request)
		gnutls_certificate_server_set_request(s->session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_ptr(s->session, s);
	gnutls_handshake_set_hook_function(s->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE,
					   server_hook);
	gnutls_transport_set_ptr(s->session, s);
	gnutls_transport_set_push_function(s->session, server_push);
	gnutls_transport_set_pull_function(s->session, server_pull);
	do
		s->handshake = gnutls_handshake(s->session);
	while (s->handshake < 0 && !gnutls_error_is_fatal(s->handshake));
	if (s->handshake < 0)
		(void)gnutls_alert_send_appropriate(s->session, s->handshake);
	else
		(s->after ? s->after : server_answer)(s);
	gnutls_deinit(s->session);
	gnutls_certificate_free_credentials(credentials);
	gnutls_free(ticket_key.data);
}

static inline void *server_main(void *arg)
{
	struct server *s = arg;

	(s->raw ? s->raw : server_tls)(s);
	(void)close(s->fd);
	return NULL;
}

/* Returns the client's end. */
static inline int server_start(struct server *s)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	s->fd = pair[0];
	s->client_fd = pair[1];
	assert_int_equal(random_bytes(s->nonce, sizeof(s->nonce)), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
	if (s->first)
		assert_int_equal(pthread_join(s->thread, NULL), 0);
	return s->client_fd;
}

static inline void server_stop(struct server *s)
{
	(void)close(s->client_fd);
	if (!s->first)
		assert_int_equal(pthread_join(s->thread, NULL), 0);
}

static inline void server_deinit(struct server *s)
{
	buf_deinit(&s->prefix);
	buf_deinit(&s->rest);
}

#endif
