// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/encode.h"
#include "lib/base/name.h"
#include "lib/pki/cert.h"
#include "lib/pki/der.h"
#include "lib/pki/oid.h"

/* RFC 4514 section 3, and the e-mail attribute that people still use; all below 2.5.4 but the last.
 */
static const struct {
	const char *name;
	struct view oid;
} attributes[] = {
#define AT(n, arc)                                                                                 \
	{                                                                                          \
		n,                                                                                 \
		{                                                                                  \
			(const uint8_t[]){ 0x55, 0x04, arc }, 3                                    \
		}                                                                                  \
	}
	AT("CN", 3),
	AT("SN", 4),
	AT("serialNumber", 5),
	AT("C", 6),
	AT("L", 7),
	AT("ST", 8),
	AT("STREET", 9),
	AT("O", 10),
	AT("OU", 11),
	AT("title", 12),
	AT("GN", 42),
	{ "DC",
	  { (const uint8_t[]){ 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19 }, 10 } },
	{ "UID",
	  { (const uint8_t[]){ 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01 }, 10 } },
	{ "emailAddress",
	  { (const uint8_t[]){ 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01 }, 9 } },
};

static void put_type(struct buf *b, const struct view *oid)
{
	unsigned long arc = 0;
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (view_is(oid, attributes[i].oid.p, attributes[i].oid.n)) {
			buf_put_text(b, attributes[i].name);
			return;
		}
	for (size_t i = 0, first = 1; i < oid->n; i++) {
		arc = arc << 7 | (oid->p[i] & 0x7f);
		if (oid->p[i] & 0x80)
			continue;
		if (first) {
			unsigned long top = arc < 80 ? arc / 40 : 2;

			(void)snprintf(text, sizeof(text), "%lu.%lu", top, arc - 40 * top);
		} else {
			(void)snprintf(text, sizeof(text), ".%lu", arc);
		}
		buf_put_text(b, text);
		first = 0;
		arc = 0;
	}
}

static bool is_text(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5;
}

#define HEX_MAX 64 /* octets of a value that is no text */

/* RFC 4514 2.4 */
static void put_value(struct buf *b, uint8_t tag, const struct view *v)
{
	if (!is_text(tag)) {
		char hex[HEX_SIZE(HEX_MAX)];
		size_t n = v->n < HEX_MAX ? v->n : HEX_MAX;

		hex_encode(v->p, n, hex);
		buf_put_text(b, "#");
		buf_put_text(b, hex);
		return;
	}
	for (size_t i = 0; i < v->n; i++) {
		bool special = strchr("\"+,;<>\\", v->p[i] ? v->p[i] : 'x') ||
			       (i == 0 && v->p[i] == '#') ||
			       (v->p[i] == ' ' && (i == 0 || i == v->n - 1));

		if (special)
			buf_put_u8(b, '\\');
		buf_put_u8(b, v->p[i]);
	}
}

static int put_rdn(struct buf *b, struct view rdn)
{
	for (bool first = true; rdn.n > 0; first = false) {
		struct view pair, type, value;
		uint8_t tag;

		if (der_expect(&rdn, DER_SEQUENCE, &pair) < 0 ||
		    der_expect(&pair, DER_OID, &type) < 0 ||
		    der_next(&pair, &tag, &value, NULL) < 0)
			return -1;
		if (!first)
			buf_put_text(b, "+");
		put_type(b, &type);
		buf_put_text(b, "=");
		put_value(b, tag, &value);
	}
	return 0;
}

/* Would put_rdn() tell all of it? */
static bool rdn_exact(struct view rdn)
{
	if (rdn.n == 0)
		return false;
	while (rdn.n > 0) {
		struct view pair, type, value;
		char text[OID_TEXT_SIZE];
		uint8_t tag;

		if (der_expect(&rdn, DER_SEQUENCE, &pair) < 0 ||
		    der_expect(&pair, DER_OID, &type) < 0 ||
		    der_next(&pair, &tag, &value, NULL) < 0 || pair.n > 0 ||
		    oid_text(&type, text) < 0 || (!is_text(tag) && value.n > HEX_MAX))
			return false;
	}
	return true;
}

#define NAME_RDNS 32

int name_put(struct buf *b, const struct view *name)
{
	struct view in = *name, seq, rdns[NAME_RDNS];
	size_t n = 0;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0 || in.n > 0)
		return -EBADMSG;
	while (seq.n > 0) {
		if (n == NAME_RDNS || der_expect(&seq, DER_SET, &rdns[n]) < 0 ||
		    !rdn_exact(rdns[n]))
			return -EBADMSG;
		n++;
	}
	for (size_t i = n; i-- > 0;) { /* RFC 4514 2.1: the last RDN first */
		if (i != n - 1)
			buf_put_text(b, ",");
		(void)put_rdn(b, rdns[i]);
	}
	return b->error;
}

void name_text(const struct view *name, char *ret, size_t size)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct view in = *name, seq, rdns[NAME_RDNS];
	size_t n = 0;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0)
		seq = (struct view){ 0 };
	while (seq.n > 0 && n < ARRAY_SIZE(rdns) && der_expect(&seq, DER_SET, &rdns[n]) == 0)
		n++;
	while (n-- > 0) { /* RFC 4514 2.1: the last RDN first */
		if (b.n > 0)
			buf_put_text(&b, ",");
		if (put_rdn(&b, rdns[n]) < 0)
			break;
	}
	text_clean(b.p ? (const char *)b.p : "", b.n, ret, size);
}

void serial_text(const struct view *serial, char *ret, size_t size)
{
	size_t n = serial->n;

	if (n > (size - 1) / 2)
		n = (size - 1) / 2;
	hex_encode(serial->p, n, ret);
}

/* RFC 9525 6.3: a wildcard is the whole left-most label, and stands for exactly one. */
static bool host_matches(const struct view *pattern, const char *host)
{
	const char *p = (const char *)pattern->p, *dot;
	size_t n = pattern->n;

	if (n == 0 || memchr(p, '\0', n))
		return false;
	if (n > 2 && p[0] == '*' && p[1] == '.') {
		dot = strchr(host, '.');
		if (!dot || dot == host || !memchr(p + 2, '.', n - 2))
			return false;
		host = dot + 1;
		p += 2;
		n -= 2;
	}
	return !memchr(p, '*', n) && strlen(host) == n && strncasecmp(p, host, n) == 0;
}

bool cert_matches_host(const struct cert *c, const char *host)
{
	struct view san = c->san, value;
	uint8_t tag;

	while (san.n > 0 && der_next(&san, &tag, &value, NULL) == 0)
		if (tag == DER_CONTEXT(2) && host_matches(&value, host))
			return true;
	return false;
}
