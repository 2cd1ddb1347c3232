// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/turn.h"

#include <errno.h>
#include <string.h>

#include "lib/base/log.h"

struct waiting {
	turn_func func;
	void *userdata;
};

struct turn {
	struct authority *a;
	sd_event_source *source;
	uint64_t since; /* the oldest that waits */
	bool wrote;	/* something waits for a write, not only for its place */
	size_t n;
	struct waiting queue[LIMIT_TURN_REPLIES];
};

static void report(struct turn *t, int r)
{
	struct authority *a = t->a;

	if (r < 0 && !a->commit_failed)
		log_error("the record cannot be written, logins are refused: %s", strerror(-r));
	if (r == 0 && a->commit_failed)
		log_notice("records are written again");
	a->commit_failed = r < 0;
	a->unsettled |= r < 0;
	if (store_ballast_released(a->store) && !a->ballast_logged) {
		log_line(LOG_CRIT, "the disk is full: the ballast was released; make room now, "
				   "then restart certlogind");
		a->ballast_logged = true;
	}
}

void turn_commit(struct turn *t)
{
	struct waiting queue[LIMIT_TURN_REPLIES];
	bool gone = t->wrote && !store_dirty(t->a->store);
	size_t n = t->n;
	int r;

	(void)sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
	if (n == 0 && !store_dirty(t->a->store))
		return;
	/* the write was ended by somebody else: how, nobody here knows */
	r = gone ? -EIO : store_commit(t->a->store);
	report(t, r);
	/* answers may defer again: the queue is empty before the first of them runs */
	memcpy(queue, t->queue, n * sizeof(*queue));
	t->n = 0;
	t->wrote = false;
	for (size_t i = 0; i < n; i++)
		queue[i].func(queue[i].userdata, r);
}

static int on_turn(_unused_ sd_event_source *source, void *userdata)
{
	turn_commit(userdata);
	return 0;
}

int turn_new(struct authority *a, struct turn **ret)
{
	_cleanup_(turn_freep) struct turn *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->a = a;
	r = sd_event_add_defer(a->event, &t->source, on_turn, t);
	if (r == 0)
		r = sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
	if (r < 0)
		return r;
	*ret = STEAL(t);
	return 0;
}

struct turn *turn_free(struct turn *t)
{
	if (t) {
		if (t->source)
			turn_commit(t);
		sd_event_source_disable_unref(t->source);
		free(t);
	}
	return NULL;
}

int turn_kick(struct turn *t)
{
	return sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT);
}

size_t turn_waiting(const struct turn *t)
{
	return t->n;
}

int turn_defer(struct turn *t, turn_func func, void *userdata)
{
	uint64_t now = clock_boottime(t->a->clock);
	int r = turn_kick(t);

	if (r < 0)
		return r;
	if (t->n == 0)
		t->since = now;
	/* it waits before anything is committed: what it has written may be undone by that commit,
	 * and then it must hear of it */
	t->wrote |= store_dirty(t->a->store);
	t->queue[t->n++] = (struct waiting){ func, userdata };
	if (t->n == LIMIT_TURN_REPLIES || now - t->since >= LIMIT_TURN_USEC)
		turn_commit(t);
	return 0;
}

struct reply {
	struct vl_call *call;
	json_t *parameters;
	bool denial;
};

static void reply_after(void *userdata, int r)
{
	struct reply *reply = userdata;

	/* the number of a row that there is not will be another's */
	if (r < 0 && reply->denial)
		r = json_object_set_new(reply->parameters, "event", json_integer(0));
	if (r < 0) {
		json_decref(reply->parameters);
		(void)vl_call_error_errno(reply->call, r);
	} else {
		(void)vl_call_reply(reply->call, reply->parameters);
	}
	free(reply);
}

static int reply_later(struct turn *t, struct vl_call *call, json_t *parameters, bool denial)
{
	struct reply *reply = calloc(1, sizeof(*reply));
	int r;

	if (!reply || !parameters) {
		free(reply);
		json_decref(parameters);
		return -ENOMEM;
	}
	*reply = (struct reply){ vl_call_ref(call), parameters, denial };
	r = turn_defer(t, reply_after, reply);
	if (r < 0) {
		json_decref(parameters);
		vl_call_drop(reply->call);
		free(reply);
	}
	return r;
}

int turn_reply(struct turn *t, struct vl_call *call, json_t *parameters)
{
	return reply_later(t, call, parameters, false);
}

int turn_reply_denial(struct turn *t, struct vl_call *call, json_t *parameters)
{
	return reply_later(t, call, parameters, true);
}
