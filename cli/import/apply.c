// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/apply.h"

#include <string.h>

#include "cli/admin.h"
#include "lib/base/encode.h"

static bool has_rules(const struct plan *p)
{
	for (size_t i = 0; i < p->n_ops; i++)
		if (p->ops[i].kind == PLAN_RULE)
			return true;
	return false;
}

static int anchor_check(struct cli *cli, const char *anchor)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const json_t *row;
	size_t i;
	int r = admin_call(cli, "ListAnchors", json_object(), &reply);

	if (r != CLI_YES)
		return r;
	json_array_foreach(json_object_get(reply, "anchors"), i, row)
		if (strcmp(reply_text(row, "name"), anchor) == 0)
			return CLI_YES;
	return cli_fail(cli, CLI_NO, "not-found",
			"there is no anchor %s: certlogin anchor add %s CERT-FILE", anchor, anchor);
}

/* Everything that is known of rules is asked here, and said in rule_parameters(). */
static int rules_read(struct cli *cli, const struct plan *p, struct known *ret)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int r;

	if (!has_rules(p))
		return CLI_YES;
	r = anchor_check(cli, p->options->anchor);
	if (r == CLI_YES)
		r = admin_call(cli, "ListRules", json_object(), &reply);
	if (r == CLI_YES && known_add(&ret->rules, json_object_get(reply, "rules"), "name") < 0)
		return cli_fail_memory(cli);
	return r;
}

int import_known(struct cli *cli, const struct plan *p, struct known *ret)
{
	_cleanup_(json_decrefp) json_t *identities = NULL, *certificates = NULL, *access = NULL;
	int r = admin_list(cli, "ListIdentities", json_object(), "identities", "name", &identities);

	if (r == CLI_YES)
		r = admin_list(cli, "ListCertificates", json_object(), "certificates", "sha256",
			       &certificates);
	if (r == CLI_YES)
		r = admin_call(cli, "ListAccess", json_object(), &access);
	if (r != CLI_YES)
		return r;
	if (known_add(&ret->identities, json_object_get(identities, "identities"), "name") < 0 ||
	    known_add(&ret->keys, json_object_get(certificates, "certificates"), "spkiSha256") <
		    0 ||
	    known_add_access(ret, json_object_get(access, "access")) < 0)
		return cli_fail_memory(cli);
	return rules_read(cli, p, ret);
}

static json_t *rule_parameters(const struct plan_op *op, const struct plan_options *o)
{
	json_t *parameters = json_pack("{s:s, s:s, s:s, s:s}", "name", op->name, "anchor",
				       o->anchor, "match", op->match, "yield", op->yield),
	       *domains = json_array();

	for (size_t i = 0; op->domains && i < o->n_domains; i++)
		if (json_array_append_new(domains, json_string(o->domains[i])) < 0) {
			json_decref(domains);
			domains = NULL;
		}
	if (op->goes_on && json_object_set_new(parameters, "continue", json_true()) < 0) {
		json_decref(parameters);
		parameters = NULL;
	}
	if (!parameters || !domains || json_object_set(parameters, "domains", domains) < 0) {
		json_decref(parameters);
		parameters = NULL;
	}
	json_decref(domains);
	return parameters;
}

static int op_apply(struct cli *cli, const struct plan_op *op, const struct plan_options *o)
{
	_cleanup_(freep) char *der = NULL;

	switch (op->kind) {
	case PLAN_IDENTITY:
		return admin_call(cli, "AddIdentity", json_pack("{s:s}", "name", op->identity),
				  NULL);
	case PLAN_ENROLL:
		der = base64_encode_new(op->cert->der.p, op->cert->der.n);
		return admin_call(
			cli, "Enroll",
			der ? json_pack("{s:s, s:s}", "identity", op->identity, "certificate", der)
			    : NULL,
			NULL);
	case PLAN_ACCESS:
		return admin_call(cli, "AllowAccess",
				  json_pack("{s:s, s:s, s:s, s:I}", "identity", op->identity,
					    "account", op->identity, "service", o->service,
					    "notAfter", (json_int_t)op->until),
				  NULL);
	case PLAN_RULE:
		return admin_call(cli, "AddRule", rule_parameters(op, o), NULL);
	}
	return CLI_INTERNAL;
}

int import_apply(struct cli *cli, const struct plan *p)
{
	for (size_t i = 0; i < p->n_ops; i++) {
		const struct plan_op *op = &p->ops[i];
		int r;

		if (op->state != PLAN_NEW)
			continue;
		r = op_apply(cli, op, p->options);
		if (r == CLI_YES)
			continue;
		cli_note(cli,
			 "It stopped at %s:%u. What was done before stays; the same command goes "
			 "on from there.",
			 op->file, op->line);
		return r;
	}
	return CLI_YES;
}
