// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cli/admin.h"
#include "cli/show.h"
#include "lib/base/limits.h"

/* certlogin audit list|follow|verify */

#define LIST_LAST 100
#define FOLLOW_FIRST 10
static const struct timespec follow_pause = { .tv_nsec = 500000000 };

static const char *const titles[] = { "EVENT",	 "TIME",    "KIND",   "VERDICT", "IDENTITY",
				      "ACCOUNT", "SERVICE", "REASON", "SOURCE" };

static int filter_make(struct cli *cli, const struct args *args, json_t **ret)
{
	static const struct {
		enum opt opt;
		const char *name;
	} filters[] = {
		{ OPT_KIND, "kind" },
		{ OPT_IDENTITY, "identity" },
		{ OPT_ACCOUNT, "account" },
		{ OPT_VERDICT, "verdict" },
	};
	_cleanup_(json_decrefp) json_t *p = json_object();
	const char *verdict = args->option[OPT_VERDICT];

	if (verdict && strcmp(verdict, "allow") != 0 && strcmp(verdict, "deny") != 0)
		return cli_usage(cli, "--verdict: allow or deny");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (args_put_text(args, filters[i].opt, p, filters[i].name) < 0)
			return cli_usage(cli, "--%s is not UTF-8", filters[i].name);
	*ret = STEAL(p);
	return *ret ? CLI_YES : cli_fail_memory(cli);
}

static void event_row(struct cli *cli, struct table *t, const json_t *e)
{
	const char *verdict = reply_text(e, "verdict");
	bool deny = strcmp(verdict, "deny") == 0;

	table_cell(t, TONE_PLAIN, "%" PRId64, reply_int(e, "id"));
	show_when_cell(cli, t, reply_int(e, "time"));
	table_cell(t, TONE_PLAIN, "%s", reply_text(e, "kind"));
	table_cell(t, deny ? TONE_BAD : *verdict ? TONE_GOOD : TONE_DIM, "%s", verdict);
	table_cell(t, TONE_PLAIN, "%s", reply_text(e, "identity"));
	table_cell(t, TONE_PLAIN, "%s", reply_text(e, "account"));
	table_cell(t, TONE_PLAIN, "%s", reply_text(e, "service"));
	table_cell(t, TONE_PLAIN, "%s", reply_text(e, "reason"));
	table_cell(t, TONE_PLAIN, "%s", reply_text(e, "source"));
}

/* Newest so many (last > 0), or all that match. */
static int events_get(struct cli *cli, json_t *filter, int64_t last, json_t **ret)
{
	if (last <= 0)
		return admin_list(cli, "ListEvents", json_copy(filter), "events", "id", ret);
	if (json_object_set_new(filter, "last", json_integer(last)) < 0)
		return cli_fail_memory(cli);
	return admin_call(cli, "ListEvents", json_copy(filter), ret);
}

int verb_audit_list(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *filter = NULL, *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	int64_t last = args->option[OPT_ALL] ? 0 : LIST_LAST;
	json_t *row;
	size_t i;
	int r = args_number(cli, args, OPT_LAST, 1, LIMIT_LIST_ROWS, &last);

	if (r == CLI_YES)
		r = filter_make(cli, args, &filter);
	if (r == CLI_YES)
		r = events_get(cli, filter, last, &reply);
	if (r != CLI_YES)
		return r;
	(void)json_object_del(reply, "more");
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "events"), i, row)
		event_row(cli, t, row);
	if (!args->option[OPT_LAST] && last > 0 && table_rows(t) == LIST_LAST)
		cli_note(cli, "Only the newest %d are shown; --all shows all.", LIST_LAST);
	return show_table(cli, t, "no such events");
}

/* --- follow --- */

