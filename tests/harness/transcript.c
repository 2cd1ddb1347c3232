// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/harness/transcript.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"

#define PRIORITY                                                                                   \
	"NONE:+VERS-TLS1.3:+AEAD:+CTYPE-X509:+%s:+GROUP-X25519:+GROUP-SECP256R1"                   \
	":+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384"           \
	":+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512"           \
	":+SIGN-RSA-SHA256"

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, gnutls_strerror(r));
	abort();
}
#define MUST(x) must((x), #x)

/* One handshake. */
struct wire {
	const struct tls_spec *spec;
	struct tls_record *record;
	gnutls_session_t client, server;
	gnutls_certificate_credentials_t client_cred, server_cred;
	gnutls_pcert_st server_chain, client_chain[1 + TLS_CHAIN_MAX];
	unsigned n_client;
	gnutls_privkey_t server_key, client_key;
	gnutls_ocsp_data_st staple;
	struct cert *server_cert;
	struct buf signature;
	bool parked, refused, complete;
	int fd[2];
};

void tls_record_deinit(struct tls_record *r)
{
	buf_deinit(&r->prefix);
	buf_deinit(&r->rest);
	*r = (struct tls_record){ 0 };
}

static gnutls_datum_t datum(const struct view *v)
{
	return (gnutls_datum_t){ (uint8_t *)(uintptr_t)v->p, (unsigned)v->n };
}

/* --- the server's key, which is elsewhere --- */

static int key_info(_unused_ gnutls_privkey_t key, unsigned flags, void *userdata)
{
	const struct cert *c = ((struct wire *)userdata)->server_cert;
	bool ec = c->key == KEY_P256;
	gnutls_sign_algorithm_t a = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);

	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return ec ? GNUTLS_PK_ECDSA : GNUTLS_PK_EDDSA_ED25519;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)c->key_bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return ec ? a == GNUTLS_SIGN_ECDSA_SECP256R1_SHA256 || a == GNUTLS_SIGN_ECDSA_SHA256
			  : a == GNUTLS_SIGN_EDDSA_ED25519;
	return -1;
}

static int key_sign(_unused_ gnutls_privkey_t key, _unused_ gnutls_sign_algorithm_t algorithm,
		    void *userdata, _unused_ unsigned flags, _unused_ const gnutls_datum_t *data,
		    gnutls_datum_t *ret)
{
	const struct wire *w = userdata;

	if (w->signature.n == 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	ret->data = gnutls_malloc(w->signature.n);
	memcpy(ret->data, w->signature.p, w->signature.n);
	ret->size = (unsigned)w->signature.n;
	return 0;
}

static int server_retrieve(gnutls_session_t session,
			   _unused_ const struct gnutls_cert_retr_st *info,
			   gnutls_pcert_st **ret_chain, unsigned *ret_n,
			   _unused_ gnutls_ocsp_data_st **ocsp, _unused_ unsigned *ocsp_n,
			   gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	struct wire *w = gnutls_session_get_ptr(session);

	*ret_chain = &w->server_chain;
	*ret_n = 1;
	*ret_key = w->server_key;
	*ret_flags = 0;
	return 0;
}

static int client_retrieve(gnutls_session_t session,
			   _unused_ const struct gnutls_cert_retr_st *info,
			   gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_ocsp_data_st **ocsp,
			   unsigned *ocsp_n, gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	struct wire *w = gnutls_session_get_ptr(session);

	*ret_chain = w->client_chain;
	*ret_n = w->n_client;
	*ret_key = w->client_key;
	*ret_flags = 0;
	if (w->spec->staple) {
		w->staple = (gnutls_ocsp_data_st){ .response = datum(w->spec->staple) };
		*ocsp = &w->staple;
		*ocsp_n = 1;
	}
	return 0;
}

/* --- the recorder, on the server's side --- */

static void record(struct wire *w, unsigned type, const gnutls_datum_t *body)
{
	struct buf *to = w->parked ? &w->record->rest : &w->record->prefix;
	const uint8_t header[4] = { (uint8_t)type, (uint8_t)(body->size >> 16),
				    (uint8_t)(body->size >> 8), (uint8_t)body->size };

	buf_put(to, header, sizeof(header));
	buf_put(to, body->data, body->size);
}

static int hook(gnutls_session_t session, unsigned type, unsigned post, unsigned incoming,
		const gnutls_datum_t *body)
{
	struct wire *w = gnutls_session_get_ptr(session);

	if (post) {
		if (incoming || type != GNUTLS_HANDSHAKE_CERTIFICATE_PKT || w->parked)
			return 0;
		w->parked = true;
		return GNUTLS_E_AGAIN;
	}
	if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && w->spec->nonce)
		MUST(gnutls_handshake_set_random(
			session, &(gnutls_datum_t){ (uint8_t *)(uintptr_t)w->spec->nonce, 32 }));
	if (!w->complete && type <= UINT8_MAX)
		record(w, type, body);
	if (incoming && type == GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY)
		w->complete = true; /* the client's Finished is no part of it */
	return 0;
}

