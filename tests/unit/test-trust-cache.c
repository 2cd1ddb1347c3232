// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/pki/trust-cache.h"

/* Paths are told apart by their anchor's number, keys by a number in their first octets. */

#define MAX 8

static int setup(void **state)
{
	struct trust_cache *c = NULL;

	assert_int_equal(trust_cache_new(MAX, &c), 0);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	trust_cache_free(*state);
	return 0;
}

struct key {
	uint8_t b[SHA256_BYTES];
};

static struct key key_of(uint32_t n)
{
	struct key k = { 0 };

	memcpy(k.b, &n, sizeof(n));
	return k;
}

static void add(struct trust_cache *c, uint32_t n, int64_t anchor, int64_t not_after)
{
	const struct path p = { .anchor = anchor, .not_after = not_after };

	assert_int_equal(trust_cache_add(c, key_of(n).b, &p), 0);
}

/* The anchor of what is found; 0: nothing. */
static int64_t find(struct trust_cache *c, uint32_t n, int64_t now)
{
	const struct path *p = trust_cache_find(c, key_of(n).b, now);

	return p ? p->anchor : 0;
}

static void sizes_that_cannot_be(void **state)
{
	struct trust_cache *c = NULL;

	(void)state;
	assert_int_equal(trust_cache_new(0, &c), -EINVAL);
	assert_int_equal(trust_cache_new(UINT32_MAX, &c), -EINVAL);
	assert_null(c);
	assert_null(trust_cache_free(NULL));
}

static void size_of_one(void **state)
{
	_cleanup_(trust_cache_freep) struct trust_cache *c = NULL;

	(void)state;
	assert_int_equal(trust_cache_new(1, &c), 0);
	add(c, 1, 11, 100);
	add(c, 2, 12, 100);
	assert_int_equal(trust_cache_size(c), 1);
	assert_int_equal(find(c, 1, 0), 0);
	assert_int_equal(find(c, 2, 0), 12);
}

static void whole_path_is_kept(void **state)
{
	struct path p = { .anchor = 3, .not_before = 4, .not_after = 5, .n_issuers = 1 };
	const struct path *found;

	p.issuers[0][31] = 6;
	p.leaf_fault = LEAF_EKU;
	assert_int_equal(trust_cache_add(*state, key_of(1).b, &p), 0);
	found = trust_cache_find(*state, key_of(1).b, 5);
	assert_non_null(found);
	assert_ptr_not_equal(found, &p);
	assert_memory_equal(found, &p, sizeof(p));
}

/* The key is the whole digest: every octet counts, above all those that the hash does not see. */
static void only_the_very_leaf_hits(void **state)
{
	add(*state, 1, 11, 100);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		struct key k = key_of(1);

		k.b[i] ^= 0x80;
		assert_null(trust_cache_find(*state, k.b, 0));
	}
	assert_int_equal(find(*state, 1, 0), 11);
}

/* All in one bucket: MAX buckets, so the hash's low bits are the same. */
static void one_bucket_holds_all(void **state)
{
	struct trust_cache *c = *state;

	for (uint32_t i = 1; i <= MAX; i++)
		add(c, i * MAX, i, 100);
	for (uint32_t i = 1; i <= MAX; i++)
		assert_int_equal(find(c, i * MAX, 0), i);
	/* taken out of the end, the middle and the front of the bucket's chain */
	assert_int_equal(find(c, MAX, 0), 1);
	assert_int_equal(find(c, 2 * MAX, 0), 2);
	for (uint32_t i = 1; i <= MAX - 2; i++)
		add(c, 1000 * MAX + i * MAX, 100 + i, 100);
	for (uint32_t i = 3; i <= MAX; i++)
		assert_int_equal(find(c, i * MAX, 0), 0);
	assert_int_equal(find(c, MAX, 0), 1);
	assert_int_equal(find(c, 2 * MAX, 0), 2);
	for (uint32_t i = 1; i <= MAX - 2; i++)
		assert_int_equal(find(c, 1000 * MAX + i * MAX, 0), 100 + i);
}

static void longest_unused_goes_first(void **state)
{
	struct trust_cache *c = *state;

	for (uint32_t i = 1; i <= MAX; i++)
		add(c, i, i, 100);
	assert_int_equal(find(c, 1, 0), 1); /* now the oldest is 2 */
	assert_int_equal(find(c, 5, 0), 5); /* from the middle */
	assert_int_equal(find(c, 5, 0), 5); /* the newest itself */
	add(c, 20, 20, 100);
	assert_int_equal(find(c, 2, 0), 0);
	add(c, 21, 21, 100);
	assert_int_equal(find(c, 3, 0), 0);
	assert_int_equal(find(c, 1, 0), 1);
	assert_int_equal(find(c, 5, 0), 5);
	assert_int_equal(trust_cache_size(c), MAX);
}

static void never_after_the_end(void **state)
{
	add(*state, 1, 11, 100);
	assert_int_equal(find(*state, 1, 100), 11);
	assert_int_equal(find(*state, 1, 101), 0);
	assert_int_equal(find(*state, 1, 100), 11); /* a clock that was set back */
}

