// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "lib/base/cleanup.h"
#include "tests/harness/authority-lab.h"

/*
 * A gate that lies.  Each test is one thing that an honest gate cannot send: it is refused, the
 * link is closed, the record says why, and nobody has got in.
 */
struct test {
	struct world *w;
	struct gate gate;
	struct service pam; /* alice's login, sudo to alice */
	struct wish wish;   /* her commitment to it */
	struct shake shake; /* and her handshake: SIGN was sent */
};

static int start(void **state, const struct world_options *options, enum service_via via)
{
	struct test *t = calloc(1, sizeof(*t));

	t->w = world_new(options);
	gate_open(t->w, via, &t->gate);
	service_begin(t->w, "alice", "sudo", &t->pam);
	t->wish = wish_for(&t->w->alice, t->pam.login_id, "alice", "sudo");
	shake_make(&t->gate, &t->w->alice, t->wish.name, &t->shake);
	*state = t;
	return 0;
}

static int setup(void **state)
{
	return start(state, &(struct world_options){ 0 }, VIA_LOCAL);
}

static int setup_ed25519(void **state)
{
	return start(state, &(struct world_options){ KEY_ED25519, KEY_ED25519 }, VIA_LOCAL);
}

static int setup_network(void **state)
{
	return start(state, &(struct world_options){ 0 }, VIA_NETWORK);
}

static int teardown(void **state)
{
	struct test *t = *state;

	shake_deinit(&t->shake);
	service_close(&t->pam);
	gate_close(&t->gate);
	world_free(t->w);
	free(t);
	return 0;
}

static void expect_caught_on(struct test *t, struct gate *g, const char *reason)
{
	assert_true(gate_is_closed(g));
	expect_event(t->w, "link.violation", "deny", reason);
	assert_int_equal(t->w->a.link_violations, 1);
}

static void expect_caught(struct test *t, const char *reason)
{
	expect_caught_on(t, &t->gate, reason);
	assert_int_equal(links_count(t->w->a.links, VIA_ANY), 0);
	assert_int_equal(count_events(t->w, NULL, "allow"), 0);
	assert_false(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket).allowed);
	assert_int_equal(count_events(t->w, "link.violation", NULL), 1);
}

static void prove(struct test *t)
{
	gate_prove(&t->gate, t->shake.slot, &t->shake.r.rest);
}

static void commit(struct test *t)
{
	gate_commit(&t->gate, t->shake.slot, &t->wish.c);
}

/* --- and first one that does not --- */

static void expect_record(struct test *t, int64_t id, const char *kind)
{
	_cleanup_(event_deinit) struct event e = { 0 };

	assert_int_equal(store_event_get(t->w->a.store, id, &e), 0);
	assert_string_equal(e.kind, kind);
	assert_string_equal(e.verdict, "allow");
	assert_string_equal(e.reason, "");
	assert_string_equal(e.identity, "alice");
	assert_string_equal(e.account, "alice");
	assert_string_equal(e.service, "sudo");
	assert_string_equal(e.login_id, t->pam.login_text);
	assert_memory_equal(e.certificate, t->w->alice.cert->sha256, SHA256_BYTES);
}

static void honest_login(void **state)
{
	struct test *t = *state;
	struct committed c;
	struct redeemed r;

	prove(t);
	commit(t);
	c = gate_committed(&t->gate, t->shake.slot);
	assert_true(c.allowed);
	expect_record(t, c.event, "login.commit");
	r = service_redeem(&t->pam, t->pam.login_text, t->wish.ticket);
	assert_true(r.allowed);
	assert_string_equal(r.identity, "alice");
	expect_record(t, r.event, "login.redeem");
	assert_false(store_dirty(t->w->a.store));
	assert_false(gate_is_closed(&t->gate));
	assert_int_equal(t->w->a.link_violations, 0);
	assert_int_equal(count_events(t->w, "login", "allow"), 2);
}

static void honest_denial_keeps_the_link(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service root = { 0 };
	struct wish wish;
	struct committed c;

	service_begin(t->w, "root", "sudo", &root);
	wish = wish_for(&t->w->mallory, root.login_id, "root", "sudo");
	c = gate_login(&t->gate, &wish);
	assert_false(c.allowed);
	expect_event(t->w, "login.commit", "deny", "account-not-allowed");
	assert_false(service_redeem(&root, root.login_text, wish.ticket).allowed);
	assert_false(gate_is_closed(&t->gate));
	assert_int_equal(t->w->a.link_violations, 0);
}

