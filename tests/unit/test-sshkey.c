// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/pki/sshkey.h"
#include "tests/harness/pki-make.h"

/* --- blobs, as RFC 4251 section 5 puts them together --- */

static void put(struct buf *b, const void *p, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, p, n);
}

static void put_name(struct buf *b, const char *s)
{
	put(b, s, strlen(s));
}

/* `n` octets that begin with `first`. */
static void put_point(struct buf *b, uint8_t first, size_t n)
{
	uint8_t p[256];

	memset(p, 0x5a, sizeof(p));
	p[0] = first;
	put(b, p, n);
}

static int read_blob(const struct buf *b)
{
	_cleanup_(buf_deinitp) struct buf spki = { 0 };
	enum key_type type = KEY_UNKNOWN;
	uint8_t *exact = malloc(b->n ? b->n : 1); /* the sanitizers see what is read after it */
	int r;

	assert_non_null(exact);
	if (b->n > 0)
		memcpy(exact, b->p, b->n);
	r = ssh_blob_to_spki(exact, b->n, &spki, &type);
	free(exact);
	if (r < 0) {
		assert_int_equal(type, KEY_UNKNOWN);
		assert_int_equal(spki.n, 0);
	}
	return r;
}

/* --- there and back --- */

static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_P521, KEY_ED25519, KEY_RSA };

static void same_key_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_(pki_deinit) struct pki p = { 0 };
		_cleanup_(buf_deinitp) struct buf blob = { 0 }, spki = { 0 };
		enum key_type type = KEY_UNKNOWN;

		pki_make_person("alice", types[i], NULL, &p);
		assert_int_equal(ssh_blob_from_cert(p.cert, &blob), 0);
		assert_int_equal(ssh_blob_to_spki(blob.p, blob.n, &spki, &type), 0);
		assert_int_equal(type, types[i]);
		assert_true(view_is(&p.cert->spki, spki.p, spki.n));
	}
}

/* Every modulus length in DER: below 128 octets, below 256, and more. */
static void every_size_of_rsa(void **state)
{
	static const unsigned bits[] = { 512, 1024, 2040, 2048, 3072, 4096 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		_cleanup_(pki_deinit) struct pki p = { 0 };
		_cleanup_(buf_deinitp) struct buf blob = { 0 }, spki = { 0 };
		enum key_type type = KEY_UNKNOWN;

		pki_make(&(struct pki_spec){ .cn = "x", .type = KEY_RSA, .bits = bits[i] }, NULL,
			 &p);
		assert_int_equal(p.cert->key_bits, bits[i]);
		assert_int_equal(ssh_blob_from_cert(p.cert, &blob), 0);
		assert_int_equal(ssh_blob_to_spki(blob.p, blob.n, &spki, &type), 0);
		assert_true(view_is(&p.cert->spki, spki.p, spki.n));
	}
}

static void base64_blob(const char *text, struct view *ret)
{
	uint8_t *p;

	assert_int_equal(base64_decode_new(text, strlen(text), &p, &ret->n), 0);
	ret->p = p;
}

