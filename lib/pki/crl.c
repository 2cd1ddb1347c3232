// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/pki/crl.h"

#include <errno.h>
#include <string.h>

#include "lib/pki/der.h"
#include "lib/pki/dn.h"
#include "lib/pki/key.h"
#include "lib/pki/proof.h"

static const char *const fault_texts[] = {
	[CRL_GOOD] = "good",
	[CRL_MALFORMED] = "it cannot be read as a CRL",
	[CRL_VERSION] = "it is not a version 2 CRL",
	[CRL_NUMBER] = "its cRLNumber is missing, critical, negative or longer than 20 octets",
	[CRL_NO_NEXT_UPDATE] = "it does not say when the next one comes (nextUpdate)",
	[CRL_CRITICAL_EXTENSION] =
		"a critical extension of it is not processed, or is not critical",
	[CRL_ENTRY_EXTENSION] = "an entry has a critical extension that is not processed",
	[CRL_ALGORITHM] = "its signature algorithm, or its signer's key, is too weak or unknown",
	[CRL_NO_SIGNER] = "no certificate of its issuer is at hand",
	[CRL_SIGNER_USAGE] = "its issuer's certificate may not sign CRLs (cRLSign)",
	[CRL_SIGNATURE] = "its signature does not verify",
	[CRL_SIGNER_PATH] = "its issuer has no good path to the anchor",
	[CRL_NO_KEY] = "its signer speaks for no CA whose certificate is at hand",
	[CRL_FUTURE] = "it is from the future (thisUpdate)",
	[CRL_INDIRECT] = "it is an indirect CRL, which is not taken here",
	[CRL_DELTA] = "it is a delta CRL, which is not taken here: give the complete one",
};

const char *crl_fault_text(enum crl_fault f)
{
	return (size_t)f < ARRAY_SIZE(fault_texts) ? fault_texts[f] : "unknown";
}

/* --- extensions --- */

struct extension {
	uint8_t arc; /* below id-ce 2.5.29; 0: another */
	bool critical;
	struct view oid, value;
};

static int extension_next(struct view *in, struct extension *ret)
{
	struct view seq;

	*ret = (struct extension){ 0 };
	if (der_expect(in, DER_SEQUENCE, &seq) < 0 || der_expect(&seq, DER_OID, &ret->oid) < 0)
		return -EBADMSG;
	if (seq.n > 0 && seq.p[0] == DER_BOOLEAN && der_bool(&seq, &ret->critical) < 0)
		return -EBADMSG;
	if (der_expect(&seq, DER_OCTET_STRING, &ret->value) < 0 || seq.n > 0)
		return -EBADMSG;
	if (ret->oid.n == 3 && ret->oid.p[0] == 0x55 && ret->oid.p[1] == 0x1d)
		ret->arc = ret->oid.p[2];
	return 0;
}

/* INTEGER, not negative, of at most 20 octets: its content without the leading zero. */
static int read_number(struct view in, struct view *ret)
{
	struct view v;

	if (der_expect(&in, DER_INTEGER, &v) < 0 || in.n > 0 || v.n < 1 || v.p[0] & 0x80 ||
	    v.n > 20)
		return -EBADMSG;
	if (v.n > 1 && v.p[0] == 0) {
		if (!(v.p[1] & 0x80))
			return -EBADMSG;
		v.p++;
		v.n--;
	}
	*ret = v;
	return 0;
}

int crl_number_compare(const struct view *a, const struct view *b)
{
	struct view x = *a, y = *b;

	while (x.n > 0 && x.p[0] == 0)
		x.p++, x.n--;
	while (y.n > 0 && y.p[0] == 0)
		y.p++, y.n--;
	if (x.n != y.n)
		return x.n < y.n ? -1 : 1;
	return x.n > 0 ? memcmp(x.p, y.p, x.n) : 0;
}

int crl_reasons_read(struct view v, unsigned *ret)
{
	unsigned reasons = 0;

	if (v.n < 2 || v.n > 3 || v.p[0] > 7)
		return -EBADMSG;
	for (size_t i = 0; i < (v.n - 1) * 8 && i <= 8; i++)
		if (v.p[1 + i / 8] & (0x80 >> i % 8))
			reasons |= 1u << i;
	*ret = reasons & CRL_REASONS_ALL;
	return *ret ? 0 : -EBADMSG;
}

