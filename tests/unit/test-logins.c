// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/authority/limits.h"
#include "daemon/authority/logins.h"
#include "lib/base/cleanup.h"
#include "tests/harness/authority-lab.h"

/* Logins and tickets by themselves: evidence is given, no gate and no connection takes part. */

static int setup(void **state)
{
	*state = world_new(&(struct world_options){ 0 });
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static struct evidence *evidence_of(const struct pki *who, enum service_via via)
{
	struct evidence *e = calloc(1, sizeof(*e));

	assert_int_equal(cert_parse(who->cert->der.p, who->cert->der.n, &e->chain[0]), 0);
	e->refs = 1;
	e->n = 1;
	e->via = via;
	(void)strcpy(e->source, "uid 1001");
	return e;
}

static struct login *begin_as(struct world *w, uid_t uid, const char *account, const char *service)
{
	const struct login_request q = { .account = account,
					 .service = service,
					 .tty = "pts/3",
					 .uid = uid,
					 .real_uid = 1001,
					 .pid = 4711 };
	struct login *login;

	assert_int_equal(login_begin(&w->a, &q, &login), 0);
	return login;
}

static struct login *begin(struct world *w, const char *account, const char *service)
{
	return begin_as(w, 0, account, service);
}

static struct outcome commit_as(struct world *w, const struct pki *who, const struct wish *wish,
				enum service_via via)
{
	struct evidence *e = evidence_of(who, via);
	struct commit_request q = { .evidence = e,
				    .login_id = wish->login_id,
				    .account = wish->account,
				    .service = wish->service };
	struct outcome o;

	memcpy(q.ticket_hash, wish->c.ticket_hash, SHA256_BYTES);
	assert_int_equal(login_commit(&w->a, &q, &o), 0);
	assert_int_equal(o.allowed, o.reason == REASON_NONE);
	evidence_unref(e);
	return o;
}

static enum reason commit(struct world *w, const struct wish *wish)
{
	return commit_as(w, &w->alice, wish, VIA_LOCAL).reason;
}

static enum reason redeem(struct world *w, struct login *login, const uint8_t *ticket)
{
	struct outcome o;

	assert_int_equal(login_redeem(&w->a, login, ticket, &o), 0);
	assert_int_equal(o.allowed, o.reason == REASON_NONE);
	assert_string_equal(o.identity, o.allowed ? "alice" : "");
	if (o.allowed)
		login_redeemed(&w->a, login);
	return o.reason;
}

static struct wish wish_of(const struct login *login)
{
	return wish_for(NULL, login->id, login->account, login->service);
}

/* A login for which a good ticket is kept. */
static struct login *committed(struct world *w, struct wish *ret)
{
	struct login *login = begin(w, "alice", "sudo");

	*ret = wish_of(login);
	assert_int_equal(commit(w, ret), REASON_NONE);
	return login;
}

/* --- begin --- */

static void begin_and_end(void **state)
{
	struct world *w = *state;
	struct login *a = begin(w, "alice", "sudo"), *b = begin(w, "alice", "sudo");
	uint8_t id[LOGIN_ID_BYTES];

	assert_memory_not_equal(a->id, b->id, LOGIN_ID_BYTES);
	assert_int_equal(login_id_parse(a->id_text, id), 0);
	assert_memory_equal(id, a->id, LOGIN_ID_BYTES);
	assert_int_equal(a->state, LOGIN_BEGUN);
	assert_ptr_equal(login_find(w->a.logins, id), a);
	login_end(w->a.logins, a);
	assert_null(login_find(w->a.logins, id));
	assert_int_equal(logins_count(w->a.logins), 1);
	login_end(w->a.logins, b);
	assert_int_equal(logins_count(w->a.logins), 0);
}

static void logins_are_limited(void **state)
{
	struct world *w = *state;
	const struct login_request q = { .account = "alice", .service = "sudo" };
	struct login *login = NULL;

	for (size_t i = 0; i < LIMIT_LOGINS; i++)
		assert_int_equal(login_begin(&w->a, &q, &login), 0);
	assert_int_equal(login_begin(&w->a, &q, &login), -EAGAIN);
	login_end(w->a.logins, login);
	assert_int_equal(login_begin(&w->a, &q, &login), 0);
}

/* --- commit --- */

static void commit_for_an_unknown_login(void **state)
{
	static const uint8_t unknown[LOGIN_ID_BYTES] = "unknown";
	struct wish wish = wish_for(NULL, unknown, "alice", "sudo");

	assert_int_equal(commit(*state, &wish), REASON_LOGIN_UNKNOWN);
}

static void commit_for_an_ended_login(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	uint8_t id[LOGIN_ID_BYTES];
	struct wish wish;

	memcpy(id, login->id, sizeof(id));
	login_end(w->a.logins, login);
	wish = wish_for(NULL, id, "alice", "sudo");
	assert_int_equal(commit(w, &wish), REASON_LOGIN_UNKNOWN);
}

static void commit_for_another_account(void **state)
{
	struct login *login = begin(*state, "root", "sudo");
	struct wish wish = wish_for(NULL, login->id, "alice", "sudo");

	assert_int_equal(commit(*state, &wish), REASON_TICKET_OTHER_ACCOUNT);
}

static void commit_for_another_service(void **state)
{
	struct login *login = begin(*state, "alice", "su");
	struct wish wish = wish_for(NULL, login->id, "alice", "sudo");

	assert_int_equal(commit(*state, &wish), REASON_TICKET_OTHER_SERVICE);
}

static void commit_in_time_and_too_late(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	struct wish wish = wish_of(login), late = wish_of(login);

	w->now += LIMIT_LOGIN_USEC;
	assert_int_equal(commit(w, &wish), REASON_NONE);
	w->now += 1;
	assert_int_equal(commit(w, &late), REASON_LOGIN_UNKNOWN);
}

static void commit_for_a_redeemed_login(void **state)
{
	struct world *w = *state;
	struct wish wish, again;
	struct login *login = committed(w, &wish);

	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	again = wish_of(login);
	assert_int_equal(commit(w, &again), REASON_LOGIN_UNKNOWN);
}

static void commit_of_one_hash_twice(void **state)
{
	struct world *w = *state;
	struct wish wish;

	(void)committed(w, &wish);
	assert_int_equal(commit(w, &wish), REASON_TICKET_USED);
}

static void tickets_of_a_login_are_limited(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo"), *other = begin(w, "alice", "sudo");
	struct wish wish;

	for (size_t i = 0; i < LIMIT_TICKETS_PER_LOGIN; i++) {
		wish = wish_of(login);
		assert_int_equal(commit(w, &wish), REASON_NONE);
	}
	wish = wish_of(login);
	assert_int_equal(commit(w, &wish), REASON_LIMIT);
	wish = wish_of(other); /* nobody else's affair */
	assert_int_equal(commit(w, &wish), REASON_NONE);
}

static void denied_commits_do_not_count(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	struct wish wish;

	for (size_t i = 0; i < 2 * LIMIT_TICKETS_PER_LOGIN; i++) {
		wish = wish_of(login);
		assert_int_equal(commit_as(w, &w->mallory, &wish, VIA_LOCAL).reason,
				 REASON_ACCOUNT_NOT_ALLOWED);
	}
	wish = wish_of(login);
	assert_int_equal(commit(w, &wish), REASON_NONE);
}

/* Nothing was proved, and the record says why. */
static void fault_of_the_proof(void **state)
{
	static const enum reason faults[] = { REASON_KEY, REASON_LIMIT };
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct wish wish = wish_of(login);
		struct evidence *e = evidence_of(&w->alice, VIA_LOCAL);
		struct commit_request q = {
			.evidence = e, .login_id = login->id, .account = "alice", .service = "sudo"
		};
		struct outcome o;

		evidence_forget(e, faults[i]);
		memcpy(q.ticket_hash, wish.c.ticket_hash, SHA256_BYTES);
		assert_int_equal(login_commit(&w->a, &q, &o), 0);
		assert_int_equal(o.reason, faults[i]);
		assert_int_equal(store_commit(w->a.store), 0);
		expect_event(w, "login.commit", "deny", reason_name(faults[i]));
		assert_null(login_shown(&w->a, e, login->id));
		evidence_unref(e);
		assert_int_equal(redeem(w, login, wish.ticket), REASON_TICKET_UNKNOWN);
	}
}

