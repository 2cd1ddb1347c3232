// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

/* One example of each message: what put makes of it, and whether get takes a body. */
union message {
	struct wire_hello hello;
	struct wire_want_nonces want_nonces;
	struct wire_sign sign;
	struct wire_prove prove;
	struct wire_commit commit;
	struct wire_describe describe;
	struct wire_welcome welcome;
	struct wire_nonces nonces;
	struct wire_signed signed_;
	struct wire_committed committed;
	struct wire_described described;
};

#define VIEW(s) ((struct view){ (const uint8_t *)(s), sizeof(s) - 1 })
#define SLOT 0x01020304

static void make_hello(struct buf *b)
{
	wire_put_hello(b, &(struct wire_hello){ .version = WIRE_VERSION });
}

static void make_want_nonces(struct buf *b)
{
	wire_put_want_nonces(b, &(struct wire_want_nonces){ .count = 7 });
}

static void make_sign(struct buf *b)
{
	wire_put_sign(b, SLOT, &(struct wire_sign){ VIEW("uid 1001"), VIEW("prefix\0bytes") });
}

static void make_prove(struct buf *b)
{
	wire_put_prove(b, SLOT, &(struct wire_prove){ VIEW("rest") });
}

static void make_commit(struct buf *b)
{
	struct wire_commit m = { .login_id = VIEW("\0login\0\1"),
				 .account = VIEW("alice"),
				 .service = VIEW("sudo") };

	memset(m.ticket_hash, 0xc5, sizeof(m.ticket_hash));
	wire_put_commit(b, SLOT, &m);
}

static void make_describe(struct buf *b)
{
	wire_put_describe(b, SLOT, &(struct wire_describe){ VIEW("12345678") });
}

static void make_close(struct buf *b)
{
	wire_put_close(b, SLOT);
}

static void make_welcome(struct buf *b)
{
	wire_put_welcome(b, &(struct wire_welcome){ VIEW("certificate") });
}

static void make_nonces(struct buf *b)
{
	struct wire_nonces m = { .n = 2, .items = { { .slot = 9 }, { .slot = 0xfffffffe } } };

	memset(m.items[1].nonce, 0xab, sizeof(m.items[1].nonce));
	wire_put_nonces(b, &m);
}

static void make_signed(struct buf *b)
{
	wire_put_signed(b, SLOT, &(struct wire_signed){ VIEW("signature") });
}

static void make_refused(struct buf *b)
{
	wire_put_refused(b, SLOT);
}

static void make_committed(struct buf *b)
{
	wire_put_committed(b, SLOT, &(struct wire_committed){ .allowed = 1, .event = 1ULL << 40 });
}

static void make_described(struct buf *b)
{
	wire_put_described(b, SLOT,
			   &(struct wire_described){ .found = 1,
						     .account = VIEW("root"),
						     .service = VIEW("su"),
						     .caller = VIEW("mallory (uid 1001)") });
}

/* The gets, made alike by name; put_again turns the struct that came out back into bytes. */
#define GET_LINK(name)                                                                             \
	static int get_##name(const struct view *body, union message *m, struct buf *again)        \
	{                                                                                          \
		int r = wire_get_##name(body, &m->name);                                           \
                                                                                                   \
		if (r == 0)                                                                        \
			wire_put_##name(again, &m->name);                                          \
		return r;                                                                          \
	}
#define GET_SLOT(name, member)                                                                     \
	static int get_##name(const struct view *body, union message *m, struct buf *again)        \
	{                                                                                          \
		int r = wire_get_##name(body, &m->member);                                         \
                                                                                                   \
		if (r == 0)                                                                        \
			wire_put_##name(again, SLOT, &m->member);                                  \
		return r;                                                                          \
	}
#define GET_EMPTY(name)                                                                            \
	static int get_##name(const struct view *body, _unused_ union message *m,                  \
			      struct buf *again)                                                   \
	{                                                                                          \
		int r = wire_get_##name(body);                                                     \
                                                                                                   \
		if (r == 0)                                                                        \
			wire_put_##name(again, SLOT);                                              \
		return r;                                                                          \
	}
