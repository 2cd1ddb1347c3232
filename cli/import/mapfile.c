// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/mapfile.h"

#include <errno.h>
#include <search.h>
#include <string.h>
#include <strings.h>

#include "cli/import/lines.h"

#define ARROW " -> "

struct map {
	struct plan *p;
	map_func take;
	void *userdata;
	int (*compare)(const void *, const void *);
	void *keys;	     /* tree of those that were seen */
	unsigned expression; /* line of the first; 0: none so far */
};

static int exact(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int folded(const void *a, const void *b)
{
	return strcasecmp(a, b);
}

/* False: it was there before, or there is no memory. */
static bool key_new(struct map *m, const char *key)
{
	_cleanup_(freep) char *copy = NULL;

	if (m->keys && tfind(key, &m->keys, m->compare))
		return false;
	copy = strdup(key);
	if (!copy || !tsearch(copy, &m->keys, m->compare)) {
		m->p->error = -ENOMEM;
		return false;
	}
	(void)STEAL(copy);
	return true;
}

static void line_take(void *userdata, struct place at, char *line)
{
	struct map *m = userdata;
	char *arrow, *login;

	line += strspn(line, " \t\v\f\r");
	if (!*line || *line == '#')
		return;
	arrow = strstr(line, ARROW);
	if (!arrow || arrow == line) {
		plan_refuse(m->p, at, line, "this is no \"key -> login\"");
		return;
	}
	*arrow = '\0';
	login = arrow + strlen(ARROW);
	if (m->expression > 0) {
		plan_refuse(m->p, at, login,
			    "the regular expression in line %u, which is left out, might have won "
			    "over it",
			    m->expression);
	} else if (line[0] == '^' && arrow[-1] == '$') {
		m->expression = at.line;
		plan_refuse(m->p, at, login, "a regular expression is not translated");
	} else if (key_new(m, line)) {
		m->take(m->userdata, at, line, login);
	} else {
		plan_refuse(m->p, at, login, "an earlier line has the same key, and won");
	}
}

void mapfile_read(struct plan *p, const char *file, const char *text, size_t n, bool icase,
		  map_func take, void *userdata)
{
	struct map m = {
		.p = p, .take = take, .userdata = userdata, .compare = icase ? folded : exact
	};

	lines_read(p, file, text, n, line_take, &m);
	tdestroy(m.keys, free);
}
