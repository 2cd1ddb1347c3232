/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_PATTERN_H
#define CLI_IMPORT_PATTERN_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * Names of other programs as patterns of a mapping rule (sss-certmap(5)): POSIX extended regular
 * expressions over the RFC 4514 text of a name, the most specific attribute first, as name_text()
 * writes it.  All put a NUL behind what they wrote.  0 or -ENOMEM; -EINVAL with static text in *why:
 * what cannot be written so that it fits nothing else.
 */

/* RFC 4514 text of "/C=ES/O=Example/CN=Alice", as OpenSSL's X509_NAME_oneline() writes a name.  icase:
 * attribute names of any case. */
int dn_of_oneline(const char *s, bool icase, struct buf *ret, const char **why);
/* The same of "DC=com,DC=example,CN=Alice", as Active Directory writes it: from the root down. */
int dn_of_ad(const char *s, struct buf *ret, const char **why);

/* <KEYWORD>^text$; icase: in letters of either case (ASCII) */
int pattern_whole(const char *keyword, const char *text, bool icase, struct buf *ret, const char **why);
/* One attribute of the subject, wherever it stands, with exactly this value. */
int pattern_attribute(const char *name, const char *value, bool icase, struct buf *ret, const char **why);
/* <KEYWORD>^anything@domain$ */
int pattern_domain(const char *keyword, const char *domain, bool icase, struct buf *ret, const char **why);

#endif
