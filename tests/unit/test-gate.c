// SPDX-License-Identifier: GPL-2.0-or-later
/* The gate's handshake and its one call, with real clients. */
#include "tests/unit/gate-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/encode.h"

#define ALLOWED "{\"parameters\":{\"allowed\":true,\"event\":4711}}"
#define DENIED "{\"parameters\":{\"allowed\":false,\"event\":4711}}"
#define DENIED_HERE "{\"parameters\":{\"allowed\":false,\"event\":0}}"

static struct lab *plain_lab(void)
{
	return lab_new(&(struct lab_options){ .server = PAIR_P256 });
}

/* One client in a lab of its own, to its end. */
static struct client *run_one(struct lab *lab, const struct client_options *options)
{
	struct client *c = client_new(lab, options);

	lab_run(lab, &c, 1, 5000);
	return c;
}

static void login_every_key(_unused_ void **state)
{
	for (enum pair_kind server = 0; server < PAIR_KINDS; server++)
		for (enum pair_kind kind = 0; kind < PAIR_KINDS; kind++) {
			struct lab *lab = lab_new(&(struct lab_options){ .server = server });
			struct client *c =
				run_one(lab, &(struct client_options){ .pair = lab_pair(kind) });
			uint8_t sha[SHA256_BYTES];

			assert_true(c->established);
			assert_true(c->bye);
			assert_string_equal(c->reply, ALLOWED);
			assert_int_equal(c->reply_n, sizeof(ALLOWED));
			sha256(lab_pair(kind)->der.data, lab_pair(kind)->der.size, sha);
			assert_memory_equal(lab->authority->leaf_sha256, sha, SHA256_BYTES);
			/* parked once, went on once: what GnuTLS does not document */
			assert_int_equal(lab->authority->n_sign, 1);
			assert_int_equal(lab->authority->n_prove, 1);
			assert_int_equal(lab->authority->n_commit, 1);
			assert_int_equal(lab->authority->n_close, 0);
			assert_string_equal(lab->authority->account, "alice");
			assert_string_equal(lab->authority->service, "sshd");
			client_free(c);
			lab_free(lab);
		}
}

static void login_every_cipher(_unused_ void **state)
{
	static const char *const ciphers[] = { "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305" };
	static const char *const groups[] = { "GROUP-X25519", "GROUP-SECP256R1" };

	for (size_t i = 0; i < ARRAY_SIZE(ciphers) * ARRAY_SIZE(groups); i++) {
		struct lab *lab = plain_lab();
		char priority[128];
		struct client *c;

		(void)snprintf(priority, sizeof(priority), "NORMAL:-CIPHER-ALL:+%s:-GROUP-ALL:+%s",
			       ciphers[i / 2], groups[i % 2]);
		c = run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256),
							   .priority = priority });
		assert_string_equal(c->reply, ALLOWED);
		client_free(c);
		lab_free(lab);
	}
}

static void source_is_the_peers_uid(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c = run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256) });
	char uid[32];

	(void)snprintf(uid, sizeof(uid), "uid %u", getuid());
	assert_string_equal(lab->authority->source, uid);
	client_free(c);
	lab_free(lab);
}

static void source_is_the_peers_address(_unused_ void **state)
{
	struct lab *lab = lab_new(&(struct lab_options){ .server = PAIR_P256, .tcp = true });
	struct client *c = run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256),
								  .address = "127.0.0.7" });

	assert_string_equal(c->reply, ALLOWED);
	assert_string_equal(lab->authority->source, "127.0.0.7");
	client_free(c);
	lab_free(lab);
}

static void denied_by_the_authority(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c = run_one(
		lab, &(struct client_options){ .pair = lab_pair(PAIR_P256), .account = "mallory" });

	assert_string_equal(c->reply, DENIED);
	client_free(c);
	lab_free(lab);
}

/* A client that the gate turns away: no proof ever reaches the authority. */
static void expect_refused(struct lab *lab, const struct client_options *options, int alert,
			   unsigned signs)
{
	struct client *c = run_one(lab, options);

	assert_int_equal(c->reply_n, 0);
	assert_false(c->bye);
	assert_int_equal(c->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(c->alert, alert);
	assert_int_equal(lab->authority->n_sign, signs);
	assert_int_equal(lab->authority->n_prove, 0);
	lab_run_until(lab, NULL, 0, &lab->authority->n_close, signs, 1000);
	client_free(c);
	lab_free(lab);
}

static void no_certificate(_unused_ void **state)
{
	expect_refused(plain_lab(), &(struct client_options){ 0 }, GNUTLS_A_CERTIFICATE_REQUIRED,
		       1);
}

static void no_alpn(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){ .pair = lab_pair(PAIR_P256), .alpn = { "" } },
		       GNUTLS_A_HANDSHAKE_FAILURE, 0);
}