/* --- replays --- */

static size_t random_at(const struct buf *prefix)
{
	struct view in = { prefix->p + 1, prefix->n - 1 }, hello;

	assert_int_equal(view_vec24(&in, &hello), 0);
	return (size_t)(in.p - prefix->p) + 4 + 2; /* header and version of the ServerHello */
}

/* alice's login goes through and is recorded by the gate; then the gate has a new slot */
static void have_recording(struct test *t, struct wire_nonce *ret)
{
	struct wire_nonces nonces;

	prove(t);
	commit(t);
	assert_true(gate_committed(&t->gate, t->shake.slot).allowed);
	assert_true(service_redeem(&t->pam, t->pam.login_text, t->wish.ticket).allowed);
	gate_want(&t->gate, 1, &nonces);
	*ret = nonces.items[0];
}

static void expect_caught_replay(struct test *t, const char *reason)
{
	assert_true(gate_is_closed(&t->gate));
	expect_event(t->w, "link.violation", "deny", reason);
	assert_int_equal(count_events(t->w, "login", "allow"), 2); /* alice's own */
}

static void replays_all_bytes_in_another_slot(void **state)
{
	struct test *t = *state;
	struct wire_nonce fresh;

	have_recording(t, &fresh);
	gate_sign(&t->gate, fresh.slot, &t->shake.r.prefix);
	expect_caught_replay(t, "a handshake that is not this slot's");
}

static void replays_a_proof_under_a_new_nonce(void **state)
{
	struct test *t = *state;
	struct wire_nonce fresh;
	struct wire_header h;
	struct view body;

	have_recording(t, &fresh);
	memcpy(t->shake.r.prefix.p + random_at(&t->shake.r.prefix), fresh.nonce, 32);
	gate_sign(&t->gate, fresh.slot, &t->shake.r.prefix);
	assert_int_equal(gate_receive(&t->gate, &h, &body), 0);
	assert_int_equal(h.id, WIRE_SIGNED);
	gate_prove(&t->gate, fresh.slot, &t->shake.r.rest);
	expect_caught_replay(t, "a proof with a server signature that is not ours");
}

/* As before, and the signature of the new slot is put into the old flight. */
static void replays_a_proof_with_the_new_signature(void **state)
{
	struct test *t = *state;
	_cleanup_(buf_deinitp) struct buf rest = { 0 }, fresh_signature = { 0 };
	struct view in = { t->shake.r.rest.p + 1, t->shake.r.rest.n - 1 }, old;
	struct wire_nonce fresh;
	struct shake again = { .gate = &t->gate };

	have_recording(t, &fresh);
	again.slot = fresh.slot;
	memcpy(t->shake.r.prefix.p + random_at(&t->shake.r.prefix), fresh.nonce, 32);
	assert_int_equal(shake_sign(&again,
				    &(struct view){ t->shake.r.prefix.p, t->shake.r.prefix.n },
				    &fresh_signature),
			 0);
	assert_int_equal(view_vec24(&in, &old), 0);
	buf_put(&rest, "\x0f\x00\x00", 3);
	buf_put_u8(&rest, (uint8_t)(fresh_signature.n + 4));
	buf_put(&rest, old.p, 2); /* the scheme */
	buf_put_u16(&rest, (uint16_t)fresh_signature.n);
	buf_put(&rest, fresh_signature.p, fresh_signature.n);
	buf_put(&rest, in.p, in.n);
	gate_prove(&t->gate, fresh.slot, &rest);
	shake_deinit(&again);
	expect_caught_replay(t, "a proof that does not verify");
}

static void replays_a_proof_on_another_link(void **state)
{
	struct test *t = *state;
	struct gate other;
	struct wire_nonces nonces;

	prove(t);
	commit(t);
	assert_true(gate_committed(&t->gate, t->shake.slot).allowed);
	gate_open(t->w, VIA_LOCAL, &other);
	gate_want(&other, 1, &nonces);
	gate_sign(&other, nonces.items[0].slot, &t->shake.r.prefix);
	expect_caught_on(t, &other, "a handshake that is not this slot's");
	gate_close(&other);
	assert_int_equal(count_events(t->w, "login", "allow"), 1);
}

/* --- changes the request --- */

