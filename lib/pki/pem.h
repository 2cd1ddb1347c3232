/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_PEM_H
#define PKI_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/*
 * Next block of this label (RFC 7468: "CERTIFICATE", "X509 CRL"), decoded; what is around it is passed
 * over.  *ret is the caller's.  -ENOENT: there is none; -EBADMSG: one that does not end, or no base64.
 */
int pem_next(struct view *in, const char *label, uint8_t **ret, size_t *ret_n);

#endif
