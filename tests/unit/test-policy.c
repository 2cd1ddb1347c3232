// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/pki/policy.h"

/* Policies along paths made by hand: certificates here are only what is looked at of them. */

#define TEXT(s)                                                                                    \
	(struct view)                                                                              \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}
#define P_1 "\x30\x04\x06\x02\x2a\x01" /* PolicyInformation of 1.2.1, ... */
#define P_2 "\x30\x04\x06\x02\x2a\x02"
#define P_3 "\x30\x04\x06\x02\x2a\x03"
#define P_ANY "\x30\x06\x06\x04\x55\x1d\x20\x00"
#define MAP(a, b) "\x30\x08\x06\x02\x2a" a "\x06\x02\x2a" b
#define MAP_ANY "\x30\x0a\x06\x04\x55\x1d\x20\x00\x06\x02\x2a\x01"
#define NAME_A TEXT("\x30\x02\x31\x00")
#define NAME_B TEXT("\x30\x00")

struct row {
	struct view policies, mappings;
	int64_t require, inhibit_mapping, inhibit_any; /* IN(n); 0: none */
	bool self_issued;
};
#define C(...)                                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define IN(n) ((n) + 1)
#define P(p) .policies = TEXT(p)
#define M(m) .mappings = TEXT(m)

/* rows: from below the anchor down to the leaf */
static int judge(const struct row *rows, size_t n)
{
	struct cert certs[8];
	const struct cert *path[8];

	for (size_t i = 0; i < n; i++) {
		certs[i] = (struct cert){ .subject = NAME_A,
					  .issuer = rows[i].self_issued ? NAME_A : NAME_B,
					  .policies = rows[i].policies,
					  .policy_mappings = rows[i].mappings,
					  .require_explicit_policy = rows[i].require - 1,
					  .inhibit_mapping = rows[i].inhibit_mapping - 1,
					  .inhibit_any_policy = rows[i].inhibit_any - 1 };
		path[n - 1 - i] = &certs[i];
	}
	return policy_check(path, n, NULL);
}
#define JUDGE(...)                                                                                 \
	judge((const struct row[]){ __VA_ARGS__ },                                                 \
	      ARRAY_SIZE(((const struct row[]){ __VA_ARGS__ })))

static void nothing_is_asked(_unused_ void **state)
{
	assert_int_equal(JUDGE(C(.self_issued = false), C(.self_issued = false)), 0);
	assert_int_equal(JUDGE(C(P(P_1)), C(P(P_2))), 0);
	assert_int_equal(JUDGE(C(P(P_1), .inhibit_any = IN(0)), C(P(P_ANY))), 0);
}

static void explicit_policy(_unused_ void **state)
{
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(P(P_1))), 0);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(P(P_2 P_1))), 0);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(P(P_2))), -EPERM);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(.self_issued = false)), -EPERM);
	assert_int_equal(JUDGE(C(.require = IN(0)), C(P(P_1))), -EPERM); /* none above it */
	/* so many certificates later */
	assert_int_equal(JUDGE(C(.require = IN(1)), C(.self_issued = false)), -EPERM);
	assert_int_equal(JUDGE(C(.require = IN(2)), C(.self_issued = false)), 0);
	assert_int_equal(
		JUDGE(C(.require = IN(2)), C(.self_issued = false), C(.self_issued = false)),
		-EPERM);
	assert_int_equal(
		JUDGE(C(.require = IN(1)), C(.self_issued = true), C(.self_issued = false)),
		-EPERM);
	assert_int_equal(
		JUDGE(C(.require = IN(2)), C(.self_issued = true), C(.self_issued = false)), 0);
	/* what is lower holds, what is higher does not */
	assert_int_equal(JUDGE(C(.require = IN(0)), C(.require = IN(9)), C(.self_issued = false)),
			 -EPERM);
	assert_int_equal(JUDGE(C(.require = IN(9)), C(.require = IN(0)), C(.self_issued = false)),
			 -EPERM);
	/* the leaf's own */
	assert_int_equal(JUDGE(C(P(P_1)), C(.require = IN(0))), -EPERM);
	assert_int_equal(JUDGE(C(P(P_1)), C(P(P_1), .require = IN(0))), 0);
	assert_int_equal(JUDGE(C(P(P_1)), C(.require = IN(1))), 0);
}

static void any_policy(_unused_ void **state)
{
	assert_int_equal(JUDGE(C(P(P_ANY), .require = IN(0)), C(P(P_1))), 0);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(P(P_ANY))), 0);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(P(P_ANY)), C(P(P_1))), 0);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0)), C(P(P_ANY)), C(P(P_2))), -EPERM);
	/* inhibited */
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_any = IN(0)), C(P(P_ANY))),
			 -EPERM);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_any = IN(1)), C(P(P_ANY))), 0);
	assert_int_equal(
		JUDGE(C(P(P_1), .require = IN(0), .inhibit_any = IN(1)), C(P(P_1)), C(P(P_ANY))),
		-EPERM);
	/* but for a self-issued CA on the way, which does not count either */
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_any = IN(0)),
			       C(P(P_ANY), .self_issued = true), C(P(P_1))),
			 0);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_any = IN(0)),
			       C(P(P_ANY), .self_issued = true)),
			 -EPERM);
}

