// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/pem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/encode.h"

int pem_next(struct view *in, const char *label, uint8_t **ret, size_t *ret_n)
{
	_cleanup_(freep) char *text = NULL;
	char begin[64], end[64];
	const uint8_t *from, *to;
	size_t n = 0;

	(void)snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
	(void)snprintf(end, sizeof(end), "-----END %s-----", label);
	from = memmem(in->p, in->n, begin, strlen(begin));
	if (!from)
		return -ENOENT;
	from += strlen(begin);
	to = memmem(from, in->n - (size_t)(from - in->p), end, strlen(end));
	if (!to)
		return -EBADMSG;
	text = malloc((size_t)(to - from) + 1);
	if (!text)
		return -ENOMEM;
	for (const uint8_t *p = from; p < to; p++)
		if (*p != '\n' && *p != '\r' && *p != ' ' && *p != '\t')
			text[n++] = (char)*p;
	to += strlen(end);
	*in = (struct view){ to, in->n - (size_t)(to - in->p) };
	return base64_decode_new(text, n, ret, ret_n);
}
