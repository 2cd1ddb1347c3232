// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/housekeeping.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/sessions.h"
#include "daemon/authority/turn.h"
#include "daemon/authority/warnings.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"

struct housekeeping {
	struct authority *a;
	sd_event_source *timer;
	uint64_t minute; /* began */
};

/* The head goes to the journal, which another uid writes: a rewritten chain does not match it.
 * Only what is durable is told. */
static void tell_head(struct authority *a)
{
	uint8_t hash[SHA256_BYTES];
	char hex[HEX_SIZE(SHA256_BYTES)];
	int64_t id;

	turn_commit(a->turn);
	store_event_head(a->store, &id, hash);
	if (id == a->head_told || store_dirty(a->store))
		return;
	hex_encode(hash, sizeof(hash), hex);
	log_info("audit head: event %" PRId64 " %s", id, hex);
	a->head_told = id;
}

static char *summary_json(const struct limits_summary *m)
{
	json_t *sources = json_array(), *detail;
	char *text;

	for (size_t i = 0; i < m->n; i++)
		(void)json_array_append_new(sources,
					    json_pack("{s:s, s:s, s:I}", "source", m->top[i].source,
						      "pool", limit_pool_name(m->top[i].pool),
						      "denials", (json_int_t)m->top[i].denials));
	detail = json_pack("{s:I, s:o}", "denials", (json_int_t)m->denials, "most", sources);
	text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
	json_decref(detail);
	return text;
}

static void tell_suppressed(struct authority *a)
{
	_cleanup_(freep) char *detail = NULL;
	struct limits_summary m;

	if (!limits_summary(a->limits, &m))
		return;
	log_notice("%" PRIu64 " denials of the last minute have no row of their own, most by %s",
		   m.denials, m.n > 0 ? m.top[0].source : "many");
	detail = summary_json(&m);
	(void)store_event_append(a->store,
				 &(struct event){ .kind = "limit.summary",
						  .verdict = "deny",
						  .reason = reason_name(REASON_LIMIT),
						  .source = m.n > 0 ? m.top[0].source : "",
						  .detail = detail },
				 NULL);
	(void)turn_kick(a->turn);
}

/* Connected gates with nothing but nonces in stock are idle, and so are sessions: they are rows,
 * watched again at the next start.  The sockets stay with systemd: nobody who connects meanwhile
 * is lost. */
static bool idle(const struct authority *a)
{
	return logins_count(a->logins) == 0 && links_slots_busy(a->links) == 0 &&
	       turn_waiting(a->turn) == 0 && !store_dirty(a->store) &&
	       vl_server_connections(a->service_api) == 0 &&
	       vl_server_connections(a->admin_api) == 0;
}

static void each_minute(struct authority *a)
{
	if (a->unsettled) /* the end of a session may have been among what was undone */
		(void)sessions_settle(a->sessions);
	tell_suppressed(a);
	tell_head(a);
	warnings_tell(a);
	if (!store_dirty(a->store))
		(void)store_checkpoint(a->store);
	(void)sd_notifyf(0, "STATUS=%" PRIu64 " logins allowed, %" PRIu64 " denied",
			 a->logins_allowed, a->logins_denied);
}

/* What is left of removed anchors, a slice a second. */
static void clean(struct authority *a)
{
	bool more = false;

	if (store_crl_clean(a->store, LIMIT_CRL_SLICE, &more) < 0 || more)
		(void)turn_kick(a->turn);
}

bool housekeeping_tick(struct housekeeping *h)
{
	struct authority *a = h->a;
	uint64_t now = clock_boottime(a->clock);
	uint8_t hash[SHA256_BYTES];
	int64_t head;

	logins_sweep(a->logins);
	links_sweep(a->links);
	clean(a);
	store_event_head(a->store, &head, hash);
	if (head - a->head_told >= HEAD_ROWS)
		tell_head(a);
	if (now - h->minute >= 60 * USEC_PER_SEC) {
		h->minute = now;
		each_minute(a);
	}
	if (!idle(a))
		a->last_activity = now;
	return a->idle_exit && now - a->last_activity >= a->idle_exit;
}

static int on_second(sd_event_source *timer, _unused_ uint64_t usec, void *userdata)
{
	struct housekeeping *h = userdata;

	if (housekeeping_tick(h))
		return sd_event_exit(h->a->event, 0);
	(void)sd_event_source_set_time_relative(timer, USEC_PER_SEC);
	return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

int housekeeping_new(struct authority *a, struct housekeeping **ret)
{
	_cleanup_(housekeeping_freep) struct housekeeping *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->a = a;
	h->minute = a->last_activity = clock_boottime(a->clock);
	r = sd_event_add_time_relative(a->event, &h->timer, CLOCK_MONOTONIC, USEC_PER_SEC, 0,
				       on_second, h);
	if (r < 0)
		return r;
	*ret = STEAL(h);
	return 0;
}

struct housekeeping *housekeeping_free(struct housekeeping *h)
{
	if (h) {
		tell_head(h->a);
		sd_event_source_disable_unref(h->timer);
		free(h);
	}
	return NULL;
}
