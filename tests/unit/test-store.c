// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/store-lab.h"

static struct certificate_new certificate_of(const char *identity, uint8_t n)
{
	static const uint8_t name[] = { 0x30, 0x00 };
	static uint8_t serial[1];
	struct certificate_new c = { .identity = identity,
				     .der = name,
				     .der_n = 2,
				     .issuer = name,
				     .issuer_n = 2,
				     .serial = serial,
				     .serial_n = 1,
				     .subject = "CN=x",
				     .not_after = 9 };

	memset(c.sha256, n, SHA256_BYTES);
	memset(c.spki_sha256, n, SHA256_BYTES);
	return c;
}

static void identity_life(void **state)
{
	struct fixture *f = *state;
	struct identity identity, *rows;
	size_t n;

	add_identity(f, "alice");
	assert_int_equal(store_identity_add(f->store, "alice", "", 0, 1, &identity), -EEXIST);
	assert_int_equal(store_identity_get(f->store, "bob", &identity), -ENOENT);
	assert_int_equal(store_identity_set_enabled(f->store, "alice", false, "left", &identity),
			 0);
	assert_false(identity.enabled);
	assert_string_equal(identity.reason, "left");
	assert_int_equal(store_identity_set_enabled(f->store, "bob", false, "", &identity),
			 -ENOENT);
	add_identity(f, "bob");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_identity_list(f->store, "alice", 10, &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].name, "bob");
	free(rows);
	assert_int_equal(store_identity_remove(f->store, "alice"), 0);
	assert_int_equal(store_identity_remove(f->store, "alice"), -ENOENT);
}

