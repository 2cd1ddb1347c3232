// SPDX-License-Identifier: GPL-2.0-or-later
/* Time, bytes, places, and an authority that is slow, silent, wrong or gone. */
#include "tests/harness/slow.h"
#include "tests/unit/gate-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALLOWED "{\"parameters\":{\"allowed\":true,\"event\":4711}}"
#define UNAVAILABLE "{\"error\":\"org.certlogin.Login.Unavailable\"}"
#define MS 1000

static struct lab *lab_with(struct gate_limits limits)
{
	return lab_new(&(struct lab_options){ .server = PAIR_P256, .limits = limits });
}

static const struct client_options *alice(void)
{
	static struct client_options options;

	options = (struct client_options){ .pair = lab_pair(PAIR_P256) };
	return &options;
}

static void expect_login(struct lab *lab, const struct client_options *options, unsigned ms)
{
	struct client *c = client_new(lab, options);

	lab_run(lab, &c, 1, ms);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
}

/* --- what a stranger sends before there is a session --- */

/* Without a signature, and with no more than an alert. */
static void expect_closed_at_once(const void *bytes, size_t n)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	int fd = lab_connect(lab, NULL);
	uint8_t answer[64];
	double begun = seconds();

	lab_run_until(lab, NULL, 0, &lab->authority->n_links, 1, 1000);
	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), n);
	n = lab_read_to_end(lab, fd, answer, sizeof(answer), 2000);
	assert_true(seconds() - begun < 0.5);
	assert_true(n == 0 || (n == 7 && answer[0] == 21));
	assert_int_equal(lab->authority->n_sign, 0);
	(void)close(fd);
	expect_login(lab, alice(), 2000);
	lab_free(lab);
}

static void garbage(_unused_ void **state)
{
	static const char http[] = "GET / HTTP/1.0\r\n\r\n";
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 40 };
	static const uint8_t data[] = { 23, 3, 3, 0, 1, 0 };

	expect_closed_at_once(http, sizeof(http) - 1);
	expect_closed_at_once(alert, sizeof(alert));
	expect_closed_at_once(data, sizeof(data));
}

static void handshake_message_of_16_mb(_unused_ void **state)
{
	static const uint8_t hello[] = { 22, 3, 1, 0, 8, 1, 0xff, 0xff, 0xff, 3, 3, 0, 0 };
	static const uint8_t other[] = { 22, 3, 1, 0, 8, 11, 0xff, 0xff, 0xff, 3, 3, 0, 0 };

	expect_closed_at_once(hello, sizeof(hello));
	expect_closed_at_once(other, sizeof(other));
}

static void empty_records(_unused_ void **state)
{
	static const uint8_t empty[] = { 22, 3, 1, 0, 0, 22, 3, 1, 0, 0 };

	expect_closed_at_once(empty, sizeof(empty));
}

/* The gate sees each byte alone. */
static sd_event *trickle_event;
static ssize_t trickle_push(gnutls_transport_ptr_t p, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(send((int)(intptr_t)p, (const uint8_t *)data + i, 1, MSG_NOSIGNAL),
				 1);
		while (sd_event_run(trickle_event, 0) > 0)
			;
	}
	return (ssize_t)n;
}

/* Slow is not wrong. */
static void hello_byte_by_byte(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c = client_new(lab, alice());

	trickle_event = lab->event;
	gnutls_transport_set_push_function(c->session, trickle_push);
	lab_run(lab, &c, 1, 4000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
}

static ssize_t refragment_push(gnutls_transport_ptr_t p, const void *data, size_t n)
{
	const uint8_t *in = data;
	int fd = (int)(intptr_t)p;

	if (in[0] != 22 || n < 6)
		return send(fd, data, n, MSG_NOSIGNAL);
	for (size_t i = 5; i < n; i += 50) {
		size_t k = n - i < 50 ? n - i : 50;
		uint8_t record[55] = { 22, 3, 1, 0, (uint8_t)k };

		memcpy(record + 5, in + i, k);
		assert_int_equal(send(fd, record, 5 + k, MSG_NOSIGNAL), 5 + k);
	}
	return (ssize_t)n;
}

static void hello_in_many_records(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c = client_new(lab, alice());

	gnutls_transport_set_push_function(c->session, refragment_push);
	lab_run(lab, &c, 1, 4000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
}

/* --- deadlines --- */

static double time_to_close(struct lab *lab, int fd, unsigned ms)
{
	double begun = seconds();
	uint8_t answer[4096];

	(void)lab_read_to_end(lab, fd, answer, sizeof(answer), ms);
	return seconds() - begun;
}

static void silent_from_the_start(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .our_flight_usec = 200 * MS });
	int fd = lab_connect(lab, NULL);
	double took = time_to_close(lab, fd, 2000);

	assert_true(took > 0.15 && took < 0.5);
	(void)close(fd);
	lab_free(lab);
}

