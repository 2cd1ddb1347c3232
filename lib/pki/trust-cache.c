// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/trust-cache.h"

#include <errno.h>
#include <string.h>

#include "lib/base/buf.h"

/* A hash table with chaining over a fixed pool; the pool's list is in order of use.  The keys are
 * SHA-256 of certificates under an anchor of ours, so their first bytes are hash enough. */
#define NONE UINT32_MAX

struct entry {
	uint8_t key[SHA256_BYTES];
	struct path path;
	uint32_t chain; /* next of the same bucket */
	uint32_t newer, older;
};

struct trust_cache {
	size_t max, n;
	uint32_t mask;
	uint32_t newest, oldest;
	uint32_t *buckets;
	struct entry *entries; /* grows up to max */
	size_t cap;
};

int trust_cache_new(size_t max, struct trust_cache **ret)
{
	_cleanup_(trust_cache_freep) struct trust_cache *c = calloc(1, sizeof(*c));
	size_t n_buckets = 1;

	if (!c || max == 0 || max >= NONE)
		return c ? -EINVAL : -ENOMEM;
	while (n_buckets < max)
		n_buckets *= 2;
	c->buckets = malloc(n_buckets * sizeof(*c->buckets));
	if (!c->buckets)
		return -ENOMEM;
	c->max = max;
	c->mask = (uint32_t)n_buckets - 1;
	trust_cache_clear(c);
	*ret = STEAL(c);
	return 0;
}

struct trust_cache *trust_cache_free(struct trust_cache *c)
{
	if (c) {
		free(c->buckets);
		free(c->entries);
		free(c);
	}
	return NULL;
}

void trust_cache_clear(struct trust_cache *c)
{
	c->n = 0;
	c->newest = c->oldest = NONE;
	memset(c->buckets, 0xff, (c->mask + (size_t)1) * sizeof(*c->buckets));
}

size_t trust_cache_size(const struct trust_cache *c)
{
	return c->n;
}

static uint32_t *bucket_of(struct trust_cache *c, const uint8_t key[SHA256_BYTES])
{
	uint32_t h;

	memcpy(&h, key, sizeof(h));
	return &c->buckets[h & c->mask];
}

static void list_remove(struct trust_cache *c, uint32_t i)
{
	struct entry *e = &c->entries[i];

	*(e->newer == NONE ? &c->newest : &c->entries[e->newer].older) = e->older;
	*(e->older == NONE ? &c->oldest : &c->entries[e->older].newer) = e->newer;
}

static void list_push(struct trust_cache *c, uint32_t i)
{
	c->entries[i].newer = NONE;
	c->entries[i].older = c->newest;
	*(c->newest == NONE ? &c->oldest : &c->entries[c->newest].newer) = i;
	c->newest = i;
}

static uint32_t lookup(struct trust_cache *c, const uint8_t key[SHA256_BYTES])
{
	uint32_t i = *bucket_of(c, key);

	while (i != NONE && memcmp(c->entries[i].key, key, SHA256_BYTES) != 0)
		i = c->entries[i].chain;
	return i;
}

const struct path *trust_cache_find(struct trust_cache *c, const uint8_t leaf_sha256[SHA256_BYTES],
				    int64_t now)
{
	uint32_t i = lookup(c, leaf_sha256);

	/* outside this path's window another chain may do: it has to be looked at */
	if (i == NONE || now < c->entries[i].path.not_before || now > c->entries[i].path.not_after)
		return NULL;
	list_remove(c, i);
	list_push(c, i);
	return &c->entries[i].path;
}

/* A place for a new entry: a fresh one, or the one used longest ago. */
static int take_place(struct trust_cache *c, uint32_t *ret)
{
	uint32_t i, *at;

	if (c->n == c->max) {
		i = c->oldest;
		list_remove(c, i);
		at = bucket_of(c, c->entries[i].key);
		while (*at != i)
			at = &c->entries[*at].chain;
		*at = c->entries[i].chain;
		*ret = i;
		return 0;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct entry *e = realloc(c->entries, (cap > c->max ? c->max : cap) * sizeof(*e));

		if (!e)
			return -ENOMEM;
		c->entries = e;
		c->cap = cap > c->max ? c->max : cap;
	}
	*ret = (uint32_t)c->n++;
	return 0;
}

int trust_cache_add(struct trust_cache *c, const uint8_t leaf_sha256[SHA256_BYTES],
		    const struct path *path)
{
	uint32_t i, *bucket;
	int r;

	if (path->fault != PATH_GOOD)
		return -EINVAL;
	i = lookup(c, leaf_sha256);
	if (i != NONE) {
		c->entries[i].path = *path;
		return 0;
	}
	r = take_place(c, &i);
	if (r < 0)
		return r;
	bucket = bucket_of(c, leaf_sha256);
	memcpy(c->entries[i].key, leaf_sha256, SHA256_BYTES);
	c->entries[i].path = *path;
	c->entries[i].chain = *bucket;
	*bucket = i;
	list_push(c, i);
	return 0;
}
