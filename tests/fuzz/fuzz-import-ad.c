// SPDX-License-Identifier: GPL-2.0-or-later
/* altSecurityIdentities, as lines or LDIF. */
#include "cli/import/altsec.h"
#include "tests/fuzz/fuzz-import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan p;

	plan_init(&p, &fuzz_options);
	import_ad(&p, "ad", (const char *)data, size);
	fuzz_check(&p);
	return 0;
}
