/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_TICKET_H
#define BASE_TICKET_H

#include <stddef.h>
#include <stdint.h>

/*
 * The two things that people carry by hand.
 *
 * Ticket: 128 random bits, "cl1-" + base32 (26) + "-" + checksum (4: the top 20 bits of the CRC-32,
 * base32).  Login id: 64 random bits, base32 in groups of four: "7KQ2-M4XD-ABCD-E".
 * Reading takes either case; login ids also without dashes.
 */
#define TICKET_BYTES 16
#define TICKET_TEXT_SIZE (4 + 26 + 1 + 4 + 1)
#define LOGIN_ID_BYTES 8
#define LOGIN_ID_TEXT_SIZE (13 + 3 + 1)

void ticket_format(const uint8_t ticket[TICKET_BYTES], char ret[TICKET_TEXT_SIZE]);
int ticket_parse(const char *s, size_t len, uint8_t ret[TICKET_BYTES]); /* 0 or -EBADMSG */
void login_id_format(const uint8_t id[LOGIN_ID_BYTES], char ret[LOGIN_ID_TEXT_SIZE]);
int login_id_parse(const char *s, uint8_t ret[LOGIN_ID_BYTES]); /* 0 or -EBADMSG */

#endif
