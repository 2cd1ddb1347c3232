/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_VARLINK_TEXT_H
#define TESTS_VARLINK_TEXT_H

/*
 * A reader of interface texts (https://varlink.org/Interface-Definition), as far as schema/api uses
 * them, and a check of a message against one.  Anything unknown fails the test.
 */

#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct text_field {
	char name[32];
	char type[32]; /* string, int, bool, object, or the name of a type */
	bool optional, array;
};

struct text_struct {
	char name[32];
	size_t n;
	struct text_field fields[20];
};

struct text_interface {
	char name[64];
	size_t n_types, n_methods, n_errors;
	struct text_struct types[32], in[80], out[80], errors[16];
	const char *at;
};

/* Next word or sign; white space and comments are left out. */
static inline void text_token(struct text_interface *t, char *ret, size_t size)
{
	size_t n = 0;

	for (;;) {
		t->at += strspn(t->at, " \t\n");
		if (*t->at != '#')
			break;
		t->at += strcspn(t->at, "\n");
	}
	while (isalnum((unsigned char)t->at[n]) || (n > 0 && t->at[n] == '.'))
		n++;
	if (n == 0)
		n = strncmp(t->at, "->", 2) == 0 || strncmp(t->at, "[]", 2) == 0 ? 2 : !!*t->at;
	assert_true(n < size);
	memcpy(ret, t->at, n);
	ret[n] = '\0';
	t->at += n;
}

static inline void text_expect(struct text_interface *t, const char *sign)
{
	char token[64];

	text_token(t, token, sizeof(token));
	assert_string_equal(token, sign);
}

static inline void text_read_field(struct text_interface *t, struct text_field *f)
{
	text_expect(t, ":");
	for (;;) {
		text_token(t, f->type, sizeof(f->type));
		if (strcmp(f->type, "?") == 0)
			f->optional = true;
		else if (strcmp(f->type, "[]") == 0)
			f->array = true;
		else
			break;
	}
	assert_true(isalpha((unsigned char)*f->type));
}

static inline void text_read_struct(struct text_interface *t, struct text_struct *s)
{
	char sign[64];

	text_expect(t, "(");
	for (;;) {
		struct text_field *f = &s->fields[s->n];

		assert_true(s->n < ARRAY_SIZE(s->fields));
		text_token(t, f->name, sizeof(f->name));
		if (strcmp(f->name, ")") == 0) /* () alone */
			return;
		text_read_field(t, f);
		s->n++;
		text_token(t, sign, sizeof(sign));
		if (strcmp(sign, ")") == 0)
			return;
		assert_string_equal(sign, ",");
	}
}

static inline void text_parse(const char *text, struct text_interface *t)
{
	char word[64];

	*t = (struct text_interface){ .at = text };
	text_expect(t, "interface");
	text_token(t, t->name, sizeof(t->name));
	for (text_token(t, word, sizeof(word)); *word; text_token(t, word, sizeof(word))) {
		struct text_struct *s = NULL;

		if (strcmp(word, "type") == 0)
			s = &t->types[t->n_types++];
		else if (strcmp(word, "method") == 0)
			s = &t->in[t->n_methods++];
		else if (strcmp(word, "error") == 0)
			s = &t->errors[t->n_errors++];
		assert_non_null(s);
		assert_true(t->n_types < 32 && t->n_methods < 80 && t->n_errors < 16);
		text_token(t, s->name, sizeof(s->name));
		text_read_struct(t, s);
		if (strcmp(word, "method") == 0) {
			text_expect(t, "->");
			strcpy(t->out[t->n_methods - 1].name, s->name);
			text_read_struct(t, &t->out[t->n_methods - 1]);
		}
	}
}

static inline const struct text_struct *text_find(const struct text_struct *list, size_t n,
						  const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

/* --- messages --- */

static inline void text_check(const struct text_interface *t, const struct text_struct *s,
			      const json_t *json);

static inline void text_check_value(const struct text_interface *t, const struct text_field *f,
				    const json_t *v)
{
	const struct text_struct *type = text_find(t->types, t->n_types, f->type);
	bool good;

	if (type) {
		text_check(t, type, v);
		return;
	}
	good = (strcmp(f->type, "string") == 0 && json_is_string(v)) ||
	       (strcmp(f->type, "int") == 0 && json_is_integer(v)) ||
	       (strcmp(f->type, "bool") == 0 && json_is_boolean(v)) ||
	       (strcmp(f->type, "object") == 0 && json_is_object(v));
	if (!good)
		fail_msg("%s is no %s", f->name, f->type);
}

static inline void text_check_member(const struct text_interface *t, const struct text_field *f,
				     const json_t *v)
{
	size_t i;
	json_t *row;

	if (!v || json_is_null(v)) {
		if (!f->optional)
			fail_msg("%s is missing", f->name);
		return;
	}
	if (!f->array) {
		text_check_value(t, f, v);
		return;
	}
	if (!json_is_array(v))
		fail_msg("%s is no array", f->name);
	json_array_foreach(v, i, row) text_check_value(t, f, row);
}

/* Has `json` these members and no others? */
static inline void text_check(const struct text_interface *t, const struct text_struct *s,
			      const json_t *json)
{
	size_t known = 0;

	if (!json_is_object(json))
		fail_msg("%s is no object", s->name);
	for (size_t i = 0; i < s->n; i++) {
		const json_t *v = json_object_get(json, s->fields[i].name);

		known += v != NULL;
		text_check_member(t, &s->fields[i], v);
	}
	if (json_object_size(json) != known)
		fail_msg("%s has a member that the interface does not know", s->name);
}

#endif
