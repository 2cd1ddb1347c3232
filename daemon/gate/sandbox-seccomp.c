// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gate/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"

/* What the gate needs after its start, by what for. */
static const int allowed[] = {
	/* connections and link */
	SCMP_SYS(accept4),
	SCMP_SYS(connect),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(close),
	/* sd-event */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(ppoll),
	SCMP_SYS(poll),
	SCMP_SYS(signalfd4),
	/* memory, threads, random numbers */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(sched_getaffinity),
	/* the log, and the end */
	SCMP_SYS(writev),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* With one argument that must have a value, or none of some bits. */
static const struct {
	int call;
	struct scmp_arg_cmp args[3];
	unsigned n_args;
} conditional[] = {
	/* the link, when it is lost: a sequenced-packet socket reaches no stream and no datagram
	   one */
	{ SCMP_SYS(socket),
	  { { 0, SCMP_CMP_EQ, AF_UNIX, 0 },
	    { 1, SCMP_CMP_EQ, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 },
	    { 2, SCMP_CMP_EQ, 0, 0 } },
	  3 },
	/* malloc's arenas: no memory is ever made executable */
	{ SCMP_SYS(mmap),
	  { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 },
	    { 3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS } },
	  2 },
	{ SCMP_SYS(mprotect), { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } }, 1 },
};

static void releasep(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

int sandbox_seccomp(void)
{
	_cleanup_(releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0) /* a balanced tree: few comparisons for each call */
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(conditional); i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditional[i].call,
					   conditional[i].n_args, conditional[i].args);
	return r == 0 ? seccomp_load(filter) : r;
}
