// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gnutls/pkcs11.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/keys/pkcs11-pin.h"
#include "cli/keys/source.h"
#include "lib/base/clock.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/base/p11name.h"
#include "lib/pki/key.h"

#define RSA_PKCS_PSS 0x0000000dUL /* CKM_RSA_PKCS_PSS */
#define ID_MAX 256
#define TOKEN_LABEL_MAX 32 /* CK_TOKEN_INFO */

/* A certificate or a public key on a token. */
struct object {
	struct cert *cert; /* NULL: a public key */
	struct cert key;   /* of a public key: spki alone */
	gnutls_datum_t spki;
	struct buf token, private_key;	 /* URIs, with NUL */
	char label[TOKEN_LABEL_MAX + 1]; /* the token's, clean */
};

/* A certificate whose private key is on a token. */
struct candidate {
	const struct object *object;
	struct cert *leaf;
};

struct tokens {
	struct p11_name name;
	struct token_pin pin;
	struct object objects[LIMIT_TOKEN_OBJECTS];
	size_t n;
	struct certs file, found; /* certificates that are not on a token */
	struct candidate candidates[LIMIT_TOKEN_OBJECTS];
	size_t n_candidates;
};

static void object_deinit(struct object *o)
{
	cert_free(o->cert);
	gnutls_free(o->spki.data);
	buf_deinit(&o->token);
	buf_deinit(&o->private_key);
	*o = (struct object){ 0 };
}

static struct tokens *tokens_free(struct tokens *t)
{
	if (!t)
		return NULL;
	while (t->n > 0)
		object_deinit(&t->objects[--t->n]);
	certs_deinit(&t->file);
	certs_deinit(&t->found);
	token_pin_deinit(&t->pin);
	free(t);
	return NULL;
}
DEFINE_FREEP(struct tokens, tokens_free);

/* --- the module --- */

/* Only what is named is loaded: others are slow, and some write to the terminal.  Counted by
 * GnuTLS: gnutls_pkcs11_deinit() is due. */
static int load_module(struct key_context *ctx, const struct p11_name *name)
{
	int r = gnutls_pkcs11_init(
		*name->module ? GNUTLS_PKCS11_FLAG_MANUAL : GNUTLS_PKCS11_FLAG_AUTO, NULL);

	/* > 0 or GNUTLS_E_INT_RET_0: it is there already */
	if (r >= 0 && *name->module &&
	    gnutls_pkcs11_add_provider(name->module, NULL) == GNUTLS_E_PKCS11_LOAD_ERROR)
		r = GNUTLS_E_PKCS11_LOAD_ERROR;
	if (r >= 0)
		return 0;
	source_why(ctx, "the PKCS#11 module %s cannot be loaded",
		   *name->module ? name->module : "that p11-kit is configured with");
	gnutls_pkcs11_deinit();
	return -ENOENT;
}

/* --- what is on the tokens --- */

static int set_uris(struct object *o, gnutls_pkcs11_obj_t obj)
{
	uint8_t id[ID_MAX];
	size_t n = sizeof(id);
	char *uri = NULL;

	/* without an id nothing says which private key it belongs to */
	if (gnutls_pkcs11_obj_get_info(obj, GNUTLS_PKCS11_OBJ_ID, id, &n) < 0 || n == 0 ||
	    gnutls_pkcs11_obj_export_url(obj, GNUTLS_PKCS11_URL_GENERIC, &uri) < 0)
		return -ENODATA;
	p11_token_uri(&o->token, uri);
	buf_put_u8(&o->token, 0);
	p11_key_uri(&o->private_key, uri, id, n);
	buf_put_u8(&o->private_key, 0);
	gnutls_free(uri);
	return o->token.error ? o->token.error : o->private_key.error;
}

