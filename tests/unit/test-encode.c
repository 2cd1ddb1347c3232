// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/cleanup.h"
#include "lib/base/encode.h"
#include "lib/base/ticket.h"

static void base32_vectors(_unused_ void **state)
{
	static const char *const plain[] = { "f", "fo", "foo", "foob", "fooba", "foobar" };
	static const char *const text[] = { "MY", "MZXQ", "MZXW6", "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI" };
	char out[32];
	uint8_t back[8];

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) { /* RFC 4648 section 10 */
		base32_encode((const uint8_t *)plain[i], i + 1, out);
		assert_string_equal(out, text[i]);
		assert_int_equal(base32_decode(text[i], strlen(text[i]), back, sizeof(back)), i + 1);
		assert_memory_equal(back, plain[i], i + 1);
	}
}

static void base32_refuses_stray_bits(_unused_ void **state)
{
	uint8_t back[8];

	assert_int_equal(base32_decode("MZ", 2, back, sizeof(back)), -EBADMSG);
	assert_int_equal(base32_decode("M1", 2, back, sizeof(back)), -EBADMSG);
	assert_int_equal(base32_decode("MZXW6Y", 6, back, sizeof(back)), -EBADMSG);
	assert_int_equal(base32_decode("MZXW6", 5, back, 2), -EBADMSG);
}

static void base64_roundtrip(_unused_ void **state)
{
	static const char *const text[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	char out[16];

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		_cleanup_(freep) uint8_t *back = NULL;
		size_t n = 99;

		base64_encode((const uint8_t *)"foobar", i, out);
		assert_string_equal(out, text[i]);
		assert_int_equal(base64_decode_new(out, strlen(out), &back, &n), 0);
		assert_int_equal(n, i);
		assert_memory_equal(back, "foobar", i);
	}
}

static void base64_refuses(_unused_ void **state)
{
	static const char *const bad[] = { "Zg=", "Zg", "Zh==", "Z===", "====", "Zm9=", "Zm\n9", "Zg==Zg==" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *back = NULL;
		size_t n;

		assert_int_equal(base64_decode_new(bad[i], strlen(bad[i]), &back, &n), -EBADMSG);
	}
}

static void ticket_roundtrip_and_typos(_unused_ void **state)
{
	uint8_t ticket[TICKET_BYTES], back[TICKET_BYTES];
	char text[TICKET_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(ticket); i++)
		ticket[i] = (uint8_t)(17 * i);
	ticket_format(ticket, text);
	assert_int_equal(strlen(text), TICKET_TEXT_SIZE - 1);
	assert_int_equal(ticket_parse(text, strlen(text), back), 0);
	assert_memory_equal(ticket, back, sizeof(back));
	for (size_t i = 0; i < strlen(text); i++) {
		char typo[TICKET_TEXT_SIZE];

		memcpy(typo, text, sizeof(typo));
		typo[i] = typo[i] == 'X' ? 'Y' : 'X';
		assert_int_equal(ticket_parse(typo, strlen(typo), back), -EBADMSG);
	}
	assert_int_equal(ticket_parse(text, strlen(text) - 1, back), -EBADMSG);
}

static void login_id_roundtrip(_unused_ void **state)
{
	const uint8_t id[LOGIN_ID_BYTES] = { 1, 2, 3, 4, 5, 6, 7, 255 };
	uint8_t back[LOGIN_ID_BYTES];
	char text[LOGIN_ID_TEXT_SIZE];

	login_id_format(id, text);
	assert_int_equal(text[4], '-');
	assert_int_equal(login_id_parse(text, back), 0);
	assert_memory_equal(id, back, sizeof(back));
	assert_int_equal(login_id_parse("7KQ2", back), -EBADMSG);
	assert_int_equal(login_id_parse("", back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base32_vectors),	    cmocka_unit_test(base32_refuses_stray_bits),
		cmocka_unit_test(base64_roundtrip),	    cmocka_unit_test(base64_refuses),
		cmocka_unit_test(ticket_roundtrip_and_typos), cmocka_unit_test(login_id_roundtrip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
