// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ca-crl.h"

#include <errno.h>
#include <string.h>

#include "cli/format.h"
#include "lib/base/limits.h"

#define SEC(usec) ((time_t)((usec) / (int64_t)USEC_PER_SEC))

const char *ca_reason(const char *name)
{
	static const char *const reasons[] = {
		"unspecified", "keyCompromise",	       "affiliationChanged",
		"superseded",  "cessationOfOperation", "privilegeWithdrawn",
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i], name) == 0)
			return reasons[i];
	return NULL;
}

/* --- the record --- */

enum { FIELD_SERIAL, FIELD_SINCE, FIELD_REASON, FIELD_SHA256, FIELD_SUBJECT, FIELD_MAX_ };

int ca_revoked_parse(const char *line, struct ca_revoked *ret)
{
	struct ca_revoked out = { 0 };
	char text[512], *field[FIELD_MAX_], *rest = text;
	int n;

	if (strlen(line) >= sizeof(text))
		return -EBADMSG;
	(void)strcpy(text, line);
	for (size_t i = 0; i < FIELD_MAX_; i++) {
		field[i] = strsep(&rest, "\t");
		if (!field[i])
			return -EBADMSG;
	}
	n = hex_decode(field[FIELD_SERIAL], out.serial, sizeof(out.serial));
	out.reason = ca_reason(field[FIELD_REASON]);
	if (rest || n <= 0 || !out.reason || when_parse(field[FIELD_SINCE], 0, &out.since) < 0 ||
	    strlen(field[FIELD_SHA256]) != sizeof(out.sha256) - 1 ||
	    strlen(field[FIELD_SUBJECT]) >= sizeof(out.subject))
		return -EBADMSG;
	out.n_serial = (size_t)n;
	(void)strcpy(out.sha256, field[FIELD_SHA256]);
	(void)strcpy(out.subject, field[FIELD_SUBJECT]);
	*ret = out;
	return 0;
}

void ca_revoked_put(struct buf *b, const struct ca_revoked *revoked)
{
	char serial[HEX_SIZE(CA_SERIAL_MAX)], since[WHEN_TEXT];
	const char *const fields[] = { serial, since, revoked->reason, revoked->sha256,
				       revoked->subject };

	hex_encode(revoked->serial, revoked->n_serial, serial);
	when_text(revoked->since, true, since);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		buf_put_text(b, fields[i]);
		buf_put_text(b, i + 1 < ARRAY_SIZE(fields) ? "\t" : "\n");
	}
}

/* --- the list --- */

static int crl_fill(gnutls_x509_crl_t crl, gnutls_x509_crt_t ca, uint64_t number)
{
	uint8_t id[64], octets[9] = { 0 };
	size_t n = sizeof(id), skip = 0;
	int r = gnutls_x509_crl_set_version(crl, 2);

	if (r >= 0)
		r = gnutls_x509_crt_get_subject_key_id(ca, id, &n, NULL);
	if (r >= 0)
		r = gnutls_x509_crl_set_authority_key_id(crl, id, n);
	for (size_t i = 0; i < 8; i++)
		octets[8 - i] = (uint8_t)(number >> (8 * i));
	/* DER: as few octets as leave the sign bit clear */
	while (skip < 8 && octets[skip] == 0 && octets[skip + 1] < 0x80)
		skip++;
	return r < 0 ? r : gnutls_x509_crl_set_number(crl, octets + skip, sizeof(octets) - skip);
}

static int crl_export(gnutls_x509_crl_t crl, struct buf *ret)
{
	gnutls_datum_t out = { 0 };
	int r = gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &out);

	if (r < 0)
		return r;
	buf_put(ret, out.data, out.size);
	gnutls_free(out.data);
	return 0;
}

int ca_crl_make(const struct issuer *ca, const struct ca_revoked *revoked, size_t n,
		uint64_t number, int64_t this_update, int64_t next_update, struct buf *ret_pem)
{
	gnutls_x509_crl_t crl = NULL;
	int r;

	if (number == 0 || this_update >= next_update)
		return -EINVAL;
	r = gnutls_x509_crl_init(&crl);
	if (r >= 0)
		r = crl_fill(crl, ca->cert, number);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = gnutls_x509_crl_set_crt_serial(crl, revoked[i].serial, revoked[i].n_serial,
						   SEC(revoked[i].since));
	if (r >= 0)
		r = gnutls_x509_crl_set_this_update(crl, SEC(this_update));
	if (r >= 0)
		r = gnutls_x509_crl_set_next_update(crl, SEC(next_update));
	if (r >= 0)
		r = gnutls_x509_crl_sign2(crl, ca->cert, ca->key, GNUTLS_DIG_SHA256, 0);
	if (r >= 0)
		r = crl_export(crl, ret_pem);
	if (crl)
		gnutls_x509_crl_deinit(crl);
	if (r < 0)
		return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EBADMSG;
	return ret_pem->error;
}
