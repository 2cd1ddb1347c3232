// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "daemon/authority/link.h"
#include "tests/harness/authority-lab.h"

/* What honest gates may meet, and what one gate can hold.  tests/component/gate-* lie. */
struct test {
	struct world *w;
	struct gate local, network;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = world_new(&(struct world_options){ 0 });
	gate_open(t->w, VIA_LOCAL, &t->local);
	gate_open(t->w, VIA_NETWORK, &t->network);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	disk_mend();
	gate_close(&t->local);
	gate_close(&t->network);
	world_free(t->w);
	free(t);
	return 0;
}

static size_t held(struct test *t, enum service_via via)
{
	return t->w->a.links->held[via - 1];
}

static void expect_answer(struct gate *g, uint8_t id)
{
	struct wire_header h;
	struct view body;

	assert_int_equal(gate_receive(g, &h, &body), 0);
	assert_int_equal(h.id, id);
}

static void expect_well(struct test *t)
{
	struct wish wish = wish_for(&t->w->alice, NULL, "alice", "imap");

	assert_true(gate_login(&t->local, &wish).allowed);
	assert_int_equal(t->w->a.link_violations, 0);
	assert_int_equal(links_count(t->w->a.links, VIA_ANY), 2);
}

static void counted_by_gate(void **state)
{
	struct test *t = *state;

	assert_int_equal(links_count(t->w->a.links, VIA_ANY), 2);
	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 1);
	gate_close(&t->network);
	assert_int_equal(links_count(t->w->a.links, VIA_ANY), 1);
	assert_int_equal(links_count(t->w->a.links, VIA_NETWORK), 0);
}

