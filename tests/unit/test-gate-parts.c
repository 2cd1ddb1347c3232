// SPDX-License-Identifier: GPL-2.0-or-later
/* The gate's small parts: whose connection, and is the hello here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/gate/budget.h"
#include "daemon/gate/peek.h"
#include "lib/base/cleanup.h"
#include "lib/base/limits.h"

/* --- sources --- */

static struct source_key key_of_v6(const char *text)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct source_key key;

	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	memcpy(&address, &in6, sizeof(in6));
	assert_int_equal(source_key_of(-1, &address, &key), 0);
	return key;
}

static void source_texts(_unused_ void **state)
{
	struct source_key key;
	char text[SOURCE_TEXT_SIZE];

	key = key_of_v6("2001:db8:1:2:3:4:5:6");
	source_key_text(&key, text);
	assert_string_equal(text, "2001:db8:1:2::/64");
	key = key_of_v6("::ffff:192.0.2.7");
	source_key_text(&key, text);
	assert_string_equal(text, "192.0.2.7");
}

static void source_of_ipv6_is_its_network(_unused_ void **state)
{
	const struct source_key a = key_of_v6("2001:db8:1:2::1"),
				b = key_of_v6("2001:db8:1:2:ffff::"),
				c = key_of_v6("2001:db8:1:3::1");

	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
}

static void source_of_a_uid(_unused_ void **state)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	struct source_key key;
	char text[SOURCE_TEXT_SIZE], wanted[SOURCE_TEXT_SIZE];
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(source_key_of(fds[0], &address, &key), 0);
	source_key_text(&key, text);
	(void)snprintf(wanted, sizeof(wanted), "uid %u", getuid());
	assert_string_equal(text, wanted);
	assert_true(source_key_of(-1, &address, &key) < 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* --- turns --- */

static struct source_key uid(uint32_t n)
{
	struct source_key key = { .kind = SOURCE_UID };

	memcpy(key.bytes, &n, sizeof(n));
	return key;
}

static void enter(struct budget *b, uint32_t n, struct charge *charges, size_t count)
{
	const struct source_key key = uid(n);

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(budget_enter(b, &key, &charges[i]), 0);
		budget_wait(b, &charges[i]);
	}
}

static void sources_take_turns(_unused_ void **state)
{
	struct budget b;
	struct charge a[3], c[2];

	budget_init(&b, 10);
	enter(&b, 1, a, 3);
	enter(&b, 2, c, 2);
	assert_ptr_equal(budget_next(&b), &a[0]);
	assert_ptr_equal(budget_next(&b), &c[0]);
	assert_ptr_equal(budget_next(&b), &a[1]);
	assert_ptr_equal(budget_next(&b), &c[1]);
	assert_ptr_equal(budget_next(&b), &a[2]);
	assert_null(budget_next(&b));
	for (size_t i = 0; i < 3; i++)
		budget_leave(&b, &a[i]);
	for (size_t i = 0; i < 2; i++)
		budget_leave(&b, &c[i]);
	budget_leave(&b, &c[0]); /* again: nothing */
	assert_int_equal(b.n + b.n_working, 0);
	assert_null(budget_greediest(&b));
}

static void so_many_at_work(_unused_ void **state)
{
	struct budget b;
	struct charge a[4];

	budget_init(&b, 2);
	enter(&b, 1, a, 4);
	assert_ptr_equal(budget_next(&b), &a[0]);
	assert_ptr_equal(budget_next(&b), &a[1]);
	assert_null(budget_next(&b));
	budget_rest(&b, &a[0]);
	budget_rest(&b, &a[0]);
	assert_ptr_equal(budget_next(&b), &a[2]);
	assert_null(budget_next(&b));
	budget_leave(&b, &a[3]); /* out of the line */
	budget_leave(&b, &a[1]);
	assert_null(budget_next(&b));
	budget_leave(&b, &a[0]);
	budget_leave(&b, &a[2]);
	assert_int_equal(b.n, 0);
}

