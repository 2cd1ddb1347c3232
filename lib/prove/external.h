/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROVE_EXTERNAL_H
#define PROVE_EXTERNAL_H

#include <gnutls/abstract.h>

#include "lib/prove/prove.h"
#include "lib/prove/transcript.h"

/*
 * A prove_key with `sign` as GnuTLS's private key, for one session.  GnuTLS calls it with a hash
 * for ECDSA and with the bytes for Ed25519; the key wants bytes, so they are rebuilt from the
 * transcript and compared with what GnuTLS gave: a difference is an error, never a signature.
 */
struct external_key {
	gnutls_privkey_t handle;
	const struct prove_key *key;
	gnutls_session_t session;	     /* borrowed */
	const struct transcript *transcript; /* borrowed */
	int algorithm, bits;		     /* gnutls_pk_algorithm_t of the leaf */
	gnutls_ecc_curve_t curve;
	const char *why; /* after a failure */
};

/* `e` must stay where it is until deinit. */
int external_key_init(struct external_key *e, const struct prove_key *key, gnutls_session_t session,
		      const struct transcript *transcript);
void external_key_deinit(struct external_key *e);

#endif