static void other_alpn(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){ .pair = lab_pair(PAIR_P256),
						 .alpn = { "h2", "http/1.1" } },
		       GNUTLS_A_NO_APPLICATION_PROTOCOL, 0);
}

static void two_commitments(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){ .pair = lab_pair(PAIR_P256),
						 .alpn = { ALPN_PROTOCOL,
							   "cl1-AAAAAAAAAAAAAAAAAAAAAAAAAAA",
							   "cl1-BBBBBBBBBBBBBBBBBBBBBBBBBBB" } },
		       GNUTLS_A_HANDSHAKE_FAILURE, 0);
}

static void ffdhe_only(_unused_ void **state)
{
	double begun = seconds();

	expect_refused(plain_lab(),
		       &(struct client_options){ .pair = lab_pair(PAIR_P256),
						 .priority = "NORMAL:-GROUP-ALL:+GROUP-FFDHE2048" },
		       GNUTLS_A_HANDSHAKE_FAILURE, 0);
	assert_true(seconds() - begun < 1);
}

static void group_p384_only(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){ .pair = lab_pair(PAIR_P256),
						 .priority = "NORMAL:-GROUP-ALL:+GROUP-SECP384R1" },
		       GNUTLS_A_HANDSHAKE_FAILURE, 0);
}

/* Supports X25519, but sends a share for P-384 alone: we ask nobody twice. */
static void no_hello_retry(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){
			       .pair = lab_pair(PAIR_P256),
			       .priority = "NORMAL:-GROUP-ALL:+GROUP-SECP384R1:+GROUP-X25519",
			       .flags = GNUTLS_KEY_SHARE_TOP },
		       GNUTLS_A_HANDSHAKE_FAILURE, 0);
}

static void tls12_only(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){ .pair = lab_pair(PAIR_P256),
						 .priority = "NORMAL:-VERS-TLS1.3" },
		       GNUTLS_A_PROTOCOL_VERSION, 0);
}

static void signature_scheme_none(_unused_ void **state)
{
	expect_refused(plain_lab(),
		       &(struct client_options){
			       .pair = lab_pair(PAIR_P256),
			       .priority = "NORMAL:-SIGN-ALL:+SIGN-ECDSA-SECP521R1-SHA512" },
		       GNUTLS_A_HANDSHAKE_FAILURE, 0);
}

static void refused_by_the_authority(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c;

	lab->authority->refuse = true;
	c = run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256) });
	assert_int_equal(c->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(c->alert, GNUTLS_A_HANDSHAKE_FAILURE);
	assert_int_equal(lab->authority->n_close, 0); /* the slot is gone already */
	client_free(c);
	lab_free(lab);
}

/* A signature for other bytes never reaches a client. */
static void signature_of_something_else(_unused_ void **state)
{
	struct lab *lab = lab_new(&(struct lab_options){ .server = PAIR_ED25519 });
	struct client *c;

	lab->authority->wrong_signature = true;
	c = run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256) });
	assert_false(c->established);
	assert_int_equal(lab->authority->n_prove, 0);
	client_free(c);
	lab_free(lab);
}

