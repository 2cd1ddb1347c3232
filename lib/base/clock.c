// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/clock.h"

#include <string.h>

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

const char *clock_text(int64_t usec, char ret[CLOCK_TEXT])
{
	time_t t = (time_t)(usec / 1000000);
	struct tm tm;

	if (usec == INT64_MAX)
		return strcpy(ret, "forever");
	if (!gmtime_r(&t, &tm) || strftime(ret, CLOCK_TEXT, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		return strcpy(ret, "?");
	return ret;
}
