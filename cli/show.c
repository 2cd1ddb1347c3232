// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/show.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/admin.h"

void show_text(struct cli *cli, const char *name, const char *value)
{
	field_print(cli->out, &cli->term, name, TONE_PLAIN, "%s", value);
}

void show_when(struct cli *cli, const char *name, int64_t usec)
{
	char text[WHEN_TEXT], relative[WHEN_TEXT];

	if (usec == 0 || usec == INT64_MAX) {
		field_print(cli->out, &cli->term, name, TONE_DIM, "%s",
			    usec == 0 ? "-" : "forever");
		return;
	}
	when_text(usec, cli->utc, text);
	when_relative(usec, clock_realtime(cli->clock), relative);
	field_print(cli->out, &cli->term, name, TONE_PLAIN, "%s (%s)", text, relative);
}

void show_when_cell(struct cli *cli, struct table *t, int64_t usec)
{
	char text[WHEN_TEXT] = "-";

	if (usec != 0)
		when_text(usec, cli->utc, text);
	table_cell(t, TONE_PLAIN, "%s", text);
}

int show_table(struct cli *cli, struct table *t, const char *none)
{
	if (table_rows(t) == 0) {
		cli_note(cli, "%s", none);
		return CLI_YES;
	}
	return table_print(t, cli->out, &cli->term) < 0 ? cli_fail_memory(cli) : CLI_YES;
}

int show_certificates(struct cli *cli, const json_t *rows, const char *none)
{
	static const char *const titles[] = { "FINGERPRINT", "SUBJECT", "ISSUER", "UNTIL",
					      "ENROLLED" };
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	int64_t now = clock_realtime(cli->clock);
	json_t *row;
	size_t i;

	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(rows, i, row) {
		int64_t until = reply_int(row, "notAfter");
		char text[WHEN_TEXT];

		when_text(until, cli->utc, text);
		table_cell(t, TONE_PLAIN, "%.*s", FINGERPRINT_SHORT, reply_text(row, "sha256"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "subject"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "issuer"));
		table_cell(t, until < now ? TONE_BAD : TONE_PLAIN, "%s%s", text,
			   until < now ? " (expired)" : "");
		show_when_cell(cli, t, reply_int(row, "enrolled"));
	}
	return show_table(cli, t, none);
}

int show_access(struct cli *cli, const json_t *rows, const char *none)
{
	static const char *const titles[] = { "IDENTITY", "ACCOUNT", "SERVICE", "FROM", "UNTIL" };
	_cleanup_(table_freep) struct table *t = table_new(titles, ARRAY_SIZE(titles));
	json_t *row;
	size_t i;

	if (!t)
		return cli_fail_memory(cli);
	json_array_foreach(rows, i, row) {
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "identity"));
		table_cell(t,
			   strcmp(reply_text(row, "account"), "root") == 0 ? TONE_WARN : TONE_PLAIN,
			   "%s", reply_text(row, "account"));
		table_cell(t, TONE_PLAIN, "%s", reply_text(row, "service"));
		show_when_cell(cli, t, reply_int(row, "notBefore"));
		show_when_cell(cli, t, reply_int(row, "notAfter"));
	}
	return show_table(cli, t, none);
}

void show_checks(struct cli *cli, const json_t *checks)
{
	static const struct {
		const char *result;
		enum sign sign;
		enum tone tone;
	} results[] = {
		{ "passed", SIGN_YES, TONE_GOOD },
		{ "failed", SIGN_NO, TONE_BAD },
		{ "skipped", SIGN_SKIPPED, TONE_DIM },
	};
	json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		const char *result = reply_text(check, "result"),
			   *detail = reply_text(check, "detail");
		size_t k = 0;

		while (k + 1 < ARRAY_SIZE(results) && strcmp(results[k].result, result) != 0)
			k++;
		(void)fputs("  ", cli->out);
		term_print(cli->out, &cli->term, results[k].tone, "%s %-16s",
			   term_sign(&cli->term, results[k].sign), reply_text(check, "check"));
		term_print(cli->out, &cli->term, results[k].sign == SIGN_NO ? TONE_PLAIN : TONE_DIM,
			   " %s", *detail ? detail : result);
		(void)fputc('\n', cli->out);
	}
}

