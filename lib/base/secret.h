/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/cleanup.h"

/*
 * A PIN, passphrase or ticket: length and bytes, wiped on free.  Nothing prints one; code that
 * needs the bytes reads .bytes and says why.  Always NUL-terminated one byte after `len`.
 */
struct secret {
	size_t len;
	uint8_t bytes[];
};

/* Copies `len` bytes (NULL: zeros).  NULL when out of memory. */
struct secret *secret_new(const void *bytes, size_t len);
struct secret *secret_free(struct secret *s); /* wipes */
DEFINE_FREEP(struct secret, secret_free);

/* 1 when equal, in time that depends on the lengths alone. */
int bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
