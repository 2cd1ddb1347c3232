// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/certvalue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/pki/der.h"

#define DER_GENERAL 0x1b

#define OID(octets)                                                                                \
	{                                                                                          \
		(const uint8_t *)(octets), sizeof(octets) - 1                                      \
	}
static const struct view oid_cn = OID("\x55\x04\x03");
static const struct view oid_upn = OID("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03");
static const struct view oid_krb = OID("\x2b\x06\x01\x05\x02\x02");
static const struct view oid_sid_extension = OID("\x2b\x06\x01\x04\x01\x82\x37\x19\x02");
static const struct view oid_sid = OID("\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01");

struct walk {
	enum value_kind kind;
	const struct oid *oid;
	value_func func;
	void *userdata;
};

static int give(const struct walk *w, const struct view *v, const struct view *raw)
{
	char text[LIMIT_RULE_VALUE + 1];
	bool good = v && v->n > 0 && v->n <= LIMIT_RULE_VALUE && !memchr(v->p, '\0', v->n);

	if (good) {
		memcpy(text, v->p, v->n);
		text[v->n] = '\0';
		good = text_ok(text, LIMIT_RULE_VALUE);
	}
	return w->func(good ? text : NULL, raw, w->userdata);
}

static int give_text(const struct walk *w, const char *s, const struct view *raw)
{
	struct view v = { (const uint8_t *)s, strlen(s) };

	return give(w, &v, raw);
}

static int give_name(const struct walk *w, const struct view *name)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	int r = name_put(&b, name);

	if (r == -ENOMEM)
		return r;
	return give(w, r == 0 ? &(struct view){ b.p, b.n } : NULL, NULL);
}

static bool is_text(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5;
}

static int walk_cn(const struct walk *w, const struct cert *c)
{
	struct view in = c->subject, rdns, rdn, pair, type, value;
	int r = 0;

	if (der_expect(&in, DER_SEQUENCE, &rdns) < 0)
		return -EBADMSG;
	while (r == 0 && rdns.n > 0) {
		if (der_expect(&rdns, DER_SET, &rdn) < 0)
			return -EBADMSG;
		while (r == 0 && rdn.n > 0) {
			uint8_t tag;

			if (der_expect(&rdn, DER_SEQUENCE, &pair) < 0 ||
			    der_expect(&pair, DER_OID, &type) < 0 ||
			    der_next(&pair, &tag, &value, NULL) < 0)
				return -EBADMSG;
			if (view_is(&type, oid_cn.p, oid_cn.n))
				r = give(w, is_text(tag) ? &value : NULL, NULL);
		}
	}
	return r;
}

/* --- otherName --- */

static bool krb_part(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] == '/' || v->p[i] == '@' || v->p[i] == '\\')
			return false; /* it would read as another principal */
	return v->n > 0;
}

/* PrincipalName, RFC 4120 5.2.2, without its type. */
static int put_principal(struct buf *b, struct view in)
{
	struct view seq, type, list, names, name;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0 || in.n > 0 ||
	    der_expect(&seq, DER_CONTEXT_CONS(0), &type) < 0 ||
	    der_expect(&seq, DER_CONTEXT_CONS(1), &list) < 0 || seq.n > 0 ||
	    der_expect(&list, DER_SEQUENCE, &names) < 0 || list.n > 0 || names.n == 0)
		return -EBADMSG;
	while (names.n > 0) {
		if (der_expect(&names, DER_GENERAL, &name) < 0 || !krb_part(&name))
			return -EBADMSG;
		if (b->n > 0)
			buf_put_u8(b, '/');
		buf_put(b, name.p, name.n);
	}
	return 0;
}

/* KRB5PrincipalName, RFC 4556 3.2.2. */
static int put_krb(struct buf *b, struct view in)
{
	struct view seq, realm, text, principal;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0 || in.n > 0 ||
	    der_expect(&seq, DER_CONTEXT_CONS(0), &realm) < 0 ||
	    der_expect(&realm, DER_GENERAL, &text) < 0 || realm.n > 0 || !krb_part(&text) ||
	    der_expect(&seq, DER_CONTEXT_CONS(1), &principal) < 0 || seq.n > 0 ||
	    put_principal(b, principal) < 0)
		return -EBADMSG;
	buf_put_u8(b, '@');
	buf_put(b, text.p, text.n);
	return b->error;
}

static int give_krb(const struct walk *w, const struct view *value)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	int r = put_krb(&b, *value);

	if (r == -ENOMEM)
		return r;
	return give(w, r == 0 ? &(struct view){ b.p, b.n } : NULL, value);
}

static int give_string(const struct walk *w, const struct view *value)
{
	struct view in = *value, text;
	uint8_t tag;
	bool good = der_next(&in, &tag, &text, NULL) == 0 && in.n == 0 &&
		    (is_text(tag) || (w->kind == VALUE_OTHER_TEXT && tag == DER_GENERAL));

	return give(w, good ? &text : NULL, value);
}

