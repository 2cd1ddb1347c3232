// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/certmap.h"

#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/encode.h"
#include "lib/base/name.h"
#include "lib/pki/certvalue.h"
#include "lib/pki/der.h"

struct component;
struct parse;

/* What stands in angle brackets. */
struct keyword {
	const char *name;
	enum value_kind kind;
	int (*parse)(struct parse *p, struct component *c);
	bool (*look)(const struct component *c, const struct cert *cert, bool any);
};

struct component {
	const struct keyword *keyword;
	size_t at, value, end; /* of the text: the bracket, what is after it, its end */
	struct oid other;      /* VALUE_OTHER_TEXT */
	bool has_regex;
	regex_t regex;
	uint8_t *blob;
	size_t blob_n;
	unsigned usage;
	struct oid oids[LIMIT_RULE_OIDS];
	size_t n_oids;
};

struct certmap_match {
	char *text;
	bool any; /* "||" */
	size_t n;
	struct component components[LIMIT_RULE_COMPONENTS];
};

struct parse {
	const char *text;
	size_t at;
	struct certmap_match *m;
	struct certmap_error *error;
};

static int _printf_(3, 4) refuse(struct parse *p, size_t at, const char *format, ...)
{
	va_list ap;

	p->error->at = at;
	va_start(ap, format);
	(void)vsnprintf(p->error->why, sizeof(p->error->why), format, ap);
	va_end(ap);
	return -EINVAL;
}

/* --- regular expressions --- */

/* Past "[...]", in which nothing but its end has a meaning here. */
static size_t past_brackets(const char *s, size_t i)
{
	i++;
	if (s[i] == '^')
		i++;
	if (s[i] == ']')
		i++;
	while (s[i] && s[i] != ']') {
		char kind = s[i + 1];

		if (s[i] == '[' && (kind == ':' || kind == '.' || kind == '=')) {
			const char end[] = { kind, ']', '\0' };
			const char *close = strstr(s + i + 2, end);

			i = close ? (size_t)(close - s) + 1 : i;
		}
		i++;
	}
	return s[i] ? i : i - 1;
}

/* How often "{n}", "{n,m}" or "{n,}" at s has its operand written out. */
static unsigned long repeats(const char *s)
{
	unsigned long low = 0, high = 0;

	if (sscanf(s, "{%5lu,%5lu}", &low, &high) < 1)
		return 1;
	high = high > low ? high : low;
	return high > 0 ? high : 1;
}

/* Nodes that libc makes of it, about: what it repeats it copies, or walks as if it had. */
struct cost {
	struct {
		unsigned long sum, last; /* of the group; of its newest operand */
	} groups[LIMIT_RULE_GROUPS];
	size_t depth;
	bool repeated; /* the character before this one is a repetition */
};

static void cost_operand(struct cost *c, unsigned long n)
{
	c->groups[c->depth].sum += n;
	c->groups[c->depth].last = n;
	c->repeated = false;
}

/* POSIX leaves "a**" undefined; to libc it is time without end. */
static const char *cost_repeat(struct cost *c, unsigned long times)
{
	unsigned long last = c->groups[c->depth].last;

	if (c->repeated)
		return "a repetition directly after another";
	c->groups[c->depth].sum += 1 + last * (times - 1);
	c->groups[c->depth].last = 1 + last * times;
	c->repeated = true;
	return NULL;
}

/* Counts the character, which is neither escaped nor in brackets; gives what is wrong with it. */
static const char *cost_count(struct cost *c, const char *s)
{
	switch (*s) {
	case '(':
		if (++c->depth == LIMIT_RULE_GROUPS)
			return "too many groups in one another";
		c->groups[c->depth].sum = c->groups[c->depth].last = 0;
		c->repeated = false;
		return NULL;
	case ')':
		if (c->depth > 0) {
			c->depth--;
			cost_operand(c, c->groups[c->depth + 1].sum + 1);
		}
		return NULL;
	case '*':
	case '?':
	case '+':
		return cost_repeat(c, 2);
	case '{':
		return cost_repeat(c, repeats(s));
	case '}': /* the end of an interval */
		return NULL;
	default:
		cost_operand(c, 1);
		return NULL;
	}
}

