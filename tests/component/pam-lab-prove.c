// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A helper that misbehaves on request: the account's name says how.  It stands where the module
 * looks for `prove`, in a build of the module made for tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/api/helper.h"
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/ticket.h"
#include "tests/component/pam-lab.h"

extern char **environ;

static char named[LIMIT_PKCS11 + 1]; /* the PKCS#11 name of the request */

static void send_buf(const struct buf *b)
{
	if (send(STDIN_FILENO, b->p, b->n, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static void ticket(void)
{
	static const uint8_t t[TICKET_BYTES] = LAB_TICKET;
	struct buf b = { 0 };

	buf_put_u8(&b, HELPER_TICKET);
	buf_put(&b, t, sizeof(t));
	send_buf(&b);
	buf_deinit(&b);
}

static void failed(uint64_t event, const char *why)
{
	struct buf b = { 0 };

	buf_put_u8(&b, HELPER_FAILED);
	buf_put_u64(&b, event);
	buf_put_u16(&b, (uint16_t)strlen(why));
	buf_put_text(&b, why);
	send_buf(&b);
	buf_deinit(&b);
}

static void ask(uint8_t kind, const char *label)
{
	struct buf b = { 0 };

	buf_put_u8(&b, HELPER_ASK);
	buf_put_u8(&b, kind);
	buf_put_u16(&b, (uint16_t)strlen(label));
	buf_put_text(&b, label);
	send_buf(&b);
	buf_deinit(&b);
}

/* Asks, and gives a ticket when the answer is `expected`. */
static void ask_for(uint8_t kind, const char *expected)
{
	char answer[1024] = "";
	ssize_t n;

	ask(kind, "the card");
	n = recv(STDIN_FILENO, answer, sizeof(answer), 0);
	if (n < 1 || answer[0] != HELPER_ANSWER)
		_exit(1);
	if ((size_t)n == 1 + strlen(expected) &&
	    memcmp(answer + 1, expected, strlen(expected)) == 0)
		ticket();
	else
		failed(0, "wrong answer");
}

/* Offers n labels, each with its NUL, and gives a ticket for the second. */
static void choose(uint8_t n, const char *labels)
{
	struct buf b = { 0 };
	uint8_t answer[16];

	buf_put_u8(&b, HELPER_ASK);
	buf_put_u8(&b, KEY_ASK_CHOICE);
	buf_put_u8(&b, n);
	for (unsigned i = 0; i < n; i++) {
		buf_put_u16(&b, (uint16_t)strlen(labels));
		buf_put_text(&b, labels);
		labels += strlen(labels) + 1;
	}
	send_buf(&b);
	buf_deinit(&b);
	if (recv(STDIN_FILENO, answer, sizeof(answer), 0) != 2 || answer[0] != HELPER_ANSWER)
		_exit(1);
	if (answer[1] == 1)
		ticket();
	else
		failed(0, "another one");
}

static void raw(size_t n, uint8_t type)
{
	static uint8_t bytes[4096];

	bytes[0] = type;
	(void)send(STDIN_FILENO, bytes, n, MSG_NOSIGNAL);
}

static void pause_for_ever(void)
{
	for (;;)
		(void)pause();
}

/* Has the host's world been left behind?  NULL: yes. */
static const char *world(const char *mode)
{
	static char odd[128];
	struct sigaction sa;
	sigset_t mask;

	for (char **e = environ; *e; e++)
		if (strncmp(*e, "PATH=", 5) != 0 && strncmp(*e, "LANG=", 5) != 0 &&
		    (strcmp(mode, "invoker") != 0 ||
		     strcmp(*e, "SSH_AUTH_SOCK=/tmp/the agent") != 0)) {
			(void)snprintf(odd, sizeof(odd), "environment: %.90s", *e);
			return odd;
		}
	if (strcmp(mode, "invoker") == 0 && !getenv("SSH_AUTH_SOCK"))
		return "no agent";
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return "a descriptor of the host";
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0 || fcntl(STDERR_FILENO, F_GETFD) < 0)
		return "no stdout";
	if (getsid(0) != getpid() || getpgrp() != getpid())
		return "not a session of its own";
	if (sigprocmask(SIG_SETMASK, NULL, &mask) < 0 || !sigisemptyset(&mask))
		return "blocked signals";
	for (int s = 1; s < NSIG; s++)
		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			return "ignored signals";
	return NULL;
}

static void behave(const char *account, const char *mode)
{
	const char *odd;

	if (strcmp(account, "helper-none") == 0) {
		failed(0, "the agent has no\x1b[31m key");
	} else if (strcmp(account, "helper-denied") == 0) {
		failed(4711, "denied");
	} else if (strcmp(account, "helper-pin") == 0) {
		ask_for(KEY_ASK_PIN, "1234");
	} else if (strcmp(account, "helper-passphrase") == 0) {
		ask_for(KEY_ASK_PASSPHRASE, "1234");
	} else if (strcmp(account, "helper-touch") == 0) {
		ask_for(KEY_ASK_TOUCH, "");
	} else if (strcmp(account, "helper-hang") == 0) {
		pause_for_ever();
	} else if (strcmp(account, "helper-crash") == 0) {
		abort();
	} else if (strcmp(account, "helper-leave") == 0) {
		_exit(0);
	} else if (strcmp(account, "helper-flood") == 0) {
		for (int i = 0; i < 100000; i++)
			ask(KEY_ASK_INFO, "again");
		pause_for_ever();
	} else if (strcmp(account, "helper-escape") == 0) {
		ask(KEY_ASK_PIN, "\x1b[2Jyour password:");
		pause_for_ever();
	} else if (strcmp(account, "helper-longlabel") == 0) {
		ask(KEY_ASK_INFO,
		    "12345678901234567890123456789012345678901234567890123456789012345");
		pause_for_ever();
	} else if (strcmp(account, "helper-kind") == 0) {
		ask(KEY_ASK_PIN_PAD + 1, "x");
		pause_for_ever();
	} else if (strcmp(account, "helper-flag") == 0) {
		ask(KEY_ASK_TOUCH | KEY_ASK_WRONG, "x");
		pause_for_ever();
	} else if (strcmp(account, "helper-last") == 0) {
		ask_for(KEY_ASK_PIN | KEY_ASK_WRONG | KEY_ASK_LAST, "1234");
	} else if (strcmp(account, "helper-pad") == 0) {
		ask_for(KEY_ASK_PIN_PAD | KEY_ASK_FEW_LEFT, "");
	} else if (strcmp(account, "helper-choice") == 0) {
		choose(2, "the card\0another");
	} else if (strcmp(account, "helper-choices") == 0) {
		choose(LIMIT_HELPER_CHOICES, "a\0b\0c\0d\0e\0f");
	} else if (strcmp(account, "choice-one") == 0) {
		choose(1, "the card");
	} else if (strcmp(account, "choice-many") == 0) {
		choose(LIMIT_HELPER_CHOICES + 1, "a\0b\0c\0d\0e\0f\0g");
	} else if (strcmp(account, "choice-escape") == 0) {
		choose(2, "the card\0\x1b[2Jyour password:");
	} else if (strcmp(account, "choice-longlabel") == 0) {
		choose(2, "the card\0"
			  "12345678901234567890123456789012345678901234567890123456789012345");
	} else if (strcmp(account, "helper-pkcs11") == 0) {
		failed(0, named);
	} else if (strcmp(account, "helper-short") == 0) {
		raw(1 + TICKET_BYTES - 1, HELPER_TICKET);
	} else if (strcmp(account, "helper-long") == 0) {
		raw(1 + TICKET_BYTES + 1, HELPER_TICKET);
	} else if (strcmp(account, "helper-huge") == 0) {
		raw(4000, HELPER_TICKET);
	} else if (strcmp(account, "helper-nothing") == 0) {
		raw(0, 0);
		pause_for_ever();
	} else if (strcmp(account, "helper-type") == 0) {
		raw(17, 99);
	} else if (strcmp(account, "helper-wrong") == 0) {
		raw(1 + TICKET_BYTES, HELPER_TICKET);
	} else if (strcmp(account, "helper-stays") == 0) {
		ticket();
		pause_for_ever();
	} else if (strcmp(account, "helper-child") == 0) {
		if (fork() == 0)
			pause_for_ever();
		ticket();
	} else if (strcmp(account, "helper-world") == 0) {
		odd = world(mode);
		if (odd)
			failed(0, odd);
		else
			ticket();
	} else {
		ticket();
	}
}

int main(int argc, char **argv)
{
	uint8_t packet[HELPER_PACKET_MAX];
	ssize_t n = recv(STDIN_FILENO, packet, sizeof(packet), 0);
	struct view v = { packet, n > 0 ? (size_t)n : 0 }, id, account, service, dir, p11;
	char name[256];
	uint8_t type;

	if (argc != 2 || view_u8(&v, &type) < 0 || type != HELPER_START ||
	    view_vec16(&v, &id) < 0 || view_vec16(&v, &account) < 0 ||
	    view_vec16(&v, &service) < 0 || view_vec16(&v, &dir) < 0 || view_vec16(&v, &p11) < 0 ||
	    v.n > 0 || p11.n > LIMIT_PKCS11)
		return 1;
	memcpy(named, p11.p, p11.n);
	if (!view_is(&id, LAB_LOGIN, strlen(LAB_LOGIN)) || dir.n == 0 || *dir.p != '/')
		return 1;
	(void)snprintf(name, sizeof(name), "%.*s", (int)account.n, (const char *)account.p);
	behave(name, argv[1]);
	return 0;
}