/* BOOLEAN DEFAULT FALSE, implicitly tagged. */
static int read_flag(struct view *in, unsigned tag, bool *ret)
{
	struct view v;
	bool found;

	if (der_optional(in, (uint8_t)DER_CONTEXT(tag), &v, &found) < 0)
		return -EBADMSG;
	if (found && (v.n != 1 || v.p[0] != 0xff))
		return -EBADMSG;
	*ret = found;
	return 0;
}

int crl_scope_read(struct view value, struct crl_scope *ret)
{
	struct crl_scope s = { .whole = value, .reasons = CRL_REASONS_ALL };
	struct view in = value, point, v;
	bool found;

	if (der_optional(&in, DER_CONTEXT_CONS(0), &point, &found) < 0)
		return -EBADMSG;
	if (found) {
		uint8_t tag;

		if (der_next(&point, &tag, &s.point, NULL) < 0 || point.n > 0 || s.point.n == 0 ||
		    (tag != DER_CONTEXT_CONS(0) && tag != DER_CONTEXT_CONS(1)))
			return -EBADMSG;
		s.relative = tag == DER_CONTEXT_CONS(1);
	}
	if (read_flag(&in, 1, &s.only_user) < 0 || read_flag(&in, 2, &s.only_ca) < 0 ||
	    der_optional(&in, DER_CONTEXT(3), &v, &found) < 0 ||
	    (found && crl_reasons_read(v, &s.reasons) < 0) || read_flag(&in, 4, &s.indirect) < 0 ||
	    read_flag(&in, 5, &s.only_attribute) < 0 || in.n > 0)
		return -EBADMSG;
	if (s.only_user + s.only_ca + s.only_attribute > 1)
		return -EBADMSG;
	*ret = s;
	return 0;
}

static enum crl_fault read_scope(const struct extension *e, struct crl *c)
{
	struct view in = e->value, value;

	if (!e->critical)
		return CRL_CRITICAL_EXTENSION;
	return der_expect(&in, DER_SEQUENCE, &value) < 0 || in.n > 0 ||
			       crl_scope_read(value, &c->scope) < 0
		       ? CRL_MALFORMED
		       : CRL_GOOD;
}

static enum crl_fault read_extension(const struct extension *e, struct crl *c)
{
	struct view in = e->value, seq;
	bool found;

	switch (e->arc) {
	case 20: /* cRLNumber */
		return e->critical || read_number(e->value, &c->number) < 0 ? CRL_NUMBER : CRL_GOOD;
	case 27: /* deltaCRLIndicator */
		if (!e->critical)
			return CRL_CRITICAL_EXTENSION;
		return read_number(e->value, &c->base) < 0 ? CRL_MALFORMED : CRL_GOOD;
	case 28:
		return read_scope(e, c);
	case 35: /* authorityKeyIdentifier */
		if (der_expect(&in, DER_SEQUENCE, &seq) < 0 || in.n > 0 ||
		    der_optional(&seq, DER_CONTEXT(0), &c->aki, &found) < 0)
			return CRL_MALFORMED;
		break;
	}
	return e->critical ? CRL_CRITICAL_EXTENSION : CRL_GOOD;
}

#define MAX_EXTENSIONS 32

static enum crl_fault read_extensions(struct view list, struct crl *c)
{
	struct extension seen[MAX_EXTENSIONS];
	enum crl_fault fault = CRL_GOOD;
	size_t n = 0;

	while (list.n > 0) {
		struct extension *e = &seen[n];
		enum crl_fault f;

		if (n == MAX_EXTENSIONS || extension_next(&list, e) < 0)
			return CRL_MALFORMED;
		for (size_t i = 0; i < n; i++)
			if (view_is(&seen[i].oid, e->oid.p, e->oid.n))
				return CRL_MALFORMED;
		n++;
		f = read_extension(e, c);
		fault = fault == CRL_GOOD ? f : fault;
	}
	return fault;
}

/* --- the list --- */

static int whole(struct view *in, uint8_t tag, struct view *ret_whole)
{
	struct view content;
	uint8_t got;

	return der_next(in, &got, &content, ret_whole) < 0 || got != tag ? -EBADMSG : 0;
}

static bool is_time(const struct view *in)
{
	return in->n > 0 && (in->p[0] == DER_UTCTIME || in->p[0] == DER_GENTIME);
}

