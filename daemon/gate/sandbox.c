// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/limits.h"

/* A sanitizer's runtime opens files, maps what it likes, has a malloc of its own, and looks for
 * leaks at the end through /proc and ptrace: such a build is for tests, and goes without the parts
 * of the sandbox that would kill or blind it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

int sandbox_restrict(int *ret_abi)
{
	const struct rlimit none = { 0, 0 };
	int r;

	*ret_abi = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (SANITIZED)
		return 0;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	/* malloc else looks at /proc before it gives memory back, and counts processors before it
	 * makes an arena.  What we keep instead is bounded by the connections that we take. */
	if (!mallopt(M_TRIM_THRESHOLD, INT_MAX) || !mallopt(M_ARENA_MAX, LIMIT_LINKS))
		return -EINVAL;
	r = sandbox_landlock();
	if (r < 0)
		return r;
	*ret_abi = r;
	return 0;
}

int sandbox_seal(void)
{
	return SANITIZED ? 0 : sandbox_seccomp();
}
