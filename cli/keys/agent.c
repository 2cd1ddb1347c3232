// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "cli/keys/agent-reply.h"
#include "cli/keys/source.h"
#include "lib/base/buf.h"
#include "lib/base/limits.h"
#include "lib/varlink/client.h"

enum { AGENT_REQUEST_IDENTITIES = 11, AGENT_SIGN_REQUEST = 13 };

/* One connection to an ssh-agent, shared by the keys that it holds. */
struct agent {
	unsigned references;
	int fd;
	uint64_t sign_usec;
};

struct agent_key {
	struct agent *agent;
	enum key_type type;
	struct buf blob;
};

static struct agent *agent_unref(struct agent *a)
{
	if (a && --a->references == 0) {
		closep(&a->fd);
		free(a);
	}
	return NULL;
}
DEFINE_FREEP(struct agent, agent_unref);

/* --- bytes --- */

static int wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = vl_monotonic_usec();
	struct timespec ts;

	if (now >= deadline)
		return -ETIMEDOUT;
	ts.tv_sec = (time_t)((deadline - now) / USEC_PER_SEC);
	ts.tv_nsec = (long)((deadline - now) % USEC_PER_SEC * 1000);
	return ppoll(&p, 1, &ts, NULL) < 0 && errno != EINTR ? -errno : 0;
}