static void changes_the_account(void **state)
{
	struct test *t = *state;

	prove(t);
	t->wish.c.account = "root";
	commit(t);
	expect_caught(t, "a request other than the one that was signed");
}

static void changes_the_service(void **state)
{
	struct test *t = *state;

	prove(t);
	t->wish.c.service = "su";
	commit(t);
	expect_caught(t, "a request other than the one that was signed");
}

static void changes_the_login_id(void **state)
{
	struct test *t = *state;
	_cleanup_(service_close) struct service other = { 0 };

	service_begin(t->w, "alice", "sudo", &other);
	prove(t);
	t->wish.c.login_id = other.login_id;
	commit(t);
	expect_caught(t, "a request other than the one that was signed");
	assert_false(service_redeem(&other, other.login_text, t->wish.ticket).allowed);
}

static void drops_the_login_id(void **state)
{
	struct test *t = *state;

	prove(t);
	t->wish.c.login_id = NULL;
	commit(t);
	expect_caught(t, "a request other than the one that was signed");
}

static void changes_the_ticket_hash(void **state)
{
	struct test *t = *state;
	static const uint8_t mine[TICKET_BYTES] = "a ticket of mine";

	prove(t);
	commitment_ticket_hash(mine, t->wish.c.ticket_hash);
	commit(t);
	assert_true(gate_is_closed(&t->gate));
	assert_false(service_redeem(&t->pam, t->pam.login_text, mine).allowed);
	expect_caught(t, "a request other than the one that was signed");
}

static void commits_a_proof_without_commitment(void **state)
{
	struct test *t = *state;
	_cleanup_(shake_deinit) struct shake bare;

	shake_make(&t->gate, &t->w->alice, NULL, &bare);
	gate_prove(&t->gate, bare.slot, &bare.r.rest);
	gate_commit(&t->gate, bare.slot, &t->wish.c);
	expect_caught(t, "a request other than the one that was signed");
}

static void moves_octets_between_account_and_service(void **state)
{
	struct test *t = *state;

	prove(t);
	t->wish.c.account = "alices";
	t->wish.c.service = "udo";
	commit(t);
	expect_caught(t, "a request other than the one that was signed");
}

/* --- substitutes the certificate --- */

static void put_u24(struct buf *b, size_t n)
{
	buf_put_u8(b, (uint8_t)(n >> 16));
	buf_put_u16(b, (uint16_t)n);
}

/* The rest with this leaf in place of the client's. */
static void with_leaf(const struct buf *rest, const struct cert *leaf, struct buf *ret)
{
	struct view in = { rest->p, rest->n }, skip;
	const uint8_t *from;

	for (int i = 0; i < 2; i++) /* server CertificateVerify, Finished */
		assert_true(view_bytes(&in, 1, &skip) == 0 && view_vec24(&in, &skip) == 0);
	buf_put(ret, rest->p, rest->n - in.n);
	assert_true(view_bytes(&in, 1, &skip) == 0 && view_vec24(&in, &skip) == 0);
	from = in.p;
	buf_put_u8(ret, 11);
	put_u24(ret, 1 + 3 + 3 + leaf->der.n + 2);
	buf_put_u8(ret, 0);
	put_u24(ret, 3 + leaf->der.n + 2);
	put_u24(ret, leaf->der.n);
	buf_put(ret, leaf->der.p, leaf->der.n);
	buf_put_u16(ret, 0);
	buf_put(ret, from, in.n);
}

static void substitutes_the_client_certificate(void **state)
{
	struct test *t = *state;
	_cleanup_(shake_deinit) struct shake hers;
	_cleanup_(buf_deinitp) struct buf rest = { 0 };

	/* mallory's handshake for alice's login, and alice's certificate in it */
	shake_make(&t->gate, &t->w->mallory, t->wish.name, &hers);
	with_leaf(&hers.r.rest, t->w->alice.cert, &rest);
	gate_prove(&t->gate, hers.slot, &rest);
	expect_caught(t, "a proof that does not verify");
}

/* The same key, certified for somebody else: the signature covers which certificate it was. */
static void substitutes_a_certificate_of_the_same_key(void **state)
{
	struct test *t = *state;
	_cleanup_(pki_deinit) struct pki other = { 0 };
	_cleanup_(buf_deinitp) struct buf rest = { 0 };

	pki_make(&(struct pki_spec){ .cn = "root", .key = t->w->alice.key }, &t->w->ca, &other);
	with_leaf(&t->shake.r.rest, other.cert, &rest);
	gate_prove(&t->gate, t->shake.slot, &rest);
	expect_caught(t, "a proof that does not verify");
}

