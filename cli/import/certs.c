// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/certs.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <strings.h>

#include "lib/base/encode.h"
#include "lib/pki/der.h"

#define HASH_MAX 64

void certset_deinit(struct certset *s)
{
	for (size_t i = 0; i < s->n; i++)
		cert_free(s->certs[i]);
	free(s->certs);
	*s = (struct certset){ 0 };
}

int certset_add(struct certset *s, struct cert *cert, const struct cert **ret)
{
	_cleanup_(cert_freep) struct cert *taken = cert;

	for (size_t i = 0; i < s->n; i++)
		if (memcmp(s->certs[i]->sha256, taken->sha256, SHA256_BYTES) == 0) {
			if (ret)
				*ret = s->certs[i];
			return 0;
		}
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		struct cert **more = reallocarray(s->certs, cap, sizeof(struct cert *));

		if (!more)
			return -ENOMEM;
		s->certs = more;
		s->cap = cap;
	}
	if (ret)
		*ret = taken;
	s->certs[s->n++] = STEAL(taken);
	return 0;
}

/* What is looked for; one of them is set. */
struct want {
	const struct view *spki, *serial, *ski, *sha1;
	const char *issuer;
	gnutls_digest_algorithm_t algorithm;
	const uint8_t *digest;
	size_t digest_n;
};

static bool hash_is(gnutls_digest_algorithm_t algorithm, const struct view *data,
		    const uint8_t *digest, size_t n)
{
	uint8_t hash[HASH_MAX];

	return gnutls_hash_get_len(algorithm) == n &&
	       gnutls_hash_fast(algorithm, data->p, data->n, hash) == 0 &&
	       memcmp(hash, digest, n) == 0;
}

/* The same number, with or without the zeros that DER, or a writer, puts before it. */
static bool number_is(struct view a, struct view b)
{
	for (; a.n > 1 && a.p[0] == 0; a.n--)
		a.p++;
	for (; b.n > 1 && b.p[0] == 0; b.n--)
		b.p++;
	return view_is(&a, b.p, b.n);
}

static bool issuer_is(const struct cert *c, const char *text)
{
	char issuer[4096];

	name_text(&c->issuer, issuer, sizeof(issuer));
	return strlen(issuer) < sizeof(issuer) - 1 && strcasecmp(issuer, text) == 0;
}

static bool sha1_is(const struct cert *c, const struct view *sha1)
{
	struct view spki = c->spki, seq, algorithm, key;
	unsigned unused;

	if (hash_is(GNUTLS_DIG_SHA1, &c->der, sha1->p, sha1->n) ||
	    hash_is(GNUTLS_DIG_SHA1, &c->spki, sha1->p, sha1->n))
		return true;
	return der_expect(&spki, DER_SEQUENCE, &seq) == 0 &&
	       der_expect(&seq, DER_SEQUENCE, &algorithm) == 0 &&
	       der_bits(&seq, &key, &unused) == 0 &&
	       hash_is(GNUTLS_DIG_SHA1, &key, sha1->p, sha1->n);
}

static bool fits(const struct cert *c, const struct want *w)
{
	if (w->spki)
		return view_is(&c->spki, w->spki->p, w->spki->n);
	if (w->serial)
		return number_is(c->serial, *w->serial) && issuer_is(c, w->issuer);
	if (w->ski)
		return c->ski.n > 0 && view_is(&c->ski, w->ski->p, w->ski->n);
	if (w->sha1)
		return sha1_is(c, w->sha1);
	return hash_is(w->algorithm, &c->der, w->digest, w->digest_n);
}

static int find(const struct certset *s, const struct want *w, const struct cert **ret)
{
	const struct cert *found = NULL;

	for (size_t i = 0; s && i < s->n; i++) {
		if (!fits(s->certs[i], w))
			continue;
		if (found)
			return -ENOTUNIQ;
		found = s->certs[i];
	}
	if (!found)
		return -ENOENT;
	*ret = found;
	return 0;
}

int certset_by_key(const struct certset *s, const struct view *spki, const struct cert **ret)
{
	return find(s, &(struct want){ .spki = spki }, ret);
}

int certset_by_serial(const struct certset *s, const struct view *serial, const char *issuer,
		      const struct cert **ret)
{
	return find(s, &(struct want){ .serial = serial, .issuer = issuer }, ret);
}

int certset_by_ski(const struct certset *s, const struct view *ski, const struct cert **ret)
{
	return find(s, &(struct want){ .ski = ski }, ret);
}

int certset_by_sha1(const struct certset *s, const struct view *sha1, const struct cert **ret)
{
	return find(s, &(struct want){ .sha1 = sha1 }, ret);
}

int certset_by_digest(const struct certset *s, const char *algorithm, const char *hex,
		      const struct cert **ret)
{
	static const struct {
		const char *name;
		gnutls_digest_algorithm_t algorithm;
	} all[] = {
		{ "sha1", GNUTLS_DIG_SHA1 },
		{ "sha256", GNUTLS_DIG_SHA256 },
		{ "sha384", GNUTLS_DIG_SHA384 },
		{ "sha512", GNUTLS_DIG_SHA512 },
	};
	struct want w = { .algorithm = GNUTLS_DIG_UNKNOWN };
	char digits[HEX_SIZE(HASH_MAX)];
	uint8_t digest[HASH_MAX];
	size_t n = 0;
	int len;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcasecmp(algorithm, all[i].name) == 0)
			w.algorithm = all[i].algorithm;
	if (w.algorithm == GNUTLS_DIG_UNKNOWN)
		return -EOPNOTSUPP;
	for (; *hex && n < sizeof(digits) - 1; hex++)
		if (*hex != ':')
			digits[n++] = *hex;
	digits[n] = '\0';
	len = hex_decode(digits, digest, sizeof(digest));
	if (*hex || len < 0 || (size_t)len != gnutls_hash_get_len(w.algorithm))
		return -EBADMSG;
	w.digest = digest;
	w.digest_n = (size_t)len;
	return find(s, &w, ret);
}
