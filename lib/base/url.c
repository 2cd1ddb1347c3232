// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/url.h"

#include <string.h>
#include <strings.h>

#include "lib/base/limits.h"

/* After "://"; NULL: neither http nor https. */
static const char *after_scheme(const char *url)
{
	if (strncasecmp(url, "http://", 7) == 0)
		return url + 7;
	return strncasecmp(url, "https://", 8) == 0 ? url + 8 : NULL;
}

static bool letters_ok(const char *url)
{
	for (; *url; url++)
		if (*url <= ' ' || *url > '~' || strchr("\"<>\\^`{|}", *url))
			return false;
	return true;
}

/* "", or ":" and 1 to 65535. */
static bool port_ok(const char *s, size_t n)
{
	unsigned port = 0;

	if (n == 0)
		return true;
	if (*s != ':' || n < 2 || n > 6)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		port = port * 10 + (unsigned)(s[i] - '0');
	}
	return port > 0 && port <= 65535;
}

static bool host_ok(const char *s, size_t n)
{
	static const char digits[] = "0123456789", hex[] = "ABCDEFabcdef:.",
			  others[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._";
	bool six = n > 0 && *s == '[';
	size_t i = six;

	while (i < n && (strchr(digits, s[i]) || strchr(six ? hex : others, s[i])))
		i++;
	if (six && (i == n || s[i++] != ']'))
		return false;
	return i > (six ? 2U : 0U) && port_ok(s + i, n - i);
}

bool url_ok(const char *url, const char **ret_why)
{
	const char *host;
	size_t n;

	if (strlen(url) > LIMIT_URL)
		*ret_why = "it is too long";
	else if (!letters_ok(url))
		*ret_why = "it has characters that no URL has";
	else if (!(host = after_scheme(url)))
		*ret_why = "it is neither http nor https";
	else if ((n = strcspn(host, "/?#"), memchr(host, '@', n)))
		*ret_why = "it has a user or a password in it";
	else if (strchr(url, '#'))
		*ret_why = "it has a fragment (#)";
	else if (!host_ok(host, n))
		*ret_why = "its host or port is none";
	else
		return true;
	return false;
}

size_t url_origin(const char *url)
{
	const char *host = after_scheme(url);

	return host ? (size_t)(host - url) + strcspn(host, "/?#") : 0;
}
