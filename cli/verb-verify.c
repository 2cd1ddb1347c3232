// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "cli/crlfile.h"
#include "cli/file.h"
#include "cli/show.h"
#include "cli/verify-ocsp.h"
#include "lib/base/limits.h"
#include "lib/pki/dn.h"
#include "lib/pki/offline.h"

/*
 * certlogin verify: path validation alone, by the code of the decisions, offline, as any user.
 * 0 accepted, 1 rejected, 2 usage or input that cannot be read.  A certificate of the chain that is
 * none is rejected, or as if it had not been sent: strangers sent it.  An anchor is the caller's.
 */

#define ANCHORS_MAX 256

struct input {
	struct cert *anchor_certs[ANCHORS_MAX];
	struct anchor anchors[ANCHORS_MAX];
	size_t n_anchors;
	struct cert *chain[ARGS_MANY];
	size_t n_chain;
	uint8_t *ders[OFFLINE_CRLS_MAX];
	struct crl crls[OFFLINE_CRLS_MAX];
	enum crl_fault crl_faults[OFFLINE_CRLS_MAX]; /* as they were read */
	size_t n_crls;
	struct ocsp_files ocsp;
	int64_t at;
	int64_t max_depth; /* -1: none */
	struct anchor_policy policy;
};

static void input_deinit(struct input *in)
{
	for (size_t i = 0; i < in->n_anchors; i++)
		cert_free(in->anchor_certs[i]);
	for (size_t i = 0; i < in->n_chain; i++)
		cert_free(in->chain[i]);
	for (size_t i = 0; i < in->n_crls; i++)
		free(in->ders[i]);
	ocsp_files_deinit(&in->ocsp);
}

static int read_files(struct cli *cli, const struct args *args, enum opt opt, struct cert **certs,
		      size_t max, size_t *n)
{
	for (size_t i = 0; i < args->n_many; i++) {
		_cleanup_(buf_deinitp) struct buf text = { 0 };
		const char *path = args->many[i].value;
		size_t more = 0;
		int r;

		if (args->many[i].opt != opt)
			continue;
		r = file_read(path, &text);
		if (r < 0) {
			(void)cli_fail_file(cli, r, "read", path);
			return CLI_USAGE;
		}
		if (cert_load_each(text.p, text.n, certs + *n, max - *n, &more) < 0)
			return cli_fail(cli, CLI_USAGE, "invalid-value",
					"%s holds no certificates (PEM or DER), or too many", path);
		*n += more;
	}
	return CLI_YES;
}

/* A list that is none, or that says what is not understood, is as if it had not been given. */
static int read_crls(struct cli *cli, struct input *in, const char *path)
{
	_cleanup_(buf_deinitp) struct buf text = { 0 };
	struct view rest;
	int r = crlfile_read(cli, path, &text), more = 1;

	rest = (struct view){ text.p, text.n };
	while (r == CLI_YES && more > 0) {
		struct crl *crl = &in->crls[in->n_crls];
		size_t n;

		if (in->n_crls == OFFLINE_CRLS_MAX)
			return cli_fail(cli, CLI_USAGE, "invalid-value", "more than %d CRLs",
					OFFLINE_CRLS_MAX);
		more = crlfile_next(&rest, &in->ders[in->n_crls], &n);
		if (more < 0)
			return cli_fail(cli, CLI_USAGE, "invalid-value",
					"%s: a PEM block cannot be read", path);
		if (more == 0)
			break;
		in->crl_faults[in->n_crls] =
			crl_read((struct view){ in->ders[in->n_crls], n }, crl);
		if (in->crl_faults[in->n_crls] == CRL_GOOD)
			in->crl_faults[in->n_crls] = crl_scan(crl);
		in->n_crls++;
	}
	return r;
}

/* Strict but for what is allowed; without a purpose path validation alone. */
static int read_policy(struct cli *cli, const struct args *args, struct anchor_policy *ret)
{
	ret->any_purpose = !args->option[OPT_PURPOSE];
	for (size_t i = 0; i < args->n_many; i++) {
		const char *name = args->many[i].value;

		if (args->many[i].opt != OPT_ALLOW)
			continue;
		if (strcmp(name, "eku-missing") == 0)
			ret->eku_missing = true;
		else if (strcmp(name, "eku-any") == 0)
			ret->eku_any = true;
		else if (strcmp(name, "form") == 0)
			ret->form = true;
		else
			return cli_usage(cli, "--allow: eku-missing, eku-any or form");
	}
	return CLI_YES;
}

