/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_P11NAME_H
#define BASE_P11NAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"

/*
 * How administrators and users name a smart card or another PKCS#11 token: the path of a module, or
 * a URI (RFC 7512) of at most LIMIT_PKCS11 bytes.
 *
 *	/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so
 *	pkcs11:token=Work?module-path=/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so
 *	pkcs11:token=Work?module-name=opensc-pkcs11
 *	pkcs11:token=Work                        the modules that p11-kit is configured with
 */
struct p11_name {
	char module[LIMIT_PKCS11 +
		    4]; /* absolute path; NAME.so, of p11-kit's directory; "": none named */
	char uri[LIMIT_PKCS11 + 1]; /* what to look at: without its query and `type` */
};

/* -EINVAL: neither of the two, or it has an attribute that means nothing here; -EPERM: it has a
 * PIN, or says where one is: nobody writes that into a file that others can read. */
int p11_name_parse(const char *text, struct p11_name *ret);

/* The URI of the private key that belongs to the object at `object`, a URI that names its token:
 * the key has the same id (RFC 7512 2.3).  Appends it to b. */
void p11_key_uri(struct buf *b, const char *object, const uint8_t *id, size_t n);
/* The same of the token alone. */
void p11_token_uri(struct buf *b, const char *object);

#endif
