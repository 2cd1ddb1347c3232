// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/gate-lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/encode.h"
#include "lib/pki/handshake.h"
#include "lib/pki/proof.h"
#include "tests/harness/slow.h"

#define CHECK(x) assert_true((x) >= 0)

double seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9) / test_slow();
}

/* --- certificates --- */

static const struct {
	gnutls_pk_algorithm_t pk;
	unsigned bits;
	gnutls_digest_algorithm_t digest;
	gnutls_sign_algorithm_t sign;
	uint16_t scheme;
} kinds[PAIR_KINDS] = {
	[PAIR_P256] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
			GNUTLS_DIG_SHA256, GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 0x0403 },
	[PAIR_P384] = { GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1),
			GNUTLS_DIG_SHA384, GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, 0x0503 },
	[PAIR_ED25519] = { GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519),
			   GNUTLS_DIG_SHA512, GNUTLS_SIGN_EDDSA_ED25519, 0x0807 },
	[PAIR_RSA] = { GNUTLS_PK_RSA, 2048, GNUTLS_DIG_SHA256, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256,
		       0x0804 },
};

/* A certificate for `subject`, signed with `signer`'s key. */
static void make_cert(gnutls_pcert_st *ret, gnutls_datum_t *ret_der, gnutls_pubkey_t subject,
		      const struct pair *signer, gnutls_digest_algorithm_t digest, size_t padding)
{
	gnutls_x509_crt_t crt, issuer;
	_cleanup_(freep) uint8_t *fill = calloc(1, padding + 1);
	const uint8_t serial[] = { 1 };

	CHECK(gnutls_x509_crt_init(&crt));
	CHECK(gnutls_x509_crt_set_version(crt, 3));
	CHECK(gnutls_x509_crt_set_pubkey(crt, subject));
	CHECK(gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)));
	CHECK(gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600));
	CHECK(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600));
	CHECK(gnutls_x509_crt_set_dn(crt, "CN=test", NULL));
	CHECK(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
	if (padding > 0)
		CHECK(gnutls_x509_crt_set_extension_by_oid(crt, "1.2.3.4.5", fill, padding, 0));
	if (signer && signer->der.size > 0) {
		CHECK(gnutls_x509_crt_init(&issuer));
		CHECK(gnutls_x509_crt_import(issuer, &signer->der, GNUTLS_X509_FMT_DER));
		CHECK(gnutls_x509_crt_privkey_sign(crt, issuer, signer->key, digest, 0));
		gnutls_x509_crt_deinit(issuer);
	} else {
		CHECK(gnutls_x509_crt_privkey_sign(crt, crt, signer->key, digest, 0));
	}
	CHECK(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, ret_der));
	CHECK(gnutls_pcert_import_x509_raw(ret, ret_der, GNUTLS_X509_FMT_DER, 0));
	gnutls_x509_crt_deinit(crt);
}

void pair_make_chain(struct pair *ret, enum pair_kind kind, unsigned n, size_t padding)
{
	gnutls_pubkey_t pub;

	*ret = (struct pair){ 0 };
	CHECK(gnutls_privkey_init(&ret->key));
	CHECK(gnutls_privkey_generate(ret->key, kinds[kind].pk, kinds[kind].bits, 0));
	CHECK(gnutls_pubkey_init(&pub));
	CHECK(gnutls_pubkey_import_privkey(pub, ret->key, 0, 0));
	make_cert(&ret->chain[0], &ret->der, pub, ret, kinds[kind].digest, padding);
	gnutls_pubkey_deinit(pub);
	for (ret->n_chain = 1; ret->n_chain < n; ret->n_chain++)
		CHECK(gnutls_pcert_import_x509_raw(&ret->chain[ret->n_chain], &ret->der,
						   GNUTLS_X509_FMT_DER, 0));
}

struct pair *lab_pair(enum pair_kind kind)
{
	static struct pair pairs[PAIR_KINDS];

	if (pairs[kind].n_chain == 0)
		pair_make_chain(&pairs[kind], kind, 1, 0);
	return &pairs[kind];
}

