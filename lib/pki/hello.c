// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/pki/handshake.h"
#include "lib/pki/proof.h"

/* RFC 8446 4.1.3: ServerHello.random of a HelloRetryRequest */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

enum { /* RFC 8446 4.2 */
       EXT_STATUS_REQUEST = 5,
       EXT_ALPN = 16,
       EXT_PRE_SHARED_KEY = 41,
       EXT_SUPPORTED_VERSIONS = 43,
       EXT_KEY_SHARE = 51,
};
enum { STATUS_OCSP = 1 }; /* RFC 6066 section 8 */
enum { TLS12 = 0x0303, TLS13 = 0x0304, GROUP_SECP256R1 = 0x0017, GROUP_X25519 = 0x001d };

int handshake_next(struct view *in, uint8_t type, struct view *ret_body)
{
	struct view at = *in, body;
	uint8_t got;

	if (view_u8(&at, &got) < 0 || got != type || view_vec24(&at, &body) < 0)
		return -EBADMSG;
	*ret_body = body;
	*in = at;
	return 0;
}

#define MAX_EXTENSIONS 64

struct extension {
	uint16_t type;
	struct view data;
};

struct extensions {
	size_t n;
	struct extension items[MAX_EXTENSIONS];
};

/* RFC 8446 4.2: "There MUST NOT be more than one extension of the same type". */
static int read_extensions(struct view *in, struct extensions *ret)
{
	struct view list;

	ret->n = 0;
	if (view_vec16(in, &list) < 0 || in->n > 0)
		return -EBADMSG;
	while (list.n > 0) {
		struct extension e;

		if (ret->n == MAX_EXTENSIONS || view_u16(&list, &e.type) < 0 ||
		    view_vec16(&list, &e.data) < 0)
			return -EBADMSG;
		for (size_t i = 0; i < ret->n; i++)
			if (ret->items[i].type == e.type)
				return -EBADMSG;
		ret->items[ret->n++] = e;
	}
	return 0;
}

static const struct view *find(const struct extensions *e, uint16_t type)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->items[i].type == type)
			return &e->items[i].data;
	return NULL;
}

static int offers_tls13(const struct view *ext)
{
	struct view in, list;
	uint16_t version;

	if (!ext)
		return -EPROTO;
	in = *ext;
	if (view_vec8(&in, &list) < 0 || in.n > 0)
		return -EBADMSG;
	while (list.n > 0) {
		if (view_u16(&list, &version) < 0)
			return -EBADMSG;
		if (version == TLS13)
			return 0;
	}
	return -EPROTO;
}

/* RFC 7301: our protocol, and at most one commitment. */
static int read_alpn(const struct view *ext, struct hello *ret)
{
	bool ours = false;
	struct view in, list, name;
	size_t n = 0;

	if (!ext)
		return -EPROTO;
	in = *ext;
	if (view_vec16(&in, &list) < 0 || in.n > 0)
		return -EBADMSG;
	while (list.n > 0) {
		if (view_vec8(&list, &name) < 0 || name.n == 0)
			return -EBADMSG;
		if (++n > LIMIT_ALPN_NAMES)
			return -EPROTO;
		if (view_is(&name, ALPN_PROTOCOL, strlen(ALPN_PROTOCOL)))
			ours = true;
		if (name.n < 4 || memcmp(name.p, "cl1-", 4) != 0)
			continue;
		if (ret->commitment[0] || name.n != COMMITMENT_NAME_SIZE - 1 ||
		    memchr(name.p, '\0', name.n))
			return -EPROTO;
		memcpy(ret->commitment, name.p, name.n);
		ret->commitment[name.n] = '\0';
	}
	return ours ? 0 : -EPROTO;
}

