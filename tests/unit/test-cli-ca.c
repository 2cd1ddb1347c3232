// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ca-crl.h"
#include "cli/ca.h"
#include "lib/pki/cert.h"
#include "lib/pki/crl.h"
#include "lib/pki/path.h"
#include "lib/pki/pem.h"

/* What the CLI makes, as the daemon's own reader sees it. */

#define SEC INT64_C(1000000)
#define FROM (INT64_C(1800000000) * SEC)
#define UNTIL (INT64_C(1900000000) * SEC)

static struct cert *made(const struct cert_spec *spec, gnutls_pubkey_t subject,
			 const struct issuer *issuer, gnutls_x509_crt_t *ret_crt)
{
	_cleanup_(buf_deinitp) struct buf der = { 0 };
	struct cert *cert = NULL;

	assert_int_equal(cert_make(spec, subject, issuer, ret_crt), 0);
	assert_int_equal(cert_export(*ret_crt, NULL, &der), 0);
	assert_int_equal(cert_parse(der.p, der.n, &cert), 0);
	return cert;
}

struct ca {
	struct issuer issuer;
	struct cert *cert;
};

static int setup(void **state)
{
	static struct ca ca;
	const struct cert_spec spec = {
		.cn = "CA", .ca = true, .not_before = FROM, .not_after = UNTIL
	};

	assert_int_equal(key_make(&ca.issuer.key), 0);
	ca.cert = made(&spec, NULL, &ca.issuer, &ca.issuer.cert);
	*state = &ca;
	return 0;
}

static int teardown(void **state)
{
	struct ca *ca = *state;

	issuer_deinit(&ca->issuer);
	cert_free(ca->cert);
	return 0;
}

