// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "lib/base/cleanup.h"
#include "tests/harness/authority-lab.h"

/* A gate that sends too much, too early, or octets that are no message. */
struct test {
	struct world *w;
	struct gate gate;
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	t->w = world_new(&(struct world_options){ 0 });
	gate_open(t->w, VIA_LOCAL, &t->gate);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	gate_close(&t->gate);
	world_free(t->w);
	free(t);
	return 0;
}

static void expect_caught(struct test *t, const char *reason)
{
	assert_true(gate_is_closed(&t->gate));
	expect_event(t->w, "link.violation", "deny", reason);
	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 0);
}

static void want(struct test *t, uint16_t n)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_want_nonces(&b, &(struct wire_want_nonces){ n });
	gate_send(&t->gate, &b);
}

static void hello(struct gate *g, uint16_t version)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_hello(&b, &(struct wire_hello){ version });
	gate_send(g, &b);
}

/* --- too much --- */

static void wants_more_nonces_than_may_be_ahead(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;

	gate_want(&t->gate, LIMIT_NONCES_AHEAD, &nonces);
	want(t, 1);
	expect_caught(t, "too many nonces ahead");
}

static void wants_too_many_nonces_at_once(void **state)
{
	struct test *t = *state;
	uint8_t raw[] = { WIRE_WANT_NONCES, 0, 0, 0, 0, 0, LIMIT_NONCES_AHEAD + 1 };

	gate_send_raw(&t->gate, raw, sizeof(raw));
	expect_caught(t, "malformed request for nonces");
}

static void wants_no_nonces(void **state)
{
	struct test *t = *state;
	uint8_t raw[] = { WIRE_WANT_NONCES, 0, 0, 0, 0, 0, 0 };

	gate_send_raw(&t->gate, raw, sizeof(raw));
	expect_caught(t, "malformed request for nonces");
}

static void nonces_are_random_and_slots_are_new(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;

	gate_want(&t->gate, LIMIT_NONCES_AHEAD, &nonces);
	for (size_t i = 0; i < nonces.n; i++)
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(nonces.items[i].slot, nonces.items[j].slot);
			assert_memory_not_equal(nonces.items[i].nonce, nonces.items[j].nonce, 32);
		}
}

/* One handshake, and its nonce put in anew for every slot: signed, and never proved. */
static void fill_slots(struct test *t, size_t n)
{
	_cleanup_(shake_deinit) struct shake s;
	struct wire_nonces nonces;
	struct wire_header h;
	struct view body;
	uint8_t *random;

	shake_make(&t->gate, &t->w->alice, NULL, &s);
	random = memmem(s.r.prefix.p, s.r.prefix.n, s.nonce, 32);
	assert_non_null(random);
	for (size_t have = 1; have < n; have += nonces.n) {
		gate_want(&t->gate,
			  (uint16_t)(n - have > LIMIT_NONCES_AHEAD ? LIMIT_NONCES_AHEAD : n - have),
			  &nonces);
		for (size_t i = 0; i < nonces.n; i++) {
			memcpy(random, nonces.items[i].nonce, 32);
			gate_sign(&t->gate, nonces.items[i].slot, &s.r.prefix);
			assert_int_equal(gate_receive(&t->gate, &h, &body), 0);
			assert_int_equal(h.id, WIRE_SIGNED);
		}
	}
}

static void takes_all_slots(void **state)
{
	struct test *t = *state;

	fill_slots(t, LIMIT_SLOTS);
	assert_int_equal(links_slots_busy(t->w->a.links), LIMIT_SLOTS);
	assert_int_equal(t->w->a.link_violations, 0);
	want(t, 1);
	expect_caught(t, "too many slots");
	assert_int_equal(links_slots_busy(t->w->a.links), 0);
}

static void sends_an_oversized_message(void **state)
{
	struct test *t = *state;
	_cleanup_(freep) uint8_t *raw = calloc(1, LIMIT_WIRE_BYTES + 1);

	raw[0] = WIRE_SIGN;
	gate_send_raw(&t->gate, raw, LIMIT_WIRE_BYTES + 1);
	expect_caught(t, "an oversized message");
}

