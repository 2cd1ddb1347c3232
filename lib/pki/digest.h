/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_DIGEST_H
#define PKI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

#define SHA256_BYTES 32
#define SHA1_BYTES 20

void sha256(const void *p, size_t n, uint8_t ret[SHA256_BYTES]); /* aborts if the library cannot hash */
/* For identifiers that a protocol defines so (RFC 6960 CertID, KeyHash): never of what is signed. */
void sha1(const void *p, size_t n, uint8_t ret[SHA1_BYTES]);
int random_bytes(void *ret, size_t n);                           /* 0 or -EIO */

#endif
