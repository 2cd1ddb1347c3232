// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/authority-lab.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/authority/api-service.h"
#include "daemon/authority/housekeeping.h"
#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/sessions.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "lib/base/cleanup.h"
#include "lib/varlink/codec.h"

static uint64_t boottime(void *userdata)
{
	return ((struct world *)userdata)->now;
}

static int64_t realtime(void *userdata)
{
	return (int64_t)((struct world *)userdata)->now;
}

/* --- the world --- */

static void write_file(const char *path, const gnutls_datum_t *d)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(d->data, 1, d->size, f), d->size);
	assert_int_equal(fclose(f), 0);
}

static void make_host(struct world *w, enum key_type type)
{
	gnutls_datum_t key, cert;

	pki_make(&(struct pki_spec){ .cn = "host", .type = type, .eku = PKI_SERVER_AUTH }, NULL,
		 &w->host);
	pki_pem(&w->host, &key, &cert);
	write_file(w->key_file, &key);
	write_file(w->cert_file, &cert);
	gnutls_free(key.data);
	gnutls_free(cert.data);
}

void world_identity(struct world *w, const char *name, const struct pki *p)
{
	const struct cert *c = p->cert;
	struct certificate_new new = { .identity = name,
				       .der = c->der.p,
				       .der_n = c->der.n,
				       .issuer = c->issuer.p,
				       .issuer_n = c->issuer.n,
				       .serial = c->serial.p,
				       .serial_n = c->serial.n,
				       .subject = name,
				       .not_before = c->not_before,
				       .not_after = c->not_after };
	struct identity identity;

	memcpy(new.sha256, c->sha256, SHA256_BYTES);
	memcpy(new.spki_sha256, c->spki_sha256, SHA256_BYTES);
	assert_int_equal(store_identity_add(w->a.store, name, "", 0, STORE_FOREVER, &identity), 0);
	assert_int_equal(store_certificate_add(w->a.store, &new), 0);
	assert_int_equal(store_commit(w->a.store), 0);
}

void world_allow(struct world *w, const char *name, const char *account, const char *service)
{
	struct access_row row = { .not_after = STORE_FOREVER };

	(void)snprintf(row.identity, sizeof(row.identity), "%s", name);
	(void)snprintf(row.account, sizeof(row.account), "%s", account);
	(void)snprintf(row.service, sizeof(row.service), "%s", service);
	assert_int_equal(store_access_allow(w->a.store, &row), 0);
	assert_int_equal(store_commit(w->a.store), 0);
}

static void add_policy(struct world *w)
{
	static const struct service_row services[] = {
		{ "sudo", CLASS_ELEVATE, "any", VIA_LOCAL, false, false },
		{ "su", CLASS_ELEVATE, "any", VIA_LOCAL, false, false },
		{ "sshd", CLASS_LOGIN, "any", VIA_ANY, false, false },
		{ "imap", CLASS_APP, "any", VIA_ANY, true, false },
	};
	static const char *const classes[] = { "@elevate", "@login", "@app" };
	int64_t anchor;

	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		assert_int_equal(store_service_set(w->a.store, &services[i]), 0);
	assert_int_equal(store_anchor_add(w->a.store,
					  &(struct anchor_new){ .name = "ca",
								.der = w->ca.cert->der.p,
								.der_n = w->ca.cert->der.n },
					  &anchor),
			 0);
	world_identity(w, "alice", &w->alice);
	world_identity(w, "mallory", &w->mallory);
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		world_allow(w, "alice", "alice", classes[i]);
		world_allow(w, "mallory", "mallory", classes[i]);
	}
	world_allow(w, "alice", "root", "@elevate");
	assert_int_equal(authority_trust_changed(&w->a), 0);
}

static void make_objects(struct world *w)
{
	const struct store_options store = { .path = w->database, .clock = &w->clock };
	const struct vl_server_options service = {
		.interface = &api_service,
		.max_connections = LIMIT_PAM_CONNECTIONS,
		.max_per_uid = LIMIT_PAM_PER_UID,
		.authorize = api_service_authorize,
		.disconnected = api_service_disconnected,
		.userdata = &w->a,
	};
	struct vl_server_options options = service;
	struct authority *a = &w->a;
	const char *why;

	assert_int_equal(store_open(&store, &a->store, NULL), 0);
	assert_int_equal(signer_load(w->key_file, w->cert_file, &a->signer, &why), 0);
	assert_true(sd_event_new(&a->event) >= 0);
	assert_int_equal(trust_cache_new(16, &a->cache), 0);
	assert_int_equal(logins_new(a, &a->logins), 0);
	assert_int_equal(limits_new(&a->limits), 0);
	assert_int_equal(turn_new(a, &a->turn), 0);
	assert_int_equal(sessions_new(a, &a->sessions), 0);
	assert_int_equal(links_new(a, &a->links), 0);
	options.event = a->event;
	assert_int_equal(vl_server_new(&options, &a->service_api), 0);
}

