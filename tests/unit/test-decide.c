// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/authority/decide.h"
#include "lib/base/name.h"
#include "lib/base/cleanup.h"

/*
 * One base that is allowed; for every reason the change of one fact that yields exactly it.
 */
#define SEC INT64_C(1000000)
#define DAY (24 * 3600 * SEC)
#define NOW (INT64_C(1800000000) * SEC) /* 2027-01-15 08:00 UTC */

struct base {
	struct cert leaf;
	struct path path;
	struct revocation_facts revocation;
	struct certificate_owner owner;
	struct service_row service;
	struct access_row access[2];
	struct facts facts;
};

/* SEQUENCE { SET { SEQUENCE { OID CN, UTF8String } } } */
static const uint8_t name_x[] = { 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06,
				  0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x' };
static const uint8_t name_evil[] = { 0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55,
				     0x04, 0x03, 0x0c, 0x04, 'a',  0x1b, '[',  0xff };

static void base_init(struct base *b)
{
	*b = (struct base){
		.leaf = { .issuer = { name_x, sizeof(name_x) },
			  .subject = { name_x, sizeof(name_x) },
			  .not_before = NOW - DAY,
			  .not_after = NOW + DAY,
			  .key = KEY_P256,
			  .key_bits = 256 },
		.path = { .anchor = 1,
			  .not_before = NOW - DAY,
			  .not_after = NOW + DAY,
			  .n_issuers = 1 },
		.revocation = { .status = REVOCATION_GOOD,
				.any = true,
				.is_leaf = true,
				.list = "CRL 2a of CN=x",
				.this_update = NOW - DAY,
				.next_update = NOW + DAY },
		.owner = { .identity = 1,
			   .identity_name = "alice",
			   .enabled = true,
			   .not_after = STORE_FOREVER },
		.service = { .name = "sudo",
			     .class = CLASS_ELEVATE,
			     .redeem_uids = "0",
			     .via = VIA_LOCAL },
		.access = { { "alice", "root", "@elevate", 0, STORE_FOREVER, 0 } },
	};
	b->facts = (struct facts){
		.now = NOW,
		.proven = true,
		.leaf = &b->leaf,
		.path = &b->path,
		.revocation = &b->revocation,
		.owner = &b->owner,
		.service = &b->service,
		.uid_checked = true,
		.uid_allowed = true,
		.via = VIA_LOCAL,
		.account = "root",
		.access = b->access,
		.n_access = 1,
		.account_known_to_identity = true,
		.limits_ok = true,
	};
}

static struct verdict judge(const struct base *b)
{
	struct verdict v;

	memset(&v, 0xff, sizeof(v));
	decide(&b->facts, &v);
	return v;
}

static void base_is_allowed(_unused_ void **state)
{
	struct verdict v;
	struct base b;

	base_init(&b);
	v = judge(&b);
	assert_true(v.allowed);
	assert_int_equal(v.reason, REASON_NONE);
	for (size_t i = 0; i < CHECK_MAX_; i++) {
		assert_int_equal(v.checks[i].result, CHECK_PASSED);
		assert_true(*v.checks[i].detail);
	}
}

/* --- every reason --- */

#define MUTATE(name, ...)                                                                          \
	static void name(struct base *b)                                                           \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
MUTATE(not_proven, b->facts.proven = false)
MUTATE(no_leaf, b->facts.leaf = NULL)
MUTATE(no_path, b->facts.path = NULL)
MUTATE(no_anchor, b->path.fault = PATH_NO_ANCHOR)
MUTATE(namesake_ca, b->path.fault = PATH_BAD_SIGNATURE)
MUTATE(malformed, b->path.fault = PATH_MALFORMED)
MUTATE(not_ca, b->path.fault = PATH_NOT_CA)
MUTATE(too_long, b->path.fault = PATH_TOO_LONG)
MUTATE(ca_key_usage, b->path.fault = PATH_CA_KEY_USAGE)
MUTATE(ca_eku, b->path.fault = PATH_CA_EKU)
MUTATE(path_critical, b->path.fault = PATH_CRITICAL_EXTENSION)
MUTATE(unknown_path_fault, b->path.fault = (enum path_fault)99)
MUTATE(path_algorithm, b->path.fault = PATH_ALGORITHM)
MUTATE(leaf_expired, b->leaf.not_after = b->path.not_after = NOW - 1)
MUTATE(ca_expired, b->path.not_after = NOW - 1)
MUTATE(leaf_alone_expired, b->leaf.not_after = NOW - 1)
MUTATE(leaf_early, b->leaf.not_before = b->path.not_before = NOW + 1)
MUTATE(ca_early, b->path.not_before = NOW + 1)
MUTATE(weak_key, b->path.leaf_fault = LEAF_KEY)
MUTATE(leaf_is_ca, b->path.leaf_fault = LEAF_IS_CA)
MUTATE(leaf_version, b->path.leaf_fault = LEAF_VERSION)
MUTATE(leaf_key_usage, b->path.leaf_fault = LEAF_KEY_USAGE)
MUTATE(leaf_no_eku, b->path.leaf_fault = LEAF_EKU_MISSING)
MUTATE(leaf_eku, b->path.leaf_fault = LEAF_EKU)
MUTATE(leaf_eku_any, b->path.leaf_fault = LEAF_EKU_ANY)
MUTATE(leaf_smartcard_logon, b->path.leaf_fault = LEAF_SMARTCARD_LOGON)
MUTATE(leaf_form, b->path.leaf_fault = LEAF_FORM)
MUTATE(leaf_critical, b->path.leaf_fault = LEAF_CRITICAL_EXTENSION)
MUTATE(unknown_leaf_fault, b->path.leaf_fault = (enum leaf_fault)99)
MUTATE(not_looked_at, b->facts.revocation = NULL)
MUTATE(revoked, b->revocation.status = REVOCATION_REVOKED)
MUTATE(ca_revoked, revoked(b); b->revocation.is_leaf = false)
MUTATE(revoked_soft, revoked(b); b->revocation.mode = REVOCATION_SOFT)
MUTATE(revoked_oddly, revoked(b); b->revocation.revoked.reason = 99)
MUTATE(stale, b->revocation.status = REVOCATION_STALE)
MUTATE(stale_hard, stale(b); b->revocation.mode = REVOCATION_HARD)
MUTATE(stale_beyond_grace, stale(b); b->revocation.mode = REVOCATION_GRACE)
MUTATE(unlisted_key, b->revocation.status = REVOCATION_UNKNOWN)
MUTATE(unlisted_hard, unlisted_key(b); b->revocation.mode = REVOCATION_HARD;
       b->revocation.any = false)
MUTATE(unlisted_grace, unlisted_hard(b); b->revocation.mode = REVOCATION_GRACE)
MUTATE(unknown_status, b->revocation.status = (enum revocation_status)99)
MUTATE(no_owner, b->facts.owner = NULL)
MUTATE(disabled, b->owner.enabled = false)
MUTATE(identity_over, b->owner.not_after = NOW - 1)
MUTATE(identity_early, b->owner.not_before = NOW + 1)
MUTATE(no_service, b->facts.service = NULL)
MUTATE(by_rule, b->facts.rule = "people")
MUTATE(wrong_uid, b->facts.uid_allowed = false)
MUTATE(far_gate, b->facts.via = VIA_NETWORK)
MUTATE(far_gate_any, b->facts.via = VIA_NETWORK; b->service.via = VIA_ANY)
MUTATE(no_gate, b->facts.via = 0)
MUTATE(both_gates, b->facts.via = VIA_ANY; b->facts.hand_carried = true)
MUTATE(far_login, b->facts.via = VIA_NETWORK; b->service.class = CLASS_LOGIN;
       strcpy(b->access[0].service, "@login"); b->facts.hand_carried = true)
MUTATE(far_console, far_login(b); b->service.console = true; b->service.via = VIA_ANY;
       b->facts.hand_carried = false)
MUTATE(unknown_ticket, b->facts.ticket = REASON_TICKET_UNKNOWN; b->facts.proven = false)
MUTATE(used_ticket, b->facts.ticket = REASON_TICKET_USED)
MUTATE(expired_ticket, b->facts.ticket = REASON_TICKET_EXPIRED)
MUTATE(other_login, b->facts.ticket = REASON_TICKET_OTHER_LOGIN)
MUTATE(other_account, b->facts.ticket = REASON_TICKET_OTHER_ACCOUNT)
MUTATE(other_service, b->facts.ticket = REASON_TICKET_OTHER_SERVICE)
MUTATE(unknown_login, b->facts.ticket = REASON_LOGIN_UNKNOWN)
MUTATE(loose, b->facts.loose = true)
MUTATE(loose_even_if_row_says, b->facts.loose = b->service.loose = true)
MUTATE(loose_login, b->facts.loose = true; b->service.class = CLASS_LOGIN;
       strcpy(b->access[0].service, "@login"))
MUTATE(no_rows, b->facts.n_access = 0; b->facts.account_known_to_identity = false)
MUTATE(no_account, b->facts.account = NULL; b->facts.account_known_to_identity = false)
MUTATE(empty_account, b->facts.account = b->access[0].account; *b->access[0].account = '\0';
       b->facts.account_known_to_identity = false)
MUTATE(row_of_another, strcpy(b->access[0].identity, "bob");
       b->facts.account_known_to_identity = false)
MUTATE(row_for_another, strcpy(b->access[0].account, "rooty");
       b->facts.account_known_to_identity = false)
MUTATE(row_is_no_glob, strcpy(b->access[0].account, "*");
       b->facts.account_known_to_identity = false)
MUTATE(other_row_service, strcpy(b->access[0].service, "su"))
MUTATE(other_row_class, strcpy(b->access[0].service, "@login"))
MUTATE(class_without_at, strcpy(b->access[0].service, "elevate"))
MUTATE(class_behind_a_letter, strcpy(b->access[0].service, "xelevate"))
MUTATE(row_over, b->access[0].not_after = NOW - 1)
MUTATE(row_early, b->access[0].not_before = NOW + 1)
MUTATE(over_limit, b->facts.limits_ok = false)

static const struct {
	const char *name;
	void (*mutate)(struct base *b);
	enum check check; /* the one that fails first */
	enum reason reason;
} refusals[] = {
#define R(f, check, reason)                                                                        \
	{                                                                                          \
#f, f, CHECK_##check, REASON_##reason                                              \
	}
	R(not_proven, PROOF, NO_PROOF),
	R(no_leaf, PROOF, NO_PROOF),
	R(no_path, CHAIN, CHAIN),
	R(no_anchor, CHAIN, FOREIGN_CA),
	R(namesake_ca, CHAIN, FOREIGN_CA),
	R(malformed, CHAIN, CHAIN),
	R(not_ca, CHAIN, CHAIN),
	R(too_long, CHAIN, CHAIN),
	R(ca_key_usage, CHAIN, CHAIN),
	R(ca_eku, CHAIN, CHAIN),
	R(path_critical, CHAIN, CHAIN),
	R(unknown_path_fault, CHAIN, CHAIN),
	R(path_algorithm, CHAIN, KEY),
	R(leaf_expired, VALIDITY, EXPIRED),
	R(ca_expired, VALIDITY, EXPIRED),
	R(leaf_alone_expired, VALIDITY, EXPIRED),
	R(leaf_early, VALIDITY, NOT_YET_VALID),
	R(ca_early, VALIDITY, NOT_YET_VALID),
	R(weak_key, KEY, KEY),
	R(leaf_is_ca, USAGE, KEY_USAGE),
	R(leaf_version, USAGE, CHAIN),
	R(leaf_key_usage, USAGE, KEY_USAGE),
	R(leaf_no_eku, USAGE, EKU),
	R(leaf_eku, USAGE, EKU),
	R(leaf_eku_any, USAGE, EKU),
	R(leaf_smartcard_logon, USAGE, EKU),
	R(leaf_critical, USAGE, CHAIN),
	R(leaf_form, USAGE, CHAIN),
	R(unknown_leaf_fault, USAGE, CHAIN),
	R(not_looked_at, REVOCATION, REVOCATION),
	R(revoked, REVOCATION, REVOKED),
	R(ca_revoked, REVOCATION, REVOKED),
	R(revoked_soft, REVOCATION, REVOKED),
	R(revoked_oddly, REVOCATION, REVOKED),
	R(stale, REVOCATION, REVOCATION),
	R(stale_hard, REVOCATION, REVOCATION),
	R(stale_beyond_grace, REVOCATION, REVOCATION),
	R(unlisted_key, REVOCATION, REVOCATION),
	R(unlisted_hard, REVOCATION, REVOCATION),
	R(unlisted_grace, REVOCATION, REVOCATION),
	R(unknown_status, REVOCATION, REVOCATION),
	R(no_owner, IDENTITY, NOT_ENROLLED),
	R(disabled, IDENTITY_STATE, IDENTITY_DISABLED),
	R(identity_over, IDENTITY_STATE, IDENTITY_EXPIRED),
	R(identity_early, IDENTITY_STATE, IDENTITY_EXPIRED),
	R(no_service, SERVICE, SERVICE_UNKNOWN),
	R(wrong_uid, SERVICE, SERVICE_UID),
	R(far_gate, VIA, VIA),
	R(far_gate_any, VIA, VIA),
	R(no_gate, VIA, VIA),
	R(both_gates, VIA, VIA),
	R(far_login, VIA, VIA),
	R(far_console, VIA, VIA),
	R(unknown_ticket, PROOF, TICKET_UNKNOWN),
	R(used_ticket, TICKET, TICKET_USED),
	R(expired_ticket, TICKET, TICKET_EXPIRED),
	R(other_login, TICKET, TICKET_OTHER_LOGIN),
	R(other_account, TICKET, TICKET_OTHER_ACCOUNT),
	R(other_service, TICKET, TICKET_OTHER_SERVICE),
	R(unknown_login, TICKET, LOGIN_UNKNOWN),
	R(loose, TICKET, TICKET_LOOSE),
	R(loose_even_if_row_says, TICKET, TICKET_LOOSE),
	R(loose_login, TICKET, TICKET_LOOSE),
	R(no_rows, ACCESS, ACCOUNT_NOT_ALLOWED),
	R(no_account, ACCESS, ACCOUNT_NOT_ALLOWED),
	R(empty_account, ACCESS, ACCOUNT_NOT_ALLOWED),
	R(row_of_another, ACCESS, ACCOUNT_NOT_ALLOWED),
	R(row_for_another, ACCESS, ACCOUNT_NOT_ALLOWED),
	R(row_is_no_glob, ACCESS, ACCOUNT_NOT_ALLOWED),
	R(other_row_service, ACCESS, SERVICE_NOT_ALLOWED),
	R(other_row_class, ACCESS, SERVICE_NOT_ALLOWED),
	R(class_without_at, ACCESS, SERVICE_NOT_ALLOWED),
	R(class_behind_a_letter, ACCESS, SERVICE_NOT_ALLOWED),
	R(row_over, ACCESS, SERVICE_NOT_ALLOWED),
	R(row_early, ACCESS, SERVICE_NOT_ALLOWED),
	R(by_rule, ACCESS, ROOT_BY_RULE),
	R(over_limit, LIMITS, LIMIT),
#undef R
};

static void each_refusal_has_its_reason(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct verdict v;
		struct base b;

		base_init(&b);
		refusals[i].mutate(&b);
		v = judge(&b);
		if (v.allowed || v.reason != refusals[i].reason)
			fail_msg("%s: %s, not %s", refusals[i].name, reason_name(v.reason),
				 reason_name(refusals[i].reason));
		for (enum check c = 0; c < refusals[i].check; c++)
			if (v.checks[c].result == CHECK_FAILED)
				fail_msg("%s: %s failed first", refusals[i].name, check_name(c));
		assert_int_equal(v.checks[refusals[i].check].result, CHECK_FAILED);
		assert_int_equal(v.checks[refusals[i].check].reason, v.reason);
		assert_true(*v.checks[refusals[i].check].detail);
	}
}

