// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/ini.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t\r\v\f"

struct parser {
	struct ini *ini;
	struct ini_section *section; /* valid until the next one is added */
	struct ini_item *item;	     /* likewise; that a folded line goes on with */
	unsigned line;
};

/* Room for one more of an array that doubles. */
static int room(void *array, size_t n, size_t size)
{
	void **at = array;
	void *more;

	if (n & (n - 1) && n > 0)
		return 0;
	more = reallocarray(*at, n ? 2 * n : 1, size);
	if (!more)
		return -ENOMEM;
	*at = more;
	return 0;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, BLANK);
	for (n = strlen(s); n > 0 && strchr(BLANK, s[n - 1]); n--)
		;
	s[n] = '\0';
	return s;
}

static int section_open(struct parser *p, char *line)
{
	size_t n = strlen(line);
	struct ini_section *s;
	char *name;

	if (n < 2 || line[n - 1] != ']')
		return -EBADMSG;
	line[n - 1] = '\0';
	name = trim(line + 1);
	p->item = NULL;
	for (size_t i = 0; i < p->ini->n; i++)
		if (strcasecmp(p->ini->sections[i].name, name) == 0) {
			p->section = &p->ini->sections[i];
			return 0;
		}
	if (room(&p->ini->sections, p->ini->n, sizeof(*s)) < 0)
		return -ENOMEM;
	s = &p->ini->sections[p->ini->n];
	*s = (struct ini_section){ .name = strdup(name), .line = p->line };
	if (!s->name)
		return -ENOMEM;
	p->ini->n++;
	p->section = s;
	return 0;
}

static int value_set(struct parser *p, char *key, char *value)
{
	struct ini_section *s = p->section;
	struct ini_item *item = (struct ini_item *)(uintptr_t)ini_item(s, key);
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	if (item) {
		free(item->value);
		item->value = copy;
		item->twice = true;
		item->line = p->line;
		p->item = item;
		return 0;
	}
	if (room(&s->items, s->n, sizeof(*item)) < 0) {
		free(copy);
		return -ENOMEM;
	}
	item = &s->items[s->n];
	*item = (struct ini_item){ .key = strdup(key), .value = copy, .line = p->line };
	if (!item->key) {
		free(copy);
		return -ENOMEM;
	}
	s->n++;
	p->item = item;
	return 0;
}

static int value_go_on(struct parser *p, char *more)
{
	char *longer;

	if (!p->item)
		return -EBADMSG;
	if (asprintf(&longer, "%s%s%s", p->item->value, *p->item->value ? " " : "", more) < 0)
		return -ENOMEM;
	free(p->item->value);
	p->item->value = longer;
	return 0;
}

static int line_take(struct parser *p, char *line)
{
	bool folded = strspn(line, BLANK) > 0;
	char *equals;

	if (*line == '#' || *line == ';')
		return 0;
	line = trim(line);
	if (!*line)
		return 0;
	if (folded)
		return value_go_on(p, line);
	if (*line == '[')
		return section_open(p, line);
	equals = strchr(line, '=');
	if (!equals || !p->section)
		return -EBADMSG;
	*equals = '\0';
	return *trim(line) ? value_set(p, trim(line), trim(equals + 1)) : -EBADMSG;
}

int ini_parse(const char *text, size_t n, struct ini **ret, unsigned *ret_line)
{
	_cleanup_(ini_freep) struct ini *ini = calloc(1, sizeof(*ini));
	struct parser p = { .ini = ini };
	int r = ini ? 0 : -ENOMEM;

	if (r == 0 && memchr(text, '\0', n))
		r = -EBADMSG;
	for (size_t i = 0, len; i < n && r == 0; i += len + 1) {
		const char *end = memchr(text + i, '\n', n - i);
		_cleanup_(freep) char *line = NULL;

		len = end ? (size_t)(end - text) - i : n - i;
		p.line++;
		line = strndup(text + i, len);
		r = line ? line_take(&p, line) : -ENOMEM;
	}
	*ret_line = p.line;
	if (r == 0)
		*ret = STEAL(ini);
	return r;
}

struct ini *ini_free(struct ini *ini)
{
	for (size_t i = 0; ini && i < ini->n; i++) {
		for (size_t j = 0; j < ini->sections[i].n; j++) {
			free(ini->sections[i].items[j].key);
			free(ini->sections[i].items[j].value);
		}
		free(ini->sections[i].items);
		free(ini->sections[i].name);
	}
	if (ini)
		free(ini->sections);
	free(ini);
	return NULL;
}

const struct ini_section *ini_section(const struct ini *ini, const char *name)
{
	for (size_t i = 0; i < ini->n; i++)
		if (strcasecmp(ini->sections[i].name, name) == 0)
			return &ini->sections[i];
	return NULL;
}

const struct ini_item *ini_item(const struct ini_section *s, const char *key)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (strcasecmp(s->items[i].key, key) == 0)
			return &s->items[i];
	return NULL;
}