/* The deadline is of the whole flight: a byte now and then does not move it. */
static void one_byte_now_and_then(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .our_flight_usec = 200 * MS });
	int fd = lab_connect(lab, NULL);
	static const uint8_t hello[] = { 22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3,
					 3,  0, 0, 0, 0, 0, 0, 0, 0,	0 };
	double begun = seconds();

	for (size_t i = 0; i < sizeof(hello) && send(fd, hello + i, 1, MSG_NOSIGNAL) == 1; i++)
		lab_run_for(lab, NULL, 0, 20);
	(void)time_to_close(lab, fd, 2000);
	assert_true(seconds() - begun < 0.6);
	(void)close(fd);
	lab_free(lab);
}

static ssize_t no_push(_unused_ gnutls_transport_ptr_t p, _unused_ const void *data, size_t n)
{
	return (ssize_t)n;
}

/* Takes our flight and does not answer: its own deadline, not the first one. */
static void client_flight_too_late(_unused_ void **state)
{
	struct lab *lab = lab_with(
		(struct gate_limits){ .our_flight_usec = 50 * MS, .client_usec = 300 * MS });
	struct client *c = client_new(lab, alice());
	double begun;

	assert_int_equal(gnutls_handshake(c->session), GNUTLS_E_AGAIN);
	gnutls_transport_set_push_function(c->session, no_push);
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 1000);
	begun = seconds();
	lab_run(lab, &c, 1, 2000);
	assert_true(seconds() - begun > 0.2 && seconds() - begun < 0.7);
	lab_run_until(lab, NULL, 0, &lab->authority->n_close, 1, 1000);
	client_free(c);
	lab_free(lab);
}

static void call_too_late(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .call_usec = 200 * MS });
	struct client *c = client_new(
		lab, &(struct client_options){ .pair = lab_pair(PAIR_P256), .silent = true });

	lab_run(lab, &c, 1, 2000);
	assert_int_equal(lab->authority->n_prove, 1);
	assert_int_equal(c->reply_n, 0);
	lab_run_until(lab, NULL, 0, &lab->authority->n_close, 1, 1000);
	client_free(c);
	lab_free(lab);
}

static void answer_too_late(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .answer_usec = 200 * MS });
	struct client *c = client_new(lab, alice());

	lab->authority->mute_commit = true;
	lab_run(lab, &c, 1, 2000);
	assert_string_equal(c->reply, UNAVAILABLE);
	client_free(c);
	lab_free(lab);
}

/* An answer for who has left meanwhile is no mistake of anybody. */
static void answer_after_all(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct lab *lab = lab_with((struct gate_limits){ .answer_usec = 100 * MS });
	struct client *c = client_new(lab, alice());

	lab->authority->mute_commit = true;
	lab_run(lab, &c, 1, 2000);
	wire_put_committed(&b, lab->authority->next_slot - 1, &(struct wire_committed){ 1, 1 });
	for (uint32_t id = 1; id < lab->authority->next_slot; id++)
		if (lab->authority->slots[id].state == 0)
			b.p[4] = (uint8_t)id;
	lab_authority_send(lab, &b);
	lab->authority->mute_commit = false;
	expect_login(lab, alice(), 2000);
	assert_int_equal(lab->authority->n_links, 1);
	client_free(c);
	lab_free(lab);
}

static void client_never_closes(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .linger_usec = 200 * MS });
	struct client *c = client_new(lab, alice());

	lab_run(lab, &c, 1, 2000);
	assert_int_equal(lab->gate->budget.n, 1); /* it still could say goodbye */
	assert_int_equal(lab->gate->budget.n_working, 0);
	lab_run_for(lab, NULL, 0, 400);
	assert_int_equal(lab->gate->budget.n, 0);
	client_free(c);
	lab_free(lab);
}

