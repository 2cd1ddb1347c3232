// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/crypto.h>

#include "cli/keys/agent-reply.h"
#include "tests/unit/keys-agent-lab.h"

/* Keys behind an agent sign: OpenSSH's own, and one that lies. */

enum { ADD_IDENTITY = 17, REMOVE_ALL = 19, LOCK = 22 };

static const char text[] = "what is to be signed";
static const struct pki *const signers[] = { &p256, &p384, &ed };

/* --- signatures --- */

static gnutls_sign_algorithm_t algorithm_of(const struct pki *p)
{
	return p->cert->key == KEY_ED25519 ? GNUTLS_SIGN_EDDSA_ED25519
	       : p->cert->key == KEY_P384  ? GNUTLS_SIGN_ECDSA_SHA384
					   : GNUTLS_SIGN_ECDSA_SHA256;
}

static int sign_with(const struct prove_key *key, const struct pki *p, gnutls_datum_t *ret,
		     const char **ret_why)
{
	const gnutls_datum_t tbs = { (uint8_t *)(uintptr_t)text, sizeof(text) - 1 };

	*ret_why = "";
	return key->sign(key->sign_userdata, algorithm_of(p), &tbs, ret, ret_why);
}

static bool verifies(const struct pki *p, const gnutls_datum_t *signature)
{
	const gnutls_datum_t tbs = { (uint8_t *)(uintptr_t)text, sizeof(text) - 1 };
	gnutls_pubkey_t pub;
	int r;

	assert_true(gnutls_pubkey_init(&pub) >= 0);
	assert_true(gnutls_pubkey_import_x509(pub, p->crt, 0) >= 0);
	r = gnutls_pubkey_verify_data2(pub, algorithm_of(p), 0, &tbs, signature);
	gnutls_pubkey_deinit(pub);
	return r >= 0;
}

static void put_mpint(struct buf *b, const uint8_t *p, size_t n)
{
	while (n > 0 && *p == 0) {
		p++;
		n--;
	}
	buf_put_u32(b, (uint32_t)n + (n > 0 && *p & 0x80));
	if (n > 0 && *p & 0x80)
		buf_put_u8(b, 0);
	buf_put(b, p, n);
}

static const char *ssh_name(const struct pki *p)
{
	return p->cert->key == KEY_ED25519 ? "ssh-ed25519"
	       : p->cert->key == KEY_P384  ? "ecdsa-sha2-nistp384"
					   : "ecdsa-sha2-nistp256";
}

/* The body of an answer with this signature in it. */
static void put_signature(struct buf *b, const char *name, const void *blob, size_t n)
{
	_cleanup_(buf_deinitp) struct buf inner = { 0 };

	put_string(&inner, name, strlen(name));
	put_string(&inner, blob, n);
	buf_put_u8(b, AGENT_SIGN_RESPONSE);
	put_string(b, inner.p, inner.n);
}

static void put_rs(struct buf *b, const char *name, const uint8_t *r, size_t r_n, const uint8_t *s,
		   size_t s_n)
{
	_cleanup_(buf_deinitp) struct buf blob = { 0 };

	put_string(&blob, r, r_n);
	put_string(&blob, s, s_n);
	put_signature(b, name, blob.p, blob.n);
}

/* What an honest agent answers. */
static void put_signed(struct buf *b, const struct pki *p)
{
	const gnutls_datum_t tbs = { (uint8_t *)(uintptr_t)text, sizeof(text) - 1 };
	_cleanup_(buf_deinitp) struct buf blob = { 0 };
	gnutls_datum_t signature, r, s;
	gnutls_privkey_t key;

	assert_true(gnutls_privkey_init(&key) >= 0);
	assert_true(gnutls_privkey_import_x509(key, p->key, 0) >= 0);
	assert_true(gnutls_privkey_sign_data2(key, algorithm_of(p), 0, &tbs, &signature) >= 0);
	gnutls_privkey_deinit(key);
	if (p->cert->key == KEY_ED25519) {
		put_signature(b, ssh_name(p), signature.data, signature.size);
	} else {
		assert_true(gnutls_decode_rs_value(&signature, &r, &s) >= 0);
		put_mpint(&blob, r.data, r.size);
		put_mpint(&blob, s.data, s.size);
		put_signature(b, ssh_name(p), blob.p, blob.n);
		gnutls_free(r.data);
		gnutls_free(s.data);
	}
	gnutls_free(signature.data);
}

