// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/limits.h"
#include "lib/base/name.h"

static int tty_open(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* Bytes of one line without its end; what is longer than size is an error, not a shorter answer. */
static int line_read(int fd, char *ret, size_t size)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t r = read(fd, &c, 1);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ECANCELED;
		if (c == '\n')
			return (int)n;
		if (n == size)
			return -EMSGSIZE;
		ret[n++] = c;
	}
}

bool ask_yes(const char *question)
{
	_cleanup_(closep) int fd = tty_open();
	char answer[8];
	int n;

	if (fd < 0)
		return false;
	(void)dprintf(fd, "%s [y/N] ", question);
	n = line_read(fd, answer, sizeof(answer) - 1);
	if (n <= 0)
		return false;
	answer[n] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static int secret_read(int fd, struct secret **ret)
{
	struct termios before, quiet;
	char text[LIMIT_SECRET];
	int n;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	quiet = before;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
	if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
		return -errno;
	n = line_read(fd, text, sizeof(text));
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)dprintf(fd, "\n");
	if (n >= 0)
		*ret = secret_new(text, (size_t)n);
	explicit_bzero(text, sizeof(text));
	return n < 0 ? n : *ret ? 0 : -ENOMEM;
}

int ask_key_question(void *userdata, enum key_question question, const char *label,
		     struct secret **ret_answer)
{
	_cleanup_(closep) int fd = -1;
	char clean[LIMIT_HELPER_LABEL + 1];
	struct cli *cli = userdata;

	text_clean(label, strlen(label), clean, sizeof(clean));
	if (question == KEY_ASK_INFO || question == KEY_ASK_TOUCH) {
		cli_note(cli, "%s%s", question == KEY_ASK_TOUCH ? "Touch or confirm: " : "", clean);
		return 0;
	}
	if (question == KEY_ASK_CHOICE) {
		char text[LIMIT_HELPER_LABEL + 16];

		(void)snprintf(text, sizeof(text), "Use %s?", clean);
		return ask_yes(text) ? 0 : -ECANCELED;
	}
	fd = tty_open();
	if (fd < 0)
		return fd;
	(void)dprintf(fd, "%s for %s: ", question == KEY_ASK_PIN ? "PIN" : "Passphrase", clean);
	return secret_read(fd, ret_answer);
}
