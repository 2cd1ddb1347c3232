// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/decide.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	const char *text;
} reasons[REASON_MAX_] = {
	[REASON_NONE] = { "", "allowed" },
	[REASON_NO_PROOF] = { "no-proof",
			      "nobody proved possession of a key. Is a key in the agent or at "
			      "~/.config/certlogin/client.key, and does the gate run?" },
	[REASON_FOREIGN_CA] = { "foreign-ca", "the certificate leads to no anchor of this host. If "
					      "its CA is to be "
					      "trusted: certlogin anchor add NAME CA.crt" },
	[REASON_CHAIN] = { "chain", "the certificate's path to an anchor has a fault" },
	[REASON_EXPIRED] = { "expired",
			     "a certificate of the path has expired; issue and enrol a new one" },
	[REASON_NOT_YET_VALID] = { "not-yet-valid", "a certificate of the path is not valid yet; "
						    "is the clock right?" },
	[REASON_KEY] = { "key", "the key is too weak, too large or of a kind that is not taken" },
	[REASON_KEY_USAGE] = { "key-usage",
			       "the certificate is not one for a person's signatures" },
	[REASON_EKU] = { "eku", "the certificate is not for client authentication (extended key "
				"usage clientAuth)" },
	[REASON_REVOKED] = { "revoked", "the certificate is revoked" },
	[REASON_NOT_ENROLLED] = { "not-enrolled",
				  "the certificate is not enrolled: certlogin enroll NAME CERT" },
	[REASON_IDENTITY_DISABLED] = { "identity-disabled",
				       "the identity is disabled: certlogin identity enable NAME" },
	[REASON_IDENTITY_EXPIRED] = { "identity-expired", "the identity is outside its validity" },
	[REASON_SERVICE_UNKNOWN] = { "service-unknown", "the service has no row: certlogin service "
							"set SERVICE --class CLASS" },
	[REASON_SERVICE_UID] = { "service-uid", "this uid may not redeem for this service: "
						"certlogin service set --uids" },
	[REASON_VIA] = { "via", "the service does not take proofs that come through this gate" },
	[REASON_TICKET_UNKNOWN] = { "ticket-unknown", "no such ticket; it may be mistyped, or from "
						      "before a restart" },
	[REASON_TICKET_USED] = { "ticket-used", "the ticket was used already; get a new one" },
	[REASON_TICKET_EXPIRED] = { "ticket-expired",
				    "the ticket is older than a minute; get a new one" },
	[REASON_TICKET_OTHER_LOGIN] = { "ticket-other-login",
					"the ticket was made for another login" },
	[REASON_TICKET_OTHER_ACCOUNT] = { "ticket-other-account",
					  "the ticket was made for another account" },
	[REASON_TICKET_OTHER_SERVICE] = { "ticket-other-service",
					  "the ticket was made for another service" },
	[REASON_TICKET_LOOSE] = { "ticket-loose", "this service takes only tickets made for the "
						  "login that is under "
						  "way: certlogin ticket --login ID" },
	[REASON_LOGIN_UNKNOWN] = { "login-unknown", "there is no such login, or not any more" },
	[REASON_ACCOUNT_NOT_ALLOWED] = { "account-not-allowed",
					 "the identity may not use this account: "
					 "certlogin access allow NAME ACCOUNT --service SERVICE" },
	[REASON_SERVICE_NOT_ALLOWED] = { "service-not-allowed",
					 "the identity may use the account, but not through this "
					 "service or not now: certlogin access allow" },
	[REASON_LIMIT] = { "limit", "too many at once; try again in a minute" },
	[REASON_STORE] = { "store",
			   "the record could not be written: see the journal of certlogind" },
};

static const char *const checks[CHECK_MAX_] = {
	[CHECK_PROOF] = "proof",       [CHECK_CHAIN] = "chain",
	[CHECK_VALIDITY] = "validity", [CHECK_KEY] = "key",
	[CHECK_USAGE] = "usage",       [CHECK_REVOCATION] = "revocation",
	[CHECK_IDENTITY] = "identity", [CHECK_IDENTITY_STATE] = "identity-state",
	[CHECK_SERVICE] = "service",   [CHECK_VIA] = "via",
	[CHECK_TICKET] = "ticket",     [CHECK_ACCESS] = "access",
	[CHECK_LIMITS] = "limits",
};

const char *reason_name(enum reason r)
{
	return (size_t)r < REASON_MAX_ ? reasons[r].name : "";
}

const char *reason_text(enum reason r)
{
	return (size_t)r < REASON_MAX_ ? reasons[r].text : "";
}

const char *check_name(enum check c)
{
	return (size_t)c < CHECK_MAX_ ? checks[c] : "";
}

static void utc(int64_t usec, char ret[32])
{
	time_t t = (time_t)(usec / 1000000);
	struct tm tm;

	if (usec == STORE_FOREVER || !gmtime_r(&t, &tm))
		strcpy(ret, "ever");
	else
		(void)strftime(ret, 32, "%Y-%m-%d %H:%M UTC", &tm);
}

