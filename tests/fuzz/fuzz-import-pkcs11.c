// SPDX-License-Identifier: GPL-2.0-or-later
/* A pam_pkcs11.conf, and behind a line "%%" the map that all its mappers read. */
#include <errno.h>

#include "cli/import/pkcs11.h"
#include "tests/fuzz/fuzz-import.h"

static int map_give(void *userdata, const char *path, struct import_file *ret)
{
	const struct view *map = userdata;

	(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
	buf_put(&ret->text, map->p, map->n);
	buf_put_u8(&ret->text, 0);
	ret->text.n--;
	return 0;
}

static int home_give(void *userdata, size_t i, _unused_ const char *name, struct import_file *ret)
{
	ret->login = "alice";
	return i == 0 ? map_give(userdata, "/home/alice/x", ret) : -ENODATA;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = memmem(data, size, "%%\n", 3);
	struct view map = { cut ? cut + 3 : data, cut ? (size_t)(data + size - cut) - 3 : 0 };
	const struct import_files files = { map_give, home_give, &map };
	struct plan p;

	plan_init(&p, &fuzz_options);
	import_pam_pkcs11(&p, "conf", (const char *)data, cut ? (size_t)(cut - data) : size,
			  &files);
	fuzz_check(&p);
	return 0;
}
