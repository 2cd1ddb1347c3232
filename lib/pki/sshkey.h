/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_SSHKEY_H
#define PKI_SSHKEY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/cert.h"

/* Public keys between OpenSSH's wire form (RFC 4253 6.6, RFC 5656, RFC 8709) and DER SPKI (RFC 5280,
 * RFC 5480, RFC 8410).  RSA, P-256, P-384, P-521, Ed25519; -EOPNOTSUPP for others (sk-*, certificates). */
int ssh_blob_to_spki(const uint8_t *blob, size_t n, struct buf *ret, enum key_type *ret_type);
int ssh_blob_from_cert(const struct cert *cert, struct buf *ret);

#endif
