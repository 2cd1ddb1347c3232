// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/admin-lab.h"

/* Facts from a real store and real certificates. */

static int setup(void **state)
{
	struct lab *lab = lab_new();

	lab_anchor(lab, "ca", lab->ca_cert);
	lab_identity(lab, "alice");
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static void gather(struct lab *lab, const struct cert *leaf, const char *account,
		   const char *service, struct gather *ret)
{
	assert_int_equal(
		gather_facts(&lab->a, &leaf, leaf ? 1 : 0, account, service, lab->now, ret), 0);
}

static void all_facts_of_an_enrolled_one(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *alice = lab_person(&lab->ca, "alice");
	_cleanup_(gather_deinit) struct gather g;

	lab_enroll(lab, "alice", alice);
	lab_allow(lab, "alice", "db", "sudo");
	lab_allow(lab, "alice", "db", "@elevate");
	lab_allow(lab, "alice", "db", "@app");
	gather(lab, alice, "db", "sudo", &g);
	assert_ptr_equal(g.facts.leaf, alice);
	assert_int_equal(g.facts.now, lab->now);
	assert_string_equal(g.facts.account, "db");
	assert_int_equal(g.facts.path->fault, PATH_GOOD);
	assert_string_equal(g.facts.owner->identity_name, "alice");
	assert_int_equal(g.facts.service->class, CLASS_ELEVATE);
	assert_int_equal(g.facts.n_access, 2);
	assert_true(g.facts.account_known_to_identity);
	/* what only the caller can know is not claimed */
	assert_false(g.facts.proven);
	assert_int_equal(g.facts.via, 0);
	assert_false(g.facts.hand_carried);
}

static void absent_rows_are_absent(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *alice = lab_person(&lab->ca, "alice");
	_cleanup_(gather_deinit) struct gather g;

	gather(lab, alice, "db", "nothing", &g);
	assert_null(g.facts.owner);
	assert_null(g.facts.service);
	assert_int_equal(g.facts.n_access, 0);
	assert_false(g.facts.account_known_to_identity);
}

static void no_certificate_has_no_facts(void **state)
{
	_cleanup_(gather_deinit) struct gather g;

	gather(*state, NULL, "db", "sudo", &g);
	assert_null(g.facts.leaf);
	assert_null(g.facts.path);
	assert_null(g.facts.owner);
	assert_non_null(g.facts.service);
}

static void account_is_known_through_another_service(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *alice = lab_person(&lab->ca, "alice");
	_cleanup_(gather_deinit) struct gather g;

	lab_enroll(lab, "alice", alice);
	lab_allow(lab, "alice", "db", "sshd");
	gather(lab, alice, "db", "sudo", &g);
	assert_int_equal(g.facts.n_access, 0);
	assert_true(g.facts.account_known_to_identity);
}

static void good_path_is_remembered_until_trust_changes(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *alice = lab_person(&lab->ca, "alice");
	struct gather g;

	for (int i = 0; i < 2; i++) {
		gather(lab, alice, "db", "sudo", &g);
		assert_int_equal(g.facts.path_remembered, i);
		assert_int_equal(g.facts.path->fault, PATH_GOOD);
		gather_deinit(&g);
	}
	assert_int_equal(store_anchor_remove(lab->a.store, "ca"), 0);
	assert_int_equal(authority_trust_changed(&lab->a), 0);
	gather(lab, alice, "db", "sudo", &g);
	assert_false(g.facts.path_remembered);
	assert_int_equal(g.facts.path->fault, PATH_NO_ANCHOR);
	gather_deinit(&g);
}

/* With another chain it may lead to an anchor that takes it. */
static void faulty_leaf_is_not_remembered(void **state)
{
	struct lab *lab = *state;
	const struct cert_spec none = { .cn = "alice",
					.not_before = LAB_NOW - DAY,
					.not_after = LAB_NOW + DAY };
	_cleanup_(cert_freep) struct cert *leaf = lab_leaf(&lab->ca, &none, NULL);
	struct gather g;

	for (int i = 0; i < 2; i++) {
		gather(lab, leaf, "db", "sudo", &g);
		assert_int_equal(g.facts.path->leaf_fault, LEAF_EKU_MISSING);
		assert_false(g.facts.path_remembered);
		gather_deinit(&g);
	}
}

static void strangers_are_not_remembered(void **state)
{
	struct lab *lab = *state;
	_cleanup_(issuer_deinitp) struct issuer other = { 0 };
	_cleanup_(cert_freep) struct cert *other_cert = NULL, *leaf = NULL;
	struct gather g;

	lab_make_ca(&other, "Other CA", &other_cert);
	leaf = lab_person(&other, "alice");
	for (int i = 0; i < 2; i++) {
		gather(lab, leaf, "db", "sudo", &g);
		assert_false(g.facts.path_remembered);
		assert_int_equal(g.facts.path->fault, PATH_NO_ANCHOR);
		gather_deinit(&g);
	}
	assert_int_equal(trust_cache_size(lab->a.cache), 0);
}

static void remembered_path_still_expires(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *alice = lab_person(&lab->ca, "alice");
	struct verdict v;
	struct gather g;

	gather(lab, alice, "db", "sudo", &g);
	gather_deinit(&g);
	lab->now += 101 * DAY;
	gather(lab, alice, "db", "sudo", &g);
	g.facts.proven = true;
	decide(&g.facts, &v);
	assert_int_equal(v.reason, REASON_EXPIRED);
	gather_deinit(&g);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(all_facts_of_an_enrolled_one),
		T(absent_rows_are_absent),
		T(no_certificate_has_no_facts),
		T(account_is_known_through_another_service),
		T(good_path_is_remembered_until_trust_changes),
		T(faulty_leaf_is_not_remembered),
		T(strangers_are_not_remembered),
		T(remembered_path_still_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
