// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import/plan.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/import/known.h"
#include "lib/base/encode.h"
#include "lib/base/name.h"
#include "lib/pki/certmap.h"
#include "lib/pki/path.h"

#define WHY_MAX 512
#define SUBJECT_MAX 256
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

void plan_init(struct plan *p, const struct plan_options *options)
{
	*p = (struct plan){ .options = options };
}

static void op_deinit(struct plan_op *op)
{
	free(op->identity);
	free(op->name);
	free(op->match);
	free(op->yield);
	free(op->file);
}

void plan_deinit(struct plan *p)
{
	for (size_t i = 0; i < p->n_ops; i++)
		op_deinit(&p->ops[i]);
	for (size_t i = 0; i < p->n_refusals; i++) {
		free(p->refusals[i].what);
		free(p->refusals[i].why);
		free(p->refusals[i].file);
	}
	free(p->ops);
	free(p->refusals);
	certset_deinit(&p->own);
	*p = (struct plan){ 0 };
}

/* Room for one more of an array that doubles: its length says when. */
static int room(void *array, size_t n, size_t size)
{
	void **at = array;
	void *more;

	if (n & (n - 1) && n > 0) /* not a power of two: there is room */
		return 0;
	more = reallocarray(*at, n ? 2 * n : 1, size);
	if (!more)
		return -ENOMEM;
	*at = more;
	return 0;
}

static char *text_copy(struct plan *p, const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		p->error = -ENOMEM;
	return copy;
}

_printf_(5, 0) static void refusal_add(struct plan *p, struct place at, const char *what,
				       bool setting, const char *format, va_list ap)
{
	char why[WHY_MAX];

	if (p->error == 0)
		p->error = room(&p->refusals, p->n_refusals, sizeof(p->refusals[0]));
	if (p->error < 0)
		return;
	(void)vsnprintf(why, sizeof(why), format, ap);
	p->refusals[p->n_refusals++] = (struct plan_refusal){
		.setting = setting,
		.what = text_copy(p, what),
		.why = text_copy(p, why),
		.file = text_copy(p, at.file),
		.line = at.line,
	};
}

void plan_refuse(struct plan *p, struct place at, const char *what, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	refusal_add(p, at, what, false, format, ap);
	va_end(ap);
}

void plan_report(struct plan *p, struct place at, const char *what, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	refusal_add(p, at, what, true, format, ap);
	va_end(ap);
}

/* NULL: no memory. */
static struct plan_op *op_add(struct plan *p, enum plan_kind kind, struct place at,
			      const char *identity)
{
	struct plan_op *op;

	if (p->error == 0)
		p->error = room(&p->ops, p->n_ops, sizeof(p->ops[0]));
	if (p->error < 0)
		return NULL;
	op = &p->ops[p->n_ops++];
	*op = (struct plan_op){ .kind = kind, .line = at.line, .until = INT64_MAX };
	op->identity = text_copy(p, identity);
	op->file = text_copy(p, at.file);
	return op;
}

static bool login_ok(struct plan *p, struct place at, const char *login)
{
	if (!identity_name_ok(login)) {
		plan_refuse(p, at, login, "this cannot be the name of an identity");
		return false;
	}
	if (strcmp(login, "root") == 0 || (p->options->superuser && p->options->superuser(login))) {
		plan_refuse(p, at, login,
			    "uid 0 is never imported: certlogin access allow NAME %s, for a person "
			    "with a name of his own",
			    login);
		return false;
	}
	return true;
}

void plan_enroll(struct plan *p, struct place at, const char *login, const struct cert *cert,
		 int64_t until)
{
	enum leaf_fault fault = leaf_check(cert, NULL);
	struct plan_op *op;

	if (!login_ok(p, at, login))
		return;
	if (fault != LEAF_GOOD || cert->not_after < p->options->now) {
		plan_refuse(p, at, login, "its certificate: %s",
			    fault != LEAF_GOOD ? leaf_fault_text(fault) : "it has expired");
		return;
	}
	for (size_t i = 0; i < p->n_ops; i++)
		if (p->ops[i].kind == PLAN_ENROLL && strcmp(p->ops[i].identity, login) == 0 &&
		    memcmp(p->ops[i].cert->sha256, cert->sha256, SHA256_BYTES) == 0)
			return;
	op = op_add(p, PLAN_ENROLL, at, login);
	if (op) {
		op->cert = cert;
		op->until = until;
	}
}

