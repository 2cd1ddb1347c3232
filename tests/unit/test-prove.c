// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/encode.h"
#include "lib/prove/external.h"
#include "lib/prove/prove.h"
#include "tests/unit/prove-pki.h"
#include "tests/unit/prove-server.h"

#define ID "AEBA-GBAF-AYD7-6"
#define HOST "db1.example"
#define SECOND USEC_PER_SEC

static struct pki ca, foreign_ca, gate, gate_expired, gate_early, gate_user, gate_plain,
	gate_foreign, gate_odd, gate_weak, user;

static int make_idents(_unused_ void **state)
{
	const struct pki_spec any_ca = { .ca = true };
	struct pki_spec server = { .eku = PKI_SERVER_AUTH, .dns = HOST };

	make_dated(any_ca, 0, 0, NULL, &ca);
	make_dated(any_ca, 0, 0, NULL, &foreign_ca);
	make_dated(server, 0, 0, &ca, &gate);
	make_dated(server, -3, -1, &ca, &gate_expired);
	make_dated(server, 1, 3, &ca, &gate_early);
	make_dated(server, 0, 0, &foreign_ca, &gate_foreign);
	server.flags = PKI_UNKNOWN_CRITICAL;
	make_dated(server, 0, 0, &ca, &gate_odd);
	server.flags = 0;
	server.type = KEY_RSA;
	server.bits = 1024;
	make_dated(server, 0, 0, &ca, &gate_weak);
	server.type = KEY_UNKNOWN;
	server.bits = 0;
	server.eku = PKI_CLIENT_AUTH;
	make_dated(server, 0, 0, &ca, &gate_user);
	server.eku = "";
	make_dated(server, 0, 0, &ca, &gate_plain);
	make_person(KEY_P256, &ca, &user);
	return 0;
}

static int free_idents(_unused_ void **state)
{
	struct pki *all[] = { &ca,	   &foreign_ca, &gate,	     &gate_expired,
			      &gate_early, &gate_user,	&gate_plain, &gate_foreign,
			      &gate_odd,   &gate_weak,	&user };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		pki_deinit(all[i]);
	return 0;
}

/* --- one connection --- */

static void key_init(struct prove_key *key, const struct pki *id)
{
	*key = (struct prove_key){ .n_chain = 1, .label = "test key" };
	key->chain = gnutls_calloc(1, sizeof(*key->chain));
	MUST(gnutls_pcert_import_x509(key->chain, id->crt, 0));
	key->key = copy_key(id);
}

static void key_deinit(struct prove_key *key)
{
	gnutls_pcert_deinit(key->chain);
	gnutls_free(key->chain);
	if (key->key)
		gnutls_privkey_deinit(key->key);
}

struct run {
	const struct prove_trust *trust; /* NULL: the pin of `gate` */
	const struct prove_key *key;	 /* NULL: that of `user` */
	uint64_t timeout_usec;		 /* 0: long */
	bool describe;
	struct prove_answer answer;
	struct prove_description description;
	struct secret *ticket;
};

static void run(struct server *s, struct run *run)
{
	const struct prove_trust pin = { .pin = gate.cert->spki_sha256 };
	struct prove_request request = { .trust = run->trust ? run->trust : &pin,
					 .login_id = ID,
					 .account = "alice",
					 .service = "sudo",
					 .timeout_usec = run->timeout_usec ? run->timeout_usec
									   : 20 * SECOND };
	struct prove_key own;
	int r;

	if (!s->ident)
		s->ident = &gate;
	key_init(&own, &user);
	request.key = run->key ? run->key : &own;
	request.fd = server_start(s);
	r = run->describe ? prove_describe(&request, &run->answer, &run->description)
			  : prove_commit(&request, &run->answer, &run->ticket);
	assert_int_equal(r, 0);
	assert_int_equal(fcntl(request.fd, F_GETFL) & O_NONBLOCK, 0); /* the caller's, unchanged */
	server_stop(s);
	key_deinit(&own);
}

/* Runs it, expects `result`, a text that has `why` in it, and no ticket. */
static void refused(struct server *s, struct run *r, enum prove_result result, const char *why)
{
	run(s, r);
	if (r->answer.result != result || !strstr(r->answer.why, why))
		fail_msg("result %d, why: %s", (int)r->answer.result, r->answer.why);
	assert_null(r->ticket);
	server_deinit(s);
}

