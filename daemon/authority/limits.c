// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/limits.h"

#include <errno.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/limits.h"

#define MINUTE_USEC (60 * USEC_PER_SEC)
#define WAYS 8 /* places that a source may have; the one used longest ago goes */

struct source {
	char name[128];
	uint64_t minute; /* began */
	uint32_t rows;
};

struct limits {
	uint64_t suppressed;
	struct source sources[LIMIT_SOURCES];
};

int limits_new(struct limits **ret)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	*ret = l;
	return 0;
}

struct limits *limits_free(struct limits *l)
{
	free(l);
	return NULL;
}

static struct source *find(struct limits *l, const char *name)
{
	struct source *set = &l->sources[crc32((const uint8_t *)name, strlen(name)) %
					 (LIMIT_SOURCES / WAYS) * WAYS];
	struct source *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (strncmp(set[i].name, name, sizeof(set[i].name) - 1) == 0)
			return &set[i];
		if (set[i].minute < oldest->minute)
			oldest = &set[i];
	}
	*oldest = (struct source){ 0 };
	(void)strncpy(oldest->name, name, sizeof(oldest->name) - 1);
	return oldest;
}

bool limits_take_row(struct limits *l, const char *source, uint64_t now)
{
	struct source *s = find(l, source);

	if (s->rows == 0 || now - s->minute >= MINUTE_USEC) {
		s->minute = now;
		s->rows = 0;
	}
	if (s->rows < LIMIT_DENY_ROWS) {
		s->rows++;
		return true;
	}
	l->suppressed++;
	return false;
}

uint64_t limits_suppressed(struct limits *l)
{
	uint64_t n = l->suppressed;

	l->suppressed = 0;
	return n;
}
