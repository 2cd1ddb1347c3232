// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "tests/harness/transcript.h"

/*
 * Real handshakes of GnuTLS with itself, read by lib/pki/proof; and then everything that is not
 * exactly one of these.
 */
struct pki_lab {
	struct pki ca, p256, p384, ed25519, rsa, p521;
	struct pki host, host_ed;
};

static int setup(void **state)
{
	static const struct {
		const char *cn;
		enum key_type type;
		size_t at;
	} people[] = {
		{ "p256", KEY_P256, offsetof(struct pki_lab, p256) },
		{ "p384", KEY_P384, offsetof(struct pki_lab, p384) },
		{ "ed25519", KEY_ED25519, offsetof(struct pki_lab, ed25519) },
		{ "rsa", KEY_RSA, offsetof(struct pki_lab, rsa) },
		{ "p521", KEY_P521, offsetof(struct pki_lab, p521) },
	};
	struct pki_lab *lab = calloc(1, sizeof(*lab));

	pki_make_ca("Lab CA", &lab->ca);
	for (size_t i = 0; i < ARRAY_SIZE(people); i++)
		pki_make_person(people[i].cn, people[i].type, &lab->ca,
				(struct pki *)((char *)lab + people[i].at));
	pki_make(&(struct pki_spec){ .cn = "host", .eku = PKI_SERVER_AUTH }, NULL, &lab->host);
	pki_make(&(struct pki_spec){ .cn = "host", .type = KEY_ED25519, .eku = PKI_SERVER_AUTH },
		 NULL, &lab->host_ed);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct pki_lab *lab = *state;

	for (struct pki *p = &lab->ca; p <= &lab->host_ed; p++)
		pki_deinit(p);
	free(lab);
	return 0;
}

static const uint8_t nonce[32] = "a nonce of thirty-two octets....";
#define COMMITMENT "cl1-ABCDEFGHIJKLMNOPQRSTUVWXYZa"

/* A handshake, and what the authority would have kept of it. */
struct shake {
	struct tls_spec spec;
	const struct pki *host;
	struct tls_record r;
	struct hello hello;
	struct buf signature;
};

static int keep_signature(void *userdata, const struct view *prefix, struct buf *ret)
{
	struct shake *s = userdata;
	int r = tls_sign_local((void *)(uintptr_t)s->host, prefix, ret);

	buf_put(&s->signature, ret->p, ret->n);
	return r;
}

static struct shake shake_of(const struct pki *host, const struct pki *client, const char *suite)
{
	return (struct shake){ .host = host,
			       .spec = { .nonce = nonce,
					 .server = &host->cert->der,
					 .alpn = { ALPN_PROTOCOL, COMMITMENT },
					 .client = client,
					 .suite = suite,
					 .sign = keep_signature } };
}

static int shake_hello(struct shake *s)
{
	return hello_parse(s->r.prefix.p, s->r.prefix.n, nonce, &s->host->cert->der, &s->hello);
}

static void shake_run(struct shake *s)
{
	s->spec.userdata = s;
	assert_int_equal(tls_handshake(&s->spec, &s->r), 0);
	assert_int_equal(shake_hello(s), 0);
}

static void shake_deinit(struct shake *s)
{
	tls_record_deinit(&s->r);
	buf_deinit(&s->signature);
}

static enum proof_verdict verdict_of(const struct shake *s, const uint8_t *rest, size_t n)
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	const struct view signature = { s->signature.p, s->signature.n };
	enum proof_verdict verdict = (enum proof_verdict)99;
	struct proof proof;

	assert_int_equal(proof_verify(s->r.prefix.p, s->r.prefix.n, rest, n, s->hello.hash_len,
				      tls_scheme_of(s->host->cert), &signature, &proof, &leaf,
				      &verdict),
			 0);
	assert_int_equal(leaf != NULL, verdict == PROOF_GOOD);
	return verdict;
}