/* OtherName, RFC 5280 4.2.1.6: what is in its tag [0]. */
static int walk_other(const struct walk *w, struct view in)
{
	bool upn = w->kind == VALUE_UPN || w->kind == VALUE_PRINCIPAL;
	bool krb = w->kind == VALUE_KRB || w->kind == VALUE_PRINCIPAL;
	struct view type, value;

	if (der_expect(&in, DER_OID, &type) < 0 ||
	    der_expect(&in, DER_CONTEXT_CONS(0), &value) < 0 || in.n > 0)
		return -EBADMSG;
	if (w->kind == VALUE_OTHER_RAW)
		return give(w, NULL, &value);
	if (upn && view_is(&type, oid_upn.p, oid_upn.n))
		return give_string(w, &value);
	if (krb && view_is(&type, oid_krb.p, oid_krb.n))
		return give_krb(w, &value);
	if (w->kind == VALUE_OTHER_TEXT && view_is(&type, w->oid->p, w->oid->n))
		return give_string(w, &value);
	return 0;
}

/* --- subjectAltName --- */

static int give_ip(const struct walk *w, const struct view *v)
{
	char text[INET6_ADDRSTRLEN];
	int family = v->n == 4 ? AF_INET : AF_INET6;

	if ((v->n != 4 && v->n != 16) || !inet_ntop(family, v->p, text, sizeof(text)))
		return give(w, NULL, NULL);
	return give_text(w, text, NULL);
}

static int give_registered_id(const struct walk *w, const struct view *v)
{
	char text[OID_TEXT_SIZE];

	return oid_text(v, text) < 0 ? give(w, NULL, NULL) : give_text(w, text, NULL);
}

static int walk_name(const struct walk *w, uint8_t tag, const struct view *v,
		     const struct view *whole)
{
	static const uint8_t strings[] = { [VALUE_RFC822] = DER_CONTEXT(1),
					   [VALUE_DNS] = DER_CONTEXT(2),
					   [VALUE_URI] = DER_CONTEXT(6) };

	if (tag == DER_CONTEXT_CONS(0))
		return walk_other(w, *v);
	if ((size_t)w->kind < ARRAY_SIZE(strings) && strings[w->kind] == tag)
		return give(w, v, NULL);
	if (w->kind == VALUE_IP && tag == DER_CONTEXT(7))
		return give_ip(w, v);
	if (w->kind == VALUE_REGISTERED_ID && tag == DER_CONTEXT(8))
		return give_registered_id(w, v);
	if (w->kind == VALUE_DIRECTORY && tag == DER_CONTEXT_CONS(4))
		return give_name(w, v);
	if ((w->kind == VALUE_X400 && tag == DER_CONTEXT_CONS(3)) ||
	    (w->kind == VALUE_EDI && tag == DER_CONTEXT_CONS(5)))
		return give(w, NULL, whole);
	return 0;
}

static int walk_san(const struct walk *w, const struct cert *c)
{
	struct view san = c->san, v, whole;
	size_t n = 0;
	uint8_t tag;
	int r = 0;

	while (r == 0 && san.n > 0) {
		if (++n > LIMIT_RULE_NAMES)
			return -E2BIG;
		r = der_next(&san, &tag, &v, &whole) < 0 ? -EBADMSG : walk_name(w, tag, &v, &whole);
	}
	return r;
}

/* [MS-WCCE] 2.2.2.7.7.4: GeneralNames, of which one is an otherName with an OCTET STRING. */
static int walk_sid(const struct walk *w, const struct cert *c)
{
	struct view in, names, name, type, value, text;
	int r = 0;

	if (!cert_extension(c, &oid_sid_extension, &in))
		return 0;
	if (der_expect(&in, DER_SEQUENCE, &names) < 0 || in.n > 0)
		return -EBADMSG;
	while (r == 0 && names.n > 0) {
		uint8_t tag;

		if (der_next(&names, &tag, &name, NULL) < 0)
			return -EBADMSG;
		if (tag != DER_CONTEXT_CONS(0))
			continue;
		if (der_expect(&name, DER_OID, &type) < 0)
			return -EBADMSG;
		if (!view_is(&type, oid_sid.p, oid_sid.n))
			continue;
		if (der_expect(&name, DER_CONTEXT_CONS(0), &value) < 0 || name.n > 0 ||
		    der_expect(&value, DER_OCTET_STRING, &text) < 0 || value.n > 0)
			return -EBADMSG;
		r = give(w, &text, NULL);
	}
	return r;
}

int cert_values(const struct cert *c, enum value_kind kind, const struct oid *oid, value_func func,
		void *userdata)
{
	struct walk w = { kind, oid, func, userdata };
	char serial[HEX_SIZE(LIMIT_RULE_VALUE / 2)];

	switch (kind) {
	case VALUE_SUBJECT:
		return give_name(&w, &c->subject);
	case VALUE_ISSUER:
		return give_name(&w, &c->issuer);
	case VALUE_CN:
		return walk_cn(&w, c);
	case VALUE_SID:
		return walk_sid(&w, c);
	case VALUE_SERIAL:
		if (c->serial.n > LIMIT_RULE_VALUE / 2)
			return give(&w, NULL, NULL);
		hex_encode(c->serial.p, c->serial.n, serial);
		return give_text(&w, serial, NULL);
	case VALUE_RFC822:
	case VALUE_DNS:
	case VALUE_URI:
	case VALUE_IP:
	case VALUE_REGISTERED_ID:
	case VALUE_DIRECTORY:
	case VALUE_X400:
	case VALUE_EDI:
	case VALUE_UPN:
	case VALUE_KRB:
	case VALUE_PRINCIPAL:
	case VALUE_OTHER_TEXT:
	case VALUE_OTHER_RAW:
		return walk_san(&w, c);
	}
	return -EBADMSG;
}