static void certificate_life(void **state)
{
	struct fixture *f = *state;
	struct certificate_new c = certificate_of("alice", 1);
	struct certificate_owner owner;
	struct certificate found, *rows;
	size_t n;

	assert_int_equal(store_certificate_add(f->store, &c), -ENOENT);
	add_identity(f, "alice");
	assert_int_equal(store_certificate_add(f->store, &c), 0);
	assert_int_equal(store_certificate_add(f->store, &c), -EEXIST);
	add_identity(f, "bob");
	c = certificate_of("bob", 2);
	memset(c.spki_sha256, 1, SHA256_BYTES); /* alice's key */
	assert_int_equal(store_certificate_add(f->store, &c), -EEXIST);
	assert_int_equal(store_certificate_owner(f->store, c.sha256, &owner), -ENOENT);
	c = certificate_of("alice", 1);
	assert_int_equal(store_certificate_owner(f->store, c.sha256, &owner), 0);
	assert_string_equal(owner.identity_name, "alice");
	assert_true(owner.enabled);
	assert_int_equal(store_certificate_get_spki(f->store, c.spki_sha256, &found), 0);
	assert_int_equal(found.der_n, 2);
	certificate_deinit(&found);
	assert_int_equal(store_certificate_list(f->store, "alice", NULL, 5, &rows, &n), 0);
	assert_int_equal(n, 1);
	free(rows);
	assert_int_equal(store_certificate_list(f->store, NULL, c.sha256, 5, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
	/* the identity goes, and its certificates with it: they are free for others */
	assert_int_equal(store_identity_remove(f->store, "alice"), 0);
	assert_int_equal(store_certificate_owner(f->store, c.sha256, &owner), -ENOENT);
	c.identity = "bob";
	assert_int_equal(store_certificate_add(f->store, &c), 0);
	assert_int_equal(store_certificate_remove(f->store, c.sha256), 0);
	assert_int_equal(store_certificate_remove(f->store, c.sha256), -ENOENT);
}

static void access_rows(void **state)
{
	struct fixture *f = *state;
	struct access_row row = { .identity = "alice",
				  .account = "root",
				  .service = "sudo",
				  .not_after = 9 },
			  *rows;
	struct identity identity;
	size_t n;
	bool any;

	assert_int_equal(store_access_allow(f->store, &row), -ENOENT);
	add_identity(f, "alice");
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
	assert_int_equal(store_access_allow(f->store, &row), 0);
	row.not_after = 10;
	assert_int_equal(store_access_allow(f->store, &row), 0); /* replaces */
	strcpy(row.service, "@login");
	assert_int_equal(store_access_allow(f->store, &row), 0);
	assert_int_equal(
		store_access_find(f->store, identity.id, "root", "sudo", "@elevate", &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].not_after, 10);
	free(rows);
	assert_int_equal(
		store_access_find(f->store, identity.id, "roo", "sudo", "@elevate", &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
	assert_int_equal(store_access_any(f->store, identity.id, "root", &any), 0);
	assert_true(any);
	assert_int_equal(store_access_any(f->store, identity.id, "alice", &any), 0);
	assert_false(any);
	assert_int_equal(store_access_deny(f->store, "alice", "root", "sudo"), 0);
	assert_int_equal(store_access_deny(f->store, "alice", "root", "sudo"), -ENOENT);
	/* who gets the number of a removed identity gets none of its rights */
	assert_int_equal(store_identity_remove(f->store, "alice"), 0);
	add_identity(f, "mallory");
	assert_int_equal(store_access_list(f->store, NULL, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

static void service_rows(void **state)
{
	struct fixture *f = *state;
	struct service_row row, sshd = { .name = "x",
					 .class = CLASS_ELEVATE,
					 .via = VIA_LOCAL,
					 .loose = true,
					 .redeem_uids = "0" };

	assert_int_equal(store_service_get(f->store, "sudo", &row), 0);
	assert_int_equal(row.class, CLASS_ELEVATE);
	assert_true(service_uid_allowed(&row, 0));
	assert_false(service_uid_allowed(&row, 1));
	/* a loose ticket for an elevating service cannot even be written down */
	assert_int_equal(store_service_set(f->store, &sshd), -EINVAL);
	sshd.class = CLASS_APP;
	strcpy(sshd.redeem_uids, "0,");
	assert_int_equal(store_service_set(f->store, &sshd), -EINVAL);
	strcpy(sshd.redeem_uids, "0");
	assert_int_equal(store_service_set(f->store, &sshd), 0);
	assert_int_equal(store_service_remove(f->store, "x"), 0);
	assert_int_equal(store_service_get(f->store, "x", &row), -ENOENT);
}

static void uid_lists(_unused_ void **state)
{
	static const char *const bad[] = { "",	 ",",  "0,",	     ",0",   "a",  "-1",
					   "0 ", "00", "4294967295", "0,,1", "Any" };
	struct service_row row = { .redeem_uids = "0,113" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(service_uids_ok(bad[i]));
	assert_true(service_uids_ok("0,113"));
	assert_true(service_uids_ok("any"));
	assert_true(service_uid_allowed(&row, 113));
	assert_false(service_uid_allowed(&row, 13));
	row.redeem_uids[0] = '\0';
	assert_false(service_uid_allowed(&row, 0)); /* an empty list is nobody */
}

static void add_rule(struct fixture *f, const char *name, int64_t position, int expected)
{
	struct rule_row row = { .position = position, .goes_on = true };

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	strcpy(row.anchor_name, "corp");
	strcpy(row.match, "<SUBJECT>x");
	strcpy(row.yield, "{mail}");
	strcpy(row.domains, "a b");
	assert_int_equal(store_rule_add(f->store, &row), expected);
}

static void expect_rules(struct fixture *f, const char *names)
{
	struct rule_row *rows;
	char got[64] = "";
	size_t n;

	assert_int_equal(store_rule_list(f->store, &rows, &n), 0);
	for (size_t i = 0; i < n; i++) {
		strcat(got, rows[i].name);
		assert_int_equal(rows[i].position, i + 1);
	}
	assert_string_equal(got, names);
	free(rows);
}

static void rule_rows(void **state)
{
	struct fixture *f = *state;
	uint64_t revision;
	struct rule_row *rows;
	int64_t id;
	size_t n;

	add_rule(f, "a", 0, -ENOENT);
	assert_int_equal(store_anchor_add(f->store,
					  &(struct anchor_new){ .name = "corp",
								.der = (const uint8_t *)"x",
								.der_n = 1 },
					  &id),
			 0);
	assert_int_equal(store_commit(f->store), 0);
	revision = store_revision(f->store);
	add_rule(f, "a", 0, 0);
	add_rule(f, "a", 0, -EEXIST);
	assert_int_equal(store_commit(f->store), 0);
	assert_true(store_revision(f->store) > revision);
	add_rule(f, "b", 0, 0);
	add_rule(f, "c", 1, 0);
	add_rule(f, "d", 2, 0);
	expect_rules(f, "cdab");
	add_rule(f, "e", 99, 0);
	expect_rules(f, "cdabe");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_rule_move(f->store, "c", 3), 0);
	expect_rules(f, "dacbe");
	assert_int_equal(store_rule_move(f->store, "e", 1), 0);
	expect_rules(f, "edacb");
	assert_int_equal(store_rule_move(f->store, "e", 1), 0);
	expect_rules(f, "edacb");
	assert_int_equal(store_rule_move(f->store, "x", 1), -ENOENT);
	assert_int_equal(store_rule_remove(f->store, "a"), 0);
	assert_int_equal(store_rule_remove(f->store, "a"), -ENOENT);
	add_rule(f, "f", 3, 0);
	expect_rules(f, "edfcb");
	assert_int_equal(store_rule_list(f->store, &rows, &n), 0);
	assert_int_equal(rows[0].anchor, id);
	assert_string_equal(rows[0].anchor_name, "corp");
	assert_string_equal(rows[0].match, "<SUBJECT>x");
	assert_string_equal(rows[0].yield, "{mail}");
	assert_string_equal(rows[0].domains, "a b");
	assert_true(rows[0].goes_on);
	assert_false(rows[0].creates);
	free(rows);
	/* they are of their anchor */
	assert_int_equal(store_anchor_remove(f->store, "corp"), 0);
	expect_rules(f, "");
}

static void anchor_rows(void **state)
{
	struct fixture *f = *state;
	struct anchor_new new = { .name = "corp", .der = (const uint8_t *)"x", .der_n = 1 };
	struct anchor_row *rows;
	int64_t id;
	size_t n;

	assert_int_equal(store_anchor_add(f->store, &new, &id), 0);
	new.name = "corp2";
	new.kind = ANCHOR_KEY; /* the same bytes are the same anchor */
	assert_int_equal(store_anchor_add(f->store, &new, &id), -EEXIST);
	assert_int_equal(store_anchor_list(f->store, &rows, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].policy, "{}");
	anchor_rows_free(rows, n);
	assert_int_equal(store_anchor_set_policy(f->store, "corp", "{\"form\":true}"), 0);
	assert_int_equal(store_anchor_set_policy(f->store, "corp2", "{}"), -ENOENT);
	assert_int_equal(store_anchor_list(f->store, &rows, &n), 0);
	assert_string_equal(rows[0].policy, "{\"form\":true}");
	anchor_rows_free(rows, n);
	assert_int_equal(store_anchor_remove(f->store, "corp"), 0);
	assert_int_equal(store_anchor_remove(f->store, "corp"), -ENOENT);
}

static void kinds_of_anchors(void **state)
{
	struct fixture *f = *state;
	static const enum anchor_kind kinds[] = { ANCHOR_CA, ANCHOR_INTERMEDIATE, ANCHOR_KEY };
	static const char *const names[] = { "ca", "intermediate", "key" };
	enum anchor_kind kind;
	struct anchor_row *rows;
	int64_t id;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct anchor_new new = { .name = names[i],
						.kind = kinds[i],
						.der = (const uint8_t *)names[i],
						.der_n = 1,
						.policy = "{\"ekuAny\":true}" };

		assert_int_equal(store_anchor_add(f->store, &new, &id), 0);
		assert_string_equal(anchor_kind_text(kinds[i]), names[i]);
		assert_int_equal(anchor_kind_parse(names[i], &kind), 0);
		assert_int_equal(kind, kinds[i]);
	}
	assert_string_equal(anchor_kind_text((enum anchor_kind)9), "");
	assert_int_equal(anchor_kind_parse("", &kind), -EINVAL);
	assert_int_equal(anchor_kind_parse("CA", &kind), -EINVAL);
	assert_int_equal(store_anchor_list(f->store, &rows, &n), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rows[i].kind, kinds[i]);
		assert_string_equal(rows[i].policy, "{\"ekuAny\":true}");
	}
	anchor_rows_free(rows, n);
}

static void session_life(void **state)
{
	struct fixture *f = *state;
	struct session s = { .login_id = "A",
			     .identity = "alice",
			     .account_auth = "alice",
			     .account_now = "root",
			     .service = "sudo",
			     .pid = 7,
			     .boot_id = "b" },
		       *rows, back;
	int64_t id;
	size_t n;

	assert_int_equal(store_session_open(f->store, &s, &id), 0);
	assert_int_equal(store_session_list(f->store, false, 0, 10, &rows, &n), 0);
	assert_int_equal(n, 1);
	free(rows);
	assert_int_equal(store_session_close(f->store, id, "closed"), 0);
	assert_int_equal(store_session_close(f->store, id, "closed"), -ENOENT);
	assert_int_equal(store_session_get(f->store, id, &back), 0);
	assert_string_equal(back.ended, "closed");
	assert_true(back.closed >= back.opened);
	assert_int_equal(store_session_list(f->store, false, 0, 10, &rows, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

static void rollback_keeps_the_chain(void **state)
{
	struct fixture *f = *state;
	uint64_t revision = store_revision(f->store);
	struct identity identity;

	append(f, "a");
	assert_int_equal(store_commit(f->store), 0);
	append(f, "b");
	add_identity(f, "alice");
	assert_true(store_dirty(f->store));
	store_rollback(f->store);
	assert_false(store_dirty(f->store));
	assert_int_equal(store_identity_get(f->store, "alice", &identity), -ENOENT);
	assert_int_equal(store_revision(f->store), revision);
	assert_int_equal(append(f, "c"), 2);
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 9).good);
}

static void undone_change_leaves_its_turn(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	append(f, "a");
	assert_int_equal(store_change_begin(f->store), 0);
	add_identity(f, "alice");
	append(f, "b");
	assert_int_equal(store_change_end(f->store, -ENOMEM), -ENOMEM);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), -ENOENT);
	assert_int_equal(store_change_begin(f->store), 0);
	add_identity(f, "bob");
	assert_int_equal(append(f, "c"), 2);
	assert_int_equal(store_change_end(f->store, 0), 0);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_identity_get(f->store, "bob", &identity), 0);
	assert_true(verified(f, 9).good);
}

/* SQLite has undone the turn by itself: no end of a change makes it whole again. */
static void change_of_a_lost_turn_fails(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	assert_int_equal(store_change_begin(f->store), 0);
	add_identity(f, "alice");
	assert_int_equal(sqlite3_exec(f->store->db, "ROLLBACK", NULL, NULL, NULL), 0);
	f->store->lost = true;
	assert_int_equal(store_change_end(f->store, 0), -EIO);
	assert_int_equal(store_commit(f->store), -EIO);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), -ENOENT);
	assert_int_equal(store_commit(f->store), 0);
}

static void failing_verb_leaves_its_turn(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	add_identity(f, "alice");
	assert_int_equal(store_identity_add(f->store, "alice", "", 0, 1, &identity), -EEXIST);
	append(f, "a");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
	assert_true(verified(f, 9).good);
}

static void authorizer_refuses(void **state)
{
	static const char *const sql[] = {
		"UPDATE event SET verdict = 'allow'",
		"DELETE FROM event",
		"ATTACH '/tmp/x' AS x",
		"DROP TABLE event",
		"CREATE TABLE x (y)",
		"PRAGMA synchronous = OFF",
		"ALTER TABLE identity ADD x",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sql); i++)
		assert_int_not_equal(sqlite3_exec(f->store->db, sql[i], NULL, NULL, NULL),
				     SQLITE_OK);
}