static void every_reason_was_refused(_unused_ void **state)
{
	/* the store's own failure is no fact */
	bool seen[REASON_MAX_] = { [REASON_NONE] = true, [REASON_STORE] = true };

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		seen[refusals[i].reason] = true;
	for (size_t r = 0; r < REASON_MAX_; r++)
		if (!seen[r])
			fail_msg("no test refuses for %s", reason_name((enum reason)r));
}

static void names_and_texts_are_whole_and_distinct(_unused_ void **state)
{
	assert_string_equal(reason_name(REASON_NONE), "");
	for (enum reason r = REASON_NO_PROOF; r < REASON_MAX_; r++) {
		assert_true(*reason_name(r));
		assert_true(strlen(reason_text(r)) > 20);
		for (enum reason other = REASON_NONE; other < r; other++)
			assert_string_not_equal(reason_name(r), reason_name(other));
	}
	for (enum check c = 0; c < CHECK_MAX_; c++)
		assert_true(*check_name(c));
	assert_string_equal(reason_name(REASON_MAX_), "unknown");
	assert_string_equal(check_name(CHECK_MAX_), "unknown");
}

/* --- what is allowed beside the base --- */

MUTATE(by_service, strcpy(b->access[0].service, "sudo"))
MUTATE(by_second_row, b->access[1] = b->access[0]; b->access[0].not_after = NOW - 1;
       b->facts.n_access = 2)
