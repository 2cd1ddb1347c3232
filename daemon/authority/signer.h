/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_SIGNER_H
#define AUTHORITY_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/pki/cert.h"

/*
 * The host key.  P-256 or Ed25519 (an RSA server key costs 30 times as much).  It signs only what
 * proof_server_tbs() made of a transcript that hello_parse() accepted: there is no way in for a
 * hash.
 */
struct signer;

/* -EINVAL with *ret_why: the key's kind, or key and certificate do not belong together. */
int signer_load(const char *key_file, const char *cert_file, struct signer **ret,
		const char **ret_why);
struct signer *signer_free(struct signer *s);
DEFINE_FREEP(struct signer, signer_free);
const struct cert *signer_cert(const struct signer *s);
uint16_t signer_scheme(const struct signer *s); /* TLS SignatureScheme */
/* Transcript prefix in, signature out (appended). */
int signer_sign(struct signer *s, const struct view *prefix, int hash_len,
		struct buf *ret_signature);

#endif
