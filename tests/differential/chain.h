/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_DIFFERENTIAL_CHAIN_H
#define TESTS_DIFFERENTIAL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A chain as it is meant (struct plan), and what was done to it (mutations); make.c turns it into
 * certificates.  All of it follows from a seed, but for keys and signatures.
 */

#define CHAIN_NOW 1893456000 /* seconds; the time of every verdict */
#define CHAIN_CERTS 12
#define CHAIN_MUTATIONS_MAX 3 /* of one chain */

#define MUTATIONS                                                                                  \
	X(EXPIRED, "expired")                                                                      \
	X(NOT_YET, "not yet valid")                                                                \
	X(BC_MISSING, "CA without basicConstraints")                                               \
	X(BC_NOT_CRITICAL, "CA's basicConstraints not critical")                                   \
	X(BC_FALSE, "CA with CA:FALSE")                                                            \
	X(PATH_LEN, "pathLenConstraint")                                                           \
	X(SELF_ISSUED, "self-issued intermediate")                                                 \
	X(KU_CA, "CA's keyUsage")                                                                  \
	X(KU_LEAF, "leaf's keyUsage")                                                              \
	X(EKU_CA, "CA's extKeyUsage")                                                              \
	X(EKU_LEAF, "leaf's extKeyUsage")                                                          \
	X(NC_DNS, "dNSName constraint")                                                            \
	X(NC_EMAIL, "rfc822Name constraint")                                                       \
	X(NC_URI, "URI constraint")                                                                \
	X(NC_IP, "iPAddress constraint")                                                           \
	X(NC_DIR, "directoryName constraint")                                                      \
	X(NC_OTHER, "constraint of another form")                                                  \
	X(NC_FORM, "constraints not critical, or in the leaf")                                     \
	X(SAN_ODD, "odd names in SAN")                                                             \
	X(POLICIES, "certificatePolicies")                                                         \
	X(POLICY_MAP, "policyMappings")                                                            \
	X(POLICY_NEED, "policyConstraints")                                                        \
	X(POLICY_ANY, "inhibitAnyPolicy")                                                          \
	X(CRITICAL, "unknown critical extension")                                                  \
	X(DUPLICATE, "duplicate extension")                                                        \
	X(ISSUER_NAME, "another issuer's name")                                                    \
	X(FLIPPED, "flipped bit in the signature")                                                 \
	X(OTHER_KEY, "signed by another key of that name")                                         \
	X(CROSS, "cross-signed CA")                                                                \
	X(SHUFFLED, "shuffled")                                                                    \
	X(SUPERFLUOUS, "superfluous certificates")                                                 \
	X(MISSING, "an intermediate not sent")                                                     \
	X(VERSION, "version 1 or 2")                                                               \
	X(SERIAL, "serial number 0, negative or long")                                             \
	X(SHA1, "SHA-1")                                                                           \
	X(NAME_FOLD, "case, spaces or string type of the issuer's name")                           \
	X(CA_LEAF, "CA as leaf")                                                                   \
	X(NO_SUBJECT, "empty subject")                                                             \
	X(RSA_1024, "RSA 1024")                                                                    \
	X(P521, "P-521")                                                                           \
	X(KEY_IDS, "key identifiers missing, wrong or critical")                                   \
	X(FOREIGN, "another anchor")                                                               \
	X(LEAF_ANCHOR, "the leaf is the anchor")                                                   \
	X(SUBJECT_EMAIL, "emailAddress in the leaf's subject")

enum mutation {
#define X(id, text) M_##id,
	MUTATIONS
#undef X
	N_MUTATIONS,
};

enum pool { /* kinds of keys */
	POOL_P256,
	POOL_ED25519,
	POOL_P384,
	POOL_RSA,
	POOL_RSA_1024,
	POOL_P521,
	N_POOL,
};
#define POOL_KEYS 4 /* of each kind */

enum slot { /* extensions, in the order of the certificate */
	EXT_BC,
	EXT_KU,
	EXT_EKU,
	EXT_SAN,
	EXT_NC,
	EXT_CP,
	EXT_PM,
	EXT_PC,
	EXT_IAP,
	EXT_UNKNOWN,
	EXT_UNKNOWN2,
	N_SLOTS,
};

enum fold { FOLD_NONE, FOLD_CASE, FOLD_SPACES, FOLD_PRINTABLE };
enum serial { SERIAL_PLAIN, SERIAL_ZERO, SERIAL_NEGATIVE, SERIAL_LONG };
enum key_ids { IDS_PLAIN, IDS_NO_SKI, IDS_NO_AKI, IDS_OTHER_AKI, IDS_CRITICAL };

struct key_ref {
	enum pool kind;
	unsigned n;
};

struct spec {
	char o[24], ou[24], cn[24], email[32]; /* subject; all empty: none */
	unsigned issuer; /* index; its own: self-signed */
	struct key_ref key;
	bool has_signer;
	struct key_ref signer; /* another key than the issuer's */
	int64_t not_before, not_after; /* seconds */
	unsigned version;
	enum serial serial;
	enum fold fold; /* of the issuer's name */
	enum key_ids key_ids;
	bool other_issuer_name, sha1, flipped;
	int duplicate; /* slot to have twice; -1: none */
	char ext[N_SLOTS][512]; /* as in openssl.cnf; "": none */
};

struct plan {
	uint64_t rng;
	uint64_t mutations; /* 1 << enum mutation */
	struct spec certs[CHAIN_CERTS];
	size_t n;
	unsigned leaf; /* index; certs[0] is the root, between them the intermediates */
	unsigned sent[2 * CHAIN_CERTS], anchors[3];
	size_t n_sent, n_anchors;
};

const char *mutation_text(enum mutation m);
void plan_make(struct plan *p, uint64_t seed);
unsigned plan_random(struct plan *p, unsigned below);

struct der {
	uint8_t *p;
	size_t n;
};

/* Keys and what else costs time; once. */
struct maker;
struct maker *maker_new(void);
struct maker *maker_free(struct maker *m);
/* ret[i] is certs[i]; the caller frees each p. */
void maker_make(struct maker *m, struct plan *p, struct der ret[CHAIN_CERTS]);

#define ERRORS_MAX 16
struct openssl_verdict {
	int errors[ERRORS_MAX]; /* X509_V_ERR_*, each once, all that the verifier finds */
	size_t n;		/* 0: accepted */
};

/* X509_verify_cert() as strict as it gets: chain[0] is the leaf. */
void openssl_verify(const struct der *const *chain, size_t n, const struct der *const *anchors,
		    size_t n_anchors, struct openssl_verdict *ret);

#endif
