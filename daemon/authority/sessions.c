// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>

#include "daemon/authority/turn.h"
#include "lib/base/log.h"

struct watch {
	struct sessions *sessions;
	int64_t id;
	int pidfd;
	sd_event_source *io;
	struct watch *next;
};

struct sessions {
	struct authority *a;
	char boot_id[37];
	struct watch *first;
};

static int read_line(const char *path, char *ret, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

/* Field 22 of /proc/PID/stat, counted after the name, which may contain anything. */
static int start_time(pid_t pid, int64_t *ret)
{
	char path[32], line[1024], *at;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = read_line(path, line, sizeof(line));
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	at = strrchr(line, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, "%" SCNd64, ret) == 1 ? 0 : -EBADMSG;
}

int sessions_new(struct authority *a, struct sessions **ret)
{
	_cleanup_(sessions_freep) struct sessions *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->a = a;
	r = read_line("/proc/sys/kernel/random/boot_id", s->boot_id, sizeof(s->boot_id));
	if (r < 0)
		return r;
	*ret = STEAL(s);
	return 0;
}

static void watch_drop(struct watch *w)
{
	struct watch **at = &w->sessions->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	sd_event_source_disable_unref(w->io);
	closep(&w->pidfd);
	free(w);
}

struct sessions *sessions_free(struct sessions *s)
{
	if (s) {
		while (s->first)
			watch_drop(s->first);
		free(s);
	}
	return NULL;
}

static int end_session(struct sessions *s, int64_t id, const char *ended)
{
	struct session row;
	int r = store_session_get(s->a->store, id, &row);

	if (r == 0)
		r = store_session_close(s->a->store, id, ended);
	if (r < 0)
		return r;
	r = store_event_append(s->a->store,
			       &(struct event){ .kind = "session.close",
						.reason = ended,
						.identity = row.identity,
						.account = row.account_now,
						.service = row.service,
						.login_id = row.login_id,
						.source = "session" },
			       NULL);
	(void)turn_kick(s->a->turn);
	return r;
}

static int on_exit_of_process(_unused_ sd_event_source *source, _unused_ int fd,
			      _unused_ uint32_t events, void *userdata)
{
	struct watch *w = userdata;
	int r = end_session(w->sessions, w->id, "unclosed");

	if (r < 0 && r != -ENOENT)
		log_warning("session %" PRId64 " ended, but this cannot be recorded now: %s", w->id,
			    strerror(-r));
	watch_drop(w);
	return 0;
}

void session_watch(struct sessions *s, int64_t id, pid_t pid)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return; /* settled at the next start */
	*w = (struct watch){
		.sessions = s, .id = id, .pidfd = pidfd_open(pid, 0), .next = s->first
	};
	s->first = w;
	if (w->pidfd < 0 ||
	    sd_event_add_io(s->a->event, &w->io, w->pidfd, EPOLLIN, on_exit_of_process, w) < 0) {
		if (errno == ESRCH)
			(void)end_session(s, id, "unclosed");
		watch_drop(w);
	}
}

int sessions_settle(struct sessions *s)
{
	int64_t after = 0;
	size_t n;

	do {
		_cleanup_(freep) struct session *rows = NULL;
		int r = store_session_list(s->a->store, false, after, LIMIT_LIST_ROWS, &rows, &n);

		for (size_t i = 0; i < n && r == 0; i++) {
			int64_t started = 0;

			after = rows[i].id;
			if (strcmp(rows[i].boot_id, s->boot_id) != 0)
				r = end_session(s, rows[i].id, "reboot");
			else if (start_time((pid_t)rows[i].pid, &started) < 0 ||
				 started != rows[i].start_time)
				r = end_session(s, rows[i].id, "unclosed");
			else
				session_watch(s, rows[i].id, (pid_t)rows[i].pid);
		}
		if (r < 0)
			return r;
	} while (n == LIMIT_LIST_ROWS);
	return 0;
}

int session_open(struct sessions *s, const struct session_request *q, int64_t *ret_id,
		 int64_t *ret_event)
{
	struct session row = { .pid = q->pid };
	struct event e = { .kind = "session.open",
			   .verdict = "allow",
			   .identity = q->identity,
			   .account = q->account_now,
			   .service = q->login->service,
			   .login_id = q->login->id_text,
			   .source = "session",
			   .has_certificate = true };
	int r = start_time(q->pid, &row.start_time);

	if (r < 0)
		return r;
	memcpy(row.login_id, q->login->id_text, sizeof(row.login_id));
	memcpy(row.certificate, q->login->evidence->chain[0]->sha256, SHA256_BYTES);
	memcpy(e.certificate, row.certificate, SHA256_BYTES);
	memcpy(row.account_auth, q->login->account, sizeof(row.account_auth));
	memcpy(row.service, q->login->service, sizeof(row.service));
	memcpy(row.boot_id, s->boot_id, sizeof(row.boot_id));
	(void)snprintf(row.identity, sizeof(row.identity), "%s", q->identity);
	(void)snprintf(row.account_now, sizeof(row.account_now), "%s", q->account_now);
	(void)snprintf(row.tty, sizeof(row.tty), "%s", q->tty ? q->tty : q->login->tty);
	(void)snprintf(row.rhost, sizeof(row.rhost), "%s", q->rhost ? q->rhost : q->login->rhost);
	r = store_session_open(s->a->store, &row, ret_id);
	return r < 0 ? r : store_event_append(s->a->store, &e, ret_event);
}

int session_close(struct sessions *s, int64_t id, const char *ended)
{
	int r = end_session(s, id, ended);

	for (struct watch *w = s->first; r == 0 && w; w = w->next)
		if (w->id == id) {
			watch_drop(w);
			break;
		}
	return r;
}