/* The same, and the server must not learn who we are. */
static void server_refused(struct server *s, const struct prove_trust *trust, const char *why)
{
	struct run r = { .trust = trust };

	refused(s, &r, PROVE_SERVER, why);
	assert_false(s->saw_certificate);
}

/* --- honest servers --- */

/* Reads the transcript as the authority does. */
static void check_proof(const struct server *s, const struct pki *client,
			char ret_name[COMMITMENT_NAME_SIZE])
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	const struct view server_cert = { s->ident->cert->der.p, s->ident->cert->der.n };
	struct view rest = { s->rest.p, s->rest.n }, verify, signature;
	enum proof_verdict verdict;
	struct hello hello;
	struct proof proof;
	uint16_t scheme;

	assert_int_equal(hello_parse(s->prefix.p, s->prefix.n, s->nonce, &server_cert, &hello), 0);
	assert_int_equal(handshake_next(&rest, HS_CERTIFICATE_VERIFY, &verify), 0);
	assert_int_equal(view_u16(&verify, &scheme), 0);
	assert_int_equal(view_vec16(&verify, &signature), 0);
	/* up to the client's CertificateVerify: its Finished is not the authority's */
	rest = (struct view){ s->rest.p, s->rest.n };
	for (int i = 0; i < 4; i++) {
		struct view type = rest, body;
		uint8_t t;

		assert_int_equal(view_u8(&type, &t), 0);
		assert_int_equal(handshake_next(&rest, t, &body), 0);
	}
	assert_int_equal(proof_verify(s->prefix.p, s->prefix.n, s->rest.p, s->rest.n - rest.n,
				      hello.hash_len, scheme, &signature, &proof, &leaf, &verdict),
			 0);
	assert_int_equal(verdict, PROOF_GOOD);
	assert_true(view_is(&leaf->der, client->cert->der.p, client->cert->der.n));
	strcpy(ret_name, hello.commitment);
}

static const char *parameter(json_t *call, const char *name)
{
	return json_string_value(json_object_get(json_object_get(call, "parameters"), name));
}

/* What was committed to, in the hello and in the call, is what was asked for, and the ticket's. */
static void check_commit(const struct server *s, const struct pki *client,
			 const struct secret *ticket)
{
	char name[COMMITMENT_NAME_SIZE], hello_name[COMMITMENT_NAME_SIZE],
		text[BASE64_SIZE(SHA256_BYTES)];
	struct commitment c = { .account = "alice", .service = "sudo" };
	uint8_t id[LOGIN_ID_BYTES];
	json_t *call = json_loads(s->call, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(call);
	assert_non_null(ticket);
	assert_int_equal(ticket->len, TICKET_BYTES);
	commitment_ticket_hash(ticket->bytes, c.ticket_hash);
	assert_int_equal(login_id_parse(ID, id), 0);
	c.login_id = id;
	assert_int_equal(commitment_name(&c, name), 0);
	check_proof(s, client, hello_name);
	assert_string_equal(name, hello_name);
	base64_encode(c.ticket_hash, SHA256_BYTES, text);
	assert_string_equal(json_string_value(json_object_get(call, "method")),
			    "org.certlogin.Login.Commit");
	assert_string_equal(parameter(call, "ticketHash"), text);
	assert_string_equal(parameter(call, "loginId"), ID);
	assert_string_equal(parameter(call, "account"), "alice");
	assert_string_equal(parameter(call, "service"), "sudo");
	assert_null(memmem(s->call, sizeof(s->call), ticket->bytes, ticket->len));
	json_decref(call);
}

static void commit_with(const struct pki *client, const struct prove_key *key)
{
	struct server s = { 0 };
	struct run r = { .key = key };

	run(&s, &r);
	if (r.answer.result != PROVE_DONE)
		fail_msg("result %d, why: %s", (int)r.answer.result, r.answer.why);
	assert_int_equal(r.answer.event, 7);
	check_commit(&s, client, r.ticket);
	secret_free(r.ticket);
	server_deinit(&s);
}

static const enum key_type kinds[] = { KEY_P256, KEY_P384, KEY_ED25519, KEY_RSA };

static void commit_by_own_key(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct prove_key key;
		struct pki id;

		make_person(kinds[i], &ca, &id);
		key_init(&key, &id);
		commit_with(&id, &key);
		key_deinit(&key);
		pki_deinit(&id);
	}
}

/* --- keys that hash for themselves --- */

struct signer {
	gnutls_privkey_t key;
	unsigned calls;
	int error;
	bool spoil;
};

