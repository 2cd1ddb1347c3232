// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/tls.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/pki/handshake.h"
#include "lib/pki/key.h"
#include "lib/pki/proof.h"

/*
 * Explicit groups: FFDHE would cost 429 ms before any proof.  X25519 and P-256 alone, of which
 * clients send both shares.  SIGN-RSA-SHA256 is there for GnuTLS clients, which else send no RSA
 * certificate; TLS 1.3 never signs with it.  No Ed448: nettle 3.8 takes altered signatures.
 */
static const char priority_string[] =
	"NONE:+VERS-TLS1.3:+AEAD:+CTYPE-X509:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
	"+GROUP-X25519:+GROUP-SECP256R1:"
	"+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384:"
	"+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384:+SIGN-RSA-PSS-RSAE-SHA512:"
	"+SIGN-RSA-SHA256:%SERVER_PRECEDENCE:%PROFILE_MEDIUM";

#define TRANSCRIPT_BYTES 4096 /* room for an ordinary one */

static int tls_errno(int r)
{
	return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : r < 0 ? -EIO : 0;
}

/* --- the server's key, which is elsewhere --- */

static const struct server_key {
	enum key_type key;
	gnutls_pk_algorithm_t pk;
	gnutls_sign_algorithm_t scheme, plain;
	gnutls_digest_algorithm_t hash;
} server_keys[] = {
	{ KEY_P256, GNUTLS_PK_ECDSA, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, GNUTLS_SIGN_ECDSA_SHA256,
	  GNUTLS_DIG_SHA256 },
	{ KEY_P384, GNUTLS_PK_ECDSA, GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, GNUTLS_SIGN_ECDSA_SHA384,
	  GNUTLS_DIG_SHA384 },
	{ KEY_ED25519, GNUTLS_PK_EDDSA_ED25519, GNUTLS_SIGN_EDDSA_ED25519,
	  GNUTLS_SIGN_EDDSA_ED25519, GNUTLS_DIG_UNKNOWN },
	{ KEY_RSA, GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
	  GNUTLS_DIG_SHA256 },
};

static const struct server_key *server_key_of(const struct cert *cert)
{
	for (size_t i = 0; i < ARRAY_SIZE(server_keys); i++)
		if (server_keys[i].key == cert->key)
			return &server_keys[i];
	return NULL;
}

static int key_info(_unused_ gnutls_privkey_t key, unsigned flags, void *userdata)
{
	const struct tls *t = userdata;
	const struct server_key *k = t->server_key;

	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return (int)k->pk;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return (int)t->cert->key_bits;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO) {
		gnutls_sign_algorithm_t algorithm = GNUTLS_FLAGS_TO_SIGN_ALGO(flags);

		return algorithm == k->scheme || algorithm == k->plain;
	}
	return -1;
}

