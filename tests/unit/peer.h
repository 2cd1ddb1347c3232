/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

/*
 * The other end of a client under test: a listening socket in a directory of its own, served by a
 * child process that runs one script for each connection and is killed at the end.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct peer {
	char dir[32];
	char path[48];
	int listen_fd;
	pid_t pid;
};

typedef void (*peer_script)(int fd, const void *arg);

/* Listens; `script` NULL: nobody accepts. */
static inline void peer_start(struct peer *p, int backlog, peer_script script, const void *arg)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(p->dir, "/tmp/certlogin-test-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/pam", p->dir);
	strcpy(sa.sun_path, p->path);
	p->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listen_fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(p->listen_fd, backlog), 0);
	p->pid = script ? fork() : -1;
	if (p->pid != 0)
		return;
	(void)signal(SIGPIPE, SIG_IGN);
	for (;;) {
		int fd = accept(p->listen_fd, NULL, NULL);

		if (fd < 0)
			_exit(1);
		script(fd, arg);
		(void)close(fd);
	}
}

static inline void peer_stop(struct peer *p)
{
	if (p->pid > 0) {
		(void)kill(p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
	}
	(void)close(p->listen_fd);
	(void)unlink(p->path);
	(void)rmdir(p->dir);
}

/* Reads one NUL-terminated message; false at end of file. */
static inline bool peer_read(int fd, char *ret, size_t size)
{
	size_t n = 0;

	while (n < size && read(fd, ret + n, 1) == 1)
		if (ret[n++] == '\0')
			return true;
	return false;
}

#endif
