// SPDX-License-Identifier: GPL-2.0-or-later

/* certlogind: the authority.  docs/ARCHITECTURE.md has the picture, certlogind(8) the options. */

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "daemon/authority/api-service.h"
#include "daemon/authority/crl-import.h"
#include "daemon/authority/housekeeping.h"
#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/sessions.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "lib/base/log.h"
#include "lib/base/paths.h"

struct arguments {
	const char *state_dir, *host_key, *host_cert;
	const char *gate_local, *gate_network;
	const char *admin_group, *audit_group, *fetch_user;
	uint64_t idle_exit;
};

struct paths {
	char database[PATH_MAX], ballast[PATH_MAX], generation[PATH_MAX], backup[PATH_MAX],
		key[PATH_MAX];
};

enum { FD_PAM, FD_ADMIN, FD_LINK, FD_MAX_ };
static const char *const fd_names[FD_MAX_] = { "pam", "admin", "link" };

/* --- arguments --- */

enum {
	OPT_STATE_DIR = 256,
	OPT_HOST_KEY,
	OPT_HOST_CERT,
	OPT_GATE_USERS,
	OPT_ADMIN_GROUP,
	OPT_AUDIT_GROUP,
	OPT_FETCH_USER,
	OPT_IDLE_EXIT,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "host-key", required_argument, NULL, OPT_HOST_KEY },
	{ "host-cert", required_argument, NULL, OPT_HOST_CERT },
	{ "gate-users", required_argument, NULL, OPT_GATE_USERS },
	{ "admin-group", required_argument, NULL, OPT_ADMIN_GROUP },
	{ "audit-group", required_argument, NULL, OPT_AUDIT_GROUP },
	{ "fetch-user", required_argument, NULL, OPT_FETCH_USER },
	{ "idle-exit", required_argument, NULL, OPT_IDLE_EXIT },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int set_seconds(uint64_t *ret, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n == 0 || n > INT_MAX)
		return -EINVAL;
	*ret = n * USEC_PER_SEC;
	return 0;
}

static int set_argument(struct arguments *arg, int c)
{
	char *comma;

	switch (c) {
	case OPT_STATE_DIR:
		arg->state_dir = optarg;
		return 0;
	case OPT_HOST_KEY:
		arg->host_key = optarg;
		return 0;
	case OPT_HOST_CERT:
		arg->host_cert = optarg;
		return 0;
	case OPT_GATE_USERS:
		comma = strchr(optarg, ',');
		if (!comma)
			return -EINVAL;
		*comma = '\0';
		arg->gate_local = optarg;
		arg->gate_network = comma + 1;
		return 0;
	case OPT_ADMIN_GROUP:
		arg->admin_group = optarg;
		return 0;
	case OPT_AUDIT_GROUP:
		arg->audit_group = optarg;
		return 0;
	case OPT_FETCH_USER:
		arg->fetch_user = optarg;
		return 0;
	case OPT_IDLE_EXIT:
		return set_seconds(&arg->idle_exit, optarg);
	default:
		return -EINVAL;
	}
}

/* 1: nothing more to do */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	int c;

	*ret = (struct arguments){ .host_cert = PATH_HOST_CERT,
				   .gate_local = USER_GATE_LOCAL,
				   .gate_network = USER_GATE_NETWORK,
				   .admin_group = GROUP_ADMIN,
				   .audit_group = GROUP_AUDIT,
				   .fetch_user = USER_FETCH };
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == OPT_VERSION || c == OPT_HELP) {
			puts(c == OPT_VERSION ? PACKAGE_STRING
					      : "usage: certlogind [OPTION]...; see certlogind(8)");
			return 1;
		}
		if (set_argument(ret, c) < 0)
			return -EINVAL;
	}
	return optind < argc ? -EINVAL : 0;
}

/* --- descriptors --- */

/* systemd's name, or the last part of the path that the socket is bound to. */
static int which_fd(int fd, const char *name)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
	} address = { 0 };
	socklen_t n = sizeof(address);
	const char *base = NULL;

	if (getsockname(fd, &address.any, &n) == 0 && address.any.sa_family == AF_UNIX) {
		base = strrchr(address.un.sun_path, '/');
		base = base ? base + 1 : NULL;
	}
	for (int i = 0; i < FD_MAX_; i++)
		if (strcmp(name, fd_names[i]) == 0 || (base && strcmp(base, fd_names[i]) == 0))
			return i;
	return -ENOENT;
}