/* A taken network gate cannot keep the local one out. */
static void links_are_limited_by_gate(void **state)
{
	struct test *t = *state;
	struct gate more[LIMIT_LINKS], local;
	int pair[2];

	for (size_t i = 1; i < LIMIT_LINKS; i++)
		gate_open(t->w, VIA_NETWORK, &more[i]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(links_add(t->w->a.links, pair[0], VIA_NETWORK), -EDQUOT);
	(void)close(pair[1]);
	gate_open(t->w, VIA_LOCAL, &local);
	gate_close(&local);
	for (size_t i = 1; i < LIMIT_LINKS; i++)
		gate_close(&more[i]);
}

/* --- bytes --- */

static void bytes_come_and_go(void **state)
{
	struct test *t = *state;
	struct wish wish = wish_for(&t->w->alice, NULL, "alice", "imap");
	struct shake one, two;

	shake_make(&t->local, &t->w->alice, wish.name, &one);
	assert_int_equal(held(t, VIA_LOCAL), one.r.prefix.n);
	shake_make(&t->local, &t->w->alice, NULL, &two);
	assert_int_equal(held(t, VIA_LOCAL), one.r.prefix.n + two.r.prefix.n);
	gate_prove(&t->local, one.slot, &one.r.rest); /* the chain in place of the transcript */
	assert_int_equal(held(t, VIA_LOCAL), t->w->alice.cert->der.n + two.r.prefix.n);
	gate_commit(&t->local, one.slot, &wish.c);
	assert_int_equal(held(t, VIA_LOCAL), two.r.prefix.n);
	assert_int_equal(held(t, VIA_NETWORK), 0);
	gate_close(&t->local);
	assert_int_equal(held(t, VIA_LOCAL), 0);
	shake_deinit(&one);
	shake_deinit(&two);
}

/* Strangers with long hellos can bring it about: refused, and no reason to close the link. */
static void bytes_are_limited_by_gate(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;
	struct shake s;
	uint8_t *random;

	shake_make(&t->network, &t->w->alice, NULL, &s);
	random = memmem(s.r.prefix.p, s.r.prefix.n, s.nonce, 32);
	gate_want(&t->network, 2, &nonces);
	t->w->a.links->held[VIA_NETWORK - 1] += LIMIT_HELD_BYTES - 2 * s.r.prefix.n;
	memcpy(random, nonces.items[0].nonce, 32);
	gate_sign(&t->network, nonces.items[0].slot, &s.r.prefix);
	expect_answer(&t->network, WIRE_SIGNED);
	assert_int_equal(held(t, VIA_NETWORK), LIMIT_HELD_BYTES);
	memcpy(random, nonces.items[1].nonce, 32);
	gate_sign(&t->network, nonces.items[1].slot, &s.r.prefix);
	expect_answer(&t->network, WIRE_REFUSED);
	assert_int_equal(held(t, VIA_NETWORK), LIMIT_HELD_BYTES);
	expect_well(t); /* the local gate has its own */
	t->w->a.links->held[VIA_NETWORK - 1] -= LIMIT_HELD_BYTES - 2 * s.r.prefix.n;
	shake_deinit(&s);
}

static void chain_that_finds_no_room_proves_nothing(void **state)
{
	struct test *t = *state;
	struct wish wish = wish_for(&t->w->alice, NULL, "alice", "imap");
	struct shake s;

	shake_make(&t->network, &t->w->alice, wish.name, &s);
	t->w->a.links->held[VIA_NETWORK - 1] += LIMIT_HELD_BYTES - t->w->alice.cert->der.n + 1;
	gate_prove(&t->network, s.slot, &s.r.rest);
	gate_commit(&t->network, s.slot, &wish.c);
	assert_false(gate_committed(&t->network, s.slot).allowed);
	expect_event(t->w, "login.commit", "deny", "limit");
	expect_well(t);
	shake_deinit(&s);
}

/* --- what clients do through an honest gate --- */

static struct wire_nonce one_nonce(struct gate *g)
{
	struct wire_nonces nonces;

	gate_want(g, 1, &nonces);
	return nonces.items[0];
}

/* Whatever a client writes into its hello, the link stays. */
static void odd_hello_is_refused(void **state)
{
	struct test *t = *state;
	struct shake s;
	size_t n;

	shake_make(&t->local, &t->w->alice, NULL, &s);
	n = 4 + (size_t)(s.r.prefix.p[1] << 16 | s.r.prefix.p[2] << 8 | s.r.prefix.p[3]);
	for (size_t i = 4; i < n; i++) {
		struct wire_nonce nonce = one_nonce(&t->local);
		struct wire_header h;
		struct view body;

		memcpy(memmem(s.r.prefix.p, s.r.prefix.n, s.nonce, 32), nonce.nonce, 32);
		memcpy(s.nonce, nonce.nonce, 32);
		s.r.prefix.p[i] ^= 0xff;
		gate_sign(&t->local, nonce.slot, &s.r.prefix);
		s.r.prefix.p[i] ^= 0xff;
		assert_int_equal(gate_receive(&t->local, &h, &body), 0);
		assert_true(h.id == WIRE_SIGNED || h.id == WIRE_REFUSED);
		if (h.id == WIRE_SIGNED) {
			_cleanup_(buf_deinitp) struct buf b = { 0 };

			wire_put_close(&b, nonce.slot);
			gate_send(&t->local, &b);
		}
	}
	expect_well(t);
	shake_deinit(&s);
}

/* The client leaves while our REFUSED is on its way. */
static void close_after_refused(void **state)
{
	struct test *t = *state;
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_nonce nonce;
	struct shake s;

	shake_make(&t->local, &t->w->alice, NULL, &s);
	nonce = one_nonce(&t->local);
	memcpy(memmem(s.r.prefix.p, s.r.prefix.n, s.nonce, 32), nonce.nonce, 32);
	s.r.prefix.p[4] ^= 0xff; /* legacy_version */
	gate_sign(&t->local, nonce.slot, &s.r.prefix);
	wire_put_close(&b, nonce.slot);
	gate_send(&t->local, &b);
	expect_answer(&t->local, WIRE_REFUSED);
	expect_well(t);
	/* but not one that was never given out */
	wire_put_close(&b, nonce.slot + 1000);
	gate_send(&t->local, &b);
	assert_true(gate_is_closed(&t->local));
	expect_event(t->w, "link.violation", "deny", "a slot that was not given out, or is gone");
	shake_deinit(&s);
}

/* A gate that is slow to refuse it: the record has the reason all the same. */
static void key_below_the_floor(void **state)
{
	struct test *t = *state;
	struct wish wish = wish_for(NULL, NULL, "alice", "imap");
	struct committed c;
	struct shake s;
	struct pki weak;

	pki_make(&(struct pki_spec){ .cn = "alice", .type = KEY_RSA, .bits = 1024 }, &t->w->ca,
		 &weak);
	shake_make(&t->local, &weak, wish.name, &s);
	gate_prove(&t->local, s.slot, &s.r.rest);
	gate_commit(&t->local, s.slot, &wish.c);
	c = gate_committed(&t->local, s.slot);
	assert_false(c.allowed);
	assert_true(c.event > 0);
	expect_event(t->w, "login.commit", "deny", "key");
	expect_well(t);
	shake_deinit(&s);
	pki_deinit(&weak);
}

static void lost_record_is_no_login(void **state)
{
	struct test *t = *state;
	struct service pam;
	struct wish wish;

	service_begin(t->w, "alice", "sudo", &pam);
	wish = wish_for(&t->w->alice, pam.login_id, "alice", "sudo");
	disk_break(t->w);
	assert_false(gate_login(&t->local, &wish).allowed);
	disk_mend();
	assert_false(service_redeem(&pam, pam.login_text, wish.ticket).allowed);
	assert_int_equal(count_events(t->w, "login.", "allow"), 0);
	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 1);
	service_close(&pam);
}

