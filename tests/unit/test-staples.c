// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/authority-lab.h"
#include "tests/harness/ocsp-make.h"

/* What a client staples to its certificate, through a whole login, where its anchor asks for
 * evidence. */

struct staples {
	struct world *w;
	struct gate gate;
};

static int setup(void **state)
{
	struct staples *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = world_new(&(struct world_options){ 0 });
	t->w->a.anchors[0].policy.revocation = REVOCATION_HARD;
	gate_open(t->w, VIA_LOCAL, &t->gate);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct staples *t = *state;

	gate_close(&t->gate);
	world_free(t->w);
	free(t);
	return 0;
}

/* A login of alice with this staple (and takes it), or with none. */
static bool login(struct staples *t, struct buf *staple)
{
	struct view sent;
	struct service s;
	struct wish wish;
	bool allowed;

	if (staple) {
		sent = (struct view){ staple->p, staple->n };
		t->gate.staple = &sent;
	}
	service_begin(t->w, "alice", "sudo", &s);
	wish = wish_for(&t->w->alice, s.login_id, "alice", "sudo");
	allowed = gate_login(&t->gate, &wish).allowed;
	if (allowed)
		assert_true(service_redeem(&s, s.login_text, wish.ticket).allowed);
	service_close(&s);
	t->gate.staple = NULL;
	if (staple)
		buf_deinit(staple);
	return allowed;
}

static bool is_known(struct staples *t, struct ocsp_row *ret)
{
	const struct view *serial = &t->w->alice.cert->serial;
	int r = store_ocsp_get(t->w->a.store, t->w->a.anchors[0].id, t->w->ca.cert->spki_sha256,
			       serial->p, serial->n, ret);

	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

static void a_good_one_opens(void **state)
{
	struct staples *t = *state;
	struct buf staple = { 0 };
	struct ocsp_row row;

	assert_false(login(t, NULL));
	expect_event(t->w, "login.commit", "deny", "revocation");
	ocsp_make_simple(&t->w->ca, t->w->alice.cert, OCSP_STATUS_GOOD, 0, &staple);
	assert_true(login(t, &staple));
	assert_true(is_known(t, &row));
	assert_int_equal(row.status, OCSP_STATUS_GOOD);
	assert_string_equal(row.source, "the client, stapled");
	/* it is kept, for as long as it is good */
	assert_true(login(t, NULL));
	t->w->now = (uint64_t)row.next_update + 1;
	assert_false(login(t, NULL));
	expect_event(t->w, "login.commit", "deny", "revocation");
}

static void a_bad_one_is_none(void **state)
{
	struct staples *t = *state;
	const struct pki *alice = &t->w->alice, *ca = &t->w->ca;
	struct buf staples[5] = { 0 };
	struct ocsp_row row;

	ocsp_make_simple(alice, alice->cert, OCSP_STATUS_GOOD, 0, &staples[0]); /* by herself */
	ocsp_make(&(struct ocsp_spec){ .signer = &t->w->mallory,
				       .certs = { t->w->mallory.cert },
				       .say = { { .cert = alice->cert, .issuer = ca->cert } } },
		  &staples[1]);
	ocsp_make_simple(ca, t->w->mallory.cert, OCSP_STATUS_GOOD, 0, &staples[2]); /* of another */
	ocsp_make(&(struct ocsp_spec){ .signer = ca,
				       .say = { { .cert = alice->cert,
						  .issuer = ca->cert,
						  .this_update = PKI_NOW - 2 * PKI_DAY,
						  .next_update = PKI_NOW - PKI_DAY } } },
		  &staples[3]);
	ocsp_make_status(3, &staples[4]); /* try later */
	for (size_t i = 0; i < ARRAY_SIZE(staples); i++) {
		assert_false(login(t, &staples[i]));
		expect_event(t->w, "login.commit", "deny", "revocation");
		assert_false(is_known(t, &row));
	}
}

static void a_revocation_is_believed_for_good(void **state)
{
	struct staples *t = *state;
	const struct pki *alice = &t->w->alice, *ca = &t->w->ca;
	struct buf revoked = { 0 }, good = { 0 };

	ocsp_make_simple(ca, alice->cert, OCSP_STATUS_REVOKED, 1, &revoked);
	ocsp_make_simple(ca, alice->cert, OCSP_STATUS_GOOD, 0, &good);
	assert_false(login(t, &revoked));
	expect_event(t->w, "login.commit", "deny", "revoked");
	assert_false(login(t, &good));
	expect_event(t->w, "login.commit", "deny", "revoked");
}

/* Where nothing is asked for, nothing is read: a client cannot fill the table either. */
static void not_looked_at_without_need(void **state)
{
	struct staples *t = *state;
	struct buf staple = { 0 };
	struct ocsp_row row;

	t->w->a.anchors[0].policy.revocation = REVOCATION_AUTO;
	ocsp_make_simple(&t->w->ca, t->w->alice.cert, OCSP_STATUS_GOOD, 0, &staple);
	assert_true(login(t, &staple));
	assert_false(is_known(t, &row));
}

static void one_too_large_is_none(void **state)
{
	struct staples *t = *state;
	struct buf staple = { 0 };
	static uint8_t rest[LIMIT_OCSP_BYTES];

	ocsp_make_simple(&t->w->ca, t->w->alice.cert, OCSP_STATUS_GOOD, 0, &staple);
	buf_put(&staple, rest, sizeof(rest));
	assert_false(login(t, &staple));
	expect_event(t->w, "login.commit", "deny", "revocation");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_one_opens),
		T(a_bad_one_is_none),
		T(a_revocation_is_believed_for_good),
		T(not_looked_at_without_need),
		T(one_too_large_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