static int huge_info(_unused_ gnutls_privkey_t key, unsigned flags, _unused_ void *userdata)
{
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO)
		return GNUTLS_PK_RSA;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return 4096;
	return flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO ? 1 : -1;
}

static int huge_sign(_unused_ gnutls_privkey_t key, _unused_ gnutls_sign_algorithm_t algorithm,
		     _unused_ void *userdata, _unused_ unsigned flags,
		     _unused_ const gnutls_datum_t *data, gnutls_datum_t *ret)
{
	ret->size = 2048;
	ret->data = gnutls_malloc(ret->size);
	if (!ret->data)
		return GNUTLS_E_MEMORY_ERROR;
	memset(ret->data, 0x55, ret->size);
	return 0;
}

void pair_make_huge(struct pair *ret, unsigned bits, unsigned e_bits)
{
	uint8_t m[4096], e[1024];
	gnutls_datum_t md = { m, bits / 8 }, ed = { e, (e_bits + 7) / 8 };
	gnutls_pubkey_t pub;

	*ret = (struct pair){ 0 };
	memset(m, 0xff, sizeof(m));
	memset(e, 0xff, sizeof(e));
	e[0] = (uint8_t)(0xff >> (8 * ed.size - e_bits));
	CHECK(gnutls_pubkey_init(&pub));
	CHECK(gnutls_pubkey_import_rsa_raw(pub, &md, &ed));
	CHECK(gnutls_privkey_init(&ret->key));
	CHECK(gnutls_privkey_import_ext4(ret->key, NULL, huge_sign, huge_sign, NULL, NULL,
					 huge_info, 0));
	make_cert(&ret->chain[0], &ret->der, pub, lab_pair(PAIR_P256), GNUTLS_DIG_SHA256, 0);
	ret->n_chain = 1;
	gnutls_pubkey_deinit(pub);
}

