// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/pkcs12.h>

#include "tests/unit/keys-lab.h"

/* Key files, and which source's turn it is. */

static struct pki ca, alice, bob;
static char key_path[LAB_PATH_SIZE], cert_path[LAB_PATH_SIZE];

static void write_pki(const struct pki *key, const struct pki *cert)
{
	gnutls_datum_t key_pem, cert_pem, unused;

	pki_pem(key, &key_pem, &unused);
	gnutls_free(unused.data);
	pki_pem(cert, &unused, &cert_pem);
	gnutls_free(unused.data);
	lab_write(key_path, 0600, key_pem.data, key_pem.size);
	lab_write(cert_path, 0644, cert_pem.data, cert_pem.size);
	gnutls_free(key_pem.data);
	gnutls_free(cert_pem.data);
}

static int setup(_unused_ void **state)
{
	if (!mkdtemp(lab_dir))
		return -1;
	(void)lab_path("client.key", key_path);
	(void)lab_path("client.crt", cert_path);
	pki_make_ca("Test CA", &ca);
	pki_make_person("alice", KEY_P256, &ca, &alice);
	pki_make_person("bob", KEY_P256, &ca, &bob);
	return 0;
}

static int teardown(_unused_ void **state)
{
	pki_deinit(&ca);
	pki_deinit(&alice);
	pki_deinit(&bob);
	return rmdir(lab_dir);
}

static int fresh_files(_unused_ void **state)
{
	write_pki(&alice, &alice);
	return 0;
}

static int no_files(_unused_ void **state)
{
	(void)unlink(key_path);
	(void)unlink(cert_path);
	return 0;
}

static struct key_context files(void)
{
	return (struct key_context){ .key_file = key_path, .cert_file = cert_path };
}

/* The one key that `open` gives is this person's. */
static void is_key_of(const struct prove_key *key, const struct pki *p)
{
	struct view der = { key->chain[0].cert.data, key->chain[0].cert.size };

	assert_true(view_is(&der, p->cert->der.p, p->cert->der.n));
}

static void file_gives(struct key_context *ctx, const struct pki *p)
{
	struct prove_key *key = NULL;
	size_t n = 7;

	assert_int_equal(keys_file_open(ctx, &key, 1, &n), 0);
	if (n != 1)
		fail_msg("no key: %s", ctx->why);
	is_key_of(key, p);
	assert_non_null(key->key);
	assert_null(key->sign);
	assert_false(key->tls12_only);
	assert_string_equal(key->label, "client.key");
	prove_key_free(key);
}

