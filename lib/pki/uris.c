// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/uris.h"

#include <errno.h>

#include "lib/pki/der.h"

struct uris {
	struct view *p;
	size_t n;
};

static void add(struct uris *u, struct view uri)
{
	if (u->n < CERT_URIS_MAX)
		u->p[u->n++] = uri;
}

/* GeneralName: uniformResourceIdentifier [6] IA5String; the other forms are passed over. */
static int read_name(struct view *names, struct uris *u)
{
	struct view content;
	uint8_t tag;

	if (der_next(names, &tag, &content, NULL) < 0)
		return -EBADMSG;
	if (tag == DER_CONTEXT(6))
		add(u, content);
	return 0;
}

static int read_point(struct view point, struct uris *u)
{
	struct view name, full, skipped;
	bool has_name, has_full, has_reasons, has_issuer;

	if (der_optional(&point, DER_CONTEXT_CONS(0), &name, &has_name) < 0 ||
	    der_optional(&point, DER_CONTEXT(1), &skipped, &has_reasons) < 0 ||
	    der_optional(&point, DER_CONTEXT_CONS(2), &skipped, &has_issuer) < 0 || point.n > 0)
		return -EBADMSG;
	if (!has_name || has_reasons || has_issuer)
		return 0;
	if (der_optional(&name, DER_CONTEXT_CONS(0), &full, &has_full) < 0 ||
	    (!has_full && der_expect(&name, DER_CONTEXT_CONS(1), &skipped) < 0) || name.n > 0)
		return -EBADMSG;
	while (has_full && full.n > 0)
		if (read_name(&full, u) < 0)
			return -EBADMSG;
	return 0;
}

static int read_points(struct view list, struct uris *u)
{
	while (list.n > 0) {
		struct view point;

		if (der_expect(&list, DER_SEQUENCE, &point) < 0 || read_point(point, u) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int read_access(struct view list, struct uris *u)
{
	while (list.n > 0) {
		struct view description, method;
		struct uris ignored = { 0 };
		bool ocsp;

		if (der_expect(&list, DER_SEQUENCE, &description) < 0 ||
		    der_expect(&description, DER_OID, &method) < 0)
			return -EBADMSG;
		ocsp = view_is(&method, "\x2b\x06\x01\x05\x05\x07\x30\x01", 8);
		ignored.n = CERT_URIS_MAX; /* full: nothing is written */
		if (read_name(&description, ocsp ? u : &ignored) < 0 || description.n > 0)
			return -EBADMSG;
	}
	return 0;
}

static const struct {
	struct view oid;
	int (*read)(struct view list, struct uris *u);
} extensions[] = {
	[CERT_URIS_CRL] = { { (const uint8_t *)"\x55\x1d\x1f", 3 }, read_points },
	[CERT_URIS_OCSP] = { { (const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x01\x01", 8 },
			     read_access },
};

int cert_uris(const struct cert *c, enum cert_uris which, struct view ret[CERT_URIS_MAX],
	      size_t *ret_n)
{
	struct view in = c->extensions;
	struct uris u = { .p = ret };

	while (in.n > 0) {
		struct view extension, oid, critical, value, list;
		bool has_critical;

		if (der_expect(&in, DER_SEQUENCE, &extension) < 0 ||
		    der_expect(&extension, DER_OID, &oid) < 0 ||
		    der_optional(&extension, DER_BOOLEAN, &critical, &has_critical) < 0 ||
		    der_expect(&extension, DER_OCTET_STRING, &value) < 0)
			return -EBADMSG;
		if (!view_is(&oid, extensions[which].oid.p, extensions[which].oid.n))
			continue;
		if (der_expect(&value, DER_SEQUENCE, &list) < 0 || value.n > 0 ||
		    extensions[which].read(list, &u) < 0)
			return -EBADMSG;
	}
	*ret_n = u.n;
	return 0;
}
