// SPDX-License-Identifier: GPL-2.0-or-later
/* An authorized_keys file. */
#include "cli/import/authkeys.h"
#include "tests/fuzz/fuzz-import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int plain = 0; plain < 2; plain++) {
		struct plan p;

		plan_init(&p, &fuzz_options);
		import_authorized_keys(&p, "keys", (const char *)data, size, "alice", plain);
		fuzz_check(&p);
	}
	return 0;
}