/* Opens with one key and signs with it; `answer` NULL: the agent never does. */
static int sign_once(struct lab *l, const struct pki *p, const struct buf *answer,
		     gnutls_datum_t *ret, const char **ret_why)
{
	lab_know_all(l);
	lab_hold(l, (const struct pki *const[]){ p, NULL });
	if (answer)
		put_message(&l->agent.sign, answer);
	lab_open(l);
	assert_int_equal(l->n, 1);
	return sign_with(l->keys[0], p, ret, ret_why);
}

static void signatures_are_converted(_unused_ void **state)
{
	/* often enough for numbers that begin with 0 octets, and with a high bit */
	for (size_t i = 0; i < 60; i++) {
		const struct pki *p = signers[i % ARRAY_SIZE(signers)];
		_cleanup_(buf_deinitp) struct buf body = { 0 };
		gnutls_datum_t signature = { 0 };

		put_signed(&body, p);
		assert_int_equal(agent_reply_signature((struct view){ body.p, body.n },
						       p->cert->key, &signature),
				 0);
		assert_true(verifies(p, &signature));
		gnutls_free(signature.data);
	}
}

static void the_key_is_asked_for_what_is_to_be_signed(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(signers); i++) {
		_cleanup_(buf_deinitp) struct buf body = { 0 }, blob = { 0 };
		gnutls_datum_t signature = { 0 };
		struct lab l = { 0 };
		const char *why;

		put_signed(&body, signers[i]);
		assert_int_equal(sign_once(&l, signers[i], &body, &signature, &why), 0);
		assert_true(verifies(signers[i], &signature));
		gnutls_free(signature.data);
		assert_int_equal(ssh_blob_from_cert(signers[i]->cert, &blob), 0);
		assert_int_equal(l.agent.signed_blob.n, blob.n);
		assert_memory_equal(l.agent.signed_blob.p, blob.p, blob.n);
		assert_int_equal(l.agent.signed_data.n, sizeof(text) - 1);
		assert_memory_equal(l.agent.signed_data.p, text, sizeof(text) - 1);
		lab_close(&l);
	}
}

static void not_signed(const struct pki *p, const struct buf *answer, int error,
		       const char *text_why)
{
	gnutls_datum_t signature = { 0 };
	struct lab l = { 0 };
	const char *why;

	assert_int_equal(sign_once(&l, p, answer, &signature, &why), error);
	assert_null(signature.data);
	if (!strstr(why, text_why))
		fail_msg("why: %s", why);
	lab_close(&l);
}

static void agent_refuses_to_sign(_unused_ void **state)
{
	not_signed(&p256, &(struct buf){ .p = (uint8_t[]){ AGENT_FAILURE }, .n = 1 }, -EACCES,
		   "the agent refused to sign");
}

static void answers_over_the_limit_are_no_signature(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };

	put_signed(&body, &p256);
	while (body.n <= LIMIT_AGENT_BYTES)
		buf_put_u64(&body, 0);
	not_signed(&p256, &body, -EBADMSG, "its answer makes no sense");
}

static void agent_breaks_off_while_it_signs(_unused_ void **state)
{
	gnutls_datum_t signature = { 0 };
	struct lab l = { .agent = { .hang_up_signing = true } };
	const char *why;

	lab_know_all(&l);
	lab_hold(&l, (const struct pki *const[]){ &p256, NULL });
	lab_open(&l);
	assert_int_equal(sign_with(l.keys[0], &p256, &signature, &why), -ECONNRESET);
	assert_non_null(strstr(why, "broke off"));
	lab_close(&l);
}