/* -EBADMSG: not to be read; then there may be others. */
static int read_object(gnutls_pkcs11_obj_t obj, struct object *ret)
{
	char label[TOKEN_LABEL_MAX + 1] = "";
	size_t n = sizeof(label);
	gnutls_datum_t der = { 0 };
	gnutls_pkcs11_obj_type_t type = gnutls_pkcs11_obj_get_type(obj);
	int r = -EBADMSG;

	if (type != GNUTLS_PKCS11_OBJ_X509_CRT && type != GNUTLS_PKCS11_OBJ_PUBKEY)
		return -EBADMSG;
	if (gnutls_pkcs11_obj_export2(obj, &der) < 0)
		return -EBADMSG;
	if (type == GNUTLS_PKCS11_OBJ_X509_CRT) {
		r = cert_parse(der.data, der.size, &ret->cert);
		gnutls_free(der.data);
	} else {
		ret->spki = der;
		r = cert_parse_key(der.data, der.size, &ret->key);
	}
	if (r == 0)
		r = set_uris(ret, obj);
	if (r == 0 &&
	    gnutls_pkcs11_obj_get_info(obj, GNUTLS_PKCS11_OBJ_TOKEN_LABEL, label, &n) >= 0)
		text_clean(label, strnlen(label, sizeof(label)), ret->label, sizeof(ret->label));
	if (r < 0)
		object_deinit(ret);
	return r;
}

static bool same_token(const struct object *a, const struct object *b)
{
	return a->token.n == b->token.n && memcmp(a->token.p, b->token.p, a->token.n) == 0;
}

/* Leaves before CAs: some tokens are full of these. */
static int add_objects(struct tokens *t, gnutls_pkcs11_obj_t *list, unsigned n)
{
	for (unsigned i = 0; i < 2 * n && t->n < ARRAY_SIZE(t->objects); i++) {
		struct object *o = &t->objects[t->n];
		int r = read_object(list[i % n], o);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			continue;
		if ((o->cert && o->cert->is_ca) == (i >= n))
			t->n++;
		else
			object_deinit(o);
	}
	return 0;
}

static int list_objects(struct tokens *t, unsigned flags)
{
	gnutls_pkcs11_obj_t *list = NULL;
	unsigned n = 0;
	int r;

	/* nothing, no token, or one that cannot be read: the same to us */
	if (gnutls_pkcs11_obj_list_import_url4(&list, &n, t->name.uri, flags) < 0)
		return 0;
	r = add_objects(t, list, n);
	for (unsigned i = 0; i < n; i++)
		gnutls_pkcs11_obj_deinit(list[i]);
	gnutls_free(list);
	return r;
}

/* Some tokens show nothing before they have had the PIN. */
static int list_with_pin(struct tokens *t)
{
	int r;

	/* the listing functions know no other PIN function than the process's */
	gnutls_pkcs11_set_pin_function(token_pin_callback, &t->pin);
	r = list_objects(t, GNUTLS_PKCS11_OBJ_FLAG_LOGIN);
	gnutls_pkcs11_set_pin_function(NULL, NULL);
	t->pin.accepted = t->pin.pin && t->n > 0;
	return r;
}

/* Of those that the name means; GnuTLS passes over what was never initialised. */
static bool any_token(const struct tokens *t)
{
	unsigned flags;

	return gnutls_pkcs11_token_get_flags(t->name.uri, &flags) >= 0;
}

/* --- which of them can be used --- */

/* What no authority takes for a login is no choice either. */
static bool is_for_login(const struct cert *c)
{
	if (c->is_ca || !key_acceptable(c))
		return false;
	if (c->has_key_usage && !(c->key_usage & KU_DIGITAL_SIGNATURE))
		return false;
	return !c->has_eku || c->eku & (EKU_CLIENT_AUTH | EKU_ANY | EKU_SMARTCARD_LOGON);
}

static const struct view *object_spki(const struct object *o)
{
	return o->cert ? &o->cert->spki : &o->key.spki;
}

static bool is_candidate(const struct tokens *t, const struct object *o)
{
	const struct view *spki = object_spki(o);

	for (size_t i = 0; i < t->n_candidates; i++)
		if (view_is(&t->candidates[i].leaf->spki, spki->p, spki->n) &&
		    same_token(t->candidates[i].object, o))
			return true;
	return false;
}

static void add_candidate(struct tokens *t, const struct object *o, struct cert *leaf)
{
	if (t->n_candidates < ARRAY_SIZE(t->candidates) && is_for_login(leaf))
		t->candidates[t->n_candidates++] = (struct candidate){ o, leaf };
}

