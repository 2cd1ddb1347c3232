/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_CERTMAP_LAB_H
#define TESTS_UNIT_CERTMAP_LAB_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/pki/certmap.h"
#include "lib/pki/der.h"
#include "lib/pki/oid.h"

/* Certificates put together by hand: only what rules look at.  DER grows in an arena of one test.
 */

static uint8_t lab_arena[256 * 1024];
static size_t lab_used;

static int lab_reset(void **state)
{
	(void)state;
	lab_used = 0;
	return 0;
}

static inline struct view bytes(const void *p, size_t n)
{
	struct view v = { lab_arena + lab_used, n };

	assert_true(lab_used + n <= sizeof(lab_arena));
	memcpy(lab_arena + lab_used, p, n);
	lab_used += n;
	return v;
}
#define LIT(s) bytes(s, sizeof(s) - 1)

static inline struct view join(size_t n, const struct view *parts)
{
	struct view v = { lab_arena + lab_used, 0 };

	for (size_t i = 0; i < n; i++)
		v.n += bytes(parts[i].p, parts[i].n).n;
	return v;
}
#define JOIN(...)                                                                                  \
	join(sizeof((struct view[]){ __VA_ARGS__ }) / sizeof(struct view),                         \
	     (struct view[]){ __VA_ARGS__ })

static inline struct view tlv(uint8_t tag, struct view v)
{
	const uint8_t head[] = { tag, 0x82, (uint8_t)(v.n >> 8), (uint8_t)v.n };
	const uint8_t middle[] = { tag, 0x81, (uint8_t)v.n };
	const uint8_t small[] = { tag, (uint8_t)v.n };

	if (v.n >= 256)
		return JOIN(bytes(head, sizeof(head)), v);
	if (v.n >= 128)
		return JOIN(bytes(middle, sizeof(middle)), v);
	return JOIN(bytes(small, sizeof(small)), v);
}
#define TLV(tag, ...) tlv((tag), JOIN(__VA_ARGS__))

static inline struct view text(const char *s)
{
	return bytes(s, strlen(s));
}

static inline struct view dotted(const char *s)
{
	struct oid o;

	assert_int_equal(oid_parse(s, strlen(s), &o), 0);
	return TLV(DER_OID, bytes(o.p, o.n));
}

static inline struct view rdn(const char *type, uint8_t tag, struct view value)
{
	return TLV(DER_SET, TLV(DER_SEQUENCE, dotted(type), TLV(tag, value)));
}
#define CN(s) rdn("2.5.4.3", DER_UTF8, text(s))
#define OU(s) rdn("2.5.4.11", DER_UTF8, text(s))
#define DC(s) rdn("0.9.2342.19200300.100.1.25", DER_IA5, text(s))
#define NAME(...) TLV(DER_SEQUENCE, __VA_ARGS__)

#define GN(n, v) TLV(DER_CONTEXT(n), v)
#define MAIL(s) GN(1, text(s))
#define DNS(s) GN(2, text(s))
#define URI(s) GN(6, text(s))
#define OTHER(oid, ...) TLV(DER_CONTEXT_CONS(0), dotted(oid), TLV(DER_CONTEXT_CONS(0), __VA_ARGS__))
#define UPN(s) OTHER("1.3.6.1.4.1.311.20.2.3", TLV(DER_UTF8, text(s)))

#define GENERAL(s) TLV(0x1b, s)
#define KRB_NAME(...)                                                                              \
	TLV(DER_SEQUENCE, TLV(DER_CONTEXT_CONS(0), TLV(DER_INTEGER, LIT("\x01"))),                 \
	    TLV(DER_CONTEXT_CONS(1), TLV(DER_SEQUENCE, __VA_ARGS__)))
#define KRB(realm, ...)                                                                            \
	OTHER("1.3.6.1.5.2.2", TLV(DER_SEQUENCE, TLV(DER_CONTEXT_CONS(0), GENERAL(text(realm))),   \
				   TLV(DER_CONTEXT_CONS(1), KRB_NAME(__VA_ARGS__))))

#define EXTENSION(oid, ...)                                                                        \
	TLV(DER_SEQUENCE, dotted(oid), TLV(DER_OCTET_STRING, TLV(DER_SEQUENCE, __VA_ARGS__)))
#define SID_EXTENSION(...)                                                                         \
	EXTENSION("1.3.6.1.4.1.311.25.2",                                                          \
		  OTHER("1.3.6.1.4.1.311.25.2.1", TLV(DER_OCTET_STRING, __VA_ARGS__)))

#endif