static int input_read(struct cli *cli, const struct args *args, struct input *in)
{
	const char *purpose = args->option[OPT_PURPOSE];
	int r;

	in->at = clock_realtime(cli->clock);
	in->max_depth = -1;
	if (!args->option[OPT_ANCHOR] || !args->option[OPT_CHAIN])
		return cli_usage(cli, "--anchor and --chain are needed");
	if (purpose && strcmp(purpose, "clientAuth") != 0)
		return cli_usage(cli, "--purpose: clientAuth is the only one");
	r = read_policy(cli, args, &in->policy);
	if (r == CLI_YES)
		r = args_time(cli, args, OPT_AT, &in->at);
	if (r == CLI_YES)
		r = args_number(cli, args, OPT_MAX_DEPTH, 0, PATH_MAX_ISSUERS, &in->max_depth);
	if (r == CLI_YES)
		r = read_files(cli, args, OPT_ANCHOR, in->anchor_certs, ANCHORS_MAX,
			       &in->n_anchors);
	if (r == CLI_YES)
		r = read_files(cli, args, OPT_CHAIN, in->chain, ARRAY_SIZE(in->chain),
			       &in->n_chain);
	for (size_t i = 0; r == CLI_YES && i < args->n_many; i++)
		if (args->many[i].opt == OPT_CRL)
			r = read_crls(cli, in, args->many[i].value);
	if (r == CLI_YES)
		r = ocsp_files_read(cli, args, &in->ocsp);
	for (size_t i = 0; r == CLI_YES && i < in->n_anchors; i++) {
		if (!in->anchor_certs[i])
			return cli_fail(cli, CLI_USAGE, "invalid-value",
					"an anchor is no certificate that can be read");
		in->anchors[i] = (struct anchor){ .id = (int64_t)i + 1,
						  .name = "",
						  .cert = in->anchor_certs[i],
						  .policy = in->policy };
	}
	return r;
}

/* Takes detail only as text.  Gives whether it passed. */
static bool add_check(json_t *checks, const char *name, bool passed, const char *detail)
{
	(void)json_array_append_new(checks,
				    json_pack("{s:s, s:s, s:s}", "check", name, "result",
					      passed ? "passed" : "failed", "detail", detail));
	return passed;
}

static const char *validity_text(const struct path *p, int64_t at)
{
	return at < p->not_before  ? "a certificate of the path is not valid yet"
	       : at > p->not_after ? "a certificate of the path has expired"
				   : "every certificate of the path is within its time";
}

/* The lists that were good to read, in one row. */
static size_t usable_crls(const struct input *in, struct crl ret[OFFLINE_CRLS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < in->n_crls; i++)
		if (in->crl_faults[i] == CRL_GOOD)
			ret[n++] = in->crls[i];
	return n;
}

static void revocation_text(const struct offline_result *r, const char *fault, char *ret,
			    size_t size)
{
	char name[128] = "?", number[64] = "";

	if (r->cert)
		name_text(&r->cert->subject, name, sizeof(name));
	if (r->by)
		serial_text(&r->by->number, number, sizeof(number));
	switch (r->revocation.status) {
	case REVOCATION_GOOD:
		(void)snprintf(ret, size, "no certificate of the path is revoked (CRL %s)", number);
		break;
	case REVOCATION_REVOKED:
		(void)snprintf(ret, size, "%s is revoked (CRL %s)", name, number);
		break;
	case REVOCATION_STALE:
		(void)snprintf(ret, size, "the CRL about %s is stale (CRL %s)", name, number);
		break;
	case REVOCATION_UNKNOWN:
		(void)snprintf(ret, size, "no CRL says whether %s is revoked%s%s", name,
			       fault ? "; one was not used: " : "", fault ? fault : "");
		break;
	}
}

static const struct cert *find_issuer(const struct input *in, const uint8_t sha256[SHA256_BYTES])
{
	for (size_t i = 0; i < in->n_anchors; i++)
		if (memcmp(in->anchor_certs[i]->sha256, sha256, SHA256_BYTES) == 0)
			return in->anchor_certs[i];
	for (size_t i = 0; i < in->n_chain; i++)
		if (in->chain[i] && memcmp(in->chain[i]->sha256, sha256, SHA256_BYTES) == 0)
			return in->chain[i];
	return NULL;
}

/* The path as certificates, leaf first; gives how many. */
static size_t path_certs(const struct input *in, const struct path *p,
			 const struct cert *ret[PATH_MAX_ISSUERS + 1])
{
	size_t n = 1;

	ret[0] = in->chain[0];
	for (size_t i = 0; i < p->n_issuers; i++)
		ret[n++] = find_issuer(in, p->issuers[i]);
	return n;
}

/* As pathLenConstraint counts: without those that are self-issued (RFC 5280 6.1.4 (l)). */
static bool judge_depth(const struct input *in, const struct path *p, json_t *checks)
{
	const struct cert *path[PATH_MAX_ISSUERS + 1];
	size_t n = path_certs(in, p, path), depth = 0;
	char text[64];

	for (size_t i = 1; i + 1 < n; i++)
		depth += !dn_equal(&path[i]->subject, &path[i]->issuer);
	(void)snprintf(text, sizeof(text), "%zu intermediate CAs", depth);
	return add_check(checks, "depth", in->max_depth < 0 || depth <= (size_t)in->max_depth,
			 text);
}

