// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/crypto.h>
#include <regex.h>

#include "cli/import/ini.h"
#include "cli/import/mapfile.h"
#include "cli/import/pattern.h"
#include "cli/import/pkcs11.h"
#include "cli/import/scconf.h"
#include "cli/import/sssd.h"
#include "tests/unit/import-lab.h"

/* pam_pkcs11.conf with its maps, and sssd.conf. */

/* --- scconf --- */

static void scconf_reads_what_is_written(void **state)
{
	static const char text[] = "# comment {\n"
				   "top {\n"
				   "  a = 1; b = x,\"y z\" , w; B = more;\n"
				   "  missing = semicolon # comment\n"
				   "  next = here;\n"
				   "  empty = ;\n"
				   "  sub name { debug = True; no = no }\n"
				   "  sub \"quo;ted\" { } ;\n"
				   "}\n";
	_cleanup_(sc_freep) struct sc_block *root = NULL;
	const struct sc_block *top;
	const char *why;
	unsigned line;

	(void)state;
	assert_int_equal(sc_parse(text, strlen(text), &root, &line, &why), 0);
	top = sc_find(root, "TOP", NULL);
	assert_non_null(top);
	assert_int_equal(top->line, 2);
	assert_string_equal(sc_text(top, "a", ""), "1");
	assert_int_equal(sc_item(top, "b")->n, 4);
	assert_string_equal(sc_item(top, "b")->values[1], "y z");
	assert_string_equal(sc_item(top, "b")->values[3], "more");
	assert_string_equal(sc_text(top, "missing", ""), "semicolon");
	assert_string_equal(sc_text(top, "next", ""), "here");
	assert_int_equal(sc_item(top, "next")->line, 5);
	assert_string_equal(sc_text(top, "empty", "none"), "none");
	assert_true(sc_bool(sc_find(top, "sub", "name"), "debug", false));
	assert_false(sc_bool(sc_find(top, "sub", "name"), "no", true));
	assert_true(sc_bool(sc_find(top, "sub", "name"), "absent", true));
	assert_non_null(sc_find(top, "sub", "quo;ted"));
	assert_null(sc_find(top, "sub", "other"));
	assert_int_equal(sc_count(top, "sub", NULL), 2);
}

static void scconf_refuses(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} t[] = {
		{ "a {\n b = 1;\n", 3 },
		{ "}\n", 1 },
		{ "a = 1;\n}\n", 2 },
		{ "a = \"x\n\";", 1 },
		{ "a=1;", 1 },
		{ "a {\n x=y;\n}", 2 },
		{ "a b c {}", 1 },
		{ "= 1;", 1 },
		{ "a b = 1;", 1 },
		{ "a = {", 1 },
		{ "{}", 1 },
		{ "a", 1 },
		{ "a = 1", 1 },
		{ "a{a{a{a{a{a{", 1 },
		{ "a { a { a { a { a { a { a { a { a {", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct sc_block *root = NULL;
		const char *why = "";
		unsigned line = 0;

		assert_int_equal(sc_parse(t[i].text, strlen(t[i].text), &root, &line, &why),
				 -EBADMSG);
		assert_null(root);
		assert_true(*why);
		assert_int_equal(line, t[i].line);
	}
}

/* --- names as patterns --- */

static void check_dn(int (*of)(const char *, struct buf *, const char **), const char *in,
		     const char *out)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	const char *why = "";
	int r = of(in, &b, &why);

	if (!out) {
		if (r != -EINVAL || !*why)
			fail_msg("%s is taken", in);
		return;
	}
	if (r != 0)
		fail_msg("%s: %s", in, why);
	assert_string_equal((const char *)b.p, out);
}

static int oneline(const char *s, struct buf *ret, const char **why)
{
	return dn_of_oneline(s, false, ret, why);
}

static int oneline_icase(const char *s, struct buf *ret, const char **why)
{
	return dn_of_oneline(s, true, ret, why);
}

