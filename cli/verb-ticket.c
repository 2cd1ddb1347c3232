// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/admin.h"
#include "cli/ask.h"
#include "cli/certfile.h"
#include "cli/file.h"
#include "cli/keys/keys.h"
#include "cli/trust-user.h"
#include "lib/api/service-client.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/base/p11name.h"

/*
 * certlogin ticket: what the helper `prove` does for PAM, by hand.  The ticket goes to stdout
 * alone, everything else to stderr.  There is no "continue anyway": a host that is not known is
 * refused with the line that would trust it.
 */
#define CONNECT_USEC (10 * USEC_PER_SEC)
#define KEYS_MAX 16

struct want {
	const char *host; /* NULL: this host's local gate */
	char host_text[HOST_TEXT], port[PORT_TEXT];
	const char *login_id; /* text, "" : loose */
	char login_text[LOGIN_ID_TEXT_SIZE];
	char account[LIMIT_ACCOUNT + 1];
	const char *service;
	char key_file[PATH_SIZE];
	bool key_named;
	char cert_file[PATH_SIZE];
	const char *pkcs11; /* NULL: none */
	bool pkcs11_named;
	char pkcs11_text[LIMIT_PKCS11 + 2];
	struct trust_file trust_file; /* owns what `trust` points to */
	struct cert *host_cert;
	uint8_t pin[SHA256_BYTES];
	struct anchor anchor;
	struct prove_trust trust;
};

static void want_deinit(struct want *w)
{
	trust_deinit(&w->trust_file);
	cert_free(w->host_cert);
}

/* --- what is asked for --- */

static int account_default(struct cli *cli, const struct args *args, struct want *w)
{
	const char *account = args->option[OPT_ACCOUNT];

	if (!account) {
		const struct passwd *pw = getpwuid(getuid());

		account = pw ? pw->pw_name : NULL;
	}
	if (!account || !account_name_ok(account))
		return cli_usage(cli, "which account? --account ACCOUNT");
	(void)strcpy(w->account, account);
	return CLI_YES;
}

static int named_key(struct cli *cli, const struct args *args, struct want *w)
{
	const char *key = args->option[OPT_KEY], *cert = args->option[OPT_CERT];
	const char *pkcs11 = args->option[OPT_PKCS11];
	struct p11_name name;

	if (key && pkcs11)
		return cli_usage(cli, "--key or --pkcs11: which one?");
	if (pkcs11 && p11_name_parse(pkcs11, &name) < 0)
		return cli_usage(cli,
				 "--pkcs11: the path of a module, or a pkcs11: URI without PIN");
	if ((key && strlen(key) >= PATH_SIZE) || (cert && strlen(cert) >= PATH_SIZE))
		return cli_usage(cli, "a file name is too long");
	w->key_named = key;
	w->pkcs11_named = pkcs11;
	w->pkcs11 = pkcs11;
	(void)strcpy(w->key_file, key ? key : "");
	(void)strcpy(w->cert_file, cert ? cert : "");
	return CLI_YES;
}

static void own_file(const char *name, char ret[PATH_SIZE])
{
	if (path_user_config(ret, name) < 0 || access(ret, R_OK) < 0)
		*ret = '\0';
}

/* The first line of a file of the user's. */
static void own_pkcs11(struct want *w)
{
	char path[PATH_SIZE];
	FILE *f;

	own_file("pkcs11", path);
	f = *path ? fopen(path, "re") : NULL;
	if (!f)
		return;
	if (fgets(w->pkcs11_text, sizeof(w->pkcs11_text), f)) {
		w->pkcs11_text[strcspn(w->pkcs11_text, "\n")] = '\0';
		w->pkcs11 = w->pkcs11_text;
	}
	(void)fclose(f);
}

/* --key or --pkcs11 and --cert, else the user's own files where they are; else only the agent is
 * asked. */
static int key_files(struct cli *cli, const struct args *args, struct want *w)
{
	bool pem;

	if (args->option[OPT_KEY] || args->option[OPT_PKCS11])
		return named_key(cli, args, w);
	if (args->option[OPT_CERT])
		return cli_usage(cli, "--cert needs --key or --pkcs11");
	own_file("client.key", w->key_file);
	pem = *w->key_file;
	if (!pem)
		own_file("client.p12", w->key_file); /* has its certificate */
	own_pkcs11(w);
	if (pem || (!*w->key_file && w->pkcs11))
		own_file("client.crt", w->cert_file);
	return CLI_YES;
}

