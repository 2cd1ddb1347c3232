// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/limits.h"

int sandbox_restrict(int *ret_abi)
{
	const struct rlimit none = { 0, 0 };
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0)
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

int sandbox_seal(void)
{
#ifdef SANITIZED
	return 0; /* its runtime opens files and maps what it likes; such a build is for tests */
#else
	return sandbox_seccomp();
#endif
}
