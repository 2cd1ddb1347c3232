// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/audit.h"

#include <errno.h>

static char *detail_of(struct decision *d)
{
	json_t *extra = STEAL(d->extra), *detail = verdict_json(d->verdict);
	char *text = NULL;

	if (detail && (!extra || json_object_update(detail, extra) == 0))
		text = json_dumps(detail, JSON_COMPACT);
	json_decref(extra);
	json_decref(detail);
	return text;
}

int audit_decision(struct authority *a, struct decision *d, int64_t *ret_event)
{
	_cleanup_(freep) char *detail = detail_of(d);
	const struct verdict *v = d->verdict;
	struct event e = d->fields;
	int64_t id = 0;
	int r;

	a->logins_denied += !v->allowed;
	if (!v->allowed &&
	    !limits_take_row(a->limits, d->pool, d->charged, clock_boottime(a->clock))) {
		*ret_event = 0;
		return 0;
	}
	if (!detail)
		return -ENOMEM;
	e.kind = d->kind;
	e.verdict = v->allowed ? "allow" : "deny";
	e.reason = reason_name(v->reason);
	e.detail = detail;
	r = store_event_append(a->store, &e, &id);
	if (r < 0)
		return r;
	*ret_event = id;
	return 0;
}
