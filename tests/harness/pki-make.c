// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/harness/pki-make.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

/* The step that must not fail, by name. */
static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, gnutls_strerror(r));
	abort();
}
#define MUST(x) must((x), #x)

void pki_deinit(struct pki *p)
{
	if (p->crt)
		gnutls_x509_crt_deinit(p->crt);
	if (p->key)
		gnutls_x509_privkey_deinit(p->key);
	cert_free(p->cert);
	*p = (struct pki){ 0 };
}

static void make_key(const struct pki_spec *spec, gnutls_x509_privkey_t *ret)
{
	static const struct {
		gnutls_pk_algorithm_t pk;
		unsigned bits;
	} kinds[] = {
		[KEY_UNKNOWN] = { GNUTLS_PK_ECDSA,
				  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
		[KEY_RSA] = { GNUTLS_PK_RSA, 2048 },
		[KEY_P256] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1) },
		[KEY_P384] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1) },
		[KEY_P521] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1) },
		[KEY_ED25519] = { GNUTLS_PK_EDDSA_ED25519, 0 },
	};

	MUST(gnutls_x509_privkey_init(ret));
	if (spec->key)
		MUST(gnutls_x509_privkey_cpy(*ret, spec->key));
	else
		MUST(gnutls_x509_privkey_generate(*ret, kinds[spec->type].pk,
						  spec->bits ? spec->bits : kinds[spec->type].bits,
						  0));
}

static void put_names(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
	uint8_t serial[21];
	size_t n = spec->flags & PKI_LONG_SERIAL ? 21 : 16;

	MUST(gnutls_x509_crt_set_version(crt, spec->flags & PKI_VERSION_1 ? 1 : 3));
	MUST(gnutls_rnd(GNUTLS_RND_NONCE, serial, n));
	serial[0] = 0x40;
	MUST(gnutls_x509_crt_set_serial(crt, serial, n));
	MUST(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, spec->cn,
					   (unsigned)strlen(spec->cn)));
	MUST(gnutls_x509_crt_set_activation_time(
		crt,
		(time_t)((spec->not_before ? spec->not_before : PKI_NOW - PKI_DAY) / PKI_SEC)));
	MUST(gnutls_x509_crt_set_expiration_time(
		crt,
		(time_t)((spec->not_after ? spec->not_after : PKI_NOW + 100 * PKI_DAY) / PKI_SEC)));
}

static void put_usage(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
	const char *eku = spec->eku ? spec->eku : spec->ca ? "" : PKI_CLIENT_AUTH;
	unsigned usage = spec->usage ? spec->usage
			 : spec->ca  ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
				     : GNUTLS_KEY_DIGITAL_SIGNATURE;

	if (!(spec->flags & PKI_NO_BASIC_CONSTRAINTS))
		MUST(gnutls_x509_crt_set_basic_constraints(
			crt, spec->ca, spec->has_path_len ? spec->path_len : -1));
	if (!(spec->flags & PKI_NO_KEY_USAGE))
		MUST(gnutls_x509_crt_set_key_usage(crt, usage));
	if (*eku)
		MUST(gnutls_x509_crt_set_key_purpose_oid(crt, eku, 0));
	if (spec->eku2)
		MUST(gnutls_x509_crt_set_key_purpose_oid(crt, spec->eku2, 0));
}

static void put_key_ids(gnutls_x509_crt_t crt, const struct pki *issuer)
{
	uint8_t id[64];
	size_t n = sizeof(id);

	MUST(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &n));
	MUST(gnutls_x509_crt_set_subject_key_id(crt, id, n));
	n = sizeof(id);
	if (issuer && gnutls_x509_crt_get_subject_key_id(issuer->crt, id, &n, NULL) >= 0)
		MUST(gnutls_x509_crt_set_authority_key_id(crt, id, n));
}

static void put_constraints(gnutls_x509_crt_t crt)
{
	gnutls_x509_name_constraints_t nc;
	gnutls_datum_t name = { (uint8_t *)(uintptr_t) "example.org", 11 };

	MUST(gnutls_x509_name_constraints_init(&nc));
	MUST(gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME, &name));
	MUST(gnutls_x509_crt_set_name_constraints(crt, nc, 1));
	gnutls_x509_name_constraints_deinit(nc);
}

static void put_name(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t kind, const char *name)
{
	if (name)
		MUST(gnutls_x509_crt_set_subject_alt_name(crt, kind, name, (unsigned)strlen(name),
							  GNUTLS_FSAN_APPEND));
}

