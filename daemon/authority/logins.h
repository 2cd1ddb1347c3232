/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_LOGINS_H
#define AUTHORITY_LOGINS_H

#include "daemon/authority/authority.h"
#include "daemon/authority/tickets.h"

/*
 * Logins and tickets, in memory alone: begin -> commit (a ticket's hash, signed for) -> redeem ->
 * account, session.  A login belongs to the connection that began it and ends with it, unless it
 * was redeemed: then it is known for LIMIT_REDEEMED_USEC, to the uid that redeemed it.  A restart
 * forgets all of them, and users try again.  All times here are CLOCK_BOOTTIME.
 */

enum login_state { LOGIN_BEGUN, LOGIN_REDEEMED, LOGIN_OPENED };

struct login {
	uint8_t id[LOGIN_ID_BYTES];
	char id_text[LOGIN_ID_TEXT_SIZE];
	enum login_state state;
	char account[LIMIT_ACCOUNT + 1];
	char service[LIMIT_SERVICE + 1];
	char tty[LIMIT_TTY + 1]; /* claimed by `uid`, unless that is root */
	char rhost[LIMIT_RHOST + 1];
	uid_t uid;
	uid_t real_uid; /* who started a setuid caller: sudo's invoker */
	pid_t pid;
	uint64_t since; /* begun, then redeemed */
	unsigned tries; /* failed redeems */
	unsigned tickets;
	int64_t denied_event;	   /* of the newest denied commit */
	struct evidence *evidence; /* from redeem on */
	bool hand_carried, loose;
	/* of logins.c */
	LIST_ENTRY(login) bucket;
	TAILQ_ENTRY(login) order;
};

struct login_request {
	const char *account, *service, *tty, *rhost;
	uid_t uid, real_uid;
	pid_t pid;
};

struct outcome {
	bool allowed;
	enum reason reason;
	int64_t event; /* 0: none */
	char identity[LIMIT_IDENTITY + 1];
};

/* --- logins.c: how they come and go --- */

int logins_new(struct authority *a, struct logins **ret);
struct logins *logins_free(struct logins *l);
DEFINE_FREEP(struct logins, logins_free);
size_t logins_count(const struct logins *l);
void logins_sweep(struct logins *l); /* forgets what is too old */
struct tickets *logins_tickets(struct logins *l);

/* -EAGAIN: LIMIT_LOGINS. */
int login_begin(struct authority *a, const struct login_request *request, struct login **ret);
struct login *login_find(struct logins *l, const uint8_t id[LOGIN_ID_BYTES]);
void login_end(struct logins *l, struct login *login);
/* Begun, and not too old to be proved for or redeemed; NULL is not. */
bool login_waits(const struct login *login, uint64_t now);
void login_redeemed(struct authority *a, struct login *login);

/* --- login-decide.c: what is decided about them, and written down (not yet durable) --- */

struct commit_request {
	struct evidence *evidence;
	uint8_t ticket_hash[SHA256_BYTES];
	const uint8_t *login_id; /* NULL: loose */
	const char *account, *service;
};
/* Keeps the ticket when allowed. */
int login_commit(struct authority *a, const struct commit_request *request, struct outcome *ret);
/* The record of its commit was lost: it is good for nothing. */
void ticket_forget(struct logins *l, const uint8_t hash[SHA256_BYTES]);
/* Likewise of a denied one: its number is not that of the login's denial.  No such login: nothing. */
void login_forget_denial(struct logins *l, const uint8_t id[LOGIN_ID_BYTES]);

/* The login's state changes with login_redeemed(), when the record is durable.  A ticket that fits
 * is spent, whatever is decided; one for another login, account or service is not. */
int login_redeem(struct authority *a, struct login *login, const uint8_t ticket[TICKET_BYTES],
		 struct outcome *ret);
/* *ret_event 0: its source has used up its rows. */
int login_abandon(struct authority *a, struct login *login, const char *claimed,
		  int64_t *ret_event);
/* Decides again for a redeemed login, with the facts of now.  Only a denial is written. */
int login_recheck(struct authority *a, struct login *login, const char *kind, struct outcome *ret);

/* The login that a key holder may be shown before he commits to it: NULL unless his identity may
 * use its account. */
const struct login *login_shown(struct authority *a, const struct evidence *e,
				const uint8_t id[LOGIN_ID_BYTES]);

#endif
