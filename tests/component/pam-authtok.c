// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A neighbour in the stack that sees PAM_AUTHTOK, as only modules can.
 *   set=TEXT   puts it there        want=TEXT   succeeds when it is that        none   when it is
 * unset
 */
#include <security/pam_modules.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	const void *text = NULL;

	(void)flags;
	if (argc != 1 || pam_get_item(pamh, PAM_AUTHTOK, &text) != PAM_SUCCESS)
		return PAM_SERVICE_ERR;
	if (strncmp(argv[0], "set=", 4) == 0)
		return pam_set_item(pamh, PAM_AUTHTOK, argv[0] + 4);
	if (strcmp(argv[0], "none") == 0)
		return text ? PAM_CRED_ERR : PAM_SUCCESS;
	return text && strncmp(argv[0], "want=", 5) == 0 && strcmp(text, argv[0] + 5) == 0
		       ? PAM_SUCCESS
		       : PAM_CRED_ERR;
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}
