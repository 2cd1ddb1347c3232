// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authority/anchor-policy.h"

#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/limits.h"

#define USEC_PER_HOUR (INT64_C(3600) * (int64_t)USEC_PER_SEC)

static const char *const modes[] = {
	[REVOCATION_AUTO] = "auto",
	[REVOCATION_HARD] = "hard",
	[REVOCATION_GRACE] = "grace",
	[REVOCATION_SOFT] = "soft",
};

static bool *flag_of(struct anchor_policy *p, const char *name)
{
	return strcmp(name, "ekuMissing") == 0	     ? &p->eku_missing
	       : strcmp(name, "ekuAny") == 0	     ? &p->eku_any
	       : strcmp(name, "smartcardLogon") == 0 ? &p->smartcard_logon
	       : strcmp(name, "form") == 0	     ? &p->form
						     : NULL;
}

static int read_mode(const json_t *v, enum revocation_mode *ret)
{
	const char *name = json_string_value(v);

	for (size_t i = 0; name && i < ARRAY_SIZE(modes); i++)
		if (strcmp(modes[i], name) == 0) {
			*ret = (enum revocation_mode)i;
			return 0;
		}
	return -EINVAL;
}

static int read_member(const char *name, const json_t *v, struct anchor_policy *p)
{
	bool *flag = flag_of(p, name);

	if (flag) {
		*flag = json_is_true(v);
		return json_is_boolean(v) ? 0 : -EINVAL;
	}
	if (strcmp(name, "revocation") == 0)
		return read_mode(v, &p->revocation);
	if (strcmp(name, "graceHours") == 0 && json_is_integer(v) && json_integer_value(v) >= 1 &&
	    json_integer_value(v) <= ANCHOR_GRACE_HOURS) {
		p->grace = json_integer_value(v) * USEC_PER_HOUR;
		return 0;
	}
	return -EINVAL;
}

int anchor_policy_read(json_t *object, struct anchor_policy *policy, const char **ret_bad)
{
	struct anchor_policy p = *policy;
	const char *name;
	json_t *v;

	json_object_foreach(object, name, v) {
		if (read_member(name, v, &p) < 0) {
			*ret_bad = name;
			return -EINVAL;
		}
	}
	if (p.revocation == REVOCATION_GRACE && p.grace == 0) {
		*ret_bad = "graceHours";
		return -EINVAL;
	}
	*policy = p;
	return 0;
}

int anchor_policy_parse(const char *text, struct anchor_policy *ret)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	struct anchor_policy policy = { 0 };
	json_error_t error;
	const char *bad;
	int r;

	object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
	if (!json_is_object(object))
		return -EINVAL;
	r = anchor_policy_read(object, &policy, &bad);
	if (r == 0)
		*ret = policy;
	return r;
}

json_t *anchor_policy_json(const struct anchor_policy *p)
{
	json_t *object = json_pack("{s:b, s:b, s:b, s:b, s:s}", "ekuMissing", p->eku_missing,
				   "ekuAny", p->eku_any, "smartcardLogon", p->smartcard_logon,
				   "form", p->form, "revocation", modes[p->revocation]);

	if (object && p->grace > 0 &&
	    json_object_set_new(object, "graceHours",
				json_integer((json_int_t)(p->grace / USEC_PER_HOUR))) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}
