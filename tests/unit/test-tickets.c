// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/authority/tickets.h"
#include "tests/harness/pki-make.h"

/* The table of tickets by itself. */

#define START (1000 * USEC_PER_SEC)

struct test {
	struct tickets *tickets;
	struct evidence *evidence;
	uint32_t next;
};

static struct evidence *evidence_new(void)
{
	struct evidence *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->refs = 1;
	return e;
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_int_equal(tickets_new(&t->tickets), 0);
	t->evidence = evidence_new();
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	tickets_free(t->tickets);
	assert_int_equal(t->evidence->refs, 1); /* nobody has kept it */
	evidence_unref(t->evidence);
	free(t);
	return 0;
}

static struct ticket *add(struct test *t, int64_t identity, bool loose, uint64_t now)
{
	struct ticket new = { .identity = identity, .loose = loose, .evidence = t->evidence };

	memcpy(new.hash + 1, &t->next, sizeof(t->next)); /* 256 of them to a bucket, and more */
	t->next++;
	assert_int_equal(ticket_add(t->tickets, &new, now), 0);
	return ticket_find(t->tickets, new.hash);
}

static void finds_what_was_added(void **state)
{
	struct test *t = *state;
	struct ticket *one = add(t, 1, false, START), *two = add(t, 1, false, START);
	uint8_t hash[SHA256_BYTES] = { 7 };

	assert_ptr_not_equal(one, two);
	assert_ptr_equal(ticket_find(t->tickets, one->hash), one);
	assert_ptr_equal(ticket_find(t->tickets, two->hash), two);
	assert_null(ticket_find(t->tickets, hash));
}

static void ages(void **state)
{
	struct test *t = *state;
	struct ticket *x = add(t, 1, false, START);
	uint8_t hash[SHA256_BYTES];

	memcpy(hash, x->hash, sizeof(hash));
	assert_int_equal(ticket_state(x, START + LIMIT_TICKET_USEC), REASON_NONE);
	/* whether it was swept or not */
	assert_int_equal(ticket_state(x, START + LIMIT_TICKET_USEC + 1), REASON_TICKET_EXPIRED);
	tickets_sweep(t->tickets, START + LIMIT_TICKET_USEC + 1);
	assert_ptr_equal(ticket_find(t->tickets, hash), x);
	assert_int_equal(ticket_state(x, START + LIMIT_TICKET_USEC + 1), REASON_TICKET_EXPIRED);
	tickets_sweep(t->tickets, START + 2 * LIMIT_TICKET_USEC);
	assert_ptr_equal(ticket_find(t->tickets, hash), x);
	tickets_sweep(t->tickets, START + 2 * LIMIT_TICKET_USEC + 1);
	assert_null(ticket_find(t->tickets, hash));
}

static void is_used_once_it_was(void **state)
{
	struct test *t = *state;
	struct ticket *x = add(t, 1, false, START);

	ticket_spend(t->tickets, x);
	ticket_spend(t->tickets, x);
	assert_int_equal(ticket_state(x, START), REASON_TICKET_USED);
	tickets_sweep(t->tickets, START + 2 * LIMIT_TICKET_USEC);
	/* expired as well by now, but that is not what there is to say of it */
	assert_int_equal(ticket_state(x, START + 2 * LIMIT_TICKET_USEC), REASON_TICKET_USED);
}

static void one_identity_has_so_many(void **state)
{
	struct test *t = *state;
	struct ticket *x = NULL;

	for (size_t i = 0; i < LIMIT_TICKETS_PER_IDENTITY; i++) {
		assert_true(tickets_room(t->tickets, 1, false, START));
		x = add(t, 1, false, START);
	}
	assert_false(tickets_room(t->tickets, 1, false, START));
	assert_true(tickets_room(t->tickets, 2, false, START));
	/* what has the same place in the table is another identity all the same */
	assert_true(tickets_room(t->tickets, 1 + 4096, false, START));
	ticket_spend(t->tickets, x);
	assert_true(tickets_room(t->tickets, 1, false, START));
	(void)add(t, 1, false, START + 1);
	assert_false(tickets_room(t->tickets, 1, false, START + LIMIT_TICKET_USEC));
	assert_true(tickets_room(t->tickets, 1, false, START + LIMIT_TICKET_USEC + 1));
}

