// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a gate wants signed, and the proof after it.  Input: u16 length of the prefix, prefix, rest.
 * The nonce is taken from the ServerHello and the certificate from the prefix itself, as far as
 * these can be found, so that the parser gets behind both.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/pki/handshake.h"
#include "lib/pki/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void guess(struct view in, uint8_t nonce[32], struct view *cert)
{
	struct view body, certs[LIMIT_CHAIN_CERTS];
	size_t n;

	if (handshake_next(&in, HS_CLIENT_HELLO, &body) < 0 ||
	    handshake_next(&in, HS_SERVER_HELLO, &body) < 0)
		return;
	if (body.n >= 34)
		memcpy(nonce, body.p + 2, 32);
	if (handshake_next(&in, HS_ENCRYPTED_EXTENSIONS, &body) == 0 &&
	    handshake_next(&in, HS_CERTIFICATE_REQUEST, &body) == 0 &&
	    handshake_next(&in, HS_CERTIFICATE, &body) == 0 &&
	    handshake_certificate(body, certs, LIMIT_CHAIN_CERTS, &n) == 0 && n > 0)
		*cert = certs[0];
}

/* Whatever stands where a staple should lies within the client's Certificate. */
static void look_at_staple(struct view in)
{
	struct view body, staple;

	if (handshake_next(&in, HS_CERTIFICATE_VERIFY, &body) < 0 ||
	    handshake_next(&in, HS_FINISHED, &body) < 0 ||
	    handshake_next(&in, HS_CERTIFICATE, &body) < 0)
		return;
	if (handshake_staple(body, &staple) == 0 && staple.n > 0 &&
	    (staple.p < body.p || staple.p + staple.n > body.p + body.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	struct view in = { data, size }, prefix, cert = { 0 };
	enum proof_verdict verdict;
	uint8_t nonce[32] = { 0 };
	struct proof proof;
	struct hello hello;

	if (view_vec16(&in, &prefix) < 0)
		return 0;
	look_at_staple(in);
	guess(prefix, nonce, &cert);
	if (hello_parse(prefix.p, prefix.n, nonce, &cert, &hello) < 0)
		hello.hash_len = 32;
	else if (strlen(hello.commitment) != 0 &&
		 strlen(hello.commitment) != COMMITMENT_NAME_SIZE - 1)
		abort();
	if (proof_verify(prefix.p, prefix.n, in.p, in.n, hello.hash_len, 0x0403,
			 &(struct view){ data, 0 }, &proof, &leaf, &verdict) == 0 &&
	    (verdict == PROOF_GOOD) != (leaf != NULL))
		abort();
	return 0;
}
