// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/peek.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/limits.h"

#define RECORD_HANDSHAKE 22
#define RECORD_HEADER 5
#define RECORD_MAX (16 * 1024)
#define HANDSHAKE_CLIENT_HELLO 1

/* The ClientHello's type and length, once they are here, must be ones that we take. */
static bool head_is_odd(const struct peek *p, uint32_t *ret_need)
{
	if (p->have > 0 && p->head[0] != HANDSHAKE_CLIENT_HELLO)
		return true;
	if (p->have < sizeof(p->head))
		return false;
	*ret_need = 4 + ((uint32_t)p->head[1] << 16 | (uint32_t)p->head[2] << 8 | p->head[3]);
	return *ret_need > LIMIT_HELLO_BYTES;
}

static void head_take(struct peek *p, const struct view *fragment)
{
	if (p->have < sizeof(p->head)) {
		size_t n = sizeof(p->head) - p->have;

		memcpy(p->head + p->have, fragment->p, fragment->n < n ? fragment->n : n);
	}
	p->have += (uint32_t)fragment->n;
}

enum peek_result peek_hello(struct peek *p, const struct view *in)
{
	uint32_t need = UINT32_MAX;

	for (;;) {
		struct view v = { in->p + p->at, in->n - p->at }, fragment;
		uint8_t type;
		uint16_t version, length;

		if (v.n > 0 && v.p[0] != RECORD_HANDSHAKE)
			return PEEK_ODD;
		if (v.n < RECORD_HEADER)
			return PEEK_MORE;
		(void)view_u8(&v, &type);
		(void)view_u16(&v, &version);
		(void)view_u16(&v, &length);
		if (length == 0 || length > RECORD_MAX)
			return PEEK_ODD;
		if (view_bytes(&v, length, &fragment) < 0)
			return PEEK_MORE;
		head_take(p, &fragment);
		p->at += RECORD_HEADER + (size_t)length;
		if (head_is_odd(p, &need))
			return PEEK_ODD;
		if (p->have >= need)
			return PEEK_HELLO;
	}
}
