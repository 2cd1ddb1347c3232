/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_GATE_LAB_H
#define TESTS_GATE_LAB_H

/*
 * A gate, an authority that keeps wire.def to the letter, and GnuTLS clients, all in one event loop
 * and one thread.  The authority counts as a violation whatever the real one would close the link
 * for; lab_free() requires that there was none.
 */

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "daemon/gate/gate.h"
#include "daemon/wire/wire.h"
#include "lib/pki/cert.h"
#include "lib/pki/commitment.h"

/* A certificate and its key, made once a run. */
struct pair {
	gnutls_privkey_t key;
	gnutls_pcert_st chain[8];
	unsigned n_chain;
	gnutls_datum_t der; /* of the leaf */
};

enum pair_kind { PAIR_P256, PAIR_P384, PAIR_ED25519, PAIR_RSA, PAIR_KINDS };
struct pair *lab_pair(enum pair_kind kind);
/* n certificates; each carries `padding` bytes more */
void pair_make_chain(struct pair *ret, enum pair_kind kind, unsigned n, size_t padding);
/* an RSA certificate of this size, whose key nobody has */
void pair_make_huge(struct pair *ret, unsigned bits, unsigned e_bits);
void pair_free(struct pair *p);

#define AUTHORITY_SLOTS 4096

struct authority_slot {
	unsigned state;
	uint8_t nonce[32];
	struct buf prefix;
	uint8_t signature[512];
	size_t signature_n;
	int hash_len;
	char commitment[COMMITMENT_NAME_SIZE];
};

struct fake_authority {
	sd_event *event;
	const struct pair *server;
	char path[64];
	int listen_fd, link_fd;
	sd_event_source *accept, *io;
	struct authority_slot slots[AUTHORITY_SLOTS];
	uint32_t next_slot;

	/* what it does */
	bool mute_sign, mute_commit, mute_nonces, refuse, wrong_signature;
	unsigned nonces_at_most; /* 0: as many as wanted */

	/* what it saw */
	unsigned n_links, n_sign, n_prove, n_commit, n_describe, n_close, n_violations;
	unsigned fresh, fresh_max;
	char source[SOURCE_TEXT_SIZE];
	char account[LIMIT_ACCOUNT + 1], service[LIMIT_SERVICE + 1];
	size_t login_id_n;
	uint8_t leaf_sha256[SHA256_BYTES];
};

struct lab {
	sd_event *event;
	char dir[40], gate_path[64];
	int listen_fd;
	uint16_t port; /* 0: AF_UNIX */
	struct fake_authority *authority;
	struct gate *gate; /* NULL: it is a program of its own */
	pid_t pid;
	int notify_fd;
};

struct lab_options {
	enum pair_kind server;
	bool tcp;
	bool no_authority;
	struct gate_limits limits; /* zeros: defaults */
	const char *program;	   /* NULL: in this process; else as systemd starts it */
	const char *watchdog_usec;
};

struct lab *lab_new(const struct lab_options *options);
void lab_free(struct lab *lab);
void lab_authority_stop(struct lab *lab); /* listens no more, and cuts the link */
void lab_authority_start(struct lab *lab);
void lab_authority_sign_all(struct lab *lab); /* what mute_sign held back */
void lab_authority_send(struct lab *lab, const struct buf *packet);

struct client_options {
	const struct pair *pair;       /* NULL: no certificate */
	const char *priority;	       /* NULL: NORMAL */
	const char *alpn[10];	       /* NULL first: certlogin/1 and the commitment */
	const char *account, *service; /* committed to and called with; NULL: alice, sshd */
	const char *call;	       /* NULL: the Commit that fits */
	size_t call_n;		       /* 0: with its NUL */
	bool silent;		       /* makes no call */
	unsigned flags;		       /* for gnutls_init */
	const char *address;	       /* TCP: where it comes from */
};

struct client {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	const struct pair *pair;
	char *call;
	size_t call_n;
	bool established, over; /* over: failed, or the gate has closed */
	bool bye;		/* by close_notify */
	int error, alert;
	char reply[8192];
	size_t reply_n;
	double established_after; /* seconds from its making */
	double begun;
};

struct client *client_new(struct lab *lab, const struct client_options *options);
struct client *client_free(struct client *c);
/* Runs everything until each of them is over; fails the test after `ms`. */
void lab_run(struct lab *lab, struct client **clients, size_t n, unsigned ms);
/* ... for so long; clients may be NULL */
void lab_run_for(struct lab *lab, struct client **clients, size_t n, unsigned ms);
/* ... until *value == wanted */
void lab_run_until(struct lab *lab, struct client **clients, size_t n, const unsigned *value,
		   unsigned wanted, unsigned ms);

/* A bare connection. */
int lab_connect(struct lab *lab, const char *address);
/* Runs until the gate has closed fd (gives the bytes it sent), or fails after ms. */
size_t lab_read_to_end(struct lab *lab, int fd, uint8_t *ret, size_t cap, unsigned ms);

/* The fitting Commit call, as a string with NUL; gives. */
char *make_commit(const uint8_t ticket_hash[SHA256_BYTES], const char *login_id,
		  const char *account, const char *service);
/* The lab's time: of its bounds, and of the limits of a gate in this process.  Slower in valgrind
 * (tests/harness/slow.h). */
double seconds(void);

#endif
