/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROVE_TRUST_H
#define PROVE_TRUST_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/prove/prove.h"

/* Exactly one of pin and anchors, and a host with anchors. */
bool trust_usable(const struct prove_trust *trust);

/*
 * Is this the server that we want?  Looks at the certificates alone, before GnuTLS does; that the
 * server holds the key is GnuTLS's to find out.  `trust` is usable; `now`: microseconds.  0,
 * -EKEYREJECTED with *ret_why, -ENOMEM.
 */
int trust_check(const struct prove_trust *trust, const struct view *ders, size_t n, int64_t now,
		const char **ret_why);

#endif