void pair_free(struct pair *p)
{
	for (unsigned i = 0; i < p->n_chain; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	gnutls_privkey_deinit(p->key);
	gnutls_free(p->der.data);
	*p = (struct pair){ 0 };
}

/* --- the authority --- */

static enum pair_kind kind_of(const struct pair *p)
{
	for (enum pair_kind k = 0; k < PAIR_KINDS; k++)
		if (lab_pair(k) == p)
			return k;
	fail();
	return 0;
}

static int violation(struct fake_authority *a, const char *what)
{
	print_message("# the gate has lied: %s\n", what);
	a->n_violations++;
	return -EPROTO;
}

static int authority_send(struct fake_authority *a, const struct buf *b)
{
	assert_int_equal(b->error, 0);
	return send(a->link_fd, b->p, b->n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static struct authority_slot *slot_of(struct fake_authority *a, uint32_t id)
{
	return id > 0 && id < a->next_slot ? &a->slots[id] : NULL;
}

/* authority_take() has seen that the slot exists */
static int see_hello(struct fake_authority *a, _unused_ uint32_t id, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_hello m;

	if (wire_get_hello(body, &m) < 0 || m.version != WIRE_VERSION)
		return violation(a, "hello");
	wire_put_welcome(&b,
			 &(struct wire_welcome){ { a->server->der.data, a->server->der.size } });
	return authority_send(a, &b);
}

static int see_want_nonces(struct fake_authority *a, _unused_ uint32_t id, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_want_nonces m;
	struct wire_nonces nonces = { 0 };

	if (wire_get_want_nonces(body, &m) < 0)
		return violation(a, "want_nonces");
	if (a->fresh + m.count > LIMIT_NONCES_AHEAD)
		return violation(a, "too many nonces ahead");
	if (a->mute_nonces)
		return 0;
	if (a->nonces_at_most && m.count > a->nonces_at_most)
		m.count = (uint16_t)a->nonces_at_most;
	for (; nonces.n < m.count; nonces.n++) {
		struct authority_slot *slot = &a->slots[a->next_slot];

		assert_true(a->next_slot < AUTHORITY_SLOTS);
		slot->state = SLOT_FRESH;
		CHECK(gnutls_rnd(GNUTLS_RND_NONCE, slot->nonce, 32));
		nonces.items[nonces.n].slot = a->next_slot++;
		memcpy(nonces.items[nonces.n].nonce, slot->nonce, 32);
		a->fresh++;
	}
	if (a->fresh > a->fresh_max)
		a->fresh_max = a->fresh;
	wire_put_nonces(&b, &nonces);
	return authority_send(a, &b);
}

static int sign_slot(struct fake_authority *a, uint32_t id)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct authority_slot *slot = &a->slots[id];
	uint8_t tbs[PROOF_TBS_MAX];
	gnutls_datum_t data = { tbs, 0 }, signature;
	size_t n;

	CHECK(proof_server_tbs(slot->prefix.p, slot->prefix.n, slot->hash_len, tbs, &n));
	data.size = (unsigned)n;
	if (a->wrong_signature)
		tbs[0] ^= 1;
	CHECK(gnutls_privkey_sign_data2(a->server->key, kinds[kind_of(a->server)].sign, 0, &data,
					&signature));
	memcpy(slot->signature, signature.data, signature.size);
	slot->signature_n = signature.size;
	gnutls_free(signature.data);
	wire_put_signed(&b, id, &(struct wire_signed){ { slot->signature, slot->signature_n } });
	return authority_send(a, &b);
}

static int see_sign(struct fake_authority *a, uint32_t id, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct authority_slot *slot = &a->slots[id];
	const struct view cert = { a->server->der.data, a->server->der.size };
	struct wire_sign m;
	struct hello hello;

	if (wire_get_sign(body, &m) < 0)
		return violation(a, "sign");
	a->n_sign++;
	a->fresh--;
	if (hello_parse(m.prefix.p, m.prefix.n, slot->nonce, &cert, &hello) < 0)
		return violation(a, "a hello that we never sign");
	(void)snprintf(a->source, sizeof(a->source), "%.*s", (int)m.source.n,
		       (const char *)m.source.p);
	buf_put(&slot->prefix, m.prefix.p, m.prefix.n);
	slot->hash_len = hello.hash_len;
	memcpy(slot->commitment, hello.commitment, sizeof(slot->commitment));
	if (a->refuse) {
		slot->state = 0;
		wire_put_refused(&b, id);
		return authority_send(a, &b);
	}
	slot->state = SLOT_SIGNED;
	return a->mute_sign ? 0 : sign_slot(a, id);
}

static int see_prove(struct fake_authority *a, uint32_t id, const struct view *body)
{
	_cleanup_(cert_freep) struct cert *leaf = NULL;
	struct authority_slot *slot = &a->slots[id];
	const struct view ours = { slot->signature, slot->signature_n };
	enum proof_verdict verdict;
	struct wire_prove m;
	struct proof proof;

	if (wire_get_prove(body, &m) < 0)
		return violation(a, "prove");
	a->n_prove++;
	CHECK(proof_verify(slot->prefix.p, slot->prefix.n, m.rest.p, m.rest.n, slot->hash_len,
			   kinds[kind_of(a->server)].scheme, &ours, &proof, &leaf, &verdict));
	if (verdict != PROOF_GOOD)
		return violation(a, "a proof that is none");
	memcpy(a->leaf_sha256, leaf->sha256, SHA256_BYTES);
	slot->state = SLOT_PROVEN;
	return 0;
}

static int see_commit(struct fake_authority *a, uint32_t id, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct authority_slot *slot = &a->slots[id];
	struct commitment commitment;
	char name[COMMITMENT_NAME_SIZE];
	struct wire_commit m;

	if (wire_get_commit(body, &m) < 0)
		return violation(a, "commit");
	a->n_commit++;
	(void)snprintf(a->account, sizeof(a->account), "%.*s", (int)m.account.n,
		       (const char *)m.account.p);
	(void)snprintf(a->service, sizeof(a->service), "%.*s", (int)m.service.n,
		       (const char *)m.service.p);
	a->login_id_n = m.login_id.n;
	commitment = (struct commitment){ .login_id = m.login_id.n ? m.login_id.p : NULL,
					  .account = a->account,
					  .service = a->service };
	memcpy(commitment.ticket_hash, m.ticket_hash, SHA256_BYTES);
	CHECK(commitment_name(&commitment, name));
	if (strcmp(name, slot->commitment) != 0)
		return violation(a, "another commitment");
	slot->state = 0;
	if (a->mute_commit)
		return 0;
	wire_put_committed(&b, id,
			   &(struct wire_committed){ strcmp(a->account, "mallory") != 0, 4711 });
	return authority_send(a, &b);
}

static int see_describe(struct fake_authority *a, uint32_t id, const struct view *body)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	struct wire_described described = { 0 };
	struct wire_describe m;

	if (wire_get_describe(body, &m) < 0)
		return violation(a, "describe");
	a->n_describe++;
	a->slots[id].state = 0;
	if (memcmp(m.login_id.p, "known id", LOGIN_ID_BYTES) == 0)
		described = (struct wire_described){ 1,
						     { (const uint8_t *)"root", 4 },
						     { (const uint8_t *)"su", 2 },
						     { (const uint8_t *)"mallory \"m\" (uid 1001)",
						       22 } };
	wire_put_described(&b, id, &described);
	return authority_send(a, &b);
}

static int see_close(struct fake_authority *a, uint32_t id, const struct view *body)
{
	if (wire_get_close(body) < 0)
		return violation(a, "close");
	a->n_close++;
	if (a->slots[id].state == SLOT_FRESH)
		a->fresh--;
	a->slots[id].state = 0;
	return 0;
}

static const struct {
	unsigned states;
	int (*see)(struct fake_authority *a, uint32_t id, const struct view *body);
} requests[256] = {
#define WIRE_REQ(id, number, states, name) [number] = { states, see_##name },
#define WIRE_ANS(id, number, name)
#include "schema/wire/wire.def"
#undef WIRE_REQ
#undef WIRE_ANS
};

static int authority_take(struct fake_authority *a, const uint8_t *p, size_t n)
{
	struct wire_header h;
	struct view body;
	unsigned state = SLOT_NONE;

	if (wire_get_header(p, n, &h, &body) < 0 || !requests[h.id].see)
		return violation(a, "no such message");
	if (requests[h.id].states != SLOT_NONE) {
		if (!slot_of(a, h.slot))
			return violation(a, "no such slot");
		state = slot_of(a, h.slot)->state;
	}
	if (!(requests[h.id].states & state))
		return violation(a, "out of its state");
	return requests[h.id].see(a, h.slot, &body);
}

static void authority_cut(struct fake_authority *a)
{
	a->io = sd_event_source_disable_unref(a->io);
	if (a->link_fd >= 0)
		(void)close(a->link_fd);
	a->link_fd = -1;
	for (size_t i = 0; i < AUTHORITY_SLOTS; i++)
		buf_deinit(&a->slots[i].prefix);
	memset(a->slots, 0, sizeof(a->slots));
	a->next_slot = 1;
	a->fresh = 0;
}

static int on_authority_io(_unused_ sd_event_source *s, int fd, _unused_ uint32_t events,
			   void *userdata)
{
	static uint8_t packet[LIMIT_WIRE_BYTES + 1];
	struct fake_authority *a = userdata;
	ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0 || authority_take(a, packet, (size_t)n) < 0)
		authority_cut(a);
	return 0;
}