static int events_put(struct cli *cli, const json_t *events, bool header)
{
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r;

	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(events, i, row) {
		if (cli->json) { /* one object a line */
			(void)json_dumpf(row, cli->out,
					 JSON_COMPACT | (cli->term.tty ? JSON_ENSURE_ASCII : 0));
			(void)fputc('\n', cli->out);
		} else {
			event_row(cli, t, row);
		}
	}
	r = cli->json ? 0
	    : header  ? table_print(t, cli->out, &cli->term)
		      : table_print_rows(t, cli->out, &cli->term);
	(void)fflush(cli->out);
	return r < 0 ? cli_fail_memory(cli) : CLI_YES;
}

static int follow(struct cli *cli, json_t *filter, int64_t last, const sigset_t *end)
{
	bool first = true;
	int64_t after = 0;

	for (;;) {
		_cleanup_(json_decrefp) json_t *reply = NULL;
		const json_t *events;
		size_t n;
		int r = events_get(cli, filter, first ? last : 0, &reply);

		if (r != CLI_YES)
			return r;
		events = json_object_get(reply, "events");
		n = json_array_size(events);
		if (n > 0)
			after = reply_int(json_array_get(events, n - 1), "id");
		r = n > 0 || first ? events_put(cli, events, first) : CLI_YES;
		if (r != CLI_YES || ferror(cli->out))
			return r;
		first = false;
		(void)json_object_del(filter, "last");
		if (json_object_set_new(filter, "after", json_integer(after)) < 0)
			return cli_fail_memory(cli);
		if (sigtimedwait(end, NULL, &follow_pause) > 0)
			return CLI_YES;
	}
}

int verb_audit_follow(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *filter = NULL;
	int64_t last = FOLLOW_FIRST;
	sigset_t end, before;
	int r = args_number(cli, args, OPT_LAST, 1, LIMIT_LIST_ROWS, &last);

	if (r == CLI_YES)
		r = filter_make(cli, args, &filter);
	if (r != CLI_YES)
		return r;
	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGINT);
	(void)sigaddset(&end, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &end, &before);
	r = follow(cli, filter, last, &end);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* --- verify --- */

static int verify(struct cli *cli, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *parameters = json_object();

	for (;;) {
		_cleanup_(json_decrefp) json_t *reply = NULL;
		int r = admin_call(cli, "VerifyAudit", json_copy(parameters), &reply);

		if (r != CLI_YES)
			return r;
		show_progress(cli, "events checked", reply_int(reply, "checked"), false);
		if (reply_bool(reply, "done") || !reply_bool(reply, "good")) {
			*ret = STEAL(reply);
			return CLI_YES;
		}
		if (json_object_set(parameters, "after", json_object_get(reply, "checked")) < 0 ||
		    json_object_set(parameters, "head", json_object_get(reply, "head")) < 0)
			return cli_fail_memory(cli);
	}
}

int verb_audit_verify(struct cli *cli, _unused_ const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	bool good;
	int r = verify(cli, &reply);

	show_progress(cli, "", 0, true);
	if (r != CLI_YES)
		return r;
	good = reply_bool(reply, "good");
	if (cli->json) {
		r = cli_json(cli, json_incref(reply));
		return r != CLI_YES ? r : good ? CLI_YES : CLI_NO;
	}
	if (good) {
		term_print(cli->out, &cli->term, TONE_GOOD, "%s good",
			   term_sign(&cli->term, SIGN_YES));
		(void)fprintf(cli->out, ": the chain of events verifies up to event %" PRId64 ".\n",
			      reply_int(reply, "checked"));
		show_text(cli, "Head", reply_text(reply, "head"));
		cli_say(cli, "Compare the head with the journal's: journalctl -u certlogind --grep "
			     "'audit head'");
		return CLI_YES;
	}
	term_print(cli->out, &cli->term, TONE_BAD, "%s BAD", term_sign(&cli->term, SIGN_NO));
	(void)fprintf(cli->out,
		      ": event %" PRId64
		      " does not follow from the one before it: a row was changed or removed.\n",
		      reply_int(reply, "firstBad"));
	return CLI_NO;
}
