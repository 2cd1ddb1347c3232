// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/keys/agent-reply.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "lib/pki/sshkey.h"

enum { AGENT_FAILURE = 5, AGENT_IDENTITIES_ANSWER = 12, AGENT_SIGN_RESPONSE = 14 };

void agent_identities_deinit(struct agent_identities *ids)
{
	while (ids->n > 0)
		buf_deinit(&ids->items[--ids->n].spki);
}

static int expect(struct view *reply, uint8_t type)
{
	uint8_t got;

	if (view_u8(reply, &got) < 0)
		return -EBADMSG;
	if (got == AGENT_FAILURE && reply->n == 0)
		return -EACCES;
	return got == type ? 0 : -EBADMSG;
}

/* Names end in "-cert-v01@openssh.com", or start with "sk-" (PROTOCOL.certkeys, PROTOCOL.u2f). */
static unsigned *reason(struct agent_identities *ids, struct view blob)
{
	struct view name;

	if (view_vec32(&blob, &name) < 0)
		return &ids->others;
	if (memmem(name.p, name.n, "-cert-v0", 8))
		return &ids->certificates;
	return name.n >= 3 && memcmp(name.p, "sk-", 3) == 0 ? &ids->fido : &ids->others;
}

static int take_identity(struct agent_identities *ids, const struct view *blob,
			 const struct view *comment)
{
	_cleanup_(buf_deinitp) struct buf spki = { 0 };
	enum key_type type;
	int r;

	r = ssh_blob_to_spki(blob->p, blob->n, &spki, &type);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || type == KEY_P521 || ids->n == ARRAY_SIZE(ids->items)) {
		++*reason(ids, *blob);
		return 0;
	}
	ids->items[ids->n++] = (struct agent_identity){ *blob, *comment, type, spki };
	spki = (struct buf){ 0 };
	return 0;
}

int agent_reply_identities(struct view reply, struct agent_identities *ret)
{
	struct agent_identities ids = { 0 };
	struct view blob, comment;
	uint32_t n;
	int r;

	r = expect(&reply, AGENT_IDENTITIES_ANSWER);
	if (r == 0)
		r = view_u32(&reply, &n);
	for (; r == 0 && n > 0; n--) { /* each takes 8 bytes of the reply: bounded */
		r = view_vec32(&reply, &blob);
		if (r == 0)
			r = view_vec32(&reply, &comment);
		if (r == 0)
			r = take_identity(&ids, &blob, &comment);
	}
	if (r == 0 && reply.n > 0)
		r = -EBADMSG;
	if (r < 0) {
		agent_identities_deinit(&ids);
		return r;
	}
	*ret = ids;
	return 0;
}

/* RFC 4251 mpint, positive, of at most `max` bytes. */
static int take_mpint(struct view *in, size_t max, gnutls_datum_t *ret)
{
	struct view v;

	if (view_vec32(in, &v) < 0 || v.n == 0 || v.p[0] & 0x80)
		return -EBADMSG;
	while (v.n > 0 && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	if (v.n == 0 || v.n > max)
		return -EBADMSG;
	*ret = (gnutls_datum_t){ (uint8_t *)(uintptr_t)v.p, (unsigned)v.n };
	return 0;
}

/* RFC 5656 3.1.2 to RFC 3279 2.2.3 */
static int convert_ecdsa(struct view blob, size_t field, gnutls_datum_t *ret)
{
	gnutls_datum_t r, s;

	if (take_mpint(&blob, field, &r) < 0 || take_mpint(&blob, field, &s) < 0 || blob.n > 0)
		return -EBADMSG;
	return gnutls_encode_rs_value(ret, &r, &s) < 0 ? -ENOMEM : 0;
}

/* RFC 8709 6: the same 64 bytes */
static int convert_ed25519(const struct view *blob, gnutls_datum_t *ret)
{
	uint8_t *p;

	if (blob->n != 64)
		return -EBADMSG;
	p = gnutls_malloc(blob->n);
	if (!p)
		return -ENOMEM;
	memcpy(p, blob->p, blob->n);
	*ret = (gnutls_datum_t){ p, (unsigned)blob->n };
	return 0;
}

int agent_reply_signature(struct view reply, enum key_type type, gnutls_datum_t *ret)
{
	static const struct {
		enum key_type type;
		const char *name;
		size_t field; /* 0: not ECDSA */
	} kinds[] = {
		{ KEY_P256, "ecdsa-sha2-nistp256", 32 },
		{ KEY_P384, "ecdsa-sha2-nistp384", 48 },
		{ KEY_ED25519, "ssh-ed25519", 0 },
	};
	struct view signature, name, blob;
	int r;

	r = expect(&reply, AGENT_SIGN_RESPONSE);
	if (r < 0)
		return r;
	if (view_vec32(&reply, &signature) < 0 || reply.n > 0 ||
	    view_vec32(&signature, &name) < 0 || view_vec32(&signature, &blob) < 0 ||
	    signature.n > 0)
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == type && view_is(&name, kinds[i].name, strlen(kinds[i].name)))
			return kinds[i].field ? convert_ecdsa(blob, kinds[i].field, ret)
					      : convert_ed25519(&blob, ret);
	return -EBADMSG;
}