static int signer_sign(void *userdata, gnutls_sign_algorithm_t algorithm, const gnutls_datum_t *tbs,
		       gnutls_datum_t *ret, const char **ret_why)
{
	struct signer *s = userdata;

	s->calls++;
	if (s->error < 0) {
		*ret_why = "the test's key is tired";
		return s->error;
	}
	MUST(gnutls_privkey_sign_data2(s->key, algorithm, 0, tbs, ret));
	if (s->spoil)
		ret->data[ret->size - 1] ^= 1;
	return 0;
}

static void external_init(struct prove_key *key, struct signer *signer, const struct pki *id)
{
	key_init(key, id);
	signer->key = STEAL(key->key);
	key->sign = signer_sign;
	key->sign_userdata = signer;
}

static void commit_by_external_key(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct signer signer = { 0 };
		struct prove_key key;
		struct pki id;

		if (kinds[i] == KEY_RSA) /* none in TLS 1.3 */
			continue;
		make_person(kinds[i], &ca, &id);
		external_init(&key, &signer, &id);
		commit_with(&id, &key);
		assert_int_equal(signer.calls, 1);
		key_deinit(&key);
		gnutls_privkey_deinit(signer.key);
		pki_deinit(&id);
	}
}

static void external_key_fails(_unused_ void **state)
{
	struct signer signer = { .error = -EACCES };
	struct prove_key key;
	struct server s = { 0 };
	struct run r = { .key = &key };

	external_init(&key, &signer, &user);
	refused(&s, &r, PROVE_KEY_FAILED, "the test's key is tired: test key");
	key_deinit(&key);
	gnutls_privkey_deinit(signer.key);
}

static void external_key_signs_badly(_unused_ void **state)
{
	struct signer signer = { .spoil = true };
	struct prove_key key;
	struct server s = { 0 };
	struct run r = { .key = &key };

	external_init(&key, &signer, &user);
	refused(&s, &r, PROVE_REJECTED, "the server refused");
	key_deinit(&key);
	gnutls_privkey_deinit(signer.key);
}

static struct external_key external;
static struct prove_key *external_chain;

static int give_external(_unused_ gnutls_session_t session,
			 _unused_ const struct gnutls_cert_retr_st *asked, gnutls_pcert_st **chain,
			 unsigned *n, _unused_ gnutls_ocsp_data_st **ocsp,
			 _unused_ unsigned *ocsp_n, gnutls_privkey_t *key, unsigned *flags)
{
	*chain = external_chain->chain;
	*n = 1;
	*key = external.handle;
	*flags = 0;
	return 0;
}

/* A transcript that is not this handshake's: the key is not even asked. */
static void external_key_compares(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		gnutls_certificate_credentials_t credentials;
		struct transcript transcript = { 0 };
		struct server s = { .ident = &gate };
		struct signer signer = { 0 };
		gnutls_session_t session;
		struct prove_key key;
		struct pki id;
		int r;

		if (kinds[i] == KEY_RSA)
			continue;
		make_person(kinds[i], &ca, &id);
		external_init(&key, &signer, &id);
		external_chain = &key;
		MUST(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL));
		MUST(gnutls_priority_set_direct(session, GATE_PRIORITY, NULL));
		MUST(gnutls_certificate_allocate_credentials(&credentials));
		gnutls_certificate_set_retrieve_function3(credentials, give_external);
		MUST(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials));
		assert_int_equal(transcript_add(&transcript, 1, "hello", 5), 0);
		assert_int_equal(external_key_init(&external, &key, session, &transcript), 0);
		(void)server_start(&s);
		gnutls_transport_set_int(session, s.client_fd); /* a macro, evaluates it twice */
		do
			r = gnutls_handshake(session);
		while (r < 0 && !gnutls_error_is_fatal(r));
		assert_int_equal(r, GNUTLS_E_PK_SIGN_FAILED);
		assert_int_equal(signer.calls, 0);
		gnutls_deinit(session);
		gnutls_certificate_free_credentials(credentials);
		external_key_deinit(&external);
		transcript_deinit(&transcript);
		server_stop(&s);
		server_deinit(&s);
		key_deinit(&key);
		gnutls_privkey_deinit(signer.key);
		pki_deinit(&id);
	}
}