GET_LINK(hello)
GET_LINK(want_nonces)
GET_SLOT(sign, sign)
GET_SLOT(prove, prove)
GET_SLOT(commit, commit)
GET_SLOT(describe, describe)
GET_EMPTY(close)
GET_LINK(welcome)
GET_LINK(nonces)
GET_SLOT(signed, signed_)
GET_EMPTY(refused)
GET_SLOT(committed, committed)
GET_SLOT(described, described)

static const struct {
	uint8_t id;
	void (*make)(struct buf *b);
	int (*get)(const struct view *body, union message *m, struct buf *again);
} messages[] = {
#define WIRE_REQ(id, number, states, name) { WIRE_##id, make_##name, get_##name },
#define WIRE_ANS(id, number, name) { WIRE_##id, make_##name, get_##name },
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

static void round_trip(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 }, again = { 0 };
		struct wire_header h;
		struct view body;
		union message m;

		messages[i].make(&b);
		assert_int_equal(b.error, 0);
		assert_int_equal(wire_get_header(b.p, b.n, &h, &body), 0);
		assert_int_equal(h.id, messages[i].id);
		assert_int_equal(messages[i].get(&body, &m, &again), 0);
		assert_int_equal(again.error, 0);
		assert_int_equal(again.n, b.n);
		assert_memory_equal(again.p, b.p, b.n);
	}
}

static void trailing_byte(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 }, again = { 0 };
		struct wire_header h;
		struct view body;
		union message m;

		messages[i].make(&b);
		buf_put_u8(&b, 0);
		assert_int_equal(wire_get_header(b.p, b.n, &h, &body), 0);
		assert_int_equal(messages[i].get(&body, &m, &again), -EBADMSG);
	}
}

static void truncated(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 }, again = { 0 };

		messages[i].make(&b);
		for (size_t n = 0; n < b.n; n++) {
			/* an allocation of exactly n bytes, so that ASan sees a read beyond it */
			_cleanup_(freep) uint8_t *cut = malloc(n ? n : 1);
			struct wire_header h;
			struct view body;
			union message m;
			int r;

			assert_non_null(cut);
			memcpy(cut, b.p, n);
			r = wire_get_header(cut, n, &h, &body);
			assert_int_equal(r, n < 5 ? -EBADMSG : 0);
			if (r == 0)
				assert_int_equal(messages[i].get(&body, &m, &again), -EBADMSG);
		}
	}
}

static void unknown_id(_unused_ void **state)
{
	bool known[256] = { false };

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		known[messages[i].id] = true;
	for (unsigned id = 0; id < 256; id++) {
		const uint8_t packet[5] = { (uint8_t)id };
		struct wire_header h;
		struct view body;

		assert_int_equal(wire_get_header(packet, sizeof(packet), &h, &body),
				 known[id] ? 0 : -EBADMSG);
	}
}

/* Messages of the link itself belong to no connection. */
static void link_message_with_slot(_unused_ void **state)
{
	static const uint8_t ids[] = { WIRE_HELLO, WIRE_WANT_NONCES, WIRE_WELCOME, WIRE_NONCES };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const uint8_t packet[5] = { ids[i], 0, 0, 0, 1 };
		struct wire_header h;
		struct view body;

		assert_int_equal(wire_get_header(packet, sizeof(packet), &h, &body), -EBADMSG);
	}
}

static void packet_too_long(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	_cleanup_(freep) uint8_t *big = calloc(1, LIMIT_WIRE_BYTES + 1);
	struct wire_header h;
	struct view body;

	assert_non_null(big);
	big[0] = WIRE_PROVE;
	assert_int_equal(wire_get_header(big, LIMIT_WIRE_BYTES, &h, &body), 0);
	assert_int_equal(wire_get_header(big, LIMIT_WIRE_BYTES + 1, &h, &body), -EBADMSG);
	wire_put_prove(&b, SLOT, &(struct wire_prove){ { big, LIMIT_WIRE_BYTES - 9 } });
	assert_int_equal(b.error, 0);
	assert_int_equal(b.n, LIMIT_WIRE_BYTES);
	buf_deinit(&b);
	wire_put_prove(&b, SLOT, &(struct wire_prove){ { big, LIMIT_WIRE_BYTES - 8 } });
	assert_int_equal(b.error, -EMSGSIZE);
}