/* --- describe --- */

static const struct login *shown(struct world *w, const struct pki *who, const uint8_t *id)
{
	struct evidence *e = evidence_of(who, VIA_NETWORK);
	const struct login *login = login_shown(&w->a, e, id);

	evidence_unref(e);
	return login;
}

static void shown_to_who_may_use_the_account(void **state)
{
	static const uint8_t nobodys[LOGIN_ID_BYTES];
	struct world *w = *state;
	struct login *login = begin(w, "root", "su"), *other = begin(w, "mallory", "su");
	struct identity identity;

	assert_ptr_equal(shown(w, &w->alice, login->id), login);
	assert_null(shown(w, &w->mallory, login->id));
	assert_null(shown(w, &w->alice, other->id));
	assert_null(shown(w, &w->alice, nobodys));
	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", false, "", &identity), 0);
	assert_null(shown(w, &w->alice, login->id));
	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", true, "", &identity), 0);
	w->now += LIMIT_LOGIN_USEC + 1;
	assert_null(shown(w, &w->alice, login->id));
}

/* --- loose --- */

static void loose_where_it_is_taken(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "imap");
	struct wish wish = wish_for(NULL, NULL, "alice", "imap");

	assert_int_equal(commit(w, &wish), REASON_NONE);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	assert_true(login->loose);
	assert_false(login->hand_carried);
}

