// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/limits.h"

#define USEC ((int64_t)USEC_PER_SEC)

void when_text(int64_t usec, bool utc, char ret[WHEN_TEXT])
{
	time_t t = (time_t)(usec / USEC);
	struct tm tm;

	if (usec == INT64_MAX) {
		(void)strcpy(ret, "forever");
		return;
	}
	if (!(utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)) ||
	    strftime(ret, WHEN_TEXT, utc ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(ret, WHEN_TEXT, "@%" PRId64, usec / USEC);
}

static const struct {
	int64_t seconds;
	char letter;
	const char *one;
	const char *many;
} units[] = {
	{ 7 * 86400, 'w', "week", "weeks" },
	{ 86400, 'd', "day", "days" },
	{ 3600, 'h', "hour", "hours" },
	{ 60, 'm', "min", "min" },
	{ 1, 's', "s", "s" },
};

void when_relative(int64_t usec, int64_t now, char ret[WHEN_TEXT])
{
	bool past = usec <= now;
	int64_t seconds = (past ? now - usec : usec - now) / USEC;

	if (usec == INT64_MAX) {
		(void)strcpy(ret, "never");
		return;
	}
	if (seconds == 0) {
		(void)strcpy(ret, "now");
		return;
	}
	for (size_t i = 1; i < ARRAY_SIZE(units); i++) { /* weeks: days say it better */
		int64_t n = seconds / units[i].seconds;

		if (n == 0)
			continue;
		(void)snprintf(ret, WHEN_TEXT, "%s%" PRId64 " %s%s", past ? "" : "in ", n,
			       n == 1 ? units[i].one : units[i].many, past ? " ago" : "");
		return;
	}
}

static int number_parse(const char *s, const char **ret_end, int64_t *ret)
{
	char *end;
	long long v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno != 0)
		return -EINVAL;
	*ret_end = end;
	*ret = v;
	return 0;
}

/* "8h", "30d" */
static int span_parse(const char *s, int64_t *ret)
{
	const char *end;
	int64_t n;

	if (number_parse(s, &end, &n) < 0 || !*end || end[1])
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (units[i].letter == *end)
			return __builtin_mul_overflow(n, units[i].seconds * USEC, ret) ? -EINVAL
										       : 0;
	return -EINVAL;
}

static bool same_fields(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/* What follows a time in RFC 3339: a fraction, which is left out, and Z or an offset.  *ret_offset
 * in seconds; *ret_local: neither, so that it is local time. */
static int zone_parse(const char *s, int64_t *ret_offset, bool *ret_local)
{
	int hours, minutes, n = 0;

	*ret_offset = 0;
	*ret_local = false;
	if (*s == '.' && s[1] >= '0' && s[1] <= '9')
		s += 1 + strspn(s + 1, "0123456789");
	if (!*s) {
		*ret_local = true;
		return 0;
	}
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return 0;
	if ((*s != '+' && *s != '-') || sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 ||
	    n != 5 || s[6] || hours > 23 || minutes > 59 || hours < 0 || minutes < 0)
		return -EINVAL;
	*ret_offset = (hours * 60 + minutes) * (*s == '+' ? 60 : -60);
	return 0;
}

static int calendar_parse(const char *s, int64_t *ret)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
					     "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M" };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { .tm_isdst = -1 }, back;
		const char *end = strptime(s, forms[i], &tm);
		int64_t offset;
		bool local;
		time_t t;

		if (!end || zone_parse(end, &offset, &local) < 0)
			continue;
		back = tm;
		t = local ? mktime(&back) : timegm(&back);
		/* The 31st of February is a typing error, not the 3rd of March. */
		if (t == (time_t)-1 || !same_fields(&tm, &back))
			return -EINVAL;
		*ret = ((int64_t)t - offset) * USEC;
		return 0;
	}
	return -EINVAL;
}

int when_parse(const char *s, int64_t now, int64_t *ret)
{
	const char *end;
	int64_t v;

	if (strcmp(s, "now") == 0) {
		*ret = now;
		return 0;
	}
	if (strcmp(s, "forever") == 0) {
		*ret = INT64_MAX;
		return 0;
	}
	if (*s == '@') {
		if (number_parse(s + 1, &end, &v) < 0 || *end ||
		    __builtin_mul_overflow(v, USEC, &v))
			return -EINVAL;
		*ret = v;
		return 0;
	}
	if (*s != '+' && *s != '-')
		return calendar_parse(s, ret);
	if (span_parse(s + 1, &v) < 0 || __builtin_add_overflow(now, *s == '+' ? v : -v, &v))
		return -EINVAL;
	*ret = v;
	return 0;
}
