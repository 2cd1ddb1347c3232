// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/api-admin.h"
#include "daemon/authority/rules.h"
#include "lib/base/name.h"

static json_t *domains_json(const char *domains)
{
	json_t *array = json_array();

	for (const char *s = domains; *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		if (json_array_append_new(array, json_stringn(s, n)) < 0) {
			json_decref(array);
			return NULL;
		}
		s += n;
	}
	return array;
}

static json_t *rule_json(const void *row)
{
	const struct rule_row *r = row;

	return json_pack("{s:s, s:s, s:I, s:s, s:s, s:o, s:b, s:b, s:I}", "name", r->name, "anchor",
			 r->anchor_name, "position", (json_int_t)r->position, "match", r->match,
			 "yield", r->yield, "domains", domains_json(r->domains), "continue",
			 r->goes_on, "createIdentities", r->creates, "created",
			 (json_int_t)r->created);
}

static int finish_rule(struct authority *a, struct vl_call *call, int r, const struct rule_row *row,
		       bool add)
{
	return admin_finish(
		a, call, r,
		&(struct admin_change){ .kind = add ? "admin.rule.add" : "admin.rule.remove",
					.what = "rule",
					.detail = rule_json(row),
					.reply = add ? json_pack("{s:o}", "rule", rule_json(row))
						     : json_object(),
					.changed = authority_trust_changed });
}

/* --- AddRule --- */

/* Answers what is wrong: 1; else 0, or -errno. */
static int refuse(struct vl_call *call, const char *field, const char *why)
{
	int r = admin_invalid(call, field, why);

	return r < 0 ? r : 1;
}

static int refuse_at(struct vl_call *call, const char *field, const struct certmap_error *e)
{
	char why[sizeof(e->why) + 32];

	(void)snprintf(why, sizeof(why), "byte %zu: %s", e->at, e->why);
	return refuse(call, field, why);
}

static int read_domains(struct vl_call *call, const json_t *array, struct rule_row *row)
{
	const json_t *text;
	size_t i, n = 0;

	json_array_foreach(array, i, text) {
		const char *s = json_string_value(text);

		if (!certmap_domain_ok(s))
			return refuse(call, "domains", "one of them cannot be a domain");
		if (n + 1 + strlen(s) >= sizeof(row->domains))
			return refuse(call, "domains", "they are too long");
		n += (size_t)snprintf(row->domains + n, sizeof(row->domains) - n, "%s%s",
				      n > 0 ? " " : "", s);
	}
	return 0;
}

/* Do both halves compile? */
static int check_rule(struct vl_call *call, const struct rule_row *row)
{
	_cleanup_(certmap_match_freep) struct certmap_match *match = NULL;
	_cleanup_(certmap_yield_freep) struct certmap_yield *yield = NULL;
	struct certmap_error e = { 0, "" };
	int r = certmap_match_parse(row->match, &match, &e);

	if (r == -EINVAL)
		return refuse_at(call, "match", &e);
	if (r == 0)
		r = certmap_yield_parse(row->yield, row->domains, &yield, &e);
	return r == -EINVAL ? refuse_at(call, "yield", &e) : r;
}

static int check_place(struct authority *a, struct vl_call *call, struct rule_row *row,
		       int64_t position)
{
	_cleanup_(freep) struct rule_row *rows = NULL;
	size_t n;
	int r = store_rule_list(a->store, &rows, &n);

	if (r < 0)
		return r;
	if (n >= LIMIT_RULES)
		return refuse(call, "name", "there are as many rules as there can be");
	if (position < 1 || (uint64_t)position > n + 1)
		return position == 0 ? 0 : refuse(call, "position", "there is no such place");
	row->position = position;
	return 0;
}

static const struct anchor *find_anchor(const struct authority *a, const char *name)
{
	for (size_t i = 0; i < a->n_anchors; i++)
		if (strcmp(a->anchors[i].name, name) == 0)
			return &a->anchors[i];
	return NULL;
}

static int read_rule(struct authority *a, struct vl_call *call, const json_t *p,
		     struct rule_row *row)
{
	const json_t *place = json_object_get(p, "position");
	int64_t position = admin_int(p, "position", 0);
	int r;

	if (!identity_name_ok(admin_text(p, "name")))
		return refuse(call, "name", "this cannot be the name of a rule");
	if (!find_anchor(a, admin_text(p, "anchor"))) {
		r = admin_fail(call, -ENOENT, "anchor");
		return r < 0 ? r : 1;
	}
	/* their lengths were checked with the names, and by the dispatch table */
	strcpy(row->name, admin_text(p, "name"));
	strcpy(row->anchor_name, admin_text(p, "anchor"));
	strcpy(row->match, admin_text(p, "match"));
	strcpy(row->yield, admin_text(p, "yield"));
	row->goes_on = admin_bool(p, "continue", false);
	row->creates = admin_bool(p, "createIdentities", false);
	row->created = clock_realtime(a->clock);
	r = read_domains(call, json_object_get(p, "domains"), row);
	if (r == 0)
		r = check_rule(call, row);
	if (r == 0)
		r = check_place(a, call, row,
				json_is_integer(place) && position == 0 ? -1 : position);
	return r;
}