/* The certificate is alice's, the key is not. */
static void key_of_another_certificate(_unused_ void **state)
{
	struct prove_key key;
	struct server s = { 0 };
	struct run r = { .key = &key };

	key_init(&key, &user);
	gnutls_privkey_deinit(key.key);
	key.key = copy_key(&gate);
	refused(&s, &r, PROVE_REJECTED, "the server refused");
	key_deinit(&key);
}

static void rsa_behind_an_agent_waits_for_tls12(_unused_ void **state)
{
	struct server s = { 0 };
	struct prove_key key;
	struct run r = { .key = &key };

	key_init(&key, &user);
	key.tls12_only = true;
	refused(&s, &r, PROVE_KEY_FAILED, "RSA keys behind an agent need TLS 1.2");
	assert_int_equal(s.prefix.n, 0);
	s = (struct server){ 0 };
	r.describe = true;
	refused(&s, &r, PROVE_KEY_FAILED, "RSA keys behind an agent need TLS 1.2");
	key_deinit(&key);
}

static void key_that_the_server_cannot_use(_unused_ void **state)
{
	struct pki rsa;
	struct server s = { .priority =
				    "NONE:+VERS-TLS1.3:+AEAD:+CTYPE-X509:+AES-256-GCM"
				    ":+GROUP-X25519:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256" };
	struct prove_trust pin;
	struct run r = { .trust = &pin };

	make_dated((struct pki_spec){ .type = KEY_RSA, .eku = PKI_SERVER_AUTH }, 0, 0, NULL, &rsa);
	pin = (struct prove_trust){ .pin = rsa.cert->spki_sha256 };
	s.ident = &rsa;
	refused(&s, &r, PROVE_KEY_FAILED, "accepts no signature");
	assert_false(s.saw_certificate);
	pki_deinit(&rsa);
}

/* --- trust --- */

static void trusted_by_anchor(_unused_ void **state)
{
	const struct anchor anchors[] = { { .id = 1, .name = "foreign", .cert = foreign_ca.cert },
					  { .id = 2, .name = "ours", .cert = ca.cert } };
	const struct prove_trust trust = { .anchors = anchors, .n_anchors = 2, .host = HOST };
	struct server s = { 0 };
	struct run r = { .trust = &trust };

	run(&s, &r);
	assert_int_equal(r.answer.result, PROVE_DONE);
	check_commit(&s, &user, r.ticket);
	secret_free(r.ticket);
	server_deinit(&s);
}

static void wrong_pin(_unused_ void **state)
{
	const struct prove_trust trust = { .pin = user.cert->spki_sha256 };

	server_refused(&(struct server){ 0 }, &trust, "not the one that is trusted");
}

/* A pin says which key it is, not that it may be a server's, nor that it still may. */
static void pinned_but_no_server(_unused_ void **state)
{
	const struct {
		const struct pki *ident;
		const char *why;
	} t[] = {
		{ &gate_expired, "has expired" },
		{ &gate_early, "not valid yet" },
		{ &gate_user, "not one for servers" },
		{ &gate_plain, "not one for servers" },
		{ &gate_odd, "unknown critical extension" },
		{ &gate_weak, "too weak" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct prove_trust trust = { .pin = t[i].ident->cert->spki_sha256 };

		server_refused(&(struct server){ .ident = t[i].ident }, &trust, t[i].why);
	}
}

static void anchored_but_not_this_server(_unused_ void **state)
{
	const struct {
		const struct pki *ident;
		const char *host;
		const char *why;
	} t[] = {
		{ &gate, "db2.example", "for another host" },
		{ &gate, "example", "for another host" },
		{ &gate_foreign, HOST, "not of a trusted CA" },
		{ &gate_expired, HOST, "has expired" },
		{ &gate_early, HOST, "not valid yet" },
		{ &gate_user, HOST, "not one for servers" },
		{ &gate_plain, HOST, "not one for servers" },
	};
	const struct anchor anchor = { .id = 1, .name = "ours", .cert = ca.cert };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const struct prove_trust trust = { .anchors = &anchor,
						   .n_anchors = 1,
						   .host = t[i].host };

		server_refused(&(struct server){ .ident = t[i].ident }, &trust, t[i].why);
	}
}

/* Shows the right certificate, but another key signs. */
static void impostor(_unused_ void **state)
{
	server_refused(&(struct server){ .other_key = &gate_foreign }, NULL, "protocol");
}

static void server_without_our_alpn(_unused_ void **state)
{
	server_refused(&(struct server){ .no_alpn = true }, NULL, "no certlogin gate");
}