static void opens_too_many_links(void **state)
{
	struct test *t = *state;
	int pair[2], fds[LIMIT_LINKS];
	size_t n = 0;

	for (; n < LIMIT_LINKS - 1; n++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		assert_int_equal(links_add(t->w->a.links, pair[0], VIA_LOCAL), 0);
		fds[n] = pair[1];
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(links_add(t->w->a.links, pair[0], VIA_LOCAL), -EDQUOT);
	assert_int_equal(recv(pair[1], &n, 1, 0), 0); /* closed at once */
	(void)close(pair[1]);
	while (n-- > 0)
		(void)close(fds[n]);
}

static bool try_send(struct gate *g, const void *p, size_t n)
{
	bool sent = send(g->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n;

	pump(g->w);
	return sent;
}

/* Asks for one nonce after the other and reads none, until it is not heard any more. */
static size_t ask_without_reading(struct gate *g)
{
	static const uint8_t ask[] = { WIRE_WANT_NONCES, 0, 0, 0, 0, 0, 1 };
	size_t n = 0;

	while (try_send(g, ask, sizeof(ask))) {
		_cleanup_(buf_deinitp) struct buf b = { 0 };

		assert_true(++n < 100000);
		wire_put_close(&b, (uint32_t)n);
		if (!try_send(g, b.p, b.n))
			break;
	}
	return n;
}

/* A gate that does not read is not heard; what it had asked for is kept for it in order. */
static void reads_its_answers_late(void **state)
{
	struct test *t = *state;
	struct wire_nonces nonces;
	struct wire_header h;
	struct gate other;
	struct view body;
	size_t asked = ask_without_reading(&t->gate), n = 0;

	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 1);
	gate_open(t->w, VIA_LOCAL, &other); /* nobody else waits for it */
	gate_want(&other, 1, &nonces);
	gate_close(&other);
	while (gate_receive(&t->gate, &h, &body) == 0) {
		assert_int_equal(h.id, WIRE_NONCES);
		assert_int_equal(wire_get_nonces(&body, &nonces), 0);
		assert_int_equal(nonces.items[0].slot, ++n);
	}
	assert_int_equal(n, asked);
	gate_want(&t->gate, 1, &nonces);
	assert_int_equal(t->w->a.link_violations, 0);
}

static void does_not_read_its_answers(void **state)
{
	struct test *t = *state;

	assert_true(ask_without_reading(&t->gate) > 0);
	t->w->now += LIMIT_ANSWER_USEC;
	links_sweep(t->w->a.links);
	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 1);
	t->w->now += 1;
	links_sweep(t->w->a.links);
	assert_int_equal(links_count(t->w->a.links, VIA_LOCAL), 0);
	assert_int_equal(t->w->a.link_violations, 0); /* slow, not a liar */
}

/* The record cannot be flooded either; the counter goes on. */
static void lies_more_often_than_the_record_takes(void **state)
{
	struct test *t = *state;
	const size_t n = LIMIT_DENY_ROWS + 5;
	struct limits_summary summary;

	for (size_t i = 0; i < n; i++) {
		gate_close(&t->gate);
		gate_open(t->w, VIA_LOCAL, &t->gate);
		hello(&t->gate, WIRE_VERSION);
		assert_true(gate_is_closed(&t->gate));
	}
	assert_int_equal(t->w->a.link_violations, n);
	assert_int_equal(count_events(t->w, "link.violation", "deny"), LIMIT_DENY_ROWS);
	assert_true(limits_summary(t->w->a.limits, &summary));
	assert_int_equal(summary.denials, 5);
	assert_string_equal(summary.top[0].source, "local gate");
}

/* --- too early --- */

static void says_hello_twice(void **state)
{
	struct test *t = *state;

	hello(&t->gate, WIRE_VERSION);
	expect_caught(t, "malformed or repeated hello");
}