static int put_get_commit(const struct wire_commit *m)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_commit out;
	struct view body;

	wire_put_commit(&b, SLOT, m);
	assert_int_equal(b.error, 0);
	body = (struct view){ b.p + 5, b.n - 5 };
	return wire_get_commit(&body, &out);
}

static void commit_fields(_unused_ void **state)
{
	static uint8_t a[LIMIT_ACCOUNT + 1];
	const struct wire_commit good = { .login_id = VIEW(""),
					  .account = VIEW("alice"),
					  .service = VIEW("sudo") };
	struct wire_commit m;

	memset(a, 'a', sizeof(a));
	assert_int_equal(put_get_commit(&good), 0);
	m = good, m.login_id = VIEW("1234567");
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.login_id = VIEW("123456789");
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.account = VIEW("");
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.account = VIEW("al\0ice");
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.account = (struct view){ a, LIMIT_ACCOUNT };
	assert_int_equal(put_get_commit(&m), 0);
	m = good, m.account = (struct view){ a, LIMIT_ACCOUNT + 1 };
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.service = VIEW("");
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.service = VIEW("su\0do");
	assert_int_equal(put_get_commit(&m), -EBADMSG);
	m = good, m.service = (struct view){ a, LIMIT_SERVICE };
	assert_int_equal(put_get_commit(&m), 0);
	m = good, m.service = (struct view){ a, LIMIT_SERVICE + 1 };
	assert_int_equal(put_get_commit(&m), -EBADMSG);
}

static void other_fields(_unused_ void **state)
{
	struct wire_want_nonces want;
	struct wire_describe describe;
	struct wire_committed committed;
	struct wire_nonces nonces;
	struct wire_prove prove;

	assert_int_equal(wire_get_want_nonces(&VIEW("\0\0"), &want), -EBADMSG);
	assert_int_equal(wire_get_want_nonces(&VIEW("\0\x20"), &want), 0);
	assert_int_equal(wire_get_want_nonces(&VIEW("\0\x21"), &want), -EBADMSG);
	assert_int_equal(wire_get_describe(&VIEW("\0\0"), &describe), -EBADMSG);
	assert_int_equal(wire_get_committed(&VIEW("\x02\0\0\0\0\0\0\0\0"), &committed), -EBADMSG);
	assert_int_equal(wire_get_prove(&VIEW("\0\0\0\0"), &prove), -EBADMSG);
	assert_int_equal(wire_get_nonces(&VIEW("\0\0"), &nonces), 0);
	assert_int_equal(wire_get_nonces(&VIEW("\0\x21"), &nonces), -EBADMSG);
	/* a length that wraps */
	assert_int_equal(wire_get_prove(&VIEW("\xff\xff\xff\xff\x01"), &prove), -EBADMSG);
}

/* A failed get leaves the caller's struct as it was. */
static void failed_get_writes_nothing(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 }, again = { 0 };
		union message m, before;
		struct view body;

		memset(&m, 0x5a, sizeof(m));
		before = m;
		messages[i].make(&b);
		buf_put_u8(&b, 1);
		body = (struct view){ b.p + 5, b.n - 5 };
		assert_int_equal(messages[i].get(&body, &m, &again), -EBADMSG);
		assert_memory_equal(&m, &before, sizeof(m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(trailing_byte),
		cmocka_unit_test(truncated),
		cmocka_unit_test(unknown_id),
		cmocka_unit_test(link_message_with_slot),
		cmocka_unit_test(packet_too_long),
		cmocka_unit_test(commit_fields),
		cmocka_unit_test(other_fields),
		cmocka_unit_test(failed_get_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