static void server_that_asks_for_nothing(_unused_ void **state)
{
	server_refused(&(struct server){ .no_request = true }, NULL, "asked for no certificate");
}

static void server_of_tls12(_unused_ void **state)
{
	struct server s = { .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" };
	struct run r = { 0 };

	refused(&s, &r, PROVE_REJECTED, "is it a certlogin gate");
	assert_false(s.saw_certificate);
}

/* --- arguments --- */

static void arguments_are_checked(_unused_ void **state)
{
	const struct anchor anchor = { .id = 1, .name = "ours", .cert = ca.cert };
	const uint8_t *p = gate.cert->spki_sha256;
	const struct prove_trust pin = { .pin = p }, none = { 0 }, both = { p, &anchor, 1, HOST },
				 no_host = { NULL, &anchor, 1, NULL };
	struct prove_key key, empty = { 0 };
	const struct prove_request bad[] = {
		{ -1, &pin, &key, ID, "", "sudo", SECOND },
		{ -1, &pin, &key, ID, "a:b", "sudo", SECOND },
		{ -1, &pin, &key, ID, "alice", "", SECOND },
		{ -1, &pin, &key, ID, "alice", "@login", SECOND },
		{ -1, &pin, &key, "AEBA", "alice", "sudo", SECOND },
		{ -1, &none, &key, ID, "alice", "sudo", SECOND },
		{ -1, &both, &key, ID, "alice", "sudo", SECOND },
		{ -1, &no_host, &key, ID, "alice", "sudo", SECOND },
		{ -1, &pin, &empty, ID, "alice", "sudo", SECOND },
	};
	struct prove_request loose = bad[0];
	struct prove_answer answer;
	struct prove_description description;
	struct secret *ticket = NULL;

	key_init(&key, &user);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(prove_commit(&bad[i], &answer, &ticket), -EINVAL);
		assert_null(ticket);
	}
	loose.login_id = "";
	assert_int_equal(prove_describe(&loose, &answer, &description), -EINVAL);
	key_deinit(&key);
}

/* --- servers that break off, stall, talk too much --- */

static void read_hello(const struct server *s)
{
	uint8_t hello[16384];

	(void)!recv(s->fd, hello, sizeof(hello), 0);
}

static void raw_close(struct server *s)
{
	read_hello(s);
}

static void raw_silence(struct server *s)
{
	uint8_t p[4096];

	while (recv(s->fd, p, sizeof(p), 0) > 0)
		;
}

/* A record that never ends, a byte now and then: no wait of the client's is long, only their sum.
 */
static void raw_drip(struct server *s)
{
	static const uint8_t head[] = { 22, 3, 3, 0x40, 0 };
	const struct timespec step = { 0, 2000000 };

	(void)send(s->fd, head, sizeof(head), MSG_NOSIGNAL);
	while (send(s->fd, "\2", 1, MSG_NOSIGNAL) == 1)
		(void)nanosleep(&step, NULL);
}

/* One handshake message of 16 MiB, in as many records as it takes. */
static void raw_flood(struct server *s)
{
	static uint8_t record[5 + 0x4000] = { 22, 3, 3, 0x40, 0 };
	static const uint8_t message[] = { 2, 0xff, 0xff, 0xff };

	memcpy(record + 5, message, sizeof(message));
	for (size_t i = 0; i < 1024; i++) {
		if (send(s->fd, record, sizeof(record), MSG_NOSIGNAL) < 0)
			break;
		memset(record + 5, 0, sizeof(message));
	}
}

static void raw_warnings(struct server *s)
{
	static const uint8_t warning[] = { 21, 3, 3, 0, 2, 1, GNUTLS_A_USER_CANCELED };

	while (send(s->fd, warning, sizeof(warning), MSG_NOSIGNAL) == sizeof(warning))
		;
}

/* RFC 8446 4.1.4: asks for the P-256 share, which it has got. */
static void raw_retry(struct server *s)
{
	uint8_t hello[16384] = { 0 };
	uint8_t retry[5 + 4 + 88] = {
		22,   3,    3,	  0,	92,   2,    0,	  0,	88,   3,    3,
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c, 32,
	};
	static const uint8_t tail[] = { 0x13, 0x02, 0, 0,  12, 0, 43, 0, 2,
					0x03, 0x04, 0, 51, 0,  2, 0,  23 };
	ssize_t n = recv(s->fd, hello, sizeof(hello), 0);
	size_t session = 5 + 4 + 2 + 32;

	memcpy(retry + 44, hello + session + 1, 32);
	memcpy(retry + 76, tail, sizeof(tail));
	retry[4] = (uint8_t)(4 + 67 + sizeof(tail));
	retry[8] = (uint8_t)(67 + sizeof(tail));
	(void)send(s->fd, retry, 76 + sizeof(tail), MSG_NOSIGNAL);
	n = recv(s->fd, hello, sizeof(hello), 0);
	s->saw_certificate = n > 0 && hello[0] == 22; /* a second hello, then */
}