static void _printf_(4, 5)
	set(struct verdict *v, enum check check, enum reason reason, const char *format, ...)
{
	struct checked *c = &v->checks[check];
	va_list ap;

	c->result = reason == REASON_NONE ? CHECK_PASSED : CHECK_FAILED;
	c->reason = reason;
	va_start(ap, format);
	(void)vsnprintf(c->detail, sizeof(c->detail), format, ap);
	va_end(ap);
}

static void check_proof(const struct facts *f, struct verdict *v)
{
	char subject[128];

	if (!f->proven || !f->leaf) {
		set(v, CHECK_PROOF, f->ticket != REASON_NONE ? f->ticket : REASON_NO_PROOF,
		    "no proof of possession");
		return;
	}
	name_text(&f->leaf->subject, subject, sizeof(subject));
	set(v, CHECK_PROOF, REASON_NONE, "by the key of %s", subject);
}

static enum reason path_reason(enum path_fault fault)
{
	return fault == PATH_NO_ANCHOR || fault == PATH_BAD_SIGNATURE ? REASON_FOREIGN_CA
								      : REASON_CHAIN;
}

static void check_chain(const struct facts *f, struct verdict *v)
{
	char issuer[96];

	if (!f->leaf || !f->path)
		return;
	name_text(&f->leaf->issuer, issuer, sizeof(issuer));
	if (f->path->fault != PATH_GOOD)
		set(v, CHECK_CHAIN, path_reason(f->path->fault), "%s; issued by %s",
		    path_fault_text(f->path->fault), issuer);
	else
		set(v, CHECK_CHAIN, REASON_NONE, "issued by %s, %zu above it%s", issuer,
		    f->path->n_issuers, f->path_remembered ? " (remembered)" : "");
}

static void check_validity(const struct facts *f, struct verdict *v)
{
	int64_t from, until;
	char text[32];

	if (!f->leaf)
		return;
	from = f->leaf->not_before;
	until = f->leaf->not_after;
	if (f->path && f->path->fault == PATH_GOOD) { /* the narrowest window of the path */
		from = f->path->not_before;
		until = f->path->not_after;
	}
	utc(f->now < from ? from : until, text);
	if (f->now < from)
		set(v, CHECK_VALIDITY, REASON_NOT_YET_VALID, "valid from %s", text);
	else if (f->now > until)
		set(v, CHECK_VALIDITY, REASON_EXPIRED, "expired on %s", text);
	else
		set(v, CHECK_VALIDITY, REASON_NONE, "until %s", text);
}

static void check_key(const struct facts *f, struct verdict *v)
{
	if (!f->leaf || !f->path)
		return;
	if (f->path->leaf_fault == LEAF_KEY)
		set(v, CHECK_KEY, REASON_KEY, "%s", leaf_fault_text(LEAF_KEY));
	else
		set(v, CHECK_KEY, REASON_NONE, "%u bits", f->leaf->key_bits);
}

static void check_usage(const struct facts *f, struct verdict *v)
{
	enum leaf_fault fault;

	if (!f->leaf || !f->path)
		return;
	fault = f->path->leaf_fault;
	if (fault == LEAF_GOOD || fault == LEAF_KEY)
		set(v, CHECK_USAGE, REASON_NONE, "client authentication");
	else
		set(v, CHECK_USAGE,
		    fault == LEAF_EKU || fault == LEAF_EKU_MISSING ? REASON_EKU : REASON_KEY_USAGE,
		    "%s", leaf_fault_text(fault));
}

static void check_revocation(const struct facts *f, struct verdict *v)
{
	if (f->leaf && f->path && f->path->fault == PATH_GOOD)
		set(v, CHECK_REVOCATION, REASON_NONE,
		    "no revocation list is configured for this anchor");
}

static void check_identity(const struct facts *f, struct verdict *v)
{
	if (!f->leaf)
		return;
	if (f->owner)
		set(v, CHECK_IDENTITY, REASON_NONE, "enrolled for %s", f->owner->identity_name);
	else
		set(v, CHECK_IDENTITY, REASON_NOT_ENROLLED,
		    "this certificate is enrolled for nobody");
}

static void check_identity_state(const struct facts *f, struct verdict *v)
{
	char from[32], until[32];

	if (!f->owner)
		return;
	utc(f->owner->not_before, from);
	utc(f->owner->not_after, until);
	if (!f->owner->enabled)
		set(v, CHECK_IDENTITY_STATE, REASON_IDENTITY_DISABLED, "%s is disabled",
		    f->owner->identity_name);
	else if (f->now < f->owner->not_before || f->now > f->owner->not_after)
		set(v, CHECK_IDENTITY_STATE, REASON_IDENTITY_EXPIRED,
		    "%s is valid from %s until %s", f->owner->identity_name, from, until);
	else
		set(v, CHECK_IDENTITY_STATE, REASON_NONE, "%s is enabled", f->owner->identity_name);
}

