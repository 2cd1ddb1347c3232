// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/ocsp-make.h"
#include "tests/unit/admin-client.h"

/* ImportOcsp and ListOcsp: what is taken, and what the next decision will find. */

struct trust {
	struct pki root, sub, twin, alice, bob, delegate;
};

static void trust_make(struct lab *lab, struct trust *t)
{
	pki_make_ca("Root", &t->root);
	pki_make_ca("Root", &t->twin);
	pki_make(&(struct pki_spec){ .cn = "Sub", .ca = true }, &t->root, &t->sub);
	pki_make_person("alice", KEY_P256, &t->root, &t->alice);
	pki_make_person("bob", KEY_P256, &t->sub, &t->bob);
	pki_make(&(struct pki_spec){ .cn = "Responder",
				     .eku = PKI_OCSP_SIGNING,
				     .flags = PKI_OCSP_NOCHECK },
		 &t->sub, &t->delegate);
	lab_anchor(lab, "root", t->root.cert);
}

static void trust_deinit(struct trust *t)
{
	for (struct pki *p = &t->root; p <= &t->delegate; p++)
		pki_deinit(p);
}

/* Parameters of an import; takes the response. */
static json_t *import_of(const struct cert *cert, const struct cert *issuer, struct buf *response)
{
	_cleanup_(freep) char *text = base64_encode_new(response->p, response->n);
	json_t *p = json_pack("{s:s, s:o, s:o, s:s}", "response", text, "certificate", der(cert),
			      "issuer", der(issuer), "source", "http://ocsp.example/");

	buf_deinit(response);
	return p;
}

static json_t *import_simple(const struct pki *issuer, const struct cert *cert,
			     enum ocsp_status status, unsigned reason)
{
	struct buf b = { 0 };

	ocsp_make_simple(issuer, cert, status, reason, &b);
	return import_of(cert, issuer->cert, &b);
}

static json_t *import_spec(const struct ocsp_spec *spec)
{
	struct buf b = { 0 };

	ocsp_make(spec, &b);
	return import_of(spec->say[0].cert, spec->say[0].issuer, &b);
}

static int found(struct lab *lab, const struct cert *cert, const struct cert *issuer,
		 struct ocsp_row *ret)
{
	return store_ocsp_get(lab->a.store, 1, issuer->spki_sha256, cert->serial.p, cert->serial.n,
			      ret);
}

static void an_answer_is_kept(void **state)
{
	struct lab *lab = *state;
	_cleanup_(trust_deinit) struct trust t;
	char serial[64];
	struct ocsp_row row;
	json_t *reply;

	trust_make(lab, &t);
	assert_int_equal(found(lab, t.alice.cert, t.root.cert, &row), -ENOENT);
	reply = good(call(lab, "ImportOcsp",
			  import_simple(&t.root, t.alice.cert, OCSP_STATUS_REVOKED, 1)));
	serial_text(&t.alice.cert->serial, serial, sizeof(serial));
	assert_string_equal(text_at(reply, "ocsp", "anchor"), "root");
	assert_string_equal(text_at(reply, "ocsp", "serial"), serial);
	assert_string_equal(text_at(reply, "ocsp", "status"), "revoked");
	assert_string_equal(text_at(reply, "ocsp", "source"), "http://ocsp.example/");
	assert_int_equal(int_at(json_object_get(reply, "ocsp"), "reason"), 1);
	assert_int_equal(int_at(json_object_get(reply, "ocsp"), "since"), LAB_NOW - DAY);
	assert_int_equal(int_at(json_object_get(reply, "ocsp"), "imported"), LAB_NOW);
	json_decref(reply);
	expect_event(lab, "admin.ocsp.import", "uid 0", serial);
	assert_int_equal(found(lab, t.alice.cert, t.root.cert, &row), 0);
	assert_int_equal(row.status, OCSP_STATUS_REVOKED);
	/* another key, serial or anchor is another certificate */
	assert_int_equal(found(lab, t.alice.cert, t.sub.cert, &row), -ENOENT);
	assert_int_equal(found(lab, t.bob.cert, t.root.cert, &row), -ENOENT);
	assert_int_equal(store_ocsp_get(lab->a.store, 2, t.root.cert->spki_sha256,
					t.alice.cert->serial.p, t.alice.cert->serial.n, &row),
			 -ENOENT);
}

static void below_an_intermediate(void **state)
{
	struct lab *lab = *state;
	_cleanup_(trust_deinit) struct trust t;
	struct ocsp_row row;

	trust_make(lab, &t);
	done(call(lab, "ImportOcsp",
		  import_spec(&(struct ocsp_spec){
			  .signer = &t.delegate,
			  .certs = { t.delegate.cert },
			  .say = { { .cert = t.bob.cert, .issuer = t.sub.cert } } })));
	assert_int_equal(found(lab, t.bob.cert, t.sub.cert, &row), 0);
	assert_int_equal(row.status, OCSP_STATUS_GOOD);
	/* and of the intermediate itself */
	done(call(lab, "ImportOcsp", import_simple(&t.root, t.sub.cert, OCSP_STATUS_REVOKED, 2)));
	assert_int_equal(found(lab, t.sub.cert, t.root.cert, &row), 0);
	assert_int_equal(row.reason, 2);
}

