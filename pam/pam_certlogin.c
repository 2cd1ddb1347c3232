// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "lib/api/helper-client.h"
#include "lib/api/service-client.h"
#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "pam/converse.h"
#include "pam/options.h"
#include "pam/outcome.h"

/*
 * The PAM module: begin, have the helper or a person prove, redeem.  It believes the authority
 * alone.  It lives in programs that are not ours: no globals, signal handlers, threads or exit
 * handlers.
 */

#define EXPORT __attribute__((visibility("default")))
#define DATA_LOGIN "certlogin_login"	 /* login id, of this PAM handle */
#define DATA_SESSION "certlogin_session" /* struct service_answer of OpenSession */
#define ENV_LOGIN "CERTLOGIN_LOGIN" /* a hint for sshd, whose stages run in several processes */

struct stage_context {
	pam_handle_t *pamh;
	enum stage stage;
	struct options options;
	struct converse talk;
	const char *account;
	const char *service;
	char tty[LIMIT_TTY + 1];
	char rhost[LIMIT_RHOST + 1];

	enum outcome outcome;
	uint64_t event;			   /* 0: none */
	char login_id[LOGIN_ID_TEXT_SIZE]; /* "": none yet */
	char why[LIMIT_REASON + 1];
};

static const char *get_item(const struct stage_context *x, int item)
{
	const void *p = NULL;

	if (pam_get_item(x->pamh, item, &p) != PAM_SUCCESS || !p)
		return "";
	return p;
}

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

static void set_why(struct stage_context *x, const char *why)
{
	text_clean(why, strlen(why), x->why, sizeof(x->why));
}

static enum outcome read_options(struct stage_context *x, int argc, const char **argv)
{
	const char *bad;

	x->talk = (struct converse){ .pamh = x->pamh, .mute = true };
	if (options_parse(argc, argv, &x->options, &bad) < 0) {
		set_why(x, bad);
		return OUTCOME_MISCONFIGURED;
	}
	x->talk.mute = x->options.observe;
	/* sudo sets PAM_SILENT unless told otherwise (pam_silent): who must touch a key, or was
	 * denied, is told all the same; `quiet` is for those who want it so */
	x->talk.quiet = x->options.quiet;
	return OUTCOME_ALLOWED;
}

/* Whom and what the stage is about.  PAM_USER may be asked for here, by libpam; it is never
 * changed. */
static enum outcome read_items(struct stage_context *x)
{
	const char *tty = get_item(x, PAM_TTY), *rhost = get_item(x, PAM_RHOST);

	x->service = get_item(x, PAM_SERVICE);
	if (!service_name_ok(x->service))
		return OUTCOME_MISCONFIGURED;
	if (pam_get_user(x->pamh, &x->account, NULL) != PAM_SUCCESS || !x->account)
		return OUTCOME_ERROR;
	if (!account_name_ok(x->account))
		return OUTCOME_DENIED;
	if (strncmp(tty, "/dev/", 5) == 0)
		tty += 5;
	text_clean(tty, strlen(tty), x->tty, sizeof(x->tty));
	text_clean(rhost, strlen(rhost), x->rhost, sizeof(x->rhost));
	return OUTCOME_ALLOWED;
}

/* One line for the administrator. */
static void log_outcome(const struct stage_context *x, bool fine)
{
	char account[LIMIT_ACCOUNT + 1];
	const char *user = get_item(x, PAM_USER);

	text_clean(user, strlen(user), account, sizeof(account));
	pam_syslog(x->pamh, fine ? LOG_INFO : LOG_NOTICE,
		   "%s%s: %s, account %s, login %s, event %llu%s%s",
		   x->options.observe ? "observed, would be " : "", stage_name(x->stage),
		   outcome_name(x->outcome), account, *x->login_id ? x->login_id : "none",
		   (unsigned long long)x->event, *x->why ? ": " : "", x->why);
}

/* What the user may know: that, and under which number the administrator finds the rest. */
static void tell_outcome(const struct stage_context *x)
{
	char event[32] = "", text[LIMIT_REASON + 128];
	bool why = x->outcome == OUTCOME_NO_TICKET && *x->why;

	if (x->event > 0)
		(void)snprintf(event, sizeof(event), " (event %llu)", (unsigned long long)x->event);
	(void)snprintf(text, sizeof(text), "certlogin: %s%s%s%s%s", outcome_name(x->outcome), event,
		       why ? ": " : "", why ? x->why : "",
		       x->outcome == OUTCOME_DENIED && x->event > 0
			       ? "; `certlogin explain` tells the administrator why"
			       : "");
	converse_say(&x->talk, PAM_ERROR_MSG, text);
}

