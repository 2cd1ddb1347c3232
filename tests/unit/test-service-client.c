// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/api/service-client.h"
#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "tests/unit/peer.h"

#define ID "AEBA-GBAF-AYD7-6"
#define METHOD "{\"method\":\"org.certlogin.Service."

/* Expects one call (NULL: any) and gives one answer. */
struct exchange {
	const char *expect, *answer;
};

static void exchange_script(int fd, const void *arg)
{
	const struct exchange *x = arg;
	char call[8192];

	if (!peer_read(fd, call, sizeof(call)))
		return;
	if (x->expect && strcmp(call, x->expect) != 0)
		(void)dprintf(STDERR_FILENO, "# got %s\n", call);
	else
		(void)!write(fd, x->answer, strlen(x->answer) + 1);
}

static struct vl_client *start(struct peer *peer, const struct exchange *x)
{
	struct vl_client *client = NULL;

	peer_start(peer, 8, exchange_script, x);
	assert_int_equal(vl_client_connect(peer->path, USEC_PER_SEC, &client), 0);
	return client;
}

static void stop(struct peer *peer, struct vl_client *client)
{
	vl_client_close(client);
	peer_stop(peer);
}

static int begin(const char *expect, const char *answer, struct service_begin *ret)
{
	const struct exchange x = { expect, answer };
	struct peer peer;
	struct vl_client *c = start(&peer, &x);
	int r = service_begin(c, "alice", "sudo", NULL, "host", ret);

	stop(&peer, c);
	return r;
}

static void begin_good(_unused_ void **state)
{
	struct service_begin b;

	assert_int_equal(begin(METHOD
			       "Begin\",\"parameters\":{\"account\":\"alice\",\"service\":\"sudo\","
			       "\"rhost\":\"host\"}}",
			       "{\"parameters\":{\"loginId\":\"" ID
			       "\",\"class\":\"elevate\",\"console\":false}}",
			       &b),
			 0);
	assert_string_equal(b.login_id, ID);
	assert_string_equal(b.service_class, "elevate");
	assert_false(b.console);
	assert_int_equal(begin(NULL,
			       "{\"parameters\":{\"loginId\":\"aebagbafayd76\",\"class\":\"login\","
			       "\"console\":true}}",
			       &b),
			 0);
	assert_string_equal(b.login_id, ID); /* one form, whatever the authority wrote */
	assert_true(b.console);
}

static void begin_refuses(_unused_ void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"parameters\":{\"loginId\":\"" ID "\",\"class\":\"login\"}}",
		"{\"parameters\":{\"loginId\":1,\"class\":\"login\",\"console\":false}}",
		"{\"parameters\":{\"loginId\":\"" ID "\",\"class\":\"other\",\"console\":false}}",
		"{\"parameters\":{\"loginId\":\"" ID
		"\",\"class\":\"elevated\",\"console\":false}}",
		"{\"parameters\":{\"loginId\":\"" ID "\",\"class\":\"login\",\"console\":0}}",
		"{\"parameters\":{\"loginId\":\"" ID
		"\",\"class\":\"login\",\"console\":false,\"x\":1}}",
		"{\"parameters\":{\"class\":\"app\",\"console\":true,\"loginId\":\"\\u001b\"}}",
		"{\"parameters\":{\"loginId\":\"\",\"class\":\"login\",\"console\":false}}",
	};
	struct service_begin b = { .login_id = "x" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(begin(NULL, bad[i], &b), -EPROTO);
	assert_string_equal(b.login_id, "x");
}

static void errors_have_their_errno(_unused_ void **state)
{
	static const struct {
		const char *name;
		int error;
	} t[] = {
		{ "org.varlink.service.PermissionDenied", -EACCES },
		{ "org.varlink.service.SystemError", -EREMOTEIO },
		{ "org.varlink.service.MethodNotFound", -EPROTO },
		{ "org.certlogin.Service.InvalidLogin", -ESTALE },
		{ "org.certlogin.Service.TooMany", -EDQUOT },
		{ "", -EPROTO },
	};
	struct service_begin b;
	char answer[128];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		(void)snprintf(answer, sizeof(answer), "{\"error\":\"%s\"}", t[i].name);
		assert_int_equal(begin(NULL, answer, &b), t[i].error);
	}
}

