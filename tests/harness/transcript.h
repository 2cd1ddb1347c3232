/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_HARNESS_TRANSCRIPT_H
#define TESTS_HARNESS_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/proof.h"
#include "tests/harness/pki-make.h"

/*
 * A real TLS 1.3 handshake in memory, GnuTLS on both ends, and what the server saw of it: prefix
 * (ClientHello .. server Certificate) and rest (server CertificateVerify .. client
 * CertificateVerify) as lib/pki/proof reads them.  The server has no key: it parks after its
 * Certificate, and a function of the test's signs.
 */
#define TLS_CHAIN_MAX 12

struct tls_spec {
	const uint8_t *nonce;			/* ServerHello.random; NULL: GnuTLS's own */
	const struct view *server;		/* certificate, DER */
	const char *alpn[10];			/* that the client offers; none: no extension */
	const struct pki *client;		/* NULL: it has no certificate */
	const struct pki *chain[TLS_CHAIN_MAX]; /* sent after the client's own */
	const struct view *staple;		/* with the client's own; NULL: none */
	const char *suite;			/* "AES-256-GCM" or NULL: AES-128-GCM */
	/* Appends the signature over the prefix; < 0 ends the handshake. */
	int (*sign)(void *userdata, const struct view *prefix, struct buf *ret_signature);
	void *userdata;
};

struct tls_record {
	struct buf prefix, rest;
	int hash_len;
	bool client_done, server_done;
};
void tls_record_deinit(struct tls_record *r);

/* 0 when both ends are done; -EPROTO otherwise, with what was recorded until then. */
int tls_handshake(const struct tls_spec *spec, struct tls_record *ret);

/* A `sign` for hosts whose key is at hand: userdata is a struct pki. */
int tls_sign_local(void *userdata, const struct view *prefix, struct buf *ret_signature);
/* SignatureScheme of a host's certificate. */
uint16_t tls_scheme_of(const struct cert *c);

#endif
