// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/keys/agent-reply.h"
#include "tests/unit/keys-agent-lab.h"

/* What an agent says that it holds. */

/* --- the list --- */

static void keys_come_in_the_agents_order(_unused_ void **state)
{
	const struct pki *all[] = { &rsa, &stranger, &ed, &p256, NULL };
	struct lab l = { 0 };

	lab_know_all(&l);
	lab_hold(&l, all);
	lab_open(&l);
	assert_int_equal(l.n, 3);
	is_key_of(l.keys[0], &ed);
	is_key_of(l.keys[1], &p256);
	is_key_of(l.keys[2], &rsa); /* TLS 1.3 has no use for it: last */
	assert_false(l.keys[0]->tls12_only);
	assert_false(l.keys[1]->tls12_only);
	assert_true(l.keys[2]->tls12_only);
	assert_string_equal(l.keys[0]->label, "agent key a comment");
	assert_int_equal(l.directory.calls, 1);
	assert_int_equal(l.agent.lists, 1);
	assert_int_equal(l.agent.signs, 0); /* nothing is signed before it is asked for */
	lab_close(&l);
}

static void no_more_keys_than_there_is_room_for(_unused_ void **state)
{
	const struct pki *all[] = { &p256, &p256, &p256, &p256, &p384, NULL };
	struct lab l = { 0 };

	lab_know_all(&l);
	lab_hold(&l, all);
	lab_open(&l);
	assert_int_equal(l.n, ARRAY_SIZE(l.keys));
	is_key_of(l.keys[3], &p256);
	lab_close(&l);
}

static void comments_are_cleaned(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };
	struct lab l = { 0 };

	lab_know_all(&l);
	buf_put_u8(&body, AGENT_IDENTITIES_ANSWER);
	buf_put_u32(&body, 1);
	put_identity(&body, &p256,
		     "\033[2Jhome\nlogin: and then a great many words after that, "
		     "more than a label has room for");
	lab_list(&l, &body);
	lab_open(&l);
	assert_int_equal(l.n, 1);
	for (const char *c = l.keys[0]->label; *c; c++)
		assert_true((unsigned char)*c >= ' ');
	assert_int_equal(strncmp(l.keys[0]->label, "agent key ", 10), 0);
	lab_close(&l);
}

static void certificate_of_a_file(_unused_ void **state)
{
	const struct pki *all[] = { &p384, &p256, NULL };
	gnutls_datum_t key_pem, cert_pem;
	struct lab l = { 0 };
	char path[LAB_PATH_SIZE];

	pki_pem(&p256, &key_pem, &cert_pem);
	lab_write(lab_path("crt", path), 0644, cert_pem.data, cert_pem.size);
	gnutls_free(key_pem.data);
	gnutls_free(cert_pem.data);
	lab_know_all(&l);
	l.ctx.cert_file = path;
	lab_hold(&l, all);
	lab_open(&l);
	assert_int_equal(l.n, 1);
	is_key_of(l.keys[0], &p256);
	assert_int_equal(l.directory.calls, 0);
	lab_close(&l);
	assert_int_equal(unlink(path), 0);
}

static void keys_without_certificate(_unused_ void **state)
{
	const struct pki *all[] = { &stranger, NULL };
	struct lab l = { 0 };

	lab_know_all(&l);
	lab_hold(&l, all);
	lab_refused(&l, "holds 1 keys, but none with a certificate known here");
}

/* Certificates that nobody asked for: none of them is for a key of the agent's. */
static int lie(_unused_ void *userdata, _unused_ const struct view *spkis, _unused_ size_t n,
	       struct cert **ret, _unused_ size_t max, size_t *ret_n)
{
	assert_int_equal(cert_parse(p256.cert->der.p, p256.cert->der.n, &ret[0]), 0);
	*ret_n = 1;
	return 0;
}

static void certificates_of_other_keys(_unused_ void **state)
{
	const struct pki *all[] = { &stranger, &ed, NULL };
	struct lab l = { 0 };

	lab_hold(&l, all);
	l.ctx.find_certificates = lie;
	l.ctx.agent_socket = agent_start(&l.agent);
	assert_int_equal(keys_agent_open(&l.ctx, l.keys, ARRAY_SIZE(l.keys), &l.n), 0);
	assert_int_equal(l.n, 0);
	assert_non_null(strstr(l.ctx.why, "holds 2 keys, but none with a certificate"));
	lab_close(&l);
}

static void authority_is_away(_unused_ void **state)
{
	const struct pki *all[] = { &p256, NULL };
	struct lab l = { .directory = { .error = -ECONNREFUSED } };

	lab_hold(&l, all);
	lab_refused(&l, "cannot ask certlogin for certificates: Connection refused");
}

static void put_named(struct buf *b, const char *name)
{
	_cleanup_(buf_deinitp) struct buf blob = { 0 };

	put_string(&blob, name, strlen(name));
	put_string(&blob, "whatever", 8);
	put_string(b, blob.p, blob.n);
	put_string(b, "", 0);
}

