/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AUTHORITY_CRL_IMPORT_H
#define AUTHORITY_CRL_IMPORT_H

#include <pthread.h>

#include "daemon/authority/authority.h"
#include "lib/pki/crl.h"

/*
 * The import of a CRL, however large, without a login having to wait for it: the bytes come in
 * pieces into a file without a name; a thread reads them, verifies the signature and sorts the
 * entries; then slices of LIMIT_CRL_SLICE entries go to the database, one for each call of whoever
 * imports, each in a turn of its own.  Nothing of it counts as fresh before the last slice; what was
 * added until then are revocations, which deny.  One import at a time; it ends with its connection.
 */

/*
 * All that the thread touches until `done` is written.  It knows no other object: certificates are
 * its own.
 */
struct crl_reader {
	struct view der;
	struct cert **certs; /* of CAs below an anchor, and signers that came with the CRL */
	size_t n_certs;
	struct anchor *anchors; /* to be tried; `cert` is one of its own, too */
	size_t n_anchors;
	int64_t now;
	int done; /* eventfd */

	enum crl_fault fault;
	struct crl crl;
	struct crl_signer signer;
	size_t anchor;	 /* that it was good for: index */
	uint32_t *order; /* offsets of the entries, by serial number */
	size_t n;
	bool no_memory;
};

enum crl_import_state {
	CRL_RECEIVING,
	CRL_READING,
	CRL_APPLYING, /* the reader is done, and the CRL is good */
};

struct crl_import {
	struct authority *a;
	struct vl_conn *conn;
	int64_t id;
	enum crl_import_state state;
	char source[LIMIT_URL + 1];
	size_t size, have;
	int fd;
	void *map;

	pthread_t thread;
	bool joinable;
	sd_event_source *watch;
	struct crl_reader reader;
	struct vl_call *waiting; /* ApplyCrl, for the reader */

	int64_t issuer, crl, seen; /* rows; when it began */
	size_t next;		   /* of reader.order */
};

/* Frees it, after its thread has ended. */
struct crl_import *crl_import_free(struct crl_import *i);

/* anchor: NULL for whichever it is good for.  signers: certificates, taken.  -EBUSY: another one. */
int crl_import_new(struct authority *a, struct vl_conn *conn, const char *anchor, const char *source,
		   size_t size, struct cert **signers, size_t n_signers, struct crl_import **ret);
int crl_import_put(struct crl_import *i, const uint8_t *p, size_t n); /* -EMSGSIZE: more than was said */
/* Starts the thread; `finished` is called once, from the event loop. */
int crl_import_read(struct crl_import *i, sd_event_io_handler_t finished);

/* The thread's work, for tests as well. */
void crl_reader_run(struct crl_reader *r);

#endif