static void alters_the_client_signature(void **state)
{
	struct test *t = *state;

	t->shake.r.rest.p[t->shake.r.rest.n - 1] ^= 1;
	prove(t);
	expect_caught(t, "a proof that does not verify");
}

static void alters_the_server_signature(void **state)
{
	struct test *t = *state;

	t->shake.r.rest.p[12] ^= 1;
	prove(t);
	expect_caught(t, "a proof with a server signature that is not ours");
}

static void proves_with_half_a_flight(void **state)
{
	struct test *t = *state;

	t->shake.r.rest.n /= 2;
	prove(t);
	expect_caught(t, "a proof that is none");
}

/* --- out of order --- */

static void skips_sign(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;

	gate_want(&t->gate, 1, &nonces);
	gate_prove(&t->gate, nonces.items[0].slot, &t->shake.r.rest);
	expect_caught(t, "a message out of order");
}

static void signs_twice(void **state)
{
	struct test *t = *state;

	gate_sign(&t->gate, t->shake.slot, &t->shake.r.prefix);
	expect_caught(t, "a message out of order");
}

static void proves_twice(void **state)
{
	struct test *t = *state;

	prove(t);
	prove(t);
	expect_caught(t, "a message out of order");
}

static void commits_before_it_proves(void **state)
{
	struct test *t = *state;

	commit(t);
	expect_caught(t, "a message out of order");
}

static void commits_a_fresh_slot(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;

	gate_want(&t->gate, 1, &nonces);
	gate_commit(&t->gate, nonces.items[0].slot, &t->wish.c);
	expect_caught(t, "a message out of order");
}

static void describes_before_it_proves(void **state)
{
	struct test *t = *state;

	gate_describe(&t->gate, t->shake.slot, t->pam.login_id);
	expect_caught(t, "a message out of order");
}

static void commits_twice(void **state)
{
	struct test *t = *state;

	prove(t);
	commit(t);
	assert_true(gate_committed(&t->gate, t->shake.slot).allowed);
	commit(t);
	assert_true(gate_is_closed(&t->gate));
	expect_event(t->w, "link.violation", "deny", "a slot that was not given out, or is gone");
	assert_int_equal(count_events(t->w, "login.commit", "allow"), 1);
}

static void commits_after_close(void **state)
{
	struct test *t = *state;
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	prove(t);
	wire_put_close(&b, t->shake.slot);
	gate_send(&t->gate, &b);
	commit(t);
	expect_caught(t, "a slot that was not given out, or is gone");
}

static void commits_after_describe(void **state)
{
	struct test *t = *state;

	prove(t);
	gate_describe(&t->gate, t->shake.slot, t->pam.login_id);
	commit(t);
	expect_caught(t, "a slot that was not given out, or is gone");
}

/* --- slots of others --- */

static void names_an_unknown_slot(void **state)
{
	struct test *t = *state;

	gate_prove(&t->gate, t->shake.slot + 1, &t->shake.r.rest);
	expect_caught(t, "a slot that was not given out, or is gone");
}

static void names_slot_zero(void **state)
{
	struct test *t = *state;

	gate_prove(&t->gate, 0, &t->shake.r.rest);
	expect_caught(t, "a slot that was not given out, or is gone");
}

static void names_a_slot_of_another_link(void **state)
{
	struct test *t = *state;
	struct gate other;

	prove(t);
	gate_open(t->w, VIA_LOCAL, &other);
	gate_commit(&other, t->shake.slot, &t->wish.c);
	expect_caught_on(t, &other, "a slot that was not given out, or is gone");
	gate_close(&other);
	/* the honest one goes on */
	commit(t);
	assert_true(gate_committed(&t->gate, t->shake.slot).allowed);
}

/* Numbers are the link's own: the same one there is another slot. */
static void shares_the_number_of_a_slot_of_another_link(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;
	struct gate other;

	prove(t);
	gate_open(t->w, VIA_LOCAL, &other);
	gate_want(&other, 1, &nonces);
	assert_int_equal(nonces.items[0].slot, t->shake.slot);
	gate_commit(&other, t->shake.slot, &t->wish.c);
	expect_caught_on(t, &other, "a message out of order");
	gate_close(&other);
}

