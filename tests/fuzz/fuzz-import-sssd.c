// SPDX-License-Identifier: GPL-2.0-or-later
/* An sssd.conf. */
#include "cli/import/sssd.h"
#include "tests/fuzz/fuzz-import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan p;

	plan_init(&p, &fuzz_options);
	import_sssd(&p, "sssd.conf", (const char *)data, size);
	fuzz_check(&p);
	return 0;
}
