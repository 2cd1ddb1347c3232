// SPDX-License-Identifier: GPL-2.0-or-later
#define _XOPEN_SOURCE 700 /* wcwidth */
#include "cli/format.h"

#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "lib/base/name.h"

#define TEXT_MAX 1024

void term_init(struct term *t, FILE *f)
{
	const char *no_colour = getenv("NO_COLOR"), *type = getenv("TERM");
	int fd = fileno(f);
	struct winsize ws;

	*t = (struct term){ .tty = fd >= 0 && isatty(fd) };
	t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t->colour = t->tty && !(no_colour && *no_colour) && type && strcmp(type, "dumb") != 0;
	if (t->tty && ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20)
		t->width = ws.ws_col;
}

/* Control characters out; in a locale without UTF-8 whatever is not ASCII as well. */
static void clean(const struct term *t, const char *s, char *ret, size_t size)
{
	char *to = ret;

	text_clean(s, strlen(s), ret, size);
	if (t->utf8)
		return;
	for (const char *p = ret; *p; p++)
		if ((unsigned char)*p < 0x80)
			*to++ = *p;
		else if (((unsigned char)*p & 0xc0) != 0x80)
			*to++ = '?';
	*to = '\0';
}

static void put(FILE *f, const struct term *t, enum tone tone, const char *s)
{
	static const char *const start[] = {
		[TONE_PLAIN] = "",	 [TONE_HEAD] = "\033[1m",  [TONE_GOOD] = "\033[32m",
		[TONE_BAD] = "\033[31m", [TONE_WARN] = "\033[33m", [TONE_DIM] = "\033[2m",
	};
	bool colour = t->colour && tone != TONE_PLAIN && *s;

	(void)fprintf(f, "%s%s%s", colour ? start[tone] : "", s, colour ? "\033[0m" : "");
}

void term_print(FILE *f, const struct term *t, enum tone tone, const char *format, ...)
{
	char raw[TEXT_MAX], text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	clean(t, raw, text, sizeof(text));
	put(f, t, tone, text);
}

const char *term_sign(const struct term *t, enum sign sign)
{
	static const char *const signs[][2] = {
		[SIGN_YES] = { "+", "✓" },
		[SIGN_NO] = { "x", "✗" },
		[SIGN_SKIPPED] = { "-", "–" },
	};

	return signs[sign][t->utf8];
}

/* Bytes and columns of the character at s; one of each for what this locale cannot read. */
static size_t next_char(const char *s, size_t *ret_columns)
{
	mbstate_t state = { 0 };
	wchar_t wc;
	size_t n = mbrtowc(&wc, s, strlen(s), &state);
	int w;

	*ret_columns = 1;
	if (n == 0 || n == (size_t)-1 || n == (size_t)-2)
		return 1;
	w = wcwidth(wc);
	*ret_columns = w < 0 ? 1 : (size_t)w;
	return n;
}

size_t text_columns(const char *s)
{
	size_t columns = 0, c;

	for (; *s; columns += c)
		s += next_char(s, &c);
	return columns;
}

void text_cut(const struct term *t, const char *s, size_t columns, char *ret, size_t size)
{
	const char *mark = t->utf8 ? "…" : "~";
	bool fits = text_columns(s) <= columns;
	size_t used = 0, n = 0, room = fits ? columns : columns - 1;

	while (*s) {
		size_t c, len = next_char(s, &c);

		if (used + c > room || n + len + strlen(mark) + 1 > size)
			break;
		memcpy(ret + n, s, len);
		n += len;
		used += c;
		s += len;
	}
	ret[n] = '\0';
	if (!fits && columns > 0)
		(void)strcpy(ret + n, mark);
}

/* --- tables --- */

struct cell {
	char *text;
	enum tone tone;
};

struct table {
	const char *const *titles;
	size_t n; /* columns */
	struct cell *cells;
	size_t n_cells;
	size_t cap;
	int error;
};

struct table *table_new(const char *const *titles, size_t n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t) {
		t->titles = titles;
		t->n = n;
	}
	return t;
}

