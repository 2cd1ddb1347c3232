/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_DER_H
#define PKI_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/*
 * A DER walker (X.690): views into one buffer, nothing is copied or allocated.  Definite minimal
 * lengths and single-byte tags only.  All: 0 or -EBADMSG; a failed read leaves the input as it was.
 */
enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_IA5 = 0x16,
	DER_UTCTIME = 0x17,
	DER_GENTIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};

#define DER_CONTEXT(n) (0x80 | (n))       /* primitive [n] */
#define DER_CONTEXT_CONS(n) (0xa0 | (n))  /* constructed [n] */

/* Next element: its tag, its contents, and (may be NULL) the element with its header. */
int der_next(struct view *in, uint8_t *ret_tag, struct view *ret_content, struct view *ret_whole);
int der_expect(struct view *in, uint8_t tag, struct view *ret_content);
/* Takes the element if it has this tag: *ret_found. */
int der_optional(struct view *in, uint8_t tag, struct view *ret_content, bool *ret_found);
int der_bool(struct view *in, bool *ret);
int der_small_uint(struct view *in, uint32_t *ret);        /* INTEGER 0 .. 2^31-1 */
int der_time(struct view *in, int64_t *ret_usec);          /* UTCTime or GeneralizedTime, RFC 5280 4.1.2.5 */
int der_bits(struct view *in, struct view *ret, unsigned *ret_unused);

/* Appends an element of less than 64 KiB; a longer one is an error of the buffer. */
void der_put(struct buf *b, uint8_t tag, const void *p, size_t n);

#endif
