/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_SANDBOX_H
#define GATE_SANDBOX_H

/*
 * The last rung of the ladder: after it the gate can use the descriptors that it has, accept
 * connections, and open a SOCK_SEQPACKET AF_UNIX socket, which is what a lost link takes.  Nothing
 * else: no file, no other socket, no process, no signal.
 */

/* Before the first thread, which would not be held by it: no new privileges, no dumps, no core,
 * Landlock as far as the kernel has it (*ret_abi, 0: not at all).  In a sanitizer's build no
 * Landlock, and dumps: its search for leaks needs both. */
int sandbox_restrict(int *ret_abi);

/* All threads at once: a system call that is not in the list ends the process. */
int sandbox_seal(void);

/* sandbox-landlock.c: no right to any file, no TCP, no abstract socket and no signal outside.
 * The ABI that was used, 0: none. */
int sandbox_landlock(void);

/* sandbox-seccomp.c */
int sandbox_seccomp(void);

#endif