static int finish(const struct stage_context *x)
{
	bool fine = x->outcome == OUTCOME_ALLOWED || x->outcome == OUTCOME_NOT_OURS;

	if (x->outcome != OUTCOME_NOT_OURS || x->options.debug)
		log_outcome(x, fine);
	if (!fine && x->outcome != OUTCOME_OTHER_TEXT)
		tell_outcome(x);
	return x->options.observe ? PAM_IGNORE : outcome_to_pam(x->outcome, x->stage);
}

/* A call has failed: what that means. */
static enum outcome call_failed(struct stage_context *x, int error)
{
	set_why(x, strerrordesc_np(-error) ?: "unknown error");
	if (error == -ENOMEM)
		return OUTCOME_ERROR;
	return error == -EACCES || error == -ESTALE || error == -EDQUOT ? OUTCOME_DENIED
									: OUTCOME_UNREACHABLE;
}

/* From here the authority has `timeout` in all, however many calls; people's time is not its. */
static void renew_deadline(const struct stage_context *x, struct vl_client *client)
{
	vl_client_set_deadline(client, vl_monotonic_usec() + x->options.timeout_usec);
}

static int reach(const struct stage_context *x, struct vl_client **ret)
{
	uint64_t timeout = x->options.timeout_usec < LIMIT_PAM_CALL_USEC ? x->options.timeout_usec
									 : LIMIT_PAM_CALL_USEC;
	char path[128];
	int r;

	(void)snprintf(path, sizeof(path), "%s/pam", x->options.runtime_dir);
	r = vl_client_connect(path, timeout, ret);
	if (r == 0)
		renew_deadline(x, *ret);
	return r;
}

static void free_data(_unused_ pam_handle_t *pamh, void *data, _unused_ int status)
{
	free(data);
}

/* Gives p to the handle. */
static int keep_data(const struct stage_context *x, const char *name, void *p)
{
	if (p && pam_set_data(x->pamh, name, p, free_data) == PAM_SUCCESS)
		return 0;
	free(p);
	return -ENOMEM;
}

/* An earlier attempt on this handle is no excuse for this one. */
static void forget_login(const struct stage_context *x)
{
	(void)pam_set_data(x->pamh, DATA_LOGIN, NULL, NULL);
	if (pam_getenv(x->pamh, ENV_LOGIN))
		(void)pam_putenv(x->pamh, ENV_LOGIN);
}

static int keep_login(const struct stage_context *x)
{
	char env[sizeof(ENV_LOGIN "=") + LOGIN_ID_TEXT_SIZE];

	(void)snprintf(env, sizeof(env), ENV_LOGIN "=%s", x->login_id);
	if (pam_putenv(x->pamh, env) != PAM_SUCCESS)
		return -ENOMEM;
	return keep_data(x, DATA_LOGIN, strdup(x->login_id));
}

/* Is this login ours?  The authority says whether it really is. */
static bool kept_login(struct stage_context *x)
{
	const void *data = NULL;
	const char *text;
	uint8_t id[LOGIN_ID_BYTES];

	if (pam_get_data(x->pamh, DATA_LOGIN, &data) == PAM_SUCCESS && data)
		text = data;
	else
		text = pam_getenv(x->pamh, ENV_LOGIN);
	if (!text || login_id_parse(text, id) < 0)
		return false;
	login_id_format(id, x->login_id);
	return true;
}

/* Who the helper runs as, NULL: no helper.  Only the kernel says who the invoker is: PAM_RUSER,
 * PAM_USER and the environment are what the caller likes them to be. */
static const char *helper_mode(const struct stage_context *x, const struct service_begin *begin)
{
	bool local = !*x->rhost || strcmp(x->rhost, "localhost") == 0;

	if (x->options.no_helper || !local || strcmp(begin->service_class, "app") == 0)
		return NULL;
	if (getuid() != 0)
		return "invoker";
	return begin->console ? "console" : NULL;
}

static const char *agent_socket(const struct stage_context *x)
{
	const char *s = getenv("SSH_AUTH_SOCK"); /* sudo is AT_SECURE: secure_getenv() has none */

	if (!s || !*s)
		s = pam_getenv(x->pamh, "SSH_AUTH_SOCK");
	return s && *s && text_ok(s, 107) ? s : NULL;
}

