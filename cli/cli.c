// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/verb.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/name.h"
#include "lib/base/paths.h"
#include "lib/varlink/client.h"

/* Parsing a command by the tables, and what every verb says with. */

void cli_init(struct cli *cli, FILE *out, FILE *err)
{
	*cli = (struct cli){
		.out = out,
		.err = err,
		.runtime_dir = RUNTIMEDIR,
		.config_dir = CONFDIR,
		.clock = &clock_system,
	};
	term_init(&cli->term, out);
}

void cli_deinit(struct cli *cli)
{
	cli->admin = vl_client_close(cli->admin);
}

/* --- output --- */

int cli_json(struct cli *cli, json_t *json)
{
	/* A terminal gets ASCII: whatever is in the text cannot move its cursor. */
	size_t flags = JSON_INDENT(2) | (cli->term.tty ? JSON_ENSURE_ASCII : 0);
	int r = -1;

	if (json) {
		r = json_dumpf(json, cli->out, flags);
		(void)fputc('\n', cli->out);
		json_decref(json);
	}
	return r == 0 ? CLI_YES : CLI_INTERNAL;
}

_printf_(4, 0) static int fail(struct cli *cli, enum cli_exit code, const char *name,
			       const char *format, va_list ap)
{
	char raw[1024], text[1024];

	(void)vsnprintf(raw, sizeof(raw), format, ap);
	text_clean(raw, strlen(raw), text, sizeof(text));
	(void)fprintf(cli->err, "certlogin: %s\n", text);
	if (cli->json)
		(void)cli_json(cli, json_pack("{s:s, s:s}", "error", name, "message", text));
	return (int)code;
}

int cli_fail(struct cli *cli, enum cli_exit code, const char *name, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = fail(cli, code, name, format, ap);
	va_end(ap);
	return r;
}

int cli_usage(struct cli *cli, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)fail(cli, CLI_USAGE, "usage", format, ap);
	va_end(ap);
	if (cli->verb) {
		_cleanup_(freep) char *usage = verb_usage(cli->verb);

		(void)fprintf(cli->err, "Usage: certlogin %s\n", usage ? usage : cli->verb->name);
	} else {
		(void)fputs("Try: certlogin help\n", cli->err);
	}
	return CLI_USAGE;
}

int cli_fail_file(struct cli *cli, int error, const char *what, const char *path)
{
	const char *hint = error == -EACCES || error == -EPERM ? ". Are you root?" : "";

	if (error == -ENOMEM)
		return cli_fail_memory(cli);
	return cli_fail(cli, error == -EEXIST ? CLI_NO : CLI_INTERNAL,
			error == -EEXIST ? "exists" : "file", "cannot %s %s: %s%s", what, path,
			strerror(-error), hint);
}

int cli_fail_memory(struct cli *cli)
{
	return cli_fail(cli, CLI_INTERNAL, "internal", "out of memory");
}

_printf_(3, 0) static void say(FILE *f, const struct cli *cli, const char *format, va_list ap)
{
	char raw[1024], text[1024];

	(void)vsnprintf(raw, sizeof(raw), format, ap);
	text_clean(raw, strlen(raw), text, sizeof(text));
	if (!cli->quiet)
		(void)fprintf(f, "%s\n", text);
}

void cli_say(struct cli *cli, const char *format, ...)
{
	va_list ap;

	if (cli->json)
		return;
	va_start(ap, format);
	say(cli->out, cli, format, ap);
	va_end(ap);
}

void cli_note(struct cli *cli, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(cli->err, cli, format, ap);
	va_end(ap);
}

/* --- the command --- */

static const struct verb *verb_find(const char *name, const char *action)
{
	for (size_t i = 0; i < n_verbs; i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		if (!verbs[i].action || (action && strcmp(verbs[i].action, action) == 0))
			return &verbs[i];
	}
	return NULL;
}

