// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The real helper, from outside: what is left of its starter while it waits, and how it ends when
 * the other side misbehaves.  Needs root and a mount namespace, for an /etc of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/api/helper.h"
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/paths.h"

#define USER 61234
#define HOME "/etc/home"
#define CONFIG HOME "/.config/certlogin"
#define START_FIELDS "\0\0\0\7account\0\4sudo\0\4/etc\0\0"

struct started {
	pid_t pid;
	int fd;
};

/* Started with all that a careless host may leave open, set and raised. */
static struct started start_on(int ours, int theirs)
{
	struct started s = { .fd = ours };

	s.pid = fork();
	if (s.pid == 0) {
		char *const argv[] = { (char[]){ "prove" }, (char[]){ "invoker" }, NULL };
		char *const env[] = { (char[]){ "LANG=C.UTF-8" }, NULL };

		(void)signal(SIGALRM, SIG_IGN);
		(void)dup2(theirs, STDIN_FILENO);
		for (int i = 0; i < 5; i++)
			(void)open("/etc/shadow", O_RDONLY | O_CREAT, 0600); /* no O_CLOEXEC */
		(void)execve(PATH_PROVE, argv, env);
		_exit(99);
	}
	assert_true(s.pid > 0);
	(void)close(theirs);
	return s;
}

static struct started start(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	return start_on(pair[0], pair[1]);
}

static void send_start(const struct started *s)
{
	static const char packet[] = "\1" START_FIELDS;

	assert_int_equal(send(s->fd, packet, sizeof(packet) - 1, MSG_NOSIGNAL), sizeof(packet) - 1);
}

static size_t receive(const struct started *s, char packet[HELPER_PACKET_MAX])
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 9000), 1);
	return (size_t)recv(s->fd, packet, HELPER_PACKET_MAX, 0);
}

static struct started start_and_wait_for_question(void)
{
	char packet[HELPER_PACKET_MAX];
	struct started s = start();

	send_start(&s);
	assert_true(receive(&s, packet) > 2);
	assert_int_equal(packet[0], HELPER_ASK);
	assert_int_equal(packet[1], KEY_ASK_PASSPHRASE);
	return s;
}

/* Its wait status; a helper that outlives `msec` is killed and fails the test. */
static int end_of(struct started *s, int msec)
{
	int pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0), status, n;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	assert_true(pidfd >= 0);
	n = poll(&p, 1, msec);
	if (n != 1)
		(void)kill(s->pid, SIGKILL);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	(void)close(pidfd);
	if (s->fd >= 0)
		(void)close(s->fd);
	assert_int_equal(n, 1);
	return status;
}

static void assert_refused(struct started *s)
{
	int status = end_of(s, 2000);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static size_t proc_read(pid_t pid, const char *file, char *ret, size_t size)
{
	char path[64];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(ret, 1, size - 1, f);
	(void)fclose(f);
	ret[n] = '\0';
	return n;
}

static void assert_line(const char *status, const char *line)
{
	if (!strstr(status, line))
		fail_msg("/proc/PID/status has no line '%s'", line + 1);
}

static void test_drop_is_for_good(_unused_ void **state)
{
	static const char ids[] = ":\t61234\t61234\t61234\t61234\n",
			  none[] = ":\t0000000000000000\n";
	static const char *const sets[] = { "\nCapInh", "\nCapPrm", "\nCapEff", "\nCapAmb" };
	struct started s = start_and_wait_for_question();
	char status[8192], line[64];

	(void)proc_read(s.pid, "status", status, sizeof(status));
	(void)snprintf(line, sizeof(line), "\nUid%s", ids);
	assert_line(status, line);
	(void)snprintf(line, sizeof(line), "\nGid%s", ids);
	assert_line(status, line);
	assert_line(status, "\nGroups:\t \n");
	assert_line(status, "\nNoNewPrivs:\t1\n");
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		(void)snprintf(line, sizeof(line), "%s%s", sets[i], none);
		assert_line(status, line);
	}
	(void)close(s.fd);
	s.fd = -1;
	assert_refused(&s);
}

