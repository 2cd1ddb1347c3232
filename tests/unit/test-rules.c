// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/harness/authority-lab.h"

/* Logins with certificates that nobody has enrolled: whose they are, rules say. */

struct test {
	struct world *w;
	struct gate gate;
	struct pki dave; /* dave@b.example, UPN ops@c.example */
};

static void store_identity(struct world *w, const char *name)
{
	struct identity identity;

	assert_int_equal(store_identity_add(w->a.store, name, "", 0, STORE_FOREVER, &identity), 0);
	assert_int_equal(store_commit(w->a.store), 0);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = world_new(&(struct world_options){ 0 });
	gate_open(t->w, VIA_LOCAL, &t->gate);
	pki_make(&(struct pki_spec){ .cn = "dave",
				     .mail = "dave@b.example",
				     .upn = "ops@c.example" },
		 &t->w->ca, &t->dave);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	gate_close(&t->gate);
	pki_deinit(&t->dave);
	world_free(t->w);
	free(t);
	return 0;
}

enum { GOES_ON = 1, CREATES = 2 };

static void add_rule(struct test *t, const char *name, const char *match, const char *yield,
		     const char *domains, unsigned flags)
{
	struct rule_row row = { .goes_on = flags & GOES_ON, .creates = flags & CREATES };

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)snprintf(row.anchor_name, sizeof(row.anchor_name), "%s", t->w->a.anchors[0].name);
	(void)snprintf(row.match, sizeof(row.match), "%s", match);
	(void)snprintf(row.yield, sizeof(row.yield), "%s", yield);
	(void)snprintf(row.domains, sizeof(row.domains), "%s", domains);
	assert_int_equal(store_rule_add(t->w->a.store, &row), 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	assert_int_equal(authority_trust_changed(&t->w->a), 0);
}

static void add_usual(struct test *t)
{
	store_identity(t->w, "dave");
	world_allow(t->w, "dave", "dave", "@elevate");
	add_rule(t, "people", "<ISSUER>^CN=Lab CA$", "{mail.local}", "b.example", 0);
}

