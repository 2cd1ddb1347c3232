// SPDX-License-Identifier: GPL-2.0-or-later
/* certlogin-gate as systemd starts it, and its sandbox from the inside. */
#include "tests/unit/gate-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/gate/sandbox.h"
#include "lib/base/log.h"

#define ALLOWED "{\"parameters\":{\"allowed\":true,\"event\":4711}}"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static const char *program(void)
{
	static char path[4096];
	const char *top = getenv("top_builddir");

	(void)snprintf(path, sizeof(path), "%s/certlogin-gate", top ? top : ".");
	return path;
}

static struct lab *program_lab(const char *watchdog_usec)
{
	return lab_new(&(struct lab_options){
		.server = PAIR_P256, .program = program(), .watchdog_usec = watchdog_usec });
}

static void expect_login(struct lab *lab, unsigned ms)
{
	struct client *c = client_new(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256) });

	lab_run(lab, &c, 1, ms);
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
}

/* Waits for a datagram that begins so. */
static void expect_notify(struct lab *lab, const char *wanted, unsigned ms)
{
	double end = seconds() + ms * 1e-3;
	char text[512];

	while (seconds() < end) {
		ssize_t n = recv(lab->notify_fd, text, sizeof(text) - 1, MSG_DONTWAIT);

		if (n > 0) {
			text[n] = '\0';
			if (strncmp(text, wanted, strlen(wanted)) == 0)
				return;
		}
		lab_run_for(lab, NULL, 0, 1);
	}
	fail_msg("no %s", wanted);
}

static int wait_exit(struct lab *lab, unsigned ms)
{
	double end = seconds() + ms * 1e-3;
	int status = -1;

	while (waitpid(lab->pid, &status, WNOHANG) == 0) {
		lab_run_for(lab, NULL, 0, 2);
		if (seconds() > end)
			fail_msg("still there after %u ms", ms);
	}
	lab->pid = 0;
	return status;
}

static long status_field(pid_t pid, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtol(line + strlen(name) + 1, NULL, 10);
	(void)fclose(f);
	return value;
}

static void logs_in_from_the_sandbox(_unused_ void **state)
{
	struct lab *lab = program_lab(NULL);

	expect_notify(lab, "READY=1\nSTATUS=", 5000);
	expect_login(lab, 2000);
	assert_int_equal(status_field(lab->pid, "NoNewPrivs:"), 1);
#ifndef SANITIZED
	assert_int_equal(status_field(lab->pid, "Seccomp:"), 2);
#endif
	for (int i = 0; i < 20; i++)
		expect_login(lab, 2000);
	assert_int_equal(waitpid(lab->pid, NULL, WNOHANG), 0);
	lab_free(lab);
}

/* The one socket that the sandbox leaves: the link, when it is lost. */
static void links_again_from_the_sandbox(_unused_ void **state)
{
	struct lab *lab = program_lab(NULL);

	expect_notify(lab, "READY=1", 5000);
	expect_login(lab, 2000);
	lab_authority_stop(lab);
	lab_run_for(lab, NULL, 0, 200);
	lab_authority_start(lab);
	expect_login(lab, 5000);
	assert_int_equal(lab->authority->n_links, 2);
	assert_int_equal(waitpid(lab->pid, NULL, WNOHANG), 0);
	lab_free(lab);
}

static void every_refusal_in_the_sandbox(_unused_ void **state)
{
	struct lab *lab = program_lab(NULL);
	static const struct client_options cases[] = {
		{ 0 },
		{ .alpn = { "h2" } },
		{ .priority = "NORMAL:-VERS-TLS1.3" },
		{ .priority = "NORMAL:-GROUP-ALL:+GROUP-FFDHE2048" },
	};
	int fd;

	expect_notify(lab, "READY=1", 5000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client *c = client_new(lab, &cases[i]);

		lab_run(lab, &c, 1, 2000);
		client_free(c);
	}
	fd = lab_connect(lab, NULL);
	assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL), 18);
	(void)lab_read_to_end(lab, fd, (uint8_t[64]){ 0 }, 64, 2000);
	(void)close(fd);
	expect_login(lab, 2000);
	lab_free(lab);
}

