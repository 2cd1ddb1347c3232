// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"

static int sync_directory(const char *path)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int create(const char *path, int flags)
{
	_cleanup_(closep) int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	if (fd < 0)
		return -errno;
	return sync_directory(path);
}

int file_create(const char *path)
{
	return create(path, 0);
}

int file_create_new(const char *path)
{
	return create(path, O_EXCL);
}

int file_sync(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return sync_directory(path);
}

int file_fill(const char *path, size_t bytes)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;
	int r;

	if (stat(path, &st) == 0 && (size_t)st.st_size == bytes)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = posix_fallocate(fd, 0, (off_t)bytes);
	if (r == 0 && fsync(fd) == 0)
		return 0;
	(void)unlink(path); /* half a ballast would only take the room that is needed */
	return r ? -r : -errno;
}

int file_read_u64(const char *path, uint64_t *ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[32], *end;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 2 || text[n - 1] != '\n')
		return n < 0 ? -errno : -EUCLEAN;
	text[n - 1] = '\0';
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *end ? -EUCLEAN : 0;
}

int file_write_u64(const char *path, uint64_t value)
{
	_cleanup_(closep) int fd = -1;
	char temporary[PATH_MAX], text[32];
	int n;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", path) >= sizeof(temporary))
		return -ENAMETOOLONG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
	if (write(fd, text, (size_t)n) != n || fsync(fd) < 0 || rename(temporary, path) < 0)
		return errno ? -errno : -EIO;
	return sync_directory(path);
}

int file_set_aside(const char *path, int64_t now)
{
	static const char *const suffixes[] = { "", "-wal" };
	char from[PATH_MAX], to[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		(void)snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		if ((size_t)snprintf(to, sizeof(to), "%s.corrupt-%" PRId64 "%s", path,
				     now / 1000000, suffixes[i]) >= sizeof(to))
			return -ENAMETOOLONG;
		if (rename(from, to) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}