static void expect_certificate_refused(const struct pair *pair, double most)
{
	struct lab *lab = plain_lab();
	struct client *c = client_new(lab, &(struct client_options){ .pair = pair });
	double begun;

	lab_run_until(lab, NULL, 0, &lab->authority->n_links, 1, 1000);
	begun = seconds();
	lab_run(lab, &c, 1, 5000);
	assert_true(seconds() - begun < most);
	assert_int_equal(c->error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(c->alert, GNUTLS_A_BAD_CERTIFICATE);
	assert_int_equal(lab->authority->n_prove, 0);
	client_free(c);
	lab_free(lab);
}

static void rsa_key_huge(_unused_ void **state)
{
	struct pair pair;

	pair_make_huge(&pair, 16384, 16380);
	expect_certificate_refused(&pair, 0.05);
	pair_free(&pair);
}

static void rsa_exponent_huge(_unused_ void **state)
{
	struct pair pair;

	pair_make_huge(&pair, 4096, 33);
	expect_certificate_refused(&pair, 0.05);
	pair_free(&pair);
}

static void rsa_key_small(_unused_ void **state)
{
	struct pair pair;

	pair_make_huge(&pair, 1024, 17);
	expect_certificate_refused(&pair, 0.05);
	pair_free(&pair);
}

static void chain_of_six(_unused_ void **state)
{
	struct pair pair;
	struct lab *lab = plain_lab();
	struct client *c;

	pair_make_chain(&pair, PAIR_P256, LIMIT_CHAIN_CERTS, 0);
	c = run_one(lab, &(struct client_options){ .pair = &pair });
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
	pair_free(&pair);
}

static void chain_of_seven(_unused_ void **state)
{
	struct pair pair;

	pair_make_chain(&pair, PAIR_P256, LIMIT_CHAIN_CERTS + 1, 0);
	expect_certificate_refused(&pair, 1);
	pair_free(&pair);
}

static void chain_above_32k(_unused_ void **state)
{
	struct pair pair;

	pair_make_chain(&pair, PAIR_P256, 4, 8200);
	expect_certificate_refused(&pair, 1);
	pair_free(&pair);
}

/* 64 KiB from the client and not one byte more, whatever its messages promise. */
static void handshake_above_64k(_unused_ void **state)
{
	struct pair pair;
	struct lab *lab = plain_lab();
	struct client *c;

	pair_make_chain(&pair, PAIR_P256, 6, 15000);
	c = run_one(lab, &(struct client_options){ .pair = &pair });
	assert_int_equal(c->reply_n, 0);
	assert_int_equal(lab->authority->n_prove, 0);
	assert_true(lab->gate->budget.n == 0 || !c->bye);
	client_free(c);
	lab_free(lab);
	pair_free(&pair);
}

/* --- the call --- */

static void expect_reply(const struct client_options *options, const char *reply, unsigned commits)
{
	struct lab *lab = plain_lab();
	struct client_options o = *options;
	struct client *c;

	o.pair = lab_pair(PAIR_P256);
	c = run_one(lab, &o);
	assert_true(c->established);
	assert_int_equal(c->bye, reply[0] != '\0');
	assert_int_equal(c->reply_n, reply[0] ? strlen(reply) + 1 : 0);
	assert_string_equal(c->reply, reply);
	assert_int_equal(lab->authority->n_prove, 1);
	assert_int_equal(lab->authority->n_commit, commits);
	if (commits == 0) /* the slot is given back */
		lab_run_until(lab, NULL, 0, &lab->authority->n_close, 1, 1000);
	client_free(c);
	lab_free(lab);
}

/* What the key has not signed is not even asked for. */
static void call_not_committed(_unused_ void **state)
{
	_cleanup_(freep) char *call = NULL, *with_id = NULL;
	uint8_t hash[SHA256_BYTES] = { 9 };
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };

	call = make_commit(hash, "", "alice", "sshd"); /* another ticket */
	expect_reply(&(struct client_options){ .call = call }, DENIED_HERE, 0);
	free(call);
	commitment_ticket_hash(ticket, hash);
	call = make_commit(hash, "", "root", "sshd");
	expect_reply(&(struct client_options){ .call = call }, DENIED_HERE, 0);
	free(call);
	call = make_commit(hash, "", "alice", "sudo");
	expect_reply(&(struct client_options){ .call = call }, DENIED_HERE, 0);
	with_id = make_commit(hash, "7KQ2-M4XD-ABCD-E", "alice", "sshd");
	expect_reply(&(struct client_options){ .call = with_id }, DENIED_HERE, 0);
}

static void no_commitment_at_all(_unused_ void **state)
{
	expect_reply(&(struct client_options){ .alpn = { ALPN_PROTOCOL } }, DENIED_HERE, 0);
}

static void call_with_login_id(_unused_ void **state)
{
	const uint8_t ticket[TICKET_BYTES] = { 5 }, id[LOGIN_ID_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct commitment commitment = { .login_id = id,
					 .account = "al\xc3\xaf"
						    "ce",
					 .service = "sudo" };
	char name[COMMITMENT_NAME_SIZE], text[LOGIN_ID_TEXT_SIZE];
	_cleanup_(freep) char *call = NULL;
	struct lab *lab = plain_lab();
	struct client *c;

	commitment_ticket_hash(ticket, commitment.ticket_hash);
	assert_int_equal(commitment_name(&commitment, name), 0);
	login_id_format(id, text);
	call = make_commit(commitment.ticket_hash, text, commitment.account, commitment.service);
	c = run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_ED25519),
						   .alpn = { ALPN_PROTOCOL, name },
						   .call = call });
	assert_string_equal(c->reply, ALLOWED);
	assert_int_equal(lab->authority->login_id_n, LOGIN_ID_BYTES);
	assert_string_equal(lab->authority->account, "al\xc3\xaf"
						     "ce");
	client_free(c);
	lab_free(lab);
}

