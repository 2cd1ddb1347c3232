// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/sssd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/import/ini.h"

#define MATCH_DEFAULT "<KU>digitalSignature<EKU>clientAuth" /* sss-certmap(5) */
#define PRIORITY_LOWEST UINT32_MAX
#define DOMAIN_MAX 256

struct rule {
	const struct ini_section *section;
	const char *domain, *name; /* of the section's name */
	size_t domain_n;
	uint32_t priority;
	bool priority_bad;
	size_t order; /* in the file */
};

struct reading {
	struct plan *p;
	const char *file;
	const struct ini *ini;
};

static const char *value(const struct ini_section *s, const char *key)
{
	const struct ini_item *item = ini_item(s, key);

	return item ? item->value : NULL;
}

/* --- what a rule yields --- */

struct yield {
	const char *template;
	char login[256];
};

/* id_provider of the rule's domain; "files" for the one that is there without a section. */
static const char *provider(const struct reading *r, const struct rule *rule)
{
	char name[DOMAIN_MAX];
	const char *s;

	(void)snprintf(name, sizeof(name), "domain/%.*s", (int)rule->domain_n, rule->domain);
	s = value(ini_section(r->ini, name), "id_provider");
	if (!s && rule->domain_n == strlen("implicit_files") &&
	    strncasecmp(rule->domain, "implicit_files", rule->domain_n) == 0)
		s = "files";
	return s ? s : "";
}

/* "({template})" or "(login)"; false: *why. */
static bool maprule_read(const char *s, struct yield *ret, const char **why)
{
	static const struct {
		const char *text, *yield;
	} all[] = {
		{ "{subject_rfc822_name.short_name}", "{mail.local}" },
		{ "{subject_nt_principal.short_name}", "{upn.local}" },
		{ "{subject_pkinit_principal.short_name}", "{krb.local}" },
		{ "{subject_principal.short_name}", "{krb.local}" },
		{ "{subject_rfc822_name}", "{mail}" },
		{ "{subject_nt_principal}", "{upn}" },
		{ "{subject_pkinit_principal}", "{krb}" },
		{ "{subject_principal}", "{krb}" },
		{ "{subject_dns_name}", "{dns}" },
	};
	size_t n = strlen(s);

	*why = "its maprule is an LDAP filter, and no directory is searched";
	if (n < 3 || n >= sizeof(ret->login) || s[0] != '(' || s[n - 1] != ')')
		return false;
	(void)snprintf(ret->login, sizeof(ret->login), "%.*s", (int)(n - 2), s + 1);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(ret->login, all[i].text) == 0) {
			ret->template = all[i].yield;
			return true;
		}
	if (strpbrk(ret->login, "()=*&|!"))
		return false;
	*why = "no yield is the same as its maprule";
	return !strpbrk(ret->login, "{}");
}

static bool yield_of(const struct reading *r, const struct rule *rule, struct yield *ret,
		     const char **why)
{
	const char *s = value(rule->section, "maprule"), *by = provider(r, rule);
	bool files = strcasecmp(by, "files") == 0;

	if (!files && strcasecmp(by, "proxy") != 0) {
		*why = "its domain is no domain of local users: a directory would have to be "
		       "searched";
		return false;
	}
	if (s)
		return maprule_read(s, ret, why);
	*why = "it has no maprule, and so looks for the certificate in a directory";
	(void)snprintf(ret->login, sizeof(ret->login), "%s", rule->name);
	return files;
}

/* --- what it matches --- */

static const char *match_of(const struct rule *rule, const char **why)
{
	const char *s = value(rule->section, "matchrule");

	if (!s || !*s)
		return MATCH_DEFAULT;
	if (strncmp(s, "KRB5:", 5) == 0)
		s += 5;
	if (*s == '<' || strncmp(s, "&&<", 3) == 0 || strncmp(s, "||<", 3) == 0)
		return s;
	*why = "its matchrule is of no kind that is known";
	return NULL;
}

/* --- rules --- */

/* What narrows in a way that is not known, or is not certain. */
static const char *unknown_option(const struct rule *rule, unsigned *ret_line)
{
	static const char *const known[] = { "matchrule", "maprule", "priority", "domains" };

	for (size_t i = 0; i < rule->section->n; i++) {
		const struct ini_item *item = &rule->section->items[i];
		bool found = false;

		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			found |= strcasecmp(item->key, known[j]) == 0;
		if (found && !item->twice)
			continue;
		*ret_line = item->line;
		return item->key;
	}
	return NULL;
}

