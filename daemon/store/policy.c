// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/internal.h"

/* --- access --- */

static int read_access(sqlite3_stmt *q, struct access_row *ret)
{
	ret->not_before = sqlite3_column_int64(q, 3);
	ret->not_after = sqlite3_column_int64(q, 4);
	ret->created = sqlite3_column_int64(q, 5);
	return column_text(q, 0, ret->identity, sizeof(ret->identity)) < 0 ||
			       column_text(q, 1, ret->account, sizeof(ret->account)) < 0 ||
			       column_text(q, 2, ret->service, sizeof(ret->service)) < 0
		       ? -EUCLEAN
		       : 0;
}

static int read_access_rows(struct store *s, sqlite3_stmt *stmt, struct access_row **ret,
			    size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = stmt;
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct access_row *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_access(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

int store_access_allow(struct store *s, const struct access_row *row)
{
	return store_policy(s, STMT_ACCESS_ALLOW, "tttiiii", row->identity, row->account,
			    row->service, row->not_before, row->not_after, clock_realtime(s->clock),
			    (int64_t)s->revision + 1);
}

int store_access_deny(struct store *s, const char *identity, const char *account,
		      const char *service)
{
	return store_policy(s, STMT_ACCESS_DENY, "ttt", identity, account, service);
}

int store_access_list(struct store *s, const char *identity, struct access_row **ret, size_t *ret_n)
{
	sqlite3_stmt *q = identity ? query(s, STMT_ACCESS_LIST_OF, "t", identity)
				   : query(s, STMT_ACCESS_LIST, "");

	return read_access_rows(s, q, ret, ret_n);
}

int store_access_find(struct store *s, int64_t identity, const char *account, const char *service,
		      const char *class, struct access_row **ret, size_t *ret_n)
{
	return read_access_rows(
		s, query(s, STMT_ACCESS_FIND, "ittt", identity, account, service, class), ret,
		ret_n);
}

int store_access_any(struct store *s, int64_t identity, const char *account, bool *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_ACCESS_ANY, "it", identity, account);
	int r = query_row(s, q);

	if (r < 0)
		return r;
	*ret = r > 0;
	return 0;
}

/* --- service --- */

static const char *const
	classes[] = { [CLASS_LOGIN] = "login", [CLASS_ELEVATE] = "elevate", [CLASS_APP] = "app" };
static const char
	*const vias[] = { [VIA_LOCAL] = "local", [VIA_NETWORK] = "network", [VIA_ANY] = "any" };

const char *service_class_text(enum service_class c)
{
	return (size_t)c < ARRAY_SIZE(classes) ? classes[c] : "";
}

const char *service_via_text(enum service_via v)
{
	return (size_t)v < ARRAY_SIZE(vias) && vias[v] ? vias[v] : "";
}

int service_class_parse(const char *s, enum service_class *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strcmp(classes[i], s) == 0) {
			*ret = (enum service_class)i;
			return 0;
		}
	return -EINVAL;
}

int service_via_parse(const char *s, enum service_via *ret)
{
	for (size_t i = VIA_LOCAL; i < ARRAY_SIZE(vias); i++)
		if (strcmp(vias[i], s) == 0) {
			*ret = (enum service_via)i;
			return 0;
		}
	return -EINVAL;
}

/* Next uid of "0,113"; false at the end or at anything else. */
static bool next_uid(const char **at, uid_t *ret)
{
	unsigned long uid;
	char *end;

	if (**at < '0' || **at > '9' || (**at == '0' && (*at)[1] >= '0' && (*at)[1] <= '9'))
		return false;
	errno = 0;
	uid = strtoul(*at, &end, 10);
	if (errno || uid >= UINT32_MAX || (*end && (*end != ',' || !end[1])))
		return false;
	*at = *end ? end + 1 : end;
	*ret = (uid_t)uid;
	return true;
}

bool service_uids_ok(const char *uids)
{
	uid_t uid;

	if (strcmp(uids, "any") == 0)
		return true;
	if (!*uids || strlen(uids) >= sizeof(((struct service_row *)0)->redeem_uids))
		return false;
	while (*uids)
		if (!next_uid(&uids, &uid))
			return false;
	return true;
}

bool service_uid_allowed(const struct service_row *row, uid_t uid)
{
	const char *at = row->redeem_uids;
	uid_t allowed;

	if (strcmp(at, "any") == 0)
		return true;
	while (*at && next_uid(&at, &allowed))
		if (allowed == uid)
			return true;
	return false;
}