static void names_of_openssl(void **state)
{
	char longest[300];

	(void)state;
	check_dn(oneline, "/C=ES/O=Example, Inc./CN=Alice A", "CN=Alice A,O=Example\\, Inc.,C=ES");
	check_dn(oneline, "/street=a/emailAddress=a@b/UID=u/SN=s/GN=g",
		 "GN=g,SN=s,UID=u,emailAddress=a@b,STREET=a");
	check_dn(oneline, "/CN=\\xC3\\xA9", "CN=\xc3\xa9");
	check_dn(oneline, "/CN=a\\xb", "CN=a\\\\xb");
	check_dn(oneline, "/CN=#a+b=\"c\" ", "CN=\\#a\\+b=\\\"c\\\"\\ ");
	check_dn(oneline_icase, "/cn=a/EMAILADDRESS=b", "emailAddress=b,CN=a");
	check_dn(oneline, "/cn=a", NULL);
	check_dn(oneline, "CN=a", NULL);
	check_dn(oneline, "", NULL);
	check_dn(oneline, "/", NULL);
	check_dn(oneline, "/CN=", NULL);
	check_dn(oneline, "/CN=host/a.example", NULL);
	check_dn(oneline, "/CN=a/1.2.3=b", NULL);
	check_dn(oneline, "/CN=\\xF1", NULL);
	check_dn(oneline, "/CN=a\\x00b", NULL);
	check_dn(oneline, "/CN=a\\x0Ab", NULL);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "/CN=", 4);
	longest[254] = '\0';
	check_dn(oneline, longest, longest + 1);
	longest[254] = 'a';
	longest[255] = '\0';
	check_dn(oneline, longest, NULL);
}

static void names_of_active_directory(void **state)
{
	(void)state;
	check_dn(dn_of_ad, "DC=com,DC=contoso,CN=CA 1", "CN=CA 1,DC=contoso,DC=com");
	check_dn(dn_of_ad, "C=US, S=Ohio,O=\"A, \"\"B\"\" Inc\",E=a@b,CN=x",
		 "CN=x,emailAddress=a@b,O=A\\, \\\"B\\\" Inc,ST=Ohio,C=US");
	check_dn(dn_of_ad, "O=A\\, B,cn=x", "CN=x,O=A\\, B");
	check_dn(dn_of_ad, "", NULL);
	check_dn(dn_of_ad, "CN=a,", NULL);
	check_dn(dn_of_ad, "CN=a+OU=b", NULL);
	check_dn(dn_of_ad, "CN=\"a", NULL);
	check_dn(dn_of_ad, "CN=\"a\"b", NULL);
	check_dn(dn_of_ad, "CN=\"a\\\"", NULL);
	check_dn(dn_of_ad, "CN=a\\zb", NULL);
	check_dn(dn_of_ad, "CN=a\\", NULL);
	check_dn(dn_of_ad, "OID.1.2=a", NULL);
	check_dn(dn_of_ad, "CN=", NULL);
}

