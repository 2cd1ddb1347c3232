// SPDX-License-Identifier: GPL-2.0-or-later
/* A matching rule, a template, its domains and a certificate, the first three ended by a NUL: what
 * is taken can be evaluated, and what comes out is the name of an identity. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/name.h"
#include "lib/pki/certmap.h"
#include "lib/pki/certvalue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *next_text(const uint8_t **data, size_t *size)
{
	const uint8_t *s = *data, *end = *size > 0 ? memchr(s, '\0', *size) : NULL;

	if (!end)
		return NULL;
	*size -= (size_t)(end + 1 - s);
	*data = end + 1;
	return (const char *)s;
}

static void error_is_told(const char *text, const struct certmap_error *e)
{
	if (!*e->why || e->at > strlen(text))
		abort();
}

/* Every kind of value: text is text, and what is raw lies within the certificate. */
static int on_value(const char *text, const struct view *raw, void *userdata)
{
	const struct cert *c = userdata;

	if (text && (!*text || !text_ok(text, LIMIT_RULE_VALUE)))
		abort();
	if (raw && raw->n > 0 && (raw->p < c->der.p || raw->p + raw->n > c->der.p + c->der.n))
		abort();
	return 0;
}

static void evaluate(const struct certmap_match *m, const struct certmap_yield *y, struct cert *c)
{
	static const struct oid oid = { { 0x2a, 0x03, 0x04 }, 3 };
	char missed[200] = "", name[LIMIT_IDENTITY + 1] = "", why[160] = "";
	int r;

	for (unsigned kind = VALUE_SUBJECT; kind <= VALUE_SERIAL; kind++)
		(void)cert_values(c, (enum value_kind)kind, &oid, on_value, c);
	if (m && !certmap_matches(m, c, missed, sizeof(missed)) && *missed != '<')
		abort();
	if (!y)
		return;
	r = certmap_yield_name(y, c, name, why, sizeof(why));
	if (r == 0 ? !identity_name_ok(name) : r == -ENOENT && (*name || !*why))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(certmap_match_freep) struct certmap_match *m = NULL;
	_cleanup_(certmap_yield_freep) struct certmap_yield *y = NULL;
	_cleanup_(cert_freep) struct cert *c = NULL;
	const char *rule = next_text(&data, &size), *template = next_text(&data, &size);
	const char *domains = next_text(&data, &size);
	struct certmap_error e = { 0, "" };

	if (!rule || !template || !domains)
		return 0;
	if (certmap_match_parse(rule, &m, &e) == -EINVAL)
		error_is_told(rule, &e);
	e = (struct certmap_error){ 0, "" };
	if (certmap_yield_parse(template, domains, &y, &e) == -EINVAL)
		error_is_told(template, &e);
	if (cert_parse(data, size, &c) == 0)
		evaluate(m, y, c);
	return 0;
}
