/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FETCH_DAEMON_H
#define FETCH_DAEMON_H

#include <jansson.h>
#include <stdbool.h>

#include "fetch/download.h"

/*
 * The authority, by org.certlogin.Admin: what is to be fetched, and where it goes.  It alone verifies
 * and decides.  Each call has a connection of its own, or each import: a failed one leaves nothing.
 *
 * All: 0; -EREMOTEIO: refused, with why in words; other negative errno with why: not reachable.
 */

enum job_kind { JOB_CRL, JOB_OCSP };

struct job { /* text borrowed from the list */
	enum job_kind kind;
	const char *url;
	const char *anchor;      /* "" : not known */
	bool due;
	const char *request;     /* OCSP, base64 DER: what is sent, and what it is about */
	const char *certificate, *issuer;
};

/* All jobs, an array that the caller releases. */
int daemon_jobs(const char *socket, json_t **ret, char why[DOWNLOAD_WHY]);
/* -EBADMSG: a row that this version cannot read. */
int daemon_job_read(const json_t *row, struct job *ret);

/* *ret_entries: how many are revoked in it. */
int daemon_import_crl(const char *socket, const struct job *job, const struct view *der, bool progress,
		      int64_t *ret_entries, char why[DOWNLOAD_WHY]);

/* An answer of the job's responder. */
int daemon_import_ocsp(const char *socket, const struct job *job, const struct view *der,
		       char why[DOWNLOAD_WHY]);

/* error: NULL: it went well. */
int daemon_report(const char *socket, const struct job *job, const char *error, char why[DOWNLOAD_WHY]);

#endif