static int take_fds(int fds[FD_MAX_])
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < FD_MAX_; i++)
		fds[i] = -1;
	for (int i = 0; i < n; i++) {
		int which = which_fd(SD_LISTEN_FDS_START + i, names[i]);

		if (which >= 0)
			fds[which] = SD_LISTEN_FDS_START + i;
		else
			log_warning("the socket %s is not one of ours", names[i]);
		free(names[i]);
	}
	free(names);
	for (int i = 0; i < FD_MAX_; i++)
		if (fds[i] < 0) {
			log_error(
				"the socket '%s' is missing; is certlogind started by its sockets?",
				fd_names[i]);
			return -ENOTCONN;
		}
	return 0;
}

/* --- users: asked once, here; never again --- */

/* A number is taken as it is. */
static bool read_id(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long id = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || id >= UINT32_MAX)
		return false;
	*ret = (uint32_t)id;
	return true;
}

/* -1, which is nobody: no such user. */
static uid_t user_id(const char *name)
{
	const struct passwd *pw;
	uint32_t id;

	if (read_id(name, &id))
		return id;
	pw = getpwnam(name);
	if (!pw)
		log_warning("there is no user %s", name);
	return pw ? pw->pw_uid : (uid_t)-1;
}

static gid_t group_id(const char *name)
{
	const struct group *gr;
	uint32_t id;

	if (read_id(name, &id))
		return id;
	gr = getgrnam(name);
	return gr ? gr->gr_gid : (gid_t)-1;
}

static int resolve(struct roles *roles, const struct arguments *arg)
{
	roles->gate_local = user_id(arg->gate_local);
	roles->gate_network = user_id(arg->gate_network);
	roles->admin = group_id(arg->admin_group);
	roles->audit = group_id(arg->audit_group);
	roles->prove = user_id(USER_PROVE);
	roles->fetch = user_id(arg->fetch_user);
	if (roles->gate_local == roles->gate_network && roles->gate_local != (uid_t)-1) {
		log_error("the two gates have one uid: nothing would tell where a proof came from");
		return -EINVAL;
	}
	return 0;
}

/* --- the ladder --- */

