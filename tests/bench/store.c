// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Figures of the store alone: store [DIRECTORY [IDENTITIES]].  Each line: bench NAME VALUE UNIT,
 * beside the limit that the disk sets, an fdatasync of 4 KiB into a file that is already there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/store/store.h"

#define ROUND_USEC 1000000
#define LOOKUPS 100000

static uint64_t usec(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void die(const char *what, int r)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(-r));
	exit(1);
}

static void print(const char *name, double value, const char *unit)
{
	(void)printf("bench %s %.2f %s\n", name, value, unit);
}

static double syncs_per_second(const char *directory)
{
	_cleanup_(closep) int fd = -1;
	uint64_t start, n = 0;
	char path[300], page[4096] = { 1 };

	(void)snprintf(path, sizeof(path), "%s/sync", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, 1024 * (off_t)sizeof(page)) != 0 || fsync(fd) < 0)
		die(path, -errno);
	for (start = usec(CLOCK_MONOTONIC); usec(CLOCK_MONOTONIC) - start < ROUND_USEC; n++)
		if (pwrite(fd, page, sizeof(page), (off_t)((n % 1024) * sizeof(page))) < 0 ||
		    fdatasync(fd) < 0)
			die(path, -errno);
	return (double)n * 1e6 / (double)(usec(CLOCK_MONOTONIC) - start);
}

static void appends(struct store *s, unsigned rows_per_commit, double limit)
{
	const struct event e = {
		.kind = "login.redeem",
		.verdict = "allow",
		.identity = "alice",
		.account = "alice",
		.service = "sudo",
		.source = "uid 1001",
		.login_id = "7KQ2-M4XD-ABCD-E",
		.has_certificate = true,
		.detail = "{\"checks\":[\"proof\",\"chain\",\"validity\",\"access\"]}"
	};
	uint64_t start = usec(CLOCK_MONOTONIC), cpu = usec(CLOCK_PROCESS_CPUTIME_ID), wall, n = 0;
	char name[64];
	int r = 0;

	while (usec(CLOCK_MONOTONIC) - start < ROUND_USEC) {
		for (unsigned i = 0; i < rows_per_commit && r == 0; i++)
			r = store_event_append(s, &e, NULL);
		r = r < 0 ? r : store_commit(s);
		if (r < 0)
			die("append", r);
		n += rows_per_commit;
	}
	wall = usec(CLOCK_MONOTONIC) - start;
	cpu = usec(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	(void)snprintf(name, sizeof(name), "store-append-%u", rows_per_commit);
	print(name, (double)n * 1e6 / (double)wall, "rows/s");
	(void)snprintf(name, sizeof(name), "store-append-%u-cpu", rows_per_commit);
	print(name, (double)cpu / (double)n, "us/row");
	(void)snprintf(name, sizeof(name), "store-append-%u-of-limit", rows_per_commit);
	print(name, (double)n * 1e6 / (double)wall / limit / rows_per_commit, "x");
}

static void key_of(uint64_t i, uint8_t ret[SHA256_BYTES])
{
	sha256(&i, sizeof(i), ret);
}

static void enroll(struct store *s, uint64_t from, uint64_t to)
{
	static const uint8_t der[700] = { 0x30 }, serial[16] = { 1 };
	struct certificate_new c = { .der = der,
				     .der_n = sizeof(der),
				     .issuer = der,
				     .issuer_n = 60,
				     .serial = serial,
				     .serial_n = sizeof(serial),
				     .subject = "CN=somebody,O=Example",
				     .not_after = STORE_FOREVER };
	struct identity identity;
	char name[32];
	int r = 0;

	for (uint64_t i = from; i < to && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "user%" PRIu64, i);
		c.identity = name;
		key_of(i, c.sha256);
		key_of(~i, c.spki_sha256);
		r = store_identity_add(s, name, "", 0, STORE_FOREVER, &identity);
		if (r == 0)
			r = store_certificate_add(s, &c);
		if (r == 0 && i % 10000 == 9999)
			r = store_commit(s);
	}
	r = r < 0 ? r : store_commit(s);
	if (r < 0)
		die("enroll", r);
}

static double look_up(struct store *s, uint64_t identities)
{
	struct certificate_owner owner;
	uint8_t(*keys)[SHA256_BYTES] = calloc(LOOKUPS, sizeof(*keys));
	uint64_t cpu;
	char name[64];

	if (!keys)
		die("look up", -ENOMEM);
	for (uint64_t i = 0; i < LOOKUPS; i++)
		key_of(i * 2654435761U % identities, keys[i]);
	cpu = usec(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < LOOKUPS; i++) {
		int r = store_certificate_owner(s, keys[i], &owner);

		if (r < 0)
			die("look up", r);
	}
	cpu = usec(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	free(keys);
	(void)snprintf(name, sizeof(name), "store-owner-%" PRIu64, identities);
	print(name, (double)cpu / LOOKUPS, "us");
	return (double)cpu / LOOKUPS;
}

int main(int argc, char **argv)
{
	_cleanup_(store_closep) struct store *s = NULL;
	char directory[256], path[300], command[300];
	uint64_t many = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	const char *why = "";
	double limit, few;
	int r;

	(void)snprintf(directory, sizeof(directory), "%s/bench-store.XXXXXX",
		       argc > 1 ? argv[1] : "/var/tmp");
	if (!mkdtemp(directory))
		die(directory, -errno);
	(void)snprintf(path, sizeof(path), "%s/db", directory);
	r = store_open(&(struct store_options){ .path = path, .clock = &clock_system }, &s, &why);
	if (r < 0)
		die(why, r);
	limit = syncs_per_second(directory);
	print("store-sync-limit", limit, "syncs/s");
	appends(s, 1, limit);
	appends(s, 64, limit);
	enroll(s, 0, 1000);
	few = look_up(s, 1000);
	enroll(s, 1000, many);
	print("store-owner-growth", look_up(s, many) / few, "x");
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
