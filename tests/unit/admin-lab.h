/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_ADMIN_LAB_H
#define TESTS_ADMIN_LAB_H

/*
 * An authority without its sockets: a real database in a directory of its own, a host key, a CA
 * that makes certificates, and a clock that the test sets.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ca.h"
#include "daemon/authority/authority.h"
#include "daemon/authority/housekeeping.h"
#include "daemon/authority/limits.h"
#include "daemon/authority/links.h"
#include "daemon/authority/logins.h"
#include "daemon/authority/signer.h"
#include "daemon/authority/turn.h"
#include "lib/base/encode.h"

#define SEC INT64_C(1000000)
#define DAY (24 * 3600 * SEC)
#define LAB_NOW (INT64_C(1800000000) * SEC)
#define OID_CLIENT "1.3.6.1.5.5.7.3.2"
#define OID_SERVER "1.3.6.1.5.5.7.3.1"

struct lab {
	char dir[64];
	char database[96], backup[96], key_file[96], cert_file[96];
	struct clock clock;
	int64_t now;
	struct authority a;
	struct issuer ca;
	struct cert *ca_cert;
};

static inline uint64_t lab_boottime(void *userdata)
{
	return (uint64_t)((struct lab *)userdata)->now;
}

static inline int64_t lab_realtime(void *userdata)
{
	return ((struct lab *)userdata)->now;
}

static inline void lab_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline struct cert *lab_read_cert(gnutls_x509_crt_t crt)
{
	_cleanup_(buf_deinitp) struct buf der = { 0 };
	struct cert *cert = NULL;

	assert_int_equal(cert_export(crt, NULL, &der), 0);
	assert_int_equal(cert_parse(der.p, der.n, &cert), 0);
	return cert;
}

static inline void lab_make_ca(struct issuer *ca, const char *cn, struct cert **ret)
{
	const struct cert_spec spec = { .cn = cn,
					.ca = true,
					.not_before = LAB_NOW - 100 * DAY,
					.not_after = LAB_NOW + 1000 * DAY };

	assert_int_equal(key_make(&ca->key), 0);
	assert_int_equal(cert_make(&spec, NULL, ca, &ca->cert), 0);
	*ret = lab_read_cert(ca->cert);
}

/* A certificate of `ca` for a key of its own (key NULL) or this one. */
static inline struct cert *lab_leaf(const struct issuer *ca, const struct cert_spec *spec,
				    gnutls_x509_privkey_t key)
{
	_cleanup_(privkey_deinitp) gnutls_x509_privkey_t own = NULL;
	_cleanup_(pubkey_deinitp) gnutls_pubkey_t pub = NULL;
	_cleanup_(crt_deinitp) gnutls_x509_crt_t crt = NULL;

	if (!key)
		assert_int_equal(key_make(&own), 0);
	assert_int_equal(pubkey_of(key ? key : own, &pub), 0);
	assert_int_equal(cert_make(spec, pub, ca, &crt), 0);
	return lab_read_cert(crt);
}

static inline struct cert *lab_person(const struct issuer *ca, const char *cn)
{
	return lab_leaf(ca,
			&(struct cert_spec){ .cn = cn,
					     .eku = OID_CLIENT,
					     .not_before = LAB_NOW - DAY,
					     .not_after = LAB_NOW + 100 * DAY },
			NULL);
}

static inline void lab_make_host_key(struct lab *lab)
{
	const struct cert_spec spec = { .cn = "host",
					.eku = OID_SERVER,
					.not_before = LAB_NOW - DAY,
					.not_after = LAB_NOW + DAY };
	_cleanup_(issuer_deinitp) struct issuer host = { 0 };
	_cleanup_(buf_deinitp) struct buf pem = { 0 };
	gnutls_datum_t key;

	assert_int_equal(key_make(&host.key), 0);
	assert_int_equal(cert_make(&spec, NULL, &host, &host.cert), 0);
	assert_int_equal(cert_export(host.cert, &pem, NULL), 0);
	assert_int_equal(key_pem(host.key, &key), 0);
	lab_write(lab->key_file, key.data, key.size);
	lab_write(lab->cert_file, pem.p, pem.n);
	key_pem_deinit(&key);
}

static inline void lab_open_store(struct lab *lab)
{
	const struct store_options options = { .path = lab->database, .clock = &lab->clock };

	assert_int_equal(store_open(&options, &lab->a.store, NULL), 0);
}