static int no_such_verb(struct cli *cli, const char *name, const char *action)
{
	char actions[256] = "";

	for (size_t i = 0; i < n_verbs; i++)
		if (strcmp(verbs[i].name, name) == 0 && verbs[i].action)
			(void)snprintf(actions + strlen(actions), sizeof(actions) - strlen(actions),
				       "%s%s", *actions ? ", " : "", verbs[i].action);
	if (!*actions)
		return cli_usage(cli, "there is no verb '%s'", name);
	if (!action)
		return cli_usage(cli, "%s: say what to do: %s", name, actions);
	return cli_usage(cli, "%s: there is no '%s'; there are: %s", name, action, actions);
}

#define LONG_BASE 256 /* val of a long option: above every letter */

struct spec {
	struct option longs[OPT_MAX_ + 1];
	char letters[2 * OPT_MAX_ + 3];
};

/* getopt's tables for these options; `plus`: stop at the first operand. */
static void spec_make(struct spec *spec, opt_set options, bool plus)
{
	size_t n = 0, l = 0;

	if (plus)
		spec->letters[l++] = '+';
	spec->letters[l++] = ':';
	for (int i = 0; i < OPT_MAX_; i++) {
		const struct option_spec *o = &option_specs[i];

		if (i >= OPT_GLOBAL_MAX_ && !(options & OPT_BIT(i)))
			continue;
		spec->longs[n].name = o->name;
		spec->longs[n].has_arg = !o->arg	  ? no_argument
					 : *o->arg == '[' ? optional_argument
							  : required_argument;
		spec->longs[n].flag = NULL;
		spec->longs[n++].val = LONG_BASE + i;
		if (o->letter) {
			spec->letters[l++] = o->letter;
			if (o->arg)
				spec->letters[l++] = ':';
		}
	}
	spec->longs[n] = (struct option){ 0 };
	spec->letters[l] = '\0';
}

static int letter_option(int letter)
{
	for (int i = 0; i < OPT_MAX_; i++)
		if (option_specs[i].letter == letter)
			return i;
	return -1;
}

static int option_set(struct cli *cli, struct args *args, int opt, const char *value)
{
	args->option[opt] = value ? value : "";
	if (option_specs[opt].many) {
		if (args->n_many == ARRAY_SIZE(args->many))
			return cli_usage(cli, "--%s: too many", option_specs[opt].name);
		args->many[args->n_many].opt = (enum opt)opt;
		args->many[args->n_many++].value = value;
	}
	return CLI_YES;
}

/* Reads options up to the end, or (plus) up to the first operand; *ret_next is the index after it.
 */
static int options_read(struct cli *cli, struct args *args, int argc, char **argv, bool plus,
			int *ret_next)
{
	struct spec spec;
	int c, r;

	spec_make(&spec, cli->verb ? cli->verb->options : 0, plus);
	optind = 0; /* GNU: starts afresh */
	opterr = 0;
	while ((c = getopt_long(argc, argv, spec.letters, spec.longs, NULL)) != -1) {
		if (c == ':')
			return cli_usage(cli, "%s needs an argument", argv[optind - 1]);
		if (c == '?')
			return cli_usage(cli, "unknown option %s", argv[optind - 1]);
		r = option_set(cli, args, c >= LONG_BASE ? c - LONG_BASE : letter_option(c),
			       optarg);
		if (r != CLI_YES)
			return r;
	}
	*ret_next = optind;
	return CLI_YES;
}

static void globals_apply(struct cli *cli, const struct args *args)
{
	cli->json |= args->option[OPT_JSON] != NULL;
	cli->utc |= args->option[OPT_UTC] != NULL;
	cli->quiet |= args->option[OPT_QUIET] != NULL;
	if (args->option[OPT_RUNTIME_DIR])
		cli->runtime_dir = args->option[OPT_RUNTIME_DIR];
	if (args->option[OPT_CONFIG_DIR])
		cli->config_dir = args->option[OPT_CONFIG_DIR];
}

static bool takes_value(const char *arg)
{
	for (int i = 0; i < OPT_MAX_; i++)
		if (strcmp(option_specs[i].name, arg) == 0)
			return option_specs[i].arg && *option_specs[i].arg != '[';
	return false;
}

