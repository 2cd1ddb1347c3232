// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "lib/base/encode.h"
#include "tests/harness/authority-lab.h"

/* org.certlogin.Service: whose login is whose, and who may do what with it. */
#define UID_OTHER 4013

struct test {
	struct world *w;
	struct gate gate;
	struct service pam;
	char error[128];
};

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->w = world_new(&(struct world_options){ 0 });
	gate_open(t->w, VIA_LOCAL, &t->gate);
	service_begin(t->w, "alice", "sudo", &t->pam);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	disk_mend();
	service_close(&t->pam);
	gate_close(&t->gate);
	world_free(t->w);
	free(t);
	return 0;
}

/* The error's name without its interface, "" for none; the answer's parameters are given. */
static json_t *call(struct test *t, struct service *s, const char *method, json_t *parameters)
{
	json_t *answer = service_call(s, method, parameters, t->error);
	const char *dot = strrchr(t->error, '.');

	if (dot)
		memmove(t->error, dot + 1, strlen(dot));
	return answer;
}

static void expect_error(struct test *t, struct service *s, const char *method, json_t *parameters,
			 const char *error)
{
	json_decref(call(t, s, method, parameters));
	assert_string_equal(t->error, error);
}

static bool allowed(struct test *t, struct service *s, const char *method, json_t *parameters,
		    int64_t *ret_session)
{
	json_t *answer = call(t, s, method, parameters);
	bool yes = json_is_true(json_object_get(answer, "allowed"));

	assert_string_equal(t->error, "");
	if (ret_session)
		*ret_session = json_integer_value(json_object_get(answer, "sessionId"));
	json_decref(answer);
	return yes;
}

static json_t *account_of(const struct service *s, const char *account)
{
	return json_pack("{s:s, s:s}", "loginId", s->login_text, "account", account);
}

static json_t *session_of(const struct service *s, const char *account)
{
	return json_pack("{s:s, s:s, s:i}", "loginId", s->login_text, "account", account, "pid",
			 (int)getpid());
}

static struct wish proved(struct test *t, const struct service *s)
{
	struct wish wish = wish_for(&t->w->alice, s->login_id, "alice", "sudo");

	assert_true(gate_login(&t->gate, &wish).allowed);
	return wish;
}

static void logged_in(struct test *t)
{
	struct wish wish = proved(t, &t->pam);

	assert_true(service_redeem(&t->pam, t->pam.login_text, wish.ticket).allowed);
}

