// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ca.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#include "cli/file.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/pki/sshkey.h"

static int gnutls_errno(int r)
{
	if (r >= 0)
		return 0;
	return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EBADMSG;
}

void issuer_deinit(struct issuer *i)
{
	crt_deinitp(&i->cert);
	privkey_deinitp(&i->key);
	*i = (struct issuer){ 0 };
}

int key_make(gnutls_x509_privkey_t *ret)
{
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t key = NULL;
	int r = gnutls_x509_privkey_init(&key);

	if (r >= 0)
		r = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (r >= 0)
		*ret = STEAL(key);
	return gnutls_errno(r);
}

int key_pem(gnutls_x509_privkey_t key, gnutls_datum_t *ret)
{
	return gnutls_errno(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
							      GNUTLS_PKCS_PLAIN, ret));
}

void key_pem_deinit(gnutls_datum_t *pem)
{
	if (pem->data)
		explicit_bzero(pem->data, pem->size);
	gnutls_free(pem->data);
	*pem = (gnutls_datum_t){ 0 };
}

int pubkey_of(gnutls_x509_privkey_t key, gnutls_pubkey_t *ret)
{
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t pub = NULL;
	gnutls_privkey_t private = NULL;
	int r = gnutls_pubkey_init(&pub);

	if (r >= 0)
		r = gnutls_privkey_init(&private);
	if (r >= 0)
		r = gnutls_privkey_import_x509(private, key, 0); /* borrows key */
	if (r >= 0)
		r = gnutls_pubkey_import_privkey(pub, private, 0, 0);
	if (private)
		gnutls_privkey_deinit(private);
	if (r >= 0)
		*ret = STEAL(pub);
	return gnutls_errno(r);
}

/* --- certificates --- */

/* RFC 5280 4.1.2.2: positive, unique; 128 random bits with the sign bit clear and a first byte that
 * is not zero, so that DER neither grows nor shrinks it. */
static int serial_put(gnutls_x509_crt_t crt)
{
	uint8_t serial[16];
	int r = gnutls_rnd(GNUTLS_RND_RANDOM, serial, sizeof(serial));

	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	return r < 0 ? r : gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

static int names_put(gnutls_x509_crt_t crt, const struct cert_spec *spec)
{
	int r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, spec->cn,
					      (unsigned)strlen(spec->cn));

	for (size_t i = 0; r >= 0 && i < spec->n_dns; i++)
		r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, spec->dns[i],
							 (unsigned)strlen(spec->dns[i]),
							 GNUTLS_FSAN_APPEND);
	return r;
}

static int usage_put(gnutls_x509_crt_t crt, const struct cert_spec *spec)
{
	unsigned usage = spec->ca ? GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN
				  : GNUTLS_KEY_DIGITAL_SIGNATURE;
	int r = gnutls_x509_crt_set_basic_constraints(crt, spec->ca, spec->ca ? 0 : -1);

	if (r >= 0)
		r = gnutls_x509_crt_set_key_usage(crt, usage);
	if (r >= 0 && spec->eku)
		r = gnutls_x509_crt_set_key_purpose_oid(crt, spec->eku, 0);
	return r;
}

/* subjectKeyIdentifier, and authorityKeyIdentifier of what signs (RFC 5280 4.2.1.1, 4.2.1.2). */
static int key_ids_put(gnutls_x509_crt_t crt, gnutls_pubkey_t subject, const struct issuer *issuer)
{
	uint8_t id[64];
	size_t n = sizeof(id);
	int r = gnutls_pubkey_get_key_id(subject, GNUTLS_KEYID_USE_SHA1, id, &n);

	if (r >= 0)
		r = gnutls_x509_crt_set_subject_key_id(crt, id, n);
	if (r < 0 || !issuer->cert)
		return r;
	n = sizeof(id);
	r = gnutls_x509_crt_get_subject_key_id(issuer->cert, id, &n, NULL);
	return r < 0 ? r : gnutls_x509_crt_set_authority_key_id(crt, id, n);
}

