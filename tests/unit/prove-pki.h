/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_PROVE_PKI_H
#define TESTS_PROVE_PKI_H

/* Certificates that are valid now: the client's side looks at the clock. */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/harness/pki-make.h"

#define MUST(x) assert_true((x) >= 0)

/* from, to: days from now; both 0: valid */
static inline void make_dated(struct pki_spec spec, int from, int to, const struct pki *issuer,
			      struct pki *ret)
{
	int64_t now = (int64_t)time(NULL) * PKI_SEC;
	bool dated = from != 0 || to != 0;

	if (!spec.cn)
		spec.cn = spec.ca ? "Test CA" : "test";
	spec.not_before = now + (dated ? from : -1) * PKI_DAY;
	spec.not_after = now + (dated ? to : 1) * PKI_DAY;
	pki_make(&spec, issuer, ret);
}

static inline void make_person(enum key_type type, const struct pki *issuer, struct pki *ret)
{
	make_dated((struct pki_spec){ .type = type }, 0, 0, issuer, ret);
}

static inline gnutls_privkey_t copy_key(const struct pki *p)
{
	gnutls_privkey_t key;

	MUST(gnutls_privkey_init(&key));
	MUST(gnutls_privkey_import_x509(key, p->key, GNUTLS_PRIVKEY_IMPORT_COPY));
	return key;
}

#endif
