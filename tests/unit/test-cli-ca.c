// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/ca.h"
#include "lib/pki/cert.h"
#include "lib/pki/path.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ca_is_one_and_signs_no_other),
		cmocka_unit_test(people_get_clientauth_alone),
		cmocka_unit_test(people_lead_to_the_ca),
		cmocka_unit_test(serials_differ),
		cmocka_unit_test(hosts_have_their_names),
		cmocka_unit_test(senseless_specs_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
