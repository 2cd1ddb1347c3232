/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_KEYS_LAB_H
#define TESTS_KEYS_LAB_H

/*
 * An agent that says what a test has it say, behind a real socket, in a thread; and files in a
 * directory of the test's own.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/keys/keys.h"
#include "lib/base/buf.h"
#include "lib/pki/sshkey.h"
#include "tests/harness/pki-make.h"

enum {
	AGENT_FAILURE = 5,
	AGENT_SUCCESS = 6,
	AGENT_REQUEST_IDENTITIES = 11,
	AGENT_IDENTITIES_ANSWER = 12,
	AGENT_SIGN_REQUEST = 13,
	AGENT_SIGN_RESPONSE = 14
};

#define LAB_PATH_SIZE 64 /* fits into a sockaddr_un */

static char lab_dir[] = "/tmp/certlogin-keys-XXXXXX";

static inline const char *lab_path(const char *name, char ret[LAB_PATH_SIZE])
{
	assert_in_range(snprintf(ret, LAB_PATH_SIZE, "%s/%s", lab_dir, name), 1, LAB_PATH_SIZE - 1);
	return ret;
}

static inline void lab_write(const char *path, mode_t mode, const void *p, size_t n)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/* --- messages --- */

static inline void put_string(struct buf *b, const void *p, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, p, n);
}

/* With its length, as it goes over the socket. */
static inline void put_message(struct buf *b, const struct buf *body)
{
	put_string(b, body->p, body->n);
}

static inline void put_identity(struct buf *b, const struct pki *p, const char *comment)
{
	_cleanup_(buf_deinitp) struct buf blob = { 0 };

	assert_int_equal(ssh_blob_from_cert(p->cert, &blob), 0);
	put_string(b, blob.p, blob.n);
	put_string(b, comment, strlen(comment));
}

/* The body of an answer that lists these; NULL ends. */
static inline void put_identities(struct buf *b, const struct pki *const *all)
{
	uint32_t n = 0;

	while (all[n])
		n++;
	buf_put_u8(b, AGENT_IDENTITIES_ANSWER);
	buf_put_u32(b, n);
	for (uint32_t i = 0; i < n; i++)
		put_identity(b, all[i], "a comment");
}

/* --- the agent --- */

struct agent_script {
	/* the test's part: bytes, lengths included; empty: never an answer */
	struct buf list, sign;
	bool hang_up; /* after an answer */
	bool hang_up_signing;
	unsigned drip; /* bytes a write; 0: all */
	/* what happened */
	unsigned connections, lists, signs;
	struct buf signed_blob, signed_data;
	/* its own */
	struct sockaddr_un address;
	int fd;
	pthread_t thread;
};

static inline bool lab_read(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

static inline void agent_note(struct agent_script *s, uint8_t type, struct view in)
{
	struct view blob, data;

	if (type == AGENT_REQUEST_IDENTITIES)
		s->lists++;
	if (type != AGENT_SIGN_REQUEST || view_vec32(&in, &blob) < 0 || view_vec32(&in, &data) < 0)
		return;
	s->signs++;
	buf_deinit(&s->signed_blob);
	buf_deinit(&s->signed_data);
	s->signed_blob = s->signed_data = (struct buf){ 0 };
	buf_put(&s->signed_blob, blob.p, blob.n);
	buf_put(&s->signed_data, data.p, data.n);
}

static inline bool agent_answer(struct agent_script *s, int fd)
{
	uint8_t body[4096], type;
	struct view in = { body, 4 };
	const struct buf *b;
	uint32_t n;

	if (!lab_read(fd, body, 4) || view_u32(&in, &n) < 0 || n > sizeof(body) ||
	    !lab_read(fd, body, n))
		return false;
	in = (struct view){ body, n };
	if (view_u8(&in, &type) < 0)
		return false;
	agent_note(s, type, in);
	b = type == AGENT_SIGN_REQUEST ? &s->sign : &s->list;
	for (size_t k = 0; k < b->n;) {
		size_t step = s->drip && s->drip < b->n - k ? s->drip : b->n - k;

		if (send(fd, b->p + k, step, MSG_NOSIGNAL) < 0)
			return false;
		k += step;
	}
	return !s->hang_up && !(s->hang_up_signing && type == AGENT_SIGN_REQUEST);
}

static inline void *agent_run(void *userdata)
{
	struct agent_script *s = userdata;
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		s->connections++;
		while (agent_answer(s, fd))
			;
		(void)close(fd);
	}
	return NULL;
}

/* Its socket, good until agent_stop(). */
static inline const char *agent_start(struct agent_script *s)
{
	char path[LAB_PATH_SIZE];

	s->address.sun_family = AF_UNIX;
	strcpy(s->address.sun_path, lab_path("agent", path));
	(void)unlink(s->address.sun_path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&s->address, sizeof(s->address)), 0);
	assert_int_equal(listen(s->fd, 4), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, agent_run, s), 0);
	return s->address.sun_path;
}

/* After all keys are freed: it waits for the last connection to end. */
static inline void agent_stop(struct agent_script *s)
{
	assert_int_equal(shutdown(s->fd, SHUT_RDWR), 0);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	assert_int_equal(close(s->fd), 0);
	assert_int_equal(unlink(s->address.sun_path), 0);
}

static inline void agent_deinit(struct agent_script *s)
{
	buf_deinit(&s->list);
	buf_deinit(&s->sign);
	buf_deinit(&s->signed_blob);
	buf_deinit(&s->signed_data);
}

/* --- certificates known here --- */

struct directory {
	const struct pki *known[LIMIT_FIND_SPKIS];
	size_t n;
	int error;
	unsigned calls;
};

static inline int directory_find(void *userdata, const struct view *spkis, size_t n,
				 struct cert **ret, size_t max, size_t *ret_n)
{
	struct directory *d = userdata;

	d->calls++;
	*ret_n = 0;
	if (d->error < 0)
		return d->error;
	for (size_t k = 0; k < d->n; k++) {
		const struct cert *c = d->known[k]->cert;

		for (size_t i = 0; i < n && *ret_n < max; i++)
			if (view_is(&c->spki, spkis[i].p, spkis[i].n) &&
			    cert_parse(c->der.p, c->der.n, &ret[*ret_n]) == 0)
				++*ret_n;
	}
	return 0;
}

static inline void free_keys(struct prove_key **keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		keys[i] = prove_key_free(keys[i]);
}

#endif
