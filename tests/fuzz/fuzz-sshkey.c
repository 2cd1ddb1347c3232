// SPDX-License-Identifier: GPL-2.0-or-later
/* A public key as an agent shows it. */
#include <stdlib.h>

#include "lib/pki/sshkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buf_deinitp) struct buf spki = { 0 };
	enum key_type type = KEY_UNKNOWN;

	if (ssh_blob_to_spki(data, size, &spki, &type) == 0 && (spki.n == 0 || type == KEY_UNKNOWN))
		abort();
	return 0;
}