static void mappings(_unused_ void **state)
{
	assert_int_equal(JUDGE(C(P(P_1), M(MAP("\x01", "\x02")), .require = IN(0)), C(P(P_2))), 0);
	assert_int_equal(JUDGE(C(P(P_1), M(MAP("\x01", "\x02")), .require = IN(0)), C(P(P_1))),
			 -EPERM);
	assert_int_equal(
		JUDGE(C(P(P_1), M(MAP("\x01", "\x02") MAP("\x01", "\x03")), .require = IN(0)),
		      C(P(P_3))),
		0);
	assert_int_equal(JUDGE(C(P(P_1), M(MAP("\x03", "\x02")), .require = IN(0)), C(P(P_2))),
			 -EPERM);
	/* from what anyPolicy stands for */
	assert_int_equal(JUDGE(C(P(P_ANY), M(MAP("\x01", "\x02")), .require = IN(0)), C(P(P_2))),
			 0);
	/* twice */
	assert_int_equal(JUDGE(C(P(P_1), M(MAP("\x01", "\x02")), .require = IN(0)),
			       C(P(P_2), M(MAP("\x02", "\x03"))), C(P(P_3))),
			 0);
	/* inhibited: the policy is gone */
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_mapping = IN(0)),
			       C(P(P_1), M(MAP("\x01", "\x02"))), C(P(P_2))),
			 -EPERM);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_mapping = IN(0)),
			       C(P(P_1), M(MAP("\x01", "\x02"))), C(P(P_1))),
			 -EPERM);
	assert_int_equal(JUDGE(C(P(P_1), .require = IN(0), .inhibit_mapping = IN(1)),
			       C(P(P_1), M(MAP("\x01", "\x02"))), C(P(P_2))),
			 0);
	/* nobody maps anyPolicy, asked for or not (RFC 5280 6.1.4 (a)) */
	assert_int_equal(JUDGE(C(P(P_1), M(MAP_ANY)), C(.self_issued = false)), -EPERM);
}

/* What grows a tree without bound elsewhere. */
static void work_is_bounded(_unused_ void **state)
{
	static uint8_t maps[10 * (POLICY_MAX_EXPECTED + 1)], many[6 * (POLICY_MAX_NODES + 1)];
	struct row rows[2] = { C(P(P_1), .require = IN(0)), C(P(P_1)) };
	size_t n = 0;

	for (unsigned i = 0; i <= POLICY_MAX_EXPECTED; i++)
		for (size_t j = 0; j < 10; j++)
			maps[n++] = j == 9 ? (uint8_t)(i + 1)
					   : ((const uint8_t *)MAP("\x01", "\x00"))[j];
	rows[0].mappings = (struct view){ maps, sizeof(maps) };
	assert_int_equal(judge(rows, 2), -E2BIG);
	rows[0].mappings.n -= 10;
	assert_int_equal(judge(rows, 2), 0);
	n = 0;
	for (unsigned i = 0; i <= POLICY_MAX_NODES; i++)
		for (size_t j = 0; j < 6; j++)
			many[n++] = j == 5 ? (uint8_t)(i + 1) : ((const uint8_t *)P_1)[j];
	rows[0].policies = (struct view){ many, sizeof(many) };
	assert_int_equal(judge(rows, 2), -E2BIG);
	rows[0].policies.n -= 6;
	assert_int_equal(judge(rows, 2), 0);
}

static void syntax(_unused_ void **state)
{
	static const struct {
		int (*read)(struct view value, struct cert *c);
		struct view value;
		int r;
	} rows[] = {
		{ policy_read_policies, TEXT("\x30\x06" P_1), 0 },
		{ policy_read_policies, TEXT("\x30\x0c" P_1 P_2), 0 },
		{ policy_read_policies, TEXT("\x30\x0c" P_1 P_1), -EBADMSG }, /* twice */
		{ policy_read_policies, TEXT("\x30\x00"), -EBADMSG },
		{ policy_read_policies, TEXT("\x30\x06" P_1 "\x05"), -EBADMSG },
		{ policy_read_policies, TEXT("\x30\x02\x30\x00"), -EBADMSG },
		{ policy_read_mappings, TEXT("\x30\x0a" MAP("\x01", "\x02")), 0 },
		{ policy_read_mappings, TEXT("\x30\x00"), -EBADMSG },
		{ policy_read_mappings, TEXT("\x30\x06" P_1), -EBADMSG },
		{ policy_read_constraints, TEXT("\x30\x03\x80\x01\x05"), 0 },
		{ policy_read_constraints, TEXT("\x30\x03\x81\x01\x05"), 0 },
		{ policy_read_constraints, TEXT("\x30\x06\x80\x01\x00\x81\x01\x05"), 0 },
		{ policy_read_constraints, TEXT("\x30\x00"), -EBADMSG },
		{ policy_read_constraints, TEXT("\x30\x03\x82\x01\x05"), -EBADMSG },
		{ policy_read_constraints, TEXT("\x30\x03\x80\x01\xff"), -EBADMSG }, /* negative */
		{ policy_read_constraints, TEXT("\x30\x04\x80\x02\x00\x05"),
		  -EBADMSG }, /* not minimal */
		{ policy_read_constraints, TEXT("\x30\x02\x80\x00"), -EBADMSG },
		{ policy_read_inhibit_any, TEXT("\x02\x01\x05"), 0 },
		{ policy_read_inhibit_any, TEXT("\x02\x08\x7f\xff\xff\xff\xff\xff\xff\xff"), 0 },
		{ policy_read_inhibit_any, TEXT("\x02\x01\x05\x05\x00"), -EBADMSG },
		{ policy_read_inhibit_any, TEXT("\x02\x01\x80"), -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cert c = { 0 };

		if (rows[i].read(rows[i].value, &c) != rows[i].r)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_asked), cmocka_unit_test(explicit_policy),
		cmocka_unit_test(any_policy),	    cmocka_unit_test(mappings),
		cmocka_unit_test(work_is_bounded),  cmocka_unit_test(syntax),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
