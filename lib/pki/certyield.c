// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/name.h"
#include "lib/pki/certmap.h"
#include "lib/pki/certvalue.h"

enum take { TAKE_WHOLE, TAKE_ADDRESS, TAKE_LOCAL, TAKE_PATH, TAKE_SID };

static const struct field {
	const char *name;
	enum value_kind kind;
	enum take take;
	const char *what; /* for people */
} fields[] = {
	{ "mail", VALUE_RFC822, TAKE_ADDRESS, "rfc822Name" },
	{ "mail.local", VALUE_RFC822, TAKE_LOCAL, "rfc822Name" },
	{ "upn", VALUE_UPN, TAKE_ADDRESS, "principal name (UPN)" },
	{ "upn.local", VALUE_UPN, TAKE_LOCAL, "principal name (UPN)" },
	{ "krb", VALUE_KRB, TAKE_ADDRESS, "Kerberos principal" },
	{ "krb.local", VALUE_KRB, TAKE_LOCAL, "Kerberos principal" },
	{ "subject.cn", VALUE_CN, TAKE_WHOLE, "CN" },
	{ "uri.path", VALUE_URI, TAKE_PATH, "URI" },
	{ "dns", VALUE_DNS, TAKE_WHOLE, "dNSName" },
	{ "sid", VALUE_SID, TAKE_SID, "SID" },
	{ "serial", VALUE_SERIAL, TAKE_WHOLE, "serial number" },
};

struct part {
	const struct field *field; /* NULL: text */
	char *text;
};

struct certmap_yield {
	size_t n, n_domains;
	struct part parts[LIMIT_YIELD_PARTS];
	char *domains[LIMIT_RULE_DOMAINS];
};

static int _printf_(3, 4) refuse(struct certmap_error *e, size_t at, const char *format, ...)
{
	va_list ap;

	e->at = at;
	va_start(ap, format);
	(void)vsnprintf(e->why, sizeof(e->why), format, ap);
	va_end(ap);
	return -EINVAL;
}

static bool has_domain(const struct field *f)
{
	return f->take == TAKE_ADDRESS || f->take == TAKE_LOCAL;
}

bool certmap_domain_ok(const char *domain)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t n = strlen(domain);

	return n >= 1 && n <= 253 && strspn(domain, allowed) == n && *domain != '.' &&
	       *domain != '-' && domain[n - 1] != '.' && !strstr(domain, "..");
}

static int parse_domains(struct certmap_yield *y, const char *s, struct certmap_error *e)
{
	if (strnlen(s, LIMIT_RULE_DOMAINS_BYTES + 1) > LIMIT_RULE_DOMAINS_BYTES)
		return refuse(e, 0, "the domains are too long");
	for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		if (y->n_domains == LIMIT_RULE_DOMAINS)
			return refuse(e, 0, "more than %d domains", LIMIT_RULE_DOMAINS);
		y->domains[y->n_domains] = strndup(s, n);
		if (!y->domains[y->n_domains])
			return -ENOMEM;
		if (!certmap_domain_ok(y->domains[y->n_domains++]))
			return refuse(e, 0, "this cannot be a domain: %.*s", (int)(n < 64 ? n : 64),
				      s);
		s += n;
	}
	return 0;
}

static const struct field *field_find(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == n && memcmp(fields[i].name, s, n) == 0)
			return &fields[i];
	return NULL;
}

static int parse_part(struct certmap_yield *y, const char *text, size_t *at,
		      struct certmap_error *e)
{
	const char *s = text + *at;
	struct part *p = &y->parts[y->n];
	size_t n = strcspn(s, "{}");

	if (y->n == LIMIT_YIELD_PARTS)
		return refuse(e, *at, "more than %d parts", LIMIT_YIELD_PARTS);
	if (*s == '}')
		return refuse(e, *at, "a } without its {");
	if (n > 0) {
		p->text = strndup(s, n);
		if (!p->text)
			return -ENOMEM;
		*at += n;
	} else {
		n = strcspn(s + 1, "{}");
		if (s[1 + n] != '}')
			return refuse(e, *at, "a { without its }");
		p->field = field_find(s + 1, n);
		if (!p->field)
			return refuse(e, *at, "unknown field {%.*s}", (int)(n < 64 ? n : 64),
				      s + 1);
		if (has_domain(p->field) && y->n_domains == 0)
			return refuse(e, *at, "{%s} needs the domains that are allowed after the @",
				      p->field->name);
		*at += n + 2;
	}
	y->n++;
	return 0;
}

/* The text around the fields: can anything come out of it that names an identity? */
static bool could_be_name(const struct certmap_yield *y)
{
	char probe[LIMIT_YIELD_BYTES + LIMIT_YIELD_PARTS + 1] = "";

	for (size_t i = 0; i < y->n; i++)
		strcat(probe, y->parts[i].field ? "x" : y->parts[i].text);
	return identity_name_ok(probe);
}