static enum crl_fault read_tbs(struct view tbs, struct crl *c)
{
	struct view ext = { 0 }, list;
	bool extended = false, dated = false;
	uint32_t version = 0;

	if (tbs.n > 0 && tbs.p[0] == DER_INTEGER && der_small_uint(&tbs, &version) < 0)
		return CRL_MALFORMED;
	if (whole(&tbs, DER_SEQUENCE, &c->sig_alg_tbs) < 0 ||
	    whole(&tbs, DER_SEQUENCE, &c->issuer) < 0 || der_time(&tbs, &c->this_update) < 0)
		return CRL_MALFORMED;
	if (is_time(&tbs)) {
		dated = true;
		if (der_time(&tbs, &c->next_update) < 0)
			return CRL_MALFORMED;
	}
	if (tbs.n > 0 && tbs.p[0] == DER_SEQUENCE &&
	    der_expect(&tbs, DER_SEQUENCE, &c->entries) < 0)
		return CRL_MALFORMED;
	if (der_optional(&tbs, DER_CONTEXT_CONS(0), &ext, &extended) < 0 || tbs.n > 0)
		return CRL_MALFORMED;
	if (version != 1)
		return CRL_VERSION;
	if (!dated || c->next_update < c->this_update)
		return CRL_NO_NEXT_UPDATE;
	if (extended) {
		enum crl_fault fault;

		if (der_expect(&ext, DER_SEQUENCE, &list) < 0 || ext.n > 0 || list.n == 0)
			return CRL_MALFORMED;
		fault = read_extensions(list, c);
		if (fault != CRL_GOOD)
			return fault;
	}
	return c->number.n == 0 ? CRL_NUMBER : CRL_GOOD;
}

enum crl_fault crl_read(struct view der, struct crl *ret)
{
	struct crl c = { .der = der, .scope.reasons = CRL_REASONS_ALL };
	struct view in = der, seq, at, tbs;
	enum crl_fault fault;
	unsigned unused;

	if (der_expect(&in, DER_SEQUENCE, &seq) < 0 || in.n > 0)
		return CRL_MALFORMED;
	at = seq;
	if (whole(&seq, DER_SEQUENCE, &c.tbs) < 0 || der_expect(&at, DER_SEQUENCE, &tbs) < 0 ||
	    whole(&seq, DER_SEQUENCE, &c.sig_alg) < 0 ||
	    der_bits(&seq, &c.signature, &unused) < 0 || unused || seq.n > 0)
		return CRL_MALFORMED;
	fault = read_tbs(tbs, &c);
	/* 5.1.1.2: the two identifiers are the same */
	if (fault == CRL_GOOD && !view_is(&c.sig_alg, c.sig_alg_tbs.p, c.sig_alg_tbs.n))
		fault = CRL_ALGORITHM;
	*ret = c;
	return fault;
}

static int read_entry_extension(const struct extension *e, struct crl_entry *ret)
{
	struct view in = e->value, v;

	switch (e->arc) {
	case 21: /* reasonCode */
		if (der_expect(&in, 0x0a, &v) < 0 || in.n > 0 || v.n != 1 ||
		    v.p[0] > CRL_REASON_MAX || v.p[0] == 7)
			return -EBADMSG;
		ret->reason = v.p[0];
		return 0;
	case 24: /* invalidityDate */
		return der_time(&in, &(int64_t){ 0 }) < 0 || in.n > 0 ? -EBADMSG : 0;
	case 29: /* certificateIssuer */
		if (!e->critical || der_expect(&in, DER_SEQUENCE, &ret->issuer) < 0 || in.n > 0 ||
		    ret->issuer.n == 0)
			return -EBADMSG;
		return 0;
	}
	ret->unknown_critical |= e->critical;
	return 0;
}