/* Made by ssh-keygen, both forms (of Ed25519 the second is the first behind RFC 8410's prefix). */
static void what_openssh_writes(void **state)
{
	static const struct {
		enum key_type type;
		const char *blob, *spki;
	} rows[] = {
		{ KEY_P256,
		  "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHE65czlsngpBMNPSKQjuE5G"
		  "DraRVp3jSgwXG1I8P9N7k1OilahvrCBnfs1DHblr/HzB0cIpKxSk51BmpSLo9Nw=",
		  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcTrlzOWyeCkEw09IpCO4TkYOtpFWneNKDBcbUjw/"
		  "03uTU6KVqG+sIGd+zUMduWv8fMHRwikrFKTnUGalIuj03A==" },
		{ KEY_P384,
		  "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBBAdIDw7/wZmlAinDaBCizGm"
		  "n3gbbS7Xk6QA3l26XY7ytYMcIZ/qInC1ivRFvZMLviGHQA5SW/tykrWQUtX7iVXySwKHXdqeQp7i"
		  "mv2yyNpkzd1TBnyUI76L3tGb4vJqeA==",
		  "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEEB0gPDv/BmaUCKcNoEKLMaafeBttLteTpADeXbpdjvK1"
		  "gxwhn+oicLWK9EW9kwu+IYdADlJb+3KStZBS1fuJVfJLAodd2p5CnuKa/bLI2mTN3VMGfJQjvove"
		  "0Zvi8mp4" },
		{ KEY_P521,
		  "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGDIWyhZqsRqNU04V150/Qs"
		  "H1BAO8j21aBApMDLnagiSaF8X78SanoS0NnrJUeENVibmNCqM7auMTX425JQrT+xAADDtd+HpCJr"
		  "o1A8AaHg/HHLGriaN7M671ZzGc1GuIIg1/gDkjaDO+/dYBUoYbUTT/4O6cXhl4RbESrtfM6SqPIF"
		  "8g==",
		  "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBgyFsoWarEajVNOFdedP0LB9QQDvI9tWgQKTAy52o"
		  "IkmhfF+/Emp6EtDZ6yVHhDVYm5jQqjO2rjE1+NuSUK0/sQAAw7Xfh6Qia6NQPAGh4Pxxyxq4mjez"
		  "Ou9WcxnNRriCINf4A5I2gzvv3WAVKGG1E0/+DunF4ZeEWxEq7XzOkqjyBfI=" },
		{ KEY_ED25519,
		  "AAAAC3NzaC1lZDI1NTE5AAAAIE/EiuKpXG/kBeN2/P8AmbrBKGE0akErOl5Qsa9rBx5V",
		  "MCowBQYDK2VwAyEAT8SK4qlcb+QF43b8/wCZusEoYTRqQSs6XlCxr2sHHlU=" },
		{ KEY_RSA,
		  "AAAAB3NzaC1yc2EAAAADAQABAAABAQCYorXE6vFR69XHs5QmBF7RiaisXtg6+Lbfu09GN8ebJw+X"
		  "TRZjmusF+nyrAxpBr3bWFMn6n6yw9rsVrbBaQM8FwoZZanNAMQmoE1QUzeB55LN/TSTD8RDb0NRJ"
		  "d6MsJC5CndQq0sGVEDtWWHUAAo1Cszx9pqirX/pGECtSDWPA64GDPMXuJT78nO7nNfAZver/R1hk"
		  "DVMBg+sbPuje4YBpiq0bQUoNhfZp4cCS5yBlsmqY7QDC3T02KuISBxapu2Nds/xiRzVmX8yNZh3e"
		  "bTzLWTaTTg16zbujwGCFLxGAvCLX2kRZV/qkoOcAHyoxV0MEXJNhr/6W5GA2IDb4LhJF",
		  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmKK1xOrxUevVx7OUJgRe0YmorF7YOvi2"
		  "37tPRjfHmycPl00WY5rrBfp8qwMaQa921hTJ+p+ssPa7Fa2wWkDPBcKGWWpzQDEJqBNUFM3geeSz"
		  "f00kw/EQ29DUSXejLCQuQp3UKtLBlRA7Vlh1AAKNQrM8faaoq1/6RhArUg1jwOuBgzzF7iU+/Jzu"
		  "5zXwGb3q/0dYZA1TAYPrGz7o3uGAaYqtG0FKDYX2aeHAkucgZbJqmO0Awt09NiriEgcWqbtjXbP8"
		  "Ykc1Zl/MjWYd3m08y1k2k04Nes27o8BghS8RgLwi19pEWVf6pKDnAB8qMVdDBFyTYa/+luRgNiA2"
		  "+C4SRQIDAQAB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(buf_deinitp) struct buf spki = { 0 };
		enum key_type type = KEY_UNKNOWN;
		struct view blob, expected;

		base64_blob(rows[i].blob, &blob);
		base64_blob(rows[i].spki, &expected);
		assert_int_equal(ssh_blob_to_spki(blob.p, blob.n, &spki, &type), 0);
		assert_int_equal(type, rows[i].type);
		assert_true(view_is(&expected, spki.p, spki.n));
		free((void *)(uintptr_t)blob.p);
		free((void *)(uintptr_t)expected.p);
	}
}

/* What comes before is left alone: a buffer is added to. */
static void buffer_is_added_to(void **state)
{
	_cleanup_(pki_deinit) struct pki p = { 0 };
	_cleanup_(buf_deinitp) struct buf b = { 0 }, spki = { 0 };
	enum key_type type;

	(void)state;
	pki_make_person("alice", KEY_P256, NULL, &p);
	buf_put_u8(&b, 0xee);
	assert_int_equal(ssh_blob_from_cert(p.cert, &b), 0);
	assert_int_equal(b.p[0], 0xee);
	buf_put_u8(&spki, 0xee);
	assert_int_equal(ssh_blob_to_spki(b.p + 1, b.n - 1, &spki, &type), 0);
	assert_int_equal(spki.p[0], 0xee);
	assert_true(view_is(&p.cert->spki, spki.p + 1, spki.n - 1));
}

/* --- what is refused --- */

static void every_other_length_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_(pki_deinit) struct pki p = { 0 };
		_cleanup_(buf_deinitp) struct buf blob = { 0 };
		size_t n;

		pki_make_person("alice", types[i], NULL, &p);
		assert_int_equal(ssh_blob_from_cert(p.cert, &blob), 0);
		n = blob.n;
		for (blob.n = 0; blob.n < n; blob.n++)
			assert_int_equal(read_blob(&blob), -EBADMSG);
		assert_int_equal(read_blob(&blob), 0);
		buf_put_u8(&blob, 0);
		assert_int_equal(read_blob(&blob), -EBADMSG);
	}
}

