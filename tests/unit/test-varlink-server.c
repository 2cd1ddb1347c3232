// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/limits.h"
#include "lib/varlink/server.h"
#include "tests/harness/slow.h"

/* A server on an event loop that the test turns by hand; clients are raw ends of socketpairs. */
struct lab {
	sd_event *event;
	struct vl_server *server;
	struct vl_call *kept[4];
	unsigned n_kept, n_handled, n_disconnected;
	struct vl_conn *last_disconnected;
	uid_t refused_uid;
	bool refuse;
};

static int handle_echo(struct vl_call *call, json_t *parameters, void *userdata)
{
	struct lab *lab = userdata;

	lab->n_handled++;
	return vl_call_reply(call, json_incref(parameters));
}

static int handle_keep(struct vl_call *call, _unused_ json_t *parameters, void *userdata)
{
	struct lab *lab = userdata;

	lab->n_handled++;
	lab->kept[lab->n_kept++] = vl_call_ref(call);
	return 0;
}

static int handle_fail(_unused_ struct vl_call *call, _unused_ json_t *parameters,
		       _unused_ void *userdata)
{
	return -EROFS;
}

static int handle_forget(_unused_ struct vl_call *call, _unused_ json_t *parameters,
			 _unused_ void *userdata)
{
	return 0;
}

static int handle_big(struct vl_call *call, json_t *parameters, _unused_ void *userdata)
{
	size_t n = (size_t)json_integer_value(json_object_get(parameters, "bytes"));
	_cleanup_(freep) char *text = calloc(1, n + 1);

	memset(text, 'x', n);
	return vl_call_reply(call, json_pack("{s:s}", "text", text));
}

static int handle_twice(struct vl_call *call, _unused_ json_t *parameters, _unused_ void *userdata)
{
	assert_int_equal(vl_call_reply(call, NULL), 0);
	assert_int_equal(vl_call_error(call, "a.Again", json_object()), -EALREADY);
	return -EIO;
}

static const struct vl_field echo_fields[] = {
	{ "text", VL_STRING, true, 10 },
	{ NULL, VL_STRING, false, 0 },
};
static const struct vl_field big_fields[] = {
	{ "bytes", VL_INT, false, 0 },
	{ NULL, VL_STRING, false, 0 },
};
static const struct vl_field none[] = { { NULL, VL_STRING, false, 0 } };
static const struct vl_method methods[] = {
	{ "Echo", handle_echo, echo_fields, 1 },   { "Keep", handle_keep, none, 1 },
	{ "Fail", handle_fail, none, 1 },	   { "Forget", handle_forget, none, 1 },
	{ "Big", handle_big, big_fields, 1 },	   { "Twice", handle_twice, none, 1 },
	{ "Locked", handle_echo, echo_fields, 2 }, { NULL, NULL, NULL, 0 },
};
static const struct vl_interface interface = { "org.example.Lab", "interface org.example.Lab\n",
					       methods };

static bool authorize(struct vl_call *call, const struct vl_method *method, void *userdata)
{
	const struct lab *lab = userdata;

	return method->roles == 1 && vl_conn_peer(vl_call_conn(call))->pid == getpid() &&
	       !lab->refuse;
}

static void disconnected(struct vl_conn *conn, void *userdata)
{
	struct lab *lab = userdata;

	lab->n_disconnected++;
	lab->last_disconnected = conn;
}

static void lab_start(struct lab *lab, size_t max, size_t per_uid, size_t max_message)
{
	const struct vl_server_options options = {
		.interface = &interface,
		.max_connections = max,
		.max_per_uid = per_uid,
		.max_message = max_message,
		.authorize = authorize,
		.disconnected = disconnected,
		.userdata = lab,
	};
	struct vl_server_options o = options;

	*lab = (struct lab){ 0 };
	assert_true(sd_event_new(&lab->event) >= 0);
	o.event = lab->event;
	assert_int_equal(vl_server_new(&o, &lab->server), 0);
}

static void lab_stop(struct lab *lab)
{
	lab->server = vl_server_free(lab->server);
	sd_event_unref(lab->event);
}

static void turn(struct lab *lab)
{
	while (sd_event_run(lab->event, 0) > 0)
		;
}