static void and_so_many_loose_ones(void **state)
{
	struct test *t = *state;

	(void)add(t, 1, false, START);
	for (size_t i = 0; i < LIMIT_LOOSE_PER_IDENTITY; i++) {
		assert_true(tickets_room(t->tickets, 1, true, START));
		(void)add(t, 1, true, START);
	}
	assert_false(tickets_room(t->tickets, 1, true, START));
	assert_true(tickets_room(t->tickets, 1, false, START));
	assert_true(tickets_room(t->tickets, 2, true, START));
	assert_true(tickets_room(t->tickets, 1, true, START + LIMIT_TICKET_USEC + 1));
}

/* What is only remembered makes room; what is good does not. */
static void the_table_is_bounded(void **state)
{
	struct test *t = *state;
	struct ticket *old = add(t, 0, false, START), *x = NULL;
	uint8_t hash[SHA256_BYTES];

	for (size_t i = 1; i < LIMIT_LOGINS; i++) {
		assert_true(tickets_room(t->tickets, (int64_t)i % 100, false, START));
		x = add(t, (int64_t)i % 100, false, START);
	}
	assert_false(tickets_room(t->tickets, 1000, false, START));
	memcpy(hash, x->hash, sizeof(hash));
	ticket_spend(t->tickets, x);
	assert_true(tickets_room(t->tickets, 1000, false, START));
	assert_null(ticket_find(t->tickets, hash));
	assert_ptr_equal(ticket_find(t->tickets, old->hash), old);
	(void)add(t, 1000, false, START);
	assert_false(tickets_room(t->tickets, 1000, false, START));
}

/* --- evidence --- */

static struct cert *copy(const struct pki *p)
{
	struct cert *c;

	assert_int_equal(cert_parse(p->cert->der.p, p->cert->der.n, &c), 0);
	return c;
}

static void keeps_of_a_chain_what_is_its_path(_unused_ void **state)
{
	struct pki ca, other, leaf;
	struct evidence *e = evidence_new();
	struct path path = { .n_issuers = 1 };

	pki_make_ca("CA", &ca);
	pki_make_ca("Padding", &other);
	pki_make_person("alice", KEY_P256, &ca, &leaf);
	e->chain[e->n++] = copy(&leaf);
	e->chain[e->n++] = copy(&other);
	e->chain[e->n++] = copy(&ca);
	e->chain[e->n++] = copy(&other);
	assert_int_equal(evidence_bytes(e),
			 leaf.cert->der.n + ca.cert->der.n + 2 * other.cert->der.n);
	memcpy(path.issuers[0], ca.cert->sha256, SHA256_BYTES);
	evidence_trim(e, &path);
	assert_int_equal(e->n, 2);
	assert_memory_equal(e->chain[0]->sha256, leaf.cert->sha256, SHA256_BYTES);
	assert_memory_equal(e->chain[1]->sha256, ca.cert->sha256, SHA256_BYTES);
	evidence_forget(e, REASON_LIMIT);
	assert_int_equal(e->n, 0);
	assert_int_equal(e->fault, REASON_LIMIT);
	assert_int_equal(evidence_bytes(e), 0);
	evidence_unref(e);
	pki_deinit(&ca);
	pki_deinit(&other);
	pki_deinit(&leaf);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(finds_what_was_added),
		T(ages),
		T(is_used_once_it_was),
		T(one_identity_has_so_many),
		T(and_so_many_loose_ones),
		T(the_table_is_bounded),
		cmocka_unit_test(keeps_of_a_chain_what_is_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
