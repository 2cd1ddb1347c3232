// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/admin-client.h"

/* Who may what, and what becomes of it. */

/* --- who may what --- */

enum {
	R = ROLE_ROOT,
	RA = ROLE_ROOT | ROLE_ADMIN,
	ALL = ROLE_ROOT | ROLE_ADMIN | ROLE_AUDIT,
	RF = ROLE_ROOT | ROLE_FETCH,
	RAF = RA | ROLE_FETCH,
};

static const struct {
	const char *method;
	unsigned may;
} matrix[] = {
	{ "Status", ALL },	   { "AddIdentity", RA },	 { "GetIdentity", ALL },
	{ "ListIdentities", ALL }, { "SetIdentityEnabled", RA }, { "RemoveIdentity", RA },
	{ "Enroll", RA },	   { "Unenroll", RA },		 { "ListCertificates", ALL },
	{ "AllowAccess", RA },	   { "DenyAccess", RA },	 { "ListAccess", ALL },
	{ "SetService", R },	   { "RemoveService", R },	 { "ListServices", ALL },
	{ "AddAnchor", R },	   { "RemoveAnchor", R },	 { "ListAnchors", ALL },
	{ "ListSessions", ALL },   { "GetSession", ALL },	 { "ListEvents", ALL },
	{ "GetEvent", ALL },	   { "VerifyAudit", ALL },	 { "TestLogin", ALL },
	{ "Backup", R },	   { "ListCrls", ALL },		 { "BeginCrl", RAF },
	{ "PutCrl", RAF },	   { "ApplyCrl", RAF },		 { "ForgetCrl", R },
	{ "ImportOcsp", RAF },	   { "ListOcsp", ALL },		 { "AddRule", R },
	{ "RemoveRule", R },	   { "ListRules", ALL },	 { "TestRule", ALL },
	{ "SetAnchor", R },	   { "AddSource", RA },		 { "RemoveSource", RA },
	{ "ListSources", ALL },	   { "SetFetch", RA },		 { "ListFetchJobs", RF },
	{ "ReportFetch", RF },
};

static const struct {
	unsigned role;
	uid_t uid;
	gid_t gid;
} peers[] = {
	{ ROLE_ROOT, 0, 0 },
	{ ROLE_ADMIN, UID_ADMIN, GID_ADMIN },
	{ ROLE_AUDIT, UID_AUDIT, GID_AUDIT },
	{ 0, UID_NOBODY, 0 },
	{ ROLE_FETCH, UID_FETCH, GID_AUDIT }, /* the group that lets it reach the socket */
	{ ROLE_FETCH, UID_FETCH, GID_ADMIN },
};

static unsigned expected(const char *method)
{
	for (size_t i = 0; i < ARRAY_SIZE(matrix); i++)
		if (strcmp(matrix[i].method, method) == 0)
			return matrix[i].may;
	fail_msg("%s has no row in this matrix", method);
	return 0;
}

static void every_method_has_its_roles(_unused_ void **state)
{
	const struct roles roles = { .admin = GID_ADMIN, .audit = GID_AUDIT, .fetch = UID_FETCH };
	size_t n = 0;

	for (const struct vl_method *m = api_admin.methods; m->name; m++, n++)
		for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
			const gid_t groups[] = { 100, peers[i].gid ? peers[i].gid : 200 };
			unsigned mask = admin_roles(&roles, peers[i].uid, groups, 2);

			assert_int_equal(mask, peers[i].role);
			if (!(m->roles & mask) != !(expected(m->name) & peers[i].role))
				fail_msg("%s for role %u", m->name, peers[i].role);
		}
	assert_int_equal(n, ARRAY_SIZE(matrix));
}