static int parse_yield(struct certmap_yield *y, const char *text, struct certmap_error *e)
{
	bool needed = false;
	size_t at = 0;
	int r = 0;

	if (!*text || strnlen(text, LIMIT_YIELD_BYTES + 1) > LIMIT_YIELD_BYTES)
		return refuse(e, 0, "%s", *text ? "it is too long" : "it is empty");
	while (r == 0 && text[at])
		r = parse_part(y, text, &at, e);
	if (r < 0)
		return r;
	if (!could_be_name(y))
		return refuse(e, 0, "what comes out of this cannot be the name of an identity");
	for (size_t i = 0; i < y->n; i++)
		needed = needed || (y->parts[i].field && has_domain(y->parts[i].field));
	return y->n_domains > 0 && !needed ? refuse(e, 0, "no field of it has a domain") : 0;
}

int certmap_yield_parse(const char *text, const char *domains, struct certmap_yield **ret,
			struct certmap_error *ret_error)
{
	_cleanup_(certmap_yield_freep) struct certmap_yield *y = calloc(1, sizeof(*y));
	int r;

	if (!y)
		return -ENOMEM;
	r = parse_domains(y, domains, ret_error);
	if (r == 0)
		r = parse_yield(y, text, ret_error);
	if (r < 0)
		return r;
	*ret = STEAL(y);
	return 0;
}

struct certmap_yield *certmap_yield_free(struct certmap_yield *y)
{
	for (size_t i = 0; y && i < y->n; i++)
		free(y->parts[i].text);
	for (size_t i = 0; y && i < y->n_domains; i++)
		free(y->domains[i]);
	free(y);
	return NULL;
}

/* --- what a certificate yields --- */

struct found {
	char text[LIMIT_RULE_VALUE + 1]; /* "": none yet */
	bool malformed, differs;
};

static int find_value(const char *text, _unused_ const struct view *raw, void *userdata)
{
	struct found *f = userdata;

	if (!text)
		f->malformed = true;
	else if (!*f->text)
		memcpy(f->text, text, strlen(text) + 1);
	else
		f->differs = f->differs || strcmp(f->text, text) != 0;
	return 0;
}

struct why {
	char *text;
	size_t size;
};

static int _printf_(2, 3) none(const struct why *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why->text, why->size, format, ap);
	va_end(ap);
	return -ENOENT;
}

/* "local@domain", in place: its domain as the rule spells it, or none of it left. */
static int take_address(const struct certmap_yield *y, const struct field *f, char *s,
			const struct why *why)
{
	char *at = strchr(s, '@');

	if (!at || at == s || strchr(at + 1, '@'))
		return none(why, "the %s has not the form local@domain", f->what);
	for (size_t i = 0; i < y->n_domains; i++)
		if (strcasecmp(at + 1, y->domains[i]) == 0) {
			memcpy(at + 1, y->domains[i], strlen(y->domains[i]));
			if (f->take == TAKE_LOCAL)
				*at = '\0';
			return 0;
		}
	return none(why, "the %s has a domain that the rule does not allow: %.64s", f->what,
		    at + 1);
}

/* RFC 3986 3.3, in place, without the slash at its head.  Not decoded: one name has one spelling.
 */
static int take_path(char *s, const struct why *why)
{
	char *path = strchr(s, ':');

	path = path ? path + 1 : s + strlen(s);
	if (strncmp(path, "//", 2) == 0)
		path += 2 + strcspn(path + 2, "/?#");
	if (*path == '/')
		path++;
	path[strcspn(path, "?#")] = '\0';
	if (!*path || strchr(path, '%'))
		return none(why, "the URI has no path, or one with %% in it");
	while ((*s++ = *path++)) /* to the front */
		;
	return 0;
}

static int take_value(const struct certmap_yield *y, const struct field *f, const struct cert *c,
		      struct found *ret, const struct why *why)
{
	int r = cert_values(c, f->kind, NULL, find_value, ret);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || ret->malformed)
		return none(why, "there is a %s that cannot be read", f->what);
	if (!*ret->text)
		return none(why, "the certificate has no %s", f->what);
	if (ret->differs)
		return none(why, "the certificate has more than one %s", f->what);
	switch (f->take) {
	case TAKE_ADDRESS:
	case TAKE_LOCAL:
		return take_address(y, f, ret->text, why);
	case TAKE_PATH:
		return take_path(ret->text, why);
	case TAKE_SID:
		if (strncmp(ret->text, "S-1-", 4) != 0 ||
		    strspn(ret->text + 4, "0123456789-") != strlen(ret->text + 4))
			return none(why, "the SID has not the form S-1-...");
		return 0;
	case TAKE_WHOLE:
		return 0;
	}
	return none(why, "unknown field");
}

int certmap_yield_name(const struct certmap_yield *y, const struct cert *c,
		       char ret[LIMIT_IDENTITY + 1], char *ret_why, size_t size)
{
	const struct why why = { ret_why, size };
	char name[LIMIT_IDENTITY + 1] = "";

	for (size_t i = 0; i < y->n; i++) {
		struct found found = { .text = "" };
		const char *text = y->parts[i].text;

		if (y->parts[i].field) {
			int r = take_value(y, y->parts[i].field, c, &found, &why);

			if (r < 0)
				return r;
			text = found.text;
		}
		if (strlen(name) + strlen(text) > LIMIT_IDENTITY)
			return none(&why, "the name is longer than %d bytes", LIMIT_IDENTITY);
		strcat(name, text);
	}
	if (!identity_name_ok(name))
		return none(&why, "this cannot be the name of an identity: %.128s", name);
	memcpy(ret, name, sizeof(name));
	return 0;
}
