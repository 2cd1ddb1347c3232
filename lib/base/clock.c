// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/clock.h"

#include "lib/base/cleanup.h"

static int64_t now_usec(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static uint64_t system_boottime(_unused_ void *userdata)
{
	return (uint64_t)now_usec(CLOCK_BOOTTIME);
}

static int64_t system_realtime(_unused_ void *userdata)
{
	return now_usec(CLOCK_REALTIME);
}

const struct clock clock_system = { system_boottime, system_realtime, NULL };