static int read_service(sqlite3_stmt *q, struct service_row *ret)
{
	const char *class = (const char *)sqlite3_column_text(q, 1);
	const char *via = (const char *)sqlite3_column_text(q, 3);

	if (!class || service_class_parse(class, &ret->class) < 0 || !via ||
	    service_via_parse(via, &ret->via) < 0)
		return -EUCLEAN;
	ret->loose = sqlite3_column_int(q, 4) == 1;
	ret->console = sqlite3_column_int(q, 5) == 1;
	return column_text(q, 0, ret->name, sizeof(ret->name)) < 0 ||
			       column_text(q, 2, ret->redeem_uids, sizeof(ret->redeem_uids)) < 0
		       ? -EUCLEAN
		       : 0;
}

int store_service_set(struct store *s, const struct service_row *row)
{
	if (!service_uids_ok(row->redeem_uids))
		return -EINVAL;
	return store_policy(s, STMT_SERVICE_SET, "ttttiii", row->name,
			    service_class_text(row->class), row->redeem_uids,
			    service_via_text(row->via), (int64_t)row->loose, (int64_t)row->console,
			    (int64_t)s->revision + 1);
}

int store_service_get(struct store *s, const char *name, struct service_row *ret)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SERVICE_GET, "t", name);
	struct service_row row = { 0 };
	int r = query_row(s, q);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = read_service(q, &row);
	if (r == 0)
		*ret = row;
	return r;
}

int store_service_remove(struct store *s, const char *name)
{
	return store_policy(s, STMT_SERVICE_REMOVE, "t", name);
}

int store_service_list(struct store *s, struct service_row **ret, size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_SERVICE_LIST, "");
	_cleanup_(freep) void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct service_row *row = rows_next(&rows, &n, sizeof(*row));

		if (!row)
			return -ENOMEM;
		r = read_service(q, row);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret = STEAL(rows);
	*ret_n = n;
	return 0;
}

/* --- anchor --- */

static const char *const kinds[] = {
	[ANCHOR_CA] = "ca",
	[ANCHOR_INTERMEDIATE] = "intermediate",
	[ANCHOR_KEY] = "key",
};

const char *anchor_kind_text(enum anchor_kind k)
{
	return (size_t)k < ARRAY_SIZE(kinds) ? kinds[k] : "";
}

int anchor_kind_parse(const char *s, enum anchor_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], s) == 0) {
			*ret = (enum anchor_kind)i;
			return 0;
		}
	return -EINVAL;
}

int store_anchor_add(struct store *s, const struct anchor_new *anchor, int64_t *ret_id)
{
	uint8_t hash[SHA256_BYTES];
	int r;

	if (!text_fits(anchor->name, sizeof(((struct anchor_row *)0)->name)))
		return -EINVAL;
	sha256(anchor->der, anchor->der_n, hash);
	r = store_policy(s, STMT_ANCHOR_ADD, "ttbbtii", anchor->name,
			 anchor_kind_text(anchor->kind), (const void *)hash, sizeof(hash),
			 (const void *)anchor->der, anchor->der_n,
			 anchor->policy ? anchor->policy : "{}", clock_realtime(s->clock),
			 (int64_t)s->revision + 1);
	if (r == 0)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return r;
}

int store_anchor_set_policy(struct store *s, const char *name, const char *policy)
{
	return store_policy(s, STMT_ANCHOR_SET_POLICY, "tti", name, policy,
			    (int64_t)s->revision + 1);
}

int store_anchor_remove(struct store *s, const char *name)
{
	return store_policy(s, STMT_ANCHOR_REMOVE, "t", name);
}

void anchor_rows_free(struct anchor_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].der);
		free(rows[i].policy);
	}
	free(rows);
}

static int read_anchor(sqlite3_stmt *q, struct anchor_row *ret)
{
	const char *kind = (const char *)sqlite3_column_text(q, 6);
	size_t policy_n;

	ret->id = sqlite3_column_int64(q, 0);
	ret->created = sqlite3_column_int64(q, 5);
	if (column_text(q, 1, ret->name, sizeof(ret->name)) < 0 ||
	    column_hash(q, 2, ret->sha256) < 0 || !kind || anchor_kind_parse(kind, &ret->kind) < 0)
		return -EUCLEAN;
	if (column_blob(q, 3, &ret->der, &ret->der_n) < 0 ||
	    column_blob(q, 4, (uint8_t **)&ret->policy, &policy_n) < 0)
		return -ENOMEM;
	ret->policy[policy_n] = '\0';
	return 0;
}

int store_anchor_list(struct store *s, struct anchor_row **ret, size_t *ret_n)
{
	_cleanup_(query_donep) sqlite3_stmt *q = query(s, STMT_ANCHOR_LIST, "");
	void *rows = NULL;
	size_t n = 0;
	int r;

	while ((r = query_row(s, q)) > 0) {
		struct anchor_row *row = rows_next(&rows, &n, sizeof(*row));

		r = row ? read_anchor(q, row) : -ENOMEM;
		if (r < 0)
			break;
	}
	if (r < 0) {
		anchor_rows_free(rows, n);
		return r;
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}
