// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/limits.h"
#include "lib/base/name.h"

struct downloader {
	CURL *curl;
	struct curl_slist *ocsp; /* headers */
	bool progress;
	char error[CURL_ERROR_SIZE];

	/* of the request under way */
	const char *url;
	int fd;
	size_t n, max;
	bool too_large;
	int write_errno;
};

/* --- curl's callbacks --- */

static size_t on_data(char *p, size_t size, size_t n, void *userdata)
{
	struct downloader *d = userdata;

	n *= size;
	if (n > d->max - d->n) {
		d->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	for (size_t done = 0; done < n;) {
		ssize_t r = write(d->fd, p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			d->write_errno = errno;
			return CURL_WRITEFUNC_ERROR;
		}
		done += (size_t)r;
	}
	d->n += n;
	if (d->progress)
		(void)fprintf(stderr, "\r%s: %zu bytes\033[K", d->url, d->n);
	return n;
}

/* --- one for all requests: connections are used again --- */

struct downloader *downloader_free(struct downloader *d)
{
	if (d) {
		curl_easy_cleanup(d->curl);
		curl_slist_free_all(d->ocsp);
		free(d);
	}
	return NULL;
}

static int set_rules(struct downloader *d, const struct download_options *o)
{
	CURL *c = d->curl;
	CURLcode r = CURLE_OK;

#define SET(option, value) r = r == CURLE_OK ? curl_easy_setopt(c, option, value) : r
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)LIMIT_FETCH_REDIRECTS);
	SET(CURLOPT_POSTREDIR, (long)CURL_REDIR_POST_ALL);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_PROXY, o->proxy ? o->proxy : ""); /* "": the environment is not asked */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT, o->connect_timeout);
	SET(CURLOPT_TIMEOUT, o->job_timeout);
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)LIMIT_FETCH_SLOW_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, o->stall_timeout);
	SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_data);
	SET(CURLOPT_WRITEDATA, d);
	SET(CURLOPT_ERRORBUFFER, d->error);
#undef SET
	return r == CURLE_OK ? 0 : -EINVAL;
}

int downloader_new(const struct download_options *options, struct downloader **ret)
{
	_cleanup_(downloader_freep) struct downloader *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->progress = options->progress;
	d->curl = curl_easy_init();
	d->ocsp = curl_slist_append(NULL, "Content-Type: application/ocsp-request");
	if (!d->curl || !d->ocsp ||
	    !curl_slist_append(d->ocsp, "Accept: application/ocsp-response"))
		return -ENOMEM;
	r = set_rules(d, options);
	if (r == 0)
		*ret = STEAL(d);
	return r;
}

/* --- a request --- */

void download_free(struct download *d)
{
	if (d->p)
		(void)munmap(d->p, d->n);
	if (d->fd >= 0)
		(void)close(d->fd);
	*d = (struct download){ .fd = -1 };
}

static void prepare(struct downloader *d, const struct download_request *q)
{
	(void)curl_easy_setopt(d->curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)q->max);
	if (q->post) {
		(void)curl_easy_setopt(d->curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(d->curl, CURLOPT_POSTFIELDSIZE, (long)q->post->n);
		(void)curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS, q->post->p);
	} else {
		(void)curl_easy_setopt(d->curl, CURLOPT_HTTPGET, 1L);
	}
	(void)curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, q->post ? d->ocsp : NULL);
	*d->error = '\0';
	d->url = q->url;
	d->n = 0;
	d->max = q->max;
	d->too_large = false;
	d->write_errno = 0;
}

static int explain(struct downloader *d, CURLcode code, char why[DOWNLOAD_WHY])
{
	const char *text = *d->error ? d->error : curl_easy_strerror(code);

	if (d->too_large || code == CURLE_FILESIZE_EXCEEDED)
		(void)snprintf(why, DOWNLOAD_WHY, "the answer has more than %zu bytes", d->max);
	else if (d->write_errno)
		(void)snprintf(why, DOWNLOAD_WHY, "no room for the answer: %s",
			       strerror(d->write_errno));
	else if (code == CURLE_TOO_MANY_REDIRECTS)
		(void)snprintf(why, DOWNLOAD_WHY, "more than %d redirects", LIMIT_FETCH_REDIRECTS);
	else if (code == CURLE_UNSUPPORTED_PROTOCOL)
		(void)snprintf(why, DOWNLOAD_WHY,
			       "redirected to what is neither http nor https: %s", text);
	else /* parts of it may be the server's words */
		text_clean(text, strlen(text), why, DOWNLOAD_WHY);
	if (code == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
	    code == CURLE_OPERATION_TIMEDOUT)
		return -EHOSTUNREACH;
	return -EIO;
}

static int map(struct download *ret, char why[DOWNLOAD_WHY])
{
	if (ret->n == 0) {
		(void)snprintf(why, DOWNLOAD_WHY, "the answer is empty");
		return -EIO;
	}
	ret->p = mmap(NULL, ret->n, PROT_READ | PROT_WRITE, MAP_SHARED, ret->fd, 0);
	if (ret->p != MAP_FAILED)
		return 0;
	ret->p = NULL;
	return -ENOMEM;
}

int download_get(struct downloader *d, const struct download_request *request, struct download *ret,
		 char why[DOWNLOAD_WHY])
{
	struct download got = { .fd = memfd_create("download", MFD_CLOEXEC) };
	CURLcode code;
	int r;

	if (got.fd < 0)
		return -errno;
	d->fd = got.fd;
	prepare(d, request);
	code = curl_easy_setopt(d->curl, CURLOPT_URL, request->url);
	if (code == CURLE_OK)
		code = curl_easy_perform(d->curl);
	if (d->progress)
		(void)fputs("\r\033[K", stderr);
	got.n = d->n;
	r = code == CURLE_OK ? map(&got, why) : explain(d, code, why);
	if (r < 0)
		download_free(&got);
	else
		*ret = got;
	return r;
}
