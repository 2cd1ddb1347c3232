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

static struct watch *watch_find(struct sessions *s, int64_t id)
{
	struct watch *w = s->first;

	while (w && w->id != id)
		w = w->next;
	return w;
}

/* The row and its event: both or neither. */
static int end_session(struct sessions *s, int64_t id, const char *ended)
{
	struct store *store = s->a->store;
	struct session row;
	int r = store_session_get(store, id, &row);

	if (r == 0)
		r = store_change_begin(store);
	if (r < 0)
		return r;
	r = store_session_close(store, id, ended);
	if (r == 0)
		r = store_event_append(store,
				       &(struct event){ .kind = "session.close",
							.reason = ended,
							.identity = row.identity,
							.account = row.account_now,
							.service = row.service,
							.login_id = row.login_id,
							.source = "session" },
				       NULL);
	r = store_change_end(store, r);
	(void)turn_kick(s->a->turn);
	return r;
}

static int end_gone(struct sessions *s, int64_t id, const char *ended)
{
	int r = end_session(s, id, ended);

	if (r == 0 || r == -ENOENT) /* or it was closed meanwhile */
		return 0;
	log_warning("session %" PRId64 " has ended, but this cannot be recorded now: %s", id,
		    strerror(-r));
	s->a->unsettled = true;
	return r;
}

static int on_exit_of_process(_unused_ sd_event_source *source, _unused_ int fd,
			      _unused_ uint32_t events, void *userdata)
{
	struct watch *w = userdata;

	(void)end_gone(w->sessions, w->id, "unclosed");
	watch_drop(w);
	return 0;
}

/* The descriptor first, then the start time: what has that time now is what the descriptor holds.
 */
static int hold_process(const struct session *row, int *ret_pidfd)
{
	_cleanup_(closep) int fd = pidfd_open((pid_t)row->pid, 0);
	int64_t started;
	int r;

	if (fd < 0)
		return -errno;
	r = start_time((pid_t)row->pid, &started);
	if (r < 0)
		return r;
	if (started != row->start_time)
		return -ESRCH;
	*ret_pidfd = STEAL_FD(fd);
	return 0;
}

static int watch_add(struct sessions *s, const struct session *row)
{
	_cleanup_(closep) int pidfd = -1;
	struct watch *w;
	int r = hold_process(row, &pidfd);

	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct watch){
		.sessions = s, .id = row->id, .pidfd = STEAL_FD(pidfd), .next = s->first
	};
	s->first = w;
	r = sd_event_add_io(s->a->event, &w->io, w->pidfd, EPOLLIN, on_exit_of_process, w);
	if (r < 0)
		watch_drop(w);
	return r < 0 ? r : 0;
}

/* An open row: its process is watched from now on, or it has ended. */
static int settle(struct sessions *s, const struct session *row)
{
	int r;

	if (watch_find(s, row->id))
		return 0;
	if (strcmp(row->boot_id, s->boot_id) != 0)
		return end_gone(s, row->id, "reboot");
	r = watch_add(s, row);
	if (r == -ESRCH)
		return end_gone(s, row->id, "unclosed");
	if (r < 0) { /* nothing is known: not a reason to call it ended */
		log_warning("session %" PRId64 " cannot be watched now: %s", row->id, strerror(-r));
		s->a->unsettled = true;
	}
	return 0;
}

void session_watch(struct sessions *s, int64_t id)
{
	struct session row;

	if (store_session_get(s->a->store, id, &row) < 0 || settle(s, &row) < 0)
		s->a->unsettled = true;
}

int sessions_settle(struct sessions *s)
{
	int64_t after = 0;
	size_t n;

	s->a->unsettled = false;
	do {
		_cleanup_(freep) struct session *rows = NULL;
		int r = store_session_list(s->a->store, false, after, LIMIT_LIST_ROWS, &rows, &n);

		for (size_t i = 0; i < n && r == 0; i++) {
			after = rows[i].id;
			r = settle(s, &rows[i]);
		}
		if (r < 0) {
			s->a->unsettled = true;
			return r;
		}
	} while (n == LIMIT_LIST_ROWS);
	return 0;
}

static void fill_row(const struct sessions *s, const struct session_request *q, struct session *row)
{
	const struct login *login = q->login;

	row->pid = q->pid;
	memcpy(row->login_id, login->id_text, sizeof(row->login_id));
	memcpy(row->certificate, login->evidence->chain[0]->sha256, SHA256_BYTES);
	memcpy(row->account_auth, login->account, sizeof(row->account_auth));
	memcpy(row->service, login->service, sizeof(row->service));
	memcpy(row->boot_id, s->boot_id, sizeof(row->boot_id));
	(void)snprintf(row->identity, sizeof(row->identity), "%s", q->identity);
	(void)snprintf(row->account_now, sizeof(row->account_now), "%s", q->account_now);
	(void)snprintf(row->tty, sizeof(row->tty), "%s", q->tty ? q->tty : login->tty);
	(void)snprintf(row->rhost, sizeof(row->rhost), "%s", q->rhost ? q->rhost : login->rhost);
}

int session_open(struct sessions *s, const struct session_request *q, int64_t *ret_id,
		 int64_t *ret_event)
{
	struct store *store = s->a->store;
	struct session row = { 0 };
	struct event e = { .kind = "session.open",
			   .verdict = "allow",
			   .identity = q->identity,
			   .account = q->account_now,
			   .service = q->login->service,
			   .login_id = q->login->id_text,
			   .source = "session",
			   .has_certificate = true };
	int r = start_time(q->pid, &row.start_time);

	if (r == 0)
		r = store_change_begin(store);
	if (r < 0)
		return r;
	fill_row(s, q, &row);
	memcpy(e.certificate, row.certificate, SHA256_BYTES);
	r = store_session_open(store, &row, ret_id);
	if (r == 0)
		r = store_event_append(store, &e, ret_event);
	return store_change_end(store, r);
}

int session_close(struct sessions *s, int64_t id, const char *ended)
{
	int r = end_session(s, id, ended);
	struct watch *w = watch_find(s, id);

	/* also when it was closed before: there is nothing to watch for */
	if (w && (r == 0 || r == -ENOENT))
		watch_drop(w);
	return r;
}