static enum outcome redeem(struct stage_context *x, struct vl_client *client,
			   uint8_t ticket[TICKET_BYTES])
{
	struct service_answer answer = { 0 };
	int r;

	renew_deadline(x, client);
	r = service_redeem(client, x->login_id, ticket, &answer);
	explicit_bzero(ticket, TICKET_BYTES);
	/* no module behind us may take a ticket for a password */
	(void)pam_set_item(x->pamh, PAM_AUTHTOK, NULL);
	if (r < 0)
		return call_failed(x, r);
	x->event = answer.event;
	if (!answer.allowed)
		return OUTCOME_DENIED;
	return keep_login(x) < 0 ? OUTCOME_ERROR : OUTCOME_ALLOWED;
}

/* By the helper, which must stay within this scope.  OUTCOME_NO_TICKET: somebody may type one. */
static enum outcome prove_by_helper(struct stage_context *x, struct vl_client *client,
				    const char *mode)
{
	const struct helper_request request = {
		.mode = mode,
		.login_id = x->login_id,
		.account = x->account,
		.service = x->service,
		.runtime_dir = x->options.runtime_dir,
		.pkcs11 = x->options.pkcs11,
		.agent_socket = strcmp(mode, "invoker") == 0 ? agent_socket(x) : NULL,
		.ask = converse_question,
		.choose = converse_choice,
		.userdata = &x->talk,
	};
	_cleanup_(helper_end) struct helper helper = { .fd = -1 };
	struct helper_answer answer;

	helper_run(&helper, &request, x->options.timeout_usec, &answer);
	if (answer.has_ticket)
		return redeem(x, client, answer.ticket);
	set_why(x, answer.why);
	x->event = answer.event;
	return answer.event > 0 ? OUTCOME_DENIED : OUTCOME_NO_TICKET;
}

/* A ticket is the authority's, all else the next module's: nothing goes to both. */
static enum outcome take_text(struct stage_context *x, struct vl_client *client, const char *text)
{
	uint8_t ticket[TICKET_BYTES];

	if (ticket_parse(text, strlen(text), ticket) == 0)
		return redeem(x, client, ticket);
	if (strncasecmp(text, "cl1-", 4) == 0)
		converse_say(&x->talk, PAM_ERROR_MSG, "certlogin: that ticket is mistyped");
	return pam_set_item(x->pamh, PAM_AUTHTOK, text) == PAM_SUCCESS ? OUTCOME_OTHER_TEXT
								       : OUTCOME_ERROR;
}

static enum outcome prove_by_prompt(struct stage_context *x, struct vl_client *client)
{
	_cleanup_(secret_freep) struct secret *text = NULL;
	char prompt[64];
	int r;

	(void)snprintf(prompt, sizeof(prompt), "%s ticket (login %s): ",
		       x->options.stacked ? "Password or certlogin" : "certlogin", x->login_id);
	r = converse_ask(&x->talk, prompt, &text);
	if (r < 0 || text->len == 0)
		return r == -ENOMEM ? OUTCOME_ERROR : OUTCOME_NO_TICKET;
	return take_text(x, client, (const char *)text->bytes);
}

/* In this order: what was typed before, the helper, a prompt. */
static enum outcome prove(struct stage_context *x, struct vl_client *client,
			  const struct service_begin *begin)
{
	bool look = x->options.try_first_pass || x->options.use_first_pass;
	const char *typed = look ? get_item(x, PAM_AUTHTOK) : "", *mode = helper_mode(x, begin);
	enum outcome outcome = OUTCOME_NO_TICKET;
	uint8_t ticket[TICKET_BYTES];

	if (ticket_parse(typed, strlen(typed), ticket) == 0)
		return redeem(x, client, ticket);
	if (mode)
		outcome = prove_by_helper(x, client, mode);
	if (outcome != OUTCOME_NO_TICKET)
		return outcome;
	if (x->options.use_first_pass)
		return *typed ? OUTCOME_OTHER_TEXT : OUTCOME_NO_TICKET;
	return prove_by_prompt(x, client);
}

static enum outcome authenticate(struct stage_context *x, struct vl_client *client)
{
	struct service_begin begin;
	enum outcome outcome;
	int r;

	r = service_begin(client, x->account, x->service, or_null(x->tty), or_null(x->rhost),
			  &begin);
	if (r < 0)
		return call_failed(x, r);
	memcpy(x->login_id, begin.login_id, sizeof(x->login_id));
	if (strcmp(begin.service_class, "app") == 0)
		x->talk.quiet = true; /* a program at the other end: nobody reads messages */
	outcome = prove(x, client, &begin);
	if (outcome == OUTCOME_NO_TICKET) {
		renew_deadline(x, client);
		(void)service_abandon(client, x->login_id, *x->why ? x->why : "no ticket was given",
				      &x->event);
	}
	return outcome;
}

