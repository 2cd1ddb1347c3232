/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_OID_H
#define PKI_OID_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* Object identifiers as people write them, "1.3.6.1", and as contents octets (X.690 8.19). */
#define OID_BYTES 32 /* longer ones are refused */
#define OID_TEXT_SIZE 128

struct oid {
	uint8_t p[OID_BYTES];
	size_t n;
};

int oid_parse(const char *s, size_t n, struct oid *ret);             /* 0 or -EBADMSG */
int oid_text(const struct view *oid, char ret[OID_TEXT_SIZE]);       /* 0 or -EBADMSG */

#endif
