/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_REVOCATION_H
#define PKI_REVOCATION_H

#include "lib/pki/crl.h"

/*
 * Is a certificate revoked, by the lists that its anchor's CAs have signed (RFC 5280 6.3.3)?  Pure,
 * and one code for files and for rows of the database: a list is what was verified of it, and a
 * function that looks a serial number up.
 */
struct revoked {
	unsigned reason;
	int64_t since;
};

struct revocation_list {
	struct view issuer;          /* Name */
	int64_t this_update, next_update;
	struct view number;
	struct view base;            /* of a delta CRL; empty: complete */
	struct crl_scope scope;
	const uint8_t (*keys)[SHA256_BYTES]; /* issuing keys that it speaks for */
	size_t n_keys;
	bool stale;                  /* whatever next_update says: of a restored backup */
	/* 1 listed, with *ret; 0 not listed; -errno: nothing is known then */
	int (*find)(const struct revocation_list *l, const struct view *issuer, const struct view *serial,
		    struct revoked *ret);
	const void *data;
};

enum revocation_status {
	REVOCATION_GOOD,
	REVOCATION_REVOKED,
	REVOCATION_STALE,            /* what there is, is too old */
	REVOCATION_UNKNOWN,          /* there is nothing, or not for all reasons */
};

struct revocation {
	enum revocation_status status;
	bool any;                    /* there was a list of the issuer's name, whatever its keys and scope */
	struct revoked revoked;
	const struct revocation_list *by; /* that said it is revoked, or the last that was asked; or NULL */
};

/*
 * A revocation counts however old the list is, and whichever key of the name signed it; "good" only
 * from lists for the issuer's very key, in scope, that together are fresh for all reasons at `now`,
 * or were within `grace` before.  0, or -errno of a look-up.
 */
int revocation_check(const struct cert *cert, const struct cert *issuer, const struct revocation_list *lists,
		     size_t n, int64_t now, int64_t grace, struct revocation *ret);

#endif