/*
 * Before libc sees it: back-references (which it has though POSIX has them not) and repetitions of
 * repetitions, "((a+)+)+" or "(a{99}){99}", take exponential time, or memory.
 */
static int check_regex(struct parse *p, const char *s, size_t offset)
{
	struct cost cost = { 0 };

	for (size_t i = 0; s[i]; i++) {
		const char *why = cost_count(&cost, s + i);

		if (why)
			return refuse(p, offset + i, "%s", why);
		if (s[i] == '\\' && s[i + 1] >= '1' && s[i + 1] <= '9')
			return refuse(p, offset + i, "back-references are not supported");
		if (cost.groups[cost.depth].sum > LIMIT_RULE_COST)
			return refuse(p, offset + i, "it repeats too much");
		if (s[i] == '[')
			i = past_brackets(s, i);
		else if (s[i] == '\\' && s[i + 1])
			i++;
		else if (s[i] == '{')
			i += strspn(s + i + 1, "0123456789,");
	}
	return 0;
}

static char *value_new(const struct parse *p, const struct component *c)
{
	return strndup(p->text + c->value, c->end - c->value);
}

static int parse_regex(struct parse *p, struct component *c)
{
	_cleanup_(freep) char *s = value_new(p, c);
	char why[96];
	int r;

	if (!s)
		return -ENOMEM;
	r = check_regex(p, s, c->value);
	if (r < 0)
		return r;
	r = regcomp(&c->regex, s, REG_EXTENDED | REG_NOSUB);
	if (r == REG_ESPACE)
		return -ENOMEM;
	if (r) {
		(void)regerror(r, &c->regex, why, sizeof(why));
		return refuse(p, c->value, "not a regular expression: %s", why);
	}
	c->has_regex = true;
	return 0;
}

struct look {
	const struct component *c;
	bool some, all;
};

static int look_regex_at(const char *text, _unused_ const struct view *raw, void *userdata)
{
	struct look *l = userdata;

	l->some = true;
	l->all = l->all && text && regexec(&l->c->regex, text, 0, NULL, 0) == 0;
	return 0;
}

static bool look_regex(const struct component *c, const struct cert *cert, _unused_ bool any)
{
	struct look l = { c, false, true };

	return cert_values(cert, c->keyword->kind, &c->other, look_regex_at, &l) == 0 && l.some &&
	       l.all;
}

/* --- base64 --- */

static int parse_blob(struct parse *p, struct component *c)
{
	int r = base64_decode_new(p->text + c->value, c->end - c->value, &c->blob, &c->blob_n);

	if (r == -EBADMSG || (r == 0 && c->blob_n == 0))
		return refuse(p, c->value, "not base64 (RFC 4648, padded)");
	return r;
}

/* SSSD has x400Address and ediPartyName as SEQUENCE, where they are tagged: all after the tag. */
static int look_blob_at(_unused_ const char *text, const struct view *raw, void *userdata)
{
	struct look *l = userdata;
	const struct component *c = l->c;
	bool tagged = c->keyword->kind != VALUE_OTHER_RAW;

	l->some = true;
	l->all = l->all && raw->n == c->blob_n &&
		 memcmp(raw->p + 1, c->blob + 1, raw->n - 1) == 0 &&
		 (tagged ? c->blob[0] == DER_SEQUENCE : c->blob[0] == raw->p[0]);
	return 0;
}

static bool look_blob(const struct component *c, const struct cert *cert, _unused_ bool any)
{
	struct look l = { c, false, true };

	return cert_values(cert, c->keyword->kind, NULL, look_blob_at, &l) == 0 && l.some && l.all;
}

/* --- lists --- */

