// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes first inputs for the fuzz targets: make-corpus DIR, which is tests/fuzz of a checkout. */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/wire/wire.h"
#include "lib/pki/commitment.h"
#include "lib/pki/sshkey.h"
#include "tests/harness/ocsp-make.h"
#include "tests/harness/pki-make.h"
#include "tests/harness/transcript.h"

static const char *top;

static void save(const char *target, const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.in", top, target);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/%s.in/%s", top, target, name);
	f = fopen(path, "wbe");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void save_cert(const char *name, const struct pki *p)
{
	_cleanup_(buf_deinitp) struct buf blob = { 0 };

	save("cert", name, p->cert->der.p, p->cert->der.n);
	if (ssh_blob_from_cert(p->cert, &blob) == 0)
		save("sshkey", name, blob.p, blob.n);
}

static void save_hello(const char *name, const struct pki *host, const struct pki *person,
		       const char *suite, const struct view *staple)
{
	static const uint8_t nonce[32] = "0123456789abcdef0123456789abcdef";
	struct tls_spec spec = { .nonce = nonce,
				 .server = &host->cert->der,
				 .alpn = { ALPN_PROTOCOL, "cl1-ABCDEFGHIJKLMNOPQRSTUVWXYZa" },
				 .client = person,
				 .suite = suite,
				 .staple = staple,
				 .sign = tls_sign_local,
				 .userdata = (void *)(uintptr_t)host };
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct tls_record record = { 0 };

	if (tls_handshake(&spec, &record) < 0)
		abort();
	buf_put_u16(&b, (uint16_t)record.prefix.n);
	buf_put(&b, record.prefix.p, record.prefix.n);
	buf_put(&b, record.rest.p, record.rest.n);
	save("hello", name, b.p, b.n);
	tls_record_deinit(&record);
}

/* Certificate and issuer, each after its length, and the response. */
static void save_ocsp_of(const char *name, const struct pki *ca, const struct pki *person,
			 const struct ocsp_spec *spec)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	buf_put_u16(&b, (uint16_t)person->cert->der.n);
	buf_put(&b, person->cert->der.p, person->cert->der.n);
	buf_put_u16(&b, (uint16_t)ca->cert->der.n);
	buf_put(&b, ca->cert->der.p, ca->cert->der.n);
	if (spec) {
		_cleanup_(buf_deinitp) struct buf der = { 0 };

		ocsp_make(spec, &der);
		buf_put(&b, der.p, der.n);
	} else {
		ocsp_make_status(3, &b);
	}
	save("ocsp", name, b.p, b.n);
}

static void save_ocsp(const struct pki *ca, const struct pki *person)
{
	const struct view nonce = { (const uint8_t *)"0123456789abcdef", 16 };
	const struct ocsp_say good = { .cert = person->cert, .issuer = ca->cert };
	struct ocsp_say revoked = good, unknown = good;
	struct pki delegate;

	revoked.status = OCSP_STATUS_REVOKED;
	revoked.reason = 1;
	revoked.flags = OCSP_SAY_SHA256 | OCSP_SAY_UNKNOWN;
	unknown.status = OCSP_STATUS_UNKNOWN;
	unknown.flags = OCSP_SAY_NO_NEXT;
	pki_make(&(struct pki_spec){ .cn = "Responder",
				     .eku = PKI_OCSP_SIGNING,
				     .flags = PKI_OCSP_NOCHECK },
		 ca, &delegate);
	save_ocsp_of("good", ca, person, &(struct ocsp_spec){ .signer = ca, .say = { good } });
	save_ocsp_of("several", ca, person,
		     &(struct ocsp_spec){ .signer = ca,
					  .say = { good, unknown, revoked },
					  .nonce = &nonce,
					  .flags = OCSP_MAKE_BY_KEY | OCSP_MAKE_UNKNOWN });
	save_ocsp_of("delegate", ca, person,
		     &(struct ocsp_spec){ .signer = &delegate,
					  .say = { good },
					  .certs = { delegate.cert },
					  .flags = OCSP_MAKE_JUNK_CERT | OCSP_MAKE_VERSION });
	save_ocsp_of("try-later", ca, person, NULL);
	pki_deinit(&delegate);
}

