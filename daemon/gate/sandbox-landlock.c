// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/* linux/landlock.h of Debian 12 ends at ABI 2; the numbers are the kernel's promise. */
#define RULESET_VERSION 1u

struct ruleset { /* grown at its end from ABI to ABI */
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

static const struct abi {
	unsigned fs_rights; /* number of rights: all are taken away */
	unsigned net_rights;
	unsigned scopes;
	size_t size;
} abis[] = {
	{ 0 },
	{ 13, 0, 0, offsetof(struct ruleset, handled_access_net) },
	{ 14, 0, 0, offsetof(struct ruleset, handled_access_net) }, /* refer */
	{ 15, 0, 0, offsetof(struct ruleset, handled_access_net) }, /* truncate */
	{ 15, 2, 0, offsetof(struct ruleset, scoped) },		    /* TCP bind, connect */
	{ 16, 2, 0, offsetof(struct ruleset, scoped) },		    /* ioctl on devices */
	{ 16, 2, 2, sizeof(struct ruleset) },			    /* abstract sockets, signals */
};

static uint64_t rights(unsigned n)
{
	return (UINT64_C(1) << n) - 1;
}

int sandbox_landlock(void)
{
	_cleanup_(closep) int fd = -1;
	struct ruleset ruleset;
	const struct abi *abi;
	long version;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
	if (version < 0) /* ENOSYS, or switched off at boot */
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	if ((size_t)version >= ARRAY_SIZE(abis))
		version = ARRAY_SIZE(abis) - 1;
	abi = &abis[version];
	ruleset = (struct ruleset){ rights(abi->fs_rights), rights(abi->net_rights),
				    rights(abi->scopes) };
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, abi->size, 0);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return -errno;
	return (int)version;
}