/* Certificates that are elsewhere, for keys that have none here. */
static void add_elsewhere(struct tokens *t, const struct certs *certs, size_t n)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < n; k++) {
			const struct view *spki = &certs->items[k]->spki;

			if (view_is(object_spki(&t->objects[i]), spki->p, spki->n) &&
			    !is_candidate(t, &t->objects[i]))
				add_candidate(t, &t->objects[i], certs->items[k]);
		}
}

static int add_found(struct key_context *ctx, struct tokens *t)
{
	struct view spkis[ARRAY_SIZE(t->found.items)];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < t->n && n < ARRAY_SIZE(spkis); i++)
		if (!t->objects[i].cert && !is_candidate(t, &t->objects[i]))
			spkis[n++] = t->objects[i].key.spki;
	r = source_find_certs(ctx, spkis, n, &t->found);
	if (r == 0)
		add_elsewhere(t, &t->found, t->found.n);
	return t->n_candidates > 0 ? 0 : r; /* what is on the token will do */
}

/* Those that have expired are shown only when there is nothing else: renewed cards keep the old
 * ones.
 */
static void drop_expired(struct tokens *t)
{
	int64_t now = clock_realtime(&clock_system);
	size_t valid = 0, n = 0;

	for (size_t i = 0; i < t->n_candidates; i++)
		valid += t->candidates[i].leaf->not_after >= now;
	for (size_t i = 0; valid > 0 && i < t->n_candidates; i++)
		if (t->candidates[i].leaf->not_after >= now)
			t->candidates[n++] = t->candidates[i];
	if (valid > 0)
		t->n_candidates = n;
}

static int find_candidates(struct key_context *ctx, struct tokens *t)
{
	int r = list_objects(t, 0);

	if (r == 0 && t->n == 0)
		r = list_with_pin(t);
	if (r < 0)
		return r;
	if (ctx->cert_file && source_read_certs(ctx, &t->file) == 0)
		add_elsewhere(t, &t->file, 1);
	if (t->n_candidates > 0) /* that one was named */
		return 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->objects[i].cert && !is_candidate(t, &t->objects[i]))
			add_candidate(t, &t->objects[i], t->objects[i].cert);
	r = add_found(ctx, t);
	drop_expired(t);
	return r;
}

static void explain_none(struct key_context *ctx, const struct tokens *t)
{
	if (t->pin.end != PIN_GOING_ON)
		source_why(ctx, "%s: %s", t->pin.label, token_pin_end_text(t->pin.end));
	else if (t->n > 0)
		source_why(ctx,
			   "the token %s has keys or certificates, but no certificate for "
			   "logins is on it or known here",
			   t->objects[0].label);
	else if (any_token(t))
		source_why(ctx, "the token shows no key and no certificate");
	else
		source_why(ctx, "no smart card or other token is there (%s)",
			   *t->name.module ? t->name.module : t->name.uri);
}

/* --- one of them --- */