/* Does the regular expression behind the keyword fit this text? */
static bool fits(const char *pattern, const char *text)
{
	const char *expression = strchr(pattern, '>') + 1;
	regex_t re;
	bool yes;

	assert_int_equal(regcomp(&re, expression, REG_EXTENDED | REG_NOSUB), 0);
	yes = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

static void patterns_fit_one_text(void **state)
{
	static const char odd[] = "CN=a.b*c+d?e^f$g(h)i[j]k{l}m|n\\\\o,O=x";
	_cleanup_(buf_deinitp) struct buf b = { 0 }, any = { 0 }, bad = { 0 }, domain = { 0 };
	const char *why;

	(void)state;
	assert_int_equal(pattern_whole("<SUBJECT>", odd, false, &b, &why), 0);
	assert_true(fits((char *)b.p, odd));
	assert_false(fits((char *)b.p, "CN=aXb*c+d?e^f$g(h)i[j]k{l}m|n\\\\o,O=x"));
	assert_false(fits((char *)b.p, "CN=a.b*c+d?e^f$g(h)i[j]k{l}m|n\\\\o,O=xy"));
	assert_false(fits((char *)b.p, "X,CN=a.b*c+d?e^f$g(h)i[j]k{l}m|n\\\\o,O=x"));
	assert_int_equal(pattern_whole("<SUBJECT>", "CN=Al 1", true, &any, &why), 0);
	assert_string_equal((char *)any.p, "<SUBJECT>^[cC][nN]=[aA][lL] 1$");
	assert_true(fits((char *)any.p, "CN=aL 1"));
	assert_int_equal(pattern_whole("<SUBJECT>", "CN=<a", false, &bad, &why), -EINVAL);
	assert_int_equal(pattern_domain("<SAN:ntPrincipalName>", "a.example", false, &domain, &why),
			 0);
	assert_true(fits((char *)domain.p, "alice@a.example"));
	assert_false(fits((char *)domain.p, "alice@aXexample"));
	assert_false(fits((char *)domain.p, "alice@b@a.example"));
	assert_false(fits((char *)domain.p, "@a.example"));
}

/* What somebody wrote into another attribute is no common name. */
static void pattern_of_an_attribute(void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	const char *why, *p;

	(void)state;
	assert_int_equal(pattern_attribute("CN", "Al, ice", false, &b, &why), 0);
	p = (const char *)b.p;
	assert_true(fits(p, "CN=Al\\, ice"));
	assert_true(fits(p, "CN=Al\\, ice,O=x"));
	assert_true(fits(p, "OU=y,CN=Al\\, ice+UID=1,O=x"));
	assert_true(fits(p, "UID=1+CN=Al\\, ice"));
	assert_false(fits(p, "O=x\\,CN=Al\\, ice"));
	assert_false(fits(p, "O=x\\+CN=Al\\, ice,C=y"));
	assert_false(fits(p, "CN=Al\\, ice\\, too"));
	assert_false(fits(p, "XCN=Al\\, ice"));
	assert_false(fits(p, "CN=Al\\, icecream"));
}

/* --- pam_pkcs11 --- */

struct pkcs11 {
	struct lab *l;
	const char *map, *asked; /* its text; NULL: not there */
	const char *home[3];	 /* text of user 0, 1, ...; "!": must not be used */
};

static int map_give(void *userdata, const char *path, struct import_file *ret)
{
	struct pkcs11 *x = userdata;

	x->asked = "yes";
	(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
	if (!x->map)
		return -ENOENT;
	buf_put_text(&ret->text, x->map);
	buf_put_u8(&ret->text, 0);
	ret->text.n--;
	return 0;
}

static int home_give(void *userdata, size_t i, _unused_ const char *name, struct import_file *ret)
{
	static const char *const users[] = { "alice", "bob", "root" };
	const struct pkcs11 *x = userdata;

	if (i >= ARRAY_SIZE(users))
		return -ENODATA;
	if (!x->home[i])
		return -ENOENT;
	ret->login = users[i];
	(void)snprintf(ret->path, sizeof(ret->path), "/home/%s", users[i]);
	if (strcmp(x->home[i], "!") == 0)
		return -EPERM;
	buf_put_text(&ret->text, x->home[i]);
	buf_put_u8(&ret->text, 0);
	ret->text.n--;
	return 0;
}

/* Line 2 is use_mappers, the block begins in line 3. */
static void pkcs11(struct lab *l, struct pkcs11 *x, const char *mapper, const char *options)
{
	struct import_files files = { map_give, home_give, x };
	char text[4096];

	(void)snprintf(text, sizeof(text),
		       "pam_pkcs11 {\nuse_mappers = %s;\nmapper %s {\n%s\n}\n}\n", mapper, mapper,
		       options);
	lab_again(l);
	import_pam_pkcs11(&l->plan, "conf", text, strlen(text), &files);
	assert_int_equal(l->plan.error, 0);
}

#define MAP "mapfile = file:///etc/map;"

static void fingerprint(const struct pki *p, gnutls_digest_algorithm_t algorithm, char ret[256])
{
	uint8_t hash[64];
	unsigned n = gnutls_hash_get_len(algorithm);

	assert_int_equal(gnutls_hash_fast(algorithm, p->cert->der.p, p->cert->der.n, hash), 0);
	for (unsigned i = 0; i < n; i++)
		(void)snprintf(ret + 3 * i, 4, "%02X%s", hash[i], i + 1 < n ? ":" : "");
}

static void digests(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l };
	char sha1[256], sha256[256], map[1024];

	fingerprint(&l->alice, GNUTLS_DIG_SHA1, sha1);
	fingerprint(&l->alice, GNUTLS_DIG_SHA256, sha256);
	(void)snprintf(map, sizeof(map), "# x\n%s -> alice\n00:11 -> bob\n%.57s:00 -> carol\n",
		       sha1, sha1);
	x.map = map;
	pkcs11(l, &x, "digest", MAP);
	enrolled(l, 2, "alice", &l->alice);
	refused(l, 3, "is no sha1 hash");
	refused(l, 4, "no given certificate");
	assert_int_equal(l->plan.n_ops, 1);
	pkcs11(l, &x, "digest", MAP "algorithm = sha256;");
	refused(l, 2, "is no sha256 hash");
	(void)snprintf(map, sizeof(map), "%s -> root\n%s -> alice", sha1, sha1);
	pkcs11(l, &x, "digest", MAP "algorithm = \"SHA1\";");
	refused(l, 1, "uid 0");
	refused(l, 2, "an earlier line"); /* it never won */
	assert_int_equal(l->plan.n_ops, 0);
	(void)snprintf(map, sizeof(map), "%s -> alice", sha256);
	pkcs11(l, &x, "digest", MAP "algorithm = sha256;");
	enrolled(l, 1, "alice", &l->alice);
	pkcs11(l, &x, "digest", MAP "algorithm = md5;");
	refused(l, 1, "too weak");
	pkcs11(l, &x, "digest", "");
	refused(l, 3, "no map");
}

static void maps(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = {
		.l = l,
		.map = "  /C=ES/CN=Al. -> al\n\n#/CN=x -> x\n/CN=a -> alice \n"
		       "/CN=Al -> b\n/CN=al -> c\nno arrow\n-> d\n^/CN=.*$ -> e\n/CN=f -> f\n"
		       "/CN=g -> g\r\n"
	};

	pkcs11(l, &x, "subject", MAP);
	rule(l, 1, "<SUBJECT>^CN=Al\\.,C=ES$", "al");
	refused(l, 4, "cannot be the name");
	rule(l, 5, "<SUBJECT>^CN=Al$", "b");
	rule(l, 6, "<SUBJECT>^CN=al$", "c");
	refused(l, 7, "key -> login");
	refused(l, 8, "key -> login");
	refused(l, 9, "regular expression");
	refused(l, 10, "line 9");
	refused(l, 11, "line 9");
	assert_int_equal(l->plan.n_ops, 3);
	pkcs11(l, &x, "subject", MAP "ignorecase = true;");
	rule(l, 5, "<SUBJECT>^[cC][nN]=[aA][lL]$", "b");
	refused(l, 6, "an earlier line");
	x.map = "/CN=a/b -> x\n/CN=g -> g\r\n";
	pkcs11(l, &x, "subject", MAP);
	refused(l, 1, "whose name is certain");
	refused(l, 2, "cannot be the name");
	assert_int_equal(l->plan.n_ops, 0);
}

static void maps_that_cannot_be_read(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l };

	pkcs11(l, &x, "subject", MAP);
	refused(l, 3, "cannot be read: No such file");
	x.asked = NULL;
	pkcs11(l, &x, "subject", "mapfile = \"http://x/map\";");
	refused(l, 3, "is not a file of this host");
	assert_null(x.asked);
	pkcs11(l, &x, "subject", "mapfile = none;");
	refused(l, 3, "no map");
}

