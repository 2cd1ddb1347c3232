/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VARLINK_SERVER_H
#define VARLINK_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "lib/base/cleanup.h"
#include "lib/varlink/codec.h"

/*
 * A Varlink server (https://varlink.org: NUL-terminated JSON over AF_UNIX) on sd-event.  Small, and
 * named near sd-varlink, which Debian 12's libsystemd 252 does not have, so that it can be
 * replaced. It knows nothing of certlogin.
 *
 * Per connection one call at a time is in progress; bytes behind it wait in the socket.  Parameters
 * are checked against the method's fields before its handler runs: an unknown, missing or wrongly
 * typed member answers org.varlink.service.InvalidParameter.  JSON: depth <= LIMIT_JSON_DEPTH, no
 * duplicate keys, message <= LIMIT_VARLINK_BYTES.  org.varlink.service.GetInfo and
 * GetInterfaceDescription are answered from the embedded interface text.
 */

struct vl_server;
struct vl_conn;
struct vl_call;

/* 0, or negative errno, which answers org.varlink.service.SystemError{errno}.  A handler may answer
 * before it returns, or keep the call and answer later. */
typedef int (*vl_handler)(struct vl_call *call, json_t *parameters, void *userdata);

struct vl_method {
	const char *name; /* without the interface */
	vl_handler handle;
	const struct vl_field *fields; /* ends with .name NULL */
	unsigned roles;		       /* opaque to the server: see authorize */
};

struct vl_interface {
	const char *name;		 /* "org.certlogin.Admin" */
	const char *description;	 /* the .varlink text */
	const struct vl_method *methods; /* ends with .name NULL */
};

struct vl_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

struct vl_server_options {
	sd_event *event;
	const struct vl_interface *interface;
	size_t max_connections; /* the greediest uid's oldest goes when full */
	size_t max_per_uid;	/* its oldest goes; 0: no such limit; root is never counted */
	size_t max_message;	/* bytes of one call; 0: LIMIT_VARLINK_BYTES */
	/* Called before each handler with the method's roles; false, or no function:
	 * PermissionDenied. */
	bool (*authorize)(struct vl_call *call, const struct vl_method *method, void *userdata);
	/* The connection is over (whoever closed it); conn userdata is to be released here.  Never
	 * called from inside a handler or an answer. */
	void (*disconnected)(struct vl_conn *conn, void *userdata);
	void *userdata;
};

int vl_server_new(const struct vl_server_options *options, struct vl_server **ret);
struct vl_server *vl_server_free(struct vl_server *server);
DEFINE_FREEP(struct vl_server, vl_server_free);
int vl_server_listen(struct vl_server *server, int listen_fd);	/* takes the fd */
int vl_server_add_connection(struct vl_server *server, int fd); /* takes the fd */
size_t vl_server_connections(const struct vl_server *server);

struct vl_conn *vl_call_conn(struct vl_call *call);
const struct vl_peer *vl_conn_peer(const struct vl_conn *conn);
int vl_conn_fd(const struct vl_conn *conn);
void vl_conn_set_userdata(struct vl_conn *conn, void *userdata);
void *vl_conn_userdata(const struct vl_conn *conn);

/* Answer once; both take `parameters` (NULL: {}), and the call is gone after it.  Answering a call
 * whose peer has left is allowed and does nothing; vl_call_conn() and the peer stay readable until
 * then, its userdata is NULL.  An answer over LIMIT_VARLINK_BYTES becomes SystemError{EMSGSIZE}. */
int vl_call_reply(struct vl_call *call, json_t *parameters);
int vl_call_error(struct vl_call *call, const char *error, json_t *parameters);
int vl_call_error_errno(struct vl_call *call, int error);
/* Keeps the call beyond its handler; it must be answered, or released with vl_call_drop(), which
 * answers SystemError{ECANCELED} when nobody else has. */
struct vl_call *vl_call_ref(struct vl_call *call);
void vl_call_drop(struct vl_call *call);

#endif
