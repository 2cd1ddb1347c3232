// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/store-lab.h"

/* OCSP answers: which of two is kept. */

enum { NEXT = 1000 };

static int64_t add_anchor(struct fixture *f, const char *name)
{
	int64_t id;

	assert_int_equal(store_anchor_add(f->store,
					  &(struct anchor_new){ .name = name,
								.der = (const uint8_t *)name,
								.der_n = strlen(name) },
					  &id),
			 0);
	return id;
}

static struct ocsp_row row_of(int64_t anchor, uint8_t serial, enum ocsp_status status,
			      unsigned reason, int64_t this_update)
{
	struct ocsp_row row = { .anchor = anchor,
				.serial = { serial },
				.serial_n = 1,
				.status = status,
				.reason = reason,
				.since = status == OCSP_STATUS_REVOKED ? 7 : 0,
				.this_update = this_update,
				.next_update = this_update + NEXT,
				.source = "answer.der" };

	memset(row.issuer_key, 0x11, sizeof(row.issuer_key));
	return row;
}

static int get(struct fixture *f, const struct ocsp_row *like, struct ocsp_row *ret)
{
	return store_ocsp_get(f->store, like->anchor, like->issuer_key, like->serial,
			      like->serial_n, ret);
}

static void life(void **state)
{
	struct fixture *f = *state;
	struct ocsp_row row = row_of(add_anchor(f, "ca"), 1, OCSP_STATUS_REVOKED, 6, 50), found;
	bool new = false;

	assert_int_equal(get(f, &row, &found), -ENOENT);
	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	assert_true(new);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(get(f, &row, &found), 0);
	assert_int_equal(found.anchor, row.anchor);
	assert_string_equal(found.anchor_name, "ca");
	assert_memory_equal(found.issuer_key, row.issuer_key, SHA256_BYTES);
	assert_int_equal(found.serial_n, 1);
	assert_int_equal(found.serial[0], 1);
	assert_int_equal(found.status, OCSP_STATUS_REVOKED);
	assert_int_equal(found.reason, 6);
	assert_int_equal(found.since, 7);
	assert_int_equal(found.this_update, 50);
	assert_int_equal(found.next_update, 50 + NEXT);
	assert_int_equal(found.imported, f->now);
	assert_string_equal(found.source, "answer.der");
	assert_false(found.stale);
	/* the same answer again is no change */
	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	assert_false(new);
	assert_false(store_dirty(f->store));
}

/* Each part of the key tells certificates apart. */
static void others_are_others(void **state)
{
	struct fixture *f = *state;
	struct ocsp_row row = row_of(add_anchor(f, "ca"), 1, OCSP_STATUS_GOOD, 0, 50), other, found;
	bool new;

	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	other = row;
	other.anchor = add_anchor(f, "other");
	assert_int_equal(get(f, &other, &found), -ENOENT);
	other = row;
	other.issuer_key[31]++;
	assert_int_equal(get(f, &other, &found), -ENOENT);
	other = row;
	other.serial_n = 2;
	assert_int_equal(get(f, &other, &found), -ENOENT);
	other.serial_n = 0;
	assert_int_equal(get(f, &other, &found), -ENOENT);
}

#define GOOD OCSP_STATUS_GOOD
#define UNKNOWN OCSP_STATUS_UNKNOWN
#define REVOKED OCSP_STATUS_REVOKED