static int join(char ret[PATH_MAX], const char *dir, const char *name)
{
	return snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int find_paths(const struct arguments *arg, struct paths *ret)
{
	const char *state = arg->state_dir ? arg->state_dir : getenv("STATE_DIRECTORY");
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (!state)
		state = STATEDIR;
	if (join(ret->database, state, "certlogin.db") < 0 ||
	    join(ret->ballast, state, "ballast") < 0 ||
	    join(ret->generation, state, "generation") < 0 ||
	    join(ret->backup, state, "backup") < 0)
		return -ENAMETOOLONG;
	if (arg->host_key || !credentials)
		return snprintf(ret->key, PATH_MAX, "%s",
				arg->host_key ? arg->host_key : PATH_HOST_KEY) >= PATH_MAX
			       ? -ENAMETOOLONG
			       : 0;
	return join(ret->key, credentials, "host.key");
}

static int open_parts(struct authority *a, const struct arguments *arg, const struct paths *paths)
{
	const struct store_options store = { .path = paths->database,
					     .ballast = paths->ballast,
					     .generation = paths->generation,
					     .clock = a->clock,
					     .anchor_time_floor = PACKAGE_DATE * 1000000 };
	const char *why = NULL;
	int r;

	r = signer_load(paths->key, arg->host_cert, &a->signer, &why);
	if (r < 0) {
		log_error("%s (%s)", why, strerror(-r));
		return r;
	}
	r = store_open(&store, &a->store, &why);
	if (r < 0) {
		log_error("%s: %s (%s)", paths->database, why, strerror(-r));
		return r;
	}
	a->backup_dir = paths->backup;
	r = trust_cache_new(LIMIT_CHAIN_CACHE, &a->cache);
	if (r == 0)
		r = logins_new(a, &a->logins);
	if (r == 0)
		r = limits_new(&a->limits);
	if (r == 0)
		r = turn_new(a, &a->turn);
	if (r == 0)
		r = sessions_new(a, &a->sessions);
	if (r == 0)
		r = sessions_settle(a->sessions);
	if (r == 0)
		r = links_new(a, &a->links);
	return r < 0 ? r : authority_trust_changed(a);
}

static int listen_all(struct authority *a, const int fds[FD_MAX_])
{
	const struct vl_server_options service = {
		.event = a->event,
		.interface = &api_service,
		.max_connections = LIMIT_PAM_CONNECTIONS,
		.max_per_uid = LIMIT_PAM_PER_UID,
		.authorize = api_service_authorize,
		.disconnected = api_service_disconnected,
		.userdata = a,
	};
	const struct vl_server_options admin = {
		.event = a->event,
		.interface = &api_admin,
		.max_connections = LIMIT_ADMIN_CONNECTIONS,
		.authorize = api_admin_authorize,
		.disconnected = api_admin_disconnected,
		.userdata = a,
	};
	int r = vl_server_new(&service, &a->service_api);

	if (r == 0)
		r = vl_server_new(&admin, &a->admin_api);
	if (r == 0)
		r = vl_server_listen(a->service_api, fds[FD_PAM]);
	if (r == 0)
		r = vl_server_listen(a->admin_api, fds[FD_ADMIN]);
	return r < 0 ? r : links_listen(a->links, fds[FD_LINK]);
}

/* systemd has dropped what there is to drop; this makes it so for whoever starts us by hand. */
static int lock_down(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int on_hangup(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *si,
		     void *userdata)
{
	(void)sd_notify(0, "RELOADING=1");
	if (authority_trust_changed(userdata) < 0)
		log_error("the anchors cannot be read: nobody is trusted until they can");
	(void)sd_notify(0, "READY=1");
	return 0;
}

static int add_signals(struct authority *a)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	r = sd_event_add_signal(a->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(a->event, NULL, SIGINT, NULL, NULL);
	return r < 0 ? r : sd_event_add_signal(a->event, NULL, SIGHUP, on_hangup, a);
}

static void close_all(struct authority *a)
{
	/* answers that wait for their record still get it */
	turn_free(a->turn);
	crl_import_free(a->crl_import);
	vl_server_free(a->admin_api);
	vl_server_free(a->service_api);
	links_free(a->links);
	sessions_free(a->sessions);
	logins_free(a->logins);
	limits_free(a->limits);
	trust_cache_free(a->cache);
	authority_trust_clear(a);
	store_close(a->store);
	signer_free(a->signer);
	sd_event_unref(a->event);
}

static int serve(struct authority *a)
{
	_cleanup_(housekeeping_freep) struct housekeeping *h = NULL;
	int r = housekeeping_new(a, &h);

	if (r < 0)
		return r;
	(void)sd_event_set_watchdog(a->event, 1);
	(void)sd_notify(0, "READY=1\nSTATUS=ready");
	r = sd_event_loop(a->event);
	(void)sd_notify(0, "STOPPING=1");
	return r;
}

int main(int argc, char **argv)
{
	struct authority a = { .clock = &clock_system };
	struct arguments arg;
	struct paths paths;
	int fds[FD_MAX_], r;

	log_setup("certlogind", LOG_INFO);
	r = parse_arguments(argc, argv, &arg);
	if (r != 0) {
		if (r < 0)
			log_error("usage: certlogind [OPTION]...; see certlogind(8)");
		return r < 0 ? 2 : 0;
	}
	a.idle_exit = arg.idle_exit;
	a.started = clock_realtime(a.clock);
	r = take_fds(fds);
	if (r == 0)
		r = lock_down();
	if (r == 0)
		r = resolve(&a.roles, &arg);
	if (r == 0)
		r = find_paths(&arg, &paths);
	if (r == 0)
		r = sd_event_default(&a.event) < 0 ? -ENOMEM : add_signals(&a);
	if (r >= 0)
		r = open_parts(&a, &arg, &paths);
	if (r == 0)
		r = listen_all(&a, fds);
	if (r == 0)
		r = serve(&a);
	if (r < 0)
		log_error("ending: %s", strerror(-r));
	close_all(&a);
	return r < 0 ? 1 : 0;
}
