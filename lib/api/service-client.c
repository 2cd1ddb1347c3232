// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/api/service-client.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/varlink/codec.h"

#define INTERFACE "org.certlogin.Service"

static int error_to_errno(const char *name)
{
	static const struct {
		const char *name;
		int error;
	} table[] = {
		{ "org.varlink.service.PermissionDenied", -EACCES },
		{ "org.varlink.service.SystemError", -EREMOTEIO },
		{ INTERFACE ".InvalidLogin", -ESTALE },
		{ INTERFACE ".TooMany", -EDQUOT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(name, table[i].name) == 0)
			return table[i].error;
	return -EPROTO;
}

/* Takes `parameters`; NULL: what the caller gave is no JSON text (or no memory). */
static int call(struct vl_client *c, const char *method, json_t *parameters, json_t **ret)
{
	_cleanup_(freep) char *error = NULL;
	json_t *answer = NULL;
	int r;

	if (!parameters)
		return -EINVAL;
	r = vl_client_call(c, method, parameters, LIMIT_PAM_CALL_USEC, &answer, &error);
	if (r < 0)
		return r;
	if (error)
		return error_to_errno(error);
	*ret = answer;
	return 0;
}

static int check(json_t *answer, const struct vl_field *fields)
{
	const char *bad;

	return vl_fields_check(answer, fields, &bad) < 0 ? -EPROTO : 0;
}

/* Integers of the interface are never negative. */
static int get_u64(const json_t *answer, const char *key, uint64_t *ret)
{
	json_int_t v = json_integer_value(json_object_get(answer, key));

	if (v < 0)
		return -EPROTO;
	*ret = (uint64_t)v;
	return 0;
}

int service_begin(struct vl_client *c, const char *account, const char *service, const char *tty,
		  const char *rhost, struct service_begin *ret)
{
	static const struct vl_field fields[] = {
		{ "loginId", VL_STRING, false, LOGIN_ID_TEXT_SIZE - 1 },
		{ "class", VL_STRING, false, sizeof(ret->service_class) - 1 },
		{ "console", VL_BOOL, false, 0 },
		{ NULL, VL_BOOL, false, 0 },
	};
	_cleanup_(json_decrefp) json_t *answer = NULL;
	uint8_t id[LOGIN_ID_BYTES];
	const char *class;
	int r;

	r = call(c, INTERFACE ".Begin",
		 json_pack("{s:s, s:s, s:s*, s:s*}", "account", account, "service", service, "tty",
			   tty, "rhost", rhost),
		 &answer);
	if (r < 0)
		return r;
	class = json_string_value(json_object_get(answer, "class"));
	if (check(answer, fields) < 0 ||
	    login_id_parse(json_string_value(json_object_get(answer, "loginId")), id) < 0)
		return -EPROTO;
	if (strcmp(class, "login") != 0 && strcmp(class, "elevate") != 0 &&
	    strcmp(class, "app") != 0)
		return -EPROTO;
	login_id_format(id, ret->login_id);
	strcpy(ret->service_class, class);
	ret->console = json_is_true(json_object_get(answer, "console"));
	return 0;
}

/* {"allowed", "event"} and perhaps one more, which an allow must have when it is named. */
static int read_answer(json_t *answer, const char *session_key, struct service_answer *ret)
{
	const struct vl_field fields[] = {
		{ "allowed", VL_BOOL, false, 0 },
		{ "event", VL_INT, false, 0 },
		{ session_key ? session_key : "identity", session_key ? VL_INT : VL_STRING, true,
		  0 },
		{ NULL, VL_BOOL, false, 0 },
	};
	struct service_answer a = { 0 };

	if (check(answer, fields) < 0 || get_u64(answer, "event", &a.event) < 0)
		return -EPROTO;
	a.allowed = json_is_true(json_object_get(answer, "allowed"));
	if (session_key) {
		if (get_u64(answer, session_key, &a.session) < 0 || (a.allowed && a.session == 0))
			return -EPROTO;
	}
	*ret = a;
	return 0;
}

int service_redeem(struct vl_client *c, const char *login_id, const uint8_t ticket[TICKET_BYTES],
		   struct service_answer *ret)
{
	_cleanup_(json_decrefp) json_t *answer = NULL;
	char text[TICKET_TEXT_SIZE];
	json_t *parameters, *keep;
	int r;

	ticket_format(ticket, text);
	parameters = json_pack("{s:s, s:s}", "loginId", login_id, "ticket", text);
	explicit_bzero(text, sizeof(text));
	keep = json_incref(parameters);
	r = call(c, INTERFACE ".Redeem", parameters, &answer);
	vl_json_wipe(keep);
	json_decref(keep);
	return r < 0 ? r : read_answer(answer, NULL, ret);
}

int service_abandon(struct vl_client *c, const char *login_id, const char *reason,
		    uint64_t *ret_event)
{
	static const struct vl_field fields[] = {
		{ "event", VL_INT, false, 0 },
		{ NULL, VL_BOOL, false, 0 },
	};
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r;

	r = call(c, INTERFACE ".Abandon",
		 json_pack("{s:s, s:s}", "loginId", login_id, "reason", reason), &answer);
	if (r < 0)
		return r;
	return check(answer, fields) < 0 ? -EPROTO : get_u64(answer, "event", ret_event);
}

int service_check_account(struct vl_client *c, const char *login_id, const char *account,
			  struct service_answer *ret)
{
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r;

	r = call(c, INTERFACE ".CheckAccount",
		 json_pack("{s:s, s:s}", "loginId", login_id, "account", account), &answer);
	return r < 0 ? r : read_answer(answer, NULL, ret);
}

int service_open_session(struct vl_client *c, const char *login_id, const char *account, pid_t pid,
			 const char *tty, const char *rhost, struct service_answer *ret)
{
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r;

	r = call(c, INTERFACE ".OpenSession",
		 json_pack("{s:s, s:s, s:i, s:s*, s:s*}", "loginId", login_id, "account", account,
			   "pid", (int)pid, "tty", tty, "rhost", rhost),
		 &answer);
	return r < 0 ? r : read_answer(answer, "sessionId", ret);
}

int service_close_session(struct vl_client *c, uint64_t session)
{
	static const struct vl_field none[] = { { NULL, VL_BOOL, false, 0 } };
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r;

	if (session > INT64_MAX)
		return -EINVAL;
	r = call(c, INTERFACE ".CloseSession", json_pack("{s:I}", "sessionId", (json_int_t)session),
		 &answer);
	return r < 0 ? r : check(answer, none);
}

static json_t *spkis_to_json(const struct service_der *spkis, size_t n)
{
	_cleanup_(json_decrefp) json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++) {
		_cleanup_(freep) char *text = base64_encode_new(spkis[i].p, spkis[i].n);

		if (!text || json_array_append_new(list, json_string(text)) < 0)
			return NULL;
	}
	return list ? json_pack("{s:O}", "spkis", list) : NULL;
}