/* Hands over what the authority signed, after a look that it is what GnuTLS wants signed. */
static int key_give(struct tls *t, const gnutls_datum_t *wanted, bool hashed, gnutls_datum_t *ret)
{
	const struct tls_session *s = t->current;
	uint8_t tbs[PROOF_TBS_MAX], hash[64];
	gnutls_datum_t have = { tbs, 0 };
	size_t n;

	if (!s || !s->signature ||
	    proof_server_tbs(s->transcript.p, s->prefix_n, s->hash_len, tbs, &n) < 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	have.size = (unsigned)n;
	if (hashed) {
		gnutls_digest_algorithm_t digest = t->server_key->hash;

		if (gnutls_hash_fast(digest, tbs, n, hash) < 0)
			return GNUTLS_E_PK_SIGN_FAILED;
		have = (gnutls_datum_t){ hash, (unsigned)gnutls_hash_get_len(digest) };
	}
	if (have.size != wanted->size || memcmp(have.data, wanted->data, have.size) != 0)
		return GNUTLS_E_PK_SIGN_FAILED;
	ret->data = gnutls_malloc(s->signature_n);
	if (!ret->data)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(ret->data, s->signature, s->signature_n);
	ret->size = (unsigned)s->signature_n;
	return 0;
}

/* GnuTLS calls this for EdDSA alone; ECDSA and RSA come hashed. */
static int key_sign_data(_unused_ gnutls_privkey_t key, _unused_ gnutls_sign_algorithm_t algorithm,
			 void *userdata, _unused_ unsigned flags, const gnutls_datum_t *data,
			 gnutls_datum_t *ret)
{
	return key_give(userdata, data, false, ret);
}

static int key_sign_hash(_unused_ gnutls_privkey_t key, _unused_ gnutls_sign_algorithm_t algorithm,
			 void *userdata, _unused_ unsigned flags, const gnutls_datum_t *hash,
			 gnutls_datum_t *ret)
{
	return key_give(userdata, hash, true, ret);
}

static int retrieve(gnutls_session_t session, _unused_ const struct gnutls_cert_retr_st *info,
		    gnutls_pcert_st **ret_chain, unsigned *ret_n,
		    _unused_ gnutls_ocsp_data_st **ret_ocsp, _unused_ unsigned *ret_ocsp_n,
		    gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	struct tls_session *s = gnutls_session_get_ptr(session);

	*ret_chain = &s->tls->chain;
	*ret_n = 1;
	*ret_key = s->tls->key;
	*ret_flags = 0; /* all of it stays ours */
	return 0;
}

static void tls_unset_cert(struct tls *t)
{
	if (!t->cert)
		return;
	gnutls_privkey_deinit(t->key);
	gnutls_pcert_deinit(&t->chain);
	t->key = NULL;
	t->cert = cert_free(t->cert);
}

int tls_set_cert(struct tls *t, const struct view *der)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	gnutls_datum_t datum = { (uint8_t *)(uintptr_t)der->p, (unsigned)der->n };
	const struct server_key *server_key;
	int r;

	if (t->cert && view_is(&t->cert->der, der->p, der->n))
		return 0;
	tls_unset_cert(t);
	r = cert_parse(der->p, der->n, &cert);
	if (r < 0)
		return r;
	server_key = server_key_of(cert);
	if (!key_acceptable(cert) || !server_key)
		return -EKEYREJECTED;
	r = gnutls_pcert_import_x509_raw(&t->chain, &datum, GNUTLS_X509_FMT_DER, 0);
	if (r < 0)
		return tls_errno(r);
	r = gnutls_privkey_init(&t->key);
	if (r < 0) {
		gnutls_pcert_deinit(&t->chain);
		return tls_errno(r);
	}
	t->server_key = server_key;
	t->cert = STEAL(cert);
	r = gnutls_privkey_import_ext4(t->key, t, key_sign_data, key_sign_hash, NULL, NULL,
				       key_info, 0);
	if (r < 0)
		tls_unset_cert(t);
	return tls_errno(r);
}

int tls_new(struct tls **ret)
{
	_cleanup_(tls_freep) struct tls *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	r = gnutls_priority_init(&t->priority, priority_string, NULL);
	if (r < 0)
		return tls_errno(r);
	r = gnutls_certificate_allocate_credentials(&t->credentials);
	if (r < 0)
		return tls_errno(r);
	gnutls_certificate_set_retrieve_function3(t->credentials, retrieve);
	*ret = STEAL(t);
	return 0;
}

struct tls *tls_free(struct tls *t)
{
	if (!t)
		return NULL;
	tls_unset_cert(t);
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	free(t);
	return NULL;
}

/* --- the handshake, message by message --- */

/* Bounds before GnuTLS spends anything on them: an RSA key of 16384 bits costs it 824 ms. */
static int see_client_certificate(struct tls_session *s, const struct view *body)
{
	struct view certs[LIMIT_CHAIN_CERTS];
	size_t n, bytes = 0;

	if (handshake_certificate(*body, certs, ARRAY_SIZE(certs), &n) < 0)
		return GNUTLS_E_CERTIFICATE_ERROR;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(cert_freep) struct cert *cert = NULL;
		int r;

		bytes += certs[i].n;
		if (bytes > LIMIT_CHAIN_BYTES)
			return GNUTLS_E_CERTIFICATE_ERROR;
		r = cert_parse(certs[i].p, certs[i].n, &cert);
		if (i > 0 && r == -EBADMSG)
			continue; /* as if it had not been sent: the leaf alone counts here */
		if (r < 0 || cert->key_bits > LIMIT_RSA_MAX_BITS ||
		    (i == 0 && !key_acceptable(cert)))
			return GNUTLS_E_CERTIFICATE_ERROR;
		if (i == 0)
			s->leaf = STEAL(cert);
	}
	return 0; /* none at all: GnuTLS says certificate_required */
}

/* What the authority would refuse without a look at the signature must not reach it. */
static int see_client_verify(struct tls_session *s, const struct view *body)
{
	struct view in = *body, signature;
	uint16_t scheme;

	if (!s->leaf || view_u16(&in, &scheme) < 0 || view_vec16(&in, &signature) < 0 || in.n > 0)
		return GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
	if (!scheme_fits(s->leaf, scheme))
		return GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER;
	s->leaf = cert_free(s->leaf);
	return 0;
}

static int see_client_hello(struct tls_session *s, const struct view *body)
{
	gnutls_datum_t nonce = { s->nonce, sizeof(s->nonce) };

	if (!s->has_nonce)
		return GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
	/* GnuTLS would look for a cipher suite of an older version, and say handshake_failure */
	if (hello_offers_tls13(body) == -EPROTO)
		return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
	return gnutls_handshake_set_random(s->session, &nonce);
}

