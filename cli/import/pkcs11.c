// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/pkcs11.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cli/import/authkeys.h"
#include "cli/import/mapfile.h"
#include "cli/import/pattern.h"
#include "cli/import/scconf.h"

#define OPTIONS_MAX 6

struct reading {
	struct plan *p;
	const char *file;
	const struct import_files *files;
	const struct sc_block *block; /* of the mapper; NULL: all defaults */
	const char *mapper;	      /* as use_mappers names it */
	struct place at;
};

static const char *option_of(const struct reading *r, const char *key)
{
	const char *s = sc_text(r->block, key, NULL);

	return s && *s && strcmp(s, "none") != 0 ? s : NULL;
}

/* A login that any of the mappers gives is good, so a rule does not keep later ones from being
 * asked. */
static void rule_make(struct plan *p, struct place at, struct plan_rule rule)
{
	rule.goes_on = true;
	plan_rule(p, at, &rule);
}

/* --- mappers with a map --- */

/* Reads the map of the mapper: false when it has none, or it cannot be read (said). */
static bool map_of(const struct reading *r, bool icase, map_func take, void *userdata)
{
	struct import_file map = { .text = { 0 } };
	const char *path = option_of(r, "mapfile");
	int error;

	if (!path)
		return false;
	if (strncmp(path, "file://", 7) == 0)
		path += 7;
	if (*path != '/') {
		plan_refuse(r->p, r->at, r->mapper, "its map %s is not a file of this host", path);
		return true;
	}
	error = r->files->map(r->files->userdata, path, &map);
	if (error < 0)
		plan_refuse(r->p, r->at, r->mapper, "its map %s cannot be read: %s", path,
			    strerror(-error));
	else
		mapfile_read(r->p, map.path, (const char *)map.text.p, map.text.n, icase, take,
			     userdata);
	buf_deinit(&map.text);
	return true;
}

struct mapping {
	const struct reading *r;
	bool icase;
	int (*pattern)(const char *key, bool icase, struct buf *ret, const char **why);
	const char *kind;
};

static int pattern_subject(const char *key, bool icase, struct buf *ret, const char **why)
{
	_cleanup_(buf_deinitp) struct buf dn = { 0 };
	int r = dn_of_oneline(key, icase, &dn, why);

	return r < 0 ? r : pattern_whole("<SUBJECT>", (const char *)dn.p, icase, ret, why);
}

static int pattern_cn(const char *key, bool icase, struct buf *ret, const char **why)
{
	return pattern_attribute("CN", key, icase, ret, why);
}

static int pattern_mail(const char *key, bool icase, struct buf *ret, const char **why)
{
	return pattern_whole("<SAN:rfc822Name>", key, icase, ret, why);
}

static void mapping_take(void *userdata, struct place at, const char *key, const char *login)
{
	const struct mapping *m = userdata;
	_cleanup_(buf_deinitp) struct buf match = { 0 };
	struct plan *p = m->r->p;
	const char *why = "";
	int r;

	if (m->pattern == pattern_mail && strchr(login, '@')) {
		plan_refuse(p, at, login,
			    "the mapper would cut this login at its @ and look at this host's "
			    "name: write the login itself");
		return;
	}
	r = m->pattern(key, m->icase, &match, &why);
	if (r == -ENOMEM)
		p->error = r;
	else if (r < 0)
		plan_refuse(p, at, login, "%s: %s", key, why);
	else
		rule_make(p, at,
			  (struct plan_rule){ .kind = m->kind,
					      .match = (const char *)match.p,
					      .login = login });
}

/* Without a line for it, these mappers take the value of the certificate for the login. */
static void fallback_report(const struct reading *r, const char *value)
{
	plan_report(r->p, r->at, r->mapper,
		    "whoever is not in its map may be let in by his %s as it stands: this is not "
		    "carried over",
		    value);
}

static void map_subject(const struct reading *r)
{
	struct mapping m = { r, sc_bool(r->block, "ignorecase", false), pattern_subject,
			     "pam_pkcs11.subject" };

	if (!map_of(r, m.icase, mapping_take, &m))
		plan_refuse(r->p, r->at, r->mapper, "it has no map: whole names are no logins");
}

static void map_cn(const struct reading *r)
{
	struct mapping m = { r, sc_bool(r->block, "ignorecase", false), pattern_cn,
			     "pam_pkcs11.cn" };

	if (map_of(r, m.icase, mapping_take, &m)) {
		fallback_report(r, "common name");
	} else {
		if (m.icase)
			plan_report(r->p, r->at, r->mapper,
				    "ignorecase: the common name has to be the login letter by "
				    "letter from now on");
		rule_make(r->p, r->at,
			  (struct plan_rule){ .kind = "pam_pkcs11.cn",
					      .match = "<SUBJECT>(^|[^\\\\][,+])CN=",
					      .yield = "{subject.cn}" });
	}
}