void service_ders_free(struct service_der *ders, size_t n)
{
	for (size_t i = 0; ders && i < n; i++)
		free(ders[i].p);
	free(ders);
}

static int json_to_ders(const json_t *list, struct service_der **ret, size_t *ret_n)
{
	size_t n = json_array_size(list), i;
	struct service_der *ders = calloc(n > 0 ? n : 1, sizeof(*ders));
	json_t *s;

	if (!ders)
		return -ENOMEM;
	json_array_foreach(list, i, s) {
		int r = base64_decode_new(json_string_value(s), json_string_length(s), &ders[i].p,
					  &ders[i].n);

		if (r >= 0 && ders[i].n <= LIMIT_CERT_BYTES)
			continue;
		service_ders_free(ders, n);
		return r == -ENOMEM ? r : -EPROTO;
	}
	*ret = ders;
	*ret_n = n;
	return 0;
}

int service_find_certificates(struct vl_client *c, const struct service_der *spkis, size_t n_spkis,
			      struct service_der **ret, size_t *ret_n)
{
	static const struct vl_field fields[] = {
		{ "certificates", VL_STRINGS, false, LIMIT_FIND_SPKIS },
		{ NULL, VL_BOOL, false, 0 },
	};
	_cleanup_(json_decrefp) json_t *answer = NULL;
	int r;

	if (n_spkis > LIMIT_FIND_SPKIS)
		return -E2BIG;
	r = call(c, INTERFACE ".FindCertificates", spkis_to_json(spkis, n_spkis), &answer);
	if (r < 0)
		return r;
	if (check(answer, fields) < 0)
		return -EPROTO;
	return json_to_ders(json_object_get(answer, "certificates"), ret, ret_n);
}
