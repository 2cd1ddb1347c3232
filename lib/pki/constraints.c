// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/constraints.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/base/cleanup.h"
#include "lib/pki/der.h"
#include "lib/pki/dn.h"

/* GeneralName, by its context tag (4.2.1.6) */
enum {
	NAME_EMAIL = 1,
	NAME_DNS = 2,
	NAME_DIRECTORY = 4,
	NAME_URI = 6,
	NAME_IP = 7,
	NAME_FORMS = 9
};

/* What a match says: of a name, or of a constraint, that cannot be read nothing good can be said.
 */
enum match { MATCH_NO, MATCH_YES, MATCH_UNKNOWN };

struct name {
	unsigned form;
	struct view value;
};

/* --- hosts --- */

static bool ends_with(const struct view *s, const struct view *end)
{
	return s->n >= end->n &&
	       strncasecmp((const char *)s->p + s->n - end->n, (const char *)end->p, end->n) == 0;
}

/* `host` is `domain`, or below it. */
static bool host_within(const struct view *host, const struct view *domain)
{
	if (domain->n == 0)
		return true;
	return ends_with(host, domain) &&
	       (host->n == domain->n || host->p[host->n - domain->n - 1] == '.');
}

/* RFC 1034 3.5 as RFC 1123 2.1 has it, and the underscore that people use. */
static bool host_ok(const struct view *host)
{
	size_t label = 0;

	if (host->n == 0 || host->n > 253)
		return false;
	for (size_t i = 0; i < host->n; i++) {
		uint8_t c = host->p[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
			label++;
		} else if ((c >= '0' && c <= '9') || c == '-' || c == '_') {
			label++;
		} else {
			return false;
		}
		if (label > 63)
			return false;
	}
	return label > 0;
}

static struct view skip(const struct view *v, size_t n)
{
	return (struct view){ v->p + n, v->n - n };
}

static enum match match_dns(const struct view *name, const struct view *base, bool excluded)
{
	struct view host = *name;
	bool wildcard = name->n > 2 && name->p[0] == '*' && name->p[1] == '.';

	if (wildcard)
		host = skip(name, 2);
	if (!host_ok(&host) || (base->n > 0 && !host_ok(base)))
		return MATCH_UNKNOWN;
	if (host_within(&host, base))
		return MATCH_YES;
	return wildcard && excluded && host_within(base, &host) ? MATCH_YES : MATCH_NO;
}

/* Of a host that is one: "host" is that host alone, ".domain" what is below (rfc822Name,
 * uniformResourceIdentifier). */
static enum match match_host(const struct view *host, const struct view *base)
{
	struct view domain = *base;

	if (base->n > 0 && base->p[0] == '.')
		domain = skip(base, 1);
	if (!host_ok(&domain))
		return MATCH_UNKNOWN;
	if (domain.n == base->n)
		return host->n == base->n && ends_with(host, base) ? MATCH_YES : MATCH_NO;
	return host->n > domain.n && host_within(host, &domain) ? MATCH_YES : MATCH_NO;
}

/* --- the forms --- */

/* Splits at the only '@'. */
static bool mailbox(const struct view *v, struct view *ret_local, struct view *ret_host)
{
	const uint8_t *at = v->n > 0 ? memchr(v->p, '@', v->n) : NULL;

	if (!at || at == v->p)
		return false;
	*ret_local = (struct view){ v->p, (size_t)(at - v->p) };
	*ret_host = skip(v, ret_local->n + 1);
	return ret_host->n > 0 && !memchr(ret_host->p, '@', ret_host->n);
}

static enum match match_email(const struct view *name, const struct view *base)
{
	struct view local, host, base_local, base_host;

	if (!mailbox(name, &local, &host) || !host_ok(&host))
		return MATCH_UNKNOWN;
	if (!mailbox(base, &base_local, &base_host))
		return base->n > 0 && memchr(base->p, '@', base->n) ? MATCH_UNKNOWN
								    : match_host(&host, base);
	/* the local part is its host's: octets (RFC 5280 7.5) */
	return view_is(&local, base_local.p, base_local.n) && host.n == base_host.n &&
			       ends_with(&host, &base_host)
		       ? MATCH_YES
		       : MATCH_NO;
}