static void groups_that_do_not_exist_are_nobodys(_unused_ void **state)
{
	const struct roles roles = { .admin = (gid_t)-1, .audit = (gid_t)-1 };
	const gid_t groups[] = { (gid_t)-1, 0 };

	assert_int_equal(admin_roles(&roles, 1000, groups, 2), 0);
	assert_int_equal(admin_roles(&roles, 1000, groups, 0), 0);
	assert_int_equal(admin_roles(&roles, 0, NULL, 0), ROLE_ROOT); /* roles.fetch is 0, too */
	assert_int_equal(admin_roles(&(struct roles){ .fetch = (uid_t)-1 }, (uid_t)-1, NULL, 0), 0);
}

/* May this process take on other users? */
static bool can_be_others(void)
{
	if (setgroups(0, NULL) < 0 || seteuid(UID_NOBODY) < 0) {
		print_message("# not root: other users were not tried\n");
		return false;
	}
	return seteuid(0) == 0;
}

/* Over the socket: refused before parameters are looked at, or refused for its parameters. */
static void every_method_asks_who_calls(void **state)
{
	struct lab *lab = *state;

	if (!can_be_others())
		return;
	for (const struct vl_method *m = api_admin.methods; m->name; m++)
		for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
			int fd = connect_as(lab, peers[i].uid, peers[i].gid);

			expect_error(call_on(lab, fd, m->name, json_pack("{s:i}", "no such", 1)),
				     expected(m->name) & peers[i].role ? ".InvalidParameter"
								       : ".PermissionDenied",
				     NULL, NULL);
			(void)close(fd);
		}
	assert_false(store_dirty(lab->a.store));
}

static void what_leads_to_root_is_roots_alone(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *one = lab_person(&lab->ca, "one"),
					  *two = lab_person(&lab->ca, "two");
	int fd;

	if (!can_be_others())
		return;
	add(lab, "chief");
	add(lab, "clerk");
	done(call(lab, "AllowAccess", access_of("chief", "root", "su")));
	fd = connect_as(lab, UID_ADMIN, GID_ADMIN);
#define DENIED(method, p) expect_error(call_on(lab, fd, method, p), ".PermissionDenied", NULL, NULL)
	DENIED("AllowAccess", access_of("clerk", "root", "su"));
	DENIED("AllowAccess", access_of("chief", "root", "@elevate"));
	DENIED("Enroll", json_pack("{s:s, s:o}", "identity", "chief", "certificate", der(one)));
	DENIED("SetIdentityEnabled", json_pack("{s:s, s:b}", "name", "chief", "enabled", 1));
#undef DENIED
	/* the same for who does not reach root, and what narrows */
	done(call_on(lab, fd, "AllowAccess", access_of("clerk", "www", "sshd")));
	expect_event(lab, "admin.access.allow", "uid 4011", "notAfter");
	done(call_on(lab, fd, "Enroll",
		     json_pack("{s:s, s:o}", "identity", "clerk", "certificate", der(two))));
	done(call_on(lab, fd, "SetIdentityEnabled",
		     json_pack("{s:s, s:b}", "name", "clerk", "enabled", 1)));
	done(call_on(lab, fd, "SetIdentityEnabled",
		     json_pack("{s:s, s:b}", "name", "chief", "enabled", 0)));
	done(call_on(lab, fd, "DenyAccess", access_of("chief", "root", "su")));
	done(call_on(lab, fd, "SetIdentityEnabled",
		     json_pack("{s:s, s:b}", "name", "chief", "enabled", 1)));
	(void)close(fd);
}

/* --- identities --- */