static void what_is_refused(void **state)
{
	struct lab *lab = *state;
	_cleanup_(trust_deinit) struct trust t;
	struct ocsp_row *rows;
	json_t *p;
	size_t n;

	trust_make(lab, &t);
#define REFUSED(p, field, why)                                                                     \
	do {                                                                                       \
		json_t *p_ = p;                                                                    \
		expect_error(call(lab, "ImportOcsp", json_incref(p_)), ".InvalidValue", "field",   \
			     field);                                                               \
		expect_error(call(lab, "ImportOcsp", p_), ".InvalidValue", "why", why);            \
	} while (0)
	/* the wrong key, by the right name */
	REFUSED(import_spec(&(struct ocsp_spec){
			.signer = &t.twin,
			.say = { { .cert = t.alice.cert, .issuer = t.root.cert } } }),
		"response", "does not verify");
	REFUSED(import_spec(&(struct ocsp_spec){ .signer = &t.root,
						 .say = { { .cert = t.alice.cert,
							    .issuer = t.root.cert,
							    .this_update = LAB_NOW - 9 * DAY,
							    .next_update = LAB_NOW - DAY } } }),
		"response", "out of date");
	/* an issuer that did not issue it, though the path is there without it */
	REFUSED(import_simple(&t.twin, t.alice.cert, OCSP_STATUS_GOOD, 0), "issuer", "did not");
	REFUSED(import_simple(&t.sub, t.alice.cert, OCSP_STATUS_GOOD, 0), "issuer", "did not");
	/* no path at all */
	p = import_simple(&t.sub, t.bob.cert, OCSP_STATUS_GOOD, 0);
	json_object_set_new(p, "issuer", der(t.root.cert));
	REFUSED(p, "certificate", "no path");
	p = import_simple(&t.root, t.alice.cert, OCSP_STATUS_GOOD, 0);
	json_object_set_new(p, "certificate", der(t.root.cert));
	REFUSED(p, "response", "another certificate");
	/* values */
	p = import_simple(&t.root, t.alice.cert, OCSP_STATUS_GOOD, 0);
	json_object_set_new(p, "response", json_string("%"));
	REFUSED(json_incref(p), "response", "base64");
	json_object_set_new(p, "certificate", json_string("Zm9v"));
	REFUSED(json_incref(p), "certificate", "X.509");
	json_object_set_new(p, "source", json_string("\x1b"));
	REFUSED(p, "source", "printable");
#undef REFUSED
	assert_int_equal(store_ocsp_list(lab->a.store, 0, 9, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

static void the_newest_is_kept(void **state)
{
	struct lab *lab = *state;
	_cleanup_(trust_deinit) struct trust t;
	struct ocsp_spec newer = { .signer = &t.root };
	uint8_t hash[SHA256_BYTES];
	struct ocsp_row row;
	int64_t before, after;

	trust_make(lab, &t);
	newer.say[0] = (struct ocsp_say){ .cert = t.alice.cert,
					  .issuer = t.root.cert,
					  .status = OCSP_STATUS_REVOKED,
					  .reason = 6,
					  .this_update = LAB_NOW };
	done(call(lab, "ImportOcsp", import_spec(&newer)));
	store_event_head(lab->a.store, &before, hash);
	/* the same again: nothing happened */
	done(call(lab, "ImportOcsp", import_spec(&newer)));
	/* an answer from before it, replayed */
	expect_error(
		call(lab, "ImportOcsp", import_simple(&t.root, t.alice.cert, OCSP_STATUS_GOOD, 0)),
		".InvalidValue", "why", "newer");
	store_event_head(lab->a.store, &after, hash);
	assert_int_equal(before, after);
	while (sd_event_run(lab->a.event, 0) > 0)
		;
	assert_false(store_dirty(lab->a.store)); /* no transaction is left open */
	assert_int_equal(found(lab, t.alice.cert, t.root.cert, &row), 0);
	assert_int_equal(row.status, OCSP_STATUS_REVOKED);
	assert_int_equal(row.reason, 6);
}

static void lists_have_pages(void **state)
{
	struct lab *lab = *state;
	_cleanup_(trust_deinit) struct trust t;
	json_t *reply;
	const json_t *rows;

	trust_make(lab, &t);
	done(call(lab, "ImportOcsp", import_simple(&t.root, t.alice.cert, OCSP_STATUS_GOOD, 0)));
	done(call(lab, "ImportOcsp", import_simple(&t.sub, t.bob.cert, OCSP_STATUS_UNKNOWN, 0)));
	reply = good(call(lab, "ListOcsp", json_pack("{s:i}", "limit", 1)));
	assert_true(yes_at(reply, "more"));
	rows = json_object_get(reply, "ocsp");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(text_at(json_array_get(rows, 0), NULL, "status"), "good");
	json_decref(reply);
	reply = good(call(lab, "ListOcsp", json_pack("{s:i}", "after", 1)));
	assert_false(yes_at(reply, "more"));
	rows = json_object_get(reply, "ocsp");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(text_at(json_array_get(rows, 0), NULL, "status"), "unknown");
	json_decref(reply);
	expect_error(call(lab, "ListOcsp", json_pack("{s:i}", "limit", 0)), ".InvalidValue",
		     "field", "limit");
	done(call(lab, "RemoveAnchor", json_pack("{s:s}", "name", "root")));
	reply = good(call(lab, "ListOcsp", json_object()));
	assert_int_equal(json_array_size(json_object_get(reply, "ocsp")), 0);
	json_decref(reply);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_answer_is_kept),  T(below_an_intermediate), T(what_is_refused),
		T(the_newest_is_kept), T(lists_have_pages),
	};

	lab_become_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