/* INSERT OR REPLACE is the one way past the authorizer: nobody may write it. */
static void catalogue_replaces_nothing(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < STMT_MAX_; i++)
		assert_null(strcasestr(sqlite3_sql(f->store->stmts[i]), "REPLACE"));
}

static bool plan_scans(struct fixture *f, enum statement id)
{
	char sql[4096];
	sqlite3_stmt *plan;
	bool scans = false;

	(void)snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(f->store->stmts[id]));
	assert_int_equal(sqlite3_prepare_v2(f->store->db, sql, -1, &plan, NULL), SQLITE_OK);
	while (sqlite3_step(plan) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(plan, 3);

		scans |= strncmp(text, "SCAN", 4) == 0 || strstr(text, "TEMP B-TREE");
	}
	sqlite3_finalize(plan);
	return scans;
}

/* What a login or a page of a list asks costs the same however many rows there are. */
static void no_login_walks_a_table(void **state)
{
	static const enum statement asked[] = {
		STMT_CERTIFICATE_OWNER,	  STMT_CERTIFICATE_GET, STMT_CERTIFICATE_GET_SPKI,
		STMT_CERTIFICATE_LIST_OF, STMT_ACCESS_FIND,	STMT_ACCESS_ANY,
		STMT_SERVICE_GET,	  STMT_IDENTITY_GET,	STMT_IDENTITY_GET_ID,
		STMT_IDENTITY_LIST,	  STMT_SESSION_GET,	STMT_EVENT_GET,
		STMT_EVENT_LIST,	  STMT_SESSION_LIST,
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		assert_false(plan_scans(f, asked[i]));
	assert_true(plan_scans(f, STMT_COUNTS)); /* that is how it would look */
}

/* A row that a fixed field cannot hold could be written, and never be read again. */
static void too_long_for_the_fields(void **state)
{
	struct fixture *f = *state;
	struct certificate_new c = certificate_of("alice", 1);
	struct identity identity, *rows;
	char text[600];
	int64_t id;
	size_t n;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	c.subject = text;
	add_identity(f, "alice");
	assert_int_equal(store_identity_add(f->store, text, "", 0, 1, &identity), -EINVAL);
	assert_int_equal(store_identity_add(f->store, "b", text, 0, 1, &identity), -EINVAL);
	assert_int_equal(store_identity_set_enabled(f->store, "alice", false, text, &identity),
			 -EINVAL);
	assert_int_equal(store_certificate_add(f->store, &c), -EINVAL);
	assert_int_equal(store_anchor_add(f->store,
					  &(struct anchor_new){ .name = text,
								.der = (const uint8_t *)"x",
								.der_n = 1 },
					  &id),
			 -EINVAL);
	text[LIMIT_IDENTITY] = '\0';
	assert_int_equal(store_identity_add(f->store, text, "", 0, 1, &identity), 0);
	assert_int_equal(store_identity_list(f->store, NULL, 9, &rows, &n), 0);
	assert_int_equal(n, 2);
	assert_true(rows[1].enabled);
	free(rows);
}

static void nul_in_a_name_is_corruption(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	add_identity(f, "alice");
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	raw(f, "UPDATE identity SET name = 'root' || char(0) || 'x'");
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_int_equal(store_identity_get_id(f->store, identity.id, &identity), -EUCLEAN);
	assert_int_equal(store_identity_get(f->store, "root", &identity), -ENOENT);
}

/* As any other program reads it. */
static int stored_number(struct fixture *f, const char *sql)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int n;

	f->store = store_close(f->store);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

static void new_file_is_private_and_marked(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(f->generation, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stored_number(f, "PRAGMA application_id"), 0x636c6f67);
	assert_int_equal(stored_number(f, "PRAGMA user_version"), 2);
}

static void revision_and_generation_count_policy_alone(void **state)
{
	struct fixture *f = *state;
	uint64_t revision = store_revision(f->store), generation = f->store->generation;

	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_revision(f->store), revision);
	add_identity(f, "alice");
	add_identity(f, "bob");
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_revision(f->store), revision + 1);
	reopen(f);
	assert_int_equal(store_revision(f->store), revision + 1);
	assert_int_equal(f->store->generation, generation + 1);
	shell("test \"$(cat %s)\" = %d", f->generation, (int)generation + 1);
}

