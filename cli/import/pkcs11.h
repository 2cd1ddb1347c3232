/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_PKCS11_H
#define CLI_IMPORT_PKCS11_H

#include "cli/import/plan.h"
#include "lib/base/buf.h"

/*
 * pam_pkcs11.conf(5) with its map files.  Mappers in the order of use_mappers:
 *
 *   digest            enrolls, of the given certificates, those whose hash is in the map
 *   subject, cn, mail rules, for what the map says; cn without a map yields the common name
 *   ms                a rule for the domain that it demands
 *   generic           as subject, cn, mail, where it does what they do
 *   opensc, openssh   enroll what the users' own files name
 *   others            cannot be carried over
 *
 * A mapper with an option that is not known here is left out: it may narrow.  So are the lines of a
 * map behind a regular expression, which would have won over them.
 */

struct import_file {
	char path[1024];
	const char *login;          /* whose it is; borrowed from the giver */
	struct buf text;            /* with a NUL behind it that is not counted */
};

/* The files that the configuration leads to. */
struct import_files {
	/* A map file; 0 or negative errno. */
	int (*map)(void *userdata, const char *path, struct import_file *ret);
	/*
	 * `name` in the home directory of user number i.  -ENOENT: there is none; -ENODATA: there are no
	 * more users; another error, with login and path set: it is there, and must not be used.
	 */
	int (*home)(void *userdata, size_t i, const char *name, struct import_file *ret);
	void *userdata;
};

void import_pam_pkcs11(struct plan *p, const char *file, const char *text, size_t n,
		       const struct import_files *files);

#endif