static void loose_where_it_is_not(void **state)
{
	struct world *w = *state;
	struct wish sudo = wish_for(NULL, NULL, "alice", "sudo");
	struct wish sshd = wish_for(NULL, NULL, "alice", "sshd");

	assert_int_equal(commit(w, &sudo), REASON_TICKET_LOOSE);
	assert_int_equal(commit(w, &sshd), REASON_TICKET_LOOSE);
	assert_int_equal(
		store_service_set(w->a.store, &(struct service_row){ "sshd", CLASS_LOGIN, "any",
								     VIA_ANY, true, false }),
		0);
	assert_int_equal(commit(w, &sshd), REASON_NONE);
	/* no row can say so of sudo: decide() would not take it, and the database does not either
	 */
	assert_int_equal(
		store_service_set(w->a.store, &(struct service_row){ "sudo", CLASS_ELEVATE, "any",
								     VIA_ANY, true, false }),
		-EINVAL);
}

static void loose_for_another_service_or_account(void **state)
{
	struct world *w = *state;
	struct wish wish = wish_for(NULL, NULL, "alice", "imap");

	world_allow(w, "alice", "shared", "imap");
	assert_int_equal(commit(w, &wish), REASON_NONE);
	assert_int_equal(redeem(w, begin(w, "alice", "sudo"), wish.ticket),
			 REASON_TICKET_OTHER_SERVICE);
	assert_int_equal(redeem(w, begin(w, "shared", "imap"), wish.ticket),
			 REASON_TICKET_OTHER_ACCOUNT);
	assert_int_equal(redeem(w, begin(w, "alice", "imap"), wish.ticket), REASON_NONE);
}

static enum reason commit_loose(struct world *w, struct wish *ret)
{
	*ret = wish_for(NULL, NULL, "alice", "imap");
	return commit(w, ret);
}