static void stops_on_sigterm(_unused_ void **state)
{
	struct lab *lab = program_lab(NULL);
	struct client *c;

	expect_notify(lab, "READY=1", 5000);
	lab->authority->mute_sign = true;
	c = client_new(lab, &(struct client_options){ .pair = lab_pair(PAIR_P256) });
	lab_run_until(lab, &c, 1, &lab->authority->n_sign, 1, 2000);
	assert_int_equal(kill(lab->pid, SIGTERM), 0);
	expect_notify(lab, "STOPPING=1", 1000);
	lab_authority_sign_all(lab);
	lab_run(lab, &c, 1, 2000); /* what was in flight ends well */
	assert_string_equal(c->reply, ALLOWED);
	client_free(c);
	assert_int_equal(wait_exit(lab, 3000), 0);
	lab_free(lab);
}

static void feeds_the_watchdog(_unused_ void **state)
{
	struct lab *lab = program_lab("200000");

	expect_notify(lab, "READY=1", 5000);
	for (int i = 0; i < 3; i++)
		expect_notify(lab, "WATCHDOG=1", 1000);
	lab_free(lab);
}

static unsigned sealed_threads(pid_t pid)
{
	char command[64], line[64];
	unsigned n = 0;
	FILE *f;

	(void)snprintf(command, sizeof(command), "cat /proc/%d/task/*/status", pid);
	f = popen(command, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strcmp(line, "Seccomp:\t2\n") == 0;
	(void)pclose(f);
	return n;
}

/* With several threads the second half of the sandbox reaches all of them. */
static void every_thread_is_sealed(_unused_ void **state)
{
#ifndef SANITIZED
	const struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), status;
	double end = seconds() + 3;
	char text[16];
	pid_t pid;

	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(listener, 5), 0);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(listener, 3);
		(void)snprintf(text, sizeof(text), "%d", getpid());
		(void)setenv("LISTEN_PID", text, 1);
		(void)setenv("LISTEN_FDS", "1", 1);
		(void)execl(program(), program(), "--link", "/nonexistent/link", "--threads", "3",
			    NULL);
		_exit(127);
	}
	while (sealed_threads(pid) != 3)
		assert_true(seconds() < end);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	(void)close(listener);
#endif
}

