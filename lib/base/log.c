// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *log_program = "certlogin";
static int log_max = LOG_INFO;
static int log_prefix;

void log_setup(const char *program, int max_level)
{
	log_program = program;
	log_max = max_level;
	log_prefix = getenv("JOURNAL_STREAM") != NULL;
}

void log_line(int level, const char *format, ...)
{
	char line[1024];
	va_list ap;

	if (level > log_max)
		return;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (log_prefix)
		(void)fprintf(stderr, "<%d>%s\n", level, line);
	else
		(void)fprintf(stderr, "%s: %s\n", log_program, line);
}