/* False: it is left out. */
static bool rule_take(const struct reading *r, const struct rule *rule)
{
	struct place at = { r->file, rule->section->line };
	struct yield yield = { NULL, "" };
	const char *why = "", *match, *odd = unknown_option(rule, &at.line);
	size_t before = r->p->n_refusals;
	char kind[64];

	if (odd || rule->priority_bad) {
		plan_refuse(r->p, at, rule->section->name,
			    "its option %s is not understood, or stands there twice",
			    odd ? odd : "priority");
		return false;
	}
	match = match_of(rule, &why);
	if (!match || !yield_of(r, rule, &yield, &why)) {
		plan_refuse(r->p, at, rule->section->name, "%s", why);
		return false;
	}
	(void)snprintf(kind, sizeof(kind), "sssd.%.32s", rule->name);
	plan_rule(r->p, at,
		  &(struct plan_rule){ .kind = kind,
				       .match = match,
				       .login = yield.template ? NULL : yield.login,
				       .yield = yield.template });
	return r->p->n_refusals == before;
}

static int by_priority(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool same_domain(const struct rule *a, const struct rule *b)
{
	return a->domain_n == b->domain_n && strncasecmp(a->domain, b->domain, a->domain_n) == 0;
}

/* certmap/DOMAIN/RULE */
static bool section_is_rule(const struct ini_section *s, struct rule *ret)
{
	const char *priority = value(s, "priority"), *slash;
	unsigned long long number;
	char *end;

	if (strncasecmp(s->name, "certmap/", 8) != 0)
		return false;
	*ret = (struct rule){ .section = s, .domain = s->name + 8, .priority = PRIORITY_LOWEST };
	slash = strchr(ret->domain, '/');
	ret->domain_n = slash ? (size_t)(slash - ret->domain) : strlen(ret->domain);
	ret->name = slash ? slash + 1 : "";
	if (!priority)
		return true;
	number = strtoull(priority, &end, 10);
	ret->priority_bad = *end || end == priority || *priority == '-' || number > UINT32_MAX;
	if (!ret->priority_bad)
		ret->priority = (uint32_t)number;
	return true;
}

static void rules_read(const struct reading *r)
{
	_cleanup_(freep) struct rule *all = calloc(r->ini->n + 1, sizeof(*all));
	_cleanup_(freep) const struct rule **stopped = calloc(r->ini->n + 1, sizeof(*stopped));
	size_t n = 0, n_stopped = 0;
	bool order_unknown = false;

	if (!all || !stopped) {
		r->p->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < r->ini->n; i++)
		if (section_is_rule(&r->ini->sections[i], &all[n])) {
			order_unknown |= all[n].priority_bad;
			all[n].order = n;
			n++;
		}
	qsort(all, n, sizeof(*all), by_priority);
	for (size_t i = 0; i < n; i++) {
		const struct rule *before = NULL;

		for (size_t j = 0; j < n_stopped; j++)
			if (same_domain(stopped[j], &all[i]))
				before = stopped[j];
		if (before || (order_unknown && !all[i].priority_bad))
			plan_refuse(r->p, (struct place){ r->file, all[i].section->line },
				    all[i].section->name,
				    "%s is left out and would have won over it: its certificates "
				    "would come here",
				    before ? before->section->name
					   : "a rule whose priority is not understood");
		else if (!rule_take(r, &all[i]))
			stopped[n_stopped++] = &all[i];
	}
}

/* --- what is set elsewhere --- */

static void settings_report(const struct reading *r)
{
	static const struct {
		const char *section, *key, *why;
	} all[] = {
		{ "sssd", "certificate_verification",
		  "how certificates are checked is a setting of each anchor; nothing turns it "
		  "off" },
		{ "pam", "pam_cert_auth",
		  "which services take a certificate is said in /etc/pam.d and by certlogin "
		  "service set" },
		{ "pam", "pam_cert_verification",
		  "how certificates are checked is a setting of each anchor; nothing turns it "
		  "off" },
		{ "pam", "pam_cert_db_path", "for each CA in it: certlogin anchor add NAME FILE" },
		{ "pam", "pam_p11_allowed_services", "certlogin service set" },
		{ "pam", "p11_uri", "which token is used is said at the client" },
		{ "pam", "p11_child_timeout", "it has no counterpart" },
		{ "pam", "p11_wait_for_card_timeout", "it has no counterpart" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct ini_item *item =
			ini_item(ini_section(r->ini, all[i].section), all[i].key);
		bool off = item && strstr(item->value, "no_verification");

		if (item)
			plan_report(r->p, (struct place){ r->file, item->line }, all[i].key,
				    "%s%s = %s: %s", off ? "WARNING: " : "", all[i].key,
				    item->value, all[i].why);
	}
}

void import_sssd(struct plan *p, const char *file, const char *text, size_t n)
{
	_cleanup_(ini_freep) struct ini *ini = NULL;
	struct reading r = { .p = p, .file = file };
	unsigned line = 0;
	int error = ini_parse(text, n, &ini, &line);

	if (error == -ENOMEM) {
		p->error = error;
		return;
	}
	if (error < 0) {
		plan_refuse(p, (struct place){ file, line }, file,
			    "this line cannot be read: nothing is taken from the file");
		return;
	}
	r.ini = ini;
	settings_report(&r);
	rules_read(&r);
}