static int want_make(struct cli *cli, const struct args *args, struct want *w)
{
	const char *login = args->option[OPT_LOGIN];
	uint8_t id[LOGIN_ID_BYTES];
	int r = CLI_YES;

	w->login_id = "";
	w->service = args->option[OPT_SERVICE];
	if (!w->service || !service_name_ok(w->service))
		return cli_usage(cli, "for which service? --service SERVICE (sudo, su, sshd, ...)");
	if (login) {
		if (login_id_parse(login, id) < 0)
			return cli_usage(cli, "'%s' is no login id; it looks like 7KQ2-M4XD-ABCD-E",
					 login);
		login_id_format(id, w->login_text);
		w->login_id = w->login_text;
	}
	if (args->n > 0)
		r = trust_host_split(cli, args->operand[0], w->host_text, w->port);
	if (r == CLI_YES && args->n > 0)
		w->host = w->host_text;
	if (r == CLI_YES)
		r = account_default(cli, args, w);
	if (r == CLI_YES)
		r = key_files(cli, args, w);
	return r;
}

/* --- whom we trust --- */

static int trust_local(struct cli *cli, struct want *w)
{
	char path[PATH_SIZE];
	int r = path_join(path, cli->config_dir, "host.crt");

	if (r < 0)
		return cli_fail_file(cli, r, "use", cli->config_dir);
	if (access(path, R_OK) < 0)
		return cli_fail(cli, CLI_UNREACHABLE, "unreachable",
				"%s: %s. Is certlogin set up on this host? sudo certlogin setup",
				path, strerror(errno));
	r = certfile_read(cli, path, &w->host_cert);
	if (r == CLI_YES)
		w->trust.pin = w->host_cert->spki_sha256;
	return r;
}

static int trust_host(struct cli *cli, struct want *w)
{
	const struct trust_entry *e;
	int r = trust_user_find(cli, w->host, &w->trust_file, &e);

	if (r != CLI_YES)
		return r;
	w->trust.host = w->host;
	if (e->pinned) {
		w->trust.pin = e->pin;
	} else {
		w->anchor = (struct anchor){ .id = 1, .name = w->host, .cert = e->ca };
		w->trust.anchors = &w->anchor;
		w->trust.n_anchors = 1;
	}
	return CLI_YES;
}

/* --- connecting --- */

static int connect_local(struct cli *cli, int *ret_fd)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/gate", cli->runtime_dir);

	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return cli_usage(cli, "--runtime-dir: too long");
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return cli_fail(cli, CLI_UNREACHABLE, "unreachable",
				"cannot reach the gate at %s: %s. Is it started? systemctl start "
				"certlogin-gate@local.socket",
				sa.sun_path, strerror(errno));
	*ret_fd = STEAL_FD(fd);
	return CLI_YES;
}

static int connect_one(const struct addrinfo *ai)
{
	_cleanup_(closep) int fd =
		socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int error = 0, one = 1;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return -errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		if (poll(&p, 1, (int)(CONNECT_USEC / 1000)) <= 0)
			return -ETIMEDOUT;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0)
			return -(error ? error : EIO);
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
			 sizeof(one)); /* else 40 ms more a login */
	return STEAL_FD(fd);
}

static int connect_host(struct cli *cli, const struct want *w, int *ret_fd)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fd = -EHOSTUNREACH, r = getaddrinfo(w->host, w->port, &hints, &found);

	if (r != 0)
		return cli_fail(cli, CLI_UNREACHABLE, "unreachable", "%s: %s", w->host,
				gai_strerror(r));
	for (const struct addrinfo *ai = found; ai && fd < 0; ai = ai->ai_next)
		fd = connect_one(ai);
	freeaddrinfo(found);
	if (fd < 0)
		return cli_fail(
			cli, CLI_UNREACHABLE, "unreachable",
			"cannot reach %s port %s: %s. Was \"certlogin setup --listen\" run there?",
			w->host, w->port, strerror(-fd));
	*ret_fd = fd;
	return CLI_YES;
}

/* --- keys --- */

