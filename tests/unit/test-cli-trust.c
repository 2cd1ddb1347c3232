// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cli/file.h"
#include "cli/trust.h"

#define PIN "sha256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static char dir[] = "/tmp/certlogin-trust-XXXXXX";
static char path[PATH_SIZE];

static int setup(_unused_ void **state)
{
	return mkdtemp(dir) && path_join(path, dir, "sub/trust") == 0 ? 0 : -1;
}

static int teardown(_unused_ void **state)
{
	char sub[PATH_SIZE];

	(void)path_join(sub, dir, "sub");
	(void)unlink(path);
	(void)rmdir(sub);
	return rmdir(dir);
}

static void pin_roundtrip(_unused_ void **state)
{
	char text[PIN_TEXT_SIZE];
	uint8_t pin[SHA256_BYTES];

	assert_int_equal(pin_parse(PIN, pin), 0);
	assert_int_equal(pin[31], 31);
	pin_format(pin, text);
	assert_string_equal(text, PIN);
}

static void bad_pins_are_refused(_unused_ void **state)
{
	static const char *const bad[] = { "",
					   "sha256:",
					   "sha256:AAEC",
					   "sha1:AAEC",
					   PIN "=",
					   PIN "AAAA",
					   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" };
	uint8_t pin[SHA256_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(pin_parse(bad[i], pin) < 0);
}

static void hosts_are_normalised(_unused_ void **state)
{
	char host[256];

	assert_int_equal(host_normalise("DB1.Example.ORG", host), 0);
	assert_string_equal(host, "db1.example.org");
	assert_int_equal(host_normalise("2001:DB8::1", host), 0);
	assert_int_equal(host_normalise("", host), -EINVAL);
	assert_int_equal(host_normalise("a b", host), -EINVAL);
	assert_int_equal(host_normalise("-x", host), -EINVAL);
	assert_int_equal(host_normalise("a\nb pin x", host), -EINVAL);
}

static int load(const char *text, struct trust_file *t, unsigned *line)
{
	char sub[PATH_SIZE];

	(void)path_join(sub, dir, "sub");
	assert_int_equal(dir_make(sub, 0700), 0);
	assert_int_equal(file_write(path, 0600, text, strlen(text)), 0);
	return trust_load(path, t, line);
}

static void one_bad_line_spoils_the_file(_unused_ void **state)
{
	static const char *const bad[] = { "x pin",
					   "x",
					   "x pin garbage",
					   "x ca AAAA",
					   "x other " PIN,
					   "x pin " PIN " more",
					   "a pin " PIN "\nA pin " PIN };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct trust_file t = { 0 };
		char text[512];
		unsigned line;

		(void)snprintf(text, sizeof(text), "# comment\n\ngood pin " PIN "\n%s\n", bad[i]);
		assert_int_equal(load(text, &t, &line), -EBADMSG);
		assert_int_equal(line, i + 1 == ARRAY_SIZE(bad) ? 5 : 4);
		assert_int_equal(t.n, 0);
	}
}

static void set_save_load_forget(_unused_ void **state)
{
	_cleanup_(trust_deinitp) struct trust_file t = { 0 }, back = { 0 };
	struct trust_entry a = { .host = "a", .pinned = true, .pin = { 1 } },
			   b = { .host = "b", .pinned = true };
	unsigned line;
	struct stat st;

	assert_int_equal(trust_set(&t, &a), 0);
	assert_int_equal(trust_set(&t, &b), 0);
	a.pin[0] = 2;
	assert_int_equal(trust_set(&t, &a), 0); /* replaces */
	assert_int_equal(t.n, 2);
	assert_int_equal(trust_save(path, &t), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(trust_load(path, &back, &line), 0);
	assert_int_equal(back.n, 2);
	assert_non_null(trust_find(&back, "a"));
	assert_int_equal(trust_find(&back, "a")->pin[0], 2);
	assert_null(trust_find(&back, "c"));
	assert_true(trust_forget(&back, "a"));
	assert_false(trust_forget(&back, "a"));
	assert_null(trust_find(&back, "a"));
	assert_non_null(trust_find(&back, "b"));
}

static void no_file_trusts_nobody(_unused_ void **state)
{
	struct trust_file t = { .n = 7 };
	unsigned line;

	assert_int_equal(trust_load("/nonexistent/trust", &t, &line), 0);
	assert_int_equal(t.n, 0);
}

static void new_files_never_replace(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	struct stat st;

	(void)unlink(path);
	assert_int_equal(file_write_new(path, 0600, "one", 3), 0);
	assert_int_equal(file_write_new(path, 0644, "two", 3), -EEXIST);
	assert_int_equal(file_read(path, &text), 0);
	assert_string_equal((const char *)text.p, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_nlink, 1); /* nothing is left behind */
}

static void large_files_are_refused(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };

	assert_int_equal(file_read("/dev/zero", &text), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pin_roundtrip),
		cmocka_unit_test(bad_pins_are_refused),
		cmocka_unit_test(hosts_are_normalised),
		cmocka_unit_test(one_bad_line_spoils_the_file),
		cmocka_unit_test(set_save_load_forget),
		cmocka_unit_test(no_file_trusts_nobody),
		cmocka_unit_test(new_files_never_replace),
		cmocka_unit_test(large_files_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
