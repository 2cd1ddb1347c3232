// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/pki/commitment.h"
#include "lib/pki/handshake.h"
#include "lib/pki/proof.h"

/* What the authority signs under: flights made by hand, each with one thing changed. */

#define TEXT(s)                                                                                    \
	(struct view)                                                                              \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}
#define NONCE "a nonce of thirty-two octets...."
#define OUR_CERT TEXT("our certificate")
#define RETRY /* RFC 8446 4.1.3 */                                                                 \
	"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb" \
	"\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"
#define VERSIONS "\x00\x2b\x00\x02\x03\x04"
#define SHARE "\x00\x33\x00\x02\x00\x1d"
#define ALPN                                                                                       \
	"\x00\x10\x00\x0e\x00\x0c\x0b"                                                             \
	"certlogin/1"

struct flight {
	struct view random; /* ServerHello.random */
	uint16_t suite;
	struct view server, encrypted; /* extensions */
	struct view context, request;  /* CertificateRequest: context, extensions */
	struct view cert;
	struct view after;
};

static void put_vec(struct buf *b, size_t bytes, const struct view *v)
{
	for (size_t i = bytes; i-- > 0;)
		buf_put_u8(b, (uint8_t)(v->n >> 8 * i));
	buf_put(b, v->p, v->n);
}

static void put_message(struct buf *b, uint8_t type, const struct buf *body)
{
	buf_put_u8(b, type);
	put_vec(b, 3, &(struct view){ body->p, body->n });
}

static void put_client_hello(struct buf *b, struct view alpn)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 }, extensions = { 0 };

	buf_put(&extensions, "\x00\x2b\x00\x03\x02\x03\x04", 7);
	buf_put(&extensions, alpn.p, alpn.n);
	buf_put_u16(&body, 0x0303);
	buf_put(&body, NONCE, 32);
	buf_put(&body, "\x00\x00\x02\x13\x01\x01\x00", 7); /* session, suites, compression */
	put_vec(&body, 2, &(struct view){ extensions.p, extensions.n });
	put_message(b, HS_CLIENT_HELLO, &body);
}

static void put_server_flight(struct buf *b, const struct flight *f)
{
	_cleanup_(buf_deinitp) struct buf sh = { 0 }, ee = { 0 }, cr = { 0 }, cert = { 0 },
					  list = { 0 };

	buf_put_u16(&sh, 0x0303);
	buf_put(&sh, f->random.p, f->random.n);
	buf_put_u8(&sh, 0);
	buf_put_u16(&sh, f->suite);
	buf_put_u8(&sh, 0);
	put_vec(&sh, 2, &f->server);
	put_message(b, HS_SERVER_HELLO, &sh);
	put_vec(&ee, 2, &f->encrypted);
	put_message(b, HS_ENCRYPTED_EXTENSIONS, &ee);
	put_vec(&cr, 1, &f->context);
	put_vec(&cr, 2, &f->request);
	put_message(b, HS_CERTIFICATE_REQUEST, &cr);
	put_vec(&list, 3, &f->cert);
	buf_put_u16(&list, 0);
	buf_put_u8(&cert, 0);
	put_vec(&cert, 3, &(struct view){ list.p, list.n });
	put_message(b, HS_CERTIFICATE, &cert);
	buf_put(b, f->after.p, f->after.n);
}

static int parse(struct view alpn, const struct flight *f, struct hello *ret)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	put_client_hello(&b, alpn);
	put_server_flight(&b, f);
	return hello_parse(b.p, b.n, (const uint8_t *)NONCE, &OUR_CERT, ret);
}

/* A good one. */
static struct flight flight(void)
{
	return (struct flight){ .random = TEXT(NONCE),
				.suite = 0x1301,
				.server = TEXT(VERSIONS SHARE),
				.encrypted = TEXT(ALPN),
				.request = TEXT("\x00\x0d\x00\x04\x00\x02\x04\x03"),
				.cert = OUR_CERT };
}

static void expect(const struct flight *f, int r)
{
	struct hello hello;

	assert_int_equal(parse(TEXT(ALPN), f, &hello), r);
}

static void good_ones(_unused_ void **state)
{
	static const struct {
		uint16_t suite;
		int hash_len;
	} rows[] = { { 0x1301, 32 }, { 0x1302, 48 }, { 0x1303, 32 } };
	struct flight f = flight();
	struct hello hello;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		f.suite = rows[i].suite;
		assert_int_equal(parse(TEXT(ALPN), &f, &hello), 0);
		assert_int_equal(hello.hash_len, rows[i].hash_len);
		assert_string_equal(hello.commitment, "");
	}
	f.server = TEXT(VERSIONS "\x00\x33\x00\x02\x00\x17"); /* P-256 */
	expect(&f, 0);
}

