// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "tests/differential/chain.h"

#define DAY 86400

static const char *const texts[] = {
#define X(id, text) [M_##id] = text,
	MUTATIONS
#undef X
};

const char *mutation_text(enum mutation m)
{
	return texts[m];
}

/* splitmix64 */
unsigned plan_random(struct plan *p, unsigned below)
{
	uint64_t z = p->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z ^ z >> 31) % below);
}

static void set(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%s", text);
}

#define SET(field, text) set(field, sizeof(field), text)
#define ONE_OF(p, list) (list)[plan_random(p, ARRAY_SIZE(list))]

/* --- the sound chain --- */

static struct key_ref random_key(struct plan *p)
{
	/* those that cost much are few */
	unsigned n = plan_random(p, 64);
	enum pool kind = n < 34 ? POOL_P256 : n < 62 ? POOL_ED25519 : n < 63 ? POOL_P384 : POOL_RSA;

	return (struct key_ref){ kind, plan_random(p, POOL_KEYS) };
}

static struct spec *add(struct plan *p, unsigned issuer, const char *cn)
{
	struct spec *s = &p->certs[p->n++];

	*s = (struct spec){ .issuer = issuer,
			    .key = random_key(p),
			    .not_before = CHAIN_NOW - 400 * DAY,
			    .not_after = CHAIN_NOW + 400 * DAY,
			    .version = 3,
			    .duplicate = -1 };
	SET(s->o, "Example");
	SET(s->cn, cn);
	return s;
}

static struct spec *add_ca(struct plan *p, unsigned issuer, const char *cn)
{
	struct spec *s = add(p, issuer, cn);

	SET(s->ext[EXT_BC], "critical,CA:TRUE");
	SET(s->ext[EXT_KU], "critical,keyCertSign,cRLSign");
	return s;
}

static void add_leaf(struct plan *p)
{
	struct spec *s;

	p->leaf = (unsigned)p->n;
	s = add(p, p->leaf - 1, "Some Person");
	SET(s->ou, "People");
	SET(s->ext[EXT_KU], "critical,digitalSignature");
	SET(s->ext[EXT_EKU], "clientAuth");
	SET(s->ext[EXT_SAN], "email:person@example.org");
}

static void add_path(struct plan *p)
{
	static const unsigned depths[] = { 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4 };
	unsigned depth = ONE_OF(p, depths);

	(void)add_ca(p, 0, "Root");
	for (unsigned i = 1; i <= depth; i++) {
		char cn[24];

		(void)snprintf(cn, sizeof(cn), "CA %u", i);
		(void)add_ca(p, i - 1, cn);
	}
	add_leaf(p);
	for (unsigned i = p->leaf; i > 0; i--)
		p->sent[p->n_sent++] = i;
	p->anchors[p->n_anchors++] = 0;
}

/* --- which certificate --- */

static struct spec *any(struct plan *p)
{
	return &p->certs[plan_random(p, p->leaf + 1)];
}

static struct spec *any_issued(struct plan *p)
{
	return &p->certs[1 + plan_random(p, p->leaf)];
}

static struct spec *any_ca(struct plan *p)
{
	return &p->certs[plan_random(p, p->leaf)];
}

static struct spec *the_leaf(struct plan *p)
{
	return &p->certs[p->leaf];
}

/* --- mutations --- */

static void do_EXPIRED(struct plan *p)
{
	any(p)->not_after = CHAIN_NOW - 1 - (int)plan_random(p, 2) * DAY;
}

static void do_NOT_YET(struct plan *p)
{
	any(p)->not_before = CHAIN_NOW + 1 + (int)plan_random(p, 2) * DAY;
}

static void do_BC_MISSING(struct plan *p)
{
	SET(any_ca(p)->ext[EXT_BC], "");
}

static void do_BC_NOT_CRITICAL(struct plan *p)
{
	SET(any_ca(p)->ext[EXT_BC], "CA:TRUE");
}

static void do_BC_FALSE(struct plan *p)
{
	static const char *const values[] = { "critical,CA:FALSE", "CA:FALSE",
					      "critical,CA:FALSE,pathlen:1" };

	SET(any_ca(p)->ext[EXT_BC], ONE_OF(p, values));
}

