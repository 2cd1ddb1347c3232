// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/certmap-lab.h"
#include "tests/harness/pki-make.h"

static int yield(const char *template, const char *domains, const struct cert *c,
		 char name[LIMIT_IDENTITY + 1], char why[160])
{
	_cleanup_(certmap_yield_freep) struct certmap_yield *y = NULL;
	struct certmap_error e = { 0, "" };
	int r = certmap_yield_parse(template, domains, &y, &e);

	if (r < 0)
		print_message("# %s: byte %zu: %s\n", template, e.at, e.why);
	assert_int_equal(r, 0);
	*name = *why = '\0';
	return certmap_yield_name(y, c, name, why, 160);
}

static void yields(const char *template, const char *domains, const struct cert *c,
		   const char *name)
{
	char got[LIMIT_IDENTITY + 1], why[160];
	int r = yield(template, domains, c, got, why);

	if (r < 0)
		print_message("# %s: %s\n", template, why);
	assert_int_equal(r, 0);
	assert_string_equal(got, name);
}

static void yields_none(const char *template, const char *domains, const struct cert *c,
			const char *why)
{
	char got[LIMIT_IDENTITY + 1], said[160];
	int r = yield(template, domains, c, got, said);

	if (r != -ENOENT || !strstr(said, why))
		print_message("# %s: %d, %s %s\n", template, r, got, said);
	assert_int_equal(r, -ENOENT);
	assert_string_equal(got, "");
	assert_non_null(strstr(said, why));
}

static void each_field(void **state)
{
	struct cert c = { .subject = NAME(DC("org"), CN("carol")), .serial = LIT("\x0a\x1b") };

	(void)state;
	c.san = JOIN(MAIL("alice@b.example"), UPN("bob@c.example"), DNS("h.example"),
		     URI("https://id.example/dave"), KRB("R.EXAMPLE", GENERAL(text("erin"))));
	c.extensions = SID_EXTENSION(LIT("S-1-5-21-7"));
	yields("{mail.local}", "b.example", &c, "alice");
	yields("{mail}", "b.example", &c, "alice@b.example");
	yields("{upn.local}", "c.example", &c, "bob");
	yields("{upn}", "x.example c.example", &c, "bob@c.example");
	yields("{krb.local}", "R.EXAMPLE", &c, "erin");
	yields("{krb}", "R.EXAMPLE", &c, "erin@R.EXAMPLE");
	yields("{subject.cn}", "", &c, "carol");
	yields("{uri.path}", "", &c, "dave");
	yields("{dns}", "", &c, "h.example");
	yields("{sid}", "", &c, "S-1-5-21-7");
	yields("{serial}", "", &c, "0a1b");
	yields("alice", "", &c, "alice");
	yields("x-{upn.local}", "c.example", &c, "x-bob");
	yields("{upn.local}.{serial}-z", "c.example", &c, "bob.0a1b-z");
}

/* As GnuTLS encodes them. */
static void certificates_of_a_library(void **state)
{
	struct pki p;

	(void)state;
	pki_make(&(struct pki_spec){ .cn = "carol",
				     .mail = "alice@b.example",
				     .upn = "bob@c.example",
				     .krb = "erin/admin@R.EXAMPLE",
				     .sid = "S-1-5-21-7" },
		 NULL, &p);
	yields("{mail.local}", "b.example", p.cert, "alice");
	yields("{upn.local}", "c.example", p.cert, "bob");
	yields("{sid}", "", p.cert, "S-1-5-21-7");
	yields("{subject.cn}", "", p.cert, "carol");
	yields_none("{krb.local}", "R.EXAMPLE", p.cert,
		    "cannot be the name of an identity: erin/admin");
	pki_deinit(&p);
}

/* One spelling of one name: the rule's. */
static void domains(void **state)
{
	struct cert c = { .san = MAIL("Alice@B.Example") };

	(void)state;
	yields("{mail}", "b.example", &c, "Alice@b.example");
	yields("{mail.local}", "B.EXAMPLE", &c, "Alice");
	yields_none("{mail.local}", "example", &c, "does not allow");
	yields_none("{mail.local}", "a.b.example", &c, "does not allow");
	yields_none("{mail.local}", "b.example.org", &c, "does not allow");
	c.san = MAIL("alice@b.example@evil.example");
	yields_none("{mail.local}", "b.example evil.example", &c, "form local@domain");
	c.san = MAIL("@b.example");
	yields_none("{mail.local}", "b.example", &c, "form local@domain");
	c.san = MAIL("alice");
	yields_none("{mail.local}", "b.example", &c, "form local@domain");
	c.san = MAIL("alice@");
	yields_none("{mail.local}", "b.example", &c, "does not allow");
}