static void test_same_user_cannot_look(_unused_ void **state)
{
	struct started s = start_and_wait_for_question();
	pid_t pid = fork();
	char path[64];
	int status;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)s.pid);
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(USER, USER, USER) < 0 ||
		    setresuid(USER, USER, USER) < 0)
			_exit(1);
		if (open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
			_exit(2);
		_exit(ptrace(PTRACE_SEIZE, s.pid, NULL, NULL) == 0 || errno != EPERM ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(s.fd);
	s.fd = -1;
	assert_refused(&s);
	assert_int_equal(status, 0);
}

static void test_no_descriptor_stays(_unused_ void **state)
{
	struct started s = start_and_wait_for_question();
	char path[64];
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)s.pid);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		if (*e->d_name != '.' && atoi(e->d_name) > STDERR_FILENO)
			fail_msg("descriptor %s is open", e->d_name);
	(void)closedir(d);
	(void)close(s.fd);
	s.fd = -1;
	assert_refused(&s);
}

static void test_secrets_stay_off_the_command_line(_unused_ void **state)
{
	static const char answer[] = "\3hunter2";
	struct started s = start_and_wait_for_question();
	char packet[HELPER_PACKET_MAX], text[4096];

	assert_true(send(s.fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0);
	assert_true(receive(&s, packet) > 0); /* asks again */
	assert_int_equal(packet[0], HELPER_ASK);
	assert_int_equal(proc_read(s.pid, "cmdline", text, sizeof(text)), sizeof("prove\0invoker"));
	assert_memory_equal(text, "prove\0invoker", sizeof("prove\0invoker"));
	assert_int_equal(proc_read(s.pid, "environ", text, sizeof(text)), sizeof("LANG=C.UTF-8"));
	(void)close(s.fd);
	s.fd = -1;
	assert_refused(&s);
}

static void test_closed_before_the_request(_unused_ void **state)
{
	struct started s = start();

	(void)close(s.fd);
	s.fd = -1;
	assert_refused(&s);
}

static void test_garbage_for_a_request(_unused_ void **state)
{
	static char huge[2 * HELPER_PACKET_MAX] = "\1" START_FIELDS;
	static const struct {
		const char *p;
		size_t n;
	} bad[] = {
		{ "", 0 },
		{ "\1", 1 },
		{ "\3hunter2", 8 },
		{ "\1\xff\xff", 3 },
		{ "\1" START_FIELDS "x", sizeof(START_FIELDS) + 1 },
		{ "\1\0\0\0\3a\0b\0\4sudo\0\4/etc\0\0", 21 },
		{ huge, sizeof(huge) },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct started s = start();

		assert_int_equal(send(s.fd, bad[i].p, bad[i].n, MSG_NOSIGNAL), bad[i].n);
		assert_refused(&s);
	}
}

static void test_garbage_for_an_answer(_unused_ void **state)
{
	static const size_t sizes[] = { 0, 1 + LIMIT_SECRET + 1, 2 * HELPER_PACKET_MAX };
	static char packet[2 * HELPER_PACKET_MAX] = { HELPER_ANSWER };
	struct started s;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		s = start_and_wait_for_question();
		assert_int_equal(send(s.fd, packet, sizes[i], MSG_NOSIGNAL), sizes[i]);
		assert_refused(&s);
	}
	s = start_and_wait_for_question();
	send_start(&s);
	assert_refused(&s);
}

static void test_no_request_comes(_unused_ void **state)
{
	struct started s = start();
	int status = end_of(&s, 7000);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGALRM);
}