/* --- both ends --- */

static void set_priority(const struct wire *w, gnutls_session_t session)
{
	char text[512];

	(void)snprintf(text, sizeof(text), PRIORITY,
		       w->spec->suite ? w->spec->suite : "AES-128-GCM");
	MUST(gnutls_priority_set_direct(session, text, NULL));
}

static void make_server(struct wire *w)
{
	const gnutls_datum_t der = datum(w->spec->server);
	const gnutls_datum_t protocol = { (uint8_t *)(uintptr_t)ALPN_PROTOCOL,
					  sizeof(ALPN_PROTOCOL) - 1 };

	if (cert_parse(der.data, der.size, &w->server_cert) < 0)
		abort();
	MUST(gnutls_pcert_import_x509_raw(&w->server_chain, &der, GNUTLS_X509_FMT_DER, 0));
	MUST(gnutls_privkey_init(&w->server_key));
	MUST(gnutls_privkey_import_ext4(w->server_key, w, key_sign, key_sign, NULL, NULL, key_info,
					0));
	MUST(gnutls_certificate_allocate_credentials(&w->server_cred));
	gnutls_certificate_set_retrieve_function3(w->server_cred, server_retrieve);
	MUST(gnutls_init(&w->server,
			 GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS));
	gnutls_session_set_ptr(w->server, w);
	set_priority(w, w->server);
	MUST(gnutls_credentials_set(w->server, GNUTLS_CRD_CERTIFICATE, w->server_cred));
	gnutls_certificate_server_set_request(w->server, GNUTLS_CERT_REQUIRE);
	MUST(gnutls_alpn_set_protocols(w->server, &protocol, 1, 0));
	gnutls_handshake_set_hook_function(w->server, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, hook);
	gnutls_handshake_set_max_packet_length(w->server, 128 * 1024);
	gnutls_transport_set_int(w->server, w->fd[1]);
}

static void add_client_cert(struct wire *w, const struct pki *p)
{
	const gnutls_datum_t der = datum(&p->cert->der);

	MUST(gnutls_pcert_import_x509_raw(&w->client_chain[w->n_client++], &der,
					  GNUTLS_X509_FMT_DER, 0));
}

static void make_client_key(struct wire *w)
{
	MUST(gnutls_privkey_init(&w->client_key));
	MUST(gnutls_privkey_import_x509(w->client_key, w->spec->client->key,
					GNUTLS_PRIVKEY_IMPORT_COPY));
	add_client_cert(w, w->spec->client);
	for (size_t i = 0; i < TLS_CHAIN_MAX && w->spec->chain[i]; i++)
		add_client_cert(w, w->spec->chain[i]);
	gnutls_certificate_set_retrieve_function3(w->client_cred, client_retrieve);
}

static void make_client(struct wire *w)
{
	gnutls_datum_t names[ARRAY_SIZE(w->spec->alpn)];
	unsigned n = 0;

	MUST(gnutls_certificate_allocate_credentials(&w->client_cred));
	if (w->spec->client)
		make_client_key(w);
	MUST(gnutls_init(&w->client, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL));
	gnutls_session_set_ptr(w->client, w);
	set_priority(w, w->client);
	MUST(gnutls_credentials_set(w->client, GNUTLS_CRD_CERTIFICATE, w->client_cred));
	for (; n < ARRAY_SIZE(names) && w->spec->alpn[n]; n++)
		names[n] = (gnutls_datum_t){ (uint8_t *)(uintptr_t)w->spec->alpn[n],
					     (unsigned)strlen(w->spec->alpn[n]) };
	if (n > 0)
		MUST(gnutls_alpn_set_protocols(w->client, names, n, 0));
	gnutls_transport_set_int(w->client, w->fd[0]);
}

