/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/cleanup.h"

/*
 * Text for people.  Whatever came from the store is cleaned here once more: no control character
 * reaches a terminal.  Colours have a meaning, and are used on a terminal only (NO_COLOR turns them
 * off); a table is cut to the terminal's width, and not at all when it goes elsewhere.
 */
struct term {
	bool tty;
	bool colour;
	bool utf8;                  /* else: ASCII signs, and '?' for what is not ASCII */
	unsigned width;             /* columns; 0: no limit */
};

enum tone { TONE_PLAIN, TONE_HEAD, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_DIM };
enum sign { SIGN_YES, SIGN_NO, SIGN_SKIPPED };

void term_init(struct term *t, FILE *f);
void term_print(FILE *f, const struct term *t, enum tone tone, const char *format, ...) _printf_(4, 5);
const char *term_sign(const struct term *t, enum sign sign);
/* Columns that the text takes. */
size_t text_columns(const char *s);
/* Copies what fits into `columns`; what was cut ends in an ellipsis. */
void text_cut(const struct term *t, const char *s, size_t columns, char *ret, size_t size);

/* A table: cells are added row by row, left to right. */
struct table;
struct table *table_new(const char *const *titles, size_t n);   /* NULL: no memory */
struct table *table_free(struct table *t);
DEFINE_FREEP(struct table, table_free);
void table_cell(struct table *t, enum tone tone, const char *format, ...) _printf_(3, 4);
size_t table_rows(const struct table *t);
/* Prints the header and the rows; 0 or -ENOMEM (also for a cell that could not be added). */
int table_print(struct table *t, FILE *f, const struct term *term);
/* Lines that repeat the table's form (audit follow): no header, and the rows are then forgotten. */
int table_print_rows(struct table *t, FILE *f, const struct term *term);

/* "  Name:  value": one fact of a thing. */
void field_print(FILE *f, const struct term *t, const char *name, enum tone tone, const char *format, ...)
	_printf_(5, 6);

/* Times are microseconds since 1970 UTC; INT64_MAX is "forever". */
#define WHEN_TEXT 64
void when_text(int64_t usec, bool utc, char ret[WHEN_TEXT]);            /* "2026-11-23 19:13:16" (utc: "...Z") */
void when_relative(int64_t usec, int64_t now, char ret[WHEN_TEXT]);     /* "5 min ago", "in 89 days" */
/*
 * now · forever · @SECONDS · +8h, -2d (s m h d w) · 2026-11-23 · 2026-11-23 19:13[:16] · with T
 * between them and Z or +01:00 behind (RFC 3339; fractions are left out), else local time.  0 or -EINVAL.
 */
int when_parse(const char *s, int64_t now, int64_t *ret);

#endif
