// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/admin.h"
#include "cli/builtin-ca.h"
#include "cli/ca.h"
#include "cli/certfile.h"
#include "cli/file.h"
#include "cli/trust.h"
#include "lib/base/limits.h"

/*
 * certlogin setup: host key and certificate, the pin that clients need, and the next steps.  May be
 * run again at any time: what is there stays.  It changes no pam.d file, and starts nothing unless
 * --enable says so.
 *
 * The host certificate is self-signed and lives ten years: clients trust its key by pin, so that a
 * shorter life would only break them without making anything safer.
 */
#define HOST_DAYS 3650
#define DAY_USEC (86400 * (int64_t)USEC_PER_SEC)
#define CA_DAYS 3650
#define DEFAULT_PORT "4715"
#define UNIT_DIR "/etc/systemd/system"
#define SOCKET_NETWORK "certlogin-gate@network.socket"

struct setup {
	char key_path[PATH_SIZE];
	char cert_path[PATH_SIZE];
	char dropin[PATH_SIZE];
	const char *listen; /* NULL: not asked for; "": everywhere */
	char pin[PIN_TEXT_SIZE];
	bool made_key;
};

/* Short and full name of this host; the resolver may not know the full one. */
static size_t own_names(char ret[2][NI_MAXHOST])
{
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	size_t n = 1;

	if (gethostname(ret[0], NI_MAXHOST - 1) < 0 || !*ret[0])
		(void)strcpy(ret[0], "localhost");
	if (getaddrinfo(ret[0], NULL, &hints, &found) == 0 && found->ai_canonname &&
	    strcmp(found->ai_canonname, ret[0]) != 0 && strlen(found->ai_canonname) < NI_MAXHOST) {
		(void)strcpy(ret[1], found->ai_canonname);
		n = 2;
	}
	if (found)
		freeaddrinfo(found);
	return n;
}

static int host_make(struct cli *cli, const char *const *names, size_t n, struct setup *s)
{
	_cleanup_(issuer_deinitp) struct issuer own = { 0 };
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;
	_cleanup_(buf_deinitp) struct buf pem = { 0 };
	int64_t now = clock_realtime(cli->clock);
	char cn[CN_MAX + 1];
	const struct cert_spec spec = { .cn = cn,
					.dns = names,
					.n_dns = n,
					.eku = GNUTLS_KP_TLS_WWW_SERVER,
					.not_before = now - DAY_USEC,
					.not_after = now + HOST_DAYS * DAY_USEC };
	gnutls_datum_t key = { 0 };
	int r = key_make(&own.key);

	(void)snprintf(cn, sizeof(cn), "%s", names[0]);
	if (r == 0)
		r = cert_make(&spec, NULL, &own, &crt);
	if (r == 0)
		r = cert_export(crt, &pem, NULL);
	if (r == 0)
		r = key_pem(own.key, &key);
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "the host key could not be made: %s",
				strerror(-r));
	r = file_write_new(s->key_path, 0600, key.data, key.size);
	key_pem_deinit(&key);
	if (r < 0)
		return cli_fail_file(cli, r, "write", s->key_path);
	r = file_write_new(s->cert_path, 0644, pem.p, pem.n);
	return r < 0 ? cli_fail_file(cli, r, "write", s->cert_path) : CLI_YES;
}

static int host_key(struct cli *cli, const struct args *args, struct setup *s)
{
	bool key = access(s->key_path, F_OK) == 0, cert = access(s->cert_path, F_OK) == 0;
	const char *names[ARGS_MANY];
	char own[2][NI_MAXHOST] = { "", "" };
	size_t n = args->n_many; /* --hostname alone can be so many */
	int r;

	if (key && cert)
		return CLI_YES;
	if (key || cert)
		return cli_fail(cli, CLI_NO, "exists",
				"only one of %s and %s is there; restore or remove it: nothing is "
				"overwritten",
				s->key_path, s->cert_path);
	for (size_t i = 0; i < n; i++) {
		char host[256];

		names[i] = args->many[i].value;
		if (host_normalise(names[i], host) < 0)
			return cli_usage(cli, "'%s' is no host name", names[i]);
	}
	if (n == 0) {
		n = own_names(own);
		names[0] = own[0];
		names[1] = own[1];
	}
	r = dir_make(cli->config_dir, 0755);
	if (r < 0)
		return cli_fail_file(cli, r, "make", cli->config_dir);
	s->made_key = true;
	return host_make(cli, names, n, s);
}

static int pin_read(struct cli *cli, struct setup *s)
{
	_cleanup_(cert_freep) struct cert *cert = NULL;
	int r = certfile_read(cli, s->cert_path, &cert);

	if (r == CLI_YES)
		pin_format(cert->spki_sha256, s->pin);
	return r;
}

/* --- the network gate --- */

/* [ADDR:]PORT, as systemd's ListenStream takes it. */
static bool listen_ok(const char *s)
{
	const char *port = strrchr(s, ':');
	char *end;
	long v;

	port = port ? port + 1 : s;
	v = strtol(port, &end, 10);
	return *port && !*end && v > 0 && v < 65536 &&
	       strspn(s, "0123456789abcdefABCDEF.:[]") == strlen(s);
}

