// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/crl-import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/pki/der.h"

/* --- the thread --- */

static struct view serial_at(const struct crl *crl, uint32_t offset)
{
	struct view in = { crl->entries.p + offset, crl->entries.n - offset }, entry,
		    serial = { 0 };

	if (der_expect(&in, DER_SEQUENCE, &entry) == 0)
		(void)der_expect(&entry, DER_INTEGER, &serial);
	return serial;
}

/* As SQLite orders BLOBs, so that the rows go into its tree from one end to the other. */
static int by_serial(const void *a, const void *b, void *userdata)
{
	struct view x = serial_at(userdata, *(const uint32_t *)a),
		    y = serial_at(userdata, *(const uint32_t *)b);
	int r = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return r ? r : (x.n > y.n) - (x.n < y.n);
}

static int sort(struct crl_reader *r)
{
	struct view in = r->crl.entries;
	struct crl_entry e;

	r->order = malloc((r->crl.n_entries + 1) * sizeof(*r->order));
	if (!r->order)
		return -ENOMEM;
	while (in.n > 0 && r->n < r->crl.n_entries) {
		r->order[r->n++] = (uint32_t)(in.p - r->crl.entries.p);
		if (crl_next(&in, &e) < 0)
			return -EBADMSG;
	}
	qsort_r(r->order, r->n, sizeof(*r->order), by_serial, &r->crl);
	return 0;
}

static enum crl_fault verify(struct crl_reader *r)
{
	enum crl_fault fault = CRL_NO_SIGNER;

	for (size_t i = 0; i < r->n_anchors; i++) {
		enum crl_fault f = crl_verify(&r->crl, (const struct cert *const *)r->certs,
					      r->n_certs, &r->anchors[i], r->now, &r->signer);

		if (f == CRL_GOOD) {
			r->anchor = i;
			return f;
		}
		fault = f > fault ? f : fault; /* the one that went furthest tells most */
	}
	return fault;
}

void crl_reader_run(struct crl_reader *r)
{
	r->fault = crl_read(r->der, &r->crl);
	if (r->fault == CRL_GOOD)
		r->fault = verify(r);
	if (r->fault == CRL_GOOD)
		r->fault = crl_scan(&r->crl);
	if (r->fault == CRL_GOOD && r->crl.scope.indirect)
		r->fault = CRL_INDIRECT;
	if (r->fault == CRL_GOOD && r->crl.base.n > 0)
		r->fault = CRL_DELTA;
	if (r->fault == CRL_GOOD && r->crl.this_update > r->now + (int64_t)LIMIT_CLOCK_SKEW_USEC)
		r->fault = CRL_FUTURE;
	if (r->fault == CRL_GOOD) {
		int e = sort(r);

		r->no_memory = e == -ENOMEM;
		r->fault = e < 0 ? CRL_MALFORMED : CRL_GOOD;
	}
}

