// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SoftHSM as a card that behaves otherwise: what its tokens cannot be is put in front of them.
 * Words in the file p11-lab in $HOME say what, before each call:
 *
 *	hang       C_Initialize never returns
 *	noise      writes to standard output and error
 *	few final locked pad removable
 *	           flags of token and slot
 *	counts     three wrong PINs and it is blocked; the count is in the file p11-tries
 *	no-pss     the mechanism is not there
 *	escape     terminal control sequences in the labels of tokens
 *	hidden     nothing is to be seen before a PIN was given
 *	pad-wrong  the PIN typed at the reader is wrong
 *	always     keys want the PIN with each signature (CKA_ALWAYS_AUTHENTICATE)
 *
 * The PIN that each C_Login had is noted in p11-pins, and in p11-loaded that it was loaded.
 */
#define CRYPTOKI_GNU 1
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define TRIES 3

static struct ck_function_list *real;
static struct ck_function_list ours;
static bool logged_in, signing_allowed;

static void file_name(const char *name, char ret[512])
{
	const char *home = getenv("HOME");

	(void)snprintf(ret, 512, "%s/%s", home ? home : "", name);
}

static bool is_set(const char *word)
{
	char path[512], line[64];
	bool found = false;
	FILE *f;

	file_name("p11-lab", path);
	f = fopen(path, "re");
	while (f && !found && fscanf(f, "%63s", line) == 1)
		found = strcmp(line, word) == 0;
	if (f)
		(void)fclose(f);
	return found;
}

static int tries(int change, bool reset)
{
	char path[512];
	int n = 0;
	FILE *f;

	file_name("p11-tries", path);
	f = fopen(path, "re");
	if (f) {
		n = fscanf(f, "%d", &n) == 1 ? n : 0;
		(void)fclose(f);
	}
	n = reset ? 0 : n + change;
	f = change || reset ? fopen(path, "we") : NULL;
	if (f) {
		(void)fprintf(f, "%d\n", n);
		(void)fclose(f);
	}
	return n;
}

static void note(const unsigned char *pin, unsigned long n)
{
	char path[512];
	FILE *f;

	file_name("p11-pins", path);
	f = fopen(path, "ae");
	if (f) {
		(void)fprintf(f, "%.*s\n", pin ? (int)n : 3, pin ? (const char *)pin : "pad");
		(void)fclose(f);
	}
}

static void note_loaded(void)
{
	char path[512];
	FILE *f;

	file_name("p11-loaded", path);
	f = fopen(path, "we");
	if (f)
		(void)fclose(f);
}

static ck_rv_t initialize(void *args)
{
	note_loaded();
	if (is_set("noise")) {
		(void)dprintf(STDOUT_FILENO, "module: NOISE\n");
		(void)dprintf(STDERR_FILENO, "module: NOISE\n");
	}
	while (is_set("hang"))
		(void)sleep(60);
	return real->C_Initialize(args);
}

static ck_rv_t get_token_info(ck_slot_id_t slot, struct ck_token_info *info)
{
	static const char label[] = "\x1b[2J\x1b]0;gone\a\r";
	ck_rv_t rv = real->C_GetTokenInfo(slot, info);

	if (rv != CKR_OK)
		return rv;
	if (is_set("few"))
		info->flags |= CKF_USER_PIN_COUNT_LOW;
	if (is_set("final"))
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	if (is_set("locked"))
		info->flags |= CKF_USER_PIN_LOCKED;
	if (is_set("pad") || is_set("pad-wrong"))
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	if (is_set("escape"))
		memcpy(info->label, label, sizeof(label) - 1);
	if (is_set("counts")) {
		int n = tries(0, false);

		info->flags |= n >= TRIES	? CKF_USER_PIN_LOCKED
			       : n == TRIES - 1 ? CKF_USER_PIN_FINAL_TRY
			       : n > 0		? CKF_USER_PIN_COUNT_LOW
						: 0;
	}
	return CKR_OK;
}