static void file_refused(struct key_context *ctx, const char *why)
{
	struct prove_key *key = NULL;
	size_t n = 7;

	assert_int_equal(keys_file_open(ctx, &key, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_null(key);
	if (!strstr(ctx->why, why))
		fail_msg("why: %s", ctx->why);
}

/* --- files --- */

static void file_and_its_certificate(_unused_ void **state)
{
	static const enum key_type kinds[] = { KEY_P256, KEY_P384, KEY_ED25519, KEY_RSA };
	struct key_context ctx = files();

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct pki p;

		pki_make_person("carol", kinds[i], &ca, &p);
		write_pki(&p, &p);
		file_gives(&ctx, &p);
		pki_deinit(&p);
	}
}

static void chain_of_the_file_is_kept(_unused_ void **state)
{
	gnutls_datum_t key_pem, pem[2];
	struct key_context ctx = files();
	struct prove_key *key = NULL;
	struct buf both = { 0 };
	size_t n = 0;

	pki_pem(&alice, &key_pem, &pem[0]);
	gnutls_free(key_pem.data);
	pki_pem(&ca, &key_pem, &pem[1]);
	gnutls_free(key_pem.data);
	for (size_t i = 0; i < 2; i++) {
		buf_put(&both, pem[i].data, pem[i].size);
		gnutls_free(pem[i].data);
	}
	lab_write(cert_path, 0644, both.p, both.n);
	assert_int_equal(keys_file_open(&ctx, &key, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(key->n_chain, 2);
	is_key_of(key, &alice);
	prove_key_free(key);
	/* one more than may be */
	both.n = 0;
	pki_pem(&alice, &key_pem, &pem[0]);
	gnutls_free(key_pem.data);
	for (size_t i = 0; i <= LIMIT_CHAIN_CERTS; i++)
		buf_put(&both, pem[0].data, pem[0].size);
	gnutls_free(pem[0].data);
	lab_write(cert_path, 0644, both.p, both.n);
	file_refused(&ctx, "client.crt has too many certificates");
	buf_deinit(&both);
}

static void certificate_of_the_file_is_looked_up(_unused_ void **state)
{
	struct directory d = { .known = { &alice }, .n = 1 };
	struct key_context ctx = { .key_file = key_path,
				   .find_certificates = directory_find,
				   .find_userdata = &d };

	file_gives(&ctx, &alice);
	d.n = 0;
	file_refused(&ctx, "no certificate for the key in");
	d.error = -ECONNREFUSED;
	file_refused(&ctx, "cannot ask certlogin for certificates: Connection refused");
	ctx.find_certificates = NULL;
	file_refused(&ctx, "no certificate for the key in");
}

static void no_file_is_named(_unused_ void **state)
{
	file_refused(&(struct key_context){ 0 }, "no key file is named");
}

static void files_that_are_not_there(_unused_ void **state)
{
	struct key_context ctx = files();

	assert_int_equal(unlink(cert_path), 0);
	file_refused(&ctx, "client.crt: No such file or directory");
	assert_int_equal(unlink(key_path), 0);
	file_refused(&ctx, "client.key: No such file or directory");
}

static void links_are_not_followed(_unused_ void **state)
{
	struct key_context ctx = files();
	char other[LAB_PATH_SIZE];

	assert_int_equal(rename(key_path, lab_path("other", other)), 0);
	assert_int_equal(symlink(other, key_path), 0);
	file_refused(&ctx, "client.key: is a symbolic link: name the file itself");
	assert_int_equal(unlink(other), 0);
}

static void only_files_are_read(_unused_ void **state)
{
	struct key_context ctx = files();

	assert_int_equal(unlink(key_path), 0);
	assert_int_equal(mkfifo(key_path, 0600), 0); /* nobody writes: it must not hold us */
	file_refused(&ctx, "client.key is not a regular file");
	assert_int_equal(unlink(key_path), 0);
	assert_int_equal(mkdir(key_path, 0700), 0);
	file_refused(&ctx, "client.key is not a regular file");
	assert_int_equal(rmdir(key_path), 0);
}

static void keys_that_others_can_read(_unused_ void **state)
{
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0610, 0601 };
	struct key_context ctx = files();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(chmod(key_path, bad[i]), 0);
		file_refused(&ctx, "client.key can be read by others: chmod 600");
	}
	assert_int_equal(chmod(key_path, 0400), 0);
	file_gives(&ctx, &alice);
}

static void keys_of_another_user(_unused_ void **state)
{
	struct key_context ctx = files();

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(key_path, 12345, (gid_t)-1), 0);
	file_refused(&ctx, "client.key belongs to another user");
	/* a certificate is public: anybody's will do */
	assert_int_equal(chown(key_path, 0, (gid_t)-1), 0);
	assert_int_equal(chown(cert_path, 12345, (gid_t)-1), 0);
	file_gives(&ctx, &alice);
}

static void keys_that_cannot_be_read(_unused_ void **state)
{
	struct key_context ctx = files();
	bool root = geteuid() == 0;

	assert_int_equal(chmod(key_path, 0), 0);
	if (root)
		assert_int_equal(seteuid(12345), 0);
	/* of a mkdtemp()ed directory, another user sees nothing at all */
	file_refused(&ctx, "client.key: Permission denied");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

/* What goes after the last line of a PEM file is ignored: size alone decides. */
static void pad(const char *path, size_t size)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t n = st.st_size; n < (off_t)size; n++)
		assert_int_equal(write(fd, "\n", 1), 1);
	assert_int_equal(close(fd), 0);
}

