// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/pattern.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/base/name.h"

#define VALUE_MAX 1024
#define RDNS_MAX 32

/* Attributes whose names in the text are certain: what name_text() knows. */
static const struct {
	const char *ours;    /* RFC 4514 and name_text() */
	const char *oneline; /* OpenSSL's short name */
	const char *ad;
} names[] = {
	{ "CN", "CN", "CN" },
	{ "SN", "SN", "SN" },
	{ "serialNumber", "serialNumber", "SERIALNUMBER" },
	{ "C", "C", "C" },
	{ "L", "L", "L" },
	{ "ST", "ST", "S" },
	{ "STREET", "street", "STREET" },
	{ "O", "O", "O" },
	{ "OU", "OU", "OU" },
	{ "title", "title", "T" },
	{ "GN", "GN", "G" },
	{ "DC", "DC", "DC" },
	{ "UID", "UID", NULL },
	{ "emailAddress", "emailAddress", "E" },
};

struct dn {
	struct {
		const char *name;
		char value[VALUE_MAX];
	} rdn[RDNS_MAX];
	size_t n;
};

static int no(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

static int finish(struct buf *b)
{
	buf_put_u8(b, 0);
	return b->error;
}

/* RFC 4514 2.4, as name_text() does it */
static void put_value(struct buf *b, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		if (strchr("\"+,;<>\\", s[i]) || (i == 0 && s[i] == '#') ||
		    (s[i] == ' ' && (i == 0 || i == n - 1)))
			buf_put_u8(b, '\\');
		buf_put_u8(b, (uint8_t)s[i]);
	}
}

/* RFC 4514 2.1: the last one first */
static int dn_put(const struct dn *dn, struct buf *ret)
{
	for (size_t i = dn->n; i-- > 0;) {
		buf_put_text(ret, dn->rdn[i].name);
		buf_put_text(ret, "=");
		put_value(ret, dn->rdn[i].value);
		buf_put_text(ret, i > 0 ? "," : "");
	}
	return finish(ret);
}

static int dn_add(struct dn *dn, const char *name, const char *value, const char **why)
{
	if (dn->n == RDNS_MAX)
		return no(why, "the name has too many parts");
	if (!text_ok(value, VALUE_MAX - 1) || !*value)
		return no(why, "a value is empty, too long, or no printable UTF-8");
	dn->rdn[dn->n].name = name;
	(void)strcpy(dn->rdn[dn->n++].value, value);
	return 0;
}

static int hex(char c)
{
	const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* X509_NAME_oneline() writes octets that are not printable ASCII as \xHH. */
static int oneline_value(const char *s, size_t n, char ret[VALUE_MAX])
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		if (out == VALUE_MAX - 1)
			return -EINVAL;
		if (n - i >= 4 && s[i] == '\\' && s[i + 1] == 'x' && hex(s[i + 2]) >= 0 &&
		    hex(s[i + 3]) >= 0) {
			ret[out++] = (char)(hex(s[i + 2]) << 4 | hex(s[i + 3]));
			i += 3;
			if (ret[out - 1] == '\0')
				return -EINVAL;
		} else {
			ret[out++] = s[i];
		}
	}
	ret[out] = '\0';
	return 0;
}

static const char *oneline_name(const char *s, size_t n, bool icase)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].oneline) == n && (icase ? strncasecmp(s, names[i].oneline, n)
							    : strncmp(s, names[i].oneline, n)) == 0)
			return names[i].ours;
	return NULL;
}

int dn_of_oneline(const char *s, bool icase, struct buf *ret, const char **why)
{
	struct dn dn = { .n = 0 };

	if (strlen(s) >= 255) /* the mapper's buffer: two names may look alike from there on */
		return no(why, "it is as long as pam_pkcs11 cuts names, and may stand for several");
	if (*s != '/')
		return no(why, "it is no name as OpenSSL writes it on one line (/C=.../CN=...)");
	while (*s == '/') {
		size_t n = strcspn(++s, "/"), key = strcspn(s, "=/");
		const char *name = key < n ? oneline_name(s, key, icase) : NULL;
		char value[VALUE_MAX];
		int r;

		if (!name)
			return no(why,
				  "a part begins with no attribute whose name is certain (a / in "
				  "a value looks the same)");
		if (oneline_value(s + key + 1, n - key - 1, value) < 0)
			return no(why, "a value cannot be read");
		r = dn_add(&dn, name, value, why);
		if (r < 0)
			return r;
		s += n;
	}
	return dn_put(&dn, ret);
}

