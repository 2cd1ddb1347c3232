// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/admin.h"
#include "cli/builtin-ca.h"
#include "cli/ca-crl.h"
#include "cli/certfile.h"
#include "cli/crlfile.h"
#include "cli/file.h"
#include "lib/base/limits.h"

/* certlogin ca revoke|crl: what the built-in CA takes back.  The record (ca/revoked) is
 * written before the list, and the list's number before it is signed: none is given twice. */

#define DAY_USEC (86400 * (int64_t)USEC_PER_SEC)
#define CRL_DAYS 30
#define INDEX_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define PREFIX_MIN 8

struct registry {
	int lock; /* on CONFDIR/ca, while record and list change */
	struct issuer ca;
	struct ca_revoked *revoked;
	size_t n;
	char sha256[HEX_SIZE(SHA256_BYTES)]; /* of what was asked about, or its first digits */
};

static void registry_deinit(struct registry *g)
{
	issuer_deinit(&g->ca);
	free(g->revoked);
	if (g->lock >= 0)
		(void)close(g->lock);
}

static int ca_file(struct cli *cli, const char *name, char ret[PATH_SIZE])
{
	return path_join(ret, cli->config_dir, name) < 0
		       ? cli_fail_file(cli, -ENAMETOOLONG, "use", cli->config_dir)
		       : CLI_YES;
}

/* A text file of the CA's; one that is not there is empty. */
static int ca_text(struct cli *cli, const char *name, struct buf *ret)
{
	char path[PATH_SIZE];
	int r = ca_file(cli, name, path), e;

	if (r != CLI_YES)
		return r;
	e = file_read_max(path, INDEX_MAX_BYTES, ret);
	if (e == -ENOENT) {
		buf_put_u8(ret, 0);
		e = ret->error;
	}
	if (e < 0)
		return cli_fail_file(cli, e, "read", path);
	return CLI_YES;
}

static int ca_write_text(struct cli *cli, const char *name, mode_t mode, const struct buf *text)
{
	char path[PATH_SIZE];
	int r = ca_file(cli, name, path), e;

	if (r != CLI_YES)
		return r;
	e = text->error ? text->error : file_write(path, mode, text->p, text->n);
	return e < 0 ? cli_fail_file(cli, e, "write", path) : CLI_YES;
}

/* A line that is not understood stops everything: a list must never lose somebody. */
static int record_read(struct cli *cli, struct registry *g)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	char *rest, *line;
	int r = ca_text(cli, "ca/revoked", &text);

	if (r != CLI_YES)
		return r;
	for (rest = (char *)text.p; (line = strsep(&rest, "\n"));) {
		struct ca_revoked *more;

		if (!*line)
			continue;
		more = reallocarray(g->revoked, g->n + 1, sizeof(*more));
		if (!more)
			return cli_fail_memory(cli);
		g->revoked = more;
		if (ca_revoked_parse(line, &g->revoked[g->n++]) < 0)
			return cli_fail(cli, CLI_INTERNAL, "ca",
					"%s/ca/revoked: line %zu cannot be read; nothing was done",
					cli->config_dir, g->n);
	}
	return CLI_YES;
}

static int registry_open(struct cli *cli, struct registry *g)
{
	char key[PATH_SIZE], cert[PATH_SIZE], dir[PATH_SIZE];
	const char *why = NULL;
	int r = builtin_ca_paths(cli, key, cert), e;

	if (r == CLI_YES)
		r = ca_file(cli, "ca", dir);
	if (r != CLI_YES)
		return r;
	e = issuer_load(key, cert, &g->ca, &why);
	if (e < 0)
		return cli_fail(cli, e == -ENOENT ? CLI_NO : CLI_INTERNAL, "ca",
				"the CA in %s/ca: %s: %s%s", cli->config_dir, why, strerror(-e),
				e == -EACCES ? ". Are you root?" : "");
	g->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->lock < 0 || flock(g->lock, LOCK_EX) < 0)
		return cli_fail_file(cli, -errno, "lock", dir);
	return record_read(cli, g);
}

