// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/varlink/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/varlink/codec.h"

#define RETRY_USEC (5 * 1000) /* while the listener's queue is full */
#define CHUNK 4096

struct vl_client {
	int fd;		   /* -1: useless since an error */
	uint64_t deadline; /* of the whole client */
};

uint64_t vl_monotonic_usec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t deadline_after(uint64_t usec)
{
	uint64_t now = vl_monotonic_usec();

	return usec > UINT64_MAX - now ? UINT64_MAX : now + usec;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Waits for `events` on fd (-1: for nothing) until the deadline, at most `step`: 0, or -ETIMEDOUT
 * at the deadline.  Signals of the host do not lengthen it. */
static int wait_for(int fd, short events, uint64_t deadline, uint64_t step)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = vl_monotonic_usec(), wait;
	struct timespec ts;

	if (now >= deadline)
		return -ETIMEDOUT;
	wait = earlier(deadline - now, step);
	ts.tv_sec = (time_t)(wait / USEC_PER_SEC);
	ts.tv_nsec = (long)(wait % USEC_PER_SEC * 1000);
	if (ppoll(&p, fd >= 0, &ts, NULL) < 0 && errno != EINTR && errno != EAGAIN)
		return -errno;
	return 0;
}

/* A host with closed stdio would print into our connection: stay clear of 0, 1 and 2. */
static int socket_above_stdio(void)
{
	_cleanup_(closep) int low = -1;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (fd > STDERR_FILENO)
		return fd;
	low = fd;
	fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? -errno : fd;
}

int vl_client_connect(const char *path, uint64_t timeout_usec, struct vl_client **ret)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	uint64_t deadline = deadline_after(timeout_usec);
	_cleanup_(closep) int fd = -1;
	struct vl_client *client;
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket_above_stdio();
	if (fd < 0)
		return fd;
	while (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		/* unix(7): a full queue answers EAGAIN at once, and poll() cannot wait for room */
		r = wait_for(-1, 0, deadline, RETRY_USEC);
		if (r < 0)
			return r;
	}
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->fd = STEAL_FD(fd);
	client->deadline = UINT64_MAX;
	*ret = client;
	return 0;
}

struct vl_client *vl_client_close(struct vl_client *client)
{
	if (client) {
		closep(&client->fd);
		free(client);
	}
	return NULL;
}

int vl_client_fd(const struct vl_client *client)
{
	return client->fd;
}

void vl_client_set_deadline(struct vl_client *client, uint64_t usec)
{
	client->deadline = usec;
}

static int send_all(int fd, const char *p, size_t n, uint64_t deadline)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		int r;

		if (sent >= 0) {
			p += sent;
			n -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline, UINT64_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One chunk: 1 when the message is whole, 0 when more must come. */
static int receive_some(int fd, struct buf *in)
{
	char chunk[CHUNK];
	const char *nul;
	ssize_t n;

	n = recv(fd, chunk, sizeof(chunk), 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	buf_put(in, chunk, (size_t)n);
	if (in->error)
		return in->error;
	if (in->n > LIMIT_VARLINK_BYTES + 1)
		return -EMSGSIZE;
	nul = memchr(chunk, '\0', (size_t)n);
	if (nul) /* one call, one answer: bytes after it are an answer to nothing */
		return nul == chunk + n - 1 ? 1 : -EBADMSG;
	return 0;
}

static int receive_message(int fd, struct buf *in, uint64_t deadline)
{
	int r;

	do {
		r = wait_for(fd, POLLIN, deadline, UINT64_MAX);
		if (r < 0)
			return r;
		r = receive_some(fd, in);
	} while (r == 0);
	return r < 0 ? r : 0;
}

static int exchange(struct vl_client *client, const char *text, size_t n, uint64_t timeout_usec,
		    struct buf *in)
{
	uint64_t deadline = earlier(deadline_after(timeout_usec), client->deadline);
	int r;

	r = send_all(client->fd, text, n, deadline);
	return r < 0 ? r : receive_message(client->fd, in, deadline);
}

int vl_client_call_full(struct vl_client *client, const char *method, json_t *parameters,
			uint64_t timeout_usec, json_t **ret_parameters, char **ret_error,
			json_t **ret_error_parameters)
{
	_cleanup_(buf_deinitp) struct buf in = { 0 };
	json_t *answer = NULL;
	char *text = NULL, *error = NULL;
	size_t n = 0;
	int r;

	r = vl_call_format(method, parameters, &text, &n);
	if (r < 0)
		return r;
	r = client->fd < 0 ? -ENOTCONN : exchange(client, text, n, timeout_usec, &in);
	explicit_bzero(text, n);
	free(text);
	if (r == 0)
		r = vl_reply_parse((const char *)in.p, in.n - 1, &answer, &error);
	if (r < 0) {
		closep(&client->fd);
		client->fd = -1;
		return r;
	}
	*ret_parameters = error ? NULL : answer;
	*ret_error_parameters = error ? answer : NULL;
	*ret_error = error;
	return 0;
}

int vl_client_call(struct vl_client *client, const char *method, json_t *parameters,
		   uint64_t timeout_usec, json_t **ret_parameters, char **ret_error)
{
	json_t *error_parameters = NULL;
	int r;

	r = vl_client_call_full(client, method, parameters, timeout_usec, ret_parameters, ret_error,
				&error_parameters);
	if (r == 0)
		json_decref(error_parameters);
	return r;
}