void plan_own(struct plan *p, struct place at, const char *login, struct cert *cert)
{
	const struct cert *own = NULL;
	int r = certset_add(&p->own, cert, &own);

	if (r < 0)
		p->error = r;
	else
		plan_enroll(p, at, login, own, INT64_MAX);
}

/* kind.0123456789ab, of all that the rule says */
static char *rule_name(struct plan *p, const struct plan_rule *rule)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	uint8_t hash[SHA256_BYTES];
	char text[HEX_SIZE(SHA256_BYTES)], name[128];

	buf_put_text(&b, p->options->anchor);
	buf_put_u8(&b, 0);
	buf_put_text(&b, rule->match);
	buf_put_u8(&b, 0);
	buf_put_text(&b, rule->login ? rule->login : rule->yield);
	if (b.error < 0) {
		p->error = b.error;
		return NULL;
	}
	sha256(b.p, b.n, hash);
	hex_encode(hash, sizeof(hash), text);
	(void)snprintf(name, sizeof(name), "%.64s.%.12s", rule->kind, text);
	for (char *s = name; *s; s++) /* a foreign name may be in it */
		if (!strchr(NAME_CHARS, *s))
			*s = '-';
	return text_copy(p, name);
}

/* The yields of which the allow-list tells whose people they are. */
static bool cuts_domain(const char *yield)
{
	return strncmp(yield, "{mail", 5) == 0 || strncmp(yield, "{upn", 4) == 0 ||
	       strncmp(yield, "{krb", 4) == 0;
}

/* As the daemon will read it, so that a dry run tells what it would refuse. */
static bool match_ok(struct plan *p, struct place at, const char *what, const char *match)
{
	_cleanup_(certmap_match_freep) struct certmap_match *m = NULL;
	struct certmap_error error;
	int r;

	if (!text_ok(match, PLAN_MATCH_MAX)) {
		plan_refuse(p, at, what,
			    "what it matches is too long for a rule, or no printable UTF-8");
		return false;
	}
	r = certmap_match_parse(match, &m, &error);
	if (r == -EINVAL)
		plan_refuse(p, at, what, "what it matches cannot be read: %s", error.why);
	else if (r < 0)
		p->error = r;
	return r == 0;
}

void plan_rule(struct plan *p, struct place at, const struct plan_rule *rule)
{
	const char *what = rule->login ? rule->login : rule->yield;
	bool domains = rule->yield && cuts_domain(rule->yield);
	_cleanup_(freep) char *name = NULL;
	struct plan_op *op;

	if (rule->login && !login_ok(p, at, rule->login))
		return;
	if (!p->options->anchor) {
		plan_refuse(p, at, what,
			    "this is a mapping rule, and a rule belongs to one CA: say --anchor "
			    "NAME");
		return;
	}
	if (domains && p->options->n_domains == 0) {
		plan_refuse(p, at, what,
			    "whatever stands behind the @ would do: say --domain, for each domain "
			    "whose people may log in");
		return;
	}
	if (!match_ok(p, at, what, rule->match))
		return;
	name = rule_name(p, rule);
	for (size_t i = 0; name && i < p->n_ops; i++)
		if (p->ops[i].kind == PLAN_RULE && strcmp(p->ops[i].name, name) == 0)
			return;
	if (name && p->n_rules == PLAN_RULES_MAX) {
		plan_refuse(p, at, what,
			    "there are more rules than %d: enroll the certificates instead",
			    PLAN_RULES_MAX);
		return;
	}
	op = name ? op_add(p, PLAN_RULE, at, rule->login) : NULL;
	if (!op)
		return;
	p->n_rules++;
	op->name = STEAL(name);
	op->match = text_copy(p, rule->match);
	op->yield = text_copy(p, what);
	op->domains = domains;
	op->goes_on = rule->goes_on;
}