static void big_numbers_come_back(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	assert_int_equal(store_identity_add(f->store, "a", "", INT64_C(1) << 40, STORE_FOREVER - 1,
					    &identity),
			 0);
	assert_int_equal(identity.not_before, INT64_C(1) << 40);
	assert_true(identity.not_after == STORE_FOREVER - 1);
}

static void foreign_and_newer_files_are_refused(void **state)
{
	struct fixture *f = *state;
	const char *why = "";

	f->store = store_close(f->store);
	raw(f, "PRAGMA user_version = 99");
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "newer"));
	raw(f, "PRAGMA user_version = 1; PRAGMA application_id = 1");
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "not a certlogin"));
}

/* Ends without closing, as a crash does: the WAL stays. */
static void append_and_crash(struct fixture *f)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct store *s;

		if (open_store(f, &s, NULL) < 0 ||
		    store_event_append(s, &(struct event){ .kind = "x" }, NULL) < 0)
			_exit(1);
		_exit(store_commit(s) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A page that opening alone does not read. */
static int access_page(struct fixture *f)
{
	return stored_number(f, "SELECT rootpage FROM sqlite_schema WHERE name = 'access'");
}

static void spoil_page(struct fixture *f, int page)
{
	_cleanup_(closep) int fd = open(f->path, O_WRONLY | O_CLOEXEC);
	char bad[4096];

	memset(bad, 0xff, sizeof(bad));
	assert_int_equal(pwrite(fd, bad, sizeof(bad), (off_t)4096 * (page - 1)), sizeof(bad));
}

static void corrupt_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	const char *why = "";
	int page = access_page(f);

	append_and_crash(f);
	spoil_page(f, page);
	shell("cd %s && cp db as-found && cp db-wal as-found-wal", f->dir);
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "set aside"));
	/* with its log, and nothing was written into either: they are evidence */
	shell("cd %s && mv db.corrupt-*-wal wal && cmp as-found-wal wal && cmp as-found "
	      "db.corrupt-*",
	      f->dir);
	/* and no empty database takes its place by itself */
	assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
	assert_non_null(strstr(why, "gone"));
	assert_int_equal(access(f->path, F_OK), -1);
}