int crl_next(struct view *entries, struct crl_entry *ret)
{
	struct crl_entry e = { 0 };
	struct view entry, list;
	uint32_t seen = 0; /* of the three above */

	if (der_expect(entries, DER_SEQUENCE, &entry) < 0 ||
	    der_expect(&entry, DER_INTEGER, &e.serial) < 0 || e.serial.n < 1 ||
	    der_time(&entry, &e.since) < 0)
		return -EBADMSG;
	if (entry.n > 0) {
		if (der_expect(&entry, DER_SEQUENCE, &list) < 0 || entry.n > 0 || list.n == 0)
			return -EBADMSG;
		while (list.n > 0) {
			struct extension x;

			if (extension_next(&list, &x) < 0)
				return -EBADMSG;
			if (x.arc == 21 || x.arc == 24 || x.arc == 29) {
				if (seen & 1u << x.arc)
					return -EBADMSG;
				seen |= 1u << x.arc;
			}
			if (read_entry_extension(&x, &e) < 0)
				return -EBADMSG;
		}
	}
	*ret = e;
	return 0;
}

enum crl_fault crl_scan(struct crl *crl)
{
	struct view in = crl->entries;
	enum crl_fault fault = CRL_GOOD;

	crl->n_entries = 0;
	while (in.n > 0) {
		struct crl_entry e;

		if (crl_next(&in, &e) < 0 || (e.issuer.n > 0 && !crl->scope.indirect) ||
		    (e.reason == CRL_REMOVE && crl->base.n == 0))
			return CRL_MALFORMED;
		if (e.unknown_critical)
			fault = CRL_ENTRY_EXTENSION;
		crl->n_entries++;
	}
	return fault;
}

/* --- the signer --- */

static bool is_named(const struct crl *crl, const struct cert *c)
{
	return dn_equal(&c->subject, &crl->issuer) &&
	       (c->ski.n == 0 || crl->aki.n == 0 || view_is(&c->ski, crl->aki.p, crl->aki.n));
}

static bool issues(const struct cert *c)
{
	return c->is_ca && (!c->has_key_usage || c->key_usage & KU_KEY_CERT_SIGN);
}

static void add_key(struct crl_signer *s, const struct cert *c)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (memcmp(s->keys[i], c->spki_sha256, SHA256_BYTES) == 0)
			return;
	if (s->n_keys < CRL_KEYS_MAX)
		memcpy(s->keys[s->n_keys++], c->spki_sha256, SHA256_BYTES);
}

/* c, which is self-issued, is signed by the key of `by`. */
static bool ties(const struct cert *c, const struct cert *by)
{
	return signature_verify_x509(by, &c->sig_alg, &c->tbs, &c->signature) == 0;
}

struct candidates {
	const struct cert *all[64 + 1];
	size_t n;
};

static const struct cert *find_parent(const struct candidates *of, const struct cert *c,
				      unsigned *budget)
{
	for (size_t i = 0; i<of->n && * budget> 0; i++) {
		if (!dn_equal(&of->all[i]->subject, &c->issuer) || !issues(of->all[i]))
			continue;
		--*budget;
		if (ties(c, of->all[i]))
			return of->all[i];
	}
	return NULL;
}

/* A signer that issues nothing speaks for the CA of its name that certified it, or that was
 * certified by the same key as it was: whoever else certifies that name speaks for nobody. */
static void find_keys_of_service(const struct candidates *of, struct crl_signer *s)
{
	unsigned budget = CRL_SIGNATURES_MAX;
	const struct cert *parent = find_parent(of, s->cert, &budget);

	for (size_t i = 0; parent && i < of->n && budget > 0; i++) {
		const struct cert *c = of->all[i];

		if (!issues(c) || !dn_equal(&c->subject, &s->cert->subject))
			continue;
		if (view_is(&c->spki, parent->spki.p, parent->spki.n)) {
			add_key(s, c);
		} else if (dn_equal(&c->issuer, &parent->subject)) {
			budget--;
			if (ties(c, parent))
				add_key(s, c);
		}
	}
}

static void find_keys(const struct candidates *of, struct crl_signer *s)
{
	unsigned budget = CRL_SIGNATURES_MAX;

	if (!issues(s->cert)) {
		find_keys_of_service(of, s);
		return;
	}
	add_key(s, s->cert);
	for (size_t i = 0; i < of->n; i++) {
		const struct cert *c = of->all[i];

		/* another key of the name, certified by it or certifying it */
		if (!dn_equal(&c->issuer, &c->subject) || !dn_equal(&c->subject, &s->cert->subject))
			continue;
		for (size_t j = 0; j < of->n && budget > 0; j++) {
			const struct cert *by = of->all[j];
			bool new = view_is(&by->spki, s->cert->spki.p, s->cert->spki.n);
			bool old = view_is(&c->spki, s->cert->spki.p, s->cert->spki.n);

			if (new == old || !issues(by) || !dn_equal(&by->subject, &c->issuer))
				continue;
			budget--;
			if (ties(c, by))
				add_key(s, new ? c : by);
		}
	}
}