/* The name in front, which may be cut; what tells two of one name apart is not. */
static void describe(const struct candidate *c, char ret[LIMIT_HELPER_LABEL + 1])
{
	char name[256], tail[TOKEN_LABEL_MAX + 32], date[16] = "",
						    clean[sizeof(name) + sizeof(tail)];
	time_t seconds = (time_t)(c->leaf->not_after / (int64_t)USEC_PER_SEC);
	struct tm tm;

	name_text(&c->leaf->subject, name, sizeof(name));
	if (gmtime_r(&seconds, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	(void)snprintf(tail, sizeof(tail), ", to %s (%s)", date, c->object->label);
	text_clean(name, strlen(name), clean, LIMIT_HELPER_LABEL + 1 - strlen(tail));
	(void)strcat(clean, tail);
	text_clean(clean, strlen(clean), ret, LIMIT_HELPER_LABEL + 1);
}

static int choose(struct key_context *ctx, const struct tokens *t, const struct candidate **ret)
{
	char labels[LIMIT_HELPER_CHOICES][LIMIT_HELPER_LABEL + 1];
	const char *texts[LIMIT_HELPER_CHOICES];
	unsigned n = 0, chosen = 0;

	for (; n < t->n_candidates && n < LIMIT_HELPER_CHOICES; n++) {
		describe(&t->candidates[n], labels[n]);
		texts[n] = labels[n];
	}
	if (n > 1 && ctx->choose && ctx->choose(ctx->ask_userdata, texts, n, &chosen) < 0) {
		source_why(ctx, "none of the %u keys on tokens was chosen", n);
		return -ENODATA;
	}
	*ret = &t->candidates[chosen];
	return 0;
}

/* The leaf's issuers, as far as they are beside it. */
static size_t make_chain(const struct tokens *t, const struct candidate *c,
			 struct cert *chain[LIMIT_CHAIN_CERTS])
{
	size_t n = 0;

	if (t->file.n > 0 && c->leaf == t->file.items[0]) {
		for (; n < t->file.n && n < LIMIT_CHAIN_CERTS; n++)
			chain[n] = t->file.items[n];
		return n;
	}
	chain[n++] = c->leaf;
	for (size_t i = 0; i < t->n && n < LIMIT_CHAIN_CERTS; i++) {
		struct cert *issuer = t->objects[i].cert;
		const struct cert *last = chain[n - 1];

		/* a root is of no use to them */
		if (!issuer || !issuer->is_ca ||
		    !view_is(&issuer->subject, last->issuer.p, last->issuer.n) ||
		    view_is(&issuer->subject, issuer->issuer.p, issuer->issuer.n))
			continue;
		chain[n++] = issuer;
		i = (size_t)-1; /* and its own */
	}
	return n;
}

/* --- its private key --- */

struct token_key {
	struct token_pin pin;
};

static void token_key_free(void *userdata)
{
	struct token_key *k = userdata;

	token_pin_deinit(&k->pin);
	free(k);
	gnutls_pkcs11_deinit(); /* load_module()'s */
}

static const char *why_no_key(int error)
{
	switch (error) {
	case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
		return "it has no private key for this certificate, or has been removed";
	case GNUTLS_E_PKCS11_PIN_EXPIRED:
		return "its PIN has expired; set a new one";
	case GNUTLS_E_PKCS11_TOKEN_ERROR:
	case GNUTLS_E_PKCS11_DEVICE_ERROR:
		return "it has been removed, or does not work";
	}
	return gnutls_strerror(error);
}

/* What the token's state lets us do, before a try is spent. */
static int before_pin(const char *token, struct token_pin *pin)
{
	unsigned flags = 0;

	if (gnutls_pkcs11_token_get_flags(token, &flags) < 0)
		return 0; /* what follows fails by itself */
	if (flags & GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED) {
		pin->end = PIN_BLOCKED;
		return -EKEYREJECTED;
	}
	if (flags & GNUTLS_PKCS11_TOKEN_PROTECTED_AUTHENTICATION_PATH &&
	    flags & GNUTLS_PKCS11_TOKEN_LOGIN_REQUIRED)
		return token_pin_pad(pin, flags);
	return 0;
}

/* 0, or GnuTLS's error; with pin->end when it is the PIN's. */
static int log_in(gnutls_pkcs11_privkey_t key, const struct object *o, struct token_pin *pin)
{
	int r = GNUTLS_E_PKCS11_PIN_ERROR;

	/* counted here as well: a module may find a PIN wrong that it was not given */
	for (unsigned i = 0; i <= LIMIT_PASSPHRASE_TRIES && pin->end == PIN_GOING_ON; i++) {
		if (before_pin((const char *)o->token.p, pin) < 0)
			return GNUTLS_E_PKCS11_PIN_ERROR;
		r = gnutls_pkcs11_privkey_import_url(key, (const char *)o->private_key.p, 0);
		pin->accepted = r >= 0 && pin->pin;
		pin->wrong = true; /* if there is a next time */
		if (r == GNUTLS_E_PKCS11_PIN_LOCKED)
			pin->end = PIN_BLOCKED;
		if (r != GNUTLS_E_PKCS11_PIN_ERROR)
			break;
	}
	if (r == GNUTLS_E_PKCS11_PIN_ERROR && pin->end == PIN_GOING_ON)
		pin->end = PIN_TOO_OFTEN;
	pin->wrong = false;
	return r;
}

static int open_private_key(struct key_context *ctx, const struct object *o, struct token_pin *pin,
			    gnutls_privkey_t *ret)
{
	gnutls_pkcs11_privkey_t on_token = NULL;
	gnutls_privkey_t key = NULL;
	int r;

	if (gnutls_pkcs11_privkey_init(&on_token) < 0 || gnutls_privkey_init(&key) < 0) {
		if (on_token)
			gnutls_pkcs11_privkey_deinit(on_token);
		return -ENOMEM;
	}
	gnutls_pkcs11_privkey_set_pin_function(on_token, token_pin_callback, pin);
	(void)strcpy(pin->label, o->label);
	r = log_in(on_token, o, pin);
	if (r >= 0)
		r = gnutls_privkey_import_pkcs11(key, on_token, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
	if (r >= 0) {
		*ret = key;
		return 0;
	}
	source_why(ctx, "%s: %s", o->label,
		   pin->end != PIN_GOING_ON ? token_pin_end_text(pin->end) : why_no_key(r));
	gnutls_pkcs11_privkey_deinit(on_token);
	gnutls_privkey_deinit(key);
	return -EKEYREJECTED;
}

/* TLS 1.3 has RSA by PSS alone. */
static bool lacks_pss(const struct candidate *c)
{
	return c->leaf->key == KEY_RSA &&
	       gnutls_pkcs11_token_check_mechanism((const char *)c->object->token.p, RSA_PKCS_PSS,
						   NULL, 0, 0) == 0;
}

static int open_candidate(struct key_context *ctx, struct tokens *t, const struct candidate *c,
			  struct prove_key **ret)
{
	_cleanup_(prove_key_freep) struct prove_key *key = NULL;
	struct cert *chain[LIMIT_CHAIN_CERTS];
	char label[TOKEN_LABEL_MAX + 16];
	struct token_key *k;
	int r;

	(void)snprintf(label, sizeof(label), "token %s", c->object->label);
	r = source_new_key(chain, make_chain(t, c, chain), label, &key);
	if (r < 0)
		return r;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->pin = t->pin; /* takes it: with the PIN that was given to see what is there */
	t->pin = (struct token_pin){ 0 };
	r = open_private_key(ctx, c->object, &k->pin, &key->key);
	if (r < 0) {
		token_pin_deinit(&k->pin);
		free(k);
		return r;
	}
	key->sign_userdata = k;
	key->sign_userdata_free = token_key_free;
	key->tls12_only = lacks_pss(c);
	*ret = STEAL(key);
	return 0;
}

static int open_one(struct key_context *ctx, struct tokens *t, struct prove_key **ret)
{
	const struct candidate *c;
	int r = find_candidates(ctx, t);

	if (r < 0)
		return r;
	if (t->n_candidates == 0) {
		explain_none(ctx, t);
		return -ENOENT;
	}
	r = choose(ctx, t, &c);
	return r < 0 ? r : open_candidate(ctx, t, c, ret);
}

int keys_pkcs11_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n)
{
	_cleanup_(tokens_freep) struct tokens *t = calloc(1, sizeof(*t));
	int r;

	*ctx->why = '\0';
	*ret_n = 0;
	if (!t)
		return -ENOMEM;
	if (!ctx->pkcs11 || max < 1) {
		source_why(ctx, "no PKCS#11 module or token is named");
		return 0;
	}
	r = p11_name_parse(ctx->pkcs11, &t->name);
	if (r < 0) {
		source_why(ctx, r == -EPERM ? "a PIN has no place in a PKCS#11 URI"
					    : "that is neither the path of a PKCS#11 module nor a "
					      "pkcs11: URI");
		return 0;
	}
	t->pin.ask = ctx->ask;
	t->pin.ask_userdata = ctx->ask_userdata;
	if (load_module(ctx, &t->name) < 0)
		return 0;
	r = open_one(ctx, t, &ret[0]);
	if (r == 0) {
		*ret_n = 1;
		return 0;
	}
	gnutls_pkcs11_deinit();
	if (!*ctx->why)
		source_why(ctx, "the token cannot be used: %s", strerror(-r));
	return r == -ENOMEM ? r : 0;
}
