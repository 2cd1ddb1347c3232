// SPDX-License-Identifier: GPL-2.0-or-later
#include <gnutls/abstract.h>
#include <string.h>

#include "cli/admin.h"
#include "cli/ca.h"
#include "cli/certfile.h"
#include "cli/file.h"
#include "cli/show.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"

/* certlogin anchor add|list|remove|set|show: whom this host trusts to vouch for keys, and how far.
 */

#define GRACE_HOURS_MAX 8760 /* as the daemon has it */

/* Base64 of the certificate in the file or, with --pin-key, of a public key. */
static int read_key(struct cli *cli, const char *path, char **ret)
{
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t key = NULL;
	_cleanup_(cert_freep) struct cert *cert = NULL;
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	gnutls_datum_t spki = { 0 };
	const char *why = NULL;
	int r = file_read(path, &text);

	if (r < 0)
		return cli_fail_file(cli, r, "read", path);
	r = cert_load(text.p, text.n, &cert);
	if (r == 0) {
		*ret = base64_encode_new(cert->der.p, cert->der.n);
	} else {
		if (pubkey_load(path, &key, &why) < 0 ||
		    gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki) < 0)
			return cli_fail(cli, CLI_USAGE, "invalid-value", "%s: %s", path,
					why ? why : "no certificate and no public key");
		*ret = base64_encode_new(spki.data, spki.size);
		gnutls_free(spki.data);
	}
	return *ret ? CLI_YES : cli_fail_memory(cli);
}

static int add_key(struct cli *cli, const char *name, const char *path)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(freep) char *key = NULL;
	int r;

	if (!identity_name_ok(name))
		return cli_usage(cli, "'%s' cannot be a name", name);
	r = read_key(cli, path, &key);
	if (r == CLI_YES)
		r = admin_call(
			cli, "AddAnchor",
			json_pack("{s:s, s:s, s:s}", "name", name, "kind", "key", "key", key),
			&reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli,
		"Certificates with this key are accepted from now on, whoever issued them "
		"(anchor %s).",
		name);
	return CLI_YES;
}

int verb_anchor_add(struct cli *cli, const struct args *args)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	const char *name = args->operand[0], *path = args->operand[1];
	bool intermediate = args->option[OPT_INTERMEDIATE];
	int r;

	if (intermediate && args->option[OPT_PIN_KEY])
		return cli_usage(cli, "--intermediate or --pin-key, not both");
	if (args->option[OPT_PIN_KEY])
		return add_key(cli, name, path);
	r = certfile_read(cli, path, &cert);
	if (r == CLI_YES)
		r = intermediate ? certfile_intermediate(cli, name, cert)
				 : certfile_anchor(cli, name, cert, false);
	if (r == CLI_YES && !intermediate && (cert->bad_form || cert->lax_form) && !cli->json)
		cli_note(cli,
			 "Its form breaks a rule of RFC 5280, so no path ends in it until: "
			 "certlogin "
			 "anchor set %s --form lax",
			 name);
	return r;
}

/* What differs from the strict profile, in the words of `anchor set`; "strict" for nothing. */
static void settings_text(const json_t *policy, char *ret, size_t size)
{
	const char *revocation = reply_text(policy, "revocation");
	struct buf b = { 0 };
	char grace[64] = "";

	if (!policy || json_is_null(policy)) {
		(void)snprintf(ret, size, "unreadable: not trusted");
		return;
	}
	if (reply_bool(policy, "ekuMissing"))
		buf_put_text(&b, " eku-missing=allow");
	if (reply_bool(policy, "ekuAny"))
		buf_put_text(&b, " eku-any=allow");
	if (reply_bool(policy, "smartcardLogon"))
		buf_put_text(&b, " smartcard-logon=require");
	if (reply_bool(policy, "form"))
		buf_put_text(&b, " form=lax");
	if (strcmp(revocation, "grace") == 0)
		(void)snprintf(grace, sizeof(grace), ":%lldh",
			       (long long)reply_int(policy, "graceHours"));
	if (strcmp(revocation, "auto") != 0) {
		buf_put_text(&b, " revocation=");
		buf_put_text(&b, revocation);
		buf_put_text(&b, grace);
	}
	(void)snprintf(ret, size, "%.*s", b.n > 0 ? (int)b.n - 1 : 6,
		       b.n > 0 ? (const char *)b.p + 1 : "strict");
	buf_deinit(&b);
}

