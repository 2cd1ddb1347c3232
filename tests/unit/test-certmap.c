// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/certmap-lab.h"

static struct cert *person(void)
{
	static struct cert c;

	c = (struct cert){ 0 };
	c.subject = NAME(DC("org"), DC("example"), OU("People"), CN("Alice"));
	c.issuer = NAME(DC("org"), CN("People CA"));
	return &c;
}

static bool match_missed(const char *rule, const struct cert *c, char *ret, size_t size)
{
	_cleanup_(certmap_match_freep) struct certmap_match *m = NULL;
	struct certmap_error e = { 0, "" };
	int r = certmap_match_parse(rule, &m, &e);

	if (r < 0)
		print_message("# %s: byte %zu: %s\n", rule, e.at, e.why);
	assert_int_equal(r, 0);
	return certmap_matches(m, c, ret, size);
}

static bool match(const char *rule, const struct cert *c)
{
	char missed[LIMIT_RULE_BYTES + 1] = "";

	return match_missed(rule, c, missed, sizeof(missed));
}
#define YES(rule) assert_true(match(rule, c))
#define NO(rule) assert_false(match(rule, c))

static void subject_and_issuer(void **state)
{
	struct cert *c = person();

	(void)state;
	YES("<SUBJECT>^CN=Alice,OU=People,DC=example,DC=org$");
	YES("<SUBJECT>.*,DC=example,DC=org");
	NO("<SUBJECT>^DC=org,DC=example,OU=People,CN=Alice$"); /* X.500's order is the other */
	YES("<ISSUER>^CN=People CA,DC=org$");
	YES("KRB5:<ISSUER>^CN=People CA,DC=org$<SUBJECT>^CN=Alice,");
	YES(":<SUBJECT>^CN=Alice,");
	NO("<ISSUER>Alice");
	NO("<SUBJECT>People CA");
	NO("<SUBJECT>cn=alice");
	c->subject = NAME(CN("a,OU=People"));
	YES("<SUBJECT>^CN=a\\\\,OU=People$"); /* RFC 4514 escapes */
	NO("<SUBJECT>^CN=[^,\\]*,OU=");
}

/* What cannot be told exactly is no name that a rule takes. */
static void names_that_cannot_be_told(void **state)
{
	struct cert *c = person();
	struct view rdns[33];

	(void)state;
	c->subject = NAME(rdn("2.5.4.3", DER_UTF8, LIT("alice\0.example")));
	NO("<SUBJECT>alice");
	c->subject = NAME(rdn("2.5.4.3", DER_UTF8, LIT("alice\n")));
	NO("<SUBJECT>alice");
	c->subject = NAME(rdn("2.5.4.3", DER_UTF8, LIT("alice\xff")));
	NO("<SUBJECT>alice");
	c->subject = JOIN(NAME(CN("alice")), LIT("\x05\x00"));
	NO("<SUBJECT>alice");
	c->subject = NAME(CN("alice"), TLV(DER_SET, LIT("")));
	NO("<SUBJECT>alice");
	c->subject = NAME(CN("alice"), LIT("\x31\x7f"));
	NO("<SUBJECT>alice");
	c->subject = NAME(TLV(DER_SET, TLV(DER_SEQUENCE, dotted("2.5.4.3"),
					   TLV(DER_UTF8, LIT("alice")), LIT("\x05\x00"))));
	NO("<SUBJECT>alice");
	c->subject = NAME(CN("alice"), TLV(DER_SET, TLV(DER_SEQUENCE, TLV(DER_OID, LIT("\x80\x01")),
							TLV(DER_UTF8, LIT("x")))));
	NO("<SUBJECT>alice");
	for (size_t i = 0; i < ARRAY_SIZE(rdns); i++)
		rdns[i] = CN("alice");
	c->subject = tlv(DER_SEQUENCE, join(32, rdns));
	YES("<SUBJECT>alice");
	c->subject = tlv(DER_SEQUENCE, join(33, rdns));
	NO("<SUBJECT>alice");
	c->subject = NAME(CN("alice"), rdn("2.5.4.3", 0x14,
					   LIT("12345678123456781234567812345678"
					       "12345678123456781234567812345678"
					       "1")));
	NO("<SUBJECT>alice"); /* a TeletexString that would be cut */
	c->subject = LIT("\x31\x00");
	NO("<SUBJECT>.*");
	c->subject = LIT("\x30\x00");
	NO("<SUBJECT>.*");
}

