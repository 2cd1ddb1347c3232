/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_KEYS_AGENT_LAB_H
#define TESTS_KEYS_AGENT_LAB_H

/* People, and one connection to an agent that may lie.  Programs wrap the clock: see cli.am. */

#include <poll.h>

#include "tests/unit/keys-lab.h"

static struct pki ca, p256, p384, ed, rsa, stranger;

static inline int setup(_unused_ void **state)
{
	if (!mkdtemp(lab_dir))
		return -1;
	pki_make_ca("Test CA", &ca);
	pki_make_person("p256", KEY_P256, &ca, &p256);
	pki_make_person("p384", KEY_P384, &ca, &p384);
	pki_make_person("ed", KEY_ED25519, &ca, &ed);
	pki_make_person("rsa", KEY_RSA, &ca, &rsa);
	pki_make_person("stranger", KEY_P256, &ca, &stranger);
	return 0;
}

static inline int teardown(_unused_ void **state)
{
	struct pki *all[] = { &ca, &p256, &p384, &ed, &rsa, &stranger };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		pki_deinit(all[i]);
	return rmdir(lab_dir);
}

/* --- time: no test waits for a limit --- */

static uint64_t now = 1000 * USEC_PER_SEC, waited;
static bool time_flies; /* waiting takes all the time that it may */

uint64_t __wrap_vl_monotonic_usec(void);
int __real_ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts, const sigset_t *mask);

uint64_t __wrap_vl_monotonic_usec(void)
{
	return now;
}

int __wrap_ppoll(struct pollfd *p, nfds_t n, const struct timespec *ts, const sigset_t *mask)
{
	uint64_t usec = (uint64_t)ts->tv_sec * USEC_PER_SEC + (uint64_t)ts->tv_nsec / 1000;

	if (!time_flies)
		return __real_ppoll(p, n, ts, mask);
	now += usec;
	waited += usec;
	return 0;
}

/* --- one agent that says what it is told --- */

struct lab {
	struct agent_script agent;
	struct directory directory;
	struct key_context ctx;
	struct prove_key *keys[4];
	size_t n;
};

static inline void lab_know_all(struct lab *l)
{
	l->directory = (struct directory){ .known = { &p256, &p384, &ed, &rsa }, .n = 4 };
}

static inline void lab_list(struct lab *l, const struct buf *body)
{
	put_message(&l->agent.list, body);
}

static inline void lab_hold(struct lab *l, const struct pki *const *all)
{
	_cleanup_(buf_deinitp) struct buf body = { 0 };

	put_identities(&body, all);
	lab_list(l, &body);
}

static inline void lab_open(struct lab *l)
{
	l->ctx.find_certificates = directory_find;
	l->ctx.find_userdata = &l->directory;
	l->ctx.agent_socket = agent_start(&l->agent);
	l->n = 7;
	assert_int_equal(keys_agent_open(&l->ctx, l->keys, ARRAY_SIZE(l->keys), &l->n), 0);
}

static inline void lab_close(struct lab *l)
{
	free_keys(l->keys, l->n);
	agent_stop(&l->agent);
	agent_deinit(&l->agent);
}

static inline void lab_refused(struct lab *l, const char *why)
{
	lab_open(l);
	if (l->n != 0 || !strstr(l->ctx.why, why))
		fail_msg("%zu keys, why: %s", l->n, l->ctx.why);
	lab_close(l);
}

static inline void is_key_of(const struct prove_key *key, const struct pki *p)
{
	struct view der = { key->chain[0].cert.data, key->chain[0].cert.size };

	assert_true(view_is(&der, p->cert->der.p, p->cert->der.n));
	assert_null(key->key);
	assert_non_null(key->sign);
}

#endif
