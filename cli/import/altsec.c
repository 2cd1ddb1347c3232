// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/altsec.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cli/import/lines.h"
#include "cli/import/pattern.h"
#include "lib/base/encode.h"

#define NAME_MAX_BYTES 256
#define OCTETS_MAX 64

/* --- one string --- */

/* "<TAG>value" at the front of *s: what is up to the next tag, in room of `size`. */
static bool part_cut(const char **s, const char *tag, char *ret, size_t size)
{
	size_t n = strlen(tag), len;

	if (strncasecmp(*s, tag, n) != 0)
		return false;
	len = strcspn(*s + n, "<");
	if (len == 0 || len >= size)
		return false;
	memcpy(ret, *s + n, len);
	ret[len] = '\0';
	*s += n + len;
	return true;
}

static void found(struct plan *p, struct place at, const char *login, int r,
		  const struct cert *cert)
{
	if (r == 0)
		plan_enroll(p, at, login, cert, INT64_MAX);
	else if (r == -ENOTUNIQ)
		plan_refuse(p, at, login, "several of the given certificates fit it: give one");
	else if (r == -ENOENT)
		plan_refuse(p, at, login,
			    "no given certificate fits it, and what it says is not enough to make "
			    "one (--cert, --cert-dir)");
	else
		plan_refuse(p, at, login, "its octets cannot be read");
}

static void take_serial(struct plan *p, struct place at, const char *login, const char *issuer,
			const char *serial)
{
	_cleanup_(buf_deinitp) struct buf dn = { 0 };
	uint8_t octets[OCTETS_MAX];
	const struct cert *cert = NULL;
	const char *why = "";
	int n = hex_decode(serial, octets, sizeof(octets)), r;

	r = dn_of_ad(issuer, &dn, &why);
	if (r == -ENOMEM) {
		p->error = r;
		return;
	}
	if (r < 0) {
		plan_refuse(p, at, login, "issuer: %s", why);
		return;
	}
	for (int i = 0; i < n / 2; i++) {
		uint8_t o = octets[i];

		octets[i] = octets[n - 1 - i];
		octets[n - 1 - i] = o;
	}
	r = n > 0 ? certset_by_serial(p->options->certs, &(struct view){ octets, (size_t)n },
				      (const char *)dn.p, &cert)
		  : -EBADMSG;
	found(p, at, login, r, cert);
}

static void take_octets(struct plan *p, struct place at, const char *login, const char *hex,
			int (*find)(const struct certset *, const struct view *,
				    const struct cert **))
{
	uint8_t octets[OCTETS_MAX];
	const struct cert *cert = NULL;
	int n = hex_decode(hex, octets, sizeof(octets)), r = -EBADMSG;

	if (n > 0)
		r = find(p->options->certs, &(struct view){ octets, (size_t)n }, &cert);
	found(p, at, login, r, cert);
}

/* One of the weak ones; NULL: it does not have that part. */
struct weak {
	const char *issuer, *subject, *mail;
};

static int put_name(const char *keyword, const char *ad, struct buf *match, const char **why)
{
	_cleanup_(buf_deinitp) struct buf dn = { 0 };
	int r = dn_of_ad(ad, &dn, why);

	if (match->n > 0)
		match->n--; /* the NUL of the part before */
	return r < 0 ? r : pattern_whole(keyword, (const char *)dn.p, false, match, why);
}

static void take_weak(struct plan *p, struct place at, const char *login, const struct weak *w)
{
	_cleanup_(buf_deinitp) struct buf match = { 0 };
	const char *why = "";
	int r = 0;

	if (!p->options->allow_weak) {
		plan_refuse(p, at, login,
			    "this mapping is weak (KB5014754): whoever gets a certificate of this "
			    "name is let in; --allow-weak makes a rule of it");
		return;
	}
	if (w->issuer)
		r = put_name("<ISSUER>", w->issuer, &match, &why);
	if (r == 0 && w->subject)
		r = put_name("<SUBJECT>", w->subject, &match, &why);
	if (r == 0 && w->mail)
		r = pattern_whole("<SAN:rfc822Name>", w->mail, false, &match, &why);
	if (r == -ENOMEM)
		p->error = r;
	else if (r < 0)
		plan_refuse(p, at, login, "%s", why);
	else
		plan_rule(p, at,
			  &(struct plan_rule){
				  .kind = "ad", .match = (const char *)match.p, .login = login });
}

static void string_take(struct plan *p, struct place at, const char *login, const char *s)
{
	char first[1024], second[1024];

	if (strncasecmp(s, "X509:", 5) != 0) {
		plan_refuse(p, at, login, "this is no certificate mapping (X509:)");
		return;
	}
	s += 5;
	if (part_cut(&s, "<I>", first, sizeof(first))) {
		if (part_cut(&s, "<SR>", second, sizeof(second)) && !*s) {
			take_serial(p, at, login, first, second);
			return;
		}
		if (part_cut(&s, "<S>", second, sizeof(second)) && !*s) {
			take_weak(p, at, login,
				  &(struct weak){ .issuer = first, .subject = second });
			return;
		}
	} else if (part_cut(&s, "<SKI>", first, sizeof(first)) && !*s) {
		take_octets(p, at, login, first, certset_by_ski);
		return;
	} else if (part_cut(&s, "<SHA1-PUKEY>", first, sizeof(first)) && !*s) {
		take_octets(p, at, login, first, certset_by_sha1);
		return;
	} else if (part_cut(&s, "<S>", first, sizeof(first)) && !*s) {
		take_weak(p, at, login, &(struct weak){ .subject = first });
		return;
	} else if (part_cut(&s, "<RFC822>", first, sizeof(first)) && !*s) {
		take_weak(p, at, login, &(struct weak){ .mail = first });
		return;
	}
	plan_refuse(p, at, login, "this mapping is of no kind that is known");
}