static void long_values(void **state)
{
	struct cert *c = person();
	char s[LIMIT_RULE_VALUE + 2];

	(void)state;
	memset(s, 'a', sizeof(s));
	s[LIMIT_RULE_VALUE] = '\0';
	c->san = MAIL(s);
	YES("<SAN:rfc822Name>^a*$");
	s[LIMIT_RULE_VALUE] = 'a';
	s[LIMIT_RULE_VALUE + 1] = '\0';
	c->san = MAIL(s);
	NO("<SAN:rfc822Name>^a*$");
}

static void relations(void **state)
{
	struct cert *c = person();

	(void)state;
	YES("&&<SUBJECT>Alice<ISSUER>CA");
	NO("&&<SUBJECT>Alice<ISSUER>Bob");
	NO("<SUBJECT>Alice<ISSUER>Bob");
	YES("||<SUBJECT>Alice<ISSUER>Bob");
	YES("KRB5:||<SUBJECT>Bob<ISSUER>CA");
	NO("||<SUBJECT>Bob<ISSUER>Bob");
}

static void first_that_is_missed(void **state)
{
	struct cert *c = person();
	char missed[64] = "";

	(void)state;
	assert_false(match_missed("<SUBJECT>Alice<ISSUER>^CN=Other<KU>cRLSign", c, missed,
				  sizeof(missed)));
	assert_string_equal(missed, "<ISSUER>^CN=Other");
	assert_false(match_missed("||<KU>cRLSign<ISSUER>^CN=Other", c, missed, sizeof(missed)));
	assert_string_equal(missed, "<KU>cRLSign");
	assert_false(match_missed("<ISSUER>^CN=Other", c, missed, 6));
	assert_string_equal(missed, "<ISSU");
}

static void key_usage(void **state)
{
	struct cert *c = person();

	(void)state;
	NO("<KU>digitalSignature"); /* an absent one says nothing */
	c->has_key_usage = true;
	c->key_usage = 1 << 0 | 1 << 8;
	YES("<KU>digitalSignature");
	YES("<KU>DigitalSignature, decipherOnly");
	NO("<KU>digitalSignature,nonRepudiation");
	NO("||<KU>digitalSignature,nonRepudiation");
	c->key_usage = 1 << 1;
	YES("<KU>nonRepudiation");
}

static void extended_key_usage(void **state)
{
	struct cert *c = person();

	(void)state;
	NO("<EKU>clientAuth");
	c->extensions =
		EXTENSION("2.5.29.37", dotted("1.3.6.1.5.5.7.3.2"), dotted("1.3.6.1.5.2.3.4"));
	YES("<EKU>clientAuth");
	YES("<EKU>clientauth,pkinit");
	YES("<EKU>KPClientAuth,1.3.6.1.5.5.7.3.2");
	NO("<EKU>clientAuth,msScLogin");
	YES("||<EKU>clientAuth,msScLogin");
	NO("||<EKU>1.2.3,msScLogin");
	c->extensions = EXTENSION("2.5.29.37", dotted("2.5.29.37.0"));
	NO("<EKU>clientAuth"); /* "any" is not a name for it */
	c->extensions = EXTENSION("2.5.29.37", dotted("1.3.6.1.5.5.7.3.2"), LIT("\x05\x00"));
	NO("<EKU>clientAuth");
}

static void policies(void **state)
{
	struct cert *c = person();

	(void)state;
	NO("<POLICY>1.2.3");
	c->policies = JOIN(TLV(DER_SEQUENCE, dotted("1.2.3")), TLV(DER_SEQUENCE, dotted("1.2.4")));
	YES("<POLICY>1.2.3");
	YES("<POLICY>1.2.4,1.2.3");
	NO("<POLICY>1.2.3,1.2.5");
	YES("||<POLICY>1.2.3,1.2.5");
	NO("<POLICY>1.2");
}

