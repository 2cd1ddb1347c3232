// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/show.h"

/* certlogin explain EVENT: the decision, as it was made. */

static void verdict_line(struct cli *cli, const json_t *e)
{
	const char *verdict = reply_text(e, "verdict"), *reason = reply_text(e, "reason");
	bool allow = strcmp(verdict, "allow") == 0;

	(void)fprintf(cli->out, "Event %" PRId64 ": ", reply_int(e, "id"));
	if (!*verdict)
		term_print(cli->out, &cli->term, TONE_HEAD, "%s", reply_text(e, "kind"));
	else
		term_print(cli->out, &cli->term, allow ? TONE_GOOD : TONE_BAD, "%s",
			   allow ? "ALLOWED" : "DENIED");
	if (*verdict && *reason)
		term_print(cli->out, &cli->term, TONE_PLAIN, ", %s%s%s", reason,
			   *reason_meaning(reason) ? ": " : "", reason_meaning(reason));
	(void)fputs("\n\n", cli->out);
}

/* What an event without checks carries: "what changed". */
static void detail_show(struct cli *cli, json_t *detail)
{
	const char *key;
	json_t *value;

	json_object_foreach(detail, key, value) {
		_cleanup_(freep) char *text = NULL;

		if (strcmp(key, "checks") == 0)
			continue;
		text = json_is_string(value) ? NULL
					     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		show_text(cli, key,
			  json_is_string(value) ? json_string_value(value)
			  : text		? text
						: "");
	}
}

static void event_show(struct cli *cli, const json_t *e)
{
	static const struct {
		const char *title, *name;
	} fields[] = {
		{ "Kind", "kind" },
		{ "Identity", "identity" },
		{ "Account", "account" },
		{ "Service", "service" },
		{ "From", "source" },
		{ "Login id", "loginId" },
		{ "Certificate", "certificate" },
	};
	const json_t *checks = json_object_get(json_object_get(e, "detail"), "checks");
	const char *advice = reason_advice(reply_text(e, "reason"));

	verdict_line(cli, e);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (*reply_text(e, fields[i].name))
			show_text(cli, fields[i].title, reply_text(e, fields[i].name));
	show_when(cli, "Time", reply_int(e, "time"));
	detail_show(cli, json_object_get(e, "detail"));
	if (json_array_size(checks) > 0) {
		(void)fputc('\n', cli->out);
		show_checks(cli, checks);
	}
	if (*advice && strcmp(reply_text(e, "verdict"), "deny") == 0) {
		(void)fputc('\n', cli->out);
		cli_say(cli, "What to do: %s.", advice);
	}
}

int verb_explain(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	char *end;
	int64_t id = strtoll(args->operand[0], &end, 10);
	int r;

	if (*end || id <= 0)
		return cli_usage(cli, "'%s' is no event number: see certlogin audit list",
				 args->operand[0]);
	r = admin_call(cli, "GetEvent", json_pack("{s:I}", "id", (json_int_t)id), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	event_show(cli, json_object_get(reply, "event"));
	return CLI_YES;
}