static void broken_servers(_unused_ void **state)
{
	static const struct {
		void (*raw)(struct server *);
		enum prove_result result;
		const char *why;
	} t[] = {
		{ raw_close, PROVE_NO_SERVER, "closed the connection" },
		{ raw_silence, PROVE_NO_SERVER, "did not answer in time" },
		{ raw_drip, PROVE_NO_SERVER, "did not answer in time" },
		{ raw_flood, PROVE_NO_SERVER, "sent too much" },
		{ raw_warnings, PROVE_SERVER, "does not keep to the protocol" },
		{ raw_retry, PROVE_SERVER, "does not keep to the protocol" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct server s = { .raw = t[i].raw };
		struct run r = { .timeout_usec = SECOND / 4 };

		refused(&s, &r, t[i].result, t[i].why);
		assert_false(s.saw_certificate);
	}
}

static void raw_refuse(struct server *s)
{
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, GNUTLS_A_INTERNAL_ERROR };

	(void)send(s->fd, alert, sizeof(alert), MSG_NOSIGNAL);
}

/* Our writes fail before we come to read: the reason must not be lost. */
static void refusal_before_we_write(_unused_ void **state)
{
	struct server s = { .raw = raw_refuse, .first = true };
	struct run r = { 0 };

	refused(&s, &r, PROVE_REJECTED, "cannot serve now");
}

static void bytes_may_drip(_unused_ void **state)
{
	struct server s = { .drip = 1 };
	struct run r = { 0 };

	run(&s, &r);
	assert_int_equal(r.answer.result, PROVE_DONE);
	secret_free(r.ticket);
	server_deinit(&s);
}

static void after_nothing(_unused_ struct server *s)
{
}

static void after_silence(struct server *s)
{
	raw_silence(s);
}

/* 10 MB without a NUL */
static void after_endless(struct server *s)
{
	char x[1024];

	memset(x, 'x', sizeof(x));
	for (int i = 0; i < 10240; i++)
		if (gnutls_record_send(s->session, x, sizeof(x)) < 0)
			break;
}

/* One message fits, to the byte; one more does not. */
static void after_long(struct server *s)
{
	char x[LIMIT_CALL_BYTES + 1];

	memset(x, ' ', sizeof(x) - 1);
	memcpy(x, "{\"parameters\":{\"allowed\":true,\"event\":1}}", 41);
	x[s->drip] = '\0';
	(void)gnutls_record_send(s->session, x, s->drip + 1);
	raw_silence(s);
}

static void after_two_answers(struct server *s)
{
	static const char two[] = "{\"parameters\":{\"allowed\":true,\"event\":1}}\0{}";

	(void)gnutls_record_send(s->session, two, sizeof(two));
	raw_silence(s);
}

static void after_half_an_answer(struct server *s)
{
	(void)gnutls_record_send(s->session, "{\"parameters\":{\"allowed\":true,\"event\":1}}", 41);
	(void)gnutls_bye(s->session, GNUTLS_SHUT_WR);
	raw_silence(s);
}

static void after_key_updates(struct server *s)
{
	for (int i = 0; i < 2; i++)
		(void)gnutls_session_key_update(s->session, 0);
	server_answer(s);
}

static void after_key_update(struct server *s)
{
	(void)gnutls_session_key_update(s->session, 0);
	server_answer(s);
}

