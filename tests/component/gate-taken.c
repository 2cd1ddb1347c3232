// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "tests/harness/authority-lab.h"

/*
 * A gate that was taken.  alice makes one handshake through it, for one login (L1: sudo, account
 * alice).  Mallory sees all that the gate sees: the transcript, c, the login id; has the link, and
 * opens others; has a certificate and a login of her own (L2), begun on a connection of hers.
 * Whatever she tries: nobody gets in but alice, and alice only where she began L1.
 */
struct test {
	struct world *w;
	struct gate gate;
	struct service pam;  /* alice's: L1 */
	struct service hers; /* mallory's: L2, sudo, account alice */
	struct wish wish;    /* alice's; its ticket is not known to the gate */
	struct shake shake;  /* alice's, PROVE was sent */
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	t->w = world_new(&(struct world_options){ 0 });
	gate_open(t->w, VIA_LOCAL, &t->gate);
	service_begin(t->w, "alice", "sudo", &t->pam);
	service_begin(t->w, "alice", "sudo", &t->hers);
	t->wish = wish_for(&t->w->alice, t->pam.login_id, "alice", "sudo");
	shake_make(&t->gate, &t->w->alice, t->wish.name, &t->shake);
	gate_prove(&t->gate, t->shake.slot, &t->shake.r.rest);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	shake_deinit(&t->shake);
	service_close(&t->pam);
	service_close(&t->hers);
	gate_close(&t->gate);
	world_free(t->w);
	free(t);
	return 0;
}

/* The gate does what alice wants. */
static void commit(struct test *t)
{
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	assert_true(gate_committed(&t->gate, t->shake.slot).allowed);
}

/* The gate commits alice's proof to something else: no answer but the end of the link. */
static void expect_no_commit(struct test *t, const struct commitment *c)
{
	gate_commit(&t->gate, t->shake.slot, c);
	assert_true(gate_is_closed(&t->gate));
	expect_event(t->w, "link.violation", "deny",
		     "a request other than the one that was signed");
	assert_int_equal(count_events(t->w, NULL, "allow"), 0);
}

/* alice, who holds the ticket, where she began; and nobody else ever. */
static void alice_gets_in(struct test *t)
{
	struct redeemed r = service_redeem(&t->pam, t->pam.login_text, t->wish.ticket);

	assert_true(r.allowed);
	assert_string_equal(r.identity, "alice");
	assert_int_equal(count_events(t->w, "login.redeem", "allow"), 1);
	assert_int_equal(count_events(t->w, "login.commit", "allow"), 1);
}

static void expect_nothing(struct redeemed r)
{
	assert_false(r.allowed);
	assert_string_equal(r.identity, "");
}

/* --- COMMIT --- */

static void commits_to_the_attackers_login(void **state)
{
	struct test *t = *state;
	struct commitment c = t->wish.c;

	c.login_id = t->hers.login_id;
	expect_no_commit(t, &c);
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket));
}

static void commits_to_the_attackers_login_and_ticket(void **state)
{
	struct test *t = *state;
	struct wish hers = wish_for(NULL, t->hers.login_id, "alice", "sudo");

	expect_no_commit(t, &hers.c);
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, hers.ticket));
}

static void commits_to_root_by_su(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service root = { 0 };
	struct wish hers;

	service_begin(t->w, "root", "su", &root);
	hers = wish_for(NULL, root.login_id, "root", "su");
	expect_no_commit(t, &hers.c);
	expect_nothing(service_redeem(&root, root.login_text, hers.ticket));
}

static void commits_loosely(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service mail = { 0 };
	struct wish hers = wish_for(NULL, NULL, "alice", "imap");

	service_begin(t->w, "alice", "imap", &mail);
	expect_no_commit(t, &hers.c);
	expect_nothing(service_redeem(&mail, mail.login_text, hers.ticket));
}

static void commits_a_second_time_in_the_slot(void **state)
{
	struct test *t = *state;
	struct wish hers = wish_for(NULL, t->hers.login_id, "alice", "sudo");

	commit(t);
	gate_commit(&t->gate, t->shake.slot, &hers.c);
	assert_true(gate_is_closed(&t->gate));
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, hers.ticket));
	alice_gets_in(t); /* what was allowed stays so */
}