static void useless_keys_are_counted(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };
	struct lab l = { 0 };

	buf_put_u8(&body, AGENT_IDENTITIES_ANSWER);
	buf_put_u32(&body, 6);
	put_named(&body, "sk-ssh-ed25519@openssh.com");
	put_named(&body, "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com");
	put_named(&body, "ssh-ed25519-cert-v01@openssh.com");
	put_named(&body, "ssh-dss");
	put_named(&body, "");
	put_string(&body, "", 0); /* no key at all */
	put_string(&body, "", 0);
	lab_list(&l, &body);
	lab_refused(&l, "holds 6 keys, but none with a certificate known here (not usable: 1 FIDO "
			"keys, 2 SSH certificates, 3 others)");
}

static void more_keys_than_we_ask_for(_unused_ void **state)
{
	const struct pki *all[LIMIT_FIND_SPKIS + 2];
	struct agent_identities ids;
	struct buf body = { 0 };

	for (size_t i = 0; i <= LIMIT_FIND_SPKIS; i++)
		all[i] = &p256;
	all[LIMIT_FIND_SPKIS + 1] = NULL;
	put_identities(&body, all);
	assert_int_equal(agent_reply_identities((struct view){ body.p, body.n }, &ids), 0);
	assert_int_equal(ids.n, LIMIT_FIND_SPKIS);
	assert_int_equal(ids.others, 1);
	agent_identities_deinit(&ids);
	buf_deinit(&body);
}

/* --- lists that are none --- */

static void empty_list(_unused_ void **state)
{
	struct lab l = { 0 };

	lab_hold(&l, (const struct pki *const[]){ NULL });
	lab_refused(&l, "the ssh-agent holds no key (or is locked)");
}

static void agent_refuses_to_list(_unused_ void **state)
{
	struct lab l = { 0 };

	lab_list(&l, &(struct buf){ .p = (uint8_t[]){ AGENT_FAILURE }, .n = 1 });
	lab_refused(&l, "the ssh-agent refused to list its keys");
}

#define SENSELESS "the ssh-agent broke off, or its answer makes no sense"

/* Every octet of a list counts: each beginning of it, and one octet more, is refused. */
static void lists_of_another_length(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };
	struct agent_identities ids;

	put_identities(&body, (const struct pki *const[]){ &p256, &ed, NULL });
	for (size_t n = 0; n < body.n; n++)
		assert_int_equal(agent_reply_identities((struct view){ body.p, n }, &ids),
				 -EBADMSG);
	assert_int_equal(agent_reply_identities((struct view){ body.p, body.n }, &ids), 0);
	assert_int_equal(ids.n, 2);
	agent_identities_deinit(&ids);
	buf_put_u8(&body, 0);
	assert_int_equal(agent_reply_identities((struct view){ body.p, body.n }, &ids), -EBADMSG);
}

static void lists_of_another_count(_unused_ void **state)
{
	static const uint32_t counts[] = { 0, 1, 3, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		_cleanup_(buf_deinitp) struct buf body = { 0 };
		struct lab l = { 0 };

		buf_put_u8(&body, AGENT_IDENTITIES_ANSWER);
		buf_put_u32(&body, counts[i]);
		put_identity(&body, &p256, "one");
		put_identity(&body, &ed, "two");
		lab_know_all(&l);
		lab_list(&l, &body);
		lab_refused(&l, SENSELESS);
	}
}

static void lists_of_another_type(_unused_ void **state)
{
	static const uint8_t types[] = { 0, AGENT_SUCCESS, AGENT_SIGN_RESPONSE, 0xff };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		_cleanup_(buf_deinitp) struct buf body = { 0 };
		struct lab l = { 0 };

		put_identities(&body, (const struct pki *const[]){ &p256, NULL });
		body.p[0] = types[i];
		lab_know_all(&l);
		lab_list(&l, &body);
		lab_refused(&l, SENSELESS);
	}
}

static void refusal_with_something_after_it(_unused_ void **state)
{
	struct lab l = { 0 };

	lab_list(&l, &(struct buf){ .p = (uint8_t[]){ AGENT_FAILURE, 0 }, .n = 2 });
	lab_refused(&l, SENSELESS);
}

/* A list that is as large as this: one key, and a comment that fills it. */
static void put_list_of_size(struct buf *b, size_t size)
{
	_cleanup_(buf_deinitp) struct buf blob = { 0 };
	char *comment = calloc(1, size);

	assert_non_null(comment);
	memset(comment, 'c', size);
	assert_int_equal(ssh_blob_from_cert(p256.cert, &blob), 0);
	buf_put_u8(b, AGENT_IDENTITIES_ANSWER);
	buf_put_u32(b, 1);
	put_string(b, blob.p, blob.n);
	put_string(b, comment, size - b->n - 4);
	assert_int_equal(b->n, size);
	free(comment);
}