static enum proof_verdict verdict_whole(const struct shake *s)
{
	return verdict_of(s, s->r.rest.p, s->r.rest.n);
}

/* --- good ones --- */

static void every_suite_and_key_is_good(void **state)
{
	const struct pki_lab *lab = *state;
	const struct pki *const hosts[] = { &lab->host, &lab->host_ed };
	const struct pki *const people[] = { &lab->p256, &lab->p384, &lab->ed25519, &lab->rsa };
	static const char *const suites[] = { "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305" };

	for (size_t i = 0; i < ARRAY_SIZE(hosts) * ARRAY_SIZE(people) * ARRAY_SIZE(suites); i++) {
		const char *suite = suites[i % 3];
		_cleanup_(shake_deinit) struct shake s =
			shake_of(hosts[i / 12], people[i / 3 % 4], suite);

		shake_run(&s);
		assert_int_equal(s.hello.version, 0x0304);
		assert_int_equal(s.hello.hash_len, strcmp(suite, "AES-256-GCM") == 0 ? 48 : 32);
		assert_int_equal(s.hello.hash_len, s.r.hash_len);
		assert_string_equal(s.hello.commitment, COMMITMENT);
		assert_int_equal(verdict_whole(&s), PROOF_GOOD);
	}
}

static void chain_is_given_leaf_first(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	enum proof_verdict verdict;
	struct proof proof;

	s.spec.chain[0] = &lab->ca;
	shake_run(&s);
	assert_int_equal(proof_verify(s.r.prefix.p, s.r.prefix.n, s.r.rest.p, s.r.rest.n, 32,
				      0x0403, &(struct view){ s.signature.p, s.signature.n },
				      &proof, &leaf, &verdict),
			 0);
	assert_int_equal(verdict, PROOF_GOOD);
	assert_int_equal(proof.n_certs, 2);
	assert_memory_equal(leaf->sha256, lab->p256.cert->sha256, SHA256_BYTES);
	assert_true(view_is(&proof.certs[0], lab->p256.cert->der.p, lab->p256.cert->der.n));
	assert_true(view_is(&proof.certs[1], lab->ca.cert->der.p, lab->ca.cert->der.n));
}

/* --- altered ones --- */

static void staple_is_given(void **state)
{
	const struct pki_lab *lab = *state;
	const struct view sent = { (const uint8_t *)"an OCSP response", 16 }, none = { 0 };
	const struct view *const staples[] = { &sent, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(staples); i++) {
		_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
		_cleanup_(cert_freep) struct cert *leaf = NULL;
		const struct view *expected = staples[i] ? staples[i] : &none;
		enum proof_verdict verdict;
		struct proof proof;

		s.spec.staple = staples[i];
		s.spec.chain[0] = &lab->ca;
		shake_run(&s);
		assert_int_equal(proof_verify(s.r.prefix.p, s.r.prefix.n, s.r.rest.p, s.r.rest.n,
					      s.hello.hash_len, tls_scheme_of(lab->host.cert),
					      &(struct view){ s.signature.p, s.signature.n },
					      &proof, &leaf, &verdict),
				 0);
		assert_int_equal(verdict, PROOF_GOOD);
		assert_int_equal(proof.n_certs, 2);
		assert_true(view_is(&proof.staple, expected->p, expected->n));
	}
}

static void flip_each(struct shake *s)
{
	for (size_t i = 0; i < s->r.rest.n; i++) {
		s->r.rest.p[i] ^= 0x01;
		if (verdict_whole(s) == PROOF_GOOD)
			fail_msg("octet %zu of the rest may be altered", i);
		s->r.rest.p[i] ^= 0x81;
		if (verdict_whole(s) == PROOF_GOOD)
			fail_msg("octet %zu of the rest may be altered", i);
		s->r.rest.p[i] ^= 0x80;
	}
	assert_int_equal(verdict_whole(s), PROOF_GOOD);
}

