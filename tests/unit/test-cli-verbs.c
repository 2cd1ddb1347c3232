// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>

#include <cmocka.h>

#include "cli/ca.h"
#include "cli/show.h"
#include "cli/verb.h"
#include "lib/base/cleanup.h"
#include "tests/unit/peer.h"

/* Verbs against a peer that says what a daemon would: exit codes, requests, and what is shown. */

#define METHOD "{\"method\":\"org.certlogin.Admin."
#define ERROR "{\"error\":\"org.certlogin.Admin."
#define SERVICE_ERROR "{\"error\":\"org.varlink.service."

struct exchange {
	const char *expect; /* part of the call; NULL ends */
	const char *answer;
};

static void script(int fd, const void *arg)
{
	char call[8192];

	for (const struct exchange *x = arg; x->expect && peer_read(fd, call, sizeof(call)); x++) {
		if (!strstr(call, x->expect)) {
			(void)dprintf(STDERR_FILENO, "# wanted %s\n# got %s\n", x->expect, call);
			return;
		}
		(void)!write(fd, x->answer, strlen(x->answer) + 1);
	}
}

struct result {
	int code;
	char *out, *err;
};

static void result_deinit(struct result *r)
{
	free(r->out);
	free(r->err);
}

static struct result run(const struct exchange *exchanges, const char *const *words)
{
	_cleanup_(cli_deinitp) struct cli cli = { 0 };
	char *argv[24] = { (char[]){ "certlogin" } };
	struct result result = { 0 };
	char admin[64];
	struct peer peer;
	size_t n, argc = 1;
	FILE *out = open_memstream(&result.out, &n), *err = open_memstream(&result.err, &n);

	while (*words)
		argv[argc++] = strdup(*words++);
	peer_start(&peer, 8, script, exchanges);
	(void)snprintf(admin, sizeof(admin), "%s/admin", peer.dir);
	assert_int_equal(symlink(peer.path, admin), 0);
	cli_init(&cli, out, err);
	cli.runtime_dir = peer.dir;
	cli.utc = true;
	cli.term.utf8 = true;
	result.code = cli_run(&cli, (int)argc, argv);
	(void)fclose(out);
	(void)fclose(err);
	(void)unlink(admin);
	peer_stop(&peer);
	for (size_t i = 1; i < argc; i++)
		free(argv[i]);
	return result;
}

#define RUN(exchanges, ...) run(exchanges, (const char *const[]){ __VA_ARGS__, NULL })
#define CONTAINS(text, part)                                                                       \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("'%s' is not in: %s", part, text);                                \
	} while (0)

static void errors_become_exit_codes(_unused_ void **state)
{
	static const struct {
		const char *answer;
		int code;
		const char *name, *text;
	} cases[] = {
		{ ERROR "NotFound\",\"parameters\":{\"what\":\"identity\"}}", CLI_NO, "not-found",
		  "no such identity" },
		{ ERROR "Exists\",\"parameters\":{\"what\":\"identity\"}}", CLI_NO, "exists",
		  "exists already" },
		{ ERROR "Refused\",\"parameters\":{\"what\":\"CRL\",\"why\":\"y\"}}", CLI_NO,
		  "refused", "the CRL is refused: y" },
		{ ERROR "InUse\",\"parameters\":{\"what\":\"x\",\"why\":\"y\"}}", CLI_NO, "in-use",
		  "x is in use: y" },
		{ ERROR "InvalidValue\",\"parameters\":{\"field\":\"name\",\"why\":\"bad\"}}",
		  CLI_USAGE, "invalid-value", "name: bad" },
		{ SERVICE_ERROR "InvalidParameter\",\"parameters\":{\"parameter\":\"name\"}}",
		  CLI_USAGE, "invalid-value", "name" },
		{ SERVICE_ERROR "PermissionDenied\"}", CLI_NO, "permission-denied",
		  "certlogin-admin" },
		{ SERVICE_ERROR "MethodNotFound\"}", CLI_INTERNAL, "internal", "another version" },
		{ SERVICE_ERROR "SystemError\",\"parameters\":{\"errno\":28}}", CLI_INTERNAL,
		  "internal", "No space" },
		{ ERROR "Unheard\"}", CLI_INTERNAL, "internal", "Unheard" },
		{ "garbage", CLI_UNREACHABLE, "unreachable", "cannot reach" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct exchange x[] = { { METHOD "RemoveIdentity\"", cases[i].answer },
					      { NULL, NULL } };
		_cleanup_(result_deinit) struct result r =
			RUN(x, "--json", "identity", "remove", "alice");
		json_t *json = json_loads(r.out, 0, NULL);

		assert_int_equal(r.code, cases[i].code);
		CONTAINS(r.err, cases[i].text);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "error")),
				    cases[i].name);
		json_decref(json);
	}
}