static void absent(void **state)
{
	static const char *const fields[] = { "{mail}",	     "{mail.local}", "{upn}",
					      "{upn.local}", "{krb}",	     "{krb.local}" };
	static const char *const others[] = { "{subject.cn}", "{uri.path}", "{dns}", "{sid}" };
	struct cert c = { .subject = NAME(DC("org")), .serial = LIT("\x01") };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		yields_none(fields[i], "b.example", &c, "has no");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		yields_none(others[i], "", &c, "has no");
}

static void ambiguous(void **state)
{
	struct cert c = { .subject = NAME(CN("a"), CN("b")) };

	(void)state;
	yields_none("{subject.cn}", "", &c, "more than one CN");
	c.subject = NAME(CN("a"), CN("a"));
	yields("{subject.cn}", "", &c, "a");
	c.san = JOIN(MAIL("a@b"), MAIL("a@c"));
	yields_none("{mail.local}", "b", &c, "more than one rfc822Name");
	yields_none("{mail.local}", "b c", &c, "more than one rfc822Name");
	c.san = JOIN(UPN("a@b"), UPN("c@b"), UPN("a@b"));
	yields_none("{upn.local}", "b", &c, "more than one principal");
	c.san = JOIN(DNS("a"), DNS("b"));
	yields_none("{dns}", "", &c, "more than one dNSName");
	c.san = JOIN(URI("x:/a"), URI("y:/a"));
	yields_none("{uri.path}", "", &c, "more than one URI");
	c.extensions =
		EXTENSION("1.3.6.1.4.1.311.25.2",
			  OTHER("1.3.6.1.4.1.311.25.2.1", TLV(DER_OCTET_STRING, LIT("S-1-1"))),
			  OTHER("1.3.6.1.4.1.311.25.2.1", TLV(DER_OCTET_STRING, LIT("S-1-2"))));
	yields_none("{sid}", "", &c, "more than one SID");
}

static void malformed(void **state)
{
	struct cert c = { .subject = NAME(rdn("2.5.4.3", DER_UTF8, LIT("root\0.x"))) };

	(void)state;
	yields_none("{subject.cn}", "", &c, "cannot be read");
	c.subject = NAME(rdn("2.5.4.3", 0x1e, LIT("\0a")));
	yields_none("{subject.cn}", "", &c, "cannot be read");
	c.subject = NAME(CN("alice"), rdn("2.5.4.3", DER_UTF8, LIT("")));
	yields_none("{subject.cn}", "", &c, "cannot be read");
	c.subject = NAME(CN("alice"), LIT("\x31\x7f"));
	yields_none("{subject.cn}", "", &c, "cannot be read");
	c.san = GN(1, LIT("root\0@b"));
	yields_none("{mail.local}", "b", &c, "cannot be read");
	c.san = JOIN(MAIL("a@b"), GN(1, LIT("\xff@b")));
	yields_none("{mail.local}", "b", &c, "cannot be read");
	c.san = JOIN(MAIL("a@b"), LIT("\x81\x7f"));
	yields_none("{mail.local}", "b", &c, "cannot be read");
	c.san = KRB("b", GENERAL(text("a@b")));
	yields_none("{krb.local}", "b", &c, "cannot be read");
	c.extensions = SID_EXTENSION(LIT("S-2-5"));
	yields_none("{sid}", "", &c, "form S-1-");
	c.extensions = SID_EXTENSION(LIT("S-1-x"));
	yields_none("{sid}", "", &c, "form S-1-");
}

