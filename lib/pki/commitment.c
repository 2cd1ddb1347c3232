// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/commitment.h"

#include <errno.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/encode.h"

static void put_with_nul(struct buf *b, const char *label)
{
	buf_put(b, label, strlen(label) + 1);
}

static void put_lp(struct buf *b, const void *p, size_t n)
{
	buf_put_u16(b, (uint16_t)n);
	buf_put(b, p, n);
}

void commitment_ticket_hash(const uint8_t ticket[TICKET_BYTES], uint8_t ret[SHA256_BYTES])
{
	static const char label[] = "certlogin ticket 1"; /* with its NUL */
	uint8_t in[sizeof(label) + TICKET_BYTES];

	memcpy(in, label, sizeof(label));
	memcpy(in + sizeof(label), ticket, TICKET_BYTES);
	sha256(in, sizeof(in), ret);
	explicit_bzero(in, sizeof(in));
}

int commitment_name(const struct commitment *c, char ret[COMMITMENT_NAME_SIZE])
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	uint8_t m[SHA256_BYTES];
	char text[BASE64_SIZE(SHA256_BYTES)];

	put_with_nul(&b, "certlogin request 1");
	put_lp(&b, c->ticket_hash, SHA256_BYTES);
	put_lp(&b, c->login_id, c->login_id ? LOGIN_ID_BYTES : 0);
	put_lp(&b, c->account, strlen(c->account));
	put_lp(&b, c->service, strlen(c->service));
	if (b.error)
		return b.error;
	sha256(b.p, b.n, m);
	base64url_encode(m, sizeof(m), text);
	memcpy(ret, "cl1-", 4);
	memcpy(ret + 4, text, 27);
	ret[31] = '\0';
	return 0;
}