/* One value up to the comma: quoted as a whole, or with backslashes.  Moves *s behind it. */
static int ad_value(const char **s, char ret[VALUE_MAX])
{
	const char *p = *s;
	bool quoted = *p == '"';
	size_t out = 0;

	for (p += quoted; *p && (quoted || *p != ','); p++) {
		if (quoted && *p == '"') {
			if (p[1] != '"') /* doubled: one of the value */
				break;
			p++;
		} else if (*p == '\\' && !quoted) {
			p++;
			if (!*p || !strchr(",+\"\\<>;=# ", *p))
				return -EINVAL;
		} else if (*p == '\\' || *p == '"' || (*p == '+' && !quoted)) {
			return -EINVAL;
		}
		if (out == VALUE_MAX - 1)
			return -EINVAL;
		ret[out++] = *p;
	}
	if (quoted && *p++ != '"')
		return -EINVAL;
	ret[out] = '\0';
	*s = p;
	return 0;
}

static const char *ad_name(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((names[i].ad && strlen(names[i].ad) == n &&
		     strncasecmp(s, names[i].ad, n) == 0) ||
		    (strlen(names[i].ours) == n && strncasecmp(s, names[i].ours, n) == 0))
			return names[i].ours;
	return NULL;
}

int dn_of_ad(const char *s, struct buf *ret, const char **why)
{
	struct dn dn = { .n = 0 };

	for (;;) {
		size_t key = strcspn(s, "=,");
		const char *name = s[key] == '=' ? ad_name(s, key) : NULL;
		char value[VALUE_MAX];
		int r;

		if (!name)
			return no(why, "it has an attribute whose name is not certain");
		s += key + 1;
		if (ad_value(&s, value) < 0)
			return no(why, "a value is quoted in a way that is not understood");
		r = dn_add(&dn, name, value, why);
		if (r < 0)
			return r;
		if (!*s)
			return dn_put(&dn, ret);
		if (*s++ != ',')
			return no(why, "a value is quoted in a way that is not understood");
		s += strspn(s, " ");
	}
}

/* The text itself as an extended regular expression. */
static int put_literal(struct buf *b, const char *s, bool icase, const char **why)
{
	if (strchr(s, '<')) /* begins the next part of a rule, and cannot be quoted there */
		return no(why, "a rule cannot say '<'");
	if (!text_ok(s, VALUE_MAX * 4))
		return no(why, "it is empty, too long, or no printable UTF-8");
	for (; *s; s++) {
		bool lower = *s >= 'a' && *s <= 'z', upper = *s >= 'A' && *s <= 'Z';

		if (icase && (lower || upper)) {
			const char both[] = { '[', (char)(*s | 0x20), (char)(*s & ~0x20), ']', 0 };

			buf_put_text(b, both);
			continue;
		}
		if (strchr(".^$*+?()[{|\\", *s))
			buf_put_u8(b, '\\');
		buf_put_u8(b, (uint8_t)*s);
	}
	return 0;
}

int pattern_whole(const char *keyword, const char *text, bool icase, struct buf *ret,
		  const char **why)
{
	int r;

	buf_put_text(ret, keyword);
	buf_put_text(ret, "^");
	r = put_literal(ret, text, icase, why);
	buf_put_text(ret, "$");
	return r < 0 ? r : finish(ret);
}

int pattern_attribute(const char *name, const char *value, bool icase, struct buf *ret,
		      const char **why)
{
	_cleanup_(buf_deinitp) struct buf escaped = { 0 };
	int r;

	put_value(&escaped, value);
	r = finish(&escaped);
	if (r < 0)
		return r;
	/* A comma or plus behind a backslash belongs to a value, which anybody may have chosen. */
	buf_put_text(ret, "<SUBJECT>(^|[^\\\\][,+])");
	buf_put_text(ret, name);
	buf_put_text(ret, "=");
	r = put_literal(ret, (const char *)escaped.p, icase, why);
	buf_put_text(ret, "($|[,+])");
	return r < 0 ? r : finish(ret);
}

int pattern_domain(const char *keyword, const char *domain, bool icase, struct buf *ret,
		   const char **why)
{
	int r;

	buf_put_text(ret, keyword);
	buf_put_text(ret, "^[^@]+@");
	r = put_literal(ret, domain, icase, why);
	buf_put_text(ret, "$");
	return r < 0 ? r : finish(ret);
}