/* A chain that begins later must not stand in the way of one that is good now. */
static void never_before_the_beginning(void **state)
{
	const struct path p = { .anchor = 11, .not_before = 50, .not_after = 100 };

	assert_int_equal(trust_cache_add(*state, key_of(1).b, &p), 0);
	assert_int_equal(find(*state, 1, 49), 0);
	assert_int_equal(find(*state, 1, 50), 11);
	add(*state, 1, 12, 100);
	assert_int_equal(find(*state, 1, 49), 12);
}

/* To be asked for does not keep an expired one alive. */
static void expired_is_not_used(void **state)
{
	struct trust_cache *c = *state;

	add(c, 1, 1, 10);
	for (uint32_t i = 2; i <= MAX; i++)
		add(c, i, i, 100);
	assert_int_equal(find(c, 1, 50), 0);
	add(c, 20, 20, 100);
	assert_int_equal(find(c, 1, 0), 0);
	assert_int_equal(find(c, 2, 0), 2);
}

/* The same leaf with another chain, or after its anchor's renewal: the later path is the one. */
static void added_again_is_replaced(void **state)
{
	add(*state, 1, 11, 10);
	add(*state, 1, 12, 100);
	assert_int_equal(trust_cache_size(*state), 1);
	assert_int_equal(find(*state, 1, 50), 12);
}

static void only_good_paths_are_kept(void **state)
{
	for (int f = PATH_GOOD + 1; f <= PATH_CA_EKU; f++) {
		const struct path p = { .fault = (enum path_fault)f, .not_after = 100 };

		assert_int_equal(trust_cache_add(*state, key_of(1).b, &p), -EINVAL);
	}
	assert_int_equal(trust_cache_size(*state), 0);
	assert_int_equal(find(*state, 1, 0), 0);
}

/* A known leaf stays what it was when a bad path comes for it. */
static void bad_path_does_not_replace_a_good_one(void **state)
{
	const struct path bad = { .fault = PATH_NOT_CA, .anchor = 12, .not_after = 200 };

	add(*state, 1, 11, 100);
	assert_int_equal(trust_cache_add(*state, key_of(1).b, &bad), -EINVAL);
	assert_int_equal(find(*state, 1, 0), 11);
	assert_int_equal(find(*state, 1, 150), 0);
}

static void cleared_knows_nothing(void **state)
{
	struct trust_cache *c = *state;

	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 1; i <= 2 * MAX; i++)
			add(c, i, 10 * round + i, 100);
		assert_int_equal(find(c, 2 * MAX, 0), 10 * round + 2 * MAX);
		trust_cache_clear(c);
		assert_int_equal(trust_cache_size(c), 0);
		for (uint32_t i = 1; i <= 2 * MAX; i++)
			assert_int_equal(find(c, i, 0), 0);
	}
}

/* Against a plain list of what was used in which order, over many adds and finds. */
static void same_as_a_list(void **state)
{
	struct trust_cache *c = *state;
	uint32_t list[MAX], n = 0, x = 1;

	for (unsigned step = 0; step < 20000; step++) {
		uint32_t key, at = 0;

		x = x * 1103515245 + 12345;
		key = x >> 16 & 31;
		while (at < n && list[at] != key)
			at++;
		if (x & 1 << 30) {
			assert_int_equal(find(c, key, 0), at < n ? key + 1 : 0);
			if (at == n)
				continue;
		} else {
			add(c, key, key + 1, 100);
			/* replacing is not using */
			if (at < n)
				continue;
			n += n < MAX;
			at = n - 1;
		}
		memmove(list + 1, list, at * sizeof(*list));
		list[0] = key;
		assert_int_equal(trust_cache_size(c), n);
	}
}

/* It starts small, and holds no more than `max` entries' memory however much comes. */
static void memory_is_bounded(void **state)
{
	_cleanup_(trust_cache_freep) struct trust_cache *c = NULL;
	const size_t max = 3000;
	struct mallinfo2 before = mallinfo2(), now;

	(void)state;
	assert_int_equal(trust_cache_new(max, &c), 0);
	now = mallinfo2();
	assert_true(now.uordblks + now.hblkhd - before.uordblks - before.hblkhd < 64 * 1024);
	for (uint32_t i = 0; i < 5 * max; i++) {
		add(c, i, i + 1, 100);
		assert_int_equal(trust_cache_size(c), i < max ? i + 1 : max);
	}
	now = mallinfo2();
	assert_true(now.uordblks + now.hblkhd - before.uordblks - before.hblkhd <
		    max * (sizeof(struct path) + 128));
	for (uint32_t i = 0; i < 5 * max; i++)
		assert_int_equal(find(c, i, 0), i < 4 * max ? 0 : i + 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(sizes_that_cannot_be),     T(size_of_one),
		T(whole_path_is_kept),	     T(only_the_very_leaf_hits),
		T(one_bucket_holds_all),     T(longest_unused_goes_first),
		T(never_after_the_end),	     T(never_before_the_beginning),
		T(expired_is_not_used),	     T(added_again_is_replaced),
		T(only_good_paths_are_kept), T(bad_path_does_not_replace_a_good_one),
		T(cleared_knows_nothing),    T(same_as_a_list),
		T(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
