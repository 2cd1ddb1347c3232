// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/authority/signer.h"
#include "lib/base/cleanup.h"
#include "lib/pki/proof.h"
#include "tests/harness/pki-make.h"

struct files {
	char dir[64], key[96], cert[96];
};

static int setup(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	(void)strcpy(f->dir, "/tmp/certlogin-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->key, sizeof(f->key), "%s/key", f->dir);
	(void)snprintf(f->cert, sizeof(f->cert), "%s/crt", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct files *f = *state;

	(void)unlink(f->key);
	(void)unlink(f->cert);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void write_file(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void write_both(const struct files *f, const struct pki *key, const struct pki *cert)
{
	gnutls_datum_t k, c, other;

	pki_pem(key, &k, &other);
	gnutls_free(other.data);
	pki_pem(cert, &other, &c);
	gnutls_free(other.data);
	write_file(f->key, k.data, k.size);
	write_file(f->cert, c.data, c.size);
	gnutls_free(k.data);
	gnutls_free(c.data);
}

static int load(const struct files *f, struct signer **ret, const char *why)
{
	const char *text = NULL;
	int r = signer_load(f->key, f->cert, ret, &text);

	if (r < 0)
		assert_non_null(strstr(text, why));
	return r;
}

static void host(enum key_type type, struct pki *ret)
{
	pki_make(&(struct pki_spec){ .cn = "host", .type = type, .eku = PKI_SERVER_AUTH }, NULL,
		 ret);
}

static void signs_a_transcript(void **state)
{
	static const struct {
		enum key_type type;
		uint16_t scheme;
	} keys[] = { { KEY_P256, 0x0403 }, { KEY_ED25519, 0x0807 } };
	const struct view prefix = { (const uint8_t *)"a transcript", 12 };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(keys); i++) {
		_cleanup_(pki_deinit) struct pki p = { 0 };
		_cleanup_(signer_freep) struct signer *s = NULL;
		_cleanup_(buf_deinitp) struct buf signature = { 0 };
		int hash_len = i % 2 ? 48 : 32;
		uint8_t tbs[PROOF_TBS_MAX];
		size_t n;

		host(keys[i / 2].type, &p);
		write_both(*state, &p, &p);
		assert_int_equal(load(*state, &s, ""), 0);
		assert_int_equal(signer_scheme(s), keys[i / 2].scheme);
		assert_memory_equal(signer_cert(s)->sha256, p.cert->sha256, SHA256_BYTES);
		assert_int_equal(signer_sign(s, &prefix, hash_len, &signature), 0);
		assert_int_equal(proof_server_tbs(prefix.p, prefix.n, hash_len, tbs, &n), 0);
		/* RFC 8446 4.4.3: what it signs cannot be anything else */
		assert_int_equal(n, 64 + 33 + 1 + (size_t)hash_len);
		assert_memory_equal(
			tbs,
			"                                                                "
			"TLS 1.3, server CertificateVerify",
			64 + 34);
		assert_int_equal(signature_verify_scheme(
					 p.cert, keys[i / 2].scheme, &(struct view){ tbs, n },
					 &(struct view){ signature.p, signature.n }),
				 0);
	}
}

static void other_kinds_of_keys_are_refused(void **state)
{
	static const enum key_type types[] = { KEY_RSA, KEY_P384, KEY_P521 };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_(pki_deinit) struct pki p = { 0 };
		struct signer *s = NULL;

		host(types[i], &p);
		write_both(*state, &p, &p);
		assert_int_equal(load(*state, &s, "P-256 or Ed25519"), -EINVAL);
		assert_null(s);
	}
}

static void key_of_another_certificate_is_refused(void **state)
{
	_cleanup_(pki_deinit) struct pki a = { 0 }, b = { 0 }, c = { 0 };
	struct signer *s = NULL;

	host(KEY_P256, &a);
	host(KEY_P256, &b);
	host(KEY_ED25519, &c);
	write_both(*state, &a, &b);
	assert_int_equal(load(*state, &s, "do not belong together"), -EINVAL);
	write_both(*state, &a, &c);
	assert_int_equal(load(*state, &s, "do not belong together"), -EINVAL);
	assert_null(s);
}

static void unreadable_files_are_refused(void **state)
{
	const struct files *f = *state;
	_cleanup_(pki_deinit) struct pki p = { 0 };
	struct signer *s = NULL;

	assert_int_equal(load(f, &s, "key cannot be read"), -ENOENT);
	host(KEY_P256, &p);
	write_both(f, &p, &p);
	write_file(f->key, "nonsense\n", 9);
	assert_int_equal(load(f, &s, "key cannot be read"), -EBADMSG);
	write_both(f, &p, &p);
	write_file(f->cert, "nonsense\n", 9);
	assert_int_equal(load(f, &s, "certificate cannot be read"), -EBADMSG);
	assert_int_equal(unlink(f->cert), 0);
	assert_int_equal(load(f, &s, "certificate cannot be read"), -ENOENT);
	assert_null(s);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(signs_a_transcript),
		T(other_kinds_of_keys_are_refused),
		T(key_of_another_certificate_is_refused),
		T(unreadable_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
