/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_PROOF_H
#define PKI_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/pki/cert.h"
#include "lib/pki/commitment.h"

/*
 * What the authority reads of a TLS 1.3 handshake (RFC 8446), from bytes that a gate handed over
 * and nobody vouches for.
 *
 * Prefix: ClientHello, ServerHello, EncryptedExtensions, CertificateRequest, server Certificate.
 * Rest: server CertificateVerify, server Finished, client Certificate, client CertificateVerify.
 * Messages with their 4-byte headers, concatenated; exactly these, in this order.
 *
 * `version` keeps the door open for TLS 1.2 (other messages, same two steps).
 */
struct hello {
	int version;                              /* 0x0304 */
	int hash_len;                             /* of the suite: 32 SHA-256, 48 SHA-384 */
	char commitment[COMMITMENT_NAME_SIZE];    /* ALPN name "cl1-...", "" when none was offered */
	struct view server_cert;                  /* DER of the first entry */
};

/*
 * -EBADMSG: not such a prefix.  -EPROTO: one that we never sign: HelloRetryRequest, no TLS 1.3,
 * ALPN_PROTOCOL not selected, unknown suite or group, two commitments, a CertificateRequest with a
 * context; anything odd inside the ClientHello.  -ESTALE: what no client can bring about: the nonce
 * is not ServerHello.random, or a server certificate other than ours.
 */
int hello_parse(const uint8_t *prefix, size_t n, const uint8_t nonce[32], const struct view *our_cert,
		struct hello *ret);

/* Body of a ClientHello, without its header: 0, -EPROTO: an older version only, -EBADMSG. */
int hello_offers_tls13(const struct view *client_hello);

/* RFC 8446 4.4.3: 64 spaces, context, 00, transcript hash.  Room: PROOF_TBS_MAX. */
#define PROOF_TBS_MAX (64 + 33 + 1 + 48)
int proof_server_tbs(const uint8_t *prefix, size_t n, int hash_len, uint8_t *ret, size_t *ret_n);

struct proof {
	struct view certs[LIMIT_CHAIN_CERTS];     /* DER, leaf first; views into the rest */
	size_t n_certs;
	struct view staple;                       /* OCSPResponse (DER) sent with the leaf; empty: none */
};

/*
 * The staple is the client's word.  Its signature and what it is about are for ocsp_check() to say,
 * with an issuer from a path that path_build() found; GnuTLS takes one that the client signed itself.
 */

enum proof_verdict {
	PROOF_GOOD,
	PROOF_MALFORMED,        /* not these messages, too large a chain, or a staple that is none */
	PROOF_NOT_OURS,         /* the server CertificateVerify is not the one that we made */
	PROOF_ALGORITHM,        /* a scheme that we do not accept, or one that does not fit the key */
	PROOF_KEY,              /* key type or size out of bounds: refused before any verification */
	PROOF_BAD_SIGNATURE,
};

/*
 * Verifies the client's CertificateVerify with the leaf found in the transcript.  signature: what
 * the authority answered to SIGN, as carried (u16 scheme is checked against our key by the caller's
 * own record: scheme + bytes).  On PROOF_GOOD *ret is filled and *ret_leaf given.
 */
int proof_verify(const uint8_t *prefix, size_t prefix_n, const uint8_t *rest, size_t rest_n, int hash_len,
		 uint16_t our_scheme, const struct view *our_signature, struct proof *ret, struct cert **ret_leaf,
		 enum proof_verdict *ret_verdict);

/* Verifies `signature` over `data` by the key of an SPKI; TLS SignatureScheme numbers.  0, -EKEYREJECTED. */
int signature_verify_scheme(const struct cert *cert, uint16_t scheme, const struct view *data,
			    const struct view *signature);
/* X.509: algorithm by AlgorithmIdentifier, parameters checked. -EOPNOTSUPP: weak or unknown. */
int signature_verify_x509(const struct cert *issuer, const struct view *sig_alg, const struct view *data,
			  const struct view *signature);

#endif