static void odd_servers_after_the_handshake(_unused_ void **state)
{
	static const struct {
		void (*after)(struct server *);
		enum prove_result result;
		const char *why;
	} t[] = {
		{ after_nothing, PROVE_NO_SERVER, "closed" },
		{ after_silence, PROVE_NO_SERVER, "did not answer in time" },
		{ after_endless, PROVE_NO_SERVER, "too long" },
		{ after_two_answers, PROVE_NO_SERVER, "more than its answer" },
		{ after_half_an_answer, PROVE_NO_SERVER, "without an answer" },
		{ after_key_updates, PROVE_SERVER, "does not keep to the protocol" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct server s = { .after = t[i].after };
		struct run r = { .timeout_usec = SECOND / 2 };

		refused(&s, &r, t[i].result, t[i].why);
	}
}

static void tolerated_after_the_handshake(_unused_ void **state)
{
	struct server t[] = { { .after = after_key_update }, { .tickets = true } };

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct run r = { 0 };

		run(&t[i], &r);
		assert_int_equal(r.answer.result, PROVE_DONE);
		secret_free(r.ticket);
		server_deinit(&t[i]);
	}
}

static void answer_of_the_largest_size(_unused_ void **state)
{
	struct server s = { .after = after_long, .drip = LIMIT_CALL_BYTES - 1 };
	struct run r = { 0 };

	run(&s, &r);
	assert_int_equal(r.answer.result, PROVE_DONE);
	secret_free(r.ticket);
	server_deinit(&s);
	s = (struct server){ .after = after_long, .drip = LIMIT_CALL_BYTES };
	r = (struct run){ 0 };
	refused(&s, &r, PROVE_NO_SERVER, "too long");
}

/* --- alerts --- */

static gnutls_alert_description_t alert_to_send;

static void after_alert(struct server *s)
{
	(void)gnutls_alert_send(s->session, GNUTLS_AL_FATAL, alert_to_send);
}

