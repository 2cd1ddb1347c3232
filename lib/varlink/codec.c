// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/varlink/codec.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"

/* Before the parser recurses: it may run on the small stack of a host's thread. */
static bool depth_ok(const char *text, size_t n)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > LIMIT_JSON_DEPTH)
				return false;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

/* Two parsers that read 1.0 or 1e400 differently are one attack; nothing of ours needs a fraction.
 */
static bool has_real(const json_t *json)
{
	size_t i;
	json_t *v;

	if (json_is_array(json)) {
		json_array_foreach(json, i, v)
			if (has_real(v))
				return true;
		return false;
	}
	if (json_is_object(json)) {
		for (void *at = json_object_iter((json_t *)(uintptr_t)json); at;
		     at = json_object_iter_next((json_t *)(uintptr_t)json, at))
			if (has_real(json_object_iter_value(at)))
				return true;
		return false;
	}
	return json_is_real(json);
}

int vl_json_parse(const char *text, size_t n, json_t **ret)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	json_error_t error = { 0 };

	if (!depth_ok(text, n))
		return -EBADMSG;
	json = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	if (!json_is_object(json) || has_real(json))
		return -EBADMSG;
	*ret = STEAL(json);
	return 0;
}

/* Has `message` these members only, each of its type?  null is not one of them. */
static bool members_ok(json_t *message, const struct vl_field *flags, const char *text)
{
	const char *key;
	json_t *v;

	json_object_foreach(message, key, v) {
		const struct vl_field *f = flags;

		if (strcmp(key, "parameters") == 0) {
			if (!json_is_object(v))
				return false;
			continue;
		}
		if (strcmp(key, text) == 0) {
			if (!json_is_string(v))
				return false;
			continue;
		}
		while (f->name && strcmp(f->name, key) != 0)
			f++;
		if (!f->name || !json_is_boolean(v))
			return false;
	}
	return true;
}

int vl_call_parse(const char *text, size_t n, json_t **ret_msg, const char **ret_method,
		  json_t **ret_parameters)
{
	static const struct vl_field flags[] = {
		{ "more", VL_BOOL, true, 0 },
		{ "oneway", VL_BOOL, true, 0 },
		{ "upgrade", VL_BOOL, true, 0 },
		{ NULL, VL_BOOL, false, 0 },
	};
	_cleanup_(json_decrefp) json_t *message = NULL;
	const char *method;
	int r;

	r = vl_json_parse(text, n, &message);
	if (r < 0)
		return r;
	method = json_string_value(json_object_get(message, "method"));
	if (!method || !members_ok(message, flags, "method"))
		return -EBADMSG;
	*ret_method = method;
	*ret_parameters = json_object_get(message, "parameters");
	*ret_msg = STEAL(message);
	return 0;
}

int vl_reply_parse(const char *text, size_t n, json_t **ret_parameters, char **ret_error)
{
	static const struct vl_field no_flags[] = { { NULL, VL_BOOL, false, 0 } };
	_cleanup_(json_decrefp) json_t *message = NULL;
	_cleanup_(freep) char *error = NULL;
	json_t *name, *parameters;
	int r;

	r = vl_json_parse(text, n, &message);
	if (r < 0)
		return r;
	if (!members_ok(message, no_flags, "error"))
		return -EBADMSG;
	name = json_object_get(message, "error");
	if (name) {
		error = strdup(json_string_value(name));
		if (!error)
			return -ENOMEM;
	}
	parameters = json_object_get(message, "parameters");
	parameters = parameters ? json_incref(parameters) : json_object();
	if (!parameters)
		return -ENOMEM;
	*ret_parameters = parameters;
	*ret_error = STEAL(error);
	return 0;
}

/* Dumped into one buffer of the right size: no copies of a ticket stay behind in freed memory. */
static int message_format(const char *key, const char *name, json_t *parameters, char **ret,
			  size_t *ret_n)
{
	_cleanup_(json_decrefp) json_t *message = json_object();
	char *text;
	size_t n;

	if (name && json_object_set_new(message, key, json_string(name)) < 0) {
		json_decref(parameters);
		return -ENOMEM;
	}
	/* takes parameters also when it fails, as it does without a message */
	if (parameters && json_object_set_new(message, "parameters", parameters) < 0)
		return -ENOMEM;
	if (!message)
		return -ENOMEM;
	n = json_dumpb(message, NULL, 0, JSON_COMPACT);
	if (n == 0)
		return -ENOMEM;
	text = malloc(n + 1);
	if (!text)
		return -ENOMEM;
	if (json_dumpb(message, text, n, JSON_COMPACT) != n) {
		free(text);
		return -ENOMEM;
	}
	text[n] = '\0';
	*ret = text;
	*ret_n = n + 1;
	return 0;
}

int vl_call_format(const char *method, json_t *parameters, char **ret, size_t *ret_n)
{
	return message_format("method", method, parameters, ret, ret_n);
}

int vl_reply_format(const char *error, json_t *parameters, char **ret, size_t *ret_n)
{
	return message_format("error", error, parameters, ret, ret_n);
}

void vl_json_wipe(json_t *json)
{
	const char *key;
	size_t i;
	json_t *v;

	if (json_is_string(json)) {
		explicit_bzero((char *)(uintptr_t)json_string_value(json),
			       json_string_length(json));
	} else if (json_is_array(json)) {
		json_array_foreach(json, i, v)
			vl_json_wipe(v);
	} else if (json_is_object(json)) {
		json_object_foreach(json, key, v)
			vl_json_wipe(v);
	}
}

static bool strings_ok(const json_t *v, size_t max)
{
	size_t i;
	json_t *s;

	if (!json_is_array(v) || (max > 0 && json_array_size(v) > max))
		return false;
	json_array_foreach(v, i, s)
		if (!json_is_string(s))
			return false;
	return true;
}

static bool field_ok(const struct vl_field *field, const json_t *v)
{
	if (!v || json_is_null(v))
		return field->optional;
	switch (field->type) {
	case VL_STRING:
		return json_is_string(v) &&
		       (field->max == 0 || json_string_length(v) <= field->max);
	case VL_INT:
		return json_is_integer(v);
	case VL_BOOL:
		return json_is_boolean(v);
	case VL_STRINGS:
		return strings_ok(v, field->max);
	case VL_OBJECT:
		return json_is_object(v);
	}
	return false;
}

int vl_fields_check(json_t *parameters, const struct vl_field *fields, const char **ret_bad)
{
	const char *key;
	json_t *v;

	for (const struct vl_field *f = fields; f->name; f++)
		if (!field_ok(f, json_object_get(parameters, f->name))) {
			*ret_bad = f->name;
			return -EINVAL;
		}
	json_object_foreach(parameters, key, v) {
		const struct vl_field *f = fields;

		while (f->name && strcmp(f->name, key) != 0)
			f++;
		if (!f->name) {
			*ret_bad = key;
			return -EINVAL;
		}
	}
	return 0;
}
