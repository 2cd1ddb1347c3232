// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/p11name.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SCHEME "pkcs11:"

static bool is_attribute(const char *p, size_t n, const char *name)
{
	size_t name_n = strlen(name);

	return n > name_n && memcmp(p, name, name_n) == 0 && p[name_n] == '=';
}

static bool is_any(const char *p, size_t n, const char *const *names)
{
	for (; *names; names++)
		if (is_attribute(p, n, *names))
			return true;
	return false;
}

/* Path attributes (RFC 7512 2.3) but for these; no query. */
static void put_path(struct buf *b, const char *uri, const char *const *without)
{
	const char *p = uri + strlen(SCHEME), *end = p + strcspn(p, "?");
	bool first = true;

	buf_put_text(b, SCHEME);
	while (p < end) {
		const char *semicolon = memchr(p, ';', (size_t)(end - p));
		size_t n = (size_t)((semicolon ? semicolon : end) - p);

		if (n > 0 && !is_any(p, n, without)) {
			buf_put(b, ";", !first);
			buf_put(b, p, n);
			first = false;
		}
		p += n + 1;
	}
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 3986 2.1 */
static int decode(const char *p, size_t n, char *ret, size_t size)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		int c = (uint8_t)p[i];

		if (c == '%') {
			if (n - i < 3 || hex_digit(p[i + 1]) < 0 || hex_digit(p[i + 2]) < 0)
				return -EINVAL;
			c = hex_digit(p[i + 1]) << 4 | hex_digit(p[i + 2]);
			i += 2;
		}
		if (c < 0x20 || c >= 0x7f || k + 1 >= size)
			return -EINVAL;
		ret[k++] = (char)c;
	}
	ret[k] = '\0';
	return 0;
}

static int set_module_name(const char *p, size_t n, char *ret, size_t size)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-";
	int r = decode(p, n, ret, size - strlen(".so"));

	if (r < 0 || !*ret || ret[strspn(ret, allowed)])
		return -EINVAL;
	(void)strcat(ret, ".so");
	return 0;
}

/* Query attributes (RFC 7512 2.4). */
static int take_query(const char *query, struct p11_name *ret)
{
	static const char *const pins[] = { "pin-value", "pin-source", NULL };

	for (const char *p = query; *p;) {
		size_t n = strcspn(p, "&"), value;
		int r = -EINVAL;

		if (is_any(p, n, pins))
			return -EPERM;
		value = strcspn(p, "=&") + 1;
		if (is_attribute(p, n, "module-path") && !*ret->module && p[value] == '/')
			r = decode(p + value, n - value, ret->module, sizeof(ret->module));
		else if (is_attribute(p, n, "module-name") && !*ret->module)
			r = set_module_name(p + value, n - value, ret->module, sizeof(ret->module));
		if (r < 0)
			return r;
		p += n + (p[n] == '&');
	}
	return 0;
}

static bool is_plain(const char *s)
{
	size_t n = 0;

	for (; s[n]; n++)
		if (s[n] <= 0x20 || s[n] >= 0x7f || n >= LIMIT_PKCS11)
			return false;
	return n > 0;
}

int p11_name_parse(const char *text, struct p11_name *ret)
{
	static const char *const without[] = { "type", NULL };
	_cleanup_(buf_deinitp) struct buf uri = { 0 };
	struct p11_name name = { .uri = SCHEME };
	const char *query;
	int r = 0;

	if (!is_plain(text))
		return -EINVAL;
	if (*text == '/') {
		(void)strcpy(name.module, text);
		*ret = name;
		return 0;
	}
	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	query = strchr(text, '?');
	if (query)
		r = take_query(query + 1, &name);
	if (r < 0)
		return r;
	put_path(&uri, text, without);
	if (uri.error)
		return uri.error;
	memcpy(name.uri, uri.p, uri.n); /* no longer than `text` */
	name.uri[uri.n] = '\0';
	*ret = name;
	return 0;
}

static const char *const of_object[] = { "type", "id", "object", NULL };

void p11_token_uri(struct buf *b, const char *object)
{
	put_path(b, object, of_object);
}

void p11_key_uri(struct buf *b, const char *object, const uint8_t *id, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t before = b->n;

	put_path(b, object, of_object);
	buf_put(b, ";", b->n > before + strlen(SCHEME));
	buf_put_text(b, "id=");
	for (size_t i = 0; i < n; i++) {
		const char text[] = { '%', digits[id[i] >> 4], digits[id[i] & 15] };

		buf_put(b, text, sizeof(text));
	}
	buf_put_text(b, ";type=private");
}