/* Next member of "a,b" from *at on, without the spaces around it; false: no more. */
static bool next_member(const struct parse *p, const struct component *c, size_t *at,
			size_t *ret_from, size_t *ret_n)
{
	size_t from = *at, end;

	if (from > c->end)
		return false;
	for (end = from; end < c->end && p->text[end] != ',';)
		end++;
	*at = end + 1;
	while (from < end && p->text[from] == ' ')
		from++;
	while (end > from && p->text[end - 1] == ' ')
		end--;
	*ret_from = from;
	*ret_n = end - from;
	return true;
}

static bool is_word(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

static int parse_usage(struct parse *p, struct component *c)
{
	static const char *const names[] = { "digitalSignature", "nonRepudiation",
					     "keyEncipherment",	 "dataEncipherment",
					     "keyAgreement",	 "keyCertSign",
					     "cRLSign",		 "encipherOnly",
					     "decipherOnly" };
	size_t at = c->value, from, n;

	while (next_member(p, c, &at, &from, &n)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(names) && !is_word(p->text + from, n, names[i]))
			i++;
		if (i == ARRAY_SIZE(names))
			return refuse(p, from, "not a key usage: %.*s", (int)(n < 64 ? n : 64),
				      p->text + from);
		c->usage |= 1u << i;
	}
	return 0;
}

static bool look_usage(const struct component *c, const struct cert *cert, _unused_ bool any)
{
	return (cert->key_usage & c->usage) == c->usage; /* 0 where there is none */
}