struct world *world_new(const struct world_options *options)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	(void)strcpy(w->dir, "/tmp/certlogin-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	(void)snprintf(w->database, sizeof(w->database), "%s/db", w->dir);
	(void)snprintf(w->key_file, sizeof(w->key_file), "%s/key", w->dir);
	(void)snprintf(w->cert_file, sizeof(w->cert_file), "%s/crt", w->dir);
	w->now = (uint64_t)PKI_NOW;
	w->clock = (struct clock){ boottime, realtime, w };
	w->a = (struct authority){ .clock = &w->clock,
				   .started = PKI_NOW,
				   .roles = { .admin = (gid_t)-1, .audit = (gid_t)-1 } };
	make_host(w, options->host);
	pki_make_ca("Lab CA", &w->ca);
	pki_make_person("alice", options->alice, &w->ca, &w->alice);
	pki_make_person("mallory", KEY_UNKNOWN, &w->ca, &w->mallory);
	make_objects(w);
	add_policy(w);
	return w;
}

void world_free(struct world *w)
{
	char command[128];
	struct authority *a = &w->a;

	turn_free(a->turn);
	vl_server_free(a->service_api);
	links_free(a->links);
	sessions_free(a->sessions);
	logins_free(a->logins);
	limits_free(a->limits);
	trust_cache_free(a->cache);
	authority_trust_clear(a);
	store_close(a->store);
	signer_free(a->signer);
	sd_event_unref(a->event);
	pki_deinit(&w->ca);
	pki_deinit(&w->host);
	pki_deinit(&w->alice);
	pki_deinit(&w->mallory);
	(void)snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	assert_int_equal(system(command), 0);
	free(w);
}

void pump(struct world *w)
{
	int r;

	do
		r = sd_event_run(w->a.event, 0);
	while (r > 0);
	assert_int_equal(r, 0);
}

static void limit_files(rlim_t n)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void disk_break(struct world *w)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s-wal", w->database);
	assert_int_equal(stat(path, &st), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	limit_files((rlim_t)st.st_size);
}

void disk_mend(void)
{
	limit_files(RLIM_INFINITY);
}

/* --- a gate --- */

void gate_open_silent(struct world *w, enum service_via via, struct gate *ret)
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(links_add(w->a.links, pair[0], via), 0);
	ret->w = w;
	ret->via = via;
	ret->staple = NULL;
	ret->fd = pair[1];
}

void gate_open(struct world *w, enum service_via via, struct gate *ret)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_welcome welcome;
	struct wire_header h;
	struct view body;

	gate_open_silent(w, via, ret);
	wire_put_hello(&b, &(struct wire_hello){ WIRE_VERSION });
	gate_send(ret, &b);
	assert_int_equal(gate_receive(ret, &h, &body), 0);
	assert_int_equal(h.id, WIRE_WELCOME);
	assert_int_equal(wire_get_welcome(&body, &welcome), 0);
	assert_true(view_is(&welcome.server_cert, w->host.cert->der.p, w->host.cert->der.n));
}

void gate_close(struct gate *g)
{
	if (g->fd > 0)
		(void)close(g->fd);
	g->fd = -1;
	if (g->w)
		pump(g->w);
}

void gate_send_raw(struct gate *g, const void *p, size_t n)
{
	assert_int_equal(send(g->fd, p, n, MSG_NOSIGNAL), n);
	pump(g->w);
}

void gate_send(struct gate *g, struct buf *b)
{
	assert_int_equal(b->error, 0);
	gate_send_raw(g, b->p, b->n);
	buf_deinit(b);
}

int gate_receive(struct gate *g, struct wire_header *ret, struct view *ret_body)
{
	ssize_t n;

	pump(g->w);
	n = recv(g->fd, g->packet, sizeof(g->packet), 0);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	assert_int_equal(wire_get_header(g->packet, (size_t)n, ret, ret_body), 0);
	return 0;
}