static void do_PATH_LEN(struct plan *p)
{
	static const char *const values[] = { "critical,CA:TRUE,pathlen:0",
					      "critical,CA:TRUE,pathlen:1",
					      "critical,CA:TRUE,pathlen:2",
					      "critical,CA:TRUE,pathlen:3" };

	SET(any_ca(p)->ext[EXT_BC], ONE_OF(p, values));
}

static void do_SELF_ISSUED(struct plan *p)
{
	unsigned i = plan_random(p, p->leaf);

	if (i == 0)
		i = p->leaf > 1 ? 1 : 0;
	memcpy(p->certs[i].cn, p->certs[p->certs[i].issuer].cn, sizeof(p->certs[i].cn));
}

static void do_KU_CA(struct plan *p)
{
	static const char *const values[] = { "",
					      "critical,keyCertSign",
					      "keyCertSign,cRLSign",
					      "critical,cRLSign",
					      "critical,digitalSignature",
					      "critical,digitalSignature,keyCertSign",
					      "DER:030100" };

	SET(any_ca(p)->ext[EXT_KU], ONE_OF(p, values));
}

static void do_KU_LEAF(struct plan *p)
{
	static const char *const values[] = { "",
					      "digitalSignature",
					      "critical,digitalSignature,keyEncipherment",
					      "critical,keyEncipherment",
					      "critical,keyAgreement",
					      "critical,nonRepudiation",
					      "critical,digitalSignature,keyCertSign",
					      "critical,digitalSignature,cRLSign",
					      "critical,keyAgreement,decipherOnly",
					      "DER:030100" };

	SET(the_leaf(p)->ext[EXT_KU], ONE_OF(p, values));
}

static const char *random_eku(struct plan *p)
{
	static const char *const values[] = { "",
					      "clientAuth",
					      "serverAuth",
					      "anyExtendedKeyUsage",
					      "clientAuth,anyExtendedKeyUsage",
					      "serverAuth,clientAuth",
					      "critical,clientAuth",
					      "critical,serverAuth",
					      "critical,anyExtendedKeyUsage",
					      "emailProtection",
					      "1.3.6.1.4.1.311.20.2.2,clientAuth",
					      "DER:3000" };

	return ONE_OF(p, values);
}

static void do_EKU_CA(struct plan *p)
{
	SET(any_ca(p)->ext[EXT_EKU], random_eku(p));
}

static void do_EKU_LEAF(struct plan *p)
{
	SET(the_leaf(p)->ext[EXT_EKU], random_eku(p));
}

static void append(char *text, size_t size, const char *prefix, const char *more)
{
	size_t n = strlen(text);

	(void)snprintf(text + n, size - n, "%s%s%s", n > 0 ? "," : "", prefix, more);
}

/* A constraint in a CA and a name in the leaf, which match or do not. */
static void constrain(struct plan *p, const char *base, const char *name)
{
	char *nc = any_ca(p)->ext[EXT_NC], *san = the_leaf(p)->ext[EXT_SAN];
	const size_t size = sizeof(p->certs[0].ext[0]);

	if (!nc[0])
		set(nc, size, "critical");
	append(nc, size, plan_random(p, 3) ? "permitted;" : "excluded;", base);
	if (!name)
		return;
	if (plan_random(p, 2) || strncmp(san, "DER:", 4) == 0)
		set(san, size, name);
	else
		append(san, size, "", name);
}

static void do_NC_DNS(struct plan *p)
{
	static const char *const bases[] = {
		"DNS:example.org", "DNS:.example.org", "DNS:host.example.org",
		"DNS:example.com", "DNS:org",	       "DNS:EXAMPLE.org"
	};
	static const char *const names[] = { "DNS:example.org",
					     "DNS:host.example.org",
					     "DNS:a.b.example.org",
					     "DNS:badexample.org",
					     "DNS:example.com",
					     "DNS:HOST.Example.Org",
					     "DNS:org" };
	const char *base = ONE_OF(p, bases);

	constrain(p, base, ONE_OF(p, names));
}

static void do_NC_EMAIL(struct plan *p)
{
	static const char *const bases[] = { "email:example.org",	 "email:.example.org",
					     "email:person@example.org", "email:example.com",
					     "email:Person@example.org", "email:EXAMPLE.org" };
	static const char *const names[] = {
		"email:person@example.org", "email:person@host.example.org",
		"email:other@example.org",  "email:person@example.com",
		"email:person@EXAMPLE.org", "email:person@badexample.org"
	};
	const char *base = ONE_OF(p, bases);

	constrain(p, base, ONE_OF(p, names));
}

