// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load for `make bench`: N mutual TLS 1.3 handshakes, C at a time, in one thread without blocking.
 *
 *	--mode login   a gate: commits to a request, makes the Commit call, wants allowed:true
 *	--mode bare    an HTTPS server that wants client certificates: GET /, any answer
 *
 * Prints `bench p50 V ms`, `p99`, `max`, `rate V 1/s`, `failures N`; exits 1 when one has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/api/service-client.h"
#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/paths.h"
#include "lib/pki/commitment.h"
#include "lib/pki/digest.h"

#define KEYS_MAX 100000
#define TIMEOUT_MSEC 30000

struct options {
	unsigned long count, concurrency, key_first;
	bool login;
	const char *connect;  /* /path or HOST:PORT */
	const char *pin_file; /* the server's certificate; NULL: not looked at */
	const char *key, *cert, *key_dir;
	const char *account, *service;
	const char *pam_socket; /* where logins begin; NULL: loose tickets */
};

/* A login that was begun, for as many tickets as it may have. */
struct login {
	struct vl_client *client;
	struct service_begin begin;
	unsigned commits_left, users;
};

struct hand { /* one connection */
	int fd;
	gnutls_session_t session;
	bool established, wants_out;
	double begun;
	struct login *login;
	char *call;
	size_t call_n;
	char reply[4096];
	size_t reply_n;
};

struct load {
	struct options o;
	struct sockaddr_storage address;
	socklen_t address_n;
	gnutls_priority_t priority;
	gnutls_certificate_credentials_t *keys;
	size_t n_keys;
	gnutls_datum_t pin;
	int epoll_fd;
	size_t started, done, failures, running;
	double *took;
	struct login *login;
};

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "load: %s: %s\n", what, why);
	exit(2);
}

static void check(int r, const char *what)
{
	if (r < 0)
		die(what, gnutls_strerror(r));
}

/* --- keys --- */

static int verify_pin(gnutls_session_t session)
{
	const struct load *l = gnutls_db_get_ptr(session);
	unsigned n = 0;
	const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &n);

	if (n == 0 || certs[0].size != l->pin.size ||
	    memcmp(certs[0].data, l->pin.data, l->pin.size) != 0)
		return GNUTLS_E_CERTIFICATE_ERROR;
	return 0;
}

static void load_pin(struct load *l)
{
	gnutls_datum_t text;
	gnutls_x509_crt_t crt;

	check(gnutls_load_file(l->o.pin_file, &text), l->o.pin_file);
	check(gnutls_x509_crt_init(&crt), "memory");
	check(gnutls_x509_crt_import(crt, &text, GNUTLS_X509_FMT_PEM), l->o.pin_file);
	check(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &l->pin), l->o.pin_file);
	gnutls_x509_crt_deinit(crt);
	gnutls_free(text.data);
}

static void load_key(struct load *l, const char *cert, const char *key)
{
	gnutls_certificate_credentials_t *c = &l->keys[l->n_keys++];

	check(gnutls_certificate_allocate_credentials(c), "memory");
	check(gnutls_certificate_set_x509_key_file(*c, cert, key, GNUTLS_X509_FMT_PEM), cert);
	if (l->o.pin_file)
		gnutls_certificate_set_verify_function(*c, verify_pin);
}

/* --key-dir DIR: DIR/0.key, DIR/0.crt, ... from --key-first on, one for each handshake. */
static void load_keys(struct load *l)
{
	char cert[4096], key[4096];
	size_t n = l->o.key_dir ? l->o.count : 1;

	l->keys = calloc(n, sizeof(*l->keys));
	if (!l->keys || n > KEYS_MAX)
		die("keys", "too many");
	if (!l->o.key_dir) {
		load_key(l, l->o.cert, l->o.key);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(cert, sizeof(cert), "%s/%zu.crt", l->o.key_dir, l->o.key_first + i);
		(void)snprintf(key, sizeof(key), "%s/%zu.key", l->o.key_dir, l->o.key_first + i);
		load_key(l, cert, key);
	}
}

