// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/certfile.h"

#include <errno.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/file.h"
#include "cli/show.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"

static int fail_read(struct cli *cli, int error, const char *path)
{
	if (error == -EBADMSG)
		return cli_fail(cli, CLI_USAGE, "invalid-value",
				"%s holds no certificate (PEM or DER) that can be read", path);
	return cli_fail_file(cli, error, "read", path);
}

int certfile_read(struct cli *cli, const char *path, struct cert **ret)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	int r = file_read(path, &text);

	if (r == 0)
		r = cert_load(text.p, text.n, ret);
	return r < 0 ? fail_read(cli, r, path) : CLI_YES;
}

int certfile_read_all(struct cli *cli, const char *path, struct cert **ret, size_t max,
		      size_t *ret_n)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	int r = file_read(path, &text);

	if (r == 0)
		r = cert_load_all(text.p, text.n, ret, max, ret_n);
	if (r == 0 && *ret_n == 0)
		r = -EBADMSG;
	return r < 0 ? fail_read(cli, r, path) : CLI_YES;
}

int certfile_put_chain(struct cli *cli, const char *path, json_t *chain)
{
	struct cert *certs[LIMIT_CHAIN_CERTS] = { 0 };
	size_t n = 0;
	int r = certfile_read_all(cli, path, certs, ARRAY_SIZE(certs), &n);

	for (size_t i = 0; r == CLI_YES && i < n; i++) {
		_cleanup_(freep) char *der = base64_encode_new(certs[i]->der.p, certs[i]->der.n);

		if (!der || json_array_append_new(chain, json_string(der)) < 0)
			r = cli_fail_memory(cli);
	}
	for (size_t i = 0; i < n; i++)
		cert_free(certs[i]);
	return r;
}

/* Calls method(field: name, certificate), with a kind if there is one. */
static int call_with(struct cli *cli, const char *method, const char *field, const char *name,
		     const char *kind, const struct cert *cert, json_t **ret)
{
	_cleanup_(freep) char *der = base64_encode_new(cert->der.p, cert->der.n);

	if (!identity_name_ok(name))
		return cli_usage(cli, "'%s' cannot be a name", name);
	if (!der)
		return cli_fail_memory(cli);
	return admin_call(
		cli, method,
		json_pack("{s:s, s:s, s:s*}", field, name, "certificate", der, "kind", kind), ret);
}

int certfile_enroll(struct cli *cli, const char *identity, const struct cert *cert, bool part)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	char subject[256], until[WHEN_TEXT];
	int r = call_with(cli, "Enroll", "identity", identity, NULL, cert, &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return part ? CLI_YES : cli_json(cli, json_incref(reply));
	name_text(&cert->subject, subject, sizeof(subject));
	when_text(cert->not_after, cli->utc, until);
	cli_say(cli, "Enrolled for %s: %.*s (%s), valid until %s.", identity, FINGERPRINT_SHORT,
		reply_text(json_object_get(reply, "certificate"), "sha256"), subject, until);
	return CLI_YES;
}

int certfile_anchor(struct cli *cli, const char *name, const struct cert *cert, bool part)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	char subject[256];
	int r = call_with(cli, "AddAnchor", "name", name, NULL, cert, &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return part ? CLI_YES : cli_json(cli, json_incref(reply));
	name_text(&cert->subject, subject, sizeof(subject));
	cli_say(cli, "Certificates of %s are accepted from now on (anchor %s).", subject, name);
	return CLI_YES;
}

int certfile_intermediate(struct cli *cli, const char *name, const struct cert *cert)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	char subject[256];
	int r = call_with(cli, "AddAnchor", "name", name, "intermediate", cert, &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	name_text(&cert->subject, subject, sizeof(subject));
	cli_say(cli, "%s is known from now on, and trusted as far as an anchor above it (%s).",
		subject, name);
	return CLI_YES;
}
