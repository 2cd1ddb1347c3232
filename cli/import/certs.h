/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_CERTS_H
#define CLI_IMPORT_CERTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/pki/cert.h"

/*
 * The certificates that the administrator gave: what is imported often names a certificate by a
 * hash, a key or a number, which cannot be turned back into one.
 */
struct certset {
	struct cert **certs;
	size_t n, cap;
};

void certset_deinit(struct certset *s);
static inline void certset_deinitp(struct certset *s)
{
	certset_deinit(s);
}
/* Takes cert, also on error; of two alike the first stays.  *ret, if wanted: the one that is in the set.
 * 0 or -ENOMEM. */
int certset_add(struct certset *s, struct cert *cert, const struct cert **ret);

/*
 * Each finds the only one that fits.  -ENOENT: none does; -ENOTUNIQ: several do.
 */
int certset_by_key(const struct certset *s, const struct view *spki, const struct cert **ret);
/* algorithm: sha1, sha256, sha384, sha512 of the certificate, anything else: -EOPNOTSUPP; hex digits,
 * of either case, with or without colons, as many as it has, else -EBADMSG */
int certset_by_digest(const struct certset *s, const char *algorithm, const char *hex, const struct cert **ret);
/* Octets of the INTEGER, and the issuer's RFC 4514 text, compared without regard to case. */
int certset_by_serial(const struct certset *s, const struct view *serial, const char *issuer, const struct cert **ret);
int certset_by_ski(const struct certset *s, const struct view *ski, const struct cert **ret);
/* SHA-1 of the certificate, of its SubjectPublicKeyInfo, or of the key in it: writers of
 * altSecurityIdentities differ, and no two of them can be equal by chance. */
int certset_by_sha1(const struct certset *s, const struct view *sha1, const struct cert **ret);

#endif