#define WITH(member, value, r)                                                                     \
	do {                                                                                       \
		struct flight f = flight();                                                        \
                                                                                                   \
		f.member = value;                                                                  \
		expect(&f, r);                                                                     \
	} while (0)

/* -EPROTO: a client may have wanted it so; -ESTALE: not this slot's; -EBADMSG: no handshake */
static void server_hello(_unused_ void **state)
{
	WITH(random, TEXT("another nonce of 32 octets......"), -ESTALE);
	WITH(random, TEXT(RETRY), -EPROTO);
	WITH(suite, 0x1304, -EPROTO);
	WITH(suite, 0xc02b, -EPROTO);
	WITH(server, TEXT(SHARE), -EPROTO); /* TLS 1.2 */
	WITH(server, TEXT("\x00\x2b\x00\x02\x03\x03" SHARE), -EPROTO);
	WITH(server, TEXT(VERSIONS SHARE "\x00\x29\x00\x02\x00\x00"), -EPROTO); /* resumed */
	WITH(server, TEXT(VERSIONS), -EPROTO);
	WITH(server, TEXT(VERSIONS "\x00\x33\x00\x02\x00\x18"), -EPROTO);
	WITH(server, TEXT(VERSIONS "\x00\x33\x00\x01\x00"), -EPROTO);
	WITH(server, TEXT(VERSIONS VERSIONS SHARE), -EBADMSG); /* twice */
	WITH(server, TEXT(VERSIONS SHARE "\x00"), -EBADMSG);
}

static void rest_of_the_flight(_unused_ void **state)
{
	WITH(encrypted, TEXT(""), -EPROTO);
	WITH(encrypted, TEXT("\x00\x10\x00\x05\x00\x03\x02h2"), -EPROTO);
	WITH(encrypted,
	     TEXT("\x00\x10\x00\x11\x00\x0f\x0b"
		  "certlogin/1\x02h2"),
	     -EBADMSG);
	WITH(encrypted, TEXT(ALPN ALPN), -EBADMSG);
	WITH(context, TEXT("x"), -EPROTO); /* of an authentication after the handshake */
	WITH(request, TEXT("\x00\x0d\x00"), -EBADMSG);
	WITH(cert, TEXT("another certificate"), -ESTALE);
	WITH(cert, TEXT(""), -EBADMSG);
	WITH(after, TEXT("\x0f"), -EBADMSG);
	WITH(after, TEXT("\x0f\x00\x00\x00"), -EBADMSG);
}

#define A26 "AAAAAAAAAAAAAAAAAAAAAAAAAA"
#define COMMITMENT "cl1-" A26 "A"
_Static_assert(sizeof(COMMITMENT) == COMMITMENT_NAME_SIZE, "of the right length");

/* All that is wrong with a ClientHello is a client's fault. */
static void client_hello(_unused_ void **state)
{
	static const struct {
		struct view alpn;
		int r;
	} rows[] = {
		{ TEXT(ALPN), 0 },
		{ TEXT(""), -EPROTO },
		{ TEXT("\x00\x10\x00\x05\x00\x03\x02h2"), -EPROTO },
		{ TEXT("\x00\x10\x00\x0e\x00\x0d\x0b"
		       "certlogin/1"),
		  -EPROTO },
		{ TEXT("\x00\x10\x00\x0f\x00\x0d\x0b"
		       "certlogin/1\x00"),
		  -EPROTO }, /* an empty name */
		{ TEXT(ALPN ALPN), -EPROTO },
		{ TEXT("\x00\x10\x00\x2e\x00\x2c\x1f" COMMITMENT "\x0b" ALPN_PROTOCOL), 0 },
		{ TEXT("\x00\x10\x00\x22\x00\x20\x1f" COMMITMENT), -EPROTO }, /* alone */
		{ TEXT("\x00\x10\x00\x4e\x00\x4c\x1f" COMMITMENT "\x0b" ALPN_PROTOCOL
		       "\x1f" COMMITMENT),
		  -EPROTO }, /* two */
		{ TEXT("\x00\x10\x00\x2d\x00\x2b\x0b" ALPN_PROTOCOL "\x1e"
		       "cl1-" A26),
		  -EPROTO },
	};
	struct flight f = flight();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hello hello;

		if (parse(rows[i].alpn, &f, &hello) != rows[i].r)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(server_hello),
		cmocka_unit_test(rest_of_the_flight),
		cmocka_unit_test(client_hello),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
