// SPDX-License-Identifier: GPL-2.0-or-later
/* A responder's bytes about a stranger's certificate: views lie within them, and what nobody signed
 * says nothing.  u16 length and certificate, u16 length and issuer, response. */
#include <stdlib.h>

#include "lib/pki/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const struct view *der, const struct view *v)
{
	if (v->n > 0 && (v->p < der->p || v->p + v->n > der->p + der->n))
		abort();
}

static int next_cert(struct view *in, struct cert **ret)
{
	struct view der;

	return view_vec16(in, &der) < 0 ? -1 : cert_parse(der.p, der.n, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cert_freep) struct cert *cert = NULL, *issuer = NULL;
	_cleanup_(buf_deinitp) struct buf request = { 0 };
	struct view in = { data, size };
	struct ocsp_answer a;
	struct ocsp_response r;

	if (next_cert(&in, &cert) < 0 || next_cert(&in, &issuer) < 0)
		return 0;
	if (ocsp_response_read(&in, &r) == OCSP_GOOD) {
		within(&in, &r.tbs);
		within(&in, &r.sig_alg);
		within(&in, &r.signature);
		within(&in, &r.by_name);
		within(&in, &r.by_key);
		within(&in, &r.singles);
		within(&in, &r.nonce);
		within(&in, &r.certs);
	}
	if (ocsp_check(&in, cert, issuer, INT64_C(1800000000000000), NULL, &a) < 0)
		return 0;
	if (a.fault == OCSP_GOOD &&
	    (!ocsp_is_about(&r, cert, issuer) || a.next_update < a.this_update))
		abort();
	(void)ocsp_fault_text(a.fault);
	(void)ocsp_request_new(cert, issuer, NULL, &request);
	return 0;
}
