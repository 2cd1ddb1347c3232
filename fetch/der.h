/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FETCH_DER_H
#define FETCH_DER_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first block "X509 CRL" of PEM text (RFC 7468), decoded where it stands, as such a list may be
 * large: *ret_n octets from p on.  What is no PEM is left as it is.  -EBADMSG: a block that is broken.
 */
int crl_der(uint8_t *p, size_t n, size_t *ret_n);

#endif