static void save_wire(void)
{
	const struct view text = { (const uint8_t *)"alice", 5 };
	struct wire_nonces nonces = { .n = 2, .items = { { 1, { 1 } }, { 2, { 2 } } } };
	struct buf b[8] = { 0 };

	wire_put_hello(&b[0], &(struct wire_hello){ WIRE_VERSION });
	wire_put_want_nonces(&b[1], &(struct wire_want_nonces){ 16 });
	wire_put_sign(&b[2], 1, &(struct wire_sign){ text, text });
	wire_put_prove(&b[3], 1, &(struct wire_prove){ text });
	wire_put_commit(&b[4], 1, &(struct wire_commit){ .account = text, .service = text });
	wire_put_nonces(&b[5], &nonces);
	wire_put_committed(&b[6], 1, &(struct wire_committed){ 1, 4711 });
	wire_put_described(&b[7], 1, &(struct wire_described){ 1, text, text, text });
	for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "message-%zu", i);
		save("wire", name, b[i].p, b[i].n);
		buf_deinit(&b[i]);
	}
}

static void save_varlink(void)
{
	static const char *const texts[] = {
		"{\"method\":\"org.certlogin.Service.Begin\",\"parameters\":{\"account\":\"alice\","
		"\"service\":\"sudo\"}}",
		"{\"method\":\"a.B\",\"more\":true}",
		"{\"parameters\":{\"allowed\":true,\"event\":4711,\"identity\":null}}",
		"{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":"
		"\"x\"}}",
		"{\"method\":\"a.B\",\"method\":\"a.C\"}",
		"{\"parameters\":{\"a\":[[[[[[[[[1]]]]]]]]]}}",
		"{\"method\":\"a.B\",\"parameters\":{\"x\":1.5,\"y\":\"\\u0000\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "message-%zu", i);
		save("varlink", name, texts[i], strlen(texts[i]));
	}
}

static void put_string(struct buf *b, const void *p, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, p, n);
}

/* All keys, and three that cannot be used. */
static void save_agent_list(const struct pki *const *all, size_t n)
{
	static const char *const others[] = { "sk-ssh-ed25519@openssh.com",
					      "ssh-ed25519-cert-v01@openssh.com", "ssh-dss" };
	_cleanup_(buf_deinitp) struct buf b = { 0 };

	buf_put_u8(&b, 0);
	buf_put_u8(&b, 12);
	buf_put_u32(&b, (uint32_t)(n + ARRAY_SIZE(others)));
	for (size_t i = 0; i < n + ARRAY_SIZE(others); i++) {
		_cleanup_(buf_deinitp) struct buf blob = { 0 };

		if (i >= n)
			put_string(&blob, others[i - n], strlen(others[i - n]));
		else if (ssh_blob_from_cert(all[i]->cert, &blob) < 0)
			abort();
		put_string(&b, blob.p, blob.n);
		put_string(&b, "alice@home", 10);
	}
	save("agent", "list", b.p, b.n);
	save("agent", "refused", "\0\5", 2);
	save("agent", "not-signed", "\2\5", 2);
}

/* Numbers as an agent writes them: one needs an octet for its sign, the other does not. */
static void save_agent_signature(const char *name, enum key_type type, const char *ssh_name,
				 size_t field)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 }, inner = { 0 }, blob = { 0 };
	uint8_t octets[64] = { 0, 0x81, 0x42 };

	if (type == KEY_ED25519) {
		buf_put(&blob, octets, sizeof(octets));
	} else {
		put_string(&blob, octets, field + 1);
		put_string(&blob, octets + 2, field);
	}
	put_string(&inner, ssh_name, strlen(ssh_name));
	put_string(&inner, blob.p, blob.n);
	buf_put_u8(&b, (uint8_t)type);
	buf_put_u8(&b, 14);
	put_string(&b, inner.p, inner.n);
	save("agent", name, b.p, b.n);
}

