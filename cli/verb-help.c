// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/verb.h"

/* certlogin help, version: from the tables. */

static bool selected(const struct verb *v, const struct args *args)
{
	if (args->n >= 1 && strcmp(v->name, args->operand[0]) != 0)
		return false;
	return args->n < 2 || (v->action && strcmp(v->action, args->operand[1]) == 0);
}

static void overview(struct cli *cli, const struct args *args)
{
	(void)fputs("certlogin: Linux login by X.509 client certificate\n\n", cli->out);
	for (size_t i = 0; i < n_verbs; i++) {
		char words[64];

		if (!selected(&verbs[i], args))
			continue;
		(void)snprintf(words, sizeof(words), "%s%s%s%s%s", verbs[i].name,
			       verbs[i].action ? " " : "", verbs[i].action ? verbs[i].action : "",
			       *verbs[i].usage ? " " : "", verbs[i].usage);
		term_print(cli->out, &cli->term, TONE_HEAD, "  %-34s", words);
		(void)fprintf(cli->out, "  %s\n", verbs[i].help);
	}
	(void)fputs("\nMore: certlogin help VERB; man certlogin\n", cli->out);
}

static void option_line(struct cli *cli, const struct option_spec *o)
{
	char words[64], letter[8] = "    ";

	if (o->letter)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(words, sizeof(words), "%s--%s%s%s", letter, o->name,
		       !o->arg		? ""
		       : *o->arg == '[' ? "[="
					: " ",
		       !o->arg ? "" : o->arg + (*o->arg == '['));
	(void)fprintf(cli->out, "  %-28s %s\n", words, o->help);
}

static void detail(struct cli *cli, const struct verb *v)
{
	static const char *const roles[] = {
		[ROLE_ANYONE] = "anybody",
		[ROLE_AUDIT] = "root; groups certlogin-admin, certlogin-audit",
		[ROLE_ADMIN] = "root; group certlogin-admin",
		[ROLE_ROOT] = "root",
	};
	_cleanup_(freep) char *usage = verb_usage(v);

	term_print(cli->out, &cli->term, TONE_HEAD, "certlogin %s", usage ? usage : v->name);
	(void)fprintf(cli->out, "\n    %s\n    Who may: %s\n", v->help, roles[v->role]);
	for (unsigned i = OPT_GLOBAL_MAX_; i < OPT_MAX_; i++)
		if (v->options & OPT_BIT(i))
			option_line(cli, &option_specs[i]);
	(void)fputc('\n', cli->out);
}

static json_t *options_json(opt_set options)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < OPT_MAX_; i++)
		if (options & OPT_BIT(i))
			(void)json_array_append_new(array, json_pack("{s:s, s:s?, s:s}", "name",
								     option_specs[i].name, "arg",
								     option_specs[i].arg, "help",
								     option_specs[i].help));
	return array;
}

static int help_json(struct cli *cli, const struct args *args)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n_verbs; i++)
		if (selected(&verbs[i], args))
			(void)json_array_append_new(
				array, json_pack("{s:s, s:s?, s:s, s:s, s:o}", "verb",
						 verbs[i].name, "action", verbs[i].action,
						 "operands", verbs[i].usage, "help", verbs[i].help,
						 "options", options_json(verbs[i].options)));
	return cli_json(cli, json_pack("{s:o, s:o}", "verbs", array, "options",
				       options_json(OPT_BIT(OPT_GLOBAL_MAX_) - 1)));
}

int verb_help(struct cli *cli, const struct args *args)
{
	size_t n = 0;

	for (size_t i = 0; i < n_verbs; i++)
		n += selected(&verbs[i], args);
	if (n == 0) {
		cli->verb = NULL;
		return cli_usage(cli, "there is no verb '%s%s%s'", args->operand[0],
				 args->n > 1 ? " " : "", args->n > 1 ? args->operand[1] : "");
	}
	if (cli->json)
		return help_json(cli, args);
	if (args->n == 0)
		overview(cli, args);
	for (size_t i = 0; i < n_verbs && args->n > 0; i++)
		if (selected(&verbs[i], args))
			detail(cli, &verbs[i]);
	if (args->n == 0)
		return CLI_YES;
	(void)fputs("Always:\n", cli->out);
	for (unsigned i = 0; i < OPT_GLOBAL_MAX_; i++)
		option_line(cli, &option_specs[i]);
	return CLI_YES;
}

int verb_version(struct cli *cli, _unused_ const struct args *args)
{
	if (cli->json)
		return cli_json(cli, json_pack("{s:s}", "version", PACKAGE_VERSION));
	(void)fprintf(cli->out, "certlogin %s\n", PACKAGE_VERSION);
	return CLI_YES;
}
