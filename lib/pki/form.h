/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_FORM_H
#define PKI_FORM_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * What RFC 5280 asks of the form of names, beyond what a reader needs: the strict profile's
 * cert.bad_form.  All take contents (of the SEQUENCE, for Name the whole) and say whether it is kept.
 */

/* GeneralNames (4.2.1.6), at least one:
 *  dNSName       labels of letters, digits and inner hyphens, 1..63 octets, together at most 253, the
 *                last not all digits; the left-most of several may be "*"
 *  rfc822Name    local@host, with one '@' and a host as above without "*"
 *  URI           scheme:rest (RFC 3986 3.1)
 *  iPAddress     4 or 16 octets
 *  otherName     OID and [0]; directoryName one Name; registeredID not empty; x400Address and
 *                ediPartyName as they are
 * Texts are ASCII without controls and spaces. */
bool form_general_names(struct view names);

/* IA5Strings of a Name (4.1.2.4) are ASCII without NUL. */
bool form_name(struct view name);

/* AccessDescriptions (4.2.2.1), at least one. */
bool form_access_descriptions(struct view list);

/* DistributionPoints (4.2.1.13), at least one; what is in them is for who uses them to read. */
bool form_distribution_points(struct view list);

#endif
