// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "cli/certfile.h"
#include "cli/file.h"
#include "cli/show.h"
#include "cli/trust.h"
#include "cli/trust-user.h"

/* certlogin trust: how this user recognises hosts. */

int trust_user_load(struct cli *cli, char ret_path[PATH_SIZE], struct trust_file *ret)
{
	unsigned line = 0;
	int r = path_user_config(ret_path, "trust");

	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "file", "you have no home directory");
	r = trust_load(ret_path, ret, &line);
	if (r == -EBADMSG)
		return cli_fail(
			cli, CLI_INTERNAL, "file",
			"%s: line %u cannot be read; until that is mended no host is trusted",
			ret_path, line);
	return r < 0 ? cli_fail_file(cli, r, "read", ret_path) : CLI_YES;
}

int trust_user_find(struct cli *cli, const char *host, struct trust_file *ret,
		    const struct trust_entry **ret_entry)
{
	char path[PATH_SIZE];
	int r = trust_user_load(cli, path, ret);

	if (r != CLI_YES)
		return r;
	*ret_entry = trust_find(ret, host);
	return *ret_entry ? CLI_YES
			  : cli_fail(cli, CLI_NO, "untrusted",
				     "you have not said how %s is recognised. \"certlogin setup\" "
				     "printed its pin there; then: "
				     "certlogin trust %s --pin sha256:...",
				     host, host);
}

#define DEFAULT_PORT "4715"

int trust_host_split(struct cli *cli, const char *s, char host[HOST_TEXT], char port[PORT_TEXT])
{
	const char *colon = strrchr(s, ':'), *close = *s == '[' ? strchr(s, ']') : NULL;
	char name[HOST_TEXT];
	size_t n = strlen(s);

	(void)strcpy(port, DEFAULT_PORT);
	if (close) {
		n = (size_t)(close - ++s);
		colon = close[1] == ':' ? close + 1 : NULL;
	} else if (colon && strchr(s, ':') == colon) {
		n = (size_t)(colon - s);
	} else {
		colon = NULL;
	}
	if (colon && (strlen(colon + 1) == 0 || strlen(colon + 1) >= PORT_TEXT))
		return cli_usage(cli, "'%s': which port?", s);
	if (colon)
		(void)strcpy(port, colon + 1);
	if (n >= sizeof(name))
		return cli_usage(cli, "'%s' is no host name", s);
	(void)snprintf(name, sizeof(name), "%.*s", (int)n, s);
	if (host_normalise(name, host) < 0)
		return cli_usage(cli, "'%s' is no host name", name);
	return CLI_YES;
}

static void entry_text(const struct trust_entry *e, char *ret, size_t size)
{
	if (e->pinned)
		pin_format(e->pin, ret);
	else
		name_text(&e->ca->subject, ret, size);
}

static int list(struct cli *cli, const struct trust_file *t)
{
	static const char *const titles[] = { "HOST", "BY", "WHAT" };
	_cleanup_(table_freep) struct table *table = table_new(titles, ARRAY_SIZE(titles));
	json_t *array = cli->json ? json_array() : NULL;

	if (!table)
		return cli_fail_memory(cli);
	for (size_t i = 0; i < t->n; i++) {
		const struct trust_entry *e = &t->entries[i];
		char text[512];

		entry_text(e, text, sizeof(text));
		if (array)
			(void)json_array_append_new(
				array, json_pack("{s:s, s:s, s:s}", "host", e->host, "by",
						 e->pinned ? "pin" : "ca", "what", text));
		table_cell(table, TONE_PLAIN, "%s", e->host);
		table_cell(table, TONE_PLAIN, "%s", e->pinned ? "pin" : "ca");
		table_cell(table, TONE_PLAIN, "%s", text);
	}
	if (cli->json)
		return cli_json(cli, json_pack("{s:o}", "hosts", array));
	return show_table(cli, table, "no trusted hosts. certlogin trust HOST --pin PIN");
}

static int entry_make(struct cli *cli, const struct args *args, struct trust_entry *ret)
{
	const char *pin = args->option[OPT_PIN], *ca = args->option[OPT_CA_FILE];

	if (ca)
		return certfile_read(cli, ca, &ret->ca);
	ret->pinned = true;
	if (pin_parse(pin, ret->pin) < 0)
		return cli_usage(cli,
				 "'%s' is no pin: sha256: and 44 characters, as \"certlogin "
				 "setup\" prints on the host",
				 pin);
	return CLI_YES;
}

static int change(struct cli *cli, const struct args *args, struct trust_file *t, const char *path)
{
	struct trust_entry entry = { 0 };
	bool remove = args->option[OPT_REMOVE] != NULL;
	char host[256], text[512] = "";
	int r;

	if (host_normalise(args->operand[0], host) < 0)
		return cli_usage(cli, "'%s' is no host name", args->operand[0]);
	(void)strcpy(entry.host, host);
	if (remove) {
		if (!trust_forget(t, host))
			return cli_fail(cli, CLI_NO, "not-found", "%s is not trusted anyway", host);
	} else {
		r = entry_make(cli, args, &entry);
		if (r != CLI_YES)
			return r;
		entry_text(&entry, text, sizeof(text));
		if (trust_set(t, &entry) < 0) {
			cert_free(entry.ca);
			return cli_fail_memory(cli);
		}
	}
	r = trust_save(path, t);
	if (r < 0)
		return cli_fail_file(cli, r, "write", path);
	if (cli->json)
		return cli_json(cli, json_pack("{s:s, s:b}", "host", host, "trusted", !remove));
	if (remove)
		cli_say(cli, "%s is trusted no more.", host);
	else
		cli_say(cli, "%s is trusted as %s.", host, text);
	return CLI_YES;
}

int verb_trust(struct cli *cli, const struct args *args)
{
	_cleanup_(trust_deinitp) struct trust_file t = { 0 };
	int n = (args->option[OPT_PIN] != NULL) + (args->option[OPT_CA_FILE] != NULL) +
		(args->option[OPT_LIST] != NULL) + (args->option[OPT_REMOVE] != NULL);
	char path[PATH_SIZE];
	int r;

	if (n != 1 || (args->n == 0) != (args->option[OPT_LIST] != NULL))
		return cli_usage(cli, "a host with one of --pin, --ca, --remove; or --list");
	r = trust_user_load(cli, path, &t);
	if (r != CLI_YES)
		return r;
	return args->option[OPT_LIST] ? list(cli, &t) : change(cli, args, &t, path);
}