/* The row as the store has it; -ENOENT. */
static int find_rule(struct authority *a, const char *name, struct rule_row *ret)
{
	_cleanup_(freep) struct rule_row *rows = NULL;
	size_t n;
	int r = store_rule_list(a->store, &rows, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (strcmp(rows[i].name, name) == 0) {
			*ret = rows[i];
			return 0;
		}
	return r < 0 ? r : -ENOENT;
}

int admin_add_rule(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct rule_row row = { 0 };
	int r = read_rule(a, call, p, &row);

	if (r != 0)
		return r < 0 ? r : 0;
	r = store_change_begin(a->store);
	if (r < 0)
		return r;
	r = store_rule_add(a->store, &row);
	if (r == 0)
		r = find_rule(a, row.name, &row);
	return finish_rule(a, call, r, &row, true);
}

int admin_remove_rule(struct vl_call *call, json_t *p, void *userdata)
{
	struct authority *a = userdata;
	struct rule_row row;
	int r = find_rule(a, admin_text(p, "name"), &row);

	if (r == 0)
		r = store_change_begin(a->store);
	if (r < 0)
		return admin_fail(call, r, "rule");
	return finish_rule(a, call, store_rule_remove(a->store, row.name), &row, false);
}

int admin_list_rules(struct vl_call *call, _unused_ json_t *p, void *userdata)
{
	struct authority *a = userdata;
	_cleanup_(freep) struct rule_row *rows = NULL;
	struct admin_list list = { .name = "rules", .size = sizeof(*rows), .to_json = rule_json };
	int r = store_rule_list(a->store, &rows, &list.n);

	if (r < 0)
		return r;
	list.rows = rows;
	return admin_reply_list(a, call, &list);
}

/* --- TestRule --- */

static int add_text(json_t *object, const char *member, const char *text)
{
	return *text ? json_object_set_new(object, member, json_string(text)) : 0;
}

static json_t *test_json(struct authority *a, const struct rule *rule, const struct cert *leaf,
			 int64_t anchor)
{
	struct rule_result x;
	struct identity identity;
	json_t *row;
	int known;

	if (rule_try(rule, leaf, &x) < 0)
		return NULL;
	known = *x.name ? store_identity_get(a->store, x.name, &identity) : -ENOENT;
	if (known < 0 && known != -ENOENT)
		return NULL;
	row = json_pack("{s:s, s:s, s:b, s:b}", "rule", rule->name, "anchor", rule->anchor_name,
			"applies", rule->anchor == anchor, "matched", x.matched);
	if (!row || add_text(row, "missed", x.missed) < 0 || add_text(row, "yields", x.name) < 0 ||
	    add_text(row, "why", x.why) < 0 ||
	    (*x.name && json_object_set_new(row, "exists", json_boolean(known == 0)) < 0)) {
		json_decref(row);
		return NULL;
	}
	return row;
}

static json_t *tests_json(struct authority *a, const struct cert *leaf, int64_t anchor)
{
	json_t *rows = json_array();

	for (size_t i = 0; a->rules && i < a->rules->n; i++)
		if (json_array_append_new(rows, test_json(a, &a->rules->items[i], leaf, anchor)) <
		    0) {
			json_decref(rows);
			return NULL;
		}
	return rows;
}

static json_t *names_json(const struct mapping *m)
{
	json_t *names = json_array();

	for (size_t i = 0; i < m->n; i++)
		if (json_array_append_new(names, json_string(m->found[i].owner.identity_name)) <
		    0) {
			json_decref(names);
			return NULL;
		}
	return names;
}

static int test_rules(struct authority *a, struct vl_call *call, const struct admin_chain *chain)
{
	const struct cert *leaf = chain->certs[0];
	struct certificate_owner owner;
	struct mapping m = { 0 };
	struct path path;
	json_t *reply;
	int r = path_build((const struct cert *const *)chain->certs, chain->n, a->anchors,
			   a->n_anchors, authority_now(a), NULL, &path);

	if (r == 0 && path.fault == PATH_GOOD)
		r = rules_map(a->rules, a->store, path.anchor, leaf, &m);
	if (r < 0)
		return r;
	r = store_certificate_owner(a->store, leaf->sha256, &owner);
	if (r < 0 && r != -ENOENT)
		return r;
	reply = json_pack("{s:s, s:o, s:o}", "path",
			  path.fault == PATH_GOOD ? "" : path_fault_text(path.fault), "rules",
			  tests_json(a, leaf, path.fault == PATH_GOOD ? path.anchor : 0),
			  "identities", names_json(&m));
	if (reply && r == 0 &&
	    json_object_set_new(reply, "enrolledFor", json_string(owner.identity_name)) < 0) {
		json_decref(reply);
		return -ENOMEM;
	}
	return admin_reply(a, call, reply);
}

int admin_test_rule(struct vl_call *call, json_t *p, void *userdata)
{
	_cleanup_(admin_chain_deinit) struct admin_chain chain = { 0 };
	const char *why;
	int r = admin_chain_read(json_object_get(p, "chain"), &chain, &why);

	if (r < 0)
		return r == -EBADMSG ? admin_invalid(call, "chain", why) : r;
	return test_rules(userdata, call, &chain);
}
