// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/varlink/client.h"
#include "tests/component/pam-lab.h"
#include "tests/harness/slow.h"

/* Host programs that are not ours: what they have done to their process before they call us. */
static struct lab lab;

static int login_as(const char *account)
{
	struct lab_user user = { 0 };

	return lab_auth(&lab, "elevate", account, &user);
}

static void sigchld_ignored(_unused_ void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction before;

	assert_int_equal(sigaction(SIGCHLD, &ignore, &before), 0);
	assert_int_equal(login_as("alice"), PAM_SUCCESS);
	assert_int_equal(login_as("helper-stays"), PAM_SUCCESS);
	assert_int_not_equal(login_as("helper-hang"), PAM_SUCCESS);
	assert_int_equal(lab_children(&lab), 0);
	assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
}

static volatile sig_atomic_t reaped;

static void reap_all(_unused_ int sig)
{
	int saved = errno;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		reaped++;
	errno = saved;
}

static void host_reaps_our_child(_unused_ void **state)
{
	const struct sigaction reap = { .sa_handler = reap_all };
	struct sigaction before;

	assert_int_equal(sigaction(SIGCHLD, &reap, &before), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(login_as("alice"), PAM_SUCCESS);
	assert_int_not_equal(login_as("helper-crash"), PAM_SUCCESS);
	assert_int_not_equal(login_as("helper-hang"), PAM_SUCCESS);
	assert_int_equal(lab_children(&lab), 0);
	assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
	assert_true(reaped > 0);
}

static void host_children_are_left_alone(_unused_ void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(7);
	assert_int_equal(login_as("alice"), PAM_SUCCESS);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void host_keeps_its_signals(_unused_ void **state)
{
	struct sigaction before[NSIG], after;
	sigset_t mask_before, mask_after;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, NULL, &before[s]);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_before), 0);
	assert_int_equal(login_as("alice"), PAM_SUCCESS);
	assert_int_not_equal(login_as("helper-crash"), PAM_SUCCESS);
	for (int s = 1; s < NSIG; s++)
		if (sigaction(s, NULL, &after) == 0)
			assert_ptr_equal(after.sa_handler, before[s].sa_handler);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
	for (int s = 1; s < NSIG; s++)
		assert_int_equal(sigismember(&mask_before, s), sigismember(&mask_after, s));
}

/* Blocked and ignored signals, an agent, descriptors: none of it reaches the helper. */
static void helper_starts_clean(_unused_ void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction pipe_before, term_before;
	sigset_t block, mask_before;
	int fd = open("/dev/null", O_RDWR); /* not close-on-exec */

	assert_int_equal(setenv("SSH_AUTH_SOCK", "/tmp/the agent", 1), 0);
	assert_int_equal(setenv("LD_PRELOAD_X", "1", 1), 0);
	assert_int_equal(sigaction(SIGPIPE, &ignore, &pipe_before), 0);
	assert_int_equal(sigaction(SIGTERM, &ignore, &term_before), 0);
	assert_int_equal(sigfillset(&block), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &block, &mask_before), 0);
	assert_int_equal(login_as("helper-world"), PAM_SUCCESS);
	assert_int_equal(sigprocmask(SIG_SETMASK, &mask_before, NULL), 0);
	assert_int_equal(sigaction(SIGPIPE, &pipe_before, NULL), 0);
	assert_int_equal(sigaction(SIGTERM, &term_before, NULL), 0);
	assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
	close(fd);
}