static void common_names(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l, .map = "Alice A -> alice\n" };

	pkcs11(l, &x, "cn", MAP);
	rule(l, 1, "<SUBJECT>(^|[^\\\\][,+])CN=Alice A($|[,+])", "alice");
	refused(l, 3, "as it stands");
	assert_int_equal(count_refused(l), 0);
	pkcs11(l, &x, "cn", "");
	rule(l, 3, "<SUBJECT>(^|[^\\\\][,+])CN=", "{subject.cn}");
	assert_int_equal(l->plan.n_refusals, 0);
	pkcs11(l, &x, "cn", "ignorecase = true;");
	refused(l, 3, "letter by letter");
}

static void mails(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l, .map = "a.b@x -> alice\nb@x -> b@x\n" };

	pkcs11(l, &x, "mail", MAP "ignorecase = false; ignoredomain = false;");
	rule(l, 1, "<SAN:rfc822Name>^a\\.b@x$", "alice");
	refused(l, 2, "at its @");
	assert_int_equal(l->plan.n_ops, 1);
	pkcs11(l, &x, "mail", MAP);
	rule(l, 1, "<SAN:rfc822Name>^[aA]\\.[bB]@[xX]$", "alice");
	pkcs11(l, &x, "mail", "ignoredomain = false;");
	refused(l, 3, "this host's name");
	pkcs11(l, &x, "mail", "");
	refused(l, 3, "--domain");
	assert_int_equal(l->plan.n_ops, 0);
	l->domains[0] = "example.org";
	l->options.n_domains = 1;
	pkcs11(l, &x, "mail", "");
	rule(l, 3, "<SAN:rfc822Name>^[^@]+@[^@]+$", "{mail.local}");
	assert_true(l->plan.ops[0].goes_on);
	assert_true(l->plan.ops[0].domains);
	pkcs11(l, &x, "mail", "ignoredomain = false;"); /* it narrows: no option makes up for it */
	assert_int_equal(l->plan.n_ops, 0);
}