static void map_mail(const struct reading *r)
{
	struct mapping m = { r, sc_bool(r->block, "ignorecase", true), pattern_mail,
			     "pam_pkcs11.mail" };
	bool any = sc_bool(r->block, "ignoredomain", true);

	if (map_of(r, m.icase, mapping_take, &m)) {
		fallback_report(r, "mail address up to the @");
	} else if (!any) {
		plan_refuse(r->p, r->at, r->mapper,
			    "it has no map, and demands a domain that is part of this host's name: "
			    "a rule cannot say so");
	} else {
		rule_make(r->p, r->at,
			  (struct plan_rule){ .kind = "pam_pkcs11.mail",
					      .match = "<SAN:rfc822Name>^[^@]+@[^@]+$",
					      .yield = "{mail.local}" });
	}
}

/* Which certificate has this hash? */
static void digest_take(void *userdata, struct place at, const char *key, const char *login)
{
	const struct reading *r = userdata;
	const char *algorithm = sc_text(r->block, "algorithm", "sha1");
	const struct cert *cert = NULL;
	int error = certset_by_digest(r->p->options->certs, algorithm, key, &cert);

	if (error == 0)
		plan_enroll(r->p, at, login, cert, INT64_MAX);
	else if (error == -EOPNOTSUPP)
		plan_refuse(r->p, at, login, "the hash %s is not known, or too weak", algorithm);
	else if (error == -EBADMSG)
		plan_refuse(r->p, at, login, "%s is no %s hash", key, algorithm);
	else
		plan_refuse(r->p, at, login,
			    "no given certificate has this hash, and a hash alone is no "
			    "certificate (--cert, --cert-dir)");
}

static void map_digest(const struct reading *r)
{
	if (!map_of(r, true, digest_take, (void *)(uintptr_t)r))
		plan_refuse(r->p, r->at, r->mapper, "it has no map");
}

static void map_generic(const struct reading *r)
{
	static const struct {
		const char *item;
		int (*pattern)(const char *, bool, struct buf *, const char **);
		const char *kind, *value;
	} items[] = {
		{ "cn", pattern_cn, "pam_pkcs11.cn", "common name" },
		{ "subject", pattern_subject, "pam_pkcs11.subject", "subject" },
		{ "email", pattern_mail, "pam_pkcs11.mail", "mail address" },
	};
	const char *item = sc_text(r->block, "cert_item", "cn");
	struct mapping m = { r, sc_bool(r->block, "ignorecase", false), NULL, NULL };

	if (sc_bool(r->block, "use_getpwent", false)) {
		plan_refuse(r->p, r->at, r->mapper,
			    "use_getpwent also looks for GECOS fields, which users may change");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		if (strcasecmp(item, items[i].item) != 0)
			continue;
		m.pattern = items[i].pattern;
		m.kind = items[i].kind;
		if (map_of(r, m.icase, mapping_take, &m))
			fallback_report(r, items[i].value);
		else
			plan_refuse(r->p, r->at, r->mapper, "it has no map");
		return;
	}
	plan_refuse(r->p, r->at, r->mapper, "its cert_item is %s, and no rule knows that", item);
}

/* --- mappers without one --- */

static void map_ms(const struct reading *r)
{
	_cleanup_(buf_deinitp) struct buf match = { 0 };
	const char *domain = option_of(r, "domainname"), *why = "";
	bool any = sc_bool(r->block, "ignoredomain", false);
	int error;

	if (option_of(r, "domainnickname")) {
		plan_refuse(r->p, r->at, r->mapper,
			    "domainnickname is put before the login, and no yield does that");
		return;
	}
	if (any || !domain) {
		plan_refuse(r->p, r->at, r->mapper, "%s",
			    any ? "ignoredomain lets in the people of every domain: add a rule for "
				  "{upn.local} with the domains by hand"
				: "it names no domain, and so never let anybody in");
		return;
	}
	error = pattern_domain("<SAN:ntPrincipalName>", domain,
			       sc_bool(r->block, "ignorecase", false), &match, &why);
	if (error == -ENOMEM)
		r->p->error = error;
	else if (error < 0)
		plan_refuse(r->p, r->at, r->mapper, "%s: %s", domain, why);
	else
		rule_make(r->p, r->at,
			  (struct plan_rule){ .kind = "pam_pkcs11.ms",
					      .match = (const char *)match.p,
					      .yield = "{upn.local}" });
}

