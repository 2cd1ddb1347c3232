// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/authkeys.h"
#include "tests/unit/import-lab.h"

/* authorized_keys, and what a plan does with what it was told. */

static void import(struct lab *l, const char *format, ...) _printf_(2, 3);
static void import(struct lab *l, const char *format, ...)
{
	char text[16384];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	lab_again(l);
	import_authorized_keys(&l->plan, "keys", text, strlen(text), "alice", false);
	assert_int_equal(l->plan.error, 0);
}

static void key_of_a_given_certificate(void **state)
{
	struct lab *l = *state;

	import(l, "# comment\n\n  %s alice@home\r\n%s\r\n", l->keys[0], l->keys[1]);
	enrolled(l, 3, "alice", &l->alice);
	enrolled(l, 4, "alice", &l->bob);
	assert_int_equal(l->plan.n_refusals, 0);
	import(l, "%s\n%s again", l->keys[0], l->keys[0]);
	assert_int_equal(l->plan.n_ops, 1);
}

static void key_of_no_given_certificate(void **state)
{
	struct lab *l = *state;
	struct pki other;
	char key[1024];

	pki_make_person("carol", KEY_ED25519, &l->ca, &other);
	lab_key(&other, "ssh-ed25519", key);
	import(l, "%s", key);
	refused(l, 1, "no given certificate");
	assert_int_equal(l->plan.n_ops, 0);
	pki_deinit(&other);
}

static void key_of_two_given_certificates(void **state)
{
	struct lab *l = *state;
	struct pki twin;

	pki_make(&(struct pki_spec){ .cn = "alice again", .key = l->alice.key }, &l->ca, &twin);
	lab_give(l, &twin);
	import(l, "%s", l->keys[0]);
	refused(l, 1, "several");
	assert_int_equal(l->plan.n_ops, 0);
	pki_deinit(&twin);
}

static void option_that_restricts(void **state)
{
	static const char *const options[] = {
		"command=\"id\"",
		"from=\"10.0.0.0/8\"",
		"restrict",
		"no-pty",
		"environment=\"A=b c\"",
		"permitopen=\"a:1\"",
		"tunnel=\"0\"",
		"principals=\"a\"",
		"no-touch-required",
		"verify-required",
		"agent-forwarding,no-pty",
		"frobnicate",
		"command=\"a \\\" b,pty\"",
		"pty,",
		"NO-PTY",
	};
	struct lab *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		import(l, "%s %s", options[i], l->keys[0]);
		if (strcmp(options[i], "pty,") == 0) { /* nothing behind the comma: nothing said */
			enrolled(l, 1, "alice", &l->alice);
			continue;
		}
		refused(l, 1, "cannot be carried over");
		assert_int_equal(l->plan.n_ops, 0);
	}
	import(l, "cert-authority %s", l->keys[0]);
	refused(l, 1, "OpenSSH certificates");
	assert_int_equal(l->plan.n_ops, 0);
}

static void option_that_says_nothing(void **state)
{
	struct lab *l = *state;

	import(l, "pty,agent-forwarding,Port-Forwarding,user-rc,X11-forwarding %s", l->keys[0]);
	enrolled(l, 1, "alice", &l->alice);
	assert_int_equal(l->plan.n_refusals, 0);
}

static void kinds_of_keys_without_certificates(void **state)
{
	static const struct {
		const char *line, *why;
	} t[] = {
		{ "sk-ssh-ed25519@openssh.com AAAA", "FIDO" },
		{ "sk-ecdsa-sha2-nistp256@openssh.com AAAA", "FIDO" },
		{ "ssh-dss AAAA", "DSA" },
		{ "ssh-ed25519-cert-v01@openssh.com AAAA", "OpenSSH certificate" },
		{ "ssh-ed25519 AAAA", "no public key" },
		{ "ssh-ed25519 ????", "no public key" },
		{ "ssh-ed25519", "cannot be read" },
		{ "1024 35 12345", "cannot be read" },
		{ "command=\"x ssh-ed25519 AAAA", "cannot be read" },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		import(l, "%s", t[i].line);
		refused(l, 1, t[i].why);
		assert_int_equal(l->plan.n_ops, 0);
	}
	import(l, "ssh-ed25519 %s", strchr(l->keys[0], ' ') + 1);
	refused(l, 1, "no public key"); /* the type of the line is not the key's */
}

static void end_without_a_service(void **state)
{
	struct lab *l = *state;

	import(l, "expiry-time=\"20300101\" %s", l->keys[0]);
	refused(l, 1, "--service");
	assert_int_equal(l->plan.n_ops, 0);
}