static int see_server_certificate(struct tls_session *s, _unused_ const struct view *body)
{
	s->prefix_n = s->transcript.n;
	return 0;
}

static int see_nothing(_unused_ struct tls_session *s, _unused_ const struct view *body)
{
	return 0;
}

/* RFC 8446 section 2, figure 1, with client authentication and nothing else. */
static const struct {
	unsigned type;
	bool incoming;
	int (*see)(struct tls_session *s, const struct view *body);
} steps[] = {
	{ GNUTLS_HANDSHAKE_CLIENT_HELLO, true, see_client_hello },
	{ GNUTLS_HANDSHAKE_SERVER_HELLO, false, see_nothing },
	{ GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS, false, see_nothing },
	{ GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST, false, see_nothing },
	{ GNUTLS_HANDSHAKE_CERTIFICATE_PKT, false, see_server_certificate },
	{ GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, false, see_nothing },
	{ GNUTLS_HANDSHAKE_FINISHED, false, see_nothing },
	{ GNUTLS_HANDSHAKE_CERTIFICATE_PKT, true, see_client_certificate },
	{ GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, true, see_client_verify },
	{ GNUTLS_HANDSHAKE_FINISHED, true, see_nothing },
};
#define STEP_END (ARRAY_SIZE(steps) - 1) /* the client's Finished is no part of the proof */

static int transcript_add(struct tls_session *s, unsigned type, const gnutls_datum_t *body)
{
	const uint8_t header[4] = { (uint8_t)type, (uint8_t)(body->size >> 16),
				    (uint8_t)(body->size >> 8), (uint8_t)body->size };

	buf_put(&s->transcript, header, sizeof(header));
	buf_put(&s->transcript, body->data, body->size);
	return s->transcript.error ? GNUTLS_E_MEMORY_ERROR : 0;
}

static int see_message(struct tls_session *s, unsigned type, bool incoming,
		       const gnutls_datum_t *body)
{
	int r;

	if (s->step == ARRAY_SIZE(steps)) { /* established */
		if (type != GNUTLS_HANDSHAKE_KEY_UPDATE || (incoming && ++s->key_updates > 1))
			return GNUTLS_E_UNEXPECTED_PACKET;
		return 0;
	}
	if (type == GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST)
		return GNUTLS_E_NO_COMMON_KEY_SHARE;
	if (type != steps[s->step].type || incoming != steps[s->step].incoming)
		return GNUTLS_E_UNEXPECTED_PACKET;
	if (s->step < STEP_END) {
		r = transcript_add(s, type, body);
		if (r < 0)
			return r;
		s->rest_n = s->transcript.n - s->prefix_n;
	}
	r = steps[s->step].see(s, &(struct view){ body->data, body->size });
	if (r == 0)
		s->step++;
	return r;
}

static int hook(gnutls_session_t session, unsigned type, unsigned post, unsigned incoming,
		const gnutls_datum_t *body)
{
	struct tls_session *s = gnutls_session_get_ptr(session);

	if (!post)
		return see_message(s, type, incoming, body);
	if (!incoming && type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && !s->signature) {
		s->parked = true;
		return GNUTLS_E_AGAIN;
	}
	return 0;
}

/* --- sessions --- */

static ssize_t pull(gnutls_transport_ptr_t p, void *bytes, size_t n)
{
	struct tls_session *s = p;
	ssize_t k = s->transport->pull(s->transport->userdata, bytes, n);

	if (k < 0)
		gnutls_transport_set_errno(s->session, errno);
	return k;
}

static ssize_t push(gnutls_transport_ptr_t p, const giovec_t *v, int n)
{
	struct tls_session *s = p;
	ssize_t k = s->transport->push(s->transport->userdata, v, n);

	if (k < 0)
		gnutls_transport_set_errno(s->session, errno);
	return k;
}

/* Never waits: the event loop does. */
static int pull_timeout(_unused_ gnutls_transport_ptr_t p, _unused_ unsigned ms)
{
	return 1;
}

static int session_configure(struct tls_session *s)
{
	static const gnutls_datum_t protocol = { (uint8_t *)(uintptr_t)ALPN_PROTOCOL,
						 sizeof(ALPN_PROTOCOL) - 1 };
	int r;

	gnutls_session_set_ptr(s->session, s);
	gnutls_handshake_set_hook_function(s->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
					   hook);
	gnutls_handshake_set_max_packet_length(s->session, LIMIT_HANDSHAKE_BYTES);
	gnutls_certificate_server_set_request(s->session, GNUTLS_CERT_REQUIRE);
	gnutls_transport_set_ptr(s->session, s);
	gnutls_transport_set_pull_function(s->session, pull);
	gnutls_transport_set_vec_push_function(s->session, push);
	gnutls_transport_set_pull_timeout_function(s->session, pull_timeout);
	r = gnutls_priority_set(s->session, s->tls->priority);
	if (r == 0)
		r = gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->tls->credentials);
	if (r == 0)
		r = gnutls_alpn_set_protocols(s->session, &protocol, 1, GNUTLS_ALPN_MANDATORY);
	return tls_errno(r);
}

