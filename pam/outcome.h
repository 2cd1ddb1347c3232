/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAM_OUTCOME_H
#define PAM_OUTCOME_H

/* What a stage came to, and the one table that makes a PAM code of it.  Zero denies. */

enum outcome {
	OUTCOME_ERROR, /* memory, or PAM itself */
	OUTCOME_MISCONFIGURED,
	OUTCOME_UNREACHABLE, /* the authority is away, hangs, fails or talks nonsense */
	OUTCOME_DENIED,
	OUTCOME_NO_TICKET,  /* neither a key nor a ticket could be had */
	OUTCOME_OTHER_TEXT, /* what was typed is no ticket: the next module's, as PAM_AUTHTOK */
	OUTCOME_NOT_OURS,   /* somebody else authenticated */
	OUTCOME_STRANGER,   /* the same, under `strict` */
	OUTCOME_ALLOWED,
	OUTCOME_MAX_,
};

enum stage { STAGE_AUTH, STAGE_ACCOUNT, STAGE_OPEN, STAGE_CLOSE, STAGE_MAX_ };

int outcome_to_pam(enum outcome outcome, enum stage stage);
const char *outcome_name(enum outcome outcome);
const char *stage_name(enum stage stage);

#endif