static void end_becomes_that_of_the_access(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: refused */
	} t[] = {
		{ "20300102Z", 1893542400 },
		{ "203001020304Z", 1893553440 },
		{ "20300102030405Z", 1893553445 },
		{ "20300102", 1893542400 },
		{ "20300231Z", 0 },
		{ "20301301Z", 0 },
		{ "2030010203Z", 0 },
		{ "20300102ZZ", 0 },
		{ "", 0 },
		{ "never", 0 },
		{ "203001022561Z", 0 },
	};
	struct lab *l = *state;

	l->options.service = "sshd";
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		import(l, "expiry-time=\"%s\" %s", t[i].text, l->keys[0]);
		assert_int_equal(plan_finish(&l->plan, NULL), 0);
		if (t[i].seconds == 0) {
			refused(l, 1, "no time");
			assert_int_equal(l->plan.n_ops, 0);
			continue;
		}
		assert_int_equal(count_ops(l, PLAN_ACCESS), 1);
		assert_int_equal(l->plan.ops[2].kind, PLAN_ACCESS);
		assert_int_equal(l->plan.ops[2].until, t[i].seconds * INT64_C(1000000));
	}
	import(l, "expiry-time=\"20300101Z\",expiry-time=\"20310101Z\" %s", l->keys[0]);
	refused(l, 1, "no time");
	import(l, "expiry-time=20300101Z %s", l->keys[0]);
	refused(l, 1, "no time");
}

static void ends_that_differ(void **state)
{
	struct lab *l = *state;

	l->options.service = "sshd";
	import(l, "expiry-time=\"20300101Z\" %s\n%s", l->keys[0], l->keys[1]);
	refused(l, 1, "another time");
	enrolled(l, 2, "alice", &l->bob);
	assert_int_equal(l->plan.n_ops, 1);
	import(l, "expiry-time=\"20300101Z\" %s\nexpiry-time=\"20310101Z\" %s", l->keys[0],
	       l->keys[1]);
	assert_int_equal(l->plan.n_ops, 0);
	import(l, "expiry-time=\"20300101Z\" %s\nexpiry-time=\"20300101Z\" %s", l->keys[0],
	       l->keys[1]);
	assert_int_equal(l->plan.n_ops, 2);
}

static void never_the_superuser(void **state)
{
	static const char *const names[] = { "root", "toor", "", "a/b", "." };
	struct lab *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		lab_again(l);
		import_authorized_keys(&l->plan, "keys", l->keys[0], strlen(l->keys[0]), names[i],
				       false);
		refused(l, 1, i < 2 ? "uid 0" : "cannot be the name");
		assert_int_equal(plan_finish(&l->plan, NULL), 0);
		assert_int_equal(l->plan.n_ops, 0);
	}
}

static void certificate_that_cannot_be_enrolled(void **state)
{
	struct lab *l = *state;

	plan_enroll(&l->plan, (struct place){ "x", 1 }, "carol", l->ca.cert, INT64_MAX);
	refused(l, 1, "CA");
	l->options.now = l->alice.cert->not_after + 1;
	plan_enroll(&l->plan, (struct place){ "x", 2 }, "alice", l->alice.cert, INT64_MAX);
	refused(l, 2, "expired");
	assert_int_equal(l->plan.n_ops, 0);
}

static void text_with_a_nul(void **state)
{
	struct lab *l = *state;
	char text[1100];
	int n = snprintf(text, sizeof(text), "#%c\n%s", 0, l->keys[0]);

	import_authorized_keys(&l->plan, "keys", text, (size_t)n, "alice", false);
	refused(l, 0, "NUL");
	assert_int_equal(l->plan.n_ops, 0);
}

/* --- the plan --- */

static void one_key_is_one_person(void **state)
{
	struct lab *l = *state;
	struct place at = { "x", 1 };

	plan_enroll(&l->plan, at, "alice", l->alice.cert, INT64_MAX);
	plan_enroll(&l->plan, (struct place){ "x", 2 }, "mallory", l->alice.cert, INT64_MAX);
	plan_enroll(&l->plan, (struct place){ "x", 3 }, "bob", l->bob.cert, INT64_MAX);
	assert_int_equal(plan_finish(&l->plan, NULL), 0);
	refused(l, 1, "mallory");
	refused(l, 2, "alice");
	assert_int_equal(l->plan.n_ops, 2);
	enrolled(l, 3, "bob", &l->bob);
}

static void identities_come_first_and_once(void **state)
{
	struct lab *l = *state;

	l->options.service = "@login";
	import(l, "%s\n%s", l->keys[0], l->keys[1]);
	assert_int_equal(plan_finish(&l->plan, NULL), 0);
	assert_int_equal(l->plan.n_ops, 4);
	assert_int_equal(l->plan.ops[0].kind, PLAN_IDENTITY);
	assert_int_equal(l->plan.ops[1].kind, PLAN_ENROLL);
	assert_int_equal(l->plan.ops[2].kind, PLAN_ACCESS);
	assert_int_equal(l->plan.ops[3].kind, PLAN_ENROLL);
	assert_int_equal(plan_to_do(&l->plan), 4);
}

