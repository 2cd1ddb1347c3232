// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/authority/anchor-policy.h"
#include "tests/unit/admin-client.h"

/* Kinds and settings of anchors: as text, over the interface, and in the decisions that follow. */

#define HOUR (INT64_C(3600) * 1000000)

/* --- the text --- */

static void policies_are_read(_unused_ void **state)
{
	struct anchor_policy p;

	assert_int_equal(anchor_policy_parse("{}", &p), 0);
	assert_memory_equal(&p, &(struct anchor_policy){ 0 }, sizeof(p));
#define FLAG(member, name)                                                                         \
	assert_int_equal(anchor_policy_parse("{\"" name "\":true}", &p), 0);                       \
	assert_true(p.member);                                                                     \
	assert_int_equal(p.eku_missing + p.eku_any + p.smartcard_logon + p.form, 1);               \
	assert_int_equal(anchor_policy_parse("{\"" name "\":false}", &p), 0);                      \
	assert_false(p.member)
	FLAG(eku_missing, "ekuMissing");
	FLAG(eku_any, "ekuAny");
	FLAG(smartcard_logon, "smartcardLogon");
	FLAG(form, "form");
#undef FLAG
	assert_int_equal(anchor_policy_parse("{\"revocation\":\"auto\"}", &p), 0);
	assert_int_equal(p.revocation, REVOCATION_AUTO);
	assert_int_equal(anchor_policy_parse("{\"revocation\":\"hard\"}", &p), 0);
	assert_int_equal(p.revocation, REVOCATION_HARD);
	assert_int_equal(anchor_policy_parse("{\"revocation\":\"soft\"}", &p), 0);
	assert_int_equal(p.revocation, REVOCATION_SOFT);
	assert_int_equal(anchor_policy_parse("{\"revocation\":\"grace\",\"graceHours\":1}", &p), 0);
	assert_int_equal(p.revocation, REVOCATION_GRACE);
	assert_int_equal(p.grace, HOUR);
	assert_int_equal(anchor_policy_parse("{\"graceHours\":8760}", &p), 0);
	assert_int_equal(p.grace, 8760 * HOUR);
}

static void policies_that_are_none(_unused_ void **state)
{
	static const char *const bad[] = {
		"",
		"null",
		"[]",
		"{",
		"{} {}",
		"{\"ekumissing\":true}",
		"{\"ekuMissing\":1}",
		"{\"ekuAny\":\"true\"}",
		"{\"smartcardLogon\":null}",
		"{\"form\":[]}",
		"{\"form\":true,\"form\":false}",
		"{\"form\":true,\"more\":true}",
		"{\"revocation\":\"\"}",
		"{\"revocation\":\"HARD\"}",
		"{\"revocation\":true}",
		"{\"revocation\":\"grace\"}",
		"{\"graceHours\":0}",
		"{\"graceHours\":-1}",
		"{\"graceHours\":8761}",
		"{\"graceHours\":1.5}",
		"{\"graceHours\":\"1\"}",
	};
	const struct anchor_policy before = { .smartcard_logon = true };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct anchor_policy p = before;

		if (anchor_policy_parse(bad[i], &p) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		assert_memory_equal(&p, &before, sizeof(p));
	}
}

static void policies_change_by_members(_unused_ void **state)
{
	struct anchor_policy p = { .smartcard_logon = true, .grace = 2 * HOUR };
	const struct anchor_policy before = p;
	json_t *object = json_pack("{s:b, s:s}", "form", 1, "revocation", "grace");
	const char *bad = NULL;
	char *text;

	assert_int_equal(anchor_policy_read(object, &p, &bad), 0);
	assert_true(p.form && p.smartcard_logon);
	assert_int_equal(p.grace, 2 * HOUR);
	assert_int_equal(p.revocation, REVOCATION_GRACE);
	json_decref(object);
	/* as it is written, it is read */
	object = anchor_policy_json(&p);
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text,
			    "{\"ekuAny\":false,\"ekuMissing\":false,\"form\":true,"
			    "\"graceHours\":2,\"revocation\":\"grace\",\"smartcardLogon\":true}");
	free(text);
	json_decref(object);
	/* all, or nothing */
	p = before;
	object = json_pack("{s:b, s:b, s:i}", "form", 1, "ekuAny", 1, "x", 1);
	assert_int_equal(anchor_policy_read(object, &p, &bad), -EINVAL);
	assert_string_equal(bad, "x");
	assert_memory_equal(&p, &before, sizeof(p));
	json_decref(object);
}

/* --- the interface --- */

static json_t *key_of(const struct cert *c)
{
	_cleanup_(freep) char *text = base64_encode_new(c->spki.p, c->spki.n);

	return json_string(text);
}

static json_t *anchor_of(const char *name, const char *kind, const char *member, json_t *value)
{
	return json_pack("{s:s, s:s*, s:o}", "name", name, "kind", kind, member, value);
}