/* --- the authority --- */

/* One that does not sign for some holds up nobody else. */
static void never_signed(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .our_flight_usec = 600 * MS });
	struct client *stuck[10];

	lab->authority->mute_sign = true;
	for (size_t i = 0; i < 10; i++)
		stuck[i] = client_new(lab, alice());
	lab_run_until(lab, stuck, 10, &lab->authority->n_sign, 10, 2000);
	lab->authority->mute_sign = false;
	expect_login(lab, alice(), 500);
	lab_run(lab, stuck, 10, 2000);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(stuck[i]->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
		assert_int_equal(stuck[i]->alert, GNUTLS_A_INTERNAL_ERROR);
		client_free(stuck[i]);
	}
	lab_run_until(lab, NULL, 0, &lab->authority->n_close, 10, 1000);
	lab_free(lab);
}

static void signed_late(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c[5];

	lab->authority->mute_sign = true;
	for (size_t i = 0; i < 5; i++)
		c[i] = client_new(lab, alice());
	lab_run_until(lab, c, 5, &lab->authority->n_sign, 5, 2000);
	lab_run_for(lab, c, 5, 50);
	lab_authority_sign_all(lab);
	lab_run(lab, c, 5, 2000);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(c[i]->reply, ALLOWED);
		client_free(c[i]);
	}
	lab_free(lab);
}

/* Who says something while we wait for the signature is heard after it, and does not make us spin.
 */
static void early_bytes_while_parked(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c = client_new(lab, alice());
	static const uint8_t ccs[] = { 20, 3, 3, 0, 1, 1 };
	unsigned turns = 0;
	double end;

	lab->authority->mute_sign = true;
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 2000);
	assert_int_equal(send(c->fd, ccs, sizeof(ccs), MSG_NOSIGNAL), sizeof(ccs));
	for (end = seconds() + 0.1; seconds() < end; turns++)
		assert_true(sd_event_run(lab->event, 20 * MS * test_slow()) >= 0);
	assert_true(turns < 20);
	lab_authority_sign_all(lab);
	lab_run(lab, &c, 1, 2000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
}

static void client_leaves_while_parked(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c = client_new(lab, alice());

	lab->authority->mute_sign = true;
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 2000);
	client_free(c);
	lab_run_until(lab, NULL, 0, &lab->authority->n_close, 1, 500);
	assert_int_equal(lab->gate->budget.n, 0);
	lab_free(lab);
}

static void client_leaves_before_the_answer(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c = client_new(lab, alice());

	lab->authority->mute_commit = true;
	lab_run_until(lab, &c, 1, &lab->authority->n_commit, 1, 2000);
	client_free(c);
	lab_run_for(lab, NULL, 0, 50);
	assert_int_equal(lab->gate->budget.n, 0);
	assert_int_equal(lab->authority->n_close, 0); /* COMMIT has ended the slot */
	lab_free(lab);
}

/* Nonces run out: those who come later wait for more, in turn. */
static void more_hellos_than_nonces(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .per_source = 1000 });
	struct client *c[100];

	lab->authority->nonces_at_most = 3;
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		c[i] = client_new(lab, alice());
	lab_run(lab, c, ARRAY_SIZE(c), 5000);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		assert_string_equal(c[i]->reply, ALLOWED);
		client_free(c[i]);
	}
	lab_free(lab);
}

static void no_nonces_at_all(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .our_flight_usec = 200 * MS });
	int fd = lab_connect(lab, NULL);
	struct client *c;

	lab->authority->mute_nonces = true;
	c = client_new(lab, alice());
	lab_run(lab, &c, 1, 1000);
	assert_int_equal(c->alert, GNUTLS_A_INTERNAL_ERROR);
	(void)close(fd);
	client_free(c);
	lab_free(lab);
}

/* Half-spoken hellos do not use up nonces. */
static void slow_hellos_take_no_nonce(_unused_ void **state)
{
	static const uint8_t half[] = { 22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	int fds[200];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = lab_connect(lab, NULL);
		assert_int_equal(send(fds[i], half, sizeof(half), MSG_NOSIGNAL), sizeof(half));
	}
	lab_run_for(lab, NULL, 0, 50);
	assert_int_equal(lab->authority->fresh, LIMIT_NONCES_AHEAD);
	expect_login(lab, alice(), 500);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	lab_free(lab);
}

