// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/varlink/client.h"

#define INTERFACE "org.certlogin.Admin."
#define CALL_TIMEOUT (30 * USEC_PER_SEC)

/* --- calls --- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

static void say_refused(const char *error, const json_t *p, char why[DOWNLOAD_WHY])
{
	const char *reason = text_of(p, "why"), *what = text_of(p, "what");
	char text[DOWNLOAD_WHY];

	if (strcmp(error, INTERFACE "InvalidValue") == 0 || strcmp(error, INTERFACE "Refused") == 0)
		(void)snprintf(text, sizeof(text), "refused: %s", reason);
	else if (strcmp(error, INTERFACE "InUse") == 0)
		(void)snprintf(text, sizeof(text), "the authority is busy with another %s", what);
	else if (strcmp(error, INTERFACE "NotFound") == 0)
		(void)snprintf(text, sizeof(text), "the authority knows no such %s", what);
	else if (strcmp(error, "org.varlink.service.PermissionDenied") == 0)
		(void)snprintf(text, sizeof(text), "the authority does not let this user fetch");
	else
		(void)snprintf(text, sizeof(text), "the authority answered %s", error);
	text_clean(text, strlen(text), why, DOWNLOAD_WHY);
}

/* Takes p.  ret may be NULL. */
static int call_on(struct vl_client *client, const char *method, json_t *p, json_t **ret,
		   char why[DOWNLOAD_WHY])
{
	_cleanup_(json_decrefp) json_t *reply = NULL, *error_parameters = NULL;
	_cleanup_(freep) char *error = NULL;
	char name[64];
	int r = -ENOMEM;

	(void)snprintf(name, sizeof(name), INTERFACE "%s", method);
	if (p)
		r = vl_client_call_full(client, name, p,
					strcmp(method, "ApplyCrl") == 0 ? LIMIT_FETCH_IMPORT_USEC
									: CALL_TIMEOUT,
					&reply, &error, &error_parameters);
	if (r < 0) {
		(void)snprintf(why, DOWNLOAD_WHY, "certlogind does not answer: %s", strerror(-r));
		return r;
	}
	if (error) {
		say_refused(error, error_parameters, why);
		return -EREMOTEIO;
	}
	if (ret)
		*ret = STEAL(reply);
	return 0;
}

static int open_client(const char *socket, struct vl_client **ret, char why[DOWNLOAD_WHY])
{
	int r = vl_client_connect(socket, CALL_TIMEOUT, ret);

	if (r < 0)
		(void)snprintf(why, DOWNLOAD_WHY, "cannot reach certlogind at %s: %s", socket,
			       strerror(-r));
	return r;
}

/* --- jobs --- */

int daemon_jobs(const char *socket, json_t **ret, char why[DOWNLOAD_WHY])
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	_cleanup_(json_decrefp) json_t *all = json_array(), *after = NULL;
	int r = open_client(socket, &client, why);

	do {
		_cleanup_(json_decrefp) json_t *reply = NULL;

		if (r == 0)
			r = call_on(client, "ListFetchJobs", json_pack("{s:O?}", "after", after),
				    &reply, why);
		if (r < 0)
			return r;
		if (json_array_extend(all, json_object_get(reply, "jobs")) < 0) {
			(void)snprintf(why, DOWNLOAD_WHY, "the answer has no jobs");
			return -EBADMSG;
		}
		json_decref(after);
		after = json_incref(json_object_get(reply, "next"));
	} while (json_is_string(after));
	*ret = STEAL(all);
	return 0;
}

int daemon_job_read(const json_t *row, struct job *ret)
{
	const char *kind = text_of(row, "kind");

	*ret = (struct job){ .kind = strcmp(kind, "ocsp") == 0 ? JOB_OCSP : JOB_CRL,
			     .url = text_of(row, "url"),
			     .anchor = text_of(row, "anchor"),
			     .due = json_is_true(json_object_get(row, "due")),
			     .request = text_of(row, "request"),
			     .certificate = text_of(row, "certificate"),
			     .issuer = text_of(row, "issuer") };
	if (ret->kind == JOB_CRL && strcmp(kind, "crl") != 0)
		return -EBADMSG;
	return *ret->url && (ret->kind == JOB_CRL ||
			     (*ret->request && *ret->certificate && *ret->issuer))
		       ? 0
		       : -EBADMSG;
}

/* --- results --- */

static int send_pieces(struct vl_client *client, json_int_t import, const struct view *der,
		       char why[DOWNLOAD_WHY])
{
	for (size_t at = 0, piece; at < der->n; at += piece) {
		_cleanup_(freep) char *data = NULL;
		int r;

		piece = der->n - at < LIMIT_CRL_PIECE ? der->n - at : LIMIT_CRL_PIECE;
		data = base64_encode_new(der->p + at, piece);
		r = call_on(client, "PutCrl",
			    data ? json_pack("{s:I, s:s}", "import", import, "data", data) : NULL,
			    NULL, why);
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply(struct vl_client *client, json_int_t import, bool progress, int64_t *ret_entries,
		 char why[DOWNLOAD_WHY])
{
	for (;;) {
		_cleanup_(json_decrefp) json_t *reply = NULL;
		int r = call_on(client, "ApplyCrl", json_pack("{s:I}", "import", import), &reply,
				why);

		if (r < 0)
			return r;
		*ret_entries = json_integer_value(json_object_get(reply, "rows"));
		if (json_is_true(json_object_get(reply, "done")))
			return 0;
		if (progress)
			(void)fprintf(stderr, "\r%lld entries\033[K", (long long)*ret_entries);
	}
}

int daemon_import_crl(const char *socket, const struct job *job, const struct view *der,
		      bool progress, int64_t *ret_entries, char why[DOWNLOAD_WHY])
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	_cleanup_(json_decrefp) json_t *reply = NULL;
	json_int_t import;
	int r = open_client(socket, &client, why);

	if (r == 0)
		r = call_on(client, "BeginCrl",
			    json_pack("{s:I, s:s, s:s?}", "bytes", (json_int_t)der->n, "source",
				      job->url, "anchor", *job->anchor ? job->anchor : NULL),
			    &reply, why);
	import = json_integer_value(json_object_get(reply, "import"));
	if (r == 0)
		r = send_pieces(client, import, der, why);
	if (r == 0)
		r = apply(client, import, progress, ret_entries, why);
	if (progress)
		(void)fputs("\r\033[K", stderr);
	return r;
}

int daemon_import_ocsp(const char *socket, const struct job *job, const struct view *der,
		       char why[DOWNLOAD_WHY])
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	_cleanup_(freep) char *response = base64_encode_new(der->p, der->n);
	int r = open_client(socket, &client, why);

	return r < 0 ? r
		     : call_on(client, "ImportOcsp",
			       response ? json_pack("{s:s, s:s, s:s, s:s}", "response", response,
						    "certificate", job->certificate, "issuer",
						    job->issuer, "source", job->url)
					: NULL,
			       NULL, why);
}

int daemon_report(const char *socket, const struct job *job, const char *error,
		  char why[DOWNLOAD_WHY])
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	int r = open_client(socket, &client, why);

	return r < 0 ? r
		     : call_on(client, "ReportFetch",
			       json_pack("{s:s, s:s, s:s?}", "kind",
					 job->kind == JOB_CRL ? "crl" : "ocsp", "url", job->url,
					 "error", error),
			       NULL, why);
}
