/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FETCH_DOWNLOAD_H
#define FETCH_DOWNLOAD_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * One HTTP request after the other (libcurl), into a file without a name.  http and https alone, also
 * where redirects lead; LIMIT_FETCH_REDIRECTS of them; no proxy but the given one, no cookie, no
 * credentials, no netrc.  A server that is slow, or sends more than was asked for, is given up.
 */

#define DOWNLOAD_WHY 256

struct download_options {
	long connect_timeout, job_timeout; /* seconds */
	long stall_timeout;                /* below LIMIT_FETCH_SLOW_BYTES a second for so long */
	const char *proxy;                 /* NULL: none, whatever the environment says */
	bool progress;                     /* on stderr */
};

struct downloader;
int downloader_new(const struct download_options *options, struct downloader **ret);
struct downloader *downloader_free(struct downloader *d);
DEFINE_FREEP(struct downloader, downloader_free);

/* What came: `p` is mapped writable, private to us, and lives until download_free(). */
struct download {
	uint8_t *p;
	size_t n;
	int fd;
};
void download_free(struct download *d);

struct download_request {
	const char *url;
	const struct view *post; /* NULL: GET; else an OCSP request */
	size_t max;              /* octets of the answer */
};

/*
 * 0 with *ret; -EIO with why, in words; -EHOSTUNREACH with why: nobody answered, and whoever else
 * asks there need not try; -ENOMEM.
 */
int download_get(struct downloader *d, const struct download_request *request, struct download *ret,
		 char why[DOWNLOAD_WHY]);

#endif