static int client_hello_extensions(struct view in, struct extensions *ret)
{
	struct view random, session, suites, compression;
	uint16_t version;

	if (view_u16(&in, &version) < 0 || version != TLS12 || view_bytes(&in, 32, &random) < 0 ||
	    view_vec8(&in, &session) < 0 || session.n > 32 || view_vec16(&in, &suites) < 0 ||
	    suites.n < 2 || suites.n % 2 || view_vec8(&in, &compression) < 0 ||
	    !view_is(&compression, "\0", 1) || read_extensions(&in, ret) < 0)
		return -EBADMSG;
	return 0;
}

int hello_offers_tls13(const struct view *client_hello)
{
	struct extensions e;

	return client_hello_extensions(*client_hello, &e) < 0
		       ? -EBADMSG
		       : offers_tls13(find(&e, EXT_SUPPORTED_VERSIONS));
}

static int read_client_hello(struct view in, struct hello *ret)
{
	struct extensions e;
	int r;

	if (client_hello_extensions(in, &e) < 0)
		return -EPROTO;
	r = offers_tls13(find(&e, EXT_SUPPORTED_VERSIONS));
	if (r == 0)
		r = read_alpn(find(&e, EXT_ALPN), ret);
	return r < 0 ? -EPROTO : 0; /* whatever is in it, a client may have sent */
}

static int read_server_hello(struct view in, const uint8_t nonce[32], struct hello *ret)
{
	struct view random, session, share;
	const struct view *v;
	struct extensions e;
	uint16_t version, suite, group;
	uint8_t compression;

	if (view_u16(&in, &version) < 0 || version != TLS12 || view_bytes(&in, 32, &random) < 0 ||
	    view_vec8(&in, &session) < 0 || session.n > 32 || view_u16(&in, &suite) < 0 ||
	    view_u8(&in, &compression) < 0 || compression != 0 || read_extensions(&in, &e) < 0)
		return -EBADMSG;
	if (view_is(&random, retry_random, 32))
		return -EPROTO;
	if (!view_is(&random, nonce, 32))
		return -ESTALE;
	if (suite != 0x1301 && suite != 0x1302 && suite != 0x1303)
		return -EPROTO;
	ret->hash_len = suite == 0x1302 ? 48 : 32;
	v = find(&e, EXT_SUPPORTED_VERSIONS);
	if (!v || !view_is(v, "\x03\x04", 2) || find(&e, EXT_PRE_SHARED_KEY))
		return -EPROTO;
	v = find(&e, EXT_KEY_SHARE);
	if (!v)
		return -EPROTO;
	share = *v;
	if (view_u16(&share, &group) < 0 || (group != GROUP_X25519 && group != GROUP_SECP256R1))
		return -EPROTO;
	ret->version = TLS13;
	return 0;
}

static int read_encrypted_extensions(struct view in)
{
	struct view list, name, alpn;
	const struct view *v;
	struct extensions e;

	if (read_extensions(&in, &e) < 0)
		return -EBADMSG;
	v = find(&e, EXT_ALPN);
	if (!v)
		return -EPROTO;
	alpn = *v;
	if (view_vec16(&alpn, &list) < 0 || alpn.n > 0 || view_vec8(&list, &name) < 0 || list.n > 0)
		return -EBADMSG;
	return view_is(&name, ALPN_PROTOCOL, strlen(ALPN_PROTOCOL)) ? 0 : -EPROTO;
}

static int read_certificate_request(struct view in)
{
	struct view context;
	struct extensions e;

	if (view_vec8(&in, &context) < 0 || read_extensions(&in, &e) < 0)
		return -EBADMSG;
	return context.n == 0 ? 0 : -EPROTO;
}

int handshake_certificate(struct view in, struct view *ret, size_t max, size_t *ret_n)
{
	struct view context, list, extensions;
	size_t n = 0;

	if (view_vec8(&in, &context) < 0 || context.n > 0 || view_vec24(&in, &list) < 0 || in.n > 0)
		return -EBADMSG;
	while (list.n > 0) {
		if (n == max || view_vec24(&list, &ret[n]) < 0 || ret[n].n == 0 ||
		    view_vec16(&list, &extensions) < 0)
			return -EBADMSG;
		n++;
	}
	*ret_n = n;
	return 0;
}