static void security_identifier(void **state)
{
	struct cert *c = person();

	(void)state;
	NO("<SID>S-1-5-21-1");
	c->extensions = SID_EXTENSION(LIT("S-1-5-21-1"));
	YES("<SID>S-1-5-21-1");
	NO("<SID>S-1-5-21-11");
	NO("<SID>S-1-5-21-");
	c->extensions = SID_EXTENSION(LIT("S-1-5-21-1\0"));
	NO("<SID>S-1-5-21-1");
	c->extensions = EXTENSION(
		"1.3.6.1.4.1.311.25.2",
		OTHER("1.3.6.1.4.1.311.25.2.1", TLV(DER_OCTET_STRING, LIT("S-1-5-21-1"))),
		OTHER("1.3.6.1.4.1.311.25.2.1", TLV(DER_OCTET_STRING, LIT("S-1-5-21-2"))));
	NO("<SID>S-1-5-21-1");
	NO("<SID>S-1-5-21-2");
	c->extensions = EXTENSION("1.3.6.1.4.1.311.25.2", OTHER("1.3.6.1.4.1.311.25.2.1",
								TLV(DER_UTF8, LIT("S-1-5-21-1"))));
	NO("<SID>S-1-5-21-1");
	c->extensions = EXTENSION(
		"1.3.6.1.4.1.311.25.2", /* another's otherName */
		OTHER("1.3.6.1.4.1.311.25.2.2", TLV(DER_OCTET_STRING, LIT("S-1-5-21-1"))));
	NO("<SID>S-1-5-21-1");
	c->extensions =
		EXTENSION("1.3.6.1.4.1.311.25.3", OTHER("1.3.6.1.4.1.311.25.2.1",
							TLV(DER_OCTET_STRING, LIT("S-1-5-21-1"))));
	NO("<SID>S-1-5-21-1");
}

static void principals(void **state)
{
	struct cert *c = person();

	(void)state;
	NO("<SAN>.*");
	c->san = UPN("alice@EXAMPLE.ORG");
	YES("<SAN>^alice@EXAMPLE\\.ORG$");
	YES("<SAN:Principal>^alice@");
	YES("<SAN:ntPrincipalName>^alice@");
	YES("<SAN:NTPRINCIPALNAME>^alice@");
	YES("<SAN:1.3.6.1.4.1.311.20.2.3>^alice@");
	NO("<SAN:pkinit>.*");
	NO("<SAN:rfc822Name>.*");
	c->san = KRB("EXAMPLE.ORG", GENERAL(text("host")), GENERAL(text("a.example")));
	YES("<SAN:pkinit>^host/a\\.example@EXAMPLE\\.ORG$");
	YES("<SAN:pkinitSAN>^host/");
	YES("<SAN>^host/a\\.example@EXAMPLE\\.ORG$");
	NO("<SAN:ntPrincipalName>.*");
	/* of a kind all must match */
	c->san = JOIN(UPN("alice@A"), KRB("B", GENERAL(text("alice"))));
	NO("<SAN>@A$");
	YES("<SAN>^alice@");
	YES("<SAN:ntPrincipalName>@A$");
	c->san = JOIN(UPN("alice@A"), UPN("root@A"));
	NO("<SAN>^alice@A$");
	NO("<SAN>^root@A$");
	NO("||<SAN>^root@A$<SAN>^alice@A$");
}

static void malformed_principals(void **state)
{
	struct cert *c = person();

	(void)state;
	c->san = KRB("EXAMPLE.ORG", GENERAL(text("root@X"))); /* root@X@EXAMPLE.ORG: whose? */
	NO("<SAN>.*");
	c->san = KRB("EXAMPLE.ORG", GENERAL(text("a/b")));
	NO("<SAN>.*");
	c->san = KRB("EXAMPLE.ORG", GENERAL(LIT("")));
	NO("<SAN>.*");
	c->san = KRB("EXAMPLE.ORG", LIT(""));
	NO("<SAN>.*");
	c->san = KRB("", GENERAL(text("alice")));
	NO("<SAN>.*");
	c->san = KRB("A", GENERAL(LIT("al\0ice")));
	NO("<SAN>.*");
	c->san = KRB("A", TLV(DER_UTF8, LIT("alice")));
	NO("<SAN>.*");
	c->san = OTHER("1.3.6.1.5.2.2", LIT("\x30\x00"));
	NO("<SAN>.*");
	c->san = OTHER("1.3.6.1.4.1.311.20.2.3", TLV(DER_OCTET_STRING, LIT("alice@A")));
	NO("<SAN>.*");
	c->san = OTHER("1.3.6.1.4.1.311.20.2.3", TLV(DER_UTF8, LIT("alice@A")), LIT("\x05\x00"));
	NO("<SAN>.*");
	c->san = UPN("");
	NO("<SAN>.*");
	c->san = JOIN(UPN("alice@A"), LIT("\xa0\x02\x05\x00")); /* an otherName without type */
	NO("<SAN>.*");
	c->san = JOIN(UPN("alice@A"), LIT("\x81\x7f"));
	NO("<SAN>.*");
}

