// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * prove: PAM's helper.  Uses a private key on its user's behalf, as that user, and is believed by
 * nobody.  Installed 0711: not dumpable from its first instruction, so that other processes of the
 * same uid can neither trace it nor see its descriptors.  lib/api/helper.h is what it speaks.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/keys/keys.h"
#include "lib/api/helper.h"
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/base/paths.h"

#define MODULE_FD STDIN_FILENO
#define START_USEC (5 * USEC_PER_SEC) /* to the request, which the module sends at once */

struct request {
	char login_id[LOGIN_ID_TEXT_SIZE];
	char account[LIMIT_ACCOUNT + 1];
	char service[LIMIT_SERVICE + 1];
	char runtime_dir[96];
	char pkcs11[LIMIT_PKCS11 + 1]; /* "": none */
};

/* --- becoming the user, for good: nothing is read before it --- */

/* A change of uid leaves the inheritable set, and a host that kept its capabilities leaves more. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, sets) < 0 || syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (sets[i].permitted || sets[i].effective || sets[i].inheritable)
			return -EPERM;
	for (unsigned long cap = 0; cap < 32UL * _LINUX_CAPABILITY_U32S_3; cap++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) > 0)
			return -EPERM;
	return 0;
}

/* There is no way back, or we do not go on. */
static int check_dropped(uid_t uid, gid_t gid)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (setresuid(0, 0, 0) == 0 || seteuid(0) == 0)
		return -EPERM;
	if (gid != 0 && (setresgid(0, 0, 0) == 0 || setegid(0) == 0))
		return -EPERM;
	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
		return -errno;
	return ruid == uid && euid == uid && suid == uid && rgid == gid && egid == gid &&
			       sgid == gid
		       ? 0
		       : -EPERM;
}

static int drop_to(uid_t uid, gid_t gid)
{
	int r;

	/* not root: its own groups stay, as nobody but root can change them */
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || getgroups(0, NULL) != 0))
		return -EPERM;
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	r = drop_capabilities();
	return r < 0 ? r : check_dropped(uid, gid);
}

static int become(const char *mode)
{
	const struct passwd *pw;

	if (strcmp(mode, "invoker") == 0)
		return getuid() == 0 ? -EPERM : drop_to(getuid(), getgid());
	if (strcmp(mode, "console") != 0 || getuid() != 0)
		return -EPERM;
	pw = getpwnam(USER_PROVE);
	return pw && pw->pw_uid != 0 ? drop_to(pw->pw_uid, pw->pw_gid) : -ENOENT;
}

/* Whatever the module does, and whatever signals it left blocked or ignored. */
static int end_within(uint64_t usec)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	if (signal(SIGALRM, SIG_DFL) == SIG_ERR || sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		return -errno;
	(void)alarm((unsigned)(usec / USEC_PER_SEC));
	return 0;
}

static int lock_down(void)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -EPERM;
	return end_within(START_USEC);
}

static int module_option(int option, int *ret)
{
	socklen_t n = sizeof(*ret);

	return getsockopt(MODULE_FD, SOL_SOCKET, option, ret, &n);
}

