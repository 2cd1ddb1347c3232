// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/scconf.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 8

struct parser {
	const char *text;
	size_t n, at;
	unsigned line;
	unsigned depth;
	const char *why;
};

enum token { TOKEN_END, TOKEN_WORD, TOKEN_PUNCT, TOKEN_BAD };

static int bad(struct parser *p, const char *why)
{
	p->why = why;
	return -EBADMSG;
}

static void blank_skip(struct parser *p)
{
	for (; p->at < p->n; p->at++) {
		char c = p->text[p->at];

		if (c == '#') {
			while (p->at < p->n && p->text[p->at] != '\n')
				p->at++;
			p->at--; /* the newline counts below */
		} else if (c == '\n') {
			p->line++;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			return;
		}
	}
}

/* *ret_word: a copy, for TOKEN_WORD.  *ret_punct for TOKEN_PUNCT. */
static enum token token_next(struct parser *p, char **ret_word, char *ret_punct)
{
	const char *s;
	size_t n;

	blank_skip(p);
	if (p->at == p->n)
		return TOKEN_END;
	s = p->text + p->at;
	if (strchr(",{}=;", *s)) {
		*ret_punct = *s;
		p->at++;
		return TOKEN_PUNCT;
	}
	if (*s == '"') {
		for (n = 1; p->at + n < p->n && !strchr("\"\r\n", s[n]); n++)
			;
		if (p->at + n == p->n || s[n] != '"')
			return TOKEN_BAD;
		p->at += n + 1;
		*ret_word = strndup(s + 1, n - 1);
		return TOKEN_WORD;
	}
	for (n = 1; p->at + n < p->n && !strchr(";, \t\r\n", s[n]); n++)
		;
	p->at += n;
	*ret_word = strndup(s, n);
	return TOKEN_WORD;
}

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

/* Takes word, also on error. */
static int value_add(struct sc_item *item, char *word)
{
	if (!word || room(&item->values, item->n, sizeof(char *)) < 0) {
		free(word);
		return -ENOMEM;
	}
	item->values[item->n++] = word;
	return 0;
}

/* The item of this key: a second assignment adds to the first.  Takes key. */
static int item_open(struct parser *p, struct sc_block *b, char *key, struct sc_item **ret)
{
	_cleanup_(freep) char *taken = key;

	for (size_t i = 0; i < b->n_items; i++)
		if (strcasecmp(b->items[i].key, taken) == 0) {
			*ret = &b->items[i];
			return 0;
		}
	if (room(&b->items, b->n_items, sizeof(b->items[0])) < 0)
		return -ENOMEM;
	*ret = &b->items[b->n_items++];
	**ret = (struct sc_item){ .key = STEAL(taken), .line = p->line };
	return 0;
}

/* "value, value ;": up to the semicolon, or up to what cannot belong to it, which stays. */
static int values_read(struct parser *p, struct sc_item *item)
{
	bool more = true;

	for (;;) {
		size_t before = p->at;
		unsigned line = p->line;
		char *word = NULL, punct = 0;
		int r;

		switch (token_next(p, &word, &punct)) {
		case TOKEN_BAD:
			return bad(p, "a quote is not closed");
		case TOKEN_END:
			return bad(p, "a block is not closed");
		case TOKEN_WORD:
			if (!more) { /* the semicolon is missing */
				free(word);
				p->at = before;
				p->line = line;
				return 0;
			}
			r = value_add(item, word);
			if (r < 0)
				return r;
			more = false;
			break;
		case TOKEN_PUNCT:
			if (punct == ';')
				return 0;
			if (punct == '}') {
				p->at = before;
				return 0;
			}
			if (punct != ',')
				return bad(p, "a value was expected");
			more = true;
			break;
		}
	}
}

static int block_read(struct parser *p, struct sc_block *b);

/* Takes kind and name. */
static int block_open(struct parser *p, struct sc_block *b, char *kind, char *name)
{
	_cleanup_(freep) char *k = kind, *n = name;
	struct sc_block *new;
	int r;

	if (p->depth == DEPTH_MAX)
		return bad(p, "blocks are too deep");
	if (room(&b->blocks, b->n_blocks, sizeof(b->blocks[0])) < 0)
		return -ENOMEM;
	new = &b->blocks[b->n_blocks++];
	*new = (struct sc_block){ .kind = STEAL(k), .name = STEAL(n), .line = p->line };
	p->depth++;
	r = block_read(p, new);
	p->depth--;
	return r;
}

