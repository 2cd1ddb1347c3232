// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * ssh-askpass: what ssh(1) runs for each question under certlogin ssh.  pam_certlogin's question
 * for a ticket becomes `certlogin ticket`, all others go to the user's terminal, as ssh itself
 * would.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/ssh-prompt.h"
#include "lib/base/name.h"

#define WORDS_MAX 24

/* Does not return when all is well: the ticket goes to our stdout, which is ssh's pipe. */
static int get_ticket(const char *id)
{
	const char *text = getenv(SSH_PROMPT_ENV);
	json_t *words = text ? json_loads(text, 0, NULL) : NULL;
	char *argv[WORDS_MAX + 3] = { 0 };
	size_t n = json_array_size(words);

	for (size_t i = 0; i < n && i < WORDS_MAX; i++)
		argv[i] = (char *)(uintptr_t)json_string_value(json_array_get(words, i));
	if (n < 1 || n > WORDS_MAX || !argv[0]) {
		(void)fputs("ssh-askpass: certlogin ssh runs it, nobody else\n", stderr);
		return 1;
	}
	argv[n] = (char *)(uintptr_t) "--login";
	argv[n + 1] = (char *)(uintptr_t)id;
	(void)execv(argv[0], argv);
	(void)fprintf(stderr, "ssh-askpass: cannot run %s: %s\n", argv[0], strerror(errno));
	return 1;
}

/* Line by line: control characters of whoever asks do not reach the terminal. */
static void clean(const char *prompt, char *ret, size_t size)
{
	size_t at = 0;

	for (const char *line = prompt; *line && at + 2 < size;) {
		size_t n = strcspn(line, "\n");

		text_clean(line, n, ret + at, size - at - 1);
		at += strlen(ret + at);
		line += n;
		if (*line == '\n') {
			ret[at++] = '\n';
			line++;
		}
	}
	ret[at] = '\0';
}

static int ask(const char *prompt)
{
	_cleanup_(secret_freep) struct secret *answer = NULL;
	char text[4096];

	clean(prompt, text, sizeof(text));
	if (ask_line(text, ssh_prompt_echo(prompt), &answer) < 0)
		return 1;
	return fwrite(answer->bytes, 1, answer->len, stdout) == answer->len &&
			       fputc('\n', stdout) != EOF && fflush(stdout) == 0
		       ? 0
		       : 1;
}

int main(int argc, char **argv)
{
	char id[LOGIN_ID_TEXT_SIZE];

	if (argc != 2)
		return 1;
	(void)setvbuf(stdout, NULL, _IONBF, 0); /* no copy of an answer stays in a buffer */
	return ssh_prompt_login(argv[1], id) == 0 ? get_ticket(id) : ask(argv[1]);
}