static void identity_life(void **state)
{
	struct lab *lab = *state;
	json_t *reply;

	reply = good(call(lab, "AddIdentity",
			  json_pack("{s:s, s:s, s:I, s:I}", "name", "alice", "fullName", "Alice A.",
				    "notBefore", (json_int_t)5, "notAfter", (json_int_t)9)));
	assert_string_equal(text_at(reply, "identity", "fullName"), "Alice A.");
	assert_int_equal(int_at(json_object_get(reply, "identity"), "notBefore"), 5);
	assert_int_equal(int_at(json_object_get(reply, "identity"), "created"), LAB_NOW);
	json_decref(reply);
	expect_event(lab, "admin.identity.add", "uid 0", "Alice A.");
	expect_error(call(lab, "AddIdentity", json_pack("{s:s}", "name", "alice")), ".Exists",
		     "what", "identity");

	reply = good(call(
		lab, "SetIdentityEnabled",
		json_pack("{s:s, s:b, s:s}", "name", "alice", "enabled", 0, "reason", "left")));
	assert_false(yes_at(json_object_get(reply, "identity"), "enabled"));
	assert_string_equal(text_at(reply, "identity", "reason"), "left");
	json_decref(reply);
	expect_event(lab, "admin.identity.disable", "uid 0", "left");
	done(call(lab, "SetIdentityEnabled",
		  json_pack("{s:s, s:b}", "name", "alice", "enabled", 1)));
	expect_event(lab, "admin.identity.enable", "uid 0", "true");

	done(call(lab, "RemoveIdentity", json_pack("{s:s}", "name", "alice")));
	expect_event(lab, "admin.identity.remove", "uid 0", "Alice A.");
	for (size_t i = 0; i < 2; i++)
		expect_error(call(lab, i ? "RemoveIdentity" : "GetIdentity",
				  json_pack("{s:s}", "name", "alice")),
			     ".NotFound", "what", "identity");
	expect_error(call(lab, "SetIdentityEnabled",
			  json_pack("{s:s, s:b}", "name", "alice", "enabled", 0)),
		     ".NotFound", "what", "identity");
}

static void identity_values_are_checked(void **state)
{
	struct lab *lab = *state;

#define INVALID(field, ...)                                                                        \
	expect_error(call(lab, "AddIdentity", json_pack(__VA_ARGS__)), ".InvalidValue", "field",   \
		     field)
	INVALID("name", "{s:s}", "name", "a b");
	INVALID("name", "{s:s}", "name", "");
	INVALID("fullName", "{s:s, s:s}", "name", "a", "fullName", "x\ny");
	INVALID("notAfter", "{s:s, s:i, s:i}", "name", "a", "notBefore", 2, "notAfter", 1);
	INVALID("notAfter", "{s:s, s:i}", "name", "a", "notBefore", -1);
#undef INVALID
	add(lab, "a");
	expect_error(
		call(lab, "SetIdentityEnabled",
		     json_pack("{s:s, s:b, s:s}", "name", "a", "enabled", 0, "reason", "\x1b")),
		".InvalidValue", "field", "reason");
}

static void lists_come_in_pages(void **state)
{
	struct lab *lab = *state;
	json_t *reply;

	for (char name[] = "a"; *name <= 'e'; name[0]++)
		add(lab, name);
	reply = good(
		call(lab, "ListIdentities", json_pack("{s:s, s:i}", "after", "a", "limit", 2)));
	assert_int_equal(json_array_size(json_object_get(reply, "identities")), 2);
	assert_string_equal(
		text_at(json_array_get(json_object_get(reply, "identities"), 0), NULL, "name"),
		"b");
	assert_true(yes_at(reply, "more"));
	json_decref(reply);
	/* exactly as many as there are */
	reply = good(
		call(lab, "ListIdentities", json_pack("{s:s, s:i}", "after", "c", "limit", 2)));
	assert_int_equal(json_array_size(json_object_get(reply, "identities")), 2);
	assert_false(yes_at(reply, "more"));
	json_decref(reply);
	static const char *const methods[] = { "ListIdentities", "ListCertificates", "ListSessions",
					       "ListEvents" };
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		expect_error(call(lab, methods[i], json_pack("{s:i}", "limit", 0)), ".InvalidValue",
			     "field", "limit");
}

static void page_is_capped_at_its_limit(void **state)
{
	struct lab *lab = *state;
	struct identity identity;
	char name[16];
	json_t *reply;

	for (int i = 0; i <= LIMIT_LIST_ROWS; i++) {
		(void)snprintf(name, sizeof(name), "p%04d", i);
		assert_int_equal(store_identity_add(lab->a.store, name, "", 0, 9, &identity), 0);
	}
	assert_int_equal(store_commit(lab->a.store), 0);
	reply = good(call(lab, "ListIdentities", json_pack("{s:i}", "limit", 1000000)));
	assert_int_equal(json_array_size(json_object_get(reply, "identities")), LIMIT_LIST_ROWS);
	assert_true(yes_at(reply, "more"));
	json_decref(reply);
}