/* A hello that fails before our flight costs no nonce either. */
static void failed_hellos_give_their_nonce_back(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c;

	lab_run_until(lab, NULL, 0, &lab->authority->fresh, LIMIT_NONCES_AHEAD, 1000);
	for (size_t i = 0; i < 100; i++) {
		c = client_new(lab, &(struct client_options){ .priority = "NORMAL:-VERS-TLS1.3" });
		lab_run(lab, &c, 1, 1000);
		client_free(c);
	}
	assert_int_equal(lab->authority->next_slot, LIMIT_NONCES_AHEAD + 1);
	assert_int_equal(lab->authority->n_close, 0);
	lab_free(lab);
}

static void link_lost_in_the_handshake(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c[3];

	lab->authority->mute_sign = true;
	c[0] = client_new(lab, alice());
	lab_run_until(lab, c, 1, &lab->authority->n_sign, 1, 2000);
	lab->authority->mute_sign = false;
	c[1] = client_new(lab,
			  &(struct client_options){ .pair = lab_pair(PAIR_P256), .silent = true });
	lab_run_until(lab, c, 2, &lab->authority->n_prove, 1, 2000);
	lab->authority->mute_commit = true;
	c[2] = client_new(lab, alice());
	lab_run_until(lab, c, 3, &lab->authority->n_commit, 1, 2000);
	lab_authority_stop(lab);
	lab_run(lab, c, 3, 500);
	assert_int_equal(c[0]->alert, GNUTLS_A_INTERNAL_ERROR);
	assert_string_equal(c[1]->reply, UNAVAILABLE);
	assert_string_equal(c[2]->reply, UNAVAILABLE);
	for (size_t i = 0; i < 3; i++)
		client_free(c[i]);
	lab->authority->mute_commit = false;
	lab_authority_start(lab);
	expect_login(lab, alice(), 5000);
	assert_int_equal(lab->authority->n_links, 2);
	lab_free(lab);
}