static void file_take(const struct reading *r, const struct import_file *f, bool certificates)
{
	struct plan *p = r->p;
	struct cert *certs[16] = { NULL };
	size_t n = 0;

	if (!certificates) {
		import_authorized_keys(p, f->path, (const char *)f->text.p, f->text.n, f->login,
				       true);
		return;
	}
	if (cert_load_all(f->text.p, f->text.n, certs, ARRAY_SIZE(certs), &n) < 0 || n == 0)
		plan_refuse(p, (struct place){ f->path, 0 }, f->login,
			    "there is something in it that is no certificate");
	else if (n == ARRAY_SIZE(certs))
		plan_refuse(p, (struct place){ f->path, 0 }, f->login,
			    "there are more certificates in it than one person has");
	else
		for (size_t i = 0; i < n; i++)
			plan_own(p, (struct place){ f->path, 0 }, f->login, STEAL(certs[i]));
	for (size_t i = 0; i < ARRAY_SIZE(certs); i++)
		cert_free(certs[i]);
}

static void map_homes(const struct reading *r, const char *name, bool certificates)
{
	for (size_t i = 0; r->p->error == 0; i++) {
		struct import_file f = { .text = { 0 } };
		int error = r->files->home(r->files->userdata, i, name, &f);

		if (error == -ENODATA)
			return;
		if (error == -ENOMEM)
			r->p->error = error;
		else if (error < 0 && error != -ENOENT)
			plan_refuse(r->p, (struct place){ f.path, 0 }, f.login,
				    "it cannot be used: %s", strerror(-error));
		else if (error == 0)
			file_take(r, &f, certificates);
		buf_deinit(&f.text);
	}
}

static void map_openssh(const struct reading *r)
{
	map_homes(r, ".ssh/authorized_keys", false);
}

static void map_opensc(const struct reading *r)
{
	map_homes(r, ".eid/authorized_certificates", true);
}

static void map_null(const struct reading *r)
{
	if (sc_bool(r->block, "default_match", false))
		plan_refuse(r->p, r->at, r->mapper,
			    "it makes every certificate one user, %s: who does what is not known "
			    "then",
			    sc_text(r->block, "default_user", "nobody"));
}