static void agent_that_signs_nothing_in_time(_unused_ void **state)
{
	static const uint64_t usec[] = { 0, 7 * USEC_PER_SEC };

	for (size_t i = 0; i < ARRAY_SIZE(usec); i++) {
		gnutls_datum_t signature = { 0 };
		struct lab l = { .ctx = { .agent_usec = usec[i] } };
		const char *why;

		lab_know_all(&l);
		lab_hold(&l, (const struct pki *const[]){ &p256, NULL });
		lab_open(&l);
		time_flies = true;
		waited = 0;
		assert_int_equal(sign_with(l.keys[0], &p256, &signature, &why), -ETIMEDOUT);
		time_flies = false;
		assert_string_equal(why, "the agent did not answer in time");
		assert_int_equal(waited, usec[i] ? usec[i] : LIMIT_AGENT_USEC);
		lab_close(&l);
	}
}

/* What comes late would be taken for the answer to the next question. */
static void late_answers_are_not_for_the_next_key(_unused_ void **state)
{
	gnutls_datum_t signature = { 0 };
	struct lab l = { 0 };
	const char *why;

	lab_know_all(&l);
	lab_hold(&l, (const struct pki *const[]){ &p256, &ed, NULL });
	lab_open(&l);
	assert_int_equal(l.n, 2);
	time_flies = true;
	assert_int_equal(sign_with(l.keys[0], &p256, &signature, &why), -ETIMEDOUT);
	assert_int_equal(sign_with(l.keys[1], &ed, &signature, &why), -EPIPE);
	time_flies = false;
	assert_null(signature.data);
	assert_non_null(strstr(why, "broke off"));
	free_keys(l.keys, l.n);
	agent_stop(&l.agent);
	assert_int_equal(l.agent.signs, 1); /* the second question was never asked */
	agent_deinit(&l.agent);
}

static void signatures_of_another_kind(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(signers); i++)
		for (size_t k = 0; k < ARRAY_SIZE(signers); k++) {
			_cleanup_(buf_deinitp) struct buf body = { 0 };

			if (i == k)
				continue;
			put_signed(&body, signers[k]);
			not_signed(signers[i], &body, -EBADMSG, "its answer makes no sense");
		}
}

static int read_signature(const struct buf *b, enum key_type type)
{
	gnutls_datum_t signature = { 0 };
	int r = agent_reply_signature((struct view){ b->p, b->n }, type, &signature);

	assert_true((r == 0) == (signature.data != NULL));
	gnutls_free(signature.data);
	return r;
}

static void signatures_of_another_length(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(signers); i++) {
		_cleanup_(buf_deinitp) struct buf body = { 0 };
		enum key_type type = signers[i]->cert->key;
		size_t n;

		put_signed(&body, signers[i]);
		n = body.n;
		for (body.n = 0; body.n < n; body.n++)
			assert_int_equal(read_signature(&body, type), -EBADMSG);
		assert_int_equal(read_signature(&body, type), 0);
		buf_put_u8(&body, 0);
		assert_int_equal(read_signature(&body, type), -EBADMSG);
	}
}