static void commits_by_both_in_one_packet_run(void **state)
{
	struct test *t = *state;
	struct wish hers = wish_for(NULL, t->hers.login_id, "alice", "sudo");
	struct buf b = { 0 };

	/* the second arrives before the first is durable and answered */
	for (int i = 0; i < 2; i++) {
		const struct commitment *c = i ? &hers.c : &t->wish.c;
		struct wire_commit m = { .login_id = { c->login_id, LOGIN_ID_BYTES },
					 .account = { (const uint8_t *)"alice", 5 },
					 .service = { (const uint8_t *)"sudo", 4 } };

		memcpy(m.ticket_hash, c->ticket_hash, SHA256_BYTES);
		wire_put_commit(&b, t->shake.slot, &m);
		assert_int_equal(send(t->gate.fd, b.p, b.n, 0), b.n);
		buf_deinit(&b);
	}
	assert_true(gate_is_closed(&t->gate));
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, hers.ticket));
	alice_gets_in(t);
}

/* --- the attacker's own handshake --- */

static void proves_by_herself_for_alices_login(void **state)
{
	struct test *t = *state;
	struct wish hers = wish_for(&t->w->mallory, t->pam.login_id, "alice", "sudo");

	assert_false(gate_login(&t->gate, &hers).allowed);
	expect_event(t->w, "login.commit", "deny", "account-not-allowed");
	expect_nothing(service_redeem(&t->pam, t->pam.login_text, hers.ticket));
	commit(t);
	alice_gets_in(t);
}

/* Even who may use the account herself: what was committed is hers, and alice's is alice's. */
static void shares_the_account_and_brings_her_own_ticket(void **state)
{
	struct test *t = *state;
	struct wish hers;
	struct redeemed r;

	world_allow(t->w, "mallory", "alice", "@elevate");
	hers = wish_for(&t->w->mallory, t->pam.login_id, "alice", "sudo");
	assert_true(gate_login(&t->gate, &hers).allowed);
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, hers.ticket));
	assert_true(service_redeem(&t->hers, t->pam.login_text, hers.ticket).invalid);
	commit(t);
	r = service_redeem(&t->pam, t->pam.login_text, t->wish.ticket);
	assert_true(r.allowed);
	assert_string_equal(r.identity, "alice");
}

/* c is no secret of alice's once it is sent: who takes it first has a ticket nobody can redeem. */
static void takes_the_ticket_hash_for_her_own(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service own = { 0 };
	_cleanup_(shake_deinit) struct shake s;
	struct commitment c;
	char name[COMMITMENT_NAME_SIZE];

	service_begin(t->w, "mallory", "sudo", &own);
	c = t->wish.c;
	c.login_id = own.login_id;
	c.account = "mallory";
	assert_int_equal(commitment_name(&c, name), 0);
	shake_make(&t->gate, &t->w->mallory, name, &s);
	gate_prove(&t->gate, s.slot, &s.r.rest);
	gate_commit(&t->gate, s.slot, &c);
	assert_true(gate_committed(&t->gate, s.slot).allowed);
	/* alice is denied, which a taken gate can have cheaper; and nobody is let in */
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	assert_false(gate_committed(&t->gate, t->shake.slot).allowed);
	expect_event(t->w, "login.commit", "deny", "ticket-used");
	expect_nothing(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket));
	expect_event(t->w, "login.redeem", "deny", "ticket-other-login");
	assert_int_equal(count_events(t->w, "login.redeem", "allow"), 0);
}

/* --- REDEEM --- */

static void redeems_with_what_the_gate_knows(void **state)
{
	struct test *t = *state;
	const uint8_t *c = t->wish.c.ticket_hash;
	const uint8_t *known[] = { c,
				   c + TICKET_BYTES,
				   t->shake.nonce,
				   t->shake.nonce + 16,
				   t->shake.r.prefix.p,
				   t->shake.r.rest.p };

	commit(t);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		expect_nothing(service_redeem(&t->hers, t->hers.login_text, known[i]));
		assert_true(service_redeem(&t->hers, t->pam.login_text, known[i]).invalid);
	}
	alice_gets_in(t);
}

