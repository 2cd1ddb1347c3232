// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/authority/authority.h"
#include "daemon/gate/call.h"
#include "daemon/wire/wire.h"
#include "lib/base/encode.h"
#include "tests/unit/varlink-text.h"

/* schema/ against the code: each says what the other does, no more and no less. */

static const char login_text[] =
#include "schema/api/org.certlogin.Login.varlink.inc"
	;

static const struct vl_field *field_of(const struct vl_field *fields, const char *name)
{
	while (fields->name && strcmp(fields->name, name) != 0)
		fields++;
	return fields->name ? fields : NULL;
}

static bool type_fits(const struct text_field *f, enum vl_type type)
{
	static const char *const names[] = { [VL_STRING] = "string",
					     [VL_INT] = "int",
					     [VL_BOOL] = "bool",
					     [VL_STRINGS] = "string",
					     [VL_OBJECT] = "object" };

	return strcmp(f->type, names[type]) == 0 && f->array == (type == VL_STRINGS);
}

static void check_method(const struct text_struct *text, const struct vl_method *m)
{
	size_t n = 0;

	assert_non_null(m->handle);
	for (size_t i = 0; i < text->n; i++) {
		const struct text_field *f = &text->fields[i];
		const struct vl_field *row = field_of(m->fields, f->name);

		if (!row || !type_fits(f, row->type) || row->optional != f->optional)
			fail_msg("%s: the row of %s is not what the interface says", m->name,
				 f->name);
		/* whatever a caller can make long has a bound here, not only the message's */
		if ((row->type == VL_STRING || row->type == VL_STRINGS) && row->max == 0)
			fail_msg("%s: %s has no bound", m->name, f->name);
	}
	while (m->fields[n].name)
		n++;
	if (n != text->n)
		fail_msg("%s: the interface does not have all fields", m->name);
}

static void check_interface(const struct vl_interface *interface)
{
	struct text_interface t;
	size_t n = 0;

	text_parse(interface->description, &t);
	assert_string_equal(t.name, interface->name);
	for (const struct vl_method *m = interface->methods; m->name; m++, n++) {
		const struct text_struct *text = text_find(t.in, t.n_methods, m->name);

		if (!text)
			fail_msg("%s is not in the interface", m->name);
		else
			check_method(text, m);
	}
	if (n != t.n_methods)
		fail_msg("%s: a method has no handler", t.name);
}

static void admin_is_its_interface(_unused_ void **state)
{
	check_interface(&api_admin);
}

static void service_is_its_interface(_unused_ void **state)
{
	check_interface(&api_service);
}

/* --- org.certlogin.Login, which the gate reads --- */

