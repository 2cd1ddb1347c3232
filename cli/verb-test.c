// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/admin.h"
#include "cli/certfile.h"
#include "cli/show.h"

/* certlogin test: the decision that a login would get, by the same code; changes nothing. */

static int parameters_make(struct cli *cli, const struct args *args, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *p = NULL, *chain = json_array();
	int r;

	if (!args->option[OPT_CERT] || !args->option[OPT_ACCOUNT] || !args->option[OPT_SERVICE])
		return cli_usage(cli, "--cert, --account and --service are needed");
	r = certfile_put_chain(cli, args->option[OPT_CERT], chain);
	if (r != CLI_YES)
		return r;
	p = json_pack("{s:O, s:s, s:s}", "chain", chain, "account", args->option[OPT_ACCOUNT],
		      "service", args->option[OPT_SERVICE]);
	if (!p || args_put_text(args, OPT_VIA, p, "via") < 0)
		return cli_usage(cli, "a value is not UTF-8");
	r = args_put_time(cli, args, OPT_AT, p, "at");
	if (r == CLI_YES)
		*ret = STEAL(p);
	return r;
}

int verb_test(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *parameters = NULL, *reply = NULL;
	const char *reason;
	bool allowed;
	int r = parameters_make(cli, args, &parameters);

	if (r == CLI_YES)
		r = admin_call(cli, "TestLogin", json_incref(parameters), &reply);
	if (r != CLI_YES)
		return r;
	allowed = reply_bool(reply, "allowed");
	reason = reply_text(reply, "reason");
	if (cli->json) {
		r = cli_json(cli, json_incref(reply));
		return r != CLI_YES ? r : allowed ? CLI_YES : CLI_NO;
	}
	term_print(cli->out, &cli->term, allowed ? TONE_GOOD : TONE_BAD, "%s",
		   allowed ? "would be ALLOWED" : "would be DENIED");
	term_print(cli->out, &cli->term, TONE_PLAIN, "%s%s%s%s%s%s",
		   *reply_text(reply, "identity") ? ", as " : "", reply_text(reply, "identity"),
		   allowed ? "" : ", ", allowed ? "" : reason,
		   allowed || !*reason_meaning(reason) ? "" : ": ",
		   allowed ? "" : reason_meaning(reason));
	(void)fputs("\n\n", cli->out);
	show_checks(cli, json_object_get(reply, "checks"));
	if (!allowed && *reason_advice(reason)) {
		(void)fputc('\n', cli->out);
		cli_say(cli, "What to do: %s.", reason_advice(reason));
	}
	return allowed ? CLI_YES : CLI_NO;
}