static void alternative_names(void **state)
{
	struct cert *c = person();

	(void)state;
	c->san = JOIN(MAIL("a@b.example"), DNS("h.example"), URI("urn:x"),
		      GN(7, LIT("\xc0\x00\x02\x07")), GN(8, LIT("\x2a\x03")),
		      TLV(DER_CONTEXT_CONS(4), NAME(DC("org"), CN("Al"))));
	YES("<SAN:rfc822Name>^a@b\\.example$");
	YES("<SAN:dNSName>^h\\.example$");
	YES("<SAN:uniformResourceIdentifier>^urn:x$");
	YES("<SAN:iPAddress>^192\\.0\\.2\\.7$");
	YES("<SAN:registeredID>^1\\.2\\.3$");
	YES("<SAN:directoryName>^CN=Al,DC=org$");
	NO("<SAN:dNSName>b\\.example");
	NO("<SAN:uniformResourceIdentifier>h");
	NO("<SAN:Principal>.*");
	c->san = GN(7, LIT("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"));
	YES("<SAN:iPAddress>^2001:db8::1$");
	c->san = GN(7, LIT("\x20\x01\x0d\xb8\0"));
	NO("<SAN:iPAddress>.*");
	c->san = GN(8, LIT("\x2a\x80"));
	NO("<SAN:registeredID>.*");
	c->san = MAIL("a@b\nc");
	NO("<SAN:rfc822Name>.*");
}

static void other_names(void **state)
{
	struct cert *c = person();

	(void)state;
	c->san = OTHER("1.2.3.4", TLV(DER_IA5, LIT("test")));
	YES("<SAN:1.2.3.4>^test$");
	NO("<SAN:1.2.3.5>.*");
	YES("<SAN:otherName>FgR0ZXN0"); /* 16 04 "test" */
	NO("<SAN:otherName>FgR0ZXN1");
	NO("<SAN:otherName>FgR0ZXN0AA==");
	NO("<SAN:otherName>DAR0ZXN0"); /* 0c: another tag */
	c->san = OTHER("1.2.3.4", TLV(0x1b, LIT("test")));
	YES("<SAN:1.2.3.4>^test$");
	c->san = OTHER("1.2.3.4", TLV(DER_OCTET_STRING, LIT("test")));
	NO("<SAN:1.2.3.4>.*");
	c->san = OTHER("1.2.3.4", LIT(""));
	NO("<SAN:otherName>FgR0ZXN0");
	c->san = TLV(DER_CONTEXT_CONS(3), LIT("\x02\x01\x05"));
	YES("<SAN:x400Address>MAMCAQU="); /* 30 03 02 01 05 */
	NO("<SAN:x400Address>owMCAQU=");
	NO("<SAN:x400Address>MAMCAQY=");
	NO("<SAN:ediPartyName>MAMCAQU=");
	c->san = TLV(DER_CONTEXT_CONS(5), LIT("\x02\x01\x05"));
	YES("<SAN:ediPartyName>MAMCAQU=");
	NO("<SAN:x400Address>MAMCAQU=");
}

static void many_names(void **state)
{
	struct view names[LIMIT_RULE_NAMES + 1];
	struct cert *c = person();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		names[i] = DNS("a");
	c->san = join(LIMIT_RULE_NAMES, names);
	YES("<SAN:dNSName>a");
	c->san = join(LIMIT_RULE_NAMES + 1, names);
	NO("<SAN:dNSName>a");
}

/* --- what is refused, and where --- */