static void call_describe(_unused_ void **state)
{
	char text[LOGIN_ID_TEXT_SIZE], call[128];

	login_id_format((const uint8_t *)"known id", text);
	(void)snprintf(
		call, sizeof(call),
		"{\"method\":\"org.certlogin.Login.Describe\",\"parameters\":{\"loginId\":\"%s\"}}",
		text);
	{
		struct lab *lab = plain_lab();
		struct client *c =
			run_one(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256),
							       .alpn = { ALPN_PROTOCOL },
							       .call = call });

		assert_string_equal(c->reply,
				    "{\"parameters\":{\"account\":\"root\",\"service\":\"su\","
				    "\"caller\":\"mallory \\\"m\\\" (uid 1001)\"}}");
		assert_int_equal(lab->authority->n_describe, 1);
		client_free(c);
		lab_free(lab);
	}
}

static void call_describe_unknown(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c = run_one(
		lab, &(struct client_options){
			     .pair = lab_pair(PAIR_P256),
			     .alpn = { ALPN_PROTOCOL },
			     .call = "{\"method\":\"org.certlogin.Login.Describe\","
				     "\"parameters\":{\"loginId\":\"AAAA-AAAA-AAAA-A\"}}" });

	assert_string_equal(c->reply, "{\"error\":\"org.certlogin.Login.NotFound\"}");
	client_free(c);
	lab_free(lab);
}

static void call_unknown_method(_unused_ void **state)
{
	expect_reply(
		&(struct client_options){ .call = "{\"method\":\"org.certlogin.Login.Whoami\"}" },
		"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":"
		"\"org.certlogin.Login.Whoami\"}}",
		0);
}

#define METHOD "{\"method\":\"org.certlogin.Login.Commit\","
#define HASH "\"ticketHash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\","
#define WRONG(name)                                                                                \
	"{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"       \
	"\"" name "\"}}"