/* --- logins, and what is committed to --- */

/* Loose tickets are limited to two for an identity: a load needs logins that have begun. */
static struct login *login_take(struct load *l)
{
	struct login *login = l->login;
	int r;

	if (!l->o.pam_socket)
		return NULL;
	if (!login) {
		login = calloc(1, sizeof(*login));
		if (!login)
			die("login", "no memory");
		r = vl_client_connect(l->o.pam_socket, LIMIT_PAM_CALL_USEC, &login->client);
		if (r == 0)
			r = service_begin(login->client, l->o.account, l->o.service, NULL, NULL,
					  &login->begin);
		if (r < 0)
			die(l->o.pam_socket, strerror(-r));
		login->commits_left = LIMIT_TICKETS_PER_LOGIN;
		l->login = login;
	}
	login->users++;
	if (--login->commits_left == 0)
		l->login = NULL;
	return login;
}

static void login_release(struct login *login)
{
	if (!login || --login->users > 0 || login->commits_left > 0)
		return;
	vl_client_close(login->client);
	free(login);
}

static void prepare_commit(struct load *l, struct hand *h)
{
	static const char format[] = "{\"method\":\"org.certlogin.Login.Commit\",\"parameters\":"
				     "{\"ticketHash\":\"%s\",\"loginId\":\"%s\",\"account\":\"%s\","
				     "\"service\":\"%s\"}}";
	struct commitment commitment = { .account = l->o.account, .service = l->o.service };
	char name[COMMITMENT_NAME_SIZE], hash[BASE64_SIZE(SHA256_BYTES)];
	uint8_t ticket[TICKET_BYTES], login_id[LOGIN_ID_BYTES];
	gnutls_datum_t protocols[2] = {
		{ (uint8_t *)(uintptr_t)ALPN_PROTOCOL, sizeof(ALPN_PROTOCOL) - 1 },
		{ (uint8_t *)name, sizeof(name) - 1 },
	};

	h->login = login_take(l);
	if (h->login && login_id_parse(h->login->begin.login_id, login_id) == 0)
		commitment.login_id = login_id;
	if (random_bytes(ticket, sizeof(ticket)) < 0)
		die("ticket", "no random bytes");
	commitment_ticket_hash(ticket, commitment.ticket_hash);
	if (commitment_name(&commitment, name) < 0)
		die("commitment", "no memory");
	check(gnutls_alpn_set_protocols(h->session, protocols, 2, 0), "ALPN");
	base64_encode(commitment.ticket_hash, SHA256_BYTES, hash);
	if (asprintf(&h->call, format, hash, h->login ? h->login->begin.login_id : "", l->o.account,
		     l->o.service) < 0)
		die("call", "no memory");
	h->call_n = strlen(h->call) + 1;
}

static void prepare_get(struct hand *h)
{
	h->call = strdup("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	if (!h->call)
		die("call", "no memory");
	h->call_n = strlen(h->call);
}

/* --- one connection --- */

static void hand_end(struct load *l, struct hand *h, const char *failure)
{
	l->took[l->done++] = now() - h->begun;
	l->running--;
	if (failure && l->failures++ < 5)
		(void)fprintf(stderr, "load: %s\n", failure);
	gnutls_deinit(h->session);
	(void)close(h->fd);
	login_release(h->login);
	free(h->call);
	free(h);
}

static int connect_to(const struct load *l)
{
	const int one = 1;
	int fd = socket(l->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket", strerror(errno));
	if (l->address.ss_family != AF_UNIX) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	if (connect(fd, (const struct sockaddr *)&l->address, l->address_n) < 0 &&
	    errno != EINPROGRESS)
		die(l->o.connect, strerror(errno));
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void hand_start(struct load *l)
{
	struct hand *h = calloc(1, sizeof(*h));
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.ptr = h };

	if (!h)
		die("connection", "no memory");
	h->begun = now();
	h->wants_out = true;
	check(gnutls_init(&h->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL),
	      "memory");
	check(gnutls_priority_set(h->session, l->priority), "priority");
	check(gnutls_credentials_set(h->session, GNUTLS_CRD_CERTIFICATE,
				     l->keys[l->o.key_dir ? l->started : 0]),
	      "credentials");
	gnutls_db_set_ptr(h->session, l);
	if (l->o.login)
		prepare_commit(l, h);
	else
		prepare_get(h);
	h->fd = connect_to(l);
	gnutls_transport_set_int(h->session, h->fd);
	l->started++;
	l->running++;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, h->fd, &event) < 0)
		die("epoll", strerror(errno));
}