static void takes_the_nonce_of_another_slot(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;

	gate_want(&t->gate, 2, &nonces);
	memcpy(t->shake.r.prefix.p + random_at(&t->shake.r.prefix), nonces.items[1].nonce, 32);
	gate_sign(&t->gate, nonces.items[0].slot, &t->shake.r.prefix);
	expect_caught(t, "a handshake that is not this slot's");
}

static void shows_another_certificate(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;
	const struct buf *p = &t->shake.r.prefix;
	size_t n = t->w->host.cert->der.n;

	/* of the same length: the last octets of a signature are others */
	gate_want(&t->gate, 1, &nonces);
	memcpy(p->p + random_at(p), nonces.items[0].nonce, 32);
	assert_memory_equal(p->p + p->n - 2 - n, t->w->host.cert->der.p, n);
	p->p[p->n - 3] ^= 1;
	gate_sign(&t->gate, nonces.items[0].slot, p);
	expect_caught(t, "a handshake that is not this slot's");
}

static void wants_something_else_signed(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;

	gate_want(&t->gate, 1, &nonces);
	gate_sign(&t->gate, nonces.items[0].slot,
		  &(struct buf){ .p = (uint8_t *)(uintptr_t) "a hash of 32 octets, or whatever",
				 .n = 32 });
	expect_caught(t, "not a handshake");
}

/* --- late --- */

static void proves_after_its_time(void **state)
{
	struct test *t = *state;

	t->w->now += LIMIT_PROOF_USEC + 1;
	prove(t);
	expect_caught(t, "a proof after its time");
}

static void proves_at_the_last_moment(void **state)
{
	struct test *t = *state;

	t->w->now += LIMIT_PROOF_USEC;
	prove(t);
	commit(t);
	assert_true(gate_committed(&t->gate, t->shake.slot).allowed);
}

/* --- the other gate --- */

static void network_gate_cannot_pass_for_the_local_one(void **state)
{
	struct test *t = *state;
	struct wish wish = wish_for(&t->w->alice, NULL, "alice", "sudo");

	/* nothing in the protocol says which gate it is: the link does */
	assert_false(gate_login(&t->gate, &wish).allowed);
	expect_event(t->w, "login.commit", "deny", "via");
	assert_false(service_redeem(&t->pam, t->pam.login_text, wish.ticket).allowed);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define E(f)                                                                                       \
	{                                                                                          \
#f "_with_ed25519", f, setup_ed25519, teardown, NULL                               \
	}
	const struct CMUnitTest tests[] = {
		T(honest_login),
		E(honest_login),
		T(honest_denial_keeps_the_link),
		T(replays_all_bytes_in_another_slot),
		E(replays_all_bytes_in_another_slot),
		T(replays_a_proof_under_a_new_nonce),
		E(replays_a_proof_under_a_new_nonce),
		T(replays_a_proof_with_the_new_signature),
		E(replays_a_proof_with_the_new_signature),
		T(replays_a_proof_on_another_link),
		T(changes_the_account),
		T(changes_the_service),
		T(changes_the_login_id),
		T(drops_the_login_id),
		T(changes_the_ticket_hash),
		T(commits_a_proof_without_commitment),
		T(moves_octets_between_account_and_service),
		T(substitutes_the_client_certificate),
		T(substitutes_a_certificate_of_the_same_key),
		E(substitutes_a_certificate_of_the_same_key),
		T(alters_the_client_signature),
		T(alters_the_server_signature),
		T(proves_with_half_a_flight),
		T(skips_sign),
		T(signs_twice),
		T(proves_twice),
		T(commits_before_it_proves),
		T(commits_a_fresh_slot),
		T(describes_before_it_proves),
		T(commits_twice),
		T(commits_after_close),
		T(commits_after_describe),
		T(names_an_unknown_slot),
		T(names_slot_zero),
		T(names_a_slot_of_another_link),
		T(shares_the_number_of_a_slot_of_another_link),
		T(takes_the_nonce_of_another_slot),
		T(shows_another_certificate),
		T(wants_something_else_signed),
		T(proves_after_its_time),
		T(proves_at_the_last_moment),
		{ "network_gate_cannot_pass_for_the_local_one",
		  network_gate_cannot_pass_for_the_local_one, setup_network, teardown, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
