// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/admin.h"
#include "cli/show.h"

/* certlogin session list|show */

int verb_session_list(struct cli *cli, const struct args *args)
{
	static const char *const titles[] = { "ID",   "IDENTITY", "ACCOUNT", "SERVICE", "TTY",
					      "FROM", "PID",	  "OPENED",  "ENDED" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	bool all = args->option[OPT_ALL] != NULL;
	json_t *row;
	size_t i;
	int r;

	r = admin_list(cli, "ListSessions", json_pack("{s:b}", "all", all), "sessions", "id",
		       &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "sessions"), i, row) {
		bool open = reply_int(row, "closed") == 0;

		table_cell(t, TONE_PLAIN, "%lld", (long long)reply_int(row, "id"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "identity"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "accountNow"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "service"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "tty"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "rhost"));
		table_cell(t, TONE_PLAIN, "%lld", (long long)reply_int(row, "pid"));
		show_when_cell(cli, t, reply_int(row, "opened"));
		table_cell(t, open ? TONE_GOOD : TONE_DIM, "%s",
			   open ? "open" : reply_text(row, "ended"));
	}
	return show_table(cli, t,
			  all ? "no sessions yet"
			      : "no open sessions (--all shows the closed ones as well)");
}

int verb_session_show(struct cli *cli, const struct args *args)
{
	static const struct {
		const char *title, *name;
	} fields[] = {
		{ "Identity", "identity" },	    { "Certificate", "certificate" },
		{ "Authenticated", "accountAuth" }, { "Account now", "accountNow" },
		{ "Service", "service" },	    { "Terminal", "tty" },
		{ "Remote host", "rhost" },	    { "Login id", "loginId" },
	};
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const json_t *s;
	int64_t id = 0;
	char *end;
	int r;

	id = strtoll(args->operand[0], &end, 10);
	if (*end || id <= 0)
		return cli_usage(cli, "'%s' is no session number: see certlogin session list",
				 args->operand[0]);
	r = admin_call(cli, "GetSession", json_pack("{s:I}", "id", (json_int_t)id), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	s = json_object_get(reply, "session");
	field_print(cli->out, &cli->term, "Session", TONE_HEAD, "%lld",
		    (long long)reply_int(s, "id"));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		show_text(cli, fields[i].title, reply_text(s, fields[i].name));
	field_print(cli->out, &cli->term, "Process", TONE_PLAIN, "%lld",
		    (long long)reply_int(s, "pid"));
	show_when(cli, "Opened", reply_int(s, "opened"));
	show_when(cli, "Closed", reply_int(s, "closed"));
	show_text(cli, "Ended", reply_text(s, "ended"));
	return CLI_YES;
}
