// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * certlogin-gate: TLS towards strangers.  The ladder: arguments, log, descriptors, gates, sandbox,
 * READY, loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "daemon/gate/gate.h"
#include "daemon/gate/notify.h"
#include "daemon/gate/sandbox.h"
#include "lib/base/log.h"
#include "lib/base/paths.h"

#define THREADS_MAX (LIMIT_LINKS / 2) /* a gate started anew may link before its old links are gone */
#define FDS_RESERVED 64		      /* per thread: loop, timers, link */

struct options {
	const char *link_path;
	unsigned threads;
	uint64_t client_usec;
};

struct worker {
	sd_event *event;
	struct gate *gate;
	pthread_t thread;
	pthread_barrier_t *sealed; /* nobody runs before the sandbox is closed */
	unsigned heartbeats;	   /* at the last look */
	int stop_fd;
	int result;
};

struct program {
	struct options options;
	int listen_fd, stop_fd, notify_fd;
	struct worker workers[THREADS_MAX];
	unsigned n_workers;
	pthread_barrier_t sealed;
	uint64_t watchdog_usec;
};

/* --- arguments --- */

static int parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || n < 1 || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}

/*
 * The authority decides on one thread and spends three quarters of our time on a login: one thread
 * leaves it a core of its own where there are two (and wakes it less often, for more each time), two
 * keep it busy where there are more, and a third would wait for it.
 */
static unsigned default_threads(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 2 ? 2 : 1;
}

static int usage(FILE *f, int status)
{
	(void)fputs("certlogin-gate [--link PATH] [--threads N] [--client-timeout SECONDS]\n"
		    "Takes its listening socket from systemd; see certlogin-gate(8).\n",
		    f);
	return status;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option options[] = {
		{ "link", required_argument, NULL, 'l' },
		{ "threads", required_argument, NULL, 't' },
		{ "client-timeout", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long n;
	int option;

	*ret = (struct options){ PATH_SOCKET_LINK, default_threads(), LIMIT_CLIENT_LOCAL_USEC };
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == 'l') {
			ret->link_path = optarg;
		} else if (option == 't' && parse_number(optarg, THREADS_MAX, &n) == 0) {
			ret->threads = (unsigned)n;
		} else if (option == 'c' &&
			   parse_number(optarg, LIMIT_CLIENT_LOCAL_USEC / USEC_PER_SEC, &n) == 0) {
			ret->client_usec = n * USEC_PER_SEC;
		} else {
			return usage(stderr, 2);
		}
	}
	return optind == argc ? -1 : usage(stderr, 2);
}

/* --- descriptors --- */