static int cert_fill(gnutls_x509_crt_t crt, const struct cert_spec *spec, gnutls_pubkey_t subject,
		     const struct issuer *issuer)
{
	int r = gnutls_x509_crt_set_version(crt, 3);

	if (r >= 0)
		r = serial_put(crt);
	if (r >= 0)
		r = gnutls_x509_crt_set_activation_time(
			crt, (time_t)(spec->not_before / (int64_t)USEC_PER_SEC));
	if (r >= 0)
		r = gnutls_x509_crt_set_expiration_time(
			crt, (time_t)(spec->not_after / (int64_t)USEC_PER_SEC));
	if (r >= 0)
		r = gnutls_x509_crt_set_pubkey(crt, subject);
	if (r >= 0)
		r = names_put(crt, spec);
	if (r >= 0)
		r = usage_put(crt, spec);
	if (r >= 0)
		r = key_ids_put(crt, subject, issuer);
	return r;
}

int cert_make(const struct cert_spec *spec, gnutls_pubkey_t subject, const struct issuer *issuer,
	      gnutls_x509_crt_t *ret)
{
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t own = NULL;
	int r;

	if (strlen(spec->cn) > CN_MAX || spec->not_before >= spec->not_after)
		return -EINVAL;
	if (!subject) {
		r = pubkey_of(issuer->key, &own);
		if (r < 0)
			return r;
		subject = own;
	}
	r = gnutls_x509_crt_init(&crt);
	if (r >= 0)
		r = cert_fill(crt, spec, subject, issuer);
	if (r >= 0)
		r = gnutls_x509_crt_sign2(crt, issuer->cert ? issuer->cert : crt, issuer->key,
					  GNUTLS_DIG_SHA256, 0);
	if (r >= 0)
		*ret = STEAL(crt);
	return gnutls_errno(r);
}

int cert_export(gnutls_x509_crt_t cert, struct buf *ret_pem, struct buf *ret_der)
{
	struct {
		gnutls_x509_crt_fmt_t format;
		struct buf *to;
	} const forms[] = { { GNUTLS_X509_FMT_PEM, ret_pem }, { GNUTLS_X509_FMT_DER, ret_der } };

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		gnutls_datum_t out = { 0 };
		int r;

		if (!forms[i].to)
			continue;
		r = gnutls_x509_crt_export2(cert, forms[i].format, &out);
		if (r < 0)
			return gnutls_errno(r);
		buf_put(forms[i].to, out.data, out.size);
		gnutls_free(out.data);
		if (forms[i].to->error)
			return forms[i].to->error;
	}
	return 0;
}

/* --- reading --- */

static int key_read(const char *path, gnutls_x509_privkey_t *ret)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t in;
	int r = file_read(path, &text);

	if (r == 0) {
		in = (gnutls_datum_t){ text.p, (unsigned)text.n };
		r = gnutls_x509_privkey_init(&key);
		if (r >= 0)
			r = gnutls_x509_privkey_import(key, &in, GNUTLS_X509_FMT_PEM);
		r = gnutls_errno(r);
	}
	if (text.p)
		explicit_bzero(text.p, text.n);
	if (r == 0)
		*ret = STEAL(key);
	return r;
}

static int crt_read(const char *path, gnutls_x509_crt_t *ret)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t in;
	int r = file_read(path, &text);

	if (r < 0)
		return r;
	in = (gnutls_datum_t){ text.p, (unsigned)text.n };
	r = gnutls_x509_crt_init(&crt);
	if (r >= 0)
		r = gnutls_x509_crt_import(crt, &in, GNUTLS_X509_FMT_PEM);
	if (r >= 0)
		*ret = STEAL(crt);
	return gnutls_errno(r);
}

/* Is this the key of this certificate? */
static bool belongs(const struct issuer *i)
{
	uint8_t a[64], b[64];
	size_t na = sizeof(a), nb = sizeof(b);

	return gnutls_x509_crt_get_key_id(i->cert, GNUTLS_KEYID_USE_SHA256, a, &na) >= 0 &&
	       gnutls_x509_privkey_get_key_id(i->key, GNUTLS_KEYID_USE_SHA256, b, &nb) >= 0 &&
	       na == nb && memcmp(a, b, na) == 0;
}

