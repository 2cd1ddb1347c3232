// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/base/name.h"

static const struct {
	const char *name;
	const char *text;
} reasons[] = {
	[REASON_NONE] = { "", "Nothing stands against it." },
	[REASON_NO_PROOF] = { "no-proof", "Nobody proved possession of a private key.  Is a key at "
					  "hand (ssh-add "
					  "-l), and does the gate run (systemctl status "
					  "certlogin-gate@local)?" },
	[REASON_FOREIGN_CA] = { "foreign-ca",
				"No CA that this host accepts has issued the certificate.  If its "
				"CA "
				"is to be accepted, run: certlogin anchor add NAME CA-FILE" },
	[REASON_CHAIN] = { "chain",
			   "The certificate or its path to an anchor has a fault; the failed "
			   "check names it.  Have the certificate issued again." },
	[REASON_EXPIRED] = { "expired", "The certificate, or a CA above it, has expired.  Issue a "
					"new one and run: "
					"certlogin enroll NAME CERT" },
	[REASON_NOT_YET_VALID] = { "not-yet-valid", "The certificate, or a CA above it, is not "
						    "valid yet.  Check the "
						    "clocks of this host and of the CA." },
	[REASON_KEY] = { "key",
			 "The key or a signature algorithm is below the floor.  Use P-256, P-384, "
			 "Ed25519, or RSA of 2048 to 4096 bits, signed with SHA-256 or better." },
	[REASON_KEY_USAGE] = { "key-usage",
			       "The certificate's key usage does not let a person sign with "
			       "it.  Have it issued with digitalSignature, and not as a CA." },
	[REASON_EKU] = { "eku",
			 "The certificate is not for client authentication.  Have it issued with "
			 "the extended key usage clientAuth." },
	[REASON_REVOKED] = { "revoked",
			     "The certificate is revoked.  Issue a new one for a new key." },
	[REASON_REVOCATION] = { "revocation",
				"No current revocation list says that the certificate is still "
				"good. "
				" Run: certlogin crl status; certlogin crl import FILE" },
	[REASON_NOT_ENROLLED] = { "not-enrolled",
				  "The certificate belongs to no identity.  Run: certlogin "
				  "enroll NAME CERT; or, for what a rule should map: certlogin "
				  "rule test CERT" },
	[REASON_IDENTITY_DISABLED] = { "identity-disabled",
				       "The identity is disabled.  Run: certlogin "
				       "identity enable NAME" },
	[REASON_IDENTITY_EXPIRED] = { "identity-expired", "The identity is outside its time.  Run: "
							  "certlogin identity show NAME" },
	[REASON_SERVICE_UNKNOWN] = { "service-unknown",
				     "The service has no row, and what has none is denied.  Run: "
				     "certlogin "
				     "service set SERVICE --class login|elevate|app" },
	[REASON_SERVICE_UID] = { "service-uid", "The program that asked may not log people in "
						"through this service.  "
						"Run: certlogin service set SERVICE --class CLASS "
						"--redeem-uids UIDS" },
	[REASON_VIA] = { "via", "The service does not take proofs through this gate.  Use the "
				"local gate, or "
				"carry the login id by hand: certlogin ticket HOST --login ID" },
	[REASON_TICKET_UNKNOWN] = { "ticket-unknown",
				    "There is no such ticket: mistyped, expired, or "
				    "forgotten in a restart.  Make a new one." },
	[REASON_TICKET_USED] = { "ticket-used",
				 "The ticket was used before; each is good once.  Make a "
				 "new one." },
	[REASON_TICKET_EXPIRED] = { "ticket-expired",
				    "The ticket is older than a minute.  Make a new one "
				    "and use it at once." },
	[REASON_TICKET_OTHER_LOGIN] = { "ticket-other-login",
					"The ticket was made for another login.  Make one with the "
					"login "
					"id that the prompt shows: certlogin ticket --login ID" },
	[REASON_TICKET_OTHER_ACCOUNT] = { "ticket-other-account", "The ticket was made for another "
								  "account.  Run: certlogin ticket "
								  "--account ACCOUNT" },
	[REASON_TICKET_OTHER_SERVICE] = { "ticket-other-service", "The ticket was made for another "
								  "service.  Run: certlogin ticket "
								  "--service SERVICE" },
	[REASON_TICKET_LOOSE] = { "ticket-loose", "The service takes no ticket without a login id. "
						  " Run, with the id that "
						  "the prompt shows: certlogin ticket --login ID" },
	[REASON_LOGIN_UNKNOWN] = { "login-unknown",
				   "There is no such login, or not any more.  Begin "
				   "again." },
	[REASON_ACCOUNT_NOT_ALLOWED] = { "account-not-allowed",
					 "The identity may not use this account.  Run: certlogin "
					 "access "
					 "allow NAME ACCOUNT --service SERVICE" },
	[REASON_SERVICE_NOT_ALLOWED] = { "service-not-allowed",
					 "The identity may use the account, but not through this "
					 "service, "
					 "or not now.  Run: certlogin access allow NAME ACCOUNT "
					 "--service "
					 "SERVICE" },
	[REASON_ROOT_BY_RULE] = { "root-by-rule",
				  "The certificate was mapped to its identity by a rule, and no "
				  "rule "
				  "leads to root.  Run: certlogin enroll NAME CERT" },
	[REASON_LIMIT] = { "limit",
			   "A limit was reached.  Wait a minute; the source of the event says who "
			   "asks so often." },
	[REASON_STORE] = { "store",
			   "The record could not be written, so nobody is let in.  See: df "
			   "/var/lib/certlogin; journalctl -u certlogind" },
};
_Static_assert(ARRAY_SIZE(reasons) == REASON_MAX_, "a reason has no name");

