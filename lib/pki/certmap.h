/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_CERTMAP_H
#define PKI_CERTMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/pki/cert.h"

/*
 * Mapping rules: does a certificate match, and whose is it then?  docs/RULES.md is the language.
 * Both halves are compiled once and then only read; nothing in them tells good from bad
 * certificates: path_build() has done so before.
 */

struct certmap_error {
	size_t at;     /* byte of the text, from 0 */
	char why[160];
};

/*
 * The matching syntax of sss-certmap(5), [KRB5:][&& or ||]<COMPONENT>value..., and what SSSD makes of
 * it: of the names of a kind all must match, and there must be one; a KU or EKU list needs all of its
 * members, with "||" an EKU list one.  Beside it <POLICY>oid,... (as EKU) and <SID>S-1-5-... (equal).
 * Stricter than SSSD: what cannot be told, or is not there (a key usage, too), does not match.
 */
struct certmap_match;
/* -EINVAL with *ret_error, -ENOMEM. */
int certmap_match_parse(const char *text, struct certmap_match **ret, struct certmap_error *ret_error);
struct certmap_match *certmap_match_free(struct certmap_match *m);
DEFINE_FREEP(struct certmap_match, certmap_match_free);

/* False: ret_missed is the first component that does not match, cleaned and cut to the room given. */
bool certmap_matches(const struct certmap_match *m, const struct cert *c, char *ret_missed, size_t size);

/*
 * The name that a certificate yields: text with fields in braces.  {mail} {upn} {krb} are
 * "local@domain" with a domain that equals, but for case, one of `domains` and is spelled as there;
 * {mail.local} {upn.local} {krb.local} the part before the @.  {subject.cn} {uri.path} {dns} {sid}
 * {serial} as they stand.
 */
struct certmap_yield;
/* domains: with spaces between, "" for none.  -EINVAL with *ret_error, -ENOMEM. */
int certmap_yield_parse(const char *text, const char *domains, struct certmap_yield **ret,
			struct certmap_error *ret_error);
struct certmap_yield *certmap_yield_free(struct certmap_yield *y);
DEFINE_FREEP(struct certmap_yield, certmap_yield_free);
bool certmap_domain_ok(const char *domain);

/*
 * 0 with a name for which identity_name_ok() holds.  -ENOENT: a value is absent, there are two that
 * differ, one is malformed, or of another domain; ret_why tells.  -ENOMEM.
 */
int certmap_yield_name(const struct certmap_yield *y, const struct cert *c,
		       char ret[LIMIT_IDENTITY + 1], char *ret_why, size_t size);

#endif