static void no_octet_of_the_rest_may_be_altered(void **state)
{
	const struct pki_lab *lab = *state;
	const struct pki *const people[] = { &lab->p256, &lab->p384, &lab->ed25519, &lab->rsa };

	for (size_t i = 0; i < ARRAY_SIZE(people); i++) {
		_cleanup_(shake_deinit) struct shake s =
			shake_of(&lab->host, people[i], i % 2 ? "AES-256-GCM" : NULL);

		shake_run(&s);
		flip_each(&s);
	}
}

static void no_octet_of_the_prefix_may_be_altered(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->ed25519, NULL);

	shake_run(&s);
	for (size_t i = 0; i < s.r.prefix.n; i++) {
		s.r.prefix.p[i] ^= 0x01;
		assert_int_equal(verdict_whole(&s), PROOF_BAD_SIGNATURE);
		s.r.prefix.p[i] ^= 0x01;
	}
}

static void every_length_but_the_whole_is_malformed(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);

	shake_run(&s);
	for (size_t n = 0; n < s.r.rest.n; n++)
		assert_int_equal(verdict_of(&s, s.r.rest.p, n), PROOF_MALFORMED);
	buf_put_u8(&s.r.rest, 0);
	assert_int_equal(verdict_whole(&s), PROOF_MALFORMED);
}

static void signature_of_another_handshake_is_not_ours(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	_cleanup_(shake_deinit) struct shake t = shake_of(&lab->host, &lab->p256, NULL);

	shake_run(&s);
	shake_run(&t);
	assert_int_equal(verdict_of(&s, t.r.rest.p, t.r.rest.n), PROOF_NOT_OURS);
}

/* Both of them deterministic: only the prefix, with the nonce in it, tells two apart. */
static void replayed_rest_does_not_verify_with_deterministic_keys(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host_ed, &lab->ed25519, NULL);
	_cleanup_(shake_deinit) struct shake t = shake_of(&lab->host_ed, &lab->ed25519, NULL);

	shake_run(&s);
	shake_run(&t);
	assert_int_equal(verdict_of(&s, t.r.rest.p, t.r.rest.n), PROOF_NOT_OURS);
	buf_deinit(&s.signature); /* even if the server's signature were the same */
	s.signature = t.signature;
	t.signature = (struct buf){ 0 };
	assert_int_equal(verdict_of(&s, t.r.rest.p, t.r.rest.n), PROOF_BAD_SIGNATURE);
}

static void scheme_of_the_server_is_checked(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);

	shake_run(&s);
	s.r.rest.p[4] = 0x08;
	s.r.rest.p[5] = 0x07;
	assert_int_equal(verdict_whole(&s), PROOF_NOT_OURS);
}

/* --- refused before any arithmetic --- */

/* header, server CertificateVerify and Finished; then these certificates, the first with these
 * extensions, then a signature */
static void forge_stapled(const struct shake *s, const struct pki *const *chain, size_t n,
			  const struct view *extensions, uint16_t scheme, struct buf *ret)
{
	struct view in = { s->r.rest.p, s->r.rest.n }, part;
	size_t bytes = extensions->n;

	for (int i = 0; i < 2; i++)
		assert_true(view_bytes(&in, 1, &part) == 0 && view_vec24(&in, &part) == 0);
	buf_put(ret, s->r.rest.p, s->r.rest.n - in.n);
	for (size_t i = 0; i < n; i++)
		bytes += 3 + chain[i]->cert->der.n + 2;
	buf_put_u8(ret, GNUTLS_HANDSHAKE_CERTIFICATE_PKT);
	buf_put_u8(ret, (uint8_t)((bytes + 4) >> 16));
	buf_put_u16(ret, (uint16_t)(bytes + 4));
	buf_put_u8(ret, 0);
	buf_put_u8(ret, (uint8_t)(bytes >> 16));
	buf_put_u16(ret, (uint16_t)bytes);
	for (size_t i = 0; i < n; i++) {
		buf_put_u8(ret, 0);
		buf_put_u16(ret, (uint16_t)chain[i]->cert->der.n);
		buf_put(ret, chain[i]->cert->der.p, chain[i]->cert->der.n);
		buf_put_u16(ret, i == 0 ? (uint16_t)extensions->n : 0);
		if (i == 0)
			buf_put(ret, extensions->p, extensions->n);
	}
	buf_put(ret, "\x0f\x00\x00\x08", 4);
	buf_put_u16(ret, scheme);
	buf_put(ret, "\x00\x04sign", 6);
	assert_int_equal(ret->error, 0);
}

