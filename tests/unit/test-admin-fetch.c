// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <sqlite3.h>

#include "daemon/authority/fetch.h"
#include "lib/pki/ocsp.h"
#include "tests/unit/admin-client.h"

/* What is fetched, from where, and when. */

#define RETRY ((int64_t)LIMIT_FETCH_RETRY_USEC)

/* --- certificates with addresses --- */

/* A person's certificate of `ca` with these distribution points; the lab's CA: NULL. */
static struct cert *with_points(struct lab *lab, const struct issuer *ca, const char *const *uris,
				size_t n)
{
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t key = NULL;
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t pub = NULL;
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	const struct cert_spec spec = { .cn = "person",
					.eku = OID_CLIENT,
					.not_before = LAB_NOW - DAY,
					.not_after = LAB_NOW + 100 * DAY };

	ca = ca ? ca : &lab->ca;
	assert_int_equal(key_make(&key), 0);
	assert_int_equal(pubkey_of(key, &pub), 0);
	assert_int_equal(cert_make(&spec, pub, ca, &crt), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(gnutls_x509_crt_set_crl_dist_points2(crt, GNUTLS_SAN_URI, uris[i],
								      (unsigned)strlen(uris[i]), 0),
				 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0), 0);
	return lab_read_cert(crt);
}

static void enroll_with(struct lab *lab, const char *name, const struct issuer *ca, const char *uri)
{
	_cleanup_(cert_freep) struct cert *c = with_points(lab, ca, &uri, 1);

	lab_identity(lab, name);
	lab_enroll(lab, name, c);
}

/* --- jobs --- */

static json_t *jobs_page(struct lab *lab, const char *after)
{
	return good(call(lab, "ListFetchJobs", json_pack("{s:s?}", "after", after)));
}

/* The job of this address, on the only page. */
static bool find_job(struct lab *lab, const char *url, bool *ret_due)
{
	_cleanup_(json_decrefp) json_t *reply = jobs_page(lab, NULL);
	const json_t *row;
	size_t i;

	assert_null(json_object_get(reply, "next"));
	json_array_foreach(json_object_get(reply, "jobs"), i, row) {
		if (strcmp(text_at(row, NULL, "url"), url) != 0)
			continue;
		assert_string_equal(text_at(row, NULL, "kind"), "crl");
		assert_string_equal(text_at(row, NULL, "anchor"), "lab");
		*ret_due = yes_at(row, "due");
		return true;
	}
	return false;
}

static void expect_job(struct lab *lab, const char *url, bool due)
{
	bool is_due = !due;

	if (!find_job(lab, url, &is_due))
		fail_msg("%s: no job", url);
	if (is_due != due)
		fail_msg("%s: %s due", url, due ? "not" : "is");
}

static void expect_no_job(struct lab *lab, const char *url)
{
	bool due;

	if (find_job(lab, url, &due))
		fail_msg("%s: a job", url);
}

static void report(struct lab *lab, const char *url, const char *error)
{
	done(call(lab, "ReportFetch",
		  json_pack("{s:s, s:s, s:s?}", "kind", "crl", "url", url, "error", error)));
}

static void add_source(struct lab *lab, const char *url)
{
	done(call(lab, "AddSource", json_pack("{s:s, s:s}", "url", url, "anchor", "lab")));
}

/* A CRL at hand, as an import writes it. */
static void have_crl(struct lab *lab, const char *url, int64_t from, int64_t until, bool stale)
{
	static const char *const issuer =
		"INSERT INTO crl_issuer SELECT 1, id, %s zeroblob(32), 'CN=x' FROM anchor "
		"WHERE name = 'lab' ON CONFLICT DO NOTHING";
	char sql[1024];
	sqlite3 *db;

	store_close(lab->a.store);
	assert_int_equal(sqlite3_open(lab->database, &db), SQLITE_OK);
	/* this table has one more column in later versions */
	(void)snprintf(sql, sizeof(sql), issuer, "zeroblob(32),");
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		(void)snprintf(sql, sizeof(sql), issuer, "");
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	}
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO crl (issuer, signer, scope, number, this_update, next_update, "
		       "imported, entries, source, stale, revision) VALUES (1, "
		       "randomblob(32), x'', x'01', %lld, %lld, 1, 0, '%s', %d, 1)",
		       (long long)from, (long long)until, url, stale);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	lab_open_store(lab);
}

