// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam/outcome.h"

#include <security/pam_modules.h>

/*
 * PAM_IGNORE stands only where somebody else authenticated: an error that is ignored lets a stack
 * of `required` modules succeed without us (CVE-2025-24531, CVE-2025-23013).
 *
 * PAM_SESSION_ERR is never returned for opening: sudo takes it as a warning and runs the command
 * (plugins/sudoers/auth/pam.c), which would be a login without its session row.
 */
static const struct {
	const char *name;
	int code[STAGE_MAX_]; /* auth, account, open session, close session */
} table[OUTCOME_MAX_] = {
	[OUTCOME_ERROR] = { "error",
			    { PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, PAM_SESSION_ERR } },
	[OUTCOME_MISCONFIGURED] = { "misconfigured",
				    { PAM_SERVICE_ERR, PAM_SERVICE_ERR, PAM_SERVICE_ERR,
				      PAM_SESSION_ERR } },
	[OUTCOME_UNREACHABLE] = { "authority not reachable",
				  { PAM_AUTHINFO_UNAVAIL, PAM_PERM_DENIED, PAM_SYSTEM_ERR,
				    PAM_SESSION_ERR } },
	[OUTCOME_DENIED] = { "denied",
			     { PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_SESSION_ERR } },
	[OUTCOME_NO_TICKET] = { "no ticket",
				{ PAM_AUTHINFO_UNAVAIL, PAM_PERM_DENIED, PAM_PERM_DENIED,
				  PAM_SESSION_ERR } },
	[OUTCOME_OTHER_TEXT] = { "not a ticket",
				 { PAM_AUTHINFO_UNAVAIL, PAM_PERM_DENIED, PAM_PERM_DENIED,
				   PAM_SESSION_ERR } },
	[OUTCOME_NOT_OURS] = { "not ours", { PAM_AUTH_ERR, PAM_IGNORE, PAM_IGNORE, PAM_IGNORE } },
	[OUTCOME_STRANGER] = { "not ours, strict",
			       { PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_PERM_DENIED, PAM_IGNORE } },
	[OUTCOME_ALLOWED] = { "allowed", { PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS } },
};

int outcome_to_pam(enum outcome outcome, enum stage stage)
{
	return table[outcome].code[stage];
}

const char *outcome_name(enum outcome outcome)
{
	return table[outcome].name;
}

const char *stage_name(enum stage stage)
{
	static const char *const names[STAGE_MAX_] = { "auth", "account", "open session",
						       "close session" };

	return names[stage];
}
