// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/varlink/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"

#define CHUNK (16 * 1024)     /* read at a time */
#define KEEP_BYTES (4 * 1024) /* of buffer that an idle connection may keep */
#define ACCEPTS_PER_WAKE 32
#define ACCEPT_PAUSE_USEC (100 * 1000) /* when accept() fails for want of something */

#define SERVICE "org.varlink.service"

/* Who is charged: all connections of one uid, oldest first. */
struct uid_conns {
	uid_t uid;
	size_t n;
	TAILQ_HEAD(conn_list, vl_conn) conns;
	LIST_ENTRY(uid_conns) link;
};

struct vl_server {
	struct vl_server_options options;
	size_t n_connections;
	LIST_HEAD(, uid_conns) uids;
	sd_event_source *listen;
	sd_event_source *resume; /* ends the pause after a failed accept */
};

/* Held by the server while it is open, and by a call in progress. */
struct vl_conn {
	unsigned refs;
	struct vl_server *server; /* NULL: closed */
	struct uid_conns *owner;
	struct vl_peer peer;
	int fd;
	void *userdata;
	sd_event_source *io;
	sd_event_source *next; /* takes the next call that is already in `in` */
	struct buf in;	       /* not yet a whole call, or behind the one in progress */
	size_t scanned;	       /* bytes of `in` known to hold no NUL */
	struct buf out;
	struct vl_call *call; /* in progress */
	TAILQ_ENTRY(vl_conn) link;
};

struct vl_call {
	unsigned refs; /* the dispatcher's, while the handler runs; the keepers' */
	bool in_handler, answered, oneway;
	struct vl_conn *conn;
	json_t *message;
};

static void conn_arm(struct vl_conn *conn);

/* Messages may have carried a ticket. */
static void buf_release(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_deinit(b);
}

static void conn_unref(struct vl_conn *conn)
{
	if (--conn->refs > 0)
		return;
	buf_release(&conn->in);
	buf_release(&conn->out);
	free(conn);
}

static void conn_charge(struct vl_server *server, struct uid_conns *owner, struct vl_conn *conn)
{
	conn->owner = owner;
	TAILQ_INSERT_TAIL(&owner->conns, conn, link);
	owner->n++;
	server->n_connections++;
}

static void conn_uncharge(struct vl_server *server, struct vl_conn *conn)
{
	struct uid_conns *owner = conn->owner;

	TAILQ_REMOVE(&owner->conns, conn, link);
	server->n_connections--;
	if (--owner->n == 0) {
		LIST_REMOVE(owner, link);
		free(owner);
	}
}

static void conn_close(struct vl_conn *conn)
{
	struct vl_server *server = conn->server;

	if (!server)
		return;
	if (server->options.disconnected)
		server->options.disconnected(conn, server->options.userdata);
	conn->userdata = NULL;
	conn->server = NULL;
	conn_uncharge(server, conn);
	conn->io = sd_event_source_disable_unref(conn->io);
	conn->next = sd_event_source_disable_unref(conn->next);
	closep(&conn->fd);
	conn->fd = -1;
	conn_unref(conn);
}

/* From inside a handler or an answer: the event loop sees the hang-up and closes. */
static void conn_break(struct vl_conn *conn)
{
	(void)shutdown(conn->fd, SHUT_RDWR);
}

static void call_unref(struct vl_call *call)
{
	if (--call->refs > 0)
		return;
	json_decref(call->message);
	conn_unref(call->conn);
	free(call);
}