static void *run(void *userdata)
{
	struct crl_reader *r = userdata;
	const uint64_t one = 1;

	crl_reader_run(r);
	while (write(r->done, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

/* --- the import --- */

struct crl_import *crl_import_free(struct crl_import *i)
{
	struct crl_reader *r;

	if (!i)
		return NULL;
	r = &i->reader;
	if (i->joinable)
		(void)pthread_join(i->thread, NULL);
	sd_event_source_disable_unref(i->watch);
	if (i->waiting)
		vl_call_drop(i->waiting);
	for (size_t n = 0; n < r->n_certs; n++)
		cert_free(r->certs[n]);
	free(r->certs);
	free(r->anchors);
	free(r->order);
	if (i->map)
		(void)munmap(i->map, i->size);
	if (i->fd >= 0)
		(void)close(i->fd);
	if (r->done >= 0)
		(void)close(r->done);
	if (i->a->crl_import == i)
		i->a->crl_import = NULL;
	free(i);
	return NULL;
}

static int copy_cert(struct crl_reader *r, const struct cert *cert)
{
	int e = cert_parse(cert->der.p, cert->der.n, &r->certs[r->n_certs]);

	r->n_certs += e == 0;
	return e;
}

/* The thread gets certificates of its own: the authority's may be read again meanwhile. */
static int take_certs(struct crl_import *i, const char *anchor, struct cert **signers,
		      size_t n_signers)
{
	const struct authority *a = i->a;
	struct crl_reader *r = &i->reader;
	int e = 0;

	r->certs = calloc(a->n_anchors + n_signers + 1, sizeof(*r->certs));
	r->anchors = calloc(a->n_anchors + 1, sizeof(*r->anchors));
	for (size_t n = 0; n < n_signers; n++)
		if (r->certs)
			r->certs[r->n_certs++] = signers[n];
		else
			cert_free(signers[n]);
	if (!r->certs || !r->anchors)
		return -ENOMEM;
	for (size_t n = 0; e == 0 && n < a->n_anchors; n++) {
		const struct anchor *from = &a->anchors[n];

		if (!from->cert)
			continue;
		e = copy_cert(r, from->cert);
		if (e < 0 || from->kind != ANCHOR_CA || (anchor && strcmp(from->name, anchor) != 0))
			continue;
		r->anchors[r->n_anchors] = *from;
		r->anchors[r->n_anchors].name = "";
		r->anchors[r->n_anchors].policy.policies = NULL;
		r->anchors[r->n_anchors++].cert = r->certs[r->n_certs - 1];
	}
	return e < 0 ? e : r->n_anchors > 0 ? 0 : -ENOENT;
}

static int open_spool(const char *dir)
{
	int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		fd = memfd_create("crl", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int crl_import_new(struct authority *a, struct vl_conn *conn, const char *anchor,
		   const char *source, size_t size, struct cert **signers, size_t n_signers,
		   struct crl_import **ret)
{
	static int64_t ids;
	struct crl_import *i = a->crl_import ? NULL : calloc(1, sizeof(*i));
	int r;

	if (!i) {
		for (size_t n = 0; n < n_signers; n++)
			cert_free(signers[n]);
		return a->crl_import ? -EBUSY : -ENOMEM;
	}
	*i = (struct crl_import){ .a = a, .conn = conn, .id = ++ids, .size = size, .fd = -1 };
	i->reader.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)snprintf(i->source, sizeof(i->source), "%s", source ? source : "");
	r = take_certs(i, anchor, signers, n_signers);
	if (r == 0 && i->reader.done < 0)
		r = -errno;
	if (r == 0) {
		i->fd = open_spool(a->backup_dir);
		r = i->fd < 0 ? i->fd : 0;
	}
	if (r < 0) {
		crl_import_free(i);
		return r;
	}
	a->crl_import = *ret = i;
	return 0;
}

int crl_import_put(struct crl_import *i, const uint8_t *p, size_t n)
{
	if (n > i->size - i->have)
		return -EMSGSIZE;
	while (n > 0) {
		ssize_t k = write(i->fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -EIO;
		p += k;
		n -= (size_t)k;
		i->have += (size_t)k;
	}
	return 0;
}

int crl_import_read(struct crl_import *i, sd_event_io_handler_t finished)
{
	int r;

	i->map = mmap(NULL, i->size, PROT_READ, MAP_PRIVATE, i->fd, 0);
	if (i->map == MAP_FAILED) {
		i->map = NULL;
		return -errno;
	}
	i->reader.der = (struct view){ i->map, i->size };
	i->reader.now = authority_now(i->a);
	r = sd_event_add_io(i->a->event, &i->watch, i->reader.done, EPOLLIN, finished, i);
	if (r < 0)
		return r;
	r = -pthread_create(&i->thread, NULL, run, &i->reader);
	i->joinable = r == 0;
	if (r == 0)
		i->state = CRL_READING;
	return r;
}
