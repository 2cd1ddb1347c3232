/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_KEYS_AGENT_REPLY_H
#define CLI_KEYS_AGENT_REPLY_H

#include <gnutls/gnutls.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/pki/cert.h"

/*
 * What an ssh-agent answers (draft-ietf-sshm-ssh-agent), as hostile input: the agent may be
 * anybody's who could name a socket to us.  `reply` is one message without its length.
 */
struct agent_identity {
	struct view blob; /* into the reply */
	struct view comment;
	enum key_type type; /* KEY_RSA, KEY_P256, KEY_P384, KEY_ED25519 */
	struct buf spki;
};

struct agent_identities {
	struct agent_identity items[LIMIT_FIND_SPKIS];
	size_t n;
	/* not usable, by why: */
	unsigned fido, certificates, others;
};

void agent_identities_deinit(struct agent_identities *ids);
/* -EACCES: the agent refused; -EBADMSG. */
int agent_reply_identities(struct view reply, struct agent_identities *ret);
/* Gives *ret as TLS carries it; gnutls_free().  -EACCES: the agent refused; -EBADMSG. */
int agent_reply_signature(struct view reply, enum key_type type, gnutls_datum_t *ret);

#endif
