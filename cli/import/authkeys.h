/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_AUTHKEYS_H
#define CLI_IMPORT_AUTHKEYS_H

#include "cli/import/plan.h"

/*
 * authorized_keys, sshd(8) "AUTHORIZED_KEYS FILE FORMAT": the certificates of the given ones that
 * have these keys become the login's.  A key with an option that restricts it is left out: certlogin
 * restricts by service, not by key.  expiry-time ends the login's access, so it is carried over only
 * where a service is given and all keys of the file end at once.
 *
 * plain_rsa: as pam_pkcs11's openssh mapper reads it, which sees only lines that begin with ssh-rsa.
 * text ends in a NUL that n does not count.
 */
void import_authorized_keys(struct plan *p, const char *file, const char *text, size_t n,
			    const char *login, bool plain_rsa);

#endif
