/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_IMPORT_PLAN_H
#define CLI_IMPORT_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/import/certs.h"
#include "lib/base/cleanup.h"

/*
 * What an import would do, and what it leaves out.  The readers of cli/import fill it from texts
 * alone: no daemon, no file of their own.  Nothing is guessed: an entry becomes operations that let
 * in nobody whom it did not let in before, or it becomes a refusal with file, line and reason.
 *
 * Like a buf: errors stick in `error` (-ENOMEM), and every later call does nothing.
 */

struct place {
	const char *file;
	unsigned line;              /* 0: the file as a whole */
};

enum plan_kind { PLAN_IDENTITY, PLAN_ENROLL, PLAN_ACCESS, PLAN_RULE };
enum plan_state {
	PLAN_NEW,                   /* to be done */
	PLAN_PRESENT,               /* the daemon has it already */
	PLAN_DROPPED,               /* it collides with what is there: there is a refusal for it */
};

struct plan_op {
	enum plan_kind kind;
	enum plan_state state;
	char *identity;             /* NULL: a rule whose yield is a template */
	const struct cert *cert;    /* enroll; of the certset */
	int64_t until;              /* enroll, access: not after; INT64_MAX: no end */
	char *name, *match, *yield; /* rule */
	bool domains;               /* rule: it takes the allow-list of the options */
	bool goes_on;               /* rule: later ones are tried as well */
	char *file;
	unsigned line;
};

struct plan_refusal {
	bool setting;               /* not somebody's login: something to be set up otherwise */
	char *what, *why;
	char *file;
	unsigned line;
};

#define PLAN_RULES_MAX 256          /* what certlogind takes */
#define PLAN_MATCH_MAX 1024

/* What the administrator said; borrowed until plan_deinit(). */
struct plan_options {
	const char *anchor;         /* of rules; NULL: rules are refused */
	const char *const *domains; /* allow-list of the rules that cut at an @ */
	size_t n_domains;
	const char *service;        /* access rows are made for it; NULL: none */
	bool allow_weak;
	const struct certset *certs;
	int64_t now;                /* microseconds: what has expired is not enrolled */
	bool (*superuser)(const char *login);   /* has uid 0; "root" is refused anyway */
};

struct plan {
	const struct plan_options *options;
	struct plan_op *ops;
	size_t n_ops;
	struct plan_refusal *refusals;
	size_t n_refusals;
	size_t n_rules;
	struct certset own;         /* certificates that the source itself has */
	int error;
};

void plan_init(struct plan *p, const struct plan_options *options);
void plan_deinit(struct plan *p);
static inline void plan_deinitp(struct plan *p)
{
	plan_deinit(p);
}

/* An entry that is left out; a setting that is not carried over. */
void plan_refuse(struct plan *p, struct place at, const char *what, const char *format, ...) _printf_(4, 5);
void plan_report(struct plan *p, struct place at, const char *what, const char *format, ...) _printf_(4, 5);

/* This login has this certificate.  Refused: not a name, uid 0, or a certificate that
 * certlogind would not enroll. */
void plan_enroll(struct plan *p, struct place at, const char *login, const struct cert *cert, int64_t until);

/* The same with a certificate of the source itself.  Takes cert. */
void plan_own(struct plan *p, struct place at, const char *login, struct cert *cert);

/*
 * A rule.  `kind` begins its name, which ends in a hash of its content, so that a second import
 * finds it again.  Exactly one of login and yield is given; one of {mail}, {upn}, {krb} and their
 * .local needs the options' domains.  match: sss-certmap(5).
 */
struct plan_rule {
	const char *kind;
	const char *match;
	const char *login;
	const char *yield;
	bool goes_on;
};
void plan_rule(struct plan *p, struct place at, const struct plan_rule *rule);

/*
 * Drops certificates that two logins claim, compares with what the daemon has (NULL: not known; see
 * known.h), and adds the identities and the access rows that the rest needs.  Once, at the end.
 * 0 or -ENOMEM.
 */
struct known;
int plan_finish(struct plan *p, const struct known *known);
size_t plan_to_do(const struct plan *p);

/* {"operations": [...], "refusals": [...], "applied": applied}; NULL: no memory. */
json_t *plan_json(const struct plan *p, bool applied);
/* "add identity alice", "enroll alice: CN=Alice,O=Example" */
void plan_op_text(const struct plan_op *op, const struct plan_options *options, char *ret, size_t size);
const char *plan_state_text(enum plan_state state);

#endif
