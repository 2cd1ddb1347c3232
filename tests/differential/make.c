// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/differential/chain.h"

struct maker {
	EVP_PKEY *keys[N_POOL][POOL_KEYS];
	CONF *conf;
};

/* What does not work here is no result. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);           \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const char sections[] = "[dir_o]\nO=Example\n"
			       "[dir_case]\nO=EXAMPLE\n"
			       "[dir_people]\nO=Example\nOU=People\n"
			       "[dir_person]\nO=Example\nOU=People\nCN=Some Person\n"
			       "[dir_other]\nO=Other\n";

static EVP_PKEY *new_key(enum pool kind)
{
	switch (kind) {
	case POOL_P256:
		return EVP_EC_gen("P-256");
	case POOL_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case POOL_P384:
		return EVP_EC_gen("P-384");
	case POOL_RSA:
		return EVP_RSA_gen(2048);
	case POOL_RSA_1024:
		return EVP_RSA_gen(1024);
	case POOL_P521:
		return EVP_EC_gen("P-521");
	case N_POOL:
		break;
	}
	return NULL;
}

struct maker *maker_new(void)
{
	struct maker *m = calloc(1, sizeof(*m));
	BIO *bio = BIO_new_mem_buf(sections, -1);

	MUST(m && bio);
	for (unsigned kind = 0; kind < N_POOL; kind++)
		for (unsigned i = 0; i < POOL_KEYS; i++)
			MUST(m->keys[kind][i] = new_key(kind));
	MUST(m->conf = NCONF_new(NULL));
	MUST(NCONF_load_bio(m->conf, bio, NULL) == 1);
	BIO_free(bio);
	return m;
}

struct maker *maker_free(struct maker *m)
{
	for (unsigned kind = 0; kind < N_POOL; kind++)
		for (unsigned i = 0; i < POOL_KEYS; i++)
			EVP_PKEY_free(m->keys[kind][i]);
	NCONF_free(m->conf);
	free(m);
	return NULL;
}

static EVP_PKEY *key_of(const struct maker *m, struct key_ref k)
{
	return m->keys[k.kind][k.n];
}

/* --- names --- */

static void add_attribute(X509_NAME *name, const char *type, const char *value, enum fold fold)
{
	char text[64];
	size_t n = 0;

	if (!value[0])
		return;
	for (const char *c = value; *c && n < sizeof(text) - 4; c++) {
		if (fold == FOLD_SPACES && (n == 0 || *c == ' '))
			text[n++] = ' ';
		text[n++] = (char)(fold == FOLD_CASE ? toupper(*c) : *c);
	}
	MUST(X509_NAME_add_entry_by_txt(name, type,
					strcmp(type, "emailAddress") == 0 ? V_ASN1_IA5STRING
					: fold == FOLD_PRINTABLE	  ? V_ASN1_PRINTABLESTRING
									  : V_ASN1_UTF8STRING,
					(const unsigned char *)text, (int)n, -1, 0));
}

static X509_NAME *name_of(const struct spec *s, enum fold fold)
{
	X509_NAME *name = X509_NAME_new();

	MUST(name);
	add_attribute(name, "O", s->o, fold);
	add_attribute(name, "OU", s->ou, fold);
	add_attribute(name, "CN", s->cn, fold);
	add_attribute(name, "emailAddress", s->email, fold);
	return name;
}

static void set_names(X509 *x, const struct spec *s, const struct spec *issuer)
{
	static const struct spec nobody = { .o = "Example", .cn = "Nobody" };
	X509_NAME *subject = name_of(s, FOLD_NONE);
	X509_NAME *above = name_of(s->other_issuer_name ? &nobody : issuer, s->fold);

	MUST(X509_set_subject_name(x, subject) && X509_set_issuer_name(x, above));
	X509_NAME_free(subject);
	X509_NAME_free(above);
}

/* --- the rest --- */

