// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/call.h"

#include <errno.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/varlink/codec.h"

#define INTERFACE "org.certlogin.Login"
#define SERVICE_ERROR(name) "org.varlink.service." name

static int commit_read(json_t *parameters, struct call *call, const char **ret_bad);
static int describe_read(json_t *parameters, struct call *call, const char **ret_bad);

static const struct vl_field commit_fields[] = {
	{ "ticketHash", VL_STRING, false, BASE64_SIZE(SHA256_BYTES) - 1 },
	{ "loginId", VL_STRING, false, LOGIN_ID_TEXT_SIZE - 1 },
	{ "account", VL_STRING, false, LIMIT_ACCOUNT },
	{ "service", VL_STRING, false, LIMIT_SERVICE },
	{ NULL },
};

static const struct vl_field describe_fields[] = {
	{ "loginId", VL_STRING, false, LOGIN_ID_TEXT_SIZE - 1 },
	{ NULL },
};

static const struct method {
	const char *name;
	enum call_kind kind;
	const struct vl_field *fields;
	int (*read)(json_t *parameters, struct call *call, const char **ret_bad);
} methods[] = {
	{ INTERFACE ".Commit", CALL_COMMIT, commit_fields, commit_read },
	{ INTERFACE ".Describe", CALL_DESCRIBE, describe_fields, describe_read },
};

static const char *member(const json_t *parameters, const char *name)
{
	return json_string_value(json_object_get(parameters, name));
}

static int bad(const char *name, const char **ret_bad)
{
	*ret_bad = name;
	return -EINVAL;
}

static int ticket_hash_read(const char *text, uint8_t ret[SHA256_BYTES])
{
	_cleanup_(freep) uint8_t *hash = NULL;
	size_t n;

	if (base64_decode_new(text, strlen(text), &hash, &n) < 0 || n != SHA256_BYTES)
		return -EBADMSG;
	memcpy(ret, hash, SHA256_BYTES);
	return 0;
}

static int commit_read(json_t *parameters, struct call *call, const char **ret_bad)
{
	const char *login_id = member(parameters, "loginId");

	call->loose = *login_id == '\0';
	call->account = member(parameters, "account");
	call->service = member(parameters, "service");
	if (ticket_hash_read(member(parameters, "ticketHash"), call->ticket_hash) < 0)
		return bad("ticketHash", ret_bad);
	if (!call->loose && login_id_parse(login_id, call->login_id) < 0)
		return bad("loginId", ret_bad);
	if (!account_name_ok(call->account))
		return bad("account", ret_bad);
	if (!service_name_ok(call->service))
		return bad("service", ret_bad);
	return 0;
}

static int describe_read(json_t *parameters, struct call *call, const char **ret_bad)
{
	if (login_id_parse(member(parameters, "loginId"), call->login_id) < 0)
		return bad("loginId", ret_bad);
	return 0;
}

static char *reply(const char *error, json_t *parameters, size_t *ret_n)
{
	char *text;

	/* takes parameters, also when it fails */
	return vl_reply_format(error, parameters, &text, ret_n) < 0 ? NULL : text;
}

static int refuse(const char *error, const char *key, const char *value, char **ret_reply,
		  size_t *ret_reply_n)
{
	char *text = reply(error, json_pack("{s:s}", key, value), ret_reply_n);

	if (!text)
		return -ENOMEM;
	*ret_reply = text;
	return -EINVAL;
}

static const struct method *method_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

int call_parse(const char *text, size_t n, struct call *ret, char **ret_reply, size_t *ret_reply_n)
{
	_cleanup_(call_deinit) struct call call = { 0 };
	const struct method *method;
	const char *name, *wrong = "parameters";
	json_t *parameters;
	int r;

	r = vl_call_parse(text, n, &call.message, &name, &parameters);
	if (r < 0)
		return r;
	method = method_find(name);
	if (!method)
		return refuse(SERVICE_ERROR("MethodNotFound"), "method", name, ret_reply,
			      ret_reply_n);
	/* `more` would be lies, `oneway` a login nobody hears of */
	if (json_object_size(call.message) != 2 || !parameters ||
	    vl_fields_check(parameters, method->fields, &wrong) < 0 ||
	    method->read(parameters, &call, &wrong) < 0)
		return refuse(SERVICE_ERROR("InvalidParameter"), "parameter", wrong, ret_reply,
			      ret_reply_n);
	call.kind = method->kind;
	*ret = call;
	call.message = NULL;
	return 0;
}

void call_deinit(struct call *call)
{
	json_decref(call->message);
	*call = (struct call){ 0 };
}

bool call_is_committed(const struct call *call, const char *commitment)
{
	struct commitment m = {
		.login_id = call->loose ? NULL : call->login_id,
		.account = call->account,
		.service = call->service,
	};
	char name[COMMITMENT_NAME_SIZE];

	memcpy(m.ticket_hash, call->ticket_hash, sizeof(m.ticket_hash));
	return commitment_name(&m, name) == 0 && strcmp(name, commitment) == 0;
}

char *call_reply_committed(bool allowed, uint64_t event, size_t *ret_n)
{
	return reply(NULL, json_pack("{s:b, s:I}", "allowed", allowed, "event", (json_int_t)event),
		     ret_n);
}

static json_t *text_of(const struct view *v)
{
	return json_stringn((const char *)v->p, v->n);
}

char *call_reply_described(const struct wire_described *m, size_t *ret_n)
{
	if (!m->found)
		return reply(INTERFACE ".NotFound", NULL, ret_n);
	return reply(NULL,
		     json_pack("{s:o, s:o, s:o}", "account", text_of(&m->account), "service",
			       text_of(&m->service), "caller", text_of(&m->caller)),
		     ret_n);
}

char *call_reply_unavailable(size_t *ret_n)
{
	return reply(INTERFACE ".Unavailable", NULL, ret_n);
}
