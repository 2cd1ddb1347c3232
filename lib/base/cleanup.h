/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

/*
 * Ownership by scope: a variable marked _cleanup_(f) is released when it goes out of scope;
 * STEAL() hands it on.  Destructors take NULL and half-built objects and return NULL.
 */

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))

#define STEAL(p)                                                                                   \
	({                                                                                         \
		__typeof__(p) *steal_p_ = &(p);                                                    \
		__typeof__(p) steal_v_ = *steal_p_;                                                \
		*steal_p_ = NULL;                                                                  \
		steal_v_;                                                                          \
	})

#define STEAL_FD(fd)                                                                               \
	({                                                                                         \
		int *steal_p_ = &(fd);                                                             \
		int steal_v_ = *steal_p_;                                                          \
		*steal_p_ = -1;                                                                    \
		steal_v_;                                                                          \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Defines x_freep() for `struct x *x_free(struct x *)`. */
#define DEFINE_FREEP(type, func)                                                                   \
	static inline void func##p(type **p)                                                       \
	{                                                                                          \
		func(*p);                                                                          \
	}                                                                                          \
	struct cleanup_semicolon_

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#endif
