/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes as text.  Encoders write a NUL and need the given room; decoders are strict (no white
 * space, canonical padding and pad bits) and return the number of bytes, or -EBADMSG.
 */

#define HEX_SIZE(n) (2 * (n) + 1)
void hex_encode(const uint8_t *p, size_t n, char *ret); /* lower case */
int hex_decode(const char *s, uint8_t *ret, size_t cap); /* either case */

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
void base64_encode(const uint8_t *p, size_t n, char *ret);      /* RFC 4648 section 4, padded */
void base64url_encode(const uint8_t *p, size_t n, char *ret);   /* section 5, no padding */
char *base64_encode_new(const uint8_t *p, size_t n);            /* gives; NULL: no memory */
/* gives *ret (at least one byte is allocated) */
int base64_decode_new(const char *s, size_t len, uint8_t **ret, size_t *ret_n);

/* RFC 4648 section 6 without padding; decoding takes either case. */
#define BASE32_SIZE(n) (((n) * 8 + 4) / 5 + 1)
void base32_encode(const uint8_t *p, size_t n, char *ret);
int base32_decode(const char *s, size_t len, uint8_t *ret, size_t cap);

uint32_t crc32(const uint8_t *p, size_t n); /* IEEE 802.3, to catch typing errors */

#endif
