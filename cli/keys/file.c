// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "cli/keys/source.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/pki/key.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int import(gnutls_x509_privkey_t key, const struct secret *pem, const char *passphrase)
{
	const gnutls_datum_t d = { (uint8_t *)(uintptr_t)pem->bytes, (unsigned)pem->len };

	return gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, passphrase,
					   passphrase ? 0 : GNUTLS_PKCS_PLAIN);
}

static bool has_line(const struct secret *pem, const char *line)
{
	return memmem(pem->bytes, pem->len, line, strlen(line)) != NULL;
}

static bool is_encrypted(const struct secret *pem)
{
	return has_line(pem, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
	       has_line(pem, "Proc-Type: 4,ENCRYPTED");
}

/* `attempt`: 0, -EKEYREJECTED when the passphrase is wrong, or what else stops it.  -ENODATA:
 * nobody gave one; -EKEYREJECTED: none was right. */
static int unlock(struct key_context *ctx, int (*attempt)(void *userdata, const char *passphrase),
		  void *userdata)
{
	char label[LIMIT_HELPER_LABEL + 1];

	text_clean(base_name(ctx->key_file), strlen(base_name(ctx->key_file)), label,
		   sizeof(label));
	for (unsigned i = 0; i < LIMIT_PASSPHRASE_TRIES; i++) {
		_cleanup_(secret_freep) struct secret *passphrase = NULL;
		int question = KEY_ASK_PASSPHRASE | (i > 0 ? KEY_ASK_WRONG : 0), r;

		if (!ctx->ask ||
		    ctx->ask(ctx->ask_userdata, (enum key_question)question, label, &passphrase) <
			    0 ||
		    !passphrase || passphrase->len == 0) {
			source_why(ctx, "%s: no passphrase was given", ctx->key_file);
			return -ENODATA;
		}
		r = attempt(userdata, (const char *)passphrase->bytes);
		if (r != -EKEYREJECTED)
			return r;
	}
	source_why(ctx, "%s: the passphrase is wrong", ctx->key_file);
	return -EKEYREJECTED;
}

/* --- PEM --- */

struct pem_file {
	gnutls_x509_privkey_t key;
	const struct secret *pem;
};

static int attempt_pem(void *userdata, const char *passphrase)
{
	const struct pem_file *f = userdata;

	return import(f->key, f->pem, passphrase) < 0 ? -EKEYREJECTED : 0;
}

static int load_pem(struct key_context *ctx, const struct secret *pem, gnutls_privkey_t ret)
{
	struct pem_file f = { .pem = pem };
	int r;

	if (gnutls_x509_privkey_init(&f.key) < 0)
		return -ENOMEM;
	if (has_line(pem, "-----BEGIN OPENSSH PRIVATE KEY-----")) {
		source_why(ctx,
			   "%s is in OpenSSH's own form: use it by ssh-add, or convert a copy: "
			   "ssh-keygen -p -m PKCS8 -f COPY",
			   ctx->key_file);
		r = -EOPNOTSUPP;
	} else if (is_encrypted(pem)) {
		r = unlock(ctx, attempt_pem, &f);
	} else if (import(f.key, pem, NULL) < 0) {
		source_why(ctx, "%s is neither a PEM private key nor PKCS#12", ctx->key_file);
		r = -EBADMSG;
	} else {
		r = 0;
	}
	if (r == 0)
		r = gnutls_privkey_import_x509(ret, f.key, GNUTLS_PRIVKEY_IMPORT_COPY) < 0 ? -ENOMEM
											   : 0;
	gnutls_x509_privkey_deinit(f.key); /* wipes */
	return r;
}

/* --- PKCS#12 (RFC 7292): a key with its chain --- */

struct p12_file {
	gnutls_pkcs12_t p12;
	gnutls_privkey_t key;
	struct certs *certs;
};

/* Leaf first; what is no certificate to us ends it. */
static int take_chain(gnutls_x509_crt_t *chain, unsigned n, struct certs *ret)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n && ret->n < LIMIT_CHAIN_CERTS; i++) {
		gnutls_datum_t der = { 0 };

		if (gnutls_x509_crt_export2(chain[i], GNUTLS_X509_FMT_DER, &der) < 0)
			return -ENOMEM;
		r = cert_parse(der.data, der.size, &ret->items[ret->n]);
		ret->n += r == 0;
		gnutls_free(der.data);
	}
	return r;
}

static int attempt_p12(void *userdata, const char *passphrase)
{
	const struct p12_file *f = userdata;
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t *chain = NULL;
	unsigned n = 0;
	int r = gnutls_pkcs12_verify_mac(f->p12, passphrase);

	if (r >= 0)
		r = gnutls_pkcs12_simple_parse(f->p12, passphrase, &key, &chain, &n, NULL, NULL,
					       NULL, 0);
	if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) /* no certificate of the key's in it */
		r = gnutls_pkcs12_simple_parse(f->p12, passphrase, &key, NULL, NULL, NULL, NULL,
					       NULL, 0);
	if (r == GNUTLS_E_MAC_VERIFY_FAILED || r == GNUTLS_E_DECRYPTION_FAILED)
		return -EKEYREJECTED;
	if (r < 0 || !key)
		return -EBADMSG;
	r = gnutls_privkey_import_x509(f->key, key, GNUTLS_PRIVKEY_IMPORT_COPY) < 0 ? -ENOMEM : 0;
	if (r == 0)
		r = take_chain(chain, n, f->certs);
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	gnutls_x509_privkey_deinit(key); /* wipes */
	return r;
}