static void guesses_until_the_login_is_spent(void **state)
{
	struct test *t = *state;
	uint8_t guess[TICKET_BYTES] = { 0 };

	commit(t);
	for (guess[0] = 0; guess[0] < LIMIT_REDEEM_TRIES; guess[0]++) {
		expect_nothing(service_redeem(&t->hers, t->hers.login_text, guess));
		expect_event(t->w, "login.redeem", "deny", "ticket-unknown");
	}
	/* now not even the right one would do there */
	assert_true(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket).too_many);
	alice_gets_in(t);
}

/* Not the gate's doing, but the module's neighbours': the ticket itself, elsewhere. */
static void redeems_the_ticket_on_another_connection(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service root = { 0 }, mail = { 0 };

	commit(t);
	assert_true(service_redeem(&t->hers, t->pam.login_text, t->wish.ticket).invalid);
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket));
	expect_event(t->w, "login.redeem", "deny", "ticket-other-login");
	service_begin(t->w, "root", "su", &root);
	expect_nothing(service_redeem(&root, root.login_text, t->wish.ticket));
	service_begin(t->w, "alice", "imap", &mail);
	expect_nothing(service_redeem(&mail, mail.login_text, t->wish.ticket));
	alice_gets_in(t); /* and nothing of it has spent the ticket */
}

static void redeems_before_the_commit(void **state)
{
	struct test *t = *state;

	expect_nothing(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket));
	expect_event(t->w, "login.redeem", "deny", "ticket-unknown");
	commit(t);
	alice_gets_in(t);
}

static void redeems_after_alice(void **state)
{
	struct test *t = *state;

	commit(t);
	alice_gets_in(t);
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket));
	expect_event(t->w, "login.redeem", "deny", "ticket-used");
	assert_true(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket).invalid);
	assert_int_equal(count_events(t->w, "login.redeem", "allow"), 1);
}

static void redeems_when_alice_has_left(void **state)
{
	struct test *t = *state;

	commit(t);
	service_close(&t->pam);
	assert_true(service_redeem(&t->hers, t->pam.login_text, t->wish.ticket).invalid);
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket));
	assert_int_equal(count_events(t->w, "login.redeem", "allow"), 0);
}

static void redeems_too_late(void **state)
{
	struct test *t = *state;

	commit(t);
	t->w->now += LIMIT_TICKET_USEC + 1;
	expect_nothing(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket));
	expect_event(t->w, "login.redeem", "deny", "ticket-expired");
}

/* --- REPLAY, later and elsewhere --- */

static void keeps_the_commit_back(void **state)
{
	struct test *t = *state;

	/* alice has given up and left; the gate commits afterwards */
	service_close(&t->pam);
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	assert_false(gate_committed(&t->gate, t->shake.slot).allowed);
	expect_event(t->w, "login.commit", "deny", "login-unknown");
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket));
	assert_int_equal(count_events(t->w, NULL, "allow"), 0);
}

static void keeps_the_commit_back_until_the_login_is_old(void **state)
{
	struct test *t = *state;

	t->w->now += LIMIT_LOGIN_USEC + 1;
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	assert_false(gate_committed(&t->gate, t->shake.slot).allowed);
	expect_event(t->w, "login.commit", "deny", "login-unknown");
}

static void replays_when_the_identity_is_disabled(void **state)
{
	struct test *t = *state;
	struct identity identity;

	assert_int_equal(store_identity_set_enabled(t->w->a.store, "alice", false, "", &identity),
			 0);
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	assert_false(gate_committed(&t->gate, t->shake.slot).allowed);
	expect_event(t->w, "login.commit", "deny", "identity-disabled");
}

static void is_disabled_between_commit_and_redeem(void **state)
{
	struct test *t = *state;
	struct identity identity;

	commit(t);
	assert_int_equal(store_identity_set_enabled(t->w->a.store, "alice", false, "", &identity),
			 0);
	expect_nothing(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket));
	expect_event(t->w, "login.redeem", "deny", "identity-disabled");
}

/* --- DESCRIBE --- */