static int find_certificates(void *userdata, const struct view *spkis, size_t n, struct cert **ret,
			     size_t max, size_t *ret_n)
{
	struct cli *cli = userdata;
	_cleanup_(vl_client_closep) struct vl_client *client = NULL;
	struct service_der ask[LIMIT_FIND_SPKIS], *ders = NULL;
	size_t n_ders = 0, got = 0;
	char path[PATH_SIZE];
	int r = path_join(path, cli->runtime_dir, "pam");

	if (n > ARRAY_SIZE(ask))
		n = ARRAY_SIZE(ask);
	for (size_t i = 0; i < n; i++) /* service_find_certificates() only reads it */
		ask[i] = (struct service_der){ .p = (uint8_t *)(uintptr_t)spkis[i].p,
					       .n = spkis[i].n };
	if (r == 0)
		r = vl_client_connect(path, LIMIT_PAM_CALL_USEC, &client);
	if (r == 0)
		r = service_find_certificates(client, ask, n, &ders, &n_ders);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n_ders && got < max; i++) {
		r = cert_parse(ders[i].p, ders[i].n, &ret[got]);
		got += r == 0;
	}
	service_ders_free(ders, n_ders);
	while (r < 0 && got > 0)
		ret[got - 1] = cert_free(ret[got - 1]), got--;
	if (r == 0)
		*ret_n = got;
	return r;
}

/* --- proving --- */

static const struct {
	enum cli_exit code;
	const char *name;
	const char *text;
} results[] = {
	[PROVE_DONE] = { CLI_YES, "", "" },
	[PROVE_DENIED] = { CLI_NO, "denied", "denied" },
	[PROVE_SERVER] = { CLI_NO, "untrusted", "the host cannot be authenticated" },
	[PROVE_NO_SERVER] = { CLI_UNREACHABLE, "unreachable", "the gate broke off" },
	[PROVE_KEY_FAILED] = { CLI_NO, "key", "the key did not sign" },
	[PROVE_REJECTED] = { CLI_NO, "rejected", "the gate rejected the handshake" },
};

static int prove_fail(struct cli *cli, const struct want *w, const struct prove_answer *a)
{
	char more[128] = "";

	if (a->result == PROVE_DENIED && a->event)
		(void)snprintf(more, sizeof(more), " (event %llu)", (unsigned long long)a->event);
	if (a->result == PROVE_SERVER && w->host)
		(void)snprintf(more, sizeof(more),
			       "; its key is not the one you trust: see certlogin trust --list");
	return cli_fail(cli, results[a->result].code, results[a->result].name, "%s%s%s%s",
			results[a->result].text, *a->why ? ": " : "", a->why, more);
}

static int request_make(struct cli *cli, struct want *w, const struct prove_key *key, int *ret_fd,
			struct prove_request *ret)
{
	*ret = (struct prove_request){ .trust = &w->trust,
				       .key = key,
				       .login_id = w->login_id,
				       .account = w->account,
				       .service = w->service,
				       .timeout_usec = w->host ? LIMIT_CLIENT_NET_USEC
							       : LIMIT_CLIENT_LOCAL_USEC };
	return w->host ? connect_host(cli, w, ret_fd) : connect_local(cli, ret_fd);
}

/* Another key may do: this one is unknown there, or would not sign. */
static bool next_key_helps(enum prove_result r)
{
	return r == PROVE_DENIED || r == PROVE_KEY_FAILED || r == PROVE_REJECTED;
}

/* Shows what the login is for, and asks; CLI_NO: the user does not want it. */
static int confirm(struct cli *cli, struct want *w, const struct prove_key *key, bool yes,
		   bool last, bool *ret_next)
{
	_cleanup_(closep) int fd = -1;
	struct prove_request request;
	struct prove_answer answer = { .result = PROVE_NO_SERVER };
	struct prove_description d = { 0 };
	int r = request_make(cli, w, key, &fd, &request);

	if (r != CLI_YES)
		return r;
	request.fd = fd;
	r = prove_describe(&request, &answer, &d);
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "cannot prove: %s", strerror(-r));
	/* what is denied here is denied at the commit too, which has a record with the reason */
	if (answer.result == PROVE_DENIED && yes)
		return CLI_YES;
	if (answer.result != PROVE_DONE) {
		*ret_next = !last && next_key_helps(answer.result);
		return *ret_next ? CLI_NO : prove_fail(cli, w, &answer);
	}
	cli_note(cli, "This login: %s to %s, started by %s", d.service, d.account, d.caller);
	if (strcmp(d.account, w->account) != 0 || strcmp(d.service, w->service) != 0)
		return cli_fail(cli, CLI_NO, "denied",
				"you asked for %s to %s: this is another login", w->service,
				w->account);
	if (yes)
		return CLI_YES;
	return ask_yes("Sign in there?") ? CLI_YES : cli_fail(cli, CLI_NO, "refused", "not signed");
}

