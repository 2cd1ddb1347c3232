// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/authority/revocations.h"

static int build_path(struct authority *a, const struct cert *const *chain, size_t n, int64_t now,
		      struct gather *g)
{
	int r = path_build(chain, n, a->anchors, a->n_anchors, now, &a->memo, &g->path);

	g->path_remembered = false;
	if (r < 0 || g->path.fault != PATH_GOOD)
		return r;
	/* a leaf with a fault under this anchor may have a better path with another chain */
	if (g->path.leaf_fault == LEAF_GOOD && now <= g->path.not_after)
		r = trust_cache_add(a->cache, chain[0]->sha256, &g->path);
	return r < 0 ? r : revocations_look(a, chain, n, &g->path, now, &g->revocation);
}

/* A returning certificate costs a look-up; a new one its signatures. */
static int gather_path(struct authority *a, const struct cert *const *chain, size_t n, int64_t now,
		       struct gather *g)
{
	const struct path *known = trust_cache_find(a->cache, chain[0]->sha256, now);
	int r = -ENOENT;

	if (known) {
		g->path = *known;
		g->path_remembered = true;
		r = revocations_look(a, chain, n, &g->path, now, &g->revocation);
	}
	/* the CAs between have to be at hand where CRLs are to be looked at */
	if (r == -ENOENT)
		r = build_path(a, chain, n, now, g);
	if (r == 0 && g->path.fault == PATH_GOOD)
		g->facts.revocation = &g->revocation;
	return r;
}

static int gather_access(struct authority *a, const char *account, const char *service,
			 struct gather *g)
{
	char class[16];
	int r;

	(void)snprintf(class, sizeof(class), "@%s", service_class_text(g->service.class));
	r = store_access_find(a->store, g->owner.identity, account, service, class, &g->access,
			      &g->facts.n_access);
	g->facts.account_known_to_identity = r == 0 && g->facts.n_access > 0;
	if (r == 0 && g->facts.n_access == 0)
		r = store_access_any(a->store, g->owner.identity, account,
				     &g->facts.account_known_to_identity);
	g->facts.access = g->access;
	return r;
}

static bool opens_now(const struct gather *g)
{
	for (size_t i = 0; i < g->facts.n_access; i++)
		if (g->facts.now >= g->access[i].not_before &&
		    g->facts.now <= g->access[i].not_after)
			return true;
	return false;
}

static int gather_mapped(struct authority *a, size_t i, const char *account, const char *service,
			 struct gather *g)
{
	gather_deinit(g);
	g->facts.access = NULL;
	g->facts.n_access = 0;
	g->facts.account_known_to_identity = false;
	g->owner = g->mapping.found[i].owner;
	g->facts.rule = g->mapping.found[i].rule;
	/* uid 0 is never reached by rule */
	return g->has_service && strcmp(account, ACCOUNT_ROOT) != 0
		       ? gather_access(a, account, service, g)
		       : 0;
}

/* Of those that the rules yield the first that may use the account now, else the first. */
static int gather_rules(struct authority *a, const struct cert *leaf, const char *account,
			const char *service, struct gather *g)
{
	size_t i = 0;
	int r = rules_map(a->rules, a->store, g->path.anchor, leaf, &g->mapping);

	g->facts.mapping_note = g->mapping.note;
	g->has_owner = r == 0 && g->mapping.n > 0;
	for (; r == 0 && i < g->mapping.n; i++) {
		r = gather_mapped(a, i, account, service, g);
		if (r == 0 && opens_now(g))
			return 0;
	}
	return r == 0 && i > 1 ? gather_mapped(a, 0, account, service, g) : r;
}

int gather_facts(struct authority *a, const struct cert *const *chain, size_t n,
		 const char *account, const char *service, int64_t now, struct gather *ret)
{
	struct gather *g = ret;
	int r = 0;

	*g = (struct gather){ .facts = { .now = now, .account = account, .limits_ok = true } };
	if (n > 0) {
		g->facts.leaf = chain[0];
		g->facts.path = &g->path;
		r = gather_path(a, chain, n, now, g);
		g->facts.path_remembered = g->path_remembered;
	}
	if (r == 0 && n > 0) {
		r = store_certificate_owner(a->store, chain[0]->sha256, &g->owner);
		g->has_owner = r == 0;
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0) {
		r = store_service_get(a->store, service, &g->service);
		g->has_service = r == 0;
		r = r == -ENOENT ? 0 : r;
	}
	g->facts.service = g->has_service ? &g->service : NULL;
	if (r == 0 && g->has_owner && g->has_service)
		r = gather_access(a, account, service, g);
	else if (r == 0 && n > 0 && !g->has_owner && g->path.fault == PATH_GOOD)
		r = gather_rules(a, chain[0], account, service, g);
	g->facts.owner = g->has_owner ? &g->owner : NULL;
	return r;
}

void gather_deinit(struct gather *g)
{
	free(g->access);
	g->access = NULL;
}
