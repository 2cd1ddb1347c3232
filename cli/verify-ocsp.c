// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/verify-ocsp.h"

#include <stdio.h>

#include "cli/file.h"
#include "lib/base/name.h"
#include "lib/pki/ocsp.h"

int ocsp_files_read(struct cli *cli, const struct args *args, struct ocsp_files *ret)
{
	for (size_t i = 0; i < args->n_many; i++) {
		int r;

		if (args->many[i].opt != OPT_OCSP)
			continue;
		ret->name[ret->n] = args->many[i].value;
		r = file_read(args->many[i].value, &ret->file[ret->n++]);
		if (r < 0) {
			(void)cli_fail_file(cli, r, "read", args->many[i].value);
			return CLI_USAGE;
		}
	}
	return CLI_YES;
}

void ocsp_files_deinit(struct ocsp_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_deinit(&f->file[i]);
	f->n = 0;
}

static bool add_check(json_t *checks, bool passed, const char *file, const char *text)
{
	char detail[512], clean[512];
	int n = snprintf(detail, sizeof(detail), "%s (%s)", text, file);

	text_clean(detail, n < (int)sizeof(detail) ? (size_t)n : sizeof(detail) - 1, clean,
		   sizeof(clean));
	(void)json_array_append_new(checks,
				    json_pack("{s:s, s:s, s:s}", "check", "ocsp", "result",
					      passed ? "passed" : "failed", "detail", clean));
	return passed;
}

static bool add_answer(json_t *checks, const struct ocsp_answer *a, const struct cert *cert,
		       const char *file)
{
	char subject[128], until[WHEN_TEXT], text[384];

	if (a->fault != OCSP_GOOD)
		return add_check(checks, false, file, ocsp_fault_text(a->fault));
	name_text(&cert->subject, subject, sizeof(subject));
	when_text(a->status == OCSP_STATUS_REVOKED ? a->revoked : a->next_update, true, until);
	switch (a->status) {
	case OCSP_STATUS_GOOD:
		(void)snprintf(text, sizeof(text), "%s: good until %s", subject, until);
		break;
	case OCSP_STATUS_UNKNOWN:
		(void)snprintf(text, sizeof(text), "%s: unknown to the OCSP responder", subject);
		break;
	case OCSP_STATUS_REVOKED:
		(void)snprintf(text, sizeof(text), "%s: revoked at %s, reason %u", subject, until,
			       a->reason);
		break;
	}
	return add_check(checks, a->status == OCSP_STATUS_GOOD, file, text);
}

static bool judge(const struct buf *file, const char *name, const struct cert *const *path,
		  size_t n, int64_t at, json_t *checks, const struct cert **ret_about)
{
	const struct view der = { file->p, file->n };
	struct ocsp_response response;
	struct ocsp_answer a;

	a.fault = ocsp_response_read(&der, &response);
	if (a.fault != OCSP_GOOD)
		return add_check(checks, false, name, ocsp_fault_text(a.fault));
	for (size_t i = 0; i + 1 < n; i++) {
		if (!ocsp_is_about(&response, path[i], path[i + 1]))
			continue;
		if (ocsp_check(&der, path[i], path[i + 1], at, NULL, &a) < 0)
			return add_check(checks, false, name, "out of memory");
		*ret_about = path[i];
		return add_answer(checks, &a, path[i], name);
	}
	return add_check(checks, false, name,
			 "the OCSP response is about no certificate of the path");
}

bool ocsp_files_judge(const struct ocsp_files *f, const struct cert *const *path, size_t n,
		      int64_t at, json_t *checks, const struct cert **ret_good, size_t *ret_n)
{
	bool good = true;

	*ret_n = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct cert *about = NULL;
		bool known = false;

		if (!judge(&f->file[i], f->name[i], path, n, at, checks, &about)) {
			good = false;
			continue;
		}
		for (size_t k = 0; k < *ret_n; k++)
			known |= ret_good[k] == about;
		if (!known)
			ret_good[(*ret_n)++] = about;
	}
	return good;
}