/* --- certificates --- */

static json_t *enrolment(const char *identity, const struct cert *c)
{
	return json_pack("{s:s, s:o}", "identity", identity, "certificate", der(c));
}

static void certificate_life(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	char hex[HEX_SIZE(SHA256_BYTES)];
	json_t *reply;

	hex_encode(c->sha256, SHA256_BYTES, hex);
	add(lab, "alice");
	reply = good(call(lab, "Enroll", enrolment("alice", c)));
	assert_string_equal(text_at(reply, "certificate", "sha256"), hex);
	assert_string_equal(text_at(reply, "certificate", "subject"), "CN=alice");
	assert_string_equal(text_at(reply, "certificate", "issuer"), "CN=Lab CA");
	assert_int_equal(int_at(json_object_get(reply, "certificate"), "notAfter"), c->not_after);
	json_decref(reply);
	expect_event(lab, "admin.certificate.enroll", "uid 0", "CN=alice");

	reply = good(call(lab, "GetIdentity", json_pack("{s:s}", "name", "alice")));
	assert_int_equal(json_array_size(json_object_get(reply, "certificates")), 1);
	assert_int_equal(int_at(json_object_get(reply, "identity"), "certificates"), 1);
	json_decref(reply);
	reply = good(call(lab, "ListCertificates", json_pack("{s:s}", "identity", "alice")));
	assert_int_equal(json_array_size(json_object_get(reply, "certificates")), 1);
	json_decref(reply);
	expect_error(call(lab, "ListCertificates", json_pack("{s:s}", "identity", "bob")),
		     ".NotFound", "what", "identity");
	expect_error(call(lab, "ListCertificates", json_pack("{s:s}", "after", "zz")),
		     ".InvalidValue", "field", "after");

	done(call(lab, "Unenroll", json_pack("{s:s}", "sha256", hex)));
	expect_event(lab, "admin.certificate.unenroll", "uid 0", hex);
	expect_error(call(lab, "Unenroll", json_pack("{s:s}", "sha256", hex)), ".NotFound", "what",
		     "certificate");
	expect_error(call(lab, "Unenroll", json_pack("{s:s}", "sha256", "00")), ".InvalidValue",
		     "field", "sha256");
}

static void only_good_certificates_are_enrolled(void **state)
{
	struct lab *lab = *state;
	const struct cert_spec server = { .cn = "x",
					  .eku = OID_SERVER,
					  .not_before = LAB_NOW - DAY,
					  .not_after = LAB_NOW + DAY };
	struct cert_spec old = server, none = server;
	_cleanup_(cert_freep) struct cert *for_server = lab_leaf(&lab->ca, &server, NULL), *expired,
					  *no_eku;

	old.eku = OID_CLIENT;
	old.not_after = LAB_NOW - SEC;
	none.eku = NULL;
	expired = lab_leaf(&lab->ca, &old, NULL);
	no_eku = lab_leaf(&lab->ca, &none, NULL);
	add(lab, "alice");
#define REFUSED(c, text)                                                                           \
	expect_error(call(lab, "Enroll", enrolment("alice", c)), ".InvalidValue", "why", text)
	REFUSED(for_server, leaf_fault_text(LEAF_EKU));
	REFUSED(no_eku, leaf_fault_text(LEAF_EKU_MISSING));
	REFUSED(lab->ca_cert, leaf_fault_text(LEAF_IS_CA));
	REFUSED(expired, "it expired at 2027-01-15 07:59 UTC");
#undef REFUSED
	expect_error(call(lab, "Enroll",
			  json_pack("{s:s, s:s}", "identity", "alice", "certificate", "Zg=")),
		     ".InvalidValue", "why", "base64");
	expect_error(call(lab, "Enroll",
			  json_pack("{s:s, s:s}", "identity", "alice", "certificate", "Zm9v")),
		     ".InvalidValue", "why", "X.509");
	expect_error(call(lab, "Enroll", enrolment("bob", for_server)), ".NotFound", "what",
		     "identity");
	assert_false(store_dirty(lab->a.store));
}