/* A socketpair of the process that started us: of root, or of an id that we have already. */
static bool fd_is_module(void)
{
	int domain, type;
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (module_option(SO_DOMAIN, &domain) < 0 || domain != AF_UNIX ||
	    module_option(SO_TYPE, &type) < 0 || type != SOCK_SEQPACKET ||
	    getsockopt(MODULE_FD, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return false;
	return peer.pid == getppid() &&
	       (peer.uid == 0 || peer.uid == getuid() || peer.uid == geteuid());
}

/* --- the module --- */

static int say(const struct buf *b)
{
	if (b->error)
		return b->error;
	return send(MODULE_FD, b->p, b->n, MSG_NOSIGNAL) == (ssize_t)b->n ? 0 : -EPIPE;
}

static int hear(uint8_t packet[HELPER_PACKET_MAX], uint8_t type, struct view *ret)
{
	ssize_t n = recv(MODULE_FD, packet, HELPER_PACKET_MAX, MSG_TRUNC);
	struct view v = { packet, n > 0 ? (size_t)n : 0 };
	uint8_t got;

	if (n <= 0 || n > HELPER_PACKET_MAX || view_u8(&v, &got) < 0 || got != type)
		return -EBADMSG;
	*ret = v;
	return 0;
}

static int take_text(struct view *v, char *ret, size_t size)
{
	struct view text;

	if (view_vec16(v, &text) < 0 || text.n >= size || memchr(text.p, '\0', text.n))
		return -EBADMSG;
	memcpy(ret, text.p, text.n);
	ret[text.n] = '\0';
	return 0;
}

static int hear_request(struct request *ret)
{
	uint8_t packet[HELPER_PACKET_MAX];
	struct view v;

	if (hear(packet, HELPER_START, &v) < 0 ||
	    take_text(&v, ret->login_id, sizeof(ret->login_id)) < 0 ||
	    take_text(&v, ret->account, sizeof(ret->account)) < 0 ||
	    take_text(&v, ret->service, sizeof(ret->service)) < 0 ||
	    take_text(&v, ret->runtime_dir, sizeof(ret->runtime_dir)) < 0 ||
	    take_text(&v, ret->pkcs11, sizeof(ret->pkcs11)) < 0 || v.n > 0)
		return -EBADMSG;
	return 0;
}

static void put_text(struct buf *b, const char *s)
{
	buf_put_u16(b, (uint16_t)strlen(s));
	buf_put_text(b, s);
}

static int hear_answer(struct secret **ret)
{
	uint8_t packet[HELPER_PACKET_MAX];
	struct view v;
	int r = hear(packet, HELPER_ANSWER, &v);

	if (r == 0 && v.n > LIMIT_SECRET)
		r = -EBADMSG;
	if (r == 0) {
		*ret = secret_new(v.p, v.n);
		r = *ret ? 0 : -ENOMEM;
	}
	explicit_bzero(packet, sizeof(packet)); /* also what was refused may be a PIN */
	return r;
}

/* userdata: int, the first failure.  A module that does not keep to its part is not spoken to
 * again. */
static int ask(void *userdata, enum key_question question, const char *label,
	       struct secret **ret_answer)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	_cleanup_(secret_freep) struct secret *answer = NULL;
	int *error = userdata;

	if (*error < 0)
		return *error;
	buf_put_u8(&b, HELPER_ASK);
	buf_put_u8(&b, (uint8_t)question);
	put_text(&b, label);
	*error = say(&b);
	if (*error == 0)
		*error = hear_answer(&answer);
	if (*error == 0 && ret_answer)
		*ret_answer = STEAL(answer);
	return *error;
}

static int hear_choice(unsigned n, unsigned *ret)
{
	uint8_t packet[HELPER_PACKET_MAX], chosen;
	struct view v;

	if (hear(packet, HELPER_ANSWER, &v) < 0 || view_u8(&v, &chosen) < 0 || v.n > 0 ||
	    chosen >= n)
		return -EBADMSG;
	*ret = chosen;
	return 0;
}

static int choose(void *userdata, const char *const *labels, unsigned n, unsigned *ret)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	int *error = userdata;

	if (*error < 0)
		return *error;
	buf_put_u8(&b, HELPER_ASK);
	buf_put_u8(&b, KEY_ASK_CHOICE);
	buf_put_u8(&b, (uint8_t)n);
	for (unsigned i = 0; i < n; i++)
		put_text(&b, labels[i]);
	*error = say(&b);
	if (*error == 0)
		*error = hear_choice(n, ret);
	return *error;
}

static int say_ticket(const struct secret *ticket)
{
	uint8_t packet[1 + TICKET_BYTES] = { HELPER_TICKET };
	ssize_t n;

	memcpy(packet + 1, ticket->bytes, TICKET_BYTES);
	n = send(MODULE_FD, packet, sizeof(packet), MSG_NOSIGNAL);
	explicit_bzero(packet, sizeof(packet));
	return n == sizeof(packet) ? 0 : -EPIPE;
}

static int say_failed(uint64_t event, const char *why)
{
	_cleanup_(buf_deinitp) struct buf b = { 0 };
	char clean[LIMIT_REASON + 1];

	text_clean(why, strlen(why), clean, sizeof(clean));
	buf_put_u8(&b, HELPER_FAILED);
	buf_put_u64(&b, event);
	put_text(&b, clean);
	return say(&b);
}

/* --- proving --- */

static int connect_gate(const char *runtime_dir)
{
	/* connect(2) to a full queue waits as long as a send may */
	const struct timeval limit = { .tv_sec = LIMIT_OUR_FLIGHT_USEC / USEC_PER_SEC };
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd < 0)
		return -errno;
	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/gate", runtime_dir) >=
	    sizeof(address.sun_path))
		return -ENAMETOOLONG;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return STEAL_FD(fd);
}