static void principal_names(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l };

	l->domains[0] = "example.org";
	l->options.n_domains = 1;
	pkcs11(l, &x, "ms", "domainname = \"example.org\";");
	rule(l, 3, "<SAN:ntPrincipalName>^[^@]+@example\\.org$", "{upn.local}");
	pkcs11(l, &x, "ms", "domainname = \"example.org\"; domainnickname = EX;");
	refused(l, 3, "domainnickname");
	pkcs11(l, &x, "ms", "domainname = \"example.org\"; ignoredomain = true;");
	refused(l, 3, "every domain");
	pkcs11(l, &x, "ms", "");
	refused(l, 3, "names no domain");
	assert_int_equal(l->plan.n_ops, 0);
}

static void generic(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l, .map = "Alice -> alice\n" };

	pkcs11(l, &x, "generic", MAP);
	rule(l, 1, "<SUBJECT>(^|[^\\\\][,+])CN=Alice($|[,+])", "alice");
	pkcs11(l, &x, "generic", MAP "cert_item = email;");
	rule(l, 1, "<SAN:rfc822Name>^Alice$", "alice");
	pkcs11(l, &x, "generic", MAP "use_getpwent = true;");
	refused(l, 3, "GECOS");
	pkcs11(l, &x, "generic", MAP "cert_item = serial;");
	refused(l, 3, "serial");
	pkcs11(l, &x, "generic", "");
	refused(l, 3, "no map");
	assert_int_equal(l->plan.n_ops, 0);
}

static void mappers_that_cannot_be_carried_over(void **state)
{
	static const struct {
		const char *mapper, *options, *why;
		unsigned line;
	} t[] = {
		{ "ldap", "ldaphost = x; anything = y;", "directory", 3 },
		{ "krb", "", "{krb}", 3 },
		{ "uid", MAP, "x500UniqueIdentifier", 3 },
		{ "pwent", "", "GECOS", 3 },
		{ "null", "default_match = yes; default_user = nobody;", "nobody", 3 },
		{ "own", "", "not known", 3 },
		{ "subject", "module = /opt/x.so;" MAP, "not known", 3 },
		{ "subject", "module = /opt/subject_mapper.so;\n" MAP "\nnarrows = yes;", "narrows",
		  6 },
		{ "subject", MAP "\nignorecase = yes, no;", "ignorecase", 5 },
		{ "subject", MAP "} mapper subject {", "two blocks", 3 },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct pkcs11 x = { .l = l, .map = "/CN=a -> a" };

		pkcs11(l, &x, t[i].mapper, t[i].options);
		refused(l, t[i].line, t[i].why);
		assert_int_equal(l->plan.n_ops, 0);
	}
	pkcs11(l, &(struct pkcs11){ .l = l }, "null", "");
	assert_int_equal(l->plan.n_refusals, 0);
	pkcs11(l, &(struct pkcs11){ .map = "/CN=a -> a" }, "subject",
	       "module = /opt/subject_mapper.so;" MAP);
	assert_int_equal(l->plan.n_ops, 1);
}