static int join_as(struct lab *lab, uid_t uid)
{
	int pair[2];

	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(vl_server_add_connection(lab->server, pair[0]), 0);
	return pair[1];
}

static int join(struct lab *lab)
{
	return join_as(lab, geteuid());
}

static void say_n(struct lab *lab, int fd, const char *bytes, size_t n)
{
	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
	turn(lab);
}

static void say(struct lab *lab, int fd, const char *text)
{
	say_n(lab, fd, text, strlen(text) + 1);
}

static void hear(int fd, const char *text)
{
	char got[4096] = "";
	ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

	assert_int_equal(n, (ssize_t)strlen(text) + 1);
	assert_string_equal(got, text);
}

static bool silent(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

static bool cut(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void answers(_unused_ void **state)
{
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Echo\",\"parameters\":{\"text\":\"hi\"}}");
	hear(fd, "{\"parameters\":{\"text\":\"hi\"}}");
	say(&lab, fd, "{\"method\":\"org.example.Lab.Echo\"}");
	hear(fd, "{\"parameters\":{}}");
	close(fd);
	turn(&lab);
	assert_int_equal(lab.n_disconnected, 1);
	assert_int_equal(vl_server_connections(lab.server), 0);
	lab_stop(&lab);
}

static void errors(_unused_ void **state)
{
	static const struct {
		const char *call, *answer;
	} t[] = {
		{ "{\"method\":\"org.example.Lab.Nope\"}",
		  "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":"
		  "\"org.example.Lab.Nope\"}}" },
		{ "{\"method\":\"org.example.Other.Echo\"}",
		  "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{"
		  "\"interface\":"
		  "\"org.example.Other\"}}" },
		{ "{\"method\":\"Echo\"}", "{\"error\":\"org.varlink.service.InterfaceNotFound\","
					   "\"parameters\":{\"interface\":\"Echo\"}}" },
		{ "{\"method\":\"org.example.Lab.Echo\",\"parameters\":{\"text\":1}}",
		  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{"
		  "\"parameter\":\"text\"}}" },
		{ "{\"method\":\"org.example.Lab.Echo\",\"parameters\":{\"text\":\"12345678901\"}}",
		  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{"
		  "\"parameter\":\"text\"}}" },
		{ "{\"method\":\"org.example.Lab.Echo\",\"parameters\":{\"x\":1}}",
		  "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{"
		  "\"parameter\":\"x\"}}" },
		{ "{\"method\":\"org.example.Lab.Locked\"}",
		  "{\"error\":\"org.varlink.service.PermissionDenied\"}" },
		{ "{\"method\":\"org.example.Lab.Locked\",\"parameters\":{\"x\":1}}",
		  "{\"error\":\"org.varlink.service.PermissionDenied\"}" },
		{ "{\"method\":\"org.example.Lab.Fail\"}",
		  "{\"error\":\"org.varlink.service.SystemError\",\"parameters\":{\"errno\":30}}" },
		{ "{\"method\":\"org.example.Lab.Forget\"}",
		  "{\"error\":\"org.varlink.service.SystemError\",\"parameters\":{\"errno\":125}"
		  "}" },
		{ "{\"method\":\"org.example.Lab.Echo\",\"upgrade\":true}",
		  "{\"error\":\"org.varlink.service.MethodNotImplemented\",\"parameters\":{"
		  "\"method\":"
		  "\"org.example.Lab.Echo\"}}" },
		{ "{\"method\":\"org.example.Lab.Twice\"}", "{\"parameters\":{}}" },
	};
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		say(&lab, fd, t[i].call);
		hear(fd, t[i].answer);
	}
	assert_int_equal(lab.n_handled, 0);
	close(fd);
	lab_stop(&lab);
}

static void no_authorize_denies_all(_unused_ void **state)
{
	struct vl_server_options options = { .interface = &interface, .max_connections = 4 };
	struct lab lab = { 0 };
	int fd;

	assert_true(sd_event_new(&lab.event) >= 0);
	options.event = lab.event;
	options.userdata = &lab;
	assert_int_equal(vl_server_new(&options, &lab.server), 0);
	fd = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Echo\"}");
	hear(fd, "{\"error\":\"org.varlink.service.PermissionDenied\"}");
	assert_int_equal(lab.n_handled, 0);
	close(fd);
	lab_stop(&lab);
}

static void introspection(_unused_ void **state)
{
	struct lab lab;
	char got[4096] = "";
	int fd;

	lab_start(&lab, 4, 0, 0);
	lab.refuse = true; /* it is for everybody */
	fd = join(&lab);
	say(&lab, fd,
	    "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{"
	    "\"interface\":\"org.example.Lab\"}}");
	hear(fd, "{\"parameters\":{\"description\":\"interface org.example.Lab\\n\"}}");
	say(&lab, fd,
	    "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{"
	    "\"interface\":\"org.example.X\"}}");
	hear(fd,
	     "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":"
	     "\"org.example.X\"}}");
	say(&lab, fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
	assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_non_null(
		strstr(got, "\"interfaces\":[\"org.varlink.service\",\"org.example.Lab\"]"));
	close(fd);
	lab_stop(&lab);
}

static void garbage_closes(_unused_ void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "{\"method\":1}",
					   "{\"method\":\"a.B\"}x",
					   "{\"method\":\"a.B\",\"method\":\"a.B\"}" };
	struct lab lab;

	lab_start(&lab, 4, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int fd = join(&lab);

		say(&lab, fd, bad[i]);
		assert_true(cut(fd));
		assert_int_equal(lab.n_disconnected, i + 1);
		close(fd);
	}
	lab_stop(&lab);
}

static void size_limit(_unused_ void **state)
{
	static const char call[] = "{\"method\":\"org.example.Lab.Echo\"}";
	char spaces[200];
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 100);
	memset(spaces, ' ', sizeof(spaces));
	fd = join(&lab);
	say_n(&lab, fd, spaces, 100 - strlen(call));
	say(&lab, fd, call);
	hear(fd, "{\"parameters\":{}}");
	say_n(&lab, fd, spaces, 101 - strlen(call));
	say(&lab, fd, call);
	assert_true(cut(fd));
	close(fd);
	fd = join(&lab);
	say_n(&lab, fd, spaces, 100);
	assert_true(silent(fd));
	say_n(&lab, fd, spaces, 1); /* without waiting for the NUL */
	assert_true(cut(fd));
	close(fd);
	lab_stop(&lab);
}

