// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/p11name.h"

/* What administrators and users write for a token. */

static void is_named(const char *text, const char *module, const char *uri)
{
	struct p11_name name;

	if (p11_name_parse(text, &name) < 0)
		fail_msg("refused: %s", text);
	assert_string_equal(name.module, module);
	assert_string_equal(name.uri, uri);
}

static void is_refused(const char *text, int error)
{
	struct p11_name name = { .module = "before" };
	int r = p11_name_parse(text, &name);

	if (r != error)
		fail_msg("%s: %d", text, r);
	assert_string_equal(name.module, "before");
}

static void a_module(_unused_ void **state)
{
	is_named("/usr/lib/card.so", "/usr/lib/card.so", "pkcs11:");
	is_named("pkcs11:?module-path=/usr/lib/card.so", "/usr/lib/card.so", "pkcs11:");
	is_named("pkcs11:?module-path=/opt/a%20b/%63ard.so", "/opt/a b/card.so", "pkcs11:");
	is_named("pkcs11:?module-name=opensc-pkcs11", "opensc-pkcs11.so", "pkcs11:");
}

static void a_token(_unused_ void **state)
{
	is_named("pkcs11:", "", "pkcs11:");
	is_named("pkcs11:token=Work;serial=1%2f2", "", "pkcs11:token=Work;serial=1%2f2");
	is_named("pkcs11:token=Work?module-path=/card.so", "/card.so", "pkcs11:token=Work");
	/* certificates are looked for as well as keys */
	is_named("pkcs11:token=Work;type=private;id=%01", "", "pkcs11:token=Work;id=%01");
	is_named("pkcs11:type=cert", "", "pkcs11:");
	is_named("pkcs11:typed=x;;token=y", "", "pkcs11:typed=x;token=y");
}

static void no_pin_is_taken(_unused_ void **state)
{
	is_refused("pkcs11:token=Work?pin-value=1234", -EPERM);
	is_refused("pkcs11:token=Work?pin-source=/home/alice/pin", -EPERM);
	is_refused("pkcs11:?module-path=/card.so&pin-value=1234", -EPERM);
}

static void nonsense(_unused_ void **state)
{
	static const char *const wrong[] = {
		"",
		"card.so",
		"../card.so",
		"PKCS11:",
		"pkcs11",
		"http://x/",
		"/a b.so",
		"/a\nb.so",
		"/a\x7f",
		"/\xc3\xa4.so",
		"pkcs11:?module-path=card.so",
		"pkcs11:?module-path=",
		"pkcs11:?module-path=/a%0ab",
		"pkcs11:?module-path=/a%zz",
		"pkcs11:?module-path=/a%2",
		"pkcs11:?module-path=/a%00b",
		"pkcs11:?module-path=/a&module-path=/b",
		"pkcs11:?module-path=/a&module-name=b",
		"pkcs11:?module-name=",
		"pkcs11:?module-name=../card",
		"pkcs11:?module-name=a%2fb",
		"pkcs11:?slot=1",
		"pkcs11:?x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		is_refused(wrong[i], -EINVAL);
}

static void longest(_unused_ void **state)
{
	char text[LIMIT_PKCS11 + 2];

	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[LIMIT_PKCS11] = '\0';
	is_named(text, text, "pkcs11:");
	text[LIMIT_PKCS11] = 'x';
	text[LIMIT_PKCS11 + 1] = '\0';
	is_refused(text, -EINVAL);
	memcpy(text, "pkcs11:?module-name=", 20);
	text[LIMIT_PKCS11] = '\0';
	{
		struct p11_name name;

		assert_int_equal(p11_name_parse(text, &name), 0);
		assert_int_equal(strlen(name.module), LIMIT_PKCS11 - 20 + 3);
	}
}

static void the_key_of_an_object(_unused_ void **state)
{
	static const uint8_t id[] = { 0x01, 0xff };
	struct buf key = { 0 }, token = { 0 };

	p11_key_uri(&key, "pkcs11:model=m;token=Work;id=%01;object=the%20cert;type=cert", id, 2);
	buf_put_u8(&key, 0);
	assert_int_equal(key.error, 0);
	assert_string_equal(key.p, "pkcs11:model=m;token=Work;id=%01%ff;type=private");
	p11_token_uri(&token, "pkcs11:model=m;token=Work;id=%01;object=the%20cert;type=cert");
	buf_put_u8(&token, 0);
	assert_string_equal(token.p, "pkcs11:model=m;token=Work");
	buf_deinit(&key);
	key = (struct buf){ 0 };
	p11_key_uri(&key, "pkcs11:type=cert", id, 1);
	buf_put_u8(&key, 0);
	assert_string_equal(key.p, "pkcs11:id=%01;type=private");
	buf_deinit(&key);
	buf_deinit(&token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module),	   cmocka_unit_test(a_token),
		cmocka_unit_test(no_pin_is_taken), cmocka_unit_test(nonsense),
		cmocka_unit_test(longest),	   cmocka_unit_test(the_key_of_an_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