/* Why a list was not used; NULL: all were. */
static const char *first_fault(const struct input *in, const struct offline_result *result,
			       size_t n)
{
	for (size_t i = 0; i < in->n_crls; i++)
		if (in->crl_faults[i] != CRL_GOOD)
			return crl_fault_text(in->crl_faults[i]);
	for (size_t i = 0; i < n; i++)
		if (result->faults[i] != CRL_GOOD)
			return crl_fault_text(result->faults[i]);
	return NULL;
}

/* By answers of OCSP responders, each of which has to be good; and by lists, for what these do not
 * say. */
static bool judge_revocation(const struct input *in, const struct path *p, json_t *checks)
{
	_cleanup_(freep) struct crl *crls = calloc(OFFLINE_CRLS_MAX, sizeof(*crls));
	const struct cert *path[PATH_MAX_ISSUERS + 1], *certs[ARGS_MANY],
		*vouched[PATH_MAX_ISSUERS + 1];
	struct offline offline = { .certs = certs,
				   .anchor = &in->anchors[p->anchor - 1],
				   .crls = crls,
				   .now = in->at,
				   .vouched = vouched };
	struct offline_result result;
	char text[320];
	bool good;

	good = ocsp_files_judge(&in->ocsp, path, path_certs(in, p, path), in->at, checks, vouched,
				&offline.n_vouched);
	if (in->n_crls == 0)
		return good;
	if (!crls)
		return add_check(checks, "revocation", false, "out of memory");
	for (size_t i = 0; i < in->n_chain; i++)
		if (in->chain[i])
			certs[offline.n_certs++] = in->chain[i];
	offline.n_crls = usable_crls(in, crls);
	if (offline_check(&offline, in->chain[0], p, &result) < 0)
		return add_check(checks, "revocation", false, "it cannot be looked at");
	revocation_text(&result, first_fault(in, &result, offline.n_crls), text, sizeof(text));
	return add_check(checks, "revocation", result.revocation.status == REVOCATION_GOOD, text) &&
	       good;
}

static bool judge(const struct input *in, json_t *checks)
{
	const struct cert *chain[ARGS_MANY];
	struct path p = { .fault = PATH_MALFORMED };
	size_t n = 0;
	bool good;

	if (!in->chain[0])
		return add_check(checks, "form", false, "the leaf is no certificate");
	for (size_t i = 0; i < in->n_chain; i++)
		if (in->chain[i])
			chain[n++] = in->chain[i];
	if (path_build_offline(chain, n, in->anchors, in->n_anchors, in->at, &p) < 0)
		return add_check(checks, "chain", false, "out of memory");
	good = add_check(checks, "chain", p.fault == PATH_GOOD, path_fault_text(p.fault));
	if (good) {
		good = add_check(checks, "validity", path_within(&p, in->at),
				 validity_text(&p, in->at));
		good &= judge_depth(in, &p, checks);
		good &= judge_revocation(in, &p, checks);
	}
	return add_check(checks, "usage", p.leaf_fault == LEAF_GOOD,
			 p.leaf_fault == LEAF_GOOD ? "client authentication"
						   : leaf_fault_text(p.leaf_fault)) &&
	       good;
}

static const char *first_failed(json_t *checks)
{
	json_t *row;
	size_t i;

	json_array_foreach(checks, i, row)
		if (strcmp(json_string_value(json_object_get(row, "result")), "failed") == 0)
			return json_string_value(json_object_get(row, "detail"));
	return "";
}

int verb_verify(struct cli *cli, const struct args *args)
{
	_cleanup_(json_decrefp) json_t *checks = json_array();
	_cleanup_(input_deinit) struct input in = { 0 };
	int r = input_read(cli, args, &in);
	bool accepted;

	if (r != CLI_YES)
		return r;
	if (!checks)
		return cli_fail_memory(cli);
	accepted = judge(&in, checks);
	if (cli->json) {
		r = cli_json(cli, json_pack("{s:b, s:O}", "accepted", accepted, "checks", checks));
		return r != CLI_YES ? r : accepted ? CLI_YES : CLI_NO;
	}
	term_print(cli->out, &cli->term, accepted ? TONE_GOOD : TONE_BAD, "%s",
		   accepted ? "ACCEPTED" : "REJECTED");
	(void)fprintf(cli->out, "%s%s\n\n", accepted ? "" : ": ", first_failed(checks));
	show_checks(cli, checks);
	return accepted ? CLI_YES : CLI_NO;
}
