/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_NOTIFY_H
#define GATE_NOTIFY_H

/*
 * sd_notify(3) by a socket that is opened once, before the sandbox, which knows no datagrams.
 * notify_open(): -1 when nobody listens; notify_send() then does nothing.
 */
int notify_open(void);
void notify_send(int fd, const char *state);

#endif