static json_t *rows(const char *text)
{
	json_t *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return j;
}

static void know(struct known *k, const struct pki *p, const char *identity, int64_t until)
{
	char sha256[HEX_SIZE(SHA256_BYTES)], key[HEX_SIZE(SHA256_BYTES)];
	json_t *identities = rows("[{\"name\": \"alice\"}]"), *keys, *access;

	hex_encode(p->cert->sha256, SHA256_BYTES, sha256);
	hex_encode(p->cert->spki_sha256, SHA256_BYTES, key);
	keys = json_pack("[{s:s, s:s, s:s}]", "sha256", sha256, "spkiSha256", key, "identity",
			 identity);
	access = json_pack("[{s:s, s:s, s:s, s:I}]", "identity", "alice", "account", "alice",
			   "service", "sshd", "notAfter", (json_int_t)until);
	assert_int_equal(known_add(&k->identities, identities, "name"), 0);
	assert_int_equal(known_add(&k->keys, keys, "spkiSha256"), 0);
	assert_int_equal(known_add_access(k, access), 0);
	json_decref(identities);
	json_decref(keys);
	json_decref(access);
}

static void what_is_there_is_left_alone(void **state)
{
	_cleanup_(known_deinitp) struct known k = { NULL };
	struct lab *l = *state;

	l->options.service = "sshd";
	know(&k, &l->alice, "alice", INT64_MAX);
	import(l, "%s", l->keys[0]);
	assert_int_equal(plan_finish(&l->plan, &k), 0);
	assert_int_equal(l->plan.n_ops, 3);
	assert_int_equal(plan_to_do(&l->plan), 0);
	assert_int_equal(l->plan.n_refusals, 0);
}

static void key_that_is_anothers(void **state)
{
	_cleanup_(known_deinitp) struct known k = { NULL };
	struct lab *l = *state;

	know(&k, &l->alice, "bob", INT64_MAX);
	import(l, "%s", l->keys[0]);
	assert_int_equal(plan_finish(&l->plan, &k), 0);
	refused(l, 1, "enrolled for bob");
	assert_int_equal(l->plan.n_ops, 0);
}

static void key_in_another_certificate(void **state)
{
	_cleanup_(known_deinitp) struct known k = { NULL };
	struct lab *l = *state;
	struct pki twin;

	pki_make(&(struct pki_spec){ .cn = "alice", .key = l->alice.key }, &l->ca, &twin);
	know(&k, &twin, "alice", INT64_MAX);
	import(l, "%s", l->keys[0]);
	assert_int_equal(plan_finish(&l->plan, &k), 0);
	refused(l, 1, "another certificate");
	assert_int_equal(l->plan.n_ops, 0);
	pki_deinit(&twin);
}

static void end_that_would_not_hold(void **state)
{
	_cleanup_(known_deinitp) struct known k = { NULL };
	struct lab *l = *state;

	l->options.service = "sudo";
	know(&k, &l->bob, "alice", INT64_MAX); /* alice may do sshd for ever */
	import(l, "expiry-time=\"20300101Z\" %s", l->keys[0]);
	assert_int_equal(plan_finish(&l->plan, &k), 0);
	refused(l, 1, "would not hold");
	assert_int_equal(l->plan.n_ops, 0);
}

static void access_with_another_end(void **state)
{
	_cleanup_(known_deinitp) struct known k = { NULL };
	struct lab *l = *state;

	l->options.service = "sshd";
	know(&k, &l->bob, "alice", 4711);
	import(l, "%s", l->keys[0]);
	assert_int_equal(plan_finish(&l->plan, &k), 0);
	refused(l, 1, "another end");
	assert_int_equal(plan_to_do(&l->plan), 1); /* the certificate alone */
}