/* What is broken is the small file: the database stays where it is. */
static void unreadable_generation_harms_nothing(void **state)
{
	static const char *const text[] = { "", "5", "x\\n", "5x\\n" };
	struct fixture *f = *state;
	struct identity identity;
	const char *why = "";

	add_identity(f, "alice");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		shell("printf '%s' >%s", text[i], f->generation);
		assert_int_equal(open_store(f, &f->store, &why), -EUCLEAN);
		assert_non_null(strstr(why, "'generation'"));
	}
	assert_int_equal(unlink(f->generation), 0);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
}

/* A crash between commit and file leaves the file behind: that denies nobody. */
static void generation_file_behind_is_brought_up(void **state)
{
	struct fixture *f = *state;

	add_identity(f, "alice");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	shell("echo 1 >%s", f->generation);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	shell("grep -qx %d %s", (int)f->store->generation, f->generation);
}

static void directory_may_be_a_link_the_file_not(void **state)
{
	struct fixture *f = *state;
	struct identity identity;

	add_identity(f, "alice");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	shell("cd %s && mkdir real && mv db generation real && ln -s real link", f->dir);
	(void)snprintf(f->path, sizeof(f->path), "%s/link/db", f->dir);
	(void)snprintf(f->generation, sizeof(f->generation), "%s/link/generation", f->dir);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	assert_int_equal(store_identity_get(f->store, "alice", &identity), 0);
	f->store = store_close(f->store);
	shell("cd %s/real && mv db other && ln -s other db", f->dir);
	assert_int_equal(open_store(f, &f->store, NULL), -ELOOP);
}

