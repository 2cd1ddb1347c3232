// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client of OCSP without a network, for ocsp.sh.
 *   ocsp-ask ask CERT ISSUER [NONCE]          writes a request to stdout
 *   ocsp-ask check CERT ISSUER RESPONSE NONCE prints what is wrong with the response, or its status
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/pki/ocsp.h"

static size_t load(const char *path, uint8_t *ret, size_t size)
{
	FILE *f = fopen(path, "rbe");
	size_t n = f ? fread(ret, 1, size, f) : 0;

	if (f)
		(void)fclose(f);
	return n;
}

static struct cert *load_cert(const char *path)
{
	static uint8_t text[64 * 1024];
	struct cert *c = NULL;
	size_t n = load(path, text, sizeof(text));

	return cert_load(text, n, &c) < 0 ? NULL : c;
}

static int ask(const struct cert *cert, const struct cert *issuer, const char *nonce)
{
	const struct view v = { (const uint8_t *)nonce, nonce ? strlen(nonce) : 0 };
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	if (ocsp_request_new(cert, issuer, nonce ? &v : NULL, &b) < 0)
		return 1;
	return fwrite(b.p, 1, b.n, stdout) == b.n ? 0 : 1;
}

static int check(const struct cert *cert, const struct cert *issuer, const char *path,
		 const char *nonce)
{
	static uint8_t bytes[64 * 1024];
	const struct view der = { bytes, load(path, bytes, sizeof(bytes)) };
	const struct view v = { (const uint8_t *)nonce, strlen(nonce) };
	struct ocsp_answer a;

	if (ocsp_check(&der, cert, issuer, clock_realtime(&clock_system), &v, &a) < 0)
		return 1;
	(void)puts(a.fault == OCSP_GOOD ? ocsp_status_text(a.status) : ocsp_fault_text(a.fault));
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(cert_freep) struct cert *cert = argc > 3 ? load_cert(argv[2]) : NULL;
	_cleanup_(cert_freep) struct cert *issuer = argc > 3 ? load_cert(argv[3]) : NULL;

	if (!cert || !issuer)
		return 2;
	if (argc <= 5 && strcmp(argv[1], "ask") == 0)
		return ask(cert, issuer, argv[4]);
	if (argc == 6 && strcmp(argv[1], "check") == 0)
		return check(cert, issuer, argv[4], argv[5]);
	return 2;
}