static void homes_ssh(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l, .home = { NULL, l->keys[1] } };
	char text[2100];

	pkcs11(l, &x, "openssh", "");
	enrolled(l, 1, "bob", &l->bob);
	assert_int_equal(l->plan.n_refusals, 0);
	(void)snprintf(text, sizeof(text), "%s\nfrom=\"x\" %s\n", l->keys[0], l->keys[1]);
	x.home[1] = text;
	pkcs11(l, &x, "openssh", "");
	refused(l, 1, "plain ssh-rsa");
	refused(l, 2, "plain ssh-rsa");
	x.home[1] = "!";
	pkcs11(l, &x, "openssh", "");
	refused(l, 0, "cannot be used");
	x.home[1] = NULL;
	x.home[2] = l->keys[1];
	pkcs11(l, &x, "openssh", "");
	refused(l, 1, "uid 0");
	assert_int_equal(l->plan.n_ops, 0);
	/* bob's key in alice's file */
	x.home[2] = NULL;
	x.home[0] = x.home[1] = l->keys[1];
	pkcs11(l, &x, "openssh", "");
	assert_int_equal(plan_finish(&l->plan, NULL), 0);
	assert_int_equal(l->plan.n_ops, 0);
	assert_int_equal(count_refused(l), 2);
}

static void homes_eid(void **state)
{
	struct lab *l = *state;
	struct pkcs11 x = { .l = l };
	gnutls_datum_t key, cert;

	pki_pem(&l->alice, &key, &cert);
	x.home[0] = (const char *)cert.data;
	pkcs11(l, &x, "opensc", "");
	enrolled(l, 0, "alice", &l->alice);
	assert_int_equal(plan_finish(&l->plan, NULL), 0);
	assert_int_equal(l->plan.n_ops, 2);
	x.home[0] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	pkcs11(l, &x, "opensc", "");
	refused(l, 0, "no certificate");
	x.home[0] = "";
	pkcs11(l, &x, "opensc", "");
	refused(l, 0, "no certificate");
	x.home[0] = NULL;
	x.home[2] = (const char *)cert.data;
	pkcs11(l, &x, "opensc", "");
	refused(l, 0, "uid 0");
	assert_int_equal(l->plan.n_ops, 0);
	gnutls_free(key.data);
	gnutls_free(cert.data);
}

static void settings_of_pam_pkcs11(void **state)
{
	struct import_files files = { map_give, home_give, NULL };
	struct lab *l = *state;
	static const struct {
		const char *policy;
		bool warned;
	} t[] = { { "none", true },
		  { "signature", true },
		  { "ca,signature", false },
		  { "signature, ca", false },
		  { "ca, crl_auto", false } };
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		bool warned = false;

		(void)snprintf(
			text, sizeof(text),
			"pam_pkcs11 { use_mappers = null; use_pkcs11_module = x;\n"
			"pkcs11_module x { ca_dir = /ca;\ncrl_dir = /crl;\ncert_policy = %s; } }",
			t[i].policy);
		lab_again(l);
		import_pam_pkcs11(&l->plan, "conf", text, strlen(text), &files);
		refused(l, 2, "anchor add");
		refused(l, 3, "crl import");
		for (size_t j = 0; j < l->plan.n_refusals; j++)
			warned |= strstr(l->plan.refusals[j].why, "WARNING") != NULL;
		assert_int_equal(warned, t[i].warned);
		assert_int_equal(count_refused(l), 0);
	}
	refused(l, 4, "revocation");
	lab_again(l);
	import_pam_pkcs11(&l->plan, "conf", "pam_pkcs11 {\n}", 14, &files);
	refused(l, 0, "use_mappers");
	lab_again(l);
	import_pam_pkcs11(&l->plan, "conf", "pam_pkcs11 {\n", 13, &files);
	refused(l, 2, "nothing is taken");
}

/* --- sssd --- */

