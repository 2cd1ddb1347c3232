// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/admin-client.h"

/* Mapping rules by their interface. */

static int setup_anchor(void **state)
{
	int r = setup(state);

	lab_anchor(*state, "ca", ((struct lab *)*state)->ca_cert);
	return r;
}

static json_t *rule_of(const char *name, const char *match, const char *yield)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "name", name, "anchor", "ca", "match", match,
			 "yield", yield);
}

static void expect_order(struct lab *lab, const char *names)
{
	json_t *reply = good(call(lab, "ListRules", json_object())), *row;
	char got[64] = "";
	size_t i;

	json_array_foreach(json_object_get(reply, "rules"), i, row)
	{
		strcat(got, text_at(row, NULL, "name"));
		assert_int_equal(int_at(row, "position"), i + 1);
	}
	assert_string_equal(got, names);
	json_decref(reply);
}

static void life_of_a_rule(void **state)
{
	struct lab *lab = *state;
	json_t *p = rule_of("a", "<SAN>.*", "x-{mail.local}"), *reply;

	json_object_update_new(p, json_pack("{s:[s,s], s:b, s:b}", "domains", "b.example",
					    "c.example", "continue", 1, "createIdentities", 1));
	reply = good(call(lab, "AddRule", json_incref(p)));
	assert_string_equal(text_at(reply, "rule", "match"), "<SAN>.*");
	assert_string_equal(text_at(reply, "rule", "anchor"), "ca");
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(reply, "rule"), "domains")), 2);
	assert_true(yes_at(json_object_get(reply, "rule"), "continue"));
	assert_true(yes_at(json_object_get(reply, "rule"), "createIdentities"));
	json_decref(reply);
	expect_event(lab, "admin.rule.add", "uid 0", "x-{mail.local}");
	assert_int_equal(lab->a.rules->n, 1);
	expect_error(call(lab, "AddRule", p), ".Exists", "what", "rule");
	done(call(lab, "AddRule", rule_of("b", "<SUBJECT>x", "alice")));
	p = rule_of("c", "<SUBJECT>x", "alice");
	json_object_set_new(p, "position", json_integer(2));
	done(call(lab, "AddRule", p));
	expect_order(lab, "acb");
	assert_string_equal(lab->a.rules->items[1].name, "c");
	done(call(lab, "RemoveRule", json_pack("{s:s}", "name", "a")));
	expect_event(lab, "admin.rule.remove", "uid 0", "x-{mail.local}");
	expect_order(lab, "cb");
	assert_int_equal(lab->a.rules->n, 2);
	expect_error(call(lab, "RemoveRule", json_pack("{s:s}", "name", "a")), ".NotFound", "what",
		     "rule");
	/* and with its anchor it goes */
	done(call(lab, "RemoveAnchor", json_pack("{s:s}", "name", "ca")));
	expect_order(lab, "");
	assert_int_equal(lab->a.rules->n, 0);
}

static void refused_rules(void **state)
{
	struct lab *lab = *state;
	json_t *p = rule_of("a", "<SUBJECT>x", "alice");

	expect_error(call(lab, "AddRule", rule_of("a b", "<SUBJECT>x", "alice")), ".InvalidValue",
		     "field", "name");
	expect_error(call(lab, "AddRule", rule_of("a", "<SUBJECT>x<FOO>", "alice")),
		     ".InvalidValue", "why", "byte 10: unknown component <FOO>");
	expect_error(call(lab, "AddRule", rule_of("a", "", "alice")), ".InvalidValue", "field",
		     "match");
	expect_error(call(lab, "AddRule", rule_of("a", "<SUBJECT>x", "")), ".InvalidValue", "field",
		     "yield");
	expect_error(call(lab, "AddRule", rule_of("a", "<SUBJECT>x", "a{upn.local}")),
		     ".InvalidValue", "why", "byte 1: {upn.local} needs the domains");
	json_object_set_new(p, "domains", json_pack("[s]", "b.example"));
	expect_error(call(lab, "AddRule", json_incref(p)), ".InvalidValue", "why", "no field");
	json_object_set_new(p, "domains", json_pack("[s]", "b example"));
	expect_error(call(lab, "AddRule", json_incref(p)), ".InvalidValue", "field", "domains");
	json_object_set_new(p, "domains", json_array());
	for (int place = -1; place < 3; place += place < 0 ? 1 : 2) { /* -1, 0, 2 */
		json_object_set_new(p, "position", json_integer(place));
		expect_error(call(lab, "AddRule", json_incref(p)), ".InvalidValue", "field",
			     "position");
	}
	json_object_del(p, "position");
	json_object_set_new(p, "anchor", json_string("other"));
	expect_error(call(lab, "AddRule", p), ".NotFound", "what", "anchor");
	assert_false(store_dirty(lab->a.store));
	expect_order(lab, "");
}

static void domains_have_a_bound(void **state)
{
	struct lab *lab = *state;
	json_t *p = rule_of("a", "<SUBJECT>x", "{mail}"), *domains = json_array();
	char long_one[252];

	memset(long_one, 'a', sizeof(long_one));
	long_one[sizeof(long_one) - 1] = '\0';
	for (int i = 0; i < 5; i++)
		json_array_append_new(domains, json_string(long_one));
	json_object_set_new(p, "domains", domains);
	expect_error(call(lab, "AddRule", p), ".InvalidValue", "why", "too long");
}