static void numbers_that_are_none(_unused_ void **state)
{
	static const uint8_t one[] = { 1 }, zero[] = { 0, 0 }, negative[] = { 0x80 },
			     full[33] = { 0, 0x80 }, lengthy[33] = { 1 };
	static const struct {
		const uint8_t *p;
		size_t n;
		int r;
	} t[] = {
		{ one, sizeof(one), 0 },
		{ full, sizeof(full), 0 }, /* 32 octets and the sign's */
		{ one, 0, -EBADMSG },
		{ zero, sizeof(zero), -EBADMSG },
		{ negative, sizeof(negative), -EBADMSG },
		{ lengthy, sizeof(lengthy), -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_(buf_deinitp) struct buf a = { 0 }, b = { 0 };

		put_rs(&a, "ecdsa-sha2-nistp256", t[i].p, t[i].n, one, sizeof(one));
		put_rs(&b, "ecdsa-sha2-nistp256", one, sizeof(one), t[i].p, t[i].n);
		assert_int_equal(read_signature(&a, KEY_P256), t[i].r);
		assert_int_equal(read_signature(&b, KEY_P256), t[i].r);
	}
}

static void ed25519_is_64_octets(_unused_ void **state)
{
	static const uint8_t octets[65];

	for (size_t n = 63; n <= 65; n++) {
		_cleanup_(buf_deinitp) struct buf body = { 0 };

		put_signature(&body, "ssh-ed25519", octets, n);
		assert_int_equal(read_signature(&body, KEY_ED25519), n == 64 ? 0 : -EBADMSG);
	}
}

static void rsa_does_not_sign_here(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };

	put_signature(&body, "rsa-sha2-256", text, sizeof(text));
	assert_int_equal(read_signature(&body, KEY_RSA), -EBADMSG);
}

/* --- OpenSSH's agent --- */

struct openssh {
	pid_t pid;
	char path[LAB_PATH_SIZE];
};

/* Its parent ends when its socket listens.  Each has a name of its own: one that ends removes it
 * when it gets to that, perhaps after the next has begun. */
static int openssh_start(void **state)
{
	static struct openssh agents[8];
	static unsigned n;
	struct openssh *s = &agents[n];
	char command[256], line[256], name[16];
	FILE *f;

	(void)snprintf(name, sizeof(name), "openssh-%u", n++);
	(void)snprintf(command, sizeof(command), "ssh-agent -s -a %s 2>/dev/null",
		       lab_path(name, s->path));
	f = popen(command, "re"); // NOLINT(cert-env33-c): a test's own command
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "SSH_AGENT_PID=", 14) == 0)
			s->pid = (pid_t)strtol(line + 14, NULL, 10);
	(void)pclose(f);
	*state = s;
	return 0;
}

static int openssh_stop(void **state)
{
	const struct openssh *s = *state;

	if (s->pid == 0)
		return 0;
	(void)unlink(s->path);
	return kill(s->pid, SIGTERM);
}

static void openssh_tell(const struct openssh *s, const struct buf *body)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_(buf_deinitp) struct buf message = { 0 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	uint8_t answer[5];

	memcpy(sa.sun_path, s->path, sizeof(s->path));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	put_message(&message, body);
	assert_int_equal(send(fd, message.p, message.n, MSG_NOSIGNAL), message.n);
	assert_true(lab_read(fd, answer, sizeof(answer)));
	assert_int_equal(answer[4], AGENT_SUCCESS);
}

static void openssh_add(const struct openssh *s, const struct pki *p)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 }, blob = { 0 }, both = { 0 };
	gnutls_ecc_curve_t curve;
	gnutls_datum_t x, y, k;

	assert_true(gnutls_x509_privkey_export_ecc_raw(p->key, &curve, &x, &y, &k) >= 0);
	assert_int_equal(ssh_blob_from_cert(p->cert, &blob), 0);
	buf_put_u8(&body, ADD_IDENTITY);
	buf_put(&body, blob.p, blob.n);
	if (p->cert->key == KEY_ED25519) {
		buf_put(&both, k.data, k.size);
		buf_put(&both, x.data, x.size);
		put_string(&body, both.p, both.n);
	} else {
		put_mpint(&body, k.data, k.size);
	}
	put_string(&body, "added", 5);
	openssh_tell(s, &body);
	gnutls_free(x.data);
	gnutls_free(y.data);
	gnutls_free(k.data);
}