static struct wire_described describe(struct test *t, const struct pki *who,
				      const struct service *what)
{
	_cleanup_(shake_deinit) struct shake s;
	struct wire_described m;
	struct wire_header h;
	struct view body;

	shake_make(&t->gate, who, NULL, &s);
	gate_prove(&t->gate, s.slot, &s.r.rest);
	gate_describe(&t->gate, s.slot, what->login_id);
	assert_int_equal(gate_receive(&t->gate, &h, &body), 0);
	assert_int_equal(h.id, WIRE_DESCRIBED);
	assert_int_equal(wire_get_described(&body, &m), 0);
	return m;
}

static void describes_logins_of_others(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service hers = { 0 };
	static const struct service unknown = { .login_id = "guessed" };
	struct wire_described of_unknown, of_alice;

	/* to mallory alice's login looks like one that there is not */
	of_alice = describe(t, &t->w->mallory, &t->pam);
	assert_int_equal(of_alice.found, 0);
	assert_int_equal(of_alice.account.n + of_alice.service.n + of_alice.caller.n, 0);
	of_unknown = describe(t, &t->w->mallory, &unknown);
	assert_int_equal(of_unknown.found, 0);
	/* and to alice mallory's */
	service_begin(t->w, "mallory", "sshd", &hers);
	assert_int_equal(describe(t, &t->w->alice, &hers).found, 0);
}

static void describes_and_then_has_nothing_to_commit(void **state)
{
	struct test *t = *state;
	struct wire_described m;

	/* alice asks what L2 is: it names her account, so she is told; and no more comes of it */
	m = describe(t, &t->w->alice, &t->hers);
	assert_int_equal(m.found, 1);
	assert_true(view_is(&m.account, "alice", 5));
	assert_true(view_is(&m.service, "sudo", 4));
	assert_non_null(memmem(m.caller.p, m.caller.n, "pts/3", 5));
	expect_nothing(service_redeem(&t->hers, t->hers.login_text, t->wish.ticket));
	assert_int_equal(count_events(t->w, NULL, "allow"), 0);
}

static void describes_in_place_of_the_commit(void **state)
{
	struct test *t = *state;
	struct wire_header h;
	struct view body;

	gate_describe(&t->gate, t->shake.slot, t->hers.login_id);
	assert_int_equal(gate_receive(&t->gate, &h, &body), 0);
	assert_int_equal(h.id, WIRE_DESCRIBED);
	expect_nothing(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket));
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	assert_true(gate_is_closed(&t->gate)); /* the slot is gone */
	assert_int_equal(count_events(t->w, NULL, "allow"), 0);
}

/* --- what is left to it --- */

static void lies_about_the_outcome(void **state)
{
	struct test *t = *state;

	/* it tells alice "committed" and sends nothing: her ticket is worth nothing */
	expect_nothing(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket));
	assert_int_equal(count_events(t->w, NULL, "allow"), 0);
}

static void closes_the_link_before_the_answer(void **state)
{
	struct test *t = *state;

	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
	gate_close(&t->gate);
	alice_gets_in(t);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(commits_to_the_attackers_login),
		T(commits_to_the_attackers_login_and_ticket),
		T(commits_to_root_by_su),
		T(commits_loosely),
		T(commits_a_second_time_in_the_slot),
		T(commits_by_both_in_one_packet_run),
		T(proves_by_herself_for_alices_login),
		T(shares_the_account_and_brings_her_own_ticket),
		T(takes_the_ticket_hash_for_her_own),
		T(redeems_with_what_the_gate_knows),
		T(guesses_until_the_login_is_spent),
		T(redeems_the_ticket_on_another_connection),
		T(redeems_before_the_commit),
		T(redeems_after_alice),
		T(redeems_when_alice_has_left),
		T(redeems_too_late),
		T(keeps_the_commit_back),
		T(keeps_the_commit_back_until_the_login_is_old),
		T(replays_when_the_identity_is_disabled),
		T(is_disabled_between_commit_and_redeem),
		T(describes_logins_of_others),
		T(describes_and_then_has_nothing_to_commit),
		T(describes_in_place_of_the_commit),
		T(lies_about_the_outcome),
		T(closes_the_link_before_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