static void do_NC_URI(struct plan *p)
{
	static const char *const bases[] = { "URI:example.org", "URI:.example.org",
					     "URI:host.example.org", "URI:example.com" };
	static const char *const names[] = { "URI:https://example.org/x",
					     "URI:https://host.example.org",
					     "URI:https://a.b.example.org:8443/y?z",
					     "URI:https://example.com/",
					     "URI:https://HOST.example.org/",
					     "URI:https://badexample.org/" };
	const char *base = ONE_OF(p, bases);

	constrain(p, base, ONE_OF(p, names));
}

static void do_NC_IP(struct plan *p)
{
	static const char *const bases[] = { "IP:192.0.2.0/255.255.255.0",
					     "IP:192.0.2.1/255.255.255.255", "IP:0.0.0.0/0.0.0.0",
					     "IP:10.0.0.0/255.0.0.0", "IP:2001:db8::/ffff:ffff::" };
	static const char *const names[] = {
		"IP:192.0.2.1",	   "IP:192.0.2.77",  "IP:10.1.2.3",
		"IP:198.51.100.1", "IP:2001:db8::1", "IP:2001:db9::1"
	};
	const char *base = ONE_OF(p, bases);

	constrain(p, base, ONE_OF(p, names));
}

static void do_NC_DIR(struct plan *p)
{
	/* sections of make.c */
	static const char *const bases[] = { "dirName:dir_o", "dirName:dir_person",
					     "dirName:dir_people", "dirName:dir_other",
					     "dirName:dir_case" };
	static const char *const names[] = { NULL, NULL, "dirName:dir_person",
					     "dirName:dir_other" };
	const char *base = ONE_OF(p, bases);

	constrain(p, base, ONE_OF(p, names));
}

static void do_NC_OTHER(struct plan *p)
{
	static const char *const bases[] = { "RID:1.2.3.4",
					     "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:example.org" };
	static const char *const names[] = {
		NULL, "RID:1.2.3.4", "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@example.org"
	};
	const char *base = ONE_OF(p, bases);

	constrain(p, base, ONE_OF(p, names));
}

static void do_NC_FORM(struct plan *p)
{
	if (plan_random(p, 2))
		SET(any_ca(p)->ext[EXT_NC], "permitted;email:example.org");
	else
		SET(the_leaf(p)->ext[EXT_NC], "critical,permitted;email:example.org");
}

static void do_SAN_ODD(struct plan *p)
{
	static const char *const values[] = { "",
					      "DNS:*.example.org",
					      "DNS:*",
					      "DNS:example.org.",
					      "DNS:under_score.example.org",
					      "email:nobody",
					      "email:a@b@example.org",
					      "URI:urn:example:org",
					      "URI:https://192.0.2.1/",
					      "URI:no-scheme",
					      "RID:1.2.3.4",
					      "critical,email:person@example.org",
					      "DER:3000",
					      "DER:30068704c0000201",
					      "DER:30058703c00002" };

	SET(the_leaf(p)->ext[EXT_SAN], ONE_OF(p, values));
}

#define P1 "1.3.6.1.4.1.99999.1"
#define P2 "1.3.6.1.4.1.99999.2"
#define P3 "1.3.6.1.4.1.99999.3"
#define P_ANY "2.5.29.32.0"

static void do_POLICIES(struct plan *p)
{
	static const char *const values[] = {
		"", P1, P2, P1 "," P2, P_ANY, P_ANY "," P1, "critical," P1, P1 "," P1
	};

	SET(any(p)->ext[EXT_CP], ONE_OF(p, values));
	if (plan_random(p, 2))
		SET(any(p)->ext[EXT_CP], ONE_OF(p, values));
}

/* Else most chains have no policy at all, and need none. */
static void give_policies(struct plan *p)
{
	const char *all = plan_random(p, 3) ? P1 : P1 "," P2;

	for (unsigned i = plan_random(p, 2); i <= p->leaf; i++)
		if (!p->certs[i].ext[EXT_CP][0])
			SET(p->certs[i].ext[EXT_CP], plan_random(p, 5) ? all : P_ANY);
}

