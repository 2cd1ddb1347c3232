// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/authority.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>

#include "daemon/authority/housekeeping.h"
#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/sessions.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"
#include "lib/base/log.h"

static void anchors_free(struct anchor *anchors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)(uintptr_t)anchors[i].name);
		cert_free((struct cert *)(uintptr_t)anchors[i].cert);
	}
	free(anchors);
}

void authority_trust_clear(struct authority *a)
{
	anchors_free(a->anchors, a->n_anchors);
	a->anchors = NULL;
	a->n_anchors = 0;
}

static int read_anchors(struct authority *a, const struct anchor_row *rows, size_t n)
{
	struct anchor *anchors = calloc(n ? n : 1, sizeof(*anchors));
	size_t have = 0;

	if (!anchors)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct cert *cert = NULL;
		char *name = strdup(rows[i].name);

		if (!name || cert_parse(rows[i].der, rows[i].der_n, &cert) < 0) {
			log_warning("the anchor %s cannot be read and is not trusted",
				    rows[i].name);
			free(name);
			continue;
		}
		anchors[have++] = (struct anchor){ rows[i].id, name, cert };
	}
	authority_trust_clear(a);
	a->anchors = anchors;
	a->n_anchors = have;
	return 0;
}

int authority_trust_changed(struct authority *a)
{
	struct anchor_row *rows;
	size_t n;
	int r;

	/* first of all nothing is remembered: a failure below must not leave old trust in place */
	trust_cache_clear(a->cache);
	r = store_anchor_list(a->store, &rows, &n);
	if (r < 0) {
		authority_trust_clear(a);
		return r;
	}
	r = read_anchors(a, rows, n);
	anchor_rows_free(rows, n);
	if (r < 0)
		authority_trust_clear(a);
	return r;
}

#define SYNCHRONISED_FOR_USEC (10 * USEC_PER_SEC) /* not asked at every decision */

static bool synchronised(struct authority *a)
{
	uint64_t now = clock_boottime(a->clock);
	struct timex t = { 0 };
	int state;

	if (now - a->synchronised_at >= SYNCHRONISED_FOR_USEC) {
		state = adjtimex(&t);
		a->synchronised = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
		a->synchronised_at = now;
	}
	return a->synchronised;
}

int64_t authority_now(struct authority *a)
{
	return store_now(a->store, synchronised(a));
}

/* --- once a second, and once a minute --- */

struct housekeeping {
	struct authority *a;
	sd_event_source *timer;
	unsigned seconds;
};

/* The head goes to the journal, which another uid writes: a rewritten chain does not match it. */
static void tell_head(struct authority *a)
{
	uint8_t hash[SHA256_BYTES];
	char hex[HEX_SIZE(SHA256_BYTES)];
	int64_t id;

	store_event_head(a->store, &id, hash);
	if (id == a->head_told || store_dirty(a->store))
		return;
	hex_encode(hash, sizeof(hash), hex);
	log_info("audit head: event %" PRId64 " %s", id, hex);
	a->head_told = id;
}

static void tell_suppressed(struct authority *a)
{
	uint64_t n = limits_suppressed(a->limits);
	char detail[64];

	if (n == 0)
		return;
	(void)snprintf(detail, sizeof(detail), "{\"denials\":%" PRIu64 "}", n);
	log_notice("%" PRIu64 " denials of the last minute have no row of their own", n);
	(void)store_event_append(a->store,
				 &(struct event){ .kind = "limit.summary",
						  .verdict = "deny",
						  .reason = "limit",
						  .detail = detail },
				 NULL);
	(void)turn_kick(a->turn);
}

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
	if (!store_dirty(a->store))
		(void)store_checkpoint(a->store);
	(void)sd_notifyf(0, "STATUS=%" PRIu64 " logins allowed, %" PRIu64 " denied",
			 a->logins_allowed, a->logins_denied);
}

#define HEAD_ROWS 1000

static int on_second(sd_event_source *timer, _unused_ uint64_t usec, void *userdata)
{
	struct housekeeping *h = userdata;
	struct authority *a = h->a;
	uint64_t now = clock_boottime(a->clock);
	uint8_t hash[SHA256_BYTES];
	int64_t head;

	logins_sweep(a->logins);
	store_event_head(a->store, &head, hash);
	if (head - a->head_told >= HEAD_ROWS)
		tell_head(a);
	if (++h->seconds % 60 == 0)
		each_minute(a);
	if (!idle(a))
		a->last_activity = now;
	else if (a->idle_exit && now - a->last_activity >= a->idle_exit)
		return sd_event_exit(a->event, 0);
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
	a->last_activity = clock_boottime(a->clock);
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
