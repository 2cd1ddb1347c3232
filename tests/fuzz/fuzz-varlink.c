// SPDX-License-Identifier: GPL-2.0-or-later
/* A message of a local stranger or, through a gate, of anybody. */
#include "lib/varlink/codec.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *message = NULL, *parameters = NULL;
	const char *method = NULL;
	char *error = NULL;

	if (vl_call_parse((const char *)data, size, &message, &method, &parameters) == 0) {
		if (!method)
			abort();
		json_decref(message);
	}
	parameters = NULL;
	if (vl_reply_parse((const char *)data, size, &parameters, &error) == 0) {
		json_decref(parameters);
		free(error);
	}
	return 0;
}