static void do_POLICY_MAP(struct plan *p)
{
	static const char *const values[] = {
		P1 ":" P2, P1 ":" P3, "critical," P1 ":" P2, P1 ":" P2 "," P1 ":" P3,
		P2 ":" P1, P1 ":" P1, P1 ":" P_ANY,	     P_ANY ":" P1
	};
	static const char *const leaf[] = { P1, P2, P3 };
	unsigned i = plan_random(p, p->leaf);

	give_policies(p);
	SET(p->certs[i].ext[EXT_PM], ONE_OF(p, values));
	if (plan_random(p, 4))
		for (i++; i <= p->leaf; i++)
			SET(p->certs[i].ext[EXT_CP], ONE_OF(p, leaf));
	if (plan_random(p, 3))
		SET(any_ca(p)->ext[EXT_PC], "critical,requireExplicitPolicy:0");
}

static void do_POLICY_NEED(struct plan *p)
{
	static const char *const values[] = {
		"critical,requireExplicitPolicy:0",
		"critical,requireExplicitPolicy:1",
		"critical,requireExplicitPolicy:2",
		"critical,requireExplicitPolicy:0,inhibitPolicyMapping:0",
		"critical,requireExplicitPolicy:1,inhibitPolicyMapping:1",
		"critical,inhibitPolicyMapping:0",
		"requireExplicitPolicy:0",
		"critical,DER:3000"
	};

	if (plan_random(p, 4))
		give_policies(p);
	SET(any(p)->ext[EXT_PC], ONE_OF(p, values));
}

static void do_POLICY_ANY(struct plan *p)
{
	static const char *const values[] = { "critical,0", "critical,1", "critical,2", "0" };

	give_policies(p);
	if (plan_random(p, 2))
		SET(any(p)->ext[EXT_CP], P_ANY);
	if (plan_random(p, 3))
		SET(any_ca(p)->ext[EXT_PC], "critical,requireExplicitPolicy:0");
	SET(any(p)->ext[EXT_IAP], ONE_OF(p, values));
}

static void do_CRITICAL(struct plan *p)
{
	SET(any(p)->ext[EXT_UNKNOWN], "critical,DER:0500");
}

static void do_DUPLICATE(struct plan *p)
{
	struct spec *s = any(p);
	unsigned slot = plan_random(p, N_SLOTS);

	while (!s->ext[slot][0] && slot < EXT_UNKNOWN)
		slot++;
	if (!s->ext[slot][0])
		SET(s->ext[slot], "DER:0500");
	s->duplicate = (int)slot;
}

static void do_ISSUER_NAME(struct plan *p)
{
	any_issued(p)->other_issuer_name = true;
}

static void do_FLIPPED(struct plan *p)
{
	any(p)->flipped = true;
}

static void do_OTHER_KEY(struct plan *p)
{
	struct spec *s = any_issued(p);
	struct key_ref k = p->certs[s->issuer].key;

	k.n = (k.n + 1) % POOL_KEYS;
	s->has_signer = true;
	s->signer = k;
}

/* A second certificate for a CA of the path, by another root; one of the two may be no good. */
static void do_CROSS(struct plan *p)
{
	unsigned which = 1 + plan_random(p, p->leaf), other, cross;

	if (p->n + 2 > CHAIN_CERTS)
		return;
	if (which == p->leaf)
		which = 0;
	other = (unsigned)p->n;
	(void)add_ca(p, other, "Other Root");
	cross = (unsigned)p->n++;
	p->certs[cross] = p->certs[which];
	p->certs[cross].issuer = other;
	if (plan_random(p, 3) == 0)
		p->certs[plan_random(p, 2) ? cross : which].not_after = CHAIN_NOW - 1;
	if (plan_random(p, 6) == 0)
		p->certs[plan_random(p, 2) ? cross : which].flipped = true;
	p->sent[p->n_sent++] = cross;
	switch (plan_random(p, 3)) {
	case 0:
		p->anchors[0] = other;
		break;
	case 1:
		p->anchors[p->n_anchors++] = other;
		break;
	}
}

static void do_SHUFFLED(struct plan *p)
{
	for (size_t i = p->n_sent - 1; i > 1; i--) {
		size_t j = 1 + plan_random(p, (unsigned)i);
		unsigned t = p->sent[i];

		p->sent[i] = p->sent[j];
		p->sent[j] = t;
	}
}

