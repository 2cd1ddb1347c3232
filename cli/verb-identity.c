// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/admin.h"
#include "cli/show.h"
#include "lib/base/name.h"

/* certlogin identity add|list|show|disable|enable|remove: the people. */

static int name_check(struct cli *cli, const char *name)
{
	if (!identity_name_ok(name))
		return cli_usage(cli, "'%s' cannot be the name of an identity", name);
	return CLI_YES;
}

/* One call with the name, and a line for people. */
static int identity_do(struct cli *cli, const char *method, json_t *parameters, const char *name,
		       const char *done)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r = name_check(cli, name);

	if (r != CLI_YES) {
		json_decref(parameters);
		return r;
	}
	r = admin_call(cli, method, parameters, &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: %s.", name, done);
	return CLI_YES;
}

int verb_identity_add(struct cli *cli, const struct args *args)
{
	const char *name = args->operand[0];
	json_t *parameters = json_pack("{s:s}", "name", name);
	int r = CLI_YES;

	if (!parameters || args_put_text(args, OPT_FULL_NAME, parameters, "fullName") < 0) {
		json_decref(parameters);
		return cli_usage(cli, "the name is not UTF-8");
	}
	r = args_put_time(cli, args, OPT_FROM, parameters, "notBefore");
	if (r == CLI_YES)
		r = args_put_time(cli, args, OPT_UNTIL, parameters, "notAfter");
	if (r != CLI_YES) {
		json_decref(parameters);
		return r;
	}
	r = identity_do(cli, "AddIdentity", parameters, name, "added");
	if (r == CLI_YES)
		cli_say(cli,
			"Next: certlogin access allow %s ACCOUNT --service SERVICE; certlogin "
			"enroll %s CERT-FILE",
			name, name);
	return r;
}

static int set_enabled(struct cli *cli, const struct args *args, bool enabled)
{
	json_t *parameters = json_pack("{s:s, s:b}", "name", args->operand[0], "enabled", enabled);

	if (parameters && args_put_text(args, OPT_REASON, parameters, "reason") < 0) {
		json_decref(parameters);
		return cli_usage(cli, "the reason is not UTF-8");
	}
	return identity_do(cli, "SetIdentityEnabled", parameters, args->operand[0],
			   enabled ? "enabled" : "disabled; from now on nothing opens for it");
}

int verb_identity_disable(struct cli *cli, const struct args *args)
{
	return set_enabled(cli, args, false);
}

int verb_identity_enable(struct cli *cli, const struct args *args)
{
	return set_enabled(cli, args, true);
}

int verb_identity_remove(struct cli *cli, const struct args *args)
{
	return identity_do(cli, "RemoveIdentity", json_pack("{s:s}", "name", args->operand[0]),
			   args->operand[0], "removed, with its certificates and access");
}

int verb_identity_list(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "NAME",  "STATE",	    "CERTS",
					      "UNTIL", "FULL NAME", "REASON" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r;

	r = admin_list(cli, "ListIdentities", json_object(), "identities", "name", &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "identities"), i, row) {
		bool enabled = reply_bool(row, "enabled");

		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "name"));
		table_cell(t, enabled ? TONE_GOOD : TONE_BAD, "%s",
			   enabled ? "enabled" : "disabled");
		table_cell(t, TONE_PLAIN, "%lld", (long long)reply_int(row, "certificates"));
		show_when_cell(cli, t, reply_int(row, "notAfter"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "fullName"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "reason"));
	}
	return show_table(cli, t, "no identities. Add one: certlogin identity add NAME");
}

int verb_identity_show(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const json_t *identity;
	bool enabled;
	int r = name_check(cli, args->operand[0]);

	if (r == CLI_YES)
		r = admin_call(cli, "GetIdentity", json_pack("{s:s}", "name", args->operand[0]),
			       &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	identity = json_object_get(reply, "identity");
	enabled = reply_bool(identity, "enabled");
	show_text(cli, "Identity", reply_text(identity, "name"));
	show_text(cli, "Full name", reply_text(identity, "fullName"));
	field_print(cli->out, &cli->term, "State", enabled ? TONE_GOOD : TONE_BAD, "%s%s%s",
		    enabled ? "enabled" : "disabled", *reply_text(identity, "reason") ? ": " : "",
		    reply_text(identity, "reason"));
	show_when(cli, "Not before", reply_int(identity, "notBefore"));
	show_when(cli, "Not after", reply_int(identity, "notAfter"));
	show_when(cli, "Added", reply_int(identity, "created"));
	(void)fputc('\n', cli->out);
	r = show_certificates(cli, json_object_get(reply, "certificates"),
			      "no certificates. Next: certlogin enroll NAME CERT-FILE");
	(void)fputc('\n', cli->out);
	return r != CLI_YES ? r
			    : show_access(cli, json_object_get(reply, "access"),
					  "no access. Next: certlogin access allow NAME ACCOUNT "
					  "--service SERVICE");
}
