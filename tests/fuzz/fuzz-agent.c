// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An answer of an ssh-agent.  Input: u8 what was asked for (0: its keys, else a signature by a key
 * of this enum key_type), and the answer without its length.
 */
#include <stdlib.h>

#include "cli/keys/agent-reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(const struct view *part, const struct view *whole)
{
	return part->n == 0 || (part->p >= whole->p && part->n <= whole->n &&
				part->p - whole->p <= (ptrdiff_t)(whole->n - part->n));
}

static void identities(struct view reply)
{
	_cleanup_(agent_identities_deinit) struct agent_identities ids = { 0 };

	if (agent_reply_identities(reply, &ids) < 0) {
		if (ids.n > 0)
			abort();
		return;
	}
	if (ids.n > LIMIT_FIND_SPKIS)
		abort();
	for (size_t i = 0; i < ids.n; i++) {
		const struct agent_identity *id = &ids.items[i];

		if (!inside(&id->blob, &reply) || !inside(&id->comment, &reply) ||
		    id->spki.n == 0 || id->type == KEY_UNKNOWN || id->type == KEY_P521)
			abort();
	}
}

/* What is given has the form that TLS wants for this key (RFC 8446 4.2.3), or nothing is given. */
static void signature(struct view reply, enum key_type type)
{
	const size_t field = type == KEY_P384 ? 48 : 32;
	gnutls_datum_t s = { 0 };

	if (agent_reply_signature(reply, type, &s) < 0) {
		if (s.data)
			abort();
		return;
	}
	if (type == KEY_ED25519 ? s.size != 64
				: (type != KEY_P256 && type != KEY_P384) || s.size < 8 ||
					  s.size > 2 * (field + 3) + 3 || s.data[0] != 0x30)
		abort();
	gnutls_free(s.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = { data, size };
	uint8_t what;

	if (view_u8(&in, &what) < 0)
		return 0;
	if (what == 0)
		identities(in);
	else
		signature(in, (enum key_type)what);
	return 0;
}
