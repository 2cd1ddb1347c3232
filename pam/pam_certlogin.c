// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * pam_certlogin: begins a login, has the helper prove, redeems the ticket; asks again at account
 * and session.  No TLS, no certificate and no policy in here: the authority alone is believed.
 */

#include <errno.h>
#include <inttypes.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/api/service-client.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/base/paths.h"
#include "pam/converse.h"
#include "pam/helper.h"
#include "pam/options.h"
#include "pam/outcome.h"

#define DATA_LOGIN "certlogin_login"
#define DATA_SESSION "certlogin_session"
#define ENV_LOGIN "CERTLOGIN_LOGIN" /* crosses sshd's processes; a hint, never evidence */

#define EXPORT __attribute__((visibility("default")))

/* One call of PAM into us. */
struct stage_context {
	pam_handle_t *pamh;
	struct options options;
	enum stage stage;
	const char *user, *service, *tty, *rhost;
	struct converse converse;
	uint64_t event;		    /* to tell the user; 0: none */
	char why[LIMIT_REASON + 1]; /* for the log */
};

static void note(struct stage_context *x, const char *text)
{
	(void)snprintf(x->why, sizeof(x->why), "%s", text);
}

static const char *item(pam_handle_t *pamh, int type)
{
	const void *value = NULL;

	return pam_get_item(pamh, type, &value) == PAM_SUCCESS ? value : NULL;
}

static enum outcome stage_begin(struct stage_context *x, pam_handle_t *pamh, enum stage stage,
				int argc, const char **argv)
{
	const char *bad = "";

	*x = (struct stage_context){ .pamh = pamh, .stage = stage };
	if (options_parse(argc, argv, &x->options, &bad) < 0) {
		pam_syslog(pamh, LOG_ERR, "unknown option or wrong value in pam.d: %s", bad);
		return OUTCOME_MISCONFIGURED;
	}
	x->converse = (struct converse){ pamh, x->options.observe, x->options.quiet };
	if (pam_get_user(pamh, &x->user, NULL) != PAM_SUCCESS || !x->user || !*x->user)
		return OUTCOME_ERROR;
	x->service = item(pamh, PAM_SERVICE);
	x->tty = item(pamh, PAM_TTY);
	x->rhost = item(pamh, PAM_RHOST);
	/* what the host program made up of them is its own affair */
	if (x->tty && strncmp(x->tty, "/dev/", 5) == 0)
		x->tty += 5;
	if (x->tty && !text_ok(x->tty, LIMIT_TTY))
		x->tty = NULL;
	if (x->rhost && !text_ok(x->rhost, LIMIT_RHOST))
		x->rhost = "?";
	return x->service ? OUTCOME_ALLOWED : OUTCOME_ERROR;
}

static int stage_end(struct stage_context *x, enum outcome outcome)
{
	int level = outcome == OUTCOME_ALLOWED ? LOG_INFO : LOG_NOTICE;
	char text[64];

	if (outcome != OUTCOME_NOT_OURS || x->options.debug)
		pam_syslog(x->pamh, level, "%s%s: %s for %s%s%s, event %" PRIu64,
			   x->options.observe ? "observe: " : "", stage_name(x->stage),
			   outcome_name(outcome), x->user ? x->user : "?", *x->why ? ": " : "",
			   x->why, x->event);
	if (x->options.observe)
		return PAM_IGNORE;
	if (outcome == OUTCOME_DENIED && x->event) {
		(void)snprintf(text, sizeof(text), "certlogin: denied (event %" PRIu64 ")",
			       x->event);
		converse_say(&x->converse, PAM_ERROR_MSG, text);
	} else if (outcome == OUTCOME_UNREACHABLE && x->stage == STAGE_AUTH) {
		converse_say(&x->converse, PAM_ERROR_MSG, "certlogin: not available now");
	}
	return outcome_to_pam(outcome, x->stage);
}

static int authority_connect(const struct stage_context *x, struct vl_client **ret)
{
	char path[128];

	if ((size_t)snprintf(path, sizeof(path), "%s/pam", x->options.runtime_dir) >= sizeof(path))
		return -ENAMETOOLONG;
	return vl_client_connect(path, LIMIT_PAM_CALL_USEC, ret);
}

static enum outcome unreachable(struct stage_context *x, int r)
{
	note(x, strerror(-r));
	return OUTCOME_UNREACHABLE;
}

/* --- auth --- */

static bool is_local(const char *rhost)
{
	return !rhost || !*rhost || strcmp(rhost, "localhost") == 0 ||
	       strcmp(rhost, "127.0.0.1") == 0 || strcmp(rhost, "::1") == 0;
}

/*
 * Whose key may be asked for (DESIGN section 7).  The kernel alone says who calls: never PAM_RUSER,
 * which polkit sets to the account that is to be proved.
 */
static const char *helper_mode(const struct stage_context *x, const struct service_begin *login)
{
	if (x->options.no_helper || strcmp(login->service_class, "app") == 0)
		return NULL;
	if (getuid() != 0)
		return x->rhost && !is_local(x->rhost) ? NULL : "invoker";
	return login->console && is_local(x->rhost) ? "console" : NULL;
}