static void save_reply(void)
{
	static const struct {
		const char *name, *text;
	} t[] = {
		{ "allowed", "{\"parameters\":{\"allowed\":true,\"event\":4711}}" },
		{ "denied", "{\"parameters\":{\"allowed\":false,\"event\":9223372036854775807}}" },
		{ "negative", "{\"parameters\":{\"allowed\":true,\"event\":-1}}" },
		{ "unknown-member", "{\"parameters\":{\"allowed\":true,\"event\":1,\"x\":1}}" },
		{ "both", "{\"parameters\":{\"allowed\":true,\"event\":1},\"error\":\"a.B\"}" },
		{ "not-found", "{\"error\":\"org.certlogin.Login.NotFound\"}" },
		{ "unavailable", "{\"error\":\"org.certlogin.Login.Unavailable\"}" },
		{ "described", "{\"parameters\":{\"account\":\"root\",\"service\":\"su\","
			       "\"caller\":\"mallory\\u001b[2J \\u20ac (uid 1001)\"}}" },
		{ "no-account", "{\"parameters\":{\"account\":\"a/b\",\"service\":\"su\","
				"\"caller\":\"x\"}}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		save("reply", t[i].name, t[i].text, strlen(t[i].text));
}

static void save_certmap(void)
{
	static const char *const t[][4] = {
		{ "address",
		  "KRB5:<SUBJECT>^CN=[^,]+$<ISSUER>CA<KU>digitalSignature<EKU>clientAuth",
		  "{mail.local}-{upn.local}", "b.example C.EXAMPLE" },
		{ "principal",
		  "||<SAN>.*@(A|B){1,3}$<SAN:ntPrincipalName>^a<SAN:pkinit>x<SAN:1.2.3>y", "{krb}",
		  "R.EXAMPLE" },
		{ "names", "<SAN:dNSName>[[:alpha:]]<SAN:otherName>FgR0ZXN0<SAN:x400Address>MAA=",
		  "x-{dns}.{serial}", "" },
		{ "sid", "<SID>S-1-5-21-7<POLICY>1.2.3,2.5.29.32.0", "{sid}{uri.path}{subject.cn}",
		  "" },
	};
	struct pki p;

	pki_make(&(struct pki_spec){ .cn = "alice",
				     .type = KEY_ED25519,
				     .dns = "h.example",
				     .mail = "alice@b.example",
				     .upn = "alice@c.example",
				     .krb = "alice@R.EXAMPLE",
				     .sid = "S-1-5-21-7" },
		 NULL, &p);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		_cleanup_(buf_deinitp) struct buf b = { 0 };

		for (size_t j = 1; j < 4; j++)
			buf_put(&b, t[i][j], strlen(t[i][j]) + 1);
		buf_put(&b, p.cert->der.p, p.cert->der.n);
		save("certmap", t[i][0], b.p, b.n);
	}
	pki_deinit(&p);
}

int main(int argc, char **argv)
{
	struct pki ca, host, person, ed, rsa;

	if (argc != 2)
		return 2;
	top = argv[1];
	pki_make_ca("Corpus CA", &ca);
	pki_make(&(struct pki_spec){ .cn = "host.example", .eku = PKI_SERVER_AUTH }, NULL, &host);
	pki_make_person("alice", KEY_P256, &ca, &person);
	pki_make_person("bob", KEY_ED25519, &ca, &ed);
	pki_make_person("carol", KEY_RSA, &ca, &rsa);
	save_cert("ca", &ca);
	save_cert("host", &host);
	save_cert("p256", &person);
	save_cert("ed25519", &ed);
	save_cert("rsa", &rsa);
	save_hello("p256", &host, &person, NULL, NULL);
	save_hello("ed25519", &host, &ed, "AES-256-GCM", NULL);
	save_hello("stapled", &host, &person, NULL, &(struct view){ (const uint8_t *)"staple", 6 });
	save_ocsp(&ca, &person);
	save_wire();
	save_varlink();
	save_reply();
	save_certmap();
	save_agent_list((const struct pki *const[]){ &person, &ed, &rsa }, 3);
	save_agent_signature("p256", KEY_P256, "ecdsa-sha2-nistp256", 32);
	save_agent_signature("p384", KEY_P384, "ecdsa-sha2-nistp384", 48);
	save_agent_signature("ed25519", KEY_ED25519, "ssh-ed25519", 0);
	pki_deinit(&ca);
	pki_deinit(&host);
	pki_deinit(&person);
	pki_deinit(&ed);
	pki_deinit(&rsa);
	return 0;
}