/* --- when --- */

static void two_thirds_of_the_window(_unused_ void **state)
{
	const int64_t now = LAB_NOW;

	assert_int_equal(fetch_again(now, now + 3 * DAY, now), now + 2 * DAY);
	assert_int_equal(fetch_again(now - 2 * DAY, now + DAY, now), now + RETRY); /* late */
	assert_int_equal(fetch_again(now - 9 * DAY, now - DAY, now), now + RETRY); /* stale */
	assert_int_equal(fetch_again(now, now + 60 * SEC, now), now + RETRY);
	assert_int_equal(fetch_again(now, 0, now), now + (int64_t)LIMIT_FETCH_AGAIN_USEC);
	assert_int_equal(fetch_again(0, INT64_MAX, now), INT64_MAX - INT64_MAX / 3);
}

static void due_times(_unused_ void **state)
{
	static const struct {
		struct source s;
		bool due;
	} t[] = {
		{ { .tried = 0 }, true },
		{ { .tried = LAB_NOW, .succeeded = LAB_NOW, .due = LAB_NOW + 1 }, false },
		{ { .tried = LAB_NOW, .succeeded = LAB_NOW, .due = LAB_NOW }, true },
		{ { .tried = LAB_NOW, .succeeded = LAB_NOW, .due = LAB_NOW + 1, .lost = true },
		  true },
		{ { .tried = LAB_NOW, .error = "x" }, false },
		{ { .tried = LAB_NOW, .error = "x", .lost = true }, false },
		{ { .tried = LAB_NOW - RETRY + 1, .error = "x" }, false },
		{ { .tried = LAB_NOW - RETRY, .error = "x" }, true },
		{ { .tried = LAB_NOW + DAY, .error = "x" }, true }, /* the clock was wrong */
		{ { .tried = LAB_NOW - RETRY, .succeeded = 1, .due = LAB_NOW + 1, .error = "x" },
		  false },
		{ { .tried = LAB_NOW - RETRY, .succeeded = 1, .due = LAB_NOW, .error = "x" },
		  true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		if (fetch_due(&t[i].s, LAB_NOW) != t[i].due)
			fail_msg("row %zu", i);
}

/* --- sources --- */

static void sources_are_added_and_removed(void **state)
{
	struct lab *lab = *state;
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const char *url = "http://pki.example/ca.crl";

	lab_anchor(lab, "lab", lab->ca_cert);
	add_source(lab, url);
	expect_event(lab, "admin.source.add", "uid 0", url);
	expect_error(call(lab, "AddSource", json_pack("{s:s, s:s}", "url", url, "anchor", "lab")),
		     ".Exists", "what", "source");
	expect_error(call(lab, "AddSource",
			  json_pack("{s:s, s:s}", "url", "http://x/", "anchor", "none")),
		     ".NotFound", "what", "anchor");
	expect_error(call(lab, "AddSource",
			  json_pack("{s:s, s:s}", "url", "ldap://x/", "anchor", "lab")),
		     ".InvalidValue", "why", "neither http nor https");
	reply = good(call(lab, "ListSources", json_object()));
	assert_int_equal(json_array_size(json_object_get(reply, "sources")), 1);
	assert_true(yes_at(reply, "fromCertificates"));
	expect_job(lab, url, true);
	done(call(lab, "RemoveSource", json_pack("{s:s}", "url", url)));
	expect_event(lab, "admin.source.remove", "uid 0", url);
	expect_no_job(lab, url);
	expect_error(call(lab, "RemoveSource", json_pack("{s:s}", "url", url)), ".NotFound", "what",
		     "source");
}

static void sources_go_with_their_anchor(void **state)
{
	struct lab *lab = *state;

	lab_anchor(lab, "lab", lab->ca_cert);
	add_source(lab, "http://a/");
	done(call(lab, "RemoveAnchor", json_pack("{s:s}", "name", "lab")));
	expect_no_job(lab, "http://a/");
}

static void sources_have_a_limit(void **state)
{
	struct lab *lab = *state;
	char url[32];

	lab_anchor(lab, "lab", lab->ca_cert);
	for (int i = 0; i < LIMIT_FETCH_SOURCES; i++) {
		(void)snprintf(url, sizeof(url), "http://a/%d", i);
		assert_int_equal(store_source_add(lab->a.store, url, "lab"), 0);
	}
	assert_int_equal(store_commit(lab->a.store), 0);
	expect_error(call(lab, "AddSource",
			  json_pack("{s:s, s:s}", "url", "http://b/", "anchor", "lab")),
		     ".InvalidValue", "why", "too many");
	enroll_with(lab, "alice", NULL, "http://c/");
	expect_no_job(lab, "http://c/");
	expect_job(lab, "http://a/0", true);
}

/* --- results --- */

static void a_failure_waits_ten_minutes(void **state)
{
	struct lab *lab = *state;
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const json_t *row;

	lab_anchor(lab, "lab", lab->ca_cert);
	add_source(lab, "http://a/");
	report(lab, "http://a/", "HTTP 404\033[2J");
	expect_job(lab, "http://a/", false);
	reply = good(call(lab, "ListSources", json_object()));
	row = json_array_get(json_object_get(reply, "sources"), 0);
	assert_string_equal(text_at(row, NULL, "error"), "HTTP 404?[2J");
	assert_int_equal(int_at(row, "tried"), LAB_NOW);
	assert_int_equal(int_at(row, "succeeded"), 0);
	lab->now += RETRY - 1;
	expect_job(lab, "http://a/", false);
	lab->now += 1;
	expect_job(lab, "http://a/", true);
}

static void a_success_waits_for_two_thirds(void **state)
{
	struct lab *lab = *state;

	lab_anchor(lab, "lab", lab->ca_cert);
	add_source(lab, "http://a/");
	have_crl(lab, "http://a/", LAB_NOW, LAB_NOW + 3 * DAY, false);
	have_crl(lab, "http://a/", LAB_NOW, LAB_NOW + 6 * DAY, false); /* of another signer */
	expect_job(lab, "http://a/", true);
	report(lab, "http://a/", NULL);
	expect_job(lab, "http://a/", false);
	lab->now += 2 * DAY - 1;
	expect_job(lab, "http://a/", false);
	lab->now += 1;
	expect_job(lab, "http://a/", true);
}

static void what_was_lost_is_due(void **state)
{
	struct lab *lab = *state;

	lab_anchor(lab, "lab", lab->ca_cert);
	add_source(lab, "http://a/");
	report(lab, "http://a/", NULL);
	expect_job(lab, "http://a/", true); /* forgotten: nothing is at hand of this anchor */
	have_crl(lab, "http://b/", LAB_NOW, LAB_NOW + DAY, false);
	expect_job(lab, "http://a/", false);
	have_crl(lab, "http://a/", LAB_NOW, LAB_NOW + DAY, true); /* restored */
	expect_job(lab, "http://a/", true);
}

static void reports_are_about_known_addresses(void **state)
{
	struct lab *lab = *state;

	lab_anchor(lab, "lab", lab->ca_cert);
	add_source(lab, "http://a/");
	expect_error(call(lab, "ReportFetch",
			  json_pack("{s:s, s:s}", "kind", "crl", "url", "http://b/")),
		     ".NotFound", "what", "source");
	expect_error(call(lab, "ReportFetch",
			  json_pack("{s:s, s:s, s:s}", "kind", "ocsp", "url", "http://a/", "error",
				    "x")),
		     ".NotFound", "what", "source");
	expect_error(
		call(lab, "ReportFetch", json_pack("{s:s, s:s}", "kind", "x", "url", "http://a/")),
		".InvalidValue", "field", "kind");
}

/* --- certificates --- */

static void addresses_of_the_enrolled(void **state)
{
	struct lab *lab = *state;
	static const char *const uris[] = { "ldap://x/", "http://cdp/1", "http://user@cdp/",
					    "http://cdp/2" };
	_cleanup_(cert_freep) struct cert *c = with_points(lab, NULL, uris, ARRAY_SIZE(uris));

	lab_anchor(lab, "lab", lab->ca_cert);
	expect_no_job(lab, "http://cdp/1");
	lab_identity(lab, "alice");
	lab_enroll(lab, "alice", c);
	expect_job(lab, "http://cdp/1", true);
	expect_job(lab, "http://cdp/2", true);
	expect_no_job(lab, "ldap://x/");
	expect_no_job(lab, "http://user@cdp/");
	/* switched off, and on again */
	done(call(lab, "SetFetch", json_pack("{s:b}", "fromCertificates", 0)));
	expect_event(lab, "admin.fetch.set", "uid 0", "false");
	expect_no_job(lab, "http://cdp/1");
	done(call(lab, "SetFetch", json_pack("{s:b}", "fromCertificates", 1)));
	expect_job(lab, "http://cdp/1", true);
	/* it is an administrator's from now on */
	add_source(lab, "http://cdp/1");
	done(call(lab, "SetFetch", json_pack("{s:b}", "fromCertificates", 0)));
	expect_job(lab, "http://cdp/1", true);
	expect_no_job(lab, "http://cdp/2");
}

static void addresses_of_strangers_are_not_used(void **state)
{
	struct lab *lab = *state;
	_cleanup_(issuer_deinitp) struct issuer other = { 0 };
	_cleanup_(cert_freep) struct cert *other_cert = NULL;

	lab_make_ca(&other, "Other CA", &other_cert);
	lab_anchor(lab, "lab", lab->ca_cert);
	enroll_with(lab, "alice", &other, "http://elsewhere/");
	expect_no_job(lab, "http://elsewhere/");
	enroll_with(lab, "bob", NULL, "http://here/");
	expect_job(lab, "http://here/", true);
	lab->now += 200 * DAY; /* no path is good any more */
	expect_no_job(lab, "http://here/");
}

static void addresses_of_who_was_unenrolled_end(void **state)
{
	struct lab *lab = *state;
	_cleanup_(freep) struct source *rows = NULL;
	size_t n;

	lab_anchor(lab, "lab", lab->ca_cert);
	enroll_with(lab, "alice", NULL, "http://cdp/");
	expect_job(lab, "http://cdp/", true);
	done(call(lab, "RemoveIdentity", json_pack("{s:s}", "name", "alice")));
	lab->now += (int64_t)LIMIT_FETCH_SEEN_USEC;
	expect_job(lab, "http://cdp/", true);
	lab->now += 1;
	expect_no_job(lab, "http://cdp/");
	lab->now += (int64_t)LIMIT_FETCH_FORGET_USEC;
	expect_no_job(lab, "http://cdp/");
	assert_int_equal(store_source_list(lab->a.store, &rows, &n), 0);
	assert_int_equal(n, 0);
}

static void addresses_seen_stay(void **state)
{
	struct lab *lab = *state;

	lab_anchor(lab, "lab", lab->ca_cert);
	enroll_with(lab, "alice", NULL, "http://cdp/");
	for (int i = 0; i < 10; i++) {
		expect_job(lab, "http://cdp/", true);
		lab->now += DAY;
	}
}

static void addresses_of_anchors(void **state)
{
	struct lab *lab = *state;
	const char *uri = "http://root/";
	_cleanup_(cert_freep) struct cert *root = NULL;

	assert_int_equal(gnutls_x509_crt_set_crl_dist_points2(lab->ca.cert, GNUTLS_SAN_URI, uri,
							      (unsigned)strlen(uri), 0),
			 0);
	assert_int_equal(gnutls_x509_crt_sign2(lab->ca.cert, lab->ca.cert, lab->ca.key,
					       GNUTLS_DIG_SHA256, 0),
			 0);
	root = lab_read_cert(lab->ca.cert);
	lab_anchor(lab, "lab", root);
	expect_job(lab, uri, true);
}

/* --- OCSP --- */

/* authorityInfoAccess with one responder: there is no call of GnuTLS's for two. */
static void enroll_with_responder(struct lab *lab, const char *name, const struct issuer *ca,
				  const char *uri, struct cert **ret)
{
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t key = NULL;
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t pub = NULL;
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	const struct cert_spec spec = { .cn = name,
					.eku = OID_CLIENT,
					.not_before = LAB_NOW - DAY,
					.not_after = LAB_NOW + 100 * DAY };
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)uri, (unsigned)strlen(uri) };

	assert_int_equal(key_make(&key), 0);
	assert_int_equal(pubkey_of(key, &pub), 0);
	assert_int_equal(cert_make(&spec, pub, ca, &crt), 0);
	assert_int_equal(gnutls_x509_crt_set_authority_info_access(crt, GNUTLS_IA_OCSP_URI, &d), 0);
	assert_int_equal(gnutls_x509_crt_sign2(crt, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0), 0);
	*ret = lab_read_cert(crt);
	lab_identity(lab, name);
	lab_enroll(lab, name, *ret);
}