/* A connection of somebody else; the kernel notes it when the pair is made. */
static void connect_other(struct test *t, struct service *ret)
{
	int pair[2];

	if (geteuid() != 0)
		skip();
	assert_int_equal(seteuid(UID_OTHER), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(vl_server_add_connection(t->w->a.service_api, pair[0]), 0);
	*ret = (struct service){ .w = t->w, .fd = pair[1] };
}

static void begin_on(struct test *t, struct service *s, const char *account, const char *service)
{
	json_t *answer = call(t, s, "Begin",
			      json_pack("{s:s, s:s}", "account", account, "service", service));

	assert_string_equal(t->error, "");
	(void)snprintf(s->login_text, sizeof(s->login_text), "%s",
		       json_string_value(json_object_get(answer, "loginId")));
	assert_int_equal(login_id_parse(s->login_text, s->login_id), 0);
	json_decref(answer);
}

/* --- begin --- */

static void begin_tells_the_class(void **state)
{
	struct test *t = *state;
	static const struct {
		const char *service, *class;
		int console;
	} rows[] = { { "sudo", "elevate", 0 },
		     { "sshd", "login", 0 },
		     { "login", "login", 1 },
		     { "imap", "app", 0 },
		     { "nothing", "elevate", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *answer = call(
			t, &t->pam, "Begin",
			json_pack("{s:s, s:s}", "account", "alice", "service", rows[i].service));

		assert_string_equal(json_string_value(json_object_get(answer, "class")),
				    rows[i].class);
		assert_int_equal(json_is_true(json_object_get(answer, "console")), rows[i].console);
		json_decref(answer);
	}
}

static void begin_takes_names_alone(void **state)
{
	struct test *t = *state;
	static const struct {
		const char *account, *service, *tty;
	} rows[] = { { "", "sudo", "pts/3" },	    { "al/ice", "sudo", "pts/3" },
		     { "-alice", "sudo", "pts/3" }, { "alice", "../sudo", "pts/3" },
		     { "alice", "", "pts/3" },	    { "alice", "sudo", "pts\x1b[2J" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_error(t, &t->pam, "Begin",
			     json_pack("{s:s, s:s, s:s}", "account", rows[i].account, "service",
				       rows[i].service, "tty", rows[i].tty),
			     "InvalidParameter");
	/* none of these has ended what was begun */
	assert_int_equal(logins_count(t->w->a.logins), 1);
}

static void begin_ends_the_login_before(void **state)
{
	struct test *t = *state;
	struct service before = t->pam;
	struct wish wish = proved(t, &t->pam);

	begin_on(t, &t->pam, "alice", "sudo");
	assert_int_equal(logins_count(t->w->a.logins), 1);
	assert_true(service_redeem(&t->pam, before.login_text, wish.ticket).invalid);
	assert_false(service_redeem(&t->pam, t->pam.login_text, wish.ticket).allowed);
}

static void connection_ends_its_login(void **state)
{
	struct test *t = *state;
	struct wish wish = wish_for(&t->w->alice, t->pam.login_id, "alice", "sudo");

	service_close(&t->pam);
	assert_int_equal(logins_count(t->w->a.logins), 0);
	assert_false(gate_login(&t->gate, &wish).allowed);
	expect_event(t->w, "login.commit", "deny", "login-unknown");
}

/* --- redeem --- */

static void redeem_on_its_own_connection_alone(void **state)
{
	struct test *t = *state;
	struct wish wish = proved(t, &t->pam);
	struct service other;

	service_begin(t->w, "alice", "sudo", &other);
	assert_true(service_redeem(&other, t->pam.login_text, wish.ticket).invalid);
	assert_true(service_redeem(&t->pam, other.login_text, wish.ticket).invalid);
	service_close(&other);
	assert_true(service_redeem(&t->pam, t->pam.login_text, wish.ticket).allowed);
	assert_true(service_redeem(&t->pam, t->pam.login_text, wish.ticket).invalid);
}

static void redeem_tries_are_limited(void **state)
{
	struct test *t = *state;
	struct wish wish = proved(t, &t->pam);
	char text[TICKET_TEXT_SIZE];
	uint8_t guess[TICKET_BYTES] = { 0 };

	for (size_t i = 0; i < LIMIT_REDEEM_TRIES; i++) {
		guess[0]++;
		assert_false(service_redeem(&t->pam, t->pam.login_text, guess).allowed);
	}
	ticket_format(wish.ticket, text);
	expect_error(t, &t->pam, "Redeem",
		     json_pack("{s:s, s:s}", "loginId", t->pam.login_text, "ticket", text),
		     "TooMany");
}

static void redeem_takes_tickets_alone(void **state)
{
	struct test *t = *state;

	expect_error(t, &t->pam, "Redeem",
		     json_pack("{s:s, s:s}", "loginId", t->pam.login_text, "ticket", "secret"),
		     "InvalidParameter");
}

/* The answer leaves when the record is durable; when it is not, there is no login. */
static void lost_record_is_no_login(void **state)
{
	struct test *t = *state;
	struct wish wish = proved(t, &t->pam), again;
	char text[TICKET_TEXT_SIZE];

	ticket_format(wish.ticket, text);
	disk_break(t->w);
	expect_error(t, &t->pam, "Redeem",
		     json_pack("{s:s, s:s}", "loginId", t->pam.login_text, "ticket", text),
		     "SystemError");
	disk_mend();
	assert_false(allowed(t, &t->pam, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	assert_int_equal(t->w->a.logins_allowed, 0);
	/* one use, also of that */
	assert_false(service_redeem(&t->pam, t->pam.login_text, wish.ticket).allowed);
	again = proved(t, &t->pam);
	assert_true(service_redeem(&t->pam, t->pam.login_text, again.ticket).allowed);
	assert_int_equal(t->w->a.logins_allowed, 1);
}

/* --- account --- */

static void account_of_whom_was_logged_in(void **state)
{
	struct test *t = *state;
	struct service other;

	assert_false(allowed(t, &t->pam, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	logged_in(t);
	assert_true(allowed(t, &t->pam, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	assert_false(allowed(t, &t->pam, "CheckAccount", account_of(&t->pam, "root"), NULL));
	/* sshd asks from another process than it logged in by */
	service_begin(t->w, "alice", "sudo", &other);
	assert_true(allowed(t, &other, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	service_close(&other);
	service_close(&t->pam);
	service_begin(t->w, "alice", "sudo", &other);
	assert_true(allowed(t, &other, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	t->w->now += LIMIT_REDEEMED_USEC + 1;
	assert_false(allowed(t, &other, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	service_close(&other);
}

static void account_is_judged_anew(void **state)
{
	struct test *t = *state;
	struct identity identity;

	logged_in(t);
	assert_int_equal(store_identity_set_enabled(t->w->a.store, "alice", false, "", &identity),
			 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	assert_false(allowed(t, &t->pam, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	expect_event(t->w, "login.account", "deny", "identity-disabled");
}

/* --- denials whose row is lost --- */

static int64_t denied_event(struct test *t, struct service *s, const char *method,
			    json_t *parameters)
{
	json_t *answer = call(t, s, method, parameters);
	int64_t event = json_integer_value(json_object_get(answer, "event"));

	assert_string_equal(t->error, "");
	assert_non_null(json_object_get(answer, "event"));
	assert_false(json_is_true(json_object_get(answer, "allowed")));
	json_decref(answer);
	return event;
}

static json_t *abandon_of(const struct service *s)
{
	return json_pack("{s:s, s:s}", "loginId", s->login_text, "reason", "");
}

static void disable_alice(struct test *t)
{
	struct identity identity;

	assert_int_equal(store_identity_set_enabled(t->w->a.store, "alice", false, "", &identity),
			 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
}

/* It stands, but without the number, which the next row will have. */
static void denials_without_their_rows(void **state)
{
	struct test *t = *state;
	struct service other;
	struct wish wish;

	logged_in(t);
	disable_alice(t);
	service_begin(t->w, "alice", "sudo", &other);
	wish = wish_for(&t->w->alice, other.login_id, "alice", "sudo");
	for (int broken = 1; broken >= 0; broken--) {
		struct committed committed;
		struct redeemed redeemed;

		if (broken)
			disk_break(t->w);
		committed = gate_login(&t->gate, &wish);
		assert_false(committed.allowed);
		assert_int_equal(committed.event == 0, broken);
		redeemed = service_redeem(&other, other.login_text, wish.ticket);
		assert_false(redeemed.allowed);
		assert_int_equal(redeemed.event == 0, broken);
		assert_int_equal(
			denied_event(t, &t->pam, "CheckAccount", account_of(&t->pam, "alice")) == 0,
			broken);
		if (geteuid() == 0)
			assert_int_equal(denied_event(t, &t->pam, "OpenSession",
						      session_of(&t->pam, "alice")) == 0,
					 broken);
		disk_mend();
	}
	service_close(&other);
}

/* The number of a denied commit is what Abandon tells; of one that was lost, its own. */
static void abandon_tells_a_row_that_there_is(void **state)
{
	struct test *t = *state;

	disable_alice(t);
	for (int lost = 0; lost < 3; lost++) { /* not; the commit's; both */
		struct committed committed;
		struct service s;
		struct wish wish;
		int64_t event;

		service_begin(t->w, "alice", "sudo", &s);
		wish = wish_for(&t->w->alice, s.login_id, "alice", "sudo");
		if (lost)
			disk_break(t->w);
		committed = gate_login(&t->gate, &wish);
		assert_int_equal(committed.event == 0, lost > 0);
		if (lost == 1)
			disk_mend();
		event = denied_event(t, &s, "Abandon", abandon_of(&s));
		if (lost == 0)
			assert_int_equal(event, committed.event);
		else if (lost == 1)
			expect_event(t->w, "login.abandon", "deny", "no-proof");
		assert_int_equal(event == 0, lost == 2);
		disk_mend();
		service_close(&s);
	}
	assert_int_equal(count_events(t->w, "login.abandon", "deny"), 1);
}

static void account_of_another_uids_login(void **state)
{
	struct test *t = *state;
	struct service other;

	logged_in(t);
	connect_other(t, &other);
	assert_false(allowed(t, &other, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	service_close(&other);
}

/* --- session --- */

static size_t sessions(struct test *t, bool all)
{
	struct session *rows;
	size_t n;

	assert_int_equal(store_session_list(t->w->a.store, all, 0, 10, &rows, &n), 0);
	free(rows);
	return n;
}

static void session_of_what_cannot_be(void **state)
{
	static const char *const bad[] = {
		"{\"account\": \"a b\"}", "{\"account\": \"\"}",     "{\"pid\": 0}",
		"{\"pid\": -1}",	  "{\"tty\": \"pts/1\\n\"}", "{\"rhost\": \"h\\u001b[2J\"}",
	};
	struct test *t = *state;

	if (geteuid() != 0)
		skip();
	logged_in(t);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *p = session_of(&t->pam, "alice"), *change = json_loads(bad[i], 0, NULL);

		assert_non_null(change);
		assert_int_equal(json_object_update(p, change), 0);
		json_decref(change);
		expect_error(t, &t->pam, "OpenSession", p, "InvalidParameter");
	}
	assert_int_equal(sessions(t, true), 0);
	assert_true(allowed(t, &t->pam, "OpenSession", session_of(&t->pam, "alice"), NULL));
}

static void session_once(void **state)
{
	struct test *t = *state;
	int64_t id;

	if (geteuid() != 0)
		skip();
	assert_false(allowed(t, &t->pam, "OpenSession", session_of(&t->pam, "alice"), NULL));
	logged_in(t);
	assert_true(allowed(t, &t->pam, "OpenSession", session_of(&t->pam, "root"), &id));
	assert_int_equal(sessions(t, false), 1);
	assert_false(allowed(t, &t->pam, "OpenSession", session_of(&t->pam, "root"), NULL));
	assert_false(allowed(t, &t->pam, "CheckAccount", account_of(&t->pam, "alice"), NULL));
	for (int i = 0; i < 2; i++) { /* the second time there is nothing to close */
		json_decref(call(t, &t->pam, "CloseSession", json_pack("{s:I}", "sessionId", id)));
		assert_string_equal(t->error, "");
		assert_int_equal(sessions(t, false), 0);
	}
	assert_int_equal(sessions(t, true), 1);
}

/* Only elevation goes on as somebody else. */
static void session_account(void **state)
{
	struct test *t = *state;
	struct service sshd;
	struct wish wish;

	if (geteuid() != 0)
		skip();
	service_begin(t->w, "alice", "sshd", &sshd);
	wish = wish_for(&t->w->alice, sshd.login_id, "alice", "sshd");
	assert_true(gate_login(&t->gate, &wish).allowed);
	assert_true(service_redeem(&sshd, sshd.login_text, wish.ticket).allowed);
	assert_false(allowed(t, &sshd, "OpenSession", session_of(&sshd, "root"), NULL));
	assert_true(allowed(t, &sshd, "OpenSession", session_of(&sshd, "alice"), NULL));
	service_close(&sshd);
}

static void session_is_judged_anew(void **state)
{
	struct test *t = *state;
	struct identity identity;

	if (geteuid() != 0)
		skip();
	logged_in(t);
	assert_int_equal(store_identity_set_enabled(t->w->a.store, "alice", false, "", &identity),
			 0);
	assert_int_equal(store_commit(t->w->a.store), 0);
	assert_false(allowed(t, &t->pam, "OpenSession", session_of(&t->pam, "alice"), NULL));
	expect_event(t->w, "session.open", "deny", "identity-disabled");
	assert_int_equal(sessions(t, true), 0);
}

static void session_that_was_not_recorded(void **state)
{
	struct test *t = *state;

	if (geteuid() != 0)
		skip();
	logged_in(t);
	disk_break(t->w);
	expect_error(t, &t->pam, "OpenSession", session_of(&t->pam, "alice"), "SystemError");
	disk_mend();
	assert_int_equal(sessions(t, true), 0);
	assert_true(allowed(t, &t->pam, "OpenSession", session_of(&t->pam, "alice"), NULL));
	assert_int_equal(count_events(t->w, "session.open", "allow"), 1);
}

static void sessions_are_roots_affair(void **state)
{
	struct test *t = *state;
	struct service other;
	struct wish wish;

	connect_other(t, &other);
	begin_on(t, &other, "alice", "sudo");
	wish = proved(t, &other);
	assert_true(service_redeem(&other, other.login_text, wish.ticket).allowed);
	expect_error(t, &other, "OpenSession", session_of(&other, "alice"), "PermissionDenied");
	expect_error(t, &other, "CloseSession", json_pack("{s:i}", "sessionId", 1),
		     "PermissionDenied");
	service_close(&other);
}

/* --- the end without a ticket --- */

static void abandon_ends_it_and_gives_the_event(void **state)
{
	struct test *t = *state;
	json_t *answer = call(t, &t->pam, "Abandon",
			      json_pack("{s:s, s:s}", "loginId", t->pam.login_text, "reason",
					"no key\x01 was found"));

	assert_string_equal(t->error, "");
	assert_true(json_integer_value(json_object_get(answer, "event")) > 0);
	json_decref(answer);
	expect_event(t->w, "login.abandon", "deny", "no-proof");
	assert_int_equal(logins_count(t->w->a.logins), 0);
	expect_error(t, &t->pam, "Abandon",
		     json_pack("{s:s, s:s}", "loginId", t->pam.login_text, "reason", ""),
		     "InvalidLogin");
}

/* --- certificates --- */

static void find_those_that_were_named(void **state)
{
	struct test *t = *state;
	const struct view *spki = &t->w->alice.cert->spki, *der = &t->w->alice.cert->der;
	_cleanup_(freep) char *hers = base64_encode_new(spki->p, spki->n);
	_cleanup_(freep) char *cert = base64_encode_new(der->p, der->n);
	json_t *answer, *list, *many = json_array();

	answer = call(t, &t->pam, "FindCertificates",
		      json_pack("{s:[s, s]}", "spkis", "AAAA", hers));
	assert_string_equal(t->error, "");
	list = json_object_get(answer, "certificates");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_array_get(list, 0)), cert);
	json_decref(answer);
	answer = call(t, &t->pam, "FindCertificates", json_pack("{s:[]}", "spkis"));
	assert_int_equal(json_array_size(json_object_get(answer, "certificates")), 0);
	json_decref(answer);
	expect_error(t, &t->pam, "FindCertificates", json_pack("{s:[s]}", "spkis", "!"),
		     "InvalidParameter");
	for (size_t i = 0; i <= LIMIT_FIND_SPKIS; i++)
		(void)json_array_append_new(many, json_string("AAAA"));
	expect_error(t, &t->pam, "FindCertificates", json_pack("{s:o}", "spkis", many),
		     "InvalidParameter");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(begin_tells_the_class),
		T(begin_takes_names_alone),
		T(begin_ends_the_login_before),
		T(connection_ends_its_login),
		T(redeem_on_its_own_connection_alone),
		T(redeem_tries_are_limited),
		T(redeem_takes_tickets_alone),
		T(lost_record_is_no_login),
		T(account_of_whom_was_logged_in),
		T(account_is_judged_anew),
		T(denials_without_their_rows),
		T(abandon_tells_a_row_that_there_is),
		T(account_of_another_uids_login),
		T(session_of_what_cannot_be),
		T(session_once),
		T(session_account),
		T(session_is_judged_anew),
		T(session_that_was_not_recorded),
		T(sessions_are_roots_affair),
		T(abandon_ends_it_and_gives_the_event),
		T(find_those_that_were_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