static void refused_rules(void **state)
{
	static const struct {
		const char *rule;
		size_t at;
		const char *why;
	} rows[] = {
		{ "", 0, "no component" },
		{ "KRB5:", 5, "no component" },
		{ "||", 2, "no component" },
		{ "LDAP:(x={y})", 0, "type LDAP" },
		{ "LDAPU1:<SUBJECT>a", 0, "type LDAPU1" },
		{ "KRB5X:<SUBJECT>a", 0, "type KRB5X" },
		{ "SUBJECT>a", 0, "begins with <" },
		{ "<SUBJECT>", 9, "value is missing" },
		{ "<SUBJECT><ISSUER>a", 9, "value is missing" },
		{ "<SUBJECT", 0, "> is missing" },
		{ "<subject>a", 0, "unknown component <subject>" },
		{ "<SUBJECT>a<FOO>b", 10, "unknown component <FOO>" },
		{ "<SAN:>a", 0, "unknown component <SAN:>" },
		{ "<SAN:p>a", 0, "unknown component" },
		{ "<SAN:stringOtherName>a", 0, "unknown component" },
		{ "<SAN:1>a", 0, "unknown component" },
		{ "<SAN:1.2.>a", 0, "unknown component" },
		{ "<SAN:3.2>a", 0, "unknown component" },
		{ "<SAN:1.40>a", 0, "unknown component" },
		{ "<SUBJECT>a&&<ISSUER>b", 10, "relation" },
		{ "<SUBJECT>a||<ISSUER>b", 10, "relation" },
		{ "<SUBJECT>a||", 10, "relation" },
		{ "<SUBJECT>(a", 9, "regular expression" },
		{ "<ISSUER>x<SUBJECT>[a", 18, "regular expression" },
		{ "<SUBJECT>(a)\\1", 12, "back-references" },
		{ "<SUBJECT>[\\](a)\\1", 15, "back-references" },
		{ "<SUBJECT>[[:alpha:]](a)\\1", 23, "back-references" },
		{ "<SUBJECT>(a{64}){64}", 16, "repeats" },
		{ "<SUBJECT>((a{64})b{999}){2}", 24, "repeats" },
		{ "<SUBJECT>a{1,2049}", 10, "repeats" },
		{ "<SUBJECT>a{2049,}", 10, "repeats" },
		{ "<SUBJECT>[^,]++", 14, "directly after another" },
		{ "<SUBJECT>a**", 11, "directly after another" },
		{ "<SUBJECT>a?+", 11, "directly after another" },
		{ "<SUBJECT>a{2}{2}", 13, "directly after another" },
		{ "<SUBJECT>a{2}*", 13, "directly after another" },
		{ "<SUBJECT>a*{2}", 11, "directly after another" },
		{ "<SUBJECT>(((((((((((a+)+)+)+)+)+)+)+)+)+)+)+", 39, "repeats" },
		{ "<SUBJECT>(((((((((((a*)*)*)*)*)*)*)*)*)*)*)*", 39, "repeats" },
		{ "<SUBJECT>(((((((((((a?)?)?)?)?)?)?)?)?)?)?)?", 39, "repeats" },
		{ "<KU>digitalSignature,foo", 21, "not a key usage: foo" },
		{ "<KU>128", 4, "not a key usage" },
		{ "<KU>digitalSignature,", 21, "not a key usage" },
		{ "<EKU>clientAuth,foo", 16, "not an extended key usage or OID: foo" },
		{ "<EKU>.1.2", 5, "not an extended key usage" },
		{ "<EKU>1.2,", 9, "not an extended key usage" },
		{ "<EKU>1.02", 5, "not an extended key usage" },
		{ "<POLICY>clientAuth", 8, "not an OID" },
		{ "<POLICY>1.2.4294967296", 8, "not an OID" },
		{ "<SID>1-5-21", 5, "not a SID" },
		{ "<SID>S-1-5-x", 5, "not a SID" },
		{ "<SAN:otherName>MTI", 15, "not base64" },
		{ "<SAN:x400Address>MTI*", 17, "not base64" },
		{ "<SUBJECT>a\nb", 0, "control" },
		{ "<SUBJECT>a\xff", 0, "UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct certmap_match *m = NULL;
		struct certmap_error e = { 999, "" };
		int r = certmap_match_parse(rows[i].rule, &m, &e);

		if (r != -EINVAL || e.at != rows[i].at || !strstr(e.why, rows[i].why))
			print_message("# %s: %d, byte %zu: %s\n", rows[i].rule, r, e.at, e.why);
		assert_int_equal(r, -EINVAL);
		assert_null(m);
		assert_int_equal(e.at, rows[i].at);
		assert_non_null(strstr(e.why, rows[i].why));
	}
}

static int parse_copies(const char *head, const char *each, size_t n, size_t *ret_at)
{
	struct certmap_match *m = NULL;
	struct certmap_error e = { 0, "" };
	char rule[2 * LIMIT_RULE_BYTES];
	int r;

	strcpy(rule, head);
	while (n-- > 0)
		strcat(rule, each);
	r = certmap_match_parse(rule, &m, &e);
	certmap_match_free(m);
	*ret_at = e.at;
	return r;
}

static void bounds(void **state)
{
	size_t at;

	(void)state;
	assert_int_equal(parse_copies("", "<KU>cRLSign", LIMIT_RULE_COMPONENTS, &at), 0);
	assert_int_equal(parse_copies("", "<KU>cRLSign", LIMIT_RULE_COMPONENTS + 1, &at), -EINVAL);
	assert_int_equal(at, LIMIT_RULE_COMPONENTS * 11);
	assert_int_equal(parse_copies("<EKU>1.2", ",1.2", LIMIT_RULE_OIDS - 1, &at), 0);
	assert_int_equal(parse_copies("<EKU>1.2", ",1.2", LIMIT_RULE_OIDS, &at), -EINVAL);
	assert_int_equal(parse_copies("<SUBJECT>", "a", LIMIT_RULE_BYTES - 9, &at), 0);
	assert_int_equal(parse_copies("<SUBJECT>", "a", LIMIT_RULE_BYTES - 8, &at), -EINVAL);
	assert_int_equal(at, LIMIT_RULE_BYTES);
	assert_int_equal(parse_copies("<SUBJECT>(a{32}){32}", "", 0, &at), 0);
	/* beside one another they add up to little */
	assert_int_equal(parse_copies("<SUBJECT>", "([^,]+,)+", 100, &at), 0);
	assert_int_equal(parse_copies("<SUBJECT>", "(", LIMIT_RULE_GROUPS, &at), -EINVAL);
	assert_int_equal(at, 9 + LIMIT_RULE_GROUPS - 1);
	assert_int_equal(
		parse_copies(
			"<SUBJECT>((((((((((((((((((((((((((((((()))))))))))))))))))))))))))))))",
			"", 0, &at),
		0);
}

/* Neither in brackets nor escaped is a brace or a back-reference one. */
static void not_an_interval(void **state)
{
	struct cert *c = person();

	(void)state;
	c->san = MAIL("a\\1");
	YES("<SAN:rfc822Name>^a[\\1]*$");
	c->san = MAIL("{9999}");
	YES("<SAN:rfc822Name>^[{]9999}$");
	YES("<SAN:rfc822Name>^\\{9999}$");
	c->san = MAIL("]1");
	YES("<SAN:rfc822Name>^[]]1$");
}

static void object_identifiers(void **state)
{
	static const struct {
		const char *text, *der;
		size_t n;
	} rows[] = {
		{ "0.0", "\x00", 1 },
		{ "1.39", "\x4f", 1 },
		{ "2.40", "\x78", 1 },
		{ "2.999.3", "\x88\x37\x03", 3 },
		{ "1.3.6.1.4.1.311.25.2", "\x2b\x06\x01\x04\x01\x82\x37\x19\x02", 9 },
		{ "1.2.4294967295", "\x2a\x8f\xff\xff\xff\x7f", 6 },
	};
	char out[OID_TEXT_SIZE];
	struct oid o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(oid_parse(rows[i].text, strlen(rows[i].text), &o), 0);
		assert_int_equal(o.n, rows[i].n);
		assert_memory_equal(o.p, rows[i].der, o.n);
		assert_int_equal(oid_text(&(struct view){ o.p, o.n }, out), 0);
		assert_string_equal(out, rows[i].text);
	}
	assert_int_equal(oid_text(&(struct view){ NULL, 0 }, out), -EBADMSG);
	assert_int_equal(oid_text(&(struct view){ (const uint8_t *)"\x2a\x80\x01", 3 }, out),
			 -EBADMSG);
	assert_int_equal(oid_text(&(struct view){ (const uint8_t *)"\x2a\x81", 2 }, out), -EBADMSG);
	assert_int_equal(
		oid_text(&(struct view){ (const uint8_t *)"\x2a\x9f\xff\xff\xff\x7f", 6 }, out),
		-EBADMSG);
	assert_int_equal(
		oid_parse("1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6", 65,
			  &o),
		0);
	assert_int_equal(
		oid_parse("1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8",
			  69, &o),
		-EBADMSG);
}

#define T(f) cmocka_unit_test_setup(f, lab_reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(subject_and_issuer),	 T(names_that_cannot_be_told),
		T(long_values),		 T(relations),
		T(first_that_is_missed), T(key_usage),
		T(extended_key_usage),	 T(policies),
		T(security_identifier),	 T(principals),
		T(malformed_principals), T(alternative_names),
		T(other_names),		 T(many_names),
		T(refused_rules),	 T(bounds),
		T(not_an_interval),	 T(object_identifiers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