bool gate_is_closed(struct gate *g)
{
	struct wire_header h;
	struct view body;
	int r;

	do
		r = gate_receive(g, &h, &body);
	while (r == 0);
	return r == -EPIPE;
}

void gate_want(struct gate *g, uint16_t n, struct wire_nonces *ret)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_header h;
	struct view body;

	wire_put_want_nonces(&b, &(struct wire_want_nonces){ n });
	gate_send(g, &b);
	assert_int_equal(gate_receive(g, &h, &body), 0);
	assert_int_equal(h.id, WIRE_NONCES);
	assert_int_equal(wire_get_nonces(&body, ret), 0);
	assert_int_equal(ret->n, n);
}

static struct view view_of(const struct buf *b)
{
	return (struct view){ b->p, b->n };
}

void gate_sign(struct gate *g, uint32_t slot, const struct buf *prefix)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_sign(&b, slot,
		      &(struct wire_sign){ { (const uint8_t *)"uid 1001", 8 }, view_of(prefix) });
	gate_send(g, &b);
}

void gate_prove(struct gate *g, uint32_t slot, const struct buf *rest)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_prove(&b, slot, &(struct wire_prove){ view_of(rest) });
	gate_send(g, &b);
}

void gate_commit(struct gate *g, uint32_t slot, const struct commitment *c)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_commit m = {
		.login_id = { c->login_id, c->login_id ? LOGIN_ID_BYTES : 0 },
		.account = { (const uint8_t *)c->account, strlen(c->account) },
		.service = { (const uint8_t *)c->service, strlen(c->service) },
	};

	memcpy(m.ticket_hash, c->ticket_hash, SHA256_BYTES);
	wire_put_commit(&b, slot, &m);
	gate_send(g, &b);
}

void gate_describe(struct gate *g, uint32_t slot, const uint8_t id[LOGIN_ID_BYTES])
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	wire_put_describe(&b, slot, &(struct wire_describe){ { id, LOGIN_ID_BYTES } });
	gate_send(g, &b);
}

struct committed gate_committed(struct gate *g, uint32_t slot)
{
	struct wire_committed m;
	struct wire_header h;
	struct view body;

	assert_int_equal(gate_receive(g, &h, &body), 0);
	assert_int_equal(h.id, WIRE_COMMITTED);
	assert_int_equal(h.slot, slot);
	assert_int_equal(wire_get_committed(&body, &m), 0);
	return (struct committed){ m.allowed, (int64_t)m.event };
}

/* --- a client's handshake --- */

void shake_deinit(struct shake *s)
{
	tls_record_deinit(&s->r);
	buf_deinit(&s->signature);
}

int shake_sign(void *shake, const struct view *prefix, struct buf *ret_signature)
{
	struct shake *s = shake;
	struct wire_header h;
	struct wire_signed m;
	struct view body;

	gate_sign(s->gate, s->slot,
		  &(struct buf){ .p = (uint8_t *)(uintptr_t)prefix->p, .n = prefix->n });
	assert_int_equal(gate_receive(s->gate, &h, &body), 0);
	assert_int_equal(h.id, WIRE_SIGNED);
	assert_int_equal(h.slot, s->slot);
	assert_int_equal(wire_get_signed(&body, &m), 0);
	buf_put(&s->signature, m.signature.p, m.signature.n);
	buf_put(ret_signature, m.signature.p, m.signature.n);
	return 0;
}

void shake_make(struct gate *g, const struct pki *who, const char *name, struct shake *ret)
{
	struct tls_spec spec = { .nonce = ret->nonce,
				 .server = &g->w->host.cert->der,
				 .alpn = { ALPN_PROTOCOL, name },
				 .client = who,
				 .staple = g->staple,
				 .sign = shake_sign,
				 .userdata = ret };
	struct wire_nonces nonces;

	*ret = (struct shake){ .gate = g };
	gate_want(g, 1, &nonces);
	ret->slot = nonces.items[0].slot;
	memcpy(ret->nonce, nonces.items[0].nonce, sizeof(ret->nonce));
	assert_int_equal(tls_handshake(&spec, &ret->r), 0);
}

struct wish wish_for(const struct pki *who, const uint8_t *login_id, const char *account,
		     const char *service)
{
	struct wish w = { .who = who,
			  .login_id = login_id,
			  .account = account,
			  .service = service,
			  .c = { .login_id = login_id, .account = account, .service = service } };

	assert_int_equal(random_bytes(w.ticket, sizeof(w.ticket)), 0);
	commitment_ticket_hash(w.ticket, w.c.ticket_hash);
	assert_int_equal(commitment_name(&w.c, w.name), 0);
	return w;
}

