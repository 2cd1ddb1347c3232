// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/component/pam-lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/ticket.h"

/* --- the authority --- */

/* One connection: who it began for says how it behaves. */
struct conn {
	int fd;
	char account[64];
	const char *ticket;
	struct lab_heard *heard;
};

static void say(int fd, const char *text)
{
	(void)send(fd, text, strlen(text) + 1, MSG_NOSIGNAL);
}

static void drip(int fd)
{
	while (send(fd, " ", 1, MSG_NOSIGNAL) == 1)
		(void)usleep(5000);
}

static void flood(int fd)
{
	static char spaces[64 * 1024];

	memset(spaces, ' ', sizeof(spaces));
	while (send(fd, spaces, sizeof(spaces), MSG_NOSIGNAL) > 0)
		;
}

static void hang(int fd)
{
	char c;

	while (read(fd, &c, 1) == 1)
		;
}

/* `METHOD-HOW` as account: that method goes wrong in that way.  False: it behaves. */
static bool misbehave(const struct conn *c, const char *method)
{
	static const struct {
		const char *how, *text;
	} answers[] = {
		{ "garbage", "}{ nonsense" },
		{ "empty", "{}" },
		{ "types", "{\"parameters\":{\"allowed\":\"true\",\"event\":\"1\",\"loginId\":7,"
			   "\"class\":[],"
			   "\"console\":\"\"}}" },
		{ "extra",
		  "{\"parameters\":{\"allowed\":true,\"event\":1,\"sessionId\":1,\"more\":1}}" },
		{ "denied", "{\"parameters\":{\"allowed\":false,\"event\":4711}}" },
		{ "forbidden", "{\"error\":\"org.varlink.service.PermissionDenied\"}" },
		{ "failed",
		  "{\"error\":\"org.varlink.service.SystemError\",\"parameters\":{\"errno\":5}}" },
		{ "duplicate",
		  "{\"parameters\":{\"allowed\":false,\"event\":1,\"allowed\":true}}" },
	};
	const char *how = c->account + strlen(method) + 1;

	if (strncmp(c->account, method, strlen(method)) != 0 || c->account[strlen(method)] != '-')
		return false;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strcmp(how, answers[i].how) == 0)
			say(c->fd, answers[i].text);
	if (strcmp(how, "hang") == 0)
		hang(c->fd);
	else if (strcmp(how, "drip") == 0)
		drip(c->fd);
	else if (strcmp(how, "huge") == 0)
		flood(c->fd);
	else if (strcmp(how, "half") == 0)
		(void)send(c->fd, "{\"parameters\":{\"allowed\":tr", 27, MSG_NOSIGNAL);
	/* "close", and all who have said it: the connection ends */
	return true;
}

static bool is_method(const char *call, const char *method)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"method\":\"org.certlogin.Service.%s\"", method);
	return strncmp(call, text, strlen(text)) == 0;
}

static void get_account(struct conn *c, const char *call)
{
	const char *p = strstr(call, "\"account\":\"");

	*c->account = '\0';
	if (p)
		(void)sscanf(p + 11, "%63[^\"]", c->account);
}

static void answer_begin(const struct conn *c, const char *call)
{
	static const char *const classes[] = { "app", "login", "console" };
	const char *class = "elevate";
	char text[256];

	for (size_t i = 0; i < 3; i++) {
		char service[32];

		(void)snprintf(service, sizeof(service), "\"service\":\"%s", classes[i]);
		if (strstr(call, service))
			class = classes[i];
	}
	(void)snprintf(text, sizeof(text),
		       "{\"parameters\":{\"loginId\":\"" LAB_LOGIN
		       "\",\"class\":\"%s\",\"console\":%s}}",
		       strcmp(class, "console") == 0 ? "login" : class,
		       strcmp(class, "console") == 0 ? "true" : "false");
	say(c->fd, text);
}

static void keep(char ret[512], const char *call)
{
	size_t n = strnlen(call, 511);

	memcpy(ret, call, n);
	ret[n] = '\0';
}