static int ticket_print(struct cli *cli, const struct secret *ticket)
{
	char text[TICKET_TEXT_SIZE];
	int r = CLI_YES;

	if (ticket->len != TICKET_BYTES)
		return cli_fail(cli, CLI_INTERNAL, "internal", "that is no ticket");
	ticket_format(ticket->bytes, text);
	if (cli->json)
		r = cli_json(cli, json_pack("{s:s}", "ticket", text));
	else
		(void)fprintf(cli->out, "%s\n", text);
	(void)fflush(cli->out);
	explicit_bzero(text, sizeof(text));
	return r;
}

/* `last`: no other key can be tried.  *ret_next: try it. */
static int commit(struct cli *cli, struct want *w, const struct prove_key *key, bool last,
		  bool *ret_next)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(secret_freep) struct secret *ticket = NULL;
	struct prove_request request;
	struct prove_answer answer = { .result = PROVE_NO_SERVER };
	int r = request_make(cli, w, key, &fd, &request);

	if (r != CLI_YES)
		return r;
	request.fd = fd;
	r = prove_commit(&request, &answer, &ticket);
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "cannot prove: %s", strerror(-r));
	if (answer.result == PROVE_DONE)
		return ticket_print(cli, ticket);
	*ret_next = !last && next_key_helps(answer.result);
	return *ret_next ? CLI_NO : prove_fail(cli, w, &answer);
}

static int keys_make(struct cli *cli, const struct want *w, struct prove_key **keys, size_t *ret_n)
{
	struct key_context ctx = { .ask = ask_key_question,
				   .choose = ask_key_choice,
				   .ask_userdata = cli,
				   .find_certificates = w->host ? NULL : find_certificates,
				   .find_userdata = cli,
				   .agent_socket = getenv("SSH_AUTH_SOCK"),
				   .key_file = *w->key_file ? w->key_file : NULL,
				   .pkcs11 = w->pkcs11,
				   .cert_file = *w->cert_file ? w->cert_file : NULL };
	/* who names a key means that one */
	int r = w->key_named	  ? keys_file_open(&ctx, keys, KEYS_MAX, ret_n)
		: w->pkcs11_named ? keys_pkcs11_open(&ctx, keys, KEYS_MAX, ret_n)
				  : keys_open(&ctx, keys, KEYS_MAX, ret_n);

	if (r < 0 || *ret_n == 0)
		return cli_fail(
			cli, CLI_NO, "key",
			"no key with a certificate: %s. Give --key and --cert, or --pkcs11, "
			"put them at ~/.config/certlogin/client.key and client.crt, or "
			"ssh-add the key",
			*ctx.why ? ctx.why
			: r < 0	 ? strerror(-r)
				 : "none found");
	return CLI_YES;
}

static int keys_try(struct cli *cli, struct want *w, struct prove_key *const *keys, size_t n,
		    bool yes)
{
	bool next = true;
	int r = CLI_NO;

	for (size_t i = 0; i < n && next; i++) {
		next = false;
		r = *w->login_id ? confirm(cli, w, keys[i], yes, i + 1 == n, &next) : CLI_YES;
		if (r == CLI_YES)
			r = commit(cli, w, keys[i], i + 1 == n, &next);
	}
	return r;
}

int verb_ticket(struct cli *cli, const struct args *args)
{
	_cleanup_(want_deinit) struct want w = { 0 };
	struct prove_key *keys[KEYS_MAX] = { 0 };
	size_t n = 0;
	int r = want_make(cli, args, &w);

	if (r == CLI_YES)
		r = w.host ? trust_host(cli, &w) : trust_local(cli, &w);
	if (r == CLI_YES)
		r = keys_make(cli, &w, keys, &n);
	if (r == CLI_YES)
		r = keys_try(cli, &w, keys, n, args->option[OPT_YES] != NULL);
	for (size_t i = 0; i < n; i++)
		prove_key_free(keys[i]);
	return r;
}