static void no_text_is_refused(_unused_ void **state)
{
	const struct exchange x = { NULL, "{}" };
	struct service_begin b;
	struct peer peer;
	struct vl_client *c = start(&peer, &x);

	assert_int_equal(service_begin(c, "al\xff", "sudo", NULL, NULL, &b), -EINVAL);
	stop(&peer, c);
}

static int redeem(const char *expect, const char *answer, struct service_answer *ret)
{
	static const uint8_t ticket[TICKET_BYTES] = { 0 };
	const struct exchange x = { expect, answer };
	struct peer peer;
	struct vl_client *c = start(&peer, &x);
	int r = service_redeem(c, ID, ticket, ret);

	stop(&peer, c);
	return r;
}

static void redeem_good(_unused_ void **state)
{
	static const uint8_t ticket[TICKET_BYTES] = { 0 };
	char text[TICKET_TEXT_SIZE], expect[256];
	struct service_answer a;

	ticket_format(ticket, text);
	(void)snprintf(expect, sizeof(expect),
		       METHOD "Redeem\",\"parameters\":{\"loginId\":\"" ID "\",\"ticket\":\"%s\"}}",
		       text);
	assert_int_equal(
		redeem(expect,
		       "{\"parameters\":{\"allowed\":true,\"event\":7,\"identity\":\"alice\"}}",
		       &a),
		0);
	assert_true(a.allowed);
	assert_int_equal(a.event, 7);
	assert_int_equal(redeem(NULL, "{\"parameters\":{\"allowed\":false,\"event\":8}}", &a), 0);
	assert_false(a.allowed);
	assert_int_equal(a.event, 8);
}

static void redeem_refuses(_unused_ void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"parameters\":{\"allowed\":1,\"event\":7}}",
		"{\"parameters\":{\"allowed\":\"true\",\"event\":7}}",
		"{\"parameters\":{\"allowed\":true}}",
		"{\"parameters\":{\"allowed\":true,\"event\":-1}}",
		"{\"parameters\":{\"allowed\":true,\"event\":7,\"identity\":7}}",
		"{\"parameters\":{\"allowed\":true,\"event\":7,\"sessionId\":1}}",
	};
	struct service_answer a = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(redeem(NULL, bad[i], &a), -EPROTO);
	assert_false(a.allowed);
}

static int open_session(const char *expect, const char *answer, struct service_answer *ret)
{
	const struct exchange x = { expect, answer };
	struct peer peer;
	struct vl_client *c = start(&peer, &x);
	int r = service_open_session(c, ID, "root", 42, "pts/1", NULL, ret);

	stop(&peer, c);
	return r;
}

static void open_session_answers(_unused_ void **state)
{
	struct service_answer a = { 0 };

	assert_int_equal(
		open_session(METHOD "OpenSession\",\"parameters\":{\"loginId\":\"" ID
				    "\",\"account\":\"root\","
				    "\"pid\":42,\"tty\":\"pts/1\"}}",
			     "{\"parameters\":{\"allowed\":true,\"event\":1,\"sessionId\":9}}", &a),
		0);
	assert_int_equal(a.session, 9);
	assert_int_equal(
		open_session(NULL,
			     "{\"parameters\":{\"allowed\":false,\"event\":1,\"sessionId\":null}}",
			     &a),
		0);
	assert_false(a.allowed);
	/* an allow without a session is no allow */
	assert_int_equal(open_session(NULL, "{\"parameters\":{\"allowed\":true,\"event\":1}}", &a),
			 -EPROTO);
	assert_int_equal(
		open_session(NULL,
			     "{\"parameters\":{\"allowed\":true,\"event\":1,\"sessionId\":-3}}",
			     &a),
		-EPROTO);
}

