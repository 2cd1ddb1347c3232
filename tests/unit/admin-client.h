/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_ADMIN_CLIENT_H
#define TESTS_ADMIN_CLIENT_H

/* org.certlogin.Admin in this process: real database, real socket pairs, real peer credentials. */

#include <grp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/authority/api-admin.h"
#include "lib/varlink/codec.h"
#include "tests/unit/admin-lab.h"
#include "tests/unit/varlink-text.h"

#define GID_ADMIN 4001
#define GID_AUDIT 4002
#define UID_ADMIN 4011
#define UID_AUDIT 4012
#define UID_NOBODY 4013
#define UID_FETCH 4014

static inline void start(struct lab *lab, const struct vl_interface *interface)
{
	const struct vl_server_options options = {
		.event = lab->a.event,
		.interface = interface,
		.max_connections = LIMIT_ADMIN_CONNECTIONS,
		.authorize = api_admin_authorize,
		.userdata = &lab->a,
	};

	assert_int_equal(vl_server_new(&options, &lab->a.admin_api), 0);
	lab->a.roles.admin = GID_ADMIN;
	lab->a.roles.audit = GID_AUDIT;
	lab->a.roles.fetch = UID_FETCH;
}

static inline int setup(void **state)
{
	struct lab *lab = lab_new();

	start(lab, &api_admin);
	*state = lab;
	return 0;
}

static inline void set_file_limit(rlim_t n)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline int teardown(void **state)
{
	set_file_limit(RLIM_INFINITY);
	lab_free(*state);
	return 0;
}

/* A connection of this user and group; the kernel notes both when the pair is made. */
static inline int connect_as(struct lab *lab, uid_t uid, gid_t gid)
{
	int pair[2];

	if (uid != 0) {
		assert_int_equal(setgroups(gid ? 1 : 0, &gid), 0);
		assert_int_equal(seteuid(uid), 0);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	if (uid != 0) {
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setgroups(0, NULL), 0);
	}
	assert_int_equal(vl_server_add_connection(lab->a.admin_api, pair[0]), 0);
	return pair[1];
}

static inline void ask(int fd, const char *method, json_t *parameters)
{
	_cleanup_(freep) char *text = NULL;
	char name[64];
	size_t n;

	(void)snprintf(name, sizeof(name), "org.certlogin.Admin.%s", method);
	assert_int_equal(vl_call_format(name, parameters, &text, &n), 0);
	assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
}

struct answer {
	json_t *parameters;
	char *error; /* NULL: none */
};

static inline void answer_deinit(struct answer *x)
{
	json_decref(x->parameters);
	free(x->error);
}

static inline bool try_read(int fd, struct buf *in)
{
	char chunk[65536];
	ssize_t n;

	while ((n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		buf_put(in, chunk, (size_t)n);
	return in->n > 0 && in->p[in->n - 1] == '\0';
}

static inline struct answer await(struct lab *lab, int fd)
{
	_cleanup_(buf_deinitp) struct buf in = { 0 };
	struct answer x = { 0 };

	while (!try_read(fd, &in))
		assert_true(sd_event_run(lab->a.event, 2 * 1000 * 1000) > 0);
	assert_int_equal(vl_reply_parse((const char *)in.p, in.n - 1, &x.parameters, &x.error), 0);
	return x;
}

/* Is the answer one that the interface describes? */
static inline void check_answer(const struct answer *x, const char *method)
{
	const struct text_struct *s;
	struct text_interface t;

	text_parse(api_admin.description, &t);
	if (x->error && strncmp(x->error, "org.varlink.service.", 20) == 0)
		return;
	s = x->error ? text_find(t.errors, t.n_errors, strrchr(x->error, '.') + 1)
		     : text_find(t.out, t.n_methods, method);
	assert_non_null(s);
	text_check(&t, s, x->parameters);
}

static inline struct answer call_on(struct lab *lab, int fd, const char *method, json_t *parameters)
{
	struct answer x;

	ask(fd, method, parameters);
	x = await(lab, fd);
	check_answer(&x, method);
	return x;
}

/* As root, on a connection of its own. */
static inline struct answer call(struct lab *lab, const char *method, json_t *parameters)
{
	int fd = connect_as(lab, 0, 0);
	struct answer x = call_on(lab, fd, method, parameters);

	(void)close(fd);
	return x;
}

static inline void expect_error(struct answer x, const char *error, const char *member,
				const char *value)
{
	if (!x.error || !strstr(x.error, error))
		fail_msg("%s, not %s", x.error ? x.error : "no error", error);
	if (member) {
		const char *text = json_string_value(json_object_get(x.parameters, member));

		if (!text || !strstr(text, value))
			fail_msg("%s: %s, not %s", member, text ? text : "(null)", value);
	}
	answer_deinit(&x);
}

/* The reply; the caller's to release. */
static inline json_t *good(struct answer x)
{
	if (x.error)
		fail_msg("%s %s", x.error, json_dumps(x.parameters, 0));
	return x.parameters;
}

static inline void done(struct answer x)
{
	json_decref(good(x));
}

static inline const char *text_at(const json_t *json, const char *row, const char *member)
{
	const char *s =
		json_string_value(json_object_get(row ? json_object_get(json, row) : json, member));

	return s ? s : "(none)";
}

static inline int64_t int_at(const json_t *json, const char *member)
{
	assert_true(json_is_integer(json_object_get(json, member)));
	return json_integer_value(json_object_get(json, member));
}

static inline bool yes_at(const json_t *json, const char *member)
{
	assert_true(json_is_boolean(json_object_get(json, member)));
	return json_is_true(json_object_get(json, member));
}

/* Newest event: its kind, source, and a part of its detail. */
static inline void expect_event(struct lab *lab, const char *kind, const char *source,
				const char *detail)
{
	_cleanup_(event_deinit) struct event e = { 0 };
	uint8_t hash[SHA256_BYTES];
	int64_t id;

	assert_false(store_dirty(lab->a.store));
	store_event_head(lab->a.store, &id, hash);
	assert_int_equal(store_event_get(lab->a.store, id, &e), 0);
	assert_string_equal(e.kind, kind);
	assert_string_equal(e.source, source);
	if (!strstr(e.detail, detail))
		fail_msg("%s: no %s in %s", kind, detail, e.detail);
}

static inline json_t *der(const struct cert *c)
{
	_cleanup_(freep) char *text = base64_encode_new(c->der.p, c->der.n);

	return json_string(text);
}

static inline void add(struct lab *lab, const char *name)
{
	done(call(lab, "AddIdentity", json_pack("{s:s}", "name", name)));
}

static inline json_t *access_of(const char *identity, const char *account, const char *service)
{
	return json_pack("{s:s, s:s, s:s}", "identity", identity, "account", account, "service",
			 service);
}

#endif
