/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROVE_TLS_H
#define PROVE_TLS_H

#include <stddef.h>

#include "lib/prove/prove.h"

/*
 * The client's side of one connection to a gate: TLS 1.3, our ALPN, no resumption, one deadline for
 * all of it (CLOCK_MONOTONIC).  The server's certificate is judged before GnuTLS reads it, and its
 * proof of possession is checked, before our certificate leaves.
 *
 * PROVE_DONE: go on.  Anything else ends the connection, and tls_why() says why.
 */
struct tls;

/* name: the second ALPN name, or NULL.  Borrows the request.  -errno: nothing was sent. */
int tls_new(const struct prove_request *request, const char *name, struct tls **ret);
struct tls *tls_free(struct tls *t);
DEFINE_FREEP(struct tls, tls_free);

enum prove_result tls_handshake(struct tls *t);
enum prove_result tls_send(struct tls *t, const void *p, size_t n);
/* One message, NUL-terminated, at most `size` bytes with its NUL; *ret_n: without. */
enum prove_result tls_receive_text(struct tls *t, char *ret, size_t size, size_t *ret_n);
void tls_bye(struct tls *t);
const char *tls_why(const struct tls *t);

#endif