/* Sends what the socket takes: 0, or -errno when the peer is gone. */
static int conn_flush(struct vl_conn *conn)
{
	while (conn->out.n > 0) {
		ssize_t n = send(conn->fd, conn->out.p, conn->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		buf_consume(&conn->out, (size_t)n);
	}
	if (conn->out.cap > KEEP_BYTES)
		buf_deinit(&conn->out);
	return 0;
}

/* Puts the answer into the out queue, which is empty: one call at a time is in progress. */
static int call_answer(struct vl_call *call, const char *error, json_t *parameters)
{
	struct vl_conn *conn = call->conn;
	char *text;
	size_t n;
	int r;

	r = vl_reply_format(error, parameters, &text, &n);
	if (r < 0)
		return r;
	if (n > LIMIT_VARLINK_BYTES + 1) {
		free(text);
		return -EMSGSIZE;
	}
	buf_put(&conn->out, text, n);
	free(text);
	return conn->out.error ? conn->out.error : conn_flush(conn);
}

static json_t *errno_parameters(int error)
{
	return json_pack("{s:i}", "errno", error < 0 ? -error : error);
}

/* Marks the call answered, sends unless nobody listens, and lets the connection go on. */
static int call_finish(struct vl_call *call, const char *error, json_t *parameters)
{
	struct vl_conn *conn = call->conn;
	int r = 0;

	if (call->answered) {
		json_decref(parameters);
		return -EALREADY;
	}
	call->answered = true;
	if (!conn->server || call->oneway) {
		json_decref(parameters);
	} else {
		r = call_answer(call, error, parameters);
		if (r == -EMSGSIZE)
			(void)call_answer(call, SERVICE ".SystemError", errno_parameters(r));
		else if (r < 0)
			conn_break(conn);
	}
	conn->call = NULL;
	if (conn->server && !call->in_handler)
		conn_arm(conn);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static int call_reply(struct vl_call *call, const char *error, json_t *parameters)
{
	int r = call_finish(call, error, parameters);

	if (!call->in_handler || call->refs > 1)
		call_unref(call);
	return r;
}

int vl_call_reply(struct vl_call *call, json_t *parameters)
{
	if (!parameters)
		parameters = json_object();
	return call_reply(call, NULL, parameters);
}

int vl_call_error(struct vl_call *call, const char *error, json_t *parameters)
{
	return call_reply(call, error, parameters);
}

int vl_call_error_errno(struct vl_call *call, int error)
{
	return vl_call_error(call, SERVICE ".SystemError", errno_parameters(error));
}

struct vl_call *vl_call_ref(struct vl_call *call)
{
	call->refs++;
	return call;
}

void vl_call_drop(struct vl_call *call)
{
	if (call->refs == 1 && !call->in_handler)
		(void)call_finish(call, SERVICE ".SystemError", errno_parameters(ECANCELED));
	call_unref(call);
}

struct vl_conn *vl_call_conn(struct vl_call *call)
{
	return call->conn;
}

const struct vl_peer *vl_conn_peer(const struct vl_conn *conn)
{
	return &conn->peer;
}

int vl_conn_fd(const struct vl_conn *conn)
{
	return conn->fd;
}

void vl_conn_set_userdata(struct vl_conn *conn, void *userdata)
{
	conn->userdata = userdata;
}

void *vl_conn_userdata(const struct vl_conn *conn)
{
	return conn->userdata;
}

static int invalid_parameter(struct vl_call *call, const char *name)
{
	return vl_call_error(call, SERVICE ".InvalidParameter",
			     json_pack("{s:s}", "parameter", name));
}

static int service_get_info(struct vl_call *call, _unused_ json_t *parameters, void *userdata)
{
	const struct vl_server *server = userdata;

	return vl_call_reply(call,
			     json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "", "product",
				       PACKAGE_NAME, "version", PACKAGE_VERSION, "url", "",
				       "interfaces", SERVICE, server->options.interface->name));
}

static int service_get_description(struct vl_call *call, json_t *parameters, void *userdata)
{
	static const char own[] =
		"interface " SERVICE "\n"
		"method GetInfo() -> (vendor: string, product: string, version: string, url: "
		"string, "
		"interfaces: []string)\n"
		"method GetInterfaceDescription(interface: string) -> (description: string)\n"
		"error InterfaceNotFound(interface: string)\n"
		"error MethodNotFound(method: string)\n"
		"error MethodNotImplemented(method: string)\n"
		"error InvalidParameter(parameter: string)\n"
		"error PermissionDenied()\n"
		"error SystemError(errno: int)\n";
	const struct vl_server *server = userdata;
	const char *name = json_string_value(json_object_get(parameters, "interface"));
	const char *text;

	if (strcmp(name, SERVICE) == 0)
		text = own;
	else if (strcmp(name, server->options.interface->name) == 0)
		text = server->options.interface->description;
	else
		return vl_call_error(call, SERVICE ".InterfaceNotFound",
				     json_pack("{s:s}", "interface", name));
	return vl_call_reply(call, json_pack("{s:s}", "description", text));
}

static const struct vl_field no_fields[] = { { NULL, VL_STRING, false, 0 } };
static const struct vl_field interface_field[] = {
	{ "interface", VL_STRING, false, 256 },
	{ NULL, VL_STRING, false, 0 },
};
/* What every Varlink service answers, to whoever can connect. */
static const struct vl_method service_methods[] = {
	{ "GetInfo", service_get_info, no_fields, 0 },
	{ "GetInterfaceDescription", service_get_description, interface_field, 0 },
	{ NULL, NULL, NULL, 0 },
};

/* The methods of the interface that `name` begins with, *ret_n bytes long; *ret_method is behind
 * it. */
static const struct vl_method *find_interface(const struct vl_server *server, const char *name,
					      const char **ret_method, size_t *ret_n)
{
	const char *dot = strrchr(name, '.'), *own = server->options.interface->name;
	size_t n = dot ? (size_t)(dot - name) : strlen(name);

	*ret_method = dot ? dot + 1 : "";
	*ret_n = n;
	if (n == strlen(SERVICE) && memcmp(name, SERVICE, n) == 0)
		return service_methods;
	if (n == strlen(own) && memcmp(name, own, n) == 0)
		return server->options.interface->methods;
	return NULL;
}

static bool authorized(const struct vl_server *server, struct vl_call *call,
		       const struct vl_method *method)
{
	return server->options.authorize &&
	       server->options.authorize(call, method, server->options.userdata);
}

static int call_dispatch(struct vl_server *server, struct vl_call *call, const char *name,
			 json_t *parameters)
{
	const struct vl_method *methods, *m;
	const char *method, *bad;
	size_t n;

	methods = find_interface(server, name, &method, &n);
	if (!methods)
		return vl_call_error(call, SERVICE ".InterfaceNotFound",
				     json_pack("{s:s%}", "interface", name, n));
	for (m = methods; m->name && strcmp(m->name, method) != 0;)
		m++;
	if (!m->name)
		return vl_call_error(call, SERVICE ".MethodNotFound",
				     json_pack("{s:s}", "method", name));
	if (methods != service_methods && !authorized(server, call, m))
		return vl_call_error(call, SERVICE ".PermissionDenied", NULL);
	if (json_is_true(json_object_get(call->message, "upgrade")))
		return vl_call_error(call, SERVICE ".MethodNotImplemented",
				     json_pack("{s:s}", "method", name));
	if (vl_fields_check(parameters, m->fields, &bad) < 0)
		return invalid_parameter(call, bad);
	return m->handle(call, parameters,
			 methods == service_methods ? server : server->options.userdata);
}

static struct vl_call *call_new(struct vl_conn *conn, json_t *message)
{
	struct vl_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->refs = 1;
	call->in_handler = true;
	call->oneway = json_is_true(json_object_get(message, "oneway"));
	call->message = message;
	call->conn = conn;
	conn->refs++;
	conn->call = call;
	return call;
}

/* One call, `n` bytes without the NUL: 0, or -errno when the connection is to be closed. */
static int conn_call(struct vl_conn *conn, const char *text, size_t n)
{
	json_t *message, *parameters;
	struct vl_call *call = NULL;
	const char *method;
	int r;

	r = vl_call_parse(text, n, &message, &method, &parameters);
	if (r < 0)
		return r;
	if (!parameters && json_object_set_new(message, "parameters", json_object()) == 0)
		parameters = json_object_get(message, "parameters");
	if (parameters)
		call = call_new(conn, message);
	if (!call) {
		json_decref(message);
		return -ENOMEM;
	}
	r = call_dispatch(conn->server, call, method, parameters);
	if (r < 0 && !call->answered)
		(void)call_finish(call, SERVICE ".SystemError", errno_parameters(r));
	call->in_handler = false;
	vl_call_drop(call);
	return 0;
}

/* Takes whole calls from `in` as long as each is answered at once. */
static int conn_process(struct vl_conn *conn)
{
	size_t max = conn->server->options.max_message;

	while (!conn->call && conn->out.n == 0 && conn->in.n > conn->scanned) {
		const uint8_t *nul =
			memchr(conn->in.p + conn->scanned, '\0', conn->in.n - conn->scanned);
		size_t n = nul ? (size_t)(nul - conn->in.p) : conn->in.n;
		int r;

		if (n > max)
			return -EMSGSIZE;
		if (!nul) {
			conn->scanned = n;
			return 0;
		}
		r = conn_call(conn, (const char *)conn->in.p, n);
		if (r < 0)
			return r;
		explicit_bzero(conn->in.p, n);
		buf_consume(&conn->in, n + 1);
		conn->scanned = 0;
	}
	if (conn->in.n == 0 && conn->in.cap > KEEP_BYTES)
		buf_release(&conn->in);
	return 0;
}

static int conn_read(struct vl_conn *conn)
{
	char chunk[CHUNK];
	ssize_t n;

	n = recv(conn->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	buf_put(&conn->in, chunk, (size_t)n);
	explicit_bzero(chunk, (size_t)n);
	return conn->in.error ? conn->in.error : conn_process(conn);
}

/*
 * Waits for what the connection can do next: send, take a call that has already come, or read.
 * While a call is in progress on_io() stops reading when there is something; hang-ups are always
 * reported.
 */
static void conn_arm(struct vl_conn *conn)
{
	bool waiting = conn->out.n == 0 && conn->in.n > conn->scanned;
	uint32_t events = waiting ? 0 : EPOLLIN;

	if (conn->call)
		return;
	(void)sd_event_source_set_io_events(conn->io, conn->out.n > 0 ? EPOLLOUT : events);
	(void)sd_event_source_set_enabled(conn->next, waiting ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void conn_step(struct vl_conn *conn, int r)
{
	if (r < 0)
		conn_close(conn);
	else
		conn_arm(conn);
}

static int on_io(sd_event_source *s, _unused_ int fd, uint32_t revents, void *userdata)
{
	struct vl_conn *conn = userdata;

	if (conn->out.n > 0)
		conn_step(conn, conn_flush(conn));
	else if (!conn->call)
		conn_step(conn, conn_read(conn));
	else if (revents & (EPOLLHUP | EPOLLERR))
		conn_close(conn);
	else
		(void)sd_event_source_set_io_events(s, 0);
	return 0;
}

static int on_next(_unused_ sd_event_source *s, void *userdata)
{
	struct vl_conn *conn = userdata;

	conn_step(conn, conn_process(conn));
	return 0;
}

static struct uid_conns *find_owner(const struct vl_server *server, uid_t uid)
{
	struct uid_conns *owner;

	LIST_FOREACH(owner, &server->uids, link)
	if (owner->uid == uid)
		return owner;
	return NULL;
}

static struct uid_conns *new_owner(struct vl_server *server, uid_t uid)
{
	struct uid_conns *owner = calloc(1, sizeof(*owner));

	if (owner) {
		owner->uid = uid;
		TAILQ_INIT(&owner->conns);
		LIST_INSERT_HEAD(&server->uids, owner, link);
	}
	return owner;
}

/* Who has most; root only when there is nobody else. */
static struct uid_conns *find_greediest(const struct vl_server *server)
{
	struct uid_conns *owner, *most = NULL;

	LIST_FOREACH(owner, &server->uids, link)
	if (!most || most->uid == 0 || (owner->uid != 0 && owner->n > most->n))
		most = owner;
	return most;
}

/* Makes room for one more of `uid`.  -EBUSY: only root's are there, and a stranger wants in. */
static int make_room(struct vl_server *server, uid_t uid)
{
	const struct vl_server_options *o = &server->options;
	struct uid_conns *owner = find_owner(server, uid), *loser = NULL;

	if (owner && uid != 0 && o->max_per_uid > 0 && owner->n >= o->max_per_uid)
		loser = owner;
	else if (server->n_connections >= o->max_connections)
		loser = find_greediest(server);
	if (!loser)
		return 0;
	if (loser->uid == 0 && uid != 0)
		return -EBUSY;
	conn_close(TAILQ_FIRST(&loser->conns));
	return 0;
}

static int get_peer(int fd, struct vl_peer *ret)
{
	struct ucred ucred;
	socklen_t n = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &n) < 0)
		return -errno;
	*ret = (struct vl_peer){ .uid = ucred.uid, .gid = ucred.gid, .pid = ucred.pid };
	return 0;
}

static int conn_watch(struct vl_server *server, struct vl_conn *conn)
{
	int r;

	r = sd_event_add_io(server->options.event, &conn->io, conn->fd, EPOLLIN, on_io, conn);
	if (r < 0)
		return r;
	r = sd_event_add_defer(server->options.event, &conn->next, on_next, conn);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(conn->next, SD_EVENT_OFF);
}

int vl_server_add_connection(struct vl_server *server, int fd)
{
	struct vl_conn *conn = calloc(1, sizeof(*conn));
	struct uid_conns *owner;
	int r;

	if (!conn) {
		(void)close(fd);
		return -ENOMEM;
	}
	conn->refs = 1;
	conn->fd = fd;
	r = get_peer(fd, &conn->peer);
	if (r >= 0)
		r = make_room(server, conn->peer.uid);
	if (r >= 0)
		r = conn_watch(server, conn);
	if (r >= 0) {
		owner = find_owner(server, conn->peer.uid);
		if (!owner)
			owner = new_owner(server, conn->peer.uid);
		if (owner) {
			conn->server = server;
			conn_charge(server, owner, conn);
			return 0;
		}
		r = -ENOMEM;
	}
	(void)sd_event_source_disable_unref(conn->io);
	(void)sd_event_source_disable_unref(conn->next);
	closep(&conn->fd);
	conn_unref(conn);
	return r;
}

static int on_resume(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata)
{
	struct vl_server *server = userdata;

	(void)sd_event_source_set_enabled(server->listen, SD_EVENT_ON);
	return 0;
}

/* No descriptor or memory left: the socket stays readable, so waiting on it would spin. */
static void accept_pause(struct vl_server *server)
{
	(void)sd_event_source_set_enabled(server->listen, SD_EVENT_OFF);
	(void)sd_event_source_set_time_relative(server->resume, ACCEPT_PAUSE_USEC);
	(void)sd_event_source_set_enabled(server->resume, SD_EVENT_ONESHOT);
}

static int on_listen(_unused_ sd_event_source *s, int fd, _unused_ uint32_t revents, void *userdata)
{
	struct vl_server *server = userdata;

	for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
		int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn >= 0) {
			(void)vl_server_add_connection(server, conn);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN)
			accept_pause(server);
		break;
	}
	return 0;
}