void show_progress(struct cli *cli, const char *what, int64_t n, bool done)
{
	if (cli->quiet || !isatty(fileno(cli->err)))
		return;
	if (done)
		(void)fputs("\r\033[K", cli->err);
	else
		(void)fprintf(cli->err, "\r%s: %" PRId64, what, n);
	(void)fflush(cli->err);
}

/* The names are daemon/authority/decide.h's; they are part of the API. */
static const struct {
	const char *reason;
	const char *meaning;
	const char *advice;
} reasons[] = {
	{ "no-proof", "nobody proved possession of a private key",
	  "Is a key at hand (ssh-add -l, ~/.config/certlogin/client.key)? Is the gate started? "
	  "systemctl status certlogin-gate@local.socket" },
	{ "foreign-ca", "the certificate does not lead to a CA that this host accepts",
	  "If that CA is to be accepted: certlogin anchor add NAME CA-FILE" },
	{ "chain", "the certificate chain is faulty",
	  "The check 'chain' says how; have the certificate issued again" },
	{ "expired", "the certificate has expired",
	  "Issue and enroll a new one: certlogin ca issue NAME --enroll" },
	{ "not-yet-valid", "the certificate is not valid yet",
	  "Is the clock right? Else wait, or have it issued again" },
	{ "key", "the key or algorithm is too weak",
	  "Use P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits" },
	{ "key-usage", "the certificate's key usage does not allow signing in",
	  "Have it issued with digitalSignature" },
	{ "eku", "the certificate is not made for clients",
	  "Have it issued with extended key usage clientAuth, or see certlogin anchor set" },
	{ "revoked", "the certificate is revoked", "Issue a new certificate for a new key" },
	{ "revocation", "nothing current says that the certificate is not revoked",
	  "See: certlogin crl status; then: certlogin crl import FILE" },
	{ "not-enrolled", "the certificate belongs to no identity",
	  "certlogin enroll NAME CERT-FILE; where a rule should map it: certlogin rule test "
	  "CERT-FILE" },
	{ "identity-disabled", "the identity is disabled", "certlogin identity enable NAME" },
	{ "identity-expired", "the identity is outside its time", "certlogin identity show NAME" },
	{ "service-unknown", "the service has no row, and is therefore denied",
	  "certlogin service set SERVICE --class login|elevate|app" },
	{ "service-uid", "the program that asked may not log in through this service",
	  "If it should: certlogin service set SERVICE --class CLASS --redeem-uids UIDS" },
	{ "via", "the service does not take proofs through this gate",
	  "Use the local gate, or certlogin ticket --login ID with the id that the prompt shows; "
	  "for classes login and app also: certlogin service set SERVICE --class CLASS --via any" },
	{ "ticket-unknown", "there is no such ticket (any more)",
	  "Make a new one. After a restart of certlogind that is normal" },
	{ "ticket-used", "the ticket was used before", "A ticket is good once: make a new one" },
	{ "ticket-expired", "the ticket is older than a minute",
	  "Make a new one and use it at once" },
	{ "ticket-other-login", "the ticket was made for another login",
	  "Make one with the login id that the prompt shows" },
	{ "ticket-other-account", "the ticket was made for another account",
	  "certlogin ticket --account ACCOUNT" },
	{ "ticket-other-service", "the ticket was made for another service",
	  "certlogin ticket --service SERVICE" },
	{ "ticket-loose", "this service takes no ticket without login id",
	  "certlogin ticket --login ID, with the id that the prompt shows" },
	{ "login-unknown", "there is no such login (any more)", "Try again" },
	{ "account-not-allowed", "the identity may not use this account",
	  "certlogin access allow NAME ACCOUNT --service SERVICE" },
	{ "service-not-allowed",
	  "the identity may use the account, but not through this service, or not now",
	  "certlogin access list NAME; certlogin access allow NAME ACCOUNT --service SERVICE" },
	{ "root-by-rule", "a rule maps the certificate, and no rule leads to root",
	  "certlogin enroll NAME CERT-FILE" },
	{ "limit", "a limit was reached",
	  "Wait a minute; the event's source says who asks so often" },
	{ "store", "the record could not be written, so nobody is let in",
	  "df /var/lib/certlogin; journalctl -u certlogind" },
};

const char *reason_meaning(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].meaning;
	return "";
}

const char *reason_advice(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].advice;
	return "";
}
