/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds.  Tests pass their own clock. */
struct clock {
	uint64_t (*boottime)(void *userdata);
	int64_t (*realtime)(void *userdata);
	void *userdata;
};

extern const struct clock clock_system;

static inline uint64_t clock_boottime(const struct clock *c)
{
	return c->boottime(c->userdata);
}

static inline int64_t clock_realtime(const struct clock *c)
{
	return c->realtime(c->userdata);
}

/* "2026-11-23 18:13 UTC" for a realtime; INT64_MAX is "forever". */
#define CLOCK_TEXT 32
const char *clock_text(int64_t usec, char ret[CLOCK_TEXT]);

#endif