static void loose_are_limited_per_identity(void **state)
{
	struct world *w = *state;
	struct wish first, wish, hers = wish_for(NULL, NULL, "mallory", "imap");

	assert_int_equal(commit_loose(w, &first), REASON_NONE);
	for (size_t i = 1; i < LIMIT_LOOSE_PER_IDENTITY; i++)
		assert_int_equal(commit_loose(w, &wish), REASON_NONE);
	assert_int_equal(commit_loose(w, &wish), REASON_LIMIT);
	assert_true(commit_as(w, &w->mallory, &hers, VIA_LOCAL).allowed);
	/* one that was used is not outstanding any more */
	assert_int_equal(redeem(w, begin(w, "alice", "imap"), first.ticket), REASON_NONE);
	assert_int_equal(commit_loose(w, &wish), REASON_NONE);
	assert_int_equal(commit_loose(w, &wish), REASON_LIMIT);
	/* nor one that is too old */
	w->now += LIMIT_TICKET_USEC + 1;
	assert_int_equal(commit_loose(w, &wish), REASON_NONE);
}

/* Who only names alice does not use up what is hers. */
static void limits_are_charged_after_the_proof(void **state)
{
	struct world *w = *state;
	struct wish wish;

	for (size_t i = 0; i < 10; i++) {
		wish = wish_for(NULL, NULL, "alice", "imap");
		assert_false(commit_as(w, &w->mallory, &wish, VIA_LOCAL).allowed);
	}
	assert_int_equal(commit_loose(w, &wish), REASON_NONE);
}

/* --- redeem --- */

static void redeem_once(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish), *other;

	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	assert_int_equal(login->state, LOGIN_REDEEMED);
	assert_non_null(login->evidence);
	assert_true(login->hand_carried);
	other = begin(w, "alice", "sudo");
	assert_int_equal(redeem(w, other, wish.ticket), REASON_TICKET_USED);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_LOGIN_UNKNOWN);
}

/* Between the decision and its record the ticket is spent already. */
static void redeem_twice_in_one_turn(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);
	struct outcome o;

	assert_int_equal(login_redeem(&w->a, login, wish.ticket, &o), 0);
	assert_true(o.allowed);
	assert_int_equal(login->state, LOGIN_BEGUN);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_TICKET_USED);
}

static void redeem_in_time(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);

	w->now += LIMIT_TICKET_USEC;
	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
}

static void redeem_too_late(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);

	w->now += LIMIT_TICKET_USEC + 1;
	assert_int_equal(redeem(w, login, wish.ticket), REASON_TICKET_EXPIRED);
}

static void redeem_of_an_old_login(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	struct wish wish = wish_of(login);

	w->now += LIMIT_LOGIN_USEC - 1;
	assert_int_equal(commit(w, &wish), REASON_NONE);
	w->now += 2;
	assert_int_equal(redeem(w, login, wish.ticket), REASON_LOGIN_UNKNOWN);
}

static void redeem_of_another_login(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish), *other = begin(w, "alice", "sudo");

	assert_int_equal(redeem(w, other, wish.ticket), REASON_TICKET_OTHER_LOGIN);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE); /* it was not spent by that */
}

static void redeem_of_an_unknown_ticket(void **state)
{
	static const uint8_t nothing[TICKET_BYTES];

	assert_int_equal(redeem(*state, begin(*state, "alice", "sudo"), nothing),
			 REASON_TICKET_UNKNOWN);
}

static void redeem_of_a_forgotten_ticket(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);

	ticket_forget(w->a.logins, wish.c.ticket_hash); /* its record was lost */
	assert_int_equal(redeem(w, login, wish.ticket), REASON_TICKET_USED);
}

static void redeem_tries_are_limited(void **state)
{
	static const uint8_t nothing[TICKET_BYTES];
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);

	for (size_t i = 0; i < LIMIT_REDEEM_TRIES; i++)
		assert_int_equal(redeem(w, login, nothing), REASON_TICKET_UNKNOWN);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_LIMIT);
}

