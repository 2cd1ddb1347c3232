/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_PAM_LAB_H
#define TESTS_PAM_LAB_H

/*
 * The module in real PAM stacks (pam_start_confdir), against an authority and a helper that
 * misbehave on request: the account's name says how.  What a real authority decides is tested with
 * certlogind itself, elsewhere.
 */

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Redeemed by the lab's authority; pam-lab-prove.c gives it too. */
#define LAB_TICKET                                                                                 \
	{                                                                                          \
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15                               \
	}
#define LAB_LOGIN "AEBA-GBAF-AYD7-6"

/* What the authority has heard: shared with its process. */
struct lab_heard {
	unsigned begins, redeems, abandons, accounts, opens, closes;
	bool saw_password; /* the text "hunter2" in any call */
	char begin[512];   /* the last Begin */
	char abandon[512];
	char open[512];
};

struct lab {
	char dir[64];
	char ticket[64]; /* LAB_TICKET as text */
	pid_t authority;
	struct lab_heard *heard;
};

/* Has an authority that listens, and files for pam_start_confdir. */
void lab_start(struct lab *lab);
void lab_stop(struct lab *lab);
/* Writes dir/pam.d/NAME; @M stands for the module and its runtime_dir and timeout=1, @S for the
 * directory of the lab's own modules. */
void lab_stack(struct lab *lab, const char *name, const char *text);

/* What the user at the other end does and has seen. */
struct lab_user {
	const char *answers[8];
	unsigned n_answers;		 /* given so far */
	bool only_echo_off;		 /* as PostgreSQL */
	bool deaf;			 /* every conversation fails */
	bool null_answers;		 /* PAM_SUCCESS without an answer */
	unsigned prompts, messages, odd; /* odd: neither of the two, or PAM_PROMPT_ECHO_ON */
	char text[2048];		 /* all that was shown */
};

pam_handle_t *lab_pam(struct lab *lab, const char *service, const char *account,
		      struct lab_user *user);
/* One whole attempt: pam_authenticate()'s code. */
int lab_auth(struct lab *lab, const char *service, const char *account, struct lab_user *user);

/* What this thread has sent to syslog: the last line, and how many. */
extern _Thread_local char lab_log[1024];
extern _Thread_local unsigned lab_logs;
/* A ticket, or a secret that was typed, has been in a line since the start. */
extern bool lab_log_leak;

/* This process's children, less the authority; and its open descriptors. */
unsigned lab_children(const struct lab *lab);
unsigned lab_fds(void);
/* The real uid, where this test may choose it: root's sudo-like programs have another one. */
bool lab_real_uid(uid_t uid);

#endif
