/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_CA_CRL_H
#define CLI_CA_CRL_H

#include "cli/ca.h"
#include "lib/base/encode.h"
#include "lib/pki/digest.h"

/*
 * The built-in CA's revocation list (RFC 5280 section 5): v2, with authorityKeyIdentifier and
 * cRLNumber, nothing critical.  GnuTLS writes no reasonCode, so the reason stays in the CA's own
 * record and the list says "unspecified", which RFC 5280 5.3.1 allows.  Hence no
 * certificateHold: the daemon releases only what its list said is on hold.
 */

#define CA_SERIAL_MAX 20 /* octets, RFC 5280 4.1.2.2 */
struct ca_revoked {
	uint8_t serial[CA_SERIAL_MAX];
	size_t n_serial;
	int64_t since;                    /* microseconds */
	const char *reason;               /* one of ca_reason() */
	char sha256[HEX_SIZE(SHA256_BYTES)];
	char subject[CN_MAX + 1];
};

/* The name as RFC 5280 spells it, static; NULL: none that a CA may give for a person's certificate. */
const char *ca_reason(const char *name);

/* A line of CONFDIR/ca/revoked, without its newline: serial, time, reason, fingerprint, subject. */
int ca_revoked_parse(const char *line, struct ca_revoked *ret);
void ca_revoked_put(struct buf *b, const struct ca_revoked *revoked);

/* PEM.  number: 1 or more; both times in microseconds.  0, -EINVAL or another negative errno. */
int ca_crl_make(const struct issuer *ca, const struct ca_revoked *revoked, size_t n, uint64_t number,
		int64_t this_update, int64_t next_update, struct buf *ret_pem);

#endif
