// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/api/question.h"
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

/* The question comes when echo is off: what is typed before would be dropped. */
static int secret_read(int fd, const char *question, bool echo, struct secret **ret)
{
	struct termios before, quiet;
	char text[LIMIT_SECRET];
	int n;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	quiet = before;
	if (!echo)
		quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
	if (tcsetattr(fd, TCSAFLUSH, &quiet) < 0)
		return -errno;
	(void)dprintf(fd, "%s", question);
	n = line_read(fd, text, sizeof(text));
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	if (!echo)
		(void)dprintf(fd, "\n");
	if (n >= 0)
		*ret = secret_new(text, (size_t)n);
	explicit_bzero(text, sizeof(text));
	return n < 0 ? n : *ret ? 0 : -ENOMEM;
}

int ask_line(const char *prompt, bool echo, struct secret **ret)
{
	_cleanup_(closep) int fd = tty_open();

	if (fd < 0)
		return fd;
	return secret_read(fd, prompt, echo, ret);
}

int ask_key_question(void *userdata, enum key_question question, const char *label,
		     struct secret **ret_answer)
{
	_cleanup_(closep) int fd = -1;
	char clean[LIMIT_HELPER_LABEL + 1], text[QUESTION_TEXT_SIZE];
	struct cli *cli = userdata;

	text_clean(label, strlen(label), clean, sizeof(clean));
	question_text(question, clean, text);
	if (!question_answered(question)) {
		cli_note(cli, "%s", text);
		return 0;
	}
	fd = tty_open();
	if (fd < 0)
		return fd;
	return secret_read(fd, text, false, ret_answer);
}

int ask_key_choice(_unused_ void *userdata, const char *const *labels, unsigned n, unsigned *ret)
{
	_cleanup_(closep) int fd = tty_open();
	char text[QUESTION_TEXT_SIZE], answer[8];

	if (fd < 0)
		return fd;
	choice_text(labels, n, text);
	for (unsigned i = 0; i < LIMIT_CHOICE_TRIES; i++) {
		int k;

		(void)dprintf(fd, "%s", text);
		k = line_read(fd, answer, sizeof(answer) - 1);
		if (k < 0)
			return k;
		answer[k] = '\0';
		if (choice_parse(answer, n, ret) == 0)
			return 0;
	}
	return -ECANCELED;
}