static void alerts_say_what_to_do(_unused_ void **state)
{
	static const struct {
		gnutls_alert_description_t alert;
		const char *why;
	} t[] = {
		{ GNUTLS_A_CERTIFICATE_REQUIRED, "got no certificate" },
		{ GNUTLS_A_BAD_CERTIFICATE, "does not accept this certificate" },
		{ GNUTLS_A_UNSUPPORTED_CERTIFICATE, "kind of certificate" },
		{ GNUTLS_A_CERTIFICATE_REVOKED, "revoked" },
		{ GNUTLS_A_CERTIFICATE_EXPIRED, "expired" },
		{ GNUTLS_A_CERTIFICATE_UNKNOWN, "not known" },
		{ GNUTLS_A_UNKNOWN_CA, "CA is not known" },
		{ GNUTLS_A_ACCESS_DENIED, "denied" },
		{ GNUTLS_A_DECRYPT_ERROR, "does not verify" },
		{ GNUTLS_A_HANDSHAKE_FAILURE, "no algorithm in common" },
		{ GNUTLS_A_INTERNAL_ERROR, "journal" },
		{ GNUTLS_A_ILLEGAL_PARAMETER, "Illegal parameter" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct server s = { .after = after_alert };
		struct run r = { 0 };

		alert_to_send = t[i].alert;
		refused(&s, &r, PROVE_REJECTED, t[i].why);
	}
}

/* --- answers --- */

static void answers(_unused_ void **state)
{
	static const struct {
		const char *reply;
		enum prove_result result;
		uint64_t event;
		const char *why;
	} t[] = {
		{ "{\"parameters\":{\"allowed\":false,\"event\":4711}}", PROVE_DENIED, 4711, "" },
		{ "{\"parameters\":{\"allowed\":false,\"event\":0}}", PROVE_DENIED, 0, "" },
		{ "{\"error\":\"org.certlogin.Login.Unavailable\"}", PROVE_NO_SERVER, 0,
		  "try again" },
		{ "{\"error\":\"org.certlogin.Login.NotFound\"}", PROVE_DENIED, 0,
		  "no such login" },
		{ "{\"error\":\"org.varlink.service.MethodNotFound\"}", PROVE_NO_SERVER, 0,
		  "does not know" },
		{ "{}", PROVE_NO_SERVER, 0, "no sense" },
		{ "", PROVE_NO_SERVER, 0, "no sense" },
		{ "{\"parameters\":{\"allowed\":true}}", PROVE_NO_SERVER, 0, "no sense" },
		{ "{\"parameters\":{\"event\":1}}", PROVE_NO_SERVER, 0, "no sense" },
		{ "{\"parameters\":{\"allowed\":1,\"event\":1}}", PROVE_NO_SERVER, 0, "no sense" },
		{ "{\"parameters\":{\"allowed\":\"true\",\"event\":1}}", PROVE_NO_SERVER, 0,
		  "no sense" },
		{ "{\"parameters\":{\"allowed\":true,\"event\":-1}}", PROVE_NO_SERVER, 0,
		  "no sense" },
		{ "{\"parameters\":{\"allowed\":true,\"event\":1.0}}", PROVE_NO_SERVER, 0,
		  "no sense" },
		{ "{\"parameters\":{\"allowed\":true,\"event\":1,\"x\":1}}", PROVE_NO_SERVER, 0,
		  "no sense" },
		{ "{\"parameters\":{\"allowed\":true,\"allowed\":true,\"event\":1}}",
		  PROVE_NO_SERVER, 0, "no sense" },
		{ "{\"parameters\":{\"allowed\":true,\"event\":1}} x", PROVE_NO_SERVER, 0,
		  "no sense" },
		{ "{\"parameters\":{\"allowed\":true,\"event\":1},\"error\":\"x\"}",
		  PROVE_NO_SERVER, 0, "does not know" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct server s = { .reply = t[i].reply };
		struct run r = { 0 };

		refused(&s, &r, t[i].result, t[i].why);
		assert_int_equal(r.answer.event, t[i].event);
	}
}

static void describe(_unused_ void **state)
{
	struct server s = { .reply = "{\"parameters\":{\"account\":\"root\",\"service\":\"su\","
				     "\"caller\":\"mallory\\u001b[2J (uid 1001)\"}}" };
	struct run r = { .describe = true };
	char name[COMMITMENT_NAME_SIZE];

	run(&s, &r);
	assert_int_equal(r.answer.result, PROVE_DONE);
	assert_string_equal(r.description.account, "root");
	assert_string_equal(r.description.service, "su");
	assert_string_equal(r.description.caller, "mallory?[2J (uid 1001)");
	assert_string_equal(s.call, "{\"method\":\"org.certlogin.Login.Describe\","
				    "\"parameters\":{\"loginId\":\"" ID "\"}}");
	check_proof(&s, &user, name);
	assert_string_equal(name, ""); /* a proof that can become nothing */
	server_deinit(&s);
}

static void describe_refuses(_unused_ void **state)
{
	static const struct {
		const char *reply;
		enum prove_result result;
	} t[] = {
		{ "{\"error\":\"org.certlogin.Login.NotFound\"}", PROVE_DENIED },
		{ "{\"parameters\":{\"account\":\"root\",\"service\":\"su\"}}", PROVE_NO_SERVER },
		{ "{\"parameters\":{\"account\":\"a/b\",\"service\":\"su\",\"caller\":\"x\"}}",
		  PROVE_NO_SERVER },
		{ "{\"parameters\":{\"account\":\"root\",\"service\":\"\",\"caller\":\"x\"}}",
		  PROVE_NO_SERVER },
		{ "{\"parameters\":{\"account\":\"root\",\"service\":\"su\",\"caller\":1}}",
		  PROVE_NO_SERVER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct server s = { .reply = t[i].reply };
		struct run r = { .describe = true };

		refused(&s, &r, t[i].result, "");
		assert_string_equal(r.description.account, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commit_by_own_key),
		cmocka_unit_test(commit_by_external_key),
		cmocka_unit_test(external_key_compares),
		cmocka_unit_test(external_key_fails),
		cmocka_unit_test(external_key_signs_badly),
		cmocka_unit_test(key_of_another_certificate),
		cmocka_unit_test(rsa_behind_an_agent_waits_for_tls12),
		cmocka_unit_test(key_that_the_server_cannot_use),
		cmocka_unit_test(trusted_by_anchor),
		cmocka_unit_test(wrong_pin),
		cmocka_unit_test(pinned_but_no_server),
		cmocka_unit_test(anchored_but_not_this_server),
		cmocka_unit_test(impostor),
		cmocka_unit_test(server_without_our_alpn),
		cmocka_unit_test(server_that_asks_for_nothing),
		cmocka_unit_test(server_of_tls12),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(broken_servers),
		cmocka_unit_test(refusal_before_we_write),
		cmocka_unit_test(bytes_may_drip),
		cmocka_unit_test(odd_servers_after_the_handshake),
		cmocka_unit_test(tolerated_after_the_handshake),
		cmocka_unit_test(answer_of_the_largest_size),
		cmocka_unit_test(alerts_say_what_to_do),
		cmocka_unit_test(answers),
		cmocka_unit_test(describe),
		cmocka_unit_test(describe_refuses),
	};

	return cmocka_run_group_tests(tests, make_idents, free_idents);
}
