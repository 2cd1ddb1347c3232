// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>

#include <cmocka.h>

#include "tests/unit/admin-client.h"

/* Sessions, events, and that nothing is told before it is on disk. */

/* --- sessions --- */

static void sessions_are_listed(void **state)
{
	struct lab *lab = *state;
	struct session s = { .login_id = "AAAA-AAAA-AAAA-A",
			     .identity = "alice",
			     .account_auth = "alice",
			     .account_now = "root",
			     .service = "sudo",
			     .pid = 7,
			     .boot_id = "x" };
	int64_t first, second;
	json_t *reply;

	assert_int_equal(store_session_open(lab->a.store, &s, &first), 0);
	assert_int_equal(store_session_open(lab->a.store, &s, &second), 0);
	assert_int_equal(store_session_close(lab->a.store, first, "closed"), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
	reply = good(call(lab, "ListSessions", json_object()));
	assert_int_equal(json_array_size(json_object_get(reply, "sessions")), 1);
	json_decref(reply);
	reply = good(call(lab, "ListSessions", json_pack("{s:b, s:i}", "all", 1, "limit", 1)));
	assert_int_equal(json_array_size(json_object_get(reply, "sessions")), 1);
	assert_true(yes_at(reply, "more"));
	json_decref(reply);
	reply = good(call(lab, "GetSession", json_pack("{s:I}", "id", (json_int_t)first)));
	assert_string_equal(text_at(reply, "session", "ended"), "closed");
	assert_string_equal(text_at(reply, "session", "accountNow"), "root");
	assert_int_equal(int_at(json_object_get(reply, "session"), "closed"), LAB_NOW);
	json_decref(reply);
	reply = good(call(lab, "GetSession", json_pack("{s:I}", "id", (json_int_t)second)));
	assert_null(json_object_get(json_object_get(reply, "session"), "closed"));
	json_decref(reply);
	expect_error(call(lab, "GetSession", json_pack("{s:i}", "id", 99)), ".NotFound", "what",
		     "session");
}

/* --- the audit --- */

static void fill_events(struct lab *lab, int n, const char *detail)
{
	const struct event e = { .kind = "login.redeem", .verdict = "deny", .detail = detail };

	for (int i = 0; i < n; i++)
		assert_int_equal(store_event_append(lab->a.store, &e, NULL), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
}

static void events_are_shown_whole(void **state)
{
	struct lab *lab = *state;
	const struct event e = { .kind = "login.redeem",
				 .verdict = "allow",
				 .identity = "alice",
				 .certificate = { 0xab },
				 .has_certificate = true,
				 .detail = "{\"checks\":[{\"check\":\"proof\"}]}" };
	json_t *reply, *row;

	assert_int_equal(store_event_append(lab->a.store, &e, NULL), 0);
	fill_events(lab, 1, "no json");
	reply = good(call(lab, "GetEvent", json_pack("{s:i}", "id", 1)));
	row = json_object_get(reply, "event");
	assert_int_equal(strlen(text_at(row, NULL, "uuid")), 36);
	assert_int_equal(text_at(row, NULL, "uuid")[14], '7');
	assert_string_equal(text_at(row, NULL, "identity"), "alice");
	assert_int_equal(strncmp(text_at(row, NULL, "certificate"), "ab00", 4), 0);
	assert_int_equal(int_at(row, "time"), LAB_NOW);
	assert_true(json_is_array(json_object_get(json_object_get(row, "detail"), "checks")));
	json_decref(reply);
	reply = good(call(lab, "GetEvent", json_pack("{s:i}", "id", 2)));
	row = json_object_get(reply, "event");
	assert_string_equal(text_at(row, NULL, "certificate"), "");
	assert_string_equal(text_at(row, "detail", "text"), "no json");
	json_decref(reply);
	expect_error(call(lab, "GetEvent", json_pack("{s:i}", "id", 3)), ".NotFound", "what",
		     "event");
}

static int64_t id_of(const json_t *reply, size_t i)
{
	return int_at(json_array_get(json_object_get(reply, "events"), i), "id");
}

static void events_are_filtered(void **state)
{
	struct lab *lab = *state;
	json_t *reply;
	size_t n;

	add(lab, "alice");
	fill_events(lab, 5, NULL);
	reply = good(call(lab, "ListEvents", json_pack("{s:s}", "kind", "admin")));
	assert_int_equal(json_array_size(json_object_get(reply, "events")), 1);
	json_decref(reply);
	reply = good(
		call(lab, "ListEvents", json_pack("{s:i, s:s}", "last", 2, "verdict", "deny")));
	n = json_array_size(json_object_get(reply, "events"));
	assert_int_equal(n, 2);
	assert_int_equal(id_of(reply, 0), 5);
	assert_int_equal(id_of(reply, 1), 6);
	assert_false(yes_at(reply, "more"));
	json_decref(reply);
	reply = good(call(lab, "ListEvents", json_pack("{s:i, s:i}", "after", 2, "limit", 3)));
	assert_int_equal(id_of(reply, 0), 3);
	assert_true(yes_at(reply, "more"));
	json_decref(reply);
	expect_error(call(lab, "ListEvents", json_pack("{s:i}", "last", -1)), ".InvalidValue",
		     "field", "last");
}

/* More rows than an answer holds: nothing is lost, and the newest are those of `last`. */
static void answers_stay_below_the_message_limit(void **state)
{
	struct lab *lab = *state;
	char detail[3000];
	size_t n = 0, pages = 0;
	int64_t after = 0;
	bool more = true;
	json_t *reply;

	memset(detail, 'x', sizeof(detail));
	memcpy(detail, "{\"a\":\"", 6);
	memcpy(detail + sizeof(detail) - 3, "\"}", 3);
	fill_events(lab, 500, detail);
	for (; more; pages++) {
		size_t got;

		reply = good(
			call(lab, "ListEvents", json_pack("{s:I}", "after", (json_int_t)after)));
		got = json_array_size(json_object_get(reply, "events"));
		assert_int_equal(id_of(reply, 0), after + 1);
		after = id_of(reply, got - 1);
		n += got;
		more = yes_at(reply, "more");
		json_decref(reply);
	}
	assert_int_equal(n, 500);
	assert_int_equal(pages, 2);
	reply = good(call(lab, "ListEvents", json_pack("{s:i}", "last", 500)));
	n = json_array_size(json_object_get(reply, "events"));
	assert_true(n > 100 && n < 500);
	assert_int_equal(id_of(reply, n - 1), 500);
	assert_int_equal(id_of(reply, 0), 500 - (int64_t)n + 1);
	assert_true(yes_at(reply, "more"));
	json_decref(reply);
}

static void audit_is_verified_in_slices(void **state)
{
	struct lab *lab = *state;
	json_t *reply, *next;

	fill_events(lab, 5001, NULL);
	reply = good(call(lab, "VerifyAudit", json_object()));
	assert_int_equal(int_at(reply, "checked"), 5000);
	assert_false(yes_at(reply, "done"));
	assert_true(yes_at(reply, "good"));
	assert_null(json_object_get(reply, "firstBad"));
	next = json_pack("{s:I, s:s}", "after", (json_int_t)5000, "head",
			 text_at(reply, NULL, "head"));
	json_decref(reply);
	reply = good(call(lab, "VerifyAudit", next));
	assert_int_equal(int_at(reply, "checked"), 5001);
	assert_true(yes_at(reply, "done"));
	assert_true(yes_at(reply, "good"));
	json_decref(reply);
	/* a head that is not the one of that row */
	reply = good(call(lab, "VerifyAudit",
			  json_pack("{s:i, s:s}", "after", 5000, "head",
				    "00000000000000000000000000000000000000000000000000000000000000"
				    "00")));
	assert_false(yes_at(reply, "good"));
	assert_int_equal(int_at(reply, "firstBad"), 5001);
	json_decref(reply);
	expect_error(call(lab, "VerifyAudit", json_pack("{s:s}", "head", "00")), ".InvalidValue",
		     "field", "head");
	expect_error(call(lab, "VerifyAudit", json_pack("{s:i}", "after", -1)), ".InvalidValue",
		     "field", "after");
}

/* --- what is acknowledged is durable --- */

/* From here on no commit reaches the disk: the log cannot grow. */
static void break_disk(const struct lab *lab)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s-wal", lab->database);
	assert_int_equal(stat(path, &st), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	set_file_limit((rlim_t)st.st_size);
}

static void nothing_is_told_that_was_not_recorded(void **state)
{
	struct lab *lab = *state;
	int one = connect_as(lab, 0, 0), two = connect_as(lab, 0, 0);
	struct event_check check;
	struct identity identity;

	add(lab, "alice");
	break_disk(lab);
	/* a change beside one that fails by itself */
	ask(one, "AddIdentity", json_pack("{s:s}", "name", "bob"));
	ask(two, "AddIdentity", json_pack("{s:s}", "name", "alice"));
	expect_error(await(lab, one), ".SystemError", NULL, NULL);
	expect_error(await(lab, two), ".Exists", "what", "identity");
	/* trust does not change before its record */
	expect_error(
		call_on(lab, one, "AddAnchor",
			json_pack("{s:s, s:o}", "name", "ca", "certificate", der(lab->ca_cert))),
		".SystemError", NULL, NULL);
	assert_int_equal(lab->a.n_anchors, 0);
	/* who reads what somebody else's turn has written */
	assert_int_equal(store_identity_add(lab->a.store, "bob", "", 0, 9, &identity), 0);
	expect_error(call_on(lab, two, "GetIdentity", json_pack("{s:s}", "name", "bob")),
		     ".SystemError", NULL, NULL);
	set_file_limit(RLIM_INFINITY);
	expect_error(call(lab, "GetIdentity", json_pack("{s:s}", "name", "bob")), ".NotFound",
		     "what", "identity");
	add(lab, "carol");
	assert_int_equal(store_event_verify(lab->a.store, 0, NULL, 100, &check), 0);
	assert_true(check.good);
	assert_int_equal(check.checked, 2); /* alice, carol */
	(void)close(one);
	(void)close(two);
}

/* A change that fails leaves nothing open: the turn ends, the housekeeping finds the store idle. */
static void failed_change_ends_its_turn(void **state)
{
	struct lab *lab = *state;

	add(lab, "alice");
	expect_error(call(lab, "AddIdentity", json_pack("{s:s}", "name", "alice")), ".Exists", NULL,
		     NULL);
	while (sd_event_run(lab->a.event, 0) > 0)
		;
	assert_false(store_dirty(lab->a.store));
}

static void backup_is_a_database_beside_what_waits(void **state)
{
	struct lab *lab = *state;
	int writer = connect_as(lab, 0, 0), copier = connect_as(lab, 0, 0);
	struct store_options options = { .clock = &lab->clock };
	struct identity identity;
	struct store *copy;
	struct stat st;
	json_t *reply;

	ask(writer, "AddIdentity", json_pack("{s:s}", "name", "alice"));
	ask(copier, "Backup", json_object());
	done(await(lab, writer));
	reply = good(await(lab, copier));
	expect_event(lab, "admin.backup", "uid 0", "backup/certlogin-20270115T080000");
	assert_int_equal(stat(text_at(reply, NULL, "path"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, int_at(reply, "bytes"));
	assert_int_equal(stat(lab->backup, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	options.path = text_at(reply, NULL, "path");
	assert_int_equal(store_open(&options, &copy, NULL), 0);
	assert_int_equal(store_identity_get(copy, "alice", &identity), 0);
	store_close(copy);
	json_decref(reply);
	expect_error(call(lab, "Backup", json_object()), ".Exists", "what", "backup");
	(void)close(writer);
	(void)close(copier);
}

static void note_result(void *userdata, int r)
{
	*(int *)userdata = r;
}

static int late_result;

/* Just before the backup somebody's allow comes, and waits for its record. */
static int backup_after_an_allow(struct vl_call *call, json_t *parameters, void *userdata)
{
	struct authority *a = userdata;
	const struct event allow = { .kind = "login.redeem" };

	assert_int_equal(store_event_append(a->store, &allow, NULL), 0);
	assert_int_equal(turn_defer(a->turn, note_result, &late_result), 0);
	return admin_backup(call, parameters, a);
}

static void backup_takes_no_record_from_others(void **state)
{
	static const struct vl_field no_fields[] = { { NULL, VL_STRING, false, 0 } };
	static const struct vl_method methods[] = {
		{ "Backup", backup_after_an_allow, no_fields, ROLE_ROOT },
		{ NULL, NULL, NULL, 0 },
	};
	const struct vl_interface late = { "org.certlogin.Admin", "", methods };
	struct lab *lab = *state;

	lab->a.admin_api = vl_server_free(lab->a.admin_api);
	start(lab, &late);
	break_disk(lab);
	late_result = 1;
	expect_error(call(lab, "Backup", json_object()), ".SystemError", NULL, NULL);
	while (late_result == 1)
		assert_true(sd_event_run(lab->a.event, 1000000) > 0);
	assert_true(late_result < 0);
}

static void status_tells_what_there_is(void **state)
{
	struct lab *lab = *state;
	const struct cert *host = signer_cert(lab->a.signer);
	char pin[7 + BASE64_SIZE(SHA256_BYTES)] = "sha256:";
	json_t *reply, *status;

	add(lab, "alice");
	lab->a.logins_denied = 3;
	base64_encode(host->spki_sha256, SHA256_BYTES, pin + 7);
	reply = good(call(lab, "Status", json_object()));
	status = json_object_get(reply, "status");
	assert_string_equal(text_at(status, NULL, "version"), PACKAGE_VERSION);
	assert_string_equal(text_at(status, NULL, "hostPin"), pin);
	assert_int_equal(int_at(status, "pid"), getpid());
	assert_int_equal(int_at(status, "uptimeSeconds"), 90);
	assert_int_equal(int_at(status, "identities"), 1);
	assert_int_equal(int_at(status, "events"), 1);
	assert_int_equal(int_at(status, "loginsDenied"), 3);
	assert_int_equal(int_at(status, "gatesLocal"), 0);
	assert_int_equal(int_at(status, "clockFloor"), PACKAGE_DATE * SEC);
	assert_false(yes_at(status, "ballastReleased"));
	assert_false(yes_at(status, "recordsFail"));
	json_decref(reply);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(sessions_are_listed),
		T(events_are_shown_whole),
		T(events_are_filtered),
		T(answers_stay_below_the_message_limit),
		T(audit_is_verified_in_slices),
		T(nothing_is_told_that_was_not_recorded),
		T(failed_change_ends_its_turn),
		T(backup_is_a_database_beside_what_waits),
		T(backup_takes_no_record_from_others),
		T(status_tells_what_there_is),
	};

	lab_become_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