static void check_service(const struct facts *f, struct verdict *v)
{
	if (!f->service)
		set(v, CHECK_SERVICE, REASON_SERVICE_UNKNOWN, "the service has no row");
	else if (f->uid_checked && !f->uid_allowed)
		set(v, CHECK_SERVICE, REASON_SERVICE_UID, "%s is redeemed by uid %s only",
		    f->service->name, f->service->redeem_uids);
	else
		set(v, CHECK_SERVICE, REASON_NONE, "%s, class %s", f->service->name,
		    service_class_text(f->service->class));
}

static void check_via(const struct facts *f, struct verdict *v)
{
	bool lifted;

	if (!f->service || !f->proven)
		return;
	/* a login id that was carried by hand names one login of this host, wherever the key is */
	lifted = f->hand_carried && (f->service->class == CLASS_ELEVATE || f->service->console);
	if (f->via & f->service->via)
		set(v, CHECK_VIA, REASON_NONE, "%s gate", service_via_text(f->via));
	else if (f->via && lifted)
		set(v, CHECK_VIA, REASON_NONE, "%s gate, for a login id carried by hand",
		    service_via_text(f->via));
	else
		set(v, CHECK_VIA, REASON_VIA, "%s gate; %s takes %s",
		    f->via ? service_via_text(f->via) : "no", f->service->name,
		    service_via_text(f->service->via));
}

static void check_ticket(const struct facts *f, struct verdict *v)
{
	if (!f->service)
		return;
	if (f->ticket != REASON_NONE)
		set(v, CHECK_TICKET, f->ticket, "%s", reason_text(f->ticket));
	else if (f->loose && f->service->class != CLASS_APP &&
		 !(f->service->class == CLASS_LOGIN && f->service->loose))
		set(v, CHECK_TICKET, REASON_TICKET_LOOSE, "a ticket for no login in particular");
	else
		set(v, CHECK_TICKET, REASON_NONE, "%s", f->loose ? "loose" : "for this login");
}

static void check_access(const struct facts *f, struct verdict *v)
{
	bool window = false;
	char until[32];

	if (!f->owner || !f->service || !f->account)
		return;
	for (size_t i = 0; i < f->n_access; i++) {
		if (f->now < f->access[i].not_before || f->now > f->access[i].not_after) {
			window = true;
			continue;
		}
		utc(f->access[i].not_after, until);
		set(v, CHECK_ACCESS, REASON_NONE, "%s through %s, for %s", f->account,
		    f->access[i].service, until);
		return;
	}
	if (window)
		set(v, CHECK_ACCESS, REASON_SERVICE_NOT_ALLOWED, "%s through %s, but not now",
		    f->account, f->service->name);
	else if (f->account_known_to_identity)
		set(v, CHECK_ACCESS, REASON_SERVICE_NOT_ALLOWED, "%s, but not through %s",
		    f->account, f->service->name);
	else
		set(v, CHECK_ACCESS, REASON_ACCOUNT_NOT_ALLOWED, "%s may not use %s",
		    f->owner->identity_name, f->account);
}

static void check_limits(const struct facts *f, struct verdict *v)
{
	set(v, CHECK_LIMITS, f->limits_ok ? REASON_NONE : REASON_LIMIT, "%s",
	    f->limits_ok ? "within bounds" : "too many at once");
}

static void (*const functions[CHECK_MAX_])(const struct facts *, struct verdict *) = {
	[CHECK_PROOF] = check_proof,	   [CHECK_CHAIN] = check_chain,
	[CHECK_VALIDITY] = check_validity, [CHECK_KEY] = check_key,
	[CHECK_USAGE] = check_usage,	   [CHECK_REVOCATION] = check_revocation,
	[CHECK_IDENTITY] = check_identity, [CHECK_IDENTITY_STATE] = check_identity_state,
	[CHECK_SERVICE] = check_service,   [CHECK_VIA] = check_via,
	[CHECK_TICKET] = check_ticket,	   [CHECK_ACCESS] = check_access,
	[CHECK_LIMITS] = check_limits,
};

void decide(const struct facts *facts, struct verdict *ret)
{
	struct verdict v = { 0 };
	bool all = true;

	for (size_t i = 0; i < CHECK_MAX_; i++) {
		functions[i](facts, &v);
		if (v.checks[i].result == CHECK_FAILED && v.reason == REASON_NONE)
			v.reason = v.checks[i].reason;
		all &= v.checks[i].result == CHECK_PASSED;
	}
	/* a check that could not be made is no reason to allow */
	if (!all && v.reason == REASON_NONE)
		v.reason = REASON_NO_PROOF;
	v.allowed = all;
	*ret = v;
}

json_t *verdict_json(const struct verdict *v)
{
	static const char *const results[] = { "skipped", "passed", "failed" };
	json_t *list = json_array();

	for (size_t i = 0; i < CHECK_MAX_; i++) {
		char clean[sizeof(v->checks[i].detail)];
		json_t *row;

		/* vsnprintf may have cut a character in two */
		text_clean(v->checks[i].detail, strlen(v->checks[i].detail), clean, sizeof(clean));
		row = json_pack("{s:s, s:s, s:s, s:s}", "check", checks[i], "result",
				results[v->checks[i].result], "reason",
				reason_name(v->checks[i].reason), "detail", clean);
		if (json_array_append_new(list, row) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "checks", list);
}
