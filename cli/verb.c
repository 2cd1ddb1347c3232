// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/verb.h"

#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/limits.h"

/* clang-format off */
const struct option_spec option_specs[OPT_MAX_] = {
	[OPT_JSON]        = { "json",        0,   NULL,          "one JSON object on stdout" },
	[OPT_UTC]         = { "utc",         0,   NULL,          "times in UTC" },
	[OPT_QUIET]       = { "quiet",       'q', NULL,          "nothing but errors and what was asked for" },
	[OPT_RUNTIME_DIR] = { "runtime-dir", 0,   "DIR",         "where the daemon's sockets are" },
	[OPT_CONFIG_DIR]  = { "config-dir",  0,   "DIR",         "where host key and built-in CA are" },
	[OPT_HELP]        = { "help",        'h', NULL,          "help on the verb" },
	[OPT_FULL_NAME]   = { "full-name",   0,   "TEXT",        "the person's name" },
	[OPT_FROM]        = { "from",        0,   "TIME",        "not before this time" },
	[OPT_UNTIL]       = { "until",       0,   "TIME",        "not after this time" },
	[OPT_REASON]      = { "reason",      0,   "TEXT",        "why; kept in the record" },
	[OPT_SERVICE]     = { "service",     's', "SERVICE",     "PAM service, or class: @login, @elevate, @app" },
	[OPT_ACCOUNT]     = { "account",     'a', "ACCOUNT",     "account on this host" },
	[OPT_CLASS]       = { "class",       0,   "CLASS",       "login, elevate or app" },
	[OPT_REDEEM_UIDS] = { "redeem-uids", 0,   "UIDS",        "uids that may redeem: 0,113 or any" },
	[OPT_VIA]         = { "via",         0,   "GATE",        "local, network or any" },
	[OPT_LOOSE]       = { "loose",       0,   "YES|NO",      "are tickets without login id taken?" },
	[OPT_CONSOLE]     = { "console",     0,   "YES|NO",      "is nobody authenticated yet there?" },
	[OPT_PIN]         = { "pin",         0,   "PIN",         "sha256:... as setup printed it on the host" },
	[OPT_CA_FILE]     = { "ca",          0,   "FILE",        "CA that signs the host's certificate" },
	[OPT_LIST]        = { "list",        0,   NULL,          "show the trusted hosts" },
	[OPT_REMOVE]      = { "remove",      0,   NULL,          "trust the host no more" },
	[OPT_LOGIN]       = { "login",       'l', "ID",          "login id that the prompt showed" },
	[OPT_KEY]         = { "key",         0,   "FILE",        "private key" },
	[OPT_CERT]        = { "cert",        0,   "FILE",        "certificate, with its chain", true },
	[OPT_YES]         = { "yes",         'y', NULL,          "do not ask" },
	[OPT_LISTEN]      = { "listen",      0,   "[ADDR:PORT]", "let the network gate listen (port 4715)" },
	[OPT_CA]          = { "ca",          0,   NULL,          "make the built-in CA as well" },
	[OPT_HOSTNAME]    = { "hostname",    0,   "NAME",        "name of this host; several times", true },
	[OPT_ENABLE]      = { "enable",      0,   NULL,          "enable and start the sockets" },
	[OPT_UNIT_DIR]    = { "unit-dir",    0,   "DIR",         "where systemd drop-ins are written" },
	[OPT_NAME]        = { "name",        0,   "CN",          "common name of the CA" },
	[OPT_DAYS]        = { "days",        0,   "N",           "days of validity" },
	[OPT_NOT_BEFORE]  = { "not-before",  0,   "TIME",        "start of validity" },
	[OPT_NOT_AFTER]   = { "not-after",   0,   "TIME",        "end of validity" },
	[OPT_EKU]         = { "eku",         0,   "KIND",        "client, server or none" },
	[OPT_OUT]         = { "out",         'o', "PREFIX",      "write PREFIX.key and PREFIX.crt; ca crl: this file" },
	[OPT_PUBKEY]      = { "pubkey",      0,   "FILE",        "certify this public key: PEM or OpenSSH" },
	[OPT_CSR]         = { "csr",         0,   "FILE",        "certify the key of this request (PKCS#10)" },
	[OPT_ENROLL]      = { "enroll",      0,   NULL,          "enroll the certificate at once" },
	[OPT_OWNER]       = { "owner",       0,   "USER",        "the files are this user's" },
	[OPT_ALL]         = { "all",         0,   NULL,          "not only the open, or the newest ones" },
	[OPT_LAST]        = { "last",        'n', "N",           "only the newest N" },
	[OPT_KIND]        = { "kind",        0,   "KIND",        "kind of event; login. is a prefix" },
	[OPT_IDENTITY]    = { "identity",    0,   "NAME",        "only of this identity" },
	[OPT_VERDICT]     = { "verdict",     0,   "VERDICT",     "allow or deny" },
	[OPT_AT]          = { "at",          0,   "TIME",        "decide as at this time" },
	[OPT_ANCHOR]      = { "anchor",      0,   "ANCHOR",      "verify: file of a CA that is trusted, several times; else the name of one", true },
	[OPT_CHAIN]       = { "chain",       0,   "FILE",        "leaf first, then its issuers; several times", true },
	[OPT_PURPOSE]     = { "purpose",     0,   "PURPOSE",     "clientAuth" },
	[OPT_MAX_DEPTH]   = { "max-depth",   0,   "N",           "at most N intermediate CAs" },
	[OPT_CRL]         = { "crl",         0,   "FILE",        "revocation list; several times", true },
	[OPT_SIGNER]      = { "signer",      0,   "FILE",        "certificates of CAs between the list and the anchor; several times", true },
	[OPT_ISSUER]      = { "issuer",      0,   "CA",          "ocsp: file of its certificate; crl: its name, as crl status shows it" },
	[OPT_ALLOW]       = { "allow",       0,   "NAME",        "eku-missing, eku-any or form; several times", true },
	[OPT_OCSP]        = { "ocsp",        0,   "FILE",        "OCSP response (DER); several times", true },
	[OPT_INTERMEDIATE] = { "intermediate", 0, NULL,          "a CA that helps to build paths, trusted for nothing" },
	[OPT_PIN_KEY]     = { "pin-key",     0,   NULL,          "trust this leaf's key, without a CA" },
	[OPT_EKU_MISSING] = { "eku-missing", 0,   "ALLOW|DENY",  "a leaf without extended key usage" },
	[OPT_EKU_ANY]     = { "eku-any",     0,   "ALLOW|DENY",  "anyExtendedKeyUsage in a leaf" },
	[OPT_SMARTCARD_LOGON] = { "smartcard-logon", 0, "REQUIRE|IGNORE", "smartcardLogon beside clientAuth" },
	[OPT_FORM]        = { "form",        0,   "STRICT|LAX",  "breaches of form" },
	[OPT_REVOCATION]  = { "revocation",  0,   "MODE",        "without fresh evidence: auto, hard, soft or grace" },
	[OPT_GRACE_HOURS] = { "grace-hours", 0,   "N",           "hours that stale evidence counts for longer" },
	[OPT_MATCH]       = { "match",       0,   "RULE",        "which certificates, as in sss-certmap(5)" },
	[OPT_YIELD]       = { "yield",       0,   "TEMPLATE",    "whose they are: {upn.local}, {mail}, ..." },
	[OPT_DOMAIN]      = { "domain",      0,   "DOMAIN",      "allowed after the @; several times", true },
	[OPT_CONTINUE]    = { "continue",    0,   NULL,          "later rules are tried as well" },
	[OPT_CREATE_IDENTITIES] = { "create-identities", 0, NULL, "add an identity that there is not" },
	[OPT_POSITION]    = { "position",    0,   "N",           "place among the rules; else the last" },
	[OPT_CONFIG]      = { "config",      0,   "FILE",        "configuration to import" },
	[OPT_MAPDIR]      = { "mapdir",      0,   "DIR",         "where its map files are, if not where it says" },
	[OPT_CERT_DIR]    = { "cert-dir",    0,   "DIR",         "certificates of the people; several times", true },
	[OPT_ALLOW_WEAK]  = { "allow-weak",  0,   NULL,          "also what KB5014754 calls weak" },
	[OPT_DRY_RUN]     = { "dry-run",     0,   NULL,          "show what would change; change nothing" },
	[OPT_PKCS11]      = { "pkcs11",      0,   "MODULE|URI",  "the key is on a smart card or another token" },
	[OPT_GATE]        = { "gate",        0,   "HOST[:PORT]", "where the gate is, if not on HOST" },
};