static void ca_is_one_and_signs_no_other(void **state)
{
	const struct ca *ca = *state;

	assert_true(ca->cert->is_ca);
	assert_int_equal(ca->cert->path_len, 0);
	assert_int_equal(ca->cert->key_usage, KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_false(ca->cert->has_eku);
	assert_int_equal(ca->cert->key, KEY_P256);
	assert_int_equal(ca->cert->version, 3);
	assert_int_equal(ca->cert->not_before, FROM);
	assert_int_equal(ca->cert->not_after, UNTIL);
	assert_true(ca->cert->ski.n > 0);
}

static struct cert *leaf(const struct ca *ca, const char *eku, const char *const *dns, size_t n_dns)
{
	const struct cert_spec spec = { .cn = "alice",
					.dns = dns,
					.n_dns = n_dns,
					.eku = eku,
					.not_before = FROM,
					.not_after = UNTIL };
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t key = NULL;
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t pub = NULL;
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;

	assert_int_equal(key_make(&key), 0);
	assert_int_equal(pubkey_of(key, &pub), 0);
	return made(&spec, pub, &ca->issuer, &crt);
}

static void people_get_clientauth_alone(void **state)
{
	const struct ca *ca = *state;
	_cleanup_(cert_freep) struct cert *c = leaf(ca, GNUTLS_KP_TLS_WWW_CLIENT, NULL, 0);

	assert_int_equal(c->eku, EKU_CLIENT_AUTH);
	assert_int_equal(c->key_usage, KU_DIGITAL_SIGNATURE);
	assert_false(c->is_ca);
	assert_int_equal(c->san.n, 0);
	assert_true(c->serial.n == 16 && !(c->serial.p[0] & 0x80) && c->serial.p[0] != 0);
	assert_true(c->aki.n == ca->cert->ski.n &&
		    memcmp(c->aki.p, ca->cert->ski.p, c->aki.n) == 0);
	assert_int_equal(leaf_check(c, NULL), LEAF_GOOD);
}

static void people_lead_to_the_ca(void **state)
{
	const struct ca *ca = *state;
	_cleanup_(cert_freep) struct cert *c = leaf(ca, GNUTLS_KP_TLS_WWW_CLIENT, NULL, 0);
	const struct anchor anchor = { .id = 7, .name = "builtin", .cert = ca->cert };
	const struct cert *chain[] = { c };
	struct path path;

	assert_int_equal(path_build(chain, 1, &anchor, 1, 0, NULL, &path), 0);
	assert_int_equal(path.fault, PATH_GOOD);
	assert_int_equal(path.anchor, 7);
}

static void serials_differ(void **state)
{
	_cleanup_(cert_freep) struct cert *a = leaf(*state, NULL, NULL, 0);
	_cleanup_(cert_freep) struct cert *b = leaf(*state, NULL, NULL, 0);

	assert_true(memcmp(a->serial.p, b->serial.p, 16) != 0);
	assert_false(a->has_eku);
}

static void hosts_have_their_names(void **state)
{
	static const char *const names[] = { "db1", "db1.example.org" };
	_cleanup_(cert_freep) struct cert *c =
		leaf(*state, GNUTLS_KP_TLS_WWW_SERVER, names, ARRAY_SIZE(names));

	assert_int_equal(c->eku, EKU_SERVER_AUTH);
	assert_true(cert_matches_host(c, "db1"));
	assert_true(cert_matches_host(c, "DB1.example.org"));
	assert_false(cert_matches_host(c, "alice"));
	assert_int_equal(leaf_check(c, NULL), LEAF_EKU);
}

static void senseless_specs_are_refused(void **state)
{
	const struct ca *ca = *state;
	char lengthy[CN_MAX + 2];
	const struct cert_spec specs[] = {
		{ .cn = "x", .not_before = UNTIL, .not_after = FROM },
		{ .cn = lengthy, .not_before = FROM, .not_after = UNTIL },
	};

	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[CN_MAX + 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		gnutls_x509_crt_t crt = NULL;

		assert_int_equal(cert_make(&specs[i], NULL, &ca->issuer, &crt), -EINVAL);
		assert_null(crt);
	}
}

/* --- the list --- */

#define REVOKED_LINE(serial, reason)                                                               \
	serial "\t2027-01-16 08:00:00Z\t" reason "\t"                                              \
	       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\talice"

/* Makes it, believes it as the daemon would, and gives its DER. */
static uint8_t *listed(const struct ca *ca, const struct ca_revoked *revoked, size_t n,
		       uint64_t number, struct crl *ret)
{
	const struct anchor anchor = { .name = "ca", .cert = ca->cert };
	struct crl_signer signer;
	_cleanup_(buf_deinitp) struct buf pem = { 0 };
	uint8_t *der = NULL;
	struct view in;
	size_t len;

	assert_int_equal(ca_crl_make(&ca->issuer, revoked, n, number, FROM, FROM + SEC, &pem), 0);
	in = (struct view){ pem.p, pem.n };
	assert_int_equal(pem_next(&in, "X509 CRL", &der, &len), 0);
	assert_int_equal(crl_read((struct view){ der, len }, ret), CRL_GOOD);
	assert_int_equal(crl_scan(ret), CRL_GOOD);
	assert_int_equal(crl_verify(ret, NULL, 0, &anchor, FROM, &signer), CRL_GOOD);
	assert_int_equal(ret->this_update, FROM);
	assert_int_equal(ret->next_update, FROM + SEC);
	assert_true(ret->aki.n > 0);
	return der;
}

static void list_names_who_is_revoked(void **state)
{
	const struct ca *ca = *state;
	_cleanup_(freep) uint8_t *der = NULL;
	struct ca_revoked revoked[2];
	struct crl_entry entry;
	struct crl crl;

	assert_int_equal(ca_revoked_parse(REVOKED_LINE("4a01", "keyCompromise"), &revoked[0]), 0);
	assert_int_equal(ca_revoked_parse(REVOKED_LINE("4a02", "superseded"), &revoked[1]), 0);
	der = listed(ca, revoked, 2, 1, &crl);
	assert_int_equal(crl.n_entries, 2);
	for (uint8_t last = 1; last <= 3; last++) {
		const uint8_t octets[] = { 0x4a, last };
		const struct view serial = { octets, sizeof(octets) };

		assert_int_equal(crl_find(&crl, &crl.issuer, &serial, &entry), last < 3);
		if (last < 3)
			assert_int_equal(entry.since, revoked[last - 1].since);
	}
}

static void list_may_be_empty(void **state)
{
	_cleanup_(freep) uint8_t *der = NULL;
	struct crl crl;

	der = listed(*state, NULL, 0, 1, &crl);
	assert_int_equal(crl.n_entries, 0);
}

/* At the borders of DER's shortest form, too. */
static void list_numbers_grow(void **state)
{
	static const uint64_t numbers[] = { 1, 127, 128, 255, 256, 32768, UINT64_MAX };
	uint8_t before[16] = { 0 };
	struct view last = { before, 1 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_(freep) uint8_t *der = NULL;
		struct crl crl;

		der = listed(*state, NULL, 0, numbers[i], &crl);
		assert_true(crl_number_compare(&last, &crl.number) < 0);
		assert_true(crl.number.n <= sizeof(before));
		memcpy(before, crl.number.p, crl.number.n);
		last.n = crl.number.n;
	}
}

static void senseless_lists_are_refused(void **state)
{
	const struct ca *ca = *state;
	_cleanup_(buf_deinitp) struct buf pem = { 0 };

	assert_int_equal(ca_crl_make(&ca->issuer, NULL, 0, 0, FROM, UNTIL, &pem), -EINVAL);
	assert_int_equal(ca_crl_make(&ca->issuer, NULL, 0, 1, FROM, FROM, &pem), -EINVAL);
	assert_int_equal(pem.n, 0);
}

static void record_reads_back(_unused_ void **state)
{
	static const char line[] = REVOKED_LINE("4a01", "superseded");
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct ca_revoked revoked;

	assert_int_equal(ca_revoked_parse(line, &revoked), 0);
	ca_revoked_put(&b, &revoked);
	assert_int_equal(b.n, sizeof(line));
	assert_memory_equal(b.p, line, sizeof(line) - 1);
	assert_int_equal(b.p[b.n - 1], '\n');
}

/* A record that is not understood must not become a list with somebody missing. */
static void bad_records_are_refused(_unused_ void **state)
{
	static const char *const lines[] = {
		"",
		"4a01",
		REVOKED_LINE("", "superseded"),
		REVOKED_LINE("4g", "superseded"),
		REVOKED_LINE("4a01", "removeFromCRL"),
		REVOKED_LINE("4a01", "certificateHold"),
		REVOKED_LINE("4a01", "superseded") "\tmore",
		REVOKED_LINE("4a0102030405060708090a0b0c0d0e0f1011121314", "superseded"),
		("4a01\tsome day\tsuperseded\t"
		 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\talice"),
		"4a01\t2027-01-16 08:00:00Z\tsuperseded\t0011\talice",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct ca_revoked revoked;

		assert_int_equal(ca_revoked_parse(lines[i], &revoked), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ca_is_one_and_signs_no_other),
		cmocka_unit_test(people_get_clientauth_alone),
		cmocka_unit_test(people_lead_to_the_ca),
		cmocka_unit_test(serials_differ),
		cmocka_unit_test(hosts_have_their_names),
		cmocka_unit_test(senseless_specs_are_refused),
		cmocka_unit_test(list_names_who_is_revoked),
		cmocka_unit_test(list_may_be_empty),
		cmocka_unit_test(list_numbers_grow),
		cmocka_unit_test(senseless_lists_are_refused),
		cmocka_unit_test(record_reads_back),
		cmocka_unit_test(bad_records_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