static void map_never(const struct reading *r)
{
	static const struct {
		const char *mapper, *why;
	} all[] = {
		{ "ldap", "what is in a directory is not looked up: export the certificates, and "
			  "certlogin enroll them" },
		{ "krb", "what it compares depends on how it was built: add a rule that yields "
			 "{krb} or {krb.local} by hand" },
		{ "uid", "it reads x500UniqueIdentifier before UID, and no rule does that" },
		{ "pwent", "it compares the common name with GECOS fields, which users may "
			   "change: give the cn mapper a map" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(r->mapper, all[i].mapper) == 0)
			plan_refuse(r->p, r->at, r->mapper, "%s", all[i].why);
}

/* --- the configuration --- */

static const struct {
	const char *name;
	void (*read)(const struct reading *r);
	const char *options[OPTIONS_MAX]; /* that it knows, besides debug and module */
} mappers[] = {
	{ "digest", map_digest, { "algorithm", "mapfile" } },
	{ "subject", map_subject, { "ignorecase", "mapfile" } },
	{ "cn", map_cn, { "ignorecase", "mapfile" } },
	{ "mail", map_mail, { "ignorecase", "ignoredomain", "mapfile" } },
	{ "generic", map_generic, { "ignorecase", "mapfile", "cert_item", "use_getpwent" } },
	{ "ms", map_ms, { "ignorecase", "ignoredomain", "domainname", "domainnickname" } },
	{ "openssh", map_openssh, { "keyfile" } },
	{ "opensc", map_opensc, { NULL } },
	{ "null", map_null, { "default_match", "default_user" } },
	{ "ldap", map_never, { NULL } },
	{ "krb", map_never, { NULL } },
	{ "uid", map_never, { NULL } },
	{ "pwent", map_never, { NULL } },
};

static bool option_known(size_t mapper, const char *key)
{
	if (strcasecmp(key, "debug") == 0 || strcasecmp(key, "module") == 0 ||
	    mappers[mapper].read == map_never)
		return true;
	for (size_t i = 0; i < OPTIONS_MAX && mappers[mapper].options[i]; i++)
		if (strcasecmp(key, mappers[mapper].options[i]) == 0)
			return true;
	return false;
}

/* The code behind a mapper: built in, or a module of pam_pkcs11's own name for it. */
static bool module_known(const struct reading *r)
{
	const char *module = sc_text(r->block, "module", "internal"), *base;
	size_t n = strlen(r->mapper);

	if (strcmp(module, "internal") == 0)
		return true;
	base = strrchr(module, '/');
	base = base ? base + 1 : module;
	return strncmp(base, r->mapper, n) == 0 && strcmp(base + n, "_mapper.so") == 0;
}

static void mapper_read(struct reading *r, const struct sc_block *root)
{
	r->block = sc_find(root, "mapper", r->mapper);
	if (r->block)
		r->at.line = r->block->line;
	if (sc_count(root, "mapper", r->mapper) > 1) {
		plan_refuse(r->p, r->at, r->mapper, "there are two blocks of this mapper");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(mappers); i++) {
		if (strcmp(r->mapper, mappers[i].name) != 0)
			continue;
		if (!module_known(r))
			break;
		for (size_t j = 0; r->block && j < r->block->n_items; j++) {
			const struct sc_item *item = &r->block->items[j];

			if (option_known(i, item->key) && item->n <= 1)
				continue;
			r->at.line = item->line;
			plan_refuse(r->p, r->at, r->mapper,
				    "its option %s cannot be carried over, so that the whole "
				    "mapper is left out",
				    item->key);
			return;
		}
		mappers[i].read(r);
		return;
	}
	plan_refuse(r->p, r->at, r->mapper, "what this mapper does is not known");
}

/* What the module says about CAs and revocation. */
static void module_report(struct plan *p, const char *file, const struct sc_block *b)
{
	static const struct {
		const char *key, *why;
	} all[] = {
		{ "ca_dir", "for each CA in it: certlogin anchor add NAME FILE" },
		{ "crl_dir", "for each CRL in it: certlogin crl import FILE" },
	};
	const struct sc_item *policy = sc_item(b, "cert_policy");
	struct place at = { file, policy ? policy->line : b->line };
	bool ca = false;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct sc_item *item = sc_item(b, all[i].key);

		if (item && item->n > 0)
			plan_report(p, (struct place){ file, item->line }, item->values[0], "%s",
				    all[i].why);
	}
	for (size_t i = 0; policy && i < policy->n; i++) {
		const char *s = policy->values[i];

		ca |= strcmp(s, "ca") == 0;
		if (strncmp(s, "crl_", 4) == 0 || strcmp(s, "ocsp_on") == 0)
			plan_report(p, at, s,
				    "revocation is a setting of each anchor: certlogin(7)");
	}
	if (!ca)
		plan_report(p, at, "cert_policy",
			    "WARNING: no CA was checked until now, so that every certificate of a "
			    "mapped name logged in; certlogin always checks: add the anchor");
}

static void settings_report(struct plan *p, const char *file, const struct sc_block *root)
{
	static const char *const wanted[] = { "card_only", "wait_for_card" };
	const char *module = sc_text(root, "use_pkcs11_module", NULL);
	const struct sc_block *b = module ? sc_find(root, "pkcs11_module", module) : NULL;

	if (b)
		module_report(p, file, b);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct sc_item *item = sc_item(root, wanted[i]);

		if (item && sc_bool(root, wanted[i], false))
			plan_report(p, (struct place){ file, item->line }, wanted[i],
				    "this is for /etc/pam.d to say: pam_certlogin(8)");
	}
}

void import_pam_pkcs11(struct plan *p, const char *file, const char *text, size_t n,
		       const struct import_files *files)
{
	_cleanup_(sc_freep) struct sc_block *top = NULL;
	const struct sc_block *root;
	const struct sc_item *use;
	const char *why = "";
	unsigned line = 0;
	int r = sc_parse(text, n, &top, &line, &why);

	if (r == -ENOMEM) {
		p->error = r;
		return;
	}
	if (r < 0) {
		plan_refuse(p, (struct place){ file, line }, file, "%s: nothing is taken from it",
			    why);
		return;
	}
	root = sc_find(top, "pam_pkcs11", NULL);
	use = sc_item(root, "use_mappers");
	if (!use) {
		plan_refuse(p, (struct place){ file, 0 }, file,
			    "there is no use_mappers in a block pam_pkcs11");
		return;
	}
	settings_report(p, file, root);
	for (size_t i = 0; i < use->n; i++) {
		struct reading m = { .p = p,
				     .file = file,
				     .files = files,
				     .mapper = use->values[i],
				     .at = { file, use->line } };

		mapper_read(&m, root);
	}
}