static void other_kinds_are_unsupported(void **state)
{
	static const char *const names[] = {
		"ssh-dss",
		"sk-ssh-ed25519@openssh.com",
		"sk-ecdsa-sha2-nistp256@openssh.com",
		"ssh-ed25519-cert-v01@openssh.com",
		"ssh-rsa-cert-v01@openssh.com",
		"ecdsa-sha2-nistp224",
		"ssh-ed2551",
		"ssh-ed25519x",
		"SSH-RSA",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 };

		put_name(&b, names[i]);
		put_point(&b, 4, 32);
		assert_int_equal(read_blob(&b), -EOPNOTSUPP);
	}
}

static int ec_blob(const char *name, const char *curve, uint8_t first, size_t n)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	put_name(&b, name);
	if (curve)
		put_name(&b, curve);
	put_point(&b, first, n);
	return read_blob(&b);
}

static void points_are_whole_and_uncompressed(void **state)
{
	static const struct {
		const char *name, *curve;
		size_t n;
	} ec[] = {
		{ "ecdsa-sha2-nistp256", "nistp256", 65 },
		{ "ecdsa-sha2-nistp384", "nistp384", 97 },
		{ "ecdsa-sha2-nistp521", "nistp521", 133 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ec); i++) {
		assert_int_equal(ec_blob(ec[i].name, ec[i].curve, 4, ec[i].n), 0);
		assert_int_equal(ec_blob(ec[i].name, ec[i].curve, 4, ec[i].n - 1), -EBADMSG);
		assert_int_equal(ec_blob(ec[i].name, ec[i].curve, 4, ec[i].n + 1), -EBADMSG);
		assert_int_equal(ec_blob(ec[i].name, ec[i].curve, 4, 0), -EBADMSG);
		for (uint8_t first = 0; first < 8; first++)
			assert_int_equal(ec_blob(ec[i].name, ec[i].curve, first, ec[i].n),
					 first == 4 ? 0 : -EBADMSG);
		assert_int_equal(ec_blob(ec[i].name, ec[(i + 1) % 3].curve, 4, ec[i].n), -EBADMSG);
		assert_int_equal(ec_blob(ec[i].name, NULL, 4, ec[i].n), -EBADMSG);
	}
	assert_int_equal(ec_blob("ssh-ed25519", NULL, 1, 32), 0);
	assert_int_equal(ec_blob("ssh-ed25519", NULL, 1, 31), -EBADMSG);
	assert_int_equal(ec_blob("ssh-ed25519", NULL, 1, 33), -EBADMSG);
	assert_int_equal(ec_blob("ssh-ed25519", "ed25519", 1, 32), -EBADMSG);
}

