// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/store-lab.h"

static int64_t fake_real(void *userdata)
{
	return ((struct fixture *)userdata)->now += 1000;
}

static uint64_t fake_boot(_unused_ void *userdata)
{
	return 1;
}

static struct clock clock_of(struct fixture *f)
{
	return (struct clock){ fake_boot, fake_real, f };
}

int open_store(struct fixture *f, struct store **ret, const char **why)
{
	f->clock = clock_of(f);
	return store_open(&(struct store_options){ .path = f->path,
						   .ballast = f->ballast,
						   .generation = f->generation,
						   .clock = &f->clock },
			  ret, why);
}

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 1700000000000000;
	strcpy(f->dir, "/tmp/test-store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	(void)snprintf(f->generation, sizeof(f->generation), "%s/generation", f->dir);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	*state = f;
	return 0;
}

void shell(const char *format, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	shell("rm -rf %s", f->dir);
	free(f);
	return 0;
}

void reopen(struct fixture *f)
{
	f->store = store_close(f->store);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
}

void add_identity(struct fixture *f, const char *name)
{
	struct identity identity;

	assert_int_equal(store_identity_add(f->store, name, "", 0, STORE_FOREVER, &identity), 0);
}

int64_t append(struct fixture *f, const char *kind)
{
	int64_t id;

	assert_int_equal(store_event_append(
				 f->store, &(struct event){ .kind = kind, .verdict = "deny" }, &id),
			 0);
	return id;
}

struct event_check verified(struct fixture *f, size_t slice)
{
	struct event_check c = { 0 };
	const uint8_t *head = NULL;
	uint8_t kept[SHA256_BYTES];

	do {
		assert_int_equal(store_event_verify(f->store, c.checked, head, slice, &c), 0);
		memcpy(kept, c.head, sizeof(kept));
		head = kept;
	} while (!c.done);
	return c;
}

void raw(struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