int verb_anchor_list(struct cli *cli, _unused_ const struct args *args)
{
	static const char *const titles[] = { "NAME",  "KIND",	   "SUBJECT",
					      "UNTIL", "SETTINGS", "FINGERPRINT" };
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	char settings[160];
	json_t *row;
	size_t i;
	int r = admin_call(cli, "ListAnchors", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(json_object_get(reply, "anchors"), i, row) {
		const json_t *policy = json_object_get(row, "policy");

		settings_text(policy, settings, sizeof(settings));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "name"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "kind"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "subject"));
		show_when_cell(cli, t, reply_int(row, "notAfter"));
		table_cell(t, json_is_object(policy) ? TONE_PLAIN : TONE_BAD, "%s", settings);
		table_cell(t, TONE_PLAIN, "%.*s", FINGERPRINT_SHORT, reply_text(row, "sha256"));
	}
	return show_table(
		cli, t,
		"no anchors: no certificate is accepted. certlogin anchor add NAME CERT-FILE");
}

static void show_anchor(struct cli *cli, const json_t *row)
{
	bool key = strcmp(reply_text(row, "kind"), "key") == 0;
	char settings[160];

	settings_text(json_object_get(row, "policy"), settings, sizeof(settings));
	show_text(cli, "Anchor", reply_text(row, "name"));
	show_text(cli, "Kind", reply_text(row, "kind"));
	if (!key) {
		show_text(cli, "Subject", reply_text(row, "subject"));
		show_when(cli, "Not before", reply_int(row, "notBefore"));
		show_when(cli, "Not after", reply_int(row, "notAfter"));
	}
	show_text(cli, key ? "Key SHA-256" : "SHA-256", reply_text(row, "sha256"));
	show_when(cli, "Added", reply_int(row, "created"));
	show_text(cli, "Settings", settings);
}

int verb_anchor_show(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	json_t *row;
	size_t i;
	int r = admin_call(cli, "ListAnchors", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	json_array_foreach(json_object_get(reply, "anchors"), i, row) {
		if (strcmp(reply_text(row, "name"), args->operand[0]) != 0)
			continue;
		if (cli->json)
			return cli_json(cli, json_pack("{s:O}", "anchor", row));
		show_anchor(cli, row);
		return CLI_YES;
	}
	return cli_fail(cli, CLI_NO, "not-found", "there is no such anchor");
}

/* A setting of two words: the one is false, the other true. */
static int put_choice(struct cli *cli, const struct args *args, enum opt opt, const char *member,
		      const char *no, const char *yes, json_t *policy)
{
	const char *s = args->option[opt];

	if (!s)
		return CLI_YES;
	if (strcmp(s, no) != 0 && strcmp(s, yes) != 0)
		return cli_usage(cli, "--%s: %s or %s", option_specs[opt].name, no, yes);
	return json_object_set_new(policy, member, json_boolean(strcmp(s, yes) == 0)) < 0
		       ? cli_fail_memory(cli)
		       : CLI_YES;
}

static int read_settings(struct cli *cli, const struct args *args, json_t *policy)
{
	static const struct {
		enum opt opt;
		const char *member, *no, *yes;
	} choices[] = {
		{ OPT_EKU_MISSING, "ekuMissing", "deny", "allow" },
		{ OPT_EKU_ANY, "ekuAny", "deny", "allow" },
		{ OPT_SMARTCARD_LOGON, "smartcardLogon", "ignore", "require" },
		{ OPT_FORM, "form", "strict", "lax" },
	};
	int64_t hours = 0;
	int r = CLI_YES;

	for (size_t i = 0; r == CLI_YES && i < ARRAY_SIZE(choices); i++)
		r = put_choice(cli, args, choices[i].opt, choices[i].member, choices[i].no,
			       choices[i].yes, policy);
	if (r == CLI_YES)
		r = args_number(cli, args, OPT_GRACE_HOURS, 1, GRACE_HOURS_MAX, &hours);
	if (r != CLI_YES)
		return r;
	if (args_put_text(args, OPT_REVOCATION, policy, "revocation") < 0)
		return cli_usage(cli, "a value is not UTF-8");
	if (hours > 0 && json_object_set_new(policy, "graceHours", json_integer(hours)) < 0)
		return cli_fail_memory(cli);
	if (json_object_size(policy) == 0)
		return cli_usage(cli, "say what to set");
	return CLI_YES;
}

int verb_anchor_set(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *policy = json_object(), *reply = NULL;
	char settings[160];
	int r;

	if (!policy)
		return cli_fail_memory(cli);
	r = read_settings(cli, args, policy);
	if (r == CLI_YES)
		r = admin_call(cli, "SetAnchor",
			       json_pack("{s:s, s:O}", "name", args->operand[0], "policy", policy),
			       &reply);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	settings_text(json_object_get(json_object_get(reply, "anchor"), "policy"), settings,
		      sizeof(settings));
	cli_say(cli, "%s: %s.", args->operand[0], settings);
	return CLI_YES;
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