static void forge_rest(const struct shake *s, const struct pki *const *chain, size_t n,
		       uint16_t scheme, struct buf *ret)
{
	forge_stapled(s, chain, n, &(struct view){ 0 }, scheme, ret);
}

static enum proof_verdict verdict_forged(const struct shake *s, const struct pki *const *chain,
					 size_t n, uint16_t scheme)
{
	_cleanup_(buf_deinitp) struct buf rest = { 0 };

	forge_rest(s, chain, n, scheme, &rest);
	return verdict_of(s, rest.p, rest.n);
}

/* What lies behind a staple that is none is never looked at. */
static void malformed_staples(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
#define ROW(octets, verdict)                                                                       \
	{                                                                                          \
		{ (const uint8_t *)(octets), sizeof(octets) - 1 }, verdict                         \
	}
	static const struct {
		struct view extensions;
		enum proof_verdict verdict;
	} rows[] = {
		ROW("\x00\x05\x00\x05\x01\x00\x00\x01x", PROOF_BAD_SIGNATURE),
		ROW("\x00\x12\x00\x00", PROOF_BAD_SIGNATURE),		   /* another extension */
		ROW("\x00\x05\x00\x05\x02\x00\x00\x01x", PROOF_MALFORMED), /* not ocsp */
		ROW("\x00\x05\x00\x04\x01\x00\x00\x00", PROOF_MALFORMED),  /* empty */
		ROW("\x00\x05\x00\x00", PROOF_MALFORMED),
		ROW("\x00\x05\x00\x05\x01\x00\x00\x02x", PROOF_MALFORMED),
		ROW("\x00\x05\x00\x06\x01\x00\x00\x01xx", PROOF_MALFORMED),
		ROW("\x00\x05\x00\x05\x01\x00\x00\x01x"
		    "\x00\x05\x00\x05\x01\x00\x00\x01x",
		    PROOF_MALFORMED), /* twice */
		ROW("\x00\x05\x00", PROOF_MALFORMED),
	};
#undef ROW

	shake_run(&s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct pki *const chain[] = { &lab->p256, &lab->ca };
		_cleanup_(buf_deinitp) struct buf rest = { 0 };

		forge_stapled(&s, chain, 2, &rows[i].extensions, 0x0403, &rest);
		if (verdict_of(&s, rest.p, rest.n) != rows[i].verdict)
			fail_msg("row %zu", i);
	}
}

static void key_below_the_floor_is_told_apart(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	static const struct pki_spec weak = { .cn = "weak", .type = KEY_RSA, .bits = 1024 };
	_cleanup_(pki_deinit) struct pki small = { 0 };

	shake_run(&s);
	pki_make(&weak, &lab->ca, &small);
	assert_int_equal(verdict_forged(&s, (const struct pki *[]){ &small }, 1, 0x0804),
			 PROOF_KEY);
	assert_int_equal(verdict_forged(&s, (const struct pki *[]){ &lab->p521 }, 1, 0x0603),
			 PROOF_KEY);
	/* the floor of the leaf alone: whom the others vouch for is path_build's affair */
	assert_int_equal(
		verdict_forged(&s, (const struct pki *[]){ &lab->p256, &small }, 2, 0x0403),
		PROOF_BAD_SIGNATURE);
}