static enum crl_fault check_path(const struct candidates *of, const struct cert *signer,
				 const struct anchor *anchor, int64_t now, struct path *ret)
{
	const struct cert *chain[ARRAY_SIZE(of->all)] = { signer };
	size_t n = 1;

	*ret = (struct path){ .anchor = anchor->id };
	if (view_is(&signer->der, anchor->cert->der.p, anchor->cert->der.n))
		return CRL_GOOD;
	for (size_t i = 0; i < of->n; i++)
		if (of->all[i] != signer && of->all[i] != anchor->cert)
			chain[n++] = of->all[i];
	if (path_build_signer(chain, n, anchor, now, ret) < 0 || ret->fault != PATH_GOOD ||
	    now < ret->not_before || now > ret->not_after || signer->unknown_critical)
		return CRL_SIGNER_PATH;
	return CRL_GOOD;
}

static enum crl_fault try_signer(const struct crl *crl, const struct candidates *of,
				 const struct cert *c, const struct anchor *anchor, int64_t now,
				 struct crl_signer *ret)
{
	enum crl_fault fault;
	int r;

	/* 6.3.3 (f): if it has a key usage */
	if (c->has_key_usage && !(c->key_usage & KU_CRL_SIGN))
		return CRL_SIGNER_USAGE;
	r = signature_verify_x509(c, &crl->sig_alg, &crl->tbs, &crl->signature);
	if (r < 0)
		return r == -EOPNOTSUPP ? CRL_ALGORITHM : CRL_SIGNATURE;
	fault = check_path(of, c, anchor, now, &ret->path);
	if (fault != CRL_GOOD)
		return fault;
	ret->cert = c;
	find_keys(of, ret);
	/* of an indirect list the certificates say whom they take (cRLIssuer) */
	return ret->n_keys > 0 || crl->scope.indirect ? CRL_GOOD : CRL_NO_KEY;
}

enum crl_fault crl_verify(const struct crl *crl, const struct cert *const *certs, size_t n,
			  const struct anchor *anchor, int64_t now, struct crl_signer *ret)
{
	struct candidates of = { { anchor->cert }, 1 };
	enum crl_fault fault = CRL_NO_SIGNER;
	unsigned budget = CRL_SIGNATURES_MAX;

	for (size_t i = 0; i < n && of.n < ARRAY_SIZE(of.all); i++)
		of.all[of.n++] = certs[i];
	for (size_t i = 0; i < of.n && budget > 0; i++) {
		struct crl_signer s = { 0 };
		enum crl_fault f;

		if (!is_named(crl, of.all[i]))
			continue;
		budget--;
		f = try_signer(crl, &of, of.all[i], anchor, now, &s);
		if (f == CRL_GOOD) {
			*ret = s;
			return f;
		}
		/* the fault that went furthest tells most */
		fault = f > fault ? f : fault;
	}
	return fault;
}

/* --- a serial number --- */

int crl_issuer_is(const struct view *names, const struct view *issuer)
{
	struct view in = *names, v;
	uint8_t tag;

	while (in.n > 0) {
		if (der_next(&in, &tag, &v, NULL) < 0)
			return -EBADMSG;
		/* directoryName, which is a CHOICE and so explicitly tagged */
		if (tag == DER_CONTEXT_CONS(4) && dn_equal(&v, issuer))
			return 1;
	}
	return 0;
}

int crl_find(const struct crl *crl, const struct view *issuer, const struct view *serial,
	     struct crl_entry *ret)
{
	struct view in = crl->entries;
	int ours = dn_equal(&crl->issuer, issuer);

	while (in.n > 0) {
		struct crl_entry e;

		if (crl_next(&in, &e) < 0)
			return -EBADMSG;
		/* 5.3.3: holds for the entries that follow, too */
		if (e.issuer.n > 0)
			ours = crl_issuer_is(&e.issuer, issuer);
		if (ours < 0)
			return ours;
		if (ours && view_is(&e.serial, serial->p, serial->n)) {
			*ret = e;
			return 1;
		}
	}
	return 0;
}