static void expect_reason(struct lab *lab, const struct cert *c, const char *reason)
{
	json_t *reply = good(call(lab, "TestLogin",
				  json_pack("{s:[o], s:s, s:s, s:I}", "chain", der(c), "account",
					    "root", "service", "su", "at", (json_int_t)LAB_NOW)));

	assert_string_equal(text_at(reply, NULL, "reason"), reason);
	json_decref(reply);
}

/* alice may use root through su with this certificate. */
static void allow(struct lab *lab, const struct cert *c)
{
	add(lab, "alice");
	done(call(lab, "AllowAccess", access_of("alice", "root", "@elevate")));
	done(call(lab, "Enroll",
		  json_pack("{s:s, s:o}", "identity", "alice", "certificate", der(c))));
}

static void set(struct lab *lab, const char *name, json_t *policy)
{
	done(call(lab, "SetAnchor", json_pack("{s:s, s:o}", "name", name, "policy", policy)));
}

static struct cert *leaf_without_eku(struct lab *lab)
{
	const struct cert_spec spec = { .cn = "alice",
					.not_before = LAB_NOW - DAY,
					.not_after = LAB_NOW + DAY };

	return lab_leaf(&lab->ca, &spec, NULL);
}

static void settings_act_on_the_next_decision(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = leaf_without_eku(lab);
	json_t *reply, *anchor;

	done(call(lab, "AddAnchor", anchor_of("ca", NULL, "certificate", der(lab->ca_cert))));
	set(lab, "ca", json_pack("{s:b}", "ekuMissing", 1));
	expect_event(lab, "admin.anchor.set", "uid 0", "\"old\":{\"ekuMissing\":false");
	expect_event(lab, "admin.anchor.set", "uid 0", "\"new\":{\"ekuMissing\":true");
	allow(lab, c);
	expect_reason(lab, c, "");
	assert_int_equal(trust_cache_size(lab->a.cache), 1);
	set(lab, "ca", json_pack("{s:b}", "ekuMissing", 0));
	assert_int_equal(trust_cache_size(lab->a.cache), 0);
	expect_reason(lab, c, "eku");
	reply = good(call(lab, "SetAnchor",
			  json_pack("{s:s, s:{s:b, s:s, s:i}}", "name", "ca", "policy",
				    "smartcardLogon", 1, "revocation", "grace", "graceHours", 24)));
	anchor = json_object_get(reply, "anchor");
	assert_string_equal(text_at(anchor, NULL, "kind"), "ca");
	assert_true(yes_at(json_object_get(anchor, "policy"), "smartcardLogon"));
	assert_false(yes_at(json_object_get(anchor, "policy"), "ekuMissing"));
	assert_int_equal(int_at(json_object_get(anchor, "policy"), "graceHours"), 24);
	json_decref(reply);
	assert_int_equal(lab->a.anchors[0].policy.revocation, REVOCATION_GRACE);
	assert_int_equal(lab->a.anchors[0].policy.grace, 24 * HOUR);
}

static void settings_are_checked(void **state)
{
	struct lab *lab = *state;

	done(call(lab, "AddAnchor", anchor_of("ca", "ca", "certificate", der(lab->ca_cert))));
#define REFUSED(field, ...)                                                                        \
	expect_error(call(lab, "SetAnchor", json_pack(__VA_ARGS__)), ".InvalidValue", "field",     \
		     field)
	REFUSED("x", "{s:s, s:{s:b}}", "name", "ca", "policy", "x", 1);
	REFUSED("form", "{s:s, s:{s:s}}", "name", "ca", "policy", "form", "lax");
	REFUSED("graceHours", "{s:s, s:{s:s}}", "name", "ca", "policy", "revocation", "grace");
	REFUSED("revocation", "{s:s, s:{s:s}}", "name", "ca", "policy", "revocation", "never");
#undef REFUSED
	expect_error(call(lab, "SetAnchor", json_pack("{s:s, s:{}}", "name", "no", "policy")),
		     ".NotFound", "what", "anchor");
	expect_error(call(lab, "SetAnchor", json_pack("{s:s, s:s}", "name", "ca", "policy", "{}")),
		     ".InvalidParameter", "parameter", "policy");
	assert_memory_equal(&lab->a.anchors[0].policy, &(struct anchor_policy){ 0 },
			    sizeof(struct anchor_policy));
}

/* An anchor that we do not understand is not trusted, and is not made understandable in passing. */
static void unreadable_settings_are_no_trust(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	json_t *reply;

	done(call(lab, "AddAnchor", anchor_of("ca", NULL, "certificate", der(lab->ca_cert))));
	allow(lab, c);
	expect_reason(lab, c, "");
	assert_int_equal(store_anchor_set_policy(lab->a.store, "ca", "{\"fromTheFuture\":true}"),
			 0);
	assert_int_equal(store_commit(lab->a.store), 0);
	assert_int_equal(authority_trust_changed(&lab->a), 0);
	assert_int_equal(lab->a.n_anchors, 0);
	expect_reason(lab, c, "foreign-ca");
	reply = good(call(lab, "ListAnchors", json_object()));
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(reply, "anchors"), 0), "policy")));
	json_decref(reply);
	expect_error(call(lab, "SetAnchor",
			  json_pack("{s:s, s:{s:b}}", "name", "ca", "policy", "form", 0)),
		     ".InvalidValue", "why", "cannot be read");
}