static bool is_ipv4_text(const struct view *host)
{
	for (size_t i = 0; i < host->n; i++)
		if ((host->p[i] < '0' || host->p[i] > '9') && host->p[i] != '.')
			return false;
	return true;
}

/* RFC 3986 3.2: the host of scheme://user@host:port/..., which must be a name. */
static bool uri_host(const struct view *uri, struct view *ret)
{
	const uint8_t *slashes = memmem(uri->p, uri->n, "://", 3);
	struct view host;
	size_t n;
	const uint8_t *at, *colon;

	if (!slashes || slashes == uri->p)
		return false;
	host = skip(uri, (size_t)(slashes - uri->p) + 3);
	for (n = 0; n < host.n && !strchr("/?#", host.p[n] ? host.p[n] : 'x'); n++)
		;
	host.n = n;
	at = host.n > 0 ? memrchr(host.p, '@', host.n) : NULL;
	if (at)
		host = skip(&host, (size_t)(at - host.p) + 1);
	colon = host.n > 0 ? memchr(host.p, ':', host.n) : NULL;
	if (colon)
		host.n = (size_t)(colon - host.p);
	*ret = host;
	return host_ok(&host) && !is_ipv4_text(&host);
}

static enum match match_uri(const struct view *name, const struct view *base)
{
	struct view host;

	return uri_host(name, &host) ? match_host(&host, base) : MATCH_UNKNOWN;
}

/* Address and mask, of the name's family. */
static enum match match_ip(const struct view *name, const struct view *base)
{
	bool ended = false, same = true;

	if ((name->n != 4 && name->n != 16) || (base->n != 8 && base->n != 32))
		return MATCH_UNKNOWN;
	for (size_t i = 0; i < base->n / 2; i++) {
		uint8_t mask = base->p[base->n / 2 + i];

		for (int bit = 7; bit >= 0; bit--) { /* RFC 4632: ones, then zeros */
			if (ended && mask >> bit & 1)
				return MATCH_UNKNOWN;
			ended |= !(mask >> bit & 1);
		}
		if (base->n == 2 * name->n)
			same &= !((name->p[i] ^ base->p[i]) & mask);
	}
	return base->n == 2 * name->n && same ? MATCH_YES : MATCH_NO;
}

static enum match match_directory(const struct view *name, const struct view *base,
				  unsigned *budget)
{
	int r = dn_within(name, base, budget);

	return r < 0 ? MATCH_UNKNOWN : r > 0 ? MATCH_YES : MATCH_NO;
}

static enum match match_form(const struct name *name, const struct view *base, bool excluded,
			     unsigned *budget)
{
	switch (name->form) {
	case NAME_EMAIL:
		return match_email(&name->value, base);
	case NAME_DNS:
		return match_dns(&name->value, base, excluded);
	case NAME_DIRECTORY:
		return match_directory(&name->value, base, budget);
	case NAME_URI:
		return match_uri(&name->value, base);
	case NAME_IP:
		return match_ip(&name->value, base);
	default:
		return MATCH_UNKNOWN;
	}
}

/* --- subtrees --- */

static unsigned form_of(uint8_t tag)
{
	/* [n], primitive or constructed: 0x80 | n, 0xa0 | n */
	return (tag & 0xc0) == 0x80 && (tag & 0x1f) < NAME_FORMS ? tag & 0x1f : NAME_FORMS;
}

/* directoryName is EXPLICIT: its contents are a whole Name. */
static int general_name(struct view *in, struct name *ret)
{
	uint8_t tag;

	if (der_next(in, &tag, &ret->value, NULL) < 0)
		return -EBADMSG;
	ret->form = form_of(tag);
	return 0;
}

/* GeneralSubtree: `minimum` is 0 and left out, `maximum` absent; with either it matches unknown. */
static int subtree_next(struct view *in, struct name *ret, bool *ret_plain)
{
	struct view seq;

	if (der_expect(in, DER_SEQUENCE, &seq) < 0 || general_name(&seq, ret) < 0)
		return -EBADMSG;
	*ret_plain = seq.n == 0;
	return 0;
}