/* What every import takes. */
#define IMPORT (OPT(SERVICE) | OPT(CERT) | OPT(CERT_DIR) | OPT(YES) | OPT(DRY_RUN))

#define FILTERS (OPT(LAST) | OPT(KIND) | OPT(IDENTITY) | OPT(ACCOUNT) | OPT(VERDICT))

const struct verb verbs[] = {
	{ "setup", NULL, "", 0, 1,
	  OPT(LISTEN) | OPT(CA) | OPT(HOSTNAME) | OPT(ENABLE) | OPT(UNIT_DIR),
	  ROLE_ROOT, verb_setup, "make the host key, print the pin and the next steps" },
	{ "ca", "create", "", 0, 0, OPT(NAME) | OPT(DAYS),
	  ROLE_ROOT, verb_ca_create, "make the small built-in CA and its anchor" },
	{ "ca", "issue", "NAME", 1, 1,
	  OPT(DAYS) | OPT(NOT_BEFORE) | OPT(NOT_AFTER) | OPT(EKU) | OPT(OUT) | OPT(PUBKEY) | OPT(CSR) |
	  OPT(ENROLL) | OPT(OWNER),
	  ROLE_ROOT, verb_ca_issue, "issue a client certificate" },
	{ "ca", "revoke", "FINGERPRINT|CERT-FILE", 1, 1, OPT(REASON),
	  ROLE_ROOT, verb_ca_revoke, "take back a certificate of the built-in CA" },
	{ "ca", "crl", "", 0, 0, OPT(DAYS) | OPT(OUT),
	  ROLE_ROOT, verb_ca_crl, "make the revocation list anew, before it ends" },
	{ "identity", "add", "NAME", 1, 1, OPT(FULL_NAME) | OPT(FROM) | OPT(UNTIL),
	  ROLE_ADMIN, verb_identity_add, "add an identity" },
	{ "identity", "list", "", 0, 0, 0, ROLE_AUDIT, verb_identity_list, "list the identities" },
	{ "identity", "show", "NAME", 1, 1, 0,
	  ROLE_AUDIT, verb_identity_show, "show an identity, its certificates and access" },
	{ "identity", "disable", "NAME", 1, 1, OPT(REASON),
	  ROLE_ADMIN, verb_identity_disable, "let an identity log in no more" },
	{ "identity", "enable", "NAME", 1, 1, OPT(REASON),
	  ROLE_ADMIN, verb_identity_enable, "let a disabled identity log in again" },
	{ "identity", "remove", "NAME", 1, 1, 0,
	  ROLE_ADMIN, verb_identity_remove, "remove an identity, its certificates and access" },
	{ "enroll", NULL, "NAME CERT-FILE", 2, 2, 0,
	  ROLE_ADMIN, verb_enroll, "enroll a certificate (- reads stdin) for an identity" },
	{ "unenroll", NULL, "FINGERPRINT|CERT-FILE", 1, 1, 0,
	  ROLE_ADMIN, verb_unenroll, "take a certificate out" },
	{ "access", "allow", "NAME ACCOUNT", 2, 2, OPT(SERVICE) | OPT(FROM) | OPT(UNTIL),
	  ROLE_ADMIN, verb_access_allow, "let an identity use an account through a service" },
	{ "access", "deny", "NAME ACCOUNT", 2, 2, OPT(SERVICE),
	  ROLE_ADMIN, verb_access_deny, "take such a permission back" },
	{ "access", "list", "[NAME]", 0, 1, 0, ROLE_AUDIT, verb_access_list, "list who may use what" },
	{ "service", "list", "", 0, 0, 0, ROLE_AUDIT, verb_service_list, "list the services" },
	{ "service", "set", "SERVICE", 1, 1,
	  OPT(CLASS) | OPT(REDEEM_UIDS) | OPT(VIA) | OPT(LOOSE) | OPT(CONSOLE),
	  ROLE_ROOT, verb_service_set, "add or change a service" },
	{ "service", "remove", "SERVICE", 1, 1, 0, ROLE_ROOT, verb_service_remove, "remove a service: it is then denied" },
	{ "anchor", "add", "NAME CERT-FILE", 2, 2, OPT(INTERMEDIATE) | OPT(PIN_KEY), ROLE_ROOT, verb_anchor_add, "accept certificates of this CA" },
	{ "anchor", "list", "", 0, 0, 0, ROLE_AUDIT, verb_anchor_list, "list the accepted CAs" },
	{ "anchor", "remove", "NAME", 1, 1, 0, ROLE_ROOT, verb_anchor_remove, "accept a CA no more" },
	{ "anchor", "set", "NAME", 1, 1,
	  OPT(EKU_MISSING) | OPT(EKU_ANY) | OPT(SMARTCARD_LOGON) | OPT(FORM) | OPT(REVOCATION) | OPT(GRACE_HOURS),
	  ROLE_ROOT, verb_anchor_set, "say how strict an anchor is" },
	{ "anchor", "show", "NAME", 1, 1, 0, ROLE_AUDIT, verb_anchor_show, "show an anchor and its settings" },
	{ "crl", "import", "FILE...", 1, 64, OPT(ANCHOR) | OPT(SIGNER),
	  ROLE_ADMIN, verb_crl_import, "take over revocation lists" },
	{ "crl", "status", "", 0, 0, 0, ROLE_AUDIT, verb_crl_status, "show the revocation lists, and how old they are" },
	{ "crl", "forget", "ANCHOR", 1, 1, OPT(ISSUER) | OPT(YES),
	  ROLE_ROOT, verb_crl_forget, "forget the revocations of an anchor: for a CA's mistake" },
	{ "ocsp", "import", "FILE", 1, 1, OPT(CERT) | OPT(ISSUER),
	  ROLE_ADMIN, verb_ocsp_import, "take an OCSP response (DER) about a certificate" },
	{ "ocsp", "list", "", 0, 0, 0, ROLE_AUDIT, verb_ocsp_list, "list what OCSP said about certificates" },
	{ "rule", "add", "NAME", 1, 1,
	  OPT(ANCHOR) | OPT(MATCH) | OPT(YIELD) | OPT(DOMAIN) | OPT(CONTINUE) | OPT(CREATE_IDENTITIES) |
	  OPT(POSITION),
	  ROLE_ROOT, verb_rule_add, "map certificates that are not enrolled" },
	{ "rule", "list", "", 0, 0, 0, ROLE_AUDIT, verb_rule_list, "list the rules in their order" },
	{ "rule", "remove", "NAME", 1, 1, 0, ROLE_ROOT, verb_rule_remove, "remove a rule" },
	{ "rule", "test", "CERT-FILE...", 1, LIMIT_CHAIN_CERTS, 0,
	  ROLE_AUDIT, verb_rule_test, "show what each rule makes of a certificate" },
	{ "source", "add", "URL", 1, 1, OPT(ANCHOR), ROLE_ADMIN, verb_source_add, "fetch revocation lists from there" },
	{ "source", "list", "", 0, 0, 0, ROLE_AUDIT, verb_source_list, "list where revocation is fetched from, and how it went" },
	{ "source", "remove", "URL", 1, 1, 0, ROLE_ADMIN, verb_source_remove, "fetch from there no more" },
	{ "source", "certificates", "YES|NO", 1, 1, 0,
	  ROLE_ADMIN, verb_source_certificates, "use the addresses that stand in certificates, or do not" },
	{ "fetch", NULL, "", 0, 0, 0, ROLE_ROOT, verb_fetch, "fetch now what is due" },
	{ "trust", NULL, "[HOST]", 0, 1, OPT(PIN) | OPT(CA_FILE) | OPT(LIST) | OPT(REMOVE),
	  ROLE_ANYONE, verb_trust, "say how a host is recognised, for ticket" },
	{ "ticket", NULL, "[HOST[:PORT]]", 0, 1,
	  OPT(SERVICE) | OPT(ACCOUNT) | OPT(LOGIN) | OPT(KEY) | OPT(CERT) | OPT(PKCS11) | OPT(YES),
	  ROLE_ANYONE, verb_ticket, "prove possession of the key; print a ticket" },
	{ "ssh", NULL, "[SSH-OPTIONS] HOST [COMMAND]", 1, -1,
	  OPT(SERVICE) | OPT(GATE) | OPT(KEY) | OPT(CERT) | OPT(PKCS11),
	  ROLE_ANYONE, verb_ssh, "ssh there, and answer its prompt for a ticket" },
	{ "session", "list", "", 0, 0, OPT(ALL), ROLE_AUDIT, verb_session_list, "list open sessions" },
	{ "session", "show", "ID", 1, 1, 0, ROLE_AUDIT, verb_session_show, "show a session" },
	{ "audit", "list", "", 0, 0, FILTERS | OPT(ALL), ROLE_AUDIT, verb_audit_list, "list events" },
	{ "audit", "follow", "", 0, 0, FILTERS, ROLE_AUDIT, verb_audit_follow, "print events as they happen" },
	{ "audit", "verify", "", 0, 0, 0, ROLE_AUDIT, verb_audit_verify, "check the hash chain of the audit" },
	{ "explain", NULL, "EVENT", 1, 1, 0, ROLE_AUDIT, verb_explain, "show why a login was allowed or denied" },
	{ "test", NULL, "", 0, 0, OPT(CERT) | OPT(ACCOUNT) | OPT(SERVICE) | OPT(AT) | OPT(VIA),
	  ROLE_AUDIT, verb_test, "decide a login without one" },
	{ "verify", NULL, "", 0, 0, OPT(ANCHOR) | OPT(CHAIN) | OPT(CRL) | OPT(AT) | OPT(PURPOSE) | OPT(MAX_DEPTH) |
		OPT(ALLOW) | OPT(OCSP),
	  ROLE_ANYONE, verb_verify, "validate a certificate chain, without the daemon" },
	{ "status", NULL, "", 0, 0, 0, ROLE_AUDIT, verb_status, "show how the daemon does" },
	{ "backup", NULL, "[FILE]", 0, 1, 0, ROLE_ROOT, verb_backup, "copy the database, consistently" },
	{ "import", "pam_pkcs11", "", 0, 0, IMPORT | OPT(CONFIG) | OPT(MAPDIR) | OPT(ANCHOR) | OPT(DOMAIN),
	  ROLE_ROOT, verb_import_pam_pkcs11, "take over pam_pkcs11.conf and its maps" },
	{ "import", "sssd", "", 0, 0,
	  OPT(SERVICE) | OPT(YES) | OPT(DRY_RUN) | OPT(CONFIG) | OPT(ANCHOR) | OPT(DOMAIN),
	  ROLE_ROOT, verb_import_sssd, "take over the certmap rules of sssd.conf" },
	{ "import", "authorized-keys", "FILE", 1, 1, IMPORT | OPT(IDENTITY),
	  ROLE_ROOT, verb_import_authorized_keys, "enroll the certificates of OpenSSH keys" },
	{ "import", "ad", "FILE", 1, 1, IMPORT | OPT(ANCHOR) | OPT(ALLOW_WEAK),
	  ROLE_ROOT, verb_import_ad, "take over altSecurityIdentities of Active Directory" },
	{ "help", NULL, "[VERB [ACTION]]", 0, 2, 0, ROLE_ANYONE, verb_help, "show help" },
	{ "version", NULL, "", 0, 0, 0, ROLE_ANYONE, verb_version, "show the version" },
};
/* clang-format on */
const size_t n_verbs = ARRAY_SIZE(verbs);

static void put_option(struct buf *b, const struct option_spec *o)
{
	buf_put_text(b, " [--");
	buf_put_text(b, o->name);
	if (o->arg) {
		buf_put_text(b, *o->arg == '[' ? "" : " ");
		buf_put_text(b, *o->arg == '[' ? "[=" : o->arg);
		buf_put_text(b, *o->arg == '[' ? o->arg + 1 : "");
	}
	buf_put_text(b, "]");
}

char *verb_usage(const struct verb *verb)
{
	struct buf b = { 0 };

	buf_put_text(&b, verb->name);
	if (verb->action) {
		buf_put_text(&b, " ");
		buf_put_text(&b, verb->action);
	}
	if (*verb->usage) {
		buf_put_text(&b, " ");
		buf_put_text(&b, verb->usage);
	}
	for (unsigned i = OPT_GLOBAL_MAX_; i < OPT_MAX_; i++)
		if (verb->options & OPT_BIT(i))
			put_option(&b, &option_specs[i]);
	buf_put_u8(&b, 0);
	if (b.error) {
		buf_deinit(&b);
		return NULL;
	}
	return (char *)b.p;
}