MUTATE(at_both_ends, b->access[0].not_before = b->access[0].not_after = NOW;
       b->owner.not_before = b->owner.not_after = NOW; b->leaf.not_before = b->leaf.not_after = NOW;
       b->path.not_before = b->path.not_after = NOW)
MUTATE(far_and_carried, b->facts.via = VIA_NETWORK; b->facts.hand_carried = true)
MUTATE(console_carried, far_console(b); b->facts.hand_carried = true)
MUTATE(login_from_afar, far_login(b); b->service.via = VIA_ANY; b->facts.hand_carried = false)
MUTATE(loose_app, b->facts.loose = true; b->service.class = CLASS_APP;
       strcpy(b->access[0].service, "@app"))
MUTATE(loose_login_taken, loose_login(b); b->service.loose = true)
MUTATE(never_listed, unlisted_key(b); b->revocation.any = false)
MUTATE(stale_soft, stale(b); b->revocation.mode = REVOCATION_SOFT)
MUTATE(unlisted_soft, unlisted_key(b); b->revocation.mode = REVOCATION_SOFT)
MUTATE(by_rule_elsewhere, b->facts.rule = "people"; b->facts.account = "alice";
       strcpy(b->access[0].account, "alice"))
MUTATE(before_redeem, b->facts.uid_checked = b->facts.uid_allowed = false)