/* --- login TAB string --- */

static void line_take(void *userdata, struct place at, char *line)
{
	struct plan *p = userdata;
	char *tab;

	line[strcspn(line, "\r")] = '\0';
	if (!*line || *line == '#')
		return;
	tab = strchr(line, '\t');
	if (!tab || tab == line) {
		plan_refuse(p, at, line, "this is no line \"login TAB string\"");
		return;
	}
	*tab = '\0';
	string_take(p, at, line, tab + 1);
}

/* --- LDIF --- */

struct ldif {
	struct plan *p;
	struct buf line; /* unfolded, RFC 2849 note 2 */
	struct place at; /* where it began */
	char login[NAME_MAX_BYTES];
	const char *why; /* the record is left out; NULL: it is not */
	struct {
		char *text;
		struct place at;
	} * strings; /* of this record: the login may come after them */
	size_t n;
};

/* "value" or ": base64"; gives, or NULL. */
static char *ldif_value(struct ldif *l, const char *s)
{
	uint8_t *decoded = NULL;
	size_t n = 0;
	char *text;

	if (*s != ':')
		return strdup(s + strspn(s, " "));
	s++;
	s += strspn(s, " ");
	if (base64_decode_new(s, strlen(s), &decoded, &n) < 0 || memchr(decoded, '\0', n)) {
		free(decoded);
		plan_refuse(l->p, l->at, "base64", "a value cannot be read");
		return NULL;
	}
	text = strndup((const char *)decoded, n);
	free(decoded);
	return text;
}

static void string_keep(struct ldif *l, char *text)
{
	void *more = reallocarray(l->strings, l->n + 1, sizeof(l->strings[0]));

	if (!more) {
		free(text);
		l->p->error = -ENOMEM;
		return;
	}
	l->strings = more;
	l->strings[l->n].at = l->at;
	l->strings[l->n++].text = text;
}

static void record_end(struct ldif *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (*l->login && !l->why)
			string_take(l->p, l->strings[i].at, l->login, l->strings[i].text);
		else
			plan_refuse(l->p, l->strings[i].at,
				    *l->login ? l->login : "altSecurityIdentities", "%s",
				    l->why ? l->why : "its record has no sAMAccountName");
		free(l->strings[i].text);
	}
	free(l->strings);
	l->strings = NULL;
	l->n = 0;
	l->login[0] = '\0';
	l->why = NULL;
}

static bool attribute_is(const char *line, const char *name, const char **ret_value)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	*ret_value = line + n + 1;
	return true;
}

static void login_take(struct ldif *l, const char *s)
{
	if (*l->login || strlen(s) >= sizeof(l->login))
		l->why = "its record has no sAMAccountName that can be used, or two";
	else
		(void)strcpy(l->login, s);
}

#define ACCOUNT_DISABLED 0x2 /* userAccountControl */
#define NEVER_EXPIRES "9223372036854775807"

/* What takes the record out of use. */
static void state_take(struct ldif *l, const char *line)
{
	const char *value;

	if (attribute_is(line, "changetype", &value))
		l->why = "its record is a change, and no account";
	else if (attribute_is(line, "userAccountControl", &value) &&
		 strtol(value, NULL, 10) & ACCOUNT_DISABLED)
		l->why = "the account is disabled";
	else if (attribute_is(line, "accountExpires", &value) && strcmp(value, " 0") != 0 &&
		 strcmp(value, " " NEVER_EXPIRES) != 0)
		l->why = "the account has an end (accountExpires): enroll its certificate by hand";
}

static void attribute_take(struct ldif *l)
{
	const char *line, *value;
	_cleanup_(freep) char *text = NULL;

	buf_put_u8(&l->line, 0);
	if (l->line.error < 0) {
		l->p->error = l->line.error;
		return;
	}
	line = (const char *)l->line.p;
	if (attribute_is(line, "sAMAccountName", &value)) {
		text = ldif_value(l, value);
		login_take(l, text ? text : "");
	} else if (attribute_is(line, "altSecurityIdentities", &value)) {
		text = ldif_value(l, value);
		if (text)
			string_keep(l, STEAL(text));
	} else {
		state_take(l, line);
	}
	l->line.n = 0;
}

static void ldif_take(void *userdata, struct place at, char *line)
{
	struct ldif *l = userdata;

	line[strcspn(line, "\r")] = '\0';
	if (*line == ' ') {
		buf_put_text(&l->line, line + 1);
		return;
	}
	if (l->line.n > 0)
		attribute_take(l);
	if (!*line)
		record_end(l);
	l->at = at;
	buf_put_text(&l->line, line); /* a comment as well: it may be folded */
}

static void ldif_read(struct plan *p, const char *file, const char *text, size_t n)
{
	struct ldif l = { .p = p };

	lines_read(p, file, text, n, ldif_take, &l);
	if (l.line.n > 0)
		attribute_take(&l);
	record_end(&l);
	buf_deinit(&l.line);
}

/* LDIF has a "dn:" at the beginning of a line; a login has no colon. */
static bool is_ldif(const char *text, size_t n)
{
	for (size_t i = 0; i + 3 <= n; i++)
		if ((i == 0 || text[i - 1] == '\n') && strncasecmp(text + i, "dn:", 3) == 0)
			return true;
	return false;
}

void import_ad(struct plan *p, const char *file, const char *text, size_t n)
{
	if (is_ldif(text, n))
		ldif_read(p, file, text, n);
	else
		lines_read(p, file, text, n, line_take, p);
}