static void files_of_the_largest_size(_unused_ void **state)
{
	struct key_context ctx = files();

	pad(key_path, LIMIT_KEY_FILE_BYTES);
	pad(cert_path, LIMIT_KEY_FILE_BYTES);
	file_gives(&ctx, &alice);
	pad(cert_path, LIMIT_KEY_FILE_BYTES + 1);
	file_refused(&ctx, "client.crt is too large");
	pad(key_path, LIMIT_KEY_FILE_BYTES + 1);
	file_refused(&ctx, "client.key is too large");
}

static void files_of_something_else(_unused_ void **state)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{ "", "client.key is neither a PEM private key nor PKCS#12" },
		{ "hello", "client.key is neither a PEM private key nor PKCS#12" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		  "client.key is neither a PEM private key nor PKCS#12" },
		{ "\x30\x03\x02\x01\x03", "client.key is not a PKCS#12 file" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
		  "client.key is in OpenSSH's own form: use it by ssh-add" },
	};
	struct key_context ctx = files();

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		lab_write(key_path, 0600, t[i].text, strlen(t[i].text));
		file_refused(&ctx, t[i].why);
	}
	write_pki(&alice, &alice);
	lab_write(cert_path, 0644, "", 0);
	file_refused(&ctx, "client.crt is not a PEM certificate");
	lab_write(cert_path, 0644, "hello", 5);
	file_refused(&ctx, "client.crt is not a PEM certificate");
}

static void certificate_of_another_key(_unused_ void **state)
{
	struct key_context ctx = files();

	write_pki(&alice, &bob);
	file_refused(&ctx, "client.crt is not for the key in");
}

static void keys_below_the_floor(_unused_ void **state)
{
	struct key_context ctx = files();
	struct pki weak;

	pki_make(&(struct pki_spec){ .cn = "weak", .type = KEY_RSA, .bits = 1024 }, &ca, &weak);
	write_pki(&weak, &weak);
	file_refused(&ctx, "client.key: use P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits");
	pki_deinit(&weak);
	pki_make_person("odd", KEY_P521, &ca, &weak);
	write_pki(&weak, &weak);
	file_refused(&ctx, "client.key: use P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits");
	pki_deinit(&weak);
}

/* --- passphrases --- */

struct person {
	unsigned asked, right_at; /* 0: never */
	int error;
	const char *wrong;
};

static int answer(void *userdata, enum key_question question, const char *label,
		  struct secret **ret)
{
	struct person *p = userdata;
	const char *text;

	assert_string_equal(label, "client.key");
	assert_int_equal(question,
			 p->asked++ > 0 ? KEY_ASK_PASSPHRASE | KEY_ASK_WRONG : KEY_ASK_PASSPHRASE);
	if (p->error < 0)
		return p->error;
	text = p->asked == p->right_at ? "correct horse" : p->wrong;
	*ret = text ? secret_new(text, strlen(text)) : NULL;
	return 0;
}

static void write_encrypted(void)
{
	gnutls_datum_t pem;

	assert_true(gnutls_x509_privkey_export2_pkcs8(alice.key, GNUTLS_X509_FMT_PEM,
						      "correct horse", GNUTLS_PKCS_PBES2_AES_256,
						      &pem) >= 0);
	lab_write(key_path, 0600, pem.data, pem.size);
	gnutls_free(pem.data);
}

static void passphrase_is_asked_until_it_is_right(_unused_ void **state)
{
	struct key_context ctx = files();

	write_encrypted();
	for (unsigned i = 1; i <= LIMIT_PASSPHRASE_TRIES; i++) {
		struct person p = { .right_at = i, .wrong = "battery" };

		ctx.ask = answer;
		ctx.ask_userdata = &p;
		file_gives(&ctx, &alice);
		assert_int_equal(p.asked, i);
	}
}

static void passphrase_tries_are_limited(_unused_ void **state)
{
	struct person p = { .right_at = LIMIT_PASSPHRASE_TRIES + 1, .wrong = "battery" };
	struct key_context ctx = files();

	write_encrypted();
	ctx.ask = answer;
	ctx.ask_userdata = &p;
	file_refused(&ctx, "client.key: the passphrase is wrong");
	assert_int_equal(p.asked, LIMIT_PASSPHRASE_TRIES);
}