static void default_size_limit(_unused_ void **state)
{
	static char spaces[LIMIT_VARLINK_BYTES];
	struct lab lab;
	size_t sent = 0;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	memset(spaces, ' ', sizeof(spaces));
	while (sent < sizeof(spaces)) {
		ssize_t n = send(fd, spaces, sizeof(spaces) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		turn(&lab);
	}
	assert_true(silent(fd));
	say_n(&lab, fd, " ", 1);
	assert_true(cut(fd));
	close(fd);
	lab_stop(&lab);
}

static void byte_by_byte(_unused_ void **state)
{
	static const char call[] = "{\"method\":\"org.example.Lab.Echo\"}";
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	for (size_t i = 0; i < sizeof(call); i++) {
		assert_true(silent(fd));
		say_n(&lab, fd, call + i, 1);
	}
	hear(fd, "{\"parameters\":{}}");
	close(fd);
	lab_stop(&lab);
}

static void one_call_at_a_time(_unused_ void **state)
{
	static const char both[] =
		"{\"method\":\"org.example.Lab.Keep\"}\0{\"method\":\"org.example.Lab.Echo\"}";
	static const char two[] = "{\"parameters\":{\"n\":1}}\0{\"parameters\":{}}";
	char got[256];
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say_n(&lab, fd, both, sizeof(both));
	say(&lab, fd, "{\"method\":\"org.example.Lab.Keep\"}");
	assert_int_equal(lab.n_handled, 1);
	assert_true(silent(fd));
	assert_int_equal(vl_call_reply(lab.kept[0], json_pack("{s:i}", "n", 1)), 0);
	assert_int_equal(lab.n_handled, 1); /* not from inside the answer */
	turn(&lab);
	assert_int_equal(lab.n_handled, 3);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), sizeof(two));
	assert_memory_equal(got, two, sizeof(two));
	assert_int_equal(vl_call_error(lab.kept[1], "a.E", NULL), 0);
	close(fd);
	lab_stop(&lab);
}