static int rsa_blob(const char *e, size_t e_n, const char *n, size_t n_n)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	put_name(&b, "ssh-rsa");
	put(&b, e, e_n);
	put(&b, n, n_n);
	return read_blob(&b);
}
#define RSA(e, n) rsa_blob(e, sizeof(e) - 1, n, sizeof(n) - 1)

/* RFC 4251 section 5: one number has one form, else one key had several. */
static void numbers_are_positive_and_minimal(void **state)
{
	(void)state;
	assert_int_equal(RSA("\x01\x00\x01", "\x7f\x01"), 0);
	assert_int_equal(RSA("\x01\x00\x01", "\x00\x80\x01"), 0);
	assert_int_equal(RSA("\x00\x80", "\x7f"), 0);
	assert_int_equal(RSA("", "\x7f"), -EBADMSG); /* zero */
	assert_int_equal(RSA("\x03", ""), -EBADMSG);
	assert_int_equal(RSA("\x00", "\x7f"), -EBADMSG); /* zero, and not its form */
	assert_int_equal(RSA("\x03", "\x00"), -EBADMSG);
	assert_int_equal(RSA("\x80", "\x7f"), -EBADMSG); /* negative */
	assert_int_equal(RSA("\x03", "\x80\x01"), -EBADMSG);
	assert_int_equal(RSA("\x00\x03", "\x7f"), -EBADMSG); /* leading zero */
	assert_int_equal(RSA("\x03", "\x00\x7f"), -EBADMSG);
	assert_int_equal(RSA("\x03", "\x00\x00\x80"), -EBADMSG);
}

/* Lengths of DER go up to two octets here: the limit on the blob keeps them there. */
static void size_is_limited(void **state)
{
	_cleanup_(freep) char *n = calloc(1, 8192);
	const size_t rest = 4 + strlen("ssh-rsa") + 4 + 1 + 4;

	(void)state;
	memset(n, 0x11, 8192);
	assert_int_equal(rsa_blob("\x03", 1, n, 8192 - rest), 0);
	assert_int_equal(rsa_blob("\x03", 1, n, 8192 - rest + 1), -EBADMSG);
}

static void certificate_of_an_unknown_key(void **state)
{
	_cleanup_(pki_deinit) struct pki p = { 0 };
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	(void)state;
	pki_make_person("alice", KEY_P256, NULL, &p);
	p.cert->key = KEY_UNKNOWN;
	assert_int_equal(ssh_blob_from_cert(p.cert, &b), -EOPNOTSUPP);
	p.cert->key = KEY_RSA; /* whose octets are no RSAPublicKey */
	assert_int_equal(ssh_blob_from_cert(p.cert, &b), -EBADMSG);
	p.cert->spki.n--;
	assert_int_equal(ssh_blob_from_cert(p.cert, &b), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_key_both_ways),
		cmocka_unit_test(every_size_of_rsa),
		cmocka_unit_test(what_openssh_writes),
		cmocka_unit_test(buffer_is_added_to),
		cmocka_unit_test(every_other_length_is_refused),
		cmocka_unit_test(other_kinds_are_unsupported),
		cmocka_unit_test(points_are_whole_and_uncompressed),
		cmocka_unit_test(numbers_are_positive_and_minimal),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(certificate_of_an_unknown_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