struct committed gate_login(struct gate *g, const struct wish *wish)
{
	_cleanup_(shake_deinit) struct shake s;

	shake_make(g, wish->who, wish->name, &s);
	gate_prove(g, s.slot, &s.r.rest);
	gate_commit(g, s.slot, &wish->c);
	return gate_committed(g, s.slot);
}

/* --- a PAM module --- */

json_t *service_call(struct service *s, const char *method, json_t *parameters, char ret_error[128])
{
	_cleanup_(buf_deinitp) struct buf in = { 0 };
	_cleanup_(freep) char *text = NULL, *error = NULL;
	char name[64], chunk[4096];
	json_t *answer;
	ssize_t r;
	size_t n;

	(void)snprintf(name, sizeof(name), "org.certlogin.Service.%s", method);
	assert_int_equal(vl_call_format(name, parameters, &text, &n), 0);
	assert_int_equal(send(s->fd, text, n, MSG_NOSIGNAL), n);
	pump(s->w);
	while ((r = recv(s->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		buf_put(&in, chunk, (size_t)r);
	assert_true(in.n > 0 && in.p[in.n - 1] == '\0');
	assert_int_equal(vl_reply_parse((const char *)in.p, in.n - 1, &answer, &error), 0);
	(void)snprintf(ret_error, 128, "%s", error ? error : "");
	return answer;
}

void service_begin(struct world *w, const char *account, const char *service, struct service *ret)
{
	int pair[2];
	char error[128];
	json_t *answer;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(vl_server_add_connection(w->a.service_api, pair[0]), 0);
	*ret = (struct service){ .w = w, .fd = pair[1] };
	answer = service_call(ret, "Begin",
			      json_pack("{s:s, s:s, s:s}", "account", account, "service", service,
					"tty", "pts/3"),
			      error);
	assert_string_equal(error, "");
	(void)snprintf(ret->login_text, sizeof(ret->login_text), "%s",
		       json_string_value(json_object_get(answer, "loginId")));
	assert_int_equal(login_id_parse(ret->login_text, ret->login_id), 0);
	json_decref(answer);
}

void service_close(struct service *s)
{
	if (s->fd > 0)
		(void)close(s->fd);
	s->fd = -1;
	if (s->w)
		pump(s->w);
}

struct redeemed service_redeem(struct service *s, const char *login_text,
			       const uint8_t ticket[TICKET_BYTES])
{
	char text[TICKET_TEXT_SIZE], error[128];
	struct redeemed r = { 0 };
	const char *identity;
	json_t *answer;

	ticket_format(ticket, text);
	answer = service_call(
		s, "Redeem", json_pack("{s:s, s:s}", "loginId", login_text, "ticket", text), error);
	r.invalid = strcmp(error, "org.certlogin.Service.InvalidLogin") == 0;
	r.too_many = strcmp(error, "org.certlogin.Service.TooMany") == 0;
	if (!r.invalid && !r.too_many)
		assert_string_equal(error, "");
	r.allowed = json_is_true(json_object_get(answer, "allowed"));
	r.event = json_integer_value(json_object_get(answer, "event"));
	identity = json_string_value(json_object_get(answer, "identity"));
	(void)snprintf(r.identity, sizeof(r.identity), "%s", identity ? identity : "");
	json_decref(answer);
	return r;
}

/* --- the record --- */

size_t count_events(struct world *w, const char *kind, const char *verdict)
{
	const struct event_filter filter = { .limit = LIMIT_LIST_ROWS,
					     .kind = kind,
					     .verdict = verdict };
	struct event *events;
	size_t n;

	assert_int_equal(store_event_list(w->a.store, &filter, &events, &n), 0);
	events_free(events, n);
	return n;
}

void expect_event(struct world *w, const char *kind, const char *verdict, const char *reason)
{
	const struct event_filter filter = { .limit = 1, .last = 1, .kind = kind };
	struct event *events;
	size_t n;

	assert_false(store_dirty(w->a.store));
	assert_int_equal(store_event_list(w->a.store, &filter, &events, &n), 0);
	if (n != 1)
		fail_msg("no event %s", kind);
	assert_string_equal(events[0].reason, reason);
	assert_string_equal(events[0].verdict, verdict);
	events_free(events, n);
}
