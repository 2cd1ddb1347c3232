// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "cli/show.h"
#include "lib/base/limits.h"
#include "lib/pki/path.h"

/*
 * certlogin verify: path validation alone, by the code of the decisions, offline, as any user.
 * 0 accepted, 1 rejected, 2 usage or input that cannot be read.  A certificate of the chain that is
 * none is rejected, or as if it had not been sent: strangers sent it.  An anchor is the caller's.
 */

#define ANCHORS_MAX 256

struct input {
	struct cert *anchor_certs[ANCHORS_MAX];
	struct anchor anchors[ANCHORS_MAX];
	size_t n_anchors;
	struct cert *chain[ARGS_MANY];
	size_t n_chain;
	int64_t at;
	int64_t max_depth; /* -1: none */
};

static void input_deinit(struct input *in)
{
	for (size_t i = 0; i < in->n_anchors; i++)
		cert_free(in->anchor_certs[i]);
	for (size_t i = 0; i < in->n_chain; i++)
		cert_free(in->chain[i]);
}

static int read_files(struct cli *cli, const struct args *args, enum opt opt, struct cert **certs,
		      size_t max, size_t *n)
{
	for (size_t i = 0; i < args->n_many; i++) {
		_cleanup_(buf_deinitp) struct buf text = { 0 };
		const char *path = args->many[i].value;
		size_t more = 0;
		int r;

		if (args->many[i].opt != opt)
			continue;
		r = file_read(path, &text);
		if (r < 0) {
			(void)cli_fail_file(cli, r, "read", path);
			return CLI_USAGE;
		}
		if (cert_load_each(text.p, text.n, certs + *n, max - *n, &more) < 0)
			return cli_fail(cli, CLI_USAGE, "invalid-value",
					"%s holds no certificates (PEM or DER), or too many", path);
		*n += more;
	}
	return CLI_YES;
}

static int input_read(struct cli *cli, const struct args *args, struct input *in)
{
	const char *purpose = args->option[OPT_PURPOSE];
	int r;

	in->at = clock_realtime(cli->clock);
	in->max_depth = -1;
	if (!args->option[OPT_ANCHOR] || !args->option[OPT_CHAIN])
		return cli_usage(cli, "--anchor and --chain are needed");
	if (purpose && strcmp(purpose, "clientAuth") != 0)
		return cli_usage(cli, "--purpose: clientAuth is the only one");
	r = args_time(cli, args, OPT_AT, &in->at);
	if (r == CLI_YES)
		r = args_number(cli, args, OPT_MAX_DEPTH, 0, LIMIT_CHAIN_CERTS, &in->max_depth);
	if (r == CLI_YES)
		r = read_files(cli, args, OPT_ANCHOR, in->anchor_certs, ANCHORS_MAX,
			       &in->n_anchors);
	if (r == CLI_YES)
		r = read_files(cli, args, OPT_CHAIN, in->chain, ARRAY_SIZE(in->chain),
			       &in->n_chain);
	for (size_t i = 0; r == CLI_YES && i < in->n_anchors; i++) {
		if (!in->anchor_certs[i])
			return cli_fail(cli, CLI_USAGE, "invalid-value",
					"an anchor is no certificate that can be read");
		in->anchors[i] = (struct anchor){ .id = (int64_t)i + 1,
						  .name = "",
						  .cert = in->anchor_certs[i] };
	}
	return r;
}

/* Takes detail only as text.  Gives whether it passed. */
static bool add_check(json_t *checks, const char *name, bool passed, const char *detail)
{
	(void)json_array_append_new(checks,
				    json_pack("{s:s, s:s, s:s}", "check", name, "result",
					      passed ? "passed" : "failed", "detail", detail));
	return passed;
}

static const char *validity_text(const struct path *p, int64_t at)
{
	return at < p->not_before  ? "a certificate of the path is not valid yet"
	       : at > p->not_after ? "a certificate of the path has expired"
				   : "every certificate of the path is within its time";
}

static bool judge(const struct input *in, json_t *checks)
{
	const struct cert *chain[ARGS_MANY];
	struct path p = { .fault = PATH_MALFORMED };
	char depth[64];
	size_t n = 0;
	bool good;

	if (!in->chain[0])
		return add_check(checks, "form", false, "the leaf is no certificate");
	for (size_t i = 0; i < in->n_chain; i++)
		if (in->chain[i])
			chain[n++] = in->chain[i];
	if (path_build(chain, n, in->anchors, in->n_anchors, in->at, NULL, &p) < 0)
		return add_check(checks, "chain", false, "out of memory");
	good = add_check(checks, "chain", p.fault == PATH_GOOD, path_fault_text(p.fault));
	if (good) {
		good = add_check(checks, "validity",
				 in->at >= p.not_before && in->at <= p.not_after,
				 validity_text(&p, in->at));
		(void)snprintf(depth, sizeof(depth), "%zu intermediate CAs", p.n_issuers - 1);
		good &= add_check(checks, "depth",
				  in->max_depth < 0 || p.n_issuers - 1 <= (size_t)in->max_depth,
				  depth);
	}
	return add_check(checks, "usage", p.leaf_fault == LEAF_GOOD,
			 p.leaf_fault == LEAF_GOOD ? "client authentication"
						   : leaf_fault_text(p.leaf_fault)) &&
	       good;
}

static const char *first_failed(json_t *checks)
{
	json_t *row;
	size_t i;

	json_array_foreach(
		checks, i,
		row) if (strcmp(json_string_value(json_object_get(row, "result")), "failed") ==
			 0) return json_string_value(json_object_get(row, "detail"));
	return "";
}

int verb_verify(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *checks = json_array();
	_cleanup_(input_deinit) struct input in = { 0 };
	int r = input_read(cli, args, &in);
	bool accepted;

	if (r != CLI_YES)
		return r;
	if (!checks)
		return cli_fail_memory(cli);
	accepted = judge(&in, checks);
	if (cli->json) {
		r = cli_json(cli, json_pack("{s:b, s:O}", "accepted", accepted, "checks", checks));
		return r != CLI_YES ? r : accepted ? CLI_YES : CLI_NO;
	}
	term_print(cli->out, &cli->term, accepted ? TONE_GOOD : TONE_BAD, "%s",
		   accepted ? "ACCEPTED" : "REJECTED");
	(void)fprintf(cli->out, "%s%s\n\n", accepted ? "" : ": ", first_failed(checks));
	show_checks(cli, checks);
	return accepted ? CLI_YES : CLI_NO;
}
