/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_PKITS_EXCEPTIONS_H
#define TESTS_UNIT_PKITS_EXCEPTIONS_H

/* Where we are of another opinion than NIST PKITS, and why. */
static const struct pkits_exception {
	const char *number, *reason;
} pkits_exceptions[] = {
	{ "4.1.4", "DSA" },
	{ "4.1.5", "DSA" },
};

#endif
