/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROVE_TRANSCRIPT_H
#define PROVE_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/proof.h"

/*
 * The handshake messages so far, as both sides hash them (RFC 8446 4.4.1).  GnuTLS gives a key that
 * hashes for itself no more than a hash, so what is to be signed is built here a second time.
 */
struct transcript {
	struct buf messages;
};

void transcript_deinit(struct transcript *t);
/* One message without its header.  -EMSGSIZE: more than LIMIT_HANDSHAKE_BYTES in all. */
int transcript_add(struct transcript *t, uint8_t type, const void *body, size_t n);
/* What the client's CertificateVerify signs at this point; hash_len: of the suite's PRF. */
int transcript_client_tbs(const struct transcript *t, int hash_len, uint8_t ret[PROOF_TBS_MAX],
			  size_t *ret_n);

#endif
