// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/admin.h"
#include "cli/builtin-ca.h"
#include "cli/ca.h"
#include "cli/certfile.h"
#include "cli/file.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"

/* certlogin ca create|issue: the built-in CA.  Its key is root's file and used here alone: the
 * daemon never sees it, and people's certificates never carry serverAuth unless it is asked for. */

#define DAY_USEC (86400 * (int64_t)USEC_PER_SEC)
#define CA_DAYS 3650
#define ISSUE_DAYS 90
#define BACKDATE_USEC (300 * (int64_t)USEC_PER_SEC) /* clocks of other hosts */

int builtin_ca_paths(struct cli *cli, char ret_key[PATH_SIZE], char ret_cert[PATH_SIZE])
{
	return path_join(ret_key, cli->config_dir, "ca/ca.key") < 0 ||
			       path_join(ret_cert, cli->config_dir, "ca/ca.crt") < 0
		       ? cli_fail_file(cli, -ENAMETOOLONG, "use", cli->config_dir)
		       : CLI_YES;
}

/* Key first: a certificate without its key would look finished. */
static int ca_write(struct cli *cli, const struct cert_spec *spec, const char *key_path,
		    const char *cert_path)
{
	_cleanup_(issuer_deinitp) struct issuer own = { 0 };
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	_cleanup_(buf_deinitp) struct buf pem = { 0 };
	gnutls_datum_t key = { 0 };
	char dir[PATH_SIZE];
	int r = key_make(&own.key);

	if (r == 0)
		r = cert_make(spec, NULL, &own, &crt);
	if (r == 0)
		r = cert_export(crt, &pem, NULL);
	if (r == 0)
		r = key_pem(own.key, &key);
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "the CA could not be made: %s",
				strerror(-r));
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(key_path, '/') - key_path),
		       key_path);
	r = dir_make(dir, 0700);
	if (r == 0)
		r = file_write_new(key_path, 0600, key.data, key.size);
	key_pem_deinit(&key);
	if (r < 0)
		return cli_fail_file(cli, r, "write", key_path);
	r = file_write_new(cert_path, 0644, pem.p, pem.n);
	return r < 0 ? cli_fail_file(cli, r, "write", cert_path) : CLI_YES;
}

/* The daemon learns of it when it is there; else the command for later. */
static int ca_anchor(struct cli *cli, const char *cert_path)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	int r;

	if (!admin_reachable(cli)) {
		cli_note(cli,
			 "certlogind does not run yet.  When it does: certlogin anchor add builtin "
			 "%s",
			 cert_path);
		return CLI_YES;
	}
	r = certfile_read(cli, cert_path, &cert);
	if (r != CLI_YES)
		return r;
	return certfile_anchor(cli, "builtin", cert, true);
}

int builtin_ca_create(struct cli *cli, const char *cn, int64_t days)
{
	int64_t now = clock_realtime(cli->clock);
	const struct cert_spec spec = { .cn = cn,
					.ca = true,
					.not_before = now - BACKDATE_USEC,
					.not_after = now + days * DAY_USEC };
	char key_path[PATH_SIZE], cert_path[PATH_SIZE];
	int r = builtin_ca_paths(cli, key_path, cert_path);

	if (r != CLI_YES)
		return r;
	if (access(key_path, F_OK) == 0 || access(cert_path, F_OK) == 0)
		return cli_fail(cli, CLI_NO, "exists",
				"there is a CA in %s/ca already; it is never overwritten",
				cli->config_dir);
	r = ca_write(cli, &spec, key_path, cert_path);
	if (r != CLI_YES)
		return r;
	cli_say(cli, "Made the built-in CA \"%s\": %s.  Its key (root's alone): %s", cn, cert_path,
		key_path);
	return ca_anchor(cli, cert_path);
}

static int cn_check(struct cli *cli, const char *cn)
{
	if (!*cn || !text_ok(cn, CN_MAX))
		return cli_usage(cli, "'%s' cannot be a common name: 1 to %d bytes, printable", cn,
				 CN_MAX);
	return CLI_YES;
}

