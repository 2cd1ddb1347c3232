/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"

/* Files that the CLI reads and makes.  0 or negative errno. */

#define FILE_MAX_BYTES (1024 * 1024)

/* Whole file ("-": stdin), with a NUL after it that is not counted; -EFBIG above FILE_MAX_BYTES. */
int file_read(const char *path, struct buf *ret);
/* The same with a bound of the caller's. */
int file_read_max(const char *path, size_t max, struct buf *ret);
/* A file that was not there before (-EEXIST), complete and on disk when its name appears. */
int file_write_new(const char *path, mode_t mode, const void *p, size_t n);
/* The same, but in place of what was there. */
int file_write(const char *path, mode_t mode, const void *p, size_t n);
/* One line behind what is there. */
int file_append_line(const char *path, mode_t mode, const char *line);
/* Makes the directory, and those above it, where they are missing. */
int dir_make(const char *path, mode_t mode);

/* dir/name; -ENAMETOOLONG */
#define PATH_SIZE 1024
int path_join(char ret[PATH_SIZE], const char *dir, const char *name);
/* A file in the caller's ~/.config/certlogin ($XDG_CONFIG_HOME is heeded); -ENOENT: no home. */
int path_user_config(char ret[PATH_SIZE], const char *name);

#endif