static void one_key_is_one_person(void **state)
{
	struct lab *lab = *state;
	const struct cert_spec spec = { .cn = "alice",
					.eku = OID_CLIENT,
					.not_before = LAB_NOW - DAY,
					.not_after = LAB_NOW + DAY };
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t key = NULL;
	_cleanup_(cert_freep) struct cert *first, *second;

	assert_int_equal(key_make(&key), 0);
	first = lab_leaf(&lab->ca, &spec, key);
	second = lab_leaf(&lab->ca, &spec, key);
	add(lab, "alice");
	add(lab, "bob");
	done(call(lab, "Enroll", enrolment("alice", first)));
	expect_error(call(lab, "Enroll", enrolment("bob", second)), ".Exists", "what",
		     "key (enrolled for alice)");
	expect_error(call(lab, "Enroll", enrolment("bob", first)), ".Exists", "what",
		     "certificate (enrolled for alice)");
}

/* --- access, services --- */

static void access_life(void **state)
{
	struct lab *lab = *state;
	json_t *reply, *p;

	add(lab, "alice");
	p = access_of("alice", "root", "@elevate");
	json_object_set_new(p, "notAfter", json_integer(LAB_NOW));
	reply = good(call(lab, "AllowAccess", p));
	assert_string_equal(text_at(reply, "access", "service"), "@elevate");
	assert_int_equal(int_at(json_object_get(reply, "access"), "notAfter"), LAB_NOW);
	assert_int_equal(int_at(json_object_get(reply, "access"), "created"), LAB_NOW);
	json_decref(reply);
	reply = good(call(lab, "ListAccess", json_object()));
	assert_int_equal(json_array_size(json_object_get(reply, "access")), 1);
	json_decref(reply);
	done(call(lab, "DenyAccess", access_of("alice", "root", "@elevate")));
	expect_event(lab, "admin.access.deny", "uid 0", "notBefore");
	expect_error(call(lab, "DenyAccess", access_of("alice", "root", "@elevate")), ".NotFound",
		     "what", "access");
	expect_error(call(lab, "AllowAccess", access_of("bob", "www", "sshd")), ".NotFound", "what",
		     "identity");
	expect_error(call(lab, "ListAccess", json_pack("{s:s}", "identity", "bob")), ".NotFound",
		     "what", "identity");
#define INVALID(field, i, a, s)                                                                    \
	expect_error(call(lab, "AllowAccess", access_of(i, a, s)), ".InvalidValue", "field", field)
	INVALID("identity", "", "www", "sshd");
	INVALID("account", "alice", "-x", "sshd");
	INVALID("service", "alice", "www", "@all");
	INVALID("service", "alice", "www", "a*");
#undef INVALID
	p = access_of("alice", "www", "sshd");
	json_object_set_new(p, "notBefore", json_integer(-5));
	expect_error(call(lab, "AllowAccess", p), ".InvalidValue", "field", "notAfter");
}

static json_t *service(struct lab *lab, json_t *parameters)
{
	json_t *reply = good(call(lab, "SetService", parameters));
	json_t *row = json_incref(json_object_get(reply, "service"));

	json_decref(reply);
	return row;
}

static void expect_service(json_t *row, const char *uids, const char *via, bool loose, bool console)
{
	assert_string_equal(text_at(row, NULL, "redeemUids"), uids);
	assert_string_equal(text_at(row, NULL, "via"), via);
	assert_int_equal(yes_at(row, "loose"), loose);
	assert_int_equal(yes_at(row, "console"), console);
	json_decref(row);
}