/* --- the list --- */

static int number_next(struct cli *cli, uint64_t *ret)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 }, out = { 0 };
	char decimal[32];
	char *end;
	int r = ca_text(cli, "ca/crlnumber", &text);

	if (r != CLI_YES)
		return r;
	errno = 0;
	*ret = text.p[0] ? strtoull((const char *)text.p, &end, 10) : 0;
	if (text.p[0] &&
	    (errno != 0 || text.p[0] < '1' || text.p[0] > '9' || *end != '\n' || *ret >= INT64_MAX))
		return cli_fail(cli, CLI_INTERNAL, "ca", "%s/ca/crlnumber holds no number",
				cli->config_dir);
	(*ret)++;
	(void)snprintf(decimal, sizeof(decimal), "%" PRIu64 "\n", *ret);
	buf_put_text(&out, decimal);
	return ca_write_text(cli, "ca/crlnumber", 0600, &out);
}

/* The daemon learns of it when it is there; else the command for later. */
static int list_import(struct cli *cli, const char *path, json_t *all)
{
	const struct args none = { 0 };

	if (admin_reachable(cli))
		return crlfile_import(cli, &none, path, all);
	return cli_fail(cli, CLI_UNREACHABLE, "unreachable",
			"the list is made, but certlogind cannot be reached: nobody is refused for "
			"it yet. When it runs: certlogin crl import %s",
			path);
}

static int list_make(struct cli *cli, const struct registry *g, const struct args *args,
		     json_t *all)
{
	_cleanup_(buf_deinitp) struct buf pem = { 0 };
	int64_t now = clock_realtime(cli->clock), days = CRL_DAYS;
	const char *out = args->option[OPT_OUT];
	char path[PATH_SIZE];
	uint64_t number = 0;
	int r = args_number(cli, args, OPT_DAYS, 1, 3650, &days), e;

	if (r == CLI_YES)
		r = ca_file(cli, "ca/ca.crl", path);
	if (r == CLI_YES)
		r = number_next(cli, &number);
	if (r != CLI_YES)
		return r;
	e = ca_crl_make(&g->ca, g->revoked, g->n, number, now, now + days * DAY_USEC, &pem);
	if (e < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "the list could not be made: %s",
				strerror(-e));
	r = ca_write_text(cli, "ca/ca.crl", 0644, &pem);
	if (r == CLI_YES && out) {
		e = file_write(out, 0644, pem.p, pem.n);
		r = e < 0 ? cli_fail_file(cli, e, "write", out) : CLI_YES;
	}
	if (r == CLI_YES)
		cli_say(cli, "CRL %" PRIu64 " of %zu revoked, for %" PRId64 " days: %s", number,
			g->n, days, path);
	return r == CLI_YES ? list_import(cli, path, all) : r;
}

static int list_publish(struct cli *cli, const struct registry *g, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *all = json_array();
	int r = all ? list_make(cli, g, args, all) : cli_fail_memory(cli);

	return r == CLI_YES && cli->json ? cli_json(cli, json_pack("{s:O}", "crls", all)) : r;
}

static int record_publish(struct cli *cli, const struct registry *g, const struct args *args)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	int r;

	for (size_t i = 0; i < g->n; i++)
		ca_revoked_put(&text, &g->revoked[i]);
	r = ca_write_text(cli, "ca/revoked", 0600, &text);
	return r == CLI_YES ? list_publish(cli, g, args) : r;
}

int verb_ca_crl(struct cli *cli, const struct args *args)
{
	_cleanup_(registry_deinit) struct registry g = { .lock = -1 };
	int r = registry_open(cli, &g);

	return r == CLI_YES ? list_publish(cli, &g, args) : r;
}

/* --- which certificate --- */

