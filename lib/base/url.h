/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a URL must look like for certlogin-fetch to ask for it (RFC 3986, and less of it): absolute,
 * http or https, printable ASCII, at most LIMIT_URL octets, a host name or address in plain letters,
 * no user, no password, no fragment.  The choke point for those that administrators give and those
 * that stand in certificates.  Says nothing about where it leads.
 */
bool url_ok(const char *url, const char **ret_why); /* *ret_why: static text for people */

/* How much of a good URL says whom to ask: "http://host:port". */
size_t url_origin(const char *url);

#endif