static int send_all(int fd, const struct buf *b, uint64_t deadline)
{
	for (size_t n = 0; n < b->n;) {
		ssize_t k = send(fd, b->p + n, b->n - n, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r;

		if (k >= 0) {
			n += (size_t)k;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Appends exactly n bytes. */
static int receive_all(int fd, size_t n, struct buf *b, uint64_t deadline)
{
	uint8_t chunk[4096];

	while (n > 0) {
		ssize_t k = recv(fd, chunk, n < sizeof(chunk) ? n : sizeof(chunk), MSG_DONTWAIT);
		int r;

		if (k > 0) {
			buf_put(b, chunk, (size_t)k);
			n -= (size_t)k;
			continue;
		}
		if (k == 0)
			return -ECONNRESET;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(fd, POLLIN, deadline);
		if (r < 0)
			return r;
	}
	return b->error;
}

/* Adds the length to `request`, sends it and reads one reply, without its length. */
static int exchange(const struct agent *a, const struct buf *request, uint64_t timeout_usec,
		    struct buf *ret)
{
	_cleanup_(buf_deinitp) struct buf message = { 0 };
	uint64_t deadline = vl_monotonic_usec() + timeout_usec;
	struct view v;
	uint32_t n;
	int r;

	buf_put_u32(&message, (uint32_t)request->n);
	buf_put(&message, request->p, request->n);
	if (request->error || message.error)
		return -ENOMEM;
	r = send_all(a->fd, &message, deadline);
	if (r == 0)
		r = receive_all(a->fd, 4, ret, deadline);
	if (r < 0)
		return r;
	v = (struct view){ ret->p, ret->n };
	(void)view_u32(&v, &n);
	if (n == 0 || n > LIMIT_AGENT_BYTES)
		return -EBADMSG;
	buf_consume(ret, 4);
	return receive_all(a->fd, n, ret, deadline);
}

static int agent_call(const struct agent *a, const struct buf *request, uint64_t timeout_usec,
		      struct buf *ret)
{
	int r;

	r = exchange(a, request, timeout_usec, ret);
	/* the rest of this answer, when it comes, is not to be taken for that to the next call */
	if (r < 0)
		(void)shutdown(a->fd, SHUT_RDWR);
	return r;
}

/* --- the connection --- */

/* Another user's agent is no place for what we sign, nor for what it would have us use. */
static int check_peer(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
		return -errno;
	return peer.uid == geteuid() || peer.uid == 0 ? 0 : -EPERM;
}

/* connect(2) to a full queue waits as long as a send may */
static int connect_to(const char *path, int *ret)
{
	const struct timeval limit = { .tv_sec = LIMIT_AGENT_LIST_USEC / USEC_PER_SEC };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_cleanup_(closep) int fd = -1;
	int r;

	if (*path != '/' || strlen(path) >= sizeof(sa.sun_path))
		return -EINVAL;
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	r = check_peer(fd);
	if (r == 0)
		*ret = STEAL_FD(fd);
	return r;
}

static int agent_connect(struct key_context *ctx, struct agent **ret)
{
	_cleanup_(closep) int fd = -1;
	struct agent *a;
	int r;

	if (!ctx->agent_socket || !*ctx->agent_socket) {
		source_why(ctx, "there is no ssh-agent (SSH_AUTH_SOCK is not set)");
		return -ENOENT;
	}
	r = connect_to(ctx->agent_socket, &fd);
	if (r < 0) {
		source_why(ctx, "cannot reach the ssh-agent: %s",
			   r == -EPERM	  ? "it is another user's"
			   : r == -EINVAL ? "SSH_AUTH_SOCK is not the path of a socket"
					  : strerror(-r));
		return r;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct agent){ 1, STEAL_FD(fd),
			     ctx->agent_usec ? ctx->agent_usec : LIMIT_AGENT_USEC };
	*ret = a;
	return 0;
}

/* --- signing --- */

static void agent_key_free(void *userdata)
{
	struct agent_key *k = userdata;

	agent_unref(k->agent);
	buf_deinit(&k->blob);
	free(k);
}

static void put_string(struct buf *b, const void *p, size_t n)
{
	buf_put_u32(b, (uint32_t)n);
	buf_put(b, p, n);
}

static const char *why_not_signed(int error)
{
	if (error == -EACCES)
		return "the agent refused to sign (locked, not confirmed, or the key is bound to "
		       "destinations: destination-constrained keys cannot be used)";
	if (error == -ETIMEDOUT)
		return "the agent did not answer in time";
	return "the agent broke off, or its answer makes no sense";
}

/* The hash follows from the key: SHA-256 for P-256, SHA-384 for P-384 (RFC 5656 6.2.1), as in TLS.
 */
static int agent_sign(void *userdata, _unused_ gnutls_sign_algorithm_t algorithm,
		      const gnutls_datum_t *tbs, gnutls_datum_t *ret_signature,
		      const char **ret_why)
{
	_cleanup_(buf_deinitp) struct buf request = { 0 }, reply = { 0 };
	const struct agent_key *k = userdata;
	int r;

	buf_put_u8(&request, AGENT_SIGN_REQUEST);
	put_string(&request, k->blob.p, k->blob.n);
	put_string(&request, tbs->data, tbs->size);
	buf_put_u32(&request, 0); /* flags: RSA's */
	r = agent_call(k->agent, &request, k->agent->sign_usec, &reply);
	if (r == 0)
		r = agent_reply_signature((struct view){ reply.p, reply.n }, k->type,
					  ret_signature);
	if (r < 0)
		*ret_why = why_not_signed(r);
	return r;
}

static int make_key(struct agent *a, const struct agent_identity *id, struct cert *const *chain,
		    size_t n_chain, struct prove_key **ret)
{
	_cleanup_(prove_key_freep) struct prove_key *key = NULL;
	char label[sizeof(key->label)];
	size_t comment_n = id->comment.n < sizeof(label) ? id->comment.n : sizeof(label);
	struct agent_key *k;
	int r;

	(void)snprintf(label, sizeof(label), "agent key %.*s", (int)comment_n,
		       (const char *)id->comment.p);
	r = source_new_key(chain, n_chain, label, &key);
	if (r < 0)
		return r;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->agent = a;
	a->references++;
	k->type = id->type;
	key->sign = agent_sign;
	key->sign_userdata = k;
	key->sign_userdata_free = agent_key_free;
	key->tls12_only = id->type == KEY_RSA;
	buf_put(&k->blob, id->blob.p, id->blob.n);
	if (k->blob.error)
		return k->blob.error;
	*ret = STEAL(key);
	return 0;
}

/* --- the list --- */

static int list_identities(struct key_context *ctx, const struct agent *a, struct buf *reply,
			   struct agent_identities *ret)
{
	_cleanup_(buf_deinitp) struct buf request = { 0 };
	int r;

	buf_put_u8(&request, AGENT_REQUEST_IDENTITIES);
	r = agent_call(a, &request, LIMIT_AGENT_LIST_USEC, reply);
	if (r == 0)
		r = agent_reply_identities((struct view){ reply->p, reply->n }, ret);
	if (r < 0)
		source_why(ctx, "the ssh-agent %s",
			   r == -EACCES	     ? "refused to list its keys"
			   : r == -ETIMEDOUT ? "did not answer in time"
					     : "broke off, or its answer makes no sense");
	return r;
}

static int find_certs(struct key_context *ctx, const struct agent_identities *ids,
		      struct certs *ret)
{
	struct view spkis[ARRAY_SIZE(ids->items)];

	if (ctx->cert_file)
		return source_read_certs(ctx, ret);
	for (size_t i = 0; i < ids->n; i++)
		spkis[i] = (struct view){ ids->items[i].spki.p, ids->items[i].spki.n };
	return source_find_certs(ctx, spkis, ids->n, ret);
}

static void explain_none(struct key_context *ctx, const struct agent_identities *ids)
{
	size_t all = ids->n + ids->fido + ids->certificates + ids->others;
	char more[128] = "";

	if (all == 0) {
		source_why(ctx, "the ssh-agent holds no key (or is locked)");
		return;
	}
	if (ids->fido + ids->certificates + ids->others > 0)
		(void)snprintf(more, sizeof(more),
			       " (not usable: %u FIDO keys, %u SSH certificates, %u others)",
			       ids->fido, ids->certificates, ids->others);
	source_why(ctx, "the ssh-agent holds %zu keys, but none with a certificate known here%s",
		   all, more);
}

/* The certificate for this key: the first of a file, or one of those found.  NULL: none. */
static struct cert *const *match(const struct key_context *ctx, const struct certs *certs,
				 const struct agent_identity *id)
{
	size_t n = ctx->cert_file && certs->n > 1 ? 1 : certs->n;

	for (size_t i = 0; i < n; i++)
		if (view_is(&certs->items[i]->spki, id->spki.p, id->spki.n))
			return &certs->items[i];
	return NULL;
}

/* Keys that TLS 1.3 can use come first, else in the agent's order. */
static int make_keys(const struct key_context *ctx, struct agent *a,
		     const struct agent_identities *ids, const struct certs *certs,
		     struct prove_key **ret, size_t max)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && n < max && i < 2 * ids->n; i++) {
		const struct agent_identity *id = &ids->items[i % ids->n];
		struct cert *const *chain = match(ctx, certs, id);

		if (!chain || (id->type == KEY_RSA) != (i >= ids->n))
			continue;
		r = make_key(a, id, chain, ctx->cert_file ? certs->n : 1, &ret[n]);
		n += r == 0;
	}
	while (r < 0 && n > 0)
		prove_key_free(ret[--n]);
	return r < 0 ? r : (int)n;
}

int keys_agent_open(struct key_context *ctx, struct prove_key **ret, size_t max, size_t *ret_n)
{
	_cleanup_(agent_identities_deinit) struct agent_identities ids = { 0 };
	_cleanup_(certs_deinit) struct certs certs = { 0 };
	_cleanup_(agent_unrefp) struct agent *agent = NULL;
	_cleanup_(buf_deinitp) struct buf reply = { 0 };
	int r;

	*ctx->why = '\0';
	*ret_n = 0;
	r = agent_connect(ctx, &agent);
	if (r == 0)
		r = list_identities(ctx, agent, &reply, &ids);
	if (r == 0)
		r = find_certs(ctx, &ids, &certs);
	if (r == 0)
		r = make_keys(ctx, agent, &ids, &certs, ret, max);
	if (r == 0)
		explain_none(ctx, &ids);
	if (r > 0)
		*ret_n = (size_t)r;
	if (r < 0 && !*ctx->why)
		source_why(ctx, "the ssh-agent's keys cannot be used: %s", strerror(-r));
	return r == -ENOMEM ? r : 0;
}
