// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/authkeys.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/import/lines.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/pki/sshkey.h"

#define KEY_TEXT (16 * 1024)

struct entry {
	char *options; /* NULL: none */
	char *type, *blob;
	int64_t until;
};

/* What a key may be, for a line that begins with it has no options. */
static bool is_key_type(const char *s)
{
	return strncmp(s, "ssh-", 4) == 0 || strncmp(s, "ecdsa-", 6) == 0 ||
	       strncmp(s, "sk-", 3) == 0;
}

/* Cuts off the first word of *s; white space in double quotes belongs to it. */
static char *word_cut(char **s)
{
	char *word = *s + strspn(*s, " \t"), *p = word;
	bool quoted = false;

	for (; *p && (quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '\\' && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	*s = p;
	if (*p) {
		*p = '\0';
		*s = p + 1;
	}
	return *word ? word : NULL;
}

/* Cuts off the option up to the comma that is not in quotes. */
static char *option_cut(char **s)
{
	char *option = *s, *p = option;
	bool quoted = false;

	for (; *p && (quoted || *p != ','); p++) {
		if (*p == '\\' && p[1] == '"')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	*s = *p ? p + 1 : p;
	*p = '\0';
	return option;
}

/* YYYYMMDD[Z] or YYYYMMDDHHMM[SS][Z], as sshd(8) has it: local time but for the Z. */
static int time_parse(const char *s, int64_t *ret)
{
	size_t n = strspn(s, "0123456789");
	bool utc = s[n] == 'Z' || s[n] == 'z';
	char digits[15] = "00000000000000";
	struct tm tm = { .tm_isdst = -1 }, back;
	time_t t;

	if ((n != 8 && n != 12 && n != 14) || s[n + utc])
		return -EINVAL;
	memcpy(digits, s, n);
#define TWO(i) ((digits[i] - '0') * 10 + digits[(i) + 1] - '0')
	tm.tm_year = TWO(0) * 100 + TWO(2) - 1900;
	tm.tm_mon = TWO(4) - 1;
	tm.tm_mday = TWO(6);
	tm.tm_hour = TWO(8);
	tm.tm_min = TWO(10);
	tm.tm_sec = TWO(12);
#undef TWO
	back = tm;
	t = utc ? timegm(&back) : mktime(&back);
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_min != tm.tm_min)
		return -EINVAL; /* the 31st of February */
	*ret = (int64_t)t * (int64_t)USEC_PER_SEC;
	return 0;
}

static int expiry_parse(const char *option, int64_t *ret)
{
	char value[32] = "";
	size_t n;

	option += strlen("expiry-time=");
	n = strlen(option);
	if (n < 2 || n > sizeof(value) || option[0] != '"' || option[n - 1] != '"')
		return -EINVAL;
	memcpy(value, option + 1, n - 2);
	return time_parse(value, ret);
}

/* Options that allow what is allowed without them as well: they only undo "restrict". */
static bool is_idle(const char *option)
{
	static const char *const idle[] = { "agent-forwarding", "port-forwarding", "pty", "user-rc",
					    "x11-forwarding" };

	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		if (strcasecmp(option, idle[i]) == 0)
			return true;
	return false;
}

/* What the user sees of an option: its name. */
static int option_name(const char *option)
{
	return (int)strcspn(option, "=");
}

static bool options_read(struct plan *p, struct place at, struct entry *e)
{
	char *rest = e->options;

	while (rest && *rest) {
		const char *option = option_cut(&rest);

		if (strncasecmp(option, "expiry-time=", 12) == 0) {
			if (e->until != INT64_MAX || expiry_parse(option, &e->until) < 0) {
				plan_refuse(p, at, "expiry-time", "this is no time, or two");
				return false;
			}
			if (p->options->service)
				continue;
			plan_refuse(p, at, "expiry-time",
				    "it can only end an access row: say --service");
			return false;
		}
		if (strcasecmp(option, "cert-authority") == 0) {
			plan_refuse(p, at, "cert-authority",
				    "OpenSSH certificates are no X.509 certificates; for a CA: "
				    "certlogin anchor add");
			return false;
		}
		if (is_idle(option))
			continue;
		plan_refuse(p, at, e->type,
			    "the option %.*s cannot be carried over, and the key without it "
			    "would be worth more",
			    option_name(option), option);
		return false;
	}
	return true;
}

/* options [type blob comment], or the latter alone. */
static bool line_read(char *line, struct entry *e)
{
	char *first = word_cut(&line);

	if (first && !is_key_type(first)) {
		e->options = first;
		first = word_cut(&line);
	}
	e->type = first;
	e->blob = word_cut(&line);
	return first && is_key_type(first) && e->blob;
}

static const char *type_refused(const char *type)
{
	if (strncmp(type, "sk-", 3) == 0)
		return "a FIDO key is in no certificate";
	if (strcmp(type, "ssh-dss") == 0)
		return "DSA is too weak";
	if (strstr(type, "-cert-v01@openssh.com"))
		return "an OpenSSH certificate is no X.509 certificate";
	return NULL;
}

/* The only given certificate with the key of the line. */
static const struct cert *find(struct plan *p, struct place at, const struct entry *e)
{
	_cleanup_(buf_deinitp) struct buf spki = { 0 };
	_cleanup_(freep) uint8_t *blob = NULL;
	const char *refused = type_refused(e->type);
	const struct cert *cert = NULL;
	enum key_type type;
	size_t n = 0, len = strlen(e->type);
	int r;

	if (refused) {
		plan_refuse(p, at, e->type, "%s", refused);
		return NULL;
	}
	r = strlen(e->blob) < KEY_TEXT ? base64_decode_new(e->blob, strlen(e->blob), &blob, &n)
				       : -EMSGSIZE;
	/* the name in the key counts; a line whose names differ was tampered with */
	if (r == 0 && (n < 4 + len || memcmp(blob + 4, e->type, len) != 0))
		r = -EBADMSG;
	if (r == 0)
		r = ssh_blob_to_spki(blob, n, &spki, &type);
	if (r == 0)
		r = certset_by_key(p->options->certs, &(struct view){ spki.p, spki.n }, &cert);
	if (r == -ENOENT)
		plan_refuse(p, at, e->type,
			    "no given certificate has this key: a key alone cannot be enrolled "
			    "(--cert, --cert-dir)");
	else if (r == -ENOTUNIQ)
		plan_refuse(p, at, e->type,
			    "several of the given certificates have this key: give one");
	else if (r < 0)
		plan_refuse(p, at, e->type, "this is no public key of a kind that is known");
	return cert;
}

struct reading {
	struct plan *p;
	const char *login;
	bool plain_rsa;
	/* first pass: do all keys that are carried over end at once? */
	bool counting, any, differ;
	int64_t until;
};

static void key_take(struct reading *r, struct place at, const struct entry *e,
		     const struct cert *cert)
{
	if (r->counting) {
		r->differ |= r->any && r->until != e->until;
		r->until = e->until;
		r->any = true;
	} else if (r->differ && e->until != INT64_MAX) {
		plan_refuse(r->p, at, "expiry-time",
			    "other keys of this login end at another time, or never: access is the "
			    "login's, not the key's");
	} else {
		plan_enroll(r->p, at, r->login, cert, e->until);
	}
}

static void line_take(void *userdata, struct place at, char *line)
{
	struct reading *r = userdata;
	struct entry e = { .until = INT64_MAX };
	const struct cert *cert;

	line[strcspn(line, "\r")] = '\0';
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return;
	if (r->plain_rsa && strncmp(line, "ssh-rsa", 7) != 0) {
		plan_refuse(r->p, at, r->login,
			    "the openssh mapper reads plain ssh-rsa lines only, so this one never "
			    "let anybody in");
		return;
	}
	if (!line_read(line, &e)) {
		plan_refuse(r->p, at, r->login, "this line cannot be read");
		return;
	}
	if (!options_read(r->p, at, &e))
		return;
	cert = find(r->p, at, &e);
	if (cert)
		key_take(r, at, &e, cert);
}

void import_authorized_keys(struct plan *p, const char *file, const char *text, size_t n,
			    const char *login, bool plain_rsa)
{
	struct plan trial;
	struct reading r = { .login = login, .plain_rsa = plain_rsa, .counting = true };

	plan_init(&trial, p->options);
	r.p = &trial;
	lines_read(&trial, file, text, n, line_take, &r);
	if (trial.error < 0)
		p->error = trial.error;
	plan_deinit(&trial);
	r.p = p;
	r.counting = false;
	lines_read(p, file, text, n, line_take, &r);
}