static void service_defaults_are_narrow(void **state)
{
	struct lab *lab = *state;

#define SET(class, ...) service(lab, json_pack("{s:s, s:s" __VA_ARGS__))
	expect_service(SET(, "}", "name", "x", "class", "login"), "0", "any", false, false);
	/* what is not said stays */
	expect_service(SET(, ", s:s, s:b}", "name", "x", "class", "login", "redeemUids", "0,7",
			   "loose", 1),
		       "0,7", "any", true, false);
	expect_service(SET(, ", s:s}", "name", "x", "class", "login", "via", "network"), "0,7",
		       "network", true, false);
	/* but not into another class */
	expect_service(SET(, "}", "name", "x", "class", "elevate"), "0", "local", false, false);
	expect_service(SET(, ", s:b}", "name", "y", "class", "login", "console", 1), "0", "local",
		       false, true);
#undef SET
	expect_event(lab, "admin.service.set", "uid 0", "\"console\":true");
	done(call(lab, "RemoveService", json_pack("{s:s}", "name", "y")));
	expect_event(lab, "admin.service.remove", "uid 0", "\"console\":true");
	expect_error(call(lab, "RemoveService", json_pack("{s:s}", "name", "y")), ".NotFound",
		     "what", "service");
}

static void service_values_are_checked(void **state)
{
	struct lab *lab = *state;

#define INVALID(field, ...)                                                                        \
	expect_error(call(lab, "SetService", json_pack(__VA_ARGS__)), ".InvalidValue", "field",    \
		     field)
	INVALID("name", "{s:s, s:s}", "name", "@app", "class", "app");
	INVALID("class", "{s:s, s:s}", "name", "x", "class", "@app");
	INVALID("redeemUids", "{s:s, s:s, s:s}", "name", "x", "class", "app", "redeemUids", "0,");
	INVALID("via", "{s:s, s:s, s:s}", "name", "x", "class", "app", "via", "");
	INVALID("loose", "{s:s, s:s, s:b}", "name", "x", "class", "elevate", "loose", 1);
	INVALID("console", "{s:s, s:s, s:b}", "name", "x", "class", "elevate", "console", 1);
	INVALID("console", "{s:s, s:s, s:b}", "name", "x", "class", "app", "console", 1);
#undef INVALID
}

/* --- anchors, and the decision that follows them --- */

static json_t *trial(struct lab *lab, const struct cert *c, int64_t at, const char *via)
{
	return good(call(lab, "TestLogin",
			 json_pack("{s:[o], s:s, s:s, s:I, s:s?}", "chain", der(c), "account",
				   "root", "service", "su", "at", (json_int_t)at, "via", via)));
}

static void expect_trial(struct lab *lab, const struct cert *c, int64_t at, const char *via,
			 const char *reason)
{
	json_t *reply = trial(lab, c, at, via);

	assert_string_equal(text_at(reply, NULL, "reason"), reason);
	assert_int_equal(yes_at(reply, "allowed"), !*reason);
	assert_int_equal(json_array_size(json_object_get(reply, "checks")), CHECK_MAX_);
	json_decref(reply);
}

static void trust_follows_the_anchors(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	json_t *reply;

	add(lab, "alice");
	done(call(lab, "AllowAccess", access_of("alice", "root", "@elevate")));
	done(call(lab, "Enroll", enrolment("alice", c)));
	expect_trial(lab, c, LAB_NOW, NULL, "foreign-ca");
	reply = good(call(lab, "AddAnchor",
			  json_pack("{s:s, s:o}", "name", "ca", "certificate", der(lab->ca_cert))));
	assert_string_equal(text_at(reply, "anchor", "subject"), "CN=Lab CA");
	json_decref(reply);
	expect_event(lab, "admin.anchor.add", "uid 0", "CN=Lab CA");
	assert_int_equal(lab->a.n_anchors, 1);
	expect_trial(lab, c, LAB_NOW, NULL, "");
	expect_trial(lab, c, LAB_NOW, "local", "");
	expect_trial(lab, c, LAB_NOW + 101 * DAY, NULL, "expired");
	expect_trial(lab, c, LAB_NOW - 2 * DAY, NULL, "not-yet-valid");
	reply = trial(lab, c, LAB_NOW, NULL);
	assert_string_equal(text_at(reply, NULL, "identity"), "alice");
	json_decref(reply);
	assert_int_equal(trust_cache_size(lab->a.cache), 1);

	reply = good(call(lab, "ListAnchors", json_object()));
	assert_string_equal(
		text_at(json_array_get(json_object_get(reply, "anchors"), 0), NULL, "name"), "ca");
	json_decref(reply);
	done(call(lab, "RemoveAnchor", json_pack("{s:s}", "name", "ca")));
	expect_event(lab, "admin.anchor.remove", "uid 0", "CN=Lab CA");
	assert_int_equal(lab->a.n_anchors, 0);
	assert_int_equal(trust_cache_size(lab->a.cache), 0);
	expect_trial(lab, c, LAB_NOW, NULL, "foreign-ca");
	expect_error(call(lab, "RemoveAnchor", json_pack("{s:s}", "name", "ca")), ".NotFound",
		     "what", "anchor");
}

