// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "cli/admin.h"

/* certlogin backup [FILE]: the daemon writes a consistent copy below its state directory; with FILE
 * it is moved there.  A copy holds no key and lets nobody log in. */

static int copy(const char *from, const char *to)
{
	_cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(closep) int out = -1;
	ssize_t n;

	if (in < 0)
		return -errno;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	do
		n = sendfile(out, in, NULL, 1 << 20);
	while (n > 0);
	if (n < 0 || fsync(out) < 0) {
		n = -errno;
		(void)unlink(to);
		return (int)n;
	}
	return 0;
}

int verb_backup(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	const char *path, *to = args->n > 0 ? args->operand[0] : NULL;
	int r;

	if (to && access(to, F_OK) == 0) /* before the work; open() decides */
		return cli_fail_file(cli, -EEXIST, "write", to);
	r = admin_call(cli, "Backup", json_object(), &reply);
	if (r != CLI_YES)
		return r;
	path = reply_text(reply, "path");
	if (to) {
		r = copy(path, to);
		if (r < 0)
			return cli_fail_file(cli, r, "write", to);
		(void)unlink(path);
		if (json_object_set_new(reply, "path", json_string(to)) < 0)
			return cli_fail_memory(cli);
	}
	if (cli->json)
		return cli_json(cli, json_incref(reply));
	cli_say(cli, "%s: %" PRId64 " bytes", reply_text(reply, "path"), reply_int(reply, "bytes"));
	return CLI_YES;
}
