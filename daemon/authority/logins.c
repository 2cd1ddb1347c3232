// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/logins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUCKETS 4096

LIST_HEAD(login_bucket, login);

/* Ids are random and ours: no stranger chooses a bucket. */
struct logins {
	struct authority *a;
	struct tickets *tickets;
	size_t n;
	struct login_bucket buckets[BUCKETS];
	TAILQ_HEAD(, login) order;
};

static struct login_bucket *bucket_of(struct logins *l, const uint8_t id[LOGIN_ID_BYTES])
{
	return &l->buckets[(size_t)(id[0] << 8 | id[1]) % BUCKETS];
}

int logins_new(struct authority *a, struct logins **ret)
{
	_cleanup_(logins_freep) struct logins *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->a = a;
	TAILQ_INIT(&l->order);
	r = tickets_new(&l->tickets);
	if (r < 0)
		return r;
	*ret = STEAL(l);
	return 0;
}

struct logins *logins_free(struct logins *l)
{
	struct login *login;

	if (l) {
		while ((login = TAILQ_FIRST(&l->order)))
			login_end(l, login);
		tickets_free(l->tickets);
		free(l);
	}
	return NULL;
}

size_t logins_count(const struct logins *l)
{
	return l->n;
}

struct tickets *logins_tickets(struct logins *l)
{
	return l->tickets;
}

/* A login that was begun ends with its connection; one that was redeemed has none any more. */
void logins_sweep(struct logins *l)
{
	uint64_t now = clock_boottime(l->a->clock);
	struct login *login = TAILQ_FIRST(&l->order), *next;

	tickets_sweep(l->tickets, now);
	for (; login; login = next) {
		next = TAILQ_NEXT(login, order);
		if (login->state != LOGIN_BEGUN && now - login->since > LIMIT_REDEEMED_USEC)
			login_end(l, login);
	}
}

struct login *login_find(struct logins *l, const uint8_t id[LOGIN_ID_BYTES])
{
	struct login *login;

	LIST_FOREACH(login, bucket_of(l, id), bucket)
	if (memcmp(login->id, id, LOGIN_ID_BYTES) == 0)
		return login;
	return NULL;
}

bool login_waits(const struct login *login, uint64_t now)
{
	return login && login->state == LOGIN_BEGUN && now - login->since <= LIMIT_LOGIN_USEC;
}

static void copy_text(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from ? from : "");
}

static int make_id(struct logins *l, struct login *login)
{
	do
		if (random_bytes(login->id, sizeof(login->id)) < 0)
			return -EIO;
	while (login_find(l, login->id));
	login_id_format(login->id, login->id_text);
	return 0;
}

int login_begin(struct authority *a, const struct login_request *request, struct login **ret)
{
	_cleanup_(freep) struct login *login = NULL;
	struct logins *l = a->logins;
	int r;

	if (l->n >= LIMIT_LOGINS)
		return -EAGAIN;
	login = calloc(1, sizeof(*login));
	if (!login)
		return -ENOMEM;
	r = make_id(l, login);
	if (r < 0)
		return r;
	copy_text(login->account, sizeof(login->account), request->account);
	copy_text(login->service, sizeof(login->service), request->service);
	copy_text(login->tty, sizeof(login->tty), request->tty);
	copy_text(login->rhost, sizeof(login->rhost), request->rhost);
	login->uid = request->uid;
	login->real_uid = request->real_uid;
	login->pid = request->pid;
	login->since = clock_boottime(a->clock);
	LIST_INSERT_HEAD(bucket_of(l, login->id), login, bucket);
	TAILQ_INSERT_TAIL(&l->order, login, order);
	l->n++;
	*ret = STEAL(login);
	return 0;
}

void login_end(struct logins *l, struct login *login)
{
	LIST_REMOVE(login, bucket);
	TAILQ_REMOVE(&l->order, login, order);
	l->n--;
	evidence_unref(login->evidence);
	free(login);
}

void login_redeemed(struct authority *a, struct login *login)
{
	login->state = LOGIN_REDEEMED;
	login->since = clock_boottime(a->clock);
	a->logins_allowed++;
}
