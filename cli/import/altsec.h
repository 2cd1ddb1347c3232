/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_ALTSEC_H
#define CLI_IMPORT_ALTSEC_H

#include "cli/import/plan.h"

/*
 * altSecurityIdentities of Active Directory, as LDIF (RFC 2849: sAMAccountName and
 * altSecurityIdentities of each record) or as lines "login TAB string".  What Microsoft's KB5014754
 * calls strong names one certificate, and enrolls it when it is among the given ones:
 *
 *   X509:<I>issuer<SR>serial      the serial number's octets, last one first
 *   X509:<SKI>octets
 *   X509:<SHA1-PUKEY>octets
 *
 * What it calls weak names whoever has such a name, and becomes a rule only where that is allowed:
 *
 *   X509:<I>issuer<S>subject      X509:<S>subject      X509:<RFC822>address
 *
 * Records of accounts that are disabled or have an end are left out.
 */
void import_ad(struct plan *p, const char *file, const char *text, size_t n);

#endif