int verb_ca_create(struct cli *cli, const struct args *args)
{
	char host[HOST_NAME_MAX + 1] = "localhost", cn[CN_MAX + 1];
	const char *name = args->option[OPT_NAME];
	int64_t days = CA_DAYS;
	int r = args_number(cli, args, OPT_DAYS, 1, 36500, &days);

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(cn, sizeof(cn), "certlogin CA of %s", host);
	if (r == CLI_YES && name)
		r = cn_check(cli, name);
	if (r == CLI_YES)
		r = builtin_ca_create(cli, name ? name : cn, days);
	if (r == CLI_YES && cli->json) {
		char key_path[PATH_SIZE], cert_path[PATH_SIZE];

		(void)builtin_ca_paths(cli, key_path, cert_path);
		return cli_json(cli, json_pack("{s:s, s:s, s:s}", "name", name ? name : cn,
					       "certificate", cert_path, "key", key_path));
	}
	return r;
}

/* --- issue --- */

struct issue {
	const char *name;
	struct cert_spec spec;
	char key_path[PATH_SIZE];
	char cert_path[PATH_SIZE];
	const struct passwd *owner; /* NULL: the caller's */
	gnutls_x509_privkey_t key;  /* NULL: a public key was given */
	gnutls_pubkey_t subject;
};

static void issue_deinit(struct issue *i)
{
	privkey_deinitp(&i->key);
	pubkey_deinitp(&i->subject);
}

static int issue_times(struct cli *cli, const struct args *args, struct issue *i)
{
	int64_t now = clock_realtime(cli->clock), days = ISSUE_DAYS;
	int r = args_number(cli, args, OPT_DAYS, 1, 36500, &days);

	i->spec.not_before = now - BACKDATE_USEC;
	if (r == CLI_YES)
		r = args_time(cli, args, OPT_NOT_BEFORE, &i->spec.not_before);
	i->spec.not_after = (i->spec.not_before > now ? i->spec.not_before : now) + days * DAY_USEC;
	if (r == CLI_YES)
		r = args_time(cli, args, OPT_NOT_AFTER, &i->spec.not_after);
	/* RFC 5280 4.1.2.5: four digits of year; GnuTLS would write another */
	if (r == CLI_YES && (i->spec.not_before < 0 ||
			     i->spec.not_after / (int64_t)USEC_PER_SEC > INT64_C(253402300799)))
		return cli_usage(cli, "a certificate's time lies between 1970 and 9999");
	if (r == CLI_YES && i->spec.not_before >= i->spec.not_after)
		return cli_usage(cli, "the validity would end before it begins");
	return r;
}

static int issue_usage(struct cli *cli, const struct args *args, struct issue *i)
{
	static const struct {
		const char *name, *oid;
	} kinds[] = {
		{ "client", GNUTLS_KP_TLS_WWW_CLIENT },
		{ "server", GNUTLS_KP_TLS_WWW_SERVER },
		{ "none", NULL },
	};
	const char *kind = args->option[OPT_EKU] ? args->option[OPT_EKU] : "client";

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		if (strcmp(kinds[k].name, kind) == 0) {
			i->spec.eku = kinds[k].oid;
			return CLI_YES;
		}
	}
	return cli_usage(cli, "--eku: client, server or none");
}

static int issue_key(struct cli *cli, const struct args *args, struct issue *i)
{
	const char *pubkey = args->option[OPT_PUBKEY], *csr = args->option[OPT_CSR], *why = NULL;
	const char *path = pubkey ? pubkey : csr;
	int r;

	if (pubkey && csr)
		return cli_usage(cli, "either --pubkey or --csr");
	if (path) {
		r = pubkey ? pubkey_load(path, &i->subject, &why)
			   : csr_load(path, &i->subject, &why);
		if (r < 0 && why)
			return cli_fail(cli, CLI_USAGE, "invalid-value", "%s: %s", path, why);
		return r < 0 ? cli_fail_file(cli, r, "read", path) : CLI_YES;
	}
	r = key_make(&i->key);
	if (r == 0)
		r = pubkey_of(i->key, &i->subject);
	return r < 0 ? cli_fail(cli, CLI_INTERNAL, "internal", "the key could not be made")
		     : CLI_YES;
}