/* CertificateStatus, RFC 6066 section 8 */
static int read_staple(struct view in, struct view *ret)
{
	struct view response;
	uint8_t type;

	if (view_u8(&in, &type) < 0 || type != STATUS_OCSP || view_vec24(&in, &response) < 0 ||
	    response.n == 0 || in.n > 0)
		return -EBADMSG;
	*ret = response;
	return 0;
}

int handshake_staple(struct view in, struct view *ret)
{
	struct view context, list, cert, block;
	const struct view *status;
	struct extensions e;

	*ret = (struct view){ 0 };
	if (view_vec8(&in, &context) < 0 || view_vec24(&in, &list) < 0)
		return -EBADMSG;
	if (list.n == 0)
		return 0;
	if (view_vec24(&list, &cert) < 0)
		return -EBADMSG;
	block = list;
	if (view_vec16(&list, &cert) < 0)
		return -EBADMSG;
	block.n -= list.n;
	if (read_extensions(&block, &e) < 0)
		return -EBADMSG;
	status = find(&e, EXT_STATUS_REQUEST);
	return status ? read_staple(*status, ret) : 0;
}

int hello_parse(const uint8_t *prefix, size_t n, const uint8_t nonce[32],
		const struct view *our_cert, struct hello *ret)
{
	struct view in = { prefix, n }, ch, sh, ee, cr, cert, certs[LIMIT_CHAIN_CERTS];
	struct hello h = { 0 };
	size_t n_certs;
	int r;

	if (handshake_next(&in, HS_CLIENT_HELLO, &ch) < 0 ||
	    handshake_next(&in, HS_SERVER_HELLO, &sh) < 0 ||
	    handshake_next(&in, HS_ENCRYPTED_EXTENSIONS, &ee) < 0 ||
	    handshake_next(&in, HS_CERTIFICATE_REQUEST, &cr) < 0 ||
	    handshake_next(&in, HS_CERTIFICATE, &cert) < 0 || in.n > 0)
		return -EBADMSG;
	r = read_client_hello(ch, &h);
	if (r == 0)
		r = read_server_hello(sh, nonce, &h);
	if (r == 0)
		r = read_encrypted_extensions(ee);
	if (r == 0)
		r = read_certificate_request(cr);
	if (r == 0)
		r = handshake_certificate(cert, certs, ARRAY_SIZE(certs), &n_certs);
	if (r < 0)
		return r;
	if (n_certs < 1 || !view_is(&certs[0], our_cert->p, our_cert->n))
		return -ESTALE;
	h.server_cert = certs[0];
	*ret = h;
	return 0;
}

int handshake_tbs(bool client, const struct view *parts, size_t n_parts, int hash_len, uint8_t *ret,
		  size_t *ret_n)
{
	static const char server_context[] = "TLS 1.3, server CertificateVerify";
	static const char client_context[] = "TLS 1.3, client CertificateVerify";
	gnutls_digest_algorithm_t digest = hash_len == 48 ? GNUTLS_DIG_SHA384 : GNUTLS_DIG_SHA256;
	gnutls_hash_hd_t h;
	int r = 0;

	if (gnutls_hash_init(&h, digest) < 0)
		return -EIO;
	memset(ret, 0x20, 64);
	memcpy(ret + 64, client ? client_context : server_context, sizeof(client_context));
	for (size_t i = 0; i < n_parts && r == 0; i++)
		if (gnutls_hash(h, parts[i].p, parts[i].n) < 0)
			r = -EIO;
	gnutls_hash_deinit(h, ret + 64 + sizeof(client_context));
	if (r == 0)
		*ret_n = 64 + sizeof(client_context) + (size_t)hash_len;
	return r;
}

int proof_server_tbs(const uint8_t *prefix, size_t n, int hash_len, uint8_t *ret, size_t *ret_n)
{
	return handshake_tbs(false, &(struct view){ prefix, n }, 1, hash_len, ret, ret_n);
}
