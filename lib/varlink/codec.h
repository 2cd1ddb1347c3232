/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VARLINK_CODEC_H
#define VARLINK_CODEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * One Varlink message as bytes.  Parsing is strict: one JSON object and nothing after it, depth <=
 * LIMIT_JSON_DEPTH, no duplicate keys, integers only, valid UTF-8, no U+0000.
 */

int vl_json_parse(const char *text, size_t n, json_t **ret); /* n: without the NUL */

/* {"method": string, "parameters": object?, "more"/"oneway"/"upgrade": bool?}; borrowed from
 * *ret_msg. */
int vl_call_parse(const char *text, size_t n, json_t **ret_msg, const char **ret_method,
		  json_t **ret_parameters);
/* {"parameters": object?, "error": string?}; gives both; parameters are never NULL. */
int vl_reply_parse(const char *text, size_t n, json_t **ret_parameters, char **ret_error);

/* Gives NUL-terminated text; *ret_n counts the NUL.  Takes parameters. */
int vl_call_format(const char *method, json_t *parameters, char **ret, size_t *ret_n);
int vl_reply_format(const char *error, json_t *parameters, char **ret, size_t *ret_n);

enum vl_type { VL_STRING, VL_INT, VL_BOOL, VL_STRINGS, VL_OBJECT };

struct vl_field {
	const char *name;
	enum vl_type type;
	bool optional; /* may be absent or null */
	size_t max;    /* strings: bytes; VL_STRINGS: elements; 0: only the message's limit */
};

/* Wipes string values below `json` in place: for messages that carried a ticket. */
void vl_json_wipe(json_t *json);

/* 0, or -EINVAL with *ret_bad naming the member that is unknown, missing or of the wrong type. */
int vl_fields_check(json_t *parameters, const struct vl_field *fields, const char **ret_bad);

#endif
