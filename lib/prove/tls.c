// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/prove/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/limits.h"
#include "lib/pki/commitment.h"
#include "lib/pki/handshake.h"
#include "lib/prove/external.h"
#include "lib/prove/transcript.h"
#include "lib/prove/trust.h"
#include "lib/varlink/client.h"

/*
 * What the gate takes.  RSA PKCS#1 is for GnuTLS servers with an RSA key, which look for it before
 * they use their certificate; TLS 1.3 never signs with it.
 */
#define PRIORITY                                                                                   \
	"NONE:+VERS-TLS1.3:+AEAD:+CTYPE-X509:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"         \
	":+GROUP-X25519:+GROUP-SECP256R1:+SIGN-EDDSA-ED25519:+SIGN-ECDSA-SECP256R1-SHA256"         \
	":+SIGN-ECDSA-SECP384R1-SHA384:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384"        \
	":+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-SHA256"

#define KEY_UPDATES_MAX 1

struct tls {
	const struct prove_request *request;
	uint64_t deadline;
	size_t budget; /* bytes that the server may still send */

	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	struct transcript transcript;
	struct external_key external;

	bool server_trusted; /* its certificate is the right one */
	bool server_proven;  /* and it holds the key */
	bool signed_ours;    /* our CertificateVerify went out */
	bool failed;	     /* `result` and `why` are set */
	unsigned key_updates;
	enum prove_result result;
	char why[256];
};

const char *tls_why(const struct tls *t)
{
	return t->why;
}

/* The first failure is the cause; what follows from it is not told. */
static enum prove_result fail(struct tls *t, enum prove_result result, const char *why,
			      const char *detail)
{
	if (t->failed)
		return t->result;
	t->failed = true;
	t->result = result;
	(void)snprintf(t->why, sizeof(t->why), "%s%s%s", why, detail ? ": " : "",
		       detail ? detail : "");
	return result;
}

/* --- bytes --- */

static ssize_t pull(gnutls_transport_ptr_t ptr, void *p, size_t n)
{
	struct tls *t = ptr;
	ssize_t k;

	if (t->budget == 0) {
		(void)fail(t, PROVE_NO_SERVER, "the server sent too much", NULL);
		gnutls_transport_set_errno(t->session, EMSGSIZE);
		return -1;
	}
	k = recv(t->request->fd, p, n < t->budget ? n : t->budget, MSG_DONTWAIT);
	if (k < 0)
		gnutls_transport_set_errno(t->session, errno);
	else
		t->budget -= (size_t)k;
	return k;
}

/* A server that refuses us sends an alert and closes, perhaps in the middle of our flight: what it
 * said is still to be read, so a closed connection shows at the next read alone. */