static void also_allowed(_unused_ void **state)
{
	static void (*const mutations[])(struct base *) = {
		by_service,	 by_second_row, at_both_ends,	   far_and_carried, console_carried,
		login_from_afar, loose_app,	loose_login_taken, before_redeem,   never_listed,
		stale_soft,	 unlisted_soft, by_rule_elsewhere,
	};

	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		struct verdict v;
		struct base b;

		base_init(&b);
		mutations[i](&b);
		v = judge(&b);
		if (!v.allowed)
			fail_msg("mutation %zu: %s", i, reason_name(v.reason));
	}
}

static void nothing_is_denied(_unused_ void **state)
{
	const struct facts nothing = { 0 };
	struct verdict v;

	decide(&nothing, &v);
	assert_false(v.allowed);
	assert_int_equal(v.reason, REASON_NO_PROOF);
	assert_int_equal(v.checks[CHECK_CHAIN].result, CHECK_SKIPPED);
	assert_int_equal(v.checks[CHECK_IDENTITY].result, CHECK_SKIPPED);
	assert_int_equal(v.checks[CHECK_ACCESS].result, CHECK_SKIPPED);
	assert_int_equal(v.checks[CHECK_SERVICE].reason, REASON_SERVICE_UNKNOWN);
	assert_int_equal(v.checks[CHECK_LIMITS].reason, REASON_LIMIT);
}