static int on_authority_accept(_unused_ sd_event_source *s, int fd, _unused_ uint32_t events,
			       void *userdata)
{
	struct fake_authority *a = userdata;
	int link = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (link < 0)
		return 0;
	assert_int_equal(a->link_fd, -1);
	a->link_fd = link;
	a->n_links++;
	CHECK(sd_event_add_io(a->event, &a->io, link, EPOLLIN, on_authority_io, a));
	return 0;
}

static int listen_unix(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	(void)unlink(path);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4096), 0);
	return fd;
}

void lab_authority_start(struct lab *lab)
{
	struct fake_authority *a = lab->authority;

	a->listen_fd = listen_unix(a->path, SOCK_SEQPACKET);
	CHECK(sd_event_add_io(a->event, &a->accept, a->listen_fd, EPOLLIN, on_authority_accept, a));
}

void lab_authority_stop(struct lab *lab)
{
	struct fake_authority *a = lab->authority;

	authority_cut(a);
	a->accept = sd_event_source_disable_unref(a->accept);
	if (a->listen_fd >= 0)
		(void)close(a->listen_fd);
	a->listen_fd = -1;
	(void)unlink(a->path);
}

void lab_authority_sign_all(struct lab *lab)
{
	struct fake_authority *a = lab->authority;

	for (uint32_t id = 1; id < a->next_slot; id++)
		if (a->slots[id].state == SLOT_SIGNED && a->slots[id].signature_n == 0)
			CHECK(sign_slot(a, id));
}