static int issue_paths(struct cli *cli, const struct args *args, struct issue *i)
{
	const char *prefix = args->option[OPT_OUT] ? args->option[OPT_OUT] : i->name;
	const char *owner = args->option[OPT_OWNER];
	int a = snprintf(i->key_path, sizeof(i->key_path), "%s.key", prefix);
	int b = snprintf(i->cert_path, sizeof(i->cert_path), "%s.crt", prefix);

	if (a < 0 || b < 0 || a >= PATH_SIZE || b >= PATH_SIZE)
		return cli_usage(cli, "--out: too long");
	if (access(i->cert_path, F_OK) == 0) /* before anything is made or written down */
		return cli_fail_file(cli, -EEXIST, "write", i->cert_path);
	if (owner) {
		i->owner = getpwnam(owner);
		if (!i->owner)
			return cli_usage(cli, "--owner: there is no user %s", owner);
	}
	return CLI_YES;
}

/*
 * With an owner the files are made as that user, not given away afterwards: whatever links are in
 * the user's directories lead no further than the user's own rights.
 */
static int owner_enter(const struct passwd *owner)
{
	if (!owner || owner->pw_uid == geteuid())
		return 0;
	if (setgroups(0, NULL) < 0 || setegid(owner->pw_gid) < 0 || seteuid(owner->pw_uid) < 0)
		return -errno;
	return 0;
}

static void owner_leave(uid_t uid, gid_t gid, const gid_t *groups, int n)
{
	if (geteuid() == uid)
		return;
	if (seteuid(uid) < 0 || setegid(gid) < 0 || setgroups((size_t)n, groups) < 0)
		abort(); /* half of each user: nothing may go on like that */
}

static int issue_files(struct cli *cli, const struct issue *i, const struct buf *pem)
{
	const char *slash = strrchr(i->cert_path, '/');
	gnutls_datum_t key = { 0 };
	char dir[PATH_SIZE];
	int r = 0;

	if (slash && i->owner) {
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - i->cert_path), i->cert_path);
		r = dir_make(dir, 0700);
		if (r < 0)
			return cli_fail_file(cli, r, "make", dir);
	}
	if (i->key) {
		r = key_pem(i->key, &key);
		if (r == 0)
			r = file_write_new(i->key_path, 0600, key.data, key.size);
		key_pem_deinit(&key);
		if (r < 0)
			return cli_fail_file(cli, r, "write", i->key_path);
	}
	r = file_write_new(i->cert_path, 0644, pem->p, pem->n);
	return r < 0 ? cli_fail_file(cli, r, "write", i->cert_path) : CLI_YES;
}

static int issue_write(struct cli *cli, const struct issue *i, const struct buf *pem)
{
	gid_t groups[NGROUPS_MAX];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int n = getgroups(NGROUPS_MAX, groups), r;

	r = n < 0 ? -errno : owner_enter(i->owner);
	r = r < 0 ? cli_fail(cli, CLI_INTERNAL, "internal", "cannot act as %s: %s. Are you root?",
			     i->owner->pw_name, strerror(-r))
		  : issue_files(cli, i, pem);
	owner_leave(uid, gid, groups, n);
	return r;
}

