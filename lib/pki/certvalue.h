/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PKI_CERTVALUE_H
#define PKI_CERTVALUE_H

#include "lib/pki/cert.h"
#include "lib/pki/oid.h"

/*
 * What a certificate says of its holder, one value at a time: what mapping rules look at.  Values of
 * subjectAltName in the order of the certificate.
 */
enum value_kind {
	VALUE_SUBJECT,       /* RFC 4514: the most specific RDN first */
	VALUE_ISSUER,
	VALUE_CN,            /* each commonName of the subject, not escaped */
	VALUE_RFC822,        /* from here: subjectAltName, RFC 5280 4.2.1.6 */
	VALUE_DNS,
	VALUE_URI,
	VALUE_IP,            /* "192.0.2.7", "2001:db8::1" */
	VALUE_REGISTERED_ID, /* "1.2.3" */
	VALUE_DIRECTORY,     /* as the subject */
	VALUE_X400,          /* no text: raw alone */
	VALUE_EDI,           /* no text: raw alone */
	VALUE_UPN,           /* otherName 1.3.6.1.4.1.311.20.2.3, UTF8String */
	VALUE_KRB,           /* otherName 1.3.6.1.5.2.2, RFC 4556 3.2.2: "host/a.example@REALM" */
	VALUE_PRINCIPAL,     /* either of these two */
	VALUE_OTHER_TEXT,    /* otherName of type `oid`, its string */
	VALUE_OTHER_RAW,     /* every otherName: raw alone */
	VALUE_SID,           /* extension 1.3.6.1.4.1.311.25.2, its 1.3.6.1.4.1.311.25.2.1: "S-1-5-21-…" */
	VALUE_SERIAL,        /* "0a1b…" */
};

/*
 * text: NULL for a value that is there but cannot be told: empty, malformed, longer than
 * LIMIT_RULE_VALUE, no UTF-8, with a NUL or control in it.  raw: of X400 and EDI the whole
 * GeneralName, of otherNames the whole value, else of no meaning.  Not 0 ends the walk.
 */
typedef int (*value_func)(const char *text, const struct view *raw, void *userdata);

/* 0 or what func returned.  -EBADMSG: subjectAltName or the extension cannot be read to its end;
 * -E2BIG: more than LIMIT_RULE_NAMES names; -ENOMEM. */
int cert_values(const struct cert *c, enum value_kind kind, const struct oid *oid, value_func func,
		void *userdata);

#endif