static const char *agent_socket(pam_handle_t *pamh)
{
	const char *path = pam_getenv(pamh, "SSH_AUTH_SOCK");

	if (!path)
		path = getenv("SSH_AUTH_SOCK");
	/* an opaque string, opened by the helper as its own user and never here */
	return path && *path && strlen(path) < 108 ? path : NULL;
}

static bool helper_ticket(struct stage_context *x, const char *mode,
			  const struct service_begin *login, struct helper_answer *ret)
{
	struct helper h = { .fd = -1 };
	int r = helper_start(&h, &(struct helper_request){ mode, login->login_id, x->user,
							   x->service, x->options.runtime_dir,
							   agent_socket(x->pamh) });

	if (r == 0)
		helper_run(&h, &x->converse, x->options.timeout_usec, ret);
	else
		(void)snprintf(ret->why, sizeof(ret->why), "the helper cannot be started: %s",
			       strerror(-r));
	helper_end(&h);
	return ret->has_ticket;
}

static enum outcome redeem(struct stage_context *x, struct vl_client *c,
			   const struct service_begin *login, const uint8_t ticket[TICKET_BYTES])
{
	struct service_answer answer = { 0 };
	int r = service_redeem(c, login->login_id, ticket, &answer);

	/* whatever was typed was a ticket: no module after us has a use for it */
	(void)pam_set_item(x->pamh, PAM_AUTHTOK, NULL);
	if (r < 0)
		return unreachable(x, r);
	x->event = answer.event;
	return answer.allowed ? OUTCOME_ALLOWED : OUTCOME_DENIED;
}

/* Text that may be a ticket.  All other text is the next module's, and goes nowhere else. */
static enum outcome use_text(struct stage_context *x, struct vl_client *c,
			     const struct service_begin *login, const char *text, size_t len)
{
	uint8_t ticket[TICKET_BYTES];
	enum outcome outcome;

	if (len == 0)
		return OUTCOME_NO_TICKET;
	if (ticket_parse(text, len, ticket) < 0) {
		if (pam_set_item(x->pamh, PAM_AUTHTOK, text) != PAM_SUCCESS)
			return OUTCOME_ERROR;
		return OUTCOME_OTHER_TEXT;
	}
	outcome = redeem(x, c, login, ticket);
	explicit_bzero(ticket, sizeof(ticket));
	return outcome;
}

static enum outcome typed_ticket(struct stage_context *x, struct vl_client *c,
				 const struct service_begin *login)
{
	_cleanup_(secret_freep) struct secret *answer = NULL;
	const char *first = item(x->pamh, PAM_AUTHTOK);
	char prompt[96];

	if (first && (x->options.try_first_pass || x->options.use_first_pass)) {
		uint8_t ticket[TICKET_BYTES];
		bool is_ticket = ticket_parse(first, strlen(first), ticket) == 0;

		explicit_bzero(ticket, sizeof(ticket));
		if (is_ticket || x->options.use_first_pass)
			return use_text(x, c, login, first, strlen(first));
	}
	if (x->options.use_first_pass)
		return OUTCOME_NO_TICKET;
	(void)snprintf(prompt, sizeof(prompt), "%s (login %s): ",
		       x->options.stacked ? "Password or certlogin ticket" : "certlogin ticket",
		       login->login_id);
	if (converse_ask(&x->converse, prompt, &answer) < 0)
		return OUTCOME_NO_TICKET;
	return use_text(x, c, login, (const char *)answer->bytes, answer->len);
}

/* No proof: the authority writes down why, and gives the number to tell the user. */
static void abandon(struct stage_context *x, struct vl_client *c, const struct service_begin *login)
{
	uint64_t event;

	if (service_abandon(c, login->login_id, *x->why ? x->why : "no ticket was typed", &event) ==
	    0)
		x->event = event;
}

static enum outcome prove_and_redeem(struct stage_context *x, struct vl_client *c,
				     const struct service_begin *login)
{
	const char *mode = helper_mode(x, login);
	struct helper_answer helper = { 0 };
	enum outcome outcome;

	if (mode && helper_ticket(x, mode, login, &helper)) {
		outcome = redeem(x, c, login, helper.ticket);
		explicit_bzero(&helper, sizeof(helper));
		return outcome;
	}
	note(x, helper.why);
	if (helper.event) { /* the authority knows the key and said no */
		abandon(x, c, login);
		return OUTCOME_DENIED;
	}
	outcome = typed_ticket(x, c, login);
	if (outcome == OUTCOME_NO_TICKET || outcome == OUTCOME_OTHER_TEXT)
		abandon(x, c, login);
	if (outcome == OUTCOME_NO_TICKET && x->event) {
		char text[LIMIT_REASON + 64];

		(void)snprintf(text, sizeof(text), "certlogin: no ticket (event %" PRIu64 ")%s%s",
			       x->event, *x->why ? ": " : "", x->why);
		converse_say(&x->converse, PAM_ERROR_MSG, text);
	}
	return outcome;
}

