// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/admin.h"

#include <errno.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/varlink/client.h"

#define INTERFACE "org.certlogin.Admin."
#define ADMIN_TIMEOUT (30 * USEC_PER_SEC) /* a backup, an audit slice on a slow disk */

static int admin_open(struct cli *cli, char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s/admin", cli->runtime_dir);
	return cli->admin ? 0 : vl_client_connect(ret_path, ADMIN_TIMEOUT, &cli->admin);
}

bool admin_reachable(struct cli *cli)
{
	char path[512];

	return admin_open(cli, path, sizeof(path)) == 0;
}

static int unreachable(struct cli *cli, int error, const char *path)
{
	static const struct {
		int error;
		const char *hint;
	} hints[] = {
		{ -ENOENT, "Is certlogind.socket started? systemctl start certlogind.socket" },
		{ -ECONNREFUSED,
		  "Is certlogind.socket started? systemctl start certlogind.socket" },
		{ -EACCES, "Are you root, or in the group certlogin-admin or certlogin-audit?" },
		{ -ETIMEDOUT, "It does not answer. See: systemctl status certlogind; journalctl -u "
			      "certlogind" },
	};
	const char *hint = "See: systemctl status certlogind; journalctl -u certlogind";

	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (hints[i].error == error)
			hint = hints[i].hint;
	return cli_fail(cli, error == -EACCES ? CLI_NO : CLI_UNREACHABLE,
			error == -EACCES ? "permission-denied" : "unreachable",
			"cannot reach certlogind at %s: %s. %s", path, strerror(-error), hint);
}

static const char *role_hint(enum role role)
{
	static const char *const hints[] = {
		[ROLE_ANYONE] = "",
		[ROLE_AUDIT] = "this needs root, or the group certlogin-admin or certlogin-audit",
		[ROLE_ADMIN] = "this needs root, or the group certlogin-admin (for uid 0: root)",
		[ROLE_ROOT] = "this needs root",
	};

	return hints[role];
}

/* An error of the interface as exit code and words. */
static int refused(struct cli *cli, const char *error, const json_t *parameters)
{
	const char *what = reply_text(parameters, "what"), *why = reply_text(parameters, "why");

	if (strcmp(error, INTERFACE "NotFound") == 0)
		return cli_fail(cli, CLI_NO, "not-found", "there is no such %s",
				*what ? what : "thing");
	if (strcmp(error, INTERFACE "Exists") == 0)
		return cli_fail(cli, CLI_NO, "exists", "this %s exists already",
				*what ? what : "thing");
	if (strcmp(error, INTERFACE "InUse") == 0)
		return cli_fail(cli, CLI_NO, "in-use", "%s is in use: %s", what, why);
	if (strcmp(error, INTERFACE "Refused") == 0)
		return cli_fail(cli, CLI_NO, "refused", "the %s is refused: %s", what, why);
	if (strcmp(error, INTERFACE "InvalidValue") == 0)
		return cli_fail(cli, CLI_USAGE, "invalid-value", "%s: %s",
				reply_text(parameters, "field"), why);
	if (strcmp(error, "org.varlink.service.InvalidParameter") == 0)
		return cli_fail(cli, CLI_USAGE, "invalid-value", "%s is not acceptable",
				reply_text(parameters, "parameter"));
	if (strcmp(error, "org.varlink.service.PermissionDenied") == 0)
		return cli_fail(cli, CLI_NO, "permission-denied", "permission denied: %s",
				role_hint(cli->verb ? cli->verb->role : ROLE_ROOT));
	if (strcmp(error, "org.varlink.service.MethodNotFound") == 0)
		return cli_fail(cli, CLI_INTERNAL, "internal",
				"certlogind does not know this call: is it of another version? "
				"systemctl restart certlogind");
	if (reply_int(parameters, "errno") != 0) /* SystemError */
		return cli_fail(cli, CLI_INTERNAL, "internal", "certlogind could not do it: %s",
				strerror((int)reply_int(parameters, "errno")));
	return cli_fail(cli, CLI_INTERNAL, "internal", "certlogind answered %s", error);
}

int admin_call(struct cli *cli, const char *method, json_t *parameters, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *reply = NULL, *error_parameters = NULL;
	_cleanup_(freep) char *error = NULL;
	char name[128], path[512];
	int r;

	if (!parameters)
		return cli_fail_memory(cli);
	r = admin_open(cli, path, sizeof(path));
	if (r < 0) {
		json_decref(parameters);
		return unreachable(cli, r, path);
	}
	(void)snprintf(name, sizeof(name), INTERFACE "%s", method);
	r = vl_client_call_full(cli->admin, name, parameters, ADMIN_TIMEOUT, &reply, &error,
				&error_parameters);
	if (r < 0) {
		cli->admin = vl_client_close(cli->admin);
		return unreachable(cli, r, path);
	}
	if (error)
		return refused(cli, error, error_parameters);
	if (ret)
		*ret = STEAL(reply);
	return CLI_YES;
}

int admin_list(struct cli *cli, const char *method, json_t *parameters, const char *name,
	       const char *key, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *ask = parameters, *all = json_array();
	bool more = true;

	while (more) {
		_cleanup_(json_decrefp) json_t *reply = NULL;
		json_t *rows;
		size_t n;
		int r;

		if (!ask || !all)
			return cli_fail_memory(cli);
		r = admin_call(cli, method, json_copy(ask), &reply);
		if (r != CLI_YES)
			return r;
		rows = json_object_get(reply, name);
		n = json_array_size(rows);
		more = reply_bool(reply, "more") && n > 0;
		if (more && json_object_set(ask, "after",
					    json_object_get(json_array_get(rows, n - 1), key)) < 0)
			return cli_fail(cli, CLI_INTERNAL, "internal",
					"certlogind's answer has no %s", key);
		if (n > 0 && json_array_extend(all, rows) < 0)
			return cli_fail_memory(cli);
	}
	*ret = json_pack("{s:O}", name, all);
	return *ret ? CLI_YES : cli_fail_memory(cli);
}

const char *reply_text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

int64_t reply_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool reply_bool(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}
