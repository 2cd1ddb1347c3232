// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main() of a fuzz target that is not being fuzzed: replays the files of its corpus, each whole,
 * cut short at every length, and with every octet changed, and prints TAP.  The corpus is the
 * directory $top_srcdir/tests/fuzz/NAME.in of a program named fuzz-NAME.  With --enable-fuzzing
 * (clang) the same targets are linked with libFuzzer instead: tests/fuzz/fuzz-NAME
 * tests/fuzz/NAME.in
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX (64 * 1024)
#define MUTATED_MAX 2048 /* longer files are replayed whole alone */

/* An exact allocation, so that the address sanitizer sees the first octet after it. */
static void one(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, p, n);
	(void)LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void replay(uint8_t *p, size_t n)
{
	one(p, n);
	if (n > MUTATED_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		uint8_t was = p[i];

		one(p, i);
		p[i] = (uint8_t)~was;
		one(p, n);
		p[i] = (uint8_t)(was + 1);
		one(p, n);
		p[i] = was;
	}
}

static size_t load(const char *path, uint8_t p[FILE_MAX])
{
	FILE *f = fopen(path, "rbe");
	size_t n = f ? fread(p, 1, FILE_MAX, f) : 0;

	if (f)
		(void)fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *src = getenv("top_srcdir");
	static uint8_t bytes[FILE_MAX];
	struct dirent *entry;
	char path[4096];
	int n = 0;
	DIR *dir;

	name = strstr(name ? name : argv[0], "fuzz-");
	if (argc > 1 || !name)
		return 2;
	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/%s.in", src ? src : ".", name + 5);
	dir = opendir(path);
	if (!dir) {
		printf("Bail out! no corpus at %s\n", path);
		return 99;
	}
	while ((entry = readdir(dir))) {
		char file[8192];
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		size = load(file, bytes);
		replay(bytes, size);
		printf("ok %d - %s\n", ++n, entry->d_name);
	}
	(void)closedir(dir);
	printf("1..%d\n", n);
	return n == 0;
}
