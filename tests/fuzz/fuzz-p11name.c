// SPDX-License-Identifier: GPL-2.0-or-later
/* What a user wrote for a token, and the URI that a module gives for an object of it. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/p11name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	_cleanup_(buf_deinitp) struct buf key = { 0 };
	struct p11_name name;

	if (!text)
		abort();
	if (p11_name_parse(text, &name) == 0 &&
	    (strlen(text) > LIMIT_PKCS11 || strlen(name.module) >= sizeof(name.module) ||
	     strncmp(name.uri, "pkcs11:", 7) != 0 || strchr(name.uri, '?')))
		abort();
	if (strncmp(text, "pkcs11:", 7) == 0)
		p11_key_uri(&key, text, data, size);
	free(text);
	return 0;
}
