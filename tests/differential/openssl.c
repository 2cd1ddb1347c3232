// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>

#include "tests/differential/chain.h"

#define DEPTH 5
#define AUTH_LEVEL 2

/* Notes the error and goes on, so that one that is defended hides none that is not. */
static int note_error(int ok, X509_STORE_CTX *ctx)
{
	struct openssl_verdict *v = X509_STORE_CTX_get_app_data(ctx);
	int error = X509_STORE_CTX_get_error(ctx);

	if (ok)
		return 1;
	for (size_t i = 0; i < v->n; i++)
		if (v->errors[i] == error)
			return 1;
	if (v->n == ERRORS_MAX)
		abort();
	v->errors[v->n++] = error;
	return 1;
}

static X509 *read_one(const struct der *d)
{
	const unsigned char *p = d->p;

	return d2i_X509(NULL, &p, (long)d->n);
}

/* As certlogin does: what cannot be read was not sent. */
static STACK_OF(X509) * read_all(const struct der *const *in, size_t n)
{
	STACK_OF(X509) *ret = sk_X509_new_null();

	for (size_t i = 0; i < n; i++) {
		X509 *x = read_one(in[i]);

		if (x && sk_X509_push(ret, x) <= 0)
			abort();
	}
	return ret;
}

static void set_parameters(X509_STORE_CTX *ctx)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

	if (!X509_VERIFY_PARAM_set_flags(param,
					 X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK) ||
	    !X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT))
		abort();
	/* RFC 5280 6.1.1 (c): any policy will do; OpenSSL's own default is that none does */
	if (!X509_VERIFY_PARAM_add0_policy(param, OBJ_nid2obj(NID_any_policy)))
		abort();
	X509_VERIFY_PARAM_set_time(param, CHAIN_NOW);
	X509_VERIFY_PARAM_set_depth(param, DEPTH);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
}

void openssl_verify(const struct der *const *chain, size_t n, const struct der *const *anchors,
		    size_t n_anchors, struct openssl_verdict *ret)
{
	STACK_OF(X509) *untrusted = read_all(chain + 1, n - 1),
		       *trusted = read_all(anchors, n_anchors);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *leaf = read_one(chain[0]);
	int r;

	*ret = (struct openssl_verdict){ 0 };
	for (int i = 0; i < sk_X509_num(trusted); i++)
		X509_STORE_add_cert(store, sk_X509_value(trusted, i));
	if (!leaf) {
		ret->errors[ret->n++] = X509_V_ERR_UNSPECIFIED;
	} else {
		if (!X509_STORE_CTX_init(ctx, store, leaf, untrusted))
			abort();
		set_parameters(ctx);
		X509_STORE_CTX_set_app_data(ctx, ret);
		X509_STORE_CTX_set_verify_cb(ctx, note_error);
		r = X509_verify_cert(ctx);
		if (r <= 0 && ret->n == 0)
			ret->errors[ret->n++] = X509_STORE_CTX_get_error(ctx);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(leaf);
	sk_X509_pop_free(untrusted, X509_free);
	sk_X509_pop_free(trusted, X509_free);
}