static void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->n_cells; i++)
		free(t->cells[i].text);
	t->n_cells = 0;
}

struct table *table_free(struct table *t)
{
	if (t) {
		table_clear(t);
		free(t->cells);
		free(t);
	}
	return NULL;
}

void table_cell(struct table *t, enum tone tone, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (t->n_cells == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 64;
		struct cell *cells = reallocarray(t->cells, cap, sizeof(*cells));

		if (!cells) {
			t->error = -ENOMEM;
			return;
		}
		t->cells = cells;
		t->cap = cap;
	}
	t->cells[t->n_cells].tone = tone;
	t->cells[t->n_cells].text = strdup(*text ? text : "-");
	if (!t->cells[t->n_cells].text) {
		t->error = -ENOMEM;
		return;
	}
	t->n_cells++;
}

size_t table_rows(const struct table *t)
{
	return t->n_cells / t->n;
}

/* Takes columns from the widest until the line fits; none gets narrower than that of "abcdefgh". */
static void widths_fit(size_t *widths, size_t n, size_t room)
{
	enum { GAP = 2, NARROW = 8 };

	for (;;) {
		size_t sum = GAP * (n - 1), widest = 0;

		for (size_t i = 0; i < n; i++) {
			sum += widths[i];
			if (widths[i] > widths[widest])
				widest = i;
		}
		if (sum <= room || widths[widest] <= NARROW)
			return;
		widths[widest]--;
	}
}

static void row_put(FILE *f, const struct term *term, const struct cell *cells,
		    const size_t *widths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[TEXT_MAX];
		size_t columns;

		text_cut(term, cells[i].text, widths[i], text, sizeof(text));
		columns = text_columns(text);
		put(f, term, cells[i].tone, text);
		if (i + 1 < n)
			(void)fprintf(f, "%*s", (int)(widths[i] - columns + 2), "");
	}
	(void)fputc('\n', f);
}

static void header_put(FILE *f, const struct term *term, const struct table *t,
		       const size_t *widths)
{
	for (size_t i = 0; i < t->n; i++) {
		char text[TEXT_MAX];

		text_cut(term, t->titles[i], widths[i], text, sizeof(text));
		put(f, term, TONE_HEAD, text);
		if (i + 1 < t->n)
			(void)fprintf(f, "%*s", (int)(widths[i] - text_columns(text) + 2), "");
	}
	(void)fputc('\n', f);
}

static int print(struct table *t, FILE *f, const struct term *term, bool header)
{
	_cleanup_(freep) size_t *widths = calloc(t->n, sizeof(*widths));

	if (!widths || t->error < 0)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++)
		widths[i] = text_columns(t->titles[i]);
	for (size_t i = 0; i < t->n_cells; i++) {
		char text[TEXT_MAX];
		size_t columns;

		clean(term, t->cells[i].text, text, sizeof(text));
		(void)strcpy(t->cells[i].text,
			     text); /* never longer: cleaning replaces and drops */
		columns = text_columns(text);
		if (columns > widths[i % t->n])
			widths[i % t->n] = columns;
	}
	if (term->width > 0)
		widths_fit(widths, t->n, term->width);
	if (header)
		header_put(f, term, t, widths);
	for (size_t i = 0; i + t->n <= t->n_cells; i += t->n)
		row_put(f, term, t->cells + i, widths, t->n);
	return 0;
}

int table_print(struct table *t, FILE *f, const struct term *term)
{
	return print(t, f, term, true);
}

int table_print_rows(struct table *t, FILE *f, const struct term *term)
{
	int r = print(t, f, term, false);

	table_clear(t);
	return r;
}

void field_print(FILE *f, const struct term *t, const char *name, enum tone tone,
		 const char *format, ...)
{
	char raw[TEXT_MAX], text[TEXT_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(raw, sizeof(raw), format, ap);
	va_end(ap);
	clean(t, raw, text, sizeof(text));
	(void)fprintf(f, "%*s: ", 14, name);
	put(f, t, tone, *text ? text : "-");
	(void)fputc('\n', f);
}
