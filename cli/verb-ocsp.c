// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/admin.h"
#include "cli/certfile.h"
#include "cli/file.h"
#include "cli/show.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"

/* certlogin ocsp import|list: what OCSP responders said about certificates. */

/* Base64 of the response; gives an exit code. */
static int read_response(struct cli *cli, const char *path, char **ret)
{
	_cleanup_(buf_deinitp) struct buf der = { 0 };
	int r = file_read(path, &der);

	if (r < 0)
		return cli_fail_file(cli, r, "read", path);
	if (der.n == 0 || der.n > LIMIT_OCSP_BYTES)
		return cli_fail(cli, CLI_USAGE, "invalid-value",
				"%s holds no OCSP response (DER), or one of over %d bytes", path,
				LIMIT_OCSP_BYTES);
	*ret = base64_encode_new(der.p, der.n);
	return *ret ? CLI_YES : cli_fail_memory(cli);
}

/* Base64 of the certificate that an option names. */
static int read_cert(struct cli *cli, const struct args *args, enum opt opt, char **ret)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	int r;

	if (!args->option[opt])
		return cli_usage(cli, "--%s is needed", option_specs[opt].name);
	r = certfile_read(cli, args->option[opt], &cert);
	if (r != CLI_YES)
		return r;
	*ret = base64_encode_new(cert->der.p, cert->der.n);
	return *ret ? CLI_YES : cli_fail_memory(cli);
}

static void say_imported(struct cli *cli, const json_t *row)
{
	const char *status = reply_text(row, "status");
	char when[WHEN_TEXT];
	bool revoked = strcmp(status, "revoked") == 0;

	when_text(reply_int(row, revoked ? "since" : "nextUpdate"), cli->utc, when);
	cli_say(cli, "%s under anchor %s: %s %s %s.", reply_text(row, "serial"),
		reply_text(row, "anchor"), status, revoked ? "since" : "until", when);
}

int verb_ocsp_import(struct cli *cli, const struct args *args)
{
	_cleanup_(freep) char *response = NULL, *cert = NULL, *issuer = NULL;
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const char *source = args->operand[0];
	int r = read_cert(cli, args, OPT_CERT, &cert);

	if (r == CLI_YES)
		r = read_cert(cli, args, OPT_ISSUER, &issuer);
	if (r == CLI_YES)
		r = read_response(cli, source, &response);
	if (r == CLI_YES)
		r = admin_call(cli, "ImportOcsp",
			       json_pack("{s:s, s:s, s:s, s:s}", "response", response,
					 "certificate", cert, "issuer", issuer, "source", source),
			       &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	say_imported(cli, json_object_get(reply, "ocsp"));
	return CLI_YES;
}

static enum tone tone_of(const char *status)
{
	return strcmp(status, "good") == 0	? TONE_GOOD
	       : strcmp(status, "revoked") == 0 ? TONE_BAD
						: TONE_WARN;
}

int verb_ocsp_list(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "SERIAL", "STATUS", "ANCHOR",
					      "FROM",	"UNTIL",  "SOURCE" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r = admin_list(cli, "ListOcsp", json_object(), "ocsp", "id", &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "ocsp"), i, row) {
		const char *status = reply_text(row, "status");

		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "serial"));
		table_cell(t, tone_of(status), "%s%s", status,
			   reply_bool(row, "stale") ? " (of a backup)" : "");
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "anchor"));
		show_when_cell(cli, t, reply_int(row, "thisUpdate"));
		show_when_cell(cli, t, reply_int(row, "nextUpdate"));
		table_cell(t, TONE_DIM, "%s", reply_text(row, "source"));
	}
	return show_table(cli, t,
			  "no OCSP answers: certlogin ocsp import FILE --cert CERT --issuer CERT");
}
