// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/admin.h"
#include "cli/ask.h"
#include "cli/certfile.h"
#include "cli/file.h"
#include "cli/import/altsec.h"
#include "cli/import/apply.h"
#include "cli/import/authkeys.h"
#include "cli/import/pkcs11.h"
#include "cli/import/sssd.h"
#include "cli/show.h"
#include "lib/base/name.h"

/*
 * certlogin import pam_pkcs11|sssd|authorized-keys|ad: from what people have today.  The readers in
 * cli/import turn texts into a plan; here are the files, the questions and the tables.
 */

#define FILE_CERTS 256
#define PKCS11_CONFIG "/etc/pam_pkcs11/pam_pkcs11.conf"
#define SSSD_CONFIG "/etc/sssd/sssd.conf"

struct home {
	char *login, *dir;
	uid_t uid;
};

struct import {
	struct cli *cli;
	const struct args *args;
	struct plan_options options;
	const char *domains[ARGS_MANY];
	struct certset certs;
	const char *mapdir;
	struct home *homes;
	size_t n_homes;
	struct plan plan;
};

static void import_deinit(struct import *im)
{
	plan_deinit(&im->plan);
	certset_deinit(&im->certs);
	for (size_t i = 0; i < im->n_homes; i++) {
		free(im->homes[i].login);
		free(im->homes[i].dir);
	}
	free(im->homes);
}

/* --- certificates that are given --- */

static int certs_take(struct import *im, struct cert **certs, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		int one = certset_add(&im->certs, STEAL(certs[i]), NULL);

		r = one < 0 ? one : r;
	}
	return r < 0 ? cli_fail_memory(im->cli) : CLI_YES;
}

static int certs_file(struct import *im, const char *path)
{
	struct cert *certs[FILE_CERTS] = { NULL };
	size_t n = 0;
	int r = certfile_read_all(im->cli, path, certs, FILE_CERTS, &n);

	return r == CLI_YES ? certs_take(im, certs, n) : r;
}

/* Every file in it that holds certificates; others may lie there as well. */
static int certs_dir(struct import *im, const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	int r = CLI_YES;

	if (!d)
		return cli_fail_file(im->cli, -errno, "read", path);
	while (r == CLI_YES && (e = readdir(d))) {
		_cleanup_(buf_deinitp) struct buf text = { 0 };
		struct cert *certs[FILE_CERTS] = { NULL };
		char file[PATH_SIZE];
		struct stat st;
		size_t n = 0;

		if (path_join(file, path, e->d_name) < 0 || stat(file, &st) < 0 ||
		    !S_ISREG(st.st_mode) || file_read(file, &text) < 0)
			continue;
		if (cert_load_all(text.p, text.n, certs, FILE_CERTS, &n) == 0)
			r = certs_take(im, certs, n);
	}
	(void)closedir(d);
	return r;
}

/* --- files that the configuration leads to --- */

static int map_read(void *userdata, const char *path, struct import_file *ret)
{
	const struct import *im = userdata;
	const char *base = strrchr(path, '/');

	if (im->mapdir) {
		if (path_join(ret->path, im->mapdir, base ? base + 1 : path) < 0)
			return -ENAMETOOLONG;
	} else if (snprintf(ret->path, sizeof(ret->path), "%s", path) >= (int)sizeof(ret->path)) {
		return -ENAMETOOLONG;
	}
	return file_read(ret->path, &ret->text);
}

static int homes_read(struct import *im)
{
	const struct passwd *pw;
	int r = 0;

	setpwent();
	while (r == 0 && (pw = getpwent())) {
		struct home *more = reallocarray(im->homes, im->n_homes + 1, sizeof(im->homes[0]));

		if (!more) {
			r = -ENOMEM;
			break;
		}
		im->homes = more;
		more[im->n_homes] = (struct home){ .login = strdup(pw->pw_name),
						   .dir = strdup(pw->pw_dir),
						   .uid = pw->pw_uid };
		if (!more[im->n_homes].login || !more[im->n_homes].dir)
			r = -ENOMEM;
		im->n_homes++;
	}
	endpwent();
	return r;
}

/* A user's file decides who logs in as that user alone; but nobody else may have written it, and it
 * must not hold us up. */