static void key_makes_a_path_and_no_identity(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	_cleanup_(cert_freep) struct cert *other = lab_person(&lab->ca, "bob");
	json_t *reply = good(call(lab, "AddAnchor", anchor_of("key", "key", "key", key_of(c))));

	assert_string_equal(text_at(reply, "anchor", "kind"), "key");
	assert_string_equal(text_at(reply, "anchor", "subject"), "");
	json_decref(reply);
	expect_event(lab, "admin.anchor.add", "uid 0", "\"kind\":\"key\"");
	expect_reason(lab, c, "not-enrolled");
	allow(lab, c);
	expect_reason(lab, c, "");
	expect_reason(lab, other, "foreign-ca");
	/* the same key by its certificate is the same anchor */
	expect_error(call(lab, "AddAnchor", anchor_of("again", "key", "key", der(c))), ".Exists",
		     "what", "anchor");
	done(call(lab, "RemoveAnchor", json_pack("{s:s}", "name", "key")));
	expect_reason(lab, c, "foreign-ca");
	done(call(lab, "AddAnchor", anchor_of("again", "key", "key", der(c))));
	expect_reason(lab, c, "");
}

/* Enrolment takes what some anchor would take; a key's settings are of that key alone. */
static void enrolment_heeds_settings(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = leaf_without_eku(lab),
					  *other = leaf_without_eku(lab);

	add(lab, "alice");
#define ENROLL(c)                                                                                  \
	call(lab, "Enroll", json_pack("{s:s, s:o}", "identity", "alice", "certificate", der(c)))
	done(call(lab, "AddAnchor", anchor_of("key", "key", "key", key_of(c))));
	expect_error(ENROLL(c), ".InvalidValue", "why", leaf_fault_text(LEAF_EKU_MISSING));
	set(lab, "key", json_pack("{s:b}", "ekuMissing", 1));
	expect_error(ENROLL(other), ".InvalidValue", "why", leaf_fault_text(LEAF_EKU_MISSING));
	done(ENROLL(c));
#undef ENROLL
}

static void intermediate_is_trusted_for_nothing(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");

	done(call(lab, "AddAnchor",
		  anchor_of("sub", "intermediate", "certificate", der(lab->ca_cert))));
	expect_event(lab, "admin.anchor.add", "uid 0", "\"kind\":\"intermediate\"");
	assert_int_equal(lab->a.n_anchors, 1);
	assert_int_equal(lab->a.anchors[0].kind, ANCHOR_INTERMEDIATE);
	expect_reason(lab, c, "foreign-ca");
	expect_error(call(lab, "SetAnchor",
			  json_pack("{s:s, s:{s:b}}", "name", "sub", "policy", "ekuMissing", 1)),
		     ".InvalidValue", "field", "name");
}

static void kinds_are_checked(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");

#define REFUSED(params, field, text)                                                               \
	expect_error(call(lab, "AddAnchor", params), ".InvalidValue", "field", field);             \
	expect_error(call(lab, "AddAnchor", params), ".InvalidValue", "why", text)
	REFUSED(anchor_of("x", "root", "certificate", der(lab->ca_cert)), "kind", "neither");
	REFUSED(anchor_of("x", NULL, "key", key_of(c)), "key", "for kind key");
	REFUSED(anchor_of("x", "key", "certificate", der(c)), "certificate", "for kind key");
	REFUSED(json_pack("{s:s}", "name", "x"), "certificate", "is a certificate");
	REFUSED(json_pack("{s:s, s:s}", "name", "x", "kind", "key"), "key", "neither");
	REFUSED(anchor_of("x", "intermediate", "certificate", der(c)), "certificate", "not a CA");
	REFUSED(anchor_of("x", "key", "key", der(lab->ca_cert)), "key", "no leaf");
	REFUSED(anchor_of("x", "key", "key", json_string("Zm9v")), "key", "neither");
	REFUSED(anchor_of("x", "key", "key", json_string("?")), "key", "neither");
	/* an Ed448 key: a kind that we do not have */
	REFUSED(anchor_of("x", "key", "key", json_string("MAswBQYDK2VxAwIAeA==")), "key",
		leaf_fault_text(LEAF_KEY));
	/* something after the key */
	REFUSED(anchor_of("x", "key", "key", json_string("MAswBQYDK2VxAwIAeAUA")), "key",
		"neither");
#undef REFUSED
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(policies_that_are_none),
		cmocka_unit_test(policies_change_by_members),
		T(settings_act_on_the_next_decision),
		T(settings_are_checked),
		T(unreadable_settings_are_no_trust),
		T(key_makes_a_path_and_no_identity),
		T(enrolment_heeds_settings),
		T(intermediate_is_trusted_for_nothing),
		T(kinds_are_checked),
	};

	lab_become_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