static void set_serial(X509 *x, struct plan *p, enum serial kind)
{
	uint8_t bytes[21] = { 0x40 };
	BIGNUM *n;

	for (size_t i = 1; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)plan_random(p, 256);
	n = BN_bin2bn(bytes, kind == SERIAL_LONG ? 21 : 12, NULL);
	MUST(n);
	if (kind == SERIAL_ZERO)
		BN_zero(n);
	BN_set_negative(n, kind == SERIAL_NEGATIVE);
	MUST(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	BN_free(n);
}

static void add_extension(X509 *x, CONF *conf, X509V3_CTX *ctx, const char *name, const char *value)
{
	X509_EXTENSION *e;

	if (!value[0])
		return;
	e = X509V3_EXT_nconf(conf, ctx, name, value);
	if (!e)
		(void)fprintf(stderr, "%s=%s\n", name, value);
	MUST(e && X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

static void hash_spki(EVP_PKEY *key, uint8_t ret[EVP_MAX_MD_SIZE], unsigned *ret_n)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	MUST(n > 0 && EVP_Digest(der, (size_t)n, ret, ret_n, EVP_sha256(), NULL));
	OPENSSL_free(der);
}

static void add_key_id(X509 *x, int nid, EVP_PKEY *key, bool critical)
{
	uint8_t id[EVP_MAX_MD_SIZE];
	unsigned n;
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();

	hash_spki(key, id, &n);
	MUST(s && aki && ASN1_OCTET_STRING_set(s, id, 20));
	if (nid == NID_subject_key_identifier) {
		MUST(X509_add1_ext_i2d(x, nid, s, critical, 0));
		ASN1_OCTET_STRING_free(s);
	} else {
		aki->keyid = s;
		MUST(X509_add1_ext_i2d(x, nid, aki, critical, 0));
	}
	AUTHORITY_KEYID_free(aki);
}

static void add_extensions(const struct maker *m, X509 *x, const struct spec *s,
			   const struct spec *issuer)
{
	static const char *const names[] = {
		[EXT_BC] = "basicConstraints",
		[EXT_KU] = "keyUsage",
		[EXT_EKU] = "extendedKeyUsage",
		[EXT_SAN] = "subjectAltName",
		[EXT_NC] = "nameConstraints",
		[EXT_CP] = "certificatePolicies",
		[EXT_PM] = "policyMappings",
		[EXT_PC] = "policyConstraints",
		[EXT_IAP] = "inhibitAnyPolicy",
		[EXT_UNKNOWN] = "1.3.6.1.4.1.99999.77",
		[EXT_UNKNOWN2] = "1.3.6.1.4.1.99999.78",
	};
	X509V3_CTX ctx;
	bool critical = s->key_ids == IDS_CRITICAL, none = true;

	X509V3_set_ctx(&ctx, NULL, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, m->conf);
	for (unsigned i = 0; i < N_SLOTS; i++) {
		none &= !s->ext[i][0];
		add_extension(x, m->conf, &ctx, names[i], s->ext[i]);
		if (s->duplicate == (int)i)
			add_extension(x, m->conf, &ctx, names[i], s->ext[i]);
	}
	if (none && s->version < 3)
		return;
	if (s->key_ids != IDS_NO_SKI)
		add_key_id(x, NID_subject_key_identifier, key_of(m, s->key), critical);
	if (s->key_ids != IDS_NO_AKI)
		add_key_id(x, NID_authority_key_identifier,
			   key_of(m, s->key_ids == IDS_OTHER_AKI ? (struct key_ref){ POOL_P521, 0 }
								 : issuer->key),
			   critical);
}

static const EVP_MD *digest_for(EVP_PKEY *key, bool sha1)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
		return NULL;
	return sha1 ? EVP_sha1() : EVP_sha256();
}

static struct der make_one(const struct maker *m, struct plan *p, const struct spec *s)
{
	const struct spec *issuer = &p->certs[s->issuer];
	EVP_PKEY *signer = key_of(m, s->has_signer ? s->signer : issuer->key);
	struct der ret = { 0 };
	X509 *x = X509_new();
	int n;

	MUST(x && X509_set_version(x, (long)s->version - 1));
	set_serial(x, p, s->serial);
	set_names(x, s, issuer);
	MUST(ASN1_TIME_set(X509_getm_notBefore(x), s->not_before));
	MUST(ASN1_TIME_set(X509_getm_notAfter(x), s->not_after));
	MUST(X509_set_pubkey(x, key_of(m, s->key)));
	add_extensions(m, x, s, issuer);
	MUST(X509_sign(x, signer, digest_for(signer, s->sha1)));
	n = i2d_X509(x, &ret.p);
	MUST(n > 0);
	ret.n = (size_t)n;
	if (s->flipped) /* the end of the signature, whatever its form */
		ret.p[ret.n - 1 - plan_random(p, 16)] ^= (uint8_t)(1 << plan_random(p, 8));
	X509_free(x);
	return ret;
}

void maker_make(struct maker *m, struct plan *p, struct der ret[CHAIN_CERTS])
{
	for (size_t i = 0; i < p->n; i++)
		ret[i] = make_one(m, p, &p->certs[i]);
}