static void agent_from_the_pam_environment(_unused_ void **state)
{
	struct lab_user user = { 0 };
	pam_handle_t *pamh = lab_pam(&lab, "elevate", "helper-world", &user);

	assert_int_equal(pam_putenv(pamh, "SSH_AUTH_SOCK=/tmp/the agent"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	pam_end(pamh, 0);
}

static void odd_agent_names_are_not_passed_on(_unused_ void **state)
{
	char name[200];

	memset(name, 'x', sizeof(name));
	name[108] = '\0';
	assert_int_equal(setenv("SSH_AUTH_SOCK", name, 1), 0);
	assert_int_not_equal(login_as("helper-world"), PAM_SUCCESS); /* it misses its agent */
	assert_int_equal(login_as("alice"), PAM_SUCCESS);
	assert_int_equal(setenv("SSH_AUTH_SOCK", "/tmp/the\nagent", 1), 0);
	assert_int_not_equal(login_as("helper-world"), PAM_SUCCESS);
	assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
}

static void closed_stdio(_unused_ void **state)
{
	int keep[3], r[3], written;
	const char *const accounts[] = { "alice", "helper-world", "helper-hang" };

	assert_int_equal(setenv("SSH_AUTH_SOCK", "/tmp/the agent", 1), 0);
	for (int i = 0; i < 3; i++) {
		keep[i] = fcntl(i, F_DUPFD_CLOEXEC, 20);
		close(i);
	}
	for (int i = 0; i < 3; i++)
		r[i] = login_as(accounts[i]);
	written = open("/dev/null", O_RDWR); /* nothing of ours sits there */
	close(written);
	for (int i = 0; i < 3; i++) {
		(void)dup2(keep[i], i);
		close(keep[i]);
	}
	assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
	assert_int_equal(r[0], PAM_SUCCESS);
	assert_int_equal(r[1], PAM_SUCCESS);
	assert_int_not_equal(r[2], PAM_SUCCESS);
	assert_int_equal(written, 0);
}

/* From "no descriptor at all" to "enough": denied or allowed, never a crash or a leak. */
static void few_descriptors(_unused_ void **state)
{
	struct lab_user user = { 0 };
	pam_handle_t *pamh = lab_pam(&lab, "elevate", "alice", &user);
	struct rlimit before, tight;
	unsigned fds, good = 0, bad = 0;

	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS); /* libpam has read its files */
	fds = lab_fds();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	for (tight.rlim_cur = 3; tight.rlim_cur < 20; tight.rlim_cur++) {
		int r;

		assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
		r = pam_authenticate(pamh, 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		good += r == PAM_SUCCESS;
		bad += r != PAM_SUCCESS;
		assert_int_equal(lab_fds(), fds);
		assert_int_equal(lab_children(&lab), 0);
	}
	assert_true(good > 0 && bad > 0);
	pam_end(pamh, 0);
}

static void helper_that_stays_is_ended(_unused_ void **state)
{
	uint64_t start = vl_monotonic_usec();

	assert_int_equal(login_as("helper-stays"), PAM_SUCCESS);
	assert_true(vl_monotonic_usec() - start < 2000000 * test_slow());
	assert_int_equal(lab_children(&lab), 0);
}

static void helpers_children_go_with_it(_unused_ void **state)
{
	uint64_t start = vl_monotonic_usec();

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(login_as("helper-child"), PAM_SUCCESS);
	while (lab_children(&lab) > 0 && vl_monotonic_usec() - start < 5000000 * test_slow())
		(void)waitpid(-1, NULL,
			      WNOHANG); /* orphans come to us: only dead ones can be reaped */
	assert_int_equal(lab_children(&lab), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void *many_logins(void *arg)
{
	unsigned *good = arg;

	for (int i = 0; i < 25; i++)
		*good += login_as("alice") == PAM_SUCCESS;
	return NULL;
}

static void threads(_unused_ void **state)
{
	unsigned good[4] = { 0 };
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, many_logins, &good[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(good[i], 25);
	assert_int_equal(lab_children(&lab), 0);
}

static void leaks_nothing(_unused_ void **state)
{
	static const char *const accounts[] = { "alice", "alice", "helper-none", "helper-denied",
						"begin-garbage" };
	const unsigned rounds =
		(getenv("LAB_ROUNDS") ? (unsigned)atoi(getenv("LAB_ROUNDS")) : 200) / test_slow();
	size_t used = 0;
	unsigned fds = 0;

	for (unsigned i = 0; i <= rounds; i++) {
		if (i == 2) { /* libc and PAM have what they keep */
			used = mallinfo2().uordblks;
			fds = lab_fds();
		}
		for (size_t a = 0; a < ARRAY_SIZE(accounts); a++)
			assert_int_equal(login_as(accounts[a]) == PAM_SUCCESS, a < 2);
	}
	assert_int_equal(lab_fds(), fds);
	assert_int_equal(lab_children(&lab), 0);
	assert_true(mallinfo2().uordblks < used + 4096);
}

static int setup(_unused_ void **state)
{
	lab_start(&lab);
	lab_stack(&lab, "elevate", "auth required @M\n");
	return geteuid() != 0 || lab_real_uid(65534) ? 0 : -1;
}

static int teardown(_unused_ void **state)
{
	lab_stop(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sigchld_ignored),
		cmocka_unit_test(host_reaps_our_child),
		cmocka_unit_test(host_children_are_left_alone),
		cmocka_unit_test(host_keeps_its_signals),
		cmocka_unit_test(helper_starts_clean),
		cmocka_unit_test(agent_from_the_pam_environment),
		cmocka_unit_test(odd_agent_names_are_not_passed_on),
		cmocka_unit_test(closed_stdio),
		cmocka_unit_test(few_descriptors),
		cmocka_unit_test(helper_that_stays_is_ended),
		cmocka_unit_test(helpers_children_go_with_it),
		cmocka_unit_test(threads),
		cmocka_unit_test(leaks_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