/* --- the end --- */

static int by_key(const void *a, const void *b)
{
	const struct plan_op *const *x = a, *const *y = b;

	return memcmp((*x)->cert->spki_sha256, (*y)->cert->spki_sha256, SHA256_BYTES);
}

/* A key of two people: whose it is cannot be known, and who writes a file of keys may write in
 * another's. */
static void drop_claimed_twice(struct plan *p)
{
	_cleanup_(freep) struct plan_op **all = calloc(p->n_ops + 1, sizeof(struct plan_op *));
	size_t n = 0;

	if (!all) {
		p->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < p->n_ops; i++)
		if (p->ops[i].kind == PLAN_ENROLL)
			all[n++] = &p->ops[i];
	qsort(all, n, sizeof(struct plan_op *), by_key);
	for (size_t first = 0, end; first < n; first = end) {
		for (end = first + 1; end < n && by_key(&all[first], &all[end]) == 0; end++)
			;
		for (size_t i = first; end - first > 1 && i < end; i++) {
			const struct plan_op *op = all[i],
					     *other = all[i == first ? end - 1 : first];

			all[i]->state = PLAN_DROPPED;
			plan_refuse(p, (struct place){ op->file, op->line }, op->identity,
				    "its key is that of %s as well (%s:%u): one key is one person",
				    other->identity, other->file, other->line);
		}
	}
}

static void check(struct plan *p, const struct known *known, struct plan_op *op)
{
	char why[WHY_MAX] = "";

	if (!known || op->state == PLAN_DROPPED)
		return;
	known_check(known, p->options, op, why, sizeof(why));
	if (op->state == PLAN_DROPPED)
		plan_refuse(p, (struct place){ op->file, op->line },
			    op->identity ? op->identity : op->yield, "%s", why);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(_unused_ void *key)
{
}

/* Who shall have rows of these: once each. */
struct seen {
	void *identities, *access;
};

static bool first_time(struct plan *p, void **tree, const char *name)
{
	size_t before = tree && *tree && tfind(name, tree, by_text);

	if (before || p->error < 0)
		return false;
	if (!tsearch(name, tree, by_text))
		p->error = -ENOMEM;
	return p->error == 0;
}

/* Takes an operation of the old list into the new one, with what it needs. */
static void complete(struct plan *p, const struct known *known, struct plan_op *op,
		     struct seen *seen)
{
	struct place at = { op->file, op->line };
	struct plan_op *more;

	if (op->identity && first_time(p, &seen->identities, op->identity)) {
		more = op_add(p, PLAN_IDENTITY, at, op->identity);
		if (more)
			check(p, known, more);
	}
	more = op_add(p, op->kind, at, NULL);
	if (!more)
		return;
	free(more->file);
	*more = *op;
	*op = (struct plan_op){ 0 };
	if (!p->options->service)
		return;
	if (!more->identity) {
		plan_report(p, at, more->yield,
			    "whom this rule names is not known: give access by hand (certlogin "
			    "access allow)");
	} else if (first_time(p, &seen->access, more->identity)) {
		const char *identity = more->identity;
		int64_t until = more->until;
		struct plan_op *access = op_add(p, PLAN_ACCESS, at, identity);

		if (access) {
			access->until = until;
			check(p, known, access);
		}
	}
}

int plan_finish(struct plan *p, const struct known *known)
{
	struct seen seen = { NULL, NULL };
	struct plan_op *old;
	size_t n;

	drop_claimed_twice(p);
	for (size_t i = 0; i < p->n_ops; i++)
		check(p, known, &p->ops[i]);
	old = p->ops;
	n = p->n_ops;
	p->ops = NULL;
	p->n_ops = 0;
	for (size_t i = 0; i < n; i++) {
		if (old[i].state != PLAN_DROPPED && p->error == 0)
			complete(p, known, &old[i], &seen);
	}
	tdestroy(seen.identities, keep);
	tdestroy(seen.access, keep);
	for (size_t i = 0; i < n; i++)
		op_deinit(&old[i]);
	free(old);
	return p->error;
}

size_t plan_to_do(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_ops; i++)
		n += p->ops[i].state == PLAN_NEW;
	return n;
}

