// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/buf.h"

#include <errno.h>
#include <string.h>

void buf_deinit(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

static int buf_reserve(struct buf *b, size_t more)
{
	size_t cap;
	uint8_t *p;

	if (b->error)
		return b->error;
	if (b->cap - b->n >= more)
		return 0;
	cap = b->cap ? b->cap : 256;
	while (cap - b->n < more) {
		if (cap > SIZE_MAX / 2)
			return b->error = -ENOMEM;
		cap *= 2;
	}
	p = realloc(b->p, cap);
	if (!p)
		return b->error = -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || buf_reserve(b, n) < 0)
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void buf_put_be(struct buf *b, uint64_t v, size_t n)
{
	uint8_t be[8];

	for (size_t i = 0; i < n; i++)
		be[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
	buf_put(b, be, n);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put_be(b, v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
	buf_put_be(b, v, 2);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
	buf_put_be(b, v, 4);
}

void buf_put_u64(struct buf *b, uint64_t v)
{
	buf_put_be(b, v, 8);
}

void buf_put_text(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

static int view_be(struct view *v, size_t n, uint64_t *ret)
{
	uint64_t x = 0;

	if (v->n < n)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++)
		x = x << 8 | v->p[i];
	v->p += n;
	v->n -= n;
	*ret = x;
	return 0;
}

int view_u8(struct view *v, uint8_t *ret)
{
	uint64_t x;
	int r = view_be(v, 1, &x);

	if (r == 0)
		*ret = (uint8_t)x;
	return r;
}

int view_u16(struct view *v, uint16_t *ret)
{
	uint64_t x;
	int r = view_be(v, 2, &x);

	if (r == 0)
		*ret = (uint16_t)x;
	return r;
}

int view_u24(struct view *v, uint32_t *ret)
{
	uint64_t x;
	int r = view_be(v, 3, &x);

	if (r == 0)
		*ret = (uint32_t)x;
	return r;
}

int view_u32(struct view *v, uint32_t *ret)
{
	uint64_t x;
	int r = view_be(v, 4, &x);

	if (r == 0)
		*ret = (uint32_t)x;
	return r;
}

int view_u64(struct view *v, uint64_t *ret)
{
	return view_be(v, 8, ret);
}

int view_bytes(struct view *v, size_t n, struct view *ret)
{
	if (v->n < n)
		return -EBADMSG;
	*ret = (struct view){ v->p, n };
	v->p += n;
	v->n -= n;
	return 0;
}

static int view_vec(struct view *v, size_t len_bytes, struct view *ret)
{
	struct view in = *v;
	uint64_t n;
	int r;

	r = view_be(&in, len_bytes, &n);
	if (r < 0)
		return r;
	r = view_bytes(&in, (size_t)n, ret);
	if (r < 0)
		return r;
	*v = in;
	return 0;
}

int view_vec8(struct view *v, struct view *ret)
{
	return view_vec(v, 1, ret);
}

int view_vec16(struct view *v, struct view *ret)
{
	return view_vec(v, 2, ret);
}

int view_vec24(struct view *v, struct view *ret)
{
	return view_vec(v, 3, ret);
}

int view_vec32(struct view *v, struct view *ret)
{
	return view_vec(v, 4, ret);
}