static void call_invalid_parameters(_unused_ void **state)
{
	static const struct {
		const char *call, *reply;
	} cases[] = {
		{ METHOD "\"parameters\":{}}", WRONG("ticketHash") },
		{ METHOD "\"parameters\":{\"ticketHash\":\"AAAA\",\"loginId\":\"\",\"account\":"
			 "\"a\",\"service\":\"s\"}}",
		  WRONG("ticketHash") },
		{ METHOD "\"parameters\":{" HASH
			 "\"loginId\":\"x\",\"account\":\"a\",\"service\":\"s\"}}",
		  WRONG("loginId") },
		{ METHOD "\"parameters\":{" HASH
			 "\"loginId\":\"\",\"account\":\"a b\",\"service\":\"s\"}}",
		  WRONG("account") },
		{ METHOD "\"parameters\":{" HASH
			 "\"loginId\":\"\",\"account\":\"a\",\"service\":\"../s\"}}",
		  WRONG("service") },
		{ METHOD "\"parameters\":{" HASH
			 "\"loginId\":\"\",\"account\":1,\"service\":\"s\"}}",
		  WRONG("account") },
		{ METHOD "\"parameters\":{" HASH
			 "\"loginId\":\"\",\"account\":\"a\",\"service\":\"s\",\"x\":1}}",
		  WRONG("x") },
		{ METHOD "\"more\":true,\"parameters\":{" HASH
			 "\"loginId\":\"\",\"account\":\"a\",\"service\":\"s\"}}",
		  WRONG("parameters") },
		{ METHOD "\"oneway\":true}", WRONG("parameters") },
		{ "{\"method\":\"org.certlogin.Login.Describe\",\"parameters\":{\"loginId\":\"\"}}",
		  WRONG("loginId") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_reply(&(struct client_options){ .call = cases[i].call }, cases[i].reply, 0);
}

static void call_garbage(_unused_ void **state)
{
	static const char *const calls[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"{\"method\":\"org.certlogin.Login.Commit\"",
		"{\"method\":\"a.b\",\"method\":\"c.d\"}",
		"[[[[[[[[[[[[[[]]]]]]]]]]]]]]",
		"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		expect_reply(&(struct client_options){ .call = calls[i] }, "", 0);
}

static void call_too_long(_unused_ void **state)
{
	char call[LIMIT_CALL_BYTES + 1];

	memset(call, ' ', sizeof(call));
	call[LIMIT_CALL_BYTES] = '\0';
	expect_reply(&(struct client_options){ .call = call, .call_n = sizeof(call) }, "", 0);
}

static void call_of_4096_bytes(_unused_ void **state)
{
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };
	uint8_t hash[SHA256_BYTES];
	_cleanup_(freep) char *json = NULL;
	char call[LIMIT_CALL_BYTES];

	commitment_ticket_hash(ticket, hash);
	json = make_commit(hash, "", "alice", "sshd");
	memset(call, ' ', sizeof(call));
	memcpy(call, json, strlen(json));
	call[sizeof(call) - 1] = '\0';
	expect_reply(&(struct client_options){ .call = call, .call_n = sizeof(call) }, ALLOWED, 1);
}

static void two_calls_in_one_record(_unused_ void **state)
{
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };
	uint8_t hash[SHA256_BYTES];
	_cleanup_(freep) char *json = NULL;
	char call[1024];
	size_t n;

	commitment_ticket_hash(ticket, hash);
	json = make_commit(hash, "", "alice", "sshd");
	n = strlen(json) + 1;
	memcpy(call, json, n);
	memcpy(call + n, json, n);
	expect_reply(&(struct client_options){ .call = call, .call_n = 2 * n }, "", 0);
}

/* Byte by byte, each in a record of its own. */
static void call_in_pieces(_unused_ void **state)
{
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };
	uint8_t hash[SHA256_BYTES];
	_cleanup_(freep) char *json = NULL;
	struct lab *lab = plain_lab();
	struct client *c = client_new(
		lab, &(struct client_options){ .pair = lab_pair(PAIR_P256), .silent = true });

	commitment_ticket_hash(ticket, hash);
	json = make_commit(hash, "", "alice", "sshd");
	lab_run_until(lab, &c, 1, &lab->authority->n_prove, 1, 2000);
	for (size_t i = 0; i <= strlen(json); i++) {
		assert_int_equal(gnutls_record_send(c->session, json + i, 1), 1);
		if (i % 16 == 0)
			lab_run_for(lab, &c, 1, 1);
	}
	lab_run(lab, &c, 1, 2000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
}

/* While the authority decides the client has nothing to say. */
static void bytes_after_the_call(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c = client_new(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256) });

	lab->authority->mute_commit = true;
	lab_run_until(lab, &c, 1, &lab->authority->n_commit, 1, 2000);
	assert_int_equal(gnutls_record_send(c->session, "x", 1), 1);
	lab_run(lab, &c, 1, 2000);
	assert_int_equal(c->reply_n, 0);
	client_free(c);
	lab_free(lab);
}

static void one_key_update(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c = client_new(
		lab, &(struct client_options){ .pair = lab_pair(PAIR_P256), .silent = true });
	_cleanup_(freep) char *json = NULL;
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };
	uint8_t hash[SHA256_BYTES];

	commitment_ticket_hash(ticket, hash);
	json = make_commit(hash, "", "alice", "sshd");
	lab_run_until(lab, &c, 1, &lab->authority->n_prove, 1, 2000);
	assert_int_equal(gnutls_session_key_update(c->session, GNUTLS_KU_PEER), 0);
	assert_true(gnutls_record_send(c->session, json, strlen(json) + 1) > 0);
	lab_run(lab, &c, 1, 2000);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	lab_free(lab);
}

static void two_key_updates(_unused_ void **state)
{
	struct lab *lab = plain_lab();
	struct client *c = client_new(
		lab, &(struct client_options){ .pair = lab_pair(PAIR_P256), .silent = true });

	lab_run_until(lab, &c, 1, &lab->authority->n_prove, 1, 2000);
	assert_int_equal(gnutls_session_key_update(c->session, 0), 0);
	assert_int_equal(gnutls_session_key_update(c->session, 0), 0);
	lab_run(lab, &c, 1, 2000);
	assert_int_equal(c->reply_n, 0);
	assert_false(c->bye);
	client_free(c);
	lab_free(lab);
}

/* --- other TLS libraries --- */

static void write_pem(const char *dir, const char *name, const gnutls_datum_t *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text->data, 1, text->size, f), text->size);
	(void)fclose(f);
}

