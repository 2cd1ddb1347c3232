// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/ticket.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/base/encode.h"

static void ticket_checksum(const uint8_t ticket[TICKET_BYTES], char ret[5])
{
	uint32_t crc = crc32(ticket, TICKET_BYTES) & 0xfffff000;
	const uint8_t be[3] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8) };
	char text[BASE32_SIZE(3)];

	base32_encode(be, sizeof(be), text);
	memcpy(ret, text, 4);
	ret[4] = '\0';
}

void ticket_format(const uint8_t ticket[TICKET_BYTES], char ret[TICKET_TEXT_SIZE])
{
	memcpy(ret, "cl1-", 4);
	base32_encode(ticket, TICKET_BYTES, ret + 4);
	ret[30] = '-';
	ticket_checksum(ticket, ret + 31);
}

int ticket_parse(const char *s, size_t len, uint8_t ret[TICKET_BYTES])
{
	uint8_t ticket[TICKET_BYTES];
	char sum[5];

	if (len != TICKET_TEXT_SIZE - 1 || strncasecmp(s, "cl1-", 4) != 0 || s[30] != '-')
		return -EBADMSG;
	if (base32_decode(s + 4, 26, ticket, sizeof(ticket)) != TICKET_BYTES)
		return -EBADMSG;
	ticket_checksum(ticket, sum);
	if (strncasecmp(sum, s + 31, 4) != 0)
		return -EBADMSG;
	memcpy(ret, ticket, TICKET_BYTES);
	explicit_bzero(ticket, sizeof(ticket));
	return 0;
}

void login_id_format(const uint8_t id[LOGIN_ID_BYTES], char ret[LOGIN_ID_TEXT_SIZE])
{
	char text[BASE32_SIZE(LOGIN_ID_BYTES)];

	base32_encode(id, LOGIN_ID_BYTES, text);
	for (size_t i = 0; text[i]; i++) {
		if (i > 0 && i % 4 == 0)
			*ret++ = '-';
		*ret++ = text[i];
	}
	*ret = '\0';
}

int login_id_parse(const char *s, uint8_t ret[LOGIN_ID_BYTES])
{
	char text[BASE32_SIZE(LOGIN_ID_BYTES)];
	uint8_t id[LOGIN_ID_BYTES];
	size_t n = 0;

	for (; *s; s++) {
		if (*s == '-')
			continue;
		if (n == sizeof(text) - 1)
			return -EBADMSG;
		text[n++] = *s;
	}
	if (n != sizeof(text) - 1 || base32_decode(text, n, id, sizeof(id)) != LOGIN_ID_BYTES)
		return -EBADMSG;
	memcpy(ret, id, LOGIN_ID_BYTES);
	return 0;
}
