// SPDX-License-Identifier: GPL-2.0-or-later

/* certlogin-fetch(8): gets revocation lists, and hands them to certlogind.  No login waits for it.
 */

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fetch/run.h"
#include "lib/base/limits.h"
#include "lib/base/log.h"
#include "lib/base/paths.h"

struct arguments {
	const char *user;
	const char *runtime_dir;
	bool all;
	struct download_options download;
};

enum {
	OPT_ALL = 256,
	OPT_CONNECT_TIMEOUT,
	OPT_JOB_TIMEOUT,
	OPT_STALL_TIMEOUT,
	OPT_PROXY,
	OPT_RUNTIME_DIR,
	OPT_USER,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "connect-timeout", required_argument, NULL, OPT_CONNECT_TIMEOUT },
	{ "job-timeout", required_argument, NULL, OPT_JOB_TIMEOUT },
	{ "stall-timeout", required_argument, NULL, OPT_STALL_TIMEOUT },
	{ "proxy", required_argument, NULL, OPT_PROXY },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
	{ "user", required_argument, NULL, OPT_USER },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

/* Shorter than the limit, never longer. */
static int set_seconds(long *ret, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > *ret)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int set_argument(struct arguments *arg, int c)
{
	switch (c) {
	case OPT_ALL:
		arg->all = true;
		return 0;
	case OPT_CONNECT_TIMEOUT:
		return set_seconds(&arg->download.connect_timeout, optarg);
	case OPT_JOB_TIMEOUT:
		return set_seconds(&arg->download.job_timeout, optarg);
	case OPT_STALL_TIMEOUT:
		return set_seconds(&arg->download.stall_timeout, optarg);
	case OPT_PROXY:
		arg->download.proxy = optarg;
		return 0;
	case OPT_RUNTIME_DIR:
		arg->runtime_dir = optarg;
		return 0;
	case OPT_USER:
		arg->user = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

/* 1: nothing more to do */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	int c;

	*ret = (struct arguments){ .user = USER_FETCH,
				   .runtime_dir = RUNTIMEDIR,
				   .download = { .connect_timeout = LIMIT_FETCH_CONNECT_SEC,
						 .job_timeout = LIMIT_FETCH_JOB_SEC,
						 .stall_timeout = LIMIT_FETCH_SLOW_SEC,
						 .progress = isatty(STDERR_FILENO) } };
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == OPT_VERSION || c == OPT_HELP) {
			puts(c == OPT_VERSION ? PACKAGE_STRING
					      : "usage: certlogin-fetch [OPTION]...; see "
						"certlogin-fetch(8)");
			return 1;
		}
		if (set_argument(ret, c) < 0)
			return -EINVAL;
	}
	return optind < argc ? -EINVAL : 0;
}

/* Started by root by hand: what strangers send is read by nobody else than under systemd. */
static int drop(const char *user)
{
	const struct passwd *pw;
	const struct group *gr;
	gid_t gid, groups[1];
	uid_t uid;

	if (geteuid() != 0)
		return 0;
	pw = getpwnam(user);
	if (!pw || pw->pw_uid == 0) {
		log_error("there is no user %s to become (systemd-sysusers makes it)", user);
		return -ESRCH;
	}
	uid = pw->pw_uid;
	gid = pw->pw_gid;
	gr = getgrnam(GROUP_AUDIT);
	groups[0] = gr ? gr->gr_gid : gid;
	if (setgroups(1, groups) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return -errno;
	return 0;
}

static int lock_down(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return 0;
}

static int fetch(const struct arguments *arg)
{
	_cleanup_(downloader_freep) struct downloader *downloader = NULL;
	struct run run = { .all = arg->all, .progress = arg->download.progress };
	char socket[512];
	int r = downloader_new(&arg->download, &downloader);

	if (r < 0) {
		log_error("libcurl cannot be set up: %s", strerror(-r));
		return r;
	}
	(void)snprintf(socket, sizeof(socket), "%s/admin", arg->runtime_dir);
	run.socket = socket;
	run.downloader = downloader;
	r = run_jobs(&run);
	if (r == 0 && run.done + run.failed + run.skipped == 0)
		log_info("nothing is due");
	run_deinit(&run);
	return r < 0 ? r : run.failed + run.skipped > 0 ? -EIO : 0;
}

int main(int argc, char **argv)
{
	struct arguments arg;
	int r;

	log_setup("certlogin-fetch", LOG_INFO);
	r = parse_arguments(argc, argv, &arg);
	if (r != 0) {
		if (r < 0)
			log_error("usage: certlogin-fetch [OPTION]...; see certlogin-fetch(8)");
		return r < 0 ? 2 : 0;
	}
	r = drop(arg.user);
	if (r == 0)
		r = lock_down();
	if (r == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		r = -EINVAL;
	if (r == 0)
		r = fetch(&arg);
	curl_global_cleanup();
	return r < 0 ? 1 : 0;
}