/* --- what is shown --- */

static void all_that_is_wrong_is_shown_at_once(_unused_ void **state)
{
	struct verdict v;
	struct base b;

	base_init(&b);
	no_anchor(&b);
	leaf_expired(&b);
	disabled(&b);
	far_gate(&b);
	used_ticket(&b);
	other_row_class(&b);
	v = judge(&b);
	assert_int_equal(v.reason, REASON_FOREIGN_CA);
	assert_int_equal(v.checks[CHECK_VALIDITY].reason, REASON_EXPIRED);
	assert_int_equal(v.checks[CHECK_IDENTITY_STATE].reason, REASON_IDENTITY_DISABLED);
	assert_int_equal(v.checks[CHECK_VIA].reason, REASON_VIA);
	assert_int_equal(v.checks[CHECK_TICKET].reason, REASON_TICKET_USED);
	assert_int_equal(v.checks[CHECK_ACCESS].reason, REASON_SERVICE_NOT_ALLOWED);
	/* which needs what failed */
	assert_int_equal(v.checks[CHECK_REVOCATION].result, CHECK_SKIPPED);
}

static void pinned_key_is_told(_unused_ void **state)
{
	struct base b;

	base_init(&b);
	assert_non_null(strstr(judge(&b).checks[CHECK_CHAIN].detail, "1 above it"));
	b.path.n_issuers = 0;
	assert_non_null(strstr(judge(&b).checks[CHECK_CHAIN].detail, "its key is an anchor"));
}