static enum outcome check_account(struct stage_context *x, struct vl_client *client)
{
	struct service_answer answer = { 0 };
	int r = service_check_account(client, x->login_id, x->account, &answer);

	if (r < 0)
		return call_failed(x, r);
	x->event = answer.event;
	return answer.allowed ? OUTCOME_ALLOWED : OUTCOME_DENIED;
}

static bool kept_session(struct stage_context *x)
{
	const void *data = NULL;

	(void)kept_login(x);
	return pam_get_data(x->pamh, DATA_SESSION, &data) == PAM_SUCCESS && data;
}

static enum outcome open_session(struct stage_context *x, struct vl_client *client)
{
	struct service_answer answer = { 0 }, *keep;
	int r;

	/* the stack names us twice (su-l includes su): it is one session */
	if (kept_session(x))
		return OUTCOME_ALLOWED;
	r = service_open_session(client, x->login_id, x->account, getpid(), or_null(x->tty),
				 or_null(x->rhost), &answer);
	if (r < 0)
		return call_failed(x, r);
	x->event = answer.event;
	if (!answer.allowed)
		return OUTCOME_DENIED;
	keep = malloc(sizeof(*keep));
	if (keep)
		*keep = answer;
	if (keep_data(x, DATA_SESSION, keep) == 0)
		return OUTCOME_ALLOWED;
	(void)service_close_session(client, answer.session);
	return OUTCOME_ERROR;
}

static enum outcome close_session(struct stage_context *x, struct vl_client *client)
{
	const void *data = NULL;
	int r;

	if (pam_get_data(x->pamh, DATA_SESSION, &data) != PAM_SUCCESS || !data)
		return OUTCOME_ERROR;
	r = service_close_session(client, ((const struct service_answer *)data)->session);
	if (r < 0)
		return call_failed(x, r);
	(void)pam_set_data(x->pamh, DATA_SESSION, NULL, NULL);
	return OUTCOME_ALLOWED;
}

static const struct {
	bool (*ours)(struct stage_context *x); /* NULL: always */
	enum outcome (*run)(struct stage_context *x, struct vl_client *client);
} stages[STAGE_MAX_] = {
	[STAGE_AUTH] = { NULL, authenticate },
	[STAGE_ACCOUNT] = { kept_login, check_account },
	[STAGE_OPEN] = { kept_login, open_session },
	[STAGE_CLOSE] = { kept_session, close_session },
};

/* What is not ours is left before anything else is looked at, and without asking anybody: cron, atd
 * and root's console never depend on us. */
static enum outcome run_stage(struct stage_context *x, int argc, const char **argv)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	enum outcome outcome;
	int r;

	if (x->stage == STAGE_AUTH)
		forget_login(x);
	outcome = read_options(x, argc, argv);
	if (outcome != OUTCOME_ALLOWED)
		return outcome;
	if (stages[x->stage].ours && !stages[x->stage].ours(x))
		return x->options.strict ? OUTCOME_STRANGER : OUTCOME_NOT_OURS;
	outcome = read_items(x);
	if (outcome != OUTCOME_ALLOWED)
		return outcome;
	r = reach(x, &client);
	return r < 0 ? call_failed(x, r) : stages[x->stage].run(x, client);
}

static int enter(pam_handle_t *pamh, enum stage stage, int argc, const char **argv)
{
	struct stage_context x = { .pamh = pamh, .stage = stage };

	x.outcome = run_stage(&x, argc, argv);
	return finish(&x);
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, _unused_ int flags, int argc, const char **argv)
{
	return enter(pamh, STAGE_AUTH, argc, argv);
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, _unused_ int flags, int argc, const char **argv)
{
	return enter(pamh, STAGE_ACCOUNT, argc, argv);
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, _unused_ int flags, int argc, const char **argv)
{
	return enter(pamh, STAGE_OPEN, argc, argv);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, _unused_ int flags, int argc, const char **argv)
{
	return enter(pamh, STAGE_CLOSE, argc, argv);
}

/* Nothing to set; sshd does not stop a login for less than PAM_SUCCESS anyway. */
EXPORT int pam_sm_setcred(_unused_ pam_handle_t *pamh, _unused_ int flags, _unused_ int argc,
			  _unused_ const char **argv)
{
	return PAM_SUCCESS;
}

/* There is no password here to change. */
EXPORT int pam_sm_chauthtok(_unused_ pam_handle_t *pamh, _unused_ int flags, _unused_ int argc,
			    _unused_ const char **argv)
{
	return PAM_IGNORE;
}