static int home_file_read(const struct home *home, struct import_file *ret)
{
	_cleanup_(closep) int fd =
		open(ret->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	char self[64];
	struct stat st;

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((st.st_uid != home->uid && st.st_uid != 0) || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return file_read(self, &ret->text);
}

static int home_read(void *userdata, size_t i, const char *name, struct import_file *ret)
{
	struct import *im = userdata;
	int r;

	if (i == 0 && !im->homes) {
		r = homes_read(im);
		if (r < 0)
			return r;
	}
	if (i >= im->n_homes)
		return -ENODATA;
	ret->login = im->homes[i].login;
	if (path_join(ret->path, im->homes[i].dir, name) < 0)
		return -ENOENT;
	return home_file_read(&im->homes[i], ret);
}

static bool is_superuser(const char *login)
{
	const struct passwd *pw = getpwnam(login);

	return pw && pw->pw_uid == 0;
}

/* --- the plan --- */

static void where_text(const char *file, unsigned line, char *ret, size_t size)
{
	if (line > 0)
		(void)snprintf(ret, size, "%s:%u", file, line);
	else
		(void)snprintf(ret, size, "%s", file);
}

static int plan_show(struct cli *cli, const struct plan *p)
{
	static const char *const titles[] = { "STATE", "WHAT", "FROM" };
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	char text[2048], where[PATH_SIZE + 16];
	int r;

	if (!t)
		return cli_fail_memory(cli);
	for (size_t i = 0; i < p->n_ops; i++) {
		const struct plan_op *op = &p->ops[i];

		plan_op_text(op, p->options, text, sizeof(text));
		where_text(op->file, op->line, where, sizeof(where));
		table_cell(t, op->state == PLAN_NEW ? TONE_GOOD : TONE_DIM, "%s",
			   plan_state_text(op->state));
		table_cell(t, TONE_PLAIN, "%s", text);
		table_cell(t, TONE_PLAIN, "%s", where);
	}
	r = show_table(cli, t, "nothing can be carried over");
	if (r != CLI_YES || p->n_refusals == 0)
		return r;
	/* no table: a reason is never cut */
	(void)fputc('\n', cli->out);
	term_print(cli->out, &cli->term, TONE_HEAD, "Not carried over:");
	(void)fputc('\n', cli->out);
	for (size_t i = 0; i < p->n_refusals; i++) {
		const struct plan_refusal *f = &p->refusals[i];

		where_text(f->file, f->line, where, sizeof(where));
		term_print(cli->out, &cli->term, f->setting ? TONE_WARN : TONE_BAD, "%s: %s", where,
			   f->what);
		(void)fputc('\n', cli->out);
		term_print(cli->out, &cli->term, TONE_PLAIN, "    %s", f->why);
		(void)fputc('\n', cli->out);
	}
	return CLI_YES;
}

static int plan_do(struct import *im)
{
	struct cli *cli = im->cli;
	const struct args *args = im->args;
	size_t n = plan_to_do(&im->plan);
	bool apply = !args->option[OPT_DRY_RUN];
	char question[64];
	int r = CLI_YES;

	if (!cli->json)
		r = plan_show(cli, &im->plan);
	if (r == CLI_YES && apply && n > 0 && !args->option[OPT_YES]) {
		(void)snprintf(question, sizeof(question), "Do what is new of this (%zu)?", n);
		if (!ask_yes(question))
			return cli_fail(cli, CLI_NO, "declined", "nothing was changed");
	}
	if (r == CLI_YES && apply)
		r = import_apply(cli, &im->plan);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, plan_json(&im->plan, apply));
	if (apply)
		cli_say(cli, "%zu done.", n);
	return CLI_YES;
}

/* Compares with the daemon's state; a dry run does without when there is no daemon. */
static int plan_end(struct import *im)
{
	_cleanup_(known_deinitp) struct known known = { 0 };
	struct cli *cli = im->cli;
	bool ask = !im->args->option[OPT_DRY_RUN] || admin_reachable(cli);
	int r;

	if (im->plan.error < 0)
		return cli_fail_memory(cli);
	r = ask ? import_known(cli, &im->plan, &known) : CLI_YES;
	if (r != CLI_YES)
		return r;
	if (plan_finish(&im->plan, ask ? &known : NULL) < 0)
		return cli_fail_memory(cli);
	return plan_do(im);
}

/* --- the verbs --- */

static int options_read(struct import *im)
{
	struct plan_options *o = &im->options;
	const struct args *args = im->args;
	int r = CLI_YES;

	*o = (struct plan_options){ .anchor = args->option[OPT_ANCHOR],
				    .domains = im->domains,
				    .service = args->option[OPT_SERVICE],
				    .allow_weak = args->option[OPT_ALLOW_WEAK] != NULL,
				    .certs = &im->certs,
				    .now = clock_realtime(im->cli->clock),
				    .superuser = is_superuser };
	im->mapdir = args->option[OPT_MAPDIR];
	if (o->service && !service_or_class_ok(o->service))
		return cli_usage(im->cli,
				 "'%s' is neither a service nor a class (@login, @elevate, @app)",
				 o->service);
	if (im->cli->json && !args->option[OPT_YES] && !args->option[OPT_DRY_RUN])
		return cli_usage(im->cli, "with --json say --yes or --dry-run");
	for (size_t i = 0; r == CLI_YES && i < args->n_many; i++) {
		const char *value = args->many[i].value;

		if (args->many[i].opt == OPT_DOMAIN)
			im->domains[o->n_domains++] = value;
		else if (args->many[i].opt == OPT_CERT)
			r = certs_file(im, value);
		else if (args->many[i].opt == OPT_CERT_DIR)
			r = certs_dir(im, value);
	}
	return r;
}

typedef void (*reader_func)(struct import *im, const char *path, const struct buf *text);

static int import_run(struct cli *cli, const struct args *args, const char *path,
		      reader_func reader)
{
	_cleanup_(import_deinit) struct import im = { .cli = cli, .args = args };
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	int r = options_read(&im);

	if (r != CLI_YES)
		return r;
	plan_init(&im.plan, &im.options);
	r = file_read(path, &text);
	if (r < 0)
		return cli_fail_file(cli, r, "read", path);
	reader(&im, path, &text);
	return plan_end(&im);
}

static void read_pkcs11(struct import *im, const char *path, const struct buf *text)
{
	const struct import_files files = { .map = map_read, .home = home_read, .userdata = im };

	import_pam_pkcs11(&im->plan, path, (const char *)text->p, text->n, &files);
}

/* SSSD reads conf.d beside its file as well, and a rule in there may win over those of the file. */
static void snippets_refuse(struct plan *p, const char *config)
{
	const char *slash = strrchr(config, '/');
	char dir[PATH_SIZE], path[2 * PATH_SIZE];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(dir, sizeof(dir), "%.*sconf.d", slash ? (int)(slash - config) + 1 : 0,
		       config);
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n <= 5 || e->d_name[0] == '.' || strcmp(e->d_name + n - 5, ".conf") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		plan_refuse(p, (struct place){ path, 0 }, e->d_name,
			    "SSSD reads this as well, and rules in it may win over these: make "
			    "one file of all, and import that by --config");
	}
	if (d)
		(void)closedir(d);
}

