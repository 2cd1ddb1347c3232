// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/certfile.h"
#include "cli/show.h"
#include "lib/base/encode.h"

/* certlogin enroll, unenroll: which certificate is whose. */

int verb_enroll(struct cli *cli, const struct args *args)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	int r = certfile_read(cli, args->operand[1], &cert);

	return r == CLI_YES ? certfile_enroll(cli, args->operand[0], cert, false) : r;
}

/* The full fingerprint for its first digits, as tables show them. */
static int fingerprint_complete(struct cli *cli, const char *prefix,
				char ret[HEX_SIZE(SHA256_BYTES)])
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	char found[HEX_SIZE(SHA256_BYTES)] = "";
	json_t *row;
	size_t i;
	int r = admin_list(cli, "ListCertificates", json_object(), "certificates", "sha256",
			   &reply);

	if (r != CLI_YES)
		return r;
	json_array_foreach(json_object_get(reply, "certificates"), i, row) {
		const char *sha256 = reply_text(row, "sha256");

		if (strncmp(sha256, prefix, strlen(prefix)) != 0 ||
		    strlen(sha256) != sizeof(found) - 1)
			continue;
		if (*found)
			return cli_usage(cli,
					 "several certificates begin with %s: give more digits",
					 prefix);
		(void)strcpy(found, sha256);
	}
	if (!*found)
		return cli_fail(cli, CLI_NO, "not-found", "no enrolled certificate begins with %s",
				prefix);
	(void)strcpy(ret, found);
	return CLI_YES;
}

static bool is_fingerprint(const char *s)
{
	size_t n = strlen(s);

	return n >= 8 && n < HEX_SIZE(SHA256_BYTES) && strspn(s, "0123456789abcdef") == n;
}

int verb_unenroll(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(cert_freep) struct cert *cert = NULL;
	char sha256[HEX_SIZE(SHA256_BYTES)];
	int r;

	if (is_fingerprint(args->operand[0])) {
		r = fingerprint_complete(cli, args->operand[0], sha256);
	} else {
		r = certfile_read(cli, args->operand[0], &cert);
		if (r == CLI_YES)
			hex_encode(cert->sha256, SHA256_BYTES, sha256);
	}
	if (r == CLI_YES)
		r = admin_call(cli, "Unenroll", json_pack("{s:s}", "sha256", sha256), &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%.*s (%s) is no certificate of %s any more.", FINGERPRINT_SHORT, sha256,
		reply_text(json_object_get(reply, "certificate"), "subject"),
		reply_text(json_object_get(reply, "certificate"), "identity"));
	return CLI_YES;
}
