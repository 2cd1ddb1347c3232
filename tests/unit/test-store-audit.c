// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/store-lab.h"

static void chain_verifies_in_slices(void **state)
{
	struct fixture *f = *state;
	struct event *rows;
	size_t n;

	for (int i = 0; i < 10; i++)
		append(f, i % 2 ? "login.redeem" : "admin.identity.add");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 3).good);
	assert_true(verified(f, 10).good);
	reopen(f);
	append(f, "login.redeem");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 100).good);
	assert_int_equal(verified(f, 100).checked, 11);
	assert_int_equal(
		store_event_list(f->store,
				 &(struct event_filter){ .limit = 99, .last = 2, .kind = "login" },
				 &rows, &n),
		0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[1].id, 11);
	events_free(rows, n);
	assert_int_equal(store_event_list(f->store,
					  &(struct event_filter){ .limit = 99, .kind = "log" },
					  &rows, &n),
			 0);
	assert_int_equal(n, 0);
	events_free(rows, n);
}

static void tampering_shows(void **state)
{
	static const char *const sql[] = {
		"UPDATE event SET verdict = 'allow' WHERE id = 3",
		"DELETE FROM event WHERE id = 3",
		"UPDATE event SET time = time + 1 WHERE id = 4",
		"UPDATE event SET id = 77 WHERE id = 5",
		"UPDATE event SET id = 77 WHERE id = 6",
		"DELETE FROM event WHERE id < 3",
		"DELETE FROM event WHERE id > 4",
		"DELETE FROM event",
		/* what a reader of text or of fixed fields would not see */
		"UPDATE event SET reason = reason || char(0) || 'x' WHERE id = 3",
		"UPDATE event SET certificate = x'01' WHERE id = 3",
		"UPDATE event SET prev = zeroblob(32) WHERE id = 3",
		"INSERT INTO event SELECT 99, randomblob(16), time, kind, '', '', '', x'', '', '', "
		"'', '',"
		" '{}', prev FROM event WHERE id = 6",
	};
	struct fixture *f = *state;

	for (int i = 0; i < 6; i++)
		append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sql); i++) {
		f->store = store_close(f->store);
		shell("cp %s %s.keep", f->path, f->path);
		raw(f, sql[i]);
		assert_int_equal(open_store(f, &f->store, NULL), 0);
		assert_false(verified(f, 2).good);
		f->store = store_close(f->store);
		shell("rm -f %s-wal; mv %s.keep %s", f->path, f->path, f->path);
		assert_int_equal(open_store(f, &f->store, NULL), 0);
		assert_true(verified(f, 2).good);
	}
}

/* Who keeps a head sees what the chain itself cannot show: its newest row, and a whole new chain.
 */
static void older_head_shows_a_rewrite(void **state)
{
	struct fixture *f = *state;
	uint8_t head[SHA256_BYTES];
	struct event_check c;
	int64_t id;

	for (int i = 0; i < 6; i++)
		append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	store_event_head(f->store, &id, head);
	assert_int_equal(store_event_verify(f->store, id, head, 9, &c), 0);
	assert_true(c.good && c.done);
	f->store = store_close(f->store);
	raw(f, "UPDATE event SET verdict = 'allow' WHERE id = 6");
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_true(verified(f, 9).good);
	assert_int_equal(store_event_verify(f->store, id, head, 9, &c), 0);
	assert_false(c.good);
	assert_int_equal(c.first_bad, 6);
	append(f, "y");
	assert_int_equal(store_event_verify(f->store, id, head, 9, &c), 0);
	assert_false(c.good);
	assert_int_equal(c.first_bad, 7);
}

static void first_row_follows_nothing(void **state)
{
	struct fixture *f = *state;

	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 9).good);
	f->store = store_close(f->store);
	raw(f, "UPDATE event SET prev = randomblob(32)");
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_int_equal(verified(f, 9).first_bad, 1);
}

static void cut_numbers_never_come_back(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 6; i++)
		append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	raw(f, "DELETE FROM event WHERE id > 4");
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_int_equal(verified(f, 9).first_bad, 5);
	assert_int_equal(append(f, "x"), 7); /* "event 5" is what somebody was told already */
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(verified(f, 9).first_bad, 7);
}

static void empty_audit_verifies(void **state)
{
	struct fixture *f = *state;
	struct event_check c = verified(f, 9);

	assert_true(c.good);
	assert_int_equal(c.checked, 0);
}

static void all_columns_come_back(void **state)
{
	struct event e = { .kind = "k",
			   .verdict = "allow",
			   .reason = "r",
			   .identity = "i",
			   .account = "a",
			   .service = "s",
			   .login_id = "l",
			   .source = "o",
			   .detail = "{\"x\":1}",
			   .has_certificate = true };
	struct fixture *f = *state;
	struct event back;
	int64_t id;

	memset(e.certificate, 7, sizeof(e.certificate));
	assert_int_equal(store_event_append(f->store, &e, &id), 0);
	assert_int_equal(store_event_append(f->store, &(struct event){ .kind = "k" }, NULL), 0);
	assert_int_equal(store_event_get(f->store, id, &back), 0);
	assert_string_equal(back.reason, "r");
	assert_string_equal(back.login_id, "l");
	assert_string_equal(back.source, "o");
	assert_string_equal(back.detail, "{\"x\":1}");
	assert_true(back.has_certificate);
	assert_memory_equal(back.certificate, e.certificate, SHA256_BYTES);
	event_deinit(&back);
	assert_int_equal(store_event_get(f->store, id + 1, &back), 0);
	assert_false(back.has_certificate);
	assert_string_equal(back.detail, "{}");
	event_deinit(&back);
	assert_int_equal(store_event_get(f->store, id + 2, &back), -ENOENT);
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 1).good); /* written and read bytes hash alike */
	/* a verdict that is none does not get in */
	e.verdict = "maybe";
	assert_int_equal(store_event_append(f->store, &e, NULL), -EINVAL);
	assert_int_equal(append(f, "k"), id + 2);
}

/* RFC 9562: version 7, its variant, and growing, also within a millisecond and when time goes back.
 */
static void uuids_grow(void **state)
{
	struct fixture *f = *state;
	uint8_t last[16] = { 0 };

	for (int i = 0; i < 5000; i++) {
		struct event e;

		f->now -= i == 4500 ? 3600000000LL : 1000; /* the clock stands, then goes back */
		assert_int_equal(store_event_get(f->store, append(f, "x"), &e), 0);
		assert_int_equal(e.uuid[6] >> 4, 7);
		assert_int_equal(e.uuid[8] >> 6, 2);
		assert_true(memcmp(last, e.uuid, sizeof(last)) < 0);
		memcpy(last, e.uuid, sizeof(last));
		event_deinit(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(chain_verifies_in_slices),	T(tampering_shows),
		T(older_head_shows_a_rewrite),	T(first_row_follows_nothing),
		T(cut_numbers_never_come_back), T(empty_audit_verifies),
		T(all_columns_come_back),	T(uuids_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