static void remove_rule(struct test *t, const char *name)
{
	assert_int_equal(store_rule_remove(t->w->a.store, name), 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	assert_int_equal(authority_trust_changed(&t->w->a), 0);
}

static bool commit(struct test *t, const char *account)
{
	struct service pam;
	struct wish wish;
	bool yes;

	service_begin(t->w, account, "sudo", &pam);
	wish = wish_for(&t->dave, pam.login_id, account, "sudo");
	yes = gate_login(&t->gate, &wish).allowed;
	service_close(&pam);
	return yes;
}

/* The newest commit: its verdict, its reason, whose it was, and a part of its checks. */
static void committed(struct test *t, const char *account, const char *reason, const char *identity,
		      const char *detail)
{
	_cleanup_(freep) struct event *events = NULL;
	const struct event_filter filter = { .limit = 1, .last = 1, .kind = "login.commit" };
	size_t n;

	assert_int_equal(commit(t, account), !*reason);
	expect_event(t->w, "login.commit", *reason ? "deny" : "allow", reason);
	assert_int_equal(store_event_list(t->w->a.store, &filter, &events, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(events[0].identity, identity);
	if (!strstr(events[0].detail, detail))
		fail_msg("no %s in %s", detail, events[0].detail);
	event_deinit(&events[0]);
}

static void nobody_without_a_rule(void **state)
{
	struct test *t = *state;

	store_identity(t->w, "dave");
	world_allow(t->w, "dave", "dave", "@elevate");
	committed(t, "dave", "not-enrolled", "", "no identity has certificate");
}

static void mapped_by_a_rule(void **state)
{
	struct test *t = *state;

	add_usual(t);
	committed(t, "dave", "", "dave", "mapped to dave by rule people");
	committed(t, "dave", "", "dave",
		  "verified before"); /* the path is remembered, the rule is not */
	committed(t, "alice", "account-not-allowed", "dave", "mapped to dave");
	/* whoever is not trusted any more has no rules either */
	authority_trust_clear(&t->w->a);
	assert_null(t->w->a.rules);
}

/* Enrolled certificates do not come to the rules. */
static void enrolment_goes_first(void **state)
{
	struct test *t = *state;

	add_rule(t, "all", "<ISSUER>.", "mallory", "", 0);
	add_rule(t, "more", "<ISSUER>.", "alice", "", CREATES);
	world_identity(t->w, "dave", &t->dave);
	world_allow(t->w, "dave", "dave", "@elevate");
	committed(t, "dave", "", "dave", "enrolled for dave");
	committed(t, "mallory", "account-not-allowed", "dave", "enrolled for dave");
}

static void whole_login(void **state)
{
	struct test *t = *state;
	char error[128];
	struct service pam;
	struct redeemed redeemed;
	struct wish wish;
	json_t *x;

	add_usual(t);
	service_begin(t->w, "dave", "sudo", &pam);
	wish = wish_for(&t->dave, pam.login_id, "dave", "sudo");
	assert_true(gate_login(&t->gate, &wish).allowed);
	redeemed = service_redeem(&pam, pam.login_text, wish.ticket);
	assert_true(redeemed.allowed);
	assert_string_equal(redeemed.identity, "dave");
	x = service_call(&pam, "CheckAccount",
			 json_pack("{s:s, s:s}", "loginId", pam.login_text, "account", "dave"),
			 error);
	assert_true(json_is_true(json_object_get(x, "allowed")));
	json_decref(x);
	if (geteuid() == 0) {
		x = service_call(&pam, "OpenSession",
				 json_pack("{s:s, s:s, s:i}", "loginId", pam.login_text, "account",
					   "dave", "pid", (int)getpid()),
				 error);
		assert_true(json_is_true(json_object_get(x, "allowed")));
		json_decref(x);
		expect_event(t->w, "session.open", "allow", "");
	}
	service_close(&pam);
}

/* What changes between commit, redeem and account is seen by the next of them. */
static void expect_end(struct test *t, void (*change)(struct test *t), bool redeem_first,
		       const char *reason)
{
	struct service pam;
	char error[128];
	struct wish wish;

	service_begin(t->w, "dave", "sudo", &pam);
	wish = wish_for(&t->dave, pam.login_id, "dave", "sudo");
	assert_true(gate_login(&t->gate, &wish).allowed);
	if (redeem_first)
		assert_true(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
	change(t);
	if (redeem_first) {
		json_t *x = service_call(
			&pam, "CheckAccount",
			json_pack("{s:s, s:s}", "loginId", pam.login_text, "account", "dave"),
			error);

		assert_false(json_is_true(json_object_get(x, "allowed")));
		json_decref(x);
	} else {
		assert_false(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
		expect_event(t->w, "login.redeem", "deny", reason);
	}
	service_close(&pam);
}

static void drop_rule(struct test *t)
{
	remove_rule(t, "people");
}

static void drop_anchor(struct test *t)
{
	assert_int_equal(store_anchor_remove(t->w->a.store, t->w->a.anchors[0].name), 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	assert_int_equal(authority_trust_changed(&t->w->a), 0);
}

static void disable(struct test *t)
{
	struct identity identity;

	assert_int_equal(store_identity_set_enabled(t->w->a.store, "dave", false, "", &identity),
			 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
}

static void rule_removed_before_redeem(void **state)
{
	add_usual(*state);
	expect_end(*state, drop_rule, false, "not-enrolled");
}

static void rule_removed_after_redeem(void **state)
{
	add_usual(*state);
	expect_end(*state, drop_rule, true, NULL);
}

static void anchor_removed_before_redeem(void **state)
{
	add_usual(*state);
	expect_end(*state, drop_anchor, false, "foreign-ca");
}

static void anchor_removed_after_redeem(void **state)
{
	add_usual(*state);
	expect_end(*state, drop_anchor, true, NULL);
}

static void disabled_before_redeem(void **state)
{
	struct test *t = *state;

	add_usual(t);
	expect_end(t, disable, false, "identity-disabled");
	committed(t, "dave", "identity-disabled", "dave", "dave is disabled");
}

static void disabled_after_redeem(void **state)
{
	add_usual(*state);
	expect_end(*state, disable, true, NULL);
}

static void no_rule_leads_to_root(void **state)
{
	struct test *t = *state;
	struct gather g;

	add_usual(t);
	world_allow(t->w, "dave", "root", "@elevate");
	assert_int_equal(gather_facts(&t->w->a, (const struct cert *const *)&t->dave.cert, 1,
				      "root", "sudo", PKI_NOW, &g),
			 0);
	assert_int_equal(g.facts.n_access, 0);
	assert_false(g.facts.account_known_to_identity); /* nor is he shown the login */
	gather_deinit(&g);
	committed(t, "root", "root-by-rule", "dave", "no rule leads to root");
	committed(t, "dave", "", "dave", "mapped to dave");
}

/* The first that matches decides, also when it yields nobody. */
static void first_match_wins(void **state)
{
	struct test *t = *state;

	store_identity(t->w, "dave");
	world_allow(t->w, "dave", "dave", "@elevate");
	add_rule(t, "other", "<SUBJECT>^CN=bob$", "mallory", "", 0);
	add_rule(t, "absent", "<SUBJECT>^CN=dave$", "{dns}", "", 0);
	add_rule(t, "people", "<SUBJECT>^CN=dave$", "dave", "", 0);
	committed(t, "dave", "not-enrolled", "",
		  "rule absent yields nobody: the certificate has no dNSName");
	remove_rule(t, "absent");
	add_rule(t, "late", "<SUBJECT>^CN=dave$", "mallory", "", 0);
	committed(t, "dave", "", "dave", "by rule people");
	remove_rule(t, "people");
	committed(t, "dave", "account-not-allowed", "mallory", "by rule late");
}

static void name_that_nobody_has(void **state)
{
	struct test *t = *state;

	add_rule(t, "people", "<ISSUER>Lab", "{mail.local}", "b.example", 0);
	add_rule(t, "late", "<ISSUER>Lab", "mallory", "", 0);
	committed(t, "dave", "not-enrolled", "",
		  "rule people yields dave, and there is no such identity");
}

static void several_identities(void **state)
{
	struct test *t = *state;

	store_identity(t->w, "dave");
	store_identity(t->w, "ops");
	world_allow(t->w, "ops", "shared", "@elevate");
	world_allow(t->w, "mallory", "dave", "@elevate");
	add_rule(t, "people", "<ISSUER>Lab", "{mail.local}", "b.example", GOES_ON);
	add_rule(t, "none", "<ISSUER>Lab", "nobody", "", GOES_ON);
	add_rule(t, "teams", "<ISSUER>Lab", "{upn.local}", "c.example", 0);
	add_rule(t, "late", "<ISSUER>Lab", "mallory", "", 0);
	committed(t, "shared", "", "ops", "mapped to ops by rule teams");
	committed(t, "dave", "account-not-allowed", "dave", "mapped to dave by rule people");
	world_allow(t->w, "dave", "shared", "@elevate");
	committed(t, "shared", "", "dave", "mapped to dave by rule people");
	/* who may use the account is taken, and then judged */
	disable(t);
	committed(t, "shared", "identity-disabled", "dave", "dave is disabled");
}

static void of_its_own_anchor_alone(void **state)
{
	struct test *t = *state;
	struct pki other;
	int64_t id;

	add_usual(t);
	pki_make_ca("Other CA", &other);
	assert_int_equal(store_anchor_add(t->w->a.store,
					  &(struct anchor_new){ .name = "aaa",
								.der = other.cert->der.p,
								.der_n = other.cert->der.n },
					  &id),
			 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	assert_int_equal(authority_trust_changed(&t->w->a), 0);
	assert_string_equal(t->w->a.anchors[0].name, "aaa");
	remove_rule(t, "people");
	add_rule(t, "people", "<ISSUER>Lab", "{mail.local}", "b.example", 0); /* of Other CA */
	committed(t, "dave", "not-enrolled", "", "no identity has certificate");
	pki_deinit(&other);
}

static bool has_identity(struct test *t, const char *name)
{
	struct identity identity;

	return store_identity_get(t->w->a.store, name, &identity) == 0;
}

static void created_by_a_rule(void **state)
{
	struct test *t = *state;

	add_rule(t, "people", "<ISSUER>Lab", "{mail.local}", "b.example", CREATES);
	committed(t, "dave", "account-not-allowed", "dave", "mapped to dave by rule people");
	assert_true(has_identity(t, "dave"));
	expect_event(t->w, "rule.identity.add", "", "");
	assert_int_equal(count_events(t->w, "rule.identity.add", NULL), 1);
	/* whoever was added may use nothing until somebody says so */
	world_allow(t->w, "dave", "dave", "@elevate");
	committed(t, "dave", "", "dave", "mapped to dave by rule people");
	assert_int_equal(count_events(t->w, "rule.identity.add", NULL), 1);
}

/* An expired certificate adds nobody, nor does a question. */
static void creates_for_good_certificates_alone(void **state)
{
	struct test *t = *state;
	struct gather g;

	add_rule(t, "people", "<ISSUER>Lab", "{mail.local}", "b.example", CREATES);
	assert_int_equal(gather_facts(&t->w->a, (const struct cert *const *)&t->dave.cert, 1,
				      "dave", "sudo", PKI_NOW, &g),
			 0);
	assert_int_equal(g.mapping.n_missing, 1);
	gather_deinit(&g);
	assert_false(has_identity(t, "dave"));
	t->w->now += (uint64_t)(200 * PKI_DAY);
	committed(t, "dave", "expired", "", "whom a login adds");
	assert_false(has_identity(t, "dave"));
}

static void identities_have_a_bound(void **state)
{
	struct test *t = *state;
	struct mapping m;

	for (int i = 0; i < LIMIT_RULE_IDENTITIES + 4; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "i%d", i);
		if (i % 2)
			store_identity(t->w, name);
		add_rule(t, name, "<ISSUER>Lab", name, "", GOES_ON | CREATES);
	}
	assert_int_equal(
		rules_map(t->w->a.rules, t->w->a.store, t->w->a.anchors[0].id, t->dave.cert, &m),
		0);
	assert_int_equal(m.n, LIMIT_RULE_IDENTITIES / 2);
	assert_int_equal(m.n_missing, LIMIT_RULE_IDENTITIES / 2);
}

static void each_identity_once(void **state)
{
	struct test *t = *state;
	struct mapping m;

	store_identity(t->w, "dave");
	add_rule(t, "a", "<ISSUER>Lab", "dave", "", GOES_ON);
	add_rule(t, "b", "<ISSUER>Lab", "{mail.local}", "b.example", GOES_ON);
	add_rule(t, "c", "<ISSUER>Lab", "erin", "", GOES_ON | CREATES);
	add_rule(t, "d", "<ISSUER>Lab", "erin", "", CREATES);
	assert_int_equal(
		rules_map(t->w->a.rules, t->w->a.store, t->w->a.anchors[0].id, t->dave.cert, &m),
		0);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.found[0].rule, "a");
	assert_int_equal(m.n_missing, 1);
	assert_string_equal(m.missing[0].rule, "c");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nobody_without_a_rule),
		T(mapped_by_a_rule),
		T(enrolment_goes_first),
		T(whole_login),
		T(rule_removed_before_redeem),
		T(rule_removed_after_redeem),
		T(anchor_removed_before_redeem),
		T(anchor_removed_after_redeem),
		T(disabled_before_redeem),
		T(disabled_after_redeem),
		T(no_rule_leads_to_root),
		T(first_match_wins),
		T(name_that_nobody_has),
		T(several_identities),
		T(of_its_own_anchor_alone),
		T(created_by_a_rule),
		T(creates_for_good_certificates_alone),
		T(identities_have_a_bound),
		T(each_identity_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