static int listen_write(struct cli *cli, const struct args *args, struct setup *s)
{
	const char *dir = args->option[OPT_UNIT_DIR] ? args->option[OPT_UNIT_DIR] : UNIT_DIR;
	char text[256], sub[PATH_SIZE];
	int r;

	if (!listen_ok(s->listen))
		return cli_usage(cli,
				 "--listen %s: a port, or an address and a port: 4715, "
				 "192.0.2.1:4715, [2001:db8::1]:4715",
				 s->listen);
	r = path_join(sub, dir, SOCKET_NETWORK ".d");
	if (r == 0)
		r = path_join(s->dropin, sub, "listen.conf");
	if (r == 0)
		r = dir_make(sub, 0755);
	(void)snprintf(
		text, sizeof(text),
		"# Written by certlogin setup --listen\n[Socket]\nListenStream=\nListenStream=%s\n"
		"FreeBind=yes\n",
		s->listen);
	if (r == 0)
		r = file_write(s->dropin, 0644, text, strlen(text));
	return r < 0 ? cli_fail_file(cli, r, "write", s->dropin) : CLI_YES;
}

static int run(char *const argv[])
{
	extern char **environ;
	int status, r;
	pid_t pid;

	r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status == 0 ? 0 : -EIO;
}

static int sockets_enable(struct cli *cli, const struct setup *s)
{
	char *const reload[] = { (char[]){ "systemctl" }, (char[]){ "daemon-reload" }, NULL };
	char *const enable[] = { (char[]){ "systemctl" },
				 (char[]){ "enable" },
				 (char[]){ "--now" },
				 (char[]){ "--quiet" },
				 (char[]){ "certlogind.socket" },
				 (char[]){ "certlogin-gate@local.socket" },
				 s->listen ? (char[]){ SOCKET_NETWORK } : NULL,
				 NULL };

	if (run(reload) < 0 || run(enable) < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal",
				"systemctl could not start the sockets");
	return CLI_YES;
}

/* --- what comes next --- */

static int result_json(struct cli *cli, const struct setup *s)
{
	return cli_json(cli, json_pack("{s:s, s:s, s:s, s:b, s:s?}", "pin", s->pin, "certificate",
				       s->cert_path, "key", s->key_path, "madeKey", s->made_key,
				       "listen", s->listen));
}

static void next_steps(struct cli *cli, const struct setup *s, bool enabled)
{
	char host[HOST_NAME_MAX + 1] = "HOST";

	(void)gethostname(host, sizeof(host) - 1);
	cli_say(cli, "%s %s",
		s->made_key ? "Made the host key:" : "The host key is there already:", s->key_path);
	cli_say(cli, "%s", "");
	cli_say(cli, "This host's pin; on other machines: certlogin trust %s --pin %s", host,
		s->pin);
	if (s->listen)
		cli_say(cli, "The network gate listens at %s (%s).", s->listen, s->dropin);
	cli_say(cli, "%s", "");
	cli_say(cli, "Next steps:");
	if (!enabled)
		cli_say(cli,
			"  systemctl daemon-reload && systemctl enable --now certlogind.socket "
			"certlogin-gate@local.socket%s",
			s->listen ? " " SOCKET_NETWORK : "");
	cli_say(cli,
		"  certlogin ca create          # or your own: certlogin anchor add NAME CA-FILE");
	cli_say(cli, "  certlogin identity add NAME; certlogin access allow NAME ACCOUNT --service "
		     "sudo");
	cli_say(cli, "  certlogin ca issue NAME --enroll --owner USER --out "
		     "~USER/.config/certlogin/client");
	cli_say(cli,
		"  systemctl enable --now certlogin-fetch.timer   # where CRLs are to be fetched");
	cli_say(cli, "%s", "");
	cli_say(cli,
		"Then, with a root shell kept open, before the other lines of /etc/pam.d/sudo:");
	cli_say(cli, "  auth     sufficient  pam_certlogin.so");
	cli_say(cli, "  account  required    pam_certlogin.so");
	cli_say(cli, "  session  required    pam_certlogin.so");
}

static int ca_too(struct cli *cli)
{
	char host[HOST_NAME_MAX + 1] = "localhost", cn[CN_MAX + 1], key[PATH_SIZE], cert[PATH_SIZE];
	int r = builtin_ca_paths(cli, key, cert);

	if (r != CLI_YES || access(key, F_OK) == 0)
		return r;
	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(cn, sizeof(cn), "certlogin CA of %s", host);
	return builtin_ca_create(cli, cn, CA_DAYS);
}

int verb_setup(struct cli *cli, const struct args *args)
{
	struct setup s = { .listen = args->option[OPT_LISTEN] };
	bool enable = args->option[OPT_ENABLE] != NULL;
	int r;

	if (s.listen && !*s.listen) /* "--listen 4715" is as good as "--listen=4715" */
		s.listen = args->n > 0 ? args->operand[0] : DEFAULT_PORT;
	else if (args->n > 0)
		return cli_usage(cli, "too much: '%s'", args->operand[0]);
	if (path_join(s.key_path, cli->config_dir, "host.key") < 0 ||
	    path_join(s.cert_path, cli->config_dir, "host.crt") < 0)
		return cli_fail_file(cli, -ENAMETOOLONG, "use", cli->config_dir);
	r = host_key(cli, args, &s);
	if (r == CLI_YES)
		r = pin_read(cli, &s);
	if (r == CLI_YES && s.listen)
		r = listen_write(cli, args, &s);
	if (r == CLI_YES && enable)
		r = sockets_enable(cli, &s);
	if (r == CLI_YES && args->option[OPT_CA])
		r = ca_too(cli);
	if (r != CLI_YES)
		return r;
	if (cli->json)
		return result_json(cli, &s);
	next_steps(cli, &s, enable);
	return CLI_YES;
}
