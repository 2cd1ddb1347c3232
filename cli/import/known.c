// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/known.h"

#include <errno.h>
#include <string.h>

#include "lib/base/encode.h"

/* "" or 0 for what is not there: it is compared, and equals nothing. */
static const char *text_of(const json_t *row, const char *name)
{
	const char *s = json_string_value(json_object_get(row, name));

	return s ? s : "";
}

static int64_t number_of(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

void known_deinit(struct known *k)
{
	json_decref(k->identities);
	json_decref(k->keys);
	json_decref(k->access);
	json_decref(k->rules);
	*k = (struct known){ 0 };
}

int known_add(json_t **index, const json_t *rows, const char *key)
{
	const json_t *row;
	size_t i;

	if (!*index)
		*index = json_object();
	json_array_foreach(rows, i, row) {
		if (json_object_set(*index, text_of(row, key), (json_t *)(uintptr_t)row) < 0)
			return -ENOMEM;
	}
	return *index ? 0 : -ENOMEM;
}

int known_add_access(struct known *k, const json_t *rows)
{
	const json_t *row;
	size_t i;

	if (!k->access)
		k->access = json_object();
	json_array_foreach(rows, i, row) {
		const char *identity = text_of(row, "identity");
		json_t *list = json_object_get(k->access, identity);

		if (!list) {
			list = json_array();
			if (json_object_set_new(k->access, identity, list) < 0)
				return -ENOMEM;
		}
		if (json_array_append(list, (json_t *)(uintptr_t)row) < 0)
			return -ENOMEM;
	}
	return k->access ? 0 : -ENOMEM;
}

static void drop(struct plan_op *op, char *ret_why, size_t size, const char *why)
{
	op->state = PLAN_DROPPED;
	(void)snprintf(ret_why, size, "%s", why);
}

/* May the identity do something for longer than this? */
static bool lasts_longer(const struct known *k, const char *identity, int64_t until)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(k->access, identity), i, row)
		if (number_of(row, "notAfter") > until)
			return true;
	return false;
}

static void check_enroll(const struct known *k, struct plan_op *op, char *ret_why, size_t size)
{
	char key[HEX_SIZE(SHA256_BYTES)], sha256[HEX_SIZE(SHA256_BYTES)];
	const json_t *row;

	hex_encode(op->cert->spki_sha256, SHA256_BYTES, key);
	hex_encode(op->cert->sha256, SHA256_BYTES, sha256);
	row = json_object_get(k->keys, key);
	if (row && strcmp(text_of(row, "identity"), op->identity) != 0) {
		op->state = PLAN_DROPPED;
		(void)snprintf(ret_why, size, "its key is enrolled for %s: one key is one person",
			       text_of(row, "identity"));
	} else if (row && strcmp(text_of(row, "sha256"), sha256) != 0) {
		drop(op, ret_why, size,
		     "its key is enrolled in another certificate: certlogin unenroll that first");
	} else if (lasts_longer(k, op->identity, op->until)) {
		drop(op, ret_why, size,
		     "its expiry-time would not hold: the identity has access that lasts longer");
	} else if (row) {
		op->state = PLAN_PRESENT;
	}
}

static void check_access(const struct known *k, const struct plan_options *options,
			 struct plan_op *op, char *ret_why, size_t size)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(k->access, op->identity), i, row) {
		if (strcmp(text_of(row, "account"), op->identity) != 0 ||
		    strcmp(text_of(row, "service"), options->service) != 0)
			continue;
		if (number_of(row, "notAfter") == op->until)
			op->state = PLAN_PRESENT;
		else
			drop(op, ret_why, size,
			     "this access is there with another end: certlogin access deny it "
			     "first");
	}
}

static bool same_domains(const json_t *row, const struct plan_options *options)
{
	const json_t *domains = json_object_get(row, "domains");

	if (json_array_size(domains) != options->n_domains)
		return false;
	for (size_t i = 0; i < options->n_domains; i++) {
		const char *s = json_string_value(json_array_get(domains, i));

		if (!s || strcmp(s, options->domains[i]) != 0)
			return false;
	}
	return true;
}

static void check_rule(const struct known *k, const struct plan_options *options,
		       struct plan_op *op, char *ret_why, size_t size)
{
	const json_t *row = json_object_get(k->rules, op->name);

	if (!row)
		return;
	if (strcmp(text_of(row, "anchor"), options->anchor) == 0 &&
	    strcmp(text_of(row, "match"), op->match) == 0 &&
	    strcmp(text_of(row, "yield"), op->yield) == 0 &&
	    json_is_true(json_object_get(row, "continue")) == op->goes_on &&
	    (!op->domains || same_domains(row, options)))
		op->state = PLAN_PRESENT;
	else
		drop(op, ret_why, size,
		     "a rule of this name says something else: certlogin rule remove it first");
}

void known_check(const struct known *k, const struct plan_options *options, struct plan_op *op,
		 char *ret_why, size_t size)
{
	switch (op->kind) {
	case PLAN_IDENTITY:
		if (json_object_get(k->identities, op->identity))
			op->state = PLAN_PRESENT;
		break;
	case PLAN_ENROLL:
		check_enroll(k, op, ret_why, size);
		break;
	case PLAN_ACCESS:
		check_access(k, options, op, ret_why, size);
		break;
	case PLAN_RULE:
		check_rule(k, options, op, ret_why, size);
		break;
	}
}