void lab_authority_send(struct lab *lab, const struct buf *packet)
{
	CHECK(authority_send(lab->authority, packet));
}

/* --- the lab --- */

static int listen_tcp(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	address.sin_addr.s_addr = htonl(INADDR_ANY);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static struct gate_limits limits_of(const struct lab_options *options)
{
	struct gate_limits l = GATE_LIMITS_DEFAULT;
	const struct gate_limits *o = &options->limits;

#define OVERRIDE(member, unit) l.member = (o->member ? o->member : l.member) * (unit)
	OVERRIDE(our_flight_usec, test_slow());
	OVERRIDE(no_link_usec, test_slow());
	OVERRIDE(client_usec, test_slow());
	OVERRIDE(call_usec, test_slow());
	OVERRIDE(answer_usec, test_slow());
	OVERRIDE(linger_usec, test_slow());
	OVERRIDE(yield_usec, test_slow());
	OVERRIDE(stop_usec, test_slow());
	OVERRIDE(connections, 1);
	OVERRIDE(per_source, 1);
#undef OVERRIDE
	return l;
}

static void exec_program(struct lab *lab, const struct lab_options *options, const char *notify)
{
	char pid[16];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	(void)dup2(lab->listen_fd, 3);
	(void)fcntl(3, F_SETFD, 0); /* also when it was 3 */
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	(void)setenv("LISTEN_FDNAMES", "gate", 1);
	(void)setenv("NOTIFY_SOCKET", notify, 1);
	if (options->watchdog_usec) {
		(void)setenv("WATCHDOG_PID", pid, 1);
		(void)setenv("WATCHDOG_USEC", options->watchdog_usec, 1);
	}
	(void)execl(options->program, options->program, "--link", lab->authority->path, "--threads",
		    "1", NULL);
	_exit(127);
}

static void lab_spawn(struct lab *lab, const struct lab_options *options)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	lab->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(lab->notify_fd >= 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", lab->dir);
	assert_int_equal(bind(lab->notify_fd, (const struct sockaddr *)&address, sizeof(address)),
			 0);
	lab->pid = fork();
	assert_true(lab->pid >= 0);
	if (lab->pid == 0)
		exec_program(lab, options, address.sun_path);
}

struct lab *lab_new(const struct lab_options *options)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct fake_authority *a = calloc(1, sizeof(*a));
	struct gate_options gate = { .limits = limits_of(options) };

	assert_non_null(lab);
	assert_non_null(a);
	strcpy(lab->dir, "/tmp/certlogin-gate-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	CHECK(sd_event_new(&lab->event));
	lab->authority = a;
	a->event = lab->event;
	a->server = lab_pair(options->server);
	a->link_fd = a->listen_fd = -1;
	a->next_slot = 1;
	(void)snprintf(a->path, sizeof(a->path), "%s/link", lab->dir);
	(void)snprintf(lab->gate_path, sizeof(lab->gate_path), "%s/gate", lab->dir);
	if (!options->no_authority)
		lab_authority_start(lab);
	lab->listen_fd =
		options->tcp ? listen_tcp(&lab->port) : listen_unix(lab->gate_path, SOCK_STREAM);
	gate.event = lab->event;
	gate.listen_fd = lab->listen_fd;
	gate.link_path = a->path;
	if (options->program)
		lab_spawn(lab, options);
	else
		assert_int_equal(gate_new(&gate, &lab->gate), 0);
	return lab;
}

void lab_free(struct lab *lab)
{
	unsigned violations = lab->authority->n_violations;
	char path[80];

	assert_true(lab->authority->fresh_max <= LIMIT_NONCES_AHEAD);
	gate_free(lab->gate);
	if (lab->pid > 0) {
		(void)kill(lab->pid, SIGKILL);
		(void)waitpid(lab->pid, NULL, 0);
		(void)close(lab->notify_fd);
		(void)snprintf(path, sizeof(path), "%s/notify", lab->dir);
		(void)unlink(path);
	}
	lab_authority_stop(lab);
	(void)close(lab->listen_fd);
	sd_event_unref(lab->event);
	(void)unlink(lab->gate_path);
	(void)rmdir(lab->dir);
	free(lab->authority);
	free(lab);
	assert_int_equal(violations, 0);
}

int lab_connect(struct lab *lab, const char *address)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET }, from = { .sin_family = AF_INET };
	const int one = 1;
	int fd;

	if (!lab->port) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(fd >= 0);
		strcpy(un.sun_path, lab->gate_path);
		assert_int_equal(connect(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
		return fd;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address ? address : "127.0.0.1", &from.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	in.sin_port = htons(lab->port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* --- clients --- */

char *make_commit(const uint8_t ticket_hash[SHA256_BYTES], const char *login_id,
		  const char *account, const char *service)
{
	char hash[BASE64_SIZE(SHA256_BYTES)], *text;

	base64_encode(ticket_hash, SHA256_BYTES, hash);
	assert_true(asprintf(&text,
			     "{\"method\":\"org.certlogin.Login.Commit\",\"parameters\":{"
			     "\"ticketHash\":\"%s\","
			     "\"loginId\":\"%s\",\"account\":\"%s\",\"service\":\"%s\"}}",
			     hash, login_id, account, service) > 0);
	return text;
}

static int client_retrieve(gnutls_session_t session,
			   _unused_ const struct gnutls_cert_retr_st *info,
			   gnutls_pcert_st **ret_chain, unsigned *ret_n,
			   _unused_ gnutls_ocsp_data_st **ret_ocsp, _unused_ unsigned *ret_ocsp_n,
			   gnutls_privkey_t *ret_key, unsigned *ret_flags)
{
	const struct client *c = gnutls_session_get_ptr(session);

	*ret_n = 0;
	*ret_flags = 0;
	if (!c->pair)
		return 0;
	*ret_chain = (gnutls_pcert_st *)(uintptr_t)c->pair->chain;
	*ret_n = c->pair->n_chain;
	*ret_key = c->pair->key;
	return 0;
}

static void client_set_alpn(struct client *c, const struct client_options *o,
			    const char *commitment)
{
	const char *const usual[] = { ALPN_PROTOCOL, commitment, NULL };
	const char *const *names = o->alpn[0] ? o->alpn : usual;
	gnutls_datum_t protocols[10];
	unsigned n = 0;

	for (; names[n] && *names[n]; n++)
		protocols[n] = (gnutls_datum_t){ (uint8_t *)(uintptr_t)names[n],
						 (unsigned)strlen(names[n]) };
	if (n > 0)
		CHECK(gnutls_alpn_set_protocols(c->session, protocols, n, 0));
}

static void client_set_call(struct client *c, const struct client_options *o)
{
	const uint8_t ticket[TICKET_BYTES] = { 1, 2, 3 };
	struct commitment commitment = { .account = o->account ? o->account : "alice",
					 .service = o->service ? o->service : "sshd" };
	char name[COMMITMENT_NAME_SIZE];

	commitment_ticket_hash(ticket, commitment.ticket_hash);
	CHECK(commitment_name(&commitment, name));
	client_set_alpn(c, o, name);
	if (o->silent)
		return;
	c->call = o->call ? NULL
			  : make_commit(commitment.ticket_hash, "", commitment.account,
					commitment.service);
	c->call_n = o->call_n ? o->call_n : strlen(o->call ? o->call : c->call) + 1;
	if (o->call) {
		c->call = malloc(c->call_n);
		assert_non_null(c->call);
		memcpy(c->call, o->call, c->call_n);
	}
}

struct client *client_new(struct lab *lab, const struct client_options *options)
{
	struct client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->begun = seconds();
	c->fd = lab_connect(lab, options->address);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
	c->pair = options->pair;
	CHECK(gnutls_init(&c->session,
			  GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | options->flags));
	CHECK(gnutls_certificate_allocate_credentials(&c->credentials));
	gnutls_certificate_set_retrieve_function3(c->credentials, client_retrieve);
	CHECK(gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials));
	CHECK(gnutls_priority_set_direct(c->session,
					 options->priority ? options->priority : "NORMAL", NULL));
	gnutls_session_set_ptr(c->session, c);
	gnutls_transport_set_int(c->session, c->fd);
	client_set_call(c, options);
	return c;
}

struct client *client_free(struct client *c)
{
	gnutls_deinit(c->session);
	gnutls_certificate_free_credentials(c->credentials);
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->call);
	free(c);
	return NULL;
}

static void client_fail(struct client *c, int error)
{
	c->over = true;
	c->error = error;
	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
		c->alert = (int)gnutls_alert_get(c->session);
}

static void client_handshake(struct client *c)
{
	int r = gnutls_handshake(c->session);

	if (r < 0 && gnutls_error_is_fatal(r))
		client_fail(c, r);
	if (r != 0)
		return;
	c->established = true;
	c->established_after = seconds() - c->begun;
	if (c->call_n > 0)
		CHECK(gnutls_record_send(c->session, c->call, c->call_n));
}

static void client_step(struct client *c)
{
	ssize_t n;

	if (c->over)
		return;
	if (!c->established) {
		client_handshake(c);
		return;
	}
	n = gnutls_record_recv(c->session, c->reply + c->reply_n,
			       sizeof(c->reply) - 1 - c->reply_n);
	if (n > 0)
		c->reply_n += (size_t)n;
	if (n == 0)
		c->over = c->bye = true;
	if (n < 0 && gnutls_error_is_fatal((int)n))
		client_fail(c, (int)n);
}

static bool all_over(struct client **clients, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!clients[i]->over)
			return false;
	return true;
}

