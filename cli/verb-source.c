// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/admin.h"
#include "cli/show.h"
#include "lib/base/paths.h"
#include "lib/varlink/client.h"

/* certlogin source add|list|remove|certificates, certlogin fetch: where revocation is got from. */

#define UNIT_FETCH "certlogin-fetch.service"

int verb_source_add(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r;

	if (!args->option[OPT_ANCHOR])
		return cli_usage(cli, "say whose revocation list it is: --anchor ANCHOR");
	r = admin_call(cli, "AddSource",
		       json_pack("{s:s, s:s}", "url", args->operand[0], "anchor",
				 args->option[OPT_ANCHOR]),
		       &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: will be fetched for anchor %s.", args->operand[0],
		args->option[OPT_ANCHOR]);
	cli_say(cli, "Now: certlogin fetch. From now on, where that was not done yet: systemctl "
		     "enable --now certlogin-fetch.timer");
	return CLI_YES;
}

static const char *state_of(const json_t *row, enum tone *ret_tone)
{
	const char *error = reply_text(row, "error");

	*ret_tone = *error ? TONE_BAD : reply_int(row, "succeeded") ? TONE_GOOD : TONE_DIM;
	return *error ? error : reply_int(row, "succeeded") ? "good" : "not fetched yet";
}

static int show_sources(struct cli *cli, const json_t *reply)
{
	static const char *const titles[] = { "URL",   "KIND",	"ANCHOR", "FROM",
					      "TRIED", "AGAIN", "STATE" };
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	const json_t *row;
	enum tone tone;
	size_t i;

	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "sources"), i, row) {
		const char *state = state_of(row, &tone);

		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "url"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "kind"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "anchor"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "origin"));
		if (reply_int(row, "tried"))
			show_when_cell(cli, t, reply_int(row, "tried"));
		else
			table_cell(t, TONE_DIM, "never");
		if (reply_int(row, "due"))
			show_when_cell(cli, t, reply_int(row, "due"));
		else
			table_cell(t, TONE_DIM, "now");
		table_cell(t, tone, "%s", state);
	}
	return show_table(cli, t,
			  "no sources: no revocation list is fetched. certlogin source add URL "
			  "--anchor ANCHOR");
}

int verb_source_list(struct cli *cli, _unused_ const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r = admin_call(cli, "ListSources", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	r = show_sources(cli, reply);
	if (r == CLI_YES && !reply_bool(reply, "fromCertificates"))
		cli_note(cli, "Addresses in certificates are not used (certlogin source "
			      "certificates yes).");
	return r;
}

int verb_source_remove(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r = admin_call(cli, "RemoveSource", json_pack("{s:s}", "url", args->operand[0]),
			   &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: will be fetched no more, but where it stands in a certificate.",
		args->operand[0]);
	return CLI_YES;
}

int verb_source_certificates(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	bool yes = strcmp(args->operand[0], "yes") == 0;
	int r;

	if (!yes && strcmp(args->operand[0], "no") != 0)
		return cli_usage(cli, "'%s' is neither yes nor no", args->operand[0]);
	r = admin_call(cli, "SetFetch", json_pack("{s:b}", "fromCertificates", yes), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, yes ? "Addresses in certificates are used."
			 : "Addresses in certificates are not used.");
	return CLI_YES;
}

/* --- fetch --- */

/* Its exit code; negative errno: it could not be started. */
static int run(const char *const argv[])
{
	extern char **environ;
	int status, r;
	pid_t pid;

	/* posix_spawn's type has no const: it changes none of it */
	r = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* By its unit, with all that this closes to it, where systemd is there to start it. */
static int run_fetch(struct cli *cli)
{
	const char *const unit[] = { "systemctl", "start", UNIT_FETCH, NULL };
	const char *const program[] = { PATH_FETCH, "--runtime-dir", cli->runtime_dir, NULL };

	if (access("/run/systemd/system", F_OK) == 0 && strcmp(cli->runtime_dir, RUNTIMEDIR) == 0) {
		show_progress(cli, "fetching; sources", 0, false);
		return run(unit);
	}
	return run(program);
}

int verb_fetch(struct cli *cli, _unused_ const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int code, r;

	r = admin_call(cli, "ListSources", json_object(),
		       NULL); /* is there anybody to report to? */
	if (r != CLI_YES)
		return r;
	cli->admin = vl_client_close(cli->admin); /* not while somebody waits for it for minutes */
	code = run_fetch(cli);
	show_progress(cli, "", 0, true);
	if (code < 0 || code == 127)
		return cli_fail(cli, CLI_INTERNAL, "internal", "%s cannot be started: %s",
				PATH_FETCH, strerror(code < 0 ? -code : ENOENT));
	r = admin_call(cli, "ListSources", json_object(), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		r = cli_json(cli, json_pack("{s:b, s:O}", "good", code == 0, "sources",
					    json_object_get(reply, "sources")));
	else if (!cli->quiet)
		r = show_sources(cli, reply);
	if (r != CLI_YES || code == 0)
		return r;
	cli_note(cli, "Not all could be fetched. More: journalctl -u " UNIT_FETCH);
	return CLI_NO;
}
