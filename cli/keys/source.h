/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_KEYS_SOURCE_H
#define CLI_KEYS_SOURCE_H

#include "cli/keys/keys.h"

/* What the key sources share; not for their callers. */

struct certs {
	struct cert *items[LIMIT_FIND_SPKIS];
	size_t n;
};

void certs_deinit(struct certs *c);

/* Sets ctx->why. */
void source_why(struct key_context *ctx, const char *format, ...) _printf_(2, 3);
/* Reads a regular file of at most LIMIT_KEY_FILE_BYTES; private: refuses one that others can read,
 * or that another user owns.  0 or -errno with ctx->why. */
int source_read(struct key_context *ctx, const char *path, bool private, struct secret **ret);
/* ctx->cert_file, leaf first. */
int source_read_certs(struct key_context *ctx, struct certs *ret);
/* Certificates by the caller's find_certificates; none when there is no such. */
int source_find_certs(struct key_context *ctx, const struct view *spkis, size_t n,
		      struct certs *ret);
/* A key without its private half yet.  -EBADMSG: GnuTLS does not take the certificates. */
int source_new_key(struct cert *const *certs, size_t n, const char *label, struct prove_key **ret);

#endif
