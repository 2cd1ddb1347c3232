// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/varlink/client.h"
#include "tests/harness/slow.h"
#include "tests/unit/peer.h"

#define SHORT (100 * 1000) /* a time-out that a test waits for */

struct bytes {
	const char *p;
	size_t n;
};
#define BYTES(s)                                                                                   \
	&(const struct bytes)                                                                      \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

/* Answers every call with the same bytes. */
static void say_bytes(int fd, const void *arg)
{
	const struct bytes *b = arg;
	char call[4096];

	while (peer_read(fd, call, sizeof(call)))
		if (write(fd, b->p, b->n) < 0)
			return;
}

static void say_bytes_and_leave(int fd, const void *arg)
{
	const struct bytes *b = arg;
	char call[4096];

	if (peer_read(fd, call, sizeof(call)))
		(void)!write(fd, b->p, b->n);
}

static void say_nothing(int fd, _unused_ const void *arg)
{
	char c;

	while (read(fd, &c, 1) == 1)
		;
}

static void read_nothing(_unused_ int fd, _unused_ const void *arg)
{
	(void)pause();
}

static void drip(int fd, _unused_ const void *arg)
{
	while (write(fd, " ", 1) == 1)
		(void)usleep(1000);
}

static void flood(int fd, _unused_ const void *arg)
{
	static char spaces[64 * 1024];

	memset(spaces, ' ', sizeof(spaces));
	while (write(fd, spaces, sizeof(spaces)) > 0)
		;
}

static void exactly_the_limit(int fd, const void *arg)
{
	static char text[LIMIT_VARLINK_BYTES + 2];
	const size_t *n = arg;
	char call[4096];

	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	text[*n] = '\0';
	if (peer_read(fd, call, sizeof(call)))
		for (size_t at = 0; at <= *n;)
			at += (size_t)write(fd, text + at, *n + 1 - at);
}

static int ask(struct vl_client *client, uint64_t timeout_usec, char **ret_error)
{
	json_t *parameters = NULL;
	char *error = NULL;
	int r = vl_client_call(client, "a.B", json_pack("{s:i}", "x", 1), timeout_usec, &parameters,
			       &error);

	if (r == 0)
		assert_true((parameters != NULL) != (error != NULL));
	json_decref(parameters);
	if (ret_error)
		*ret_error = error;
	else
		free(error);
	return r;
}

/* One call to a peer with this script. */
static int try(peer_script script, const void *arg, uint64_t timeout_usec)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	struct peer peer;
	int r;

	peer_start(&peer, 8, script, arg);
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &client), 0);
	r = ask(client, timeout_usec, NULL);
	if (r < 0) /* of no use after it */
		assert_int_equal(ask(client, timeout_usec, NULL), -ENOTCONN);
	peer_stop(&peer);
	return r;
}

static void calls(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	struct peer peer;

	peer_start(&peer, 8, say_bytes, BYTES("{\"parameters\":{\"y\":2}}\0"));
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &client), 0);
	for (int i = 0; i < 3; i++) {
		json_t *parameters = NULL;
		char *error = NULL;

		assert_int_equal(
			vl_client_call(client, "a.B", NULL, USEC_PER_SEC, &parameters, &error), 0);
		assert_null(error);
		assert_int_equal(json_integer_value(json_object_get(parameters, "y")), 2);
		json_decref(parameters);
	}
	peer_stop(&peer);
}

static void error_answers(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	json_t *parameters = NULL, *error_parameters = NULL;
	char *error = NULL;
	struct peer peer;

	peer_start(&peer, 8, say_bytes,
		   BYTES("{\"error\":\"a.E\",\"parameters\":{\"why\":\"x\"}}\0"));
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &client), 0);
	assert_int_equal(vl_client_call_full(client, "a.B", NULL, USEC_PER_SEC, &parameters, &error,
					     &error_parameters),
			 0);
	assert_null(parameters);
	assert_string_equal(error, "a.E");
	assert_string_equal(json_string_value(json_object_get(error_parameters, "why")), "x");
	json_decref(error_parameters);
	free(error);
	assert_int_equal(ask(client, USEC_PER_SEC, &error), 0); /* an error is an answer */
	assert_string_equal(error, "a.E");
	free(error);
	peer_stop(&peer);
}

static void garbage(_unused_ void **state)
{
	assert_int_equal(try(say_bytes, BYTES("\0"), USEC_PER_SEC), -EBADMSG);
	assert_int_equal(try(say_bytes, BYTES("nonsense\0"), USEC_PER_SEC), -EBADMSG);
	assert_int_equal(try(say_bytes, BYTES("[]\0"), USEC_PER_SEC), -EBADMSG);
	assert_int_equal(try(say_bytes, BYTES("{\"parameters\":1}\0"), USEC_PER_SEC), -EBADMSG);
	assert_int_equal(
		try(say_bytes, BYTES("{\"parameters\":{},\"continues\":true}\0"), USEC_PER_SEC),
		-EBADMSG);
	assert_int_equal(
		try(say_bytes, BYTES("{\"error\":\"a.E\",\"error\":\"a.F\"}\0"), USEC_PER_SEC),
		-EBADMSG);
}

static void more_than_one_answer(_unused_ void **state)
{
	assert_int_equal(try(say_bytes, BYTES("{}\0{}\0"), USEC_PER_SEC), -EBADMSG);
	assert_int_equal(try(say_bytes, BYTES("{}\0x"), USEC_PER_SEC), -EBADMSG);
}

static void closed_half_way(_unused_ void **state)
{
	assert_int_equal(try(say_bytes_and_leave, BYTES("{\"parameters\":"), USEC_PER_SEC),
			 -ECONNRESET);
	assert_int_equal(try(say_bytes_and_leave, BYTES("{}"), USEC_PER_SEC), -ECONNRESET);
	assert_int_equal(try(say_bytes_and_leave, BYTES("{}\0"), USEC_PER_SEC), 0);
}