static void read_sssd(struct import *im, const char *path, const struct buf *text)
{
	snippets_refuse(&im->plan, path);
	import_sssd(&im->plan, path, (const char *)text->p, text->n);
}

static void read_authorized_keys(struct import *im, const char *path, const struct buf *text)
{
	import_authorized_keys(&im->plan, path, (const char *)text->p, text->n,
			       im->args->option[OPT_IDENTITY], false);
}

static void read_ad(struct import *im, const char *path, const struct buf *text)
{
	import_ad(&im->plan, path, (const char *)text->p, text->n);
}

static const char *config_of(const struct args *args, const char *otherwise)
{
	return args->option[OPT_CONFIG] ? args->option[OPT_CONFIG] : otherwise;
}

int verb_import_pam_pkcs11(struct cli *cli, const struct args *args)
{
	return import_run(cli, args, config_of(args, PKCS11_CONFIG), read_pkcs11);
}

int verb_import_sssd(struct cli *cli, const struct args *args)
{
	return import_run(cli, args, config_of(args, SSSD_CONFIG), read_sssd);
}

int verb_import_authorized_keys(struct cli *cli, const struct args *args)
{
	if (!args->option[OPT_IDENTITY])
		return cli_usage(cli, "say whose keys these are: --identity NAME");
	return import_run(cli, args, args->operand[0], read_authorized_keys);
}

int verb_import_ad(struct cli *cli, const struct args *args)
{
	return import_run(cli, args, args->operand[0], read_ad);
}