static void nobody_gives_a_passphrase(_unused_ void **state)
{
	struct person silent = { .error = -ECANCELED }, empty = { .wrong = "" }, none = { 0 };
	struct person *all[] = { &silent, &empty, &none };
	struct key_context ctx = files();

	write_encrypted();
	file_refused(&ctx, "client.key: no passphrase was given"); /* nobody is there */
	ctx.ask = answer;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		ctx.ask_userdata = all[i];
		file_refused(&ctx, "client.key: no passphrase was given");
		assert_int_equal(all[i]->asked, 1); /* who says no is not asked again */
	}
}

static void plain_keys_ask_nothing(_unused_ void **state)
{
	struct key_context ctx = files();
	struct person p = { 0 };

	ctx.ask = answer;
	ctx.ask_userdata = &p;
	file_gives(&ctx, &alice);
	assert_int_equal(p.asked, 0);
}

/* --- PKCS#12 --- */

#define MADE(x) assert_true((x) >= 0)

static void add_cert(gnutls_pkcs12_t p12, const struct pki *p, const gnutls_datum_t *id)
{
	gnutls_pkcs12_bag_t bag;

	MADE(gnutls_pkcs12_bag_init(&bag));
	MADE(gnutls_pkcs12_bag_set_crt(bag, p->crt));
	if (id)
		MADE(gnutls_pkcs12_bag_set_key_id(bag, 0, id));
	MADE(gnutls_pkcs12_set_bag(p12, bag));
	gnutls_pkcs12_bag_deinit(bag);
}

/* The certificates are in no order that would help. */
static void write_p12(const char *passphrase, const struct pki *key, const struct pki *cert,
		      const struct pki *issuer)
{
	static const uint8_t id_bytes[] = { 1, 2, 3 };
	const gnutls_datum_t id = { (uint8_t *)(uintptr_t)id_bytes, sizeof(id_bytes) };
	gnutls_datum_t pkcs8, der;
	gnutls_pkcs12_bag_t bag;
	gnutls_pkcs12_t p12;

	MADE(gnutls_pkcs12_init(&p12));
	if (issuer)
		add_cert(p12, issuer, NULL);
	if (cert)
		add_cert(p12, cert, &id);
	if (key) {
		MADE(gnutls_pkcs12_bag_init(&bag));
		MADE(gnutls_x509_privkey_export2_pkcs8(key->key, GNUTLS_X509_FMT_DER, passphrase,
						       GNUTLS_PKCS_PBES2_AES_256, &pkcs8));
		MADE(gnutls_pkcs12_bag_set_data(bag, GNUTLS_BAG_PKCS8_ENCRYPTED_KEY, &pkcs8));
		MADE(gnutls_pkcs12_bag_set_key_id(bag, 0, &id));
		MADE(gnutls_pkcs12_set_bag(p12, bag));
		gnutls_pkcs12_bag_deinit(bag);
		gnutls_free(pkcs8.data);
	}
	MADE(gnutls_pkcs12_generate_mac(p12, passphrase));
	MADE(gnutls_pkcs12_export2(p12, GNUTLS_X509_FMT_DER, &der));
	lab_write(key_path, 0600, der.data, der.size);
	gnutls_free(der.data);
	gnutls_pkcs12_deinit(p12);
}

static void pkcs12_has_its_chain(_unused_ void **state)
{
	struct person p = { .right_at = 2, .wrong = "battery" };
	struct key_context ctx = { .key_file = key_path, .ask = answer, .ask_userdata = &p };
	struct prove_key *key = NULL;
	struct pki sub, carol;
	size_t n = 0;

	pki_make(&(struct pki_spec){ .cn = "Sub CA", .ca = true }, &ca, &sub);
	pki_make_person("carol", KEY_P256, &sub, &carol);
	write_p12("correct horse", &carol, &carol, &sub);
	assert_int_equal(keys_file_open(&ctx, &key, 1, &n), 0);
	if (n != 1)
		fail_msg("no key: %s", ctx.why);
	is_key_of(key, &carol);
	assert_int_equal(key->n_chain, 2);
	assert_int_equal(p.asked, 2);
	prove_key_free(key);
	pki_deinit(&sub);
	pki_deinit(&carol);
}

