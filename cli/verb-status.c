// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/show.h"

/* certlogin status: what the daemon says of itself, member by member. */

/* "sessionsOpen" as "Sessions open" */
static void title_make(const char *key, char *ret, size_t size)
{
	size_t n = 0;

	for (; *key && n + 3 < size; key++) {
		if (isupper((unsigned char)*key))
			ret[n++] = ' ';
		ret[n] = (char)(n == 0 ? toupper((unsigned char)*key)
				       : tolower((unsigned char)*key));
		n++;
	}
	ret[n] = '\0';
}

static void member_show(struct cli *cli, const char *key, const json_t *value)
{
	static const char *const times[] = { "started", "now", "time", "clockFloor" };
	_cleanup_(freep) char *text = NULL;
	char title[64];

	title_make(key, title, sizeof(title));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		if (json_is_integer(value) && strcmp(times[i], key) == 0) {
			show_when(cli, title, json_integer_value(value));
			return;
		}
	}
	if (json_is_string(value)) {
		show_text(cli, title, json_string_value(value));
		return;
	}
	text = json_is_boolean(value) ? strdup(json_is_true(value) ? "yes" : "no")
				      : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	show_text(cli, title, text ? text : "");
}

static void warning_show(struct cli *cli, const json_t *w)
{
	bool error = strcmp(reply_text(w, "level"), "error") == 0;
	int64_t time = reply_int(w, "time");
	char when[WHEN_TEXT] = "";

	if (time > 0)
		when_text(time, cli->utc, when);
	term_print(cli->out, &cli->term, error ? TONE_BAD : TONE_WARN, "%s",
		   error ? "error" : "warning");
	term_print(cli->out, &cli->term, TONE_PLAIN, ": %s: %s%s%s\n", reply_text(w, "about"),
		   reply_text(w, "text"), time > 0 ? ": " : "", when);
	term_print(cli->out, &cli->term, TONE_DIM, "  %s\n", reply_text(w, "todo"));
}

int verb_status(struct cli *cli, _unused_ const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const char *key;
	json_t *value, *warnings;
	size_t i;
	int r = admin_call(cli, "Status", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	json_object_foreach(json_object_get(reply, "status"), key, value)
		if (strcmp(key, "warnings") != 0)
			member_show(cli, key, value);
	warnings = json_object_get(json_object_get(reply, "status"), "warnings");
	if (json_array_size(warnings) > 0)
		(void)fputc('\n', cli->out);
	json_array_foreach(warnings, i, value)
		warning_show(cli, value);
	return CLI_YES;
}
