// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/limits.h"

#define MINUTE_USEC (60 * USEC_PER_SEC)
#define WAYS 8 /* places that a source may have; the one used longest ago goes */

struct budget {
	uint64_t minute; /* began */
	uint32_t rows;
	uint64_t over; /* since the last summary */
};

struct source {
	char name[LIMIT_SOURCE_SIZE];
	struct budget budget;
};

struct pool {
	struct budget budget;
	struct source sources[LIMIT_SOURCES];
};

struct limits {
	struct pool pools[LIMIT_POOL_MAX_];
};

const char *limit_pool_name(enum limit_pool p)
{
	static const char *const names[] = { [LIMIT_POOL_LOCAL] = "local",
					     [LIMIT_POOL_REMOTE] = "remote",
					     [LIMIT_POOL_IDENTITY] = "identity" };

	return (size_t)p < ARRAY_SIZE(names) ? names[p] : "unknown";
}

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

static struct source *find(struct pool *p, const char *name)
{
	struct source *set = &p->sources[crc32((const uint8_t *)name, strlen(name)) %
					 (LIMIT_SOURCES / WAYS) * WAYS];
	struct source *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (strcmp(set[i].name, name) == 0)
			return &set[i];
		if (set[i].budget.minute < oldest->budget.minute)
			oldest = &set[i];
	}
	*oldest = (struct source){ 0 };
	memcpy(oldest->name, name, strlen(name) + 1);
	return oldest;
}

static bool has_row(struct budget *b, uint32_t max, uint64_t now)
{
	if (b->minute == 0 || now - b->minute >= MINUTE_USEC) {
		b->minute = now;
		b->rows = 0;
	}
	return b->rows < max;
}

bool limits_take_row(struct limits *l, enum limit_pool pool, const char *source, uint64_t now)
{
	struct pool *p = &l->pools[pool];
	char name[LIMIT_SOURCE_SIZE];
	struct source *s;
	bool one, all;

	(void)snprintf(name, sizeof(name), "%s", source);
	s = find(p, name);
	one = has_row(&s->budget, LIMIT_DENY_ROWS, now);
	all = has_row(&p->budget, LIMIT_POOL_ROWS, now);
	if (one && all) {
		s->budget.rows++;
		p->budget.rows++;
		return true;
	}
	s->budget.over++;
	p->budget.over++;
	return false;
}

/* Keeps the most, in order. */
static void rank(struct limits_summary *m, enum limit_pool pool, const struct source *s)
{
	size_t at = m->n < LIMIT_SUMMARY_SOURCES ? m->n++ : LIMIT_SUMMARY_SOURCES - 1;

	if (at == LIMIT_SUMMARY_SOURCES - 1 && m->top[at].denials >= s->budget.over)
		return;
	for (; at > 0 && m->top[at - 1].denials < s->budget.over; at--)
		m->top[at] = m->top[at - 1];
	m->top[at].pool = pool;
	m->top[at].denials = s->budget.over;
	memcpy(m->top[at].source, s->name, sizeof(s->name));
}

bool limits_summary(struct limits *l, struct limits_summary *ret)
{
	struct limits_summary m = { 0 };

	for (size_t p = 0; p < LIMIT_POOL_MAX_; p++) {
		struct pool *pool = &l->pools[p];

		m.denials += pool->budget.over;
		for (size_t i = 0; pool->budget.over > 0 && i < LIMIT_SOURCES; i++) {
			if (pool->sources[i].budget.over > 0)
				rank(&m, (enum limit_pool)p, &pool->sources[i]);
			pool->sources[i].budget.over = 0;
		}
		pool->budget.over = 0;
	}
	if (m.denials == 0)
		return false;
	*ret = m;
	return true;
}