static void which_is_kept(void **state)
{
	static const struct {
		struct {
			enum ocsp_status status;
			unsigned reason;
			int64_t time;
		} old, new;
		int r;
	} rows[] = {
		{ { GOOD, 0, 50 }, { GOOD, 0, 51 }, 0 },
		{ { GOOD, 0, 50 }, { GOOD, 0, 49 }, -EALREADY },
		{ { GOOD, 0, 50 }, { UNKNOWN, 0, 51 }, 0 },
		{ { UNKNOWN, 0, 50 }, { GOOD, 0, 51 }, 0 },
		{ { UNKNOWN, 0, 50 }, { GOOD, 0, 49 }, -EALREADY },
		{ { GOOD, 0, 50 }, { REVOKED, 6, 51 }, 0 },
		{ { GOOD, 0, 50 }, { REVOKED, 6, 49 }, -EALREADY },
		/* of one moment: the worse */
		{ { GOOD, 0, 50 }, { UNKNOWN, 0, 50 }, 0 },
		{ { UNKNOWN, 0, 50 }, { GOOD, 0, 50 }, -EALREADY },
		{ { GOOD, 0, 50 }, { REVOKED, 6, 50 }, 0 },
		{ { REVOKED, 6, 50 }, { GOOD, 0, 50 }, -EALREADY },
		/* a hold ends */
		{ { REVOKED, 6, 50 }, { GOOD, 0, 51 }, 0 },
		{ { REVOKED, 6, 50 }, { REVOKED, 1, 51 }, 0 },
		/* nothing else does */
		{ { REVOKED, 1, 50 }, { GOOD, 0, 51 }, -EALREADY },
		{ { REVOKED, 1, 50 }, { UNKNOWN, 0, 51 }, -EALREADY },
		{ { REVOKED, 0, 50 }, { GOOD, 0, 51 }, -EALREADY },
		{ { REVOKED, 1, 50 }, { REVOKED, 6, 51 }, -EALREADY },
		{ { REVOKED, 1, 50 }, { REVOKED, 4, 51 }, 0 },
		{ { REVOKED, 1, 50 }, { REVOKED, 4, 49 }, -EALREADY },
		/* whenever it is heard */
		{ { GOOD, 0, 50 }, { REVOKED, 1, 49 }, 0 },
		{ { REVOKED, 6, 50 }, { REVOKED, 1, 50 }, 0 },
	};
	struct fixture *f = *state;
	int64_t anchor = add_anchor(f, "ca");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t serial = (uint8_t)(i + 1);
		struct ocsp_row old = row_of(anchor, serial, rows[i].old.status, rows[i].old.reason,
					     rows[i].old.time),
				new = row_of(anchor, serial, rows[i].new.status, rows[i].new.reason,
					     rows[i].new.time),
				found;
		bool is_new;

		assert_int_equal(store_ocsp_put(f->store, &old, &is_new), 0);
		if (store_ocsp_put(f->store, &new, &is_new) != rows[i].r)
			fail_msg("row %zu", i);
		assert_int_equal(get(f, &old, &found), 0);
		assert_int_equal(found.this_update,
				 rows[i].r == 0 ? new.this_update : old.this_update);
		assert_int_equal(found.status, rows[i].r == 0 ? new.status : old.status);
		assert_int_equal(found.reason, rows[i].r == 0 ? new.reason : old.reason);
	}
}

/* Of a restored backup: the same answer says nothing of what was heard since; a newer one does. */
static void stale_until_newer(void **state)
{
	struct fixture *f = *state;
	struct ocsp_row row = row_of(add_anchor(f, "ca"), 1, OCSP_STATUS_GOOD, 0, 50), found;
	bool new;

	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	raw(f, "UPDATE ocsp SET stale = 1");
	reopen(f);
	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	assert_false(new);
	assert_int_equal(get(f, &row, &found), 0);
	assert_true(found.stale);
	row.this_update++;
	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	assert_int_equal(get(f, &row, &found), 0);
	assert_false(found.stale);
}

static void values_are_checked(void **state)
{
	struct fixture *f = *state;
	const struct ocsp_row good = row_of(add_anchor(f, "ca"), 1, OCSP_STATUS_GOOD, 0, 50);
	struct ocsp_row row = good;
	bool new;

	row.serial_n = 0;
	assert_int_equal(store_ocsp_put(f->store, &row, &new), -EINVAL);
	row.serial_n = OCSP_SERIAL_MAX + 1;
	assert_int_equal(store_ocsp_put(f->store, &row, &new), -EINVAL);
	row.serial_n = OCSP_SERIAL_MAX;
	assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	row = good;
	memset(row.source, 'x', sizeof(row.source));
	assert_int_equal(store_ocsp_put(f->store, &row, &new), -EINVAL);
	row = good;
	row.anchor++;
	assert_int_equal(store_ocsp_put(f->store, &row, &new), -ENOENT);
}

static void lists_in_slices(void **state)
{
	struct fixture *f = *state;
	int64_t anchor = add_anchor(f, "ca");
	struct ocsp_row *rows, row;
	size_t n;
	bool new;

	for (uint8_t i = 1; i <= 3; i++) {
		row = row_of(anchor, i, OCSP_STATUS_GOOD, 0, 50);
		assert_int_equal(store_ocsp_put(f->store, &row, &new), 0);
	}
	assert_int_equal(store_ocsp_list(f->store, 0, 2, &rows, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[1].serial[0], 2);
	row.id = rows[1].id;
	free(rows);
	assert_int_equal(store_ocsp_list(f->store, row.id, 2, &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].serial[0], 3);
	free(rows);
	/* they go with their anchor */
	assert_int_equal(store_anchor_remove(f->store, "ca"), 0);
	assert_int_equal(store_ocsp_list(f->store, 0, 2, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(life),
		T(others_are_others),
		T(which_is_kept),
		T(stale_until_newer),
		T(values_are_checked),
		T(lists_in_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
