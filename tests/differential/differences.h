/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_DIFFERENTIAL_DIFFERENCES_H
#define TESTS_DIFFERENTIAL_DIFFERENCES_H

#include <openssl/x509_vfy.h>

#include "lib/pki/path.h"
#include "tests/differential/chain.h"

/*
 * Where path_build() and OpenSSL's verifier may differ, and why.  Of a chain that we refuse and it
 * accepts, our fault must stand here; of one that we accept and it refuses, each of its errors.
 */

#define OURS_LEAF 100 /* + enum leaf_fault; below it enum path_fault */
enum { OURS_TIME = 200, OURS_UNREAD };

#define ANY N_MUTATIONS

#define CONFORMING "a duty of who issues; 6.1 does not ask it of a path"
#define KEY_IDS "4.2.1.1, 4.2.1.2: key identifiers help to build a path, and never make or break one"
#define LOOKS_SELF_SIGNED                                                                          \
	"a self-issued CA (3.2) is no root: the anchor's signature over it was verified"
#define CA_ANY_EKU "anyExtendedKeyUsage in a CA excludes no purpose (4.2.1.12)"
#define FLOOR "P-521 is not among the keys that we take"
#define ONE_EACH "no extension, no policy twice (4.2, 4.2.1.4), none empty: read as no certificate"
#define NOT_CRITICAL "4.2.1.10, 4.2.1.11, 4.2.1.14: a constraint must be critical, and in no leaf"
#define SERIALS "4.1.2.2: positive, at most 20 octets"
#define NO_NAME "4.1.2.6: without a subject there is a SAN, and it is critical"
#define PERSON "a CA's certificate, or one with keyCertSign, is no person's"