static void redeem_by_another_uid(void **state)
{
	struct world *w = *state;
	struct service_row row = { "sudo", CLASS_ELEVATE, "0,113", VIA_LOCAL, false, false };
	static const struct {
		uid_t uid;
		enum reason reason;
	} rows[] = { { 0, REASON_NONE },
		     { 113, REASON_NONE },
		     { 1001, REASON_SERVICE_UID },
		     { 11, REASON_SERVICE_UID },
		     { 1130, REASON_SERVICE_UID } };

	assert_int_equal(store_service_set(w->a.store, &row), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct login *login = begin_as(w, rows[i].uid, "alice", "sudo");
		struct wish wish = wish_of(login);

		assert_int_equal(commit(w, &wish), REASON_NONE);
		assert_int_equal(redeem(w, login, wish.ticket), rows[i].reason);
	}
}

/* One use: a decision about it, whatever it was. */
static void ticket_that_fits_is_spent_by_a_denial(void **state)
{
	struct world *w = *state;
	struct identity identity;
	struct wish wish;
	struct login *login = committed(w, &wish);

	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", false, "", &identity), 0);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_IDENTITY_DISABLED);
	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", true, "", &identity), 0);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_TICKET_USED);
}

/* The first record was lost, so the login was not told of it and tries again. */
static void redeem_again_after_a_lost_record(void **state)
{
	struct world *w = *state;
	struct wish wish, again;
	struct login *login = committed(w, &wish);
	struct outcome o;

	assert_int_equal(store_commit(w->a.store), 0);
	assert_int_equal(login_redeem(&w->a, login, wish.ticket, &o), 0);
	assert_true(o.allowed);
	store_rollback(w->a.store);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_TICKET_USED);
	again = wish_of(login);
	assert_int_equal(commit(w, &again), REASON_NONE);
	assert_int_equal(redeem(w, login, again.ticket), REASON_NONE);
}

static void redeem_judges_again(void **state)
{
	struct world *w = *state;
	struct identity identity;
	struct wish wish;
	struct login *login = committed(w, &wish);

	assert_int_equal(store_access_deny(w->a.store, "alice", "alice", "@elevate"), 0);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_SERVICE_NOT_ALLOWED);
	world_allow(w, "alice", "alice", "@elevate");
	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", false, "", &identity), 0);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_IDENTITY_DISABLED);
	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", true, "", &identity), 0);
	assert_int_equal(store_certificate_remove(w->a.store, w->alice.cert->sha256), 0);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_NOT_ENROLLED);
}

/* --- via --- */

static void far_proof_for_a_login_carried_by_hand(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	struct wish wish = wish_of(login), loose = wish_for(NULL, NULL, "alice", "sudo");

	assert_true(commit_as(w, &w->alice, &wish, VIA_NETWORK).allowed);
	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	assert_int_equal(commit_as(w, &w->alice, &loose, VIA_NETWORK).reason, REASON_VIA);
}

/* --- afterwards --- */

static struct outcome recheck(struct world *w, struct login *login)
{
	struct outcome o;

	assert_int_equal(login_recheck(&w->a, login, "login.account", &o), 0);
	return o;
}

static void recheck_is_silent_until_it_denies(void **state)
{
	struct world *w = *state;
	struct identity identity;
	struct wish wish;
	struct login *login = committed(w, &wish);
	struct outcome o;

	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	w->now += LIMIT_REDEEMED_USEC;
	o = recheck(w, login);
	assert_true(o.allowed);
	assert_int_equal(o.event, 0);
	assert_int_equal(store_identity_set_enabled(w->a.store, "alice", false, "", &identity), 0);
	o = recheck(w, login);
	assert_int_equal(o.reason, REASON_IDENTITY_DISABLED);
	assert_true(o.event > 0);
}

static void recheck_too_late(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);

	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	w->now += LIMIT_REDEEMED_USEC + 1;
	assert_int_equal(recheck(w, login).reason, REASON_LOGIN_UNKNOWN);
}

/* A redeemed login is proved by its evidence, a begun one by nothing. */
static void recheck_before_redeem(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish);

	assert_int_equal(recheck(w, login).reason, REASON_NO_PROOF);
}