/* The only job, with its parts; -1: there is none; else whether it is due. */
static int ocsp_job(struct lab *lab, const struct cert *about, const struct cert *issuer)
{
	_cleanup_(json_decrefp) json_t *reply = jobs_page(lab, NULL), *cert = der(about),
				       *above = der(issuer);
	_cleanup_(buf_deinitp) struct buf request = { 0 };
	_cleanup_(freep) char *text = NULL;
	const json_t *jobs = json_object_get(reply, "jobs"), *row = json_array_get(jobs, 0);

	if (json_array_size(jobs) == 0)
		return -1;
	assert_int_equal(json_array_size(jobs), 1);
	assert_string_equal(text_at(row, NULL, "kind"), "ocsp");
	assert_string_equal(text_at(row, NULL, "url"), "http://ocsp/");
	assert_string_equal(text_at(row, NULL, "anchor"), "lab");
	assert_true(json_equal(json_object_get(row, "certificate"), cert));
	assert_true(json_equal(json_object_get(row, "issuer"), above));
	assert_int_equal(ocsp_request_new(about, issuer, NULL, &request), 0);
	text = base64_encode_new(request.p, request.n);
	assert_string_equal(text_at(row, NULL, "request"), text);
	return yes_at(row, "due");
}

static void have_answer(struct lab *lab, const struct cert *about, const struct ocsp_row *like)
{
	struct ocsp_row row = *like;
	bool is_new;

	row.anchor = lab->a.anchors[0].id;
	memcpy(row.issuer_key, lab->ca_cert->spki_sha256, SHA256_BYTES);
	memcpy(row.serial, about->serial.p, about->serial.n);
	row.serial_n = about->serial.n;
	assert_int_equal(store_ocsp_put(lab->a.store, &row, &is_new), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
}

static void responders_of_the_enrolled(void **state)
{
	struct lab *lab = *state;
	_cleanup_(cert_freep) struct cert *alice = NULL;

	lab_anchor(lab, "lab", lab->ca_cert);
	enroll_with_responder(lab, "alice", &lab->ca, "http://ocsp/", &alice);
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 1);
	done(call(
		lab, "ReportFetch",
		json_pack("{s:s, s:s, s:s}", "kind", "ocsp", "url", "http://ocsp/", "error", "x")));
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 0);
	lab->now += RETRY;
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 1);
	/* that the responder answered about others says nothing about her */
	done(call(lab, "ReportFetch",
		  json_pack("{s:s, s:s}", "kind", "ocsp", "url", "http://ocsp/")));
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 1);
	have_answer(lab, alice,
		    &(struct ocsp_row){ .status = OCSP_STATUS_GOOD,
					.this_update = lab->now,
					.next_update = lab->now + 3 * DAY });
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 0);
	lab->now += 2 * DAY;
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 1);
	have_answer(lab, alice,
		    &(struct ocsp_row){ .status = OCSP_STATUS_REVOKED,
					.reason = 1,
					.since = lab->now,
					.this_update = lab->now,
					.next_update = lab->now + 3 * DAY });
	lab->now += 9 * DAY; /* for good: there is nothing more to ask */
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), 0);
	done(call(lab, "SetFetch", json_pack("{s:b}", "fromCertificates", 0)));
	assert_int_equal(ocsp_job(lab, alice, lab->ca_cert), -1);
}