/* A gate whose queue is full: connect(2) would wait for ever. */
static void test_gate_hangs(_unused_ void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/etc/gate" };
	static const char answer[] = "\3sesame";
	int gate = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct started s = start_and_wait_for_question();
	char packet[HELPER_PACKET_MAX];

	assert_int_equal(bind(gate, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(a.sun_path, 0666), 0);
	assert_int_equal(listen(gate, 0), 0);
	assert_int_equal(connect(first, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_true(send(s.fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0);
	assert_true(receive(&s, packet) > 11);
	assert_int_equal(packet[0], HELPER_FAILED);
	assert_memory_equal(packet + 11, "the gate cannot be reached", 26);
	assert_int_equal(end_of(&s, 2000), 0);
	(void)close(first);
	(void)close(gate);
}

static void test_descriptor_0_is_no_module(_unused_ void **state)
{
	int pair[2];
	struct started s;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	s = start_on(pair[0], pair[1]);
	assert_refused(&s);
	s = start_on(-1, open("/dev/null", O_RDWR | O_CLOEXEC));
	assert_refused(&s);
	/* a socketpair of another process than the one that started it: this waits for no request
	 */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		int status;

		s = start_on(pair[0], pair[1]);
		_exit(waitpid(s.pid, &status, 0) == s.pid && WIFEXITED(status) ? WEXITSTATUS(status)
									       : 98);
	}
	(void)close(pair[1]);
	s = (struct started){ pid, pair[0] };
	assert_refused(&s);
}

static int write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	return f && fputs(text, f) >= 0 && fclose(f) == 0 ? 0 : -1;
}

/* The part of CONFDIR that there is, for a prefix of one's own. */
static const char *existing(char path[PATH_MAX])
{
	char *slash;

	(void)snprintf(path, PATH_MAX, "%s", CONFDIR);
	while (access(path, F_OK) < 0 && (slash = strrchr(path, '/')) && slash != path)
		*slash = '\0';
	return path;
}

/* An /etc with one user and one host certificate: after this no other file of the machine counts,
 * and none is left.
 */
static const char *make_etc(void)
{
	static const char make[] =
		"umask 022; mkdir -p " CONFIG " " CONFDIR " && cd " CONFIG
		" && OPENSSL_CONF=/dev/null openssl req -x509 -newkey ec -pkeyopt "
		"ec_paramgen_curve:P-256 "
		"-subj /CN=x -keyout client.key -passout pass:sesame -out client.crt -days 2 "
		"2>/dev/null "
		"&& cp client.crt " PATH_HOST_CERT " && chown -R 61234:61234 " HOME;

	char config[PATH_MAX];

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", existing(config), "tmpfs", 0, "mode=755") < 0 ||
	    (strcmp(config, "/etc") != 0 && mount("tmpfs", "/etc", "tmpfs", 0, "mode=755") < 0))
		return "no mount namespace";
	if (write_text("/etc/passwd",
		       "root:x:0:0::/:/bin/sh\nu:x:61234:61234::" HOME ":/bin/sh\n") < 0 ||
	    system(make) != 0)
		return "openssl makes no certificate";
	return NULL;
}

/* A setuid-root host at its worst: real ids of the user, groups and inheritable capabilities left.
 */
static int become_host(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	const gid_t groups[] = { 4, 27 };

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		sets[i].inheritable = sets[i].permitted;
	if (syscall(SYS_capset, &header, sets) < 0 || setgroups(2, groups) < 0)
		return -1;
	return setresgid(USER, 0, 0) < 0 || setresuid(USER, 0, 0) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop_is_for_good),
		cmocka_unit_test(test_same_user_cannot_look),
		cmocka_unit_test(test_no_descriptor_stays),
		cmocka_unit_test(test_secrets_stay_off_the_command_line),
		cmocka_unit_test(test_closed_before_the_request),
		cmocka_unit_test(test_garbage_for_a_request),
		cmocka_unit_test(test_garbage_for_an_answer),
		cmocka_unit_test(test_no_request_comes),
		cmocka_unit_test(test_gate_hangs),
		cmocka_unit_test(test_descriptor_0_is_no_module),
	};
	const char *why = geteuid() != 0 ? "needs root" : make_etc();

	if (why) {
		(void)printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	if (become_host() < 0)
		return 99;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
