// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

static int rule_load(const struct rule_row *row, struct rule *ret)
{
	struct certmap_error e = { 0, "" };
	int r;

	memcpy(ret->name, row->name, sizeof(ret->name));
	memcpy(ret->anchor_name, row->anchor_name, sizeof(ret->anchor_name));
	ret->anchor = row->anchor;
	ret->goes_on = row->goes_on;
	ret->creates = row->creates;
	r = certmap_match_parse(row->match, &ret->match, &e);
	if (r == 0)
		r = certmap_yield_parse(row->yield, row->domains, &ret->yield, &e);
	if (r == -EINVAL) {
		log_warning("the rule %s cannot be read and maps nobody: %s", row->name, e.why);
		ret->match = certmap_match_free(ret->match);
		r = 0;
	}
	return r;
}

int rules_load(struct store *s, struct rules **ret)
{
	_cleanup_(rules_freep) struct rules *rules = calloc(1, sizeof(*rules));
	_cleanup_(freep) struct rule_row *rows = NULL;
	size_t n;
	int r;

	if (!rules)
		return -ENOMEM;
	r = store_rule_list(s, &rows, &n);
	if (r < 0)
		return r;
	rules->items = calloc(n ? n : 1, sizeof(*rules->items));
	if (!rules->items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = rule_load(&rows[i], &rules->items[rules->n++]);
		if (r < 0)
			return r;
	}
	*ret = STEAL(rules);
	return 0;
}

struct rules *rules_free(struct rules *r)
{
	for (size_t i = 0; r && i < r->n; i++) {
		certmap_match_free(r->items[i].match);
		certmap_yield_free(r->items[i].yield);
	}
	if (r)
		free(r->items);
	free(r);
	return NULL;
}

int rule_try(const struct rule *r, const struct cert *leaf, struct rule_result *ret)
{
	int result;

	*ret = (struct rule_result){ .matched = true };
	if (!r->match) {
		strcpy(ret->why, "the rule cannot be read");
		return 0;
	}
	ret->matched = certmap_matches(r->match, leaf, ret->missed, sizeof(ret->missed));
	if (!ret->matched)
		return 0;
	result = certmap_yield_name(r->yield, leaf, ret->name, ret->why, sizeof(ret->why));
	return result == -ENOENT ? 0 : result;
}

static void _printf_(2, 3) note(struct mapping *m, const char *format, ...)
{
	va_list ap;

	if (*m->note) /* the first says most */
		return;
	va_start(ap, format);
	(void)vsnprintf(m->note, sizeof(m->note), format, ap);
	va_end(ap);
}

static bool is_known(const struct mapping *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->found[i].owner.identity_name, name) == 0)
			return true;
	for (size_t i = 0; i < m->n_missing; i++)
		if (strcmp(m->missing[i].name, name) == 0)
			return true;
	return false;
}

static void add_found(struct mapping *m, const struct rule *rule, const struct identity *i)
{
	struct certificate_owner *o = &m->found[m->n].owner;

	memcpy(m->found[m->n].rule, rule->name, sizeof(rule->name));
	o->identity = i->id;
	memcpy(o->identity_name, i->name, sizeof(o->identity_name));
	o->enabled = i->enabled;
	o->not_before = i->not_before;
	o->not_after = i->not_after;
	m->n++;
}

static int add_name(struct mapping *m, struct store *s, const struct rule *rule, const char *name)
{
	struct identity identity;
	int r;

	if (is_known(m, name))
		return 0;
	r = store_identity_get(s, name, &identity);
	if (r == 0)
		add_found(m, rule, &identity);
	if (r != -ENOENT)
		return r;
	note(m, "rule %.40s yields %.60s, %s", rule->name, name,
	     rule->creates ? "whom a login adds" : "and there is no such identity");
	if (rule->creates) {
		memcpy(m->missing[m->n_missing].rule, rule->name, sizeof(rule->name));
		strcpy(m->missing[m->n_missing++].name, name);
	}
	return 0;
}

int rules_map(const struct rules *r, struct store *s, int64_t anchor, const struct cert *leaf,
	      struct mapping *ret)
{
	*ret = (struct mapping){ 0 };
	for (size_t i = 0; r && i < r->n; i++) {
		const struct rule *rule = &r->items[i];
		struct rule_result x;
		int result;

		if (rule->anchor != anchor)
			continue;
		result = rule_try(rule, leaf, &x);
		if (result < 0)
			return result;
		if (!x.matched)
			continue;
		if (!*x.name)
			note(ret, "rule %.40s yields nobody: %.100s", rule->name, x.why);
		else if (ret->n + ret->n_missing < LIMIT_RULE_IDENTITIES)
			result = add_name(ret, s, rule, x.name);
		if (result < 0 || !rule->match || !rule->goes_on)
			return result;
	}
	return 0;
}
