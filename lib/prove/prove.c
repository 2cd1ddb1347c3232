// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/prove/prove.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/encode.h"
#include "lib/base/limits.h"
#include "lib/base/name.h"
#include "lib/pki/commitment.h"
#include "lib/prove/reply.h"
#include "lib/prove/tls.h"
#include "lib/prove/trust.h"
#include "lib/varlink/codec.h"

struct login_id {
	bool loose;
	uint8_t bytes[LOGIN_ID_BYTES];
	char text[LOGIN_ID_TEXT_SIZE]; /* as the authority writes it, "" when loose */
};

static int login_id_read(const char *text, struct login_id *ret)
{
	*ret = (struct login_id){ .loose = *text == '\0' };
	if (ret->loose)
		return 0;
	if (login_id_parse(text, ret->bytes) < 0)
		return -EINVAL;
	login_id_format(ret->bytes, ret->text);
	return 0;
}

static bool request_ok(const struct prove_request *request, struct login_id *ret)
{
	return trust_usable(request->trust) && request->key->n_chain > 0 &&
	       !request->key->key != !request->key->sign &&
	       login_id_read(request->login_id, ret) == 0;
}

/* false: this key cannot be used, and *ret says why. */
static bool key_usable(const struct prove_key *key, struct prove_answer *ret)
{
	if (!key->tls12_only)
		return true;
	*ret = (struct prove_answer){ .result = PROVE_KEY_FAILED };
	(void)snprintf(ret->why, sizeof(ret->why),
		       "RSA keys behind an agent need TLS 1.2 (a later version): %s", key->label);
	return false;
}

/*
 * One connection: handshake, one call, its reply.  0 with *ret->result: PROVE_DONE and the reply's
 * text, or what stopped it.
 */
static int exchange(const struct prove_request *request, const char *name, const char *call,
		    size_t call_n, struct prove_answer *ret, char reply[LIMIT_CALL_BYTES],
		    size_t *ret_reply_n)
{
	_cleanup_(tls_freep) struct tls *tls = NULL;
	enum prove_result result;
	int r;

	r = tls_new(request, name, &tls);
	if (r < 0)
		return r;
	result = tls_handshake(tls);
	if (result == PROVE_DONE)
		result = tls_send(tls, call, call_n);
	if (result == PROVE_DONE)
		result = tls_receive_text(tls, reply, LIMIT_CALL_BYTES, ret_reply_n);
	if (result == PROVE_DONE)
		tls_bye(tls);
	*ret = (struct prove_answer){ .result = result };
	text_clean(tls_why(tls), strlen(tls_why(tls)), ret->why, sizeof(ret->why));
	return 0;
}

/* A request to be committed to: what goes into the hello, and the call. */
struct offer {
	struct secret *ticket;
	char name[COMMITMENT_NAME_SIZE];
	char *call;
	size_t call_n;
};

static void offer_deinit(struct offer *o)
{
	secret_free(o->ticket);
	free(o->call);
}

static int offer_make(const struct prove_request *request, const struct login_id *id,
		      struct offer *ret)
{
	struct commitment c = { .login_id = id->loose ? NULL : id->bytes,
				.account = request->account,
				.service = request->service };
	char hash[BASE64_SIZE(SHA256_BYTES)];
	json_t *parameters;
	int r;

	ret->ticket = secret_new(NULL, TICKET_BYTES);
	if (!ret->ticket)
		return -ENOMEM;
	r = random_bytes(ret->ticket->bytes, TICKET_BYTES);
	if (r < 0)
		return r;
	commitment_ticket_hash(ret->ticket->bytes, c.ticket_hash);
	r = commitment_name(&c, ret->name);
	if (r < 0)
		return r;
	base64_encode(c.ticket_hash, SHA256_BYTES, hash);
	parameters = json_pack("{s:s, s:s, s:s, s:s}", "ticketHash", hash, "loginId", id->text,
			       "account", request->account, "service", request->service);
	if (!parameters)
		return -ENOMEM;
	return vl_call_format("org.certlogin.Login.Commit", parameters, &ret->call, &ret->call_n);
}

int prove_commit(const struct prove_request *request, struct prove_answer *ret_answer,
		 struct secret **ret_ticket)
{
	_cleanup_(offer_deinit) struct offer offer = { 0 };
	struct prove_answer answer = { .result = PROVE_NO_SERVER };
	char reply[LIMIT_CALL_BYTES];
	struct login_id id;
	size_t n;
	int r;

	if (!request_ok(request, &id) || !account_name_ok(request->account) ||
	    !service_name_ok(request->service))
		return -EINVAL;
	if (!key_usable(request->key, ret_answer))
		return 0;
	r = offer_make(request, &id, &offer);
	if (r == 0)
		r = exchange(request, offer.name, offer.call, offer.call_n, &answer, reply, &n);
	if (r == 0 && answer.result == PROVE_DONE)
		r = reply_read_commit(reply, n, &answer);
	if (r < 0)
		return r;
	if (answer.result == PROVE_DONE)
		*ret_ticket = STEAL(offer.ticket);
	*ret_answer = answer;
	return 0;
}

int prove_describe(const struct prove_request *request, struct prove_answer *ret_answer,
		   struct prove_description *ret)
{
	_cleanup_(freep) char *call = NULL;
	char reply[LIMIT_CALL_BYTES];
	struct prove_answer answer = { .result = PROVE_NO_SERVER };
	struct login_id id;
	size_t call_n, n;
	int r;

	if (!request_ok(request, &id) || id.loose)
		return -EINVAL;
	if (!key_usable(request->key, ret_answer))
		return 0;
	r = vl_call_format("org.certlogin.Login.Describe", json_pack("{s:s}", "loginId", id.text),
			   &call, &call_n);
	if (r == 0)
		r = exchange(request, NULL, call, call_n, &answer, reply, &n);
	if (r == 0 && answer.result == PROVE_DONE)
		r = reply_read_describe(reply, n, &answer, ret);
	if (r == 0)
		*ret_answer = answer;
	return r;
}
