/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/cleanup.h"

/* A growing byte buffer.  Errors stick: after one failed put every later put and buf_error() say so. */
struct buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	int error; /* 0 or -ENOMEM */
};

void buf_deinit(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_text(struct buf *b, const char *s);          /* bytes without NUL */
void buf_consume(struct buf *b, size_t n);                /* drops the first n */
static inline void buf_deinitp(struct buf *b)
{
	buf_deinit(b);
}

/* A view that is read from the front.  A failed get leaves everything as it was. */
struct view {
	const uint8_t *p;
	size_t n;
};

int view_u8(struct view *v, uint8_t *ret);                /* 0 or -EBADMSG, all of them */
int view_u16(struct view *v, uint16_t *ret);
int view_u24(struct view *v, uint32_t *ret);
int view_u32(struct view *v, uint32_t *ret);
int view_u64(struct view *v, uint64_t *ret);
int view_bytes(struct view *v, size_t n, struct view *ret);
int view_vec8(struct view *v, struct view *ret);          /* TLS <0..2^8-1> */
int view_vec16(struct view *v, struct view *ret);
int view_vec24(struct view *v, struct view *ret);
int view_vec32(struct view *v, struct view *ret);
static inline int view_is(const struct view *a, const void *p, size_t n)
{
	return a->n == n && (n == 0 || __builtin_memcmp(a->p, p, n) == 0);
}

#endif