static void says_another_version(void **state)
{
	struct test *t = *state;

	gate_close(&t->gate);
	gate_open_silent(t->w, VIA_LOCAL, &t->gate);
	hello(&t->gate, WIRE_VERSION + 1);
	expect_caught(t, "malformed or repeated hello");
}

static void speaks_before_hello(void **state)
{
	struct test *t = *state;

	gate_close(&t->gate);
	gate_open_silent(t->w, VIA_LOCAL, &t->gate);
	want(t, 1);
	expect_caught(t, "a message before hello");
}

/* --- no messages --- */

static void again(struct test *t)
{
	gate_close(&t->gate);
	gate_open(t->w, VIA_LOCAL, &t->gate);
	t->w->now += 2 * USEC_PER_SEC; /* the rows of a minute are not the matter here */
}

static void sends_unknown_ids(void **state)
{
	struct test *t = *state;

	for (unsigned id = 0; id <= UINT8_MAX; id++) {
		uint8_t raw[32] = { (uint8_t)id };

		if (id >= WIRE_HELLO && id <= WIRE_CLOSE)
			continue;
		again(t);
		gate_send_raw(&t->gate, raw, sizeof(raw));
		expect_caught(t, "unknown message"); /* answers as well: they are ours */
	}
}

static void sends_less_than_a_header(void **state)
{
	struct test *t = *state;
	static const uint8_t raw[] = { WIRE_WANT_NONCES, 0, 0, 0 };

	for (size_t n = 1; n <= sizeof(raw); n++) {
		again(t);
		gate_send_raw(&t->gate, raw, n);
		expect_caught(t, "unknown message");
	}
}

static void names_a_slot_where_none_belongs(void **state)
{
	struct test *t = *state;
	static const uint8_t raw[] = { WIRE_WANT_NONCES, 0, 0, 0, 1, 0, 1 };

	gate_send_raw(&t->gate, raw, sizeof(raw));
	expect_caught(t, "unknown message");
}

/* A message as an honest gate would send it, in the state that it needs. */
struct sample {
	const char *reason;
	unsigned state;
	void (*put)(struct test *t, const struct shake *s, struct buf *b);
};

static void put_hello(_unused_ struct test *t, _unused_ const struct shake *s, struct buf *b)
{
	wire_put_hello(b, &(struct wire_hello){ WIRE_VERSION });
}

static void put_want(_unused_ struct test *t, _unused_ const struct shake *s, struct buf *b)
{
	wire_put_want_nonces(b, &(struct wire_want_nonces){ 1 });
}

static void put_sign(struct test *t, const struct shake *s, struct buf *b)
{
	struct wire_nonces nonces;

	gate_want(&t->gate, 1, &nonces);
	wire_put_sign(b, nonces.items[0].slot,
		      &(struct wire_sign){ { (const uint8_t *)"uid 0", 5 },
					   { s->r.prefix.p, s->r.prefix.n } });
}

static void put_prove(_unused_ struct test *t, const struct shake *s, struct buf *b)
{
	wire_put_prove(b, s->slot, &(struct wire_prove){ { s->r.rest.p, s->r.rest.n } });
}

static void put_commit(_unused_ struct test *t, const struct shake *s, struct buf *b)
{
	wire_put_commit(b, s->slot,
			&(struct wire_commit){ .login_id = { (const uint8_t *)"12345678", 8 },
					       .account = { (const uint8_t *)"alice", 5 },
					       .service = { (const uint8_t *)"sudo", 4 } });
}

static void put_describe(_unused_ struct test *t, const struct shake *s, struct buf *b)
{
	wire_put_describe(b, s->slot,
			  &(struct wire_describe){ { (const uint8_t *)"12345678", 8 } });
}

static void put_close(_unused_ struct test *t, const struct shake *s, struct buf *b)
{
	wire_put_close(b, s->slot);
}