/* How many of the words are ours, where the rest is another command's: long options alone. */
static int own_words(int argc, char **argv)
{
	int i = 1;

	while (i < argc && strncmp(argv[i], "--", 2) == 0 && argv[i][2])
		i += takes_value(argv[i] + 2) ? 2 : 1;
	return i < argc ? i : argc;
}

static int verb_run(struct cli *cli, struct args *args, int argc, char **argv)
{
	bool rest = cli->verb->max < 0;
	int own = rest ? own_words(argc, argv) : argc, next, r;

	/* A first look for --json, so that a usage error is told in the form that was asked for. */
	for (int i = 1; i < own && strcmp(argv[i], "--") != 0; i++)
		cli->json |= strcmp(argv[i], "--json") == 0;
	r = options_read(cli, args, own, argv, rest, &next);
	if (r != CLI_YES)
		return r;
	if (rest && own < argc && strcmp(argv[own], "--") == 0)
		next++;
	globals_apply(cli, args);
	args->operand = argv + next;
	args->n = argc - next;
	if (args->option[OPT_HELP]) {
		char *names[] = { (char *)(uintptr_t)cli->verb->name,
				  (char *)(uintptr_t)cli->verb->action };
		struct args help = { .n = cli->verb->action ? 2 : 1, .operand = names };

		return verb_help(cli, &help);
	}
	if (args->n < cli->verb->min)
		return cli_usage(cli, "something is missing: %s", cli->verb->usage);
	if (!rest && args->n > cli->verb->max)
		return cli_usage(cli, "too much: '%s'", args->operand[cli->verb->max]);
	return cli->verb->run(cli, args);
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	struct args args = { 0 };
	int next, r;

	r = options_read(cli, &args, argc, argv, true, &next);
	if (r != CLI_YES)
		return r;
	globals_apply(cli, &args);
	if (next >= argc) {
		if (args.option[OPT_HELP])
			return verb_help(cli, &args);
		return cli_usage(cli, "say what to do");
	}
	argc -= next;
	argv += next;
	cli->verb = verb_find(argv[0], argc > 1 ? argv[1] : NULL);
	if (!cli->verb) {
		if (args.option[OPT_HELP] ||
		    (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))) {
			struct args help = { .n = 1, .operand = argv };

			return verb_help(cli, &help);
		}
		return no_such_verb(cli, argv[0], argc > 1 ? argv[1] : NULL);
	}
	if (cli->verb->action) { /* getopt skips the first word: that is now the action */
		argc--;
		argv++;
	}
	return verb_run(cli, &args, argc, argv);
}

/* --- values --- */

int args_time(struct cli *cli, const struct args *args, enum opt opt, int64_t *ret)
{
	const char *s = args->option[opt];

	if (s && when_parse(s, clock_realtime(cli->clock), ret) < 0)
		return cli_usage(cli,
				 "--%s %s is no time; for example 2027-01-31, '2027-01-31 18:00', "
				 "+30d, +8h, forever",
				 option_specs[opt].name, s);
	return CLI_YES;
}

int args_number(struct cli *cli, const struct args *args, enum opt opt, int64_t min, int64_t max,
		int64_t *ret)
{
	const char *s = args->option[opt];
	long long v;
	char *end;

	if (!s)
		return CLI_YES;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end || v < min || v > max)
		return cli_usage(cli, "--%s %s: a number from %lld to %lld is needed",
				 option_specs[opt].name, s, (long long)min, (long long)max);
	*ret = v;
	return CLI_YES;
}

int args_put_text(const struct args *args, enum opt opt, json_t *parameters, const char *name)
{
	return args->option[opt]
		       ? json_object_set_new(parameters, name, json_string(args->option[opt]))
		       : 0;
}

int args_put_time(struct cli *cli, const struct args *args, enum opt opt, json_t *parameters,
		  const char *name)
{
	int64_t t = 0;
	int r = args_time(cli, args, opt, &t);

	if (r == CLI_YES && args->option[opt] &&
	    json_object_set_new(parameters, name, json_integer(t)) < 0)
		return cli_fail_memory(cli);
	return r;
}
