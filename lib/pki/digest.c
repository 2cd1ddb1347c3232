// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/digest.h"

#include <errno.h>
#include <gnutls/crypto.h>

void sha256(const void *p, size_t n, uint8_t ret[SHA256_BYTES])
{
	/* A hash that silently was not computed would be an allow for anybody. */
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, p, n, ret) < 0)
		abort();
}

void sha1(const void *p, size_t n, uint8_t ret[SHA1_BYTES])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, p, n, ret) < 0)
		abort();
}

int random_bytes(void *ret, size_t n)
{
	return gnutls_rnd(GNUTLS_RND_NONCE, ret, n) < 0 ? -EIO : 0;
}