static const struct sample samples[] = {
	{ "malformed or repeated hello", SLOT_NONE, put_hello },
	{ "malformed request for nonces", SLOT_NONE, put_want },
	{ "malformed request to sign", SLOT_FRESH, put_sign },
	{ "malformed proof", SLOT_SIGNED, put_prove },
	{ "malformed commit", SLOT_PROVEN, put_commit },
	{ "malformed describe", SLOT_PROVEN, put_describe },
	{ "malformed close", SLOT_PROVEN, put_close },
};

/* by: what is cut off, or put on */
static void send_altered(struct test *t, const struct sample *sample, int by)
{
	_cleanup_(shake_deinit) struct shake s;
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	again(t);
	shake_make(&t->gate, &t->w->alice, NULL, &s);
	if (sample->state == SLOT_PROVEN)
		gate_prove(&t->gate, s.slot, &s.r.rest);
	sample->put(t, &s, &b);
	if (by > 0)
		buf_put_u8(&b, 0);
	else
		b.n--;
	gate_send(&t->gate, &b);
}

static void sends_trailing_octets(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		send_altered(*state, &samples[i], 1);
		expect_caught(*state, samples[i].reason);
	}
}

static void sends_truncated_messages(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples) - 1; i++) { /* close has no body to cut */
		send_altered(*state, &samples[i], -1);
		expect_caught(*state, samples[i].reason);
	}
}

/* --- fields --- */

static void send_commit(struct test *t, const struct wire_commit *m)
{
	_cleanup_(shake_deinit) struct shake s;
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	again(t);
	shake_make(&t->gate, &t->w->alice, NULL, &s);
	gate_prove(&t->gate, s.slot, &s.r.rest);
	wire_put_commit(&b, s.slot, m);
	gate_send(&t->gate, &b);
	expect_caught(t, "malformed commit");
}

#define TEXT(s)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}

static void commits_names_that_are_none(void **state)
{
	static const uint8_t id[LOGIN_ID_BYTES];
	static uint8_t long_name[LIMIT_ACCOUNT + 1];
	const struct wire_commit good = { .login_id = { id, sizeof(id) },
					  .account = TEXT("alice"),
					  .service = TEXT("sudo") };
	const struct view bad[] = { TEXT(""),
				    TEXT("al\0ice"),
				    TEXT("al\nice"),
				    TEXT("../x"),
				    TEXT("a/b"),
				    TEXT("\xff"),
				    { long_name, sizeof(long_name) } };
	struct wire_commit m;

	memset(long_name, 'a', sizeof(long_name));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		m = good;
		m.account = bad[i];
		send_commit(*state, &m);
		m = good;
		m.service = bad[i];
		send_commit(*state, &m);
	}
	for (size_t n = 1; n < LOGIN_ID_BYTES; n++) {
		m = good;
		m.login_id.n = n;
		send_commit(*state, &m);
	}
}

static void signs_for_nobody(void **state)
{
	struct test *t = *state;
	_cleanup_(shake_deinit) struct shake s;
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_nonces nonces;

	shake_make(&t->gate, &t->w->alice, NULL, &s);
	gate_want(&t->gate, 1, &nonces);
	wire_put_sign(&b, nonces.items[0].slot,
		      &(struct wire_sign){ .prefix = { s.r.prefix.p, s.r.prefix.n } });
	gate_send(&t->gate, &b);
	expect_caught(t, "malformed request to sign");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(wants_more_nonces_than_may_be_ahead),
		T(wants_too_many_nonces_at_once),
		T(wants_no_nonces),
		T(nonces_are_random_and_slots_are_new),
		T(takes_all_slots),
		T(sends_an_oversized_message),
		T(opens_too_many_links),
		T(reads_its_answers_late),
		T(does_not_read_its_answers),
		T(lies_more_often_than_the_record_takes),
		T(says_hello_twice),
		T(says_another_version),
		T(speaks_before_hello),
		T(sends_unknown_ids),
		T(sends_less_than_a_header),
		T(names_a_slot_where_none_belongs),
		T(sends_trailing_octets),
		T(sends_truncated_messages),
		T(commits_names_that_are_none),
		T(signs_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