/* What was issued, one line each: time, serial, fingerprint, end, name. */
static int issue_log(struct cli *cli, const struct issue *i, const struct cert *cert)
{
	char path[PATH_SIZE], line[512], serial[64], sha256[HEX_SIZE(SHA256_BYTES)],
		when[WHEN_TEXT], until[WHEN_TEXT];
	int r = path_join(path, cli->config_dir, "ca/issued.log");

	serial_text(&cert->serial, serial, sizeof(serial));
	hex_encode(cert->sha256, SHA256_BYTES, sha256);
	when_text(clock_realtime(cli->clock), true, when);
	when_text(cert->not_after, true, until);
	(void)snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\t%s", when, serial, sha256, until,
		       i->name);
	if (r == 0)
		r = file_append_line(path, 0600, line);
	return r < 0 ? cli_fail_file(cli, r, "write", path) : CLI_YES;
}

static int issue_tell(struct cli *cli, const struct issue *i, const struct cert *cert, bool enroll)
{
	char sha256[HEX_SIZE(SHA256_BYTES)], until[WHEN_TEXT];
	int r = CLI_YES;

	hex_encode(cert->sha256, SHA256_BYTES, sha256);
	when_text(cert->not_after, cli->utc, until);
	cli_say(cli, "Certificate of %s, valid until %s: %s", i->name, until, i->cert_path);
	if (i->key)
		cli_say(cli, "Its private key: %s", i->key_path);
	if (enroll)
		r = certfile_enroll(cli, i->name, cert, true);
	else
		cli_say(cli, "Next: certlogin enroll %s %s", i->name, i->cert_path);
	if (r != CLI_YES || !cli->json)
		return r;
	return cli_json(cli, json_pack("{s:s, s:s, s:s?, s:s, s:I}", "name", i->name, "certificate",
				       i->cert_path, "key", i->key ? i->key_path : NULL, "sha256",
				       sha256, "notAfter", (json_int_t)cert->not_after));
}

static int issue_certificate(struct cli *cli, struct issue *i, bool enroll)
{
	_cleanup_(issuer_deinitp) struct issuer ca = { 0 };
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	_cleanup_(buf_deinitp) struct buf pem = { 0 }, der = { 0 };
	_cleanup_(cert_freep) struct cert *cert = NULL;
	char key_path[PATH_SIZE], cert_path[PATH_SIZE];
	const char *why = NULL;
	int r = builtin_ca_paths(cli, key_path, cert_path);

	if (r != CLI_YES)
		return r;
	r = issuer_load(key_path, cert_path, &ca, &why);
	if (r < 0)
		return cli_fail(cli, r == -ENOENT ? CLI_NO : CLI_INTERNAL, "ca",
				"the CA in %s/ca: %s: %s%s", cli->config_dir, why, strerror(-r),
				r == -ENOENT   ? ". Make one: certlogin ca create"
				: r == -EACCES ? ". Are you root?"
					       : "");
	r = cert_make(&i->spec, i->subject, &ca, &crt);
	if (r == 0)
		r = cert_export(crt, &pem, &der);
	if (r == 0)
		r = cert_parse(der.p, der.n, &cert);
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal",
				"the certificate could not be made: %s", strerror(-r));
	r = issue_log(cli, i, cert); /* first: nothing leaves that is not written down */
	if (r == CLI_YES)
		r = issue_write(cli, i, &pem);
	return r == CLI_YES ? issue_tell(cli, i, cert, enroll) : r;
}

int verb_ca_issue(struct cli *cli, const struct args *args)
{
	_cleanup_(issue_deinit) struct issue i = { .name = args->operand[0],
						   .spec.cn = args->operand[0] };
	int r = cn_check(cli, i.name);

	if (r == CLI_YES && !identity_name_ok(i.name))
		r = cli_usage(cli, "'%s' cannot be the name of an identity", i.name);
	if (r == CLI_YES)
		r = issue_times(cli, args, &i);
	if (r == CLI_YES)
		r = issue_usage(cli, args, &i);
	if (r == CLI_YES)
		r = issue_paths(cli, args, &i);
	if (r == CLI_YES)
		r = issue_key(cli, args, &i);
	if (r == CLI_YES)
		r = issue_certificate(cli, &i, args->option[OPT_ENROLL] != NULL);
	return r;
}