static void details_have_the_values(_unused_ void **state)
{
	struct verdict v;
	struct base b;

	base_init(&b);
	leaf_expired(&b);
	other_row_service(&b);
	v = judge(&b);
	assert_non_null(strstr(v.checks[CHECK_CHAIN].detail, "CN=x"));
	assert_non_null(
		strstr(v.checks[CHECK_VALIDITY].detail, "it expired at 2027-01-15 07:59 UTC"));
	assert_non_null(strstr(v.checks[CHECK_VALIDITY].detail, "now is 2027-01-15 08:00 UTC"));
	assert_non_null(strstr(v.checks[CHECK_KEY].detail, "P-256"));
	assert_non_null(strstr(v.checks[CHECK_REVOCATION].detail, "not on CRL 2a of CN=x"));
	assert_non_null(strstr(v.checks[CHECK_IDENTITY].detail, "alice"));
	assert_non_null(strstr(v.checks[CHECK_SERVICE].detail, "elevate"));
	assert_non_null(strstr(v.checks[CHECK_VIA].detail, "local"));
	assert_string_equal(v.checks[CHECK_ACCESS].detail,
			    "alice may use root, but not by sudo (class elevate)");
	base_init(&b);
	ca_expired(&b);
	assert_non_null(strstr(judge(&b).checks[CHECK_VALIDITY].detail, "a CA above it expired"));
}

static void detail_says_who_mapped_it(_unused_ void **state)
{
	struct base b;

	base_init(&b);
	b.facts.rule = "people";
	assert_string_equal(judge(&b).checks[CHECK_IDENTITY].detail,
			    "mapped to alice by rule people");
	b.facts.owner = NULL;
	b.facts.mapping_note = "rule people yields nobody";
	assert_string_equal(judge(&b).checks[CHECK_IDENTITY].detail,
			    "not enrolled; rule people yields nobody");
	b.facts.mapping_note = "";
	assert_non_null(
		strstr(judge(&b).checks[CHECK_IDENTITY].detail, "no identity has certificate"));
}

static void details_are_clean_and_bounded(_unused_ void **state)
{
	char account[LIMIT_ACCOUNT + 1];
	struct verdict v;
	struct base b;

	base_init(&b);
	memset(account, 'a', sizeof(account));
	account[sizeof(account) - 1] = '\0';
	memcpy(account, "\x1b[2J\n\xff", 6);
	b.facts.account = account;
	b.leaf.issuer = b.leaf.subject = (struct view){ name_evil, sizeof(name_evil) };
	v = judge(&b);
	for (size_t i = 0; i < CHECK_MAX_; i++)
		assert_true(text_ok(v.checks[i].detail, sizeof(v.checks[i].detail) - 1));
	/* a cut in the middle of a character leaves none of it */
	memset(account, 0xc3, sizeof(account) - 1);
	for (size_t i = 1; i < sizeof(account) - 1; i += 2)
		account[i] = (char)0xa9;
	v = judge(&b);
	assert_true(text_ok(v.checks[CHECK_ACCESS].detail, 159));
	assert_true(strlen(v.checks[CHECK_ACCESS].detail) > 150);
}

static void json_lists_the_checks_in_order(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	struct verdict v;
	struct base b;
	json_t *json, *rows, *row;
	size_t i;

	base_init(&b);
	no_anchor(&b);
	v = judge(&b);
	buf_put_u8(&text, '{');
	verdict_put(&text, &v);
	buf_put_u8(&text, '}');
	json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	rows = json_object_get(json, "checks");
	assert_int_equal(json_array_size(rows), CHECK_MAX_);
	json_array_foreach(rows, i, row)
	{
		static const char *const results[] = { "skipped", "passed", "failed" };

		assert_int_equal(json_object_size(row), 3);
		assert_string_equal(json_string_value(json_object_get(row, "check")),
				    check_name((enum check)i));
		assert_string_equal(json_string_value(json_object_get(row, "result")),
				    results[v.checks[i].result]);
		assert_string_equal(json_string_value(json_object_get(row, "detail")),
				    v.checks[i].detail);
	}
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_is_allowed),
		cmocka_unit_test(each_refusal_has_its_reason),
		cmocka_unit_test(every_reason_was_refused),
		cmocka_unit_test(names_and_texts_are_whole_and_distinct),
		cmocka_unit_test(also_allowed),
		cmocka_unit_test(nothing_is_denied),
		cmocka_unit_test(all_that_is_wrong_is_shown_at_once),
		cmocka_unit_test(pinned_key_is_told),
		cmocka_unit_test(details_have_the_values),
		cmocka_unit_test(detail_says_who_mapped_it),
		cmocka_unit_test(details_are_clean_and_bounded),
		cmocka_unit_test(json_lists_the_checks_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