/* --- showing it --- */

const char *plan_state_text(enum plan_state state)
{
	static const char *const texts[] = {
		[PLAN_NEW] = "new",
		[PLAN_PRESENT] = "present",
		[PLAN_DROPPED] = "left out",
	};

	return texts[state];
}

void plan_op_text(const struct plan_op *op, const struct plan_options *options, char *ret,
		  size_t size)
{
	char subject[SUBJECT_MAX];

	switch (op->kind) {
	case PLAN_IDENTITY:
		(void)snprintf(ret, size, "identity %s", op->identity);
		break;
	case PLAN_ENROLL:
		name_text(&op->cert->subject, subject, sizeof(subject));
		(void)snprintf(ret, size, "enroll %s: %s", op->identity, subject);
		break;
	case PLAN_ACCESS:
		(void)snprintf(ret, size, "access %s to %s by %s%s", op->identity, op->identity,
			       options->service, op->until == INT64_MAX ? "" : ", with an end");
		break;
	case PLAN_RULE:
		(void)snprintf(ret, size, "rule %s -> %s", op->match, op->yield);
		break;
	}
}

static json_t *op_json(const struct plan_op *op, const struct plan_options *o)
{
	static const char *const kinds[] = { "identity", "enroll", "access", "rule" };
	char sha256_text[HEX_SIZE(SHA256_BYTES)] = "", subject[SUBJECT_MAX] = "", file[WHY_MAX];
	json_t *row, *more = NULL;

	text_clean(op->file, strlen(op->file), file, sizeof(file));
	row = json_pack("{s:s, s:s, s:s, s:i}", "op", kinds[op->kind], "state",
			plan_state_text(op->state), "file", file, "line", (int)op->line);

	switch (op->kind) {
	case PLAN_IDENTITY:
		more = json_pack("{s:s}", "identity", op->identity);
		break;
	case PLAN_ENROLL:
		hex_encode(op->cert->sha256, SHA256_BYTES, sha256_text);
		name_text(&op->cert->subject, subject, sizeof(subject));
		more = json_pack("{s:s, s:s, s:s}", "identity", op->identity, "sha256", sha256_text,
				 "subject", subject);
		break;
	case PLAN_ACCESS:
		more = json_pack("{s:s, s:s, s:s, s:I}", "identity", op->identity, "account",
				 op->identity, "service", o->service, "notAfter",
				 (json_int_t)op->until);
		break;
	case PLAN_RULE:
		more = json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", op->name, "anchor", o->anchor,
				 "match", op->match, "yield", op->yield, "continue", op->goes_on);
		break;
	}
	if (!row || !more || json_object_update(row, more) < 0) {
		json_decref(row);
		row = NULL;
	}
	json_decref(more);
	return row;
}

/* What stands in a foreign file may be no UTF-8. */
static json_t *refusal_json(const struct plan_refusal *r)
{
	char what[SUBJECT_MAX], why[WHY_MAX], file[WHY_MAX];

	text_clean(r->what, strlen(r->what), what, sizeof(what));
	text_clean(r->why, strlen(r->why), why, sizeof(why));
	text_clean(r->file, strlen(r->file), file, sizeof(file));
	return json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind", r->setting ? "setting" : "entry",
			 "what", what, "why", why, "file", file, "line", (int)r->line);
}

json_t *plan_json(const struct plan *p, bool applied)
{
	json_t *ops = json_array(), *refusals = json_array();
	int r = 0;

	for (size_t i = 0; i < p->n_ops; i++)
		r |= json_array_append_new(ops, op_json(&p->ops[i], p->options));
	for (size_t i = 0; i < p->n_refusals; i++)
		r |= json_array_append_new(refusals, refusal_json(&p->refusals[i]));
	if (r < 0) {
		json_decref(ops);
		json_decref(refusals);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:b}", "operations", ops, "refusals", refusals, "applied",
			 applied);
}