static void pkcs12_passphrase_tries_are_limited(_unused_ void **state)
{
	struct person p = { .right_at = LIMIT_PASSPHRASE_TRIES + 1, .wrong = "battery" };
	struct person silent = { .error = -ECANCELED };
	struct key_context ctx = { .key_file = key_path, .ask = answer, .ask_userdata = &p };

	write_p12("correct horse", &alice, &alice, NULL);
	file_refused(&ctx, "client.key: the passphrase is wrong");
	assert_int_equal(p.asked, LIMIT_PASSPHRASE_TRIES);
	ctx.ask_userdata = &silent;
	file_refused(&ctx, "client.key: no passphrase was given");
	assert_int_equal(silent.asked, 1);
}

static void pkcs12_without_a_passphrase(_unused_ void **state)
{
	struct person p = { 0 };
	struct key_context ctx = { .key_file = key_path, .ask = answer, .ask_userdata = &p };

	write_p12("", &alice, &alice, NULL);
	file_gives(&ctx, &alice);
	assert_int_equal(p.asked, 0);
}

static void pkcs12_certificate_from_elsewhere(_unused_ void **state)
{
	struct directory directory = { .known = { &bob, &alice }, .n = 2 };
	struct key_context ctx = { .key_file = key_path,
				   .find_certificates = directory_find,
				   .find_userdata = &directory };

	write_p12("", &alice, NULL, NULL);
	file_gives(&ctx, &alice);
	assert_int_equal(directory.calls, 1);
	/* one that was named comes before the file's */
	write_p12("", &alice, &alice, NULL);
	ctx.cert_file = cert_path;
	file_gives(&ctx, &alice);
	lab_write(cert_path, 0644, "x", 1);
	file_refused(&ctx, "client.crt is not a PEM certificate");
}

static void pkcs12_that_is_not_whole(_unused_ void **state)
{
	struct key_context ctx = { .key_file = key_path };
	struct stat st;

	write_p12("", NULL, &alice, NULL);
	file_refused(&ctx, "client.key is not a PKCS#12 file with a MAC and a key");
	write_p12("", &alice, &alice, NULL);
	assert_int_equal(stat(key_path, &st), 0);
	assert_int_equal(truncate(key_path, st.st_size - 7), 0);
	file_refused(&ctx, "client.key is not a PKCS#12 file");
}

/* --- whose turn --- */

struct turn {
	struct agent_script agent;
	struct directory directory;
	struct key_context ctx;
	struct prove_key *keys[2];
	size_t n;
};

/* Opens with an agent that holds alice's and bob's keys. */
static void take_turn(struct turn *t)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };

	put_identities(&body, (const struct pki *const[]){ &alice, &bob, NULL });
	put_message(&t->agent.list, &body);
	t->ctx.agent_socket = agent_start(&t->agent);
	t->ctx.find_userdata = &t->directory;
	assert_int_equal(keys_open(&t->ctx, t->keys, 2, &t->n), 0);
}

static void end_turn(struct turn *t)
{
	free_keys(t->keys, t->n);
	agent_stop(&t->agent);
	agent_deinit(&t->agent);
}

static void file_comes_before_the_agent(_unused_ void **state)
{
	struct turn t = { .ctx = files() };

	take_turn(&t);
	assert_int_equal(t.n, 1);
	assert_non_null(t.keys[0]->key);
	assert_int_equal(t.agent.connections, 0);
	end_turn(&t);
}

static void agent_alone_without_a_file(_unused_ void **state)
{
	struct turn t = { .directory = { .known = { &bob }, .n = 1 },
			  .ctx = { .find_certificates = directory_find } };

	take_turn(&t);
	assert_int_equal(t.n, 1);
	is_key_of(t.keys[0], &bob);
	end_turn(&t);
}

