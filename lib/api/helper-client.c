// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/api/helper-client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/api/question.h"
#include "lib/base/buf.h"
#include "lib/base/name.h"
#include "lib/base/paths.h"
#include "lib/varlink/client.h"

#define GRACE_USEC (500 * 1000) /* from its last word to its end */
#define KILL_USEC (1000 * 1000) /* from SIGKILL to its end */
#define STEP_NSEC (500 * 1000)

/* Both ends clear of 0, 1 and 2, which the host may have closed. */
static int socketpair_above_stdio(int ret[2])
{
	int pair[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		ret[i] = fcntl(pair[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (ret[i] < 0)
			r = -errno;
	}
	closep(&pair[0]);
	closep(&pair[1]);
	if (r < 0) {
		closep(&ret[0]);
		closep(&ret[1]);
	}
	return r;
}

static int make_actions(posix_spawn_file_actions_t *actions, int fd)
{
	int r;

	r = posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_RDWR,
						     0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, STDOUT_FILENO, STDERR_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	return -r;
}

static int make_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int r;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	r = posix_spawnattr_setflags(
		attr, (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
	if (r == 0)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attr, &all);
	return -r;
}

static int spawn(const char *mode, const char *agent_socket, int fd, pid_t *ret)
{
	char agent[sizeof("SSH_AUTH_SOCK=") + 108];
	char *const argv[] = { (char[]){ "prove" }, (char *)(uintptr_t)mode, NULL };
	char *const env[] = { (char[]){ "PATH=/usr/local/bin:/usr/bin:/bin" },
			      (char[]){ "LANG=C.UTF-8" }, agent_socket ? agent : NULL, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	(void)snprintf(agent, sizeof(agent), "SSH_AUTH_SOCK=%s", agent_socket ? agent_socket : "");
	r = -posix_spawn_file_actions_init(&actions);
	if (r < 0)
		return r;
	r = -posix_spawnattr_init(&attr);
	if (r == 0) {
		r = make_actions(&actions, fd);
		if (r == 0)
			r = make_attributes(&attr);
		if (r == 0)
			r = -posix_spawn(ret, PATH_PROVE, &actions, &attr, argv, env);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

static void put_vec16(struct buf *b, const char *s)
{
	buf_put_u16(b, (uint16_t)strlen(s));
	buf_put_text(b, s);
}

static int send_packet(int fd, const void *p, size_t n)
{
	if (n > HELPER_PACKET_MAX)
		return -EMSGSIZE;
	return send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n ? 0 : -errno;
}

static int start(struct helper *h, const struct helper_request *request)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	_cleanup_(closep) int theirs = -1;
	int pair[2] = { -1, -1 }, r;

	buf_put_u8(&b, HELPER_START);
	put_vec16(&b, request->login_id);
	put_vec16(&b, request->account);
	put_vec16(&b, request->service);
	put_vec16(&b, request->runtime_dir);
	put_vec16(&b, request->pkcs11 ? request->pkcs11 : "");
	if (b.error)
		return b.error;
	r = socketpair_above_stdio(pair);
	if (r < 0)
		return r;
	theirs = pair[1];
	h->fd = pair[0];
	r = spawn(request->mode, request->agent_socket, theirs, &h->pid);
	if (r < 0) {
		closep(&h->fd);
		h->fd = -1;
		return r;
	}
	return send_packet(h->fd, b.p, b.n);
}

/* One packet: its size, 0 at end of file or -errno. */
static ssize_t receive_packet(int fd, uint8_t p[HELPER_PACKET_MAX], uint64_t deadline)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		uint64_t now = vl_monotonic_usec();
		ssize_t n;

		if (now >= deadline)
			return -ETIMEDOUT;
		/* rounded up: 0 would be a spin */
		if (poll(&poll_fd, 1, (int)((deadline - now + 999) / 1000)) < 0 && errno != EINTR)
			return -errno;
		n = recv(fd, p, HELPER_PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (n >= 0)
			return n > HELPER_PACKET_MAX ? -EMSGSIZE : n;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

static int send_answer(int fd, const struct secret *answer)
{
	uint8_t packet[1 + LIMIT_SECRET] = { HELPER_ANSWER };
	size_t n = answer ? answer->len : 0;
	int r;

	if (n > LIMIT_SECRET)
		return -EMSGSIZE;
	if (n > 0)
		memcpy(packet + 1, answer->bytes, n);
	r = send_packet(fd, packet, 1 + n);
	explicit_bzero(packet, sizeof(packet));
	return r;
}

struct label {
	char text[LIMIT_HELPER_LABEL + 1];
};

static int take_label(struct view *v, struct label *ret)
{
	struct view bytes;

	if (view_vec16(v, &bytes) < 0 || bytes.n > LIMIT_HELPER_LABEL)
		return -EBADMSG;
	if (bytes.n > 0)
		memcpy(ret->text, bytes.p, bytes.n);
	ret->text[bytes.n] = '\0';
	return strlen(ret->text) == bytes.n && text_ok(ret->text, LIMIT_HELPER_LABEL) ? 0
										      : -EBADMSG;
}

static int answer_choice(const struct helper *h, struct view v,
			 const struct helper_request *request)
{
	struct label labels[LIMIT_HELPER_CHOICES];
	const char *texts[LIMIT_HELPER_CHOICES];
	uint8_t n, packet[2] = { HELPER_ANSWER };
	unsigned chosen;
	int r;

	if (view_u8(&v, &n) < 0 || n < 2 || n > LIMIT_HELPER_CHOICES)
		return -EBADMSG;
	for (unsigned i = 0; i < n; i++) {
		if (take_label(&v, &labels[i]) < 0)
			return -EBADMSG;
		texts[i] = labels[i].text;
	}
	if (v.n > 0)
		return -EBADMSG;
	r = request->choose(request->userdata, texts, n, &chosen);
	if (r < 0)
		return r;
	packet[1] = (uint8_t)chosen;
	return send_packet(h->fd, packet, sizeof(packet));
}

static int answer_question(const struct helper *h, struct view v,
			   const struct helper_request *request)
{
	_cleanup_(secret_freep) struct secret *answer = NULL;
	struct label label;
	uint8_t question;
	int r;

	if (view_u8(&v, &question) < 0)
		return -EBADMSG;
	if (question == KEY_ASK_CHOICE)
		return answer_choice(h, v, request);
	if (!question_ok(question) || take_label(&v, &label) < 0 || v.n > 0)
		return -EBADMSG;
	r = request->ask(request->userdata, (enum key_question)question, label.text, &answer);
	return r < 0 ? r : send_answer(h->fd, answer);
}

static int take_ticket(struct view v, struct helper_answer *ret)
{
	if (v.n != TICKET_BYTES)
		return -EBADMSG;
	memcpy(ret->ticket, v.p, TICKET_BYTES);
	ret->has_ticket = true;
	return 0;
}

static int take_failure(struct view v, struct helper_answer *ret)
{
	struct view why;
	uint64_t event;

	if (view_u64(&v, &event) < 0 || view_vec16(&v, &why) < 0 || v.n > 0)
		return -EBADMSG;
	ret->event = event;
	text_clean((const char *)why.p, why.n, ret->why, sizeof(ret->why));
	return 0;
}

static int hear(struct helper *h, const struct helper_request *request, uint64_t deadline,
		struct helper_answer *ret)
{
	uint8_t packet[HELPER_PACKET_MAX];

	for (unsigned asked = 0;;) {
		struct view v = { packet, 0 };
		ssize_t n = receive_packet(h->fd, packet, deadline);
		uint8_t type;
		int r;

		if (n < 0)
			return (int)n;
		v.n = (size_t)n;
		if (view_u8(&v, &type) < 0)
			return -ECONNRESET;
		if (type == HELPER_TICKET || type == HELPER_FAILED) {
			r = type == HELPER_TICKET ? take_ticket(v, ret) : take_failure(v, ret);
			explicit_bzero(packet, sizeof(packet));
			h->finished = r == 0;
			return r;
		}
		if (type != HELPER_ASK || ++asked > LIMIT_HELPER_QUESTIONS)
			return -EBADMSG;
		r = answer_question(h, v, request);
		if (r < 0)
			return r;
	}
}

static const char *reason(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "the helper took too long";
	case -ENODATA:
		return "the helper's question was not answered";
	case -ECONNRESET:
	case -EPIPE:
		return "the helper ended without an answer";
	}
	return "the helper misbehaved";
}

void helper_run(struct helper *h, const struct helper_request *request, uint64_t timeout_usec,
		struct helper_answer *ret)
{
	int r;

	*ret = (struct helper_answer){ 0 };
	r = start(h, request);
	if (r < 0) {
		(void)strcpy(ret->why, "the helper cannot be started");
		return;
	}
	r = hear(h, request, vl_monotonic_usec() + timeout_usec, ret);
	if (r < 0)
		(void)strcpy(ret->why, reason(r));
}

/* Is it over?  It stays a zombie, so that its number, and its group's, is not given to others. */
static bool helper_over(const struct helper *h, bool *ret_ours)
{
	siginfo_t si = { 0 };

	*ret_ours = true;
	if (waitid(P_PID, (id_t)h->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0)
		return si.si_pid == h->pid;
	*ret_ours = errno == EINTR; /* ECHILD: the host has reaped it */
	return !*ret_ours;
}

static bool wait_until_over(const struct helper *h, uint64_t usec)
{
	const struct timespec step = { 0, STEP_NSEC };
	uint64_t deadline = vl_monotonic_usec() + usec;
	bool ours;

	while (!helper_over(h, &ours) && vl_monotonic_usec() < deadline)
		(void)nanosleep(&step, NULL);
	return ours;
}

void helper_end(struct helper *h)
{
	if (h->fd < 0)
		return;
	closep(&h->fd);
	h->fd = -1;
	if (!wait_until_over(h, h->finished ? GRACE_USEC : 0))
		return;
	/* it leads a session and group of its own: nothing that it has started stays behind */
	(void)kill(-h->pid, SIGKILL);
	if (wait_until_over(h, KILL_USEC))
		(void)waitpid(h->pid, NULL, WNOHANG);
}
