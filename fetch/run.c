// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch/run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/daemon.h"
#include "fetch/der.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/log.h"
#include "lib/base/name.h"
#include "lib/base/url.h"

/* --- servers that did not answer --- */

static bool is_dead(const struct run *run, const char *url)
{
	size_t n = url_origin(url);

	for (size_t i = 0; i < run->n_dead; i++)
		if (strlen(run->dead[i]) == n && strncmp(run->dead[i], url, n) == 0)
			return true;
	return false;
}

static void note_dead(struct run *run, const char *url)
{
	char *origin = strndup(url, url_origin(url));
	char **dead = origin ? reallocarray(run->dead, run->n_dead + 1, sizeof(*dead)) : NULL;

	if (!dead) { /* it is asked again, and costs its time again */
		free(origin);
		return;
	}
	run->dead = dead;
	run->dead[run->n_dead++] = origin;
}

void run_deinit(struct run *run)
{
	while (run->n_dead > 0)
		free(run->dead[--run->n_dead]);
	free(run->dead);
	run->dead = NULL;
}

/* --- a job --- */

static int fetch_crl(struct run *run, const struct job *job, char why[DOWNLOAD_WHY])
{
	struct download got = { .fd = -1 };
	int64_t entries = 0;
	size_t n = 0;
	int r = download_get(run->downloader,
			     &(struct download_request){ .url = job->url, .max = LIMIT_CRL_BYTES },
			     &got, why);

	if (r == 0) {
		r = crl_der(got.p, got.n, &n);
		if (r == -EBADMSG)
			(void)snprintf(why, DOWNLOAD_WHY, "the answer is broken PEM");
	}
	if (r == 0)
		r = daemon_import_crl(run->socket, job, &(struct view){ got.p, n }, run->progress,
				      &entries, why);
	if (r == 0)
		log_info("%s: %zu bytes, %" PRId64 " revoked (anchor %s)", job->url, n, entries,
			 *job->anchor ? job->anchor : "any");
	download_free(&got);
	return r;
}

static int fetch_ocsp(struct run *run, const struct job *job, char why[DOWNLOAD_WHY])
{
	_cleanup_(freep) uint8_t *request = NULL;
	struct download got = { .fd = -1 };
	struct view post;
	int r = base64_decode_new(job->request, strlen(job->request), &request, &post.n);

	if (r < 0)
		return r;
	post.p = request;
	r = download_get(run->downloader,
			 &(struct download_request){
				 .url = job->url, .post = &post, .max = LIMIT_FETCH_OCSP_BYTES },
			 &got, why);
	if (r == 0)
		r = daemon_import_ocsp(run->socket, job, &(struct view){ got.p, got.n }, why);
	if (r == 0)
		log_info("%s: OCSP answer, %zu bytes (anchor %s)", job->url, got.n, job->anchor);
	download_free(&got);
	return r;
}

static void run_job(struct run *run, const struct job *job)
{
	char why[DOWNLOAD_WHY] = "", unheard[DOWNLOAD_WHY], shown[LIMIT_URL + 1];
	const char *bad = NULL;
	int r;

	text_clean(job->url, strlen(job->url), shown, sizeof(shown));
	if (!url_ok(job->url, &bad)) {
		(void)snprintf(why, sizeof(why), "not asked for: %s", bad);
		r = -EINVAL;
	} else if (is_dead(run, job->url)) {
		log_notice("%s: put off: its server did not answer", job->url);
		run->skipped++;
		return;
	} else {
		r = job->kind == JOB_CRL ? fetch_crl(run, job, why) : fetch_ocsp(run, job, why);
	}
	if (r == -EHOSTUNREACH)
		note_dead(run, job->url);
	if (r < 0 && !*why)
		(void)snprintf(why, sizeof(why), "%s", strerror(-r));
	if (r < 0)
		log_warning("%s: %s", shown, why);
	if (daemon_report(run->socket, job, r < 0 ? why : NULL, unheard) < 0) {
		log_warning("%s: not recorded: %s", shown, unheard);
		r = -EREMOTEIO;
	}
	if (r < 0)
		run->failed++;
	else
		run->done++;
}

int run_jobs(struct run *run)
{
	_cleanup_(json_decrefp) json_t *jobs = NULL;
	char why[DOWNLOAD_WHY];
	const json_t *row;
	size_t i;
	int r = daemon_jobs(run->socket, &jobs, why);

	if (r < 0) {
		log_error("%s", why);
		return r;
	}
	json_array_foreach(jobs, i, row) {
		struct job job;

		if (daemon_job_read(row, &job) < 0) {
			log_error("a job cannot be read: is certlogind of another version?");
			run->failed++;
		} else if (job.due || run->all) {
			run_job(run, &job);
		}
	}
	return 0;
}
