// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/name.h"

#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"

/* Length of the UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 if it is none. */
static size_t utf8_len(const uint8_t *s, size_t n)
{
	uint32_t c;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n < len)
		return 0;
	c = s[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && c < 0x800) || (len == 4 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

/* U+0000-001F, U+007F-009F, the line separators, and what changes the direction of the text after it. */
static bool is_control(const uint8_t *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (len == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	return len == 3 && s[0] == 0xe2 &&
	       ((s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) || (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

bool text_ok(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n > max)
		return false;
	for (const uint8_t *p = (const uint8_t *)s; n > 0;) {
		size_t len = utf8_len(p, n);

		if (len == 0 || is_control(p, len))
			return false;
		p += len;
		n -= len;
	}
	return true;
}

void text_clean(const char *s, size_t len, char *ret, size_t size)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n = 0;

	while (len > 0) {
		size_t u = utf8_len(p, len), step = u ? u : 1;
		bool good = u && !is_control(p, u);

		if (n + (good ? u : 1) + 1 > size)
			break;
		if (good)
			memcpy(ret + n, p, u);
		else
			ret[n] = '?';
		n += good ? u : 1;
		p += step;
		len -= step;
	}
	ret[n] = '\0';
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void text_put_json(struct buf *b, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n = strlen(s);

	buf_put_u8(b, '"');
	while (n > 0) {
		size_t run = 0;

		while (run < n && is_plain(p[run]))
			run++;
		if (run > 0) {
			buf_put(b, p, run);
		} else {
			size_t u = utf8_len(p, n);
			bool good = u && !is_control(p, u);

			run = u ? u : 1;
			if (good && u == 1) /* a quote or a backslash */
				buf_put_u8(b, '\\');
			buf_put(b, good ? p : (const uint8_t *)"?", good ? u : 1);
		}
		p += run;
		n -= run;
	}
	buf_put_u8(b, '"');
}

static bool name_ok(const char *s, size_t max)
{
	return *s && *s != '-' && text_ok(s, max) && !strpbrk(s, " \t:/,") && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0;
}

bool account_name_ok(const char *s)
{
	return name_ok(s, LIMIT_ACCOUNT);
}

bool identity_name_ok(const char *s)
{
	return name_ok(s, LIMIT_IDENTITY);
}

bool service_name_ok(const char *s)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-";
	size_t n = strlen(s);

	return n >= 1 && n <= LIMIT_SERVICE && *s != '.' && *s != '-' && strspn(s, allowed) == n;
}

bool service_or_class_ok(const char *s)
{
	static const char *const classes[] = { "@login", "@elevate", "@app" };

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strcmp(s, classes[i]) == 0)
			return true;
	return service_name_ok(s);
}