const char *reason_name(enum reason r)
{
	return (size_t)r < REASON_MAX_ ? reasons[r].name : "unknown";
}

const char *reason_text(enum reason r)
{
	return (size_t)r < REASON_MAX_ ? reasons[r].text : "Unknown reason.";
}

/* A check that is being made. */
struct look {
	const struct facts *facts;
	struct checked *ret;
};

/* The detail, whatever stands in it, is text that a terminal, a log and JSON can carry. */
static void _printf_(2, 3) tell(const struct look *l, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_clean(text, strlen(text), l->ret->detail, sizeof(l->ret->detail));
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static enum reason look_proof(const struct look *l)
{
	const struct facts *f = l->facts;
	char name[96];

	if (!f->proven || !f->leaf) {
		tell(l, "nobody proved possession of a key");
		/* a ticket that leads nowhere is why there is no proof */
		return f->ticket != REASON_NONE ? f->ticket : REASON_NO_PROOF;
	}
	name_text(&f->leaf->subject, name, sizeof(name));
	tell(l, "by the key of %s", name);
	return REASON_NONE;
}

/* What is not listed is a fault of the chain: no fault is ever none. */
static enum reason path_reason(enum path_fault fault)
{
	switch ((int)fault) {
	case PATH_GOOD:
		return REASON_NONE;
	case PATH_NO_ANCHOR:
	case PATH_BAD_SIGNATURE: /* the name of one of ours, another key */
		return REASON_FOREIGN_CA;
	case PATH_ALGORITHM:
		return REASON_KEY;
	default:
		return REASON_CHAIN;
	}
}

static enum reason leaf_reason(enum leaf_fault fault)
{
	switch ((int)fault) {
	case LEAF_GOOD:
		return REASON_NONE;
	case LEAF_KEY: /* what comes after it was not looked at */
		return REASON_KEY;
	case LEAF_IS_CA:
	case LEAF_KEY_USAGE:
		return REASON_KEY_USAGE;
	case LEAF_EKU_MISSING:
	case LEAF_EKU:
	case LEAF_EKU_ANY:
	case LEAF_SMARTCARD_LOGON:
		return REASON_EKU;
	default:
		return REASON_CHAIN;
	}
}

static enum reason look_chain(const struct look *l)
{
	const struct path *p = l->facts->path;
	char issuer[96];

	name_text(&l->facts->leaf->issuer, issuer, sizeof(issuer));
	if (!p) {
		tell(l, "no path was looked for; issued by %s", issuer);
		return REASON_CHAIN;
	}
	if (p->fault != PATH_GOOD) {
		tell(l, "%s; issued by %s", path_fault_text(p->fault), issuer);
		return path_reason(p->fault);
	}
	if (p->n_issuers == 0)
		tell(l, "its key is an anchor; issued by %s", issuer);
	else
		tell(l, "issued by %s; %zu above it%s", issuer, p->n_issuers,
		     l->facts->path_remembered ? ", verified before" : "");
	return REASON_NONE;
}

static enum reason look_validity(const struct look *l)
{
	const struct facts *f = l->facts;
	int64_t from = f->leaf->not_before, until = f->leaf->not_after;
	char a[CLOCK_TEXT], b[CLOCK_TEXT];

	if (f->path && f->path->fault == PATH_GOOD) { /* as narrow as the narrowest of the path */
		from = f->path->not_before > from ? f->path->not_before : from;
		until = f->path->not_after < until ? f->path->not_after : until;
	}
	if (f->now < from) {
		tell(l, "valid from %s on; now is %s", clock_text(from, a), clock_text(f->now, b));
		return REASON_NOT_YET_VALID;
	}
	if (f->now > until) {
		tell(l, "%s expired at %s; now is %s",
		     until < f->leaf->not_after ? "a CA above it" : "it", clock_text(until, a),
		     clock_text(f->now, b));
		return REASON_EXPIRED;
	}
	tell(l, "from %s to %s", clock_text(from, a), clock_text(until, b));
	return REASON_NONE;
}

static enum reason look_key(const struct look *l)
{
	static const char *const names[] = {
		[KEY_UNKNOWN] = "unknown", [KEY_RSA] = "RSA",	 [KEY_P256] = "P-256",
		[KEY_P384] = "P-384",	   [KEY_P521] = "P-521", [KEY_ED25519] = "Ed25519",
	};
	const struct cert *leaf = l->facts->leaf;
	const char *name = names[(size_t)leaf->key < ARRAY_SIZE(names) ? leaf->key : KEY_UNKNOWN];
	bool good = l->facts->path && l->facts->path->leaf_fault != LEAF_KEY;

	tell(l, "%s, %u bits%s%s", name, leaf->key_bits, good ? "" : ": ",
	     good ? "" : leaf_fault_text(LEAF_KEY));
	return good ? REASON_NONE : REASON_KEY;
}

static enum reason look_usage(const struct look *l)
{
	const struct path *p = l->facts->path;

	if (!p) {
		tell(l, "not looked at");
		return REASON_CHAIN;
	}
	tell(l, "%s",
	     p->leaf_fault == LEAF_GOOD ? "client authentication" : leaf_fault_text(p->leaf_fault));
	return leaf_reason(p->leaf_fault);
}

/* By the anchor's setting: a known revocation always denies, what is not known only where it must.
 */
bool revocation_lets_pass(const struct revocation_facts *r)
{
	switch (r->status) {
	case REVOCATION_GOOD:
		return true;
	case REVOCATION_REVOKED:
		return false;
	case REVOCATION_STALE:
	case REVOCATION_UNKNOWN:
		break;
	}
	return (r->status == REVOCATION_STALE || r->status == REVOCATION_UNKNOWN) &&
	       (r->mode == REVOCATION_SOFT || (r->mode == REVOCATION_AUTO && !r->any));
}

static const char *const revocation_reasons[] = {
	"unspecified",	 "keyCompromise",	 "cACompromise",    "affiliationChanged",
	"superseded",	 "cessationOfOperation", "certificateHold", "unspecified",
	"removeFromCRL", "privilegeWithdrawn",	 "aACompromise",
};

static enum reason look_revocation(const struct look *l)
{
	const struct revocation_facts *r = l->facts->revocation;
	const char *what = r && !r->is_leaf ? "a CA above it" : "it";
	char a[CLOCK_TEXT], b[CLOCK_TEXT];

	tell(l, "not looked at");
	if (!r)
		return REASON_REVOCATION;
	switch (r->status) {
	case REVOCATION_GOOD:
		tell(l, "%s %s, of %s, good to %s", r->ocsp ? "good by" : "not on", r->list,
		     clock_text(r->this_update, a), clock_text(r->next_update, b));
		return REASON_NONE;
	case REVOCATION_REVOKED:
		tell(l, "%s was revoked at %s: %s", what, clock_text(r->revoked.since, a),
		     revocation_reasons[r->revoked.reason <= CRL_REASON_MAX ? r->revoked.reason
									    : 0]);
		return REASON_REVOKED;
	case REVOCATION_STALE:
		tell(l, "%s of %s should have been replaced at %s%s", r->list,
		     clock_text(r->this_update, a), clock_text(r->next_update, b),
		     revocation_lets_pass(r) ? "; let pass: the anchor's setting is soft" : "");
		break;
	case REVOCATION_UNKNOWN:
		tell(l, "nothing says whether %s is revoked%s", what,
		     !revocation_lets_pass(r) ? ""
		     : r->mode == REVOCATION_SOFT
			     ? "; let pass: the anchor's setting is soft"
			     : "; let pass: there never was a CRL of its issuer");
		break;
	}
	return revocation_lets_pass(r) ? REASON_NONE : REASON_REVOCATION;
}

static enum reason look_identity(const struct look *l)
{
	char hash[17];

	if (l->facts->owner) {
		const char *rule = l->facts->rule;

		tell(l, "%s %s%s%s", rule ? "mapped to" : "enrolled for",
		     l->facts->owner->identity_name, rule ? " by rule " : "", or_empty(rule));
		return REASON_NONE;
	}
	if (l->facts->mapping_note && *l->facts->mapping_note) {
		tell(l, "not enrolled; %s", l->facts->mapping_note);
		return REASON_NOT_ENROLLED;
	}
	for (size_t i = 0; i < 8; i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", l->facts->leaf->sha256[i]);
	tell(l, "no identity has certificate %s...", hash);
	return REASON_NOT_ENROLLED;
}

static enum reason look_identity_state(const struct look *l)
{
	const struct certificate_owner *o = l->facts->owner;
	char a[CLOCK_TEXT], b[CLOCK_TEXT];
	bool now = l->facts->now >= o->not_before && l->facts->now <= o->not_after;

	if (!o->enabled) {
		tell(l, "%s is disabled", o->identity_name);
		return REASON_IDENTITY_DISABLED;
	}
	if (now && o->not_after == STORE_FOREVER)
		tell(l, "%s is enabled", o->identity_name);
	else
		tell(l, "%s is enabled, from %s to %s%s", o->identity_name,
		     clock_text(o->not_before, a), clock_text(o->not_after, b),
		     now ? "" : ": not now");
	return now ? REASON_NONE : REASON_IDENTITY_EXPIRED;
}

static enum reason look_service(const struct look *l)
{
	const struct facts *f = l->facts;

	if (!f->service) {
		tell(l, "the service has no row");
		return REASON_SERVICE_UNKNOWN;
	}
	if (f->uid_checked && !f->uid_allowed) {
		tell(l, "%s may be used by uid %s", f->service->name, f->service->redeem_uids);
		return REASON_SERVICE_UID;
	}
	tell(l, "%s, class %s", f->service->name, service_class_text(f->service->class));
	return REASON_NONE;
}

/*
 * Where an attacker elsewhere must not reach (elevation, a console), the key is on this host, or a
 * person has carried the login id from it: whatever the row says besides.
 */
static enum reason look_via(const struct look *l)
{
	const struct facts *f = l->facts;
	const struct service_row *s = f->service;
	bool near = s->class == CLASS_ELEVATE || s->console;
	bool known = f->via == VIA_LOCAL || f->via == VIA_NETWORK;
	bool taken = (f->via & s->via) && (!near || f->via == VIA_LOCAL);
	bool carried = near && f->hand_carried;

	if (!known || (!taken && !carried)) {
		tell(l, "proved through %s%s; %s takes %s%s",
		     known ? service_via_text(f->via) : "no", known ? " gate" : " known gate",
		     s->name, service_via_text(s->via),
		     near ? ", not from the network but for a login id carried by hand" : "");
		return REASON_VIA;
	}
	tell(l, "%s gate%s", service_via_text(f->via),
	     taken ? "" : ", for a login id carried by hand");
	return REASON_NONE;
}

static bool loose_taken(const struct service_row *s)
{
	return s->class == CLASS_APP || (s->class == CLASS_LOGIN && s->loose);
}

static enum reason look_ticket(const struct look *l)
{
	const struct facts *f = l->facts;

	if (f->ticket != REASON_NONE) {
		tell(l, "%s", reason_text(f->ticket));
		return f->ticket;
	}
	if (f->loose && !loose_taken(f->service)) {
		tell(l, "made for no login; %s (class %s) takes none of these", f->service->name,
		     service_class_text(f->service->class));
		return REASON_TICKET_LOOSE;
	}
	tell(l, "%s", f->loose ? "loose: made for no login in particular" : "made for this login");
	return REASON_NONE;
}

/* The rows were chosen by a query; what they say is compared here once more, byte for byte: uid 0
 * is reached by a row that says "root" and by nothing else. */
static bool row_fits(const struct facts *f, const struct access_row *row)
{
	const char *class = service_class_text(f->service->class);

	return f->account && *f->account && strcmp(row->account, f->account) == 0 &&
	       strcmp(row->identity, f->owner->identity_name) == 0 &&
	       (strcmp(row->service, f->service->name) == 0 ||
		(row->service[0] == '@' && strcmp(row->service + 1, class) == 0));
}

static enum reason look_access(const struct look *l)
{
	const struct facts *f = l->facts;
	const char *name = f->owner->identity_name, *account = or_empty(f->account);
	const struct access_row *late = NULL;
	char a[CLOCK_TEXT], b[CLOCK_TEXT];

	if (f->rule && strcmp(account, ACCOUNT_ROOT) == 0) {
		tell(l, "%s was mapped by rule %s, and no rule leads to root", name, f->rule);
		return REASON_ROOT_BY_RULE;
	}
	for (size_t i = 0; i < f->n_access; i++) {
		const struct access_row *row = &f->access[i];

		if (!row_fits(f, row))
			continue;
		if (f->now >= row->not_before && f->now <= row->not_after) {
			tell(l, "%s may use %s by %s%s%s", name, account, row->service,
			     row->not_after == STORE_FOREVER ? "" : ", to ",
			     row->not_after == STORE_FOREVER ? "" : clock_text(row->not_after, a));
			return REASON_NONE;
		}
		late = row;
	}
	if (late)
		tell(l, "%s may use %s by %s from %s to %s: not now", name, account, late->service,
		     clock_text(late->not_before, a), clock_text(late->not_after, b));
	else if (f->account_known_to_identity)
		tell(l, "%s may use %s, but not by %s (class %s)", name, account, f->service->name,
		     service_class_text(f->service->class));
	else
		tell(l, "%s may not use %s at all", name, account);
	return late || f->account_known_to_identity ? REASON_SERVICE_NOT_ALLOWED
						    : REASON_ACCOUNT_NOT_ALLOWED;
}

static enum reason look_limits(const struct look *l)
{
	tell(l, "%s", l->facts->limits_ok ? "within all limits" : "too many for now");
	return l->facts->limits_ok ? REASON_NONE : REASON_LIMIT;
}

enum { HAVE_PROOF = 1 << 0, HAVE_PATH = 1 << 1, HAVE_OWNER = 1 << 2, HAVE_SERVICE = 1 << 3 };

/* In DESIGN's order.  `needs`: whatever is missing of it has failed a check further up. */
static const struct {
	const char *name;
	unsigned needs;
	enum reason (*look)(const struct look *l);
} checks[] = {
	[CHECK_PROOF] = { "proof", 0, look_proof },
	[CHECK_CHAIN] = { "chain", HAVE_PROOF, look_chain },
	[CHECK_VALIDITY] = { "validity", HAVE_PROOF, look_validity },
	[CHECK_KEY] = { "key", HAVE_PROOF, look_key },
	[CHECK_USAGE] = { "usage", HAVE_PROOF, look_usage },
	[CHECK_REVOCATION] = { "revocation", HAVE_PATH, look_revocation },
	[CHECK_IDENTITY] = { "identity", HAVE_PROOF, look_identity },
	[CHECK_IDENTITY_STATE] = { "identity-state", HAVE_OWNER, look_identity_state },
	[CHECK_SERVICE] = { "service", 0, look_service },
	[CHECK_VIA] = { "via", HAVE_PROOF | HAVE_SERVICE, look_via },
	[CHECK_TICKET] = { "ticket", HAVE_SERVICE, look_ticket },
	[CHECK_ACCESS] = { "access", HAVE_OWNER | HAVE_SERVICE, look_access },
	[CHECK_LIMITS] = { "limits", 0, look_limits },
};
_Static_assert(ARRAY_SIZE(checks) == CHECK_MAX_, "a check has no row");

const char *check_name(enum check c)
{
	return (size_t)c < CHECK_MAX_ ? checks[c].name : "unknown";
}

static unsigned facts_have(const struct facts *f)
{
	unsigned have = f->service ? HAVE_SERVICE : 0;

	if (!f->proven || !f->leaf)
		return have;
	have |= HAVE_PROOF;
	if (f->path && f->path->fault == PATH_GOOD)
		have |= HAVE_PATH;
	return f->owner ? have | HAVE_OWNER : have;
}

void decide(const struct facts *facts, struct verdict *ret)
{
	struct verdict v = { .allowed = false };
	unsigned have = facts_have(facts);
	size_t passed = 0;

	for (size_t i = 0; i < CHECK_MAX_; i++) {
		struct checked *c = &v.checks[i];

		if ((have & checks[i].needs) != checks[i].needs)
			continue;
		c->reason = checks[i].look(&(struct look){ facts, c });
		c->result = c->reason == REASON_NONE ? CHECK_PASSED : CHECK_FAILED;
		passed += c->result == CHECK_PASSED;
		if (v.reason == REASON_NONE)
			v.reason = c->reason;
	}
	v.allowed = passed == CHECK_MAX_; /* a check that was not made is no yes */
	*ret = v;
}

void verdict_put(struct buf *b, const struct verdict *v)
{
	static const char *const results[] = {
		[CHECK_SKIPPED] = "skipped",
		[CHECK_PASSED] = "passed",
		[CHECK_FAILED] = "failed",
	};

	buf_put_text(b, "\"checks\":[");
	for (size_t i = 0; i < CHECK_MAX_; i++) {
		buf_put_text(b, i > 0 ? ",{\"check\":" : "{\"check\":");
		text_put_json(b, checks[i].name);
		buf_put_text(b, ",\"result\":");
		text_put_json(b, results[v->checks[i].result]);
		buf_put_text(b, ",\"detail\":");
		text_put_json(b, v->checks[i].detail);
		buf_put_u8(b, '}');
	}
	buf_put_u8(b, ']');
}