/* What begins with a word: "key = ...", "kind name {", or "word ;", which means nothing.  Takes
 * key. */
static int statement_read(struct parser *p, struct sc_block *b, char *key)
{
	_cleanup_(freep) char *first = key, *name = NULL;
	struct sc_item *item = NULL;
	int r;

	for (;;) {
		char *word = NULL, punct = 0;

		switch (token_next(p, &word, &punct)) {
		case TOKEN_BAD:
			return bad(p, "a quote is not closed");
		case TOKEN_END:
			return bad(p, "the last line is not complete");
		case TOKEN_WORD:
			if (!word)
				return -ENOMEM;
			if (name) {
				free(word);
				return bad(p, "a = or a { was expected");
			}
			name = word;
			break;
		case TOKEN_PUNCT:
			if (punct == '{')
				return block_open(p, b, STEAL(first), STEAL(name));
			/* scconf sees no assignment in "a=b;": what was meant is not guessed */
			if (punct != '=' || name)
				return bad(p, "this is neither an assignment nor a block (blanks "
					      "around the = are needed)");
			r = item_open(p, b, STEAL(first), &item);
			return r < 0 ? r : values_read(p, item);
		}
	}
}

static int block_read(struct parser *p, struct sc_block *b)
{
	for (;;) {
		char *word = NULL, punct = 0;
		int r;

		switch (token_next(p, &word, &punct)) {
		case TOKEN_BAD:
			return bad(p, "a quote is not closed");
		case TOKEN_END:
			return p->depth > 0 ? bad(p, "a block is not closed") : 0;
		case TOKEN_WORD:
			r = word ? statement_read(p, b, word) : -ENOMEM;
			if (r < 0)
				return r;
			break;
		case TOKEN_PUNCT:
			if (punct == '}' && p->depth > 0)
				return 0;
			if (punct != ';')
				return bad(p, "a name was expected");
			break;
		}
	}
}

int sc_parse(const char *text, size_t n, struct sc_block **ret, unsigned *ret_line,
	     const char **ret_why)
{
	struct parser p = { .text = text, .n = n, .line = 1, .why = "" };
	_cleanup_(sc_freep) struct sc_block *root = calloc(1, sizeof(*root));
	int r;

	if (!root)
		return -ENOMEM;
	r = memchr(text, '\0', n) ? bad(&p, "there is a NUL in it") : block_read(&p, root);
	if (r == 0)
		*ret = STEAL(root);
	*ret_line = p.line;
	*ret_why = p.why;
	return r;
}

static void block_deinit(struct sc_block *b)
{
	for (size_t i = 0; i < b->n_items; i++) {
		for (size_t j = 0; j < b->items[i].n; j++)
			free(b->items[i].values[j]);
		free(b->items[i].values);
		free(b->items[i].key);
	}
	for (size_t i = 0; i < b->n_blocks; i++)
		block_deinit(&b->blocks[i]);
	free(b->items);
	free(b->blocks);
	free(b->kind);
	free(b->name);
}

struct sc_block *sc_free(struct sc_block *b)
{
	if (b)
		block_deinit(b);
	free(b);
	return NULL;
}

static bool is_block(const struct sc_block *b, const char *kind, const char *name)
{
	return strcasecmp(b->kind, kind) == 0 &&
	       (!name || (b->name && strcasecmp(b->name, name) == 0));
}

const struct sc_block *sc_find(const struct sc_block *b, const char *kind, const char *name)
{
	for (size_t i = 0; b && i < b->n_blocks; i++)
		if (is_block(&b->blocks[i], kind, name))
			return &b->blocks[i];
	return NULL;
}

size_t sc_count(const struct sc_block *b, const char *kind, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; b && i < b->n_blocks; i++)
		n += is_block(&b->blocks[i], kind, name);
	return n;
}

const struct sc_item *sc_item(const struct sc_block *b, const char *key)
{
	for (size_t i = 0; b && i < b->n_items; i++)
		if (strcasecmp(b->items[i].key, key) == 0)
			return &b->items[i];
	return NULL;
}

const char *sc_text(const struct sc_block *b, const char *key, const char *otherwise)
{
	const struct sc_item *item = sc_item(b, key);

	return item && item->n > 0 ? item->values[0] : otherwise;
}

bool sc_bool(const struct sc_block *b, const char *key, bool otherwise)
{
	const char *s = sc_text(b, key, NULL);

	return s ? strchr("tTyY", *s ? *s : 'x') != NULL : otherwise;
}
