// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/prove/transcript.h"

#include <errno.h>

#include "lib/base/limits.h"
#include "lib/pki/handshake.h"

void transcript_deinit(struct transcript *t)
{
	buf_deinit(&t->messages);
}

int transcript_add(struct transcript *t, uint8_t type, const void *body, size_t n)
{
	if (n > LIMIT_HANDSHAKE_BYTES || t->messages.n + n > LIMIT_HANDSHAKE_BYTES)
		return -EMSGSIZE;
	buf_put_u32(&t->messages, (uint32_t)type << 24 | (uint32_t)n);
	buf_put(&t->messages, body, n);
	return t->messages.error;
}

int transcript_client_tbs(const struct transcript *t, int hash_len, uint8_t ret[PROOF_TBS_MAX],
			  size_t *ret_n)
{
	const struct view all = { t->messages.p, t->messages.n };

	return handshake_tbs(true, &all, 1, hash_len, ret, ret_n);
}