static const struct difference {
	int ours;	     /* PATH_GOOD: we accept */
	int openssl;	     /* X509_V_OK: it accepts */
	enum mutation needs; /* what was done to the chain, maybe beside others; ANY */
	const char *reason;
} differences[] = {
	/* we refuse, OpenSSL accepts */
	{ PATH_MALFORMED, X509_V_OK, M_SUPERFLUOUS, "more than LIMIT_CHAIN_CERTS are sent" },
	{ PATH_MALFORMED, X509_V_OK, M_CROSS, "more than LIMIT_CHAIN_CERTS are sent" },
	{ PATH_NO_ANCHOR, X509_V_OK, M_DUPLICATE, ONE_EACH },
	{ PATH_NO_ANCHOR, X509_V_OK, M_POLICIES, ONE_EACH },
	{ PATH_NO_ANCHOR, X509_V_OK, M_POLICY_NEED, ONE_EACH },
	{ OURS_UNREAD, X509_V_OK, M_DUPLICATE, ONE_EACH },
	{ OURS_UNREAD, X509_V_OK, M_VERSION, "4.1.2.9: extensions are of version 3 alone" },
	{ OURS_UNREAD, X509_V_OK, M_SAN_ODD, "4.2.1.6: a SAN has at least one name" },
	{ PATH_NO_ANCHOR, X509_V_OK, M_LEAF_ANCHOR, "an anchor vouches for others, not for itself" },
	{ PATH_NOT_CA, X509_V_OK, M_LEAF_ANCHOR, "an anchor vouches for others, not for itself" },
	{ PATH_CA_KEY_USAGE, X509_V_OK, M_LEAF_ANCHOR,
	  "an anchor vouches for others, not for itself" },
	{ PATH_ALGORITHM, X509_V_OK, M_P521, FLOOR },
	{ OURS_LEAF + LEAF_KEY, X509_V_OK, M_P521, FLOOR },
	{ PATH_NAME_CONSTRAINTS, X509_V_OK, M_NC_DNS,
	  "4.2.1.10: a dNSName constraint has no leading dot; what is not defined permits nothing" },
	{ PATH_NAME_CONSTRAINTS, X509_V_OK, M_SAN_ODD,
	  "a name that cannot be read violates the constraints of its form" },
	{ PATH_POLICY, X509_V_OK, M_POLICY_MAP,
	  "6.1.4 (b): a policy that anyPolicy let pass is mapped too; OpenSSL keeps its old name" },
	{ PATH_FORM, X509_V_OK, M_NC_FORM, NOT_CRITICAL },
	{ PATH_FORM, X509_V_OK, M_POLICY_NEED, NOT_CRITICAL },
	{ PATH_FORM, X509_V_OK, M_POLICY_ANY, NOT_CRITICAL },
	{ PATH_FORM, X509_V_OK, M_SERIAL, SERIALS },
	{ PATH_FORM, X509_V_OK, M_BC_NOT_CRITICAL, "4.2.1.9: of a CA it must be critical" },
	{ OURS_LEAF + LEAF_FORM, X509_V_OK, M_SAN_ODD, "4.2.1.6: a name that is none of its form" },
	{ OURS_LEAF + LEAF_EKU_ANY, X509_V_OK, M_EKU_LEAF,
	  "clientAuth is asked for by name: a certificate for all is none for logins" },
	{ OURS_LEAF + LEAF_FORM, X509_V_OK, M_NC_FORM, NOT_CRITICAL },
	{ OURS_LEAF + LEAF_FORM, X509_V_OK, M_POLICY_NEED, NOT_CRITICAL },
	{ OURS_LEAF + LEAF_FORM, X509_V_OK, M_POLICY_ANY, NOT_CRITICAL },
	{ OURS_LEAF + LEAF_FORM, X509_V_OK, M_SERIAL, SERIALS },
	{ OURS_LEAF + LEAF_FORM, X509_V_OK, M_NO_SUBJECT, NO_NAME },
	{ OURS_LEAF + LEAF_IS_CA, X509_V_OK, M_CA_LEAF, PERSON },
	{ OURS_LEAF + LEAF_IS_CA, X509_V_OK, M_KU_LEAF, PERSON },
	{ OURS_LEAF + LEAF_VERSION, X509_V_OK, M_VERSION,
	  "only version 3 can say what it is for (4.1.2.1)" },
	{ OURS_LEAF + LEAF_KEY_USAGE, X509_V_OK, M_KU_LEAF,
	  "TLS 1.3 signs (RFC 8446 4.4.2.4): keyAgreement is of older handshakes" },
	{ OURS_LEAF + LEAF_EKU_MISSING, X509_V_OK, ANY,
	  "clientAuth is asked for by name: a certificate for all is none for logins" },
	/* we accept, OpenSSL refuses */
	{ PATH_GOOD, X509_V_ERR_CA_BCONS_NOT_CRITICAL, M_BC_NOT_CRITICAL, CONFORMING },
	{ PATH_GOOD, X509_V_ERR_CA_CERT_MISSING_KEY_USAGE, M_KU_CA, CONFORMING },
	{ PATH_GOOD, X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN, M_KU_CA, CONFORMING },
	{ PATH_GOOD, X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER, M_KEY_IDS, KEY_IDS },
	{ PATH_GOOD, X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, M_KEY_IDS, KEY_IDS },
	{ PATH_GOOD, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, M_KEY_IDS,
	  "the anchor's own AKI names another key: an anchor is a name and a key (6.1.1 (d))" },
	{ PATH_GOOD, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, M_SELF_ISSUED, LOOKS_SELF_SIGNED },
	{ PATH_GOOD, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, M_SUPERFLUOUS, LOOKS_SELF_SIGNED },
	{ PATH_GOOD, X509_V_ERR_CERT_SIGNATURE_FAILURE, M_SELF_ISSUED, LOOKS_SELF_SIGNED },
	{ PATH_GOOD, X509_V_ERR_INVALID_PURPOSE, M_EKU_CA, CA_ANY_EKU },
};

#endif