static void sweep_forgets_what_is_over(void **state)
{
	struct world *w = *state;
	struct wish wish;
	struct login *login = committed(w, &wish), *waits = begin(w, "alice", "sudo");

	assert_int_equal(redeem(w, login, wish.ticket), REASON_NONE);
	w->now += LIMIT_REDEEMED_USEC;
	logins_sweep(w->a.logins);
	assert_int_equal(logins_count(w->a.logins), 2);
	w->now += 1;
	logins_sweep(w->a.logins);
	assert_int_equal(logins_count(w->a.logins), 1);
	/* a begun one ends with its connection, not by the clock */
	assert_ptr_equal(login_find(w->a.logins, waits->id), waits);
	/* its ticket is remembered as used for a while, then it is as unknown as any */
	assert_int_equal(redeem(w, begin(w, "alice", "sudo"), wish.ticket), REASON_TICKET_USED);
	w->now += LIMIT_TICKET_USEC;
	logins_sweep(w->a.logins);
	assert_int_equal(redeem(w, begin(w, "alice", "sudo"), wish.ticket), REASON_TICKET_UNKNOWN);
}

static void abandon_tells_the_denied_commit(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	struct wish wish = wish_of(login);
	int64_t event, none;
	struct outcome o;

	assert_int_equal(login_abandon(&w->a, begin(w, "alice", "sudo"), "no key", &none), 0);
	assert_true(none > 0);
	assert_int_equal(store_commit(w->a.store), 0);
	expect_event(w, "login.abandon", "deny", "no-proof");
	o = commit_as(w, &w->mallory, &wish, VIA_LOCAL);
	assert_int_equal(login_abandon(&w->a, login, "denied", &event), 0);
	assert_int_equal(event, o.event);
}

/* --- the record --- */

static void denials_have_a_budget_of_rows(void **state)
{
	struct world *w = *state;
	struct login *login = begin(w, "alice", "sudo");
	struct limits_summary summary;
	struct wish wish;

	for (size_t i = 0; i < LIMIT_DENY_ROWS; i++) {
		wish = wish_of(login);
		assert_true(commit_as(w, &w->mallory, &wish, VIA_LOCAL).event > 0);
	}
	wish = wish_of(login);
	assert_int_equal(commit_as(w, &w->mallory, &wish, VIA_LOCAL).event, 0);
	assert_true(limits_summary(w->a.limits, &summary));
	assert_int_equal(summary.denials, 1);
	/* an allow is always written */
	wish = wish_of(login);
	assert_true(commit_as(w, &w->alice, &wish, VIA_LOCAL).event > 0);
	assert_int_equal(w->a.logins_denied, LIMIT_DENY_ROWS + 1);
}

/* What a caller can make up gives him no more rows. */
static void budget_is_of_the_uid(void **state)
{
	struct world *w = *state;
	char service[32], tty[32];
	size_t rows = 0;

	for (size_t i = 0; i < 2 * LIMIT_DENY_ROWS; i++) {
		struct login_request q = { .account = "alice", .service = service, .tty = tty };
		struct login *login;
		int64_t event;

		q.uid = q.real_uid = 1001;
		q.rhost = tty; /* only root is believed where somebody is */
		(void)snprintf(service, sizeof(service), "made-up-%zu", i);
		(void)snprintf(tty, sizeof(tty), "192.0.2.%zu", i);
		assert_int_equal(login_begin(&w->a, &q, &login), 0);
		assert_int_equal(login_abandon(&w->a, login, "", &event), 0);
		rows += event > 0;
	}
	assert_int_equal(rows, LIMIT_DENY_ROWS);
	/* somebody else still has his, and so have the strangers whom sshd speaks for */
	for (size_t i = 0; i < 2; i++) {
		const struct login_request q = { .account = "alice",
						 .service = "sshd",
						 .rhost = i ? "192.0.2.1" : NULL,
						 .real_uid = i ? 0 : 1002 };
		struct login *login;
		int64_t event;

		assert_int_equal(login_begin(&w->a, &q, &login), 0);
		assert_int_equal(login_abandon(&w->a, login, "", &event), 0);
		assert_true(event > 0);
	}
}

