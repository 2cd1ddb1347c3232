// SPDX-License-Identifier: GPL-2.0-or-later
/* A stranger's CRL: what is read lies within it; an entry that is found is one that is there. */
#include <stdlib.h>

#include "lib/pki/crl.h"
#include "lib/pki/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const struct crl *c, const struct view *v)
{
	if (v->n > 0 && (v->p < c->der.p || v->p + v->n > c->der.p + c->der.n))
		abort();
}

static int find(const struct revocation_list *l, const struct view *issuer,
		const struct view *serial, struct revoked *ret)
{
	struct crl_entry e;
	int r = crl_find(l->data, issuer, serial, &e);

	if (r > 0)
		*ret = (struct revoked){ e.reason, e.since };
	return r;
}

/* A certificate of the list's issuer, which names the list's own scope as its point. */
static void look_up(const struct crl *c, const struct crl_entry *e)
{
	const struct cert cert = { .issuer = c->issuer,
				   .serial = e->serial,
				   .crl_dps = c->scope.whole };
	const struct cert issuer = { .subject = c->issuer };
	const struct revocation_list list = { .issuer = c->issuer,
					      .this_update = c->this_update,
					      .next_update = c->next_update,
					      .number = c->number,
					      .scope = c->scope,
					      .find = find,
					      .data = c };
	struct revocation r;

	if (revocation_check(&cert, &issuer, &list, 1, c->this_update, 0, &r) < 0)
		return;
	/* whoever is on an unscoped list is never good */
	if (c->scope.whole.n == 0 && e->issuer.n == 0 && r.status == REVOCATION_GOOD)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl_entry e, found;
	struct crl_signer signer;
	struct view entries;
	struct crl c;
	size_t n = 0;

	if (crl_read((struct view){ data, size }, &c) != CRL_GOOD)
		return 0;
	within(&c, &c.tbs);
	within(&c, &c.issuer);
	within(&c, &c.entries);
	within(&c, &c.number);
	within(&c, &c.base);
	within(&c, &c.scope.whole);
	within(&c, &c.scope.point);
	within(&c, &c.aki);
	within(&c, &c.signature);
	if (c.next_update < c.this_update || c.number.n == 0 || c.number.n > 20)
		abort();
	if (crl_scan(&c) == CRL_MALFORMED)
		return 0;
	for (entries = c.entries; entries.n > 0 && n < 64; n++) {
		if (crl_next(&entries, &e) < 0)
			abort(); /* crl_scan() has read it */
		within(&c, &e.serial);
		if (!c.scope.indirect && crl_find(&c, &c.issuer, &e.serial, &found) != 1)
			abort();
		look_up(&c, &e);
	}
	if (crl_verify(&c, NULL, 0, &(struct anchor){ .cert = &(struct cert){ .version = 3 } }, 0,
		       &signer) == CRL_GOOD)
		abort(); /* nobody's key has signed it */
	return 0;
}