static ssize_t push(gnutls_transport_ptr_t ptr, const void *p, size_t n)
{
	struct tls *t = ptr;
	ssize_t k = send(t->request->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (k < 0 && (errno == EPIPE || errno == ECONNRESET))
		return (ssize_t)n;
	if (k < 0)
		gnutls_transport_set_errno(t->session, errno);
	return k;
}

/* Until GnuTLS can go on: 0, or -ETIMEDOUT. */
static int wait_for_peer(const struct tls *t)
{
	struct pollfd p = { .fd = t->request->fd,
			    .events = gnutls_record_get_direction(t->session) ? POLLOUT : POLLIN };
	uint64_t now = vl_monotonic_usec();
	struct timespec ts;

	if (now >= t->deadline)
		return -ETIMEDOUT;
	ts.tv_sec = (time_t)((t->deadline - now) / USEC_PER_SEC);
	ts.tv_nsec = (long)((t->deadline - now) % USEC_PER_SEC * 1000);
	(void)ppoll(&p, 1, &ts, NULL); /* a failed one makes the next look at the clock */
	return 0;
}

/* --- errors --- */

static const struct {
	gnutls_alert_description_t alert;
	const char *text;
} alert_texts[] = {
	{ GNUTLS_A_CERTIFICATE_REQUIRED, "it got no certificate that it can use" },
	{ GNUTLS_A_BAD_CERTIFICATE, "it cannot read or does not accept this certificate" },
	{ GNUTLS_A_UNSUPPORTED_CERTIFICATE,
	  "it does not take this kind of certificate: P-256, P-384, Ed25519, or RSA of 2048 to "
	  "4096 bits" },
	{ GNUTLS_A_CERTIFICATE_REVOKED, "this certificate is revoked: ask for a new one" },
	{ GNUTLS_A_CERTIFICATE_EXPIRED, "this certificate has expired: ask for a new one" },
	{ GNUTLS_A_CERTIFICATE_UNKNOWN, "this certificate is not known there" },
	{ GNUTLS_A_UNKNOWN_CA, "this certificate's CA is not known there" },
	{ GNUTLS_A_ACCESS_DENIED, "access denied" },
	{ GNUTLS_A_DECRYPT_ERROR, "our signature does not verify: does the key belong to the "
				  "certificate?" },
	{ GNUTLS_A_HANDSHAKE_FAILURE,
	  "it has no algorithm in common with us: is it a certlogin gate?" },
	{ GNUTLS_A_INSUFFICIENT_SECURITY, "this key or certificate is too weak" },
	{ GNUTLS_A_PROTOCOL_VERSION, "it does not speak TLS 1.3: is it a certlogin gate?" },
	{ GNUTLS_A_NO_APPLICATION_PROTOCOL, "it is no certlogin gate" },
	{ GNUTLS_A_INTERNAL_ERROR, "it cannot serve now; its journal says more" },
	{ GNUTLS_A_USER_CANCELED, "it cannot serve now; its journal says more" },
};

static const char *alert_text(gnutls_alert_description_t alert)
{
	for (size_t i = 0; i < ARRAY_SIZE(alert_texts); i++)
		if (alert_texts[i].alert == alert)
			return alert_texts[i].text;
	return gnutls_alert_get_name(alert);
}

/* A fatal error of GnuTLS's: tells the server, and says what it means. */
static enum prove_result fail_gnutls(struct tls *t, int error)
{
	switch (error) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return fail(t, PROVE_REJECTED, "the server refused",
			    alert_text(gnutls_alert_get(t->session)));
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
	case GNUTLS_E_SESSION_EOF:
		return fail(t, PROVE_NO_SERVER, "the server closed the connection", NULL);
	case GNUTLS_E_PK_SIGN_FAILED:
		(void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, GNUTLS_A_USER_CANCELED);
		return fail(t, PROVE_KEY_FAILED,
			    t->external.why ? t->external.why : "the key did not sign",
			    t->request->key->label);
	default:
		(void)gnutls_alert_send_appropriate(t->session, error);
		return fail(t, PROVE_SERVER, "the server does not keep to the protocol",
			    gnutls_strerror(error));
	}
}

/* After an I/O call that gave r < 0: PROVE_DONE, call again. */
static enum prove_result again(struct tls *t, int r)
{
	if (r != GNUTLS_E_AGAIN && r != GNUTLS_E_INTERRUPTED && gnutls_error_is_fatal(r))
		return fail_gnutls(t, r);
	/* warnings do not wait: the byte budget ends a server that sends nothing else */
	if (r == GNUTLS_E_AGAIN && wait_for_peer(t) < 0)
		return fail(t, PROVE_NO_SERVER, "the server did not answer in time", NULL);
	return PROVE_DONE;
}

/* --- what the handshake must be --- */

static int on_server_certificate(struct tls *t, const gnutls_datum_t *body)
{
	struct view ders[LIMIT_CHAIN_CERTS];
	const char *why = "out of memory";
	size_t n = 0;
	int r;

	if (t->server_trusted) /* one of them */
		return GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET;
	if (handshake_certificate((struct view){ body->data, body->size }, ders, ARRAY_SIZE(ders),
				  &n) < 0)
		n = 0;
	r = trust_check(t->request->trust, ders, n, clock_realtime(&clock_system), &why);
	if (r < 0) {
		(void)fail(t, PROVE_SERVER, why, NULL);
		return GNUTLS_E_CERTIFICATE_ERROR;
	}
	t->server_trusted = true;
	return 0;
}