static void sssd(struct lab *l, const char *text)
{
	lab_again(l);
	import_sssd(&l->plan, "sssd.conf", text, strlen(text));
	assert_int_equal(l->plan.error, 0);
}

#define LOCAL "[domain/d]\nid_provider = files\n"

static void ini_text(void **state)
{
	static const char text[] = "# c\n[a]\nk = v\n  more\n; c\nK2=x = y\n[B]\nz=1\n[A]\nk = w\n";
	_cleanup_(ini_freep) struct ini *ini = NULL;
	static const char *const bad[] = { "k = v\n", "[a\n", "[a]\nnonsense\n", "[a]\n= v\n",
					   "[a]\n  folded\n" };
	struct ini *none = NULL;
	unsigned line;

	(void)state;
	assert_int_equal(ini_parse(text, strlen(text), &ini, &line), 0);
	assert_int_equal(ini->n, 2);
	assert_string_equal(ini_item(ini_section(ini, "a"), "k")->value, "w");
	assert_true(ini_item(ini_section(ini, "a"), "k")->twice);
	assert_string_equal(ini_item(ini_section(ini, "a"), "k2")->value, "x = y");
	assert_false(ini_item(ini_section(ini, "a"), "k2")->twice);
	assert_null(ini_item(ini_section(ini, "c"), "z"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ini_parse(bad[i], strlen(bad[i]), &none, &line), -EBADMSG);
	assert_int_equal(ini_parse("[a]\n\0x", 6, &none, &line), -EBADMSG);
}

static void sssd_rules_of_local_users(void **state)
{
	struct lab *l = *state;

	l->domains[0] = "example.org";
	l->options.n_domains = 1;
	sssd(l, LOCAL
	     "[certmap/d/late]\nmatchrule = KRB5:<SUBJECT>^CN=x$\nmaprule = (bob)\npriority = 9\n"
	     "[certmap/d/mail]\nmaprule = ({subject_rfc822_name.short_name})\npriority = 2\n"
	     "[certmap/d/alice]\nmatchrule = ||<SUBJECT>a<ISSUER>b\npriority = 1\n"
	     "[certmap/d/last]\nmaprule = ({subject_nt_principal.short_name})\n");
	assert_int_equal(l->plan.n_refusals, 0);
	rule(l, 7, "<KU>digitalSignature<EKU>clientAuth", "{mail.local}");
	rule(l, 3, "<SUBJECT>^CN=x$", "bob");
	rule(l, 10, "||<SUBJECT>a<ISSUER>b", "alice");
	rule(l, 13, "<KU>digitalSignature<EKU>clientAuth", "{upn.local}");
	assert_string_equal(l->plan.ops[0].yield, "alice"); /* by priority */
	assert_false(l->plan.ops[0].goes_on);
	assert_string_equal(l->plan.ops[1].yield, "{mail.local}");
	assert_string_equal(l->plan.ops[2].yield, "bob");
	assert_string_equal(l->plan.ops[3].yield, "{upn.local}");
	sssd(l, "[certmap/implicit_files/alice]\nmatchrule = <SUBJECT>a\n");
	rule(l, 1, "<SUBJECT>a", "alice");
	sssd(l, "[domain/p]\nid_provider = proxy\n[certmap/p/x]\nmaprule = "
		"({subject_principal.short_name})\n");
	rule(l, 3, "<KU>digitalSignature<EKU>clientAuth", "{krb.local}");
}

static void sssd_rules_that_are_left_out(void **state)
{
	static const struct {
		const char *text, *why;
		unsigned line;
	} t[] = {
		{ "[domain/d]\nid_provider = ldap\n[certmap/d/x]\nmaprule = (bob)\n", "directory",
		  3 },
		{ "[certmap/d/x]\nmaprule = (bob)\n", "directory", 1 },
		{ "[domain/d]\nid_provider = proxy\n[certmap/d/x]\n", "no maprule", 3 },
		{ LOCAL "[certmap/d/x]\nmaprule = LDAP:(uid=x)\n", "LDAP", 3 },
		{ LOCAL "[certmap/d/x]\nmaprule = (uid={subject_rfc822_name.short_name})\n", "LDAP",
		  3 },
		{ LOCAL "[certmap/d/x]\nmaprule = (|(a)(b))\n", "LDAP", 3 },
		{ LOCAL "[certmap/d/x]\nmaprule = ({subject_dns_name.short_name})\n", "no yield",
		  3 },
		{ LOCAL "[certmap/d/x]\nmaprule = bob\n", "LDAP", 3 },
		{ LOCAL "[certmap/d/x]\nmaprule = ()\n", "LDAP", 3 },
		{ LOCAL "[certmap/d/x]\nmaprule = (root)\n", "uid 0", 3 },
		{ LOCAL "[certmap/d/root]\n", "uid 0", 3 },
		{ LOCAL "[certmap/d]\n", "cannot be the name", 3 },
		{ LOCAL "[certmap/d/x]\nmatchrule = OWN:x\n", "no kind", 3 },
		{ LOCAL "[certmap/d/x]\nmatchrule = <SUBJECT>a(\n", "cannot be read", 3 },
		{ LOCAL "[certmap/d/x]\nmatchrule = <NONE>a\n", "cannot be read", 3 },
		{ LOCAL "[certmap/d/x]\npriority = 4294967296\n", "priority", 3 },
		{ LOCAL "[certmap/d/x]\npriority = -1\n", "priority", 3 },
		{ LOCAL "[certmap/d/x]\npriority = high\n", "priority", 3 },
		{ LOCAL "[certmap/d/x]\nnarrows = yes\n", "narrows", 4 },
		{ LOCAL "[certmap/d/x]\nmatchrule = <SUBJECT>a\nmatchrule = <SUBJECT>b\n",
		  "matchrule", 5 },
		{ LOCAL "[certmap/d/x]\nmaprule = ({subject_rfc822_name.short_name})\n", "--domain",
		  3 },
		{ "nonsense\n", "nothing is taken", 1 },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		sssd(l, t[i].text);
		refused(l, t[i].line, t[i].why);
		assert_int_equal(l->plan.n_ops, 0);
	}
}

/* The certificates of a rule that is left out must not come to the next one. */
static void sssd_rules_behind_one_that_is_left_out(void **state)
{
	struct lab *l = *state;

	sssd(l,
	     LOCAL "[certmap/d/c]\npriority = 3\n[certmap/d/b]\npriority = 2\nmaprule = (uid=x)\n"
		   "[certmap/d/a]\npriority = 1\n[certmap/implicit_files/other]\n");
	rule(l, 8, "<KU>digitalSignature<EKU>clientAuth", "a");
	rule(l, 10, "<KU>digitalSignature<EKU>clientAuth", "other");
	refused(l, 5, "LDAP");
	refused(l, 3, "would have won");
	assert_int_equal(l->plan.n_ops, 2);
	sssd(l, LOCAL "[certmap/d/a]\npriority = 1\n[certmap/d/b]\npriority = x\n");
	refused(l, 3, "priority is not understood");
	assert_int_equal(l->plan.n_ops, 0);
}

static void sssd_settings(void **state)
{
	struct lab *l = *state;

	sssd(l, "[sssd]\ncertificate_verification = no_verification\n[pam]\npam_cert_auth = True\n"
		"p11_uri = pkcs11:x\n");
	refused(l, 2, "WARNING");
	refused(l, 4, "pam.d");
	refused(l, 5, "token");
	assert_int_equal(count_refused(l), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scconf_reads_what_is_written),
		cmocka_unit_test(scconf_refuses),
		cmocka_unit_test(names_of_openssl),
		cmocka_unit_test(names_of_active_directory),
		cmocka_unit_test(patterns_fit_one_text),
		cmocka_unit_test(pattern_of_an_attribute),
		T(digests),
		T(maps),
		T(maps_that_cannot_be_read),
		T(common_names),
		T(mails),
		T(principal_names),
		T(generic),
		T(mappers_that_cannot_be_carried_over),
		T(homes_ssh),
		T(homes_eid),
		T(settings_of_pam_pkcs11),
		cmocka_unit_test(ini_text),
		T(sssd_rules_of_local_users),
		T(sssd_rules_that_are_left_out),
		T(sssd_rules_behind_one_that_is_left_out),
		T(sssd_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