/* The host's own certificate: what every client on this host trusts, and nothing else. */
static int load_host(struct cert **ret)
{
	_cleanup_(closep) int fd = open(PATH_HOST_CERT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t pem[LIMIT_CERT_BYTES];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	n = read(fd, pem, sizeof(pem));
	return n < 0 ? -errno : cert_load(pem, (size_t)n, ret);
}

static int prove_with(const struct request *q, const struct cert *host, const struct prove_key *key,
		      struct prove_answer *ret, struct secret **ret_ticket)
{
	_cleanup_(closep) int fd = connect_gate(q->runtime_dir);
	const struct prove_trust trust = { .pin = host->spki_sha256 };
	const struct prove_request request = { .fd = fd,
					       .trust = &trust,
					       .key = key,
					       .login_id = q->login_id,
					       .account = q->account,
					       .service = q->service,
					       .timeout_usec = LIMIT_HELPER_USEC };

	if (fd < 0) {
		*ret = (struct prove_answer){ .result = PROVE_NO_SERVER };
		(void)snprintf(ret->why, sizeof(ret->why), "the gate cannot be reached: %s",
			       strerror(-fd));
		return 0;
	}
	return prove_commit(&request, ret, ret_ticket);
}

/* One key after the other.  A denial counts for more than what failed on our side. */
static int prove_any(const struct request *q, const struct cert *host,
		     struct prove_key *const *keys, size_t n)
{
	struct prove_answer denied = { 0 }, last = { 0 };

	for (size_t i = 0; i < n; i++) {
		_cleanup_(secret_freep) struct secret *ticket = NULL;
		int r = prove_with(q, host, keys[i], &last, &ticket);

		if (r < 0)
			return say_failed(0, strerror(-r));
		if (last.result == PROVE_DONE)
			return say_ticket(ticket);
		if (last.result == PROVE_DENIED)
			denied = last;
		if (last.result == PROVE_SERVER || last.result == PROVE_NO_SERVER)
			break;
	}
	return denied.result == PROVE_DENIED ? say_failed(denied.event, denied.why)
					     : say_failed(0, last.why);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* What the helper's user may have put there; nothing at the console, where nobody is known yet. */
struct own_files {
	char key[PATH_MAX], cert[PATH_MAX], pkcs11[PATH_MAX];
	char name[LIMIT_PKCS11 + 2]; /* the first line of `pkcs11` */
};

static bool find_own(const struct passwd *pw, const char *name, char ret[PATH_MAX])
{
	return (size_t)snprintf(ret, PATH_MAX, "%s/.config/certlogin/%s", pw->pw_dir, name) <
		       PATH_MAX &&
	       exists(ret);
}

static const char *read_name(struct own_files *own)
{
	FILE *f = fopen(own->pkcs11, "re");
	bool got = f && fgets(own->name, sizeof(own->name), f);

	if (f)
		(void)fclose(f);
	if (!got)
		return NULL;
	own->name[strcspn(own->name, "\n")] = '\0';
	return own->name;
}

static void use_own_files(const struct passwd *pw, struct own_files *own, struct key_context *ctx)
{
	const char *name = find_own(pw, "pkcs11", own->pkcs11) ? read_name(own) : NULL;
	bool pem;

	if (name)
		ctx->pkcs11 = name;
	pem = find_own(pw, "client.key", own->key);
	if (pem || find_own(pw, "client.p12", own->key))
		ctx->key_file = own->key;
	/* a PKCS#12 file has its own */
	if (find_own(pw, "client.crt", own->cert) && (pem || (!ctx->key_file && ctx->pkcs11)))
		ctx->cert_file = own->cert;
}

/* Modules look for their configuration, and for sockets, where their user has them. */
static void set_environment(const struct passwd *pw)
{
	char dir[64];
	struct stat st;

	(void)setenv("HOME", pw->pw_dir, 1);
	(void)snprintf(dir, sizeof(dir), "/run/user/%u", (unsigned)pw->pw_uid);
	if (stat(dir, &st) == 0 && st.st_uid == pw->pw_uid)
		(void)setenv("XDG_RUNTIME_DIR", dir, 1);
}

static int prove(const struct request *q, struct key_context *ctx, const int *module_error)
{
	struct prove_key *keys[LIMIT_HELPER_KEYS] = { 0 };
	_cleanup_(cert_freep) struct cert *host = NULL;
	size_t n = 0;
	int r;

	if (load_host(&host) < 0)
		return say_failed(0, "this host's certificate " PATH_HOST_CERT " cannot be read");
	r = keys_open(ctx, keys, LIMIT_HELPER_KEYS, &n);
	if (*module_error < 0)
		r = *module_error;
	else if (r < 0 || n == 0)
		r = say_failed(0, *ctx->why ? ctx->why : "no usable key was found");
	else
		r = prove_any(q, host, keys, n);
	for (size_t i = 0; i < n; i++)
		prove_key_free(keys[i]);
	return r;
}

static int run(const struct request *q, bool console)
{
	char service_path[128];
	int module_error = 0;
	struct key_context ctx = { .ask = ask,
				   .choose = choose,
				   .ask_userdata = &module_error,
				   .find_certificates = keys_find_at_service,
				   .find_userdata = service_path,
				   .pkcs11 = *q->pkcs11 ? q->pkcs11 : NULL };
	const struct passwd *pw = getpwuid(getuid());
	struct own_files own;

	(void)snprintf(service_path, sizeof(service_path), "%s/pam", q->runtime_dir);
	if (pw)
		set_environment(pw);
	if (console && !ctx.pkcs11)
		return say_failed(0, "no PKCS#11 module is named for the console (pkcs11=)");
	if (!console) {
		ctx.agent_socket = getenv("SSH_AUTH_SOCK");
		if (pw)
			use_own_files(pw, &own, &ctx);
	}
	return prove(q, &ctx, &module_error);
}

int main(int argc, char **argv)
{
	struct request request;

	if (argc != 2 || !fd_is_module() || become(argv[1]) < 0 || lock_down() < 0)
		return 1;
	if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0 || hear_request(&request) < 0 ||
	    end_within(LIMIT_HELPER_USEC) < 0)
		return 1;
	return run(&request, strcmp(argv[1], "console") == 0) < 0;
}