/* The last look before anything of ours goes out that says who we are. */
static int on_our_certificate(struct tls *t, const gnutls_datum_t *body)
{
	struct view ders[LIMIT_CHAIN_CERTS];
	size_t n;

	if (!t->server_proven)
		return GNUTLS_E_CERTIFICATE_ERROR;
	if (handshake_certificate((struct view){ body->data, body->size }, ders, ARRAY_SIZE(ders),
				  &n) < 0)
		return GNUTLS_E_CERTIFICATE_ERROR;
	if (n > 0)
		return 0;
	(void)fail(t, PROVE_KEY_FAILED, "the server accepts no signature that this key can make",
		   t->request->key->label);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

static int hook(gnutls_session_t session, unsigned type, _unused_ unsigned when, unsigned incoming,
		const gnutls_datum_t *body)
{
	struct tls *t = gnutls_session_get_ptr(session);
	int r = 0;

	if (type == GNUTLS_HANDSHAKE_KEY_UPDATE && incoming)
		return ++t->key_updates > KEY_UPDATES_MAX ? GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET
							  : 0;
	if (t->signed_ours) /* Finished, tickets: not signed by us */
		return 0;
	if (type > UINT8_MAX) /* HelloRetryRequest and other pseudo types: both shares went out */
		return incoming ? GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET : 0;
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
		r = incoming ? on_server_certificate(t, body) : on_our_certificate(t, body);
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY && !incoming)
		t->signed_ours = true;
	if (r == 0 && transcript_add(&t->transcript, (uint8_t)type, body->data, body->size) < 0)
		r = GNUTLS_E_HANDSHAKE_TOO_LARGE;
	return r;
}

/* Runs after the server's CertificateVerify was found good, and before our flight (RFC 8446 4.4.3).
 */
static int verify(gnutls_session_t session)
{
	struct tls *t = gnutls_session_get_ptr(session);
	gnutls_datum_t alpn;

	if (gnutls_alpn_get_selected_protocol(session, &alpn) < 0 ||
	    alpn.size != strlen(ALPN_PROTOCOL) ||
	    memcmp(alpn.data, ALPN_PROTOCOL, alpn.size) != 0) {
		(void)fail(t, PROVE_SERVER, "the server is no certlogin gate", NULL);
		return GNUTLS_E_NO_APPLICATION_PROTOCOL;
	}
	if (!t->server_trusted || gnutls_protocol_get_version(session) != GNUTLS_TLS1_3 ||
	    gnutls_session_is_resumed(session))
		return GNUTLS_E_CERTIFICATE_ERROR;
	t->server_proven = true;
	return 0;
}

static int retrieve(gnutls_session_t session, _unused_ const struct gnutls_cert_retr_st *asked,
		    gnutls_pcert_st **ret_chain, unsigned *ret_n,
		    _unused_ gnutls_ocsp_data_st **ret_ocsp, _unused_ unsigned *ret_ocsp_n,
		    gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	struct tls *t = gnutls_session_get_ptr(session);

	*ret_chain = t->request->key->chain;
	*ret_n = t->request->key->n_chain;
	*ret_key = t->external.handle ? t->external.handle : t->request->key->key;
	*ret_flags = 0; /* all ours */
	return 0;
}

/* --- making one --- */

static int set_alpn(gnutls_session_t session, const char *name)
{
	const gnutls_datum_t names[] = {
		{ (uint8_t *)(uintptr_t)ALPN_PROTOCOL, strlen(ALPN_PROTOCOL) },
		{ (uint8_t *)(uintptr_t)name, name ? (unsigned)strlen(name) : 0 },
	};

	return gnutls_alpn_set_protocols(session, names, name ? 2 : 1, 0);
}

