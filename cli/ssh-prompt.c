// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ssh-prompt.h"

#include <errno.h>
#include <string.h>

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

int ssh_prompt_login(const char *prompt, char ret[LOGIN_ID_TEXT_SIZE])
{
	static const char before[] = "ticket (login ", after[] = "): ";
	const size_t n = LOGIN_ID_TEXT_SIZE - 1;
	size_t len = strlen(prompt);
	uint8_t id[LOGIN_ID_BYTES];
	const char *at;

	if (len < strlen(before) + n + strlen(after) || !ends_in(prompt, after))
		return -ENOENT;
	at = prompt + len - strlen(after) - n;
	if (strncmp(at - strlen(before), before, strlen(before)) != 0)
		return -ENOENT;
	memcpy(ret, at, n);
	ret[n] = '\0';
	return login_id_parse(ret, id) < 0 ? -ENOENT : 0;
}

bool ssh_prompt_echo(const char *prompt)
{
	return ends_in(prompt, "(yes/no/[fingerprint])? ") ||
	       ends_in(prompt, "Please type 'yes', 'no' or the fingerprint: ") ||
	       ends_in(prompt, "(yes/no)? ");
}

/* The value of the first line "NAME VALUE". */
static int value_of(const char *text, const char *name, char *ret, size_t size)
{
	size_t k = strlen(name);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, "\n");

		if (n <= k || strncmp(line, name, k) != 0 || line[k] != ' ')
			continue;
		if (n - k - 1 == 0 || n - k - 1 >= size)
			return -EBADMSG;
		memcpy(ret, line + k + 1, n - k - 1);
		ret[n - k - 1] = '\0';
		return 0;
	}
	return -EBADMSG;
}

int ssh_config_read(const char *text, char host[256], char account[LIMIT_ACCOUNT + 1])
{
	int r = value_of(text, "hostname", host, 256);

	return r < 0 ? r : value_of(text, "user", account, LIMIT_ACCOUNT + 1);
}
