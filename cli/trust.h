/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/cert.h"

/*
 * How a user recognises hosts: ~/.config/certlogin/trust, one line a host, '#' comments:
 *
 *	db1.example.org pin sha256:BASE64       SHA-256 of the host key's SubjectPublicKeyInfo
 *	db1.example.org ca BASE64               DER of the CA that signs the host's certificate
 *
 * A line that cannot be read makes the whole file unusable (-EBADMSG): nothing is guessed about trust.
 */
#define PIN_TEXT_SIZE (7 + 45)
void pin_format(const uint8_t pin[SHA256_BYTES], char ret[PIN_TEXT_SIZE]);
int pin_parse(const char *s, uint8_t ret[SHA256_BYTES]);     /* 0 or -EBADMSG */

struct trust_entry {
	char host[256];             /* lower case */
	bool pinned;
	uint8_t pin[SHA256_BYTES];
	struct cert *ca;            /* when not pinned */
};

struct trust_file {
	struct trust_entry *entries;
	size_t n;
};
void trust_deinit(struct trust_file *t);

/* No file is an empty one.  *ret_line: the line that could not be read. */
int trust_load(const char *path, struct trust_file *ret, unsigned *ret_line);
const struct trust_entry *trust_find(const struct trust_file *t, const char *host);
/* Takes entry's certificate; replaces what was known of the host. */
int trust_set(struct trust_file *t, struct trust_entry *entry);
bool trust_forget(struct trust_file *t, const char *host);
int trust_save(const char *path, const struct trust_file *t);

/* Lower-cases a host name or address into ret; -EINVAL when it is none. */
int host_normalise(const char *s, char ret[256]);

static inline void trust_deinitp(struct trust_file *t)
{
	trust_deinit(t);
}

#endif