static void hand_watch(const struct load *l, struct hand *h)
{
	bool out = gnutls_record_get_direction(h->session) == 1;
	struct epoll_event event = { .events = out ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = h };

	if (out == h->wants_out)
		return;
	h->wants_out = out;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, h->fd, &event) < 0)
		die("epoll", strerror(errno));
}

static const char *judge(const struct load *l, struct hand *h)
{
	static const char allowed[] = "{\"parameters\":{\"allowed\":true,";

	if (!l->o.login)
		return h->reply_n > 0 ? NULL : "no answer";
	if (h->reply_n > 0 && strncmp(h->reply, allowed, sizeof(allowed) - 1) == 0)
		return NULL;
	return h->reply_n > 0 ? h->reply : "no answer";
}

static bool again(ssize_t r)
{
	return r == GNUTLS_E_AGAIN || (r < 0 && !gnutls_error_is_fatal((int)r));
}

static void hand_read(struct load *l, struct hand *h)
{
	for (;;) {
		size_t room = sizeof(h->reply) - 1 - h->reply_n;
		ssize_t n = gnutls_record_recv(h->session, h->reply + h->reply_n, room);

		if (again(n)) {
			hand_watch(l, h);
			return;
		}
		if (n > 0)
			h->reply_n += (size_t)n;
		/* the answer is whole at its NUL, or at the end */
		if (n <= 0 || room == (size_t)n ||
		    (l->o.login && memchr(h->reply, '\0', h->reply_n))) {
			const char *failure = judge(l, h);

			hand_end(l, h, failure && n < 0 ? gnutls_strerror((int)n) : failure);
			return;
		}
	}
}

static void hand_step(struct load *l, struct hand *h)
{
	int r = 0;

	if (!h->established) {
		do
			r = gnutls_handshake(h->session);
		while (r < 0 && r != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(r));
		if (r == GNUTLS_E_AGAIN) {
			hand_watch(l, h);
			return;
		}
		if (r == GNUTLS_E_FATAL_ALERT_RECEIVED) {
			hand_end(l, h, gnutls_alert_get_name(gnutls_alert_get(h->session)));
			return;
		}
		if (r == 0 && gnutls_record_send(h->session, h->call, h->call_n) < 0)
			r = GNUTLS_E_PUSH_ERROR;
		if (r < 0) {
			hand_end(l, h, gnutls_strerror(r));
			return;
		}
		h->established = true;
	}
	hand_read(l, h);
}

/* --- all of them --- */

