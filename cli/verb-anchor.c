// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/admin.h"
#include "cli/certfile.h"
#include "cli/show.h"

/* certlogin anchor add|list|remove: the CAs whose certificates this host accepts. */

int verb_anchor_add(struct cli *cli, const struct args *args)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	int r = certfile_read(cli, args->operand[1], &cert);

	return r == CLI_YES ? certfile_anchor(cli, args->operand[0], cert, false) : r;
}

int verb_anchor_list(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "NAME", "SUBJECT", "UNTIL", "FINGERPRINT" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;
	int r = admin_call(cli, "ListAnchors", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "anchors"), i, row)
	{
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "name"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "subject"));
		show_when_cell(cli, t, reply_int(row, "notAfter"));
		table_cell(t, TONE_PLAIN, "%.*s", FINGERPRINT_SHORT, reply_text(row, "sha256"));
	}
	return show_table(
		cli, t,
		"no anchors: no certificate is accepted. certlogin anchor add NAME CERT-FILE");
}

int verb_anchor_remove(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r = admin_call(cli, "RemoveAnchor", json_pack("{s:s}", "name", args->operand[0]),
			   &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: its certificates are accepted no more.", args->operand[0]);
	return CLI_YES;
}