static void free_data(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

static enum outcome remember(struct stage_context *x, const char *login_id)
{
	char env[sizeof(ENV_LOGIN) + LOGIN_ID_TEXT_SIZE + 1];
	char *copy = strdup(login_id);

	if (!copy || pam_set_data(x->pamh, DATA_LOGIN, copy, free_data) != PAM_SUCCESS) {
		free(copy);
		return OUTCOME_ERROR;
	}
	(void)snprintf(env, sizeof(env), "%s=%s", ENV_LOGIN, login_id);
	return pam_putenv(x->pamh, env) == PAM_SUCCESS ? OUTCOME_ALLOWED : OUTCOME_ERROR;
}

static enum outcome authenticate(struct stage_context *x)
{
	_cleanup_(vl_client_closep) struct vl_client *c = NULL;
	struct service_begin login;
	enum outcome outcome;
	int r;

	r = authority_connect(x, &c);
	if (r == 0)
		r = service_begin(c, x->user, x->service, x->tty, x->rhost, &login);
	if (r < 0)
		return unreachable(x, r);
	outcome = prove_and_redeem(x, c, &login);
	return outcome == OUTCOME_ALLOWED ? remember(x, login.login_id) : outcome;
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct stage_context x;
	enum outcome outcome = stage_begin(&x, pamh, STAGE_AUTH, argc, argv);

	if ((unsigned)flags & PAM_SILENT)
		x.converse.quiet = true;
	if (outcome == OUTCOME_ALLOWED)
		outcome = authenticate(&x);
	return stage_end(&x, outcome);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

EXPORT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}

/* --- account, session --- */

static const char *our_login(pam_handle_t *pamh)
{
	const void *data = NULL;

	if (pam_get_data(pamh, DATA_LOGIN, &data) == PAM_SUCCESS && data)
		return data;
	return pam_getenv(pamh, ENV_LOGIN);
}

static enum outcome not_ours(const struct stage_context *x)
{
	return x->options.strict ? OUTCOME_STRANGER : OUTCOME_NOT_OURS;
}

static enum outcome answered(struct stage_context *x, int r, const struct service_answer *answer)
{
	if (r < 0)
		return unreachable(x, r);
	x->event = answer->event;
	return answer->allowed ? OUTCOME_ALLOWED : OUTCOME_DENIED;
}

static enum outcome check_account(struct stage_context *x)
{
	_cleanup_(vl_client_closep) struct vl_client *c = NULL;
	const char *login = our_login(x->pamh);
	struct service_answer answer = { 0 };
	int r;

	/* cron, atd and the root console never depend on us: nobody is asked */
	if (!login)
		return not_ours(x);
	r = authority_connect(x, &c);
	if (r == 0)
		r = service_check_account(c, login, x->user, &answer);
	return answered(x, r, &answer);
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct stage_context x;
	enum outcome outcome = stage_begin(&x, pamh, STAGE_ACCOUNT, argc, argv);

	(void)flags;
	if (outcome == OUTCOME_ALLOWED)
		outcome = check_account(&x);
	return stage_end(&x, outcome);
}

static enum outcome open_session(struct stage_context *x)
{
	_cleanup_(vl_client_closep) struct vl_client *c = NULL;
	const char *login = our_login(x->pamh);
	struct service_answer answer = { 0 };
	enum outcome outcome;
	uint64_t *id;
	int r;

	if (!login)
		return not_ours(x);
	r = authority_connect(x, &c);
	if (r == 0)
		r = service_open_session(c, login, x->user, getpid(), x->tty, x->rhost, &answer);
	outcome = answered(x, r, &answer);
	if (outcome != OUTCOME_ALLOWED)
		return outcome;
	id = malloc(sizeof(*id));
	if (id)
		*id = answer.session;
	if (!id || pam_set_data(x->pamh, DATA_SESSION, id, free_data) != PAM_SUCCESS) {
		free(id);
		(void)service_close_session(c, answer.session);
		return OUTCOME_ERROR;
	}
	return OUTCOME_ALLOWED;
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct stage_context x;
	enum outcome outcome = stage_begin(&x, pamh, STAGE_OPEN, argc, argv);

	(void)flags;
	if (outcome == OUTCOME_ALLOWED)
		outcome = open_session(&x);
	return stage_end(&x, outcome);
}

static enum outcome close_session(struct stage_context *x)
{
	_cleanup_(vl_client_closep) struct vl_client *c = NULL;
	const void *id = NULL;
	int r;

	if (pam_get_data(x->pamh, DATA_SESSION, &id) != PAM_SUCCESS || !id)
		return OUTCOME_NOT_OURS;
	r = authority_connect(x, &c);
	if (r == 0)
		r = service_close_session(c, *(const uint64_t *)id);
	/* one that cannot be closed now ends with its process: the authority watches */
	return r < 0 ? unreachable(x, r) : OUTCOME_ALLOWED;
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct stage_context x;
	enum outcome outcome = stage_begin(&x, pamh, STAGE_CLOSE, argc, argv);

	(void)flags;
	if (outcome == OUTCOME_ALLOWED)
		outcome = close_session(&x);
	return stage_end(&x, outcome);
}