/* client.key cannot be used, client.crt can: it is for a key of the agent's. */
static void agent_after_a_useless_file(_unused_ void **state)
{
	struct turn t = { .ctx = files() };

	assert_int_equal(chmod(key_path, 0644), 0);
	take_turn(&t);
	if (t.n != 1)
		fail_msg("no key: %s", t.ctx.why);
	is_key_of(t.keys[0], &alice);
	assert_non_null(t.keys[0]->sign);
	assert_int_equal(t.directory.calls, 0);
	end_turn(&t);
}

/* Neither of the files can be used: the agent's keys have certificates that are known here. */
static void agent_after_useless_files(_unused_ void **state)
{
	struct turn t = { .directory = { .known = { &bob }, .n = 1 }, .ctx = files() };

	t.ctx.find_certificates = directory_find;
	lab_write(key_path, 0600, "x", 1);
	lab_write(cert_path, 0644, "x", 1);
	take_turn(&t);
	if (t.n != 1)
		fail_msg("no key: %s", t.ctx.why);
	is_key_of(t.keys[0], &bob);
	assert_ptr_equal(t.ctx.cert_file, cert_path); /* the caller's, unchanged */
	end_turn(&t);
}

static void agent_after_a_passphrase_that_nobody_gave(_unused_ void **state)
{
	struct turn t = { .ctx = files() };

	write_encrypted();
	take_turn(&t);
	assert_int_equal(t.n, 1);
	assert_non_null(t.keys[0]->sign);
	end_turn(&t);
}

static void both_are_named_when_neither_works(_unused_ void **state)
{
	struct key_context ctx = files();
	struct prove_key *key = NULL;
	char lengthy[300] = "/";
	size_t n = 7;

	assert_int_equal(chmod(key_path, 0644), 0);
	assert_int_equal(keys_open(&ctx, &key, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_non_null(strstr(ctx.why, "client.key can be read by others: chmod 600; "));
	assert_non_null(strstr(ctx.why, "; there is no ssh-agent (SSH_AUTH_SOCK is not set)"));
	/* nor does a long path hide the agent */
	memset(lengthy + 1, 'x', sizeof(lengthy) - 2);
	ctx.key_file = lengthy;
	assert_int_equal(keys_open(&ctx, &key, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_non_null(strstr(ctx.why, "/xxx"));
	assert_non_null(strstr(ctx.why, "; there is no ssh-agent (SSH_AUTH_SOCK is not set)"));
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, fresh_files, no_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(file_and_its_certificate),
		FILE_TEST(chain_of_the_file_is_kept),
		FILE_TEST(certificate_of_the_file_is_looked_up),
		FILE_TEST(no_file_is_named),
		FILE_TEST(files_that_are_not_there),
		FILE_TEST(links_are_not_followed),
		FILE_TEST(only_files_are_read),
		FILE_TEST(keys_that_others_can_read),
		FILE_TEST(keys_of_another_user),
		FILE_TEST(keys_that_cannot_be_read),
		FILE_TEST(files_of_the_largest_size),
		FILE_TEST(files_of_something_else),
		FILE_TEST(certificate_of_another_key),
		FILE_TEST(keys_below_the_floor),
		FILE_TEST(passphrase_is_asked_until_it_is_right),
		FILE_TEST(passphrase_tries_are_limited),
		FILE_TEST(nobody_gives_a_passphrase),
		FILE_TEST(plain_keys_ask_nothing),
		FILE_TEST(pkcs12_has_its_chain),
		FILE_TEST(pkcs12_passphrase_tries_are_limited),
		FILE_TEST(pkcs12_without_a_passphrase),
		FILE_TEST(pkcs12_certificate_from_elsewhere),
		FILE_TEST(pkcs12_that_is_not_whole),
		FILE_TEST(file_comes_before_the_agent),
		FILE_TEST(agent_alone_without_a_file),
		FILE_TEST(agent_after_a_useless_file),
		FILE_TEST(agent_after_useless_files),
		FILE_TEST(agent_after_a_passphrase_that_nobody_gave),
		FILE_TEST(both_are_named_when_neither_works),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
