// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/prove/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/varlink/codec.h"

static void set(struct prove_answer *ret, enum prove_result result, const char *why)
{
	*ret = (struct prove_answer){ .result = result };
	(void)snprintf(ret->why, sizeof(ret->why), "%s", why);
}

static void read_error(const char *name, struct prove_answer *ret)
{
	if (strcmp(name, "org.certlogin.Login.NotFound") == 0)
		set(ret, PROVE_DENIED, "no such login, or it is not yours");
	else if (strcmp(name, "org.certlogin.Login.Unavailable") == 0)
		set(ret, PROVE_NO_SERVER, "the authority is not available: try again");
	else
		set(ret, PROVE_NO_SERVER, "the server does not know this call");
}

/* 0 with *ret_parameters, or with `ret` filled and *ret_parameters NULL. */
static int read_reply(const char *text, size_t n, const struct vl_field *fields,
		      struct prove_answer *ret, json_t **ret_parameters)
{
	_cleanup_(json_decrefp) json_t *parameters = NULL;
	_cleanup_(freep) char *error = NULL;
	const char *bad;
	int r;

	r = vl_reply_parse(text, n, &parameters, &error);
	if (r == -ENOMEM)
		return r;
	*ret_parameters = NULL;
	if (r == 0 && error)
		read_error(error, ret);
	else if (r < 0 || vl_fields_check(parameters, fields, &bad) < 0)
		set(ret, PROVE_NO_SERVER, "the server's answer makes no sense");
	else
		*ret_parameters = STEAL(parameters);
	return 0;
}

int reply_read_commit(const char *text, size_t n, struct prove_answer *ret)
{
	static const struct vl_field fields[] = {
		{ "allowed", VL_BOOL, false, 0 },
		{ "event", VL_INT, false, 0 },
		{ NULL, VL_BOOL, false, 0 },
	};
	_cleanup_(json_decrefp) json_t *parameters = NULL;
	json_int_t event;
	int r;

	r = read_reply(text, n, fields, ret, &parameters);
	if (r < 0 || !parameters)
		return r;
	event = json_integer_value(json_object_get(parameters, "event"));
	if (event < 0) {
		set(ret, PROVE_NO_SERVER, "the server's answer makes no sense");
		return 0;
	}
	if (json_is_true(json_object_get(parameters, "allowed")))
		set(ret, PROVE_DONE, "");
	else
		set(ret, PROVE_DENIED, "");
	ret->event = (uint64_t)event;
	return 0;
}

int reply_read_describe(const char *text, size_t n, struct prove_answer *ret,
			struct prove_description *ret_description)
{
	static const struct vl_field fields[] = {
		{ "account", VL_STRING, false, LIMIT_ACCOUNT },
		{ "service", VL_STRING, false, LIMIT_SERVICE },
		{ "caller", VL_STRING, false, sizeof(ret_description->caller) - 1 },
		{ NULL, VL_BOOL, false, 0 },
	};
	_cleanup_(json_decrefp) json_t *parameters = NULL;
	const char *account, *service, *caller;
	int r;

	r = read_reply(text, n, fields, ret, &parameters);
	if (r < 0 || !parameters)
		return r;
	account = json_string_value(json_object_get(parameters, "account"));
	service = json_string_value(json_object_get(parameters, "service"));
	caller = json_string_value(json_object_get(parameters, "caller"));
	if (!account_name_ok(account) || !service_name_ok(service)) {
		set(ret, PROVE_NO_SERVER, "the server's answer makes no sense");
		return 0;
	}
	strcpy(ret_description->account, account);
	strcpy(ret_description->service, service);
	text_clean(caller, strlen(caller), ret_description->caller,
		   sizeof(ret_description->caller));
	set(ret, PROVE_DONE, "");
	return 0;
}