static const char *eku_oid(const char *s, size_t n)
{
	static const struct {
		const char *name, *oid;
	} names[] = {
		{ "serverAuth", "1.3.6.1.5.5.7.3.1" },
		{ "clientAuth", "1.3.6.1.5.5.7.3.2" },
		{ "codeSigning", "1.3.6.1.5.5.7.3.3" },
		{ "emailProtection", "1.3.6.1.5.5.7.3.4" },
		{ "timeStamping", "1.3.6.1.5.5.7.3.8" },
		{ "OCSPSigning", "1.3.6.1.5.5.7.3.9" },
		{ "KPClientAuth", "1.3.6.1.5.2.3.4" },
		{ "pkinit", "1.3.6.1.5.2.3.4" },
		{ "msScLogin", "1.3.6.1.4.1.311.20.2.2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (is_word(s, n, names[i].name))
			return names[i].oid;
	return NULL;
}

static int parse_oids(struct parse *p, struct component *c)
{
	bool eku = strcmp(c->keyword->name, "EKU") == 0;
	size_t at = c->value, from, n;

	while (next_member(p, c, &at, &from, &n)) {
		const char *s = p->text + from, *known = eku ? eku_oid(s, n) : NULL;

		if (c->n_oids == LIMIT_RULE_OIDS)
			return refuse(p, from, "more than %d in one list", LIMIT_RULE_OIDS);
		if (oid_parse(known ? known : s, known ? strlen(known) : n, &c->oids[c->n_oids++]) <
		    0)
			return refuse(p, from, "not %s: %.*s",
				      eku ? "an extended key usage or OID" : "an OID",
				      (int)(n < 64 ? n : 64), s);
	}
	return 0;
}

/* All of the list, or with `any` one, are in what `next` reads from `in`. */
static bool look_oids(const struct component *c, struct view in, bool any,
		      int (*next)(struct view *in, struct view *ret))
{
	bool have[LIMIT_RULE_OIDS] = { false };
	struct view oid;
	size_t n = 0;

	while (in.n > 0) {
		if (next(&in, &oid) < 0)
			return false;
		for (size_t i = 0; i < c->n_oids; i++)
			have[i] = have[i] || view_is(&oid, c->oids[i].p, c->oids[i].n);
	}
	for (size_t i = 0; i < c->n_oids; i++)
		n += have[i];
	return any ? n > 0 : n == c->n_oids;
}

static int next_oid(struct view *in, struct view *ret)
{
	return der_expect(in, DER_OID, ret);
}

/* PolicyInformation, RFC 5280 4.2.1.4. */
static int next_policy(struct view *in, struct view *ret)
{
	struct view seq;

	return der_expect(in, DER_SEQUENCE, &seq) < 0 ? -EBADMSG : der_expect(&seq, DER_OID, ret);
}

static bool look_eku(const struct component *c, const struct cert *cert, bool any)
{
	static const struct view eku = { (const uint8_t *)"\x55\x1d\x25", 3 };
	struct view in, seq;

	return cert_extension(cert, &eku, &in) && der_expect(&in, DER_SEQUENCE, &seq) == 0 &&
	       in.n == 0 && look_oids(c, seq, any, next_oid);
}

static bool look_policy(const struct component *c, const struct cert *cert, bool any)
{
	return look_oids(c, cert->policies, any, next_policy);
}

/* --- <SID> --- */

static int parse_sid(struct parse *p, struct component *c)
{
	c->blob_n = c->end - c->value;
	c->blob = (uint8_t *)value_new(p, c);
	if (!c->blob)
		return -ENOMEM;
	if (strncmp((char *)c->blob, "S-1-", 4) != 0 ||
	    strspn((char *)c->blob + 4, "0123456789-") != c->blob_n - 4)
		return refuse(p, c->value, "not a SID like S-1-5-21-...");
	return 0;
}

static int look_sid_at(const char *text, _unused_ const struct view *raw, void *userdata)
{
	struct look *l = userdata;

	l->some = true;
	l->all = l->all && text && strcmp(text, (const char *)l->c->blob) == 0;
	return 0;
}

static bool look_sid(const struct component *c, const struct cert *cert, _unused_ bool any)
{
	struct look l = { c, false, true };

	return cert_values(cert, VALUE_SID, NULL, look_sid_at, &l) == 0 && l.some && l.all;
}

/* --- the rule --- */

static const struct keyword keywords[] = {
	{ "SUBJECT", VALUE_SUBJECT, parse_regex, look_regex },
	{ "ISSUER", VALUE_ISSUER, parse_regex, look_regex },
	{ "KU", 0, parse_usage, look_usage },
	{ "EKU", 0, parse_oids, look_eku },
	{ "POLICY", 0, parse_oids, look_policy },
	{ "SID", 0, parse_sid, look_sid },
	{ "SAN", VALUE_PRINCIPAL, parse_regex, look_regex },
};

/* After "SAN:", in either case. */
static const struct keyword sans[] = {
	{ "Principal", VALUE_PRINCIPAL, parse_regex, look_regex },
	{ "ntPrincipalName", VALUE_UPN, parse_regex, look_regex },
	{ "pkinit", VALUE_KRB, parse_regex, look_regex },
	{ "pkinitSAN", VALUE_KRB, parse_regex, look_regex },
	{ "rfc822Name", VALUE_RFC822, parse_regex, look_regex },
	{ "dNSName", VALUE_DNS, parse_regex, look_regex },
	{ "x400Address", VALUE_X400, parse_blob, look_blob },
	{ "directoryName", VALUE_DIRECTORY, parse_regex, look_regex },
	{ "ediPartyName", VALUE_EDI, parse_blob, look_blob },
	{ "uniformResourceIdentifier", VALUE_URI, parse_regex, look_regex },
	{ "iPAddress", VALUE_IP, parse_regex, look_regex },
	{ "registeredID", VALUE_REGISTERED_ID, parse_regex, look_regex },
	{ "otherName", VALUE_OTHER_RAW, parse_blob, look_blob },
};
static const struct keyword san_oid = { "", VALUE_OTHER_TEXT, parse_regex, look_regex };

static const struct keyword *keyword_find(const char *s, size_t n, struct oid *ret_other)
{
	if (n > 4 && strncmp(s, "SAN:", 4) == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(sans); i++)
			if (is_word(s + 4, n - 4, sans[i].name))
				return &sans[i];
		return oid_parse(s + 4, n - 4, ret_other) == 0 ? &san_oid : NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (strlen(keywords[i].name) == n && strncmp(s, keywords[i].name, n) == 0)
			return &keywords[i];
	return NULL;
}

static int parse_component(struct parse *p)
{
	const char *s = p->text + p->at, *close;
	struct component *c = &p->m->components[p->m->n];
	size_t n;

	if (*s != '<')
		return refuse(p, p->at, "a component begins with <");
	if (p->m->n == LIMIT_RULE_COMPONENTS)
		return refuse(p, p->at, "more than %d components", LIMIT_RULE_COMPONENTS);
	close = strchr(s, '>');
	if (!close)
		return refuse(p, p->at, "the > is missing");
	n = (size_t)(close - s) - 1;
	c->keyword = keyword_find(s + 1, n, &c->other);
	if (!c->keyword)
		return refuse(p, p->at, "unknown component <%.*s>", (int)(n < 64 ? n : 64), s + 1);
	p->m->n++;
	c->at = p->at;
	c->value = p->at + n + 2;
	c->end = c->value + strcspn(close + 1, "<");
	if (c->end == c->value)
		return refuse(p, c->value, "the value is missing");
	if (c->end - c->value >= 2 && (strncmp(p->text + c->end - 2, "&&", 2) == 0 ||
				       strncmp(p->text + c->end - 2, "||", 2) == 0))
		return refuse(p, c->end - 2, "the relation stands once, before all components");
	p->at = c->end;
	return c->keyword->parse(p, c);
}

/* "KRB5:", as SSSD takes a prefix: capitals and digits before the first colon. */
static int parse_prefix(struct parse *p)
{
	size_t n = strspn(p->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	if (p->text[n] != ':')
		return 0;
	if (n > 0 && (n != 4 || memcmp(p->text, "KRB5", 4) != 0))
		return refuse(p, 0, "rules of type %.*s are not supported, only KRB5",
			      (int)(n < 32 ? n : 32), p->text);
	p->at = n + 1;
	return 0;
}

static int parse_rule(struct parse *p)
{
	int r;

	if (strnlen(p->text, LIMIT_RULE_BYTES + 1) > LIMIT_RULE_BYTES)
		return refuse(p, LIMIT_RULE_BYTES, "longer than %d bytes", LIMIT_RULE_BYTES);
	if (!text_ok(p->text, LIMIT_RULE_BYTES))
		return refuse(p, 0, "not UTF-8, or it has control characters");
	r = parse_prefix(p);
	if (r < 0)
		return r;
	p->m->any = strncmp(p->text + p->at, "||", 2) == 0;
	if (p->m->any || strncmp(p->text + p->at, "&&", 2) == 0)
		p->at += 2;
	if (!p->text[p->at]) /* SSSD would take its default: an empty rule is never "all" */
		return refuse(p, p->at, "there is no component");
	while (r == 0 && p->text[p->at])
		r = parse_component(p);
	return r;
}

int certmap_match_parse(const char *text, struct certmap_match **ret,
			struct certmap_error *ret_error)
{
	_cleanup_(certmap_match_freep) struct certmap_match *m = calloc(1, sizeof(*m));
	struct parse p = { .m = m, .error = ret_error };
	int r;

	if (!m)
		return -ENOMEM;
	p.text = m->text = strdup(text);
	if (!m->text)
		return -ENOMEM;
	r = parse_rule(&p);
	if (r < 0)
		return r;
	*ret = STEAL(m);
	return 0;
}

struct certmap_match *certmap_match_free(struct certmap_match *m)
{
	for (size_t i = 0; m && i < m->n; i++) {
		if (m->components[i].has_regex)
			regfree(&m->components[i].regex);
		free(m->components[i].blob);
	}
	if (m)
		free(m->text);
	free(m);
	return NULL;
}

bool certmap_matches(const struct certmap_match *m, const struct cert *c, char *ret_missed,
		     size_t size)
{
	const struct component *missed = NULL;

	for (size_t i = 0; i < m->n; i++) {
		const struct component *at = &m->components[i];
		bool match = at->keyword->look(at, c, m->any);

		if (match && m->any)
			return true;
		missed = match || missed ? missed : at;
		if (missed && !m->any)
			break;
	}
	if (missed)
		text_clean(m->text + missed->at, missed->end - missed->at, ret_missed, size);
	return !missed && m->n > 0;
}
