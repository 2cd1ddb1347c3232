/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VARLINK_CLIENT_H
#define VARLINK_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/cleanup.h"

/*
 * A blocking Varlink client over one AF_UNIX socket, for host programs that we do not own: no
 * threads, signals, event loop or environment; MSG_NOSIGNAL; every wait ends at a deadline
 * (CLOCK_MONOTONIC), also when the peer sends a byte now and then, or is stopped.
 */
struct vl_client;

/* -ETIMEDOUT when the deadline passes, also while the listener's queue is full. */
int vl_client_connect(const char *path, uint64_t timeout_usec, struct vl_client **ret);
struct vl_client *vl_client_close(struct vl_client *client);
DEFINE_FREEP(struct vl_client, vl_client_close);
int vl_client_fd(const struct vl_client *client);
/* No wait of this client goes beyond this time (CLOCK_MONOTONIC, µs), whatever a call allows
 * itself. */
void vl_client_set_deadline(struct vl_client *client, uint64_t usec);
uint64_t vl_monotonic_usec(void);

/*
 * Takes `parameters`.  0 with *ret_parameters (an object) or *ret_error (a name) set, exactly one;
 * gives both.  Negative errno: nobody answered, or garbage (-EBADMSG); the client is then useless.
 */
int vl_client_call(struct vl_client *client, const char *method, json_t *parameters,
		   uint64_t timeout_usec, json_t **ret_parameters, char **ret_error);
/* As above; also gives the error's parameters. */
int vl_client_call_full(struct vl_client *client, const char *method, json_t *parameters,
			uint64_t timeout_usec, json_t **ret_parameters, char **ret_error,
			json_t **ret_error_parameters);

#endif
