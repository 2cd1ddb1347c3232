/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_TRUST_CACHE_H
#define PKI_TRUST_CACHE_H

#include <stddef.h>

#include "lib/pki/path.h"

/*
 * Paths that were built and found good, by the SHA-256 of the leaf: a returning certificate costs
 * no chain verification.  Holds at most `max` entries (the least recently used goes), is emptied
 * by any change of trust, and answers only between the path's latest notBefore and its earliest
 * notAfter.  The other certificates that a peer sends are not asked for: a path that was good with
 * some of them is a path of the leaf.
 * Only PATH_GOOD is remembered: a stranger's certificate must not push out a user's.
 */
struct trust_cache;

int trust_cache_new(size_t max, struct trust_cache **ret);
struct trust_cache *trust_cache_free(struct trust_cache *c);
DEFINE_FREEP(struct trust_cache, trust_cache_free);
/* NULL: not known.  Borrowed until the next call. */
const struct path *trust_cache_find(struct trust_cache *c, const uint8_t leaf_sha256[SHA256_BYTES], int64_t now);
int trust_cache_add(struct trust_cache *c, const uint8_t leaf_sha256[SHA256_BYTES], const struct path *path);
void trust_cache_clear(struct trust_cache *c);
size_t trust_cache_size(const struct trust_cache *c);

#endif
