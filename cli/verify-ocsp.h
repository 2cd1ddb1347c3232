/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_VERIFY_OCSP_H
#define CLI_VERIFY_OCSP_H

#include "cli/verb.h"
#include "lib/pki/cert.h"

/* certlogin verify --ocsp: responses in files (DER), each about a certificate of the path. */
struct ocsp_files {
	struct buf file[ARGS_MANY];
	const char *name[ARGS_MANY];
	size_t n;
};

/* CLI_YES, or what was said about a file that cannot be read. */
int ocsp_files_read(struct cli *cli, const struct args *args, struct ocsp_files *ret);
void ocsp_files_deinit(struct ocsp_files *f);

/*
 * Judges each response at `at` against the path, leaf first, anchor last; adds a check "ocsp" for each
 * to `checks`.  False when one cannot be used, is about none of them, or says anything but good.
 * ret_good, room for n: those that are good.
 */
bool ocsp_files_judge(const struct ocsp_files *f, const struct cert *const *path, size_t n, int64_t at,
		      json_t *checks, const struct cert **ret_good, size_t *ret_n);

#endif
