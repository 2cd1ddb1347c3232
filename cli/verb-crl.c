// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/ask.h"
#include "cli/certfile.h"
#include "cli/crlfile.h"
#include "cli/show.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"

/* certlogin crl import|status|forget: revocation lists. */

/* --- import --- */

static int add_signers(struct cli *cli, const struct args *args, json_t *list)
{
	for (size_t i = 0; i < args->n_many; i++) {
		struct cert *certs[LIMIT_CRL_SIGNERS];
		size_t n = 0;
		int r;

		if (args->many[i].opt != OPT_SIGNER)
			continue;
		r = certfile_read_all(cli, args->many[i].value, certs, ARRAY_SIZE(certs), &n);
		if (r != CLI_YES)
			return r;
		for (size_t k = 0; k < n; k++) {
			_cleanup_(freep) char *der =
				base64_encode_new(certs[k]->der.p, certs[k]->der.n);

			/* without memory the list has one fewer, and is refused for it */
			(void)json_array_append_new(list, der ? json_string(der) : NULL);
			cert_free(certs[k]);
		}
	}
	return CLI_YES;
}

static int begin(struct cli *cli, const struct args *args, const char *path, size_t bytes,
		 json_int_t *ret)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	json_t *p = json_pack("{s:I, s:s, s:[]}", "bytes", (json_int_t)bytes, "source", path,
			      "signers");
	int r = add_signers(cli, args, json_object_get(p, "signers"));

	if (r != CLI_YES || args_put_text(args, OPT_ANCHOR, p, "anchor") < 0) {
		json_decref(p);
		return r != CLI_YES ? r : cli_fail_memory(cli);
	}
	r = admin_call(cli, "BeginCrl", p, &reply);
	*ret = reply_int(reply, "import");
	return r;
}

static int send(struct cli *cli, json_int_t import, const uint8_t *p, size_t n)
{
	for (size_t at = 0, piece; at < n; at += piece) {
		_cleanup_(freep) char *data = NULL;
		int r;

		piece = n - at < LIMIT_CRL_PIECE ? n - at : LIMIT_CRL_PIECE;
		data = base64_encode_new(p + at, piece);
		if (!data)
			return cli_fail_memory(cli);
		r = admin_call(cli, "PutCrl",
			       json_pack("{s:I, s:s}", "import", import, "data", data), NULL);
		if (r != CLI_YES)
			return r;
		show_progress(cli, "bytes sent", (int64_t)(at + piece), false);
	}
	return CLI_YES;
}

static int apply(struct cli *cli, json_int_t import, json_t **ret)
{
	for (;;) {
		_cleanup_(json_decrefp) json_t *reply = NULL;
		int r = admin_call(cli, "ApplyCrl", json_pack("{s:I}", "import", import), &reply);

		if (r != CLI_YES)
			return r;
		if (reply_bool(reply, "done")) {
			*ret = json_incref(json_object_get(reply, "crl"));
			return CLI_YES;
		}
		show_progress(cli, "entries applied", reply_int(reply, "rows"), false);
	}
}

static int import_one(struct cli *cli, const struct args *args, const char *path,
		      const uint8_t *der, size_t n, json_t *all)
{
	json_int_t import = 0;
	char until[WHEN_TEXT];
	json_t *crl = NULL;
	int r = begin(cli, args, path, n, &import);

	if (r == CLI_YES)
		r = send(cli, import, der, n);
	if (r == CLI_YES)
		r = apply(cli, import, &crl);
	show_progress(cli, "", 0, true);
	if (r != CLI_YES)
		return r;
	when_text(reply_int(crl, "nextUpdate"), cli->utc, until);
	cli_say(cli, "%s: CRL %s of %s, %" PRId64 " revoked, good to %s (anchor %s).", path,
		reply_text(crl, "number"), reply_text(crl, "issuer"), reply_int(crl, "entries"),
		until, reply_text(crl, "anchor"));
	return json_array_append_new(all, crl) < 0 ? cli_fail_memory(cli) : CLI_YES;
}

int crlfile_import(struct cli *cli, const struct args *args, const char *path, json_t *all)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	struct view in;
	int r = crlfile_read(cli, path, &text), more = 1;

	in = (struct view){ text.p, text.n };
	while (r == CLI_YES && more > 0) {
		_cleanup_(freep) uint8_t *der = NULL;
		size_t n;

		more = crlfile_next(&in, &der, &n);
		if (more > 0)
			r = import_one(cli, args, path, der, n, all);
		else if (more < 0)
			r = more == -ENOMEM ? cli_fail_memory(cli)
					    : cli_fail(cli, CLI_USAGE, "invalid-value",
						       "%s: a PEM block cannot be read", path);
	}
	return r;
}

int verb_crl_import(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *all = json_array();
	int r = CLI_YES;

	for (int i = 0; r == CLI_YES && i < args->n; i++)
		r = crlfile_import(cli, args, args->operand[i], all);
	return r == CLI_YES && cli->json ? cli_json(cli, json_pack("{s:O}", "crls", all)) : r;
}

/* --- status --- */

/* How much of its time is left, as one word. */
static const char *state_of(const struct cli *cli, const json_t *crl, enum tone *ret)
{
	int64_t now = clock_realtime(cli->clock), until = reply_int(crl, "nextUpdate");

	*ret = TONE_BAD;
	if (reply_bool(crl, "stale"))
		return "restored: import again";
	if (until < now)
		return "STALE";
	*ret = until - now < (int64_t)LIMIT_CRL_WARN_USEC ? TONE_WARN : TONE_GOOD;
	return *ret == TONE_WARN ? "ends soon" : "fresh";
}

int verb_crl_status(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "ANCHOR", "ISSUER",      "NUMBER", "REVOKED",
					      "FROM",	"NEXT UPDATE", "STATE",	 "SOURCE" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r = admin_call(cli, "ListCrls", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "crls"), i, row) {
		enum tone tone;
		const char *state = state_of(cli, row, &tone);

		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "anchor"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "issuer"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "number"));
		table_cell(t, TONE_PLAIN, "%" PRId64, reply_int(row, "entries"));
		show_when_cell(cli, t, reply_int(row, "thisUpdate"));
		show_when_cell(cli, t, reply_int(row, "nextUpdate"));
		table_cell(t, tone, "%s", state);
		table_cell(t, TONE_DIM, "%s", reply_text(row, "source"));
	}
	return show_table(
		cli, t,
		"no revocation lists: nothing is known of revocation. certlogin crl import FILE");
}

/* --- forget --- */

int verb_crl_forget(struct cli *cli, const struct args *args)
{
	json_t *p;
	int r;

	if (!args->option[OPT_YES] &&
	    !ask_yes("All that is known of revoked certificates of this anchor is forgotten, and "
		     "they "
		     "are good again until a list says otherwise.  Go on?"))
		return cli_fail(cli, CLI_NO, "refused", "nothing was forgotten");
	p = json_pack("{s:s}", "anchor", args->operand[0]);
	if (args_put_text(args, OPT_ISSUER, p, "issuer") < 0) {
		json_decref(p);
		return cli_fail_memory(cli);
	}
	r = admin_call(cli, "ForgetCrl", p, NULL);
	if (r == CLI_YES && cli->json)
		return cli_json(cli, json_object());
	if (r == CLI_YES)
		cli_say(cli, "%s: forgotten.", args->operand[0]);
	return r;
}