static int operand_read(struct cli *cli, const char *s, struct registry *g)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	size_t n = strlen(s);
	int r;

	if (n >= PREFIX_MIN && n < sizeof(g->sha256) && strspn(s, "0123456789abcdef") == n) {
		(void)strcpy(g->sha256, s);
		return CLI_YES;
	}
	r = certfile_read(cli, s, &cert);
	if (r == CLI_YES)
		hex_encode(cert->sha256, SHA256_BYTES, g->sha256);
	return r;
}

/* A line of issued.log: time, serial, fingerprint, end, name. */
static int issued_parse(char *line, struct ca_revoked *ret)
{
	char *field[5];
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&line, "\t");
		if (!field[i])
			return -EBADMSG;
	}
	n = hex_decode(field[1], ret->serial, sizeof(ret->serial));
	if (line || n <= 0 || strlen(field[2]) != sizeof(ret->sha256) - 1 ||
	    strlen(field[4]) >= sizeof(ret->subject))
		return -EBADMSG;
	ret->n_serial = (size_t)n;
	(void)strcpy(ret->sha256, field[2]);
	(void)strcpy(ret->subject, field[4]);
	return 0;
}

static int issued_find(struct cli *cli, const char *prefix, struct ca_revoked *ret)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	char *rest, *line;
	bool found = false;
	int r = ca_text(cli, "ca/issued.log", &text);

	if (r != CLI_YES)
		return r;
	for (rest = (char *)text.p; (line = strsep(&rest, "\n"));) {
		struct ca_revoked one = { 0 };

		if (issued_parse(line, &one) < 0 ||
		    strncmp(one.sha256, prefix, strlen(prefix)) != 0)
			continue;
		if (found)
			return cli_usage(cli,
					 "several certificates begin with %s: give more digits",
					 prefix);
		found = true;
		*ret = one;
	}
	return found ? CLI_YES
		     : cli_fail(cli, CLI_NO, "not-found",
				"this CA issued no certificate %s, says %s/ca/issued.log", prefix,
				cli->config_dir);
}

/* --- revoke --- */

static int record_add(struct cli *cli, struct registry *g, const struct ca_revoked *one)
{
	struct ca_revoked *more;

	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->revoked[i].sha256, one->sha256) == 0)
			return cli_fail(cli, CLI_NO, "exists", "it is revoked already (%s)",
					g->revoked[i].reason);
	more = reallocarray(g->revoked, g->n + 1, sizeof(*more));
	if (!more)
		return cli_fail_memory(cli);
	g->revoked = more;
	g->revoked[g->n++] = *one;
	return CLI_YES;
}

int verb_ca_revoke(struct cli *cli, const struct args *args)
{
	_cleanup_(registry_deinit) struct registry g = { .lock = -1 };
	const char *name = args->option[OPT_REASON];
	const char *reason = ca_reason(name ? name : "unspecified");
	struct ca_revoked one = { 0 };
	int r = CLI_YES;

	if (!reason)
		return cli_usage(cli, "--reason: unspecified, keyCompromise, affiliationChanged, "
				      "superseded, cessationOfOperation or privilegeWithdrawn");
	r = operand_read(cli, args->operand[0], &g);
	if (r == CLI_YES)
		r = registry_open(cli, &g);
	if (r == CLI_YES)
		r = issued_find(cli, g.sha256, &one);
	one.reason = reason;
	one.since = clock_realtime(cli->clock);
	if (r == CLI_YES)
		r = record_add(cli, &g, &one);
	if (r == CLI_YES)
		cli_say(cli, "Revoked: %s, certificate %s (%s).", one.subject, one.sha256, reason);
	if (r == CLI_YES && g.n == 1)
		cli_say(cli, "It is the first.  From now on certificates of this CA need a current "
			     "list: systemctl enable --now certlogin-ca-crl.timer");
	return r == CLI_YES ? record_publish(cli, &g, args) : r;
}
