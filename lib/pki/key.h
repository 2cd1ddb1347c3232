/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/pki/cert.h"

/* The floor: P-256, P-384, Ed25519, RSA of LIMIT_RSA_MIN_BITS..LIMIT_RSA_MAX_BITS with a small exponent.
 * Costs nothing: to be asked before any verification. */
bool key_acceptable(const struct cert *c);

/* Does this TLS 1.3 SignatureScheme go with this certificate's key, and do we accept it at all? */
bool scheme_fits(const struct cert *cert, uint16_t scheme);

#endif