/* The best that the subtrees of the name's form say; MATCH_NO, and *ret_any false, without one. */
static enum match match_any(const struct name *name, struct view subtrees, bool excluded,
			    bool *ret_any, unsigned *budget)
{
	enum match found = MATCH_NO;

	*ret_any = false;
	while (subtrees.n > 0) {
		struct name base;
		enum match m;
		bool plain;

		if (*budget == 0 || subtree_next(&subtrees, &base, &plain) < 0)
			return MATCH_UNKNOWN;
		--*budget;
		if (base.form != name->form)
			continue;
		*ret_any = true;
		m = plain ? match_form(name, &base.value, excluded, budget) : MATCH_UNKNOWN;
		if (m == MATCH_YES && !excluded)
			return MATCH_YES;
		if (m != MATCH_NO)
			found = m;
	}
	return found;
}

static int check_name(const struct name *name, const struct cert *issuer, unsigned *budget)
{
	enum match m;
	bool any;

	m = match_any(name, issuer->permitted, false, &any, budget);
	if ((any || m == MATCH_UNKNOWN) && m != MATCH_YES)
		return -EPERM;
	m = match_any(name, issuer->excluded, true, &any, budget);
	return m == MATCH_NO ? 0 : -EPERM;
}

/* --- names of a certificate --- */

/* emailAddress, 1.2.840.113549.1.9.1, anywhere in the subject */
static int check_subject_emails(const struct cert *c, const struct cert *issuer, unsigned *budget)
{
	static const uint8_t type[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01 };
	struct view in = c->subject, rdns, rdn, pair, oid;
	struct name email = { .form = NAME_EMAIL };
	uint8_t tag;

	if (der_expect(&in, DER_SEQUENCE, &rdns) < 0)
		return -EPERM;
	while (rdns.n > 0) {
		if (der_expect(&rdns, DER_SET, &rdn) < 0)
			return -EPERM;
		while (rdn.n > 0) {
			if (der_expect(&rdn, DER_SEQUENCE, &pair) < 0 ||
			    der_expect(&pair, DER_OID, &oid) < 0 ||
			    der_next(&pair, &tag, &email.value, NULL) < 0)
				return -EPERM;
			if (view_is(&oid, type, sizeof(type)) &&
			    check_name(&email, issuer, budget) < 0)
				return -EPERM;
		}
	}
	return 0;
}

static int check_cert(const struct cert *c, const struct cert *issuer, unsigned *budget)
{
	struct name name = { .form = NAME_DIRECTORY, .value = c->subject };
	struct view san = c->san;
	bool has_email = false;

	if (!dn_empty(&c->subject) && check_name(&name, issuer, budget) < 0)
		return -EPERM;
	while (san.n > 0) {
		if (general_name(&san, &name) < 0 || check_name(&name, issuer, budget) < 0)
			return -EPERM;
		has_email |= name.form == NAME_EMAIL;
	}
	return has_email ? 0 : check_subject_emails(c, issuer, budget);
}

static bool constrains(const struct cert *c)
{
	return c->permitted.n > 0 || c->excluded.n > 0;
}

int constraints_check(const struct cert *const *path, size_t n, const struct cert *anchor)
{
	unsigned budget = CONSTRAINTS_MAX_COMPARISONS;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && dn_equal(&path[i]->subject, &path[i]->issuer))
			continue;
		for (size_t j = i + 1; j <= n; j++) {
			const struct cert *issuer = j < n ? path[j] : anchor;

			if (constrains(issuer) && check_cert(path[i], issuer, &budget) < 0)
				return budget == 0 ? -E2BIG : -EPERM;
		}
	}
	return 0;
}

static int read_subtrees(struct view *in, uint8_t tag, struct view *ret)
{
	struct view list;
	struct name base;
	bool found, plain;

	if (der_optional(in, tag, ret, &found) < 0)
		return -EBADMSG;
	if (!found)
		return 0;
	list = *ret;
	if (list.n == 0)
		return -EBADMSG;
	while (list.n > 0)
		if (subtree_next(&list, &base, &plain) < 0)
			return -EBADMSG;
	return 0;
}

int constraints_read(struct view value, struct view *ret_permitted, struct view *ret_excluded)
{
	struct view seq;

	/* 4.2.1.10: not an empty sequence */
	if (der_expect(&value, DER_SEQUENCE, &seq) < 0 || value.n > 0 || seq.n == 0 ||
	    read_subtrees(&seq, DER_CONTEXT_CONS(0), ret_permitted) < 0 ||
	    read_subtrees(&seq, DER_CONTEXT_CONS(1), ret_excluded) < 0 || seq.n > 0)
		return -EBADMSG;
	return 0;
}
