// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "daemon/store/internal.h"

static int read_rule(sqlite3_stmt *q, struct rule_row *ret)
{
	ret->anchor = sqlite3_column_int64(q, 1);
	ret->position = sqlite3_column_int64(q, 3);
	ret->goes_on = sqlite3_column_int(q, 7) == 1;
	ret->creates = sqlite3_column_int(q, 8) == 1;
	ret->created = sqlite3_column_int64(q, 9);
	return column_text(q, 0, ret->name, sizeof(ret->name)) < 0 ||
			       column_text(q, 2, ret->anchor_name, sizeof(ret->anchor_name)) < 0 ||
			       column_text(q, 4, ret->match, sizeof(ret->match)) < 0 ||
			       column_text(q, 5, ret->yield, sizeof(ret->yield)) < 0 ||
			       column_text(q, 6, ret->domains, sizeof(ret->domains)) < 0
		       ? -EUCLEAN
		       : 0;
}

int store_rule_list(struct store *s, struct rule_row **ret, size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_RULE_LIST, "");
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct rule_row *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_rule(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

int store_rule_add(struct store *s, const struct rule_row *row)
{
	int r = store_policy(s, STMT_RULE_ADD, "ttttiiiit", row->name, row->match, row->yield,
			     row->domains, (int64_t)row->goes_on, (int64_t)row->creates,
			     clock_realtime(s->clock), (int64_t)s->revision + 1, row->anchor_name);

	return r == 0 && row->position > 0 ? store_rule_move(s, row->name, row->position) : r;
}

int store_rule_remove(struct store *s, const char *name)
{
	return store_policy(s, STMT_RULE_REMOVE, "t", name);
}

/* In two steps, because positions are unique also within a statement. */
int store_rule_move(struct store *s, const char *name, int64_t position)
{
	int r = store_policy(s, STMT_RULE_ORDER, "ti", name, position);

	return r < 0 ? r : store_policy(s, STMT_RULE_ORDERED, "i", (int64_t)s->revision + 1);
}
