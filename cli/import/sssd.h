/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_SSSD_H
#define CLI_IMPORT_SSSD_H

#include "cli/import/plan.h"

/*
 * The [certmap/DOMAIN/RULE] sections of sssd.conf(5) become rules, in the order of their priority,
 * with their matchrule as it is.  Only rules of local users (id_provider files or proxy, or the domain
 * implicit_files) can: those of a directory search it with an LDAP filter.
 *
 *   (name), or no maprule (files: the name of the rule)   the login itself
 *   ({subject_rfc822_name.short_name})                    {mail.local}
 *   ({subject_nt_principal.short_name})                   {upn.local}
 *   ({subject_pkinit_principal.short_name})               {krb.local}
 *   ({subject_principal.short_name})                      {krb.local}
 *   these without .short_name                             {mail}, {upn}, {krb}
 *   ({subject_dns_name})                                  {dns}
 *
 * SSSD stops at the first rule that matches.  So once a rule of a domain is left out, those after it
 * are left out as well: they would get hold of its certificates.
 */
void import_sssd(struct plan *p, const char *file, const char *text, size_t n);

#endif