static void openssh_open(const struct openssh *s, struct directory *d, struct key_context *ctx,
			 struct prove_key **keys, size_t *ret_n)
{
	*ctx = (struct key_context){ .find_certificates = directory_find,
				     .find_userdata = d,
				     .agent_socket = s->path };
	assert_int_equal(keys_agent_open(ctx, keys, 4, ret_n), 0);
}

static void openssh_signs(void **state)
{
	const struct openssh *s = *state;
	struct directory d = { .known = { &p256, &p384, &ed }, .n = 3 };
	struct prove_key *keys[4];
	struct key_context ctx;
	size_t n;

	if (s->pid == 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(signers); i++)
		openssh_add(s, signers[i]);
	openssh_open(s, &d, &ctx, keys, &n);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		gnutls_datum_t signature = { 0 };
		const char *why;

		is_key_of(keys[i], signers[i]);
		assert_string_equal(keys[i]->label, "agent key added");
		if (sign_with(keys[i], signers[i], &signature, &why) != 0)
			fail_msg("why: %s", why);
		assert_true(verifies(signers[i], &signature));
		gnutls_free(signature.data);
	}
	free_keys(keys, n);
}

/* The key is gone when it is to sign; the agent goes on, and so does the next key. */
static void openssh_refuses(void **state)
{
	const struct openssh *s = *state;
	struct directory d = { .known = { &p256, &ed }, .n = 2 };
	gnutls_datum_t signature = { 0 };
	struct prove_key *keys[4];
	struct key_context ctx;
	const char *why;
	size_t n;

	if (s->pid == 0)
		skip();
	openssh_add(s, &p256);
	openssh_add(s, &ed);
	openssh_open(s, &d, &ctx, keys, &n);
	assert_int_equal(n, 2);
	openssh_tell(s, &(struct buf){ .p = (uint8_t[]){ REMOVE_ALL }, .n = 1 });
	openssh_add(s, &ed);
	assert_int_equal(sign_with(keys[0], &p256, &signature, &why), -EACCES);
	assert_null(signature.data);
	assert_non_null(strstr(why, "the agent refused to sign"));
	assert_int_equal(sign_with(keys[1], &ed, &signature, &why), 0);
	assert_true(verifies(&ed, &signature));
	gnutls_free(signature.data);
	free_keys(keys, n);
}

static void openssh_is_locked(void **state)
{
	const struct openssh *s = *state;
	struct directory d = { .known = { &p256 }, .n = 1 };
	_cleanup_(buf_deinitp) struct buf lock = { 0 };
	struct prove_key *keys[4];
	struct key_context ctx;
	size_t n;

	if (s->pid == 0)
		skip();
	openssh_add(s, &p256);
	buf_put_u8(&lock, LOCK);
	put_string(&lock, "x", 1);
	openssh_tell(s, &lock);
	openssh_open(s, &d, &ctx, keys, &n);
	assert_int_equal(n, 0);
	assert_string_equal(ctx.why, "the ssh-agent holds no key (or is locked)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_converted),
		cmocka_unit_test(the_key_is_asked_for_what_is_to_be_signed),
		cmocka_unit_test(agent_refuses_to_sign),
		cmocka_unit_test(answers_over_the_limit_are_no_signature),
		cmocka_unit_test(agent_breaks_off_while_it_signs),
		cmocka_unit_test(agent_that_signs_nothing_in_time),
		cmocka_unit_test(late_answers_are_not_for_the_next_key),
		cmocka_unit_test(signatures_of_another_kind),
		cmocka_unit_test(signatures_of_another_length),
		cmocka_unit_test(numbers_that_are_none),
		cmocka_unit_test(ed25519_is_64_octets),
		cmocka_unit_test(rsa_does_not_sign_here),
		cmocka_unit_test_setup_teardown(openssh_signs, openssh_start, openssh_stop),
		cmocka_unit_test_setup_teardown(openssh_refuses, openssh_start, openssh_stop),
		cmocka_unit_test_setup_teardown(openssh_is_locked, openssh_start, openssh_stop),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