/* The socket named "gate", or the only one. */
static int take_listener(void)
{
	char **names = NULL;
	int n, fd = -EBADF, flags;

	n = sd_listen_fds_with_names(1, &names);
	for (int i = 0; i < n; i++) {
		if (n == 1 || strcmp(names[i], "gate") == 0)
			fd = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	if (n < 0)
		return n;
	if (fd < 0 || sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return -EBADF;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return fd;
}

/* Connections a thread may have, by the descriptors that we may have. */
static size_t connections_per_thread(unsigned threads)
{
	struct rlimit limit;
	size_t n;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FDS_RESERVED;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	n = limit.rlim_cur / threads;
	if (n < 2 * FDS_RESERVED)
		return FDS_RESERVED;
	return n - FDS_RESERVED < LIMIT_GATE_CONNECTIONS ? n - FDS_RESERVED
							 : LIMIT_GATE_CONNECTIONS;
}

/* --- threads --- */

static int on_stop_fd(sd_event_source *s, _unused_ int fd, _unused_ uint32_t events, void *userdata)
{
	gate_stop(userdata);
	return sd_event_source_set_enabled(s,
					   SD_EVENT_OFF); /* nobody reads it: all are to see it */
}

/* sd-event reads the boot id when its first timer is armed: that must be before the sandbox. */
static int warm_up(sd_event *event)
{
	sd_event_source *timer = NULL;
	int r = sd_event_add_time_relative(event, &timer, CLOCK_MONOTONIC, 3600 * USEC_PER_SEC, 0,
					   NULL, NULL);

	if (r >= 0)
		r = sd_event_run(event, 0);
	sd_event_source_disable_unref(timer);
	return r;
}

static int worker_init(struct worker *w, struct program *p)
{
	struct gate_options options = {
		.listen_fd = p->listen_fd,
		.link_path = p->options.link_path,
		.limits = GATE_LIMITS_DEFAULT,
	};
	int r;

	options.limits.client_usec = p->options.client_usec;
	options.limits.connections = connections_per_thread(p->options.threads);
	w->stop_fd = p->stop_fd;
	w->sealed = &p->sealed;
	r = sd_event_new(&w->event);
	if (r >= 0)
		r = warm_up(w->event);
	if (r < 0)
		return r;
	options.event = w->event;
	r = gate_new(&options, &w->gate);
	if (r >= 0)
		r = sd_event_add_io(w->event, NULL, p->stop_fd, EPOLLIN, on_stop_fd, w->gate);
	if (r >= 0 && p->watchdog_usec > 0)
		r = gate_set_heartbeat(w->gate, p->watchdog_usec / 4);
	return r;
}

static void stop_all(int stop_fd)
{
	const uint64_t one = 1;

	if (write(stop_fd, &one, sizeof(one)) < 0)
		log_error("cannot stop: %s", strerror(errno));
}

static void *worker_run(void *userdata)
{
	struct worker *w = userdata;

	(void)pthread_barrier_wait(w->sealed);
	w->result = sd_event_loop(w->event);
	if (w->result < 0)
		stop_all(w->stop_fd); /* all end, and systemd starts us again */
	return NULL;
}

static void worker_deinit(struct worker *w)
{
	gate_free(w->gate);
	sd_event_unref(w->event);
}

/* --- the first thread's own events --- */

static int on_signal(_unused_ sd_event_source *s, _unused_ const struct signalfd_siginfo *si,
		     void *userdata)
{
	const struct program *p = userdata;

	notify_send(p->notify_fd, "STOPPING=1\nSTATUS=Finishing what is in flight");
	stop_all(p->stop_fd);
	return 0;
}

/* Alive are we when every thread's loop has turned since the last time. */
static int on_watchdog(sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct program *p = userdata;
	bool alive = true;

	for (unsigned i = 0; i < p->n_workers; i++) {
		unsigned beats = gate_heartbeats(p->workers[i].gate);

		alive = alive && beats != p->workers[i].heartbeats;
		p->workers[i].heartbeats = beats;
	}
	if (alive)
		notify_send(p->notify_fd, "WATCHDOG=1");
	(void)sd_event_source_set_time_relative(s, p->watchdog_usec / 2);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static int watch_signals(struct program *p)
{
	sd_event *event = p->workers[0].event;
	int r;

	r = sd_event_add_signal(event, NULL, SIGTERM, on_signal, p);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, on_signal, p);
	if (r >= 0 && p->watchdog_usec > 0)
		r = sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, p->watchdog_usec / 2,
					       0, on_watchdog, p);
	return r;
}

/* --- the ladder --- */

static void block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int open_all(struct program *p)
{
	int r;

	p->listen_fd = take_listener();
	if (p->listen_fd < 0)
		return p->listen_fd;
	p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->stop_fd < 0)
		return -errno;
	p->notify_fd = notify_open();
	if (sd_watchdog_enabled(0, &p->watchdog_usec) <= 0)
		p->watchdog_usec = 0;
	for (p->n_workers = 0; p->n_workers < p->options.threads; p->n_workers++) {
		r = worker_init(&p->workers[p->n_workers], p);
		if (r < 0)
			return r;
	}
	return watch_signals(p);
}

/*
 * Threads begin between the two halves of the sandbox: the first is inherited, the second reaches
 * all.  The barrier holds them until then.
 */
static int start_sealed(struct program *p)
{
	int r, abi;

	json_object_seed(0); /* jansson would open /dev/urandom at its first object */
	r = sandbox_restrict(&abi);
	if (r < 0)
		return r;
	if (abi == 0)
		log_notice("this kernel has no Landlock; seccomp alone keeps files away");
	r = pthread_barrier_init(&p->sealed, NULL, p->n_workers);
	for (unsigned i = 1; r == 0 && i < p->n_workers; i++)
		r = pthread_create(&p->workers[i].thread, NULL, worker_run, &p->workers[i]);
	return r ? -r : sandbox_seal();
}

static int run(struct program *p)
{
	int r;

	notify_send(p->notify_fd, "READY=1\nSTATUS=Taking connections");
	(void)worker_run(&p->workers[0]);
	r = p->workers[0].result;
	for (unsigned i = 1; i < p->n_workers; i++) {
		(void)pthread_join(p->workers[i].thread, NULL);
		r = r < 0 ? r : p->workers[i].result;
	}
	for (unsigned i = 0; i < p->n_workers; i++)
		worker_deinit(&p->workers[i]);
	return r;
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	int r;

	r = parse_options(argc, argv, &p.options);
	if (r >= 0)
		return r;
	log_setup("certlogin-gate", LOG_INFO);
	block_signals();
	r = open_all(&p);
	if (r < 0) {
		log_error("cannot start: %s",
			  r == -EBADF ? "no listening socket from systemd" : strerror(-r));
		return EXIT_FAILURE;
	}
	r = start_sealed(&p);
	if (r < 0) {
		log_error("cannot close the sandbox: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	r = run(&p);
	if (r < 0)
		log_error("event loop: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
