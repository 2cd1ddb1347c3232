// SPDX-License-Identifier: GPL-2.0-or-later
/* The extensions of a stranger's certificate: addresses lie within them. */
#include <stdlib.h>

#include "lib/pki/uris.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cert c = { .extensions = { data, size } };
	struct view uris[CERT_URIS_MAX];
	size_t n;

	for (unsigned which = CERT_URIS_CRL; which <= CERT_URIS_OCSP; which++) {
		if (cert_uris(&c, (enum cert_uris)which, uris, &n) < 0)
			continue;
		if (n > CERT_URIS_MAX)
			abort();
		for (size_t i = 0; i < n; i++)
			if (uris[i].n > size || uris[i].p < data ||
			    uris[i].p + uris[i].n > data + size)
				abort();
	}
	return 0;
}
