/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FETCH_RUN_H
#define FETCH_RUN_H

#include "fetch/download.h"

/*
 * One run: asks the authority what is due, fetches it, hands it over, tells how it went; a line for
 * each job.  One after the other: a job takes LIMIT_FETCH_JOB_SEC at most, a server that does not
 * answer costs its time once in a run, and the authority lists first what was tried longest ago.
 */
struct run {
	const char *socket;   /* of org.certlogin.Admin */
	bool all;             /* what is not due as well */
	bool progress;
	struct downloader *downloader;

	size_t done, failed, skipped;
	char **dead;          /* origins that did not answer */
	size_t n_dead;
};

/* 0, whatever became of the jobs; negative errno, logged: there was no list of them. */
int run_jobs(struct run *run);
void run_deinit(struct run *run);

#endif