static void paths_of_uris(void **state)
{
	static const struct {
		const char *uri, *name;
	} rows[] = {
		{ "https://h/alice?x#y", "alice" },
		{ "https://h/alice#y", "alice" },
		{ "urn:alice", "alice" },
		{ "x:/alice", "alice" },
		{ "https://h", NULL },
		{ "https://h/", NULL },
		{ "https://h/a%6cice", NULL },
		{ "https://h/a/b", NULL },
		{ "https://h?/alice", NULL },
		{ "alice", NULL },
		{ "https://h/..", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cert c = { .san = URI(rows[i].uri) };

		if (rows[i].name)
			yields("{uri.path}", "", &c, rows[i].name);
		else
			yields_none("{uri.path}", "", &c, "");
	}
}

/* Whatever comes out is an identity's name. */
static void names_that_are_none(void **state)
{
	static const char *const bad[] = { "a b", "a/b", "a:b", "a,b", "-a", ".", ".." };
	char longest[LIMIT_IDENTITY + 2];
	struct cert c = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		c.subject = NAME(CN(bad[i]));
		yields_none("{subject.cn}", "", &c, "cannot be the name");
	}
	memset(longest, 'a', sizeof(longest));
	longest[LIMIT_IDENTITY] = '\0';
	c.subject = NAME(CN(longest));
	yields("{subject.cn}", "", &c, longest);
	yields_none("{subject.cn}x", "", &c, "longer");
	longest[LIMIT_IDENTITY] = 'a';
	longest[LIMIT_IDENTITY + 1] = '\0';
	c.subject = NAME(CN(longest));
	yields_none("{subject.cn}", "", &c, "longer");
}

static void refused_templates(void **state)
{
	static const struct {
		const char *text, *domains;
		size_t at;
		const char *why;
	} rows[] = {
		{ "", "", 0, "empty" },
		{ "{mail}", "", 0, "needs the domains" },
		{ "x-{mail.local}", "", 2, "needs the domains" },
		{ "{upn}", " ", 0, "needs the domains" },
		{ "{upn.local}", "", 0, "needs the domains" },
		{ "{krb}", "", 0, "needs the domains" },
		{ "{krb.local}", "", 0, "needs the domains" },
		{ "{dns}", "b.example", 0, "no field of it has a domain" },
		{ "alice", "b.example", 0, "no field of it has a domain" },
		{ "{foo}", "", 0, "unknown field {foo}" },
		{ "a{}", "", 1, "unknown field {}" },
		{ "{DNS}", "", 0, "unknown field" },
		{ "a{dns", "", 1, "without its }" },
		{ "a{{dns}}", "", 1, "without its }" },
		{ "a}b", "", 1, "without its {" },
		{ "{dns}}", "", 5, "without its {" },
		{ "a b", "", 0, "name of an identity" },
		{ "-{dns}", "", 0, "name of an identity" },
		{ "{dns}/x", "", 0, "name of an identity" },
		{ "{dns}\n", "", 0, "name of an identity" },
		{ "{dns}{dns}{dns}{dns}{dns}{dns}{dns}{dns}{dns}", "", 40, "more than" },
		{ "{mail}", "b..c", 0, "cannot be a domain: b..c" },
		{ "{mail}", "a *.c", 0, "cannot be a domain: *.c" },
		{ "{mail}", ".c", 0, "cannot be a domain" },
		{ "{mail}", "c.", 0, "cannot be a domain" },
		{ "{mail}", "@c", 0, "cannot be a domain" },
		{ "{mail}", "a b c d e f g h i j k l m n o p q", 0, "more than 16 domains" },
	};
	char big[LIMIT_YIELD_BYTES + 2];
	struct certmap_yield *y = NULL;
	struct certmap_error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = certmap_yield_parse(rows[i].text, rows[i].domains, &y, &e);

		if (r != -EINVAL || e.at != rows[i].at || !strstr(e.why, rows[i].why))
			print_message("# %s: %d, byte %zu: %s\n", rows[i].text, r, e.at, e.why);
		assert_int_equal(r, -EINVAL);
		assert_null(y);
		assert_int_equal(e.at, rows[i].at);
		assert_non_null(strstr(e.why, rows[i].why));
	}
	memset(big, 'a', sizeof(big));
	big[LIMIT_YIELD_BYTES + 1] = '\0';
	assert_int_equal(certmap_yield_parse(big, "", &y, &e), -EINVAL);
	assert_string_equal(e.why, "it is too long");
}

#define T(f) cmocka_unit_test_setup(f, lab_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_field),	      T(certificates_of_a_library),
		T(domains),	      T(absent),
		T(ambiguous),	      T(malformed),
		T(paths_of_uris),     T(names_that_are_none),
		T(refused_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