static void scheme_that_does_not_fit_is_refused(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	const struct {
		const struct pki *client;
		uint16_t scheme;
	} bad[] = {
		{ &lab->p256, 0x0503 },	   /* P-384's */
		{ &lab->p256, 0x0203 },	   /* ecdsa_sha1 */
		{ &lab->p256, 0x0804 },	   /* RSA-PSS */
		{ &lab->rsa, 0x0401 },	   /* rsa_pkcs1_sha256: RFC 8446 4.2.3, not in 1.3 */
		{ &lab->rsa, 0x0201 },	   /* rsa_pkcs1_sha1 */
		{ &lab->rsa, 0x0809 },	   /* rsa_pss_pss: another kind of key */
		{ &lab->ed25519, 0x0808 }, /* Ed448 */
		{ &lab->ed25519, 0x0000 },
	};

	shake_run(&s);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(verdict_forged(&s, &bad[i].client, 1, bad[i].scheme),
				 PROOF_ALGORITHM);
	assert_int_equal(verdict_forged(&s, (const struct pki *[]){ &lab->p256 }, 1, 0x0403),
			 PROOF_BAD_SIGNATURE);
}

static void oversize_chain_is_malformed(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	const struct pki *chain[LIMIT_CHAIN_CERTS + 1];

	shake_run(&s);
	for (size_t i = 0; i < ARRAY_SIZE(chain); i++)
		chain[i] = i ? &lab->ca : &lab->p256;
	assert_int_equal(verdict_forged(&s, chain, LIMIT_CHAIN_CERTS, 0x0403), PROOF_BAD_SIGNATURE);
	assert_int_equal(verdict_forged(&s, chain, LIMIT_CHAIN_CERTS + 1, 0x0403), PROOF_MALFORMED);
	assert_int_equal(verdict_forged(&s, chain, 0, 0x0403), PROOF_MALFORMED);
}

/* An entry that only claims to be a certificate: LIMIT_CHAIN_BYTES counts what is sent. */
static void chain_of_too_many_bytes_is_malformed(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	_cleanup_(freep) uint8_t *bulk = calloc(1, LIMIT_CHAIN_BYTES);
	struct cert big = { .der = { bulk, LIMIT_CHAIN_BYTES - lab->p256.cert->der.n } };
	const struct pki filler = { .cert = &big };
	const struct pki *const chain[] = { &lab->p256, &filler };

	shake_run(&s);
	assert_int_equal(verdict_forged(&s, chain, 2, 0x0403), PROOF_BAD_SIGNATURE);
	big.der.n++;
	assert_int_equal(verdict_forged(&s, chain, 2, 0x0403), PROOF_MALFORMED);
}

/* --- what is never signed --- */

/* Handshakes that a client may make and that hello_parse() must not take. */
static int hello_of(struct shake *s)
{
	s->spec.userdata = s;
	(void)tls_handshake(&s->spec, &s->r);
	return shake_hello(s);
}

static void refused_hellos(void **state)
{
	const struct pki_lab *lab = *state;
	static const uint8_t other[32] = "some other nonce of 32 octets...";
	struct shake s;

#define REFUSED(error, ...)                                                                        \
	do {                                                                                       \
		s = shake_of(&lab->host, &lab->p256, NULL);                                        \
		__VA_ARGS__;                                                                       \
		assert_int_equal(hello_of(&s), -error);                                            \
		shake_deinit(&s);                                                                  \
	} while (0)
	REFUSED(ESTALE, s.spec.nonce = other);
	REFUSED(ESTALE, s.spec.nonce = NULL);
	REFUSED(EPROTO, s.spec.alpn[0] = NULL);
	REFUSED(EPROTO, s.spec.alpn[0] = "h2");
	REFUSED(EPROTO, s.spec.alpn[2] = "cl1-abcdefghijklmnopqrstuvwxyzA");
	REFUSED(EPROTO, s.spec.alpn[2] = COMMITMENT);
	REFUSED(EPROTO, s.spec.alpn[1] = "cl1-short");
	REFUSED(ESTALE, s.host = &lab->host_ed); /* a certificate that is not ours */
#undef REFUSED
}

