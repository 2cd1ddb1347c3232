// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/oid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Next number of "1.3.6": as short as can be, and below 2^32. */
static int next_arc(const char **s, size_t *n, uint32_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < *n && (*s)[i] >= '0' && (*s)[i] <= '9') {
		v = v * 10 + (uint64_t)((*s)[i++] - '0');
		if (v > UINT32_MAX)
			return -EBADMSG;
	}
	if (i == 0 || (i > 1 && **s == '0'))
		return -EBADMSG;
	*s += i;
	*n -= i;
	*ret = (uint32_t)v;
	return 0;
}

static int put_arc(struct oid *o, uint64_t arc)
{
	unsigned shift = 0;

	while (arc >> shift >= 0x80)
		shift += 7;
	for (;; shift -= 7) {
		if (o->n == OID_BYTES)
			return -EBADMSG;
		o->p[o->n++] = (uint8_t)((arc >> shift & 0x7f) | (shift ? 0x80 : 0));
		if (shift == 0)
			return 0;
	}
}

int oid_parse(const char *s, size_t n, struct oid *ret)
{
	struct oid o = { .n = 0 };
	uint32_t first, arc;

	if (next_arc(&s, &n, &first) < 0 || n == 0 || *s != '.')
		return -EBADMSG;
	s++;
	n--;
	if (next_arc(&s, &n, &arc) < 0 || first > 2 || (first < 2 && arc > 39) ||
	    put_arc(&o, (uint64_t)first * 40 + arc) < 0)
		return -EBADMSG;
	while (n > 0) {
		if (*s != '.')
			return -EBADMSG;
		s++;
		n--;
		if (next_arc(&s, &n, &arc) < 0 || put_arc(&o, arc) < 0)
			return -EBADMSG;
	}
	*ret = o;
	return 0;
}

int oid_text(const struct view *oid, char ret[OID_TEXT_SIZE])
{
	char text[OID_TEXT_SIZE];
	uint64_t arc = 0;
	int n = 0;

	if (oid->n == 0 || oid->n > OID_BYTES || oid->p[oid->n - 1] & 0x80)
		return -EBADMSG;
	for (size_t i = 0; i < oid->n; i++) {
		if (arc == 0 && oid->p[i] == 0x80) /* X.690 8.19.2: as few octets as can be */
			return -EBADMSG;
		arc = arc << 7 | (oid->p[i] & 0x7f);
		if (arc > (uint64_t)UINT32_MAX + 80)
			return -EBADMSG;
		if (oid->p[i] & 0x80)
			continue;
		if (n == 0) {
			uint64_t top = arc < 80 ? arc / 40 : 2;

			n = snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64, top,
				     arc - 40 * top);
		} else {
			n += snprintf(text + n, sizeof(text) - (size_t)n, ".%" PRIu64, arc);
		}
		if (n >= (int)sizeof(text))
			return -EBADMSG;
		arc = 0;
	}
	memcpy(ret, text, (size_t)n + 1);
	return 0;
}