static void oneway_is_not_answered(_unused_ void **state)
{
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Echo\",\"oneway\":true}");
	assert_int_equal(lab.n_handled, 1);
	assert_true(silent(fd));
	say(&lab, fd, "{\"method\":\"org.example.Lab.Nope\",\"oneway\":true}");
	assert_true(silent(fd));
	say(&lab, fd, "{\"method\":\"org.example.Lab.Echo\"}");
	hear(fd, "{\"parameters\":{}}");
	close(fd);
	lab_stop(&lab);
}

static void dead_peer_of_deferred_call(_unused_ void **state)
{
	struct lab lab;
	struct vl_conn *conn;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Keep\"}");
	conn = vl_call_conn(lab.kept[0]);
	vl_conn_set_userdata(conn, &lab);
	close(fd);
	turn(&lab);
	assert_int_equal(lab.n_disconnected, 1);
	assert_ptr_equal(lab.last_disconnected, conn);
	assert_int_equal(vl_server_connections(lab.server), 0);
	assert_null(vl_conn_userdata(conn));
	assert_int_equal(vl_conn_peer(conn)->pid, getpid());
	assert_int_equal(vl_call_reply(lab.kept[0], json_object()), 0);
	lab_stop(&lab);
}

static void deferred_call_outlives_server(_unused_ void **state)
{
	struct lab lab;
	int fd, other;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	other = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Keep\"}");
	say(&lab, other, "{\"method\":\"org.example.Lab.Keep\"}");
	lab_stop(&lab);
	assert_int_equal(lab.n_disconnected, 2);
	assert_int_equal(vl_call_reply(lab.kept[0], json_object()), 0);
	vl_call_drop(lab.kept[1]);
	assert_true(cut(fd));
	close(fd);
	close(other);
}

static void dropped_call_is_answered(_unused_ void **state)
{
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Keep\"}");
	vl_call_drop(lab.kept[0]);
	hear(fd, "{\"error\":\"org.varlink.service.SystemError\",\"parameters\":{\"errno\":125}}");
	close(fd);
	lab_stop(&lab);
}

static void half_closed_peer_gets_its_answer(_unused_ void **state)
{
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Keep\"}");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	turn(&lab);
	assert_int_equal(lab.n_disconnected, 0);
	assert_int_equal(vl_call_reply(lab.kept[0], NULL), 0);
	hear(fd, "{\"parameters\":{}}");
	turn(&lab);
	assert_int_equal(lab.n_disconnected, 1);
	close(fd);
	lab_stop(&lab);
}

static size_t drain(struct lab *lab, int fd)
{
	static char got[64 * 1024];
	size_t sum = 0;

	for (;;) {
		ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);

		if (n <= 0)
			return sum;
		sum += (size_t)n;
		turn(lab);
	}
}

static void slow_reader_holds_one_answer(_unused_ void **state)
{
	static const char many[] =
		"{\"method\":\"org.example.Lab.Big\",\"parameters\":{\"bytes\":1000000}}\0"
		"{\"method\":\"org.example.Lab.Echo\"}";
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	say_n(&lab, fd, many, sizeof(many));
	assert_int_equal(lab.n_handled, 0); /* Echo waits until Big is out */
	assert_int_equal(drain(&lab, fd), strlen("{\"parameters\":{\"text\":\"\"}}") + 1000000 + 1 +
						  strlen("{\"parameters\":{}}") + 1);
	assert_int_equal(lab.n_handled, 1);
	close(fd);
	lab_stop(&lab);
}

static void answer_too_big(_unused_ void **state)
{
	char call[128];
	struct lab lab;
	int fd;

	lab_start(&lab, 4, 0, 0);
	fd = join(&lab);
	(void)snprintf(call, sizeof(call),
		       "{\"method\":\"org.example.Lab.Big\",\"parameters\":{\"bytes\":%d}}",
		       LIMIT_VARLINK_BYTES);
	say(&lab, fd, call);
	hear(fd, "{\"error\":\"org.varlink.service.SystemError\",\"parameters\":{\"errno\":90}}");
	close(fd);
	lab_stop(&lab);
}