static void greediest(_unused_ void **state)
{
	struct budget b;
	struct charge one[1], three[3], three_too[3];

	budget_init(&b, 2);
	enter(&b, 1, one, 1);
	assert_ptr_equal(budget_greediest(&b), &one[0]);
	enter(&b, 2, three, 3);
	assert_ptr_equal(budget_greediest(&b), &three[0]);
	enter(&b, 3, three_too, 3);
	assert_ptr_equal(budget_greediest(&b), &three[0]); /* equals: the oldest */
	budget_leave(&b, &three[0]);
	assert_ptr_equal(budget_greediest(&b), &three_too[0]);
	budget_leave(&b, &one[0]);
	for (size_t i = 0; i < 3; i++) {
		budget_leave(&b, &three[i]);
		budget_leave(&b, &three_too[i]);
	}
	assert_null(budget_greediest(&b));
}

/* --- the hello --- */

/* n bytes of handshake, in records of `piece` */
static size_t make_records(uint8_t *out, const uint8_t *in, size_t n, size_t piece)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i += piece) {
		size_t k = n - i < piece ? n - i : piece;
		const uint8_t header[5] = { 22, 3, 1, (uint8_t)(k >> 8), (uint8_t)k };

		memcpy(out + at, header, 5);
		memcpy(out + at + 5, in + i, k);
		at += 5 + k;
	}
	return at;
}

static void peek_every_cut(_unused_ void **state)
{
	static uint8_t hello[1000] = { 1, 0, 3, 0xe4 }, records[10000];

	for (size_t piece = 1; piece <= sizeof(hello); piece = piece * 2 + 1) {
		size_t n = make_records(records, hello, sizeof(hello), piece);
		struct peek peek = { 0 };

		for (size_t k = 0; k < n; k++)
			assert_int_equal(peek_hello(&peek, &(struct view){ records, k }),
					 PEEK_MORE);
		assert_int_equal(peek_hello(&peek, &(struct view){ records, n }), PEEK_HELLO);
		/* the same at once */
		peek = (struct peek){ 0 };
		assert_int_equal(peek_hello(&peek, &(struct view){ records, n }), PEEK_HELLO);
	}
}

static enum peek_result peek_bytes(const void *p, size_t n)
{
	struct peek peek = { 0 };
	_cleanup_(freep) uint8_t *copy = malloc(n);

	assert_non_null(copy);
	memcpy(copy, p, n); /* exactly so many: a read beyond them shows */
	return peek_hello(&peek, &(struct view){ copy, n });
}

static void peek_odd(_unused_ void **state)
{
	assert_int_equal(peek_bytes("G", 1), PEEK_ODD);
	assert_int_equal(peek_bytes("\x16", 1), PEEK_MORE);
	assert_int_equal(peek_bytes("\x16\x03\x01\0\0", 5), PEEK_ODD);
	assert_int_equal(peek_bytes("\x16\x03\x01\x40\x01", 5), PEEK_ODD);
	assert_int_equal(peek_bytes("\x16\x03\x01\x40\0", 5), PEEK_MORE);
	assert_int_equal(peek_bytes("\x16\x03\x01\0\x01\x02", 6), PEEK_ODD); /* a ServerHello */
	assert_int_equal(peek_bytes("\x16\x03\x01\0\x01\x01", 6), PEEK_MORE);
	assert_int_equal(peek_bytes("\x16\x03\x01\0\x01\x01\x15", 7), PEEK_ODD);
	assert_int_equal(peek_bytes("\x16\x03\x01\0\x04\x01\0\0\0", 9), PEEK_HELLO);
}

static void peek_length(_unused_ void **state)
{
	const size_t most = LIMIT_HELLO_BYTES - 4;
	uint8_t head[9] = { 22, 3, 1, 0, 4, 1, 0, (uint8_t)(most >> 8), (uint8_t)most };

	assert_int_equal(peek_bytes(head, sizeof(head)), PEEK_MORE);
	head[7] = (uint8_t)((most + 1) >> 8);
	head[8] = (uint8_t)(most + 1);
	assert_int_equal(peek_bytes(head, sizeof(head)), PEEK_ODD);
	memcpy(head + 6, "\xff\xff\xff", 3);
	assert_int_equal(peek_bytes(head, sizeof(head)), PEEK_ODD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_texts),	   cmocka_unit_test(source_of_ipv6_is_its_network),
		cmocka_unit_test(source_of_a_uid), cmocka_unit_test(sources_take_turns),
		cmocka_unit_test(so_many_at_work), cmocka_unit_test(greediest),
		cmocka_unit_test(peek_every_cut),  cmocka_unit_test(peek_odd),
		cmocka_unit_test(peek_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
