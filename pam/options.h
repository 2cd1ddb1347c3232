/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAM_OPTIONS_H
#define PAM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* The module's arguments in pam.d (pam_certlogin(8)).  Only root writes them. */
struct options {
	bool strict;  /* account, session: deny what did not log in through us */
	bool observe; /* decide and log, say nothing, return PAM_IGNORE */
	bool quiet;   /* prompts only: no messages */
	bool debug;
	bool try_first_pass; /* PAM_AUTHTOK first, if it is a ticket */
	bool use_first_pass; /* PAM_AUTHTOK or nothing: never prompt for a ticket */
	bool stacked;	     /* a password module follows: one prompt for both */
	bool no_helper;
	uint64_t timeout_usec;
	const char *runtime_dir; /* borrowed from argv, as is */
	const char *pkcs11;	 /* lib/base/p11name.h; NULL: none */
};

/* 0, or -EINVAL with *ret_bad, the first argument that is unknown or has a wrong value. */
int options_parse(int argc, const char **argv, struct options *ret, const char **ret_bad);

#endif
