/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_STORE_LAB_H
#define TESTS_STORE_LAB_H

/* What the tests of daemon/store share: a store in a directory of its own, with its own clock. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "daemon/store/internal.h"

struct fixture {
	char dir[64];
	char path[96], generation[96];
	const char *ballast; /* NULL: none */
	struct clock clock;
	struct store *store;
	int64_t now;
};

int open_store(struct fixture *f, struct store **ret, const char **why);
int setup(void **state);
int teardown(void **state);
void reopen(struct fixture *f);
void add_identity(struct fixture *f, const char *name);
int64_t append(struct fixture *f, const char *kind);
struct event_check verified(struct fixture *f, size_t slice); /* the whole chain */
void raw(struct fixture *f, const char *sql);		      /* behind the closed store's back */
void shell(const char *format, ...) _printf_(1, 2);

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
