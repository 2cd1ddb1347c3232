// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/admin.h"
#include "cli/show.h"
#include "lib/base/name.h"

/* certlogin service list|set|remove: the PAM services that take certificates, and how. */

int verb_service_list(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "SERVICE",     "CLASS", "VIA",
					      "REDEEM UIDS", "LOOSE", "CONSOLE" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r = admin_call(cli, "ListServices", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "services"), i, row) {
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "name"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "class"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "via"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "redeemUids"));
		table_cell(t, reply_bool(row, "loose") ? TONE_WARN : TONE_PLAIN, "%s",
			   reply_bool(row, "loose") ? "yes" : "no");
		table_cell(t, TONE_PLAIN, "%s", reply_bool(row, "console") ? "yes" : "no");
	}
	return show_table(
		cli, t,
		"no services: every login is denied. certlogin service set SERVICE --class CLASS");
}

static int put_bool(struct cli *cli, const struct args *args, enum opt opt, json_t *parameters,
		    const char *name)
{
	const char *s = args->option[opt];
	bool yes;

	if (!s)
		return CLI_YES;
	yes = strcmp(s, "yes") == 0;
	if (!yes && strcmp(s, "no") != 0)
		return cli_usage(cli, "--%s: yes or no", option_specs[opt].name);
	return json_object_set_new(parameters, name, json_boolean(yes)) < 0 ? cli_fail_memory(cli)
									    : CLI_YES;
}

int verb_service_set(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *parameters = NULL, *reply = NULL;
	const char *name = args->operand[0], *class = args->option[OPT_CLASS];
	int r;

	if (!service_name_ok(name))
		return cli_usage(cli, "'%s' cannot be the name of a PAM service", name);
	if (!class)
		return cli_usage(cli, "say what it is: --class login, elevate (sudo, su) or app");
	parameters = json_pack("{s:s, s:s}", "name", name, "class", class);
	if (!parameters || args_put_text(args, OPT_REDEEM_UIDS, parameters, "redeemUids") < 0 ||
	    args_put_text(args, OPT_VIA, parameters, "via") < 0)
		return cli_usage(cli, "a value is not UTF-8");
	r = put_bool(cli, args, OPT_LOOSE, parameters, "loose");
	if (r == CLI_YES)
		r = put_bool(cli, args, OPT_CONSOLE, parameters, "console");
	if (r == CLI_YES)
		r = admin_call(cli, "SetService", json_incref(parameters), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: class %s, via %s.", name, class,
		reply_text(json_object_get(reply, "service"), "via"));
	return CLI_YES;
}

int verb_service_remove(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r = admin_call(cli, "RemoveService", json_pack("{s:s}", "name", args->operand[0]),
			   &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: removed; logins through it are denied.", args->operand[0]);
	return CLI_YES;
}