static void gate_leaves_before_its_answer(void **state)
{
	struct test *t = *state;
	struct wish wish = wish_for(&t->w->alice, NULL, "alice", "imap");
	struct shake s;
	struct buf b = { 0 };

	shake_make(&t->local, &t->w->alice, wish.name, &s);
	gate_prove(&t->local, s.slot, &s.r.rest);
	wire_put_commit(&b, s.slot,
			&(struct wire_commit){ .account = { (const uint8_t *)"alice", 5 },
					       .service = { (const uint8_t *)"imap", 4 } });
	/* id, slot, then the hash */
	memcpy(b.p + 5, wish.c.ticket_hash, SHA256_BYTES);
	assert_int_equal(send(t->local.fd, b.p, b.n, MSG_NOSIGNAL), b.n);
	gate_close(&t->local);
	assert_int_equal(count_events(t->w, "login.commit", "allow"), 1);
	buf_deinit(&b);
	shake_deinit(&s);
}

/* --- who may link --- */

static int connect_to(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
	return fd;
}

static void only_the_gates_may_link(void **state)
{
	struct test *t = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct roles *roles = &t->w->a.roles;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one, two, none;
	char byte;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/link", t->w->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(links_listen(t->w->a.links, fd), 0);
	roles->gate_local = roles->gate_network = (uid_t)-1; /* not installed */
	none = connect_to(&address);
	pump(t->w);
	assert_int_equal(recv(none, &byte, 1, 0), 0);
	assert_int_equal(links_count(t->w->a.links, VIA_ANY), 2);
	roles->gate_local = geteuid();
	one = connect_to(&address);
	pump(t->w);
	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 2);
	roles->gate_local = geteuid() + 1;
	roles->gate_network = geteuid();
	two = connect_to(&address);
	pump(t->w);
	assert_int_equal(links_count(t->w->a.links, VIA_NETWORK), 2);
	(void)close(none);
	(void)close(one);
	(void)close(two);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(counted_by_gate),
		T(links_are_limited_by_gate),
		T(bytes_come_and_go),
		T(bytes_are_limited_by_gate),
		T(chain_that_finds_no_room_proves_nothing),
		T(odd_hello_is_refused),
		T(close_after_refused),
		T(key_below_the_floor),
		T(lost_record_is_no_login),
		T(gate_leaves_before_its_answer),
		T(only_the_gates_may_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
