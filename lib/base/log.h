/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <syslog.h>

#include "lib/base/cleanup.h"

/*
 * One line per failure, by the mains and the daemons; libraries return.  With a journal socket on
 * stderr (JOURNAL_STREAM) lines carry <N> priorities, which systemd reads; on a terminal plain text.
 * Never pass a ticket, PIN or passphrase: those are struct secret, which no format takes.
 */
void log_setup(const char *program, int max_level);
void log_line(int level, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
