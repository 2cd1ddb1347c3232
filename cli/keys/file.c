// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

#include "cli/keys/source.h"
#include "lib/base/limits.h"
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

/* -ENODATA: nobody gave a passphrase; -EKEYREJECTED: none was right. */
static int import_encrypted(struct key_context *ctx, gnutls_x509_privkey_t key,
			    const struct secret *pem)
{
	char label[LIMIT_HELPER_LABEL + 1];

	(void)snprintf(label, sizeof(label), "%s", base_name(ctx->key_file));
	for (unsigned i = 0; i < LIMIT_PASSPHRASE_TRIES; i++) {
		_cleanup_(secret_freep) struct secret *passphrase = NULL;

		if (!ctx->ask ||
		    ctx->ask(ctx->ask_userdata, KEY_ASK_PASSPHRASE, label, &passphrase) < 0 ||
		    !passphrase || passphrase->len == 0) {
			source_why(ctx, "%s: no passphrase was given", ctx->key_file);
			return -ENODATA;
		}
		if (import(key, pem, (const char *)passphrase->bytes) >= 0)
			return 0;
	}
	source_why(ctx, "%s: the passphrase is wrong", ctx->key_file);
	return -EKEYREJECTED;
}

static int load_key(struct key_context *ctx, const struct secret *pem, gnutls_privkey_t ret)
{
	gnutls_x509_privkey_t key;
	int r;

	if (gnutls_x509_privkey_init(&key) < 0)
		return -ENOMEM;
	if (has_line(pem, "-----BEGIN OPENSSH PRIVATE KEY-----")) {
		source_why(ctx,
			   "%s is in OpenSSH's own form: use it by ssh-add, or convert a copy: "
			   "ssh-keygen -p -m PKCS8 -f COPY",
			   ctx->key_file);
		r = -EOPNOTSUPP;
	} else if (is_encrypted(pem)) {
		r = import_encrypted(ctx, key, pem);
	} else if (import(key, pem, NULL) < 0) {
		source_why(ctx, "%s is not a PEM private key", ctx->key_file);
		r = -EBADMSG;
	} else {
		r = 0;
	}
	if (r == 0)
		r = gnutls_privkey_import_x509(ret, key, GNUTLS_PRIVKEY_IMPORT_COPY) < 0 ? -ENOMEM
											 : 0;
	gnutls_x509_privkey_deinit(key); /* wipes */
	return r;
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

/* The chain for this public key: a named file's, else what the authority knows. */
static int find_chain(struct key_context *ctx, const struct view *spki, struct certs *ret)
{
	int r;

	if (ctx->cert_file) {
		r = source_read_certs(ctx, ret);
		if (r == 0 && !view_is(&ret->items[0]->spki, spki->p, spki->n)) {
			source_why(ctx, "the certificate in %s is not for the key in %s",
				   ctx->cert_file, ctx->key_file);
			r = -EKEYREJECTED;
		}
		return r;
	}
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

static int make_key(struct key_context *ctx, gnutls_privkey_t handle, struct prove_key **ret)
{
	_cleanup_(certs_deinit) struct certs certs = { 0 };
	gnutls_datum_t spki = { 0 };
	int r;

	r = spki_of(handle, &spki);
	if (r == 0)
		r = find_chain(ctx, &(struct view){ spki.data, spki.size }, &certs);
	gnutls_free(spki.data);
	if (r < 0)
		return r;
	if (!key_acceptable(certs.items[0])) {
		source_why(ctx, "%s: use P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits",
			   ctx->key_file);
		return -EOPNOTSUPP;
	}
	return source_new_key(certs.items, certs.n, base_name(ctx->key_file), ret);
}

int keys_file_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n)
{
	_cleanup_(secret_freep) struct secret *pem = NULL;
	gnutls_privkey_t handle = NULL;
	int r;

	*ctx->why = '\0';
	*ret_n = 0;
	if (!ctx->key_file || max < 1) {
		source_why(ctx, "no key file is named");
		return 0;
	}
	r = source_read(ctx, ctx->key_file, true, &pem);
	if (r == 0)
		r = gnutls_privkey_init(&handle) < 0 ? -ENOMEM : load_key(ctx, pem, handle);
	if (r == 0)
		r = make_key(ctx, handle, &ret[0]);
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
