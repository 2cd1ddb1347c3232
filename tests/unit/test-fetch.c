// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/daemon.h"
#include "fetch/der.h"
#include "lib/base/cleanup.h"
#include "lib/base/limits.h"
#include "lib/base/url.h"

/* What may be asked for, and what is made of it before it is handed over. */

static void good_urls(_unused_ void **state)
{
	static const struct {
		const char *url, *origin;
	} t[] = {
		{ "http://pki.example/ca.crl", "http://pki.example" },
		{ "HTTPS://PKI.example:8443/x?y=a@b", "HTTPS://PKI.example:8443" },
		{ "http://10.0.0.1", "http://10.0.0.1" },
		{ "http://10.0.0.1:65535?x", "http://10.0.0.1:65535" },
		{ "http://[::1]:80/", "http://[::1]:80" },
		{ "http://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]" },
		{ "http://a_b-c.d/%20/a@b:c", "http://a_b-c.d" },
	};
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		if (!url_ok(t[i].url, &why))
			fail_msg("%s: %s", t[i].url, why);
		assert_int_equal(url_origin(t[i].url), strlen(t[i].origin));
	}
}

static void bad_urls(_unused_ void **state)
{
	static const struct {
		const char *url, *why;
	} t[] = {
		{ "", "neither http nor https" },
		{ "ldap://pki.example/cn=ca", "neither http nor https" },
		{ "file:///etc/passwd", "neither http nor https" },
		{ "ftp://pki.example/", "neither http nor https" },
		{ "http:/pki.example/", "neither http nor https" },
		{ "//pki.example/", "neither http nor https" },
		{ "pki.example/ca.crl", "neither http nor https" },
		{ " http://pki.example/", "characters" },
		{ "http://pki.example/a b", "characters" },
		{ "http://pki.example/\n", "characters" },
		{ "http://pki.example/\x7f", "characters" },
		{ "http://pki.example/\xc3\xa4", "characters" },
		{ "http://pki.example\\@evil/", "characters" },
		{ "http://pki.example/{1,2}", "characters" },
		{ "http://alice@pki.example/", "user" },
		{ "http://alice:secret@pki.example/", "user" },
		{ "http://@pki.example/", "user" },
		{ "http://pki.example/#x", "fragment" },
		{ "http://pki.example#@evil/", "fragment" },
		{ "http://", "host" },
		{ "http:///x", "host" },
		{ "http://?x", "host" },
		{ "http://:80/", "host" },
		{ "http://pki.example:/", "host" },
		{ "http://pki.example:0/", "host" },
		{ "http://pki.example:65536/", "host" },
		{ "http://pki.example:8x/", "host" },
		{ "http://pki.example:80:80/", "host" },
		{ "http://pki%2eexample/", "host" },
		{ "http://a,b/", "host" },
		{ "http://[]/", "host" },
		{ "http://[::1/", "host" },
		{ "http://[::1]x/", "host" },
		{ "http://[fe80::1%25eth0]/", "host" },
		{ "http://::1/", "host" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		const char *why = "";

		if (url_ok(t[i].url, &why) || !strstr(why, t[i].why))
			fail_msg("%s: %s, not %s", t[i].url, why, t[i].why);
	}
}

static void urls_have_a_length(_unused_ void **state)
{
	char url[LIMIT_URL + 2];
	const char *why = "";

	memset(url, 'x', sizeof(url));
	memcpy(url, "http://a/", 9);
	url[LIMIT_URL] = '\0';
	assert_true(url_ok(url, &why));
	url[LIMIT_URL] = 'x';
	url[LIMIT_URL + 1] = '\0';
	assert_false(url_ok(url, &why));
	assert_non_null(strstr(why, "too long"));
}

/* --- PEM --- */

static void expect_der(const char *text, int result, const char *der)
{
	_cleanup_(freep) uint8_t *p = malloc(strlen(text) + 1);
	size_t n = 0;

	assert_non_null(p);
	memcpy(p, text, strlen(text) + 1);
	assert_int_equal(crl_der(p, strlen(text), &n), result);
	if (result < 0)
		return;
	assert_int_equal(n, strlen(der));
	assert_memory_equal(p, der, n);
}

static void pem_becomes_der(_unused_ void **state)
{
#define BEGIN "-----BEGIN X509 CRL-----"
#define END "-----END X509 CRL-----"
	expect_der("0abc", 0, "0abc");
	expect_der("<html>", 0, "<html>");
	expect_der("", 0, "");
	expect_der("0" BEGIN "QUJD" END, 0, "0" BEGIN "QUJD" END);
	expect_der("CRL of x\n" BEGIN "\nQUJD\r\n RA==\n" END "\n", 0, "ABCD");
	expect_der(BEGIN "QUJD" END BEGIN "RUZH" END, 0, "ABC");
	expect_der(BEGIN "QUJD", -EBADMSG, NULL);
	expect_der(BEGIN END, -EBADMSG, NULL);
	expect_der(BEGIN "QUJ" END, -EBADMSG, NULL);
	expect_der(BEGIN "QU!D" END, -EBADMSG, NULL);
}

static void long_pem(_unused_ void **state)
{
	const size_t lines = 1000;
	_cleanup_(freep) char *text = malloc(lines * 65 + 100), *der = calloc(1, lines * 48 + 1);
	char *at = text;

	assert_non_null(text);
	assert_non_null(der);
	at += sprintf(at, BEGIN "\n");
	for (size_t i = 0; i < lines; i++) {
		for (size_t k = 0; k < 16; k++) {
			at += sprintf(at, "%s", (i + k) % 2 ? "QUJD" : "RUZH");
			memcpy(der + i * 48 + k * 3, (i + k) % 2 ? "ABC" : "EFG", 3);
		}
		at += sprintf(at, "\n");
	}
	(void)sprintf(at, END "\n");
	expect_der(text, 0, der);
}

/* --- jobs --- */

static void jobs_are_read(_unused_ void **state)
{
	static const struct {
		const char *text;
		int result;
	} t[] = {
		{ "{'kind':'crl','url':'http://x/','anchor':'a','due':true}", 0 },
		{ "{'kind':'ocsp','url':'http://x/"
		  "','request':'AA==','certificate':'BB==','issuer':'CC=='}",
		  0 },
		{ "{'kind':'ocsp','url':'http://x/','request':'AA==','issuer':'CC=='}", -EBADMSG },
		{ "{'kind':'ocsp','url':'http://x/','request':'AA==','certificate':'BB=='}",
		  -EBADMSG },
		{ "{'kind':'ocsp','url':'http://x/'}", -EBADMSG },
		{ "{'kind':'crl','url':''}", -EBADMSG },
		{ "{'kind':'crl'}", -EBADMSG },
		{ "{'kind':'other','url':'http://x/'}", -EBADMSG },
		{ "{'kind':7,'url':'http://x/'}", -EBADMSG },
		{ "[]", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_(json_decrefp) json_t *row = NULL;
		char text[128];
		struct job job;

		(void)snprintf(text, sizeof(text), "%s", t[i].text);
		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		row = json_loads(text, 0, NULL);
		assert_non_null(row);
		if (daemon_job_read(row, &job) != t[i].result)
			fail_msg("%s", text);
		if (i == 0) {
			assert_int_equal(job.kind, JOB_CRL);
			assert_string_equal(job.anchor, "a");
			assert_true(job.due);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_urls),	      cmocka_unit_test(bad_urls),
		cmocka_unit_test(urls_have_a_length), cmocka_unit_test(pem_becomes_der),
		cmocka_unit_test(long_pem),	      cmocka_unit_test(jobs_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
