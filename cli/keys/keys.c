// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/keys/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/keys/source.h"
#include "lib/base/name.h"

void certs_deinit(struct certs *c)
{
	while (c->n > 0)
		cert_free(c->items[--c->n]);
}

void source_why(struct key_context *ctx, const char *format, ...)
{
	char text[sizeof(ctx->why)];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_clean(text, strlen(text), ctx->why, sizeof(ctx->why));
}

/* What is wrong with this file, or NULL. */
static const char *file_fault(const struct stat *st, bool private)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_size > LIMIT_KEY_FILE_BYTES)
		return "is too large";
	if (!private)
		return NULL;
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "belongs to another user";
	return st->st_mode & 077 ? "can be read by others: chmod 600" : NULL;
}

static int read_all(int fd, struct secret *s)
{
	size_t n = 0;

	while (n < s->len) {
		ssize_t k = read(fd, s->bytes + n, s->len - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -EIO; /* it shrank */
		n += (size_t)k;
	}
	return 0;
}

int source_read(struct key_context *ctx, const char *path, bool private, struct secret **ret)
{
	_cleanup_(secret_freep) struct secret *s = NULL;
	_cleanup_(closep) int fd = -1;
	const char *fault;
	struct stat st;
	int r;

	/* O_NONBLOCK: a FIFO of this name must not hold us */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		source_why(ctx, "%s: %s", path,
			   r == -ELOOP ? "is a symbolic link: name the file itself" : strerror(-r));
		return r;
	}
	fault = file_fault(&st, private);
	if (fault) {
		source_why(ctx, "%s %s", path, fault);
		return -EPERM;
	}
	s = secret_new(NULL, (size_t)st.st_size);
	if (!s)
		return -ENOMEM;
	r = read_all(fd, s);
	if (r < 0) {
		source_why(ctx, "%s: %s", path, strerror(-r));
		return r;
	}
	*ret = STEAL(s);
	return 0;
}

int source_read_certs(struct key_context *ctx, struct certs *ret)
{
	_cleanup_(secret_freep) struct secret *s = NULL;
	int r;

	r = source_read(ctx, ctx->cert_file, false, &s);
	if (r < 0)
		return r;
	r = cert_load_all(s->bytes, s->len, ret->items, LIMIT_CHAIN_CERTS, &ret->n);
	if (r < 0)
		source_why(ctx, "%s %s", ctx->cert_file,
			   r == -E2BIG ? "has too many certificates" : "is not a PEM certificate");
	return r;
}

int source_find_certs(struct key_context *ctx, const struct view *spkis, size_t n,
		      struct certs *ret)
{
	int r;

	if (!ctx->find_certificates || n == 0)
		return 0;
	r = ctx->find_certificates(ctx->find_userdata, spkis, n, ret->items, ARRAY_SIZE(ret->items),
				   &ret->n);
	if (r < 0)
		source_why(ctx, "cannot ask certlogin for certificates: %s", strerror(-r));
	return r;
}

int source_new_key(struct cert *const *certs, size_t n, const char *label, struct prove_key **ret)
{
	_cleanup_(prove_key_freep) struct prove_key *key = NULL;

	key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	key->chain = calloc(n, sizeof(*key->chain));
	if (!key->chain)
		return -ENOMEM;
	for (; key->n_chain < n; key->n_chain++) {
		const struct view *der = &certs[key->n_chain]->der;
		const gnutls_datum_t d = { (uint8_t *)(uintptr_t)der->p, (unsigned)der->n };

		if (gnutls_pcert_import_x509_raw(&key->chain[key->n_chain], &d, GNUTLS_X509_FMT_DER,
						 0) < 0)
			return -EBADMSG;
	}
	text_clean(label, strlen(label), key->label, sizeof(key->label));
	*ret = STEAL(key);
	return 0;
}

struct prove_key *prove_key_free(struct prove_key *key)
{
	if (!key)
		return NULL;
	for (unsigned i = 0; i < key->n_chain; i++)
		gnutls_pcert_deinit(&key->chain[i]);
	free(key->chain);
	if (key->key)
		gnutls_privkey_deinit(key->key);
	if (key->sign_userdata_free)
		key->sign_userdata_free(key->sign_userdata);
	free(key);
	return NULL;
}

/* With the certificate of the file that failed, which may be for a key of the agent's; else with
 * those that are known here. */
static int agent_instead(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n)
{
	const char *cert_file = ctx->cert_file;
	int r;

	r = keys_agent_open(ctx, ret, max, ret_n);
	if (r < 0 || *ret_n > 0 || !cert_file || !ctx->find_certificates)
		return r;
	ctx->cert_file = NULL;
	r = keys_agent_open(ctx, ret, max, ret_n);
	ctx->cert_file = cert_file;
	return r;
}

/* Whys one after the other; each has room, so that a lengthy path does not push the last one out.
 */
static void join_whys(struct key_context *ctx, char whys[][sizeof(ctx->why)], unsigned n)
{
	char text[3 * sizeof(ctx->why)] = "";
	size_t room = sizeof(ctx->why) - 1, at = 0;

	for (unsigned i = 0; i < n; i++) {
		size_t rest = 0, len;

		for (unsigned k = i + 1; k < n; k++) {
			len = strlen(whys[k]);
			rest += strlen("; ") + (len < room / n ? len : room / n);
		}
		at += (size_t)snprintf(text + at, room - rest - at + 1, "%s", whys[i]);
		if (at > room - rest)
			at = room - rest;
		if (i + 1 < n)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "; ");
	}
	source_why(ctx, "%s", text);
}

int keys_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n)
{
	const struct {
		int (*open)(struct key_context *ctx, struct prove_key **ret, size_t max,
			    size_t *ret_n);
		bool named;
	} sources[] = {
		{ keys_file_open, ctx->key_file },
		{ keys_pkcs11_open, ctx->pkcs11 },
		{ agent_instead, true },
	};
	char whys[ARRAY_SIZE(sources)][sizeof(ctx->why)];
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		int r;

		if (!sources[i].named)
			continue;
		r = sources[i].open(ctx, ret, max, ret_n);
		if (r < 0 || *ret_n > 0)
			return r;
		(void)strcpy(whys[n++], ctx->why);
	}
	if (n > 1)
		join_whys(ctx, whys, n);
	return 0;
}
