// SPDX-License-Identifier: GPL-2.0-or-later
#include <gnutls/crypto.h>

#include "cli/import/altsec.h"
#include "tests/unit/import-lab.h"

/* altSecurityIdentities. */

static void import(struct lab *l, const char *format, ...) _printf_(2, 3);
static void import(struct lab *l, const char *format, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	lab_again(l);
	import_ad(&l->plan, "ad", text, strlen(text));
	assert_int_equal(l->plan.error, 0);
}

/* Hexadecimal, the last octet first if so wanted. */
static const char *octets(const uint8_t *p, size_t n, bool reversed, char ret[256])
{
	for (size_t i = 0; i < n; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", p[reversed ? n - 1 - i : i]);
	return ret;
}

static void serial_number_of_an_issuer(void **state)
{
	struct lab *l = *state;
	const struct view *s = &l->alice.cert->serial;
	char text[256], straight[256];

	octets(s->p, s->n, true, text);
	import(l, "alice\tX509:<I>CN=Example CA<SR>%s\r\n", text);
	enrolled(l, 1, "alice", &l->alice);
	import(l, "alice\tX509:<I>cn=example ca<SR>%s00", text); /* a zero in front, reversed */
	enrolled(l, 1, "alice", &l->alice);
	import(l, "alice\tX509:<I>CN=Other CA<SR>%s", text);
	refused(l, 1, "no given certificate");
	import(l, "alice\tX509:<I>CN=Example CA<SR>%sff", text);
	refused(l, 1, "no given certificate");
	if (strcmp(octets(s->p, s->n, false, straight), text) != 0) {
		import(l, "alice\tX509:<I>CN=Example CA<SR>%s", straight);
		refused(l, 1, "no given certificate");
	}
	import(l, "alice\tX509:<I>CN=Example CA<SR>xyz");
	refused(l, 1, "octets");
	import(l, "alice\tX509:<I>OID.1=x<SR>%s", text);
	refused(l, 1, "issuer");
	import(l, "root\tX509:<I>CN=Example CA<SR>%s", text);
	refused(l, 1, "uid 0");
	assert_int_equal(l->plan.n_ops, 0);
}

static void key_identifier_and_hash(void **state)
{
	struct lab *l = *state;
	const struct cert *c = l->alice.cert;
	const struct view *all[] = { &c->der, &c->spki };
	char text[256];
	uint8_t hash[20];

	import(l, "alice\tX509:<SKI>%s", octets(c->ski.p, c->ski.n, false, text));
	enrolled(l, 1, "alice", &l->alice);
	text[0] = text[0] == '0' ? '1' : '0';
	import(l, "alice\tX509:<SKI>%s", text);
	refused(l, 1, "no given certificate");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA1, all[i]->p, all[i]->n, hash), 0);
		import(l, "alice\tX509:<SHA1-PUKEY>%s", octets(hash, 20, false, text));
		enrolled(l, 1, "alice", &l->alice);
	}
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA1, c->spki.p + c->spki.n - 65, 65, hash),
			 0);
	import(l, "alice\tx509:<sha1-pukey>%s", octets(hash, 20, false, text)); /* the point */
	enrolled(l, 1, "alice", &l->alice);
	import(l, "alice\tX509:<SHA1-PUKEY>%.38s", text);
	refused(l, 1, "no given certificate");
	assert_int_equal(l->plan.n_ops, 0);
}

static void key_identifier_of_two(void **state)
{
	struct lab *l = *state;
	struct pki twin;
	char text[256];

	pki_make(&(struct pki_spec){ .cn = "alice", .key = l->alice.key }, &l->ca, &twin);
	lab_give(l, &twin);
	import(l, "alice\tX509:<SKI>%s",
	       octets(l->alice.cert->ski.p, l->alice.cert->ski.n, false, text));
	refused(l, 1, "several");
	assert_int_equal(l->plan.n_ops, 0);
	pki_deinit(&twin);
}

#define WEAK                                                                                       \
	"alice\tX509:<I>DC=com,CN=CA<S>DC=com,CN=A. Lice\nbob\tX509:<S>CN=bob\n"                   \
	"carol\tX509:<RFC822>carol@example.org\n"