/* False: this connection is over. */
static bool answer(struct conn *c, const char *call)
{
	struct lab_heard *h = c->heard;

	if (strstr(call, "hunter2"))
		h->saw_password = true;
	if (is_method(call, "Begin")) {
		h->begins++;
		keep(h->begin, call);
		get_account(c, call);
		if (misbehave(c, "begin"))
			return false;
		answer_begin(c, call);
	} else if (is_method(call, "Redeem")) {
		bool good = strstr(call, c->ticket) && strstr(call, LAB_LOGIN);

		h->redeems++;
		if (misbehave(c, "redeem"))
			return false;
		say(c->fd,
		    good ? "{\"parameters\":{\"allowed\":true,\"event\":7,\"identity\":\"alice\"}}"
			 : "{\"parameters\":{\"allowed\":false,\"event\":8}}");
	} else if (is_method(call, "Abandon")) {
		h->abandons++;
		keep(h->abandon, call);
		if (misbehave(c, "abandon"))
			return false;
		say(c->fd, "{\"parameters\":{\"event\":9}}");
	} else if (is_method(call, "CheckAccount")) {
		h->accounts++;
		get_account(c, call);
		if (misbehave(c, "account"))
			return false;
		say(c->fd, "{\"parameters\":{\"allowed\":true,\"event\":10}}");
	} else if (is_method(call, "OpenSession")) {
		h->opens++;
		keep(h->open, call);
		get_account(c, call);
		if (misbehave(c, "open"))
			return false;
		say(c->fd, "{\"parameters\":{\"allowed\":true,\"event\":11,\"sessionId\":42}}");
	} else if (is_method(call, "CloseSession")) {
		h->closes += strstr(call, "\"sessionId\":42}") != NULL;
		say(c->fd, "{}");
	} else {
		return false;
	}
	return true;
}

static void serve(struct conn *c)
{
	char call[4096];
	size_t n = 0;

	while (n < sizeof(call) && read(c->fd, call + n, 1) == 1) {
		if (call[n++] != '\0')
			continue;
		if (!answer(c, call))
			return;
		n = 0;
	}
}

/* One process for each connection: hosts with threads log in at the same time. */
static void authority_main(struct lab *lab, int listen_fd)
{
	(void)signal(SIGCHLD, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct conn c = { .ticket = lab->ticket, .heard = lab->heard };

		c.fd = accept(listen_fd, NULL, NULL);
		if (c.fd < 0)
			_exit(1);
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(&c);
			_exit(0);
		}
		(void)close(c.fd);
	}
}

/* --- the host program --- */

_Thread_local char lab_log[1024];
_Thread_local unsigned lab_logs;
bool lab_log_leak;

static __attribute__((format(printf, 1, 0))) void log_line(const char *format, va_list ap)
{
	(void)vsnprintf(lab_log, sizeof(lab_log), format, ap);
	lab_logs++;
	if (strcasestr(lab_log, "cl1-") || strstr(lab_log, "hunter") || strstr(lab_log, "1234"))
		lab_log_leak = true;
}

/* In front of libc's, whichever of the two libpam was built to call. */
#undef syslog
#define EXPORT __attribute__((visibility("default")))
EXPORT void syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
EXPORT void __syslog_chk(int priority, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void syslog(int priority, const char *format, ...)
{
	va_list ap;

	(void)priority;
	va_start(ap, format);
	log_line(format, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list ap;

	(void)priority;
	(void)flag;
	va_start(ap, format);
	log_line(format, ap);
	va_end(ap);
}

void lab_start(struct lab *lab)
{
	static const uint8_t ticket[TICKET_BYTES] = LAB_TICKET;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char path[96];
	int fd;

	memset(lab, 0, sizeof(*lab));
	ticket_format(ticket, lab->ticket);
	strcpy(lab->dir, "/tmp/certlogin-pam-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	(void)snprintf(path, sizeof(path), "%s/pam.d", lab->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	lab->heard = mmap(NULL, sizeof(*lab->heard), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(lab->heard, MAP_FAILED);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/pam", lab->dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 64), 0);
	lab->authority = fork();
	if (lab->authority == 0)
		authority_main(lab, fd);
	(void)close(fd);
	lab_stack(lab, "other", "auth required pam_deny.so\naccount required pam_deny.so\n");
}

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d));) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR && *e->d_name != '.')
			remove_all(path);
		else if (e->d_type != DT_DIR)
			(void)unlink(path);
	}
	(void)closedir(d);
	(void)rmdir(dir);
}

