// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cli/keys/keys.h"
#include "lib/api/service-client.h"
#include "lib/base/limits.h"

/* What is no certificate is left out: it could not be used either. */
static void parse_all(const struct service_der *ders, size_t n, struct cert **ret, size_t max,
		      size_t *ret_n)
{
	size_t got = 0;

	for (size_t i = 0; i < n && got < max; i++)
		if (cert_parse(ders[i].p, ders[i].n, &ret[got]) == 0)
			got++;
	*ret_n = got;
}

int keys_find_at_service(void *userdata, const struct view *spkis, size_t n, struct cert **ret,
			 size_t max, size_t *ret_n)
{
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	struct service_der ask[LIMIT_FIND_SPKIS], *found = NULL;
	const char *path = userdata;
	size_t n_found = 0;
	int r;

	if (n > ARRAY_SIZE(ask))
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		ask[i] = (struct service_der){ (uint8_t *)(uintptr_t)spkis[i].p, spkis[i].n };
	r = vl_client_connect(path, LIMIT_PAM_CALL_USEC, &client);
	if (r == 0)
		r = service_find_certificates(client, ask, n, &found, &n_found);
	if (r < 0)
		return r;
	parse_all(found, n_found, ret, max, ret_n);
	service_ders_free(found, n_found);
	return 0;
}
