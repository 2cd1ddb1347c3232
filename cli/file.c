// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read_max(const char *path, size_t max, struct buf *ret)
{
	_cleanup_(closep) int own = -1;
	int fd = STDIN_FILENO;

	if (strcmp(path, "-") != 0) {
		fd = own = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return -errno;
	}
	for (;;) {
		uint8_t chunk[4096];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf_put(ret, chunk, (size_t)n);
		explicit_bzero(chunk, sizeof(chunk)); /* it may be a key */
		if (ret->n > max)
			return -EFBIG;
		if (n == 0)
			break;
	}
	buf_put_u8(ret, 0);
	if (ret->error)
		return ret->error;
	ret->n--;
	return 0;
}

int file_read(const char *path, struct buf *ret)
{
	return file_read_max(path, FILE_MAX_BYTES, ret);
}

static int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

static int sync_parent(const char *path)
{
	char dir[PATH_SIZE] = ".";
	const char *slash = strrchr(path, '/');
	_cleanup_(closep) int fd = -1;

	if (slash)
		(void)snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path),
			       path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* `place`: how the finished file gets its name. */
static int write_by(const char *path, mode_t mode, const void *p, size_t n,
		    int (*place)(const char *, const char *))
{
	_cleanup_(closep) int fd = -1;
	char temp[PATH_SIZE];
	int r, len;

	len = snprintf(temp, sizeof(temp), "%s.%d.new", path, (int)getpid());
	if (len < 0 || (size_t)len >= sizeof(temp))
		return -ENAMETOOLONG;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, p, n);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r == 0 && place(temp, path) < 0)
		r = -errno;
	(void)unlink(temp); /* after rename() it is not there any more */
	return r < 0 ? r : sync_parent(path);
}

int file_write_new(const char *path, mode_t mode, const void *p, size_t n)
{
	return write_by(path, mode, p, n, link);
}

int file_write(const char *path, mode_t mode, const void *p, size_t n)
{
	return write_by(path, mode, p, n, rename);
}

int file_append_line(const char *path, mode_t mode, const char *line)
{
	_cleanup_(closep) int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	int r;

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return -errno;
	r = write_all(fd, line, strlen(line));
	if (r == 0)
		r = write_all(fd, "\n", 1);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int dir_make(const char *path, mode_t mode)
{
	char part[PATH_SIZE];

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	for (const char *slash = path; slash;) {
		slash = strchr(slash + 1, '/');
		(void)snprintf(part, sizeof(part), "%.*s",
			       slash ? (int)(slash - path) : (int)strlen(path), path);
		if (mkdir(part, slash ? 0755 : mode) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int path_join(char ret[PATH_SIZE], const char *dir, const char *name)
{
	int n = snprintf(ret, PATH_SIZE, "%s/%s", dir, name);

	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

int path_user_config(char ret[PATH_SIZE], const char *name)
{
	const char *dir = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char sub[256];

	(void)snprintf(sub, sizeof(sub), "%scertlogin/%s", dir && *dir == '/' ? "" : ".config/",
		       name);
	if (dir && *dir == '/')
		return path_join(ret, dir, sub);
	if (!home || *home != '/') {
		const struct passwd *pw = getpwuid(getuid());

		home = pw ? pw->pw_dir : NULL;
	}
	return home ? path_join(ret, home, sub) : -ENOENT;
}
