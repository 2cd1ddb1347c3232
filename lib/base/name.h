/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"

/*
 * The one choke point for names that strangers or administrators give.  All compare as bytes.
 *
 * Account: 1-255 bytes, no control characters, no ':', '/', ',', white space; not "." or "..",
 * not starting with '-'.  Valid UTF-8.  (What getpwnam and audit lines can carry; "corp\\alice"
 * and "alice@corp" are accounts.)
 * Service: PAM's rule, [A-Za-z0-9_.+-], 1-64, not starting with '.' or '-'.  Class: @login, @elevate, @app.
 * Identity: as account, up to 128 bytes.
 */
bool account_name_ok(const char *s);
bool service_name_ok(const char *s);
bool service_or_class_ok(const char *s);
bool identity_name_ok(const char *s);

/* Printable UTF-8 without control characters, at most `max` bytes: for labels, ttys, hosts, reasons. */
bool text_ok(const char *s, size_t max);

/* Copies s into ret as text that a terminal and a log can show: control characters and bytes that
 * are not UTF-8 become '?', cut at `size` - 1. */
void text_clean(const char *s, size_t len, char *ret, size_t size);

/* s as a JSON string with its quotes (RFC 8259 section 7), cleaned as above. */
void text_put_json(struct buf *b, const char *s);

#endif
