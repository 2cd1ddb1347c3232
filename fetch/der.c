// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch/der.h"

#include <errno.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/encode.h"

#define CHUNK ((size_t)4096) /* base64 letters decoded at a time; a multiple of 4 */

/* The next letters without white space; how many. */
static size_t gather(const uint8_t **at, const uint8_t *end, char ret[CHUNK])
{
	size_t n = 0;

	for (; *at < end && n < CHUNK; ++*at)
		if (!strchr(" \t\r\n", **at) || !**at)
			ret[n++] = (char)**at;
	return n;
}

int crl_der(uint8_t *p, size_t n, size_t *ret_n)
{
	static const char begin_line[] = "-----BEGIN X509 CRL-----",
			  end_line[] = "-----END X509 CRL-----";
	const uint8_t *at = n > 0 && *p == 0x30 /* SEQUENCE */
				    ? NULL
				    : memmem(p, n, begin_line, strlen(begin_line));
	const uint8_t *end;
	char letters[CHUNK];
	size_t out = 0, have;

	*ret_n = n;
	if (!at)
		return 0;
	at += strlen(begin_line);
	end = memmem(at, n - (size_t)(at - p), end_line, strlen(end_line));
	while (end && (have = gather(&at, end, letters)) > 0) {
		_cleanup_(freep) uint8_t *octets = NULL;
		size_t k;
		int r = base64_decode_new(letters, have, &octets, &k);

		if (r < 0)
			return r;
		memcpy(p + out, octets, k); /* never beyond `at`: 3 octets for 4 letters */
		out += k;
	}
	*ret_n = out;
	return end && out > 0 ? 0 : -EBADMSG;
}