static json_t *sample(const char *field)
{
	static const struct {
		const char *field, *value;
	} samples[] = {
		{ "ticketHash", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
		{ "loginId", "" },
		{ "account", "alice" },
		{ "service", "sudo" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (strcmp(samples[i].field, field) == 0)
			return json_string(samples[i].value);
	fail_msg("no sample of %s", field);
	return NULL;
}

/* What the gate says to a call: NULL when it takes it, else the reply. */
static char *gate_says(const char *method, json_t *parameters, enum call_kind *ret_kind)
{
	_cleanup_(freep) char *text = NULL;
	struct call call = { 0 };
	char name[64], *reply = NULL;
	size_t n, reply_n;

	(void)snprintf(name, sizeof(name), "org.certlogin.Login.%s", method);
	assert_int_equal(vl_call_format(name, parameters, &text, &n), 0);
	if (call_parse(text, n - 1, &call, &reply, &reply_n) == 0) {
		*ret_kind = call.kind;
		call_deinit(&call);
	}
	return reply;
}

static void expect_refusal(const char *method, json_t *parameters, const char *parameter)
{
	enum call_kind kind;
	_cleanup_(freep) char *reply = gate_says(method, parameters, &kind);

	if (!reply || !strstr(reply, "InvalidParameter") || !strstr(reply, parameter))
		fail_msg("%s without a good %s: %s", method, parameter, reply ? reply : "taken");
}

static json_t *samples_of(const struct text_struct *method)
{
	json_t *p = json_object();

	for (size_t i = 0; i < method->n; i++) {
		const struct text_field *f = &method->fields[i];

		assert_true(strcmp(f->type, "string") == 0 && !f->optional && !f->array);
		json_object_set_new(p, f->name, sample(f->name));
	}
	if (strcmp(method->name, "Describe") == 0) /* of nothing, there is nothing to say */
		json_object_set_new(p, "loginId", json_string("AAAA-AAAA-AAAA-A"));
	return p;
}

static void login_is_its_interface(_unused_ void **state)
{
	struct text_interface t;
	unsigned kinds = 0;
	char *reply;

	text_parse(login_text, &t);
	assert_string_equal(t.name, "org.certlogin.Login");
	for (size_t m = 0; m < t.n_methods; m++) {
		json_t *all = samples_of(&t.in[m]), *p;
		enum call_kind kind = CALL_NONE;

		assert_null(gate_says(t.in[m].name, json_copy(all), &kind));
		kinds |= 1U << kind;
		for (size_t i = 0; i < t.in[m].n; i++) {
			const char *name = t.in[m].fields[i].name;

			p = json_copy(all);
			json_object_del(p, name);
			expect_refusal(t.in[m].name, p, name);
			p = json_copy(all);
			json_object_set_new(p, name, json_integer(1));
			expect_refusal(t.in[m].name, p, name);
		}
		json_object_set_new(all, "other", json_true());
		expect_refusal(t.in[m].name, all, "other");
	}
	/* the kinds that the gate knows, each once */
	assert_int_equal(kinds, 1U << CALL_COMMIT | 1U << CALL_DESCRIBE);
	assert_int_equal(t.n_methods, CALL_DESCRIBE);
	reply = gate_says("WhoAmI", json_object(), &(enum call_kind){ 0 });
	assert_non_null(strstr(reply, "MethodNotFound"));
	free(reply);
}

static void expect_reply(const struct text_interface *t, const char *method, char *text, size_t n)
{
	json_t *parameters = NULL;
	char *error = NULL;

	assert_non_null(text);
	assert_int_equal(vl_reply_parse(text, n - 1, &parameters, &error), 0);
	if (error) {
		const char *name = strrchr(error, '.') + 1;

		assert_non_null(text_find(t->errors, t->n_errors, name));
		text_check(t, text_find(t->errors, t->n_errors, name), parameters);
	} else {
		text_check(t, text_find(t->out, t->n_methods, method), parameters);
	}
	json_decref(parameters);
	free(error);
	free(text);
}

static void login_answers_as_its_interface(_unused_ void **state)
{
	const struct wire_described found = { 1,
					      { (const uint8_t *)"a", 1 },
					      { (const uint8_t *)"s", 1 },
					      { (const uint8_t *)"c", 1 } },
				    none = { 0 };
	struct text_interface t;
	size_t n = 0;
	char *text;

	text_parse(login_text, &t);
	text = call_reply_committed(true, 7, &n);
	expect_reply(&t, "Commit", text, n);
	text = call_reply_described(&found, &n);
	expect_reply(&t, "Describe", text, n);
	text = call_reply_described(&none, &n);
	expect_reply(&t, "Describe", text, n);
	text = call_reply_unavailable(&n);
	expect_reply(&t, "Commit", text, n);
}

/* --- wire.def: the tables of both ends are made of it; here, that it is a table --- */

struct wire_row {
	unsigned number, states;
	void (*put)(void), (*get)(void);
};

#define CODEC(name) (void (*)(void)) wire_put_##name, (void (*)(void))wire_get_##name
static const struct wire_row wire_rows[] = {
#define WIRE_REQ(id, number, states, name) { number, states, CODEC(name) },
#define WIRE_ANS(id, number, name) { number, 0, CODEC(name) },
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

static void wire_ids_are_one_table(_unused_ void **state)
{
	const unsigned all = SLOT_NONE | SLOT_FRESH | SLOT_SIGNED | SLOT_PROVEN;
	bool seen[256] = { false };

	for (size_t i = 0; i < ARRAY_SIZE(wire_rows); i++) {
		const struct wire_row *row = &wire_rows[i];

		assert_true(row->number > 0 && row->number < ARRAY_SIZE(seen));
		assert_false(seen[row->number]);
		seen[row->number] = true;
		assert_true(row->put && row->get);
		/* requests below 64, with a state in which they may come; answers above */
		assert_int_equal(row->number < 64, row->states != 0);
		assert_int_equal(row->states & ~all, 0);
		/* of the link itself, or of a slot: never both */
		assert_true(row->states == SLOT_NONE || !(row->states & SLOT_NONE));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admin_is_its_interface),
		cmocka_unit_test(service_is_its_interface),
		cmocka_unit_test(login_is_its_interface),
		cmocka_unit_test(login_answers_as_its_interface),
		cmocka_unit_test(wire_ids_are_one_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