static void do_SUPERFLUOUS(struct plan *p)
{
	unsigned n = 1 + plan_random(p, 2);

	if (plan_random(p, 2) && p->n + 1 < CHAIN_CERTS) {
		p->sent[p->n_sent++] = (unsigned)p->n;
		(void)add_ca(p, (unsigned)p->n, plan_random(p, 2) ? "Stray" : "Root");
	}
	while (n-- > 0)
		p->sent[p->n_sent++] = plan_random(p, (unsigned)p->n);
}

static void do_MISSING(struct plan *p)
{
	unsigned i;

	if (p->n_sent < 2)
		return;
	i = 1 + plan_random(p, (unsigned)p->n_sent - 1);
	memmove(&p->sent[i], &p->sent[i + 1], (p->n_sent - i - 1) * sizeof(p->sent[0]));
	p->n_sent--;
}

static void do_VERSION(struct plan *p)
{
	struct spec *s = any(p);

	s->version = 1 + plan_random(p, 2);
	if (plan_random(p, 3) == 0)
		return;
	for (size_t i = 0; i < N_SLOTS; i++)
		SET(s->ext[i], "");
	s->duplicate = -1;
}

static void do_SERIAL(struct plan *p)
{
	any(p)->serial = SERIAL_ZERO + plan_random(p, 3);
}

static void do_SHA1(struct plan *p)
{
	struct spec *s = any(p), *issuer = &p->certs[s->issuer];

	if (issuer->key.kind == POOL_ED25519)
		issuer->key.kind = POOL_P256;
	s->sha1 = true;
}

static void do_NAME_FOLD(struct plan *p)
{
	any_issued(p)->fold = FOLD_CASE + plan_random(p, 3);
}

static void do_CA_LEAF(struct plan *p)
{
	SET(the_leaf(p)->ext[EXT_BC], "critical,CA:TRUE");
	if (plan_random(p, 2))
		SET(the_leaf(p)->ext[EXT_KU], "critical,digitalSignature,keyCertSign");
}

static void do_NO_SUBJECT(struct plan *p)
{
	struct spec *s = plan_random(p, 4) ? the_leaf(p) : any(p);
	static const char *const sans[] = { "", "email:person@example.org",
					    "critical,email:person@example.org" };

	s->o[0] = s->ou[0] = s->cn[0] = s->email[0] = '\0';
	SET(s->ext[EXT_SAN], ONE_OF(p, sans));
}

static void do_RSA_1024(struct plan *p)
{
	any(p)->key.kind = POOL_RSA_1024;
}

static void do_P521(struct plan *p)
{
	any(p)->key.kind = POOL_P521;
}

static void do_KEY_IDS(struct plan *p)
{
	any(p)->key_ids = IDS_NO_SKI + plan_random(p, 4);
}

static void do_FOREIGN(struct plan *p)
{
	if (p->n == CHAIN_CERTS)
		return;
	p->anchors[0] = (unsigned)p->n;
	(void)add_ca(p, (unsigned)p->n, plan_random(p, 2) ? "Root" : "Foreign");
}

static void do_LEAF_ANCHOR(struct plan *p)
{
	p->anchors[0] = p->leaf;
	if (plan_random(p, 2)) {
		the_leaf(p)->issuer = p->leaf;
		p->n_sent = 1;
	}
}

static void do_SUBJECT_EMAIL(struct plan *p)
{
	SET(the_leaf(p)->email, plan_random(p, 2) ? "person@example.org" : "person@example.com");
	if (plan_random(p, 2))
		SET(the_leaf(p)->ext[EXT_SAN], "DNS:host.example.org");
}

static void (*const mutate[])(struct plan *p) = {
#define X(id, text) [M_##id] = do_##id,
	MUTATIONS
#undef X
};

void plan_make(struct plan *p, uint64_t seed)
{
	unsigned n;

	*p = (struct plan){ .rng = seed };
	add_path(p);
	n = plan_random(p, CHAIN_MUTATIONS_MAX + 1);
	for (unsigned i = 0; i < n; i++) {
		enum mutation m = plan_random(p, N_MUTATIONS);

		if (p->mutations >> m & 1) /* some would undo themselves */
			continue;
		mutate[m](p);
		p->mutations |= UINT64_C(1) << m;
	}
}