/* After the proof the identity is charged, wherever it comes from; a stranger where he is. */
static void denied_commits_are_charged_to_the_identity(void **state)
{
	struct world *w = *state;
	struct limits_summary m;
	struct pki eve;

	pki_make_person("eve", KEY_P256, &w->ca, &eve);
	for (size_t i = 0; i < LIMIT_DENY_ROWS + 1; i++) {
		struct wish wish = wish_for(NULL, NULL, "root", "imap");

		(void)commit_as(w, &w->mallory, &wish, i % 2 ? VIA_LOCAL : VIA_NETWORK);
		assert_int_equal(commit_as(w, &eve, &wish, VIA_NETWORK).reason,
				 REASON_NOT_ENROLLED);
	}
	assert_true(limits_summary(w->a.limits, &m));
	assert_int_equal(m.denials, 2);
	assert_int_equal(m.n, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(m.top[i].source,
				    m.top[i].pool == LIMIT_POOL_IDENTITY ? "mallory" : "uid 1001");
	assert_int_equal(m.top[0].pool + m.top[1].pool, LIMIT_POOL_IDENTITY + LIMIT_POOL_REMOTE);
	pki_deinit(&eve);
}

static void record_says_who_asked(void **state)
{
	struct world *w = *state;
	struct login *login = begin_as(w, 1001, "alice", "sudo");
	struct wish wish = wish_of(login);
	_cleanup_(event_deinit) struct event e = { 0 };
	struct outcome o;

	assert_int_equal(commit(w, &wish), REASON_NONE);
	assert_int_equal(login_redeem(&w->a, login, wish.ticket, &o), 0);
	assert_int_equal(store_commit(w->a.store), 0);
	assert_int_equal(store_event_get(w->a.store, o.event, &e), 0);
	assert_string_equal(e.source, "uid 1001 sudo pts/3");
	assert_string_equal(e.login_id, login->id_text);
	assert_non_null(strstr(e.detail, "\"claimed\":true"));
	assert_non_null(strstr(e.detail, "\"tty\":\"pts/3\""));
	assert_non_null(strstr(e.detail, "\"pid\":4711"));
	assert_non_null(strstr(e.detail, "\"check\":\"access\""));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(begin_and_end),
		T(logins_are_limited),
		T(commit_for_an_unknown_login),
		T(commit_for_an_ended_login),
		T(commit_for_another_account),
		T(commit_for_another_service),
		T(commit_in_time_and_too_late),
		T(commit_for_a_redeemed_login),
		T(commit_of_one_hash_twice),
		T(tickets_of_a_login_are_limited),
		T(denied_commits_do_not_count),
		T(fault_of_the_proof),
		T(shown_to_who_may_use_the_account),
		T(loose_where_it_is_taken),
		T(loose_where_it_is_not),
		T(loose_for_another_service_or_account),
		T(loose_are_limited_per_identity),
		T(limits_are_charged_after_the_proof),
		T(redeem_once),
		T(redeem_twice_in_one_turn),
		T(redeem_in_time),
		T(redeem_too_late),
		T(redeem_of_an_old_login),
		T(redeem_of_another_login),
		T(redeem_of_an_unknown_ticket),
		T(redeem_of_a_forgotten_ticket),
		T(redeem_tries_are_limited),
		T(redeem_by_another_uid),
		T(ticket_that_fits_is_spent_by_a_denial),
		T(redeem_again_after_a_lost_record),
		T(redeem_judges_again),
		T(far_proof_for_a_login_carried_by_hand),
		T(recheck_is_silent_until_it_denies),
		T(recheck_too_late),
		T(recheck_before_redeem),
		T(sweep_forgets_what_is_over),
		T(abandon_tells_the_denied_commit),
		T(denials_have_a_budget_of_rows),
		T(budget_is_of_the_uid),
		T(denied_commits_are_charged_to_the_identity),
		T(record_says_who_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