int vl_server_listen(struct vl_server *server, int listen_fd)
{
	_cleanup_(closep) int fd = listen_fd;
	int flags, r;

	if (server->listen)
		return -EBUSY;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	r = sd_event_add_time_relative(server->options.event, &server->resume, CLOCK_MONOTONIC, 0,
				       0, on_resume, server);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(server->resume, SD_EVENT_OFF);
	if (r < 0)
		return r;
	r = sd_event_add_io(server->options.event, &server->listen, fd, EPOLLIN, on_listen, server);
	if (r < 0)
		return r;
	r = sd_event_source_set_io_fd_own(server->listen, true);
	if (r >= 0)
		fd = -1;
	return r;
}

int vl_server_new(const struct vl_server_options *options, struct vl_server **ret)
{
	struct vl_server *server;

	if (!options->event || !options->interface || options->max_connections == 0)
		return -EINVAL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->options = *options;
	if (options->max_message == 0 || options->max_message > LIMIT_VARLINK_BYTES)
		server->options.max_message = LIMIT_VARLINK_BYTES;
	(void)sd_event_ref(options->event);
	LIST_INIT(&server->uids);
	*ret = server;
	return 0;
}

struct vl_server *vl_server_free(struct vl_server *server)
{
	if (!server)
		return NULL;
	while (!LIST_EMPTY(&server->uids))
		conn_close(TAILQ_FIRST(&LIST_FIRST(&server->uids)->conns));
	(void)sd_event_source_disable_unref(server->listen);
	(void)sd_event_source_disable_unref(server->resume);
	(void)sd_event_unref(server->options.event);
	free(server);
	return NULL;
}

size_t vl_server_connections(const struct vl_server *server)
{
	return server->n_connections;
}
