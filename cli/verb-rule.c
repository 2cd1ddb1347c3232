// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/admin.h"
#include "cli/certfile.h"
#include "cli/show.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"

/* certlogin rule add|list|remove|test: whose certificates are that nobody enrolled. */

static int put_options(struct cli *cli, const struct args *args, json_t *p)
{
	int64_t position = 0;
	json_t *domains = json_array();
	int r = args_number(cli, args, OPT_POSITION, 1, LIMIT_RULES, &position);
	bool good = json_object_set_new(p, "domains", domains) == 0;

	if (r != CLI_YES)
		return r;
	for (size_t i = 0; i < args->n_many; i++)
		if (args->many[i].opt == OPT_DOMAIN)
			good = good && json_array_append_new(domains,
							     json_string(args->many[i].value)) == 0;
	if (args->option[OPT_CONTINUE])
		good = good && json_object_set_new(p, "continue", json_true()) == 0;
	if (args->option[OPT_CREATE_IDENTITIES])
		good = good && json_object_set_new(p, "createIdentities", json_true()) == 0;
	if (position > 0)
		good = good && json_object_set_new(p, "position", json_integer(position)) == 0;
	return good ? CLI_YES : cli_usage(cli, "a value is not UTF-8");
}

static int parameters_make(struct cli *cli, const struct args *args, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *p = NULL;
	int r;

	if (!args->option[OPT_ANCHOR] || !args->option[OPT_MATCH] || !args->option[OPT_YIELD])
		return cli_usage(cli, "--anchor, --match and --yield are needed");
	if (!identity_name_ok(args->operand[0]))
		return cli_usage(cli, "'%s' cannot be a name", args->operand[0]);
	p = json_pack("{s:s, s:s, s:s, s:s}", "name", args->operand[0], "anchor",
		      args->option[OPT_ANCHOR], "match", args->option[OPT_MATCH], "yield",
		      args->option[OPT_YIELD]);
	if (!p)
		return cli_usage(cli, "a value is not UTF-8");
	r = put_options(cli, args, p);
	if (r == CLI_YES)
		*ret = STEAL(p);
	return r;
}

int verb_rule_add(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *parameters = NULL, *reply = NULL;
	int r = parameters_make(cli, args, &parameters);

	if (r == CLI_YES)
		r = admin_call(cli, "AddRule", json_incref(parameters), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli,
		"%s: from now on, for certificates of %s. Try it: certlogin rule test CERT-FILE",
		args->operand[0], args->option[OPT_ANCHOR]);
	return CLI_YES;
}

static void domains_cell(struct table *t, const json_t *domains)
{
	char text[LIMIT_RULE_DOMAINS_BYTES + 1] = "";
	const json_t *domain;
	size_t i, n = 0;

	json_array_foreach(domains, i, domain) {
		int more = snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? " " : "",
				    json_string_value(domain));

		if (more < 0 || (size_t)more >= sizeof(text) - n)
			break;
		n += (size_t)more;
	}
	table_cell(t, TONE_PLAIN, "%s", text);
}

int verb_rule_list(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "",      "NAME",	  "ANCHOR", "THEN",
					      "YIELD", "DOMAINS", "MATCH" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r = admin_call(cli, "ListRules", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "rules"), i, row) {
		table_cell(t, TONE_DIM, "%lld", (long long)reply_int(row, "position"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "name"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "anchor"));
		table_cell(t, TONE_PLAIN, "%s", reply_bool(row, "continue") ? "go on" : "stop");
		table_cell(t, TONE_PLAIN, "%s%s", reply_text(row, "yield"),
			   reply_bool(row, "createIdentities") ? " (adds)" : "");
		domains_cell(t, json_object_get(row, "domains"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "match"));
	}
	return show_table(cli, t, "no rules: only enrolled certificates belong to anybody");
}

int verb_rule_remove(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r = admin_call(cli, "RemoveRule", json_pack("{s:s}", "name", args->operand[0]), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s maps nobody any more.", args->operand[0]);
	return CLI_YES;
}

/* --- test --- */

static void show_rule(struct cli *cli, const json_t *row)
{
	bool matched = reply_bool(row, "matched"), yields = *reply_text(row, "yields");
	bool applies = reply_bool(row, "applies");

	term_print(cli->out, &cli->term, applies && yields ? TONE_GOOD : TONE_DIM, "%s ",
		   term_sign(&cli->term, !applies	     ? SIGN_SKIPPED
					 : matched && yields ? SIGN_YES
							     : SIGN_NO));
	if (matched)
		term_print(cli->out, &cli->term, TONE_PLAIN, "%s: %s%s%s", reply_text(row, "rule"),
			   yields ? "yields " : "matches, and yields nobody: ",
			   reply_text(row, yields ? "yields" : "why"),
			   yields && !reply_bool(row, "exists") ? ", whom there is not" : "");
	else
		term_print(cli->out, &cli->term, TONE_PLAIN, "%s: does not match %s",
			   reply_text(row, "rule"), reply_text(row, "missed"));
	if (!applies)
		term_print(cli->out, &cli->term, TONE_DIM, " (of anchor %s: not this path's)",
			   reply_text(row, "anchor"));
	(void)fputc('\n', cli->out);
}

static void show_trial(struct cli *cli, const json_t *reply)
{
	const char *path = reply_text(reply, "path"), *owner = reply_text(reply, "enrolledFor");
	const json_t *rows = json_object_get(reply, "rules"), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		show_rule(cli, row);
	if (*path)
		show_text(cli, "Path", path);
	if (*owner)
		show_text(cli, "Enrolled for", owner);
	json_array_foreach(json_object_get(reply, "identities"), i, row)
		show_text(cli, "Mapped to", json_string_value(row));
	if (json_array_size(json_object_get(reply, "identities")) == 0)
		show_text(cli, "Mapped to", "nobody");
	if (*owner)
		cli_say(cli, "It is enrolled: rules are not asked.");
}

int verb_rule_test(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *chain = json_array(), *reply = NULL;
	bool mapped;
	int r = chain ? CLI_YES : cli_fail_memory(cli);

	for (int i = 0; r == CLI_YES && i < args->n; i++)
		r = certfile_put_chain(cli, args->operand[i], chain);
	if (r == CLI_YES)
		r = admin_call(cli, "TestRule", json_pack("{s:O}", "chain", chain), &reply);
	if (r != CLI_YES)
		return r;
	mapped = json_array_size(json_object_get(reply, "identities")) > 0;
	if (cli->json)
		r = cli_json(cli, json_incref(reply));
	else
		show_trial(cli, reply);
	return r != CLI_YES ? r : mapped ? CLI_YES : CLI_NO;
}