static void run(struct load *l)
{
	struct epoll_event events[64];

	while (l->done < l->o.count) {
		int n;

		while (l->running < l->o.concurrency && l->started < l->o.count)
			hand_start(l);
		n = epoll_wait(l->epoll_fd, events, ARRAY_SIZE(events), TIMEOUT_MSEC);
		if (n == 0)
			die("nothing happens", "timeout");
		for (int i = 0; i < n; i++)
			hand_step(l, events[i].data.ptr);
	}
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(struct load *l, double seconds)
{
	size_t n = l->o.count;

	qsort(l->took, n, sizeof(*l->took), compare);
	(void)printf("bench p50 %.3f ms\n", l->took[n / 2] * 1e3);
	(void)printf("bench p99 %.3f ms\n", l->took[(n * 99) / 100] * 1e3);
	(void)printf("bench max %.3f ms\n", l->took[n - 1] * 1e3);
	(void)printf("bench rate %.1f 1/s\n", (double)n / seconds);
	(void)printf("bench failures %zu\n", l->failures);
}

static void resolve(struct load *l)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	char host[256];
	const char *colon = strrchr(l->o.connect, ':');

	if (l->o.connect[0] == '/') {
		(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", l->o.connect);
		memcpy(&l->address, &un, sizeof(un));
		l->address_n = sizeof(un);
		return;
	}
	if (!colon || (size_t)(colon - l->o.connect) >= sizeof(host))
		die(l->o.connect, "not /path or HOST:PORT");
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - l->o.connect), l->o.connect);
	if (getaddrinfo(host, colon + 1, &hints, &list) != 0)
		die(l->o.connect, "no such address");
	memcpy(&l->address, list->ai_addr, list->ai_addrlen);
	l->address_n = list->ai_addrlen;
	freeaddrinfo(list);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text)
		die(text, "not a number");
	return n;
}

static void parse_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{ "count", 1, NULL, 'n' },     { "concurrency", 1, NULL, 'c' },
		{ "mode", 1, NULL, 'm' },      { "connect", 1, NULL, 'C' },
		{ "pin-file", 1, NULL, 'p' },  { "key", 1, NULL, 'k' },
		{ "cert", 1, NULL, 't' },      { "key-dir", 1, NULL, 'd' },
		{ "key-first", 1, NULL, 'f' }, { "account", 1, NULL, 'a' },
		{ "service", 1, NULL, 's' },   { "pam-socket", 1, NULL, 'S' },
		{ "loose", 0, NULL, 'l' },     { NULL, 0, NULL, 0 },
	};
	int option;

	*o = (struct options){
		.count = 100, .concurrency = 16, .login = true, .pam_socket = PATH_SOCKET_PAM
	};
	while ((option = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		switch (option) {
		case 'n':
			o->count = number(optarg);
			break;
		case 'c':
			o->concurrency = number(optarg);
			break;
		case 'm':
			o->login = strcmp(optarg, "login") == 0;
			break;
		case 'C':
			o->connect = optarg;
			break;
		case 'p':
			o->pin_file = optarg;
			break;
		case 'k':
			o->key = optarg;
			break;
		case 't':
			o->cert = optarg;
			break;
		case 'd':
			o->key_dir = optarg;
			break;
		case 'f':
			o->key_first = number(optarg);
			break;
		case 'a':
			o->account = optarg;
			break;
		case 's':
			o->service = optarg;
			break;
		case 'S':
			o->pam_socket = optarg;
			break;
		case 'l':
			o->pam_socket = NULL;
			break;
		default:
			exit(2);
		}
	}
	if (!o->connect || !(o->key_dir || (o->key && o->cert)) || o->count == 0 ||
	    o->concurrency == 0 || (o->login && (!o->account || !o->service)))
		die("usage", "--connect, --key and --cert or --key-dir, --account and --service");
}

int main(int argc, char **argv)
{
	struct load l = { 0 };
	struct rlimit limit;
	double begun;

	parse_options(argc, argv, &l.o);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	resolve(&l);
	check(gnutls_priority_init(
		      &l.priority,
		      "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1",
		      NULL),
	      "priority");
	if (l.o.pin_file)
		load_pin(&l);
	load_keys(&l);
	l.took = calloc(l.o.count, sizeof(*l.took));
	l.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!l.took || l.epoll_fd < 0)
		die("start", "no memory");
	begun = now();
	run(&l);
	report(&l, now() - begun);
	return l.failures ? 1 : 0;
}