static bool step(gnutls_session_t session, bool *ret_done)
{
	int r;

	if (*ret_done)
		return true;
	r = gnutls_handshake(session);
	*ret_done = r == GNUTLS_E_SUCCESS;
	return r == GNUTLS_E_SUCCESS || !gnutls_error_is_fatal(r);
}

static bool ask_signature(struct wire *w)
{
	const struct view prefix = { w->record->prefix.p, w->record->prefix.n };

	return w->spec->sign(w->spec->userdata, &prefix, &w->signature) == 0 && !w->signature.error;
}

static int drive(struct wire *w)
{
	struct tls_record *r = w->record;

	for (int i = 0; i < 64 && !(r->client_done && r->server_done); i++) {
		if (!step(w->client, &r->client_done) || !step(w->server, &r->server_done))
			return -EPROTO;
		if (w->parked && w->signature.n == 0 && !ask_signature(w))
			return -EPROTO;
	}
	return r->client_done && r->server_done ? 0 : -EPROTO;
}

static void wire_deinit(struct wire *w)
{
	gnutls_deinit(w->client);
	gnutls_deinit(w->server);
	gnutls_certificate_free_credentials(w->client_cred);
	gnutls_certificate_free_credentials(w->server_cred);
	gnutls_privkey_deinit(w->server_key);
	if (w->client_key)
		gnutls_privkey_deinit(w->client_key);
	gnutls_pcert_deinit(&w->server_chain);
	for (unsigned i = 0; i < w->n_client; i++)
		gnutls_pcert_deinit(&w->client_chain[i]);
	cert_free(w->server_cert);
	buf_deinit(&w->signature);
	(void)close(w->fd[0]);
	(void)close(w->fd[1]);
}

int tls_handshake(const struct tls_spec *spec, struct tls_record *ret)
{
	struct wire *w = calloc(1, sizeof(*w));
	int r;

	*ret = (struct tls_record){ 0 };
	w->spec = spec;
	w->record = ret;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, w->fd) < 0)
		abort();
	make_server(w);
	make_client(w);
	r = drive(w);
	ret->hash_len = gnutls_prf_hash_get(w->server) == GNUTLS_DIG_SHA384 ? 48 : 32;
	wire_deinit(w);
	free(w);
	return r;
}

/* --- a host's key at hand --- */

uint16_t tls_scheme_of(const struct cert *c)
{
	return c->key == KEY_ED25519 ? 0x0807 : 0x0403;
}

int tls_sign_local(void *userdata, const struct view *prefix, struct buf *ret_signature)
{
	const struct pki *host = userdata;
	gnutls_sign_algorithm_t algorithm = host->cert->key == KEY_ED25519
						    ? GNUTLS_SIGN_EDDSA_ED25519
						    : GNUTLS_SIGN_ECDSA_SECP256R1_SHA256;
	uint8_t tbs[PROOF_TBS_MAX];
	gnutls_datum_t data = { tbs, 0 }, signature = { 0 };
	gnutls_privkey_t key;
	struct view in = *prefix, hello, part;
	uint16_t suite;
	size_t n;

	/* legacy_version, random, session id, cipher_suite of the second message */
	if (view_bytes(&in, 1, &part) < 0 || view_vec24(&in, &hello) < 0 ||
	    view_bytes(&in, 1, &part) < 0 || view_vec24(&in, &hello) < 0 ||
	    view_bytes(&hello, 34, &part) < 0 || view_vec8(&hello, &part) < 0 ||
	    view_u16(&hello, &suite) < 0)
		return -EBADMSG;
	if (proof_server_tbs(prefix->p, prefix->n, suite == 0x1302 ? 48 : 32, tbs, &n) < 0)
		return -EIO;
	data.size = (unsigned)n;
	MUST(gnutls_privkey_init(&key));
	MUST(gnutls_privkey_import_x509(key, host->key, 0));
	MUST(gnutls_privkey_sign_data2(key, algorithm, 0, &data, &signature));
	buf_put(ret_signature, signature.data, signature.size);
	gnutls_free(signature.data);
	gnutls_privkey_deinit(key);
	return 0;
}