static ck_rv_t get_slot_info(ck_slot_id_t slot, struct ck_slot_info *info)
{
	ck_rv_t rv = real->C_GetSlotInfo(slot, info);

	if (rv == CKR_OK && is_set("removable"))
		info->flags |= CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
	return rv;
}

static ck_rv_t login(ck_session_handle_t session, ck_user_type_t user, unsigned char *pin,
		     unsigned long n)
{
	ck_rv_t rv;

	note(pin, n);
	if (user == CKU_CONTEXT_SPECIFIC) {
		signing_allowed = pin && n == 4 && memcmp(pin, "1234", 4) == 0;
		return signing_allowed ? CKR_OK : CKR_PIN_INCORRECT;
	}
	if (is_set("pad-wrong"))
		return CKR_PIN_INCORRECT;
	if (is_set("pad") && !pin)
		rv = real->C_Login(session, user, (unsigned char *)(uintptr_t) "1234", 4);
	else if (is_set("locked") || (is_set("counts") && tries(0, false) >= TRIES))
		return CKR_PIN_LOCKED;
	else
		rv = real->C_Login(session, user, pin, n);
	if (is_set("counts"))
		(void)tries(1, rv == CKR_OK);
	logged_in = logged_in || rv == CKR_OK;
	return rv;
}

static ck_rv_t find_objects(ck_session_handle_t session, ck_object_handle_t *objects,
			    unsigned long max, unsigned long *ret_n)
{
	ck_rv_t rv = real->C_FindObjects(session, objects, max, ret_n);

	if (rv == CKR_OK && is_set("hidden") && !logged_in)
		*ret_n = 0;
	return rv;
}

static ck_rv_t get_mechanism_info(ck_slot_id_t slot, ck_mechanism_type_t type,
				  struct ck_mechanism_info *info)
{
	if (type == CKM_RSA_PKCS_PSS && is_set("no-pss"))
		return CKR_MECHANISM_INVALID;
	return real->C_GetMechanismInfo(slot, type, info);
}

static ck_rv_t get_attribute_value(ck_session_handle_t session, ck_object_handle_t object,
				   struct ck_attribute *attributes, unsigned long n)
{
	ck_rv_t rv = real->C_GetAttributeValue(session, object, attributes, n);

	for (unsigned long i = 0; rv == CKR_OK && i < n; i++)
		if (attributes[i].type == CKA_ALWAYS_AUTHENTICATE && attributes[i].value)
			*(unsigned char *)attributes[i].value = is_set("always");
	return rv;
}

static ck_rv_t sign_init(ck_session_handle_t session, struct ck_mechanism *mechanism,
			 ck_object_handle_t key)
{
	signing_allowed = !is_set("always");
	return real->C_SignInit(session, mechanism, key);
}

static ck_rv_t sign(ck_session_handle_t session, unsigned char *data, unsigned long n,
		    unsigned char *signature, unsigned long *ret_n)
{
	return signing_allowed ? real->C_Sign(session, data, n, signature, ret_n)
			       : CKR_USER_NOT_LOGGED_IN;
}

EXPORT ck_rv_t C_GetFunctionList(struct ck_function_list **ret)
{
	void *softhsm = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
	ck_rv_t (*get)(struct ck_function_list **);

	get = softhsm ? (ck_rv_t(*)(struct ck_function_list **))dlsym(softhsm, "C_GetFunctionList")
		      : NULL;
	if (!get || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	ours = *real;
	ours.C_Initialize = initialize;
	ours.C_GetTokenInfo = get_token_info;
	ours.C_GetSlotInfo = get_slot_info;
	ours.C_Login = login;
	ours.C_FindObjects = find_objects;
	ours.C_GetMechanismInfo = get_mechanism_info;
	ours.C_GetAttributeValue = get_attribute_value;
	ours.C_SignInit = sign_init;
	ours.C_Sign = sign;
	*ret = &ours;
	return CKR_OK;
}