int tls_session_start(struct tls_session *s, struct tls *t, const struct tls_transport *transport,
		      const uint8_t *nonce)
{
	int r;

	*s = (struct tls_session){ .tls = t, .transport = transport, .has_nonce = nonce != NULL };
	if (nonce)
		memcpy(s->nonce, nonce, sizeof(s->nonce));
	s->transcript.p = malloc(TRANSCRIPT_BYTES);
	if (!s->transcript.p)
		return -ENOMEM;
	s->transcript.cap = TRANSCRIPT_BYTES;
	r = gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
					     GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET);
	if (r < 0)
		s->session = NULL;
	r = r < 0 ? tls_errno(r) : session_configure(s);
	if (r < 0)
		tls_session_end(s);
	return r;
}

/* The authority reads these bytes with the same function: whatever it would not sign, or would take
 * for a lie of ours, ends here, at the cost of the one connection. */
static enum tls_result tls_park(struct tls_session *s)
{
	struct hello hello;

	s->parked = false;
	if (hello_parse(s->transcript.p, s->prefix_n, s->nonce, &s->tls->cert->der, &hello) < 0)
		return TLS_REFUSED;
	s->hash_len = hello.hash_len;
	memcpy(s->commitment, hello.commitment, sizeof(s->commitment));
	return TLS_SIGN;
}

enum tls_result tls_handshake(struct tls_session *s)
{
	int r;

	s->tls->current = s;
	do
		r = gnutls_handshake(s->session);
	while (r < 0 && r != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(r));
	s->tls->current = NULL;
	if (r == GNUTLS_E_AGAIN)
		return s->parked ? tls_park(s) : TLS_MORE;
	if (r == 0 && s->step == ARRAY_SIZE(steps))
		return TLS_DONE;
	/* no alert for who has already left or sent one */
	if (r != GNUTLS_E_PREMATURE_TERMINATION && r != GNUTLS_E_PULL_ERROR &&
	    r != GNUTLS_E_FATAL_ALERT_RECEIVED)
		(void)gnutls_alert_send_appropriate(s->session,
						    r < 0 ? r : GNUTLS_E_INTERNAL_ERROR);
	return TLS_FAILED;
}

int tls_sign(struct tls_session *s, const struct view *signature)
{
	uint8_t *copy = malloc(signature->n);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, signature->p, signature->n);
	s->signature = copy;
	s->signature_n = signature->n;
	return 0;
}

struct view tls_prefix(const struct tls_session *s)
{
	return (struct view){ s->transcript.p, s->prefix_n };
}

struct view tls_rest(const struct tls_session *s)
{
	return (struct view){ s->transcript.p + s->prefix_n, s->rest_n };
}

void tls_forget_transcript(struct tls_session *s)
{
	buf_deinit(&s->transcript);
	s->prefix_n = s->rest_n = 0;
}

ssize_t tls_receive(struct tls_session *s, void *p, size_t n)
{
	ssize_t r;

	do
		r = gnutls_record_recv(s->session, p, n);
	while (r == GNUTLS_E_INTERRUPTED);
	if (r >= 0)
		return r;
	/* GNUTLS_E_REHANDSHAKE as well: no second handshake, whatever it is called */
	return r == GNUTLS_E_AGAIN ? -EAGAIN : -EPROTO;
}

int tls_send(struct tls_session *s, const void *p, size_t n)
{
	while (n > 0) {
		ssize_t k = gnutls_record_send(s->session, p, n);

		if (k < 0)
			return -EPIPE; /* our push takes everything: no E_AGAIN */
		p = (const uint8_t *)p + k;
		n -= (size_t)k;
	}
	return 0;
}

bool tls_has_more(const struct tls_session *s)
{
	return gnutls_record_check_pending(s->session) > 0;
}

void tls_bye(struct tls_session *s)
{
	(void)gnutls_bye(s->session, GNUTLS_SHUT_WR);
}

void tls_alert(struct tls_session *s, gnutls_alert_description_t alert)
{
	(void)gnutls_alert_send(s->session, GNUTLS_AL_FATAL, alert);
}

void tls_session_end(struct tls_session *s)
{
	if (s->session)
		gnutls_deinit(s->session);
	buf_deinit(&s->transcript);
	cert_free(s->leaf);
	free(s->signature);
	*s = (struct tls_session){ 0 };
}