static void only_cas_are_anchors(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *leaf = lab_person(&lab->ca, "alice");
	json_t *p = json_pack("{s:s, s:o}", "name", "ca", "certificate", der(lab->ca_cert));

	expect_error(call(lab, "AddAnchor",
			  json_pack("{s:s, s:o}", "name", "x", "certificate", der(leaf))),
		     ".InvalidValue", "why", "not a CA");
	expect_error(
		call(lab, "AddAnchor", json_pack("{s:s, s:s}", "name", "x", "certificate", "")),
		".InvalidValue", "field", "certificate");
	lab->now += 1001 * DAY;
	expect_error(call(lab, "AddAnchor", json_incref(p)), ".InvalidValue", "why", "expired");
	lab->now = LAB_NOW;
	done(call(lab, "AddAnchor", json_incref(p)));
	expect_error(call(lab, "AddAnchor", json_incref(p)), ".Exists", "what", "anchor");
	json_object_set_new(p, "name", json_string("a b"));
	expect_error(call(lab, "AddAnchor", p), ".InvalidValue", "field", "name");
}

static void trial_checks_its_values(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *c = lab_person(&lab->ca, "alice");
	json_t *chain = json_array();

#define INVALID(field, ...)                                                                        \
	expect_error(call(lab, "TestLogin", json_pack(__VA_ARGS__)), ".InvalidValue", "field",     \
		     field)
	INVALID("chain", "{s:[], s:s, s:s}", "chain", "account", "a", "service", "su");
	INVALID("chain", "{s:[o, s], s:s, s:s}", "chain", der(c), "Zm9v", "account", "a", "service",
		"su");
	INVALID("account", "{s:[o], s:s, s:s}", "chain", der(c), "account", "", "service", "su");
	INVALID("service", "{s:[o], s:s, s:s}", "chain", der(c), "account", "a", "service", "@app");
	INVALID("via", "{s:[o], s:s, s:s, s:s}", "chain", der(c), "account", "a", "service", "su",
		"via", "any");
#undef INVALID
	for (int i = 0; i <= LIMIT_CHAIN_CERTS; i++)
		json_array_append_new(chain, der(c));
	expect_error(
		call(lab, "TestLogin",
		     json_pack("{s:o, s:s, s:s}", "chain", chain, "account", "a", "service", "su")),
		".InvalidParameter", "parameter", "chain");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_method_has_its_roles),
		cmocka_unit_test(groups_that_do_not_exist_are_nobodys),
		T(every_method_asks_who_calls),
		T(what_leads_to_root_is_roots_alone),
		T(identity_life),
		T(identity_values_are_checked),
		T(lists_come_in_pages),
		T(page_is_capped_at_its_limit),
		T(certificate_life),
		T(only_good_certificates_are_enrolled),
		T(one_key_is_one_person),
		T(access_life),
		T(service_defaults_are_narrow),
		T(service_values_are_checked),
		T(trust_follows_the_anchors),
		T(only_cas_are_anchors),
		T(trial_checks_its_values),
	};

	lab_become_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
