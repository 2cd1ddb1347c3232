// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/crlfile.h"

#include <errno.h>
#include <string.h>

#include "cli/file.h"
#include "lib/base/limits.h"
#include "lib/pki/der.h"
#include "lib/pki/pem.h"

int crlfile_read(struct cli *cli, const char *path, struct buf *ret)
{
	/* as PEM it is a third longer */
	int r = file_read_max(path, (size_t)LIMIT_CRL_BYTES / 2 * 3, ret);

	if (r < 0) {
		(void)cli_fail_file(cli, r, "read", path);
		return CLI_USAGE;
	}
	if (ret->n > 0 &&
	    (ret->p[0] == DER_SEQUENCE || memmem(ret->p, ret->n, "-----BEGIN X509 CRL-----", 24)))
		return CLI_YES;
	return cli_fail(cli, CLI_USAGE, "invalid-value", "%s holds no CRL (PEM or DER)", path);
}

int crlfile_next(struct view *in, uint8_t **ret, size_t *ret_n)
{
	int r;

	if (in->n > 0 && in->p[0] == DER_SEQUENCE) {
		*ret = malloc(in->n);
		if (!*ret)
			return -ENOMEM;
		memcpy(*ret, in->p, in->n);
		*ret_n = in->n;
		in->n = 0;
		return 1;
	}
	r = pem_next(in, "X509 CRL", ret, ret_n);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}
