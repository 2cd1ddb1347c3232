// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/lines.h"

#include <errno.h>
#include <string.h>

void lines_read(struct plan *p, const char *file, const char *text, size_t n, line_func take,
		void *userdata)
{
	struct place at = { file, 0 };

	if (memchr(text, '\0', n)) {
		plan_refuse(p, at, file, "there is a NUL in it: this is no text file");
		return;
	}
	for (size_t i = 0, len; i < n && p->error == 0; i += len + 1) {
		const char *end = memchr(text + i, '\n', n - i);
		_cleanup_(freep) char *line = NULL;

		len = end ? (size_t)(end - text) - i : n - i;
		at.line++;
		line = strndup(text + i, len);
		if (!line)
			p->error = -ENOMEM;
		else
			take(userdata, at, line);
	}
}