static void lists_are_read_to_their_end(_unused_ void **state)
{
	const struct exchange x[] = {
		{ "\"parameters\":{}}", "{\"parameters\":{\"identities\":[{\"name\":\"a\","
					"\"enabled\":true,\"notAfter\":0}],\"more\":true}}" },
		{ "{\"after\":\"a\"}",
		  "{\"parameters\":{\"identities\":[{\"name\":\"b\",\"enabled\":false,\"notAfter\":"
		  "9223372036854775807}],\"more\":false}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "identity", "list");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "a     enabled");
	CONTAINS(r.out, "b     disabled");
	CONTAINS(r.out, "forever");
}

static void ocsp_answers_are_listed(_unused_ void **state)
{
	const struct exchange x[] = {
		{ "\"parameters\":{}}",
		  "{\"parameters\":{\"ocsp\":[{\"id\":7,\"serial\":\"0a\",\"status\":\"good\","
		  "\"anchor\":\"ca\",\"thisUpdate\":0,\"nextUpdate\":1800000000000000,\"stale\":"
		  "true,"
		  "\"source\":\"a.der\"}],\"more\":true}}" },
		{ "{\"after\":7}",
		  "{\"parameters\":{\"ocsp\":[{\"id\":8,\"serial\":\"0b\",\"status\":\"revoked\","
		  "\"anchor\":\"ca\",\"thisUpdate\":0,\"nextUpdate\":0,\"stale\":false,"
		  "\"source\":\"b.der\"}],\"more\":false}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "ocsp", "list");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "0a      good (of a backup)  ca");
	CONTAINS(r.out, "2027-01-15");
	CONTAINS(r.out, "0b      revoked             ca");
}

static void json_is_what_the_daemon_said(_unused_ void **state)
{
	const struct exchange x[] = {
		{ "ListAccess\",\"parameters\":{\"identity\":\"alice\"}}",
		  "{\"parameters\":{\"access\":[{\"account\":\"root\"}]}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "access", "list", "alice", "--json");
	json_t *json = json_loads(r.out, 0, NULL);

	assert_int_equal(r.code, CLI_YES);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(json, "access"), 0), "account")),
			    "root");
	json_decref(json);
}

static void options_reach_the_daemon(_unused_ void **state)
{
	const struct exchange x[] = {
		{ "AllowAccess\",\"parameters\":{\"identity\":\"alice\",\"account\":\"root\","
		  "\"service\":\"@elevate\","
		  "\"notAfter\":1800000000000000}}",
		  "{\"parameters\":{\"access\":{}}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "access", "allow", "alice", "root",
						       "--until", "@1800000000", "-s", "@elevate");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "alice may use root through @elevate");
}

static void store_text_cannot_write_on_the_terminal(_unused_ void **state)
{
	const struct exchange x[] = {
		{ METHOD, "{\"parameters\":{\"access\":[{\"identity\":\"e\\u001b[2Jvil\","
			  "\"account\":\"x\\ny\",\"service\":\"s\"}]}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "access", "list");

	assert_null(strchr(r.out, '\033'));
	CONTAINS(r.out, "e?[2Jvil");
	CONTAINS(r.out, "x?y");
}

static void verify_asks_until_it_is_done(_unused_ void **state)
{
	const struct exchange x[] = {
		{ "\"parameters\":{}}", "{\"parameters\":{\"checked\":1000,\"done\":false,\"good\":"
					"true,\"head\":\"aa\"}}" },
		{ "{\"after\":1000,\"head\":\"aa\"}", "{\"parameters\":{\"checked\":1500,\"done\":"
						      "true,\"good\":true,\"head\":\"bb\"}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "audit", "verify");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "up to event 1500");
	CONTAINS(r.out, "Head: bb");
}

static void verify_stops_at_a_bad_row(_unused_ void **state)
{
	const struct exchange x[] = {
		{ METHOD, "{\"parameters\":{\"checked\":1000,\"done\":false,\"good\":false,"
			  "\"firstBad\":77,\"head\":\"aa\"}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "audit", "verify");
	_cleanup_(result_deinit) struct result json = RUN(x, "audit", "verify", "--json");

	assert_int_equal(r.code, CLI_NO);
	CONTAINS(r.out, "BAD: event 77");
	assert_int_equal(json.code, CLI_NO);
}

static void explain_shows_checks_and_advice(_unused_ void **state)
{
	const struct exchange x[] = {
		{ "GetEvent\",\"parameters\":{\"id\":4711}}",
		  "{\"parameters\":{\"event\":{\"id\":4711,\"time\":1800000000000000,\"kind\":"
		  "\"login.commit\",\"verdict\":\"deny\","
		  "\"reason\":\"identity-disabled\",\"identity\":\"alice\",\"account\":\"root\","
		  "\"service\":\"su\",\"detail\":"
		  "{\"checks\":[{\"check\":\"proof\",\"result\":\"passed\",\"detail\":\"P-256\"},{"
		  "\"check\":\"identity-state\","
		  "\"result\":\"failed\",\"detail\":\"disabled\"},{\"check\":\"access\",\"result\":"
		  "\"skipped\",\"detail\":\"\"}]}}}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "explain", "4711");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "Event 4711: DENIED, identity-disabled: the identity is disabled");
	CONTAINS(r.out, "2027-01-15 08:00:00Z");
	CONTAINS(r.out, "✓ proof            P-256");
	CONTAINS(r.out, "✗ identity-state   disabled");
	CONTAINS(r.out, "– access           skipped");
	CONTAINS(r.out, "What to do: certlogin identity enable NAME.");
}

static void unenroll_completes_a_short_fingerprint(_unused_ void **state)
{
#define A "aaaaaaaa00000000000000000000000000000000000000000000000000000001"
#define B "aaaaaaaa00000000000000000000000000000000000000000000000000000002"
	const struct exchange one[] = {
		{ METHOD "ListCertificates\"",
		  "{\"parameters\":{\"certificates\":[{\"sha256\":\"" A "\"}],\"more\":false}}" },
		{ "Unenroll\",\"parameters\":{\"sha256\":\"" A "\"}}",
		  "{\"parameters\":{\"certificate\":{\"identity\":\"alice\"}}}" },
		{ NULL, NULL },
	};
	const struct exchange two[] = {
		{ METHOD "ListCertificates\"", "{\"parameters\":{\"certificates\":[{\"sha256\":\"" A
					       "\"},{\"sha256\":\"" B "\"}],\"more\":false}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result good = RUN(one, "unenroll", "aaaaaaaa");
	_cleanup_(result_deinit) struct result many = RUN(two, "unenroll", "aaaaaaaa");
	_cleanup_(result_deinit) struct result none = RUN(two, "unenroll", "bbbbbbbb");

	assert_int_equal(good.code, CLI_YES);
	CONTAINS(good.out, "alice");
	assert_int_equal(many.code, CLI_USAGE);
	CONTAINS(many.err, "more digits");
	assert_int_equal(none.code, CLI_NO);
}

static void audit_shows_the_newest_unless_told(_unused_ void **state)
{
	const struct exchange newest[] = {
		{ "\"parameters\":{\"verdict\":\"deny\",\"last\":100}}",
		  "{\"parameters\":{\"events\":[],\"more\":false}}" },
		{ NULL, NULL },
	};
	const struct exchange all[] = {
		{ "\"parameters\":{}}",
		  "{\"parameters\":{\"events\":[{\"id\":5}],\"more\":true}}" },
		{ "{\"after\":5}", "{\"parameters\":{\"events\":[{\"id\":6}],\"more\":false}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result a =
		RUN(newest, "audit", "list", "--verdict", "deny");
	_cleanup_(result_deinit) struct result b = RUN(all, "audit", "list", "--all");

	assert_int_equal(a.code, CLI_YES);
	assert_int_equal(b.code, CLI_YES);
	CONTAINS(b.out, "\n6 ");
}

static void an_odd_verdict_is_refused(_unused_ void **state)
{
	const struct exchange x[] = { { NULL, NULL } };
	_cleanup_(result_deinit) struct result r = RUN(x, "audit", "list", "--verdict", "maybe");

	assert_int_equal(r.code, CLI_USAGE);
}

static void quiet_says_nothing(_unused_ void **state)
{
	const struct exchange x[] = { { METHOD "RemoveIdentity\"", "{\"parameters\":{}}" },
				      { NULL, NULL } };
	_cleanup_(result_deinit) struct result r = RUN(x, "-q", "identity", "remove", "alice");

	assert_int_equal(r.code, CLI_YES);
	assert_string_equal(r.out, "");
	assert_string_equal(r.err, "");
}

static void sources_are_shown(_unused_ void **state)
{
	const struct exchange x[] = {
		{ METHOD "ListSources\"",
		  "{\"parameters\":{\"fromCertificates\":false,\"sources\":["
		  "{\"url\":\"http://a/\",\"kind\":\"crl\",\"anchor\":\"corp\",\"origin\":"
		  "\"configured\",\"tried\":1,\"succeeded\":1,\"due\":2,\"error\":\"\"},"
		  "{\"url\":\"http://b/\",\"kind\":\"crl\",\"anchor\":\"corp\",\"origin\":"
		  "\"certificate\",\"tried\":0,\"succeeded\":0,\"due\":0,\"error\":\"\"},"
		  "{\"url\":\"http://c/\",\"kind\":\"crl\",\"anchor\":\"corp\",\"origin\":"
		  "\"certificate\",\"tried\":1,\"succeeded\":1,\"due\":2,\"error\":"
		  "\"HTTP 404\"}]}}" },
		{ NULL, NULL }
	};
	_cleanup_(result_deinit) struct result r = RUN(x, "source", "list");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "good");
	CONTAINS(r.out, "not fetched yet");
	CONTAINS(r.out, "HTTP 404");
	CONTAINS(r.err, "Addresses in certificates are not used");
}

static void sources_are_changed(_unused_ void **state)
{
	const struct exchange add[] = { { METHOD "AddSource\",\"parameters\":{\"url\":\"http://a/"
						 "\",\"anchor\":\"corp\"}",
					  "{\"parameters\":{\"source\":{}}}" },
					{ NULL, NULL } };
	const struct exchange off[] = { { METHOD "SetFetch\",\"parameters\":{\"fromCertificates\":"
						 "false}",
					  "{\"parameters\":{}}" },
					{ NULL, NULL } };
	_cleanup_(result_deinit) struct result a = RUN(add, "source", "add", "http://a/",
						       "--anchor", "corp"),
					       b = RUN(off, "source", "certificates", "no");

	assert_int_equal(a.code, CLI_YES);
	CONTAINS(a.out, "certlogin-fetch.timer");
	assert_int_equal(b.code, CLI_YES);
	CONTAINS(b.out, "are not used");
}

static void every_verb_is_complete(_unused_ void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		assert_non_null(verbs[i].run);
		assert_non_null(verbs[i].usage);
		assert_true(verbs[i].max < 0 || verbs[i].min <= verbs[i].max);
		assert_true(strlen(verbs[i].help) > 5 && strlen(verbs[i].help) < 60);
		for (size_t k = 0; k < i; k++) /* a noun has actions or none */
			assert_true(strcmp(verbs[i].name, verbs[k].name) != 0 ||
				    (verbs[i].action && verbs[k].action));
	}
	for (size_t i = 0; i < OPT_MAX_; i++)
		assert_true(option_specs[i].name && option_specs[i].help);
	assert_string_equal(reason_meaning("no-such-reason"), "");
}

#define STRICT_POLICY                                                                              \
	"\"ekuMissing\":false,\"ekuAny\":false,\"smartcardLogon\":false,\"form\":false"
#define ANCHORS                                                                                    \
	"{\"parameters\":{\"anchors\":[{\"name\":\"corp\",\"kind\":\"ca\",\"subject\":\"CN="       \
	"Corp\","                                                                                  \
	"\"notAfter\":1800000000000000,\"policy\":{" STRICT_POLICY ",\"revocation\":\"auto\"}},"   \
	"{\"name\":\"lax\",\"kind\":\"ca\",\"policy\":{\"ekuMissing\":true,\"ekuAny\":true,"       \
	"\"smartcardLogon\":true,\"form\":true,\"revocation\":\"grace\",\"graceHours\":24}},"      \
	"{\"name\":\"odd\",\"kind\":\"key\",\"sha256\":\"00ff\",\"policy\":null}]}}"

static void anchors_are_shown_with_their_settings(_unused_ void **state)
{
	const struct exchange x[] = { { METHOD "ListAnchors\"", ANCHORS }, { NULL, NULL } };
	_cleanup_(result_deinit) struct result list = RUN(x, "anchor", "list");
	_cleanup_(result_deinit) struct result corp = RUN(x, "anchor", "show", "corp");
	_cleanup_(result_deinit) struct result odd = RUN(x, "anchor", "show", "odd");
	_cleanup_(result_deinit) struct result none = RUN(x, "anchor", "show", "none");
	_cleanup_(result_deinit) struct result json = RUN(x, "anchor", "show", "lax", "--json");

	CONTAINS(list.out, "strict");
	CONTAINS(list.out, "eku-missing=allow eku-any=allow smartcard-logon=require form=lax "
			   "revocation=grace:24h");
	CONTAINS(list.out, "unreadable: not trusted");
	assert_int_equal(corp.code, CLI_YES);
	CONTAINS(corp.out, "CN=Corp");
	CONTAINS(corp.out, "2027-01-15");
	assert_int_equal(odd.code, CLI_YES);
	CONTAINS(odd.out, "00ff");
	CONTAINS(odd.out, "unreadable: not trusted");
	assert_null(strstr(odd.out, "Subject"));
	assert_int_equal(none.code, CLI_NO);
	CONTAINS(none.err, "no such anchor");
	CONTAINS(json.out, "\"anchor\"");
	assert_null(strstr(json.out, "corp"));
}

static void settings_reach_the_daemon(_unused_ void **state)
{
	const struct exchange x[] = {
		{ METHOD
		  "SetAnchor\",\"parameters\":{\"name\":\"corp\",\"policy\":{\"ekuMissing\":true,"
		  "\"ekuAny\":false,\"smartcardLogon\":true,\"form\":true,\"revocation\":"
		  "\"grace\",\"graceHours\":8760}}",
		  "{\"parameters\":{\"anchor\":{\"policy\":{" STRICT_POLICY
		  ",\"revocation\":\"soft\"}}}}" },
		{ NULL, NULL },
	};
	_cleanup_(result_deinit) struct result r =
		RUN(x, "anchor", "set", "corp", "--eku-missing", "allow", "--eku-any", "deny",
		    "--smartcard-logon", "require", "--form", "lax", "--revocation", "grace",
		    "--grace-hours", "8760");

	assert_int_equal(r.code, CLI_YES);
	CONTAINS(r.out, "corp: revocation=soft.");
}

/* A temporary file with this text; the caller's to unlink. */
static void file_of(const void *text, size_t n, char ret[static sizeof("/tmp/certlogin-XXXXXX")])
{
	int fd;

	(void)strcpy(ret, "/tmp/certlogin-XXXXXX");
	fd = mkstemp(ret);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	(void)close(fd);
}

#define KEY_1 "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyFcAR+ZYAeSmYHyMD1DibGbeV8Lo"
#define KEY_2 "PQAfYu4N6ObFWtmUEQIefT9jPzb5Yhl/S61cZJCTW92orNby5Yf9+d7DfQ=="

static void pinned_key_reaches_the_daemon(_unused_ void **state)
{
	static const char pem[] =
		"-----BEGIN PUBLIC KEY-----\n" KEY_1 "\n" KEY_2 "\n-----END PUBLIC KEY-----\n";
	const struct exchange x[] = {
		{ METHOD "AddAnchor\",\"parameters\":{\"name\":\"alice\",\"kind\":\"key\","
			 "\"key\":\"" KEY_1 KEY_2 "\"}}",
		  "{\"parameters\":{\"anchor\":{}}}" },
		{ NULL, NULL },
	};
	char key[32], junk[32];

	file_of(pem, sizeof(pem) - 1, key);
	file_of("junk\n", 5, junk);
	{
		_cleanup_(result_deinit) struct result r =
			RUN(x, "anchor", "add", "alice", key, "--pin-key");
		_cleanup_(result_deinit) struct result bad =
			RUN(x, "anchor", "add", "alice", junk, "--pin-key");

		assert_int_equal(r.code, CLI_YES);
		CONTAINS(r.out, "whoever issued them");
		assert_int_equal(bad.code, CLI_USAGE);
	}
	(void)unlink(key);
	(void)unlink(junk);
}

/* A CA's certificate in PEM. */
static void make_ca(struct buf *ret)
{
	const struct cert_spec spec = { .cn = "Sub", .ca = true, .not_after = INT64_C(1) << 50 };
	_cleanup_(issuer_deinitp) struct issuer issuer = { 0 };
	gnutls_x509_crt_t crt = NULL;

	assert_int_equal(key_make(&issuer.key), 0);
	assert_int_equal(cert_make(&spec, NULL, &issuer, &crt), 0);
	assert_int_equal(cert_export(crt, ret, NULL), 0);
	gnutls_x509_crt_deinit(crt);
}

static void intermediate_reaches_the_daemon(_unused_ void **state)
{
	const struct exchange x[] = { { "\"kind\":\"intermediate\"}}",
					"{\"parameters\":{\"anchor\":{}}}" },
				      { NULL, NULL } };
	_cleanup_(buf_deinitp) struct buf pem = { 0 };
	char path[32];

	make_ca(&pem);
	file_of(pem.p, pem.n, path);
	{
		_cleanup_(result_deinit) struct result r =
			RUN(x, "anchor", "add", "sub", path, "--intermediate");

		assert_int_equal(r.code, CLI_YES);
		CONTAINS(r.out, "CN=Sub is known");
	}
	(void)unlink(path);
}

static void settings_that_are_none(_unused_ void **state)
{
	static const char *const bad[][2] = {
		{ "--eku-missing", "yes" },	  { "--eku-any", "" },
		{ "--smartcard-logon", "allow" }, { "--form", "bad" },
		{ "--grace-hours", "0" },	  { "--grace-hours", "8761" },
	};
	const struct exchange none[] = { { NULL, NULL } };
	_cleanup_(result_deinit) struct result nothing = RUN(none, "anchor", "set", "corp");
	_cleanup_(result_deinit) struct result both =
		RUN(none, "anchor", "add", "x", "/dev/null", "--intermediate", "--pin-key");

	assert_int_equal(nothing.code, CLI_USAGE);
	assert_int_equal(both.code, CLI_USAGE);
	CONTAINS(both.err, "not both");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(result_deinit) struct result r =
			RUN(none, "anchor", "set", "corp", bad[i][0], bad[i][1]);

		assert_int_equal(r.code, CLI_USAGE);
	}
}

/* Rules need an anchor that is there, and are compared with those that are. */
static void import_adds_rules(_unused_ void **state)
{
#define LISTS                                                                                      \
	{ METHOD "ListIdentities\"", "{\"parameters\":{\"identities\":[],\"more\":false}}" },      \
		{ METHOD "ListCertificates\"",                                                     \
		  "{\"parameters\":{\"certificates\":[],\"more\":false}}" },                       \
	{                                                                                          \
		METHOD "ListAccess\"", "{\"parameters\":{\"access\":[]}}"                          \
	}
#define ANCHOR_NAMED(name)                                                                         \
	{                                                                                          \
		METHOD "ListAnchors\"", "{\"parameters\":{\"anchors\":[{\"name\":\"" name "\"}]}}" \
	}
#define RULE_NAME "sssd.mail.a4efbaa6c115"
#define RULE                                                                                       \
	"\"name\":\"" RULE_NAME "\",\"anchor\":\"corp\",\"match\":\"<SUBJECT>x\",\"yield\":"       \
	"\"{mail.local}\",\"domains\":[\"example.org\"]"
	static const char conf[] = "[domain/d]\nid_provider = files\n[certmap/d/mail]\nmatchrule = "
				   "<SUBJECT>x\nmaprule = ({subject_rfc822_name.short_name})\n";
	const struct exchange new[] = { LISTS,
					ANCHOR_NAMED("corp"),
					{ METHOD "ListRules\"", "{\"parameters\":{\"rules\":[]}}" },
					{ METHOD "AddRule\",\"parameters\":{" RULE "}",
					  "{\"parameters\":{}}" },
					{ NULL, NULL } };
	const struct exchange present[] = { LISTS,
					    ANCHOR_NAMED("corp"),
					    { METHOD "ListRules\"",
					      "{\"parameters\":{\"rules\":[{" RULE "}]}}" },
					    { NULL, NULL } };
	const struct exchange none[] = { LISTS, ANCHOR_NAMED("other"), { NULL, NULL } };
	const struct {
		const struct exchange *exchanges;
		int code;
		const char *out, *err;
	} cases[] = {
		{ new, CLI_YES, "1 done.", "" },
		{ present, CLI_YES, "0 done.", "" },
		{ none, CLI_NO, "", "there is no anchor corp" },
	};
	char path[] = "/tmp/test-cli-verbs.XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, conf, strlen(conf)), strlen(conf));
	(void)close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(result_deinit) struct result r =
			RUN(cases[i].exchanges, "import", "sssd", "--config", path, "--anchor",
			    "corp", "--domain", "example.org", "--yes");

		if (r.code != cases[i].code)
			fail_msg("%zu: %d: %s%s", i, r.code, r.out, r.err);
		CONTAINS(r.out, cases[i].out);
		CONTAINS(r.err, cases[i].err);
	}
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_become_exit_codes),
		cmocka_unit_test(lists_are_read_to_their_end),
		cmocka_unit_test(ocsp_answers_are_listed),
		cmocka_unit_test(json_is_what_the_daemon_said),
		cmocka_unit_test(options_reach_the_daemon),
		cmocka_unit_test(anchors_are_shown_with_their_settings),
		cmocka_unit_test(settings_reach_the_daemon),
		cmocka_unit_test(pinned_key_reaches_the_daemon),
		cmocka_unit_test(intermediate_reaches_the_daemon),
		cmocka_unit_test(settings_that_are_none),
		cmocka_unit_test(store_text_cannot_write_on_the_terminal),
		cmocka_unit_test(verify_asks_until_it_is_done),
		cmocka_unit_test(verify_stops_at_a_bad_row),
		cmocka_unit_test(explain_shows_checks_and_advice),
		cmocka_unit_test(unenroll_completes_a_short_fingerprint),
		cmocka_unit_test(audit_shows_the_newest_unless_told),
		cmocka_unit_test(an_odd_verdict_is_refused),
		cmocka_unit_test(quiet_says_nothing),
		cmocka_unit_test(import_adds_rules),
		cmocka_unit_test(sources_are_shown),
		cmocka_unit_test(sources_are_changed),
		cmocka_unit_test(every_verb_is_complete),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
