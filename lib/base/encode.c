// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/encode.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char b32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void hex_encode(const uint8_t *p, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*ret++ = digits[p[i] >> 4];
		*ret++ = digits[p[i] & 15];
	}
	*ret = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *s, uint8_t *ret, size_t cap)
{
	size_t n = 0;

	for (; *s; s += 2) {
		int hi = hex_value(s[0]), lo = hi < 0 ? -1 : hex_value(s[1]);

		if (lo < 0 || n == cap)
			return -EBADMSG;
		ret[n++] = (uint8_t)(hi << 4 | lo);
	}
	return (int)n;
}

/* Writes the digits of n bytes, `bits` each, most significant first; gives the end. */
static char *digits_encode(const uint8_t *p, size_t n, unsigned bits, const char *alphabet, char *ret)
{
	unsigned mask = (1u << bits) - 1, acc = 0, have = 0;

	for (size_t i = 0; i < n; i++) {
		acc = acc << 8 | p[i];
		for (have += 8; have >= bits; have -= bits)
			*ret++ = alphabet[acc >> (have - bits) & mask];
		acc &= (1u << have) - 1;
	}
	if (have > 0)
		*ret++ = alphabet[acc << (bits - have) & mask];
	*ret = '\0';
	return ret;
}

static int digit_value(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static int digits_decode(const char *s, size_t len, unsigned bits, const char *alphabet, uint8_t *ret,
			 size_t cap)
{
	unsigned acc = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int v = digit_value(alphabet, bits == 5 ? (char)toupper((unsigned char)s[i]) : s[i]);

		if (v < 0)
			return -EBADMSG;
		acc = acc << bits | (unsigned)v;
		have += bits;
		if (have < 8)
			continue;
		if (n == cap)
			return -EBADMSG;
		have -= 8;
		ret[n++] = (uint8_t)(acc >> have);
		acc &= (1u << have) - 1;
	}
	return have < bits && acc == 0 ? (int)n : -EBADMSG;
}

void base64_encode(const uint8_t *p, size_t n, char *ret)
{
	char *end = digits_encode(p, n, 6, b64, ret);

	while ((end - ret) % 4 != 0)
		*end++ = '=';
	*end = '\0';
}

void base64url_encode(const uint8_t *p, size_t n, char *ret)
{
	(void)digits_encode(p, n, 6, b64url, ret);
}

char *base64_encode_new(const uint8_t *p, size_t n)
{
	char *s = malloc(BASE64_SIZE(n));

	if (s)
		base64_encode(p, n, s);
	return s;
}

int base64_decode_new(const char *s, size_t len, uint8_t **ret, size_t *ret_n)
{
	size_t pad = 0;
	uint8_t *p;
	int r;

	if (len % 4 != 0)
		return -EBADMSG;
	while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
		pad++;
	p = malloc(len / 4 * 3 + 1);
	if (!p)
		return -ENOMEM;
	r = digits_decode(s, len - pad, 6, b64, p, len / 4 * 3);
	if (r < 0 || (size_t)r != len / 4 * 3 - pad) {
		free(p);
		return -EBADMSG;
	}
	*ret = p;
	*ret_n = (size_t)r;
	return 0;
}

void base32_encode(const uint8_t *p, size_t n, char *ret)
{
	(void)digits_encode(p, n, 5, b32, ret);
}

int base32_decode(const char *s, size_t len, uint8_t *ret, size_t cap)
{
	return digits_decode(s, len, 5, b32, ret, cap);
}

uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	while (n-- > 0) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}
