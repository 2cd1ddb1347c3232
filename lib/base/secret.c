// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/secret.h"

#include <string.h>

struct secret *secret_new(const void *bytes, size_t len)
{
	struct secret *s = calloc(1, sizeof(*s) + len + 1);

	if (!s)
		return NULL;
	s->len = len;
	if (bytes && len > 0)
		memcpy(s->bytes, bytes, len);
	return s;
}

struct secret *secret_free(struct secret *s)
{
	if (s) {
		explicit_bzero(s->bytes, s->len);
		free(s);
	}
	return NULL;
}

int bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	if (a_len != b_len)
		return 0;
	for (size_t i = 0; i < a_len; i++)
		diff = (uint8_t)(diff | (x[i] ^ y[i]));
	return diff == 0;
}
