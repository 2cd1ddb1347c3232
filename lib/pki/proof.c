// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/proof.h"

#include <errno.h>
#include <string.h>

#include "lib/pki/handshake.h"
#include "lib/pki/key.h"

struct flight {
	struct view server_verify, server_finished, client_certificate, client_verify;
	size_t signed_n; /* bytes of the rest under the client's signature */
};

static int read_flight(const uint8_t *rest, size_t n, int hash_len, struct flight *ret)
{
	struct view in = { rest, n };

	if (handshake_next(&in, HS_CERTIFICATE_VERIFY, &ret->server_verify) < 0 ||
	    handshake_next(&in, HS_FINISHED, &ret->server_finished) < 0 ||
	    handshake_next(&in, HS_CERTIFICATE, &ret->client_certificate) < 0)
		return -EBADMSG;
	ret->signed_n = n - in.n;
	if (handshake_next(&in, HS_CERTIFICATE_VERIFY, &ret->client_verify) < 0 || in.n > 0 ||
	    ret->server_finished.n != (size_t)hash_len)
		return -EBADMSG;
	return 0;
}

static int read_verify(struct view in, uint16_t *ret_scheme, struct view *ret_signature)
{
	return view_u16(&in, ret_scheme) < 0 || view_vec16(&in, ret_signature) < 0 || in.n > 0
		       ? -EBADMSG
		       : 0;
}

static int read_chain(const struct flight *f, struct proof *ret)
{
	size_t bytes = 0;

	if (handshake_certificate(f->client_certificate, ret->certs, LIMIT_CHAIN_CERTS,
				  &ret->n_certs) < 0 ||
	    ret->n_certs == 0 || handshake_staple(f->client_certificate, &ret->staple) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < ret->n_certs; i++)
		bytes += ret->certs[i].n;
	return bytes > LIMIT_CHAIN_BYTES ? -EBADMSG : 0;
}

int proof_verify(const uint8_t *prefix, size_t prefix_n, const uint8_t *rest, size_t rest_n,
		 int hash_len, uint16_t our_scheme, const struct view *our_signature,
		 struct proof *ret, struct cert **ret_leaf, enum proof_verdict *ret_verdict)
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	struct view signature, tbs;
	uint8_t tbs_bytes[PROOF_TBS_MAX];
	struct flight f;
	struct proof proof;
	uint16_t scheme;
	int r;

	*ret_verdict = PROOF_MALFORMED;
	if (read_flight(rest, rest_n, hash_len, &f) < 0 ||
	    read_verify(f.server_verify, &scheme, &signature) < 0)
		return 0;
	if (scheme != our_scheme || !view_is(&signature, our_signature->p, our_signature->n)) {
		*ret_verdict = PROOF_NOT_OURS;
		return 0;
	}
	if (read_verify(f.client_verify, &scheme, &signature) < 0 || read_chain(&f, &proof) < 0)
		return 0;
	r = cert_parse(proof.certs[0].p, proof.certs[0].n, &leaf);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!key_acceptable(leaf)) {
		*ret_verdict = PROOF_KEY;
		return 0;
	}
	if (!scheme_fits(leaf, scheme)) {
		*ret_verdict = PROOF_ALGORITHM;
		return 0;
	}
	tbs.p = tbs_bytes;
	r = handshake_tbs(true, (const struct view[]){ { prefix, prefix_n }, { rest, f.signed_n } },
			  2, hash_len, tbs_bytes, &tbs.n);
	if (r < 0)
		return r;
	*ret_verdict = PROOF_BAD_SIGNATURE;
	r = signature_verify_scheme(leaf, scheme, &tbs, &signature);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	*ret = proof;
	*ret_leaf = STEAL(leaf);
	*ret_verdict = PROOF_GOOD;
	return 0;
}
