// SPDX-License-Identifier: GPL-2.0-or-later
/* A stranger's certificate: what is read lies within it, and can be looked at in every way we have.
 */
#include <stdlib.h>

#include "lib/pki/cert.h"
#include "lib/pki/constraints.h"
#include "lib/pki/dn.h"
#include "lib/pki/path.h"
#include "lib/pki/policy.h"
#include "lib/pki/sshkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const struct cert *c, const struct view *v)
{
	if (v->n > 0 && (v->p < c->der.p || v->p + v->n > c->der.p + c->der.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cert_freep) struct cert *c = NULL;
	_cleanup_(buf_deinitp) struct buf blob = { 0 };
	char text[300];
	struct path path;

	if (cert_load(data, size, &c) < 0)
		return 0;
	within(c, &c->tbs);
	within(c, &c->serial);
	within(c, &c->issuer);
	within(c, &c->subject);
	within(c, &c->spki);
	within(c, &c->san);
	within(c, &c->aki);
	within(c, &c->signature);
	name_text(&c->subject, text, sizeof(text));
	serial_text(&c->serial, text, sizeof(text));
	(void)cert_matches_host(c, "host.example");
	(void)leaf_check(c, NULL);
	/* as if it had issued itself, three times over */
	(void)constraints_check((const struct cert *const[]){ c, c, c }, 3, c);
	(void)policy_check((const struct cert *const[]){ c, c, c }, 3, NULL);
	if (!dn_equal(&c->subject, &c->subject))
		abort();
	(void)ssh_blob_from_cert(c, &blob);
	if (path_build((const struct cert *const *)&c, 1, NULL, 0, 0, NULL, &path) == 0 &&
	    path.fault == PATH_GOOD)
		abort(); /* without an anchor nothing is good */
	return 0;
}