static int run_program(const char *argument, const char *value)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		(void)dup2(null, 1);
		(void)dup2(null, 2);
		(void)unsetenv("LISTEN_FDS");
		(void)execl(program(), program(), argument, value, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void arguments(_unused_ void **state)
{
	assert_int_equal(run_program("--help", NULL), 0);
	assert_int_equal(run_program("--no-such", NULL), 2);
	assert_int_equal(run_program("--threads", "0"), 2);
	assert_int_equal(run_program("--threads", "-1"), 2);
	assert_int_equal(run_program("--threads", "1x"), 2);
	assert_int_equal(run_program("--client-timeout", "61"), 2);
	assert_int_equal(run_program("word", NULL), 2);
	assert_int_equal(run_program("--threads", "1"), 1); /* no socket from systemd */
}

/* --- the sandbox from the inside --- */

static void try_open(void)
{
	(void)open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void try_create(void)
{
	(void)open("/tmp/certlogin-sandbox-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void try_stat(void)
{
	struct stat st;

	(void)stat("/etc/passwd", &st);
}

static void try_unlink(void)
{
	(void)unlink("/tmp/certlogin-sandbox-test");
}

static void try_exec(void)
{
	(void)execl("/bin/true", "true", NULL);
}

static void try_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void try_ptrace(void)
{
	(void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void try_kill(void)
{
	(void)kill(getppid(), 0);
}

static void try_inet(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void try_netlink(void)
{
	(void)socket(AF_NETLINK, SOCK_RAW, 0);
}

static void try_unix_stream(void)
{
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
}

static void try_unix_dgram(void)
{
	(void)socket(AF_UNIX, SOCK_DGRAM, 0);
}

static void try_bind(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)bind(0, (const struct sockaddr *)&address, sizeof(sa_family_t));
}

static void try_exec_memory(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_make_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void try_setuid(void)
{
	if (setuid(0) < 0)
		_exit(1);
}

static void try_prctl(void)
{
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void try_memory_of_others(void)
{
	(void)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

/* All that a thread does for the first time when the sandbox is closed already: memory, random
 * numbers, ciphers, the log. */
static void *thread_works(void *userdata)
{
	int fd = (int)(intptr_t)userdata;
	static void *pieces[2000];
	gnutls_session_t session;
	char byte, random[32];

	if (read(fd, &byte, 1) != 1)
		return NULL;
	/* from an arena of its own, and back: malloc must not look at files for it */
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		pieces[i] = memset(malloc(100000), 1, 100000);
	for (size_t i = ARRAY_SIZE(pieces); i-- > 0;)
		free(pieces[i]);
	for (size_t n = 1; n < 64 * 1024 * 1024; n *= 3)
		free(memset(malloc(n), 1, n));
	if (gnutls_init(&session, GNUTLS_SERVER) == 0)
		gnutls_deinit(session);
	(void)gnutls_rnd(GNUTLS_RND_KEY, random, sizeof(random));
	log_notice("from the sandbox: %d %s", 1, strerror(EPERM));
	return NULL;
}

static void *thread_opens(_unused_ void *userdata)
{
	int fd = (int)(intptr_t)userdata;
	char byte;

	if (read(fd, &byte, 1) == 1)
		try_open();
	return NULL;
}

#define IN_CHILD(body)                                                                             \
	({                                                                                         \
		pid_t pid_ = fork();                                                               \
		int status_, abi_;                                                                 \
                                                                                                   \
		if (pid_ == 0) {                                                                   \
			if (sandbox_restrict(&abi_) < 0 || sandbox_seal() < 0)                     \
				_exit(99);                                                         \
			body;                                                                      \
			_exit(0);                                                                  \
		}                                                                                  \
		assert_int_equal(waitpid(pid_, &status_, 0), pid_);                                \
		status_;                                                                           \
	})

static void forbidden_calls_kill(_unused_ void **state)
{
#ifndef SANITIZED
	static const struct {
		const char *name;
		void (*attempt)(void);
	} cases[] = {
		{ "open", try_open },
		{ "create", try_create },
		{ "stat", try_stat },
		{ "unlink", try_unlink },
		{ "exec", try_exec },
		{ "fork", try_fork },
		{ "ptrace", try_ptrace },
		{ "kill", try_kill },
		{ "socket inet", try_inet },
		{ "socket netlink", try_netlink },
		{ "socket unix stream", try_unix_stream },
		{ "socket unix dgram", try_unix_dgram },
		{ "bind", try_bind },
		{ "mmap exec", try_exec_memory },
		{ "mprotect exec", try_make_exec },
		{ "setuid", try_setuid },
		{ "prctl", try_prctl },
		{ "process_vm_readv", try_memory_of_others },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = IN_CHILD(cases[i].attempt());

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %#x", cases[i].name, (unsigned)status);
	}
#endif
}

/* A thread that was there before the sandbox closed. */
static int run_thread(void *(*run)(void *))
{
	int status, abi, fds[2];
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t thread;

		if (dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2) != 2 ||
		    pipe2(fds, O_CLOEXEC) < 0 || sandbox_restrict(&abi) < 0 ||
		    pthread_create(&thread, NULL, run, (void *)(intptr_t)fds[0]) != 0 ||
		    sandbox_seal() < 0 || write(fds[1], "x", 1) != 1)
			_exit(99);
		(void)pthread_join(thread, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void forbidden_calls_kill_in_threads(_unused_ void **state)
{
#ifndef SANITIZED
	int status = run_thread(thread_opens);

	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
#endif
}

static void threads_work_in_the_sandbox(_unused_ void **state)
{
	assert_int_equal(run_thread(thread_works), 0);
}

static void use_what_is_left(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	void *p = malloc(64 * 1024 * 1024);

	if (fd < 0 || !p)
		_exit(1);
	memset(p, 1, 64 * 1024 * 1024);
	free(p);
	(void)close(fd);
}

static void the_link_and_memory_are_left(_unused_ void **state)
{
	assert_int_equal(IN_CHILD(use_what_is_left()), 0);
}

/* The first half alone: what holds even where seccomp would be switched off. */
static void restricted_without_seccomp(_unused_ void **state)
{
	int status, abi;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit core;

		if (sandbox_restrict(&abi) < 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
		    getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_max != 0)
			_exit(1);
#ifdef SANITIZED
		abi = sandbox_landlock(); /* the program goes without */
#else
		if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
			_exit(4);
#endif
		if (abi > 0 && (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES))
			_exit(2);
		if (abi > 0 && (execl("/bin/true", "true", NULL), errno != EACCES))
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_in_from_the_sandbox),
		cmocka_unit_test(links_again_from_the_sandbox),
		cmocka_unit_test(every_refusal_in_the_sandbox),
		cmocka_unit_test(stops_on_sigterm),
		cmocka_unit_test(feeds_the_watchdog),
		cmocka_unit_test(every_thread_is_sealed),
		cmocka_unit_test(arguments),
		cmocka_unit_test(forbidden_calls_kill),
		cmocka_unit_test(forbidden_calls_kill_in_threads),
		cmocka_unit_test(threads_work_in_the_sandbox),
		cmocka_unit_test(the_link_and_memory_are_left),
		cmocka_unit_test(restricted_without_seccomp),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
