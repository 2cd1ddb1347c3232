// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/der.h"

#include <errno.h>
#include <string.h>

/* X.690 10.1: definite, and as short as can be. */
static int der_length(struct view *in, size_t *ret)
{
	uint8_t first, byte;
	size_t n = 0;

	if (view_u8(in, &first) < 0)
		return -EBADMSG;
	if (first < 0x80) {
		*ret = first;
		return 0;
	}
	if (first == 0x80 || first > 0x84)
		return -EBADMSG;
	for (int i = first & 0x7f; i > 0; i--) {
		if (view_u8(in, &byte) < 0)
			return -EBADMSG;
		if (n == 0 && byte == 0)
			return -EBADMSG;
		n = n << 8 | byte;
	}
	if (n < 0x80)
		return -EBADMSG;
	*ret = n;
	return 0;
}

int der_next(struct view *in, uint8_t *ret_tag, struct view *ret_content, struct view *ret_whole)
{
	struct view at = *in, content;
	uint8_t tag;
	size_t n;

	if (view_u8(&at, &tag) < 0 || (tag & 0x1f) == 0x1f || der_length(&at, &n) < 0 ||
	    view_bytes(&at, n, &content) < 0)
		return -EBADMSG;
	if (ret_whole)
		*ret_whole = (struct view){ in->p, in->n - at.n };
	*ret_tag = tag;
	*ret_content = content;
	*in = at;
	return 0;
}

int der_expect(struct view *in, uint8_t tag, struct view *ret_content)
{
	struct view at = *in, content;
	uint8_t got;

	if (der_next(&at, &got, &content, NULL) < 0 || got != tag)
		return -EBADMSG;
	*ret_content = content;
	*in = at;
	return 0;
}

int der_optional(struct view *in, uint8_t tag, struct view *ret_content, bool *ret_found)
{
	*ret_found = in->n > 0 && in->p[0] == tag;
	return *ret_found ? der_expect(in, tag, ret_content) : 0;
}

int der_bool(struct view *in, bool *ret)
{
	struct view at = *in, v;

	if (der_expect(&at, DER_BOOLEAN, &v) < 0 || v.n != 1 || (v.p[0] != 0 && v.p[0] != 0xff))
		return -EBADMSG;
	*ret = v.p[0] != 0;
	*in = at;
	return 0;
}

int der_small_uint(struct view *in, uint32_t *ret)
{
	struct view at = *in, v;
	uint32_t x = 0;

	if (der_expect(&at, DER_INTEGER, &v) < 0 || v.n < 1 || v.n > 4 || v.p[0] & 0x80)
		return -EBADMSG;
	if (v.n > 1 && v.p[0] == 0 && !(v.p[1] & 0x80))
		return -EBADMSG;
	for (size_t i = 0; i < v.n; i++)
		x = x << 8 | v.p[i];
	*ret = x;
	*in = at;
	return 0;
}

static int two_digits(const uint8_t *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of(int y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in_month(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

int der_time(struct view *in, int64_t *ret_usec)
{
	struct view at = *in, v;
	int part[6], y;
	uint8_t tag;
	size_t year_n;

	if (der_next(&at, &tag, &v, NULL) < 0 || (tag != DER_UTCTIME && tag != DER_GENTIME))
		return -EBADMSG;
	year_n = tag == DER_GENTIME ? 4 : 2;
	if (v.n != year_n + 11 || v.p[v.n - 1] != 'Z')
		return -EBADMSG;
	y = two_digits(v.p);
	if (y >= 0 && year_n == 4) {
		int low = two_digits(v.p + 2);

		y = low < 0 ? -1 : y * 100 + low;
	} else if (y >= 0) {
		y += y < 50 ? 2000 : 1900;
	}
	for (size_t i = 0; i < 5; i++)
		part[i] = two_digits(v.p + year_n + 2 * i);
	if (y < 0 || part[0] < 1 || part[0] > 12 || part[1] < 1 ||
	    part[1] > days_in_month(y, part[0]) || part[2] < 0 || part[2] > 23 || part[3] < 0 ||
	    part[3] > 59 || part[4] < 0 || part[4] > 59)
		return -EBADMSG;
	*ret_usec = ((days_of(y, part[0], part[1]) * 24 + part[2]) * 60 + part[3]) * 60 + part[4];
	*ret_usec *= 1000000;
	*in = at;
	return 0;
}

int der_bits(struct view *in, struct view *ret, unsigned *ret_unused)
{
	struct view at = *in, v;

	if (der_expect(&at, DER_BIT_STRING, &v) < 0 || v.n < 1 || v.p[0] > 7 ||
	    (v.n == 1 && v.p[0]))
		return -EBADMSG;
	if (v.p[0] && v.p[v.n - 1] & ((1u << v.p[0]) - 1))
		return -EBADMSG;
	*ret_unused = v.p[0];
	*ret = (struct view){ v.p + 1, v.n - 1 };
	*in = at;
	return 0;
}

void der_put(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	if (n > UINT16_MAX) {
		b->error = -ENOMEM;
		return;
	}
	buf_put_u8(b, tag);
	if (n > UINT8_MAX) {
		buf_put_u8(b, 0x82);
		buf_put_u16(b, (uint16_t)n);
	} else {
		if (n >= 0x80)
			buf_put_u8(b, 0x81);
		buf_put_u8(b, (uint8_t)n);
	}
	buf_put(b, p, n);
}
