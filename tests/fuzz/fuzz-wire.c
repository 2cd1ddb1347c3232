// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link's packets.  Whatever a get takes, put must write again byte for byte: one meaning for
 * one packet, so that the two ends cannot understand it differently.
 */
#include "daemon/wire/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AGAIN_SLOT(name)                                                                           \
	static int again_##name(uint32_t slot, const struct view *body, struct buf *b)             \
	{                                                                                          \
		struct wire_##name m;                                                              \
		int r = wire_get_##name(body, &m);                                                 \
                                                                                                   \
		if (r == 0)                                                                        \
			wire_put_##name(b, slot, &m);                                              \
		return r;                                                                          \
	}
#define AGAIN_LINK(name)                                                                           \
	static int again_##name(_unused_ uint32_t slot, const struct view *body, struct buf *b)    \
	{                                                                                          \
		struct wire_##name m;                                                              \
		int r = wire_get_##name(body, &m);                                                 \
                                                                                                   \
		if (r == 0)                                                                        \
			wire_put_##name(b, &m);                                                    \
		return r;                                                                          \
	}
#define AGAIN_EMPTY(name)                                                                          \
	static int again_##name(uint32_t slot, const struct view *body, struct buf *b)             \
	{                                                                                          \
		int r = wire_get_##name(body);                                                     \
                                                                                                   \
		if (r == 0)                                                                        \
			wire_put_##name(b, slot);                                                  \
		return r;                                                                          \
	}
AGAIN_LINK(hello)
AGAIN_LINK(want_nonces)
AGAIN_SLOT(sign)
AGAIN_SLOT(prove)
AGAIN_SLOT(commit)
AGAIN_SLOT(describe)
AGAIN_EMPTY(close)
AGAIN_LINK(welcome)
AGAIN_LINK(nonces)
AGAIN_SLOT(signed)
AGAIN_EMPTY(refused)
AGAIN_SLOT(committed)
AGAIN_SLOT(described)

static int (*const again[256])(uint32_t slot, const struct view *body, struct buf *b) = {
#define WIRE_REQ(id, number, states, name) [number] = again_##name,
#define WIRE_ANS(id, number, name) [number] = again_##name,
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_header h;
	struct view body;

	if (wire_get_header(data, size, &h, &body) < 0 || again[h.id](h.slot, &body, &b) < 0)
		return 0;
	if (b.error || b.n != size || memcmp(b.p, data, size) != 0)
		abort();
	return 0;
}