void lab_stop(struct lab *lab)
{
	(void)kill(lab->authority, SIGKILL);
	(void)waitpid(lab->authority, NULL, 0);
	(void)munmap(lab->heard, sizeof(*lab->heard));
	remove_all(lab->dir);
}

void lab_stack(struct lab *lab, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/pam.d/%s", lab->dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	for (; *text; text++) {
		if (strncmp(text, "@M", 2) == 0)
			(void)fprintf(f, "%s runtime_dir=%s timeout=1", LAB_MODULE, lab->dir);
		else if (strncmp(text, "@S", 2) == 0)
			(void)fputs(LAB_MODULES, f);
		else
			(void)fputc(*text, f);
		text += *text == '@';
	}
	(void)fclose(f);
}

static int answer_one(struct lab_user *u, const struct pam_message *m, struct pam_response *ret)
{
	const char *answer;

	if (m->msg_style == PAM_TEXT_INFO || m->msg_style == PAM_ERROR_MSG)
		u->messages++;
	else if (m->msg_style == PAM_PROMPT_ECHO_OFF)
		u->prompts++;
	else
		u->odd++;
	(void)snprintf(u->text + strlen(u->text), sizeof(u->text) - strlen(u->text), "%s\n",
		       m->msg);
	if (u->deaf || (u->only_echo_off && m->msg_style != PAM_PROMPT_ECHO_OFF))
		return PAM_CONV_ERR;
	if (m->msg_style != PAM_PROMPT_ECHO_OFF || u->null_answers)
		return PAM_SUCCESS;
	answer = u->n_answers < 8 ? u->answers[u->n_answers] : NULL;
	if (!answer)
		return PAM_CONV_ERR;
	u->n_answers++;
	ret->resp = strdup(answer);
	return PAM_SUCCESS;
}

static int converse(int n, const struct pam_message **m, struct pam_response **ret, void *data)
{
	struct pam_response *r = calloc((size_t)n, sizeof(*r));
	int code = PAM_SUCCESS;

	for (int i = 0; i < n && code == PAM_SUCCESS; i++)
		code = answer_one(data, m[i], &r[i]);
	if (code != PAM_SUCCESS) {
		free(r);
		r = NULL;
	}
	*ret = r;
	return code;
}

pam_handle_t *lab_pam(struct lab *lab, const char *service, const char *account,
		      struct lab_user *user)
{
	const struct pam_conv conv = { converse, user };
	pam_handle_t *pamh = NULL;
	char confdir[96];

	(void)snprintf(confdir, sizeof(confdir), "%s/pam.d", lab->dir);
	if (pam_start_confdir(service, account, &conv, confdir, &pamh) != PAM_SUCCESS)
		return NULL;
	return pamh;
}

int lab_auth(struct lab *lab, const char *service, const char *account, struct lab_user *user)
{
	pam_handle_t *pamh = lab_pam(lab, service, account, user);
	int r = pamh ? pam_authenticate(pamh, 0) : PAM_ABORT;

	if (pamh)
		(void)pam_end(pamh, r);
	return r;
}

unsigned lab_children(const struct lab *lab)
{
	char path[64], line[4096] = "";
	unsigned n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	assert_non_null(f);
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	for (char *save = NULL, *word = strtok_r(line, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		n += (pid_t)atoi(word) != lab->authority;
	return n;
}

unsigned lab_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

bool lab_real_uid(uid_t uid)
{
	return setreuid(uid, (uid_t)-1) == 0;
}