static void write_pair(const char *dir, const struct pair *pair)
{
	gnutls_x509_privkey_t key;
	gnutls_datum_t text;

	assert_true(gnutls_privkey_export_x509(pair->key, &key) >= 0);
	assert_true(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text) >= 0);
	write_pem(dir, "key.pem", &text);
	gnutls_free(text.data);
	gnutls_x509_privkey_deinit(key);
	assert_true(gnutls_pem_base64_encode2("CERTIFICATE", &pair->der, &text) >= 0);
	write_pem(dir, "cert.pem", &text);
	gnutls_free(text.data);
}

static pid_t spawn_openssl(struct lab *lab, const char *name, int in, int out)
{
	char cert[64], key[64], alpn[64];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", lab->dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", lab->dir);
	(void)snprintf(alpn, sizeof(alpn), "%s,%s", ALPN_PROTOCOL, name);
	(void)dup2(in, 0);
	(void)dup2(out, 1);
	(void)dup2(out, 2);
	(void)execlp("openssl", "openssl", "s_client", "-unix", lab->gate_path, "-cert", cert,
		     "-key", key, "-alpn", alpn, "-quiet", "-no_ign_eof", NULL);
	_exit(127);
}

static void openssl_client(_unused_ void **state)
{
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };
	struct commitment commitment = { .account = "alice", .service = "sshd" };
	char name[COMMITMENT_NAME_SIZE], path[64], output[8192] = "";
	_cleanup_(freep) char *call = NULL;
	struct lab *lab = plain_lab();
	int in[2], out[2], status;
	size_t n;
	pid_t pid;

	write_pair(lab->dir, lab_pair(PAIR_P256));
	commitment_ticket_hash(ticket, commitment.ticket_hash);
	assert_int_equal(commitment_name(&commitment, name), 0);
	call = make_commit(commitment.ticket_hash, "", "alice", "sshd");
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), 0);
	pid = spawn_openssl(lab, name, in[0], out[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	assert_int_equal(write(in[1], call, strlen(call) + 1), strlen(call) + 1);
	n = lab_read_to_end(lab, out[0], (uint8_t *)output, sizeof(output) - 1, 10000);
	assert_non_null(memmem(output, n, ALLOWED, strlen(ALLOWED)));
	(void)close(in[1]);
	(void)close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)snprintf(path, sizeof(path), "%s/key.pem", lab->dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/cert.pem", lab->dir);
	(void)unlink(path);
	lab_free(lab);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(login_every_key),
		cmocka_unit_test(login_every_cipher),
		cmocka_unit_test(source_is_the_peers_uid),
		cmocka_unit_test(source_is_the_peers_address),
		cmocka_unit_test(denied_by_the_authority),
		cmocka_unit_test(no_certificate),
		cmocka_unit_test(no_alpn),
		cmocka_unit_test(other_alpn),
		cmocka_unit_test(two_commitments),
		cmocka_unit_test(ffdhe_only),
		cmocka_unit_test(group_p384_only),
		cmocka_unit_test(no_hello_retry),
		cmocka_unit_test(tls12_only),
		cmocka_unit_test(signature_scheme_none),
		cmocka_unit_test(refused_by_the_authority),
		cmocka_unit_test(signature_of_something_else),
		cmocka_unit_test(rsa_key_huge),
		cmocka_unit_test(rsa_exponent_huge),
		cmocka_unit_test(rsa_key_small),
		cmocka_unit_test(chain_of_six),
		cmocka_unit_test(chain_of_seven),
		cmocka_unit_test(chain_above_32k),
		cmocka_unit_test(handshake_above_64k),
		cmocka_unit_test(call_not_committed),
		cmocka_unit_test(no_commitment_at_all),
		cmocka_unit_test(call_with_login_id),
		cmocka_unit_test(call_describe),
		cmocka_unit_test(call_describe_unknown),
		cmocka_unit_test(call_unknown_method),
		cmocka_unit_test(call_invalid_parameters),
		cmocka_unit_test(call_garbage),
		cmocka_unit_test(call_too_long),
		cmocka_unit_test(call_of_4096_bytes),
		cmocka_unit_test(two_calls_in_one_record),
		cmocka_unit_test(call_in_pieces),
		cmocka_unit_test(bytes_after_the_call),
		cmocka_unit_test(one_key_update),
		cmocka_unit_test(two_key_updates),
		cmocka_unit_test(openssl_client),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
