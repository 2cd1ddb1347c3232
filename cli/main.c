// SPDX-License-Identifier: GPL-2.0-or-later
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>

#include "cli/verb.h"

int main(int argc, char **argv)
{
	_cleanup_(cli_deinitp) struct cli cli = { 0 };
	int r;

	(void)setlocale(LC_CTYPE, "");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(022); /* files say their own mode; the host certificate is for everybody */
	cli_init(&cli, stdout, stderr);
	r = cli_run(&cli, argc, argv);
	if (fflush(stdout) != 0 && r == CLI_YES) {
		(void)fputs("certlogin: cannot write to standard output\n", stderr);
		return CLI_INTERNAL;
	}
	return r;
}