static void grow16(uint8_t *p, size_t by)
{
	size_t v = (size_t)(p[0] << 8 | p[1]) + by;

	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* GnuTLS offers eight at most: a ninth and more are put in by hand, all lengths kept true. */
static void add_alpn_names(struct buf *prefix, size_t n)
{
	static const char first[] = "\x0b" ALPN_PROTOCOL;
	struct buf longer = { 0 };
	struct view in = { prefix->p + 4 + 2 + 32, prefix->n }, skip;
	const uint8_t *names = memmem(prefix->p, prefix->n, first, sizeof(first) - 1);
	size_t at, extensions;

	assert_non_null(names);
	at = (size_t)(names - prefix->p) + sizeof(first) - 1;
	assert_true(view_vec8(&in, &skip) == 0 && view_vec16(&in, &skip) == 0 &&
		    view_vec8(&in, &skip) == 0);
	extensions = (size_t)(in.p - prefix->p);
	buf_put(&longer, prefix->p, at);
	for (size_t i = 0; i < n; i++)
		buf_put(&longer, "\x01x", 2);
	buf_put(&longer, prefix->p + at, prefix->n - at);
	grow16(longer.p + at - sizeof(first) - 1, 2 * n); /* the list */
	grow16(longer.p + at - sizeof(first) - 3, 2 * n); /* the extension */
	grow16(longer.p + extensions, 2 * n);
	grow16(longer.p + 2, 2 * n); /* the message */
	buf_deinit(prefix);
	*prefix = longer;
}

static void alpn_names_are_limited(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);

	shake_run(&s);
	add_alpn_names(&s.r.prefix, LIMIT_ALPN_NAMES - 2);
	assert_int_equal(shake_hello(&s), 0);
	add_alpn_names(&s.r.prefix, 1);
	assert_int_equal(shake_hello(&s), -EPROTO);
}

static void hello_without_commitment_is_taken(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);

	s.spec.alpn[1] = NULL;
	shake_run(&s);
	assert_string_equal(s.hello.commitment, "");
}

static void hello_cut_or_longer_is_none(void **state)
{
	const struct pki_lab *lab = *state;
	_cleanup_(shake_deinit) struct shake s = shake_of(&lab->host, &lab->p256, NULL);
	size_t n;

	shake_run(&s);
	n = s.r.prefix.n;
	for (s.r.prefix.n = 0; s.r.prefix.n < n; s.r.prefix.n++)
		assert_int_equal(shake_hello(&s), -EBADMSG);
	buf_put_u8(&s.r.prefix, 0);
	assert_int_equal(shake_hello(&s), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_and_key_is_good),
		cmocka_unit_test(chain_is_given_leaf_first),
		cmocka_unit_test(staple_is_given),
		cmocka_unit_test(malformed_staples),
		cmocka_unit_test(no_octet_of_the_rest_may_be_altered),
		cmocka_unit_test(no_octet_of_the_prefix_may_be_altered),
		cmocka_unit_test(every_length_but_the_whole_is_malformed),
		cmocka_unit_test(signature_of_another_handshake_is_not_ours),
		cmocka_unit_test(replayed_rest_does_not_verify_with_deterministic_keys),
		cmocka_unit_test(scheme_of_the_server_is_checked),
		cmocka_unit_test(key_below_the_floor_is_told_apart),
		cmocka_unit_test(scheme_that_does_not_fit_is_refused),
		cmocka_unit_test(oversize_chain_is_malformed),
		cmocka_unit_test(chain_of_too_many_bytes_is_malformed),
		cmocka_unit_test(refused_hellos),
		cmocka_unit_test(alpn_names_are_limited),
		cmocka_unit_test(hello_without_commitment_is_taken),
		cmocka_unit_test(hello_cut_or_longer_is_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
