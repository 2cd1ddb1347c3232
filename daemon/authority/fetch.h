/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_FETCH_H
#define AUTHORITY_FETCH_H

#include "daemon/authority/authority.h"

/*
 * What certlogin-fetch is to get, and when.  Addresses are an administrator's, or stand in the
 * certificate of somebody enrolled, or of an anchor, that leads to an anchor: nobody else's
 * certificate makes this host ask anywhere.
 */

/* Is it time?  Never fetched, or lost, or `due`; not within LIMIT_FETCH_RETRY_USEC of a failure. */
bool fetch_due(const struct source *source, int64_t now);

/* When something valid in this window, fetched now, is to be fetched again: after two thirds of it,
 * and not at once.  next_update 0: there is none. */
int64_t fetch_again(int64_t this_update, int64_t next_update, int64_t now);

/* Setting: are addresses in certificates used?  Yes, where nothing was said. */
int fetch_from_certificates(struct authority *a, bool *ret);
int fetch_set_from_certificates(struct authority *a, bool on);

/* What is to be asked about somebody enrolled; borrowed during the call. */
struct fetch_ocsp {
	const char *url, *anchor;
	const struct cert *cert, *issuer;
	bool due; /* as above: two thirds of the last answer's window, unless that is final */
};
typedef int (*fetch_ocsp_func)(void *userdata, const struct fetch_ocsp *job);

/*
 * Looks at the addresses in LIMIT_FETCH_CERTIFICATES certificates after `after` (NULL: the first,
 * and the anchors), notes those that are new, and tells `found` of each
 * responder of whom an anchor issued.  *ret_more: `ret_next` is where to go on.
 */
int fetch_look(struct authority *a, const uint8_t *after, fetch_ocsp_func found, void *userdata,
	       bool *ret_more, uint8_t ret_next[SHA256_BYTES]);

#endif