/* Its issuer is known by itself, and asked about like an anchor; without it nobody can say who
 * asks. */
static void responders_below_a_known_intermediate(void **state)
{
	struct lab *lab = *state;
	_cleanup_(issuer_deinitp) struct issuer sub = { 0 };
	_cleanup_(cert_freep) struct cert *root = NULL, *sub_cert = NULL, *alice = NULL;
	const struct cert_spec spec = { .cn = "Sub CA",
					.ca = true,
					.not_before = LAB_NOW - 100 * DAY,
					.not_after = LAB_NOW + 1000 * DAY };
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t pub = NULL;
	struct anchor_new anchor = { .name = "sub", .kind = ANCHOR_INTERMEDIATE };
	int64_t id;

	/* ours is for people alone */
	assert_int_equal(gnutls_x509_crt_set_basic_constraints(lab->ca.cert, 1, -1), 0);
	assert_int_equal(gnutls_x509_crt_sign2(lab->ca.cert, lab->ca.cert, lab->ca.key,
					       GNUTLS_DIG_SHA256, 0),
			 0);
	root = lab_read_cert(lab->ca.cert);
	assert_int_equal(key_make(&sub.key), 0);
	assert_int_equal(pubkey_of(sub.key, &pub), 0);
	assert_int_equal(cert_make(&spec, pub, &lab->ca, &sub.cert), 0);
	sub_cert = lab_read_cert(sub.cert);
	lab_anchor(lab, "lab", root);
	enroll_with_responder(lab, "alice", &sub, "http://ocsp/", &alice);
	assert_int_equal(ocsp_job(lab, alice, sub_cert), -1);
	anchor.der = sub_cert->der.p;
	anchor.der_n = sub_cert->der.n;
	assert_int_equal(store_anchor_add(lab->a.store, &anchor, &id), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
	assert_int_equal(authority_trust_changed(&lab->a), 0);
	assert_int_equal(ocsp_job(lab, alice, sub_cert), 1);
}

static void responders_of_strangers_are_not_asked(void **state)
{
	struct lab *lab = *state;
	_cleanup_(issuer_deinitp) struct issuer other = { 0 };
	_cleanup_(cert_freep) struct cert *other_cert = NULL, *alice = NULL, *bob = NULL;

	lab_make_ca(&other, "Other CA", &other_cert);
	lab_anchor(lab, "lab", lab->ca_cert);
	enroll_with_responder(lab, "alice", &other, "http://ocsp/", &alice);
	enroll_with_responder(lab, "bob", &lab->ca, "ldap://ocsp/", &bob);
	assert_int_equal(ocsp_job(lab, alice, other_cert), -1);
}

static void many_certificates_come_in_pages(void **state)
{
	struct lab *lab = *state;
	_cleanup_(json_decrefp) json_t *first = NULL, *second = NULL;
	char name[32], uri[32];

	lab_anchor(lab, "lab", lab->ca_cert);
	for (int i = 0; i <= LIMIT_FETCH_CERTIFICATES; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		(void)snprintf(uri, sizeof(uri), "http://cdp/%d", i);
		enroll_with(lab, name, NULL, uri);
	}
	first = jobs_page(lab, NULL);
	assert_int_equal(json_array_size(json_object_get(first, "jobs")), 0);
	second = jobs_page(lab, text_at(first, NULL, "next"));
	assert_null(json_object_get(second, "next"));
	assert_int_equal(json_array_size(json_object_get(second, "jobs")),
			 LIMIT_FETCH_CERTIFICATES + 1);
	expect_error(call(lab, "ListFetchJobs", json_pack("{s:s}", "after", "zz")), ".InvalidValue",
		     "field", "after");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_thirds_of_the_window),
		cmocka_unit_test(due_times),
		T(sources_are_added_and_removed),
		T(sources_go_with_their_anchor),
		T(sources_have_a_limit),
		T(a_failure_waits_ten_minutes),
		T(a_success_waits_for_two_thirds),
		T(what_was_lost_is_due),
		T(reports_are_about_known_addresses),
		T(addresses_of_the_enrolled),
		T(addresses_of_strangers_are_not_used),
		T(addresses_of_who_was_unenrolled_end),
		T(addresses_seen_stay),
		T(addresses_of_anchors),
		T(responders_of_the_enrolled),
		T(responders_below_a_known_intermediate),
		T(responders_of_strangers_are_not_asked),
		T(many_certificates_come_in_pages),
	};

	lab_become_root();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