static void lab_step(struct lab *lab, struct client **clients, size_t n)
{
	CHECK(sd_event_run(lab->event, 500));
	while (sd_event_run(lab->event, 0) > 0)
		;
	for (size_t i = 0; i < n; i++)
		client_step(clients[i]);
}

void lab_run(struct lab *lab, struct client **clients, size_t n, unsigned ms)
{
	double end = seconds() + ms * 1e-3;

	while (!all_over(clients, n)) {
		lab_step(lab, clients, n);
		if (seconds() > end)
			fail_msg("not over after %u ms", ms);
	}
}

void lab_run_for(struct lab *lab, struct client **clients, size_t n, unsigned ms)
{
	double end = seconds() + ms * 1e-3;

	while (seconds() < end)
		lab_step(lab, clients, n);
}

void lab_run_until(struct lab *lab, struct client **clients, size_t n, const unsigned *value,
		   unsigned wanted, unsigned ms)
{
	double end = seconds() + ms * 1e-3;

	while (*value != wanted) {
		lab_step(lab, clients, n);
		if (seconds() > end)
			fail_msg("%u, not %u, after %u ms", *value, wanted, ms);
	}
}

size_t lab_read_to_end(struct lab *lab, int fd, uint8_t *ret, size_t cap, unsigned ms)
{
	double end = seconds() + ms * 1e-3;
	size_t n = 0;

	for (;;) {
		ssize_t k = recv(fd, ret + n, cap - n, MSG_DONTWAIT);

		if (k == 0 || (k < 0 && errno != EAGAIN))
			return n;
		n += k > 0 ? (size_t)k : 0;
		lab_step(lab, NULL, 0);
		if (seconds() > end)
			fail_msg("not closed after %u ms", ms);
	}
}
