/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/format.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/*
 * The verbs of certlogin(1) as data: the parser, `certlogin help`, the manual's lint test and the
 * test of the shell completion all read these tables.  One verb is one file, verb-NAME.c.
 */

/* What the caller learns without reading the text.  Part of the interface. */
enum cli_exit {
	CLI_YES = 0,                /* done; allowed */
	CLI_NO = 1,                 /* denied, not found, refused */
	CLI_USAGE = 2,
	CLI_UNREACHABLE = 3,        /* no daemon, no gate, no host */
	CLI_INTERNAL = 4,
};

enum opt {
	/* every verb */
	OPT_JSON, OPT_UTC, OPT_QUIET, OPT_RUNTIME_DIR, OPT_CONFIG_DIR, OPT_HELP, OPT_GLOBAL_MAX_,
	/* some */
	OPT_FULL_NAME = OPT_GLOBAL_MAX_, OPT_FROM, OPT_UNTIL, OPT_REASON, OPT_SERVICE, OPT_ACCOUNT,
	OPT_CLASS, OPT_REDEEM_UIDS, OPT_VIA, OPT_LOOSE, OPT_CONSOLE, OPT_PIN, OPT_CA_FILE, OPT_LIST,
	OPT_REMOVE, OPT_LOGIN, OPT_KEY, OPT_CERT, OPT_YES, OPT_LISTEN, OPT_CA, OPT_HOSTNAME, OPT_ENABLE,
	OPT_UNIT_DIR, OPT_NAME, OPT_DAYS, OPT_NOT_BEFORE, OPT_NOT_AFTER, OPT_EKU, OPT_OUT, OPT_PUBKEY,
	OPT_CSR, OPT_ENROLL, OPT_OWNER, OPT_ALL, OPT_LAST, OPT_KIND, OPT_IDENTITY, OPT_VERDICT, OPT_AT,
	OPT_ANCHOR, OPT_CHAIN, OPT_PURPOSE, OPT_MAX_DEPTH, OPT_CRL, OPT_SIGNER, OPT_ISSUER,
	OPT_ALLOW, OPT_OCSP, OPT_INTERMEDIATE, OPT_PIN_KEY, OPT_EKU_MISSING, OPT_EKU_ANY, OPT_SMARTCARD_LOGON,
	OPT_FORM, OPT_REVOCATION, OPT_GRACE_HOURS, OPT_MATCH, OPT_YIELD, OPT_DOMAIN, OPT_CONTINUE,
	OPT_CREATE_IDENTITIES, OPT_POSITION, OPT_CONFIG, OPT_MAPDIR, OPT_CERT_DIR, OPT_ALLOW_WEAK, OPT_DRY_RUN,
	OPT_PKCS11, OPT_GATE,
	OPT_MAX_,
};
/* A set of them; there are more than 64. */
__extension__ typedef unsigned __int128 opt_set;
#define OPT_BIT(i) ((opt_set)1 << (i))
#define OPT(x) OPT_BIT(OPT_##x)
_Static_assert(OPT_MAX_ <= 128, "opt_set is too small");

struct option_spec {
	const char *name;
	char letter;                /* or 0 */
	const char *arg;            /* name of the argument; "[X]": may be left out; NULL: a flag */
	const char *help;
	bool many;                  /* may be given several times: args.many */
};
extern const struct option_spec option_specs[OPT_MAX_];

#define ARGS_MANY 64
struct args {
	int n;
	char **operand;
	const char *option[OPT_MAX_];          /* NULL: not given; flags: "" */
	struct {                               /* of those that may be given several times */
		enum opt opt;
		const char *value;
	} many[ARGS_MANY];
	size_t n_many;
};

/* Who may: told to people, and used when the daemon refuses. */
enum role { ROLE_ANYONE, ROLE_AUDIT, ROLE_ADMIN, ROLE_ROOT };

struct cli;
struct verb {
	const char *name;           /* "identity" */
	const char *action;         /* "add", or NULL */
	const char *usage;          /* operands and required options, "NAME" */
	int min, max;               /* operands; max < 0: what follows the options is another command's, as it stands */
	opt_set options;            /* OPT() bits, besides the global ones */
	enum role role;
	int (*run)(struct cli *cli, const struct args *args);
	const char *help;           /* one line */
};
extern const struct verb verbs[];
extern const size_t n_verbs;

struct vl_client;
struct cli {
	FILE *out, *err;            /* tests pass their own */
	struct term term;           /* what `out` can show */
	bool json, utc, quiet;
	const char *runtime_dir;    /* the sockets */
	const char *config_dir;     /* host key, built-in CA */
	const struct clock *clock;
	const struct verb *verb;
	struct vl_client *admin;    /* opened by the first admin_call() */
};

void cli_init(struct cli *cli, FILE *out, FILE *err);
void cli_deinit(struct cli *cli);
static inline void cli_deinitp(struct cli *cli)
{
	cli_deinit(cli);
}

/* The whole command, argv[0] included; gives the exit code.  Nothing else of the process is used. */
int cli_run(struct cli *cli, int argc, char **argv);