static int session_init(struct tls *t, const char *name)
{
	const char *at;
	int r;

	r = gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
					     GNUTLS_NO_TICKETS | GNUTLS_KEY_SHARE_TOP2);
	if (r >= 0)
		r = gnutls_priority_init(&t->priority, PRIORITY, &at);
	if (r >= 0)
		r = gnutls_priority_set(t->session, t->priority);
	if (r >= 0)
		r = set_alpn(t->session, name);
	if (r >= 0)
		r = gnutls_certificate_allocate_credentials(&t->credentials);
	if (r >= 0)
		r = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials);
	if (r < 0)
		return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EOPNOTSUPP;
	gnutls_certificate_set_retrieve_function3(t->credentials, retrieve);
	gnutls_session_set_verify_function(t->session, verify);
	gnutls_session_set_ptr(t->session, t);
	gnutls_handshake_set_hook_function(t->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_PRE, hook);
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_push_function(t->session, push);
	return 0;
}

/* The client's compatibility CCS is a write of its own: with Nagle a login is 40 ms slower. */
static void set_nodelay(int fd)
{
	int domain = 0, one = 1;
	socklen_t n = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 &&
	    (domain == AF_INET || domain == AF_INET6))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int tls_new(const struct prove_request *request, const char *name, struct tls **ret)
{
	_cleanup_(tls_freep) struct tls *t = NULL;
	uint64_t now = vl_monotonic_usec();
	int r;

	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->request = request;
	t->budget = LIMIT_HANDSHAKE_BYTES;
	t->deadline =
		request->timeout_usec > UINT64_MAX - now ? UINT64_MAX : now + request->timeout_usec;
	r = session_init(t, name);
	if (r < 0)
		return r;
	if (request->key->sign) {
		r = external_key_init(&t->external, request->key, t->session, &t->transcript);
		if (r < 0)
			return r;
	}
	set_nodelay(request->fd);
	*ret = STEAL(t);
	return 0;
}

struct tls *tls_free(struct tls *t)
{
	if (!t)
		return NULL;
	if (t->session)
		gnutls_deinit(t->session);
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	external_key_deinit(&t->external);
	transcript_deinit(&t->transcript);
	free(t);
	return NULL;
}

/* --- using it --- */

enum prove_result tls_handshake(struct tls *t)
{
	int r;

	while ((r = gnutls_handshake(t->session)) < 0)
		if (again(t, r) != PROVE_DONE)
			return t->result;
	/* GnuTLS is content without a CertificateRequest; a gate is not a gate without one */
	if (!t->server_proven || !t->signed_ours)
		return fail(t, PROVE_SERVER, "the server asked for no certificate", NULL);
	return PROVE_DONE;
}

enum prove_result tls_send(struct tls *t, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t k = gnutls_record_send(t->session, at, n);

		if (k < 0 && again(t, (int)k) != PROVE_DONE)
			return t->result;
		if (k > 0) {
			at += k;
			n -= (size_t)k;
		}
	}
	return PROVE_DONE;
}

enum prove_result tls_receive_text(struct tls *t, char *ret, size_t size, size_t *ret_n)
{
	size_t n = 0;

	while (n < size) {
		ssize_t k = gnutls_record_recv(t->session, ret + n, size - n);
		const char *end;

		if (k == 0)
			return fail(t, PROVE_NO_SERVER, "the server closed without an answer",
				    NULL);
		if (k < 0) {
			if (again(t, (int)k) != PROVE_DONE)
				return t->result;
			continue;
		}
		end = memchr(ret + n, '\0', (size_t)k);
		n += (size_t)k;
		if (!end)
			continue;
		if (end != ret + n - 1) /* one call, one reply */
			return fail(t, PROVE_NO_SERVER, "the server said more than its answer",
				    NULL);
		*ret_n = n - 1;
		return PROVE_DONE;
	}
	return fail(t, PROVE_NO_SERVER, "the server's answer is too long", NULL);
}

void tls_bye(struct tls *t)
{
	(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
}