static void size_limit(_unused_ void **state)
{
	size_t n = LIMIT_VARLINK_BYTES;

	assert_int_equal(try(exactly_the_limit, &n, 10 * USEC_PER_SEC), 0);
	n++;
	assert_int_equal(try(exactly_the_limit, &n, 10 * USEC_PER_SEC), -EMSGSIZE);
	assert_int_equal(try(flood, NULL, 10 * USEC_PER_SEC), -EMSGSIZE);
}

static void within(uint64_t start, uint64_t usec)
{
	assert_in_range(vl_monotonic_usec() - start, usec, usec + USEC_PER_SEC * test_slow());
}

static void silent_peer_times_out(_unused_ void **state)
{
	uint64_t start = vl_monotonic_usec();

	assert_int_equal(try(say_nothing, NULL, SHORT), -ETIMEDOUT);
	within(start, SHORT);
}

static void dripping_peer_times_out(_unused_ void **state)
{
	uint64_t start = vl_monotonic_usec();

	assert_int_equal(try(drip, NULL, SHORT), -ETIMEDOUT);
	within(start, SHORT);
}

static void nobody_accepts(_unused_ void **state)
{
	uint64_t start = vl_monotonic_usec();

	assert_int_equal(try(NULL, NULL, SHORT), -ETIMEDOUT);
	within(start, SHORT);
}

static void peer_that_does_not_read(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	_cleanup_(freep) char *big = calloc(1, LIMIT_VARLINK_BYTES);
	uint64_t start = vl_monotonic_usec();
	json_t *parameters = NULL;
	char *error = NULL;
	struct peer peer;

	memset(big, 'x', LIMIT_VARLINK_BYTES - 1);
	peer_start(&peer, 8, read_nothing, NULL);
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &client), 0);
	assert_int_equal(vl_client_call(client, "a.B", json_pack("{s:s}", "x", big), SHORT,
					&parameters, &error),
			 -ETIMEDOUT);
	within(start, SHORT);
	peer_stop(&peer);
}

static void client_deadline_wins(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	uint64_t start = vl_monotonic_usec();
	struct peer peer;

	peer_start(&peer, 8, say_nothing, NULL);
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &client), 0);
	vl_client_set_deadline(client, start + SHORT);
	assert_int_equal(ask(client, 60 * USEC_PER_SEC, NULL), -ETIMEDOUT);
	within(start, SHORT);
	peer_stop(&peer);
}

static void ignore_signal(_unused_ int sig)
{
}

static void signals_do_not_end_or_lengthen_a_wait(_unused_ void **state)
{
	const struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa = { .sa_handler = ignore_signal }, before;
	uint64_t start = vl_monotonic_usec();

	assert_int_equal(sigaction(SIGALRM, &sa, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(try(say_nothing, NULL, SHORT), -ETIMEDOUT);
	within(start, SHORT);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static void full_backlog_times_out(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *first = NULL, *client = NULL;
	struct peer peer;
	uint64_t start;

	peer_start(&peer, 0, NULL, NULL);
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &first), 0);
	start = vl_monotonic_usec();
	assert_int_equal(vl_client_connect(peer.path, SHORT, &client), -ETIMEDOUT);
	within(start, SHORT);
	assert_null(client);
	peer_stop(&peer);
}

static void full_backlog_that_drains(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *first = NULL, *client = NULL;
	struct peer peer;
	pid_t pid;

	peer_start(&peer, 0, NULL, NULL);
	assert_int_equal(vl_client_connect(peer.path, USEC_PER_SEC, &first), 0);
	pid = fork();
	if (pid == 0) {
		(void)usleep(SHORT);
		_exit(accept(peer.listen_fd, NULL, NULL) < 0);
	}
	assert_int_equal(vl_client_connect(peer.path, 10 * USEC_PER_SEC, &client), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	peer_stop(&peer);
}

static void absent(_unused_ void **state)
{
	struct vl_client *client = NULL;
	char path[200];

	assert_int_equal(vl_client_connect("/nonexistent/pam", USEC_PER_SEC, &client), -ENOENT);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(vl_client_connect(path, USEC_PER_SEC, &client), -ENAMETOOLONG);
	assert_null(client);
}

static void stays_clear_of_stdio(_unused_ void **state)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	struct peer peer;
	int fd, r, keep;

	peer_start(&peer, 8, NULL, NULL);
	keep = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
	close(STDIN_FILENO);
	r = vl_client_connect(peer.path, USEC_PER_SEC, &client);
	fd = dup2(keep, STDIN_FILENO);
	close(keep);
	assert_int_equal(fd, STDIN_FILENO);
	assert_int_equal(r, 0);
	assert_true(vl_client_fd(client) > STDERR_FILENO);
	assert_true(fcntl(vl_client_fd(client), F_GETFD) & FD_CLOEXEC);
	peer_stop(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(error_answers),
		cmocka_unit_test(garbage),
		cmocka_unit_test(more_than_one_answer),
		cmocka_unit_test(closed_half_way),
		cmocka_unit_test(size_limit),
		cmocka_unit_test(silent_peer_times_out),
		cmocka_unit_test(dripping_peer_times_out),
		cmocka_unit_test(nobody_accepts),
		cmocka_unit_test(peer_that_does_not_read),
		cmocka_unit_test(client_deadline_wins),
		cmocka_unit_test(signals_do_not_end_or_lengthen_a_wait),
		cmocka_unit_test(full_backlog_times_out),
		cmocka_unit_test(full_backlog_that_drains),
		cmocka_unit_test(absent),
		cmocka_unit_test(stays_clear_of_stdio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