static void small_calls(_unused_ void **state)
{
	const struct exchange close = { METHOD "CloseSession\",\"parameters\":{\"sessionId\":9}}",
					"{}" };
	const struct exchange abandon = { METHOD "Abandon\",\"parameters\":{\"loginId\":\"" ID
						 "\",\"reason\":\"no key\"}}",
					  "{\"parameters\":{\"event\":5}}" };
	const struct exchange check = { METHOD "CheckAccount\",\"parameters\":{\"loginId\":\"" ID
					       "\",\"account\":\"alice\"}}",
					"{\"parameters\":{\"allowed\":true,\"event\":6}}" };
	struct service_answer a;
	struct vl_client *c;
	struct peer peer;
	uint64_t event;

	c = start(&peer, &close);
	assert_int_equal(service_close_session(c, UINT64_MAX), -EINVAL);
	assert_int_equal(service_close_session(c, 9), 0);
	stop(&peer, c);
	c = start(&peer, &abandon);
	assert_int_equal(service_abandon(c, ID, "no key", &event), 0);
	assert_int_equal(event, 5);
	stop(&peer, c);
	c = start(&peer, &check);
	assert_int_equal(service_check_account(c, ID, "alice", &a), 0);
	assert_true(a.allowed);
	stop(&peer, c);
}

static int find(const char *expect, const char *answer, size_t n, struct service_der **ret,
		size_t *ret_n)
{
	const struct service_der spkis[LIMIT_FIND_SPKIS + 1] = {
		{ (uint8_t *)(uintptr_t) "one", 3 }, { (uint8_t *)(uintptr_t) "four", 4 }
	};
	const struct exchange x = { expect, answer };
	struct peer peer;
	struct vl_client *c = start(&peer, &x);
	int r = service_find_certificates(c, spkis, n, ret, ret_n);

	stop(&peer, c);
	return r;
}

static void find_certificates(_unused_ void **state)
{
	struct service_der *ders = NULL;
	size_t n = 0;

	assert_int_equal(
		find(METHOD
		     "FindCertificates\",\"parameters\":{\"spkis\":[\"b25l\",\"Zm91cg==\"]}}",
		     "{\"parameters\":{\"certificates\":[\"Zm9vYg==\"]}}", 2, &ders, &n),
		0);
	assert_int_equal(n, 1);
	assert_int_equal(ders[0].n, 4);
	assert_memory_equal(ders[0].p, "foob", 4);
	service_ders_free(ders, n);
	assert_int_equal(find(NULL, "{\"parameters\":{\"certificates\":[]}}", 1, &ders, &n), 0);
	assert_int_equal(n, 0);
	service_ders_free(ders, n);
}

static void find_certificates_refuses(_unused_ void **state)
{
	struct service_der *ders = NULL;
	char many[8 * (LIMIT_FIND_SPKIS + 1) + 64] = "{\"parameters\":{\"certificates\":[";
	size_t n = 0;

	assert_int_equal(find(NULL, "{}", LIMIT_FIND_SPKIS + 1, &ders, &n), -E2BIG);
	assert_int_equal(find(NULL, "{\"parameters\":{\"certificates\":[\"Zg=\"]}}", 1, &ders, &n),
			 -EPROTO);
	assert_int_equal(
		find(NULL, "{\"parameters\":{\"certificates\":[\"Zg==\",1]}}", 1, &ders, &n),
		-EPROTO);
	for (int i = 0; i < LIMIT_FIND_SPKIS + 1; i++)
		strcat(many, i ? ",\"Zg==\"" : "\"Zg==\"");
	strcat(many, "]}}");
	assert_int_equal(find(NULL, many, 1, &ders, &n), -EPROTO);
	assert_null(ders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begin_good),
		cmocka_unit_test(begin_refuses),
		cmocka_unit_test(errors_have_their_errno),
		cmocka_unit_test(no_text_is_refused),
		cmocka_unit_test(redeem_good),
		cmocka_unit_test(redeem_refuses),
		cmocka_unit_test(open_session_answers),
		cmocka_unit_test(small_calls),
		cmocka_unit_test(find_certificates),
		cmocka_unit_test(find_certificates_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
