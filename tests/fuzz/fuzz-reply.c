// SPDX-License-Identifier: GPL-2.0-or-later
/* What a gate answers to the holder of a key. */
#include "lib/prove/reply.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct prove_answer *a)
{
	if (a->result != PROVE_DONE && a->result != PROVE_DENIED && a->result != PROVE_NO_SERVER)
		abort();
	if (a->result == PROVE_NO_SERVER ? a->event != 0 || !*a->why : a->event > INT64_MAX)
		abort();
}

static void check_printable(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size)
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prove_description description = { 0 };
	struct prove_answer commit = { 0 }, describe = { 0 };
	const char *text = (const char *)data;

	if (reply_read_commit(text, size, &commit) < 0 ||
	    reply_read_describe(text, size, &describe, &description) < 0)
		return 0;
	check_answer(&commit);
	check_answer(&describe);
	/* no text is an answer to both calls */
	if (commit.result == PROVE_DONE && describe.result == PROVE_DONE)
		abort();
	if (describe.result != PROVE_DONE) {
		if (*description.account || *description.service || *description.caller)
			abort();
		return 0;
	}
	if (!account_name_ok(description.account) || !service_name_ok(description.service))
		abort();
	check_printable(description.caller, sizeof(description.caller));
	return 0;
}