static void rules_that_are_there(void **state)
{
	_cleanup_(known_deinitp) struct known k = { NULL };
	struct lab *l = *state;
	struct plan_rule r = { .kind = "x", .match = "<SAN:rfc822Name>@", .yield = "{mail.local}" };
	json_t *list;

	for (int i = 0; i < 4; i++) {
		r.goes_on = i == 3;
		lab_again(l);
		l->options.n_domains = i == 2 ? 2 : 1;
		l->domains[0] = "example.org";
		l->domains[1] = "example.com";
		plan_rule(&l->plan, (struct place){ "x", 1 }, &r);
		plan_rule(&l->plan, (struct place){ "x", 2 }, &r);
		assert_int_equal(l->plan.n_ops, 1);
		if (i == 0) {
			list = json_pack("[{s:s, s:s, s:s, s:s, s:[s]}]", "name",
					 l->plan.ops[0].name, "anchor", "corp", "match", r.match,
					 "yield", r.yield, "domains", "example.org");
			assert_int_equal(known_add(&k.rules, list, "name"), 0);
			json_decref(list);
			continue;
		}
		assert_int_equal(plan_finish(&l->plan, &k), 0);
		assert_int_equal(plan_to_do(&l->plan), 0);
		if (i == 1)
			assert_int_equal(l->plan.ops[0].state, PLAN_PRESENT);
		else
			refused(l, 1, "says something else");
	}
}

static void rules_need_anchor_domains_and_room(void **state)
{
	struct lab *l = *state;
	struct place at = { "x", 1 };
	char match[PLAN_MATCH_MAX + 2];

	plan_rule(&l->plan, at,
		  &(struct plan_rule){ .kind = "x", .match = "<SUBJECT>m", .yield = "{mail}" });
	refused(l, 1, "--domain");
	at.line = 2;
	l->options.anchor = NULL;
	plan_rule(&l->plan, at,
		  &(struct plan_rule){ .kind = "x", .match = "<SUBJECT>m", .login = "a" });
	refused(l, 2, "--anchor");
	l->options.anchor = "corp";
	at.line = 3;
	plan_rule(&l->plan, at,
		  &(struct plan_rule){ .kind = "x", .match = "<SUBJECT>m", .login = "root" });
	refused(l, 3, "uid 0");
	memset(match, 'x', sizeof(match) - 1);
	match[sizeof(match) - 1] = '\0';
	at.line = 4;
	plan_rule(&l->plan, at, &(struct plan_rule){ .kind = "x", .match = match, .login = "a" });
	refused(l, 4, "too long");
	assert_int_equal(l->plan.n_ops, 0);
	for (at.line = 10; at.line < 10 + PLAN_RULES_MAX + 1; at.line++) {
		(void)snprintf(match, sizeof(match), "<SUBJECT>m%u", at.line);
		plan_rule(&l->plan, at,
			  &(struct plan_rule){ .kind = "x", .match = match, .login = "a" });
	}
	assert_int_equal(l->plan.n_ops, PLAN_RULES_MAX);
	refused(l, 10 + PLAN_RULES_MAX, "more rules");
}

static void rule_of_a_template_gives_no_access(void **state)
{
	struct lab *l = *state;

	l->options.service = "sudo";
	plan_rule(
		&l->plan, (struct place){ "x", 1 },
		&(struct plan_rule){ .kind = "x", .match = "<SUBJECT>m", .yield = "{subject.cn}" });
	assert_int_equal(plan_finish(&l->plan, NULL), 0);
	assert_int_equal(l->plan.n_ops, 1);
	refused(l, 1, "by hand");
}

static void plan_as_json(void **state)
{
	struct lab *l = *state;
	json_t *j;

	l->options.service = "sshd";
	import(l, "%s\nssh-dss \xff\x1b", l->keys[0]);
	plan_rule(&l->plan, (struct place){ "x", 1 },
		  &(struct plan_rule){ .kind = "x", .match = "<SUBJECT>m", .login = "bob" });
	plan_refuse(&l->plan, (struct place){ "\xff", 9 }, "\x1b[2J", "\xff");
	assert_int_equal(plan_finish(&l->plan, NULL), 0);
	j = plan_json(&l->plan, false);
	assert_non_null(j);
	assert_int_equal(json_array_size(json_object_get(j, "operations")), 6);
	assert_int_equal(json_array_size(json_object_get(j, "refusals")), 2);
	assert_true(json_is_false(json_object_get(j, "applied")));
	json_decref(j);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(key_of_a_given_certificate),
		T(key_of_no_given_certificate),
		T(key_of_two_given_certificates),
		T(option_that_restricts),
		T(option_that_says_nothing),
		T(kinds_of_keys_without_certificates),
		T(end_without_a_service),
		T(end_becomes_that_of_the_access),
		T(ends_that_differ),
		T(never_the_superuser),
		T(certificate_that_cannot_be_enrolled),
		T(text_with_a_nul),
		T(one_key_is_one_person),
		T(identities_come_first_and_once),
		T(what_is_there_is_left_alone),
		T(key_that_is_anothers),
		T(key_in_another_certificate),
		T(end_that_would_not_hold),
		T(access_with_another_end),
		T(rules_that_are_there),
		T(rules_need_anchor_domains_and_room),
		T(rule_of_a_template_gives_no_access),
		T(plan_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