/* Nobody waits for an authority that is not there, longer than a moment; and then it is. */
static void no_authority(_unused_ void **state)
{
	struct lab *lab = lab_new(&(struct lab_options){ .server = PAIR_P256,
							 .no_authority = true,
							 .limits = { .no_link_usec = 200 * MS } });
	struct client *c = client_new(lab, alice());
	double begun = seconds();

	lab_run(lab, &c, 1, 2000);
	assert_true(seconds() - begun > 0.1 && seconds() - begun < 1);
	assert_int_equal(c->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(c->alert, GNUTLS_A_INTERNAL_ERROR);
	client_free(c);
	lab_authority_start(lab);
	lab_run_until(lab, NULL, 0, &lab->authority->n_links, 1, 5000);
	expect_login(lab, alice(), 2000);
	lab_free(lab);
}

/* Who comes while the authority starts is served when it has started. */
static void authority_starts_late(_unused_ void **state)
{
	struct lab *lab =
		lab_new(&(struct lab_options){ .server = PAIR_P256, .no_authority = true });
	struct client *c = client_new(lab, alice());

	lab_run_for(lab, &c, 1, 100);
	lab_authority_start(lab);
	lab_run(lab, &c, 1, 2000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
}

static void send_id(struct lab *lab, uint8_t id, uint32_t slot, const char *rest, size_t n)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	buf_put_u8(&b, id);
	buf_put_u32(&b, slot);
	buf_put(&b, rest, n);
	lab_authority_send(lab, &b);
}

/* An authority that speaks nonsense is left, and tried again. */
static void nonsense_from_the_authority(_unused_ void **state)
{
	static const struct {
		uint8_t id;
		uint32_t slot;
		const char *rest;
		size_t n;
	} cases[] = {
		{ 0, 0, "", 0 },
		{ WIRE_SIGN, 1, "", 0 },
		{ WIRE_SIGNED, 1, "", 0 },	     /* too short */
		{ WIRE_REFUSED, 1, "x", 1 },	     /* too long */
		{ WIRE_SIGNED, 1, "\0\0\0\1x", 5 },  /* already asked */
		{ WIRE_WELCOME, 0, "\0\0\0\1x", 5 }, /* a second time */
		{ WIRE_NONCES, 0, "\0\1\0\0\0\1ABCDEFGHIJKLMNOPQRSTUVWXYZ012345",
		  38 }, /* unasked */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lab *lab = lab_with((struct gate_limits){ 0 });
		struct client *c = client_new(lab, alice());

		lab->authority->mute_commit = true;
		lab_run_until(lab, &c, 1, &lab->authority->n_commit, 1, 2000);
		/* the client's slot is the last of the first nonces */
		send_id(lab, cases[i].id, cases[i].slot ? LIMIT_NONCES_AHEAD : 0, cases[i].rest,
			cases[i].n);
		lab_run(lab, &c, 1, 500);
		assert_string_equal(c->reply, UNAVAILABLE);
		client_free(c);
		lab->authority->mute_commit = false;
		lab_run_until(lab, NULL, 0, &lab->authority->n_links, 2, 5000);
		expect_login(lab, alice(), 2000);
		lab_free(lab);
	}
}

/* --- places --- */

static void full_house_of_silence(_unused_ void **state)
{
	struct lab *lab = lab_new(&(struct lab_options){
		.server = PAIR_P256, .tcp = true, .limits = { .connections = 50 } });
	struct client_options options = *alice();
	int fds[200];

	options.address = "127.0.0.3";
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = lab_connect(lab, "127.0.0.2");
	lab_run_for(lab, NULL, 0, 100);
	assert_int_equal(lab->gate->budget.n, 50);
	for (size_t i = 0; i < 10; i++) {
		struct client *c = client_new(lab, &options);

		lab_run(lab, &c, 1, 500);
		assert_string_equal(c->reply, ALLOWED);
		client_free(c);
	}
	assert_true(lab->gate->budget.n <= 50);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	lab_free(lab);
}

/* The greediest pays, not whoever came first. */
static void greediest_goes_first(_unused_ void **state)
{
	struct lab *lab = lab_new(&(struct lab_options){
		.server = PAIR_P256, .tcp = true, .limits = { .connections = 20 } });
	struct client_options options = *alice();
	struct client *c;
	int fds[60];

	options.address = "127.0.0.3";
	lab->authority->mute_sign = true;
	c = client_new(lab, &options); /* in the middle of its handshake, and the oldest */
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 2000);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = lab_connect(lab, "127.0.0.2");
	lab_run_for(lab, &c, 1, 100);
	assert_int_equal(lab->gate->budget.n, 20);
	assert_false(c->over);
	lab_authority_sign_all(lab);
	lab_run(lab, &c, 1, 1000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	lab_free(lab);
}

/* A source has so many at work; the others stand in its line, and those of another source do not.
 */
static void source_waits_in_its_own_line(_unused_ void **state)
{
	struct lab *lab = lab_new(
		&(struct lab_options){ .server = PAIR_P256,
				       .tcp = true,
				       .limits = { .per_source = 4, .yield_usec = 10000 * MS } });
	struct client_options greedy = *alice(), other = *alice();
	struct client *c[20];

	greedy.address = "127.0.0.2";
	other.address = "127.0.0.3";
	lab->authority->mute_sign = true;
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		c[i] = client_new(lab, &greedy);
	lab_run_for(lab, c, ARRAY_SIZE(c), 100);
	assert_int_equal(lab->authority->n_sign, 4);
	lab->authority->mute_sign = false;
	expect_login(lab, &other, 500);
	lab_authority_sign_all(lab);
	lab_run(lab, c, ARRAY_SIZE(c), 4000);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		assert_string_equal(c[i]->reply, ALLOWED);
		client_free(c[i]);
	}
	lab_free(lab);
}

/* A source full of clients at their PIN makes way for its next one. */
static void waiting_client_makes_way(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .per_source = 3, .yield_usec = 50 * MS });
	struct client *c[3];

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = client_new(lab, alice());
		assert_int_equal(gnutls_handshake(c[i]->session), GNUTLS_E_AGAIN);
		gnutls_transport_set_push_function(c[i]->session, no_push);
	}
	lab_run_until(lab, c, 3, &lab->authority->n_sign, 3, 2000);
	lab_run_for(lab, c, 3, 100);
	expect_login(lab, alice(), 500);
	assert_int_equal(c[0]->over + c[1]->over + c[2]->over, 0);
	lab_run_for(lab, c, 3, 20);
	assert_int_equal(c[0]->over + c[1]->over + c[2]->over, 1);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		client_free(c[i]);
	lab_free(lab);
}

