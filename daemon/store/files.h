/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <stddef.h>
#include <stdint.h>

/* The plain files beside the database.  All 0 or negative errno; durable when they return 0. */
int file_create(const char *path);     /* 0600; an existing one is left as it is */
int file_create_new(const char *path); /* 0600; -EEXIST */
int file_sync(const char *path);       /* the file and its directory */
int file_fill(const char *path,
	      size_t bytes); /* allocated, not sparse; an existing full one stays */
int file_read_u64(const char *path, uint64_t *ret);
int file_write_u64(const char *path, uint64_t value); /* replaces atomically */
int file_set_aside(const char *path, int64_t now);    /* with -wal; as PATH.corrupt-TIME */

#endif