static void greediest_loses_its_oldest(_unused_ void **state)
{
	struct lab lab;
	int alice, mallory[3], root;

	if (getuid() != 0)
		skip();
	lab_start(&lab, 4, 0, 0);
	alice = join_as(&lab, 1001);
	for (int i = 0; i < 3; i++)
		mallory[i] = join_as(&lab, 1002);
	root = join_as(&lab, 0);
	assert_true(cut(mallory[0]));
	assert_true(silent(alice) && silent(mallory[1]) && silent(mallory[2]) && silent(root));
	assert_int_equal(vl_server_connections(lab.server), 4);
	assert_int_equal(lab.n_disconnected, 1);
	lab_stop(&lab);
	close(alice);
	close(root);
	for (int i = 0; i < 3; i++)
		close(mallory[i]);
}

static void stranger_never_evicts_root(_unused_ void **state)
{
	struct lab lab;
	int root[2], pair[2], next;

	if (getuid() != 0)
		skip();
	lab_start(&lab, 2, 0, 0);
	root[0] = join_as(&lab, 0);
	root[1] = join_as(&lab, 0);
	assert_int_equal(seteuid(1001), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(vl_server_add_connection(lab.server, pair[0]), -EBUSY);
	assert_true(cut(pair[1]));
	assert_true(silent(root[0]) && silent(root[1]));
	next = join_as(&lab, 0);
	assert_true(cut(root[0]));
	lab_stop(&lab);
	close(root[0]);
	close(root[1]);
	close(pair[1]);
	close(next);
}

static void per_uid_limit_spares_root(_unused_ void **state)
{
	struct lab lab;
	int alice[3], root[3];

	if (getuid() != 0)
		skip();
	lab_start(&lab, 100, 2, 0);
	for (int i = 0; i < 3; i++) {
		alice[i] = join_as(&lab, 1001);
		root[i] = join_as(&lab, 0);
	}
	assert_true(cut(alice[0]));
	assert_true(silent(alice[1]) && silent(alice[2]));
	assert_true(silent(root[0]) && silent(root[1]) && silent(root[2]));
	lab_stop(&lab);
	for (int i = 0; i < 3; i++) {
		close(alice[i]);
		close(root[i]);
	}
}

static int listen_somewhere(struct sockaddr_un *ret)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*ret);

	assert_int_equal(bind(fd, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)),
			 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
	return fd;
}

static int dial(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)sa, sizeof(sa_family_t) + 6), 0);
	return fd;
}

static uint64_t now_usec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void out_of_descriptors_does_not_spin(_unused_ void **state)
{
	struct rlimit before, tight;
	struct sockaddr_un sa;
	struct lab lab;
	unsigned turns = 0;
	uint64_t until;
	int fd, probe;

	if (test_slow() > 1)
		return; /* valgrind has limits of its own: it accepts, closes, and says EMFILE */
	lab_start(&lab, 4, 0, 0);
	assert_int_equal(vl_server_listen(lab.server, listen_somewhere(&sa)), 0);
	fd = dial(&sa);
	probe = dup(0);
	close(probe);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)probe;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	for (until = now_usec() + 50 * 1000; now_usec() < until;)
		turns += sd_event_run(lab.event, until - now_usec()) > 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_in_range(turns, 1, 3);
	assert_int_equal(vl_server_connections(lab.server), 0);
	for (until = now_usec() + 5 * USEC_PER_SEC;
	     now_usec() < until && vl_server_connections(lab.server) == 0;)
		(void)sd_event_run(lab.event, 10 * 1000);
	say(&lab, fd, "{\"method\":\"org.example.Lab.Echo\"}");
	hear(fd, "{\"parameters\":{}}");
	close(fd);
	lab_stop(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(errors),
		cmocka_unit_test(no_authorize_denies_all),
		cmocka_unit_test(introspection),
		cmocka_unit_test(garbage_closes),
		cmocka_unit_test(size_limit),
		cmocka_unit_test(default_size_limit),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(one_call_at_a_time),
		cmocka_unit_test(oneway_is_not_answered),
		cmocka_unit_test(dead_peer_of_deferred_call),
		cmocka_unit_test(deferred_call_outlives_server),
		cmocka_unit_test(dropped_call_is_answered),
		cmocka_unit_test(half_closed_peer_gets_its_answer),
		cmocka_unit_test(slow_reader_holds_one_answer),
		cmocka_unit_test(answer_too_big),
		cmocka_unit_test(greediest_loses_its_oldest),
		cmocka_unit_test(stranger_never_evicts_root),
		cmocka_unit_test(per_uid_limit_spares_root),
		cmocka_unit_test(out_of_descriptors_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
