// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/form.h"

#include <string.h>

#include "lib/pki/der.h"

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_graphic(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] <= ' ' || v->p[i] >= 0x7f)
			return false;
	return true;
}

static struct view skip(const struct view *v, size_t n)
{
	return (struct view){ v->p + n, v->n - n };
}

/* RFC 1034 3.5 as RFC 1123 2.1 has it. */
static bool label_ok(const struct view *label)
{
	if (label->n < 1 || label->n > 63 || label->p[0] == '-' || label->p[label->n - 1] == '-')
		return false;
	for (size_t i = 0; i < label->n; i++)
		if (!is_letter(label->p[i]) && !is_digit(label->p[i]) && label->p[i] != '-')
			return false;
	return true;
}

static bool all_digits(const struct view *label)
{
	for (size_t i = 0; i < label->n; i++)
		if (!is_digit(label->p[i]))
			return false;
	return true;
}

static bool host_ok(struct view host)
{
	if (host.n < 1 || host.n > 253)
		return false;
	for (;;) {
		const uint8_t *dot = memchr(host.p, '.', host.n);
		struct view label = { host.p, dot ? (size_t)(dot - host.p) : host.n };

		if (!label_ok(&label))
			return false;
		if (!dot)
			return !all_digits(&label); /* else it is an address */
		host = skip(&host, label.n + 1);
		if (host.n == 0)
			return false;
	}
}

static bool dns_ok(const struct view *name)
{
	bool wildcard = name->n > 2 && name->p[0] == '*' && name->p[1] == '.';

	return name->n <= 253 && host_ok(wildcard ? skip(name, 2) : *name);
}

static bool email_ok(const struct view *name)
{
	const uint8_t *at = name->n > 0 ? memchr(name->p, '@', name->n) : NULL;

	return at && at > name->p && is_graphic(name) &&
	       host_ok(skip(name, (size_t)(at - name->p) + 1));
}

static bool uri_ok(const struct view *name)
{
	size_t n = 0;

	while (n < name->n &&
	       (is_letter(name->p[n]) ||
		(n > 0 && (is_digit(name->p[n]) || (name->p[n] && strchr("+-.", name->p[n]))))))
		n++;
	return n > 0 && n + 1 < name->n && name->p[n] == ':' && is_graphic(name);
}

static bool one_of(struct view in, uint8_t tag)
{
	struct view content;

	return der_expect(&in, tag, &content) == 0 && in.n == 0;
}

static bool other_ok(struct view in)
{
	struct view oid;

	return der_expect(&in, DER_OID, &oid) == 0 && one_of(in, DER_CONTEXT_CONS(0));
}

static bool general_name_ok(struct view *in)
{
	struct view value;
	uint8_t tag;

	if (der_next(in, &tag, &value, NULL) < 0)
		return false;
	switch (tag) {
	case DER_CONTEXT_CONS(0):
		return other_ok(value);
	case DER_CONTEXT(1):
		return email_ok(&value);
	case DER_CONTEXT(2):
		return dns_ok(&value);
	case DER_CONTEXT_CONS(3): /* x400Address */
	case DER_CONTEXT_CONS(5): /* ediPartyName */
		return true;
	case DER_CONTEXT_CONS(4):
		return one_of(value, DER_SEQUENCE) && form_name(value);
	case DER_CONTEXT(6):
		return uri_ok(&value);
	case DER_CONTEXT(7):
		return value.n == 4 || value.n == 16;
	case DER_CONTEXT(8):
		return value.n > 0;
	default:
		return false;
	}
}

bool form_general_names(struct view names)
{
	bool ok = names.n > 0;

	while (ok && names.n > 0)
		ok = general_name_ok(&names);
	return ok;
}

static bool is_ascii(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] == 0 || v->p[i] >= 0x80)
			return false;
	return true;
}

bool form_name(struct view name)
{
	struct view rdns, rdn, pair, type, value;
	uint8_t tag;

	if (der_expect(&name, DER_SEQUENCE, &rdns) < 0)
		return false;
	while (rdns.n > 0) {
		if (der_expect(&rdns, DER_SET, &rdn) < 0)
			return false;
		while (rdn.n > 0) {
			if (der_expect(&rdn, DER_SEQUENCE, &pair) < 0 ||
			    der_expect(&pair, DER_OID, &type) < 0 ||
			    der_next(&pair, &tag, &value, NULL) < 0 || pair.n > 0 ||
			    (tag == DER_IA5 && !is_ascii(&value)))
				return false;
		}
	}
	return true;
}

bool form_access_descriptions(struct view list)
{
	bool ok = list.n > 0;

	while (ok && list.n > 0) {
		struct view description, method;

		ok = der_expect(&list, DER_SEQUENCE, &description) == 0 &&
		     der_expect(&description, DER_OID, &method) == 0 &&
		     general_name_ok(&description) && description.n == 0;
	}
	return ok;
}

bool form_distribution_points(struct view list)
{
	bool ok = list.n > 0;

	while (ok && list.n > 0) {
		struct view point;

		ok = der_expect(&list, DER_SEQUENCE, &point) == 0;
	}
	return ok;
}