/* [MS-WCCE] 2.2.2.7.7.4 */
static void put_sid(gnutls_x509_crt_t crt, const char *sid)
{
	static const uint8_t oid[] = { 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04,
				       0x01, 0x82, 0x37, 0x19, 0x02, 0x01 };
	uint8_t n = (uint8_t)strlen(sid), der[128];
	const uint8_t head[] = { 0x30, (uint8_t)(n + 18), 0xa0, (uint8_t)(n + 16) };
	const uint8_t value[] = { 0xa0, (uint8_t)(n + 2), 0x04, n };

	memcpy(der, head, sizeof(head));
	memcpy(der + 4, oid, sizeof(oid));
	memcpy(der + 16, value, sizeof(value));
	memcpy(der + 20, sid, n);
	MUST(gnutls_x509_crt_set_extension_by_oid(crt, "1.3.6.1.4.1.311.25.2", der, n + 20u, 0));
}

static void put_alt_names(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
	put_name(crt, GNUTLS_SAN_DNSNAME, spec->dns);
	put_name(crt, GNUTLS_SAN_RFC822NAME, spec->mail);
	put_name(crt, GNUTLS_SAN_OTHERNAME_KRB5PRINCIPAL, spec->krb);
	if (spec->upn)
		MUST(gnutls_x509_crt_set_subject_alt_othername(
			crt, "1.3.6.1.4.1.311.20.2.3", spec->upn, (unsigned)strlen(spec->upn),
			GNUTLS_FSAN_APPEND | GNUTLS_FSAN_ENCODE_UTF8_STRING));
	if (spec->sid)
		put_sid(crt, spec->sid);
}

static void put_extensions(gnutls_x509_crt_t crt, const struct pki_spec *spec,
			   const struct pki *issuer)
{
	put_usage(crt, spec);
	if (!(spec->flags & PKI_NO_KEY_IDS))
		put_key_ids(crt, issuer);
	put_alt_names(crt, spec);
	if (spec->flags & PKI_NAME_CONSTRAINTS)
		put_constraints(crt);
	if (spec->flags & (PKI_UNKNOWN | PKI_UNKNOWN_CRITICAL))
		MUST(gnutls_x509_crt_set_extension_by_oid(crt, "1.3.6.1.4.1.99999.1", "\x05", 2,
							  !!(spec->flags & PKI_UNKNOWN_CRITICAL)));
	if (spec->flags & PKI_OCSP_NOCHECK)
		MUST(gnutls_x509_crt_set_extension_by_oid(crt, "1.3.6.1.5.5.7.48.1.5", "\x05", 2,
							  0));
}

/* GnuTLS wants the digest that EdDSA has inside. */
static gnutls_digest_algorithm_t digest_of(const struct pki_spec *spec, gnutls_x509_privkey_t key)
{
	if (gnutls_x509_privkey_get_pk_algorithm(key) == GNUTLS_PK_EDDSA_ED25519)
		return GNUTLS_DIG_SHA512;
	return spec->digest ? spec->digest : GNUTLS_DIG_SHA256;
}

void pki_make(const struct pki_spec *spec, const struct pki *issuer, struct pki *ret)
{
	gnutls_datum_t der = { 0 };
	gnutls_x509_privkey_t signer;
	struct pki p = { 0 };

	make_key(spec, &p.key);
	signer = issuer ? issuer->key : p.key;
	MUST(gnutls_x509_crt_init(&p.crt));
	put_names(p.crt, spec);
	MUST(gnutls_x509_crt_set_key(p.crt, p.key));
	if (!(spec->flags & PKI_VERSION_1))
		put_extensions(p.crt, spec, issuer);
	MUST(gnutls_x509_crt_sign2(p.crt, issuer ? issuer->crt : p.crt, signer,
				   digest_of(spec, signer), 0));
	MUST(gnutls_x509_crt_export2(p.crt, GNUTLS_X509_FMT_DER, &der));
	if (cert_parse(der.data, der.size, &p.cert) < 0)
		abort();
	gnutls_free(der.data);
	*ret = p;
}

void pki_make_ca(const char *cn, struct pki *ret)
{
	pki_make(&(struct pki_spec){ .cn = cn, .ca = true, .not_after = PKI_NOW + 1000 * PKI_DAY },
		 NULL, ret);
}

void pki_make_person(const char *cn, enum key_type type, const struct pki *ca, struct pki *ret)
{
	pki_make(&(struct pki_spec){ .cn = cn, .type = type }, ca, ret);
}

void pki_pem(const struct pki *p, gnutls_datum_t *ret_key, gnutls_datum_t *ret_cert)
{
	MUST(gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
					       ret_key));
	MUST(gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, ret_cert));
}