static void one_owner_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	const char *why = "";

	assert_int_equal(open_store(f, &second, &why), -EBUSY);
	assert_non_null(strstr(why, "in use"));
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	assert_true(verified(f, 9).good);
}

/* Not to be written: nothing is opened, nothing set aside, nothing made. */
static void unwritable_database_is_refused(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	f->store = store_close(f->store);
	shell("chmod 444 %s; chmod 555 %s", f->path, f->dir);
	pid = fork();
	if (pid == 0) {
		const char *why = "";
		int r;

		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		r = open_store(f, &f->store, &why);
		_exit(r == -EACCES && strstr(why, "cannot be written") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	shell("chmod 700 %s; chmod 600 %s; test \"$(ls %s)\" = \"$(printf 'db\\ngeneration')\"",
	      f->dir, f->path, f->dir);
	assert_int_equal(status, 0);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
}

static int64_t wal_bytes(struct fixture *f)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s-wal", f->path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void log_is_bounded_without_a_quiet_moment(void **state)
{
	enum { MIB = 1024 * 1024 };
	struct fixture *f = *state;
	char *detail = malloc(MIB);

	assert_non_null(detail);
	memset(detail, 'x', MIB - 1);
	detail[MIB - 1] = '\0';
	for (int i = 0; i < 40; i++) {
		struct event e = { .kind = "x", .detail = detail };

		assert_int_equal(store_event_append(f->store, &e, NULL), 0);
		assert_int_equal(store_checkpoint(f->store), -EBUSY); /* not inside a turn */
		assert_int_equal(store_commit(f->store), 0);
		assert_true(wal_bytes(f) < 20 * MIB);
	}
	free(detail);
	assert_int_equal(store_checkpoint(f->store), 0);
	assert_true(verified(f, 9).good);
}

static void older_database_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *why = "";

	add_identity(f, "alice");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	shell("cp %s %s.old", f->path, f->path);
	assert_int_equal(open_store(f, &f->store, NULL), 0);
	add_identity(f, "bob");
	assert_int_equal(store_commit(f->store), 0);
	f->store = store_close(f->store);
	shell("rm -f %s-wal; cp %s.old %s", f->path, f->path, f->path);
	assert_int_equal(open_store(f, &f->store, &why), -ESTALE);
	assert_non_null(strstr(why, "older"));
}

static void backup_is_whole_and_new(void **state)
{
	struct fixture *f = *state;
	char path[128];
	int64_t bytes = 0;

	add_identity(f, "alice");
	(void)snprintf(path, sizeof(path), "%s/copy", f->dir);
	assert_int_equal(store_backup(f->store, path, &bytes), 0);
	assert_true(bytes > 4096);
	assert_int_equal(store_backup(f->store, path, &bytes), -EEXIST);
	assert_true(verified(f, 9).good);
}

static void clock_floor(void **state)
{
	struct fixture *f = *state;
	int64_t then = store_now(f->store, true);

	f->now -= 3600 * 1000000LL;
	assert_true(store_now(f->store, true) >= then); /* set back: nothing revives */
	append(f, "x");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_true(store_now(f->store, false) >= then - 60000000);
	f->now += 7200 * 1000000LL;
	then = store_now(f->store, false); /* not synchronised: believed, but not kept */
	f->now -= 3600 * 1000000LL;
	assert_true(store_now(f->store, false) < then);
}

static void killed_process_loses_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t last = 0, id;

	f->store = store_close(f->store);
	for (int round = 0; round < 50; round++) {
		int pipe_fd[2];
		pid_t pid;

		assert_int_equal(pipe(pipe_fd), 0);
		pid = fork();
		if (pid == 0) {
			struct store *s;

			if (open_store(f, &s, NULL) < 0)
				_exit(1);
			for (;;) { /* each also a change of policy: the generation file moves */
				if (store_event_append(s, &(struct event){ .kind = "x" }, &id) <
					    0 ||
				    store_setting_set(s, "test", "x") < 0 || store_commit(s) < 0 ||
				    write(pipe_fd[1], &id, sizeof(id)) != sizeof(id))
					_exit(1);
			}
		}
		(void)close(pipe_fd[1]);
		for (int i = 0; i <= round; i++)
			assert_int_equal(read(pipe_fd[0], &last, sizeof(last)), sizeof(last));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while (read(pipe_fd[0], &id, sizeof(id)) == sizeof(id))
			last = id;
		(void)close(pipe_fd[0]);
		assert_int_equal(open_store(f, &f->store, NULL), 0);
		assert_true(verified(f, 1000).checked >= last);
		assert_true(verified(f, 1000).good);
		f->store = store_close(f->store);
	}
	assert_int_equal(open_store(f, &f->store, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(identity_life),
		T(certificate_life),
		T(access_rows),
		T(service_rows),
		cmocka_unit_test(uid_lists),
		T(anchor_rows),
		T(rule_rows),
		T(kinds_of_anchors),
		T(session_life),
		T(rollback_keeps_the_chain),
		T(undone_change_leaves_its_turn),
		T(change_of_a_lost_turn_fails),
		T(failing_verb_leaves_its_turn),
		T(authorizer_refuses),
		T(catalogue_replaces_nothing),
		T(no_login_walks_a_table),
		T(too_long_for_the_fields),
		T(nul_in_a_name_is_corruption),
		T(new_file_is_private_and_marked),
		T(revision_and_generation_count_policy_alone),
		T(big_numbers_come_back),
		T(foreign_and_newer_files_are_refused),
		T(corrupt_file_is_set_aside),
		T(unreadable_generation_harms_nothing),
		T(generation_file_behind_is_brought_up),
		T(directory_may_be_a_link_the_file_not),
		T(one_owner_at_a_time),
		T(unwritable_database_is_refused),
		T(log_is_bounded_without_a_quiet_moment),
		T(older_database_is_refused),
		T(backup_is_whole_and_new),
		T(clock_floor),
		T(killed_process_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