/* Four hundred that never speak, and a hundred that log in. */
static void crowd(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c[100];
	int fds[400];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = lab_connect(lab, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		c[i] = client_new(lab, alice());
	lab_run(lab, c, ARRAY_SIZE(c), 10000);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		assert_string_equal(c[i]->reply, ALLOWED);
		client_free(c[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	lab_free(lab);
}

static size_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static void nothing_is_kept(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	size_t before;

	expect_login(lab, alice(), 1000);
	lab_run_for(lab, NULL, 0, 20);
	before = open_fds();
	for (size_t i = 0; i < 50; i++)
		expect_login(lab, alice(), 1000);
	lab_run_for(lab, NULL, 0, 20);
	assert_int_equal(open_fds(), before);
	assert_int_equal(lab->gate->budget.n, 0);
	lab_free(lab);
}

/* --- the end --- */

static void stop_with_nobody(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	int fd = lab_connect(lab, NULL);

	lab_run_for(lab, NULL, 0, 50);
	assert_int_equal(lab->gate->budget.n, 1);
	gate_stop(lab->gate); /* silence is nothing to wait for */
	assert_int_equal(sd_event_loop(lab->event), 0);
	(void)close(fd);
	lab_free(lab);
}

static void stop_lets_a_login_end(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ 0 });
	struct client *c = client_new(lab, alice());

	lab->authority->mute_sign = true;
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 2000);
	gate_stop(lab->gate);
	lab_authority_sign_all(lab);
	lab_run(lab, &c, 1, 2000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	while (sd_event_get_state(lab->event) != SD_EVENT_FINISHED)
		assert_true(sd_event_run(lab->event, 1000000) >= 0);
	lab_free(lab);
}

static void stop_does_not_wait_for_ever(_unused_ void **state)
{
	struct lab *lab = lab_with((struct gate_limits){ .stop_usec = 200 * MS });
	struct client *c = client_new(lab, alice());
	double begun;

	lab->authority->mute_sign = true;
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 2000);
	begun = seconds();
	gate_stop(lab->gate);
	assert_int_equal(sd_event_loop(lab->event), 0);
	assert_true(seconds() - begun > 0.1 && seconds() - begun < 1);
	client_free(c);
	lab_free(lab);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage),
		cmocka_unit_test(handshake_message_of_16_mb),
		cmocka_unit_test(empty_records),
		cmocka_unit_test(hello_byte_by_byte),
		cmocka_unit_test(hello_in_many_records),
		cmocka_unit_test(silent_from_the_start),
		cmocka_unit_test(one_byte_now_and_then),
		cmocka_unit_test(client_flight_too_late),
		cmocka_unit_test(call_too_late),
		cmocka_unit_test(answer_too_late),
		cmocka_unit_test(answer_after_all),
		cmocka_unit_test(client_never_closes),
		cmocka_unit_test(never_signed),
		cmocka_unit_test(signed_late),
		cmocka_unit_test(early_bytes_while_parked),
		cmocka_unit_test(client_leaves_while_parked),
		cmocka_unit_test(client_leaves_before_the_answer),
		cmocka_unit_test(more_hellos_than_nonces),
		cmocka_unit_test(no_nonces_at_all),
		cmocka_unit_test(slow_hellos_take_no_nonce),
		cmocka_unit_test(failed_hellos_give_their_nonce_back),
		cmocka_unit_test(link_lost_in_the_handshake),
		cmocka_unit_test(no_authority),
		cmocka_unit_test(authority_starts_late),
		cmocka_unit_test(nonsense_from_the_authority),
		cmocka_unit_test(full_house_of_silence),
		cmocka_unit_test(greediest_goes_first),
		cmocka_unit_test(source_waits_in_its_own_line),
		cmocka_unit_test(waiting_client_makes_way),
		cmocka_unit_test(crowd),
		cmocka_unit_test(nothing_is_kept),
		cmocka_unit_test(stop_with_nobody),
		cmocka_unit_test(stop_lets_a_login_end),
		cmocka_unit_test(stop_does_not_wait_for_ever),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