static void rules_have_a_bound(void **state)
{
	struct lab *lab = *state;
	struct rule_row row = { .anchor_name = "ca", .match = "<SUBJECT>x", .yield = "x" };

	for (int i = 0; i < LIMIT_RULES; i++) {
		(void)snprintf(row.name, sizeof(row.name), "r%d", i);
		assert_int_equal(store_rule_add(lab->a.store, &row), 0);
	}
	assert_int_equal(store_commit(lab->a.store), 0);
	expect_error(call(lab, "AddRule", rule_of("a", "<SUBJECT>x", "alice")), ".InvalidValue",
		     "why", "as many rules as there can be");
}

/* A row that this version cannot read: nobody is mapped by it, nor by what comes after it. */
static void rule_that_cannot_be_read(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	struct rule_row row = {
		.anchor_name = "ca", .name = "a", .match = "<NEW>x", .yield = "x", .goes_on = true
	};
	struct mapping m;
	json_t *reply;

	add(lab, "alice");
	done(call(lab, "AddRule", rule_of("b", "<SUBJECT>CN=alice", "alice")));
	assert_int_equal(rules_map(lab->a.rules, lab->a.store, lab->a.anchors[0].id, c, &m), 0);
	assert_int_equal(m.n, 1);
	row.position = 1;
	assert_int_equal(store_rule_add(lab->a.store, &row), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
	assert_int_equal(authority_trust_changed(&lab->a), 0);
	assert_int_equal(rules_map(lab->a.rules, lab->a.store, lab->a.anchors[0].id, c, &m), 0);
	assert_int_equal(m.n, 0);
	assert_non_null(strstr(m.note, "cannot be read"));
	reply = good(call(lab, "TestRule", json_pack("{s:[o]}", "chain", der(c))));
	assert_int_equal(json_array_size(json_object_get(reply, "identities")), 0);
	json_decref(reply);
}

static const json_t *tested(const json_t *reply, size_t i)
{
	return json_array_get(json_object_get(reply, "rules"), i);
}

static void trial_of_rules(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	json_t *reply;

	add(lab, "alice");
	done(call(lab, "AddRule", rule_of("a", "<ISSUER>Lab<SUBJECT>^CN=bob$", "bob")));
	done(call(lab, "AddRule", rule_of("b", "<SUBJECT>^CN=", "{subject.cn}")));
	done(call(lab, "AddRule", rule_of("c", "<SUBJECT>^CN=", "{dns}")));
	done(call(lab, "AddRule", rule_of("d", "<SUBJECT>^CN=", "x-{subject.cn}")));
	reply = good(call(lab, "TestRule", json_pack("{s:[o]}", "chain", der(c))));
	assert_string_equal(text_at(reply, NULL, "path"), "");
	assert_string_equal(text_at(reply, NULL, "enrolledFor"), "(none)");
	assert_int_equal(json_array_size(json_object_get(reply, "rules")), 4);
	assert_false(yes_at(tested(reply, 0), "matched"));
	assert_string_equal(text_at(tested(reply, 0), NULL, "missed"), "<SUBJECT>^CN=bob$");
	assert_true(yes_at(tested(reply, 1), "matched"));
	assert_true(yes_at(tested(reply, 1), "applies"));
	assert_string_equal(text_at(tested(reply, 1), NULL, "yields"), "alice");
	assert_true(yes_at(tested(reply, 1), "exists"));
	assert_string_equal(text_at(tested(reply, 2), NULL, "why"),
			    "the certificate has no dNSName");
	assert_false(yes_at(tested(reply, 3), "exists"));
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(reply, "identities"), 0)),
		"alice");
	assert_int_equal(json_array_size(json_object_get(reply, "identities")), 1);
	json_decref(reply);
	lab_enroll(lab, "alice", c);
	reply = good(call(lab, "TestRule", json_pack("{s:[o]}", "chain", der(c))));
	assert_string_equal(text_at(reply, NULL, "enrolledFor"), "alice");
	json_decref(reply);
}

static void trial_of_a_strangers(void **state)
{
	struct lab *lab = *state;
	_cleanup_(issuer_deinitp) struct issuer other = { 0 };
	_cleanup_(cert_freep) struct cert *ca = NULL, *c = NULL;
	json_t *reply;

	lab_make_ca(&other, "Other CA", &ca);
	c = lab_person(&other, "alice");
	add(lab, "alice");
	done(call(lab, "AddRule", rule_of("b", "<SUBJECT>^CN=", "{subject.cn}")));
	reply = good(call(lab, "TestRule", json_pack("{s:[o]}", "chain", der(c))));
	assert_string_equal(text_at(reply, NULL, "path"), path_fault_text(PATH_NO_ANCHOR));
	assert_false(yes_at(tested(reply, 0), "applies"));
	assert_true(yes_at(tested(reply, 0), "matched"));
	assert_int_equal(json_array_size(json_object_get(reply, "identities")), 0);
	json_decref(reply);
	expect_error(call(lab, "TestRule", json_pack("{s:[]}", "chain")), ".InvalidValue", "field",
		     "chain");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_anchor, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(life_of_a_rule),	     T(refused_rules),
		T(domains_have_a_bound),     T(rules_have_a_bound),
		T(rule_that_cannot_be_read), T(trial_of_rules),
		T(trial_of_a_strangers),
	};

	lab_become_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
