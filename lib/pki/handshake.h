/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_HANDSHAKE_H
#define PKI_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* Handshake messages of TLS 1.3 as bytes (RFC 8446 section 4). */
enum {
	HS_CLIENT_HELLO = 1,
	HS_SERVER_HELLO = 2,
	HS_ENCRYPTED_EXTENSIONS = 8,
	HS_CERTIFICATE = 11,
	HS_CERTIFICATE_REQUEST = 13,
	HS_CERTIFICATE_VERIFY = 15,
	HS_FINISHED = 20,
};

/* All 0 or -EBADMSG; a failed read leaves the input as it was. */
int handshake_next(struct view *in, uint8_t type, struct view *ret_body);
/* Certificate without a request context: DER of each entry, at most `max`. */
int handshake_certificate(struct view body, struct view *ret, size_t max, size_t *ret_n);
/* Of such a message: the OCSPResponse that its first entry carries (4.4.2.1); empty: none. */
int handshake_staple(struct view body, struct view *ret);

/* What a CertificateVerify signs (4.4.3), over the transcript given in parts; -EIO. */
int handshake_tbs(bool client, const struct view *parts, size_t n_parts, int hash_len, uint8_t *ret,
		  size_t *ret_n);

#endif
