// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/admin.h"
#include "cli/show.h"
#include "lib/base/name.h"

/* certlogin access allow|deny|list: who may use which account through what. */

static int parameters_make(struct cli *cli, const struct args *args, json_t **ret)
{
	const char *service = args->option[OPT_SERVICE];

	if (!service) /* no default: a permission is never wider than it was written */
		return cli_usage(
			cli,
			"say through what: --service SERVICE, or a class: @login, @elevate, @app");
	if (!identity_name_ok(args->operand[0]))
		return cli_usage(cli, "'%s' cannot be the name of an identity", args->operand[0]);
	if (!account_name_ok(args->operand[1]))
		return cli_usage(cli, "'%s' cannot be the name of an account", args->operand[1]);
	if (!service_or_class_ok(service))
		return cli_usage(cli,
				 "'%s' is neither a service nor a class (@login, @elevate, @app)",
				 service);
	*ret = json_pack("{s:s, s:s, s:s}", "identity", args->operand[0], "account",
			 args->operand[1], "service", service);
	return *ret ? CLI_YES : cli_fail_memory(cli);
}

int verb_access_allow(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *parameters = NULL, *reply = NULL;
	int r = parameters_make(cli, args, &parameters);

	if (r == CLI_YES)
		r = args_put_time(cli, args, OPT_FROM, parameters, "notBefore");
	if (r == CLI_YES)
		r = args_put_time(cli, args, OPT_UNTIL, parameters, "notAfter");
	if (r == CLI_YES)
		r = admin_call(cli, "AllowAccess", json_incref(parameters), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s may use %s through %s.", args->operand[0], args->operand[1],
		args->option[OPT_SERVICE]);
	return CLI_YES;
}

int verb_access_deny(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *parameters = NULL, *reply = NULL;
	int r = parameters_make(cli, args, &parameters);

	if (r == CLI_YES)
		r = admin_call(cli, "DenyAccess", json_incref(parameters), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: the permission to use %s through %s is gone.", args->operand[0],
		args->operand[1], args->option[OPT_SERVICE]);
	return CLI_YES;
}

int verb_access_list(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	json_t *parameters =
		args->n > 0 ? json_pack("{s:s}", "identity", args->operand[0]) : json_object();
	int r = admin_call(cli, "ListAccess", parameters, &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	return show_access(cli, json_object_get(reply, "access"),
			   "nobody may use anything. Next: certlogin access allow NAME ACCOUNT "
			   "--service SERVICE");
}
