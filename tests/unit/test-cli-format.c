// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/format.h"

#define SEC INT64_C(1000000)
#define NOW (INT64_C(1800000000) * SEC) /* 2027-01-15 08:00:00 UTC */

static const struct term plain = { .utf8 = true };
static const struct term ascii = { .utf8 = false };
static const struct term narrow = { .tty = true, .utf8 = true, .width = 30 };
static const struct term colour = { .tty = true, .utf8 = true, .colour = true };

static char *table_text(const struct term *term, const char *a, const char *b, enum tone tone)
{
	static const char *const titles[] = { "NAME", "WHAT" };
	struct table *t = table_new(titles, ARRAY_SIZE(titles));
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	table_cell(t, tone, "%s", a);
	table_cell(t, TONE_PLAIN, "%s", b);
	assert_int_equal(table_rows(t), 1);
	assert_int_equal(table_print(t, f, term), 0);
	(void)fclose(f);
	table_free(t);
	return text;
}

static void expect_table(const struct term *term, const char *a, const char *b, enum tone tone,
			 const char *want)
{
	_cleanup_(freep) char *text = table_text(term, a, b, tone);

	assert_string_equal(text, want);
}

static void table_is_aligned(_unused_ void **state)
{
	expect_table(&plain, "alice", "x", TONE_PLAIN, "NAME   WHAT\nalice  x\n");
	expect_table(&plain, "", "x", TONE_PLAIN, "NAME  WHAT\n-     x\n");
	expect_table(&plain, "zoë", "x", TONE_PLAIN, "NAME  WHAT\nzoë   x\n");
	expect_table(&plain, "日本", "x", TONE_PLAIN, "NAME  WHAT\n日本  x\n");
}

static void table_is_cut_on_a_terminal_only(_unused_ void **state)
{
	const char *lengthy = "a very long text that does not fit there";

	expect_table(&narrow, "alice", lengthy, TONE_PLAIN,
		     "NAME   WHAT\nalice  a very long text that …\n");
	expect_table(&plain, "alice", lengthy, TONE_PLAIN,
		     "NAME   WHAT\nalice  a very long text that does not fit there\n");
}

static void control_characters_do_not_reach_the_terminal(_unused_ void **state)
{
	expect_table(&plain, "a\033[31mb", "x\ny\x7f", TONE_PLAIN,
		     "NAME     WHAT\na?[31mb  x?y?\n");
	expect_table(&plain, "a\xff", "\xe2\x80\xaex", TONE_PLAIN, "NAME  WHAT\na?    ?x\n");
	expect_table(&ascii, "zoë", "x", TONE_PLAIN, "NAME  WHAT\nzo?   x\n");
}

static void colours_only_where_they_are_wanted(_unused_ void **state)
{
	expect_table(&plain, "a", "b", TONE_BAD, "NAME  WHAT\na     b\n");
	expect_table(&colour, "a", "b", TONE_BAD,
		     "\033[1mNAME\033[0m  \033[1mWHAT\033[0m\n\033[31ma\033[0m     b\n");
}

static void a_file_is_no_terminal(_unused_ void **state)
{
	FILE *f = tmpfile();
	struct term t;

	term_init(&t, f);
	assert_false(t.tty);
	assert_false(t.colour);
	assert_int_equal(t.width, 0);
	(void)fclose(f);
}

static void text_is_cut_between_characters(_unused_ void **state)
{
	char out[32];

	text_cut(&plain, "abcdef", 6, out, sizeof(out));
	assert_string_equal(out, "abcdef");
	text_cut(&plain, "abcdef", 4, out, sizeof(out));
	assert_string_equal(out, "abc…");
	text_cut(&plain, "日本語", 4, out, sizeof(out));
	assert_string_equal(out, "日…");
	text_cut(&ascii, "abcdef", 4, out, sizeof(out));
	assert_string_equal(out, "abc~");
	text_cut(&plain, "abcdef", 40, out, 4);
	assert_true(strlen(out) < 4);
}

static void fields_are_one_line(_unused_ void **state)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	field_print(f, &plain, "Name", TONE_PLAIN, "%s", "a\nb");
	(void)fclose(f);
	assert_string_equal(text, "          Name: a?b\n");
}

/* --- times --- */

static void expect_time(const char *s, int64_t want)
{
	int64_t got = -1;

	assert_int_equal(when_parse(s, NOW, &got), 0);
	assert_int_equal(got, want);
}

static void times_are_read(_unused_ void **state)
{
	expect_time("now", NOW);
	expect_time("forever", INT64_MAX);
	expect_time("@1800000000", NOW);
	expect_time("+90s", NOW + 90 * SEC);
	expect_time("+2h", NOW + 7200 * SEC);
	expect_time("-1d", NOW - 86400 * SEC);
	expect_time("+1w", NOW + 7 * 86400 * SEC);
	expect_time("2027-01-15T08:00:00Z", NOW);
	expect_time("2027-01-15T08:00Z", NOW);
	expect_time("2027-01-15 08:00:00Z", NOW);
	expect_time("2027-01-15Z", NOW - 8 * 3600 * SEC);
	expect_time("2027-01-15 03:00:00", NOW); /* TZ is five hours behind */
	expect_time("2027-01-15", NOW - 3 * 3600 * SEC);
}

static void bad_times_are_refused(_unused_ void **state)
{
	static const char *const bad[] = { "",
					   "tomorrow",
					   "2027-02-30",
					   "2027-13-01",
					   "2027-01-15x",
					   "2027-01-15T25:00Z",
					   "8h",
					   "+8",
					   "+h",
					   "+8y",
					   "+8hh",
					   "@",
					   "@12x",
					   "--1d",
					   "+-1d",
					   "2027",
					   "+9999999999999999999d",
					   "+99999999999999w" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t got = 42;

		assert_int_equal(when_parse(bad[i], NOW, &got), -EINVAL);
		assert_int_equal(got, 42);
	}
}

static void times_are_shown(_unused_ void **state)
{
	char text[WHEN_TEXT];

	when_text(NOW, true, text);
	assert_string_equal(text, "2027-01-15 08:00:00Z");
	when_text(NOW, false, text);
	assert_string_equal(text, "2027-01-15 03:00:00");
	when_text(INT64_MAX, true, text);
	assert_string_equal(text, "forever");
	when_text(INT64_MAX - 1, true, text); /* a year that fits no int */
	assert_true(strlen(text) > 0);
}

static void times_are_compared(_unused_ void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "now" },	       { -5, "5 s ago" },
		{ -60, "1 min ago" },  { -7200, "2 hours ago" },
		{ 3600, "in 1 hour" }, { 89 * 86400 + 5, "in 89 days" },
	};
	char text[WHEN_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		when_relative(NOW + cases[i].seconds * SEC, NOW, text);
		assert_string_equal(text, cases[i].text);
	}
	when_relative(INT64_MAX, NOW, text);
	assert_string_equal(text, "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_aligned),
		cmocka_unit_test(table_is_cut_on_a_terminal_only),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(colours_only_where_they_are_wanted),
		cmocka_unit_test(a_file_is_no_terminal),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(fields_are_one_line),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(bad_times_are_refused),
		cmocka_unit_test(times_are_shown),
		cmocka_unit_test(times_are_compared),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setenv("TZ", "EST5", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