static inline struct lab *lab_new(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	const char *why;

	assert_non_null(lab);
	strcpy(lab->dir, "/tmp/certlogin-test-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	(void)snprintf(lab->database, sizeof(lab->database), "%s/db", lab->dir);
	(void)snprintf(lab->backup, sizeof(lab->backup), "%s/backup", lab->dir);
	(void)snprintf(lab->key_file, sizeof(lab->key_file), "%s/key", lab->dir);
	(void)snprintf(lab->cert_file, sizeof(lab->cert_file), "%s/crt", lab->dir);
	lab->now = LAB_NOW;
	lab->clock = (struct clock){ lab_boottime, lab_realtime, lab };
	lab->a = (struct authority){ .clock = &lab->clock,
				     .backup_dir = lab->backup,
				     .started = LAB_NOW - 90 * SEC,
				     .roles = { .admin = (gid_t)-1, .audit = (gid_t)-1 } };
	lab_make_host_key(lab);
	lab_make_ca(&lab->ca, "Lab CA", &lab->ca_cert);
	lab_open_store(lab);
	assert_int_equal(signer_load(lab->key_file, lab->cert_file, &lab->a.signer, &why), 0);
	assert_true(sd_event_new(&lab->a.event) >= 0);
	assert_int_equal(trust_cache_new(16, &lab->a.cache), 0);
	assert_int_equal(logins_new(&lab->a, &lab->a.logins), 0);
	assert_int_equal(limits_new(&lab->a.limits), 0);
	assert_int_equal(turn_new(&lab->a, &lab->a.turn), 0);
	assert_int_equal(links_new(&lab->a, &lab->a.links), 0);
	assert_int_equal(authority_trust_changed(&lab->a), 0);
	return lab;
}

static inline void lab_free(struct lab *lab)
{
	char command[128];

	turn_free(lab->a.turn);
	vl_server_free(lab->a.admin_api);
	links_free(lab->a.links);
	logins_free(lab->a.logins);
	limits_free(lab->a.limits);
	trust_cache_free(lab->a.cache);
	authority_trust_clear(&lab->a);
	store_close(lab->a.store);
	signer_free(lab->a.signer);
	sd_event_unref(lab->a.event);
	issuer_deinit(&lab->ca);
	cert_free(lab->ca_cert);
	(void)snprintf(command, sizeof(command), "rm -rf %s", lab->dir);
	assert_int_equal(system(command), 0);
	free(lab);
}

/* --- policy, by the store's own verbs --- */

static inline void lab_identity(struct lab *lab, const char *name)
{
	struct identity identity;

	assert_int_equal(store_identity_add(lab->a.store, name, "", 0, STORE_FOREVER, &identity),
			 0);
	assert_int_equal(store_commit(lab->a.store), 0);
}

static inline void lab_allow(struct lab *lab, const char *name, const char *account,
			     const char *service)
{
	struct access_row row = { .not_after = STORE_FOREVER };

	strcpy(row.identity, name);
	strcpy(row.account, account);
	strcpy(row.service, service);
	assert_int_equal(store_access_allow(lab->a.store, &row), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
}

static inline void lab_enroll(struct lab *lab, const char *name, const struct cert *c)
{
	struct certificate_new new = { .identity = name,
				       .der = c->der.p,
				       .der_n = c->der.n,
				       .issuer = c->issuer.p,
				       .issuer_n = c->issuer.n,
				       .serial = c->serial.p,
				       .serial_n = c->serial.n,
				       .subject = "CN=x",
				       .not_before = c->not_before,
				       .not_after = c->not_after };

	memcpy(new.sha256, c->sha256, SHA256_BYTES);
	memcpy(new.spki_sha256, c->spki_sha256, SHA256_BYTES);
	assert_int_equal(store_certificate_add(lab->a.store, &new), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
}

static inline void lab_anchor(struct lab *lab, const char *name, const struct cert *c)
{
	const struct anchor_new anchor = { .name = name, .der = c->der.p, .der_n = c->der.n };
	int64_t id;

	assert_int_equal(store_anchor_add(lab->a.store, &anchor, &id), 0);
	assert_int_equal(store_commit(lab->a.store), 0);
	assert_int_equal(authority_trust_changed(&lab->a), 0);
}

/* Root in a user namespace of its own, for who runs the tests without being root. */
static inline void lab_become_root(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char map[32];

	if (uid == 0 || unshare(CLONE_NEWUSER) < 0)
		return;
	lab_write("/proc/self/setgroups", "deny", 4);
	lab_write("/proc/self/uid_map", map,
		  (size_t)snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid));
	lab_write("/proc/self/gid_map", map,
		  (size_t)snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid));
}

#endif