int issuer_load(const char *key_path, const char *cert_path, struct issuer *ret, const char **why)
{
	_cleanup_(issuer_deinitp) struct issuer i = { 0 };
	int r;

	*why = "its key cannot be read";
	r = key_read(key_path, &i.key);
	if (r < 0)
		return r;
	*why = "its certificate cannot be read";
	r = crt_read(cert_path, &i.cert);
	if (r < 0)
		return r;
	*why = "key and certificate do not belong together";
	if (!belongs(&i))
		return -EKEYREJECTED;
	*why = "its certificate is not that of a CA";
	if (gnutls_x509_crt_get_ca_status(i.cert, NULL) <= 0)
		return -EKEYREJECTED;
	*ret = i;
	i = (struct issuer){ 0 };
	return 0;
}

/* RSA below the floor would be certified for nothing: decide() refuses it. */
static int pubkey_floor(gnutls_pubkey_t key, const char **why)
{
	unsigned bits = 0;
	int algorithm = gnutls_pubkey_get_pk_algorithm(key, &bits);

	*why = "the key must be P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits";
	if (algorithm == GNUTLS_PK_RSA)
		return bits >= LIMIT_RSA_MIN_BITS && bits <= LIMIT_RSA_MAX_BITS ? 0 : -EKEYREJECTED;
	return algorithm == GNUTLS_PK_ECDSA || algorithm == GNUTLS_PK_EDDSA_ED25519 ? 0
										    : -EKEYREJECTED;
}

/* "ssh-ed25519 AAAA... comment": the second word is the key. */
static int ssh_line_parse(const char *line, struct buf *ret_spki)
{
	_cleanup_(freep) uint8_t *blob = NULL;
	const char *space = strchr(line, ' ');
	enum key_type type;
	size_t n, len;
	int r;

	if (!space)
		return -EBADMSG;
	len = strcspn(space + 1, " \t\r\n");
	r = base64_decode_new(space + 1, len, &blob, &n);
	return r < 0 ? r : ssh_blob_to_spki(blob, n, ret_spki, &type);
}

int pubkey_load(const char *path, gnutls_pubkey_t *ret, const char **why)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 }, spki = { 0 };
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t key = NULL;
	gnutls_datum_t in;
	bool pem;
	int r;

	*why = NULL;
	r = file_read(path, &text);
	if (r < 0)
		return r;
	*why = "it is neither a PEM public key nor an OpenSSH public key line";
	pem = strstr((const char *)text.p, "-----BEGIN PUBLIC KEY-----") != NULL;
	if (!pem) {
		r = ssh_line_parse((const char *)text.p, &spki);
		if (r < 0)
			return r;
	}
	in = pem ? (gnutls_datum_t){ text.p, (unsigned)text.n }
		 : (gnutls_datum_t){ spki.p, (unsigned)spki.n };
	r = gnutls_pubkey_init(&key);
	if (r >= 0)
		r = gnutls_pubkey_import(key, &in, pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
	if (r < 0)
		return gnutls_errno(r);
	r = pubkey_floor(key, why);
	if (r == 0)
		*ret = STEAL(key);
	return r;
}

int csr_load(const char *path, gnutls_pubkey_t *ret, const char **why)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t key = NULL;
	gnutls_x509_crq_t crq = NULL;
	gnutls_datum_t in;
	int r;

	*why = NULL;
	r = file_read(path, &text);
	if (r < 0)
		return r;
	*why = "it is not a PEM certificate request with a good signature of its own";
	in = (gnutls_datum_t){ text.p, (unsigned)text.n };
	r = gnutls_x509_crq_init(&crq);
	if (r >= 0)
		r = gnutls_x509_crq_import(crq, &in, GNUTLS_X509_FMT_PEM);
	if (r >= 0)
		r = gnutls_x509_crq_verify(crq, 0);
	if (r >= 0)
		r = gnutls_pubkey_init(&key);
	if (r >= 0)
		r = gnutls_pubkey_import_x509_crq(key, crq, 0);
	if (crq)
		gnutls_x509_crq_deinit(crq);
	if (r < 0)
		return gnutls_errno(r);
	r = pubkey_floor(key, why);
	if (r == 0)
		*ret = STEAL(key);
	return r;
}
