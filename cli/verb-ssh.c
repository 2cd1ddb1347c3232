// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/ssh-prompt.h"
#include "cli/trust-user.h"
#include "lib/base/buf.h"
#include "lib/base/paths.h"

/*
 * certlogin ssh: ssh(1) itself, whose question for a ticket is answered by `certlogin ticket`, for
 * the very login id in it.  Whom the user trusts as a gate is settled before ssh starts.
 */
#define CONFIG_BYTES (64 * 1024)

extern char **environ;

/* "ssh", ours, theirs; NULL: no memory.  Owns the array alone. */
static char **ssh_words(const char *const *ours, size_t n, const struct args *args)
{
	char **argv = calloc(n + (size_t)args->n + 2, sizeof(*argv));
	size_t at = 0;

	if (!argv)
		return NULL;
	argv[at++] = (char *)(uintptr_t) "ssh";
	for (size_t i = 0; i < n; i++)
		argv[at++] = (char *)(uintptr_t)ours[i];
	for (int i = 0; i < args->n; i++)
		argv[at++] = args->operand[i];
	return argv;
}

static int spawn(char **argv, int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int r = -posix_spawn_file_actions_init(&actions);

	if (r < 0)
		return r;
	r = -posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = -posix_spawnp(ret, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int read_all(int fd, struct buf *ret)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && ret->n + (size_t)n > CONFIG_BYTES)
			return -EFBIG;
		if (n > 0)
			buf_put(ret, piece, (size_t)n);
	}
	buf_put_u8(ret, 0);
	return ret->error;
}

/* What ssh makes of these arguments and its configuration; it says itself what it does not like. */
static int ssh_config(struct cli *cli, const struct args *args, struct buf *ret)
{
	static const char *const ours[] = { "-G" };
	_cleanup_(freep) char **argv = ssh_words(ours, ARRAY_SIZE(ours), args);
	_cleanup_(closep) int from = -1, to = -1;
	int fds[2], status = 0, r;
	pid_t pid;

	if (!argv || pipe2(fds, O_CLOEXEC) < 0)
		return cli_fail_memory(cli);
	from = fds[0];
	to = fds[1];
	r = spawn(argv, to, &pid);
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "cannot run ssh: %s", strerror(-r));
	(void)close(STEAL_FD(to));
	r = read_all(from, ret);
	(void)close(STEAL_FD(from)); /* one that still writes ends */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return cli_fail(cli, CLI_INTERNAL, "internal", "ssh -G: %s", strerror(-r));
	return status == 0 ? CLI_YES : CLI_USAGE;
}

static int add_option(json_t *words, const struct args *args, enum opt opt)
{
	const char *value = args->option[opt];

	return !value ? 0
	       : json_array_append_new(words, json_sprintf("--%s", option_specs[opt].name)) < 0
		       ? -1
		       : json_array_append_new(words, json_string(value));
}

/* The command for ssh-askpass, in the environment that ssh passes on. */
static int say_ticket(struct cli *cli, const struct args *args, const char *gate,
		      const char *account)
{
	const char *service = args->option[OPT_SERVICE] ? args->option[OPT_SERVICE] : "sshd";
	char self[PATH_SIZE];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	_cleanup_(freep) char *text = NULL;
	json_t *words;
	int r;

	if (n < 0)
		return cli_fail_file(cli, -errno, "read", "/proc/self/exe");
	self[n] = '\0';
	words = json_pack("[s, s, s, s, s, s, s, s, s, s, s, s]", self, "--config-dir",
			  cli->config_dir, "--runtime-dir", cli->runtime_dir, "ticket", gate,
			  "--service", service, "--account", account, "--yes");
	r = words && add_option(words, args, OPT_KEY) == 0 &&
			    add_option(words, args, OPT_CERT) == 0 &&
			    add_option(words, args, OPT_PKCS11) == 0
		    ? 0
		    : -ENOMEM;
	text = r == 0 ? json_dumps(words, JSON_COMPACT) : NULL;
	json_decref(words);
	if (!text)
		return cli_usage(cli, "a name is not in UTF-8");
	if (setenv(SSH_PROMPT_ENV, text, 1) < 0 || setenv("SSH_ASKPASS", PATH_SSH_ASKPASS, 1) < 0 ||
	    setenv("SSH_ASKPASS_REQUIRE", "force", 1) < 0)
		return cli_fail_memory(cli);
	return CLI_YES;
}

int verb_ssh(struct cli *cli, const struct args *args)
{
	/* a ticket that was refused once is refused again */
	static const char *const ours[] = { "-o", "NumberOfPasswordPrompts=1" };
	_cleanup_(trust_deinit) struct trust_file trust = { 0 };
	_cleanup_(buf_deinitp) struct buf config = { 0 };
	_cleanup_(freep) char **argv = NULL;
	char host[HOST_TEXT], account[LIMIT_ACCOUNT + 1], port[PORT_TEXT], name[HOST_TEXT];
	const struct trust_entry *entry;
	const char *gate = args->option[OPT_GATE];
	int r = ssh_config(cli, args, &config);

	if (r != CLI_YES)
		return r;
	if (ssh_config_read((const char *)config.p, host, account) < 0)
		return cli_usage(cli, "ssh names no host and user for this");
	if (!gate)
		gate = host;
	r = trust_host_split(cli, gate, name, port);
	if (r == CLI_YES)
		r = trust_user_find(cli, name, &trust, &entry);
	if (r == CLI_YES)
		r = say_ticket(cli, args, gate, account);
	if (r != CLI_YES)
		return r;
	argv = ssh_words(ours, ARRAY_SIZE(ours), args);
	if (!argv)
		return cli_fail_memory(cli);
	(void)execvp(argv[0], argv);
	return cli_fail(cli, CLI_INTERNAL, "internal", "cannot run ssh: %s", strerror(errno));
}