static int load_p12(struct key_context *ctx, const struct secret *der, gnutls_privkey_t ret,
		    struct certs *ret_certs)
{
	const gnutls_datum_t d = { (uint8_t *)(uintptr_t)der->bytes, (unsigned)der->len };
	struct p12_file f = { .key = ret, .certs = ret_certs };
	int r;

	if (gnutls_pkcs12_init(&f.p12) < 0)
		return -ENOMEM;
	r = gnutls_pkcs12_import(f.p12, &d, GNUTLS_X509_FMT_DER, 0) < 0 ? -EBADMSG : 0;
	if (r == 0)
		r = attempt_p12(&f, ""); /* some have none */
	if (r == -EKEYREJECTED)
		r = unlock(ctx, attempt_p12, &f);
	if (r == -EBADMSG)
		source_why(ctx, "%s is not a PKCS#12 file with a MAC and a key", ctx->key_file);
	gnutls_pkcs12_deinit(f.p12);
	return r;
}

/* --- */

static int load_key(struct key_context *ctx, const struct secret *file, gnutls_privkey_t ret,
		    struct certs *ret_certs)
{
	const uint8_t sequence = 0x30;

	return file->len > 0 && file->bytes[0] == sequence ? load_p12(ctx, file, ret, ret_certs)
							   : load_pem(ctx, file, ret);
}

/* Gives *ret, to be gnutls_free()d. */
static int spki_of(gnutls_privkey_t key, gnutls_datum_t *ret)
{
	gnutls_pubkey_t pubkey;
	int r;

	if (gnutls_pubkey_init(&pubkey) < 0)
		return -ENOMEM;
	r = gnutls_pubkey_import_privkey(pubkey, key, 0, 0);
	if (r >= 0)
		r = gnutls_pubkey_export2(pubkey, GNUTLS_X509_FMT_DER, ret);
	gnutls_pubkey_deinit(pubkey);
	return r < 0 ? -EOPNOTSUPP : 0;
}

/* The chain for this public key: a named file's, the key's own, else what the authority knows. */
static int find_chain(struct key_context *ctx, const struct view *spki, struct certs *ret)
{
	int r;

	if (ctx->cert_file) {
		certs_deinit(ret);
		r = source_read_certs(ctx, ret);
		if (r == 0 && !view_is(&ret->items[0]->spki, spki->p, spki->n)) {
			source_why(ctx, "the certificate in %s is not for the key in %s",
				   ctx->cert_file, ctx->key_file);
			r = -EKEYREJECTED;
		}
		return r;
	}
	if (ret->n > 0) /* that of a PKCS#12 file was found by its key */
		return 0;
	r = source_find_certs(ctx, spki, 1, ret);
	if (r < 0)
		return r;
	if (ret->n == 0 || !view_is(&ret->items[0]->spki, spki->p, spki->n)) {
		source_why(ctx, "no certificate for the key in %s is known here", ctx->key_file);
		return -ENOENT;
	}
	while (ret->n > 1) /* what was found are leaves, not a chain */
		cert_free(ret->items[--ret->n]);
	return 0;
}

/* certs: what came with the key. */
static int make_key(struct key_context *ctx, gnutls_privkey_t handle, struct certs *certs,
		    struct prove_key **ret)
{
	gnutls_datum_t spki = { 0 };
	int r;

	r = spki_of(handle, &spki);
	if (r == 0)
		r = find_chain(ctx, &(struct view){ spki.data, spki.size }, certs);
	gnutls_free(spki.data);
	if (r < 0)
		return r;
	if (!key_acceptable(certs->items[0])) {
		source_why(ctx, "%s: use P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits",
			   ctx->key_file);
		return -EOPNOTSUPP;
	}
	return source_new_key(certs->items, certs->n, base_name(ctx->key_file), ret);
}

int keys_file_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n)
{
	_cleanup_(secret_freep) struct secret *file = NULL;
	_cleanup_(certs_deinit) struct certs certs = { 0 };
	gnutls_privkey_t handle = NULL;
	int r;

	*ctx->why = '\0';
	*ret_n = 0;
	if (!ctx->key_file || max < 1) {
		source_why(ctx, "no key file is named");
		return 0;
	}
	r = source_read(ctx, ctx->key_file, true, &file);
	if (r == 0)
		r = gnutls_privkey_init(&handle) < 0 ? -ENOMEM
						     : load_key(ctx, file, handle, &certs);
	if (r == 0)
		r = make_key(ctx, handle, &certs, &ret[0]);
	if (r == 0) {
		ret[0]->key = handle;
		*ret_n = 1;
		return 0;
	}
	if (handle)
		gnutls_privkey_deinit(handle);
	if (!*ctx->why)
		source_why(ctx, "%s cannot be used: %s", ctx->key_file, strerror(-r));
	return r == -ENOMEM ? r : 0;
}
