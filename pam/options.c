// SPDX-License-Identifier: GPL-2.0-or-later
#include "pam/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/base/p11name.h"

#define RUNTIME_DIR_MAX 90 /* with "/pam" it must fit sun_path */

static const struct {
	const char *name;
	size_t offset;
} flags[] = {
	{ "strict", offsetof(struct options, strict) },
	{ "observe", offsetof(struct options, observe) },
	{ "quiet", offsetof(struct options, quiet) },
	{ "debug", offsetof(struct options, debug) },
	{ "try_first_pass", offsetof(struct options, try_first_pass) },
	{ "use_first_pass", offsetof(struct options, use_first_pass) },
	{ "stacked", offsetof(struct options, stacked) },
	{ "no_helper", offsetof(struct options, no_helper) },
};

static int parse_seconds(const char *s, uint64_t *ret)
{
	unsigned long seconds;
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 2 || s[n])
		return -EINVAL;
	seconds = strtoul(s, NULL, 10);
	if (seconds == 0 || seconds * USEC_PER_SEC > LIMIT_HELPER_USEC)
		return -EINVAL;
	*ret = seconds * USEC_PER_SEC;
	return 0;
}

static int parse_one(const char *arg, struct options *o)
{
	struct p11_name name;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(arg, flags[i].name) == 0) {
			*(bool *)((char *)o + flags[i].offset) = true;
			return 0;
		}
	if (strncmp(arg, "timeout=", 8) == 0)
		return parse_seconds(arg + 8, &o->timeout_usec);
	if (strncmp(arg, "pkcs11=", 7) == 0) {
		o->pkcs11 = arg + 7;
		return p11_name_parse(o->pkcs11, &name);
	}
	if (strncmp(arg, "runtime_dir=", 12) != 0 || arg[12] != '/' ||
	    !text_ok(arg + 12, RUNTIME_DIR_MAX))
		return -EINVAL;
	o->runtime_dir = arg + 12;
	return 0;
}

int options_parse(int argc, const char **argv, struct options *ret, const char **ret_bad)
{
	struct options o = { .timeout_usec = LIMIT_HELPER_USEC, .runtime_dir = RUNTIMEDIR };

	for (int i = 0; i < argc; i++)
		if (parse_one(argv[i], &o) < 0) {
			*ret_bad = argv[i];
			return -EINVAL;
		}
	*ret = o;
	return 0;
}