static void weak_ones(void **state)
{
	struct lab *l = *state;

	import(l, WEAK);
	for (unsigned i = 1; i <= 3; i++)
		refused(l, i, "KB5014754");
	assert_int_equal(l->plan.n_ops, 0);
	l->options.allow_weak = true;
	import(l, WEAK);
	rule(l, 1, "<ISSUER>^CN=CA,DC=com$<SUBJECT>^CN=A\\. Lice,DC=com$", "alice");
	rule(l, 2, "<SUBJECT>^CN=bob$", "bob");
	rule(l, 3, "<SAN:rfc822Name>^carol@example\\.org$", "carol");
	import(l, "x\tX509:<S>OID.1=x");
	refused(l, 1, "not certain");
	import(l, "root\tX509:<S>CN=x");
	refused(l, 1, "uid 0");
	l->options.anchor = NULL;
	import(l, WEAK);
	refused(l, 1, "--anchor");
	assert_int_equal(l->plan.n_ops, 0);
}

static void strings_of_no_known_kind(void **state)
{
	static const char *const strings[] = { "X509:<I>CN=a",	       "X509:<I>CN=a<X>b",
					       "X509:<I>CN=a<SR>1<X>", "X509:<PN>a@b",
					       "X509:<SKI>",	       "X509:",
					       "X509:<S>CN=a<I>CN=b",  "X509:<SR>12" };
	struct lab *l = *state;

	l->options.allow_weak = true;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		import(l, "alice\t%s", strings[i]);
		refused(l, 1, "of no kind");
	}
	import(l, "alice\tKerberos:alice@X\nalice X509:<S>CN=a\n\tX509:<S>CN=a\n# alice\tx\n");
	refused(l, 1, "no certificate mapping");
	refused(l, 2, "login TAB");
	refused(l, 3, "login TAB");
	assert_int_equal(l->plan.n_refusals, 3);
	assert_int_equal(l->plan.n_ops, 0);
}

static void ldif(void **state)
{
	struct lab *l = *state;

	l->options.allow_weak = true;
	import(l, "version: 1\n# folded\n sAMAccountName: mallory\ndn: CN=a,DC=x\n"
		  "altSecurityIdentities: X509:<S>CN=al\n ice\nsamaccountname:: YWxpY2U=\r\n\n"
		  "dn: CN=b\nsAMAccountName: bob\naltSecurityIdentities:: WDUwOTo8Uz5DTj1ib2I=\n"
		  "altSecurityIdentities: X509:<RFC822>b@x\n");
	rule(l, 5, "<SUBJECT>^CN=alice$", "alice");
	rule(l, 11, "<SUBJECT>^CN=bob$", "bob");
	rule(l, 12, "<SAN:rfc822Name>^b@x$", "bob");
	assert_int_equal(l->plan.n_refusals, 0);
}

static void ldif_records_that_are_left_out(void **state)
{
	static const struct {
		const char *attribute, *why;
	} t[] = {
		{ "userAccountControl: 514", "disabled" },
		{ "accountExpires: 133000000000000000", "has an end" },
		{ "changetype: modify", "a change" },
		{ "sAMAccountName: bob", "or two" },
		{ "x: y", NULL },
		{ "userAccountControl: 512", NULL },
		{ "accountExpires: 0", NULL },
		{ "accountExpires: 9223372036854775807", NULL },
	};
	struct lab *l = *state;

	l->options.allow_weak = true;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		import(l,
		       "dn: CN=a\nsAMAccountName: alice\naltSecurityIdentities: X509:<S>CN=a\n%s\n",
		       t[i].attribute);
		if (t[i].why)
			refused(l, 3, t[i].why);
		assert_int_equal(l->plan.n_ops, t[i].why ? 0 : 1);
	}
	import(l, "dn: CN=a\naltSecurityIdentities: X509:<S>CN=a\n\ndn: CN=b\nsAMAccountName: b\n");
	refused(l, 2, "no sAMAccountName");
	import(l, "dn: CN=a\nsAMAccountName: alice\naltSecurityIdentities:: !!\n");
	refused(l, 3, "cannot be read");
	assert_int_equal(l->plan.n_ops, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(serial_number_of_an_issuer),	   T(key_identifier_and_hash),
		T(key_identifier_of_two),	   T(weak_ones),
		T(strings_of_no_known_kind),	   T(ldif),
		T(ldif_records_that_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