static void answers_of_the_largest_size(_unused_ void **state)
{
	_cleanup_(buf_deinitp) struct buf most = { 0 }, more = { 0 };
	struct lab l = { 0 }, over = { 0 };

	lab_know_all(&l);
	put_list_of_size(&most, LIMIT_AGENT_BYTES);
	lab_list(&l, &most);
	lab_open(&l);
	assert_int_equal(l.n, 1);
	lab_close(&l);

	lab_know_all(&over);
	put_list_of_size(&more, LIMIT_AGENT_BYTES + 1);
	lab_list(&over, &more);
	lab_refused(&over, SENSELESS);
}

static void answers_of_no_size(_unused_ void **state)
{
	struct lab l = { 0 };

	lab_list(&l, &(struct buf){ 0 });
	lab_refused(&l, SENSELESS);
}

static void answers_may_drip(_unused_ void **state)
{
	const struct pki *all[] = { &p256, NULL };
	struct lab l = { .agent = { .drip = 1 } };

	lab_know_all(&l);
	lab_hold(&l, all);
	lab_open(&l);
	assert_int_equal(l.n, 1);
	lab_close(&l);
}

/* Wherever it ends, in the length or after it. */
static void agent_breaks_off(_unused_ void **state)
{
	static const size_t at[] = { 1, 3, 4, 5, 40 };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		const struct pki *all[] = { &p256, NULL };
		struct lab l = { .agent = { .hang_up = true } };

		lab_know_all(&l);
		lab_hold(&l, all);
		l.agent.list.n = at[i];
		lab_refused(&l, SENSELESS);
	}
}

static void agent_that_lists_nothing_in_time(_unused_ void **state)
{
	struct lab l = { .ctx = { .agent_usec = 3600 * USEC_PER_SEC } }; /* a person's, not this */

	time_flies = true;
	waited = 0;
	lab_refused(&l, "the ssh-agent did not answer in time");
	time_flies = false;
	assert_int_equal(waited, LIMIT_AGENT_LIST_USEC);
}

/* --- where there is none --- */

static void no_agent(_unused_ void **state)
{
	char path[LAB_PATH_SIZE], lengthy[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	const struct {
		const char *socket, *why;
	} t[] = {
		{ NULL, "there is no ssh-agent (SSH_AUTH_SOCK is not set)" },
		{ "", "there is no ssh-agent (SSH_AUTH_SOCK is not set)" },
		{ "relative", "SSH_AUTH_SOCK is not the path of a socket" },
		{ lengthy, "SSH_AUTH_SOCK is not the path of a socket" },
		{ lab_path("nothing", path), "cannot reach the ssh-agent: No such file" },
	};

	memset(lengthy, '/', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct key_context ctx = { .agent_socket = t[i].socket };
		struct prove_key *key = NULL;
		size_t n = 7;

		assert_int_equal(keys_agent_open(&ctx, &key, 1, &n), 0);
		assert_int_equal(n, 0);
		if (!strstr(ctx.why, t[i].why))
			fail_msg("%zu: %s", i, ctx.why);
	}
}

static void agent_of_another_user(_unused_ void **state)
{
	struct agent_script s = { 0 };
	struct prove_key *key = NULL;
	struct key_context ctx = { 0 };
	size_t n = 7;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(lab_dir, 0777), 0);
	assert_int_equal(seteuid(12345), 0); /* listen() remembers it */
	ctx.agent_socket = agent_start(&s);
	assert_int_equal(seteuid(0), 0);
	time_flies = true; /* it never answers */
	assert_int_equal(keys_agent_open(&ctx, &key, 1, &n), 0);
	time_flies = false;
	assert_int_equal(n, 0);
	assert_string_equal(ctx.why, "cannot reach the ssh-agent: it is another user's");
	agent_stop(&s);
	assert_int_equal(chmod(lab_dir, 0700), 0);
	assert_int_equal(s.lists, 0);
	agent_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_in_the_agents_order),
		cmocka_unit_test(no_more_keys_than_there_is_room_for),
		cmocka_unit_test(comments_are_cleaned),
		cmocka_unit_test(certificate_of_a_file),
		cmocka_unit_test(keys_without_certificate),
		cmocka_unit_test(certificates_of_other_keys),
		cmocka_unit_test(authority_is_away),
		cmocka_unit_test(useless_keys_are_counted),
		cmocka_unit_test(more_keys_than_we_ask_for),
		cmocka_unit_test(empty_list),
		cmocka_unit_test(agent_refuses_to_list),
		cmocka_unit_test(lists_of_another_length),
		cmocka_unit_test(lists_of_another_count),
		cmocka_unit_test(lists_of_another_type),
		cmocka_unit_test(refusal_with_something_after_it),
		cmocka_unit_test(answers_of_the_largest_size),
		cmocka_unit_test(answers_of_no_size),
		cmocka_unit_test(answers_may_drip),
		cmocka_unit_test(agent_breaks_off),
		cmocka_unit_test(agent_that_lists_nothing_in_time),
		cmocka_unit_test(no_agent),
		cmocka_unit_test(agent_of_another_user),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
