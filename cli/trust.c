// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/trust.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "lib/base/encode.h"

void pin_format(const uint8_t pin[SHA256_BYTES], char ret[PIN_TEXT_SIZE])
{
	(void)strcpy(ret, "sha256:");
	base64_encode(pin, SHA256_BYTES, ret + 7);
}

int pin_parse(const char *s, uint8_t ret[SHA256_BYTES])
{
	_cleanup_(freep) uint8_t *p = NULL;
	size_t n;
	int r;

	if (strncmp(s, "sha256:", 7) != 0)
		return -EBADMSG;
	r = base64_decode_new(s + 7, strlen(s + 7), &p, &n);
	if (r < 0)
		return r;
	if (n != SHA256_BYTES)
		return -EBADMSG;
	memcpy(ret, p, n);
	return 0;
}

int host_normalise(const char *s, char ret[256])
{
	size_t n = strlen(s);

	if (n == 0 || n > 255 || *s == '-')
		return -EINVAL;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && !isalnum((unsigned char)s[i]) && !strchr(".-_:%", s[i]))
			return -EINVAL;
		ret[i] = (char)tolower((unsigned char)s[i]);
	}
	return 0;
}

void trust_deinit(struct trust_file *t)
{
	for (size_t i = 0; i < t->n; i++)
		cert_free(t->entries[i].ca);
	free(t->entries);
	*t = (struct trust_file){ 0 };
}

const struct trust_entry *trust_find(const struct trust_file *t, const char *host)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->entries[i].host, host) == 0)
			return &t->entries[i];
	return NULL;
}

bool trust_forget(struct trust_file *t, const char *host)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->entries[i].host, host) != 0)
			continue;
		cert_free(t->entries[i].ca);
		memmove(&t->entries[i], &t->entries[i + 1], (t->n - i - 1) * sizeof(t->entries[0]));
		t->n--;
		return true;
	}
	return false;
}

int trust_set(struct trust_file *t, struct trust_entry *entry)
{
	struct trust_entry *entries;

	(void)trust_forget(t, entry->host);
	entries = reallocarray(t->entries, t->n + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	t->entries = entries;
	t->entries[t->n++] = *entry;
	entry->ca = NULL;
	return 0;
}

static int ca_decode(const char *s, struct cert **ret)
{
	_cleanup_(freep) uint8_t *der = NULL;
	size_t n;
	int r = base64_decode_new(s, strlen(s), &der, &n);

	return r < 0 ? r : cert_parse(der, n, ret);
}

static int line_parse(struct trust_file *t, char *line)
{
	struct trust_entry entry = { 0 };
	char *save = NULL, *host = strtok_r(line, " \t", &save);
	const char *how = strtok_r(NULL, " \t", &save), *what = strtok_r(NULL, " \t", &save);
	int r;

	if (!host || *host == '#')
		return 0;
	if (!how || !what || strtok_r(NULL, " \t", &save) || host_normalise(host, entry.host) < 0 ||
	    trust_find(t, entry.host))
		return -EBADMSG;
	if (strcmp(how, "pin") == 0) {
		entry.pinned = true;
		r = pin_parse(what, entry.pin);
	} else if (strcmp(how, "ca") == 0) {
		r = ca_decode(what, &entry.ca);
	} else {
		r = -EBADMSG;
	}
	if (r == 0)
		r = trust_set(t, &entry);
	cert_free(entry.ca);
	return r;
}

int trust_load(const char *path, struct trust_file *ret, unsigned *ret_line)
{
	_cleanup_(trust_deinitp) struct trust_file t = { 0 };
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	char *next;
	int r;

	*ret_line = 0;
	r = file_read(path, &text);
	if (r == -ENOENT) {
		*ret = (struct trust_file){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	next = (char *)text.p;
	if (strlen(next) != text.n)
		return -EBADMSG;
	while (next) {
		char *line = strsep(&next, "\n");

		(*ret_line)++;
		r = line_parse(&t, line);
		if (r < 0)
			return r;
	}
	*ret = t;
	t = (struct trust_file){ 0 };
	return 0;
}

int trust_save(const char *path, const struct trust_file *t)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	char dir[PATH_SIZE], *slash;
	int r;

	for (size_t i = 0; i < t->n; i++) {
		const struct trust_entry *e = &t->entries[i];
		_cleanup_(freep) char *ca = NULL;
		char pin[PIN_TEXT_SIZE];

		if (e->pinned)
			pin_format(e->pin, pin);
		else
			ca = base64_encode_new(e->ca->der.p, e->ca->der.n);
		if (!e->pinned && !ca)
			return -ENOMEM;
		buf_put_text(&text, e->host);
		buf_put_text(&text, e->pinned ? " pin " : " ca ");
		buf_put_text(&text, e->pinned ? pin : ca);
		buf_put_text(&text, "\n");
	}
	if (text.error)
		return text.error;
	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash) {
		*slash = '\0';
		r = dir_make(dir, 0700);
		if (r < 0)
			return r;
	}
	return file_write(path, 0600, text.p, text.n);
}
