// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/prove/trust.h"

#include <errno.h>
#include <string.h>

#include "lib/pki/key.h"

struct chain {
	struct cert *certs[LIMIT_CHAIN_CERTS];
	size_t n;
};

static void chain_deinit(struct chain *c)
{
	while (c->n > 0)
		cert_free(c->certs[--c->n]);
}

static int chain_parse(const struct view *ders, size_t n, struct chain *ret)
{
	if (n < 1 || n > LIMIT_CHAIN_CERTS)
		return -EBADMSG;
	for (; ret->n < n; ret->n++) {
		int r = cert_parse(ders[ret->n].p, ders[ret->n].n, &ret->certs[ret->n]);

		if (r < 0)
			return r;
	}
	return 0;
}

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EKEYREJECTED;
}

/* RFC 5280 4.2.1.12: serverAuth must be named; a user's clientAuth certificate is no server's. */
static int check_server_leaf(const struct cert *leaf, int64_t now, const char **ret_why)
{
	if (!key_acceptable(leaf))
		return refuse(ret_why, "the server's key is too weak, or of an unknown kind");
	if (!(leaf->eku & EKU_SERVER_AUTH))
		return refuse(ret_why, "the server's certificate is not one for servers");
	if (leaf->unknown_critical)
		return refuse(ret_why,
			      "the server's certificate has an unknown critical extension");
	if (now < leaf->not_before)
		return refuse(ret_why,
			      "the server's certificate is not valid yet: is the clock right?");
	if (now > leaf->not_after)
		return refuse(ret_why, "the server's certificate has expired");
	return 0;
}

bool trust_usable(const struct prove_trust *trust)
{
	if (trust->pin)
		return trust->n_anchors == 0;
	return trust->n_anchors > 0 && trust->anchors && trust->host && *trust->host;
}

int trust_check(const struct prove_trust *trust, const struct view *ders, size_t n, int64_t now,
		const char **ret_why)
{
	_cleanup_(chain_deinit) struct chain chain = { 0 };
	int r;

	r = chain_parse(ders, n, &chain);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(ret_why, "the server's certificate cannot be read");
	if (trust->pin && memcmp(trust->pin, chain.certs[0]->spki_sha256, SHA256_BYTES) != 0)
		return refuse(ret_why, "the server's key is not the one that is trusted");
	r = check_server_leaf(chain.certs[0], now, ret_why);
	if (r < 0 || trust->pin)
		return r;
	if (path_check_server((const struct cert *const *)chain.certs, chain.n, trust->anchors,
			      trust->n_anchors, now) < 0)
		return refuse(ret_why, "the server's certificate is not of a trusted CA");
	if (!cert_matches_host(chain.certs[0], trust->host))
		return refuse(ret_why, "the server's certificate is for another host");
	return 0;
}
