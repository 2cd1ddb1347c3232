/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_URIS_H
#define PKI_URIS_H

#include "lib/pki/cert.h"

/*
 * Where a certificate says that its revocation is told.  What an issuer wrote, no more: whether it is
 * to be believed, and may be asked for (lib/base/url.h), is the caller's to find out.
 */
enum cert_uris {
	/* cRLDistributionPoints, RFC 5280 4.2.1.13: of points with a fullName, for all reasons, whose CRL
	 * the issuer signs itself (no cRLIssuer) */
	CERT_URIS_CRL,
	CERT_URIS_OCSP, /* authorityInfoAccess, 4.2.2.1, id-ad-ocsp */
};

#define CERT_URIS_MAX 8

/* Views into c->der, in their order; more than CERT_URIS_MAX are left out.  No such extension: none.
 * -EBADMSG: it is malformed; nothing of it counts then. */
int cert_uris(const struct cert *c, enum cert_uris which, struct view ret[CERT_URIS_MAX], size_t *ret_n);

#endif