/* Says what is wrong on stderr, with --json also {"error": name, "message": text} on stdout; gives code. */
int cli_fail(struct cli *cli, enum cli_exit code, const char *name, const char *format, ...) _printf_(4, 5);
/* The usual fault: a file operation.  what: "read", "write". */
int cli_fail_file(struct cli *cli, int error, const char *what, const char *path);
int cli_fail_memory(struct cli *cli);
int cli_usage(struct cli *cli, const char *format, ...) _printf_(2, 3);

/* A line for people: nothing with --json or --quiet. */
void cli_say(struct cli *cli, const char *format, ...) _printf_(2, 3);
/* The same to stderr, for verbs whose stdout is a value. */
void cli_note(struct cli *cli, const char *format, ...) _printf_(2, 3);
/* Takes json, prints it; gives CLI_YES, or CLI_INTERNAL when there was no memory for it (NULL). */
int cli_json(struct cli *cli, json_t *json);

/* Option as time or number; 0 or a printed usage error.  *ret is left alone when it was not given. */
int args_time(struct cli *cli, const struct args *args, enum opt opt, int64_t *ret);
int args_number(struct cli *cli, const struct args *args, enum opt opt, int64_t min, int64_t max, int64_t *ret);
/* Adds an option to a request under this name, when it was given. */
int args_put_text(const struct args *args, enum opt opt, json_t *parameters, const char *name);
int args_put_time(struct cli *cli, const struct args *args, enum opt opt, json_t *parameters, const char *name);

/* "identity add NAME [--full-name TEXT] ...": one line, of any length; gives, or NULL. */
char *verb_usage(const struct verb *verb);

int verb_ssh(struct cli *cli, const struct args *args);
int verb_setup(struct cli *cli, const struct args *args);
int verb_ca_create(struct cli *cli, const struct args *args);
int verb_ca_issue(struct cli *cli, const struct args *args);
int verb_ca_revoke(struct cli *cli, const struct args *args);
int verb_ca_crl(struct cli *cli, const struct args *args);
int verb_identity_add(struct cli *cli, const struct args *args);
int verb_identity_list(struct cli *cli, const struct args *args);
int verb_identity_show(struct cli *cli, const struct args *args);
int verb_identity_disable(struct cli *cli, const struct args *args);
int verb_identity_enable(struct cli *cli, const struct args *args);
int verb_identity_remove(struct cli *cli, const struct args *args);
int verb_enroll(struct cli *cli, const struct args *args);
int verb_unenroll(struct cli *cli, const struct args *args);
int verb_access_allow(struct cli *cli, const struct args *args);
int verb_access_deny(struct cli *cli, const struct args *args);
int verb_access_list(struct cli *cli, const struct args *args);
int verb_service_list(struct cli *cli, const struct args *args);
int verb_service_set(struct cli *cli, const struct args *args);
int verb_service_remove(struct cli *cli, const struct args *args);
int verb_anchor_add(struct cli *cli, const struct args *args);
int verb_anchor_list(struct cli *cli, const struct args *args);
int verb_anchor_remove(struct cli *cli, const struct args *args);
int verb_crl_import(struct cli *cli, const struct args *args);
int verb_crl_status(struct cli *cli, const struct args *args);
int verb_crl_forget(struct cli *cli, const struct args *args);
int verb_ocsp_import(struct cli *cli, const struct args *args);
int verb_ocsp_list(struct cli *cli, const struct args *args);
int verb_anchor_set(struct cli *cli, const struct args *args);
int verb_anchor_show(struct cli *cli, const struct args *args);
int verb_rule_add(struct cli *cli, const struct args *args);
int verb_rule_list(struct cli *cli, const struct args *args);
int verb_rule_remove(struct cli *cli, const struct args *args);
int verb_rule_test(struct cli *cli, const struct args *args);
int verb_source_add(struct cli *cli, const struct args *args);
int verb_source_list(struct cli *cli, const struct args *args);
int verb_source_remove(struct cli *cli, const struct args *args);
int verb_source_certificates(struct cli *cli, const struct args *args);
int verb_fetch(struct cli *cli, const struct args *args);
int verb_trust(struct cli *cli, const struct args *args);
int verb_ticket(struct cli *cli, const struct args *args);
int verb_session_list(struct cli *cli, const struct args *args);
int verb_session_show(struct cli *cli, const struct args *args);
int verb_audit_list(struct cli *cli, const struct args *args);
int verb_audit_follow(struct cli *cli, const struct args *args);
int verb_audit_verify(struct cli *cli, const struct args *args);
int verb_explain(struct cli *cli, const struct args *args);
int verb_verify(struct cli *cli, const struct args *args);
int verb_test(struct cli *cli, const struct args *args);
int verb_status(struct cli *cli, const struct args *args);
int verb_backup(struct cli *cli, const struct args *args);
int verb_import_pam_pkcs11(struct cli *cli, const struct args *args);
int verb_import_sssd(struct cli *cli, const struct args *args);
int verb_import_authorized_keys(struct cli *cli, const struct args *args);
int verb_import_ad(struct cli *cli, const struct args *args);
int verb_help(struct cli *cli, const struct args *args);
int verb_version(struct cli *cli, const struct args *args);

#endif
