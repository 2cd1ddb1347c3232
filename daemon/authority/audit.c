// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/audit.h"

#include <errno.h>

static int put_detail(struct buf *b, const struct decision *d)
{
	buf_put_u8(b, '{');
	verdict_put(b, d->verdict);
	buf_put_text(b, d->extra ? d->extra : "");
	buf_put(b, "}", sizeof("}"));
	return b->error;
}

int audit_decision(struct authority *a, struct decision *d, int64_t *ret_event)
{
	_cleanup_(buf_deinitp) struct buf detail = { 0 };
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
	r = put_detail(&detail, d);
	if (r < 0)
		return r;
	e.kind = d->kind;
	e.verdict = v->allowed ? "allow" : "deny";
	e.reason = reason_name(v->reason);
	e.detail = (const char *)detail.p;
	r = store_event_append(a->store, &e, &id);
	if (r < 0)
		return r;
	*ret_event = id;
	return 0;
}
